"""The house rules of the notebooks: anatomy, rhythm, names, prose, stored outputs, exercises."""

import ast
import itertools
import re
import statistics
import subprocess
import sys

import nbformat
import pytest
from exercises import prefix
from refresh import (
    KEPT_METADATA,
    LESSON_PATHS,
    NOTEBOOKS,
    ROOT,
    changes,
    execute,
    is_setup,
    normalized,
    text_of,
)

PATHS = LESSON_PATHS
FIRST = NOTEBOOKS / "00_start_here.ipynb"  # begins with a picture; its rules are its own
LAB = NOTEBOOKS / "lab_break_it.ipynb"  # broken programs, each with an exercise of its own
LESSONS = [path for path in PATHS if path not in (FIRST, LAB)]
FENCE = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", re.S)


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


def read(path):
    """Return a notebook without the cell that is the same in all."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if not is_setup(cell)]
    return notebook


def sources(path, kind):
    return [cell.source for cell in read(path).cells if cell.cell_type == kind]


def prose(path):
    """Markdown without code, formulas and links' addresses."""
    text = "\n\n".join(sources(path, "markdown"))
    return re.sub(r"\]\([^)]*\)", "]", FENCE.sub("", text))


def test_the_sequence_has_no_gap():
    numbers = [path.name[:2] for path in PATHS if path.name[0].isdigit()]
    assert numbers == [f"{n:02}" for n in range(len(numbers))]
    assert len(numbers) >= 8


@each(PATHS)
def test_notebook_is_stored_executed_and_normalized(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert is_setup(code[0])
    assert code[0].outputs == [], "where the course is, nothing happens"
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert path.read_text(encoding="utf-8") == text_of(normalized(notebook))
    assert path.stat().st_size < 500_000


@each(PATHS)
def test_no_cell_escapes_comparison(path):
    for cell in read(path).cells:
        assert not re.search(r"NBVAL|PYTEST_VALIDATE", cell.source)
        assert not set(cell.metadata.get("tags", [])) - {"hide-input"}, cell.source
        assert not cell.source.rstrip().endswith(";") or cell.cell_type == "markdown"


@each(PATHS)
def test_outputs_hold_no_error_warning_path_or_address(path):
    for cell in read(path).cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source
            text = output.get("text", "") + output.get("data", {}).get("text/plain", "")
            assert not re.search(r"0x[0-9a-f]{6}|/home/|/tmp/|/root/|[A-Z]:\\", text), text
            assert not re.search(r"\d\.\d{8,}", text), f"too many digits: {text}"


@each(PATHS)
def test_pictures_have_alternative_text_and_a_caption(path):
    for cell in read(path).cells:
        outputs = cell.get("outputs", [])
        for picture, caption in itertools.pairwise([*outputs, {}]):
            if "image/png" in picture.get("data", {}):
                alt = picture.metadata["image/png"]["alt"]
                assert len(alt.split()) >= 5
                assert alt.endswith(".")
                assert alt in caption.data.get("text/markdown", caption.data["text/plain"])
        for alt in re.findall(r"!\[(.*?)\]\(", cell.source):
            assert len(alt.split()) >= 3, cell.source


@each(PATHS)
def test_anatomy(path):
    markdown = sources(path, "markdown")
    headings = re.findall(r"^#+ .*$", "\n".join(FENCE.sub("", text) for text in markdown), re.M)
    assert re.match(r"# [A-Z][a-z]+", headings[0])
    assert sum(line.startswith("# ") for line in headings) == 1
    assert not any(line.startswith("####") for line in headings)
    needs = markdown[2 if path == FIRST else 1]
    assert "**You need**" in needs
    assert re.search(r"\*\*Time\*\*: about \d+ minutes\.", needs)
    assert len(re.findall(r"^- ", markdown[-2], re.M)) == 3
    assert markdown[-2].startswith("## In short")
    assert markdown[-1].startswith("## Next")
    if path != FIRST:
        assert "**You will be able to**" in markdown[0]
        assert 3 <= len(re.findall(r"^- ", markdown[0], re.M)) <= 5
    if path in LESSONS:
        assert sum(line.startswith("## ") for line in headings) >= 7
        assert headings.index("## Your turn") == len(headings) - 3 - len(
            [line for line in headings if line.startswith("### Exercise")]
        )


def test_the_first_screen_is_a_question_and_a_picture_to_move():
    title, picture, *_ = read(FIRST).cells
    assert title.source.split("\n")[0].endswith("?")
    assert len(title.source.split()) <= 80
    assert re.fullmatch(r"from \S+ import (\w+Explorer)\n\n\1\(.*\)", picture.source)


@each(PATHS)
def test_setup_is_one_cell_of_imports(path):
    first, *rest = sources(path, "code")
    if path == FIRST:  # the explorer's own import stands with it
        first, *rest = rest
        assert first.startswith("from torch import nn\n")
    else:
        assert first.endswith("use_one_thread()")
    for source in rest:  # but for those in the text of a program for another process
        nodes = ast.walk(ast.parse(source))
        imports = [ast.unparse(n) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
        assert not imports, f"import outside the first cell: {imports}"


@each(LESSONS)
def test_rhythm(path):
    """Questions, exercises and the end come on top of 60 cells; questions belong to the prose."""
    cells = [cell.source for cell in read(path).cells if not cell.source.startswith("predict(")]
    turn = next(n for n, source in enumerate(cells) if "## Your turn" in source)
    code, markdown = sources(path, "code"), sources(path, "markdown")
    lengths = sorted(len(source.splitlines()) for source in code)
    assert 30 <= turn <= 60
    assert statistics.median(lengths) <= 5
    assert lengths[int(0.9 * (len(lengths) - 1))] <= 10
    assert lengths[-1] <= 20
    questions = sum(source.startswith("predict(") for source in code)
    assert 0.9 <= len(markdown) / (len(code) - questions) <= 1.6


def test_the_lab_runs_sixteen_bugs_and_keeps_the_solutions_at_its_end():
    """Report, program with what is wrong, and for some where to look; two bugs are a pair."""
    cells = read(LAB).cells
    lines = [cell.source.split("\n")[0] for cell in cells]
    begins = {
        number: place
        for place, cell in enumerate(cells)
        for title in re.findall(r"^## Bugs? (.+?):", cell.source, re.M)
        for number in map(int, title.split(" and "))
    }
    parts = [lines.index(f"## It {does}") for does in PARTS]
    end = lines.index("## Solutions")
    assert list(begins) == [*range(1, 17)]
    assert [begins[number] for number in (1, 5, 11)] == parts
    solutions = "\n".join(cell.source for cell in cells[end:])
    for number, begin in begins.items():
        until = min(place for place in [*begins.values(), end] if place > begin)
        report, *others = cells[begin:until]
        title, *_ = re.findall(r'^## (Bugs? [^\n]+)\n\n> "', report.source, re.M)
        code = [cell for cell in others if cell.cell_type == "code"]
        (stub,) = (cell for cell in code if cell.source.startswith(f"# Exercise {number}\n"))
        words = [cell for cell in [report, *others] if cell.cell_type == "markdown"]
        (told,) = (cell for cell in words if f"\n\n### Exercise {number}: " in cell.source)
        assert told is words[-1]
        assert told.source.endswith("](#Solutions)")
        folds = "".join(cell.source for cell in words).count("<details>")
        assert folds == told.source.count("<summary>Where to look<") == (number in (11, 13, 16))
        run = stub if len(stub.source.splitlines()) > 3 else code[code.index(stub) - 1]
        seen = [out for out in run.outputs if "image/png" in out.get("data", {"image/png": 0})]
        assert seen, "what is wrong is printed or drawn"
        above = code[code.index(run) - {12: 3, 14: 2, 16: 1}.get(number, 0)]  # or below a question
        assert re.match(r"(# Exercise \d+\n)?(def|class) ", above.source), "beside the program"
        found = re.search(
            rf"<details><summary>Solution {number}<.*?\(#([^)]*)\)\n\n</details>", solutions, re.S
        )
        assert found[1] == title.replace(" ", "-"), "where JupyterLab finds the heading"
    numbers = re.findall(r"<summary>Solution (\d+)<", solutions)
    assert numbers == [str(number) for number in begins]
    assert max(len(source.splitlines()) for source in sources(LAB, "code")) <= 20


PARTS = ["stops with an error", "runs, and it looks wrong", "runs, and it looks right"]


@each(PATHS)
def test_markdown_cells_are_short(path):
    for text in sources(path, "markdown"):
        words = re.sub(r"^\|.*$", "", FENCE.sub("", text), flags=re.M)  # a table is not prose
        assert len(words.split()) <= 120, text[:80]


@each(PATHS)
def test_words(path):
    text = prose(path)
    banned = (
        r"\b(simply|just|easy|easily|obviously|of course|criterion|theta|cost function)\b|!(?!\[)"
    )
    assert not re.findall(banned, text, re.I)
    names = {
        node.id
        for source in sources(path, "code")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name)
    }
    assert not names & {"criterion", "cost", "theta", "dl", "bs", "train_dl", "learning_rate"}


NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?")


def read_aloud(cells):
    """Return the first sentences after an output that repeat a number which it has brought.

    A number is new if nothing before the output, code included, holds it. Rounded, it is the same.
    """
    found, known = [], set()
    for cell, after in itertools.pairwise(cells):
        known |= set(NUMBER.findall(cell.source))
        printed = "\n".join(
            out.get("text") or out.data.get("text/markdown") or out.data.get("text/plain", "")
            for out in cell.get("outputs", [])
        )
        new = set(NUMBER.findall(printed)) - known
        known |= new
        first = re.split(r"(?<=[.?!])\s", re.sub(r"\]\([^)]*\)", "]", after.source), maxsplit=1)[0]
        if after.cell_type == "markdown" and not first.startswith(("#", "|", "<")):
            said = set(NUMBER.findall(first)) - known | set(NUMBER.findall(first)) & new
            if any(rounds_to(number, text) for number in new for text in said):
                found.append(first)
    return found


def rounds_to(number, text):
    """Return whether a text gives a number, or what it is rounded to; one digit tells nothing."""
    exact, given = (float(word.replace(",", "")) for word in (number, text))
    decimals = len(text.partition(".")[2]) if "e" not in text else 99
    return len(text) > 1 and (exact == given or f"{exact:.{decimals}f}" == f"{given:.{decimals}f}")


@each(PATHS)
def test_no_paragraph_begins_by_reading_an_output_aloud(path):
    assert read_aloud(read(path).cells) == []


@pytest.mark.parametrize(
    ("text", "aloud"),
    [
        ("The loss is 0.1415 now.", True),
        ("By the way, the loss is 0.14.\n\nWhy?", True),
        ("16,000 g, says the table.", True),
        ("Is that good? It is 0.1415.", False),
        ("Forty rows of 160 have not been seen.", False),
        ("Its loss is below 0.2.", False),
        ("## 0.1415 and what it means", False),
    ],
)
def test_reading_aloud_is_noticed(text, aloud):
    printed = nbformat.v4.new_output("stream", text="loss 0.1415, 160 rows, 16000 g\n")
    code = nbformat.v4.new_code_cell("print(loss, 160, grams)", outputs=[printed])
    assert bool(read_aloud([code, nbformat.v4.new_markdown_cell(text)])) == aloud


@each(PATHS)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)", "\n".join(sources(path, "markdown"))):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), target


@each([*LESSONS, LAB])
def test_training_stands_written_out(path):
    """Where a notebook calls backward and step, zero_grad, forward and loss stand beside them."""
    for source in sources(path, "code"):
        if ".backward()" in source and "optimizer.step()" in source and "# Exercise" not in source:
            order = [source.find(word) for word in ("(X", ".backward()", "optimizer.step()")]
            assert order == sorted(order), source
            assert min(order) >= 0, source


@each(PATHS)
def test_loading_is_safe(path):
    calls = [
        node
        for source in sources(path, "code")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load"
    ]
    given = [{k.arg: ast.unparse(k.value) for k in call.keywords} for call in calls]
    unsafe = [words for words in given if words.get("weights_only", "True") != "True"]
    assert len(unsafe) == (1 if path.name.startswith("08") else 0)


@each(PATHS)
def test_every_exercise_has_a_check(path):
    """What the checks say to stubs, solutions and wrong answers: tests/test_checks.py."""
    cells = [source for source in sources(path, "code") if "..." in source or "check(" in source]
    for source in cells:
        first, *_, last = source.splitlines()
        assert re.fullmatch(r"# Exercise \d+", first), source
        assert last.startswith(f'check("{prefix(path)}.{first.split()[-1]}", '), source


def test_refreshing_twice_changes_nothing(tmp_path):
    """One notebook, executed twice from its stored state: the two files are the same bytes."""
    path = NOTEBOOKS / "04_loss_and_gradients.ipynb"
    texts = []
    for _ in range(2):
        notebook = read(path)
        execute(notebook)
        texts.append(text_of(normalized(notebook)))
    assert texts[0] == texts[1]


def test_a_refresh_says_what_it_changed_and_why():
    code = nbformat.v4.new_code_cell
    printed = nbformat.v4.new_output("stream", name="stdout", text="one\n0.5\n")
    head = nbformat.v4.new_markdown_cell("# A\n\n**Time**: about 3 minutes.", id="head")
    cells = [head, code("f()", id="a", outputs=[printed], metadata={"collapsed": True})]
    old = nbformat.v4.new_notebook(metadata=KEPT_METADATA, cells=cells)
    new = normalized(old)
    minutes = int(re.search(r"\d+", new.cells[0].source)[0])
    assert minutes != 3
    new.cells[2].outputs[0].text = "one\n0.25\n"
    time = "**Time**: about {} minutes."
    assert changes(old, new) == [
        f"cell 0 (head): {time.format(3)!r} is now {time.format(minutes)!r}, by the formula",
        "cell 1 (elsewhere): put in, the same in every notebook",
        "cell 2 (a): left out what only this machine needs: collapsed",
        "cell 2 (a): the kernel printed '0.25' where '0.5' was stored",
    ]
    assert changes(new, normalized(new)) == []


def test_nbval_fails_on_a_changed_output(tmp_path):
    """Change one digit in one stored output of a copy: strict nbval has to notice."""
    notebook = nbformat.v4.new_notebook(
        metadata=KEPT_METADATA,
        cells=[
            nbformat.v4.new_code_cell("print(f'{0.5:.4f}')", execution_count=1, outputs=[]),
            nbformat.v4.new_code_cell("7", execution_count=2, outputs=[]),
        ],
    )
    execute(notebook, tmp_path)
    (tmp_path / "conftest.py").write_bytes((ROOT / "conftest.py").read_bytes())

    def run():
        (tmp_path / "a.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "--nbval",
            "--nbval-current-env",
            "-p",
            "no:cacheprovider",
        ]
        return subprocess.run(
            [*command, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True
        )

    good = run()
    assert "2 notebook cells compared" in good.stdout, good.stdout
    assert good.returncode == 0, good.stdout
    notebook.cells[0].outputs[0].text = "0.5001\n"
    assert run().returncode == 0, "the last digit may differ by one"
    notebook.cells[0].outputs[0].text = "0.5010\n"
    bad = run()
    assert bad.returncode == 1
    assert re.search(r"^stored +now\n0\.5010 \| 0\.5000$", bad.stdout, re.M), bad.stdout
    assert "course.py refresh a.ipynb stores it" in bad.stdout
    notebook.cells[0].outputs[0].text = "0.5000\n"
    notebook.cells[1].outputs[0].data["text/plain"] = "8"
    assert run().returncode == 1
    notebook.cells[1].execution_count = None
    notebook.cells[1].outputs = []
    unseen = run()
    assert "NOT COMPARED" in unseen.stdout
    assert unseen.returncode == 1
