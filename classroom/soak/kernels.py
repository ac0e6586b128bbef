"""Thirty kernels at once: a class that runs the same notebook at the same moment."""

import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path

import lessons
import psutil
from nbclient import NotebookClient
from outcome import Outcome
from report import say

TITLE = "30 kernels at once run notebook 05 to the end"
GOAL = "30 of 30, three times; memory per learner printed"
LEARNERS, TIMES = 30, 3
ROOM = 450  # MB that a kernel may need
SECONDS = 900  # for a cell, while all others compute as well


async def learner(number: int, path: Path, stack: contextlib.AsyncExitStack) -> NotebookClient:
    """Run the notebook in a kernel that stays open until all are done; raise if it differs."""
    notebook = lessons.read(path)
    client = lessons.client(notebook, path.parent, timeout=SECONDS, shutdown_kernel="immediate")
    env = os.environ | {"COURSE_PROGRESS": str(path.with_name(f"progress-{number}.jsonl"))}
    await stack.enter_async_context(client.async_setup_kernel(env=env))
    for index, cell in enumerate(notebook.cells):
        await client.async_execute_cell(cell, index)
    if differing := lessons.differences(notebook, lessons.read(path)):
        raise ValueError("; ".join(differing))
    return client


async def class_at_once(learners: int, path: Path) -> tuple[list[float], list[str]]:
    """Start all kernels together; return the memory of each that finished, and what failed."""
    async with contextlib.AsyncExitStack() as stack:
        running = [learner(number, path, stack) for number in range(learners)]
        results = await asyncio.gather(*running, return_exceptions=True)
        done = [result for result in results if isinstance(result, NotebookClient)]
        sizes = [lessons.tree_megabytes(client.km.provisioner.pid) for client in done]
    failed = [result for result in results if isinstance(result, BaseException)]
    return sizes, [f"a learner: {type(e).__name__}: {str(e)[-900:]}" for e in failed]


def measure(quick: bool) -> Outcome:
    """Run the class once or three times, and say what a learner's kernel holds at the end."""
    learners, times = (3, 1) if quick else (LEARNERS, TIMES)
    free = psutil.virtual_memory().available / 1e6
    if free < learners * ROOM:
        needed = f"{learners} kernels need {learners * ROOM} MB, {free:.0f} are free"
        return Outcome(needed, [f"Not measured: {needed}. Close other programs or use more."])
    counts, seconds, sizes, failures, together = [], [], [], [], []
    for _ in range(times):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as home:
            (path,) = lessons.copied(Path(home), "05")
            done, failed = asyncio.run(class_at_once(learners, path))
        counts, seconds = [*counts, len(done)], [*seconds, time.monotonic() - began]
        sizes, failures, together = sizes + done, failures + failed, [*together, sum(done)]
        say(f"{len(done)} of {learners} kernels in {seconds[-1]:.0f} s")
    figure = (
        f"{', '.join(map(str, counts))} of {learners} on {os.cpu_count()} cores in "
        f"{', '.join(f'{s:.0f}' for s in seconds)} s; a kernel holds "
        f"{statistics.median(sizes or [0]):.0f} MB (median), {max(sizes, default=0):.0f} at most; "
        f"all together {max(together) / 1e3:.1f} GB"
    )
    return Outcome(figure, failures)
