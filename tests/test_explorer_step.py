"""StepExplorer: the learner's own lines on copies, and the same lines by formula in the page."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import Node
from torch import nn

from course_utils import datasets
from course_utils.explorers.five_lines import told_apart
from course_utils.explorers.lines_of_code import Readiness, read_lines
from course_utils.explorers.step import StepExplorer
from course_utils.inputs import InputError

FIVE = "1 2 3 4 5"
loss_fn = nn.MSELoss()
X, y = datasets.make_line()


def one_step(model, loss_fn, optimizer, X, y):
    """Take one step."""
    optimizer.zero_grad()
    y_pred = model(X)
    loss = loss_fn(y_pred, y)
    loss.backward()
    optimizer.step()
    return loss


def in_own_words(net, criterion, sgd, inputs, targets):
    output = net(inputs)
    error = criterion(output, targets)
    net.zero_grad()
    error.backward()
    sgd.step()


def without_reset(model, loss_fn, optimizer, X, y):
    loss = loss_fn(model(X), y)
    loss.backward()
    optimizer.step()


def upside_down(model, loss_fn, optimizer, X, y):
    optimizer.step()
    loss.backward()  # noqa: F821
    loss = loss_fn(y_pred, y)  # noqa: F821, F841
    y_pred = model(X)  # noqa: F841
    optimizer.zero_grad()


USUAL = [one_step, in_own_words, without_reset, upside_down]


def fresh_line(weight=0.0, bias=0.0):
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, weight)
    nn.init.constant_(model.bias, bias)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def explore(function=one_step, model=None, optimizer=None, loss=loss_fn, data=(X, y)):
    if model is None:
        model, sgd = fresh_line()
        optimizer = optimizer or sgd
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    return StepExplorer(function, model, loss, optimizer, *data)


@pytest.fixture(scope="module")
def node():
    process = Node()
    yield process
    process.close()


@pytest.fixture(scope="module")
def explorers():
    return {function: explore(function) for function in USUAL}


def able(explorer, wanted):
    """Leave out the numbers of lines that cannot run where they stand."""
    ready, ran = Readiness(explorer.code.all), []
    for number in wanted:
        number = 1 + number % len(explorer.code.all)
        if not ready.needs(number):
            ready.note(number)
            ran.append(number)
    return ran


def text(numbers):
    return " ".join(map(str, numbers))


orders = st.lists(st.integers(0, 59), max_size=60)
quick = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_lines_are_read_without_docstring_and_return_and_told_apart(explorers):
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
    kinds = {f: ["+".join(what) for what in told_apart(e.code)] for f, e in explorers.items()}
    assert kinds[one_step] == ["zero_grad", "forward", "loss", "backward", "step"]
    assert kinds[in_own_words] == ["forward", "loss", "zero_grad", "backward", "step"]
    assert kinds[without_reset] == ["forward+loss", "backward", "step"]
    assert kinds[upside_down] == ["step", "backward", "loss", "forward", "zero_grad"]
    assert all(explorer.page.given["only"] == "" for explorer in explorers.values())


@pytest.mark.parametrize("function", USUAL)
@given(order=orders, lr=st.floats(0.02, 1.2))
@quick
def test_page_formula_and_pytorch_lead_to_the_same_numbers(node, explorers, function, order, lr):
    explorer = explorers[function]
    numbers = able(explorer, order)
    state = {"lines": text(numbers), "lr": lr, "leave_out": False}
    page, _ = node.ask(explorer, **state)
    trace = explorer.formula.trace(numbers, lr)
    size = max(abs(v) for now in trace for v in now.values() if v is not None)
    assert page["ran"] == numbers
    for name, right in trace[-1].items():
        mine = page["now"][name]
        assert mine == (right and pytest.approx(right, rel=1e-12, abs=1e-12 * max(size, 1))), name
    np.testing.assert_allclose(
        page["path"], explorer.formula.path(numbers, lr), rtol=1e-12, atol=1e-12 * max(size, 1)
    )
    proof = explorer.prove(state)
    assert proof.agrees is True, proof.text
    if size < 1e6:
        assert proof.result.weight == pytest.approx(trace[-1]["weight"], rel=1e-4, abs=1e-5 * size)


@pytest.mark.parametrize("function", USUAL)
@given(order=orders)
@quick
def test_page_and_kernel_refuse_what_pytorch_refuses(node, explorers, function, order):
    """Where a line cannot run, its own code raises; where it can, it runs."""
    explorer = explorers[function]
    numbers = able(explorer, order)
    ready = Readiness(explorer.code.all, numbers)
    needs = [ready.needs(k + 1) for k in range(len(explorer.code.all))]
    page, _ = node.ask(explorer, lines=text(numbers))
    assert page["needs"] == needs
    model, optimizer = fresh_line()
    names = dict(zip(explorer.code.words, (model, loss_fn, optimizer, X, y), strict=True))
    for number in numbers:
        exec(explorer.code.all[number - 1].code, names)
    for line, needed in zip(explorer.code.all, needs, strict=True):
        if needed:
            with pytest.raises((NameError, RuntimeError)):
                exec(line.code, dict(names))


@pytest.mark.parametrize(
    ("ran", "needs"),
    [
        ([], [0, 0, 2, 2, 0]),
        ([1, 2], [0, 0, 0, 3, 0]),
        ([1, 2, 3, 4], [0, 0, 0, 2, 0]),
        ([1, 2, 3, 4, 2], [0, 0, 0, 3, 0]),
        ([1, 2, 3, 4, 3], [0, 0, 0, 2, 0]),
        ([1, 2, 3, 4, 2, 3], [0, 0, 0, 0, 0]),
    ],
)
def test_a_line_names_the_one_it_needs(ran, needs):
    ready = Readiness(read_lines(one_step), ran)
    assert [ready.needs(k) for k in range(1, 6)] == needs


def test_twelve_steps_without_reset_and_the_learners_objects_stay(node):
    model, optimizer = fresh_line()
    explorer = explore(model=model, optimizer=optimizer)
    lines = FIVE + 11 * " 2 3 4 5"
    found = explorer.set(lines=lines)
    assert (round(found.weight, 4), round(found.bias, 4)) == (0.3445, -0.0132)
    assert round(found.loss, 4) == 5.3053
    assert explorer.proof.agrees
    rows = {name: cells for name, *cells in found.rows}
    assert rows["model.weight"] == ["0.3445", "(1, 1)", "6.5991"]
    assert rows["X"][1:] == ["(200, 1)", "not needed"]
    assert rows["y_pred"][1:] == ["(200, 1)", "not kept"]
    assert model.weight.item() == 0
    assert model.weight.grad is None
    page, said = node.ask(explorer)
    assert page["steps"] == 12
    assert page["losses"][-1] == pytest.approx(found.loss, rel=1e-5)
    assert "rose** from 2.318 to 5.305" in said


def test_the_lines_give_what_the_function_gives():
    model, optimizer = fresh_line()
    explorer = explore(model=model, optimizer=optimizer)
    found = explorer.set(lines=20 * (FIVE + " "))
    for _ in range(20):
        one_step(model, loss_fn, optimizer, X, y)
    assert (found.weight, found.bias) == (model.weight.item(), model.bias.item())
    assert found.loss == loss_fn(model(X), y).item()
    again = explorer.set(lines=20 * (FIVE + " "))
    assert again == found, "what other cells do to the model does not matter"


def test_sentences_tell_what_happened(node):
    explorer = explore()
    for lines, words in [
        ("", "**Nothing has run.** The model says 0.00 x + 0.00, a loss of 6.547"),
        ("1", "emptied .grad (it was empty already)"),
        ("2", "**model(X)** put all 200 x through 0.00 x + 0.00"),
        ("1 2 3", "made one number of 200 residuals: **6.547**"),
        ("1 2 3 4", "**loss.backward()** filled .grad. Weight and bias have not moved"),
        (FIVE, "The loss fell from 6.547 to **4.086**"),
        (FIVE + " 1", "emptied .grad. Without it"),
        (FIVE + " 2 3 4", "added to a .grad that was still full"),
        ("5", "**optimizer.step()** did nothing: .grad is None."),
        ("1 2 4", "**Line 4 cannot run here**: it needs line 3 first."),
        ("1 9", "**No such line**: there are 5."),
        ("1 x", "**No such line**: there are 5."),
        (200 * (FIVE + " "), "1,000 lines ran: enough"),
    ]:
        assert words in node.ask(explorer, lines=lines)[1], lines
    said = node.ask(explorer, lines=FIVE, lr=1.2)[1]
    assert "**rose** from 6.547 to 15.28. The step was too long for this bowl" in said
    said = node.ask(explore(upside_down))[1]
    assert said.endswith("the lowest possible is 0.0093.")
    assert (
        "Line 2 would be next, but it needs line 4." in node.ask(explore(upside_down), lines="1")[1]
    )


@pytest.mark.parametrize(
    ("lines", "leave", "after"),
    [("", False, 1), ("", True, 2), ("1 2", False, 3), (FIVE, True, 2), (FIVE, False, 1)],
)
def test_the_next_line_and_what_is_left_of_the_pass(node, lines, leave, after):
    page, _ = node.ask(explore(), lines=lines, leave_out=leave)
    assert page["next"] == after
    assert page["pass"] == ([] if lines == FIVE else page["ran"])


def test_a_gradient_from_before_counts(node):
    model, optimizer = fresh_line(0.5, -1.0)
    loss_fn(model(X), y).backward()
    explorer = explore(model=model, optimizer=optimizer)
    found = explorer.set(lines="5 2 3 4")
    page, _ = node.ask(explorer)
    assert page["now"]["weight"] == pytest.approx(found.weight, rel=1e-6)
    assert page["now"]["bias.grad"] == pytest.approx(
        explorer.formula.trace([5, 2, 3, 4], 0.1)[-1]["bias.grad"]
    )
    assert explorer.proof.agrees
    optimizer.step()
    one = explorer.set(lines="5")
    assert (one.weight, one.bias) == (model.weight.item(), model.bias.item())
    explorer.set(lines="5 2 3 4")
    assert runs(explorer, {"model": model, "optimizer": optimizer}) == tuple(found[:3])


def test_divergence_ends_in_no_numbers_in_page_and_kernel(node):
    explorer = explore(data=datasets.load_penguins())
    found = explorer.set(lines=40 * (FIVE + " "))
    assert not np.isfinite(found.weight)
    assert explorer.proof.agrees
    assert "both leave the numbers" in explorer.proof.text
    page, said = node.ask(explorer)
    assert page["now"]["weight"] == "NaN"
    assert "not a number" in said
    few = explorer.set(lines=3 * (FIVE + " "))
    assert explorer.proof.agrees
    page, _ = node.ask(explorer)
    assert page["now"]["weight"] == pytest.approx(few.weight, rel=1e-5)
    explorer.still(explorer.settings)


def with_print(model, loss_fn, optimizer, X, y):
    loss = loss_fn(model(X), y)
    print(loss.item())
    loss.backward()
    optimizer.step()


def by_hand(model, loss_fn, optimizer, X, y):
    loss = loss_fn(
        model(X),
        y,
    )
    loss.backward()
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.data -= 0.1 * parameter.grad
        parameter.grad = None


class Doubled(nn.Module):
    """A line that is wrong: its bias counts half."""

    def __init__(self, bias=0.5):
        super().__init__()
        self.weight, self.bias = (nn.Parameter(torch.zeros(1)) for _ in range(2))
        self.share = bias

    def forward(self, X):
        return self.weight * X + self.share * self.bias


def other_names(model, loss_fn, optimizer, X, y):
    y_pred = model(X)
    loss = loss_fn(X, y)
    loss.backward()
    y_pred = y_pred + 1
    model = model


def test_lines_that_only_look_usual_are_told_apart():
    explorer = explore(other_names)
    kinds = told_apart(explorer.code)
    assert [kinds[k] for k in (0, 1, 3, 4)] == [(), (), (), ()]
    assert explorer.page.given["only"] == "line 1 is none of the usual five"


def test_what_only_the_kernel_can_follow_says_so(node):
    line, _ = fresh_line()
    torch.manual_seed(420)
    network = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    other = fresh_line()[1]
    cases = {
        "the model is not a line": explore(model=network),
        "the optimizer is Adam": explore(model=line, optimizer=torch.optim.Adam(line.parameters())),
        "the optimizer is SGD with more than a learning rate": explore(
            model=line, optimizer=torch.optim.SGD(line.parameters(), lr=0.1, momentum=0.9)
        ),
        "the optimizer has other parameters than the model": explore(model=line, optimizer=other),
        "loss_fn is not the mean squared error": explore(loss=nn.L1Loss()),
        "line 2 is none of the usual five": explore(with_print),
        "line 3 is none of the usual five": explore(by_hand),
    }
    for why, explorer in cases.items():
        every = range(1, len(explorer.code.all) + 1)
        found = explorer.set(lines=text([*every, *every]))
        assert explorer.page.given["only"] == why
        assert explorer.page.proof["kind"] == "told"
        assert explorer.proof.agrees is None
        assert np.isfinite(found.loss)
        page, said = node.ask(explorer)
        assert f"Only the kernel can follow these lines: {why}." in said
        assert page["needs"] == [Readiness(explorer.code.all, page["ran"]).needs(k) for k in every]
        assert explorer.still(explorer.settings).summary
    drawn = cases["the model is not a line"].proof.drawn
    assert len(drawn["losses"]) == 2
    assert [row[0] for row in drawn["rows"]][:2] == ["model.0.weight", "model.0.bias"]
    assert cases["the optimizer is Adam"].proof.drawn["weight"].shape == (3,)


def test_own_functions_are_told_from_the_formula():
    explorer = explore(model=Doubled(bias=1.0))
    explorer.set(lines=FIVE)
    assert explorer.proof.agrees, "an own module that is a line"
    explorer = explore(loss=lambda y_pred, y: ((y_pred - y) ** 2).mean())
    explorer.set(lines=FIVE)
    assert explorer.proof.agrees, "an own loss that is the mean squared error"
    explorer = explore(model=Doubled())
    explorer.set(lines="1 2 3 4")
    assert explorer.page.proof["kind"] == "departs"
    assert explorer.proof.text.startswith("bias.grad is -1.661, by the formula -3.323")


def test_a_loss_that_fails_later_is_told():
    failing = []

    def loss(y_pred, y):
        if failing == ["raise"]:
            raise ValueError("no loss today")
        return nn.MSELoss()(y_pred, y) * (torch.nan if failing else 1)

    explorer = explore(loss=loss)
    failing.append("nan")
    assert np.isnan(explorer.set(lines="1 2 3").loss)
    assert explorer.page.proof["kind"] == "departs"
    failing[0] = "raise"
    with pytest.raises(ValueError, match="no loss today"):
        explorer.set(lines="1 2 3")
    failing[0] = "none"
    explorer = explore(loss=lambda y_pred, y: None)
    with pytest.raises(AttributeError, match="backward"):
        explorer.set(lines="1 2 3 4")
    assert np.isnan(explorer.set(lines="1 2 3").loss)


def runs(explorer, names):
    """Run the code of the explorer in a notebook that has these names; it may rebind none."""
    code = explorer.as_code(explorer.settings)
    body, call = code.rsplit("\n", 1)
    space = {
        "torch": torch,
        "X": X,
        "y": y,
        "loss_fn": explorer.code.now[explorer.code.words[1]],
    } | names
    space |= dict(zip(explorer.code.words, explorer.code.now.values(), strict=True)) | names
    before = dict(space)
    exec(body, space)
    result = eval(call, space)
    assert {k for k in space if space[k] is not before.get(k)} <= {"lines_shown", "__builtins__"}
    return result


@pytest.mark.parametrize("function", [*USUAL, by_hand])
@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.Adam])
def test_the_code_gives_the_shown_numbers(function, make):
    model, _ = fresh_line(0.25, 1 / 3)
    optimizer = make(model.parameters(), lr=0.1)
    one_step(model, loss_fn, optimizer, X, y)
    explorer = explore(function, model, optimizer)
    found = explorer.set(lines=text(able(explorer, range(0, 60, 1))), lr=0.05)
    assert runs(explorer, {}) == tuple(found[:3])
    one_step(model, loss_fn, optimizer, X, y)
    kept = copy.deepcopy(model.state_dict())
    assert runs(explorer, {}) == tuple(found[:3]), "also once other cells have moved the model"
    assert str(kept) == str(model.state_dict())


def test_the_code_writes_equal_steps_as_a_loop_and_calls_by_the_notebooks_names():
    live_model, live_optimizer = fresh_line()
    space = {"loss_fn": loss_fn, "X": X, "y": y}
    space |= {"live_model": live_model, "live_optimizer": live_optimizer}
    explorer = explore(model=live_model, optimizer=live_optimizer)
    explorer.code.function = type(one_step)(one_step.__code__, space)
    explorer.set(lines=f"{FIVE} {FIVE} 2 3 4 5 2 3 4 5 2 3 4 5 1 2")
    code = explorer.as_code(explorer.settings)
    assert "    for step in range(2):\n        optimizer.zero_grad()\n        y_pred" in code
    assert "    for step in range(3):\n        y_pred = model(X)" in code
    assert code.endswith("\n\nlines_shown(live_model, loss_fn, live_optimizer, X, y)")


def test_set_and_state_go_round():
    explorer = explore()
    found = explorer.set(lines=FIVE + " 2", lr=0.37, leave_out=True)
    state = explorer.state
    assert state == "lines=1%202%203%204%205%202&lr=0.37&leave_out=true"
    other = explore()
    assert other.set(state) == found
    assert other.settings == explorer.settings
    assert explorer.page.proof["of"] == state


def test_what_cannot_be_set_moves_nothing():
    explorer = explore()
    explorer.set(lines="1 2", lr=0.3)
    for values, message in [
        ({"lines": "1 2 4"}, r"line 4, loss.backward\(\), needs line 3 first"),
        ({"lines": "1 2 3 9"}, "expected numbers from 1 to 5"),
        ({"lines": "one two"}, "expected numbers from 1 to 5"),
        ({"lines": 201 * (FIVE + " ")}, "expected 1,000 or fewer"),
        ({"lines": 3}, "lines cannot be 3"),
        ({"lr": 9.0, "lines": "1"}, "lr cannot be 9"),
        ({"line": "1"}, "control is 'line'"),
    ]:
        with pytest.raises(InputError, match=message):
            explorer.set(**values)
        assert explorer.settings == {"lines": "1 2", "lr": 0.3, "leave_out": False}


def test_a_learning_rate_of_any_size_has_its_slider():
    for lr in (1e-7, 0.05, 0.1, 0.15, 2.0, 0.0):
        model, _ = fresh_line()
        explorer = explore(model=model, optimizer=torch.optim.SGD(model.parameters(), lr=lr))
        control = explorer.controls["lr"]
        assert control.value == (lr or 0.1)
        assert control.min < control.value < control.max
    assert explorer.controls["leave_out"].description == "leave out line 1"
    assert explore(in_own_words).controls["leave_out"].description == "leave out line 3"


@pytest.mark.parametrize("n", [1, 2, 3, 20_000])
def test_points_of_any_number(node, n):
    data = datasets.make_line(max(n, 2))
    explorer = explore(data=tuple(column[:n] for column in data))
    found = explorer.set(lines=FIVE)
    assert explorer.proof.agrees
    page, _ = node.ask(explorer)
    assert page["now"]["weight"] == pytest.approx(found.weight, rel=1e-5)
    chart = explorer.still(explorer.settings)
    np.testing.assert_allclose(chart.series[0].x, [0, found.weight], rtol=1e-5)


def test_float64_works_too(node):
    model = nn.Linear(1, 1, dtype=torch.float64)
    explorer = explore(model=model, data=(X.double(), y.double()))
    found = explorer.set(lines=30 * (FIVE + " "))
    page, _ = node.ask(explorer)
    assert page["now"]["weight"] == pytest.approx(found.weight, rel=1e-12)
    assert explorer.proof.agrees


def test_bad_input():
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
    flat = explore(data=(X.flatten(), y.flatten()))
    assert flat.page.given["only"] == "X and y are not columns of numbers"
