"""What replay.js draws in the page is what Python draws and what the learner's loop does."""

import base64
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils.charts import as_text
from course_utils.explorers import replay, runs
from course_utils.explorers.training import TrainingExplorer

pytest_plugins = ["lab"]

OPTIMIZERS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}
LOSSES = {"MSELoss": nn.functional.mse_loss, "L1Loss": nn.functional.l1_loss}
MOVED = ("line", "train", "val", "path", "end", "sweep", "here")  # what replay.js moves
# The table lies 3 bytes into its buffer, as it may when it comes over the wire.
IMPORT = """async ([source, history]) => {
    const module = 'data:text/javascript;base64,' + source;
    window.replay = await import(module);
    window.known = history.map(({table, ...rest}) => {
        if (table === null) return rest;
        const bytes = Uint8Array.from('abc' + atob(table), letter => letter.charCodeAt(0));
        return {...rest, table: new DataView(bytes.buffer, 3)};
    });
}"""
PICTURE = """([rates, rate, place, swept]) => {
    const run = replay.picture(known[0], rates, rate, place, swept);
    if (run === null) return null;
    const plain = mark => mark && Object.fromEntries(
        Object.entries(mark).map(([name, numbers]) => [name, [...numbers]]));
    return {...run, marks: run.marks.map(plain)};
}"""


def train(model, optimizer, loss_fn, loader, epochs):
    history = {"weight": [], "bias": []}
    for _ in range(epochs):
        for X_batch, y_batch in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(X_batch), y_batch)
            history["weight"].append(model.weight.item())
            history["bias"].append(model.bias.item())
            loss.backward()
            optimizer.step()
    return history


def by_hand(start, data, settings):
    """Run the loop as a lesson writes it; return both parameters before and after each step."""
    model = nn.Linear(1, 1, dtype=torch.float64)
    nn.init.constant_(model.weight, start[0])
    nn.init.constant_(model.bias, start[1])
    generator = torch.Generator().manual_seed(runs.SEED)
    rows = TensorDataset(data.X_train, data.y_train)
    loader = DataLoader(rows, settings["batch_size"], shuffle=True, generator=generator)
    optimizer = OPTIMIZERS[settings["optimizer"]](model.parameters(), lr=settings["lr"])
    loss_fn = getattr(nn, settings["loss"])()
    history = train(model, optimizer, loss_fn, loader, settings["epochs"])
    return [np.array([*history[name], getattr(model, name).item()]) for name in ("weight", "bias")]


class Replayed:
    """A TrainingExplorer, and a page that knows its runs."""

    def __init__(self, page, **settings):
        self.page = page
        self.explorer = TrainingExplorer(train, [*OPTIMIZERS.values()])
        self.explorer.settle()
        self.explorer.set(**settings)
        self.explorer.settle()
        self.tell(self.explorer.replay.history)

    def tell(self, history):
        table = history.get("table")
        table = None if table is None else base64.b64encode(table).decode()
        source = Path(replay.__file__).with_suffix(".js").read_bytes()
        source += b"\nexport { sentence };"
        self.page.evaluate(
            IMPORT, [base64.b64encode(source).decode(), [dict(history) | {"table": table}]]
        )

    @property
    def rates(self):
        return self.explorer.replay.lr.options

    def picture(self, lr, epochs, swept=False):
        """Return what the page draws for a learning rate and a number of epochs."""
        rate, place = self.rates.index(lr), runs.EPOCHS.index(epochs)
        return self.page.evaluate(PICTURE, [self.rates, rate, place, swept])

    def sentence(self, lr, epochs):
        """Return what the page says about it."""
        code = """([rates, rate, place, epochs]) => replay.sentence(
            known[0], rates[rate], epochs, replay.picture(known[0], rates, rate, place))"""
        rate, place = self.rates.index(lr), runs.EPOCHS.index(epochs)
        return self.page.evaluate(code, [self.rates, rate, place, epochs])

    def drawn(self):
        """Return the data of the marks that are now in the picture, as Python set them."""
        marks = self.explorer.replay.marks
        return [{"x": np.asarray(mark.x), "y": np.asarray(mark.y)} for mark in marks]


@pytest.fixture
def page(chromium):
    with chromium.new_page() as page:
        yield page


@pytest.fixture(scope="module")
def plain(chromium):
    with chromium.new_page() as page:
        yield Replayed(page, noise=0.5)


def assert_same_marks(found, expected):
    for name, mark, other in zip(MOVED, found, expected, strict=True):
        for axis, numbers in mark.items():
            np.testing.assert_allclose(numbers, other[axis], rtol=1e-9, atol=1e-12, err_msg=name)


def test_the_page_writes_numbers_as_python_does(plain):
    numbers = [0.0, -0.0, 1.0, 0.3, -0.1, 5.408e-8, 1e-6, 9.9996, 999.96, 1234.6, -174256.4, 4e15]
    numbers += [sign * 10.0 ** (power / 3) for power in range(-30, 30) for sign in (-1, 1)]
    for digits, decimals in ((4, None), (3, None), (4, 4)):
        code = "([numbers, ...rest]) => numbers.map((number) => replay.asText(number, ...rest))"
        texts = plain.page.evaluate(code, [numbers, digits, decimals])
        assert texts == [as_text(number, digits, decimals=decimals) for number in numbers]


@pytest.mark.parametrize(
    "choice",
    [{"noise": 0.5}, {"loss": "L1Loss"}, {"optimizer": "Adam"}, {"batch_size": 160, "noise": 0.0}],
    ids=["batches", "l1", "adam", "all points"],
)
def test_page_kernel_and_loop_draw_the_same(page, choice):
    replayed = Replayed(page, **choice)
    explorer = replayed.explorer
    limits = [choice.get(n, d) == d for n, d in (("loss", "MSELoss"), ("optimizer", "SGD"))]
    for lr, epochs in [(0.02, 1), (0.1, 40), (0.9, 5)]:
        told = replayed.picture(lr, epochs)
        settings = explorer.settings | {"lr": lr, "epochs": epochs}
        preview = explorer.compute(settings)
        explorer.draw(preview)
        assert_same_marks(told["marks"], replayed.drawn())
        assert replayed.sentence(lr, epochs) == explorer.summary(preview)
        assert ("No stable limit is drawn" in explorer.summary(preview)) != all(limits)

        explorer.set(lr=lr, epochs=epochs)
        explorer.settle()  # the learner's own loop has drawn
        assert explorer.page.state == "agrees"
        assert_same_marks(told["marks"], replayed.drawn())

        start = told["marks"][3]["x"][0], told["marks"][3]["y"][0]
        data = explorer.result.data
        weight, bias = by_hand(start, data, settings)
        per_epoch = -(-len(data.X_train) // settings["batch_size"])
        assert len(weight) == epochs * per_epoch + 1
        steps = np.round(np.array([0.0, *told["marks"][1]["x"]]) * per_epoch).astype(int)
        assert steps[-1] == len(weight) - 1, "it goes to the last step"
        assert (told["weight"], told["bias"]) == pytest.approx((weight[-1], bias[-1]), rel=1e-9)
        for axis, loop in {"x": weight, "y": bias}.items():
            np.testing.assert_allclose(told["marks"][3][axis], loop[steps], rtol=1e-9, atol=1e-12)
        loss = LOSSES[settings["loss"]]
        for name, X, y in (("train", *data[:2]), ("val", *data[2:])):
            expected = loss(weight[-1] * X + bias[-1], y).item()
            assert told[name] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("lr", "epochs"), [(3.0, 100), (1.4, 100), (3.0, 1)])
def test_a_run_that_diverges_is_drawn_to_the_same_step(plain, lr, epochs):
    explorer = plain.explorer
    told = plain.picture(lr, epochs)
    preview = explorer.compute(explorer.settings | {"lr": lr, "epochs": epochs})
    assert told["overflowed"] == preview.overflowed
    assert told["train"] == pytest.approx(preview.train[-1], rel=1e-9)
    explorer.draw(preview)
    assert_same_marks(told["marks"], plain.drawn())
    assert all(np.isfinite(mark[axis]).all() for mark in told["marks"] for axis in mark)
    assert plain.sentence(lr, epochs) == explorer.summary(preview)


def test_some_of_these_runs_overflow_and_some_only_grow(plain):
    ends = [plain.picture(lr, epochs) for lr, epochs in [(3.0, 100), (3.0, 1), (0.1, 1)]]
    assert [end["overflowed"] for end in ends] == [True, False, False]
    assert ends[1]["train"] > 10 * ends[1]["start"] > ends[2]["train"]


def test_first_and_last_known_epoch(plain):
    explorer, known = plain.explorer, plain.explorer.replay.history["ends"]
    last = runs.EPOCHS[len(known) - 1]
    for epochs in (runs.EPOCHS[0], last):
        told = plain.picture(0.1, epochs)
        explorer.draw(explorer.compute(explorer.settings | {"lr": 0.1, "epochs": epochs}))
        assert_same_marks(told["marks"], plain.drawn())
        assert told["passed"] == told["marks"][1]["x"][-1] == epochs
    assert plain.picture(0.1, runs.EPOCHS[len(known)]) is None, "beyond it the kernel is asked"


def test_what_the_page_does_not_know_it_does_not_draw(plain):
    rates = plain.rates
    for rate, place in ((-1, 0), (0, -1), (0, len(runs.EPOCHS))):
        assert plain.page.evaluate(PICTURE, [rates, rate, place, False]) is None
    assert plain.picture(0.1, 5, swept=True)["marks"][5] is None
    try:
        plain.tell({})
        assert plain.picture(0.1, 5) is None
    finally:
        plain.tell(plain.explorer.replay.history)
