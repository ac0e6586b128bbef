// Own data: put points where you like; see how hard each pulls on an MSE line and on an L1 line.
import { bowl, leastAbsolute } from "./stage/line.js";
import { clamp, digits, fixed, short, whole } from "./stage/numbers.js";
import { beside, put, svg } from "./stage/panel.js";
import { edits, MOST, pointsOf, read } from "./stage/points.js";
import { element } from "./stage/stage.js";

const CLOSEST = 1e-9; // of two x, as in inputs.py
const ROLES = { MSE: "ink", L1: "neg" };
const UP = "M5,16h4v-8h5l-7,-8l-7,8h5z", DOWN = "M5,0h4v8h5l-7,8l-7,-8h5z";

const spread = (values) => Math.max(...values) - Math.min(...values);
const at = ([weight, bias], x) => weight * x + bias;

function linesOf(points) {
  const x = points.map((p) => p.x), y = points.map((p) => p.y);
  if (x.length < 2 || spread(x) < CLOSEST) return null;
  const { weight, bias } = bowl(x, y);
  return { MSE: [weight, bias], L1: leastAbsolute(x, y) };
}

export function compute({ points: text }, { domain, range }) {
  const { lines: rows, points: all, bad } = read(text), points = all.slice(0, MOST), n = points.length;
  const wrong = bad ? rows[bad - 1].trim() : "", outside = points.filter(({ x, y }) => x < domain[0] || x > domain[1] || y < range[0] || y > range[1]).length;
  const lines = linesOf(points), shared = { points, n, bad, wrong, outside, tooMany: all.length > MOST, lines };
  if (!lines) return { ...shared, outliers: [], residuals: null, pulls: null, losses: null, without: null };
  const height = range[1] - range[0], off = (line) => points.map(({ x, y }) => y - at(line, x)), mean = (values) => values.reduce((a, b) => a + b, 0) / n;
  const residuals = { MSE: off(lines.MSE), L1: off(lines.L1) }, none = 1e-9 * Math.max(height, ...points.map(({ y }) => Math.abs(y)));
  const size = residuals.L1.map(Math.abs), typical = [...size].sort((a, b) => a - b)[n >> 1];
  const far = size.map((r, i) => i).filter((i) => size[i] > Math.max(6 * typical, 0.06 * height)).sort((i, j) => size[j] - size[i]);
  const without = n > 3 && far.length && 2 * far.length < n ? linesOf(points.filter((_, i) => !far.includes(i))) : null;
  return {
    ...shared, residuals, without, outliers: without ? far : [],
    losses: { MSE: mean(residuals.MSE.map((r) => r * r)), L1: mean(size) },
    pulls: { MSE: residuals.MSE.map((r) => 2 * r), L1: residuals.L1.map((r) => (Math.abs(r) < none ? 0 : Math.sign(r))) },
  };
}

// How far two lines are from each other in the picture.
const apart = (one, other, domain) => Math.max(...domain.map((x) => Math.abs(at(one, x) - at(other, x))));

export function sentence({ points: text }, { points, n, bad, wrong, outside, tooMany, lines, outliers, pulls, without }, { domain, range, start }) {
  const say = (value) => fixed(value, digits(range[1] - range[0], 400));
  const notes = [], gap = lines && say(apart(lines.MSE, lines.L1, domain));
  if (bad) notes.push(`**Line ${bad} is not a point**: \u201c${wrong.slice(0, 30)}\u201d. Write two numbers, such as 0.5, 1.2.`);
  if (tooMany) notes.push(`**More than ${MOST} points**: the others are left out.`);
  if (!n) notes.push("**Nothing to fit.** Click into the picture to add points.");
  else if (n === 1) notes.push("**One point allows any line.** Click into the picture to add more.");
  else if (!lines) notes.push(`**All x are ${short(points[0].x)}**: a line needs two different ones. Drag or add a point.`);
  else if (n === 2) notes.push("**Two points, one line**: both losses are 0. Click into the picture to add more.");
  else if (without && text === start) notes.push(`**Drag ${outliers.length === 1 ? "the outlier" : "an outlier"}**: which of the two lines moves?`);
  else if (without) {
    const many = outliers.length, rest = pulls.MSE.filter((_, i) => !outliers.includes(i));
    const ordinary = rest.reduce((sum, pull) => sum + Math.abs(pull), 0) / rest.length, pull = outliers.reduce((sum, i) => sum + Math.abs(pulls.MSE[i]), 0);
    const [far, near] = ["MSE", "L1"].map((name) => say(apart(lines[name], without[name], domain)));
    notes.push(`**${many === 1 ? "One outlier moves" : `${many} outliers move`} the MSE line** by up to ${far}, the L1 line ${near === say(0) ? "**hardly at all**" : `by **${near}**`}.` +
      (outside ? "" : ` For MSE ${many === 1 ? "it pulls" : "they pull"} like ${whole(pull / ordinary)} ordinary points, for L1 like ${many === 1 ? "one" : many}.`));
  } else notes.push(`**No point stands out.** ${gap === say(0) ? "The two lines agree" : `The lines are at most ${gap} apart`}.${outside ? "" : " Drag one point far up and watch which line follows."}`);
  if (outside) notes.push(`${outside === 1 ? "One point lies" : `${outside} points lie`} outside the picture and ${outside === 1 ? "is" : "are"} drawn at its edge.`);
  return notes.join(" ");
}

// The slope of each line on one scale, with that of the MSE line without outliers as a grey tick.
function slopeScale(box, middle, reach, told) {
  box.style.cssText = "flex: 1 1 220px; max-width: 330px";
  const node = svg(box, "svg", { width: "100%", height: 60, "aria-hidden": true }), group = svg(null, "g");
  svg(node, "line", { x1: "0%", x2: "100%", y1: 32, y2: 32, stroke: "var(--track)", "stroke-width": 4, "stroke-linecap": "round" });
  node.append(group);
  const place = (slope) => clamp(50 + (50 * (slope - middle)) / reach, 0, 100);
  return ({ lines, without, outliers }) => {
    group.replaceChildren();
    const x = without ? place(without.MSE[0]) : 50;
    if (without) svg(group, "line", { x1: `${x}%`, x2: `${x}%`, y1: 37, y2: 45, stroke: "var(--truth)", "stroke-width": 2 });
    svg(group, "text", { x: `${clamp(x, 40, 60)}%`, y: 57, "text-anchor": "middle" }, without ? `slope without ${outliers.length > 1 ? "them" : "it"}: ${told(without.MSE[0])}` : "slope of each line");
    const marks = Object.entries(lines ?? {}).map(([name, [slope]]) => ({ name, slope, x: place(slope) })).sort((a, b) => a.x - b.x);
    const near = marks.length && marks[1].x - marks[0].x < 52, between = near && clamp((marks[0].x + marks[1].x) / 2, 32, 68);
    marks.forEach(({ name, slope, x }, k) => {
      svg(group, "circle", { cx: `${x}%`, cy: 32, r: 7, fill: `var(--${ROLES[name]})`, stroke: "var(--ground)", "stroke-width": 2 });
      const anchor = near ? ["end", "start"][k] : x < 20 ? "start" : x > 80 ? "end" : "middle";
      svg(group, "text", { x: `${near ? between : x}%`, dx: near ? [-6, 6][k] : 0, y: 18, "text-anchor": anchor, class: "bold", style: `fill:var(--${ROLES[name]})` }, `${name} ${told(slope)}`);
    });
  };
}

// The buttons of the strip: what they do to the points glides there. Returns how they show a result.
function buttonsOf(stage, text, chosen, choose) {
  const { given, controls } = stage, { domain, range: [low, high] } = given, height = high - low, shown = () => compute(stage.settings, given);
  const calm = matchMedia("(prefers-reduced-motion: reduce)"), from = (y, way) => (y + way > high || y + way < low ? y - way : y + way);
  let thrown = 0.6 * height;
  const fly = (i, end) => {
    choose(i);
    const { x, y } = text.points()[i], began = performance.now();
    let last = controls.points.value;
    const step = () => {
      if (controls.points.value !== last || !stage.root.isConnected) return; // another hand has moved
      const share = calm.matches ? 1 : clamp((performance.now() - began) / 350, 0, 1);
      text.move(i, x, y + (1 - (1 - share) ** 3) * (end - y));
      last = controls.points.value;
      if (share < 1) requestAnimationFrame(step);
    };
    step();
  };
  const toss = stage.button("", () => {
    const result = shown(), { points, lines, outliers, residuals } = result, one = chosen(result);
    const i = outliers.length && !outliers.includes(one) ? outliers[0] : one < 0 ? points.length - 1 : one;
    if (outliers.length) thrown = residuals.L1[i];
    fly(i, outliers.length ? points[i].y - thrown : from(lines ? at(lines.L1, points[i].x) : points[i].y, thrown));
  }, { main: true, icon: DOWN });
  stage.button("Add outlier", () => {
    const { n, lines } = shown(), x = domain[0] + [0.18, 0.87, 0.37, 0.58][n % 4] * (domain[1] - domain[0]);
    if (n >= MOST) return;
    const y = clamp(lines ? at(lines.L1, x) : (low + high) / 2, low, high);
    text.add(x, y);
    fly(n, from(y, [0.5, -0.45, 0.6, -0.3][n % 4] * height));
  });
  stage.more(() => {
    for (const [words, points] of [["Clear", ""], [`${read(given.start).points.length} points again`, given.start]])
      stage.button(words, () => { choose(-1); text.put(points); });
  });
  return ({ n, outliers, residuals }) => {
    const back = outliers.length > 0, up = back ? residuals.L1[outliers[0]] < 0 : thrown > 0;
    toss.lastChild.textContent = !back ? "Throw one out" : outliers.length > 1 ? "Put one back" : "Put it back";
    toss.querySelector("path").setAttribute("d", up ? UP : DOWN);
    toss.disabled = !n;
  };
}

// A fold beside the pictures in which the points are text.
function foldOf(stage, text, choose) {
  let fold;
  stage.more(() => { fold = stage.button("Edit as text", () => { column.hidden = !column.hidden; fold.setAttribute("aria-expanded", !column.hidden); if (!column.hidden) area.focus(); }); });
  const column = element(null, "label", { className: "column", hidden: true, style: "flex: 0 0 150px; gap: 4px" });
  element(column, "small", { textContent: "points, one \u201cx, y\u201d a line" });
  const area = element(column, "textarea", { spellcheck: false, wrap: "off", oninput: () => { choose(-1); text.put(area.value); } });
  fold.setAttribute("aria-expanded", false);
  return () => {
    if (!column.parentNode) stage.stages.append(column); // to the right of the panels
    if (area.value !== stage.settings.points.replace(/\r\n?/g, "\n")) area.value = stage.settings.points;
  };
}

// The equation of each line, in the strip.
function equationsOf(stage, told, say) {
  const box = stage.extra("equations"), cells = Object.entries(ROLES).map(([name, role]) => {
    element(box, "small", { textContent: `${name} line`, style: role === "ink" ? "" : `color: var(--${role})` });
    return [name, element(box, "b", { style: `color: var(--${role})` })];
  });
  return ({ lines }) => {
    for (const [name, cell] of cells) cell.textContent = lines ? `\u0177 = ${told(lines[name][0])} x ${lines[name][1] < 0 ? "\u2212" : "+"} ${say(Math.abs(lines[name][1]))}` : "\u2013";
  };
}

// How hard each point pulls: a panel of bars for each loss, both on one scale where that can be seen.
function pullsOf(stage, choose, say) {
  const { domain, range } = stage.given, height = range[1] - range[0], most = 1.2 * height, right = stage.column(1);
  const high = stage.panel(right, { title: "How hard does each point pull?", note: "minus the gradient of its own loss", x: { label: "", ticks: [], domain }, y: { domain: [-1.28 * height, 1.28 * height] }, margin: { top: 26, bottom: 6 } });
  const flat = stage.panel(right, { title: " ", x: { label: "feature x", domain }, y: { domain: [-2, 2], ticks: [-1, 1] }, margin: { top: 6 } });
  flat.node.parentNode.style.flex = "0 0 122px";
  flat.title.style.color = "var(--neg)";
  const draw = Object.entries({ MSE: high, L1: flat }).map(([name, panel]) => barsOf(stage, panel, name, most, choose, say));
  const words = high.group(), write = (text, x, y, anchor, role, size = 12) =>
    svg(words, "text", { x, y, "text-anchor": anchor, class: role === "ink" ? "halo bold" : "halo", style: `fill: var(--${role}); font-size: ${size}px` }, text);
  return ({ points, pulls, n }, i, moved) => {
    flat.title.textContent = moved ? "L1: always 1, near or far" : "L1";
    const { left, right: end, top, bottom } = high.box, unit = (bottom - top) / (2.56 * height), reach = unit > 4 ? (flat.box.bottom - flat.box.top) / 2 / unit : 2;
    if (Math.abs(flat.axes.y.domain[1] - reach) > 1e-6) flat.rescale(null, [-reach, reach]);
    for (const bars of draw) bars(points, pulls, i);
    words.replaceChildren();
    write("MSE: twice the residual", left, top - 9, "start", "ink", 14);
    flat.note.textContent = i < 0 || !pulls || n < 3 || !moved ? "" : pulls.L1[i] ? `this one too: 1 ${pulls.L1[i] < 0 ? "down" : "up"}` : "this one lies on the line";
    if (i < 0 || !pulls || n < 3) return;
    const own = pulls.MSE[i], others = pulls.MSE.reduce((sum, pull, k) => (k === i ? sum : sum + pull), 0), tip = high.y(clamp(own, -most, most)), zero = high.y(0);
    const at = high.x(points[i].x), back = at > (left + end) / 2, x = back ? Math.max(at - 12, left + 186) : Math.min(at + 12, end - 186), y = own < 0 ? clamp(tip - 18, zero + 24, bottom - 24) : clamp(tip + 14, top + 34, zero - 30);
    write(`pulls ${say(Math.abs(own))} ${own < 0 ? "down" : "up"}`, x, y, back ? "end" : "start", "ink");
    write(`all others together ${say(Math.abs(others))} ${others < 0 ? "down" : "up"}`, x, y + 16, back ? "end" : "start", "quiet");
  };
}

function barsOf(stage, panel, name, most, choose, say) {
  const group = panel.group(false), color = `var(--${ROLES[name]})`, under = (px) => panel.nearest(stage.result.points.map((p) => p.x), stage.result.points.map(() => 0), px, panel.y(0));
  panel.hover((_x, _y, px) => {
    const i = under(px), force = stage.result.pulls?.[name][i], { x } = stage.result.points[i] ?? {};
    return force === undefined ? null : { x, y: clamp(force, -most, most), text: `x ${short(x)}: pulls ${say(force)}` };
  });
  panel.node.addEventListener("click", (event) => { const i = under(event.clientX - panel.node.getBoundingClientRect().left); if (i >= 0) choose(i); });
  const path = (some, width, stroke, opacity = 1) =>
    svg(group, "path", { d: some.map(({ x, y }) => `M${panel.x(x).toFixed(1)},${panel.y(0)}V${panel.y(clamp(y, -most, most)).toFixed(1)}`).join(""), stroke, "stroke-width": width, "stroke-opacity": opacity });
  return (points, pulls, i) => {
    const { left, right } = panel.box, width = clamp((0.55 * (right - left)) / Math.max(points.length, 1), 1.5, 5), zero = panel.y(0);
    group.replaceChildren();
    svg(group, "line", { x1: left, x2: right, y1: zero, y2: zero, stroke: "var(--track)" });
    if (!pulls) return;
    const bars = points.map(({ x }, k) => ({ x, y: pulls[name][k] })), one = bars.filter((_, k) => k === i);
    path(bars.filter((_, k) => k !== i), width, color, 0.7);
    path(one, width + 8, "var(--ground)");
    path(one, width + 3, color);
    for (const { x, y } of bars) {
      if (!y && name === "L1") svg(group, "circle", { cx: panel.x(x), cy: zero, r: clamp(width, 2.5, 3.5), fill: "var(--ground)", stroke: color, "stroke-width": 1.5 });
      if (Math.abs(y) > most) svg(group, "path", { d: `M${panel.x(x)},${panel.y(Math.sign(y) * most) - 9 * Math.sign(y)}l-8,${9 * Math.sign(y)}h16Z`, fill: color });
    }
  };
}

// The points, both lines, and the MSE line without outliers.
function pictureOf(stage, text, chosen, choose, say) {
  const { domain, range } = stage.given;
  const panel = stage.panel(stage.column(1.36), { title: "One set of points, two losses", note: "drag a point; click to add one; double click or Delete removes it",
    x: { label: "feature x", domain }, y: { label: "target y", domain: range }, margin: { right: 76 } });
  const drawn = { MSE: panel.curve("ink", { width: 4.4, halo: 4 }), without: panel.curve("truth", { width: 5, dash: "1 9", opacity: 0.8 }), L1: panel.curve("neg", { width: 2.8 }) };
  const yours = Object.entries(ROLES).map(([name, role]) => [name, panel.curve(role, { width: 2, dash: "1 6" }), panel.words(role)]);
  const sticks = panel.group(false), tags = panel.group(), hint = put(panel.group(), { class: "hint", "pointer-events": "none" });
  const points = pointsOf(panel, text, chosen, choose);
  panel.hover((_x, _y, px, py) => {
    const { points: all, residuals: r } = stage.result, i = panel.nearest(all.map((p) => p.x), all.map((p) => p.y), px, py), p = all[i];
    return !p ? null : { ...p, text: `${short(p.x)}, ${short(p.y)}${r ? `: residual ${say(r.MSE[i])} (MSE), ${say(r.L1[i])} (L1)` : ""}` };
  });
  return ({ points: all, lines, without, outliers, residuals }, i, proof) => {
    const along = (line) => [line ? domain : [], line ? domain.map((x) => at(line, x)) : []], q = all[i], { left, right, top, bottom } = panel.box;
    const shown = { ...lines, ...(without && { without: without.MSE }) };
    for (const [name, draw] of Object.entries(drawn)) draw(...along(shown[name]));
    for (const [name, draw, word] of yours) {
      const line = proof?.lines?.[name];
      draw(...along(line));
      word(line ? `your ${name}` : "", domain[0], line ? at(line, domain[0]) : 0, { dx: name === "MSE" ? 8 : 78, dy: -8 });
    }
    const ends = Object.entries(shown).map(([name, line]) => ({ word: name === "without" ? `without ${outliers.length > 1 ? "them" : "it"}` : name, role: ROLES[name] ?? "truth", y: panel.y(at(line, domain[1])) }));
    tags.replaceChildren(...beside(ends, top, bottom).map(({ word, role, y, way }) => svg(null, "text", { x: right + 6, y: y + 4, class: "bold", style: `fill: var(--${role})` }, word + way)));
    sticks.replaceChildren(...(q && lines ? Object.entries(ROLES) : []).map(([name, role], k) =>
      svg(null, "path", { d: `M${panel.x(q.x) - 3 + 6 * k},${panel.y(q.y)}V${panel.y(at(lines[name], q.x))}`, stroke: `var(--${role})`, "stroke-width": 2, "stroke-dasharray": "2 4" })));
    points(all, i);
    hint.replaceChildren();
    if (stage.touched || !outliers.includes(i)) return;
    const end = panel.x(q.x) > (left + right) / 2, way = end ? -1 : 1, px = panel.x(q.x), py = clamp(panel.y(q.y), top + 8, bottom - 8);
    svg(hint, "text", { x: px + 62 * way, y: py + 5, "text-anchor": end ? "end" : "start", class: "halo bold", style: "fill: var(--handtext); font-size: 14px" }, `Drag me ${residuals.L1[i] > 0 ? "down" : "up"}`);
    svg(hint, "path", { d: `M${px + 55 * way},${py}h${-30 * way}m${8 * way},-6l${-8 * way},6l${8 * way},6`, fill: "none", stroke: "var(--handtext)", "stroke-width": 1.8, "stroke-linecap": "round" });
  };
}

function build(stage) {
  const { domain, range, start } = stage.given, height = range[1] - range[0], steep = height / (domain[1] - domain[0]);
  const told = (slope) => fixed(slope, digits(steep, 100)), say = (value) => fixed(value, digits(height, 400)), text = edits(stage, "points", stage.given);
  let picked = null; // until a hand picks a point, the farthest outlier is the chosen one
  const chosen = (result) => (picked === null ? (result ?? compute(stage.settings, stage.given)).outliers[0] ?? -1
    : Math.min(picked, (result?.n ?? text.points().length) - 1));
  const choose = (i) => { picked = i < 0 ? null : i; stage.ask(); };
  stage.stop = () => choose(-1); // before a reset
  const buttons = buttonsOf(stage, text, chosen, choose), fold = foldOf(stage, text, choose);
  const first = compute({ points: start }, stage.given), slope = (first.without ?? first.lines).MSE[0];
  const scale = slopeScale(stage.extra("slopes"), slope, Math.max(1.5 * Math.abs(first.lines.MSE[0] - slope), 0.2 * steep), told);
  const equations = equationsOf(stage, told, say), picture = pictureOf(stage, text, chosen, choose, say), pulls = pullsOf(stage, choose, say);
  return (settings, result, proof) => {
    const i = chosen(result);
    for (const show of [buttons, fold, scale, equations]) show(result);
    picture(result, i, proof);
    pulls(result, i, settings.points !== start);
  };
}

export default { compute, sentence, build };
