"""What can be seen on the screens around a question, in a notebook open in JupyterLab."""

import os
import re
from pathlib import Path

from lab import DRAW_MS
from playwright.sync_api import expect
from test_predict import asked_at, tells, veiled_by

# The text in each cell that can be seen on the screen at this moment, the prompts left out.
SEEN = """() => [...document.querySelectorAll('.jp-NotebookPanel .jp-Notebook-cell')].map(cell =>
    [...cell.querySelectorAll('pre, .cm-line, p, li, td, th, h1, h2, h3, summary, legend, text')]
        .filter(node => {
            const {width, top, bottom} = node.getBoundingClientRect();
            return width && bottom > 0 && top < innerHeight
                && node.checkVisibility({opacityProperty: true, visibilityProperty: true});
        }).map(node => node.innerText ?? node.textContent).join('\\n'))"""
AT = """([index, block]) => document.querySelectorAll('.jp-NotebookPanel .jp-Notebook-cell')[index]
    .scrollIntoView({block})"""
SCREEN = {"width": 1366, "height": 768}


def seen(notebook, index, block):
    """Scroll to a cell, wait until that has settled, and return what is seen of each cell."""
    before, now = None, []
    while before != now:
        notebook.page.evaluate(AT, [index, block])
        notebook.page.wait_for_timeout(200)
        before, now = now, notebook.page.evaluate(SEEN)
    return now


def around(notebook, names, cells, when):
    """Return which answers can be read near their questions."""
    told = []
    for name in names:
        asked = asked_at(name, cells)
        question = notebook.page.locator(".jp-NotebookPanel .jp-Notebook-cell").nth(asked)
        expect(question).to_be_attached(timeout=DRAW_MS)
        notebook.page.evaluate(AT, [asked, "center"])  # a cell far off is not yet rendered
        expect(question).to_contain_text("Predict first.", timeout=DRAW_MS)
        for block in ("start", "center", "end"):
            texts = seen(notebook, asked, block)
            if folder := os.environ.get("SCREENSHOTS"):
                picture = f"predict-{name}-{when}-{block}.png".replace(" ", "-")
                notebook.page.screenshot(path=Path(folder) / picture)
            told += [(name, when, texts[cell]) for cell in veiled_by(name, cells) if texts[cell]]
            text = "\n".join(texts[:asked] + texts[asked + 1 :])
            found = [re.search(pattern, text, re.M) for pattern in tells(name)]
            told += [(name, when, block, match[0]) for match in found if match]
    return told


def unseen(notebook, names, cells):
    """Return the questions whose answers are not in the cells below."""
    return [
        name
        for name in names
        if not any(
            re.search(tells(name)[0], seen(notebook, below, "start")[below], re.M)
            for below in veiled_by(name, cells)[:3]
        )
    ]
