"""Measure side by side and write the tables: the script behind python3 course.py bench.

A full run takes about half an hour and writes README.md. `--quick` takes some minutes and
only prints, as does a choice of parts: `python3 course.py bench -- --quick training start`.
"""

import argparse
import functools
import sys
import time
from pathlib import Path

import live
import scaling
import start
import training
import web
from machine import described, loads
from report import NOT_MEASURED, Table

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "benchmarks/README.md"
PARTS = {"live": live.tables, "training": training.tables, "start": start.tables}
PARTS |= {"scaling": scaling.tables, "web": web.tables}
INTRODUCTION = """# How fast it is

Written by `python3 course.py bench`, not by hand. The course is measured beside what one would
pick instead, in one run and in turn, so that a busy machine slows all alike. Read the ratios; the
milliseconds are those of one machine.

fastai is left out: it needs torchvision, and the wheel that installs beside the course's CPU build
of PyTorch does not load there ("operator torchvision::nms does not exist").
"""


def main(words: list[str]) -> None:
    """Measure the parts asked for, print the tables, and write them after a full run."""
    parser = argparse.ArgumentParser(prog="course.py bench --", description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; without, all of them")
    parser.add_argument("--quick", action="store_true", help="few moves, small sizes, no file")
    parser.add_argument("--course", type=Path, default=ROOT, help="a folder with a .venv, to start")
    options = parser.parse_args(words)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}: choose of {', '.join(PARTS)}")
    parts = PARTS | {"start": functools.partial(start.tables, course=options.course.resolve())}
    began, load = time.monotonic(), loads()
    tables = []
    for name in options.parts or parts:
        print(f"{name}:", flush=True)
        tables += parts[name](options.quick)
    text = report(tables, f"Load {load} at the start and {loads()} at the end")
    print(text)
    print(f"Measured in {time.monotonic() - began:.0f} s.")
    if not (options.quick or options.parts):
        README.write_text(text, encoding="utf-8", newline="\n")
        print(f"Written to {README.relative_to(ROOT)}.")
    if NOT_MEASURED in text:
        sys.exit("Something was not measured: the reason stands below its table.")


def report(tables: list[Table], load: str) -> str:
    """Return introduction, machine and tables as Markdown."""
    return "\n".join([INTRODUCTION, described(load), "", *(t.markdown() + "\n" for t in tables)])


if __name__ == "__main__":
    main(sys.argv[1:])
