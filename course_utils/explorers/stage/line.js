// What is exact about a line: least squares, the loss surface, and the path of gradient descent.
// The same formulas as descent.py, which PyTorch's own loop is held against.

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

// The weights of SGD or Adam on a line: before each step, and at the end. `batches` holds the rows
// of one step after the other. What is no longer finite ends the path.
export function descend(x, y, batches, { lr, start: [w, b], loss = "MSELoss", optimizer = "SGD" }) {
  const W = [w], B = [b];
  let m0 = 0, m1 = 0, v0 = 0, v1 = 0, p1 = 1, p2 = 1;
  for (const rows of batches) {
    let gw = 0, gb = 0;
    for (const r of rows) {
      const residual = w * x[r] + b - y[r]; // of the other sign than the course's, as the slope needs
      const slope = loss === "MSELoss" ? 2 * residual : Math.sign(residual);
      gw += slope * x[r];
      gb += slope;
    }
    gw /= rows.length;
    gb /= rows.length;
    if (optimizer === "SGD") {
      w -= lr * gw;
      b -= lr * gb;
    } else {
      p1 *= 0.9; p2 *= 0.999;
      m0 = 0.9 * m0 + 0.1 * gw; m1 = 0.9 * m1 + 0.1 * gb;
      v0 = 0.999 * v0 + 0.001 * gw * gw; v1 = 0.999 * v1 + 0.001 * gb * gb;
      w -= (lr / (1 - p1)) * m0 / (Math.sqrt(v0 / (1 - p2)) + 1e-8);
      b -= (lr / (1 - p1)) * m1 / (Math.sqrt(v1 / (1 - p2)) + 1e-8);
    }
    if (!Number.isFinite(w) || !Number.isFinite(b)) break;
    W.push(w);
    B.push(b);
  }
  return [W, B];
}
