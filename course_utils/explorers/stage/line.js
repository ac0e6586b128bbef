// What is exact about a line: least squares, the loss surface, and the path of gradient descent.
// The same formulas as descent.py, which PyTorch's own loop is held against.
import { Generator } from "./random.js";

const bowls = new WeakMap();

// The MSE of y = w x + b over these points, as a bowl over (w, b): lowest point, loss, gradient,
// curvature, and its level sets, which are ellipses.
export function bowl(x, y) {
  const n = x.length;
  let mx = 0, my = 0;
  for (let i = 0; i < n; i++) { mx += x[i] / n; my += y[i] / n; }
  let vx = 0, vxy = 0, vy = 0; // about the means, so that nothing large cancels
  for (let i = 0; i < n; i++) {
    const dx = x[i] - mx, dy = y[i] - my;
    vx += dx * dx / n; vxy += dx * dy / n; vy += dy * dy / n;
  }
  const xx = vx + mx * mx, weight = vx ? vxy / vx : 0, bias = my - weight * mx;
  const lowest = Math.max(vy - weight * vxy, 0);
  const scale = Math.sqrt(xx) || 1, lean = mx / scale, upright = Math.sqrt(Math.max(1 - lean * lean, 0));
  const loss = (w, b) => {
    const p = w - weight, q = b - bias;
    return lowest + p * p * xx + 2 * p * q * mx + q * q;
  };
  return {
    weight, bias, lowest, loss,
    gradient: (w, b) => [2 * ((w - weight) * xx + (b - bias) * mx), 2 * ((w - weight) * mx + b - bias)],
    curvature: xx + 1 + Math.hypot(xx - 1, 2 * mx), // largest eigenvalue of [[2 xx, 2 mx], [2 mx, 2]]
    // A point of the level set of this loss; `turn` goes once around from 0 to 2 pi.
    level(value, turn) {
      const size = Math.sqrt(Math.max(value - lowest, 0));
      const q = upright ? (size * Math.sin(turn)) / upright : 0;
      return [weight + (size * Math.cos(turn) - lean * q) / scale, bias + q];
    },
  };
}

// The bowl over the points that an explorer was given, made once.
export function bowlOf(given) {
  if (!bowls.has(given)) bowls.set(given, bowl(given.x, given.y));
  return bowls.get(given);
}

// Weight and bias of a line with the smallest mean absolute error: through each point the best slope
// is the median of the slopes to the others, weighted by their distance in x; then the best of these.
export function leastAbsolute(x, y) {
  const n = x.length, height = Math.max(...y) - Math.min(...y), slopes = new Float64Array(n), runs = new Float64Array(n);
  let best = [0, 0], lowest = Infinity;
  for (let i = 0; i < n; i++) {
    let others = 0, total = 0, sum = 0;
    for (let j = 0; j < n; j++) {
      if (x[j] === x[i]) continue;
      slopes[others] = (y[j] - y[i]) / (x[j] - x[i]);
      total += runs[others++] = Math.abs(x[j] - x[i]);
    }
    if (!others) continue;
    const sorted = slopes.slice(0, others).sort();
    let low = 0, high = others - 1;
    while (low < high) { // the first slope with half of the weight at or below it
      const middle = (low + high) >> 1;
      let passed = 0;
      for (let j = 0; j < others; j++) if (slopes[j] <= sorted[middle]) passed += runs[j];
      if (2 * passed >= total * (1 - 1e-12)) high = middle;
      else low = middle + 1;
    }
    const weight = sorted[low], bias = y[i] - weight * x[i];
    for (let j = 0; j < n; j++) sum += Math.abs(weight * x[j] + bias - y[j]);
    const loss = sum / n; // rounding decides nothing, here and above
    if (lowest === Infinity || loss < lowest - 1e-12 * (lowest + height)) { lowest = loss; best = [weight, bias]; }
  }
  return best;
}

// The rows of a training set in the order in which a shuffling DataLoader with this seed serves
// them. Targets are y + noise * draw, so that the noise can move and the draw stay.
export class Rows {
  #dealt = 0; // epochs whose order is known
  #order = new Int32Array(0);
  #sizes = new Map(); // batch size -> moments of each batch
  #targets = { noise: null, values: null };

  constructor(x, y, draw, seed) {
    [this.x, this.y, this.draw] = [x, y, draw].map((values) => Float64Array.from(values));
    this.n = x.length;
    this.generator = new Generator(seed);
  }

  perEpoch(size) {
    return Math.ceil(this.n / size);
  }

  // The same array as long as the noise is the same.
  targets(noise) {
    if (this.#targets.noise !== noise) this.#targets = { noise, values: this.y.map((value, i) => value + noise * this.draw[i]) };
    return this.#targets.values;
  }

  // The rows of so many epochs or more, one after the other.
  order(epochs) {
    const { n } = this;
    if (epochs * n > this.#order.length) {
      const more = new Int32Array(Math.max(epochs * n, 2 * this.#order.length));
      more.set(this.#order);
      this.#order = more;
    }
    for (; this.#dealt < epochs; this.#dealt++) this.#order.set(this.generator.epoch(n), this.#dealt * n);
    return this.#order;
  }

  // For each step the means of x x, x, x y, y, x draw and draw over its batch: six numbers.
  moments(size, epochs) {
    const known = this.#sizes.get(size);
    if (known?.epochs >= epochs) return known.values;
    const most = Math.max(epochs, 2 * (known?.epochs ?? 16)), rows = this.order(most);
    const { n, x, y, draw } = this, values = new Float64Array(6 * most * this.perEpoch(size));
    let at = 0;
    for (let e = 0; e < most; e++) for (let first = e * n; first < (e + 1) * n; first += size, at += 6) {
      const end = Math.min(first + size, (e + 1) * n), share = 1 / (end - first);
      let xx = 0, sx = 0, xy = 0, sy = 0, xd = 0, sd = 0;
      for (let i = first; i < end; i++) {
        const r = rows[i], v = x[r] * share;
        xx += v * x[r]; sx += v;
        xy += v * y[r]; sy += y[r] * share;
        xd += v * draw[r]; sd += draw[r] * share;
      }
      values[at] = xx; values[at + 1] = sx; values[at + 2] = xy; values[at + 3] = sy; values[at + 4] = xd; values[at + 5] = sd;
    }
    this.#sizes.set(size, { epochs: most, values });
    return values;
  }

  // What the steps of a run need: moments of each batch, or for L1 its rows.
  #needs({ size, epochs, noise = 0, loss = "MSELoss" }) {
    if (loss === "MSELoss") return { m: this.moments(size, epochs), noise };
    return { rows: this.order(epochs), y: this.targets(noise), size, per: this.perEpoch(size) };
  }

  // Weight and bias of SGD or Adam after each of the steps in `keep` (ascending, from 0): two
  // arrays, cut where a parameter is no longer finite, and the last step before that.
  descend(run, keep) {
    const W = [], B = [], needs = this.#needs(run), go = (now, from, to) => this.#walk(run, needs, now, from, to);
    let now = [...run.start, 0, 0, 0, 0, 1, 1], reached = 0;
    for (const step of keep) {
      const next = go(now, reached, step);
      if (!finite(next)) {
        while (finite((now = go(now, reached, reached + 1)))) reached++;
        break;
      }
      [now, reached] = [next, step];
      W.push(now[0]); B.push(now[1]);
    }
    return [W, B, reached];
  }

  // Where the steps from one to another lead: weight, bias and what Adam remembers.
  #walk({ lr, optimizer = "SGD" }, { m, noise, rows, y, size, per }, [w, b, m0, m1, v0, v1, p1, p2], from, to) {
    const sgd = optimizer === "SGD", { x, n } = this;
    for (let step = from; step < to; step++) {
      let gw = 0, gb = 0;
      if (m) {
        const k = 6 * step;
        gw = 2 * (w * m[k] + b * m[k + 1] - m[k + 2] - noise * m[k + 4]);
        gb = 2 * (w * m[k + 1] + b - m[k + 3] - noise * m[k + 5]);
      } else {
        const epoch = Math.floor(step / per), first = epoch * n + (step - epoch * per) * size, end = Math.min(first + size, (epoch + 1) * n);
        for (let i = first; i < end; i++) {
          const v = x[rows[i]], side = sign(w * v + b - y[rows[i]]);
          gw += side * v; gb += side;
        }
        gw /= end - first; gb /= end - first;
      }
      if (sgd) { w -= lr * gw; b -= lr * gb; continue; }
      p1 *= 0.9; p2 *= 0.999;
      m0 = 0.9 * m0 + 0.1 * gw; m1 = 0.9 * m1 + 0.1 * gb;
      v0 = 0.999 * v0 + 0.001 * gw * gw; v1 = 0.999 * v1 + 0.001 * gb * gb;
      w -= (lr / (1 - p1)) * m0 / (Math.sqrt(v0 / (1 - p2)) + 1e-8);
      b -= (lr / (1 - p1)) * m1 / (Math.sqrt(v1 / (1 - p2)) + 1e-8);
    }
    return [w, b, m0, m1, v0, v1, p1, p2];
  }

  // Where runs end that differ in their rate alone: weights and biases. All take a step together,
  // which is faster than one after the other. Yields now and then.
  *ends(run, rates) {
    const { size, epochs, start, loss = "MSELoss" } = run, total = epochs * this.perEpoch(size), needs = this.#needs(run);
    const few = Math.max(1, Math.floor(400_000 / rates.length / (loss === "MSELoss" ? 1 : size))), zeros = () => new Float64Array(4 * Math.ceil(rates.length / 4));
    const lr = zeros();
    lr.set(rates);
    const now = { lr, w: zeros().fill(start[0]), b: zeros().fill(start[1]), gw: zeros(), gb: zeros(), m0: zeros(), m1: zeros(), v0: zeros(), v1: zeros(), p: [1, 1] };
    for (let step = 0; step < total; step += few) {
      this.#walkAll(run, needs, now, step, Math.min(step + few, total));
      yield;
    }
    return [now.w, now.b].map((all) => all.subarray(0, rates.length));
  }

  #walkAll({ optimizer = "SGD" }, { m, noise, rows, y, size, per }, { lr, w, b, gw, gb, m0, m1, v0, v1, p }, from, to) {
    const { x, n } = this, many = lr.length;
    for (let step = from; step < to; step++) {
      if (m) {
        const k = 6 * step, xx = m[k], sx = m[k + 1], xy = m[k + 2], sy = m[k + 3], xd = noise * m[k + 4], sd = noise * m[k + 5];
        for (let j = 0; j < many; j++) {
          gw[j] = 2 * (w[j] * xx + b[j] * sx - xy - xd);
          gb[j] = 2 * (w[j] * sx + b[j] - sy - sd);
        }
      } else {
        const epoch = Math.floor(step / per), first = epoch * n + (step - epoch * per) * size, end = Math.min(first + size, (epoch + 1) * n), count = end - first;
        for (let j = 0; j < many; j += 4) { // four sums at once do not wait for each other
          const w0 = w[j], w1 = w[j + 1], w2 = w[j + 2], w3 = w[j + 3], b0 = b[j], b1 = b[j + 1], b2 = b[j + 2], b3 = b[j + 3];
          let g0 = 0, g1 = 0, g2 = 0, g3 = 0, h0 = 0, h1 = 0, h2 = 0, h3 = 0;
          for (let i = first; i < end; i++) {
            const v = x[rows[i]], height = y[rows[i]];
            const s0 = sign(w0 * v + b0 - height), s1 = sign(w1 * v + b1 - height), s2 = sign(w2 * v + b2 - height), s3 = sign(w3 * v + b3 - height);
            g0 += s0 * v; g1 += s1 * v; g2 += s2 * v; g3 += s3 * v;
            h0 += s0; h1 += s1; h2 += s2; h3 += s3;
          }
          [g0, g1, g2, g3].forEach((sum, i) => { gw[j + i] = sum / count; });
          [h0, h1, h2, h3].forEach((sum, i) => { gb[j + i] = sum / count; });
        }
      }
      if (optimizer === "SGD") {
        for (let j = 0; j < many; j++) { w[j] -= lr[j] * gw[j]; b[j] -= lr[j] * gb[j]; }
        continue;
      }
      p[0] *= 0.9; p[1] *= 0.999;
      for (let j = 0; j < many; j++) {
        const rate = lr[j] / (1 - p[0]);
        m0[j] = 0.9 * m0[j] + 0.1 * gw[j]; m1[j] = 0.9 * m1[j] + 0.1 * gb[j];
        v0[j] = 0.999 * v0[j] + 0.001 * gw[j] * gw[j]; v1[j] = 0.999 * v1[j] + 0.001 * gb[j] * gb[j];
        w[j] -= rate * m0[j] / (Math.sqrt(v0[j] / (1 - p[1])) + 1e-8);
        b[j] -= rate * m1[j] / (Math.sqrt(v1[j] / (1 - p[1])) + 1e-8);
      }
    }
  }
}

const finite = ([w, b]) => Number.isFinite(w) && Number.isFinite(b);

// As Math.sign, without a branch that a processor would have to guess.
const sign = (value) => (value === 0 ? 0 : Math.abs(value) / value);

// The mean loss of y = w x + b over points, as a function of w and b.
export function meanLoss(x, y, loss) {
  if (loss === "MSELoss") return bowl(x, y).loss;
  return (w, b) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += Math.abs(w * x[i] + b - y[i]);
    return sum / x.length;
  };
}

// The mean loss of each of many lines; the same numbers as `meanLoss` gives.
export function meanLosses(x, y, loss, W, B) {
  const n = x.length, sums = [];
  if (loss === "MSELoss" || !n) {
    const one = meanLoss(x, y, loss);
    return W.map((w, k) => one(w, B[k]));
  }
  for (let k = 0; k < W.length; k += 4) { // four sums at once do not wait for each other
    const [w0, w1 = 0, w2 = 0, w3 = 0] = W.slice(k, k + 4), [b0, b1 = 0, b2 = 0, b3 = 0] = B.slice(k, k + 4);
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (let i = 0; i < n; i++) {
      const v = x[i], height = y[i];
      s0 += Math.abs(w0 * v + b0 - height); s1 += Math.abs(w1 * v + b1 - height);
      s2 += Math.abs(w2 * v + b2 - height); s3 += Math.abs(w3 * v + b3 - height);
    }
    sums.push(s0 / n, s1 / n, s2 / n, s3 / n);
  }
  return sums.slice(0, W.length);
}

const lowests = new WeakMap(); // by targets

// The lowest mean absolute error of a line, or null where a frame has no time to find it.
export function lowestAbsolute(x, y) {
  if (x.length > 300) return null;
  if (!lowests.has(y)) lowests.set(y, meanLoss(x, y, "L1Loss")(...leastAbsolute(x, y)));
  return lowests.get(y);
}

// Round values, 1, 2 and 5 times powers of ten, from the first above `low` to `high`; every
// second or third of them where they would be more than `most`.
export function levelsBetween(low, high, most = 8) {
  const values = [];
  for (let k = Math.floor(Math.log10(Math.max(low, 1e-12))); k <= Math.ceil(Math.log10(high)); k++)
    for (const n of [1, 2, 5]) if (n * 10 ** k > low && n * 10 ** k <= high) values.push(Number(`${n}e${k}`));
  const stride = Math.ceil(values.length / most);
  return values.filter((_, i) => i % stride === 0);
}
