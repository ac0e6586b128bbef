"""What notebook 00 and its texts say in general, and what they say about the table of penguins."""

import torch
from torch import nn

from claims import Claim
from course_utils import datasets

NOTEBOOK = "notebooks/00_start_here.ipynb"
CHECKS = "course_utils/checks/first_steps.py"
WEIGHT, BIAS = 0.496856, 4.15628  # the best line, as the notebook writes it


def birds(feature="flipper_length_mm"):
    X, y = datasets.load_penguins(feature)
    X, y = X.double(), y.double() / 1000
    return (X / 10 - 20 if feature.startswith("flipper") else X), y


def mse(X, y, weight, bias):
    return (y - (weight * X + bias)).square().mean().item()


def drawn(seed, n):
    return torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def fitted(X, y):
    return torch.linalg.lstsq(torch.hstack([X, torch.ones_like(X)]), y).solution.flatten()


def no_line_is_lower(seed):
    X, y = birds()
    best = mse(X, y, *fitted(X, y))
    shift = drawn(seed, 2) / 10
    lower = mse(X, y, WEIGHT + shift[0], BIAS + shift[1]) < best
    return not lower and f"{mse(X, y, WEIGHT, BIAS):.6f}" == f"{best:.6f}"


def the_digits_are_those_of_least_squares(seed):
    X, y = birds()
    weight, bias = fitted(X, y).tolist()
    return f"{weight:.6f} {bias:.5f}" == f"{WEIGHT:.6f} {BIAS:.5f}"


def a_bird_without_flipper(seed):
    """Measured from 0 cm the line is the same, and its bias is minus 5.8 kg."""
    X, y = birds()
    weight, bias = fitted(X + 20, y).tolist()
    return round(bias, 1) == -5.8 and abs(bias + 20 * weight - BIAS) < 1e-4


def twelve_of_fourteen(seed):
    """No mass occurs more than twice among the birds with a flipper of 21 cm."""
    X, y = birds()
    masses = y[(X - 1).abs() < 1e-6]
    return len(masses) == 14 and masses.unique(return_counts=True)[1].max() <= 2


def two_in_three_are_missed_by_less(seed):
    """The zookeeper's rule, the lazy one and the best line; and one is 290 g off less."""
    X, y = birds()
    shares, roots = [], []
    for weight, bias in ((0.3, 4.0), (0.0, 4.2), (WEIGHT, BIAS)):
        miss = (y - weight * X - bias).abs()
        roots.append(miss.square().mean().sqrt().item())
        shares.append((miss < roots[-1]).double().mean().item())
    return all(abs(share - 2 / 3) < 0.03 for share in shares) and (
        round(roots[1] - roots[0], 2) == 0.29
    )


def the_bias_is_the_height_at_zero(seed):
    weight, bias = drawn(seed, 2).float()
    line = nn.Linear(1, 1)
    nn.init.constant_(line.weight, weight)
    nn.init.constant_(line.bias, bias)
    return torch.equal(line(torch.zeros(1)), bias.reshape(1))


def the_mean_is_the_best_lazy_rule(seed):
    y = drawn(seed, 50).exp()[:, None]
    others = y.mean() + drawn(seed + 100, 20)
    return all(mse(y, y, 0.0, y.mean()) < mse(y, y, 0.0, other) for other in others)


def deeper_is_heavier_within_a_cloud(seed):
    """Two clouds of depth and mass, apart: in each the best line rises, in all it falls."""
    X, y = birds("bill_depth_mm")
    heavy = _gentoo()
    slopes = [fitted(X[part], y[part])[0].item() for part in (heavy, ~heavy)]
    return min(slopes) > 0 > fitted(X, y)[0].item()


def _gentoo():
    rows = datasets.PENGUINS.read_text(encoding="utf-8").splitlines()[1:]
    rows = [row.split(",") for row in rows]
    return torch.tensor([row[0] == "Gentoo" for row in rows if "NA" not in row[2:6]])


CLAIMS = [
    Claim(NOTEBOOK, "no line has a lower loss on these birds.", no_line_is_lower),
    Claim(NOTEBOOK, "Here is its line, to a few digits", the_digits_are_those_of_least_squares),
    Claim(NOTEBOOK, "for the best line about minus 5.8 kg", a_bird_without_flipper),
    Claim(NOTEBOOK, "at least twelve of these fourteen birds prove you wrong", twelve_of_fourteen),
    Claim(
        NOTEBOOK,
        "about two birds in three are missed by less. The zookeeper's is 290 g smaller",
        two_in_three_are_missed_by_less,
    ),
    Claim(NOTEBOOK, "is its height where `extra` is 0", the_bias_is_the_height_at_zero),
    Claim(
        NOTEBOOK,
        "in each of them a deeper bill tends to mean a heavier bird",
        deeper_is_heavier_within_a_cloud,
    ),
    Claim(CHECKS, "no other single number has a lower loss", the_mean_is_the_best_lazy_rule),
    Claim(
        CHECKS,
        "in each of them a deeper bill tends to mean a heavier bird",
        deeper_is_heavier_within_a_cloud,
    ),
]
