"""Load damaged and hostile checkpoint files with the functions of notebook 07.

The files are loaded in a process of its own, which tells its largest memory. Each damaged file is
loaded three times: as it is, sealed anew as an attacker would, and with torch.load for comparison.
"""

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import attacks
from outcome import Outcome
from report import say
from taught import taught

TITLE = "20,000 damaged and 40 hostile checkpoint files, loaded as 07 teaches"
GOAL = (
    "0 executions, one exception type, 32 MB more memory at most, 0 silent changes of sealed files"
)
MEGABYTES, MINUTES = 32, 15
SECTOR = 512


def checkpoints(lesson) -> list[bytes]:
    """Return the bytes of five kinds of checkpoints, of 1 kB to 270 kB."""
    torch, nn = lesson.torch, lesson.nn
    torch.manual_seed(420)
    line, network = nn.Linear(1, 1), nn.Sequential(nn.Linear(8, 64), nn.BatchNorm1d(64))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
    history = lesson.History()
    for epoch in range(30):
        history.record(epoch=epoch, val_loss=1 / (epoch + 1))
    run = {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 30}
    run |= {"generator": torch.Generator().get_state(), "history": history.to_dict()}
    values = [line.state_dict(), network.state_dict(), run, {"best": 0.25, "name": "line"}]
    return [lesson.to_bytes(value) for value in [*values, nn.Linear(256, 256).state_dict()]]


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Return other bytes: flipped, cut off, put in, exchanged, zeroed or repeated."""
    size = len(data)
    at, other = sorted(draw.sample(range(size), 2))
    block = at // SECTOR * SECTOR
    changes: list[Callable[[], bytes]] = [
        lambda: data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :],
        lambda: data[:at] + draw.randbytes(draw.randint(1, 8)) + data[at + 8 :],
        lambda: data[:at],
        lambda: data[at:],
        lambda: data[:at] + draw.randbytes(draw.randint(1, 600)) + data[at:],
        lambda: data[:at] + data[other:],
        lambda: data[other:] + data[at:other] + data[:at],
        lambda: data[:block] + bytes(SECTOR) + data[block + SECTOR :],
        lambda: data[:block] + data[:SECTOR] + data[block + SECTOR :],
        lambda: data + draw.randbytes(draw.randint(1, 600)),
    ]
    changed = draw.choice(changes)()
    return changed if changed != data else data[:at]


def peak() -> float:
    """Return the most memory that this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+)", status.read_text())[1]) / 1e3
    import resource  # not on Windows

    kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kept / (1e6 if sys.platform == "darwin" else 1e3)


class Memory:
    """The largest memory of this process above that at the beginning, in MB."""

    def __init__(self):
        with contextlib.suppress(OSError):  # Linux: forget the peaks of the imports
            Path("/proc/self/clear_refs").write_text("5")
        self.before = peak()

    def more(self) -> float:
        """Return how far the peak has risen."""
        return peak() - self.before


def outcome(load: Callable[[], object]) -> tuple[str, object]:
    """Return the name of the exception that leaves `load`, or "loaded" and the value."""
    try:
        return "loaded", load()
    except Exception as error:
        return type(error).__name__, None


def load_damaged(lesson, count: int, folder: Path) -> dict:
    """Load so many damaged files; return what happened, and how often."""
    draw, kinds, file = random.Random(420), checkpoints(lesson), folder / "damaged.pth"
    counts = {way: Counter() for way in ("sealed", "sealed anew", "torch.load")}
    for data in kinds:  # honest files load, and take what memory they take
        file.write_bytes(lesson.seal(data))
        assert lesson.to_bytes(lesson.load_safely(file)) == data
    memory = Memory()
    for number in range(count):
        data = draw.choice(kinds)
        sealed = damaged(lesson.seal(data), draw)
        for way, content in (("sealed", sealed), ("sealed anew", lesson.seal(sealed[:-32]))):
            file.write_bytes(content)
            said, value = outcome(lambda: lesson.load_safely(file))
            same = said == "loaded" and lesson.to_bytes(value) == data
            counts[way]["loaded, same" if same else said] += 1
        file.write_bytes(sealed)
        said, value = outcome(lambda: lesson.torch.load(file, weights_only=True))
        same = said == "loaded" and lesson.to_bytes(value) == data
        counts["torch.load"]["loaded, same" if same else said] += 1
        if number % 5000 == 4999:
            say(f"{number + 1} damaged files")
    return {"damaged": counts, "damaged MB": memory.more()}


def load_hostile(lesson, folder: Path) -> dict:
    """Load every hostile file, under a right seal; return what happened to each."""
    marks = folder / "marks"
    hostile = attacks.codes(lambda what: str(marks / what)) | attacks.others()
    told: dict = {"hostile": {}}
    for what, data in hostile.items():
        file = folder / "hostile.pth"
        file.write_bytes(lesson.seal(data))
        memory = Memory()
        said, _ = outcome(lambda: lesson.load_safely(file))  # noqa: B023
        told["hostile"][what] = [said, memory.more()]
        told["last"] = what
    told["ran"] = sorted(path.name for path in marks.iterdir())
    told["written"] = sorted(path.name for path in folder.iterdir())
    for what, data in attacks.codes(lambda what: str(marks / what)).items():
        file.write_bytes(data)  # the proof that the marks work: these files are made above
        outcome(lambda: lesson.torch.load(file, weights_only=False))
        told.setdefault("would run", {})[what] = (marks / what).exists()
    return told


def child(count: int, folder: Path) -> None:
    """Load everything, and print what happened as one line of JSON."""
    warnings.simplefilter("ignore")  # torch warns of old formats
    (folder / "marks").mkdir()
    lesson = taught()
    told = load_damaged(lesson, count, folder)
    (folder / "damaged.pth").unlink()
    print(json.dumps(told | load_hostile(lesson, folder)))


def measure(quick: bool) -> Outcome:
    """Load 20,000 damaged files (quick: 500) and all hostile ones."""
    count = 500 if quick else 20_000
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, str(count), folder]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        ran = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=60 * MINUTES
        )
    *lines, last = ran.stdout.splitlines() or [""]
    print(*lines, sep="\n")
    if ran.returncode:
        return Outcome(
            "not measured", [f"loading ended with {ran.returncode}: {ran.stderr[-800:]}"]
        )
    told = json.loads(last)
    sealed, anew, plain = told["damaged"].values()
    hostile, would = told["hostile"], told["would run"]
    memory = max(told["damaged MB"], *(more for _, more in hostile.values()))
    failures = [f"a hostile file ran code: {what}" for what in told["ran"]]
    failures += [
        f"{n} sealed files were {what}" for what, n in sealed.items() if what != "ValueError"
    ]
    other = Counter(sealed) + Counter(anew) + Counter(said for said, _ in hostile.values())
    kinds = {what for what in other if not what.startswith("loaded")}
    if kinds != {"ValueError"}:
        failures.append(f"exceptions of {len(kinds)} types leave load_safely: {sorted(kinds)}")
    failures += [
        f"{what} took {more:.0f} MB more memory"
        for what, (_, more) in {**hostile, "a damaged file": ("", told["damaged MB"])}.items()
        if more > MEGABYTES
    ]
    if told["written"] != ["hostile.pth", "marks"]:
        failures.append(f"a file was written outside: {told['written']}")
    failures += [f"the mark of {what} shows nothing" for what, runs in would.items() if not runs]
    silent = plain.get("loaded", 0)
    types = sum(not what.startswith("loaded") for what in plain)
    accepted = sum(said == "loaded" for said, _ in hostile.values())
    ran, proven = len(told["ran"]), sum(would.values())
    return Outcome(
        f"{count:,} damaged: {sealed.get('ValueError', 0):,} refused with ValueError, "
        f"{sealed.get('loaded', 0)} silently changed (`torch.load`: {types} exception types, "
        f"{100 * silent / count:.1f} % silently changed). {len(hostile)} hostile with a right "
        f"seal: {ran} executions (with `weights_only=False` {proven}), "
        f"{accepted} loaded as harmless, others ValueError. Memory {memory:+.0f} MB at most",
        failures,
    )


if __name__ == "__main__":
    child(int(sys.argv[1]), Path(sys.argv[2]))
