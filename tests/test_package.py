"""The house rules of the package: size, direction of imports, documentation, residence."""

import ast
import inspect
import re
import statistics
import subprocess
import sys
import tomllib

import pytest
from refresh import ROOT

from course_utils import doctor

PACKAGE = ROOT / "course_utils"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAY_IMPORT = {
    "__init__": set(),
    "inputs": {"numpy"},
    "datasets": {"torch", "inputs"},
    "descent": {"numpy", "inputs"},
    "history": {"numpy", "inputs"},
    "look": {"matplotlib"},
    "frame": {"numpy", "look"},
    "charts": {"numpy", "matplotlib", "PIL", "IPython", "look", "frame"},
    "figures": {"numpy", "inputs", "look", "charts"},
    "errors": set(),
    "order": {"errors"},
    "runtime": {"torch", "order"},
    "base": {
        "errors",
        "inputs",
        "charts",
        "still",
        "worker",
        "anywidget",
        "ipywidgets",
        "traitlets",
        "IPython",
        "numpy",
    },
    "still": {"charts", "IPython"},
    "worker": {"guard"},
    "progress": {"inputs"},
    "board": {"progress", "feedback"},
    "guard": {"numpy", "torch"},
    "judging": {"numpy", "torch", "errors", "guard"},
    "feedback": {"checks", "progress", "guard", "judging", "IPython"},
    "predict": {"inputs", "anywidget", "traitlets", "IPython"},
    "doctor": {"packaging", "torch", "psutil"}
    | {"jupyter_client", "jupyter_core", "jupyterlab_server"},
}


HOOKS = {"still", "code", "as_code", "prove"}  # the base shows their errors


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path):
    """Return the modules a file imports, those of the package by their own name."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module in (
            "course_utils",
            "course_utils.checks",
            "course_utils.explorers",
        ):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(re.sub(r"^course_utils\.((explorers|checks)\.)?", "", node.module))
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)


def public(path):
    """Return the functions and methods a reader may call."""
    body = tree(path).body
    body += [item for node in body if isinstance(node, ast.ClassDef) for item in node.body]
    return [
        node for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]


def functions(path):
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_run_one_way(path):
    explorer = {"datasets", "descent", "history", "inputs", "figures", "charts", "torch", "numpy"}
    explorer |= {"base", "answers", "loops", "mlp", "trained", "lines_of_code", "five_lines"}
    explorer |= {"ipywidgets"}
    judges = {"judging", "datasets", "torch", "numpy"}
    allowed = {"explorers": explorer, "checks": judges}.get(path.parent.name)
    assert imported(path) <= MAY_IMPORT.get(path.stem, allowed)


def lines_of_code(path):
    """Count the lines that hold code: no blank line, comment or docstring."""
    module = tree(path)
    for node in ast.walk(module):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return len(ast.unparse(module).splitlines())


def test_the_helper_is_small():
    """An exercise's judge is about 50 lines, the rest stays small."""
    limits = {"course_utils": 1_800, "explorers": 2_140, "checks": 3_550}
    for folder, limit in limits.items():
        assert sum(lines_of_code(path) for path in MODULES if path.parent.name == folder) < limit
    lengths = []
    for path in MODULES:
        for node in functions(path):
            statements = [child for child in node.body if not isinstance(child, ast.Expr)]
            if statements:
                lengths.append(statements[-1].end_lineno - statements[0].lineno + 1)
    assert statistics.median(lengths) <= 10


LONG = {"step", "training", "network", "own_data"}  # explorers of more than one idea


def test_an_explorer_is_small():
    """In lines as they are counted by wc, docstrings and blank lines too."""
    for script in (PACKAGE / "explorers").glob("*.js"):
        most = (150, 260) if script.stem in LONG else (100, 160)
        both = (script.with_suffix(".py"), script)
        lines = [len(path.read_text(encoding="utf-8").splitlines()) for path in both]
        assert all(count <= limit for count, limit in zip(lines, most, strict=True)), (
            script,
            lines,
        )


def test_the_package_never_trains():
    """It may speak of the five lines, in hints, and runs none of those that train."""
    for path in MODULES:
        used = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        assert not used & {"backward", "zero_grad", "optim"}, path.name
        assert "torch.optim" not in imported(path), path.name


def test_no_module_is_named_after_a_chapter():
    for path in MODULES:
        assert not re.match(r"\d|chapter|lesson|utils|helpers|common", path.stem)


def test_every_public_function_says_what_it_raises():
    for path in MODULES:
        for node in public(path):
            doc = ast.get_docstring(node) or ""
            assert doc, f"{path.stem}.{node.name} has no docstring"
            code = ast.unparse(node)
            passed_on = "inputs." in code and not re.search(r"except (ValueError|inputs)", code)
            if (passed_on or "InputError(" in code) and node.name not in HOOKS:
                assert "Raises" in doc, f"{path.stem}.{node.name}"


def test_importing_has_no_side_effects():
    """No figure, thread count, random state or file may change because a module is imported."""
    files = [path.relative_to(ROOT).with_suffix("") for path in MODULES]
    names = [".".join(file.parts) for file in files if file.stem != "__init__"]
    code = f"""
import importlib, os, sys, torch
before = torch.get_num_threads(), torch.get_rng_state().sum().item(), dict(os.environ)
for name in {names}:
    importlib.import_module(name)
after = torch.get_num_threads(), torch.get_rng_state().sum().item(), dict(os.environ)
assert before == after
assert 'matplotlib.pyplot' not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_package_asks_for_what_requirements_txt_explains():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    listed = doctor.read_requirements((ROOT / "requirements.txt").read_text("utf-8"))
    assert listed == doctor.read_requirements("\n".join(project["dependencies"]))


def test_one_thread_is_what_it_says():
    code = """
from course_utils.runtime import use_one_thread, versions
use_one_thread()
import torch
assert torch.get_num_threads() == 1
assert versions()['torch'] == torch.__version__
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def private_names(tree: ast.AST) -> tuple[set[str], set[str]]:
    """Return the private names that code makes, and those it takes from elsewhere."""
    made, taken = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif isinstance(node, ast.ImportFrom):
            taken |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            own = ast.unparse(node.value) in ("self", "cls")
            (made if own else taken).add(node.attr)
    private = re.compile(r"_(?!_).*(?<!_)")
    return tuple({n for n in names if private.fullmatch(n)} for names in (made, taken))


def test_no_file_uses_a_private_name_of_another():
    """Not in tests either. Names that other libraries have, such as _replace, are theirs."""
    files = [path for path in ROOT.rglob("*.py") if ROOT / ".venv" not in path.parents]
    files = [path for path in files if "node_modules" not in path.parts]
    names = {path: private_names(ast.parse(path.read_text("utf-8"))) for path in files}
    assert len(files) > 150
    everywhere = set().union(*(made for made, _ in names.values()))
    used = {str(path.relative_to(ROOT)): (taken - made) & everywhere
            for path, (made, taken) in names.items()}  # fmt: skip
    assert {path: found for path, found in used.items() if found} == {}
    assert private_names(ast.parse("def _a(): self._b = x._c\nfrom m import _d"))[1] == {"_c", "_d"}


def test_signatures_use_the_words_of_the_field():
    from course_utils import datasets, descent, figures

    banned = {"criterion", "cost", "theta", "learning_rate", "x", "alpha", "beta"}
    for module in (datasets, descent, figures):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if not name.startswith("_"):
                assert not banned & set(inspect.signature(function).parameters), name


@pytest.mark.parametrize("command", ["check", "format --check"])
def test_ruff_finds_nothing(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command.split(), "--no-cache", str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
