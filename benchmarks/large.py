"""Explorers with as many points and epochs as they take."""

import torch
from torch import nn

from course_utils import datasets
from course_utils.explorers.base import Explorer
from course_utils.explorers.batch import BatchExplorer
from course_utils.explorers.line import LineExplorer
from course_utils.explorers.split import SplitExplorer
from course_utils.explorers.training import TrainingExplorer

POINTS, EPOCHS = 20_000, 5_000


def explorers() -> dict[str, Explorer]:
    """Return them by their names in the table."""
    X, y = datasets.make_line(n=POINTS, noise=0.3)
    many = f"{POINTS:,} points"
    return {
        f"LineExplorer, {many}": LineExplorer(X, y, nn.MSELoss()),
        f"BatchExplorer, {many}": BatchExplorer(torch.utils.data.TensorDataset(X, y)),
        f"SplitExplorer, {many}": _moved(SplitExplorer(_unused, _unused), n=POINTS),
        f"TrainingExplorer, {many}": _training(X, y),
        f"TrainingExplorer, {many}, L1": _training(X, y, loss="L1Loss"),
        f"TrainingExplorer, {EPOCHS:,} epochs": _training(epochs=EPOCHS),
        f"TrainingExplorer, {EPOCHS:,} epochs, L1": _training(epochs=EPOCHS, loss="L1Loss"),
        f"TrainingExplorer, {EPOCHS:,} epochs, Adam": _training(epochs=EPOCHS, optimizer="Adam"),
    }


def _training(*data: torch.Tensor, **values: object) -> TrainingExplorer:
    return _moved(TrainingExplorer(_unused, [torch.optim.SGD, torch.optim.Adam], *data), **values)


def _moved(explorer: Explorer, **values: object) -> Explorer:
    for name, value in values.items():
        explorer.controls[name].value = value
    return explorer


def _unused(*_args: object) -> None:
    """Stand for the learner's function, which runs in a kernel alone."""
