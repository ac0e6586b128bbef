"""What notebook 05 says in general about steps, batches, broken loops and losses.

Long runs follow `descent.descend`, whose paths the tests compare with PyTorch's.
"""

import contextlib
import copy
import itertools
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


def floor_is_noise(seed):
    X, y, model = begin(seed)
    ends = walk(X, y, line_of(model), 0.1, rows_of(seed, 30))[-100:]
    return 0.005 < losses_on(X, y, ends).mean() < 0.02


def twenty_steps_arrive(seed):
    """Ten steps take away most of what the loss can lose, and 20 nearly all of it."""
    X, y, model = begin(seed)
    X, y = X[:160], y[:160]
    losses = losses_on(X, y, walk(X, y, line_of(model), 0.1, rows_of(seed, 2)))
    excess = losses - losses_on(X, y, ols(X, y).double().numpy())
    return excess[10] < excess[0] / 10 and excess[20] < excess[0] / 100


def never_lands(seed):
    """Batches leave a gap to OLS, as many again leave one, steps on all points close it."""
    X, y, model = begin(seed)
    X, y, line, gaps = X[:160], y[:160], line_of(model), []
    for chosen in (rows_of(seed, 100), rows_of(seed + 100, 100), 100):
        line = walk(X, y, line, 0.1, chosen)[-1]
        gaps.append(np.abs(line - ols(X, y).numpy()).max())
    return gaps[2] < 1e-5 and min(gaps[0], gaps[1]) > 1e-4


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


def swings_grow(seed, noise=0.1):
    X, y, model = begin(seed, noise)
    losses = losses_on(X, y, without_reset(X, y, line_of(model), 0.1, rows_of(seed, 100)))
    return losses[-200:].max() > 2 * losses[:200].max()


def bowls_widen_swings(seed):
    """Without noise all batches have one lowest point and only their bowls differ: it grows."""
    return swings_grow(seed, noise=0.0)


def swings_at_a_tenth(seed):
    """At a rate of 0.01 too the loss falls below a quarter, later, and comes back."""
    X, y, model = begin(seed)
    line, falls = line_of(model), []
    start = losses_on(X, y, line.double().numpy())
    for lr in (0.1, 0.01):
        losses = losses_on(X, y, without_reset(X, y, line, lr, rows_of(seed, 30)))
        falls.append(int((losses < start / 4).argmax()))
    return falls[0] < falls[1] and losses[falls[1] :].max() > start / 2


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


def mean_is_too_high(seed):
    X, y, model = begin(seed)
    losses = train(model, batches(X[:160], y[:160]), 0.1, 1)
    return loss_of(model, X[:160], y[:160]) < sum(losses) / len(losses)


def weighted_is_whole(seed):
    X, y, model = begin(seed)
    parts = [(len(a), loss_of(model, a, b)) for a, b in batches(X[:160], y[:160], 64)]
    whole = loss_of(model, X[:160], y[:160])
    weighted = sum(rows * loss for rows, loss in parts) / 160
    plain = sum(loss for _, loss in parts) / len(parts)
    return math.isclose(weighted, whole, rel_tol=1e-5) and abs(plain / whole - 1) > 1e-4


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


def exercise_ends_there(seed):
    X, y, model = begin(seed)
    lines = walk(X, y, line_of(model), 0.05, rows_of(seed, 20, 32))
    return len(lines) - 1 == 100 and np.abs(lines[-1] - [2.0, 1.5]).max() < 0.05


def graph_length(tensor):
    waiting, count = [tensor.grad_fn], 0
    while waiting:
        operation = waiting.pop()
        count += operation is not None
        waiting += [before for before, _ in getattr(operation, "next_functions", ())]
    return count


def step_outside(seed):
    """With `step` after the inner loop, the line moves by the last batch's gradient alone."""
    X, y, model = begin(seed)
    optimizer, before = torch.optim.SGD(model.parameters(), lr=0.1), line_of(model)
    for X_batch, y_batch in batches(X, y):
        optimizer.zero_grad()
        MSE(model(X_batch), y_batch).backward()
    optimizer.step()
    rows = torch.cat([X_batch, torch.ones_like(X_batch)], dim=1)
    last = 2 * rows.T @ (rows @ before.unsqueeze(1) - y_batch) / len(rows)
    return torch.allclose(line_of(model), before - 0.1 * last.flatten(), atol=1e-5)


def losses_keep_their_past(seed):
    """A sum of losses grows by as many operations with each batch; one of numbers has none."""
    X, y, model = begin(seed)
    total, lengths = torch.tensor(0.0), [0]
    for X_batch, y_batch in batches(X, y):
        total = total + MSE(model(X_batch), y_batch)
        lengths.append(graph_length(total))
    grown = {b - a for a, b in itertools.pairwise(lengths[1:])}
    return len(grown) == 1 and min(grown) > 3


def predictions_kept(tensor):
    """Return how many recorded losses under a tensor still hold the predictions they need."""
    waiting, kept = [tensor.grad_fn], 0
    while waiting:
        operation = waiting.pop()
        waiting += [before for before, _ in operation.next_functions if before is not None]
        if "MseLoss" in operation.name():
            with contextlib.suppress(RuntimeError):  # freed
                kept += operation._saved_self is not None
    return kept


def backward_frees_predictions(seed):
    """In training a sum of losses keeps records without predictions; in measuring, with them."""
    X, y, model = begin(seed)
    kept = []
    for training in (True, False):
        total = torch.tensor(0.0)
        for X_batch, y_batch in batches(X, y):
            loss = MSE(model(X_batch), y_batch)
            total = total + loss
            if training:
                loss.backward()
        kept.append(predictions_kept(total))
    return kept == [0, 13] and graph_length(total) > 13


def falls_then_swings(seed):
    """Within ten steps the loss is below its start; later swings go far above."""
    X, y, model = begin(seed)
    line = line_of(model)
    losses = losses_on(X, y, without_reset(X, y, line, 0.1, rows_of(seed, 100)))
    start = losses_on(X, y, line.double().numpy())
    return losses[:10].min() < start and swings_grow(seed)


def one_lowest_point(seed):
    X, y, _ = begin(seed)
    generator = torch.Generator().manual_seed(seed)
    starts = 10 * torch.randn(5, 2, generator=generator)
    ends = np.array([walk(X, y, start, 0.1, 300)[-1] for start in starts])
    return np.abs(ends - ols(X, y).numpy()).max() < 1e-4


CLAIMS = [
    Claim(LESSON, "the noise in y has variance 0.01, and the plain lies near", floor_is_noise),
    Claim(LESSON, "Each step follows 16 points, whose best line differs", batches_disagree),
    Claim(QUESTIONS, "What is left is noise, and no epoch takes that away", floor_is_noise),
    Claim(QUESTIONS, "Ten steps bring the line most of the way", twenty_steps_arrive),
    Claim(LESSON, "100 epochs more won't close the gap, and after them 100", never_lands),
    Claim(LESSON, "every step uses the sum of all gradients so far", backward_adds),
    Claim(LESSON, "the line would swing on for ever, no wider", swings_for_ever),
    Claim(LESSON, "In all five runs the swing grew.", swings_grow),
    Claim(LESSON, "down a steep one and up a flat one leads farther", bowls_widen_swings),
    Claim(QUESTIONS, "down a steep one and up a flat one leads", bowls_widen_swings),
    Claim(LESSON, "Symptom: the loss falls, then swings, wider and wider.", falls_then_swings),
    Claim(
        LESSON,
        "With a tenth of the learning rate my loss falls more slowly, and then swings",
        swings_at_a_tenth,
    ),
    Claim(QUESTIONS, "where every step saw the same birds", swings_for_ever),
    Claim(QUESTIONS, "old gradients go on pushing when the line is long past", swings_grow),
    Claim(LESSON, "whose gradients stay empty, so it moves nothing at all", other_optimizer),
    Claim(QUESTIONS, "the old model's tensors alone, and their gradients stay", other_optimizer),
    Claim(LESSON, "the next `zero_grad` wiped each one out", step_outside),
    Claim(QUESTIONS, "only the last gradient is still there when `step` comes", step_outside),
    Claim(LESSON, "an epoch does the work of one step", step_outside),
    Claim(LESSON, "Keep the loss and you keep its whole past", losses_keep_their_past),
    Claim(LESSON, "In training, `backward` throws them away", backward_frees_predictions),
    Claim(LESSON, "can look better for that reason alone", later_looks_better),
    Claim(LESSON, "While the loss falls, that mean is too high", mean_is_too_high),
    Claim(
        LESSON,
        "Then `loss_over(model, train_loader)` equals",
        weighted_is_whole,
    ),
    Claim(CHECKS, "batches of any size give the loss over all rows", weighted_is_whole),
    Claim(LESSON, "a little higher is mostly the luck of the draw", fitting_explains_little),
    Claim(LESSON, "ends near weight 2.00 and bias 1.50", exercise_ends_there),
    Claim(LESSON, "All roads lead to one line.", one_lowest_point),
    Claim(CHECKS, "from wherever a line starts, steps downhill that are short", one_lowest_point),
]
