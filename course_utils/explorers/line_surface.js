// Line and surface: a line through points beside the loss surface; drag either and both move.
import { bowl } from "./stage/line.js";
import { clamp, fixed, short } from "./stage/numbers.js";
import { PLAY } from "./stage/stage.js";
import { put, shade, svg } from "./stage/panel.js";

const RATE = 0.06;
const bowls = new WeakMap(); // one for the points that an explorer was given

function bowlOf(given) {
  if (!bowls.has(given)) bowls.set(given, bowl(given.x, given.y));
  return bowls.get(given);
}

export function compute({ weight, bias }, given) {
  const surface = bowlOf(given);
  const [gw, gb] = surface.gradient(weight, bias);
  return { surface, weight, bias, loss: surface.loss(weight, bias), gradient: [gw, gb] };
}

export function sentence(settings, { surface, loss }, { unit, factor }) {
  const miss = (value) => `${fixed(Math.sqrt(value) * factor, 0)} ${unit}`;
  if (loss - surface.lowest < 0.01 * surface.lowest)
    return `**You are at the bottom.** A typical point is still missed by ${miss(surface.lowest)}. No line does better: that is the noise.`;
  return `This line misses a typical point by **${miss(loss)}**, the best possible line by ${miss(surface.lowest)}.`;
}

export function step({ weight, bias }, given, rate = RATE) {
  const [gw, gb] = bowlOf(given).gradient(weight, bias);
  return { weight: weight - rate * gw, bias: bias - rate * gb };
}

function build(stage) {
  const { given, controls } = stage, surface = bowlOf(given), { weight: W, bias: B } = controls;
  const ends = [given.domain[0] + 0.25, given.domain[1] - 0.25]; // where the handles of the line are
  let trail = [], timer = 0, best = Infinity, starts = 0;
  const stop = () => { clearInterval(timer); timer = 0; };
  const move = (weight, bias) => { W.moveTo(weight); B.moveTo(bias); };
  const byHand = (weight, bias) => { stop(); stage.touch(); trail = []; move(weight, bias); };

  // Strip: roll, step, new start; the loss on its scale, which is the color key too; the formula.
  const one = () => {
    const now = { weight: W.value, bias: B.value }, next = step(now, given);
    trail.push([now.weight, now.bias]);
    W.value = next.weight; B.value = next.bias;
    return Math.hypot(next.weight - now.weight, next.bias - now.bias);
  };
  stage.button("Roll downhill", () => {
    if (timer) return stop();
    stage.touch();
    trail = [];
    timer = setInterval(() => { if (one() < 1e-4) stop(); }, 45);
  }, { main: true, icon: PLAY });
  stage.button("Step", () => { stop(); stage.touch(); one(); });
  stage.button("New start", () => {
    stop();
    trail = [];
    const [weight, bias] = given.starts[++starts % given.starts.length];
    stage.set({ weight, bias });
  });
  const scale = lossScale(stage.extra("loss-scale"), surface, given.levels);
  stage.formula([
    { text: "\u0177 =", note: " " },
    { name: "weight", label: "weight", note: given.notes[0] },
    { text: "\u00b7 x", note: given.notes[1] }, { text: "+", note: " " },
    { name: "bias", label: "bias", note: given.notes[2] },
  ]);

  // The line through its points.
  const left = stage.panel(stage.column(1.18), {
    title: given.titles[0], note: `${given.x.length} points, one line. Each stick is one residual.`,
    x: { label: given.labels[0], domain: given.domain, format: (v) => fixed(v + given.offset, 0) },
    y: { label: given.labels[1], domain: given.range, format: (v) => fixed(v, 0) },
  });
  const sticks = left.sticks("data", { opacity: 0.3 }), ghosts = left.group(false);
  const dots = left.dots("data"), line = left.curve("hand", { width: 3.5, halo: 5 });
  const at = (x) => W.value * x + B.value;
  let grab = 0;
  const grip = left.grip(([, y], [, last]) => byHand(W.value, B.value + y - last));
  const handles = ends.map((_, i) => left.handle({
    label: i ? "right end of the line" : "left end of the line",
    drag: ([, y]) => turn(i, y), nudge: ([, steps]) => steps && turn(i, at(ends[i]) + steps * given.nudge),
  }));
  const turn = (i, y) => {
    const other = ends[1 - i], height = at(other), weight = (clamp(y, ...given.range) - height) / (ends[i] - other);
    byHand(weight, height - weight * other);
  };
  left.hover((x, y, px, py) => {
    const i = left.nearest(given.drawn, given.y, px, py);
    return i < 0 ? null : { x: given.drawn[i], y: given.y[i],
      text: `${fixed(given.x[i] + given.offset, 1)} cm, ${fixed(given.y[i], 2)} kg; the line says ${fixed(at(given.x[i]), 2)}` };
  });

  // The surface: every spot is a line.
  const right = stage.panel(stage.column(1), {
    title: "How bad is each line?", note: "every spot is a line; shade = loss", filled: true, equal: true,
    x: { label: `weight in ${given.notes[0].split(", ")[1]}`, domain: [surface.weight - 1, surface.weight + 1], format: (v) => fixed(v, 1) },
    y: { label: `bias in ${given.notes[2].split(", ")[1]}`, domain: [surface.bias - 0.88, surface.bias + 0.88], format: (v) => fixed(v, 1) },
  });
  const levels = right.levels(given.levels, [[given.levels[1], 0.55], [given.levels[3], 0.75], [given.levels[5], 0.4]]);
  const cross = svg(right.group(false), "path", { stroke: "var(--truth)", "stroke-width": 1.5 });
  const lowest = right.words("truth", { bold: false, over: false }), path = right.curve("ink", { width: 1.6, halo: 3 });
  const seen = right.dots("ink", { size: 2.4, opacity: 1 }), arrow = right.arrow("ink"), word = right.words("ink");
  const ball = right.handle({
    label: "the line as a ball on the loss surface", ball: true,
    drag: ([weight, bias]) => byHand(weight, bias),
    nudge: ([dw, db]) => byHand(W.value + dw * given.steps[0], B.value + db * given.steps[1]),
  });
  right.hover((weight, bias) => ({ x: weight, y: bias, text: `loss ${short(surface.loss(weight, bias))}` }));
  const hint = [left.words("handtext"), right.words("handtext")];

  const mine = right.arrow("danger");
  return (settings, result, proof) => {
    const { weight, bias } = settings, f = (x) => weight * x + bias;
    const [gw, gb] = surface.gradient(weight, bias), loss = surface.loss(weight, bias);
    if (stage.touched) best = Math.min(best, result.loss);
    else best = Infinity;
    sticks(given.drawn, given.y, given.x.map(f));
    dots(given.drawn, given.y);
    const span = [given.domain[0] - 1, given.domain[1] + 1];
    line(span, span.map(f));
    grip(ends, ends.map(f));
    ghosts.replaceChildren(...trail.filter((_, i) => i % 3 === 0).slice(-20).map(([w, b]) =>
      svg(null, "path", { d: `M${left.x(span[0])},${left.y(w * span[0] + b)}L${left.x(span[1])},${left.y(w * span[1] + b)}`, stroke: "var(--hand)", "stroke-opacity": 0.14, "stroke-width": 2 })));
    handles.forEach((put, i) => {
      // where the line leaves the frame the handle slides along the frame
      const y = clamp(f(ends[i]), given.range[0] + 0.12, given.range[1] - 0.12);
      const x = y === f(ends[i]) || !weight ? ends[i] : clamp((y - bias) / weight, ...given.domain);
      put(x, y, f(ends[i]), `${fixed(f(ends[i]))} kg`);
    });
    levels(surface);
    cross.setAttribute("d", `M${right.x(surface.weight) - 7},${right.y(surface.bias)}h14m-7,-7v14`);
    lowest("lowest", surface.weight, surface.bias, { dx: 18, dy: 4 });
    const points = [...trail, [weight, bias]];
    path(points.map(([w]) => w), points.map(([, b]) => b));
    seen(trail.map(([w]) => w), trail.map(([, b]) => b));
    const x = right.x(weight), y = right.y(bias), size = Math.hypot(gw, gb);
    const length = size > 0.06 ? Math.min(34 + 26 * size, 120) : 0;
    const tip = [x - (gw / (size || 1)) * length, y + (gb / (size || 1)) * length];
    arrow([x, y], tip);
    word(length > 50 ? "downhill" : "", right.x.invert(tip[0]), right.y.invert(tip[1]), { dx: 8, dy: -6 });
    const [mw, mb] = proof?.kind === "departs" ? proof.gradient : [0, 0], far = Math.hypot(mw, mb) || 1;
    mine([x, y], [x - (mw / far) * Math.min(90, 40 * far), y + (mb / far) * Math.min(90, 40 * far)]);
    ball(weight, bias, loss, `weight ${fixed(weight)}, bias ${fixed(bias)}, loss ${short(loss)}`);
    scale(result.loss, best);
    hint[0](stage.touched ? "" : "Drag an end \u2026", ends[1], f(ends[1]), { dx: -130, dy: 40 });
    hint[1](stage.touched ? "" : "\u2026 or the ball", weight, bias, { dx: -40, dy: 42 });
  };
}

// A bar from the lowest loss to a high one, with now, best and lowest on it.
function lossScale(box, surface, levels) {
  const top = 20, node = svg(box, "svg", { width: "100%", height: 62, role: "img", "aria-label": "scale of the loss" });
  const low = Math.log(surface.lowest * 0.8), high = Math.log(levels.at(-1) * 1.5);
  const bar = svg(node, "g"), now = svg(node, "text", { y: 14, class: "bold" });
  now.style.fill = "var(--ink)";
  const mark = svg(node, "path", { fill: "var(--ink)" }), record = svg(node, "text", { y: top + 37 });
  const ring = svg(node, "circle", { cy: top + 11.5, r: 5, fill: "var(--ground)", stroke: "var(--ink)", "stroke-width": 2 });
  let width = 0;
  const at = (loss) => clamp(((Math.log(loss) - low) / (high - low)) * width, 0, width);
  const drawBar = () => {
    bar.replaceChildren();
    [surface.lowest * 0.8, ...levels].forEach((level, i) => svg(bar, "rect", {
      x: at(level), y: top + 7, width: width - at(level), height: 9, fill: shade(i / levels.length) }));
    svg(bar, "rect", { x: 0.5, y: top + 7, width: width - 1, height: 9, rx: 4.5, fill: "none", stroke: "var(--edge)" });
    svg(bar, "path", { d: `M${at(surface.lowest)},${top + 2}v19`, stroke: "var(--truth)", "stroke-width": 2, "stroke-dasharray": "3 2" });
    svg(bar, "text", { x: 0, y: top + 37 }, `lowest ${short(surface.lowest)}`);
  };
  return (loss, best) => {
    if (width !== box.clientWidth) { width = box.clientWidth; drawBar(); }
    const x = at(loss), shown = Number.isFinite(best);
    now.textContent = `loss now ${short(loss)}`;
    put(now, { x: clamp(x - 50, 0, width - 108) });
    mark.setAttribute("d", `M${x},${top + 6}l-6,-6h12Z`);
    put(ring, { cx: shown ? at(best) : 0, visibility: shown ? "visible" : "hidden" });
    record.textContent = shown ? `your best ${short(best)}` : "";
    put(record, { x: shown ? clamp(at(best) - 14, 90, width - 96) : 0 });
  };
}

export default { compute, sentence, build };
