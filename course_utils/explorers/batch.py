"""BatchExplorer: which rows a DataLoader puts into a batch, and how many steps an epoch has."""

import functools
import itertools
from dataclasses import replace
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from torch.utils.data import DataLoader, default_collate

from course_utils import figures, inputs
from course_utils.charts import as_text, count, drawn
from course_utils.explorers import panels
from course_utils.explorers.base import Explorer, Verdict

LARGEST_BATCH = 1_000
PARTS = ("to come", "used before", "left out", "this batch")


class Batch(NamedTuple):
    """One step of an epoch; rows are numbers of dataset items, features (N, 1) their x."""

    features: np.ndarray
    order: np.ndarray
    left_out: np.ndarray
    size: int
    step: int
    steps: int

    @property
    def ends(self) -> tuple[int, int]:
        """Where the batch begins and ends in the order of the epoch."""
        return (self.step - 1) * self.size, min(self.step * self.size, len(self.order))

    @property
    def rows(self) -> np.ndarray:
        """The rows of this batch."""
        return self.order[slice(*self.ends)]


class BatchExplorer(Explorer):
    """Walk through an epoch batch by batch.

    A real DataLoader runs over the row numbers; once the controls rest, one with the same seed
    runs over the dataset itself, and both have to hand out the same batch.

    Parameters
    ----------
    dataset : Dataset of (x, y), each of shape (1,)
        Anything with `len(dataset)` and `dataset[index]`, such as a TensorDataset or a Subset.
    seed : int
        Seed of the loader's generator.
    xlabel, ylabel : str
        Axis labels with units.

    Raises
    ------
    InputError
        If the dataset has no length, is empty, or its items are no pairs of finite numbers.
    """

    def __init__(
        self,
        dataset: object,
        seed: int = 420,
        *,
        xlabel: str = figures.FEATURE,
        ylabel: str = figures.TARGET,
    ):
        self._dataset, self._seed = dataset, inputs.count("seed", seed, low=0)
        self._labels = {"xlabel": xlabel, "ylabel": ylabel}
        self._X, self._y = _columns(dataset)
        self._x, self._targets = inputs.pair(self._X, self._y)
        self._epoch = functools.lru_cache(maxsize=8)(self._run_epoch)
        n = len(self._x)
        data = panels.Panel(
            "This batch among the data", _axis(xlabel, self._x), _axis(ylabel, self._targets)
        )
        ends = -0.02 * n - 1, 1.04 * n
        order = panels.Panel(
            "Order of the epoch", ("place in the epoch", *ends), ("row of the dataset", *ends)
        )
        self._by_value = {part: _mark(data, part) for part in PARTS}
        self._by_place = {part: _mark(order, part, display_legend=False) for part in PARTS}
        largest = min(n, LARGEST_BATCH)
        size = widgets.IntSlider(
            min(16, n), min=1, max=largest, description="batch size", readout_format=",d"
        )
        drop_last = widgets.Checkbox(False, description="drop_last", indent=False)
        self._step = widgets.IntSlider(1, min=1, max=n, description="step", readout_format=",d")
        self._play = widgets.Play(1, min=1, max=n, interval=400, description="steps")
        self._link = widgets.jslink((self._play, "value"), (self._step, "value"))
        for control in (size, drop_last):  # before the base listens: it then sees a valid step
            control.observe(lambda _: self._limit(n, size.value, drop_last.value), "value")
        self._limit(n, size.value, drop_last.value)
        controls = {
            "batch_size": size,
            "shuffle": widgets.Checkbox(True, description="shuffle", indent=False),
            "drop_last": drop_last,
            "epoch": widgets.IntSlider(1, min=1, max=5, description="epoch"),
            "step": self._step,
        }
        super().__init__(controls, [data.figure, order.figure], [self._play])

    def compute(self, settings: dict) -> Batch:
        """Run the loader over the row numbers and pick the step's batch."""
        names = ("batch_size", "shuffle", "drop_last", "epoch")
        order, left_out, steps = self._epoch(*(settings[name] for name in names))
        size, step = settings["batch_size"], min(settings["step"], steps)
        return Batch(self._x, order, left_out, size, step, steps)

    def prove(self, settings: dict, result: Batch) -> Verdict:
        """Fetch the batch from the learner's dataset with a loader of the same seed."""
        generator = torch.Generator().manual_seed(self._seed)
        for _ in range(settings["epoch"] - 1):
            list(self._loader(range(len(self._x)), settings, generator, collate_fn=list))
        loader = self._loader(self._dataset, settings, generator)
        X_batch, y_batch = next(itertools.islice(loader, result.step - 1, None))
        rows = torch.from_numpy(result.rows)
        if torch.equal(X_batch, self._X[rows]) and torch.equal(y_batch, self._y[rows]):
            shapes = f"X_batch {tuple(X_batch.shape)}, y_batch {tuple(y_batch.shape)}"
            return Verdict(f"Your dataset handed out these very rows: {shapes}.", True)
        return Verdict(
            "Your dataset handed out other values than when the explorer was made: "
            "does __getitem__ draw at random?",
            False,
        )

    def draw(self, result: Batch) -> None:
        """Set the points of each part, by value and by place; rows left out have no place."""
        begin, end = result.ends
        served = len(result.order)
        parts = {
            "to come": (result.order[end:], np.arange(end, served)),
            "used before": (result.order[:begin], np.arange(begin)),
            "left out": (
                result.left_out,
                np.full(len(result.left_out), (served + len(self._x)) / 2),
            ),
            "this batch": (result.rows, np.arange(begin, end)),
        }
        for name, (rows, places) in parts.items():
            panels.put(self._by_value[name], self._x[rows], self._targets[rows])
            panels.put(self._by_place[name], places, rows)

    def summary(self, result: Batch) -> str:
        """Say what this batch holds and how the steps of the epoch are counted."""
        n, x = len(self._x), self._x[result.rows]
        rest = n % result.size
        how = f"{n:,} / {result.size:,} = {as_text(round(n / result.size, 2), 7)}"
        steps = f"{count(result.steps, 'step')} an epoch"
        if rest and len(result.left_out):
            how += f", rounded down: {steps}, {count(rest)} left out"
        elif rest:
            how += f", rounded up: {steps}, the last with {count(rest)}"
        else:
            how += f": {steps}" + ", all of the same size" * (result.steps > 1)
        low, high = (as_text(end, decimals=3) for end in (x.min(), x.max()))
        return (
            f"Step {result.step:,} of {result.steps:,}: {count(len(x))} of {n:,}{drawn(n)}, "
            f"x from {low} to {high}. {how}."
        )

    def still(self, result: Batch):
        """Return the batch and all other rows as a chart."""
        others = np.setdiff1d(np.arange(len(self._x)), result.rows)
        groups = {"other data": others, "this batch": result.rows}
        columns = {n: (self._X[rows], self._y[rows]) for n, rows in groups.items() if len(rows)}
        return replace(figures.plot_groups(columns, **self._labels), summary=self.summary(result))

    def as_code(self, settings: dict) -> str:
        """Return the cell that serves this batch."""
        options = ", ".join(f"{n}={settings[n]}" for n in ("batch_size", "shuffle", "drop_last"))
        return self._cell(
            f"generator = torch.Generator().manual_seed({self._seed})\n"
            "loader = torch.utils.data.DataLoader(\n"
            f"    dataset, {options}, generator=generator\n)\n"
            f"for epoch in range({settings['epoch']}):\n"
            "    batches = list(loader)\n"
            f"X_batch, y_batch = batches[{settings['step'] - 1}]\n"
            "return len(loader), len(X_batch), X_batch.min().item(), X_batch.max().item()",
            dataset=self._dataset,
        )

    def _run_epoch(self, size: int, shuffle: bool, drop_last: bool, epoch: int):
        """Return the rows in the order of the epoch, those left out, and the number of steps."""
        settings = {"batch_size": size, "shuffle": shuffle, "drop_last": drop_last}
        generator = torch.Generator().manual_seed(self._seed)
        loader = self._loader(range(len(self._x)), settings, generator, collate_fn=list)
        for _ in range(epoch):
            batches = list(loader)
        order = np.fromiter(itertools.chain(*batches), dtype=np.int64)
        is_left_out = np.ones(len(self._x), dtype=bool)
        is_left_out[order] = False
        return order, np.flatnonzero(is_left_out), len(batches)

    def _loader(self, data: object, settings: dict, generator: torch.Generator, **options: object):
        names = ("batch_size", "shuffle", "drop_last")
        chosen = {name: settings[name] for name in names}
        return DataLoader(data, **chosen, generator=generator, num_workers=0, **options)

    def _limit(self, n: int, size: int, drop_last: bool) -> None:
        """Let the step slider and the player end where the epoch ends."""
        self._step.max = self._play.max = n // size if drop_last else -(-n // size)


def _columns(dataset: object) -> tuple[torch.Tensor, torch.Tensor]:
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        kind = type(dataset).__name__
        raise inputs.InputError(f"dataset is a {kind}, expected one with __len__ and __getitem__")
    items = [dataset[index] for index in range(len(dataset))]
    if not items:
        raise inputs.InputError("dataset is empty, expected one pair (x, y) or more")
    try:
        X, y = default_collate([(x, y) for x, y in items])
        return X, y
    except (TypeError, ValueError, RuntimeError):
        kind = type(items[0]).__name__
        raise inputs.InputError(
            f"dataset[0] is a {kind}, expected pairs (x, y) of tensors of shape (1,)"
        ) from None


def _axis(label: str, values: np.ndarray) -> tuple[str, float, float]:
    margin = 0.05 * (np.ptp(values) or 1.0)
    return label, values.min() - margin, values.max() + margin


def _mark(panel: panels.Panel, part: str, **options: object):
    role = {"to come": "data", "used before": "truth", "left out": "validation"}.get(part, "test")
    return panel.points(part, role, default_size=48 if part == "this batch" else 16, **options)
