"""NodeExplorer: what weights, bias and activation of one node do to its output and its slope."""

from collections import namedtuple
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from course_utils.charts import Chart, Series
from course_utils.explorers import answers
from course_utils.explorers.base import Explorer, Proof, are_functions, choices, name_of, sliders

ACTIVATIONS = {
    "tanh": torch.tanh,
    "ReLU": torch.relu,
    "sigmoid": torch.sigmoid,
    "none": nn.Identity(),
}
GRID = np.linspace(-4, 4, 801)
PRESETS = {
    "step": {"w1": 3.0, "w2": 0.0, "b": -1.5, "activation": "tanh"},
    "dead ReLU": {"w1": 0.5, "w2": 0.0, "b": -2.5, "activation": "ReLU"},
}
Curves = namedtuple("Curves", "outputs slopes")  # of a node, along its first input


class NodeExplorer(Explorer):
    """Move the weights and the bias of a node with two inputs; see sum, output and slope.

    Parameters
    ----------
    node : callable (X, w, b, activation) -> Tensor, shape (N, 1)
        The learner's own node: X has shape (N, 2), w (2, 1) and b (1,); `activation` is a function
        such as torch.tanh.
    """

    def __init__(self, node: Callable):
        are_functions(node=node)
        self._node = node
        starts = {"w1": (1.0, 3), "w2": (0.0, 3), "b": (0.0, 3), "x2": (1.0, 2)}
        ends = {name: (value, -far, far, 0.1) for name, (value, far) in starts.items()}
        chosen = choices("ToggleButtons", activation=("tanh", ACTIVATIONS))
        super().__init__(sliders(digits=1, **ends) | chosen, {}, PRESETS)

    def prove(self, settings: dict) -> Proof:
        """Call the learner's node; let autograd find its slope."""
        found, right = (_along(node, settings) for node in (self._node, _right))
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
        output, slope = _along(_right, settings)
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

    def code(self, settings: dict) -> str:
        """Return the lines that compute the output at both ends and the steepest slope."""
        w1, w2, b, x2 = (f"{settings[name]:.10g}" for name in ("w1", "w2", "b", "x2"))
        name = settings["activation"].lower()
        function = "nn.Identity()" if name == "none" else name
        return f"""\
x1 = torch.linspace(-4, 4, 801).unsqueeze(1).requires_grad_()
X_shown = torch.cat([x1, torch.full_like(x1, {x2})], dim=1)
w, b = torch.tensor([[float({w1})], [float({w2})]]), torch.tensor([float({b})])
output = {name_of(self._node, "node")}(X_shown, w, b, torch.{function})
(slope,) = torch.autograd.grad(output.sum(), x1)
return output[0].item(), output[-1].item(), slope[slope.abs().argmax()].item()"""


def _right(X: torch.Tensor, w: torch.Tensor, b: torch.Tensor, activation: Callable) -> torch.Tensor:
    return activation(X @ w + b)


def _along(node: Callable, settings: dict) -> Curves:
    """Return output and slope of a node along its first input."""
    x1 = torch.tensor(GRID, dtype=torch.float32).unsqueeze(1).requires_grad_()
    X = torch.cat([x1, torch.full_like(x1, settings["x2"])], dim=1)
    w, b = torch.tensor([[settings["w1"]], [settings["w2"]]]), torch.tensor([settings["b"]])
    outputs = node(X, w, b, ACTIVATIONS[settings["activation"]])
    numbers, slopes = answers.column("node", outputs, len(GRID)), torch.zeros_like(x1)
    if outputs.requires_grad:
        (slopes,) = torch.autograd.grad(outputs.sum(), x1)
    return Curves(numbers, slopes[:, 0].numpy())
