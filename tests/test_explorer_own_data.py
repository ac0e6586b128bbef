"""OwnDataExplorer: points by mouse and by text, both exact lines, the learner's function."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from course_utils import datasets
from course_utils.explorers.own_data import OwnDataExplorer, least_absolute, read_points
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()


def fit(X, y, loss_fn, lrs=(0.5, 0.05, 0.005, 0.0005)):
    """What a learner writes: the five lines, with a falling learning rate."""
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, 0.6)
    nn.init.constant_(model.bias, -1.7)
    optimizer = torch.optim.SGD(model.parameters(), lr=lrs[0])
    for lr in lrs:
        optimizer.param_groups[0]["lr"] = lr
        for _ in range(200):
            optimizer.zero_grad()
            y_pred = model(X)
            loss = loss_fn(y_pred, y)
            loss.backward()
            optimizer.step()
    return model.weight.item(), model.bias.item()


def exact(X, y, loss_fn):
    """Give the best lines at once, for tests that are not about training."""
    if isinstance(loss_fn, nn.L1Loss):
        return least_absolute(X, y)
    columns = torch.cat([X, torch.ones_like(X)], dim=1).double()
    return tuple(torch.linalg.lstsq(columns, y.double()).solution.flatten())


X = torch.arange(0, 1, 0.1).unsqueeze(1)
y = 0.8 * X + 0.2


def run(code, **names):
    """Run a cell and return the value of its last expression."""
    *lines, last = code.splitlines()
    namespace = {"torch": torch, "nn": nn} | names
    exec("\n".join(lines), namespace)
    return eval(last, namespace)


def put_by_mouse(explorer, points):
    """Do what the page sends after a drag, a click or a deletion: both coordinates at once."""
    new_x, new_y = np.array(points, dtype=float).reshape(-1, 2).T
    with explorer._dots.hold_trait_notifications():
        explorer._dots.x, explorer._dots.y = new_x, new_y
    explorer.settle()


@pytest.mark.parametrize("n", [2, 3, 4, 7, 40])
@pytest.mark.parametrize("seed", range(4))
def test_l1_line_is_the_best_through_two_points(n, seed):
    generator = np.random.default_rng(seed)
    x, targets = generator.normal(size=n), generator.standard_t(1.5, size=n)
    x[: n // 2] = x[: n // 2].round()  # some features twice
    x[0] = 9.0

    def loss(weight, bias):
        return np.mean(np.abs(weight * x + bias - targets))

    best = min(
        loss(slope, targets[i] - slope * x[i])
        for i, j in itertools.combinations(range(n), 2)
        if x[i] != x[j]
        for slope in [(targets[j] - targets[i]) / (x[j] - x[i])]
    )
    assert loss(*least_absolute(x[:, None], targets[:, None])) == pytest.approx(best, abs=1e-12)
    wiggle = generator.normal(scale=0.1, size=(200, 2)) + least_absolute(
        x[:, None], targets[:, None]
    )
    assert min(loss(*line) for line in wiggle) >= best - 1e-12


def test_one_outlier_moves_mse_and_not_l1_by_the_learners_own_loop():
    explorer = OwnDataExplorer(fit, X, y)
    explorer.settle()
    assert explorer.verdict.agrees, explorer.page.text
    points = [*torch.cat([X[:9], y[:9]], dim=1).tolist(), [0.9, 2.2]]
    explorer.set(points=explorer.settings["points"].replace("0.9, 0.92", "0.9, 2.2"))
    explorer.settle()
    assert explorer.verdict.agrees, explorer.page.text
    mse, l1 = explorer.result.lines["MSE"], explorer.result.lines["L1"]
    expected = np.polyfit(*np.array(points).T, 1)
    np.testing.assert_allclose(mse, expected, atol=1e-4)
    assert mse[0] - 0.8 > 0.6
    assert abs(l1[0] - 0.8) < 0.01
    assert "slope moved by 0.70 since the start. L1 line: slope 0.80" in explorer.page.text
    for name, (weight, bias) in explorer.result.lines.items():
        line = explorer._drawn[name]
        np.testing.assert_allclose(line.y, weight * line.x + bias, rtol=1e-6)
    assert run(explorer.as_code(explorer.settings), fit=fit) == [mse, l1]


def test_the_mouse_adds_drags_and_deletes():
    explorer = OwnDataExplorer(exact, X, y)
    explorer.settle()
    points = [tuple(point) for point in np.round(torch.cat([X, y], dim=1).tolist(), 4)]
    dragged = [*points[:9], (0.95, 2.0004)]
    put_by_mouse(explorer, dragged)
    assert explorer.settings["points"].splitlines()[8:] == ["0.8, 0.84", "0.95, 2"]
    added = [*dragged, (0.33333, -0.5)]
    put_by_mouse(explorer, added)
    assert explorer.settings["points"].splitlines()[-1] == "0.3333, -0.5"
    assert len(explorer.result.X) == 11
    put_by_mouse(explorer, added[:3] + added[4:])
    assert "0.3, 0.44" not in explorer.settings["points"]
    lines = explorer.settings["points"].splitlines()
    assert lines[:3] == ["0, 0.2", "0.1, 0.28", "0.2, 0.36"]
    assert len(lines) == 10
    np.testing.assert_allclose(explorer.result.X[:, 0], explorer._dots.x, atol=1e-4)
    np.testing.assert_allclose(explorer.result.y[:, 0], explorer._dots.y, atol=1e-3)
    put_by_mouse(explorer, [(1e-5, 0.2), (0.5, 1.0), (1.23e6, 1.0)])
    assert explorer.settings["points"] == "1e-05, 0.2\n0.5, 1\n1.23e+06, 1"
    assert explorer.page.state == "agrees", explorer.page.text
    put_by_mouse(explorer, [])
    assert "points: 0, expected 2 to 200" in explorer.page.text
    put_by_mouse(explorer, [(0.1, 0.2), (0.5, 1.0)])
    assert explorer.page.state == "agrees"
    np.testing.assert_allclose(explorer.result.lines["L1"], (2.0, 0.0), atol=1e-6)


def test_coordinates_that_come_one_by_one_are_read_once_both_are_there():
    explorer = OwnDataExplorer(exact, X, y)
    before = explorer.settings
    x, targets = explorer._dots.x, explorer._dots.y
    explorer._dots.x = np.append(x, 0.5)
    assert explorer.settings == before
    explorer._dots.y = np.append(targets, 1.5)
    explorer.settle()
    assert explorer.settings["points"].endswith("0.9, 0.92\n0.5, 1.5")


def test_a_typo_names_its_line_and_loses_nothing():
    explorer = OwnDataExplorer(exact, X[:3], y[:3])
    explorer._text.value = "0, 0.2\n\n0.123456, 0.28 \n0.2; 0.36\n0.5\t1"
    explorer.settle()
    assert explorer.page.state == "error"
    assert "line 4 is '0.2; 0.36': write two numbers, such as 0.5, 1.2" in explorer.page.text
    assert explorer._dots.x.tolist() == [0.0, 0.123456, 0.5]
    put_by_mouse(explorer, [(0, 0.2), (0.123456, 0.28), (0.7, 1), (0.9, 2)])
    assert explorer.settings["points"] == "0, 0.2\n\n0.123456, 0.28 \n0.2; 0.36\n0.7, 1\n0.9, 2"
    assert explorer.page.state == "error"
    explorer._text.value = explorer._text.value.replace(";", ",")
    explorer.settle()
    assert explorer.page.state == "agrees"
    assert len(explorer.result.X) == len(explorer._dots.x) == 5


@pytest.mark.parametrize("line", ["1", "1, 2, 3", "a, b", "nan, 1", "1, inf", "1e999, 1", "1;2"])
def test_lines_that_are_no_points(line):
    points, places, problem = read_points(f"0, 1\n{line}\n2 3")
    assert (points, places) == ([(0.0, 1.0), (2.0, 3.0)], [0, 2])
    assert problem.startswith("line 2 is ")


def test_setting_from_code_and_back():
    explorer = OwnDataExplorer(exact, X, y)
    before = explorer.settings
    for values in ({"points": 5}, {"points": [(0, 1), (1, 3)]}, {"points": None}, {"lr": 0.1}):
        with pytest.raises(InputError, match="points"):
            explorer.set(**values)
        assert explorer.settings == before
    explorer.set(points="1, 1\n1e300, 2")
    explorer.settle()
    assert "X holds inf in row 1" in explorer.page.text
    explorer.set(points="1, 1\n1, 2")
    explorer.settle()
    assert "all features are 1: a line needs two different ones" in explorer.page.text
    assert explorer._dots.x.tolist() == [1.0, 1.0], "the points are where the text says"
    explorer.reset()
    explorer.settle()
    assert explorer.settings == before
    assert explorer.page.state == "agrees"
    assert repr(explorer) == "OwnDataExplorer(10 points)"


@pytest.mark.parametrize("n", [2, 200])
def test_few_and_many_points(n):
    explorer = OwnDataExplorer(exact, *datasets.make_line(n))
    explorer.settle()
    assert explorer.verdict.agrees, explorer.page.text
    assert len(explorer._dots.x) == n
    np.testing.assert_allclose(
        run(explorer.as_code(explorer.settings), exact=exact),
        [explorer.result.lines["MSE"], explorer.result.lines["L1"]],
    )
    if n == 200:
        explorer.set(points=explorer.settings["points"] + "\n0, 0")
        explorer.settle()
        assert "points: 201, expected 2 to 200" in explorer.page.text


def test_penguins():
    features, masses = datasets.load_penguins()
    labels = {"xlabel": "flipper length (mm)", "ylabel": "body mass (g)"}
    explorer = OwnDataExplorer(exact, features[:200], masses[:200], **labels)
    explorer.settle()
    assert explorer.verdict.agrees, explorer.page.text
    slope = np.polyfit(features[:200, 0], masses[:200, 0], 1)[0]
    assert f"MSE line: slope {slope:.3f}" in explorer.page.text
    chart = explorer.still(explorer.result)
    assert (chart.xlabel, chart.ylabel) == tuple(labels.values())
    with pytest.raises(InputError, match=r"X has 342 rows, expected 200 or fewer: X\[:200\]"):
        OwnDataExplorer(exact, features, masses)


def test_points_outside_the_picture_are_counted_and_the_frame_stays():
    explorer = OwnDataExplorer(exact, X, y, y_range=(-1, 7))
    assert (explorer._panel.scales["y"].min, explorer._panel.scales["y"].max) == (-1, 7)
    frame = [(scale.min, scale.max) for scale in explorer._panel.scales.values()]
    explorer.set(points="0, 0\n0.5, 0.5\n0.5001, 900\n7, 6")
    explorer.settle()
    assert "Outside the picture: 2 of them." in explorer.page.text
    assert frame == [(scale.min, scale.max) for scale in explorer._panel.scales.values()]
    assert all(np.isfinite(line.y).all() for line in explorer._drawn.values())


@pytest.mark.parametrize(
    ("broken", "state", "words"),
    [
        (lambda X, y, loss_fn: None, "error", "fit returned a NoneType"),
        (lambda X, y, loss_fn: 0.5, "error", "fit returned a float"),
        (lambda X, y, loss_fn: ("a", "b"), "error", "return weight, bias"),
        (lambda X, y, loss_fn: [].pop(), "error", "IndexError: pop from empty list"),
        (
            lambda X, y, loss_fn: (float("nan"), 0.0),
            "departs",
            "ends at no number with MSE. With SGD",
        ),
        (lambda X, y, loss_fn: (0.8, 0.9), "departs", "its MSE loss is 0.49, the formula's"),
        (lambda X, y, loss_fn: fit(X, y, loss_fn, lrs=(1e-4,)), "departs", "Your fit departs"),
    ],
)
def test_errors_and_departures_are_shown_and_the_next_move_heals(broken, state, words):
    functions = [broken]
    explorer = OwnDataExplorer(lambda *args: functions[0](*args), X, y)
    explorer.settle()
    assert explorer.page.state == state
    assert words in explorer.page.text
    functions[0] = exact
    explorer.set(points="0, 0\n0.5, 0.6\n1, 1")
    explorer.settle()
    assert explorer.verdict.agrees


def test_the_mode_of_a_click_reaches_the_picture():
    explorer = OwnDataExplorer(exact, X, y)
    assert not explorer._text.continuous_update, "half a number is no typo"
    assert explorer._dots.interactions == {"click": "add"}
    explorer._click.value = "delete"
    assert explorer._dots.interactions == {"click": "delete"}
    assert explorer._panel.figure.marks[-1] is explorer._dots, "above the lines, for the mouse"


def test_bad_input():
    for arguments, words in [
        (("fit", X, y), "fit is a str"),
        ((fit, X[:1], y[:1]), "2 or more"),
        ((fit, X[:, 0], y), "unsqueeze"),
        ((fit, torch.ones(3, 1), torch.ones(3, 1)), "all features are 1"),
        ((fit, X / 0, y), "holds nan in row 0"),
        ((fit, torch.zeros(20_000, 1), torch.zeros(20_000, 1)), "20000 rows, expected 200"),
    ]:
        with pytest.raises(InputError, match=words):
            OwnDataExplorer(*arguments)
    for y_range in ((1, 0), (0, "a"), (float("nan"), 1)):
        with pytest.raises(InputError, match="y_range"):
            OwnDataExplorer(exact, X, y, y_range=y_range)
