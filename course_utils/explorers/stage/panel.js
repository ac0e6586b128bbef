// A picture of an explorer: frame, axes, marks and handles, all in the units of its axes.
import { scaleLinear, scaleLog } from "d3-scale";
import { contours } from "d3-contour";
import { line } from "d3-shape";
import { clamp, fixed, short } from "./numbers.js";

const SVG = "http://www.w3.org/2000/svg";
let panels = 0;

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
    else node.setAttribute(name, value);
  }
  return node;
}

// A color between the lowest and the highest of a surface; 0 is the lowest.
export const shade = (share) =>
  `color-mix(in srgb, var(--low), var(--high) ${Math.round(100 * share)}%)`;

export class Panel {
  #marks = [];
  #plot;
  #frame;
  #grid;
  #over;
  #name;

  // x, y: {label, domain, log, ticks, format}; equal: whether both axes have one unit.
  constructor(column, { title, note = "", x, y, equal = false, margin = {}, filled = false }) {
    this.id = `panel-${panels++}`;
    this.axes = { x, y };
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

    this.equal = equal;
    this.margin = { left: 44, right: 8, top: 8, bottom: 38, ...margin };
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    this.title = Object.assign(document.createElement("b"), { textContent: title });
    this.note = Object.assign(document.createElement("small"), { textContent: note });
    caption.append(this.title, this.note);
    this.node = svg(null, "svg", { role: "group" });
    this.node.setAttribute("aria-label", title);
    figure.append(caption, this.node);
    column.append(figure);
    const clip = svg(this.node, "clipPath", { id: `${this.id}-clip` });
    this.#frame = svg(clip, "rect", { rx: filled ? 6 : 0 });
    this.#grid = svg(this.node, "g", { "aria-hidden": true });
    this.#plot = svg(this.node, "g", { "clip-path": `url(#${this.id}-clip)` });
    this.#over = svg(this.node, "g");
    this.#name = svg(filled ? this.#over : this.#grid.parentNode, "text", {}, y.label ?? "");
    this.filled = filled;
    this.x = (x.log ? scaleLog : scaleLinear)().domain(x.domain);
    this.y = (y.log ? scaleLog : scaleLinear)().domain(y.domain);
  }

  // Fit into the room there is; tell whether there is any.
  resize() {
    const { width, height } = this.node.getBoundingClientRect();
    if (width < 40 || height < 40) return false;
    const { left, right, top, bottom } = this.margin;
    this.box = { left, top, right: width - right, bottom: height - bottom };
    this.x.range([left, width - right]).domain(this.axes.x.domain);
    this.y.range([height - bottom, top]).domain(this.axes.y.domain);
    if (this.equal) this.#equalize();
    put(this.#frame, { x: left, y: top, width: width - right - left, height: height - bottom - top });
    this.#drawAxes();
    return true;
  }

  rescale(x, y) {
    this.axes.x.domain = x ?? this.axes.x.domain;
    this.axes.y.domain = y ?? this.axes.y.domain;
    if (this.box) this.resize();
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
      svg(this.#grid, "text", { x: left - 7, y: at + 4, "text-anchor": "end" }, this.#tick(value, y));
    }
    for (const value of this.#ticks(this.x, x, (right - left) / 90))
      svg(this.#grid, "text", { x: this.x(value), y: bottom + 17, "text-anchor": "middle" }, this.#tick(value, x));
    svg(this.#grid, "text", { x: right, y: bottom + 33, "text-anchor": "end" }, x.label);
    put(this.#name, { x: left + (this.filled ? 10 : 2), y: top + (this.filled ? 18 : 10) });
  }

  #ticks(scale, axis, count) {
    if (axis.ticks) return axis.ticks.filter((v) => v >= Math.min(...scale.domain()) && v <= Math.max(...scale.domain()));
    const values = scale.ticks(Math.max(2, Math.round(count)));
    return axis.log ? values.filter((v) => Math.abs(Math.log10(v) % 1) < 1e-9 || Math.abs(Math.log10(v) % 1) > 1 - 1e-9) : values;
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

  dots(role, { size = 3, hollow = false, opacity = 0.72 } = {}) {
    const node = svg(null, "path", hollow
      ? { fill: "var(--ground)", stroke: `var(--${role})`, "stroke-width": 1.8 }
      : { fill: `var(--${role})`, "fill-opacity": opacity });
    return this.#mark(this.#plot, node, (xs, ys) => {
      const circle = `a${size},${size} 0 1,0 ${2 * size},0a${size},${size} 0 1,0 ${-2 * size},0`;
      let d = "";
      for (let i = 0; i < xs.length; i++) {
        const x = this.x(xs[i]), y = this.y(ys[i]);
        if (x > -99 && x < 9999 && y > -99 && y < 9999) d += `M${(x - size).toFixed(1)},${y.toFixed(1)}${circle}`;
      }
      node.setAttribute("d", d);
    });
  }

  // A line through points; what is not finite breaks it. With a halo it stands off from dots below.
  curve(role, { width = 2.5, dash = null, halo = 0, opacity = 1, fill = false } = {}) {
    const group = svg(null, "g", { "stroke-linejoin": "round", "stroke-linecap": "round", opacity });
    const below = halo ? svg(group, "path", { fill: "none", stroke: "var(--ground)", "stroke-width": width + halo }) : null;
    const node = svg(group, "path", fill
      ? { fill: `var(--${role})`, stroke: "none" }
      : { fill: "none", stroke: `var(--${role})`, "stroke-width": width, "stroke-dasharray": dash });
    const far = (v) => clamp(v, -5000, 5000);
    const path = line().defined(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
    return this.#mark(this.#plot, group, (xs, ys) => {
      const points = Array.from(xs, (x, i) => [far(this.x(x)), far(this.y(ys[i]))]);
      const d = path(points) ?? "";
      node.setAttribute("d", d);
      below?.setAttribute("d", d);
    });
  }

  sticks(role, { width = 1, opacity = 0.35 } = {}) {
    const node = svg(null, "path", { fill: "none", stroke: `var(--${role})`, "stroke-width": width, "stroke-opacity": opacity });
    return this.#mark(this.#plot, node, (xs, lows, highs) => {
      let d = "";
      for (let i = 0; i < xs.length; i++) d += `M${this.x(xs[i]).toFixed(1)},${clamp(this.y(lows[i]), -99, 9999).toFixed(1)}V${clamp(this.y(highs[i]), -99, 9999).toFixed(1)}`;
      node.setAttribute("d", d);
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
      for (const [value, turn] of tags) {
        if (value <= bowl.lowest) continue;
        const [x, y] = at(value, turn);
        const box = { x: clamp(x, left + 16, right - 16), y: clamp(y + 4, top + 16, bottom - 8) };
        svg(group, "text", { ...box, "text-anchor": "middle", class: "on-surface" }, short(value));
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

  words(role, { bold = true, anchor = "start", over = true } = {}) {
    const node = svg(null, "text", { class: bold ? "halo bold" : "halo", "text-anchor": anchor, "pointer-events": "none" });
    node.style.fill = `var(--${role})`;
    return this.#mark(over ? this.#over : this.#plot, node, (text, x, y, { dx = 0, dy = 0 } = {}) => {
      node.textContent = text;
      if (!text) return;
      const { left, top, right, bottom } = this.box, width = node.getComputedTextLength();
      const from = anchor === "start" ? 0 : anchor === "end" ? width : width / 2;
      put(node, {
        x: clamp(this.x(x) + dx, left + from + 2, Math.max(right - width + from - 2, left + from + 2)),
        y: clamp(this.y(y) + dy, top + 12, bottom - 4),
      });
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
      if (!show) return;
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
    if (ball) svg(node, "ellipse", { cx: 2, cy: 11, rx: 12, ry: 4.5, fill: "#000", opacity: 0.22 });
    svg(node, "circle", { r: ball ? 12 : 9.5, class: ball ? "ball" : "ring" });
    this.#draggable(node, drag, nudge);
    return this.#mark(this.#over, node, (x, y, value, text) => {
      const at = [clamp(this.x(x), this.box.left, this.box.right), clamp(this.y(y), this.box.top, this.box.bottom)];
      node.setAttribute("transform", `translate(${at.map((v) => v.toFixed(1))})`);
      put(node, { "aria-valuenow": Number.isFinite(value) ? value.toPrecision(6) : 0, "aria-valuetext": text });
    });
  }

  // A wide invisible path that a hand can take, such as the whole line.
  grip(drag) {
    const node = svg(null, "path", { stroke: "transparent", "stroke-width": 24, fill: "none", class: "grip" });
    this.#draggable(node, drag);
    return this.#mark(this.#over, node, (xs, ys) =>
      node.setAttribute("d", line()(Array.from(xs, (x, i) => [this.x(x), this.y(ys[i])])) ?? ""));
  }

  #draggable(node, drag, nudge) {
    const at = (event) => {
      const { left, top } = this.node.getBoundingClientRect();
      return [this.x.invert(event.clientX - left), this.y.invert(event.clientY - top)];
    };
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      node.focus?.({ preventScroll: true });
      node.setPointerCapture(event.pointerId);
      let last = at(event);
      const move = (next) => { const now = at(next); drag(now, last); last = now; };
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

  // Show what `read(x, y)` says of the place under the mouse: {x, y, text} or nothing.
  hover(read) {
    const tip = svg(this.#over, "g", { visibility: "hidden", "pointer-events": "none" });
    const ring = svg(tip, "circle", { r: 6, fill: "none", stroke: "var(--ink)", "stroke-width": 2 });
    const text = svg(tip, "text", { class: "halo bold" });
    text.style.fill = "var(--ink)";
    this.node.addEventListener("pointermove", (event) => {
      const { left, top } = this.node.getBoundingClientRect(), px = event.clientX - left, py = event.clientY - top;
      const inside = this.box && px >= this.box.left && px <= this.box.right && py >= this.box.top && py <= this.box.bottom;
      const found = inside && !event.buttons ? read(this.x.invert(px), this.y.invert(py), px, py) : null;
      tip.setAttribute("visibility", found ? "visible" : "hidden");
      if (!found) return;
      const [cx, cy] = [this.x(found.x), this.y(found.y)], right = cx > (this.box.left + this.box.right) / 2;
      put(ring, { cx, cy });
      text.textContent = found.text;
      put(text, { x: cx + (right ? -12 : 12), y: clamp(cy - 10, this.box.top + 12, this.box.bottom), "text-anchor": right ? "end" : "start" });
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
