"""How long a notebook takes, by one formula, and the tables that say so.

A learner reads 150 words or 8 lines of code a minute, looking at what they give, and writes 2
lines a minute. A prediction takes a minute of thought besides, an exercise three, and an explorer
three of play. What is folded away is not counted, but for the lines of a solution that do not
stand in its section: those the learner writes. The sum is rounded to 5 minutes. The sections share
it, each with a minute at least.

The refresh writes all minutes from here, so none is written by hand.
"""

import html
import itertools
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat

WORDS, LINES, WRITTEN = 150, 8, 2  # a minute
PREDICTION, EXERCISE, EXPLORER = 1, 3, 3  # minutes
ROUTES = {"90 minutes": 90, "Half a day": 240, "A day": 480, "Self-study": None}
CHECK = re.compile(r'^check\("(.*?)"', re.M)
FOLDED = re.compile(r"<details>.*?</details>", re.S)
SOLUTION = re.compile(r"<details><summary>Solution (\d+)</summary>.*?```python\n(.*?)```", re.S)
TABLE = r"(?:\|.*\n)+"
Lessons = dict[Path, nbformat.NotebookNode]
TIME = re.compile(r"(?<=\*\*Time\*\*: about )\d+(?= minutes\.)")


def prefix(path: Path) -> str:
    """Return what the names of a notebook's exercises begin with: "02", or "lab"."""
    return path.stem.split("_")[0]


def lines_of(code: str) -> list[str]:
    """Return the lines that hold something."""
    return [line.strip() for line in code.splitlines() if line.strip()]


def estimates(notebook: nbformat.NotebookNode) -> dict[str, float]:
    """Return the minutes of each section by the formula, from "Opening" to "In short"."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    solutions = dict(SOLUTION.findall(html.unescape("\n".join(texts))))
    found, shown = {"Opening": 0.0}, set()
    for cell in notebook.cells:
        source = cell.source
        if "elsewhere" in cell.metadata.get("tags", []):
            continue  # folded, and the same everywhere
        if cell.cell_type == "markdown":
            for text in re.split(r"^(?=## )", FOLDED.sub("", source), flags=re.M):
                if title := re.match(r"## (?!Next\n)(.*)", text):
                    found[title[1]], shown = 0.0, set()
                found[[*found][-1]] += len(text.split()) / WORDS
            continue
        shown |= set(lines_of(source))
        if source.startswith("predict("):
            minutes = PREDICTION
        elif exercise := CHECK.search(source):
            solution = lines_of(solutions.get(exercise[1].split(".")[1], ""))
            minutes = EXERCISE + len(set(solution) - shown) / WRITTEN
        else:
            minutes = len(lines_of(source)) / LINES
            minutes += EXPLORER * len(re.findall(r"^(?!from |import ).*Explorer\(", source, re.M))
        found[[*found][-1]] += minutes
    return found


def minutes_of(notebook: nbformat.NotebookNode) -> int:
    """Return the minutes that a notebook takes, rounded to 5."""
    return max(5, 5 * round(sum(estimates(notebook).values()) / 5))


def sections_of(notebook: nbformat.NotebookNode) -> dict[str, int]:
    """Return the whole minutes of each section; together they are those of the notebook."""
    found = estimates(notebook)
    beyond = [max(0.0, minutes - 1) for minutes in found.values()]
    scale = (minutes_of(notebook) - len(found)) / sum(beyond)
    ends = [round(scale * end) for end in itertools.accumulate(beyond, initial=0.0)]
    return {name: 1 + ends[n + 1] - ends[n] for n, name in enumerate(found)}


def title_of(notebook: nbformat.NotebookNode) -> str:
    """Return the title of a notebook."""
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")


def with_minutes(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Write into a notebook how long it takes; return it."""
    minutes = minutes_of(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = TIME.sub(str(minutes), cell.source)
    return notebook


def table(head: str, rows: Iterable) -> str:
    """Return a table in Markdown; its columns are divided by | in the head."""
    lines = [head, re.sub("[^|]+", " --- ", head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines).replace("|  |", "| |") + "\n"


def span_of(text: str, heading: str) -> tuple[int, int]:
    """Return where the first table below a heading begins and ends."""
    found = re.search(rf"^#+ {heading}\n(?:(?!#|\|).*\n)*({TABLE})", text, re.M)
    if not found:
        sys.exit(f"There is no table below the heading {heading!r}.")
    return found.span(1)


def rows_below(text: str, heading: str) -> list[list[str]]:
    """Return the rows of the first table below a heading."""
    start, end = span_of(text, heading)
    lines = text[start:end].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def with_table(text: str, heading: str, head: str, rows: Iterable) -> str:
    """Return a page with another table below a heading."""
    start, end = span_of(text, heading)
    return text[:start] + table(head, rows) + text[end:]


def with_notebooks(readme: str, appendix: str, lessons: Lessons) -> tuple[str, str]:
    """Return README and appendix with their tables; what one learns stands in that of README."""
    learned = {row[0][1:].split()[0]: row[1] for row in rows_below(readme, "Notebooks")}
    long, short = [], []
    for path, notebook in lessons.items():
        number, minutes = prefix(path), minutes_of(notebook)
        title = f"{number} {title_of(notebook)}"
        binder = f"https://mybinder.org/v2/gh/-/-/HEAD?urlpath=lab/tree/notebooks/{path.name}"
        row = [f"[{title}](notebooks/{path.name})", learned.get(number, ""), minutes]
        long.append([*row, f"[Binder]({binder})"])
        short.append([f"[{title}]({path.name})", *row[1:]])
    head = "| notebook | you will be able to | minutes |"
    return (
        with_table(readme, "Notebooks", f"{head} |", long),
        with_table(appendix, "Choose a notebook", head, short),
    )


def planned(names: str, sections: str, known: dict[str, dict[str, int]]) -> int:
    """Return the minutes that a row of a route takes: its notebooks, and all or some sections."""
    if sections == "all":
        return sum(sum(known[name].values()) for name in names.split(", "))
    minutes = known[names]
    chosen = sections.removeprefix("all but ").split("; ")
    if stale := set(chosen) - minutes.keys():
        sys.exit(f"A route of TEACHING names {stale}; the sections of {names}: {[*minutes]}")
    some = sum(minutes[title] for title in chosen)
    if sections.startswith("all but "):
        return sum(minutes.values()) - some
    return minutes["Opening"] + some


def with_guide(guide: str, lessons: Lessons) -> str:
    """Return TEACHING with the minutes of its notebooks and routes."""
    known = {prefix(path): sections_of(notebook) for path, notebook in lessons.items()}
    for path, notebook in lessons.items():
        number, minutes = prefix(path), known[prefix(path)]
        title = f"### {number} {title_of(notebook)}: {sum(minutes.values())} minutes"
        guide = re.sub(rf"^### {number} .*$", lambda _, title=title: title, guide, flags=re.M)
        guide = with_table(guide, f"{number} .*", "| section | minutes |", minutes.items())
    for route, length in ROUTES.items():
        rows = rows_below(guide, f"{route}: .*")[:-1]
        for row in rows:
            if row[0]:
                row[2] = planned(row[0], row[1], known)
        total = sum(int(row[2]) for row in rows)
        if length:
            rows[-1][2] = length - (total - int(rows[-1][2]))
            total = length
        rows.append(["", "total", total])
        guide = with_table(guide, f"{route}: .*", "| notebook | sections | minutes |", rows)
    return guide
