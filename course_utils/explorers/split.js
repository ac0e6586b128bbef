// Split: a random split asks between the rows a line has seen, a cut asks beyond them.
import { clamp, fixed, short, whole } from "./stage/numbers.js";
import { Generator } from "./stage/random.js";
import { element } from "./stage/stage.js";

const DOMAIN = [-0.02, 1.04], RANGE = [-0.2, 2.3], kept = new Map(); // draws and orders, which no slider changes

function once(key, make) {
  if (kept.size > 60) kept.clear();
  return kept.get(key) ?? kept.set(key, make()).get(key);
}

// The rows x = arange(n) / n, y = 0.2 + 0.8 x + curvature x x + noise randn.
function rowsOf({ n, curvature, noise }) {
  const { x, draw } = once(`rows ${n}`, () => ({ x: Float64Array.from({ length: n }, (_, i) => i / n), draw: new Generator(420).randn(n) }));
  const truth = new Float64Array(n), y = new Float64Array(n);
  for (let i = 0; i < n; i++) y[i] = (truth[i] = 0.2 + 0.8 * x[i] + curvature * x[i] * x[i]) + noise * draw[i];
  return { x, truth, y };
}

// As Python rounds: halves to the even number.
function round(value) {
  const low = Math.floor(value), half = value - low;
  return half > 0.5 || (half === 0.5 && low % 2) ? low + 1 : low;
}

// Both parts, the least squares line through the first, and its residuals between and beyond it.
function fitted({ x, y }, rows, count) {
  const n = rows.length, residuals = new Float64Array(n), between = [], beyond = [], rmse = { train: 0, between: 0, beyond: 0 };
  let mx = 0, my = 0, xx = 0, xy = 0, low = Infinity, high = -Infinity;
  for (let k = 0; k < count; k++) { const i = rows[k]; mx += x[i] / count; my += y[i] / count; low = Math.min(low, x[i]); high = Math.max(high, x[i]); }
  for (let k = 0; k < count; k++) { const i = rows[k], dx = x[i] - mx; xx += dx * dx; xy += dx * (y[i] - my); }
  const weight = xx ? xy / xx : 0, bias = my - weight * mx;
  for (let k = 0; k < n; k++) {
    const i = rows[k], residual = (residuals[i] = y[i] - weight * x[i] - bias), inside = x[i] >= low && x[i] <= high;
    if (k >= count) (inside ? between : beyond).push(i);
    rmse[k < count ? "train" : inside ? "between" : "beyond"] += residual * residual;
  }
  for (const [name, length] of [["train", count], ["between", between.length], ["beyond", beyond.length]]) rmse[name] = length ? Math.sqrt(rmse[name] / length) : null;
  return { train: rows.subarray(0, count), test: rows.subarray(count), weight, bias, residuals, low, high, between, beyond, rmse };
}

let last = {}; // while nothing glides, what is drawn is what was computed

export function compute(settings) {
  if (last.settings === settings) return last.result;
  const data = rowsOf(settings), { n } = settings, count = round(settings.fraction * n);
  const cut = fitted(data, once(`rows in order ${n}`, () => Int32Array.from({ length: n }, (_, i) => i)), count);
  const random = fitted(data, once(`order ${n} ${settings.seed}`, () => new Generator(settings.seed).randperm(n)), count);
  const both = [[`Cut at ${short(cut.high)}`, cut, true], [`Random split ${settings.seed - 419}`, random, false]];
  last = { settings, result: { ...data, ...(settings.sequential ? cut : random), splits: both.map(([name, { rmse, between, beyond }, sequential]) =>
    ({ name, sequential, rmse, rows: { train: count, between: between.length, beyond: beyond.length } })) } };
  return last.result;
}

const rowsWord = (count) => `${whole(count)} ${count === 1 ? "row" : "rows"}`;

export function sentence({ sequential }, { rmse, high, between, beyond, test }) {
  const end = short(high), own = `${short(rmse.train)} on the rows it was fitted to`;
  if (!sequential) {
    if (!between.length) return `**Here the random split asks beyond**: no test row lies between those it was fitted to. RMSE ${short(rmse.beyond)}, ${own}.`;
    return `**A random split asks between rows the line has seen**: RMSE ${short(rmse.between)}, ${own}. ` +
      (beyond.length ? `${beyond.length} of ${rowsWord(test.length)} lie${beyond.length === 1 ? "s" : ""} beyond.` : `Beyond x = ${end} it asks nothing.`);
  }
  const times = rmse.beyond / rmse.train, factor = times >= 1.5 ? `${fixed(times, times < 10 ? 1 : 0)} times its ` : "its ";
  return `**A cut asks about x above ${end}, where the line has seen nothing**: RMSE ${short(rmse.beyond)}` + (times < 2000 ? `, ${times < 1.5 ? "beside " : ""}${factor}${own}.` : ".");
}

function build(stage) {
  const { controls } = stage, { sequential, seed, fraction } = controls, [left, right] = DOMAIN;
  const go = stage.button("Split at random", () => {
    stage.touch();
    if (sequential.value) sequential.value = false;
    else seed.place = (seed.place + 1) % (seed.places + 1);
  }, { main: true });
  stage.choice("sequential", { label: "who goes to the test", words: ["at random", "the end (cut)"] });
  const numbers = stage.numbers(2);
  stage.newRow();
  stage.slider("fraction", { label: "train part", width: 110 });
  stage.more(() => { stage.choice("n", { label: "points" }); for (const name of ["curvature", "noise"]) stage.slider(name, { width: 110 }); });

  const axis = { label: "x", domain: DOMAIN }, height = (share) => RANGE[0] + share * (RANGE[1] - RANGE[0]);
  const one = stage.panel(stage.column(1.18), { title: "What the line saw, and what it says", x: axis, y: { label: "y", domain: RANGE } });
  const key = one.key([["data", "dot", ""], ["held", "ring", ""], ["truth", "dots", "truth"], ["ink", "line", "fitted line"]]);
  const unseen = [one.zone(), one.zone()], truth = one.curve("truth", { width: 1.8, dash: "2 3" }), sticks = one.sticks("held", { opacity: 0.8, width: 1.5 });
  const train = one.dots("data", { size: 3.6, opacity: 0.85 }), test = one.dots("held", { size: 3.8, hollow: true });
  const seen = one.curve("ink", { width: 3 }), guess = one.curve("ink", { width: 3, dash: "9 6" }), mine = one.curve("danger", { width: 2.5, dash: "3 4" });
  const names = [one.words("ink", { anchor: "end" }), one.words("ink"), one.words("ink", { anchor: "middle" })];
  const cut = one.curve("hand", { width: 2.5 }), told = [one.words("handtext", { anchor: "end" }), one.words("handtext")];
  const handle = one.handle({
    label: "where the cut is",
    drag: ([x]) => { stage.touch(); sequential.value = true; fraction.moveTo(stage.result.x.filter((v) => v < x).length / stage.result.x.length); },
    nudge: ([steps, more]) => { stage.touch(); fraction.place = clamp(fraction.place + steps + more, 0, fraction.places); },
  });
  const mark = one.node.querySelector(".handle"), column = stage.column(1);
  const two = stage.panel(column, { title: "Residuals of the line", note: "y \u2212 prediction. A stick is a test row.", x: axis, y: { label: "residual", domain: [-1, 1] } });
  const shadow = [two.zone(), two.zone()], zero = two.curve("ink", { width: 1.6 }), bars = two.sticks("held", { width: 2.2, opacity: 1 });
  const small = two.dots("data", { size: 2.4 }), tops = two.dots("held", { size: 3.4, hollow: true }), where = [two.words("ink", { anchor: "middle" }), two.words("ink", { anchor: "middle" })];
  const table = splitsTable(column);
  let shown = []; // rows that are drawn: of many only some
  [one, two].forEach((panel, k) => panel.hover((_x, _y, px, py) => {
    const { x, y, residuals } = stage.result, pick = (values) => shown.map((i) => values[i]), i = shown[panel.nearest(pick(x), pick(k ? residuals : y), px, py)];
    return i === undefined ? null : { x: x[i], y: (k ? residuals : y)[i], text: `x ${short(x[i])}, y ${short(y[i])}\nresidual ${short(residuals[i])}` };
  }));

  // First what moves, then the words: a word is measured, and that waits for all that is new.
  return (settings, result, proof) => {
    const { x, y, truth: level, residuals, low, high, weight, bias, rmse } = compute(settings), f = (v) => weight * v + bias, step = (right - left) / 100;
    const few = (rows) => { const some = []; for (let k = 0; k < rows.length; k += Math.ceil(x.length / 1500)) some.push(rows[k]); return some; };
    const pick = (values, rows) => rows.map((i) => values[i]), a = few(result.train), b = few(result.test), on = settings.sequential, at = high + step;
    shown = [...a, ...b];
    const most = Math.max(...shown.map((i) => Math.abs(residuals[i]))), scale = [0.06, 0.15, 0.3, 0.6, 1.2, 2.4].find((v) => v >= most * 1.02) ?? 2 * most, top = 1.25 * scale;
    if (two.axes.y.domain[1] !== top) two.rescale(null, [-0.8 * top, top]);
    const ends = [low - left > 2.5 * step ? low - step : left, right - high > 2.5 * step ? high + step : right];
    for (const zones of [unseen, shadow]) { zones[0](left, ends[0]); zones[1](ends[1], right); }
    const all = [...shown].sort((i, j) => x[i] - x[j]);
    truth(pick(x, all), pick(level, all));
    for (const [dots, rows, values] of [[train, a, y], [test, b, y], [small, a, residuals], [tops, b, residuals]]) dots(pick(x, rows), pick(values, rows));
    const stuck = b.length > 250 ? [] : b; // more would be one block
    sticks(pick(x, stuck), pick(y, stuck), pick(x, stuck).map(f));
    bars(pick(x, stuck), stuck.map(() => 0), pick(residuals, stuck));
    for (const [line, points] of [[seen, [low, high]], [guess, [left, low, NaN, high, right]]]) line(points, points.map(f));
    mine([left, right], proof?.line ? [left, right].map((v) => proof.line[0] * v + proof.line[1]) : [NaN, NaN]);
    zero([left, right], [0, 0]);
    cut(on ? [at, at] : [], on ? RANGE : []);
    mark.style.display = on ? "" : "none";
    handle(at, height(0.12), result.high, `cut at ${short(result.high)}, ${rowsWord(result.train.length)} to train`);

    key([`${whole(result.train.length)} train`, `${whole(result.test.length)} test`, "truth", "fitted line"]);
    const before = one.x(at) - one.box.left, after = one.box.right - one.x(at), wide = (from, to) => two.x(to) - two.x(from), lower = 16;
    names[0](on && before > 150 ? "seen in training" : "", at, height(1), { dx: -12, dy: lower });
    names[1](on && after > 62 ? (after > 190 ? "never seen: the line guesses" : after > 96 ? "never seen" : "unseen") : "", at, height(1), { dx: 12, dy: lower });
    names[2](on ? "" : `seen in training: x from ${short(low)} to ${short(high)}`, (low + high) / 2, height(1), { dy: lower });
    const hint = on ? (stage.touched ? `cut at ${short(high)}` : `drag the cut at ${short(high)}`) : "";
    told.forEach((words, k) => words(before > 170 !== Boolean(k) ? hint : "", at, height(0.12), { dx: k ? 18 : -18, dy: 4 }));
    where[0](wide(low, high) > 190 ? (result.between.length ? "between" : "between: no test row") : "", (low + high) / 2, top, { dx: 20, dy: 13 });
    where[1](wide(ends[1], right) > 50 ? "beyond" : "", (ends[1] + right) / 2, top, { dy: 13 });
    ["between", "beyond"].forEach((name, k) => numbers[k](rmse[name] === null ? "\u2013" : short(rmse[name]), `RMSE ${name}`, rmse[name] === null ? "quiet" : "held"));
    table(result.splits, on);
    go.lastChild.textContent = on ? "Split at random" : "New split";
  };
}

// The two ways to split side by side.
function splitsTable(column) {
  const table = element(column, "table", { className: "splits" }), head = element(element(table, "thead"), "tr"), body = element(table, "tbody");
  for (const text of ["RMSE on the rows", "train", "between", "beyond"]) element(head, "th", { textContent: text, scope: "col" });
  return (splits, on) => body.replaceChildren(...splits.map(({ name, sequential, rmse, rows }) => {
    const row = element(null, "tr", { className: sequential === on ? "on" : "" });
    element(row, "th", { textContent: name, scope: "row" });
    for (const part of ["train", "between", "beyond"]) {
      const cell = element(row, "td", { textContent: rmse[part] === null ? "" : `${short(rmse[part])} ` });
      element(cell, "small", { textContent: rmse[part] === null ? "not asked" : rowsWord(rows[part]) });
    }
    return row;
  }));
}

export default { compute, sentence, build };
