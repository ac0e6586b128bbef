"""Every notebook in real JupyterLab in Chromium, in both themes, as a learner opens it."""

import os
from pathlib import Path

import pytest
from refresh import LESSON_PATHS

pytest_plugins = ["lab"]

NAMES = [path.stem for path in LESSON_PATHS]


@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_and_is_painted(open_notebook, name):
    notebook = open_notebook(name)
    notebook.run_all()
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
