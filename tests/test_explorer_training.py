"""TrainingExplorer: the learner's loop, the formula and the picture tell the same."""

import time

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils import datasets, descent
from course_utils.explorers import runs
from course_utils.explorers.training import TrainingExplorer
from course_utils.history import History
from course_utils.inputs import InputError

OPTIMIZERS = [torch.optim.SGD, torch.optim.Adam]
N_TRAIN = 160


def train(model, optimizer, loss_fn, loader, epochs):
    history = History()
    model.train()
    for _ in range(epochs):
        for X_batch, y_batch in loader:
            optimizer.zero_grad()
            y_pred = model(X_batch)
            loss = loss_fn(y_pred, y_batch)
            history.record(loss=loss.item(), weight=model.weight.item(), bias=model.bias.item())
            loss.backward()
            optimizer.step()
    return history


def settled(train=train, X=None, y=None, **values):
    explorer = TrainingExplorer(train, OPTIMIZERS, X, y)
    explorer.settle()
    if values:
        explorer.set(**values)
        explorer.settle()
    return explorer


def run(code, **names):
    """Run a cell and return the value of its last line."""
    *lines, last = code.splitlines()
    namespace = {"train": train} | names
    exec("\n".join(lines), namespace)
    return eval(last, namespace)


@pytest.mark.parametrize("batch_size", [1, 7, 16, 40])
def test_the_order_of_rows_is_that_of_the_loader(batch_size):
    """The trap: a shuffling loader draws more from its generator than one permutation an epoch."""
    order = runs.Order(40)
    order.batches(40, 2)
    rows = torch.arange(40.0, dtype=torch.float64)[:, None]
    loader = runs.loader(rows, rows, batch_size)
    plain = DataLoader(
        TensorDataset(rows, rows), batch_size, shuffle=True,
        generator=torch.Generator().manual_seed(runs.SEED),
    )  # fmt: skip
    batches = iter(order.batches(batch_size, 4))
    for _ in range(4):
        for (X_batch, y_batch), (X_plain, _) in zip(loader, plain, strict=True):
            assert X_batch.equal(X_plain)
            assert X_batch.equal(y_batch)
            assert X_batch[:, 0].tolist() == next(batches).tolist()
    assert next(batches, None) is None


@pytest.mark.parametrize("loss", ["MSELoss", "L1Loss"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("batch_size", [16, N_TRAIN])
def test_preview_loop_and_code_agree(loss, optimizer, batch_size):
    values = {"lr": 0.05, "epochs": 12, "noise": 0.4}
    explorer = settled(loss=loss, optimizer=optimizer, batch_size=batch_size, **values)
    preview = explorer.compute(explorer.settings)
    assert explorer.page.state == "agrees", explorer.page.text
    for name in ("passed", "weight", "bias", "train", "val"):
        proved, shown = getattr(explorer.result, name), getattr(preview, name)
        ends = np.isin(preview.passed, explorer.result.passed)
        assert ends.sum() > 10
        known = np.isin(explorer.result.passed, preview.passed)
        np.testing.assert_allclose(proved[known], shown[ends], rtol=1e-10, atol=1e-12)
    weight, bias = run(explorer.as_code(explorer.settings))
    assert weight == pytest.approx(explorer.result.weight[-1], abs=1e-12)
    assert bias == pytest.approx(explorer.result.bias[-1], abs=1e-12)
    assert f"weight {weight:.4f}, bias {bias:.4f}" in explorer.page.text


def test_what_is_drawn_is_the_result():
    explorer = settled(lr=0.3, epochs=20)
    marks, result = explorer._marks, explorer.result
    np.testing.assert_array_equal(marks["path"].x, result.weight)
    np.testing.assert_array_equal(marks["path"].y, result.bias)
    np.testing.assert_array_equal(marks["train"].y, result.train[1:])
    np.testing.assert_array_equal(marks["val"].x, result.passed[1:])
    line = marks["line"]
    slope = (line.y[1] - line.y[0]) / (line.x[1] - line.x[0])
    assert slope == pytest.approx(result.weight[-1])
    assert len(marks["rows"].x) == N_TRAIN
    assert len(marks["held"].x) == 40
    here = explorer._lrs.index(0.3)
    assert marks["sweep"].y[here] == pytest.approx(result.train[-1])
    data = result.data
    expected = nn.functional.mse_loss(
        result.weight[-1] * data.X_val + result.bias[-1], data.y_val
    ).item()
    assert result.val[-1] == pytest.approx(expected)


def test_the_data_are_those_of_the_lesson():
    X, y = (column.double() for column in datasets.make_line())
    data = settled(epochs=1).result.data
    both = torch.cat([data.X_train, data.X_val]), torch.cat([data.y_train, data.y_val])
    assert both[0].sort(dim=0).values.equal(X.sort(dim=0).values)
    torch.testing.assert_close(both[1].sort(dim=0).values, y.sort(dim=0).values)


@pytest.mark.parametrize("loss", ["mse", "l1"])
def test_contours_have_one_loss_each(loss):
    X, y = (column.double() for column in datasets.make_line(noise=0.5))
    start = runs.Start(0.6, -1.7)
    weights, biases = runs.contours(X, y, loss, start, (2.0, 4.0))
    losses = descent.mean_loss(X, y, weights, biases, loss=loss)
    assert weights.shape == (6, 49)
    weight, bias = runs.least_squares(X, y)
    near = np.hypot((weights - weight) / 2, (biases - bias) / 4) < 3.9  # what a picture can hold
    middle = np.array([np.median(row[keep]) for row, keep in zip(losses, near, strict=True)])
    middle = middle[:, None].repeat(49, 1)
    np.testing.assert_allclose(losses[near], middle[near], rtol=0.02)
    assert near[1:].all()
    assert (np.diff(middle[:, 0]) < 0).all()
    assert middle[1, 0] == pytest.approx(
        float(descent.mean_loss(X, y, *start, loss=loss)), rel=0.02
    )


def in_the_page(explorer, lr, epochs):
    """Read a run from the bytes the page got, as replay.js does."""
    history, lrs = explorer.replay.history, explorer._lrs
    points, numbers = history["points"], np.frombuffer(history["table"], "<f8")
    end = history["ends"][runs.EPOCHS.index(epochs)] + 1
    table = numbers[points:].reshape(len(lrs), 4, points)[lrs.index(lr), :, :end]
    return numbers[:end], *table


@pytest.mark.parametrize("loss", ["MSELoss", "L1Loss"])
@pytest.mark.parametrize(("lr", "epochs"), [(0.3, 40), (0.02, 1), (0.1, 100)])
def test_page_kernel_and_loop_have_the_same_numbers(loss, lr, epochs):
    explorer = settled(loss=loss, noise=0.5)
    page = in_the_page(explorer, lr, epochs)
    kernel = explorer.compute(explorer.settings | {"lr": lr, "epochs": epochs})
    explorer.set(lr=lr, epochs=epochs)
    explorer.settle()
    assert explorer.page.state == "agrees"
    for column, name in zip(page, ("passed", "weight", "bias", "train", "val"), strict=True):
        np.testing.assert_array_equal(column, getattr(kernel, name))
        np.testing.assert_allclose(column, getattr(explorer.result, name), atol=1e-12)
    sent = explorer.replay.history
    assert sent["said"] in explorer.page.text
    assert sent["steps"] == 10


def test_the_page_forgets_runs_that_no_longer_hold():
    explorer = settled(broken("none"), epochs=5)
    before = explorer.replay.history
    assert before["ends"]
    explorer.set(lr=0.2, epochs=8)
    explorer.settle()
    assert explorer.replay.history is before, "known runs are sent once"
    seen = []
    explorer.replay.observe(lambda change: seen.append(bool(change["new"])), names="history")
    explorer.set(noise=1.0)
    explorer.settle()
    assert seen == [False, True]
    explorer.set(epochs=1_200)
    explorer.settle()
    assert seen == [False, True, False, True]
    assert len(explorer.replay.history["ends"]) == len(runs.EPOCHS)


def test_noise_is_affine_and_needs_no_new_run():
    explorer = settled(epochs=10)
    known = len(explorer._sweep._known)
    for noise in (0.0, 0.35, 3.0):
        result = explorer.compute(explorer.settings | {"noise": noise})
        path = descent.descend(
            *result.data[:2],
            0.1,
            explorer._sweep.order.batches(16, 10),
            **explorer._begin._asdict(),
        )
        assert result.weight[-1] == pytest.approx(path.weight[0, -1], abs=1e-12)
        assert result.bias[-1] == pytest.approx(path.bias[0, -1], abs=1e-12)
    assert len(explorer._sweep._known) == known


def test_divergence_is_a_lesson():
    explorer = settled(lr=3.0, epochs=100)
    result = explorer.result
    assert result.overflowed
    assert np.isfinite([result.weight, result.bias, result.train, result.val]).all()
    for mark in explorer._marks.values():
        assert np.isfinite(np.asarray(mark.y, dtype=float)).all()
        assert np.isfinite(np.asarray(mark.x, dtype=float)).all()
    limit = descent.stable_lr(result.data.X_train)
    assert f"the run diverges, the picture stops at epoch {result.passed[-1]:.3g}" in (
        explorer.page.text
    )
    assert f"the stable limit is {limit:.3g}" in explorer.page.text
    assert explorer.page.state == "agrees"
    explorer.set(lr=0.1)
    explorer.settle()
    assert not explorer.result.overflowed


def test_the_limit_is_marked_at_the_slider_and_in_the_panel():
    explorer = settled(epochs=1)
    limit = descent.stable_lr(explorer.result.data.X_train)
    slider = explorer._controls["lr"]
    assert slider.mark == pytest.approx(limit)
    assert slider.mark_label == f"limit {limit:.3g}"
    assert slider.options[0] < limit / 100 < limit < slider.options[-1]
    assert explorer._marks["limit"].x.tolist() == [limit, limit]


@pytest.mark.parametrize("choice", [{"loss": "L1Loss"}, {"optimizer": "Adam"}])
def test_no_limit_is_marked_where_its_formula_does_not_hold(choice):
    explorer = settled(epochs=1)
    figures = explorer._loss_panels
    explorer.set(lr=3.0, epochs=60, **choice)
    explorer.settle()
    assert explorer._controls["lr"].mark is None
    assert explorer._marks["limit"] not in figures[1].marks
    assert explorer.page.text.count("limit") == 1
    assert "No stable limit is drawn: its formula is for MSE with SGD." in explorer.page.text
    assert "diverge" not in explorer.page.text
    unit = "L1 loss (unit of y)" if "loss" in choice else "MSE loss (squared unit of y)"
    labels = {figure.axes[1].label for figure in figures}
    assert labels == {unit, explorer.still(explorer.result).ylabel} == {unit}
    explorer.reset()
    explorer.settle()
    assert explorer._marks["limit"] in figures[1].marks
    assert explorer._controls["lr"].mark == explorer._limit
    assert "No stable limit" not in explorer.page.text


def broken(change):
    """Return a train that has one line changed."""

    def train(model, optimizer, loss_fn, loader, epochs):
        history = {"weight": [], "bias": []}
        for _ in range(epochs):
            for X_batch, y_batch in loader:
                if change != "no reset":
                    optimizer.zero_grad()
                loss = loss_fn(model(X_batch), y_batch)
                if change == "nan":
                    loss = loss * torch.nan
                if change != "after":
                    history["weight"].append(model.weight.item())
                    history["bias"].append(model.bias.item())
                loss.backward()
                if change != "no step":
                    optimizer.step()
                if change == "after":
                    history["weight"].append(model.weight.item())
                    history["bias"].append(model.bias.item())
            if change == "one epoch":
                break
        if change == "no column":
            del history["bias"]
        return None if change == "nothing" else history

    return train


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ("none", "agrees", "Your loop agrees with the formula at every step, within a millionth."),
        ("after", "agrees", "Your loop agrees"),
        ("no reset", "departs", "departs from the formula at step 2: are gradients reset?"),
        ("no step", "departs", "departs from the formula at step 1: the parameters never move"),
        ("nan", "departs", "at step 1: the parameters are no longer numbers"),
        ("nothing", "error", "your function returned nothing: end it with `return history`"),
        ("one epoch", "error", "your history has 10 rows of weight, expected 100"),
        ("no column", "error", "your function returned no bias of each step: record bias=model."),
    ],
)
def test_what_a_loop_does_is_said(change, state, words):
    explorer = settled(broken(change), epochs=10)
    assert words in explorer.page.text
    assert explorer.page.state == state
    assert np.isfinite(explorer.result.weight).all()


def test_a_loop_that_raises_or_sleeps_is_named_and_the_next_move_heals():
    def fragile(model, optimizer, loss_fn, loader, epochs):
        if epochs == 5:
            raise RuntimeError("no data left")
        if epochs == 6:
            time.sleep(5)
        return train(model, optimizer, loss_fn, loader, epochs)

    explorer = settled(fragile, epochs=5)
    assert "RuntimeError: no data left" in explorer.page.text
    explorer.set(epochs=6)
    explorer.set(epochs=8)
    explorer.settle()
    assert explorer.page.state == "agrees"
    assert explorer.result.epochs == 8


@pytest.mark.parametrize("n", [2, 200, 20_000])
def test_few_and_many_points(n):
    X, y = datasets.make_line(n=n, noise=0.2)
    explorer = settled(X=X, y=y, epochs=2, batch_size=min(256, n - max(1, n // 5)))
    assert explorer.page.state == "agrees", explorer.page.text
    n_train = n - max(1, n // 5)
    assert len(explorer._marks["rows"].x) == min(n_train, 2_000)
    assert ("of them drawn" in explorer.page.text) == (n == 20_000)
    found = run(explorer.as_code(explorer.settings), X=X, y=y)
    expected = [explorer.result.weight[-1], explorer.result.bias[-1]]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_penguins_scaled_and_in_millimeters():
    X, y = datasets.load_penguins()
    explorer = settled(X=X, y=y, epochs=3)
    limit = descent.stable_lr(explorer.result.data.X_train)
    assert limit < 1e-4
    assert explorer.settings["lr"] < limit
    X, y = ((column - column.mean()) / column.std() for column in (X, y))
    explorer.stop()
    explorer = settled(X=X, y=y, epochs=100)
    slope = torch.linalg.lstsq(
        torch.cat([explorer.result.data.X_train, torch.ones(274, 1).double()], dim=1),
        explorer.result.data.y_train,
    ).solution[0, 0]
    assert explorer.result.weight[-1] == pytest.approx(slope.item(), abs=0.05)
    assert explorer.page.state == "agrees"


def test_too_many_steps_are_cut_and_said():
    explorer = TrainingExplorer(lambda *arguments: None, OPTIMIZERS)
    explorer.set(batch_size=1, epochs=5_000)
    explorer.settle()
    assert explorer.result.epochs * N_TRAIN <= runs.LEVELS[-1]
    said = f"{explorer.result.epochs} epochs (of 5,000: more would take too long here)"
    assert said in explorer.summary(explorer.result)
    assert explorer.settings["epochs"] == explorer.result.epochs, "the slider shows what was run"


def test_all_epochs_and_one():
    explorer = TrainingExplorer(lambda *arguments: None, OPTIMIZERS)
    for epochs in (1, 5_000):
        explorer.set(epochs=epochs)
        explorer.settle()
        result = explorer.result
        assert result.epochs == epochs
        assert result.passed[-1] == epochs
        assert len(result.passed) <= 160
    assert result.weight[-1] == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("train", OPTIMIZERS), "train is a str, expected a function"),
        ((train, [torch.optim.RMSprop]), "expected one of SGD, Adam"),
        ((train, OPTIMIZERS, torch.zeros(5), torch.zeros(5)), "add .unsqueeze"),
        ((train, OPTIMIZERS, torch.zeros(1, 1), torch.zeros(1, 1)), "expected 2 or more"),
    ],
)
def test_bad_arguments_are_named(arguments, word):
    with pytest.raises(InputError, match=word):
        TrainingExplorer(*arguments)


def test_a_value_between_two_places_of_a_slider_is_refused():
    explorer = settled(epochs=1)
    with pytest.raises(InputError, match=r"lr cannot be 0\.33: choose one of 71"):
        explorer.set(lr=0.33)
    assert explorer.settings["lr"] == 0.1
    explorer.set(lr=0.3)
    explorer.settle()
    assert explorer.settings["lr"] == 0.3
