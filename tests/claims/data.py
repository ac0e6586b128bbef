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
FLIPPER, LENGTH, DEPTH = "flipper_length_mm", "bill_length_mm", "bill_depth_mm"


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


def standard_error_is_the_spread(seed):
    _, weight, _, errors = samples_of(100, 500, seed)
    return abs(errors.mean() / weight.std() - 1) < 0.1


def the_fit_is_lowest_on_its_own_points(seed):
    X, y = datasets.make_line(n=10, noise=1.0, seed=seed)
    weight, bias = loops.least_squares(X, y)
    own = (y - (weight * X + bias)).square().mean().item()
    return own < true_loss(10, 1.0, seed)


def most_lines_lie_in_the_shade(seed):
    return (
        0.92 < in_shade((10, 50, 200, 2000)[seed % 4], seed, chosen(seed).uniform(0.1, 3)) < 0.985
    )


def tenth_takes_a_hundred_times(seed):
    few, many = (samples_of(n, 30, seed)[3].mean() for n in (100, 10_000))
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


def birds():
    """Return flippers in mm and masses in g, as flat arrays."""
    X, y = datasets.load_penguins()
    return X.double().numpy()[:, 0], y.double().numpy()[:, 0]


def numpys_seed_does_not_reach(seed):
    torch.manual_seed(seed)
    before = torch.get_rng_state()
    np.random.seed(seed)
    np.random.randn(3)
    return torch.equal(before, torch.get_rng_state())


def one_draw_more_changes_all_below(seed):
    torch.manual_seed(seed)
    expected = torch.randn(50)
    torch.manual_seed(seed)
    torch.randn(1)
    return not (torch.randn(50) == expected).any()


def randn_is_standard_normal(seed):
    numbers = torch.randn(100_000, generator=torch.Generator().manual_seed(seed))
    return abs(numbers.mean()) < 0.02 and abs(numbers.std() - 1) < 0.01


def n_or_one_less(seed):
    numbers = torch.randn(int(chosen(seed).integers(2, 50)), dtype=torch.float64)
    by_n, squares = np.std(numbers.numpy()), (numbers - numbers.mean()).square().sum()
    return (
        np.isclose(by_n, (squares / len(numbers)).sqrt())
        and np.isclose(by_n, numbers.std(correction=0))
        and np.isclose(numbers.std(), (squares / (len(numbers) - 1)).sqrt())
        and np.isclose(numbers.std(), pd.Series(numbers.numpy()).std())
    )


def the_fewer_the_further(seed):
    """Of 5 and of 342 penguins drawn at random: by how much the two libraries differ."""
    _, y = birds()
    few, many = (torch.from_numpy(chosen(seed).permutation(y)[:n]) for n in (5, 342))
    apart = [part.std() - part.std(correction=0) for part in (few, many)]
    return 0 < apart[1] < apart[0]


def own_mean_lies_closer(seed):
    numbers = chosen(seed).normal(size=5)
    return np.mean((numbers - numbers.mean()) ** 2) < np.mean(numbers**2)


def one_bird_has_no_such_power(seed):
    """Swap the digits of hundreds and thousands of a bird's mass: the mean hardly moves."""
    _, y = birds()
    grams = y[chosen(seed).integers(len(y))]
    hundreds, thousands = grams // 100 % 10, grams // 1000
    return abs(900 * (hundreds - thousands)) / len(y) < 25


def lines_miss_most(seed):
    """Of the birds with 190 mm, no mass belongs to more than a third."""
    X, y = birds()
    return np.unique(y[X == 190], return_counts=True)[1].max() <= 22 / 3


def grouped(seed):
    """Return 340 points at 55 places around a curve, with a noise of 3, and its heights."""
    rng = chosen(seed)
    places = np.concatenate([np.arange(55), rng.integers(0, 55, 285)])
    truth = 10 * np.sin(places / 9)
    return places, truth, truth + 3 * rng.normal(size=340)


def floor_of(places, y):
    means = [y[places == place].mean() for place in range(55)]
    return np.sqrt(((y - np.array(means)[places]) ** 2).sum() / (len(y) - 55))


def each_mean_costs_one(seed):
    """On average over 50 samples, dividing by n - 55 gives the noise squared."""
    samples = [grouped(1000 + 50 * seed + number) for number in range(50)]
    floors = [floor_of(places, y) ** 2 for places, _, y in samples]
    return abs(np.mean(floors) / 9 - 1) < 0.05


def nothing_is_much_better(seed):
    """Not even the truth is off by less than the floor, on new points; a fitted curve is more."""
    places, _, y = grouped(seed)
    new, truth, y_new = grouped(seed + 100)
    curve = np.polynomial.Chebyshev.fit(places, y, 9)
    best, fitted = (np.sqrt(np.mean((y_new - rule) ** 2)) for rule in (truth, curve(new)))
    return min(best, fitted) > 0.85 * floor_of(places, y)


def mean_is_the_best_single_number(seed):
    X, y = birds()
    masses = y[chosen(seed).choice(X) == X]
    others = masses.mean() + chosen(seed).normal(size=20)
    return all(masses.var() < np.mean((masses - other) ** 2) for other in others)


def about_those_two(seed):
    few, many = (samples_of(n, 1_000, seed, noise=1.0)[1].std() for n in (10, 200))
    return abs(few - 0.38) < 0.05 and abs(many - 0.07) < 0.01


def few_points_lie(seed):
    few, many = (np.sum(samples_of(n, 1_000, seed)[1] < 0) for n in (10, 50))
    return many <= 1 and 15 < few < 100


def ten_lie_and_thirty_do_not(seed):
    few, many = (np.mean(samples_of(n, 20_000, seed)[1] < 0) for n in (10, 30))
    return 1 / 28 < few < 1 / 23 and many < 1 / 1000


def what_the_line_misses(*columns):
    """Return its residuals' standard deviation, from the columns of the table that it knows."""
    table = pd.read_csv(ROOT / "notebooks/data/penguins.csv").dropna(subset="body_mass_g")
    X = pd.get_dummies(table[[*columns]], drop_first=True, dtype=float).assign(one=1.0).to_numpy()
    y = table["body_mass_g"].to_numpy()
    residuals = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    return np.sqrt((residuals**2).sum() / (len(y) - X.shape[1]))


def bill_hardly_helps(seed):
    alone = what_the_line_misses(FLIPPER)
    measures = ([LENGTH], [DEPTH], [LENGTH, DEPTH])
    gains = [alone - what_the_line_misses(FLIPPER, *bill) for bill in measures]
    return all(0 < gain < 1.2 for gain in gains) and gains[-1] > 0.8


def species_helps(seed):
    return 17 < what_the_line_misses(FLIPPER) - what_the_line_misses(FLIPPER, "species") < 22


def then_the_bill_helps(seed):
    known = what_the_line_misses(FLIPPER, "species")
    return 57 < known - what_the_line_misses(FLIPPER, "species", LENGTH, DEPTH) < 63


def some_20_g_to_the_floor(seed):
    """The line pays for two numbers, the means for 55."""
    X, y = birds()
    means = pd.Series(y).groupby(X).transform("mean").to_numpy()
    floor = np.sqrt(((y - means) ** 2).sum() / (len(y) - 55))
    return 15 < what_the_line_misses(FLIPPER) - floor < 20


def gain_is_uncertain(seed):
    """How far line and floor lie apart when 1,000 flocks differ by chance around these means."""
    X, y = birds()
    of_length = (X[:, None] == np.unique(X)).astype(float)
    hat = of_length / of_length.sum(0)
    basis = np.linalg.qr(np.stack([np.ones_like(X), X], axis=1))[0]
    bends = of_length @ (hat.T @ (y - basis @ (basis.T @ y)))
    noise = 376 * chosen(seed).normal(size=(len(X), 1_000))
    misses = noise - of_length @ (hat.T @ noise)
    floor = np.sqrt((misses**2).sum(0) / (len(X) - 55))
    # chance alone would leave 6 in 10 of the bends' squares, 53 * 376**2
    flock = noise + 0.4**0.5 * bends[:, None]
    line = np.sqrt(((flock - basis @ (basis.T @ flock)) ** 2).sum(0) / (len(X) - 2))
    return 8 < (line - floor).std() < 10


def losses_nearly_agree(seed):
    X, y = datasets.make_line(n=200, noise=1.0, seed=seed)
    weight, bias = loops.least_squares(X, y)
    own = (y - (weight * X + bias)).square().mean().item()
    return own > 0.95 * true_loss(200, 1.0, seed)


def means_miss_new_birds_by_more(seed):
    """A tenth of the birds is new, 20 times; a length that the others lack is left out."""
    X, y = birds()
    rng, by_means, by_line = chosen(seed), [], []
    for _ in range(20):
        new, rest = np.split(rng.permutation(len(X)), [34])
        means = pd.Series(y[rest]).groupby(X[rest]).mean()
        new = new[np.isin(X[new], means.index)]
        weight, bias = np.polyfit(X[rest], y[rest], 1)
        by_means.append(np.mean((y[new] - means[X[new]].to_numpy()) ** 2))
        by_line.append(np.mean((y[new] - weight * X[new] - bias) ** 2))
    return np.mean(by_means) > np.mean(by_line)


def penguins_line_is_safe(seed):
    X, y = birds()
    weight, bias = np.polyfit(X, y, 1)
    squares = ((y - weight * X - bias) ** 2).sum() / (len(X) - 2)
    return weight / np.sqrt(squares / ((X - X.mean()) ** 2).sum()) > 30


def four_times_halve(seed):
    few, many = (samples_of(n, 200, seed)[3].mean() for n in (100, 400))
    return abs(few / many - 2) < 0.1


CLAIMS = [
    Claim(NOTEBOOK, "it draws the same numbers again", same_seed_same_numbers),
    Claim(GLOSSARY, "draws the same numbers in every run", same_seed_same_numbers),
    Claim(NOTEBOOK, "NumPy's seed does not reach PyTorch's", numpys_seed_does_not_reach),
    Claim(
        NOTEBOOK,
        "draw once more at the top, and everything below changes",
        one_draw_more_changes_all_below,
    ),
    Claim(
        NOTEBOOK,
        "normal numbers with mean 0 and [standard deviation](glossary.md#standard-deviation) 1",
        randn_is_standard_normal,
    ),
    Claim(CHECKS, "and it changes nothing itself", own_generator_leaves_the_rest_alone),
    Claim(
        GUIDE, "A generator of its own touches nothing else.", own_generator_leaves_the_rest_alone
    ),
    Claim(NOTEBOOK, "NumPy then divides by $n$, PyTorch (and pandas) by $n - 1$", n_or_one_less),
    Claim(NOTEBOOK, "With `std(correction=0)` PyTorch divides by $n$, too", n_or_one_less),
    Claim(
        NOTEBOOK, "it lies a little closer to them than the true mean would", own_mean_lies_closer
    ),
    Claim(QUESTIONS, "One bird among 342 has no such power.", one_bird_has_no_such_power),
    Claim(
        NOTEBOOK,
        "hold [float32](glossary.md#float32) numbers by default, and refuse features",
        linear_layers_refuse,
    ),
    Claim(CHECKS, "models hold float32", linear_layers_refuse),
    Claim(NOTEBOOK, "The models of this course expect a table", linear_layers_refuse),
    Claim(NOTEBOOK, "With two columns of 342 rows this cannot happen", flat_minus_column_is_square),
    Claim(QUESTIONS, "so each value meets each other value", flat_minus_column_is_square),
    Claim(CHECKS, "each point can meet its own prediction alone", flat_minus_column_is_square),
    Claim(NOTEBOOK, "Any line has to miss most of these birds", lines_miss_most),
    Claim(
        NOTEBOOK,
        "its loss is the standard deviation of the noise, squared, give or take",
        floor_is_noise_squared,
    ),
    Claim(
        NOTEBOOK,
        "for the mean squared error, its standard deviation squared",
        floor_is_noise_squared,
    ),
    Claim(GLOSSARY, "it is the standard deviation of the noise, squared", floor_is_noise_squared),
    Claim(GUIDE, "The floor is the standard deviation squared", floor_is_noise_squared),
    Claim(
        NOTEBOOK,
        "the lowest average loss that noise allows on new points",
        no_training_gets_below,
    ),
    Claim(GLOSSARY, "The lowest loss on new points that noise allows", no_training_gets_below),
    Claim(
        NOTEBOOK,
        "The typical distance of its weight from the true one is the **[standard error]",
        standard_error_is_the_spread,
    ),
    Claim(
        GLOSSARY,
        "typically lies from the truth because it was computed from a sample",
        standard_error_is_the_spread,
    ),
    Claim(
        NOTEBOOK,
        "On its own points no line has a lower loss than the fitted one, not even the truth",
        the_fit_is_lowest_on_its_own_points,
    ),
    Claim(
        NOTEBOOK,
        "at any one $x$, it catches about 95 of 100 fitted lines",
        most_lines_lie_in_the_shade,
    ),
    Claim(
        NOTEBOOK,
        "From 100 points on it holds: a hundred times the points, a tenth of the standard error.",
        tenth_takes_a_hundred_times,
    ),
    Claim(GLOSSARY, "fitted to 10 points is about 0.38", about_those_two),
    Claim(GUIDE, "with 10 points the line swings, with 200 it hardly moves", line_swings_with_ten),
    Claim(QUESTIONS, "most of it is smaller than 1, so squares shrink it", most_noise_is_below_one),
    Claim(QUESTIONS, "That is about the mean absolute error.", mean_absolute_error_is_about),
    Claim(
        NOTEBOOK,
        "must give them one mass, and the best one is their mean",
        mean_is_the_best_single_number,
    ),
    Claim(NOTEBOOK, "Your 55 means: 342 \u2212 55.", each_mean_costs_one),
    Claim(
        NOTEBOOK,
        "the fewer the birds, the further apart.",
        the_fewer_the_further,
    ),
    Claim(
        NOTEBOOK,
        "many stand for a few birds only, and miss new ones by more than the line",
        means_miss_new_birds_by_more,
    ),
    Claim(
        NOTEBOOK,
        "no cleverer curve and no larger network will weigh new birds much better",
        nothing_is_much_better,
    ),
    Claim(
        NOTEBOOK,
        "Down to the floor there are some 18 g to win",
        some_20_g_to_the_floor,
    ),
    Claim(NOTEBOOK, "18 g to win, give or take 9", gain_is_uncertain),
    Claim(NOTEBOOK, "With 200 points the two losses nearly agree", losses_nearly_agree),
    Claim(NOTEBOOK, "its weight is uncertain by 3 %", penguins_line_is_safe),
    Claim(
        NOTEBOOK,
        "four times the points about halve its standard error",
        four_times_halve,
        slow=True,
    ),
    Claim(
        NOTEBOOK,
        "without the species, they bring about one gram.",
        bill_hardly_helps,
    ),
    Claim(NOTEBOOK, "The species takes some 20 g off the miss", species_helps),
    Claim(GUIDE, "nothing more, the flipper alone. The species helps.", species_helps),
    Claim(
        NOTEBOOK,
        "length and depth of the bill, beside both, 60 more;",
        then_the_bill_helps,
    ),
    Claim(
        NOTEBOOK,
        "With 10 points about one sample in 25 lies, with 30 not one in a thousand.",
        ten_lie_and_thirty_do_not,
        slow=True,
    ),
    Claim(CHECKS, "Chance needs few points to lie like that.", few_points_lie),
    Claim(
        CHECKS, "its weight is more than 30 of its standard errors above 0", penguins_line_is_safe
    ),
]
