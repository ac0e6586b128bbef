"""The functions of notebook 08 themselves, run from its cells: the soak holds no copy of them."""

import ast
import json
from pathlib import Path
from types import SimpleNamespace

LESSON = Path(__file__).parents[2] / "notebooks" / "08_saving.ipynb"


def sources() -> list[str]:
    """Return the code of the notebook: imports first, without the cell that finds the course."""
    cells = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    own = [cell for cell in code if "elsewhere" not in cell["metadata"].get("tags", [])]
    return ["".join(cell["source"]) for cell in own]


def defines(source: str) -> bool:
    """Tell whether a cell holds functions and constants, and does nothing."""
    for node in ast.parse(source).body:
        target = getattr(node, "target", None) or getattr(node, "targets", [None])[0]
        constant = isinstance(target, ast.Name) and target.id.isupper()
        if not (constant or isinstance(node, ast.FunctionDef)):
            return False
    return True


def taught() -> SimpleNamespace:
    """Run the imports and every cell that only defines; return `write_safely` and the others."""
    imports, *rest = sources()
    names: dict = {}
    for source in [imports, *filter(defines, rest)]:
        exec(compile(source, str(LESSON), "exec"), names)
    return SimpleNamespace(**{name: names[name] for name in names if not name.startswith("__")})


def script(name: str) -> str:
    """Return the source of one function, to be run without all the others."""
    cells = [(source, node) for source in sources() for node in ast.parse(source).body]
    [found] = [
        ast.get_source_segment(source, node)
        for source, node in cells
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return found


def left_in(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(item.name for item in folder.iterdir())
