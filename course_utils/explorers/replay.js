// Sliders of an explorer, and marks that follow them without the kernel. Everything is set as text,
// never as HTML.
const REST_MS = 200; // after the last move, when the kernel hears of it
const PLAY_MS = 100; // from one place of the epochs' slider to the next
const THUMB = 16; // the handle's width in pixels: its center never reaches the ends
const WIDTH = 200;

function element(tag, parent, properties = {}) {
  const node = Object.assign(document.createElement(tag), properties);
  parent.append(node);
  return node;
}

// As Python's charts.as_text writes it, so that the sentence does not change when the slider rests.
export function asText(number, digits = 4, decimals = null) {
  if (number === 0 && decimals === null) return "0";
  if (decimals !== null && Math.abs(number) < 1e5) {
    const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    return (Number(number.toFixed(decimals)) || 0).toLocaleString("en-US", options);
  }
  const [mantissa, power] = number.toExponential(digits - 1).split("e");
  const rounded = Number(`${mantissa}e${power}`);
  if (Math.abs(rounded) < 1e-6 || Math.abs(rounded) >= 1e6) return `${Number(mantissa)}e${Number(power)}`;
  if (Math.abs(rounded) >= 1000) return number.toLocaleString("en-US", { maximumFractionDigits: 0 });
  return String(rounded);
}

const LEAST = 1e-6; // smaller losses are told as being so
const lossText = (loss) => (loss > 0 && loss < LEAST ? `less than ${asText(LEAST)}` : asText(loss));
const counted = (n, thing) => `${n.toLocaleString("en-US")} ${thing}${n === 1 ? "" : "s"}`;

// Let the kernel hear of a slider once it has rested.
function resting(slider) {
  let timer = null;
  return {
    cancel: () => clearTimeout(timer),
    after: (milliseconds) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        slider.set("held", false);
        slider.save_changes();
      }, milliseconds);
    },
  };
}

function renderSlider(model, el) {
  el.classList.add("explorer-slider");
  el.addEventListener("keydown", (event) => event.stopPropagation());
  const id = `explorer-slider-${Math.random().toString(36).slice(2)}`;
  const options = model.get("options");
  element("label", el, { textContent: model.get("description"), htmlFor: id });
  const input = element("input", el, { id, type: "range", min: 0, max: options.length - 1, step: 1 });
  const shown = element("output", el);
  const tick = element("span", el, { className: "explorer-mark", textContent: model.get("mark_label") });
  const place = () => {
    const mark = model.get("mark");
    tick.style.visibility = mark === null ? "hidden" : "visible"; // its room stays
    tick.hidden = model.get("mark_label") === "";
    if (mark === null) return;
    const above = Math.max(options.findIndex((option) => option >= mark), 1);
    const part = (mark - options[above - 1]) / (options[above] - options[above - 1]);
    tick.style.marginLeft = `${THUMB / 2 + ((above - 1 + part) / (options.length - 1)) * (WIDTH - THUMB)}px`;
  };
  const update = () => {
    const at = options.indexOf(model.get("value"));
    if (Number(input.value) !== at) input.value = at;
    shown.textContent = asText(model.get("value"));
    input.setAttribute("aria-valuetext", shown.textContent);
  };
  const rest = resting(model);
  input.addEventListener("input", () => {
    rest.cancel();
    model.set({ value: options[Number(input.value)], held: true });
  });
  input.addEventListener("change", () => rest.after(REST_MS));
  model.on("change:value", update);
  model.on("change:mark", place);
  update();
  place();
  return () => {
    model.off("change:value", update);
    model.off("change:mark", place);
  };
}

const unpacked = new WeakMap(); // from a history to its numbers

// What the marks show for one learning rate (its place among the options) and number of epochs, or
// nothing where the page does not know that run; without the sweep over the rates if that is `swept`
// already. Python's TrainingExplorer.draw shows the same.
export function picture(history, rates, rate, place, swept = false) {
  const { points, ends, table, line, frame } = history;
  if (!table || place >= ends.length || rate < 0 || place < 0) return null;
  if (!unpacked.has(history)) { // a copy, because numbers of 8 bytes have to be aligned
    const { buffer, byteOffset, byteLength } = table;
    unpacked.set(history, new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength)));
  }
  const numbers = unpacked.get(history);
  const column = (r, name) => numbers.subarray(points * (1 + 4 * r + name), points * (2 + 4 * r + name));
  const [weight, bias, train, val] = [0, 1, 2, 3].map((name) => column(rate, name));
  const finite = (i) => Number.isFinite(train[i]) && Number.isFinite(val[i]);
  const wanted = ends[place] + 1;
  let count = 0;
  while (count < wanted && finite(count)) count += 1;
  const clip = (loss) => (loss < frame[1] ? Math.max(loss, frame[0]) : frame[1]);
  const near = (parameter) => Math.min(Math.max(parameter, -1e9), 1e9);
  const last = count - 1;
  const [w, b] = [near(weight[last]), near(bias[last])];
  const passed = numbers.slice(1, count);
  const sweep = () => Float64Array.from(rates, (_, r) => clip(column(r, 2)[ends[place]]));
  return {
    marks: [
      { y: Float64Array.from(line, (x) => w * x + b) },
      { x: passed, y: train.slice(1, count).map(clip) },
      { x: passed, y: val.slice(1, count).map(clip) },
      { x: weight.slice(0, count).map(near), y: bias.slice(0, count).map(near) },
      { x: Float64Array.of(w), y: Float64Array.of(b) },
      swept ? null : { y: sweep() },
      { x: Float64Array.of(rates[rate]), y: Float64Array.of(clip(train[last])) },
    ],
    overflowed: count < wanted,
    passed: numbers[last], weight: weight[last], bias: bias[last],
    train: train[last], val: val[last], start: train[0],
  };
}

function sentence(history, lr, epochs, run) {
  const { limit } = history; // of the learning rate, where there is one
  const said = `${history.said}, lr ${asText(lr)}, ${counted(epochs, "epoch")} of ${counted(history.steps, "step")}: `;
  const note = limit === null ? history.note : "";
  if (run.overflowed) {
    return `${said}the run diverges, the picture stops at epoch ${asText(run.passed, 3)}; ${history.why}.${note}`;
  }
  if (limit !== null && lr > limit && run.train > 10 * run.start) {
    return `${said}the run diverges, the training loss is ${asText(run.train, 3)}; ${history.why}.`;
  }
  return `${said}weight ${asText(run.weight, 4, 4)}, bias ${asText(run.bias, 4, 4)}, ` +
    `training loss ${lossText(run.train)}, validation loss ${lossText(run.val)}.${note}`;
}

async function renderReplay(model, el) {
  const fetched = (reference) => model.widget_manager.get_model(reference.replace("IPY_MODEL_", ""));
  const [lr, epochs, page] = await Promise.all(["lr", "epochs", "page"].map((name) => fetched(model.get(name))));
  const marks = await Promise.all(model.get("marks").map(fetched));
  const [rates, places] = [lr.get("options"), epochs.get("options")];
  let swept = {}; // of which epochs the sweep is drawn

  // While the page is ahead of the kernel it says its own sentence; the kernel's stays in the page's
  // text and state, and is shown again once it is of the present values.
  const state = () => `${lr.get("value")} ${epochs.get("value")}`;
  let known = state(); // what the kernel was told, or set itself
  const draw = (slider) => {
    if (!slider.get("held")) { // the kernel moved it and draws
      known = state();
      return;
    }
    const [rate, place] = [rates.indexOf(lr.get("value")), places.indexOf(epochs.get("value"))];
    const same = swept.history === model.get("history") && swept.place === place;
    const run = picture(model.get("history"), rates, rate, place, same);
    if (run === null) {
      known = state();
      slider.save_changes();
      return;
    }
    marks.forEach((mark, index) => run.marks[index] && mark.set(run.marks[index]));
    swept = { history: model.get("history"), place };
    page.set("own", state() === known ? null : {
      text: sentence(model.get("history"), rates[rate], places[place], run), state: "preview",
    });
  };
  const redraw = () => {
    swept = {}; // the kernel drew
    const held = [lr, epochs].find((slider) => slider.get("held"));
    if (held) draw(held); // what the kernel drew is of an older value
    else page.set("own", null);
  };
  const rested = (slider) => {
    if (slider.get("held")) return;
    if (state() === known) page.set("own", null);
    known = state();
  };
  const spoken = () => ["picture", "text", "state"].some((name) => page.hasChanged(name));
  const listeners = [[page, "change", () => spoken() && redraw()]]; // after the whole picture
  for (const slider of [lr, epochs]) {
    listeners.push([slider, "change:value", () => draw(slider)], [slider, "change:held", () => rested(slider)]);
  }

  el.classList.add("explorer-replay");
  el.addEventListener("keydown", (event) => event.stopPropagation());
  const rest = resting(epochs);
  let playing = null;
  let goal = epochs.get("value"); // how far Play goes: as far as the slider of the epochs was put
  const play = element("button", el, { type: "button" });
  const step = element("button", el, { type: "button", textContent: "Step" });
  const name = () => { play.textContent = playing === null ? `Play to epoch ${asText(goal)}` : "Pause"; };
  const pause = () => {
    clearInterval(playing);
    playing = null;
    name();
    rest.after(REST_MS);
  };
  const forward = (last) => {
    const next = places.indexOf(epochs.get("value")) + 1;
    if (next <= last) epochs.set({ value: places[next], held: true });
    return next < last;
  };
  listeners.push([epochs, "change:value", () => {
    if (playing === null) goal = epochs.get("value");
    name();
  }], [epochs, "change:held", () => {
    if (playing !== null && !epochs.get("held")) pause(); // the kernel moves it, or is about to
  }]);
  listeners.forEach(([target, event, act]) => target.on(event, act));
  redraw();
  name();
  play.addEventListener("click", () => {
    if (playing !== null) {
      pause();
      return;
    }
    rest.cancel();
    const last = places.indexOf(goal);
    playing = setInterval(() => forward(last) || pause(), PLAY_MS);
    if (places.indexOf(epochs.get("value")) >= last) epochs.set({ value: places[0], held: true });
    name();
  });
  step.addEventListener("click", () => {
    forward(places.length - 1);
    rest.after(REST_MS);
  });
  return () => {
    clearInterval(playing);
    listeners.forEach(([target, event, act]) => target.off(event, act));
  };
}

function render({ model, el }) {
  return model.get("kind") === "slider" ? renderSlider(model, el) : renderReplay(model, el);
}

export default { render };
