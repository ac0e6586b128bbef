// Least squares in the polynomials that are orthogonal on these points (Arnoldi): stable up to
// degree 15 where powers are not. Returns what each degree predicts at other points.
export function polynomials(x, y) {
  const n = x.length, top = Math.min(15, n - 1), basis = [new Float64Array(n).fill(1)], steps = [];
  for (let k = 0; k < top; k++) {
    const v = basis[k].map((value, i) => value * x[i]), h = [];
    for (let again = 0; again < 2; again++) basis.forEach((q, j) => {
      const share = v.reduce((sum, value, i) => sum + value * q[i], 0) / n;
      h[j] = (h[j] ?? 0) + share;
      for (let i = 0; i < n; i++) v[i] -= share * q[i];
    });
    const size = Math.sqrt(v.reduce((sum, value) => sum + value * value, 0) / n);
    if (size < 1e-13) break;
    basis.push(v.map((value) => value / size));
    steps.push([h, size]);
  }
  const weights = basis.map((q) => q.reduce((sum, value, i) => sum + value * y[i], 0) / n);
  // The prediction of each degree at a point: partial sums over the basis there.
  const at = (point) => {
    const there = [1], told = [];
    let sum = weights[0];
    steps.forEach(([h, size], k) => {
      let value = there[k] * point;
      h.forEach((share, j) => { value -= share * there[j]; });
      there.push(value / size);
      sum += weights[k + 1] * there[k + 1];
      told.push(sum);
    });
    return told;
  };
  return { at, top: steps.length };
}
