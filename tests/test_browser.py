"""Every notebook in real JupyterLab in Chromium, in both themes, as a learner opens it."""

import os
from pathlib import Path

import nbformat
import pytest
from lab import SHOW
from playwright.sync_api import expect
from refresh import LESSON_PATHS
from screens import SCREEN, around, unseen
from test_predict import SHOWN

pytest_plugins = ["lab"]

NAMES = [path.stem for path in LESSON_PATHS]


@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_and_is_painted(open_notebook, lab, name):
    notebook = open_notebook(name)
    assert answers_in_sight(notebook, lab.path(name)) == ([], [])
    notebook.hover_over_plots()
    for theme in ("light", "dark"):
        notebook.put_on(theme)
        assert notebook.theme() == theme
        assert notebook.unpainted() == [], theme
        if folder := os.environ.get("SCREENSHOTS"):
            notebook.take_pictures(Path(folder), f"{name}-{theme}")
    cells = notebook.cells()
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [output["ename"] for output in outputs if output["output_type"] == "error"] == []
    assert notebook.kernel_errors() == []
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for width in (1280, 900):
        assert notebook.cut_off(width) == [], f"in a window of {width} pixels"
    assert notebook.popups() == []
    assert notebook.hosts == {"127.0.0.1"}
    assert notebook.complaints == []


def answers_in_sight(notebook, path):
    """Run the notebook; return answers told around their questions, and those not shown on demand.

    As it is stored, and once all has run; then what is asked for is shown.
    """
    names = [name for name in SHOWN if path.stem.startswith(SHOWN[name][0])]
    cells = nbformat.read(path, as_version=4).cells
    assert sum(cell.source.startswith("predict(") for cell in cells) == len(names)
    notebook.page.set_viewport_size(SCREEN)
    told = around(notebook, names, cells, "stored")
    shows = notebook.page.locator(".predict-show")
    expect(shows).to_have_count(len(names))
    for summary in shows.locator("summary").all():
        summary.click()
    untold = unseen(notebook, names, cells)
    notebook.run_all(show=False)
    told += around(notebook, names, cells, "run")
    notebook.page.evaluate(SHOW)
    return told, untold + unseen(notebook, names, cells)
