"""StepExplorer: the learner's own lines, one at a time, on the learner's own objects."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils import datasets
from course_utils.explorers.step import StepExplorer, read_lines, refusals
from course_utils.inputs import InputError


def one_step(model, loss_fn, optimizer, X, y):
    """Take one step."""
    optimizer.zero_grad()
    y_pred = model(X)
    loss = loss_fn(y_pred, y)
    loss.backward()
    optimizer.step()
    return loss


def fresh_line():
    model = nn.Linear(1, 1)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def explore(data=None, *, model=None, optimizer=None, loss_fn=None, function=one_step):
    X, y = data or datasets.make_line()
    if model is None:
        model, optimizer = fresh_line()
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    explorer = StepExplorer(function, model, loss_fn or nn.MSELoss(), optimizer, X, y)
    explorer.settle()
    return explorer, model, optimizer, X, y


def click(explorer, *numbers):
    for number in numbers:
        explorer._buttons[number - 1].click()
        explorer.settle()


def given(model, optimizer, X, y):
    """Return the names that a notebook has when it runs the code of the explorer."""
    names = {"torch": torch, "loss_fn": nn.MSELoss()}
    return names | {"model": model, "optimizer": optimizer, "X": X, "y": y}


def row(explorer, name):
    return next(cells[1:] for cells in explorer.result.rows if cells[0] == name)


def test_lines_are_read_without_docstring_and_return():
    lines = read_lines(one_step)
    assert [line.text for line in lines] == [
        "optimizer.zero_grad()",
        "y_pred = model(X)",
        "loss = loss_fn(y_pred, y)",
        "loss.backward()",
        "optimizer.step()",
    ]
    assert lines[2].takes == {"loss_fn", "y_pred", "y"}
    assert lines[2].makes == {"loss"}
    assert lines[3].calls == {"backward"}


@pytest.mark.parametrize(
    ("ran", "refused"),
    [
        ((), {3: "needs y_pred: run line 2", 4: "needs loss: run line 3", 5: "needs a gradient"}),
        ((1, 2), {4: "needs loss: run line 3", 5: "needs a gradient: run line 4"}),
        ((1, 2, 3), {5: "needs a gradient: run line 4"}),
        ((1, 2, 3, 4), {3: "needs a new y_pred: run line 2", 4: "needs a new loss: run line 3"}),
        ((1, 2, 3, 4, 5), {3: "needs a new y_pred", 4: "needs a new loss"}),
        ((1, 2, 3, 4, 1), {3: "needs a new y_pred", 4: "needs a new loss", 5: "needs a gradient"}),
        ((1, 2, 3, 4, 2, 3), {}),
    ],
)
def test_what_may_not_come_yet_says_what_it_needs(ran, refused):
    why = refusals(read_lines(one_step), ran)
    for number, text in enumerate(why, 1):
        assert text.startswith(refused[number]) if number in refused else text == ""


def test_refused_is_what_pytorch_refuses():
    """Where a line is refused for a used-up loss, PyTorch raises; where it is allowed, it runs."""
    names = given(*fresh_line(), *datasets.make_line())
    generator = torch.Generator().manual_seed(420)
    lines, ran = read_lines(one_step), ()
    for _ in range(200):
        number = int(torch.randint(1, 6, (1,), generator=generator))
        if refusals(lines, ran)[number - 1]:
            if number == 4 and 3 in ran:
                with pytest.raises(RuntimeError):
                    exec(lines[3].code, names)
            continue
        exec(lines[number - 1].code, names)
        ran += (number,)
    assert len(ran) > 50


def test_buttons_run_one_line_each_on_the_learners_objects():
    explorer, model, *_ = explore()
    assert [button.disabled for button in explorer._buttons] == [False, False, True, True, True]
    click(explorer, 1, 2, 3)
    assert row(explorer, "loss") == ("6.5471", "()", "not kept")
    assert row(explorer, "X")[1:] == ("(200, 1)", "not needed")
    assert model.weight.grad is None
    click(explorer, 4)
    assert model.weight.grad.item() == pytest.approx(-4.0589, abs=1e-4)
    assert model.weight.item() == 0, "backward moves nothing"
    assert "model.weight.grad went from None to -4.0589" in explorer.page.text
    assert [cell.value for cell in explorer._cells[0]] == [
        "model.weight", "0.0000", "(1, 1)", "-4.0589",
    ]  # fmt: skip
    click(explorer, 5)
    assert model.weight.item() == pytest.approx(0.40589, abs=1e-5)
    assert explorer.result.path == [(0.0, 0.0), (model.weight.item(), model.bias.item())]
    np.testing.assert_allclose(explorer._point.x, model.weight.item())
    np.testing.assert_allclose(explorer._trace.y, [0, model.bias.item()])
    assert "Steps so far: 1, lines: 5." in explorer.page.text
    assert explorer._reasons[0].value == "runs: 1"
    assert explorer._reasons[3].value == "needs a new loss: run line 3"


def test_same_numbers_as_the_plain_loop():
    explorer, model, *_ = explore()
    other, optimizer = fresh_line()
    X, y = datasets.make_line()
    for _ in range(20):
        one_step(other, nn.MSELoss(), optimizer, X, y)
    explorer.set(lines=" ".join(["1 2 3 4 5"] * 20))
    explorer.settle()
    assert torch.equal(model.weight, other.weight)
    assert torch.equal(model.bias, other.bias)
    assert len(explorer.result.losses) == 20
    assert "100 lines ran, line 5 last" in explorer.page.text


def test_leaving_a_line_out_lets_gradients_pile_up():
    explorer, model, *_ = explore()
    ahead, whole = explorer.widget.children[1].children[0].children[-1].children
    whole.click()
    explorer.set(leave_out="optimizer.zero_grad()")
    for _ in range(3):
        ahead.click()
        explorer.settle()
    assert explorer.settings["lines"] == "1 2 3 4 5 2 3 4"
    assert model.weight.grad.item() == pytest.approx(-4.0589 - 3.2289, abs=1e-3)
    assert "The new gradient was added to the one that was there." in explorer.page.text
    whole.click()
    explorer.settle()
    assert explorer.settings["lines"] == "1 2 3 4 5 2 3 4 5"
    whole.click()
    explorer.settle()
    assert explorer.settings["lines"] == "1 2 3 4 5 2 3 4 5 2 3 4 5"


def test_no_click_is_lost():
    explorer, model, *_ = explore()
    for number in [1, 2, 3, 4, 5] * 60:
        explorer._buttons[number - 1].click()
    explorer.settle()
    assert explorer.result.ran == (1, 2, 3, 4, 5) * 60
    assert explorer.settings["lines"] == " ".join(["1 2 3 4 5"] * 60)
    assert model.weight.item() == pytest.approx(1.9949, abs=2e-2)


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.Adam])
def test_reset_restores_everything_and_code_repeats_it(make):
    torch.manual_seed(420)
    model = nn.Linear(1, 1)
    optimizer = make(model.parameters(), lr=0.1)
    X, y = datasets.make_line()
    one_step(model, nn.MSELoss(), optimizer, X, y)
    begin = model.weight.item(), model.weight.grad.item(), str(optimizer.state_dict())
    explorer, *_ = explore(model=model, optimizer=optimizer)
    assert explorer.result.refusals[4] == "", "there is a gradient from before"
    explorer.set(lines="2 3 4 5 1 2 3 4 5")
    explorer.settle()
    ends = model.weight.item(), model.bias.item()
    explorer.reset()
    explorer.settle()
    assert (model.weight.item(), model.weight.grad.item(), str(optimizer.state_dict())) == begin
    assert explorer.page.text.startswith("Nothing has run yet")
    settings = {"lines": "2 3 4 5 1 2 3 4 5", "leave_out": "nothing"}
    *lines, last = explorer.as_code(settings).split("\n")
    names = given(model, optimizer, X, y)
    exec("\n".join(lines), names)
    assert eval(last, names) == ends
    assert (model.weight.item(), model.weight.grad.item(), str(optimizer.state_dict())) == begin
    model.weight.data += 1
    explorer.reset()
    explorer.settle()
    assert model.weight.item() == begin[0], "reset also takes back what other cells did"


def test_code_writes_equal_steps_as_a_loop():
    explorer, model, optimizer, X, y = explore()
    explorer.set(lines="1 2 3 4 5 1 2 3 4 5 2 3 4 5 2 3 4 5 2 3 4 5 1 2")
    explorer.settle()
    expected = model.weight.item(), model.bias.item()
    code = explorer.as_code(explorer.settings)
    assert "for step in range(2):\n        optimizer.zero_grad()\n        y_pred" in code
    assert "for step in range(3):\n        y_pred = model(X)" in code
    assert len(code.splitlines()) < 27
    *lines, last = code.split("\n")
    names = given(model, optimizer, X, y)
    exec("\n".join(lines), names)
    assert eval(last, names) == expected


def test_statements_of_several_lines_are_one_button_each():
    def by_hand(model, loss_fn, optimizer, X, y):
        loss = loss_fn(
            model(X),
            y,
        )
        loss.backward()
        for parameter in model.parameters():
            if parameter.grad is None:
                continue
            else:
                parameter.data -= 0.1 * parameter.grad
            parameter.grad = None

    explorer, model, optimizer, X, y = explore(function=by_hand)
    assert [button.description for button in explorer._buttons] == [
        "1  loss = loss_fn(", "2  loss.backward()", "3  for parameter in model.parameters():",
    ]  # fmt: skip
    explorer.set(lines="1 2 3 1 2 3")
    explorer.settle()
    other, sgd = fresh_line()
    for _ in range(2):
        one_step(other, nn.MSELoss(), sgd, X, y)
    torch.testing.assert_close(model.weight, other.weight)
    expected = model.weight.item(), model.bias.item()
    *lines, last = explorer.as_code(explorer.settings).split("\n")
    names = given(model, optimizer, X, y)
    exec("\n".join(lines), names)
    assert eval(last, names) == expected


def test_another_list_of_lines_starts_again():
    explorer, model, *_ = explore()
    explorer.set(lines="1 2 3 4 5 1 2 3 4 5")
    explorer.settle()
    explorer.set(lines="2, 3, 4, 5")
    explorer.settle()
    assert model.weight.item() == pytest.approx(0.40589, abs=1e-5)


@pytest.mark.parametrize(
    ("lines", "message", "kept"),
    [
        ("1 2 4", "line 4, loss.backward(): needs loss: run line 3", ""),
        ("1 2 3 9", "expected numbers from 1 to 5", ""),
        ("one two", "expected numbers from 1 to 5", ""),
    ],
)
def test_a_wrong_order_is_named_and_nothing_runs(lines, message, kept):
    explorer, *_ = explore()
    explorer.set(lines=lines)
    explorer.settle()
    assert explorer.page.state == "error"
    assert message in explorer.page.text
    assert explorer.settings["lines"] == kept
    click(explorer, 1, 2)
    assert explorer.page.state == "shown"
    assert explorer.settings["lines"] == "1 2"


def test_an_error_in_a_line_is_shown_and_the_line_struck():
    X, y = datasets.make_line()
    failing = []

    def loss_fn(y_pred, y):
        if failing:
            raise ValueError("no loss today")
        return nn.MSELoss()(y_pred, y)

    explorer, *_ = explore((X, y), loss_fn=loss_fn)
    failing.append(1)
    explorer.set(lines="1 2 3")
    explorer.settle()
    assert explorer.page.text.startswith("ValueError: no loss today")
    assert explorer.settings["lines"] == "1 2"
    assert explorer._reasons[1].value == "runs: 1"
    failing.clear()
    click(explorer, 3)
    assert explorer.page.state == "shown"
    assert explorer.result.losses == pytest.approx([6.5471], abs=1e-4)


def test_a_function_that_forgets_backward_never_gets_a_gradient():
    def forgetful(model, loss_fn, optimizer, X, y):
        loss = loss_fn(model(X), y)
        loss.backward  # noqa: B018
        optimizer.step()

    explorer, *_ = explore(function=forgetful)
    click(explorer, 1, 2)
    assert explorer._reasons[2].value == "needs a gradient"


def test_a_loss_without_mean_gets_the_answer_of_pytorch():
    explorer, *_ = explore(loss_fn=nn.MSELoss(reduction="none"))
    click(explorer, 1, 2, 3)
    assert row(explorer, "loss")[1] == "(200, 1)"
    click(explorer, 4)
    assert "grad can be implicitly created only for scalar outputs" in explorer.page.text
    assert explorer.settings["lines"] == "1 2 3"


def test_an_optimizer_of_another_model_moves_nothing():
    _, other = fresh_line()
    model, _ = fresh_line()
    explorer, *_ = explore(model=model, optimizer=other)
    click(explorer, 1, 2, 3, 4, 5)
    assert "no number changed" in explorer.page.text


@pytest.mark.parametrize("n", [2, 200, 20_000])
def test_points_of_any_number(n):
    explorer, model, _, X, y = explore(datasets.make_line(n))
    explorer.set(lines="1 2 3 4 5")
    explorer.settle()
    assert row(explorer, "y_pred")[1] == f"({n}, 1)"
    assert model.weight.item() == pytest.approx(0.2 * (X * y).mean().item(), rel=1e-4)
    chart = explorer.still(explorer.result)
    np.testing.assert_allclose(chart.series[0].x, [0, model.weight.item()], rtol=1e-6)


def test_penguins_run_out_of_the_picture_without_breaking_it():
    explorer, model, *_ = explore(datasets.load_penguins())
    explorer.set(lines=" ".join(["1 2 3 4 5"] * 40))
    explorer.settle()
    assert not torch.isfinite(model.weight).all()
    assert explorer.page.state == "shown"
    assert np.isnan(explorer._point.x[0])
    assert "nan" in row(explorer, "model.weight")[0]
    explorer.reset()
    explorer.settle()
    assert model.weight.item() == 0


def test_a_network_has_a_table_and_no_map():
    torch.manual_seed(420)
    model = nn.Sequential(
        nn.Linear(1, 8), nn.Tanh(), *[nn.Linear(8, 8) for _ in range(5)], nn.Linear(8, 1)
    )
    X, y = datasets.make_curve()
    explorer, *_ = explore((X, y), model=model)
    names = [cells[0] for cells in explorer.result.rows]
    assert names[:2] == ["model.0.weight", "model.0.bias"]
    assert names[12:] == ["and 2 more", "X", "y", "y_pred", "loss"]
    explorer.set(lines="1 2 3 4 5")
    explorer.settle()
    assert len(explorer.widget.children[1].children) == 2
    assert explorer.still(explorer.result).series[0].y.tolist() == explorer.result.losses
    expected = {name: value.clone() for name, value in model.state_dict().items()}
    *lines, last = explorer.as_code(explorer.settings).split("\n")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    space = given(model, optimizer, X, y)
    exec("\n".join(lines), space)
    torch.testing.assert_close(dict(eval(last, space)), expected, rtol=0, atol=0)


def test_bad_input():
    X, y = datasets.make_line()
    model, optimizer = fresh_line()

    def short(model, X):
        model(X)

    def empty(model, loss_fn, optimizer, X, y):
        """Do nothing."""

    good = [one_step, model, nn.MSELoss(), optimizer, X, y]
    for at, value, message in [
        (0, print, "cannot be read"),
        (0, 3, "cannot be read"),
        (0, lambda model, loss_fn, optimizer, X, y: model(X), "cannot be read"),
        (0, short, "expected five"),
        (0, empty, "has no line to run"),
        (1, "model", "model has no parameters"),
        (1, nn.Tanh(), "model has no parameters"),
        (2, 0.5, "loss_fn is a float"),
        (3, model, "optimizer is a Linear"),
        (4, [1.0], "X is a list"),
        (5, None, "y is a NoneType"),
    ]:
        arguments = [*good]
        arguments[at] = value
        with pytest.raises(InputError, match=message):
            StepExplorer(*arguments)


def test_the_legend_on_the_map_is_as_light_as_the_map_in_any_theme():
    explorer, *_ = explore()
    figures = [each for each in explorer.widget.children[1].children if hasattr(each, "marks")]
    [figure] = [each for each in figures if explorer._trace in each.marks]
    heat, trace, point = figure.marks
    assert figure.legend_style["fill"] == "white"
    assert heat.scales["color"].colors[0] == "#ffffff"
    assert trace.colors == point.colors == ["#333333"]
