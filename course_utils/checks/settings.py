"""Checks of exercises on the settings of training: border, schedule, and a cliff to build."""

import itertools
import math

import numpy as np
import torch

from course_utils import datasets
from course_utils.checks.judging import Wrong, close, exercise, kind, number, tensor

BIRDS = 342
MOVERS = "ae"  # of the six changes
_NOT = {
    "b": "The unit of the masses stretches the loss, but where does the curvature hold a target?",
    "c": "Twice the same birds: the sum of squares doubles, and so does the number of rows.",
    "d": "Another start is another place in the same bowl. The factor of a step ignores places.",
    "f": "A minus sign changes every flipper. What does it do to its square?",
}


@exercise(
    "06.1",
    "Say what moves the border",
    "The border is two over the curvature, and the curvature along the weight is twice the mean of "
    "the squared features. Which changes reach that mean?",
    "Write down the mean of the squared flippers before and after each change. Does the number "
    "differ?",
    "Which letters change a squared flipper? And does any other letter change a mean over them?",
)
def what_moves_the_border(movers: object) -> str:
    """Compare letters; say why the first that is wrong is so."""
    if type(movers) in (list, tuple, set) and all(type(letter) is str for letter in movers):
        movers = "".join(sorted(movers))
    if type(movers) is not str:
        raise Wrong(f'`movers` is {kind(movers)}, expected letters such as `"cef"`.')
    letters = {letter for letter in movers.lower().replace("and", "") if letter.isalnum()}
    if not letters or not letters <= set("abcdef"):
        raise Wrong(f"{movers!r} is not a choice of the letters a to f.")
    for letter in sorted(letters - set(MOVERS)):
        raise Wrong(f"Not {letter}. {_NOT[letter]}")
    if letters != set(MOVERS):
        raise Wrong("One is missing: which other change alters the squares of the flippers?")
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
            f"In meters the border is not {meters:.3g}. A bill has about 0.04 m. What are the "
            "two curvatures then?"
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
        raise Wrong("Millimeters: close. By trying, or rounded? The features give three digits.")
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
    "Bring single birds to rest",
    "In the first epochs the steps must not be tiny: the way is 698 g long. In the last one they "
    "have to be. What changes the rate in between?",
    "A `StepLR` over the optimizer, and a loop: `train` for one epoch, then `schedule.step()`. So "
    "`step_size` counts epochs.",
    "Begin well below the 0.1 of above, and let the plan cut twice within the ten epochs. After "
    'each epoch, `my_weights.extend(history["weight"])`.',
)
def single_birds(my_weights: object) -> str:
    """Look at how the weights stagger, whether they come to rest, and where."""
    weights = _numbers(
        "my_weights",
        my_weights,
        "`append` puts a whole epoch in as one thing; `extend` adds the numbers of "
        '`history["weight"]` one by one.',
    )
    if not weights or len(weights) % BIRDS:
        raise Wrong(
            f"`my_weights` holds {len(weights)} values. One bird at a time makes 342 in an epoch: "
            "extend it by those of each epoch."
        )
    if len(weights) > 10 * BIRDS:
        raise Wrong(f"These are {len(weights) // BIRDS} epochs, and ten are the most.")
    if not all(map(math.isfinite, weights)):
        raise Wrong("It exploded: a single bird can be steeper than all of them together.")
    first, last = weights[:BIRDS], weights[-BIRDS:]
    moves = [after - before for before, after in itertools.pairwise(first)]
    if sum(a * b < 0 for a, b in itertools.pairwise(moves)) < BIRDS / 10:
        raise Wrong("This path does not stagger. Did each step see a single bird?")
    if (moved := max(last) - min(last)) > 5:
        raise Wrong(
            f"In the last epoch the weight still moved over {moved:.0f} g. Steps on single birds "
            "do not shrink by themselves: how small is the rate by then?"
        )
    rest = sum(last) / BIRDS
    if abs(1000 * rest - 698) < 60:
        raise Wrong("These are kilograms. Train on `mass`, which is in grams.")
    if abs(weights[0] - 698) < 100:
        raise Wrong("The first weight is home already. Collect the weights of all epochs.")
    if abs(rest - 698) > 30:
        raise Wrong(
            f"The weight came to rest at {rest:.0f} g, and the best line has 698. The rate shrank "
            "before the line was there: begin with a larger one, or cut later."
        )
    return (
        "Cheap steps, and peace at the end. Networks are trained like this: mini-batches for the "
        "way, a schedule for the landing."
    )


@exercise(
    "06.4",
    "Build a cliff",
    "Which curvature has its border at 0.25? And around 0, which mean of squares has that "
    "curvature?",
    "The curvature is 8, the mean of squares 4. `scaled` has 1: by what do you multiply it?",
    "For the losses: a loop over the 17 rates, with `start_over` and `train` on your feature and "
    '`mass` in it, 200 epochs of one batch, and `my_losses.append(history["loss"][-1])`.',
)
def cliff(my_feature: object, my_losses: object) -> str:
    """Look at the feature's border, then whether the losses jump there."""
    X = tensor("my_feature", my_feature, (BIRDS, 1)).detach()
    if X.double().std().item() < 1e-6:
        raise Wrong("All birds have the same feature, so it can tell nothing about their masses.")
    border = 2 / curvatures(X)[0]
    if close(border, 1.0, 2e-3):
        raise Wrong(
            "The border of this feature is 1, so it is too high. Stretch the feature, and the "
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
    losses = _numbers(
        "my_losses", my_losses, 'Append the last loss of each, `history["loss"][-1]`.'
    )
    if len(losses) != 17:
        raise Wrong(
            f"`my_losses` holds {len(losses)} values. One for each rate, from 92 to 108 percent, "
            "makes 17."
        )
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


def _numbers(name: str, value: object, advice: str) -> list[float]:
    if type(value) is torch.Tensor or type(value).__module__ == "numpy":
        value = value.tolist()
    if type(value) not in (list, tuple):
        raise Wrong(f"`{name}` is {kind(value)}, expected a list of numbers.")
    try:
        return [float(one) for one in value]
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"`{name}` holds something that is not a number. {advice}") from None
