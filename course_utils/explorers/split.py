"""SplitExplorer: a random split asks inside the training range, a cut asks beyond it."""

from collections import namedtuple
from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
import torch

from course_utils import figures, inputs
from course_utils.charts import Chart, as_text
from course_utils.explorers import answers
from course_utils.explorers.base import Explorer, Proof, are_functions, choices, name_of, sliders

Split = namedtuple("Split", "train test line train_rmse test_rmse")  # rows, fitted line, RMSEs
SHARE = ("fraction", "sequential", "seed")


def cut_or_draw(X: torch.Tensor, fraction: float, sequential: bool, seed: int) -> tuple:
    """Return the rows to train and to test, in the order of the table or in a random one."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.arange(len(X)) if sequential else torch.randperm(len(X), generator=generator)
    kept = round(fraction * len(X))
    return rows[:kept], rows[kept:]


class SplitExplorer(Explorer):
    """Choose which rows a line may see; see its residuals between and beyond what it saw.

    The points are y = 0.2 + 0.8 x + curvature x**2 + noise on an even grid from 0 to 1.

    Parameters
    ----------
    split : callable (X, fraction, sequential, seed) -> (train_rows, test_rows)
        The learner's own split; row numbers as tensors, arrays or lists.
    fit_line : callable (X, y) -> (weight, bias)
        The learner's own fit; gets the training rows, each of shape (N, 1).
    """

    def __init__(self, split: Callable, fit_line: Callable):
        are_functions(split=split, fit_line=fit_line)
        self._split, self._fit_line = split, fit_line
        controls = {"sequential": widgets.Checkbox(True, description="cut at the end")}
        controls |= sliders(fraction=(0.8, 0.2, 0.9, 0.01), seed=(420, 420, 9999, 1))
        controls |= choices("ToggleButtons", n=(50, (10, 50, 200, 20_000)))
        controls |= sliders(curvature=(0.6, 0, 1, 0.1), noise=(0.02, 0, 0.15, 0.01))
        super().__init__(controls, {})

    def prove(self, settings: dict) -> Proof:
        """Run the learner's split and fit, and compare rows and line with the page's."""
        X, y = _points(settings)
        x, targets = inputs.pair(X, y)
        share = [settings[name] for name in SHARE]
        train, test = answers.parts(self._split(X, *share), len(X))
        found = self._fit_line(X[train], y[train])
        weight, bias = answers.numbers("fit_line returned", found, "weight and bias")
        residuals = targets - weight * x - bias
        rmses = [answers.rmse(residuals[rows]) for rows in (train, test)]
        best = np.polyfit(x[train], targets[train], 1)
        right = map(np.sort, cut_or_draw(X, *share))
        same_rows = all(map(np.array_equal, map(np.sort, (train, test)), right))
        line = np.allclose(weight * x + bias, np.polyval(best, x), atol=1e-3 * np.ptp(targets))
        said = f"the same rows and line; RMSE on all test rows {as_text(rmses[1])}."
        if not same_rows:
            said = f"it takes other rows: {len(train)} to train, {len(test)} to test."
        elif not line:
            said = f"its line (dotted) has slope {weight:.4g}, least squares {best[0]:.4g}."
        drawn = {} if same_rows and line else {"line": [weight, bias]}
        return Proof(same_rows and line, said, Split(train, test, (weight, bias), *rmses), drawn)

    def still(self, settings: dict) -> Chart:
        """Return both parts and the line as a chart."""
        X, y = _points(settings)
        train, test = cut_or_draw(X, *(settings[name] for name in SHARE))
        line = tuple(np.polyfit(*inputs.pair(X[train], y[train]), 1).tolist())
        columns = {"train": (X[train], y[train]), "test": (X[test], y[test])}
        return figures.plot_groups(columns, {"fitted line": line}, xlabel="x", ylabel="y")

    def code(self, settings: dict) -> str:
        """Return the lines that split, fit and measure in PyTorch."""
        split, fit = name_of(self._split, "split"), name_of(self._fit_line, "fit_line")
        n, part, bent, noise = (
            f"{settings[k]:.10g}" for k in ("n", "fraction", "curvature", "noise")
        )
        return f"""\
X_all = torch.arange({n}).unsqueeze(1) / {n}
draw = torch.randn({n}, 1, generator=torch.Generator().manual_seed(420))
y_all = 0.2 + 0.8 * X_all + {bent} * X_all**2 + {noise} * draw
parts = train_rows, _ = {split}(X_all, {part}, {settings["sequential"]}, {settings["seed"]})
slope, height = {fit}(X_all[train_rows], y_all[train_rows])
squares = (y_all - slope * X_all - height).square()
return [squares[rows].mean().sqrt().item() for rows in parts]"""


def _points(settings: dict) -> tuple[torch.Tensor, torch.Tensor]:
    n = settings["n"]
    X = torch.arange(n).unsqueeze(1) / n
    draw = torch.randn(n, 1, generator=torch.Generator().manual_seed(420))
    return X, 0.2 + 0.8 * X + settings["curvature"] * X**2 + settings["noise"] * draw
