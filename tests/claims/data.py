"""What notebook 01 and its texts say in general."""

import numpy as np
import pandas as pd
import torch
from torch import nn

from claims import ROOT, Claim
from course_utils import datasets
from course_utils.explorers import loops

NOTEBOOK = "notebooks/01_data.ipynb"
GLOSSARY = "notebooks/glossary.md"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/data.py"
GUIDE = "classroom/TEACHING.md"


def chosen(seed):
    return np.random.default_rng(seed)


def true_loss(n, noise, seed):
    X, y = datasets.make_line(n=n, noise=noise, seed=seed)
    return (y - (2.0 * X + 1.5)).square().mean().item()


def samples_of(n, samples, seed, noise=3.0):
    """Return samples of n points each, as rows, and the lines fitted to them."""
    parts = datasets.make_line(n=n * samples, noise=noise, seed=seed)
    x, y = (part.double().numpy().reshape(samples, n) for part in parts)
    dx = x - x.mean(1, keepdims=True)
    spread = (dx**2).sum(1)
    weight = (dx * y).sum(1) / spread
    bias = y.mean(1) - weight * x.mean(1)
    residuals = y - weight[:, None] * x - bias[:, None]
    errors = np.sqrt((residuals**2).sum(1) / (n - 2) / spread)
    return x, weight, bias, errors


def in_shade(n, seed, noise):
    """Return the share of 1,000 fitted lines that lie in the explorer's shade at some x."""
    _, weight, bias, _ = samples_of(n, 1_000, seed, noise)
    at = chosen(seed).normal()
    reach = 2 * noise / np.sqrt(n - 3) * np.sqrt(1 + at**2)
    return np.mean(abs((weight - 2.0) * at + bias - 1.5) <= reach)


def same_seed_same_numbers(seed):
    a, b = (torch.randn(50, generator=torch.Generator().manual_seed(seed)) for _ in range(2))
    return torch.equal(a, b)


def own_generator_leaves_the_rest_alone(seed):
    torch.manual_seed(seed)
    expected = torch.rand(3)
    torch.manual_seed(seed)
    datasets.make_line(seed=seed + 1)
    return torch.equal(torch.rand(3), expected)


def flat_minus_column_is_square(seed):
    n = int(chosen(seed).integers(2, 100))
    column = torch.randn(n, 1)
    return (torch.randn(n) - column).shape == (n, n) and (torch.randn(n, 1) - column).shape == (
        n,
        1,
    )


def linear_layers_refuse(seed):
    """A column of float32 passes; float64, whole numbers and a flat list do not."""
    n, layer = int(chosen(seed).integers(2, 100)), nn.Linear(1, 1)
    X = torch.randn(n, 1)
    for bad in (X.double(), X.int(), X.flatten()):
        try:
            layer(bad)
            return False
        except RuntimeError:
            pass
    return layer(X).shape == (n, 1) and layer.weight.dtype is torch.float32


def large_residuals_weigh_more(seed):
    small = chosen(seed).uniform(0.01, 1.0)
    large = 1.94 * small
    return large**2 / small**2 > large / small and 3.7 < large**2 / small**2 < 3.8


def floor_is_noise_squared(seed):
    noise = chosen(seed).uniform(0.05, 3.0)
    return abs(true_loss(10_000, noise, seed) / noise**2 - 1) < 0.06


def no_training_gets_below(seed):
    """Fits to 10, 20 and 50 points, measured on 5,000 new ones each, on average over samples."""
    n = (10, 20, 50)[seed % 3]
    X_new, y_new = datasets.make_line(n=5_000, noise=1.0, seed=10_000 + seed)
    losses = []
    for number in range(50):
        X, y = datasets.make_line(n=n, noise=1.0, seed=100 * seed + number)
        weight, bias = loops.least_squares(X, y)
        losses.append((y_new - (weight * X_new + bias)).square().mean().item())
    return np.mean(losses) > (y_new - (2.0 * X_new + 1.5)).square().mean().item()


def below_the_floor_is_learned_noise(seed):
    """Of a stiff and a bent curve, that far below the floor is the one that follows the noise."""
    rng = chosen(seed)
    x, noise = np.sort(rng.uniform(-1, 1, 40)), 0.3 * rng.normal(size=40)
    truth = 2 * x + 1.5
    far_below, follows = [], []
    for degree in (1, 33):
        left = np.polynomial.Chebyshev.fit(x, truth + noise, degree)(x) - truth
        far_below.append(np.mean((left - noise) ** 2) < 0.5 * 0.09)
        follows.append(np.mean(left**2) > 0.5 * np.mean(noise**2))
    return far_below == follows == [False, True]


def standard_error_is_the_spread(seed):
    _, weight, _, errors = samples_of(100, 500, seed)
    return abs(errors.mean() / weight.std() - 1) < 0.1


def most_lines_lie_in_the_shade(seed):
    return (
        0.92 < in_shade((10, 50, 200, 2000)[seed % 4], seed, chosen(seed).uniform(0.1, 3)) < 0.985
    )


def tenth_takes_a_hundred_times(seed):
    few, many = (samples_of(n, 30, seed)[3].mean() for n in (50, 5_000))
    return 9.0 < few / many < 11.0


def line_swings_with_ten(seed):
    few, many = (samples_of(n, 100, seed)[1].std() for n in (10, 200))
    return few > 4 * many


def most_noise_is_below_one(seed):
    X, y = datasets.make_line(n=10_000, noise=0.5, seed=seed)
    residuals = (y - (2.0 * X + 1.5)).abs()
    return (residuals < 1).float().mean() > 0.9 and residuals.square().mean() < residuals.mean()


def mean_absolute_error_is_about(seed):
    X, y = datasets.make_line(n=10_000, noise=0.5, seed=seed)
    return abs((y - (2.0 * X + 1.5)).abs().mean().item() - 0.4) < 0.02


def squares_of_signed_residuals_do_not_cancel(seed):
    X, y = datasets.make_line(n=10_000, noise=0.3, seed=seed)
    residuals = y - (2.0 * X + 1.5)
    return residuals.mean().abs() < 0.05 * residuals.abs().mean()


def bills(seed):
    """Resample the birds: overall the slope stays negative, within species positive."""
    table = pd.read_csv(ROOT / "notebooks" / "data" / "penguins.csv")
    names = ["bill_depth_mm", "bill_length_mm"]
    birds = table.dropna(subset=names).sample(frac=1.0, replace=True, random_state=seed)
    inside = [group[names].corr().iloc[0, 1] for _, group in birds.groupby("species")]
    return birds[names].corr().iloc[0, 1] < 0 < min(inside) and len(inside) == 3


CLAIMS = [
    Claim(NOTEBOOK, "draws the same numbers in every run", same_seed_same_numbers),
    Claim(GLOSSARY, "draws the same numbers in every run", same_seed_same_numbers),
    Claim(CHECKS, "and it changes nothing itself", own_generator_leaves_the_rest_alone),
    Claim(
        GUIDE, "A generator of its own touches nothing else.", own_generator_leaves_the_rest_alone
    ),
    Claim(NOTEBOOK, "The layers of this course expect a table", linear_layers_refuse),
    Claim(NOTEBOOK, "With two columns of 50 rows this cannot happen.", flat_minus_column_is_square),
    Claim(QUESTIONS, "so each value meets each other value", flat_minus_column_is_square),
    Claim(NOTEBOOK, "Squaring weighs large residuals more", large_residuals_weigh_more),
    Claim(NOTEBOOK, "is the noise squared, because noise is all", floor_is_noise_squared),
    Claim(NOTEBOOK, "with mean squared error, the noise squared", floor_is_noise_squared),
    Claim(GLOSSARY, "For the mean squared error it is the noise squared", floor_is_noise_squared),
    Claim(GUIDE, "The floor is the noise squared", floor_is_noise_squared),
    Claim(
        NOTEBOOK,
        "On average no training gets below this floor on new points.",
        no_training_gets_below,
    ),
    Claim(GLOSSARY, "The lowest loss on new points that noise allows", no_training_gets_below),
    Claim(
        CHECKS,
        "A training loss far below it is a sign that the model follows the noise of its rows.",
        below_the_floor_is_learned_noise,
    ),
    Claim(
        CHECKS,
        "Residuals above and below the line cancel",
        squares_of_signed_residuals_do_not_cancel,
    ),
    Claim(
        NOTEBOOK,
        "says how much it typically differs from sample to sample",
        standard_error_is_the_spread,
    ),
    Claim(
        GLOSSARY,
        "typically differs from sample to sample, estimated from one sample",
        standard_error_is_the_spread,
    ),
    Claim(
        NOTEBOOK,
        "At any one $x$, about 95 of 100 fitted lines lie in the shade",
        most_lines_lie_in_the_shade,
    ),
    Claim(
        NOTEBOOK,
        "on average a tenth of the standard error takes 100 times the points",
        tenth_takes_a_hundred_times,
    ),
    Claim(GLOSSARY, "a tenth of it takes about 100 times the points", tenth_takes_a_hundred_times),
    Claim(GUIDE, "with 10 points the line swings, with 200 it hardly moves", line_swings_with_ten),
    Claim(QUESTIONS, "most of it is smaller than 1, so squares shrink it", most_noise_is_below_one),
    Claim(QUESTIONS, "That is about the mean absolute error.", mean_absolute_error_is_about),
    Claim(NOTEBOOK, "hold float32 numbers by default and refuse", linear_layers_refuse),
    Claim(CHECKS, "Linear layers hold float32 and refuse other types.", linear_layers_refuse),
    Claim(CHECKS, "a linear layer takes such a table", linear_layers_refuse),
    Claim(NOTEBOOK, "Together they run down; within each species they run up.", bills),
    Claim(CHECKS, "Within each species it goes with a longer one", bills),
]
