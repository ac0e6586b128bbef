"""BatchExplorer: the page deals as a real DataLoader does; arrows are autograd's gradients."""

import itertools
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Node
from proofs import Sleeper, ask, move, numbers_in, rest, value_of
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from course_utils import datasets
from course_utils.explorers.batch import LARGEST_BATCH, BatchExplorer
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()


def points(n=200):
    return TensorDataset(*datasets.make_line(n, noise=0.5))


@pytest.fixture(scope="module")
def node():
    node = Node()
    yield node
    node.close()


def dealt(n, size, shuffle, drop, epoch, seed=420):
    """Return the batches that a DataLoader serves in this epoch, as lists of rows."""
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(range(n), size, shuffle=shuffle, drop_last=drop, generator=generator)
    for _ in range(epoch):
        batches = [batch.tolist() for batch in loader]
    return batches


def gradient(dataset, rows):
    """Return the gradient of the MSE at weight 0 and bias 0, by autograd in float64."""
    X, y = (column[rows].double() for column in dataset.tensors)
    parameters = [torch.zeros(1, dtype=X.dtype, requires_grad=True) for _ in range(2)]
    loss = torch.nn.functional.mse_loss(parameters[0] * X + parameters[1], y)
    return np.array([g.item() for g in torch.autograd.grad(loss, parameters)])


def same_batches(node, explorer, values):
    """Compare page and loader step by step; return what the page computes for the settings."""
    state = explorer.settings | values
    n = len(explorer.page.given["x"])
    size, drop = state["batch_size"], state["drop_last"]
    batches = dealt(n, size, state["shuffle"], drop, state["epoch"])
    result, said = node.ask(explorer, **values)
    step = min(state["step"], len(batches))
    assert (result["count"], result["step"], result["rows"]) == (
        len(batches),
        step,
        batches[step - 1],
    )
    order = result["order"]
    assert [order[k : k + size] for k in range(0, len(batches) * size, size)] == batches
    assert sorted(result["leftOut"]) == sorted(set(range(n)) - set(itertools.chain(*batches)))
    assert not result["leftOut"] or drop
    assert "NaN" not in said
    assert "undefined" not in said
    return result, said, batches


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rows_are_those_of_a_real_loader(node, data):
    n = data.draw(st.integers(1, 70))
    explorer = BatchExplorer(points(n))
    values = {
        "batch_size": data.draw(st.integers(1, n)),
        "shuffle": data.draw(st.booleans()),
        "drop_last": data.draw(st.booleans()),
        "epoch": data.draw(st.integers(1, 5)),
        "step": data.draw(st.integers(1, n)),
    }
    same_batches(node, explorer, values)


@pytest.mark.parametrize("size", [1, 7, 16, 199, 200])
def test_corners(node, size):
    explorer = BatchExplorer(points())
    both = True, False
    for shuffle, drop, epoch, step in itertools.product(both, both, (1, 5), (1, 200)):
        values = {"batch_size": size, "shuffle": shuffle, "drop_last": drop, "epoch": epoch}
        same_batches(node, explorer, values | {"step": step})


def test_20_000_rows(node):
    explorer = BatchExplorer(points(20_000))
    assert explorer.controls["batch_size"].max == LARGEST_BATCH
    began = time.perf_counter()
    same_batches(node, explorer, {"batch_size": 1000, "epoch": 5, "step": 20})
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("size", [1, 16, 200])
def test_arrows_are_the_gradients_of_autograd(node, size):
    dataset = points()
    values = {"batch_size": size, "epoch": 2, "step": 3}
    result, said, batches = same_batches(node, BatchExplorer(dataset), values)
    rate, all_rows = result["rate"], list(range(200))
    assert rate == 0.2
    exact = gradient(dataset, all_rows)
    np.testing.assert_allclose(result["all"], -rate * exact, rtol=1e-12)
    arrows = [-rate * gradient(dataset, rows) for rows in batches]
    np.testing.assert_allclose(result["arrows"], arrows, rtol=1e-11, atol=1e-14)
    mine = arrows[min(3, len(batches)) - 1]
    assert result["arrow"] == pytest.approx(mine, rel=1e-11)
    cosine = mine @ -exact / np.linalg.norm(mine) / np.linalg.norm(exact)
    assert result["angle"] == pytest.approx(np.degrees(np.arccos(min(cosine, 1))), abs=1e-5)
    ratio = np.linalg.norm(mine) / np.linalg.norm(rate * exact)
    assert result["ratio"] == pytest.approx(ratio, rel=1e-11)
    typical = dict(result["typical"])
    assert set(typical) == {1, 4, 16, 64, 200}
    assert typical[200] == pytest.approx(0, abs=1e-12)
    assert typical[1] > typical[4] > typical[16] > typical[64]
    if size == 200:
        assert said == "**All 200 rows: not a guess**, the arrow is exact. 1 batch an epoch."
    else:
        told = [size, 200, result["angle"], ratio, size, 100 * typical[size], len(batches)]
        np.testing.assert_allclose(numbers_in(said)[:7], told, atol=0.51)


def test_a_typical_batch_is_the_root_of_the_mean_square_over_all_batches(node):
    dataset = points(8)
    exact = gradient(dataset, list(range(8)))
    for size in (1, 3, 4, 7):
        every = [gradient(dataset, list(rows)) for rows in itertools.combinations(range(8), size)]
        far = np.linalg.norm(np.array(every) - exact, axis=1) / np.linalg.norm(exact)
        typical = dict(node.ask(BatchExplorer(dataset), batch_size=size)[0]["typical"])
        assert typical[size] == pytest.approx(np.sqrt(np.mean(far**2)), rel=1e-9)


def test_a_typical_batch_misses_as_notebook_02_measures_it(node):
    X, y = datasets.load_penguins()
    dataset = TensorDataset(X / 10 - 20, y / 1000 - 3.5)
    generator, everyone = torch.Generator().manual_seed(420), gradient(dataset, list(range(342)))
    for size, told in dict(node.ask(BatchExplorer(dataset))[0]["typical"]).items():
        guesses = [
            gradient(dataset, torch.randperm(342, generator=generator)[:size]) for _ in range(1000)
        ]
        far = np.linalg.norm(np.array(guesses) - everyone, axis=1) / np.linalg.norm(everyone)
        assert told == pytest.approx(np.sqrt(np.mean(far**2)), rel=0.06, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "end"),
    [
        ({"step": 13}, "13 batches an epoch, the last of 8 rows."),
        ({"drop_last": True}, "12 batches an epoch, 8 rows left out."),
        ({"drop_last": True, "batch_size": 199}, "1 batch an epoch, 1 row left out."),
        ({"batch_size": 50}, "4 batches an epoch."),
    ],
)
def test_the_sentence_counts(node, values, end):
    result, said = node.ask(BatchExplorer(points()), **values)
    assert said.endswith(end)
    who = "1 row guesses" if len(result["rows"]) == 1 else f"{len(result['rows'])} rows guess"
    assert said.startswith(f"**{who} what all 200 know**")


def test_unscaled_features_keep_the_arrow_in_sight(node):
    X, y = datasets.load_penguins()
    result, said = node.ask(BatchExplorer(TensorDataset(X, y)))
    surface, reach = result["surface"], np.hypot(*result["all"])
    assert result["rate"] == 5e-06
    assert reach < np.hypot(surface["weight"], surface["bias"])
    assert "NaN" not in said


def test_equal_targets_of_0(node):
    dataset = TensorDataset(torch.rand(5, 1), torch.zeros(5, 1))
    result, said = node.ask(BatchExplorer(dataset), batch_size=2)
    assert result["all"] == [0, 0]
    assert numbers_in(said)[:6] == [2, 5, 0, 0, 2, 0]


class Changing(Dataset):
    """Points that a flag breaks in one way."""

    def __init__(self, wrong=None):
        self.X, self.y = datasets.make_line(40)
        self.wrong, self.broken = wrong, False

    def __len__(self):
        return 40

    def __getitem__(self, row):
        if self.broken:
            return self.wrong(self.X[row], self.y[row])
        return self.X[row], self.y[row]


def drawn(x, y):
    return x, y + torch.randn(1)


@pytest.mark.parametrize(
    ("wrong", "kind", "sentence"),
    [
        (drawn, "departs", "other values than before: does __getitem__ draw?"),
        (lambda x, y: (x + 1, y), "departs", "other values than before"),
        (lambda x, y: (x, y * torch.nan), "error", "y holds nan in row 0"),
        (lambda x, y: (x, y, y), "error", "dataset[row] returned 3 values, expected x, y"),
        (lambda x, y: x, "error", "dataset[row] returned a Tensor, expected x, y"),
        (lambda x, y: (x[0], y[0]), "error", "X has shape (16,), expected (16, 1)"),
        (lambda x, y: None, "error", "TypeError: default_collate"),
        (lambda x, y: 1 / 0, "error", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_wrong_dataset_is_told_and_heals(wrong, kind, sentence):
    dataset = Changing(wrong)
    explorer = BatchExplorer(dataset)
    dataset.broken = True
    proof = rest(explorer)
    assert (proof["kind"], sentence in proof["text"]) == (kind, True), proof
    assert ("x" in proof) == (kind == "departs")
    assert explorer.still(explorer.settings).to_png()
    dataset.broken = False
    move(explorer, step=2)
    assert rest(explorer)["kind"] == "agrees"


def test_a_dataset_that_sleeps_is_stopped_by_newer_settings():
    sleeper = Sleeper()
    dataset = Changing(sleeper)
    explorer = BatchExplorer(dataset)
    dataset.broken = True
    ask(explorer)
    assert sleeper.began.wait(5)
    dataset.broken = False
    move(explorer, step=2)
    assert rest(explorer)["kind"] == "agrees"
    assert sleeper.ended.wait(5)


def test_a_loader_proves_the_batch():
    explorer = BatchExplorer(points())
    assert explorer.set(shuffle=False, step=13) == list(range(192, 200))
    assert explorer.proof.text == "a real DataLoader hands out these rows, X_batch (8, 1)."
    assert explorer.set(shuffle=True, step=200, epoch=3) == dealt(200, 16, True, False, 3)[-1]
    part = Subset(points(), range(50, 90))
    assert len(BatchExplorer(part).set(batch_size=40, drop_last=True)) == 40


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"step": 200},
        {"shuffle": False, "step": 13},
        {"epoch": 5, "drop_last": True, "batch_size": 48, "step": 4},
    ],
)
def test_the_cell_of_a_state_serves_the_shown_batch(node, values):
    dataset = points()
    explorer = BatchExplorer(dataset)
    state = explorer.settings | values
    result, _ = node.ask(explorer, **values)
    found = value_of(explorer.as_code(state), torch=torch, dataset=dataset)
    x = [explorer.page.given["x"][row] for row in result["rows"]]
    assert found == (result["count"], len(x), min(x), max(x))


def test_a_state_is_a_text():
    explorer = BatchExplorer(points())
    before = explorer.state
    assert before == "batch_size=16&shuffle=true&drop_last=false&epoch=1&step=1"
    explorer.set("batch_size=64&shuffle=false&drop_last=true&epoch=5&step=3")
    assert explorer.state == "batch_size=64&shuffle=false&drop_last=true&epoch=5&step=3"
    explorer.set(before)
    assert explorer.state == before


def test_bad_input():
    explorer = BatchExplorer(points(5))
    for wrong, sentence in [
        ({"batch_size": 6}, "batch_size cannot be 6: choose from 1 to 5"),
        ({"epoch": 0}, "epoch cannot be 0: choose from 1 to 5"),
        ({"shuffle": "often"}, "shuffle cannot be 'often'"),
        ({"size": 1}, "control is 'size', expected one of"),
    ]:
        with pytest.raises(InputError, match=sentence):
            explorer.set(**wrong)
    for dataset, sentence in [
        (None, "dataset is a NoneType, expected one with __len__ and __getitem__"),
        (TensorDataset(torch.zeros(0, 1), torch.zeros(0, 1)), "dataset is empty"),
        ([torch.zeros(1)], r"dataset\[0\] is a Tensor, expected pairs"),
        ([(torch.zeros(1), torch.zeros(1), 0)], r"dataset\[0\] is a tuple, expected pairs"),
        (TensorDataset(torch.zeros(3), torch.zeros(3)), r"X has shape \(3,\), expected \(3, 1\)"),
        (TensorDataset(torch.zeros(3, 1), torch.full((3, 1), torch.nan)), "y holds nan in row 0"),
        (TensorDataset(torch.zeros(3, 1).int(), torch.zeros(3, 1)), "X has dtype torch.int32"),
    ]:
        with pytest.raises(InputError, match=sentence):
            BatchExplorer(dataset)


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    explorer = BatchExplorer(points())
    explorer.set(epoch=2)
    explorer.still(explorer.settings)
    assert torch.equal(before, torch.get_rng_state())
