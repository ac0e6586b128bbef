"""What the base class promises to every explorer, without browser or kernel."""

import linecache
import threading

import ipywidgets as widgets
import numpy as np
import pytest
import torch

from course_utils import datasets, figures
from course_utils.explorers.base import Explorer, Verdict
from course_utils.explorers.line import LineExplorer
from course_utils.explorers.noise import NoiseExplorer, least_squares
from course_utils.inputs import InputError


class Doubler(Explorer):
    """The smallest explorer: it doubles a number, and may ask a function to do the same."""

    def __init__(self, function=None):
        self.drawn, self.threads = [], set()
        self.function = function
        if function is None:
            self.prove = None
        super().__init__(
            {
                "a": widgets.IntSlider(1, min=0, max=20_000, description="a"),
                "b": widgets.FloatSlider(0.5, min=0, max=1, description="b"),
            },
            [],
        )

    def compute(self, settings):
        if settings["a"] == 13:
            raise ValueError("13 brings bad luck\nand a second line")
        return settings["a"] * 2 + settings["b"]

    def draw(self, result):
        self.threads.add(threading.get_ident())
        self.drawn.append(result)

    def summary(self, result):
        return f"the double is {result:g}."

    def still(self, result):
        return figures.plot_losses({"double": [result]})

    def prove(self, settings, result):
        answer = self.function(settings["a"])
        agrees = answer == settings["a"] * 2
        return Verdict(
            "Your function agrees." if agrees else f"Your function says {answer}.", agrees
        )


def test_the_last_of_many_values_is_shown_and_few_are_drawn():
    explorer = Doubler()
    for value in range(10_001):
        explorer._controls["a"].value = value
    explorer.settle()
    assert explorer.drawn[-1] == explorer.result == 20_000.5
    assert len(explorer.drawn) < 10_000
    assert explorer.page.text == "the double is 20000.5."


def test_storms_from_several_threads_end_on_one_right_picture():
    before = threading.active_count()
    explorer = Doubler()

    def storm(name, values):
        for value in values:
            explorer._controls[name].value = value

    threads = [
        threading.Thread(target=storm, args=("a", range(1_000))),
        threading.Thread(target=storm, args=("b", np.linspace(0, 1, 1_000))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    explorer.settle()
    assert explorer.drawn[-1] == 999 * 2 + 1
    assert threading.active_count() < before + 10


def test_an_error_is_shown_and_the_next_move_heals_it():
    explorer = Doubler()
    explorer.settle()
    explorer.set(a=13)
    explorer.settle()
    assert explorer.page.state == "error"
    assert explorer.page.text.startswith("ValueError: 13 brings bad luck\nIn compute, line")
    assert len(explorer.page.text.splitlines()) == 2
    assert explorer.result == 2.5, "the last good result stays"
    explorer.set(a=14)
    explorer.settle()
    assert (explorer.page.state, explorer.result) == ("shown", 28.5)


def test_setting_from_code_moves_all_or_nothing():
    explorer = Doubler()
    explorer.settle()
    explorer.set(a=3, b=0.25)
    explorer.settle()
    assert explorer.drawn == [2.5, 6.25]
    for values, word in [
        ({"c": 1}, "a, b"),
        ({"a": 5, "b": 7}, "0 to 1"),
        ({"a": "x"}, "0 to 20000"),
    ]:
        with pytest.raises(InputError, match=word):
            explorer.set(**values)
        assert explorer.settings == {"a": 3, "b": 0.25}
    explorer.reset()
    explorer.settle()
    assert explorer.settings == {"a": 1, "b": 0.5}
    assert repr(explorer) == "Doubler(a=1, b=0.5)"


def test_sliders_speak_only_while_they_are_held():
    """A slider that sends by itself sends its rounding of an old value over a newer one."""
    explorer = NoiseExplorer(datasets.make_line)
    assert not explorer._controls["noise"].continuous_update
    assert not explorer._controls["n"].continuous_update


def test_the_function_of_the_learner_is_asked_once_the_controls_rest():
    asked = []

    def double(a):
        asked.append(a)
        return 2 * a

    explorer = Doubler(double)
    for value in range(500):
        explorer._controls["a"].value = value
    explorer.settle()
    assert asked[-1] == 499
    assert len(asked) < 10
    assert explorer.verdict.agrees
    assert explorer.page.state == "agrees"


def test_a_wrong_function_departs_and_a_broken_one_is_named():
    explorer = Doubler(lambda a: a**2 if a < 9 else [].pop())
    explorer.set(a=3)
    explorer.settle()
    assert explorer.page.state == "departs"
    assert explorer.page.text.endswith("Your function says 9.")
    explorer.set(a=10)
    explorer.settle()
    assert explorer.page.state == "error"
    assert "IndexError: pop from empty list" in explorer.page.text
    assert explorer.drawn[-1] == 20.5, "the preview stays"
    explorer.set(a=2)
    explorer.settle()
    assert explorer.page.state == "agrees"


def test_a_slow_function_neither_blocks_nor_outlives_newer_values():
    started, ended = threading.Event(), []

    def forever(a):
        if a == 7:
            return 14
        started.set()
        try:
            while True:
                pass
        finally:
            ended.append(a)

    explorer = Doubler(forever)
    assert started.wait(30)
    assert explorer.page.state == "running"
    explorer.set(a=7)
    explorer.settle(30)
    assert explorer.page.state == "agrees"
    assert explorer.drawn[-1] == 14.5
    assert ended == [1]


def test_a_slow_function_can_be_stopped():
    started, release = threading.Event(), threading.Event()

    def waits(a):
        started.set()
        release.wait(60)
        return 2 * a

    explorer = Doubler(waits)
    assert started.wait(30)
    explorer.stop()
    explorer.settle(30)
    assert explorer.verdict is None
    assert "was stopped" in explorer.page.text
    release.set()
    explorer.settle(30)
    assert explorer.verdict is None, "what comes after the stop is not shown"


def test_an_error_of_a_function_nobody_waits_for_is_not_shown():
    started, release = threading.Event(), threading.Event()
    ended = threading.Event()

    def raises_late(a):
        if a == 7:
            return 14
        started.set()
        try:
            release.wait(60)
            raise ValueError("too late")
        except BaseException:
            ended.set()
            raise

    explorer = Doubler(raises_late)
    assert started.wait(30)
    explorer.set(a=7)
    explorer.settle(30)
    release.set()
    assert ended.wait(30)
    assert explorer.page.state == "agrees"
    assert "too late" not in explorer.page.text


def test_the_open_code_panel_follows():
    explorer = NoiseExplorer(datasets.make_line)
    explorer.page._handle_custom_msg({"click": "code"}, [])
    explorer.set(noise=1.0)
    explorer.settle()
    assert "noise=1.0" in explorer.page.code


def test_settle_gives_up_with_a_sentence():
    release = threading.Event()
    explorer = Doubler(lambda a: release.wait(60) and 2 * a)
    with pytest.raises(TimeoutError, match=r"still busy after 0\.3 s"):
        explorer.settle(0.3)
    release.set()
    explorer.settle(30)
    assert explorer.verdict.agrees


def test_what_fails_after_the_function_is_shown_and_healed():
    explorer = Doubler(lambda a: 2 * a)
    explorer.settle()
    explorer.prove = lambda settings, result: Verdict("", True, "no number" if result < 20 else 1)
    explorer.set(a=3)
    explorer.settle(30)
    assert explorer.page.text.startswith("ValueError")
    explorer.set(a=10)
    explorer.settle(30)
    assert (explorer.page.state, explorer.result) == ("agrees", 1)


def test_a_deep_error_names_the_line_of_the_learner():
    explorer = Doubler(lambda a: torch.nn.Linear(1, 1)(torch.zeros(a, 2)))
    explorer.settle()
    assert "Linear(1, 1)(torch.zeros(a, 2))" in explorer.page.text


def numbers(state, buffers, path):
    """Return the array that a message holds at a path."""
    return np.frombuffer(buffers[state["buffer_paths"].index(path)])


def test_a_picture_and_its_sentence_are_one_message(monkeypatch):
    sent = []
    explorer = NoiseExplorer(datasets.make_line)
    explorer.settle()
    monkeypatch.setattr(
        widgets.Widget,
        "_send",
        lambda widget, msg, buffers=None: sent.append((widget, msg, buffers)),
    )
    explorer.set(noise=1.0)
    explorer.settle()
    (control, _, _), (page, message, buffers) = sent
    assert (control, page) == (explorer._controls["noise"], explorer.page)
    assert set(message["state"]) == {"picture", "text"}, "the state is still that of a picture"
    at = explorer.page.parts.index(explorer._points)
    path = ["picture", "states", at, "y", "value"]
    np.testing.assert_array_equal(numbers(message, buffers, path), explorer._points.y)
    assert "x" not in message["state"]["picture"]["states"][at], "the features have not moved"
    explorer.page._handle_custom_msg({"click": "listen"}, [])
    (page, message, buffers) = sent[-1]
    assert len(sent) == 3
    drawn = message["state"]["picture"]["states"]
    assert len(drawn) == len(explorer.page.parts) == 4, "a new page is told of every mark"
    x = numbers(message, buffers, ["picture", "states", at, "x", "value"])
    np.testing.assert_array_equal(x, explorer._points.x)
    explorer._points.default_size = 30
    assert sent[-1][0] is explorer._points, "outside of a picture a mark speaks for itself"


def test_buttons_of_the_page_do_what_they_say():
    explorer = NoiseExplorer(datasets.make_line)
    explorer.set(noise=1.0)
    click = explorer.page._handle_custom_msg
    click({"click": "code"}, [])
    assert "noise=1.0" in explorer.page.code
    click({"click": "reset"}, [])
    explorer.settle()
    assert explorer.settings["noise"] == 0.1
    for nonsense in ({"click": "drop"}, {}, "reset", None, {"click": ["reset"]}):
        click(nonsense, [])


def run(code, **names):
    """Run a cell and return the value of its last line."""
    *lines, last = code.splitlines()
    namespace = {"torch": torch, "datasets": datasets} | names
    exec("\n".join(lines), namespace)
    return eval(last, namespace)


def cell(source):
    """Run a cell of a notebook of its own, as far as explorers see; return its names."""
    file, names = f"<cell {hash(source)}>", {"__name__": "__main__"}
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), names)
    return names


IN_A_NOTEBOOK = """
from torch import nn
from course_utils import datasets
from course_utils.explorers.line import LineExplorer
from course_utils.explorers.noise import NoiseExplorer

def make(n, weight, bias, noise, seed):
    return datasets.make_line(n, weight, bias, noise, seed)

lengths, masses = datasets.load_penguins()
X, y = datasets.make_line()
line = LineExplorer(lengths, masses, nn.MSELoss())
noise = NoiseExplorer(make)
"""


def test_code_calls_things_by_the_names_that_the_notebook_has_for_them():
    names = cell(IN_A_NOTEBOOK)
    line, noise = names["line"], names["noise"]
    for explorer in (line, noise):
        explorer.settle()
    code = line.as_code(line.settings)
    assert code.endswith("\nreplay(lengths, masses, torch.nn.MSELoss())")
    assert run(code, **names) == line.result.loss

    names["points"] = names.pop("make")
    assert noise.as_code(noise.settings).endswith("\nreplay(points)")
    names["points"] = names["lengths"] = None
    code = noise.as_code(noise.settings)
    assert "def replay():\n    def make(n, weight" in code, "the notebook has it no more"
    np.testing.assert_allclose(run(code, **names), noise.result.fitted, rtol=1e-4)
    code = line.as_code(line.settings)
    assert code.endswith("replay(X, masses, torch.nn.MSELoss())  # X: what the explorer was given")


@pytest.mark.parametrize(
    ("loss_fn", "code"),
    [
        (torch.nn.L1Loss(), "torch.nn.L1Loss()"),
        (torch.nn.MSELoss(reduction="sum"), "torch.nn.MSELoss(reduction='sum')"),
        (torch.nn.HuberLoss(delta=2.5), "torch.nn.HuberLoss(delta=2.5)"),
        (lambda y_pred, y: 0.0, "loss_fn"),
    ],
)
def test_a_loss_without_a_name_is_made_in_the_code(loss_fn, code):
    explorer = LineExplorer(*datasets.make_line(), loss_fn)
    assert f"replay(X, y, {code})" in explorer.as_code(explorer.settings)


@pytest.mark.parametrize("n", [2, 200, 20_000])
def test_noise_explorer(n):
    explorer = NoiseExplorer(datasets.make_line)
    explorer.set(n=n, noise=0.4, weight=-1.0)
    explorer.settle()
    X, y = datasets.make_line(n=n, noise=0.4, weight=-1.0)
    expected = np.polyfit(X[:, 0].double(), y[:, 0].double(), 1)
    np.testing.assert_allclose(explorer.result.fitted, expected, rtol=1e-6)
    line = explorer._fitted
    slope = (line.y[1] - line.y[0]) / (line.x[1] - line.x[0])
    assert slope == pytest.approx(expected[0], rel=1e-6)
    assert len(explorer._points.x) == min(n, 2_000)
    assert ("of them drawn" in explorer.page.text) == (n == 20_000)
    found = run(explorer.as_code(explorer.settings))
    np.testing.assert_allclose(found, explorer.result.fitted, rtol=1e-4)


def test_uncertainty_covers_the_truth_as_often_as_it_says():
    """One standard error covers 68 % of samples: 400 samples, five standard deviations apart."""
    hits = 0
    for seed in range(400):
        (weight, _), (error, _) = least_squares(*datasets.make_line(n=30, noise=0.5, seed=seed))
        hits += abs(weight - 2.0) < error
    assert abs(hits - 0.683 * 400) < 5 * np.sqrt(400 * 0.683 * 0.317)


def test_noise_explorer_shows_what_is_wrong_with_a_generator():
    explorer = NoiseExplorer(lambda **settings: (torch.zeros(5), torch.zeros(5)))
    explorer.settle()
    assert "X has shape (5,), expected (5, 1): add .unsqueeze(1)" in explorer.page.text
    with pytest.raises(InputError, match="expected a function"):
        NoiseExplorer("make_line")
