"""SplitExplorer: rows are torch.randperm's, lines are numpy's; the learner's code proves them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Node
from proofs import Sleeper, ask, move, numbers_in, rest, value_of

from course_utils.explorers.split import SplitExplorer
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()
SIZES = (10, 50, 200, 20_000)
FRACTIONS = [k / 100 for k in range(20, 91)]


def split(X, fraction, sequential, seed):
    rows = torch.arange(len(X))
    if not sequential:
        rows = torch.randperm(len(X), generator=torch.Generator().manual_seed(seed))
    n_train = round(fraction * len(X))
    return rows[:n_train], rows[n_train:]


def fit_line(X, y):
    dx, dy = X - X.mean(), y - y.mean()
    weight = (dx * dy).mean() / dx.square().mean()
    return weight, y.mean() - weight * X.mean()


@pytest.fixture(scope="module")
def explorer():
    return SplitExplorer(split, fit_line)


@pytest.fixture(scope="module")
def node():
    node = Node()
    yield node
    node.close()


def points(n, curvature, noise, **_):
    X = torch.arange(n).unsqueeze(1) / n
    draw = torch.randn(n, 1, generator=torch.Generator().manual_seed(420))
    return X, 0.2 + 0.8 * X + curvature * X**2 + noise * draw


def same(result, state, x, y):
    """Compare the page's rows with the learner's split, its line and RMSEs with numpy's."""
    share = state["fraction"], state["sequential"], state["seed"]
    train, test = (rows.numpy() for rows in split(x[:, None], *share))
    assert result["train"] == train.tolist()
    assert result["test"] == test.tolist()
    line = np.polyfit(x[train], y[train], 1)
    height = np.ptp(y) + 1e-9
    told = result["weight"] * x + result["bias"]
    np.testing.assert_allclose(told, np.polyval(line, x), rtol=0, atol=1e-9 * height)
    residuals = y - np.polyval(line, x)
    np.testing.assert_allclose(result["residuals"], residuals, atol=1e-9 * height)
    low, high = x[train].min(), x[train].max()
    assert (result["low"], result["high"]) == (low, high)
    inside = (x[test] >= low) & (x[test] <= high)
    parts = {"train": train, "between": test[inside], "beyond": test[~inside]}
    for name, rows in parts.items():
        if not len(rows):
            assert result["rmse"][name] is None
            continue
        right = np.sqrt(np.mean(residuals[rows] ** 2))
        assert result["rmse"][name] == pytest.approx(right, rel=1e-7, abs=1e-12 * height)
    assert result["between"] == parts["between"].tolist()
    assert result["beyond"] == parts["beyond"].tolist()
    [shown] = [one for one in result["splits"] if one["sequential"] == state["sequential"]]
    assert shown["rmse"] == result["rmse"]
    assert shown["rows"] == {name: len(rows) for name, rows in parts.items()}
    return parts, residuals


def both_rmses(result):
    """Return the RMSE on all rows to train and on all to test, from the page's residuals."""
    parts = ([result["residuals"][row] for row in result[name]] for name in ("train", "test"))
    return [np.sqrt(np.mean(np.square(part))) for part in parts]


def same_points(result, state):
    X, y = (column[:, 0].double().numpy() for column in points(**state))
    np.testing.assert_allclose(result["x"], X, rtol=1e-6)
    np.testing.assert_allclose(result["y"], y, rtol=1e-5, atol=2e-6)
    return same(result, state, np.array(result["x"]), np.array(result["y"]))


@settings(max_examples=80, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "sequential": st.booleans(),
            "fraction": st.sampled_from(FRACTIONS),
            "seed": st.integers(420, 9999),
            "n": st.sampled_from(SIZES[:3]),
            "curvature": st.integers(0, 10).map(lambda k: k / 10),
            "noise": st.integers(0, 15).map(lambda k: k / 100),
        }
    )
)
def test_rows_and_lines_are_torchs_and_numpys(node, explorer, values):
    result, said = node.ask(explorer, **values)
    same_points(result, values)
    assert "NaN" not in said
    assert "undefined" not in said
    assert "infinite" not in said


@pytest.mark.parametrize("sequential", [True, False])
@pytest.mark.parametrize("n", SIZES)
def test_corners(node, explorer, n, sequential):
    for curvature, noise in [(0, 0), (1, 0.15)]:
        for fraction in (0.2, 0.9):
            state = explorer.settings | {
                "n": n,
                "sequential": sequential,
                "curvature": curvature,
                "noise": noise,
                "fraction": fraction,
                "seed": 9999,
            }
            same_points(node.ask(explorer, **state)[0], state)


@pytest.mark.parametrize("n", SIZES[:3])
def test_every_fraction_is_rounded_as_python_does(node, explorer, n):
    for fraction in FRACTIONS:
        result, _ = node.ask(explorer, n=n, fraction=fraction)
        assert len(result["train"]) == round(fraction * n), fraction


def test_the_numbers_of_the_lesson(node, explorer):
    """0.1119 beyond the cut, 0.0395 after a random split; a straight truth can be extended."""
    result, said = node.ask(explorer)
    assert result["rmse"]["beyond"] == pytest.approx(0.1119, abs=1e-4)
    assert numbers_in(said) == [0.78, 0.112, 3.1, 0.0358]
    result, said = node.ask(explorer, sequential=False)
    assert result["rmse"]["between"] == pytest.approx(0.0395, abs=1e-4)
    assert numbers_in(said) == [0.0395, 0.0475, 0.98]
    result, _ = node.ask(explorer, curvature=0.0)
    assert result["rmse"]["beyond"] < 2 * result["rmse"]["train"]


def test_each_sentence(node, explorer):
    assert "asks nothing" in node.ask(explorer, sequential=False)[1]
    for seed in range(420, 470):
        result, said = node.ask(explorer, sequential=False, n=10, fraction=0.9, seed=seed)
        if not result["between"]:
            assert said.startswith("**Here the random split asks beyond**")
            break
    else:
        pytest.fail("no split of 50 tests the last row alone")
    result, said = node.ask(explorer, curvature=0.0, noise=0.0)
    assert numbers_in(said)[0] == 0.78


def test_split_and_fit_prove_the_picture():
    explorer = SplitExplorer(split, fit_line)
    for curvature, shown in [(0.0, "0.0219"), (0.6, "0.1119"), (1.0, "0.1946")]:
        result = explorer.set(curvature=curvature)
        assert f"{result.test_rmse:.4f}" == shown  # 02_dataset_dataloader
    assert explorer.proof.text == "the same rows and line; RMSE on all test rows 0.1946."
    for values in ({"n": 20_000, "sequential": False}, {"n": 10, "fraction": 0.9}):
        move(explorer, **values)
        assert rest(explorer)["kind"] == "agrees"
    assert "line" not in explorer.page.proof


def shifted(X, fraction, sequential, seed):
    train, test = split(X, fraction, sequential, seed + 1)
    return test, train


def through_0(X, y):
    return (X * y).sum() / (X * X).sum(), 0.0


WRONG_SPLITS = [
    (shifted, "departs", "it takes other rows: 10 to train, 40 to test."),
    (lambda *s: [rows[:5] for rows in split(*s)], "departs", "5 to train, 5 to test."),
    (lambda *s: (split(*s)[0], split(*s)[1][1:]), "departs", "40 to train, 9 to test."),
    (lambda *_: None, "error", "split returned a NoneType, expected train_rows, test_rows"),
    (lambda *_: (range(5), range(4, 50)), "error", "both parts hold row 4 (1 in all)"),
    (lambda *_: (range(5), range(5, 51)), "error", "test_rows runs from 5 to 50, expected 0 to 49"),
    (lambda *_: (range(50), []), "error", "test_rows has shape (0,), expected (1,) or more"),
    (lambda X, *_: (X[:5], X[5:]), "error", "train_rows has shape (5, 1)"),
    (lambda *_: ([0.5, 1.5], [3]), "error", "train_rows holds float64, expected row numbers"),
    (lambda *_: ([0], range(1, 50)), "error", "expected two numbers: weight and bias"),
    (lambda *_: [][0], "error", "IndexError: list index out of range"),
]
WRONG_FITS = [
    (through_0, "departs", "its line (dotted) has slope 1.544, least squares 1.26."),
    (lambda X, y: None, "error", "fit_line returned None, expected two numbers: weight and bias"),
    (lambda X, y: 2.0, "error", "fit_line returned 2.0, expected two numbers"),
    (lambda X, y: (1, 2, 3), "error", "fit_line returned (1, 2, 3), expected two numbers"),
    (lambda X, y: (torch.nan, 0), "error", "expected two numbers: weight and bias"),
    (lambda X, y: (torch.zeros(2), 0), "error", "expected two numbers"),
    (lambda X, y: 1 / 0, "error", "ZeroDivisionError: division by zero"),
]


@pytest.mark.parametrize(("wrong", "kind", "sentence"), WRONG_SPLITS)
def test_a_wrong_split_is_told_and_heals(wrong, kind, sentence):
    broken = [True]
    explorer = SplitExplorer(lambda *s: (wrong if broken[0] else split)(*s), fit_line)
    told_and_heals(explorer, broken, kind, sentence)


@pytest.mark.parametrize(("wrong", "kind", "sentence"), WRONG_FITS)
def test_a_wrong_fit_is_told_and_heals(wrong, kind, sentence):
    broken = [True]
    explorer = SplitExplorer(split, lambda X, y: (wrong if broken[0] else fit_line)(X, y))
    told_and_heals(explorer, broken, kind, sentence)


def told_and_heals(explorer, broken, kind, sentence):
    proof = rest(explorer)
    assert (proof["kind"], sentence in proof["text"]) == (kind, True), proof
    assert ("line" in proof) == (kind == "departs")
    assert explorer.still(explorer.settings).to_png()
    broken[0] = False
    move(explorer, fraction=0.5)
    assert rest(explorer)["kind"] == "agrees"


def test_a_split_that_sleeps_is_stopped_by_newer_settings():
    sleeper = Sleeper()
    explorer = SplitExplorer(lambda *s: sleeper() if s[1] == 0.8 else split(*s), fit_line)
    ask(explorer)
    assert sleeper.began.wait(5)
    move(explorer, fraction=0.7)
    assert rest(explorer)["kind"] == "agrees"
    assert sleeper.ended.wait(5)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"sequential": False},
        {"n": 10, "fraction": 0.9, "noise": 0.15},
        {"n": 20_000, "seed": 500, "sequential": False},
    ],
)
def test_the_cell_of_a_state_gives_the_shown_rmses(node, explorer, values):
    state = explorer.settings | values
    result, _ = node.ask(explorer, **values)
    found = value_of(explorer.as_code(state), torch=torch, split=split, fit_line=fit_line)
    np.testing.assert_allclose(found, both_rmses(result), rtol=1e-3)


def test_a_state_is_a_text():
    explorer = SplitExplorer(split, fit_line)
    before = explorer.state
    assert before == "sequential=true&fraction=0.8&seed=420&n=50&curvature=0.6&noise=0.02"
    other = "sequential=false&fraction=0.35&seed=431&n=20000&curvature=0.1&noise=0.15"
    explorer.set(other)
    assert explorer.state == other
    explorer.set(before)
    assert explorer.state == before


def test_bad_input():
    with pytest.raises(InputError, match="split is a str, expected a function"):
        SplitExplorer("split", fit_line)
    with pytest.raises(InputError, match="fit_line is a NoneType, expected a function"):
        SplitExplorer(split, None)
    explorer = SplitExplorer(split, fit_line)
    for wrong, sentence in [
        ({"fraction": 1}, "fraction cannot be 1: choose from 0.2 to 0.9"),
        ({"n": 51}, "n cannot be 51"),
        ({"part": 0.5}, "control is 'part', expected one of"),
    ]:
        with pytest.raises(InputError, match=sentence):
            explorer.set(**wrong)


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    explorer = SplitExplorer(split, fit_line)
    explorer.set(sequential=False)
    explorer.still(explorer.settings)
    assert torch.equal(before, torch.get_rng_state())
