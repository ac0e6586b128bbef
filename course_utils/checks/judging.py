"""What a check is made of: an exercise with its hints, and readers that refuse what misleads.

A judge is a function of the learner's answers. It returns why the right answer matters, or raises
`Wrong` with what to look at. The readers here take answers by their exact type, so that an object
that claims to equal everything is not taken for a number, and compare in plain Python with
functions fetched before a learner could replace them.
"""

import contextlib
import io
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from course_utils import errors
from course_utils.checks import guard

HALF_MSE = (
    "This is half of the mean squared error, as some textbooks define it. PyTorch's `nn.MSELoss` "
    "and this course do not halve it."
)
CROSSED = (
    "Predictions and targets have different shapes, (N,) and (N, 1), so each prediction meets all "
    "targets. Leave both as columns, (N, 1)."
)
FLOAT64 = (
    " One thing to know: these numbers are float64, which NumPy and Python use. PyTorch's "
    "ready-made models hold float32 and refuse them until `.float()` converts them."
)
_SWITCHES = {  # what holds for the whole program: how it is read, and what to say of a change
    torch.is_grad_enabled: (
        "switches gradients off for the whole program, and nothing can be trained after it. "
        "`with torch.inference_mode():` or `with torch.no_grad():` ends by itself."
    ),
    torch.get_default_dtype: (
        "changes the default dtype of the whole program. Convert the tensors it is about."
    ),
    torch.get_default_device: (
        "changes the default device of the whole program. Move the tensors it is about."
    ),
}
_isclose, _tolist = math.isclose, torch.Tensor.tolist


class Wrong(Exception):
    """An answer that is not right; the message says what to look at."""


class NotAttempted(Exception):
    """An answer that still holds the stub's `...`."""


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    name : str
        Number of the notebook and of the exercise in it, such as "02.1".
    title : str
        As in the notebook's heading.
    hints : tuple of str
        From a nudge to nearly the solution.
    judge : callable
        Takes the answers; returns why it matters, or raises `Wrong` or `NotAttempted`.
    """

    name: str
    title: str
    hints: tuple[str, ...]
    judge: Callable[..., str]


EXERCISES: dict[str, Exercise] = {}


def exercise(name: str, title: str, *hints: str) -> Callable:
    """Enter the decorated judge as an exercise."""

    def enter(judge: Callable[..., str]) -> Callable[..., str]:
        EXERCISES[name] = Exercise(name, title, hints, judge)
        return judge

    return enter


def refuse_stubs(value: object) -> None:
    """Raise NotAttempted where a `...` stands, also inside lists, tuples and dicts."""
    if value is ...:
        raise NotAttempted
    if type(value) in (list, tuple, set):
        for item in value:
            refuse_stubs(item)
    elif type(value) is dict:
        refuse_stubs(list(value.values()))


def number(name: str, value: object) -> float:
    """Read one finite number: int, float, NumPy scalar or a tensor with one element.

    Raises
    ------
    Wrong
        If it is none.
    """
    if type(value) in (torch.Tensor, torch.nn.Parameter):
        if value.numel() != 1:
            raise Wrong(f"`{name}` has shape {tuple(value.shape)}, expected one number.")
        value = _tolist(value.detach().reshape(()))
    elif isinstance(value, np.number) and type(value).__module__ == "numpy":
        value = value.item()
    if type(value) not in (int, float):
        called = " It is something to call: are parentheses missing?" if callable(value) else ""
        raise Wrong(f"`{name}` is {kind(value)}, expected one number.{called}")
    if not math.isfinite(value):
        raise Wrong(f"`{name}` is {value}. Look for a division by zero or a run that diverged.")
    return value


def numbers(name: str, value: object) -> list[float]:
    """Read a list or tuple of numbers.

    Raises
    ------
    Wrong
        If it is none.
    """
    if type(value) not in (list, tuple):
        raise Wrong(f"`{name}` is {kind(value)}, expected a list of numbers.")
    return [number(f"{name}[{index}]", item) for index, item in enumerate(value)]


def letters(
    name: str,
    value: object,
    allowed: str,
    example: str,
    wanted: str,
    rule: str,
    keep: Callable = str.isalnum,
) -> str:
    """Read as many letters as an example has, as a text or a list, in lower case.

    Raises
    ------
    Wrong
        If it is anything else; `wanted` is "five letters", and `rule` says which, for what.
    """
    if type(value) in (list, tuple) and all(type(letter) is str for letter in value):
        value = "".join(value)
    if type(value) is not str:
        raise Wrong(f'`{name}` is {kind(value)}, expected {wanted} such as `"{example}"`.')
    found = "".join(letter for letter in value.lower() if keep(letter))
    if len(found) != len(example) or not set(found) <= set(allowed):
        raise Wrong(f"{value!r} is not {wanted} {rule}.")
    return found


def tensor(name: str, value: object, shape: Sequence[int] | None = None) -> torch.Tensor:
    """Read a tensor of finite numbers, on request of one shape.

    Raises
    ------
    Wrong
        If it is none; a missing or surplus axis of length 1 is named as such.
    """
    if type(value) not in (torch.Tensor, torch.nn.Parameter):
        raise Wrong(f"`{name}` is {kind(value)}, expected a tensor.")
    if shape is not None and tuple(value.shape) != tuple(shape):
        remedy = ""
        if (*value.shape, 1) == tuple(shape):
            remedy = " Features and targets are columns: `.unsqueeze(1)` adds the missing axis."
            if not value.shape:
                remedy = " `torch.tensor([...])`, with brackets, or `.unsqueeze(0)` makes it (1,)."
        raise Wrong(f"`{name}` has shape {tuple(value.shape)}, expected {tuple(shape)}.{remedy}")
    if not all(map(math.isfinite, flat(value))):
        raise Wrong(f"`{name}` holds values that are not finite (nan or inf).")
    return value


def flat(value: torch.Tensor) -> list[float]:
    """Return a tensor's elements as Python numbers."""
    return _tolist(value.detach().reshape(-1))


def close(value: float | torch.Tensor, right: float | torch.Tensor, within: float = 1e-4) -> bool:
    """Tell whether numbers, or all elements of two tensors, differ by `within` (relative) at most.

    Below 1 the difference counts itself: `within` times the larger of 1 and the right value.
    """
    if isinstance(value, torch.Tensor) or isinstance(right, torch.Tensor):
        a, b = flat(torch.as_tensor(value)), flat(torch.as_tensor(right))
        return len(a) == len(b) and all(close(p, q, within) for p, q in zip(a, b, strict=True))
    return _isclose(value, right, rel_tol=within, abs_tol=within)


def refuse_slips(
    value: float | torch.Tensor, slips: dict[str, float | torch.Tensor], within: float = 1e-4
) -> None:
    """Raise Wrong where the value is one that a common slip leads to; the slip's key says which."""
    for said, slip in slips.items():
        if close(value, slip, within):
            raise Wrong(said)


def call(name: str, function: object, *args: object, **kwargs: object) -> object:
    """Call what the learner wrote.

    Raises
    ------
    Wrong
        If it cannot be called, raises, returns nothing, or leaves a switch of the program changed.
    NotAttempted
        If it returns the stub's `...`.
    """
    if not callable(function):
        raise Wrong(f"`{name}` is {kind(function)}, expected something to call.")
    before = {read: read() for read in _SWITCHES}
    try:
        result = function(*args, **kwargs)
    except (guard.TooLong, guard.Pressed, Wrong, NotAttempted):
        raise
    except BaseException as error:  # sys.exit() and KeyboardInterrupt too
        raise Wrong(f"Calling `{name}` raised {errors.told(error)}") from None
    for read, said in _SWITCHES.items():
        if read() != before[read]:
            raise Wrong(f"`{name}` {said}")
    refuse_stubs(result)
    if result is None:
        raise Wrong(f"`{name}` returns None. Is a `return` missing?")
    return result


@contextlib.contextmanager
def same_random_numbers(name: str) -> Iterator[None]:
    """Let the code inside change no random state of the program: PyTorch's, NumPy's, Python's.

    Raises
    ------
    Wrong
        If it does.
    """
    before = _random_states()
    yield
    for (library, state), now in zip(before.items(), _random_states().values(), strict=True):
        if state != now:
            raise Wrong(
                f"`{name}` changes the random numbers that all other code gets from {library}. "
                "Draw from a generator of its own, made and seeded inside."
            )


def _random_states() -> dict[str, object]:
    numpy_state = np.random.get_state()
    return {
        "PyTorch": _tolist(torch.get_rng_state()),
        "NumPy": (numpy_state[1].tobytes(), *numpy_state[2:]),
        "Python's `random`": random.getstate(),
    }


def kind(value: object) -> str:
    """Name the kind of a value, such as "a list" or "None", without looking into it."""
    name = type(value).__name__
    if value is None:
        return "None"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def in_memory(value: object) -> io.BytesIO:
    """Return a file in memory that holds the saved value."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    buffer.seek(0)
    return buffer


ran: list[str] = []  # what files did while they were loaded


def _note() -> dict:
    ran.append("code")
    return {}


class Hostile:
    """An object whose file asks for a function to be called; this one takes a note."""

    def __reduce__(self):
        return _note, ()
