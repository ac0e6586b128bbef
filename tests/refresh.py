"""Execute the notebooks and store them normalized: outputs in, everything that varies out.

Run by `python3 course.py refresh [NOTEBOOK ...]`. Running it twice changes nothing. It also writes
what follows from the notebooks: how long each takes, and the tables of README, appendix and
TEACHING. Links there to Binder, Colab and the web edition, and the first code cell of each
notebook, get the address kept in pyproject.toml alone.
"""

import os
import re
import sys
import tempfile
import time
import tomllib
from itertools import zip_longest
from pathlib import Path

import nbformat
from minutes import with_guide, with_minutes, with_notebooks
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
LESSON_PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
GLOSSARY = NOTEBOOKS / "glossary.md"
KEPT_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "nbconvert_exporter": "python"},
}
ELSEWHERE = "elsewhere"  # the tag of the one cell that is the same in every notebook
BROUGHT = ("anywidget", "ipywidgets", "lightning", "plotly", "safetensors")  # to Colab and Kaggle
SETUP = """# Away from the course this finds it, or says how. In its own folder nothing happens.
import importlib.util
import os
import sys

colab, kaggle = "google.colab" in sys.modules, "KAGGLE_KERNEL_RUN_TYPE" in os.environ
if importlib.util.find_spec("course_utils") is None:
    if not (colab or kaggle):
        sys.exit(
            "course_utils is not in this kernel's Python: open the notebook by "
            "`python3 course.py lab` in the folder of the course, {repository}"
        )
    install = get_ipython().run_line_magic
    install("pip", "install -q --no-deps git+{repository}")
    install("pip", "install -q {brought}")
if colab:
    importlib.import_module("google.colab.output").enable_custom_widget_manager()
if not os.path.isdir("data"):
    os.chdir(importlib.import_module("course_utils.datasets").NOTEBOOKS)
"""
KEPT_OF_CELLS = ("tags", "slideshow", "jupyter")
SETUP_METADATA = {  # folded in JupyterLab, on no slide
    "jupyter": {"source_hidden": True},
    "slideshow": {"slide_type": "skip"},
    "tags": [ELSEWHERE],
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # points to a model that a reader lacks
PEAK_MEMORY = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def normalized(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy without what changes from run to run, and with the minutes it takes."""
    notebook = with_setup(nbformat.from_dict(notebook))
    notebook.metadata = nbformat.from_dict(KEPT_METADATA)
    notebook.nbformat_minor = 5
    for cell in notebook.cells:
        keep = {key: cell.metadata[key] for key in KEPT_OF_CELLS if key in cell.metadata}
        cell.metadata = nbformat.from_dict(keep)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return with_minutes(notebook)


def text_of(notebook: nbformat.NotebookNode) -> str:
    """Return the notebook as the text of its file."""
    return nbformat.writes(notebook) + "\n"


def execute(notebook: nbformat.NotebookNode, folder: Path = NOTEBOOKS) -> str:
    """Run every cell in a fresh kernel, in place; return the kernel's peak memory in kB."""
    client = NotebookClient(
        notebook,
        timeout=120,
        record_timing=False,
        coalesce_streams=True,  # else one long print is one output or two, by chance
        resources={"metadata": {"path": str(folder)}},
    )
    probe = nbformat.v4.new_code_cell(PEAK_MEMORY)
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        if sys.platform == "win32":
            return "0"
        notebook.cells.append(probe)
        client.execute_cell(probe, len(notebook.cells) - 1, store_history=False)
        notebook.cells.pop()
    return probe.outputs[0].text


def project() -> dict:
    """Return what pyproject.toml says of the project."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def repository() -> str:
    """Return owner/name of the repository as pyproject.toml gives it."""
    return project()["urls"]["Repository"].removeprefix("https://github.com/")


def is_setup(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell is the one that finds the course where its folder is not."""
    return ELSEWHERE in cell.metadata.get("tags", [])


def with_setup(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Put the cell that finds the course before the others with code; return the notebook."""
    known = project()
    brought = [f"'{need}'" for need in known["dependencies"] if need.startswith(BROUGHT)]
    source = SETUP.format(repository=known["urls"]["Repository"], brought=" ".join(brought))
    first = next(n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    if not is_setup(notebook.cells[first]):
        cell = nbformat.v4.new_code_cell(id=ELSEWHERE, metadata=SETUP_METADATA)
        notebook.cells.insert(first, cell)
    notebook.cells[first].source = source.rstrip()
    return notebook


def with_links(text: str) -> str:
    """Return Markdown whose links to Binder, Colab and the web edition are this repository's."""
    owner, name = repository().split("/")
    text = re.sub(r"https://\w+\.github\.io/[\w-]+/", f"https://{owner}.github.io/{name}/", text)
    hosts = r"(mybinder\.org/v2/gh/|colab\.research\.google\.com/github/)"
    return re.sub(hosts + "[^/]+/[^/]+/", rf"\g<1>{owner}/{name}/", text)


def changes(old: nbformat.NotebookNode, new: nbformat.NotebookNode) -> list[str]:
    """Say what a refresh changed in a notebook, and why."""
    said, before = [], {cell.id: cell for cell in old.cells}
    for number, cell in enumerate(new.cells):
        place, was = f"cell {number} ({cell.id}):", before.get(cell.id)
        if was is None:
            said.append(f"{place} put in, the same in every notebook")
            continue
        if lines := first_difference(was.source, cell.source):
            why = "the same in every notebook" if is_setup(cell) else "by the formula"
            said.append(f"{place} {lines[0]!r} is now {lines[1]!r}, {why}")
        if gone := sorted(was.metadata.keys() - cell.metadata.keys()):
            said.append(f"{place} left out what only this machine needs: {', '.join(gone)}")
        if was.get("outputs") != cell.get("outputs"):
            lines = first_difference(printed(was), printed(cell))
            what = f"printed {lines[1]!r} where {lines[0]!r} was stored" if lines else "drew anew"
            said.append(f"{place} the kernel {what}")
    return said


def printed(cell: nbformat.NotebookNode) -> str:
    """Return the text in a cell's outputs."""
    return "".join(
        out.get("text") or out.get("data", {}).get("text/plain", "") for out in cell.outputs
    )


def first_difference(old: str, new: str) -> tuple[str, str] | None:
    """Return the first lines, of one text and of the other, that are not the same."""
    pairs = zip_longest(old.splitlines(), new.splitlines(), fillvalue="")
    return next((pair for pair in pairs if pair[0] != pair[1]), None)


def documents() -> dict[Path, str]:
    """Return the pages that list the notebooks, as these are now."""
    pages = [ROOT / "README.md", NOTEBOOKS / "appendix.md", ROOT / "classroom" / "TEACHING.md"]
    readme, appendix, guide = (page.read_text(encoding="utf-8") for page in pages)
    lessons = {path: nbformat.read(path, as_version=4) for path in LESSON_PATHS}
    readme, appendix = with_notebooks(readme, appendix, lessons)
    texts = with_links(readme), appendix, with_guide(guide, lessons)
    return dict(zip(pages, texts, strict=True))


def main(names: list[str]) -> None:
    """Refresh the named notebooks, or all of them, and the pages that list them."""
    paths = [Path(name) for name in names] or LESSON_PATHS
    print(f"{'notebook':28}{'seconds':>8}{'peak MB':>9}{'file kB':>9}")
    for path in paths:
        stored = nbformat.read(path, as_version=4)
        notebook = with_setup(nbformat.from_dict(stored))
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as empty:  # whoever refreshes has passed nothing
            os.environ["COURSE_PROGRESS"] = str(Path(empty) / "progress.jsonl")
            peak = execute(notebook, path.resolve().parent)
        seconds = time.perf_counter() - start
        notebook = normalized(notebook)
        text = text_of(notebook)
        path.write_text(text, encoding="utf-8", newline="\n")
        megabytes = int(peak) / (1e6 if sys.platform == "darwin" else 1e3)
        print(f"{path.stem:28}{seconds:8.1f}{megabytes:9.0f}{len(text.encode()) / 1e3:9.0f}")
        for line in changes(stored, notebook):
            print(f"    {line}")
    for page, text in documents().items():
        if page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8", newline="\n")
            print(f"{page.relative_to(ROOT)}: its tables and links follow the notebooks")


if __name__ == "__main__":
    main(sys.argv[1:])
