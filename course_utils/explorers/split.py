"""SplitExplorer: a random split asks inside the training range, a cut asks beyond it."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch

from course_utils import figures, inputs
from course_utils.charts import Chart, as_text
from course_utils.explorers import answers
from course_utils.explorers.base import Explorer, Proof, are_functions, name_of


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
        self._split, self._fit_line, self._own = split, fit_line, None
        self._labels = {"xlabel": xlabel, "ylabel": ylabel}
        given = {"domain": [-0.02, 1.04], "range": [-0.2, 2.3], "unit": 1.0}
        controls = {
            "sequential": widgets.Checkbox(True, description="cut at the end"),
            "fraction": widgets.FloatSlider(
                0.8, min=0.2, max=0.95, step=0.01, description="train part"
            ),
            "seed": widgets.IntSlider(420, min=420, max=9999, description="split no."),
        }
        if X is None and y is None:
            sizes = [(str(n), n) for n in (10, 50, 200, 20_000)]
            bent = {"step": 0.1, "description": "curvature", "readout_format": ".1f"}
            controls |= {
                "n": widgets.ToggleButtons(options=sizes, value=50, description="points"),
                "curvature": widgets.FloatSlider(0.6, min=0, max=1, **bent),
                "noise": widgets.FloatSlider(
                    0.02, min=0, max=0.15, step=0.01, description="noise"
                ),
            }  # fmt: skip
        else:
            x, targets = inputs.pair(X, y, least=3)
            order = np.argsort(x, kind="stable")
            self._own = torch.as_tensor(X)[order], torch.as_tensor(y)[order]
            domain, heights = answers.ends(x), answers.ends(targets, above=0.16)
            given = {"domain": domain, "range": heights, "unit": float(np.ptp(targets)) or 1.0}
            given |= {"x": x[order], "y": targets[order]}
        super().__init__(controls, given | {"labels": [xlabel, ylabel]})

    def prove(self, settings: dict) -> Proof:
        """Run the learner's split and fit, and compare rows and line with the page's."""
        X, y = self._data(settings)
        x, targets = inputs.pair(X, y)
        share = _fraction(len(X), settings), settings["sequential"], settings["seed"]
        train, test = answers.parts(self._split(X, *share), len(X))
        found = answers.two("fit_line", self._fit_line(X[train], y[train]), "weight, bias")
        weight, bias = map(inputs.number, ("weight", "bias"), map(float, found))
        residuals = targets - weight * x - bias
        rmses = [answers.rmse(residuals[rows]) for rows in (train, test)]
        best = np.polyfit(x[train], targets[train], 1)
        right = [np.sort(rows) for rows in _rows(len(x), settings)]
        same_rows = all(map(np.array_equal, map(np.sort, (train, test)), right))
        height = float(np.ptp(targets)) or 1.0
        line = np.allclose((weight * x + bias), np.polyval(best, x), atol=1e-3 * height)
        said = f"the same rows and line; RMSE on all test rows {as_text(rmses[1])}."
        if not same_rows:
            said = f"it takes other rows: {len(train)} to train, {len(test)} to test."
        elif not line:
            said = f"its line (dotted) has slope {weight:.4g}, least squares {best[0]:.4g}."
        drawn = {} if same_rows and line else {"line": [weight, bias]}
        return Proof(same_rows and line, said, Split(train, test, (weight, bias), *rmses), drawn)

    def still(self, settings: dict) -> Chart:
        """Return both parts and the line as a chart."""
        X, y = self._data(settings)
        rows = dict(zip(("train", "test"), _rows(len(X), settings), strict=True))
        x, targets = inputs.pair(X[rows["train"]], y[rows["train"]])
        columns = {name: (X[part], y[part]) for name, part in rows.items()}
        line = tuple(np.polyfit(x, targets, 1).tolist())
        return figures.plot_groups(columns, {"fitted line": line}, **self._labels)

    def as_code(self, settings: dict) -> str:
        """Return the cell that splits, fits and measures in PyTorch."""
        split, fit = name_of(self._split, "split"), name_of(self._fit_line, "fit_line")
        n = settings.get("n") or len(self._own[0])
        share = f"{_fraction(n, settings)!r}, {settings['sequential']}, {settings['seed']}"
        made = "order = X[:, 0].argsort(stable=True)\n    X_all, y_all = X[order], y[order]"
        if self._own is None:
            noise = f"{settings['noise']:.10g}"
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
        truth = 0.2 + 0.8 * X + settings["curvature"] * X**2
        return X, truth + settings["noise"] * draw


def _kept(n: int, settings: dict) -> int:
    """Return how many rows train: two or more, and one is left to test."""
    return min(max(round(settings["fraction"] * n), 2), n - 1)


def _fraction(n: int, settings: dict) -> float:
    """Return the part that trains; where it would leave too few rows, the one that does not."""
    kept = _kept(n, settings)
    return settings["fraction"] if kept == round(settings["fraction"] * n) else kept / n


def _rows(n: int, settings: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train and to test as the page chooses them."""
    kept, rows = _kept(n, settings), np.arange(n)
    if not settings["sequential"]:
        generator = torch.Generator().manual_seed(settings["seed"])
        rows = torch.randperm(n, generator=generator).numpy()
    return rows[:kept], rows[kept:]
