"""Slides of the notebooks, made by nbconvert and looked at in a real browser, without a network."""

import base64
import json
import re
import sys

import nbformat
import pytest
from refresh import LESSON_PATHS, ROOT

sys.path[:0] = [str(ROOT / "classroom"), str(ROOT / "classroom/soak")]

import hostile  # noqa: E402
import slides  # noqa: E402

pytest_plugins = ["lab"]

TYPES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
READY = """() => window.Reveal && Reveal.isReady() && window.MathJax && MathJax.startup?.promise"""
# Of each slide, with all its fragments: title, size of what it holds, and pictures without pixels.
MEASURED = """async () => {
    await MathJax.startup.promise;
    await document.fonts.ready;
    const scale = Reveal.getScale();
    return Reveal.getSlides().map(slide => {
        const {h, v} = Reveal.getIndices(slide);
        Reveal.slide(h, v, 99);
        const left = slide.getBoundingClientRect().left;
        const shown = [...slide.querySelectorAll('*')].filter(node => !node.closest('aside, svg'));
        const ends = shown.map(node => (node.getBoundingClientRect().left - left) / scale
            + Math.max(node.scrollWidth, node.getBoundingClientRect().width / scale));
        return {
            at: `${h}/${v} ${slide.querySelector('h1, h2, h3')?.textContent ?? ''}`,
            height: slide.scrollHeight,
            width: Math.max(...ends),
            blank: [...slide.querySelectorAll('img')].filter(image => !image.naturalWidth).length,
        };
    });
}"""


def kinds_of(notebook):
    return [cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook.cells]


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """Make the slides of all notebooks as the command does; return their folder."""
    target = tmp_path_factory.mktemp("a class") / "slides"
    slides.main([], target)
    return target


def is_inside(url):
    return url.startswith(("file:", "data:"))


@pytest.fixture
def page(chromium):
    """Return a page that notes what goes wrong in it, and every request that leaves the folder."""
    page = chromium.new_page()
    page.set_viewport_size(dict(zip(("width", "height"), slides.SIZE, strict=True)))
    page.wrong = wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url[:200]}"))
    page.on("console", lambda said: said.type in ("error", "warning") and wrong.append(said.text))
    page.on("request", lambda request: is_inside(request.url) or wrong.append(request.url))
    yield page
    page.close()


def opened(page, file):
    page.goto(file.as_uri())
    page.wait_for_function(READY)


@pytest.mark.parametrize("path", LESSON_PATHS, ids=lambda path: path.stem)
def test_every_cell_says_what_it_is_on_a_slide(path):
    notebook = nbformat.read(path, as_version=4)
    assert set(kinds_of(notebook)) <= TYPES
    begin = ["slide", "notes", "skip"]  # title, time, import cell
    if path == LESSON_PATHS[0]:
        begin = ["slide", "skip", "subslide", "fragment", "notes"]  # with a picture to move
    assert kinds_of(notebook)[: len(begin)] == begin
    for cell, kind in zip(notebook.cells, kinds_of(notebook), strict=True):
        assert cell.metadata["slideshow"].keys() == {"slide_type"}
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            assert kind == "slide", cell.source
        if cell.cell_type == "markdown" and cell.source.startswith("### "):
            assert kind == "subslide", cell.source
        if not slides.parts(cell):
            assert kind == "skip", "nothing of it would be seen"
    for cell, kind in zip(notebook.cells, kinds_of(notebook)[1:], strict=False):
        assert kind != "-" or not cell.source.startswith("predict("), "the answer would be seen too"


@pytest.mark.parametrize("path", LESSON_PATHS, ids=lambda path: path.stem)
def test_every_section_begins_a_slide_and_no_solution_is_shown(path):
    notebook = nbformat.read(path, as_version=4)
    parts = [part for cell in notebook.cells for part in slides.parts(cell)]
    for part in parts:
        kind = part.metadata["slideshow"]["slide_type"]
        if part.cell_type != "markdown" or kind == "skip":
            continue
        level = re.match(r"#* ?", part.source)[0].strip()
        assert (kind == "slide") == (level in ("#", "##")), part.source
        assert not re.search(r"^## ", part.source[3:], re.M)
        assert "<details>" not in part.source
        assert not re.search(r"\]\((?!https://|\w+\.html)", part.source), part.source
    assert len({part.id for part in parts}) == len(parts)


def test_a_solution_in_front_of_an_exercise_is_cut_away():
    source = "<details><summary>S</summary>\n\n```python\nx\n```\n\n</details>\n\n### Exercise 2: Y"
    cell = nbformat.v4.new_markdown_cell(source + "\n\nSee the [word](glossary.md#word).")
    (part,) = slides.parts(cell)
    assert part.source == "### Exercise 2: Y\n\nSee the word."
    assert part.metadata["slideshow"]["slide_type"] == "subslide"


def test_links_between_notebooks_lead_from_slides_to_slides():
    cell = nbformat.v4.new_markdown_cell("[`a[0]`](01_data.ipynb), [b](https://example.org)")
    (part,) = slides.parts(cell)
    assert part.source == "[`a[0]`](01_data.html), [b](https://example.org)"


def test_a_picture_after_much_code_gets_its_own_slide_and_its_sentence_as_alternative():
    png = nbformat.v4.new_output("display_data", {"image/png": "AAAA", "text/plain": "Chart"})
    name = {"text/html": "<!-- a picture -->", "text/plain": "Explorer()"}
    widget = nbformat.v4.new_output("display_data", name)
    words = '<p class="figure-says"><em>3 points.</em></p>'
    caption = {"text/html": words, "text/plain": "3 points."}
    said = nbformat.v4.new_output("display_data", caption)
    for lines, count in ((2, 1), (9, 2)):
        source = "\n".join(["x = 1"] * lines)
        cell = nbformat.v4.new_code_cell(source, outputs=[widget, png, said])
        found = slides.parts(cell)
        assert len(found) == count
        assert [output.data["text/plain"] for output in found[-1].outputs] == ["3 points."]


def test_no_slide_is_taller_or_wider_than_the_screen(decks, page):
    width, height = slides.SIZE
    for path in LESSON_PATHS:
        opened(page, decks / f"{path.stem}.html")
        found = page.evaluate(MEASURED)
        assert page.wrong == [], path.stem
        large = [one for one in found if one["height"] > height or one["width"] > width + 1]
        assert large == [], path.stem
        assert [one["at"] for one in found if one["blank"]] == [], path.stem
        parts = [part for cell in nbformat.read(path, 4).cells for part in slides.parts(cell)]
        kinds = [part.metadata["slideshow"]["slide_type"] for part in parts]
        assert len(found) == kinds.count("slide") + kinds.count("subslide")


def test_keys_move_through_the_slides_and_formulas_are_drawn(decks, page):
    opened(page, decks / "04_loss_and_gradients.html")
    page.evaluate("MathJax.startup.promise")
    formulas = page.locator("mjx-container svg")
    assert formulas.count() > 12
    assert page.locator("mjx-container [data-mjx-error], mjx-merror").count() == 0
    text = page.evaluate("document.querySelector('.slides').textContent")
    assert "\\frac" not in text

    where = "(() => { const {h, v} = Reveal.getIndices(); return `${h}/${v}`; })()"
    seen = [page.evaluate(where)]
    while not page.evaluate("Reveal.isLastSlide()"):
        page.keyboard.press("Space")
        steps = page.evaluate(where)
        if steps == seen[-1]:  # one more of its steps has appeared
            assert page.locator("section.present .fragment.visible").count() > 0
        else:
            seen.append(steps)
    assert len(seen) == len(set(seen)) == page.evaluate("Reveal.getTotalSlides()")
    for key, there in (("Home", 0), ("ArrowRight", 1), ("ArrowLeft", 0)):
        page.keyboard.press(key)
        assert page.evaluate("Reveal.getIndices().h") == there, key
    assert page.evaluate("Reveal.getSlideNotes(Reveal.getSlide(0))").count("Time") == 1
    assert page.wrong == []


def test_a_missing_notebook_is_named(tmp_path):
    with pytest.raises(SystemExit, match="There is no notebook nowhere"):
        slides.main(["nowhere.ipynb"], tmp_path)


MARKDOWN = {"cell_type": "markdown", "metadata": {}, "source": "Welcome, everybody"}
RAW = {"cell_type": "raw", "metadata": {}, "source": "raw words"}
CODE = {"cell_type": "code", "metadata": {}, "source": "1", "execution_count": None, "outputs": []}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5Er"
PNG += "kJggg=="


def notebook(*cells, minor=4):
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": minor}


def shows(kind="display_data", **data):
    more = {"execution_count": 1} if kind == "execute_result" else {}
    data = {key.replace("_", "/"): value for key, value in data.items()}
    return more | {"output_type": kind, "metadata": {}, "data": data}


def made(folder, content, *options, encoding="utf-8"):
    """Write a teacher's own notebook and its slides; return the path of these."""
    file = folder / "my own.ipynb"
    file.write_bytes(
        content if isinstance(content, bytes) else json.dumps(content).encode(encoding)
    )
    slides.main([str(file), *options], folder / "slides")
    return folder / "slides/my own.html"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
def test_a_notebook_of_the_teachers_own_becomes_slides_too(tmp_path, encoding):
    page = made(tmp_path, notebook(MARKDOWN), encoding=encoding).read_text("utf-8")
    assert "Welcome, everybody" in page
    assert re.search(r"<title>my own\b", page)


@pytest.mark.parametrize(
    "content",
    [
        notebook(RAW, MARKDOWN, RAW | {"metadata": {"raw_mimetype": "text/html"}}),
        notebook(MARKDOWN | {"id": "an id with spaces, é"}, RAW | {"id": "x"}, minor=5),
        notebook(MARKDOWN | {"id": "x"}, CODE | {"id": "x"}, minor=5),
        notebook(MARKDOWN | {"metadata": {"slideshow": "slide"}}),
        notebook(MARKDOWN, CODE | {"metadata": {"slideshow": {"slide_type": [3]}}}),
        notebook(MARKDOWN | {"metadata": {"slideshow": None}, "attachments": {}}),
        notebook(MARKDOWN, CODE | {"outputs": [shows(image_png=PNG), shows(text_html=["<b>"])]}),
        notebook(MARKDOWN, CODE | {"outputs": [shows(), shows(text_latex="$x$"), shows(x_y=[])]}),
        notebook(MARKDOWN, {"color": "red", **CODE}),
        {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
         "worksheets": [{"metadata": {}, "cells": [MARKDOWN]}]},
    ],
)  # fmt: skip
def test_any_valid_notebook_becomes_slides(tmp_path, content):
    assert "Welcome, everybody" in made(tmp_path, content).read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no notebook", r"my own\.ipynb is not a notebook \(.+\): save it again in JupyterLab\.$"),
        (b"[]", "is not a notebook"),
        (b"{}", "is not a notebook"),
        (b"\xe9", "is not a notebook"),
        (b"[" * 9_000, "is not a notebook"),
        (json.dumps(notebook({"source": "é"}), ensure_ascii=False).encode("latin-1"), "not a note"),
        (notebook({"cell_type": "code"}), "is not a notebook"),
        (notebook(MARKDOWN | {"source": 3}), "is not a notebook"),
        (notebook(), r"my own\.ipynb cannot become slides \(no cell is on a slide: set a sl"),
        (
            notebook(MARKDOWN | {"metadata": {"slideshow": {"slide_type": "skip"}}}),
            "no cell is on a slide",
        ),
        (notebook(MARKDOWN | {"source": "![](attachment:none)"}), r"cannot become slides \(.*none"),
        (notebook(MARKDOWN | {"source": "![](.)"}), "cannot become slides"),
        (notebook(MARKDOWN | {"source": " "}), "no cell is on a slide"),
    ],
)
def test_what_is_not_a_notebook_gets_one_sentence(tmp_path, content, said):
    with pytest.raises(SystemExit, match=said) as ended:
        made(tmp_path, content)
    assert "\n" not in str(ended.value)


def test_two_notebooks_of_one_name_are_refused(tmp_path):
    files = tmp_path / "a/x.ipynb", tmp_path / "X.ipynb"
    (tmp_path / "a").mkdir()
    for file in files:
        file.write_text(json.dumps(notebook(MARKDOWN)))
    with pytest.raises(SystemExit, match=r"a/x\.ipynb and .*X\.ipynb would be one file"):
        slides.main([*map(str, files)], tmp_path / "slides")
    slides.main([str(files[0])] * 2, tmp_path / "slides")


def test_what_a_teacher_shows_stays_as_it_looks(tmp_path):
    (tmp_path / "p.png").write_bytes(base64.b64decode(PNG))
    text = (
        '<center style="color: red">Hi</center>\n\n- [x] $a < b$\n\n![dot](p.png) ![](attachment:q)'
    )
    words = MARKDOWN | {"source": text, "attachments": {"q": {"image/png": PNG}}}
    table = "<table border=1><tr><td colspan=2>cell</td></tr></table>"
    outputs = [shows(image_png=PNG), shows(text_html=table), shows(text_plain="'kept'")]
    page = made(tmp_path, notebook(words, CODE | {"outputs": outputs})).read_text("utf-8")
    for kept in (
        '<center style="color: red;">Hi</center>',
        "$a &lt; b$",
        'checked=""',
        '<td colspan="2">cell</td>',
        "'kept'",
        f'src="data:image/png;base64,{PNG}"',
    ):
        assert kept in page, kept
    assert page.count(PNG) == 3


ASKING = """<meta http-equiv=refresh content='0;url=https://learner.invalid'>
<iframe src=https://learner.invalid></iframe> <iframe srcdoc="<script>parent.ran=1</script>">
</iframe> <p style="cursor: url(https://learner.invalid/x), auto">x</p>
<img src=https://learner.invalid/x.png> <video src=https://learner.invalid/x.mp4></video>
"""


def hostile_notebook():
    """Hostile strings in every place of a notebook; the links among them are for a click."""
    js = shows(application_javascript="window.ran = 1", text_plain="x")
    cells = []
    for text in [*hostile.TAGS, *hostile.BREAKOUTS, *hostile.MARKDOWN, *hostile.ENCODED, ASKING]:
        kinds = "text_html", "text_markdown", "text_latex", "image_svg+xml", "text_vnd.mermaid"
        outputs = [shows(**{kind: text}) for kind in kinds]
        outputs += [
            shows("execute_result", text_plain=text),
            shows(image_png=text, text_plain=text),
        ]
        stream = {"output_type": "stream", "name": "stdout", "text": text}
        cells += [MARKDOWN | {"source": text}, RAW | {"source": text}]
        cells += [CODE | {"source": text, "outputs": [*outputs, stream, js]}]
    return notebook(*cells)


CLICKED = """[...document.querySelectorAll('.slides a')]
    .filter(a => /script:/i.test(a.href?.baseVal ?? a.href))
    .map(a => a.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))).length"""


def test_scripts_of_a_notebook_run_only_if_asked_for(tmp_path, page):
    asked, errors = [], []
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: asked.append(f"{request.failure} {request.url}"))
    page.on("pageerror", lambda error: errors.append(str(error)))
    content = hostile_notebook()
    opened(page, made(tmp_path, content))
    page.evaluate("MathJax.startup.promise")
    assert page.evaluate(CLICKED) > 3, "links of formulas, which MathJax makes"
    page.evaluate("Reveal.slide(99)")
    assert page.evaluate("[window.ran, location.protocol, frames.length]") == [None, "file:", 0]
    outside = [url for url in asked if "learner.invalid" in url]
    assert {url.split()[0] for url in outside} == {"csp"}, "refused by the page, not by the network"
    assert errors == []
    told = [one for one in content["cells"] if "window.ran" in str(one["source"])][:1]
    page.goto(made(tmp_path, notebook(*told), "--scripts").as_uri())
    page.wait_for_function("window.ran === 1", timeout=20_000)


def test_the_speakers_view_shows_notes_beside_the_slides(decks, page):
    opened(page, decks / "04_loss_and_gradients.html")
    with page.expect_popup() as opening:
        page.keyboard.press("s")
    view = opening.value
    view.locator(".speaker-controls-notes .value").get_by_text("Time").wait_for()
    for frame in view.locator("iframe").all():
        frame.content_frame.locator("section.present section.present").wait_for()
    assert page.wrong == []
    view.close()


def test_what_is_fetched_is_locked_by_its_hash():
    lock = slides.LOCK.read_text(encoding="utf-8")
    assert lock.count('"version": ') == lock.count('"integrity": "sha512-') == len(slides.USED) - 1
    assert "resolved" not in lock
