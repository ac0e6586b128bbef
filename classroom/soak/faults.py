"""Let every system call of a save fail, one at a time, and look who hears of it and what is left.

strace runs a small program that saves once, and lets the n-th call of a name fail. A run without
a fault tells which calls belong to the save: those between two marks that name the folder.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from outcome import Outcome
from refresh import ROOT
from report import say
from taught import script

TITLE = "Every system call of a save fails: no space, read-only, I/O error"
GOAL = "loud each time, the old file intact or the new one complete"
ERRORS = "ENOSPC", "EROFS", "EIO"
NEEDED = (
    "strace is needed to let system calls fail, and this machine has none that works: on Linux "
    "install the package strace."
)
OLD, NEW = b"old " * 200, b"new " * 200
FRAME = """
import os, sys, pathlib
folder = pathlib.Path(sys.argv[1])
{before}
os.access(folder / "mark-begin", 0)
try:
    said = {save}
except OSError as error:
    said = f"OSError {{error.strerror}}"
os.access(folder / "mark-end", 0)
print(said or "nothing")
"""


class Save(NamedTuple):
    """A save: the program that does it once, the file, and its bytes before."""

    name: str
    program: str
    file: str
    old: bytes

    def intact(self, data: bytes) -> bool:
        """Tell whether the file holds the old bytes or the complete new ones."""
        if self.file == "run.pth":
            return data in (OLD, NEW)
        rest = data.removeprefix(self.old)
        return data.startswith(self.old) and rest.count(b"\n") <= 1 and rest[-1:] in (b"", b"\n")

    def done(self, data: bytes) -> bool:
        """Tell whether the new state is there."""
        return data != self.old and self.intact(data)


class Call(NamedTuple):
    """The n-th call of a name in a run of the program."""

    name: str
    number: int


def saves() -> list[Save]:
    """Return the two saves: a checkpoint, and an event of the progress file."""
    taught = script("write_safely")
    record = "from course_utils import progress"
    event = b'{"id": "%s", "exercise": "02.1", "outcome": "right"}\n' % (b"0" * 32)
    write = f"write_safely({NEW!r}, folder / 'run.pth')"
    append = "progress.record('02.1', 'wrong')"
    return [
        Save("write_safely", FRAME.format(before=taught, save=write), "run.pth", OLD),
        Save("record", FRAME.format(before=record, save=append), "progress.jsonl", event * 3),
    ]


def strace() -> str:
    """Return the path of a strace that works, or an empty string; root gets it installed."""
    if not shutil.which("strace") and shutil.which("apt-get") and os.geteuid() == 0:
        say("installing the distribution's package strace")
        subprocess.run(["apt-get", "update", "-q"], capture_output=True)
        subprocess.run(["apt-get", "install", "-y", "-q", "strace"], capture_output=True)
    found = shutil.which("strace") or ""
    tried = found and subprocess.run([found, "-o", os.devnull, "true"], capture_output=True)
    return found if tried and tried.returncode == 0 else ""


def run(save: Save, folder: Path, *options: str) -> tuple[str, list[str], bytes]:
    """Save once under strace; return what the program said, the calls and the file's bytes."""
    for item in folder.iterdir():
        item.unlink()
    (folder / save.file).write_bytes(save.old)
    log = folder.parent / "log"
    program = [sys.executable, "-B", "-c", save.program, str(folder)]
    settings = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # each counts its own calls
    settings |= {"COURSE_PROGRESS": str(folder / save.file), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [strace(), "-y", "-s", "200", "-o", str(log), *options, *program],
        **{"capture_output": True, "text": True, "env": os.environ | settings},
    )
    said = ran.stdout.strip() or f"died: {ran.stderr[-300:]}"
    return said, log.read_text(errors="replace").splitlines(), (folder / save.file).read_bytes()


def calls(save: Save, folder: Path) -> list[Call]:
    """Return the calls of a save without faults that touch the folder."""
    said, lines, data = run(save, folder, "-e", "trace=%file,%desc")
    if said != "nothing" or not save.done(data):
        raise RuntimeError(f"without any fault, {save.name} says {said!r}")
    seen, found, inside = Counter(), [], False
    for line in lines:
        if not (match := re.match(r"(\w+)\(", line)):
            continue
        seen[match[1]] += 1
        if "/mark-" in line:
            inside = "/mark-begin" in line
        elif inside and str(folder) in line:
            found.append(Call(match[1], seen[match[1]]))
    return found


def faulty(save: Save, folder: Path, call: Call, error: str) -> str:
    """Let one call fail; return what is wrong, or nothing."""
    inject = f"inject={call.name}:error={error}:when={call.number}"
    said, lines, data = run(save, folder, "-e", f"trace={call.name}", "-e", inject)
    what = f"{save.name}: {call.name} {call.number} fails with {error}"
    hit = [line for line in lines if "(INJECTED)" in line]
    if len(hit) != 1 or str(folder) not in hit[0]:
        return f"{what}: not shown, the fault hit {hit}"
    if not save.intact(data):
        return f"{what}: the file holds {data[-60:]!r}"
    loud = said.startswith("OSError") or said.startswith("Progress is not kept")
    if not loud and not (said == "nothing" and save.done(data)):
        return f"{what}: the program says {said!r}"
    return ""


def measure(quick: bool) -> Outcome:
    """Let each call fail with each error (quick: each name of a call with one error)."""
    if not strace():
        return Outcome("not measured", [NEEDED])
    failures, figures = [], []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve() / "saved"
        folder.mkdir()
        for save in saves():
            touched = calls(save, folder)
            faults = [(call, error) for call in touched for error in ERRORS]
            if quick:
                first = {call.name: call for call in reversed(touched)}.values()
                faults = [(call, ERRORS[n % len(ERRORS)]) for n, call in enumerate(first)]
            wrong = [faulty(save, folder, *fault) for fault in faults]
            failures += filter(None, wrong)
            names = " ".join(sorted({call.name for call in touched}))
            figures.append(f"`{save.name}` {len(faults)} faults in {len(touched)} calls ({names})")
            say(f"{figures[-1]}, {sum(map(bool, wrong))} problems")
    return Outcome(f"{'; '.join(figures)}: {len(failures)} problems", failures)
