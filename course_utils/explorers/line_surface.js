// Line and surface: a line through points beside the loss surface; drag either and both move.
import { movableLine } from "./stage/ends.js";
import { bowlOf } from "./stage/line.js";
import { fixed, short, whole } from "./stage/numbers.js";
import { lossScale } from "./stage/scale.js";
import { PLAY } from "./stage/stage.js";
import { svg } from "./stage/panel.js";

const RATE = 0.1, NUDGE = 0.05, STEP = 0.02; // downhill; by an arrow key an end, and the ball
const NEAR = 1.03; // times the lowest loss: before that nothing tells where the bottom is, if show is "numbers"
const X = [-3, 3.5], Y = [2.2, 6.8], LEVELS = [0.25, 0.4, 0.7, 1.1, 1.6, 2.3, 3.2];

export function compute({ weight, bias }, given) {
  const surface = bowlOf(given);
  return { surface, weight, bias, loss: surface.loss(weight, bias), gradient: surface.gradient(weight, bias) };
}

export function sentence({ weight, bias }, { surface, loss }, { show, starts: [[firstWeight, firstBias]] }) {
  const typical = (value) => `${whole(Math.sqrt(value) * 1000)} g`;
  if (show === "pictures")
    return `${loss - surface.lowest < 0.01 * surface.lowest ? "**No line does better**, and t" : "T"}his line misses a typical penguin by **${typical(loss)}**.`;
  if (loss - surface.lowest < 0.01 * surface.lowest)
    return `**You are at the bottom.** No line does better, and this one still misses a typical penguin by ${typical(surface.lowest)}.`;
  const first = weight === firstWeight && bias === firstBias;
  const best = show === "numbers" && loss > NEAR * surface.lowest ? "" : ` The best possible line: ${typical(surface.lowest)}.`;
  return `${first ? "**Catch the line or the ball.** They are one and the same: t" : "T"}his line misses a typical penguin by **${typical(loss)}**.${best}`;
}

function build(stage) {
  const { given, controls } = stage, surface = bowlOf(given), { weight: W, bias: B } = controls;
  const walk = given.show === "all" ? descent(stage, surface) : { trail: [], forget() {}, follow() {} };
  const byHand = (weight, bias) => { walk.forget(); stage.touch(); W.slideTo(weight); B.slideTo(bias); };
  const bare = given.show === "pictures", scale = bare ? () => {} : lossScale(stage.extra("loss-scale"), surface, LEVELS);
  stage.strip.hidden = bare;
  if (!bare) stage.formula([
    { text: "\u0177 =", note: " " },
    { name: "weight", label: "weight", note: "weight, kg per cm" },
    { text: "\u00b7 x", note: "cm above 20" }, { text: "+", note: " " },
    { name: "bias", label: "bias", note: "bias, kg at 20 cm" },
  ]);
  const draws = [drawLine(stage, walk, byHand), drawSurface(stage, surface, walk, byHand)];
  let best = Infinity;
  return (settings, result, proof) => {
    best = stage.touched ? Math.min(best, result.loss) : Infinity;
    const found = given.show === "all" || Math.min(best, result.loss) <= NEAR * surface.lowest;
    scale(result.loss, best, found);
    walk.follow();
    for (const draw of draws) draw(settings, proof, found);
  };
}

// Buttons that walk downhill, and the trail that is left behind.
function descent(stage, surface) {
  const { given, controls: { weight: W, bias: B } } = stage, calm = matchMedia("(prefers-reduced-motion: reduce)");
  let timer = 0, starts = 0, last = null;
  const walk = { trail: [] };
  const roll = stage.button("Roll downhill", () => (timer ? stop() : begin()), { main: true, icon: PLAY }), name = roll.lastChild;
  roll.style.minWidth = "162px";
  const stop = stage.stop = () => { clearInterval(timer); timer = 0; name.textContent = "Roll downhill"; };
  const step = () => {
    const [w, b] = [W.value, B.value], [gw, gb] = surface.gradient(w, b);
    walk.trail.push([w, b]);
    last = [w - RATE * gw, b - RATE * gb];
    [W.value, B.value] = last;
    return RATE * Math.hypot(gw, gb) > 1e-4;
  };
  const begin = () => {
    stage.touch();
    walk.forget();
    if (calm.matches) while (step());
    else {
      name.textContent = "Pause";
      timer = setInterval(() => { if (!step()) stop(); }, 45);
    }
  };
  stage.button("Step", () => { stop(); stage.touch(); step(); });
  stage.button("New start", () => {
    walk.forget();
    const [weight, bias] = given.starts[++starts % given.starts.length];
    stage.set({ weight, bias });
  });
  walk.forget = () => { stop(); walk.trail = []; };
  walk.follow = () => { if (walk.trail.length && (W.value !== last[0] || B.value !== last[1])) walk.forget(); }; // moved otherwise
  return walk;
}

// The line through its points.
function drawLine(stage, walk, byHand) {
  const { given, controls } = stage, ends = [X[0] + 0.25, X[1] - 0.25];
  const panel = stage.panel(stage.column(1.18), {
    title: "How heavy is a penguin?", note: `${given.x.length} penguins, one line.${given.show === "pictures" ? "" : " Each stick is one residual."}`,
    x: { label: "flipper length in cm", domain: X, format: (v) => fixed(v + given.offset, 0) },
    y: { label: "mass in kg", domain: Y, format: (v) => fixed(v, 0) },
  });
  const sticks = panel.sticks("data", { opacity: 0.3 }), ghosts = panel.group(false), dots = panel.dots("data"), line = panel.curve("hand", { width: 3.5, halo: 5 });
  const movable = movableLine(stage, panel, { ends, range: Y, unit: NUDGE, text: (height) => `${fixed(height)} kg`, move: byHand });
  panel.hover((x, y, px, py) => {
    const i = panel.nearest(given.drawn, given.y, px, py), says = controls.weight.value * given.x[i] + controls.bias.value;
    return i < 0 ? null : { x: given.drawn[i], y: given.y[i],
      text: `${fixed(given.x[i] + given.offset, 1)} cm, ${fixed(given.y[i], 2)} kg\nthe line says ${fixed(says, 2)} kg` };
  });
  const hint = panel.hint("Drag an end \u2026", { dx: -90, dy: 96 });
  return ({ weight, bias }) => {
    const f = (x) => weight * x + bias;
    sticks(given.drawn, given.y, given.x.map(f));
    dots(given.drawn, given.y);
    line(ends, ends.map(f));
    ghosts.replaceChildren(...walk.trail.filter((_, i) => i % 3 === 0).slice(-20).map(([w, b]) => svg(null, "path", {
      d: `M${ends.map((x) => `${panel.x(x)},${panel.y(w * x + b)}`).join("L")}`, stroke: "var(--hand)", "stroke-opacity": 0.16, "stroke-width": 2 })));
    hint(...movable(weight, bias)[1]);
  };
}

// The surface: every spot is a line.
function drawSurface(stage, surface, walk, byHand) {
  const { given, controls: { weight: W, bias: B } } = stage;
  const bare = given.show === "pictures"; // a riddle: what is this picture?
  const axis = (label, middle, half) => ({ label: bare ? "" : label, domain: [middle - half, middle + half], format: (v) => fixed(v, 1), ...(bare && { ticks: [] }) });
  const panel = stage.panel(stage.column(1), {
    title: bare ? "And what is this?" : "How bad is each line?", note: bare ? "" : "every spot is a line. Its shade is the loss.", filled: true, equal: true,
    x: axis("weight in kg per cm", surface.weight, 1.3), y: axis("bias in kg at 20 cm", surface.bias, 0.97),
  });
  const levels = panel.levels(LEVELS, bare ? [] : [1, 3, 5].map((i) => [LEVELS[i], Math.PI]));
  const cross = svg(panel.group(false), "path", { stroke: "var(--truth)", "stroke-width": 1.5 });
  const lowest = panel.words("truth", { bold: false, over: false }), path = panel.curve("ink", { width: 1.6, halo: 3 });
  const seen = panel.dots("ink", { size: 2.4, opacity: 1 }), arrow = panel.arrow("ink"), mine = panel.arrow("danger");
  const word = panel.words("ink", { anchor: "middle" }), yours = panel.words("danger", { anchor: "middle" });
  const ball = panel.handle({
    label: bare ? "dot in the second picture" : "the line as a ball on the loss surface", ball: true, drag: ([weight, bias]) => byHand(weight, bias),
    nudge: ([dw, db]) => byHand(W.value + dw * STEP, B.value + db * STEP),
  });
  if (!bare) panel.hover((weight, bias) => ({ x: weight, y: bias, text: `weight ${fixed(weight)}, bias ${fixed(bias)}\nloss ${short(surface.loss(weight, bias))}` }));
  const hint = bare ? () => {} : panel.hint("\u2026 or the ball", { dx: 0, dy: 38, arrow: false });

  // An arrow downhill from a place, longer where it is steeper, with a word beside its middle.
  const downhill = (draw, write, text, [x, y], [gw, gb], other = 1) => {
    const size = Math.hypot(gw, gb), length = size > 0.06 ? Math.min(34 + 26 * size, 120) : 0, dx = -gw / (size || 1), dy = gb / (size || 1);
    const side = dx >= 0 ? other : -other, far = 12 + 32 * Math.abs(dy); // the word stands below, or right of what is steep
    const tip = [x + length * dx, y + length * dy];
    draw([x, y], tip);
    write(length > 50 ? text : "", panel.x.invert(x + 0.62 * length * dx - side * dy * far), panel.y.invert(y + 0.62 * length * dy + side * dx * far), { dy: 4 });
    return tip;
  };
  return ({ weight, bias }, proof, found) => {
    const gradient = surface.gradient(weight, bias), place = [panel.x(weight), panel.y(bias)], departs = proof?.kind === "departs";
    levels(surface);
    const tip = downhill(arrow, word, "downhill", place, given.show === "all" ? gradient : [0, 0]), [cx, cy] = [panel.x(surface.weight), panel.y(surface.bias)];
    const hidden = bare || !found, covered = hidden || [place, tip].some(([x, y]) => x > cx && x < cx + 74 && Math.abs(y - cy) < 20);
    cross.setAttribute("d", hidden ? "" : `M${cx - 7},${cy}h14m-7,-7v14`);
    path([...walk.trail.map(([w]) => w), weight], [...walk.trail.map(([, b]) => b), bias]);
    seen(walk.trail.map(([w]) => w), walk.trail.map(([, b]) => b));
    lowest(covered ? "" : "lowest", surface.weight, surface.bias, { dx: 14, dy: 4 });
    downhill(mine, yours, "yours", place, departs ? proof.gradient : [0, 0], -1);
    ball(weight, bias, surface.loss(weight, bias), `weight ${fixed(weight)}, bias ${fixed(bias)}, loss ${short(surface.loss(weight, bias))}`);
    hint(weight, bias);
  };
}

export default { compute, sentence, build };
