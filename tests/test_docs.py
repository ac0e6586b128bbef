"""README and CONTRIBUTING say what is there: commands, notebooks, minutes, the syllabus."""

import re
import subprocess
import sys

import nbformat
import pytest
from minutes import rows_below
from refresh import (
    GLOSSARY,
    LESSON_PATHS,
    NOTEBOOKS,
    ROOT,
    documents,
    repository,
    with_links,
)

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
APPENDIX = (NOTEBOOKS / "appendix.md").read_text(encoding="utf-8")
PATHS = LESSON_PATHS
HOME = "https://{}.github.io/{}".format(*repository().split("/"))


def markdown(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def headings(path):
    return re.findall(r"^## (.*)$", markdown(path), re.M)


def test_the_readme_is_short_and_starts_with_the_command():
    assert len(README.splitlines()) <= 80
    blocks = re.findall(r"```\n(.*?)\n```", README, re.S)
    assert blocks == ["python3 course.py lab", "python3 course.py test"]


def test_every_command_named_exists():
    launcher = (ROOT / "course.py").read_text(encoding="utf-8")
    for name in re.findall(r"course\.py (\w+)", README + CONTRIBUTING):
        assert f'"{name}": (' in launcher


@pytest.mark.parametrize("name", ["README.md", "appendix.md", "TEACHING.md"])
def test_pages_say_what_the_notebooks_are_now(name):
    ((page, text),) = [each for each in documents().items() if each[0].name == name]
    assert page.read_text(encoding="utf-8") == text, "stale: run python3 course.py refresh"


def test_every_notebook_says_what_one_learns_in_it():
    rows = rows_below(README, "Notebooks")
    assert len(rows) == len(PATHS)
    for row in rows:
        assert len(row[1].split()) >= 3, f"say in README what one learns in {row[0]}"


def test_the_appendix_is_short_and_what_it_names_is_there():
    assert len(APPENDIX.splitlines()) <= 90
    assert "(appendix.md)" in markdown(PATHS[0])
    assert "(notebooks/appendix.md)" in README
    for target in re.findall(r"\]\(([^)#\s]+)\)", APPENDIX):
        assert target.startswith("https://") or (NOTEBOOKS / target).exists(), target
    for code in re.findall(r"```python\n(.*?)```", APPENDIX, re.S):
        imports = [line for line in code.splitlines() if line.startswith("from")]
        exec("\n".join(imports), {})


def test_binder_links_name_the_repository_of_pyproject():
    assert README.count("mybinder.org/v2/gh/") == len(PATHS) + 1
    assert with_links(README) == README
    assert with_links("https://a.github.io/b/#x") == f"{HOME}/#x"
    assert with_links("mybinder.org/v2/gh/a/b/HEAD") == f"mybinder.org/v2/gh/{repository()}/HEAD"


def test_the_owner_stands_in_one_place():
    """Elsewhere the word may stand only in links that the refresh writes, and in this test."""
    named = [
        path.relative_to(ROOT).as_posix()
        for folder in (".", "binder", "course_utils", "notebooks", "tests", ".github/workflows")
        for path in (ROOT / folder).iterdir()
        if path.suffix in {".toml", ".cff", ".yml", ".py", ".ipynb", ".txt", ".md", ".json"}
        and "OWNER" in path.read_text(encoding="utf-8")
    ]
    assert set(named) <= {"pyproject.toml", "README.md", "tests/test_docs.py"}


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_links_and_pictures_lead_somewhere(text):
    for label, target in re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", text):
        assert label
        if not target.startswith("https://"):
            assert (ROOT / target).exists(), target
    for alt in re.findall(r"!\[(.*?)\]\(", text):
        assert len(alt.split()) >= 3


def test_every_row_of_the_syllabus_is_taught_where_the_table_says():
    rows = rows_below(CONTRIBUTING, "What is taught where")
    taught = {row[0].rstrip("*") for row in rows}
    wanted = {
        f"{letter}{n}"
        for letter, last in (("A", 16), ("B", 12), ("X", 21))
        for n in range(1, last + 1)
    }
    assert taught == wanted
    for row, _, number, section in rows:
        for path in PATHS if number == "every" else [p for p in PATHS if p.name.startswith(number)]:
            assert section in headings(path), f"{row}: no section {section!r} in {path.name}"
    starred = {row[0] for row in rows if row[0].endswith("*")}
    assert starred == {f"X{n}*" for n in (2, 3, 5, 6, 8, 9, 10, 13, 18, 19)}


@pytest.mark.parametrize(
    ("number", "figures"),
    [
        ("01", ["0.3826", "2.3138"]),
        ("03", ["-1.6977", "0.6374"]),
        ("05", ["1.5041", "1.9949", "1.5033", "1.9993"]),
    ],
)
def test_the_learners_code_reproduces_the_published_figures(number, figures):
    """Read them from stored outputs, which nbval compares with a fresh run."""
    (path,) = [path for path in PATHS if path.name.startswith(number)]
    printed = ""
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            printed += output.get("text", "") + output.get("data", {}).get("text/plain", "")
    for figure in figures:
        assert figure in printed


def test_the_prose_is_spelled_in_one_kind_of_english():
    """Run codespell with its dictionaries of misspellings and of British forms."""
    files = [
        *PATHS,
        GLOSSARY,
        NOTEBOOKS / "appendix.md",
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.rglob("course_utils/**/*.py"),
    ]
    texts = [ROOT / "course.py", *files]
    command = [
        sys.executable, "-m", "codespell_lib", "--builtin", "clear,rare,en-GB_to_en-US",
        "--ignore-words-list", "vermillion,greys", "--ignore-regex", "[A-Za-z0-9+/]{60,}={0,2}",
    ]  # fmt: skip
    done = subprocess.run([*command, *map(str, texts)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
