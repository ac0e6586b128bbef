"""Runs of a training loop by formula: data, order of the rows, paths of many learning rates."""

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from course_utils import descent, inputs

SEED = 420
EPOCHS = (
    *range(1, 6), 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400,
    500, 600, 800, 1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000,
)  # fmt: skip
LEVELS = (2_000, 5_000, 60_000)  # steps: how far runs are known, from one horizon to the next
MOST_ROWS = 2_000_000  # rows dealt in a run; beyond it and beyond the last level it is cut short
_RATES = (1, 1.1, 1.2, 1.4, 1.6, 1.8, 2, 2.2, 2.5, 2.8, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9)


class Start(NamedTuple):
    """The parameters before the first step."""

    weight: float
    bias: float


class Data(NamedTuple):
    """Training and validation rows, each (N, 1), float64 so that loop and formula agree."""

    X_train: torch.Tensor
    y_train: torch.Tensor
    X_val: torch.Tensor
    y_val: torch.Tensor


class Rows(TensorDataset):
    """A TensorDataset that hands out a whole batch at once, which is faster."""

    def __getitems__(self, rows: list[int]) -> tuple[torch.Tensor, ...]:
        """Return the rows of each tensor."""
        return tuple(tensor[rows] for tensor in self.tensors)


def loader(X: torch.Tensor, y: torch.Tensor, batch_size: int) -> DataLoader:
    """Return the shuffling loader that the learner's function gets: always the same order."""
    generator = torch.Generator().manual_seed(SEED)
    return DataLoader(Rows(X, y), batch_size, shuffle=True, generator=generator, collate_fn=tuple)


class Order:
    """The order in which such a loader deals n rows, taken from a real DataLoader.

    It draws more from its generator than one permutation an epoch, but the same for any batch size.
    """

    def __init__(self, n: int):
        self._n, self._lock = n, threading.Lock()
        self._begin()

    def _begin(self) -> None:
        n, self._epochs, generator = self._n, [], torch.Generator().manual_seed(SEED)
        self._loader = DataLoader(
            range(n), n, shuffle=True, generator=generator, collate_fn=np.asarray
        )

    def batches(self, batch_size: int, epochs: int) -> list[np.ndarray]:
        """Return the rows of each step."""
        with self._lock:  # two threads may ask, and one of them may be ended meanwhile
            try:
                while len(self._epochs) < epochs:
                    self._epochs += self._loader  # one batch of n rows
            except BaseException:
                self._begin()
                raise
            order = self._epochs[:epochs]
        return [
            rows[first : first + batch_size]
            for rows in order
            for first in range(0, self._n, batch_size)
        ]


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Return ceil(n / batch_size)."""
    return -(-n // batch_size)


def most_epochs(n: int, batch_size: int) -> int:
    """Return for how many epochs such runs are followed."""
    fits = min(MOST_ROWS // n, LEVELS[-1] // steps_per_epoch(n, batch_size))
    return max(epochs for epochs in EPOCHS if epochs <= max(fits, 1))


def is_affine(loss: str, optimizer: str) -> bool:
    """Tell whether the path is affine in the targets: SGD on MSE."""
    return (loss, optimizer) == ("mse", "sgd")


def horizon(n: int, batch_size: int, epochs: int, affine: bool) -> int:
    """Return how many epochs to compute at once when `epochs` are asked for."""
    per_epoch, most = steps_per_epoch(n, batch_size), most_epochs(n, batch_size)
    levels = LEVELS[1:] if affine else LEVELS  # an affine path is not followed anew for each noise
    level = next((level for level in levels if level >= epochs * per_epoch), LEVELS[-1])
    return max(e for e in EPOCHS if e <= min(max(level // per_epoch, 1), most))


def kept_steps(n: int, batch_size: int, epochs: int, points: int = 120) -> np.ndarray:
    """Return which steps are drawn: 0, the end of each offered epoch and a few in between."""
    per_epoch = steps_per_epoch(n, batch_size)
    ends = per_epoch * np.array([e for e in EPOCHS if e <= epochs])
    between = np.geomspace(1, epochs * per_epoch, points).round().astype(int)
    return np.unique(np.concatenate([[0], ends, between]))


def rates(limit: float) -> list[float]:
    """Return the learning rates offered: three decades that hold the stable limit."""
    top = int(np.ceil(np.log10(limit) - 0.1))
    exact = [float(f"{n}e{k}") for k in range(top - 3, top + 1) for n in _RATES]
    return [rate for rate in exact if rate <= float(f"3e{top}")]


class Sweep:
    """Paths of all learning rates on the same batches, remembered where a move can use them again.

    SGD on MSE is affine in the targets: the path for y + noise * draw is the path for y plus noise
    times the path for the draw that starts at 0. So the noise needs no new run.
    """

    def __init__(self, lrs: Sequence[float], start: Start, order: Order):
        self._lrs, self._start, self.order = np.array(lrs), start, order
        self._known: dict[tuple, tuple[descent.Path, ...]] = {}

    def __call__(
        self,
        X: torch.Tensor,
        clean: torch.Tensor,
        draw: torch.Tensor,
        noise: float,
        batch_size: int,
        loss: str,
        optimizer: str,
        epochs: int,
    ) -> descent.Path:
        """Return the paths at `kept_steps` for the targets clean + noise * draw."""
        affine = is_affine(loss, optimizer)
        key = (batch_size, loss, optimizer, epochs, None if affine else noise)
        if key not in self._known:
            batches = self.order.batches(batch_size, epochs)  # up to 60,000 slices
            keep = kept_steps(len(X), batch_size, epochs)
            options = {"loss": loss, "optimizer": optimizer, "keep": keep}
            targets = [clean, draw] if affine else [clean + noise * draw]
            starts = [self._start._asdict(), {}]
            paths = tuple(
                descent.descend(X, y, self._lrs, batches, **options, **start)
                for y, start in zip(targets, starts, strict=False)
            )
            self._known = dict([*self._known.items(), (key, paths)][-4:])
        first, *rest = self._known[key]
        with np.errstate(over="ignore", invalid="ignore"):
            for slope in rest:
                first = descent.Path(*(a + noise * b for a, b in zip(first, slope, strict=True)))
        return first


def contours(X: torch.Tensor, y: torch.Tensor, loss: str, start: Start, half: tuple):
    """Return lines of equal loss around the least-squares line: two arrays of shape (6, 49).

    From a point inside, the loss of a line grows along every direction, because it is convex: the
    radius at which it passes a level is found by bisection. `half` is the size of the picture.
    """
    few = slice(None, None, -(-len(X) // 400))
    X, y = X[few], y[few]
    weight, bias = least_squares(X, y)
    low, high = (float(descent.mean_loss(X, y, *at, loss=loss)) for at in ((weight, bias), start))
    levels = low + max(high - low, 1e-9) * 4.0 ** np.arange(1, -5, -1)[:, None]
    angle = np.linspace(0, 2 * np.pi, 49)
    dw, db = half[0] * np.cos(angle), half[1] * np.sin(angle)
    inside, outside = np.zeros((6, 49)), np.full((6, 49), 4.0)
    for _ in range(12):
        middle = (inside + outside) / 2
        below = (
            descent.mean_loss(X, y, weight + middle * dw, bias + middle * db, loss=loss) < levels
        )
        inside, outside = np.where(below, middle, inside), np.where(below, outside, middle)
    return weight + inside * dw, bias + inside * db


def least_squares(X: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Return weight and bias of the line with the smallest MSE (the flattest one if many have it).

    Raises
    ------
    InputError
        If X and y are not matching finite columns.
    """
    x, targets = inputs.pair(X, y)
    columns = np.stack([x, np.ones_like(x)], axis=1)
    weight, bias = np.linalg.lstsq(columns, targets, rcond=None)[0]
    return float(weight), float(bias)
