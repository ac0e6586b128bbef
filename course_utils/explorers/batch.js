// Batch: which rows form a batch, and how its gradient differs from that of all rows.
import { bowl, levelsBetween } from "./stage/line.js";
import { clamp, fixed, short, whole } from "./stage/numbers.js";
import { svg } from "./stage/panel.js";
import { Generator } from "./stage/random.js";

const RATE = 0.1; // the arrows are -0.1 times the gradient, at the line y = 0
const orders = new WeakMap();

// The rows of each step of an epoch, as DataLoader(dataset, batch_size, shuffle, drop_last) serves them.
export function stepsOf({ batch_size: size, shuffle, drop_last: drop, epoch }, given) {
  const n = given.x.length;
  if (!orders.has(given)) orders.set(given, { generator: new Generator(given.seed), epochs: [] });
  const { generator, epochs } = orders.get(given);
  while (shuffle && epochs.length < epoch) epochs.push(Array.from(generator.epoch(n)));
  const rows = shuffle ? epochs[epoch - 1] : Array.from({ length: n }, (_, i) => i), steps = [];
  for (let first = 0; first < n; first += size) steps.push(rows.slice(first, first + size));
  if (drop && steps.at(-1).length < size) steps.pop();
  return steps;
}

function arrowOf(rows, { x, y }) {
  let gw = 0, gb = 0;
  for (const i of rows) { gw += -2 * y[i] * x[i]; gb += -2 * y[i]; }
  return [(-RATE * gw) / rows.length, (-RATE * gb) / rows.length];
}

const far = ([a, b], [c, d]) => Math.hypot(a - c, b - d) / Math.hypot(c, d);

export function compute(settings, given) {
  const steps = stepsOf(settings, given), step = clamp(settings.step, 1, Math.max(steps.length, 1));
  const rows = steps[step - 1] ?? [], all = arrowOf(given.x.map((_, i) => i), given), arrows = steps.map((some) => arrowOf(some, given));
  const misses = arrows.map((one) => far(one, all)).sort((a, b) => a - b);
  const served = steps.flat(), used = new Set(served);
  return {
    steps, step, rows, all, arrows, arrow: arrows[step - 1] ?? [0, 0], typical: misses[Math.floor(misses.length / 2)] ?? 0,
    before: steps.slice(0, step - 1).flat(), leftOut: given.x.map((_, i) => i).filter((i) => !used.has(i)), surface: bowl(given.x, given.y),
  };
}

export function sentence(settings, { steps, rows, arrow, all, typical, leftOut }, { x }) {
  const n = x.length, size = settings.batch_size;
  if (!steps.length) return `**No batch at all**: drop_last leaves out the ${n} rows, which are fewer than ${whole(size)}.`;
  const count = `${whole(steps.length)} ${steps.length === 1 ? "step" : "steps"} an epoch`;
  const rest = leftOut.length ? `, ${leftOut.length} rows left out` : n % size ? `, the last with ${n % size} of ${size} rows` : "";
  if (rows.length === n) return `**All ${n} rows: not a guess**, the arrow is exact. ${count}.`;
  const off = Math.round(100 * far(arrow, all));
  return `**${rows.length} of ${n} rows guess** the gradient of all, and this guess is ${off} % off; half of this epoch's batches are closer than ${Math.round(100 * typical)} %. ${count}${rest}.`;
}

function build(stage) {
  const { given, controls } = stage, { step, epoch } = controls, n = given.x.length;
  const last = () => Math.max(stepsOf(stage.settings, given).length, 1);
  const next = () => {
    stage.touch();
    if (step.value < last()) step.value += 1;
    else { epoch.place = epoch.place < epoch.places ? epoch.place + 1 : 0; step.value = 1; }
  };
  stage.button("Next batch", next, { main: true, icon: "M0,0L14,8L0,16Z" });
  let since = 0;
  stage.play("Play the epoch", (seconds) => {
    since += seconds;
    if (since < 0.4) return;
    since = 0;
    if (step.value >= last()) return false;
    step.value += 1;
  });
  stage.slider("step", { width: 120 });
  stage.slider("batch_size", { label: "batch size", width: 130 });
  stage.slider("epoch", { width: 90 });
  stage.toggle("shuffle");
  stage.toggle("drop_last");

  const left = stage.column(1.5);
  const one = stage.panel(left, { title: "This batch among all rows", x: { label: given.labels[0], domain: given.domain }, y: { label: given.labels[1], domain: given.range } });
  const rest = one.dots("truth", { size: 2.6, opacity: 0.45 }), out = one.dots("danger", { size: 3.4, hollow: true }), now = one.dots("data", { size: 4.6, opacity: 1 });
  const names = ["data", "truth", "danger"].map((role) => one.words(role));
  one.hover((_x, _y, px, py) => {
    const i = one.nearest(given.x, given.y, px, py);
    return i < 0 ? null : { x: given.x[i], y: given.y[i], text: `row ${i}: x ${fixed(given.x[i])}, y ${fixed(given.y[i])}` };
  });
  const two = stage.panel(left, { title: "The epoch as it is dealt", note: "a column for each step", x: { label: "place in the epoch", domain: [0, n], format: (v) => short(v) }, y: { label: "row", domain: [-0.04 * n, 1.08 * n], format: (v) => short(v) } });
  const bar = svg(two.group(false), "rect", { fill: "var(--data)", "fill-opacity": 0.14 });
  const came = two.dots("truth", { size: 2, opacity: 0.6 }), coming = two.dots("truth", { size: 2, opacity: 0.25 }), here = two.dots("data", { size: 3.4, opacity: 1 });
  two.node.addEventListener("click", (event) => {
    const place = two.x.invert(event.clientX - two.node.getBoundingClientRect().left);
    stage.touch();
    step.value = clamp(Math.floor(place / controls.batch_size.value) + 1, 1, last());
  });

  const { surface, all } = compute(stage.settings, given), reach = 1.9 * Math.max(Math.abs(all[0]), Math.abs(all[1]), 1e-9);
  const three = stage.panel(stage.column(1), { title: "Which way is downhill?", note: `arrow: \u2212${RATE} \u00b7 gradient`, filled: true, equal: true,
    x: { label: "change of the weight", domain: [all[0] / 2 - reach, all[0] / 2 + reach] }, y: { label: "change of the bias", domain: [all[1] / 2 - reach, all[1] / 2 + reach] } });
  const field = three.field(), group = three.group(false), whole_ = three.arrow("ink"), mine = three.arrow("data");
  const told = [three.words("ink"), three.words("data")];
  let key = "";

  return (settings, result) => {
    const { rows, before, leftOut, steps } = result, pick = (values, some) => some.map((i) => values[i]), used = new Set([...rows, ...leftOut]);
    const quiet = given.x.map((_, i) => i).filter((i) => !used.has(i)), stride = Math.ceil(quiet.length / 2000) || 1;
    rest(pick(given.x, quiet.filter((_, k) => k % stride === 0)), pick(given.y, quiet.filter((_, k) => k % stride === 0)));
    out(pick(given.x, leftOut), pick(given.y, leftOut));
    now(pick(given.x, rows), pick(given.y, rows));
    names[0](`\u25cf batch ${result.step}`, given.domain[0], given.range[1], { dx: 8, dy: 26 });
    names[1]("\u25cf other rows", given.domain[0], given.range[1], { dx: 90, dy: 26 });
    names[2](leftOut.length ? `\u25cb ${leftOut.length} left out` : "", given.domain[0], given.range[1], { dx: 186, dy: 26 });
    const size = settings.batch_size, first = (result.step - 1) * size, places = (some, from) => some.map((_, i) => from + i + 0.5);
    came(places(before, 0), before);
    here(places(rows, first), rows);
    const later = steps.slice(result.step).flat();
    coming(places(later, first + rows.length), later);
    for (const [name, value] of Object.entries({ x: two.x(first), y: two.box.top, width: Math.max(two.x(first + rows.length) - two.x(first), 2), height: two.box.bottom - two.box.top })) bar.setAttribute(name, value);

    const now_ = [...three.x.range(), ...three.y.range()].join();
    if (key !== now_) { key = now_; field((w, b) => surface.loss(w, b), levelsBetween(surface.lowest * 1.02, surface.loss(three.x.domain()[0], three.y.domain()[0]), 8)); }
    const from = [three.x(0), three.y(0)], to = ([w, b]) => [three.x(w), three.y(b)];
    group.replaceChildren(svg(null, "path", { fill: "none", stroke: "var(--ink)", "stroke-opacity": 0.3, "stroke-width": 1.3,
      d: result.arrows.slice(0, 400).map((one) => `M${from}L${to(one)}`).join("") }));
    whole_(from, to(result.all));
    mine(from, to(result.arrow));
    told[0]("all rows", ...result.all, { dx: 10, dy: -8 });
    told[1](`batch ${result.step}`, ...result.arrow, { dx: 10, dy: 16 });
  };
}

export default { compute, sentence, build };
