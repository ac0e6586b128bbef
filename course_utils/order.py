"""After an error, say which cell has to run first.

One sentence below the traceback, if cells above were left out, ran twice, or ran in another order.
An error after a clean run from the top is the learner's own: `errors` says what to look at.
"""

import ast
import builtins
import contextlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from course_utils import errors

ALL_AGAIN = "Kernel > Restart Kernel and Run up to Selected Cell"
_ASIDE = {"check", "hint", "predict", "board"}  # calls that change nothing for the cells below


class Run(NamedTuple):
    """A cell that was run: its id, where the editor tells it, what it held, if it ended well."""

    cell_id: str | None
    source: str
    done: bool = True


class Cell:
    """A code cell of a notebook, the names it makes and the names it uses."""

    def __init__(self, source: str, cell_id: str | None = None, section: str = "") -> None:
        tree = _parsed(source)
        self.source, self.cell_id, self.section = source.strip(), cell_id, section
        self.lines = _lines(source)
        self.made = set(_made(tree))
        self.used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        self.imported = {name for node in imports for name in _made(node)}
        self.exercise = re.search(r"^check\(", source, re.M) is not None
        self.aside = self.exercise or not (self.made or self.used - _ASIDE)


class Watch:
    """What has run in this kernel. It keeps texts only, never a result or an error."""

    def __init__(self, ran: list[Run], folder: Path) -> None:
        self.ran, self.folder, self.running = ran, folder, Run(None, "")

    def before(self, info: object) -> None:
        """Note which cell begins."""
        self.running = Run(getattr(info, "cell_id", None), info.raw_cell)

    def after(self, result: object) -> None:
        """Note how a cell ended."""
        if text := result.info.raw_cell:
            self.ran.append(Run(getattr(result.info, "cell_id", None), text, result.success))

    def show(
        self,
        shell: object,
        kind: type[Exception],
        error: Exception,
        trace: TracebackType,
        tb_offset: int | None = None,
    ) -> None:
        """Show the error as it would be shown, with the sentence below it."""
        with contextlib.suppress(Exception):  # nothing here may hide the learner's own error
            which_cell = advice(error, self.running, self.ran, notebooks(self.folder))
            if sentence := which_cell or errors.explain(error):
                error.add_note(sentence)
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset, running_compiled_code=True)


def watch() -> None:
    """Let errors in this kernel say which cell to run; outside a notebook, do nothing."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or shell.custom_exceptions:  # no kernel, or it is done
        return
    before = shell.history_manager.input_hist_raw[1 : shell.execution_count]
    ran = [source for source in before if set() < Cell(source).made <= shell.user_ns.keys()]
    seen = Watch([Run(None, source) for source in ran], Path.cwd())
    shell.events.register("pre_run_cell", seen.before)
    shell.events.register("post_run_cell", seen.after)
    shell.set_custom_exc((Exception,), seen.show)


def notebooks(folder: Path) -> list[list[Cell]]:
    """Return the code cells of each notebook of a folder that can be read."""
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            found.append(_code_cells(json.loads(path.read_text(encoding="utf-8"))["cells"]))
    return found


def advice(error: Exception, running: Run, ran: list[Run], lessons: list[list[Cell]]) -> str:
    """Return which cell to run after an error, or an empty string if that would not help.

    Parameters
    ----------
    error : Exception
        What the cell raised.
    running : Run
        The cell that raised it.
    ran : list of Run
        The cells that ran before, oldest first.
    lessons : list of list of Cell
        The notebooks there are. That which holds the cell, and most of what ran, is taken, or else
        that which holds the cell's last line, the check of an exercise.
    """
    cells = max(
        lessons,
        key=lambda cells: (
            _known([running], cells),
            _known(ran, cells),  # the first cell is the same in all
            # An exercise is known by its last line, such as `check("02.1", answer)`.
            _lines(running.source)[-1] in [cell.lines[-1] for cell in cells if cell.exercise],
        ),
        default=[],
    )
    own = _places([running], cells)
    place, places = own[0][0] if own else None, _places(ran, cells)
    if isinstance(error, NameError):  # a local variable has no name here, and no cell makes it
        return _missing_name(error.name, place, places, cells)
    return "" if place is None else _disorder(Cell(running.source), place, places, cells, ran)


def _missing_name(
    name: str | None, place: int | None, places: list[tuple[int, bool]], cells: list[Cell]
) -> str:
    makers = [n for n, cell in enumerate(cells[:place]) if name in cell.made]
    makers = [n for n in makers if not cells[n].exercise] or makers
    if not makers:
        return ""  # a name of the learner's own, perhaps misspelled
    maker = makers[0 if place is None else -1]
    known = {maker, *(n for n, done in places if done)}
    others = [n for n in range(place or 0) if not (n in known or cells[n].aside)]
    return f"`{name}` is made in {_called(maker, cells)}: run that cell first.{_more(others)}"


def _disorder(
    running: Cell, place: int, places: list[tuple[int, bool]], cells: list[Cell], ran: list[Run]
) -> str:
    needed = _needed(running, cells[:place])
    matter = [not cell.aside and bool((cell.made | cell.used) & needed) for cell in cells]
    if left_out := [n for n in range(place) if matter[n] and (n, True) not in places]:
        first = next((n for n in left_out if cells[n].made & running.used), left_out[0])
        rest = _more([n for n in left_out if n != first])
        return f"Run {_called(first, cells)} first: it has not run to its end.{rest}"
    remedy = f"If you changed nothing in this cell, choose {ALL_AGAIN}."
    for run in ran:  # an answer below may have given a name of the lesson another value
        for n, _ in _places([run], cells):
            if n > place and cells[n].exercise and Cell(run.source).made & needed:
                return f"T{_called(n, cells)[1:]} ran out of order. {remedy}"
    highest, seen = -1, set()
    for n, done in (run for run in places if matter[run[0]] and run != (place, False)):
        if n < highest or n >= place or (n in seen and done):
            how = "has already run" if n == place else "ran out of order"
            how = "ran more than once" if n in seen else how
            return f"T{_called(n, cells)[1:]} {how}. {remedy}"
        if done:
            highest, seen = n, {*seen, n}
    return ""


def _needed(running: Cell, above: list[Cell]) -> set[str]:
    """Return the names a cell stands on, through the cells that make them; no library's names."""
    needed, size = set(running.used), -1
    while size != len(needed):
        size = len(needed)
        for cell in above:
            if not cell.exercise and cell.made & needed:
                needed |= cell.used
    return needed.difference(dir(builtins), *(cell.imported for cell in above))


def _known(ran: list[Run], cells: list[Cell]) -> int:
    """Count the runs of cells of this notebook."""
    ids, sources = {cell.cell_id for cell in cells} - {None}, {cell.source for cell in cells}
    return sum(run.cell_id in ids or run.source.strip() in sources for run in ran)


def _places(ran: list[Run], cells: list[Cell]) -> list[tuple[int, bool]]:
    """Say where each cell that ran stands: by id, by text, or by a first line that is unique.

    With each goes whether it ran to its end.
    """
    places: list[tuple[int, bool]] = []
    for run in ran:
        ids = [n for n, cell in enumerate(cells) if run.cell_id and cell.cell_id == run.cell_id]
        same = [n for n, cell in enumerate(cells) if cell.source == run.source.strip()]
        first = [n for n, cell in enumerate(cells) if cell.lines[0] == _lines(run.source)[0]]
        if found := ids or same or (first if len(first) == 1 else []):
            next_one = (n for n in found if places and n > places[-1][0])
            places.append((next(next_one, found[0]), run.done))
    return places


def _called(number: int, cells: list[Cell]) -> str:
    """Name a cell by its first line that no other cell has, or else by its place among its like."""
    cell = cells[number]
    once = [line for line in cell.lines if sum(line in other.lines for other in cells) == 1]
    line = (once or cell.lines)[0]
    words = "that begins with" if line == cell.lines[0] else "with the line"
    section = f' in "{cell.section}"' * bool(cell.section)
    like = [other for other in cells if (other.lines[0], other.section) == (line, cell.section)]
    if once or len(like) == 1:
        return f"the cell {words} `{line[:70]}`{section}"
    which = f"number {like.index(cell) + 1} of {len(like)} such cells"
    return f"the cell {words} `{line[:70]}`{section} ({which})"


def _more(others: list[int]) -> str:
    cells = "cell above has" if len(others) == 1 else "cells above have"
    return f" {len(others)} more {cells} not run: {ALL_AGAIN} runs them all." * bool(others)


def _code_cells(cells: list[dict]) -> list[Cell]:
    found, section = [], ""
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            found.append(Cell(source, cell.get("id"), section))
        elif headings := re.findall(r"^##+ (.*)", source, re.M):
            section = headings[-1]
    return found


def _lines(source: str) -> list[str]:
    return [line.strip() for line in source.splitlines() if line.strip()] or [""]


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(re.sub(r"(?m)^([ \t]*)[%!].*", r"\1pass", source))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _made(node: ast.AST) -> Iterator[str]:
    """Yield the names that running the node makes in the notebook."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield child.name
            case ast.alias():
                yield (child.asname or child.name).split(".")[0]
            case ast.Name(ctx=ast.Store()):
                yield child.id
            case ast.Lambda() | ast.comprehension():
                pass
            case _:
                yield from _made(child)
