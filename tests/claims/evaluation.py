"""What notebook 07 and its texts say in general."""

import copy
import itertools
import warnings

import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset, random_split

from claims import Claim
from course_utils import datasets

NOTEBOOK = "notebooks/07_evaluation.ipynb"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/evaluation.py"
loss_fn = nn.MSELoss()


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def mse(residuals):
    return residuals.square().mean().item()


def three_parts(X, y, sizes, seed):
    return [part[:] for part in random_split(TensorDataset(X, y), sizes, generator=seeded(seed))]


def ols(X, y):
    """Return a function that predicts with the best line."""
    A = torch.cat([X, torch.ones_like(X)], dim=1).double()
    solution = torch.linalg.lstsq(A, y.double()).solution
    return lambda X_new: X_new.double() * solution[0] + solution[1]


def fit(X, y, degree):
    """Return a function that predicts with a polynomial, as the notebook's does."""
    powers = torch.arange(degree + 1)
    coefficients = torch.linalg.lstsq(X.double() ** powers, y.double()).solution
    return lambda X_new: X_new.double() ** powers @ coefficients


def rmses(train, held_out, degrees=range(1, 16)):
    """Return the RMSEs of each degree on the rows it was fitted to and on others."""
    fits = [fit(*train, degree) for degree in degrees]
    return [[mse(y - curve(X)) ** 0.5 for curve in fits] for X, y in (train, held_out)]


def a_choice_fits_the_rows_it_was_made_on(seed):
    """Choose among 12 rules that know nothing, on 40 rows of noise; look at 40 others."""
    y, rules = (torch.randn(300, k, 80, generator=seeded(seed)) for k in (1, 12))
    squares = (y - 0.2 * rules).square() - y.square()
    on_val, fresh = squares[..., :40].mean(dim=2), squares[..., 40:].mean(dim=2)
    best = on_val.argmin(dim=1, keepdim=True)
    return bool(on_val.gather(1, best).mean() < fresh.gather(1, best).mean())


def the_split_stays(seed):
    twice = [random_split(range(200), [120, 40, 40], generator=seeded(seed)) for _ in range(2)]
    return all(one.indices == two.indices for one, two in zip(*twice, strict=True))


def dropout_scales(seed):
    p = 0.1 + 0.8 * torch.rand(1, generator=seeded(seed)).item()
    torch.manual_seed(seed)
    values = nn.Dropout(p)(torch.ones(20_000))
    kept = values[values != 0]
    return bool(
        torch.allclose(kept, torch.tensor(1 / (1 - p))) and abs(len(kept) / 20_000 - (1 - p)) < 0.02
    )


def with_dropout(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(1, 50), nn.Dropout(0.5), nn.Linear(50, 1))


def eval_passes_through(seed):
    X, layer = torch.randn(50, generator=seeded(seed)), nn.Dropout(0.5)
    return torch.equal(layer.eval()(X), X)


def eval_leaves_a_line(seed):
    torch.manual_seed(seed)
    X, line = torch.randn(50, 1), nn.Linear(1, 1)
    before = line.train()(X)
    return torch.equal(line.eval()(X), before)


def eval_still_records(seed):
    return with_dropout(seed).eval()(torch.ones(3, 1)).requires_grad


def inference_mode_records_nothing(seed):
    with torch.inference_mode():
        return not with_dropout(seed).train()(torch.ones(3, 1)).requires_grad


def inference_mode_still_drops(seed):
    torch.manual_seed(seed)
    with torch.inference_mode():
        return bool((nn.Dropout(0.5)(torch.ones(200)) == 0).any())


def course_points(seed):
    return three_parts(*datasets.make_line(seed=seed), [120, 40, 40], seed)


def a_line_cannot_memorize(seed):
    train, _, _ = course_points(seed)
    return mse(train[1] - ols(*train)(train[0])) > 0.5 * 0.1**2


def memory_is_worth_nothing_on_new_rows(seed):
    (X, y), _, (X_test, y_test) = course_points(seed)

    def recall(X_new):
        return y[(X_new - X.T).abs().argmin(dim=1)]

    on_test = mse(y_test - recall(X_test))
    return mse(y - recall(X)) == 0 and on_test > mse(y_test - ols(X, y)(X_test))


def the_pen_zigzags(seed):
    _, _, (X, _) = course_points(seed)
    points = torch.cat([X, 2 * X + 1.5], dim=1)

    def travel(points):
        return (points[1:] - points[:-1]).norm(dim=1).sum()

    return bool(travel(points) > 4 * travel(points[X.squeeze(1).argsort()]))


def residuals_add_up_to_zero(seed):
    (X, y), _, _ = course_points(seed)
    return abs((y - ols(X, y)(X)).sum().item()) < 1e-4


def r_squared_of_truth_and_mean(seed):
    _, y = datasets.make_line(seed=seed)
    total = (y - y.mean()).square().sum()
    exact, mean = (1 - (y - y_pred).square().sum() / total for y_pred in (y, y.mean()))
    return exact == 1 and abs(mean) < 1e-6


def large_features_need_tiny_rates(seed):
    X = 200 + 14 * torch.randn(200, 1, generator=seeded(seed)).double()
    columns = torch.cat([X, torch.ones_like(X)], dim=1)
    return 2 / torch.linalg.eigvalsh(2 * columns.T @ columns / 200)[-1].item() < 1e-4


def freedom_fits_seen_rows(seed):
    train = datasets.make_curve(20, seed=seed)
    on_train, _ = rmses(train, train, range(1, 13))
    return all(low < high for high, low in itertools.pairwise(on_train))


def nothing_holds_degree_12_outside(seed):
    X, y = datasets.make_curve(20, seed=seed)
    left, right = X.min().item(), X.max().item()
    inside = torch.linspace(left, right, 400)
    outside = torch.cat(
        [torch.linspace(left - 0.3, left, 200), torch.linspace(right, right + 0.3, 200)]
    )
    curve = fit(X, y, 12)
    missed = [mse(torch.sin(2 * x) - curve(x.unsqueeze(1))[:, 0]) ** 0.5 for x in (inside, outside)]
    return missed[1] > 5 * missed[0]


def explorer_rows(seed, n):
    X, y = datasets.make_curve(240, seed=seed)
    return (X[40 : 40 + n], y[40 : 40 + n]), (X[:40], y[:40])


def the_curves_change_and_the_pattern_stays(seed):
    marks, stays = set(), True
    for sample in range(10 * seed, 10 * seed + 10):
        on_train, on_val = rmses(*explorer_rows(sample, 20))
        marks.add(int(np.argmin(on_val)))
        stays &= on_train[-1] < min(on_train[:5]) and on_val[-1] > 1.2 * min(on_val)
    return len(marks) > 1 and stays


def many_rows_hold_the_curve(seed):
    on_train, on_val = rmses(*explorer_rows(seed, 200))
    return 0.12 < on_train[-1] < 0.28 and 0.12 < on_val[-1] < 0.3


def no_model_beats_the_noise(seed):
    X, y = datasets.make_curve(20_020, seed=seed)
    curves = [torch.sin, *(fit(X[:20], y[:20], degree) for degree in (1, 3, 5, 8, 12))]
    floor = mse(y[20:] - torch.sin(2 * X[20:])) ** 0.5
    return abs(floor - 0.2) < 0.005 and all(
        mse(y[20:] - curve(X[20:])) ** 0.5 > floor for curve in curves[1:]
    )


def no_line_has_a_bend(seed):
    X, y = datasets.make_curve(200, noise=0.0, seed=seed)
    return mse(y - ols(X, y)(X)) > 0.2


def a_network_bends(seed):
    X, y = datasets.make_curve(200, noise=0.0, seed=seed)
    train, val = (X[:160], y[:160]), (X[160:], y[160:])
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    for _ in range(400):
        optimizer.zero_grad()
        loss_fn(network(train[0]), train[1]).backward()
        optimizer.step()
    with torch.inference_mode():
        return mse(val[1] - network(val[0])) < 0.1 * mse(val[1] - ols(*train)(val[0]))


def a_wild_row_counts_less_in_the_mae(seed):
    residuals = torch.randn(40, generator=seeded(seed)).double()
    wild = torch.cat([residuals, torch.tensor([30.0])])
    by_mae = wild.abs().mean() / residuals.abs().mean()
    by_rmse = (wild.square().mean() / residuals.square().mean()).sqrt()
    return bool(by_mae < by_rmse and residuals.abs().mean() < residuals.square().mean().sqrt())


def one_bird_has_no_spread(seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns as well
        return bool(torch.randn(1, generator=seeded(seed)).std().isnan())


def an_evaluation_leaves_no_trace(seed):
    X, y = datasets.make_line(64, seed=seed)
    ends = []
    for evaluates in (False, True):
        model = with_dropout(seed)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        torch.manual_seed(seed)
        for batch in range(0, 64, 16):
            if evaluates:
                was_training = model.training
                model.eval()
                with torch.inference_mode():
                    loss_fn(model(X), y).item()
                model.train(was_training)
            optimizer.zero_grad()
            loss_fn(model(X[batch : batch + 16]), y[batch : batch + 16]).backward()
            optimizer.step()
        ends.append(copy.deepcopy(model.state_dict()))
    return all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


CLAIMS = [
    Claim(
        NOTEBOOK,
        "A choice made on some rows fits those rows, on average, a little better than others.",
        a_choice_fits_the_rows_it_was_made_on,
    ),
    Claim(NOTEBOOK, "the rows stay the same however often you run the cell", the_split_stays),
    Claim(
        NOTEBOOK,
        "sets each value to zero with a probability $p$ and divides the others by $1 - p$",
        dropout_scales,
    ),
    Claim(NOTEBOOK, "After `eval()` the layer passes its input through", eval_passes_through),
    Claim(NOTEBOOK, "`eval()` changes none of its predictions", eval_leaves_a_line),
    Claim(NOTEBOOK, "does **not** do is stop PyTorch from recording gradients", eval_still_records),
    Claim(NOTEBOOK, "inside, nothing is recorded", inference_mode_records_nothing),
    Claim(
        NOTEBOOK,
        "inside `inference_mode()` a layer in training mode still drops values",
        inference_mode_still_drops,
    ),
    Claim(
        QUESTIONS,
        "The layer is in training mode, so it drops. `inference_mode` stops the recording",
        inference_mode_still_drops,
    ),
    Claim(NOTEBOOK, "a line, with its two parameters, cannot memorize", a_line_cannot_memorize),
    Claim(
        NOTEBOOK,
        "it repeats the noise of its training rows, and knows nothing between them",
        memory_is_worth_nothing_on_new_rows,
    ),
    Claim(NOTEBOOK, "the pen zigzags many times over the same stretch", the_pen_zigzags),
    Claim(
        NOTEBOOK,
        "On the training rows, the residuals of OLS add up to zero.",
        residuals_add_up_to_zero,
    ),
    Claim(NOTEBOOK, "1 is perfect, 0 is no better than the mean", r_squared_of_truth_and_mean),
    Claim(
        NOTEBOOK,
        "such large features allow only tiny learning rates",
        large_features_need_tiny_rates,
    ),
    Claim(NOTEBOOK, "more freedom fits the seen rows better", freedom_fits_seen_rows),
    Claim(
        NOTEBOOK,
        "Outside, where no training row holds a polynomial of degree 12, it misses by far more.",
        nothing_holds_degree_12_outside,
    ),
    Claim(
        NOTEBOOK,
        "the curves change, the pattern stays",
        the_curves_change_and_the_pattern_stays,
        slow=True,
    ),
    Claim(NOTEBOOK, "leave the curve no room to swing", many_rows_hold_the_curve),
    Claim(NOTEBOOK, "Over many new rows, no model can do better.", no_model_beats_the_noise),
    Claim(NOTEBOOK, "More epochs cannot help: no line has a bend.", no_line_has_a_bend),
    Claim(NOTEBOOK, "A small network can bend.", a_network_bends, slow=True),
    Claim(NOTEBOOK, "RMSE weighs large misses more.", a_wild_row_counts_less_in_the_mae),
    Claim(
        CHECKS,
        "one wild row counts less in it than in the RMSE",
        a_wild_row_counts_less_in_the_mae,
    ),
    Claim(CHECKS, "a single new penguin, whose own spread is undefined", one_bird_has_no_spread),
    Claim(
        CHECKS,
        "An evaluation that leaves no trace may stand anywhere, even in the middle of an epoch",
        an_evaluation_leaves_no_trace,
    ),
]
