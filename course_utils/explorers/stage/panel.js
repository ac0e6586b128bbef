// A picture of an explorer: frame, axes, marks and handles, all in the units of its axes.
import { scaleLinear, scaleLog } from "d3-scale";
import { contours } from "d3-contour";
import { line } from "d3-shape";
import { clamp, fixed, short, tenth } from "./numbers.js";
import { mark as MARK } from "../../style.json";

const SVG = "http://www.w3.org/2000/svg";
const widths = new Map(); // of texts, by class; digits are equally wide

// How wide a text is; the page need not be laid out for one of its length and class.
export function widthOf(node, text) {
  const key = `${node.getAttribute("class")} ${text.replace(/\d/g, "0")}`;
  if (!widths.get(key)) widths.set(key, node.getComputedTextLength());
  return widths.get(key);
}

// Set an attribute where it has changed: what has not needs no new picture.
function renew(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function svg(parent, tag, attributes = {}, text = undefined) {
  const node = document.createElementNS(SVG, tag);
  put(node, attributes);
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

export function put(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) node.removeAttribute(name);
    else renew(node, name, String(value));
  }
  return node;
}

// A color between the lowest and the highest of a surface; 0 is the lowest.
export const shade = (share) =>
  `color-mix(in srgb, var(--low), var(--high) ${Math.round(100 * share)}%)`;

// Labels at the ends of lines ({y, ...}), moved apart; an arrow where a line has left the frame.
export function beside(labels, top, bottom, gap = 17) {
  const list = labels.map((one) => ({ ...one, way: one.y < top ? " \u2191" : one.y > bottom ? " \u2193" : "" })).sort((a, b) => a.y - b.y);
  for (let round = 0; round < 30; round++) {
    for (let k = 1; k < list.length; k++) {
      const overlap = gap - (list[k].y - list[k - 1].y);
      if (overlap > 0) { list[k].y += overlap / 2; list[k - 1].y -= overlap / 2; }
    }
    for (const one of list) one.y = clamp(one.y, top + 6, bottom - 6);
  }
  return list;
}

// A finger on it does not scroll the page; browsers ask no touch-action of what is inside an svg.
export function keepStill(node) {
  node.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });
}

export class Panel {
  #marks = [];
  #plot;
  #frame;
  #grid;
  #over;
  #name;
  #over_name = new Map(); // what lies over the name of y: that gives way
  #size; // of the picture, as it was measured last

  // x, y: {label, domain, log, ticks, format}; equal: whether both axes have one unit.
  constructor(column, { title, note = "", x, y, equal = false, margin = {}, filled = false }) {
    this.id = `panel-${Math.random().toString(36).slice(2)}`; // of no other on the page
    this.axes = { x, y };
    this.equal = equal;
    this.margin = { left: 44, right: 8, top: 8, bottom: 38, ...margin };
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    this.title = Object.assign(document.createElement("b"), { textContent: title });
    // The sentences of the note; one that finds no room is left out, none is cut.
    const notes = note.split(/(?<=[.;:]) /).map((text) => Object.assign(document.createElement("small"), { textContent: text }));
    this.note = notes[0];
    caption.append(this.title, ...notes);
    this.node = svg(null, "svg", { role: "group" });
    this.node.setAttribute("aria-label", title);
    figure.append(caption, this.node);
    column.append(figure);
    const clip = svg(this.node, "clipPath", { id: `${this.id}-clip` });
    this.#frame = svg(clip, "rect", { rx: filled ? 6 : 0 });
    this.#grid = svg(this.node, "g", { "aria-hidden": true });
    this.#plot = svg(this.node, "g", { "clip-path": `url(#${this.id}-clip)` });
    this.#over = svg(this.node, "g");
    this.#name = svg(filled ? this.#over : this.node, "text", { class: filled ? "on-surface" : "halo", "pointer-events": "none" }, y.label ?? "");
    this.filled = filled;
    this.x = (x.log ? scaleLog : scaleLinear)().domain(x.domain);
    this.y = (y.log ? scaleLog : scaleLinear)().domain(y.domain);
  }

  // Fit into the room there is; tell whether there is any.
  resize() {
    this.#size = this.node.getBoundingClientRect();
    const room = this.#size.width >= 40 && this.#size.height >= 40;
    if (room) this.#fit(this.margin.left);
    return room;
  }

  // Long numbers at y get more room.
  #fit(left) {
    const { width, height } = this.#size, { right, top, bottom } = this.margin;
    this.box = { left, top, right: width - right, bottom: height - bottom };
    this.x.range([left, width - right]).domain(this.axes.x.domain);
    this.y.range([height - bottom, top]).domain(this.axes.y.domain);
    if (this.equal) this.#equalize();
    const needs = 10 + 6.8 * Math.max(0, ...this.#ticks(this.y, this.axes.y, (height - bottom - top) / 60).map((value) => this.#tick(value, this.axes.y).length));
    if (needs > left + 5 && left === this.margin.left) return this.#fit(needs);
    put(this.#frame, { x: left, y: top, width: width - right - left, height: height - bottom - top });
    this.#drawAxes();
  }

  rescale(x, y) {
    this.axes.x.domain = x ?? this.axes.x.domain;
    this.axes.y.domain = y ?? this.axes.y.domain;
    if (this.box) this.#fit(this.margin.left); // nothing is measured: that would lay out the page
  }

  // Widen one of the axes about its middle, so that a unit has one length on both.
  #equalize() {
    const unit = (scale) => Math.abs((scale.range()[1] - scale.range()[0]) / (scale.domain()[1] - scale.domain()[0]));
    const [across, up] = [unit(this.x), unit(this.y)];
    const [wide, least] = across > up ? [this.x, up] : [this.y, across];
    const [low, high] = wide.domain(), half = Math.abs(wide.range()[1] - wide.range()[0]) / least / 2;
    wide.domain([(low + high) / 2 - half, (low + high) / 2 + half]);
  }

  #drawAxes() {
    const { left, right, top, bottom } = this.box, { x, y } = this.axes;
    this.#grid.replaceChildren();
    for (const value of this.#ticks(this.y, y, (bottom - top) / 60)) {
      const at = this.y(value);
      if (!this.filled) svg(this.#grid, "line", { x1: left, x2: right, y1: at, y2: at, class: "rule" });
      svg(this.#grid, "text", { x: left - 8, y: at + 4, "text-anchor": "end" }, this.#tick(value, y));
    }
    for (const value of this.#ticks(this.x, x, (right - left) / 90))
      svg(this.#grid, "text", { x: this.x(value), y: bottom + 17, "text-anchor": "middle" }, this.#tick(value, x));
    svg(this.#grid, "text", { x: right, y: bottom + 33, "text-anchor": "end" }, x.label);
    put(this.#name, { x: left + (this.filled ? 10 : 2), y: top + (this.filled ? 18 : 10) });
  }

  #ticks(scale, axis, count) {
    if (axis.ticks) return axis.ticks.filter((v) => v >= Math.min(...scale.domain()) && v <= Math.max(...scale.domain()));
    return axis.log ? this.#powers(scale, count) : scale.ticks(Math.max(2, Math.round(count)));
  }

  // Powers of ten; every second or third of them where they would touch, 2 and 5 where there are few.
  #powers(scale, count) {
    const [low, high] = scale.domain().map(Math.log10), most = Math.max(2, Math.floor(2 * count + 1e-9));
    const stride = Math.ceil((high - low) / most), values = [];
    for (let k = Math.ceil(low / stride - 1e-9) * stride; k <= high + 1e-9; k += stride) values.push(Number(`1e${k}`));
    if (values.length > 2 || high - low > 2) return values;
    return [1, 2, 5].flatMap((n) => [Math.floor(low), Math.ceil(low), Math.floor(high)].map((k) => Number(`${n}e${k}`)))
      .filter((v, i, all) => all.indexOf(v) === i && v >= 10 ** low * 0.999 && v <= 10 ** high * 1.001);
  }

  #tick(value, axis) {
    return axis.format ? axis.format(value) : short(value);
  }

  #mark(layer, node, update) {
    this.#marks.push(node);
    layer.append(node);
    return update;
  }

  // --- marks: each returns a function that sets its data ---------------------------------------

  // Circles or triangles: filled, hollow, or open rings around other marks.
  dots(role, { size = MARK.radius, hollow = false, open = false, triangle = false, opacity = MARK.opacity } = {}) {
    const node = svg(null, "path", hollow || open
      ? { fill: open ? "none" : "var(--ground)", stroke: `var(--${role})`, "stroke-width": MARK.stroke }
      : { fill: `var(--${role})`, "fill-opacity": opacity });
    return this.#mark(this.#plot, node, (xs, ys) => {
      const circle = triangle ? `m0,${0.7 * size}h${2 * size}l${-size},${-1.85 * size}Z` : `a${size},${size} 0 1,0 ${2 * size},0a${size},${size} 0 1,0 ${-2 * size},0`;
      let d = "";
      for (let i = 0; i < xs.length; i++) {
        const x = this.x(xs[i]), y = this.y(ys[i]);
        if (x > -99 && x < 9999 && y > -99 && y < 9999) d += `M${tenth(x - size)},${tenth(y)}${circle}`;
      }
      renew(node, "d", d);
    });
  }

  // A line through points; what is not finite breaks it. With a halo it stands off from dots below.
  curve(role, { width = MARK.line, dash = null, halo = 0, opacity = 1, fill = false } = {}) {
    const group = svg(null, "g", { "stroke-linejoin": "round", "stroke-linecap": "round", opacity });
    const below = halo ? svg(group, "path", { fill: "none", stroke: "var(--ground)", "stroke-width": width + halo }) : null;
    const node = svg(group, "path", fill
      ? { fill: `var(--${role})`, stroke: "none" }
      : { fill: "none", stroke: `var(--${role})`, "stroke-width": width, "stroke-dasharray": dash });
    const far = (v) => Math.round(100 * clamp(v, -5000, 5000)) / 100;
    return this.#mark(this.#plot, group, (xs, ys) => {
      let d = "", points = 0; // of the piece of the line that is being drawn
      for (let i = 0; i < xs.length; i++) {
        const x = far(this.x(xs[i])), y = far(this.y(ys[i])), there = !Number.isNaN(x + y);
        if (there) d += `${points ? "L" : "M"}${x},${y}`;
        else if (points === 1) d += "Z";
        points = there ? points + 1 : 0;
      }
      if (points === 1) d += "Z";
      renew(node, "d", d);
      if (below) renew(below, "d", d);
    });
  }

  sticks(role, { width = 1, opacity = 0.35 } = {}) {
    const node = svg(null, "path", { fill: "none", stroke: `var(--${role})`, "stroke-width": width, "stroke-opacity": opacity });
    return this.#mark(this.#plot, node, (xs, lows, highs) => {
      let d = "";
      for (let i = 0; i < xs.length; i++) d += `M${tenth(this.x(xs[i]))},${tenth(clamp(this.y(lows[i]), -99, 9999))}V${tenth(clamp(this.y(highs[i]), -99, 9999))}`;
      renew(node, "d", d);
    });
  }

  // Level sets of a bowl, darker with height: exact ellipses, no grid.
  levels(values, tags = []) {
    const group = svg(null, "g");
    return this.#mark(this.#plot, group, (bowl) => {
      const { left, top, right, bottom } = this.box;
      group.replaceChildren();
      svg(group, "rect", { x: left, y: top, width: right - left, height: bottom - top, fill: shade(1) });
      const at = (value, turn) => { const [w, b] = bowl.level(value, turn); return [this.x(w), this.y(b)]; };
      values.toReversed().forEach((value, k) => {
        if (value <= bowl.lowest) return;
        const points = Array.from({ length: 121 }, (_, i) => at(value, (i / 120) * 2 * Math.PI));
        svg(group, "path", { d: line()(points) + "Z", fill: shade((values.length - 1 - k) / values.length), class: "level" });
      });
      const taken = [[this.x(bowl.weight) + 50, this.y(bowl.bias), 50]]; // by the name of the lowest point
      for (const [value, turn] of tags) {
        const text = short(value), half = 3.6 * text.length + 2, [u, v] = at(value, turn), x = clamp(u, left + half, right - half), y = clamp(v, top + 12, bottom - 12);
        if (value <= bowl.lowest || taken.some(([px, py, room]) => Math.abs(px - x) < room + half && Math.abs(py - y) < 15)) continue;
        taken.push([x, y, half]);
        svg(group, "text", { x, y: y + 4, "text-anchor": "middle", class: "on-surface" }, text);
      }
    });
  }

  // Level sets of any height over the frame, from a grid; `height` is a function of x and y.
  field(size = 60) {
    const group = svg(null, "g");
    return this.#mark(this.#plot, group, (height, values) => {
      const { left, top, right, bottom } = this.box, grid = new Float64Array(size * size);
      const across = (right - left) / size, up = (bottom - top) / size;
      for (let j = 0; j < size; j++) for (let i = 0; i < size; i++)
        grid[j * size + i] = height(this.x.invert(left + (i + 0.5) * across), this.y.invert(top + (j + 0.5) * up));
      group.replaceChildren();
      svg(group, "rect", { x: left, y: top, width: right - left, height: bottom - top, fill: shade(0) });
      const at = ([i, j]) => [left + i * across, top + j * up];
      contours().size([size, size]).thresholds(values)(grid).forEach((level, k) => svg(group, "path", {
        d: level.coordinates.flat().map((ring) => line()(ring.map(at)) + "Z").join(""),
        fill: shade((k + 1) / values.length), class: "level",
      }));
    });
  }

  #yields(node, left, right, top, bottom) {
    const name = this.axes.y.label, x = Number(this.#name.getAttribute("x")), y = Number(this.#name.getAttribute("y"));
    this.#over_name.set(node, Boolean(name) && left < x + widthOf(this.#name, name) + 4 && right > x - 4 && top < y + 4 && bottom > y - 10);
    renew(this.#name, "visibility", [...this.#over_name.values()].some(Boolean) ? "hidden" : "visible");
  }

  words(role, { bold = true, anchor = "start", over = true } = {}) {
    const node = svg(null, "text", { class: `${this.filled && role === "ink" ? "on-surface" : "halo"}${bold ? " bold" : ""}`, "text-anchor": anchor, "pointer-events": "none" });
    node.style.fill = `var(--${role})`;
    return this.#mark(over ? this.#over : this.#plot, node, (text, x, y, { dx = 0, dy = 0 } = {}) => {
      if (node.textContent !== text) node.textContent = text;
      if (!text) return void this.#yields(node, 0, 0, 0, 0);
      const { left, top, right, bottom } = this.box, width = widthOf(node, text);
      const from = anchor === "start" ? 0 : anchor === "end" ? width : width / 2;
      const px = clamp(this.x(x) + dx, left + from + 2, Math.max(right - width + from - 2, left + from + 2)), py = clamp(this.y(y) + dy, top + 12, bottom - 4);
      put(node, { x: px, y: py });
      this.#yields(node, px - from, px - from + width, py - 10, py + 3);
    });
  }

  // A hatched part of the frame, from one x to another: what was never seen, or is dangerous.
  zone(role = "edge") {
    const pattern = svg(this.node, "pattern", { id: `${this.id}-zone-${this.#marks.length}`, width: 9, height: 9, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
    svg(pattern, "rect", { width: 9, height: 9, fill: "var(--soft)" });
    svg(pattern, "line", { x1: 0, x2: 0, y1: 0, y2: 9, stroke: `var(--${role})`, "stroke-width": 1.4, "stroke-opacity": 0.7 });
    const node = svg(null, "rect", { fill: `url(#${pattern.id})` });
    return this.#mark(this.#plot, node, (from, to) => {
      const { left, right, top, bottom } = this.box, x = clamp(this.x(from), left, right), end = clamp(this.x(to), left, right);
      put(node, { x, y: top, width: Math.max(end - x, 0), height: bottom - top });
    });
  }

  // Of a way from a point in the frame to another, in pixels, the end that is still in the frame.
  within([x0, y0], [x1, y1]) {
    const { left, right, top, bottom } = this.box, share = (from, to, low, high) => (to > high ? (high - from) / (to - from) : to < low ? (low - from) / (to - from) : 1);
    const part = Math.min(share(x0, x1, left, right), share(y0, y1, top, bottom));
    return [x0 + part * (x1 - x0), y0 + part * (y1 - y0)];
  }

  // An arrow between two points of the picture, in pixels; short ones are left out.
  arrow(role) {
    const group = svg(null, "g", { "pointer-events": "none" });
    const parts = [["var(--ground)", 7], [`var(--${role})`, 3]].map(([color, width]) => [
      svg(group, "path", { fill: "none", stroke: color, "stroke-width": width }),
      svg(group, "path", { fill: color, stroke: color, "stroke-width": width > 3 ? 4 : 0, "stroke-linejoin": "round" }),
    ]);
    return this.#mark(this.#over, group, ([x0, y0], [x1, y1]) => {
      const length = Math.hypot(x1 - x0, y1 - y0), show = length >= 6;
      group.style.visibility = show ? "visible" : "hidden";
      if (!show) return void this.#yields(group, 0, 0, 0, 0);
      this.#yields(group, Math.min(x0, x1) - 6, Math.max(x0, x1) + 6, Math.min(y0, y1), Math.max(y0, y1));
      const c = (x1 - x0) / length, s = (y1 - y0) / length, head = Math.min(14, length);
      const bx = x1 - c * head, by = y1 - s * head;
      for (const [shaft, tip] of parts) {
        shaft.setAttribute("d", `M${x0},${y0}L${bx},${by}`);
        tip.setAttribute("d", `M${x1},${y1}L${bx - s * 7},${by + c * 7}L${bx + s * 7},${by - c * 7}Z`);
      }
    });
  }

  group(over = true) {
    const node = svg(null, "g");
    this.#mark(over ? this.#over : this.#plot, node, null);
    return node;
  }

  // --- what a hand can move -----------------------------------------------------------------

  // A ring (or a ball) that moves by mouse, touch and keys. `drag` gets the place in the units of
  // the axes, `nudge` how many steps the arrow keys ask for in x and y.
  handle({ label, ball = false, drag, nudge }) {
    const node = svg(null, "g", { class: "handle", tabindex: 0, role: "slider" });
    node.setAttribute("aria-label", label);
    svg(node, "circle", { r: ball ? 16 : 13, class: "pulse" });
    svg(node, "circle", { r: 22, fill: "transparent" });
    if (ball) {
      svg(node, "ellipse", { cx: 2, cy: 11, rx: 12, ry: 4.5, fill: "#000", opacity: 0.22 });
      const light = svg(node, "radialGradient", { id: `${this.id}-light`, cx: 0.36, cy: 0.3, r: 0.8 });
      for (const [offset, mixed] of [[0, "#fff 55%"], [0.55, "#fff 0%"], [1, "#000 28%"]]) svg(light, "stop", { offset }).style.stopColor = `color-mix(in srgb, var(--hand), ${mixed})`;
    }
    const face = svg(node, "circle", { r: ball ? 12 : 9.5, class: ball ? "ball" : "ring" });
    if (ball) face.style.fill = `url(#${this.id}-light)`;
    this.#draggable(node, drag, nudge);
    return this.#mark(this.#over, node, (x, y, value, text) => {
      const at = [clamp(this.x(x), this.box.left + 4, this.box.right), clamp(this.y(y), this.box.top, this.box.bottom)];
      node.setAttribute("transform", `translate(${at.map((v) => v.toFixed(1))})`);
      this.#yields(node, at[0] - 13, at[0] + 13, at[1] - 13, at[1] + 13);
      put(node, { "aria-valuenow": Number.isFinite(value) ? value.toPrecision(6) : 0, "aria-valuetext": text });
    });
  }

  // What to do first, on the picture, until a hand has moved anything: words on a plate, and an arrow
  // from them to a place.
  hint(text, { dx, dy, arrow = true }) {
    const group = svg(null, "g", { class: "hint", "pointer-events": "none" });
    const plate = svg(group, "rect", { rx: 13, height: 26, fill: "var(--ground)", "fill-opacity": 0.9 });
    const words = svg(group, "text", { class: "said-first", "text-anchor": "middle" }, text);
    const path = svg(group, "path", { fill: "none", stroke: "var(--handtext)", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round" });
    return this.#mark(this.#over, group, (x, y) => {
      const { left, top, right, bottom } = this.box, half = widthOf(words, text) / 2 + 12;
      const px = clamp(this.x(x), left, right), py = clamp(this.y(y), top, bottom);
      const cx = clamp(px + dx, left + half, right - half), aside = Math.abs(px - cx) > half;
      const up = py + (aside ? 16 : 28) > bottom - 14 ? -1 : 1, cy = clamp(py + up * dy, top + 14, bottom - 14);
      put(plate, { x: cx - half, y: cy - 13, width: 2 * half });
      put(words, { x: cx, y: cy + 5 });
      const way = Math.sign(px - cx) || 1, x0 = cx + way * (half - 4), y1 = py + up * 15;
      put(path, { d: arrow && aside ? `M${x0},${cy}Q${px},${cy} ${px},${y1}m-5,${up * 8}l5,${-up * 8}l6,${up * 7}` : "" });
    });
  }

  // A small head on the frame wherever a curve leaves it upwards or downwards.
  exits(role) {
    const node = svg(null, "path", { fill: `var(--${role})`, "pointer-events": "none" });
    return this.#mark(this.#over, node, (xs, ys) => {
      const { left, right, top, bottom } = this.box, side = (i) => (this.y(ys[i]) < top ? top : this.y(ys[i]) > bottom ? bottom : null);
      let d = "";
      for (let i = 1; i < xs.length; i++) for (const [a, b] of [[i - 1, i], [i, i - 1]]) {
        if (side(a) !== null || !Number.isFinite(ys[a]) || !(side(b) !== null)) continue;
        const edge = side(b), share = (edge - this.y(ys[a])) / (this.y(ys[b]) - this.y(ys[a]));
        const x = this.x(xs[a]) + share * (this.x(xs[b]) - this.x(xs[a])), way = edge === top ? 9 : -9;
        if (x >= left && x <= right) d += `M${x.toFixed(1)},${edge - way / 9}l6,${way}h-12Z`;
      }
      node.setAttribute("d", d);
    });
  }

  // Names with a mark each at the right of the title: [role, mark, text]; returns a function that
  // sets the texts, "" hides a name.
  key(items) {
    const MARKS = { line: "M1,5H21", dash: "M1,5h6m3,0h6m3,0h3", dots: "M1,5h2m3,0h2m3,0h2m3,0h2m3,0h2", thin: "M1,5H21", arrow: "M1,5H12" };
    const box = document.createElement("span");
    box.className = "key";
    this.title.after(box);
    const names = items.map(([role, mark, text]) => {
      const name = box.appendChild(document.createElement("span")), round = ["dot", "ring"].includes(mark), color = `var(--${role})`;
      const picture = svg(name, "svg", { width: round ? 11 : 22, height: 10, "aria-hidden": true });
      if (round) svg(picture, "circle", { cx: 5.5, cy: 5, r: 4, fill: mark === "dot" ? color : "none", stroke: color, "stroke-width": mark === "dot" ? 0 : 2 });
      else svg(picture, "path", { d: MARKS[mark], stroke: color, fill: "none", "stroke-width": mark === "thin" ? 1.3 : 3, "stroke-opacity": mark === "thin" ? 0.5 : 1 });
      if (mark === "arrow") svg(picture, "path", { d: "M22,5l-11,-5v10Z", fill: color });
      name.append(text);
      return name;
    });
    return (texts) => names.forEach((name, i) => { name.lastChild.textContent = texts[i]; name.style.display = texts[i] ? "" : "none"; });
  }

  // A wide invisible path that a hand can take, such as the whole line.
  grip(drag) {
    const node = svg(null, "path", { stroke: "transparent", "stroke-width": 24, fill: "none", class: "grip" });
    this.#draggable(node, drag);
    return this.#mark(this.#over, node, (xs, ys) =>
      node.setAttribute("d", line()(Array.from(xs, (x, i) => [this.x(x), this.y(ys[i])])) ?? ""));
  }

  #draggable(node, drag, nudge) {
    keepStill(node);
    const at = (event) => {
      const { left, top } = this.node.getBoundingClientRect();
      return [this.x.invert(event.clientX - left), this.y.invert(event.clientY - top)];
    };
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      node.focus?.({ preventScroll: true });
      node.setPointerCapture(event.pointerId);
      let last = at(event);
      const first = last; // the same for all moves of one drag
      const move = (next) => { const now = at(next); drag(now, last, first); last = now; };
      const end = () => {
        node.removeEventListener("pointermove", move);
        for (const name of ["pointerup", "pointercancel"]) node.removeEventListener(name, end);
      };
      node.addEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) node.addEventListener(name, end);
    });
    const KEYS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] };
    if (nudge) node.addEventListener("keydown", (event) => {
      const steps = KEYS[event.key];
      if (!steps) return;
      event.preventDefault();
      nudge(steps.map((step) => step * (event.shiftKey ? 10 : 1)));
    });
  }

  // Show what `read(x, y)` says of the place under the mouse: {x, y, text} or nothing. The text has
  // a line for each \n and stays in the frame.
  hover(read) {
    const tip = svg(this.#over, "g", { visibility: "hidden", "pointer-events": "none" });
    const ring = svg(tip, "circle", { r: 6, fill: "none", stroke: "var(--ink)", "stroke-width": 2 });
    const plate = svg(tip, "rect", { rx: 5, fill: "var(--ground)", "fill-opacity": 0.88 }), text = svg(tip, "text", { class: "bold" });
    text.style.fill = "var(--ink)";
    this.node.addEventListener("pointermove", (event) => {
      const { left, top } = this.node.getBoundingClientRect(), px = event.clientX - left, py = event.clientY - top;
      const inside = this.box && px >= this.box.left && px <= this.box.right && py >= this.box.top && py <= this.box.bottom;
      const found = inside && !event.buttons ? read(this.x.invert(px), this.y.invert(py), px, py) : null;
      tip.setAttribute("visibility", found ? "visible" : "hidden");
      if (!found) return;
      const cx = this.x(found.x), cy = clamp(this.y(found.y), this.box.top, this.box.bottom), lines = found.text.split("\n");
      put(ring, { cx, cy });
      text.replaceChildren();
      const parts = lines.map((line, k) => svg(text, "tspan", { dy: k ? 15 : 0 }, line));
      const width = Math.max(...parts.map((part) => part.getComputedTextLength()));
      const beside = cx > (this.box.left + this.box.right) / 2 ? cx - 12 - width : cx + 12;
      const x = clamp(beside, this.box.left + 2, Math.max(this.box.right - width - 2, this.box.left + 2));
      for (const part of parts) put(part, { x });
      const y = clamp(cy - 10 - 15 * (lines.length - 1), this.box.top + 14, this.box.bottom - 15 * lines.length);
      put(text, { y });
      put(plate, { x: x - 5, y: y - 14, width: width + 10, height: 15 * lines.length + 5 });
    });
    this.node.addEventListener("pointerleave", () => tip.setAttribute("visibility", "hidden"));
  }

  // Of points in the units of the axes, the nearest to a pixel, within some pixels.
  nearest(xs, ys, px, py, within = 14) {
    let best = -1, least = within;
    for (let i = 0; i < xs.length; i++) {
      const far = Math.hypot(this.x(xs[i]) - px, this.y(ys[i]) - py);
      if (far < least) { least = far; best = i; }
    }
    return best;
  }
}

export { clamp, fixed, short };
