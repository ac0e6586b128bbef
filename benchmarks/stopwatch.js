// Times a control in the page: from its event to the animation frame that shows the answer.
(() => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  // Frames of the kernels' web sockets, in both directions.
  const frames = { sent: 0, received: 0 };
  window.WebSocket = class extends window.WebSocket {
    constructor(...words) {
      super(...words);
      this.isKernel = String(words[0]).includes("/channels");
      this.addEventListener("message", () => { frames.received += this.isKernel; });
    }
    send(data) {
      frames.sent += this.isKernel;
      super.send(data);
    }
  };

  // What is measured: an explorer, or the outputs of the first cell of a notebook that has none.
  function scopeOf(number) {
    if (number === null) return document.querySelector(".jp-CodeCell .jp-Cell-outputArea");
    const pages = document.querySelectorAll(".explorer-page");
    if (number >= pages.length) throw new Error(`There are ${pages.length} explorers`);
    return pages[number].closest(".widget-vbox");
  }

  // Give the last number of a text the next first digit: 1 to 9 and round again.
  function edit(text) {
    const at = text.value.search(/[0-9][0-9.]*$/);
    const digit = (Number(text.value[at]) % 9) + 1;
    text.value = text.value.slice(0, at) + digit + text.value.slice(at + 1);
    text.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // Return {move, release}: a slider goes to and fro as if dragged, a button is clicked, and the
  // last number of a text is edited.
  function handOn(scope, name) {
    const named = (selector) => [...scope.querySelectorAll(selector)].find((row) =>
      [row, ...row.querySelectorAll("label, .widget-label")].some((node) => node.textContent === name));
    const row = named(".widget-slider, .explorer-slider, .widget-textarea") ?? named("button");
    if (!row) throw new Error(`There is no slider, text or button "${name}"`);
    row.scrollIntoView({ block: "center" });
    const native = row.querySelector("input[type=range]"), handle = row.querySelector(".noUi-handle");
    const text = row.querySelector("textarea");
    if (text) return { move: () => edit(text), release: () => {} };
    if (!native && !handle) return { move: () => row.click(), release: () => {} };
    let up = true;
    const turn = (now, min, max) => { up = now >= max ? false : now <= min ? true : up; };
    if (native) {
      const send = (type) => native.dispatchEvent(new Event(type, { bubbles: true }));
      return {
        move: () => {
          turn(Number(native.value), Number(native.min), Number(native.max));
          up ? native.stepUp() : native.stepDown();
          send("input");
        },
        release: () => send("change"),
      };
    }
    const now = (what) => Number(handle.getAttribute(`aria-value${what}`));
    return {
      move: () => {
        turn(now("now"), now("min"), now("max"));
        const key = up ? "ArrowRight" : "ArrowLeft";
        handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      },
      release: () => {},
    };
  }

  // Notes each animation frame in which the picture, or the sentence below it, is new.
  class Watcher {
    constructor(scope) {
      this.shown = []; // {at: time in ms, kinds: Set of "marks", "told"}
      this.kinds = new Set();
      this.waiting = [];
      this.observer = new MutationObserver((records) => records.forEach((r) => this.see(r)));
      this.observer.observe(scope, {
        subtree: true, childList: true, characterData: true, attributes: true, attributeOldValue: true,
      });
    }

    see({ type, target, attributeName, oldValue, addedNodes }) {
      if (this.kinds.has("marks") && target.ownerSVGElement) return; // a picture is many changes
      const node = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      if (!node || node.closest(".widget-slider, .explorer-slider, .widget-textarea, button")) return; // the control itself
      if (type === "attributes" && node.getAttribute(attributeName) === oldValue) return;
      const images = [...addedNodes].flatMap((added) =>
        added.tagName === "IMG" ? [added] : [...(added.querySelectorAll?.("img") ?? [])]);
      for (const image of images) image.decode().then(() => this.note("image"));
      const page = node.closest(".explorer-page");
      if (!page) this.note("marks");
      else if (page.dataset.state === "error") this.note("error");
      else if (["preview", "shown"].includes(page.dataset.state)) this.note("told");
    }

    note(kind) {
      if (this.kinds.size === 0) {
        requestAnimationFrame(() => {
          this.shown.push({ at: performance.now(), kinds: this.kinds });
          this.kinds = new Set();
          this.waiting.splice(0).forEach((look) => look());
        });
      }
      this.kinds.add(kind);
    }

    // The first frame from number `from` on that is of this kind.
    async next(kind, from, timeout) {
      const late = wait(timeout).then(() => "late");
      for (;;) {
        const seen = this.shown.slice(from);
        if (seen.some((frame) => frame.kinds.has("error"))) throw new Error("The explorer shows an error");
        const found = seen.find((frame) => frame.kinds.has(kind));
        if (found) return found;
        const look = new Promise((done) => this.waiting.push(done));
        if ((await Promise.race([look, late])) === "late") throw new Error(`Nothing drawn in ${timeout} ms`);
      }
    }
  }

  // Every block starts from the explorer's own beginning, whatever other rows have moved.
  async function reset(scope) {
    const buttons = [...scope.querySelectorAll(".explorer-page button")];
    buttons.find((button) => button.textContent === "Reset")?.click();
    await wait(1000);
  }

  // Move, wait for the frame, move again. The first two moves wake the page up and do not count.
  async function moves({ number, control, kind, count }) {
    const scope = scopeOf(number), hand = handOn(scope, control);
    await reset(scope);
    const watcher = new Watcher(scope), result = { first: [], painted: [], frames: 0 };
    for (let i = -2; i < count; i += 1) {
      await wait(20 + ((i + 2) * 7) % 17); // at any phase of the display's 17 ms
      if (i === 0) Object.assign(frames, { sent: 0, received: 0 });
      const from = watcher.shown.length, start = performance.now();
      hand.move();
      const painted = await watcher.next(kind, from, 20000);
      if (i < 0) continue;
      const marks = watcher.shown.slice(from).find(({ kinds }) => kinds.has("marks"));
      result.first.push((kind === "told" && marks ? marks : painted).at - start);
      result.painted.push(painted.at - start);
    }
    result.frames = frames.sent + frames.received;
    watcher.observer.disconnect();
    hand.release();
    return result;
  }

  // Many moves at a fixed pace, whether they are drawn or not; then wait for quiet.
  async function storm({ number, control, kind, count, milliseconds, quiet }) {
    const scope = scopeOf(number), hand = handOn(scope, control);
    await reset(scope);
    const watcher = new Watcher(scope), start = performance.now();
    let last = start;
    for (let i = 0; i < count; i += 1) {
      await wait(start + (i * milliseconds) / count - performance.now());
      last = performance.now();
      hand.move();
    }
    const pictures = () => watcher.shown.filter(({ kinds }) => kinds.has(kind)).map(({ at }) => at);
    while (performance.now() - Math.max(last, ...pictures()) < quiet) await wait(100);
    watcher.observer.disconnect();
    hand.release();
    return { drawn: pictures().length, settled: Math.max(last, ...pictures()) - last, took: last - start };
  }

  // Press Play, count the pictures of a time, and press it again.
  async function play({ number, control, kind, milliseconds, quiet }) {
    const scope = scopeOf(number), button = handOn(scope, control);
    await reset(scope);
    const watcher = new Watcher(scope);
    const pictures = () => watcher.shown.filter(({ kinds }) => kinds.has(kind)).map(({ at }) => at);
    button.move();
    await watcher.next(kind, 0, 20000);
    await wait(1000); // the first pictures come while the marks are made
    const from = performance.now();
    await wait(milliseconds);
    const end = performance.now(), drawn = pictures().filter((at) => at >= from && at < end).length;
    button.move();
    while (performance.now() - Math.max(end, ...pictures()) < quiet) await wait(100);
    watcher.observer.disconnect();
    return { drawn, seconds: (end - from) / 1000, stopped: Math.max(end, ...pictures()) - end };
  }

  window.stopwatch = { moves, storm, play };
})();
