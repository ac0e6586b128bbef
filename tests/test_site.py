"""The web edition, in a real Chromium: from a server with a strict policy, and from files alone."""

import functools
import html
import http.server
import itertools
import json
import random
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from pages import Node
from playwright.sync_api import expect
from refresh import LESSON_PATHS

from course_utils.explorers.still import LIVE
from course_utils.predict import judge, questions, solution

pytest_plugins = ["lab"]

ROOT = Path(__file__).resolve().parent.parent
NAMES = [path.stem for path in LESSON_PATHS]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
PREFIX = "/some/prefix"
OUTSIDE = ("http:", "https:", "mailto:")
ALIVE = """async () => {
    for (const place of document.querySelectorAll('.live')) {
        place.scrollIntoView();
        const end = performance.now() + 30000;
        while (place.dataset.alive === undefined) {
            if (performance.now() > end) throw new Error(`${place.id} does not come to life`);
            await new Promise(requestAnimationFrame);
        }
    }
    scrollTo(0, 0);
}"""
TOLD = "document.getElementById('toast').textContent"
UNTIL = """async () => {
    const end = performance.now() + 30000;
    while (!(%s)) {
        if (performance.now() > end) throw new Error('it did not come');
        await new Promise(requestAnimationFrame);
    }
}"""
STAGES = """() => [...document.querySelectorAll('.live')].map((place) => {
    const {stage} = place.querySelector('.explorer').parentNode;
    return {id: place.id, script: stage.root.dataset.script, settings: stage.settings,
            given: stage.given, state: stage.state, said: stage.said.textContent};
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "made"
    command = [sys.executable, ROOT / "site/build.py", folder]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert said.returncode == 0, said.stderr
    return folder


def until(page, condition):
    """Wait for a condition; Playwright's own way needs `eval`, which the policy forbids."""
    page.evaluate(UNTIL % condition)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site under a prefix, with a policy that lets nothing in from elsewhere."""

    def translate_path(self, path):
        return super().translate_path(path.removeprefix(PREFIX))

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Handler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}/"
        server.shutdown()


class Reader:
    """A browser that notes what goes wrong."""

    def __init__(self, browser, **options):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        self.page, self.complaints = self.context.new_page(), []
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("console", self._console)
        self.page.on("requestfailed", self._failed)

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _failed(self, request):
        if request.failure != "net::ERR_ABORTED":  # the page was left meanwhile
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def open(self, url):
        self.page.goto(url)
        return self.page

    def unveil(self):
        """Answer all questions by "Show me"."""
        for button in self.page.get_by_role("button", name="Show me").all():
            button.click()

    def stages(self):
        """Bring all explorers to life and return what they show."""
        self.unveil()
        self.page.evaluate(ALIVE)
        return self.page.evaluate(STAGES)


@pytest.fixture
def reader(chromium):
    made = Reader(chromium.browser)
    yield made
    made.context.close()
    assert made.complaints == []


@pytest.fixture(scope="module")
def node():
    process = Node()
    yield process
    process.close()


def stored(name):
    """Return the explorers that the notebook's file holds."""
    cells = nbformat.read(ROOT / f"notebooks/{name}.ipynb", as_version=4).cells
    outputs = itertools.chain.from_iterable(cell.get("outputs", []) for cell in cells)
    return [json.loads(o.data[LIVE]) for o in outputs if LIVE in o.get("data", {})]


def value_of(control):
    """Return what a control's model says, as the page understands it."""
    if "_options_labels" not in control:
        return control["value"]
    label = control["_options_labels"][control["index"]]
    try:
        return float(label)
    except ValueError:
        return label


# The words of an explorer that its own edge cuts off.
CUT = """() => [...document.querySelectorAll('.explorer')].flatMap(box => {
    const edge = box.getBoundingClientRect().right;
    return [...box.querySelectorAll('b, small, p, button, label')].filter(node =>
        !node.closest('.spoken') && node.getBoundingClientRect().right > edge)
        .map(node => node.textContent);
})"""


# Keep the color of one word of each kind in code; thousands more would look alike to axe.
ONE_OF_EACH = """() => {
    const kept = new Set();
    for (const word of document.querySelectorAll('pre span:not(:has(*))')) {
        const {color, opacity} = getComputedStyle(word);
        const kind = String([word.className, color, opacity, word.closest('pre').className]);
        if (kept.has(kind)) word.replaceWith(word.textContent);
        else kept.add(kind);
    }
    document.body.normalize();
}"""


@pytest.mark.parametrize("name", NAMES)
def test_every_explorer_of_a_page_shows_what_its_notebook_holds(reader, address, node, name):
    reader.open(f"{address}{name}.html")
    shown = reader.stages()
    kept = stored(name)
    assert [one["script"] for one in shown] == [one["explorer"] for one in kept]
    for one, held in zip(shown, kept, strict=True):
        assert one["settings"] == {key: value_of(c) for key, c in held["controls"].items()}
        assert one["given"] == held["given"]
        question = {"explorer": held["explorer"], "settings": one["settings"]}
        node.process.stdin.write(json.dumps(question | {"given": held["given"]}) + "\n")
        node.process.stdin.flush()
        sentence = json.loads(node.process.stdout.readline())["sentence"]
        assert one["said"].startswith(sentence.replace("**", ""))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_opens_as_a_file_and_every_explorer_moves(reader, site, name):
    reader.open((site / f"{name}.html").as_uri())
    before = reader.stages()
    for one in before:
        place = reader.page.locator(f"[id='{one['id']}']")
        handle = place.locator("input[type=range], [role=slider]").first
        handle.focus()
        handle.press("ArrowRight")
        handle.press("ArrowUp")
    after = reader.page.evaluate(STAGES)
    assert all(a["state"] != b["state"] for a, b in zip(before, after, strict=True))


def test_all_pages_fit_and_axe_finds_nothing(reader, site, address):
    found = []
    for path in sorted(site.glob("*.html")):
        page = reader.open(address + path.name)
        page.evaluate(ALIVE)
        for width in (390, 768, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
                found.append((path.name, width, wide))
            found += [(path.name, width, words) for words in page.evaluate(CUT)]
        page.evaluate(ONE_OF_EACH)
        for theme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
            page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            answer = Axe().run(page, options={"resultTypes": ["violations"]} | rules)
            found += [
                (path.name, theme, broken["id"], node["html"][:160])
                for broken in answer.response["violations"]
                for node in broken["nodes"]
            ]
    assert found == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_holds_all_that_its_notebook_printed(site, name):
    text = html.unescape(re.sub(r"<[^>]*>", "", (site / f"{name}.html").read_text("utf-8")))
    cells = nbformat.read(ROOT / f"notebooks/{name}.ipynb", as_version=4).cells
    outputs = list(itertools.chain.from_iterable(cell.get("outputs", []) for cell in cells))
    printed = [output.text.rstrip() for output in outputs if output.output_type == "stream"]
    results = [o.data for o in outputs if o.output_type == "execute_result"]
    printed += [data["text/plain"] for data in results if "text/html" not in data]
    assert printed
    assert [lines for lines in printed if lines not in text] == []
    drawn = sum("image/png" in output.get("data", {}) for output in outputs)
    assert (site / f"{name}.html").read_text("utf-8").count("<figure>") == drawn


def test_a_page_asks_for_nothing_that_only_jupyterlab_can(site):
    for name in NAMES:
        text = (site / f"{name}.html").read_text("utf-8")
        assert "Shift+Enter" not in text
        assert "google.colab" not in text


def test_links_lead_to_what_is_there(site):
    pages = {path.name: path.read_text("utf-8") for path in site.glob("*.html")}
    ids = {
        name: {html.unescape(one) for one in re.findall(r'\bid="([^"]+)"', text)}
        for name, text in pages.items()
    }
    broken = []
    for name, text in pages.items():
        for link in map(html.unescape, re.findall(r'(?:href|src)="([^"]+)"', text)):
            if link.startswith(OUTSIDE):
                continue
            parts = urlsplit(link)
            target = parts.path or name
            place = unquote(parts.fragment)
            if not (site / target).is_file() or (place and place not in ids[target]):
                broken.append((name, link))
    assert broken == []


# --- questions -----------------------------------------------------------------------------------


def answers_to(question):
    """Return all options or orders of a question, or numbers on every side of what it knows."""
    if "options" in question:
        return list(question["options"])
    if "order" in question:
        return [list(order) for order in itertools.permutations(question["order"])]
    right, width = question["answer"], question["tolerance"]
    known = [float(number) for number in question["wrong"]]
    around = [right + k * width for k in (-3, -1.01, -1, -0.99, 0, 0.99, 1, 1.01, 3)]
    near = [n * factor for n in known for factor in (1, 0.98, 0.995, 1.005, 1.02)]
    return [*around, *near, *(random.Random(420).uniform(-10, 10) * abs(right) for _ in range(20))]


def test_the_page_judges_as_python_does(reader, address):
    page = reader.open(address + NAMES[0] + ".html")
    for name, question in questions().items():
        answers = answers_to(question)
        told = question | {"solution": solution(question)}
        ask = "([told, answers]) => answers.map((one) => judgeOfTheCourse(told, one))"
        found = page.evaluate(ask, [told, answers])
        expected = [list(judge(question, one)) for one in answers]
        assert found == expected, name


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_waits_and_stays(reader, site, address, name):
    text = (site / f"{name}.html").read_text("utf-8")
    page = reader.open(f"{address}{name}.html")
    assert page.locator(".veiled").count() == text.count('class="card ask"') > 0
    assert page.locator(".veiled :is(.cell, .prose, figure, .live)").count() == 0
    first = page.locator(".ask").first
    first.get_by_role("button", name="Show me").click()
    said = first.get_by_role("status").inner_text()
    assert said.startswith("The answer:")
    assert said not in text
    assert page.locator(".veiled.answered").count() == 1
    page.reload()
    assert page.locator(".veiled.answered").count() == 1
    assert page.locator(".ask").first.get_by_role("status").inner_text() == said
    page.get_by_role("button", name="Erase it").click()
    page.reload()
    assert page.locator(".veiled.answered").count() == 0


def test_without_javascript_all_can_be_read(chromium, address):
    reader = Reader(chromium.browser, java_script_enabled=False)
    page = reader.open(f"{address}06_settings.html")
    hidden = [
        part.inner_text()[:80]
        for part in page.locator(".veiled :is(.cell, .prose), .live img, .ask .stands").all()
        if not part.is_visible()
    ]
    reader.context.close()
    assert hidden == []
    assert reader.complaints == []


# --- states in the address -----------------------------------------------------------------------


def settings_of(page, place="training"):
    return page.evaluate(
        f"document.getElementById('{place}').querySelector('.explorer').parentNode.stage.settings"
    )


def test_a_link_opens_a_state_and_back_returns(reader, address):
    page = reader.open(f"{address}index.html#training:lr=0.3&epochs=50&noise=0.5")
    page.wait_for_url("**/*.html#training:*")
    page.wait_for_selector("#training[data-alive]")
    until(page, "document.getElementById('training').contains(document.activeElement)")
    there = settings_of(page)
    assert (there["lr"], there["epochs"], there["noise"]) == (0.3, 50, 0.5)
    slider = page.locator("#training input[type=range]").first
    before = page.url
    slider.focus()
    slider.press("ArrowRight")
    until(page, f"location.href !== {json.dumps(before)}")
    moved, address_then = settings_of(page), page.url
    assert moved != there
    page.reload()
    page.wait_for_selector("#training[data-alive]")
    assert page.evaluate(TOLD) == ""
    assert settings_of(page) == moved
    assert page.url == address_then


def test_back_takes_a_move_back(reader, address):
    page = reader.open(f"{address}index.html")
    page.wait_for_selector("#line_surface[data-alive]")
    start = settings_of(page, "line_surface")
    number = page.locator("#line_surface [role=slider]").first
    number.focus()
    number.press("ArrowUp")
    until(page, "location.hash.startsWith('#line_surface:')")
    assert settings_of(page, "line_surface") != start
    page.go_back()
    until(page, "!location.hash")
    assert settings_of(page, "line_surface") == start


def test_the_link_is_copied_and_is_that_of_python(chromium, address):
    from course_utils.explorers.line_surface import LineSurfaceExplorer

    reader = Reader(chromium.browser, permissions=["clipboard-read", "clipboard-write"])
    page = reader.open(f"{address}index.html#line_surface:weight=0.5&bias=4.2")
    page.wait_for_selector("#line_surface[data-alive]")
    page.get_by_role("button", name="Copy link").click()
    until(page, TOLD)
    copied = page.evaluate("navigator.clipboard.readText()")
    reader.context.close()
    explorer = LineSurfaceExplorer(weight=0.5, bias=4.2)
    assert copied == f"{address}index.html#line_surface:{explorer.state}"
    assert explorer.link.endswith(f"/#line_surface:{explorer.state}")


@pytest.mark.parametrize(
    "hostile",
    [
        "training:lr=<img src=x onerror=alert(1)>",
        "training:lr=banana&noise=0.2",
        "training:constructor=1&__proto__=2&toString=3",
        "__proto__:lr=1",
        "training:lr=1e999&epochs=-5&loss=%00",
        "nothing-9:lr=1",
        "training:" + "a" * 5000,
    ],
)
def test_a_hostile_link_runs_nothing_and_says_so(reader, address, hostile):
    dialogs = []
    reader.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page = reader.open(f"{address}06_settings.html#training:")
    page.wait_for_selector("#training[data-alive]")
    start = settings_of(page)
    page.goto(f"{address}06_settings.html#{hostile}")
    page.reload()
    if hostile.startswith(("training", "nothing")):
        until(page, TOLD)
    if hostile.startswith("training"):
        page.wait_for_selector("#training[data-alive]")
        known = {"noise": 0.2} if "noise=0.2" in hostile else {}
        assert settings_of(page) == start | known
    assert dialogs == []
    assert page.locator("img[src=x]").count() == 0
    if "banana" in hostile:
        assert "lr" in page.locator("#toast").inner_text()


def test_a_hostile_notebook_runs_nothing(chromium):
    sys.path.insert(0, str(ROOT / "site"))
    try:
        from markup import Links, markdown
    finally:
        sys.path.remove(str(ROOT / "site"))
    texts = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1)) <a href='javascript:alert(1)'>b</a>",
        "<details ontoggle=alert(1) open><summary>s</summary></details><style>*{}</style>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "$x <script>alert(1)</script>$",
    ]
    for text in texts:
        made = markdown(text, Links("https://example.org", {}))
        page = chromium.new_page()
        dialogs = []
        page.on("dialog", lambda dialog, kept=dialogs: (kept.append(1), dialog.dismiss()))
        page.set_content(made)
        for link in page.locator("a").all():
            link.click()
        for part in page.locator("*").all():
            names = part.evaluate("node => node.getAttributeNames().join(' ')")
            assert not re.search(r"\bon", names), made
        assert page.locator("script, style, iframe").count() == 0, made
        page.close()
        assert dialogs == []


# --- reading -------------------------------------------------------------------------------------


def test_search_theme_and_keys(reader, address):
    page = reader.open(f"{address}06_settings.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("/")
    page.keyboard.type("learning rate")
    expect(page.locator("#found a").first).to_have_attribute("href", "glossary.html#learning-rate")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert page.locator("#found").is_hidden()
    page.locator("#q").fill("xyzzy")
    page.wait_for_selector("#found p")
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator("[data-lesson='06_settings'].here").count() == 1
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_selector("[data-lesson='06_settings'].done")
    page = reader.open(f"{address}index.html")
    assert page.locator("#continue").inner_text() == "Continue with 06"


def test_a_word_shows_its_entry(reader, address):
    page = reader.open(f"{address}00_start_here.html")
    word = page.locator(".word").first
    entry = word.locator(".entry")
    assert not entry.is_visible()
    word.locator("a").focus()
    entry.wait_for(state="visible")
    assert len(entry.inner_text()) > 40


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    command = [sys.executable, ROOT / "site/build.py", tmp_path]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert said.returncode == 1
    assert "not empty" in said.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
