"""LineExplorer: the line by sliders and by its ends, what it costs, and the record."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils import datasets, descent
from course_utils.explorers.line import LineExplorer, slider_ranges
from course_utils.inputs import InputError


def explore(X, y, loss_fn=None):
    explorer = LineExplorer(X, y, loss_fn or nn.MSELoss())
    explorer.settle()
    return explorer


def drag(explorer, left, right):
    explorer._ends.y = np.array([left, right])  # what bqplot sets when the mouse moves an end
    explorer.settle()


def column(values):
    return torch.tensor(values, dtype=torch.float32).unsqueeze(1)


def run(code, **names):
    *lines, last = code.splitlines()
    exec("\n".join(lines), names)
    return eval(last, names)


@pytest.mark.parametrize("n", [2, 200, 20_000])
def test_loss_and_drawn_line_follow_the_sliders(n):
    X, y = datasets.make_line(n)
    explorer = explore(X, y)
    explorer.set(weight=0.5, bias=1.5)
    explorer.settle()
    assert explorer.result.loss == pytest.approx(descent.mean_loss(X, y, 0.5, 1.5), rel=1e-5)
    assert explorer.result.mean_square == pytest.approx(explorer.result.loss, rel=1e-5)
    np.testing.assert_allclose(explorer._line.y, 0.5 * explorer._line.x + 1.5)
    np.testing.assert_array_equal(explorer._ends.y, explorer._line.y)
    assert len(explorer._points.x) == min(n, 2_000)
    assert ("(2,000 of them drawn)" in explorer.page.text) == (n == 20_000)
    found = run(explorer.as_code(explorer.settings), X=X, y=y, loss_fn=nn.MSELoss())
    assert found == explorer.result.loss


def test_sticks_end_on_points_and_on_the_line():
    X, y = datasets.make_line(n=50)
    explorer = explore(X, y)
    explorer.set(weight=-1.0, bias=0.5)
    explorer.settle()
    x, heights = explorer._sticks.x, explorer._sticks.y
    assert np.isnan(heights[2::3]).all()
    assert np.isfinite(heights[-1]), "bqplot places a label at the last point"
    np.testing.assert_array_equal(x[0::3], x[1::3])
    np.testing.assert_allclose(heights[0::3], -x[0::3] + 0.5)
    ends = {(round(float(a), 5), round(float(b), 5)) for a, b in zip(X, y, strict=True)}
    drawn = zip(x[1::3], heights[1::3], strict=True)
    assert {(round(float(a), 5), round(float(b), 5)) for a, b in drawn} == ends


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (datasets.make_line(), "mean of all 200 squares is 3.787, a square of side 1.946; 20"),
        (datasets.load_penguins(), "mean of all 342 squares is 641,254, a square of side 800.8"),
    ],
)
def test_squares_are_square_on_the_screen(data, said):
    explorer = explore(*data)
    assert not explorer._squares.visible
    explorer.set(squares=True)
    explorer.settle()
    assert explorer._squares.visible
    figure = explorer.widget.children[1].children[0]
    margin = figure.fig_margin
    across = int(figure.layout.width[:-2]) - margin["left"] - margin["right"]
    up = int(figure.layout.height[:-2]) - margin["top"] - margin["bottom"]
    horizontal, vertical = (axis.scale for axis in figure.axes)
    x = np.append(explorer._squares.x, np.nan).reshape(-1, 6)[:, :5]
    y = np.append(explorer._squares.y, np.nan).reshape(-1, 6)[:, :5]
    assert len(x) == 20
    wide = np.ptp(x, axis=1) * across / (horizontal.max - horizontal.min)
    high = np.ptp(y, axis=1) * up / (vertical.max - vertical.min)
    np.testing.assert_allclose(wide, high)
    assert x.min() >= horizontal.min
    assert x.max() <= horizontal.max
    assert said in explorer.page.text


def test_ends_and_sliders_move_each_other_without_an_echo():
    X, y = datasets.make_line()
    explorer = explore(X, y)
    x_left, x_right = explorer._ends.x
    drag(explorer, -3.0, 6.0)
    weight = 9 / (x_right - x_left)
    assert explorer.settings["weight"] == pytest.approx(weight, abs=5e-3), (
        "half a step of the slider"
    )
    np.testing.assert_allclose(explorer._line.y, [-3, 6], atol=0.05)
    np.testing.assert_array_equal(explorer._ends.y, [-3, 6], "an end held by the mouse stays")
    explorer.set(weight=1.0, bias=1.0)
    explorer.settle()
    np.testing.assert_allclose(explorer._ends.y, [x_left + 1, x_right + 1])
    assert explorer.settings == {"weight": 1.0, "bias": 1.0, "squares": False}


def test_while_an_end_is_dragged_no_older_line_moves_it_back():
    X, y = datasets.make_line()
    explorer = explore(X, y)
    put = []
    explorer._ends.observe(lambda change: put.append(change["new"]), names="y")
    for height in np.linspace(1.65, 6, 300):
        explorer._ends.y = np.array([1.65, height])
    explorer.settle()
    assert len(put) == 299, "only the mouse has set the ends"
    np.testing.assert_allclose(explorer._line.y, [1.65, 6], atol=0.05)


def test_an_end_dragged_out_of_reach_comes_back_to_the_line():
    X, y = datasets.make_line()
    explorer = explore(X, y)
    drag(explorer, -400.0, 400.0)
    assert explorer.settings["weight"] == explorer._controls["weight"].max
    np.testing.assert_array_equal(explorer._ends.y, explorer._line.y)
    explorer._ends.y = np.array([np.nan, 1.0])
    explorer.settle()
    assert explorer.page.state == "shown"


def test_the_record_falls_and_is_forgotten_on_reset():
    X, y = datasets.make_line()
    explorer = explore(X, y)
    losses = []
    for weight in (1.0, 1.5, 0.5):
        explorer.set(weight=weight)
        explorer.settle()
        losses.append(explorer.result.loss)
    assert f"Record since reset: {min(losses):.4g}," in explorer.page.text
    line = np.polyfit(X[:, 0].double(), y[:, 0].double(), 1)
    best = float(descent.mean_loss(X, y, *line))
    assert f"{min(losses) / best:.4g} times the loss of the least-squares" in explorer.page.text
    explorer.set(weight=1.99, bias=1.5)
    explorer.settle()
    assert "2.0" not in explorer.page.text, "the best parameters are not given away"
    explorer.reset()
    explorer.settle()
    assert f"Record since reset: {explorer.result.loss:.4g}," in explorer.page.text


def test_another_loss_may_beat_least_squares():
    X, y = datasets.make_line()
    y[0] += 20
    explorer = explore(X, y, nn.L1Loss())
    explorer.set(weight=2.0, bias=1.5)
    explorer.settle()
    assert "% below the loss of the least-squares line" in explorer.page.text
    assert explorer.result.loss == pytest.approx((y - 2 * X - 1.5).abs().mean().item(), rel=1e-6)


@pytest.mark.parametrize(
    ("X", "y"),
    [
        datasets.make_line(),
        datasets.load_penguins(),
        (column([0.0, 1.0]), column([5.0, 5.0])),
        (column([1e-6, 3e-6]), column([-1e4, 1e4])),
        (column([0.0, 1.0]), column([0.0, 0.0])),
    ],
)
def test_ranges_hold_every_line_one_would_draw(X, y):
    x, targets = X[:, 0].double().numpy(), y[:, 0].double().numpy()
    ranges = slider_ranges(x, targets)
    corners = targets.min(), targets.max()
    for left in corners:
        for right in corners:
            weight = (right - left) / (x.max() - x.min())
            bias = left - weight * x.min()
            for name, value in (("weight", weight), ("bias", bias)):
                low, high, step = ranges[name]
                assert low <= value <= high
                assert 100 < (high - low) / step < 20_000
                assert f"{step:e}"[:9] in {"1.000000e", "2.000000e", "5.000000e"}
    assert explore(X, y).page.state == "shown"


def test_penguins_have_units_and_a_line():
    X, y = datasets.load_penguins()
    explorer = LineExplorer(
        X, y, nn.MSELoss(), xlabel="flipper length (mm)", ylabel="body mass (g)"
    )
    explorer.set(weight=49.7, bias=-5780)
    explorer.settle()
    assert explorer.result.loss == pytest.approx(descent.mean_loss(X, y, 49.7, -5780), rel=1e-5)
    assert "342 points: loss 154,560." in explorer.page.text
    figure = explorer.widget.children[1].children[0]
    assert [axis.label for axis in figure.axes] == ["flipper length (mm)", "body mass (g)"]
    still = explorer.still(explorer.result)
    assert (still.xlabel, still.ylabel) == ("flipper length (mm)", "body mass (g)")
    np.testing.assert_allclose(still.series[1].y, explorer._line.y)


@pytest.mark.parametrize(
    ("loss_fn", "message"),
    [
        (nn.MSELoss(reduction="none"), "returned shape (200, 1), expected one number"),
        (lambda y_pred, y: None, "what loss_fn returned is None, expected a number"),
        (lambda y_pred, y: torch.tensor(float("nan")), "what loss_fn returned is nan"),
        (lambda y_pred, y: y_pred.men(), "'Tensor' object has no attribute 'men'"),
    ],
)
def test_a_broken_loss_is_shown(loss_fn, message):
    explorer = explore(*datasets.make_line(), loss_fn)
    assert explorer.page.state == "error"
    assert message in explorer.page.text


def test_a_loss_that_fails_once_heals_with_the_next_move():
    def loss_fn(y_pred, y):
        if y_pred.max() > 4:
            raise ValueError("too high")
        return nn.MSELoss()(y_pred, y)

    X, y = datasets.make_line()
    explorer = explore(X, y.clamp(max=1), loss_fn)
    explorer.set(bias=5)
    explorer.settle()
    assert explorer.page.text.startswith("ValueError: too high\nIn loss_fn, line")
    explorer.set(bias=1)
    explorer.settle()
    assert explorer.page.state == "shown"


def test_bad_input():
    X, y = datasets.make_line()
    for arguments, message in [
        ((X[:, 0], y, nn.MSELoss()), "unsqueeze"),
        ((X, y[:9], nn.MSELoss()), "9 rows"),
        ((X[:1], y[:1], nn.MSELoss()), "1 rows"),
        ((torch.ones(5, 1), torch.ones(5, 1), nn.MSELoss()), "all features are 1"),
        ((X, y, 3.0), "loss_fn is a float"),
    ]:
        with pytest.raises(InputError, match=message):
            LineExplorer(*arguments)
    explorer = explore(X, y)
    with pytest.raises(InputError, match="choose from -4 to 4"):
        explorer.set(weight=1e9)
