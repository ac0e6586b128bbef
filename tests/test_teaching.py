"""The teacher's guide and the learners' page agree with the notebooks, explorers and checks."""

import ast
import re
import subprocess
import sys

import nbformat
import pytest
from exercises import Lesson
from minutes import ROUTES, minutes_of, prefix, rows_below, sections_of
from pages import Node
from refresh import LESSON_PATHS, ROOT

from course_utils.checks.feedback import EXERCISES
from course_utils.explorers.base import Explorer

GUIDE = (ROOT / "classroom" / "TEACHING.md").read_text(encoding="utf-8")
PAGE = (ROOT / "classroom" / "LEARNERS.md").read_text(encoding="utf-8")
PATHS = {prefix(path): path for path in LESSON_PATHS}
COVERED = "09"  # in the notebooks before it, every section has its mistake
MOVE = re.compile(r'`(\w+)\.set\((.*?)\)`(?:[^`"]*"([^"]+)")?')


def lesson_part(name):
    """Return what the guide says about a notebook."""
    return re.search(rf"^### {name} .*?(?=^##|\Z)", GUIDE, re.M | re.S)[0]


@pytest.mark.parametrize(("route", "length"), [*ROUTES.items()][:-1])
def test_a_route_is_as_long_as_it_says_and_leaves_time_to_talk(route, length):
    *rows, (_, word, total) = rows_below(GUIDE, f"{route}: .*")
    assert (word, int(total)) == ("total", length)
    assert sum(int(minutes) for _, _, minutes in rows) == length
    _, last, talk = rows[-1]
    assert last.startswith("Talk: ")
    assert int(talk) >= 0.1 * length, f"{route} leaves {talk} minutes to talk: cut sections"


def test_self_study_visits_every_notebook_once():
    *rows, (_, _, total) = rows_below(GUIDE, "Self-study: .*")
    visited = [name for row in rows for name in row[0].split(", ")]
    assert sorted(visited) == sorted(PATHS)
    assert {row[1] for row in rows} == {"all"}
    assert int(total) == sum(minutes_of(nbformat.read(path, 4)) for path in LESSON_PATHS)


def names_in(source):
    """Return the names that a cell binds, and those it takes from the cells above."""
    bound, used = set(), set()
    for statement in ast.parse(source).body:
        nodes = list(ast.walk(statement))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        loaded = {node.id for node in names} - stored
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            loaded -= {node.arg for node in nodes if isinstance(node, ast.arg)}
            stored = {statement.name}
        stored |= {n.asname or n.name.split(".")[0] for n in nodes if isinstance(n, ast.alias)}
        used |= loaded - bound
        bound |= stored
    return bound, used


def explorers_in(name):
    """Return the notebook's explorers by name, as Run All leaves them; other cells are not run."""
    lesson, wanted = Lesson(PATHS[name]), set()
    kept = []
    for cell in reversed(lesson.cells):
        if cell.cell_type == "code" and cell.source not in lesson.stubs.values():
            bound, used = names_in(cell.source)
            if "Explorer(" in cell.source or ".set(" in cell.source or bound & wanted:
                kept.insert(0, cell)
                wanted = (wanted - bound) | used
    lesson.cells = kept
    names = lesson.namespace()
    return {key: value for key, value in names.items() if isinstance(value, Explorer)}


@pytest.fixture(scope="module")
def node():
    node = Node()
    yield node
    node.close()


WITH_EXPLORERS = [
    prefix(path)
    for path in LESSON_PATHS
    if re.search(r"= .*Explorer\(", "\n".join(c.source for c in nbformat.read(path, 4).cells))
]


@pytest.mark.parametrize("name", WITH_EXPLORERS)
def test_every_state_for_the_projector_can_be_set_and_shows_what_is_said(name, node):
    explorers = explorers_in(name)
    moves = MOVE.findall(lesson_part(name))
    assert {explorer for explorer, _, _ in moves} == explorers.keys()
    for explorer, values, said in moves:
        moved = explorers[explorer]
        assert moved.set(**eval(f"dict({values})")) is not None
        told = node.ask(moved)[1].replace("\N{MINUS SIGN}", "-").replace("**", "")
        assert said in told, f"{explorer}.set({values}) shows: {told}"


def test_no_state_for_the_projector_stands_where_there_is_no_explorer():
    for name in PATHS.keys() - set(WITH_EXPLORERS):
        assert not MOVE.search(lesson_part(name))


@pytest.mark.parametrize("name", PATHS)
def test_mistakes_have_a_question_and_an_answer_and_name_exercises_that_exist(name):
    mistakes = [line for line in lesson_part(name).splitlines() if line.startswith("- ")]
    assert len(mistakes) >= 4
    for mistake in mistakes:
        assert re.match(r"- (\*\*.+?\*\*: )?\*[^*].*\*", mistake), mistake
        assert mistake.index(" Ask: ") < mistake.index(" Hope for: "), mistake
    for number in re.findall(r"\((\d\d\.\d+)\b", lesson_part(name)):
        assert number in EXERCISES
        assert number.startswith(name)


@pytest.mark.parametrize("name", PATHS)
def test_mistakes_name_sections_that_exist_in_their_order(name):
    named = re.findall(r"^- \*\*(.+?)\*\*: ", lesson_part(name), re.M)
    sections = [*sections_of(nbformat.read(PATHS[name], 4))]
    assert set(named) <= set(sections), "the notebook has other sections"
    assert named == sorted(named, key=sections.index)
    if name < COVERED:
        assert set(sections) - set(named) <= {"Opening", "Your turn", "In short"}


@pytest.mark.parametrize("text", [GUIDE, PAGE], ids=["guide", "page"])
def test_commands_and_links_lead_somewhere(text):
    launcher = (ROOT / "course.py").read_text(encoding="utf-8")
    for name in re.findall(r"course\.py (\w+)", text):
        assert f'"{name}": (' in launcher, name
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        path = ROOT / "classroom" / file if file else None
        assert path is None or path.exists(), target
        if anchor:
            there = path.read_text(encoding="utf-8") if path else text
            titles = re.findall(r"^#+ (.*)$", there, re.M)
            assert anchor in [title.lower().replace(" ", "-") for title in titles], target


def test_the_learners_page_leaves_the_address_of_binder_to_the_readme():
    assert "mybinder" not in PAGE + GUIDE
    assert len(PAGE.splitlines()) <= 110


def test_both_are_spelled_in_american_english():
    command = [sys.executable, "-m", "codespell_lib", "--builtin", "clear,rare,en-GB_to_en-US"]
    files = [str(ROOT / "classroom" / name) for name in ("TEACHING.md", "LEARNERS.md")]
    done = subprocess.run([*command, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
