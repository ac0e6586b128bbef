"""The exercises of the notebooks: stubs, published solutions, and the lesson before them."""

import contextlib
import copy
import html
import linecache
import types

import nbformat
from minutes import CHECK, SOLUTION, prefix
from refresh import NOTEBOOKS

from course_utils import order
from course_utils.checks.feedback import judge


class Lesson:
    """A notebook, run in this process up to its exercises."""

    def __init__(self, path):
        self.cells = nbformat.read(path, as_version=4).cells
        code = [cell.source for cell in self.cells if cell.cell_type == "code"]
        self.stubs = {named[1]: source for source in code if (named := CHECK.search(source))}
        self.solutions = {
            f"{prefix(path)}.{number}": html.unescape(code)
            for cell in self.cells
            if cell.cell_type == "markdown"
            for number, code in SOLUTION.findall(cell.source)
        }

    def namespace(self, *texts):
        """Run what some code needs, or all but the exercises; return the names that leaves."""
        names = {"__name__": "__main__"}
        sources = [cell.source for cell in self.cells if cell.cell_type == "code"]
        sources = [source for source in sources if source not in self.stubs.values()]
        if texts:
            wanted = set().union(*(order.Cell(text).used for text in texts))
            sources = [sources[number] for number in needed(sources, wanted)]
        with contextlib.chdir(NOTEBOOKS):
            for number, source in enumerate(sources):
                file = f"<cell {number}>"  # an explorer reads the source of what it is given
                linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
                exec(compile(source, file, "exec"), names)
        return names

    def verdicts(self, code, names):
        """Run an exercise's cell on copies of the lesson's objects; return what its check says."""
        given = []
        names = fresh(names) | {"check": lambda *args: given.append((judge(*args), args[1:]))}
        exec(compile(code, "<exercise>", "exec"), names)
        assert given, f"the cell checks nothing:\n{code}"
        return given

    def with_answer(self, name, code):
        """Return the exercise's cell with `code` in place of the lines before its check."""
        head, *_, tail = self.stubs[name].splitlines()
        assert tail.startswith("check("), self.stubs[name]
        return f"{head}\n{code}\n{tail}"


def needed(sources, names, holding=None):
    """Return the numbers of the cells that make names, of those that make what they use, and so on.

    Imports are all among them, and cells that hold a text.
    """
    chosen, names = [], set(names)
    for number, cell in reversed([*enumerate(map(order.Cell, sources))]):
        if cell.made & names or cell.imported or (holding and holding in cell.source):
            names |= cell.used
            chosen.insert(0, number)
    return chosen


def fresh(names):
    """Copy what can be copied, in one go, so that a model keeps its optimizer."""
    memo, copies = {}, {}
    for name, value in names.items():
        try:
            shared = isinstance(value, types.ModuleType | types.FunctionType | type)
            copies[name] = value if shared or name == "__builtins__" else copy.deepcopy(value, memo)
        except Exception:  # explorers and tensors with a history
            copies[name] = value
    return copies
