"""The soak's quick version, line by line; `python3 course.py soak` has the full one."""

import ast
import re
import subprocess
import sys

import pytest
from refresh import ROOT

FOLDER = ROOT / "classroom/soak"
TEXT = (FOLDER / "run.py").read_text(encoding="utf-8")
LINES = re.findall(r'"(\w+)"', re.search(r"^LINES = \[(.*?)^\]", TEXT, re.M | re.S)[1])


def soak(*words):
    command = [sys.executable, FOLDER / "run.py", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize("name", LINES)
def test_it_holds(name):
    """In a process of its own: some lines change the user, kill, or load a browser's plugin."""
    done = soak("--quick", name)
    assert done.returncode == 0, done.stdout + done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith(f"| `{name}` |"))
    _name, _title, _goal, figure, held, _seconds, _when = row.strip("| ").split(" | ")
    assert re.search(r"\d", figure), row
    assert held == "yes"


def test_every_line_is_a_module_that_says_its_goal():
    for name in LINES:
        body = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8")).body
        given = {ast.unparse(node.targets[0]): node for node in body if type(node) is ast.Assign}
        assert all(ast.literal_eval(given[key].value).strip() for key in ("TITLE", "GOAL")), name


def test_an_unknown_line_is_named():
    done = soak("--quick", "kill")
    assert done.returncode == 2
    assert "there is no line kill: choose of kernels" in done.stderr
