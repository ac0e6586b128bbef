// The path of a run over a surface: a dot for each of the first steps, and an arrow where it leaves.

const FRAMES = 12; // how far outside its frame a path is drawn
const DOTTED = 40; // steps that have a dot each

// Returns draw(ws, bs, steps, {to, word}) for the points after `steps`, up to place `to`; `word` stands
// at the arrow where they have left the picture. It returns that place, or null if they have not.
export function walk(panel) {
  const path = panel.curve("ink", { width: 1.7, halo: 3 }), dots = panel.dots("ink", { size: 2.5, opacity: 1 });
  const arrow = panel.arrow("danger"), gone = panel.words("danger", { anchor: "middle" });
  return (ws, bs, steps, { to, word }) => {
    const { box } = panel, at = (i) => [panel.x(ws[i]), panel.y(bs[i])], most = FRAMES * (box.right - box.left);
    const points = [];
    for (let i = 0; i <= to; i++) {
      points.push(i ? nearer(points[i - 1], at(i), most) : at(0));
      if (points[i].cut) break;
    }
    path(points.map(([x]) => panel.x.invert(x)), points.map(([, y]) => panel.y.invert(y)));
    const marked = steps.findLastIndex((step) => step <= DOTTED) + 1;
    dots(ws.slice(0, Math.min(marked, points.length)), bs.slice(0, marked));
    const inside = ([x, y]) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
    const stays = inside(at(to)), last = stays ? -1 : points.findLastIndex((point) => inside(point));
    if (last < 0 || !points[last + 1]) {
      arrow([0, 0], [0, 0]);
      gone("", 0, 0);
      return stays ? null : at(0);
    }
    const from = points[last], tip = crossing(from, points[last + 1], box), dx = tip[0] - from[0], dy = tip[1] - from[1], size = Math.hypot(dx, dy) || 1;
    arrow([tip[0] - (30 * dx) / size, tip[1] - (30 * dy) / size], tip);
    const aside = tip[0] > (box.left + box.right) / 2 ? -1 : 1, steep = Math.abs(dy) > Math.abs(dx); // the word is beside it
    gone(word, panel.x.invert(tip[0]), panel.y.invert(tip[1]), steep ? { dx: aside * (16 + 3.6 * word.length), dy: dy > 0 ? -12 : 22 } : { dy: 24 });
    return tip;
  };
}

// The second point, or one on the way to it that is not farther than `most`.
function nearer([x0, y0], [x1, y1], most) {
  const size = Math.hypot(x1 - x0, y1 - y0);
  if (size <= most) return [x1, y1];
  const share = most / Math.min(size, 1e300);
  return Object.assign([x0 + share * clip(x1 - x0), y0 + share * clip(y1 - y0)], { cut: true });
}

const clip = (value) => Math.min(Math.max(value, -1e300), 1e300);

// Where the way from a point in a box to one outside leaves it.
function crossing([x0, y0], [x1, y1], { left, right, top, bottom }) {
  const sides = [[x0, x1, left], [x0, x1, right], [y0, y1, top], [y0, y1, bottom]];
  const share = Math.min(1, ...sides.map(([a, b, side]) => (side - a) / (b - a)).filter((t) => t > 0));
  return [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
}
