// The picture of a small network of one input and one output: nodes that can be looked at, edges.
import { clamp, fixed, tenth } from "./numbers.js";
import { put, svg } from "./panel.js";

const PAUSE = 100; // ms from one picture of the edges to the next while it trains: they are many

export const sign = (value) => (value < 0 ? "neg" : "pos"); // the role of a weight's color

// Nodes with what they give, edges as wide as their weights; `looked()` is the node under the mouse
// or the keys, or the one that was clicked: [layer, node] or null.
export function diagram(stage, panel) {
  const back = panel.group(false), front = panel.group(false), nodes = panel.group(), labels = panel.group();
  back.classList.add("edges");
  let drawn = 0, shape = "", cells = [], edges = [], pinned = null, pointed = null, size = [44, 44];
  const paths = new Map(), same = (a, b) => a !== null && b !== null && a[0] === b[0] && a[1] === b[1], looked = () => pointed ?? pinned;
  const point = (at) => { pointed = at; stage.ask(); };
  const lay = (sizes) => {
    const { left, right, top, bottom } = panel.box, columns = sizes.length, pitch = Math.min(48, (bottom - top) / Math.max(...sizes.slice(1, -1)));
    size = [Math.min(44, (right - left) / (1.7 * columns)), Math.min(44, pitch - 3)];
    const x = (k) => left + 23 + (k * (right - left - 46)) / (columns - 1), y = (k, j) => (top + bottom) / 2 + (j - (sizes[k] - 1) / 2) * pitch;
    const half = (k) => (k % (columns - 1) ? size[0] / 2 : 22);
    for (const group of [back, front, nodes]) group.replaceChildren();
    paths.clear();
    edges = []; cells = [];
    for (let k = 1; k < columns; k++) for (let j = 0; j < sizes[k]; j++) for (let i = 0; i < sizes[k - 1]; i++) {
      const from = x(k - 1) + half(k - 1), to = x(k) - half(k), middle = (from + to) / 2, [high, low] = [y(k - 1, i), y(k, j)];
      edges.push({ k, i, j, room: to - from, x: middle, y: (high + low) / 2, d: `M${from.toFixed(1)},${high.toFixed(1)}C${middle.toFixed(1)},${high.toFixed(1)} ${middle.toFixed(1)},${low.toFixed(1)} ${to.toFixed(1)},${low.toFixed(1)}` });
    }
    for (let k = 0; k < columns; k++) for (let j = 0; j < sizes[k]; j++) {
      const hidden = k > 0 && k < columns - 1, [w, h] = hidden ? size : [44, 44], node = svg(nodes, "g", { class: "node", transform: `translate(${x(k)},${y(k, j)})` });
      svg(node, "rect", { x: -w / 2, y: -h / 2, width: w, height: h, rx: Math.min(7, h / 4) });
      svg(node, "path", { d: `M${2 - w / 2},0H${w / 2 - 2}`, stroke: "var(--rule)" });
      const curve = svg(node, "path", { class: "output" });
      cells.push({ k, j, w, h, node, curve });
      if (!hidden) { svg(node, "text", { y: 38, "text-anchor": "middle", class: "bold" }, k ? "\u0177" : "x"); continue; }
      svg(node, "rect", { x: -w / 2, y: -Math.max(h + 3, 24) / 2, width: w, height: Math.max(h + 3, 24), class: "target" });
      put(node, { role: "button", tabindex: k === 1 && j === 0 ? 0 : -1, "aria-label": `node ${j + 1} of layer ${k}` });
      for (const [event, at] of [["pointerenter", [k, j]], ["pointerleave", null], ["focus", [k, j]], ["blur", null]]) node.addEventListener(event, () => point(at));
      node.addEventListener("click", () => { pinned = same(pinned, [k, j]) ? null : [k, j]; stage.ask(); });
      node.addEventListener("keydown", (event) => {
        const [dk, dj] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
        const next = cells.find((cell) => cell.k === k + dk && cell.j === j + dj && cell.node.getAttribute("role"));
        if (event.key === "Enter" || event.key === " ") node.dispatchEvent(new Event("click"));
        else if (!next) return;
        event.preventDefault();
        if (next) { put(node, { tabindex: -1 }); put(next.node, { tabindex: 0 }); next.node.focus(); }
      });
    }
  };
  const clear = () => { shape = ""; for (const group of [back, front, nodes, labels]) group.replaceChildren(); };
  const draw = ({ layers, nodes: outputs, curve, grid }) => {
    const sizes = [1, ...layers.map((layer) => layer.outputs)], now = [...sizes, ...Object.values(panel.box)].join();
    if (shape !== now) {
      if (looked()?.[0] > sizes.length - 2 || looked()?.[1] >= sizes[1]) pinned = pointed = null;
      shape = now;
      lay(sizes);
    }
    const at = looked(), changed = new Set(), fresh = !stage.playing || at || !edges[0].look || performance.now() > drawn + PAUSE;
    if (fresh) drawn = performance.now();
    if (labels.firstChild) labels.replaceChildren();
    for (const edge of fresh ? edges : []) {
      const { inputs, outputs: count, w } = layers[edge.k - 1], v = w[edge.j * inputs + edge.i];
      const lit = at && (same(at, [edge.k, edge.j]) || same(at, [edge.k - 1, edge.i]));
      const look = (lit ? 64 : at ? 32 : 0) + (v < 0 ? 16 : 0) + Math.round(2 * clamp(0.6 + 1.7 * Math.abs(v), 0.6, 7));
      if (edge.look !== look) { changed.add(edge.look).add(look); edge.look = look; }
      if (lit && edge.room > 48 && (same(at, [edge.k, edge.j]) ? inputs : count) === 1)
        svg(labels, "text", { x: edge.x, y: edge.y + 5, "text-anchor": "middle", class: "halo bold large", style: `fill:var(--${sign(v)})` }, fixed(v));
    }
    // Edges that look alike are one path.
    for (const look of changed) if (look !== undefined) {
      const opacity = look & 64 ? 1 : (look & 32 ? 0.2 : 0.8) * (edges.length > 150 ? 0.4 : 1);
      if (!paths.has(look)) paths.set(look, svg(look & 64 ? front : back, "path", { stroke: `var(--${look & 16 ? "neg" : "pos"})`, "stroke-width": (look & 15) / 2, "stroke-opacity": opacity, fill: "none" }));
      paths.get(look).setAttribute("d", edges.filter((edge) => edge.look === look).map((edge) => edge.d).join(""));
    }
    for (const { k, j, w, h, node, curve: line } of cells) {
      const values = k === 0 ? grid : outputs[k - 1] ?? curve, count = sizes[k], step = k === sizes.length - 1 ? 2 : 4;
      let most = k === 0 ? 3.4 : k === sizes.length - 1 ? 2 : 1.15, path = "";
      for (let i = j; i < values.length; i += 4 * count) most = Math.max(most, Math.abs(values[i]));
      for (let i = 0; i < grid.length; i += step) path += `${i ? "L" : "M"}${tenth(((i - 64) / 64) * (w / 2 - 3))},${tenth(-clamp(values[i * count + j] / most, -1, 1) * (h / 2 - 3))}`;
      line.setAttribute("d", path);
      const look = same(at, [k, j]) ? "node on" : at && k && k < sizes.length - 1 ? "node off" : "node";
      if (node.getAttribute("class") !== look) put(node, { class: look });
      if (node.getAttribute("role") && (node.getAttribute("aria-pressed") === "true") !== same(pinned, [k, j])) put(node, { "aria-pressed": same(pinned, [k, j]) });
    }
  };
  return { draw, clear, looked };
}
