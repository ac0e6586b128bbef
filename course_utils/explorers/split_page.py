"""SplitExplorer: a random split asks inside the training range, a cut asks beyond it."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch

from course_utils import figures, inputs
from course_utils.charts import Chart
from course_utils.explorers.live import Explorer, Proof, are_functions, name_of


class Split(NamedTuple):
    """Both parts as row numbers, the line fitted to the first, and the RMSE on each."""

    train: np.ndarray
    test: np.ndarray
    line: tuple[float, float]
    train_rmse: float
    test_rmse: float


class SplitExplorer(Explorer):
    """Choose which rows a line may see; see its residuals between and beyond what it saw.

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
        Axis labels with units.

    Raises
    ------
    InputError
        If a function cannot be called, or X and y are not matching finite columns.
    """

    script = "split"

    def __init__(
        self,
        split: Callable,
        fit_line: Callable,
        X: object = None,
        y: object = None,
        *,
        xlabel: str = "x",
        ylabel: str = "y",
    ):
        are_functions(split=split, fit_line=fit_line)
        self._split, self._fit_line = split, fit_line
        self._labels = {"xlabel": xlabel, "ylabel": ylabel}
        self._own = None
        given = {
            "labels": [xlabel, ylabel],
            "domain": [-0.02, 1.04],
            "range": [-0.25, 2.25],
            "unit": 1.0,
        }
        if X is not None or y is not None:
            x, targets = inputs.pair(X, y, least=3)
            order = np.argsort(x, kind="stable")
            self._own = torch.as_tensor(X)[order], torch.as_tensor(y)[order]
            given |= {"x": x[order], "y": targets[order], "unit": float(np.ptp(targets)) or 1.0}
            given |= {"domain": _ends(x), "range": _ends(targets)}
        controls = {
            "sequential": widgets.Checkbox(True, description="cut at the end"),
            "fraction": widgets.FloatSlider(
                0.8, min=0.2, max=0.95, step=0.01, description="train part"
            ),
            "seed": widgets.IntSlider(420, min=420, max=9999, description="split no."),
        }
        if self._own is None:
            controls |= {
                "n": widgets.ToggleButtons(
                    options=[(f"{n:,}", n) for n in (10, 50, 200, 20_000)], value=50, description="points"
                ),
                "curvature": widgets.FloatSlider(0.6, min=0, max=1, step=0.1, description="curvature", readout_format=".1f"),
                "noise": widgets.FloatSlider(0.02, min=0, max=0.15, step=0.01, description="noise"),
            }  # fmt: skip
        super().__init__(controls, given)

    def prove(self, settings: dict) -> Proof:
        """Run the learner's split and fit, and compare rows and line with the page's."""
        X, y = self._data(settings)
        share = settings["fraction"], settings["sequential"], settings["seed"]
        train, test = _parts(self._split(X, *share), len(X))
        weight, bias = (float(value) for value in self._fit_line(X[train], y[train]))
        line = inputs.number("weight", weight), inputs.number("bias", bias)
        x, targets = inputs.pair(X, y)
        rmses = [
            float(np.sqrt(np.mean((targets[rows] - weight * x[rows] - bias) ** 2)))
            for rows in (train, test)
        ]
        kept = min(max(round(settings["fraction"] * len(X)), 2), len(X) - 1)
        generator = torch.Generator().manual_seed(settings["seed"])
        order = torch.randperm(len(X), generator=generator).numpy()
        right = np.arange(kept) if settings["sequential"] else np.sort(order[:kept])
        best = np.polyfit(x[train], targets[train], 1)
        same_rows = np.array_equal(np.sort(train), right)
        same_line = np.allclose(line, best, rtol=1e-3, atol=1e-4 * (np.ptp(targets) or 1.0))
        result = Split(train, test, line, *rmses)
        said = f"test RMSE {rmses[1]:.4g}."
        if not same_rows:
            said = f"it takes other rows to train ({len(train)} of them), test RMSE {rmses[1]:.4g}."
        elif not same_line:
            said = f"its line has slope {weight:.4g}, least squares {best[0]:.4g}."
        return Proof(bool(same_rows and same_line), said, result)

    def still(self, settings: dict) -> Chart:
        """Return both parts and the line as a chart."""
        X, y = self._data(settings)
        result = self.prove(settings).result
        parts = {"train": result.train, "test": result.test}
        columns = {name: (X[rows], y[rows]) for name, rows in parts.items()}
        return figures.plot_groups(columns, {"fitted line": result.line}, **self._labels)

    def as_code(self, settings: dict) -> str:
        """Return the cell that splits, fits and measures in PyTorch."""
        split, fit = name_of(self._split, "split"), name_of(self._fit_line, "fit_line")
        share = f"{settings['fraction']:.10g}, {settings['sequential']}, {settings['seed']}"
        made = "X_all, y_all = explorer.data"
        if self._own is None:
            n, noise = settings["n"], f"{settings['noise']:.10g}"
            made = f"""X_all = torch.arange({n}).unsqueeze(1) / {n}
    draw = torch.randn({n}, 1, generator=torch.Generator().manual_seed(420))
    y_all = 0.2 + 0.8 * X_all + {settings["curvature"]:.10g} * X_all**2 + {noise} * draw"""
        return f"""\
def split_shown():
    {made}
    train_rows, test_rows = {split}(X_all, {share})
    slope, height = {fit}(X_all[train_rows], y_all[train_rows])
    squares = (y_all - slope * X_all - height).square()
    return [squares[part].mean().sqrt().item() for part in (train_rows, test_rows)]


split_shown()"""

    def _data(self, settings: dict) -> tuple[torch.Tensor, torch.Tensor]:
        if self._own is not None:
            return self._own
        n = settings["n"]
        X = torch.arange(n).unsqueeze(1) / n
        draw = torch.randn(n, 1, generator=torch.Generator().manual_seed(420))
        return X, 0.2 + 0.8 * X + settings["curvature"] * X**2 + settings["noise"] * draw


def _ends(values: np.ndarray) -> list[float]:
    margin = 0.05 * (float(np.ptp(values)) or 1.0)
    return [float(values.min()) - margin, float(values.max()) + margin]


def _parts(parts: object, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the training and the test rows, once they can be trusted."""
    if not isinstance(parts, tuple | list) or len(parts) != 2:
        kind = type(parts).__name__
        raise inputs.InputError(f"split returned a {kind}, expected train_rows, test_rows")
    train, test = (
        _rows(f"{name}_rows", p, n) for name, p in zip(("train", "test"), parts, strict=True)
    )
    shared = np.intersect1d(train, test)
    if len(shared):
        raise inputs.InputError(
            f"both parts hold row {shared[0]} ({len(shared)} in all): the line may see no test row"
        )
    return train, test


def _rows(name: str, rows: object, n: int) -> np.ndarray:
    numbers = np.asarray(rows)
    if numbers.ndim != 1 or not len(numbers):
        raise inputs.InputError(f"{name} has shape {numbers.shape}, expected (1,) or more rows")
    if numbers.dtype.kind not in "iu":
        raise inputs.InputError(f"{name} holds {numbers.dtype}, expected row numbers such as 7")
    if numbers.min() < 0 or numbers.max() >= n:
        raise inputs.InputError(
            f"{name} runs from {numbers.min()} to {numbers.max()}, expected 0 to {n - 1}"
        )
    return numbers.astype(np.int64)
