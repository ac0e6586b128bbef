// Points as lines of a text, which a hand can move, add and remove.
import { clamp, digits, short } from "./numbers.js";
import { keepStill, put, svg } from "./panel.js";

export const MOST = 200;
const LARGEST = 1e9; // both as in inputs.py
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

// The points in lines such as "0.5, 1.2", and the number of the first line that is none.
export function read(text) {
  const lines = text.split(/\r\n|\r|\n/), points = [];
  let bad = 0;
  lines.forEach((line, place) => {
    const words = line.replaceAll("\u2212", "-").split(/[ \t\u00a0,]+/).filter(Boolean), [x, y] = words.map(Number);
    if (words.length === 2 && words.every((word) => NUMBER.test(word) && Math.abs(word) <= LARGEST)) points.push({ x, y, place });
    else if (words.length) bad ||= place + 1;
  });
  return { lines, points, bad };
}

// What a hand does to the points of a text: lines that are no points stay as they are.
export function edits(stage, name, { domain, range }) {
  const control = stage.controls[name], near = (value, ends) => Number(clamp(value, ...ends).toFixed(digits(ends[1] - ends[0], 400)));
  const written = (x, y) => `${near(x, domain)}, ${near(y, range)}`;
  const edit = (change) => {
    const { lines, points } = read(control.value);
    stage.touch();
    change(lines, points);
    control.value = lines.join("\n");
  };
  return {
    points: () => read(control.value).points.slice(0, MOST),
    put: (text) => { stage.touch(); control.value = text; },
    move: (i, x, y) => edit((lines, points) => { if (points[i]) lines[points[i].place] = written(x, y); }),
    remove: (i) => edit((lines, points) => { if (points[i]) lines.splice(points[i].place, 1); }),
    add: (x, y) => edit((lines, points) => {
      if (points.length < MOST) lines.splice(lines.at(-1).trim() ? lines.length : -1, 1, written(x, y));
    }),
  };
}

// Each can be taken by mouse and touch; by keys one is chosen and moved, in a single stop of Tab.
//   text      {points, move, remove, add}: reads and edits where the points are, at most `most`
//   chosen()  the index of the one under the keys, -1 for none; choose(i) changes it
// Returns a function that draws points and the chosen one.
export function pointsOf(panel, text, chosen, choose) {
  const rings = svg(panel.group(), "path", { fill: "var(--ground)", stroke: "var(--hand)", "stroke-width": 1.8 });
  const dots = svg(panel.group(), "path", { fill: "var(--data)" });
  const hand = svg(panel.group(), "g", { class: "handle", tabindex: 0, role: "slider", "aria-roledescription": "point", "pointer-events": "none",
    "aria-description": "Arrow keys move it, Page Up and Page Down choose another, Enter adds one, Delete removes it" });
  svg(hand, "circle", { r: 13, class: "pulse" });
  svg(hand, "circle", { r: 9.5, class: "ring" });
  svg(hand, "circle", { r: 4.2, fill: "var(--data)" });
  const grips = svg(panel.group(), "path", { fill: "transparent", class: "grip" });
  panel.node.style.cursor = "crosshair";
  const place = (event) => { const { left, top } = panel.node.getBoundingClientRect(); return [event.clientX - left, event.clientY - top]; };
  const middle = () => ({ x: panel.x.invert((panel.box.left + panel.box.right) / 2), y: panel.y.invert((panel.box.top + panel.box.bottom) / 2) });
  const inFrame = ({ x, y }) => [clamp(panel.x(x), panel.box.left, panel.box.right), clamp(panel.y(y), panel.box.top, panel.box.bottom)];
  const nearest = (event, points = text.points()) => {
    const [px, py] = place(event), far = points.map((p) => { const [x, y] = inFrame(p); return Math.hypot(x - px, y - py); });
    return far.indexOf(Math.min(...far));
  };
  let added = {}; // a double click does not remove what its first click has added
  const add = (x, y) => { const i = text.points().length; added = { i, at: performance.now() }; choose(i); text.add(x, y); };
  const byX = (points) => points.map((_, k) => k).sort((a, b) => points[a].x - points[b].x);
  const remove = (i) => {
    const order = byX(text.points()), rank = order.indexOf(i), next = order[rank + 1] ?? order[rank - 1] ?? -1;
    text.remove(i);
    choose(next > i ? next - 1 : next);
  };
  keepStill(grips);
  grips.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const i = nearest(event), { x, y } = text.points()[i], [px, py] = place(event);
    choose(i);
    hand.focus({ preventScroll: true });
    grips.setPointerCapture(event.pointerId);
    const move = (next) => { const [qx, qy] = place(next); text.move(i, x + panel.x.invert(qx) - panel.x.invert(px), y + panel.y.invert(qy) - panel.y.invert(py)); };
    grips.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"]) grips.addEventListener(end, () => grips.removeEventListener("pointermove", move), { once: true });
  });
  grips.addEventListener("dblclick", (event) => { const i = nearest(event); if (i !== added.i || performance.now() - added.at > 600) remove(i); });
  panel.node.addEventListener("click", (event) => {
    const [px, py] = place(event), { left, right, top, bottom } = panel.box;
    if (event.target === grips || event.detail > 1 || px < left || px > right || py < top || py > bottom) return;
    add(panel.x.invert(px), panel.y.invert(py));
    hand.focus({ preventScroll: true });
  });
  hand.addEventListener("keydown", (event) => {
    const points = text.points(), i = chosen(), { x, y } = points[i] ?? middle();
    const order = byX(points), rank = order.indexOf(i), last = order.length - 1;
    const step = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] }[event.key];
    const next = { PageDown: rank + 1, ".": rank + 1, PageUp: rank - 1, ",": rank - 1, Home: 0, End: last }[event.key];
    const many = event.shiftKey ? 10 : 1, [width, height] = [panel.x, panel.y].map((scale) => scale.domain()[1] - scale.domain()[0]);
    if (step && i < 0 && last >= 0) choose(order[0]);
    else if (step && i >= 0) text.move(i, x + step[0] * many * width / 100, y + step[1] * many * height / 100);
    else if (next !== undefined && last >= 0) choose(order[clamp(next, 0, last)]);
    else if (event.key === "Enter") add(x + (i < 0 ? 0 : (x > panel.x.domain()[1] - width / 20 ? -width : width) / 20), y + (i < 0 ? 0 : height / 10));
    else if (["Delete", "Backspace"].includes(event.key) && i >= 0) remove(i);
    else return;
    event.preventDefault();
  });
  return (points, i) => {
    const radius = points.length <= 30 ? 6.6 : points.length <= 80 ? 5 : 4;
    const circles = (some, r) => some.map((p) => { const [x, y] = inFrame(p); return `M${x - r},${y}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`; }).join("");
    const { x, y } = points[i] ?? {}, order = points.map((p) => p.x).sort((a, b) => a - b);
    put(rings, { d: circles(points, radius) });
    put(dots, { d: circles(points, radius / 2) });
    put(grips, { d: circles(points, 12) });
    const [px, py] = inFrame(points[i] ?? middle());
    put(hand, {
      transform: `translate(${px.toFixed(1)},${py.toFixed(1)})`, "data-none": i < 0 ? "" : null, "aria-valuenow": y ?? 0,
      "aria-label": points.length ? `point ${i < 0 ? "none" : order.indexOf(x) + 1} of ${points.length}` : "no points: Enter adds one",
      "aria-valuetext": i < 0 ? "none" : `x ${short(x)}, y ${short(y)}`,
    });
  };
}
