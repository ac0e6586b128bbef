"""LineExplorer: fit a line by hand, see what each point costs, and beat your own record."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch

from course_utils import figures, inputs
from course_utils.charts import as_text, count, drawn
from course_utils.explorers import panels
from course_utils.explorers.base import Explorer

MOST_STICKS, MOST_SQUARES = 200, 20


class Fit(NamedTuple):
    """A line, its loss by the learner's function, and its mean squared residual."""

    weight: float
    bias: float
    loss: float
    mean_square: float
    squares: bool


def slider_ranges(x: np.ndarray, y: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Return (min, max, step) of weight and bias that suit the data.

    The weight reaches twice the slope from corner to corner, the bias every line through the
    middle of the points with such a weight. A step moves the line by about 1/200 of the height of
    the data. Steps are 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    x, y : ndarray, shape (N,)
        Features and targets; the features are not all the same.
    """
    height = float(np.ptp(y)) or abs(float(y[0])) or 1.0
    slope = 2 * height / float(np.ptp(x))
    reach = slope * abs(float(x.mean())) + height
    weight_step = _nice(height / 200 / np.abs(x).max())
    bias_step = _nice(height / 200)
    steepest = _on_step(slope, 10 * weight_step)
    low, high = (_on_step(y.mean() + way * reach, 10 * bias_step) for way in (-1, 1))
    return {"weight": (-steepest, steepest, weight_step), "bias": (low, high, bias_step)}


class LineExplorer(Explorer):
    """Move weight and bias, or drag the ends of the line, and see residuals, squares and the loss.

    Parameters
    ----------
    X, y : Tensor, shape (N, 1)
        Features and targets, of any scale.
    loss_fn : callable (y_pred, y) -> loss
        The learner's loss function, such as `nn.MSELoss()`.
    xlabel, ylabel : str
        Axis labels with units.

    Raises
    ------
    InputError
        If the data are no two columns, all features are the same, or `loss_fn` is no function.
    """

    def __init__(
        self,
        X: torch.Tensor,
        y: torch.Tensor,
        loss_fn: Callable,
        *,
        xlabel: str = figures.FEATURE,
        ylabel: str = figures.TARGET,
    ):
        self._x, self._y = inputs.pair(X, y, least=2)
        if not np.ptp(self._x):
            raise inputs.InputError(f"all features are {self._x[0]:g}: a line needs two different")
        if not callable(loss_fn):
            raise inputs.InputError(
                f"loss_fn is a {type(loss_fn).__name__}, expected a function such as nn.MSELoss()"
            )
        self._rounding = 1e-10 * np.var(self._y) + 1e-13 * np.mean(self._y**2)
        self._given = X, y
        self._X, self._targets, self._loss_fn = torch.as_tensor(X), torch.as_tensor(y), loss_fn
        self._labels = {"xlabel": xlabel, "ylabel": ylabel}
        self._best: float | None = None
        self._record: float | None = None
        self._ends_x = np.array([self._x.min(), self._x.max()])
        self._ends_put = self._mouse = None
        panel = self._panel(xlabel, ylabel)
        self._ends.observe(self._dragged, names="y")
        ranges = slider_ranges(self._x, self._y)
        starts = {"weight": 0.0, "bias": _on_step(self._y.mean(), ranges["bias"][2])}
        controls = {
            name: widgets.FloatSlider(
                starts[name], min=low, max=high, step=step, description=name,
                readout_format=f",.{_digits(step)}f", layout={"width": "420px"},
            )
            for name, (low, high, step) in ranges.items()
        }  # fmt: skip
        controls["squares"] = widgets.Checkbox(False, description="squares", indent=False)
        super().__init__(controls, [panel.figure])

    def _panel(self, xlabel: str, ylabel: str) -> panels.Panel:
        width, height = np.ptp(self._x), np.ptp(self._y) or abs(self._y[0]) or 1.0
        x_axis = (xlabel, self._x.min() - 0.05 * width, self._x.max() + 0.05 * width)
        y_axis = (ylabel, self._y.min() - 0.25 * height, self._y.max() + 0.25 * height)
        panel = panels.Panel("Drag the diamonds to move your line", x_axis, y_axis, width=640)
        margin, layout = panel.figure.fig_margin, panel.figure.layout
        across = int(layout.width[:-2]) - margin["left"] - margin["right"]
        up = int(layout.height[:-2]) - margin["top"] - margin["bottom"]
        # How far to go in x to cover on the screen what one unit of y covers.
        self._x_per_y = (x_axis[2] - x_axis[1]) / across / ((y_axis[2] - y_axis[1]) / up)
        thin_line = {"stroke_width": 1, "opacities": [0.9]}
        self._squares = panel.line(
            "squared residuals", "truth", line_style="solid", fill="inside",
            fill_colors=[panels.GRAY], fill_opacities=[0.25], visible=False, display_legend=False,
            **thin_line,
        )  # fmt: skip
        self._sticks = panel.line("residuals", "truth", line_style="solid", **thin_line)
        self._points = panel.points("data")
        self._line = panel.line("your line")
        self._ends = panel.points(
            "ends", "prediction", default_size=150, enable_move=True, restrict_y=True,
            update_on_move=True, display_legend=False,
        )  # fmt: skip
        panels.put(self._points, self._x, self._y)
        return panel

    def reset(self) -> None:
        """Put every control back to where it started and forget the record."""
        self._record = None
        super().reset()

    def compute(self, settings: dict) -> Fit:
        """Ask the learner's loss function about the line."""
        if self._best is None:
            middle = self._x.mean()
            weight = np.polyfit(self._x - middle, self._y, 1)[0]
            self._best = self._loss(float(weight), float(self._y.mean() - weight * middle))
        loss = self._loss(settings["weight"], settings["bias"])
        residuals = self._y - settings["weight"] * self._x - settings["bias"]
        return Fit(loss=loss, mean_square=float(np.mean(residuals**2)), **settings)

    def _loss(self, weight: float, bias: float) -> float:
        with torch.no_grad():
            loss = self._loss_fn(weight * self._X + bias, self._targets)
        if torch.is_tensor(loss):
            if loss.numel() != 1:
                raise inputs.InputError(
                    f"loss_fn returned shape {tuple(loss.shape)}, expected one number: add .mean()"
                )
            loss = loss.item()
        return inputs.number("what loss_fn returned", loss)

    def draw(self, result: Fit) -> None:
        """Set line, sticks and squares; the ends unless the mouse holds them there already."""
        self._record = result.loss if self._record is None else min(self._record, result.loss)
        heights = result.weight * self._ends_x + result.bias
        panels.put(self._line, self._ends_x, heights)
        with self._work_to_do:  # `_dragged` moves one slider after the other
            if self._mouse != (self.settings["weight"], self.settings["bias"]):
                self._ends_put = heights
                panels.put(self._ends, self._ends_x, heights)
        sticks = MOST_SQUARES if result.squares else MOST_STICKS
        _outline(self._sticks, *self._shapes(result, sticks, 0.0))
        if result.squares:
            _outline(self._squares, *self._shapes(result, MOST_SQUARES, self._x_per_y))
        self._squares.visible = result.squares

    def _shapes(self, result: Fit, most: int, x_per_y: float) -> tuple[np.ndarray, np.ndarray]:
        """Return a rectangle on each residual of a sample, as wide on the screen as told."""
        order = np.argsort(self._x, kind="stable")
        order = order[np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int)]
        x, top = self._x[order], self._y[order]
        foot = result.weight * x + result.bias
        inwards = np.where(x < self._ends_x.mean(), 1, -1)
        side = x + inwards * np.abs(top - foot) * x_per_y
        if not x_per_y:
            return np.stack([x, x], axis=1), np.stack([foot, top], axis=1)
        corners = [(x, foot), (x, top), (side, top), (side, foot), (x, foot)]
        return tuple(np.stack(values, axis=1) for values in zip(*corners, strict=True))

    def _dragged(self, change: dict) -> None:
        """Let the sliders follow an end that the mouse moved."""
        with self._work_to_do:
            heights = np.asarray(change["new"], dtype=float)
            ours = self._ends_put is not None and np.array_equal(heights, self._ends_put)
            if ours or heights.shape != (2,) or not np.isfinite(heights).all():
                return
            limits = [self._controls[name] for name in ("weight", "bias")]
            wanted = np.diff(heights)[0] / np.diff(self._ends_x)[0]
            weight = _on_step(float(wanted), limits[0].step)  # what the slider shows is the line
            middle = heights.mean() - weight * self._ends_x.mean()
            bias = _on_step(float(middle), limits[1].step)
            inside = [
                min(max(value, slider.min), slider.max)
                for value, slider in zip((weight, bias), limits, strict=True)
            ]
            self._mouse = (weight, bias)
            self.set(weight=inside[0], bias=inside[1])

    def summary(self, result: Fit) -> str:
        """Tell the line, its loss, and how far the record is from least squares."""
        n, sign = len(self._x), "-" if result.bias < 0 else "+"
        weight, bias = as_text(result.weight, 6), as_text(abs(result.bias), 6)
        said = f"y = {weight} x {sign} {bias} on {count(n, 'point')}"
        said += f"{drawn(n)}: loss {self._loss_text(result.loss)}."
        if result.squares:
            mean = 0.0 if result.mean_square <= self._rounding else result.mean_square
            said += f" The mean of all {n:,} squares is {as_text(mean)}, a square of side"
            said += f" {as_text(mean**0.5)}; {min(n, MOST_SQUARES)} squares are drawn."
        return f"{said} Record since reset: {self._loss_text(self._record)}, {self._gap()}."

    def _loss_text(self, loss: float) -> str:
        return as_text(0.0 if abs(loss) <= self._rounding else loss)

    def _gap(self) -> str:
        if self._best <= self._rounding:
            return f"and the least-squares line reaches {self._loss_text(self._best)}"
        ratio = self._record / self._best
        if abs(ratio - 1) < 5e-4:
            return "level with the least-squares line"
        if ratio > 2:
            return f"{as_text(ratio)} times the loss of the least-squares line"
        way = "above" if ratio > 1 else "below"
        return f"{as_text(100 * abs(ratio - 1))} % {way} the loss of the least-squares line"

    def still(self, result: Fit):
        """Return points and line as a chart."""
        line = {"your line": (result.weight, result.bias)}
        return figures.plot_data(self._X, self._targets, line, **self._labels)

    def as_code(self, settings: dict) -> str:
        """Return the cell that computes this loss in PyTorch."""
        return self._cell(
            f"weight, bias = {settings['weight']}, {settings['bias']}\n"
            "y_pred = weight * X + bias\n"
            "return float(loss_fn(y_pred, y))",
            X=self._given[0],
            y=self._given[1],
            loss_fn=self._loss_fn,
        )


def _outline(mark, x: np.ndarray, y: np.ndarray) -> None:
    """Set many outlines as one line with gaps between them."""
    gap = np.full((len(x), 1), np.nan)
    with mark.hold_sync():
        mark.x, mark.y = np.hstack([x, gap]).ravel()[:-1], np.hstack([y, gap]).ravel()[:-1]


def _nice(value: float) -> float:
    """Return the largest of 1, 2 or 5 times a power of ten that is not above the value."""
    power = 10.0 ** np.floor(np.log10(value))
    lead = max(lead for lead in (1, 2, 5) if lead * power <= value * (1 + 1e-9))
    return float(f"{lead * power:.0e}")


def _on_step(value: float, step: float) -> float:
    return round(float(np.round(value / step) * step), 10)


def _digits(step: float) -> int:
    return max(0, -int(np.floor(np.log10(step))))
