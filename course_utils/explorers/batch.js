// Batch: which rows form a batch, and how its gradient differs from that of all rows.
import { arrowOf, arrowsOf, off, spreadOf } from "./stage/gradients.js";
import { bowl, levelsBetween, Rows } from "./stage/line.js";
import { barMeter } from "./stage/meter.js";
import { clamp, fixed, short, whole } from "./stage/numbers.js";
import { put, svg } from "./stage/panel.js";
import { element, PLAY } from "./stage/stage.js";

const kept = new WeakMap(); // what no setting changes, and the order of each epoch

function about(given) {
  if (!kept.has(given)) {
    const surface = bowl(given.x, given.y), rate = Number((0.4 / surface.curvature).toPrecision(1));
    const all = arrowOf(Array.from(given.x.keys()), given, rate);
    kept.set(given, { surface, rate, all, spread: spreadOf(given, rate, all), rows: new Rows(given.x, given.y, [], given.seed) });
  }
  return kept.get(given);
}

// The rows in the order in which DataLoader(dataset, shuffle=shuffle, generator=...) serves them.
const orderOf = ({ shuffle, epoch }, given) => Array.from(shuffle ? about(given).rows.order(epoch).subarray((epoch - 1) * given.x.length, epoch * given.x.length) : given.x.keys());

const countOf = (n, size, drop) => (drop ? Math.floor(n / size) : Math.ceil(n / size));
const percent = (share) => `${whole(100 * share)} %`;

export function compute(settings, given) {
  const n = given.x.length, { batch_size: size, drop_last: drop } = settings, { surface, rate, all, spread } = about(given);
  const order = orderOf(settings, given), count = countOf(n, size, drop), step = clamp(settings.step, 1, count);
  const rows = order.slice((step - 1) * size, step * size), arrows = arrowsOf(order, size, count, given, rate), arrow = arrows[step - 1];
  const turn = Math.atan2(arrow[1], arrow[0]) - Math.atan2(all[1], all[0]);
  const sizes = [...new Set([1, 4, 16, 64, size, n])].filter((one) => one <= n).sort((a, b) => a - b);
  return {
    order, count, step, rows, leftOut: order.slice(count * size), surface, rate, all, arrow, arrows,
    angle: Math.abs(Math.atan2(Math.sin(turn), Math.cos(turn))) * (180 / Math.PI), ratio: Math.hypot(...arrow) / (Math.hypot(...all) || 1),
    typical: sizes.map((one) => [one, spread.typical(one)]),
  };
}

export function sentence({ batch_size: size, shuffle }, { count, rows, leftOut, angle, ratio, typical }, { x }) {
  const n = x.length, batches = `${whole(count)} ${count === 1 ? "batch" : "batches"} an epoch`;
  const rest = leftOut.length ? `, ${leftOut.length} ${leftOut.length === 1 ? "row" : "rows"} left out` : n % size ? `, the last of ${n % size} ${n % size === 1 ? "row" : "rows"}` : "";
  if (rows.length === n) return `**All ${whole(n)} rows: not a guess**, the arrow is exact. ${batches}.`;
  const who = rows.length === 1 ? "1 row guesses" : `${whole(rows.length)} rows guess`, miss = typical.find(([one]) => one === size)[1];
  return `**${who} what all ${whole(n)} know**: ${fixed(angle, 0)}\u00b0 off, ${fixed(ratio)} times as long. ${shuffle ? "A typical" : "A random"} batch of ${whole(size)} ${shuffle ? "misses" : "would miss"} by ${percent(miss)}. ${batches}${rest}.`;
}

function build(stage) {
  const { given, controls } = stage, { step, epoch, batch_size: size } = controls, n = given.x.length;
  const count = () => countOf(n, size.value, controls.drop_last.value);
  const to = (place) => { stage.touch(); step.value = clamp(place, 1, count()); };
  const next = () => {
    if (step.value >= count()) epoch.place = (epoch.place + 1) % (epoch.places + 1);
    to(step.value < count() ? step.value + 1 : 1);
  };
  stage.button("Next batch", next, { main: true, icon: PLAY });
  let since = 0;
  stage.play("Play the epoch", (seconds) => {
    if ((since += seconds) < 0.35) return true;
    since = 0;
    if (step.value < count()) step.value += 1;
    return step.value < count();
  }, { begin: () => step.value >= count() && next() });
  const counter = element(stage.extra("count"), "small", { textContent: "batch" }).parentNode, number = element(counter, "b");
  let meter;
  stage.more(() => { meter = barMeter(stage, ["a random batch", "misses by, in %,", "by batch size"]); });
  stage.newRow();
  stage.slider("batch_size", { width: 130 }).addEventListener("input", () => { step.value = 1; });
  stage.toggle("shuffle");
  stage.more(() => { stage.slider("epoch", { width: 80 }); stage.toggle("drop_last"); });

  const left = stage.column(1.5), margin = { left: n < 10_000 ? 44 : 52 }, range = [Math.min(given.range[0], 0), Math.max(given.range[1], 0)];
  const one = stage.panel(left, { title: "This batch among all rows", margin, x: { label: "x", domain: given.domain }, y: { label: "y", domain: range } });
  const key = one.key([["data", "dot", ""], ["truth", "dot", "other rows"], ["danger", "ring", ""], ["ink", "line", "the model now: \u0177 = 0 x + 0"]]);
  const zero = one.curve("ink", { width: 2 }), rest = one.dots("truth", { size: 2.6, opacity: 0.45 }), sticks = one.sticks("data", { width: 1.5, opacity: 0.8 });
  const out = one.dots("danger", { size: 3.4, hollow: true }), now = one.dots("data", { size: 4.6, opacity: 1 }), mine = one.dots("danger", { size: 6, hollow: true });
  one.hover((_x, _y, px, py) => {
    const i = one.nearest(given.x, given.y, px, py), x = given.x[i], y = given.y[i];
    return i < 0 ? null : { x, y, text: `row ${i}: x ${short(x)}, y ${short(y)}` };
  });
  const two = stage.panel(left, { title: "The epoch, in the order dealt", margin, note: "a bar a row, as high as its number", x: { label: "dealt last", domain: [0, n], ticks: [] }, y: { label: "", domain: [0, 1.3 * n], ticks: [0, Math.round(n / 2), n] } });
  const frame = svg(two.group(false), "rect", { rx: 6, fill: "var(--soft)", stroke: "var(--edge)" }), words = svg(two.group(), "g");
  const bars = [0.5, 0.24, 1].map((opacity) => svg(two.group(false), "path", { fill: "var(--data)", "fill-opacity": opacity }));
  const ring = two.handle({ label: "which batch", drag: ([place]) => to(Math.floor(place / size.value) + 1), nudge: ([steps, more]) => to(Math.min(step.value, count()) + steps + more) });
  two.node.parentNode.style.flex = "0 0 154px";
  const hint = two.hint("\u2190 drag me", { dx: 66, dy: 0, arrow: false });
  two.node.addEventListener("click", (event) => to(Math.floor(two.x.invert(event.clientX - two.node.getBoundingClientRect().left) / size.value) + 1));
  two.hover((place) => {
    const { arrows, all, count } = stage.result, k = Math.min(Math.floor(place / size.value), count - 1);
    return { x: Math.min((k + 0.5) * size.value, n), y: 0, text: `batch ${k + 1}: ${percent(off(arrows[k], all))} off` };
  });

  // The surface: from the model at 0, with the end of the exact arrow and, if it is near, the lowest point.
  const { surface, all, spread } = about(given), bottom = [surface.weight, surface.bias], near = Math.hypot(...bottom) < 8 * Math.hypot(...all);
  const [across, up] = [0, 1].map((k) => {
    const values = [0, 1.6 * all[k], near ? bottom[k] : 0], low = Math.min(...values), high = Math.max(...values), room = 0.3 * (high - low || 1);
    return [low - room, high + room];
  });
  const three = stage.panel(stage.column(1), { title: "Where does the batch pull?", filled: true, equal: true, x: { label: "weight", domain: across }, y: { label: "bias", domain: up } });
  three.key([["data", "arrow", "this batch"], ["ink", "arrow", "all rows"], ["ink", "thin", "other batches"]]);
  const levels = three.levels(levelsBetween(surface.lowest * 1.02, Math.max(...across.flatMap((w) => up.map((b) => surface.loss(w, b)))), 8)), around = svg(three.group(false), "path", { fill: "var(--ground)", "fill-opacity": 0.35, stroke: "var(--ink)", "stroke-opacity": 0.6, "stroke-width": 1.3, "stroke-dasharray": "2 4" }), lines = three.group(false), exact = three.arrow("ink"), guess = three.arrow("data"), plus = svg(three.group(false), "path", { stroke: "var(--truth)", "stroke-width": 1.5 });
  const lowest = three.words("ink", { anchor: "middle", bold: false, over: false }), rule = svg(three.group(), "text");
  three.hover((w, b) => ({ x: w, y: b, text: `loss ${short(surface.loss(w, b))}` }));

  return (settings, { order, count, step: at, rows, leftOut, arrows, arrow, typical }, proof) => {
    const { batch_size: each } = settings, pick = (values, some) => some.map((i) => values[i]);
    const first = (at - 1) * each, others = [...order.slice(0, first), ...order.slice(first + rows.length, n - leftOut.length)], few = others.filter((_, k) => k % (Math.ceil(n / 2000)) === 0);
    zero(given.domain, [0, 0]);
    for (const [mark, some] of [[rest, few], [out, leftOut], [now, rows]]) mark(pick(given.x, some), pick(given.y, some));
    sticks(pick(given.x, rows), rows.map(() => 0), pick(given.y, rows));
    mine(proof?.x ?? [], proof?.y ?? []);
    key([`batch ${whole(at)}`, others.length ? "other rows" : "", leftOut.length ? `${leftOut.length} left out` : "", "the model now: \u0177 = 0 x + 0"]);
    number.replaceChildren(whole(at), element(null, "small", { textContent: ` of ${whole(count)}` }));
    meter(typical.map(([one, share]) => [one, one === n ? "all" : whole(one), share, whole(100 * share)]), each);

    const px = two.x(each) - two.x(0), gap = Math.min(8, 0.2 * px), wide = (px - gap) / each, bottom = two.box.bottom, stride = Math.ceil(n / 800);
    const bar = (row, place) => `M${(two.x(0) + Math.floor(place / each) * px + gap / 2 + (place % each) * wide).toFixed(1)},${bottom}` +
      `V${two.y(row + 0.02 * n).toFixed(1)}h${Math.max(0.8 * wide * stride, 0.8).toFixed(2)}V${bottom}Z`;
    const path = (from, to, by) => Array.from({ length: Math.ceil((to - from) / by) }, (_, k) => bar(order[from + k * by], from + k * by)).join("");
    [[0, first, stride], [first + rows.length, n - leftOut.length, stride], [first, first + rows.length, 1]].forEach((part, k) => put(bars[k], { d: path(...part) }));
    const middle = two.x(first) + (rows.length / each) * px / 2, breadth = Math.max((rows.length / each) * px, 6);
    put(frame, { x: middle - breadth / 2, y: two.box.top, width: breadth, height: bottom - two.box.top });
    words.replaceChildren(svg(null, "text", { x: two.box.left, y: bottom + 33 }, "dealt first"));
    const name = (text, x, style) => svg(words, "text", { x, y: bottom + 17, "text-anchor": "middle", ...style }, text);
    const room = 16 + 7 * whole(count).length, here = clamp(middle, two.box.left + 10 + room / 2, two.box.right - 10 - room / 2);
    for (let k = 0; k < count; k += Math.ceil(room / px)) {
      const center = two.x((k * each + Math.min((k + 1) * each, n)) / 2);
      if (Math.abs(center - here) > 30 + room / 2 && center < two.box.right - room / 2 + 10) name(whole(k + 1), center);
    }
    name(`batch ${whole(at)}`, here, { class: "bold", style: "fill:var(--ink)" });
    ring(two.x.invert(middle), 1.2 * n, at, `batch ${at} of ${count}`);
    hint(two.x.invert(middle), 1.2 * n);
    levels(surface);
    const from = [three.x(0), three.y(0)];
    lines.replaceChildren(svg(null, "path", { fill: "none", stroke: "var(--ink)", "stroke-opacity": count > 60 ? 0.12 : 0.28, "stroke-width": 1.3,
      d: arrows.slice(0, 400).map(([w, b]) => `M${from}L${three.x(w)},${three.y(b)}`).join("") }));
    for (const [mark, [w, b]] of [[exact, all], [guess, arrow]]) mark(from, three.within(from, [three.x(w), three.y(b)]));
    put(plus, { d: `M${three.x(surface.weight) - 6},${three.y(surface.bias)}h12m-6,-6v12` });
    lowest(`lowest ${short(surface.lowest)}`, surface.weight, surface.bias, { dy: 20 });
    const dotted = settings.shuffle && each < n, most = three.box.right - three.box.left - 60, texts = ["arrow: the steepest way down", `; dotted: where 7 of 8 batches of ${whole(each)} end`];
    put(around, { d: dotted ? `M${spread.ring(each).map(([w, b]) => [three.x(w).toFixed(1), three.y(b).toFixed(1)]).join("L")}Z` : "" });
    put(rule, { x: three.box.left, y: three.box.bottom + 33 }).textContent = (dotted ? [texts.join(""), texts[1].slice(2)] : []).find((text) => most > 6.1 * text.length) ?? texts[0];
  };
}

export default { compute, sentence, build };
