// Fit: how far a polynomial may bend before new points are told worse, between and beyond.
import { clamp, fixed, short, whole } from "./stage/numbers.js";
import { Generator } from "./stage/random.js";

const DEGREES = Array.from({ length: 15 }, (_, i) => i + 1);
const fits = new Map(); // by rows: what no degree changes

// Least squares in the polynomials that are orthogonal on these points (Arnoldi): stable up to
// degree 15 where powers are not. Returns what each degree predicts at other points.
function polynomials(x, y) {
  const n = x.length, top = Math.min(15, n - 1), basis = [new Float64Array(n).fill(1)], steps = [];
  for (let k = 0; k < top; k++) {
    const v = basis[k].map((value, i) => value * x[i]), h = [];
    for (let again = 0; again < 2; again++) basis.forEach((q, j) => {
      const share = v.reduce((sum, value, i) => sum + value * q[i], 0) / n;
      h[j] = (h[j] ?? 0) + share;
      for (let i = 0; i < n; i++) v[i] -= share * q[i];
    });
    const size = Math.sqrt(v.reduce((sum, value) => sum + value * value, 0) / n);
    if (size < 1e-13) break;
    basis.push(v.map((value) => value / size));
    steps.push([h, size]);
  }
  const weights = basis.map((q) => q.reduce((sum, value, i) => sum + value * y[i], 0) / n);
  // The prediction of each degree at a point: partial sums over the basis there.
  const at = (point) => {
    const there = [1], told = [];
    let sum = weights[0];
    steps.forEach(([h, size], k) => {
      let value = there[k] * point;
      h.forEach((share, j) => { value -= share * there[j]; });
      there.push(value / size);
      sum += weights[k + 1] * there[k + 1];
      told.push(sum);
    });
    return told;
  };
  return { at, top: steps.length };
}

function fitted(given, key) {
  if (!fits.has(key)) {
    if (fits.size > 40) fits.clear();
    const { x, y, xVal, yVal } = given(), low = Math.min(...x), high = Math.max(...x), { at, top } = polynomials(x, y);
    const rmses = (points, targets) => {
      const sums = new Float64Array(top);
      points.forEach((point, i) => at(point).forEach((value, k) => { sums[k] += (value - targets[i]) ** 2 / points.length; }));
      return Array.from(sums, Math.sqrt);
    };
    const inside = xVal.map((v) => v >= low && v <= high), part = (keep) => [xVal.filter((_, i) => inside[i] === keep), yVal.filter((_, i) => inside[i] === keep)];
    const [between, beyond] = [part(true), part(false)];
    fits.set(key, { x, y, xVal, yVal, low, high, at, top, between: between[0].length, beyond: beyond[0].length,
      rmse: { train: rmses(x, y), all: rmses(xVal, yVal), between: between[0].length ? rmses(...between) : null, beyond: beyond[0].length ? rmses(...beyond) : null } });
  }
  return fits.get(key);
}

// The points of datasets.make_curve(n, noise, seed) without noise, and the draws of the noise; of
// another `make`, which the page cannot know, given.samples holds some seeds.
function sampleOf(seed, given) {
  if (given.samples) return given.samples[seed];
  const generator = new Generator(seed), x = Array.from({ length: given.rows }, () => Math.fround(4 * generator.uniform()) - 2);
  return { x, clean: x.map((v) => Math.fround(Math.sin(2 * v))), draw: generator.randn(given.rows) };
}

export function compute({ degree, noise, n, seed }, given) {
  const fit = fitted(() => {
    const { x, clean, draw } = sampleOf(seed, given), y = clean.map((v, i) => v + noise * draw[i]);
    const held = x.map((_, i) => i).slice(0, given.held), [low, high] = given.seen;
    const train = x.map((_, i) => i).slice(given.held).filter((i) => x[i] >= low && x[i] <= high).slice(0, n);
    const pick = (values, rows) => rows.map((i) => values[i]);
    return { x: pick(x, train), y: pick(y, train), xVal: pick(x, held), yVal: pick(y, held) };
  }, [given.id, noise, n, seed].join());
  return { ...fit, degree: Math.min(degree, fit.top) };
}

export function sentence({ degree: asked, noise }, { degree, rmse, top, beyond }) {
  const at = degree - 1, cut = asked > top ? ` ${top + 1} points allow no degree above ${top}.` : "";
  const inner = rmse.between ?? rmse.all, best = inner.indexOf(Math.min(...inner)) + 1;
  const far = beyond ? ` Beyond them it is off by ${short(rmse.beyond[at])}: extrapolation.` : "";
  const start = inner[at] < 1.15 * inner[best - 1] ? "About as good as any degree here" : degree < best ? "Too stiff: underfitting" : "Too bendy: overfitting";
  return `**${start}.** RMSE ${short(rmse.train[at])} on its own points, ${short(inner[at])} between them; degree ${best} has ${short(inner[best - 1])}.${far}${cut}`;
}

function build(stage) {
  const { given, controls } = stage, { degree, seed } = controls;
  stage.button("New sample", () => { stage.touch(); seed.place = (seed.place + 1) % (seed.places + 1); }, { main: true });
  stage.slider("degree", { width: 160 });
  stage.slider("noise", { width: 110 });
  stage.slider("n", { label: "training points", width: 120 });
  stage.presets([{ text: "degree 1", values: { degree: 1, n: 20 } }, { text: "15 on 20 points", values: { degree: 15, n: 20 } }, { text: "15 on 200 points", values: { degree: 15, n: 200 } }]);
  const numbers = stage.extra("numbers"), cells = ["train", "between", "beyond"].map((text) => {
    const cell = numbers.appendChild(document.createElement("span")), value = cell.appendChild(document.createElement("b"));
    value.style.color = `var(--${text === "train" ? "data" : "held"})`;
    cell.appendChild(Object.assign(document.createElement("small"), { textContent: text }));
    return value;
  });

  const one = stage.panel(stage.column(1.18), { title: "One curve through the training points",
    x: { label: given.labels[0], domain: given.domain }, y: { label: given.labels[1], domain: given.range } });
  const unseen = [one.zone(), one.zone()], held = one.dots("held", { size: 3.4, hollow: true }), train = one.dots("data", { size: 4.2, opacity: 0.9 });
  const inner = one.curve("ink", { width: 3, halo: 3 }), outer = one.curve("ink", { width: 3, dash: "7 5" });
  const names = ["data", "held", "ink"].map((role) => one.words(role)), far = [one.words("quiet", { bold: false }), one.words("quiet", { bold: false, anchor: "end" })];
  one.hover((x) => stage.result && { x, y: clamp(stage.result.at(x)[stage.result.degree - 1] ?? 0, ...given.range), text: `curve ${short(stage.result.at(x)[stage.result.degree - 1])}` });

  const two = stage.panel(stage.column(1), { title: "RMSE of every degree", note: "log scale", margin: { right: 76 },
    x: { label: "degree", domain: [0.5, 15.5], ticks: [1, 3, 5, 7, 9, 11, 13, 15] }, y: { label: "", domain: given.rmses, log: true, format: (v) => short(v) } });
  const floor = two.curve("truth", { width: 1.8, dash: "2 3" }), curves = { train: two.curve("data", { width: 2.4 }), between: two.curve("held", { width: 2.4 }), beyond: two.curve("held", { width: 2, dash: "5 4" }) };
  const mark = two.curve("hand", { width: 1.5 }), dot = two.dots("data", { size: 5, opacity: 1 });
  const ends = { train: two.words("data"), between: two.words("held"), beyond: two.words("held"), noise: two.words("truth") };
  const ring = two.handle({
    label: "degree on its curve",
    drag: ([x]) => { stage.touch(); degree.moveTo(x); },
    nudge: ([steps, more]) => { stage.touch(); degree.place = clamp(degree.place + steps + more, 0, degree.places); },
  });

  return (settings, result) => {
    const { x, y, xVal, yVal, low, high, at, rmse, top, degree: d } = result, k = d - 1;
    const span = given.domain, grid = Array.from({ length: 241 }, (_, i) => span[0] + (i / 240) * (span[1] - span[0]));
    const stride = Math.ceil(x.length / 2000), few = (_, i) => i % stride === 0, curve = (v) => at(v)[k];
    unseen[0](span[0], low);
    unseen[1](high, span[1]);
    held(xVal, yVal);
    train(x.filter(few), y.filter(few));
    const within = [low, ...grid.filter((v) => v > low && v < high), high], out = grid.filter((v) => v <= low || v >= high);
    inner(within, within.map(curve));
    outer(out.flatMap((v, i) => (i && v - out[i - 1] > 0.1 * (span[1] - span[0]) ? [NaN, v] : [v])), out.flatMap((v, i) => (i && v - out[i - 1] > 0.1 * (span[1] - span[0]) ? [NaN, curve(v)] : [curve(v)])));
    names[0](`\u25cf ${whole(x.length)} train`, span[0], given.range[1], { dx: 22, dy: 12 });
    names[1](`\u25cb ${xVal.length} validation`, span[0], given.range[1], { dx: 106, dy: 12 });
    names[2](`\u2014 degree ${d}`, span[0], given.range[1], { dx: 222, dy: 12 });
    far[0](low - span[0] > 0.08 * (span[1] - span[0]) ? "beyond" : "", span[0], given.range[0], { dx: 4, dy: -8 });
    far[1](span[1] - high > 0.08 * (span[1] - span[0]) ? "beyond" : "", span[1], given.range[0], { dx: -4, dy: -8 });

    const cut = (v) => clamp(v, given.rmses[0], given.rmses[1] * 3), all = DEGREES.slice(0, top);
    floor(settings.noise ? [0.5, 15.5] : [], settings.noise ? [settings.noise, settings.noise] : []);
    for (const name of Object.keys(curves)) curves[name](rmse[name] ? all : [], (rmse[name] ?? []).map(cut));
    mark([d, d], given.rmses);
    dot([d], [cut(rmse.train[k])]);
    const on = rmse.between ?? rmse.all;
    ring(d, cut(on[k]), d, `degree ${d}, RMSE ${short(on[k])} between the points`);
    const heights = [["train", rmse.train[top - 1]], ["between", on[top - 1]], ["beyond", rmse.beyond?.[top - 1]], ["noise", settings.noise || undefined]]
      .filter(([, v]) => v !== undefined).map(([name, v]) => [name, two.y(clamp(v, ...given.rmses))]).sort((a, b) => a[1] - b[1]);
    heights.forEach((one, i) => { if (i) one[1] = Math.max(one[1], heights[i - 1][1] + 15); });
    for (const name of Object.keys(ends)) ends[name]("", 15, 1);
    for (const [name, height] of heights) {
      const node = { train: "train", between: "between", beyond: "beyond", noise: `noise ${fixed(settings.noise)}` }[name];
      two.box.right += 76;
      ends[name](node, 15.5, two.y.invert(height), { dx: 6, dy: 4 });
      two.box.right -= 76;
    }
    cells.forEach((cell, i) => { const values = rmse[["train", "between", "beyond"][i]]; cell.textContent = values ? short(Number(values[k].toPrecision(2))) : "\u2013"; });
  };
}

export default { compute, sentence, build };
