// Training: learning rate, epochs, noise and the rest move data, losses and the path downhill.
import { scaleLinear } from "d3-scale";
import { bands } from "./stage/bands.js";
import { bowl, levelsBetween, lowestAbsolute, meanLoss, meanLosses, Rows } from "./stage/line.js";
import { movableLine } from "./stage/ends.js";
import { clamp, decade, fixed, short, whole } from "./stage/numbers.js";
import { element } from "./stage/stage.js";
import { atOnce, isQuick, sweep } from "./stage/sweep.js";
import { walk } from "./stage/walk.js";

const ROUGH = 400; // rows whose mean absolute error is drawn, for it takes each row at each spot
const MOST = 2000; // points that are drawn
const memory = new WeakMap();

function rowsOf(given) {
  if (!memory.has(given)) memory.set(given, Object.assign(new Rows(given.x, given.y, given.draw, given.seed), { xVal: Float64Array.from(given.x_val) }));
  return memory.get(given);
}

// What follows from the data with their noise alone: targets, the loss of any line, the surface.
function taskOf({ noise, loss: kind }, given) {
  const rows = rowsOf(given), { x } = rows, y = rows.targets(noise);
  if (rows.task?.y === y && rows.task.kind === kind) return rows.task;
  const yVal = rows.xVal.map((_, i) => given.y_val[i] + noise * given.draw_val[i]), surface = bowl(x, y), mse = kind === "MSELoss";
  const stride = mse ? 1 : Math.ceil(x.length / ROUGH), part = (all) => all.filter((_, i) => i % stride === 0);
  const loss = mse ? surface.loss : meanLoss(x, y, kind), rough = stride > 1 ? meanLoss(part(x), part(y), kind) : loss;
  return (rows.task = { kind, y, yVal, loss, rough, surface, lowest: mse ? surface.lowest : lowestAbsolute(x, y) });
}

// The steps that are kept: each of the first 80, then ever fewer, and the last.
function keptSteps(total) {
  const steps = [];
  for (let step = 0; step < total; step += Math.max(1, Math.floor(step / 40))) steps.push(step);
  return [...steps, total];
}

function runOf(s) {
  return { size: s.batch_size, epochs: s.epochs, noise: s.noise, lr: s.lr, loss: s.loss, optimizer: s.optimizer, start: [s.weight, s.bias] };
}

// Whether there is a rate beyond which steps grow: others than these take steps of bounded size.
const isLimited = ({ loss, optimizer }) => loss === "MSELoss" && optimizer === "SGD";

const many = (n, thing) => `${whole(n)} ${thing}${n === 1 ? "" : "s"}`;

export function compute(settings, given) {
  const run = runOf(settings), rows = rowsOf(given), per = rows.perEpoch(settings.batch_size), total = per * settings.epochs;
  const steps = keptSteps(total), [W, B, reached] = rows.descend(run, steps);
  const { y, yVal, loss, rough, surface, lowest } = taskOf(settings, given), ended = W.length < steps.length; // no number is left
  const train = meanLosses(rows.x, y, settings.loss, W, B), val = meanLosses(rows.xVal, yVal, settings.loss, W, B);
  const corner = loss(given.around[0][1], given.around[1][1]), grown = 10 * Math.max(train[0], corner);
  return {
    lowest, y, yVal, W, B, train, val, loss, rough, surface, steps: steps.slice(0, W.length), per, total, ended, reached,
    passed: steps.slice(0, W.length).map((step) => step / per),
    diverges: ended || (isLimited(settings) && !(train.at(-1) <= grown)),
    sweep: isQuick(rows, run, given.rates) ? atOnce(sweep(rows, run, given.rates, loss)) : null,
  };
}

export function* later(settings, given) {
  const run = runOf(settings), rows = rowsOf(given);
  return isQuick(rows, run, given.rates) ? null : yield* sweep(rows, run, given.rates, taskOf(settings, given).loss);
}

export function sentence(settings, result, given) {
  const { W, B, train, val, diverges, ended, reached } = result;
  if (diverges) {
    const where = ended ? `no number is left after ${many(reached, "step")}` : `the training loss is ${short(train.at(-1))}`;
    return `**Diverges**: ${where}. On all points the limit is a rate of ${short(given.limit)}; a batch can be steeper.`;
  }
  const lowest = result.lowest === null ? "" : `, lowest possible ${short(result.lowest)}`;
  return `Training loss **${short(train.at(-1))}**${lowest}; validation loss **${short(val.at(-1))}**. ` +
    `${many(result.total, "step")} ${result.total === 1 ? "ends" : "end"} at weight ${fixed(W.at(-1), 3)}, bias ${fixed(B.at(-1), 3)}.`;
}

function build(stage) {
  const { given, controls } = stage, { epochs, weight: W, bias: B } = controls;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const byHand = (weight, bias) => { stage.touch(); W.slideTo(weight); B.slideTo(bias); };
  // Playing goes from one number of epochs to the next; between them the path is drawn step by step.
  let target = 0, before = 0, share = 1;
  stage.play("Play from the first epoch", (seconds) => {
    share += seconds * (epochs.place < 10 ? 8 : 14);
    if (share >= 1 && epochs.place >= target) return false;
    if (share >= 1) {
      before = stage.result.total;
      share = Math.min(share - 1, 1);
      epochs.place += 1;
    }
    return true;
  }, { begin: () => { target = epochs.place > 0 ? epochs.place : epochs.places; epochs.place = before = share = 0; } });
  const counter = stage.extra("count");
  element(counter, "small", { textContent: "epoch" });
  const passed = element(counter, "b");
  const room = Object.keys(given.presets).length ? 0 : 24; // for longer numbers, where no presets stand
  for (const [name, label, width] of [["epochs", "epochs", 116], ["lr", "learning rate", 130], ["noise", "noise \u03c3", 84]]) stage.slider(name, { label, width: width + room });
  stage.more(() => { for (const name of ["batch_size", "loss", "optimizer"]) stage.select(name); });
  const trained = stage.extra("result"), line = element(trained, "b");
  element(trained, "small", { textContent: "trained line" });

  const draws = [drawData(stage, byHand), drawSurface(stage, byHand)], right = stage.column(0.95);
  draws.push(drawLosses(stage, right), drawRates(stage, right));
  return (settings, result, proof, extra) => {
    const reach = stage.playing && !calm.matches ? before + Math.min(share, 1) * (result.total - before) : result.total;
    const seen = Math.max(result.steps.findLastIndex((step) => step <= reach), 0), w = result.W[seen], b = result.B[seen];
    const far = result.diverges && !(result.train[seen] <= 10 * result.train[0]);
    passed.textContent = whole(Math.floor(reach / result.per));
    line.textContent = far ? "diverges" : `\u0177 = ${fixed(w)} x ${b < 0 ? "\u2212" : "+"} ${fixed(Math.abs(b))}`;
    line.style.color = far ? "var(--danger)" : "";
    for (const draw of draws) draw(settings, result, { w, b, seen, far, ended: Math.floor(reach / result.per), proof, extra });
  };
}

// Points, the line of the start, which a hand can move, and the trained line.
function drawData(stage, byHand) {
  const { given } = stage, [left, right] = given.domain, [low, high] = given.range, room = 0.05 * (right - left), ends = [left + room, right - room];
  const panel = stage.panel(stage.column(1.12), {
    title: "Data and line", note: "drag an end of the first line", x: { label: given.labels[0], domain: given.domain }, y: { label: given.labels[1], domain: given.range } });
  const residuals = panel.sticks("data", { opacity: 0.25 }), dots = panel.dots("data"), held = panel.dots("held", { size: 3.4, hollow: true });
  const first = panel.curve("hand", { width: 2 }), line = panel.curve("ink", { width: 2.5, halo: 2 });
  const names = [panel.words("data"), panel.words("held")], start = panel.words("handtext");
  const after = panel.words("ink", { anchor: "end" }), gone = panel.words("danger", { anchor: "middle" });
  const few = given.x.slice(0, 200), count = `\u25cf ${whole(given.x.length)} train`;
  const movable = movableLine(stage, panel, { ends, range: given.range, unit: (high - low) / 100, name: "first line", text: (height) => `height ${short(height)}`, move: byHand });
  panel.hover((_x, _y, px, py) => {
    const { y, yVal, W, B } = stage.result, i = panel.nearest(given.x, y, px, py), j = i < 0 ? panel.nearest(given.x_val, yVal, px, py) : -1;
    const [x, height, part] = i < 0 ? [given.x_val[j], yVal[j], "validation"] : [given.x[i], y[i], "train"];
    return i + j === -2 ? null : { x, y: height, text: `${part}: ${short(x)}, ${short(height)}\nresidual ${short(height - W.at(-1) * x - B.at(-1))}` };
  });
  return (settings, { y, yVal }, { w, b, far, ended }) => {
    const f = (x) => w * x + b, { box } = panel;
    residuals(far ? [] : few, y, few.map(f));
    dots(given.x.slice(0, MOST), y);
    held(given.x_val.slice(0, MOST / 4), yVal);
    line(given.domain, given.domain.map(f));
    first(ends, ends.map((x) => settings.weight * x + settings.bias));
    const tips = movable(settings.weight, settings.bias);
    const tip = panel.y(tips[0][1]), over = tip + 44 > box.bottom || (settings.weight < 0 && tip - 34 > box.top); // a falling line is under its left end
    start("first line", ...tips[0], { dx: 14, dy: over ? -16 : 22 });
    const down = panel.y(tips[0][1]) < box.top + 64, dy = down ? box.bottom - box.top - 8 : 28; // where the first line is not
    names[0](count, left, high, { dx: 8, dy });
    names[1](`\u25cb ${whole(given.x_val.length)} validation`, left, high, { dx: 14 + 7.2 * count.length, dy });
    // The name of the trained line: below or above it where the first line is not.
    const text = `after ${many(ended, "epoch")}`, from = panel.x.invert(box.right - 8 * text.length), mine = (x) => settings.weight * x + settings.bias;
    const spans = [f, mine].map((line) => [right, from].map((x) => panel.y(line(x))).sort((a, b) => a - b)).map(([top, bottom], k) => [top - 4 * k, bottom + 12 * k]);
    const spot = [spans[0][1] + 18, spans[1][1] + 18, spans[0][0] - 9].find((y) => y < box.bottom - 4 && y > box.top + 44 && spans.every(([top, bottom]) => y < top - 4 || y > bottom + 14));
    after(far || !spot ? "" : text, right, high, { dy: spot - box.top });
    gone(far ? "\u2191 the line leaves the picture" : "", (left + right) / 2, low, { dy: down ? -28 : -12 });
  };
}

// The loss of every line, the start, which a hand can move, and the path from it.
function drawSurface(stage, byHand) {
  const { given, controls: { weight: W, bias: B } } = stage, nudges = given.around.map(([low, high]) => (high - low) / 100);
  const panel = stage.panel(stage.column(1), { title: "Loss surface", note: "drag the start", filled: true, equal: given.equal,
    x: { label: "weight", domain: given.around[0] }, y: { label: "bias", domain: given.around[1] } });
  const shades = bands(panel);
  const mine = panel.curve("danger", { width: 1.8, dash: "5 3", halo: 2 }), path = walk(panel), end = panel.dots("ink", { size: 6, opacity: 1 }), yours = panel.words("danger");
  const now = panel.words("ink", { anchor: "end" }), word = panel.words("ink", { anchor: "middle" });
  const start = panel.handle({ label: "start of the path, weight and bias", drag: (at) => byHand(...at),
    nudge: ([dw, db]) => byHand(W.value + dw * nudges[0], B.value + db * nudges[1]) });
  panel.hover((w, b) => ({ x: w, y: b, text: `weight ${fixed(w)}, bias ${fixed(b)}\nloss ${short(stage.result.loss(w, b))}` }));
  const at = (w, b) => [panel.x(w), panel.y(b)];
  return (settings, result, { w, b, seen, far, proof }) => {
    const { box } = panel, { W: ws, B: bs, steps } = result, { weight, bias } = settings;
    const levels = (low, high) => (settings.loss === "MSELoss" ? levelsBetween(Math.max(low * 1.1, high / 150), high * 0.95, 8) : scaleLinear().domain([low, high]).ticks(8).slice(1));
    shades(result.loss, { key: `${settings.loss} ${settings.noise}`, lowest: [result.surface.weight, result.surface.bias], levels, rough: result.rough }, [weight, bias]);
    const [sx, sy] = at(weight, bias), [ex, ey] = at(w, b), [cx, cy] = at(result.surface.weight, result.surface.bias);
    const tip = path(ws, bs, steps, { to: seen, word: far ? "diverges" : "leaves the picture" }), stays = !tip;
    end(stays ? [w] : [], [b]);
    const low = sy > (box.top + box.bottom) / 2; // in a corner away from the start, for it would cover the path
    now(stays ? `\u25cf now (${fixed(w)}, ${fixed(b)})` : "", given.around[0][1], given.around[1][0], { dx: 999, dy: low ? -9999 : 999 });
    const near = Math.hypot(ex - sx, ey - sy) < 90, below = near ? ey <= sy : cy <= sy, place = sy + (below ? 26 : -17), fits = place < box.bottom - 4 && place > box.top + 14 && !(tip && Math.hypot(tip[0] - sx, tip[1] - place) < 70);
    word(near && !fits ? "" : "start", weight, bias, fits ? { dy: below ? 26 : -17 } : { dx: (ex >= sx && sx - 56 > box.left) || sx + 56 > box.right ? -36 : 36, dy: 5 });
    start(weight, bias, result.train[0], `weight ${fixed(weight)}, bias ${fixed(bias)}`);
    const departs = proof?.kind === "departs" && proof.weight;
    mine(departs ? proof.weight : [], departs ? proof.bias : []);
    yours(departs ? "your loop" : "", departs ? proof.weight.at(-1) : 0, departs ? proof.bias.at(-1) : 0, { dx: 10, dy: 16 });
  };
}

// Both losses as the run goes on.
function drawLosses(stage, column) {
  const { given } = stage, [low, high] = given.losses, log = { log: true, format: decade };
  const panel = stage.panel(column, { title: "Loss while it trains", x: { label: "epochs passed", domain: given.passed, ...log }, y: { label: "", domain: given.losses, ...log } });
  const val = panel.curve("held", { width: 2, dash: "5 3" }), train = panel.curve("data", { width: 2 }), words = [panel.words("held"), panel.words("data")];
  const away = panel.arrow("danger"), badge = panel.words("danger");
  panel.hover((_x, _y, px) => {
    const { passed, train: t, val: v } = stage.result, far = passed.map((x) => (x ? Math.abs(panel.x(x) - px) : Infinity)), i = far.indexOf(Math.min(...far));
    return far[i] < 60 ? { x: passed[i], y: t[i], text: `epoch ${short(passed[i])}\ntrain ${short(t[i])}\nvalidation ${short(v[i])}` } : null;
  });
  return (_settings, result, { seen, far }) => {
    const { box } = panel, passed = result.passed.slice(1, seen + 1), losses = [result.val, result.train].map((all) => all.slice(1, seen + 1).map((v) => cut(v, given)));
    val(passed, losses[0]);
    train(passed, losses[1]);
    const x = panel.x(passed.at(-1) ?? given.passed[0]), ys = losses.map((all) => panel.y(all.at(-1) ?? high));
    const texts = ["validation", "train"].map((name, k) => (far || !passed.length ? "" : `${name} ${short([result.val, result.train][k][seen])}`)), wide = 7.2 * Math.max(...texts.map((text) => text.length));
    const span = (from) => { const all = losses.flatMap((some) => some.filter((_, i) => panel.x(passed[i]) > from).map((v) => panel.y(v))); return [Math.min(...all), Math.max(...all)]; };
    const fits = box.right - x > wide + 8, [top, bottom] = span(x - wide), middle = (ys[0] + ys[1]) / 2, apart = Math.max(Math.abs(ys[0] - ys[1]) / 2, 7.5);
    // Right of the ends; or left of them, over and under the curves, if these are flat; or in the corner above or below.
    const flat = bottom - top < 30, corner = span(box.right - wide)[0] > box.top + 30 ? box.top + 12 : box.bottom - 20;
    const [from, to] = fits ? [middle - apart + 4, middle + apart + 4] : !flat ? [corner, corner + 15] : bottom + 18 < box.bottom ? [top - 8, bottom + 16] : [top - 23, top - 8];
    const spots = [clamp(from, box.top + 12, box.bottom - 20)], upper = ys[0] <= ys[1] ? 0 : 1;
    spots.push(clamp(to, spots[0] + 15, box.bottom - 4));
    words.forEach((word, k) => word(texts[k], passed.at(-1) ?? 1, high, { dx: fits ? 6 : flat ? -7.2 * texts[k].length : 999, dy: spots[k === upper ? 0 : 1] - box.top }));
    const out = far ? losses[1].findIndex((v) => v > high) : -1, edge = Math.max(panel.x(passed[Math.max(out, 0)] ?? given.passed[0]), box.left);
    away(...(out < 0 ? [[0, 0], [0, 0]] : [[edge + 12, box.top + 34], [edge + 12, box.top + 3]]));
    badge(out < 0 ? "" : "diverges", given.passed[0], high, { dx: edge + 24 - box.left, dy: 22 });
  };
}

// Where the run ends for each learning rate; the rate is a handle on this curve.
function drawRates(stage, column) {
  const { given, controls } = stage, { lr } = controls, [low, high] = given.losses, log = { log: true, format: decade };
  const panel = stage.panel(column, { title: "Final loss by learning rate", note: "drag the ring", x: { label: "learning rate", domain: [given.rates[0], given.rates.at(-1)], ...log }, y: { label: "", domain: given.losses, ...log } });
  const zone = panel.zone("danger"), here = panel.curve("hand", { width: 1, dash: "2 3" }), old = panel.curve("data", { width: 2, opacity: 0.3 }), ends = panel.curve("data", { width: 2 });
  const beyond = panel.words("danger", { bold: false, anchor: "end" }), free = panel.words("quiet", { bold: false, anchor: "end" }), word = panel.words("handtext", { anchor: "middle" });
  const ring = panel.handle({ label: "learning rate on its curve", drag: ([rate]) => { stage.touch(); lr.moveTo(rate); },
    nudge: ([across, up]) => { stage.touch(); lr.place = clamp(lr.place + across + up, 0, lr.places); } });
  let rates = [], last = [], met = false; // whether a run has been beyond the border since the last reset
  panel.hover((x) => {
    const i = rates.reduce((best, rate, k) => (Math.abs(Math.log(rate / x)) < Math.abs(Math.log(rates[best] / x)) ? k : best), 0);
    return last.length ? { x: rates[i], y: cut(last[i], given), text: `rate ${short(rates[i])}\nloss ${short(last[i])}` } : null;
  });
  return (settings, result, { extra }) => {
    const { box } = panel, curve = result.sweep ?? extra, limited = isLimited(settings);
    met = (met && stage.touched) || (limited && (settings.lr > given.limit || result.diverges));
    const known = given.rates.map((rate, i) => !Number.isNaN(curve?.[i]) && (met || !limited || rate <= settings.lr * 1.001)); // its rise would tell the border
    if (curve) [rates, last] = [given.rates, curve].map((all) => all.filter((_, i) => known[i]));
    ends(curve ? rates : [], last.map((v) => cut(v, given)));
    old(curve ? [] : rates, last.map((v) => cut(v, given))); // of other settings, until this one is computed
    zone(limited && met ? given.limit : given.rates.at(-1), given.rates.at(-1));
    const wait = curve ? null : "computing \u2026";
    beyond(limited && met ? wait ?? `diverges beyond ${short(given.limit)} \u2192` : "", given.limit, high, { dx: -6, dy: 14 });
    free(limited ? "" : wait ?? `no limit for ${settings.optimizer === "Adam" ? "Adam" : "L1"}`, given.rates.at(-1), high, { dx: -4, dy: 14 });
    const y = clamp(panel.y(cut(result.train.at(-1), given)), box.top + 34, box.bottom - 13), x = clamp(panel.x(settings.lr), box.left + 12, box.right - 12);
    here([settings.lr, settings.lr], given.losses);
    ring(panel.x.invert(x), panel.y.invert(y), Math.log10(settings.lr), `learning rate ${short(settings.lr)}, final loss ${short(result.train.at(-1))}`);
    word(`lr ${short(settings.lr)}`, panel.x.invert(x), high, { dy: (y < box.top + 48 ? y + 27 : y - 16) - box.top });
  };
}

// A loss as high as is drawn, if it is higher.
const cut = (value, { losses: [low, high] }) => (Number.isFinite(value) ? clamp(value, low / 10, high * 10) : high * 10);

export default { compute, sentence, later, build };
