"""FitExplorer: the formula, the learner's function, the drawn data, bad input."""

import threading

import numpy as np
import pytest
import torch

from course_utils import datasets
from course_utils.explorers.fit import DEGREES, FitExplorer, polynomials
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()


def fit(X, y, degree):
    """What a learner writes: least squares on the powers."""
    powers = torch.arange(degree + 1)
    coefficients = torch.linalg.lstsq(X.double() ** powers, y.double()).solution
    return lambda X_new: X_new.double() ** powers @ coefficients


def birds(n, noise, seed):
    """Return all penguins in a random order, lengths scaled, masses in kg."""
    X, y = datasets.load_penguins()
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(seed))
    return ((X - X.mean()) / X.std())[order], y[order] / 1000


def run(code, **names):
    """Run a cell and return the value of its last line."""
    *lines, last = code.splitlines()
    namespace = {"torch": torch, "datasets": datasets} | names
    exec("\n".join(lines), namespace)
    return eval(last, namespace)


def shown(explorer, **values):
    """Set values, wait, and return the result."""
    explorer.set(**values)
    explorer.settle()
    assert explorer.page.state in ("agrees", "departs"), explorer.page.text
    return explorer.result


@pytest.fixture(scope="module")
def explorer():
    return FitExplorer(fit)


@pytest.mark.parametrize("n", [20, 200, 20_000])
def test_all_degrees_at_once_equal_numpys_fit_of_each(n):
    X, y = datasets.make_curve(n)
    x, targets = X[:, 0].double().numpy(), y[:, 0].double().numpy()
    for degree, coefficients in zip(DEGREES, polynomials(X, y), strict=True):
        expected = np.polynomial.polynomial.polyfit(x, targets, degree)
        np.testing.assert_allclose(coefficients, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n", [2, 10, 15, 50, 200, 20_000])
def test_drawn_is_what_the_learners_function_says(explorer, n):
    for degree in (1, 5, 15):
        result = shown(explorer, n=n, degree=degree, noise=0.3, seed=7)
        assert explorer.verdict.agrees, explorer.page.text
        X, y = datasets.make_curve(20_040, noise=0.3, seed=7)
        X_train, y_train, X_val, y_val = X[40 : 40 + n], y[40 : 40 + n], X[:40], y[:40]
        predict = fit(X_train, y_train, degree)
        train = (predict(X_train) - y_train).square().mean().sqrt().item()
        val = (predict(X_val) - y_val).square().mean().sqrt().item()
        at = degree - 1
        assert result.train_rmses[at] == pytest.approx(train, rel=1e-6, abs=1e-6)
        assert result.val_rmses[at] == pytest.approx(val, rel=1e-6)
        assert f"validation RMSE {val:.4g}" in explorer.page.text
        assert ("every training point" in explorer.page.text) == (degree >= n - 1)
        assert explorer._train_line.y[at] == pytest.approx(max(train, 0.01), rel=1e-6)
        grid = torch.tensor(explorer._curve.x).unsqueeze(1)
        expected = predict(grid)[:, 0].numpy()
        inside = np.abs(expected) < 10
        np.testing.assert_allclose(explorer._curve.y[inside], expected[inside], atol=1e-3)
        np.testing.assert_allclose(
            run(explorer.as_code(explorer.settings)), [train, val], 1e-3, 1e-6
        )
    assert len(explorer._train.x) == min(n, 2_000)
    assert ("(2,000 of them drawn)" in explorer.page.text) == (n == 20_000)


def test_more_training_points_keep_the_first_ones_and_the_validation_rows(explorer):
    few = shown(explorer, n=10, noise=0.2, seed=420)
    many = shown(explorer, n=50)
    torch.testing.assert_close(many.train[0][:10], few.train[0], rtol=0, atol=0)
    torch.testing.assert_close(many.train[1][:10], few.train[1], rtol=0, atol=0)
    torch.testing.assert_close(many.val, few.val, rtol=0, atol=0)
    assert not set(many.train[0].flatten().tolist()) & set(many.val[0].flatten().tolist())


def test_the_button_draws_the_next_sample(explorer):
    before = shown(explorer, n=20, seed=9999)
    button = explorer.widget.children[0].children[-1]
    button.click()
    explorer.settle()
    assert explorer.settings["seed"] == 0
    assert not torch.equal(explorer.result.train[0], before.train[0])


def test_the_lowest_validation_loss_is_marked(explorer):
    result = shown(explorer, n=20, noise=0.2, seed=421, degree=1)
    assert result.best == 5
    assert list(explorer._best.x) == [5, 5]
    assert "is at degree 5." in explorer.page.text


def test_wild_curves_leave_fixed_finite_axes(explorer):
    before = [(s.min, s.max) for p in (explorer._data, explorer._losses) for s in p.scales.values()]
    shown(explorer, n=10, degree=15, noise=1.0, seed=3)
    after = [(s.min, s.max) for p in (explorer._data, explorer._losses) for s in p.scales.values()]
    assert before == after
    for mark in (explorer._curve, explorer._train_line, explorer._val_line):
        assert np.isfinite(mark.y).all()
        assert np.abs(mark.y).max() < 1e4
    assert "above the picture" in explorer.page.text
    assert "polynomial" in [series.name for series in explorer.still(explorer.result).series]
    assert explorer.still(explorer.result).to_png().startswith(b"\x89PNG")


def test_penguins():
    explorer = FitExplorer(fit, birds, xlabel="flipper length (scaled)", ylabel="body mass (kg)")
    assert explorer._controls["n"].options[-1] == ("200", 200)
    result = shown(explorer, n=200, degree=2)
    assert explorer.verdict.agrees, explorer.page.text
    assert 0.3 < result.val_rmses[1] < 0.5
    found = run(explorer.as_code(explorer.settings), birds=birds)
    np.testing.assert_allclose(found, [result.train_rmses[1], result.val_rmses[1]], rtol=1e-6)


def test_float32_departs_and_says_where():
    def low_precision(X, y, degree):
        powers = torch.arange(degree + 1)
        coefficients = torch.linalg.lstsq(X**powers, y).solution
        return lambda X_new: X_new**powers @ coefficients

    explorer = FitExplorer(low_precision)
    shown(explorer, n=20, degree=3)
    assert explorer.page.state == "departs"
    own, formula = explorer.result, explorer.compute(explorer.settings)
    first = next(
        degree
        for degree, a, b in zip(DEGREES, own.val_rmses, formula.val_rmses, strict=True)
        if abs(a - b) > 1e-3 * b
    )
    assert first > 3
    assert f"departs from least squares at degree {first}: validation" in explorer.page.text


def test_a_function_that_returns_nan_departs_and_the_preview_stays():
    explorer = FitExplorer(lambda X, y, degree: lambda X_new: X_new * float("nan"))
    result = shown(explorer, degree=5)
    assert explorer.page.state == "departs"
    assert "validation RMSE nan" in explorer.page.text
    assert np.isfinite(result.val_rmses).all()
    assert np.isfinite(explorer._curve.y).all()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda X, y, degree: None, "fit returned NoneType, expected a function: return predict"),
        (lambda X, y, degree: lambda X_new: X_new[:, 0], r"predict(X) has shape (201,)"),
        (lambda X, y, degree: lambda X_new: "no", "predict(X) holds <U2"),
        (lambda X, y, degree: [].pop(), "IndexError: pop from empty list"),
        (lambda X, y: None, "TypeError"),
    ],
)
def test_errors_are_shown_and_the_next_move_heals(broken, words):
    functions = [broken]
    explorer = FitExplorer(lambda *args: functions[0](*args))
    explorer.settle()
    assert explorer.page.state == "error"
    assert words in explorer.page.text
    functions[0] = fit
    shown(explorer, degree=4)
    assert explorer.verdict.agrees


def test_a_module_may_be_returned_with_its_gradients():
    def as_module(X, y, degree):
        predict = fit(X, y, degree)
        one = torch.nn.Parameter(torch.ones(1))
        return lambda X_new: one * predict(X_new)

    explorer = FitExplorer(as_module)
    shown(explorer, degree=3)
    assert explorer.verdict.agrees, explorer.page.text


def test_a_slow_function_can_be_stopped():
    started, release = threading.Event(), threading.Event()

    def waits(X, y, degree):
        started.set()
        release.wait(60)
        return fit(X, y, degree)

    explorer = FitExplorer(waits)
    assert started.wait(30)
    assert explorer.page.state == "running"
    explorer.stop()
    explorer.settle(30)
    assert explorer.verdict is None
    assert "was stopped" in explorer.page.text
    release.set()


def test_bad_input():
    for arguments, words in [
        (("fit",), "fit is a str"),
        ((fit, None), "make is a NoneType"),
        ((fit, lambda n, noise, seed: datasets.make_curve(41)), "41 rows, expected 42 or more"),
        ((fit, lambda n, noise, seed: (torch.ones(99), torch.ones(99))), "unsqueeze"),
    ]:
        with pytest.raises(InputError, match=words):
            FitExplorer(*arguments)
    explorer = FitExplorer(fit)
    for values in ({"degree": 0}, {"degree": 16}, {"n": 7}, {"noise": -1.0}, {"lr": 0.1}):
        with pytest.raises(InputError):
            explorer.set(**values)
    with pytest.raises(InputError):
        polynomials(torch.ones(3), torch.ones(3))
