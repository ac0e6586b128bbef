"""FitExplorer: how far a polynomial may bend before the validation loss turns."""

from collections import namedtuple
from collections.abc import Callable

import numpy as np
import torch
from numpy.polynomial import Chebyshev

from course_utils import datasets
from course_utils.charts import Chart, Series, as_text
from course_utils.explorers import answers
from course_utils.explorers.base import Explorer, Proof, are_functions, choices, name_of, sliders

HIGHEST = 15  # degree
ROWS, HELD, EDGE = 1500, 40, 1.6  # made, to validate; of the others those within the edges train
SIZES = (5, 10, 15, 20, 30, 50, 100, 200, 1000)
TOP = 2.3  # of the picture
PRESETS = {"degree 1": (1, 20), "15 on 20": (15, 20), "15 on 200": (15, 200)}
Fits = namedtuple("Fits", "train_rmses between_rmses")  # of every degree, the lowest first


class FitExplorer(Explorer):
    """Move degree, noise and the number of training points; see where the two losses part.

    Parameters
    ----------
    fit : callable (X, y, degree) -> predict, with predict(X) of shape (N, 1)
        The learner's own function, which fits a polynomial to the training rows.
    """

    def __init__(self, fit: Callable):
        are_functions(fit=fit)
        self._fit = fit
        controls = sliders(degree=(1, 1, HIGHEST, 1), noise=(0.2, 0, 1, 0.05))
        controls |= choices("SelectionSlider", n=(20, SIZES)) | sliders(seed=(420, 420, 439, 1))
        given = {"rows": ROWS, "held": HELD, "edge": EDGE, "range": [-TOP, TOP]}
        presets = {name: {"degree": degree, "n": n} for name, (degree, n) in PRESETS.items()}
        super().__init__(controls, given, presets)

    def prove(self, settings: dict) -> Proof:
        """Fit every degree with the learner's function and hold the RMSEs against least squares."""
        X, y, train, _ = rows_of(settings)
        degrees = np.arange(1, min(HIGHEST, settings["n"] - 1) + 1)
        own, right = (
            np.transpose([_rmses(fit(X[train], y[train], int(k)), settings) for k in degrees])
            for fit in (self._fit, _least_squares)
        )
        same, new = np.isclose(own, right, rtol=1e-2, atol=1e-4, equal_nan=True)
        both = same & (new | (degrees > 8))  # higher powers magnify how they are rounded
        if both.all():
            said = f"all {len(degrees)} degrees, RMSE {own[0][-1]:.3g} at the highest."
            return Proof(True, said, Fits(*own))
        at = int(np.argmin(both))
        row, where = (1, "between") if same[at] else (0, "on its own points")
        said = f"degree {at + 1} has RMSE {own[row][at]:.3g} {where}, not {right[row][at]:.3g}."
        return Proof(False, said, Fits(*own), {"rmses": np.minimum(own[0], 1e300)})

    def still(self, settings: dict) -> Chart:
        """Return points and curve as a chart."""
        X, y, train, _ = rows_of(settings)
        degree, grid = min(settings["degree"], settings["n"] - 1), torch.linspace(-2, 2, 201)
        curve = _least_squares(X[train], y[train], degree)
        heights = np.where(np.abs(curve(grid)) > TOP, np.nan, curve(grid))
        parts = {"train": train, "validation": slice(HELD)}
        series = [Series(name, X[rows, 0], y[rows, 0], role=name) for name, rows in parts.items()]
        series.append(Series("polynomial", grid, heights, "line", "prediction"))
        own, new = map(as_text, _rmses(curve, settings))
        said = f"Degree {degree} on {len(train)} training points has RMSE {own} on these and "
        return Chart(tuple(series), "x", "y", f"{said}{new} on new points between them.")

    def code(self, settings: dict) -> str:
        """Return the lines that fit this degree with the learner's function: both RMSEs."""
        n, noise, degree = settings["n"], f"{settings['noise']:.10g}", settings["degree"]
        return f"""\
X_all, y_all = datasets.make_curve(n={ROWS}, noise={noise}, seed={settings["seed"]})
train = {HELD} + (X_all[{HELD}:, 0].abs() <= {EDGE}).nonzero()[:{n}, 0]
predict_shown = {name_of(self._fit, "fit")}(X_all[train], y_all[train], {min(degree, n - 1)})
squares = (y_all - predict_shown(X_all)).square()
between = (X_all[:{HELD}] >= X_all[train].min()) & (X_all[:{HELD}] <= X_all[train].max())
return [part.mean().sqrt().item() for part in (squares[train], squares[:{HELD}][between])]"""


def rows_of(settings: dict) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return all rows, the numbers of those that train, and of the new ones between them."""
    X, y = datasets.make_curve(n=ROWS, noise=settings["noise"], seed=settings["seed"])
    train = HELD + (X[HELD:, 0].abs() <= EDGE).nonzero()[: settings["n"], 0]
    inside = (X[:HELD, 0] >= X[train].min()) & (X[:HELD, 0] <= X[train].max())
    return X, y, train, inside.nonzero()[:, 0]


def _least_squares(X: torch.Tensor, y: torch.Tensor, degree: int) -> Callable:
    curve = Chebyshev.fit(X[:, 0].double().numpy(), y[:, 0].double().numpy(), degree)
    return lambda X: curve(X.double().numpy())


def _rmses(predict: Callable, settings: dict) -> list[float]:
    X, y, *parts = rows_of(settings)
    residuals = y[:, 0].numpy() - answers.predictions(predict, X)
    return [answers.rmse(residuals[rows.numpy()]) for rows in parts]
