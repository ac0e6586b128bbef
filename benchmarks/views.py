"""What the browser's tables measure: the explorers, found by themselves, and their rivals."""

import ast
import json
import re
import runpy
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import urlsplit

import nbformat
from link import LOOPBACK, Link
from playwright.sync_api import BrowserContext, Error, Page, sync_playwright
from report import say

HERE = Path(__file__).resolve().parent
ROOT, TESTS = HERE.parent, HERE.parent / "tests"
sys.path.insert(0, str(TESTS))

from lab import CHROMIUM_FLAGS, FOLDER, RUN_MS, Lab, Notebook  # noqa: E402 (a module of the tests)
from pages import page_of  # noqa: E402

DELAY = 0.05  # seconds that the slow link holds back, each way
CELL = 1245  # px that a cell of JupyterLab is wide in a window of 1440


class View(NamedTuple):
    """Something with controls in it.

    Attributes
    ----------
    name : str
        How it is called in the tables.
    notebook : str
        A notebook of the course, or the name of a function in rivals.py.
    script : str or None
        The module of an explorer; None for a rival.
    kind : str
        What ends a move: "explorer" (its next picture), "marks" (the first that changes) or
        "image" (a new image, decoded).
    """

    name: str
    notebook: str
    script: str | None
    kind: str = "explorer"


class Case:
    """A view on a page, and what was measured there.

    Attributes
    ----------
    times, painted : dict of str to list of float
        Milliseconds of each move by the name of its control: until the frame with the answer, and
        until that is laid out and painted.
    storms : list of dict
        What came of each storm.
    problem : str
        Why something could not be measured, or "".
    """

    def __init__(self, view: View, page: Page):
        self.view, self.page = view, page
        self.times: dict[str, list[float]] = {}
        self.painted: dict[str, list[float]] = {}
        self.storms: list[dict] = []
        self.problem = ""

    def measure(self, job: Callable[[], None]) -> None:
        """Do a job unless one has failed before; note why it fails."""
        try:
            if not self.problem:
                job()
        except Error as error:
            self.problem = error.message.splitlines()[0]
            say(f"{self.view.name}: {self.problem}")

    def run(self, what: str, **options: object) -> object:
        """Bring the page to the front and let its stopwatch measure."""
        words = {"script": self.view.script, "kind": self.view.kind}
        self.page.bring_to_front()
        return self.page.evaluate(f"(o) => stopwatch.{what}(o)", words | options)

    def move(self, count: int) -> None:
        """Time that many moves of every control."""
        for name, found in self.run("moves", count=count).items():
            self.times.setdefault(name, []).extend(begun for begun, _ in found)
            self.painted.setdefault(name, []).extend(done for _, done in found)

    def storm(self, control: str) -> None:
        """Make 100 moves of a control in 2 s."""
        self.storms.append(self.run("storm", control=control, count=100, milliseconds=2000))

    def restart(self) -> int:
        """Run the cells above the notebook's first explorer in a new kernel; return its cell."""
        cell = self.run("fresh")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.page.wait_for_function("window.course.done", timeout=RUN_MS)
        return cell

    @property
    def all_times(self) -> list[float]:
        """The times of all controls."""
        return [time for times in self.times.values() for time in times]


class Browser:
    """JupyterLab behind a link that can be slow, and Chromium in front of it."""

    def __init__(self, folder: Path, lab: Lab, link: Link, context: BrowserContext):
        self._folder, self._lab, self.link, self._context = folder, lab, link, context
        self._open: dict[str, Notebook] = {}

    def notebook(self, view: View, *, linked: bool) -> Notebook:
        """Return the view's notebook, opened and run, at the server or behind the link."""
        key = f"{view.notebook} {linked}"
        if key not in self._open:
            say(f"opening and running {view.notebook}{' behind the link' if linked else ''}")
            name, lab = view.notebook, self._lab
            if view.script is None:
                name += "_linked" if linked else ""
                self._write_rival(view.notebook, name)
            if linked:
                lab = SimpleNamespace(url=f"http://{LOOPBACK}:{self.link.port}/", set=lab.set)
            notebook = self._open[key] = Notebook(lab, self._context, name, "light", "lab")
            notebook.run_all()
            if errors := notebook.kernel_errors():
                raise RuntimeError(f"{view.notebook}: {errors}")
        return self._open[key]

    def case(self, view: View, *, linked: bool = False) -> Case:
        """Return the view in JupyterLab."""
        return Case(view, self.notebook(view, linked=linked).page)

    def alone(self, case: Case) -> Case:
        """Return an explorer, as it is in its notebook, on a page that has no kernel."""
        return self.without_kernel(case.view, explorer_like(case))

    def without_kernel(self, view: View, explorer: object) -> Case:
        """Return an explorer on a page that has no kernel."""
        page = self._context.new_page()
        page.set_viewport_size({"width": CELL, "height": 700})
        page.set_content(page_of(explorer))
        page.add_script_tag(path=HERE / "stopwatch.js")
        page.locator("body[data-ready]").wait_for()
        return Case(view, page)

    def close(self) -> None:
        """Close all notebooks."""
        for notebook in self._open.values():
            notebook.close()

    def _write_rival(self, rival: str, name: str) -> None:
        code = f"import sys\nsys.path.insert(0, {str(HERE)!r})\nimport rivals\nrivals.{rival}()"
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
        cells = [nbformat.v4.new_code_cell(code)]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
        nbformat.write(notebook, self._folder / FOLDER / "notebooks" / f"{name}.ipynb")


@contextmanager
def browser() -> Iterator[Browser]:
    """Start JupyterLab, a link to it, and Chromium."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        lab = Lab(folder)
        stack.callback(lab.stop)
        link = Link(urlsplit(lab.url).port)
        stack.callback(link.close)
        playwright = stack.enter_context(sync_playwright())
        path = runpy.run_path(str(TESTS / "run.py"))["find_chromium"]()
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        stack.callback(chromium.close)
        context = chromium.new_context(viewport={"width": 1440, "height": 1000})
        context.add_init_script(path=HERE / "stopwatch.js")
        opened = Browser(folder, lab, link, context)
        stack.callback(opened.close)
        yield opened


def explorer_like(case: Case) -> SimpleNamespace:
    """Return what `page_of` reads of an explorer, taken from a page on which it is alive."""
    state = case.run("state")
    controls = {name: _model(name, values) for name, values in state["controls"].items()}
    references = {name: f"IPY_MODEL_{name}" for name in controls}
    page = {"explorer": case.view.script, "controls": references, "given": state["given"]}
    page |= {"proves": state["proves"], "proof": {}, "code": ""}
    return SimpleNamespace(controls=controls, page=_model("page", page))


def _model(name: str, state: dict) -> SimpleNamespace:
    return SimpleNamespace(model_id=name, get_state=lambda: state)


def explorers() -> list[View]:
    """Find every explorer of the course and the first notebook that shows it."""
    scripts = {}
    for path in sorted((ROOT / "course_utils/explorers").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and "Explorer" in map(ast.unparse, node.bases):
                scripts[node.name] = path.stem
    shown = {
        path.stem: "\n".join(
            "".join(cell["source"])
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"
        )
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    }
    found = []
    for name, script in scripts.items():
        stems = [stem for stem, source in shown.items() if re.search(rf"\b{name}\(", source)]
        found += [View(name, stem, script) for stem in stems[:1]]
    return sorted(found, key=lambda view: view.notebook)


EXPLORERS = explorers()
FLOOR = View("(a) slider to an empty label", "empty_label", None, "marks")
RIVALS = [
    FLOOR,
    View("(b) interact + Matplotlib, loop", "with_matplotlib", None, "image"),
    View("(c) interact + Plotly, loop", "with_plotly", None, "marks"),
    View("(d) interact + Plotly, `descent`", "with_plotly_and_formula", None, "marks"),
]
