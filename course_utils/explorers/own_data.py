"""OwnDataExplorer: put points where you like; see what they do to an MSE line and an L1 line."""

import textwrap
import threading
from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from torch import nn

from course_utils import descent, figures, inputs
from course_utils.charts import Chart, as_text, count
from course_utils.explorers import panels
from course_utils.explorers.base import Explorer, Verdict, are_functions

MOST = 200
LOSSES = {"MSE": nn.MSELoss, "L1": nn.L1Loss}


class Lines(NamedTuple):
    """The points as columns (N, 1), and for each loss a line (weight, bias) and its loss."""

    X: torch.Tensor
    y: torch.Tensor
    lines: dict[str, tuple[float, float]]
    losses: dict[str, float]


def least_absolute(X: object, y: object) -> tuple[float, float]:
    """Find a line with the smallest mean absolute error, exactly.

    One of the best lines passes through two of the points (Boscovich and Laplace). Through point
    i, the best slope is the median of the slopes to all other points, weighted by their
    horizontal distance; of these N lines the best is returned.

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
        If the data are no columns, or all features are the same.
    """
    x, targets = inputs.pair(X, y, least=2)
    if np.ptp(x) == 0:
        raise inputs.InputError(f"all features are {x[0]:g}: a line needs two different ones")
    run, rise = x[None, :] - x[:, None], targets[None, :] - targets[:, None]
    slopes = np.divide(rise, run, out=np.full_like(run, np.inf), where=run != 0)
    order = np.argsort(slopes, axis=1)
    passed = np.cumsum(np.take_along_axis(np.abs(run), order, axis=1), axis=1)
    median = np.argmax(2 * passed >= passed[:, -1:], axis=1)
    rows = np.arange(len(x))
    weights = slopes[rows, order[rows, median]]
    biases = targets - weights * x
    best = int(np.argmin(descent.mean_loss(X, y, weights, biases, loss="l1")))
    return float(weights[best]), float(biases[best])


def read_points(text: str) -> tuple[list[tuple[float, float]], list[int], str]:
    """Read lines such as "0.5, 1.2"; blank lines are passed over, no line raises.

    Returns
    -------
    points : list of (x, y)
    places : list of int
        For each point the index of its line.
    problem : str
        What is wrong with the last line that is no point, or nothing.
    """
    points, places, problem = [], [], ""
    for place, line in enumerate(text.splitlines()):
        words = line.replace(",", " ").split()
        try:
            x, y = (inputs.number("it", float(word)) for word in words)
        except ValueError:  # not two, no numbers, or not finite
            if words:
                shown = line.strip()[:40]
                problem = f"line {place + 1} is {shown!r}: write two numbers, such as 0.5, 1.2"
        else:
            points.append((x, y))
            places.append(place)
    return points, places, problem


def edited(text: str, lines: list[str]) -> str:
    """Return the text after the mouse has put the points where `lines` says.

    Lines of points that stay, and lines that are no points, remain as they are.
    """
    points, places, _ = read_points(text)
    before, after = [_line(*point) for point in points], text.splitlines()
    rest = list(lines)
    for place, line in zip(places, before, strict=True):
        if len(lines) >= len(before):
            now = rest.pop(0)
            after[place] = after[place] if now == line else now
        elif rest[:1] == [line]:
            rest.pop(0)
        else:
            after[place] = None
    return "\n".join([line for line in after if line is not None] + rest)


class OwnDataExplorer(Explorer):
    """Add, drag and delete points; an MSE line and an L1 line are fitted anew.

    In the picture a click adds or deletes and the mouse drags; by keyboard, every point is a
    line of the text field.

    Parameters
    ----------
    fit : callable (X, y, loss_fn) -> (weight, bias)
        The learner's own function, which trains a line; `loss_fn` is nn.MSELoss() or nn.L1Loss().
    X, y : Tensor, shape (N, 1)
        The points to begin with, 2 to 200.
    y_range : (float, float), optional
        Ends of the vertical axis; by default five times what the points need.
    xlabel, ylabel : str
        Axis labels with units.

    Raises
    ------
    InputError
        If `fit` cannot be called, the data are no 2 to 200 finite rows, or the ends no two
        ascending numbers.
    """

    def __init__(
        self,
        fit: Callable,
        X: object,
        y: object,
        *,
        y_range: tuple[float, float] | None = None,
        xlabel: str = figures.FEATURE,
        ylabel: str = figures.TARGET,
    ):
        are_functions(fit=fit)
        x, targets = inputs.pair(X, y, least=2)
        if len(x) > MOST:
            raise inputs.InputError(f"X has {len(x)} rows, expected {MOST} or fewer: X[:{MOST}]")
        self._fit, self._labels = fit, (xlabel, ylabel)
        self._lock, self._by_mouse = threading.RLock(), False
        self._first = _exact(X, y)
        middle, height = (targets.min() + targets.max()) / 2, np.ptp(targets) or 1.0
        low, high = y_range or (middle - 2.5 * height, middle + 2.5 * height)
        inputs.number("y_range[1]", high, low=inputs.number("y_range[0]", low))
        self._height = float(high - low) or 1.0
        self._make_panel(x, (low, low + self._height))
        self._text = widgets.Textarea(
            "\n".join(map(_line, x, targets)),
            description="points",
            continuous_update=False,
            layout={"width": "260px", "height": "300px"},
        )
        self._click = widgets.ToggleButtons(options=["add", "delete"], description="a click will")
        self._to_picture()
        self._text.observe(self._to_picture, names="value")
        self._dots.observe(self._from_picture, names=["x", "y"])
        widgets.dlink((self._click, "value"), (self._dots, "interactions"), lambda v: {"click": v})
        picture = widgets.VBox([self._panel.figure, self._click])
        super().__init__({"points": self._text}, [picture])
        side_by_side = widgets.Box([picture, self._text], layout={"flex_flow": "row wrap"})
        self.widget.children = (side_by_side, self.page)

    def _make_panel(self, x: np.ndarray, y_range: tuple[float, float]) -> None:
        room = 0.1 * (np.ptp(x) or 1.0)
        self._ends = np.array([x.min() - room, x.max() + room])
        self._panel = panels.Panel(
            "Your points and both lines",
            (self._labels[0], *self._ends),
            (self._labels[1], *y_range),
            width=560,
        )
        self._drawn = {"MSE": self._panel.line("MSE line")}
        self._drawn["L1"] = self._panel.line("L1 line", "validation")
        # Draggable marks come last: a line above them would take the mouse.
        self._dots = self._panel.points(
            "data",
            default_size=36,
            enable_move=True,
            update_on_move=True,
            interactions={"click": "add"},
        )

    # The text is the state: the mouse edits it, and what it says is where the points are.

    def _to_picture(self, _change: object = None) -> None:
        with self._lock:
            points, _, _ = read_points(self._text.value)
            if not self._by_mouse and [_line(*point) for point in points] != self._in_picture():
                panels.put(self._dots, *np.array(points).reshape(-1, 2).T)

    def _from_picture(self, _change: object) -> None:
        with self._lock:
            if len(self._dots.x) == len(self._dots.y):  # else one of them is on its way
                self._by_mouse = True
                self._text.value = edited(self._text.value, self._in_picture())
                self._by_mouse = False

    def _in_picture(self) -> list[str]:
        return [_line(*point) for point in zip(self._dots.x, self._dots.y, strict=False)]

    # The hooks of the base.

    def compute(self, settings: dict) -> Lines:
        """Fit both lines exactly: least squares for MSE, Boscovich and Laplace for L1."""
        points, _, problem = read_points(settings["points"])
        if problem:
            raise inputs.InputError(problem)
        if not 2 <= len(points) <= MOST:
            raise inputs.InputError(f"points: {len(points)}, expected 2 to {MOST}: add or delete")
        X, y = torch.tensor(points).split(1, dim=1)
        return _fitted(X, y, _exact(X, y))

    def prove(self, settings: dict, result: Lines) -> Verdict:
        """Train both lines with the learner's function."""
        lines = {n: _pair(self._fit(result.X, result.y, loss())) for n, loss in LOSSES.items()}
        wild = [name for name, line in lines.items() if not np.isfinite(line).all()]
        if wild:
            limit = as_text(descent.stable_lr(result.X), 3)
            text = (
                f"Your fit ends at no number with {wild[0]}. With SGD, MSE and all points at once"
            )
            return Verdict(f"{text} the largest stable learning rate is {limit} here.", False)
        own = _fitted(result.X, result.y, lines)
        off = {name: max(own.losses[name] - result.losses[name], 0.0) for name in LOSSES}
        off["MSE"] **= 0.5  # the root mean square distance between two MSE lines
        worst = max(off, key=off.get)
        if off[worst] <= 0.01 * self._height:
            text = "Your fit and the formula agree."
            return Verdict(text, True, own)
        text = f"Your fit departs: its {worst} loss is {as_text(own.losses[worst])}, the formula's"
        return Verdict(f"{text} {as_text(result.losses[worst])}.", False, own)

    def draw(self, result: Lines) -> None:
        """Set both lines; the points are where the text says."""
        far = 100 * self._height
        for name, (weight, bias) in result.lines.items():
            heights = np.clip(weight * self._ends + bias, -far, far)
            panels.put(self._drawn[name], self._ends, heights)

    def summary(self, result: Lines) -> str:
        """Read both lines, and how far their slopes have moved since the start."""
        found = [
            f"{name} line: slope {as_text(weight, decimals=3)}, bias {as_text(bias, decimals=3)}, "
            f"slope moved by {as_text(weight - self._first[name][0], decimals=2)} since the start"
            for name, (weight, bias) in result.lines.items()
        ]
        said = f"{count(len(result.X), 'point')}. {'. '.join(found)}."
        x, y = inputs.pair(result.X, result.y)
        low, high = self._panel.scales["y"].min, self._panel.scales["y"].max
        outside = (x < self._ends[0]) | (x > self._ends[1]) | (y < low) | (y > high)
        return said + (f" Outside the picture: {outside.sum()} of them." if outside.any() else "")

    def still(self, result: Lines) -> Chart:
        """Return points and both lines as a chart."""
        xlabel, ylabel = self._labels
        return figures.plot_data(result.X, result.y, result.lines, xlabel=xlabel, ylabel=ylabel)

    def as_code(self, settings: dict) -> str:
        """Return the cell that makes these points and calls the learner's function on them."""
        points, _, _ = read_points(settings["points"])
        losses = ", ".join(f"torch.nn.{loss.__name__}()" for loss in LOSSES.values())
        return self._cell(
            f"{_column('X', [x for x, _ in points])}\n{_column('y', [y for _, y in points])}\n"
            "with torch.random.fork_rng():  # what the notebook draws next stays the same\n"
            f"    return [fit(X, y, loss_fn) for loss_fn in ({losses})]",
            fit=self._fit,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(read_points(self._text.value)[0])} points)"


def _exact(X: object, y: object) -> dict[str, tuple[float, float]]:
    l1 = least_absolute(X, y)  # first: it names the features that allow no line
    return {"MSE": tuple(map(float, np.polyfit(*inputs.pair(X, y), 1))), "L1": l1}


def _fitted(X: torch.Tensor, y: torch.Tensor, lines: dict) -> Lines:
    losses = {
        name: float(descent.mean_loss(X, y, *line, loss=name.lower()))
        for name, line in lines.items()
    }
    return Lines(X, y, lines, losses)


def _pair(answer: object) -> tuple[float, float]:
    try:
        weight, bias = (float(getattr(value, "item", lambda v=value: v)()) for value in answer)
    except (TypeError, ValueError):
        kind = type(answer).__name__
        raise inputs.InputError(
            f"fit returned a {kind}, expected two numbers: return weight, bias"
        ) from None
    return weight, bias


def _line(x: float, y: float) -> str:
    return f"{x + 0.0:.4g}, {y + 0.0:.4g}"


def _column(name: str, values: list[float]) -> str:
    row = f"{name} = torch.tensor([{', '.join(map(str, values))}]).unsqueeze(1)"
    return textwrap.fill(row, 92, subsequent_indent="    ")
