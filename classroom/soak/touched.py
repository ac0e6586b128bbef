"""Hostile strings as names of files: what is read, what is written, and what lies outside."""

import json
import os
import subprocess
import sys
from pathlib import Path

import hostile

from course_utils import datasets, progress
from course_utils.inputs import InputError

HERE = Path(__file__).resolve().parent
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate")
ACTS = (*CHANGES, "os.chmod", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen")


def in_paths(folder: Path) -> tuple[int, list[str]]:
    """Use the strings as names of files in a process that notes what it writes where."""
    (folder / "inside").mkdir()
    code = f"import sys; sys.path.insert(0, {str(HERE)!r}); import touched; touched.inside()"
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=str(HERE.parent.parent))
    command, pipes = [sys.executable, "-c", code], {"capture_output": True, "encoding": "utf-8"}
    ended = subprocess.run(command, cwd=folder / "inside", env=env, **pipes)
    if ended.returncode:
        return 0, [f"the names ended the process: {ended.stderr}"]
    failures = json.loads(ended.stdout)
    return len(hostile.ALL), [*failures, *outside(folder)]


def outside(folder: Path) -> list[str]:
    """Say what lies in a folder in which nothing but the folder `inside` should be."""
    return [f"outside: {path}" for path in folder.iterdir() if path.name != "inside"]


def inside() -> None:
    """Merge, read and record under hostile names; print what was touched outside this folder."""
    here, failures = Path.cwd().resolve(), []

    def watch(event: str, values: tuple) -> None:
        if event in ACTS or (event == "open" and values[2] & WRITING):
            paths = [os.path.realpath(v) for v in values if isinstance(v, (str, bytes))]
            if not all(Path(os.fsdecode(path)).is_relative_to(here) for path in paths[:2]):
                failures.append(f"{event} {values}")

    sys.addaudithook(watch)
    for text in hostile.ALL:
        for call in (progress.merge, datasets.load_penguins):
            try:
                call(text)
            except InputError:
                pass
            except Exception as error:
                failures.append(f"{call.__name__}({text[:40]!r}) raised {error!r}")
        if "/" in text or "\0" in text or text in (".", ".."):
            continue  # no name of a file
        os.environ["COURSE_PROGRESS"] = text
        progress.record("02.1", "right")
        if os.path.isfile(text):
            Path(text).write_text("none of ours\n")
            progress.record("02.1", "right")
    print(json.dumps(failures))


def in_a_class(folder: Path) -> tuple[int, list[str]]:
    """Read a folder of progress files with hostile names, and with links that lead out of it."""
    inside, away = folder / "inside/class", folder / "inside/away"
    inside.mkdir(parents=True)
    away.write_text("as it was")
    good = json.dumps({"id": "0" * 32, "exercise": "02.1", "outcome": "right"}) + "\n"
    made = 0
    for number, text in enumerate(hostile.ALL):
        name = text.replace("/", "\u2215").replace("\0", "")[:60] + ".jsonl"
        try:
            (inside / name).write_text(good if number % 2 else "none of ours\n")
            made += 1
        except (OSError, ValueError):  # this system takes no such name
            continue
    failures = [] if made > 100 else [f"only {made} files could be made"]
    if hasattr(os, "mkfifo"):
        links = {"progress.png": away, "away.jsonl": away, "zero.jsonl": "/dev/zero"}
        for name, target in (links | {"itself.jsonl": "itself.jsonl"}).items():
            (inside / name).symlink_to(target)
        os.mkfifo(inside / "pipe.jsonl")
    command = [sys.executable, str(HERE.parent / "progress.py"), str(inside)]
    env = dict(os.environ, PYTHONIOENCODING="utf-8")
    try:
        ended = subprocess.run(command, capture_output=True, timeout=60, env=env)
    except subprocess.TimeoutExpired:
        return made, [*failures, "course.py progress never ends with these files"]
    said = ended.stdout.decode("utf-8", "replace")
    if ended.returncode or not (inside / "progress.png").is_file():
        failures.append(f"course.py progress ended with {ended.stderr.decode()[-300:]}")
    if not said.replace("\n", "").isprintable():
        failures.append(f"course.py progress prints {said[:300]!a}")
    if away.read_text() != "as it was":
        failures.append("course.py progress wrote through a link")
    return made, [*failures, *outside(folder)]
