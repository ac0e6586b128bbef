"""NetworkExplorer: a network trains in the learner's own PyTorch while one watches and steers.

The learner's `train` is a generator: it yields after each epoch. The explorer asks for the next
epoch, again and again, in short slices with a picture after each. The epochs asked for are a
setting like the others, so what is shown depends on settings alone and never on a clock.
"""

import contextlib
import time
from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from course_utils import figures, inputs
from course_utils.charts import Chart, Series, as_text, count
from course_utils.explorers import panels
from course_utils.explorers.base import Explorer, are_functions, name_of

ACTIVATIONS = {"tanh": nn.Tanh, "ReLU": nn.ReLU, "sigmoid": nn.Sigmoid, "none": nn.Identity}
LRS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MOST_EPOCHS, SEED, X_END, Y_ENDS = 20_000, 420, 3.0, (-2.5, 5.0)  # room for the legend
GRID = torch.linspace(-X_END, X_END, 121).unsqueeze(1)
LOSSES = (1e-6, 100.0)  # the ends of the loss axis; room for the legend
SLICE, PERIOD = 0.02, 0.035  # seconds of training in a row; from one picture to the next
PAINTING, UNSEEN = 0.25, 40  # seconds a page has to paint; so many pictures nobody saw: pause
ON_THE_WAY = 3  # pictures: news from the page takes longer than the next slice


class Picture(NamedTuple):
    """A network after so many epochs.

    `nodes` has what the nodes of each hidden layer give on the grid, (width, 121) a layer;
    `contributions` those of the last one times their output weights. The losses are those after
    `epochs`, at the same weights.
    """

    settings: dict
    data: tuple[torch.Tensor, ...]  # X_train, y_train, X_val, y_val
    parameters: int
    curve: np.ndarray
    nodes: list[np.ndarray]
    contributions: np.ndarray
    bias: float
    epochs: np.ndarray
    train: np.ndarray
    val: np.ndarray
    note: str


class OwnRandomness(TorchDispatchMode):
    """Inside, this thread draws from a generator of its own and leaves the global one alone."""

    def __init__(self, seed: int):
        super().__init__()
        self.generator, self.drew = torch.Generator().manual_seed(seed), False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Hand the generator to every function that takes one."""
        kwargs, packet = kwargs or {}, func._overloadpacket
        twin = f"{func._overloadname}_generator".removeprefix("default_")
        if twin in packet.overloads():
            func = getattr(packet, twin)
        if any(argument.name == "generator" for argument in func._schema.arguments):
            kwargs, self.drew = {"generator": self.generator} | kwargs, True
            kwargs["generator"] = kwargs["generator"] or self.generator
        return func(*args, **kwargs)


def make_points(noise: float) -> tuple[torch.Tensor, ...]:
    """Return X_train, y_train (41, 1) and X_val, y_val (40, 1) of sin(2 x), every second point."""
    X = torch.linspace(-X_END, X_END, 81).unsqueeze(1)
    generator = torch.Generator().manual_seed(SEED)
    y = torch.sin(2 * X) + noise * torch.randn(X.shape, generator=generator)
    return X[::2], y[::2], X[1::2], y[1::2]


class Run:
    """A network in training: the learner's two functions on the points of some settings."""

    def __init__(self, build: Callable, train: Callable, settings: dict):
        self.settings, self.epoch, self.note = settings, 0, ""
        self._data, self._own = make_points(settings["noise"]), OwnRandomness(settings["seed"])
        shape = settings["width"], settings["depth"], ACTIVATIONS[settings["activation"]]
        with self._own:
            self._network = build(*shape)
            if not isinstance(self._network, nn.Module):
                name, kind = name_of(build, "model"), type(self._network).__name__
                raise inputs.InputError(f"{name} returned a {kind}: end it with `return` a module")
            self._steps = train(self._network, *self._data[:2], settings["lr"])
        if not hasattr(self._steps, "__next__"):
            raise inputs.InputError(
                f"{name_of(train, 'train')} is no generator: write `yield` after optimizer.step()"
            )
        self._own.drew = False
        self._losses = [self._measured()]

    def goes_on_to(self, settings: dict, goal: int) -> bool:
        """Tell whether this run comes by what is asked for."""
        return self.epoch <= goal and _begin(settings) == _begin(self.settings)

    def advance(self, goal: int, seconds: float = np.inf) -> None:
        """Let the learner's function train up to an epoch, or for some time."""
        end = time.monotonic() + seconds
        while self.epoch < goal and not self.note and time.monotonic() < end:
            watched = self.epoch < 2 or self._own.drew  # to watch a loop that draws nothing is slow
            with self._own if watched else contextlib.nullcontext():
                if next(self._steps, self) is self:
                    self.note = " Your function ended."
                    return
            self.epoch += 1
            if _is_kept(self.epoch):
                self._losses.append(self._measured())
                if not np.isfinite(self._losses[-1][1]):
                    self.note = " The loss is no number any more: is the learning rate too large?"

    def _measured(self) -> tuple[int, float, float]:
        """Return the epoch and both losses at the present weights."""
        X_train, y_train, X_val, y_val = self._data
        losses = [
            (self._told(X) - y).square().mean().item()
            for X, y in ((X_train, y_train), (X_val, y_val))
        ]
        return self.epoch, *losses

    def _told(self, X: torch.Tensor) -> torch.Tensor:
        """Return the predictions in evaluation mode; leave the network in the mode it has."""
        was_training = self._network.training
        self._network.eval()
        with torch.inference_mode():
            y_pred = self._network(X)
        self._network.train(was_training)
        if not torch.is_tensor(y_pred) or y_pred.shape != X.shape:
            shape = tuple(getattr(y_pred, "shape", ()))
            raise inputs.InputError(
                f"the network turns {tuple(X.shape)} into {shape}, expected {tuple(X.shape)}"
            )
        return y_pred

    def picture(self) -> Picture:
        """Return what the network does now, node by node.

        Raises
        ------
        InputError
            If the network has no nn.Linear, or its predictions are no column.
        """
        losses = self._losses[: -1 if self._losses[-1][0] == self.epoch else None]
        losses = np.array([*losses, self._measured()])
        layers = [part for part in self._network.modules() if isinstance(part, nn.Linear)]
        if not layers:
            raise inputs.InputError("the network has no nn.Linear, whose inputs are its nodes")
        taken: list[torch.Tensor] = []
        hooks = [
            layer.register_forward_pre_hook(lambda _, args: taken.append(args[0].detach()))
            for layer in layers
        ]
        curve = self._told(GRID)
        for hook in hooks:
            hook.remove()
        nodes = [hidden.T.double().numpy() for hidden in taken]
        weights = layers[-1].weight.detach()[0].double().numpy()
        bias = 0.0 if layers[-1].bias is None else layers[-1].bias[0].item()
        count = sum(parameter.numel() for parameter in self._network.parameters())
        return Picture(
            self.settings | {"epochs": self.epoch}, self._data, count, curve[:, 0].double().numpy(),
            nodes[1:], weights[:, None] * nodes[-1], bias, *losses.T, self.note,
        )  # fmt: skip


class NetworkExplorer(Explorer):
    """Build a network, play its training, and see what each hidden node adds to the curve.

    Parameters
    ----------
    model : callable (width, depth, activation) -> nn.Module
        The learner's own function. It makes a network from (N, 1) to (N, 1) with `depth` hidden
        layers of `width` nodes; `activation` is a class such as nn.Tanh.
    train : callable (model, X, y, lr) -> generator
        The learner's own loop, which yields after each epoch.

    Raises
    ------
    InputError
        If one of them cannot be called.
    """

    def __init__(self, model: Callable, train: Callable):
        are_functions(model=model, train=train)
        self._build, self._train = model, train
        self._run: Run | None = None
        self._served: dict = {}
        self._reached: int | None = None  # the epoch of a run that plays
        self._playing, self._painted, self._unseen, self._shown_at = False, 0, 0, 0.0
        controls = {
            "width": widgets.IntSlider(8, min=1, max=16, description="width"),
            "depth": widgets.IntSlider(1, min=1, max=3, description="depth"),
            "activation": widgets.Dropdown(options=[*ACTIVATIONS], description="activation"),
            "lr": widgets.SelectionSlider(options=LRS, value=0.01, description="learning rate"),
            "noise": widgets.FloatSlider(0.0, min=0, max=0.5, step=0.05, description="noise"),
            "seed": widgets.BoundedIntText(SEED, min=0, max=9999, description="start no."),
            "epochs": widgets.BoundedIntText(0, min=0, max=MOST_EPOCHS, description="epochs"),
        }
        controls["lr"].style.description_width = controls["seed"].style.description_width = "auto"
        self._button = widgets.Button(description="Play", tooltip="Train on, or pause")
        self._button.on_click(lambda _: self.pause() if self._playing else self.play())
        step = widgets.Button(description="Step", tooltip="Train for one epoch")
        step.on_click(lambda _: self.step())
        buttons = [self._button_for_another("start"), self._button, step]
        super().__init__(controls, [self._make_panels()], buttons)
        self.page.on_msg(self._page_has_painted)

    def _make_panels(self) -> widgets.Box:
        feature, target = (figures.FEATURE, -X_END, X_END), (figures.TARGET, *Y_ENDS)
        one = panels.Panel("Data and network", feature, target, width=355)
        two = panels.Panel("Last layer: what each node adds", feature, target, width=355)
        three = panels.Panel(
            "Loss after each epoch", ("epochs", 1, MOST_EPOCHS),
            ("MSE loss (squared unit of y)", *LOSSES), log_x=True, log_y=True, width=355,
        )  # fmt: skip
        four = panels.Panel("Each node's output", ("hidden layer", 0.5, 3.5), ("", 0, 1), width=355)
        four.figure.axes[0].tick_values, four.figure.axes[1].visible = [1, 2, 3], False
        thin = {"stroke_width": 1.5, "display_legend": False}
        self._marks = {
            "truth": one.line("truth", "truth"),
            "rows": one.points("train", "train"),
            "held": one.points("validation", "validation"),
            "curve": one.line("network"),
            "added": two.line("a node", "train", **thin),
            "sum": two.line("sum of all + bias"),
            "train": three.line("train", "train"),
            "val": three.line("validation", "validation"),
            "nodes": four.line("a node", "train", **thin),
        }
        x = GRID[:, 0].numpy()
        panels.put(self._marks["truth"], x, np.sin(2 * x))
        layout = {"flex_flow": "row wrap", "max_width": "730px"}
        return widgets.Box([p.figure for p in (one, two, three, four)], layout=layout)

    # What a caller uses.

    @property
    def settings(self) -> dict:
        """The present values of all controls; while it plays, the epochs that are shown."""
        reached = {} if self._reached is None else {"epochs": self._reached}
        return super().settings | reached

    def play(self) -> None:
        """Train on, from the epoch that is shown, until `pause` or the last epoch."""
        with self._work_to_do:
            self._set_playing(self.settings["epochs"] < MOST_EPOCHS)
            self._changed()
            self._wanted["epochs"] = None  # from where the run is, however far that may be

    def pause(self) -> None:
        """Stop after the present epoch; `play` goes on from there."""
        with self._work_to_do:
            self._set_playing(False)

    def step(self) -> None:
        """Pause, or train for one more epoch."""
        with self._work_to_do:
            if self._playing:
                self.pause()
            elif self.settings["epochs"] < MOST_EPOCHS:
                self.set(epochs=self.settings["epochs"] + 1)

    def set(self, **values: object) -> None:
        """Move controls from code; `epochs` is how far to train. See `Explorer.set`.

        Raises
        ------
        InputError
            If there is no such control, or it cannot take the value. Then none has moved.
        """
        with self._work_to_do:
            if "epochs" in values:
                self.pause()
                self._reached = None
            super().set(**values)

    def settle(self, timeout: float = 60.0) -> None:
        """Pause if it plays, and wait until the last value is drawn. See `Explorer.settle`."""
        self.pause()
        super().settle(timeout)

    # settings -> picture

    def compute(self, settings: dict) -> Picture:
        """Train from the start for as many epochs as the settings say."""
        run = Run(self._build, self._train, settings)
        run.advance(settings["epochs"])
        return run.picture()

    def draw(self, result: Picture) -> None:
        """Set all marks; what leaves the axes ends at their edge."""
        put, marks, x = panels.put, self._marks, GRID[:, 0].numpy()
        X_train, y_train, X_val, y_val = (column[:, 0].numpy() for column in result.data)
        put(marks["rows"], X_train, y_train)
        put(marks["held"], X_val, y_val)
        put(marks["curve"], x, np.clip(result.curve, -9, 9))
        put(marks["sum"], x, np.clip(result.curve, -9, 9))
        put(marks["added"], x, np.clip(result.contributions, -9, 9))
        for name in ("train", "val"):
            losses = np.nan_to_num(getattr(result, name), nan=np.inf)
            put(marks[name], result.epochs[1:], np.clip(losses, LOSSES[0] / 9, LOSSES[1] * 9)[1:])
        put(marks["nodes"], *_small(result.nodes))

    def summary(self, result: Picture) -> str:
        """Tell the settings and both losses."""
        s = result.settings
        train, val = (as_text(losses[-1], least=1e-6) for losses in (result.train, result.val))
        said = (
            f"{s['activation']}, width {s['width']}, depth {s['depth']} "
            f"({count(result.parameters, 'parameter')}), lr {as_text(s['lr'])}, noise "
            f"{as_text(s['noise'])}, epoch {s['epochs']:,}: training loss {train}, "
            f"validation loss {val}.{result.note}"
        )
        stays = s["epochs"] >= 10 and np.ptp(result.train) == 0
        return f"{said} The loss has not moved: does your loop step?" if stays else said

    def still(self, result: Picture) -> Chart:
        """Return points and curve as a chart."""
        X_train, y_train, X_val, y_val = (column[:, 0].numpy() for column in result.data)
        series = (
            Series("train", X_train, y_train, role="train"),
            Series("validation", X_val, y_val, role="validation"),
            Series("network", GRID[:, 0].numpy(), result.curve, "line", "prediction"),
        )
        return Chart(series, figures.FEATURE, figures.TARGET, self.summary(result))

    def as_code(self, settings: dict) -> str:
        """Return the cell that trains the learner's network to the same two losses."""
        width, depth, lr = settings["width"], settings["depth"], settings["lr"]
        kind = ACTIVATIONS[settings["activation"]].__name__
        return self._cell(
            f"X = torch.linspace(-{X_END:g}, {X_END:g}, 81).unsqueeze(1)\n"
            f"generator = torch.Generator().manual_seed({SEED})\n"
            f"y = torch.sin(2 * X) + {settings['noise']} * "
            "torch.randn(X.shape, generator=generator)\n"
            "X_train, y_train, X_val, y_val = X[::2], y[::2], X[1::2], y[1::2]\n"
            "with torch.random.fork_rng():  # what the notebook draws next stays the same\n"
            f"    torch.manual_seed({settings['seed']})\n"
            f"    network = model({width}, {depth}, torch.nn.{kind})\n"
            f"    steps = train(network, X_train, y_train, {lr})\n"
            f"    for epoch, _ in zip(range({settings['epochs']}), steps):\n"
            "        pass  # your function does the work\n"
            "with torch.inference_mode():\n"
            "    train_loss = (y_train - network(X_train)).square().mean().item()\n"
            "    val_loss = (y_val - network(X_val)).square().mean().item()\n"
            "return train_loss, val_loss",
            model=self._build,
            train=self._train,
        )

    # How it plays.

    def _changed(self, change: object = None) -> None:
        with self._work_to_do:
            typed = change is not None and change["owner"] is self._controls["epochs"]
            if typed and not self._holding:
                self._set_playing(False)
                self._reached = None
            super()._changed(change)

    def _set_playing(self, playing: bool) -> None:
        self._playing, self._unseen = playing, 0
        self._button.description = "Pause" if playing else "Play"
        self._work_to_do.notify_all()

    def _is_interrupted(self) -> bool:
        """Tell whether what runs is of no use: not if more of the same is wanted."""
        wanted = self._wanted is not None and _begin(self._wanted) != _begin(self._served)
        return self._stop or wanted

    def _serve(self, settings: dict) -> None:
        """Train in slices, with a picture after each, until the epoch that is wanted."""
        if settings["epochs"] is None:
            goes_on = self._run is not None and self._run.goes_on_to(settings, MOST_EPOCHS)
            here = self._run.epoch if goes_on else self._controls["epochs"].value
            settings["epochs"] = here
        self._served, playing, more = settings, self._playing, True
        while more:
            goal = MOST_EPOCHS if playing else settings["epochs"]
            answers = self._aside(self._train_on, self._run, settings, goal)
            self._run = None  # what was ended in mid-step is of no use
            if not answers or isinstance(answers[0], BaseException):
                self._end(*answers)
                return
            self._run, picture = answers[0]
            self._leave_time(playing)
            with self._work_to_do:
                goal = self._run.epoch if playing else goal
                more = self._comes_next(self._run, goal)
                playing, state = self._playing, "playing" if more or self._wanted else "shown"
            self._present(picture, state)

    def _train_on(self, run: Run | None, settings: dict, goal: int) -> tuple[Run, Picture]:
        torch.get_num_threads()  # a new thread only knows the number after it was asked for
        if run is None or not run.goes_on_to(settings, goal):
            run = Run(self._build, self._train, settings)
        run.advance(goal, SLICE)
        return run, run.picture()

    def _comes_next(self, run: Run, goal: int) -> bool:
        """Tell whether to train on; note where the run is, or rest there."""
        if self._wanted is not None:
            return False
        more = run.epoch < (MOST_EPOCHS if self._playing else goal) and not run.note
        if not more:
            self._rest(run.epoch)
        elif self._playing:
            self._reached = run.epoch
        return more

    def _rest(self, epoch: int) -> None:
        """Put the control of the epochs where the run has come."""
        self._set_playing(False)
        self._reached = None
        self._holding = True
        self._controls["epochs"].value = epoch
        self._holding = False

    def _end(self, error: BaseException | None = None) -> None:
        """Stop playing after an error or the stop button, but not for newer settings."""
        with self._work_to_do:
            if self._wanted is None:
                self._set_playing(False)
                if error is None and self.result is not None:
                    self._rest(self.result.settings["epochs"])
                    self.page.say(
                        f"{self.summary(self.result)} Your function was stopped.", "error"
                    )
        if error is not None:
            raise error

    def _leave_time(self, playing: bool) -> None:
        """Let the page paint the last picture, and other cells run, unless a hand is waiting."""
        with self._work_to_do:

            def woken() -> bool:
                return self._stop or self._wanted is not None or playing != self._playing

            if self.page.is_listening and self.page.state == "playing":
                due = self._shown_at + PERIOD - time.monotonic()
                self._work_to_do.wait_for(woken, max(due, 0.005))
                told = self.page.picture["count"] - ON_THE_WAY
                seen = self._work_to_do.wait_for(lambda: woken() or self._painted >= told, PAINTING)
                self._unseen = 0 if seen else self._unseen + 1
                if self._unseen > UNSEEN:
                    self._set_playing(False)
            self._shown_at = time.monotonic()

    def _page_has_painted(self, _page: object, content: object, _buffers: object) -> None:
        if isinstance(content, dict) and isinstance(content.get("painted"), int):
            with self._work_to_do:
                self._painted = content["painted"]
                self._work_to_do.notify_all()


def _begin(settings: dict) -> dict:
    """Return what a run begins with: all but how far it goes."""
    return settings | {"epochs": 0}


def _is_kept(epoch: int) -> bool:
    """Tell whether the losses after an epoch stay on the curve: some 20 to a doubling or fewer."""
    return epoch < 100 or epoch % (10 ** len(str(epoch)) // 200) == 0


def _small(layers: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return a small curve for each node: a layer a column, the first node on top."""
    x, y = [], []
    for number, nodes in enumerate(layers, 1):
        for place, values in enumerate(nodes[:, ::4]):
            size = max(np.abs(values).max(), 1e-9)
            x.append(number + 0.42 * np.linspace(-1, 1, len(values)))
            y.append(1 - (place + 0.5 - 0.42 * values / size) / len(nodes))
    return np.array(x), np.array(y)
