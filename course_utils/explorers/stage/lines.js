// The lines of a training step: which can run, and what the usual ones do to y = w x + b.
// The same rules as lines_of_code.py, the same formulas as five_lines.py.

export const numbersOf = (text) => text.split(/[\s,]+/).filter(Boolean).map(Number);

// Which lines can run: a line needs the names that others make, and one with backward() also needs
// that nothing of what it takes has been through backward() before.
export class Readiness {
  #made = {}; // for each name the runs that led to it
  #used = new Set(); // runs that went through backward
  #count = 0;

  constructor(lines) {
    this.lines = lines;
    this.makers = {};
    lines.forEach((line, i) => line.makes.forEach((name) => { this.makers[name] ??= i + 1; }));
  }

  note(line) {
    const led = [++this.#count, ...line.takes.flatMap((name) => [...(this.#made[name] ?? [])])];
    if (line.backward) led.forEach((run) => this.#used.add(run));
    for (const name of line.makes) this.#made[name] = new Set(led);
  }

  // The number of the line that has to run before this one, or 0.
  needs(line, unused = line.backward) {
    for (const name of line.takes) {
      const maker = this.makers[name], made = this.#made[name];
      if (!maker || line.makes.includes(name)) continue;
      if (!made || (unused && [...made].some((run) => this.#used.has(run))))
        return this.needs(this.lines[maker - 1], unused) || maker;
    }
    return 0;
  }
}

// What the usual lines do to a line y = w x + b; `at` is where the prediction was made.
export const DO = {
  zero_grad: (now) => Object.assign(now, { "weight.grad": null, "bias.grad": null }),
  forward: (now) => Object.assign(now, { pred: now.at }),
  loss: (now, { surface, cut }) => Object.assign(now, { loss: cut(surface.loss(...now.at)), lossAt: now.at }),
  backward(now, { surface, cut }) {
    surface.gradient(...now.at).forEach((g, i) => { const name = i ? "bias.grad" : "weight.grad"; now[name] = cut((now[name] ?? 0) + g); });
  },
  step(now, { lr, cut }) {
    for (const name of ["weight", "bias"]) if (now[`${name}.grad`] !== null) now[name] = cut(now[name] - lr * now[`${name}.grad`]);
  },
};
