"""What the five lines of a usual step do to a line y = weight * x + bias, by formula in float64.

The learner's own lines are held against it.
"""

import ast
import re
from collections.abc import Sequence

import numpy as np
import torch

from course_utils import inputs
from course_utils.explorers import loops
from course_utils.explorers.lines_of_code import Line, Lines, Outcome, weight_and_bias

TOLERANCE = 1e-4  # relative: the learner's tensors are mostly float32
LARGEST = 1e36  # what is larger is not compared: float32 ends at 3.4e38
_PLAIN = ("momentum", "weight_decay", "nesterov", "maximize")
# what a line does, and how Python writes it; the words are the function's own
_USUAL = {
    ("zero_grad",): r"(?:{optimizer}|{model})\.zero_grad\(\)",
    ("forward",): r"\w+ = {model}\({X}\)",
    ("loss",): r"\w+ = {loss_fn}\(\w+, {y}\)",
    ("forward", "loss"): r"\w+ = {loss_fn}\({model}\({X}\), {y}\)",
    ("backward",): r"\w+\.backward\(\)",
    ("step",): r"{optimizer}\.step\(\)",
}
_COMES_FROM = {"loss": "forward", "backward": "loss"}


def told_apart(code: Lines) -> list[tuple[str, ...]]:
    """Return for each line what it does; nothing if it is no usual one.

    A line is usual only if what it takes comes from the usual line, and no other line binds the
    name that it makes.
    """
    does = [_usual(line, code.words) for line in code.all]
    made: dict[str, list[str]] = {name: [""] for name in code.words}
    for line, what in zip(code.all, does, strict=True):
        for name in line.makes:
            made.setdefault(name, []).append(what[-1] if what else "")
    known = []
    for line, what in zip(code.all, does, strict=True):
        source = _COMES_FROM.get(what[0]) if what else None
        comes = [made.get(name) for name in line.takes - set(code.words)]
        right = all(len({*made[name]}) == 1 for name in line.makes)
        right &= source is None or [{*kinds} for kinds in comes if kinds] == [{source}]
        known.append(what if right else ())
    return known


def _usual(line: Line, words: Sequence[str]) -> tuple[str, ...]:
    source = ast.unparse(ast.parse(line.text))
    roles = dict(zip(("model", "loss_fn", "optimizer", "X", "y"), words, strict=True))
    for what, pattern in _USUAL.items():
        if re.fullmatch(pattern.format(**roles), source):
            return what
    return ()


def beyond(code: Lines, does: Sequence[tuple[str, ...]]) -> str:
    """Say why a formula cannot follow these lines; empty if it can."""
    line, kind = weight_and_bias(code.model), type(code.optimizer)
    groups = code.optimizer.param_groups
    if line is None or not all(parameter.requires_grad for parameter in line):
        return "the model is not a line"
    if kind.__name__ != "SGD" or not kind.__module__.startswith("torch."):
        return f"the optimizer is {kind.__name__}"
    if len(groups) != 1 or any(groups[0].get(option) for option in _PLAIN):
        return "the optimizer is SGD with more than a learning rate"
    if {id(p) for p in groups[0]["params"]} != {id(p) for p in line}:
        return "the optimizer has other parameters than the model"
    if not are_columns(code):
        return "X and y are not columns of numbers"
    if not is_mse(code):
        return "loss_fn is not the mean squared error"
    if () in does:
        return f"line {does.index(()) + 1} is none of the usual five"
    return ""


def are_columns(code: Lines) -> bool:
    """Tell whether X and y are two columns of numbers, one row or more."""
    try:
        inputs.pair(code.X, code.y)
    except inputs.InputError:
        return False
    return True


def is_mse(code: Lines) -> bool:
    """Tell whether the learner's loss is the mean squared error, by trying it on three lines."""
    try:
        with torch.no_grad():
            predictions = [slope * code.X + 1 for slope in (0.0, 1.0, -2.0)]
            losses = [float(code.loss_fn(y_pred, code.y)) for y_pred in predictions]
            right = [float((y_pred - code.y).square().mean()) for y_pred in predictions]
    except Exception:  # a loss of another kind: its line tells what is wrong
        return False
    return bool(np.allclose(losses, right, rtol=1e-4, atol=0))


class Formula:
    """Where the usual lines lead a line model.

    Parameters
    ----------
    code : Lines
        With a line as its model, and X and y columns.
    does : sequence
        As `told_apart` returns it.
    """

    def __init__(self, code: Lines, does: Sequence[tuple[str, ...]]):
        self._lines, self._does = code.all, does
        self._x, self._y = inputs.pair(code.X, code.y)
        named = zip(("weight", "bias"), weight_and_bias(code.model), strict=True)
        self._begin: dict[str, float | None] = {"loss": None}
        for name, parameter in named:
            self._begin[name] = parameter.item()
            grad = parameter.grad
            self._begin[f"{name}.grad"] = None if grad is None else grad.item()
        self._shapes = [str(tuple(p.shape)) for p in (*weight_and_bias(code.model), code.y)]
        self._largest = torch.finfo(code.X.dtype).max
        best = loops.least_squares(code.X, code.y)
        start = self._begin["weight"], self._begin["bias"]
        self.around = []  # the ends of both axes: a path that swings about the best has room
        for middle, other in zip(best, start, strict=True):
            reach = 1.25 * max(abs(middle - other), 0.2 * abs(middle) + 0.2)
            self.around.append([middle - reach, middle + reach])

    def given(self) -> dict[str, object]:
        """Return what the page computes with."""
        wide, high = (b - a for a, b in self.around)
        return {
            "x": self._x, "y": self._y, "begin": self._begin, "shapes": self._shapes,
            "largest": self._largest, "around": self.around, "equal": 0.25 < wide / high < 4,
        }  # fmt: skip

    def trace(self, numbers: Sequence[int], lr: float) -> list[dict[str, float | None]]:
        """Return weight, bias, gradients and loss at the beginning and after each line."""
        x, y, now = self._x, self._y, dict(self._begin)
        trace, values = [now], {}  # for each name the weight and bias that it was made with
        for number in numbers:
            line, does = self._lines[number - 1], self._does[number - 1]
            now = dict(now)
            at = next((values[name] for name in line.takes if name in values), None)
            if "forward" in does:
                at = now["weight"], now["bias"]
            values |= dict.fromkeys(line.makes, at)
            with np.errstate(over="ignore", invalid="ignore"):
                residuals = y - at[0] * x - at[1] if at else None
                if "loss" in does:
                    now["loss"] = float(np.mean(residuals**2))
                if "backward" in does:
                    for name, each in (("weight.grad", residuals * x), ("bias.grad", residuals)):
                        now[name] = (now[name] or 0.0) - 2 * float(np.mean(each))
            for name in ("weight", "bias"):
                if "zero_grad" in does:
                    now[f"{name}.grad"] = None
                if "step" in does and now[f"{name}.grad"] is not None:
                    now[name] -= lr * now[f"{name}.grad"]
            trace.append(now)
        return trace

    def path(self, numbers: Sequence[int], lr: float) -> list[tuple[float, float]]:
        """Return weight and bias at the beginning and wherever a line moved them."""
        every = [(now["weight"], now["bias"]) for now in self.trace(numbers, lr)]
        return [at for at, last in zip(every, [None, *every], strict=False) if at != last]

    def compare(self, numbers: Sequence[int], lr: float, outcome: Outcome) -> tuple[str, bool]:
        """Hold the tensors after the last line against the formula; say what differs."""
        trace, found = self.trace(numbers, lr), self._found(numbers, outcome)
        x, y = np.abs(self._x).mean(), np.abs(self._y).mean()
        size = {"weight": y / x if x else y, "bias": y, "weight.grad": y * x, "bias.grad": y}
        for name, right in trace[-1].items():
            value, past = found[name], [abs(now[name]) for now in trace if now[name] is not None]
            largest = np.max(past, initial=0)  # nan if one is
            if not largest < LARGEST:
                if any(v is not None and not abs(v) < 1e-6 * LARGEST for v in found.values()):
                    return "both leave the numbers that float32 holds.", True
                return f"{name} is {value}, by the formula {right:.4g}.", False
            near = TOLERANCE * (largest + 1e-2 * size.get(name, y**2))
            if not _is_near(value, right, near):
                told = ["None" if v is None else f"{v:.4g}" for v in (value, right)]
                hint = "does the model return weight * x + bias?"
                return f"{name} is {told[0]}, by the formula {told[1]}: {hint}", False
        return f"the same after {len(numbers):,} lines, to 1 part in 10,000 (float32).", True

    def _found(self, numbers: Sequence[int], outcome: Outcome) -> dict[str, float | None]:
        found: dict[str, float | None] = {"loss": None}
        for name, parameter in outcome.model.named_parameters():
            found[name] = parameter.item()
            found[f"{name}.grad"] = None if parameter.grad is None else parameter.grad.item()
        for number in reversed(numbers):
            if "loss" in self._does[number - 1]:
                [name] = self._lines[number - 1].makes
                return found | {"loss": outcome.made[name].item()}
        return found


def _is_near(value: float | None, right: float | None, near: float) -> bool:
    if value is None or right is None:
        return value is right
    return abs(value - right) <= near
