"""SplitExplorer: a random split asks inside the training range, a cut asks beyond it."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch

from course_utils import figures, inputs
from course_utils.charts import as_text, count, drawn
from course_utils.explorers import panels
from course_utils.explorers.base import Explorer, are_functions

MADE = ("n", "curvature", "noise")
MAKE_CODE = """\
X = torch.arange({n}).unsqueeze(1) / {n}
generator = torch.Generator().manual_seed(420)
y = 0.2 + 0.8 * X + {curvature} * X**2 + {noise} * torch.randn({n}, 1, generator=generator)
"""
ORDER_CODE = """\
order = X[:, 0].argsort(stable=True)
X, y = X[order], y[order]
"""


class Split(NamedTuple):
    """Both parts, the line fitted to the first, and its residuals at all rows, in the unit of y."""

    X: torch.Tensor
    y: torch.Tensor
    truth: np.ndarray | None
    train: np.ndarray
    test: np.ndarray
    line: tuple[float, float]
    residuals: np.ndarray
    is_inside: np.ndarray

    def rmse(self, rows: np.ndarray) -> float:
        """Return the root of the mean squared error at the rows, in the unit of y."""
        return float(np.sqrt(np.mean(self.residuals[rows] ** 2)))


class SplitExplorer(Explorer):
    """Choose which rows a line may see; see its error inside and outside of what it saw.

    Parameters
    ----------
    split : callable (X, fraction, sequential, seed) -> (train_rows, test_rows)
        The learner's own split; row numbers as tensors, arrays or lists.
    fit_line : callable (X, y) -> (weight, bias)
        The learner's own fit; gets the training rows, each of shape (N, 1).
    X, y : Tensor, shape (N, 1), optional
        Real data, which are put in the order of X. Without them the points are made: y = 0.2 +
        0.8 x + curvature x**2 + noise on an even grid from 0 to 1.
    xlabel, ylabel : str
        Axis labels, each with its unit in parentheses at the end.

    Raises
    ------
    InputError
        If a function cannot be called, or X and y are not matching finite columns.
    """

    def __init__(
        self,
        split: Callable,
        fit_line: Callable,
        X: object = None,
        y: object = None,
        *,
        xlabel: str = figures.FEATURE,
        ylabel: str = figures.TARGET,
    ):
        are_functions(split=split, fit_line=fit_line)
        self._split, self._fit_line = split, fit_line
        self._given = X, y
        self._data = None if X is None and y is None else _in_order(X, y)
        self._labels = {"xlabel": xlabel, "ylabel": ylabel}
        unit = re.search(r"\(([^()]*)\)$", ylabel)
        self._unit = f" {unit[1]}" if unit and unit[1] != "no unit" else ""
        x_axis, y_axis, residual_axis = self._axes()
        seen = panels.Panel("Train, test and the fitted line", x_axis, y_axis)
        missed = panels.Panel("What the line misses", x_axis, residual_axis)
        self._ends = np.array(x_axis[1:])
        self._truth = seen.line("truth", "truth") if self._data is None else None
        shown = [(seen, {}), (missed, {"display_legend": False})]
        solid = {"role": "validation", "line_style": "solid"}
        self._lines = [p.line("fitted line", **solid, **legend) for p, legend in shown]
        self._train = [p.points("train", "train", **legend) for p, legend in shown]
        self._test = [p.points("test", "test", **legend) for p, legend in shown]
        thick = {"stroke_width": 3}
        self._range = [p.line("training range", "limit", **thick, **legend) for p, legend in shown]
        self._range += [p.line("", "limit", **thick, display_legend=False) for p, _ in shown]
        super().__init__(
            self._make_controls(), [seen.figure, missed.figure], [self._button_for_another("split")]
        )

    def compute(self, settings: dict) -> Split:
        """Run the learner's split and fit, and measure the line at every row."""
        X, y, truth = self._data or _make_curved(*(settings[n] for n in MADE))
        names = ("fraction", "sequential", "seed")
        at_most = (1 - settings["fraction"]) * len(X)  # rows to test, before rounding
        parts = self._split(X, *(settings[n] for n in names))
        train, test = _parts(parts, len(X), least_test=int(at_most > 1))
        weight, bias = self._fit_line(X[train], y[train])
        line = inputs.number("weight", float(weight)), inputs.number("bias", float(bias))
        x, targets = inputs.pair(X, y)
        is_inside = (x >= x[train].min()) & (x <= x[train].max())
        return Split(X, y, truth, train, test, line, targets - line[0] * x - line[1], is_inside)

    def draw(self, result: Split) -> None:
        """Set the points, the line and the ends of the training range in both panels."""
        x, y = inputs.pair(result.X, result.y)
        for values, train, test in zip((y, result.residuals), self._train, self._test, strict=True):
            panels.put(train, x[result.train], values[result.train])
            panels.put(test, x[result.test], values[result.test])
        if result.truth is not None:
            panels.put(self._truth, x, result.truth)
        panels.put(self._lines[0], self._ends, result.line[0] * self._ends + result.line[1])
        panels.put(self._lines[1], self._ends, np.zeros(2))
        for mark, end in zip(self._range, (np.min, np.min, np.max, np.max), strict=True):
            scale = mark.scales["y"]
            panels.put(mark, np.full(2, end(x[result.train])), np.array([scale.min, scale.max]))

    def summary(self, result: Split) -> str:
        """Tell the RMSE on both parts, and those of the test inside and outside."""
        test = result.test
        said = [
            f"{count(len(rows), f'{name} point')}{drawn(len(rows))}, RMSE {self._say(result, rows)}"
            for name, rows in (("training", result.train), ("test", test))
            if len(rows)
        ]
        if not len(test):
            return f"{said[0]}. No row is left to test: move train part down, or take more points."
        for name, rows in (
            ("inside the training range", test[result.is_inside[test]]),
            ("outside of it", test[~result.is_inside[test]]),
        ):
            error = f" (RMSE {self._say(result, rows)})" if len(rows) else ""
            said.append(f"{len(rows):,} {name}{error}")
        return f"{said[0]}. {said[1]}: {said[2]}, {said[3]}."

    def still(self, result: Split):
        """Return both parts and the line as a chart."""
        parts = {"train": result.train, "test": result.test}
        columns = {n: (result.X[rows], result.y[rows]) for n, rows in parts.items() if len(rows)}
        chart = figures.plot_groups(columns, {"fitted line": result.line}, **self._labels)
        return replace(chart, summary=self.summary(result))

    def as_code(self, settings: dict) -> str:
        """Return the cell that splits, fits and measures in PyTorch."""
        chosen = ", ".join(str(settings[name]) for name in ("fraction", "sequential", "seed"))
        data = {} if "n" in settings else dict(zip("Xy", self._given, strict=True))
        return self._cell(
            (ORDER_CODE if data else MAKE_CODE.format(**settings))
            + f"train_rows, test_rows = split(X, {chosen})\n"
            "weight, bias = fit_line(X[train_rows], y[train_rows])\n"
            "residuals = y - (weight * X + bias)\n"
            "parts = [residuals[rows] for rows in (train_rows, test_rows) if len(rows) > 0]\n"
            "return [part.square().mean().sqrt().item() for part in parts]",
            **data,
            split=self._split,
            fit_line=self._fit_line,
        )

    def _axes(self) -> tuple[tuple[str, float, float], ...]:
        """Return the axes of features, targets and residuals as label and fixed ends."""
        if self._data is None:
            ends = (-0.02, 1.0), (-0.3, 2.5), (-0.4, 1.0)
        else:
            x, y = inputs.pair(*self._data[:2])
            margin = 0.05 * (np.ptp(x) or 1.0), 0.05 * (np.ptp(y) or 1.0)
            ends = [(v.min() - m, v.max() + m) for v, m in zip((x, y), margin, strict=True)]
            ends += [(-12 * margin[1], 12 * margin[1])]
        residual = f"residual: y - prediction ({self._unit.strip() or 'no unit'})"
        labels = *self._labels.values(), residual
        return tuple((label, *pair) for label, pair in zip(labels, ends, strict=True))

    def _make_controls(self) -> dict[str, widgets.Widget]:
        made = {
            "n": widgets.SelectionSlider(
                options=[(f"{n:,}", n) for n in (10, 50, 200, 20_000)], description="points"
            ),
            "curvature": widgets.FloatSlider(0.6, min=0, max=1, step=0.1, description="curvature"),
            "noise": widgets.FloatSlider(0.02, min=0, max=0.15, step=0.01, description="noise"),
        }
        made["n"].value = 50
        return {
            "sequential": widgets.Checkbox(True, description="sequential cut", indent=False),
            "fraction": widgets.FloatSlider(
                0.8, min=0.2, max=0.95, step=0.05, description="train part"
            ),
            "seed": widgets.BoundedIntText(420, min=0, max=9999, description="split no."),
        } | (made if self._data is None else {})

    def _say(self, result: Split, rows: np.ndarray) -> str:
        rmse, scale = result.rmse(rows), np.abs(result.y.numpy()).max()
        return as_text(0 if rmse < 1e-6 * scale else rmse) + self._unit  # what is left is rounding


def _in_order(X: object, y: object) -> tuple[torch.Tensor, torch.Tensor, None]:
    inputs.pair(X, y, least=2)
    X, y = torch.as_tensor(X), torch.as_tensor(y)
    order = X[:, 0].argsort(stable=True)
    return X[order], y[order], None


def _make_curved(n: int, curvature: float, noise: float):
    """Return points on an even grid and the truth they were made from."""
    X = torch.arange(n).unsqueeze(1) / n
    generator = torch.Generator().manual_seed(420)
    truth = 0.2 + 0.8 * X + curvature * X**2
    y = truth + noise * torch.randn(n, 1, generator=generator)
    return X, y, truth[:, 0].double().numpy()


def _parts(parts: object, n: int, least_test: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the training and the test rows, once they can be trusted."""
    if not isinstance(parts, (tuple, list)) or len(parts) != 2:
        kind = type(parts).__name__
        raise inputs.InputError(f"split returned a {kind}, expected train_rows, test_rows")
    train = _rows("train_rows", parts[0], n, least=1)
    test = _rows("test_rows", parts[1], n, least_test)
    shared = np.intersect1d(train, test)
    if len(shared):
        raise inputs.InputError(
            f"both parts hold row {shared[0]} ({len(shared)} in all): the line may see no test row"
        )
    return train, test


def _rows(name: str, rows: object, n: int, least: int) -> np.ndarray:
    numbers = np.asarray(rows)
    if numbers.shape == (0,) and not least:
        return numbers.astype(np.int64)
    if numbers.ndim != 1 or not len(numbers):
        raise inputs.InputError(f"{name} has shape {numbers.shape}, expected (1,) or more rows")
    if numbers.dtype.kind not in "iu":
        raise inputs.InputError(f"{name} holds {numbers.dtype}, expected row numbers such as 7")
    if numbers.min() < 0 or numbers.max() >= n:
        raise inputs.InputError(
            f"{name} runs from {numbers.min()} to {numbers.max()}, expected 0 to {n - 1}"
        )
    return numbers.astype(np.int64)
