// Line: fit a line by hand; see what each point costs, your best so far, and the lowest there is.
import { bowl } from "./stage/line.js";
import { clamp, short, whole } from "./stage/numbers.js";
import { svg } from "./stage/panel.js";

const STICKS = 400, SQUARES = 20;
const bowls = new WeakMap();

function bowlOf(given) {
  if (!bowls.has(given)) bowls.set(given, bowl(given.x, given.y));
  return bowls.get(given);
}

export function compute({ weight, bias }, given) {
  const surface = bowlOf(given);
  return { surface, loss: surface.loss(weight, bias), y: given.x.map((x) => weight * x + bias) };
}

export function sentence({ squares }, { surface, loss }, { x }) {
  const side = squares ? ` The mean of all ${whole(x.length)} squares is the loss: a square of side ${short(Math.sqrt(loss))}.` : "";
  if (loss <= surface.lowest * 1.001 + 1e-12) return `**No line does better**: ${short(surface.lowest)} is the lowest possible loss.${side}`;
  const times = surface.lowest > 1e-9 * loss ? `, **${short(Number((loss / surface.lowest).toPrecision(2)))} times** the lowest possible, ${short(surface.lowest)}` : ". The lowest possible is 0";
  return `The loss is ${short(loss)}${times}.${side}`;
}

function build(stage) {
  const { given, controls } = stage, { weight: W, bias: B } = controls, surface = bowlOf(given);
  const middle = (given.domain[0] + given.domain[1]) / 2, grips = given.domain.map((x) => x + 0.06 * (middle - x));
  let best = Infinity;
  stage.slider("weight", { width: 190 });
  stage.slider("bias", { width: 190 });
  stage.toggle("squares", { label: "show squares" });
  const scale = stage.extra("numbers"), cells = ["loss now", "your best", "lowest possible"].map((text) => {
    const cell = scale.appendChild(document.createElement("span")), value = cell.appendChild(document.createElement("b"));
    cell.appendChild(Object.assign(document.createElement("small"), { textContent: text }));
    return value;
  });

  const panel = stage.panel(stage.column(1), { title: "Your line", note: "drag an end, or the whole line",
    x: { label: given.labels[0], domain: given.domain }, y: { label: given.labels[1], domain: given.range } });
  const sticks = panel.sticks("data", { opacity: 0.35 }), group = panel.group(false), dots = panel.dots("data");
  const line = panel.curve("hand", { width: 3.5, halo: 5 });
  const at = (x) => W.value * x + B.value, byHand = (weight, bias) => { stage.touch(); W.moveTo(weight); B.moveTo(bias); };
  const grip = panel.grip(([, y], [, last]) => byHand(W.value, B.value + y - last));
  const unit = (given.range[1] - given.range[0]) / 100;
  const handles = grips.map((x, i) => panel.handle({
    label: `${i ? "right" : "left"} end of the line`,
    drag: ([, y]) => turn(i, y), nudge: ([, steps]) => steps && turn(i, at(x) + steps * unit) }));
  const turn = (i, y) => {
    const other = grips[1 - i], height = at(other), weight = (clamp(y, ...given.range) - height) / (grips[i] - other);
    byHand(weight, height - weight * other);
  };
  panel.hover((_x, _y, px, py) => {
    const i = panel.nearest(given.x, given.y, px, py);
    return i < 0 ? null : { x: given.x[i], y: given.y[i], text: `${short(given.x[i])}, ${short(given.y[i])}: residual ${short(given.y[i] - at(given.x[i]))}` };
  });
  const hint = panel.words("handtext", { anchor: "end" });
  const stride = Math.ceil(given.x.length / STICKS), few = given.x.map((_, i) => i).filter((i) => i % stride === 0);
  const order = given.x.map((_, i) => i).sort((a, b) => given.x[a] - given.x[b]);
  const chosen = Array.from({ length: Math.min(SQUARES, order.length) }, (_, k) => order[Math.round((k * (order.length - 1)) / Math.max(SQUARES - 1, 1))]);

  return ({ weight, bias, squares }, result) => {
    best = stage.touched ? Math.min(best, result.loss) : Infinity;
    const f = (x) => weight * x + bias, some = squares ? chosen : few, drawn = given.x.length > 2000 ? few : given.x.map((_, i) => i);
    sticks(some.map((i) => given.x[i]), some.map((i) => given.y[i]), some.map((i) => f(given.x[i])));
    dots(drawn.map((i) => given.x[i]), drawn.map((i) => given.y[i]));
    group.replaceChildren(...(squares ? chosen : []).map((i) => {
      const x = panel.x(given.x[i]), top = Math.min(panel.y(given.y[i]), panel.y(f(given.x[i]))), side = Math.abs(panel.y(given.y[i]) - panel.y(f(given.x[i])));
      return svg(null, "rect", { x: given.x[i] < middle ? x : x - side, y: top, width: side, height: side, fill: "var(--data)", "fill-opacity": 0.16, stroke: "var(--data)" });
    }));
    line(given.domain, given.domain.map(f));
    grip(grips, grips.map(f));
    const [low, high] = given.range, room = 0.04 * (high - low);
    handles.forEach((put, i) => {
      const y = clamp(f(grips[i]), low + room, high - room), x = y === f(grips[i]) || !weight ? grips[i] : clamp((y - bias) / weight, ...given.domain);
      put(x, y, f(grips[i]), `height ${short(f(grips[i]))}`);
    });
    [result.loss, best, surface.lowest].forEach((value, k) => { cells[k].textContent = Number.isFinite(value) ? short(value) : "\u2013"; });
    hint(stage.touched ? "" : "Drag an end \u2026", grips[1], clamp(f(grips[1]), low, high), { dx: -16, dy: 30 });
  };
}

export default { compute, sentence, build };
