"""What notebook 00 and its texts say in general."""

import torch
from torch import nn

from claims import Claim
from course_utils import datasets

NOTEBOOK = "notebooks/00_start_here.ipynb"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/first_steps.py"


def mse(X, y, weight, bias):
    return (y - (weight * X + bias)).square().mean().item()


def most_residuals_shrink(seed):
    X, y = datasets.make_line(seed=seed)
    flat, turned = (y - 1.65).abs(), (y - (0.5 * X + 1.5)).abs()
    return (turned < flat).float().mean().item() > 0.5 and 0 < mse(X, y, 0.5, 1.5) < mse(
        X, y, 0.0, 1.65
    )


def one_loop_trains_line_and_network(seed):
    X, y = datasets.make_line(n=50, seed=seed)
    for model in (nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))):
        torch.manual_seed(seed)
        optimizer, loss_fn, losses = torch.optim.SGD(model.parameters(), lr=0.05), nn.MSELoss(), []
        for _ in range(100):
            optimizer.zero_grad()
            loss = loss_fn(model(X), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if losses[-1] > 0.2 * losses[0]:
            return False
    return True


def the_bias_is_the_height_at_zero(seed):
    weight, bias = torch.randn(2, generator=torch.Generator().manual_seed(seed))
    line = nn.Linear(1, 1)
    nn.init.constant_(line.weight, weight)
    nn.init.constant_(line.bias, bias)
    return torch.equal(line(torch.zeros(1)), bias.reshape(1))


def largest_is_not_at_the_largest_x(seed):
    """With noise 0.1 the formula's value at the largest x is not the largest target."""
    X, y = datasets.make_line(seed=seed)
    return abs(y.max() - (2.0 * X.max() + 1.5)) > 1e-4


def tensor_prints_five_digits(seed):
    """And float32 keeps seven: the value written with seven digits is read back as the same."""
    highest = datasets.make_line(seed=seed)[1].max()
    printed = str(highest).removeprefix("tensor(").removesuffix(")")
    kept = float(f"{highest.item():.6e}")
    return len(printed.replace(".", "")) == 5 and abs(kept / highest.item() - 1) < 1e-6


CLAIMS = [
    Claim(
        QUESTIONS,
        "The line has come nearer to the points at both ends, so most residuals shrink.",
        most_residuals_shrink,
    ),
    Claim(
        NOTEBOOK, "The same loop then trains a network", one_loop_trains_line_and_network, 20, True
    ),
    Claim(NOTEBOOK, "its height at $x = 0$", the_bias_is_the_height_at_zero),
    Claim(CHECKS, "The points scatter around the line.", largest_is_not_at_the_largest_x),
    Claim(CHECKS, "about seven, of which it prints five", tensor_prints_five_digits),
]
