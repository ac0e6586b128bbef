"""Checks of what a caller passes in, with errors a beginner can act on."""

import math
import re
from collections.abc import Collection

import numpy as np

_AS_FLOAT = 'add .float(), or .astype("float32") to an array'
MOST_POINTS, LARGEST, CLOSEST = 200, 1e9, 1e-9  # of `points`; CLOSEST is a difference of two x
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


class InputError(ValueError):
    """The one exception of this package for input it cannot use."""


def number(name: str, value: object, *, low: float = -math.inf, high: float = math.inf) -> float:
    """Return `value` as a float between `low` and `high`, both included.

    Raises
    ------
    InputError
        If it is not a number, not finite, or out of range.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        raise InputError(f"{name} is {short(value)}, expected a number such as 0.1")
    try:
        result = float(value)
    except (OverflowError, TypeError):
        raise InputError(f"{name} is {short(value)}, expected a number such as 0.1") from None
    if not math.isfinite(result):
        raise InputError(f"{name} is {result}, expected a finite number")
    if not low <= result <= high:
        raise InputError(f"{name} is {result:g}, expected {_range(low, high)}")
    return result


def count(name: str, value: object, *, low: int = 1, high: int = 10_000_000) -> int:
    """Return `value` as an int between `low` and `high`, both included.

    Raises
    ------
    InputError
        If it is not a whole number, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{name} is {short(value)}, expected a whole number such as {low}")
    if not low <= value <= high:
        raise InputError(f"{name} is {short(int(value))}, expected {_range(low, high)}")
    return int(value)


def choice(name: str, value: object, options: Collection[str]) -> str:
    """Return `value` if it is one of `options`.

    Raises
    ------
    InputError
        If it is not.
    """
    if not isinstance(value, str) or value not in options:
        raise InputError(f"{name} is {short(value)}, expected one of {', '.join(options)}")
    return value


def array(name: str, value: object) -> np.ndarray:
    """Return a tensor, array or sequence of numbers as a float64 array of any shape.

    Raises
    ------
    InputError
        If it holds no numbers, or is a tensor that still tracks gradients.
    """
    if getattr(value, "requires_grad", False):
        raise InputError(
            f"{name} still tracks gradients: add .detach(), or compute it inside "
            "`with torch.inference_mode():`"
        )
    try:
        result = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"{name} is {short(value)}, expected a tensor of numbers") from None
    if result.dtype.kind not in "fiu":
        raise InputError(f"{name} holds {result.dtype}, expected numbers such as float32")
    return result.astype(np.float64)


def column(name: str, value: object, *, rows: int | None = None, least: int = 1) -> np.ndarray:
    """Return the (N, 1) tensor or array `value` as a float64 array of shape (N,).

    Parameters
    ----------
    name : str
        What the caller calls it; the error repeats it.
    value : Tensor or ndarray, shape (N, 1)
        Floating point, finite.
    rows : int, optional
        The N it must have, when it has to match another column.
    least : int
        The smallest N that makes sense.

    Raises
    ------
    InputError
        If the shape, the dtype or a value does not fit; the sentence says what to change.
    """
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple):
        raise InputError(f"{name} is {short(value)}, expected a tensor of shape (N, 1)")
    shape = tuple(shape)
    if len(shape) == 1:
        raise InputError(
            f"{name} has shape {shape}, expected ({shape[0]}, 1): add .unsqueeze(1), "
            "or [:, None] to an array"
        )
    if len(shape) != 2 or shape[1] != 1:
        raise InputError(f"{name} has shape {shape}, expected (N, 1): one column, one row a sample")
    result = array(name, value)
    if "float" not in str(getattr(value, "dtype", "")):
        raise InputError(f"{name} has dtype {value.dtype}, expected float32: {_AS_FLOAT}")
    if len(result) < least:
        raise InputError(f"{name} has {len(result)} rows, expected {least} or more")
    if rows is not None and len(result) != rows:
        raise InputError(f"{name} has {len(result)} rows, expected {rows}, as many as X")
    bad = np.flatnonzero(~np.isfinite(result))
    if len(bad):
        raise InputError(f"{name} holds {result[bad[0], 0]} in row {bad[0]}: drop or fix that row")
    return result[:, 0]


def pair(X: object, y: object, *, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return features and targets, each (N, 1), as two float64 arrays of shape (N,).

    Raises
    ------
    InputError
        If either is not a finite floating-point column, or they differ in length.
    """
    features = column("X", X, least=least)
    return features, column("y", y, rows=len(features))


def points(text: str) -> tuple[np.ndarray, str]:
    """Read lines such as "0.5, 1.2" as points of a line fit; blank lines are passed over.

    Returns
    -------
    points : ndarray, shape (N, 2)
        What could be read; no line raises.
    problem : str
        What keeps a line from being fitted to what the text means, or nothing.
    """
    found, problem = [], ""
    for place, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        words = [w for w in re.split(r"[ \t\u00a0,]+", line.replace("\u2212", "-")) if w]
        numbers = [float(word) for word in words if _NUMBER.fullmatch(word)]
        if len(words) == len(numbers) == 2 and max(map(abs, numbers)) <= LARGEST:
            found.append(numbers)
        elif words and not problem:
            problem = f"line {place} is {short(line.strip())}: write two numbers, such as 0.5, 1.2"
    read = np.array(found).reshape(-1, 2)
    if not problem and not 2 <= len(read) <= MOST_POINTS:
        problem = f"points: {len(read)}, expected 2 to {MOST_POINTS}"
    if not problem and np.ptp(read[:, 0]) < CLOSEST:
        problem = f"all x are {read[0, 0]:g}: a line needs two different ones"
    return read, problem


def short(value: object) -> str:
    """Return a value as a text for a sentence, or what it is if that would be long."""
    try:
        text = repr(value)
    except Exception:
        return f"a {type(value).__name__}"
    return text if len(text) <= 40 else f"a {type(value).__name__}"


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{low:g} or more"
    if math.isinf(low):
        return f"{high:g} or less"
    return f"{low:g} to {high:g}"
