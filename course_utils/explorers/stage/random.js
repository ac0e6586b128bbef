// PyTorch's random numbers on the CPU: torch.Generator (MT19937), randn, randperm, the first weights
// of nn.Linear and the order in which a shuffling DataLoader serves its rows.
// Sources: aten/src/ATen/core/MT19937RNGEngine.h, native/cpu/DistributionTemplates.h.

export class Generator {
  #state = new Uint32Array(624);
  #at = 624;
  #spare; // the second value of a pair of normal numbers

  constructor(seed) {
    this.#state[0] = seed >>> 0;
    for (let i = 1; i < 624; i++) {
      const last = this.#state[i - 1] ^ (this.#state[i - 1] >>> 30);
      this.#state[i] = (Math.imul(last, 1812433253) + i) >>> 0;
    }
  }

  // Draw the next 624 words.
  #renew() {
    const s = this.#state;
    const mix = (k, next, far) => {
      const y = (s[k] & 0x80000000) | (s[next] & 0x7fffffff);
      s[k] = s[far] ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
    };
    for (let k = 0; k < 227; k++) mix(k, k + 1, k + 397);
    for (let k = 227; k < 623; k++) mix(k, k + 1, k - 227);
    mix(623, 0, 396);
    this.#at = 0;
  }

  // 32 random bits.
  bits() {
    if (this.#at === 624) this.#renew();
    let y = this.#state[this.#at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  // Draw that many times 32 bits for nothing.
  #skip(count) {
    for (let left = count; left > 0; ) {
      if (this.#at === 624) this.#renew();
      const some = Math.min(left, 624 - this.#at);
      this.#at += some;
      left -= some;
    }
  }

  // float32 in [0, 1), as torch.rand draws it.
  uniform() {
    return (this.bits() & 0xffffff) / 0x1000000;
  }

  // float64 in [0, 1) from 53 of 64 bits.
  #uniform64() {
    const high = this.bits(), low = this.bits();
    return ((high & 0x1fffff) * 0x100000000 + low) / 0x20000000000000;
  }

  // torch.randn(n): fewer than 16 values go another way than 16 and more.
  randn(n) {
    const values = new Float32Array(n);
    if (n < 16) {
      for (let i = 0; i < n; i++) values[i] = this.#normal();
      return values;
    }
    const fill = (from) => {
      for (let j = from; j < from + 8; j++) {
        const radius = Math.sqrt(-2 * Math.log(1 - values[j])), angle = 2 * Math.PI * values[j + 8];
        values[j] = radius * Math.cos(angle);
        values[j + 8] = radius * Math.sin(angle);
      }
    };
    for (let i = 0; i < n; i++) values[i] = this.uniform();
    for (let i = 0; i <= n - 16; i += 16) fill(i);
    if (n % 16) {
      for (let i = n - 16; i < n; i++) values[i] = this.uniform();
      fill(n - 16);
    }
    return values;
  }

  #normal() {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return value;
    }
    const angle = 2 * Math.PI * this.#uniform64();
    const radius = Math.sqrt(-2 * Math.log1p(-this.#uniform64()));
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  // torch.randperm(n).
  randperm(n) {
    const rows = new Int32Array(n);
    for (let i = 0; i < n; i++) rows[i] = i;
    for (let i = 0; i < n - 1; i++) {
      const bits = this.bits(), left = n - i, j = i + bits - left * Math.floor(bits / left), row = rows[i];
      rows[i] = rows[j];
      rows[j] = row;
    }
    return rows;
  }

  // The first weights, then biases, of nn.Linear(inputs, outputs): uniform within 1 / sqrt(inputs).
  linear(inputs, outputs) {
    const bound = Math.fround(1 / Math.sqrt(inputs));
    const draw = (n) =>
      Float64Array.from({ length: n }, () => Math.fround(this.uniform() * (2 * bound) - bound));
    return [draw(inputs * outputs), draw(outputs)];
  }

  // The order of one more epoch of DataLoader(range(n), shuffle=True, generator=this): it draws a
  // 64-bit base seed, the permutation, and a second permutation that it throws away.
  epoch(n) {
    this.bits();
    this.bits();
    const rows = this.randperm(n);
    this.#skip(n - 1);
    return rows;
  }
}
