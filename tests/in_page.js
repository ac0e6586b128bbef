// What the tests ask of an explorer, in its page: `ask` has a function for each question.
window.ask = (() => {
  const host = document.querySelector("[data-explorer]"), { stage } = host, { root } = stage;
  const style = (node) => getComputedStyle(node), all = (selector, within = root) => [...within.querySelectorAll(selector)];
  const seen = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !node.closest("defs, clipPath, pattern, radialGradient");

  // --- what is shown ---------------------------------------------------------------------------

  // What of an element can be seen, as a text: not where attributes stand, and nothing hidden.
  const markup = (node) => {
    if (!(node instanceof Element)) return node.textContent;
    const empty = node.localName === "text" ? !node.textContent : node.getAttribute("d") === "";
    if (empty || node.getAttribute("visibility") === "hidden" || ["hidden", "none"].includes(node.style.visibility || node.style.display)) return "";
    const attributes = Array.from(node.attributes, ({ name, value }) => `${name}=${value}`).filter((one) => !/^(style=$|class=$|class=glides$|data-lm)/.test(one)).sort();
    return `<${[node.localName, ...attributes].join(" ")}>${Array.from(node.childNodes, markup).join("")}`;
  };
  const values = () => all("input, select, textarea").map((node) => (["checkbox", "radio"].includes(node.type) ? node.checked : node.value));
  const picture = () => ({
    settings: stage.state, touched: root.classList.contains("touched"), said: stage.said.textContent,
    strip: markup(stage.strip), values: values().join(), panels: markup(stage.stages),
  });
  const words = () => [stage.said, ...all(".numbers, .formula, .count, .result, .equations, .computes")].map((node) => node.textContent).join("\n");
  const fresh = () => {
    const { explorer, settings, given } = stage;
    return stage.said.textContent.startsWith(explorer.sentence(settings, explorer.compute(settings, given), given).replaceAll("**", ""));
  };
  // What has changed since this was asked before, and what is not as it should be at any time.
  let before = {};
  const changes = () => {
    const now = { settings: stage.state, panels: markup(stage.stages), words: words() }, moved = Object.keys(now).filter((part) => now[part] !== before[part]), problems = [];
    before = now;
    if (!fresh()) problems.push(`the sentence is not that of ${stage.state}: ${stage.said.textContent}`);
    for (const node of all("input[type=range], [role=slider]")) {
      const text = node.getAttribute("aria-valuetext"), value = node.closest("label")?.querySelector("b").textContent ?? node.textContent.trim();
      if (!text?.startsWith(value) || /-\d|NaN|undefined/.test(text)) problems.push(`${name(node)} says "${text}" and shows "${value}"`);
    }
    return { moved, problems, spoken: told() };
  };

  // Leave the start: press all buttons but those that play.
  const busy = () => all(".strip .quiet:not([aria-expanded])").filter(seen).toReversed().forEach((node) => node.click());
  // Move every slider but one away from where it is, by about a third of its way.
  const elsewhere = (but) => {
    for (const input of all(".strip input[type=range]")) {
      if (input === but) continue;
      const most = Number(input.max);
      input.value = (Number(input.value) + Math.max(1, Math.round(most * 0.37))) % (most + 1);
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  // --- what was sent and said --------------------------------------------------------------------

  const heard = [], observer = new MutationObserver((records) => heard.push(...records));
  for (const node of all("[role=status], [role=alert], [role=log], [aria-live], output")) observer.observe(node, { childList: true, characterData: true, subtree: true });
  const told = () => {
    heard.push(...observer.takeRecords());
    const count = heard.length;
    heard.length = 0;
    return count;
  };
  const sent = () => Object.values(models).reduce((sum, model) => sum + model.sent.length, 0);

  // --- whether marks are what was computed ---------------------------------------------------------

  const numeric = (value) => (Array.isArray(value) || ArrayBuffer.isView(value)) && value.length > 1 && Array.prototype.every.call(value, (v) => typeof v === "number");
  function* found(value, pick, depth = 0) {
    if (value === null || typeof value !== "object" || depth > 3) return;
    yield* pick(value);
    if (!numeric(value)) for (const key of Object.keys(value).slice(0, 400)) yield* found(value[key], pick, depth + 1);
  }
  function* columns(value) {
    if (numeric(value)) yield Array.from(value);
    else if (Array.isArray(value) && typeof value[0]?.x === "number") for (const key of ["x", "y"]) yield value.map((one) => one[key]);
  }
  function* straight(value) {
    if (typeof value.weight === "number" && typeof value.bias === "number") yield [value.weight, value.bias];
    if (numeric(value) && value.length === 2) yield value;
    if (numeric(value.W) && numeric(value.B)) yield [value.W.at(-1), value.B.at(-1)]; // where a path ends
  }
  // The corners of a path in pixels; of dots the middles of the circles.
  const corners = (d) => {
    if (/[CQZ]/.test(d)) return [];
    const dots = d.includes("a"), pattern = dots ? /M([-\d.]+),([-\d.]+)a([\d.]+)/g : /[ML]([-\d.]+),([-\d.]+)/g;
    return Array.from(d.matchAll(pattern), ([, x, y, r]) => [Number(x) + (dots ? Number(r) : 0), Number(y)]);
  };
  // For each panel the marks whose points are, to half a pixel, numbers that were computed or given:
  // "points" of two arrays of one length, or a "line" of some weight and bias.
  const drawn = () => {
    const { result, given, settings } = stage, lines = [...found({ result, settings }, straight)], lists = [...found({ result, given }, columns)];
    const counted = [...new Set(lists.map((list) => list.length))].flatMap((n) => [0, 1].map((from) => Array.from({ length: n }, (_, i) => i + from)));
    return stage.panels.map((panel) => {
      const { box } = panel, kinds = {};
      const pixels = (scale, low, high) => [...lists, ...counted].map((list) => list.map((v) => Math.min(Math.max(scale(v), low), high)));
      const [xs, ys] = [pixels(panel.x, -5000, 5000), pixels(panel.y, -5000, 5000)], near = (a, b) => Math.abs(a - b) < 0.6;
      const nearY = (a, b) => near(a, b) || (a < box.top && b < box.top) || (a > box.bottom && b > box.bottom); // cut outside of the frame
      const same = (points, X, Y) => points.every(([px, py]) => X.some((x, i) => near(x, px) && nearY(Y[i], py)));
      for (const path of all("path", panel.node)) {
        const points = corners(path.getAttribute("d") ?? "");
        if (points.length < 2 || path.closest(".handle, .hint")) continue;
        const onLine = points.length === 2 && lines.some(([w, b]) => points.every(([px, py]) => near(panel.y(w * panel.x.invert(px) + b), py)));
        const match = !onLine && points.length > 3 && xs.some((X) => X.length >= points.length && X.some((x) => near(x, points[0][0])) && ys.some((Y) => Y.length === X.length && same(points, X, Y)));
        if (onLine || match) kinds[`${onLine ? "line" : "points"} ${path.getAttribute("stroke") ?? path.getAttribute("fill")}`] = points.length;
      }
      return kinds;
    });
  };

  // --- colors -------------------------------------------------------------------------------------

  const rgba = (text) => {
    const [r, g, b, a = 1] = text.match(/-?[\d.]+(e-?\d+)?/g).map(Number);
    return text.startsWith("color") ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
  };
  const over = ([r, g, b, a], ground, opacity = 1) => [r, g, b].map((v, i) => v * a * opacity + ground[i] * (1 - a * opacity));
  const light = (color) => color.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const probe = document.createElement("i");
  const role = (name) => {
    root.append(probe);
    probe.style.color = `var(--${name})`;
    const color = rgba(style(probe).color);
    probe.remove();
    return color;
  };
  const opacity = (node) => (node === root ? 1 : Number(style(node).opacity) * opacity(node.parentNode));

  const faint = () => {
    const ground = role("ground"), [low, high] = [role("low"), role("high")], problems = new Set();
    const plain = ["ground", "rule", "edge", "track", "low", "high", "card", "soft", "new"].map((name) => role(name).join());
    for (const node of all("svg text").filter((node) => seen(node) && node.textContent.trim())) {
      const { fill, stroke, strokeWidth, strokeOpacity, paintOrder } = style(node), panel = stage.panels.find((one) => one.node.contains(node));
      const halo = paintOrder.startsWith("stroke") && stroke !== "none" && parseFloat(strokeWidth) >= 3;
      const grounds = (panel?.filled && halo ? [low, high] : [ground]).map((one) => (halo ? over(rgba(stroke), one, Number(strokeOpacity)) : one));
      const least = Math.min(...grounds.map((one) => contrast(over(rgba(fill), one, opacity(node)), one)));
      if (least < 4.5) problems.add(`text "${node.textContent}" ${least.toFixed(2)}`);
    }
    for (const node of all("figure path, figure line, figure rect, figure circle").filter(seen)) {
      const { fill, stroke, fillOpacity, strokeOpacity } = style(node), { width, height } = node.getBoundingClientRect();
      if (width + height < 2 || node.matches(".rule, .level, .pulse, .grip")) continue;
      const [paint, part] = stroke !== "none" ? [stroke, strokeOpacity] : [fill, fillOpacity], strength = part * opacity(node);
      if (paint === "none" || paint.startsWith("url") || strength < 0.5) continue; // what is faint on purpose tells nothing alone
      const color = rgba(paint);
      if (!color[3] || plain.includes(color.join()) || /--(low|high)/.test(node.getAttribute("fill"))) continue;
      const found = contrast(over(color, ground, strength), ground);
      if (found < 3) problems.add(`mark ${node.getAttribute("stroke") ?? node.getAttribute("fill")} at ${strength} ${found.toFixed(2)}`);
    }
    for (const name of ["hand", "data", "track"]) if (contrast(role(name), ground) < 3) problems.add(`${name} ${contrast(role(name), ground).toFixed(2)}`);
    return [...problems];
  };
  // Let the next Tab be the first.
  const begin = () => { root.tabIndex = -1; root.focus(); root.removeAttribute("tabindex"); };
  // Whether the element under the keys looks so: something of it, or beside it, changes by 3 : 1.
  const ring = () => {
    const node = document.activeElement, parts = [node, node.nextElementSibling, ...all("*", node)].filter(Boolean);
    const looks = () => parts.map((part) => { const { outlineStyle, outlineWidth, outlineColor, stroke, strokeWidth } = style(part); return { outlineStyle, outlineWidth, outlineColor, stroke, strokeWidth }; });
    const on = looks();
    node.blur();
    const off = looks(), ground = role("ground");
    node.focus({ preventScroll: true, focusVisible: true });
    return on.some((now, i) => {
      const outlined = now.outlineStyle !== "none" && parseFloat(now.outlineWidth) >= 2 && off[i].outlineStyle === "none" && contrast(rgba(now.outlineColor), ground) >= 3;
      return outlined || (now.stroke !== off[i].stroke && now.stroke !== "none" && parseFloat(now.strokeWidth) >= 2 && contrast(rgba(now.stroke), ground) >= 3);
    });
  };

  // --- what a hand can take --------------------------------------------------------------------------

  const name = (node) => `${node.getAttribute("role") ?? node.tagName} ${node.getAttribute("aria-label") ?? node.closest("label")?.textContent ?? node.textContent}`.trim();
  const small = () => all("button, select, input, textarea, [tabindex='0'], [role=button], .grip").filter((node) => (seen(node) && !node.matches("[pointer-events=none]")) || node.type === "radio").flatMap((node) => {
    if (node.matches("path.grip")) return parseFloat(style(node).strokeWidth) >= 24 || /a12,12/.test(node.getAttribute("d")) || !node.getAttribute("d") ? [] : ["grip"];
    const target = ["checkbox", "radio"].includes(node.type) ? node.closest("label") : node, { width, height } = target.getBoundingClientRect();
    return width >= 24 && height >= 24 ? [] : [`${name(node)} is ${width.toFixed(1)} x ${height.toFixed(1)}`];
  });
  // Where a mouse takes an element: the middle of it; of a grip a place on its path that is its own.
  const middle = (node) => {
    if (!node.matches("path")) {
      const { left, right, top, bottom } = (node.querySelector(".ring, .ball") ?? node).getBoundingClientRect();
      return [(left + right) / 2, (top + bottom) / 2];
    }
    const { left, top } = node.ownerSVGElement.getBoundingClientRect(), length = node.getTotalLength();
    for (const share of [0.5, 0.4, 0.6, 0.3, 0.7, 0.25, 0.35, 0.45, 0.55, 0.65]) {
      const { x, y } = node.getPointAtLength(share * length), at = [left + x, top + y];
      if (document.elementFromPoint(...at) === node) return at;
    }
    return null;
  };
  const button = (text) => all("button").find((node) => node.textContent === text);
  // Places to drag an element to: corners of its picture; beside it where it is in none.
  const goals = (node) => {
    const panel = stage.panels.find((one) => one.node.contains(node)), [x, y] = middle(node);
    if (!panel) return [[x + 60, y], [x - 60, y]];
    const { left, top } = panel.node.getBoundingClientRect(), { box } = panel;
    return [[0.9, 0.15], [0.12, 0.8]].map(([across, down]) => [left + box.left + across * (box.right - box.left), top + box.top + down * (box.bottom - box.top)]);
  };
  const free = (node) => { const at = middle(node), hit = document.elementFromPoint(...at); return node.contains(hit) || Boolean(hit?.closest(".handle, .grip")); };

  // --- much of it -----------------------------------------------------------------------------------

  // Many events on the first slider, or on the points under the keys; what has to be shown after them.
  const slider = root.querySelector(".strip input[type=range]"), shown = () => slider?.value ?? stage.state;
  const storm = (first, count) => {
    let last;
    for (let k = first; k < first + count; k++) {
      if (slider) {
        last = String((7 * k) % (Number(slider.max) + 1));
        slider.value = last;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      } else {
        const key = k % 3 ? "ArrowUp" : "ArrowDown", handle = root.querySelector(".handle, .formula [role=slider]");
        handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        last = stage.state;
      }
    }
    return last;
  };
  const redraw = (count) => { for (let k = 0; k < count; k++) { storm(k, 1); stage.frame(); } };

  return { host, stage, root, storm, shown, redraw, picture, changes, busy, elsewhere, told, sent, drawn, faint, begin, ring, small, middle, goals, free, button, name, all, seen };
})();
