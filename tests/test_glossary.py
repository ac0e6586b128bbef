"""The glossary: sorted, short, true to its notebooks, and linked from the lessons."""

import re

import nbformat
import pytest
from refresh import GLOSSARY, LESSON_PATHS, NOTEBOOKS

INTRODUCTION, *CELLS = re.split(r"\n\n(?=### )", GLOSSARY.read_text(encoding="utf-8").rstrip("\n"))
ENTRY = re.compile(r"### (.+)\n\n(.+)\n\nIn \[(.+)\]\((.+\.ipynb)\)\.")
ENTRIES = [ENTRY.fullmatch(source).groups() for source in CELLS]  # term, text, title, file name
LINK = re.compile(r"\]\(glossary\.md#([^)]*)\)")
NUMBER = re.compile(r"\d+\.\d{2,}|\d+,\d{3}")  # those that a change in a notebook would change
TERMS = [term for term, *_ in ENTRIES]


def markdown(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


LINKED = {path: LINK.findall(markdown(path)) for path in LESSON_PATHS}
each_entry = pytest.mark.parametrize(("term", "text", "title", "name"), ENTRIES, ids=TERMS)


def anchor(term):
    """Return the fragment by which JupyterLab, and GitHub for small letters, finds a heading."""
    return term.replace(" ", "-")


def test_each_term_has_one_entry_in_alphabetical_order():
    assert len(TERMS) >= 50
    assert len({term.lower() for term in TERMS}) == len(TERMS)
    assert sorted(TERMS, key=str.lower) == TERMS


def test_the_index_lists_every_term_under_its_letter():
    listed = {}
    for letter, line in re.findall(r"^\*\*([A-Z])\*\* (.*?)\s*$", INTRODUCTION, re.M):
        for label, target in re.findall(r"\[([^\]]+)\]\(#([^)]+)\)", line):
            assert label[0].upper() == letter
            listed[label] = target
    assert listed == {term: anchor(term) for term in TERMS}


@each_entry
def test_an_entry_is_short_and_names_its_notebook(term, text, title, name):
    assert NOTEBOOKS / name in LESSON_PATHS
    heading = re.match(r"# (.*)", markdown(NOTEBOOKS / name))[1]
    assert title == f"{name[:2]} {heading}"
    assert len(re.findall(r"[.?](?= [A-Z`$0-9]|$)", text)) <= 3, "three sentences"
    assert 8 <= len(text.split()) <= 60
    assert re.search(r"\d|`", text), "a number or a code word"


@each_entry
def test_the_numbers_of_an_entry_stand_in_its_notebook(term, text, title, name):
    lesson = (NOTEBOOKS / name).read_text(encoding="utf-8")
    assert [number for number in NUMBER.findall(text) if number not in lesson] == []


@pytest.mark.parametrize("path", LINKED, ids=[path.stem for path in LINKED])
def test_links_of_a_lesson_lead_to_terms_and_stand_at_first_uses_alone(path):
    assert set(LINKED[path]) <= {anchor(term) for term in TERMS}
    assert len(set(LINKED[path])) == len(LINKED[path])
    assert 1 <= len(LINKED[path]) <= 10


def test_every_term_is_linked_from_a_lesson():
    assert set().union(*LINKED.values()) == {anchor(term) for term in TERMS}
