// What is wrong with the looks of an explorer, in the state it is in or in many: for a page of tests.
(() => {
  const BAD = {
    "no number": /\b(undefined|NaN|null)\b/, "a minus before zero": /[-\u2212]0(\.0+)?(?![\d.])/,
    "an exponent": /\de[-+]?\d/, "a hyphen for a minus": /(^|[\s(=,])-\d/,
  };
  const name = (node) => `${node.tagName.toLowerCase()}${node.className.baseVal ?? node.className ? `.${node.getAttribute("class")}` : ""} "${node.textContent.trim().slice(0, 40)}"`;
  const seen = (node) => node.getBoundingClientRect().width > 0 && node.checkVisibility({ visibilityProperty: true });
  const boxOf = (node, [x, y] = [0, 0]) => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    return { node, left: left + x, right: right - x, top: top + y, bottom: bottom - y };
  };
  const cross = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const within = (a, b, slack) => a.left >= b.left - slack && a.right <= b.right + slack && a.top >= b.top - slack && a.bottom <= b.bottom + slack;
  const pairs = (list) => list.flatMap((one, k) => list.slice(k + 1).filter((other) => cross(one, other)).map((other) => [one, other]));

  function* words(root) {
    for (const picture of root.querySelectorAll("svg")) {
      const frame = boxOf(picture);
      const texts = [...picture.querySelectorAll("text")].filter((node) => node.textContent.trim() && seen(node)).map((node) => boxOf(node, [1, 3]));
      for (const [one, other] of pairs(texts)) yield `${name(one.node)} across ${name(other.node)}`;
      for (const text of texts) if (!within(text, frame, 3)) yield `${name(text.node)} leaves its picture`;
      const hands = [...picture.querySelectorAll(".handle :is(.ring, .ball)")].filter(seen).map((node) => boxOf(node, [1, 1]));
      for (const hand of hands) for (const text of texts)
        if (cross(hand, text)) yield `${name(text.node)} across the handle ${hand.node.parentNode.getAttribute("aria-label")}`;
      for (const node of picture.querySelectorAll("*")) for (const { name: key, value } of node.attributes)
        if (/NaN|undefined|Infinity/.test(value)) yield `${node.tagName} has ${key}="${value.slice(0, 60)}"`;
    }
  }

  function* numbers(root) {
    const told = [...root.querySelectorAll("text, p, b, small, td, th, span, code, [aria-valuetext]")].filter(seen);
    for (const node of told) for (const text of [node.children.length ? "" : node.textContent, node.getAttribute("aria-valuetext") ?? ""])
      for (const [what, pattern] of Object.entries(BAD)) if (pattern.test(text)) yield `${what}: ${text}`;
  }

  const linesOf = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    if (node.querySelector("small")) range.setEndBefore(node.querySelector("small"));
    return new Set([...range.getClientRects()].filter(({ width }) => width > 1).map(({ bottom }) => Math.round(bottom / 8))).size;
  };

  function* boxes({ root, strip, said }) {
    const all = boxOf(root), view = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > view) yield `the page is ${document.documentElement.scrollWidth} px wide`;
    const parts = [...strip.children].filter(seen).map((node) => boxOf(node, [1, 1])).filter((box) => box.bottom > box.top);
    for (const [one, other] of pairs(parts)) yield `in the strip ${name(one.node)} across ${name(other.node)}`;
    const inside = root.querySelectorAll(".strip > *, .strip :is(b, small, span, button, input), .column, figure, figure > svg, figcaption > b, .key > span, .foot *, .card *, td, tr");
    for (const node of inside) if (seen(node) && !within(boxOf(node), all, 1)) yield `${name(node)} is outside`;
    for (const node of root.querySelectorAll(".strip > *, .control > span, figcaption > b, .key, .tensors, .code, .card, table, td, th, .line code"))
      if (seen(node) && node.scrollWidth > node.clientWidth + 1 && node.clientWidth) yield `${name(node)} is cut off`;
    for (const node of root.querySelectorAll(".tensors, .code, .column")) if (seen(node) && node.scrollHeight > node.clientHeight + 1) yield `${name(node)} is cut off below`;
    for (const node of root.querySelectorAll("figure > svg")) if (boxOf(node).bottom - boxOf(node).top < 50) yield `a picture of ${boxOf(node).bottom - boxOf(node).top} px`;
    for (const [one, other] of pairs([...root.querySelectorAll("figure, table, .card, .head")].filter(seen).map((node) => boxOf(node, [1, 1]))))
      if (!one.node.contains(other.node)) yield `${name(one.node)} across ${name(other.node)}`;
    const { width, height } = root.getBoundingClientRect(), most = { 1245: 560, 800: 600 }[innerWidth];
    if (width > innerWidth || height > most) yield `${width} x ${height} px`;
    const lines = linesOf(said), allowed = innerWidth < 640 ? 3 : 2;
    if (lines > allowed) yield `a sentence of ${lines} lines: ${said.textContent}`;
    if (innerWidth >= 720) return;
    const figures = [...root.querySelectorAll("figure")].filter(seen).map((node) => boxOf(node)), tall = strip.offsetHeight;
    if (getComputedStyle(strip).position !== "sticky") yield "the strip does not stay in sight";
    if (tall + figures[0].bottom - figures[0].top > innerHeight) yield `${tall} px of strip and a picture of ${figures[0].bottom - figures[0].top}`;
    if (new Set(figures.map(({ left }) => Math.round(left))).size > 1) yield "more than one column";
  }

  const idle = async (stage) => {
    for (let still = 0, last = "", frames = 0; still < 4 && frames < 2000; frames++) {
      await new Promise(requestAnimationFrame);
      const now = stage.root.dataset.frames;
      still = now === last ? still + 1 : 0;
      last = now;
    }
  };

  // The start; each control at its ends, the presets and the buttons; some pairs: [name, what to do].
  function statesOf(stage, share) {
    const list = [["start", () => {}]], ends = [];
    for (const control of Object.values(stage.controls)) {
      if (typeof control.value === "string" && !control.labels) continue;
      const yes = typeof control.value === "boolean", places = yes ? [false, true] : control.labels ? control.labels.keys() : [0, control.places];
      ends.push([...places].map((place) => [`${control.name} ${place}`, () => { control[yes ? "value" : "place"] = place; }]));
    }
    const buttons = [...stage.strip.querySelectorAll("button:not(.play)")].map((button) => [`${button.textContent} pressed`, () => button.click()]);
    if (share === "start") return list;
    list.push(...ends.flat(), ...buttons);
    if (share === "ends") return list;
    for (let k = 0; k < ends.length; k++) for (let j = k + 1; j < Math.min(k + 3, ends.length); j++) {
      const [one, other] = [ends[k].at((j + k) % 2 - 1), ends[j].at((j - k) % 3 ? -1 : 0)];
      list.push([`${one[0]}, ${other[0]}`, () => { one[1](); other[1](); }]);
    }
    return list;
  }

  // Go through the states; return what is wrong and where it was seen first.
  window.looks = async (stage, share) => {
    const wrong = new Map();
    for (const [state, go] of statesOf(stage, share)) {
      stage.reset();
      if (state !== "start") stage.touch();
      go();
      stage.frame();
      await idle(stage);
      for (const problem of [...words(stage.root), ...numbers(stage.root), ...boxes(stage)])
        if (!wrong.has(problem.replace(/[\d.,]+/g, "0"))) wrong.set(problem.replace(/[\d.,]+/g, "0"), `${state}: ${problem}`);
    }
    stage.reset();
    await idle(stage);
    return [...wrong.values()];
  };
})();
