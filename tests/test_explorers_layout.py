"""How the explorers look, on a page without a kernel: sizes, words apart, no number misspelt.

The explorers are found, not listed. Each is made of what its parameters are called, and lives on
one page that changes its size in place.
"""

import importlib
import inspect
import pkgutil

import pytest
import torch
from pages import page_of
from playwright.sync_api import sync_playwright
from torch import nn
from torch.utils.data import TensorDataset

from course_utils import datasets, explorers
from course_utils.explorers.base import Explorer

pytest_plugins = ["lab"]


def one_step(model, loss_fn, optimizer, X, y):
    optimizer.zero_grad()
    y_pred = model(X)
    loss = loss_fn(y_pred, y)
    loss.backward()
    optimizer.step()


def given():
    """Return what a notebook hands to explorers, by the names of their parameters."""
    X, y = datasets.make_line()
    model = nn.Linear(1, 1)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    optimizers = [torch.optim.SGD, torch.optim.Adam]
    return {
        "X": X, "y": y, "dataset": TensorDataset(X, y), "function": one_step, "model": model,
        "loss_fn": nn.MSELoss(), "optimizer": optimizers[0](model.parameters(), lr=0.1),
        "optimizers": optimizers,
    }  # fmt: skip


def found():
    """Return the explorers' classes by name."""
    for module in pkgutil.iter_modules(explorers.__path__):
        importlib.import_module(f"course_utils.explorers.{module.name}")
    kinds = Explorer.__subclasses__()
    return {kind.script: kind for kind in sorted(kinds, key=lambda kind: kind.script)}


def made(kind):
    """Return an explorer; a function that only a kernel would call is any function."""
    things, own = given(), {}
    for name, parameter in inspect.signature(kind).parameters.items():
        if parameter.default is parameter.empty:
            own[name] = things.get(name, lambda *_: None)
    return kind(**own)
