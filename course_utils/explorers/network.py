"""NetworkExplorer: a network trains in the page while one steers; the learner's loop proves it."""

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np

from course_utils.charts import Chart, Series, as_text
from course_utils.explorers import mlp, trained
from course_utils.explorers.base import Explorer, Proof, are_functions, choices, name_of, sliders

DRAWN = 300  # losses that the kernel sends
OVERFIT = {"width": 16, "depth": 2, "activation": "tanh", "lr": 0.01, "noise": 0.5}
OVERFIT |= {"seed": mlp.SEED, "epochs": 2000, "changes": ""}


class NetworkExplorer(Explorer):
    """Build a network, play its training, and see what each hidden node adds to the curve.

    The page trains it with Adam on all 41 training points at once. Once it rests, the learner's
    functions do the same, and every step is held against Adam's. A network that is not a stack of
    nn.Linear and the activation is drawn from the kernel's answer.

    Parameters
    ----------
    build : callable (width, depth, activation) -> nn.Module
        The learner's own function. It makes a network from (N, 1) to (N, 1) with `depth` hidden
        layers of `width` nodes; `activation` is a class such as nn.Tanh.
    train : callable (model, X, y, lr) -> generator
        The learner's own loop, which yields after each epoch.

    Raises
    ------
    InputError
        If one of them cannot be called.
    """

    def __init__(self, build: Callable, train: Callable):
        are_functions(build=build, train=train)
        self._build, self._train = build, train
        controls = sliders(width=(8, 1, 16, 1)) | choices("ToggleButtons", depth=(1, (1, 2, 3)))
        controls |= choices("Dropdown", activation=("tanh", mlp.ACTIVATIONS))
        lr = {"min": -4, "max": 0, "step": 0.1, "description": "learning rate"}
        controls["lr"] = widgets.FloatLogSlider(0.01, **lr)
        controls |= sliders(noise=(0.0, 0, 0.5, 0.05), seed=(mlp.SEED, 0, 9999, 1))
        controls |= sliders(epochs=(0, 0, mlp.MOST_EPOCHS, 1))
        controls["changes"] = widgets.Text("", description="earlier rates")
        columns = {
            name: [*column[::2, 0].tolist(), *column[1::2, 0].tolist()]
            for name, column in zip(("x", "clean", "draw"), mlp.POINTS, strict=True)
        }
        settings = {name: control.value for name, control in controls.items()}
        self._own = self._is_own(settings)
        given = columns | {
            "n": 41, "most": mlp.MOST_EPOCHS, "range": [-2.6, 2.7], "own": self._own,
        }  # fmt: skip
        super().__init__(controls, given, {"overfit": OVERFIT})

    def set(self, state: str = "", **values: object) -> object:
        """Move controls from code and train; a learning rate set here holds from the start on.

        Returns
        -------
        Training
            The learner's losses: `train` and `val`, after each epoch from 0 on.

        Raises
        ------
        InputError
            If there is no such control, or it cannot take the value. Then none has moved.
        """
        if "changes=" not in str(state):
            values = {"changes": ""} | values
        return super().set(state, **values)

    def prove(self, settings: dict) -> Proof:
        """Train the learner's network with the learner's loop and check each step."""
        run = trained.Learners(self._build, self._train, settings)
        run.run()
        agrees, text = trained.verdict(run, expected=not self._own)
        train, val = np.array(run.losses).T
        few = np.unique(np.linspace(0, len(train) - 1, DRAWN).astype(int))
        count = sum(parameter.numel() for parameter in run.network.parameters())
        drawn = {"epochs": few, "train": train[few], "val": val[few], "curve": run.curve()}
        drawn = {name: np.clip(np.nan_to_num(v, nan=1e9), -1e9, 1e9) for name, v in drawn.items()}
        return Proof(agrees, text, trained.Training(train, val), drawn | {"parameters": count})

    def still(self, settings: dict) -> Chart:
        """Return points and curve as a chart."""
        if self._own:
            run = trained.Learners(self._build, self._train, settings)
            run.run()
            train, val, curve = *np.array(run.losses).T, run.curve()
        else:
            train, val, curve = mlp.path(settings)
        noise = [*mlp.walk(settings)][-1].noise
        X_train, y_train, X_val, y_val = (c[:, 0].numpy() for c in mlp.POINTS.split(noise))
        series = (
            Series("train", X_train, y_train, role="train"),
            Series("validation", X_val, y_val, role="validation"),
            Series("network", mlp.GRID[:, 0], curve, "line", "prediction"),
        )
        said = (
            f"{settings['activation']}, width {settings['width']}, depth {settings['depth']}, "
            f"lr {settings['lr']:.3g}, noise {noise:g}, epoch {settings['epochs']}: training "
            f"loss {as_text(train[-1])}, validation loss {as_text(val[-1])}."
        )
        return Chart(series, "x", "y", said)

    def code(self, settings: dict) -> str:
        """Return the lines that train the learner's network to the same two losses."""
        names = name_of(self._build, "build"), name_of(self._train, "train")
        return trained.code(settings, *names, double=not self._own)

    def _is_own(self, settings: dict) -> bool:
        try:
            network = trained.made(self._build, settings)[0]
            with mlp.OwnRandomness(0):
                return bool(trained.unlike(network, settings))
        except Exception:  # what is wrong is said once it is run
            return False
