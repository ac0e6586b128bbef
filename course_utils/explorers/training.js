// Training: learning rate, epochs, noise and the rest move data, losses and the path downhill.
import { bowl, levelsBetween, meanLoss, Rows } from "./stage/line.js";
import { clamp, fixed, short, whole } from "./stage/numbers.js";
import { svg } from "./stage/panel.js";

const CHEAP = 600_000; // steps, or rows for L1, that a frame has time for beside the run itself
const memory = new WeakMap();

function known(given) {
  if (!memory.has(given)) memory.set(given, { rows: new Rows(given.x, given.y, given.draw, given.seed), levels: {} });
  return memory.get(given);
}

// The steps that are kept: each of the first 80, then ever fewer, and the last.
function keptSteps(total) {
  const steps = [];
  for (let step = 0; step < total; step += Math.max(1, Math.floor(step / 40))) steps.push(step);
  return [...steps, total];
}

function runOf(s, lr = s.lr) {
  return { size: s.batch_size, epochs: s.epochs, noise: s.noise, lr, loss: s.loss, optimizer: s.optimizer, start: [s.weight, s.bias] };
}

function cost(settings, rows) {
  const total = settings.epochs * rows.perEpoch(settings.batch_size);
  return settings.loss === "MSELoss" ? total : settings.epochs * rows.n;
}

// The training loss at the end of the run for one learning rate.
function finalLoss(settings, rows, loss, lr) {
  const total = settings.epochs * rows.perEpoch(settings.batch_size);
  const [W, B] = rows.descend(runOf(settings, lr), [total]);
  return W.length ? loss(W[0], B[0]) : Infinity;
}

export function compute(settings, given) {
  const { rows } = known(given), per = rows.perEpoch(settings.batch_size), total = per * settings.epochs;
  const steps = keptSteps(total), [W, B] = rows.descend(runOf(settings), steps);
  const y = rows.targets(settings.noise), yVal = given.y_val.map((v, i) => v + settings.noise * given.draw_val[i]);
  const loss = meanLoss(given.x, y, settings.loss), lossVal = meanLoss(given.x_val, yVal, settings.loss);
  const train = W.map((w, i) => loss(w, B[i])), val = W.map((w, i) => lossVal(w, B[i]));
  const ended = W.length < steps.length; // no number is left
  const cheap = cost(settings, rows) * given.rates.length < CHEAP;
  return {
    y, yVal, W, B, train, val, loss, steps: steps.slice(0, W.length), per, total, ended,
    passed: steps.slice(0, W.length).map((step) => step / per),
    diverges: ended || !(train.at(-1) <= 10 * train[0]),
    surface: bowl(given.x, y),
    sweep: cheap ? given.rates.map((lr) => finalLoss(settings, rows, loss, lr)) : null,
  };
}

export function* later(settings, given) {
  const { rows } = known(given), loss = meanLoss(given.x, rows.targets(settings.noise), settings.loss);
  if (cost(settings, rows) * given.rates.length < CHEAP) return null;
  const sweep = [];
  for (const lr of given.rates) { sweep.push(finalLoss(settings, rows, loss, lr)); yield; }
  return sweep;
}

export function sentence(settings, result, given) {
  const { W, B, train, val, surface, passed, diverges, ended } = result;
  const limited = settings.loss === "MSELoss" && settings.optimizer === "SGD";
  if (diverges) {
    const where = ended ? `no number is left after epoch ${short(passed.at(-1))}` : `the training loss is ${short(train.at(-1))}`;
    return `**Diverges**: ${where}.${limited ? ` With steps on all points the limit is ${short(given.limit)}; a batch can be steeper.` : ""}`;
  }
  const lowest = settings.loss === "MSELoss" ? `, lowest possible ${short(surface.lowest)}` : "";
  return `Training loss **${short(train.at(-1))}**${lowest}; validation loss **${short(val.at(-1))}**. ` +
    `${whole(result.total)} steps end at weight ${fixed(W.at(-1), 3)}, bias ${fixed(B.at(-1), 3)}.`;
}

function build(stage) {
  const { given, controls } = stage, { epochs } = controls, cache = known(given).levels;
  let target = null;
  stage.play("Play from the first epoch", () => {
    if (epochs.place >= target) return false;
    epochs.place += 1;
  }, { begin: () => { target = epochs.place > 0 ? epochs.place : epochs.places; epochs.place = 0; } });
  stage.slider("epochs", { label: "epochs", width: 130 });
  stage.slider("lr", { label: "learning rate", width: 130 });
  stage.slider("noise", { label: "noise \u03c3", width: 100 });
  stage.select("batch_size", { label: "batch size" });
  stage.select("loss", { label: "loss" });
  stage.select("optimizer", { label: "optimizer" });
  const formula = stage.extra("formula"), now = formula.appendChild(document.createElement("span"));

  const one = stage.panel(stage.column(1.12), {
    title: "Data and line", x: { label: given.labels[0], domain: given.domain }, y: { label: given.labels[1], domain: given.range } });
  const residuals = one.sticks("data", { opacity: 0.25 }), dots = one.dots("data"), held = one.dots("held", { size: 3.4, hollow: true });
  const line = one.curve("ink", { width: 3, halo: 4 });
  const names = [one.words("data"), one.words("held"), one.words("ink")];

  const two = stage.panel(stage.column(1), {
    title: "Loss surface", note: "drag the start", filled: true, equal: true,
    x: { label: "weight", domain: given.around[0] }, y: { label: "bias", domain: given.around[1] } });
  const field = two.field(), path = two.curve("ink", { width: 1.7, halo: 3 }), seen = two.dots("ink", { size: 2.5, opacity: 1 });
  const mine = two.curve("danger", { width: 2, dash: "5 3", halo: 3 }), end = two.dots("ink", { size: 6, opacity: 1 });
  const words = [two.words("handtext"), two.words("ink"), two.words("danger")];
  const values = Array.from({ length: 3 }, () => two.words("ink", { bold: false, over: false }));
  const start = two.handle({
    label: "start of the path, weight and bias",
    drag: ([weight, bias]) => { stage.touch(); controls.weight.moveTo(weight); controls.bias.moveTo(bias); },
    nudge: ([dw, db]) => { stage.touch(); controls.weight.moveTo(controls.weight.value + 0.05 * dw); controls.bias.moveTo(controls.bias.value + 0.05 * db); },
  });
  two.hover((w, b) => stage.result && { x: w, y: b, text: `loss ${short(stage.result.loss(w, b))}` });

  const right = stage.column(0.95), log = { log: true, format: (v) => short(v) };
  const three = stage.panel(right, { title: "Loss while it trains", x: { label: "epochs passed", domain: given.passed, ...log }, y: { label: "", domain: given.losses, ...log } });
  const val = three.curve("held", { width: 2, dash: "5 3" }), train = three.curve("data", { width: 2 });
  const told = [three.words("held", { anchor: "end" }), three.words("data", { anchor: "end" })], badge = three.words("danger");
  three.hover((_x, _y, px, py) => {
    const { passed, train: t, val: v } = stage.result ?? { passed: [] }, i = three.nearest(passed, t, px, py, 60);
    return i < 1 ? null : { x: passed[i], y: t[i], text: `epoch ${short(passed[i])}: train ${short(t[i])}, validation ${short(v[i])}` };
  });

  const four = stage.panel(right, { title: "Final loss by learning rate", note: "drag the ring",
    x: { label: "learning rate", domain: [given.rates[0], given.rates.at(-1)], ...log }, y: { label: "", domain: given.losses, ...log } });
  const zone = svg(four.group(false), "rect", { fill: "var(--danger)", "fill-opacity": 0.13 }), beyond = four.words("danger", { bold: false, anchor: "end" });
  const sweep = four.curve("data", { width: 2 });
  const ring = four.handle({
    label: "learning rate on its curve",
    drag: ([lr]) => { stage.touch(); controls.lr.moveTo(lr); },
    nudge: ([steps, more]) => { stage.touch(); controls.lr.place = clamp(controls.lr.place + steps + more, 0, controls.lr.places); },
  });
  let last = null;

  return (settings, result, proof, extra) => {
    const { W, B, y, yVal, surface } = result, w = W.at(-1), b = B.at(-1), few = result.diverges ? 1e3 : 1e9;
    const inside = (v) => clamp(v, -few, few), cut = (v) => (Number.isFinite(v) ? clamp(v, given.losses[0] / 10, given.losses[1] * 10) : given.losses[1] * 10);
    residuals(given.x.slice(0, 200), y, given.x.slice(0, 200).map((v) => w * v + b));
    dots(given.x, y);
    held(given.x_val, yVal);
    const ends = given.domain;
    line(ends, ends.map((v) => w * v + b));
    now.textContent = `\u0177 = ${fixed(w)} x ${b < 0 ? "\u2212" : "+"} ${fixed(Math.abs(b))}`;
    names[0](`\u25cf ${whole(given.x.length)} train`, given.domain[0], given.range[1], { dx: 8, dy: 24 });
    names[1](`\u25cb ${whole(given.x_val.length)} validation`, given.domain[0], given.range[1], { dx: 90, dy: 24 });
    names[2]("your line", ends[1], w * ends[1] + b, { dx: -74, dy: 28 });

    const high = result.loss(two.x.domain()[1], two.y.domain()[1]), low = settings.loss === "MSELoss" ? surface.lowest : result.loss(surface.weight, surface.bias);
    const key = [settings.loss, settings.noise, ...two.x.range()].join();
    const levels = levelsBetween(Math.max(low * 1.05, high * 1e-3), high, 8);
    if (cache.key !== key || cache.stage !== stage) {
      Object.assign(cache, { key, stage });
      field(result.loss, levels);
      [1, Math.ceil(levels.length / 2), levels.length - 1].forEach((k, i) => {
        const level = levels[Math.min(k, levels.length - 1)], [x, at] = surface.level(settings.loss === "MSELoss" ? level : level ** 2, 0.6);
        values[i](settings.loss === "MSELoss" ? short(level) : "", x, at);
      });
    }
    path(W.map(inside), B.map(inside));
    const dotted = result.steps.findIndex((step) => step > 40), some = dotted < 0 ? W.length : dotted;
    seen(W.slice(0, some).map(inside), B.slice(0, some).map(inside));
    start(settings.weight, settings.bias, result.train[0], `weight ${fixed(settings.weight)}, bias ${fixed(settings.bias)}`);
    end([w], [b]);
    words[0]("start", settings.weight, settings.bias, { dx: 14, dy: 5 });
    words[1](`now (${fixed(w)}, ${fixed(b)})`, inside(w), inside(b), { dx: 11, dy: -8 });
    const departs = proof?.kind === "departs" && proof.weight;
    mine(departs ? proof.weight : [], departs ? proof.bias : []);
    words[2](departs ? "your loop" : "", departs ? proof.weight.at(-1) : 0, departs ? proof.bias.at(-1) : 0, { dx: 10, dy: 16 });

    train(result.passed.slice(1), result.train.slice(1).map(cut));
    val(result.passed.slice(1), result.val.slice(1).map(cut));
    const ts = cut(result.train.at(-1)), vs = cut(result.val.at(-1)), at = result.passed.at(-1);
    const ty = three.y(ts), vy = three.y(vs), apart = vs >= ts ? [Math.min(vy, ty) - 8, Math.max(vy, ty) + 16] : [Math.max(vy, ty) + 16, Math.min(vy, ty) - 8];
    told[0](result.diverges ? "" : `validation ${short(result.val.at(-1))}`, Math.max(at, 10), vs, { dy: apart[0] - vy });
    told[1](result.diverges ? "" : `train ${short(result.train.at(-1))}`, Math.max(at, 10), ts, { dy: apart[1] - ty });
    badge(result.diverges ? "\u2191 diverges" : "", given.passed[0], given.losses[1], { dx: 8, dy: 22 });

    const curve = result.sweep ?? extra;
    if (curve) last = curve;
    sweep(given.rates, (last ?? []).map(cut));
    const limited = settings.loss === "MSELoss" && settings.optimizer === "SGD", { box } = four;
    const x = clamp(four.x(given.limit), box.left, box.right);
    for (const [name, value] of Object.entries({ x, y: box.top, width: limited ? box.right - x : 0, height: box.bottom - box.top })) zone.setAttribute(name, value);
    beyond(limited ? `limit ${short(given.limit)}` : "no such limit here", limited ? given.limit : given.rates.at(-1), given.losses[1], { dx: -5, dy: 14 });
    ring(settings.lr, cut(result.train.at(-1)), Math.log10(settings.lr), `learning rate ${short(settings.lr)}, final loss ${short(result.train.at(-1))}`);
  };
}

export default { compute, sentence, later, build };
