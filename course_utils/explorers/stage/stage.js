// What all explorers share: controls -> settings -> compute -> draw, one frame a move, in the page.
//
// An explorer is a module that exports {compute, sentence, build}:
//   compute(settings, given, limit)   pure; what is drawn and said. What takes longer than `limit` ms
//                                     returns how far it came with more: true, and is asked again
//   sentence(settings, result, given) one or two sentences, **bold** allowed
//   build(stage)                      makes strip and panels; returns draw(settings, result, proof, extra)
//   *later(settings, given)           optional: what takes longer than a frame; computed at rest in
//                                     slices (it yields between them), then handed to draw as `extra`
// `proof` is what the kernel found for just these settings, `extra` what `later` did; or null.
import { Control } from "./controls.js";
import { Kernel } from "./kernel.js";
import { clamp } from "./numbers.js";
import { Panel, put, svg } from "./panel.js";
import css from "./stage.css";
import style from "../../style.json";

const REST = 150; // ms after the last move until the kernel is asked
const GLIDE = 170; // ms from one state to another
const LIMIT = 6; // ms that a picture has for what it computes
export const PLAY = "M0,0L14,8L0,16Z";
const NO_CODE = "# The kernel writes this code, and there is none: run the cell again.";
const SAID = {
  page: ["", ""],
  runs: ["", "Your code runs \u2026"],
  agrees: ["\u2714 ", "Your code agrees"],
  told: ["", "Not compared"],
  departs: ["\u26a0 ", "Your code departs"],
  error: ["\u2716 ", "Your code stopped"],
};

export function element(parent, tag, properties = {}, attributes = {}) {
  const node = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent?.append(node);
  return node;
}

// Set text in which **words** are bold; nothing is ever read as HTML.
function write(node, text) {
  node.replaceChildren(...text.split("**").map((part, k) =>
    k % 2 ? Object.assign(document.createElement("b"), { textContent: part }) : part));
}

// Do something after what waits already, such as a picture; a timer would wait longer.
const tasks = [];
let channel = null;
function soon(task) {
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => tasks.shift()();
  }
  tasks.push(task);
  channel.port2.postMessage(null);
}

function colors() {
  const vars = (theme) => Object.entries(style[theme]).map(([role, color]) => `--${role}:${color};`).join("");
  const dark = ['[data-jp-theme-light="false"] .explorer', '[data-theme="dark"] .explorer'];
  // Where a reader's own colors are forced, those of data are the ones for that ground (stage.css).
  const forced = ["light", "dark"].map((theme) => `@media (forced-colors:active) and (prefers-color-scheme:${theme}){.explorer.explorer{${vars(theme)}}}`);
  return `.explorer{${vars("light")}font-family:${style.font}}${dark.join()}{${vars("dark")}color-scheme:dark}${forced.join("")}`;
}

// Keys are ours, or arrows would walk through the notebook; those with Ctrl or Cmd are not.
// JupyterLab asks what has the focus for this attribute, before any event gets here.
function keep(event) {
  const ours = !event.ctrlKey && !event.metaKey;
  event.target.toggleAttribute("data-lm-suppress-shortcuts", ours);
  if (ours && event.type.startsWith("key")) event.stopPropagation();
}

export class Stage {
  #model;
  #queued = 0;
  #soon = false; // a picture comes at the end of this task
  #drawn = false; // there is a picture for the coming frame
  #timer = 0;
  #slice = 0;
  #slicing = null; // the state that `later` works for
  #extra = { of: null, value: null };
  #glide = null; // {from, to, began} while the picture glides from one state to another
  #undo = [];
  #draw;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(el, model, controls, explorer) {
    this.#model = model;
    this.explorer = explorer;
    this.controls = controls;
    this.given = model.get("given");
    this.panels = [];
    this.touched = false; // whether a hand has moved anything yet
    this.playing = false;
    this.kernel = new Kernel(model, Object.values(controls)[0].model, () => this.ask());
    this.root = element(el, "div", { className: "explorer" }, { "data-script": model.get("explorer") });
    element(this.root, "style", { textContent: colors() + css });
    for (const type of ["focusin", "keydown", "keyup"]) this.root.addEventListener(type, keep);
    this.strip = element(this.root, "div", { className: "strip" });
    this.stages = element(this.root, "div", { className: "panels" });
    const foot = element(this.root, "div", { className: "foot" });
    this.said = element(foot, "p", { className: "said" });
    this.spoken = element(foot, "p", { className: "spoken" }, { role: "status" });
    const row = element(foot, "div", { className: "row" });
    this.stopButton = this.#small(row, "Stop", () => this.kernel.send({ stop: true }));
    this.stopButton.hidden = true;
    this.#small(row, "Reset", () => this.reset());
    this.host = model.widget_manager.host; // the web edition, which keeps the state in the address
    if (this.host) this.#small(row, "Copy link", () => this.host.copy(this));
    this.#small(row, "As PyTorch code", () => this.#toggleCode());
    this.code = element(this.root, "pre", { hidden: true, tabIndex: 0 }, { "aria-label": "PyTorch code of this state" });
    this.#draw = explorer.build(this);
    this.#presets(Object.entries(this.given.presets ?? {}));
    for (const control of Object.values(controls)) this.#undo.push(control.onChange(() => this.changed()));
    this.#listen("proof", () => { this.kernel.answers(); this.ask(); });
    this.#listen("code", () => { this.code.textContent = model.get("code"); });
    this.#listen("given", () => { this.given = model.get("given"); this.ask(); });
    const observer = new ResizeObserver(() => this.ask(true));
    observer.observe(this.root);
    for (const panel of this.panels) observer.observe(panel.node);
    this.#undo.push(() => observer.disconnect());
    this.ask(true);
  }

  #listen(trait, listener) {
    this.#model.on(`change:${trait}`, listener);
    this.#undo.push(() => this.#model.off(`change:${trait}`, listener));
  }

  close() {
    cancelAnimationFrame(this.#queued);
    this.#soon = false;
    for (const timer of [this.#timer, this.#slice]) clearTimeout(timer);
    this.#slicing = null;
    this.kernel.close();
    for (const undo of this.#undo) undo();
  }

  #small(row, text, click) {
    return element(row, "button", { type: "button", className: "quiet", textContent: text, onclick: click });
  }

  // --- the strip ------------------------------------------------------------------------------

  button(text, click, { main = false, icon = null } = {}) {
    const node = element(this.strip, "button", { type: "button", className: main ? "go" : "quiet", onclick: click });
    if (icon) {
      const picture = svg(node, "svg", { width: 14, height: 16, "aria-hidden": true });
      svg(picture, "path", { d: icon });
    }
    element(node, "span", { textContent: text });
    return node;
  }

  // A slider with its label above and its value at the right.
  slider(name, { label, width = 120 } = {}) {
    const control = this.controls[name];
    const box = element(this.strip, "label", { className: "control" });
    box.style.width = `${width}px`;
    const head = element(box, "span", { textContent: label ?? control.label });
    const value = element(head, "b");
    const input = element(box, "input", { type: "range", min: 0, max: control.places, step: 1 }, { "aria-label": label ?? control.label });
    input.addEventListener("input", () => { this.touch(); control.place = Number(input.value); });
    this.#follow(control, () => {
      input.value = control.place;
      value.textContent = control.text;
      input.setAttribute("aria-valuetext", control.text);
    });
    return input;
  }

  // A few values side by side, as radio buttons; `words` are those for off and on.
  choice(name, { label, words } = {}) {
    const control = this.controls[name], group = `${name}-${Math.random().toString(36).slice(2)}`;
    const box = element(this.strip, "fieldset", { className: "control choice" });
    element(box, "legend", { textContent: label ?? control.label });
    const row = element(box, "div");
    const inputs = (words ?? control.labels).map((text, index) => {
      const one = element(row, "label");
      const input = element(one, "input", { type: "radio", name: group, value: index });
      element(one, "span", { textContent: text });
      input.addEventListener("change", () => {
        this.touch();
        if (words) control.value = index === 1;
        else control.place = index;
      });
      return input;
    });
    this.#follow(control, () => inputs.forEach((input, index) => { input.checked = index === (words ? Number(control.value) : control.place); }));
  }

  // One of some words in a list that opens.
  select(name, { label } = {}) {
    const control = this.controls[name];
    const box = element(this.strip, "label", { className: "control" });
    element(box, "span", { textContent: label ?? control.label });
    const list = element(box, "select");
    control.labels.forEach((text, index) => element(list, "option", { textContent: text, value: index }));
    list.addEventListener("change", () => { this.touch(); control.place = Number(list.value); });
    this.#follow(control, () => { list.value = control.place; });
  }

  toggle(name, { label } = {}) {
    const control = this.controls[name];
    const box = element(this.strip, "label", { className: "toggle" });
    const input = element(box, "input", { type: "checkbox" });
    element(box, "span", { textContent: label ?? control.label });
    input.addEventListener("change", () => { this.touch(); control.value = input.checked; });
    this.#follow(control, () => { input.checked = control.value; });
  }

  // A round button that calls `frame(seconds)` for each picture until it returns false or is
  // pressed again. Nothing is announced and the kernel is not asked while it plays.
  play(label, frame, { begin = () => {} } = {}) {
    const node = element(this.strip, "button", { type: "button", className: "play", title: label }, { "aria-label": label });
    const icon = svg(node, "svg", { width: 14, height: 16, "aria-hidden": true }), path = svg(icon, "path");
    const show = () => {
      path.setAttribute("d", this.playing ? "M1,0H5V16H1ZM9,0H13V16H9Z" : PLAY);
      node.setAttribute("aria-pressed", this.playing);
    };
    const stop = () => { this.playing = false; show(); this.changed(); };
    this.stop = stop;
    node.addEventListener("click", () => {
      if (this.playing) return stop();
      this.touch();
      begin();
      this.playing = true;
      show();
      let last = performance.now();
      const next = (now) => {
        if (!this.playing) return;
        const more = frame((now - last) / 1000);
        last = now;
        this.frame();
        if (more === false) stop();
        else requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
    });
    show();
    return node;
  }

  // States worth seeing, named in Python: a button each, below the word "try".
  #presets(states) {
    if (states.length) this.more(() => {
      const box = element(this.strip, "div", { className: "control presets" }, { role: "group", "aria-label": "try" });
      element(box, "span", { textContent: "try" });
      const row = element(box, "div");
      for (const [name, values] of states) this.#small(row, name, () => { this.stop?.(); this.touch(); this.set(values); });
    });
  }

  // y = weight x + bias in large figures, which are sliders of their own.
  formula(parts) {
    const box = element(this.strip, "div", { className: "formula" });
    for (const part of parts) {
      const cell = element(box, "span");
      if (typeof part === "string") element(cell, "span", { textContent: part });
      else if (part.note && !part.name) {
        element(cell, "span", { textContent: part.text });
        element(cell, "small", { textContent: part.note });
      } else this.#number(cell, part);
    }
  }

  #number(cell, { name, label, note }) {
    const control = this.controls[name];
    const node = element(cell, "b", { tabIndex: 0 }, { role: "slider", "aria-label": label });
    element(cell, "small", { textContent: note });
    const shift = (steps) => { this.touch(); control.place = clamp(control.place + steps, 0, control.places); };
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      node.focus();
      node.setPointerCapture(event.pointerId);
      const from = event.clientX, place = control.place;
      const move = (next) => { this.touch(); control.place = clamp(place + Math.round((next.clientX - from) / 3), 0, control.places); };
      node.addEventListener("pointermove", move);
      for (const end of ["pointerup", "pointercancel"])
        node.addEventListener(end, () => node.removeEventListener("pointermove", move), { once: true });
    });
    node.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10, Home: -1e9, End: 1e9 }[event.key];
      if (!steps) return;
      event.preventDefault();
      shift(steps);
    });
    this.#follow(control, () => {
      node.textContent = control.text;
      put(node, { "aria-valuemin": 0, "aria-valuemax": control.places, "aria-valuenow": control.place, "aria-valuetext": `${control.text} ${note}` });
    });
  }

  // Large figures at the right with words below; returns a function for each that sets both.
  numbers(count) {
    const box = this.extra("numbers");
    return Array.from({ length: count }, () => {
      const cell = element(box, "span"), value = element(cell, "b"), words = element(cell, "small");
      return (text, below, role = "ink") => {
        value.textContent = text;
        words.textContent = below;
        value.style.color = `var(--${role})`;
      };
    });
  }

  // On a narrow page what comes next in the strip begins a row.
  newRow() {
    this.extra("break");
  }

  // What is rarely moved: on a phone it is folded behind a button.
  more(build) {
    const first = this.strip.children.length;
    build();
    for (const node of [...this.strip.children].slice(first)) node.classList.add("rare");
    if (this.strip.querySelector(":scope > .more")) return;
    const fold = this.button("More", () => {
      const open = this.strip.classList.toggle("open");
      fold.setAttribute("aria-expanded", open);
      fold.lastChild.textContent = open ? "Less" : "More";
    });
    fold.classList.add("more");
    fold.setAttribute("aria-expanded", false);
  }

  // Anything of the explorer's own; returns its box.
  extra(className) {
    return element(this.strip, "div", { className });
  }

  #follow(control, update) {
    update();
    this.#undo.push(control.onChange(update));
  }

  // --- panels ---------------------------------------------------------------------------------

  column(share = 1) {
    const node = element(this.stages, "div", { className: "column" });
    node.style.setProperty("--share", share);
    return node;
  }

  panel(column, options) {
    const panel = new Panel(column, options);
    this.panels.push(panel);
    return panel;
  }

  // --- from a move to a picture -----------------------------------------------------------------

  get settings() {
    return Object.fromEntries(Object.entries(this.controls).map(([name, control]) => [name, control.value]));
  }

  get state() {
    return Object.values(this.controls).map((c) => `${c.name}=${encodeURIComponent(c.written)}`).join("&");
  }

  // A hand has moved something: hints on the picture have done their work.
  touch() {
    this.touched = true;
    this.root.classList.add("touched");
    this.#glide = null;
  }

  // Move controls to values, in one picture; numbers glide there.
  set(values, { glide = true } = {}) {
    const from = this.settings;
    for (const [name, value] of Object.entries(values)) this.controls[name].value = value;
    if (glide && !this.#calm.matches) this.#glide = { from, began: performance.now() };
    this.ask();
  }

  reset() {
    this.stop?.();
    this.touched = false;
    this.root.classList.remove("touched");
    this.explorer.reset?.(this);
    this.set(Object.fromEntries(Object.values(this.controls).map((control) => [control.name, control.start])));
  }

  // Take a state from a link; returns the names of what it cannot take.
  go(text) {
    const refused = [];
    for (const [name, value] of new URLSearchParams(text))
      if (!Object.hasOwn(this.controls, name) || !this.controls[name].read(value)) refused.push(name);
    this.ask();
    return refused;
  }

  changed() {
    this.ask();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#rest(), REST);
  }

  // A picture comes once all that changes now has changed: at once, or in the frame after if there
  // is one already for the coming frame.
  ask(resized = false) {
    this.resized ||= resized;
    if (this.#queued || this.#soon) return;
    if (this.#drawn) this.#queued = requestAnimationFrame(() => this.frame());
    else {
      this.#soon = true;
      queueMicrotask(() => { if (this.#soon) this.frame(); });
    }
  }

  frame() {
    cancelAnimationFrame(this.#queued); // one picture a frame, whoever asks
    this.#queued = 0;
    this.#soon = false;
    if (!this.#drawn) requestAnimationFrame(() => { this.#drawn = false; });
    this.#drawn = true;
    if (this.resized) {
      this.resized = false;
      if (!this.panels.map((panel) => panel.resize()).every(Boolean)) return;
    }
    const to = this.settings;
    const result = (this.result = this.explorer.compute(to, this.given, LIMIT));
    const proof = this.proof;
    if (this.explorer.later && ![this.#extra.of, this.#slicing].includes(this.state) && !this.playing) this.#begin(to);
    const extra = this.#extra.of === this.state ? this.#extra.value : null;
    this.#draw(this.#glided(to), result, proof, extra);
    write(this.said, this.explorer.sentence(to, result, this.given));
    this.#tell(proof);
    this.root.dataset.frames = Number(this.root.dataset.frames ?? 0) + 1;
    if (this.#glide) this.ask();
    if (result.more && !this.playing) this.changed();
  }

  #begin(settings) {
    clearTimeout(this.#slice);
    const of = (this.#slicing = this.state), work = this.explorer.later(settings, this.given);
    const slice = () => {
      if (this.#slicing !== of || this.state !== of) return;
      const began = performance.now();
      for (;;) {
        const { done, value } = work.next();
        if (done) { this.#extra = { of, value }; return value && this.ask(); }
        if (performance.now() - began > 8) break;
      }
      soon(slice);
    };
    this.#slice = setTimeout(slice, 30);
  }

  // The settings as they are drawn now: on their way if the picture glides.
  #glided(to) {
    if (!this.#glide) return to;
    const share = clamp((performance.now() - this.#glide.began) / GLIDE, 0, 1);
    if (share === 1) this.#glide = null;
    const eased = share * (2 - share), { from } = this.#glide ?? { from: to };
    const between = (a, b) => (typeof b === "number" ? a + eased * (b - a) : b);
    return Object.fromEntries(Object.entries(to).map(([name, value]) => [name, between(from[name], value)]));
  }

  #rest() {
    if (this.playing) return;
    const proves = this.#model.get("proves"), { state } = this, coded = !this.code.hidden;
    const moved = Object.values(this.controls).filter((control) => control.rest()).length > 0;
    if (moved || proves) this.#send({ ...(proves && { prove: state }), ...(coded && { code: true }) });
    this.#announce();
    if (this.touched) this.host?.rests(this);
  }

  // One message with all that the kernel needs, also if it could not take earlier ones.
  #send(wish) {
    const values = Object.fromEntries(Object.values(this.controls).map((control) => [control.name, control.raw]));
    this.kernel.send({ values, ...wish }, { answered: "prove" in wish });
    if (wish.code && !this.kernel.alive) this.code.textContent = NO_CODE;
  }

  // One announcement, once a move rests.
  #announce() {
    this.spoken.textContent = this.said.textContent;
  }

  // --- what the kernel says ----------------------------------------------------------------------

  // A verdict holds for the settings it was given for, and is not shown for others.
  get proof() {
    const proof = this.#model.get("proof");
    if (proof?.of === undefined || !this.#isState(proof.of)) return null;
    return proof.kind === "runs" && !this.kernel.alive ? null : proof;
  }

  #isState(text) {
    const values = new URLSearchParams(text);
    return Object.values(this.controls).every((control) => {
      const there = values.get(control.name), here = control.written;
      return there === here || Math.abs(Number(there) - Number(here)) <= 1e-9 * Math.abs(Number(here));
    });
  }

  #tell(proof) {
    const proves = this.#model.get("proves"), kind = !proves ? "none" : proof ? proof.kind : "page";
    const changed = this.root.dataset.proof !== kind;
    this.root.dataset.proof = kind;
    if (kind !== "runs" && this.stopButton.matches(":focus")) this.stopButton.nextElementSibling.focus();
    this.stopButton.hidden = kind !== "runs";
    if (!proves) return;
    const [mark, words] = SAID[kind];
    if (words) this.said.append(` ${mark}${words}${proof?.text ? `: ${proof.text}` : kind === "runs" ? "" : "."}`);
    this.said.append(" ");
    if (kind === "page" && this.kernel.words) element(this.said, "small", { textContent: this.kernel.words });
    if (changed && proof && kind !== "runs") this.#announce();
  }

  #toggleCode() {
    this.code.hidden = !this.code.hidden;
    if (!this.code.hidden) this.#send({ code: true });
  }
}

export async function render({ model, el }, explorers) {
  const explorer = explorers[model.get("explorer")];
  const controls = {};
  for (const [name, reference] of Object.entries(model.get("controls")))
    controls[name] = new Control(name, await model.widget_manager.get_model(reference.replace("IPY_MODEL_", "")));
  const stage = new Stage(el, model, controls, explorer);
  el.stage = stage; // for the tests, which ask what was computed
  return () => stage.close();
}

