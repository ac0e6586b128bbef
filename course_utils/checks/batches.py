"""Checks of exercises on datasets, splits and batches."""

import torch
from torch.utils.data import Subset, random_split

from course_utils.checks.judging import Wrong, exercise, kind, numbers


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
