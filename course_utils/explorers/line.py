"""LineExplorer: fit a line by hand, see what each point costs, and beat your own best."""

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
import torch

from course_utils import figures, inputs
from course_utils.charts import Chart, as_text
from course_utils.explorers import answers
from course_utils.explorers.base import Explorer, Proof, are_functions, sliders


class LineExplorer(Explorer):
    """Move weight and bias, or drag the ends of the line, and see residuals, squares and the loss.

    Parameters
    ----------
    X, y : Tensor, shape (N, 1)
        Features and targets, of any scale.
    loss_fn : callable (y_pred, y) -> loss
        The learner's loss function, such as `nn.MSELoss()`.
    xlabel, ylabel : str
        Axis labels with units.

    Raises
    ------
    InputError
        If the data are not two columns, all features are the same, or `loss_fn` cannot be called.
    """

    def __init__(
        self, X: torch.Tensor, y: torch.Tensor, loss_fn: Callable, *,
        xlabel: str = "feature x", ylabel: str = "target y",
    ):  # fmt: skip
        x, targets = inputs.pair(X, y, least=2)
        if not np.ptp(x):
            raise inputs.InputError(f"all features are {x[0]:g}: a line needs two different ones")
        are_functions(loss_fn=loss_fn)
        self.data, self._loss_fn = (torch.as_tensor(X), torch.as_tensor(y)), loss_fn
        self._labels = {"xlabel": xlabel, "ylabel": ylabel}
        middle, height = (
            float(targets.mean()),
            float(np.ptp(targets)) or abs(float(targets[0])) or 1.0,
        )
        slope = 2 * height / float(np.ptp(x))
        reach = slope * abs(float(x.mean())) + height
        controls = _slider("weight", 0.0, slope, height / 200 / np.abs(x).max())
        controls |= _slider("bias", middle, reach, height / 200)
        controls["squares"] = widgets.Checkbox(False, description="squares")
        ends = {"domain": answers.ends(x), "range": answers.ends(targets, 0.15, 0.15)}
        super().__init__(controls, {"x": x, "y": targets, "labels": [xlabel, ylabel]} | ends)

    def prove(self, settings: dict) -> Proof:
        """Ask the learner's loss function about the line."""
        X, y = self.data
        with torch.no_grad():
            loss = self._loss_fn(settings["weight"] * X + settings["bias"], y)
        if torch.is_tensor(loss) and loss.numel() != 1:
            said = f"loss_fn returned shape {tuple(loss.shape)}, expected one number: add .mean()"
            raise inputs.InputError(said)
        loss = inputs.number("what loss_fn returned", getattr(loss, "item", lambda: loss)())
        x, y = inputs.pair(X, y)
        right = float(np.mean((y - settings["weight"] * x - settings["bias"]) ** 2))
        agrees = bool(np.isclose(loss, right, rtol=1e-4, atol=1e-9))
        said = "loss {}." if agrees else "loss {}; the mean of the squares is {}."
        return Proof(agrees, said.format(as_text(loss), as_text(right)), loss)

    def still(self, settings: dict) -> Chart:
        """Return the points and the line."""
        line = settings["weight"], settings["bias"]
        return figures.plot_data(*self.data, {"your line": line}, **self._labels)

    def code(self, settings: dict) -> str:
        """Return the lines that give the loss of this line by PyTorch, on the explorer's data."""
        explorer = self.called(self, "explorer")
        X, y = (self.called(v, f"{explorer}.data[{i}]") for i, v in enumerate(self.data))
        return f"""\
import torch

y_pred = {settings["weight"]!r} * {X} + {settings["bias"]!r}
return torch.nn.MSELoss()(y_pred, {y}).item()"""


def _slider(name: str, middle: float, far: float, step: float) -> dict[str, widgets.Widget]:
    """Return a slider of steps of 1, 2 or 5 times a power of ten, which holds its middle."""
    power = 10.0 ** np.floor(np.log10(step))
    step = power * next(n for n in (1, 2, 5, 10) if n * power >= step * 0.999)
    start, low, high = (round((middle + way * far) / step) * step for way in (0, -1, 1))
    digits = max(0, int(np.ceil(-np.log10(step))))
    return sliders(digits, **{name: (start, low, high, step)})
