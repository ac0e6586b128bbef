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

    @property
    def chapters(self) -> dict[str, list[str]]:
        """The exercises of each notebook, by what their names begin with."""
        found: dict[str, list[str]] = {}
        for name in self.states:
            found.setdefault(name.split(".")[0], []).append(name)
        return found

    def _passed(self, names: Iterable[str]) -> int:
        return sum(self.states[name] == "passed" for name in names)

    def __repr__(self) -> str:
        rows = [f"{self._passed(self.states)} of {len(self.states)} exercises passed"]
        for chapter, names in self.chapters.items():
            rows.append(f"{chapter:4}{' '.join(LOOKS[self.states[name]][0] for name in names)}")
        return "\n".join(rows)

    def _repr_html_(self) -> str:
        passed = f"{self._passed(self.states)} of {len(self.states)} exercises passed"
        rows = [f"<p><b>{passed}</b></p><table>"]
        for chapter, names in self.chapters.items():
            marks = []
            for name in names:
                mark, said, color = LOOKS[self.states[name]]
                title = html.escape(f"{name} {EXERCISES[name].title}: {said}")
                told = f'role="img" aria-label="{title}" title="{title}"'
                marks.append(f'<span {told} style="color: {color}; padding: 0 3px">{mark}</span>')
            cells = chapter, "".join(marks), f"{self._passed(names)} of {len(names)}"
            rows.append("<tr><td>{}</td><td>{}</td><td>{}</td></tr>".format(*cells))
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
