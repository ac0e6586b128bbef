"""The notebooks on other people's machines: start methods, locale, folder and line ends."""

import contextlib
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import lessons
import nbformat
from outcome import Outcome
from refresh import LESSON_PATHS, ROOT
from report import say

sys.path.append(str(ROOT / "classroom"))
from bundle import files

TITLE = "start methods fork, spawn, forkserver; C locale; path with spaces and non-ASCII letters; "
TITLE += "CRLF checkout"
GOAL = "passes"
METHODS = multiprocessing.get_all_start_methods()
# Python runs this file before anything else, in the kernel and in all processes it starts.
START = "import multiprocessing, os; multiprocessing.set_start_method(os.environ['START_METHOD'])\n"
C_LOCALE, C_ENCODING = {"LC_ALL": "C", "LANG": "C"}, "utf-8"  # Python's own way out
if sys.prefix.isascii():  # where it is not, torch cannot name its own files without that way
    C_LOCALE |= {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    C_ENCODING = "ANSI_X3.4-1968"
PROBE = """import course_utils, locale, multiprocessing
print(multiprocessing.get_start_method(), locale.getpreferredencoding(), course_utils.__file__)"""


def measure(quick: bool) -> Outcome:
    """Run notebooks in each place and compare what they print with what is stored."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        count, failures = check_out(home / "crlf")
        runs = {}
        for place in places(home, METHODS[-1:] if quick else METHODS):
            names = [name for name in place.notebooks if not quick or name.startswith(place.quick)]
            copy(place.root)
            for name in names:
                say(f"{place.what}: {name}")
                failures += [f"{place.what}, {name}: {said}" for said in run_in(place, name)]
            runs[place.what] = len(names)
    said = ", ".join(f"{what} {number}" for what, number in runs.items())
    figure = f"notebooks run: {said}; {count} files with CRLF; {len(failures)} problems"
    return Outcome(figure, failures)


class Place(NamedTuple):
    """A copy of the course, the variables its kernels get, and what a kernel there says of it."""

    what: str
    root: Path
    notebooks: list[str]
    quick: str  # the notebook of the quick run
    sign: str
    env: dict[str, str]


def places(home: Path, methods: list[str]) -> list[Place]:
    """Return where the notebooks run."""
    names = [path.name for path in LESSON_PATHS]
    users = [name for name in names if uses_processes(ROOT / "notebooks" / name)]
    start = home / "start"
    start.mkdir()
    (start / "sitecustomize.py").write_text(START)
    strange = home / "une le\xe7on \xe0 c\xf4t\xe9"
    return [
        *(
            Place(method, home / "course", users, "02", method, starting(method, start))
            for method in methods
        ),
        Place("C locale", home / "course", names, "01", C_ENCODING, C_LOCALE),
        Place("strange folder", strange, names, "08", strange.name, {}),
        Place("CRLF", home / "crlf", names, "00", "crlf", {}),
    ]


def starting(method: str, start: Path) -> dict[str, str]:
    """Return the variables with which all Pythons take this start method."""
    return {"START_METHOD": method, "PYTHONPATH": str(start)}


def copy(root: Path) -> None:
    """Copy the course into a folder of its own, unless it is there."""
    if root.exists():
        return
    for name in files(ROOT):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)


def uses_processes(path: Path) -> bool:
    """Tell whether a notebook starts processes, or has a loader, which could."""
    cells = lessons.read(path).cells
    code = "".join(cell.source for cell in cells if cell.cell_type == "code")
    return "DataLoader" in code or "subprocess" in code


def run_in(place: Place, name: str) -> list[str]:
    """Run a notebook there; say what differs from its stored outputs."""
    root, env = place.root, place.env
    stored = lessons.read(root / "notebooks" / name)
    notebook = nbformat.from_dict(stored)
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    paths = [str(root), *([env["PYTHONPATH"]] if "PYTHONPATH" in env else [])]
    with tempfile.TemporaryDirectory() as empty:
        progress = {"COURSE_PROGRESS": str(Path(empty) / "progress.jsonl")}
        with environment(env | progress | {"PYTHONPATH": os.pathsep.join(paths)}):
            try:
                lessons.client(notebook, root / "notebooks").execute()
            except Exception as error:
                return [f"{type(error).__name__}: {str(error)[-400:]}"]
    told = notebook.cells.pop().outputs[0].text
    problems = [] if place.sign in told and str(root) in told else [f"not the place meant: {told}"]
    return problems + lessons.differences(notebook, stored)


@contextlib.contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set these variables, which kernels take over, for a while."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def check_out(root: Path) -> tuple[int, list[str]]:
    """Clone the last commit as Windows does; count files with CRLF, and try what needs LF."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        return 0, ["there is no git clone here to check out with CRLF: run it in one"]
    ends = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    made = subprocess.run(["git", "clone", "-q", *ends, ROOT, root], capture_output=True, text=True)
    if made.returncode:
        return 0, [f"git clone: {made.stderr}"]
    data = {name: (root / name).read_bytes() for name in files(root)}
    count = sum(b"\r\n" in text for text in data.values())
    problems = [] if count > 50 else [f"only {count} files of this checkout have CRLF"]
    scripts = [name for name, text in data.items() if text.startswith(b"#!") and name[-3:] != ".py"]
    problems += [f"{name} has CRLF" for name in scripts if b"\r" in data[name]]
    problems += [] if len(scripts) > 2 else [f"only the scripts {scripts} were found"]
    tried = [[sys.executable, "course.py"]]
    tried += [[str(root / "binder/start"), sys.executable, "-V"]] * (os.name == "posix")
    for command in tried:
        ended = subprocess.run(command, cwd=root, capture_output=True, text=True)
        problems += [f"{command}: {ended.stderr}"] if ended.returncode else []
    return count, problems
