"""Checks of exercises on datasets, splits and batches."""

import math
import random

import numpy as np
import torch
from torch.utils.data import Dataset, Subset

from course_utils import datasets
from course_utils.checks.judging import (
    FLOAT64,
    Wrong,
    call,
    close,
    exercise,
    kind,
    number,
    refuse_slips,
    same_random_numbers,
    tensor,
)


def _call(name: str, method: object, *args: object) -> object:
    """Call a method, and say where its `n` is if it does not find it."""
    try:
        return call(name, method, *args)
    except Wrong as wrong:
        if "name 'n' is not defined" in str(wrong):
            raise Wrong(f"{wrong}. Inside the methods use `self.n`.") from None
        if "has no attribute 'n'" in str(wrong):
            raise Wrong(f"{wrong}. Does `__init__` store it, as `self.n = n`?") from None
        raise


def _item(dataset: Dataset, index: int) -> torch.Tensor:
    item = _call(f"dataset[{index}]", dataset.__getitem__, index)
    if type(item) not in (tuple, list) or len(item) != 2:
        raise Wrong(f"Item {index} is {kind(item)}, expected a pair: feature and target.")
    x, y = (tensor(name, part, (1,)) for name, part in zip("xy", item, strict=True))
    right = index / 50
    if index == 1:
        slips = {
            "Item 1 has the x of item 2. The first index is 0.": 2 / 50,
            "x is the index itself. It has to be divided by 50.": 1,
            "The digits after the point are lost, as with `//` or `.int()`. `/` keeps them.": 0,
            "x is divided by n. The 50 stays, whatever n is.": 1 / len(dataset),
            "Feature and target have changed places in the pair.": 0.8 * right + 0.2,
        }
        refuse_slips(x, {said: slip for said, slip in slips.items() if slip != right})
        refuse_slips(y, {"Weight and bias have changed places in y.": 0.2 * right + 0.8})
    if not close(x, right) or not close(y, 0.8 * right + 0.2):
        raise Wrong(
            f"Item {index} is another point: x = {number('x', x):g}, y = {number('y', y):g}. x is "
            "index / 50, and y is on the line."
        )
    return y


def _refuse_stored(dataset: Dataset) -> None:
    for name, value in vars(dataset).items():
        if not (isinstance(value, int | float | range) or callable(value)):
            raise Wrong(
                f"`self.{name}` is {kind(value)}. Here the dataset stores no points: it knows `n` "
                "alone, a number, and computes an item when it is asked for."
            )


def _refuse_wrong_end(dataset: Dataset, n: int) -> None:
    for index in range(n + 100):
        try:
            dataset[index]
        except IndexError:
            if index == n:
                break
            raise Wrong(
                f"A loop over `GridDataset({n})` takes {index} items. Which index is the first bad "
                "one, and does the `if` use `self.n`?"
            ) from None
        except Exception as error:
            raise Wrong(
                f"`GridDataset({n})[{index}]` raises {type(error).__name__}, and what a loop waits "
                "for is IndexError."
            ) from None
    else:
        raise Wrong(
            f"`GridDataset({n})[{n}]` raises no IndexError, and neither do those behind it: a loop "
            "would never end."
        )
    for index in (n + 1, n + 50):
        try:
            dataset[index]
        except IndexError:
            continue
        except Exception:  # any other error is as wrong as none
            pass
        raise Wrong(
            f"`GridDataset({n})[{n}]` raises IndexError, and `GridDataset({n})[{index}]` does not. "
            "Every index from `n` on is a bad one."
        )


@exercise(
    "02.1",
    "Write a Dataset that ends",
    "Begin with x. `torch.tensor([...])` with one number in its brackets has shape (1,).",
    "Which is the first bad index: n - 1, n or n + 1? An `if` at the beginning sorts it out.",
    "The `raise` stands under `if index >= self.n:`. Below both, compute x and y, and return them.",
)
def dataset_that_ends(GridDataset: object) -> str:
    """Write a class that computes its items, and raises IndexError behind the last."""
    if not (isinstance(GridDataset, type) and issubclass(GridDataset, Dataset)):
        raise Wrong("`GridDataset` is not a class made with `class GridDataset(Dataset):`.")
    for n in (50, 7, 60):
        dataset = call("GridDataset", GridDataset, n)
        length = _call("__len__", dataset.__len__)
        if type(length) is not int or length != n:
            raise Wrong(
                f"`len(GridDataset({n}))` is not {n}. `__len__` has to return the `n` that the "
                "dataset was made with."
            )
        y = [_item(dataset, index) for index in (1, 0, n - 1)][-1]
        _refuse_wrong_end(dataset, n)
        _refuse_stored(dataset)
    said = "A loop over your dataset ends by itself, and an index past its end is noticed at once."
    return said + FLOAT64 * (y.dtype is torch.float64)


@exercise(
    "02.2",
    "Split without a leak",
    "Look at `ask`: each batch is the beginning of a random order of all rows.",
    "The beginning of such an order is the test. And whose dice does it take? "
    "A generator made inside, with the seed, is nobody else's.",
    "`torch.randperm(n, generator=generator)` is such an order. Its first `n_test` are the test.",
)
def split_without_a_leak(split_rows: object) -> str:
    """Draw the rows of a test by a generator of one's own, and return all others, too."""
    for n, n_test in ((50, 10), (342, 68), (30, 20)):
        train, test = _parts(split_rows, n, n_test, 0)
        torch.rand(7), np.random.rand(7), random.random()  # others draw in between
        if _parts(split_rows, n, n_test, 0) != (train, test):
            raise Wrong(
                "Called twice with the same seed, `split_rows` draws two tests. Is the generator "
                "made inside, with the seed, and does what draws the rows get it?"
            )
        if max(test) - min(test) == n_test - 1:
            raise Wrong(
                f"The test rows of `split_rows({n}, {n_test}, 0)` are neighbors, {min(test)} to "
                f"{max(test)}. That is a cut, and in a sorted table it asks of one corner. Draw."
            )
        other = _parts(split_rows, n, n_test, 1)[1]
        if other == test:
            raise Wrong("Seed 0 and seed 1 give the same test. Where does `seed` come in?")
        if any(sorted((row + by) % n for row in test) == other for by in range(n)):
            raise Wrong("Seed 1 only shifts the test of seed 0. Draw the rows, with a generator.")
    with same_random_numbers("split_rows"):
        _parts(split_rows, 50, 10, 0)
    return (
        "No row twice, none lost, the same exam in every run, and nobody's dice but your own. "
        "This function fits any table: keep it."
    )


def _parts(split_rows: object, n: int, n_test: int, seed: int) -> tuple[list[int], list[int]]:
    """Return the training and the test rows, each in order, if they are a split of `n` rows."""
    asked = f"split_rows({n}, {n_test}, {seed})"
    found = call("split_rows", split_rows, n, n_test, seed)
    if type(found) not in (tuple, list) or len(found) != 2:
        raise Wrong(f"`{asked}` returns {kind(found)}, expected two: training rows, test rows.")
    train, test = parts = [
        sorted(number(f"{name}[{place}]", row) for place, row in enumerate(_listed(name, part)))
        for name, part in zip(("train", "test"), found, strict=True)
    ]
    for row in train + test:
        if not (row == int(row) and 0 <= row < n):
            raise Wrong(f"`{asked}` returns {row:g}, and the rows are numbered 0 to {n - 1}.")
    if len(train) == n_test and len(test) == n - n_test:
        raise Wrong("Training and test have changed places: the training rows come first.")
    if len(test) != n_test:
        raise Wrong(f"The test of `{asked}` has {len(test)} rows, and {n_test} are asked for.")
    if any(len(set(rows)) < len(rows) for rows in parts):
        raise Wrong("A row is drawn twice. `torch.randperm` draws each row once.")
    if both := len(set(train) & set(test)):
        raise Wrong(f"A leak: of {n_test} test rows, {both} are training rows, too.")
    if lost := n - len(train) - n_test:
        raise Wrong(f"`{asked}` loses rows: {lost} of {n} are in neither part.")
    return train, test


def _listed(name: str, value: object) -> list:
    """Read row numbers from what can hold them."""
    if type(value) is Subset:
        value = value.indices
    if type(value) in (np.ndarray, torch.Tensor):
        value = value.flatten().tolist()
    if type(value) not in (list, tuple, range, set):
        raise Wrong(f"`{name}` is {kind(value)}, expected row numbers.")
    if bool in map(type, value):
        raise Wrong(f"`{name}` holds a True or False for each row. Give the numbers of its rows.")
    return list(value)


@exercise(
    "02.3",
    "Count extrapolated points",
    "The training range runs from the smallest to the largest feature: `.min()` and `.max()`.",
    "A comparison such as `X_test > X_train.max()` gives one True or False for each row.",
    "`|` joins two such comparisons, in parentheses: one of both is enough. What counts the Trues?",
)
def count_outside(outside: object) -> str:
    """Count the rows of X_test that lie outside of the range of X_train."""
    wide, narrow = torch.tensor([[0.3], [-1.0], [2.0]]), torch.tensor([[0.1], [0.5]])
    if _count(outside, wide, narrow) == 2 and _count(outside, narrow, wide) == 0:
        raise Wrong("Training and test have changed places: the range is that of `X_train`.")
    X_train = torch.tensor([0.5, 0.2, 0.8, 0.7, 0.6]).unsqueeze(1)
    inside = [0.2, 0.4, 0.45, 0.6, 0.75, 0.8]
    X_test = torch.tensor([-0.2, -0.1, 0.05, *inside, 0.82, 0.84, 0.87, 0.9, 0.95]).unsqueeze(1)
    count = _count(outside, X_train, X_test)
    X_large = torch.tensor([150.0, 120.0, 180.0, 165.0]).unsqueeze(1)
    within = [120.0, 130.0, 140.0, 150.0, 160.0, 170.0, 179.0, 180.0]
    large = torch.tensor([90.0, 119.0, *within, 181.0, 300.0]).unsqueeze(1)
    of_large = _count(outside, X_large, large)
    if count == of_large != 0:
        raise Wrong(
            f"`outside` returns {count:g} for any points. It has to count those of the "
            "`X_test` that it is given."
        )
    edge = "A point on the edge is inside: the line was fitted to that very x."
    slips = {
        "Points left of the training range count as well, not only those on the right.": 5,
        "Points right of the training range count as well, not only those on the left.": 3,
        edge: 10,
        edge + " This holds for both edges.": 9,
        "These are the points inside of the range. Turn the question around.": 6,
        "These are the points inside of the range, without its edges. Turn the question around.": 4,
        "A new x between two training points is inside, although no row holds it.": 11,
        "The first and the last row are not the ends of a shuffled range.": 13,
        "The mean need not be the middle of the range. `.min()` and `.max()` are its ends.": 7,
        "No point is left and right of the range at once: `|` in place of `&`.": of_large,
        "This is a share of the points. The exercise asks for their number.": 8 / 14,
        "This counts all test points. Which of them are outside?": 14,
    }
    refuse_slips(count, slips)
    if count != 8:
        raise Wrong(
            f"For 14 points on both sides of the range, inside it and on its edges, `outside` "
            f"counts {count:g}. Does it use its two arguments, and nothing else?"
        )
    if of_large != 4:
        raise Wrong(
            "`outside` counts well where features lie between 0 and 1. For training points from "
            f"120 to 180, and 4 of 12 test points outside, it counts {of_large:g}. Does its range "
            "come from `X_train`?"
        )
    return (
        "Right on both sides, and on the edges. Ask this of every split: many outside are a "
        "warning, and none outside proves nothing. Begin with the lesson's two cuts."
    )


def _count(outside: object, X_train: torch.Tensor, X_test: torch.Tensor) -> float:
    given = X_train.clone(), X_test.clone()
    found = call("outside", outside, *given)
    for name, now, before in zip(("X_train", "X_test"), given, (X_train, X_test), strict=True):
        if now.shape != before.shape or not close(now, before):
            raise Wrong(f"`outside` changes the `{name}` it is given. Compute a new tensor.")
    if type(found) is torch.Tensor and found.dtype is torch.bool and found.numel() > 1:
        raise Wrong("`outside` returns a True or False for each row. Their sum is their number.")
    if type(found) in (list, tuple) or (type(found) is torch.Tensor and found.numel() != 1):
        raise Wrong(
            "`outside` returns the points themselves, or their places. Their number is asked for."
        )
    return number("outside(X_train, X_test)", found)


BIRDS, LEAST, SHIP = 342, 60, range(151, 274)


@exercise(
    "02.4",
    "Rig a test",
    "Whose answers would flatter a line? Look at them before you choose: that is the cheat.",
    "Fit a line to all the birds, and sort them by what it leaves over: with its sign, or without?",
    "`argsort` of a flat tensor gives row numbers, that of the smallest value first. Which "
    "end of this order flatters the line?",
)
def lying_tests(flattering: object, damning: object) -> str:
    """Two choices of test rows, one that the line seems to hit, one that it seems to miss."""
    birds = {"flattering": flattering, "damning": damning}
    rows = {name: _test_rows(name, value) for name, value in birds.items()}
    low, high = (_residuals(part) for part in rows.values())
    if _root_mean(low) > 600 and _root_mean(high) < 150:
        raise Wrong("These two have changed places: the first has to flatter the line.")
    if _root_mean(low) >= 150:
        raise Wrong(_honest("flattering", rows, "less than 150 g"))
    if _root_mean(high) <= 600:
        raise Wrong(_honest("damning", rows, "more than 600 g"))
    ship = sum(row in SHIP for row in rows["damning"])
    if ship > len(high) / 2:
        raise Wrong(
            f"{_root_mean(high):.0f} g, but {ship} of the {len(high)} birds of `damning` are from "
            "the ship, and their line never met that kind. Take at most half of yours from there."
        )
    return (
        f"The same birds, the same formula, and the number says {_root_mean(low):.0f} g or "
        f"{_root_mean(high):.0f} g, as you like. Whoever looks at the answers before choosing "
        "the test rows lets them leak into the test. So draw the rows first, with a seed."
    )


def _test_rows(name: str, value: object) -> list[int]:
    """Read the row numbers of test birds: a list, a tensor, an array, or a mask."""
    if type(value) is Subset:
        value = value.indices
    if type(value) is np.ndarray:
        value = torch.from_numpy(value) if value.dtype.kind in "biuf" else value.tolist()
    if type(value) is torch.Tensor:
        is_mask = value.dtype is torch.bool
        value = value.detach().flatten().tolist()
        if is_mask and len(value) != BIRDS:
            raise Wrong(f"The mask `{name}` has {len(value)} values, and there are {BIRDS} birds.")
    if type(value) not in (list, tuple, range, set):
        raise Wrong(f"`{name}` is {kind(value)}, expected the row numbers of the test birds.")
    items = list(value)
    if len(items) == BIRDS and all(type(item) is bool for item in items):
        items = [row for row, is_chosen in enumerate(items) if is_chosen]
    rows = [number(f"{name}[{place}]", item) for place, item in enumerate(items)]
    for row in rows:
        if row != int(row):
            raise Wrong(
                f"`{name}` holds {row:g}, and a row number is whole. `sort` gives values, "
                "`argsort` gives the rows where they stand."
            )
        if not 0 <= row < BIRDS:
            raise Wrong(f"`{name}` holds {row:g}, and the birds are numbered 0 to {BIRDS - 1}.")
    if len(rows) > 1 and not any(rows):
        raise Wrong(
            f"`{name}` holds nothing but row 0. `argsort` of a column sorts each of its rows, and "
            "a row is a single number: `.flatten()` it first."
        )
    measured = datasets.load_penguins()
    repeated = 1 < len(set(rows)) < len(rows)
    if repeated and any(set(rows) <= {*column.flatten().tolist()} for column in measured):
        raise Wrong(
            f"`{name}` holds what stands in rows, such as {rows[0]:g}. Give the row numbers."
        )
    if len(set(rows)) < len(rows):
        raise Wrong(f"`{name}` holds a bird twice. Each may be asked about once.")
    if len(rows) < LEAST:
        raise Wrong(f"`{name}` has {len(rows)} birds. A lie with {LEAST} or more is asked for.")
    if len(rows) > BIRDS // 2:
        raise Wrong(
            f"`{name}` has {len(rows)} of the {BIRDS} birds, more than are left to fit the line. "
            "Are these the training rows?"
        )
    return [int(row) for row in rows]


def _residuals(rows: list[int]) -> list[float]:
    """Return the residuals of test birds, from the line fitted to all the others."""
    X, y = (column.double().flatten() for column in datasets.load_penguins())
    chosen = set(rows)
    rest = [row for row in range(BIRDS) if row not in chosen]
    dx, dy = X - X[rest].mean(), y - y[rest].mean()
    weight = (dx * dy)[rest].sum() / dx[rest].square().sum()
    return (dy - weight * dx)[rows].tolist()


def _root_mean(residuals: list[float]) -> float:
    return math.sqrt(sum(value * value for value in residuals) / len(residuals))


def _most_extreme(name: str, count: int) -> list[int]:
    """Return the birds that the line of all birds misses by least, or by most."""
    X, y = (column.double().flatten() for column in datasets.load_penguins())
    dx, dy = X - X.mean(), y - y.mean()
    residuals = dy - (dx * dy).mean() / dx.square().mean() * dx
    return residuals.abs().topk(count, largest=name == "damning").indices.tolist()


def _honest(name: str, rows: dict[str, list[int]], wanted: str) -> str:
    """Say why this test does not lie enough."""
    residuals, count = _residuals(rows[name]), len(rows[name])
    miss = _root_mean(residuals)
    best = _root_mean(_residuals(_most_extreme(name, count)))
    said = f"`{name}` misses a typical bird by {miss:.0f} g, and {wanted} is asked for. "
    if name == "flattering" and (max(residuals) < 0 or min(residuals) > 0):
        which = "lighter" if max(residuals) < 0 else "heavier"
        return (
            said + f"All of these are {which} than the line says. Sort without the sign: `.abs()`."
        )
    if abs(miss - best) < 0.03 * best:
        if name == "flattering":
            return said + f"The {count} smallest residuals give about as much. Choose fewer."
        said += f"The {count} largest residuals give about as much. Choose fewer, or all from one "
        return said + "side of the line."
    if 300 < miss < 500:
        return said + "Honest draws give about as much. Choose by what the line leaves over."
    if (miss < 300) == (name == "flattering"):
        return said + "The direction is right. Are these the most extreme ones?"
    return said + "Are these from the other end of the order?"
