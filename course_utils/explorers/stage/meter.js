// A few bars in the strip: how a number depends on a setting.
import { svg } from "./panel.js";

const LEFT = 132, WIDTH = 312, GROUND = 37;

// words: three lines before the bars. Returns a function of [value, name, height, text] for each bar,
// and the value that is on.
export function barMeter(stage, words) {
  const node = svg(stage.extra("meter"), "svg", { width: WIDTH, height: 54, role: "img", "aria-label": words.join(" ") });
  words.forEach((text, k) => svg(node, "text", { x: LEFT - 8, y: 19 + 16 * k, "text-anchor": "end" }, text));
  const group = svg(node, "g");
  return (bars, on) => {
    const most = Math.max(...bars.map(([, , height]) => height)) || 1, wide = (WIDTH - LEFT) / bars.length;
    group.replaceChildren();
    bars.forEach(([value, name, height, text], k) => {
      const x = LEFT + k * wide, tall = (22 * height) / most, one = svg(group, "g", { class: value === on ? "on" : "" });
      const middle = { x: x + wide / 2, "text-anchor": "middle" };
      svg(one, "rect", { x: x + 3, y: GROUND - tall, width: wide - 6, height: tall, fill: `var(--${value === on ? "ink" : "edge"})` });
      svg(one, "text", { ...middle, y: GROUND - 4 - tall }, text);
      svg(one, "text", { ...middle, y: GROUND + 15 }, name);
    });
    svg(group, "path", { d: `M${LEFT},${GROUND + 0.5}H${WIDTH}`, stroke: "var(--edge)" });
  };
}
