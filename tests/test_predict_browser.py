"""A question of each kind in real JupyterLab: answered wrong, then right, by key and by mouse."""

import nbformat
import pytest
from playwright.sync_api import expect
from refresh import KEPT_METADATA

pytest_plugins = ["lab"]

CELLS = [
    'from course_utils.predict import predict\n\npredict("flat minus column")',
    'predict("steps of an epoch")',
    'predict("four learning rates")',
]
# The lowest contrast of any text in a question with what is behind it.
CONTRAST = """() => {
    const channels = color => color.match(/[\\d.]+/g).map(Number);
    const luminance = color => channels(color).slice(0, 3).map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = node => {
        const color = getComputedStyle(node).backgroundColor;
        return (channels(color)[3] ?? 1) > 0 ? color : behind(node.parentElement);
    };
    const ratio = node => {
        const pair = [getComputedStyle(node).color, behind(node)].map(luminance);
        return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    };
    return Math.min(...[...document.querySelectorAll('.predict *')].map(ratio));
}"""


class ByKey:
    """A learner without a mouse."""

    def __init__(self, page):
        self.page = page

    def choose(self, question, option):
        radios = question.get_by_role("radio")
        radios.first.focus()
        self.page.keyboard.press("Space")
        wanted = question.get_by_role("radio", name=option, exact=True)
        for _ in range(radios.count()):
            if not wanted.is_checked():
                self.page.keyboard.press("ArrowDown")
        self.check(question)

    def type(self, question, number):
        question.get_by_role("spinbutton").focus()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(number)
        self.page.keyboard.press("Enter")

    def move_up(self, question, item, places):
        question.get_by_role("button", name=f"Move {item} up", exact=True).focus()
        for _ in range(places):
            self.page.keyboard.press("Enter")

    def check(self, question):
        """Walk on with Tab, up to the button; the focus is visible all the way."""
        inside = "node => node.contains(document.activeElement)"
        if not question.evaluate(inside):
            question.locator("input, button").first.focus()
        focused = None
        while focused != "Check":
            assert question.evaluate(inside)
            outline, focused = self.page.evaluate("""() => {
                const node = document.activeElement;
                return [getComputedStyle(node).outline, node.textContent];
            }""")
            assert " solid 3px" in outline, f"{outline} at {focused}"
            self.page.keyboard.press("Space" if focused == "Check" else "Tab")


class ByMouse:
    """A learner without a keyboard, but for typing numbers."""

    def __init__(self, page):
        self.page = page

    def choose(self, question, option):
        question.locator("label").get_by_text(option, exact=True).click()
        self.check(question)

    def type(self, question, number):
        question.get_by_role("spinbutton").fill(number)
        self.check(question)

    def move_up(self, question, item, places):
        for _ in range(places):
            question.get_by_role("button", name=f"Move {item} up", exact=True).click()

    def check(self, question):
        question.get_by_role("button", name="Check").click()


def open_questions(open_notebook, lab, theme):
    """Open a notebook that holds the three questions, as a teacher would have stored it."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    (folder,) = lab.folder.glob("*/notebooks")
    notebook = nbformat.v4.new_notebook(metadata=KEPT_METADATA, cells=cells)
    nbformat.write(notebook, folder / "questions.ipynb")
    notebook = open_notebook("questions", theme)
    notebook.run_all()
    questions = notebook.page.locator(".predict")
    expect(questions).to_have_count(3)
    return notebook, questions.all()


def says(question, mark, reason):
    expect(question.get_by_role("status")).to_contain_text(mark)
    expect(question.get_by_role("status")).to_contain_text(reason)


@pytest.mark.parametrize(("theme", "learner"), [("light", ByKey), ("dark", ByMouse)])
def test_questions_are_answered_wrong_and_then_right(open_notebook, lab, theme, learner):
    notebook, (choice, number, order) = open_questions(open_notebook, lab, theme)
    learner = learner(notebook.page)
    for question in (choice, number, order):
        says(question, "Not answered.", "")
    learner.choose(choice, "(50, 1)")
    says(choice, "✖ No.", "the list is taken for a row")
    learner.choose(choice, "(50, 50)")
    says(choice, "✔ Right.", "each value meets each other value")

    learner.type(number, "12.5")
    says(number, "✖ No.", "there is no half step")
    learner.type(number, "13")
    says(number, "✔ Right.", "Twelve full batches")

    learner.check(order)
    says(order, "✖ No.", "Too early: lr 0.9.")
    learner.move_up(order, "lr 0.1", 2)
    says(order, "Not answered.", "Now number 1 of 4: lr 0.1.")
    learner.move_up(order, "lr 1.0", 1)
    learner.check(order)
    says(order, "✖ No.", "Too early: lr 1.0.")
    learner.move_up(order, "lr 0.9", 1)
    learner.move_up(order, "lr 0.002", 1)
    learner.check(order)
    says(order, "✔ Right.", "0.1 arrives in about 20 steps")

    assert notebook.page.evaluate(CONTRAST) > 4.5
    texts = notebook.page.locator(".jp-RenderedMarkdown")
    assert texts.count() == 3
    assert not any(text.is_visible() for text in texts.all()), "the live question takes its place"
    assert notebook.unpainted() == []
    assert notebook.cut_off(700) == []
    assert notebook.theme() == theme
    assert notebook.kernel_errors() == []
    assert notebook.hosts == {"127.0.0.1"}
    assert notebook.complaints == []
