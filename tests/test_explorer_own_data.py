"""OwnDataExplorer: the page's lines are Python's, and the learner's fit proves them."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Node
from torch import nn

from course_utils import descent, inputs
from course_utils.explorers.base import Unusable
from course_utils.explorers.own_data import OwnDataExplorer, exact
from course_utils.runtime import use_one_thread

use_one_thread()
X = torch.arange(0, 1, 0.1).unsqueeze(1)
y = 0.8 * X + 0.2 + 4.9 * (X > 0.87)


def fit(X, y, loss_fn, lrs=(0.5, 0.05, 0.005)):
    """What a learner writes: the five lines, with a falling learning rate."""
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, 0.6)
    nn.init.constant_(model.bias, -1.7)
    optimizer = torch.optim.SGD(model.parameters(), lr=lrs[0])
    for lr in lrs:
        optimizer.param_groups[0]["lr"] = lr
        for _ in range(150):
            optimizer.zero_grad()
            loss = loss_fn(model(X), y)
            loss.backward()
            optimizer.step()
    return model.weight.item(), model.bias.item()


def quick(X, y, loss_fn):
    """Give the best lines at once, for tests that are not about training."""
    if isinstance(loss_fn, nn.L1Loss):
        return descent.least_absolute(X, y)
    columns = torch.cat([X, torch.ones_like(X)], dim=1).double()
    return torch.linalg.lstsq(columns, y.double()).solution.flatten()


def written(points):
    return "\n".join(f"{x!r}, {y!r}" for x, y in points)


@pytest.fixture(scope="module")
def explorer():
    return OwnDataExplorer(quick, X, y, y_range=(-1, 7))


@pytest.fixture(scope="module")
def ask(explorer):
    node = Node()
    yield lambda text: node.ask(explorer, points=text)
    node.close()


def same(page, python):
    """Lines by the page and by Python: floats to 1e-12 of what they are made of."""
    for name, line in python.lines.items():
        np.testing.assert_allclose(page["lines"][name], line, rtol=1e-10, atol=1e-10)
        assert page["losses"][name] == pytest.approx(python.losses[name], rel=1e-9, abs=1e-12)


coordinates = st.integers(-30, 30).map(lambda k: k / 10) | st.floats(-5, 5).map(
    lambda v: round(v, 3)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(coordinates, coordinates), max_size=30))
def test_both_lines_are_pythons_for_any_points(ask, points):
    page, said = ask(written(points))
    found, problem = inputs.points(written(points))
    assert [(p["x"], p["y"]) for p in page["points"]] == [tuple(point) for point in found]
    assert (page["lines"] is None) == bool(problem)
    if problem:
        assert {0: "Nothing to fit", 1: "One point"}.get(len(points), "All x are") in said
    else:
        same(page, exact(written(points)))


pieces = st.sampled_from([
    "0.5, 1.2", "-1 2", "\u22121.5,\u00a02e-1", "", "  ", "abc", "1", "1, 2, 3", "0x10, 1",
    "1_0, 2", "nan, 1", "inf, 0", "1e999, 0", "2e9, 1", "1e9 1e9", ".5 5.", "+1,-.5e1", "1,,2",
    "0.5; 1", ",", "\u0661, 2", "1\u2003 2", "\t3\t4 ", "1e, 2", "--1, 2", "1, true", "1\v2",
    "0.5, 1.2\r", "'a' \"b\"",
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces | st.text(max_size=8), max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
def test_page_and_python_read_the_same_points(ask, lines, end):
    text = end.join(lines).encode("utf-8", "ignore").decode()
    page, said = ask(text)
    found, problem = inputs.points(text)
    assert [(p["x"], p["y"]) for p in page["points"]] == [tuple(point) for point in found]
    assert bool(page["bad"]) == problem.startswith("line ")
    if page["bad"]:
        assert problem.startswith(f"line {page['bad']} is ")
        assert said.startswith(f"**Line {page['bad']} is not a point**")


@pytest.mark.parametrize("n", [2, 3, 4, 7, 40])
def test_l1_line_is_the_best_through_two_points(ask, n):
    generator = np.random.default_rng(n)
    x, targets = generator.normal(size=n).round(1), generator.standard_t(1.5, size=n).round(3)
    x[0] = 9.0
    best = min(
        np.mean(np.abs(slope * x + targets[i] - slope * x[i] - targets))
        for i, j in itertools.combinations(range(n), 2)
        if x[i] != x[j]
        for slope in [(targets[j] - targets[i]) / (x[j] - x[i])]
    )
    text = written(zip(x.tolist(), targets.tolist(), strict=True))
    assert exact(text).losses["L1"] == pytest.approx(best, abs=1e-12)
    same(ask(text)[0], exact(text))


def test_pulls_are_the_gradients_of_each_points_loss(ask, explorer):
    text = explorer.settings["points"] + "\n0.35, -0.7"
    page, _ = ask(text)
    columns = inputs.points(text)[0]
    for name, loss in {"MSE": nn.MSELoss(), "L1": nn.L1Loss()}.items():
        weight, bias = page["lines"][name]
        shift = torch.zeros(len(columns), dtype=torch.float64, requires_grad=True)
        pred = weight * torch.tensor(columns[:, 0]) + bias + shift
        (gradient,) = torch.autograd.grad(
            loss(pred, torch.tensor(columns[:, 1])) * len(columns), shift
        )
        on_line = np.abs(columns[:, 1] - pred.detach().numpy()) < 1e-9
        pulls = np.where(on_line, 0.0, -gradient.numpy())
        np.testing.assert_allclose(page["pulls"][name], pulls, atol=1e-12)
    assert sum(page["pulls"]["MSE"]) == pytest.approx(0, abs=1e-9)


def test_one_outlier_moves_mse_and_not_l1(ask, explorer):
    page, said = ask(explorer.settings["points"])
    assert said == "**Drag the outlier**: which of the two lines moves?"  # not yet the answer
    said = ask(explorer.settings["points"].replace("0.9, 5.82", "0.9, 5.8"))[1]
    assert page["outliers"] == [9]
    np.testing.assert_allclose(page["without"]["MSE"], (0.8, 0.2), atol=1e-9)
    np.testing.assert_allclose(page["lines"]["L1"], (0.8, 0.2), atol=1e-9)
    assert page["lines"]["MSE"][0] > 3
    assert said.startswith("**One outlier moves the MSE line** by up to ")
    assert "the L1 line **hardly at all**" in said
    calm = explorer.settings["points"].replace("0.9, 5.82", "0.9, 0.92")
    assert ask(calm)[1].startswith("**No point stands out.** The two lines agree.")
    two = explorer.settings["points"].replace("0.1, 0.28", "0.1, 6.3")
    assert ask(two)[1].startswith("**2 outliers move the MSE line**")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "**Nothing to fit.** Click"),
        ("\n \n", "**Nothing to fit.** Click"),
        ("0.5, 2", "**One point allows any line.**"),
        ("0.5, 1\n0.5, 2\n0.5, 9", "**All x are 0.5**: a line needs two different ones."),
        ("0, 1\n0.9, 2", "**Two points, one line**: both losses are 0."),
        ("0, 1\n\n0.2; 1\n1, 2", "**Line 3 is not a point**: \u201c0.2; 1\u201d. Write two"),
        ("\n".join(f"{k / 300}, 1" for k in range(201)), "**More than 200 points**"),
    ],
)  # fmt: skip
def test_what_allows_no_line_is_said_in_words(ask, text, said):
    assert ask(text)[1].startswith(said)


def test_points_out_of_sight_are_counted(ask):
    assert ask("0, 1\n0.5, 1\n0.9, 99")[1].endswith(
        " One point lies outside the picture and is drawn at its edge."
    )
    assert " 2 points lie outside" in ask("0, -1.1\n0.5, 1\n1.2, 1")[1]


def test_the_learners_fit_is_held_against_both_losses():
    explorer = OwnDataExplorer(fit, X, y, y_range=(-1, 7))
    result = explorer.set(points=explorer.settings["points"])
    assert explorer.proof.agrees, explorer.proof.text
    assert result is explorer.result
    (mse, _), (l1, _) = result.lines.values()
    assert explorer.proof.text == f"slope {mse:.3f} by MSE, {l1:.3f} by L1."
    best = exact(explorer.settings["points"])
    np.testing.assert_allclose(result.lines["MSE"], best.lines["MSE"], atol=1e-3)
    np.testing.assert_allclose(result.lines["L1"], best.lines["L1"], atol=1e-2)
    assert result.X.shape == result.y.shape == (10, 1)


def test_the_cell_gives_the_learners_lines_and_binds_one_name():
    explorer = OwnDataExplorer(quick, X, y)
    result = explorer.set(points=explorer.settings["points"] + "\n0.33, 0.5")
    namespace = {"quick": quick, "torch": torch}
    *code, last = explorer.as_code(explorer.settings).splitlines()
    exec("\n".join(code), namespace)
    lines = [[float(number) for number in line] for line in eval(last, namespace)]
    np.testing.assert_allclose(lines, [*result.lines.values()], rtol=1e-9)
    assert set(namespace) - {"quick", "torch", "__builtins__"} == {"numbers_shown"}


def test_a_fit_that_departs_is_drawn_and_told():
    explorer = OwnDataExplorer(lambda X, y, loss_fn: (0.0, 1.0), X, y, y_range=(-1, 7))
    result = explorer.set()
    assert not explorer.proof.agrees
    assert explorer.proof.text.startswith("its ")
    assert "loss is" in explorer.proof.text
    assert result.lines == explorer.page.proof["lines"] == {"MSE": (0.0, 1.0), "L1": (0.0, 1.0)}
    assert explorer.page.proof["kind"] == "departs"


def test_a_fit_that_diverged_names_the_largest_stable_rate():
    explorer = OwnDataExplorer(lambda X, y, f: fit(X, y, f, lrs=(1.8,)), X, y)
    result = explorer.set()
    limit = descent.stable_lr(X)
    said = "with MSE it diverged. The largest stable learning rate for MSE is"
    assert explorer.proof.text == f"{said} {limit:.3g} with these points."
    assert "lines" not in explorer.page.proof
    assert not abs(result.lines["MSE"][0]) < 1e6
    for value in (1e12, float("nan"), float("inf")):
        explorer = OwnDataExplorer(lambda X, y, f, value=value: (value, 0.0), X, y)
        explorer.set()
        assert explorer.proof.text == f"{said} {limit:.3g} with these points."


@pytest.mark.parametrize("answer", [None, 1.0, "ab", (1.0,), (1.0, 2.0, 3.0), ("w", "b")])
def test_a_fit_that_returns_no_line_is_told_what_to_return(answer):
    explorer = OwnDataExplorer(lambda X, y, loss_fn: answer, X, y)
    with pytest.raises(inputs.InputError, match="expected two numbers: weight and bias"):
        explorer.set()


def test_tensors_and_a_fit_that_raises():
    pair = torch.tensor([0.8, 0.2], requires_grad=True)
    assert OwnDataExplorer(lambda X, y, f: pair, X, y).set().lines["L1"][0] == pytest.approx(0.8)

    def broken(X, y, loss_fn):
        X.zero_()
        raise ZeroDivisionError("mine")

    explorer = OwnDataExplorer(broken, X, y)
    with pytest.raises(ZeroDivisionError, match="mine"):
        explorer.set()
    assert X[1] == 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0, 1\nabc", "line 2 is 'abc': write two numbers, such as 0.5, 1.2"),
        ("0, 1", "points: 1, expected 2 to 200"),
        ("2, 1\n2, 3", "all x are 2: a line needs two different ones"),
    ],
)
def test_set_refuses_points_without_a_line_and_the_page_is_told_nothing(explorer, text, message):
    state = explorer.state
    with pytest.raises(Unusable, match=message):
        explorer.set(points=text)
    explorer.conclude("now", Unusable(message))
    assert explorer.page.proof["kind"] == "page"
    assert message in explorer.still({"points": text}).summary
    assert explorer.state == state


def test_a_state_is_a_text_that_set_takes():
    explorer = OwnDataExplorer(quick, X, y)
    explorer.set(points="0.5,  1\n\n-1e-3 2, \n1, 2")
    other = OwnDataExplorer(quick, X, y)
    other.set(explorer.state)
    assert other.settings == explorer.settings == {"points": "0.5,  1\n\n-1e-3 2, \n1, 2"}
    assert len(other.still(other.settings).series) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fit": 3}, "fit is a int"),
        ({"X": X[:1], "y": y[:1]}, "points: 1, expected 2 to 200"),
        ({"X": torch.rand(201, 1), "y": torch.rand(201, 1)}, "points: 201, expected 2 to 200"),
        ({"X": torch.ones(10, 1)}, "all x are 1"),
        ({"X": X.squeeze()}, "X has shape"),
        ({"y_range": (7, -1)}, r"y_range\[1\] is -1"),
        ({"y_range": 7}, "y_range is 7, expected two numbers: low and high"),
    ],
)
def test_what_cannot_be_used_is_named(arguments, message):
    with pytest.raises(inputs.InputError, match=message):
        OwnDataExplorer(**({"fit": quick, "X": X, "y": y} | arguments))
