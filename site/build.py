"""Write the web edition: the script behind `python3 course.py site`.

It makes static pages of the stored notebooks; no cell is run. Explorers and predictions live in the
page by the course's own JavaScript, figures are the stored pictures, mathematics becomes MathML.
Every address is relative, so that a page opens under any prefix, or from a file without a server.
"""

import argparse
import base64
import hashlib
import html
import importlib
import json
import pkgutil
import re
import shutil
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import jinja2  # noqa: E402
from lesson import Lesson, as_script  # noqa: E402
from markup import NOTEBOOKS, Links, anchor, markdown, plain  # noqa: E402

from course_utils import checks  # noqa: E402
from course_utils.explorers.base import home_of  # noqa: E402
from course_utils.explorers.line_surface import STARTS  # noqa: E402

HERE = Path(__file__).resolve().parent
NAME = "PyTorch from a straight line"
FOLDER = ROOT / "_site"
PARTS = [  # name, first notebook, what it is about
    ("The line", "00", "One question, a better tool each time, until a new penguin is weighed."),
    ("Beyond the line", "09", "Where a line is not enough: curves, classes, tables, speed."),
]
STUCK = [  # what brings people, and the notebook that answers
    ("The loss is nan", "06_settings"),
    ("It runs, and learns nothing", "05_training_loop"),
    ("Great in training, poor on new rows", "07_evaluation"),
    ("The saved model answers differently", "08_saving"),
]
ENTRY = re.compile(r"^### ([^\n]+)\n\n(.+?)(?=\n\n|\Z)", re.M | re.S)  # of the glossary
ROW = re.compile(r"^\| \[[^\]]*\]\(notebooks/(\w+)\.ipynb\) \| (.*?) \| (\d+) \|", re.M)
LOST = '<p>The address may be old. <a href="index.html">The start page lists all notebooks.</a></p>'
MAP = '<urlset xmlns="{kind}">{rows}</urlset>\n'
MAP_KIND = "http" + "://www.sitemaps.org/schemas/sitemap/0.9"


class Site:
    """A folder of pages, and what all pages share.

    Parameters
    ----------
    folder : Path
        Where the pages go.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        self.source = project["urls"]["Repository"]
        self.home = home_of(self.source)
        self.entries = ENTRY.findall((NOTEBOOKS / "glossary.md").read_text("utf-8"))
        self.templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True
        )

    def links(self, with_words: bool = True) -> Links:
        """Return where links of one page lead; words bring their glossary entries along."""
        words = {anchor(title): plain(text) for title, text in self.entries}
        return Links(self.source, words if with_words else {})

    def keep(self, data: str) -> str:
        """Write a picture, given in base64, and return its address."""
        content = base64.b64decode(data)
        address = f"figures/{hashlib.sha256(content).hexdigest()[:16]}.png"
        (self.folder / address).parent.mkdir(exist_ok=True)
        (self.folder / address).write_bytes(content)
        return address

    def write(self, name: str, template: str, **values: object) -> None:
        """Write one page."""
        repository = self.source.removeprefix("https://github.com/")
        shared = {"name": NAME, "source": self.source, "repository": repository, "site": self.home}
        page = self.templates.get_template(template).render(**shared, address=name, **values)
        (self.folder / name).write_text(page, encoding="utf-8", newline="\n")

    def write_text(self, name: str, title: str, text: str) -> None:
        """Write a page of Markdown."""
        text = re.sub(r"^# .*\n", "", text)
        if "\n## " not in text:
            text = text.replace("\n### ", "\n## ")  # no level of headings is left out
        body = markdown(text, self.links(with_words=False))
        self.write(name, "text.html.j2", title=title, body=body)

    def write_shared(self) -> None:
        """Write the scripts and styles that all pages load."""
        shutil.copytree(HERE / "static", self.folder, dirs_exist_ok=True)
        shutil.copy(ROOT / ".github/course.png", self.folder / "card.png")
        for source, script, name in [
            ("explorers/stage/bundle.js", "explorers.js", "explorersOfTheCourse"),
            ("predict.js", "predict.js", "questionOfTheCourse"),
        ]:
            module = (ROOT / "course_utils" / source).read_text("utf-8")
            (self.folder / script).write_text(as_classic(module, name), "utf-8")

    def write_lists(self, lessons: list[Lesson]) -> None:
        """Write what the search finds, and what search engines read."""
        index = [row for lesson in lessons for row in lesson.index]
        for title, text in self.entries:
            index.append(("Glossary", title, f"glossary.html#{anchor(title)}", plain(text)))
        rows = as_script(json.dumps(index, ensure_ascii=False, separators=(",", ":")))
        (self.folder / "search-index.js").write_text(f"window.indexOfTheCourse={rows};", "utf-8")
        names = sorted(path.name for path in self.folder.glob("*.html") if path.stem != "404")
        rows = "".join(f"<url><loc>{self.home}/{name}</loc></url>" for name in names)
        text = '<?xml version="1.0" encoding="UTF-8"?>' + MAP.format(kind=MAP_KIND, rows=rows)
        (self.folder / "sitemap.xml").write_text(text, "utf-8")
        (self.folder / ".nojekyll").touch()


def as_classic(module: str, name: str) -> str:
    """Return a module as a script, which a page without a server may load, too.

    Raises
    ------
    ValueError
        If it has no default export, or something is exported after it.
    """
    for pattern in (
        r"export\s*\{(?:[^}]*,)?\s*([$\w]+) as default\b[^}]*\};?\s*$",
        r"export default (\{.*\});?\s*$",
    ):
        body, count = re.subn(pattern, rf"window.{name} = \1;", module)
        if count == 1:
            return f"(() => {{\n{body}\n}})();\n"
    raise ValueError(f"{name} has no default export at its end")


def in_parts(lessons: list[Lesson]) -> list[dict]:
    """Return the parts of the course with their notebooks and minutes."""
    parts = []
    firsts = [first for _, first, _ in PARTS] + ["~"]
    for number, (title, first, about) in enumerate(PARTS):
        own = [one for one in lessons if first <= one.number < firsts[number + 1]]
        minutes = sum(one.minutes for one in own)
        parts.append({"title": title, "about": about, "lessons": own, "minutes": minutes})
    return parts


def hero_of(lesson: Lesson) -> dict:
    """Return the first explorer of a notebook with all its numbers, at its usual start."""
    hero = lesson.explorers[0]
    state = json.loads(hero["state"])
    state["given"]["show"] = "all"
    for control, value in zip(state["controls"].values(), STARTS[0], strict=True):
        control["value"] = value
    return hero | {"state": as_script(json.dumps(state))}


def emptied(folder: Path) -> None:
    """Make the folder, or empty it if a site stands in it.

    Raises
    ------
    ValueError
        If it holds anything else.
    """
    if folder.exists() and any(folder.iterdir()):
        if not all((folder / name).is_file() for name in ("index.html", "site.js")):
            raise ValueError(f"{folder} is not empty and holds no site: name another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


def build(folder: Path) -> list[Lesson]:
    """Write all pages into a folder and return the notebooks they are made of."""
    emptied(folder)
    for module in pkgutil.iter_modules(checks.__path__):
        importlib.import_module(f"{checks.__name__}.{module.name}")
    site = Site(folder)
    site.write_shared()
    rows = {row[0]: row[1:] for row in ROW.findall((ROOT / "README.md").read_text("utf-8"))}
    lessons = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        able, minutes = rows[path.stem]
        lessons.append(Lesson(path, html.unescape(able), int(minutes), site.links(), site.keep))
    parts = in_parts(lessons)
    for number, lesson in enumerate(lessons):
        around = [lessons[k] if 0 <= k < len(lessons) else None for k in (number - 1, number + 1)]
        values = {"lesson": lesson, "parts": parts, "around": around}
        site.write(f"{lesson.stem}.html", "lesson.html.j2", **values)
    for title, path in [
        ("Glossary", NOTEBOOKS / "glossary.md"),
        ("Appendix", NOTEBOOKS / "appendix.md"),
        ("Accessibility", HERE / "accessibility.md"),
    ]:
        site.write_text(f"{path.stem}.html", title, path.read_text("utf-8"))
    site.write("404.html", "text.html.j2", title="There is no such page", body=LOST)
    where: dict[str, str] = {}
    for lesson in lessons:
        for explorer in lesson.explorers:
            where.setdefault(explorer["script"], lesson.stem)
    values = {"parts": parts, "hero": hero_of(lessons[0]), "where": as_script(json.dumps(where))}
    site.write("index.html", "start.html.j2", stuck=STUCK, **values)
    site.write_lists(lessons)
    return lessons


def main(words: list[str]) -> None:
    """Build the site and say where it is."""
    parser = argparse.ArgumentParser(prog="python3 course.py site --", description="Write pages.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="default: _site")
    folder = parser.parse_args(words).folder.resolve()
    try:
        lessons = build(folder)
    except (ValueError, OSError) as error:
        sys.exit(f"The site was not written: {error}")
    print(f"{len(lessons)} notebooks as pages: open {folder / 'index.html'}")


if __name__ == "__main__":
    main(sys.argv[1:])
