// A bar from the lowest loss to a high one, with now, best and, once it is found, lowest on it: the key to the shades.
import { clamp, short } from "./numbers.js";
import { put, shade, svg, widthOf } from "./panel.js";

export function lossScale(box, surface, levels) {
  const y = 27, node = svg(box, "svg", { width: "100%", height: 62, role: "img", "aria-label": "scale of the loss" });
  const low = Math.log(surface.lowest * 0.8), high = Math.log(levels.at(-1) * 1.5), id = `scale-${Math.random().toString(36).slice(2)}`;
  const frame = svg(svg(node, "clipPath", { id }), "rect", { y, height: 9, rx: 4.5 }), bar = svg(node, "g", { "clip-path": `url(#${id})` });
  const edge = svg(node, "rect", { x: 0.5, y, height: 9, rx: 4.5, fill: "none", stroke: "var(--edge)" });
  const ground = svg(node, "path", { stroke: "var(--truth)", "stroke-width": 2, "stroke-dasharray": "3 2" }), least = svg(node, "text", { y: 57 });
  const mark = svg(node, "path", { fill: "var(--ink)" }), now = svg(node, "text", { y: 15, class: "bold scale-now" }), record = svg(node, "text", { y: 57, class: "bold scale-now" });
  const ring = svg(node, "circle", { cy: y + 4.5, r: 5, fill: "var(--ground)", stroke: "var(--ink)", "stroke-width": 2 });
  let width = 0;
  const at = (loss) => clamp(((Math.log(loss) - low) / (high - low)) * width, 0, width);
  const resize = () => {
    width = box.clientWidth;
    put(frame, { width });
    put(edge, { width: width - 1 });
    bar.replaceChildren();
    [0, ...levels].forEach((level, i) => svg(bar, "rect", { x: at(level), y, width: width - at(level), height: 9, fill: shade(i / levels.length) }));
    ground.setAttribute("d", `M${at(surface.lowest)},${y - 5}v19`);
  };
  new ResizeObserver(() => { width = 0; }).observe(box); // the stage draws again, too
  return (loss, best, found) => {
    if (!width) resize();
    const x = at(loss), shown = Number.isFinite(best), wide = (text) => widthOf(text, text.textContent);
    now.textContent = `loss now ${short(loss)}`;
    put(now, { x: clamp(x - wide(now) / 2, 0, width - wide(now)) });
    mark.setAttribute("d", `M${x},${y - 1}l-6,-8h12Z`);
    put(ring, { cx: shown ? at(best) : 0, visibility: shown ? "visible" : "hidden" });
    put(ground, { visibility: found ? "visible" : "hidden" });
    const lowest = short(surface.lowest), joined = shown && found && short(best) === lowest, left = Math.max(at(surface.lowest) - 4, 0);
    record.textContent = shown && !joined ? `your best ${short(best)}` : "";
    // Of what is said of the lowest the first that leaves room for your best.
    const says = found ? [`${joined ? "your best = " : ""}lowest possible ${lowest}`, `lowest ${lowest}`, ""] : [""];
    for (const text of says) {
      least.textContent = text;
      if (!record.textContent || left + wide(least) + 10 + wide(record) <= width) break;
    }
    put(least, { x: left });
    if (record.textContent) put(record, { x: clamp(at(best) - 14, least.textContent ? left + wide(least) + 10 : 0, width - wide(record)) });
  };
}
