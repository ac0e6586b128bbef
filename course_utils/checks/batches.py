"""Checks of exercises on datasets, splits and batches."""

import torch
from torch.utils.data import Dataset, Subset, random_split

from course_utils import datasets
from course_utils.checks.judging import (
    FLOAT64,
    Wrong,
    call,
    close,
    exercise,
    kind,
    number,
    numbers,
    refuse_slips,
    tensor,
)


@exercise(
    "02.1",
    "Count the steps",
    "How often does 8 go into 50, and how many points remain?",
    "A loader hands out what remains as a smaller last batch, unless you set `drop_last`.",
    "Loop over `DataLoader(TensorDataset(X_grid, y_grid), batch_size=8)`, take `len(X_batch)`.",
)
def batch_sizes(sizes: object) -> str:
    """Seven batches, the last of two points."""
    sizes = numbers("sizes", sizes)
    if sum(sizes) == 200:
        raise Wrong("These batches hold 200 points. The grid, `X_grid`, has 50.")
    if len(sizes) > 1 and set(sizes) == {2}:
        raise Wrong(
            "Each size is 2 here: a batch is a pair, features and targets, and `len` of a pair "
            "counts its two parts. Take the `len` of one of them."
        )
    if not all(float(size).is_integer() for size in sizes):
        raise Wrong("A batch has a whole number of points. Which of them is smaller than the rest?")
    if sizes == [7, 2]:
        raise Wrong("The list has a size for each batch, so that its own length is the steps.")
    if sizes == [8] * 6:
        raise Wrong("Six batches hold 48 of the 50 points. What happens to the last two?")
    if sum(sizes) != 50:
        raise Wrong(f"These batches hold {sum(sizes):g} points in all, and the grid has 50.")
    if max(sizes) != 8:
        raise Wrong(f"The largest batch has {max(sizes):g} points, expected the batch size 8.")
    if sizes != [8] * 6 + [2]:
        raise Wrong(
            "Each batch but the last is full: a loader fills one with 8 points before it begins "
            "the next."
        )
    return (
        "An epoch has ceil(50 / 8) = 7 steps. A mean over batches has to weigh the last one, with "
        "its 2 points, less than the others."
    )


@exercise(
    "02.2",
    "Split in three",
    "`random_split` takes a list of three lengths as well.",
    "Each part has `.indices`, the rows of `dataset` that it took.",
    "The seed goes in with `generator=torch.Generator().manual_seed(7)`.",
)
def three_parts(three: object) -> str:
    """Three subsets of 140, 30 and 30 rows, without a common row, drawn with seed 7."""
    if type(three) not in (list, tuple):
        raise Wrong(f"`three` is {kind(three)}, expected the list that `random_split` returns.")
    if len(three) != 3:
        raise Wrong(f"`three` has {len(three)} parts, expected three: training, validation, test.")
    if not all(type(part) is Subset for part in three):
        raise Wrong("The parts are not subsets of `dataset`. `random_split` makes them.")
    if any(type(part.dataset) is Subset for part in three):
        raise Wrong("A part was split once more. `random_split` makes all three from one list.")
    rows = [
        tuple(number(f"three[{index}].indices", row) for row in part.indices)
        for index, part in enumerate(three)
    ]
    lengths = [len(part) for part in rows]
    if lengths != [140, 30, 30]:
        raise Wrong(f"The parts have {lengths} rows, expected 140, 30 and 30 in this order.")
    if len({row for part in rows for row in part}) != 200:
        raise Wrong("Some rows are in two parts, so a test row could be a training row as well.")
    item, points = (
        call("three[0].dataset[5]", three[0].dataset.__getitem__, 5),
        datasets.make_line(),
    )
    pair = type(item) in (tuple, list) and len(item) == 2
    if not pair or not all(map(_same, item, (part[5] for part in points))):
        raise Wrong("These are not parts of `dataset`, whose items are pairs: feature and target.")
    if rows[0] == tuple(range(140)):
        raise Wrong("The rows are cut in order. For ordered data that is extrapolation.")
    if rows == _rows_of(420):
        raise Wrong("These are the rows of seed 420. The exercise asks for seed 7.")
    if rows in (_rows_of(7, drawn=1), _rows_of(7, drawn=2)):
        raise Wrong(
            "The generator has drawn before this split, so it no longer stands at its seed. Make "
            "and seed it in this cell."
        )
    if rows != _rows_of(7):
        raise Wrong(
            "The rows are not those of seed 7. Make and seed the generator in this cell, and let "
            "nothing else draw from it before the split."
        )
    return (
        "The parts hold 200 different rows, so no test row has been trained on. Whoever runs the "
        "cell gets the same parts. Did you seed with `torch.manual_seed(7)`? It gives these parts, "
        "and sets the random numbers of all other code too; a generator of its own does not."
    )


def _same(value: object, right: torch.Tensor) -> bool:
    return type(value) is torch.Tensor and close(value, right)


def _rows_of(seed: int, drawn: int = 0) -> list[tuple[int, ...]]:
    """Return the rows of the three parts from a generator that has split so often before."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(drawn + 1):
        parts = random_split(range(200), [140, 30, 30], generator=generator)
    return [tuple(part.indices) for part in parts]


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
        if not (isinstance(value, int | float) or callable(value)):
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
    "02.3",
    "Write a Dataset that ends",
    "No tensor is inside that could raise an error, so `__getitem__` has to raise it itself.",
    "Ask first: `if index >= self.n:` and below it `raise IndexError(...)`. Then make the pair.",
    "`x = torch.tensor([index / 50])` has shape (1,). Return it with `0.8 * x + 0.2`.",
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
    return (
        "A loop over your dataset ends by itself, and nothing but samples can get into a batch. A "
        "wrong index is noticed at once."
    ) + FLOAT64 * (y.dtype is torch.float64)


@exercise(
    "02.4",
    "Count extrapolated points",
    "The training range runs from the smallest to the largest feature: `.min()` and `.max()`.",
    "A comparison such as `X_test > X_train.max()` gives one True or False for each row.",
    "`|` joins two such comparisons, in parentheses: one of both is enough. `.sum()` counts.",
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
            f"`outside` returns {count:g} for any points, as the lesson's cut may have it. It has "
            "to count the points of the `X_test` that it is given."
        )
    edge = "A point on the edge is inside: the model was trained at that very x."
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
        "No point is left and right of the range at once: `|` in place of `&`.": 0,
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
        "All 10 test points of the cut lie outside. Of the random split's it is 0 with this seed, "
        "and with other seeds it may be one or two. Ask this of each split before you believe its "
        "test RMSE."
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
