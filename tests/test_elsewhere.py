"""The first code cell of each notebook where the course is not: a lone notebook, Colab, Kaggle."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import nbformat
import pytest
from refresh import NOTEBOOKS, ROOT, is_setup, project, with_setup

THEIRS = {"torch": "2.12.0", "ipykernel": "6.17.1"}  # as a host may have them, and keeps them
STANDS_IN = "def enable_custom_widget_manager():\n    print('widgets are on')\n"
SHELL = """import os, sys
from IPython.core.interactiveshell import InteractiveShell
def run(code):
    InteractiveShell.instance().run_cell(code).raise_error()
"""
THEN = """
from importlib.metadata import version
from course_utils import datasets
from course_utils.explorers.line_surface import LineSurfaceExplorer
print(version("torch"), version("ipykernel"))
print(len(datasets.load_penguins()[0]), os.path.isfile("scripts/train_ddp.py"))
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """An environment with all packages but the course, and beside it the course as one gets it."""
    folder = tmp_path_factory.mktemp("host")
    venv.create(folder / "venv", symlinks=os.name != "nt")
    paths = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    site = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    (site / "packages.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    for name, number in THEIRS.items():
        info = site / f"{name}-{number}.dist-info"
        info.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n"
        (info / "METADATA").write_text(text, encoding="utf-8")
    colab = site / "google" / "colab"
    colab.mkdir(parents=True)
    (colab / "__init__.py").touch()
    (colab / "output.py").write_text(STANDS_IN, encoding="utf-8")
    for name in ("course_utils", "notebooks/data", "notebooks/scripts"):
        shutil.copytree(ROOT / name, folder / "course" / name)
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-text"):
        shutil.copy(ROOT / name, folder / "course")
    return folder


def setup_cell():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    return with_setup(notebook).cells[0].source


def run(host, code, **variables):
    scripts = Path(sysconfig.get_path("scripts", "venv", vars={"base": str(host / "venv")}))
    program = scripts / ("python.exe" if os.name == "nt" else "python")
    kept = {key: text for key, text in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [program, "-c", SHELL + code],
        cwd=host,
        env=kept | {"IPYTHONDIR": str(host / "ipython")} | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_lone_notebook_says_in_one_sentence_where_it_belongs(host):
    done = run(host, f"run({setup_cell()!r})")
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .endswith(
            "open the notebook by `python3 course.py lab` in the folder of the course, "
            + project()["urls"]["Repository"]
        )
    )


@pytest.mark.parametrize("where", ["colab", "kaggle"])
def test_a_host_gets_the_course_and_keeps_its_torch(host, where):
    address = f"git+{project()['urls']['Repository']}"
    cell = setup_cell()
    assert cell.count(address) == 1
    cell = cell.replace(address, f"--no-build-isolation --force-reinstall '{host / 'course'}'")
    begin = "import google.colab\n" if where == "colab" else ""
    variables = {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"} if where == "kaggle" else {}
    done = run(host, f"{begin}run({cell!r})\nrun({THEN!r})", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    *before, versions, found = done.stdout.splitlines()
    assert ("widgets are on" in before) == (where == "colab")
    assert versions == " ".join(THEIRS.values())
    assert found == "342 True"


def test_the_cell_is_put_in_once_and_before_all_code():
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_markdown_cell("# A"), nbformat.v4.new_code_cell("1")]
    for _ in range(2):
        cells = with_setup(notebook).cells
        assert [is_setup(cell) for cell in cells] == [False, True, False]
    assert cells[2].source == "1"


def test_in_the_course_nothing_happens(tmp_path):
    """Neither an installation nor another folder, and nothing is printed."""
    code = f"run({setup_cell()!r})\nassert 'torch' not in sys.modules\nprint(os.getcwd())"
    done = subprocess.run(
        [sys.executable, "-c", SHELL + code], cwd=NOTEBOOKS, capture_output=True, text=True,
        env=os.environ | {"IPYTHONDIR": str(tmp_path)}, timeout=300,
    )  # fmt: skip
    assert Path(done.stdout.strip()).samefile(NOTEBOOKS), done.stderr
