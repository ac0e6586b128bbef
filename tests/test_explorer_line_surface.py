"""LineSurfaceExplorer: the page's bowl is PyTorch's; the learner's gradient proves it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import BUNDLE, Node
from proofs import Sleeper, ask, move, numbers_in, rest, value_of

from course_utils import datasets
from course_utils.explorers.line_surface import LineSurfaceExplorer
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()
WEIGHTS, BIASES = (-0.7, 1.7), (3.3, 5.05)
lines = st.fixed_dictionaries({"weight": st.floats(*WEIGHTS), "bias": st.floats(*BIASES)})


def gradient(X, y, weight, bias):
    loss = torch.nn.MSELoss()(weight * X + bias, y)
    loss.backward()
    return weight.grad, bias.grad


@pytest.fixture(scope="module")
def explorer():
    return LineSurfaceExplorer(gradient)


@pytest.fixture(scope="module")
def page(explorer):
    node = Node()
    yield lambda **values: node.ask(explorer, **values)
    node.close()


def columns():
    X, y = datasets.load_penguins()
    return X.double() / 10 - 20, y.double() / 1000


def same_bowl(result, values):
    weight, bias = (
        torch.tensor(values[name], dtype=torch.float64, requires_grad=True)
        for name in ("weight", "bias")
    )
    X, y = columns()
    loss = torch.nn.MSELoss()(weight * X + bias, y)
    found = gradient(X, y, weight, bias)
    assert result["loss"] == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(result["gradient"], [v.item() for v in found], rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(lines)
def test_loss_and_gradient_are_torchs(page, values):
    result, said = page(**values)
    same_bowl(result, values)
    assert "NaN" not in said


def test_corners_and_the_lowest_line(page, explorer):
    for weight in WEIGHTS:
        for bias in BIASES:
            same_bowl(page(weight=weight, bias=bias)[0], {"weight": weight, "bias": bias})
    X, y = columns()
    design = torch.hstack([X, torch.ones_like(X)])
    best = torch.linalg.lstsq(design, y).solution[:, 0]
    surface = page()[0]["surface"]
    np.testing.assert_allclose([surface["weight"], surface["bias"]], best, rtol=1e-10)
    lowest = ((design @ best - y[:, 0]) ** 2).mean().item()
    assert surface["lowest"] == pytest.approx(lowest, rel=1e-12)
    slopes = page(weight=surface["weight"], bias=surface["bias"])[0]["gradient"]
    np.testing.assert_allclose(slopes, [0, 0], atol=1e-12)
    hessian = 2 * design.T @ design / len(X)
    assert surface["curvature"] == pytest.approx(torch.linalg.eigvalsh(hessian)[-1].item())


def test_the_sentence_tells_what_is_drawn(page):
    result, said = page()
    grams = [round(1000 * np.sqrt(v)) for v in (result["loss"], result["surface"]["lowest"])]
    assert numbers_in(said) == grams
    assert said.startswith("**Catch the line or the ball.**")
    result, said = page(weight=1.0)
    grams[0] = round(1000 * np.sqrt(result["loss"]))
    assert numbers_in(said) == grams
    assert said.startswith("This line misses")
    best = result["surface"]
    said = page(weight=best["weight"], bias=best["bias"])[1]
    assert said.startswith("**You are at the bottom.**")
    assert numbers_in(said) == grams[1:]
    for far, bottom in ((0.009, True), (0.011, False)):  # 1 % above the lowest
        bias = best["bias"] + np.sqrt(far * best["lowest"])
        said = page(weight=best["weight"], bias=bias)[1]
        assert said.startswith("**You are at the bottom.**") == bottom


def test_without_a_function_nothing_is_compared():
    explorer = LineSurfaceExplorer()
    assert not explorer.page.proves
    assert explorer.set(weight=0.5, bias=4.0) == {"weight": 0.5, "bias": 4.0} == explorer.settings
    assert explorer.proof is None


def test_a_right_gradient_agrees(capsys):
    def by_hand(X, y, weight, bias):
        residual = y - weight * X - bias
        print("asked")
        return (-2 * (residual * X).mean()).item(), -2 * residual.mean().item()

    for function in (gradient, by_hand):
        explorer = LineSurfaceExplorer(function)
        found = explorer.set(weight=1.0, bias=3.6)
        assert rest(explorer)["kind"] == "agrees"
        assert explorer.page.proof["text"] == "gradient 1.891, \u22121.020."
        assert found == pytest.approx((1.8912, -1.0204), abs=1e-3)
    assert "asked" in capsys.readouterr().out


def off(X, y, weight, bias):
    slopes = gradient(X, y, weight, bias)
    return slopes[0] / 2, slopes[1]


@pytest.mark.parametrize(
    ("wrong", "kind", "sentence"),
    [
        (off, "departs", "; the formula says"),
        (
            lambda *_: None,
            "error",
            "gradient returned None, expected two numbers: by weight and by bias",
        ),
        (lambda *_: 1.0, "error", "gradient returned 1.0, expected two numbers"),
        (lambda *_: (1.0, 2.0, 3.0), "error", "expected two numbers"),
        (lambda *_: (torch.nan, 1.0), "error", "gradient returned (nan, 1.0)"),
        (lambda X, y, w, b: (X, y), "error", "expected two numbers"),
        (lambda *_: ("a", "b"), "error", "expected two numbers"),
        (lambda *_: 1 / 0, "error", "ZeroDivisionError: division by zero"),
        (lambda X: None, "error", "TypeError"),
    ],
)
def test_a_wrong_gradient_is_told_and_heals(wrong, kind, sentence):
    broken = [True]
    explorer = LineSurfaceExplorer(lambda *given: (wrong if broken[0] else gradient)(*given))
    proof = rest(explorer)
    assert (proof["kind"], sentence in proof["text"]) == (kind, True), proof
    assert ("gradient" in proof) == (kind == "departs")
    assert explorer.still(explorer.settings).to_png()
    broken[0] = False
    move(explorer, weight=0.3)
    assert rest(explorer)["kind"] == "agrees"


def test_a_gradient_that_sleeps_is_stopped_by_newer_settings():
    sleeper = Sleeper()
    explorer = LineSurfaceExplorer(
        lambda X, y, w, b: sleeper() if w == -0.18 else gradient(X, y, w, b)
    )
    ask(explorer)
    assert sleeper.began.wait(5)
    assert explorer.page.proof["kind"] == "runs"
    move(explorer, weight=0.3)
    assert rest(explorer)["kind"] == "agrees"
    assert sleeper.ended.wait(5)


@pytest.mark.parametrize("values", [{}, {"weight": 1.2345, "bias": 4.0}, {"weight": -0.7}])
def test_the_cell_of_a_state_gives_the_shown_loss(page, explorer, values):
    code = explorer.as_code(explorer.settings | values)
    assert value_of(code) == pytest.approx(page(**values)[0]["loss"], rel=1e-9)
    assert value_of(code, torch=1, datasets=2, X=3, y=4)  # none of which it uses or rebinds


def test_a_state_is_a_text():
    explorer, other = LineSurfaceExplorer(), LineSurfaceExplorer()
    explorer.set(weight=0.499, bias=4.16)
    assert explorer.state == "weight=0.499&bias=4.16"
    assert other.set(explorer.state) == explorer.settings


@pytest.mark.parametrize("values", [{"weight": 2.0}, {"bias": 0.0}, {"slope": 1.0}, {"bias": "x"}])
def test_set_tells_what_it_cannot_take(values):
    explorer = LineSurfaceExplorer()
    before = explorer.settings
    with pytest.raises(InputError):
        explorer.set(**({"weight": 0.2} | values))
    assert explorer.settings == before


def test_what_is_no_function():
    with pytest.raises(InputError, match="gradient is a int, expected a function"):
        LineSurfaceExplorer(3)


def test_what_is_shown_may_wait():
    """Pictures first, a riddle without numbers; the numbers next; the way downhill last."""
    node = Node()
    for show, first in (
        ("pictures", "This line misses a typical penguin by **801 g**."),
        ("numbers", "**Catch the line or the ball.**"),
        ("all", "**Catch the line or the ball.**"),
    ):
        explorer = LineSurfaceExplorer(weight=0, bias=4.2, show=show)
        assert (explorer.page.given["show"], explorer.settings) == (
            show,
            {"weight": 0.0, "bias": 4.2},
        )
        assert explorer.page.given["starts"][0] == (0.0, 4.2)
        assert ("loss" in explorer.still(explorer.settings).summary) == (show != "pictures")
        if '"pictures"' in BUNDLE.read_text(encoding="utf-8"):
            assert node.ask(explorer)[1].startswith(first)
            for bias, near in ((4.08, False), (4.12, True)):  # a loss 5 % and 2 % above the lowest
                told = "The best possible line" in node.ask(explorer, weight=0.47, bias=bias)[1]
                assert told == (show == "all" or (show == "numbers" and near))
    node.close()


@pytest.mark.parametrize(
    "values", [{"weight": 2.0}, {"bias": 0.0}, {"weight": "flat"}, {"show": "nothing"}, {"show": 1}]
)
def test_a_start_that_cannot_be_is_refused(values):
    with pytest.raises(InputError, match=next(iter(values))):
        LineSurfaceExplorer(**values)
