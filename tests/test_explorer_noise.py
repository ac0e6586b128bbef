"""NoiseExplorer: samples are PyTorch's, lines are numpy's; the learner's make proves them."""

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Node
from proofs import Sleeper, ask, move, numbers_in, rest, value_of
from test_page_random import in_node

from course_utils import datasets
from course_utils.explorers.noise import NoiseExplorer
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()
SIZES = (10, 50, 200, 2000)
tenths = st.integers(-30, 30).map(lambda k: k / 10)
chosen = st.fixed_dictionaries(
    {
        "weight": tenths,
        "bias": tenths,
        "noise": st.integers(0, 60).map(lambda k: k / 20),
        "n": st.sampled_from(SIZES),
        "seed": st.integers(420, 9999),
    }
)


def make(n, weight, bias, noise, seed):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, 1, generator=generator)
    return X, weight * X + bias + noise * torch.randn(n, 1, generator=generator)


@pytest.fixture(scope="module")
def explorer():
    return NoiseExplorer(make)


@pytest.fixture(scope="module")
def page(explorer):
    node = Node()
    yield lambda **values: node.ask(explorer, **values)
    node.close()


def same_sample(result, values):
    made = {name: values[name] for name in ("n", "weight", "bias", "noise", "seed")}
    X, y = (column[:, 0].double().numpy() for column in make(**made))
    np.testing.assert_allclose(result["x"], X, rtol=0, atol=2e-6)
    np.testing.assert_allclose(result["y"], y, rtol=1e-5, atol=1e-5)
    x, y = np.array(result["x"]), np.array(result["y"])
    line = np.polyfit(x, y, 1)
    now = result["now"]
    size = 1e-12 * (1 + np.abs(y).max())
    np.testing.assert_allclose([now["weight"], now["bias"]], line, rtol=1e-9, atol=1e3 * size)
    residuals = y - np.polyval(line, x), y - values["weight"] * x - values["bias"]
    losses = [np.mean(r**2) for r in residuals]
    np.testing.assert_allclose([now["fitted"], now["truth"]], losses, rtol=1e-9, atol=1e-12)
    assert result["error"] == pytest.approx(values["noise"] / np.sqrt(values["n"] - 3), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(chosen)
def test_a_sample_and_its_line_are_torchs(page, values):
    result, _ = page(**values, first=values["seed"])
    assert len(result["fits"]) == 1
    assert not result["more"]
    same_sample(result, values)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_corners(page, n, noise):
    for weight, bias, seed in [(-3, -3, 420), (3, 3, 9999), (0, 0, 421)]:
        values = {"weight": weight, "bias": bias, "noise": noise, "n": n, "seed": seed}
        result, said = page(**values, first=420)
        assert len(result["fits"]) == min(seed - 419, 200)
        same_sample(result, values)
        assert "NaN" not in said
        assert "undefined" not in said


def test_each_sample_leaves_its_line(page, explorer):
    result, said = page(seed=440)
    assert [fit["seed"] for fit in result["fits"]] == list(range(420, 441))
    lines = []
    for seed in range(420, 441):
        X, y = make(10, 2.0, 1.5, 1.0, seed)
        lines.append(np.polyfit(X[:, 0].double(), y[:, 0].double(), 1))
    found = [[fit["weight"], fit["bias"]] for fit in result["fits"]]
    np.testing.assert_allclose(found, lines, rtol=1e-4, atol=1e-4)
    weights = np.array(lines)[:, 0]
    assert result["inBand"] == np.sum(abs(weights - 2) <= 2 / np.sqrt(7))
    expected = [21, weights.min(), weights.max(), result["now"]["fitted"], result["now"]["truth"]]
    np.testing.assert_allclose(numbers_in(said), expected, atol=0.006)


def test_the_sentence_tells_what_is_drawn(page):
    result, said = page()
    assert numbers_in(said) == [round(result["now"]["weight"] - 2, 2)]
    assert page(noise=0.0)[1].startswith("**No noise, no chance.**")
    result, said = page(n=2000, seed=421)  # the losses are told apart, with digits as needed
    fitted, truth = numbers_in(said)[-2:]
    assert fitted < truth
    assert fitted == pytest.approx(result["now"]["fitted"], abs=1e-4)


def test_the_band_holds_95_of_100(page):
    """Two standard errors, in 200 samples of 50: five deviations allowed."""
    result, _ = page(n=50, seed=700)
    assert abs(result["inBand"] - 0.95 * 200) < 5 * np.sqrt(200 * 0.95 * 0.05)


def test_what_a_picture_has_no_time_for_comes_with_the_next():
    code = """
import { explorers } from BUNDLE;
const values = { weight: 2, bias: 1, noise: 1, n: 2000, seed: 619, first: 420 }, counts = [];
for (let k = 0; k < 500; k++) {
  const { fits, more, now } = explorers.noise.compute(values, {}, 1);
  counts.push(fits.length);
  if (now.seed !== 619) throw Error("the newest sample is shown");
  if (!more) break;
}
console.log(JSON.stringify(counts));
"""
    counts = in_node(code)
    assert counts[0] < 200
    assert counts[-1] == 200
    assert counts == sorted(counts)


def test_make_proves_the_sample():
    explorer = NoiseExplorer(make)
    explorer.set(noise=2.0, n=50, seed=421)
    proof = rest(explorer)
    assert (proof["kind"], proof["text"]) == ("agrees", "it makes these points.")
    assert "x" not in proof
    fit = explorer.set(noise=3.0, n=200, seed=420)
    assert [f"{v:.2f}" for v in (fit.fitted[0], fit.errors[0])] == ["1.88", "0.21"]
    X, y = make(200, 2.0, 1.5, 3.0, 420)
    columns = np.hstack([X.double().numpy(), np.ones((200, 1))])
    _, squares, *_ = np.linalg.lstsq(columns, y.double().numpy(), rcond=None)
    covariance = squares[0] / 198 * np.linalg.inv(columns.T @ columns)
    np.testing.assert_allclose(fit.errors, np.sqrt(np.diag(covariance)), rtol=1e-6)


def moved(n, weight, bias, noise, seed):
    X, y = make(n, weight, bias, noise, seed)
    return X + 1, y


@pytest.mark.parametrize(
    ("wrong", "kind", "sentence"),
    [
        (moved, "departs", "it makes other points (red rings)."),
        (lambda n, **k: make(n + 5, **k), "departs", "it makes 15 points, 10 were asked for."),
        (lambda **_: None, "error", "make returned a NoneType, expected X, y"),
        (lambda **k: make(**k)[0], "error", "make returned a Tensor, expected X, y"),
        (lambda **k: (*make(**k), 1), "error", "make returned 3 values, expected X, y"),
        (lambda **k: (make(**k)[0][:, 0], make(**k)[1]), "error", "add .unsqueeze(1)"),
        (lambda **k: (make(**k)[0] * torch.nan, make(**k)[1]), "error", "X holds nan in row 0"),
        (lambda **k: (torch.ones(10, 1), make(**k)[1]), "error", "all features are 1"),
        (lambda n, w, b, s, seed: None, "error", "TypeError"),
        (lambda **k: 1 / 0, "error", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_wrong_make_is_told_and_heals(wrong, kind, sentence):
    broken = [True]
    explorer = NoiseExplorer(lambda **k: (wrong if broken[0] else make)(**k))
    proof = rest(explorer)
    assert (proof["kind"], sentence in proof["text"]) == (kind, True), proof
    assert ("x" in proof) == (kind == "departs")
    assert explorer.still(explorer.settings).to_png()  # shown all the same
    broken[0] = False
    move(explorer, seed=421)
    assert rest(explorer)["kind"] == "agrees"


def test_a_make_that_sleeps_is_stopped_by_newer_settings():
    sleeper, calls = Sleeper(), []

    def slow(**k):
        calls.append(k["seed"])
        return sleeper() if k["seed"] == 420 else make(**k)

    explorer = NoiseExplorer(slow)
    ask(explorer)
    assert sleeper.began.wait(5)
    assert explorer.page.proof["kind"] == "runs"
    move(explorer, seed=425)
    assert rest(explorer)["kind"] == "agrees"
    assert sleeper.ended.wait(5)
    assert calls == [420, 425]


def test_a_storm_of_moves_leaves_no_traceback(monkeypatch):
    failed, explorer = [], NoiseExplorer(make)
    monkeypatch.setattr(threading, "excepthook", failed.append)
    for seed in range(421, 721):
        move(explorer, seed=seed)
        ask(explorer)
    assert rest(explorer)["kind"] == "agrees"
    assert not failed


def test_the_cell_of_a_state_gives_the_shown_line(page, explorer):
    for values in ({}, {"noise": 0.05, "n": 50, "seed": 9999}, {"weight": -3.0, "bias": 0.0}):
        result, _ = page(**values)
        code = explorer.as_code(explorer.settings | values)
        found = value_of(code, torch=torch, make=make, datasets=datasets)
        shown = [result["now"]["weight"], result["now"]["bias"]]
        np.testing.assert_allclose(found, shown, rtol=1e-4, atol=1e-4)
    assert "datasets.make_line(" in NoiseExplorer(datasets.make_line).as_code(explorer.settings)


def test_a_state_is_a_text():
    explorer = NoiseExplorer(make)
    before = explorer.state
    explorer.set("weight=-1.2&bias=0&noise=0.35&n=200&seed=1000&first=990")
    assert explorer.state == "weight=-1.2&bias=0&noise=0.35&n=200&seed=1000&first=990"
    explorer.set(before)
    assert explorer.state == before == "weight=2&bias=1.5&noise=1&n=10&seed=420&first=420"


def test_bad_input(explorer):
    with pytest.raises(InputError, match="make is a str, expected a function"):
        NoiseExplorer("make")
    before = explorer.state
    for wrong, sentence in [
        ({"noise": 4}, "noise cannot be 4: choose from 0 to 3"),
        ({"n": 11}, "n cannot be 11"),
        ({"sigma": 1}, "control is 'sigma', expected one of"),
        ({"state": "noise=much"}, "noise is 'much', expected a number"),
    ]:
        with pytest.raises(InputError, match=sentence):
            explorer.set(**wrong)
        assert explorer.state == before


def test_the_global_generator_is_left_alone():
    explorer, before = NoiseExplorer(make), torch.get_rng_state()
    explorer.set(seed=430)
    explorer.still(explorer.settings)
    assert torch.equal(before, torch.get_rng_state())
