"""FitExplorer: how far a polynomial may bend before the validation loss turns."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
from numpy.polynomial import Chebyshev

from course_utils import datasets, inputs
from course_utils.charts import Chart, Series, as_text
from course_utils.explorers import answers
from course_utils.explorers.base import Explorer, Proof, are_functions, name_of

HIGHEST = 15  # degree
HELD = 40  # rows that validate
SIZES = (5, 10, 15, 20, 30, 50, 100, 200, 1000)
SEEDS = range(420, 440)
ROWS = 1500  # that `make` is asked for: 40 validate, of the others those in the middle train


class Fits(NamedTuple):
    """The RMSE of every degree by the learner's function, lowest degree first.

    Of the rows that validate some lie between the training rows, others beyond them; nan where
    there are none.
    """

    train_rmses: np.ndarray
    val_rmses: np.ndarray
    between_rmses: np.ndarray
    beyond_rmses: np.ndarray


class FitExplorer(Explorer):
    """Move degree, noise and the number of training points; see where the two losses part.

    Parameters
    ----------
    fit : callable (X, y, degree) -> predict, with predict(X) of shape (N, 1)
        The learner's own function, which fits a polynomial to the training rows.
    make : callable (n, noise, seed) -> (X, y), each of shape (n, 1)
        The data: 40 rows validate; of the others those train that are not at the ends of X.
    xlabel, ylabel : str
        Axis labels with units.

    Raises
    ------
    InputError
        If `fit` or `make` cannot be called, `make` returns fewer than 45 rows, or its points do
        not scale with the noise.
    """

    script = "fit"

    def __init__(
        self,
        fit: Callable,
        make: Callable = datasets.make_curve,
        *,
        xlabel: str = "x",
        ylabel: str = "y",
    ):
        are_functions(fit=fit, make=make)
        self._fit, self._make, self._labels = fit, make, (xlabel, ylabel)
        x, clean = inputs.pair(*make(n=ROWS, noise=0.0, seed=SEEDS[0]), least=HELD + 5)
        edge = 0.1 * float(np.ptp(x))
        self._seen = float(x.min()) + edge, float(x.max()) - edge
        allowed = np.sum((x[HELD:] >= self._seen[0]) & (x[HELD:] <= self._seen[1]))
        sizes = [(str(n), n) for n in SIZES if n <= allowed]
        height, middle = float(np.ptp(clean)) or 1.0, (clean.min() + clean.max()) / 2
        points = {"value": min(20, sizes[-1][1]), "description": "training points"}
        controls = {
            "degree": widgets.IntSlider(1, min=1, max=HIGHEST, description="degree"),
            "noise": widgets.FloatSlider(0.2, min=0, max=1, step=0.05, description="noise"),
            "n": widgets.SelectionSlider(options=sizes, **points),
            "seed": widgets.IntSlider(SEEDS[0], min=SEEDS[0], max=SEEDS[-1], description="sample"),
        }
        given = {
            "samples": None if make is datasets.make_curve else answers.samples(make, ROWS, SEEDS),
            "rows": ROWS, "held": HELD, "seen": self._seen, "labels": [xlabel, ylabel],
            "domain": [float(x.min()), float(x.max())], "id": id(self),
            "range": [middle - 1.15 * height, middle + 1.15 * height],
            "rmses": [height / 100, 15 * height],
        }  # fmt: skip
        super().__init__(controls, given)

    def prove(self, settings: dict) -> Proof:
        """Fit every degree with the learner's function and hold the RMSEs against least squares."""
        train, val = self._rows(settings)
        degrees = np.arange(1, min(HIGHEST, settings["n"] - 1) + 1)
        own, right = [], []
        for degree in degrees:
            fitted = self._fit(*train, int(degree))
            own.append(_rmses(lambda X, f=fitted: answers.predictions(f, X), train, val))
            best = Chebyshev.fit(*inputs.pair(*train), degree)
            right.append(_rmses(lambda X, c=best: c(X[:, 0].double().numpy()), train, val))
        own, right = np.transpose(own), np.transpose(right)
        same, new = np.isclose(own, right, rtol=1e-2, atol=1e-4, equal_nan=True)[[0, 2]]
        same_too = same & (new | (degrees > 8))  # higher powers magnify how they are rounded
        at = int(np.argmin(same_too))
        said = f"all {len(degrees)} degrees, RMSE {own[0][-1]:.3g} at the highest."
        if not same_too.all():
            row, where = (2, "between") if same[at] else (0, "on its own points")
            mine, ours = own[row][at], right[row][at]
            said = f"degree {degrees[at]} has RMSE {mine:.3g} {where}, least squares {ours:.3g}."
        drawn = {} if same_too.all() else {"rmses": np.minimum(own[0], 1e300)}
        return Proof(bool(same_too.all()), said, Fits(*own), drawn)

    def still(self, settings: dict) -> Chart:
        """Return points and curve as a chart."""
        train, val = (inputs.pair(*part) for part in self._rows(settings))
        degree = min(settings["degree"], len(train[0]) - 1)
        curve = Chebyshev.fit(*train, degree)
        grid = np.linspace(*self.page.given["domain"], 201)
        bottom, top = self.page.given["range"]
        heights = np.where((curve(grid) < bottom) | (curve(grid) > top), np.nan, curve(grid))
        series = (
            Series("train", *train, role="train"),
            Series("validation", *val, role="validation"),
            Series("polynomial", grid, heights, "line", "prediction"),
        )
        rmses = _rmses(lambda X: curve(X[:, 0].double().numpy()), *self._rows(settings))
        said = (
            f"Degree {degree} on {len(train[0])} training points has RMSE {as_text(rmses[0])} on "
            f"these and {as_text(rmses[2])} on new points between them."
        )
        return Chart(series, *self._labels, said)

    def as_code(self, settings: dict) -> str:
        """Return the cell that fits this degree with the learner's function: both RMSEs."""
        make, fit = name_of(self._make, "make"), name_of(self._fit, "fit")
        n, noise = settings["n"], f"{settings['noise']:.10g}"
        return f"""\
def rmses_shown():
    X_all, y_all = {make}(n={ROWS}, noise={noise}, seed={settings["seed"]})
    inside = (X_all[{HELD}:, 0] >= {self._seen[0]}) & (X_all[{HELD}:, 0] <= {self._seen[1]})
    train = {HELD} + inside.nonzero()[:{n}, 0]
    predict_shown = {fit}(X_all[train], y_all[train], {min(settings["degree"], n - 1)})
    squares = (y_all - predict_shown(X_all)).square()
    seen = (X_all[:{HELD}] >= X_all[train].min()) & (X_all[:{HELD}] <= X_all[train].max())
    parts = squares[train], squares[:{HELD}][seen], squares[:{HELD}][~seen]
    return [part.mean().sqrt().item() for part in parts]  # train, between, beyond


rmses_shown()"""

    def _rows(self, settings: dict) -> tuple[tuple, tuple]:
        """Return the training and the validation rows."""
        X, y = self._make(n=ROWS, noise=settings["noise"], seed=settings["seed"])
        inside = (X[HELD:, 0] >= self._seen[0]) & (X[HELD:, 0] <= self._seen[1])
        train = HELD + inside.nonzero()[: settings["n"], 0]
        return (X[train], y[train]), (X[:HELD], y[:HELD])


def _rmses(predict: Callable, train: tuple, val: tuple) -> tuple[float, float, float, float]:
    """Return the RMSE on the training rows, on those that validate, and on both kinds of these."""
    (x, y), (x_val, y_val) = (inputs.pair(*part) for part in (train, val))
    between = (x_val >= x.min()) & (x_val <= x.max())
    own, new = predict(train[0]) - y, predict(val[0]) - y_val
    return tuple(answers.rmse(part) for part in (own, new, new[between], new[~between]))
