"""What is exact about NetworkExplorer: data, first weights, and Adam's path, in numpy and float64.

The page computes the same (stage/mlp.js), and the learner's loop is held against it.
"""

import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from course_utils import inputs

SEED, X_END, MOST_EPOCHS = 420, 3.0, 20_000
ACTIVATIONS = {"tanh": nn.Tanh, "ReLU": nn.ReLU, "sigmoid": nn.Sigmoid, "none": nn.Identity}
_FUNCTIONS = {  # of the sum, and the slope as it follows from the output
    "tanh": (np.tanh, lambda h: 1 - h * h),
    "ReLU": (lambda z: np.maximum(z, 0), lambda h: h > 0),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda h: h * (1 - h)),
    "none": (lambda z: z, np.ones_like),
}


class Points(NamedTuple):
    """81 places and sin(2 x) there, and what noise of 1 adds; every second point is held out."""

    X: torch.Tensor
    clean: torch.Tensor
    draw: torch.Tensor

    def split(self, noise: float) -> tuple[torch.Tensor, ...]:
        """Return X_train, y_train (41, 1) and X_val, y_val (40, 1)."""
        y = self.clean + noise * self.draw
        return self.X[::2], y[::2], self.X[1::2], y[1::2]


def make_points() -> Points:
    """Draw them, float64 from float32, as the notebook's cell does."""
    X = torch.linspace(-X_END, X_END, 81).unsqueeze(1).double()
    draw = torch.randn(X.shape, generator=torch.Generator().manual_seed(SEED))
    return Points(X, torch.sin(2 * X), draw.double())


POINTS = make_points()
GRID = np.linspace(-3.2, 3.2, 129)[:, None]


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


def start(width: int, depth: int, seed: int) -> list[np.ndarray]:
    """Return weight and bias of each layer as nn.Linear draws them after torch.manual_seed."""
    sizes = [1, *[width] * depth, 1]
    with OwnRandomness(seed):
        layers = [nn.Linear(*pair) for pair in itertools.pairwise(sizes)]
    return [part.detach().double().numpy() for layer in layers for part in layer.parameters()]


def forward(parameters: list[np.ndarray], activation: str, X: np.ndarray) -> list[np.ndarray]:
    """Return X and what every layer gives for it, one node a column."""
    given, last = [X], len(parameters) - 2
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(0, len(parameters), 2):
            z = given[-1] @ parameters[k].T + parameters[k + 1]
            given.append(z if k == last else _FUNCTIONS[activation][0](z))
    return given


def gradient(
    parameters: list[np.ndarray], activation: str, X: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the MSE and its gradient as a flat array, layer by layer."""
    given, parts = forward(parameters, activation, X), []
    with np.errstate(over="ignore", invalid="ignore"):
        residuals = given.pop() - y
        slope = 2 * residuals / len(y)
        for k in range(len(parameters) - 2, -1, -2):
            below = given.pop()
            parts = [(slope.T @ below).ravel(), slope.sum(axis=0), *parts]
            slope = (slope @ parameters[k]) * _FUNCTIONS[activation][1](below)
        return np.mean(residuals**2), np.concatenate(parts)


class Adam:
    """Adam's moments; `step` returns by how much each parameter moves."""

    def __init__(self):
        self._m, self._v, self._steps = 0.0, 0.0, 0

    def step(self, gradient: np.ndarray, lr: float) -> np.ndarray:
        """Take one more gradient into the moments."""
        self._steps += 1
        self._m = self._m + (gradient - self._m) * (1 - 0.9)
        self._v = 0.999 * self._v + (1 - 0.999) * gradient**2
        root = np.sqrt(self._v) / np.sqrt(1 - 0.999**self._steps)
        return -lr / (1 - 0.9**self._steps) * self._m / (root + 1e-8)


class Part(NamedTuple):
    """Learning rate and noise of the epochs until one."""

    until: float
    lr: float
    noise: float


def parts(settings: dict) -> list[Part]:
    """Return with which rates and noises a run was trained; the last part is the present one.

    Raises
    ------
    InputError
        If `changes` is no list such as "600:0.01:0.2;900:0.003:0.2".
    """
    found, text = [], settings["changes"]
    for piece in filter(None, text.split(";")):
        try:
            part = Part(*map(float, piece.split(":")))
        except (TypeError, ValueError):
            part = Part(0, 0, 0)
        if not (found[-1].until if found else 0) < part.until <= MOST_EPOCHS or not part.lr > 0:
            raise inputs.InputError(
                f"changes is {inputs.short(text)}, expected parts such as 600:0.01:0.2 (until "
                "epoch 600 learning rate 0.01, noise 0.2), split by semicolons, in order"
            )
        found.append(part)
    return [*found, Part(np.inf, settings["lr"], settings["noise"])]


def walk(settings: dict) -> Iterator[Part]:
    """Yield the part in force at each epoch from 0 to the last one that is asked for."""
    remaining = parts(settings)
    for epoch in range(int(settings["epochs"]) + 1):
        while epoch >= remaining[0].until:
            remaining.pop(0)
        yield remaining[0]


class Path(NamedTuple):
    """The losses after each epoch, from 0 on, and what the network gives on the grid at the end."""

    train: np.ndarray
    val: np.ndarray
    curve: np.ndarray


def path(settings: dict) -> Path:
    """Return the run of the settings: float64, Adam on all 41 rows at once."""
    return _path(tuple(sorted(settings.items())))


@lru_cache(maxsize=8)
def _path(items: tuple) -> Path:
    settings, adam, losses, data, was = dict(items), Adam(), [], (), None
    parameters = start(int(settings["width"]), int(settings["depth"]), int(settings["seed"]))
    kind, last = settings["activation"], None
    for part in walk(settings):
        if last is not None:
            add(parameters, adam.step(last, was.lr))
        if was is None or part.noise != was.noise:
            data = [column.numpy() for column in POINTS.split(part.noise)]
        was = part
        train, last = gradient(parameters, kind, *data[:2])
        val = np.mean((forward(parameters, kind, data[2])[-1] - data[3]) ** 2)
        losses.append((train, val))
    train, val = np.array(losses).T
    return Path(train, val, forward(parameters, kind, GRID)[-1][:, 0])


def add(parameters: list[np.ndarray], change: np.ndarray) -> None:
    """Move parameters in place by a flat array."""
    at = 0
    for part in parameters:
        part += change[at : at + part.size].reshape(part.shape)
        at += part.size
