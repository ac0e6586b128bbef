// Noise: one truth, many samples. Each new sample leaves its fitted line behind.
import { bowl } from "./stage/line.js";
import { clamp, fixed, whole } from "./stage/numbers.js";
import { svg } from "./stage/panel.js";
import { Generator } from "./stage/random.js";

const ENDS = [-3.1, 3.1], GRIPS = [-2.75, 2.75], MOST = 200;
const drawn = new Map(); // the draws of a sample serve every weight, bias and noise

// The sample of torch.Generator().manual_seed(seed): x = randn(n), then the noise, randn(n).
function sample(n, seed) {
  const key = `${n}/${seed}`;
  if (!drawn.has(key)) {
    if (drawn.size > 2 * MOST) drawn.clear();
    const generator = new Generator(seed), x = generator.randn(n), z = generator.randn(n);
    const fit = bowl(x, z); // the best line through the noise alone: what the sample adds to the truth
    drawn.set(key, { x, z, weight: fit.weight, bias: fit.bias, left: fit.lowest, floor: z.reduce((s, v) => s + v * v, 0) / n });
  }
  return drawn.get(key);
}

// From `first` to `seed` every sample; the last is the one that is shown.
export function compute({ weight, bias, noise, n, seed, first }) {
  const count = Math.min(Math.max(seed - first, 0) + 1, MOST);
  const seeds = Array.from({ length: count }, (_, i) => seed - count + 1 + i);
  const fits = seeds.map((one) => {
    const { weight: dw, bias: db, left, floor } = sample(n, one);
    return { seed: one, weight: weight + noise * dw, bias: bias + noise * db, fitted: noise ** 2 * left, truth: noise ** 2 * floor };
  });
  const { x, z } = sample(n, seed), error = noise / Math.sqrt(Math.max(n - 3, 1));
  return { x, y: Array.from(x, (v, i) => weight * v + bias + noise * z[i]), fits, now: fits.at(-1), error };
}

export function sentence({ weight, noise }, { fits, now }) {
  if (!noise) return "**No noise, no chance.** Every sample lies on the truth, every fit finds it, and the loss is 0.";
  const off = now.weight - weight;
  if (fits.length === 1) return `**Chance moved the weight by ${off > 0 ? "+" : ""}${fixed(off)}.** The truth has not moved. Take a new sample: which of the two lines stays?`;
  const weights = fits.map((fit) => fit.weight);
  return `**Chance alone** spread ${fits.length} fitted weights from ${fixed(Math.min(...weights))} to ${fixed(Math.max(...weights))}. ` +
    `On its own points the fitted line has the loss ${fixed(now.fitted, 3)}, the truth ${fixed(now.truth, 3)}.`;
}

function build(stage) {
  const { controls } = stage, { weight: W, bias: B, seed } = controls;
  const more = (count) => { stage.touch(); seed.place = Math.min(seed.place + count, seed.places); };
  stage.button("New sample", () => more(1), { main: true });
  stage.button("20 samples", () => more(20));
  stage.button("Clear", () => { stage.touch(); controls.first.value = seed.value; });
  stage.slider("weight", { width: 96 });
  stage.slider("bias", { width: 96 });
  stage.slider("noise", { label: "noise \u03c3", width: 96 });
  stage.choice("n", { label: "points" });
  const formula = stage.extra("formula").appendChild(document.createElement("span"));

  const one = stage.panel(stage.column(1.18), { title: "One truth, many samples", note: "drag the truth",
    x: { label: "x", domain: ENDS }, y: { label: "y", domain: [-7, 10] } });
  const band = one.curve("high", { fill: true, opacity: 0.35 }), dots = one.dots("data", { size: 3 });
  const before = one.group(false), fitted = one.curve("ink", { width: 3, halo: 3 }), truth = one.curve("truth", { width: 2.4, dash: "7 5" });
  const names = [one.words("truth"), one.words("ink")];
  const at = (x) => W.value * x + B.value;
  const move = (weight, bias) => { stage.touch(); W.moveTo(weight); B.moveTo(bias); };
  const grip = one.grip(([, y], [, last]) => move(W.value, B.value + y - last));
  const handles = GRIPS.map((x, i) => one.handle({
    label: `${i ? "right" : "left"} end of the true line`,
    drag: ([, y]) => turn(i, y), nudge: ([, steps]) => steps && turn(i, at(x) + 0.3 * steps) }));
  const turn = (i, y) => {
    const height = at(GRIPS[1 - i]), weight = (clamp(y, -6.4, 9.4) - height) / (2 * GRIPS[i]);
    move(weight, height + weight * GRIPS[i]);
  };
  one.hover((_x, _y, px, py) => {
    const { x, y } = stage.result ?? { x: [], y: [] }, i = x.length > 2000 ? -1 : one.nearest(x, y, px, py);
    return i < 0 ? null : { x: x[i], y: y[i], text: `(${fixed(x[i])}, ${fixed(y[i])})` };
  });

  const right = stage.column(1);
  const two = stage.panel(right, { title: "Where the fitted weight fell", x: { label: "weight", domain: [0.5, 3.5], format: (v) => fixed(v, 1) }, y: { label: "", domain: [0, 1], ticks: [] }, margin: { left: 10 } });
  const zone = svg(two.group(false), "rect", { fill: "var(--high)", "fill-opacity": 0.35 }), mark = two.curve("truth", { width: 2, dash: "6 4" });
  const old = two.dots("ink", { size: 5, opacity: 0.4 }), now = two.dots("ink", { size: 6.5, opacity: 1 });
  const said = [two.words("truth", { anchor: "middle" }), two.words("quiet", { anchor: "middle", bold: false }), two.words("ink", { anchor: "middle" })];

  const three = stage.panel(right, { title: "Loss on the points of the sample", note: "each tick is a sample", x: { label: "loss", domain: [0, 2], format: (v) => fixed(v * (controls.noise.value || 1) ** 2, 2) }, y: { label: "", domain: [0, 3], ticks: [] }, margin: { left: 84, right: 50, top: 22 } });
  const floor = three.curve("truth", { width: 1.5, dash: "4 3" }), ticks = [2, 1].map(() => three.sticks("ink", { width: 1.5 }));
  const rings = [three.dots("truth", { size: 5.5, hollow: true }), three.dots("ink", { size: 5.5, opacity: 1 })];
  const rows = svg(three.group(), "g"), floorName = three.words("truth", { anchor: "middle" });

  return (settings, result) => {
    const { fits, error } = result, last = fits.at(-1);
    const { weight, bias, noise, n } = settings, high = (x) => 2 * noise * Math.sqrt(1 / n + (x * x + 1 / n) / Math.max(n - 3, 1));
    const grid = Array.from({ length: 41 }, (_, i) => ENDS[0] + (i / 40) * (ENDS[1] - ENDS[0])), back = grid.toReversed();
    band([...grid, ...back], [...grid.map((x) => weight * x + bias + high(x)), ...back.map((x) => weight * x + bias - high(x))]);
    const some = result.x.length > 2000 ? Math.ceil(result.x.length / 2000) : 1, few = (_, i) => i % some === 0;
    dots(Array.from(result.x).filter(few), result.y.filter(few));
    const path = ({ weight: w, bias: b }) => `M${one.x(ENDS[0])},${one.y(w * ENDS[0] + b)}L${one.x(ENDS[1])},${one.y(w * ENDS[1] + b)}`;
    before.replaceChildren(svg(null, "path", { d: fits.slice(0, -1).map(path).join(""), stroke: "var(--ink)", "stroke-opacity": fits.length > 60 ? 0.12 : 0.25, "stroke-width": 1.3 }));
    fitted(ENDS, ENDS.map((x) => last.weight * x + last.bias));
    truth(ENDS, ENDS.map((x) => weight * x + bias));
    grip(GRIPS, GRIPS.map((x) => weight * x + bias));
    handles.forEach((put, i) => put(GRIPS[i], clamp(weight * GRIPS[i] + bias, -6.4, 9.4), weight * GRIPS[i] + bias, `y ${fixed(weight * GRIPS[i] + bias)}`));
    names[0]("- - truth", ENDS[0], 10, { dx: 110, dy: 14 });
    names[1]("\u2014 fitted line", ENDS[0], 10, { dx: 22, dy: 14 });
    formula.textContent = `\u0177 = ${fixed(last.weight)} x ${last.bias < 0 ? "\u2212" : "+"} ${fixed(Math.abs(last.bias))}`;

    two.rescale([weight - 1.5, weight + 1.5]);
    const { left, right: end, top, bottom } = two.box, x = (v) => clamp(two.x(v), left, end);
    for (const [name, value] of Object.entries({ x: x(weight - 2 * error), y: top + 34, width: x(weight + 2 * error) - x(weight - 2 * error), height: bottom - top - 34 })) zone.setAttribute(name, value);
    mark([weight, weight], [0, two.y.invert(top + 34)]);
    const stacks = new Map(), places = fits.map((fit) => {
      const column = Math.round(two.x(fit.weight) / 11), height = (stacks.get(column) ?? 0) + 1;
      stacks.set(column, height);
      return [fit.weight, two.y.invert(bottom - 8 - (height - 1) * Math.min(11, (bottom - top - 60) / Math.max(...stacks.values())))];
    });
    old(places.slice(0, -1).map(([v]) => v), places.slice(0, -1).map(([, h]) => h));
    now([places.at(-1)[0]], [places.at(-1)[1]]);
    const inBand = fits.filter((fit) => Math.abs(fit.weight - weight) <= 2 * error).length;
    two.note.textContent = fits.length === 1 ? "a dot for each sample" : `${inBand} of ${fits.length} in the band; expect 95 of 100`;
    said[0](`true weight ${fixed(weight)}`, weight, 1, { dy: 12 });
    said[1](`band: \u00b1 2 standard errors, \u00b1 ${fixed(2 * error)}`, weight, 1, { dy: 28 });
    said[2](`now ${fixed(last.weight)}`, places.at(-1)[0], places.at(-1)[1], { dy: -12 });

    const share = (v) => (noise ? v / noise ** 2 : 0), lines = [2, 1];
    floor([1, 1], [0, 3]);
    ["truth", "fitted"].forEach((name, k) => {
      const values = fits.slice(0, -1).map((fit) => share(fit[name]));
      ticks[k](values, values.map(() => lines[k] - 0.28), values.map(() => lines[k] + 0.28));
      rings[k]([share(last[name])], [lines[k]]);
    });
    three.rescale();
    rows.replaceChildren();
    [["true line", last.truth], ["fitted line", last.fitted]].forEach(([name, value], k) => {
      svg(rows, "text", { x: 0, y: three.y(lines[k]) + 4, class: "bold" }, name);
      svg(rows, "text", { x: three.box.right + 46, y: three.y(lines[k]) + 4, "text-anchor": "end", class: "bold" }, fixed(value, 3));
    });
    floorName(`noise floor \u03c3\u00b2 = ${fixed(noise ** 2, 2)}`, 1, 3, { dy: -10 });
  };
}

export default { compute, sentence, build };
