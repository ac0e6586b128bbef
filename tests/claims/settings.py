"""What notebook 06 says in general about rates, curvature, scaling, optimizers and losses."""

import contextlib
import copy
import io
import json
import math
import re

import numpy as np
import torch

from claims import ROOT, Claim
from claims.training import (
    batches,
    begin,
    hessian,
    line_of,
    losses_on,
    ols,
    rows_of,
    train,
    walk,
)
from course_utils import datasets, descent

LESSON = "notebooks/06_settings.ipynb"
GLOSSARY = "notebooks/glossary.md"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/settings.py"


def ball(seed):
    """Return the slope of the loss over the weight alone, with the bias nailed."""
    X, y = (part.double() for part in datasets.make_line(160, seed=seed))
    return X, lambda w: (-2 * X * (y - (w * X + 1.5))).mean().item()


def factor_anywhere(seed):
    """A step multiplies the distance to the bottom by 1 - lr * curvature, wherever the ball is."""
    X, slope = ball(seed)
    generator = torch.Generator().manual_seed(seed)
    curvature = slope(1.0) - slope(0.0)
    bottom = -slope(0.0) / curvature
    same = math.isclose(curvature, 2 * X.square().mean().item(), rel_tol=1e-9)
    for w, lr in torch.rand(10, 2, generator=generator, dtype=torch.double).tolist():
        w = 20 * w - 10
        after = w - 1.3 * lr * slope(w)
        if not math.isclose(
            after - bottom, (1 - 1.3 * lr * curvature) * (w - bottom), abs_tol=1e-9
        ):
            return False
    return same


def two_curvatures(seed):
    """A unit more of weight or bias: the slope along it grows by 2 mean(x^2), or by 2."""
    X, y = (part.double() for part in datasets.make_line(160, seed=seed))
    w, b = torch.randn(2, generator=torch.Generator().manual_seed(seed), dtype=torch.double)

    def slopes(w, b):
        residual = y - (w * X + b)
        return (-2 * X * residual).mean(), (-2 * residual).mean()

    weight = slopes(w + 1, b)[0] - slopes(w, b)[0]
    bias = slopes(w, b + 1)[1] - slopes(w, b)[1]
    return (
        torch.isclose(weight, 2 * X.square().mean())
        and math.isclose(bias, 2)
        and abs(hessian(X).diagonal() - torch.stack([weight, bias])).max() < 1e-9
    )


def border_of_a_ball(seed):
    _, slope = ball(seed)
    curvature = slope(1.0) - slope(0.0)
    bottom = -slope(0.0) / curvature
    grown = []
    for part in (0.97, 1.03):
        w = -1.0
        for _ in range(100):
            w = w - part * 2 / curvature * slope(w)
        grown.append(abs(w - bottom) / abs(-1.0 - bottom))
    return grown[0] < 1 < grown[1]


def diagonal_is_steeper(seed):
    X, _ = datasets.make_line(160, seed=seed)
    values = hessian(X.double())
    return torch.linalg.eigvalsh(values)[-1] > values.diagonal().max()


def features_alone(seed):
    """Targets, starts and repeated rows leave the curvature as it is; unit and zero do not."""
    X, y, model = begin(seed)

    def measured(X, y):
        parameters = line_of(model).double()
        columns = torch.cat([X, torch.ones_like(X)], dim=1).double()
        return torch.autograd.functional.hessian(
            lambda line: (y.double().flatten() - columns @ line).square().mean(), parameters
        )

    base = measured(X, y)
    same = [measured(X, 3 * y + 1), measured(torch.cat([X, X]), torch.cat([y, y]))]
    other = [measured(X / 25.4, y), measured(X + 1, y)]
    equal = [torch.allclose(base, one) for one in same + other]
    return equal == [True, True, False, False] and torch.allclose(base, hessian(X.double()))


def boxes_print_what_they_say(_seed):
    """Run the code of the folded boxes; compare with the output that stands below it."""
    cells = json.loads((ROOT / LESSON).read_text(encoding="utf-8"))["cells"]
    flipper, _ = datasets.load_penguins()
    torch.manual_seed(420)
    X = torch.randn(200, 1)
    y = 1.5 + 2 * X + 0.1 * torch.randn(200, 1)
    chosen = torch.utils.data.random_split(range(200), [160, 40])[0].indices
    scaled = (flipper - flipper.mean()) / flipper.std(correction=0)
    names = {"torch": torch, "X": X[chosen], "y": y, "flipper": flipper, "scaled": scaled}
    boxes = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.S)
    found = [pair for cell in cells for pair in boxes.findall("".join(cell["source"]))]
    for code, said in found:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        if printed.getvalue() != said:
            return False
    return len(found) == 1


def factor_of_a_step(seed):
    """Along the steepest direction a step multiplies the distance by 1 - lr * curvature."""
    X, y = (part.double() for part in datasets.make_line(seed=seed))
    generator = torch.Generator().manual_seed(seed)
    line = torch.randn(2, generator=generator, dtype=torch.double)
    lr = 1.2 * torch.rand(1, generator=generator).item()
    columns = torch.cat([X, torch.ones_like(X)], dim=1)
    values, directions = torch.linalg.eigh(hessian(X))
    best, steepest = ols(X, y), directions[:, -1]
    after = line - lr * 2 * columns.T @ (columns @ line - y.flatten()) / len(X)
    distance, then = (line - best) @ steepest, (after - best) @ steepest
    same_limit = math.isclose(2 / values[-1].item(), descent.stable_lr(X), rel_tol=1e-9)
    return same_limit and torch.allclose(then, (1 - lr * values[-1]) * distance)


def limit_parts_runs(seed):
    """Just below the limit the loss falls, just above it grows: from any start."""
    X, y, model = begin(seed)
    limit, ends = descent.stable_lr(X), []
    for part in (0.97, 1.03, 1.2):
        losses = losses_on(X, y, walk(X, y, line_of(model), part * limit, 300))
        ends.append(losses[-1] / losses[0])
    return ends[0] < 1 and min(ends[1:]) > 1


def batch_is_steeper(seed):
    X, y, _ = begin(seed)
    limits = [descent.stable_lr(X_batch) for X_batch, _ in batches(X[:160], y[:160])]
    return min(limits) < descent.stable_lr(X[:160])


def overshoots(seed):
    """From half the limit on, along the steepest direction, a step ends on the other side."""
    X, y, model = begin(seed)
    limit, best = descent.stable_lr(X), ols(X, y)
    steepest = torch.linalg.eigh(hessian(X))[1][:, -1]
    sides = []
    for part in (0.4, 0.9):
        moved = copy.deepcopy(model)
        before = (line_of(moved) - best) @ steepest
        train(moved, [(X, y)], part * limit, 1)
        sides.append(((line_of(moved) - best) @ steepest / before).item())
    return sides[0] > 0 > sides[1] > -1


def scaled_limit_is_one(seed):
    """For any unit and shift, and with either of the two standard deviations."""
    generator = torch.Generator().manual_seed(seed)
    X = datasets.make_line(seed=seed)[0].double()
    X = X * 10 ** (3 * torch.randn(1, generator=generator)) + torch.randn(1, generator=generator)
    limits = [
        descent.stable_lr((X - X.mean()) / X.std(correction=correction)) for correction in (0, 1)
    ]
    return all(abs(limit - 1) < 1e-6 for limit in limits)


def adam_and_the_unit(seed):
    """Where SGD overflows in millimeters, Adam gets within a factor of 4 of its loss in cm."""
    X, y, model = begin(seed)
    losses = []
    for features in (X, 10 * X):
        lines = walk(features, y, line_of(model), 0.1, 91, optimizer="adam")
        losses.append(losses_on(features, y, lines)[90])
    return 0.25 < losses[1] / losses[0] < 4


def adam_comes_home(seed):
    """In a hundred steps at rates from 1 to the slider's end, near the lowest loss."""
    X, y, _ = begin(seed)
    lowest = losses_on(X, y, ols(X, y).unsqueeze(0).numpy())[0]
    for rate in (1.0, 1.8, 3.1):
        lines = walk(X, y, torch.tensor([-1.0, 0.0]), rate, 101, optimizer="adam")
        if not losses_on(X, y, lines)[-1] < 1.5 * lowest:
            return False
    return True


def adam_follows_two_means(seed):
    """`descent` divides running means, of gradient and squared gradient, for each parameter."""
    X, y, model = begin(seed)
    end = walk(X, y, line_of(model), 0.1, 20, optimizer="adam")[-1]
    train(model, [(X, y)], 0.1, 20, kind=torch.optim.Adam)
    return np.abs(line_of(model).numpy() - end).max() < 1e-4


def some_birds(seed, count=342):
    """Return scaled flippers and masses in kilograms of birds in random order."""
    flipper, mass = datasets.load_penguins()
    scaled = (flipper - flipper.mean()) / flipper.std(correction=0)
    rows = torch.randperm(342, generator=torch.Generator().manual_seed(seed))[:count]
    return scaled[rows], mass[rows] / 1000


def rough_is_cheaper(seed):
    """One reading in batches of 18 gets below 175,000 square grams; one step on all doesn't."""
    X, y = some_birds(seed)
    _, _, model = begin(seed)
    best, ends = losses_on(X, y, ols(X, y).unsqueeze(0).numpy())[0], []
    for size in (18, 342):
        moved = copy.deepcopy(model)
        train(moved, batches(X, y, size), 0.1, 1)
        ends.append(losses_on(X, y, line_of(moved).unsqueeze(0))[0])
    return best <= ends[0] < min(1.15 * best, 0.175) and 10 * best < ends[1]


def ends_of_shuffles(shuffles, size):
    """Return the losses after one epoch in batches of a size, one for each shuffle."""
    ends = []
    for shuffle in shuffles:
        X, y = some_birds(shuffle)
        rows = [row.numpy() for row in torch.arange(342).split(size)]
        line = walk(X, y, torch.zeros(2), 0.1, rows)
        ends.append(losses_on(X, y, line[-1:])[0])
    return ends


def typical_eighteens(seed):
    """The middle of two hundred shuffles in batches of 18, in square grams."""
    ends = ends_of_shuffles(range(200 * seed, 200 * seed + 200), size=18)
    return abs(np.median(ends) - 0.1586) < 0.0007


def single_birds_end_anywhere(seed):
    """Among a hundred shuffles one ends near the lowest loss and one far above it."""
    ends = ends_of_shuffles(range(100 * seed, 100 * seed + 100), size=1)
    return min(ends) < 0.156 and max(ends) > 0.25


def single_rows_never_rest(seed):
    """After six epochs the steps are as long as after two."""
    X, y, model = begin(seed)
    lines = walk(X, y, line_of(model), 0.05, rows_of(seed, 7, size=1))
    sizes = np.linalg.norm(np.diff(lines, axis=0), axis=1)
    return 0.8 < sizes[6 * 160 :].mean() / sizes[2 * 160 : 3 * 160].mean() < 1.25


def sgd_is_enough(seed):
    X, y, model = begin(seed)
    X = (X - X.mean()) / X.std()
    ends = [
        losses_on(X, y, walk(X, y, line_of(model), 0.1, 60, optimizer=kind))[-1]
        for kind in ("sgd", "adam")
    ]
    return ends[0] <= ends[1]


def l1_steps(seed, *rates):
    """Return the last steps at each rate, one after the other, on nineteen birds under L1."""
    X, y = some_birds(seed, 19)
    _, _, model = begin(seed)
    line, steps = walk(X, y, line_of(model), 0.5, 800, loss="l1")[-1], []
    for lr in rates:
        lines = walk(X, y, line, lr, 400, loss="l1")
        line = lines[-1]
        steps.append(np.diff(lines, axis=0)[-200:])
    return steps


def l1_keeps_stepping(seed):
    """Signs leave the bias a nineteenth of the rate or more; the line turns again and again."""
    (steps,) = l1_steps(seed, 0.5)
    turns = (steps[1:] * steps[:-1]).sum(axis=1) < 0
    return (np.abs(steps[:, 1]) > 0.99 * 0.5 / 19).all() and turns.sum() > 10


def a_tenth_of_the_dance(seed):
    lengths = [np.linalg.norm(part, axis=1).mean() for part in l1_steps(seed, 0.5, 0.05, 0.005)]
    return lengths[0] > 8 * lengths[1] > 64 * lengths[2]


def stranded(seed):
    """Cut every 5 steps, and all the steps after these would not arrive either."""
    X, y = some_birds(seed, 19)
    torch.manual_seed(seed)
    line = line_of(torch.nn.Linear(1, 1))
    for lr in (0.5, 0.05, 0.005, 0.0005):
        lines = walk(X, y, line, lr, 5, loss="l1")
        line = lines[-1]
    best = np.array([descent.least_absolute(X.double().numpy(), y.double().numpy())])
    return losses_on(X, y, lines[-1:], "l1")[0] > 1.5 * losses_on(X, y, best, "l1")[0]


def tiny_is_late(seed):
    """Ten epochs of single birds at 0.0002 miss a tenth of the way."""
    X, y = some_birds(seed)
    torch.manual_seed(seed)
    line = line_of(torch.nn.Linear(1, 1))
    orders = [torch.randperm(342, generator=torch.Generator().manual_seed(n)) for n in range(10)]
    rows = [row.numpy() for order in orders for row in order.split(1)]
    return walk(X, y, line, 0.0002, rows)[-1][1] < 0.9 * 4.2


def mse_steps_shrink(seed):
    X, y, model = begin(seed)
    lines = walk(X, y, line_of(model), 0.1, 60)
    sizes = np.linalg.norm(np.diff(lines, axis=0), axis=1)
    return sizes[0] > 10 * sizes[25] > 100 * sizes[50]


def outlier_moves_mse(seed):
    """A point moved up pulls the line of MSE; that of L1 still meets the other 49."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.arange(0, 1, 0.02, dtype=torch.double).unsqueeze(1)
    y = 0.8 * X + 0.2
    at, by = 49 - seed, 1 + 5 * torch.rand(1, generator=generator).item()
    y[at] += by
    ours = torch.tensor([0.8, 0.2], dtype=torch.double)
    columns = torch.cat([X, torch.ones_like(X)], dim=1)
    l1 = (y.flatten() - columns @ ours).abs().mean()
    near = ours + 0.1 * torch.randn(200, 2, generator=generator, dtype=torch.double)
    lowest = all((y.flatten() - columns @ line).abs().mean() > l1 for line in near)
    return lowest and (ols(X, y) - ours).abs().max() > 0.01


def adam_keeps_its_stride(seed):
    """While the gradient hardly changes, a step is about as long as the rate, at any scale."""
    X, y, model = begin(seed)
    generator = torch.Generator().manual_seed(seed)
    scale = 10 ** (6 * torch.rand(1, generator=generator).item())
    X = (X - X.mean()) / X.std(correction=0)
    lines = walk(X, scale * (y + 50), line_of(model), 0.1, 10, optimizer="adam")
    strides = np.abs(np.diff(lines, axis=0))[:, 1]  # the bias has a long way
    return bool((np.abs(strides / 0.1 - 1) < 0.1).all())


def shrinking_quiets_batches(seed):
    X, y, model = begin(seed)
    X, y, best = X[:160], y[:160], ols(X[:160], y[:160]).numpy()
    line = walk(X, y, line_of(model), 0.1, rows_of(seed, 20))[-1]
    gaps = []
    for lr in (0.1, 0.01, 0.001):
        lines = walk(X, y, line, lr, rows_of(seed + 1, 40))
        line = lines[-1]
        gaps.append(np.linalg.norm(lines[-100:] - best, axis=1).mean())
    return gaps[0] > 2 * gaps[1] > 4 * gaps[2]


def penguins(_seed):
    """The figures of the texts: border, condition, best line, and the border for bills."""
    X, y = datasets.load_penguins()
    flat, steep = torch.linalg.eigvalsh(hessian(X.double())).tolist()
    weight, bias = ols(X.double(), y.double()).tolist()
    bills, _ = datasets.load_penguins("bill_length_mm")
    off = 1 - descent.stable_lr(bills) * bills.double().square().mean().item()
    in_meters = descent.stable_lr(bills / 1000)
    return (
        3900 < 0.1 / (2 / steep) < 4100
        and f"{steep / flat:,.0f}" == "8,346,409"
        and f"{2 * X.double().square().mean().item():,.0f}" == "81,128"
        and f"{2 * ((X - 200) / 10).square().mean().item():.1f}" == "4.0"
        and (f"{weight:.1f}", f"{bias:.0f}") == ("49.7", "-5781")
        and (f"{100 * off:.2f}", f"{100 - 100 * in_meters:.1f}") == ("0.05", "0.2")
        and int(1e6 / bills.double().square().mean().item()) == 510
    )


CLAIMS = [
    Claim(LESSON, "the factor doesn't care where the ball is", factor_anywhere),
    Claim(LESSON, "The factors lie on a straight line", factor_anywhere),
    Claim(LESSON, "twice as far from the bottom is twice as steep", factor_anywhere),
    Claim(GLOSSARY, "two over the curvature, or over the largest", border_of_a_ball),
    Claim(LESSON, "The ball comes home while that factor lies between", border_of_a_ball),
    Claim(LESSON, "grows by the mean of $2x^2$", two_curvatures),
    Claim(LESSON, "The second holds on any data", two_curvatures),
    Claim(
        GLOSSARY,
        "For the MSE of a line it is `2 * X.square().mean()` along the weight",
        two_curvatures,
    ),
    Claim(LESSON, "The largest sets the border", limit_parts_runs),
    Claim(LESSON, "weight and bias move together is steeper than either", diagonal_is_steeper),
    Claim(LESSON, "it is computed from the features alone", features_alone),
    Claim(CHECKS, "The features alone set the border", features_alone),
    Claim(LESSON, "Where exactly is the border?", boxes_print_what_they_say),
    Claim(LESSON, "A step multiplies the distance by a factor", factor_of_a_step),
    Claim(LESSON, "so the curvature along the weight is about 4", penguins),
    Claim(LESSON, "beyond a rate of 2 / curvature, training explodes", limit_parts_runs),
    Claim(GLOSSARY, "the learning rate has to stay below two over the largest", limit_parts_runs),
    Claim(QUESTIONS, "each ends on the other side of the minimum, nearly as far", overshoots),
    Claim(LESSON, "a mini-batch can be steeper than the whole", batch_is_steeper),
    Claim(LESSON, "the border is 1, whatever unit the flippers came in", scaled_limit_is_one),
    Claim(
        GLOSSARY,
        "the border of the learning rate is then 1, whatever the unit",
        scaled_limit_is_one,
    ),
    Claim(GLOSSARY, "as for the penguins in millimeters, the loss is a canyon", penguins),
    Claim(LESSON, "the weight alone would stand a rate of 510", penguins),
    Claim(LESSON, "A rate that is small enough from the start doesn't arrive", tiny_is_late),
    Claim(QUESTIONS, "about four thousand times too large", penguins),
    Claim(LESSON, "a step is about as long as the learning rate", adam_keeps_its_stride),
    Claim(
        GLOSSARY,
        "as long as the learning rate while the gradient hardly changes",
        adam_keeps_its_stride,
    ),
    Claim(QUESTIONS, "Each step of Adam is about 0.1 long here", adam_keeps_its_stride),
    Claim(LESSON, "Steep or flat, it sets out with the same stride", adam_and_the_unit),
    Claim(LESSON, "where SGD exploded: it still comes home", adam_comes_home),
    Claim(LESSON, "and another of the squared gradient", adam_follows_two_means),
    Claim(GLOSSARY, "a running mean of the gradient and one of its square", adam_follows_two_means),
    Claim(LESSON, "For a line on scaled features SGD is enough", sgd_is_enough),
    Claim(LESSON, "steps over the goal, and back, for ever", l1_keeps_stepping),
    Claim(LESSON, "a tenth of the rate leaves about a tenth of the dance", a_tenth_of_the_dance),
    Claim(LESSON, "cut too early, and the line is stranded", stranded),
    Claim(LESSON, "steps on single birds never come to rest", single_rows_never_rest),
    Claim(LESSON, "a rough direction, for a nineteenth of the reading", rough_is_cheaper),
    Claim(LESSON, "hundreds of orders the eighteens stayed below 175,000", rough_is_cheaper),
    Claim(LESSON, "nearly as far as twenty steps on all birds", typical_eighteens),
    Claim(LESSON, "below 156,000 in one order, and above 250,000", single_birds_end_anywhere),
    Claim(LESSON, "near the bottom the slope dies away, and the steps with it", mse_steps_shrink),
    Claim(LESSON, "The same plan quiets mini-batches", shrinking_quiets_batches),
    Claim(LESSON, "because its residual counts squared", outlier_moves_mse),
]
