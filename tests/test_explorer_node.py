"""NodeExplorer: the page's outputs and slopes are autograd's; the learner's node proves them."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Node
from proofs import Sleeper, ask, move, numbers_in, rest, value_of
from torch import nn

from course_utils.explorers.node import ACTIVATIONS, GRID, NodeExplorer
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()


def node(X, w, b, activation):
    return activation(X @ w + b)


@pytest.fixture(scope="module")
def explorer():
    return NodeExplorer(node)


@pytest.fixture(scope="module")
def page(explorer):
    process = Node()
    yield lambda **values: process.ask(explorer, **values)
    process.close()


def same(result, said, values):
    """Compare with autograd in float64, to the last digits."""
    x = torch.tensor(GRID, requires_grad=True)
    sums = values["w1"] * x + (values["w2"] * values["x2"] + values["b"])
    outputs = ACTIVATIONS[values["activation"]](sums)
    (slopes,) = torch.autograd.grad(outputs.sum(), x)
    np.testing.assert_allclose(result["x"], GRID, atol=1e-15)
    np.testing.assert_allclose(result["sums"], sums.detach(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(result["outputs"], outputs.detach(), rtol=1e-12, atol=1e-14)
    # at a sum of 0 the side of ReLU's corner is decided by the last digit
    off = abs(sums.detach().numpy()) > 1e-12
    found = np.array(result["slopes"])
    np.testing.assert_allclose(found[off], slopes.numpy()[off], rtol=1e-11, atol=1e-14)
    steepest = found[np.argmax(abs(found))]
    assert abs(result["steepest"]) == abs(steepest)
    if values["w1"]:
        shift = values["w2"] * values["x2"] + values["b"]
        assert result["bend"] == pytest.approx(-shift / values["w1"], rel=1e-12, abs=1e-14)
    else:
        assert result["bend"] is None
        assert said.startswith("**The sum never changes**")
    assert "NaN" not in said
    assert "-0.00" not in said
    assert "\u22120.00" not in said
    told = numbers_in(said)
    if result["steepest"]:
        assert told[-1] == pytest.approx(result["steepest"], abs=0.0051)
        ends = result["outputs"][0], result["outputs"][-1]
        assert told[-3:-1] == pytest.approx(ends, abs=0.0051)
    if result["bend"] is not None and abs(result["bend"]) <= 4:
        assert told[1] == pytest.approx(result["bend"], abs=0.0051)


tenths = st.integers(-30, 30).map(lambda k: k / 10)


@settings(max_examples=100, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "w1": tenths,
            "w2": tenths,
            "b": tenths,
            "x2": st.integers(-20, 20).map(lambda k: k / 10),
            "activation": st.sampled_from([*ACTIVATIONS]),
        }
    )
)
def test_outputs_and_slopes_are_autograds(page, values):
    same(*page(**values), values)


@pytest.mark.parametrize("activation", [*ACTIVATIONS])
def test_corners(page, activation):
    three = (-3.0, 0.0, 3.0)
    ends = {"w1": three, "w2": (-3.0, 3.0), "b": three, "x2": (-2.0, 0.0, 2.0)}
    for corner in itertools.product(*ends.values()):
        values = dict(zip(ends, corner, strict=True)) | {"activation": activation}
        same(*page(**values), values)


def test_a_dead_node_says_so(page):
    result, said = page(w1=0.5, w2=0.0, b=-2.5, activation="ReLU")
    assert set(result["slopes"]) == {0}
    assert result["steepest"] == 0
    assert said.startswith("**The sum is 0 outside of the picture**: the output is 0.00 everywhere")


def test_node_proves_the_curve():
    explorer = NodeExplorer(node)
    output, slope = explorer.set(w1=3, b=-1.5)
    told = f"output from {output[0]:.3f} to {output[-1]:.3f}, steepest slope {slope.max():.3f}"
    assert told == "output from -1.000 to 1.000, steepest slope 3.000"  # 09_neural_networks
    assert explorer.proof.agrees
    for activation in ACTIVATIONS:
        move(explorer, activation=activation, w2=-1.3, x2=2.0)
        assert rest(explorer)["kind"] == "agrees", activation
    assert "outputs" not in explorer.page.proof


@pytest.mark.parametrize(
    ("wrong", "kind", "sentence"),
    [
        (lambda X, w, b, f: f(X @ w - b), "departs", "its output is the dotted curve."),
        (lambda X, w, b, f: X @ w + b, "departs", "its output is the dotted curve."),
        (lambda X, w, b, f: f(X @ w + b).detach(), "departs", "is something detached?"),
        (lambda X, w, b, f: None, "error", "node returned None, expected shape (801, 1)"),
        (lambda X, w, b, f: 1.0, "error", "node returned 1.0, expected shape (801, 1)"),
        (lambda X, w, b, f: f(X @ w + b)[:, 0], "error", "node returned shape (801,), expected"),
        (lambda X, w, b, f: f(X @ w + b) * torch.nan, "error", "node returned nan or inf"),
        (lambda X, w, b, f: f(X @ b + w), "error", "RuntimeError"),
        (lambda X, w, b: X @ w, "error", "TypeError"),
        (lambda X, w, b, f: 1 / 0, "error", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_wrong_node_is_told_and_heals(wrong, kind, sentence):
    broken = [True]
    explorer = NodeExplorer(lambda *s: (wrong if broken[0] else node)(*s))
    move(explorer, b=0.7)
    proof = rest(explorer)
    assert (proof["kind"], sentence in proof["text"]) == (kind, True), proof
    assert ("outputs" in proof) == (kind == "departs")
    assert explorer.still(explorer.settings).to_png()
    broken[0] = False
    move(explorer, w1=2.0)
    assert rest(explorer)["kind"] == "agrees"


def test_a_node_that_changes_what_it_is_given_leaves_the_page_alone():
    def greedy(X, w, b, activation):
        out = activation(X @ w + b)
        w.zero_()
        return out

    explorer = NodeExplorer(greedy)
    assert rest(explorer)["kind"] == "error"  # autograd needs w as it was, and says so
    move(explorer, w1=2.0)
    assert explorer.settings["w1"] == 2.0


def test_a_node_that_sleeps_is_stopped_by_newer_settings():
    sleeper = Sleeper()
    explorer = NodeExplorer(lambda *s: sleeper() if s[1][0] == 1 else node(*s))
    ask(explorer)
    assert sleeper.began.wait(5)
    move(explorer, w1=2.0)
    assert rest(explorer)["kind"] == "agrees"
    assert sleeper.ended.wait(5)


@pytest.mark.parametrize("activation", [*ACTIVATIONS])
def test_the_cell_of_a_state_gives_the_shown_numbers(page, explorer, activation):
    values = {"w1": -2.0, "w2": 1.5, "b": 0.3, "x2": -1.1, "activation": activation}
    result, _ = page(**values)
    found = value_of(explorer.as_code(values), torch=torch, nn=nn, node=node)
    shown = [result["outputs"][0], result["outputs"][-1], result["steepest"]]
    np.testing.assert_allclose(found, shown, rtol=1e-4, atol=1e-6)


def test_a_state_is_a_text():
    explorer = NodeExplorer(node)
    before = explorer.state
    assert before == "w1=1&w2=0&b=0&x2=1&activation=tanh"
    explorer.set("w1=-2.5&w2=3&b=0.1&x2=-2&activation=none")
    assert explorer.state == "w1=-2.5&w2=3&b=0.1&x2=-2&activation=none"
    explorer.set(before)
    assert explorer.state == before


def test_bad_input():
    with pytest.raises(InputError, match="node is a str, expected a function"):
        NodeExplorer("node")
    explorer = NodeExplorer(node)
    for wrong, sentence in [
        ({"w1": 3.5}, "w1 cannot be 3.5: choose from -3 to 3"),
        ({"activation": "GELU"}, "activation cannot be 'GELU'"),
        ({"weight": 1}, "control is 'weight', expected one of"),
        ({"state": "b=much"}, "b is 'much', expected a number"),
    ]:
        with pytest.raises(InputError, match=sentence):
            explorer.set(**wrong)
