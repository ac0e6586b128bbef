"""Every exercise: a solution that is right, a stub, and wrong answers that get their hints."""

import contextlib
import functools
import importlib
import math
import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from exercises import Lesson, prefix
from refresh import LESSON_PATHS

from course_utils.checks import feedback
from course_utils.checks.feedback import judge
from course_utils.checks.judging import EXERCISES

LESSONS = {prefix(path): Lesson(path) for path in LESSON_PATHS}
STUBS = {name: lesson for lesson in LESSONS.values() for name in lesson.stubs}
WRONG, RIGHT = {}, {}
for file in sorted((Path(__file__).parent / "answers").glob("*.py")):
    subject = importlib.import_module(f"answers.{file.stem}")
    WRONG |= subject.WRONG
    RIGHT |= subject.RIGHT


@functools.cache
def names_of(lesson):
    """Run what the exercises of a lesson need, once for all of them."""
    texts = [*lesson.stubs.values(), *lesson.solutions.values()]
    for name in lesson.stubs:
        texts += [*RIGHT[name], *(code for code, _ in WRONG[name])]
    return lesson.namespace(*texts)


@functools.cache
def run(name, code):
    """Return the verdict that the exercise's last check gives; each answer is judged once."""
    lesson = STUBS[name]
    return lesson.verdicts(code, names_of(lesson))[-1][0]


def test_every_exercise_has_a_stub_a_solution_hints_and_answers():
    assert STUBS.keys() == EXERCISES.keys() == WRONG.keys() == RIGHT.keys()
    for name, exercise in EXERCISES.items():
        assert name in STUBS[name].solutions, name
        assert 2 <= len(exercise.hints) <= 4, name
        assert all(re.search(r"[.?:`)]$", hint) for hint in exercise.hints), name
        assert len(WRONG[name]) >= 5, name
        assert len(set(RIGHT[name])) >= 3, name
    for number, lesson in LESSONS.items():
        low, high = (16, 16) if number == "lab" else (3, 5)
        assert low <= len(lesson.stubs) <= high, number
        assert list(lesson.stubs) == [f"{number}.{n + 1}" for n in range(len(lesson.stubs))]


def test_titles_are_those_of_the_headings():
    for name, exercise in EXERCISES.items():
        text = "\n".join(cell.source for cell in STUBS[name].cells)
        assert f"### Exercise {name.split('.')[1]}: {exercise.title}\n" in text, name


@pytest.mark.parametrize("name", STUBS)
def test_the_stub_is_not_attempted(name):
    assert "..." in STUBS[name].stubs[name]
    verdict = run(name, STUBS[name].stubs[name])
    assert verdict.outcome == "not attempted", verdict


@pytest.mark.parametrize("name", STUBS)
def test_the_solution_is_right_and_told_why(name):
    verdict = run(name, STUBS[name].solutions[name])
    assert verdict.outcome == "right", verdict
    assert len(verdict.text.split()) >= 8


@pytest.mark.parametrize(
    ("name", "code", "hint"),
    [(name, *answer) for name, answers in WRONG.items() for answer in answers],
)
def test_a_wrong_answer_gets_the_hint_that_fits(name, code, hint):
    verdict = run(name, STUBS[name].with_answer(name, code))
    assert verdict.outcome == "wrong", verdict
    assert hint.lower() in verdict.text.lower(), verdict
    assert len(verdict.text.split()) >= 5


@pytest.mark.parametrize(
    ("name", "code"), [(name, code) for name, answers in RIGHT.items() for code in answers]
)
def test_an_unusual_right_answer_is_right(name, code):
    verdict = run(name, STUBS[name].with_answer(name, code))
    assert verdict.outcome == "right", verdict


def test_a_tram_that_takes_more_than_three_steps_hears_that_fewer_are_possible():
    lesson = STUBS["04.5"]
    right = [lesson.solutions["04.5"]]
    right += [lesson.with_answer("04.5", code) for code in RIGHT["04.5"]]
    fewer = ["Fewer are possible" in run("04.5", code).text for code in right]
    assert fewer == [True, False, False, False, True, True]


def test_wrong_answers_differ():
    for name, answers in WRONG.items():
        assert len({code for code, _ in answers}) == len(answers), name
        assert len({hint for _, hint in answers}) >= 3, f"{name}: the hints are all the same"


@pytest.mark.parametrize("name", STUBS)
def test_no_verdict_and_no_hint_gives_the_number_away(name):
    """A number the solution comes to stands in no hint, unless the exercise itself names it."""
    lesson = STUBS[name]
    answers = lesson.verdicts(lesson.solutions[name], names_of(lesson))[-1][1]
    told = " ".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    told = re.sub(r"<details>.*?</details>", "", told, flags=re.S)
    said = [*EXERCISES[name].hints]
    said += [run(name, lesson.with_answer(name, code)).text for code, _ in WRONG[name]]
    for answer in answers:
        if type(answer) in (int, float) and answer not in (0, 1):
            for digits in (f"{answer:.4f}", f"{answer:.3g}", f"{answer:g}"):
                number = re.compile(rf"(?<![\d.]){re.escape(digits)}(?!\d)")
                assert number.search(told) or not any(map(number.search, said)), digits


class Everything:
    """Claims to equal everything and to be everything."""

    __module__ = "numpy"
    __hash__ = object.__hash__
    shape = (1,)

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __call__(self, *args, **kwargs):
        return self

    def __getattr__(self, name):
        if name.startswith("__") and name not in ("__iter__", "__len__"):
            raise AttributeError(name)
        return Everything()

    def __getitem__(self, key):
        if isinstance(key, int) and key > 3:
            raise IndexError(key)
        return self

    def __len__(self):
        return 3

    def __iter__(self):
        return iter([self, self, self])

    def __float__(self):
        return 0.0

    def __bool__(self):
        return True

    __lt__ = __gt__ = __le__ = __ge__ = __eq__
    __add__ = __sub__ = __mul__ = __truediv__ = __radd__ = __rsub__ = __rmul__ = __call__


class EqualTensor(torch.Tensor):
    """A tensor that claims to equal everything."""

    def __eq__(self, other):
        return True

    __hash__ = torch.Tensor.__hash__


def forever(*args, **kwargs):
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(100)


def busy(*args, **kwargs):
    while True:
        try:  # noqa: SIM105
            sum(range(100))
        except:  # noqa: E722  as a beginner writes it
            pass


def failing(*args, **kwargs):
    raise RuntimeError("no")


ODD = [
    None, True, math.nan, math.inf, -1, 10**400, 1e-30, "text", b"bytes", [], {}, object, object(),
    np.zeros(0), np.array([[1.0]]), torch.tensor([]), torch.zeros(3, 3, 3), torch.tensor(1j),
    Everything(), [Everything()] * 3, EqualTensor([1.0]), failing, lambda *a, **k: None,
    torch.nn.Linear(2, 3), iter([1]), float, type("Model", (), {}), [[[]]], "<script>x</script>",
]  # fmt: skip


@pytest.mark.parametrize("name", EXERCISES)
def test_odd_and_cheating_answers_are_never_right_and_nothing_is_raised(name, monkeypatch):
    monkeypatch.setattr(feedback, "SECONDS", 0.5)
    answers = STUBS[name].verdicts(STUBS[name].solutions[name], names_of(STUBS[name]))[-1][1]
    for odd in ODD:
        verdict = judge(name, *[odd] * len(answers))
        assert verdict.outcome == "wrong", (odd, verdict)
        assert "<script" not in verdict._repr_mimebundle_()["text/html"]
    for number in range(len(answers)):
        for endless in (forever, busy):
            replaced = [*answers]
            replaced[number] = endless
            assert judge(name, *replaced).outcome == "wrong"
    assert judge(name).outcome == "unclear"


@pytest.mark.parametrize("name", EXERCISES)
def test_patched_comparisons_do_not_help(name, monkeypatch):
    """Torch's and NumPy's comparisons say yes to all: a wrong answer stays wrong."""
    lesson = STUBS[name]
    (code, _), *_ = WRONG[name]
    names = names_of(lesson)
    answers = lesson.verdicts(lesson.with_answer(name, code), names)[-1][1]
    for module in (torch, np, math):
        for function in ("allclose", "equal", "isclose", "all", "array_equal"):
            if hasattr(module, function):
                monkeypatch.setattr(module, function, lambda *args, **kwargs: True)
    for method in ("equal", "allclose", "eq", "all", "__eq__"):
        monkeypatch.setattr(torch.Tensor, method, lambda *args, **kwargs: True)
    monkeypatch.setattr(torch.testing, "assert_close", lambda *args, **kwargs: None)
    outcome = judge(name, *answers).outcome
    monkeypatch.undo()
    assert outcome == "wrong"
