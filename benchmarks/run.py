"""Measure side by side and write the tables: the script behind python3 course.py bench.

A full run takes about a quarter of an hour and writes README.md. `--quick` takes two minutes and
only prints, as does a choice of parts: `python3 course.py bench -- --quick training start`.
"""

import argparse
import datetime
import functools
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import live
import psutil
import scaling
import start
import training
from report import NOT_MEASURED, Table

from course_utils.runtime import versions

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "benchmarks/README.md"
PARTS = {"live": live.tables, "training": training.tables, "start": start.tables}
PARTS |= {"scaling": scaling.tables}
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
    return "\n".join([INTRODUCTION, machine(load), "", *(t.markdown() + "\n" for t in tables)])


def machine(load: str) -> str:
    """Say where, when and on which commit it was measured."""
    day = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    memory = psutil.virtual_memory().total / 1e9
    where = f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.platform()}"
    found = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"{day}, commit {commit()}. {where}. {load}. {found}."


def processor() -> str:
    """Return the processor's name as the system tells it."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.M)
    return found[1] if found else platform.processor()


def commit() -> str:
    """Return the commit, and whether files have changed since."""
    git = ["git", "-C", str(ROOT)]
    done = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    if done.returncode:
        return "unknown"
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True).stdout
    return done.stdout.strip() + (" with changes" if changed else "")


def loads() -> str:
    """Return how many processes wanted to run in the last minute, on average."""
    return f"{psutil.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main(sys.argv[1:])
