"""FitExplorer: how far a polynomial may bend before the validation loss turns."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from numpy.polynomial import Chebyshev

from course_utils import datasets, figures, inputs
from course_utils.charts import Chart, Series
from course_utils.explorers.live import Explorer, Proof, are_functions, name_of

DEGREES = range(1, 16)
HELD = 40  # rows that validate
SIZES = (5, 10, 15, 20, 30, 50, 100, 200, 1000)
SEEDS = range(420, 440)
ROWS = 1500  # that `make` is asked for: 40 validate, of the others those in the middle train


class Fits(NamedTuple):
    """The RMSE of every degree by the learner's function, lowest degree first."""

    train_rmses: np.ndarray
    val_rmses: np.ndarray


class FitExplorer(Explorer):
    """Move degree, noise and the number of training points; see where the two losses part.

    Parameters
    ----------
    fit : callable (X, y, degree) -> predict, with predict(X) of shape (N, 1)
        The learner's own function, which fits a polynomial to the training rows.
    make : callable (n, noise, seed) -> (X, y), each of shape (rows, 1)
        The data; the first 40 rows validate, the next ones train.
    xlabel, ylabel : str
        Axis labels with units.

    Raises
    ------
    InputError
        If `fit` or `make` cannot be called, or `make` returns fewer than 45 rows.
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
        sizes = [n for n in SIZES if n <= allowed]
        height, middle = float(np.ptp(clean)) or 1.0, (clean.min() + clean.max()) / 2
        controls = {
            "degree": widgets.IntSlider(1, min=1, max=DEGREES[-1], description="degree"),
            "noise": widgets.FloatSlider(0.2, min=0, max=1, step=0.05, description="noise"),
            "n": widgets.SelectionSlider(
                options=[(f"{n:,}", n) for n in sizes], value=min(20, sizes[-1]), description="training points"
            ),
            "seed": widgets.IntSlider(SEEDS[0], min=SEEDS[0], max=SEEDS[-1], description="sample no."),
        }  # fmt: skip
        given = {
            "samples": None if make is datasets.make_curve else self._samples(),
            "rows": ROWS, "held": HELD, "seen": self._seen, "labels": [xlabel, ylabel],
            "domain": [float(x.min()), float(x.max())], "id": id(self),
            "range": [middle - 1.15 * height, middle + 1.15 * height],
            "rmses": [height / 100, 15 * height],
        }  # fmt: skip
        super().__init__(controls, given)

    def prove(self, settings: dict) -> Proof:
        """Fit every degree with the learner's function and hold both RMSEs against least squares."""
        train, val = self._rows(settings)
        degrees = range(1, min(DEGREES[-1], settings["n"] - 1) + 1)
        own = Fits(
            *(
                np.array(rmses)
                for rmses in zip(*(self._rmses(train, val, d) for d in degrees), strict=True)
            )
        )
        right = np.array([_rmse(Chebyshev.fit(*inputs.pair(*train), d), *train) for d in degrees])
        same = np.isclose(own.train_rmses, right, rtol=1e-2, atol=1e-4)
        at = int(np.argmin(same))
        said = f"all {len(degrees)} degrees."
        if not same.all():
            said = f"at degree {degrees[at]}: RMSE {own.train_rmses[at]:.4g}, least squares {right[at]:.4g}."
        return Proof(bool(same.all()), said, own)

    def still(self, settings: dict) -> Chart:
        """Return points and curve as a chart."""
        train, val = self._rows(settings)
        x, y = inputs.pair(*train)
        degree = min(settings["degree"], len(x) - 1)
        curve = Chebyshev.fit(x, y, degree)
        grid = np.linspace(*self.page.given["domain"], 201)
        low, high = self.page.given["range"]
        heights = np.where((curve(grid) < low) | (curve(grid) > high), np.nan, curve(grid))
        series = (
            Series("train", x, y, role="train"),
            Series("validation", *inputs.pair(*val), role="validation"),
            Series("polynomial", grid, heights, "line", "prediction"),
        )
        said = (
            f"Degree {degree} on {len(x)} training points: train RMSE {_rmse(curve, *train):.4g}, "
            f"validation RMSE {_rmse(curve, *val):.4g}."
        )
        return Chart(series, *self._labels, said)

    def as_code(self, settings: dict) -> str:
        """Return the cell that fits this degree with the learner's function and measures both RMSEs."""
        make, fit = name_of(self._make, "make"), name_of(self._fit, "fit")
        n, noise = settings["n"], f"{settings['noise']:.10g}"
        return f"""\
def rmses_shown():
    X_all, y_all = {make}(n={ROWS}, noise={noise}, seed={settings["seed"]})
    inside = (X_all[{HELD}:, 0] >= {self._seen[0]}) & (X_all[{HELD}:, 0] <= {self._seen[1]})
    validation, training = slice(0, {HELD}), {HELD} + inside.nonzero()[:{n}, 0]
    predict_shown = {fit}(X_all[training], y_all[training], {settings["degree"]})
    residuals = y_all - predict_shown(X_all)
    return [residuals[rows].square().mean().sqrt().item() for rows in (training, validation)]


rmses_shown()"""

    def _rows(self, settings: dict) -> tuple[tuple, tuple]:
        X, y = self._make(n=ROWS, noise=settings["noise"], seed=settings["seed"])
        inside = (X[HELD:, 0] >= self._seen[0]) & (X[HELD:, 0] <= self._seen[1])
        train = HELD + inside.nonzero()[: settings["n"], 0]
        return (X[train], y[train]), (X[:HELD], y[:HELD])

    def _samples(self) -> dict[str, dict[str, list[float]]]:
        """Return the points of another `make` without noise, and the draws of the noise."""
        samples = {}
        for seed in SEEDS:
            x, clean = inputs.pair(*self._make(n=ROWS, noise=0.0, seed=seed))
            noisy = inputs.pair(*self._make(n=ROWS, noise=1.0, seed=seed))[1]
            columns = {"x": x, "clean": clean, "draw": noisy - clean}
            samples[str(seed)] = {name: column.tolist() for name, column in columns.items()}
        return samples

    def _rmses(self, train: tuple, val: tuple, degree: int) -> tuple[float, float]:
        predict = self._fit(*train, degree)
        if not callable(predict):
            kind = type(predict).__name__
            raise inputs.InputError(f"fit returned {kind}, expected a function: return predict")
        return tuple(_rmse(lambda _: _predicted(predict, rows[0]), *rows) for rows in (train, val))


def _predicted(predict: Callable, X: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        values = inputs.array("predict(X)", predict(X))
    if values.shape != tuple(X.shape):
        raise inputs.InputError(f"predict(X) has shape {values.shape}, expected {tuple(X.shape)}")
    return values[:, 0]


def _rmse(predict: Callable, X: torch.Tensor, y: torch.Tensor) -> float:
    x, targets = inputs.pair(X, y)
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean((predict(x) - targets) ** 2)))
