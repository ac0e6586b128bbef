// The gradients of the MSE over some rows, as the arrows that a step would take from y = 0 x + 0.

// -rate times the gradient over some rows.
export function arrowOf(rows, { x, y }, rate) {
  let w = 0, b = 0;
  for (const i of rows) { w += y[i] * x[i]; b += y[i]; }
  return [(2 * rate * w) / rows.length, (2 * rate * b) / rows.length];
}

// The arrow of each batch of an order.
export const arrowsOf = (order, size, count, given, rate) =>
  Array.from({ length: count }, (_, k) => arrowOf(order.slice(k * size, (k + 1) * size), given, rate));

// How far an arrow ends from another, in lengths of that.
export const off = ([a, b], [c, d]) => Math.hypot(a - c, b - d) / (Math.hypot(c, d) || 1);

// How the arrows of batches drawn at random lie about that of all rows, for each size: `typical`, the
// root of their mean square distance, in lengths of that; `ring`, an ellipse that holds about 7 of 8.
export function spreadOf(given, rate, [mw, mb]) {
  const n = given.x.length, ones = Array.from({ length: n }, (_, i) => arrowOf([i], given, rate));
  const mean = (f) => ones.reduce((sum, one) => sum + f(one), 0) / n;
  const a = Math.sqrt(mean(([w]) => (w - mw) ** 2)), c = mean(([w, b]) => (w - mw) * (b - mb)) / (a || 1), d = Math.sqrt(Math.max(mean(([, b]) => (b - mb) ** 2) - c * c, 0));
  const turns = Array.from({ length: 73 }, (_, k) => [Math.cos((k / 36) * Math.PI), Math.sin((k / 36) * Math.PI)]);
  const far = (size) => Math.sqrt((n - size) / (size * Math.max(n - 1, 1))); // of sampling without replacement
  return {
    typical: (size) => (far(size) * Math.hypot(a, c, d)) / (Math.hypot(mw, mb) || 1),
    ring: (size) => turns.map(([p, q]) => [mw + 2 * far(size) * a * p, mb + 2 * far(size) * (c * p + d * q)]),
  };
}
