"""BoundaryExplorer: the page's loss is PyTorch's; the learner's own proves it; the line decides."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Node
from proofs import Sleeper, ask, move, numbers_in, rest, value_of
from torch import nn

from course_utils import datasets
from course_utils.explorers.boundary import BoundaryExplorer
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()
FAR = {"w1": 40, "w2": 40, "b": 120}
lines = st.fixed_dictionaries(
    {name: st.floats(-far, far) for name, far in FAR.items()} | {"threshold": st.floats(0.02, 0.98)}
)
bce = nn.BCEWithLogitsLoss()
LAZY = {"w1": 0.0, "w2": 0.0, "b": float(np.log(68 / 151))}


@pytest.fixture(scope="module")
def explorer():
    return BoundaryExplorer(bce)


@pytest.fixture(scope="module")
def page(explorer):
    node = Node()
    yield lambda **values: node.ask(explorer, **values)
    node.close()


@pytest.fixture(scope="module")
def best(page):
    """Return the page's best line as settings, and its loss."""
    line = page()[0]["best"]
    return dict(zip(FAR, line["line"], strict=True)), line["loss"]


def birds():
    """Return the birds as anybody would scale them, without a line of the explorer."""
    columns = [datasets.load_penguins(name)[0] for name in datasets.MEASUREMENTS[:2]]
    X = torch.hstack(columns).double()[:342]
    _, species = datasets.load_species("bill_length_mm")
    X, y = X[species < 2], (species[species < 2] == 1).double()
    return (X - X.mean(dim=0)) / X.std(dim=0), y


def told_by_torch(w1, w2, b, threshold=0.5):
    """Return loss, its gradient, and the confusion table."""
    X, y = birds()
    line = torch.tensor([w1, w2, b], dtype=torch.float64, requires_grad=True)
    logit = X @ line[:2] + line[2]
    loss = nn.functional.binary_cross_entropy_with_logits(logit, y)
    (slope,) = torch.autograd.grad(loss, line)
    said = torch.sigmoid(logit.detach()) >= threshold
    table = torch.stack([y == 0, y == 1]).double() @ torch.stack([~said, said]).double().T
    return loss.item(), slope.numpy(), table.numpy(), logit.detach().numpy()


def same(result, values):
    loss, slope, table, logit = told_by_torch(**values)
    assert result["loss"] == pytest.approx(loss, rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(result["gradient"], slope, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result["logits"], logit, rtol=0, atol=1e-11)
    assert result["table"] == table.tolist()
    assert result["right"] == table.trace()
    assert len(result["wrong"]) == 219 - result["right"]


@settings(max_examples=80, deadline=None)
@given(lines)
def test_loss_gradient_and_names_are_torchs(page, values):
    same(page(**values)[0], values)


def test_corners_are_torchs_too(page):
    for w1 in (-40, 0, 40):
        for w2 in (-40, 0, 40):
            for b in (-120, 0, 120):
                values = {"w1": float(w1), "w2": float(w2), "b": float(b), "threshold": 0.5}
                same(page(**values)[0], values)


def test_the_best_line_is_that_of_lbfgs(best):
    line, lowest = best
    X, y = birds()
    found = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [found], max_iter=500, tolerance_grad=1e-12, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        loss = bce(X @ found[:2] + found[2], y)
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(list(line.values()), found.detach().numpy(), rtol=1e-4)
    assert lowest == pytest.approx(closure().item(), rel=1e-7)
    np.testing.assert_allclose(told_by_torch(**line)[1], 0, atol=1e-10)


def test_steepness_moves_the_loss_alone_and_the_threshold_the_names_alone(page, best):
    """What the lesson lets a hand find."""
    line, lowest = best
    before = page(**line, threshold=0.5)[0]
    for factor in (0.3, 3):
        steep = page(**{n: factor * v for n, v in line.items()}, threshold=0.5)[0]
        assert steep["table"] == before["table"]
        assert steep["loss"] > 1.2 * lowest
    other = page(**line, threshold=0.98)[0]
    assert other["loss"] == before["loss"]
    assert other["table"] != before["table"]


def test_the_sentence_tells_what_is_drawn(page, best):
    result, said = page()
    assert said.startswith("**23 of 219 birds are named wrongly** at a threshold of 0.50.")
    wrong, _, _, chance, share = numbers_in(said)
    assert wrong == 219 - result["right"]
    _, y = birds()
    logit = told_by_torch(w1=1.43, w2=0.47, b=-0.57)[3]
    costs = np.logaddexp(0, np.where(y == 1, -logit, logit))
    assert share == round(100 * costs.max() / costs.sum())
    assert chance == pytest.approx(100 * np.exp(-costs.max()), abs=0.5)
    assert ("a Chinstrap given" in said) == (y[costs.argmax()] == 1)
    assert page(**best[0])[1].startswith("**At the bottom**, and still 6 of 219")
    assert "every bird gets the same chance of Chinstrap, 31 %" in page(**LAZY)[1]


def by_hand(logit, y):
    chance = torch.sigmoid(logit)
    return -torch.where(y == 1, chance, 1 - chance).log().mean()


def test_a_right_loss_agrees(explorer):
    for function in (bce, lambda logit, y: bce(logit, y).item(), by_hand):
        own = BoundaryExplorer(function)
        found = own.set(w1=3.0, w2=-1.0, b=-1.0)
        assert rest(own)["kind"] == "agrees", own.page.proof
        assert float(found) == pytest.approx(told_by_torch(3.0, -1.0, -1.0)[0], rel=1e-9)
    assert explorer.page.proves


def test_a_loss_that_overflows_departs_and_says_so():
    """The learner's first version takes the logarithm of 0 where a line is sure and wrong."""
    own = BoundaryExplorer(by_hand)
    own.set(w1=1.0, w2=0.0, b=120.0)
    proof = rest(own)
    assert (proof["kind"], "loss" in proof) == ("departs", False)
    assert proof["text"].startswith("loss inf; the binary cross entropy is ")


@pytest.mark.parametrize(
    ("wrong", "kind", "sentence"),
    [
        (lambda logit, y: bce(torch.sigmoid(logit), y), "departs", "; the binary cross entropy is"),
        (lambda logit, y: bce(-logit, y), "departs", "; the binary cross entropy is"),
        (lambda logit, y: 2 * bce(logit, y), "departs", "; the binary cross entropy is"),
        (nn.BCEWithLogitsLoss(reduction="none"), "error", "is `.mean()` missing?"),
        (lambda *_: None, "error", "the loss is None, expected one number"),
        (lambda *_: "low", "error", "expected one number"),
        (lambda *_: 1 / 0, "error", "ZeroDivisionError: division by zero"),
        (lambda logit: logit.mean(), "error", "TypeError"),
    ],
)
def test_a_wrong_loss_is_told_and_heals(wrong, kind, sentence):
    broken = [True]
    own = BoundaryExplorer(lambda *given: (wrong if broken[0] else bce)(*given))
    proof = rest(own)
    assert (proof["kind"], sentence in proof["text"]) == (kind, True), proof
    assert ("loss" in proof) == (kind == "departs")
    broken[0] = False
    move(own, w1=2.0)
    assert rest(own)["kind"] == "agrees"


def test_a_loss_that_sleeps_is_stopped_by_newer_settings():
    sleeper, calls = Sleeper(), []

    def sleepy(logit, y):
        calls.append(1)
        return sleeper() if len(calls) == 1 else bce(logit, y)

    own = BoundaryExplorer(sleepy)
    ask(own)
    assert sleeper.began.wait(5)
    move(own, w1=2.0)
    assert rest(own)["kind"] == "agrees"
    assert sleeper.ended.wait(5)


def test_the_page_cannot_spoil_the_birds():
    def spoils(logit, y):
        loss = bce(logit, y)
        y.zero_()
        logit.zero_()
        return loss

    own = BoundaryExplorer(spoils)
    for w1 in (1.0, 2.0):
        move(own, w1=w1)
        assert rest(own)["kind"] == "agrees"


@pytest.mark.parametrize("values", [{}, {"w1": -40.0, "threshold": 0.02}, LAZY, {"w2": 0.0}])
def test_the_cell_of_a_state_gives_the_shown_numbers(page, explorer, values):
    code = explorer.as_code(explorer.settings | values)
    result = page(**values)[0]
    loss, right = value_of(code, torch=torch, datasets=2, X=3, y=4, bce=bce)
    assert loss == pytest.approx(result["loss"], rel=1e-9)
    assert right == result["right"]


@pytest.mark.parametrize("values", [{}, LAZY, {"w2": 0.0}, {"w1": 0.0}, {"b": 120.0}])
def test_the_still_picture_draws_the_line_where_the_chance_is_one_half(explorer, values):
    state = explorer.settings | values
    chart = explorer.still(state)
    names = [series.name for series in chart.series]
    assert names[:2] == ["Adelie", "Chinstrap"]
    assert len(names) == (2 if values in (LAZY, {"b": 120.0}) else 3)
    assert [len(series.x) for series in chart.series[:2]] == [151, 68]
    if len(names) == 3:
        bills = datasets.load_species(*datasets.MEASUREMENTS[:2])
        known = bills[0][bills[1] < 2].double()
        line = torch.tensor(np.stack([chart.series[2].x, chart.series[2].y], axis=1))
        scaled = (line - known.mean(dim=0)) / known.std(dim=0)
        logit = scaled @ torch.tensor([state["w1"], state["w2"]]).double() + state["b"]
        np.testing.assert_allclose(logit, 0, atol=1e-7)
    assert chart.to_png()


def test_what_is_no_function():
    with pytest.raises(InputError, match="loss is a float, expected a function"):
        BoundaryExplorer(0.3)


@pytest.mark.parametrize("values", [{"w1": 41}, {"threshold": 1}, {"w3": 1.0}, {"b": "x"}])
def test_set_tells_what_it_cannot_take(explorer, values):
    before = explorer.settings
    with pytest.raises(InputError):
        explorer.set(**({"w2": 0.2} | values))
    assert explorer.settings == before
