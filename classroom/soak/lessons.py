"""The notebooks as the soak runs them: a copy of the course, real kernels, outputs compared."""

import itertools
import re
import shutil
import sys
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from refresh import NOTEBOOKS, ROOT, WIDGET_VIEW, normalized

sys.path.append(str(ROOT))  # for the tests' own tolerance
from conftest import PLOTLY, aligned

DRAWN = (PLOTLY, WIDGET_VIEW, "image/png", "image/svg+xml")  # the tests compare what they draw
QUIET = ["--IPKernelApp.log_level=40"]  # no warning that loopback is not encrypted


def copied(folder: Path, *beginnings: str) -> list[Path]:
    """Copy the notebooks with data and scripts; return those whose names begin so, or all."""
    skip = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", "progress*.jsonl")
    shutil.copytree(NOTEBOOKS, folder / "notebooks", ignore=skip)
    paths = sorted((folder / "notebooks").glob("*.ipynb"))
    return [path for path in paths if path.name.startswith(beginnings or "")]


def read(path: Path) -> nbformat.NotebookNode:
    """Return a notebook as it is stored."""
    return nbformat.read(path, as_version=4)


def client(notebook: nbformat.NotebookNode, folder: Path, **options: object) -> NotebookClient:
    """Return a client that runs the notebook in that folder as the refresh does."""
    resources = {"metadata": {"path": str(folder)}}
    settings = {"timeout": 120, "startup_timeout": 300, "extra_arguments": QUIET} | options
    return NotebookClient(
        notebook, record_timing=False, coalesce_streams=True, resources=resources, **settings
    )


def differences(done: nbformat.NotebookNode, stored: nbformat.NotebookNode) -> list[str]:
    """Return a sentence for each cell that shows something else than the stored notebook does."""
    pairs = zip(normalized(done).cells, normalized(stored).cells, strict=False)
    found = []
    for number, (cell, reference) in enumerate(pairs):
        both = itertools.zip_longest(shown(cell), shown(reference), fillvalue="nothing")
        other = next(((is_, was) for is_, was in both if aligned(is_, was) != was), None)
        if other:
            found.append(f"cell {number} shows {other[0]!r:.400}, not {other[1]!r:.400}")
    return found


def shown(cell: nbformat.NotebookNode) -> list[dict]:
    """Return the outputs of a cell as far as they are texts."""
    texts = []
    for output in cell.get("outputs", []):
        kept = {k: v for k, v in output.items() if k not in ("execution_count", "metadata", "data")}
        kept |= {k: v for k, v in output.get("data", {}).items() if k not in DRAWN}
        texts.append(kept)
    return texts


def megabytes(process: psutil.Process) -> float:
    """Return a process's own memory and its part of shared; all of it where that is not told."""
    memory = process.memory_full_info()
    return (getattr(memory, "pss", 0) or memory.rss) / 1e6


def tree_megabytes(pid: int) -> float:
    """Return what a process and its children hold."""
    process = psutil.Process(pid)
    return sum(map(megabytes, [process, *process.children(recursive=True)]))


def peak_megabytes(pid: int) -> float:
    """Return the most a process has held; where the system does not tell, what it holds now."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+)", status.read_text())[1]) / 1e3
    info = psutil.Process(pid).memory_info()
    return getattr(info, "peak_wset", info.rss) / 1e6
