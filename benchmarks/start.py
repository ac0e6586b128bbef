"""Table 4: imports, the first picture, whole notebooks and the launcher."""

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from report import Table, interleaved, p50, p95, say, short, times

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, TESTS = ROOT / "notebooks", str(ROOT / "tests")

BASE = "`import torch`"
IMPORTS = {
    BASE: "import torch",
    "`import lightning`": "import lightning",
    "`import skorch`": "import skorch",
    "`import sklearn.linear_model`": "import sklearn.linear_model",
}
EXPLORER = "from course_utils.explorers.noise import NoiseExplorer"
# (what has to be there, and what is timed after it)
PICTURES = {
    "first explorer, its numbers": (
        f"from course_utils import datasets\n{EXPLORER}",
        "NoiseExplorer(datasets.make_line).set()",
    ),
    "first Matplotlib figure, as PNG": (
        "import io, matplotlib.pyplot as plt",
        "figure, axes = plt.subplots(1, 3)\nfigure.savefig(io.BytesIO(), format='png')",
    ),
    "first Plotly FigureWidget": (
        "import plotly.graph_objects as go\nfrom plotly.subplots import make_subplots",
        "figure = go.FigureWidget(make_subplots(1, 3))\nfigure.add_scatter(y=[1, 2], row=1, col=1)",
    ),
}
TIMED = """import time
{before}
start = time.perf_counter()
{code}
print(time.perf_counter() - start)
"""


# In a process of its own: a kernel's peak counts that of the process which started it.
RUN_ALL = """import sys, time
sys.path.insert(0, {tests!r})
import nbformat, pathlib, refresh
path = pathlib.Path({path!r})
notebook = nbformat.read(path, as_version=4)
start = time.perf_counter()
peak = refresh.execute(notebook, path.parent)
print(time.perf_counter() - start, peak)
"""


def tables(quick: bool, course: Path = ROOT) -> list[Table]:
    """Measure; `quick` takes fewer rounds and one notebook, `course` is where .venv lies."""
    return [imports(quick), notebooks(quick), *launcher(quick, course)]


def python(code: str) -> str:
    """Run code in a fresh Python and return what it prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def first_cell(path: Path) -> str:
    """Return a notebook's first code cell, which holds its imports."""
    cells = nbformat.read(path, as_version=4).cells
    return next(cell.source for cell in cells if cell.cell_type == "code")


def imports(quick: bool) -> Table:
    """Import in fresh processes; make the first picture there."""
    loop = NOTEBOOKS / "05_training_loop.ipynb"
    codes = {BASE: IMPORTS[BASE], f"import cell of {loop.stem}": first_cell(loop)} | IMPORTS
    codes |= {"`import` of an explorer": EXPLORER}
    jobs: dict[str, Callable] = {
        name: lambda code=code: python(code) and None for name, code in codes.items()
    }
    for name, (before, code) in PICTURES.items():
        text = TIMED.format(before=before, code=code)
        jobs[name] = lambda text=text: float(python(text))
    rounds = 1 if quick else 5
    say(f"start: imports and first pictures, {rounds} rounds")
    python("import torch")  # once, so that the files are in memory
    seconds = interleaved(jobs, rounds)
    base = p50(seconds[BASE])
    rows = [
        [name, short(1e3 * p50(s)), short(1e3 * p95(s)), times(p50(s) / base)]
        for name, s in seconds.items()
    ]
    text = (
        "Fresh Python processes, files in memory. Imports include the start of Python. The first "
        "pictures are timed after their imports, in the process."
    )
    head = ["what", "p50 ms", "p95 ms", f"p50 / {BASE}"]
    return Table("Imports and the first picture", text, head, rows)


def notebooks(quick: bool) -> Table:
    """Run notebooks from top to bottom in fresh kernels."""
    bare = "a notebook with `import torch` alone"
    rounds = 1 if quick else 2
    peaks: dict[str, float] = {}

    def job(name: str, path: Path) -> float:
        say(f"start: run all of {name}")
        seconds, kilobytes = map(float, python(RUN_ALL.format(tests=TESTS, path=str(path))).split())
        peaks[name] = kilobytes / 1e3
        return seconds

    with tempfile.TemporaryDirectory() as folder:
        place = Path(shutil.copytree(NOTEBOOKS, Path(folder) / "notebooks"))
        paths = {path.stem: path for path in sorted(place.glob("*.ipynb"))[: 1 if quick else None]}
        cell = nbformat.v4.new_code_cell("import torch")
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), place / "bare.ipynb")
        paths = {bare: place / "bare.ipynb"} | paths
        jobs = {name: functools.partial(job, name, path) for name, path in paths.items()}
        seconds = interleaved(jobs, rounds)
        sizes = {name: path.stat().st_size / 1e3 for name, path in paths.items()}
    rows = []
    for name, s in seconds.items():
        time_row = [short(p50(s)), times(p50(s) / p50(seconds[bare]))]
        memory = [short(peaks[name]), times(peaks[name] / peaks[bare])]
        rows.append([name, *time_row, *memory, short(sizes[name])])
    text = f"All cells in a fresh kernel, its start included, no browser; median of {rounds}."
    head = ["notebook", "s", "s / bare", "peak MB", "MB / bare", "file kB"]
    return Table("Run all, memory and size", text, head, rows)


def launcher(quick: bool, course: Path) -> list[Table]:
    """Start JupyterLab through the launcher and without it, until it names its address."""
    venv = course / ".venv/bin/python"
    if not venv.exists():
        say(f"start: no launcher, because there is no .venv in {course}")
        return []
    lab = ["-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={course}"]
    rest = ["--no-browser", "--allow-root", "--ServerApp.port=0"]
    plain, launched = "`jupyter lab`", "`python3 course.py lab`"
    commands = {
        plain: [venv, *lab, *rest],
        launched: [sys._base_executable, "course.py", "lab", "--", *rest],
    }
    rounds = 2 if quick else 5
    say(f"start: JupyterLab {rounds} times with and without the launcher")
    with tempfile.TemporaryDirectory() as folder:
        jobs = {
            name: lambda command=command: until_address(command, course, folder)
            for name, command in commands.items()
        }
        until_address(commands[launched], course, folder)  # migrations and caches, once
        seconds = interleaved(jobs, rounds)
    base = p50(seconds[plain])
    rows = [
        [name, short(p50(s)), short(p95(s)), times(p50(s) / base)] for name, s in seconds.items()
    ]
    text = "From the command to the line that names the address; everything is installed already."
    head = ["command", "p50 s", "p95 s", f"p50 / {plain}"]
    return [Table("The launcher", text, head, rows)]


def until_address(command: list, course: Path, folder: str) -> float:
    """Return the seconds a server takes to name its address; end it."""
    private = {f"JUPYTER_{name}_DIR": f"{folder}/{name}" for name in ("CONFIG", "DATA", "RUNTIME")}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=course, env=os.environ | private, text=True, errors="replace", **pipes
    )
    try:
        said = ""
        for line in process.stderr:
            said += line
            if "http://127.0.0.1:" in line:
                return time.perf_counter() - start
    finally:
        process.terminate()
        process.communicate()
    raise RuntimeError(f"JupyterLab did not start:\n{said}")
