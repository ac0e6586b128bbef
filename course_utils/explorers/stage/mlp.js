// A small network of one input and one output, trained by Adam on all rows at once: the numbers of
// nn.Sequential(nn.Linear(1, width), activation, ..., nn.Linear(width, 1)) and torch.optim.Adam in
// float64, from the same first weights. Held against PyTorch by tests/test_page_network.py.
import { Generator } from "./random.js";

const EVERY = 50; // epochs from one remembered state to the next
const B1 = 0.9, B2 = 0.999, EPS = 1e-8; // Adam's

function activate(kind, h) {
  const n = h.length;
  if (kind === "tanh") for (let i = 0; i < n; i++) h[i] = Math.tanh(h[i]);
  else if (kind === "ReLU") for (let i = 0; i < n; i++) h[i] = h[i] < 0 ? 0 : h[i];
  else if (kind === "sigmoid") for (let i = 0; i < n; i++) h[i] = 1 / (1 + Math.exp(-h[i]));
}

// Multiply gradients by the slope of the activation, which follows from its output h.
function bend(kind, h, d) {
  const n = d.length;
  if (kind === "tanh") for (let i = 0; i < n; i++) d[i] *= 1 - h[i] * h[i];
  else if (kind === "ReLU") for (let i = 0; i < n; i++) d[i] = h[i] > 0 ? d[i] : 0;
  else if (kind === "sigmoid") for (let i = 0; i < n; i++) d[i] *= h[i] * (1 - h[i]);
}

export class Network {
  constructor({ width, depth, activation, seed }) {
    const sizes = [1, ...Array(depth).fill(width), 1], generator = new Generator(seed);
    const drawn = sizes.slice(1).map((outputs, k) => generator.linear(sizes[k], outputs));
    Object.assign(this, { activation, sizes, values: Float64Array.from(drawn.flat().flatMap((part) => [...part])) });
    this.layers = this.views(this.values);
  }

  // Weights and biases of each layer, in place in a flat array.
  views(flat) {
    let at = 0;
    const next = (n) => flat.subarray(at, (at += n));
    return this.sizes.slice(1).map((outputs, k) =>
      ({ inputs: this.sizes[k], outputs, w: next(this.sizes[k] * outputs), b: next(outputs) }));
  }

  // Room for what each node of each layer gives for n rows.
  room(n) {
    return this.sizes.slice(1).map((outputs) => new Float64Array(n * outputs));
  }

  forward(x, room) {
    const { layers } = this;
    for (let k = 0; k < layers.length; k++) {
      const { inputs, outputs, w, b } = layers[k], before = k ? room[k - 1] : x, now = room[k], n = x.length;
      for (let r = 0; r < n; r++) {
        const bi = r * inputs, at = r * outputs;
        let j = 0;
        for (; j + 3 < outputs; j += 4) { // four sums at once do not wait for each other
          const w0 = j * inputs, w1 = w0 + inputs, w2 = w1 + inputs, w3 = w2 + inputs;
          let s0 = b[j], s1 = b[j + 1], s2 = b[j + 2], s3 = b[j + 3];
          for (let i = 0; i < inputs; i++) {
            const h = before[bi + i];
            s0 += w[w0 + i] * h; s1 += w[w1 + i] * h; s2 += w[w2 + i] * h; s3 += w[w3 + i] * h;
          }
          now[at + j] = s0; now[at + j + 1] = s1; now[at + j + 2] = s2; now[at + j + 3] = s3;
        }
        for (; j < outputs; j++) {
          let sum = b[j];
          for (let i = 0, wi = j * inputs; i < inputs; i++) sum += w[wi + i] * before[bi + i];
          now[at + j] = sum;
        }
      }
      if (k < layers.length - 1) activate(this.activation, now);
    }
    return room;
  }
}

// A training from the first weights on. It remembers what it has passed, so that going back, going
// on, and another learning rate from some epoch on need no new start.
export class Run {
  #now = 0; // the epoch at which the weights are
  #known = 0; // losses are known before this epoch
  #parts = []; // the rates and noises it was trained with
  #states = []; // values, m and v at every 50th epoch

  // rows: x, clean and draw of the training rows and then of those held out; targets are
  // clean + noise * draw.
  constructor(start, { x, clean, draw, n }, most) {
    this.network = new Network(start);
    const { values } = this.network, zeros = () => new Float64Array(values.length);
    Object.assign(this, { x: Float64Array.from(x), clean, draw, n, y: new Float64Array(x.length), m: zeros(), v: zeros(), grad: zeros() });
    this.slopes = this.network.views(this.grad);
    this.room = this.network.room(x.length);
    this.back = this.network.room(n);
    this.losses = [new Float64Array(most + 1), new Float64Array(most + 1)];
    this.#remember();
  }

  // Train to an epoch: parts are [{until, lr, noise}], the last one until Infinity. Stops after
  // some milliseconds; returns the epoch at which it is.
  to(epoch, parts, limit = Infinity) {
    const same = agreement(this.#parts, parts), end = performance.now() + limit;
    this.#parts = parts;
    this.#known = Math.min(this.#known, same);
    this.#states.length = Math.min(this.#states.length, Math.floor(same / EVERY) + 1);
    if (this.#now > epoch || this.#now > same) this.#restore(Math.min(epoch, same));
    for (let count = 0, k = parts.findIndex(({ until }) => this.#now < until); ; count++) {
      if (this.#now >= parts[k].until) k++;
      this.#targets(parts[k].noise);
      this.#measure();
      if (this.#now >= epoch || (count % 2 && performance.now() > end)) return this.#now;
      this.#step(parts[k].lr);
      if (this.#now % EVERY === 0) this.#remember();
    }
  }

  #noise = null;

  #targets(noise) {
    if (noise === this.#noise) return;
    this.#noise = noise;
    for (let i = 0; i < this.y.length; i++) this.y[i] = this.clean[i] + noise * this.draw[i];
  }

  #remember() {
    const at = this.#now / EVERY;
    if (at === this.#states.length) this.#states.push([this.network.values, this.m, this.v].map((a) => a.slice()));
  }

  #restore(epoch) {
    const at = Math.min(Math.floor(epoch / EVERY), this.#states.length - 1);
    [this.network.values, this.m, this.v].forEach((a, i) => a.set(this.#states[at][i]));
    this.#now = at * EVERY;
  }

  #measure() {
    const { x, y, n, room } = this, out = this.network.forward(x, room).at(-1);
    let train = 0, val = 0;
    for (let i = 0; i < n; i++) train += (out[i] - y[i]) ** 2;
    for (let i = n; i < x.length; i++) val += (out[i] - y[i]) ** 2;
    if (this.#now < this.#known) return;
    this.losses[0][this.#now] = train / n;
    this.losses[1][this.#now] = val / (x.length - n);
    this.#known = this.#now + 1;
  }

  #step(lr) {
    this.#gradient();
    this.#now++;
    const { m, v, grad } = this, { values } = this.network;
    const rate = lr / (1 - B1 ** this.#now), root = Math.sqrt(1 - B2 ** this.#now);
    for (let i = 0; i < grad.length; i++) {
      const g = grad[i];
      m[i] += (g - m[i]) * (1 - B1);
      v[i] = v[i] * B2 + (1 - B2) * g * g;
      values[i] -= rate * (m[i] / (Math.sqrt(v[i]) / root + EPS));
    }
  }

  // Of the mean squared error over the training rows, from what the last `forward` left.
  #gradient() {
    const { layers, activation } = this.network, { room, back, n, slopes } = this, last = layers.length - 1;
    this.grad.fill(0);
    for (let r = 0; r < n; r++) back[last][r] = (2 * (room[last][r] - this.y[r])) / n;
    for (let k = last; k >= 0; k--) {
      const { inputs, outputs, w } = layers[k], { w: gw, b: gb } = slopes[k];
      const before = k ? room[k - 1] : this.x, from = back[k], to = k ? back[k - 1] : null;
      to?.fill(0);
      for (let r = 0; r < n; r++) for (let j = 0; j < outputs; j++) {
        const g = from[r * outputs + j], wi = j * inputs, bi = r * inputs;
        gb[j] += g;
        if (!to) for (let i = 0; i < inputs; i++) gw[wi + i] += g * before[bi + i];
        else for (let i = 0; i < inputs; i++) { gw[wi + i] += g * before[bi + i]; to[bi + i] += g * w[wi + i]; }
      }
      if (to) bend(activation, before, to);
    }
  }
}

// With which rates and noises it was trained: "600:0.01:0.2;900:0.003:0.2" is until epoch 600 and
// until epoch 900; from then on as the sliders say.
export function partsOf({ changes, lr, noise }) {
  const parts = [];
  for (const piece of changes.split(";")) {
    const [until, rate, sigma] = piece.split(":").map(Number);
    if (until > (parts.at(-1)?.until ?? 0) && rate > 0 && sigma >= 0) parts.push({ until, lr: rate, noise: sigma });
  }
  return [...parts, { until: Infinity, lr, noise }];
}

export const written = (parts) => parts.map(({ until, lr, noise }) => [until, lr, noise].join(":")).join(";");

// The changes of a run once its rate or noise has been moved at an epoch.
export function steered(changes, epoch, before, now) {
  const past = partsOf({ ...before, changes }).slice(0, -1).filter(({ until }) => until <= epoch);
  if (epoch > (past.at(-1)?.until ?? 0)) past.push({ until: epoch, lr: before.lr, noise: before.noise });
  const last = past.at(-1);
  if (last && last.until === epoch && last.lr === now.lr && last.noise === now.noise) past.pop();
  return written(past);
}

// The first epoch at which two histories ask for another rate or noise.
function agreement(a, b) {
  if (!a.length) return 0;
  for (let at = 0; ; ) {
    const [p, q] = [a, b].map((parts) => parts.find(({ until }) => at < until));
    if (p.lr !== q.lr || p.noise !== q.noise) return at;
    at = Math.min(p.until, q.until);
    if (at === Infinity) return at;
  }
}
