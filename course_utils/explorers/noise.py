"""NoiseExplorer: one truth, many samples; what chance does to the line that is fitted to them."""

from collections import namedtuple
from collections.abc import Callable

import numpy as np
import torch

from course_utils import figures, inputs
from course_utils.charts import Chart
from course_utils.explorers import answers
from course_utils.explorers.base import Explorer, Proof, are_functions, choices, name_of, sliders

Fit = namedtuple("Fit", "fitted errors")  # weight and bias of a line, and their standard errors


class NoiseExplorer(Explorer):
    """Move the truth and the noise; take new samples and see the lines that are fitted to them.

    Parameters
    ----------
    make : callable (n, weight, bias, noise, seed) -> (X, y), each of shape (n, 1)
        The learner's own data generator, such as `datasets.make_line`.
    """

    def __init__(self, make: Callable):
        are_functions(make=make)
        self._make = make
        controls = sliders(
            weight=(2.0, -3, 3, 0.1), bias=(1.5, -3, 3, 0.1), noise=(1.0, 0, 3, 0.05)
        )
        controls |= choices("ToggleButtons", n=(10, (10, 50, 200, 2000)))
        seeds = 420, 420, 9999, 1
        super().__init__(controls | sliders(seed=seeds, first=seeds), {})

    def prove(self, settings: dict) -> Proof:
        """Let the learner's function make the sample, and compare it with the page's."""
        made = self._make(**{n: value for n, value in settings.items() if n != "first"})
        x, y = inputs.pair(*answers.two("make", made, "X, y"), least=3)
        right, n = _sample(settings), settings["n"]
        agrees = len(x) == n and all(
            np.allclose(mine, ours, atol=1e-5 * np.abs(ours).max())
            for mine, ours in zip((x, y), right, strict=True)
        )
        said = "it makes these points." if agrees else "it makes other points (red rings)."
        if len(x) != n:
            said = f"it makes {len(x)} points, {n} were asked for."
        drawn = {} if agrees else {"x": x[:2000], "y": y[:2000]}
        return Proof(agrees, said, _least_squares(x, y), drawn)

    def still(self, settings: dict) -> Chart:
        """Return points and both lines as a chart."""
        x, y = _sample(settings)
        lines = {
            "truth": (settings["weight"], settings["bias"]),
            "least squares": _least_squares(x, y).fitted,
        }
        return figures.plot_data(x[:, None], y[:, None], lines, xlabel="x", ylabel="y")

    def code(self, settings: dict) -> str:
        """Return the lines that make these points and fit them in PyTorch."""
        chosen = ", ".join(f"{n}={value:.10g}" for n, value in settings.items() if n != "first")
        return f"""\
X_shown, y_shown = {name_of(self._make, "make")}({chosen})
columns = torch.cat([X_shown, torch.ones_like(X_shown)], dim=1)
return torch.linalg.lstsq(columns, y_shown).solution.flatten().tolist()"""


def _sample(settings: dict) -> tuple[np.ndarray, np.ndarray]:
    generator = torch.Generator().manual_seed(settings["seed"])
    x, z = (torch.randn(settings["n"], generator=generator).double().numpy() for _ in range(2))
    return x, settings["weight"] * x + settings["bias"] + settings["noise"] * z


def _least_squares(x: np.ndarray, y: np.ndarray) -> Fit:
    dx = x - x.mean()
    spread = float(dx @ dx)
    if not spread:
        raise inputs.InputError(f"all features are {x[0]:g}: a line needs two different ones")
    weight = float(dx @ (y - y.mean())) / spread
    bias = float(y.mean()) - weight * float(x.mean())
    variance = float(np.sum((y - weight * x - bias) ** 2)) / (len(x) - 2)
    errors = np.sqrt([variance / spread, variance * (1 / len(x) + x.mean() ** 2 / spread)])
    return Fit((weight, bias), tuple(errors.tolist()))
