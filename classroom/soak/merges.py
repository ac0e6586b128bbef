"""Bring new versions of the course to learners who have edited it: real nbgitpuller, own hub.

A learner gets version 1 and edits it; versions 2 and 3 change the same cells. What the learner has
written is noted line by line, and looked for in the learner's folder after each update. Merged line
by line, a notebook that both sides changed may end as broken JSON: .gitattributes keeps it whole.

nbgitpuller 1.3 by itself stops, with an error and without a loss, where the course has renamed what
a learner deleted, or to a name that a learner uses; two settings for git help. In three cases
it overwrites a learner's file: if it bears the name of a folder of the course that the learner has
deleted, or if git ignores its name and the course adds a folder of that name or, without the
settings, gives that name to a file. So no file of the course has a name that git ignores.
"""

import dataclasses
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from outcome import Outcome
from refresh import ROOT
from report import say
from writers import COMING, Writer

sys.path.append(str(ROOT / "classroom"))
from learner import give

TITLE = "Two versions of the course merged over a learner's edits by nbgitpuller"
GOAL = "0 bytes of the learner's lost, every notebook still opens"
NO_SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
SETTINGS = {  # renamed files count as deleted and added, and names are not quoted
    **{"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "diff.renames", "GIT_CONFIG_VALUE_0": "false"},
    **{"GIT_CONFIG_KEY_1": "core.quotePath", "GIT_CONFIG_VALUE_1": "false"},
}
NEEDED = "nbgitpuller is needed: pip install -r classroom/requirements.txt"
PARTS = "notebooks", "course_utils", "README.md", ".gitignore", ".gitattributes"
SKIP = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "progress*.jsonl", "run_*")
GIT = ["git", "-c", "user.name=course", "-c", "user.email=course@example.org"]


@dataclasses.dataclass
class Counts:
    """What came of updates: bytes the learner has, and what was lost, stopped and broken."""

    written: int = 0
    gone: int = 0
    lost: list[str] = dataclasses.field(default_factory=list)
    stopped: list[str] = dataclasses.field(default_factory=list)
    broken: list[str] = dataclasses.field(default_factory=list)


def git(folder: Path, *words: str) -> None:
    """Run git quietly."""
    subprocess.run([*GIT, *words], cwd=folder, check=True, capture_output=True)


def published(folder: Path) -> Path:
    """Make a repository of version 1 from this course; return it."""
    folder.mkdir()
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=SKIP)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Version 1")
    return folder


def pull(repository: Path, clone: Path, settings: dict[str, str]) -> list[str]:
    """Let nbgitpuller clone or update; return what it printed, and its error as last line."""
    from nbgitpuller.pull import GitPuller

    said, before = [], dict(os.environ)
    os.environ.update(settings)
    try:
        said.extend(GitPuller(repository.as_uri(), str(clone), branch="main").pull())
    except Exception as error:
        said.append(f"{type(error).__name__}: {error}")
    finally:
        os.environ.clear()
        os.environ.update(before)
    return said


def by_git(course: Path, clone: Path) -> str:
    """Bring the learner's copy up to date as git is by itself; return what stopped it."""
    last = pull(course, clone, NO_SETTINGS)[-1]
    return last if "Error" in last else ""


def by_git_set(course: Path, clone: Path) -> str:
    """Bring it up to date with two settings for git; return what stopped it."""
    last = pull(course, clone, NO_SETTINGS | SETTINGS)[-1]
    return last if "Error" in last else ""


def by_hub(course: Path, clone: Path) -> str:
    """Bring it up to date as this course's own hub does at each start of a server."""
    give(course, clone)
    return ""


def lost(learner: Writer) -> list[bytes]:
    """Return the lines of the learner that stand in no file of the folder any more."""
    files = [path for path in learner.folder.rglob("*") if ".git" not in path.parts]
    everything = b"\0".join(path.read_bytes() for path in files if path.is_file())
    return [line for line in learner.written if line not in everything]


def broken(learner: Writer) -> list[str]:
    """Return the names of notebooks that do not open."""
    names = []
    for path in learner.folder.glob("notebooks/*.ipynb"):
        try:
            json.loads(path.read_text(encoding="utf-8"))["cells"]
        except Exception:
            names.append(path.name)
    return names


def merged(seed: int, first: Path, folder: Path, update: Callable) -> Counts:
    """Bring two new versions to one learner; count what came of it."""
    draw, counts = random.Random(seed), Counts()
    course, clone = folder / "course", folder / "clone"
    subprocess.run(["git", "clone", "-q", str(first), str(course)], check=True)
    update(course, clone)
    names = sorted(path.name for path in (course / "notebooks").glob("*.ipynb"))
    hot = {name: draw.random() for name in draw.sample(names, 4)}
    author, learner = (Writer(*who, draw, hot) for who in (("author", course), ("learner", clone)))
    own = ["notebooks/my_own.ipynb", "notebooks/models/mine.txt", "diary.md", *COMING]
    for version in (2, 3):
        learner.work(own)
        with open(clone / "notebooks/progress.jsonl", "a", encoding="utf-8") as file:
            file.write(f"{learner.line()}\n")
        gone = set(lost(learner))  # by the learner's own hand
        learner.written = [line for line in learner.written if line not in gone]
        author.work(COMING)
        git(course, "add", "-A")
        git(course, "commit", "-q", "--allow-empty", "-m", f"Version {version}")
        stopped = update(course, clone)
        counts.stopped += [f"learner {seed}, version {version}: {stopped}"] if stopped else []
        counts.broken += [f"learner {seed}, version {version}: {name}" for name in broken(learner)]
    counts.written += sum(map(len, learner.written))
    counts.gone += sum(map(len, lost(learner)))
    counts.lost += [f"learner {seed}: {line.decode()}" for line in lost(learner)]
    return counts


WAYS = {
    by_git: "nbgitpuller",
    by_git_set: "nbgitpuller with the settings for git",
    by_hub: "the course's own hub",
}


def many(first: Path, folder: Path, update: Callable, count: int) -> Counts:
    """Do it for so many learners, each with edits of their own."""
    total = Counts()
    for seed in range(count):
        place = folder / f"{update.__name__}-{seed}"
        place.mkdir()
        counts = merged(seed, first, place, update)
        total.written += counts.written
        total.gone += counts.gone
        for part in ("lost", "stopped", "broken"):
            getattr(total, part).extend(getattr(counts, part))
        shutil.rmtree(place)
    said = (
        f"{len(total.lost)} of {total.written:,} bytes lost, {len(total.stopped)} updates stopped"
    )
    say(f"{update.__name__}: {count} learners, {said}, {len(total.broken)} notebooks broken")
    return total


def ignored() -> list[str]:
    """Return files of the course whose names git ignores: a merge would overwrite a learner's."""
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"],
        **{"cwd": ROOT, "capture_output": True, "text": True},
    )
    return found.stdout.splitlines()


def measure(quick: bool) -> Outcome:
    """Bring two versions to 60 learners in each of three ways (quick: 2 learners)."""
    if not importlib.util.find_spec("nbgitpuller"):
        return Outcome("not measured", [NEEDED])
    count, figures = (2 if quick else 60), []
    failures = [f"{name} has a name that git ignores" for name in ignored()]
    with tempfile.TemporaryDirectory() as folder:
        first = published(Path(folder) / "first")
        for update, name in WAYS.items():
            total = many(first, Path(folder), update, count)
            failures += [f"{name}: lost {what}" for what in total.lost]
            failures += [f"{name}: broken {what}" for what in total.broken]
            if update is not by_git:  # there a stop is known: nothing is lost, and it is loud
                failures += [f"{name}: stopped {what}" for what in total.stopped]
            figures.append(
                f"{name} {total.gone} of {total.written:,} bytes lost, "
                f"{len(total.stopped)} updates stopped"
            )
    return Outcome(f"{count} learners each: {'; '.join(figures)}", failures)
