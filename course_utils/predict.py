"""Questions that a learner answers before a cell is run: a choice, a number or an order.

`predict("backward twice")` shows the question of that id. Its text, the right answer and a reason
for each answer stand in `questions.toml` beside this module: a cell that held them would give the
answer away, and so would the page, which therefore gets the question alone and asks the kernel.
Nothing but the question is stored in the notebook, and no answer is noted anywhere.

What answers it is veiled until then: all that follows, code and outputs and text, up to the next
heading. Veiled code runs as ever. `veil.css` does that in JupyterLab and Notebook 7, wherever one
scrolls, since all it asks is which cell comes after which. The question brings it along; the
course's JupyterLab has it from the start (`binder/settings`), so that outputs stored in the file
are veiled before any cell has run. GitHub, slides and everything else show all.

A question has `ask`, a text in which `code` stands between backticks, and one of three kinds:

- choice: `right`, one of the keys of the table `options`, whose values are the reasons
- number: `answer`, `tolerance` and `unit`, with the reasons `why` (right), `low`, `high` (too low,
  too high) and a table `wrong` of numbers that a known mistake leads to
- order: `order`, the items as they should stand, with `why` (right) and a table `early` that says
  of each item but the first why it cannot stand earlier. An item has to come after the one before
  it, unless the table `after` lists what it has to come after

Since code is veiled as well, `ask` has to say all that an answer needs.
"""

import difflib
import math
import tomllib
from functools import cache
from pathlib import Path

import anywidget
import traitlets

from course_utils import inputs

_HERE = Path(__file__).parent


@cache
def questions() -> dict[str, dict]:
    """Return all questions by their ids."""
    return tomllib.loads((_HERE / "questions.toml").read_text(encoding="utf-8"))


def shown(question: dict) -> list[str]:
    """Return the options or items as the learner sees them; items never in the right order."""
    order = question.get("order", [])
    return [*question.get("options", []), *order[1::2], *order[::2]]


def asked(question: dict) -> dict:
    """Return what a page is given of a question: nothing that tells the answer."""
    kind = next(key for key in ("options", "order", "answer") if key in question)
    parts = {"ask": question["ask"], "unit": question.get("unit", ""), "items": shown(question)}
    return {"kind": kind, **parts}


def judge(question: dict, answer: object) -> tuple[bool, str]:
    """Return whether an answer is right, and the reason why.

    Parameters
    ----------
    question : dict
        One of `questions()`.
    answer : str, float or list of str
        The option, the number, or all items in the learner's order.

    Raises
    ------
    InputError
        If the answer is not of the question's kind.
    """
    if "options" in question:
        option = inputs.choice("answer", answer, question["options"])
        return option == question["right"], question["options"][option]
    if "order" in question:
        return _judge_order(question, answer)
    number, right = inputs.number("answer", answer), question["answer"]
    if math.isclose(number, right, abs_tol=question["tolerance"]):
        return True, question["why"]
    for wrong, reason in question["wrong"].items():
        if math.isclose(number, float(wrong), rel_tol=0.01):
            return False, reason
    return False, question["low" if number < right else "high"]


def solution(question: dict) -> str:
    """Return the right answer and the reason why."""
    if "options" in question:
        return f"{question['right'].rstrip('.')}. {question['options'][question['right']]}"
    if "order" in question:
        return f"{'; '.join(question['order'])}. {question['why']}"
    return f"{question['answer']} {question['unit']}".rstrip() + f". {question['why']}"


def _judge_order(question: dict, answer: object) -> tuple[bool, str]:
    order = question["order"]
    if not isinstance(answer, list) or sorted(answer, key=str) != sorted(order):
        raise inputs.InputError(f"answer is {answer!r}, expected the {len(order)} items in a list")
    for item in answer:
        before = [order[order.index(item) - 1]] if item != order[0] else []
        needed = question.get("after", {}).get(item, before)
        if any(answer.index(other) > answer.index(item) for other in needed):
            return False, f"Too early: {item}. {question['early'][item]}"
    return True, question["why"]


class Prediction(anywidget.AnyWidget):
    """A question in the page, which the learner can answer as often as they like.

    Parameters
    ----------
    name : str
        The id of the question.
    question : dict
        What `questions()` holds under it.

    Attributes
    ----------
    state : str
        "open" (not answered), "right", "wrong" or "shown".
    reason : str
        Why the last answer is right or wrong, or the right answer.
    veiled : bool
        Whether what answers the question is still hidden.
    """

    _esm = _HERE / "predict.js"
    _css = "".join((_HERE / name).read_text("utf-8") for name in ("predict.css", "veil.css"))
    shown = traitlets.Dict().tag(sync=True)
    state = traitlets.Unicode("open").tag(sync=True)
    reason = traitlets.Unicode().tag(sync=True)
    veiled = traitlets.Bool(True).tag(sync=True)

    def __init__(self, name: str, question: dict):
        super().__init__(shown=asked(question))
        self._name, self._question = name, question
        self.on_msg(self.hear)

    def hear(self, _widget: object, content: dict, _buffers: object = None) -> None:
        """Do what a message of the page asks for: judge an answer, or show the right one."""
        if "show" in content:
            self.show()
        else:
            self.answer(content.get("answer"))

    def answer(self, answer: object) -> None:
        """Judge an answer and show the reason.

        Raises
        ------
        InputError
            If the answer is not of the question's kind.
        """
        right, reason = judge(self._question, answer)
        with self.hold_sync():
            self.state, self.reason = "right" if right else "wrong", reason
            self.veiled = False

    def show(self) -> None:
        """Show the right answer and the reason."""
        with self.hold_sync():
            self.state, self.reason, self.veiled = "shown", solution(self._question), False

    def as_text(self) -> str:
        """Return the question as Markdown, for a reader who has no kernel."""
        items = "".join(f"\n- {item}" for item in self.shown["items"])
        return f"**Predict first.** {self.shown['ask']}\n{items}\n\nRun the cell to answer."

    def __repr__(self) -> str:
        return f"predict({self._name!r})"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self._repr_mimebundle_()[0] | {"text/plain": repr(self)}, raw=True)
        text = self.as_text()  # hidden by the page while the widget is alive
        more = '<details class="predict-show"><summary>Show me</summary>See below.</details>'
        display({"text/markdown": f"{text}\n\n{more}", "text/plain": text}, raw=True)


def predict(name: str) -> Prediction:
    """Return the question with this id; as the last line of a cell it is shown.

    Raises
    ------
    InputError
        If there is no such question.
    """
    if not isinstance(name, str) or name not in questions():
        nearest = difflib.get_close_matches(str(name), questions(), n=1, cutoff=0)[0]
        raise inputs.InputError(f"there is no question {name!r}: did you mean {nearest!r}?")
    return Prediction(name, questions()[name])
