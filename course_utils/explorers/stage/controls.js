// The controls of an explorer are ipywidgets' models, made in Python. The page reads and moves them,
// and tells the kernel only when they rest; any other view of the same widget moves along.
import { fixed, short, whole } from "./numbers.js";

const SELECTIONS = ["Dropdown", "SelectionSlider", "ToggleButtons", "RadioButtons", "Select"];

export class Control {
  #sent; // the value the kernel knows
  #mine; // the value a hand in this page gave last

  constructor(name, model) {
    this.name = name;
    this.model = model;
    this.kind = model.get("_model_name").replace("Model", "");
    this.label = model.get("description") || name;
    this.labels = SELECTIONS.includes(this.kind) ? [...model.get("_options_labels")] : null;
    this.key = this.labels ? "index" : "value";
    this.start = this.value;
    this.#sent = this.#mine = model.get(this.key);
    // The kernel confirms what it was sent, late: that must not undo a newer move of the hand.
    model.on(`change:${this.key}`, () => {
      const now = model.get(this.key);
      if (now === this.#sent && now !== this.#mine && this.#moving) this.#put(this.#mine);
      else this.#mine = now;
    });
  }

  #moving = false; // from a hand's move until it is sent

  #put(raw) {
    this.#mine = raw;
    this.#moving = true;
    this.model.set(this.key, raw);
  }

  get value() {
    const raw = this.model.get(this.key);
    if (!this.labels) return raw;
    const label = this.labels[raw];
    return label !== "" && Number.isFinite(Number(label)) ? Number(label) : label;
  }

  set value(value) {
    this.#put(this.labels ? this.labels.indexOf(String(value)) : value);
  }

  // Sliders have places 0, 1, 2 ... from their least value to their greatest.
  get places() {
    if (this.labels) return this.labels.length - 1;
    const [low, high, step] = ["min", "max", "step"].map((key) => this.model.get(key));
    return Math.round((high - low) / step);
  }

  get place() {
    if (this.labels) return this.model.get("index");
    const { model, value } = this;
    const at = this.kind === "FloatLogSlider" ? Math.log(value) / Math.log(model.get("base")) : value;
    return Math.round((at - model.get("min")) / model.get("step"));
  }

  set place(place) {
    const { model } = this;
    if (this.labels) return this.#put(place);
    const at = Number((model.get("min") + place * model.get("step")).toPrecision(12));
    this.#put(this.kind === "FloatLogSlider" ? model.get("base") ** at : at);
  }

  // Move to the nearest value the control can take.
  moveTo(value) {
    const { model } = this;
    const low = model.get("min"), high = model.get("max");
    const log = this.kind === "FloatLogSlider";
    const at = log ? Math.log(Math.max(value, 1e-300)) / Math.log(model.get("base")) : value;
    const steps = Math.round((Math.min(Math.max(at, low), high) - low) / model.get("step"));
    this.place = steps;
  }

  // Move to a value between the steps, as a hand on a picture does.
  slideTo(value) {
    const [low, high, step] = ["min", "max", "step"].map((key) => this.model.get(key)), fine = step / 50;
    this.#put(Number((Math.round(Math.min(Math.max(value, low), high) / fine) * fine).toPrecision(12)));
  }

  // The value as it is shown and spoken.
  get text() {
    const { value } = this;
    if (typeof value !== "number") return value === true ? "on" : value === false ? "off" : value;
    if (this.labels || this.kind.startsWith("Int")) return whole(value);
    const format = /\.(\d+)(f|g)/.exec(this.model.get("readout_format"));
    return format && format[2] === "f" ? fixed(value, Number(format[1])) : short(value);
  }

  // Take a value from a link; tell whether the control can hold it.
  read(text) {
    if (this.labels) {
      const index = this.labels.indexOf(text);
      if (index >= 0) this.#put(index);
      return index >= 0;
    }
    if (typeof this.value === "boolean") {
      if (text !== "true" && text !== "false") return false;
      this.value = text === "true";
      return true;
    }
    if (typeof this.value === "string") {
      this.value = text;
      return true;
    }
    const number = text.trim() === "" ? NaN : Number(text);
    const log = this.kind === "FloatLogSlider", ends = ["min", "max"].map((key) => this.model.get(key));
    const [low, high] = log ? ends.map((end) => this.model.get("base") ** end) : ends;
    if (!(number >= low - 1e-9 && number <= high + 1e-9)) return false;
    this.value = number;
    return true;
  }

  get written() {
    const { value } = this;
    return typeof value === "number" ? String(Number(value.toPrecision(10))) : String(value);
  }

  // The value as the model keeps it.
  get raw() {
    return this.model.get(this.key);
  }

  // The hand has let go; tell whether the kernel has yet to hear of it.
  rest() {
    const moved = this.raw !== this.#sent;
    this.#moving = false;
    this.#sent = this.raw;
    return moved;
  }

  onChange(listener) {
    this.model.on(`change:${this.key}`, listener);
    return () => this.model.off(`change:${this.key}`, listener);
  }
}
