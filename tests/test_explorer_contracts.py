"""What every explorer of every lesson keeps: its code, its numbers, its states, and bad functions.

The explorers are found, not listed: each is taken from the names that its notebook leaves behind.
"""

import contextlib
import functools
import itertools
import linecache
import math
import re
import threading
import warnings

import ipywidgets as widgets
import nbformat
import numpy as np
import pytest
import torch
from exercises import CHECK, needed
from pages import Node
from proofs import rest
from refresh import NOTEBOOKS

from course_utils import order
from course_utils.charts import as_text
from course_utils.explorers.base import Explorer
from course_utils.inputs import InputError
from course_utils.runtime import use_one_thread

use_one_thread()
LESSONS = {
    path.stem: path
    for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    if re.search(r"\w+Explorer\(", path.read_text(encoding="utf-8"))
}
NUMBER = re.compile(r"[-\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e-?\d+)?")
BAD = {
    "a minus before zero": r"[-\u2212]0(?:\.0+)?(?![\d.e])",
    "a zero with an exponent": r"(?<![\d.])0(?:\.0+)?e",
    "an exponent as programs print it": r"\de(?:\+|-?0)\d",
    "thousands of percent": r"\d{4,}(?:\.\d+)? ?%|\d,\d{3}(?:\.\d+)? ?%",
    "thousands without a comma": r"(?<![\w.,])\d{5,}(?!\w)",
    "no number": r"\b(?:nan|inf)\b",
    "one of many": r"(?<![\d,.])1 (?:runs|points|rows|steps|epochs|parameters|residuals)\b",
}
MOST_EPOCHS = 8  # of a learner's own loop
TEXTS = {  # what a hand can type
    "lines": ("", "1", "1 2 3 4 5", " ".join(["1 2 3 4 5"] * 30)),
    "points": ("0, 0\n1, 1", "0, 0\n0.5, 1\n1, 1000000", "-0, -0\n1e-7, 0\n1, 2"),
    "changes": ("", "3:0.01:0.2;7:0.1:0"),
}
HOSTILE = (None, "", "<b>x</b>" * 1_000, "__class__", math.nan, math.inf, -1e300, [], {}, object())


@functools.cache
def lesson(name):
    """Run what the explorers of a lesson need; return its names, and how each explorer was made."""
    cells = nbformat.read(LESSONS[name], as_version=4).cells
    cells = [c.source for c in cells if c.cell_type == "code" and not CHECK.search(c.source)]
    try:
        return run(name, cells, needed(cells, {"Explorer"}, holding="Explorer("))
    except AssertionError:  # it tells what a cell did that is not needed
        return run(name, cells, range(len(cells)))


def run(name, cells, chosen):
    """Run some cells; return the names that are there then, and the explorers that were made."""
    names = {made: "made by another cell" for cell in cells for made in order.Cell(cell).made}
    made, names["__name__"] = [], "__main__"
    with contextlib.chdir(NOTEBOOKS), recorded(made):
        for number in chosen:
            file = f"<cell {number} of {name}>"  # an explorer reads the source of what it is given
            lines = cells[number].splitlines(keepends=True)
            linecache.cache[file] = (len(cells[number]), None, lines, file)
            exec(compile(cells[number], file, "exec"), names)
    return names, made


@contextlib.contextmanager
def recorded(made):
    """Note the arguments of every explorer that is made."""

    def note(kind, *args, **kwargs):
        explorer = object.__new__(kind)
        made.append((explorer, args, kwargs))
        return explorer

    Explorer.__new__ = note
    try:
        yield
    finally:
        Explorer.__new__ = lambda kind, *_, **__: object.__new__(kind)  # as before


def explorers(name):
    """Return the explorers that a lesson's names hold in the end."""
    values = lesson(name)[0].values()
    return [*{id(value): value for value in values if isinstance(value, Explorer)}.values()]


def ends(explorer, name):
    """Return the values at which a control stops."""
    control = explorer.controls[name]
    if name == "epochs":
        return (1, MOST_EPOCHS) if hasattr(control, "options") else (0, MOST_EPOCHS)
    if hasattr(control, "options"):
        options = [o[1] if isinstance(o, tuple) else o for o in control.options]
        return options[0], options[-1]
    if isinstance(control, widgets.FloatLogSlider):
        return control.base**control.min, control.base**control.max
    if hasattr(control, "min"):
        return control.min, control.max
    return (False, True) if isinstance(control, widgets.Checkbox) else TEXTS[name]


def start_of(explorer):
    """Return where the notebook left it, but for a training that takes long."""
    most = {"epochs": MOST_EPOCHS} if "epochs" in explorer.controls else {}
    return explorer.settings | most


def corners(explorer):
    """Yield the settings at each corner of each pair of controls; where one, at its ends."""
    start = start_of(explorer)
    for one, two in itertools.combinations(start, 2):
        for values in itertools.product(ends(explorer, one), ends(explorer, two)):
            yield start | dict(zip((one, two), values, strict=True))
    if len(start) == 1:
        for name in start:
            yield from (start | {name: value} for value in ends(explorer, name))


def states(explorer):
    """Return the start, the corners where all controls stop, and each a third of its way."""
    start = start_of(explorer)
    chosen = [start, *({n: ends(explorer, n)[at] for n in start} for at in (0, -1))]
    for name, control in explorer.controls.items():
        low, high = ends(explorer, name)[0], ends(explorer, name)[-1]
        if hasattr(control, "step") and not hasattr(control, "base"):
            step = control.step
            value = low + round((high - low) / 3 / step) * step
            chosen.append(start | {name: value})
    return chosen


@contextlib.contextmanager
def put(explorer, settings):
    """Move controls as a hand does, and put them back."""
    before = explorer.settings
    for name, value in settings.items():
        explorer.controls[name].value = value
    try:
        yield explorer.settings
    finally:
        for name, value in before.items():
            explorer.controls[name].value = value


@pytest.fixture(scope="module")
def node():
    process = Node()
    yield process
    process.close()


def complaints(text):
    """Return what is wrong with the numbers of a sentence."""
    found = [f"{what}: {text}" for what, pattern in BAD.items() if re.search(pattern, text)]
    digits = [
        n.split("e")[0].replace(",", "").strip("-\u22120.").replace(".", "")
        for n in NUMBER.findall(text)
    ]
    return found + [f"{n} has too many digits: {text}" for n in digits if len(n) > 8]


@pytest.mark.parametrize("name", LESSONS)
def test_every_corner_of_every_pair_of_controls_is_told_in_readable_numbers(name, node):
    wrong = []
    for explorer in explorers(name):
        for settings in corners(explorer):
            with put(explorer, settings) as now, warnings.catch_warnings():
                warnings.simplefilter("error")
                said = node.ask(explorer)[1], explorer.still(now).summary
            wrong += [(explorer.state, c) for text in said for c in complaints(text)]
            assert all(said), explorer
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "is_bad"),
    [
        *((text, True) for text in ["-0.000", "-0", "0e+00", "5.408e-08", "40,612 %"]),
        *((text, True) for text in ["is nan", "1 runs", "20000 rows", "1.6499999999999986"]),
        *((text, False) for text in ["-0.5", "10,000 points", "1.2e15", "2e-7", "250 %", "1 step"]),
        *((text, False) for text in ["0.00001234", "-3,800", "10 points", "0.000"]),
    ],
)
def test_bad_numbers_are_found(text, is_bad):
    assert bool(complaints(text)) == is_bad


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-0.0, "0"), (1.6499999999999986, "1.65"), (0.1 + 0.2, "0.3"), (1e-6, "0.000001"),
        (5.408e-08, "5.408e-8"), (-0.00012346, "-0.0001235"), (999.96, "1,000"),
        (174256.4, "174,256"),         (1e15, "1e15"), (-3800, "-3,800"), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_do(value, text):
    assert as_text(value) == text


def test_decimals_stay_and_small_losses_are_told_as_such():
    texts = [as_text(v, decimals=3) for v in (-1e-9, 0, 2, -0.0004, 1234.5)]
    assert texts == ["0.000", "0.000", "2.000", "0.000", "1,234.500"]
    assert [as_text(v, least=1e-6) for v in (0, 1e-9, 1e-5)] == [
        "0",
        "less than 0.000001",
        "0.00001",
    ]


# States and what is not one.


@pytest.mark.parametrize("name", LESSONS)
def test_a_state_is_a_text_that_set_takes_at_every_corner(name, monkeypatch):
    for explorer in explorers(name):
        monkeypatch.setattr(explorer, "prove", None)
        start = explorer.state
        for settings in corners(explorer):
            with put(explorer, settings):
                state = explorer.state
            assert explorer.set(state) == explorer.settings
            assert explorer.state == state
        explorer.set(start)
        assert explorer.state == start


@pytest.mark.parametrize("name", LESSONS)
def test_set_refuses_what_cannot_be_names_it_and_moves_nothing(name):
    for explorer in explorers(name):
        before, proof = explorer.settings, explorer.page.proof
        wrong = [("control", {key: 1}) for key in ("slope", "__class__", "<b>" * 500)]
        wrong += [("control", {"state": f"{explorer.state}&more=1"}), ("state", {"state": 3})]
        for control, value in itertools.product(explorer.controls, HOSTILE):
            if value != "" or not isinstance(before[control], str):
                wrong.append((control, {control: value}))
            if isinstance(value, str) and value:
                wrong.append((control, {"state": f"{control}={value}"}))
        for named, values in wrong:
            first = next(iter(before))
            moved = {first: ends(explorer, first)[0]} if first != named else {}
            with pytest.raises(InputError) as raised:
                pytest.fail(f"{values} gave {explorer.set(**moved, **values)}")
            text = str(raised.value)
            assert len(text) < 300 + 40 * len(explorer.controls), text
            assert named in text or text.startswith(("line 1", "points: ")), text
            assert (explorer.settings, explorer.page.proof) == (before, proof), values


@pytest.mark.parametrize("name", LESSONS)
def test_every_preset_is_a_state_of_its_own(name, monkeypatch, node):
    for explorer in explorers(name):
        monkeypatch.setattr(explorer, "prove", None)
        start, told = explorer.state, {node.ask(explorer)[1]}
        for word, values in explorer.presets.items():
            explorer.set(**values)
            assert explorer.page.given["presets"][word] == values
            assert {control: explorer.settings[control] for control in values} == values, word
            told.add(node.ask(explorer)[1])
            explorer.set(start)
        assert len(told) >= len(explorer.presets), "presets differ in what is said"


# The code that an explorer writes.


def numbers(value):
    """Return all numbers that the last line of a cell shows."""
    if isinstance(value, (int, float)):
        return [float(value)]
    return [number for part in value for number in numbers(part)]


def state_of(names):
    """Return what a cell could change: objects by name, and what tensors and models hold."""
    held = {"random": [torch.get_rng_state(), str(np.random.get_state())]}
    for name, value in names.items():
        if isinstance(value, torch.nn.Module):
            held[name] = [*value.state_dict().values(), *(p.grad for p in value.parameters())]
        elif torch.is_tensor(value):
            held[name] = [value, value.grad if value.is_leaf else None]
        elif isinstance(value, torch.optim.Optimizer):
            held[name] = [str(value.state_dict())]
    copied = {n: [v.clone() if torch.is_tensor(v) else v for v in vs] for n, vs in held.items()}
    return {name: id(value) for name, value in names.items()}, copied


def changes(before, after):
    """Return the names that were bound anew, or whose objects hold something else."""
    (bound, held), (bound_now, held_now) = before, after
    rebound = {name for name, value in bound.items() if bound_now.get(name) != value}
    return rebound | {
        name
        for name, values in held.items()
        for old, new in zip(values, held_now[name], strict=True)
        if not (
            torch.equal(old, new)
            if torch.is_tensor(old) and torch.is_tensor(new)
            else old is new or old == new
        )
    }


def run_cell(code, names):
    """Run a cell as Jupyter does; return what its last line shows."""
    *lines, last = code.splitlines()
    exec(compile("\n".join(lines), "<as code>", "exec"), names)
    return eval(compile(last, "<as code>", "eval"), names)


def found_in(result):
    """Return all numbers that the page computed."""
    if isinstance(result, dict):
        result = [*result.values()]
    if isinstance(result, list):
        return np.concatenate([[], *map(found_in, result)])
    with contextlib.suppress(ValueError):
        return np.array([float(result)]) if isinstance(result, int | float | str) else np.zeros(0)
    return np.zeros(0)


@pytest.mark.parametrize("name", LESSONS)
def test_page_code_and_proof_tell_the_same_and_the_code_touches_nothing(name, node):
    for explorer in explorers(name):
        for settings in states(explorer):
            with put(explorer, settings) as now:
                result, said = node.ask(explorer)
                given = {k: v for k, v in explorer.page.given.items() if k != "presets"}
                page = np.concatenate([found_in(result), found_in(given)])
                explorer.hear(explorer.page, {"code": True})
                code, names = explorer.page.code, dict(lesson(name)[0])
                before = state_of(names)
                found = run_cell(code, names)
                assert changes(before, state_of(names)) == set(), code
                assert len(set(names) - set(lesson(name)[0]) - {"__builtins__"}) == 1, code
                for number in numbers(found):
                    near = np.isclose(page, number, rtol=2e-3, atol=1e-3, equal_nan=True)
                    assert near.any() or not math.isfinite(number), (number, said, code)
                if explorer.prove is not None:
                    proof = explorer.prove(now)
                    assert proof.agrees is not False, proof.text
                    assert complaints(proof.text) == []
                lines = [line for line in code.splitlines() if line and "tensor([" not in line]
                points = code.count("\n        ")  # a list of them goes over many lines
                assert len(lines) - points <= 25, code
                assert max(map(len, lines)) <= 100, code


@pytest.mark.parametrize("name", LESSONS)
def test_a_still_picture_is_drawn_of_each_state(name):
    for explorer in explorers(name):
        for settings in states(explorer)[::2][:2]:
            with put(explorer, settings) as now, warnings.catch_warnings():
                warnings.simplefilter("error")
                assert explorer.still(now).to_png()


# Learners' functions that go wrong.


def corrupted(value, spoil):
    """Return what a function returned with every number in it spoiled."""
    if torch.is_tensor(value):
        return spoil(value.detach().clone())
    if isinstance(value, int | float):
        return spoil(value)
    if isinstance(value, tuple | list):
        return type(value)(corrupted(item, spoil) for item in value)
    if isinstance(value, dict):
        return {key: corrupted(item, spoil) for key, item in value.items()}
    if callable(value):
        return lambda *args, **kwargs: corrupted(value(*args, **kwargs), spoil)
    return "no such thing"


def raising(error):
    def bad(_function, *_args, **_kwargs):
        raise error

    return bad


def spoiling(spoil):
    return lambda function, *args, **kwargs: corrupted(function(*args, **kwargs), spoil)


def for_ever(function, *args, **kwargs):
    return for_ever(function, *args, **kwargs)


def greedy(function, *args, **kwargs):
    """Change all that holds for the whole program, print, and leave a thread behind."""
    torch.manual_seed(1)
    np.random.seed(2)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    print("loud")
    threading.Thread(target=int).start()
    return function(*args, **kwargs)


FAULTS = {
    "raises": (raising(ZeroDivisionError("mine")), "ZeroDivisionError: mine"),
    "exits": (raising(SystemExit(3)), "SystemExit: 3"),
    "is interrupted": (raising(KeyboardInterrupt()), "KeyboardInterrupt"),
    "calls itself": (for_ever, "without an end"),
    "takes nothing": (lambda _function: 0, "TypeError"),
    "returns nothing": (lambda *_, **__: None, ""),
    "returns a text": (lambda *_, **__: "7", ""),
    "returns nan": (spoiling(lambda value: value * math.nan), ""),
    "returns inf": (spoiling(lambda value: value + math.inf), ""),
    "returns a matrix": (spoiling(lambda value: torch.ones(3, 4)), ""),
}


class Switch:
    """A learner's function that goes wrong as long as `bad` is set."""

    def __init__(self, function):
        self.function, self.bad, self.called = function, None, False
        self.__name__ = getattr(function, "__name__", "function")

    def __call__(self, *args, **kwargs):
        self.called = True
        if self.bad is None:
            return self.function(*args, **kwargs)
        return self.bad(self.function, *args, **kwargs)


def with_switches(name):
    """Yield the lesson's explorers made anew for each function that they call."""
    for explorer, args, kwargs in lesson(name)[1]:
        for at, value in enumerate(args):
            if not callable(value) or isinstance(value, type) or explorer.script == "step":
                continue  # the lines of a step are read, not called
            switch = Switch(value)
            anew = type(explorer)(*args[:at], switch, *args[at + 1 :], **kwargs)
            for control in anew.controls:
                if control == "epochs":
                    anew.controls[control].value = ends(anew, control)[-1]
            yield anew, switch


def nudge(explorer):
    """Move a control to where it has not been."""
    name = next(iter(explorer.controls))
    now, (low, *_, high) = explorer.settings[name], ends(explorer, name)
    explorer.controls[name].value = low if now == high else high


@pytest.mark.parametrize("name", LESSONS)
def test_a_function_that_goes_wrong_is_told_in_a_sentence_and_the_next_move_heals(name, capsys):
    for explorer, switch in with_switches(name):
        assert rest(explorer, 60)["kind"] == "agrees", explorer.page.proof
        assert switch.called
        before = torch.get_rng_state(), np.random.get_state()[1].tolist()
        for what, (bad, words) in FAULTS.items():
            switch.bad = bad
            proof = rest(explorer, 60)
            where = f"{type(explorer).__name__}, {switch.__name__} {what}: {proof}"
            assert proof["kind"] in ("error", "departs"), where
            assert words in proof["text"], where
            assert 10 < len(proof["text"]) < 450, where
            assert "Traceback" not in proof["text"], where
        switch.bad = greedy
        assert rest(explorer, 60)["of"] == explorer.state
        assert torch.get_default_dtype() == torch.float32
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.random.get_state()[1].tolist() == before[1]
        switch.bad = None
        nudge(explorer)
        assert rest(explorer, 60)["kind"] == "agrees", explorer.page.proof
    assert "loud" not in capsys.readouterr().out
