"""Checks of exercises on data and columns."""

import statistics

import torch

from course_utils import datasets
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


@exercise(
    "01.1",
    "Predict a noise floor",
    "The errors of the true line are the noise, and the loss is the mean of their squares.",
    "Make the points first: `X_new, y_new = datasets.make_line(n=10_000, noise=0.3)`.",
    "The errors are `2.0 * X_new + 1.5 - y_new`; `.square().mean()` makes the loss of them.",
)
def noise_floor(loss: object) -> str:
    """Give the mean squared error of the true line on noisy points."""
    X, y = datasets.make_line(n=10_000, noise=0.3)
    errors, loss = 2.0 * X + 1.5 - y, number("loss", loss)
    X_course, y_course = datasets.make_line()
    slips = {
        "This is the prediction itself. Compute the loss of the 10,000 points beside it.": 0.09,
        "This is the root of the mean squared error, near the noise. The loss has no root.": (
            errors.square().mean().sqrt()
        ),
        "This is the mean absolute error. The mean squared error needs squares.": (
            errors.abs().mean()
        ),
        "Errors above and below the line cancel in this mean. Square them first.": errors.mean(),
        "This is the sum over all points, which grows with their number. Take the mean.": (
            errors.square().sum()
        ),
        "Weight and bias have changed places: the true line is 2.0 x + 1.5.": (
            (1.5 * X + 2.0 - y).square().mean()
        ),
        "The line lacks its bias, so every error is too large by the same amount.": (
            (2.0 * X - y).square().mean()
        ),
        "This is the loss on the 200 points from before, whose noise is 0.1.": (
            (2.0 * X_course + 1.5 - y_course).square().mean()
        ),
    }
    refuse_slips(loss, slips)
    if not close(loss, errors.square().mean()):
        raise Wrong("The loss is another number. Are these 10,000 points with a noise of 0.3?")
    return (
        "The floor, the noise squared, is 0.3 · 0.3 = 0.09. A training loss well below it would "
        "mean that the model has learned the noise."
    )


@exercise(
    "01.2",
    "Shape a column",
    "Begin with `torch.tensor([1.0, 3.5, 8.0])`. Which shape has it?",
    "`.unsqueeze(1)` makes a column of it. Then write the line: weight times column plus bias.",
)
def prices_of_three_cars(prices: object) -> str:
    """Give the predicted prices of three cars as a column."""
    x = torch.tensor([[1.0], [3.5], [8.0]])
    prices = tensor("prices", prices, (3, 1))
    slips = {
        "These are the mileages. The line makes prices of them.": x,
        "Weight and bias have changed places: the price at mileage zero is 20.0.": 20 * x - 2,
        "Prices rise with the mileage here. Look at the sign of the weight.": 2 * x + 20,
        "The bias is missing, so every price is negative.": -2 * x,
    }
    refuse_slips(prices, slips)
    if not close(prices, -2 * x + 20):
        raise Wrong("The shape is right, the values are not. Is one car in each row?")
    return (
        "One row for each car and one column for each feature: PyTorch's layers take such a table "
        "and return a column of predictions."
    )


def _drawn(draw: object, n: int, seed: int) -> list[torch.Tensor]:
    pair = call("draw", draw, n, seed)
    if type(pair) not in (tuple, list) or len(pair) != 2:
        raise Wrong(f"`draw` returns {kind(pair)}, expected the pair `X, y`.")
    return [tensor(name, part, (n, 1)) for name, part in zip("Xy", pair, strict=True)]


@exercise(
    "01.3",
    "Draw with a seed",
    "The function `make` of this lesson does nearly the same. What differs?",
    "Make one generator in the function, and hand it to `torch.rand` and to `torch.randn`.",
    "Both draws need `(n, 1, generator=generator)`; the noise is 0.05 times the second one.",
)
def draw_with_a_seed(draw: object) -> str:
    """Draw n noisy points of the even line; the same seed draws the same points."""
    before = flat(torch.get_rng_state())
    X, y = _drawn(draw, 2000, 3)
    moved = flat(torch.get_rng_state()) != before
    again = _drawn(draw, 2000, 3)
    if any(flat(a) != flat(b) for a, b in zip((X, y), again, strict=True)):
        raise Wrong("Called twice with seed 3, `draw` returns different points. Seed every draw.")
    if moved:
        raise Wrong("`draw` seeds PyTorch for the whole program. Use a generator of its own.")
    if flat(X) == flat(_drawn(draw, 2000, 4)[0]):
        raise Wrong("Seeds 3 and 4 give the same X. Does the generator get the seed?")
    if not 0 <= min(flat(X)) <= max(flat(X)) <= 1:
        raise Wrong("Some features lie outside 0 to 1. `randn` is normal, and `rand` is even.")
    noise = [b - 0.8 * a - 0.2 for a, b in zip(flat(X), flat(y), strict=True)]
    fresh = [torch.Generator().manual_seed(3) for _ in range(2)]
    if close(X, torch.rand(2000, 1, generator=fresh[0])) and close(
        torch.tensor(noise) / 0.05, torch.randn(2000, 1, generator=fresh[1]).flatten(), 0.01
    ):
        raise Wrong("X and the noise come from the same seed, so they depend on each other.")
    if close(statistics.pstdev(noise), 0, 0.001):
        raise Wrong("All points lie on the line. Where is the noise?")
    if not close(statistics.fmean(noise), 0, 0.01):
        raise Wrong("On average the points miss the line. Is the noise centered, the bias 0.2?")
    if not close(statistics.pstdev(noise) / 0.05, 1, 0.15):
        raise Wrong("The points scatter around the line with another standard deviation than 0.05.")
    return (
        "A sample is now known by two numbers, n and seed. Nothing that runs before or after can "
        "change it, and it changes nothing itself."
    )


@exercise(
    "01.4",
    "Read two other columns",
    "Write the two column names in a list, as the lesson did, and drop rows with gaps in them.",
    "Each column becomes a tensor by `torch.tensor(..., dtype=torch.float32).unsqueeze(1)`.",
)
def bills(X_bills: object, y_bills: object) -> str:
    """Give bill depth and bill length as two columns of 342 rows."""
    depth, length = datasets.load_penguins("bill_depth_mm", "bill_length_mm")
    for name, value, right in (("X_bills", X_bills, depth), ("y_bills", y_bills, length)):
        rows = len(value) if type(value) is torch.Tensor and value.dim() else 0
        if rows == 344:
            raise Wrong(f"`{name}` has 344 rows, with the two birds that nobody measured.")
        if rows == 333:
            raise Wrong(f"`{name}` has 333 rows. Birds went whose bill is known: a gap elsewhere?")
        value = tensor(name, value, (342, 1))
        if value.dtype is not torch.float32:
            raise Wrong(f"`{name}` is {value.dtype}. Layers compute in float32 and refuse others.")
        if close(value, length if right is depth else depth):
            raise Wrong(f"`{name}` holds the other column. The depth is to tell the length.")
        if not close(value, right):
            raise Wrong(f"`{name}` has the right shape and other values. Which column, which unit?")
    return (
        "Over all birds a deeper bill goes with a shorter one. Within each species it goes with a "
        "longer one: a line through mixed groups can point the wrong way."
    )
