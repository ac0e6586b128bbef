"""What notebook 05 says in general about steps, rates, batches, optimizers and losses.

Long runs follow `descent.descend`, whose paths the tests compare with PyTorch's.
"""

import copy
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from claims import Claim
from course_utils import datasets, descent

LESSON = "notebooks/05_training_loop.ipynb"
GLOSSARY = "notebooks/glossary.md"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/training.py"
MSE = nn.MSELoss()


def begin(seed, noise=0.1):
    """Return 200 points and a line that starts at random, both of this seed."""
    X, y = datasets.make_line(seed=seed, noise=noise)
    torch.manual_seed(seed)
    model = nn.Linear(1, 1)
    for values in model.parameters():
        nn.init.normal_(values)
    return X, y, model


def batches(X, y, size=16):
    return DataLoader(TensorDataset(X, y), batch_size=size, shuffle=True)


def train(model, loader, lr, epochs, kind=torch.optim.SGD):
    """Return the losses before each step."""
    optimizer, losses = kind(model.parameters(), lr=lr), []
    for _ in range(epochs):
        for X, y in loader:
            optimizer.zero_grad()
            loss = MSE(model(X), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def rows_of(seed, epochs, size=16):
    """Return the row numbers of each step on 160 rows, shuffled anew in each epoch."""
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(160, generator=generator) for _ in range(epochs)]
    return [rows.numpy() for order in orders for rows in order.split(size)]


def walk(X, y, line, lr, batches, **options):
    """Return weight and bias before the first step and after every step: shape (S + 1, 2)."""
    weight, bias = map(float, line)
    path = descent.descend(X, y, lr, batches, weight=weight, bias=bias, **options)
    return np.stack([path.weight[0], path.bias[0]], axis=1)


def losses_on(X, y, lines, loss="mse"):
    return descent.mean_loss(X, y, lines[..., 0], lines[..., 1], loss=loss)


def without_reset(X, y, line, lr, batches):
    """Return all lines of a loop without `zero_grad`."""
    columns = np.concatenate([X.numpy(), np.ones_like(X.numpy())], axis=1).astype(float)
    targets, line, piled, lines = y.numpy().ravel(), line.double().numpy(), np.zeros(2), []
    for rows in batches:
        part = columns[rows]
        piled = piled + 2 * (part @ line - targets[rows]) @ part / len(part)
        line = line - lr * piled
        lines.append(line)
    return np.array(lines)


def loss_of(model, X, y):
    with torch.no_grad():
        return MSE(model(X), y).item()


def line_of(model):
    return torch.cat([values.detach().flatten() for values in model.parameters()])


def ols(X, y):
    columns = torch.cat([X, torch.ones_like(X)], dim=1)
    return torch.linalg.lstsq(columns, y).solution.flatten()


def hessian(X):
    columns = torch.cat([X, torch.ones_like(X)], dim=1)
    return 2 * columns.T @ columns / len(X)


def steps_of_an_epoch(seed):
    torch.manual_seed(seed)
    rows, size = torch.randint(1, 300, (2,)).tolist()
    X = torch.zeros(rows, 1)
    return len(list(batches(X, X, size))) == math.ceil(rows / size)


def floor_is_noise(seed):
    X, y, model = begin(seed)
    ends = walk(X, y, line_of(model), 0.1, rows_of(seed, 30))[-100:]
    return 0.005 < losses_on(X, y, ends).mean() < 0.02


def never_lands(seed):
    """Batches leave a gap to OLS, steps on all points close it, batches open it again."""
    X, y, model = begin(seed)
    X, y, line, gaps = X[:160], y[:160], line_of(model), []
    for chosen in (rows_of(seed, 100), 100, rows_of(seed + 100, 100)):
        line = walk(X, y, line, 0.1, chosen)[-1]
        gaps.append(np.abs(line - ols(X, y).numpy()).max())
    return gaps[1] < 1e-5 and min(gaps[0], gaps[2]) > 1e-4


def steps_do_not_die_out(seed):
    X, y, model = begin(seed)
    lines = walk(X, y, line_of(model), 0.1, rows_of(seed, 100))
    sizes = np.linalg.norm(np.diff(lines, axis=0), axis=1)
    return 0.8 < sizes[900:].mean() / sizes[100:200].mean() < 1.25


def batches_disagree(seed):
    X, y, _ = begin(seed)
    best = ols(X[:160], y[:160])
    return all((ols(X[rows], y[rows]) - best).norm() > 1e-4 for rows in rows_of(seed, 1))


def backward_adds(seed):
    X, y, model = begin(seed)
    sums = torch.zeros(2)
    for X_batch, y_batch in batches(X, y):
        fresh = copy.deepcopy(model)
        fresh.zero_grad()
        MSE(fresh(X_batch), y_batch).backward()
        MSE(model(X_batch), y_batch).backward()
        sums += torch.cat([values.grad.flatten() for values in fresh.parameters()])
    piled = torch.cat([values.grad.flatten() for values in model.parameters()])
    return torch.allclose(piled, sums, rtol=1e-4, atol=1e-4)


def swings_for_ever(seed):
    """Without a reset, on all points, the swings neither grow nor shrink."""
    X, y, model = begin(seed)
    lines = without_reset(X, y, line_of(model), 0.1, [slice(None)] * 1000)
    losses = losses_on(X, y, lines)
    return 0.9 < losses[-200:].max() / losses[:200].max() < 1.1


def swings_grow(seed):
    X, y, model = begin(seed)
    losses = losses_on(X, y, without_reset(X, y, line_of(model), 0.1, rows_of(seed, 100)))
    return losses[-200:].max() > 2 * losses[:200].max()


def other_optimizer(seed):
    """The old model's optimizer moves neither model; the new one's gradients pile up."""
    X, y, model = begin(seed)
    old = copy.deepcopy(model)
    optimizer = torch.optim.SGD(old.parameters(), lr=0.1)
    before, sums = line_of(model), torch.zeros(2)
    for X_batch, y_batch in batches(X, y):
        optimizer.zero_grad()
        MSE(model(X_batch), y_batch).backward()
        optimizer.step()
        rows = torch.cat([X_batch, torch.ones_like(X_batch)], dim=1)
        sums += (2 * rows.T @ (model(X_batch) - y_batch) / len(rows)).detach().flatten()
    piled = torch.cat([values.grad.flatten() for values in model.parameters()])
    empty = all(values.grad is None for values in old.parameters())
    rests = torch.equal(line_of(model), before) and torch.equal(line_of(old), before)
    return rests and empty and torch.allclose(piled, sums, rtol=1e-3, atol=1e-3)


def later_looks_better(seed):
    X, y, model = begin(seed)
    losses = train(model, batches(X[:160], y[:160]), 0.1, 1)
    return loss_of(model, X[160:], y[160:]) < sum(losses) / len(losses)


def weighted_is_whole(seed):
    X, y, model = begin(seed)
    parts = [(len(a), loss_of(model, a, b)) for a, b in batches(X[:160], y[:160], 64)]
    whole = loss_of(model, X[:160], y[:160])
    weighted = sum(rows * loss for rows, loss in parts) / 160
    plain = sum(loss for _, loss in parts) / len(parts)
    return math.isclose(weighted, whole, rel_tol=1e-5) and abs(plain / whole - 1) > 1e-4


def split_turns_round(seed):
    """Of 20 splits, some have the higher loss on validation rows, some on training rows."""
    X, y, _ = begin(seed)
    signs = set()
    for _ in range(20):
        order = torch.randperm(200)
        fitted, held = order[:160], order[160:]
        line = ols(X[fitted], y[fitted])
        off = y - line[0] * X - line[1]
        signs.add(bool(off[held].square().mean() > off[fitted].square().mean()))
    return len(signs) == 2


def fitting_explains_little(seed):
    """The expected gain of fitting two parameters is far below the spread between splits."""
    X, y, _ = begin(seed)
    gaps = []
    for _ in range(50):
        order = torch.randperm(200)
        line = ols(X[order[:160]], y[order[:160]])
        squares = (y - line[0] * X - line[1]).square()
        gaps.append((squares[order[160:]].mean() - squares[order[:160]].mean()).item())
    spread = torch.tensor(gaps).std().item()
    return 0.3 * spread > 4 * 0.1**2 / 160


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


def noise_doubles(seed):
    floors = []
    for noise in (0.1, 0.2):
        X, y, model = begin(seed, noise)
        floors.append(losses_on(X, y, walk(X, y, line_of(model), 0.1, 300)[-1]).item())
    return abs(floors[1] / floors[0] - 4) < 0.01 and 0.03 < floors[1] < 0.05


def scaled_limit_is_one(seed):
    """For any unit and shift, and with either of the two standard deviations."""
    generator = torch.Generator().manual_seed(seed)
    X = datasets.make_line(seed=seed)[0].double()
    X = X * 10 ** (3 * torch.randn(1, generator=generator)) + torch.randn(1, generator=generator)
    limits = [
        descent.stable_lr((X - X.mean()) / X.std(correction=correction)) for correction in (0, 1)
    ]
    return all(abs(limit - 1) < 1e-6 for limit in limits)


def millimeters(seed):
    """The curvature holds the mean of x squared: 100 times, and the limit falls nearly as much."""
    X, y, model = begin(seed)
    falls = descent.stable_lr(X) / descent.stable_lr(10 * X)
    grown = hessian(10 * X)[0, 0] / hessian(X)[0, 0]
    overflows = train(model, [(10 * X, y)], 0.1, 50)[-1]
    return 75 < falls <= 101 and abs(grown - 100) < 1e-2 and not math.isfinite(overflows)


def adam_and_the_unit(seed):
    """Where SGD overflows in millimeters, Adam gets within a factor of 4 of its loss in cm."""
    X, y, model = begin(seed)
    losses = []
    for features in (X, 10 * X):
        lines = walk(features, y, line_of(model), 0.1, 91, optimizer="adam")
        losses.append(losses_on(features, y, lines)[90])
    return 0.25 < losses[1] / losses[0] < 4


def adam_follows_two_means(seed):
    """`descent` divides running means, of gradient and squared gradient, for each parameter."""
    X, y, model = begin(seed)
    end = walk(X, y, line_of(model), 0.1, 20, optimizer="adam")[-1]
    train(model, [(X, y)], 0.1, 20, kind=torch.optim.Adam)
    return np.abs(line_of(model).numpy() - end).max() < 1e-4


def sgd_is_enough(seed):
    X, y, model = begin(seed)
    X = (X - X.mean()) / X.std()
    ends = [
        losses_on(X, y, walk(X, y, line_of(model), 0.1, 60, optimizer=kind))[-1]
        for kind in ("sgd", "adam")
    ]
    return ends[0] <= ends[1]


def l1_keeps_stepping(seed):
    """Near the minimum the loss goes back and forth, tenfold lower at a tenth of the rate."""
    X = torch.arange(0, 1, 0.02).unsqueeze(1)
    y = 0.8 * X + 0.2
    _, _, model = begin(seed)
    line, means = walk(X, y, line_of(model), 0.05, 800, loss="l1")[-1], []
    for lr in (0.01, 0.001, 0.0001):
        lines = walk(X, y, line, lr, 400, loss="l1")
        line = lines[-1]
        means.append(losses_on(X, y, lines[-2:], "l1").mean())
    return 9 < means[0] / means[1] < 11 and 9 < means[1] / means[2] < 11


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


def exercise_ends_there(seed):
    X, y, model = begin(seed)
    lines = walk(X, y, line_of(model), 0.05, rows_of(seed, 20, 32))
    return len(lines) - 1 == 100 and np.abs(lines[-1] - [2.0, 1.5]).max() < 0.05


def penguins(_seed):
    X, _ = datasets.load_penguins()
    limit = descent.stable_lr(X)
    without_bias = 1 / X.double().square().mean().item()
    off = without_bias / limit - 1
    return 3900 < 0.1 / limit < 4100 and f"{100 * off:.3f}" == "0.002"


def without_a_bias_far_off(seed):
    X, _ = datasets.make_line(seed=seed)
    near_0 = 0.1 * X
    return 1 / near_0.square().mean().item() > 10 * descent.stable_lr(near_0)


CLAIMS = [
    Claim(LESSON, "An epoch has ceil(N / batch size) steps", steps_of_an_epoch),
    Claim(LESSON, "It cannot settle near 0: the noise in y has variance 0.01.", floor_is_noise),
    Claim(LESSON, "each step follows 16 points, whose best line differs", batches_disagree),
    Claim(LESSON, "at a constant learning rate the steps do not die out", steps_do_not_die_out),
    Claim(LESSON, "more epochs of batches would leave one again", never_lands),
    Claim(LESSON, "every step uses the sum of all gradients so far", backward_adds),
    Claim(LESSON, "On the same points at every step it would swing on for ever", swings_for_ever),
    Claim(LESSON, "changing batches make the swings grow", swings_grow),
    Claim(LESSON, "whose gradients stay empty, so it moves nothing at all", other_optimizer),
    Claim(QUESTIONS, "the old model's tensors alone, and their gradients stay", other_optimizer),
    Claim(LESSON, "measured after the epoch looks better for this reason", later_looks_better),
    Claim(LESSON, "weighted by batch size equals the loss over all 160", weighted_is_whole),
    Claim(LESSON, "For any model, `loss_over(model, train_loader)` equals", weighted_is_whole),
    Claim(CHECKS, "batches of any size give the loss over all rows", weighted_is_whole),
    Claim(LESSON, "another split may turn it round", split_turns_round),
    Claim(LESSON, "which explains a small part", fitting_explains_little),
    Claim(LESSON, "multiplies the distance to the minimum by", factor_of_a_step),
    Claim(LESSON, "so while lr is below $2 / \\lambda_{max}$", limit_parts_runs),
    Claim(LESSON, "past the limit the loss grows", limit_parts_runs),
    Claim(GLOSSARY, "has to stay below two over its largest eigenvalue", limit_parts_runs),
    Claim(LESSON, "Each step jumps across the minimum.", overshoots),
    Claim(QUESTIONS, "each ends on the other side of the minimum, nearly as far", overshoots),
    Claim(LESSON, "a mini-batch can be steeper than the whole", batch_is_steeper),
    Claim(LESSON, "The floor of the loss quadruples", noise_doubles),
    Claim(LESSON, "Scaled, a feature has the limit 1 in any unit", scaled_limit_is_one),
    Claim(LESSON, "for a line on one scaled feature it is 1", scaled_limit_is_one),
    Claim(GLOSSARY, "the limit of the learning rate is 1 in any unit", scaled_limit_is_one),
    Claim(QUESTIONS, "the mean of x squared, which grows 100 times", millimeters),
    Claim(LESSON, "the curvature grows with their square", millimeters),
    Claim(LESSON, "So the unit of x should matter less", adam_and_the_unit),
    Claim(LESSON, "divided by a running measure of its size", adam_follows_two_means),
    Claim(GLOSSARY, "divided by a running measure of its size", adam_follows_two_means),
    Claim(LESSON, "For a line on scaled features SGD is enough", sgd_is_enough),
    Claim(LESSON, "the gradient of L1 does not shrink near the minimum", l1_keeps_stepping),
    Claim(LESSON, "steps on all points shrink by themselves near the minimum", mse_steps_shrink),
    Claim(
        LESSON, "Each cut of the rate by ten brings the loss down about tenfold", l1_keeps_stepping
    ),
    Claim(LESSON, "because its residual counts squared", outlier_moves_mse),
    Claim(LESSON, "ends near weight 2.00 and bias 1.50", exercise_ends_there),
    Claim(CHECKS, "about 4,000 times too fast for flippers in mm", penguins),
    Claim(CHECKS, "and can be far off for features near 0", without_a_bias_far_off),
]
