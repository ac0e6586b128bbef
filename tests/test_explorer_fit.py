"""FitExplorer: the page's polynomials are numpy's Chebyshev fits; the learner's fit proves them."""

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebvander
from pages import Node
from proofs import Sleeper, ask, move, numbers_in, rest, value_of

from course_utils import datasets
from course_utils.explorers.fit import HELD, ROWS, SIZES, FitExplorer, rows_of
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()


def fit(X, y, degree):
    powers = torch.arange(degree + 1)
    coefficients = torch.linalg.lstsq(X.double() ** powers, y.double()).solution
    return lambda X_new: X_new.double() ** powers @ coefficients


@pytest.fixture(scope="module")
def explorer():
    return FitExplorer(fit)


@pytest.fixture(scope="module")
def node():
    node = Node()
    yield node
    node.close()


def same(result, values):
    """Compare points with the kernel's, and the RMSE of every degree with Chebyshev fits."""
    made = datasets.make_curve(n=ROWS, noise=values["noise"], seed=values["seed"])
    X, y = (column[:, 0].double().numpy() for column in made)
    np.testing.assert_allclose(result["xVal"], X[:HELD], rtol=1e-6)
    np.testing.assert_allclose(result["yVal"], y[:HELD], rtol=1e-4, atol=3e-6)
    x, targets = np.array(result["x"]), np.array(result["y"])
    assert len(x) == values["n"]
    assert np.abs(x).max() <= 1.6
    x_val, y_val = np.array(result["xVal"]), np.array(result["yVal"])
    inside = (x_val >= x.min()) & (x_val <= x.max())
    assert (result["between"], result["beyond"]) == (inside.sum(), (~inside).sum())
    top = min(15, values["n"] - 1)
    assert result["top"] == top
    assert result["degree"] == min(values["degree"], top)
    size = np.ptp(targets)

    def scaled(points):
        return 2 * (points - x.min()) / np.ptp(x) - 1

    for degree in range(1, top + 1):
        curve = Chebyshev.fit(x, targets, degree)
        condition = np.linalg.cond(chebvander(scaled(x), degree))
        reach = np.abs(chebvander(scaled(x_val), degree)).max()
        own, new = curve(x) - targets, curve(x_val) - y_val
        for name, residuals in {
            "train": own,
            "all": new,
            "between": new[inside],
            "beyond": new[~inside],
        }.items():
            if not len(residuals):
                assert result["rmse"][name] is None
                continue
            right = np.sqrt(np.mean(residuals**2))
            found = result["rmse"][name][degree - 1]
            close = {"rel": max(1e-8, 1e-12 * condition), "abs": 1e-13 * condition * size * reach}
            assert found == pytest.approx(right, **close), (name, degree)


@settings(max_examples=50, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "degree": st.integers(1, 15),
            "noise": st.integers(0, 20).map(lambda k: k / 20),
            "n": st.sampled_from([n for n in SIZES if n <= 200]),
            "seed": st.integers(420, 439),
        }
    )
)
def test_every_degree_is_numpys(node, explorer, values):
    result, said = node.ask(explorer, **values)
    same(result, values)
    assert "NaN" not in said
    assert "undefined" not in said


@pytest.mark.parametrize("n", [5, 1000])
def test_corners(node, explorer, n):
    for degree, noise, seed in [(1, 0.0, 420), (15, 1.0, 439), (15, 0.0, 430)]:
        values = {"degree": degree, "noise": noise, "n": n, "seed": seed}
        result, said = node.ask(explorer, **values)
        same(result, values)
        assert ("5 points allow no degree above 4." in said) == (n == 5 and degree == 15)


def test_a_hard_fit_is_exact(node, explorer):
    """Degree 14 on 15 points, where powers lose all digits and numpy's fit half of them."""
    result, _ = node.ask(explorer, n=15, noise=0.4, seed=430)
    with mpmath.workdps(60):
        x, y, x_val = (mpmath.matrix(result[name]) for name in ("x", "y", "xVal"))
        powers = mpmath.matrix(15, 15)
        for i in range(15):
            for k in range(15):
                powers[i, k] = x[i] ** k
        weights = mpmath.lu_solve(powers, y)
        told = [sum(weights[k] * point**k for k in range(15)) for point in x_val]
        residuals = [
            float(value - target) for value, target in zip(told, result["yVal"], strict=True)
        ]
    right = np.sqrt(np.mean(np.square(residuals)))
    assert result["rmse"]["all"][13] == pytest.approx(right, rel=1e-11)


def test_the_rows_are_the_kernels(node, explorer):
    for values in ({}, {"n": 1000, "noise": 1.0, "seed": 439}):
        result, _ = node.ask(explorer, **values)
        X, y, train, between = rows_of(explorer.settings | values)
        np.testing.assert_allclose(result["x"], X[train, 0], rtol=1e-6)
        np.testing.assert_allclose(result["y"], y[train, 0], rtol=1e-4, atol=3e-6)
        np.testing.assert_allclose(result["xVal"], X[:HELD, 0], rtol=1e-6)
        assert result["between"] == len(between)
        xs, heights = result["truth"]
        np.testing.assert_allclose(heights, np.sin(2 * np.array(xs)), atol=1e-6)
        assert xs == sorted(xs)


def test_the_sentence_tells_what_is_drawn(node, explorer):
    for degree, start in [
        (1, "Too stiff: underfitting"),
        (5, "About as good"),
        (15, "Too bendy: overfitting"),
    ]:
        result, said = node.ask(explorer, degree=degree)
        rmse, at = result["rmse"], degree - 1
        assert said.startswith(f"**{start}")
        best = int(np.argmin(rmse["between"]))
        own, new, beyond = (rmse[name] for name in ("train", "between", "beyond"))
        told = [own[at], new[at], best + 1, new[best], beyond[at]]
        np.testing.assert_allclose(numbers_in(said), told, rtol=6e-3)


def test_fit_proves_every_degree():
    explorer = FitExplorer(fit)
    shown = []
    for n in (20, 200):
        fits = explorer.set(degree=15, n=n)
        shown.append(f"train {fits.train_rmses[-1]:.2f}, new {fits.between_rmses[-1]:.2f}")
        assert explorer.proof.agrees
        assert len(fits.train_rmses) == 15
    assert shown == ["train 0.15, new 7.29", "train 0.19, new 0.19"]
    assert explorer.proof.text == "all 15 degrees, RMSE 0.186 at the highest."
    for values in ({"n": 5}, {"n": 1000, "noise": 0.0}, {"n": 20, "noise": 1.0}):
        move(explorer, **values)
        assert rest(explorer)["kind"] == "agrees", explorer.page.proof
        assert "rmses" not in explorer.page.proof


def stiff(X, y, degree):
    return fit(X, y, min(degree, 3))


def memory(X, y, degree):
    """Right on the points it saw, wrong between them."""
    predict = fit(X, y, degree)
    return lambda X_new: predict(X_new) + 1.0 * ~torch.isin(X_new, X)


@pytest.mark.parametrize(
    ("wrong", "kind", "sentence"),
    [
        (stiff, "departs", "degree 4 has RMSE 0.258 on its own points, not 0.239."),
        (lambda X, y, d: fit(X, y, min(d, 10)), "departs", "degree 11 has RMSE 0.182 on its own"),
        (memory, "departs", "degree 1 has RMSE 1.3 between, not 0.493."),
        (lambda X, y, d: None, "error", "fit returned a NoneType, expected a function"),
        (
            lambda X, y, d: lambda new: None,
            "error",
            "predict returned None, expected shape (1500, 1)",
        ),
        (
            lambda X, y, d: lambda new: new[:, 0],
            "error",
            "predict returned shape (1500,), expected shape (1500, 1)",
        ),
        (lambda X, y, d: lambda new: new * torch.nan, "error", "predict returned nan or inf"),
        (lambda X, y, d: torch.nn.Linear(1, 1), "departs", "degree 1 has RMSE"),
        (lambda X, y, d: 1 / 0, "error", "ZeroDivisionError: division by zero"),
        (lambda X, y: None, "error", "TypeError"),
    ],
)
def test_a_wrong_fit_is_told_and_heals(wrong, kind, sentence):
    broken = [True]
    explorer = FitExplorer(lambda *s: (wrong if broken[0] else fit)(*s))
    proof = rest(explorer)
    assert (proof["kind"], sentence in proof["text"]) == (kind, True), proof
    assert ("rmses" in proof) == (kind == "departs")
    assert explorer.still(explorer.settings).to_png()
    broken[0] = False
    move(explorer, noise=0.3)
    assert rest(explorer)["kind"] == "agrees"


def test_a_fit_that_sleeps_is_stopped_by_newer_settings():
    sleeper = Sleeper()
    explorer = FitExplorer(lambda X, y, d: sleeper() if len(X) == 20 else fit(X, y, d))
    ask(explorer)
    assert sleeper.began.wait(5)
    move(explorer, n=30)
    assert rest(explorer)["kind"] == "agrees"
    assert sleeper.ended.wait(5)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"degree": 12},
        {"degree": 15, "n": 5, "noise": 0.0},
        {"degree": 9, "n": 1000, "seed": 439},
    ],
)
def test_the_cell_of_a_state_gives_the_shown_rmses(node, explorer, values):
    state = explorer.settings | values
    result, _ = node.ask(explorer, **values)
    found = value_of(explorer.as_code(state), torch=torch, datasets=datasets, fit=fit)
    shown = [result["rmse"][part][result["degree"] - 1] for part in ("train", "between")]
    np.testing.assert_allclose(found, shown, rtol=1e-3, atol=2e-6)


def test_a_state_is_a_text():
    explorer = FitExplorer(fit)
    before = explorer.state
    assert before == "degree=1&noise=0.2&n=20&seed=420"
    explorer.set("degree=15&noise=0.95&n=1000&seed=439")
    assert explorer.state == "degree=15&noise=0.95&n=1000&seed=439"
    explorer.set(before)
    assert explorer.state == before


def test_bad_input():
    with pytest.raises(InputError, match="fit is a str, expected a function"):
        FitExplorer("fit")
    explorer = FitExplorer(fit)
    for wrong, sentence in [
        ({"degree": 16}, "degree cannot be 16: choose from 1 to 15"),
        ({"n": 21}, "n cannot be 21"),
        ({"points": 20}, "control is 'points', expected one of"),
    ]:
        with pytest.raises(InputError, match=sentence):
            explorer.set(**wrong)
