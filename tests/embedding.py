"""A notebook as a page by nbconvert and ipywidgets' html-manager, all of whose files are local."""

import shutil
from pathlib import Path

import anywidget
import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from npm import fetch

MANAGER, LOADER = "@jupyter-widgets/html-manager@1.0.15", "requirejs@2.3.7"


def executed(cells: list[str]) -> nbformat.NotebookNode:
    """Return a notebook of these cells, run, with the state of its widgets."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=120, store_widget_state=True).execute()
    return notebook


def write_page(notebook: nbformat.NotebookNode, folder: Path) -> Path:
    """Write the page and what it loads into a folder; return the page's path."""
    own = Path(anywidget.__file__).parent / "nbextension/index.js"
    shutil.copy(own, folder / "anywidget.js")  # where the manager looks first
    shutil.copy(fetch(MANAGER, folder) / "dist/embed-amd.js", folder)
    shutil.copy(fetch(LOADER, folder) / "require.js", folder)
    exporter = HTMLExporter(
        require_js_url="require.js", widget_renderer_url="embed-amd.js", mathjax_url=""
    )
    page = folder / "index.html"
    page.write_text(exporter.from_notebook_node(notebook)[0], encoding="utf-8")
    return page
