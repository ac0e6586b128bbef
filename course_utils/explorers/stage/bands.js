// A loss surface as filled bands, with some of their values where neither a path nor its words are.
import { short } from "./numbers.js";

const APART = 34, CLOSEST = 30; // pixels between values, and from the lowest point

// Returns draw(loss, {key, lowest, levels, rough}, start): the bands are drawn again when `key` or the
// frame changes. levels(low, high) gives their edges; `rough` is a cheaper loss to draw them with.
export function bands(panel) {
  const field = panel.field(48), values = [0, 1, 2].map(() => panel.words("ink", { bold: false, anchor: "middle", over: false }));
  const at = ([w, b]) => [panel.x(w), panel.y(b)];
  let drawn = "", levels = [];

  // On a ray from the lowest point, across the way from the start, on the left of the two sides.
  const write = (loss, lowest, start) => {
    const { box } = panel, [cx, cy] = at(lowest), [sx, sy] = at(start);
    const size = Math.hypot(cx - sx, cy - sy) || 1, turn = Math.sign((sy - cy) * (cx >= sx ? 1 : -1)) || 1;
    const place = (far) => [cx + (far * turn * (cy - sy)) / size, cy - (far * turn * (cx - sx)) / size];
    const lossAt = (far) => { const [x, y] = place(far); return loss(panel.x.invert(x), panel.y.invert(y)); };
    let last = Infinity, shown = 0;
    for (const level of levels.toReversed()) {
      let [near, far] = [0, 2000];
      for (let k = 0; k < 24; k++) lossAt((near + far) / 2) < level ? (near = (near + far) / 2) : (far = (near + far) / 2);
      const [x, y] = place(far), inside = x > box.left + 28 && x < box.right - 28 && y > box.top + 34 && y < box.bottom - 14;
      if (!inside || far > last - APART || far < CLOSEST || shown === values.length) continue;
      values[shown](`${shown ? "" : "loss "}${short(level)}`, panel.x.invert(x), panel.y.invert(y), { dy: 4 });
      shown += 1;
      last = far;
    }
    for (; shown < values.length; shown++) values[shown]("", ...lowest);
  };

  return (loss, surface, start) => {
    const key = [surface.key, panel.box.right, panel.box.bottom].join();
    if (key !== drawn) {
      drawn = key;
      levels = surface.levels(loss(...surface.lowest), loss(panel.x.domain()[1], panel.y.domain()[1]));
      field(surface.rough ?? loss, levels);
    }
    write(surface.rough ?? loss, surface.lowest, start);
  };
}
