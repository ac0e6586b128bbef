"""The explorers where learners meet them: JupyterLab, Notebook 7, a page made by nbconvert.

With a kernel, with a busy one, with one that is gone, and in a notebook that is opened again.
"""

import re

import nbformat
import pytest
from embedding import executed, write_page
from playwright.sync_api import expect
from refresh import normalized, text_of

from course_utils.charts import Chart, Series
from course_utils.explorers import still

pytest_plugins = ["lab"]

IMPORTS = """\
import os
import time

import torch
from torch import nn

from course_utils import datasets
from course_utils.explorers.line_surface import LineSurfaceExplorer
from course_utils.explorers.network import NetworkExplorer
from course_utils.explorers.noise import NoiseExplorer
from course_utils.explorers.training import TrainingExplorer
from course_utils.history import History"""
MAKE = """\
how = ["right"]

def make(n, weight, bias, noise, seed):
    if how[0] == "raises":
        raise ValueError("no points today")
    while how[0] == "sleeps":
        time.sleep(0.01)
    return datasets.make_line(n, weight, bias, noise, seed)"""
TRAIN = """\
def train(model, optimizer, loss_fn, loader, epochs):
    history = History()
    for _ in range(epochs):
        for X_batch, y_batch in loader:
            {}
            loss = loss_fn(model(X_batch), y_batch)
            history.record(loss=loss.item(), weight=model.weight.item(), bias=model.bias.item())
            loss.backward()
            optimizer.step()
    return history"""
NETWORK = """\
def build(width, depth, activation):
    layers, inputs = [], 1
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), activation()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 1))

def fit(model, X, y, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    while True:
        optimizer.zero_grad()
        nn.functional.mse_loss(model(X), y).backward()
        optimizer.step()
        yield"""
NOISE = "noise = NoiseExplorer(make)\nnoise"
TWO = [IMPORTS, MAKE, "LineSurfaceExplorer()", NOISE]
STILL, AGREES = "This picture stands still: run the cell, and it moves.", "Your code agrees"
DRAW_MS = 15_000  # what is drawn or told is there by then
GONE = "The kernel was restarted or is gone: run the cell again to compare with your code."
NEVER = "No kernel here: run the cell in JupyterLab to compare with your own code."
BUSY = (
    "The kernel is busy: your code is compared once it is free. If it stays so, run the cell again."
)
AWAY = "The kernel cannot be reached: your code is compared once the connection is back."
FAILURES = re.compile(
    "not found|Error displaying|Loading widget|could not be displayed|<style|:has"
)
# What Notebook 7 itself throws: it loads the settings of its shortcuts before those are there, and
# asks for a command of JupyterLab's that it lacks.
OF_NOTEBOOK_7 = {
    "page error: Cannot read properties of undefined (reading 'schema')",
    "page error: Command 'filebrowser:open-path' not registered.",
}
# 40 moves of a slider; tells how many pictures differed, and how often it rested meanwhile.
MOVES = """async root => {
    const slider = root.querySelector('input[aria-label^="noise"]'), pictures = new Set();
    const next = () => new Promise(requestAnimationFrame);
    let last = performance.now(), rests = 0;
    for (let place = 10; place < 50; place++) {
        slider.value = place;
        slider.dispatchEvent(new Event('input', {bubbles: true}));
        rests += performance.now() - last > 140;
        last = performance.now();
        await next();
        await next();
        pictures.add([...root.querySelectorAll('figure > svg')].map(node => node.innerHTML).join());
    }
    return [pictures.size, rests];
}"""
# The verdict that is shown in the very frame of a move.
AT_ONCE = """root => {
    const {stage} = root.parentElement;
    stage.controls.noise.place = 3;
    stage.frame();
    return root.dataset.proof;
}"""
RECONNECT = "void jupyterapp.shell.currentWidget.sessionContext.session.kernel.reconnect()"
RESTART = "jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
SHUTDOWN = "jupyterapp.shell.currentWidget.sessionContext.shutdown()"
SAVE = "jupyterapp.commands.execute('docmanager:save')"
SAVED = "!jupyterapp.shell.currentWidget.context.model.dirty"
KEEP_STATE = "jupyterapp.commands.execute('@jupyter-widgets/jupyterlab-manager:saveWidgetState')"


class InPage:
    """One explorer of a page."""

    def __init__(self, page, script, number=0):
        self.root = page.locator(f".explorer[data-script={script}]").nth(number)
        self.sentence = self.root.locator(".said")

    def slider(self, name):
        return self.root.get_by_role("slider", name=name).first  # that of the strip

    def step(self, name, key="ArrowRight"):
        """Move a slider by key; the picture follows."""
        before = self.pictures()
        self.slider(name).focus()
        self.slider(name).press(key)
        self.root.page.wait_for_function(
            "([root, before]) => root.querySelector('.panels').innerHTML !== before",
            arg=[self.root.element_handle(), before],
        )

    def pictures(self):
        return self.root.locator(".panels").inner_html()

    def says(self, text):
        expect(self.sentence).to_contain_text(text, timeout=DRAW_MS)

    def shows(self, kind):
        """Wait until the verdict is of a kind."""
        expect(self.root).to_have_attribute("data-proof", kind, timeout=DRAW_MS)


@pytest.fixture
def run(lab, open_notebook):
    """Return a function that opens a notebook of some cells, runs it and returns it."""

    def runner(name, cells, theme="light"):
        lab.write(name, cells)
        notebook = open_notebook(name, theme)
        notebook.run_all()
        assert notebook.kernel_errors() == []
        return notebook

    return runner


def shown(page, output=".jp-OutputArea-child"):
    """Return for each cell with an explorer which of its outputs can be seen."""
    return page.evaluate(
        """output => [...document.querySelectorAll(output)].filter(node => node.checkVisibility())
            .map(node => node.querySelector('.explorer') ? 'explorer'
                : node.querySelector('img') ? 'picture'
                : node.querySelector('.explorer-still') ? 'caption' : node.innerText.trim())
            .filter(text => text)""",
        output,
    )


def test_moves_are_drawn_in_the_page_and_one_message_follows(run):
    notebook = run("moves", TWO)
    explorer = InPage(notebook.page, "noise")
    before = notebook.messages()
    pictures, rests = explorer.root.evaluate(MOVES)
    assert pictures == 40
    explorer.says(f"{AGREES}: it makes these points.")
    assert 1 <= notebook.messages() - before <= 1 + rests
    assert notebook.ask("print(noise.settings['noise'])") == "2.45\n"
    assert explorer.root.evaluate(AT_ONCE) == "page", "a verdict is for its settings alone"
    explorer.says(AGREES)
    hero = InPage(notebook.page, "line_surface")
    hero.step("weight")
    assert "Your code" not in hero.sentence.inner_text()
    assert shown(notebook.page) == ["explorer"] * 2
    assert notebook.hosts == {"127.0.0.1"}
    assert notebook.kernel_errors() == notebook.complaints == []


def test_a_broken_function_departs_and_its_path_is_drawn(run):
    right, wrong = TRAIN.format("optimizer.zero_grad()"), TRAIN.format("pass")
    show = "TrainingExplorer(train, [torch.optim.SGD])"
    notebook = run("departs", [IMPORTS, right, show, wrong, show])
    good, bad = (InPage(notebook.page, "training", number) for number in (0, 1))
    good.step("learning rate", "ArrowLeft")
    good.says(AGREES)
    expect(good.root.get_by_text("your loop", exact=True)).to_have_count(0)
    bad.step("learning rate", "ArrowLeft")
    bad.says("Your code departs: at step 2")
    expect(bad.root.get_by_text("your loop", exact=True)).to_be_visible()
    assert notebook.complaints == []


def test_a_function_that_fails_or_sleeps_takes_nothing_with_it(run):
    notebook = run("sleeps", TWO)
    explorer = InPage(notebook.page, "noise")
    stop = explorer.root.get_by_role("button", name="Stop")
    notebook.ask("how[0] = 'raises'")
    explorer.step("noise")
    explorer.says("Your code stopped: ValueError: no points today")
    notebook.ask("how[0] = 'sleeps'")
    explorer.step("noise")
    explorer.says("Your code runs")
    assert notebook.ask("print(6 * 7)") == "42\n", "the next cell is not blocked"
    explorer.shows("runs")
    explorer.step("noise")  # a newer move takes its place
    explorer.says("Your code runs")
    stop.focus()
    stop.press("Enter")
    explorer.says("Not compared: you stopped your code.")
    expect(stop).to_be_hidden()
    expect(explorer.root.locator("button:focus")).to_have_text("Reset")
    notebook.ask("how[0] = 'right'")
    explorer.step("noise")
    explorer.says(AGREES)
    assert notebook.kernel_errors() == notebook.complaints == []


def test_a_busy_kernel_is_told_and_compares_the_last_settings_once_it_is_free(run, tmp_path):
    notebook = run("busy", TWO)
    explorer, free = InPage(notebook.page, "noise"), tmp_path / "free"
    notebook.begin(f"while not os.path.exists({str(free)!r}): time.sleep(0.01)")
    explorer.step("noise")
    explorer.says(BUSY)
    explorer.step("weight")
    explorer.step("noise")
    explorer.says(BUSY)
    free.touch()
    explorer.says(AGREES)
    state = explorer.root.evaluate("root => root.parentElement.stage.state")
    assert notebook.ask("print(noise.page.proof['of'] == noise.state, noise.state)") == (
        f"True {state}\n"
    )


def test_a_lost_connection_is_told_and_the_last_settings_are_compared_once_it_is_back(run):
    notebook = run("away", TWO)
    explorer, page = InPage(notebook.page, "noise"), notebook.page
    explorer.step("noise")
    explorer.says(AGREES)
    page.context.set_offline(True)
    page.evaluate(RECONNECT)
    explorer.step("noise")
    explorer.says(AWAY)
    page.context.set_offline(False)
    page.evaluate(RECONNECT)  # JupyterLab does so itself, after ever longer pauses
    explorer.says(AGREES)


@pytest.mark.parametrize("how", ["restarted", "dead", "shut down"])
def test_a_page_goes_on_without_its_kernel_and_says_so(run, how):
    notebook = run("gone", TWO)
    explorer, page = InPage(notebook.page, "noise"), notebook.page
    explorer.step("noise")
    explorer.says(AGREES)
    if how == "dead":
        notebook.begin("os._exit(1)")
        page.locator(".jp-Dialog .jp-mod-accept").click()  # "Kernel Restarting"
    else:
        page.evaluate(RESTART if how == "restarted" else SHUTDOWN)
    explorer.step("noise")
    explorer.says(GONE)
    explorer.root.get_by_role("button", name="As PyTorch code").click()
    expect(explorer.root.locator("pre")).to_contain_text("run the cell again")
    explorer.step("weight")
    assert shown(page) == ["explorer"] * 2
    if how != "shut down":  # where JupyterLab would ask which kernel to start
        notebook.wait_for_kernel()
        notebook.run_again()
        expect(explorer.sentence).not_to_contain_text(GONE)
        explorer.step("noise")
        explorer.says(AGREES)
    assert notebook.complaints == []


@pytest.mark.parametrize("kept", ["nothing", "the state of widgets", "what is stored for all"])
def test_a_notebook_opened_tomorrow_has_one_picture(lab, open_notebook, run, kept):
    notebook = run("tomorrow", TWO)
    InPage(notebook.page, "noise").slider("noise").wait_for()
    alive = kept == "the state of widgets"
    if alive:
        notebook.page.evaluate(KEEP_STATE)
    notebook.page.evaluate(SAVE)
    notebook.page.wait_for_function(SAVED)
    notebook.close()
    file = lab.path("tomorrow")
    if kept == "what is stored for all":  # nobody here has run it: no style of ours, no script
        file.write_text(text_of(normalized(nbformat.read(file, 4))), encoding="utf-8")
    notebook = open_notebook("tomorrow")
    page = notebook.page
    if alive:
        explorer = InPage(page, "noise")
        explorer.step("noise")
        explorer.says(NEVER)
        assert shown(page) == ["explorer"] * 2
        page.evaluate(KEEP_STATE)  # off again, for the tests that follow
    else:
        captions = page.locator(".jp-OutputArea-child", has_text=STILL)
        expect(captions).to_have_count(2)
        expect(captions.last).to_be_visible()
        page.wait_for_function(  # JupyterLab looks for a widget that long
            "() => !document.body.textContent.includes('Loading widget')"
        )
        seen = [what for what in shown(page) if STILL not in what]
        assert seen in (["picture", "caption"] * 2, ["picture"] * 2)
        assert page.locator(".jp-RenderedImage img").first.evaluate("i => i.naturalWidth") > 300
    assert not FAILURES.search(page.locator(".jp-Notebook").inner_text())
    notebook.run_again()
    expect(page.locator(".explorer")).to_have_count(2, timeout=2 * DRAW_MS)
    explorer = InPage(page, "noise")
    explorer.step("noise")
    explorer.says(AGREES)
    assert shown(page) == ["explorer"] * 2
    assert [c for c in notebook.complaints if "widget model not found" not in c] == []


def test_notebook_7_moves_them_too(lab, open_notebook):
    lab.write("seven", TWO)
    notebook = open_notebook("seven", app="notebooks")
    notebook.run_again()
    explorer = InPage(notebook.page, "noise")
    explorer.step("noise")
    explorer.says(AGREES)
    InPage(notebook.page, "line_surface").step("weight")
    assert shown(notebook.page) == ["explorer"] * 2
    assert notebook.hosts == {"127.0.0.1"}
    assert set(notebook.complaints) <= OF_NOTEBOOK_7


def test_a_page_made_by_the_html_manager_moves_with_local_files_alone(chromium, tmp_path):
    page = chromium.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(write_page(executed(TWO), tmp_path).as_uri())
    explorer = InPage(page, "noise")
    explorer.step("noise")
    explorer.says(NEVER)
    hero = InPage(page, "line_surface")
    hero.step("weight")
    assert shown(page) == ["explorer"] * 2
    assert {url.split(":")[0] for url in asked} == {"file", "blob"}
    assert errors == []
    page.close()


@pytest.mark.parametrize("output", ["jp-OutputArea-child", "output_area", "output_container"])
@pytest.mark.parametrize(
    ("widget", "seen"),
    [
        ("<div class=explorer>alive</div>", ["explorer", "picture"]),
        ("Error displaying widget: model not found", ["picture", "caption", "picture"]),
    ],
)
def test_the_markup_of_every_front_end_has_one_picture(chromium, monkeypatch, output, widget, seen):
    """JupyterLab, nbclassic and VS Code; the next picture in the cell is another's."""
    told = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: told.append(data))
    still.show_still(Chart((Series("a", [0, 1], [0, 1]),), "x", "y", "Words <b> & $x$."))
    picture = "<img width=9 height=9 alt=''>"
    outputs = [widget, picture, told[1]["text/html"], picture]
    page = chromium.new_page()
    page.set_content("".join(f"<div class={output}>{html}</div>" for html in outputs))
    assert shown(page, f".{output}") == seen
    assert page.locator(".explorer-still").text_content() == f"Words <b> & $x$. {STILL}"
    page.close()


def test_the_theme_is_followed_while_it_is_open(run):
    notebook = run("themes", TWO, "dark")
    explorer = InPage(notebook.page, "noise")
    ground = "root => getComputedStyle(root).backgroundColor"
    dark = explorer.root.evaluate(ground)
    change = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
    notebook.page.evaluate(change, "JupyterLab Light")
    notebook.page.wait_for_function("document.body.dataset.jpThemeLight === 'true'")
    light = explorer.root.evaluate(ground)
    assert (brightness(dark), brightness(light)) == pytest.approx((0, 1), abs=0.2)
    notebook.page.evaluate(change, "JupyterLab Dark")
    notebook.page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    assert explorer.root.evaluate(ground) == dark


def brightness(color):
    return sum(float(part) for part in re.findall(r"[\d.]+", color)[:3]) / 3 / 255


def test_a_network_plays_while_another_cell_answers(run):
    notebook = run("plays", [IMPORTS, NETWORK, "live = NetworkExplorer(build, fit)\nlive"])
    explorer = InPage(notebook.page, "network")
    play = explorer.root.get_by_role("button", name="Play or pause training")
    epochs = "root => root.parentElement.stage.settings.epochs"
    before = explorer.root.evaluate(epochs)
    play.click()
    assert notebook.ask("print(6 * 7)") == "42\n"
    expect(play).to_have_attribute("aria-pressed", "true")
    notebook.page.wait_for_function(
        f"([root, n]) => ({epochs})(root) > n", arg=[explorer.root.element_handle(), before + 20]
    )
    play.click()
    explorer.says(AGREES)
    now, pictures = explorer.root.evaluate(epochs), explorer.pictures()
    assert notebook.ask("print(live.settings['epochs'])") == f"{now}\n"
    assert explorer.pictures() == pictures, "nothing moves after the pause"
    assert notebook.kernel_errors() == notebook.complaints == []
