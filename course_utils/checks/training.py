"""Checks of exercises on the training loop."""

import itertools
import math
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook
from torch.optim.sgd import SGD
from torch.utils.data import DataLoader, Subset, TensorDataset

from course_utils.checks.judging import (
    CROSSED,
    HALF_MSE,
    Wrong,
    call,
    close,
    exercise,
    kind,
    letters,
    number,
    refuse_slips,
    tensor,
)


@exercise(
    "05.1",
    "Count the steps",
    "First the steps of one epoch: how many batches do 10 rows make, at 4 rows a batch?",
    "What remains after the full batches is one more, smaller batch, in every epoch.",
    "`//` rounds down. `math.ceil(rows / batch_size)` rounds up; it needs `import math`.",
)
def steps_of_training(count_steps: object) -> str:
    """Round up within an epoch, then multiply by the epochs."""

    def said(rows: int, batch_size: int, epochs: int) -> float:
        return number(
            "count_steps(...)", call("count_steps", count_steps, rows, batch_size, epochs)
        )

    if said(160, 16, 1) != 10:
        raise Wrong(
            "160 rows fill batches of 16 with nothing left over: an epoch has 160 / 16 steps, "
            "neither more nor fewer. Try `count_steps(160, 16, 1)`."
        )
    one, three = said(10, 4, 1), said(10, 4, 3)
    if one == three:
        raise Wrong("Three epochs take as many steps as one. Where does `epochs` come in?")
    if one == 2:
        raise Wrong("10 rows in batches of 4: after 2 steps, 2 rows are left without a step.")
    if one != math.ceil(one):
        raise Wrong(f"{one:g} steps: there is no part of a step. Round up.")
    if one == 3 and three == 8:
        raise Wrong(
            "You round up once, at the end. Batches do not cross epochs: each epoch ends with a "
            "smaller batch of its own, so round before you multiply."
        )
    for case, right in (((10, 4, 1), 3), ((10, 4, 3), 9), ((7, 100, 2), 2)):
        if (value := said(*case)) != right:
            raise Wrong(
                f"`count_steps{case}` returns {value:g}. List the batches of one epoch by their "
                "sizes, then multiply."
            )
    if said(144, 16, 1) != 9:
        raise Wrong(
            "144 rows fill batches of 16 with nothing left over, as 160 do, and here they get "
            "another number of steps than 144 / 16. `round` takes a half to the even neighbor."
        )
    if said(1001, 1000, 1) == 1:
        raise Wrong(
            "1,001 rows in batches of 1,000: one row is left without a step. Round up, however "
            "small the part is."
        )
    return (
        "Steps, not epochs, move the weights: on 160 rows, with batches of 16 in place of all, the "
        "same 100 epochs make 1,000 updates in place of 100."
    )


FAULTS = "ceabd"  # of the five people, in their order
_READ = {  # what a letter at a place overlooks
    (0, "b"): "A step outside the inner loop makes few steps, but good ones. Theirs go wrong.",
    (0, "f"): "With a learning rate of 0 the loss would stay. Theirs falls, then swings.",
    (0, "d"): "Losses that are kept change no number. Theirs swings.",
    (1, "a"): "Without `backward` nothing fills `.grad`. Theirs grows.",
    (1, "f"): "At a rate of 0, `zero_grad` still empties `.grad` each time. Theirs grows.",
    (2, "f"): "A rate of 0 does not keep `backward` from filling `.grad`. Theirs is empty.",
    (3, "f"): "A rate of 0 trains nothing, however many epochs. Theirs gets on.",
}


@exercise(
    "05.2",
    "Read the symptoms",
    "Ask of each: did the line move at all? Then: did it move too far, or too rarely?",
    "Three of the faults leave the loss where it is: no gradient, a step for others, a step of "
    "length 0. What does `.grad` look like in each case?",
    "Two people's numbers are all right. What does each of them waste? One letter is left over.",
)
def symptoms(faults: object) -> str:
    """Compare five letters, and say what the first wrong one overlooks."""
    rule = "from a to f, one for each person in their order"
    found = letters("faults", faults, "abcdef", "abcde", "five letters", rule)
    for place, (letter, right) in enumerate(zip(found, FAULTS, strict=True)):
        if letter != right:
            person = f"Person {place + 1}: "
            if letter in found[:place]:
                raise Wrong(f"{person}no two of the five have the same fault.")
            raise Wrong(person + _READ.get((place, letter), _SYMPTOM[place]))
    return (
        "Two questions part most broken loops: did the weights move, and what is in `.grad`? Both "
        "are one `print` away, and no error message tells you."
    )


_SYMPTOM = [
    "the line moves, and goes too far even in short steps. What pushes it on?",
    "gradients pile up, and neither reset nor step reaches them. Whose reset, whose step is it?",
    "`None` is not 0: nothing was ever put there. Which of the six faults puts nothing there?",
    "twice as many batches in an epoch, and no more progress. How often did the line move?",
    "no number is wrong, and few rows do no harm. What grows with the number of rows?",
]


@exercise(
    "05.3",
    "Weigh the batches",
    "The loss of a batch is a mean. What do you multiply it by to get the batch's sum back?",
    "The loop stands in `with torch.inference_mode():`, and `.item()` makes plain numbers.",
    "Add up `len(X_batch) * loss` and, apart from it, `len(X_batch)`; divide at the end.",
)
def weighted_loss(loss_over: object) -> str:
    """Take the mean over all rows, from batches of 4, 4 and 2."""
    X = torch.arange(10.0).unsqueeze(1)
    y = 3 * X + torch.tensor([[0.1, 0.2, 0.5, 0.3, 1, 2, 1, 3, 5, 4]]).T

    def measured(model: torch.nn.Module, y: torch.Tensor) -> object:
        return call("loss_over", loss_over, model, DataLoader(_part(X, y), batch_size=4))

    model = _line(3.0)
    value = measured(model, y)
    if type(value) is torch.Tensor and value.requires_grad:
        raise Wrong("The result still carries the record for `backward`. Measure without it.")
    if type(value) is torch.Tensor:
        raise Wrong("The result is a tensor, and a plain number is asked for. `.item()` makes one.")
    value = number("loss_over(model, loader)", value)
    if model.weight.item() != 3:
        raise Wrong("Measuring moved the weight of the model. Leave `step` to training.")
    if model.weight.grad is not None:
        raise Wrong("Measuring computed gradients. Leave `backward` and `step` to training.")
    if close(value, number("loss_over(model, loader)", measured(_line(1.0), y))):
        raise Wrong("Two models get the same loss. Does `loss_over` measure the `model` it gets?")
    if close(value, number("loss_over(model, loader)", measured(model, y - 5))):
        raise Wrong("Two loaders get the same loss. Does the loop run over the `loader` it gets?")
    _judge_mean(value, 3 * X, y)
    chancy = torch.nn.Sequential(_line(3.0), torch.nn.Dropout(0.5))
    if not close(value, number("loss_over(model, loader)", measured(chancy, y))):
        raise Wrong(
            "With dropout in the model, two calls on the same rows give two losses. Which switch "
            "turns such layers off while you measure?"
        )
    recorded = []
    model.register_forward_hook(lambda *told: recorded.append(told[-1].requires_grad))
    measured(model, y)
    if any(recorded):
        raise Wrong(
            "The number is right, but each prediction is recorded for a `backward` that never "
            "comes. Which switch stops the recording?"
        )
    parts = [*zip(X.split([1, 2, 7]), y.split([1, 2, 7]), strict=True)]
    listed = number("loss_over(model, loader)", call("loss_over", loss_over, model, parts))
    if not close(listed, value):
        raise Wrong(
            f"The same ten rows, as a list of batches of 1, 2 and 7, give {listed:.4g} in place of "
            f"{value:.4g}. Weigh each batch by its own rows."
        )
    return (
        "Weighted by size, batches of any size give the loss over all rows, so runs with "
        "different batch sizes can be compared."
    )


def _judge_mean(value: float, y_pred: torch.Tensor, y: torch.Tensor) -> None:
    pairs = [*zip(y_pred.split(4), y.split(4), strict=True)]
    losses = [(targets - line).square().mean().item() for line, targets in pairs]
    crossed = [(targets.T - line).square().mean().item() for line, targets in pairs]
    right, plain = (y - y_pred).square().mean().item(), sum(losses)
    roots = [math.sqrt(loss) for loss in losses]
    slips = {
        "Every batch counts the same, and the last one has fewer rows than the others.": plain / 3,
        "This is the loss of the last batch alone. What adds the batches up?": losses[-1],
        "This is the loss of the first batch alone. Does `return` stand inside the loop?": losses[
            0
        ],
        "The last batch, with fewer rows, is left out.": (losses[0] + losses[1]) / 2,
        "This is the sum over all rows. The mean divides it by the number of rows.": 10 * right,
        "The batch losses are added and not averaged, without their sizes.": plain,
        "The weighted sum is divided by the number of batches, not of rows.": 10 * right / 3,
        "The means of the batches are added and divided by the number of rows. Multiply each mean "
        "by the rows of its batch first.": plain / 10,
        "Each batch is multiplied by 4, the batch size, and the last one has only 2 rows. "
        "`len(X_batch)` counts them.": 4 * plain / 10,
        HALF_MSE: right / 2,
        CROSSED: (4 * crossed[0] + 4 * crossed[1] + 2 * crossed[2]) / 10,
        f"{CROSSED} Besides, every batch counts the same here.": sum(crossed) / 3,
        "This is the mean absolute error. The loss of this notebook is MSE, as `loss_fn` has it.": (
            y - y_pred
        )
        .abs()
        .mean()
        .item(),
        "This is the root of the loss, the RMSE. The loss itself is asked for.": math.sqrt(right),
        "The roots of the batch losses are averaged. The loss has no root.": sum(roots) / 3,
        "The roots of the batch losses are averaged, by size. The loss has no root.": (
            (4 * roots[0] + 4 * roots[1] + 2 * roots[2]) / 10
        ),
        "`//` drops the decimals. `/` divides.": float(right // 1),
    }
    refuse_slips(value, slips)
    if not close(value, right):
        raise Wrong(
            f"On ten rows in batches of 4, 4 and 2 you return {value:.4g}; `loss_fn` on all ten at "
            f"once gives {right:.4g}. Follow the sum batch by batch, by hand."
        )


def _line(weight: float) -> torch.nn.Linear:
    model = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(model.weight, weight)
    torch.nn.init.zeros_(model.bias)
    return model


def _part(X: torch.Tensor, y: torch.Tensor) -> Subset:
    """Return the rows as a part of a larger dataset, as `random_split` does."""
    held_out = torch.full((len(X) // 3 + 1, 1), 7.0)
    whole = TensorDataset(torch.cat([held_out, X.flip(0)]), torch.cat([-held_out, y.flip(0)]))
    return Subset(whole, list(range(len(whole) - 1, len(held_out) - 1, -1)))


RATE = 0.05
X5, Y5 = torch.tensor([[-1.5, -0.4, 0.3, 0.8, 1.9], [3.0, 1.5, -0.2, 2.5, -1.1]]).unsqueeze(2)
_ROWS = range(5)
_Batches = Sequence[Sequence[Sequence[int]]]  # of a run: row numbers, by epoch and batch


@exercise(
    "05.4",
    "Write the loop from memory",
    "Two loops, one inside the other: epochs outside, the batches of a shuffled loader inside.",
    "`start_over(lr)` belongs in the function, and so does `DataLoader(rows, ...)`.",
    "Inside: reset, predict, measure, `backward`, `step`, then `steps += 1`.",
)
def training_loop(train_line: object) -> str:
    """Look for the end of a run among those of all orders of five rows, and of common slips."""

    def run(rows: Subset, lr: float, size: int, epochs: int) -> tuple[np.ndarray, float, object]:
        result = call("train_line", train_line, rows, lr, size, epochs)
        if type(result) not in (tuple, list) or len(result) != 2:
            raise Wrong(f"`train_line` returns {kind(result)}, expected the model and the steps.")
        if type(result[0]) in (int, float):
            raise Wrong("`train_line` returns a number first. The model comes before the steps.")
        ends = call("model", result[0], torch.tensor([[0.0], [1.0]]))
        bias, top = tensor("model(X)", ends, (2, 1)).detach().flatten().tolist()
        return np.array([top - bias, bias]), number("steps", result[1]), result[0]

    def end(size: int, epochs: int, lr: float = RATE, seed: int = 0) -> np.ndarray:
        for seed_all in (torch.manual_seed, np.random.seed, random.seed):
            seed_all(seed)
        return run(_part(X5, Y5), lr, size, epochs)[0]

    start = end(5, 1, lr=0.0)
    _judge_start(start, end)
    X = torch.linspace(-1, 1, 20).unsqueeze(1)
    _judge_count(run(_part(X, 2 * X), RATE, 3, 3)[1])
    whole = np.array([end(5, epochs) for epochs in (1, 2, 3)])
    if _same(whole, start, every=True):
        raise Wrong(_why_it_rests(lambda: run(_part(X5, Y5), RATE, 5, 2)[2]))
    if _same(whole[2], run(_part(X5, -2 * Y5), RATE, 5, 3)[0]):
        raise Wrong("Other rows lead to the same line. Does the loop train on batches of `rows`?")
    _judge_whole(start, whole, lambda: run(_part(X5, Y5), RATE, 5, 2))
    _judge_long(start, *run(_part(X5, Y5), RATE, 5, 30)[:2])
    if not _same(_ends(start, [[a, b] for a in _ORDERS for b in _ORDERS]), end(2, 2)):
        _judge_batches(start, end(2, 2), end(2, 1))
    fixed = [[[[row] for row in order]] * 3 for order in itertools.permutations(_ROWS)]
    if _same(_ends(start, fixed), end(1, 3)):
        raise Wrong(
            "The rows come in the same order in every epoch. With `shuffle=True` a loader draws a "
            "new order each time a `for` loop begins."
        )
    return (
        "Reset, predict, measure, compute gradients, update: these five lines train a line, and "
        "notebook 09 trains a network with the same five."
    )


def _judge_start(start: np.ndarray, end: Callable) -> None:
    if not _same(end(5, 1, lr=0.0), start) or not _same(end(5, 1), end(5, 1)):
        raise Wrong(
            "Two calls alike end at different lines: the second goes on where the first ended. "
            "Begin each call with a fresh model and an optimizer of its own."
        )
    if not _same(end(5, 1, lr=0.0, seed=1), start):
        raise Wrong(
            "Each call starts from another random line. `start_over` sets the seed first, so that "
            "all calls start from the same one."
        )
    if not _same(end(5, 2, lr=0.0), start):
        raise Wrong(
            "With lr 0 the line must stay where it starts, and here it moves. Is the optimizer "
            "made with this `lr`?"
        )


def _judge_count(steps: float) -> None:
    hints = {
        3: "One step is counted in each epoch. The count belongs in the inner loop, and so does "
        "the update, once for each batch. If both stand there: does the loader get `batch_size`?",
        6: "That would be right for batches of 16. Does the loader get `batch_size`?",
        7: "These are the steps of a single epoch. Count the updates in all.",
        18: "The last 2 rows of each epoch get no step. Is `drop_last` set?",
        20: "Batches do not cross epochs: each epoch ends with a smaller batch of its own. Or does "
        "the count begin at -1?",
        27: "So many batches hold more rows than `rows` has. `rows.dataset` is the whole dataset, "
        "with the rows held out.",
        60: "That is one for each row. Count batches; and does the loader get `batch_size`?",
    }
    said = hints.get(steps, "Make the batches from `rows`, and add 1 after each update.")
    if steps != 21:
        raise Wrong(f"For 20 rows, batches of 3 and 3 epochs the count ends at {steps:g}. {said}")


class _Step(NamedTuple):
    """What an optimizer holds when it takes a step."""

    optimizer: Optimizer
    held: set[int]
    full: bool  # whether a gradient differs from 0


def _watch(train: Callable) -> tuple[object, list[_Step]]:
    """Return what a training returns, and the steps its optimizers take."""
    found: list[_Step] = []

    def look(optimizer: Optimizer, *_: object) -> None:
        held = [values for group in optimizer.param_groups for values in group["params"]]
        full = any(values.grad is not None and bool(values.grad.any()) for values in held)
        found.append(_Step(optimizer, set(map(id, held)), full))

    handle = register_optimizer_step_pre_hook(look)
    try:
        return train(), found
    finally:
        handle.remove()


def _why_it_rests(train: Callable) -> str:
    """Say why no step moves the model, from what optimizers find when they step."""
    model, found = _watch(train)
    own = set(map(id, model.parameters())) if isinstance(model, torch.nn.Module) else set()
    rests = "With all rows as one batch, the line stays where it starts"
    if not found:
        return f"{rests}: no optimizer takes a step. Which line moves the parameters?"
    if not any(step.held & own for step in found):
        return (
            f"{rests}: the optimizer moves other parameters than those of the model that you "
            "return. `start_over` makes both together."
        )
    if not any(step.full for step in found):
        return (
            f"{rests}: at each `step` the gradients are empty. `zero_grad` comes before "
            "`backward`, and `step` right after it."
        )
    return f"{rests}. Is the model that you return the one that was trained?"


def _refuse_options(train: Callable) -> None:
    """Raise Wrong where SGD is given what plain SGD lacks."""
    for optimizer, *_ in _watch(train)[1]:
        for group in optimizer.param_groups if type(optimizer) is SGD else ():
            for option in ("momentum", "weight_decay"):
                if group[option]:
                    raise Wrong(
                        f"The exercise asks for plain SGD, and here it has "
                        f"`{option}={group[option]:g}`. `start_over` makes it without."
                    )


class _Slip(NamedTuple):
    """What is done in each batch, and at the beginning and end of an epoch.

    f is forward and loss, z resets the gradients, b adds those of the last f (`backward`), s takes
    a step, m a step by the mean of what b added.
    """

    each: str = "zfbs"
    first: str = ""
    last: str = ""
    kept: float = 0.0  # the part of the gradients that a reset leaves
    loss: Callable = lambda off, y: 2 * off / off.shape[1]  # its derivative by the predictions


_RIGHT = _Slip()
_LATE = "Each step uses the gradient of the batch before, since `step` stands before `backward`"
_WHOLE = {  # slips that show when all rows are one batch
    "Each step uses the sum of all gradients so far. What resets them? `zero_grad` belongs in the "
    "inner loop, before each `backward`.": _Slip("fbs"),
    "Each step carries on 0.9 of the one before: that is momentum, and the exercise asks for plain "
    "SGD.": _Slip(kept=0.9),
    f"{_LATE}.": _Slip("fszb"),
    f"{_LATE}, at the top of the loop.": _Slip("szfb"),
    f"{_LATE}, and nothing resets the gradients.": _Slip("fsb"),
    f"{_LATE}, at the top of the loop, and nothing resets the gradients.": _Slip("sfb"),
    "Each batch gets two steps in place of one.": _Slip("zfbss"),
    CROSSED: _Slip(loss=lambda off, y: 2 * (off + y - y.mean(1, keepdims=True)) / y.shape[1]),
    HALF_MSE: _Slip(loss=lambda off, y: off / y.shape[1]),
    "The steps are five times too long for five rows: a mean is wanted, not a sum.": (
        _Slip(loss=lambda off, y: 2 * off)
    ),
    "The steps are five times too short for five rows. The loss is a mean already; is it divided "
    "by the number of rows once more?": _Slip(loss=lambda off, y: 2 * off / y.shape[1] ** 2),
    "The steps follow the mean absolute error (L1), and MSE is asked for: `loss_fn`.": (
        _Slip(loss=lambda off, y: np.sign(off) / y.shape[1])
    ),
    "The steps follow a loss that is linear far from 0 (smooth L1 or Huber), and MSE is asked for: "
    "`loss_fn`.": _Slip(loss=lambda off, y: np.clip(off, -1, 1) / y.shape[1]),
    "The steps follow the root of the MSE. Call `backward` on the loss itself.": _Slip(
        loss=lambda off, y: off / np.sqrt(np.square(off).mean(1, keepdims=True)) / y.shape[1]
    ),
}
_ONE = "All batches of an epoch end in one step. `step` belongs in the inner loop, after each "
_BATCHES = {  # slips that show between the batches of an epoch
    "Within an epoch each step uses the sum of all its gradients so far. Reset before each "
    "`backward`, and call that on the loss of this batch alone, not on a running sum.": (
        _Slip("fbs", first="z")
    ),
    "Within an epoch each step uses the mean of all its gradients so far. Call `backward` on the "
    "loss of this batch alone.": _Slip("fbm", first="z"),
    f"{_ONE}`backward`.": _Slip("fb", first="z", last="s"),
    f"{_ONE}`backward`, and not on a mean over the epoch.": _Slip("fb", first="z", last="m"),
    f"{_ONE}`backward`; here only the last batch counts.": _Slip("zfb", last="s"),
    "In an epoch of three batches each step is three times too short. The loss of a batch is a "
    "mean already; do not divide it by `len(loader)`.": _Slip(
        loss=lambda off, y: 2 * off / y.shape[1] / 3
    ),
    "The sum over a batch is divided by the number of all rows. Divide by those of the batch.": (
        _Slip(loss=lambda off, y: 2 * off / 5)
    ),
    "The sum over the last, smaller batch is divided by `batch_size`. Divide by its own "
    "rows.": _Slip(loss=lambda off, y: 2 * off / 2),
}
_DRAWN = (
    "The batches of an epoch hold a row twice and leave others out. An epoch passes once over each "
    "row."
)
_ORDERS = [
    [order[:2], order[2:4], order[4:]]
    for order in itertools.permutations(_ROWS)
    if order[0] < order[1] and order[2] < order[3]
]


def _judge_whole(start: np.ndarray, whole: np.ndarray, train: Callable) -> None:
    """Refuse what is wrong already when all rows are one batch; `whole` ends 1, 2, 3 epochs."""

    def ends(slip: _Slip) -> np.ndarray:
        runs = [[[[*_ROWS]]] * epochs for epochs in (1, 2, 3)]
        return np.concatenate([_ends(start, [run], slip) for run in runs])

    right = ends(_RIGHT)
    if _same(whole, right, every=True):
        return
    for said, slip in _WHOLE.items():
        if _same(whole, ends(slip), every=True):
            raise Wrong(said)
    if _same(whole, right[0], every=True):
        raise Wrong(
            "After 2 and 3 epochs the line is where it was after one. The outer loop runs `epochs` "
            "times, and the line starts over before it, not inside it."
        )
    _refuse_options(train)
    moved, wanted = whole[0] - start, right[0] - start
    if not _same(whole[0], right[0], every=True) and np.allclose(moved, wanted, rtol=0.01):
        raise Wrong(
            "The first step differs from `lr` times the gradient of the MSE by less than a "
            "hundredth. Is something small added to the loss, or taken off the weights?"
        )
    ratios = [_ratio(*line) for line in zip([start, *whole[:2]], whole, strict=True)]
    if None not in ratios:
        raise Wrong(_why_so_long(*ratios))
    if _same(whole[0], right[0], every=True):
        raise Wrong(
            "The first step is right, and the later ones are not: they carry something on. Does "
            "the reset leave out a parameter, or does a step use those before it?"
        )
    draws = itertools.combinations_with_replacement(_ROWS, 5)
    if _same(_ends(start, [[[draw]] for draw in draws]), whole[0]):
        raise Wrong(_DRAWN)
    if abs(abs(moved[0]) / abs(moved[1]) - 1) < 0.02:
        raise Wrong(
            "The first steps of weight and bias are equally long, although their gradients differ. "
            "Adam and its relatives do that, and so does `clip_grad_value_`. The exercise asks for "
            "plain SGD, on the gradients as they are."
        )
    raise Wrong(
        "After one step on all rows the line has moved by "
        f"({moved[0]:.4f}, {moved[1]:.4f}) in weight and bias; minus `lr` times the gradient of "
        f"the MSE is ({wanted[0]:.4f}, {wanted[1]:.4f}). Compare your five lines with those of the "
        "notebook."
    )


def _judge_long(start: np.ndarray, end: np.ndarray, steps: float) -> None:
    if steps != 30:
        raise Wrong(
            f"30 epochs of one batch make 30 steps, and the count ends at {steps:g}. Does the "
            "training stop before the last epoch?"
        )
    if not _same(_ends(start, [[[[*_ROWS]]] * 30]), end):
        raise Wrong(
            "With all rows as one batch the first three steps are right, and after 30 epochs the "
            "line is elsewhere than 30 such steps lead. Does a scheduler change the rate, or does "
            "the training stop before the last epoch?"
        )


def _why_so_long(*ratios: float) -> str:
    told = ", ".join(f"{ratio:.3g}" for ratio in ratios)
    told = f"The first three steps, by `lr` times the gradient of the MSE, are {told} long."
    if max(ratios) - min(ratios) > 1e-3:
        return (
            f"{told} Does a scheduler change the rate, a condition leave steps out, or is the "
            "gradient clipped?"
        )
    if ratios[0] < 0:
        return f"{told} They lead uphill: is a sign turned?"
    return f"{told} Is the loss or the rate multiplied by something?"


def _ratio(before: np.ndarray, after: np.ndarray) -> float | None:
    """Return how many times as long as right a step on all rows is; None if it is askew."""
    right = _ends(before, [[[[*_ROWS]]]])[0] - before
    ratio = (after - before) @ right / (right @ right)
    return ratio if _same(after, before + ratio * right) else None


def _judge_batches(start: np.ndarray, two: np.ndarray, one: np.ndarray) -> None:
    """Say what is wrong between batches; `one` and `two` epochs of batches of 2, 2 and 1."""
    epochs = [[a, b] for a in _ORDERS for b in _ORDERS]
    for said, slip in _BATCHES.items():
        if _same(_ends(start, epochs, slip), two):
            raise Wrong(said)
    pairs = [*itertools.combinations_with_replacement(_ROWS, 2)]
    for last in (pairs, [[row] for row in _ROWS]):
        if _same(_ends(start, [[draw] for draw in itertools.product(pairs, pairs, last)]), one):
            raise Wrong(_DRAWN)
    raise Wrong(
        "With all rows as one batch your steps are right; with batches of 2, 2 and 1 rows no order "
        "of them leads to where your line ends. What happens between two batches? Reset, predict, "
        "measure, `backward` and `step` belong in the inner loop, on the rows of one batch."
    )


def _same(some: np.ndarray, end: np.ndarray, every: bool = False) -> bool:
    """Tell whether one of some lines, or every one, has the weight and bias of `end`."""
    away = np.abs(some - end).max(axis=-1)
    return bool((away.max() if every else away.min()) < 2e-5)


def _ends(start: np.ndarray, runs: Sequence[_Batches], slip: _Slip = _RIGHT) -> np.ndarray:
    """Return weight and bias after each of R runs alike in their sizes: shape (R, 2)."""
    x, y = X5.double().numpy().ravel(), Y5.double().numpy().ravel()
    line = np.tile(start, (len(runs), 1))
    gradient, piled, parts = np.zeros_like(line), np.zeros_like(line), 0
    for epoch, batches in enumerate(runs[0]):
        ops = [(op, batch) for batch in range(len(batches)) for op in slip.each]
        for op, batch in [*((op, 0) for op in slip.first), *ops, *((op, 0) for op in slip.last)]:
            if op == "f":
                rows = np.array([run[epoch][batch] for run in runs])
                off = line[:, :1] * x[rows] + line[:, 1:] - y[rows]
                slope = slip.loss(off, y[rows])
                gradient = np.stack([(slope * x[rows]).sum(1), slope.sum(1)], axis=1)
            elif op == "z":
                piled, parts = slip.kept * piled, 0
            elif op == "b":
                piled, parts = piled + gradient, parts + 1
            else:
                line = line - RATE * piled / (parts if op == "m" else 1)
    return line


@exercise(
    "05.5",
    "Draw a star",
    "A function helps: it takes a start, makes model and optimizer, fills both parameters and "
    "returns the two columns of `history`.",
    '`history["weight"]` and `history["bias"]` are the columns. Weights come first.',
    "Around (2, 1.5): for example the corners of a square with this point in the middle, and one "
    "more.",
)
def star_of_paths(star: object) -> str:
    """Look at starts and ends: five or more, from all sides, to the best line."""
    if type(star) is not dict:
        raise Wrong(
            f"`star` is {kind(star)}, expected a dictionary: from a name to weights and biases."
        )
    if len(star) < 5:
        raise Wrong(f"Five rays make a star, and `star` holds {len(star)}.")
    paths = [_path(name, pair) for name, pair in star.items()]
    for name, path in zip(star, paths, strict=True):
        _judge_path(name, path)
    starts = np.array([path[0] - BEST for path in paths])
    angles = np.sort(np.arctan2(starts[:, 1], starts[:, 0]))
    gaps = np.diff([*angles, angles[0] + 2 * np.pi])
    if (gaps > 0.05).sum() < 5:
        raise Wrong("Some paths begin in the same direction, or at the same place. Move a start.")
    if gaps.max() > 3.1:
        same = [n for n, at in zip(("weight", "bias"), starts.T, strict=True) if np.ptp(at) < 1e-6]
        raise Wrong(
            "All paths come from one side, which is half a star. Begin on the other side of weight "
            "2, bias 1.5 as well." + "".join(f" So far all starts have the same {n}." for n in same)
        )
    return (
        "One bowl, one lowest point: from wherever a line starts, steps downhill that are short "
        "enough lead there. The loss of a network has many valleys, and the start decides which "
        "one it finds."
    )


BEST = np.array([2.0, 1.5])


def _path(name: object, pair: object) -> np.ndarray:
    """Return a path as rows of weight and bias."""
    if type(pair) not in (tuple, list) or len(pair) != 2:
        raise Wrong(
            f"The path {name!r} is {kind(pair)}, expected two columns: its weights and its biases."
        )
    columns = []
    for column in pair:
        values = column.detach().reshape(-1) if type(column) is torch.Tensor else column
        try:
            columns.append(np.array([float(value) for value in values]))
        except (TypeError, ValueError):
            raise Wrong(f"The path {name!r} holds {kind(column)}, expected numbers.") from None
    if len(columns[0]) != len(columns[1]):
        raise Wrong(f"The path {name!r} has more weights than biases, or fewer.")
    return np.stack(columns, axis=1)


def _judge_path(name: object, path: np.ndarray) -> None:
    if len(path) < 5:
        raise Wrong(f"A path shows its steps, and {name!r} has {len(path)} of them.")
    if not np.isfinite(path).all() or np.abs(path).max() > 1e3:
        raise Wrong(f"The path {name!r} runs away. Its learning rate is too large.")
    first, last = (np.abs(path[at] - BEST).max() for at in (0, -1))
    if np.abs(path[-1][::-1] - BEST).max() < 0.2:
        raise Wrong(f"The path {name!r} ends at (1.5, 2.0): weights come first, then biases.")
    if last > 0.2:
        raise Wrong(
            f"The path {name!r} stops at weight {path[-1][0]:.2f}, bias {path[-1][1]:.2f}, before "
            "it is at the best line. More steps, or longer ones?"
        )
    if first < 0.5:
        raise Wrong(f"The path {name!r} begins where it should end. Start it further out.")
    if np.abs(np.diff(path, axis=0)).max() > 2 * first + 1:
        raise Wrong(f"The path {name!r} jumps. Are two runs in one list?")
