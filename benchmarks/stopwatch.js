// Times in the page: from a move of a control until the frame with the answer is painted.
(() => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const PATIENCE = 20000; // ms until nothing is waited for any more
  let phase = 0; // of the display's 17 ms, at which a move comes; the next one has another
  const QUIET = 500; // ms without pictures and messages: a move and all that it began are over

  // Messages on the kernels' web sockets, in both directions.
  const messages = { count: 0, last: 0 };
  const heard = () => { messages.count += 1; messages.last = performance.now(); };
  window.WebSocket = class extends window.WebSocket {
    constructor(...words) {
      super(...words);
      this.isKernel = String(words[0]).includes("/channels");
      this.addEventListener("message", () => { if (this.isKernel) heard(); });
    }
    send(data) {
      if (this.isKernel) heard();
      super.send(data);
    }
  };

  // An explorer by the name of its module; without one, the outputs of the first cell of a rival.
  function scopeOf(script) {
    if (script === null) return document.querySelector(".jp-CodeCell .jp-Cell-outputArea");
    const root = [...document.querySelectorAll(".explorer")].find((one) => one.dataset.script === script);
    if (!root) throw new Error(`There is no explorer "${script}"`);
    return root;
  }

  const stageOf = (scope) => scope.parentNode.stage; // a rival has none

  // --- hands: what a learner can move, each as {name, move}; a move goes on, to and fro ----------

  const send = (node, type) => node.dispatchEvent(new Event(type, { bubbles: true }));
  const press = (node, key) =>
    node.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

  function range(input) {
    let up = true;
    return () => {
      const now = Number(input.value);
      up = now >= Number(input.max) ? false : now <= Number(input.min) ? true : up;
      up ? input.stepUp() : input.stepDown();
      send(input, "input");
    };
  }

  // A number of the formula and ipywidgets' slider tell their ends, and go from one to the other.
  function number(node) {
    let up = true;
    return () => {
      const [now, low, high] = ["now", "min", "max"].map((what) => Number(node.getAttribute(`aria-value${what}`)));
      up = now >= high ? false : now <= low ? true : up;
      press(node, up ? "ArrowRight" : "ArrowLeft");
    };
  }

  // A handle on a picture goes along both axes, for some take only one of them, and back.
  function handle(node) {
    let up = false;
    if ("none" in node.dataset) press(node, "PageDown"); // of points, one is chosen first
    return () => {
      up = !up;
      for (const key of up ? ["ArrowUp", "ArrowRight"] : ["ArrowDown", "ArrowLeft"]) press(node, key);
    };
  }

  function next(list) {
    return () => {
      list.selectedIndex = (list.selectedIndex + 1) % list.options.length;
      send(list, "change");
    };
  }

  function radio(inputs) {
    return () => inputs[(inputs.findIndex((one) => one.checked) + 1) % inputs.length].click();
  }

  function handsOf(scope) {
    const slider = scope.querySelector(".widget-slider .noUi-handle");
    if (slider) return [{ name: "slider", move: number(slider) }];
    const hands = [], all = (selector) => [...scope.querySelectorAll(selector)];
    const add = (name, move) => hands.push({ name, move });
    const seen = (node) => node.getClientRects().length > 0;
    for (const input of all(".strip input[type=range]").filter(seen)) add(input.ariaLabel, range(input));
    for (const list of all(".strip select").filter(seen)) add(list.previousSibling.textContent, next(list));
    for (const box of all(".strip input[type=checkbox]").filter(seen)) add(box.nextSibling.textContent, () => box.click());
    for (const group of all(".strip .choice").filter(seen))
      add(group.firstChild.textContent, radio([...group.querySelectorAll("input")]));
    for (const part of all(".formula [role=slider]").filter(seen)) add(part.ariaLabel, number(part));
    for (const ring of all(".panels .handle").filter(seen)) add(ring.ariaLabel, handle(ring));
    return hands;
  }

  // --- pictures: when frames with something new were painted -------------------------------------

  // A message is handled after the frame in which it is sent has been laid out and painted.
  const painted = (then) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => then(performance.now());
    channel.port2.postMessage(null);
  };
  let inFrame = false; // from the first of a frame's callbacks until it is painted
  const request = window.requestAnimationFrame;
  window.requestAnimationFrame = (callback) => request((now) => {
    if (!inFrame) painted(() => { inFrame = false; });
    inFrame = true;
    callback(now);
  });
  // What has changed is in this frame, if its callbacks run, or in the next.
  const nextFrame = (then) => (inFrame ? then() : requestAnimationFrame(then));

  class Watcher {
    #observer;
    #waiting = [];
    #queued = false;

    constructor(scope, kind) {
      this.pictures = [];
      this.#observer = new MutationObserver((records) => {
        if (kind === "image") this.#images(records);
        else if (kind === "explorer" || records.some((record) => !this.#isControl(record.target))) this.#see(stageOf(scope));
      });
      this.#observer.observe(scope, kind === "explorer" ? { attributeFilter: ["data-frames"] }
        : { subtree: true, childList: true, characterData: true, attributes: true });
    }

    #isControl(target) {
      const node = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      return Boolean(node?.closest(".widget-slider"));
    }

    #images(records) {
      for (const { addedNodes } of records) for (const added of addedNodes)
        for (const image of added.tagName === "IMG" ? [added] : added.querySelectorAll?.("img") ?? [])
          image.decode().then(() => this.#see());
    }

    // However much has changed, a frame is one picture.
    #see(stage) {
      if (this.#queued) return;
      this.#queued = true;
      nextFrame(() => {
        const at = performance.now(), epoch = stage?.result?.epoch;
        painted((end) => {
          this.#queued = false;
          this.pictures.push({ at, end, epoch });
          this.#waiting.splice(0).forEach((look) => look());
        });
      });
    }

    // The first picture from number `from` on.
    async next(from) {
      const late = wait(PATIENCE).then(() => "late");
      while (this.pictures.length <= from) {
        const look = new Promise((done) => this.#waiting.push(done));
        if ((await Promise.race([look, late])) === "late") throw new Error(`Nothing drawn in ${PATIENCE} ms`);
      }
      return this.pictures[from];
    }

    async quiet() {
      const began = performance.now();
      const last = () => Math.max(began, messages.last, this.pictures.at(-1)?.at ?? 0);
      while (performance.now() - last() < QUIET && performance.now() - began < PATIENCE) await wait(50);
    }

    close() {
      this.#observer.disconnect();
    }
  }

  // Bring a view to its beginning and into sight, and let what that asks of the kernel end.
  async function begun({ script, kind }) {
    const scope = scopeOf(script), watcher = new Watcher(scope, kind);
    scope.scrollIntoView({ block: "center" });
    const buttons = [...scope.querySelectorAll(".foot button")];
    buttons.find((button) => button.textContent === "Reset")?.click();
    await watcher.quiet();
    return { scope, watcher };
  }

  // --- what can be asked ----------------------------------------------------------------------------

  // Move, wait for the picture, move again: by the name of the control the milliseconds of `count`
  // moves until the frame with the answer, and until it is laid out and painted. The first two moves wake the page up and do not count.
  async function moves({ count, ...view }) {
    const { scope, watcher } = await begun(view), result = {};
    for (const { name, move } of handsOf(scope)) {
      const times = (result[name] = []);
      for (let i = -2; i < count; i += 1) {
        await wait(20 + (phase = (phase + 7) % 17));
        const from = watcher.pictures.length, start = performance.now();
        move();
        const { at, end } = await watcher.next(from);
        if (i >= 0) times.push([at - start, end - start]);
      }
    }
    watcher.close();
    return result;
  }

  // Many moves of one control at a fixed pace, whether they are drawn or not; the pictures until 150
  // ms after the last, and the messages while it lasts.
  async function storm({ control, count, milliseconds, ...view }) {
    const { scope, watcher } = await begun(view);
    const { move } = handsOf(scope).find(({ name }) => name === control);
    const start = performance.now(), from = watcher.pictures.length, before = messages.count;
    let last = start;
    for (let i = 0; i < count; i += 1) {
      await wait(start + (i * milliseconds) / count - performance.now());
      last = performance.now();
      move();
    }
    const sent = messages.count - before;
    await wait(150);
    await watcher.quiet();
    watcher.close();
    return { drawn: watcher.pictures.slice(from).filter(({ at }) => at < last + 150).length, messages: sent };
  }

  // A move of each control alone: how long after its picture the last part of it is painted.
  async function follows(view) {
    const { scope, watcher } = await begun(view), result = {};
    for (const { name, move } of handsOf(scope)) {
      const from = watcher.pictures.length;
      move();
      const { at: first } = await watcher.next(from);
      await watcher.quiet();
      result[name] = watcher.pictures.at(-1).at - first;
    }
    watcher.close();
    return result;
  }

  // Press Play, count the pictures of a time, and press it again: when the last epoch is painted.
  async function play({ settings, milliseconds, ...view }) {
    const { scope, watcher } = await begun(view), { controls } = stageOf(scope), button = scope.querySelector(".play");
    for (const [name, value] of Object.entries(settings)) controls[name].value = value;
    await watcher.quiet();
    button.click();
    await wait(1000); // the first pictures come while the marks are made
    const from = performance.now();
    await wait(milliseconds);
    const end = performance.now(), drawn = watcher.pictures.filter(({ at }) => at >= from && at < end).length;
    const number = watcher.pictures.length;
    button.click();
    await watcher.next(number);
    await watcher.quiet();
    watcher.close();
    const { pictures } = watcher;
    const last = pictures.findLastIndex(({ epoch }, i) => i === number || (i > number && epoch !== pictures[i - 1].epoch));
    return { rate: (1000 * drawn) / (end - from), stopped: pictures[last].at - end, epoch: pictures.at(-1).epoch };
  }

  // Run a cell that shows an explorer: from its start in the kernel to the first picture.
  async function first({ cell }) {
    const panel = jupyterapp.shell.currentWidget, { node } = panel.content.widgets[cell];
    const old = node.querySelector(".explorer");
    let start = 0;
    panel.sessionContext.iopubMessage.connect((_, { header }) => {
      if (header.msg_type === "execute_input") start ||= performance.now();
    });
    node.scrollIntoView({ block: "center" });
    panel.content.activeCellIndex = cell;
    const there = new Promise((done) => {
      new MutationObserver((_, observer) => {
        const root = node.querySelector(".explorer[data-frames]");
        if (!root || root === old) return;
        observer.disconnect();
        painted(done);
      }).observe(node, { subtree: true, childList: true, attributeFilter: ["data-frames"] });
    });
    jupyterapp.commands.execute("notebook:run-cell");
    const at = await Promise.race([there, wait(PATIENCE)]);
    if (!at) throw new Error(`No explorer in ${PATIENCE} ms`);
    return at - start;
  }

  // The first cell that shows an explorer, and a new kernel for it in which the cells above have run.
  async function fresh() {
    const { content } = jupyterapp.shell.currentWidget;
    const cell = content.widgets.findIndex(({ node }) => node.querySelector(".explorer"));
    content.deselectAll();
    content.activeCellIndex = cell - 1;
    window.course = { done: false };
    jupyterapp.commands.execute("notebook:restart-and-run-to-selected").finally(() => { window.course.done = true; });
    return cell;
  }

  // How high controls, pictures and sentence are together.
  function height({ script }) {
    const root = scopeOf(script), { top } = root.getBoundingClientRect();
    return root.querySelector(".said").getBoundingClientRect().bottom - top;
  }

  // What a page without a kernel needs to show the same explorer.
  function state({ script }) {
    const root = scopeOf(script), stage = stageOf(root);
    const plain = (value) => value === null || typeof value !== "object" || (Array.isArray(value) && value.every(plain));
    const controls = Object.entries(stage.controls).map(([name, { model }]) =>
      [name, Object.fromEntries(Object.entries(model.attributes).filter(([, value]) => plain(value)))]);
    return { given: stage.given, controls: Object.fromEntries(controls), proves: root.dataset.proof !== "none" };
  }

  window.stopwatch = { moves, storm, follows, play, fresh, first, height, state };
})();
