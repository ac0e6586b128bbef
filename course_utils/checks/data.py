"""Checks of exercises on data and columns."""

import statistics

import torch

from course_utils import datasets
from course_utils.checks.judging import (
    CROSSED,
    FLOAT64,
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


@exercise(
    "01.1",
    "Predict a noise floor",
    "The residuals of the true line are the noise, and the loss is the mean of their squares.",
    "Make the points first: `X_new, y_new = datasets.make_line(n=10_000, noise=0.3)`.",
    "The residuals are `y_new - (2.0 * X_new + 1.5)`; `.square().mean()` makes the loss of them.",
)
def noise_floor(loss: object) -> str:
    """Give the mean squared error of the true line on noisy points."""
    X, y = datasets.make_line(n=10_000, noise=0.3)
    residuals, loss = y - 2.0 * X - 1.5, number("loss", loss)
    right, fitted = residuals.square().mean(), torch.linalg.lstsq(_with_ones(X), y).solution
    if close(abs(loss), abs(residuals.mean()), 5e-5):
        raise Wrong("Residuals above and below the line cancel in this mean. Square them first.")
    refuse_slips(
        loss, {"You squared the mean. Square each residual first.": residuals.mean() ** 2}, 1e-8
    )
    slips = {
        "This is the standard deviation of the noise. The loss averages squares.": 0.3,
        "Without parentheses around the prediction the bias is added to `y_new`. The residual is "
        "`y_new - (2.0 * X_new + 1.5)`.": (y - 2.0 * X + 1.5).square().mean(),
        "This is the loss on 200 points. The exercise asks for 10,000, with `n=10_000`.": (
            _true_loss(noise=0.3)
        ),
        "This is the loss on the lesson's points, whose noise is 0.5.": (
            _true_loss(n=10_000, noise=0.5)
        ),
        "This is the prediction itself. Compute the loss of the 10,000 points beside it.": 0.09,
        "This is the root of the mean squared error, near the noise. The loss has no root.": (
            right.sqrt()
        ),
        "This is the mean absolute error. The mean squared error needs squares.": (
            residuals.abs().mean()
        ),
        HALF_MSE: right / 2,
        CROSSED: y.var(correction=0) + 4.0 * X.var(correction=0) + residuals.mean() ** 2,
        "This is the sum over all points, which grows with their number. Take the mean.": (
            10_000 * right
        ),
        "This is the root of the sum. Take the mean, and no root.": 100 * right.sqrt(),
        "This sum is divided by 200, and these are 10,000 points.": 50 * right,
        "Weight and bias have changed places: the true line is 2.0 x + 1.5.": (
            (1.5 * X + 2.0 - y).square().mean()
        ),
        "The line lacks its bias, so every residual is larger by 1.5.": (
            (2.0 * X - y).square().mean()
        ),
        "This is the loss on the 200 points from before, whose noise is 0.1.": _true_loss(),
        "This is the loss of the fitted line. The question is about the true one.": (
            (y - _with_ones(X) @ fitted).square().mean()
        ),
    }
    refuse_slips(loss, slips, 5e-5)
    of_others = [_true_loss(n=10_000, noise=0.3, seed=seed) for seed in (0, 1, 7, 42)]
    if any(close(loss, other, 5e-6) for other in of_others):
        raise Wrong("These are the points of another seed. Leave `seed` as it is by default.")
    if not close(loss, right, 5e-5):
        raise Wrong(
            f"The loss is not {loss:.4g}. Is it the mean of the squares of y - (2.0 x + 1.5), over "
            "10,000 points with a noise of 0.3?"
        )
    return (
        "The floor, the noise squared, is 0.3 · 0.3 = 0.09. A training loss far below it is a sign "
        "that the model follows the noise of its rows."
    )


def _true_loss(**points: float) -> torch.Tensor:
    """Return the mean squared error of the true line on points of `make_line`."""
    X, y = datasets.make_line(**points)
    return (y - 2.0 * X - 1.5).square().mean()


def _with_ones(X: torch.Tensor) -> torch.Tensor:
    return torch.cat([X, torch.ones_like(X)], dim=1)


@exercise(
    "01.2",
    "Shape a column",
    "Begin with `torch.tensor([1.0, 3.5, 8.0])`. Which shape has it?",
    "`.unsqueeze(1)` makes a column of it. Then write the line: weight times column plus bias.",
)
def prices_of_three_cars(prices: object) -> str:
    """Give the predicted prices of three cars as a column."""
    x = torch.tensor([[1.0], [3.5], [8.0]])
    if type(prices) is torch.Tensor and prices.shape == (3, 3):
        raise Wrong(
            "`prices` has shape (3, 3): a flat list and a column met, and each number of the one "
            "was combined with each of the other. Leave both as columns, (N, 1)."
        )
    if type(prices) is torch.Tensor and prices.shape == (1, 3):
        raise Wrong("`prices` has shape (1, 3), one row of three. A column is `.unsqueeze(1)`.")
    prices = tensor("prices", prices, (3, 1))
    slips = {
        "These are the mileages. The line makes prices of them.": x,
        "Weight and bias have changed places: the price at mileage zero is 20.0.": 20 * x - 2,
        "Prices rise with the mileage here. Look at the sign of the weight.": 2 * x + 20,
        "The bias is missing, so every price is negative.": -2 * x,
        "The bias is taken away. It has to be added.": -2 * x - 20,
        "The bias is added to the mileage, before the weight multiplies it. Add it last.": (
            -2 * (x + 20)
        ),
        "The mileages count 10,000 miles already, and the prices 1,000 dollars.": -20_000 * x + 20,
        "The cars stand in another order than the mileages.": (-2 * x + 20).flip(0),
    }
    refuse_slips(prices, slips)
    if not close(prices, -2 * x + 20):
        mileage, price = next(
            (a, b) for a, b in zip(flat(x), flat(prices), strict=True) if not close(b, -2 * a + 20)
        )
        raise Wrong(
            f"The shape is right, the values are not all right: the car with mileage {mileage:g} "
            f"costs {price:g} here. Compare with weight times mileage plus bias."
        )
    return (
        "One row for each car and one column for each feature: a linear layer takes such a table "
        "and returns a table of predictions, one row for each car."
    )


def _drawn(draw: object, n: int, seed: int) -> list[torch.Tensor]:
    pair = call("draw", draw, n, seed)
    if type(pair) not in (tuple, list):
        raise Wrong(f"`draw` returns {kind(pair)}, expected the pair `X, y`.")
    if len(pair) != 2:
        raise Wrong(f"`draw` returns {len(pair)} things, expected two: the pair `X, y`.")
    if type(pair[1]) is torch.Tensor and pair[1].shape == (n, n):
        raise Wrong(
            f"`y` has shape ({n}, {n}): X and the noise have different shapes, (N,) and (N, 1), so "
            "each x met the noise of all points. Draw both as columns, (N, 1)."
        )
    return [tensor(name, part, (n, 1)) for name, part in zip("Xy", pair, strict=True)]


def _refuse_wrong_line(x: list[float], y: list[float]) -> None:
    weight, bias = statistics.linear_regression(x, y)
    _refuse_wrong_noise([b - weight * a - bias for a, b in zip(x, y, strict=True)])
    if close(weight, 0.2, 0.02) and close(bias, 0.8, 0.02):
        raise Wrong("Weight and bias have changed places: the weight is 0.8, the bias 0.2.")
    if not close(weight, 0.8, 0.03):
        raise Wrong(f"The targets rise by about {weight:.2f} per unit of x. The weight is 0.8.")
    if not close(bias, 0.2, 0.015):
        raise Wrong(
            f"The points follow a line with bias {bias:.2f} in place of 0.2. Is the noise centered "
            "at 0? `randn` is, and `rand` is not."
        )


def _refuse_wrong_noise(residuals: list[float]) -> None:
    spread = statistics.pstdev(residuals)
    if close(spread, 0, 1e-4):
        raise Wrong("All points lie on one line. Where is the noise? Each point gets its own.")
    if close(spread / 0.05**0.5, 1, 0.15):
        raise Wrong("The root of 0.05 is used: 0.05 is the standard deviation, not the variance.")
    if close(max(map(abs, residuals)) / spread, 3**0.5, 0.05):
        raise Wrong("This noise is even, as from `rand`. Normal noise comes from `randn`.")
    if not close(spread / 0.05, 1, 0.15):
        raise Wrong(
            f"The points scatter around the line with a standard deviation of {spread:.3g} in "
            "place of 0.05."
        )


@exercise(
    "01.3",
    "Draw with a seed",
    "The function `make` of this lesson does nearly the same. What differs?",
    "Make one generator in the function, and hand it to `torch.rand` and to `torch.randn`.",
    "Both draws need `(n, 1, generator=generator)`; the noise is 0.05 times the second one.",
)
def draw_with_a_seed(draw: object) -> str:
    """Draw n noisy points of the even line; the same seed draws the same points."""
    X, y = _drawn(draw, 2000, 3)
    again = _drawn(draw, 2000, 3)
    if any(flat(a) != flat(b) for a, b in zip((X, y), again, strict=True)):
        raise Wrong("Called twice with seed 3, `draw` returns different points. Seed every draw.")
    with same_random_numbers("draw"):
        X_other, y_other = _drawn(draw, 2000, 4)
    x, other = flat(X), flat(X_other)
    if x == other:
        raise Wrong("Seeds 3 and 4 give the same X. Is X drawn, and does its generator get `seed`?")
    even = [0 <= min(each) <= max(each) <= 1 for each in (x, flat(y))]
    if even == [False, True]:
        raise Wrong("X and y have changed places. Return the features first: `X, y`.")
    if not even[0]:
        raise Wrong("Some features lie outside 0 to 1. `randn` is normal, and `rand` is even.")
    if not all(close(a, (i + 0.5) / 2000, 0.06) for i, a in enumerate(sorted(x))):
        raise Wrong(
            f"Half of the features lie below {statistics.median(x):.2f}, and they run from "
            f"{min(x):.2f} to {max(x):.2f}. They have to be spread evenly between 0 and 1."
        )
    noise = [b - 0.8 * a - 0.2 for a, b in zip(x, flat(y), strict=True)]
    fresh = [torch.Generator().manual_seed(3) for _ in range(2)]
    if close(X, torch.rand(2000, 1, generator=fresh[0])) and close(
        torch.tensor(noise) / 0.05, torch.randn(2000, 1, generator=fresh[1]).flatten(), 0.01
    ):
        raise Wrong("X and the noise come from the same seed, so they depend on each other.")
    _refuse_wrong_line(x, flat(y))
    if close(noise[0], flat(y_other)[0] - 0.8 * other[0] - 0.2, 1e-6):
        raise Wrong("Seeds 3 and 4 give the same noise. Hand the generator to both draws.")
    return (
        "A sample is now known by two numbers, n and seed. Nothing that runs before or after can "
        "change it, and it changes nothing itself."
    ) + FLOAT64 * (torch.float64 in (X.dtype, y.dtype))


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
            raise Wrong(
                f"`{name}` has 344 rows: the two birds that nobody measured are still in it, as "
                "`nan` or with a made-up value."
            )
        if rows == 333:
            raise Wrong(
                f"`{name}` has 333 rows: 9 birds were dropped whose bills were measured. Which "
                "column had the gap? `subset=` names the columns that count."
            )
        if type(value) is torch.Tensor and value.shape == (342, 2):
            raise Wrong(f"`{name}` holds both columns. Depth and length are a tensor each.")
        value = tensor(name, value, (342, 1))
        if value.dtype is not torch.float32:
            raise Wrong(
                f"`{name}` is {value.dtype}. Linear layers hold float32 and refuse other types."
            )
        if close(value, length if right is depth else depth):
            raise Wrong(f"`{name}` holds the other column. The depth is to tell the length.")
        if close(value, right):
            continue
        if close(value.sort(dim=0).values, right.sort(dim=0).values):
            raise Wrong(
                f"`{name}` holds the right numbers in another order, so its rows do not belong to "
                "the birds of the other tensor any more."
            )
        low, high = min(flat(value)), max(flat(value))
        raise Wrong(
            f"`{name}` has the right shape, and its values run from {low:g} to {high:g}. Which "
            "column of the table is that, and in which unit?"
        )
    return (
        "Over all birds a deeper bill goes with a shorter one. Within each species it goes with a "
        "longer one: a line through mixed groups can point the wrong way."
    )
