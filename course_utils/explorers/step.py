"""StepExplorer: the lines of the learner's own training step, run one at a time."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from torch import nn

from course_utils import descent, figures, inputs
from course_utils.charts import Chart
from course_utils.explorers import five_lines
from course_utils.explorers.base import Explorer, Proof, Unusable
from course_utils.explorers.lines_of_code import MOST_LINES, Lines, numbers_of, weight_and_bias


class Numbers(NamedTuple):
    """Where the lines led.

    Attributes
    ----------
    weight, bias : float
        After the last line; nan if the model is not a line.
    loss : float
        Of the model as it is now, on all points.
    rows : list of (name, value, shape, .grad)
        Every tensor as text.
    """

    weight: float
    bias: float
    loss: float
    rows: list[tuple[str, str, str, str]]


class StepExplorer(Explorer):
    """Run a training step line by line; see every tensor and the point on the loss surface.

    Parameters
    ----------
    function : callable (model, loss_fn, optimizer, X, y)
        The learner's training step. Its lines become buttons, in their order; `set` takes them by
        number, such as lines="1 2 3 4 5".
    model, loss_fn, optimizer, X, y
        What the lines work on, as one would pass them to the function. The lines run on copies:
        the learner's own objects stay as they are.

    Raises
    ------
    InputError
        If the lines cannot be read, or an argument is not what its name says.

    Attributes
    ----------
    code : Lines
        The function, line by line, with what it works on.
    formula : Formula or None
        The same by formula, where the model is a line and the lines are usual ones.
    """

    def __init__(
        self, function: Callable, model: nn.Module, loss_fn: Callable, optimizer: object,
        X: torch.Tensor, y: torch.Tensor,
    ):  # fmt: skip
        if not isinstance(model, nn.Module) or not list(model.parameters()):
            raise inputs.InputError("model has no parameters, expected a module such as nn.Linear")
        fits = {"loss_fn": callable(loss_fn), "optimizer": hasattr(optimizer, "param_groups")}
        fits |= {"X": torch.is_tensor(X), "y": torch.is_tensor(y)}
        for (name, fit), value in zip(fits.items(), (loss_fn, optimizer, X, y), strict=True):
            if not fit:
                raise inputs.InputError(
                    f"{name} is a {type(value).__name__}, which cannot be {name}"
                )
        self.code = Lines(function, (model, loss_fn, optimizer, X, y))
        does = five_lines.told_apart(self.code)
        self._only = five_lines.beyond(self.code, does)  # why only the kernel can run the lines
        self.formula = None
        if weight_and_bias(self.code.model) and five_lines.are_columns(self.code):
            self.formula = five_lines.Formula(self.code, does)
        lr = float(self.code.optimizer.param_groups[0].get("lr") or 0.1)
        step = float(f"{lr / 10:.1g}")
        zero = next((k for k, what in enumerate(does, 1) if what == ("zero_grad",)), 0)
        controls = {
            "lines": widgets.Text("", description="lines run"),
            "lr": widgets.FloatSlider(
                lr, min=2 * step, max=120 * step, step=step, description="learning rate",
                readout_format=".3g",
            ),
            "leave_out": widgets.Checkbox(False, description=f"leave out line {zero or 1}"),
        }  # fmt: skip
        given = {
            "lines": [
                {"text": line.text, "does": what, "takes": sorted(line.takes),
                 "makes": sorted(line.makes), "backward": "backward" in line.calls}
                for line, what in zip(self.code.all, does, strict=True)
            ],
            "only": self._only, "most": MOST_LINES, "zero": zero,
            "mse": self.formula is not None and five_lines.is_mse(self.code),  # has a bowl
        }  # fmt: skip
        super().__init__(controls, given | (self.formula.given() if self.formula else {}))

    def prove(self, settings: dict) -> Proof:
        """Run the learner's lines on copies, and hold what they leave against the formula."""
        numbers, why = self._able(settings)
        if why:
            raise Unusable(why)
        outcome = self.code.run(numbers, settings["lr"])
        weight, bias = outcome.path[-1] if outcome.path else (np.nan, np.nan)
        result = Numbers(weight, bias, outcome.loss, outcome.rows)
        path = np.nan_to_num(np.reshape(outcome.path, (-1, 2)), posinf=1e36, neginf=-1e36)
        drawn = {"weight": path[:, 0], "bias": path[:, 1]}
        drawn["losses"] = [loss for loss in outcome.losses if np.isfinite(loss)]
        drawn |= {"rows": outcome.rows, "before": outcome.before}
        if self._only:
            return Proof(None, f"its {len(numbers):,} lines ran on copies.", result, drawn)
        text, agrees = self.formula.compare(numbers, settings["lr"], outcome)
        return Proof(agrees, text, result, drawn)

    def still(self, settings: dict) -> Chart:
        """Return the path on the loss surface, or the losses of a model that is not a line."""
        numbers, lr = self._able(settings)[0], settings["lr"]
        ran = self.code.run(numbers, lr) if self._only else None
        if self.page.given["mse"]:
            axes = [np.linspace(*ends, 61) for ends in self.formula.around]
            losses = descent.loss_surface(self.code.X, self.code.y, *axes)
            path = np.array(ran.path if ran else self.formula.path(numbers, lr)).T
            path = np.where(np.abs(path) < five_lines.LARGEST, path, np.nan)
            return figures.plot_surface(*axes, losses, {"path": path})
        if ran and ran.losses:
            return figures.plot_losses({"loss": ran.losses}, xlabel="step", log_y=False)
        return Chart((), "step", "loss", "No loss has been computed yet.")

    def as_code(self, settings: dict) -> str:
        """Return the cell that runs the same lines from the beginning, on copies."""
        return self.code.as_code(self._able(settings)[0], settings["lr"])

    def _able(self, settings: dict) -> tuple[Sequence[int], str]:
        return self.code.able(numbers_of(settings["lines"], len(self.code.all)))
