"""TrainingExplorer: learning rate, epochs and noise move data, losses and the path downhill."""

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np

from course_utils import descent, inputs
from course_utils.charts import Chart, Series, as_text, count, thin
from course_utils.explorers import loops
from course_utils.explorers.base import (
    Explorer,
    Proof,
    are_functions,
    choices,
    name_of,
    put,
    sliders,
)

EPOCHS = (
    *range(1, 11), 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400,
    500, 600, 800, 1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000,
)  # fmt: skip
MOST_ROWS = 2_000_000  # that the page deals in a run
LOSSES = {"MSELoss": "mse", "L1Loss": "l1"}


class TrainingExplorer(Explorer):
    """Move the settings of a training loop; see the line, the losses and the path downhill.

    Parameters
    ----------
    train : callable (model, optimizer, loss_fn, loader, epochs) -> history
        The learner's own loop. Its history has, for every step, the `weight` and `bias` before
        (or after) the step, such as a `History` or a dict of lists.
    optimizers : sequence of two classes
        PyTorch's SGD and Adam.
    X, y : Tensor, shape (N, 1), optional
        The learner's data; by default 200 points around y = 2 x + 1.5. One fifth is held out.
    **start
        Controls by name, to begin with, such as `lr=0.9`.

    Raises
    ------
    InputError
        If `train` cannot be called, an optimizer is neither SGD nor Adam, or the data are not
        matching finite columns of 2 rows or more.
    """

    def __init__(
        self, train: Callable, optimizers: list[type], X: object = None, y: object = None, **start
    ):
        are_functions(train=train)
        names = [getattr(kind, "__name__", str(kind)) for kind in optimizers]
        for name in names:
            inputs.choice("optimizer", name, ("SGD", "Adam"))
        self._train, self._optimizers = train, dict(zip(names, optimizers, strict=True))
        self._own, self.data = X is not None, (X, y)
        self.rows = loops.Split(X, y)
        X, y = self.rows.X, self.rows.y
        limit, n = descent.stable_lr(X), len(X)
        lrs = np.round(np.arange(-3.5, 0.51, 0.05) + np.ceil(np.log10(limit) - 0.1), 2)[10:]
        low, high = y.min().item(), y.max().item()
        spread = 1.0 if not self._own else float(f"{max(y.std(correction=0).item(), 1e-9):.1g}")
        sizes = [*(size for size in (1, 4, 16, 64, 256) if size < n), n]
        begin = zip(("weight", "bias"), self.rows.start, strict=True)
        origin = [inputs.number(name, start.get(name, value)) for name, value in begin]
        best = loops.least_squares(X, y)
        gaps = [abs(a - b) for a, b in zip(best, origin, strict=True)]
        half = [_digits(1.3 * max(gap, 0.5)) for gap in gaps]
        middle = [h / 10 * round(10 * m / h) for m, h in zip(best, half, strict=True)]
        around = [np.round([m - h, m + h], 9).tolist() for m, h in zip(middle, half, strict=True)]
        epochs = [e for e in EPOCHS if e * n <= MOST_ROWS]
        top_loss = float(descent.mean_loss(X, y, *origin))
        power = round(np.log10(max(top_loss, 1e-12)))

        def rate(value: float) -> float:  # the nearest on the slider
            return 10 ** float(lrs[np.abs(lrs - np.log10(value)).argmin()])

        controls = {
            "lr": widgets.FloatLogSlider(
                rate(limit / 10), min=float(lrs[0]), max=float(lrs[-1]), step=0.05,
                description="learning rate",
            )
        }  # fmt: skip
        controls |= choices("SelectionSlider", epochs=(min(100, epochs[-1]), epochs))
        controls |= sliders(noise=(0.0 if self._own else 0.1, 0, 3 * spread, spread / 20))
        size = min(16 if n <= 2_000 else 256, n)
        controls |= choices("Dropdown", batch_size=(size, sizes), loss=("MSELoss", LOSSES))
        controls |= choices("Dropdown", optimizer=(names[0], names))
        for name, value, ends in zip(("weight", "bias"), origin, around, strict=True):
            controls |= sliders(**{name: (value, *ends, _digits((ends[1] - ends[0]) / 400))})
        alike = {"lr": rate(0.1), "noise": 0.1, "batch_size": n, "loss": "MSELoss", "epochs": 100}
        alike |= {"optimizer": names[0], "weight": origin[0], "bias": origin[1]}
        presets = {
            "batch 1": alike | {"batch_size": 1, "noise": 1.0, "epochs": 3},
            "L1": alike | {"loss": "L1Loss", "lr": rate(0.3), "epochs": 50},
        }
        if "Adam" in names:
            presets["Adam"] = alike | {"optimizer": "Adam"}
        for name, value in start.items():
            put(name, controls[inputs.choice("control", name, controls)], value)
        edge, room = 0.08 * float(np.ptp(X.numpy())), 0.3 * ((high - low) or 1.0)
        given = self.rows.given() | {
            "limit": limit, "rates": (10**lrs).tolist(), "seed": loops.SEED, "around": around,
            "equal": max(half) < 4 * min(half),  # both in one unit
            "domain": [X.min().item() - edge, X.max().item() + edge],
            "range": [low - room, high + room],
            "passed": [0.1, float(epochs[-1])],
            "losses": [10.0 ** (power - 4), 10.0 ** (power + 2)],
            "labels": ["feature x", "target y"],
        }  # fmt: skip
        super().__init__(controls, given, {} if self._own else presets)

    def prove(self, settings: dict) -> Proof:
        """Run the learner's loop on the same rows and compare every step with the formula."""
        kind = self._optimizers[settings["optimizer"]]
        return loops.compare(self._train, kind, self.rows, settings)

    def still(self, settings: dict) -> Chart:
        """Return both loss curves as a chart."""
        path = loops.formula(self.rows, settings)
        kind, per = LOSSES[settings["loss"]], loops.steps_per_epoch(len(self.rows.X), settings)
        series, ends = [], []
        for name, data in self.rows.data(settings["noise"]).items():
            losses = descent.mean_loss(*data, path.weight[0, 1:], path.bias[0, 1:], loss=kind)
            passed = np.arange(1, len(losses) + 1) / per
            good = np.isfinite(losses)
            series.append(Series(name, thin(passed[good]), thin(losses[good]), "line", name))
            ends.append(f"{name} loss {as_text(losses[good][-1])}")
        lr, epochs = as_text(settings["lr"], 3), count(settings["epochs"], "epoch")
        said = f"lr {lr}, {epochs}: {', '.join(ends)}."
        return Chart(tuple(series), "epochs passed", "loss", said, log_x=True, log_y=True)

    def code(self, settings: dict) -> str:
        """Return the lines that train with the learner's loop to the same two parameters."""
        kind = self._optimizers[settings["optimizer"]]
        name = self.called(self._train, name_of(self._train, "train"))
        explorer = self.called(self, "explorer")
        own = [self.called(v, f"{explorer}.data[{i}]") for i, v in enumerate(self.data)]
        return loops.code(self.rows, settings, kind, name, own if self._own else None)


def _digits(value: float) -> float:
    """Return the value to one digit."""
    return float(f"{value:.1g}")
