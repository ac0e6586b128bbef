"""What can be seen on the screens around a question, in a notebook open in JupyterLab."""

import os
import re
from pathlib import Path

from lab import DRAW_MS
from playwright.sync_api import expect
from test_predict import asked_at, tells, veiled_by

# The text in each cell that can be seen on the screen at this moment, the prompts left out.
SEEN = """() => {
    const onScreen = ({width, top, bottom}) => width && bottom > 0 && top < innerHeight;
    const words = 'pre, .cm-line, p, li, td, th, h1, h2, h3, summary, legend, text';
    return [...document.querySelectorAll('.jp-NotebookPanel .jp-Notebook-cell')].map(cell =>
        !onScreen(cell.getBoundingClientRect()) ? '' : [...cell.querySelectorAll(words)]
            .filter(node => onScreen(node.getBoundingClientRect())
                && node.checkVisibility({opacityProperty: true, visibilityProperty: true}))
            .map(node => node.innerText ?? node.textContent).join('\\n'));
}"""
AT = """([index, block]) => document.querySelectorAll('.jp-NotebookPanel .jp-Notebook-cell')[index]
    .scrollIntoView({block})"""
# The same, once a cell stands in its place and all on the screen is rendered and stands still.
SETTLED = f"""async place => {{
    const {{widgets}} = jupyterapp.shell.currentWidget.content;
    let before, now = null;
    while (now === null || String(before) !== String(now)) {{
        ({AT})(place);
        for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
        before = now;
        now = ({SEEN})();
        if (now.length < widgets.length) now = null;
        else if (widgets.some((cell, n) => now[n] && cell.isPlaceholder())) now = null;
    }}
    return now;
}}"""
SCREEN = {"width": 1366, "height": 768}


def seen(notebook, index, block):
    """Scroll to a cell and return what is seen of each cell."""
    return notebook.page.evaluate(SETTLED, [index, block])


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
