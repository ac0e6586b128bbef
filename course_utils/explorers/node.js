// Node: what two weights, a bias and an activation do to the output of one node and to its slope.
import { fixed } from "./stage/numbers.js";

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
export const ACTIVATIONS = { // the function and its slope
  tanh: [Math.tanh, (z) => 1 - Math.tanh(z) ** 2],
  ReLU: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
  sigmoid: [sigmoid, (z) => sigmoid(z) * (1 - sigmoid(z))],
  none: [(z) => z, () => 1],
};
const ENDS = [-4, 4], GRID = Array.from({ length: 161 }, (_, i) => -4 + i / 20);

export function compute({ w1, w2, b, x2, activation }) {
  const [f, slope] = ACTIVATIONS[activation], shift = w2 * x2 + b;
  const sums = GRID.map((x) => w1 * x + shift), slopes = sums.map((z) => w1 * slope(z));
  const steepest = slopes.reduce((best, s) => (Math.abs(s) > Math.abs(best) ? s : best), 0);
  return { x: GRID, sums, outputs: sums.map(f), slopes, steepest, bend: w1 ? -shift / w1 || 0 : null };
}

const term = (value, unit) => `${value < 0 ? "\u2212" : "+"} ${fixed(Math.abs(value), 1)}${unit}`;

// "tanh(1.0 x1 - 0.5)", with no part that is 0.
export function written({ w1, w2, b, x2, activation }) {
  const parts = [[w1, " x\u2081"], [w2 * x2, ""], [b, ""]].filter(([value]) => Math.abs(value) >= 0.05);
  const inside = parts.map(([value, unit]) => term(value, unit)).join(" ").replace(/^\+ /, "").replace(/^\u2212 /, "\u2212") || "0";
  return activation === "none" ? inside : `${activation}(${inside})`;
}

export function sentence(settings, { bend, outputs, steepest }) {
  const where = bend === null ? "The sum never changes" : Math.abs(bend) > 4 ? "The sum is 0 outside of the picture" : `The sum is 0 at x\u2081 = **${fixed(bend)}**`;
  return `${where}. From x\u2081 = \u22124 to 4 the output goes from ${fixed(outputs[0])} to **${fixed(outputs.at(-1))}**; its steepest slope is **${fixed(steepest)}**.`;
}

function build(stage) {
  stage.slider("w1", { label: "weight w\u2081", width: 116 });
  stage.slider("w2", { label: "weight w\u2082", width: 116 });
  stage.slider("b", { label: "bias b", width: 116 });
  stage.slider("x2", { label: "input x\u2082", width: 116 });
  stage.choice("activation");
  const formula = stage.extra("formula").appendChild(document.createElement("span"));
  const { w1, b, w2, x2 } = stage.controls;

  const axis = { label: "first input x\u2081", domain: ENDS };
  const one = stage.panel(stage.column(1), { title: "Sum and output", note: "drag the ring to move the bend", x: axis, y: { label: "value", domain: [-3.4, 3.4] } });
  const zero = one.curve("rule", { width: 1.5 }), sum = one.curve("truth", { width: 2, dash: "7 5" }), output = one.curve("data", { width: 3.2, halo: 3 });
  const names = [one.words("truth"), one.words("data")];
  const bend = one.handle({
    label: "where the sum is 0",
    drag: ([x]) => { stage.touch(); b.moveTo(-w1.value * x - w2.value * x2.value); },
    nudge: ([steps]) => { stage.touch(); b.moveTo(b.value - Math.sign(w1.value || 1) * 0.1 * steps); },
  });
  const mine = one.curve("danger", { width: 2, dash: "3 4" });
  const two = stage.panel(stage.column(1), { title: "Slope of the output", note: "what reaches the weights before it", x: axis, y: { label: "slope along x\u2081", domain: [-3.4, 3.4] } });
  const flat = two.curve("rule", { width: 1.5 }), slope = two.curve("held", { width: 3.2, halo: 3 }), steep = two.dots("held", { size: 5, opacity: 1 }), told = two.words("held");
  const read = (panel, name) => panel.hover((x) => {
    const i = Math.round((x + 4) * 20), values = stage.result?.[name];
    return values && i >= 0 && i <= 160 ? { x: GRID[i], y: values[i], text: `x\u2081 ${fixed(GRID[i], 1)}: ${fixed(values[i])}` } : null;
  });
  read(one, "outputs");
  read(two, "slopes");

  return (settings, now, proof) => {
    const { sums, outputs, slopes } = stage.explorer.compute(settings, stage.given), at = 128;
    zero(ENDS, [0, 0]);
    flat(ENDS, [0, 0]);
    sum(GRID, sums);
    output(GRID, outputs);
    slope(GRID, slopes);
    names[0](settings.activation === "none" ? "" : "sum", GRID[at], sums[at], { dx: 8, dy: -8 });
    names[1]("output", GRID[at], outputs[at], { dx: -10, dy: settings.activation === "none" ? -10 : 20 });
    const x = now.bend ?? 0;
    bend(x, 0, x, now.bend === null ? "the sum never changes" : `x1 ${fixed(now.bend)}`);
    const peak = slopes.indexOf(now.steepest);
    steep(peak < 0 ? [] : [GRID[peak]], peak < 0 ? [] : [now.steepest]);
    told(`steepest ${fixed(now.steepest)}`, GRID[Math.max(peak, 0)], now.steepest, { dx: 10, dy: now.steepest > 2.6 ? 16 : -10 });
    mine(proof?.kind === "departs" ? GRID : [], proof?.outputs ?? []);
    formula.textContent = written(settings);
  };
}

export default { compute, sentence, build };
