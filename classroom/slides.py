"""Make slides of the notebooks, which open in a browser without any network.

Run by `python3 course.py slides`; names of notebooks may follow after --. It writes the folder
slides: one HTML file a notebook, and beside them reveal.js and MathJax, which the first run fetches
with npm. What is a slide says the `slideshow` metadata of the notebook's cells; no cell is run.
What a notebook holds runs no script there and asks no network, unless --scripts stands among those
names: `clean` leaves what only shows, and the policy of the page refuses the rest.
"""

import base64
import functools
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

import bleach
import nbformat
from bleach.css_sanitizer import CSSSanitizer
from nbconvert import SlidesExporter
from node import fetched

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
TARGET = ROOT / "slides"
LOCK = ROOT / "classroom" / "reveal" / "package-lock.json"
USED = ["reveal.js/dist", "reveal.js/plugin", "mathjax/es5/tex-svg-full.js"]  # of these packages
SIZE = 1280, 720
MOST_LINES = 3  # of code and print that share a slide with their picture
HEADING = re.compile(r"^(?=#{2,3} )", re.M)
SOLUTION = re.compile(r"<details>.*?</details>\s*", re.S)
NOTES = "reveal.js/plugin/notes/speaker-view.html"  # what the key S opens
SENTENCE = re.compile(
    r'class="(figure-says|explorer-still)'
)  # which the course puts below pictures
WIDGET = "application/vnd.jupyter.widget-view+json"
RUNS = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)", re.S | re.I)
TAGS = {
    *["a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "dd", "del", "details"],
    *["div", "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2", "h3", "h4", "h5", "h6"],
    *["hr", "i", "img", "input", "kbd", "li", "mark", "ol", "p", "pre", "s", "small", "span"],
    *["strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"],
    *["u", "ul"],
}
ATTRIBUTES = {
    "*": ["align", "class", "colspan", "id", "lang", "role", "rowspan", "style", "title"],
    "a": ["href"],
    "font": ["color", "size"],
    "img": ["alt", "height", "src", "width"],
    "input": ["checked", "disabled", "type"],
    "ol": ["start"],
}
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:)([^)\s]+)\)")


def modules() -> Path:
    """Return the folder with the packages of reveal/package-lock.json, which npm fetches once."""
    return fetched(LOCK, "What the slides load", 8) / "node_modules"


def parts(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return what a cell gives to the slides, each part with its slide type."""
    said = cell.metadata.get("slideshow")
    kind = str(said.get("slide_type", "-")) if isinstance(said, dict) else "-"
    if kind == "skip" or cell.cell_type == "raw":
        return [part_of(cell, 0, kind)]
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
    """Lead from slides to slides; what is not a notebook, such as the glossary, stays as text."""
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
        if "image/png" in above and SENTENCE.search(data.get("text/html", "")):
            above["text/plain"] = data.get("text/plain", "")
        elif output.output_type != "display_data" or not is_name(data):
            kept.append(output)
    return kept


def is_name(data: dict) -> bool:
    """Say whether an output holds nothing but the name of a live widget."""
    question = data.keys() <= {"text/plain"} and data.get("text/plain", "").startswith("predict(")
    return question or WIDGET in data or data.get("text/html", "").startswith("<!--")


def clean(markup: str) -> str:
    """Return HTML of which nothing is left that could run."""
    protocols, style = [*bleach.ALLOWED_PROTOCOLS, "data"], CSSSanitizer()
    return bleach.clean(
        RUNS.sub("", markup), TAGS, ATTRIBUTES, protocols, strip=True, css_sanitizer=style
    )


def hashed(script: str) -> str:
    """Return what lets this very script run in a page whose policy refuses others."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@functools.cache
def exporter(scripts: bool = False) -> SlidesExporter:
    """Return nbconvert's exporter with the template beside this file."""
    return SlidesExporter(
        template_file=str(ROOT / "classroom" / "slides.html.j2"),
        sanitize_html=not scripts,
        embed_images=True,
        filters={"clean_html": clean, "hashed": hashed},
        exclude_anchor_links=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        reveal_url_prefix="reveal.js",
        reveal_theme="white",
        reveal_width=str(SIZE[0]),
        reveal_height=str(SIZE[1]),
    )


def read(path: Path) -> nbformat.NotebookNode:
    """Return a valid notebook in the newest format, or exit with a sentence."""
    data = path.read_bytes()
    try:
        notebook = nbformat.convert(
            nbformat.reader.reads(data.decode(json.detect_encoding(data))), 4
        )
        notebook.nbformat_minor = nbformat.v4.nbformat_minor
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number}"  # older notebooks have none, others two of one name
        nbformat.validate(notebook, relax_add_props=True)
    except Exception as error:  # whatever a file can hold in place of a notebook
        sys.exit(f"{path} is not a notebook ({first_line(error)}): save it again in JupyterLab.")
    return notebook


def first_line(error: Exception) -> str:
    """Return what an error says, in one line."""
    return (str(error) or type(error).__name__).splitlines()[0][:80]


def slides_of(
    notebook: nbformat.NotebookNode, name: str, folder: Path, scripts: bool = False
) -> str:
    """Return a notebook as the text of an HTML file with slides.

    Parameters
    ----------
    notebook : NotebookNode
        As `read` returns it.
    name : str
        The title of a notebook without one.
    folder : Path
        Where its pictures lie.
    scripts : bool
        Whether what the notebook brings may run.

    Raises
    ------
    ValueError
        If no cell is on a slide.
    """
    notebook = nbformat.from_dict(notebook)
    first = notebook.cells[0].source if notebook.cells else ""
    titles = re.findall(r"^# (.*)$", first, re.M)
    notebook.metadata["title"] = titles[0] if titles else name
    notebook.cells = [part for cell in notebook.cells for part in parts(cell)]
    if all(p.metadata["slideshow"]["slide_type"] in ("notes", "skip") for p in notebook.cells):
        raise ValueError("no cell is on a slide: set a slide type in JupyterLab")
    if not scripts:
        notebook.metadata.pop("widgets", None)  # whose scripts would come from the network
    speaker = re.search(r"<script>(.*?)</script>", (modules() / NOTES).read_text("utf-8"), re.S)[1]
    given = {"metadata": {"path": str(folder)}, "speaker": hashed(speaker)}
    return exporter(scripts).from_notebook_node(notebook, given)[0]


def copy_scripts(modules: Path, target: Path) -> None:
    """Put what the slides load beside them."""
    for name in USED:
        source, place = modules / name, target / name
        if source.is_dir():
            shutil.copytree(source, place, dirs_exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)


def main(words: list[str], target: Path = TARGET) -> None:
    """Write the slides of the named notebooks, or of all of them."""
    names = [word for word in words if word != "--scripts"]
    paths = [Path(name) for name in names] or sorted(NOTEBOOKS.glob("*.ipynb"))
    if missing := [str(path) for path in paths if not path.is_file()]:
        sys.exit(f"There is no notebook {', '.join(missing)}.")
    places: dict[str, Path] = {}
    for path in paths:
        if (other := places.setdefault(path.stem.casefold(), path)).resolve() != path.resolve():
            sys.exit(f"{other} and {path} would be one file, {path.stem}.html: rename one of them.")
    copy_scripts(modules(), target)
    for path in places.values():
        place = target / f"{path.stem}.html"
        try:
            folder, loose = path.resolve().parent, "--scripts" in words
            text = slides_of(read(path), path.stem, folder, loose)
        except Exception as error:  # such as of nbconvert about an attachment that is not there
            sys.exit(f"{path} cannot become slides ({first_line(error)}).")
        place.write_text(text, encoding="utf-8", newline="\n")
        print(place.relative_to(target.parent), flush=True)
    print("Open one in a browser: arrow keys and space move on, F fills the screen, S shows notes.")
    if names and "--scripts" not in words:
        print("Scripts and pictures from the network that a notebook brings: only with --scripts.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"The slides cannot be written: {error}.")
