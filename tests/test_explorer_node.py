"""NodeExplorer: the learner's node, its slope and its code tell the same."""

import numpy as np
import pytest
import torch

from course_utils.explorers.node import ACTIVATIONS, GRID, NodeExplorer
from course_utils.inputs import InputError


def node(X, w, b, activation):
    return activation(X @ w + b)


def settled(function=node, **values):
    explorer = NodeExplorer(function)
    explorer.set(**values)
    explorer.settle()
    return explorer


def run(code):
    """Run a cell and return the value of its last line."""
    *lines, last = code.splitlines()
    namespace = {"torch": torch, "node": node}
    exec("\n".join(lines), namespace)
    return eval(last, namespace)


FORMULAS = {  # output and its derivative, by hand
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "ReLU": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "none": (lambda z: z, lambda z: np.ones_like(z)),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_sum_output_and_slope_are_those_of_the_formulas(activation):
    explorer = settled(activation=activation, w1=-1.3, w2=0.7, b=0.45, x2=-2.0)
    output, slope = FORMULAS[activation]
    sums = -1.3 * GRID - 1.4 + 0.45
    np.testing.assert_allclose(explorer._sum.y, sums, atol=1e-5)
    np.testing.assert_allclose(explorer._output.y, output(sums), atol=1e-5)
    np.testing.assert_allclose(explorer._slope.y, -1.3 * slope(sums), atol=1e-5)
    assert explorer._bend.x[0] == pytest.approx(-0.95 / 1.3)
    assert f"x1 = {-0.95 / 1.3:.3g}" in explorer.page.text


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_code_gives_the_numbers_that_are_told(activation):
    explorer = settled(activation=activation, w1=2.2, w2=-1.0, b=1.5, x2=0.5)
    first, last, slope = run(explorer.as_code(explorer.settings))
    assert (
        f"from {first:.3f} to {last:.3f}, the steepest slope drawn is {slope:.3f}."
        in explorer.page.text
    )


def test_a_node_without_first_weight_never_changes():
    explorer = settled(w1=0.0, b=0.5)
    assert "the sum never changes" in explorer.page.text
    assert len(explorer._bend.x) == 0
    assert explorer._slope.y.tolist() == [0.0] * len(GRID)


def test_the_second_input_shifts_the_bend_as_a_bias_does():
    shifted, biased = settled(w2=1.5, x2=2.0), settled(b=3.0)
    np.testing.assert_allclose(shifted._output.y, biased._output.y, atol=1e-6)


def test_a_wrong_node_is_shown_as_it_is_and_a_broken_one_named():
    without_bias = settled(lambda X, w, b, activation: activation(X @ w), b=2.0)
    assert without_bias._output.y[len(GRID) // 2] == 0, "the picture is of the learner's own node"
    explorer = settled(lambda X, w, b, activation: X)
    assert explorer.page.state == "error"
    assert "returned shape (161, 2), expected (161, 1)" in explorer.page.text
    explorer = settled(lambda X, w, b, activation: X @ w if w[0] > 0 else [].pop())
    assert explorer.page.state == "shown"
    explorer.set(w1=-1)
    explorer.settle()
    assert "IndexError: pop from empty list" in explorer.page.text
    explorer.reset()
    explorer.settle()
    assert explorer.page.state == "shown"
    with pytest.raises(InputError, match="expected a function"):
        NodeExplorer(0.5)


def test_without_activation_the_sentence_is_the_sum():
    said = settled(w1=3, w2=0, b=-3, activation="none").page.text
    assert said.startswith("3 x1 + 0 x2 - 3 with x2 = 1: the sum is 0 at x1 = 1;")


def test_repr_and_still_picture():
    explorer = settled(w1=2)
    assert repr(explorer) == "NodeExplorer(w1=2.0, w2=0.0, b=0.0, x2=1.0, activation=tanh)"
    assert explorer.still(explorer.result).to_png().startswith(b"\x89PNG")
