"""The learner's progress at a glance: which exercises are passed, tried, still to do."""

import html
from collections.abc import Iterable
from dataclasses import dataclass

from course_utils import progress
from course_utils.checks.feedback import EXERCISES

# state: (mark, what it says, color; each 3 : 1 on white and on black)
LOOKS = {
    "passed": ("\u2714", "passed", "#009E73"),
    "tried": ("\u2716", "not yet right", "#D55E00"),
    "open": ("\u25cb", "not tried", "#767676"),
}


@dataclass(frozen=True)
class Board:
    """A table of all exercises and how far the learner is with each.

    Attributes
    ----------
    states : dict of str to {"passed", "tried", "open"}
        By exercise.
    """

    states: dict[str, str]

    def __repr__(self) -> str:
        passed = sum(state == "passed" for state in self.states.values())
        rows = [f"{passed} of {len(self.states)} exercises passed"]
        for chapter in dict.fromkeys(name.split(".")[0] for name in self.states):
            marks = [LOOKS[s][0] for n, s in self.states.items() if n.startswith(f"{chapter}.")]
            rows.append(f"{chapter:4}{' '.join(marks)}")
        return "\n".join(rows)

    def _repr_html_(self) -> str:
        passed = sum(state == "passed" for state in self.states.values())
        rows = [f"<p><b>{passed} of {len(self.states)} exercises passed</b></p><table>"]
        for name, state in self.states.items():
            mark, said, color = LOOKS[state]
            cells = (name, html.escape(EXERCISES[name].title), f"{mark} {said}")
            style = f'style="text-align: left; border-left: 4px solid {color}"'
            rows.append(f"<tr>{''.join(f'<td {style}>{cell}</td>' for cell in cells)}</tr>")
        return "".join([*rows, "</table>"])


def board() -> Board:
    """Return how far the learner is, as the progress file tells.

    Raises
    ------
    InputError
        If the progress file is damaged.
    """
    events = progress.read()
    passed, tried = progress.passed(events), {event["exercise"] for event in events}
    states = {name: "tried" if name in tried else "open" for name in in_order(EXERCISES)}
    return Board(states | dict.fromkeys(passed & states.keys(), "passed"))


def in_order(names: Iterable[str]) -> list[str]:
    """Return names of exercises in the order of the course, lab.10 after lab.9."""
    return sorted(names, key=lambda name: (name.split(".")[0], int(name.split(".")[1])))
