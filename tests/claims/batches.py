"""What notebook 02 and its texts say in general."""

import functools
import itertools
import math

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

from claims import Claim
from course_utils import datasets

NOTEBOOK = "notebooks/02_dataset_dataloader.ipynb"
GLOSSARY = "notebooks/glossary.md"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/batches.py"
GUIDE = "classroom/TEACHING.md"


class Items(Dataset):
    """Numbers from 0 on; what a bad index does is up to `end`."""

    def __init__(self, n, end):
        self.n, self.end = n, end

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return index if index < self.n else self.end(index)


def bad(index):
    raise IndexError(index)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def size_of(seed):
    return int(np.random.default_rng(seed).integers(2, 300))


def loop_ends_at_index_error(seed):
    n = size_of(seed)
    polite = Items(n, lambda index: "bad index")
    endless = sum(1 for _ in itertools.islice(polite, n + 50))
    return sum(1 for _ in Items(n, bad)) == n and endless == n + 50


def tensor_raises_by_itself(seed):
    n = size_of(seed)
    try:
        torch.randn(n, 1)[n]
    except IndexError as error:
        return str(n) in str(error)
    return False


def old_test_rows_in_new_training(seed):
    """On average over 100 second splits, and the new test rows among the old training rows."""
    generator, counts = seeded(seed), []
    met, old = (set(part) for part in random_split(range(342), [0.8, 0.2], generator=generator))
    for _ in range(100):
        train, test = random_split(range(342), [0.8, 0.2], generator=generator)
        counts.append(len(old & set(train)))
        if len(met & set(test)) != counts[-1]:
            return False
    return abs(np.mean(counts) - 54.5) < 1.2 and 2.3 < np.std(counts) < 3.7


def a_second_split_is_another_one(seed):
    generator = seeded(seed)
    first, second = (random_split(range(342), [0.8, 0.2], generator=generator) for _ in range(2))
    return (
        first[1].indices != second[1].indices
        and len(set(first[1].indices) & set(second[0].indices)) > 0
    )


def seed_and_split_together(seed):
    one, two = (random_split(range(342), [0.8, 0.2], generator=seeded(seed)) for _ in range(2))
    return one[1].indices == two[1].indices


def steps_are_rounded_up(seed):
    rng = np.random.default_rng(seed)
    n, size = int(rng.integers(1, 500)), int(rng.integers(1, 100))
    sizes = [len(batch) for batch in DataLoader(range(n), size)]
    full = DataLoader(range(n), size, drop_last=True)
    return (
        len(sizes) == math.ceil(n / size)
        and len(full) == n // size
        and set(sizes[:-1]) <= {size}
        and sum(sizes) == n
    )


def epochs_have_orders_of_their_own(seed):
    loader = DataLoader(range(342), 16, shuffle=True, generator=seeded(seed))
    first, second = ([batch.tolist() for batch in loader] for _ in range(2))
    return first != second and set(first[-1]) != set(second[-1])


def unshuffled_epochs_are_the_same(seed):
    n = size_of(seed)
    loader = DataLoader(range(n), 16)
    orders = [[row for batch in loader for row in batch.tolist()] for _ in range(2)]
    return orders == [list(range(n))] * 2


def sorted_birds_pull_by_turns(seed):
    """On the flat line at 3.5 kg: nine and five batches weakly, seven hard; shuffled, not."""
    wishes = bird_pulls()
    together = wishes.mean(dim=0).norm()
    hard = torch.stack([batch.mean(dim=0).norm() for batch in wishes.split(16)]) / together
    shuffled = wishes[torch.randperm(342, generator=seeded(seed))]
    others = torch.stack([batch.mean(dim=0).norm() for batch in shuffled.split(16)]) / together
    weak, last = hard[[*range(9), *range(17, 22)]].max() < 0.4, hard.max()
    return weak and hard[10:17].min() > 2 and 2.7 < last < 3.2 and (others > 2).sum() < 2


def last_birds_are_one_species(seed):
    """The last 68 of the table, and all birds of their species, whatever the seed."""
    _, species = datasets.load_species("flipper_length_mm")
    last = species[-68:]
    return len(last.unique()) == 1 and last[0] not in species[:-68] and len(species) == 342


def kinds():
    """Return flipper (cm above 20) and mass (kg) of the small birds, then of the large ones."""
    flipper, mass = datasets.load_penguins()
    large = torch.arange(342).sub(151).div(123, rounding_mode="floor") == 0
    return [(flipper[rows] / 10 - 20, mass[rows] / 1000) for rows in (~large, large)]


def random_test_asks_mostly_between(seed):
    """Of 68 birds held out, few lie outside, and in most draws none."""
    X, counts = datasets.load_penguins()[0], []
    for other in range(50 * seed, 50 * seed + 50):
        train, test = random_split(range(342), [0.8, 0.2], generator=seeded(other))
        low, high = X[train.indices].aminmax()
        counts.append(sum(not low <= x <= high for x in X[test.indices]))
    return counts.count(0) > 25 and max(counts) <= 5


def large_birds_are_another_question(seed):
    """Whichever small birds chose the line: the large ones are longer, heavier, and missed."""
    (X, y), (X_large, y_large) = kinds()
    train = random_split(range(219), [0.8, 0.2], generator=seeded(seed))[0].indices
    weight, bias = fit_line(X[train], y[train])
    longer = (X_large > X.max()).sum()
    heavier = (y_large > weight * X_large + bias).sum()
    flat = weight < 0.75 * fit_line(X_large, y_large)[0]
    flipper, mass = datasets.load_penguins()
    known = rmse(X_large, y_large, *fit_line(flipper / 10 - 20, mass / 1000))
    missed = rmse(X_large, y_large, weight, bias)
    return longer > 80 and heavier > 110 and flat and known < 0.37 < 0.6 < missed


def short_large_birds_are_heavier(seed):
    """Of the large birds no longer than a small one, most are above the line of the small."""
    (X, y), (X_large, y_large) = kinds()
    train = random_split(range(219), [0.8, 0.2], generator=seeded(seed))[0].indices
    weight, bias = fit_line(X[train], y[train])
    inside = X_large <= X[train].max()
    heavier = (y_large > weight * X_large + bias)[inside]
    return len(heavier) >= 20 and heavier.double().mean() > 0.75


def near_the_best_line_a_batch_misses_more(seed):
    """At nine tenths of the way from the flat line to the best, and more so at the best."""
    flipper, mass = datasets.load_penguins()
    X, y = flipper / 10 - 20, mass / 1000
    best = fit_line(X, y)
    order = torch.rand(1000, 342, generator=seeded(seed)).argsort(dim=1)[:, :16]
    for way in (0.9, 1.0):
        residual = y - way * best[0] * X - (3.5 + way * (best[1] - 3.5))
        ones = torch.cat([residual * X, residual], dim=1)
        misses = ones[order].mean(dim=1) - ones.mean(dim=0)
        if misses.square().sum(dim=1).mean().sqrt() < 1.2 * ones.mean(dim=0).norm():
            return False
    return True


def tensor_dataset_is_the_class(seed):
    X, y = datasets.make_line(seed=seed)
    pairs = zip(TensorDataset(X, y), zip(X, y, strict=True), strict=True)
    return all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in pairs)


def many_numbers_know_rows_by_heart(seed):
    """Twenty numbers, of a polynomial, hit twenty points of pure noise; two miss them."""
    x = torch.cos(torch.pi * (torch.arange(20, dtype=torch.float64) + 0.5) / 20)
    y = torch.randn(20, 1, generator=seeded(seed), dtype=torch.float64)
    powers = x.unsqueeze(1) ** torch.arange(20)
    fits = [p @ torch.linalg.lstsq(p, y).solution for p in (powers, powers[:, :2])]
    twenty, two = ((fit - y).abs().max() for fit in fits)
    return twenty < 1e-6 < 0.5 < two


def fit_line(X, y):
    dx, dy = X - X.mean(), y - y.mean()
    weight = (dx * dy).mean() / dx.square().mean()
    return weight, y.mean() - weight * X.mean()


def rmse(X, y, weight, bias):
    return (y - (weight * X + bias)).square().mean().sqrt().item()


def the_formula_is_least_squares(seed):
    X, y = (part.double() for part in datasets.make_line(noise=1.0, seed=seed))
    weight, bias = fit_line(X, y)
    found = torch.linalg.lstsq(torch.cat([X, torch.ones_like(X)], 1), y).solution.flatten()
    return torch.allclose(torch.stack([weight, bias]), found)


def curved(seed, curvature=0.6, n=50):
    """Return n points of the lesson's truth, two hundredths apart, with other noise."""
    X = 0.02 * torch.arange(n).unsqueeze(1)
    noise = 0.02 * torch.randn(n, 1, generator=seeded(seed))
    return X, 0.2 + 0.8 * X + curvature * X**2 + noise


def cut_with_straight_truth_does_no_harm(seed):
    """With 40 or 30 rows; with 10 it misses by more, on average over 50 draws."""
    beyond = {kept: [] for kept in (40, 30, 10)}
    for other in range(50 * seed, 50 * seed + 50):
        X, y = curved(other, 0.0)
        for kept, misses in beyond.items():
            misses.append(rmse(X[kept:], y[kept:], *fit_line(X[:kept], y[:kept])))
    enough, fewer, few = (np.mean(misses) for misses in beyond.values())
    return max(enough, fewer) < 0.027 < 2 * 0.02 < few


def bird_pulls():
    """Return what each bird pulls on the flat line at 3.5 kg: on its slope, on its height."""
    flipper, mass = datasets.load_penguins()
    residual = mass / 1000 - 3.5
    return torch.cat([residual * (flipper / 10 - 20), residual], dim=1)


def pulls(seed, *sizes):
    """Return the pulls of 1000 random batches of birds on the flat line, and that of all."""
    ones = bird_pulls()
    order = torch.rand(1000, len(ones), generator=seeded(seed)).argsort(dim=1)
    return [ones[order[:, :size]].mean(dim=1) for size in sizes], ones.mean(dim=0)


@functools.cache
def four_times_the_points_miss_by_half(seed):
    """From 1 to 4 and from 4 to 16 of 342 birds: a factor of about 2."""
    guesses, everyone = pulls(seed, 1, 4, 16)
    one, four, sixteen = ((g - everyone).square().sum(1).mean().sqrt() for g in guesses)
    return 1.75 < one / four < 2.3 and 1.75 < four / sixteen < 2.3


def pull_is_half_the_gradient(seed):
    """Of the lesson's flat line on some of the birds: turned round and doubled."""
    flipper, mass = datasets.load_penguins()
    rows = torch.randperm(len(mass), generator=seeded(seed))[: size_of(seed)]
    X, y = flipper[rows] / 10 - 20, mass[rows] / 1000
    line = torch.tensor([0.0, 3.5], requires_grad=True)
    (line[0] * X + line[1] - y).square().mean().backward()
    residual = y - 3.5
    pull = torch.stack([(residual * X).mean(), residual.mean()])
    return torch.allclose(line.grad, -2 * pull, atol=1e-4)


@functools.cache
def batches_pull_roughly_right(seed):
    """Of 1000 batches of 16, nearly all pull the flat line up and steeper, as all points do."""
    (guesses,), everyone = pulls(seed, 16)
    return ((guesses * everyone).sum(dim=1) > 0).double().mean() > 0.99


def point_pulls(seed):
    """A little of the pull of one point brings the line nearer to it, from either side."""
    x, y = torch.randn(2, generator=seeded(seed), dtype=torch.float64).tolist()
    step = 0.01 / (1 + x * x)
    steeper, higher = step * y * x, step * y
    right_side = (steeper > 0) == ((x > 0) == (y > 0)) and (higher > 0) == (y > 0)
    return right_side and abs(y - (steeper * x + higher)) < abs(y)


def one_row_pulls_the_wrong_way(seed):
    """On the flat line at 3.5 kg: single birds are off by more than 90 degrees, 64 by few."""
    (ones, many), everyone = pulls(seed, 1, 64)

    def off(guesses):
        alike = torch.cosine_similarity(guesses, everyone[None]).clamp(-1, 1)
        return torch.rad2deg(alike.acos())

    return off(ones).max() > 100 and off(many).quantile(0.9) < 10


def honest_penguin_test(seed):
    """Sixty birds drawn at random are missed by about 390 g: within 20 % of it, and on average."""
    X, y = (part.double() for part in datasets.load_penguins())
    misses = []
    for other in range(20 * seed, 20 * seed + 20):
        rows = torch.randperm(342, generator=seeded(other))
        line = fit_line(X[rows[60:]], y[rows[60:]])
        misses.append(rmse(X[rows[:60]], y[rows[:60]], *line))
    return abs(np.mean(misses) - 390) < 25 and min(misses) > 300 and max(misses) < 500


CLAIMS = [
    Claim(NOTEBOOK, "Let every bird pull the line towards itself", point_pulls),
    Claim(
        NOTEBOOK,
        "up on the right makes it steeper, up on the left less steep",
        point_pulls,
    ),
    Claim(NOTEBOOK, "each roughly in the right direction", batches_pull_roughly_right),
    Claim(NOTEBOOK, "turned round and doubled, it is the *gradient*", pull_is_half_the_gradient),
    Claim(GUIDE, "each time roughly in the right direction", batches_pull_roughly_right),
    Claim(
        NOTEBOOK,
        "four times the rows guess about twice as well",
        four_times_the_points_miss_by_half,
    ),
    Claim(
        NOTEBOOK,
        "Near the best line the pulls of all birds nearly cancel, and a batch of 16 misses by more "
        "than what is left.",
        near_the_best_line_a_batch_misses_more,
    ),
    Claim(
        NOTEBOOK,
        "Half the miss costs four times the birds",
        four_times_the_points_miss_by_half,
    ),
    Claim(
        QUESTIONS,
        "The miss of a mean shrinks with the root of how many take part, and the root of 4 is 2.",
        four_times_the_points_miss_by_half,
    ),
    Claim(
        NOTEBOOK,
        "A polite class never raises one, so the loop over it would hand out",
        loop_ends_at_index_error,
    ),
    Claim(GUIDE, "it waits for `IndexError`. It does not ask `len`", loop_ends_at_index_error),
    Claim(CHECKS, "A loop over your dataset ends by itself", loop_ends_at_index_error),
    Claim(NOTEBOOK, "The tensor inside raises `IndexError` by itself", tensor_raises_by_itself),
    Claim(
        NOTEBOOK,
        "A single row may pull the wrong way; 64 rows pull nearly the way that all of them do.",
        one_row_pulls_the_wrong_way,
    ),
    Claim(NOTEBOOK, "and about the same on average", honest_penguin_test),
    Claim(
        NOTEBOOK,
        "A line has two numbers, too few to learn birds by heart. A model with many can.",
        many_numbers_know_rows_by_heart,
    ),
    Claim(
        QUESTIONS,
        "The new training set takes 274 of 342 birds, 80 %, whatever a bird was before, and 80 % of"
        " 68 is about 54.",
        old_test_rows_in_new_training,
    ),
    Claim(
        NOTEBOOK,
        "as many of the new test birds were training birds before. So a model trained before the "
        "second split has met most of the new exam",
        old_test_rows_in_new_training,
    ),
    Claim(
        QUESTIONS,
        "A generator that has drawn goes on with other numbers, although its seed stands above.",
        a_second_split_is_another_one,
    ),
    Claim(GUIDE, "are the rows the same? Hope for: no", a_second_split_is_another_one),
    Claim(
        NOTEBOOK,
        "with generator and split in one cell, or a second run moves test rows into the training.",
        seed_and_split_together,
    ),
    Claim(
        NOTEBOOK,
        "has ceil($N$ / batch size) batches, where *ceil* rounds up. With `drop_last=True`, "
        "the loader leaves out a last batch that is not full.",
        steps_are_rounded_up,
    ),
    Claim(
        NOTEBOOK,
        "by default in ceil($N$ / batch size) batches an epoch",
        steps_are_rounded_up,
    ),
    Claim(GLOSSARY, "By default it has ceil(N / batch size) steps", steps_are_rounded_up),
    Claim(
        NOTEBOOK,
        "`shuffle=True` draws a new order for every pass",
        epochs_have_orders_of_their_own,
    ),
    Claim(GLOSSARY, "draws a new order for every epoch", epochs_have_orders_of_their_own),
    Claim(
        NOTEBOOK,
        "Without *shuffle* the rows come in the order of the dataset, in every epoch the same.",
        unshuffled_epochs_are_the_same,
    ),
    Claim(
        NOTEBOOK,
        "For nine batches the small birds hardly pull. Then the large ones come, and pull up to "
        "three times as hard as the whole flock. The last five batches, all but two birds of "
        "another small species, hardly pull again.",
        sorted_birds_pull_by_turns,
    ),
    Claim(
        NOTEBOOK,
        "But they are all of one species, and not one bird of it would be left",
        last_birds_are_one_species,
    ),
    Claim(NOTEBOOK, "It returns the same pairs", tensor_dataset_is_the_class),
    Claim(
        NOTEBOOK,
        "The line with the lowest MSE comes from a formula, without training: `fit_line` holds it.",
        the_formula_is_least_squares,
    ),
    Claim(
        NOTEBOOK,
        "most of the large birds are longer than any small one",
        large_birds_are_another_question,
    ),
    Claim(
        NOTEBOOK,
        "even those no longer than a small one are mostly heavier than it says",
        short_large_birds_are_heavier,
    ),
    Claim(
        QUESTIONS,
        "Among the small birds, mass rises slowly with length. Their line goes on as flat as that",
        large_birds_are_another_question,
    ),
    Claim(
        QUESTIONS,
        "These lie along a steeper line than the small ones, so they are missed on one side.",
        large_birds_are_another_question,
    ),
    Claim(
        GUIDE,
        "none, and most are longer than any it has. That tests extrapolation, which is another "
        "question.",
        large_birds_are_another_question,
    ),
    Claim(
        NOTEBOOK,
        "A random test mostly asks *between* the rows a line has seen",
        random_test_asks_mostly_between,
    ),
    Claim(
        NOTEBOOK,
        "With a straight truth the cut does little harm, as long as enough rows are left",
        cut_with_straight_truth_does_no_harm,
    ),
]
