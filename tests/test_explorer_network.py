"""NetworkExplorer: the page trains as PyTorch does; the learner's loop proves it step by step."""

import itertools
import json
import subprocess

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import HERE, NODE_PROGRAM, Node
from torch import nn

from course_utils.explorers import mlp, trained
from course_utils.explorers.network import NetworkExplorer
from course_utils.inputs import InputError

loss_fn = nn.MSELoss()
MLP_JS = (HERE.parent / "course_utils/explorers/stage/mlp.js").as_uri()


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


def trains(optimizer=torch.optim.Adam, reset=True, step=True, loss=loss_fn, rows=41, most=10**9):
    """Return a loop that is the notebook's but for one thing."""

    def changed(model, X, y, lr):
        steps = optimizer(model.parameters(), lr=lr)
        for _ in range(most):
            if reset:
                steps.zero_grad()
            loss(model(X[:rows]), y[:rows]).backward()
            if step:
                steps.step()
            yield

    return changed


class Sines(nn.Module):
    """An architecture of one's own: four fixed sines in float32 and their output weights."""

    def __init__(self, *_):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 1))

    def forward(self, X):
        return torch.sin(X @ torch.tensor([[1.0, 2.0, 3.0, 4.0]])) @ self.weight


@pytest.fixture(scope="module")
def node():
    process = Node()
    yield process
    process.close()


@pytest.fixture(scope="module")
def explorer():
    return NetworkExplorer(build, train)


def proof(build=build, train=train, **values):
    explorer = NetworkExplorer(build, train)
    return explorer.prove(explorer.settings | {"epochs": 8} | values)


def run(explorer, **values):
    """Run the cell of a state and return its two losses."""
    names = {"torch": torch, "build": build, "train": train, "Sines": Sines}
    before = set(names)
    *lines, last = explorer.as_code(explorer.settings | values).splitlines()
    exec("\n".join(lines), names)
    with torch.random.fork_rng(devices=[]):
        found = eval(last, names)
    assert set(names) - before == {"__builtins__", "numbers_shown"}
    return found


def matches(node, explorer, rel=1e-12, **values):
    asked = explorer.settings | values
    result, said = node.ask(explorer, **values)
    right = mlp.path(asked)
    assert result["epoch"] == asked["epochs"]
    assert not result["more"]
    for name in ("train", "val"):
        np.testing.assert_allclose(result[name], getattr(right, name), rtol=rel)
    size = np.abs(right.curve).max()
    np.testing.assert_allclose(result["curve"], right.curve, rtol=1e-9, atol=100 * rel * size)
    return result, said


# The page's numbers.


@pytest.mark.parametrize("activation", mlp.ACTIVATIONS)
def test_the_page_trains_as_pytorch(node, explorer, activation):
    values = {"width": 5, "depth": 2, "activation": activation, "noise": 0.3, "epochs": 30}
    result, _ = node.ask(explorer, **values)
    X, y, X_val, y_val = mlp.POINTS.split(0.3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(420)
        network = build(5, 2, mlp.ACTIVATIONS[activation]).double()
    steps = train(network, X, y, 0.01)
    for epoch in range(31):
        with torch.no_grad():
            losses = [loss_fn(network(X), y).item(), loss_fn(network(X_val), y_val).item()]
        found = [result["train"][epoch], result["val"][epoch]]
        assert found == pytest.approx(losses, rel=1e-12)
        if epoch < 30:
            next(steps)
    with torch.no_grad():
        grid = torch.tensor(mlp.GRID)
        layers = [network[:2](grid), network[:4](grid)]
        assert result["curve"] == pytest.approx(network(grid)[:, 0].tolist(), abs=1e-12)
        for found, right in zip(result["nodes"], layers, strict=True):
            assert found == pytest.approx(right.flatten().tolist(), abs=1e-12)
        hidden, last = network[:4](X), network[4]
        for j, without in enumerate(result["without"]):
            weight = last.weight.clone()
            weight[0, j] = 0
            left = loss_fn(nn.functional.linear(hidden, weight, last.bias), y).item()
            assert without == pytest.approx(left, rel=1e-11)
    for found, layer in zip(result["layers"], network[::2], strict=True):
        assert found["w"] == pytest.approx(layer.weight.flatten().tolist(), abs=1e-12)
        assert found["b"] == pytest.approx(layer.bias.tolist(), abs=1e-12)


def test_all_corners(node, explorer):
    kinds = [(1, 16), (1, 3), mlp.ACTIVATIONS, (1e-4, 0.1, 1.0), (0.0, 0.5)]
    for width, depth, activation, lr, noise in itertools.product(*kinds):
        values = {"width": width, "depth": depth, "activation": activation, "noise": noise}
        few = 4 if lr == 1 else 12  # at 1 rounding grows a thousandfold within a few steps
        matches(node, explorer, rel=1e-9, **values, lr=lr, epochs=few)


@given(
    st.integers(1, 16), st.integers(1, 3), st.sampled_from([*mlp.ACTIVATIONS]),
    st.floats(1e-4, 0.1), st.floats(0, 0.5), st.integers(0, 9999), st.integers(0, 40),
    st.lists(st.tuples(st.integers(1, 40), st.floats(1e-4, 0.1), st.floats(0, 0.5)), max_size=3),
)  # fmt: skip
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_settings(node, explorer, width, depth, activation, lr, noise, seed, epochs, parts):
    ordered = sorted({part[0]: part for part in parts}.values())
    values = {
        "width": width, "depth": depth, "activation": activation, "lr": lr, "noise": noise,
        "seed": seed, "epochs": epochs,
        "changes": ";".join(f"{until}:{rate!r}:{sigma!r}" for until, rate, sigma in ordered),
    }  # fmt: skip
    matches(node, explorer, rel=1e-8, **values)


def test_going_back_and_on_gives_the_same_as_a_new_run():
    """Whatever a run remembers, what it returns depends on what is asked alone."""
    rng, asks, history = np.random.default_rng(0), [], []
    for _ in range(60):
        if rng.random() < 0.4:
            untils = sorted(rng.choice(np.arange(1, 240), 2, replace=False).tolist())
            history = [
                {"until": until, "lr": float(rng.choice([0.01, 0.03])), "noise": 0.2}
                for until in untils
            ]
        lr, noise = float(rng.choice([0.01, 0.002])), float(rng.choice([0.2, 0.4]))
        asks.append([int(rng.integers(0, 240)), history, lr, noise])
    code = """
import { Run } from MLP;
const start = { width: 3, depth: 2, activation: "tanh", seed: 1 }, rows = ROWS;
const same = (a, b) => a.length === b.length && a.every((v, i) => v === b[i]);
const old = new Run(start, rows, 300), out = [];
for (const [epoch, history, lr, noise] of ASKS) {
  const parts = [...history, { until: Infinity, lr, noise }], fresh = new Run(start, rows, 300);
  for (let at = -1; at !== epoch;) at = old.to(epoch, parts, 0.01); // stops again and again
  fresh.to(epoch, parts);
  const seen = ({ losses, network }) =>
    [...losses.flatMap((some) => [...some.subarray(0, epoch + 1)]), ...network.values];
  out.push(same(seen(old), seen(fresh)));
}
console.log(JSON.stringify(out));
"""
    found = in_node(code, ASKS=asks, ROWS={
        "x": mlp.POINTS.X[:, 0].tolist(), "clean": mlp.POINTS.clean[:, 0].tolist(),
        "draw": mlp.POINTS.draw[:, 0].tolist(), "n": 41,
    })  # fmt: skip
    assert found == [True] * 60


def test_a_hand_on_the_rate_leaves_a_mark():
    moves = [  # changes, epoch, before, now
        ["", 0, [0.01, 0.2], [0.02, 0.2]],
        ["", 600, [0.01, 0.2], [0.02, 0.2]],
        ["600:0.01:0.2", 600, [0.02, 0.2], [0.03, 0.2]],
        ["600:0.01:0.2", 600, [0.03, 0.2], [0.01, 0.2]],
        ["600:0.01:0.2", 900, [0.03, 0.2], [0.03, 0.5]],
        ["600:0.01:0.2;900:0.03:0.2", 700, [0.03, 0.5], [0.001, 0.5]],
    ]
    code = """
import { steered } from MLP;
const of = ([lr, noise]) => ({ lr, noise });
const now = MOVES.map(([text, epoch, ...two]) => steered(text, epoch, ...two.map(of)));
console.log(JSON.stringify(now));
"""
    assert in_node(code, MOVES=moves) == [
        "", "600:0.01:0.2", "600:0.01:0.2", "", "600:0.01:0.2;900:0.03:0.2",
        "600:0.01:0.2;700:0.03:0.5",
    ]  # fmt: skip


def in_node(code, **values):
    for name, value in ({"MLP": MLP_JS} | values).items():
        code = code.replace(name, json.dumps(value))
    command = [NODE_PROGRAM, "--input-type=module", "-e", code]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_float32_starts_the_same(explorer):
    """The learner's loop in PyTorch's own float32 has the page's losses to five digits."""
    for width, depth in ((8, 1), (16, 3)):
        path = mlp.path(explorer.settings | {"width": width, "depth": depth, "epochs": 60})
        X, y = (column.float() for column in mlp.POINTS.split(0.0)[:2])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(420)
            network = build(width, depth, nn.Tanh)
        steps, found = train(network, X, y, 0.01), []
        for _ in path.train:
            with torch.no_grad():
                found.append(loss_fn(network(X), y).item())
            next(steps)
        np.testing.assert_allclose(found, path.train, rtol=1e-4)


def test_the_sentence_tells_the_state(node, explorer):
    assert node.ask(explorer)[1] == (
        "**Before training** the typical residual is **0.87** in training and **0.88** in "
        "validation; the noise alone is 0.00."
    )
    result, said = node.ask(explorer, epochs=50, noise=0.2, changes="20:0.03:0.2")
    rmses = [f"**{np.sqrt(result[name][-1]):.2f}**" for name in ("train", "val")]
    assert said.startswith(f"**After 50 epochs** the typical residual is {rmses[0]} in training")
    assert rmses[1] in said
    assert said.endswith("the noise alone is 0.20. Steered at epoch 20.")
    assert "Steered" not in node.ask(explorer, epochs=10, changes="20:0.03:0.2")[1]
    assert len(said) <= 170
    own = NetworkExplorer(Sines, train)
    assert node.ask(own)[1].startswith("**Your own network**")


# What the learner's code proves.


def test_the_notebooks_loop_agrees(explorer):
    asked = explorer.settings | {"width": 4, "noise": 0.2, "epochs": 120}
    before = torch.random.get_rng_state()
    found = explorer.prove(asked)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (found.agrees, found.text) == (True, "all 120 epochs, step by step.")
    right = mlp.path(asked)
    np.testing.assert_allclose(found.result.train, right.train, rtol=1e-9)
    np.testing.assert_allclose(found.result.val, right.val, rtol=1e-9)
    np.testing.assert_allclose(found.drawn["curve"], right.curve, atol=1e-9)
    assert explorer.prove(explorer.settings).text == "the same network with the same first weights."


def test_chaos_is_no_fault(explorer):
    """Each step is Adam's, though rounding has driven two runs apart."""
    asked = {"width": 16, "depth": 3, "lr": 1.0, "noise": 0.3, "epochs": 60}
    found = explorer.prove(explorer.settings | asked)
    assert found.agrees is True
    assert "rounding" in found.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (trains(torch.optim.SGD), "at epoch 1: is the optimizer Adam"),
        (trains(torch.optim.AdamW), "at epoch 1: is the optimizer Adam"),
        (trains(lambda p, lr: torch.optim.Adam(p, lr=1.01 * lr)), "at epoch 1: is the optimizer"),
        (trains(loss=nn.L1Loss()), "at epoch 1: is the optimizer Adam, and the loss the MSE"),
        (trains(rows=40), "at epoch 1: is the optimizer Adam, and the loss the MSE of all rows?"),
        (trains(step=False), "at epoch 1: the weights stay: does the optimizer step?"),
        (trains(reset=False), "at epoch 2: are gradients reset?"),
        (trains(lambda p, lr: torch.optim.Adam(p, lr, (0.8, 0.999))), "at epoch 2: "),
        (trains(most=3), "at epoch 4: it ended: does it `yield` in a `while True`?"),
        (trains(loss=lambda a, b: loss_fn(a, b) * torch.nan), "the weights are no longer numbers"),
    ],
)
def test_a_wrong_loop_departs(wrong, said):
    found = proof(train=wrong)
    assert found.agrees is False
    assert said in found.text
    assert np.isfinite(found.drawn["curve"]).all()
    assert np.isfinite(found.drawn["train"]).all()


def test_a_change_on_the_way_departs():
    def halves(model, X, y, lr):
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        for _ in train(model, X, y, lr):
            yield
            for _ in range(4):
                optimizer.zero_grad()
                loss_fn(model(X), y).backward()
                optimizer.step()

    assert proof(train=halves).text == "at epoch 2: are gradients reset?"

    def later(model, X, y, lr):
        steps = train(model, X, y, lr)
        for _ in range(5):
            next(steps)
            yield
        yield from train(model, X, y, lr)

    assert proof(train=later).text == "at epoch 6: does the loop change on the way?"


def test_functions_that_cannot_be_used():
    def returns(model, X, y, lr):
        return None

    def raises(model, X, y, lr):
        yield 1 / 0

    with pytest.raises(InputError, match=r"returns is not a generator: write `yield`"):
        proof(train=returns)
    with pytest.raises(ZeroDivisionError):
        proof(train=raises)
    with pytest.raises(InputError, match="build returned a NoneType: end it with `return`"):
        proof(build=named(lambda *_: None))
    with pytest.raises(InputError, match=r"turns \(41, 1\) into \(41, 2\), expected \(41, 1\)"):
        proof(build=lambda *_: nn.Linear(1, 2))
    with pytest.raises(InputError, match="build is a int, expected a function"):
        NetworkExplorer(3, train)
    with pytest.raises(InputError, match="train is a NoneType"):
        NetworkExplorer(build, None)


def named(function):
    function.__name__ = "build"
    return function


# Another network than the page's.


def zeros(width, depth, activation):
    network = build(width, depth, activation)
    nn.init.zeros_(network[-1].bias)
    return network


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (Sines, "it has 4 parameters, expected 25"),
        (zeros, "its first weights are not those that nn.Linear draws"),
        (lambda w, d, a: build(w, d, nn.ELU), "is the activation the given one?"),
        (
            lambda w, d, a: nn.Sequential(*build(w, d, a), a()),
            "the same weights into other outputs",
        ),
        (lambda w, d, a: nn.Sequential(nn.Dropout(0.2), build(w, d, a)), "into other outputs"),
        (lambda w, d, a: nn.Sequential(nn.Linear(1, 24), nn.Linear(24, 1)), "expected 25"),
    ],
)
def test_an_own_network_is_drawn_from_the_kernel(own, said):
    explorer = NetworkExplorer(own, train)
    assert explorer.page.given["own"] is True
    found = explorer.prove(explorer.settings | {"epochs": 5})
    assert found.agrees is None
    assert said in found.text
    assert len(found.drawn["curve"]) == len(mlp.GRID)
    assert len(found.result.train) == len(found.drawn["train"]) == 6
    explorer.conclude(explorer.state, found)
    assert explorer.page.proof["kind"] == "told"
    assert explorer.still(explorer.settings | {"epochs": 5}).summary.endswith(
        f"training loss {found.result.train[-1]:.4g}, validation loss {found.result.val[-1]:.4g}."
    )


def test_a_module_that_does_the_same_is_followed():
    class Mine(nn.Module):
        def __init__(self, width, depth, activation):
            super().__init__()
            self.hidden, self.bend, self.out = (
                nn.Linear(1, width),
                activation(),
                nn.Linear(width, 1),
            )

        def forward(self, X):
            return self.out(self.bend(self.hidden(X)))

    explorer = NetworkExplorer(Mine, train)
    assert explorer.page.given["own"] is False
    assert proof(build=Mine).agrees is True
    assert proof(build=Mine, depth=2).text.startswith("your network is another one: it has 25")


def test_draws_of_the_loop_leave_the_global_generator_alone():
    def shuffled(model, X, y, lr):
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        while True:
            rows = torch.randperm(len(X))
            optimizer.zero_grad()
            loss_fn(model(X[rows]), y[rows]).backward()
            optimizer.step()
            yield

    before = torch.random.get_rng_state()
    assert proof(train=shuffled).agrees is True  # all rows are one batch, in any order
    dropped = NetworkExplorer(lambda *shape: nn.Sequential(nn.Dropout(0.2), build(*shape)), train)
    dropped.prove(dropped.settings | {"epochs": 3})
    assert torch.equal(torch.random.get_rng_state(), before)


# Steered on the way.

STEERED = {"lr": 0.001, "noise": 0.3, "epochs": 40, "changes": "10:0.03:0.3;25:0.03:0.1"}


def test_a_steered_run_is_proved_by_the_loops_own_optimizer(explorer):
    found = explorer.prove(explorer.settings | STEERED)
    assert found.text == "all 40 epochs, step by step."
    np.testing.assert_allclose(found.result.train, mlp.path(explorer.settings | STEERED).train)

    def by_hand(model, X, y, lr):
        moments = mlp.Adam()
        parameters = list(model.parameters())
        while True:
            gradients = torch.autograd.grad(loss_fn(model(X), y), parameters)
            step = moments.step(torch.cat([g.flatten() for g in gradients]).numpy(), lr)
            arrays = [parameter.detach().numpy() for parameter in parameters]
            mlp.add(arrays, step)
            yield

    assert proof(train=by_hand, epochs=9).agrees is True
    found = proof(train=by_hand, **STEERED)
    assert found.agrees is None
    assert found.text == "your loop takes one learning rate, and this one changed on the way."


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"epochs": 1, "seed": 7},
        {"epochs": 30, "width": 3, "depth": 3, "activation": "ReLU", "noise": 0.5, "lr": 0.05},
        STEERED,
        STEERED | {"epochs": 25},
        STEERED | {"epochs": 5},
        STEERED | {"epochs": 12},
    ],
)
def test_the_code_gives_the_shown_losses(node, explorer, values):
    result, _ = node.ask(explorer, **values)
    shown = result["train"][-1], result["val"][-1]
    assert run(explorer, **values) == pytest.approx(shown, rel=1e-9)


def test_the_code_of_an_own_network_gives_the_kernels_losses():
    explorer = NetworkExplorer(Sines, train)
    found = explorer.prove(explorer.settings | {"epochs": 20}).result
    assert run(explorer, epochs=20) == pytest.approx((found.train[-1], found.val[-1]), rel=1e-5)


# What a cell sets.


def test_set_returns_the_learners_losses_and_a_state_comes_back():
    explorer = NetworkExplorer(build, train)
    result = explorer.set(width=2, depth=2, epochs=20)
    assert isinstance(result, trained.Training)
    assert len(result.train) == len(result.val) == 21
    assert result.train[-1] < result.train[0]
    assert explorer.result is result
    explorer.set(**STEERED)
    state = explorer.state
    other = NetworkExplorer(build, train)
    assert other.set(state).train.tolist() == explorer.result.train.tolist()
    assert other.state == state
    assert explorer.set(lr=0.01).train.tolist() != other.result.train.tolist()
    assert explorer.settings["changes"] == ""  # a rate that a cell sets holds from the start on


def test_bad_values_move_nothing():
    explorer = NetworkExplorer(build, train)
    state = explorer.state
    bad = [
        {"width": 17}, {"depth": 4}, {"lr": 2.0}, {"noise": -0.1}, {"epochs": 20_001}, {"nodes": 3},
        {"activation": "GELU"}, {"changes": "x"}, {"changes": "9:0.1"}, {"changes": "9:1:0;5:1:0"},
        {"changes": "9:-0.1:0"}, {"changes": 3},
    ]  # fmt: skip
    for values in bad:
        with pytest.raises(InputError):
            explorer.set(**values)
        assert explorer.state == state
    with pytest.raises(InputError, match=r"changes is 'x', expected parts such as 600:0"):
        explorer.set("changes=x")
    assert explorer.state == state


def test_the_still_picture_has_the_losses_of_the_page(node, explorer):
    values = {"epochs": 60, "noise": 0.2}
    result, _ = node.ask(explorer, **values)
    chart = explorer.still(explorer.settings | values)
    assert f"training loss {result['train'][-1]:.4g}" in chart.summary
    assert f"validation loss {result['val'][-1]:.4g}" in chart.summary
    assert [series.name for series in chart.series] == ["train", "validation", "network"]
    np.testing.assert_allclose(chart.series[2].y, result["curve"], atol=1e-9)
