// A line with two ends that a hand can move: an end turns it about the other, the rest shifts it.
import { clamp } from "./numbers.js";

// ends: where in x the two handles are; range: how high they go; unit: what an arrow key moves an
// end; text(height): a height as it is spoken; move(weight, bias): what a hand asks for.
export function movableLine(stage, panel, { ends, range, unit, text, move, name = "line" }) {
  const { weight: W, bias: B } = stage.controls, at = (x) => W.value * x + B.value;
  let drag, held; // the present drag, and what stays where it is as long as it lasts
  const hold = (first, value) => {
    if (drag !== first) { drag = first; held = value; }
    return held;
  };
  const turn = (i, y, other) => {
    const weight = (clamp(y, ...range) - other) / (ends[i] - ends[1 - i]);
    move(weight, other - weight * ends[1 - i]);
  };
  const grip = panel.grip(([, y], _last, first) => move(W.value, hold(first, B.value) + y - first[1]));
  const handles = ends.map((x, i) => panel.handle({
    label: `${i ? "right" : "left"} end of the ${name}`,
    drag: ([, y], _last, first) => turn(i, y, hold(first, at(ends[1 - i]))),
    nudge: ([, steps]) => steps && turn(i, at(x) + steps * unit, at(ends[1 - i])),
  }));
  return (weight, bias) => {
    const f = (x) => weight * x + bias, room = (13 * (range[1] - range[0])) / (panel.box.bottom - panel.box.top);
    grip(ends, ends.map(f));
    // Where the line leaves the frame, its handle slides along the frame.
    return handles.map((put, i) => {
      const y = clamp(f(ends[i]), range[0] + room, range[1] - room);
      const there = (y - bias) / weight, x = y !== f(ends[i]) && there > ends[0] && there < ends[1] ? there : ends[i];
      put(x, y, f(ends[i]), text(f(ends[i])));
      return [x, y];
    });
  };
}
