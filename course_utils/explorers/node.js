// Node: what two weights, a bias and an activation do to the output of one node and to its slope.
import { clamp, fixed } from "./stage/numbers.js";
import { element } from "./stage/stage.js";

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
export const ACTIVATIONS = { // the function and its slope
  tanh: [Math.tanh, (z) => 1 - Math.tanh(z) ** 2],
  ReLU: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
  sigmoid: [sigmoid, (z) => sigmoid(z) * (1 - sigmoid(z))],
  none: [(z) => z, () => 1],
};
const ENDS = [-4, 4], HEIGHTS = [-3.4, 3.4], GRID = Array.from({ length: 801 }, (_, i) => -4 + i / 100);

export function compute({ w1, w2, b, x2, activation }) {
  const [f, slope] = ACTIVATIONS[activation], shift = w2 * x2 + b;
  const sums = GRID.map((x) => w1 * x + shift), slopes = sums.map((z) => w1 * slope(z));
  const steepest = slopes.reduce((best, s) => (Math.abs(s) > Math.abs(best) ? s : best), 0);
  return { x: GRID, sums, outputs: sums.map(f), slopes, steepest, bend: w1 ? -shift / w1 || 0 : null };
}

const term = (value, unit) => `${value < 0 ? "\u2212" : "+"} ${fixed(Math.abs(value), 1)}${unit}`;

// "tanh(1.0 x1 + 0.4 - 0.5)": the sum with w2 x2 as a number, and no part that is 0.
export function written({ w1, w2, b, x2, activation }) {
  const parts = [[w1, " x\u2081"], [w2 * x2, ""], [b, ""]].filter(([value]) => Math.abs(value) >= 0.05);
  const inside = parts.map(([value, unit]) => term(value, unit)).join(" ").replace(/^\+ /, "").replace(/^\u2212 /, "\u2212") || "0";
  return activation === "none" ? inside : `${activation}(${inside})`;
}

export function sentence({ activation }, { bend, outputs, steepest }) {
  const where = bend === null ? "**The sum never changes**" : Math.abs(bend) > 4 ? "**The sum is 0 outside of the picture**" : `**The sum is 0 at x\u2081 = ${fixed(bend)}**`;
  if (!steepest) return `${where}: the output is ${fixed(outputs[0])} everywhere and the slope is 0, so nothing reaches the weights before this node.`;
  const from = `from ${fixed(outputs[0])} to ${fixed(outputs.at(-1))}`;
  return `${where}. From x\u2081 = \u22124 to 4 the output goes ${from}; its steepest slope is **${fixed(steepest)}**${activation === "none" ? ", the weight w\u2081 everywhere" : ""}.`;
}

function build(stage) {
  for (const [name, label] of [["w1", "weight w\u2081"], ["w2", "weight w\u2082"], ["b", "bias b"]]) stage.slider(name, { label, width: 100 });
  stage.more(() => stage.slider("x2", { label: "input x\u2082", width: 100 }));
  stage.choice("activation");
  const formula = element(stage.extra("formula small"), "span"), { w1, b, w2, x2 } = stage.controls, shift = () => w2.value * x2.value + b.value;

  const axis = { label: "first input x\u2081", domain: ENDS };
  const one = stage.panel(stage.column(1), { title: "Sum and output", x: axis, y: { label: "", domain: HEIGHTS } });
  const key = one.key([["truth", "dash", "sum"], ["data", "line", "output"]]);
  const zero = one.curve("rule", { width: 1.5 }), sum = one.curve("truth", { width: 2, dash: "7 5" }), output = one.curve("data", { width: 3.2, halo: 3 }), mine = one.curve("danger", { width: 2.4, dash: "3 4" });
  const exits = [one.exits("truth"), one.exits("data")], end = one.words("data", { anchor: "end" });
  const bend = one.handle({
    label: "where the sum is 0",
    drag: ([x]) => { stage.touch(); b.moveTo(-w1.value * x - w2.value * x2.value); },
    nudge: ([steps]) => { stage.touch(); b.moveTo(b.value - Math.sign(w1.value || 1) * 0.1 * steps); },
  });
  const turn = one.handle({
    label: "how steep the sum is",
    drag: ([x, y]) => { stage.touch(); if (Math.abs(x) > 0.5) w1.moveTo((clamp(y, ...HEIGHTS) - shift()) / x); },
    nudge: ([, steps]) => { stage.touch(); w1.place = clamp(w1.place + steps, 0, w1.places); },
  });
  const mark = one.node.querySelector(".handle"), hint = one.hint("Drag the place", { dx: 110, dy: 80 });
  const two = stage.panel(stage.column(1), { title: "Slope of the output", note: "what reaches the weights before it", x: axis, y: { label: "slope along x\u2081", domain: HEIGHTS } });
  const flat = two.curve("rule", { width: 1.5 }), slope = two.curve("held", { width: 3.2, halo: 3 }), steep = two.dots("held", { size: 5, opacity: 1 }), told = two.words("held", { anchor: "middle" });
  for (const [panel, name] of [[one, "outputs"], [two, "slopes"]]) panel.hover((x) => {
    const i = clamp(Math.round((x + 4) * 100), 0, 800), { sums, [name]: values } = stage.result;
    return { x: GRID[i], y: values[i], text: `x\u2081 ${fixed(GRID[i])}\n${name === "outputs" ? `sum ${fixed(sums[i])}, output` : "slope"} ${fixed(values[i])}` };
  });

  return (settings, now, proof) => {
    const { sums, outputs, slopes } = stage.explorer.compute(settings, stage.given), shifted = settings.w2 * settings.x2 + settings.b;
    zero(ENDS, [0, 0]);
    flat(ENDS, [0, 0]);
    sum(GRID, sums);
    output(GRID, outputs);
    slope(GRID, slopes);
    exits[0](GRID, settings.activation === "none" ? [] : sums);
    exits[1](GRID, outputs);
    mine(GRID, proof?.kind === "departs" ? proof.outputs : GRID.map(() => NaN));
    key([settings.activation === "none" ? "" : "sum", settings.activation === "none" ? "output = sum" : "output"]);
    const last = outputs.at(-1), x = now.bend ?? 0, high = 2.9, turned = settings.w1 * 2 + shifted, y = clamp(turned, -high, high);
    end(Math.abs(last) < 3.4 ? `output ${fixed(last)}` : "", 4, last, { dx: x > 3 ? -28 : -2, dy: last > 2.8 || (y >= last && last > -2.8) ? 20 : -10 });

    mark.style.display = now.bend === null ? "none" : "";
    bend(clamp(x, -3.8, 3.8), 0, x, now.bend === null ? "the sum never changes" : `x1 ${fixed(x)}`);
    hint(x, 0);
    turn(turned === y || !settings.w1 ? 2 : clamp((y - shifted) / settings.w1, -3.8, 3.8), y, settings.w1, `w1 ${fixed(settings.w1, 1)}`);
    // A plateau is named below its middle, a peak above it or, close to the frame, beside it.
    const [first, until] = [slopes.indexOf(now.steepest), slopes.lastIndexOf(now.steepest)], peak = Math.max(Math.round((first + until) / 2), 0);
    const up = now.steepest > 0 ? -12 : 20, close = Math.abs(now.steepest) > 2.9, offset = !close ? { dy: up } : until - first > 100 ? { dy: 8 - up } : { dx: 62, dy: 18 };
    steep([GRID[peak]], [now.steepest]);
    told(`steepest ${fixed(now.steepest)}`, GRID[peak], now.steepest, offset);
    formula.textContent = written(settings);
  };
}

export default { compute, sentence, build };
