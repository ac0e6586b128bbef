"""NodeExplorer: what weights, bias and activation of one node do to its output and its slope."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from torch import nn

from course_utils import inputs
from course_utils.charts import Chart, Series
from course_utils.explorers.base import Explorer, Proof, are_functions, name_of

ACTIVATIONS = {
    "tanh": (torch.tanh, "torch.tanh"),
    "ReLU": (torch.relu, "torch.relu"),
    "sigmoid": (torch.sigmoid, "torch.sigmoid"),
    "none": (nn.Identity(), "torch.nn.Identity()"),
}
GRID = np.linspace(-4, 4, 161)


class Curves(NamedTuple):
    """Output of the learner's node along its first input, and the slope that autograd finds."""

    outputs: np.ndarray
    slopes: np.ndarray


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

    script = "node"

    def __init__(self, node: Callable):
        are_functions(node=node)
        self._node = node
        controls = {
            name: widgets.FloatSlider(
                value, min=-far, max=far, step=0.1, description=name, readout_format=".1f"
            )
            for name, value, far in (("w1", 1, 3), ("w2", 0, 3), ("b", 0, 3), ("x2", 1, 2))
        }
        choices = {"options": [*ACTIVATIONS], "description": "activation"}
        super().__init__(controls | {"activation": widgets.ToggleButtons(**choices)}, {})

    def prove(self, settings: dict) -> Proof:
        """Call the learner's node; let autograd find its slope."""
        found = _along(self._node, settings)
        right = _along(lambda X, w, b, activation: activation(X @ w + b), settings)
        same = [np.allclose(mine, ours, atol=1e-5) for mine, ours in zip(found, right, strict=True)]
        said = "the output of your node is this curve, and autograd finds this slope."
        if not same[1]:
            said = "its output is this curve, but its slope is another: is something detached?"
        if not same[0]:
            said = "its output is the dotted curve."
        return Proof(all(same), said, found, {} if all(same) else found._asdict())

    def still(self, settings: dict) -> Chart:
        """Return sum, output and slope as a chart."""
        z = settings["w1"] * GRID + settings["w2"] * settings["x2"] + settings["b"]
        output, slope = _along(lambda X, w, b, activation: activation(X @ w + b), settings)
        series = (
            Series("weighted sum + bias", GRID, z, "line", "truth"),
            Series("output", GRID, output, "line", "prediction"),
            Series("slope", GRID, slope, "line", "validation"),
        )
        steepest = slope[np.argmax(np.abs(slope))] + 0.0
        said = (
            f"A node with {settings['activation']}: for x1 from -4 to 4 the output runs from "
            f"{output[0]:.3f} to {output[-1]:.3f}, the steepest slope is {steepest:.3f}."
        )
        return Chart(series, "first input x1", "value", said)

    def as_code(self, settings: dict) -> str:
        """Return the cell that computes the output at both ends and the steepest slope."""
        w1, w2, b, x2 = (f"{settings[name]:.10g}" for name in ("w1", "w2", "b", "x2"))
        function = ACTIVATIONS[settings["activation"]][1]
        return f"""\
def node_shown():
    x1 = torch.linspace(-4, 4, 161).unsqueeze(1).requires_grad_()
    X_shown = torch.cat([x1, torch.full_like(x1, {x2})], dim=1)
    w, b = torch.tensor([[float({w1})], [float({w2})]]), torch.tensor([float({b})])
    output = {name_of(self._node, "node")}(X_shown, w, b, {function})
    (slope,) = torch.autograd.grad(output.sum(), x1)
    return output[0].item(), output[-1].item(), slope[slope.abs().argmax()].item()


node_shown()"""


def _along(node: Callable, settings: dict) -> Curves:
    """Return output and slope of a node along its first input.

    Raises
    ------
    InputError
        If the node returns no column of finite numbers.
    """
    x1 = torch.tensor(GRID, dtype=torch.float32).unsqueeze(1).requires_grad_()
    X = torch.cat([x1, torch.full_like(x1, settings["x2"])], dim=1)
    w, b = torch.tensor([[settings["w1"]], [settings["w2"]]]), torch.tensor([settings["b"]])
    outputs = node(X, w, b, ACTIVATIONS[settings["activation"]][0])
    shape = getattr(outputs, "shape", None)
    if not torch.is_tensor(outputs) or shape != x1.shape:
        got = f"shape {tuple(shape)}" if shape is not None else f"a {type(outputs).__name__}"
        raise inputs.InputError(
            f"node returned {got}, expected shape {tuple(x1.shape)}: a number for each row of X"
        )
    if not outputs.isfinite().all():
        raise inputs.InputError("node returned nan or inf: a sum of finite numbers has neither")
    slopes = torch.zeros_like(x1)
    if outputs.requires_grad:
        (slopes,) = torch.autograd.grad(outputs.sum(), x1)
    return Curves(*(t.detach()[:, 0].numpy() for t in (outputs, slopes)))
