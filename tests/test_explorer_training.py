"""TrainingExplorer: page, formula and the learner's loop in PyTorch walk the same path."""

import json
import sys
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Node
from proofs import Sleeper, ask, move, numbers_in, rest, value_of
from test_page_random import in_node

from course_utils import datasets, descent
from course_utils.explorers import loops
from course_utils.explorers.training import TrainingExplorer
from course_utils.history import History
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()
OPTIMIZERS = [torch.optim.SGD, torch.optim.Adam]
KINDS = [(loss, name) for loss in ("MSELoss", "L1Loss") for name in ("SGD", "Adam")]
TOP = 10**0.5  # the largest learning rate of the course's line
LONGEST = {1: 2, 4: 8, 16: 30, 64: 60, 160: 100}  # epochs by batch size
chosen = st.sampled_from([*LONGEST]).flatmap(
    lambda size: st.fixed_dictionaries(
        {
            "batch_size": st.just(size),
            "epochs": st.sampled_from([n for n in (1, 2, 8, 30, 60, 100) if n <= LONGEST[size]]),
            "lr": st.integers(-60, 10).map(lambda k: 10 ** (k / 20)),
            "noise": st.integers(1, 60).map(lambda k: k / 20),
            "loss": st.sampled_from(["MSELoss", "L1Loss"]),
            "optimizer": st.sampled_from(["SGD", "Adam"]),
            "weight": st.integers(0, 400).map(lambda k: k / 100),
            "bias": st.integers(-240, 560).map(lambda k: k / 100),
        }
    )
)


def train(model, optimizer, loss_fn, loader, epochs):
    history = History()
    for _ in range(epochs):
        for X_batch, y_batch in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(X_batch), y_batch)
            history.record(weight=model.weight.item(), bias=model.bias.item())
            loss.backward()
            optimizer.step()
    return history


@pytest.fixture(scope="module")
def explorer():
    return TrainingExplorer(train, OPTIMIZERS)


@pytest.fixture(scope="module")
def page(explorer):
    node = Node()
    yield lambda one=explorer, **values: node.ask(one, **values)
    node.close()


def numbers(values):
    """What JSON cannot hold comes as a text."""
    return np.array([float(value) for value in values])


def same_path(found, path, steps):
    """Equal to 1e-12 of the largest value so far: what grows and shrinks again leaves rounding."""
    with np.errstate(invalid="ignore"):
        size = np.maximum.accumulate(np.maximum(np.max(np.abs(path), axis=0), 1))
    for one, other in zip(found, path, strict=True):
        assert np.all(np.abs(numbers(one) - other[steps]) <= 1e-12 * size[steps])


def last_finite(path):
    good = np.isfinite(path).all(axis=0)
    return len(good) - 1 if good.all() else int(np.argmin(good)) - 1


@settings(max_examples=25, deadline=None)
@given(chosen)
def test_page_formula_and_loop_walk_one_path(page, explorer, values):
    result, said = page(**values)
    formula, steps = loops.formula(explorer.rows, values), np.array(result["steps"])
    same_path((result["W"], result["B"]), np.vstack([formula.weight, formula.bias]), steps)
    proof = explorer.prove(values)
    history = np.array([[*proof.result["weight"]], [*proof.result["bias"]]])
    before = steps[steps < result["total"]]
    found = [parameter[: len(before)] for parameter in (result["W"], result["B"])]
    same_path(found, history, before)
    assert proof.agrees, proof.text
    assert "NaN" not in said
    assert "undefined" not in said
    if steps[-1] == result["total"] and not result["diverges"]:
        losses = [numbers(result[name])[-1] for name in ("train", "val")]
        w, b = result["W"][-1], result["B"][-1]
        loss_fn = getattr(torch.nn, values["loss"])()
        told = [
            loss_fn(w * X + b, y).item() for X, y in explorer.rows.data(values["noise"]).values()
        ]
        np.testing.assert_allclose(losses, told, rtol=1e-11)


@pytest.mark.parametrize(
    "values",
    [
        {"lr": 2.0},
        {"lr": TOP, "batch_size": 1, "epochs": 10},
        {"lr": 1.5, "batch_size": 64, "epochs": 400},
        {"lr": TOP, "batch_size": 160, "epochs": 500, "noise": 3.0},
    ],
)
def test_divergence_ends_at_the_same_step(page, explorer, values):
    values = explorer.settings | values
    result, said = page(**values)
    formula = loops.formula(explorer.rows, values)
    assert result["ended"]
    assert result["diverges"]
    assert result["reached"] == last_finite(np.vstack([formula.weight, formula.bias]))
    proof = explorer.prove(values)
    history = np.array([[*proof.result["weight"]], [*proof.result["bias"]]])
    assert proof.agrees
    assert result["reached"] == last_finite(history)
    assert said.startswith(f"**Diverges**: no number is left after {result['reached']:,} steps.")


def test_only_steps_that_can_grow_are_said_to_diverge(page):
    for loss, optimizer in KINDS:
        start = {"weight": 3.0, "bias": 1.5, "lr": 100.0, "batch_size": 160, "epochs": 1}
        result, said = page(**start, loss=loss, optimizer=optimizer)
        limited = (loss, optimizer) == ("MSELoss", "SGD")
        assert result["diverges"] == limited
        assert said.startswith("**Diverges**") == limited
    result, _ = page(lr=0.9, weight=2.0, bias=1.5)  # its loss grows, within the picture
    assert not result["diverges"]


@pytest.mark.parametrize(("loss", "optimizer"), KINDS)
def test_the_curve_over_the_rates(page, explorer, loss, optimizer):
    values = explorer.settings | {"epochs": 5, "loss": loss, "optimizer": optimizer}
    result, _ = page(**values)
    rates = explorer.page.given["rates"]
    assert len(result["sweep"]) == len(rates) == 71
    loss_fn, (X, y) = getattr(torch.nn, loss)(), explorer.rows.data(values["noise"])["train"]
    for k in (0, 35, 70):
        path = loops.formula(explorer.rows, values | {"lr": rates[k]})
        told = loss_fn(path.weight[0, -1] * X + path.bias[0, -1], y).item()
        assert float(result["sweep"][k]) == pytest.approx(told, rel=1e-11)


def test_what_a_frame_has_no_time_for_follows(explorer):
    code = f"""
import {{ explorers }} from BUNDLE;
const given = {json.dumps(explorer.page.given)}, {{ compute, later }} = explorers.training;
const all = (settings) => {{
  const work = later(settings, given);
  for (let k = 0; ; k++) {{ const {{ done, value }} = work.next(); if (done) return [k, value]; }}
}};
const short = {{
  lr: 0.1, epochs: 2, noise: 0.1, batch_size: 16,
  loss: "L1Loss", optimizer: "SGD", weight: 0, bias: 0,
}};
const long = {{ ...short, epochs: 200 }}, sweep = (settings) => compute(settings, given).sweep;
console.log(JSON.stringify([sweep(short).length, all(short), sweep(long), all(long)]));
"""
    cheap, nothing, missing, (slices, sweep) = in_node(code)
    assert cheap == 71
    assert nothing == [0, None]
    assert missing is None
    assert slices > 1
    assert len(sweep) == 71
    values = explorer.settings | {"epochs": 200, "loss": "L1Loss", "weight": 0.0, "bias": 0.0}
    path, (X, y) = loops.formula(explorer.rows, values), explorer.rows.data(0.1)["train"]
    lr = explorer.page.given["rates"].index(0.1)
    assert sweep[lr] == pytest.approx((path.weight[0, -1] * X + path.bias[0, -1] - y).abs().mean())


def test_the_sentence_tells_what_is_drawn(page, explorer):
    result, said = page()
    shown = [result["train"][-1], result["surface"]["lowest"], result["val"][-1], 1000]
    shown += [result["W"][-1], result["B"][-1]]
    np.testing.assert_allclose(numbers_in(said), shown, rtol=5e-3)
    result, said = page(loss="L1Loss", epochs=1, batch_size=160)
    assert "1 step ends at" in said
    assert len(numbers_in(said)) == 6
    X, y = explorer.rows.data(0.1)["train"]
    weight, bias = descent.least_absolute(X, y)
    lowest = (weight * X + bias - y).abs().mean().item()
    assert numbers_in(said)[1] == pytest.approx(lowest, rel=5e-3)
    result, said = page(lr=TOP, batch_size=160, epochs=3)
    assert numbers_in(said)[0] == pytest.approx(result["train"][-1], rel=1e-3)


def test_right_loops_agree(capsys):
    def after(model, optimizer, loss_fn, loader, epochs):
        history = {"weight": [], "bias": []}
        for _ in range(epochs):
            for X_batch, y_batch in loader:
                optimizer.zero_grad(set_to_none=False)
                loss_fn(model(X_batch), y_batch).backward()
                optimizer.step()
                history["weight"].append(model.weight.item())
                history["bias"].append(model.bias.item())
        return history

    def busy(*given, **named):
        global touched
        touched = threading.Thread(target=print, args=("from a thread",))
        touched.start()
        touched.join()
        torch.manual_seed(1)
        print("trained")
        return train(*given, **named)

    for loop in (train, after, busy):
        explorer = TrainingExplorer(loop, OPTIMIZERS)
        explorer.set(epochs=2)
        proof = rest(explorer)
        assert proof["kind"] == "agrees"
        assert proof["text"] == "all 20 steps, by your loop and by the formula."
    assert "trained" in capsys.readouterr().out


def wrong(step=True, zero=True, at=None, value=None):
    def loop(model, optimizer, loss_fn, loader, epochs):
        history, k = History(), 0
        for _ in range(epochs):
            for X_batch, y_batch in loader:
                if zero:
                    optimizer.zero_grad()
                loss = loss_fn(model(X_batch), y_batch)
                history.record(weight=model.weight.item(), bias=model.bias.item())
                loss.backward()
                if step:
                    optimizer.step()
                k += 1
                if k == at:
                    with torch.no_grad():
                        model.weight.fill_(value)
        return history

    return loop


def only(model, optimizer, loss_fn, loader, epochs):
    return {"weight": [model.weight.item()], "bias": [0.0]}


@pytest.mark.parametrize(
    ("loop", "kind", "sentence"),
    [
        (wrong(zero=False), "departs", "at step 2. Are gradients reset?"),
        (wrong(step=False), "departs", "at step 1. The parameters never move: does the optimizer"),
        (
            wrong(at=7, value=torch.nan),
            "departs",
            "at step 7. The parameters are no longer numbers",
        ),
        (wrong(at=1, value=0.5), "departs", "at step 1. Does it use the model, the loss and the"),
        (lambda *_, **__: None, "error", "returned nothing: end it with `return history`"),
        (lambda *_, **__: {"loss": [1.0]}, "error", "returned no weight of each step"),
        (lambda *_, **__: 1.0, "error", "returned no weight of each step"),
        (only, "error", "your history has 1 rows of weight, expected 50"),
        (lambda *_, **__: 1 / 0, "error", "ZeroDivisionError: division by zero"),
        (lambda model: None, "error", "TypeError"),
        (lambda *_, **__: sys.exit(), "error", "SystemExit"),
    ],
)
def test_a_wrong_loop_is_told_and_heals(loop, kind, sentence):
    broken = [True]
    explorer = TrainingExplorer(
        lambda *given, **named: (loop if broken[0] else train)(*given, **named), OPTIMIZERS
    )
    move(explorer, epochs=5)
    proof = rest(explorer)
    assert (proof["kind"], sentence in proof["text"]) == (kind, True), proof
    assert ("weight" in proof) == (kind == "departs")
    assert np.isfinite(proof.get("weight", [0.0])).all()  # JSON has no nan
    assert explorer.still(explorer.settings).to_png()
    broken[0] = False
    move(explorer, epochs=6)
    assert rest(explorer)["kind"] == "agrees"


def test_a_loop_that_sleeps_is_stopped_by_newer_settings():
    sleeper = Sleeper()

    def slow(model, optimizer, loss_fn, loader, epochs):
        return sleeper() if epochs == 5 else train(model, optimizer, loss_fn, loader, epochs)

    explorer = TrainingExplorer(slow, OPTIMIZERS)
    move(explorer, epochs=5)
    ask(explorer)
    assert sleeper.began.wait(5)
    assert explorer.page.proof["kind"] == "runs"
    move(explorer, epochs=2)
    assert rest(explorer)["kind"] == "agrees"
    assert sleeper.ended.wait(5)


@pytest.mark.parametrize(("loss", "optimizer"), KINDS)
def test_the_cell_of_a_state_ends_where_the_page_does(page, explorer, loss, optimizer):
    values = {"loss": loss, "optimizer": optimizer, "epochs": 3, "noise": 0.55, "weight": 3.21}
    values |= {"batch_size": 64, "lr": 10**-1.35}
    result, _ = page(**values)
    code = explorer.as_code(explorer.settings | values)
    end = value_of(code, torch=torch, train=train, datasets=datasets)
    np.testing.assert_allclose(end, [result["W"][-1], result["B"][-1]], rtol=1e-12)


def test_own_data_in_its_own_units(page):
    space = {
        "__name__": "__main__",
        "Explorer": TrainingExplorer,
        "fit": train,
        "kinds": OPTIMIZERS,
    }
    space |= dict(zip(("X_bird", "y_bird"), datasets.load_penguins(), strict=True))
    exec("made = Explorer(fit, kinds, X_bird, y_bird)", space)
    made = space["made"]
    assert not made.page.given["equal"]
    history = made.set(epochs=2)
    result, _said = page(made)
    assert made.proof.agrees
    assert not result["diverges"]
    assert len(history["weight"]) == 36
    code = made.as_code(made.settings)
    names = {name: space[name] for name in ("X_bird", "y_bird", "fit")}
    end = value_of(code, torch=torch, **names)
    np.testing.assert_allclose(end, [result["W"][-1], result["B"][-1]], rtol=1e-11)
    unnamed = TrainingExplorer(train, OPTIMIZERS, *datasets.load_penguins())
    names = {"torch": torch, "train": train, "explorer": unnamed}
    assert value_of(unnamed.as_code(unnamed.settings | {"epochs": 2}), **names) == end


def test_a_start_far_away_is_taken_and_in_the_picture_and_one_that_cannot_be_is_refused():
    explorer = TrainingExplorer(train, OPTIMIZERS, weight=-1.0, bias=0.0, lr=0.9)
    assert (explorer.settings["weight"], explorer.settings["bias"]) == (-1.0, 0.0)
    (low, high), _ = explorer.page.given["around"]
    assert low < -1 < 2 < high
    with pytest.raises(InputError, match="lr cannot be 9"):
        TrainingExplorer(train, OPTIMIZERS, lr=9)
    with pytest.raises(InputError, match="control is 'rate'"):
        TrainingExplorer(train, OPTIMIZERS, rate=0.1)
    assert "Adam" not in TrainingExplorer(train, OPTIMIZERS[:1]).presets


def test_set_returns_the_history_and_a_state_is_a_text():
    explorer = TrainingExplorer(train, OPTIMIZERS)
    history = explorer.set(lr=0.3, epochs=10, batch_size=64, loss="L1Loss", optimizer="Adam")
    assert isinstance(history, History)
    assert len(history["weight"]) == 30
    assert explorer.proof.agrees
    assert explorer.page.proof["of"] == explorer.state
    other = TrainingExplorer(train, OPTIMIZERS)
    again = other.set(explorer.state)
    assert other.state == explorer.state
    moved = "lr=0.3&epochs=10&batch_size=64&loss=L1Loss&optimizer=Adam"
    assert repr(other) == f"TrainingExplorer({moved})"
    np.testing.assert_allclose(again["weight"], history["weight"], rtol=1e-8)


@pytest.mark.parametrize(
    "values",
    [{"lr": 4.0}, {"lr": 0.0}, {"epochs": 11}, {"loss": "MSE"}, {"rate": 1.0}, {"weight": 9}],
)
def test_set_tells_what_it_cannot_take(explorer, values):
    before = explorer.settings
    with pytest.raises(InputError):
        explorer.set(**({"noise": 2.0} | values))
    assert explorer.settings == before


def test_what_cannot_be_trained():
    X = torch.ones(3, 1)
    for arguments, text in [
        ((3, OPTIMIZERS), "train is a int, expected a function"),
        ((train, [torch.optim.AdamW]), "optimizer is 'AdamW', expected one of SGD, Adam"),
        ((train, OPTIMIZERS, X[:1], X[:1]), "X has 1 rows, expected 2 or more"),
        ((train, OPTIMIZERS, X, X[:2]), "y has 2 rows|y has shape"),
        ((train, OPTIMIZERS, X * torch.nan, X), "X holds nan in row 0"),
    ]:
        with pytest.raises(InputError, match=text):
            TrainingExplorer(*arguments)
