"""Hostile strings through every place that shows, stores or reads what a learner typed."""

import json
import os
import tempfile
from pathlib import Path

import hostile
import nbformat
import touched
import written
from outcome import Outcome
from refresh import KEPT_METADATA

TITLE = "strings from learners (file names, text fields, data tables) into HTML and paths"
GOAL = "0 scripts run, 0 files outside the folder"
HERE = Path(__file__).resolve().parent
PLACES = [str(HERE), str(HERE.parent.parent / "tests")]  # where the kernel finds modules
NAME = "strings"
CELLS = """import json, sys
sys.path[:0] = {places!r}
import shown
texts = json.loads({texts!r})"""  # and then a cell for some of the texts in one place
# What may not be there once a notebook has run, in the page and in every output of a cell. An
# output may hold the elements that the first of its kind in its cell has, whose text is harmless.
PROBLEMS = """plain => {
    const problems = new Set();
    const say = (text, node) => problems.add(`${text}: ${(node?.outerHTML ?? '').slice(0, 150)}`);
    if ('ran' in window) say('a script ran', document.body);
    for (const node of document.querySelectorAll('.learner, #learner, [href*="learner.invalid"]'))
        if (!node.closest('.jp-RenderedText')) say('an element came from a string', node);
    for (const node of document.querySelectorAll('.jp-TrimmedOutputs'))
        say('outputs that are not drawn', node);
    const tags = node => new Set([...node.querySelectorAll('*')].map(inner => inner.tagName));
    const never = `script:not(.figure-says ~ script), iframe, object, embed, base, meta, form,
        mjx-container, [href^="java"]`;
    const drawn = new Set(`B BUTTON CODE DIV FIELDSET FIGCAPTION FIGURE I INPUT LABEL LEGEND MARK
        METER OPTION P PRE SELECT SMALL SPAN STYLE TABLE TBODY TD TEXTAREA TH THEAD TR circle
        clipPath defs ellipse g line path pattern radialGradient rect stop svg text
        tspan`.split(/\\s+/)); // by an explorer
    const caption = ['STYLE', 'SCRIPT', 'P', 'EM'];
    for (const cell of document.querySelectorAll('.jp-CodeCell')) {
        const allowed = {};
        const outputs = [...cell.querySelectorAll('.jp-OutputArea-output')];
        for (const node of outputs.filter(node => node.textContent.includes(plain)))
            allowed[node.className] = (allowed[node.className] ?? new Set()).union(tags(node));
        for (const output of outputs) {
            for (const node of output.querySelectorAll(never)) say('an element of no output', node);
            for (const node of output.querySelectorAll('*'))
                if ([...node.attributes].some(({name}) => name.startsWith('on')))
                    say('an element with a handler', node);
            if (output.matches('.jp-RenderedMarkdown')) { // a caption: one paragraph, emphasized
                const drawn = [...output.querySelectorAll('*:not(span)')].map(node => node.tagName);
                if (drawn.join() !== 'P,EM') say(`${drawn} in a caption`, output);
            }
            if (output.matches('.jp-RenderedText')) { // JupyterLab itself links addresses and paths
                const more = tags(output).difference(new Set(['PRE', 'SPAN', 'A']));
                const links = [...output.querySelectorAll('a')]; // browsers follow none to data:
                if (more.size || links.some(({protocol}) => protocol === 'javascript:'))
                    say(`${[...more]} in plain text`, output);
            }
            if (!output.matches('.jp-RenderedHTML')) continue;
            const says = output.querySelector('.explorer-still, .figure-says');
            const own = new Set(says ? caption : []);
            const more = tags(output).difference(own.union(allowed[output.className] ?? new Set()));
            if (more.size) say(`${[...more]} is not in a harmless output`, output);
        }
        for (const explorer of cell.querySelectorAll('.explorer')) {
            const more = tags(explorer).difference(drawn);
            if (more.size) say(`${[...more]} in an explorer`, explorer);
        }
    }
    return [...problems];
}"""


def measure(quick: bool) -> Outcome:
    """Send the strings into pages, into code and into paths."""
    texts = hostile.SHOWN[::15] if quick else hostile.SHOWN
    outputs, failures = in_pages(texts)
    cells, more = written.in_code(texts)
    failures += more
    with tempfile.TemporaryDirectory() as folder:
        names, more = touched.in_paths(Path(folder).resolve())
        failures += more
    with tempfile.TemporaryDirectory() as folder:
        files, more = touched.in_a_class(Path(folder).resolve())
        failures += more
    figure = f"{len(texts)} strings in {outputs} outputs in Chromium, {cells} generated cells"
    return Outcome(f"{figure}, {names} names and {files} files: {len(failures)}", failures)


def in_pages(texts: list[str]) -> tuple[int, list[str]]:
    """Run a notebook that shows the texts, in JupyterLab, as a learner does; count its outputs."""
    import lab
    import shown
    from playwright.sync_api import sync_playwright

    code = [CELLS.format(places=PLACES, texts=json.dumps(texts))]
    for place, most in shown.PLACES.items():
        starts = range(0, len(texts), most)
        code += [f"shown.{place.__name__}(texts[{at}:{at + most}])" for at in starts]
    cells = [nbformat.v4.new_code_cell(cell) for cell in code]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=KEPT_METADATA)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["COURSE_PROGRESS"] = str(Path(folder) / "progress.jsonl")
        server = lab.Lab(Path(folder) / "lab")
        try:
            nbformat.write(notebook, server.folder / lab.FOLDER / f"notebooks/{NAME}.ipynb")
            chromium = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium",
                args=lab.CHROMIUM_FLAGS,
            )
            opened = lab.Notebook(server, chromium.new_context(), NAME, "light")
            opened.run_all()
            outputs = opened.page.query_selector_all(".jp-OutputArea-output")
            failures = told(opened)
            if len(opened.cells()) != len(code) or not opened.kernel_errors():
                failures.append("the notebook did not run")
            return len(outputs), failures
        finally:
            server.stop()


def told(notebook: object) -> list[str]:
    """Return what went wrong in a page in which all cells have run."""
    import shown

    failures = notebook.page.evaluate(PROBLEMS, shown.PLAIN)
    failures += [*dict.fromkeys(notebook.complaints)]
    failures += [f"a request to {host}" for host in notebook.hosts - {"127.0.0.1"}]
    errors = notebook.kernel_errors()
    return failures + [error for error in errors if not error.startswith("InputError")]
