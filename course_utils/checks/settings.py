"""Checks of exercises on the settings of training: border, scaling, and a cliff to build."""

import math

import numpy as np
import torch

from course_utils import datasets
from course_utils.checks.judging import Wrong, call, close, exercise, kind, number, tensor

MOVERS = "ae"  # of the six changes
_NOT = {
    "b": "The unit of the masses stretches the loss, but where does the curvature hold a target?",
    "c": "Twice the same birds: the sum of squares doubles, and so does the number of rows.",
    "d": "Another start is another place in the same bowl. The factor of a step ignores places.",
    "f": "A less exact scale changes the targets. The curvature is computed without them.",
}


@exercise(
    "06.1",
    "Say what moves the border",
    "The border is two over the curvature, and the curvature along the weight is twice the mean of "
    "the squared features. Which changes reach that mean?",
    "Targets and starts do not stand in it.",
    "Write down the mean of the squared flippers before and after each change. Does the number "
    "differ?",
)
def what_moves_the_border(movers: object) -> str:
    """Compare letters; say why the first that is wrong is so."""
    if type(movers) in (list, tuple, set) and all(type(letter) is str for letter in movers):
        movers = "".join(sorted(movers))
    if type(movers) is not str:
        raise Wrong(f'`movers` is {kind(movers)}, expected letters such as `"cef"`.')
    letters = {letter for letter in movers.lower() if letter.isalnum()}
    if not letters or not letters <= set("abcdef"):
        raise Wrong(f"{movers!r} is not a choice of the letters a to f.")
    for letter in sorted(letters - set(MOVERS)):
        raise Wrong(f"Not {letter}. {_NOT[letter]}")
    if letters != set(MOVERS):
        raise Wrong("One is missing: which other change alters the numbers of the flippers?")
    return (
        "The features alone set the border, so it can be computed before any training, and before "
        "anybody has measured a target."
    )


@exercise(
    "06.2",
    "Say where it explodes",
    "A border is two over a curvature. Which two curvatures does a line have, and which of them "
    "knows the unit?",
    "The curvature of the weight is twice the mean of the squared features. In meters that "
    "mean is a million times smaller. Is the weight still the steeper one?",
    "The bias has a curvature of 2 in any unit. Where the border of one is far lower, it decides.",
)
def bill_border(my_borders: object) -> str:
    """Compute two over the curvature in both units; with or without the bias in it."""
    if type(my_borders) in (torch.Tensor, np.ndarray) and len(my_borders.reshape(-1)) == 2:
        my_borders = my_borders.reshape(-1).tolist()
    if type(my_borders) not in (tuple, list) or len(my_borders) != 2:
        raise Wrong(
            f"`my_borders` is {kind(my_borders)}, expected two rates: for millimeters, then for "
            "meters."
        )
    X, _ = datasets.load_penguins("bill_length_mm")
    right = [2 / curvatures(X / unit)[0] for unit in (1, 1000)]
    millimeters, meters = (number("my_borders", value) for value in my_borders)
    if close(millimeters / right[1], 1.0, 0.01) and close(meters / right[0], 1.0, 0.01):
        raise Wrong("These are the two, in the other order. Millimeters come first.")
    _judge_millimeters(millimeters, X, right[0])
    slips = {
        "In meters that is what the weight alone would stand. But the bias moves too. Where is its "
        "border?": 1e6 * right[0],
        "The meters have the border of the millimeters. What does another ruler do to the squares?"
        "": right[0],
        "In meters the features are a thousand times smaller. How much smaller are their squares? "
        "Then look at the bias.": 1e3 * right[0],
        "A smaller feature has a smaller square. Does that raise the border or lower it?": (
            1e-3 * right[0]
        ),
    }
    for said, slip in slips.items():
        if close(meters / slip, 1.0, 0.003):
            raise Wrong(said)
    if not close(meters / right[1], 1.0, 0.01):
        raise Wrong(
            f"In meters the border is not {meters:.3g}. A bill has about 0.04 m. Which is steeper "
            "then, the weight or the bias?"
        )
    return (
        "No training run was needed. The first border belongs to the weight, the second to the "
        "bias: the much steeper of the two decides."
    )


def _judge_millimeters(value: float, X: torch.Tensor, right: float) -> None:
    X_flipper, y = datasets.load_penguins()
    mean = X.double().mean().item()
    slips = {
        "The border is twice too large. Squares have the derivative 2: is it in there?": 2 * right,
        "The border is half of what it may be: it is two over the curvature, not one.": right / 2,
        "The MSE is a mean: its curvature is divided by the number of rows.": right / len(X),
        "This is the curvature itself. The border is two over it.": 2 / right,
        "This is half of the curvature. The border is two over the curvature.": 1 / right,
        "This border belongs to the masses. The curvature holds the features.": (
            2 / curvatures(y)[0]
        ),
        "This border belongs to the flippers. Bills are asked for.": 2 / curvatures(X_flipper)[0],
        "This is the square of the mean. The mean of the squares is a little larger.": 1 / mean**2,
        "The curvature holds the squares of the features. Yours holds the features.": 1 / mean,
        "This border belongs to bills with their mean subtracted. Take them as they are.": (
            2 / curvatures(X - X.mean())[0]
        ),
    }
    for said, slip in slips.items():
        if close(value / slip, 1.0, 0.003):
            raise Wrong(f"Millimeters: {said[0].lower()}{said[1:]}")
    if 0.5 < value < 2:
        raise Wrong("Millimeters: a border near 1 belongs to features near 1. How long is a bill?")
    if close(value / right, 1.0, 0.06) and not close(value / right, 1.0, 3e-3):
        raise Wrong("Millimeters: close. Found by trying? The features give three digits and more.")
    if not close(value / right, 1.0, 3e-3):  # the border in three digits is right
        raise Wrong(
            f"Millimeters: the border is not {value:.3g}. How did you find that of the flippers?"
        )


def curvatures(X: torch.Tensor) -> tuple[float, float]:
    """Return the largest and the smallest curvature of a line's MSE."""
    columns = torch.cat([X, torch.ones_like(X)], dim=1).double()
    smallest, largest = torch.linalg.eigvalsh(2 * columns.T @ columns / len(X)).tolist()
    return largest, smallest


@exercise(
    "06.3",
    "Read the line in millimeters",
    "Write out what the model computes: weight * (flipper - center) / spread + bias.",
    "Multiply it out. What stands before `flipper` is the new weight, all the rest the new bias.",
    "`weight / spread` is the slope per millimeter. At flipper 0, `scaled` is `-center / spread`.",
)
def line_in_millimeters(in_millimeters: object) -> str:
    """Compare both lines at two flippers."""
    weight, bias, center, spread = 600.0, 4100.0, 190.0, 12.0
    result = call("in_millimeters", in_millimeters, weight, bias, center, spread)
    if type(result) is torch.Tensor and result.numel() == 2:
        result = result.reshape(-1).tolist()
    if type(result) not in (tuple, list) or len(result) != 2:
        raise Wrong(f"`in_millimeters` returns {kind(result)}, expected weight and bias.")
    slope, height = (number("in_millimeters(...)", value) for value in result)
    if close(slope, bias - 50 * center) and close(height, 50.0):
        raise Wrong("Bias comes first here. The weight comes first, as in the other notebooks.")
    _judge_slope(slope, weight, spread, center)
    right = bias - slope * center
    heights = {
        "The bias is still that of the scaled ruler: the height at the average flipper. In "
        "millimeters it is the height at 0.": bias,
        "The bias has the wrong sign in it: a flipper of 0 lies below the average, not above.": (
            bias + slope * center
        ),
        "The bias subtracts the scaled weight times the center. One step of `center` is counted "
        "in millimeters, so it needs the weight per millimeter.": bias - weight * center,
        "The bias was divided by the spread. It is a mass, and has no millimeters in it.": (
            bias / spread - slope * center
        ),
        "The center alone was subtracted from the bias: millimeters from grams.": bias - center,
        "The height the line had above the average is missing. Where is the old bias?": (
            -slope * center
        ),
    }
    for said, slip in heights.items():
        if close(height, slip):
            raise Wrong(said)
    if not close(height, right):
        at = [weight * (x - center) / spread + bias for x in (180, 200)]
        raise Wrong(
            f"For weight 600, bias 4100, center 190 and spread 12, a flipper of 200 mm weighs "
            f"{at[1]:,.0f} g on the scaled line, and {slope * 200 + height:,.0f} g on yours."
        )
    other = call("in_millimeters", in_millimeters, -3.0, 7.0, 2.0, 0.5)
    if not close(number("in_millimeters(...)", other[0]), -6.0) or not close(
        number("in_millimeters(...)", other[1]), 19.0
    ):
        raise Wrong("It is right for one line and wrong for another. Is a number written in it?")
    return (
        "Scaling changes the road and not the goal: any line on the scaled ruler is a line on the "
        "old one. Keep center and spread, or nobody can read your weights."
    )


def _judge_slope(slope: float, weight: float, spread: float, center: float) -> None:
    slopes = {
        "The weight is still in grams per standard deviation. How many grams is that for each "
        "millimeter?": weight,
        "A standard deviation has several millimeters, so a millimeter gets fewer grams, not "
        "more.": weight * spread,
        "The weight is divided by the center. The unit of the ruler is the spread.": (
            weight / center
        ),
        "The weight does not change when the zero of the ruler moves. Only its unit counts.": (
            (weight - center) / spread
        ),
        "The weight is upside down: grams for each millimeter are asked for.": spread / weight,
    }
    for said, slip in slopes.items():
        if close(slope, slip):
            raise Wrong(said)
    if not close(slope, weight / spread):
        raise Wrong(
            f"For weight 600 and spread 12 you return a weight of {slope:.4g}. Take two flippers, "
            "12 mm apart: how far apart are their masses?"
        )


@exercise(
    "06.4",
    "Build a cliff",
    "Around 0, a border of 0.25 needs a curvature of 8, so a mean of squares of 4.",
    "Begin with `scaled`, whose mean of squares is 1, and multiply it. By what?",
    "For the losses: a loop over the 17 rates, with `start_over` and `train` on your feature and "
    '`mass` in it, 200 epochs of one batch, and `my_losses.append(history["loss"][-1])`.',
)
def cliff(my_feature: object, my_losses: object) -> str:
    """Look at the feature's border, then whether the losses jump there."""
    birds = 342
    X = tensor("my_feature", my_feature, (birds, 1)).detach()
    if X.double().std().item() < 1e-6:
        raise Wrong("All birds have the same feature, so it can tell nothing about their masses.")
    border = 2 / curvatures(X)[0]
    if close(border, 1.0, 2e-3):
        raise Wrong(
            "The border of this feature is 1, the highest there is. Stretch the feature, and the "
            "border comes down."
        )
    apart = not close(border / 0.25, 1.0, 0.02)
    if apart and border < 0.25 and X.double().mean().square() > 1e-3 * X.double().var():
        raise Wrong(
            f"The border of this feature is {border:.3g}. The feature is not around 0, and then "
            "weight and bias together are steeper than either. Subtract its mean first."
        )
    if apart:
        way = "larger" if border > 0.25 else "smaller"
        raise Wrong(
            f"The border of this feature is {border:.3g}. For 0.25, its squares have to be {way} "
            "on average."
        )
    losses = _losses(my_losses)
    calm, wild = losses[:5], losses[-5:]  # 92 to 96 percent, 104 to 108 percent
    if any(math.isnan(loss) or loss < 0 for loss in calm):
        raise Wrong("Below the border a loss is no number or negative. Do the rates ascend?")
    start = min(loss if loss == loss else math.inf for loss in wild)
    if max(calm) > start:
        raise Wrong("The losses are high below 0.25 and low above it. The rates ascend.")
    if start < 100 * max(calm):
        raise Wrong(
            "No cliff stands at 0.25: the last losses above it are about as low as those below. "
            "Are these the losses of your feature, after 200 steps on all birds?"
        )
    return (
        "A few percent of rate part a good fit from an explosion. Everything you need to say where "
        "stands in the features."
    )


def _losses(value: object) -> list[float]:
    if type(value) is torch.Tensor or type(value).__module__ == "numpy":
        value = value.tolist()
    if type(value) not in (list, tuple):
        raise Wrong(f"`my_losses` is {kind(value)}, expected a list of 17 losses.")
    if len(value) != 17:
        raise Wrong(
            f"`my_losses` holds {len(value)} values. One for each rate, from 92 to 108 percent, "
            "makes 17."
        )
    try:
        return [float(loss) for loss in value]
    except (TypeError, ValueError):
        raise Wrong(
            "`my_losses` holds something that is not a number. Append the last loss of each run, "
            '`history["loss"][-1]`.'
        ) from None
