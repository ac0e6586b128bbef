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

// The ellipse that holds the arrows of about 7 of 8 batches drawn at random: size => its points.
export function spreadOf(given, rate, [mw, mb]) {
  const n = given.x.length, ones = Array.from({ length: n }, (_, i) => arrowOf([i], given, rate));
  const mean = (f) => ones.reduce((sum, one) => sum + f(one), 0) / n;
  const a = Math.sqrt(mean(([w]) => (w - mw) ** 2)), c = mean(([w, b]) => (w - mw) * (b - mb)) / (a || 1), d = Math.sqrt(Math.max(mean(([, b]) => (b - mb) ** 2) - c * c, 0));
  const turns = Array.from({ length: 73 }, (_, k) => [Math.cos((k / 36) * Math.PI), Math.sin((k / 36) * Math.PI)]);
  return (size) => {
    const far = 2 * Math.sqrt((n - size) / (size * Math.max(n - 1, 1)));
    return turns.map(([p, q]) => [mw + far * a * p, mb + far * (c * p + d * q)]);
  };
}
