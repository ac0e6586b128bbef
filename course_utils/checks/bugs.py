"""Checks of the lab of real bugs: each runs the fixed program on data that it has not seen."""

import contextlib
import copy
import io
import itertools
import math
import pickle
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from course_utils import datasets
from course_utils.checks.judging import (
    CROSSED,
    HALF_MSE,
    Hostile,
    Wrong,
    call,
    close,
    exercise,
    flat,
    in_memory,
    kind,
    number,
    numbers,
    ran,
    refuse_slips,
    same_random_numbers,
    tensor,
)


def _parts(name: str, value: object, count: int) -> tuple | list:
    """Read a tuple or list of so many parts."""
    if type(value) not in (tuple, list) or len(value) != count:
        found = f"{len(value)} parts" if type(value) in (tuple, list) else kind(value)
        raise Wrong(f"`{name}` is {found}, expected {count} parts in a tuple.")
    return value


def _call_with(given: str, name: str, function: object, *args: object) -> object:
    """Call what the learner wrote; say what it was given where it fails."""
    try:
        return call(name, function, *args)
    except Wrong as wrong:
        raise Wrong(f"With {given}: {wrong}") from None


_calls: list[tuple[bool, bool, bool]] = []  # each: model and dropout in training, recorded


class _Witness(nn.Module):
    """A model with dropout that notes how it, or a copy of it, is called."""

    def __init__(self):
        super().__init__()
        self.line, self.drop = nn.Linear(1, 4), nn.Dropout(0.5)

    def forward(self, X: Tensor) -> Tensor:
        """Predict, and note mode and recording."""
        y_pred = self.drop(self.line(X)).sum(dim=1, keepdim=True)
        _calls.append((self.training, self.drop.training, y_pred.requires_grad))
        return y_pred


@exercise(
    "lab.1",
    "Get numbers for the chart",
    "Once the error is gone, the two charts differ. What in this network draws random numbers?",
    "`detach()` takes the numbers and leaves dropout on. Which two switches did notebook 07 flip?",
    "Call `model.eval()`, and put the forward pass under `with torch.inference_mode():`.",
)
def unrecorded(fixed: object) -> str:
    """Expect an array, from a model that evaluated, recorded nothing and can still be trained."""
    X, model = torch.linspace(-1, 1, 9).unsqueeze(1), _Witness()
    _calls.clear()
    result = call("predictions", fixed, model, X)
    if type(result) is not np.ndarray:
        raise Wrong(f"`predictions` returns {kind(result)}, expected a NumPy array for the chart.")
    if any(not own and inner for own, inner, _ in _calls):
        raise Wrong(
            "`model.training = False` leaves Dropout on, a layer inside. `eval()` does not."
        )
    if any(own for own, _, _ in _calls):
        raise Wrong("Dropout still sets nodes to 0 at random. Call `eval()` before predicting.")
    if not all(parameter.requires_grad for parameter in model.parameters()):
        raise Wrong("The parameters lost `requires_grad`, so the model cannot be trained further.")
    if any(recorded for _, _, recorded in _calls):
        raise Wrong("The forward pass was recorded for gradients, and the record thrown away.")
    right = model.line(X).detach().sum(dim=1, keepdim=True)
    if result.shape != (9, 1):
        raise Wrong(f"The array has shape {result.shape}, expected (9, 1): one row for each point.")
    if result.dtype.kind != "f" or not close(torch.tensor(result), right):
        raise Wrong("The array does not hold what the model predicts in evaluation mode.")
    return (
        "`eval()` changes layers, `inference_mode()` stops the recording: two switches, and "
        "predicting needs both."
    )


@exercise(
    "lab.2",
    "Run on either machine",
    "In the loop, print `X_batch.device` and `next(model.parameters()).device`. Who has to move?",
    "`X_batch.to(...)` on a line of its own changes nothing. Who takes what it hands back?",
    "A parameter says where its model is: `X_batch.to(next(model.parameters()).device)`.",
)
def one_device(fixed: object) -> str:
    """Expect predictions where the model is: on the CPU, and on `meta`, which has no numbers."""
    X = torch.linspace(-1, 1, 5).unsqueeze(1)
    loader = DataLoader(TensorDataset(X, X), batch_size=2)
    for device in ("cpu", "meta"):
        model = nn.Linear(1, 1).to(device)
        try:
            y_pred = _call_with(f"a model on `{device}`", "predict_all", fixed, model, loader)
        except Wrong as wrong:
            if "copy out of meta" in str(wrong):
                raise Wrong(
                    "With a model on `meta`: it has no numbers to copy to the CPU. From a card "
                    "that would work; here leave model and predictions where they are."
                ) from None
            raise
        if model.weight.device.type != device:
            raise Wrong(f"The model was on `{device}` and has been moved. Move the batches.")
        if type(y_pred) is not Tensor:
            raise Wrong(f"`predict_all` returns {kind(y_pred)}, expected a tensor.")
        if y_pred.device.type != device:
            raise Wrong(f"The model is on `{device}`, and its predictions are not from there.")
        if tuple(y_pred.shape) != (5, 1):
            raise Wrong(f"Five rows give the shape {tuple(y_pred.shape)}, expected (5, 1).")
        if y_pred.requires_grad:
            raise Wrong("The predictions are recorded for gradients. Keep `inference_mode`.")
        if device == "cpu" and not close(tensor("y_pred", y_pred), model(X)):
            raise Wrong("On the CPU the result is not what the model predicts, row by row.")
    return (
        "Ask the model where it is, and the same line runs with a graphics card and without. "
        "Whoever writes the name of a device into it has written it for one machine."
    )


@exercise(
    "lab.3",
    "Take any number of rows",
    "Ten parts have the shape `[16]`, the last has `[]`: of one row, too much was taken away.",
    "`cat` joins along an axis, and a number without an axis has none. Which axis is to go?",
    "`.squeeze(1)` drops the second axis and leaves the first, however long it is.",
)
def one_residual_a_row(fixed: object) -> str:
    """Expect a residual for each row, whether the last batch is full, single or the only one."""
    model = nn.Linear(1, 1).requires_grad_(False)
    for rows in (32, 33, 1, 40):
        X, y = torch.linspace(-1, 1, rows).unsqueeze(1), torch.arange(float(rows)).unsqueeze(1)
        given = f"{rows} row{'s' * (rows > 1)}"
        found = _call_with(given, "residuals", fixed, model, TensorDataset(X, y))
        if tensor("residuals(...)", found).numel() < rows:
            raise Wrong(f"Of {given} come {found.numel()} residuals. Each row has one.")
        tensor("residuals(...)", found, (rows,))
        right = (y - model(X)).flatten()
        if close(found, -right):
            raise Wrong("The signs are turned. A residual is y minus the prediction.")
        if not close(found, right):
            raise Wrong(f"With {given} these are not y minus the predictions, row by row.")
    return (
        "A shape that depends on how many rows there happen to be works until one day it does not. "
        "Say which axis you mean, in `squeeze` as in `mean` or `cat`."
    )


def _runs_code(load: Callable) -> bool:
    """Tell whether a hostile file runs its code; that it is refused by an error is right."""
    ran.clear()
    as_array = io.BytesIO()
    np.save(as_array, np.array([Hostile()], dtype=object))
    files = [in_memory(Hostile()), in_memory({"model": Hostile()}), as_array]
    for data in [*(file.getvalue() for file in files), pickle.dumps(Hostile())]:
        with contextlib.suppress(Exception):
            load(data)
    return len(ran) > 0


def _loaded(name: str, load: Callable, data: object, refused: str) -> object:
    """Call what loads, with a sentence of our own where PyTorch refuses the file."""
    try:
        return call(name, load, data)
    except Wrong as wrong:
        raise Wrong(refused if "Weights only load failed" in str(wrong) else wrong) from None


@contextlib.contextmanager
def _nothing_allowed() -> Iterator[None]:
    """Forget inside which classes `torch.load` lets in beyond its own."""
    allowed = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(allowed)


@exercise(
    "lab.4",
    "Get the next run back",
    "The file wants a function called. Print the types of the two values that `save_run` saves.",
    "The best loss prints like a Python number, and its type is `numpy.float64`.",
    "Loading was right to refuse. In `save_run`, `float(best_loss)` is a plain number.",
)
def safe_file(fixed: object) -> str:
    """Expect the run back whole, and nothing run by a file that holds code."""
    save, load = _parts("fixed", fixed, 2)
    model, best = nn.Linear(1, 1), np.float64(1 / 3)
    data = call("save_run", save, model, best)
    if type(data) is not bytes:
        raise Wrong(f"`save_run` returns {kind(data)}, expected bytes.")
    refused = (
        "`weights_only=True` refuses this file: it holds more than tensors, plain numbers and "
        "texts. Which of the two values has another type?"
    )
    with _nothing_allowed():
        saved = _loaded("load_run", load, data, refused)
        added = torch.serialization.get_safe_globals()
        opened = _runs_code(load)
    if type(saved) is not dict or not {"model", "best_loss"} <= {*saved}:
        raise Wrong('The file should still hold "model" and "best_loss" in a dict.')
    if opened:
        raise Wrong(
            "`load_run` opened a file with code in it, and the code ran: here a harmless note."
        )
    if added or isinstance(saved["best_loss"], np.generic):
        raise Wrong(
            "The file still holds a NumPy number, so only a program that allows NumPy's classes "
            "can load it. Save a plain number."
        )
    if not close(number("best_loss", saved["best_loss"]), float(best), within=1e-6):
        raise Wrong("The best loss does not come back as it was saved.")
    weights, right = saved["model"], model.state_dict()
    if not isinstance(weights, dict) or weights.keys() != right.keys():
        raise Wrong("The `state_dict` of the model does not come back.")
    if not all(close(tensor(name, weights[name]), right[name]) for name in right):
        raise Wrong("The parameters do not come back as they were saved.")
    return (
        "The refusal protects whoever opens your file. Plain numbers, text, tensors, lists and "
        "dicts pass, and of things that are built by a call only a few, those on a short list of "
        "PyTorch's."
    )


@exercise(
    "lab.5",
    "Let the loop end",
    "A loop over a list ends, and never asks for the length. Try `[10, 20, 30][3]` in a new cell.",
    "What does `readings[5]` give? Whatever it returns, the loop takes for a reading and goes on.",
    "The loop waits for an `IndexError`. The tensor inside raises one by itself, if you let it.",
)
def loop_that_ends(fixed: object) -> str:
    """Expect seven items from seven readings, and an IndexError for the eighth."""
    X, y = datasets.make_line(7, seed=1)
    if isinstance(fixed, Dataset):
        raise Wrong("`fixed` is one dataset. Hand in the class, without parentheses.")
    data = call("Readings", fixed, X, y)

    def is_row(item: object, index: int) -> bool:
        pair = _parts(f"item {index}", item, 2)
        return all(close(tensor("item", a), b[index]) for a, b in zip(pair, (X, y), strict=True))

    try:
        items = list(itertools.islice(data, 20))
    except Exception as error:
        raise Wrong(
            f"The loop breaks with {type(error).__name__}. It ends in peace with one error only: "
            "which one does a list raise past its end?"
        ) from None
    if len(items) < 7:
        which = "last" if len(items) == 0 or is_row(items[0], 0) else "first"
        raise Wrong(f"Of 7 readings the loop gets {len(items)}. Is the {which} index left out?")
    if len(items) > 7:
        extra = items[7]
        if isinstance(extra, BaseException) or extra is IndexError:
            raise Wrong("Past its end `Readings` returns an error like a reading. `raise` it.")
        if type(extra) is tuple:
            raise Wrong("After the last reading the loop gets readings again, and never ends.")
        raise Wrong(f"After the last reading the loop gets {kind(extra)} and goes on.")
    for index, item in enumerate(items):
        if not is_row(item, index):
            raise Wrong(f"Item {index} is not the pair of feature and target in row {index}.")
    if number("len(dataset)", call("len", len, data)) != 7:
        raise Wrong("`len(dataset)` is not the number of readings, which is 7 here.")
    try:
        found = kind(data[7])
    except IndexError:
        return (
            "The mistake fails where it is made. An index that wraps around hands out a wrong "
            "reading and no error, and the mistake comes up far away."
        )
    except Exception as error:
        found = type(error).__name__
    raise Wrong(f"The loop ends, but the index one too high gives {found}, not an `IndexError`.")


def _gradient(at: tuple, X: Tensor, y: Tensor) -> tuple[float, float]:
    """Return how the mean squared error of a line changes with weight and bias."""
    residual = y - (at[0] * X + at[1])
    return -2 * (residual * X).mean().item(), -2 * residual.mean().item()


def _descends(X: Tensor, y: Tensor, path: list[tuple], rate: float, keep: tuple) -> bool:
    """Tell whether a path is gradient descent at this rate.

    `keep` says of weight and bias how much of the steps before each step still holds.
    """
    at, total = path[0], (0.0, 0.0)
    for found in path[1:]:
        gradient = _gradient(at, X, y)
        total = tuple(g + k * t for g, k, t in zip(gradient, keep, total, strict=True))
        at = tuple(p - rate * t for p, t in zip(at, total, strict=True))
        if not all(close(a, b, 1e-3) for a, b in zip(found, at, strict=True)):
            return False
    return True


def _rate(X: Tensor, y: Tensor, start: tuple, end: tuple) -> float:
    """Return the rate of a first step, or raise Wrong if it is not one of SGD on the MSE."""
    moved, gradient = [a - b for a, b in zip(start, end, strict=True)], _gradient(start, X, y)
    rates = [m / g for m, g in zip(moved, gradient, strict=True)]
    if close(rates[0] / rates[1], 1, 0.02):
        return 0.1 if close(10 * rates[0], 1, 0.02) else rates[0]
    if all(close(10 * abs(m), 1, 0.01) for m in moved):
        raise Wrong("Weight and bias both move by 0.1, whatever the gradient: Adam. Keep SGD.")
    if close(moved[0], 0.1 * _gradient(start, X, y.mean())[0]) and close(10 * rates[1], 1, 0.02):
        raise Wrong(CROSSED)
    raise Wrong(
        "The first epoch is not one step of SGD on the MSE of all points, from where the line "
        "begins. Is it one model throughout, with the old loss, and one rate for both?"
    )


@exercise(
    "lab.6",
    "Calm the swinging line",
    "In a new cell, let a copy of `fit_epochs` print both gradients right before `backward()`, and "
    "call `fit_epochs(X, y, 3)`.",
    "`backward` adds to the gradients that are there. Who removes those of the bias?",
    "An optimizer clears what it holds, no more. `for_bias` has a `zero_grad()` of its own.",
)
def fresh_gradients(fixed: object) -> str:
    """Expect six epochs on the path of gradient descent."""
    X, y = datasets.make_line(60, weight=-1.0, bias=2.0, seed=4)

    def after(epochs: int, y: Tensor = y) -> tuple[float, float]:
        found = _parts("fit_epochs(...)", call("fit_epochs", fixed, X, y, epochs), 2)
        return tuple(number(n, v) for n, v in zip(("weight", "bias"), found, strict=True))

    found = [after(epochs) for epochs in range(7)]
    if found[0] != after(0):
        raise Wrong("Two runs begin with different weights. Leave the seed in its place.")
    if found[0] != after(0, -y):
        raise Wrong("With 0 epochs the line has moved already. Does the loop run `epochs` times?")
    for name, *moves in zip(("weight", "bias"), *found, strict=True):
        if moves[0] == moves[6]:
            raise Wrong(f"The {name} never moves. What does `step` find in its gradient?")
        if moves[0] == moves[1]:
            raise Wrong(f"The first epoch leaves the {name}. Does `step` come before `backward`?")
    if found[1] == found[2]:
        raise Wrong("Two epochs end where one does. Does each epoch begin anew?")
    rate = _rate(X, y, *found[:2])
    if _descends(X, y, found, rate, keep=(1, 1)):
        raise Wrong("The second step still holds the gradient of the first.")
    if any(_descends(X, y, found, rate, keep) for keep in ((0, 1), (1, 0))):
        raise Wrong("One of the two gradients is reset, and the other still piles up.")
    if rate != 0.1:
        raise Wrong(
            f"The first step is one at a rate of {rate:.3g} on the mean squared error. Keep 0.1 "
            "and the whole MSE: not half of it, not a sum."
        )
    if _descends(X, y, found, rate, keep=(0, 0)):
        return (
            "Each step now follows the slope at its own place. Gradients add up on purpose, so "
            "that several batches can share one step; resetting them is your decision."
        )
    if _descends(X, y, found, rate, keep=(0.9, 0.9)):
        raise Wrong("The second step holds 0.9 of the first: momentum. Keep plain SGD.")
    raise Wrong(
        "The first step is right, and those after it are not SGD on one model. Keep model and "
        "optimizers, and reset all gradients in each epoch."
    )


@exercise(
    "lab.7",
    "Get them moving",
    "Before the inner loop, print `id(model.weight)` and "
    '`id(optimizer.param_groups[0]["params"][0])`. Is it one tensor?',
    "`nn.Parameter(...)` makes a new tensor. When did the optimizer get the one that it moves?",
    "Make the optimizer after the weight has been replaced.",
)
def stale_optimizer(fixed: object) -> str:
    """Expect three different starts and three times the same line."""
    X, y = datasets.make_line(80, weight=-3.0, bias=0.5, seed=5)

    def weights(seeds: list[int], epochs: int) -> list[float]:
        return numbers("weights", call("fit_from", fixed, seeds, X, y, epochs))

    first, last = weights([4, 5, 6], 0), weights([4, 5, 6], 100)
    if len(first) != 3 or len(last) != 3:
        raise Wrong(f"Three seeds give {len(last)} weights. Is each run noted?")
    if len({*first}) == 1:
        raise Wrong("All runs begin at the same weight. Each seed should make its own model.")
    if weights([6, 5, 4], 0) != first[::-1]:
        raise Wrong(
            "A run does not begin where its seed says. Set the seed in each run, before the model "
            "is made."
        )
    moved = [a != b for a, b in zip(first, last, strict=True)]
    if not any(moved):
        raise Wrong(
            "No weight moves in 100 epochs. Whose parameters does the optimizer hold, and what "
            "does `step` find in their gradients?"
        )
    if not all(moved):
        raise Wrong("Some models are trained and some never move. When is the optimizer made?")
    if all(close(weight, 0.5, 0.05) for weight in last):
        raise Wrong("These are the biases. `fit_from` returns the weights.")
    if not all(close(weight, -3, 0.02) for weight in last):
        raise Wrong(
            "The weights move, but do not all reach the slope of the data. Do `zero_grad` and "
            "`step` work on the model that is trained, at the old rate?"
        )
    if all(abs(weight) <= 1 for weight in weights([*range(20)], 0)):
        raise Wrong("The starts come from PyTorch's own narrow range again. Keep the wide one.")
    return (
        "An optimizer keeps the very tensors it was given. Make it last, when the model's "
        "parameters are those that will be trained."
    )


@exercise(
    "lab.8",
    "Find the line",
    "How many numbers should `targets - y_pred` hold? Print its shape `if epoch == 0`.",
    "A column (200, 1) minus 200 flat numbers is a table of 200 times 200 differences.",
    "Leave the targets as flat as the predictions: `(y - y_pred)`.",
)
def matching_shapes(fixed: object) -> str:
    """Expect weight and bias of another line, from features and targets of one axis."""
    X, y = datasets.make_line(120, weight=-3.0, bias=0.5, seed=3)

    def line(y: Tensor) -> list[float]:
        found = _parts("fit_plain(x, y)", call("fit_plain", fixed, X.flatten(), y.flatten()), 2)
        if any(type(value) is float and not math.isfinite(value) for value in found):
            raise Wrong("The run diverges. Is the loss a mean, not a sum, and the rate still 0.1?")
        return [number(name, value) for name, value in zip(("weight", "bias"), found, strict=True)]

    weight, bias = line(y)
    if close(weight, -3, 0.02) and close(bias, 0.5, 0.1):
        return (
            "A loss has to subtract row by row. `nn.MSELoss` at least warns when shapes differ; "
            "a loss written by hand broadcasts without a word."
        )
    if close(bias, -3, 0.05):
        raise Wrong("Weight and bias have changed places. `fit_plain` returns the weight first.")
    if close(weight, 0, 0.05) and close(bias, y.mean().item(), 0.05):
        raise Wrong(
            "The line is flat at the mean target: each prediction still meets all targets. Print "
            "the shape of their difference, which should hold one number a row."
        )
    if line(-y) == [weight, bias]:
        raise Wrong("Other targets give the same line: the weights never move. What is `.grad`?")
    raise Wrong(
        f"`fit_plain` ends at weight {weight:.2f} and bias {bias:.2f}, and the points have -3 and "
        "0.5. Are all five lines in the loop, at the old rate and for as many epochs?"
    )


def _squares(model: object, X: Tensor, y: Tensor) -> Tensor:
    """Return the squared residuals of a model."""
    y_pred = tensor("model(X)", call("model", model, X), tuple(y.shape)).detach()
    return (y - y_pred).square().flatten()


class _Kept:
    """A tensor recorded for gradients, and held for as long as the record is."""

    def __init__(self, value: Tensor):
        self.value = value


@exercise(
    "lab.9",
    "Measure a table of any size",
    "In the loop, print `total`. What does it carry along?",
    "A loss is a tensor that remembers how it was computed, and so is a sum that holds it.",
    "`loss.item()` is the number alone.",
)
def nothing_kept(fixed: object) -> str:
    """Expect the loss over all rows, and that no more is recorded at the last batch than early."""
    X, y = datasets.make_line(23, seed=9)
    alive, counts, model = weakref.WeakSet(), [], nn.Linear(1, 1)
    batches: list[weakref.ref] = []
    there: list[int] = []  # how many of the batches, at each call of the model

    def note(_: nn.Module, inputs: tuple) -> None:
        batches.append(weakref.ref(inputs[0]))
        there.append(sum(batch() is not None for batch in batches))
        counts.append(len(alive))

    model.register_forward_pre_hook(note)

    def keep(value: Tensor) -> _Kept:
        alive.add(kept := _Kept(value))
        return kept

    with saved_tensors_hooks(keep, lambda kept: kept.value):
        loss = call("measure", fixed, model, DataLoader(TensorDataset(X, y), batch_size=4))
    if isinstance(loss, Tensor) and loss.requires_grad:
        raise Wrong("The result still carries its past: `requires_grad` of it is True.")
    if isinstance(loss, Tensor):
        raise Wrong("The result is a tensor, and a plain number is asked for.")
    if not close(number("measure(model, loader)", loss), _squares(model, X, y).mean().item()):
        raise Wrong(
            "The number was right and is not any more. It is the mean over all rows, so each batch "
            "counts by its rows."
        )
    if not all(parameter.requires_grad for parameter in model.parameters()):
        raise Wrong("The parameters lost `requires_grad`, so the model cannot be trained further.")
    if len(counts) < 5:
        raise Wrong(
            f"The model is called {len(counts)} times for 6 batches. Measure each by itself."
        )
    if counts[4] > counts[1]:
        raise Wrong(
            "The number is plain in the end, but until then every batch is kept: the past has to "
            "go inside the loop."
        )
    if there[4] > 2:
        raise Wrong("No loss keeps its past, but the batches themselves are kept. In a list?")
    return (
        "A loss that is kept keeps its batch. In training `backward` clears most of that away; in "
        "measuring nobody does, so take the number, or do not record."
    )


@exercise(
    "lab.10",
    "Keep it awake",
    "At the end of each epoch, print `schedule.get_last_lr()`. When has it halved?",
    "The schedule counts its own steps. In one epoch of ten batches, how many does it make?",
    "`schedule.step()` belongs after the inner loop, once for each epoch.",
)
def cooled_by_the_epoch(fixed: object) -> str:
    """Look at the rate of every step, with three batches an epoch and with five."""
    for batches in (3, 5):
        rates: list[float] = []
        with register_optimizer_step_pre_hook(
            lambda optimizer, *_, rates=rates: rates.append(float(optimizer.param_groups[0]["lr"]))
        ):
            rows = TensorDataset(*datasets.make_line(16 * batches, seed=10))
            model = call("fit_cooling", fixed, rows, 25)
        right = [0.01 * 0.5 ** (epoch // 10) for epoch in range(25) for _ in range(batches)]
        if not isinstance(model, nn.Module):
            raise Wrong(f"`fit_cooling` returns {kind(model)}, expected the model.")
        if len(rates) != len(right):
            raise Wrong(
                f"25 epochs of {batches} batches make {len(right)} steps of the optimizer, and "
                f"{len(rates)} are made."
            )
        if len({*rates}) == 1:
            raise Wrong(
                f"In 25 epochs of {batches} batches the rate never falls. Is `schedule.step()` "
                "called, and is ten a number of epochs?"
            )
        for step, (rate, wanted) in enumerate(zip(rates, right, strict=True)):
            if not close(rate / wanted, 1):
                raise Wrong(
                    f"With {batches} batches an epoch, a step in epoch {step // batches} is made "
                    f"at a rate of {rate:.3g}, expected {wanted:.3g}. How often is the schedule "
                    "stepped in an epoch, and when?"
                )
        untrained = call("fit_cooling", fixed, rows, 0)
        if not _squares(model, *rows[:]).mean() < 0.5 * _squares(untrained, *rows[:]).mean():
            raise Wrong("The rates are right, but the model hardly learns. What does `step` find?")
    return (
        "Some schedules count epochs and some count batches, and none can tell which it is given. "
        "Print the rate once, and a run that falls asleep is found in a minute."
    )


@exercise(
    "lab.11",
    "Bring the loss down",
    "The chances lie between 0 and 1. As a logit, even a 1 means no more than 73 %.",
    "`BCEWithLogitsLoss` has a sigmoid of its own. How many sigmoids does a bird pass?",
    "Hand the loss what comes out of the model: `loss_fn(model(X), y)`.",
)
def squashed_once(fixed: object) -> str:
    """Expect the chances 0.2 and 0.8, which are known, as chances or as logits, and their loss."""
    X = torch.tensor([[-1.0], [1.0]]).repeat_interleave(10, dim=0)
    y = torch.tensor([[1.0]] * 2 + [[0.0]] * 8 + [[1.0]] * 8 + [[0.0]] * 2)

    def cross_entropy(chance: Tensor) -> float:
        return -torch.where(y == 1, chance, 1 - chance).log().mean().item()

    best = torch.where(X > 0, 0.8, 0.2)
    model, loss = _parts("fit_name(X, y)", call("fit_name", fixed, X, y), 2)
    loss, answer = number("the loss", loss), tensor("model(X)", call("model", model, X), (20, 1))
    if close(loss, right := cross_entropy(best), 1e-3):
        if not (close(answer, best, 0.01) or close(answer, torch.logit(best), 0.02)):
            raise Wrong("The loss is right, but the model that is returned is not the trained one.")
        return (
            "Let a model end with its line, hand that to the loss, and take the sigmoid when you "
            "want to read a chance. The loss then falls as far as the birds allow."
        )
    squashed = 0 <= min(flat(answer)) <= max(flat(answer)) <= 1
    chance = answer if squashed else torch.sigmoid(answer)
    slips = {
        "The loss is still fed numbers from 0 to 1 and takes them for logits. Of the two sigmoids "
        "in a row, one has to go.": cross_entropy(torch.sigmoid(chance)),
        "This is the mean squared error of the chances.": (y - chance).square().mean(),
        "This is the sum over the birds, not their mean.": 20 * cross_entropy(chance),
    }
    refuse_slips(loss, slips, 0.01)
    raise Wrong(
        f"On twenty birds whose best chances have a loss of {right:.3f}, this comes to {loss:.3f}. "
        "Which loss is it, what is it fed, and are rate and steps the old ones?"
    )


@exercise(
    "lab.12",
    "Test the line fairly",
    "In what order does the table list the species? And where does the cut at 80 % fall?",
    "Adelies, Gentoos, Chinstraps: shuffle before the cut, features and targets in the same way.",
    "Begin `split` with `rows = torch.randperm(len(X), "
    "generator=torch.Generator().manual_seed(420))` and `X, y = X[rows], y[rows]`.",
)
def fair_split(fixed: object) -> str:
    """Expect rows from all of the table, the same each time, pairs kept, none in both parts."""
    X = torch.arange(50.0).unsqueeze(1)
    names, sizes = ("X_train", "y_train", "X_test", "y_test"), [40, 40, 10, 10]

    def rows() -> tuple[list, list]:
        given = X.clone(), 3 * X + 1
        parts = _parts("split(X, y)", call("split", fixed, *given), 4)
        found = [tensor(name, part).numel() for name, part in zip(names, parts, strict=True)]
        if found != sizes and sorted(found) == sorted(sizes):
            raise Wrong(f"The parts hold {found} rows, expected {sizes}: {', '.join(names)}.")
        for name, part, size in zip(names, parts, sizes, strict=True):
            tensor(name, part, (size, 1))
        if not close(given[0], X):
            raise Wrong("`split` shuffles the table it was given, for all who use it. Copy rows.")
        if not all(close(3 * flat(a)[i] + 1, flat(b)[i])
                   for a, b in (parts[:2], parts[2:]) for i in range(len(a))):  # fmt: skip
            raise Wrong("Features and targets of a row are separated. Are both shuffled alike?")
        return flat(parts[0]), flat(parts[2])

    with same_random_numbers("split"):
        train, test = rows()
        if len({*train}) < 40 or len({*test}) < 10:
            raise Wrong("Some rows are drawn twice. `torch.randperm` draws each row once.")
        if len({*train, *test}) != 50:
            raise Wrong("Some rows are in both parts, or in neither. One shuffle serves both.")
        steps = {b - a for a, b in itertools.pairwise(sorted(test))}
        if steps == {1.0}:
            raise Wrong("The test rows still are neighbors, one block of the table. Which rows?")
        if len(steps) == 1 and steps != {5.0}:
            raise Wrong("The test rows stand close together, and leave a part of the table out.")
        if min(test) > 24 or max(test) < 25:
            raise Wrong("All test rows come from one half of the table. Shuffle all of its rows.")
        if rows() != (train, test):
            raise Wrong(
                "A second call gives other rows, so no result can be repeated. Make a generator "
                "inside `split`, set its seed, and hand it to what draws."
            )
    return (
        "Train and test now hold about the same mixture of species. A cut in the table's order is "
        "right where the model will be asked about what lies beyond the table, such as next year."
    )


def _refuse_other_training(before: float, once: float, twice: float) -> None:
    """Raise Wrong unless a model learned as at first from 150 times one point.

    Each step takes the residual there to 0.6 of what it was, the loss to 0.36.
    """
    if once == before:
        raise Wrong("The model that is returned is not trained.")
    steps = [math.log(max(loss, 1e-30) / before) / math.log(0.36) for loss in (once, twice)]
    if close(steps[0], 10, 0.01) and close(steps[1], 20, 0.01):
        return
    if close(steps[0], 10, 0.01) and close(steps[1], 10, 0.01):
        raise Wrong("The second epoch begins anew, where the first began.")
    if close(steps[0], round(steps[0]), 0.01) and 0 < steps[0] < 9.5:
        count = f"{steps[0]:.0f} step{'s' * (steps[0] > 1.5)}"
        raise Wrong(f"An epoch of 10 batches takes {count}. It took one for each batch: keep that.")
    raise Wrong(
        "The training was right, and now the model learns differently. Are the five lines as "
        "before, once for each batch, at the old rate?"
    )


@exercise(
    "lab.13",
    "Make the two comparable",
    "In epoch 0 the batches fall from 8.34 to 0.08, and `smooth` to 3.2. Where is the rest from?",
    "The validation loss is that of one model, the one after the last batch. Whose is `smooth`?",
    "After the loop over batches, measure the training rows as the validation rows are measured.",
)
def epoch_loss(fixed: object) -> str:
    """Compare the losses noted last with those of the model that is returned."""
    X, y = datasets.make_line(190, weight=-3.0, bias=0.5, seed=6)
    y[144:150] += 4  # a small last batch unlike the others
    rows, point = TensorDataset(X, y), TensorDataset(torch.ones(150, 1), torch.ones(150, 1) * 5)
    mixed, even, val = (Subset(rows, [*r]) for r in (range(150), range(144), range(150, 190)))
    alike = Subset(point, [*range(150)])

    def fit(train: Subset, epochs: int) -> tuple[Tensor, Tensor, list, list]:
        """Return the squared residuals at the end, of training and validation, and the losses."""
        found = call("fit_and_track", fixed, train, val, epochs)
        model, *losses = _parts("fit_and_track(...)", found, 3)
        losses = [numbers(*pair) for pair in zip(("train", "val"), losses, strict=True)]
        if {len(noted) for noted in losses} != {epochs}:
            raise Wrong("Each list should hold one loss for each epoch.")
        return *(_squares(model, *part[:]) for part in (train, val)), *losses

    def fits(train: Subset, within: float) -> bool:
        square, _, (loss,), _ = fit(train, 1)
        return close(loss / square.mean().item(), 1, within)

    _refuse_other_training(*(fit(alike, epochs)[0].mean().item() for epochs in (0, 1, 2)))
    start = fit(mixed, 0)[0].mean()
    for epochs in (1, 3):
        square, held, train_losses, val_losses = fit(mixed, epochs)
        loss, right, batches = train_losses[-1], square.mean().item(), square.split(16)
        if not close(val_losses[-1], held.mean(), 1e-3):
            raise Wrong("The validation loss was right and is not any more.")
        if close(loss, right, 1e-3):
            continue
        uneven = "The last batch has 6 rows and counts as much as one of 16 rows."
        roots = "The root of each batch is taken first, and squaring their mean does not undo it."
        root_mean = sum(part.mean().sqrt() for part in batches) / 10
        total = sum(part.mean() for part in batches)
        slips = {
            "The training loss is a sum over rows, the validation loss a mean.": square.sum(),
            "This is the root of the training loss, beside a validation loss without.": right**0.5,
            HALF_MSE: right / 2,
            "Both losses are those of the validation rows.": held.mean(),
            "The training rows are measured before the epoch, not at its end.": start,
            uneven: total / 10,
            "Each batch is counted as 16 rows, and the last one has 6.": total * 16 / 150,
            "Means of batches are added, and divided by the number of rows.": total / 150,
            "This is a mean of roots, one for each batch.": root_mean,
            roots: root_mean**2,
        }
        refuse_slips(loss, slips, 1e-3)
        if fits(even, 1e-3):
            raise Wrong(uneven)
        if fits(alike, 0.01):
            raise Wrong(
                "It depends on how the rows fall into batches. Is it the loss of one batch, or are "
                "roots taken of each? It should be one mean over all rows."
            )
        raise Wrong(
            f"The training loss is noted as {loss:.4g}, and at the end of the epoch it is "
            f"{right:.4g}. Are the rows measured while the weights still move?"
        )
    return (
        "Both losses now describe the same weights, so you can compare them. A smoothed loss saves "
        "a pass over the data, and describes no model that ever existed."
    )


_WINDOWS = {  # which rolls are in a mean, counted from its target, and in words
    (-2, 1): "three rolls that end with the target",
    (-3, 0): "the three rolls before the target",
    (-3, 1): "four rolls that end with the target",
    (-2, 0): "the two rolls before the target",
    (-1, 2): "three rolls with the target in the middle",
    (-4, -1): "three earlier rolls, without the one right before the target",
    (1, 4): "the three rolls after the target",
}


def _maker(first: int, last: int) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Return a `make_rows` whose means hold the rolls from `first` to before `last`."""

    def make_rows(rolls: Tensor) -> tuple[Tensor, Tensor]:
        means = rolls.unfold(0, last - first, 1).mean(dim=1)[max(first, 0) :]
        targets = rolls[max(-first, 0) :]
        rows = min(len(means), len(targets))
        return means[:rows].unsqueeze(1), targets[:rows].unsqueeze(1)

    return make_rows


@exercise(
    "lab.14",
    "Write the test that catches it",
    "Print `make_rows(torch.arange(6.0))`. From which three rolls is the first mean? Is that fair?",
    "Nobody knows the last roll before it has fallen. If it were another, what could change?",
    "Give `make_rows` rolls of which the last is `torch.nan`. Does any mean become `nan` too?",
)
def leak_found(leaks: object) -> str:
    """Expect True where a mean holds its target or a later roll, and False where it does not."""
    for (first, last), said in _WINDOWS.items():
        found = call("leaks", leaks, _maker(first, last))
        if type(found) is np.bool_ or (type(found) is Tensor and found.numel() == 1):
            found = found.item()
        if type(found) is not bool:
            raise Wrong(f"`leaks` returns {kind(found)}, expected True or False.")
        if found != (last > 0):
            fair = "hold what is known too late" if last > 0 else "are honest"
            raise Wrong(f"`leaks` says {found} of means of {said}. Such means {fair}.")
    return (
        "The fix helps one program. The test finds the next leak too: change what nobody can know "
        "yet, and see whether the features change."
    )


@exercise(
    "lab.15",
    "Let dropout be felt",
    "Before the step of each epoch, print `model.training`. Who has changed it?",
    "`mean_loss` calls `eval()`. Who calls `train()`?",
    "`model.train()` belongs into the loop, before the forward pass.",
)
def dropout_at_work(fixed: object) -> str:
    """Look at the mode of dropout in 4 epochs of 12 rows, and at each measurement of 5."""
    X, y = datasets.make_line(17, seed=15)
    y[12:] = 1.0
    train, val = (Subset(TensorDataset(X, y), [*r]) for r in (range(12), range(12, 17)))
    modes: dict[bool, list[bool]] = {True: [], False: []}  # by whether it is a measurement
    answers: list[Tensor] = []  # to the validation rows; the last is the network's own

    def note(module: nn.Module, inputs: tuple) -> None:
        if isinstance(module, nn.Dropout):
            modes[len(inputs[0]) == 5].append(module.training)

    def remember(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        if output.dim() > 0 and len(output) == 5:
            answers.append(output.detach())

    with register_module_forward_pre_hook(note), register_module_forward_hook(remember):
        losses = numbers("val_losses", call("fit_network", fixed, 0.5, train, val, 4))
    if len(losses) != 4 or len(modes[True]) < 4:
        raise Wrong("Four epochs should measure the validation rows four times.")
    if len(modes[False]) < 4:
        raise Wrong(f"Four epochs train the network {len(modes[False])} times. It was four times.")
    if any(modes[True]):
        raise Wrong("Dropout works while the validation rows are measured. It should rest then.")
    if not all(modes[False]):
        off = modes[False].index(False)
        raise Wrong(
            f"In epoch {off} dropout is off while the network is trained. Is it switched on again "
            "after each measurement, in every layer?"
        )
    if not close(losses[-1], (answers[-1] - 1).square().mean()):
        raise Wrong("The losses are not those of the validation rows. What does each epoch note?")
    return (
        "The mode is a switch, and it stays where it was put last. Whoever trains calls `train()` "
        "each time, whoever measures calls `eval()`, and nobody trusts the one before."
    )


@exercise(
    "lab.16",
    "Resume to the last digit",
    "After the power cut, the first batch is that of epoch 0. Who draws the order of the rows?",
    "`torch.get_rng_state()` is that of PyTorch's own generator. Which one did the loader get?",
    "Save `loader.generator.get_state()`, and set it in `restore` with `set_state`.",
)
def exact_resume(start: object, train: object, fixed: object) -> str:
    """Compare a run that was stopped with one in one go."""
    save, restore = _parts("fixed", fixed, 2)

    def begin() -> tuple:
        return _parts("start()", call("start", start), 3)

    def go_on(run: tuple, epochs: int) -> list[float]:
        call("train", lambda: [train(*run, epochs=epochs)])
        return [number("parameter", p) for q in run[0].parameters() for p in q.detach().flatten()]

    straight, stopped = begin(), begin()
    right = go_on(straight, 5)
    if go_on(stopped, 2) == right:
        raise Wrong("`train` does not change the model. Run the cells above again.")
    saved = call("checkpoint", save, *stopped)
    then, memory = copy.deepcopy([stopped[0].state_dict(), stopped[1].state_dict()])
    generator = stopped[2].generator.get_state().tolist()
    go_on(stopped, 1)
    refused = (
        "The checkpoint holds an object such as the optimizer itself, and `weights_only=True` "
        "refuses it. Save `optimizer.state_dict()`, tensors and plain numbers."
    )
    resumed = _parts("restore(...)", _loaded("restore", restore, saved, refused), 3)
    model, optimizer, loader = resumed
    for name, part, first in zip(("model", "optimizer", "loader"), resumed, straight, strict=True):
        if not isinstance(part, type(first)):
            raise Wrong(f"`restore` returns {kind(part)} in the place of the {name}.")
    if _runs_code(restore):
        raise Wrong("`restore` opened a file with code in it, and the code ran. Load weights only.")
    now = model.state_dict()
    if now.keys() != then.keys() or not all(close(now[name], then[name], 0) for name in then):
        raise Wrong("The restored weights are not those of the moment of saving.")
    if optimizer.param_groups[0]["params"][0] is not next(model.parameters()):
        raise Wrong("The restored optimizer holds the parameters of another model.")
    found = optimizer.state_dict()
    if len(found["state"]) == 0:
        raise Wrong("The restored optimizer begins without memory. What does Adam keep?")
    if found["param_groups"] != memory["param_groups"]:
        raise Wrong("The restored optimizer has other settings, such as its rate.")
    if not all(close(found["state"][n][k], memory["state"][n][k], 0)
               for n in memory["state"] for k in memory["state"][n]):  # fmt: skip
        raise Wrong("The optimizer's memory is not that of the moment of saving. A later copy?")
    if loader.generator is None or loader.generator.get_state().tolist() != generator:
        raise Wrong("The loader serves its batches in another order than in a run in one go.")
    if go_on(resumed, 3) != right:
        raise Wrong("Model, optimizer and generator are right. Is the loader that of `start`?")
    return (
        "Difference exactly 0. A checkpoint is complete if nothing that changes during the run "
        "is left out: weights, optimizer, batch order."
    )
