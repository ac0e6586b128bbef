"""Every explorer in real JupyterLab: moved by key and mouse, re-opened, healed by a restart."""

import re

import pytest
from playwright.sync_api import expect

pytest_plugins = ["lab"]

DRAWN = """root => [...root.querySelectorAll('.bqplot.figure g[clip-path]')]
    .map(marks => marks.innerHTML).join()"""
LEGENDS = """root => [...root.querySelectorAll('.g_legend')].map(legend =>
    [...legend.querySelectorAll('.legendtext')].map(name => [name.textContent, name.style.fill]))"""
# what a screen reader says of each slider, and what stands beside it
SPOKEN = """root => [...root.querySelectorAll('[role=slider], input[type=range]')].map(handle =>
    [handle.getAttribute('aria-valuetext'),
     handle.closest('.widget-slider, .widget-hslider, .explorer-slider')
         .querySelector('.widget-readout, output').textContent.trim()])"""
# notebook, number of the explorer in it, the control that is moved
SLIDERS = [
    ("00_start_here", 0, "weight"),
    ("01_data", 0, "noise"),
    ("02_dataset_dataloader", 0, "step"),
    ("02_dataset_dataloader", 1, "curvature"),
    ("03_models", 0, "bias"),
    ("06_evaluation", 0, "degree"),
]
STATES = ("agrees", "shown")  # at rest, and what is shown was computed by the learner's code


class InPage:
    """One explorer of an open notebook."""

    def __init__(self, notebook, number):
        self.notebook, self.page = notebook, notebook.page
        self.status = self.page.locator(".explorer-page").nth(number)
        self.root = self.status.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')][1]")
        self.root.scroll_into_view_if_needed()
        self.wait_until_it_rests()

    def wait_until_it_rests(self):
        states = ", ".join(f'[data-state="{state}"]' for state in STATES)
        self.page.wait_for_function(
            "([node, states]) => node.matches(states)", arg=[self.status.element_handle(), states]
        )

    def state(self):
        """Return the summary and all drawn marks."""
        return self.status.get_by_role("status").text_content(), self.root.evaluate(DRAWN)

    def changes_by(self, move):
        """Do the move and wait until summary and marks differ and rest; return the summary."""
        text, drawn = self.state()
        move()
        status = self.status.get_by_role("status").element_handle()
        self.page.wait_for_function(
            "([node, text]) => node.textContent !== text", arg=[status, text]
        )
        self.wait_until_it_rests()
        self.page.wait_for_function(
            f"([root, drawn]) => ({DRAWN})(root) !== drawn", arg=[self.root.element_handle(), drawn]
        )
        self.speaks_what_it_shows()
        return self.state()[0]

    def speaks_what_it_shows(self):
        values = self.root.evaluate(SPOKEN)
        assert [spoken for spoken, _ in values] == [shown for _, shown in values]
        number = re.compile("[-\\u2212]?" r"[\d,]+(\.\d{1,5})?")
        assert all(number.fullmatch(spoken) for spoken, _ in values), values

    def slider(self, name):
        return self.root.get_by_role("slider", name=name, exact=True)


def keys_for(slider):
    """Return the keys that move a slider away and back again."""
    at_the_end = slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
    return ("ArrowLeft", "ArrowRight") if at_the_end else ("ArrowRight", "ArrowLeft")


def follows(explorer, slider):
    """Move a slider by key, there and back, and by mouse."""
    before, keys = explorer.state()[0], keys_for(slider)
    for key in keys:
        after = explorer.changes_by(lambda key=key: explorer.notebook.press(slider, key))
    assert told(after) == told(before), "the same settings tell the same"
    box = slider.bounding_box()
    explorer.changes_by(lambda: drag(explorer.page, box, 40 if keys[0] == "ArrowRight" else -40))


def told(text):
    """Return the sentences of a summary but for the record, which a visit may have raised."""
    return [sentence for sentence in text.split(". ") if not sentence.startswith("Record")]


def drag(page, box, pixels):
    """Drag a handle to the right; a native range input is as wide as its track."""
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + pixels, y, steps=8)
    page.mouse.up()


@pytest.mark.parametrize(("name", "number", "control"), SLIDERS)
def test_explorer_follows_keyboard_and_mouse(open_notebook, name, number, control):
    notebook = open_notebook(name, "light")
    notebook.run_all()
    explorer = InPage(notebook, number)
    follows(explorer, explorer.slider(control))
    assert notebook.kernel_errors() == []
    assert notebook.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_drawn_line_is_the_one_that_the_summary_tells(open_notebook, theme):
    notebook = open_notebook("01_data", theme)
    notebook.run_all()
    explorer = InPage(notebook, 0)
    figure = explorer.root.locator(".bqplot.figure").first
    figure.scroll_into_view_if_needed()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
        text = explorer.changes_by(lambda key=key: notebook.press(explorer.slider("weight"), key))
        weight, bias = (
            float(value) for value in re.findall(r"(?:weight|bias) (-?[\d.]+)", text)[:2]
        )
        lines = notebook.drawn_lines(figure)
        ends = [(line[0], line[-1]) for line in lines]
        slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in ends]
        heights = [y0 - slope * x0 for ((x0, y0), _), slope in zip(ends, slopes, strict=True)]
        drawn = zip(slopes, heights, strict=True)
        assert any(abs(s - weight) < 0.05 and abs(h - bias) < 0.15 for s, h in drawn), text


def test_training_follows_one_slider_after_the_other(open_notebook):
    """Learning rate and epochs move in the page, noise in the kernel; each hears of the others."""
    notebook = open_notebook("05_training_loop", "light")
    notebook.run_all()
    explorer = InPage(notebook, 0)
    for control in ("learning rate", "epochs", "noise"):
        follows(explorer, explorer.slider(control))
    lr, epochs = explorer.slider("learning rate"), explorer.slider("epochs")
    limit = explorer.root.get_by_text(re.compile(r"^limit 0\.\d+$"))
    legends = explorer.root.locator(".g_legend", has_text="stable limit")
    expect(limit).to_be_visible()
    expect(legends).to_have_count(1)
    loss = explorer.root.get_by_label("loss")
    for choice, count in (("L1Loss", 0), ("MSELoss", 1)):
        explorer.changes_by(lambda choice=choice: loss.select_option(choice))
        expect(legends).to_have_count(count)
        expect(limit).to_be_visible(visible=bool(count))
        expect(explorer.root.get_by_text(f"{choice[:-4]} loss (")).to_have_count(2)
    drag(explorer.page, thumb(lr), -40)
    drag(explorer.page, thumb(epochs), -40)
    text = explorer.changes_by(lambda: notebook.press(explorer.slider("noise"), "ArrowRight"))
    for slider, words in ((lr, "lr {}, "), (epochs, ", {} epoch")):
        assert words.format(slider.get_attribute("aria-valuetext")) in text
    play = explorer.root.get_by_role("button", name="Play to epoch")
    pause = explorer.root.get_by_role("button", name="Pause")
    goal = play.inner_text()
    for ending in (pause, explorer.status.get_by_role("button", name="Reset")):
        play.click()  # twice in mid-run, then to the end
        pause.wait_for()
        ending.click()
        play.wait_for()
    expect(play).not_to_have_text(goal)  # reset puts the epochs back
    explorer.wait_until_it_rests()
    text = explorer.state()[0]
    lr.focus()
    lr.press("ArrowRight")
    explorer.status.get_by_role("button", name="Reset").click()
    explorer.wait_until_it_rests()
    assert explorer.state()[0] == text, "reset takes along what the kernel had not heard of"
    play.click()
    play.wait_for()
    explorer.wait_until_it_rests()
    assert explorer.state()[0] == text, "at the end of the run the kernel's words are back"
    assert notebook.kernel_errors() == []
    assert notebook.complaints == []


def test_a_legend_stays_when_the_data_move(open_notebook):
    notebook = open_notebook("01_data", "light")
    notebook.run_all()
    explorer = InPage(notebook, 0)
    drawn = explorer.root.evaluate(LEGENDS)
    assert any(len(names) > 1 for names in drawn)
    assert all(color for names in drawn for _, color in names)
    noise = explorer.slider("noise")
    away, back = keys_for(noise)
    explorer.changes_by(lambda: notebook.press(noise, away))  # after it bqplot leaves them alone
    legends = explorer.root.locator(".g_legend").element_handles()
    explorer.changes_by(lambda: notebook.press(noise, back))
    assert explorer.root.evaluate(LEGENDS) == drawn
    assert all(legend.evaluate("node => node.isConnected") for legend in legends)


def thumb(slider):
    """Return the box of a range input's handle."""
    box, (value, most) = slider.bounding_box(), slider.evaluate("node => [node.value, node.max]")
    return box | {"width": 16, "x": box["x"] + int(value) / int(most) * (box["width"] - 16)}


def test_the_steps_of_notebook_04_are_clicked(open_notebook):
    notebook = open_notebook("04_loss_and_gradients", "light")
    notebook.run_all()
    explorer = InPage(notebook, 0)
    for line in ("zero_grad()", "model(", "loss_fn(", "backward()", "optimizer.step()"):
        button = explorer.root.get_by_role("button", name=re.compile(re.escape(line))).first
        before = explorer.status.get_by_role("status").text_content()
        button.focus()
        button.press("Enter")
        node = explorer.status.get_by_role("status").element_handle()
        explorer.page.wait_for_function(
            "([node, text]) => node.textContent !== text", arg=[node, before]
        )
    assert notebook.kernel_errors() == []
    assert notebook.complaints == []


ANSWER = """async code => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const request = kernel.requestExecute({code});
    let told = '';
    request.onIOPub = message => { told += message.content.text ?? ''; };
    await request.done;
    return told;
}"""


def test_a_network_plays_while_another_cell_answers(open_notebook):
    """Play by key, ask the kernel, move a slider, pause by mouse; then nothing moves any more."""
    notebook = open_notebook("08_neural_networks", "light")
    notebook.run_all()
    node = InPage(notebook, 0)
    follows(node, node.slider("bias b"))
    explorer = InPage(notebook, 1)
    explorer.status.get_by_role("button", name="Reset").click()
    status = explorer.status.get_by_role("status")
    expect(status).to_contain_text("epoch 0:")
    notebook.press(explorer.root.get_by_role("button", name="Play"), "Enter")
    expect(status).to_contain_text(re.compile(r"trains\. .* epoch \d\d\d"))
    assert explorer.page.evaluate(ANSWER, "print(6 * 7, live._playing)") == "42 True\n"
    notebook.press(explorer.slider("width"), "ArrowRight")
    expect(status).to_contain_text(re.compile(r"trains\. tanh, width 9, .* epoch \d\d"))
    before = explorer.root.evaluate(DRAWN)
    explorer.root.get_by_role("button", name="Pause").click()
    explorer.wait_until_it_rests()
    text, drawn = explorer.state()
    assert drawn != before
    told = explorer.page.evaluate(ANSWER, "live.settle(); print(live.page.text)")
    assert told.startswith(text.strip())
    assert explorer.state() == (text, drawn), "nothing moves after the pause"
    assert "trains" not in explorer.changes_by(
        lambda: explorer.root.get_by_role("button", name="Step").click()
    )
    assert notebook.kernel_errors() == []
    assert notebook.complaints == []


def test_own_points_are_typed_and_clicked(open_notebook):
    notebook = open_notebook("05_training_loop", "light")
    notebook.run_all()
    explorer = InPage(notebook, 1)
    table = explorer.root.get_by_role("textbox").first

    def type_a_point():
        table.focus()
        table.press("Control+End")
        table.type("\n0.5, 3")
        table.press("Tab")

    assert "51 points" in explorer.changes_by(type_a_point)
    plane = explorer.root.locator(".bqplot.figure .plotarea_events, .bqplot.figure rect").first
    explorer.changes_by(lambda: plane.click(position={"x": 120, "y": 60}, force=True))
    assert "52 points" in explorer.state()[0]


@pytest.mark.parametrize("name", ["00_start_here", "06_evaluation"])
def test_a_saved_notebook_shows_the_still_picture_and_a_restart_heals(open_notebook, name):
    notebook = open_notebook(name, "light")
    notebook.run_all()
    InPage(notebook, 0)
    notebook.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    notebook.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    notebook.close()
    again = open_notebook(name, "light")
    cell = again.page.locator(".jp-Cell", has_text=re.compile(r"Explorer\(.*\)\s*explorer")).first
    cell.scroll_into_view_if_needed()
    picture = cell.locator(".jp-RenderedImage img")
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 300
    assert cell.locator(".explorer-page").count() == 0
    again.run_all()
    explorer = InPage(again, 0)
    slider = explorer.root.get_by_role("slider").first
    explorer.changes_by(lambda: again.press(slider, keys_for(slider)[0]))
    assert not picture.is_visible(), "the live explorer takes its place"
