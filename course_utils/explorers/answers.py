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


def numbers(returned: str, value: object, expected: str, finite: bool = True) -> list[float]:
    """Return two numbers, such as a weight and a bias, which may be tensors.

    Raises
    ------
    InputError
        If it is anything else; `returned` begins the sentence, such as "fit returned", and
        `expected` says what the two are.
    """
    try:
        first, second = (float(getattr(one, "item", lambda one=one: one)()) for one in value)
        if finite and not np.isfinite(first + second):
            raise ValueError
    except (TypeError, ValueError, RuntimeError):
        got = inputs.short(value)
        raise inputs.InputError(f"{returned} {got}, expected two numbers: {expected}") from None
    return [first, second]


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
        return column("predict", predict(X), len(X))


def column(name: str, value: object, rows: int) -> np.ndarray:
    """Return the finite number for each row that the function `name` should have returned, (N,).

    Raises
    ------
    InputError
        If it returned anything else.
    """
    shape = tuple(getattr(value, "shape", ()))
    if shape != (rows, 1):
        got = f"shape {shape}" if shape else inputs.short(value)
        raise inputs.InputError(
            f"{name} returned {got}, expected shape {(rows, 1)}: a number for each row of X"
        )
    values = inputs.array(name, value.detach() if torch.is_tensor(value) else value)
    if not np.isfinite(values).all():
        raise inputs.InputError(f"{name} returned nan or inf: a row of X led to no number")
    return values[:, 0]


def rmse(residuals: np.ndarray) -> float:
    """Return the root of the mean square; nan of nothing, infinite where a square is."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean(residuals**2))) if len(residuals) else np.nan


def ends(values: np.ndarray, below: float = 0.05, above: float = 0.05) -> list[float]:
    """Return the ends of an axis for values, with room at both, as shares of their range."""
    size = float(np.ptp(values)) or 1.0
    return [float(values.min()) - below * size, float(values.max()) + above * size]
