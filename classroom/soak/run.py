"""Do to the course what classrooms do, and print what held: the script behind course.py soak.

Each line of the table is a module of this folder with TITLE, GOAL and measure(quick) -> Outcome.
A full run takes hours and writes README.md; `python3 course.py soak --quick` does each thing a few
times and only prints, as does a choice of lines: `python3 course.py soak kills damage`.
"""

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path += [str(ROOT / "benchmarks"), str(ROOT / "tests")]  # who measured where; the notebooks

from machine import described, loads  # noqa: E402
from outcome import Outcome  # noqa: E402

LINES = [
    *("kernels", "logins", "reruns", "orders", "confined", "kills", "damage", "faults"),
    *("merges", "strings", "places", "pins"),
]
README = HERE / "README.md"
INTRODUCTION = """# What a classroom does to the course, and what held

Written by `python3 course.py soak`, not by hand.
"""


def measured(name: str, quick: bool) -> tuple[str, list[str]]:
    """Return one row of the table, and what failed in it."""
    line = importlib.import_module(name)
    began = time.monotonic()
    try:
        outcome = line.measure(quick)
    except Exception:
        outcome = Outcome("not measured", [traceback.format_exc()])
    seconds = f"{time.monotonic() - began:.0f}"
    held = "no" if outcome.failures else "yes"
    row = " | ".join([f"`{name}`", line.TITLE, line.GOAL, outcome.figure, held, seconds])
    return f"| {row} |", outcome.failures


def report(rows: list[str], load: str) -> str:
    """Return introduction, machine and table as Markdown."""
    head = ["| line | what is done | goal | measured | held | seconds |", "|" + " --- |" * 6]
    return "\n".join([INTRODUCTION, described(load), "", *head, *rows]) + "\n"


def main(words: list[str]) -> None:
    """Measure the lines asked for, print the table, and write it after a full run."""
    parser = argparse.ArgumentParser(prog="course.py soak", description=__doc__.split("\n")[0])
    parser.add_argument("lines", nargs="*", help=f"of {', '.join(LINES)}; without, all of them")
    parser.add_argument("--quick", action="store_true", help="a few of each, no file")
    options = parser.parse_args(words)
    if unknown := set(options.lines) - set(LINES):
        parser.error(f"there is no line {', '.join(sorted(unknown))}: choose of {', '.join(LINES)}")
    load, rows, failed = loads(), [], []
    for name in options.lines or LINES:
        print(f"{name} ...", flush=True)
        row, failures = measured(name, options.quick)
        print(row, *failures, sep="\n", flush=True)
        rows.append(row)
        failed += failures
    text = report(rows, f"Load {load} at the start and {loads()} at the end")
    print(text)
    if not (options.quick or options.lines):
        README.write_text(text, encoding="utf-8", newline="\n")
        print(f"Written to {README.relative_to(ROOT)}.")
    if failed:
        sys.exit(f"{len(failed)} things went wrong: they stand above.")


if __name__ == "__main__":
    main(sys.argv[1:])
