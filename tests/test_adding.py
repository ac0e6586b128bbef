"""An exercise and an explorer are added to a copy of the course, by the guide tests/adding."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from npm import npm
from pages import NODE_PROGRAM
from refresh import ROOT

GUIDE = ROOT / "tests/adding"
STAGE = "course_utils/explorers/stage"
MADE = (".git", ".venv", "node_modules", "__pycache__", "*.egg-info", ".*_cache", "_site")


def append(path, text):
    path.write_text(path.read_text("utf-8") + text, encoding="utf-8")


def add_exercise(course):
    append(
        course / "course_utils/checks/models.py", "\n\n" + (GUIDE / "judge.txt").read_text("utf-8")
    )
    append(course / "tests/answers/models.py", (GUIDE / "answers.txt").read_text("utf-8"))
    path = course / "notebooks/03_models.ipynb"
    notebook = nbformat.read(path, as_version=4)
    parts = (GUIDE / "exercise.md").read_text("utf-8").split("===\n")
    task, stub, solution = (part.strip() for part in parts)
    kinds = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    slides = "subslide", "-", "skip"
    cells = [
        make(text, metadata={"slideshow": {"slide_type": slide}})
        for make, text, slide in zip(kinds, (task, stub, solution), slides, strict=True)
    ]
    at = next(n for n, c in enumerate(notebook.cells) if c.source.startswith("## In short"))
    notebook.cells[at - 1].source += "\n\n" + cells.pop(0).source  # a task stands below a solution
    notebook.cells[at - 1].metadata["slideshow"] = {"slide_type": "subslide"}
    notebook.cells[at:at] = cells
    nbformat.write(notebook, path)


def add_explorer(course, packages):
    folder = course / "course_utils/explorers"
    text = (folder / "noise.py").read_text("utf-8").replace("NoiseExplorer", "EchoExplorer")
    (folder / "echo.py").write_text(text, encoding="utf-8")
    shutil.copy(folder / "noise.js", folder / "echo.js")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / STAGE / name, packages)
    npm("ci", "--silent", "--no-audit", "--no-fund", folder=packages)
    where = os.environ | {"STAGE_PACKAGES": str(packages / "node_modules")}
    subprocess.run([NODE_PROGRAM, course / STAGE / "build.mjs"], check=True, env=where)


@pytest.mark.weekly
def test_an_exercise_and_an_explorer_can_be_added_by_the_guide(tmp_path):
    course, packages = tmp_path / "course", tmp_path / "packages"
    packages.mkdir()
    shutil.copytree(ROOT, course, ignore=shutil.ignore_patterns(*MADE))
    add_exercise(course)
    add_explorer(course, packages)
    inside = os.environ | {"PYTHONPATH": str(course)}

    def run(*words):
        done = subprocess.run(
            [sys.executable, *words], cwd=course, env=inside, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    told = run("tests/refresh.py", "notebooks/03_models.ipynb")
    assert "the kernel printed" in told
    pytest_ = "-m", "pytest", "-q", "-p", "no:cacheprovider"
    said = run(*pytest_, "tests/test_checks.py", "-k", "03.5 or heading or every_exercise")
    assert int(re.search(r"(\d+) passed", said)[1]) >= 15
    run(*pytest_, "tests/test_notebooks.py", "-k", "03_models")
    said = run(*pytest_, "tests/test_explorers_layout.py", "tests/test_package.py", "-k", "echo")
    assert int(re.search(r"(\d+) passed", said)[1]) >= 4
    code = "from course_utils import datasets\nfrom course_utils.explorers.echo import EchoExplorer"
    run("-c", f"{code}\nprint(EchoExplorer(datasets.make_line).set(noise=0.5))")
