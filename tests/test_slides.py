"""Slides of the notebooks, made by nbconvert and looked at in a real browser, without a network."""

import json
import re
import sys

import nbformat
import pytest
from refresh import LESSON_PATHS, ROOT

sys.path.insert(0, str(ROOT / "classroom"))

import slides

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
        begin = ["slide", "subslide", "fragment", "notes"]  # with a picture to move
    assert kinds_of(notebook)[: len(begin)] == begin
    for cell, kind in zip(notebook.cells, kinds_of(notebook), strict=True):
        assert cell.metadata["slideshow"].keys() == {"slide_type"}
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            assert kind == "slide", cell.source
        if cell.cell_type == "markdown" and cell.source.startswith("### "):
            assert kind == "subslide", cell.source
        if not slides.parts(cell):
            assert kind == "skip", "nothing of it would be seen"


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
    caption = {"text/html": "<p><em>3 points.</em></p>", "text/plain": "3 points."}
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


def test_a_notebook_of_the_teachers_own_becomes_slides_too(tmp_path):
    cells = [{"cell_type": "markdown", "metadata": {}, "source": "Welcome, everybody"}]
    old = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    file = tmp_path / "my own.ipynb"
    file.write_text(json.dumps(old))
    slides.main([str(file)], tmp_path / "slides")
    page = (tmp_path / "slides/my own.html").read_text("utf-8")
    assert "Welcome, everybody" in page
    assert re.search(r"<title>my own\b", page)
    file.write_text("no notebook")
    with pytest.raises(SystemExit, match=r"my own\.ipynb is no notebook"):
        slides.main([str(file)], tmp_path / "slides")


def test_what_is_fetched_is_locked_by_its_hash():
    lock = slides.LOCK.read_text(encoding="utf-8")
    assert lock.count('"version": ') == lock.count('"integrity": "sha512-') == len(slides.USED) - 1
    assert "resolved" not in lock
