"""LineExplorer: the page's loss is PyTorch's on any data; the learner's loss function proves it."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pages import Node
from proofs import Sleeper, ask, move, numbers_in, rest, value_of

from course_utils import datasets
from course_utils.explorers.line import LineExplorer
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()
MSE = torch.nn.MSELoss()
places = st.integers(0, 1000).map(lambda k: k / 1000)


@pytest.fixture(scope="module")
def explorer():
    return LineExplorer(*datasets.make_line(), MSE)


@pytest.fixture(scope="module")
def node():
    one = Node()
    yield one
    one.close()


def between(explorer, name, share):
    control = explorer.controls[name]
    return control.min + share * (control.max - control.min)


def same_loss(node, explorer, values):
    result, said = node.ask(explorer, **values)
    X, y = (column.double() for column in explorer.data)
    residuals = (y - values["weight"] * X - values["bias"])[:, 0]
    size = max(1.0, (values["weight"] * X).abs().max().item(), y.abs().max().item())
    assert abs(result["loss"] - (residuals**2).mean().item()) <= 1e-12 * size**2
    np.testing.assert_allclose(result["y"], y[:, 0] - residuals, rtol=0, atol=1e-12 * size)
    assert "NaN" not in said
    assert "undefined" not in said
    return result


@settings(max_examples=40, deadline=None)
@given(weight=places, bias=places)
def test_the_loss_is_torchs(node, explorer, weight, bias):
    shares = {"weight": weight, "bias": bias}
    same_loss(node, explorer, {k: between(explorer, k, v) for k, v in shares.items()})


@settings(max_examples=30, deadline=None)
@given(
    points=st.lists(st.tuples(*[st.integers(-999, 999)] * 2), min_size=2, max_size=12),
    scales=st.tuples(*[st.sampled_from([1e-3, 1.0, 1e3])] * 2),
    place=st.tuples(places, places),
)
def test_any_data_of_any_scale(node, points, scales, place):
    table = torch.tensor(points, dtype=torch.float64) * torch.tensor(scales, dtype=torch.float64)
    assume(len({x for x, _ in points}) > 1)
    made = LineExplorer(table[:, :1], table[:, 1:], MSE)
    values = {
        name: between(made, name, v) for name, v in zip(("weight", "bias"), place, strict=True)
    }
    result = same_loss(node, made, values)
    columns = np.hstack([table[:, :1], np.ones((len(table), 1))])
    _, squares, *_ = np.linalg.lstsq(columns, table[:, 1].numpy(), rcond=None)
    lowest = squares[0] / len(table) if len(squares) else 0.0
    size = 1e-9 * max(table[:, 1].abs().max().item(), 1e-9) ** 2
    assert result["surface"]["lowest"] == pytest.approx(lowest, rel=1e-9, abs=size)


def test_the_best_line_is_within_reach_of_the_sliders(node):
    for data in (datasets.make_line(), datasets.load_penguins()):
        made = LineExplorer(*data, MSE)
        best = node.ask(made)[0]["surface"]
        assert all(c.min < best[name] < c.max for name, c in [*made.controls.items()][:2])
        values = {name: best[name] for name in ("weight", "bias")}
        result, said = node.ask(made, **values)
        assert result["loss"] == pytest.approx(best["lowest"], rel=1e-9)
        assert said.startswith("**No line does better**")


def test_the_sentence_tells_what_is_drawn(node, explorer):
    result, said = node.ask(explorer, weight=0.5)
    lowest = result["surface"]["lowest"]
    np.testing.assert_allclose(
        numbers_in(said), [result["loss"], result["loss"] / lowest, lowest], rtol=0.05
    )
    result, said = node.ask(explorer, weight=0.5, squares=True)
    assert numbers_in(said)[3:] == [200, pytest.approx(np.sqrt(result["loss"]), rel=1e-3)]
    best = result["surface"]
    for above, words in ((1.03, "**3 % above** the lowest"), (1.2, "**1.2 times** the lowest")):
        bias = best["bias"] + np.sqrt((above - 1) * best["lowest"])
        assert words in node.ask(explorer, weight=best["weight"], bias=bias)[1]
    two = LineExplorer(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [1.0]]), MSE)
    assert node.ask(two, weight=0.5)[1].endswith("The lowest possible is 0.")  # no number of times


def test_a_right_loss_agrees(capsys):
    def own(y_pred, y):
        print("asked")
        return ((y_pred - y) ** 2).mean().item()

    for loss_fn in (MSE, own):
        made = LineExplorer(*datasets.make_line(), loss_fn)
        loss = made.set(weight=0.5)
        assert rest(made)["kind"] == "agrees"
        assert made.page.proof["text"] == f"loss {loss:.4g}."
    assert "asked" in capsys.readouterr().out
    bird = LineExplorer(*datasets.load_penguins(), MSE)
    assert bird.set() == pytest.approx(641_254, rel=1e-4)
    assert bird.proof.text == "loss 641,254."


@pytest.mark.parametrize(
    ("wrong", "kind", "sentence"),
    [
        (torch.nn.L1Loss(), "departs", "; the mean of the squares is 3.789."),
        (lambda *_: None, "error", "what loss_fn returned is None, expected a number"),
        (lambda *_: torch.nan, "error", "what loss_fn returned"),
        (lambda y_pred, y: (y_pred - y) ** 2, "error", "add .mean()"),
        (lambda *_: "3", "error", "what loss_fn returned is '3', expected a number"),
        (lambda *_: 1 / 0, "error", "ZeroDivisionError: division by zero"),
        (lambda y: None, "error", "TypeError"),
    ],
)
def test_a_wrong_loss_is_told_and_heals(wrong, kind, sentence):
    broken = [True]
    made = LineExplorer(*datasets.make_line(), lambda *given: (wrong if broken[0] else MSE)(*given))
    proof = rest(made)
    assert (proof["kind"], sentence in proof["text"]) == (kind, True), proof
    assert made.still(made.settings).to_png()
    broken[0] = False
    move(made, weight=1.0)
    assert rest(made)["kind"] == "agrees"


def test_a_loss_that_sleeps_is_stopped_by_newer_settings():
    sleeper = Sleeper()
    made = LineExplorer(
        *datasets.make_line(), lambda a, b: MSE(a, b) if a.std() > 0.1 else sleeper()
    )
    ask(made)
    assert sleeper.began.wait(5)
    assert made.page.proof["kind"] == "runs"
    move(made, weight=1.0)
    assert rest(made)["kind"] == "agrees"
    assert sleeper.ended.wait(5)


def test_the_cell_of_a_state_names_the_notebooks_data(node):
    space = {"__name__": "__main__", "Explorer": LineExplorer, "MSE": MSE}
    space |= dict(zip(("X_bird", "y_bird"), datasets.load_penguins(), strict=True))
    exec(
        "hand = Explorer(X_bird, y_bird, MSE)\nother = Explorer(*(X_bird + 0, y_bird), MSE)", space
    )
    for name, names, used in [
        ("hand", ("X_bird", "y_bird"), "* X_bird +"),
        ("other", ("other", "y_bird"), "* other.data[0] +"),
    ]:
        made = space[name]
        values = made.settings | {"weight": 30.0, "bias": -1800.0}
        code = made.as_code(values)
        assert used in code
        shown = node.ask(made, **values)[0]["loss"]
        assert value_of(code, **{n: space[n] for n in names}) == pytest.approx(shown, rel=1e-5)


def test_the_cell_of_an_explorer_without_a_name(node, explorer):
    code = explorer.as_code(explorer.settings)
    assert "* explorer.data[0] +" in code
    shown = node.ask(explorer)[0]["loss"]
    assert value_of(code, explorer=explorer) == pytest.approx(shown, rel=1e-5)


def test_a_state_is_a_text():
    one, other = (LineExplorer(*datasets.make_line(), MSE) for _ in range(2))
    one.set(weight=1.25, bias=0.5, squares=True)
    assert one.state == "weight=1.25&bias=0.5&squares=true"
    assert other.set(one.state) == one.result
    assert other.settings == one.settings


@pytest.mark.parametrize("values", [{"weight": 99.0}, {"slope": 1.0}, {"squares": "maybe"}])
def test_set_tells_what_it_cannot_take(explorer, values):
    before = explorer.settings
    with pytest.raises(InputError):
        explorer.set(**({"bias": 0.2} | values))
    assert explorer.settings == before


def test_what_no_line_fits():
    X, y = datasets.make_line()
    for arguments, text in [
        ((X[:1], y[:1], MSE), "X has 1 rows, expected 2 or more"),
        ((X, y[:5], MSE), "y has 5 rows|y has shape"),
        ((X * 0 + 2, y, MSE), "all features are 2: a line needs two different ones"),
        ((X, y, 3), "loss_fn is a int, expected a function"),
        ((X * torch.nan, y, MSE), "X holds nan in row 0"),
    ]:
        with pytest.raises(InputError, match=text):
            LineExplorer(*arguments)
