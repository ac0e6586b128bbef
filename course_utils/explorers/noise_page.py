"""NoiseExplorer: one truth, many samples; what chance does to the line that is fitted to them."""

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
import torch

from course_utils import figures, inputs
from course_utils.charts import Chart
from course_utils.explorers.live import Explorer, Proof, are_functions, name_of


class NoiseExplorer(Explorer):
    """Move the truth and the noise; take new samples and see the lines that are fitted to them.

    Parameters
    ----------
    make : callable (n, weight, bias, noise, seed) -> (X, y), each of shape (n, 1)
        The learner's own data generator, such as `datasets.make_line`.

    Raises
    ------
    InputError
        If `make` cannot be called.
    """

    script = "noise"

    def __init__(self, make: Callable):
        are_functions(make=make)
        self._make = make
        controls = {
            "weight": widgets.FloatSlider(2.0, min=-3, max=3, step=0.1, description="weight", readout_format=".1f"),
            "bias": widgets.FloatSlider(1.5, min=-3, max=3, step=0.1, description="bias", readout_format=".1f"),
            "noise": widgets.FloatSlider(1.0, min=0, max=3, step=0.05, description="noise"),
            "n": widgets.ToggleButtons(
                options=[(str(n), n) for n in (10, 50, 200, 2000)], description="points"
            ),
            "seed": widgets.IntSlider(420, min=420, max=9999, description="sample no."),
            "first": widgets.IntSlider(420, min=420, max=9999, description="first sample"),
        }  # fmt: skip
        super().__init__(controls, {})

    def prove(self, settings: dict) -> Proof:
        """Let the learner's function make the sample and compare it with the page's."""
        x, y = inputs.pair(*self._sample(settings), least=2)
        generator = torch.Generator().manual_seed(settings["seed"])
        draws = [torch.randn(settings["n"], generator=generator).double().numpy() for _ in range(2)]
        right = settings["weight"] * draws[0] + settings["bias"] + settings["noise"] * draws[1]
        agrees = len(x) == len(right) and np.allclose(x, draws[0], atol=1e-5)
        agrees = bool(agrees and np.allclose(y, right, atol=1e-4))
        weight, bias = np.polyfit(x, y, 1)
        said = "it makes the same points." if agrees else "it makes other points than those shown."
        return Proof(
            agrees,
            said,
            {"weight": float(weight), "bias": float(bias)},
            {"x": x[:2000], "y": y[:2000]},
        )

    def _sample(self, settings: dict) -> object:
        return self._make(**{name: value for name, value in settings.items() if name != "first"})

    def still(self, settings: dict) -> Chart:
        """Return points and both lines as a chart."""
        X, y = self._sample(settings)
        weight, bias = np.polyfit(*inputs.pair(X, y), 1)
        truth = settings["weight"], settings["bias"]
        return figures.plot_data(X, y, {"truth": truth, "least squares": (weight, bias)})

    def as_code(self, settings: dict) -> str:
        """Return the cell that makes these points and fits them in PyTorch."""
        arguments = ", ".join(
            f"{name}={value:.10g}" for name, value in settings.items() if name != "first"
        )
        return f"""\
def fit_shown():
    X_shown, y_shown = {name_of(self._make, "make")}({arguments})
    columns = torch.cat([X_shown, torch.ones_like(X_shown)], dim=1)
    return torch.linalg.lstsq(columns, y_shown).solution.flatten().tolist()


fit_shown()"""
