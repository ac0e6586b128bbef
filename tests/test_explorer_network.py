"""NetworkExplorer: the learner's loop trains in slices; what is shown depends on settings alone."""

import random
import re
import threading

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.explorers import network
from course_utils.explorers.network import MOST_EPOCHS, NetworkExplorer, OwnRandomness, make_points
from course_utils.inputs import InputError

loss_fn = nn.MSELoss()


def build(width, depth, activation):
    layers, inputs = [], 1
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), activation()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 1))


def train(model, X, y, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    while True:
        optimizer.zero_grad()
        y_pred = model(X)
        loss = loss_fn(y_pred, y)
        loss.backward()
        optimizer.step()
        yield


def shuffled(model, X, y, lr):
    """Train on shuffled batches, with dropout between them: both draw random numbers."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    while True:
        for rows in torch.randperm(len(X)).split(16):
            optimizer.zero_grad()
            y_pred = model(nn.functional.dropout(X[rows], 0.1))
            loss = loss_fn(y_pred, y[rows])
            loss.backward()
            optimizer.step()
        yield


def settled(train=train, build=build, **values):
    explorer = NetworkExplorer(build, train)
    explorer.settle()
    if values:
        explorer.set(**values)
        explorer.settle()
    return explorer


def settle_without_pause(explorer):
    super(NetworkExplorer, explorer).settle()


def run(code):
    """Run a cell and return the value of its last line."""
    *lines, last = code.splitlines()
    namespace = {"build": build, "train": train, "shuffled": shuffled}
    exec("\n".join(lines), namespace)
    return eval(last, namespace)


class Watched(NetworkExplorer):
    """Tells when so many pictures are drawn, and keeps them."""

    def __init__(self, build, train):
        self.drawn, self.more = [], threading.Condition()
        super().__init__(build, train)

    def draw(self, result):
        super().draw(result)
        with self.more:
            self.drawn.append(result)
            self.more.notify_all()

    def await_picture(self, fits):
        """Wait for a new picture that fits."""
        with self.more:
            begin = len(self.drawn)
            assert self.more.wait_for(lambda: any(map(fits, self.drawn[begin:])), 60)


def test_the_untrained_network_is_shown_first():
    explorer = settled()
    torch.manual_seed(420)
    expected = build(8, 1, nn.Tanh)(network.GRID).detach()[:, 0]
    np.testing.assert_allclose(explorer.result.curve, expected)
    assert "25 parameters" in explorer.page.text
    assert "epoch 0: training loss 0.7488" in explorer.page.text
    assert explorer.page.state == "shown"


@pytest.mark.parametrize("loop", [train, shuffled])
@pytest.mark.parametrize(
    "values",
    [
        {"width": 4, "epochs": 150},
        {"depth": 3, "activation": "ReLU", "noise": 0.3, "epochs": 30},
        {"activation": "sigmoid", "lr": 0.1, "seed": 7, "epochs": 1},
        {"activation": "none", "epochs": 0},
    ],
)
def test_picture_and_code_have_the_same_losses(loop, values):
    explorer = settled(loop, **values)
    result = explorer.result
    assert result.settings == explorer.settings
    assert result.epochs[-1] == values["epochs"]
    losses = run(explorer.as_code(explorer.settings))
    assert losses == (result.train[-1], result.val[-1])
    assert f"loss {losses[0]:.4g}, validation loss {losses[1]:.4g}." in explorer.page.text


@pytest.mark.parametrize("depth", [1, 3])
def test_contributions_and_bias_add_up_to_the_curve(depth):
    explorer = settled(width=5, depth=depth, epochs=40)
    result, marks = explorer.result, explorer._marks
    assert result.contributions.shape == (5, 121)
    assert [nodes.shape for nodes in result.nodes] == [(5, 121)] * depth
    total = result.contributions.sum(axis=0) + result.bias
    np.testing.assert_allclose(total, result.curve, atol=1e-5)
    np.testing.assert_array_equal(marks["added"].y, result.contributions)
    np.testing.assert_array_equal(marks["curve"].y, result.curve)
    np.testing.assert_array_equal(marks["train"].x, result.epochs[1:])
    np.testing.assert_array_equal(marks["val"].y, result.val[1:])
    small = marks["nodes"]
    assert small.x.shape == small.y.shape == (5 * depth, 31)
    assert small.x.min() > 0.5
    assert small.x.max() < depth + 0.5
    assert 0 < small.y.min() < small.y.max() < 1


def test_noise_and_halves_are_those_of_one_curve():
    X_train, y_train, X_val, y_val = make_points(0.0)
    assert (len(X_train), len(X_val)) == (41, 40)
    torch.testing.assert_close(
        torch.cat([y_train, y_val]), torch.sin(2 * torch.cat([X_train, X_val]))
    )
    noise = make_points(0.5)[1] - y_train
    torch.testing.assert_close(noise, 2 * (make_points(0.25)[1] - y_train))
    assert 0.3 < noise.std() < 0.7


def test_a_pause_loses_nothing_and_the_run_goes_on():
    """Play, pause and step in any order: the picture is that of the epochs alone."""
    explorer = Watched(build, train)
    generator = random.Random(0)
    for _ in range(3):
        explorer.play()
        at = explorer.settings["epochs"]
        explorer.await_picture(lambda picture, at=at: picture.epochs[-1] >= at + 20)
        assert explorer._button.description == "Pause"
        explorer.pause()
        explorer.settle()
        for _ in range(generator.randint(1, 3)):
            explorer.step()
            explorer.settle()
        assert (explorer.page.state, explorer._button.description) == ("shown", "Play")
        epochs = explorer.settings["epochs"]
        assert epochs == explorer.result.epochs[-1] == explorer.result.settings["epochs"]
        again = explorer.compute(explorer.settings)
        for name in ("curve", "epochs", "train", "val", "contributions"):
            np.testing.assert_array_equal(getattr(again, name), getattr(explorer.result, name))
    reached = [picture.settings["epochs"] for picture in explorer.drawn]
    assert reached == sorted(reached), "no pause or step began anew"
    explorer.reset()
    explorer.settle()
    assert explorer.settings["epochs"] == explorer.result.epochs[-1] == 0


def test_fast_fingers_on_play_and_pause_lose_nothing():
    explorer = Watched(build, train)
    generator = random.Random(1)
    for _ in range(20):
        generator.choice([explorer.play, explorer.pause])()
        if generator.random() < 0.3:
            explorer.play()
            explorer.await_picture(lambda picture: True)
    explorer.settle()
    reached = [picture.settings["epochs"] for picture in explorer.drawn]
    assert reached == sorted(reached)
    assert reached[-1] == explorer.settings["epochs"]


def test_changes_while_it_plays_begin_anew_and_the_last_wins():
    explorer = Watched(build, train)
    explorer.play()
    explorer.await_picture(lambda picture: picture.epochs[-1] > 20)
    for width in (*range(1, 17), 3):
        explorer.set(width=width)
    explorer.await_picture(lambda picture: picture.settings["width"] == 3)
    assert explorer._playing
    explorer.set(lr=0.1)
    explorer.await_picture(lambda picture: picture.settings["lr"] == 0.1)
    explorer.set(epochs=70)
    explorer.settle()
    assert explorer.settings | {"width": 3, "lr": 0.1, "epochs": 70} == explorer.settings
    assert explorer.result.epochs[-1] == 70
    assert not explorer._playing


def test_typed_epochs_end_the_play_and_fewer_begin_anew():
    explorer = Watched(build, train)
    explorer.play()
    explorer.await_picture(lambda picture: picture.epochs[-1] > 20)
    explorer._controls["epochs"].value = 9
    explorer.settle()
    assert (explorer.result.epochs[-1], explorer._playing) == (9, False)


def test_play_ends_at_the_last_epoch(monkeypatch):
    monkeypatch.setattr(network, "MOST_EPOCHS", 60)
    explorer = Watched(build, train)
    explorer.settle()
    explorer.play()
    settle_without_pause(explorer)
    assert (explorer.settings["epochs"], explorer._button.description) == (60, "Play")
    explorer.play()
    explorer.step()
    explorer.settle()
    assert explorer.settings["epochs"] == 60


def test_a_paused_explorer_leaves_no_thread():
    explorer = Watched(build, train)
    explorer.play()
    explorer.await_picture(lambda picture: picture.epochs[-1] > 20)
    worker = explorer._worker
    explorer.pause()
    worker.join(30)
    assert not worker.is_alive()
    assert explorer._worker is None


def test_the_global_generator_and_threads_are_left_alone():
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    settled(shuffled, width=3, depth=2, epochs=20)
    settled(epochs=20)
    assert before.equal(torch.get_rng_state())
    assert threads == torch.get_num_threads()


DRAWS = {
    "randn": lambda: torch.randn(3),
    "rand": lambda: torch.rand(2, 2),
    "normal": lambda: torch.normal(0.0, 1.0, (3,)),
    "randint": lambda: torch.randint(0, 9, (4,)),
    "randint below": lambda: torch.randint(9, (4,)),
    "randperm": lambda: torch.randperm(5),
    "dropout": lambda: nn.functional.dropout(torch.ones(9)),
    "multinomial": lambda: torch.multinomial(torch.ones(4), 2),
    "layer": lambda: nn.Linear(2, 3).weight.detach(),
    "init": lambda: nn.init.xavier_normal_(torch.empty(2, 3)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_own_randomness_draws_what_the_global_seed_would(draw):
    before = torch.get_rng_state()
    with OwnRandomness(7):
        own = draw()
    assert before.equal(torch.get_rng_state())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        assert own.equal(draw())


def test_a_page_that_paints_slowly_is_waited_for():
    """Each picture waits for the page to have painted the one before, as long as it answers."""
    explorer = Watched(build, train)
    explorer.settle()
    click = explorer.page._handle_custom_msg
    click({"click": "listen"}, [])
    explorer.play()
    for _ in range(5):
        explorer.await_picture(lambda picture: True)
        click({"painted": explorer.page.picture["count"]}, [])
    explorer.pause()
    explorer.settle()
    assert explorer.page.state == "shown"


def test_pictures_that_nobody_sees_pause_it(monkeypatch):
    monkeypatch.setattr(network, "PAINTING", 0.001)
    explorer = Watched(build, train)
    explorer.settle()
    explorer.page._handle_custom_msg({"click": "listen"}, [])
    drawn = len(explorer.drawn)
    explorer.play()
    settle_without_pause(explorer)
    assert explorer._button.description == "Play"
    assert explorer.settings["epochs"] < MOST_EPOCHS
    assert network.UNSEEN < len(explorer.drawn) - drawn <= network.UNSEEN + network.ON_THE_WAY + 2


def broken(mistake):
    def train(model, X, y, lr):
        if mistake == "no yield":
            return
        for epoch in range(5 if mistake == "ends" else 10**9):
            if mistake == "no step" or epoch < 3:
                yield
            elif mistake == "raises":
                raise ValueError("lost my way")
            elif mistake == "ends":
                yield

    def whole(model, X, y, lr):
        for _ in train(model, X, y, lr):
            pass

    return whole if mistake == "no yield" else train


@pytest.mark.parametrize(
    ("mistake", "state", "said"),
    [
        ("no yield", "error", "whole is no generator: write `yield` after optimizer.step()"),
        ("no step", "shown", "The loss has not moved: does your loop step?"),
        ("ends", "shown", "epoch 5: .* Your function ended."),
        ("raises", "error", "ValueError: lost my way\nIn train, line"),
    ],
)
def test_mistakes_of_a_loop_are_told(mistake, state, said):
    explorer = settled(broken(mistake), epochs=20)
    assert explorer.page.state == state
    assert re.search(said, explorer.page.text), explorer.page.text
    assert not explorer._playing


def test_a_loop_that_never_yields_is_stopped():
    started = threading.Event()

    def endless(model, X, y, lr):
        yield
        started.set()
        while True:
            pass

    explorer = settled(endless, epochs=1)
    explorer.play()
    assert started.wait(30)
    explorer.stop()
    settle_without_pause(explorer)
    assert (explorer.page.state, explorer._playing) == ("error", False)
    assert "epoch 1:" in explorer.page.text
    assert "was stopped" in explorer.page.text
    explorer.set(epochs=1, width=2)
    explorer.settle()
    assert explorer.page.state == "shown"


def test_an_error_ends_the_play_and_the_next_move_heals():
    def raises_on_two(model, X, y, lr):
        while True:
            yield [].pop() if len(model[0].weight) == 2 else None

    explorer = settled(raises_on_two)
    explorer.set(width=2)
    explorer.play()
    settle_without_pause(explorer)
    assert (explorer.page.state, explorer._button.description) == ("error", "Play")
    assert "IndexError: pop from empty list" in explorer.page.text
    explorer.set(width=3, epochs=12)
    explorer.settle()
    assert explorer.page.state == "shown"


def test_a_run_that_diverges_ends_with_a_reason():
    def climbing(model, X, y, lr):
        while True:
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.mul_(-1e9)
            yield

    explorer = settled(climbing, epochs=500)
    assert "is the learning rate too large?" in explorer.page.text
    assert explorer.result.epochs[-1] < 20
    assert np.isfinite(explorer._marks["train"].y).all()
    assert explorer.still(explorer.result).to_png().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda *shape: None, "returned a NoneType: end it with `return` a module"),
        (lambda *shape: nn.Linear(1, 2), r"turns \(41, 1\) into \(41, 2\), expected \(41, 1\)"),
        (lambda *shape: nn.Linear(2, 1), "shapes cannot be multiplied"),
        (lambda *shape: nn.Sequential(nn.Tanh()), "has no nn.Linear"),
    ],
)
def test_mistakes_of_a_model_are_told(make, said):
    explorer = settled(build=make)
    assert explorer.page.state == "error"
    assert re.search(said, explorer.page.text), explorer.page.text


def test_bad_input_is_refused():
    explorer = settled()
    for values in ({"width": 17}, {"depth": 0}, {"activation": "relu"}, {"lr": 0.02}, {"size": 3}):
        with pytest.raises(InputError):
            explorer.set(**values)
    with pytest.raises(InputError, match="train is a NoneType, expected a function"):
        NetworkExplorer(build, None)
    assert repr(explorer) == (
        "NetworkExplorer(width=8, depth=1, activation=tanh, lr=0.01, noise=0.0, seed=420, epochs=0)"
    )


def test_the_open_code_panel_tells_the_epoch_that_is_shown():
    explorer = settled(epochs=30)
    explorer.page._handle_custom_msg({"click": "code"}, [])
    assert "range(30)" in explorer.page.code
    explorer.step()
    explorer.settle()
    assert "range(31)" in explorer.page.code
