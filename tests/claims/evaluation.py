"""What notebook 07 and its texts say in general."""

import copy
import itertools

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

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


def penguins(seed):
    """Return training, validation and test birds of one deal, centimeters above 20 and kg."""
    flipper, mass = datasets.load_penguins()
    return three_parts(flipper / 10 - 20, mass / 1000, [206, 68, 68], seed)


def a_line_learns_nothing_by_heart(seed):
    train, _, _ = penguins(seed)
    return mse(train[1] - ols(*train)(train[0])) ** 0.5 > 0.36  # that of all 342 birds is 0.393


def r_squared_of_truth_and_mean(seed):
    _, y = datasets.make_line(seed=seed)
    total = (y - y.mean()).square().sum()
    exact, mean = (1 - (y - y_pred).square().sum() / total for y_pred in (y, y.mean()))
    return exact == 1 and abs(mean) < 1e-6


def neither_does_the_others_work(seed):
    return eval_still_records(seed) and inference_mode_still_drops(seed)


def a_measured_model_trains_without_dropout(seed):
    model = with_dropout(seed).train()
    model.eval()
    first, second = (model(torch.ones(5, 1)) for _ in range(2))
    loss_fn(first, torch.zeros(5, 1)).backward()
    return torch.equal(first, second) and not model[1].training


def a_block_ends_by_itself(seed):
    with torch.inference_mode():
        with_dropout(seed)(torch.ones(3, 1))
    return with_dropout(seed)(torch.ones(3, 1)).requires_grad


def squares_of(seed, rows=68):
    return torch.randn(rows, generator=seeded(seed)).double().square()


def mean_of_equal_batches(seed):
    squares = squares_of(seed)
    means = [part.mean() for part in squares.split(17)]
    return bool(abs(sum(means) / 4 - squares.mean()) < 1e-12)


def mean_of_roots_is_lower(seed):
    squares = squares_of(seed)
    roots = [
        torch.stack([part.mean().sqrt() for part in squares.split(size)]).mean().item()
        for size in (68, 34, 17, 1)
    ]
    even = torch.full((68,), 0.5).split(17)
    same = torch.stack([part.mean().sqrt() for part in even]).mean() == torch.tensor(0.5).sqrt()
    return roots == sorted(roots, reverse=True) and len(set(roots)) == 4 and bool(same)


def one_bird_a_batch_gives_the_mean_absolute_miss(seed):
    _, val, _ = penguins(seed)
    curve = ols(*val)
    misses = [mse(y - curve(X)) ** 0.5 for X, y in DataLoader(TensorDataset(*val), batch_size=1)]
    return abs(sum(misses) / 68 - (val[1] - curve(val[0])).abs().mean().item()) < 1e-6


def one_deal_in_twelve_is_as_bad(seed):
    """Deal 500 times; count the lines whose test miss is that of the notebook or more."""
    bad = 0
    for deal in range(500 * seed, 500 * seed + 500):
        train, _, (X, y) = penguins(deal)
        bad += mse(y - ols(*train)(X)) ** 0.5 > 0.438
    return 1 / 20 <= bad / 500 <= 1 / 8


def of_few_birds(seed):
    """Return the misses of the four degrees on new birds between the 20 that made them."""
    (X, y), (X_val, y_val), _ = penguins(seed)
    X, y = X[:20], y[:20]
    inside = ((X_val >= X.min()) & (X_val <= X.max()))[:, 0]
    return rmses((X, y), (X_val[inside], y_val[inside]), (0, 1, 8, 12))[1]


def degree_12_mostly_misses_by_a_kilogram(seed):
    return of_few_birds(seed)[3] > 1


def a_line_is_best_of_four(seed):
    return min(misses := of_few_birds(seed)) == misses[1]


def freedom_fits_seen_rows(seed):
    X, y = (part[:20] for part in penguins(seed)[0])
    on_own, _ = rmses((X, y), (X, y), range(13))
    curve, _ = rmses(*[datasets.make_curve(20, seed=seed)] * 2, range(13))
    return all(
        low <= high + 1e-9 for column in (on_own, curve) for high, low in itertools.pairwise(column)
    )


def curves_of(degree, n, seed):
    """Fit one degree to ten samples of the wave; return bias and spread of the curves, as RMSE."""
    grid = torch.linspace(-1.5, 1.5, 61).unsqueeze(1)
    heights = torch.stack([fit(*sample_of(n, 10 * seed + k), degree)(grid) for k in range(10)])
    away = (heights.mean(dim=0) - torch.sin(2 * grid)).square().mean().sqrt()
    return away.item(), heights.std(dim=0).square().mean().sqrt().item()


def sample_of(n, seed):
    """Return training points as the explorer draws them: those between -1.6 and 1.6."""
    X, y = datasets.make_curve(1500, seed=seed)
    rows = (X[:, 0].abs() <= 1.6).nonzero()[:n, 0]
    return X[rows], y[rows]


def stiff_is_wrong_in_one_way_and_wild_in_many(seed):
    (stiff, stiff_spread), (_, wild_spread) = (curves_of(d, 20, seed) for d in (1, 15))
    return stiff > 1.5 * stiff_spread and wild_spread > 5 * stiff_spread


def more_points_hold_the_wild_one(seed):
    return curves_of(15, 200, seed)[1] < 0.2 < curves_of(15, 20, seed)[1]


def more_points_leave_the_stiff_one(seed):
    few, many = (curves_of(1, n, seed)[0] for n in (20, 200))
    return many > 0.8 * few


def more_short_birds_do_not_cure(seed):
    """Another species beyond: lines of 100 and of 1,100 short birds, asked about the long ones."""
    generator = seeded(seed)
    X = 6 * torch.rand(3000, 1, generator=generator) - 3
    short, beyond = X[:, 0] < 0.5, X[:, 0] >= 0.5
    y = 4.04 + 0.33 * X + 0.38 * torch.randn(X.shape, generator=generator)
    y[beyond] += 0.6
    missed = [
        mse(y[beyond] - ols(X[short][:n], y[short][:n])(X[beyond])) ** 0.5 for n in (100, 1100)
    ]
    return min(missed) > 0.48


def long_birds_are_another_species(seed):
    """Of any deal: the short training birds are no Gentoos, the long ones are, and are heavier."""
    X, species = datasets.load_species("flipper_length_mm", "body_mass_g")
    flipper, mass = X.T
    rows = torch.randperm(342, generator=seeded(seed))[:206]
    gentoo, long = species == 2, flipper >= 205
    heavier = mass[gentoo].mean() > 1.3 * mass[~gentoo].mean()
    met = gentoo[rows][~long[rows]].sum()
    return bool(heavier and gentoo[long].double().mean() > 0.9 and met < 2)


def a_steeper_line_hides_more(seed):
    X, drawing = (torch.randn(80, 1, generator=seeded(seed + k)).double() for k in (0, 1000))
    scores = []
    for slope in (10, 100, 1000):
        y = slope * X + drawing
        scores.append(1 - mse(y - ols(X, y)(X)) / (y - y.mean()).square().mean().item())
    return scores == sorted(scores) and scores[-1] > 0.999


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
        "Whoever wins on some rows also had luck with those rows, on average.",
        a_choice_fits_the_rows_it_was_made_on,
    ),
    Claim(
        CHECKS,
        "they chose, so their score flatters the winner",
        a_choice_fits_the_rows_it_was_made_on,
    ),
    Claim(
        NOTEBOOK,
        "A line has two numbers and cannot learn 206 birds by heart",
        a_line_learns_nothing_by_heart,
    ),
    Claim(NOTEBOOK, "1 is perfect, 0 is no better than the mean", r_squared_of_truth_and_mean),
    Claim(
        NOTEBOOK,
        "sets each value to zero with a probability $p$ and divides the others by $1 - p$",
        dropout_scales,
    ),
    Claim(NOTEBOOK, "In evaluation mode dropout passes its input through", eval_passes_through),
    Claim(NOTEBOOK, "`eval()` changes none of its predictions", eval_leaves_a_line),
    Claim(NOTEBOOK, "In its block nothing is recorded.", inference_mode_records_nothing),
    Claim(NOTEBOOK, "neither does the other's work", neither_does_the_others_work),
    Claim(
        NOTEBOOK,
        "What layers compute is none of its business",
        inference_mode_still_drops,
    ),
    Claim(
        NOTEBOOK,
        "From here on it would train without dropout, and no error says so.",
        a_measured_model_trains_without_dropout,
    ),
    Claim(NOTEBOOK, "The block of the second switch ends by itself", a_block_ends_by_itself),
    Claim(
        NOTEBOOK,
        "with batches of one size, the mean of their losses is the loss of all rows",
        mean_of_equal_batches,
    ),
    Claim(
        NOTEBOOK,
        "The mean of the four roots is lower than the root of the mean of the four losses, unless "
        "all four are equal.",
        mean_of_roots_is_lower,
    ),
    Claim(QUESTIONS, "a mean of roots is never above the root of the mean", mean_of_roots_is_lower),
    Claim(
        NOTEBOOK,
        "what you get is the mean absolute miss",
        one_bird_a_batch_gives_the_mean_absolute_miss,
    ),
    Claim(
        NOTEBOOK,
        "More freedom fits the seen rows never worse, and nearly always better, whatever the rows.",
        freedom_fits_seen_rows,
    ),
    Claim(
        NOTEBOOK,
        "with others, degree 12 mostly misses by a kilogram or more",
        degree_12_mostly_misses_by_a_kilogram,
        at_least=12,
    ),
    Claim(
        QUESTIONS,
        "hardly any freedom to follow the noise of the 20",
        a_line_is_best_of_four,
        at_least=17,
    ),
    Claim(NOTEBOOK, "about one deal in twelve is as bad", one_deal_in_twelve_is_as_bad, slow=True),
    Claim(CHECKS, "on the training birds the higher degree always wins", freedom_fits_seen_rows),
    Claim(
        NOTEBOOK,
        "A stiff curve is wrong in the same way in every sample, a wild one in another way each "
        "time.",
        stiff_is_wrong_in_one_way_and_wild_in_many,
        slow=True,
    ),
    Claim(
        NOTEBOOK, "More points hold the wild one down.", more_points_hold_the_wild_one, slow=True
    ),
    Claim(NOTEBOOK, "They cannot bend the stiff one.", more_points_leave_the_stiff_one, slow=True),
    Claim(NOTEBOOK, "a thousand more short birds would not cure it", more_short_birds_do_not_cure),
    Claim(NOTEBOOK, "nearly all Gentoos, a heavier species", long_birds_are_another_species),
    Claim(
        NOTEBOOK,
        "whatever the drawing, $R^2$ comes as near to 1 as you like",
        a_steeper_line_hides_more,
    ),
    Claim(
        CHECKS,
        "An evaluation that leaves no trace may stand anywhere, even in the middle of an epoch",
        an_evaluation_leaves_no_trace,
    ),
]
