"""What every explorer of every lesson keeps: the code it writes, its numbers, and how it ends.

The explorers are found, not listed: each is taken from the names that its notebook leaves behind.
"""

import functools
import itertools
import math
import re

import ipywidgets as widgets
import numpy as np
import pytest
import torch
from exercises import Lesson
from refresh import NOTEBOOKS

from course_utils.charts import as_text
from course_utils.explorers.base import Explorer

LESSONS = {
    path.stem: path
    for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    if re.search(r"\w+Explorer\(", path.read_text(encoding="utf-8"))
}
NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e-?\d+)?")
BAD = {
    "a minus before zero": r"-0(?:\.0+)?(?![\d.e])",
    "a zero with an exponent": r"(?<![\d.])0(?:\.0+)?e",
    "an exponent as programs print it": r"\de(?:\+|-?0)\d",
    "thousands of percent": r"\d{4,}(?:\.\d+)? ?%|\d,\d{3}(?:\.\d+)? ?%",
    "thousands without a comma": r"(?<![\w.,])\d{5,}(?!\w)",
    "no number": r"\b(?:nan|inf)\b",
    "one of many": r"(?<![\d,.])1 (?:runs|points|rows|steps|epochs|parameters|residuals)\b",
}
EPOCHS = {"NetworkExplorer": (0, 8)}  # its own loop trains: the last epoch is minutes away
TEXTS = {  # what a hand can type
    "lines": ("", "1", "1 2 3 4 5", " ".join(["1 2 3 4 5"] * 30)),
    "points": ("0, 0\n1, 1", "0, 0\n0.5, 1\n1, 1000000", "-0, -0\n1e-7, 0\n1, 2"),
}


@functools.cache
def lesson(name):
    """Run a lesson once; return the names it leaves."""
    names = Lesson(LESSONS[name]).namespace()
    for explorer in explorers(names):
        explorer.settle()
    return names


def explorers(names):
    found = {id(value): value for value in names.values() if isinstance(value, Explorer)}
    return [*found.values()]


def start_of(explorer):
    """Return where the notebook left it, but for a training that takes long."""
    settings = explorer.settings
    most = EPOCHS.get(type(explorer).__name__)
    return settings | {"epochs": most[-1]} if most else settings


def ends(explorer, name):
    """Return the values at which a control stops, as it stands now."""
    control = explorer._controls[name]
    if name == "epochs" and type(explorer).__name__ in EPOCHS:
        return EPOCHS[type(explorer).__name__]
    if hasattr(control, "options"):
        options = [o[1] if isinstance(o, tuple) else o for o in control.options]
        return options[0], options[-1]
    if hasattr(control, "min"):
        return control.min, control.max
    return (False, True) if isinstance(control, widgets.Checkbox) else TEXTS[name]


def put(explorer, start, **values):
    """Move controls as a hand does, without a picture in between; return where they stand."""
    explorer._holding = True
    try:
        for name, value in (start | values).items():
            explorer._controls[name].value = value
    finally:
        explorer._holding = False
    return explorer.settings


def corners(explorer, start):
    """Yield the settings at each corner of each pair of controls; where one, at its ends."""
    for one, two in itertools.combinations(start, 2):
        for first in ends(explorer, one):
            put(explorer, start, **{one: first})
            for second in ends(explorer, two):
                yield put(explorer, start, **{one: first, two: second})
            put(explorer, start)
    if len(start) == 1:
        for name in start:
            for value in ends(explorer, name):
                yield put(explorer, start, **{name: value})


def told(explorer, settings):
    """Compute and draw settings; return the result and all sentences that are shown."""
    result = explorer.compute(settings)
    explorer.draw(result)
    return result, {explorer.summary(result), explorer.still(result).summary}


def complaints(text):
    """Return what is wrong with the numbers of a sentence."""
    found = [f"{what}: {text}" for what, pattern in BAD.items() if re.search(pattern, text)]
    digits = [
        n.split("e")[0].replace(",", "").strip("-0.").replace(".", "") for n in NUMBER.findall(text)
    ]
    return found + [f"{n} has too many digits: {text}" for n in digits if len(n) > 8]


def shows(explorer, settings):
    """Leave the explorer where its controls stand, as after a move of a hand."""
    put(explorer, settings)
    explorer._changed()
    explorer.settle()


@pytest.mark.parametrize("name", LESSONS)
def test_every_corner_of_every_pair_of_controls_is_a_picture_with_readable_numbers(name):
    for explorer in explorers(lesson(name)):
        start, wrong = start_of(explorer), []
        try:
            for settings in corners(explorer, start):
                floats = [value for value in settings.values() if isinstance(value, float)]
                assert all(len(str(value)) < 12 for value in floats), settings
                for text in told(explorer, settings)[1]:
                    wrong += complaints(text)
        finally:
            shows(explorer, start)
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


# The code that an explorer writes.


def states(explorer):
    """Return the start and some other settings: half way, and corners where all controls stop."""
    start = start_of(explorer)
    chosen = [start]
    for at in (0, -1):
        settings = start
        for control in start:
            settings = put(explorer, settings, **{control: ends(explorer, control)[at]})
        chosen.append(settings)
    for control in start:
        low, high = ends(explorer, control)[0], ends(explorer, control)[-1]
        if isinstance(low, (int, float)) and not isinstance(low, bool):
            middle = explorer._controls[control]
            if hasattr(middle, "options"):
                continue
            step = getattr(middle, "step", 1)
            value = low + round((high - low) / 3 / step) * step
            chosen.append(put(explorer, start, **{control: value}))
    return chosen


def numbers(value):
    """Return all numbers that the last line of a cell shows."""
    if isinstance(value, (int, float)):
        return [float(value)]
    return [number for part in value for number in numbers(part)]


def is_told(number, text):
    """Tell whether a sentence has the number, to the digits it writes."""
    if not math.isfinite(number):
        return "diverges" in text or "no number" in text
    for found in NUMBER.findall(text):
        plain = found.replace(",", "")
        mantissa, _, power = plain.partition("e")
        unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
        if abs(float(plain) - number) <= 0.51 * unit + 2e-3 * abs(number) * (
            "e" in plain or abs(number) < 1
        ):
            return True
    return abs(number) < 1e-5 and re.search(r"\b0\b|less than", text) is not None


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


@pytest.mark.parametrize("name", LESSONS)
def test_the_code_of_every_explorer_runs_tells_its_numbers_and_touches_no_name(name):
    for explorer in explorers(lesson(name)):
        start = start_of(explorer)
        try:
            for settings in states(explorer):
                shows(explorer, settings)
                text = explorer.page.text
                assert explorer.page.state != "error", text
                code = explorer.as_code(explorer.settings)
                if hasattr(explorer.result, "path"):  # its numbers stand in a table
                    text += f" {explorer.result.path[-1]}"
                explorer.reset()  # live objects now hold something else than the code makes
                explorer.settle()
                # A copy of the names, not of the objects: what the cell does to them shows.
                names = dict(lesson(name))
                before = state_of(names)
                found = run_cell(code, names)
                assert changes(before, state_of(names)) == set(), code
                assert set(names) - set(lesson(name)) <= {"replay", "torch", "datasets"}
                untold = [n for n in numbers(found) if not is_told(n, text)]
                assert untold == [], f"{text}\n{code}"
                lines = [line for line in code.splitlines() if line and "tensor([" not in line]
                points = code.count("\n        ")  # a list of them goes over many lines
                assert len(lines) - points <= 25, code
                assert max(map(len, lines)) <= 100, code
        finally:
            shows(explorer, start)
