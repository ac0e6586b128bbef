"""LineSurfaceExplorer: a line through the penguins beside the loss surface; drag either."""

from collections.abc import Callable

import numpy as np
import torch

from course_utils import charts, datasets, inputs
from course_utils.explorers import answers
from course_utils.explorers.base import Explorer, Proof, are_functions, sliders

WEIGHTS, BIASES = (-0.7, 1.7), (3.3, 5.05)
STARTS = [(-0.18, 3.62), (1.25, 4.95), (-0.35, 4.9), (1.4, 3.7)]
SHOWN = ("all", "numbers", "pictures")
REFERENCE = 20.0  # cm: the bias is the mass at this flipper length


class LineSurfaceExplorer(Explorer):
    """Drag a line through 342 penguins, or the ball that it is on the loss surface.

    Features are flipper lengths in cm above 20, targets masses in kg, so that weight (kg per cm)
    and bias (kg at 20 cm) are of one size.

    Parameters
    ----------
    gradient : callable (X, y, weight, bias) -> two numbers, optional
        The learner's own gradient of the mean squared error, which is held against the formula.
    weight, bias : float
        The line at the start, in kg per cm and in kg at 20 cm.
    show : str
        "all"; "numbers", without the buttons and the arrow that lead downhill; or "pictures",
        without numbers, names and words on the loss surface either, for a first look.

    Raises
    ------
    InputError
        If `gradient` cannot be called, the line is out of reach, or `show` is none of the three.
    """

    def __init__(
        self, gradient: Callable | None = None, *,
        weight: float = STARTS[0][0], bias: float = STARTS[0][1], show: str = SHOWN[0],
    ):  # fmt: skip
        if gradient is not None:
            are_functions(gradient=gradient)
            self.prove = self._compare
        X, y = datasets.load_penguins()
        self._gradient, self._show = gradient, inputs.choice("show", show, SHOWN)
        self.x = np.round(X.double().flatten().numpy() / 10 - REFERENCE, 6)
        self.y = np.round(y.double().flatten().numpy() / 1000, 6)
        weight = inputs.number("weight", weight, low=WEIGHTS[0], high=WEIGHTS[1])
        bias = inputs.number("bias", bias, low=BIASES[0], high=BIASES[1])
        within = 0.04 * (np.arange(len(self.x)) * 0.618034 % 1 - 0.5)  # inside the rounding to 1 mm
        given = {"x": self.x, "y": self.y, "drawn": self.x + within, "offset": REFERENCE}
        given |= {"show": show, "starts": [(weight, bias), *STARTS[1:]]}
        controls = sliders(weight=(weight, *WEIGHTS, 0.01), bias=(bias, *BIASES, 0.01))
        super().__init__(controls, given)

    def _compare(self, settings: dict) -> Proof:
        """Run the learner's gradient at this line."""
        X, y = (torch.from_numpy(values)[:, None] for values in (self.x, self.y))
        line = [torch.tensor(v, dtype=X.dtype, requires_grad=True) for v in settings.values()]
        found = self._gradient(X, y, *line)
        mine = answers.numbers("gradient returned", found, "by weight and by bias")
        residuals = self._residuals(settings)
        right = [-2 * float(np.mean(residuals * by)) for by in (self.x, 1.0)]
        agrees = bool(np.allclose(mine, right, rtol=1e-5, atol=1e-7))
        said = f"gradient {mine[0]:.3f}, {mine[1]:.3f}"
        if not agrees:
            said += f"; the formula says {right[0]:.3f}, {right[1]:.3f}"
        return Proof(agrees, f"{said}.".replace("-", "\u2212"), tuple(mine), {"gradient": mine})

    def _residuals(self, settings: dict) -> np.ndarray:
        return self.y - settings["weight"] * self.x - settings["bias"]

    def still(self, settings: dict) -> charts.Chart:
        """Return the points and the line."""
        ends = np.array([17.0, 23.5])
        heights = settings["weight"] * (ends - REFERENCE) + settings["bias"]
        series = (
            charts.Series("penguins", self.x + REFERENCE, self.y, role="data"),
            charts.Series("your line", ends, heights, kind="line"),
        )
        loss = np.mean(self._residuals(settings) ** 2)
        said = f"342 penguins and a line with loss {loss:.3f}."
        if self._show == SHOWN[-1]:
            said = f"342 penguins and a line that misses a typical one by {1000 * loss**0.5:.0f} g."
        return charts.Chart(series, "flipper length in cm", "mass in kg", said)

    def code(self, settings: dict) -> str:
        """Return the lines that give the loss of this line by PyTorch."""
        return f"""\
import torch
from course_utils import datasets

X, y = datasets.load_penguins()
X, y = X.double() / 10 - 20, y.double() / 1000  # cm above 20, kg
y_pred = {settings["weight"]!r} * X + {settings["bias"]!r}
return torch.nn.MSELoss()(y_pred, y).item()"""
