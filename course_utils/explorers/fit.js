// Fit: how far a polynomial may bend before new points are told worse, between and beyond.
import { clamp, fixed, short, whole } from "./stage/numbers.js";
import { beside, put, svg } from "./stage/panel.js";
import { polynomials } from "./stage/polynomials.js";
import { Generator } from "./stage/random.js";

const DEGREES = Array.from({ length: 15 }, (_, i) => i + 1), GRID = Array.from({ length: 241 }, (_, i) => i / 240);
const ENDS = [-2, 2], RMSES = [0.02, 30]; // of the axes
const fits = new Map(); // by rows: what no degree changes

function fitted(rows, key) {
  if (!fits.has(key)) {
    if (fits.size > 40) fits.clear();
    const { x, y, xVal, yVal, truth } = rows(), low = Math.min(...x), high = Math.max(...x), { at, top } = polynomials(x, y);
    const rmses = (points, targets) => {
      const sums = new Float64Array(top);
      points.forEach((point, i) => at(point).forEach((value, k) => { sums[k] += (value - targets[i]) ** 2 / points.length; }));
      return points.length ? Array.from(sums, Math.sqrt) : null;
    };
    const part = (keep) => [xVal, yVal].map((values) => values.filter((_, i) => (xVal[i] >= low && xVal[i] <= high) === keep));
    const [between, beyond] = [part(true), part(false)];
    fits.set(key, { x, y, xVal, yVal, truth, low, high, at, top, between: between[0].length, beyond: beyond[0].length,
      rmse: { train: rmses(x, y), all: rmses(xVal, yVal), between: rmses(...between), beyond: rmses(...beyond) } });
  }
  return fits.get(key);
}

// The points of datasets.make_curve(rows, noise, seed) without noise, and the draws of the noise.
function sampleOf(seed, rows) {
  const generator = new Generator(seed), x = Array.from({ length: rows }, () => Math.fround(4 * generator.uniform()) - 2);
  return { x, clean: x.map((v) => Math.fround(Math.sin(2 * v))), draw: generator.randn(rows) };
}

export function compute({ degree, noise, n, seed }, given) {
  const fit = fitted(() => {
    const { x, clean, draw } = sampleOf(seed, given.rows), y = clean.map((v, i) => v + noise * draw[i]);
    const all = Array.from(x.keys()), held = all.slice(0, given.held);
    const train = all.slice(given.held).filter((i) => Math.abs(x[i]) <= given.edge).slice(0, n);
    const sorted = all.toSorted((i, j) => x[i] - x[j]).filter((_, k) => k % 5 === 0), pick = (values, rows) => rows.map((i) => values[i]);
    return { x: pick(x, train), y: pick(y, train), xVal: pick(x, held), yVal: pick(y, held), truth: [pick(x, sorted), pick(clean, sorted)] };
  }, [noise, n, seed].join());
  return { ...fit, degree: Math.min(degree, fit.top) };
}

export function sentence({ degree: asked }, { degree, rmse, top, beyond }) {
  const at = degree - 1, cut = asked > top ? ` ${top + 1} points allow no degree above ${top}.` : "";
  const inner = rmse.between ?? rmse.all, best = inner.indexOf(Math.min(...inner)) + 1;
  const far = rmse.between && beyond ? ` Beyond them ${short(rmse.beyond[at])}: extrapolation.` : "";
  const start = inner[at] < 1.15 * inner[best - 1] ? "About as good as any degree here" : degree < best ? "Too stiff: underfitting" : "Too bendy: overfitting";
  const where = rmse.between ? "between them" : "on the validation points";
  return `**${start}.** RMSE ${short(rmse.train[at])} on its own points, ${short(inner[at])} ${where}; degree ${best} has ${short(inner[best - 1])}.${far}${cut}`;
}

function build(stage) {
  const { given, controls } = stage, { degree, seed } = controls, [left, right] = ENDS;
  const ghosts = { of: "", curves: [] }; // of the samples before, as long as nothing else moves
  stage.stop = () => { ghosts.curves = []; };
  const kind = () => [degree.value, controls.n.value, controls.noise.value].join();
  stage.button("New sample", () => {
    if (ghosts.of !== kind()) Object.assign(ghosts, { of: kind(), curves: [] });
    const { at, degree: d } = stage.result;
    ghosts.curves = [...ghosts.curves, GRID.map((v) => at(left + v * (right - left))[d - 1])].slice(-8);
    stage.touch();
    seed.place = (seed.place + 1) % (seed.places + 1);
  }, { main: true });
  const numbers = stage.numbers(3);
  stage.newRow();
  stage.slider("degree", { width: 140 });
  stage.more(() => {
    stage.slider("noise", { width: 100 });
    stage.slider("n", { label: "training points", width: 136 });
  });

  const one = stage.panel(stage.column(1.18), { title: "One curve through the training points",
    x: { label: "x", domain: ENDS }, y: { label: "y", domain: given.range } });
  const key = one.key([["data", "dot", ""], ["held", "ring", ""], ["truth", "dash", "truth"], ["ink", "line", ""]]);
  const unseen = [one.zone(), one.zone()], truth = one.curve("truth", { width: 2, dash: "5 4" }), held = one.dots("held", { size: 3.4, hollow: true });
  const many = one.dots("data", { size: 2.6, opacity: 0.4 }), before = one.group(false), inner = one.curve("ink", { width: 3, halo: 3 }), outer = one.curve("ink", { width: 3, dash: "3 6" });
  const train = one.dots("data", { size: 4.2, opacity: 0.9 }), exits = one.exits("ink"), far = [one.words("ink", { anchor: "middle" }), one.words("ink", { anchor: "middle" })];
  const range = svg(one.group(), "path", { fill: "none", stroke: "var(--track)", "stroke-width": 1.5 }), rangeName = svg(one.group(), "text", { "text-anchor": "middle" });
  one.hover((x, _y, px, py) => {
    const { x: xs, y: ys, xVal, yVal, at, degree: d } = stage.result, X = [...xs, ...xVal], Y = [...ys, ...yVal], i = one.nearest(X, Y, px, py, 9), told = at(i < 0 ? x : X[i])[d - 1];
    if (i >= 0) return { x: X[i], y: Y[i], text: `${i < xs.length ? "train" : "validation"}: x ${short(X[i])}, y ${short(Y[i])}\nthe curve says ${short(told)}` };
    return { x, y: clamp(told, ...given.range), text: `x ${short(x)}: the curve says ${short(told)}` };
  });

  const two = stage.panel(stage.column(1), { title: "RMSE of every degree", note: "log scale", margin: { right: 112 },
    x: { label: "degree", domain: [0.5, 15.5], ticks: [] }, y: { label: "", domain: RMSES, log: true, format: (v) => short(v) } });
  const floor = two.curve("truth", { width: 1.8, dash: "2 3" }), curves = { train: two.curve("data", { width: 2.6, halo: 2 }), between: two.curve("held", { width: 2.6, halo: 2 }), beyond: two.curve("held", { width: 2.4, dash: "5 4" }) };
  const mine = two.curve("danger", { width: 2, dash: "3 4" }), mark = two.curve("hand", { width: 1.5 }), dot = two.dots("data", { size: 5, opacity: 1 }), arrow = two.exits("held"), labels = svg(two.group(), "g");
  const ring = two.handle({
    label: "degree on its curve",
    drag: ([x]) => { stage.touch(); degree.moveTo(x); },
    nudge: ([steps, more]) => { stage.touch(); degree.place = clamp(degree.place + steps + more, 0, degree.places); },
  });
  const hint = two.hint("Drag me", { dx: 100, dy: 70 });
  two.hover((x) => {
    const { rmse, top } = stage.result, d = clamp(Math.round(x), 1, top), parts = ["train", "between", "beyond"].filter((name) => rmse[name]);
    return { x: d, y: clamp((rmse.between ?? rmse.all)[d - 1], ...RMSES), text: [`degree ${d}`, ...parts.map((name) => `${name} ${short(rmse[name][d - 1])}`)].join("\n") };
  });

  return (settings, result, proof) => {
    const { x, y, xVal, yVal, low, high, at, rmse, top, degree: d } = result, k = d - 1, curve = (v) => at(v)[k], grid = GRID.map((v) => left + v * (right - left));
    unseen[0](left, low);
    unseen[1](high, right);
    truth(...result.truth);
    held(xVal, yVal);
    for (const [dots, on] of [[train, x.length <= 60], [many, x.length > 60]]) dots(on ? x : [], y);
    before.replaceChildren(...(ghosts.of === kind() ? ghosts.curves : []).map((heights) => svg(null, "path", { fill: "none", stroke: "var(--ink)", "stroke-opacity": 0.16, "stroke-width": 1.5,
      d: `M${grid.map((v, i) => `${one.x(v).toFixed(1)},${clamp(one.y(heights[i]), -4000, 4000).toFixed(1)}`).join("L")}` })));
    const within = [low, ...grid.filter((v) => v > low && v < high), high], sides = [[...grid.filter((v) => v < low), low], [high, ...grid.filter((v) => v > high)]];
    inner(within, within.map(curve));
    const out = [...sides[0], NaN, ...sides[1]];
    outer(out, out.map(curve));
    exits(grid, grid.map(curve));
    key([`${whole(x.length)} train`, `${xVal.length} validation`, "truth", `degree ${d}`]);
    [[left, low], [high, right]].forEach(([from, to], i) => far[i](one.x(to) - one.x(from) > 54 ? "beyond" : "", (from + to) / 2, given.range[0], { dy: -8 }));
    const { bottom } = one.box;
    put(range, { d: `M${one.x(low)},${bottom}v4H${one.x(high)}v-4` });
    put(rangeName, { x: (one.x(low) + one.x(high)) / 2, y: bottom + 33 }).textContent = "range of the training points";

    const limit = (v) => clamp(v, RMSES[0], RMSES[1] * 30), all = DEGREES.slice(0, top), on = rmse.between ?? rmse.all;
    floor([0.5, 15.5], Array(2).fill(settings.noise || NaN));
    const drawn = { train: rmse.train, between: on, beyond: rmse.between && rmse.beyond };
    for (const [name, values] of Object.entries(drawn)) curves[name](values ? all : [], (values ?? []).map(limit));
    arrow(all, (drawn.beyond ?? on).map(limit));
    mine(proof?.rmses ? DEGREES : [], (proof?.rmses ?? []).map(limit));
    mark([d, d], RMSES);
    dot([d], [limit(rmse.train[k])]);
    const where = clamp(on[k], RMSES[0] * 1.3, RMSES[1] / 1.3);
    ring(d, where, d, `degree ${d}, RMSE ${short(on[k])} ${rmse.between ? "between the points" : "on the validation points"}`);
    hint(d, where);
    labels.replaceChildren();
    for (const v of all) if (v === d || (v % 2 && Math.abs(v - d) > 1)) svg(labels, "text", { x: two.x(v), y: two.box.bottom + 17, "text-anchor": "middle", ...(v === d && { class: "large bold", style: "fill:var(--handtext)" }) }, v);
    const names = [["train", "data", rmse.train, "the points it saw"], [rmse.between ? "between" : "validation", "held", on, `${rmse.between ? result.between : xVal.length} new points`],
      ["beyond", "held", drawn.beyond, `${result.beyond} new points`], [`noise ${fixed(settings.noise)}`, "truth", settings.noise && Array(top).fill(settings.noise), "the floor"]].filter(([, , values]) => values);
    for (const { y: height, name, role, note, way } of beside(names.map(([name, role, values, note]) => ({ y: two.y(limit(values[top - 1])), name, role, note })), two.box.top, two.box.bottom - 8, 31)) {
      svg(labels, "text", { x: two.box.right + 8, y: height, class: "bold", style: `fill:var(--${role})` }, name + way);
      svg(labels, "text", { x: two.box.right + 8, y: height + 14 }, note);
    }
    ["train", "between", "beyond"].forEach((name, i) => numbers[i](rmse[name] ? (rmse[name][k] < 0.0005 ? "< 0.001" : short(rmse[name][k])) : "\u2013", name, i ? "held" : "data"));
  };
}

export default { compute, sentence, build };
