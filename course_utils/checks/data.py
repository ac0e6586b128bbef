"""Checks of exercises on data and columns."""

import statistics

import torch

from course_utils import datasets
from course_utils.checks.judging import (
    FLOAT64,
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
    "Lay out a grid",
    "`torch.arange(0, 1, 0.02)` is a flat list. Which of the lesson's calls makes a column of it?",
    "`.unsqueeze(1)` makes the column. Then write the line: weight times column plus bias.",
)
def grid(X_grid: object, y_grid: object) -> str:
    """Give 50 even features and the heights of a line, both as columns."""
    X = 0.02 * torch.arange(50.0).unsqueeze(1)
    rows = X_grid.shape[0] if type(X_grid) is torch.Tensor and X_grid.dim() else 50
    if rows in (49, 51):
        raise Wrong(
            f"`X_grid` has {rows} points. From 0 in steps of 0.02 up to 0.98 there are 50: "
            "`arange` begins with its first number and leaves its second one out."
        )
    X_grid = _column("X_grid", X_grid, 50)
    slips = {
        "These points end at 1.0, which `linspace` includes. Steps of 0.02 end before it.": (
            torch.linspace(0, 1, 50)
        ),
        "These steps have size 1. The grid goes in steps of 0.02.": 50 * X,
        "These are the heights of the line. `X_grid` holds the features.": 0.8 * X + 0.2,
    }
    refuse_slips(X_grid, slips)
    if not close(X_grid, X):
        low, high = min(flat(X_grid)), max(flat(X_grid))
        raise Wrong(f"`X_grid` runs from {low:g} to {high:g}. The grid begins at 0, ends at 0.98.")
    y_grid = _column("y_grid", y_grid, 50)
    slips = {
        "Weight and bias have changed places: the weight is 0.8, the bias 0.2.": 0.2 * X + 0.8,
        "The bias is missing: at 0 the line has the height 0.2.": 0.8 * X,
        "The bias is taken away. It has to be added.": 0.8 * X - 0.2,
        "The bias is added before the weight multiplies. Add it last.": 0.8 * (X + 0.2),
        "This is the line of your own world. Here the weight is 0.8 and the bias 0.2.": 2 * X + 1.5,
        "These are the features again. The line makes heights of them.": X,
    }
    refuse_slips(y_grid, slips)
    if not close(y_grid, 0.8 * X + 0.2):
        a, b = next((a, b) for a, b in zip(flat(X), flat(y_grid), strict=True)
                    if not close(b, 0.8 * a + 0.2))  # fmt: skip
        raise Wrong(
            f"The shapes are right. At x = {a:.2f} the line is not at {b:g}: is it 0.8 x + 0.2?"
        )
    return (
        "Fifty rows and one column, features and targets alike: each point can meet its own "
        "prediction alone. A rule drawn on a grid like this shows what it says everywhere."
    ) + FLOAT64 * (torch.float64 in (X_grid.dtype, y_grid.dtype))


def _column(name: str, value: object, rows: int) -> torch.Tensor:
    """Read a column; of a square say how it came about."""
    if type(value) is torch.Tensor and value.shape == (rows, rows):
        raise Wrong(
            f"`{name}` has shape ({rows}, {rows}): a flat list and a column met, and each number "
            "of the one was combined with each of the other. Make columns of both, (N, 1)."
        )
    if type(value) is torch.Tensor and value.shape == (1, rows):
        raise Wrong(f"`{name}` has shape (1, {rows}), one row. A column is `.unsqueeze(1)`.")
    return tensor(name, value, (rows, 1))


@exercise(
    "01.2",
    "Find the bargain",
    "Two columns come first: `torch.tensor([1.0, 3.5, 8.0]).unsqueeze(1)`, and one of prices.",
    "Solve the formula for epsilon: take the rule to the other side.",
)
def bargain(epsilon: object) -> str:
    """Give what three prices differ from the rule, as a column."""
    x, y = torch.tensor([[1.0], [3.5], [8.0]]), torch.tensor([[17.4], [13.9], [4.1]])
    rule = 20 - 2 * x
    if type(epsilon) in (int, float):
        raise Wrong(
            "`epsilon` is one number. Each of the three cars has its own: a column, (3, 1)."
        )
    epsilon = _column("epsilon", epsilon, 3)
    slips = {
        "The signs are turned around. A residual is the price minus what the rule says.": rule - y,
        "These are the prices that the rule says. What is left over of those asked?": rule,
        "These are the prices asked. Take away what the rule says.": y,
        "The signs are gone, and with them who is cheap and who is dear.": (y - rule).abs(),
        "These are squares. The formula has the noise itself.": (y - rule) ** 2,
        "Alpha and beta have changed places: a new car costs 20.": y - (20 * x - 2),
        "In this rule prices rise with the mileage. Look at the sign of beta.": y - (20 + 2 * x),
        "Alpha is missing, so even a new car costs nothing.": y + 2 * x,
        "Without parentheses around the rule, alpha is added.": y + 2 * x + 20,
        "These are dollars. The formula counts in thousands of them.": 1000 * (y - rule),
        "The cars stand in another order than the mileages.": (y - rule).flip(0),
    }
    refuse_slips(epsilon, slips)
    for at, off, right in zip(flat(x), flat(epsilon), flat(y - rule), strict=True):
        if not close(off, right):
            raise Wrong(
                f"The shape is right. For the car with mileage {at:g}, {off:g} is not what its "
                "price leaves over. What does the rule say for this mileage?"
            )
    return (
        "The first car costs 600 dollars less than its mileage says. A bargain, or a dent of which "
        "the mileage knows nothing: the noise holds both, so go and look."
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
        raise Wrong("This noise is uniform, as from `rand`. Normal noise comes from `randn`.")
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
        raise Wrong("Some features lie outside 0 to 1. `randn` is normal, and `rand` is uniform.")
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


NOTES_X = torch.tensor([[181.0], [195], [193], [210], [198], [201], [221]])
NOTES_Y = torch.tensor([[3750.0], [3250], [3450], [4400], [3900], [4200], [5700]])


@exercise(
    "01.4",
    "Clean the notes",
    '`figures.plot_data(notes[["flipper"]].to_numpy(), notes[["mass"]].to_numpy())` draws the '
    "notes as they stand. Which points have no neighbor? Begin with the one farthest out: put it "
    "right, and draw again.",
    "Four of the eight rows cannot be as they stand. Two of them have a number in another unit.",
    "No bird weighs -999 g: that one was never weighed. The fourth has both numbers, each in the "
    "wrong column: which flipper is longer than a human?",
)
def cleaned(X_notes: object, y_notes: object) -> str:
    """Give seven birds in mm and g; two units, one gap and one swapped pair are put right."""
    for name, value in (("X_notes", X_notes), ("y_notes", y_notes)):
        _refuse_other_rows(name, value)
        _column(name, value, 7)
    if close(X_notes, NOTES_Y) and close(y_notes, NOTES_X):
        raise Wrong("X and y have changed places: the flipper is the feature, the mass the target.")
    if any(close(value, -999) for value in flat(y_notes)):
        raise Wrong("The -999 is still there. It stands for a gap: that bird was never weighed.")
    slips = [
        ("X_notes", 1, 19.5, "One flipper is still in centimeters, a tenth of all the others."),
        ("y_notes", 2, 3.45, "One mass is still in kilograms, a thousandth of all the others."),
        (
            "X_notes",
            5,
            4200.0,
            "One flipper is four meters long. Which column does 4200 belong to? (Type both "
            "numbers: pandas matches names, so a swap of two columns changes nothing.)",
        ),
        (
            "y_notes",
            5,
            201.0,
            "One mass is 201 g, and that bird's flipper is put right. Swap both.",
        ),
    ]
    values = {"X_notes": flat(X_notes), "y_notes": flat(y_notes)}
    if close(X_notes, NOTES_X / 10) or close(y_notes, NOTES_Y / 1000):
        raise Wrong("A column is in another unit throughout. The exercise asks for mm and g.")
    for name, row, slip, said in slips:
        if close(values[name][row], slip):
            raise Wrong(said)
    for name, right in (("X_notes", NOTES_X), ("y_notes", NOTES_Y)):
        if close(torch.tensor(sorted(values[name])), right.sort(dim=0).values):
            if not close(torch.tensor(values[name]), right):
                raise Wrong(f"`{name}` is in another order. Keep that of the notes.")
            continue
        row = next(n for n in range(7) if not close(values[name][n], right[n, 0]))
        raise Wrong(
            f"Row {row + (row >= 4)} of the notes has become {values[name][row]:g} in `{name}`. "
            "What was meant?"
        )
    for name, value in (("X_notes", X_notes), ("y_notes", y_notes)):
        if value.dtype is not torch.float32:
            raise Wrong(
                f"`{name}` is {value.dtype}. PyTorch's ready-made models hold float32: `.float()` "
                "converts it."
            )
    return (
        "Seven of eight birds are saved. A code such as -999 for a gap is a number like any other "
        "to a computer: one of them in a column drags its mean along, and no error is raised."
    )


def _refuse_other_rows(name: str, value: object) -> None:
    shape = tuple(value.shape) if type(value) is torch.Tensor else ()
    rows = shape[0] if shape and shape[1:] in ((), (1,)) else 7
    if rows == 8:
        raise Wrong(
            f"`{name}` has 8 rows. One bird was never weighed, and what stands in its place is not "
            "a mass, nor is one you make up."
        )
    if rows < 7:
        raise Wrong(
            f"`{name}` has {rows} {'row' if rows == 1 else 'rows'}. Only one bird was never "
            "weighed. The others are all there, some in another unit or in the wrong column."
        )


@exercise(
    "01.5",
    "Catch a sample that lies",
    "Begin with `n = 10`. In a loop over seeds, make the sample, fit it, and look at its weight.",
    "`weight, bias = np.polyfit(X_new[:, 0], y_new[:, 0], 1)` fits. Print the seeds whose weight "
    "is below 0.",
)
def liar(n: object, seed: object) -> str:
    """Take a size and a seed whose sample of the test bench has a falling line."""
    n, seed = _whole("n", n), _whole("seed", seed)
    if n < 10:
        raise Wrong(f"With {n} points a lie is cheap. Take 10 or more.")
    if n > 10_000:
        raise Wrong(f"Among {n} points you will search for ever. Begin with 10.")
    if not 0 <= seed < 2**63:
        raise Wrong("`seed` has to be 0 or more, and below 2**63.")
    X, y = datasets.make_line(n, noise=3.0, seed=seed)
    weight, _ = statistics.linear_regression(flat(X), flat(y))
    if weight >= 0:
        raise Wrong(
            f"The line of this sample has the weight {weight:.2f}, so it rises. One that falls has "
            "a weight below 0. Try other seeds."
        )
    larger = " How large can a liar get? Try more points." if n < 20 else ""
    rare = "Chance needs few points to lie like that." if n < 20 else "Liars of that size are rare."
    return (
        f"A true weight of 2, and these {n} points swear that it is {weight:.2f}. {rare} "
        "The penguins' line need not fear it: its weight is more than 30 of its standard errors "
        f"above 0.{larger}"
    )


def _whole(name: str, value: object) -> int:
    """Read a whole number."""
    value = number(name, value)
    if value != int(value):
        raise Wrong(f"`{name}` is {value:g}, expected a whole number.")
    return int(value)
