"""BatchExplorer: the rows of a batch are those that the learner's own loader hands out."""

import math

import numpy as np
import pytest
import torch
from test_explorers import run
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, random_split

from course_utils import datasets
from course_utils.explorers.batch import BatchExplorer
from course_utils.inputs import InputError


class Items(Dataset):
    """The dataset a learner writes in the course."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index], self.y[index]


def loop(dataset, epoch, **options):
    """Return the batches of an epoch as the learner's loop gets them."""
    generator = torch.Generator().manual_seed(420)
    loader = DataLoader(dataset, generator=generator, **options)
    for _ in range(epoch):
        batches = list(loader)
    return batches


@pytest.mark.parametrize("n", [2, 200, 20_000])
@pytest.mark.parametrize("kind", [Items, TensorDataset])
def test_batch_explorer(n, kind):
    dataset = kind(*datasets.make_line(n))
    explorer = BatchExplorer(dataset)
    last = -(-n // explorer.settings["batch_size"])
    explorer.set(epoch=2, step=last)
    explorer.settle()
    assert explorer.verdict.agrees, explorer.page.text
    X_batch, y_batch = loop(dataset, 2, batch_size=min(16, n), shuffle=True)[-1]
    np.testing.assert_array_equal(explorer._by_value["this batch"].x, X_batch[:, 0])
    np.testing.assert_array_equal(explorer._by_value["this batch"].y, y_batch[:, 0])
    drawn = sum(len(mark.x) for mark in explorer._by_place.values())
    assert drawn == n if n <= 2_000 else drawn <= 2_016
    assert ("of them drawn" in explorer.page.text) == (n == 20_000)
    assert f"Step {last:,} of {last:,}: {len(X_batch)} rows of {n:,}" in explorer.page.text
    steps, size, low, high = run(explorer.as_code(explorer.settings), dataset=dataset)
    assert (steps, size, low, high) == (last, len(X_batch), X_batch.min(), X_batch.max())
    assert f"x from {low:.3f} to {high:.3f}" in explorer.page.text
    chart = explorer.still(explorer.result)
    assert chart.summary == explorer.summary(explorer.result)
    roles = {series.name: series.role for series in chart.series}
    assert roles.get("other data", "data") == "data", "blue as in the live picture"
    assert "this batch" in roles


@pytest.mark.parametrize("epoch", [1, 3])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 7, 50])
def test_every_batch_of_an_epoch_is_the_loaders(batch_size, shuffle, drop_last, epoch):
    dataset = TensorDataset(*datasets.make_line(50))
    explorer = BatchExplorer(dataset)
    options = {"batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
    batches = loop(dataset, epoch, **options)
    for step, (X_batch, _) in enumerate(batches, start=1):
        result = explorer.compute({**options, "epoch": epoch, "step": step})
        np.testing.assert_array_equal(dataset.tensors[0][result.rows], X_batch)
        assert result.steps == len(batches)
        used = 50 // batch_size * batch_size if drop_last else 50
        assert len(result.left_out) == 50 - used
        assert sorted([*result.order, *result.left_out]) == list(range(50))
    count = math.floor if drop_last else math.ceil
    assert len(batches) == count(50 / batch_size)


def test_the_step_slider_ends_where_the_epoch_ends():
    explorer = BatchExplorer(TensorDataset(*datasets.make_line()))
    explorer.set(step=13)
    explorer.set(drop_last=True)
    explorer.settle()
    assert (explorer.settings["step"], explorer._step.max, explorer._play.max) == (12, 12, 12)
    assert "200 / 16 = 12.5, rounded down: 12 steps an epoch, 8 rows left out." in (
        explorer.page.text
    )
    assert set(explorer._by_place["left out"].x) == {196.0}
    assert set(explorer._by_place["left out"].y) == set(explorer.result.left_out)
    explorer.set(batch_size=1, step=200)
    explorer.settle()
    assert explorer.result.rows.shape == (1,)
    with pytest.raises(InputError, match="step cannot be 201: choose from 1 to 200"):
        explorer.set(step=201)
    explorer.set(batch_size=200)
    explorer.settle()
    assert "200 / 200 = 1: 1 steps an epoch" not in explorer.page.text
    assert "200 / 200 = 1: 1 step an epoch" in explorer.page.text
    assert len(explorer._by_value["to come"].x) == 0
    assert explorer.still(explorer.result).to_png().startswith(b"\x89PNG")
    explorer.reset()
    assert repr(explorer) == (
        "BatchExplorer(batch_size=16, shuffle=True, drop_last=False, epoch=1, step=1)"
    )


def test_a_split_of_penguins():
    generator = torch.Generator().manual_seed(420)
    train_set, _ = random_split(
        TensorDataset(*datasets.load_penguins()), [300, 42], generator=generator
    )
    explorer = BatchExplorer(train_set, xlabel="flipper length (mm)", ylabel="body mass (g)")
    explorer.set(batch_size=64, step=5)
    explorer.settle()
    assert explorer.verdict.agrees
    assert "300 / 64 = 4.69, rounded up: 5 steps an epoch, the last with 44 rows" in (
        explorer.page.text
    )
    scales = explorer._by_value["this batch"].scales
    assert scales["x"].min < train_set[:][0].min()
    assert scales["y"].max > train_set[:][1].max()
    assert explorer.still(explorer.result).ylabel == "body mass (g)"


def test_a_dataset_that_breaks_is_shown_and_heals():
    class Breaks(Items):
        broken = False

        def __getitem__(self, index):
            if self.broken:
                raise KeyError("no such file")
            return super().__getitem__(index)

    dataset = Breaks(*datasets.make_line())
    explorer = BatchExplorer(dataset)
    explorer.settle()
    dataset.broken = True
    explorer.set(step=2)
    explorer.settle()
    assert explorer.page.state == "error"
    assert explorer.page.text.startswith("KeyError: 'no such file'")
    assert explorer.result.step == 2, "the batch is drawn all the same"
    dataset.broken = False
    explorer.set(step=3)
    explorer.settle()
    assert explorer.page.state == "agrees"


def test_a_dataset_that_draws_at_random_departs():
    class Restless(Items):
        def __getitem__(self, index):
            return self.X[index] + np.random.default_rng().normal(), self.y[index]

    explorer = BatchExplorer(Restless(*datasets.make_line()))
    explorer.settle()
    assert explorer.page.state == "departs"
    assert "does __getitem__ draw at random?" in explorer.page.text


def test_the_global_generator_is_left_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    explorer = BatchExplorer(TensorDataset(*datasets.make_line()))
    explorer.set(step=5, epoch=3)
    explorer.settle()
    assert torch.equal(before, torch.get_rng_state())


class Stream(IterableDataset):
    def __iter__(self):
        return iter([])


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        (None, "dataset is a NoneType, expected one with __len__"),
        (Stream(), "dataset is a Stream, expected one with __len__"),
        ([], "dataset is empty, expected one pair"),
        (["a", "b"], r"dataset\[0\] is a str, expected pairs"),
        ([1.0, 2.0], r"dataset\[0\] is a float, expected pairs"),
        ([(1.0, 2.0)], r"X has shape \(1,\), expected \(1, 1\): add .unsqueeze"),
        (TensorDataset(torch.zeros(4, 1)), r"dataset\[0\] is a tuple, expected pairs"),
        (TensorDataset(torch.zeros(4, 3), torch.zeros(4, 1)), r"X has shape \(4, 3\)"),
        (TensorDataset(torch.full((4, 1), math.nan), torch.zeros(4, 1)), "X holds nan in row 0"),
        (TensorDataset(torch.zeros(4, 1), torch.zeros(4, 1).long()), "y has dtype torch.int64"),
    ],
)
def test_what_is_no_dataset_of_pairs(dataset, sentence):
    with pytest.raises(InputError, match=sentence):
        BatchExplorer(dataset)


def test_one_item_and_equal_features():
    explorer = BatchExplorer(TensorDataset(torch.ones(1, 1), torch.ones(1, 1)))
    explorer.set(drop_last=True)
    explorer.settle()
    assert explorer.page.text.startswith("Step 1 of 1: 1 row of 1, x from 1.000 to 1.000.")
    with pytest.raises(InputError, match="seed is -1"):
        BatchExplorer(TensorDataset(torch.ones(1, 1), torch.ones(1, 1)), seed=-1)
