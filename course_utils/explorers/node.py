"""NodeExplorer: what weights, bias and activation of one node do to its output and its slope."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from torch import nn

from course_utils import inputs
from course_utils.charts import Chart, Series, as_text
from course_utils.explorers import panels
from course_utils.explorers.base import Explorer, are_functions

ACTIVATIONS = {
    "tanh": (torch.tanh, "torch.tanh"),
    "ReLU": (torch.relu, "torch.relu"),
    "sigmoid": (torch.sigmoid, "torch.sigmoid"),
    "none": (nn.Identity(), "torch.nn.Identity()"),
}
GRID = np.linspace(-4, 4, 161)
FIRST, VALUE = "first input x1 (no unit)", "value (no unit)"
Y_END = 3.0


class Curves(NamedTuple):
    """What one node does along its first input; all of shape (161,)."""

    settings: dict
    sums: np.ndarray  # w1 * x1 + w2 * x2 + b
    outputs: np.ndarray
    slopes: np.ndarray  # of the output, along x1


class NodeExplorer(Explorer):
    """Move the weights and the bias of a node with two inputs; see sum, output and slope.

    Parameters
    ----------
    node : callable (X, w, b, activation) -> Tensor, shape (N, 1)
        The learner's own node: X has shape (N, 2), w (2, 1) and b (1,); `activation` is a function
        such as torch.tanh.

    Raises
    ------
    InputError
        If `node` cannot be called.
    """

    def __init__(self, node: Callable):
        are_functions(node=node)
        self._node = node
        one = panels.Panel("Sum and output", (FIRST, -4, 4), (VALUE, -Y_END, Y_END), width=355)
        two = panels.Panel("Slope of the output", (FIRST, -4, 4), (VALUE, -Y_END, Y_END), width=355)
        self._sum = one.line("weighted sum + bias", "truth")
        self._output = one.line("output")
        self._bend = one.points("sum is 0", "test", default_size=60)
        self._slope = two.line("slope along x1", "validation")
        controls = {
            "w1": widgets.FloatSlider(1.0, min=-3, max=3, step=0.1, description="weight w1"),
            "w2": widgets.FloatSlider(0.0, min=-3, max=3, step=0.1, description="weight w2"),
            "b": widgets.FloatSlider(0.0, min=-3, max=3, step=0.1, description="bias b"),
            "x2": widgets.FloatSlider(1.0, min=-2, max=2, step=0.1, description="input x2"),
            "activation": widgets.Dropdown(options=[*ACTIVATIONS], description="activation"),
        }
        super().__init__(controls, [one.figure, two.figure])

    def compute(self, settings: dict) -> Curves:
        """Call the learner's node without and with activation; let autograd find the slope."""
        x1 = torch.tensor(GRID, dtype=torch.float32).unsqueeze(1).requires_grad_()
        X = torch.cat([x1, torch.full_like(x1, settings["x2"])], dim=1)
        w, b = torch.tensor([[settings["w1"]], [settings["w2"]]]), torch.tensor([settings["b"]])
        sums, outputs = (
            self._node(X, w, b, ACTIVATIONS[name][0]) for name in ("none", settings["activation"])
        )
        for y in (sums, outputs):
            if not torch.is_tensor(y) or y.shape != x1.shape:
                raise inputs.InputError(
                    f"your node returned shape {tuple(getattr(y, 'shape', ()))}, expected "
                    f"{tuple(x1.shape)}: a number for each row of X"
                )
        slopes = torch.zeros_like(x1)
        if outputs.requires_grad:
            (slopes,) = torch.autograd.grad(outputs.sum(), x1)
        return Curves(
            settings, *(y.detach()[:, 0].double().numpy() for y in (sums, outputs, slopes))
        )

    def draw(self, result: Curves) -> None:
        """Set the curves, and the mark where the sum is 0."""
        for mark, values in zip((self._sum, self._output, self._slope), result[1:], strict=True):
            panels.put(mark, GRID, np.clip(values, -99, 99))
        at = np.array([] if (bend := _bend(result.settings)) is None else [bend])
        panels.put(self._bend, at, 0 * at)

    def summary(self, result: Curves) -> str:
        """Tell where the sum is 0, and the range of output and slope."""
        s, bend = result.settings, _bend(result.settings)
        ends = result.outputs[0], result.outputs[-1]
        steepest = result.slopes[np.argmax(np.abs(result.slopes))]
        first, last, slope = (as_text(value, decimals=3) for value in (*ends, steepest))
        where = (
            "the sum never changes" if bend is None else f"the sum is 0 at x1 = {as_text(bend, 3)}"
        )
        w1, w2, b, x2 = (as_text(s[name]) for name in ("w1", "w2", "b", "x2"))
        node = f"{w1} x1 + {w2} x2 + {b}".replace("+ -", "- ")
        node = node if s["activation"] == "none" else f"{s['activation']}({node})"
        return (
            f"{node} with x2 = {x2}: {where}; for x1 from -4 to 4 the output runs from "
            f"{first} to {last}, the steepest slope drawn is {slope}."
        )

    def still(self, result: Curves) -> Chart:
        """Return sum, output and slope as a chart."""
        series = (
            Series("weighted sum + bias", GRID, result.sums, "line", "truth"),
            Series("output", GRID, result.outputs, "line", "prediction"),
            Series("slope", GRID, result.slopes, "line", "validation"),
        )
        return Chart(series, FIRST, VALUE, self.summary(result))

    def as_code(self, settings: dict) -> str:
        """Return the cell that computes the output at both ends and the steepest slope."""
        w1, w2, b, x2 = (settings[name] for name in ("w1", "w2", "b", "x2"))
        function = ACTIVATIONS[settings["activation"]][1]
        return self._cell(
            "x1 = torch.linspace(-4, 4, 161).unsqueeze(1).requires_grad_()\n"
            f"X = torch.cat([x1, torch.full_like(x1, {x2})], dim=1)\n"
            f"w, b = torch.tensor([[{w1}], [{w2}]]), torch.tensor([{b}])\n"
            f"output = node(X, w, b, {function})\n"
            "(slope,) = torch.autograd.grad(output.sum(), x1)\n"
            "return output[0].item(), output[-1].item(), slope[slope.abs().argmax()].item()",
            node=self._node,
        )


def _bend(settings: dict) -> float | None:
    """Return the x1 at which the sum is 0: -(w2 x2 + b) / w1."""
    if settings["w1"] == 0:
        return None
    return 0.0 - (settings["w2"] * settings["x2"] + settings["b"]) / settings["w1"]
