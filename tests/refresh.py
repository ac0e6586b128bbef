"""Execute the notebooks and store them normalized: outputs in, everything that varies out.

Run by `python3 course.py refresh [NOTEBOOK ...]`. Running it twice changes nothing. It also writes
what follows from the notebooks: how long each takes, and the tables of README, appendix and
TEACHING. Links there to Binder and the web edition get the address kept in pyproject.toml alone.
"""

import os
import re
import sys
import tempfile
import time
import tomllib
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
    "language_info": {"name": "python"},
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # points to a model that a reader lacks
PEAK_MEMORY = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def normalized(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy without what changes from run to run, and with the minutes it takes."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(KEPT_METADATA)
    notebook.nbformat_minor = 5
    for cell in notebook.cells:
        keep = {key: cell.metadata[key] for key in ("tags", "slideshow") if key in cell.metadata}
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


def repository() -> str:
    """Return owner/name of the repository as pyproject.toml gives it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].removeprefix("https://github.com/")


def with_links(text: str) -> str:
    """Return Markdown whose links to Binder and the web edition lead to this repository's."""
    owner, name = repository().split("/")
    text = re.sub(r"https://\w+\.github\.io/[\w-]+/", f"https://{owner}.github.io/{name}/", text)
    return re.sub(r"(mybinder\.org/v2/gh/)[^/]+/[^/]+/", rf"\g<1>{owner}/{name}/", text)


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
        notebook = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as empty:  # whoever refreshes has passed nothing
            os.environ["COURSE_PROGRESS"] = str(Path(empty) / "progress.jsonl")
            peak = execute(notebook, path.resolve().parent)
        seconds = time.perf_counter() - start
        text = text_of(normalized(notebook))
        path.write_text(text, encoding="utf-8", newline="\n")
        megabytes = int(peak) / (1e6 if sys.platform == "darwin" else 1e3)
        print(f"{path.stem:28}{seconds:8.1f}{megabytes:9.0f}{len(text.encode()) / 1e3:9.0f}")
    for page, text in documents().items():
        page.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
