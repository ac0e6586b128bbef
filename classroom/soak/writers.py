"""People who edit a copy of the course at random: a learner, and its authors."""

import json
import random
from pathlib import Path

COMING = [  # names that a later version may add, and that a learner may use
    "notebooks/11_next_steps.ipynb",
    "notebooks/notes.md",
    "notebooks/data/cars.csv",
    "notebooks/scripts/solve.py",
    "homework/week_1.md",
]


def new_cell(name: str, line: str) -> dict:
    """Return a cell of code as JupyterLab stores it."""
    rest = {"execution_count": None, "id": name, "metadata": {}, "outputs": [], "source": [line]}
    return {"cell_type": "code"} | rest


def save(notebook: dict, path: Path) -> None:
    """Write a notebook with the line breaks of JupyterLab."""
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


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
    hot : dict of str to float
        Names of notebooks that all writers like best, and where in them.
    """

    def __init__(self, name: str, folder: Path, draw: random.Random, hot: dict[str, float]):
        self.name, self.folder, self.draw, self.hot = name, folder, draw, hot
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
        try:
            notebook = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # a merge broke it: nobody can open it, and the soak says so
            return
        for _ in range(self.draw.randint(1, 6)):
            act = self.draw.choice([self._answer, self._add, self._delete, self._run])
            act(notebook["cells"], self._place(path, len(notebook["cells"])))
        save(notebook, path)

    def _place(self, path: Path, size: int) -> int:
        """Return the number of a cell: often one where the others write too."""
        if path.name not in self.hot or self.draw.random() < 0.3:
            return self.draw.randrange(size)
        return min(max(int(self.hot[path.name] * size) + self.draw.randint(-1, 1), 0), size - 1)

    def _answer(self, cells: list, place: int) -> None:
        cell = cells[place]
        source = "".join(cell["source"]).replace("...", self.line()) + f"\n# {self.line()}"
        cell["source"] = source.splitlines(keepends=True)

    def _add(self, cells: list, place: int) -> None:
        cells.insert(place, new_cell(f"{self.draw.getrandbits(32):08x}", self.line()))

    def _delete(self, cells: list, place: int) -> None:
        cell = cells[place]
        if " wrote " not in "".join(cell["source"]):  # what a learner deletes, nobody has lost
            cells.remove(cell)

    def _run(self, cells: list, place: int) -> None:
        code = [cell for cell in cells[place:] + cells if cell["cell_type"] == "code"]
        output = {"name": "stdout", "output_type": "stream", "text": [f"{self.line()}\n"]}
        code[0] |= {"execution_count": self.draw.randint(1, 99), "outputs": [output]}

    def add_file(self, name: str) -> None:
        """Write a file, if there is none of this name."""
        path = self.folder / name
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [self.line() for _ in range(self.draw.randint(1, 9))]
        if path.suffix == ".ipynb":
            cells = [new_cell(f"cell-{number}", line) for number, line in enumerate(lines)]
            save({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, path)
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
        paths = sorted((self.folder / "course_utils").glob("*.py"))
        if not paths:  # the course's own hub gives notebooks alone
            return
        path = self.draw.choice(paths)
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
        liked = [path for path in self.notebooks() if path.name in self.hot]
        for path in sorted({*liked, *self.draw.sample(self.notebooks(), 2)}):
            self.edit_notebook(path)
        for name in self.draw.sample(files, 2):
            self.add_file(name)
        for act in (self.edit_data, self.edit_package, self.rename, self.delete):
            if self.draw.random() < 0.5:
                act()
