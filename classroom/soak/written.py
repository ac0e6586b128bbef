"""The code that explorers write for a learner whose functions and models have hostile names."""

import ast
from collections.abc import Callable, Iterator

import shown
import torch
from torch import nn

from course_utils import datasets
from course_utils.explorers import boundary, fit, network, node, noise, own_data, training


def in_code(texts: list[str]) -> tuple[int, list[str]]:
    """Name functions and parts of models by the texts, and read the code that explorers write."""
    written, failures = 0, []
    for name, write in writers():
        shapes = [shape_of(write(text)) for text in (shown.PLAIN, "plain", "plain.words")]
        for text in texts:
            written += 1
            try:
                if shape_of(write(text)) not in shapes:
                    failures.append(f"the code of {name} does more with {text!r}")
            except Exception as error:
                failures.append(f"the code of {name} with {text!r}: {error!r}")
    return written, failures


def shape_of(code: str) -> list[str]:
    """Return the kinds of all parts of a program but for its names, literals and their signs."""
    parts = ast.walk(compile(code, "<code>", "exec", ast.PyCF_ONLY_AST))
    kinds = [type(part).__name__ for part in parts]
    return [kind for kind in kinds if kind not in ("Name", "Constant", "UnaryOp", "USub")]


def writers() -> Iterator[tuple[str, Callable[[str], str]]]:
    """Yield for each explorer a function that names the learner's part and returns the code."""
    X, y = datasets.make_line(n=20)
    learners = {
        boundary.BoundaryExplorer: (lambda logit, y: 0.0,),
        noise.NoiseExplorer: (lambda n, seed, **_: (X, y),),
        fit.FitExplorer: (lambda X, y, degree: lambda X: X,),
        node.NodeExplorer: (lambda X, w, b, activation: activation(X @ w + b),),
        own_data.OwnDataExplorer: (lambda X, y, loss_fn: (1.0, 0.0), X, y),
        network.NetworkExplorer: (lambda *_: nn.Linear(1, 1), lambda *_: iter([])),
        training.TrainingExplorer: (lambda *_: {}, [torch.optim.SGD, torch.optim.Adam]),
    }
    for kind, given in learners.items():
        explorer = kind(*given)

        def write(text: str, explorer: object = explorer, given: tuple = given) -> str:
            for function in given:
                if hasattr(function, "__code__"):
                    function.__name__ = function.__qualname__ = text
            return explorer.as_code(explorer.settings)

        yield kind.__name__, write

    def steps(text: str) -> str:
        explorer = shown.step_explorer([text])
        explorer.set(lines="1")
        return explorer.as_code(explorer.settings)

    yield "StepExplorer", steps
