"""Checks of exercises on datasets, splits and batches."""

import torch
from torch.utils.data import Dataset, Subset, random_split

from course_utils.checks.judging import (
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
    if len(sizes) == 6:
        raise Wrong("Six batches hold 48 of the 50 points. What happens to the last two?")
    if sum(sizes) != 50:
        raise Wrong(f"These batches hold {sum(sizes):g} points in all, and the grid has 50.")
    if max(sizes) != 8:
        raise Wrong(f"The largest batch has {max(sizes):g} points, expected the batch size 8.")
    if sizes != sorted(sizes, reverse=True) or len(sizes) != 7:
        raise Wrong("Each batch but the last is full. In which order does the loader give them?")
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
        raise Wrong("The parts are no subsets of `dataset`. `random_split` makes them.")
    if not all(type(row) is int for part in three for row in part.indices):
        raise Wrong("The parts' `.indices` are no row numbers. Leave them as they come.")
    rows = [tuple(part.indices) for part in three]
    if [len(part) for part in rows] != [140, 30, 30]:
        raise Wrong(f"The parts have {', '.join(str(len(part)) for part in rows)} rows.")
    if len({row for part in rows for row in part}) != 200:
        raise Wrong("Some rows are in two parts, so the test would know what training has seen.")
    if rows[0] == tuple(range(140)):
        raise Wrong("The rows are cut in order. For ordered data that is extrapolation.")
    generator = torch.Generator().manual_seed(7)
    right = random_split(range(200), [140, 30, 30], generator=generator)
    if rows != [tuple(part.indices) for part in right]:
        raise Wrong("The rows are not those of seed 7. Make and seed the generator in this cell.")
    return "The set of all rows has 200 members, so no part knows a row of another."


def _item(dataset: Dataset, index: int) -> None:
    item = call(f"dataset[{index}]", dataset.__getitem__, index)
    if type(item) not in (tuple, list) or len(item) != 2:
        raise Wrong(f"Item {index} is {kind(item)}, expected a pair: feature and target.")
    x, y = (tensor(name, part, (1,)) for name, part in zip("xy", item, strict=True))
    refuse_slips(x, {"Item 0 has the x of item 1. The first index is 0.": (index + 1) / 50})
    if not close(x, index / 50) or not close(y, 0.8 * index / 50 + 0.2):
        raise Wrong(f"Item {index} is another point. x is index / 50, and y is on the line.")


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
        raise Wrong("`GridDataset` is no class made with `class GridDataset(Dataset):`.")
    for n in (50, 7):
        dataset = call("GridDataset", GridDataset, n)
        length = call("__len__", dataset.__len__)
        if type(length) is not int or length != n:
            raise Wrong(
                f"`len(GridDataset({n}))` is not {n}. `__len__` returns what was asked for."
            )
        for index in (0, 1, n - 1):
            _item(dataset, index)
        for index in (n, n + 1):
            try:
                item = dataset[index]
            except IndexError:
                continue
            except Exception as error:
                raise Wrong(
                    f"A bad index raises {type(error).__name__}. A loop ends at IndexError alone."
                ) from None
            raise Wrong(f"`GridDataset({n})[{index}]` gives {kind(item)}: a loop would never end.")
    return (
        "A loop over your dataset ends by itself, and a loader cannot mix anything into a batch "
        "that is no sample. A wrong index is heard at once."
    )


@exercise(
    "02.4",
    "Count extrapolated points",
    "The training range runs from the smallest to the largest feature: `.min()` and `.max()`.",
    "A comparison such as `X_test > X_train.max()` gives one True or False for each row.",
    "`|` joins two such comparisons, in parentheses: one of both is enough. `.sum()` counts.",
)
def count_outside(outside: object) -> str:
    """Count the rows of X_test that lie outside of the range of X_train."""
    X_train = torch.tensor([[0.5], [0.2], [0.8], [0.6]])
    X_test = torch.tensor([-0.2, -0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]).unsqueeze(1)
    count = number("outside(X_train, X_test)", call("outside", outside, X_train, X_test))
    slips = {
        "Points left of the training range count as well, not only those on the right.": 3,
        "Points right of the training range count as well, not only those on the left.": 2,
        "A point on the edge is inside: the model was trained at that very x.": 7,
        "These are the points inside of the range. Turn the question around.": 6,
        "A new x between two training points is inside, although no row holds it.": 8,
        "The first and the last row are not the ends of a shuffled range.": 10,
        "No point is left and right of the range at once, and the range is that of `X_train`.": 0,
        "This is a share of the points. The exercise asks for their number.": 5 / 11,
        "This counts all test points. Which of them are outside?": 11,
    }
    refuse_slips(count, slips)
    if count != 5:
        raise Wrong("The count is off for points on both sides. Does it use the two arguments?")
    return (
        "All 10 test points of the cut lie outside, and none of the random split's. Ask this of "
        "each split before you believe its test error."
    )
