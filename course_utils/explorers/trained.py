"""A learner's network and loop, epoch by epoch: what they do, and whether each step is Adam's."""

import contextlib
import textwrap
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from course_utils import inputs
from course_utils.explorers import mlp
from course_utils.explorers.base import name_of

_STEP = 1e-5  # how far a step may be from Adam's, as a part of the learning rate
_LOSS = 1e-6  # relative; beyond it two runs count as apart


class Training(NamedTuple):
    """The learner's losses after each epoch, from 0 (before training) on."""

    train: np.ndarray
    val: np.ndarray


def made(build: Callable, settings: dict) -> tuple[nn.Module, mlp.OwnRandomness]:
    """Return the learner's network with its first weights, drawn with the seed.

    Raises
    ------
    InputError
        If `build` returns no module.
    """
    own = mlp.OwnRandomness(int(settings["seed"]))
    shape = int(settings["width"]), int(settings["depth"]), mlp.ACTIVATIONS[settings["activation"]]
    with own:
        network = build(*shape)
    if not isinstance(network, nn.Module):
        name, kind = name_of(build, "build"), type(network).__name__
        raise inputs.InputError(f"{name} returned a {kind}: end it with `return` a module")
    return network, own


def unlike(network: nn.Module, settings: dict) -> str:
    """Say in what a network is not the one that the page draws; "" if in nothing."""
    right = mlp.start(int(settings["width"]), int(settings["depth"]), int(settings["seed"]))
    mine = [parameter.detach().double().numpy() for parameter in network.parameters()]
    if [part.shape for part in mine] != [part.shape for part in right]:
        counts = [sum(part.size for part in some) for some in (mine, right)]
        more = "in other layers" if counts[0] == counts[1] else f"expected {counts[1]:,}"
        return f"it has {counts[0]:,} parameters, {more}"
    if not all(np.array_equal(*pair) for pair in zip(mine, right, strict=True)):
        return "its first weights are not those that nn.Linear draws"
    outputs = mlp.forward(right, settings["activation"], mlp.POINTS.X.numpy())[-1]
    found = np.column_stack([told(network, mlp.POINTS.X.float()).numpy() for _ in range(2)])
    same = np.allclose(found, outputs, rtol=1e-4, atol=1e-5)
    return (
        ""
        if same
        else "it turns the same weights into other outputs: is the activation the given one?"
    )


def told(network: nn.Module, X: torch.Tensor) -> torch.Tensor:
    """Return a network's predictions in the mode it is in.

    Raises
    ------
    InputError
        If they are no column with a row for each of X.
    """
    with torch.no_grad():  # under inference_mode OwnRandomness does not see dropout
        y_pred = network(X)
    if not torch.is_tensor(y_pred) or y_pred.shape != X.shape:
        shape = tuple(getattr(y_pred, "shape", ()))
        raise inputs.InputError(
            f"the network turns {tuple(X.shape)} into {shape}, expected {tuple(X.shape)}"
        )
    return y_pred


class Learners:
    """The learner's functions on the points of some settings.

    A network that the page follows trains in float64 like the page, another one in its own float32.
    """

    def __init__(self, build: Callable, train: Callable, settings: dict):
        self.network, self._own = made(build, settings)
        with mlp.OwnRandomness(0):
            self.unlike = unlike(self.network, settings)
        self.settings, self.followed = settings, not self.unlike
        self._dtype = torch.float64 if self.followed else torch.float32
        self.network.to(self._dtype)
        self._walk = mlp.walk(settings)
        self._part = next(self._walk)
        self._data = [column.to(self._dtype) for column in mlp.POINTS.split(self._part.noise)]
        with self._own:
            self._steps = train(self.network, *self._data[:2], self._part.lr)
        if not hasattr(self._steps, "__next__"):
            raise inputs.InputError(
                f"{name_of(train, 'train')} is not a generator: "
                "write `yield` after optimizer.step()"
            )
        self._own.drew = False
        self.losses, self.problem, self.steered = [self._measured()], "", True
        self._adam, self._parameters = mlp.Adam(), list(self.network.parameters())

    def run(self) -> None:
        """Train to the last epoch, or until a step is not Adam's, which `problem` then says."""
        torch.get_num_threads()  # a new thread only knows the number after it was asked for
        watched = True  # to watch a loop that draws nothing is slow
        for epoch, part in enumerate(self._walk, 1):
            checked = self.followed and not self.problem
            before = self._flat() if checked else None
            with self._own if watched else contextlib.nullcontext():
                if next(self._steps, self) is self:
                    self.problem = f"at epoch {epoch}: it ended: does it `yield` in a `while True`?"
                    return
            watched = epoch < 2 or self._own.drew
            if checked:
                self._check(epoch, before, self._part.lr)
            if part != self._part and not self._steer(part):
                self.steered = False
                return
            self.losses.append(self._measured())

    def _flat(self) -> list[np.ndarray]:
        return [part.detach().numpy().copy() for part in self._parameters]

    def _check(self, epoch: int, before: list[np.ndarray], lr: float) -> None:
        X, y = (column.numpy() for column in self._data[:2])
        slope = mlp.gradient(before, self.settings["activation"], X, y)[1]
        right = self._adam.step(slope, lr)
        after = self._flat()
        walked = np.concatenate([(b - a).ravel() for a, b in zip(before, after, strict=True)])
        size = np.concatenate([part.ravel() for part in before])
        if np.all(np.abs(walked - right) <= _STEP * lr + 1e-12 * np.abs(size)):
            return
        if not np.isfinite(walked).all():
            hint = "the weights are no longer numbers."
        elif not walked.any():
            hint = "the weights stay: does the optimizer step?"
        elif epoch == 1:
            hint = "is the optimizer Adam, and the loss the MSE of all rows?"
        else:
            hint = "are gradients reset?" if epoch == 2 else "does the loop change on the way?"
        self.problem = f"at epoch {epoch}: {hint}"

    def _steer(self, part: mlp.Part) -> bool:
        """Change the noise in the rows, and the rate in the loop's own optimizer if it is found."""
        for mine, column in zip(self._data, mlp.POINTS.split(part.noise), strict=True):
            mine.copy_(column)
        names = getattr(getattr(self._steps, "gi_frame", None), "f_locals", {})
        found = [value for value in names.values() if hasattr(value, "param_groups")]
        for group in [group for optimizer in found for group in optimizer.param_groups]:
            group["lr"] = part.lr
        done = part.lr == self._part.lr or len(found) == 1
        self._part = part
        return done

    def _measured(self) -> tuple[float, float]:
        was_training, X_train, y_train, X_val, y_val = self.network.training, *self._data
        self.network.eval()
        losses = [
            (told(self.network, X) - y).square().mean().item()
            for X, y in ((X_train, y_train), (X_val, y_val))
        ]
        self.network.train(was_training)
        return tuple(losses)

    def curve(self) -> np.ndarray:
        """Return what the network gives on the grid now."""
        self.network.eval()
        return told(self.network, torch.tensor(mlp.GRID, dtype=self._dtype))[:, 0].double().numpy()


def verdict(learners: Learners, expected: bool = True) -> tuple[bool | None, str]:
    """Say whether the learner's run is Adam's on the page's network, step by step.

    Parameters
    ----------
    learners : Learners
        After its run.
    expected : bool
        Whether the page draws its own network; otherwise it waits for the learner's.
    """
    if not learners.steered:
        return None, "your loop takes one learning rate, and this one changed on the way."
    if learners.problem:
        return False, learners.problem
    if not learners.followed:
        return (False if expected else None), f"your network is another one: {learners.unlike}."
    epochs = len(learners.losses) - 1
    if epochs == 0:
        return True, "the same network with the same first weights."
    right = mlp.path(learners.settings).train
    apart = ~(np.abs(np.array(learners.losses)[:, 0] - right) <= _LOSS * right)
    said = f"all {epochs:,} epochs" if epochs > 1 else "the epoch"
    if not apart.any():
        return True, f"{said}, step by step."
    last = int(np.argmax(apart)) - 1
    return True, f"{said} are Adam's steps; rounding parts the two losses after epoch {last:,}."


def code(settings: dict, build: str, train: str, double: bool) -> str:
    """Return the lines that train the learner's network with the learner's loop.

    Parameters
    ----------
    settings : dict
        The state.
    build, train : str
        How the notebook calls the two functions.
    double : bool
        Whether in float64, as a network that the page follows.
    """
    epochs, double = int(settings["epochs"]), ".double()" if double else ""
    parts, begins = mlp.parts(settings), [0]
    begins += [int(part.until) for part in parts[:-1]]
    now = [(b, part) for b, part in zip(begins, parts, strict=True) if b <= epochs]
    ends = [*[begin for begin, _ in now[1:]], epochs]
    kind = mlp.ACTIVATIONS[settings["activation"]].__name__
    lines = f"""\
X = torch.linspace(-3, 3, 81).unsqueeze(1){double}
draw = torch.randn(X.shape, generator=torch.Generator().manual_seed({mlp.SEED})){double}
y = torch.sin(2 * X) + {parts[0].noise!r} * draw
torch.manual_seed({settings["seed"]})
network = {build}({settings["width"]}, {settings["depth"]}, torch.nn.{kind}){double}
steps = {train}(network, X[::2], y[::2], {parts[0].lr!r})
"""
    for (begin, part), end in zip(now, ends, strict=True):
        if begin:  # the rows and the loop's optimizer are changed where they are
            lines += f"y.copy_(torch.sin(2 * X) + {part.noise!r} * draw)\n"
            lines += "for value in list(steps.gi_frame.f_locals.values()):\n"
            lines += '    for group in getattr(value, "param_groups", []):\n'
            lines += f'        group["lr"] = {part.lr!r}\n'
        if end > begin:
            lines += f"for _ in range({end - begin}):\n    next(steps)\n"
    lines += """\
with torch.inference_mode():
    squares = (network(X) - y).square()
return squares[::2].mean().item(), squares[1::2].mean().item()"""
    return f"with torch.random.fork_rng():\n{textwrap.indent(lines, '    ')}"
