"""What a table is, and the percentiles that stand in it."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

NOT_MEASURED = "**Not measured**"


class Table(NamedTuple):
    """One table of the report.

    Attributes
    ----------
    title : str
        Its heading.
    text : str
        What was measured and how, one paragraph of Markdown.
    head : sequence of str
        The names of the columns.
    rows : sequence of sequence of str
        The cells.
    goals : sequence of str
        One sentence for each goal: what it is, what was measured, met or missed.
    """

    title: str
    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[str] = ()

    def markdown(self) -> str:
        """Return heading, text, table and goals."""
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        goals = "\n".join(f"- {goal}" for goal in self.goals)
        return "\n\n".join(filter(None, [f"## {self.title}", self.text, table, goals]))


def say(text: str) -> None:
    """Print progress."""
    print(f"  {text}", flush=True)


def interleaved(
    jobs: Mapping[str, Callable[[], object]], repetitions: int
) -> dict[str, list[float]]:
    """Time every job in turn, that many rounds; return the seconds of each job.

    A job that returns a float has measured itself, and that is its time.
    """
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repetitions):
        for name, job in jobs.items():
            start = time.perf_counter()
            own = job()
            taken = time.perf_counter() - start
            seconds[name].append(own if isinstance(own, float) else taken)
    return seconds


def p50(values: Sequence[float]) -> float:
    """Return the median."""
    return float(np.percentile(values, 50))


def p95(values: Sequence[float]) -> float:
    """Return the value that 95 of 100 do not exceed."""
    return float(np.percentile(values, 95))


def short(value: float) -> str:
    """Write a number with three digits that count, and no exponent."""
    if value == 0:
        return "0"
    digits = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{value:,.{digits}f}"


def times(value: float) -> str:
    """Write a ratio."""
    return f"{short(value)} x"


def goal(text: str, measured: str, met: bool) -> str:
    """Say what a goal is, what was measured, and whether that meets it."""
    return f"{text}: {measured}, **{'met' if met else 'missed'}**"
