"""The glossary: sorted, short, true to its notebooks, and linked from the lessons."""

import re

import nbformat
import pytest
from claims import text_of
from refresh import GLOSSARY, LESSON_PATHS, NOTEBOOKS

from course_utils.predict import questions

WITHIN = re.compile(r"\[([^\]]+)\]\(#([^)]+)\)")  # from entry to entry
INTRODUCTION, *CELLS = re.split(r"\n\n(?=### )", GLOSSARY.read_text(encoding="utf-8").rstrip("\n"))
ENTRY = re.compile(r"### (.+)\n\n(.+)\n\nIn (.*)\[(.+)\]\((.+\.ipynb)(?:#(.+))?\)\.")
ENTRIES = [ENTRY.fullmatch(source).groups() for source in CELLS]
LINK = re.compile(r"\]\(glossary\.md#([^)]*)\)")
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?<!,)")
TERMS = [term for term, *_ in ENTRIES]
UNSPOKEN = [
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$",  # code and formulas
    r"^#[^\n]*|^\*\*You will be able to\*\*.*",  # what a cell or a notebook is going to define
    r"(?<!\*)\*[^*\n]+\*(?!\*)",  # what stands on a control of an explorer
    r"\[[^\]]*\]\((?!glossary)[^)]*\)",  # the title of another page
]


def markdown(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


LINKED = {path: LINK.findall(markdown(path)) for path in LESSON_PATHS}
NAMES = "term", "text", "notebook", "home", "name", "place"
each_entry = pytest.mark.parametrize(NAMES, ENTRIES, ids=TERMS)


def anchor(term):
    """Return the fragment by which JupyterLab, and GitHub for small letters, finds a heading."""
    return term.replace(" ", "-")


def test_each_term_has_one_entry_in_alphabetical_order():
    assert len(TERMS) >= 50
    assert len({term.lower() for term in TERMS}) == len(TERMS)
    assert sorted(TERMS, key=str.lower) == TERMS


def test_the_index_lists_every_term_and_other_names_under_their_letter():
    listed = {}
    for letter, line in re.findall(r"^\*\*([A-Z])\*\* (.*?)\s*$", INTRODUCTION, re.M):
        for label, target in WITHIN.findall(line):
            assert label[0].upper() == letter
            assert label not in listed
            listed[label] = target
    assert list(listed) == sorted(listed, key=str.lower)
    texts = {anchor(term): f"{term} {text}" for term, text, *_ in ENTRIES}
    assert {term: listed.get(term) for term in TERMS} == {term: anchor(term) for term in TERMS}
    for label, target in listed.items():
        assert label.lower() in texts[target].lower()


@each_entry
def test_an_entry_is_short_and_has_a_number(term, text, notebook, home, name, place):
    assert len(re.findall(r"[.?](?= [A-Z`$0-9[]|$)", text)) <= 3, "three sentences"
    assert 8 <= len(text.split()) <= 60
    assert NUMBER.search(text)


@each_entry
def test_an_entry_links_the_words_of_others_once(term, text, notebook, home, name, place):
    linked = [target for _, target in WITHIN.findall(text)]
    assert len(set(linked)) == len(linked)
    assert set(linked) <= {anchor(other) for other in TERMS if other != term}
    rest = re.sub(r"`[^`]*`|\$[^$]*\$", "", WITHIN.sub("", text))
    for other in sorted(TERMS, key=len, reverse=True):  # "hidden layer" before "layer"
        pattern = rf"(?<![\w-]){re.escape(other)}(?:e?s)?(?![\w-])"
        rest, uses = re.subn(pattern, "", rest, flags=0 if other.isupper() else re.I)
        assert not uses or other == term or anchor(other) in linked, other


@each_entry
def test_an_entry_leads_to_the_section_that_teaches(term, text, notebook, home, name, place):
    """To a heading, with hyphens as JupyterLab wants it, or to the opening of a notebook."""
    assert NOTEBOOKS / name in LESSON_PATHS
    opening, *sections = re.split(r"^## ", markdown(NOTEBOOKS / name), flags=re.M)
    if place is None:
        assert (notebook, home) == ("", f"notebook {name[:2]}")
        section = opening
    else:
        assert (notebook, place) == (f"notebook {name[:2]}, ", anchor(home))
        (section,) = [each for each in sections if each.startswith(f"{home}\n")]
    assert re.search(rf"\b({re.escape(term)}|{re.escape(anchor(term))})", section, re.I)


@each_entry
def test_the_numbers_of_an_entry_stand_in_its_notebook(term, text, notebook, home, name, place):
    lesson = text_of(f"notebooks/{name}")
    for number in NUMBER.findall(re.sub(r"notebook \d\d", "", text)):
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", lesson), number


@pytest.mark.parametrize("path", LINKED, ids=[path.stem for path in LINKED])
def test_links_of_a_lesson_lead_to_terms_and_stand_at_first_uses_alone(path):
    assert set(LINKED[path]) <= {anchor(term) for term in TERMS}
    assert len(set(LINKED[path])) == len(LINKED[path])
    assert 1 <= len(LINKED[path]) <= 15


def said(cell):
    """Return what a cell tells its reader in words: its text or its question."""
    text = cell.source if cell.cell_type == "markdown" else ""
    if asked := re.fullmatch(r'predict\("(.+)"\)', cell.source):
        question = questions()[asked[1]]
        shown = [question["ask"], *question.get("options", []), *question.get("order", [])]
        text = "\n".join(shown)
    for pattern in UNSPOKEN:
        text = re.sub(pattern, "", text, flags=re.S | re.M)
    return text


def used_before_defined(lessons):
    """Return, for each term that is used before a cell that defines or links it, where.

    Parameters
    ----------
    lessons : list of (name, cells)
        In reading order.
    """
    found = {}
    for term in TERMS:
        word = re.compile(rf"\b{re.escape(term)}(?:e?s)?\b", 0 if term.isupper() else re.I)
        known = rf"\(glossary\.md#{re.escape(anchor(term))}\)|\*\*{re.escape(term)}s?\*\*"
        for name, cell in ((name, cell) for name, cells in lessons for cell in cells):
            if cell.cell_type == "markdown" and re.search(known, cell.source, re.I):
                break
            if used := word.search(text := said(cell)):
                line = text[text.rfind("\n", 0, used.start()) + 1 :].split("\n")[0]
                found.setdefault(f"{term} in {name}", line)
    return found


def test_no_term_is_used_before_it_is_defined_or_linked():
    """In the text and the questions, read from the first notebook to the last.

    At a link a reader can look the word up, so it is as good as a definition.
    """
    lessons = [(path.stem, nbformat.read(path, as_version=4).cells) for path in LESSON_PATHS]
    assert used_before_defined(lessons) == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The gradient is steep.", ["gradient in first"]),
        ("Two Gradients.", ["gradient in first"]),
        ("## The gradient\n\nSee `gradient`, *gradient* and $gradient$.", []),
        ("The [gradient](glossary.md#gradient) is steep.", []),
        ("A **gradient** is a slope.", []),
        ("It ingradientates.", []),
    ],
)
def test_a_term_that_comes_too_early_is_noticed(text, found):
    cell = nbformat.v4.new_markdown_cell
    second = [cell("A **[gradient](glossary.md#gradient)** is it."), cell("Gradients!")]
    assert list(used_before_defined([("first", [cell(text)]), ("second", second)])) == found


@each_entry
def test_the_notebook_of_an_entry_links_it(term, text, notebook, home, name, place):
    assert anchor(term) in LINKED[NOTEBOOKS / name]
