"""A real JupyterLab and Chromium for tests that look at a notebook and touch it as a learner does.

A test module says `pytest_plugins = ["lab"]` and gets the fixture `open_notebook`. The course is
copied to a temporary folder first, so nothing a test does reaches the project's own files.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote, urlsplit

import nbformat
import pytest
from playwright.sync_api import (
    BrowserContext,
    Error,
    Locator,
    Page,
    TimeoutError,
    expect,
    sync_playwright,
)
from refresh import KEPT_METADATA

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "a café course"  # a space and an accent, as a learner's folder may have
TOKEN = "a-token-of-this-test-run"
LOOPBACK = "127.0.0.1"
PLOTLY = "application/vnd.plotly.v1+json"
WINDOW = {"width": 1280, "height": 900}
RUN_MS = 300_000  # a notebook has this long to run
OPEN_MS = 60_000  # to open
DRAW_MS = 30_000  # and the page this long to follow
expect.set_options(timeout=DRAW_MS)
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Recorded, and never sent: but for this machine, whose names are all those below localhost.
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {LOOPBACK}, EXCLUDE *.localhost",
]
# Console errors that tell nothing about the course, and why. Everything else fails the test.
BENIGN = [
    # JupyterLab asks each new kernel for the state of its debugger and then restarts the kernel.
    "Could not restore the debugger state: Canceled future for debug_request message",
]
READY = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status==='idle'"

# JavaScript for the page. `cells` are JupyterLab's own cell widgets, each with model and node.
CELLS = "const cells = jupyterapp.shell.currentWidget.content.widgets;"
CODE_CELLS = CELLS + "const codes = cells.filter(cell => cell.model.type === 'code');"
RUN_ALL = """async () => {
    const panel = jupyterapp.shell.currentWidget;
    const run = command => jupyterapp.commands.execute(command);
    window.course = {done: false, errors: []};
    panel.sessionContext.iopubMessage.connect((_, {header, content}) => {
        if (header.msg_type === 'error')
            window.course.errors.push(`${content.ename}: ${content.evalue}`);
    });
    await run('notebook:clear-all-cell-outputs');
    run('notebook:restart-run-all').finally(() => { window.course.done = true; });
}"""
RUN_AGAIN = """() => {
    window.course = {done: false, errors: []};
    const done = () => { window.course.done = true; };
    jupyterapp.commands.execute('notebook:run-all-cells').finally(done);
}"""
OPEN = "async path => { await jupyterapp.commands.execute('docmanager:open', {path}); }"
# Close every document, whatever is not saved; tell whether nothing is left of it.
CLOSE_ALL = """async () => {
    const {shell} = jupyterapp;
    for (const widget of [...shell.widgets('main')].filter(one => one.context)) {
        widget.context.model.dirty = false;
        widget.close();
        await new Promise(requestAnimationFrame);
        if (!widget.isDisposed) return false;
    }
    return !document.querySelector('.jp-NotebookPanel, .jp-Dialog, .Toastify__toast');
}"""
# Run code in the kernel as a cell does, and return what it prints.
ANSWER = """async code => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const request = kernel.requestExecute({code});
    let told = '';
    request.onIOPub = message => { told += message.content.text ?? ''; };
    await request.done;
    return told;
}"""
# Every "Show me" of a question is pressed.
SHOW = """() => {
    for (const button of document.querySelectorAll('.predict button[type="button"]'))
        if (button.textContent === 'Show me') button.click();
}"""
# What is in the notebook and cannot be seen, or is not what was meant; empty once all is painted.
UNPAINTED = f"""() => {{
    {CELLS}
    const pictures = '.jp-RenderedImage img, .jp-RenderedMarkdown img';
    const rendermime = jupyterapp.shell.currentWidget.content.rendermime;
    const seen = node => {{
        const box = node.getBoundingClientRect();
        return box.width + box.height > 0 && getComputedStyle(node).visibility !== 'hidden';
    }};
    const some = (node, selector) => [...node.querySelectorAll(selector)].some(seen);
    const painters = {{
        'application/vnd.jupyter.widget-view+json': node =>
            some(node, '.jupyter-widgets, .explorer svg path[d]')
            && !node.textContent.includes('Error displaying widget'),
        '{PLOTLY}': node => {{
            const point = ({{x, y}}) => x !== false && isFinite(x) && isFinite(y);
            const traces = (node.calcdata ?? []).filter(trace => trace.some(point));
            const drawn = [...node.querySelectorAll('.scatterlayer .trace')];
            const painted = drawn.filter(trace => some(trace, '.points path, .lines path'));
            return traces.length > 0 && painted.length === traces.length;
        }},
    }};
    const problems = [];
    cells.forEach((cell, index) => {{
        const say = text => problems.push(`cell ${{index}}: ${{text}}`);
        // Beside a live widget the still picture for readers without a kernel may be hidden.
        const live = some(cell.node, '.jp-OutputArea-output :is(.jupyter-widgets, .explorer)');
        const standsIn = node => live && node && !node.getClientRects().length;
        for (const image of cell.node.querySelectorAll(pictures))
            if (!standsIn(image) && !(image.complete && image.naturalWidth && seen(image)))
                say('image not painted');
        for (const picture of cell.node.querySelectorAll('.explorer figure > svg'))
            if (!some(picture, 'path[d], circle, rect'))
                say('a picture of an explorer without marks');
        for (const text of cell.node.querySelectorAll('.jp-RenderedMarkdown')) {{
            const prose = text.cloneNode(true);
            prose.querySelectorAll('code, mjx-container').forEach(node => node.remove());
            if (prose.textContent.includes('$') || text.querySelector('mjx-merror'))
                say('mathematics not typeset');
        }}
        const nodes = cell.node.querySelectorAll('.jp-OutputArea-child .jp-OutputArea-output');
        (cell.model.outputs?.toJSON() ?? []).forEach((output, number) => {{
            const type = output.data && rendermime.preferredMimeType(output.data, 'any');
            const painted = painters[type] ?? (node => seen(node) || standsIn(node));
            if (!nodes[number] || !painted(nodes[number]))
                say(`output ${{number}} not painted (${{type ?? output.output_type}})`);
        }});
    }});
    return problems;
}}"""
# What reaches beyond its cell, hides behind its own edge, needs a scroll bar to be read, or is
# written across other words of its figure. The first such cell is scrolled to, as a reader would.
CUT_OFF = f"""() => {{
    {CELLS}
    const outside = (inner, outer) => Math.max(
        outer.left - inner.left, inner.right - outer.right,
        outer.top - inner.top, inner.bottom - outer.bottom);
    const excess = (node, cell) => {{
        const box = node.getBoundingClientRect();
        if (!box.width || node.closest('mjx-assistive-mml')) return 0;  // not there to be seen
        if (node.matches('input, textarea')) return 0;  // one's own text scrolls as one types
        if (node.matches('.spoken')) return 0;  // for the ear alone
        const around = node.closest('div').getBoundingClientRect();
        if (node.matches('svg text')) return outside(box, around);
        if (node.ownerSVGElement) return 0;  // marks are clipped by their axes
        const beyond = box.right - cell.node.getBoundingClientRect().right;
        const clips = getComputedStyle(node).overflowX !== 'visible' && node.clientWidth;
        return Math.max(beyond, clips ? node.scrollWidth - node.clientWidth : 0);
    }};
    const cross = (a, b) => Math.min( // a line's box is some pixels higher than its letters
        a.right - b.left, b.right - a.left, a.bottom - b.top, b.bottom - a.top) > 2;
    const crossing = figure => {{
        const texts = [...figure.querySelectorAll('text')].filter(node => node.textContent.trim());
        const boxes = texts.map(node => [node, node.getBoundingClientRect()]);
        const there = boxes.filter(([, box]) => box.width);
        return there.flatMap(([one, a], n) => there.slice(n + 1).flatMap(([other, b]) =>
            cross(a, b) ? [`${{one.textContent}} over ${{other.textContent}}`] : []));
    }};
    const parts = '.jp-OutputArea-output, .jp-RenderedMarkdown';
    const problems = [];
    cells.forEach((cell, index) => {{
        for (const part of cell.node.querySelectorAll(parts)) {{
            // A table and a live figure keep their size and have a scroll bar of their own.
            if (part.querySelector('table.dataframe, .plot-container')) continue;
            const node = [part, ...part.querySelectorAll('*')].find(node => excess(node, cell) > 1);
            if (!node) continue;
            const name = `${{node.tagName}} ${{node.getAttribute('class') || node.textContent}}`;
            problems.push(`cell ${{index}}: ${{name}} by ${{Math.ceil(excess(node, cell))}} px`);
            if (problems.length === 1) cell.node.scrollIntoView();
        }}
        for (const figure of cell.node.querySelectorAll('.explorer figure > svg'))
            problems.push(...crossing(figure).map(words => `cell ${{index}}: ${{words}}`));
    }});
    return problems;
}}"""


class Lab:
    """A JupyterLab server of its own: free loopback port, token, private settings."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.copytree(
            ROOT / "notebooks",
            folder / FOLDER / "notebooks",
            ignore=shutil.ignore_patterns(".ipynb_checkpoints"),
        )
        settings = folder / "settings"
        ours = ROOT / "binder/settings/share/jupyter"  # what learners get: no news toast, veils
        shutil.copytree(ours / "lab/settings", settings)
        private = {
            f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")
        }
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        command += [f"--ServerApp.ip={LOOPBACK}", "--ServerApp.port=0"]
        command += [f"--ServerApp.root_dir={folder}", f"--LabApp.app_settings_dir={settings}"]
        command += [
            f"--{app}.expose_app_in_browser=True" for app in ("LabApp", "JupyterNotebookApp")
        ]
        command += ["--LabApp.extension_manager=readonly"]
        self.process = subprocess.Popen(
            command,
            env=os.environ
            | private
            | {"IPYTHONDIR": str(folder / "ipython"), "JUPYTER_TOKEN": TOKEN}
            | {"JUPYTER_PATH": str(ours)},
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self.log: list[str] = []
        self.url = self._wait_for_address()
        while self.process.poll() is None:  # it tells its address a moment before it listens
            with socket.socket() as client:
                if client.connect_ex((LOOPBACK, urlsplit(self.url).port)) == 0:
                    break
        threading.Thread(target=self.log.extend, args=(self.process.stderr,), daemon=True).start()

    def _wait_for_address(self) -> str:
        """Read the server's log up to the line that names its address."""
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(rf"http://{LOOPBACK}:\d+/", line):
                return found[0]
        raise RuntimeError("JupyterLab did not start:\n" + "".join(self.log))

    def path(self, name: str) -> Path:
        """Return where a notebook lies."""
        return self.folder / FOLDER / "notebooks" / f"{name}.ipynb"

    def write(self, name: str, cells: list[str]) -> None:
        """Put a notebook of some code cells beside the course's own."""
        notebook = nbformat.v4.new_notebook(metadata=KEPT_METADATA)
        notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
        nbformat.write(notebook, self.path(name))

    def set(self, plugin: str, **values: object) -> None:
        """Store settings as JupyterLab's own settings editor does; the next page reads them."""
        path = self.folder / f"CONFIG/lab/user-settings/@jupyterlab/{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        self.process.terminate()
        self.process.wait()


# After 2 s anywidget gives up on a model, however busy the machine is: not a fault of the page.
# What the kernel then cannot tell, the tests of explorers and questions notice.
GIVEN_UP = "[anywidget] Failed to initialize model."


class Notebook:
    """A notebook open in JupyterLab, and a record of what went wrong in its page."""

    def __init__(self, lab: Lab, context: BrowserContext, name: str, theme: str, app: str = "lab"):
        self.page: Page = context.new_page()
        self.page.set_default_timeout(DRAW_MS)
        self.complaints: list[str] = []  # page errors, console errors, native dialogs
        self.hosts: set[str] = set()  # where requests and web sockets went
        self.sent: list[bytes | str] = []  # through web sockets
        self._listen()
        self.kept = app == "lab"  # the page can show another notebook afterwards
        lab.set("apputils-extension/themes", theme=f"JupyterLab {theme.capitalize()}")
        path = quote(f"{FOLDER}/notebooks/{name}.ipynb")
        if app == "lab":  # a workspace of its own, or the tab of the notebook before is restored
            path = f"workspaces/{quote(f'{theme}-{name}')}/tree/{path}"
        self.page.goto(f"{lab.url}{app}/{path}?token={TOKEN}")
        self.wait_for_kernel()

    def open(self, name: str, theme: str) -> None:
        """Open another notebook in this page, which shows none."""
        self.complaints.clear()
        self.sent.clear()
        self.page.set_viewport_size(WINDOW)
        self.page.evaluate(OPEN, f"{FOLDER}/notebooks/{name}.ipynb")
        self.put_on(theme)
        self.wait_for_kernel()

    def leave(self) -> bool:
        """Close the notebook and shut its kernel down; tell whether the page can open another."""
        try:
            self.kept = self.kept and not self.page.is_closed() and self.page.evaluate(CLOSE_ALL)
        except Error:  # a test may leave a page that has crashed
            self.kept = False
        self._shut_kernels_down()
        return self.kept

    def _listen(self) -> None:
        page = self.page
        page.on("pageerror", self._on_error)
        page.on("crash", lambda _: self.complaints.append("the page crashed"))
        page.on("console", self._on_console)
        page.on("dialog", self._on_dialog)
        page.on("request", lambda request: self._on_address(request.url))
        page.on("websocket", self._on_socket)

    def _on_error(self, error) -> None:
        if str(error) != GIVEN_UP:
            self.complaints.append(f"page error: {error}")

    def _on_console(self, message) -> None:
        if message.type == "error" and not message.text.startswith(tuple(BENIGN)):
            self.complaints.append(f"console: {message.text} ({message.location.get('url')})")

    def _on_dialog(self, dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_socket(self, socket) -> None:
        self._on_address(socket.url)
        socket.on("framesent", lambda message: self.sent.append(message))

    def _on_address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.hostname or url)

    def run_all(self, show: bool = True) -> None:
        """Clear all outputs, restart the kernel, run all cells and wait until they are through.

        Then ask every question to show its answer, or leave them veiled.
        """
        self.page.evaluate(RUN_ALL)
        self.page.locator(".jp-Dialog .jp-mod-accept").click()  # "Restart Kernel?"
        self.page.wait_for_function("window.course.done", timeout=RUN_MS)
        self.wait_for_kernel()
        if show:
            self.page.evaluate(SHOW)

    def wait_for_kernel(self) -> None:
        """Wait until there is a kernel that has nothing to do."""
        self.page.wait_for_function(READY, timeout=OPEN_MS)

    def run_again(self) -> None:
        """Run all cells in the kernel that is there and wait until they are through."""
        self.page.evaluate(RUN_AGAIN)
        self.page.wait_for_function("window.course.done", timeout=RUN_MS)

    def cells(self) -> list[dict]:
        """Return the notebook's code cells as they now are, outputs included."""
        return self.page.evaluate(f"() => {{{CODE_CELLS} return codes.map(c => c.model.toJSON())}}")

    def kernel_errors(self) -> list[str]:
        """Return every error the kernel reported, those of widget callbacks too."""
        return self.page.evaluate("window.course.errors")

    def ask(self, code: str) -> str:
        """Run code in the kernel as a cell does; return what it prints."""
        return self.page.evaluate(ANSWER, code)

    def begin(self, code: str) -> None:
        """Run code in the kernel as a cell does, and wait for nothing: it may end the kernel."""
        self.page.evaluate(f"code => {{ ({ANSWER})(code).catch(() => {{}}); }}", code)

    def messages(self) -> int:
        """Return how many messages of widgets the page has sent to its kernel."""
        return sum(b"comm_msg" in (m.encode() if isinstance(m, str) else m) for m in self.sent)

    def theme(self) -> str:
        """Return the theme that is on."""
        light = self.page.evaluate("document.body.dataset.jpThemeLight")
        return {"true": "light", "false": "dark"}[light]

    def put_on(self, theme: str) -> None:
        """Switch to a theme, "light" or "dark"."""
        change = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
        self.page.evaluate(change, f"JupyterLab {theme.capitalize()}")
        is_on = "light => document.body.dataset.jpThemeLight === light"
        self.page.wait_for_function(is_on, arg=str(theme == "light").lower())

    def popups(self) -> list[str]:
        """Return the text of each dialog and toast that covers the page."""
        return self.page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts()

    def hover_over_plots(self) -> None:
        """Move the mouse over each Plotly figure, which is a still picture until then."""
        outputs = [output for cell in self.cells() for output in cell["outputs"]]
        plots = self.page.locator(".jp-RenderedPlotly")
        expect(plots).to_have_count(sum(PLOTLY in output.get("data", {}) for output in outputs))
        for plot in plots.all():
            plot.hover(position={"x": 100, "y": 100})
            plot.locator(".plot-container").wait_for()

    def unpainted(self) -> list[str]:
        """Wait until all outputs are painted; return those that never are."""
        return self._remaining(UNPAINTED)

    def cut_off(self, width: int) -> list[str]:
        """Make the window so wide and wait until all outputs fit; return those that never do."""
        self.page.set_viewport_size({"width": width, "height": 900})
        return self._remaining(CUT_OFF)

    def _remaining(self, problems: str) -> list[str]:
        try:
            self.page.wait_for_function(f"() => ({problems})().length === 0")
        except TimeoutError:
            return self.page.evaluate(problems)
        return []

    def press(self, slider: Locator, key: str) -> None:
        """Give a slider the focus and press a key."""
        slider.focus()
        slider.press(key)

    def take_pictures(self, folder: Path, name: str) -> None:
        """Store the notebook from top to bottom as name-1.png, name-2.png and so on."""
        folder.mkdir(parents=True, exist_ok=True)
        self.page.set_viewport_size({"width": 1280, "height": 2000})
        view = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer")
        height, total = view.evaluate("""view => [view.clientHeight, Math.max(0, ...[
            ...view.querySelectorAll('.jp-Cell')].map(cell => cell.getBoundingClientRect().bottom
            - view.getBoundingClientRect().top + view.scrollTop))]""")
        for number in range(-int(-total // height)):
            view.evaluate("(view, top) => { view.scrollTop = top; }", number * height)
            self.page.screenshot(path=folder / f"{name}-{number + 1}.png")

    def close(self) -> None:
        """Close the page and shut its kernel down."""
        self.page.close()
        self._shut_kernels_down()

    def _shut_kernels_down(self) -> None:
        """Shut every kernel of the server down, in whatever state they are."""
        context, headers = self.page.context, {"Authorization": f"token {TOKEN}"}
        server = "http://{0.hostname}:{0.port}/".format(urlsplit(self.page.url))
        for kernel in context.request.get(server + "api/kernels", headers=headers).json():
            context.request.delete(f"{server}api/kernels/{kernel['id']}", headers=headers)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start one JupyterLab server for a module and end it whatever happens."""
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture(scope="module")
def chromium():
    """Start one Chromium for a module; its pages share a cache.

    Not for the whole session: Playwright keeps an event loop that other tests must not meet.
    """
    wanted = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    path = shutil.which(wanted)
    if path is None:
        pytest.fail(f"There is no Chromium at {wanted}: name one in the variable CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser.new_context(viewport=WINDOW)
        browser.close()


@pytest.fixture(scope="module")
def pages():
    """Notebooks that are closed, whose pages can open another: JupyterLab loads in seconds."""
    return []


@pytest.fixture
def open_notebook(lab, chromium, pages):
    """Return a function that opens a notebook by name in a theme, as a `Notebook`.

    `app` may be "notebooks" for Notebook 7, which the same server offers. Styles that notebooks
    bring stay in a page, so a test that looks for their absence asks for a `new` one.
    """
    opened = []

    def opener(name: str, theme: str = "light", app: str = "lab", new: bool = False) -> Notebook:
        if app == "lab" and pages and not new:
            opened.append(pages.pop())
            opened[-1].open(name, theme)
        else:
            opened.append(Notebook(lab, chromium, name, theme, app))
        return opened[-1]

    yield opener
    for notebook in opened:
        if notebook.leave():
            pages.append(notebook)
        else:
            notebook.close()
