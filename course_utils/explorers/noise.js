// Noise: one truth, many samples. Each new sample leaves its fitted line behind.
import { movableLine } from "./stage/ends.js";
import { bowl } from "./stage/line.js";
import { clamp, fixed, short } from "./stage/numbers.js";
import { put, svg } from "./stage/panel.js";
import { Generator } from "./stage/random.js";
import { element } from "./stage/stage.js";

const ENDS = [-3.1, 3.1], GRIPS = [-2.75, 2.75], HEIGHTS = [-7, 10], MOST = 200;
const GRID = Array.from({ length: 41 }, (_, i) => ENDS[0] + (i / 40) * (ENDS[1] - ENDS[0]));
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

// From `first` to `seed` every sample, 200 at most; the last is the one that is shown.
export function compute({ weight, bias, noise, n, seed, first }, given, limit = Infinity) {
  const began = performance.now(), count = Math.min(Math.max(seed - first, 0) + 1, MOST), seeds = [seed];
  // The newest samples first; what finds no time now comes with the next picture.
  while (seeds.length < count && (drawn.has(`${n}/${seeds[0] - 1}`) || performance.now() - began < limit)) { sample(n, seeds[0]); seeds.unshift(seeds[0] - 1); }
  const fits = seeds.map((one) => {
    const { weight: dw, bias: db, left, floor } = sample(n, one);
    return { seed: one, weight: weight + noise * dw, bias: bias + noise * db, fitted: noise ** 2 * left, truth: noise ** 2 * floor };
  });
  const { x, z } = sample(n, seed), error = noise / Math.sqrt(Math.max(n - 3, 1));
  const inBand = fits.filter((fit) => Math.abs(fit.weight - weight) <= 2 * error).length;
  return { more: seeds.length < count, x, y: Array.from(x, (v, i) => weight * v + bias + noise * z[i]), fits, now: fits.at(-1), error, inBand };
}

// As many digits as tell the two losses apart, two to five.
function losses({ fitted, truth }) {
  for (let digits = truth < 0.1 ? 3 : 2; ; digits++)
    if (digits === 5 || fixed(fitted, digits) !== fixed(truth, digits)) return [fixed(truth, digits), fixed(fitted, digits)];
}

export function sentence({ weight, noise }, { fits, now }) {
  if (!noise) return "**No noise, no chance.** Every sample lies on the truth, every fit finds it, and the loss is 0.";
  const off = now.weight - weight, [truth, fitted] = losses(now);
  if (fits.length === 1) return `**Chance moved the weight by ${off > 0 ? "+" : ""}${fixed(off)}.** The truth has not moved. Take a new sample: which of the two lines stays?`;
  const weights = fits.map((fit) => fit.weight);
  return `**Chance alone** spread ${fits.length} fitted weights from ${fixed(Math.min(...weights))} to ${fixed(Math.max(...weights))}. ` +
    `On its own points the fitted line beats the truth, ${fitted} to ${truth}: it leans toward their noise.`;
}

function build(stage) {
  const { controls } = stage, { weight: W, bias: B, seed } = controls, calm = matchMedia("(prefers-reduced-motion: reduce)");
  let waiting = 0, timer = 0; // samples that are still to come, one after the other
  const next = (count) => { stage.touch(); seed.place = (seed.place + count) % (seed.places + 1); };
  stage.stop = () => { clearInterval(timer); waiting = timer = 0; };
  stage.button("New sample", () => { stage.stop(); next(1); }, { main: true });
  stage.button("20 samples", () => {
    if (calm.matches) return next(20);
    waiting += 20;
    timer ||= setInterval(() => (waiting-- > 0 ? next(1) : stage.stop()), 60);
  });
  stage.button("Clear", () => { stage.stop(); stage.touch(); controls.first.value = seed.value; });
  const formula = stage.extra("formula"), cells = ["\u0177 =", "", "x", "+", ""].map((text) => {
    const cell = element(formula, "span");
    return [element(cell, "span", { textContent: text }), element(cell, "small", { textContent: "\u00a0" })];
  });
  stage.newRow();
  stage.more(() => ["weight", "bias"].forEach((name) => stage.slider(name, { width: 100 })));
  stage.slider("noise", { label: "noise \u03c3", width: 100 });
  stage.choice("n", { label: "points" });

  const left = stage.panel(stage.column(1.18), { title: "One truth, many samples", x: { label: "x", domain: ENDS }, y: { label: "y", domain: HEIGHTS } });
  const key = left.key([["data", "dot", ""], ["truth", "dash", "truth"], ["ink", "line", "fitted line"], ["ink", "thin", "fits before"]]);
  const band = left.curve("high", { fill: true, opacity: 0.35 }), dots = left.dots("data", { size: 3.4 }), mine = left.dots("danger", { size: 4, hollow: true });
  const before = left.group(false), fitted = left.curve("ink", { width: 3, halo: 3 }), truth = left.curve("truth", { width: 2.4, dash: "7 5" }), outside = left.words("quiet", { anchor: "middle", bold: false });
  const line = movableLine(stage, left, { ends: GRIPS, range: HEIGHTS, unit: 0.3, name: "true line", text: (height) => `y ${fixed(height)}`,
    move: (weight, bias) => { stage.touch(); W.slideTo(weight); B.slideTo(bias); } }), hint = left.hint("Drag the truth", { dx: -110, dy: 190 });
  left.hover((_x, _y, px, py) => {
    const { x, y } = stage.result, i = left.nearest(x, y, px, py);
    return i < 0 ? null : { x: x[i], y: y[i], text: `x ${fixed(x[i])}, y ${fixed(y[i])}` };
  });

  const right = stage.column(1);
  const two = stage.panel(right, { title: "Where the fitted weight fell", note: " ", x: { label: "weight", domain: [0.5, 3.5], format: (v) => fixed(v, 1) }, y: { label: "", domain: [0, 1], ticks: [] }, margin: { left: 16, right: 16 } });
  const zone = svg(two.group(false), "rect", { fill: "var(--high)", "fill-opacity": 0.35 }), mark = two.curve("truth", { width: 2, dash: "6 4" });
  const others = [6, 4.5].map((size) => two.dots("ink", { size, opacity: 0.4 })), now = two.dots("ink", { size: 6.5, opacity: 1 });
  const said = [two.words("truth", { anchor: "middle" }), two.words("quiet", { anchor: "middle", bold: false }), two.words("ink", { anchor: "middle" })];
  const gone = [two.words("ink"), two.words("ink", { anchor: "end" })];
  let places = [], scaled;
  two.hover((_x, _y, px, py) => {
    const i = two.nearest(places.map(([w]) => w), places.map(([, h]) => h), px, py), fit = stage.result.fits[i];
    return fit ? { x: places[i][0], y: places[i][1], text: `sample ${fit.seed - controls.first.value + 1}: weight ${fixed(fit.weight)}` } : null;
  });

  const three = stage.panel(right, { title: "Loss on the points of the sample", note: "each tick is a sample", margin: { left: 84, right: 62, top: 22 },
    x: { label: "loss", domain: [0, 2.4], ticks: [0, 1, 2], format: (v) => short(v * controls.noise.value ** 2) }, y: { label: "", domain: [0, 3], ticks: [] } });
  const rails = [2, 1].map((height) => [three.curve("rule", { width: 1 }), height]), floor = three.curve("truth", { width: 1.5, dash: "4 3" });
  const ticks = [2, 1].map(() => three.sticks("ink", { width: 1.5, opacity: 0.3 })), rings = [three.dots("truth", { size: 5.5, hollow: true }), three.dots("ink", { size: 5.5, opacity: 1 })];
  const rows = svg(three.group(), "g"), floorName = three.words("truth", { anchor: "middle" });
  const share = (loss) => Math.min(controls.noise.value ? loss / controls.noise.value ** 2 : 0, 2.4);
  three.hover((x, y) => {
    const name = y > 1.5 ? "truth" : "fitted", { fits } = stage.result;
    const fit = fits.reduce((best, some) => (Math.abs(share(some[name]) - x) < Math.abs(share(best[name]) - x) ? some : best));
    return Math.abs(share(fit[name]) - x) > 0.1 ? null : { x: share(fit[name]), y: y > 1.5 ? 2 : 1, text: `sample ${fit.seed - controls.first.value + 1}: ${short(fit[name])}` };
  });

  return (settings, { x, y, fits, error, now: last, inBand }, proof) => {
    const { weight, bias, noise, n } = settings, f = (v) => weight * v + bias, back = GRID.toReversed();
    const high = (v) => 2 * noise * Math.sqrt(1 / n + (v * v + 1 / n) / Math.max(n - 3, 1));
    band([...GRID, ...back], [...GRID.map((v) => f(v) + high(v)), ...back.map((v) => f(v) - high(v))]);
    dots(x, y);
    mine(proof?.x ?? [], proof?.y ?? []);
    const path = ({ weight: w, bias: b }) => `M${left.x(ENDS[0])},${left.y(w * ENDS[0] + b)}L${left.x(ENDS[1])},${left.y(w * ENDS[1] + b)}`;
    before.replaceChildren(svg(null, "path", { d: fits.slice(0, -1).map(path).join(""), stroke: "var(--ink)", "stroke-opacity": fits.length > 60 ? 0.12 : 0.25, "stroke-width": 1.3 }));
    for (const [mark, height] of [[fitted, (v) => last.weight * v + last.bias], [truth, f]]) mark(ENDS, ENDS.map(height));
    hint(...line(weight, bias)[1]);
    const count = y.filter((v) => v < HEIGHTS[0] || v > HEIGHTS[1]).length;
    outside(count ? `${count} of ${n} points outside` : "", 0, HEIGHTS[1], { dy: 14 });
    key([`sample ${last.seed - Math.min(controls.first.value, last.seed) + 1}`, "truth", "fitted line", fits.length > 1 ? "fits before" : ""]);
    [[fixed(last.weight), `true ${fixed(weight)}`], null, [last.bias < -0.005 ? "\u2212" : "+"], [fixed(Math.abs(last.bias)), `true ${fixed(bias)}`]].forEach((texts, i) =>
      texts?.forEach((text, k) => { cells[i + 1][k].textContent = text; }));

    if (two.axes.x.domain[0] !== weight - 1.5) two.rescale([weight - 1.5, weight + 1.5]);
    const { left: from, right: end, bottom } = two.box, top = two.box.top + 32, at = (v) => clamp(two.x(v), from, end), tall = bottom - top;
    put(zone, { x: at(weight - 2 * error), y: top, width: Math.max(at(weight + 2 * error) - at(weight - 2 * error), 1), height: tall });
    mark([weight, weight], [0, two.y.invert(top)]);
    const few = fits.length < 46, wide = few ? 13 : 10, stacks = new Map(), column = (w) => Math.round(two.x(w) / wide);
    const rank = fits.map(({ weight: w }) => { stacks.set(column(w), (stacks.get(column(w)) ?? 0) + 1); return stacks.get(column(w)) - 1; });
    const pitch = Math.min(wide, (tall - 36) / Math.max(...stacks.values()));
    places = fits.map(({ weight: w }, i) => [w, two.y.invert(bottom - 8 - rank[i] * pitch)]);
    const old = places.slice(0, -1), [lw, lh] = places.at(-1);
    others.forEach((put, i) => put(few === !i ? old.map(([w]) => w) : [], old.map(([, h]) => h)));
    now([lw], [lh]);
    const most = Math.max(...[-2, -1, 0, 1, 2].map((k) => stacks.get(column(lw) + k) ?? 0)), shown = lw > weight - 1.5 && lw < weight + 1.5;
    two.note.textContent = fits.length === 1 ? "a dot for each sample" : `${inBand} of ${fits.length} in the band; expect 95 of 100`;
    said[0](`true weight ${fixed(weight)}`, weight, 1, { dy: 12 });
    said[1](`band: \u00b1 2 standard errors, \u00b1 ${fixed(2 * error)}`, weight, 1, { dy: 27 });
    said[2](shown ? `now ${fixed(lw)}` : "", lw, two.y.invert(bottom - 22 - (most - 1) * pitch));
    [fits.filter((fit) => fit.weight < weight - 1.5).length, fits.filter((fit) => fit.weight > weight + 1.5).length].forEach((k, i) =>
      gone[i](k ? (i ? `${k} more \u2192` : `\u2190 ${k} more`) : "", weight + 3 * i - 1.5, two.y.invert(top + 12), { dx: i ? -4 : 4 }));

    if (scaled !== (scaled = noise)) three.rescale();
    for (const [rail, height] of rails) rail([0, 2.4], [height, height]);
    floor([1, 1], [0, 2.62]);
    rows.replaceChildren();
    ["truth", "fitted"].forEach((name, k) => {
      const values = fits.slice(0, -1).map((fit) => share(fit[name])), height = 2 - k;
      ticks[k](values, values.map(() => height - 0.25), values.map(() => height + 0.25));
      rings[k]([share(last[name])], [height]);
      svg(rows, "text", { x: 0, y: three.y(height) + 4, class: "bold" }, ["true line", "fitted line"][k]);
      svg(rows, "text", { x: three.box.right + 58, y: three.y(height) + 4, "text-anchor": "end", class: "large bold", style: "fill:var(--ink)" }, losses(last)[k]);
    });
    floorName(`noise floor \u03c3\u00b2 = ${short(noise ** 2)}`, 1, 3, { dy: -10 });
  };
}

export default { compute, sentence, build };
