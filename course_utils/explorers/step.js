// Step: the lines of the learner's own training step one at a time, what each changes in the
// tensors, and where that is on the loss surface.
import { bowlOf } from "./stage/line.js";
import { DO, numbersOf, Readiness } from "./stage/lines.js";
import { clamp, fixed, short, whole } from "./stage/numbers.js";
import { PLAY, element } from "./stage/stage.js";
import { head, tableRow } from "./stage/table.js";
import { put, svg } from "./stage/panel.js";

const PACE = 70; // ms from one step to the next while ten are walked
const WORDS = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];

export function compute({ lines: text, lr, leave_out: leave }, given) {
  const { lines, only, largest } = given, ready = new Readiness(lines), surface = given.x && bowlOf(given), values = {};
  const cut = (v) => (Math.abs(v) > largest ? Math.sign(v) * Infinity : v); // as the learner's dtype
  let now = { ...given.begin, pred: null, lossAt: null }, before = now, refused = null, steps = 0;
  const ran = [], path = only ? [] : [[now.weight, now.bias]];
  for (const number of numbersOf(text).slice(0, given.most)) {
    const line = lines[number - 1];
    if (!line || ready.needs(line)) { refused = number; break; }
    ready.note(line);
    ran.push(number);
    if (line.does.includes("step")) steps++;
    if (only) continue;
    before = now;
    now = { ...now, at: line.does.includes("forward") ? [now.weight, now.bias] : line.takes.map((name) => values[name]).find(Boolean) };
    for (const what of line.does) DO[what](now, { surface, lr, cut });
    for (const name of line.makes) values[name] = now.at;
    if (!Object.is(now.weight, before.weight) || !Object.is(now.bias, before.bias)) path.push([now.weight, now.bias]);
  }
  const last = ran.at(-1) ?? 0, kept = lines.map((_, i) => i + 1).filter((k) => !(leave && k === given.zero));
  const pass = last === kept.at(-1) ? [] : ran.slice(Math.max(0, ran.findLastIndex((k, i) => i && k <= ran[i - 1])));
  return {
    ran, last, steps, refused, before, now, path, surface, pass, end: kept.at(-1), full: ran.length >= given.most,
    next: kept.find((k) => k > last) ?? kept[0], needs: lines.map((line) => ready.needs(line)),
    losses: path.map(([w, b]) => cut(surface.loss(w, b))),
  };
}

const number = (v) => (v === 0 || (Math.abs(v) >= 0.1 && Math.abs(v) < 10) ? fixed(v, 3) : short(Math.abs(v) < 0.1 ? Number(v.toPrecision(2)) : v));
const lossText = (v) => (v < 0.1 ? short(v) : number(v));
const formula = (w, b) => `${fixed(w)} x ${b < 0 ? "\u2212" : "+"} ${fixed(Math.abs(b))}`;

export function sentence(settings, result, given) {
  const { last, refused, now, before, next, needs, surface } = result, line = given.lines[last - 1];
  if (refused !== null) return given.lines[refused - 1] ? `**Line ${refused} cannot run here**: it needs line ${needs[refused - 1]} first.` : `**No such line**: there are ${given.lines.length}.`;
  if (result.full) return `${whole(given.most)} lines ran: enough for one picture. Reset brings the beginning back.`;
  const stuck = needs[next - 1] ? ` Line ${next} would be next, but it needs line ${needs[next - 1]}.` : "";
  if (given.only) return `${last ? `Line ${last} ran last.` : "**Nothing has run.**"} Only the kernel can follow these lines: ${given.only}.${stuck}`;
  if (!last) return `**Nothing has run.** The model says ${formula(now.weight, now.bias)}, a loss of ${lossText(result.losses[0])}; the lowest possible is ${number(surface.lowest)}.${stuck}`;
  const call = `**${line.text.replace(/^\w+ = /, "")}**`, does = line.does.at(-1), had = before["weight.grad"] !== null;
  if (does === "zero_grad") return `${call} emptied .grad${had ? "" : " (it was empty already)"}. Without it, the next backward() would add to what is there.${stuck}`;
  if (does === "forward") return `${call} put all ${whole(given.x.length)} x through ${formula(now.weight, now.bias)} and remembers how, for backward().${stuck}`;
  if (does === "loss") return `${call} made one number of ${whole(given.x.length)} residuals: **${lossText(now.loss)}**. The lowest possible is ${number(surface.lowest)}.${stuck}`;
  if (does === "backward") return (had ? `${call} added to a .grad that was still full: the arrow is now the sum of old and new gradients.`
    : `${call} filled .grad. Weight and bias have not moved: the arrow shows where step() will take them.`) + stuck;
  if (!had) return `${call} did nothing: .grad is None.${stuck}`;
  const [from, to] = result.losses.slice(-2), beyond = settings.lr * surface.curvature > 2 && settings.lr > 0;
  if (!(to <= from)) return `${call} moved both by \u2212lr \u00b7 .grad, and the loss **rose** from ${lossText(from)} to ${lossText(to)}.` +
    (beyond ? " The step was too long for this bowl." : "") + stuck;
  return `${call} moved both by \u2212lr \u00b7 .grad. The loss fell from ${lossText(from)} to **${lossText(to)}**, which the next forward pass will tell.${stuck}`;
}

function build(stage) {
  const { given, controls } = stage, { lines, begin } = given, surface = given.mse && bowlOf(given);
  const now = (text = controls.lines.value) => compute({ ...stage.settings, lines: text }, given);
  const run = (result, k) => !result.needs[k - 1] && !result.full;
  let waiting = 0, timer = 0; // steps that are still to be walked
  const pass = () => {
    const ran = now().ran;
    for (let result = now(); run(result, result.next); result = now(ran.join(" "))) {
      ran.push(result.next);
      if (result.next === result.end) break;
    }
    controls.lines.value = ran.join(" ");
  };
  const walk = (atOnce = false) => {
    clearTimeout(timer);
    do if (waiting-- > 0) pass(); while (atOnce && waiting > 0);
    if (waiting > 0) timer = setTimeout(walk, PACE);
  };
  const ask = (steps) => { stage.touch(); walk(true); waiting = steps; walk(matchMedia("(prefers-reduced-motion: reduce)").matches); };
  const press = (k) => {
    stage.touch();
    walk(true);
    const result = now();
    if (run(result, k)) controls.lines.value = [...result.ran, k].join(" ");
  };
  stage.stop = () => { waiting = 0; };

  const many = WORDS[lines.length] ?? "All";
  stage.button("Run next line", () => { walk(true); press(now().next); }, { main: true, icon: PLAY });
  const counter = element(stage.extra("count"), "small", { textContent: "optimizer steps" }), count = element(counter.parentNode, "b");
  stage.button(lines.length > 1 ? `${many} lines` : "The line", () => ask(1));
  stage.button("10 steps", () => ask(10));
  stage.slider("lr", { label: "learning rate" });
  if (given.zero) stage.more(() => stage.toggle("leave_out", { label: `leave out line ${given.zero}` }));
  const says = begin ? ["\u0177 =", "x"] : null, parts = says && stage.extra("formula says");
  const said = !says ? [] : [["\u0177 =", " "], ["", "weight"], ["x", " "], ["", "bias"]].map(([text, note]) => {
    const cell = element(parts, "span"), value = element(cell, "span", { textContent: text });
    element(cell, "small", { textContent: note });
    return value;
  });

  // The lines, each a button.
  const code = stage.column(begin ? 0.77 : 0.95);
  head(code, lines.length > 1 ? `${many} lines make one step` : "One line makes one step");
  element(code.lastChild, "small", { textContent: "press a line; it says what it needs" });
  const list = element(code, "div", { className: "code" });
  const rows = lines.map((line, i) => {
    const row = element(list, "button", { type: "button", title: line.text, onclick: () => press(i + 1) });
    element(row, "i", { textContent: i + 1 });
    const words = element(row, "span");
    element(words, "code", { textContent: line.text });
    return { row, note: element(words, "small") };
  });

  // The tensors, and the loss at each dot.
  const middle = stage.column(begin ? 1.06 : 1.5);
  element(head(middle, "What the tensors hold"), "mark", { textContent: "just changed" });
  const table = element(element(middle, "div", { className: "tensors" }), "table"), columns = element(element(table, "thead"), "tr");
  table.className = given.only ? "own" : "";
  const titles = ["tensor", "value", ".grad", ""].map((text) => element(columns, "th", { textContent: text, scope: "col" }));
  const body = element(table, "tbody");
  const chart = stage.panel(begin ? middle : stage.column(1.2), {
    title: begin ? "Loss at each dot" : "Loss of each backward()", note: "log scale", x: { label: "", domain: [0, 6], ticks: begin ? [] : null },
    y: { label: "", domain: [0.1, 10], log: true, ticks: begin ? [] : null }, margin: begin ? { left: 8, top: 4, bottom: 4 } : {} });
  if (begin) chart.node.parentNode.classList.add("mini");
  const floor = chart.curve("truth", { width: 1.2, dash: "4 3" }), curve = chart.curve("data", { width: 2 }), dots = chart.dots("data", { opacity: 1 });
  const latest = chart.words("data");
  chart.hover((_x, _y, px, py) => {
    const i = chart.nearest(shown.map((_, k) => k), shown, px, py, 40);
    return i < 0 ? null : { x: i, y: shown[i], text: `${i}: ${lossText(shown[i])}` };
  });
  let shown = [];
  const map = begin ? mapOf(stage, given, surface) : null;

  return (settings, result, proof) => {
    const { last, next, needs, pass: done, ran } = result, at = given.only ? proof : null;
    count.textContent = whole(result.steps);
    rows.forEach(({ row, note }, i) => {
      const k = i + 1, out = settings.leave_out && k === given.zero, need = needs[i] ? `needs line ${needs[i]}` : "", ready = done.includes(k);
      row.className = `line${out ? " out" : need && !ready ? " no" : ready ? " done" : k === next ? " next" : ""}`;
      note.textContent = out ? "left out" : k === next ? (need ? `next, but ${need}` : "next") : ready ? `done${need ? `; once more ${need}` : ""}` : need || "can run";
      row.setAttribute("aria-disabled", Boolean(need));
    });
    Object.assign(titles[3], { hidden: Boolean(given.only), textContent: `\u2212${short(settings.lr)} \u00b7 .grad` });
    body.replaceChildren();
    if (given.only) kernelRows(body, at);
    else pageRows(body, settings, result, given);

    const track = !begin ? [] : !given.only ? result.path : at?.weight ? at.weight.map((w, i) => [w, at.bias[i]]) : [[begin.weight, begin.bias]];
    shown = (surface ? track.map(([w, b]) => surface.loss(w, b)) : at?.losses ?? []).filter(Number.isFinite);
    const low = surface ? surface.lowest : Math.min(...shown, 1), high = Math.max(...shown, low * 1.5, 1e-12), from = Math.max(low, high * 1e-6);
    if (chart.key !== (chart.key = [shown.length, from, high].join())) chart.rescale([-0.1, Math.max(6, shown.length - 1) * 1.3], [from * (from / high) ** 0.14, high * (high / from) ** 0.14]);
    shown = shown.map((v) => Math.max(v, from));
    floor(surface && low === from ? chart.axes.x.domain : [], [from, from]);
    chart.note.textContent = `log scale${surface && low === from ? `; dashed the lowest possible, ${number(low)}` : ""}`;
    curve(shown.keys().toArray?.() ?? [...shown.keys()], shown);
    dots(shown.length < 60 ? [...shown.keys()] : [], shown);
    latest(shown.length ? lossText(shown.at(-1)) : "", shown.length - 1, shown.at(-1) ?? from, { dx: 9, dy: 4 });
    if (!begin) return;
    const [w, b] = track.at(-1);
    [said[1].textContent, said[2].textContent, said[3].textContent] = [fixed(w), `x ${b < 0 ? "\u2212" : "+"}`, fixed(Math.abs(b))];
    map(settings, result, track, proof, ran.length && last);
  };
}

function pageRows(body, { lr }, { now, before, last }, { lines, shapes, x }) {
  const none = { text: "\u2013" }, told = (v) => (v === null ? "None" : number(v)), step = lines.findIndex((line) => line.does.includes("step")) + 1;
  ["weight", "bias"].forEach((name, i) => {
    const grad = now[`${name}.grad`], move = -lr * grad;
    tableRow(body, name, shapes[i], [{ text: told(now[name]), was: told(before[name]) }, { text: told(grad), was: told(before[`${name}.grad`]) },
      grad === null ? none : { text: (move > 1e-9 ? "+" : "") + number(move), note: step ? `by line ${step}` : "" }]);
  });
  const stale = (at) => at !== null && (at[0] !== now.weight || at[1] !== now.bias), does = lines[last - 1]?.does ?? [];
  const forward = lines.find((line) => line.does.at(-1) === "forward"), loss = lines.find((line) => line.does.includes("loss"));
  if (forward) tableRow(body, forward.makes[0], shapes[2], [{ span: 3, was: does.at(-1) === "forward" ? "" : undefined,
    text: now.pred ? `${x.slice(0, 4).map((v) => fixed(now.pred[0] * v + now.pred[1])).join("\u2002")}${x.length > 4 ? "\u2002\u2026" : ""}` : "\u2013",
    note: !now.pred ? "not yet made" : stale(now.pred) ? "made with the old weights" : "one for each point, keeps no .grad" }]);
  if (loss) tableRow(body, loss.makes[0], "()", [{ text: now.loss === null ? "\u2013" : lossText(now.loss),
    was: does.includes("loss") ? (before.loss === null ? "" : lossText(before.loss)) : undefined, note: stale(now.lossAt) ? "old weights" : "" }, none, none]);
}

function kernelRows(body, proof) {
  if (!proof?.rows) return tableRow(body, "", "", [{ span: 3, text: "\u2013", note: "the kernel fills this once the controls rest" }]);
  const told = (text) => text.replaceAll("-", "\u2212") || "\u2013";
  proof.rows.forEach(([name, value, shape, grad], i) => grad === "not needed" || tableRow(body, name, shape, [
    { text: told(value), was: told(proof.before[i][1]) }, { text: told(grad), was: told(proof.before[i][3]), span: 2 }]));
}

// Levels at even distances, so that the bowl is seen: 1, 4, 9 ... times 1, 2 or 5 of some power of ten.
function rings(surface, [left, right], [bottom, top]) {
  const high = Math.max(...[left, right].map((w) => Math.max(surface.loss(w, bottom), surface.loss(w, top)))) - surface.lowest;
  const power = 10 ** Math.floor(Math.log10(high / 80)), unit = [1, 2, 5, 10].find((n) => high / (n * power) < 80) * power;
  return Array.from({ length: Math.floor(Math.sqrt(high / unit)) }, (_, k) => Number((unit * (k + 1) ** 2).toPrecision(6))).filter((v) => v > surface.lowest);
}

// Where weight and bias are, and the arrow that the next step would take.
function mapOf(stage, given, surface) {
  const [x, y] = given.around, { weight, bias } = given.begin, values = surface ? rings(surface, x, y) : [];
  const map = stage.panel(stage.column(1), { title: "Where that is", note: surface ? "a dot a step, loss by shade" : "a dot a step", filled: Boolean(surface),
    equal: given.equal, x: { label: "weight", domain: x }, y: { label: "bias", domain: y } });
  const levels = surface && map.levels(values, [1, 3].filter((k) => values[k]).map((k) => [values[k], Math.atan2(surface.bias - bias, surface.weight - weight) + Math.PI / 2]));
  const cross = svg(map.group(false), "path", { stroke: "var(--truth)", "stroke-width": 1.5 }), least = map.words("truth", { bold: false, over: false });
  const line = map.curve("ink", { width: 1.8, halo: 3 }), seen = map.dots("ink", { size: 3.5, opacity: 1 }), mine = map.curve("danger", { width: 2, dash: "5 3", halo: 3 });
  const arrow = map.arrow("ink"), away = map.arrow("danger"), group = map.group();
  const ring = svg(group, "circle", { r: 7, fill: "none", stroke: "var(--ink)", "stroke-width": 1.6, "stroke-dasharray": "3 2.5" });
  const ball = svg(group, "circle", { r: 7.5, fill: "var(--ink)", stroke: "var(--ground)", "stroke-width": 2 });
  const words = [map.words("ink"), map.words("ink", { anchor: "end" }), map.words("ink"), map.words("danger"), map.words("ink")];
  const middle = ([u, v]) => [map.x.invert(u), map.y.invert(v)];
  let track = [], drawn = "", taken = 0;
  map.hover((w, b, px, py) => {
    const i = map.nearest(track.map((p) => p[0]), track.map((p) => p[1]), px, py);
    if (i >= 0) return { x: track[i][0], y: track[i][1], text: `after step ${i}: ${fixed(track[i][0])}, ${fixed(track[i][1])}` };
    return surface ? { x: w, y: b, text: `loss ${lossText(surface.loss(w, b))}` } : null;
  });
  return ({ lr }, { now, steps }, path, proof) => {
    const { left, right, top, bottom } = map.box, end = path.at(-1), ws = path.map((p) => p[0]), bs = path.map((p) => p[1]);
    const px = ([w, b]) => [map.x(w), map.y(b)], within = ([u, v]) => u >= left && u <= right && v >= top && v <= bottom;
    const size = [left, right, top, bottom].join();
    if (levels && size !== drawn) levels(surface);
    drawn = size;
    cross.setAttribute("d", surface ? `M${map.x(surface.weight) - 6},${map.y(surface.bias)}h12m-6,-6v12` : "");
    least(surface ? `lowest ${number(surface.lowest)}` : "", surface.weight, surface.bias, { dx: 10, dy: 4 });
    track = path;
    line(ws, bs);
    seen(ws, bs);
    mine(...(proof?.kind === "departs" ? [proof.weight, proof.bias] : [[], []]));
    const at = px(end), here = within(at), right2 = at[0] > (left + right) / 2;
    ball.classList.toggle("glides", steps !== taken);
    taken = steps;
    if (here) ball.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
    ball.style.visibility = here ? "visible" : "hidden";
    const grad = given.only || now["weight.grad"] === null ? null : [now["weight.grad"], now["bias.grad"]];
    const tip = grad && here ? px([end[0] - lr * grad[0], end[1] - lr * grad[1]]) : at, far = Math.hypot(tip[0] - at[0], tip[1] - at[1]);
    const share = Math.min(1, ...[[0, left, right], [1, top, bottom]].map(([i, low, high]) => (clamp(tip[i], low, high) - at[i]) / (tip[i] - at[i] || 1) || (tip[i] === at[i] ? 1 : 0)));
    const along = (length) => [0, 1].map((i) => at[i] + ((tip[i] - at[i]) / (far || 1)) * length);
    const shown = Number.isFinite(far) && far > 1;
    arrow(at, shown ? along(share < 1 ? share * far : far > 40 ? far - 7 : far) : at);
    put(ring, { cx: shown ? tip[0] : 0, cy: shown ? tip[1] : 0, visibility: shown && share === 1 ? "visible" : "hidden" });
    words[0](!end.every(Number.isFinite) || Math.hypot(at[0] - map.x(ws[0]), at[1] - map.y(bs[0])) < 60 ? "" : "start", ws[0], bs[0], { dx: 11, dy: 15 });
    const down = shown && tip[1] > at[1], name = shown && far > 26 ? "\u2212lr \u00b7 grad" : "", spot = middle(along(share * far / 2));
    words[1](down ? "" : name, ...spot, { dx: -12, dy: -6 });
    words[4](down ? name : "", ...spot, { dx: 12, dy: 14 });
    words[2](here ? `now (${fixed(end[0])}, ${fixed(end[1])})` : "", ...(here ? end : [0, 0]), { dx: right2 ? -118 : 13, dy: down ? -14 : 21 });
    const known = end.every(Number.isFinite), edge = [clamp(at[0], left, right), clamp(at[1], top, bottom)];
    words[3](here ? "" : known ? `now (${short(end[0])}, ${short(end[1])}), off the map` : "no number is left", ...(known ? middle(edge) : [x[0], y[1]]), { dx: -30, dy: known && edge[1] > (top + bottom) / 2 ? -46 : 50 });
    const towards = [edge[0] - (left + right) / 2, edge[1] - (top + bottom) / 2], long = Math.hypot(...towards) / 34 || 1;
    away(here || !known ? edge : [edge[0] - towards[0] / long, edge[1] - towards[1] / long], edge);
  };
}

export default { compute, sentence, build };
