"""Merge new versions of the course over a learner's edits, as the real nbgitpuller does.

A learner clones version 1 and edits it; versions 2 and 3 change the same notebooks. What the
learner has written is noted line by line, and looked for in the learner's folder after each pull.
"""

import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import nbformat
from outcome import Outcome
from refresh import ROOT
from report import say

TITLE = "Two versions of the course merged over a learner's edits by nbgitpuller"
GOAL = "0 bytes of the learner's lost, every notebook still opens"
NEEDED = "nbgitpuller is needed: pip install -r classroom/requirements.txt"
PARTS = "notebooks", "course_utils", "README.md", ".gitignore", ".gitattributes"
SKIP = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "progress*.jsonl", "run_*")
GIT = ["git", "-c", "user.name=course", "-c", "user.email=course@example.org"]
COMING = [  # names that a later version may add, and that a learner may use
    "notebooks/11_next_steps.ipynb",
    "notebooks/notes.md",
    "notebooks/data/cars.csv",
    "notebooks/scripts/solve.py",
    "homework/week_1.md",
]


class Writer:
    """Somebody who edits a copy of the course: a learner, or its authors.

    Parameters
    ----------
    name : str
        Stands in every line that this writer writes.
    folder : Path
        The copy.
    draw : random.Random
        Where the choices come from.
    """

    def __init__(self, name: str, folder: Path, draw: random.Random):
        self.name, self.folder, self.draw = name, folder, draw
        self.written: list[bytes] = []

    def line(self) -> str:
        """Return a line that nobody else has written, and note it."""
        text = f"{self.name} wrote {self.draw.getrandbits(64):x}"
        self.written.append(text.encode())
        return text

    def notebooks(self) -> list[Path]:
        """Return the notebooks that are there."""
        return sorted((self.folder / "notebooks").glob("*.ipynb"))

    def edit_notebook(self, path: Path) -> None:
        """Change, add and delete cells, and change outputs."""
        notebook = nbformat.read(path, as_version=4)
        for _ in range(self.draw.randint(1, 6)):
            self.draw.choice([self._answer, self._add, self._delete, self._run])(notebook.cells)
        nbformat.write(notebook, path)

    def _answer(self, cells: list) -> None:
        cell = self.draw.choice(cells)
        cell.source = cell.source.replace("...", self.line()) + f"\n# {self.line()}"

    def _add(self, cells: list) -> None:
        new = self.draw.choice([nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell])
        cells.insert(self.draw.randint(0, len(cells)), new(self.line()))

    def _delete(self, cells: list) -> None:
        cell = cells[self.draw.randrange(len(cells))]
        if b" wrote " not in cell.source.encode():  # what a learner deletes, nobody has lost
            cells.remove(cell)

    def _run(self, cells: list) -> None:
        cell = self.draw.choice([cell for cell in cells if cell.cell_type == "code"])
        cell.execution_count = self.draw.randint(1, 99)
        cell.outputs = [nbformat.v4.new_output("stream", text=f"{self.line()}\n")]

    def add_file(self, name: str) -> None:
        """Write a file, if there is none of this name."""
        path = self.folder / name
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [self.line() for _ in range(self.draw.randint(1, 9))]
        if path.suffix == ".ipynb":
            cells = [nbformat.v4.new_code_cell(line) for line in lines]
            nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        else:
            path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")

    def edit_data(self) -> None:
        """Change a row of the table, and add one."""
        path = self.folder / "notebooks/data/penguins.csv"
        if path.exists():
            rows = path.read_text(encoding="utf-8").splitlines()
            rows[self.draw.randrange(1, len(rows))] = self.line()
            rows.append(self.line())
            path.write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")

    def edit_package(self) -> None:
        """Add a comment to a module."""
        path = self.draw.choice(sorted((self.folder / "course_utils").glob("*.py")))
        lines = path.read_text(encoding="utf-8").splitlines()
        lines.insert(self.draw.randint(0, len(lines)), f"# {self.line()}")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")

    def rename(self) -> None:
        """Give a notebook another name."""
        path = self.draw.choice(self.notebooks())
        path.rename(path.with_name(f"{self.name}_{self.draw.randrange(99)}_{path.name}"))

    def delete(self) -> None:
        """Delete a file of the course in which nothing of one's own stands."""
        paths = [*self.notebooks(), self.folder / "README.md"]
        path = self.draw.choice(paths)
        if path.exists() and b" wrote " not in path.read_bytes():
            path.unlink()

    def work(self, files: list[str]) -> None:
        """Do some of all this."""
        for path in self.draw.sample(self.notebooks(), 5):
            self.edit_notebook(path)
        for name in self.draw.sample(files, 2):
            self.add_file(name)
        for act in (self.edit_data, self.edit_package, self.rename, self.delete):
            if self.draw.random() < 0.5:
                act()


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


def pull(repository: Path, clone: Path) -> list[str]:
    """Let nbgitpuller clone or update; return what it printed, and its error as last line."""
    from nbgitpuller.pull import GitPuller

    said = []
    try:
        said.extend(GitPuller(repository.as_uri(), str(clone), branch="main").pull())
    except Exception as error:
        said.append(f"{type(error).__name__}: {error}")
    return said


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
            nbformat.read(path, as_version=4)
        except Exception:
            names.append(path.name)
    return names


def merged(seed: int, first: Path, folder: Path) -> tuple[list[str], int, list[bytes]]:
    """Merge two versions over one learner; return problems, bytes written, and lines lost."""
    draw, problems = random.Random(seed), []
    course, clone = folder / "course", folder / "clone"
    subprocess.run(["git", "clone", "-q", str(first), str(course)], check=True)
    pull(course, clone)
    author, learner = Writer("author", course, draw), Writer("learner", clone, draw)
    own = ["notebooks/my_own.ipynb", "notebooks/models/mine.txt", "diary.md", *COMING]
    progress = clone / "notebooks/progress.jsonl"
    for version in (2, 3):
        learner.work(own)
        with open(progress, "a", encoding="utf-8") as file:
            file.write(f"{learner.line()}\n")
        gone = set(lost(learner))  # by the learner's own hand
        learner.written = [line for line in learner.written if line not in gone]
        author.work(COMING)
        git(course, "add", "-A")
        git(course, "commit", "-q", "--allow-empty", "-m", f"Version {version}")
        said = pull(course, clone)
        if "Error" in said[-1]:
            problems.append(f"merge {seed}, version {version}: {said[-4:]}")
        problems += [f"merge {seed}, version {version}: {n} is broken" for n in broken(learner)]
    return problems, sum(map(len, learner.written)), lost(learner)


def measure(quick: bool) -> Outcome:
    """Merge for 60 learners (quick: 5), two versions each."""
    try:
        import nbgitpuller  # noqa: F401
    except ImportError:
        return Outcome("not measured", [NEEDED])
    count, failures, size, gone = (5 if quick else 60), [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        first = published(Path(folder) / "first")
        for seed in range(count):
            place = Path(folder) / str(seed)
            place.mkdir()
            problems, written, missing = merged(seed, first, place)
            failures += problems
            failures += [f"merge {seed}: lost {line.decode()!r}" for line in missing]
            size, gone = size + written, gone + sum(map(len, missing))
            shutil.rmtree(place)
            if seed % 20 == 19:
                say(f"{seed + 1} learners, {len(failures)} problems")
    return Outcome(
        f"{count} learners, 2 versions each: {gone} of {size:,} bytes lost, "
        f"{len(failures)} problems",
        failures,
    )
