"""NodeExplorer: what weights, bias and activation of one node do to its output and its slope."""

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
import torch
from torch import nn

from course_utils import inputs
from course_utils.charts import Chart, Series
from course_utils.explorers.live import Explorer, Proof, are_functions, name_of

ACTIVATIONS = {
    "tanh": (torch.tanh, "torch.tanh"),
    "ReLU": (torch.relu, "torch.relu"),
    "sigmoid": (torch.sigmoid, "torch.sigmoid"),
    "none": (nn.Identity(), "torch.nn.Identity()"),
}
GRID = np.linspace(-4, 4, 161)


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
        ends = {"w1": (1.0, 3), "w2": (0.0, 3), "b": (0.0, 3), "x2": (1.0, 2)}
        controls = {
            name: widgets.FloatSlider(
                value, min=-far, max=far, step=0.1, description=name, readout_format=".1f"
            )
            for name, (value, far) in ends.items()
        }
        controls["activation"] = widgets.ToggleButtons(
            options=[*ACTIVATIONS], description="activation"
        )
        super().__init__(controls, {})

    def prove(self, settings: dict) -> Proof:
        """Call the learner's node; let autograd find its slope."""
        x1 = torch.tensor(GRID, dtype=torch.float32).unsqueeze(1).requires_grad_()
        X = torch.cat([x1, torch.full_like(x1, settings["x2"])], dim=1)
        w, b = torch.tensor([[settings["w1"]], [settings["w2"]]]), torch.tensor([settings["b"]])
        activation = ACTIVATIONS[settings["activation"]][0]
        outputs = self._node(X, w, b, activation)
        if not torch.is_tensor(outputs) or outputs.shape != x1.shape:
            raise inputs.InputError(
                f"your node returned shape {tuple(getattr(outputs, 'shape', ()))}, expected "
                f"{tuple(x1.shape)}: a number for each row of X"
            )
        slopes = torch.zeros_like(x1)
        if outputs.requires_grad:
            (slopes,) = torch.autograd.grad(outputs.sum(), x1)
        right = activation(X.detach() @ w + b)
        agrees = bool(torch.allclose(outputs.detach(), right, atol=1e-5))
        found = {"outputs": outputs.detach()[:, 0].numpy(), "slopes": slopes[:, 0].numpy()}
        said = "the output of your node is the curve." if agrees else "dotted, its output."
        return Proof(agrees, said, found, found)

    def still(self, settings: dict) -> Chart:
        """Return sum, output and slope as a chart."""
        s = settings
        z = torch.tensor(s["w1"] * GRID + s["w2"] * s["x2"] + s["b"], requires_grad=True)
        output = ACTIVATIONS[s["activation"]][0](z)
        (slope,) = torch.autograd.grad(output.sum(), z)
        z, output, slope = (t.detach().numpy() for t in (z, output, s["w1"] * slope))
        series = (
            Series("weighted sum + bias", GRID, z, "line", "truth"),
            Series("output", GRID, output, "line", "prediction"),
            Series("slope", GRID, slope, "line", "validation"),
        )
        steepest = slope[np.argmax(np.abs(slope))] + 0.0
        said = (
            f"A node with {s['activation']}: for x1 from -4 to 4 the output runs from "
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
    X = torch.cat([x1, torch.full_like(x1, {x2})], dim=1)
    w, b = torch.tensor([[float({w1})], [float({w2})]]), torch.tensor([float({b})])
    output = {name_of(self._node, "node")}(X, w, b, {function})
    (slope,) = torch.autograd.grad(output.sum(), x1)
    return output[0].item(), output[-1].item(), slope[slope.abs().argmax()].item()


node_shown()"""
