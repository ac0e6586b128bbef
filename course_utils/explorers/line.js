// Line: fit a line by hand; see what each point costs, your best so far, and the lowest there is.
import { movableLine } from "./stage/ends.js";
import { bowlOf } from "./stage/line.js";
import { clamp, short, whole } from "./stage/numbers.js";
import { element } from "./stage/stage.js";
import { put, svg } from "./stage/panel.js";

const STICKS = 400, SQUARES = 20, POINTS = 2000; // at most drawn

export function compute({ weight, bias }, given) {
  const surface = bowlOf(given);
  return { surface, loss: surface.loss(weight, bias), y: given.x.map((x) => weight * x + bias) };
}

export function sentence({ squares }, { surface, loss }, { x }) {
  const side = squares ? ` It is the mean of all ${whole(x.length)} squares: a square of side ${short(Math.sqrt(loss))}.` : "";
  if (loss <= surface.lowest * 1.001 + 1e-12) return `**No line does better**: ${short(surface.lowest)} is the lowest possible loss.${side}`;
  const ratio = loss / surface.lowest, more = ratio < 1.05 ? `${short(Number((100 * ratio - 100).toPrecision(1)))} % above` : `${short(Number(ratio.toPrecision(2)))} times`;
  const times = surface.lowest > 1e-9 * loss ? `, **${more}** the lowest possible, ${short(surface.lowest)}` : ". The lowest possible is 0";
  return `The loss is ${short(loss)}${times}.${side}`;
}

function build(stage) {
  const { given } = stage, surface = bowlOf(given);
  let best = Infinity;
  stage.slider("weight", { width: 190 });
  stage.slider("bias", { width: 190 });
  stage.toggle("squares", { label: "show squares" });
  const numbers = stage.extra("numbers"), cells = ["loss now", "your best", "lowest possible"].map((text) => {
    const cell = element(numbers, "span"), value = element(cell, "b");
    element(cell, "small", { textContent: text });
    return value;
  });
  const drawLine = linePanel(stage), drawSquare = squarePanel(stage, surface);
  return (settings, { loss }) => {
    best = stage.touched ? Math.min(best, loss) : Infinity;
    [loss, best, surface.lowest].forEach((value, k) => { cells[k].textContent = Number.isFinite(value) ? short(value) : "\u2013"; });
    drawLine(settings);
    drawSquare(loss, best);
  };
}

// Points, the line, and a stick or a square for each residual.
function linePanel(stage) {
  const { given, controls: { weight: W, bias: B } } = stage, { x, y, domain, range } = given, middle = (domain[0] + domain[1]) / 2;
  const ends = domain.map((end) => end + 0.06 * (middle - end)), at = (i) => W.value * x[i] + B.value;
  const panel = stage.panel(stage.column(2.6), { title: "Your line", note: "drag an end, or the whole line",
    x: { label: given.labels[0], domain }, y: { label: given.labels[1], domain: range } });
  const sticks = panel.sticks("data", { opacity: 0.35 }), group = panel.group(false), dots = panel.dots("data"), line = panel.curve("hand", { width: 3.5, halo: 4 });
  const movable = movableLine(stage, panel, { ends, range, unit: (range[1] - range[0]) / 100, text: (height) => `height ${short(height)}`,
    move: (weight, bias) => { stage.touch(); W.slideTo(weight); B.slideTo(bias); } });
  panel.hover((_x, _y, px, py) => {
    const i = panel.nearest(x, y, px, py);
    return i < 0 ? null : { x: x[i], y: y[i], text: `${short(x[i])}, ${short(y[i])}\nresidual ${short(y[i] - at(i))}` };
  });
  const hint = panel.hint("Drag an end \u2026", { dx: -120, dy: 46 });
  const every = (most) => x.map((_, i) => i).filter((i) => i % Math.ceil(x.length / most) === 0), few = every(STICKS), drawn = every(POINTS);
  const order = drawn.toSorted((a, b) => x[a] - x[b]), count = Math.min(SQUARES, order.length);
  const chosen = Array.from({ length: count }, (_, k) => order[Math.round((k * (order.length - 1)) / Math.max(count - 1, 1))]);
  return ({ weight, bias, squares }) => {
    const f = (value) => weight * value + bias, of = (all, rows) => rows.map((i) => all[i]);
    panel.note.textContent = squares && count < x.length ? `${count} of the ${whole(x.length)} squares` : "drag an end, or the whole line";
    sticks(of(x, few), of(y, few), few.map((i) => f(x[i])));
    dots(of(x, drawn), of(y, drawn));
    group.replaceChildren(...(squares ? chosen : []).map((i) => {
      const from = panel.y(y[i]), to = panel.y(f(x[i])), side = Math.abs(from - to), left = x[i] < middle ? panel.x(x[i]) : panel.x(x[i]) - side;
      return svg(null, "rect", { x: left, y: Math.min(from, to), width: side, height: side, fill: "var(--data)", "fill-opacity": 0.09, stroke: "var(--data)" });
    }));
    line(ends, ends.map(f));
    hint(...movable(weight, bias)[1]);
  };
}

// The loss as the square whose area it is, your best and the lowest one in it; a small one is magnified.
function squarePanel(stage, surface) {
  const none = { label: "", domain: [0, 1], ticks: [] };
  const panel = stage.panel(stage.column(1), { title: "The loss as a square", note: "the mean of all squares", x: none, y: none, margin: { left: 10, bottom: 12 } });
  const group = panel.group(false), rect = (attributes) => svg(group, "rect", { fill: "none", "stroke-width": 1.5, ...attributes });
  const now = rect({ fill: "var(--data)", "fill-opacity": 0.16, stroke: "var(--data)", "stroke-width": 2 }), record = rect({ stroke: "var(--ink)" });
  const lowest = rect({ stroke: "var(--truth)", "stroke-width": 2, "stroke-dasharray": "4 3" });
  const arrow = panel.arrow("data"), words = [panel.words("data"), panel.words("ink", { bold: false }), panel.words("truth", { bold: false })];
  const { weight, bias } = stage.settings, first = surface.loss(weight, bias);
  return (loss, best) => {
    const { left, right, top, bottom } = panel.box, room = Math.min(right - left, bottom - top), plain = (0.8 * room) / Math.sqrt(first || 1);
    const zoom = 2 ** clamp(Math.floor(Math.log2((0.8 * room) / (plain * Math.sqrt(loss)))), 0, 5), unit = zoom * plain;
    panel.note.textContent = zoom > 1 ? `magnified ${zoom} times` : "the mean of all squares";
    const sizes = [loss, Number.isFinite(best) ? best : 0, surface.lowest].map((value) => Math.min(unit * Math.sqrt(value), 3000));
    [now, record, lowest].forEach((node, k) => put(node, { x: left, y: bottom - sizes[k], width: sizes[k], height: sizes[k] }));
    const write = (k, text, x, y) => words[k](text, panel.x.invert(left + x), panel.y.invert(Math.max(y, top + 14)));
    const outside = sizes[0] > room - 18, inner = sizes[2] + 8, wide = 98;
    write(0, `loss now, side ${short(Math.sqrt(loss))}`, 6, bottom - sizes[0] + (outside ? 18 : -7));
    write(1, sizes[1] > 60 && sizes[0] - sizes[1] > 24 ? "your best" : "", 6, bottom - sizes[1] + 15);
    write(2, "lowest possible", sizes[2] > wide + 12 ? 6 : sizes[0] > inner - 6 && sizes[0] < inner + wide ? Math.max(sizes[0], sizes[2]) + 8 : inner, bottom - 6);
    arrow(...(outside && sizes[0] > room ? [[right - 60, top + 66], [right - 22, top + 28]] : [[0, 0], [0, 0]]));
  };
}

export default { compute, sentence, build };
