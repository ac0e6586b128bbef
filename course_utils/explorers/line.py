"""LineExplorer: fit a line by hand, see what each point costs, and beat your own best."""

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
import torch

from course_utils import figures, inputs
from course_utils.charts import Chart, as_text
from course_utils.explorers.base import Explorer, Proof, are_functions


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

    script = "line"

    def __init__(
        self,
        X: torch.Tensor,
        y: torch.Tensor,
        loss_fn: Callable,
        *,
        xlabel: str = "feature x",
        ylabel: str = "target y",
    ):
        x, targets = inputs.pair(X, y, least=2)
        if not np.ptp(x):
            raise inputs.InputError(f"all features are {x[0]:g}: a line needs two different ones")
        are_functions(loss_fn=loss_fn)
        self._X, self._y, self._loss_fn = torch.as_tensor(X), torch.as_tensor(y), loss_fn
        self._labels = {"xlabel": xlabel, "ylabel": ylabel}
        height = float(np.ptp(targets)) or abs(float(targets[0])) or 1.0
        slope = 2 * height / float(np.ptp(x))
        reach = slope * abs(float(x.mean())) + height
        starts = {"weight": (0.0, 0.0, slope, height / 200 / np.abs(x).max())}
        starts["bias"] = (float(targets.mean()), float(targets.mean()), reach, height / 200)
        controls = {
            name: _slider(name, value, middle, far, step)
            for name, (value, middle, far, step) in starts.items()
        }
        controls["squares"] = widgets.Checkbox(False, description="squares")
        given = {
            "x": x, "y": targets, "labels": [xlabel, ylabel],
            "domain": _ends(x, 0.05), "range": _ends(targets, 0.15, height),
        }  # fmt: skip
        super().__init__(controls, given)

    def prove(self, settings: dict) -> Proof:
        """Ask the learner's loss function about the line."""
        with torch.no_grad():
            loss = self._loss_fn(settings["weight"] * self._X + settings["bias"], self._y)
        if torch.is_tensor(loss) and loss.numel() != 1:
            raise inputs.InputError(
                f"loss_fn returned shape {tuple(loss.shape)}, expected one number: add .mean()"
            )
        if not isinstance(loss, torch.Tensor | float | int | np.number):
            raise inputs.InputError(f"loss_fn returned {loss!r:.80}, expected one number")
        loss = inputs.number("what loss_fn returned", float(loss))
        x, y = inputs.pair(self._X, self._y)
        right = float(np.mean((y - settings["weight"] * x - settings["bias"]) ** 2))
        agrees = bool(np.isclose(loss, right, rtol=1e-4, atol=1e-9))
        said = "loss {}." if agrees else "loss {}; the mean of the squares is {}."
        said = said.format(*map(as_text, (loss, right)))
        return Proof(agrees, said, loss)

    def still(self, settings: dict) -> Chart:
        """Return the points and the line."""
        line = settings["weight"], settings["bias"]
        return figures.plot_data(self._X, self._y, {"your line": line}, **self._labels)

    def as_code(self, settings: dict) -> str:
        """Return the loss of this line by PyTorch, on the data of the explorer."""
        explorer = self.called(self, "explorer")
        X, y = (self.called(v, f"{explorer}.data[{i}]") for i, v in enumerate(self.data))
        return f"""\
def loss_shown(X, y):
    import torch

    y_pred = {settings["weight"]!r} * X + {settings["bias"]!r}
    return torch.nn.MSELoss()(y_pred, y).item()


loss_shown({X}, {y})"""

    @property
    def data(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The points, as the explorer was given them."""
        return self._X, self._y


def _slider(name: str, value: float, middle: float, far: float, step: float) -> widgets.Widget:
    """Return a slider whose steps are 1, 2 or 5 times a power of ten, and which holds its start."""
    power = 10.0 ** np.floor(np.log10(step))
    step = power * next(n for n in (1, 2, 5, 10) if n * power >= step * 0.999)
    low, high = (round((middle + way * far) / step) * step for way in (-1, 1))
    digits = max(0, int(np.ceil(-np.log10(step))))
    return widgets.FloatSlider(
        round(value / step) * step, min=low, max=high, step=step, description=name,
        readout_format=f".{digits}f",
    )  # fmt: skip


def _ends(values: np.ndarray, room: float, size: float = 0.0) -> list[float]:
    margin = room * (float(np.ptp(values)) or size or 1.0)
    return [float(values.min()) - margin, float(values.max()) + margin]
