// Split: a random split asks between the rows a line has seen, a cut asks beyond them.
import { clamp, fixed, short, whole } from "./stage/numbers.js";
import { svg } from "./stage/panel.js";
import { Generator } from "./stage/random.js";

// The rows x = arange(n) / n, y = 0.2 + 0.8 x + curvature x x + noise randn, or the learner's own.
function rowsOf({ n, curvature, noise }, given) {
  if (given.x) return given;
  const x = Float64Array.from({ length: n }, (_, i) => i / n), draw = new Generator(420).randn(n);
  const truth = x.map((v) => 0.2 + 0.8 * v + curvature * v * v);
  return { x, truth, y: truth.map((v, i) => v + noise * draw[i]) };
}

// As Python rounds: halves to the even number.
function round(value) {
  const low = Math.floor(value), half = value - low;
  return half > 0.5 + 1e-9 || (half > 0.5 - 1e-9 && low % 2) ? low + 1 : low;
}

const rms = (values) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

export function compute(settings, given) {
  const { x, y, truth } = rowsOf(settings, given), n = x.length, kept = clamp(round(settings.fraction * n), 2, n - 1);
  const rows = settings.sequential ? Int32Array.from({ length: n }, (_, i) => i) : new Generator(settings.seed).randperm(n);
  const train = rows.slice(0, kept), test = rows.slice(kept);
  let mx = 0, my = 0, xx = 0, xy = 0, low = Infinity, high = -Infinity;
  for (const i of train) { mx += x[i] / kept; my += y[i] / kept; low = Math.min(low, x[i]); high = Math.max(high, x[i]); }
  for (const i of train) { xx += (x[i] - mx) ** 2; xy += (x[i] - mx) * (y[i] - my); }
  const weight = xx ? xy / xx : 0, bias = my - weight * mx, residuals = x.map((v, i) => y[i] - weight * v - bias);
  const between = test.filter((i) => x[i] >= low && x[i] <= high), beyond = test.filter((i) => x[i] < low || x[i] > high);
  const typical = (some) => (some.length ? rms(Array.from(some, (i) => residuals[i])) : null);
  return { x, y, truth, train, test, weight, bias, residuals, low, high, between, beyond,
    rmse: { train: typical(train), between: typical(between), beyond: typical(beyond) } };
}

export function sentence({ sequential }, { rmse, high, beyond, test }) {
  if (!sequential) return `**A random split asks between rows the line has seen**: RMSE ${short(rmse.between ?? 0)}, ${short(rmse.train)} on the rows it was fitted to. ` +
    (beyond.length ? `${beyond.length} of ${test.length} test rows lie beyond.` : "Beyond them it asks nothing.");
  const times = rmse.train > 5e-4 * rmse.beyond ? `, ${short(Number((rmse.beyond / rmse.train).toPrecision(2)))} times that on its own rows` : "";
  return `**A cut asks beyond x = ${fixed(high)}**, where the line has seen nothing: RMSE ${short(rmse.beyond)}${times}.`;
}

function build(stage) {
  const { given, controls } = stage, { sequential, seed, fraction } = controls;
  const go = stage.button("Split at random", () => {
    stage.touch();
    if (sequential.value) sequential.value = false;
    else seed.place = (seed.place + 1) % (seed.places + 1);
  }, { main: true });
  stage.toggle("sequential", { label: "cut at the end" });
  stage.slider("fraction", { label: "train part", width: 124 });
  if (controls.n) stage.choice("n", { label: "points" });
  if (controls.curvature) stage.slider("curvature", { width: 110 });
  if (controls.noise) stage.slider("noise", { width: 100 });
  const numbers = stage.extra("numbers"), cells = ["", "", ""].map((text) => {
    const cell = numbers.appendChild(document.createElement("span")), value = cell.appendChild(document.createElement("b"));
    return [value, cell.appendChild(Object.assign(document.createElement("small"), { textContent: text }))];
  });

  const one = stage.panel(stage.column(1.18), { title: "What the line saw, and what it says",
    x: { label: given.labels[0], domain: given.domain }, y: { label: given.labels[1], domain: given.range } });
  const unseen = [one.zone(), one.zone()], truth = one.curve("truth", { width: 1.8, dash: "2 3" }), sticks = one.sticks("held", { opacity: 0.7, width: 1.5 });
  const train = one.dots("data", { size: 3.6, opacity: 0.85 }), test = one.dots("held", { size: 3.8, hollow: true });
  const seen = one.curve("ink", { width: 3, halo: 3 }), guess = one.curve("ink", { width: 3, dash: "9 6" });
  const names = [one.words("data"), one.words("held"), one.words("ink"), one.words("ink")], cut = one.curve("hand", { width: 2.5 });
  const handle = one.handle({
    label: "where the cut is",
    drag: ([x]) => move((stage.result.x.filter((v) => v < x).length) / stage.result.x.length),
    nudge: ([steps]) => { stage.touch(); fraction.place = clamp(fraction.place + steps, 0, fraction.places); },
  });
  const move = (share) => { stage.touch(); sequential.value = true; fraction.moveTo(share); };
  const mark = one.node.querySelector(".handle"), told = one.words("handtext", { anchor: "end" });
  one.hover((_x, _y, px, py) => {
    const { x, y, residuals } = stage.result ?? { x: [] }, i = x.length > 2000 ? -1 : one.nearest(x, y, px, py);
    return i < 0 ? null : { x: x[i], y: y[i], text: `residual ${short(residuals[i])}` };
  });

  const two = stage.panel(stage.column(1), { title: "Residuals of the line", note: "y \u2212 prediction; a stick is one test row",
    x: { label: given.labels[0], domain: given.domain }, y: { label: "", domain: [-1, 1] } });
  const shadow = [two.zone(), two.zone()], zero = two.curve("ink", { width: 1.6 }), bars = two.sticks("held", { width: 2.2, opacity: 1 });
  const small = two.dots("data", { size: 2.4 }), tops = two.dots("held", { size: 3.4, hollow: true }), where = [two.words("ink", { anchor: "middle" }), two.words("ink", { anchor: "middle" })];

  return (settings, now) => {
    const result = stage.explorer.compute(settings, given), { x, y, residuals, low, high, weight, bias } = result;
    const f = (v) => weight * v + bias, [left, right] = one.x.domain(), step = (right - left) / 100;
    const stride = Math.ceil(x.length / 2000), few = (rows) => Array.from(rows).filter((_, k) => k % stride === 0), pick = (values, rows) => rows.map((i) => values[i]);
    const [a, b] = [few(result.train), few(result.test)];
    for (const zones of [unseen, shadow]) { zones[0](left, Math.max(low - step, left)); zones[1](Math.min(high + step, right), right); }
    truth(result.truth ? few(x.keys()).map((i) => x[i]) : [], result.truth ? few(x.keys()).map((i) => result.truth[i]) : []);
    train(pick(x, a), pick(y, a));
    test(pick(x, b), pick(y, b));
    sticks(pick(x, b), pick(y, b), pick(x, b).map(f));
    seen([low, high], [f(low), f(high)]);
    guess([left, low, NaN, high, right], [f(left), f(low), NaN, f(high), f(right)]);
    names[0](`\u25cf ${whole(result.train.length)} train`, left, given.range[1], { dx: 8, dy: 26 });
    names[1](`\u25cb ${whole(result.test.length)} test`, left, given.range[1], { dx: 86, dy: 26 });
    names[2]("\u2014 line", left, given.range[1], { dx: 156, dy: 26 });
    names[3](settings.sequential && right - high > 0.22 * (right - left) ? "never seen" : "", high, given.range[0], { dx: 12, dy: -14 });
    const at = high + step;
    cut(settings.sequential ? [at, at] : [], settings.sequential ? given.range : []);
    mark.style.display = settings.sequential ? "" : "none";
    handle(at, given.range[0] + 0.12 * (given.range[1] - given.range[0]), now.high, `cut at ${fixed(now.high)}, ${result.train.length} rows to train`);
    told(settings.sequential ? `cut at ${fixed(high)}` : "", at, given.range[0] + 0.12 * (given.range[1] - given.range[0]), { dx: -16, dy: 4 });

    const most = Math.max(...residuals.map(Math.abs)), scale = [0.06, 0.15, 0.3, 0.6, 1.2, 2.4].find((v) => v * given.unit >= most * 1.02) ?? (2 * most) / given.unit;
    two.rescale(null, [-scale * given.unit, scale * given.unit]);
    zero([left, right], [0, 0]);
    bars(pick(x, b), b.map(() => 0), pick(residuals, b));
    tops(pick(x, b), pick(residuals, b));
    small(pick(x, a), pick(residuals, a));
    where[0](high - low > 0.3 * (right - left) ? "between" : "", (low + high) / 2, scale * given.unit, { dy: 14 });
    where[1](right - high > 0.14 * (right - left) ? "beyond" : "", (high + right) / 2, scale * given.unit, { dy: 14 });
    ["train", "between", "beyond"].forEach((name, k) => {
      const rows = name === "train" ? result.train : result[name], [value, label] = cells[k];
      value.textContent = result.rmse[name] === null ? "\u2013" : short(result.rmse[name]);
      value.style.color = `var(--${name === "train" ? "data" : "held"})`;
      label.title = "RMSE";
    label.textContent = rows.length ? `${name}, ${whole(rows.length)} rows` : `${name}: none`;
    });
    go.lastChild.textContent = settings.sequential ? "Split at random" : "New split";
  };
}

export default { compute, sentence, build };
