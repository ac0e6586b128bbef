"""Do to the course what classrooms do, and print what held: the script behind course.py soak.

Each line of the table is a module of this folder with TITLE, GOAL and measure(quick) -> Outcome.
All lines take hours; each writes its row of README.md when it is through, and a choice of lines
leaves the other rows as they are: `python3 course.py soak kills faults`. `--quick` does each thing
a few times and only prints.
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

from machine import when, where  # noqa: E402
from outcome import Outcome  # noqa: E402

LINES = [
    *("kernels", "logins", "reruns", "orders", "confined", "kills", "faults"),
    *("merges", "strings", "places", "pins", "seeds", "restarts"),
]
README = HERE / "README.md"
INTRODUCTION = """# What a classroom does to the course, and what held

Written by `python3 course.py soak`, not by hand. One line of it: `python3 course.py soak kills`.
"""
HEAD = ["| line | what is done | goal | measured | held | seconds | when, commit |"]
HEAD.append("|" + " --- |" * 7)


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
    cells = [f"`{name}`", line.TITLE, line.GOAL, outcome.figure, held, seconds, when()]
    return f"| {' | '.join(cells)} |", outcome.failures


def store(row: str) -> None:
    """Put a row into the table, in place of the one that was measured before."""
    old = README.read_text(encoding="utf-8") if README.exists() else ""
    rows = [line for line in old.splitlines() if line.startswith("| `")] + [row]
    newest = {line.split("`")[1]: line for line in rows}
    table = [*HEAD, *(newest[name] for name in LINES if name in newest)]
    text = "\n".join([INTRODUCTION, where() + ".", "", *table]) + "\n"
    README.write_text(text, encoding="utf-8", newline="\n")


def main(words: list[str]) -> None:
    """Measure the lines asked for; print and, after a full run, store their rows."""
    parser = argparse.ArgumentParser(prog="course.py soak", description=__doc__.split("\n")[0])
    parser.add_argument("lines", nargs="*", help=f"of {', '.join(LINES)}; without, all of them")
    parser.add_argument("--quick", action="store_true", help="a few of each, no file")
    options = parser.parse_args(words)
    if unknown := set(options.lines) - set(LINES):
        parser.error(f"there is no line {', '.join(sorted(unknown))}: choose of {', '.join(LINES)}")
    failed = []
    for name in options.lines or LINES:
        print(f"{name} ...", flush=True)
        row, failures = measured(name, options.quick)
        print(row, *failures, sep="\n", flush=True)
        failed += failures
        if not options.quick:
            store(row)
    if failed:
        sys.exit(f"{len(failed)} things went wrong: they stand above.")


if __name__ == "__main__":
    main(sys.argv[1:])
