// Boundary: a line that decides between two species; drag it, and see how sure it is of each bird.
import { cost, endsIn, judged, logitOf, lowestOf, normalOf, sigmoid } from "./stage/logistic.js";
import { clamp, fixed, whole } from "./stage/numbers.js";
import { put, svg } from "./stage/panel.js";
import { scoresOf } from "./stage/scores.js";

const RATE = 4, FAR = 8, ROOM = 16; // of a step; the last logit in sight; pixels from an end to the frame
const NAMES = ["Adelie", "Chinstrap"], ROLES = ["data", "neg"];
const percent = (p) => (p < 0.001 ? "less than 0.1 %" : p > 0.999 ? "more than 99.9 %" : `${fixed(100 * p, p < 0.1 || p > 0.9 ? 1 : 0)} %`);

export function compute({ w1, w2, b, threshold }, given) {
  const { logits, loss, gradient } = judged([w1, w2, b], given), { y } = given, n = y.length, table = [[0, 0], [0, 0]], wrong = [];
  let worst = 0, most = 0; // the bird that costs most
  for (let i = 0; i < n; i++) {
    const said = Number(sigmoid(logits[i]) >= threshold), own = cost(y[i] ? -logits[i] : logits[i]);
    table[y[i]][said]++;
    if (said !== y[i]) wrong.push(i);
    if (own > most) [worst, most] = [i, own];
  }
  return { logits, loss, gradient, table, wrong, right: n - wrong.length, worst, share: most / n / loss, chance: Math.exp(-most), best: lowestOf(given) };
}

export function sentence({ w1, w2, b, threshold }, { loss, wrong, worst, share, chance, best }, { y }) {
  const named = `${wrong.length} of ${y.length} birds are named wrongly`, at = ` at a threshold of ${fixed(threshold)}`;
  if (Math.hypot(w1, w2) < 0.005) return `**No line**: every bird gets the same chance of Chinstrap, ${percent(sigmoid(b))}, whatever its bill. ${named}${at}.`;
  const one = `The costliest, ${y[worst] ? "a Chinstrap" : "an Adelie"} given ${percent(chance)}, makes ${whole(100 * share)} % of the loss.`;
  if (loss - best.loss < 0.0005) return `**At the bottom**, and still ${named}${at}. ${one}`;
  return `**${named}**${at}. ${one}`;
}

function build(stage) {
  const { given, controls } = stage, { w1: W1, w2: W2, b: B } = controls, best = lowestOf(given);
  const line = { get now() { return [W1.value, W2.value, B.value]; } }, play = () => stage.playing && stop();
  line.put = (values, exactly = false) => {
    if (!exactly) { stage.touch(); play(); }
    [W1, W2, B].forEach((control, k) => { if (exactly) control.value = values[k]; else control.slideTo(values[k]); });
  };
  line.steepen = (size) => {
    const now = Math.hypot(W1.value, W2.value), to = clamp(size, 0.3, 40);
    line.put(now ? line.now.map((value) => (value * to) / now) : [to, 0, B.value]);
  };
  const step = (count) => {
    let at = line.now;
    for (let k = 0; k < count; k++) at = judged(at, given).gradient.map((slope, j) => at[j] - RATE * slope);
    line.put(at, true);
    return judged(at, given).loss - best.loss > 1e-4;
  };
  let frames = 0, before = null; // what there was when a hand took hold
  stage.play("Train: play or pause", () => step(++frames < 60 ? 1 : frames < 150 ? 4 : 20), { begin: () => { frames = 0; } });
  const stop = stage.stop;
  stage.stop = () => { line.held = null; stop(); };
  for (const type of ["pointerdown", "keydown"]) stage.root.addEventListener(type, () => { before = stage.result; }, true);
  stage.button("Step", () => { stage.touch(); play(); step(1); });
  stage.more(() => {
    for (const [text, times] of [["Twice as steep", 2], ["Half as steep", 0.5]]) stage.button(text, () => line.steepen(times * Math.hypot(W1.value, W2.value)));
  });
  stage.formula([{ text: "p = \u03c3(", note: " " }, { name: "w1", label: "weight of the bill length", note: "length" }, { text: "+", note: " " },
    { name: "w2", label: "weight of the bill depth", note: "depth" }, { text: "+", note: " " }, { name: "b", label: "bias", note: "bias" }, { text: ")", note: " " }]);
  stage.strip.lastChild.classList.add("small");
  const draws = [birdsOf(stage, line), chancesOf(stage)], scores = scoresOf(stage, NAMES, best.loss);
  return (settings, _result, proof) => {
    const now = compute(settings, given); // the settings are on their way if the picture glides
    for (const draw of draws) draw(settings, now);
    scores(now, stage.touched ? before : null, proof);
  };
}

// The birds, the line between them and the chance on either side of it.
function birdsOf(stage, line) {
  const { x1, x2, y, center, spread, labels, species } = stage.given, mm = (k) => (v) => fixed(center[k] + v * spread[k], 0), ticks = (k, values) => values.map((v) => (v - center[k]) / spread[k]);
  const panel = stage.panel(stage.column(1), { title: "Adelie or Chinstrap?", note: "steepness; shade = chance. Ring = wrong name.", filled: true, equal: true,
    x: { label: labels[0], domain: [-2.95, 3.15], ticks: ticks(0, [25, 30, 35, 40, 45, 50, 55, 60]), format: mm(0) }, y: { label: labels[1], domain: [-2.85, 2.85], ticks: ticks(1, [14, 16, 18, 20, 22]), format: mm(1) } });
  panel.note.style.color = "var(--handtext)";
  const ground = panel.group(false), fade = svg(ground, "linearGradient", { id: `${panel.id}-fade`, gradientUnits: "userSpaceOnUse" }), shade = svg(ground, "rect", { fill: `url(#${panel.id}-fade)` });
  for (let k = 0; k <= 24; k++) {
    const p = sigmoid(-5 + (10 * k) / 24), part = Math.round(26 * Math.abs(2 * p - 1));
    svg(fade, "stop", { offset: k / 24 }).style.stopColor = `color-mix(in srgb, var(--ground), var(--${ROLES[Number(p > 0.5)]}) ${part}%)`;
  }
  const iso = [0.1, 0.9].map((p) => ({ p, curve: panel.curve("ink", { width: 1.4, dash: "4 4", opacity: 0.55 }), word: panel.words("ink", { bold: false }) }));
  const decides = panel.curve("ink", { width: 2.4 }), birds = ROLES.map((role, k) => panel.dots(role, { size: k ? 4.2 : 3.4, triangle: k === 1, opacity: 0.9 })), rings = panel.dots("ink", { size: 7.5, open: true });
  const boundary = panel.curve("hand", { width: 3.5, halo: 4.5 }), stem = panel.curve("hand", { width: 3, halo: 4 });
  const frame = () => [[panel.x.invert(panel.box.left + ROOM), panel.x.invert(panel.box.right - ROOM)], [panel.y.invert(panel.box.bottom - ROOM), panel.y.invert(panel.box.top + ROOM)]];
  const inside = (place) => place.map((value, k) => clamp(value, ...frame()[k])), middle = () => [0, 1].map((k) => (line.ends[0][k] + line.ends[1][k]) / 2);
  const turn = (i, place) => {
    const other = line.ends[1 - i], own = inside(place), [dx, dy] = [own[0] - other[0], own[1] - other[1]], far = Math.hypot(dx, dy), { size, u, v } = normalOf(line.now);
    if (far < 0.8) return;
    const to = (Math.max(size, 0.3) * (Math.sign(dx * v - dy * u) || 1)) / far; // Chinstraps stay on their side
    line.held = i ? [other, own] : [own, other];
    line.put([-to * dy, to * dx, to * (dy * own[0] - dx * own[1])]);
  };
  const grip = panel.grip(([x, y], [px, py]) => {
    const [w1, w2, b] = line.now;
    line.put([w1, w2, b - w1 * (x - px) - w2 * (y - py)]);
  });
  const ends = ["upper", "lower"].map((name, i) => panel.handle({ label: `${name} end of the line`, drag: (place) => turn(i, place), nudge: ([dx, dy]) => turn(i, [line.ends[i][0] + 0.08 * dx, line.ends[i][1] + 0.08 * dy]) }));
  const steep = panel.handle({ label: "steepness", nudge: ([dx, dy]) => line.steepen(normalOf(line.now).size * 1.1 ** (dx + dy)),
    drag: ([x, y]) => { const { u, v } = normalOf(line.now), [mx, my] = middle(); line.steepen(logitOf(0.9) / Math.max((x - mx) * u + (y - my) * v, 0.05)); } });
  const hint = panel.hint("Drag an end \u2026", { dx: -120, dy: 30 });
  panel.hover((_x, _y, px, py) => {
    const i = panel.nearest(x1, x2, px, py, 10), [length, depth] = [x1, x2].map((values, k) => fixed(center[k] + values[i] * spread[k], 1));
    return i < 0 ? null : { x: x1[i], y: x2[i], text: `${NAMES[y[i]]}, ${length} and ${depth} mm\nchance of Chinstrap ${percent(sigmoid(stage.result.logits[i]))}` };
  });
  return (settings, { wrong }) => {
    const { w1, w2, b, threshold } = settings, normal = normalOf([w1, w2, b]), { size, u, v, shift } = normal, { left, right, top, bottom } = panel.box;
    const on = ([x, y], d = shift) => Math.abs(x * u + y * v - d) < 0.02, trace = (curve, points) => curve(points.map(([x]) => x), points.map(([, y]) => y));
    if (!line.held?.every((end) => on(end))) line.held = null; // where a hand has put them, as long as they are on the line
    line.ends = line.held ?? endsIn(normal, frame());
    const seen = line.ends.every((end) => on(end)), [mx, my] = middle(), far = logitOf(0.9) / size, tip = [mx + u * far, my + v * far];
    const [x0, y0, reach] = [panel.x(u * shift), panel.y(v * shift), (5 / size) * (panel.x(1) - panel.x(0))];
    put(shade, { x: left, y: top, width: right - left, height: bottom - top });
    put(fade, { x1: x0 - u * reach, y1: y0 + v * reach, x2: x0 + u * reach, y2: y0 - v * reach });
    birds.forEach((dots, k) => dots(...species[k]));
    rings(wrong.map((i) => x1[i]), wrong.map((i) => x2[i]));
    const along = (d) => { const cut = endsIn({ u, v, shift: d }, frame()); return cut.every((end) => on(end, d)) ? cut : []; }; // as far as it crosses the frame
    trace(boundary, along(shift));
    trace(stem, seen ? [middle(), tip] : []);
    trace(grip, seen ? line.ends : []);
    line.ends.forEach(([x, y], i) => ends[i](x, y, x, `${mm(0)(x)} mm long, ${mm(1)(y)} mm deep`));
    steep(...tip, size, panel.note.textContent = `steepness ${fixed(size)}`);
    const hands = [...line.ends, tip].map(([x, y]) => [clamp(panel.x(x), left, right), clamp(panel.y(y), top, bottom)]);
    // Lines of one chance, and their names where no handle is.
    trace(decides, Math.abs(threshold - 0.5) > 0.005 ? along(shift + logitOf(threshold) / size) : []);
    iso.forEach(({ p, curve, word }) => {
      const cut = along(shift + logitOf(p) / size), [px, py] = cut.length ? [panel.x(cut[1][0]) + 18, panel.y(cut[1][1])] : [0, 0];
      trace(curve, cut);
      word(cut.length && hands.every(([x, y]) => Math.abs(x - px) > 34 || Math.abs(y - py) > 22) ? `${100 * p} %` : "", ...(cut[1] ?? [0, 0]), { dx: 5, dy: 2 });
    });
    hint(...line.ends[1]);
  };
}

// Each bird at its logit, the sigmoid that turns it into a chance, and the threshold on it.
function chancesOf(stage) {
  const { given: { y }, controls: { threshold: T } } = stage, GRID = Array.from({ length: 129 }, (_, i) => -FAR + i / 8);
  const panel = stage.panel(stage.column(1.12), { title: "From logit to chance", note: "threshold; each bird at its logit.", x: { label: "logit", domain: [-FAR, FAR] }, y: { label: "", domain: [-0.2, 1.26], ticks: [0, 0.5, 1] } });
  const grounds = ROLES.map((role) => svg(panel.group(false), "rect", { fill: `var(--${role})`, "fill-opacity": 0.13 })), called = ROLES.map((role, k) => panel.words(role, { anchor: k ? "end" : "start" }));
  const upright = panel.curve("hand", { width: 1.6 }), birds = ROLES.map((role, k) => panel.dots(role, { size: k ? 3.8 : 3, triangle: k === 1, opacity: 0.9 })), rings = panel.dots("ink", { size: 7, open: true }), curve = panel.curve("ink", { width: 3, halo: 4 });
  panel.note.style.color = "var(--handtext)";
  const further = [panel.words("ink", { bold: false }), panel.words("ink", { bold: false, anchor: "end" })];
  const move = (chance) => { stage.touch(); T.moveTo(chance); };
  const ring = panel.handle({ label: "threshold", drag: ([logit]) => move(sigmoid(logit)), nudge: ([dx, dy]) => move(T.value + 0.02 * (dx + dy)) });
  panel.hover((logit) => ({ x: logit, y: sigmoid(logit), text: `logit ${fixed(logit, 1)}\nchance of Chinstrap ${percent(sigmoid(logit))}` }));
  return ({ threshold }, { logits, wrong }) => {
    const edge = logitOf(threshold), { left, right, top, bottom } = panel.box, at = panel.x(edge), scatter = (i) => (i * 0.618034) % 1;
    const place = (i) => [Math.abs(logits[i]) < FAR ? logits[i] : Math.sign(logits[i]) * (FAR - 0.1 - 0.3 * scatter(i)), y[i] ? 1.03 + 0.09 * scatter(i) : -0.03 - 0.13 * scatter(i)];
    const show = (dots, rows) => { const places = rows.map(place); dots(places.map(([x]) => x), places.map(([, h]) => h)); };
    grounds.forEach((rect, k) => put(rect, { x: k ? at : left, width: k ? right - at : at - left, y: top, height: bottom - top }));
    called.forEach((word, k) => word(`called ${NAMES[k]}`, k ? FAR : -FAR, 1.26, { dx: k ? -6 : 6, dy: 15 }));
    upright([edge, edge], [-0.2, 1.26]);
    birds.forEach((dots, k) => show(dots, [...y.keys()].filter((i) => y[i] === k)));
    show(rings, wrong);
    curve(GRID, GRID.map(sigmoid));
    [logits.filter((z) => z <= -FAR).length, logits.filter((z) => z >= FAR).length].forEach((count, k) => further[k](count ? `${count} further` : "", k ? FAR : -FAR, k, { dx: k ? -6 : 6, dy: k ? 32 : -24 }));
    ring(edge, threshold, threshold, panel.note.textContent = `threshold ${fixed(threshold)}`);
  };
}

export default { compute, sentence, build };
