// What is exact about logistic regression with two features: chances, loss, slopes, the lowest loss.
const lowest = new WeakMap(); // the best line for what an explorer was given

export const sigmoid = (z) => 1 / (1 + Math.exp(-z));
export const logitOf = (chance) => Math.log(chance / (1 - chance));
export const cost = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))); // log(1 + e^z), whatever z is

// The logits of a line, its binary cross entropy, and the gradient and curvature of that.
export function judged(line, { x1, x2, y }) {
  const n = y.length, logits = new Float64Array(n), gradient = [0, 0, 0], bend = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const bird = [x1[i], x2[i], 1], z = line[0] * x1[i] + line[1] * x2[i] + line[2], p = sigmoid(z);
    logits[i] = z;
    loss += cost(y[i] ? -z : z);
    for (let k = 0; k < 3; k++) {
      gradient[k] += ((p - y[i]) * bird[k]) / n;
      for (let j = 0; j < 3; j++) bend[k][j] += (p * (1 - p) * bird[k] * bird[j]) / n;
    }
  }
  return { logits, loss: loss / n, gradient, bend };
}

// Newton's method, which needs a few steps on this bowl.
export function lowestOf(given) {
  if (!lowest.has(given)) {
    let line = [0, 0, 0];
    for (let round = 0; round < 30; round++) {
      const { gradient, bend } = judged(line, given), rows = bend.map((row, k) => [...row, gradient[k]]);
      for (let k = 0; k < 3; k++) for (let j = 0; j < 3; j++) {
        const share = rows[j][k] / rows[k][k];
        if (j !== k) rows[j] = rows[j].map((value, m) => value - share * rows[k][m]);
      }
      line = line.map((value, k) => value - rows[k][3] / rows[k][k]);
    }
    lowest.set(given, { line, loss: judged(line, given).loss });
  }
  return lowest.get(given);
}

// Where the line of chance one half is: its normal (u, v), its distance from 0 and its steepness.
export function normalOf([w1, w2, b]) {
  const steep = Math.hypot(w1, w2), size = Math.max(steep, 0.001), [u, v] = steep ? [w1 / steep, w2 / steep] : [1, 0];
  return { size, u, v, shift: -b / size };
}

// Its two ends in a frame, [[x, x], [y, y]], the upper one first; of a line outside, two places at the edge.
export function endsIn({ u, v, shift }, frame) {
  const at = (t) => [u * shift - v * t, v * shift + u * t], [from, to] = [-v, u].reduce((range, along, k) => {
    const foot = at(0)[k], ways = frame[k].map((end) => (end - foot) / (along || 1e-12)).sort((p, q) => p - q);
    return [Math.max(range[0], ways[0]), Math.min(range[1], ways[1])];
  }, [-Infinity, Infinity]);
  const ends = from < to ? [at(from), at(to)] : [-0.7, 0.7].map((t) => at(t).map((value, k) => Math.min(Math.max(value, frame[k][0]), frame[k][1])));
  return ends.sort((p, q) => q[1] - p[1]);
}
