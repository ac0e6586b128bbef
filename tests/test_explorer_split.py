"""SplitExplorer: the learner's split and fit, measured inside and outside the training range."""

import re

import numpy as np
import pytest
import torch
from test_explorers import run

from course_utils import datasets
from course_utils.explorers.split import SplitExplorer
from course_utils.inputs import InputError


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


def shown(explorer):
    """Return the RMSEs of training and test as the summary tells them."""
    return [
        float(e.rstrip("."))
        for e in re.findall(r"points(?: \(.*?\))?, RMSE ([\d.e-]+)", explorer.page.text)
    ]


@pytest.mark.parametrize("sequential", [True, False])
@pytest.mark.parametrize("n", [10, 200, 20_000])
def test_split_explorer(n, sequential):
    explorer = SplitExplorer(split, fit_line)
    explorer.set(n=n, sequential=sequential, curvature=0.9, noise=0.1, seed=7)
    explorer.settle()
    found = run(explorer.as_code(explorer.settings), split=split, fit_line=fit_line)
    np.testing.assert_allclose(shown(explorer), found, rtol=1e-3)
    result = explorer.result
    expected = np.polyfit(result.X[result.train, 0], result.y[result.train, 0], 1)
    np.testing.assert_allclose(result.line, expected, rtol=1e-3)
    line = explorer._lines[0]
    assert (line.y[1] - line.y[0]) / (line.x[1] - line.x[0]) == pytest.approx(expected[0], rel=1e-3)
    assert len(explorer._train[0].x) == min(n * 4 // 5, 2_000)
    assert ("of them drawn" in explorer.page.text) == (n == 20_000)
    np.testing.assert_allclose(
        explorer._test[1].y,
        explorer._test[0].y - result.line[0] * explorer._test[0].x - result.line[1],
        atol=1e-9,
    )


def test_the_cut_extrapolates_and_the_random_split_does_not():
    """The numbers of the lesson: 0.1119 after the cut, 0.0395 after a random split."""
    explorer = SplitExplorer(split, fit_line)
    explorer.settle()
    assert explorer.page.text.endswith(
        "10 test points, RMSE 0.1119: 0 inside the training range, 10 outside of it (RMSE 0.1119)."
    )
    assert [mark.x[0] for mark in explorer._range] == pytest.approx([0, 0, 0.78, 0.78])
    assert [mark.scales["x"] for mark in explorer._range] == 2 * [
        mark.scales["x"] for mark in explorer._lines
    ]
    explorer.set(sequential=False)
    explorer.settle()
    assert "10 inside the training range (RMSE 0.03954), 0 outside of it" in explorer.page.text
    explorer.set(sequential=True, curvature=0.0)
    explorer.settle()
    train, test = shown(explorer)
    assert test < 2 * train, "a straight truth can be extended"


def test_residuals_inside_and_outside_make_up_the_rmse_of_the_test():
    explorer = SplitExplorer(split, fit_line)
    mixed = 0
    for seed in range(30):
        result = explorer.compute(explorer.settings | {"seed": seed, "sequential": False})
        inside = result.test[result.is_inside[result.test]]
        outside = result.test[~result.is_inside[result.test]]
        squares = sum(len(rows) * result.rmse(rows) ** 2 for rows in (inside, outside) if len(rows))
        assert squares / len(result.test) == pytest.approx(result.rmse(result.test) ** 2)
        mixed += len(outside) > 0
    assert mixed > 0


def test_a_split_that_leaves_no_row_to_test_is_a_picture_with_a_sentence():
    explorer = SplitExplorer(split, fit_line)
    explorer.set(n=10, fraction=0.95, sequential=False)
    explorer.settle()
    assert explorer.page.state == "shown"
    assert explorer.page.text.startswith("10 training points, RMSE 0.0")
    assert explorer.page.text.endswith(
        "No row is left to test: move train part down, or take more points."
    )
    assert (len(explorer._train[0].x), len(explorer._test[0].x)) == (10, 0)
    found = run(explorer.as_code(explorer.settings), split=split, fit_line=fit_line)
    np.testing.assert_allclose(shown(explorer), found, rtol=1e-3)


def test_new_split_takes_the_next_number():
    explorer = SplitExplorer(split, fit_line)
    explorer.set(sequential=False)
    explorer.settle()
    before = explorer.result.test
    explorer.widget.children[0].children[-1].click()
    explorer.settle()
    assert explorer.settings["seed"] == 421
    assert set(before) != set(explorer.result.test)


def test_penguins():
    X, y = datasets.load_penguins()
    labels = {"xlabel": "flipper length (mm)", "ylabel": "body mass (g)"}
    explorer = SplitExplorer(split, fit_line, X, y, **labels)
    explorer.settle()
    assert explorer.settings == {"sequential": True, "fraction": 0.8, "seed": 420}
    assert (explorer.result.X.diff(dim=0) >= 0).all()
    assert re.search(r"68 test points, RMSE [\d.]+ g: 1 inside", explorer.page.text)
    found = run(explorer.as_code(explorer.settings), split=split, fit_line=fit_line, X=X, y=y)
    np.testing.assert_allclose(shown(explorer), found, rtol=1e-3)
    scale = explorer._test[0].scales["y"]
    assert scale.min < y.min() < y.max() < scale.max
    residuals, ends = explorer.result.residuals, explorer._test[1].scales["y"]
    assert ends.min < residuals.min() < residuals.max() < ends.max
    chart = explorer.still(explorer.result)
    assert (chart.ylabel, chart.summary) == ("body mass (g)", explorer.page.text)


@pytest.mark.parametrize(
    ("bad_split", "sentence"),
    [
        (lambda *_: None, "split returned a NoneType, expected train_rows, test_rows"),
        (lambda *_: (range(5), range(4, 50)), r"both parts hold row 4 \(1 in all\)"),
        (lambda *_: (range(5), range(5, 51)), "test_rows runs from 5 to 50, expected 0 to 49"),
        (lambda *_: (range(50), []), r"test_rows has shape \(0,\), expected \(1,\) or more"),
        (lambda X, *_: (X[:5], X[5:]), r"train_rows has shape \(5, 1\)"),
        (lambda *_: ([0.5, 1.5], [3]), "train_rows holds float64, expected row numbers such as 7"),
        (lambda *_: ([0], range(1, 50)), "weight is nan, expected a finite number"),
        (lambda *_: [][0], "IndexError: list index out of range"),
    ],
)
def test_what_is_wrong_with_a_split_is_shown_and_heals(bad_split, sentence):
    broken = [False]

    def chosen(*settings):
        return bad_split(*settings) if broken[0] else split(*settings)

    explorer = SplitExplorer(chosen, fit_line)
    explorer.settle()
    broken[0] = True
    explorer.set(seed=1)
    explorer.settle()
    assert explorer.page.state == "error"
    assert re.search(sentence, explorer.page.text), explorer.page.text
    broken[0] = False
    explorer.set(seed=2)
    explorer.settle()
    assert explorer.page.state == "shown"


def test_what_is_wrong_with_a_fit_is_shown():
    explorer = SplitExplorer(split, lambda X, y: (torch.zeros(2), torch.zeros(1)))
    explorer.settle()
    assert explorer.page.state == "error"
    explorer = SplitExplorer(split, lambda X, y: 2.0)
    explorer.settle()
    assert explorer.page.text.startswith("TypeError: cannot unpack")


def test_bad_input():
    with pytest.raises(InputError, match="split is a str, expected a function"):
        SplitExplorer("split", fit_line)
    with pytest.raises(InputError, match="fit_line is a NoneType, expected a function"):
        SplitExplorer(split, None)
    with pytest.raises(InputError, match="y has 3 rows"):
        SplitExplorer(split, fit_line, torch.zeros(4, 1), torch.zeros(3, 1))
    with pytest.raises(InputError, match=r"X has shape \(4,\)"):
        SplitExplorer(split, fit_line, torch.zeros(4), torch.zeros(4))
    two = SplitExplorer(split, fit_line, torch.rand(2, 1), torch.rand(2, 1))
    two.settle()
    assert "No row is left to test: move train part down" in two.page.text


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    SplitExplorer(split, fit_line).settle()
    assert torch.equal(before, torch.get_rng_state())
