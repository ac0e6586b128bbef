"""Errors say which cell to run: in a real shell for every case, and in a real kernel as a whole."""

import gc
import os
import re
import shutil
import sys
import types
import weakref
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import start_new_kernel
from refresh import LESSON_PATHS, NOTEBOOKS, ROOT
from traitlets.config import Config

from course_utils import order

IMPORTS = "import math\n\nfrom course_utils import order\n\norder.watch()"
LESSON = [
    IMPORTS,
    "## Gather the parts",
    "points = [1, 2, 3]",
    "def total(values):\n    return sum(values)",
    "## Train",
    'predict("a question")',
    "history = []",
    "history.append(total(points))",
    "for epoch in range(2):\n    history.append(epoch)",
    "other = 5",
    "weights = {'last': history.pop()}",
    "## Your turn",
    "# Exercise 1\nanswer = ...\ncheck('00.1', answer)",
    "# Exercise 2\nanswer = history[0]\ncheck('00.2', answer)",
]
ASK, OTHER = LESSON[5], LESSON[9]
PARTS = [IMPORTS, LESSON[2], LESSON[3]]
NEEDED = [*PARTS, LESSON[6], LESSON[7], LESSON[8], LESSON[10]]


def write(path, sources):
    """Store sources as a notebook; those that begin with ## are text."""
    markdown, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [markdown(text) if text.startswith("##") else code(text) for text in sources]
    for number, cell in enumerate(cells):
        cell.id = f"{path.stem}-{number}"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A real IPython shell in a folder with one notebook."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "lesson.ipynb", LESSON)
    InteractiveShell.clear_instance()
    config = Config({"HistoryManager": {"hist_file": ":memory:"}})
    shell = InteractiveShell.instance(config=config, user_module=types.ModuleType("cells"))
    shell.push({"predict": print, "check": print})
    yield shell
    shell.history_manager.end_session()
    shell.restore_sys_module_state()
    sys.modules.pop("cells", None)
    InteractiveShell.clear_instance()


def plain(text):
    """Return what a terminal shows, without its colors."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def run(shell, *sources, cell_id=None):
    """Run cells as a notebook does; return the sentence added to the last one's error."""
    for source in sources:
        result = shell.run_cell(source, store_history=True, cell_id=cell_id)
    error = result.error_in_exec
    assert error is not None, "the last cell was to fail"
    notes = getattr(error, "__notes__", [])
    assert len(notes) <= 1
    return "".join(notes)


def test_a_missing_name_leads_to_the_cell_that_makes_it(shell):
    assert run(shell, IMPORTS, LESSON[2], LESSON[6], LESSON[7]) == (
        "`total` is made in the cell that begins with `def total(values):` in "
        '"Gather the parts": run that cell first.'
    )


def test_cells_missing_besides_are_counted(shell):
    said = run(shell, IMPORTS, LESSON[7])
    assert said.startswith("`history` is made in the cell that begins with `history = []`")
    assert said.endswith(f"2 more cells above have not run: {order.ALL_AGAIN} runs them all.")
    assert "3 more cells" in run(shell, LESSON[8]), "the one that failed is still to run"


def test_the_sentence_is_shown_below_the_traceback(shell, capsys):
    said = run(shell, IMPORTS, LESSON[7])
    assert capsys.readouterr().out.rstrip().endswith(said)


@pytest.mark.parametrize(
    "makes",
    [
        "thing = 1",
        "thing, rest = 1, 2",
        "first, *thing = 1, 2",
        "thing: int = 1",
        "def thing():\n    return 1",
        "async def thing():\n    return 1",
        "class thing:\n    pass",
        "import math as thing",
        "import thing.inner",
        "from math import pi as thing",
        "for thing in range(2):\n    pass",
        "with open('f', 'w') as thing:\n    pass",
        "if True:\n    thing = 1",
        "try:\n    thing = 1\nfinally:\n    pass",
        "print(thing := 1)",
        "print([thing := n for n in range(2)])",
        "%matplotlib inline\nthing = 1",
    ],
)
def test_every_way_to_make_a_name_is_known(makes):
    said = order.advice(named("thing"), order.Run(None, "thing"), [], [lesson(makes, "thing")])
    assert said.startswith("`thing` is made in the cell that begins with")


@pytest.mark.parametrize(
    "makes_not",
    [
        "def f():\n    thing = 1",
        "f = lambda thing: 1",
        "f = lambda: (thing := 1)",
        "print([1 for thing in range(2)])",
        "try:\n    pass\nexcept ValueError as thing:\n    pass",
        "print(thing)",
        "thing.attribute = 1",
        "thing[0] = 1",
        "this is not Python: thing = 1",
    ],
)
def test_a_name_that_no_cell_makes_is_the_learners_own(makes_not):
    cells = lesson(makes_not, "thing")
    assert order.advice(named("thing"), order.Run(None, "thing"), [], [cells]) == ""


def named(name):
    return NameError(f"name {name!r} is not defined", name=name)


def lesson(*sources):
    return [order.Cell(source) for source in sources]


def test_of_several_cells_the_last_above_is_meant(shell):
    cells = lesson("thing = 1", "thing = 2", "thing", "thing = 3")
    said = order.advice(named("thing"), order.Run(None, "thing"), [], [cells])
    assert "`thing = 2`" in said


def test_a_cell_left_out_is_named_for_other_errors(shell):
    said = run(shell, *PARTS, LESSON[6], LESSON[10])
    assert said == (
        'Run the cell that begins with `history.append(total(points))` in "Train" first: it has '
        f"not run to its end. 1 more cell above has not run: {order.ALL_AGAIN} runs them all."
    )


def test_a_cell_that_failed_counts_as_left_out(shell):
    shell.run_cell(IMPORTS, store_history=True)
    shell.run_cell(LESSON[6], store_history=True)
    shell.run_cell(LESSON[7], store_history=True)
    assert "Run the cell that begins with `history.append(total(points))`" in run(
        shell, LESSON[2], LESSON[3], LESSON[10]
    )


def test_a_cell_that_ran_twice_is_named(shell):
    said = run(shell, *NEEDED, LESSON[10], LESSON[10], LESSON[10])
    assert said == (
        "The cell that begins with `weights = {'last': history.pop()}` in \"Train\" has already "
        f"run. If you changed nothing in this cell, choose {order.ALL_AGAIN}."
    )


def test_a_cell_above_that_ran_twice_is_named(shell):
    said = run(shell, *NEEDED, LESSON[6], LESSON[13])
    assert said.startswith("The cell that begins with `history = []`")
    assert order.ALL_AGAIN in said


def test_a_cell_that_ran_twice_in_a_row_is_named(shell):
    said = run(shell, *NEEDED[:-1], LESSON[8], LESSON[10], LESSON[13].replace("0", "9", 1))
    assert said.startswith("The cell that begins with `for epoch in range(2):`")
    assert "ran more than once" in said


def test_an_answer_that_changed_a_name_of_the_lesson_is_named(shell):
    answer = LESSON[12].replace("answer", "points").replace("...", "5")
    said = run(shell, *NEEDED, answer, LESSON[7])
    assert said == (
        'The cell that begins with `# Exercise 1` in "Your turn" ran out of order. '
        f"If you changed nothing in this cell, choose {order.ALL_AGAIN}."
    )
    assert "# Exercise" not in run(shell, LESSON[12].replace("...", "5"), LESSON[13], "points / 0")


def test_a_cell_that_failed_half_way_out_of_order_is_named(shell):
    half, last = "history = [9]\n1 / 0", LESSON[10].replace("pop()", "pop(5)")
    write(Path("lesson.ipynb"), [*LESSON[:10], last, half])
    said = run(shell, *NEEDED[:-1], half, last)
    assert said.startswith("The cell that begins with `history = [9]`")
    assert "ran out of order" in said


def test_a_cell_that_failed_and_then_ran_is_no_disorder(shell):
    failed = [LESSON[7], LESSON[7], *NEEDED[1:4], LESSON[7]]
    last = LESSON[8].replace("epoch)", "1 / 0)")
    assert run(shell, IMPORTS, *failed, last, last) == ""


def test_a_cell_that_only_works_through_others_is_named():
    cells = lesson("base = [1]", "base.append(2)", "step = base", "last = step", "last[1]")
    ran = [order.Run(None, cells[n].source) for n in (0, 2, 3)]
    said = order.advice(IndexError(), order.Run(None, "last[1]"), ran, [cells])
    assert said.startswith("Run the cell that begins with `base.append(2)` first")


def test_what_only_shares_a_library_is_not_named():
    cells = lesson("import math", "print(math.pi)", "print(math.pie)")
    ran = [order.Run(None, cells[0].source)]
    assert order.advice(AttributeError(), order.Run(None, cells[2].source), ran, [cells]) == ""


def test_the_lesson_is_named_before_an_exercise():
    exercise = "# Exercise 1\nthing = ...\ncheck('00.1', thing)"
    cells = lesson("thing = 1", exercise, "thing")
    said = order.advice(named("thing"), order.Run(None, "thing"), [], [cells])
    assert "`thing = 1`" in said
    cells = lesson("other = 1", exercise, "thing")
    said = order.advice(named("thing"), order.Run(None, "thing"), [], [cells])
    assert "`# Exercise 1`" in said


def test_cells_in_another_order_are_named(shell):
    other = [*PARTS, LESSON[6], LESSON[8], LESSON[7], LESSON[10]]
    said = run(shell, *other, LESSON[13].replace("0", "9", 1))
    assert said.startswith("The cell that begins with `history.append(total(points))`")
    assert "ran out of order" in said


def test_a_cell_further_down_that_ran_is_named(shell):
    said = run(shell, *PARTS, LESSON[6], "history = [1]", LESSON[10], "history = None", LESSON[7])
    assert said.startswith("The cell that begins with `weights = {'last': history.pop()}`")
    assert "ran out of order" in said


@pytest.mark.parametrize(
    "sources",
    [
        [*NEEDED, OTHER, ASK, LESSON[12], LESSON[13].replace("[0]", "[9]")],
        [*NEEDED, LESSON[13].replace("[0]", "[9]")],  # question, other value, exercise left out
        [*NEEDED, "# Exercise 2\nanswer = histroy[0]\ncheck('00.2', answer)"],  # misspelled
        [*NEEDED, *["# Exercise 2\nanswer = 1 / 0\ncheck('00.2', answer)"] * 3],
        [IMPORTS, "def f():\n    print(x)\n    x = 1\nf()"],
        [IMPORTS, "1 / 0"],  # a cell of the learner's own
        [IMPORTS, "math.no_such_name"],
        [IMPORTS, "raise NameError('history')"],
    ],
)
def test_an_error_of_the_learners_own_stays_as_it_is(shell, sources):
    assert run(shell, *sources) == ""


def test_nothing_changes_in_the_output_of_such_an_error(shell, capsys):
    run(shell, "1 / 0")
    before = plain(capsys.readouterr().out)
    assert run(shell, IMPORTS, "1 / 0") == ""
    assert "Cell In[1]" in before
    assert plain(capsys.readouterr().out).replace("In[3]", "In[1]") == before


def test_a_new_cell_is_helped_by_its_names(shell):
    said = run(shell, IMPORTS, "print(history)  # a cell of my own")
    assert said.startswith("`history` is made in the cell that begins with `history = []`")


def test_the_notebook_is_the_one_whose_cells_ran(shell, tmp_path):
    write(tmp_path / "another.ipynb", ["import math", "## Elsewhere", "points = 0", LESSON[7]])
    (tmp_path / "damaged.ipynb").write_text('{"cells": [{"source": 3}]}')
    (tmp_path / "empty.ipynb").write_text("")
    said = run(shell, IMPORTS, LESSON[3], LESSON[6], LESSON[7])
    assert said.startswith("`points` is made in the cell that begins with `points = [1, 2, 3]`")


def test_an_edited_cell_is_known_by_its_lines_where_all_notebooks_begin_alike(shell, tmp_path):
    two = "# Exercise 2\nanswer = history[1]\nanswer += 1\nprint(answer)\ncheck('01.2', answer)"
    write(tmp_path / "a_second.ipynb", [IMPORTS, "## Elsewhere", "answer = 5", two])
    edited = two.replace("01.2", "00.2")
    assert "`history` is made in the cell that begins with `history = []`" in run(
        shell, IMPORTS, edited
    )


def test_an_edited_cell_is_known_by_its_id(shell):
    shell.run_cell(IMPORTS, store_history=True)
    shell.run_cell("values = points = [1, 2]", store_history=True, cell_id="lesson-2")
    shell.run_cell(LESSON[3], store_history=True)
    shell.run_cell("history, more = [], 1", store_history=True, cell_id="lesson-6")
    assert run(shell, "history[0] = total(points)", cell_id="lesson-7") == ""
    said = run(shell, "weights = history.pop()", cell_id="lesson-10")
    assert said.startswith("Run the cell that begins with `history.append(total(points))`")


def test_an_edited_cell_without_id_is_known_by_its_first_line(shell):
    edited = "def total(values):\n    return max(values)"
    assert run(shell, IMPORTS, LESSON[2], edited, LESSON[6], "history.append(total(3))") == ""
    assert run(shell, LESSON[8].replace("epoch)", "total(3))")) != ""


def test_a_cell_run_before_the_imports_counts_if_it_made_its_names(shell):
    for source in (LESSON[2], LESSON[10], IMPORTS, LESSON[3], LESSON[6], LESSON[7], OTHER):
        shell.run_cell(source, store_history=True)
    said = run(shell, "# Exercise 2\nanswer = epoch")
    assert said.startswith("`epoch` is made in the cell that begins with `for epoch in range(2):`")
    assert "1 more cell above has not run" in said, "the one that failed"


def test_a_cell_without_a_line_of_its_own_is_named_all_the_same():
    cells = lesson("thing = 1", "thing = 1", "thing")
    ran = [order.Run(None, "thing = 1")]
    said = order.advice(named("thing"), order.Run(None, "thing"), ran, [cells])
    assert said == (
        "`thing` is made in the cell that begins with `thing = 1` (number 2 of 2 such cells): run "
        "that cell first."
    )
    cells = lesson("model = 1\nfirst = 2", "model = 1\nmore = 3", "more")
    assert "with the line `more = 3`" in order.advice(
        named("more"), order.Run(None, "more"), [], [cells]
    )


def test_twins_are_told_apart_by_what_ran_before():
    cells = lesson("a = []", "a.append(1)", "b = a", "a.append(1)", "a[9]")
    ran = [order.Run(None, cell.source) for cell in cells[:4]]
    assert order.advice(IndexError(), order.Run(None, "a[9]"), ran, [cells]) == ""


def test_an_error_that_takes_no_note_is_shown_all_the_same(shell, capsys):
    odd = "class Odd(Exception):\n    add_note = None\n\n\nhistory = Odd('seen')"
    write(Path("lesson.ipynb"), [IMPORTS, "a = 1", f"{odd}\nraise history or a"])
    assert run(shell, IMPORTS, f"{odd}\nraise history or a") == ""
    assert plain(capsys.readouterr().out).rstrip().endswith("Odd: seen")


def test_importing_again_changes_nothing(shell):
    shell.run_cell(IMPORTS, store_history=True)
    hooks = [len(shell.events.callbacks[name]) for name in ("pre_run_cell", "post_run_cell")]
    shell.run_cell(IMPORTS, store_history=True)
    assert hooks == [len(shell.events.callbacks[n]) for n in ("pre_run_cell", "post_run_cell")]
    assert "`total`" in run(shell, LESSON[2], LESSON[6], LESSON[7])


def test_a_failing_object_is_not_kept_alive(shell):
    kept = "class Big:\n    pass\n\n\ndef fail():\n    big = Big()\n    refs.append(ref(big))\n"
    shell.push({"refs": (refs := []), "ref": weakref.ref})
    run(shell, IMPORTS, f"{kept}    raise ValueError(big)\n\n\nfail()")
    assert refs[0]() is not None
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        sys.__dict__.pop(name, None)  # where Python keeps the last error for a debugger
    shell.InteractiveTB.tb = shell.last_execution_result = None
    gc.collect()
    assert refs[0]() is None


def test_without_a_notebook_nothing_is_watched():
    InteractiveShell.clear_instance()
    order.watch()


def told(client, source, cell_id=None):
    """Run a cell as JupyterLab does; return the last line of its error."""
    content = {"code": source, "silent": False, "store_history": True, "stop_on_error": False}
    metadata = {"cellId": cell_id} if cell_id else {}
    request = client.session.msg("execute_request", content, metadata=metadata)
    client.shell_channel.send(request)
    while (reply := client.get_shell_msg(timeout=120))["parent_header"] != request["header"]:
        pass
    traceback = reply["content"].get("traceback", [])
    return plain("\n".join(traceback)).splitlines()[-1] if traceback else ""


def test_the_courses_kernels_watch_from_their_first_cell(tmp_path):
    """With the settings that the launcher and Binder put into the environment; no import ran."""
    profile = tmp_path / "profile_default"
    shutil.copytree(ROOT / "binder/settings/etc/ipython", profile)
    env = os.environ | {"IPYTHONDIR": str(tmp_path)}
    env.pop("OMP_NUM_THREADS", None)
    manager, client = start_new_kernel(cwd=str(NOTEBOOKS), env=env)
    try:
        sentence = "`mass` is made in the cell that begins with `from torch import nn`"
        assert told(client, "residual = mass - prediction").startswith(sentence)
        assert told(client, "import torch\nassert torch.get_num_threads() == 1") == ""
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_kernel_says_it_in_a_notebook_of_the_course():
    (path,) = [path for path in LESSON_PATHS if path.stem == "05_training_loop"]
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    finds, imports, data, model, parts, *_ = cells
    manager, client = start_new_kernel(cwd=str(NOTEBOOKS))
    try:
        assert told(client, finds.source, finds.id) == ""
        assert told(client, imports.source, imports.id) == ""
        sentence = (
            "`start_over` is made in the cell that begins with `class Line(nn.Module):` in "
            '"Gather the parts": run that cell first.'
        )
        more = f" 1 more cell above has not run: {order.ALL_AGAIN} runs them all."
        assert told(client, parts.source) == sentence + more
        assert told(client, "train_loader = 5", data.id) == ""
        assert told(client, parts.source, parts.id) == sentence
        assert told(client, model.source) == ""
        assert told(client, f"{parts.source}  # edited", parts.id) == (
            "TypeError: 'int' object is not iterable"
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
