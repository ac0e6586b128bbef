"""README and CONTRIBUTING say what is there: commands, notebooks, minutes, the syllabus."""

import json
import re
import subprocess
import sys

import nbformat
import pytest
import yaml
from minutes import rows_below
from refresh import (
    GLOSSARY,
    LESSON_PATHS,
    NOTEBOOKS,
    ROOT,
    documents,
    is_setup,
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
    """Elsewhere the word may stand only in what the refresh writes, and in this test."""
    named = [
        path.relative_to(ROOT).as_posix()
        for folder in (".", "binder", "course_utils", "notebooks", "tests", ".github/workflows")
        for path in (ROOT / folder).iterdir()
        if path.suffix in {".toml", ".cff", ".yml", ".py", ".ipynb", ".txt", ".md", ".json"}
        and "OWNER" in written_by_hand(path)
    ]
    assert set(named) <= {"pyproject.toml", "README.md", "tests/test_docs.py"}


def written_by_hand(path):
    """Return the text of a file, without the cell that the refresh writes into notebooks."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = nbformat.reads(text, as_version=4).cells
    return "\n".join(cell.source for cell in cells if not is_setup(cell))


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_links_and_pictures_lead_somewhere(text):
    for label, target in re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", text):
        assert label
        if not target.startswith("https://"):
            assert (ROOT / target.partition("#")[0]).exists(), target
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


def test_actions_are_of_the_current_major_versions():
    """Those before ran on a Node that GitHub has removed."""
    oldest = {"checkout": 7, "setup-python": 7, "upload-pages-artifact": 5, "deploy-pages": 5}
    flows = [flow.read_text("utf-8") for flow in (ROOT / ".github/workflows").glob("*.yml")]
    used = re.findall(r"uses: actions/([\w-]+)@v(\d+)", "".join(flows))
    assert {name for name, _ in used} == oldest.keys()
    assert [name for name, major in used if int(major) < oldest[name]] == []


def test_the_weekly_lane_leaves_no_upper_end():
    flow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))
    run = flow["jobs"]["newest"]["steps"][-1]["run"]
    pattern, names = re.search(r"sed -i -E 's/(\S+)//' (.+)", run).groups()
    for name in names.split():
        text = (ROOT / name).read_text("utf-8")
        assert not re.search(r">=[\d.]+.*<\s?\d", re.sub(pattern, "", text)), name
    assert set(re.findall(r"-r (\S+)", run)) | {"pyproject.toml"} == set(names.split())


def test_a_new_issue_asks_what_one_has_to_know():
    forms = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) == 3
    for form in forms:
        asked = yaml.safe_load(form.read_text("utf-8"))
        assert {"name", "description", "labels", "body"} == asked.keys()
        ids = [field["id"] for field in asked["body"]]
        assert len(ids) == len(set(ids))
        assert any(field.get("validations", {}).get("required") for field in asked["body"])
        for field in asked["body"]:
            assert field["type"] in ("dropdown", "input", "textarea")
            assert field["attributes"]["label"]
    assert "course.py doctor" in forms[0].read_text("utf-8")


def test_the_container_makes_the_environment_before_it_opens():
    made = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"))
    major, minor = map(int, re.search(r":(\d+)\.(\d+)$", made["image"]).groups())
    assert (3, 11) <= (major, minor) <= (3, 14)
    assert made["postCreateCommand"] == "python3 course.py lab -- --version"  # JupyterLab's option
    settings = made["customizations"]["vscode"]["settings"]
    assert settings["python.defaultInterpreterPath"].endswith("/.venv/bin/python")


def test_the_first_questions_of_learners_are_answered():
    text = (ROOT / "classroom/LEARNERS.md").read_text("utf-8")
    for question in ("model not found", "slider that moves nothing", "Where is my work", "Update"):
        assert question in text, question
    package = "".join(f.read_text("utf-8") for f in (ROOT / "course_utils").rglob("*.[pj][ys]"))
    for sentence in ("This picture stands still", "The kernel was restarted or is gone"):
        assert f'"{sentence}' in text
        assert sentence in package, "what the page quotes is what a learner sees"
    places = " ".join(row[0] for row in rows_below(text, "What works where"))
    for host in ("Notebook 7", "nbclassic", "Voila", "nbconvert", "VS Code", "PyCharm", "Colab"):
        assert host in places, host
    assert "(classroom/LEARNERS.md#what-works-where)" in README
