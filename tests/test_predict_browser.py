"""Questions in real JupyterLab: answered wrong, then right, and no answer in sight before."""

import nbformat
import pytest
from playwright.sync_api import expect
from refresh import KEPT_METADATA
from screens import SCREEN, SEEN, around
from test_predict import asked_at

pytest_plugins = ["lab"]

WRONG = "`(50, 1)`"
CHOICE = {
    "ask": "Which shape has `y_flat - y_column`?",
    "right": "`(50, 50)`",
    "options": {
        "`(50,)`": "PyTorch does not read the column as a list.",
        "`(50, 1)`": "Dimensions are added on the left, so the list is taken for a row.",
        "`(50, 50)`": "Row and column are stretched until each value meets each other.",
    },
}
NUMBER = {
    "ask": "How many batches of 16 has an epoch of 200?",
    "answer": 13,
    "tolerance": 0,
    "unit": "batches",
    "why": "Twelve full batches take 192 points.",
    "low": "All points are served.",
    "high": "One batch at most is left unfilled.",
    "wrong": {"12.5": "There is no half batch."},
}
ORDER = {
    "ask": "Order the learning rates by the loss at the end, the lowest first.",
    "order": ["lr 0.1", "lr 0.9", "lr 0.002", "lr 1.0"],
    "why": "0.1 arrives in about 20 steps.",
    "early": {
        "lr 0.9": "A shorter one is there sooner.",
        "lr 0.002": "Its steps are short.",
        "lr 1.0": "It goes further off at each step.",
    },
}
CELLS = [
    f"from course_utils.predict import Prediction\n\nPrediction('choice', {CHOICE})",
    'tells_one = print("first", "answer")',
    "Reason one.",
    "Reason two.\n\n## Two more",
    'print("another", "output")',
    "## A section of its own",
    f"Prediction('number', {NUMBER})",
    *[f'tells_two = print("answer", {n})' for n in range(11)],
    "Reason three.",
    "## Another section",
    f"Prediction('order', {ORDER})",
    'tells_three = print("fourth", "answer")',
]
VEILED = [
    ["tells_one", "first answer", "Reason one", "Reason two"],
    ["tells_two", "answer 0", "answer 10", "Reason three"],
    ["tells_three", "fourth answer"],
]
NEVER_VEILED = ["another output", "A section of its own", "Another section"]
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


def open_questions(open_notebook, lab, theme, app="lab"):
    """Open a notebook that holds the three questions, as a teacher would have stored it."""
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    cells = [text(cell) if cell[0] in "#RA" else code(cell) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(metadata=KEPT_METADATA, cells=cells)
    nbformat.write(notebook, lab.path("questions"))
    notebook = open_notebook("questions", theme, app)
    notebook.run_all(show=False)
    asked = notebook.page.locator(".predict")
    expect(asked).to_have_count(3)
    return notebook, asked.all()


def veiled(notebook):
    """Return what cannot be seen of the notebook of three questions on a very high screen."""
    notebook.page.set_viewport_size({"width": 1366, "height": 3000})
    text = "\n".join(notebook.page.evaluate(SEEN))
    assert all(words in text for words in NEVER_VEILED)
    return [words for group in VEILED for words in group if words not in text]


def says(question, mark, reason):
    expect(question.get_by_role("status")).to_contain_text(mark)
    expect(question.get_by_role("status")).to_contain_text(reason.replace("`", ""))


@pytest.mark.parametrize(("theme", "learner"), [("light", ByKey), ("dark", ByMouse)])
def test_questions_are_answered_wrong_and_then_right(open_notebook, lab, theme, learner):
    notebook, (choice, number, order) = open_questions(open_notebook, lab, theme)
    learner = learner(notebook.page)
    for question in (choice, number, order):
        says(question, "Not answered.", "")
    learner.choose(choice, WRONG.strip("`"))
    says(choice, "✖ No.", CHOICE["options"][WRONG])
    learner.choose(choice, CHOICE["right"].strip("`"))
    says(choice, "✔ Right.", CHOICE["options"][CHOICE["right"]])

    learner.type(number, "12.5")
    says(number, "✖ No.", NUMBER["wrong"]["12.5"])
    learner.type(number, "13")
    says(number, "✔ Right.", NUMBER["why"])

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
    texts = notebook.page.locator(".jp-OutputArea .jp-RenderedMarkdown")
    assert texts.count() == 3
    assert not any(text.is_visible() for text in texts.all()), "the live question takes its place"
    assert notebook.unpainted() == []
    assert notebook.cut_off(700) == []
    assert notebook.theme() == theme
    assert notebook.kernel_errors() == []
    assert notebook.hosts == {"127.0.0.1"}
    assert notebook.complaints == []


@pytest.mark.parametrize(("theme", "app"), [("dark", "lab"), ("light", "notebooks")])
def test_what_answers_a_question_is_veiled_until_then(open_notebook, lab, theme, app):
    notebook, (choice, number, order) = open_questions(open_notebook, lab, theme, app)
    page = notebook.page
    one, two, three = VEILED
    assert veiled(notebook) == one + two + three
    for words in (text for text in one + two + three if "answer" in text):
        assert not page.get_by_text(words, exact=True).is_visible(), "for a screen reader"
    ByMouse(page).choose(choice, WRONG.strip("`"))
    says(choice, "✖ No.", CHOICE["options"][WRONG])
    assert veiled(notebook) == two + three

    number.get_by_role("spinbutton").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    says(number, "The answer:", f"13 {NUMBER['unit']}. {NUMBER['why']}")
    assert veiled(notebook) == three
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    expect(number.get_by_role("status")).to_have_text("Not answered. ")
    notebook.wait_for_kernel()
    assert veiled(notebook) == one + two + three, "who runs the question again is asked again"
    notebook.begin("import os; os._exit(1)")
    page.locator(".jp-Dialog .jp-mod-accept").click()  # "Kernel Restarting"
    for question in (choice, number, order):
        question.get_by_role("button", name="Show me").click()
    assert veiled(notebook) == [], "without a kernel"
    for question in (choice, number, order):
        says(question, "Not answered.", "run this cell again")


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "On average the zookeeper misses by 0.1743 kg."),
        (2, "## Which wins?\n\nIt has to be said: The lazy one's."),
        (2, ""),
    ],
    ids=["before", "behind", "unveiled"],
)
def test_a_notebook_that_tells_is_noticed(open_notebook, lab, at, text):
    cells = nbformat.read(lab.path("00_start_here"), as_version=4).cells
    if text:
        cells.insert(asked_at("lazy rule", cells) + at, nbformat.v4.new_markdown_cell(text))
    told = nbformat.v4.new_notebook(metadata=KEPT_METADATA, cells=cells)
    nbformat.write(told, lab.path("told"))
    notebook = open_notebook("told", new=True)
    notebook.page.set_viewport_size(SCREEN)
    assert (around(notebook, ["lazy rule"], cells, "told") == []) == (not text)
    if not text:
        notebook.kept = False  # a page without its veil is of use to nobody
        notebook.page.evaluate("document.querySelector('link[href$=\"veil.css\"]').remove()")
        assert around(notebook, ["lazy rule"], cells, "told") != []
