"""Kill a process with signal 9 in the middle of a save, many times, and look what is left.

Each child is a fork that saves forever and tells a pipe before and after each save. It is killed
at a moment drawn over three saves. Killed inside a save means: more begun than ended.
"""

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from outcome import Outcome
from report import say
from taught import left_in, taught

from course_utils import progress

TITLE = "Kills (-9) during the save taught in 08 and during progress saving"
GOAL = "1,000 kills each: 0 unreadable files, old or new state, no litter"
BEGIN, END = b"(", b")"
TRIALS = 20  # saves that are timed to know how long one takes
EVENTS = 40  # kills until a new progress file is begun, as a class does each day


class Reports(NamedTuple):
    """How many saves a killed child had begun and ended."""

    begun: int
    ended: int


def child(save: Callable[[int], object], pipe: int) -> None:
    """Save forever; never return."""
    number = 0
    try:
        while True:
            number += 1
            os.write(pipe, BEGIN)
            save(number)
            os.write(pipe, END)
    finally:  # only an error leads here
        os._exit(1)


def killed(save: Callable[[int], object], after: float) -> Reports:
    """Fork a child that saves, and kill it so many seconds after its first save has begun.

    Raises
    ------
    RuntimeError
        If the child ended by itself.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        child(save, writing)
    os.close(writing)
    said = os.read(reading, 1)
    until = time.perf_counter() + after
    while time.perf_counter() < until:
        pass
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    while more := os.read(reading, 65536):
        said += more
    os.close(reading)
    if not os.WIFSIGNALED(status):
        raise RuntimeError("the child that saves ended by itself, with an error")
    return Reports(said.count(BEGIN), said.count(END))


def seconds(save: Callable[[int], object]) -> float:
    """Return how long one save takes."""
    began = time.perf_counter()
    for number in range(TRIALS):
        save(number)
    return (time.perf_counter() - began) / TRIALS


class Checkpoints:
    """Saves of 08: every state is a tensor of one number, the count of the save."""

    def __init__(self, folder: Path, taught, naive: bool = False):
        self.file, self.taught, self.naive = folder / "run.pth", taught, naive
        self.inside = self.temporary = 0
        self.states = [self._state(number) for number in range(40)]

    def _state(self, number: int) -> bytes:
        state = {"weight": self.taught.torch.full((250_000,), float(number))}
        return self.taught.to_bytes(state)

    def save(self, number: int) -> None:
        """Save the state of this number, with the function of the notebook or by plain writing."""
        data = self.states[number % len(self.states)]
        if self.naive:
            self.file.write_bytes(data)
        else:
            self.taught.write_safely(data, self.file)

    def look(self, reports: Reports) -> str:
        """Return what is wrong after a kill, or nothing."""
        self.inside += reports.begun > reports.ended
        left = set(left_in(self.file.parent)) - {self.file.name}
        self.temporary += bool(left)
        try:
            weight = self.taught.torch.load(self.file, weights_only=True)["weight"]
        except Exception as error:  # half a file raises one of many
            return f"the file cannot be loaded: {error}"
        found = int(weight[0])
        allowed = {n % len(self.states) for n in (reports.ended, reports.begun)}
        if found not in allowed or not (weight == weight[0]).all():
            return f"the file holds save {found}, expected one of {allowed}"
        self.save(0)
        return f"after the next save there is also {left}" if self._litter() else ""

    def _litter(self) -> bool:
        return left_in(self.file.parent) != [self.file.name]


class Events:
    """Saves of progress: each appends one event."""

    def __init__(self, folder: Path):
        self.folder, self.inside, self.kills = folder, 0, 0
        self._begin()

    def _begin(self) -> None:
        self.file = self.folder / f"progress-{self.kills}.jsonl"
        os.environ["COURSE_PROGRESS"] = str(self.file)
        self.before = b""

    def save(self, number: int) -> None:
        """Record one event, and hold to it that nothing is in the way."""
        if said := progress.record("02.1", "wrong"):
            raise RuntimeError(said)

    def look(self, reports: Reports) -> str:
        """Return what is wrong after a kill, or nothing."""
        self.inside += reports.begun > reports.ended
        self.kills += 1
        data = self.file.read_bytes() if self.file.exists() else b""
        new = data.removeprefix(self.before).count(b"\n")
        if not data.startswith(self.before) or not reports.ended <= new <= reports.begun:
            return f"{new} new events after {reports}, or an older one lost"
        self.save(0)
        try:
            count = len(progress.read())
        except ValueError as error:
            return str(error)
        if count != data.count(b"\n") + 1 or left_in(self.folder) != [self.file.name]:
            return f"the next save left {count} events and {left_in(self.folder)}"
        self.before = self.file.read_bytes()
        if self.kills % EVENTS == 0:
            self.file.unlink()
            self._begin()
        return ""


def torture(saves: Checkpoints | Events, kills: int, seed: int) -> list[str]:
    """Kill so many children, look each time; return what went wrong."""
    draw, wrong, mean = random.Random(seed), [], seconds(saves.save)
    if isinstance(saves, Events):
        saves.before = saves.file.read_bytes()
    else:
        saves.save(0)
    for number in range(kills):
        if problem := saves.look(killed(saves.save, mean * draw.uniform(0, 3))):
            wrong.append(problem)
            saves.save(0)
        if number % 250 == 249:
            say(f"{number + 1} kills during {type(saves).__name__}, {len(wrong)} problems")
    return wrong


def measure(quick: bool) -> Outcome:
    """Kill 1,000 savers of each kind (quick: 40), and for comparison some that save plainly."""
    if not hasattr(os, "fork"):
        return Outcome("not measured", ["This system has no fork and no signal 9: use Linux."])
    kills, lesson = (40 if quick else 1000), taught()
    failures, kept = [], os.environ.get("COURSE_PROGRESS")
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / name for name in ("safe", "naive", "progress")]
        for place in places:
            place.mkdir()
        safe, naive = Checkpoints(places[0], lesson), Checkpoints(places[1], lesson, naive=True)
        events = Events(places[2])
        try:
            failures += torture(safe, kills, 420)
            failures += torture(events, kills, 421)
            unreadable = len(torture(naive, kills // 4, 422))
        finally:
            os.environ.pop("COURSE_PROGRESS")
            if kept is not None:
                os.environ["COURSE_PROGRESS"] = kept
    wrong = len(failures)
    for name, saves in (("a save", safe), ("progress saving", events)):
        if not saves.inside:
            failures.append(f"no kill hit the middle of {name}: nothing is shown")
    if not unreadable:
        failures.append("plain writing survived every kill: these kills show nothing")
    return Outcome(
        f"{kills} kills during saves ({safe.inside} in the middle of one, {safe.temporary} left a "
        f"temporary file) and {kills} during progress saving ({events.inside} in the middle): "
        f"{wrong} problems. Plain `write_bytes`: {unreadable} of {kills // 4} files unreadable",
        failures,
    )
