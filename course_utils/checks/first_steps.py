"""Checks of exercises on first steps: a bet, a line by hand, a lazy rule, another ruler."""

import numpy as np
import torch

from course_utils import datasets
from course_utils.checks.judging import (
    Wrong,
    close,
    exercise,
    flat,
    kind,
    number,
    numbers,
    refuse_slips,
    tensor,
)

BIRDS = 342


def _columns(feature: str = "flipper_length_mm") -> tuple[torch.Tensor, torch.Tensor]:
    """Return a feature in mm and the masses in kg."""
    X, y = datasets.load_penguins(feature)
    return X.double(), y.double() / 1000


def _flippers() -> tuple[torch.Tensor, torch.Tensor]:
    """Return the flippers in cm above 20 and the masses in kg, the rows of the notebook."""
    X, y = _columns()
    return X / 10 - 20, y


def _loss(X: torch.Tensor, y: torch.Tensor, weight: float, bias: float) -> float:
    return (y - (weight * X + bias)).square().mean().item()


def _one(name: str, value: object) -> float:
    """Read one number; a decimal comma makes two."""
    if type(value) is str:
        raise Wrong(f"`{name}` is a text. Leave out the quotes and the unit: a number alone.")
    if type(value) is tuple and all(type(part) is int for part in value):
        raise Wrong("A comma makes several values of one. Python writes decimals with a point.")
    return number(name, value)


def _line(name: str, value: object) -> tuple[float, float]:
    """Read a weight and a bias."""
    if type(value) is dict and {*value} == {"weight", "bias"}:
        value = [value["weight"], value["bias"]]
    if type(value) in (torch.Tensor, torch.nn.Parameter) and value.numel() == 2:
        value = flat(value)
    if type(value) is np.ndarray and value.size == 2:
        value = value.flatten().tolist()
    if type(value) not in (list, tuple):
        raise Wrong(f"`{name}` is {kind(value)}, expected two numbers: `(weight, bias)`.")
    if len(value) == 4 and all(type(part) is int for part in value):
        raise Wrong("Python writes decimals with a point; each comma begins a new number.")
    if len(value) != 2:
        raise Wrong(f"`{name}` holds {len(value)} values, expected two: the weight, the bias.")
    weight, bias = numbers(name, value)
    return weight, bias


@exercise(
    "00.1",
    "Bet on one bird",
    "Find 21 on the axis of the picture and go straight up. Bet where the dots are thickest.",
    "Any number among those dots is a good bet. Type it in place of the `...`.",
)
def bet(my_bet: object) -> str:
    """Accept any mass that a bird of the table could have."""
    bet = _one("my_bet", my_bet)
    if close(bet, 21):
        raise Wrong("That is the length of the flipper. How many kilograms is the bird?")
    if 1000 <= bet <= 10_000:
        raise Wrong("That looks like grams. Give the bet in kilograms, a thousandth of it.")
    if 210 <= bet < 1000:
        raise Wrong("That is a large number for kilograms. Bet the mass, not a length.")
    if 6.3 < bet <= 14:
        raise Wrong("The heaviest bird in the table has 6.3 kg. Were these pounds?")
    if 27 <= bet <= 63:
        raise Wrong("No penguin in the table is that heavy. Is a decimal point missing?")
    if not 2.7 <= bet <= 6.3:
        raise Wrong(
            "The lightest bird in the table has 2.7 kg and the heaviest 6.3 kg. Bet between them."
        )
    return "Your bet stands. Answer the question below, then the birds reply."


@exercise(
    "00.2",
    "Find a better line",
    "Where do the heaviest birds lie, above the zookeeper's line or below?",
    "The zookeeper's line is too flat: the heaviest birds lie far above it. Turn it first.",
    "Once it has the slope of the dots, lift it or lower it as a whole until the loss stops "
    "falling. Then copy the two numbers of the formula above the pictures.",
)
def better_line(my_line: object) -> str:
    """Expect a line with a loss below 0.16 on flippers in cm above 20 and masses in kg."""
    weight, bias = _line("my_line", my_line)
    X, y = _flippers()
    loss, zookeeper = _loss(X, y, weight, bias), _loss(X, y, 0.3, 4.0)
    if loss < 0.16:
        return (
            f"Loss {loss:.4f}: a typical miss of {1000 * loss**0.5:.0f} g. You found this line by "
            "hand, and a number that went down told you the way."
        )
    if close(weight, 0.3) and close(bias, 4.0):
        raise Wrong(f"This is the zookeeper's own line, with a loss of {loss:.4f}. Move it.")
    if abs(bias) > 100 or abs(weight) > 10:
        raise Wrong("These look like grams and millimeters. Give kg per cm, and kg at 20 cm.")
    if _loss(X, y, bias, weight) < 0.3:
        raise Wrong("Weight and bias have changed places: first what each extra cm adds.")
    if _loss(X, y, weight, bias + 20 * weight) < 0.3:
        raise Wrong("This bias is the mass at 0 cm. Give the mass at 20 cm, where `extra` is 0.")
    if _loss(X, y, 10 * weight, bias) < 0.3:
        raise Wrong("This weight is in kg per millimeter. A centimeter adds ten times as much.")
    if weight < 0:
        raise Wrong("With a weight below 0, the longer the flipper, the lighter the bird.")
    if weight == 0:
        raise Wrong(f"A weight of 0 is a lazy rule, with a loss of {loss:.4f}. Use the ruler.")
    if loss < zookeeper:
        raise Wrong(f"Loss {loss:.4f}: better than the zookeeper, and not below 0.16 yet.")
    raise Wrong(f"Loss {loss:.4f}: the zookeeper, with {zookeeper:.4f}, is better than this line.")


@exercise(
    "00.3",
    "Be lazy in the best way",
    "Print the loss of a few lazy rules: `(mass - 4.1).square().mean()` is that of 4.1 kg.",
    "Look at the average residual as well: `(mass - 4.1).mean()`. By how much is 4.1 too low?",
    "Which single mass leaves residuals whose average is exactly 0?",
)
def best_lazy(lazy_best: object) -> str:
    """Expect the one mass with the lowest loss for all birds: their mean."""
    guess = _one("lazy_best", lazy_best)
    X, y = _flippers()
    mean, loss = y.mean().item(), _loss(X, y, 0.0, guess)
    if abs(guess - mean) < 6e-4:
        return (
            "It is the mean mass: for the MSE, no other single number has a lower loss. Its "
            "residuals average 0, so that average was a judge after all: of lazy rules alone."
        )
    if close(guess, 1000 * mean, 1e-3):
        raise Wrong("This is in grams. The masses of the notebook are in kilograms.")
    slips = {
        f"This is the median: half of the birds are lighter. Its loss is {loss:.4f}. Is there a "
        "lower one?": y.median(),
        f"This is halfway between the lightest and the heaviest bird, with a loss of {loss:.4f}. "
        "Most birds are lighter.": (y.min() + y.max()) / 2,
        f"This is the mass that most birds share, with a loss of {loss:.4f}. The heavy birds pull "
        "the best rule up.": y.flatten().mode().values,
        "This is the bias of the best line, the mass at 20 cm. A lazy rule has no ruler.": 4.15628,
        "This is a loss. Which mass has it?": _loss(X, y, 0.0, mean),
        "This is the root of a loss, a typical miss. Which mass has it?": (
            _loss(X, y, 0.0, mean) ** 0.5
        ),
        "This is the mean flipper, in cm. A lazy rule answers with a mass.": X.mean() + 20,
        "This is the zookeeper's average residual. Which mass leaves residuals around 0?": (
            y - 0.3 * X - 4
        ).mean(),
        "This is what the zookeeper's rule says on average, with the ruler.": (0.3 * X + 4).mean(),
    }
    refuse_slips(guess, slips)
    if abs(guess - mean) < 0.01:
        raise Wrong(
            f"Very near: the residuals average {mean - guess:+.4f}. Give three digits after the "
            "point, with that average at 0."
        )
    way = "heavier" if guess < mean else "lighter"
    raise Wrong(f"{guess:g} kg for every bird has a loss of {loss:.4f}. Try a {way} bird.")


@exercise(
    "00.4",
    "Change the ruler",
    "Draw the birds before any line: `figures.plot_data(my_ruler, mass)`. Do they rise or fall?",
    "Measure from the middle, with `my_ruler = depth - 17` or `my_ruler = length - 44`. The bias "
    "is then the mass of a bird in the middle of the picture, and you can read it off.",
    "Read the height of the dots at two places of the picture. The weight is what each mm adds "
    "on the way from one to the other; below 0 if they fall.",
)
def other_ruler(my_ruler: object, my_line: object) -> str:
    """Expect a bill's length or depth, measured from anywhere, and a line that beats laziness."""
    if type(my_ruler) is tuple and len(my_ruler) == 2:
        raise Wrong("These are two columns. `depth, grams = ...` gives each its own name.")
    ruler = tensor("my_ruler", my_ruler, (BIRDS, 1)).detach().double()
    weight, bias = _line("my_line", my_line)
    measured = _measured(ruler)
    y = _columns()[1]
    if abs(bias) > 100 or abs(weight) > 100:
        raise Wrong("These look like grams. The masses of the notebook are in kilograms.")
    miss = _loss(ruler, y, weight, bias) ** 0.5
    if miss >= 0.72:
        X = _columns(measured)[0] * (ruler.std() / _columns(measured)[0].std())
        if _loss(X, y, weight, bias) ** 0.5 < 0.72:
            raise Wrong("This bias is the mass at a bill of 0 mm. Give it where `my_ruler` is 0.")
        raise Wrong(_why_not(ruler, y, weight, bias, miss))
    said = f"A typical bird is missed by {1000 * miss:.0f} g; the best line on flippers misses it "
    said += "by 393 g, so the flipper tells you more. "
    if measured == "bill_length_mm":
        return said + "And the other one, the depth? Its picture holds a surprise."
    return said + (
        "Deeper bills, lighter birds? Look at the picture again: there are two clouds, and in each "
        "of them a deeper bill tends to mean a heavier bird. Which rule would you trust?"
    )


def _measured(ruler: torch.Tensor) -> str:
    """Say which bill was measured, from wherever and in whatever unit.

    Raises
    ------
    Wrong
        If it is something else.
    """
    like = {name: _alike(ruler, _columns(name)[0]) for name in datasets.MEASUREMENTS}
    if like["flipper_length_mm"]:
        raise Wrong("This is the flipper again. Take the length or the depth of the bill.")
    if like["body_mass_g"]:
        raise Wrong("This ruler is the mass itself, which is what you want to know.")
    for name in ("bill_length_mm", "bill_depth_mm"):
        if like[name]:
            return name
    raise Wrong("`my_ruler` is neither the length nor the depth of the bills, row by row.")


def _alike(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Tell whether two columns differ by their zero and their unit alone."""
    a, b = a - a.mean(), b - b.mean()
    size = (a.square().sum() * b.square().sum()).sqrt().item()
    return size > 0 and close(abs((a * b).sum().item()), size, 1e-6)


def _why_not(ruler: torch.Tensor, y: torch.Tensor, weight: float, bias: float, miss: float) -> str:
    """Say what is wrong with a line that misses a typical bird by too much."""
    middle = ruler.mean()
    off = (y - (weight * ruler + bias)).mean().item()
    said = f"A typical bird is missed by {1000 * miss:.0f} g. "
    tilted = (y - weight * ruler).std(correction=0) < 0.72  # right, at the best height
    if tilted and abs(off) > 0.15 and _loss(ruler - middle, y, weight, bias) ** 0.5 < 0.8:
        return said + "The tilt is good. But is this bias the mass where `my_ruler` is 0?"
    if _loss(ruler, y, bias, weight) ** 0.5 < 0.8:
        return said + "Weight and bias have changed places."
    if weight == 0:
        return said + "A weight of 0 is a lazy rule. Tilt the line."
    tilt = ((ruler - middle) * y).sum() / (ruler - middle).square().sum()
    if tilt * weight < 0:
        return said + "On the whole the dots run the other way. Draw them, and look at both ends."
    if abs(off) > 0.15 or tilted:
        way = "low" if off > 0 else "high"
        return said + f"The line runs too {way}: its residuals average {off:+.2f} kg."
    return (
        said
        + f"The height is right, the tilt is not: too {'flat' if weight / tilt < 1 else 'steep'}."
    )
