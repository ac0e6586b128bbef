"""What a learner calls: `check` an answer, ask for a `hint`. Neither raises, prints or hangs."""

import html
import importlib
import inspect
import pkgutil
import re
from dataclasses import dataclass

from course_utils import checks, progress
from course_utils.checks import guard
from course_utils.checks.judging import EXERCISES, NotAttempted, Wrong, refuse_stubs

for _subject in pkgutil.iter_modules(checks.__path__):  # each enters its exercises
    importlib.import_module(f"{checks.__name__}.{_subject.name}")

SECONDS = 10.0  # what an answer may take
# outcome: (mark, what is said first, color of the bar; each 3 : 1 on white and on black)
LOOKS = {
    "not attempted": ("\u25cb", "Not attempted.", "#767676"),
    "unclear": ("?", "This cannot be checked.", "#767676"),
    "wrong": ("\u2716", "Not yet.", "#D55E00"),
    "right": ("\u2714", "Right.", "#009E73"),
    "hint": ("\u2192", "Hint", "#0072B2"),
}
_hints_given: dict[str, int] = {}


@dataclass(frozen=True)
class Verdict:
    """What is shown below an exercise: an outcome and a sentence that helps."""

    outcome: str
    text: str

    def __repr__(self) -> str:
        mark, first, _ = LOOKS[self.outcome]
        return f"{mark} {first} {self.text}"

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        mark, first, color = LOOKS[self.outcome]
        text = re.sub(r"[$\\]", r"<span>\g<0></span>", html.escape(self.text))  # no formula
        text = re.sub(r"`([^`]*)`", r"<code>\1</code>", text)
        box = f"border-left: 4px solid {color}; padding: 2px 12px"
        page = f'<div role="status" style="{box}">{mark} <b>{first}</b> {text}</div>'
        return {"text/plain": repr(self), "text/html": page}


def check(name: str, *answers: object) -> None:
    """Say whether the answers to an exercise are right, and keep it in the progress file.

    Parameters
    ----------
    name : str
        The exercise, such as "02.1".
    *answers
        What the exercise asks for. They are copied first and stay as they are.
    """
    verdict = judge(name, *answers)
    kept = ""
    if verdict.outcome in ("wrong", "right"):
        kept = progress.record(name, verdict.outcome)
    _show(Verdict(verdict.outcome, f"{verdict.text} {kept}".strip()))


def hint(name: str) -> None:
    """Show the next hint for an exercise; after the last, where the solution is.

    Parameters
    ----------
    name : str
        The exercise, such as "02.1".
    """
    if name not in EXERCISES:
        _show(_unknown(name))
        return
    hints, given = EXERCISES[name].hints, _hints_given.get(name, 0)
    _hints_given[name] = given + 1
    if given >= len(hints):
        _show(Verdict("hint", "That was the last one. The solution is folded further down."))
        return
    progress.record(name, "hint")
    more = f' `hint("{name}")` again shows more.' if given + 1 < len(hints) else ""
    _show(Verdict("hint", f"{given + 1} of {len(hints)}: {hints[given]}{more}"))


def judge(name: str, *answers: object) -> Verdict:
    """Return the verdict on the answers, without showing or keeping it.

    Answers that take longer than `SECONDS` are stopped and wrong. Nothing is raised.
    """
    if name not in EXERCISES:
        return _unknown(name)
    exercise = EXERCISES[name]
    wanted = list(inspect.signature(exercise.judge).parameters)
    if len(answers) != len(wanted):
        return Verdict("unclear", f'The last line is `check("{name}", {", ".join(wanted)})`.')

    def run() -> Verdict:
        refuse_stubs(list(answers))
        return Verdict("right", exercise.judge(*guard.copied(answers)))

    try:
        with guard.untouched():
            return guard.limited(run, SECONDS)
    except NotAttempted:
        text = f'Replace the `...` and run the cell again. `hint("{name}")` helps.'
        return Verdict("not attempted", text)
    except Wrong as wrong:
        return Verdict("wrong", str(wrong))
    except guard.TooLong:
        text = f"Your code ran for {SECONDS:g} seconds and was stopped. Does its loop ever end?"
        return Verdict("wrong", text)
    except guard.Pressed:
        raise
    except BaseException as error:  # an answer's own sys.exit() among them
        return Verdict("wrong", f"The answer cannot be read: {type(error).__name__}.")


def _unknown(name: object) -> Verdict:
    known = ", ".join(EXERCISES)
    return Verdict("unclear", f"There is no exercise {str(name)[:20]!r}. There are {known}.")


def _show(verdict: Verdict) -> None:
    from IPython.display import display

    display(verdict)
