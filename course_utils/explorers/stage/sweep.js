// Where runs end that differ in their learning rate alone.

const SOON = 2, LATER = 90; // ms, about, for all rates: in the frame of a move, and after it

// What the run of one rate takes, about, in ms: by steps, and for L1 by rows.
function cost(rows, { size, epochs, loss, optimizer }) {
  const steps = epochs * rows.perEpoch(size) * (optimizer === "SGD" ? 8e-6 : 2.4e-5);
  return steps + (loss === "MSELoss" ? 0 : epochs * rows.n * 3e-6);
}

export const isQuick = (rows, run, rates) => cost(rows, run) * rates.length < SOON;

// The loss at the end of the run for each rate; where that takes too long, for every second or third
// of them, and NaN for the others. Yields now and then.
export function* sweep(rows, run, rates, loss) {
  const stride = Math.ceil((cost(rows, run) * rates.length) / LATER);
  const [W, B] = yield* rows.ends(run, rates.filter((_, k) => k % stride === 0));
  const found = (w, b) => (Number.isFinite(w) && Number.isFinite(b) ? loss(w, b) : Infinity);
  return rates.map((_, k) => (k % stride ? NaN : found(W[k / stride], B[k / stride])));
}

// What a generator returns, without a pause.
export function atOnce(work) {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
