"""A class logs into the real hub at once, opens JupyterLab and runs a notebook."""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lessons
import psutil
from learners import Hub, Learner
from outcome import Outcome
from report import say

TITLE = "30 learners log into the real hub, open JupyterLab, run notebook 05"
GOAL = "30 of 30"
NOTEBOOK, SHORT = "notebooks/05_training_loop.ipynb", "notebooks/00_start_here.ipynb"


def visit(hub: Hub, name: str, notebook: str, done: Callable[[str], None]) -> float:
    """Do what a learner does in the first minutes; return the seconds it took."""
    began = time.monotonic()
    learner = Learner(hub, name)
    status = learner.log_in(hub.password).status_code
    if status != 302:
        raise RuntimeError(f"the login answered {status}")
    page = learner.start_server()
    if "jupyter-config-data" not in page.text:
        raise RuntimeError(f"{page.url} is not JupyterLab")
    cells = learner.run_notebook(notebook)
    seconds = time.monotonic() - began
    done(f"{name} ran {cells} cells, {seconds:.0f} s after the login page")
    return seconds


def memory_of(hub: Hub) -> dict[str, list[float]]:
    """Return the memory of hub, proxy, servers and kernels."""
    words = {
        "hub": "-m jupyterhub ",
        "proxy": "configurable-http-proxy",
        "server": "jupyterhub.singleuser",
        "kernel": "ipykernel_launcher",
    }
    found: dict[str, list[float]] = {part: [] for part in words}
    for process, command in hub.commands():
        for part, word in words.items():
            if word in command:
                found[part].append(lessons.megabytes(process))
    return found


def left_behind(processes: list[psutil.Process]) -> list[str]:
    """Return a sentence for each process that outlived the hub, and end it."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    sentences = [f"left behind: {' '.join(process.cmdline())}" for process in alive]
    for process in alive:
        process.kill()
    return sentences


def measure(quick: bool) -> Outcome:
    """Let 3 or 30 learners in at once, count who ran the notebook, and weigh them."""
    number, notebook = (3, SHORT) if quick else (30, NOTEBOOK)
    names = [f"learner{index:02}" for index in range(number)]
    folder = Path(tempfile.mkdtemp(prefix="logins-"))
    times, failures = [], []
    hub = Hub(folder)
    try:
        with ThreadPoolExecutor(number) as pool:
            jobs = {name: pool.submit(visit, hub, name, notebook, say) for name in names}
        for name, job in jobs.items():
            if error := job.exception():
                failures.append(f"{name}: {type(error).__name__}: {error}")
            else:
                times.append(job.result())
        parts = memory_of(hub)
    finally:
        processes = hub.processes()
        hub.stop()
        failures += left_behind(processes)
        shutil.rmtree(folder)
    means = {part: statistics.fmean(values or [0]) for part, values in parts.items()}
    learner = means["server"] + means["kernel"]
    figure = f"{len(times)} of {number}"
    if times:
        figure += f", in {max(times):.0f} s (median {statistics.median(times):.0f} s a learner)"
    figure += f"; PSS: hub {means['hub']:.0f} MB, proxy {means['proxy']:.0f} MB, a learner "
    figure += f"{learner:.0f} MB (server {means['server']:.0f}, kernel {means['kernel']:.0f})"
    return Outcome(figure, failures)
