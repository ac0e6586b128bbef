"""What the glossary and the teacher's page say in general."""

import math

import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DistributedSampler, TensorDataset

from claims import Claim, networks, table
from course_utils.datasets import make_line

GLOSSARY = "notebooks/glossary.md"
TEACHING = "classroom/TEACHING.md"


def seeded(seed):
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def columns(X):
    return torch.cat([X, torch.ones_like(X)], dim=1).double()


def solution(X, y):
    return torch.linalg.lstsq(columns(X), y.double()).solution


def broadcasting(seed):
    n = 3 + seed
    return (torch.zeros(n, 1) - torch.zeros(n)).shape == (n, n)


def sampler_repeats(seed):
    n, ranks = 10 + seed, 4
    rows = TensorDataset(torch.arange(n))
    samplers = [DistributedSampler(rows, ranks, rank, seed=seed) for rank in range(ranks)]
    drawn = [index for sampler in samplers for index in sampler]
    first = [*samplers[0]]
    samplers[0].set_epoch(1)
    return len(drawn) == ranks * math.ceil(n / ranks) and set(drawn) == {*range(n)} and (
        [*samplers[0]] != first
    )  # fmt: skip


def dropout(seed):
    seeded(seed)
    p, ones = 0.1 + 0.04 * seed, torch.ones(1000)
    layer = nn.Dropout(p)
    told = layer(ones)
    kept = told[told != 0]
    layer.eval()
    return torch.allclose(kept, torch.tensor(1 / (1 - p))) and torch.equal(layer(ones), ones)


def alone_as_in_a_batch(seed):
    """In evaluation mode a row gets the same answer alone or among 68; while training, another."""
    seeded(seed)
    model = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    X = torch.randn(68, 1)
    for _ in range(5):
        model(X)
    training = model(X)[:2]
    differs = not torch.allclose(model(X[:2]), training, atol=1e-3)
    model.eval()
    return differs and torch.allclose(model(X)[:1], model(X[:1]), atol=1e-5)


def stacked_layers_are_a_line(seed):
    seeded(seed)
    stacked = nn.Sequential(nn.Linear(1, 16), nn.Linear(16, 1)).double()
    height = stacked(torch.linspace(-3, 3, 50, dtype=torch.float64).unsqueeze(1))
    return bool(height.diff(n=2, dim=0).abs().max() < 1e-9)


def evaluation_records(seed):
    seeded(seed)
    model = nn.Sequential(nn.Linear(1, 4), nn.Dropout(0.5), nn.Linear(4, 1)).eval()
    X = torch.randn(5, 1)
    return torch.equal(model(X), model(X)) and model(X).requires_grad


def inference_leaves_dropout(seed):
    seeded(seed)
    model, X = nn.Dropout(0.5), torch.ones(100)
    with torch.inference_mode():
        told = model(X)
    return bool((told == 0).any()) and not told.requires_grad


def finite_difference(seed):
    X, y = (part.double() for part in make_line(n=50, seed=seed))
    weight, h = torch.tensor(seed / 5.0, dtype=torch.float64, requires_grad=True), 1e-4
    (slope,) = torch.autograd.grad(mse_loss(weight * X, y), weight)
    up, down = (mse_loss((weight + nudge) * X, y).item() for nudge in (h, -h))
    return math.isclose((up - down) / (2 * h), slope.item(), abs_tol=1e-6)


def least_squares_is_lowest(seed):
    X, y = make_line(n=50, seed=seed)
    best = solution(X, y)
    others = best + 0.1 * torch.randn(2, 500, generator=seeded(seed)).double()
    losses = (columns(X) @ others - y).square().mean(dim=0)
    return bool((losses >= (columns(X) @ best - y).square().mean()).all())


def r_squared(seed):
    _, y = make_line(n=50, seed=seed)
    total = (y - y.mean()).square().sum()
    return all(
        abs(1 - (y - told).square().sum() / total - right) < 1e-6
        for told, right in ((y, 1), (y.mean(), 0))
    )


def relu_has_a_kink(seed):
    weight, bias = torch.randn(2, generator=seeded(seed)).tolist()
    x = torch.linspace(-9, 9, 4001, dtype=torch.float64) - bias / weight
    slopes = torch.relu(weight * x + bias).diff() / x.diff()
    flat, steep = (slopes.abs() < 1e-6).sum(), ((slopes - weight).abs() < 1e-6).sum()
    return bool(flat > 0 and steep > 0 and flat + steep >= len(slopes) - 1)


def dead_relu_stays(seed):
    """Below 0 for every row, a node gives 0, gets slopes of 0 and is where it was after a step."""
    seeded(seed)
    node, X = nn.Linear(2, 1), torch.rand(50, 2)
    with torch.no_grad():
        node.bias.sub_(node(X).max() + 0.1)
    before = [part.clone() for part in node.parameters()]
    told = torch.relu(node(X))
    mse_loss(told, torch.ones(50, 1)).backward()
    torch.optim.SGD(node.parameters(), lr=1.0).step()
    return not told.any() and all(map(torch.equal, before, node.parameters()))


def momentum_goes_on(seed):
    """With `momentum=m` a step is a plain one and m times the step before."""
    rate, m, weight = 0.1, 0.04 * seed + 0.1, torch.randn(1, generator=seeded(seed))
    weight.requires_grad_()
    optimizer, moves = torch.optim.SGD([weight], lr=rate, momentum=m), [0.0]
    for _ in range(5):
        start = weight.item()
        optimizer.zero_grad()
        weight.square().sum().backward()
        slope = weight.grad.item()
        optimizer.step()
        moves.append(weight.item() - start)
        if not math.isclose(moves[-1], m * moves[-2] - rate * slope, abs_tol=1e-6):
            return False
    return True


def state_dict_holds_buffers(seed):
    model = nn.Sequential(nn.Linear(1, 2 + seed), nn.BatchNorm1d(2 + seed))
    parameters = {name for name, _ in model.named_parameters()}
    held = model.state_dict()
    return parameters < held.keys() and all(map(torch.is_tensor, held.values()))


def choice_flatters(seed):
    """Of ten equally good models the one that is best on some rows is less good on others."""
    X = torch.randn(400, 40, 10, generator=seeded(seed))
    losses = X.square().mean(dim=1)
    chosen = losses.argmin(dim=1, keepdim=True)
    others = torch.randn(400, 40, 10, generator=torch.Generator().manual_seed(seed + 1000))
    return bool(
        losses.gather(1, chosen).mean() < others.square().mean(dim=1).gather(1, chosen).mean()
    )


def few_count_triple(seed):
    rows = torch.randn(16, generator=seeded(seed)).requires_grad_()
    many, few = rows[:12].mean(), rows[12:].mean()
    (share,) = torch.autograd.grad((many + few) / 2, rows)
    return math.isclose(share[15], 3 * share[0], rel_tol=1e-5)


CLAIMS = [
    Claim(GLOSSARY, "Stretching two tensors of different shapes until they match.", broadcasting),
    Claim(GLOSSARY, "it repeats some rows if they do not divide evenly", sampler_repeats),
    Claim(GLOSSARY, "divides the others by $1 - p$", dropout),
    Claim(GLOSSARY, "It does not stop the recording for gradients.", evaluation_records),
    Claim(GLOSSARY, "same answer, up to rounding, alone or among 68", alone_as_in_a_batch),
    Claim(GLOSSARY, "both linear layers together would be one line", stacked_layers_are_a_line),
    Claim(GLOSSARY, "Dropout stays as it was", inference_leaves_dropout),
    Claim(GLOSSARY, "divide the change of the loss by $2h$", finite_difference),
    Claim(GLOSSARY, "OLS, the line with the lowest mean squared error", least_squares_is_lowest),
    Claim(GLOSSARY, "1 is perfect, 0 is no better than the mean", r_squared),
    Claim(GLOSSARY, "Its nodes draw a line with a kink.", relu_has_a_kink),
    Claim(GLOSSARY, "gets a gradient of 0 and stays: a dead ReLU", dead_relu_stays),
    Claim(GLOSSARY, "each goes on with a part of the one before", momentum_goes_on),
    Claim(GLOSSARY, "with other tensors that it keeps (buffers)", state_dict_holds_buffers),
    Claim(GLOSSARY, "a choice made on them fits them a little better than others", choice_flatters),
    Claim(TEACHING, "the few count triple", few_count_triple),
    Claim(GLOSSARY, "`torch.optim.AdamW` takes off lr · decay · weight",
          table.adamw_takes_off_what_it_was_told),
    Claim(GLOSSARY, "to a largest length, in its own direction",
          table.clipping_keeps_the_direction),
    Claim(GLOSSARY, "It lies in the state dict, so it goes wherever the weights go.",
          table.buffers_are_saved_and_not_trained),
    Claim(GLOSSARY, "While a model trains it refuses a batch of 1 row",
          networks.one_row_is_refused),
    Claim(GLOSSARY, "that of a sigmoid is 0.25 at most", networks.sigmoid_is_flat),
    Claim(GLOSSARY, "draws them from \u22120.25 to 0.25", networks.initial_weights(kaiming=False)),
]  # fmt: skip
