"""FitExplorer: how far a polynomial may bend before the validation loss turns."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from numpy.polynomial.polynomial import polyval

from course_utils import datasets, figures, inputs
from course_utils.charts import Chart, Series, as_text, count, drawn
from course_utils.explorers import panels
from course_utils.explorers.base import Explorer, Verdict, are_functions

DEGREES = range(1, 16)
VALIDATION_ROWS = 40
_TRAINING_ROWS = (2, 5, 10, 15, 20, 30, 50, 100, 200, 1000, 20_000)
_ROWS = VALIDATION_ROWS + _TRAINING_ROWS[-1]


class Fits(NamedTuple):
    """Rows as (X, y), the curve of the chosen degree, and the RMSE of every degree."""

    degree: int
    train: tuple[torch.Tensor, torch.Tensor]
    val: tuple[torch.Tensor, torch.Tensor]
    curve: np.ndarray
    train_rmses: np.ndarray
    val_rmses: np.ndarray

    @property
    def best(self) -> int:
        """The degree with the lowest validation RMSE."""
        return DEGREES[int(np.argmin(self.val_rmses))]


def polynomials(X: object, y: object) -> list[np.ndarray]:
    """Fit a polynomial of every degree in `DEGREES` by least squares.

    One QR factorization of the powers up to the highest degree serves all degrees: with
    V = Q R, the coefficients of degree d minimize |R[:, :d + 1] c - Q.T y|. Where there are
    fewer points than coefficients, the shortest vector of coefficients is returned.

    Parameters
    ----------
    X, y : Tensor or ndarray, shape (N, 1)
        Features and targets.

    Returns
    -------
    list of ndarray, shapes (2,), (3,), ...
        Coefficients, the constant first.

    Raises
    ------
    InputError
        If the data are no matching finite columns.
    """
    x, targets = inputs.pair(X, y)
    q, r = np.linalg.qr(x[:, None] ** np.arange(DEGREES[-1] + 1))
    smallest = np.finfo(float).eps * max(r.shape[1], len(x))
    projected = q.T @ targets
    return [np.linalg.lstsq(r[:, : d + 1], projected, rcond=smallest)[0] for d in DEGREES]


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
        If `fit` or `make` cannot be called, or `make` returns fewer than 42 rows.
    """

    def __init__(
        self,
        fit: Callable,
        make: Callable = datasets.make_curve,
        *,
        xlabel: str = figures.FEATURE,
        ylabel: str = figures.TARGET,
    ):
        are_functions(fit=fit, make=make)
        self._fit, self._make, self._labels = fit, make, (xlabel, ylabel)
        x, targets = inputs.pair(*make(n=_ROWS, noise=0.2, seed=420), least=VALIDATION_ROWS + 2)
        sizes = [n for n in _TRAINING_ROWS if n <= len(x) - VALIDATION_ROWS]
        self._grid = torch.linspace(x.min(), x.max(), 201).unsqueeze(1)
        height = np.ptp(targets) or 1.0
        middle = (targets.min() + targets.max()) / 2
        self._ends = middle - 0.8 * height, middle + 0.8 * height
        self._decades = 10.0 ** np.arange(
            np.floor(np.log10(height / 100)), np.ceil(np.log10(height)) + 1
        )
        self._make_panels(x)
        controls = {
            "degree": widgets.IntSlider(1, DEGREES[0], DEGREES[-1], description="degree"),
            "noise": widgets.FloatSlider(0.2, min=0, max=1, step=0.05, description="noise"),
            "n": widgets.SelectionSlider(
                options=[(f"{n:,}", n) for n in sizes],
                value=min(20, sizes[-1]),
                description="train points",
            ),
            "seed": widgets.BoundedIntText(420, min=0, max=9999, description="sample no."),
        }
        super().__init__(
            controls, [self._data.figure, self._losses.figure], [self._button_for_another("sample")]
        )

    def _make_panels(self, x: np.ndarray) -> None:
        self._data = panels.Panel(
            "Points and polynomial",
            (self._labels[0], x.min(), x.max()),
            (self._labels[1], *self._ends),
        )
        self._train = self._data.points("train", "train")
        self._val = self._data.points("validation", "validation")
        self._curve = self._data.line("polynomial")
        self._losses = panels.Panel(
            "RMSE of every degree",
            ("degree", DEGREES[0] - 0.5, DEGREES[-1] + 0.5),
            ("RMSE (unit of y)", self._decades[0], self._decades[-1]),
            log_y=True,
        )
        self._losses.figure.axes[1].tick_values = self._decades
        self._losses.figure.axes[1].tick_format = "~g"
        self._losses.figure.legend_location = "bottom-left"
        self._best = self._losses.line("lowest validation", "limit")
        self._train_line = self._losses.line("train", "train")
        self._val_line = self._losses.line("validation", "validation")
        self._chosen = self._losses.points("degree chosen", "prediction", default_size=64)

    def compute(self, settings: dict) -> Fits:
        """Fit every degree by the formula."""
        train, val = self._rows(settings)
        predicts = [lambda X, c=c: polyval(X.double().numpy(), c) for c in polynomials(*train)]
        return self._measured(settings["degree"], train, val, predicts)

    def _rows(self, settings: dict) -> tuple[tuple, tuple]:
        X, y = self._make(n=_ROWS, noise=settings["noise"], seed=settings["seed"])
        end = VALIDATION_ROWS + settings["n"]
        inputs.pair(X, y, least=end)
        train = X[VALIDATION_ROWS:end], y[VALIDATION_ROWS:end]
        return train, (X[:VALIDATION_ROWS], y[:VALIDATION_ROWS])

    def _measured(self, degree: int, train: tuple, val: tuple, predicts: list) -> Fits:
        curve = _predicted(predicts[degree - DEGREES[0]], self._grid)[:, 0]
        losses = [[_rmse(predict, *rows) for predict in predicts] for rows in (train, val)]
        return Fits(degree, train, val, curve, *map(np.array, losses))

    def prove(self, settings: dict, result: Fits) -> Verdict:
        """Fit every degree with the learner's function, the chosen one first."""
        fitted = {}
        for degree in sorted(DEGREES, key=lambda d: d != settings["degree"]):
            fitted[degree] = self._fit(*result.train, degree)
            if not callable(fitted[degree]):
                kind = type(fitted[degree]).__name__
                raise inputs.InputError(f"fit returned {kind}, expected a function: return predict")
        predicts = [fitted[degree] for degree in DEGREES]
        own = self._measured(result.degree, result.train, result.val, predicts)
        return _compared(own, result)

    def draw(self, result: Fits) -> None:
        """Set points, curve and both losses; what is wild leaves the picture."""
        low, high = 10 * self._ends[0] - 9 * self._ends[1], 10 * self._ends[1] - 9 * self._ends[0]
        panels.put(self._train, *inputs.pair(*result.train))
        panels.put(self._val, *inputs.pair(*result.val))
        panels.put(self._curve, self._grid[:, 0], np.clip(result.curve, low, high))
        floor, top = self._decades[0], self._decades[-1]
        losses = np.clip([result.train_rmses, result.val_rmses], floor, 100 * top)
        panels.put(self._train_line, np.array(DEGREES), losses[0])
        panels.put(self._val_line, np.array(DEGREES), losses[1])
        panels.put(self._best, np.full(2, result.best), np.array([floor, top]))
        panels.put(self._chosen, np.full(2, result.degree), losses[:, result.degree - DEGREES[0]])

    def summary(self, result: Fits) -> str:
        """Read both losses of the chosen degree, and name the best one."""
        at, n = result.degree - DEGREES[0], len(result.train[0])
        train, val = result.train_rmses[at], result.val_rmses[at]
        rounding = 1e-5 * self._decades[-1]
        through = train < rounding
        texts = [as_text(0 if e < rounding else e) for e in (train, val, result.val_rmses.min())]
        said = (
            f"Degree {result.degree} on {count(n, 'training point')}{drawn(n)}: train RMSE "
            f"{texts[0]}, validation RMSE {texts[1]}. The lowest validation "
            f"RMSE, {texts[2]}, is at degree {result.best}."
        )
        if through:
            said += " The curve passes through every training point."
        if val > self._decades[-1]:
            said += " This validation RMSE is above the picture."
        return said

    def still(self, result: Fits) -> Chart:
        """Return points and curve as a chart."""
        low, high = self._ends
        curve = np.where((result.curve < low) | (result.curve > high), np.nan, result.curve)
        series = (
            Series("train", *inputs.pair(*result.train), role="train"),
            Series("validation", *inputs.pair(*result.val), role="validation"),
            Series("polynomial", self._grid[:, 0].numpy(), curve, "line", "prediction"),
        )
        return Chart(series, *self._labels, self.summary(result))

    def as_code(self, settings: dict) -> str:
        """Return the cell that fits this degree in PyTorch and measures both RMSEs."""
        first, end = VALIDATION_ROWS, VALIDATION_ROWS + settings["n"]
        return self._cell(
            "# All rows that the sliders can ask for: the first 40 validate, the next ones train.\n"
            f"X, y = make(n={_ROWS:_}, noise={settings['noise']}, seed={settings['seed']})\n"
            f"X_val, y_val = X[:{first}], y[:{first}]\n"
            f"X_train, y_train = X[{first}:{end}], y[{first}:{end}]\n"
            f"powers = torch.arange({settings['degree']} + 1)\n"
            "columns = X_train.double() ** powers\n"
            "coefficients = torch.linalg.lstsq(columns, y_train.double()).solution\n"
            "rmses = []\n"
            "for X_rows, y_rows in ((X_train, y_train), (X_val, y_val)):\n"
            "    residuals = y_rows - X_rows.double() ** powers @ coefficients\n"
            "    rmses.append(residuals.square().mean().sqrt().item())\n"
            "return rmses",
            make=self._make,
        )


def _predicted(predict: Callable, X: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        values = inputs.array("predict(X)", predict(X))
    if values.shape != tuple(X.shape):
        raise inputs.InputError(f"predict(X) has shape {values.shape}, expected {tuple(X.shape)}")
    return values


def _rmse(predict: Callable, X: torch.Tensor, y: torch.Tensor) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean((_predicted(predict, X) - y.double().numpy()) ** 2)))


def _compared(own: Fits, formula: Fits) -> Verdict:
    """Say at which degree the learner's RMSEs leave those of least squares."""
    mine = np.array([own.train_rmses, own.val_rmses])
    best = np.array([formula.train_rmses, formula.val_rmses])
    same = np.isclose(mine, best, rtol=1e-3, atol=1e-4 * best[1].min()).all(axis=0)
    if same.all():
        return Verdict(f"Your fit agrees with least squares at all {len(same)} degrees.", True, own)
    at = int(np.argmin(same))
    text = (
        f"Your fit departs from least squares at degree {DEGREES[at]}: validation RMSE "
        f"{as_text(own.val_rmses[at])} instead of {as_text(formula.val_rmses[at])}."
    )
    finite = np.isfinite([*own.curve, *own.train_rmses, *own.val_rmses]).all()
    return Verdict(text, False, own if finite else None)
