"""OwnDataExplorer: put points where you like; see how hard each pulls on an MSE and an L1 line."""

import textwrap
from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from torch import nn

from course_utils import descent, figures, inputs
from course_utils.charts import Chart
from course_utils.explorers import answers
from course_utils.explorers.base import Explorer, Proof, Unusable, are_functions, name_of

LOSSES = {"MSE": nn.MSELoss, "L1": nn.L1Loss}


class Lines(NamedTuple):
    """The points as columns (N, 1), and for each loss a line (weight, bias) and its loss."""

    X: torch.Tensor
    y: torch.Tensor
    lines: dict[str, tuple[float, float]]
    losses: dict[str, float]


class OwnDataExplorer(Explorer):
    """Add, drag and delete points; an MSE line and an L1 line follow, and show each point's pull.

    Both lines are exact, by formula and in the page; once the points rest, the learner's function
    trains them, and has to reach the same losses.

    Parameters
    ----------
    fit : callable (X, y, loss_fn) -> (weight, bias)
        The learner's own function, which trains a line; `loss_fn` is nn.MSELoss() or nn.L1Loss().
    X, y : Tensor, shape (N, 1)
        The points to begin with, 2 to 200.
    y_range : (float, float), optional
        Ends of the vertical axis; by default with room around the points.

    Raises
    ------
    InputError
        If `fit` cannot be called, the points allow no line, or the ends do not ascend.
    """

    def __init__(
        self, fit: Callable, X: object, y: object, *, y_range: tuple[float, float] | None = None
    ):
        are_functions(fit=fit)
        x, targets = inputs.pair(X, y)
        digits = [5 - int(np.ceil(np.log10(np.ptp(v) or 1.0))) for v in (x, targets)]
        rows = zip(np.round(x, digits[0]), np.round(targets, digits[1]), strict=True)
        text = "\n".join(f"{a:.12g}, {b:.12g}" for a, b in rows)
        exact(text)
        ends = y_range or targets.mean() + (np.ptp(targets) or 1.0) * np.array([-1.0, 1.0])
        low, high = answers.numbers("y_range is", ends, "low and high")
        inputs.number("y_range[1]", high, low=low)
        self._fit, self._height = fit, (high - low) or 1.0
        given = {"start": text, "domain": answers.ends(x, 0.1, 0.1)}
        given["range"] = [low, low + self._height]
        super().__init__({"points": widgets.Textarea(text, description="points")}, given)

    def prove(self, settings: dict) -> Proof:
        """Train both lines with the learner's function and compare their losses."""
        best, lines = exact(settings["points"]), {}
        for name, loss in LOSSES.items():
            answer = self._fit(best.X.clone(), best.y.clone(), loss())
            lines[name] = tuple(answers.numbers("fit returned", answer, "weight and bias", False))
        own = best._replace(lines=lines, losses=_losses(best.X, best.y, lines))
        off = {name: max(own.losses[name] - best.losses[name], 0.0) for name in LOSSES}
        off["MSE"] **= 0.5  # the root mean square distance between two MSE lines
        if wild := [name for name in LOSSES if not off[name] < 1e6 * self._height]:
            said = f"with {wild[0]} it diverged. The largest stable learning rate for MSE is"
            return Proof(False, f"{said} {descent.stable_lr(best.X):.3g} with these points.", own)
        worst = max(off, key=off.get)
        if off[worst] <= 0.01 * self._height:  # closer than the drawn lines are wide
            slopes = ", ".join(f"{line[0]:.3f} by {name}" for name, line in lines.items())
            return Proof(True, f"slope {slopes}.", own)
        said = ", the formula's ".join(
            np.format_float_positional(one.losses[worst], 4, fractional=False, trim="-")
            for one in (own, best)
        )
        return Proof(False, f"its {worst} loss is {said}.", own, {"lines": lines})

    def still(self, settings: dict) -> Chart:
        """Return points and both lines as a chart."""
        try:
            X, y, lines, _ = exact(settings["points"])
        except Unusable as problem:
            return Chart((), "feature x", "target y", f"{problem}.")
        return figures.plot_data(X, y, lines, xlabel="feature x", ylabel="target y")

    def code(self, settings: dict) -> str:
        """Return the lines that make these points and call the learner's function on them."""
        columns = zip("Xy", inputs.points(settings["points"])[0].T.tolist(), strict=True)
        rows = [f"{name} = torch.tensor({values}).unsqueeze(1)" for name, values in columns]
        rows = [textwrap.fill(row, 88, subsequent_indent=" " * 4) for row in rows]
        fits = (
            f"[{name_of(self._fit, 'fit')}(X, y, f()) for f in (torch.nn.MSELoss, torch.nn.L1Loss)]"
        )
        return "\n".join([*rows, "with torch.random.fork_rng():", f"    return {fits}"])


def exact(text: str) -> Lines:
    """Return both best lines through the points of a text.

    Raises
    ------
    Unusable
        If no line goes through them; it says why.
    """
    points, problem = inputs.points(text)
    if problem:
        raise Unusable(problem)
    x, y = points[:, :1], points[:, 1:]
    dx, dy = x - x.mean(), y - y.mean()
    weight = float(np.sum(dx * dy) / np.sum(dx * dx))
    bias = float(y.mean() - weight * x.mean())
    lines = {"MSE": (weight, bias), "L1": descent.least_absolute(x, y)}
    X, targets = torch.tensor(points, dtype=torch.float32).split(1, dim=1)
    return Lines(X, targets, lines, _losses(x, y, lines))


def _losses(X: object, y: object, lines: dict) -> dict[str, float]:
    return {n: float(descent.mean_loss(X, y, *line, loss=n.lower())) for n, line in lines.items()}
