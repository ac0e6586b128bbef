"""What a learner's functions returned, once it can be used; errors say what to change."""

from collections.abc import Callable

import numpy as np
import torch

from course_utils import inputs


def two(name: str, value: object, expected: str) -> tuple[object, object]:
    """Return both things that the function `name` should have returned.

    Raises
    ------
    InputError
        If it returned anything else; `expected` says what it should be, such as "weight, bias".
    """
    if not isinstance(value, tuple | list) or len(value) != 2:
        kind = type(value).__name__
        got = f"{len(value)} values" if isinstance(value, tuple | list) else f"a {kind}"
        raise inputs.InputError(f"{name} returned {got}, expected {expected}: check its return")
    return tuple(value)


def parts(value: object, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train and to test that a split of n rows chose.

    Raises
    ------
    InputError
        If they are no row numbers from 0 to n - 1, or share a row.
    """
    both = two("split", value, "train_rows, test_rows")
    train, test = _rows("train_rows", both[0], n), _rows("test_rows", both[1], n)
    shared = np.intersect1d(train, test)
    if len(shared):
        raise inputs.InputError(
            f"both parts hold row {shared[0]} ({len(shared)} in all): the line may see no test row"
        )
    return train, test


def _rows(name: str, rows: object, n: int) -> np.ndarray:
    numbers = np.asarray(rows)
    if numbers.ndim != 1 or not len(numbers):
        raise inputs.InputError(f"{name} has shape {numbers.shape}, expected (1,) or more rows")
    if numbers.dtype.kind not in "iu":
        raise inputs.InputError(f"{name} holds {numbers.dtype}, expected row numbers such as 7")
    if numbers.min() < 0 or numbers.max() >= n:
        raise inputs.InputError(
            f"{name} runs from {numbers.min()} to {numbers.max()}, expected 0 to {n - 1}"
        )
    return numbers.astype(np.int64)


def predictions(predict: Callable, X: torch.Tensor) -> np.ndarray:
    """Return what a function predicts for the rows of X, shape (N,).

    Raises
    ------
    InputError
        If it cannot be called, or its answer is not a column of numbers of the shape of X.
    """
    if not callable(predict):
        kind = type(predict).__name__
        raise inputs.InputError(f"fit returned a {kind}, expected a function: return predict")
    with torch.inference_mode():
        values = inputs.array("predict(X)", predict(X))
    if values.shape != tuple(X.shape):
        raise inputs.InputError(f"predict(X) has shape {values.shape}, expected {tuple(X.shape)}")
    if not np.isfinite(values).all():
        raise inputs.InputError("predict(X) holds nan or inf: a row of X led to no number")
    return values[:, 0]


def samples(make: Callable, n: int, seeds: range) -> dict[str, dict[str, list[float]]]:
    """Return by seed the points that a data generator makes without noise, and its noise.

    Raises
    ------
    InputError
        If the points are not those without noise plus noise times a draw.
    """
    found = {}
    for seed in seeds:
        made = [inputs.pair(*make(n=n, noise=noise, seed=seed)) for noise in (0.0, 0.5, 1.0)]
        (x, clean), (_, half), (_, noisy) = made
        close = 1e-4 * (float(np.ptp(noisy)) or 1.0)
        scales = np.allclose(clean + noisy, 2 * half, atol=close)
        if not scales or any(np.any(x != other) for other, _ in made):
            raise inputs.InputError(
                "make gives other points where only the noise differs: draw X first, then add "
                "noise times a draw, from a generator with this seed"
            )
        found[str(seed)] = {
            "x": x.tolist(),
            "clean": clean.tolist(),
            "draw": (noisy - clean).tolist(),
        }
    return found


def rmse(residuals: np.ndarray) -> float:
    """Return the root of the mean square; nan of nothing, infinite where a square is."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean(residuals**2))) if len(residuals) else np.nan


def ends(values: np.ndarray, below: float = 0.05, above: float = 0.05) -> list[float]:
    """Return the ends of an axis for values, with room at both, as shares of their range."""
    size = float(np.ptp(values)) or 1.0
    return [float(values.min()) - below * size, float(values.max()) + above * size]
