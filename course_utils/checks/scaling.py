"""Checks of exercises on devices, processes and their cost."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from course_utils.checks.judging import (
    CROSSED,
    HALF_MSE,
    Wrong,
    call,
    close,
    exercise,
    flat,
    kind,
    number,
    refuse_slips,
    same_random_numbers,
    tensor,
)

X5 = torch.tensor([[-1.5], [-0.4], [0.3], [0.8], [1.9]])
Y5 = torch.tensor([[3.0], [1.5], [-0.2], [2.5], [-1.1]])
RATE = 0.1
_Batches = list[tuple[torch.Tensor, torch.Tensor]]


class _Watched(DataLoader):
    """Serves five rows on the CPU in shuffled batches of 2, 2 and 1, and keeps finished passes."""

    def __init__(self):
        generator = torch.Generator().manual_seed(1)
        rows = TensorDataset(X5.clone(), Y5.clone())
        super().__init__(rows, batch_size=2, shuffle=True, generator=generator)
        self.passes: list[_Batches] = []

    def __iter__(self):
        batches = []
        for X_batch, y_batch in super().__iter__():
            batches.append((X_batch.clone(), y_batch.clone()))
            yield X_batch, y_batch
        self.passes.append(batches)


class _Loop(NamedTuple):
    """What a loop does in each batch, and at the beginning and the end of an epoch.

    f is forward and loss, z resets the gradients, b is `backward`, s a step.
    """

    each: str = "zfbs"
    first: str = ""
    last: str = ""
    batches: int = 3
    loss: Callable = lambda off, y: 2 * off / len(off)  # its derivative by the predictions


_LATE = "Each step uses the gradient of the batch before, since `step` stands before `backward`"
_ONE = "All batches of an epoch end in one step. `step` belongs in the inner loop, after `backward`"
_LOOPS = {
    "Each step uses the sum of all gradients so far. What resets them? `zero_grad` belongs in the "
    "inner loop, before each `backward`.": _Loop("fbs"),
    "Within an epoch each step uses the sum of all its gradients so far. Reset before each "
    "`backward`, and call that on the loss of this batch alone, not on a running sum.": (
        _Loop("fbs", first="z")
    ),
    f"{_ONE}.": _Loop("fb", first="z", last="s"),
    f"{_ONE}; here only the last batch counts.": _Loop("zfb", last="s"),
    f"{_LATE}.": _Loop("fszb"),
    f"{_LATE}, at the top of the loop.": _Loop("szfb"),
    f"{_LATE}, and nothing resets the gradients.": _Loop("fsb"),
    f"{_LATE}, at the top of the loop, and nothing resets the gradients.": _Loop("sfb"),
    "Each batch gets two steps in place of one.": _Loop("zfbss"),
    "The last, smaller batch of an epoch gets no step.": _Loop(batches=2),
    CROSSED: _Loop(loss=lambda off, y: 2 * (off + y - y.mean()) / len(y)),
    HALF_MSE: _Loop(loss=lambda off, y: off / len(y)),
    "The steps follow the sum over a batch. `loss_fn` takes the mean.": (
        _Loop(loss=lambda off, y: 2 * off)
    ),
    "The sum over a batch is divided by 2, also for the last batch of one row. Divide by "
    "`len(X_batch)`, as `loss_fn` does.": _Loop(loss=lambda off, y: off),
    "The loss of a batch is a mean already. Do not divide it by its number of rows once more.": (
        _Loop(loss=lambda off, y: 2 * off / len(y) ** 2)
    ),
    "Each step is too short by the number of batches. The loss of a batch is a mean already; do "
    "not divide it by `len(loader)`.": _Loop(loss=lambda off, y: 2 * off / len(y) / 3),
    "The steps follow the mean absolute error (L1), and `loss_fn` is the MSE.": (
        _Loop(loss=lambda off, y: off.sign() / len(y))
    ),
    "The steps follow the root of the MSE. Call `backward` on the loss itself.": (
        _Loop(loss=lambda off, y: off / off.square().mean().sqrt() / len(y))
    ),
}


def _ends(start: torch.Tensor, passes: list[_Batches], loop: _Loop) -> torch.Tensor:
    """Return weight and bias after such a loop."""
    line, gradient, piled = start, torch.zeros(2), torch.zeros(2)
    for batches in passes:
        ops = [(op, batch) for batch in batches[: loop.batches] for op in loop.each]
        ops = [*((op, batches[0]) for op in loop.first), *ops]
        for op, (X, y) in [*ops, *((op, batches[-1]) for op in loop.last)]:
            if op == "f":
                slope = loop.loss(line[0] * X + line[1] - y, y)
                gradient = torch.stack([(slope * X).sum(), slope.sum()])
            elif op == "z":
                piled = torch.zeros(2)
            elif op == "b":
                piled = piled + gradient
            else:
                line = line - RATE * piled
    return line


def _trained(train_on: object, device: str, loader: DataLoader, epochs: int) -> torch.nn.Module:
    """Let the learner train, from the same random numbers in each call."""
    torch.manual_seed(2)
    model = call("train_on", train_on, torch.device(device), loader, epochs)
    if not isinstance(model, torch.nn.Module):
        raise Wrong(f"`train_on` returns {kind(model)}, expected the model.")
    return model


def _weight_and_bias(model: torch.nn.Module) -> torch.Tensor:
    at = tensor("model(X)", call("model", model, torch.tensor([[0.0], [1.0]])), (2, 1))
    bias, top = flat(at)
    return torch.tensor([top - bias, bias])


def _start(train_on: object) -> torch.Tensor:
    """Return the line before training, also of a function that fails without an epoch."""
    try:
        return _weight_and_bias(_trained(train_on, "cpu", _Watched(), 0))
    except Wrong:
        torch.manual_seed(2)
        return _weight_and_bias(torch.nn.Linear(1, 1))


class _Step(NamedTuple):
    """What an optimizer was about to do."""

    optimizer: Optimizer
    rate: float
    full: bool  # whether it had gradients


def _refuse_optimizers(steps: list[_Step], model: torch.nn.Module, moved: bool) -> None:
    rests = "The line stays where it starts"
    if not steps:
        if not moved:
            raise Wrong(f"{rests}: no optimizer takes a step. Which line moves the parameters?")
        return
    optimizer = steps[0].optimizer
    held = {id(part) for group in optimizer.param_groups for part in group["params"]}
    if not held & {id(part) for part in model.parameters()}:
        raise Wrong(
            f"{rests}: the optimizer moves other parameters than those of the model that you "
            "return. Make it from `model.parameters()`."
        )
    if not any(step.full for step in steps):
        raise Wrong(
            f"{rests}: at each `step` the gradients are empty. `zero_grad` comes before "
            "`backward`, and `step` right after it."
        )
    name, group = type(optimizer).__name__, optimizer.param_groups[0]
    if name != "SGD":
        raise Wrong(f"The exercise asks for SGD, and this is {name}. Its steps are others.")
    for option in ("momentum", "weight_decay"):
        if group[option]:
            raise Wrong(f"Plain SGD is asked for. Here it has `{option}={group[option]:g}`.")
    first, last = steps[0].rate, steps[-1].rate
    if not close(first, last):
        raise Wrong(f"The learning rate changes from {first:g} to {last:g}. It stays at {RATE}.")
    if not close(first, RATE):
        raise Wrong(f"The learning rate is {first:g}, and {RATE} is asked for.")


def _judge_two_epochs(train_on: object) -> None:
    """Hold two epochs of batches of 2, 2 and 1 rows against plain SGD, and name what differs."""
    steps, loader = [], _Watched()

    def look(optimizer: Optimizer, *_: object) -> None:
        group = optimizer.param_groups[0]
        full = any(part.grad is not None and any(flat(part.grad)) for part in group["params"])
        steps.append(_Step(optimizer, group["lr"], full))

    handle = register_optimizer_step_pre_hook(look)
    try:
        model = _trained(train_on, "cpu", loader, 2)
    finally:
        handle.remove()
    end, passes, start = _weight_and_bias(model), loader.passes, _start(train_on)
    if len(passes) != 2:
        raise Wrong(
            f"For 2 epochs your loops go through the whole loader {len(passes)} times. Each epoch "
            "is one pass over all batches: look at `range`, and for a `break` or a `return`."
        )
    right = _ends(start, passes, _Loop())
    if close(end, right):
        return
    _refuse_optimizers(steps, model, moved=not close(end, start))
    refuse_slips(end, {said: _ends(start, passes, loop) for said, loop in _LOOPS.items()})
    raise Wrong(
        "After 2 epochs of 3 batches weight and bias are "
        f"{end[0]:.4f} and {end[1]:.4f}; plain SGD on the MSE leads to {right[0]:.4f} and "
        f"{right[1]:.4f}. Compare your five lines with those of the notebook, and where they stand."
    )


@exercise(
    "12.1",
    "Train on any device",
    "Two things have to be on `device` before they meet: the model, and each batch.",
    "`X_batch.to(device)` returns the copy on that device; the batch itself stays where it is.",
    "`nn.Linear(1, 1).to(device)`, its optimizer, then the loop with the moved batch.",
)
def any_device(train_on: object) -> str:
    """Train on the CPU, where numbers are seen, and on a device to which all has to be moved."""
    _judge_two_epochs(train_on)
    try:
        model = _trained(train_on, "meta", _Watched(), 2)
    except Wrong as wrong:
        raise Wrong(
            f"On the CPU it works. On the device `meta`: {wrong} Are model and batch both on "
            "`device`? And no number can be read there, as `.item()` does."
        ) from None
    if {parameter.device.type for parameter in model.parameters()} != {"meta"}:
        raise Wrong("Asked for another device, it trains where it always does. Use `device`.")
    return (
        "Model and batch meet on the device that the caller names, so the same loop runs on a "
        "laptop and on a card."
    )


@exercise(
    "12.2",
    "Deal for an epoch",
    "`DistributedSampler` needs only something with a length, such as `range(n)`.",
    "Whoever leaves the epoch out gets the order of epoch 0 each time: `set_epoch`.",
    "Make it with `(range(n), processes, rank, seed=420)`, set the epoch, return `list(sampler)`.",
)
def deal(rows_of: object) -> str:
    """Deal 12 rows to 3 processes and 10 to 4, in two epochs."""

    def dealt(processes: int, n: int, epoch: int) -> list[list[int]]:
        with same_random_numbers("rows_of"):
            found = [call("rows_of", rows_of, r, processes, n, epoch) for r in range(processes)]
        for rows in found:
            if type(rows) is not list:
                raise Wrong(f"`rows_of` returns {kind(rows)}, expected a list of row numbers.")
            if not all(type(row) is int for row in rows):
                raise Wrong("The list holds other things than whole numbers, such as tensors.")
        return found

    def right(processes: int, n: int, epoch: int, seed: int = 420) -> list[list[int]]:
        samplers = [DistributedSampler(range(n), processes, r, seed=seed) for r in range(processes)]
        for sampler in samplers:
            sampler.set_epoch(epoch)
        return [list(sampler) for sampler in samplers]

    first, later = dealt(3, 12, 0), dealt(3, 12, 5)
    if len(set(map(tuple, first))) == 1:
        raise Wrong("All ranks take the same rows, so three processes do the work of one.")
    if sorted(row for rows in first for row in rows) != list(range(12)):
        raise Wrong("The ranks together do not take each of 12 rows once.")
    if first[0] == sorted(first[0]) and later[0] == sorted(later[0]):
        raise Wrong("The rows come in the order of the dataset. Nothing is shuffled.")
    if first == later:
        raise Wrong("Epoch 5 has the order of epoch 0. What tells the sampler which epoch it is?")
    if (first, later) == (right(3, 12, 0, seed=0), right(3, 12, 5, seed=0)):
        raise Wrong("These are the rows of seed 0, the default. The exercise asks for seed 420.")
    if (first, later) == (right(3, 12, 0), right(3, 12, 10)):
        raise Wrong("The epoch counts twice: `set_epoch` adds it to the seed by itself.")
    if (first, later) == (right(3, 12, 1), right(3, 12, 6)):
        raise Wrong("These are the rows of the next epoch. Epochs count from 0.")
    order = [row for turn in zip(*right(3, 12, 0), strict=True) for row in turn]
    if first == [order[4 * rank : 4 * rank + 4] for rank in range(3)]:
        raise Wrong(
            "Each rank takes a block of the order. `DistributedSampler` deals in turn, like cards: "
            "`order[rank::processes]`."
        )
    if first != right(3, 12, 0) or later != right(3, 12, 5):
        raise Wrong(
            "The order is shuffled, and it is not the one that `DistributedSampler` has for seed "
            "420 and that epoch: its generator is seeded with 420 + epoch."
        )
    ten = dealt(4, 10, 1)
    if ten != right(4, 10, 1):
        raise Wrong(
            f"10 rows for 4 ranks: yours take {[len(rows) for rows in ten]}. Each takes the same "
            "number, 3, and two rows come twice, the first of the order."
        )
    return (
        "A process that starts again at epoch 12 finds the rows of epoch 12, without a word from "
        "the others and without a generator's state."
    )


@exercise(
    "12.3",
    "Average uneven parts",
    "A gradient of 12 rows has to count three times as much as one of 4.",
    "Multiply each gradient by its number of rows before you add them up.",
    "Divide that sum by the number of all rows, `sum(sizes)`.",
)
def uneven(average: object) -> str:
    """Average gradients of 12, 3 and 1 rows, and of one process."""
    gradients = [torch.tensor([[2.5, -1.0]]), torch.tensor([[6.0, 1.0]]), torch.tensor([[4.0, 8]])]
    sizes = [12, 3, 1]
    result = call("average", average, [g.clone() for g in gradients], list(sizes))
    result = tensor("average(gradients, sizes)", result, (1, 2))

    def mixed(weights: Sequence[float], by: float) -> torch.Tensor:
        return sum(w * g for w, g in zip(weights, gradients, strict=True)) / by

    right, parts = mixed(sizes, 16), [1 / size for size in sizes]
    upside_down = "Divided by its number of rows, a small part counts more, not less."
    slips = {
        "Each process counts the same here. One of them has 12 of the 16 rows.": mixed([1] * 3, 3),
        "This is the sum of the gradients, divided by nothing.": mixed([1] * 3, 1),
        "The weighted sum still has to be divided, by the number of all rows.": mixed(sizes, 1),
        "The weighted sum is divided by the number of processes, not of rows.": mixed(sizes, 3),
        "The weighted mean is divided by the number of processes once more.": mixed(sizes, 48),
        upside_down: mixed(parts, 3),
        f"{upside_down} Multiply instead.": mixed(parts, sum(parts)),
        f"{upside_down} And their sum is divided by nothing.": mixed(parts, 1),
        "The sum of the gradients, divided by the number of rows: no part is weighted.": (
            mixed([1] * 3, 16)
        ),
        "The numbers of rows stand in another order than the gradients.": mixed(sizes[::-1], 16),
        "This is the gradient of the largest part alone. The other rows count too.": gradients[0],
        "`//` rounds down to a whole number. `/` divides.": right.floor(),
        "The decimals are cut off. Gradients are not whole numbers.": right.trunc(),
    }
    refuse_slips(result, slips)
    if not close(result, right):
        raise Wrong(
            f"For gradients {[flat(g) for g in gradients]} of 12, 3 and 1 rows, `average` returns "
            f"{[round(value, 4) for value in flat(result)]}, and the gradient of all 16 rows is "
            f"{flat(right)}."
        )
    given = [g.clone() for g in gradients]
    again = call("average", average, given, rows := list(sizes))
    if rows != sizes:
        raise Wrong("The list of row numbers that was handed in has changed. Leave it as it is.")
    if not all(close(a, b) for a, b in zip(given, gradients, strict=True)):
        raise Wrong("A gradient that was handed in has changed: `*=` and `+=` work in place.")
    if not close(tensor("average", again, (1, 2)), result):
        raise Wrong("A second call with the same gradients gives another result.")
    one = tensor("average", call("average", average, [gradients[2].clone()], [5]), (1, 2))
    if not close(one, gradients[2]):
        raise Wrong("With one process the average is that process's own gradient.")
    return (
        "Weighted by rows, any way of dealing them out gives the gradient of the whole batch. "
        "PyTorch keeps the parts equal, so that it can take the plain mean."
    )


def _seconds(compute: float, n_bytes: float, n: int) -> float:
    return compute / n + 2 * (n - 1) * (50e-6 + n_bytes / n / 1.25e9)


@exercise(
    "12.4",
    "Stop where it stops paying",
    "The speed-up of n processes is `compute / step_time(compute, n_bytes, n)`.",
    "Worth it: that speed-up is at least `n / 2`. One process always is.",
    "Collect all n of (1, 2, 4, 8, 16, 32, 64) that are worth it and take the `max`.",
)
def worth(most_worth: object) -> str:
    """Ask about jobs that stop paying at each of the counts."""
    counts = (1, 2, 4, 8, 16, 32, 64)
    jobs = [(2.0, 100e6), (0.3e-3, 8), (2.0, 4e6), (0.05, 4e6), (0.5, 400e6), (20.0, 100e6)]
    jobs.append(_EXACTLY_HALF)
    found = [_asked(most_worth, job) for job in jobs]

    def speed_up(job: tuple[float, float], n: int) -> float:
        return job[0] / _seconds(*job, n)

    def largest(is_worth: Callable[[tuple, int], bool]) -> list[int]:
        return [max(n for n in counts if n == 1 or is_worth(job, n)) for job in jobs]

    right = largest(lambda job, n: speed_up(job, n) >= n / 2)
    if found == right:
        return (
            "By this formula, beyond that number more than half of what is paid for waits for "
            "messages. More computing for each step, or fewer bytes, moves the limit."
        )
    slips = {
        "These are the counts with the shortest step, whatever they cost.": (
            [min(counts, key=lambda n, job=job: _seconds(*job, n)) for job in jobs]
        ),
        "Where the speed-up is exactly half of `n`, that is enough: `>=`, not `>`.": (
            largest(lambda job, n: speed_up(job, n) > n / 2)
        ),
        "Here a speed-up of 2 is enough. It has to be half of the number of processes.": (
            largest(lambda job, n: speed_up(job, n) >= 2)
        ),
        "Here any speed-up above 1 is enough. It has to be half of the number of processes.": (
            largest(lambda job, n: speed_up(job, n) > 1)
        ),
        "Here a fourth of `n` is enough. The speed-up has to be half of it.": (
            largest(lambda job, n: speed_up(job, n) >= n / 4)
        ),
    }
    for said, slip in slips.items():
        if found == slip:
            raise Wrong(said)
    for n in found:
        if n not in counts:
            raise Wrong(f"One answer is {n:g}, which is none of 1, 2, 4, 8, 16, 32 and 64.")
    if all(n == 1 for n in found):
        raise Wrong(
            "One process is your answer for every job. Is the speed-up compared with half of `n`, "
            "and is the largest number returned?"
        )
    if len(set(found)) == 1:
        raise Wrong("The answer is the same for every job. Does it use `compute` and `n_bytes`?")
    job, n, most = next((j, a, b) for j, a, b in zip(jobs, found, right, strict=True) if a != b)
    if n < most:
        raise Wrong(
            f"For a job of {job[0]:g} s and {job[1]:g} bytes you stop at {n}, and more processes "
            f"are worth it: {2 * n} are {speed_up(job, 2 * n):.2f} times as fast."
        )
    raise Wrong(
        f"For a job of {job[0]:g} s and {job[1]:g} bytes your count is too large: {n} processes "
        f"are {speed_up(job, n):.2f} times as fast, and half of {n} is {n / 2:g}."
    )


_EXACTLY_HALF = 200e-6, 0  # two processes are as fast as one, to the last bit


def _asked(most_worth: object, job: tuple[float, float]) -> float:
    try:
        return number("most_worth(...)", call("most_worth", most_worth, *job))
    except Wrong as wrong:
        if "max()" not in str(wrong) or "empty" not in str(wrong):
            raise
        raise Wrong(
            f"For a job of {job[0]:g} s and {job[1]:g} bytes you find no number that is worth it. "
            "One process always is: its speed-up is 1. Which way does the comparison point, and is "
            "1 among the numbers?"
        ) from None
