"""Gradient descent on a line from hand-derived gradients, for many learning rates at once.

With the residual r_i = y_i - (weight * x_i + bias) and the mean taken over a batch:

    MSE = mean(r_i ** 2)    d/d weight = -2 * mean(r_i * x_i)       d/d bias = -2 * mean(r_i)
    L1  = mean(|r_i|)       d/d weight = -mean(sign(r_i) * x_i)     d/d bias = -mean(sign(r_i))

SGD subtracts lr times the gradient. Adam (Kingma and Ba, 2015, algorithm 1; betas 0.9 and 0.999,
epsilon 1e-8) subtracts lr * m / (sqrt(v) + epsilon) with bias-corrected running means m of the
gradient and v of its square. The tests compare all four derivatives, and whole paths, with PyTorch.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from course_utils import inputs

LOSSES, OPTIMIZERS = ("mse", "l1"), ("sgd", "adam")


class Path(NamedTuple):
    """The parameters before the first step and after every step.

    Attributes
    ----------
    weight, bias : ndarray, shape (R, S + 1)
        One row a learning rate, one column a step (a kept one, if only some are kept).
    """

    weight: np.ndarray
    bias: np.ndarray

    def finite_steps(self) -> np.ndarray:
        """Count, for each learning rate, the steps before a parameter overflowed: shape (R,)."""
        finite = np.isfinite(self.weight) & np.isfinite(self.bias)
        return np.logical_and.accumulate(finite, axis=1).sum(axis=1) - 1


def descend(
    X: object,
    y: object,
    lr: object,
    batches: int | Sequence,
    *,
    loss: str = "mse",
    optimizer: str = "sgd",
    weight: float = 0.0,
    bias: float = 0.0,
    keep: Sequence[int] | None = None,
) -> Path:
    """Follow stochastic gradient descent or Adam on a line, step by step, in float64.

    Parameters
    ----------
    X, y : Tensor or ndarray, shape (N, 1)
        Features and targets.
    lr : float or sequence of float
        One learning rate or R of them, each 0 or more.
    batches : int or sequence of S index sequences
        The rows of each step in their order; an int means so many steps on all rows.
    loss : {"mse", "l1"}
        The loss whose mean over the batch is followed downhill.
    optimizer : {"sgd", "adam"}
        What makes a step of the gradient.
    weight, bias : float
        Where the path starts.
    keep : sequence of int, optional
        The steps to return, ascending, 0 being the start; all S + 1 by default. Long paths of many
        learning rates fit in memory this way.

    Returns
    -------
    Path
        R rows, S + 1 or len(keep) columns. A diverging path runs into inf and nan without a
        warning.

    Raises
    ------
    InputError
        If data, a learning rate, a batch, the loss, the optimizer or a kept step cannot be used.
    """
    features, targets = inputs.pair(X, y)
    inputs.choice("loss", loss, LOSSES)
    rates = _rates(lr)
    rows = _rows(batches, len(features))
    start = [[inputs.number("weight", weight)], [inputs.number("bias", bias)]]
    steps = batches if rows is None else len(rows)
    kept = _kept(keep, steps)
    inputs.choice("optimizer", optimizer, OPTIMIZERS)
    gradient = (_mse_gradient if loss == "mse" else _l1_gradient)(features, targets, rows)
    move = _adam(rates) if optimizer == "adam" else lambda _step, gradient: rates * gradient
    path = np.empty((len(kept), 2, len(rates)))
    parameters, done = np.tile(start, len(rates)), 0
    with np.errstate(over="ignore", invalid="ignore"):
        for column, end in enumerate(kept):
            for step in range(done, end):
                parameters = parameters - move(step, gradient(step, parameters))
            path[column], done = parameters, end
    return Path(path[:, 0].T, path[:, 1].T)


def mean_loss(X: object, y: object, weight: object, bias: object, *, loss: str = "mse"):
    """Mean loss of the lines y = weight * x + bias over all points.

    Parameters
    ----------
    X, y : Tensor or ndarray, shape (N, 1)
        Features and targets.
    weight, bias : float or ndarray
        Parameters of one line or of many; the two broadcast against each other.
    loss : {"mse", "l1"}
        MSE in the squared unit of y, L1 in the unit of y.

    Returns
    -------
    ndarray
        One loss a line, in the broadcast shape; inf or nan where a parameter is.

    Raises
    ------
    InputError
        If data or loss cannot be used, or the parameters do not broadcast.
    """
    features, targets = inputs.pair(X, y)
    inputs.choice("loss", loss, LOSSES)
    w, b = inputs.array("weight", weight), inputs.array("bias", bias)
    try:
        w, b = np.broadcast_arrays(w, b)
    except ValueError:
        raise inputs.InputError(
            f"weight has shape {w.shape} and bias {b.shape}: they have to broadcast"
        ) from None
    with np.errstate(over="ignore", invalid="ignore"):
        if loss == "l1":
            rows = max(1, 100_000 // len(features))  # so many lines at a time stay in the cache
            lines = np.column_stack([w.ravel(), b.ravel()])
            means = [
                np.abs(part[:, :1] * features + part[:, 1:] - targets).mean(axis=1)
                for part in np.split(lines, range(rows, len(lines), rows))
            ]
            return np.concatenate(means).reshape(w.shape)
        x_mean, y_mean = features.mean(), targets.mean()
        dx, dy = features - x_mean, targets - y_mean
        spread = w**2 * np.mean(dx * dx) - 2 * w * np.mean(dx * dy) + np.mean(dy * dy)
        return np.maximum(spread, 0) + (w * x_mean + b - y_mean) ** 2


def loss_surface(X: object, y: object, weights: object, biases: object, *, loss: str = "mse"):
    """Mean loss on a grid of lines: shape (len(biases), len(weights)).

    Raises
    ------
    InputError
        As `mean_loss`.
    """
    grid = np.meshgrid(inputs.array("weights", weights), inputs.array("biases", biases))
    return mean_loss(X, y, *grid, loss=loss)


def least_absolute(X: object, y: object) -> tuple[float, float]:
    """Find a line with the smallest mean absolute error, exactly.

    One of the best lines passes through two of the points (Boscovich and Laplace). Through point
    i, the best slope is the median of the slopes to all other points, weighted by their
    horizontal distance; of these N lines the first that no other betters is returned.

    Parameters
    ----------
    X, y : Tensor or ndarray, shape (N, 1)
        Features and targets; time and memory grow with N squared.

    Returns
    -------
    weight, bias : float

    Raises
    ------
    InputError
        If the data are not columns, or all features are the same.
    """
    x, targets = inputs.pair(X, y, least=2)
    if np.ptp(x) == 0:
        raise inputs.InputError(f"all features are {x[0]:g}: a line needs two different ones")
    run, rise = x[None, :] - x[:, None], targets[None, :] - targets[:, None]
    slopes = np.divide(rise, run, out=np.full_like(run, np.inf), where=run != 0)
    order = np.argsort(slopes, axis=1, kind="stable")
    passed = np.cumsum(np.take_along_axis(np.abs(run), order, axis=1), axis=1)
    # rounding decides nothing, here and below
    median = np.argmax(2 * passed >= passed[:, -1:] * (1 - 1e-12), axis=1)
    rows = np.arange(len(x))
    weights = slopes[rows, order[rows, median]]
    biases = targets - weights * x
    losses, best = mean_loss(X, y, weights, biases, loss="l1"), 0
    for i, loss in enumerate(losses):
        best = i if loss < losses[best] - 1e-12 * (losses[best] + np.ptp(targets)) else best
    return float(weights[best]), float(biases[best])


def stable_lr(X: object) -> float:
    """Return the largest learning rate at which full-batch descent on MSE does not diverge.

    It is 2 / lambda_max, lambda_max being the largest eigenvalue of the Hessian of the MSE of a
    line, 2 * [[mean(x ** 2), mean(x)], [mean(x), 1]]: on a quadratic, a step of learning rate lr
    multiplies the distance to the minimum along an eigenvector by 1 - lr * lambda.

    Raises
    ------
    InputError
        If X is not a finite floating-point column of shape (N, 1).
    """
    x = inputs.column("X", X)
    hessian = 2 * np.array([[np.mean(x * x), np.mean(x)], [np.mean(x), 1.0]])
    return float(2 / np.linalg.eigvalsh(hessian)[-1])


def _rates(lr: object) -> np.ndarray:
    rates = np.atleast_1d(inputs.array("lr", lr))
    if rates.ndim != 1 or len(rates) == 0:
        raise inputs.InputError(f"lr has shape {rates.shape}, expected one number or a list")
    for rate in rates:
        inputs.number("lr", rate, low=0.0)
    return rates


def _rows(batches: int | Sequence, n: int) -> list[np.ndarray] | None:
    """Return the row numbers of each step, or None for steps on all rows."""
    if isinstance(batches, (int, float, np.number)):
        inputs.count("batches", batches, low=0)
        return None
    try:
        rows = [np.asarray(batch) for batch in batches]
    except (TypeError, ValueError, RuntimeError):
        raise inputs.InputError(
            "batches is no list of row numbers: pass an int for steps on all rows"
        ) from None
    for step, batch in enumerate(rows):
        if batch.ndim != 1 or batch.dtype.kind not in "iu" or not len(batch):
            raise inputs.InputError(f"batch {step} is no list of one or more row numbers")
    flat = np.concatenate(rows) if rows else np.zeros(1, int)
    if flat.min() < 0 or flat.max() >= n:
        step = next(i for i, batch in enumerate(rows) if batch.min() < 0 or batch.max() >= n)
        raise inputs.InputError(f"batch {step} names a row outside 0 to {n - 1}")
    return rows


def _kept(keep: Sequence[int] | None, steps: int) -> Sequence[int]:
    if keep is None:
        return range(steps + 1)
    kept = np.asarray(keep) if len(keep) else np.arange(0)
    if kept.ndim != 1 or kept.dtype.kind not in "iu" or (np.diff(kept) <= 0).any():
        raise inputs.InputError("keep is no ascending list of steps, expected such as [0, 10, 100]")
    if len(kept) and not 0 <= kept[0] <= kept[-1] <= steps:
        raise inputs.InputError(f"keep names a step outside 0 to {steps}")
    return kept.tolist()


def _adam(rates: np.ndarray, decay: float = 0.9, square_decay: float = 0.999):
    """Return move(step, gradient), which remembers the two running means."""
    mean = square = 0.0

    def move(step: int, gradient: np.ndarray) -> np.ndarray:
        nonlocal mean, square
        mean = decay * mean + (1 - decay) * gradient
        square = square_decay * square + (1 - square_decay) * gradient * gradient
        root = np.sqrt(square / (1 - square_decay ** (step + 1)))
        return rates / (1 - decay ** (step + 1)) * mean / (root + 1e-8)

    return move


def _mse_gradient(x: np.ndarray, y: np.ndarray, rows: list[np.ndarray] | None):
    """Return gradient(step, parameters); the MSE gradient is affine, so batch moments suffice."""
    moments = np.stack([x * x, x, x * y, y])
    if rows is None:
        means = moments.mean(axis=1, keepdims=True)
    else:
        sizes = np.array([len(batch) for batch in rows] or [1])
        flat = np.concatenate(rows) if rows else np.array([0])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        means = [np.add.reduceat(moment[flat], starts) / sizes for moment in moments]
    xx, mx, xy, my = means
    slope = 2 * np.array([[xx, mx], [mx, np.ones_like(mx)]]).transpose(2, 0, 1)
    shift = 2 * np.array([xy, my]).T[:, :, None]

    if rows is None:
        return lambda _step, parameters: slope[0] @ parameters - shift[0]
    slopes, shifts = list(slope), list(shift)  # a list is indexed faster
    return lambda step, parameters: slopes[step] @ parameters - shifts[step]


def _l1_gradient(x: np.ndarray, y: np.ndarray, rows: list[np.ndarray] | None):
    """Return gradient(step, parameters); L1 needs the sign of every residual at every step."""
    columns = np.stack([x, np.ones_like(x)], axis=1)

    def gradient(step: int, parameters: np.ndarray) -> np.ndarray:
        at = slice(None) if rows is None else rows[step]
        part = columns[at]
        signs = np.sign(part @ parameters - y[at, None])
        return part.T @ signs / len(part)

    return gradient
