"""Make slides of the notebooks, which open in a browser without any network.

Run by `python3 course.py slides`; names of notebooks may follow after --. It writes the folder
slides: one HTML file a notebook, and beside them reveal.js and MathJax, which the first run fetches
with npm. What is a slide says the `slideshow` metadata of the notebook's cells; no cell is run.
"""

import functools
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from node import fetched

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
TARGET = ROOT / "slides"
LOCK = ROOT / "classroom" / "reveal" / "package-lock.json"
USED = ["reveal.js/dist", "reveal.js/plugin", "mathjax/es5/tex-svg.js"]  # of these packages
SIZE = 1280, 720
MOST_LINES = 3  # of code and print that share a slide with their picture
HEADING = re.compile(r"^(?=#{2,3} )", re.M)
SOLUTION = re.compile(r"<details>.*?</details>\s*", re.S)
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:)([^)\s]+)\)")


def scripts() -> Path:
    """Return the folder with the packages of reveal/package-lock.json, which npm fetches once."""
    return fetched(LOCK, "What the slides load", 8) / "node_modules"


def parts(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return what a cell gives to the slides, each part with its slide type."""
    kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
    if kind == "skip":
        return [cell]
    return texts_of(cell, kind) if cell.cell_type == "markdown" else codes_of(cell, kind)


def part_of(cell: nbformat.NotebookNode, number: int, kind: str) -> nbformat.NotebookNode:
    """Return a copy of a cell with an id and a slide type of its own."""
    part = nbformat.from_dict(cell)
    part.id = f"{cell.id}-{number}"
    part.metadata = nbformat.from_dict({"slideshow": {"slide_type": kind}})
    return part


def texts_of(cell: nbformat.NotebookNode, kind: str) -> list[nbformat.NotebookNode]:
    """Cut a text cell before its headings, which begin slides, and leave folded solutions out."""
    found = []
    for number, text in enumerate(HEADING.split(SOLUTION.sub("", cell.source))):
        if text.startswith("#"):
            kind = "subslide" if text.startswith("### ") else "slide"
        if text.strip():
            found.append(part_of(cell, number, kind))
            found[-1].source = LINK.sub(linked, text.strip())
    return found


def codes_of(cell: nbformat.NotebookNode, kind: str) -> list[nbformat.NotebookNode]:
    """Give the picture of a long code cell a slide of its own."""
    code, picture = part_of(cell, 0, kind), part_of(cell, 1, "subslide")
    code.outputs, picture.outputs = [], []
    for output in shown(cell.outputs):
        is_picture = "image/png" in output.get("data", {})
        (picture if is_picture else code).outputs.append(output)
    lines = code.source + "\n".join(output.get("text", "") for output in code.outputs)
    if not picture.outputs:
        return [code]
    if lines.count("\n") < MOST_LINES:
        code.outputs += picture.outputs
        return [code]
    picture.metadata["transient"] = {"remove_source": True}
    return [code, picture]


def linked(link: re.Match) -> str:
    """Lead from slides to slides; what is no notebook, such as the glossary, stays as text."""
    words, target = link.groups()
    return f"[{words}]({target.replace('.ipynb', '.html')})" if ".ipynb" in target else words


def shown(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Return what a slide shows: no names of live widgets, and pictures without their sentence.

    The sentence below a picture, which says the same in words, becomes its alternative text.
    """
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        data = output.get("data", {})
        above = kept[-1].get("data", {}) if kept else {}
        if "image/png" in above and "image/png" not in data and "text/html" in data:
            above["text/plain"] = data["text/plain"]
        elif output.output_type != "display_data" or not is_name(data):
            kept.append(output)
    return kept


def is_name(data: dict) -> bool:
    """Say whether an output holds nothing but the name of a live widget."""
    return data.keys() <= {"text/plain"} or data.get("text/html", "").startswith("<!--")


@functools.cache
def exporter() -> SlidesExporter:
    """Return nbconvert's exporter with the template beside this file."""
    return SlidesExporter(
        template_file=str(ROOT / "classroom" / "slides.html.j2"),
        exclude_anchor_links=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        reveal_url_prefix="reveal.js",
        reveal_theme="white",
        reveal_width=str(SIZE[0]),
        reveal_height=str(SIZE[1]),
    )


def slides_of(notebook: nbformat.NotebookNode, name: str = "Slides") -> str:
    """Return a notebook as the text of an HTML file with slides; the name is for one untitled."""
    notebook = nbformat.from_dict(notebook)
    for number, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{number}")  # older notebooks have none
    first = notebook.cells[0].source if notebook.cells else ""
    titles = re.findall(r"^# (.*)$", first, re.M)
    notebook.metadata["title"] = titles[0] if titles else name
    notebook.cells = [part for cell in notebook.cells for part in parts(cell)]
    return exporter().from_notebook_node(notebook)[0]


def copy_scripts(modules: Path, target: Path) -> None:
    """Put what the slides load beside them."""
    for name in USED:
        source, place = modules / name, target / name
        if source.is_dir():
            shutil.copytree(source, place, dirs_exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)


def main(names: list[str], target: Path = TARGET) -> None:
    """Write the slides of the named notebooks, or of all of them."""
    paths = [Path(name) for name in names] or sorted(NOTEBOOKS.glob("*.ipynb"))
    if missing := [str(path) for path in paths if not path.is_file()]:
        sys.exit(f"There is no notebook {', '.join(missing)}.")
    copy_scripts(scripts(), target)
    for path in paths:
        place = target / f"{path.stem}.html"
        try:
            notebook = nbformat.read(path, as_version=4)
        except (nbformat.reader.NotJSONError, nbformat.ValidationError):
            sys.exit(f"{path} is no notebook: save it again in JupyterLab.")
        text = slides_of(notebook, path.stem)
        place.write_text(text, encoding="utf-8", newline="\n")
        print(place.relative_to(target.parent), flush=True)
    print("Open one in a browser: arrow keys and space move on, F fills the screen, S shows notes.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"The slides cannot be written: {error}.")
