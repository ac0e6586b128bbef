"""NoiseExplorer: what weight, bias, noise and the number of points do to the data."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from course_utils import figures, inputs
from course_utils.charts import VERMILLION, as_text, count, drawn
from course_utils.explorers import panels
from course_utils.explorers.base import Explorer, are_functions

GRID = np.linspace(-4.5, 4.5, 61)  # where the lines are drawn; its ends are those of the x axis
Y_END = 15.0
SIZES = (2, 5, 10, 20, 50, 100, 200, 1_000, 20_000)


class Sample(NamedTuple):
    """Points, the line they were made from, and the line fitted to them."""

    X: np.ndarray
    y: np.ndarray
    truth: tuple[float, float]
    fitted: tuple[float, float]
    errors: tuple[float, float]
    line_errors: np.ndarray


def least_squares(X: object, y: object) -> tuple[tuple[float, float], tuple[float, float]]:
    """Fit a line and say how uncertain its parameters are.

    Parameters
    ----------
    X, y : Tensor or ndarray, shape (N, 1)
        Features and targets.

    Returns
    -------
    (weight, bias), (of the weight, of the bias) : tuple of tuple of float
        The line, and its standard errors sqrt(s**2 / Sxx) and
        sqrt(s**2 * (1 / N + mean(x)**2 / Sxx)) with s**2 = sum(residuals**2) / (N - 2); nan where N
        is 2.

    Raises
    ------
    InputError
        If the data are no columns, or all features are the same.
    """
    x, targets = inputs.pair(X, y, least=2)
    dx = x - x.mean()
    spread = float(dx @ dx)
    if spread == 0:
        raise inputs.InputError(f"all features are {x[0]:g}: a line needs two different ones")
    weight = float(dx @ (targets - targets.mean()) / spread)
    bias = float(targets.mean() - weight * x.mean())
    residuals = targets - weight * x - bias
    free = len(x) - 2
    variance = float(residuals @ residuals) / free if free else np.nan
    bias_error = np.sqrt(variance * (1 / len(x) + x.mean() ** 2 / spread))
    return (weight, bias), (float(np.sqrt(variance / spread)), float(bias_error))


def line_errors(X: object, errors: tuple[float, float], grid: np.ndarray) -> np.ndarray:
    """Return how uncertain the height of the fitted line is at other features.

    Parameters
    ----------
    X : Tensor or ndarray, shape (N, 1)
        The features the line was fitted to.
    errors : (of the weight, of the bias)
        Standard errors as `least_squares` returns them.
    grid : ndarray, shape (M,)
        Where the line is read.

    Returns
    -------
    ndarray, shape (M,)
        Standard errors of the mean prediction, in the unit of y: s * sqrt(1 / N + (x - mean)**2 /
        Sxx), smallest at the mean feature (Weisberg, Applied Linear Regression, "fitted values").
        With the weight's e = s / sqrt(Sxx) it is e * sqrt(Sxx / N + (x - mean)**2).

    Raises
    ------
    InputError
        If X is no finite column.
    """
    x = inputs.column("X", X)
    return errors[0] * np.sqrt(x.var() + (grid - x.mean()) ** 2)


class NoiseExplorer(Explorer):
    """Move the truth and the noise; see the points and how well least squares finds the line.

    Parameters
    ----------
    make : callable (n, weight, bias, noise, seed) -> (X, y), each of shape (n, 1)
        The learner's own data generator, such as `datasets.make_line`.

    Raises
    ------
    InputError
        If `make` cannot be called.
    """

    def __init__(self, make: Callable):
        are_functions(make=make)
        self._make = make
        panel = panels.Panel(
            "Least squares, ± 2 standard errors",
            (figures.FEATURE, GRID[0], GRID[-1]),
            (figures.TARGET, -Y_END, Y_END),
            width=640,
        )
        shade = {
            "fill": "between",
            "fill_opacities": [0.3],
            "opacities": [0.4],
            "stroke_width": 1,
            "display_legend": False,
        }
        self._band = panel.line("two standard errors", **shade, fill_colors=[VERMILLION])
        self._points = panel.points("data")
        self._truth = panel.line("truth", "truth")
        self._fitted = panel.line("least squares")
        controls = {
            "weight": widgets.FloatSlider(2.0, min=-3, max=3, step=0.1, description="weight"),
            "bias": widgets.FloatSlider(1.5, min=-3, max=3, step=0.1, description="bias"),
            "noise": widgets.FloatSlider(0.1, min=0, max=3, step=0.05, description="noise"),
            "n": widgets.SelectionSlider(
                options=[(f"{n:,}", n) for n in SIZES], value=200, description="points"
            ),
            "seed": widgets.BoundedIntText(420, min=0, max=9999, description="sample no."),
        }
        super().__init__(controls, [panel.figure], [self._button_for_another("sample")])

    def compute(self, settings: dict) -> Sample:
        """Call the learner's generator and fit a line to what it returns."""
        X, y = self._make(**settings)
        fitted, errors = least_squares(X, y)
        truth = settings["weight"], settings["bias"]
        return Sample(X, y, truth, fitted, errors, line_errors(X, errors, GRID))

    def draw(self, result: Sample) -> None:
        """Set points, both lines and the band; two points have none."""
        x, y = inputs.pair(result.X, result.y)
        panels.put(self._points, x, y)
        self._points.default_size = 24 if len(x) > 20 else 80
        panels.put(self._truth, GRID, result.truth[0] * GRID + result.truth[1])
        fitted = result.fitted[0] * GRID + result.fitted[1]
        panels.put(self._fitted, GRID, fitted)
        shown = np.isfinite(result.line_errors)
        band = fitted + np.outer([-2, 2], result.line_errors)
        panels.put(self._band, GRID[shown], band[:, shown])

    def summary(self, result: Sample) -> str:
        """Compare the fitted parameters with the true ones."""
        x, y = inputs.pair(result.X, result.y)
        pairs = zip(("weight", "bias"), result.fitted, result.errors, result.truth, strict=True)
        found = [
            f"{name} {as_text(value, decimals=3)}"
            + (f" ± {as_text(error, decimals=3)}" if len(x) > 2 else "")
            + f" (truth {as_text(true)})"
            for name, value, error, true in pairs
        ]
        points = count(len(x), "point") + drawn(len(x))
        said = f"{points}: least squares finds {' and '.join(found)}."
        if len(x) == 2:
            said += " A line fits any two points, so nothing is left to judge it by."
        outside = np.sum((np.abs(x) > GRID[-1]) | (np.abs(y) > Y_END))
        return said + (f" {outside:,} of the points lie outside the picture." if outside else "")

    def still(self, result: Sample):
        """Return points and both lines as a chart."""
        lines = {"truth": result.truth, "least squares": result.fitted}
        return figures.plot_data(result.X, result.y, lines)

    def as_code(self, settings: dict) -> str:
        """Return the cell that makes these points and fits them in PyTorch."""
        arguments = ", ".join(f"{name}={value}" for name, value in settings.items())
        return self._cell(
            f"X, y = make({arguments})\n"
            "columns = torch.cat([X, torch.ones_like(X)], dim=1)\n"
            "weight, bias = torch.linalg.lstsq(columns, y).solution.flatten().tolist()\n"
            "return weight, bias",
            make=self._make,
        )
