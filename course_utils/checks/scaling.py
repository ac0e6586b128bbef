"""Checks of exercises on devices, processes and their cost."""

import torch
from torch.utils.data import DistributedSampler

from course_utils.checks.judging import (
    Wrong,
    call,
    close,
    exercise,
    flat,
    kind,
    number,
    refuse_slips,
    tensor,
)


def _trained(train_on: object, kind_of_device: str) -> torch.nn.Module:
    """Let the learner train on points of y = 3 x - 1 that lie on the CPU."""
    X = torch.tensor([[-1.0], [1.0], [0.0], [2.0]])
    loader = [(X[:2], 3 * X[:2] - 1), (X[2:], 3 * X[2:] - 1)]
    model = call("train_on", train_on, torch.device(kind_of_device), loader, 300)
    if not isinstance(model, torch.nn.Module):
        raise Wrong(f"`train_on` returns {kind(model)}, expected the model.")
    return model


@exercise(
    "10.1",
    "Train on any device",
    "Two things have to be on `device` before they meet: the model, and each batch.",
    "`X_batch.to(device)` returns the copy on that device; the batch itself stays where it is.",
    "`nn.Linear(1, 1).to(device)`, its optimizer, then the loop with the moved batch.",
)
def any_device(train_on: object) -> str:
    """Train on the CPU, where numbers are seen, and on a device to which all has to be moved."""
    model = _trained(train_on, "cpu")
    at = tensor("model(X)", call("model", model, torch.tensor([[0.0], [1.0]])), (2, 1))
    bias, top = flat(at)
    if not close(bias, -1.0, 0.05) or not close(top - bias, 3.0, 0.05):
        raise Wrong(
            "After 300 epochs on points of y = 3 x - 1 the line is another one. Are all five lines "
            "there, once for each batch?"
        )
    try:
        model = _trained(train_on, "meta")
    except Wrong as wrong:
        raise Wrong(
            f"On the CPU it works. On another device: {wrong} Does all that meets live there, and "
            "is no number asked for?"
        ) from None
    if {parameter.device.type for parameter in model.parameters()} != {"meta"}:
        raise Wrong("Asked for another device, it trains where it always does. Use `device`.")
    return (
        "Model and batch meet on the device that the caller names, so the same loop runs on a "
        "laptop and on a card."
    )


@exercise(
    "10.2",
    "Deal for an epoch",
    "`DistributedSampler` needs only something with a length, such as `range(n)`.",
    "Whoever leaves the epoch out gets the order of epoch 0 each time: `set_epoch`.",
    "Make it with `(range(n), processes, rank, seed=420)`, set the epoch, return `list(sampler)`.",
)
def deal(rows_of: object) -> str:
    """Deal 12 rows to 3 processes and 10 to 4, in two epochs."""

    def dealt(processes: int, n: int, epoch: int) -> list[list[int]]:
        found = [call("rows_of", rows_of, rank, processes, n, epoch) for rank in range(processes)]
        for rows in found:
            if type(rows) is not list or not all(type(row) is int for row in rows):
                raise Wrong(f"`rows_of` returns {kind(rows)}, expected a list of row numbers.")
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
    if first != right(3, 12, 0) or later != right(3, 12, 5):
        raise Wrong("The order is shuffled, and not by a sampler with seed 420 for that epoch.")
    if dealt(4, 10, 1) != right(4, 10, 1):
        raise Wrong("10 rows for 4 ranks: each takes the same number, and two rows come twice.")
    return (
        "A process that starts again at epoch 12 finds the rows of epoch 12, without a word from "
        "the others and without a generator's state."
    )


@exercise(
    "10.3",
    "Average uneven parts",
    "A gradient of 12 rows has to count three times as much as one of 4.",
    "Multiply each gradient by its number of rows before you add them up.",
    "Divide that sum by the number of all rows, `sum(sizes)`.",
)
def uneven(average: object) -> str:
    """Average gradients of 12, 3 and 1 rows, and of one process."""
    gradients = [torch.tensor([[2.0, -1.0]]), torch.tensor([[6.0, 1.0]]), torch.tensor([[4.0, 8]])]
    sizes = [12, 3, 1]
    result = call("average", average, [g.clone() for g in gradients], list(sizes))
    result = tensor("average(gradients, sizes)", result, (1, 2))
    slips = {
        "Each process counts the same here. One of them has 12 of the 16 rows.": (4.0, 8 / 3),
        "This is the sum of the gradients, divided by nothing.": (12.0, 8.0),
        "The weighted sum still has to be divided, by the number of all rows.": (46.0, -1.0),
        "The weighted sum is divided by the number of processes, not of rows.": (46 / 3, -1 / 3),
        "Divided by its number of rows, a small part counts more, not less.": (2.1875, 8.25 / 16),
        "The sum of the gradients, divided by the number of rows: no part is weighted.": (
            0.75,
            0.5,
        ),
    }
    refuse_slips(result, {said: torch.tensor([slip]) for said, slip in slips.items()})
    if not close(result, torch.tensor([[46 / 16, -1 / 16]])):
        raise Wrong("For 12, 3 and 1 rows this is not the gradient of all 16.")
    given = [g.clone() for g in gradients]
    again = call("average", average, given, list(sizes))
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
    "10.4",
    "Stop where it stops paying",
    "The speed-up of n processes is `compute / step_time(compute, n_bytes, n)`.",
    "Worth it: that speed-up is at least `n / 2`. One process always is.",
    "Collect all n of (1, 2, 4, 8, 16, 32, 64) that are worth it and take the `max`.",
)
def worth(most_worth: object) -> str:
    """Ask about jobs that stop paying at each of the counts."""
    counts = (1, 2, 4, 8, 16, 32, 64)
    jobs = [(2.0, 100e6), (0.3e-3, 8), (2.0, 4e6), (0.05, 4e6), (0.5, 400e6), (20.0, 100e6)]
    found = [number("most_worth(...)", call("most_worth", most_worth, *job)) for job in jobs]
    right = [max(n for n in counts if job[0] / _seconds(*job, n) >= n / 2) for job in jobs]
    fastest = [min(counts, key=lambda n, job=job: _seconds(*job, n)) for job in jobs]
    twice = [max(n for n in counts if n == 1 or job[0] / _seconds(*job, n) >= 2) for job in jobs]
    if found == right:
        return (
            "Beyond that number more than half of what is paid for waits for messages. More "
            "computing for each step, or fewer bytes, moves the limit."
        )
    if not all(n in counts for n in found):
        raise Wrong("For some jobs the answer is none of 1, 2, 4, 8, 16, 32 and 64 processes.")
    if found == fastest:
        raise Wrong("These are the counts with the shortest step, whatever they cost.")
    if all(n in (0, 1) for n in found):
        raise Wrong("Two processes never seem worth it. Which way does the comparison point?")
    if len(set(found)) == 1:
        raise Wrong("The answer is the same for every job. Does it use `compute` and `n_bytes`?")
    if found == twice:
        raise Wrong("Here a speed-up of 2 is enough. It has to be half of the number of processes.")
    if any(a < b for a, b in zip(found, right, strict=True)):
        raise Wrong("For some jobs more processes are worth it. Exactly half counts, too.")
    raise Wrong("For some jobs the count is too large: its speed-up is below half of it.")
