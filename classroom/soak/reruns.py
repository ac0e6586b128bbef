"""Restart and Run All, again and again: what a notebook shows may not depend on its past."""

import asyncio
import os
import statistics
import tempfile
from pathlib import Path

import lessons
from jupyter_client.manager import AsyncKernelManager
from outcome import Outcome
from report import say

TITLE = "Consecutive Restart-and-Run-All of each notebook"
GOAL = "0 failures"
TIMES = 5
CACHE = "torchinductor_"  # PyTorch makes this folder for a user once, wherever it is imported
GROWTH = 1.05  # what the peak memory of the last runs may be beside that of the first


async def once(manager: AsyncKernelManager, path: Path) -> tuple[float, list[str]]:
    """Run a notebook in the kernel as it is; return its peak in MB, and what differs."""
    notebook = lessons.read(path)
    client = lessons.client(notebook, path.parent, km=manager)
    async with client.async_setup_kernel():
        try:
            for index, cell in enumerate(notebook.cells):
                await client.async_execute_cell(cell, index)
        finally:
            client.kc.stop_channels()
    peak = lessons.peak_megabytes(manager.provisioner.pid)
    return peak, lessons.differences(notebook, lessons.read(path))


async def again_and_again(
    path: Path, times: int, cores: asyncio.Semaphore
) -> tuple[list[float], list[str]]:
    """Restart one kernel before each run, as JupyterLab does; return the peaks and what failed."""
    peaks, failures, home = [], [], path.parent.parent
    manager = AsyncKernelManager()
    env = os.environ | {"COURSE_PROGRESS": str(home / f"{path.stem}.jsonl"), "TMPDIR": str(home)}
    async with cores:
        await manager.start_kernel(cwd=str(path.parent), env=env, extra_arguments=lessons.QUIET)
        try:
            for run in range(times):
                if run:  # a kernel that only just starts would die of the interrupt before it
                    await manager.restart_kernel()
                try:
                    peak, differing = await once(manager, path)
                except Exception as error:  # a run that fails is counted, and the next begins
                    failures.append(f"{path.stem}, run {run}: {str(error)[-300:]}")
                    continue
                peaks.append(peak)
                failures += [f"{path.stem}, run {run}: {text}" for text in differing[:1]]
        finally:
            await manager.shutdown_kernel()
    say(f"{path.stem}: {len(peaks)} of {times}, {max(peaks, default=0):.0f} MB at most")
    return peaks, failures


def growth(peaks: list[float]) -> float:
    """Return the peak of the last fifth of the runs beside that of the first."""
    part = -(-len(peaks) // 5)
    return statistics.median(peaks[-part:]) / statistics.median(peaks[:part])


async def all_of(paths: list[Path], times: int) -> list[tuple[list[float], list[str]]]:
    """Rerun the notebooks, two at a time."""
    cores = asyncio.Semaphore(2)
    return await asyncio.gather(*[again_and_again(path, times, cores) for path in paths])


def measure(quick: bool) -> Outcome:
    """Rerun three notebooks once, or all of them 5 times."""
    times = 1 if quick else TIMES
    with tempfile.TemporaryDirectory() as home:
        paths = lessons.copied(Path(home), *(("00", "03", "08") if quick else ()))
        before = set(Path(home).rglob("*"))
        results = asyncio.run(all_of(paths, times))
        left = {path for path in Path(home).rglob("*") if CACHE not in str(path)} - before
        litter = sorted(path.name for path in left)
    failures = [failure for _, failed in results for failure in failed]
    runs, peaks = len(paths) * times, [peak for peak, _ in results if peak]
    grown = [growth(peak) for peak in peaks]
    failures += [f"{litter} was left behind"] * bool(litter)
    failures += [f"peak memory grew by {g - 1:.0%}" for g in grown if g > GROWTH]
    figure = (
        f"{sum(map(len, peaks))} of {runs} runs ({len(paths)} notebooks, {times} each), "
        f"{len(failures)} failures; peak memory {min(map(max, peaks)):.0f} to "
        f"{max(map(max, peaks)):.0f} MB, {max(grown) - 1:+.1%} from the first runs to the last"
    )
    return Outcome(figure, failures)
