"""Cells in any order, left out, or run again: what a learner who jumps around meets."""

import asyncio
import collections
import importlib
import os
import random
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import lessons
import nbformat
from exercises import Lesson
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from outcome import Outcome
from refresh import ROOT
from report import say

TITLE = "Random cell orders, repeats and omissions of each notebook"
GOAL = "kernel never dies or hangs, no check wrongly says right, errors say which cell to run"
ORDERS = 20  # of a notebook, all in one kernel
SECONDS = 60  # a cell that takes longer counts as hung
SAID = re.compile(
    r"cell (that begins with|with the line) `(.*?)`(?: in \"(.*?)\")?"
    r"(?: \(number (\d+) of \d+ there\))?(?::| first| ran )"
)
AGAIN = re.compile(r" ran (more than once|before|out of order)\. If ")
# What a restart does, without the seconds that it takes: nothing of the order before is left.
LIKE_NEW = """
import linecache, os, random, sys
shell = get_ipython()
shell.set_custom_exc((), None)
for event in ("pre_run_cell", "post_run_cell"):
    for hook in [*shell.events.callbacks[event]]:
        if "course_utils.order" in str(getattr(hook, "__func__", hook).__module__):
            shell.events.unregister(event, hook)
if "torch" in sys.modules:
    import numpy, torch
    torch.manual_seed(0), numpy.random.seed(0), torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
if "course_utils.checks.feedback" in sys.modules:
    from course_utils.checks import feedback
    feedback._hints_given.clear()
if "ipywidgets" in sys.modules:
    from ipywidgets import Widget
    Widget.close_all()
random.seed(0), linecache.clearcache()
for name in ("last_exc", "last_type", "last_value", "last_traceback"):
    sys.__dict__.pop(name, None)
os.chdir({folder!r})
shell.reset(new_session=True)
from course_utils import order
order.watch()
del order
"""
WRONG: dict[str, list[tuple[str, str]]] = {}
for file in sorted((ROOT / "tests/answers").glob("[!_]*.py")):
    WRONG |= importlib.import_module(f"answers.{file.stem}").WRONG


class Step(NamedTuple):
    """A cell to run: where it stands, what it holds, and whether its check may say right."""

    place: int
    source: str
    may_be_right: bool
    answered: bool


class Tally(collections.Counter):
    """Counts of what was run and seen; what went wrong is in `failures`."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[str] = []


def steps(lesson: Lesson, chance: random.Random) -> list[Step]:
    """Return the code cells in order; each exercise is a stub, a wrong answer or the solution."""
    names = {source: name for name, source in lesson.stubs.items()}
    found = []
    for cell in (cell for cell in lesson.cells if cell.cell_type == "code"):
        source, filled = cell.source, "lesson"
        if name := names.get(source):
            filled = chance.choice(["stub", "wrong", "solution"])
            if filled == "wrong":
                source = lesson.with_answer(name, chance.choice(WRONG[name])[0])
            elif filled == "solution":
                source = lesson.solutions[name]
        answered = filled in ("wrong", "solution")
        found.append(Step(len(found), source, filled == "solution", answered))
    return found


def order(lesson: Lesson, number: int, chance: random.Random) -> list[Step]:
    """Return an order: shuffled, with cells left out, or with cells run again, in turn.

    The import cell comes first in three of four orders, as with most learners.
    """
    imports, *rest = steps(lesson, chance)
    if number % 3 == 0:
        chance.shuffle(rest)
    elif number % 3 == 1:
        part = chance.uniform(0.1, 0.7)
        rest = [step for step in rest if chance.random() > part]
    else:
        for step in chance.sample(rest, chance.randint(1, len(rest) // 3)):
            rest.insert(chance.randint(0, len(rest)), step)
    first = 0 if chance.random() < 0.75 else chance.randint(0, len(rest))
    return [*rest[:first], imports, *rest[first:]]


def last_lines(outputs: list[dict]) -> Iterator[str]:
    """Yield what stands below the traceback of each error."""
    for output in outputs:
        if output.output_type == "error":
            text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
            yield text.rstrip().splitlines()[-1]


def named(said: re.Match, lesson: Lesson) -> list[int]:
    """Return the places of the code cells that a sentence may mean, as a reader finds them."""
    how, line, section, number = said.groups()
    found, title, place = [], "", 0
    for cell in lesson.cells:
        if cell.cell_type == "code":
            lines = [text.strip() for text in cell.source.splitlines() if text.strip()]
            lines = lines[:1] if how == "that begins with" else lines
            if section in (None, title) and line in (text[:70] for text in lines):
                found.append(place)
            place += 1
        elif headings := re.findall(r"^##+ (.*)", cell.source, re.M):
            title = headings[-1]
    return found[int(number) - 1 : int(number)] if number else found


def judge(step: Step, outputs: list[dict], ran: list[int], lesson: Lesson, tally: Tally) -> None:
    """Count what a cell showed, given the places of those that ran to their end before it."""
    for output in outputs:
        if "\u2714 Right." in output.get("data", {}).get("text/plain", ""):
            tally["right"] += 1
            if not step.may_be_right:
                tally.failures.append(f"a wrong answer is called right: {step.source!r}")
    for line in last_lines(outputs):
        tally["errors"] += 1
        if said := SAID.search(line):
            places = named(said, lesson)
            if len(places) != 1 or (places[0] in ran and not AGAIN.search(line)):
                tally.failures.append(
                    f"the wrong cell is named: {line} after {ran} for {step.source!r}"
                )
            tally["named"] += 1
        elif 0 not in ran:  # nothing can be said before the import cell has run
            tally["before the imports"] += 1
        elif step.answered:  # a mistake of the answer's own
            tally["own"] += 1
        else:
            tally.failures.append(f"no cell is named: {line} after {ran} for {step.source!r}")


async def run_order(
    client: NotebookClient, order: list[Step], lesson: Lesson, tally: Tally
) -> None:
    """Run the cells of an order, whatever they raise."""
    ran: list[int] = []
    for step in order:
        cell = nbformat.v4.new_code_cell(step.source)
        client.nb.cells.append(cell)
        began = time.monotonic()
        await client.async_execute_cell(cell, len(client.nb.cells) - 1)
        tally["slowest"] = max(tally["slowest"], time.monotonic() - began)
        judge(step, cell.outputs, ran, lesson, tally)
        tally["cells"] += 1
        if not any(output.output_type == "error" for output in cell.outputs):
            ran.append(step.place)


async def orders_of(path: Path, times: int, cores: asyncio.Semaphore) -> Tally:
    """Run many orders of a notebook, in a kernel that begins anew before each."""
    tally, lesson, folder, home = Tally(), Lesson(path), path.parent, path.parent.parent
    manager, kept = AsyncKernelManager(), home / f"{path.stem}.jsonl"
    env = os.environ | {"COURSE_PROGRESS": str(kept), "TMPDIR": str(home)}
    reset = nbformat.v4.new_code_cell(LIKE_NEW.format(folder=str(folder)))
    async with cores:
        began = time.monotonic()
        await manager.start_kernel(cwd=str(folder), env=env, extra_arguments=lessons.QUIET)
        try:
            for number in range(times):
                chance = random.Random(f"{path.stem} {number}")
                plan = order(lesson, number, chance)
                kept.unlink(missing_ok=True)
                notebook = nbformat.v4.new_notebook()
                client = lessons.client(
                    notebook, folder, km=manager, timeout=SECONDS, allow_errors=True
                )
                async with client.async_setup_kernel():
                    try:
                        notebook.cells.append(reset)
                        await client.async_execute_cell(reset, 0, store_history=False)
                        assert not reset.outputs, reset.outputs
                        await run_order(client, plan, lesson, tally)
                    except Exception as error:  # it died or hung: say so, and go on with a new one
                        words = f"{type(error).__name__}: {notebook.cells[-1].source!r}"
                        tally.failures.append(f"{path.stem}, order {number}: {words}")
                        await manager.restart_kernel(now=True)
                    finally:
                        client.kc.stop_channels()
                tally["orders"] += 1
        finally:
            await manager.shutdown_kernel(now=True)
    tally.failures = [f"{path.stem}: {text}" for text in tally.failures]
    say(f"{path.stem}: {dict(tally)} in {time.monotonic() - began:.0f} s")
    return tally


async def all_of(paths: list[Path], times: int) -> list[Tally]:
    """Run the orders of the notebooks, two at a time."""
    cores = asyncio.Semaphore(2)
    jobs = [orders_of(path, times, cores) for path in paths]
    return await asyncio.gather(*jobs)


def measure(quick: bool) -> Outcome:
    """Run two orders of three notebooks, or twenty of each."""
    with tempfile.TemporaryDirectory() as home:
        paths = lessons.copied(Path(home), *(("00", "03", "08") if quick else ()))
        tallies = asyncio.run(all_of(paths, 2 if quick else ORDERS))
    total = collections.Counter()
    for tally in tallies:
        total.update({name: count for name, count in tally.items() if name != "slowest"})
    figure = (
        f"{total['orders']} orders of {len(paths)} notebooks, {total['cells']:,} cells; "
        f"{total['errors']:,} errors: {total['named']:,} name the "
        f"cell, {total['before the imports']:,} came before the import cell, {total['own']:,} are "
        f"an answer's own; slowest cell {max(t['slowest'] for t in tallies):.0f} s; "
        f"{total['right']:,} times right, each for a solution"
    )
    return Outcome(figure, [failure for tally in tallies for failure in tally.failures])
