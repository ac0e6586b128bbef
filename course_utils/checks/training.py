"""Checks of exercises on the training loop."""

import math

import torch
from torch.utils.data import TensorDataset

from course_utils import datasets
from course_utils.checks.judging import (
    Wrong,
    call,
    close,
    exercise,
    kind,
    number,
    refuse_slips,
    tensor,
)


@exercise(
    "05.1",
    "Count the steps",
    "First the steps of one epoch: how many batches do 10 rows make, at 4 rows a batch?",
    "What remains after the full batches is one more, smaller batch, in every epoch.",
    "`math.ceil` is not imported; `-(-rows // batch_size)` rounds up, `//` alone rounds down.",
)
def steps_of_training(count_steps: object) -> str:
    """Round up within an epoch, then multiply by the epochs."""

    def said(rows: int, batch_size: int, epochs: int) -> float:
        return number(
            "count_steps(...)", call("count_steps", count_steps, rows, batch_size, epochs)
        )

    if said(160, 16, 1) != 10:
        raise Wrong(
            "160 rows in batches of 16 leave no rest: an epoch has 160 / 16 steps, neither more "
            "nor fewer. Try `count_steps(160, 16, 1)`."
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
    if (one, three, said(7, 100, 2)) != (3, 9, 2):
        raise Wrong(
            f"For 10 rows, batches of 4 and 3 epochs you return {three:g}. List the batches of one "
            "epoch by their sizes, then multiply."
        )
    return (
        "Steps, not epochs, move the weights: with batches of 16 in place of 160, the same "
        "100 epochs make 1,000 updates in place of 100."
    )


@exercise(
    "05.2",
    "How fast may penguins learn?",
    "The section on learning rates computes the limit of `X` from `columns` and `hessian`.",
    "The first column is `X_flipper`, the second is ones for the bias; divide by `len(X_flipper)`.",
    "The limit is two over the largest eigenvalue, the last of `torch.linalg.eigvalsh(hessian)`.",
)
def penguin_limit(limit: object) -> str:
    """Compute two over the largest eigenvalue of the Hessian."""
    X, _ = datasets.load_penguins()
    columns = torch.cat([X, torch.ones_like(X)], dim=1).double()
    eigenvalues = torch.linalg.eigvalsh(2 * columns.T @ columns / len(X))
    right = 2 / eigenvalues[-1].item()
    ratio = number("limit", limit) / right

    def near(other: float) -> bool:
        return close(ratio / other, 1.0, 0.01)

    if near(2):
        raise Wrong("The limit is twice too large. Squares have the derivative 2: is it in there?")
    if near(0.5):
        raise Wrong("The limit is half of what it may be: it is two over the curvature, not one.")
    if near(1 / len(X)):
        raise Wrong("The MSE is a mean: its Hessian is divided by the number of rows.")
    if near(2 / right / right):
        raise Wrong("This is the curvature itself. The limit is two over it.")
    if near(2 / eigenvalues[0].item() / right):
        raise Wrong("This comes from the smallest eigenvalue. The steepest direction decides.")
    if 0.5 < ratio * right < 2:
        raise Wrong("A limit near 1 belongs to features near 1. Are these flippers in mm?")
    if not close(ratio, 1.0, 3e-3):  # the limit in three digits is right
        raise Wrong("That is not two over the largest eigenvalue of the penguins' Hessian.")
    return (
        "A rate of 0.1, good for the line, is about 4,000 times too fast for flippers in mm. "
        "Scaled to mean 0 and standard deviation 1 they would take it."
    )


@exercise(
    "05.3",
    "Weigh the batches",
    "The loss of a batch is a mean. What do you multiply it by to get the batch's sum back?",
    "Add up `len(X_batch) * loss` and, apart from it, `len(X_batch)`; divide at the end.",
    "The loop stands in `with torch.inference_mode():`, and `.item()` makes plain numbers.",
)
def weighted_loss(loss_over: object) -> str:
    """Take the mean over all rows, from batches of 4, 4 and 2."""
    X = torch.arange(10.0).unsqueeze(1)
    y = 3 * X + torch.tensor([[0.1, 0.2, 0.5, 0.3, 1, 2, 1, 3, 5, 4]]).T
    loader = list(zip(X.split(4), y.split(4), strict=True))
    model = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(model.weight, 3.0)
    torch.nn.init.zeros_(model.bias)
    value = call("loss_over", loss_over, model, loader)
    if type(value) is torch.Tensor and value.requires_grad:
        raise Wrong("The result still carries the record for `backward`. Measure without it.")
    value = number("loss_over(model, loader)", value)
    if model.weight.grad is not None:
        raise Wrong("Measuring computed gradients. Leave `backward` and `step` to training.")
    losses = [(y_batch - 3 * X_batch).square().mean().item() for X_batch, y_batch in loader]
    right = (4 * losses[0] + 4 * losses[1] + 2 * losses[2]) / 10
    plain = sum(losses)
    slips = {
        "Every batch counts the same, and the last one has fewer rows than the others.": plain / 3,
        "This is the loss of the last batch alone. What adds the batches up?": losses[-1],
        "This is the sum over all rows. The mean divides it by the number of rows.": 10 * right,
        "The batch losses are added and not averaged, without their sizes.": plain,
        "The weighted sum is divided by the number of batches, not of rows.": 10 * right / 3,
    }
    refuse_slips(value, slips)
    if not close(value, right):
        raise Wrong("On ten fresh rows this is not the MSE of the model that was handed in.")
    return (
        "Weighted by size, batches of any size give the loss over all rows, so runs with "
        "different batch sizes can be compared."
    )


ROWS = torch.tensor([[-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 0.3]]).T
TARGETS = 4.0 - 3.0 * ROWS


@exercise(
    "05.4",
    "Write the loop from memory",
    "Two loops, one inside the other: epochs outside, the batches of a shuffled loader inside.",
    "`start_over(lr)` belongs into the function, and so does `DataLoader(rows, ...)`.",
    "Inside: reset, predict, measure, `backward`, `step`, then `steps += 1`.",
)
def training_loop(train_line: object) -> str:
    """Follow one to six steps on ten fresh points of a line."""

    def run(lr: float, batch_size: int, epochs: int) -> tuple[tuple[float, float], float]:
        rows = TensorDataset(ROWS.clone(), TARGETS.clone())
        result = call("train_line", train_line, rows, lr, batch_size, epochs)
        if type(result) is not tuple or len(result) != 2:
            raise Wrong(f"`train_line` returns {kind(result)}, expected the model and the steps.")
        ends = call("model", result[0], torch.tensor([[0.0], [1.0]]))
        bias, top = tensor("model(X)", ends, (2, 1)).detach().flatten().tolist()
        return (top - bias, bias), number("steps", result[1])

    start, _ = run(0.0, 10, 1)
    if start != run(0.0, 10, 2)[0]:
        raise Wrong(
            "With lr 0 the line must stay where it starts, and here it moves. Does each call begin "
            "with a fresh model and an optimizer of its own, made with this `lr`?"
        )
    _judge_steps(run(0.05, 4, 3)[1])
    two, _ = run(0.05, 10, 2)
    if close(torch.tensor(two), torch.tensor(start), 1e-6):
        raise Wrong(
            "The steps leave the model as it was. Is there a `step`, and does its optimizer hold "
            "the parameters of the model that you return?"
        )
    all_rows = [list(range(10))] * 2
    _judge_gradient(start, two, all_rows)
    if close(torch.tensor(run(0.05, 1, 2)[0]), _path(start, [[row] for row in range(10)] * 2)):
        raise Wrong("The rows come in the same order every epoch. The loader can shuffle them.")
    return (
        "Reset, predict, measure, compute gradients, update: these five lines train a line, and "
        "notebook 08 trains a network with the same five."
    )


def _judge_steps(steps: float) -> None:
    hints = {
        9: "",
        3: "The count ends at 3 after 3 epochs with 3 batches each. Count the updates in all.",
        6: "10 rows in batches of 4 lose their last 2 rows in each epoch. Is `drop_last` set?",
    }
    other = "10 rows in batches of 4 for 3 epochs: make the batches from `rows` and count updates."
    if said := hints.get(steps, other):
        raise Wrong(said)


def _judge_gradient(start: tuple, two: tuple, batches: list[list[int]]) -> None:
    mistakes = {
        "Both steps use the sum of all gradients so far. What resets them?": {"kept": 1.0},
        "The steps are ten times too long for ten rows: a mean is wanted, not a sum.": {
            "scale": 10.0
        },
        "Predictions and targets have different shapes, so each meets all others. Leave both "
        "as columns, (N, 1).": {"crossed": True},
        "The second epoch changes nothing. Do the loops lie inside each other?": {"batches": 1},
    }
    if close(torch.tensor(two), _path(start, batches)):
        return
    for said, mistake in mistakes.items():
        some = batches[: mistake.pop("batches", 2)]
        if close(torch.tensor(two), _path(start, some, **mistake)):
            raise Wrong(said)
    raise Wrong(
        "After two steps on all rows the line is not where gradient descent on the MSE leads. "
        "Compare your five lines with those of the notebook."
    )


def _path(
    start: tuple[float, float],
    batches: list[list[int]],
    kept: float = 0.0,
    scale: float = 1.0,
    crossed: bool = False,
) -> torch.Tensor:
    """Return weight and bias after steps at rate 0.05; `kept` of the old gradients stays."""
    line, gradient = torch.tensor(start), torch.zeros(2)
    for batch in batches:
        X, y = ROWS[batch], TARGETS[batch]
        off = line[0] * X + line[1] - (y.mean() if crossed else y)
        gradient = kept * gradient + 2 * scale * torch.stack([(off * X).mean(), off.mean()])
        line = line - 0.05 * gradient
    return line
