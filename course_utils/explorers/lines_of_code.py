"""The lines of a learner's own training step: read from its source, run one by one on copies.

No training code stands here. What is wrong in the learner's function is wrong when its lines run.
"""

import ast
import copy
import inspect
import itertools
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import CodeType
from typing import NamedTuple

import torch
from torch import nn

from course_utils import inputs

MOST_LINES = 1_000  # in a run
MOST_ROWS, MOST_WRITTEN = 12, 1_000  # parameters that are listed, numbers that are written as code


class Line(NamedTuple):
    """One statement of a function.

    Attributes
    ----------
    text, code
        Its source, and what Python makes of it.
    takes, makes : set of str
        The names that it reads and binds.
    calls : set of str
        The methods that it calls.
    """

    text: str
    code: CodeType
    takes: set[str]
    makes: set[str]
    calls: set[str]


class Outcome(NamedTuple):
    """What is there once lines have run.

    Attributes
    ----------
    model : Module
        The copy that the lines worked on.
    made : dict
        What the lines gave names to.
    loss : float
        Of the model as it is now; nan if that is not a number.
    before, rows : list of (name, value, shape, .grad)
        Every tensor as text, before the last line and after it.
    path : list of (weight, bias)
        Where a line was; empty if the model is none.
    losses : list of float
        Each number that a line called `backward` on.
    """

    model: nn.Module
    made: dict
    loss: float
    before: list[tuple[str, str, str, str]]
    rows: list[tuple[str, str, str, str]]
    path: list[tuple[float, float]]
    losses: list[float]


class Lines:
    """The lines of a function, and what it takes, as both are now.

    Parameters
    ----------
    function : callable (model, loss_fn, optimizer, X, y)
        Its parameters may have other names.
    values : sequence
        What it takes. It is copied: none of it changes, whatever the lines do.

    Raises
    ------
    InputError
        If the source cannot be read, holds no statement or takes other than five parameters.
    """

    def __init__(self, function: Callable, values: Sequence):
        self.all = read_lines(function)
        words = list(inspect.signature(function).parameters)
        if len(words) != 5:
            raise inputs.InputError(
                f"{function.__name__} takes ({', '.join(words)}), expected five: model, loss_fn, "
                "optimizer, X, y"
            )
        self.function, self.now = function, dict(zip(words, values, strict=True))
        self._beginning = _copied(self.now)
        self.words = words
        self.model, self.loss_fn, self.optimizer, self.X, self.y = self._beginning.values()

    def able(self, numbers: Sequence[int]) -> tuple[Sequence[int], str]:
        """Return the numbers up to the first line that cannot run there, and what it needs."""
        ready = Readiness(self.all)
        for at, number in enumerate(numbers):
            if first := ready.needs(number):
                why = f"line {number}, {self.all[number - 1].text}, needs line {first} first"
                return numbers[:at], why
            ready.note(number)
        return numbers, ""

    def run(self, numbers: Sequence[int], lr: float) -> Outcome:
        """Run lines by their numbers, from the beginning, with this learning rate."""
        given = _copied(self._beginning)
        model, optimizer = list(given.values())[0:3:2]
        for group in optimizer.param_groups:
            group["lr"] = lr
        made, line = {}, weight_and_bias(model)
        path, losses = [point(line)] if line else [], []
        rows = before = self._rows(model, given | made)
        outer = inspect.getclosurevars(self.function).nonlocals
        for at, number in enumerate(numbers, 1):
            chosen = self.all[number - 1]
            names = self.function.__globals__ | outer | given | made
            if at == len(numbers):
                before = self._rows(model, given | made)
            exec(chosen.code, names)
            made |= {name: names[name] for name in chosen.makes if name in names}
            if "backward" in chosen.calls:
                losses += [names[n].item() for n in chosen.takes if _is_number(made.get(n))]
            if line and path[-1] != point(line):
                path.append(point(line))
        if numbers:
            rows = self._rows(model, given | made)
        return Outcome(model, made, self._loss(model), before, rows, path, losses)

    def _loss(self, model: nn.Module) -> float:
        with suppress(Exception), torch.no_grad():  # the lines themselves tell what is wrong
            return self.loss_fn(model(self.X), self.y).item()
        return math.nan

    def _rows(self, model: nn.Module, values: Mapping) -> list[tuple[str, str, str, str]]:
        word = next(iter(self.now))
        named = [(f"{word}.{name}", p) for name, p in model.named_parameters()]
        rows = [(name, *described(value)) for name, value in named[:MOST_ROWS]]
        if len(named) > MOST_ROWS:
            rows.append((f"and {len(named) - MOST_ROWS} more", "", "", ""))
        made = [name for line in self.all for name in sorted(line.makes)]
        tensors = [name for name, value in self.now.items() if torch.is_tensor(value)]
        names = dict.fromkeys(tensors + made)
        return rows + [(name, *described(values.get(name))) for name in names]

    def as_code(self, numbers: Sequence[int], lr: float) -> str:
        """Return a function that runs the lines from the beginning on copies, and its call."""
        model, loss_fn, optimizer, X, y = self.now
        before = self._beginning
        parameters = [*before[model].parameters()]
        code = ["import copy", "", f"{model}, {optimizer} = copy.deepcopy(({model}, {optimizer}))"]
        if sum(p.numel() for p in parameters) <= MOST_WRITTEN:
            code.append(f"{model}.load_state_dict({_literal(before[model].state_dict())})")
        if any(p.grad is not None for p in parameters):
            grads = _literal([p.grad for p in parameters])
            code += [f"for parameter, grad in zip({model}.parameters(), {grads}):"]
            code += ["    parameter.grad = grad"]
        if any(getattr(o[optimizer], "state", None) for o in (before, self.now)):
            code.append(f"{optimizer}.load_state_dict({_literal(before[optimizer].state_dict())})")
        code += [f"for group in {optimizer}.param_groups:", f'    group["lr"] = {lr:.10g}']
        for steps, same in itertools.groupby(_passes(numbers)):
            text, count = "\n".join(self.all[number - 1].text for number in steps), len([*same])
            loop = f"for step in range({count}):\n{textwrap.indent(text, '    ')}"
            code.append(loop if count > 1 else text)
        loss = f"{loss_fn}({model}({X}), {y}).item()"
        ends = f"{model}.weight.item(), {model}.bias.item(), {loss}"
        code.append(f"return {ends if weight_and_bias(before[model]) else loss}")
        body = textwrap.indent("\n".join(code), "    ")
        words = ", ".join(self.now)
        return f"def lines_shown({words}):\n{body}\n\n\nlines_shown({', '.join(self._called())})"

    def _called(self) -> list[str]:
        """Return what the notebook calls the five values, as far as it still holds them."""
        names = self.function.__globals__
        called = {id(names[name]): name for name in reversed(names) if not name.startswith("_")}
        return [
            word if names.get(word) is value else called.get(id(value), word)
            for word, value in self.now.items()
        ]


def read_lines(function: Callable) -> list[Line]:
    """Return the statements of a function but for its docstring and `return`.

    Raises
    ------
    InputError
        If the source cannot be read, or holds no statement.
    """
    name = getattr(function, "__name__", type(function).__name__)
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source)
        body = tree.body[0].body
        texts = [textwrap.dedent(ast.get_source_segment(source, s, padded=True)) for s in body]
    except (OSError, TypeError, SyntaxError, AttributeError):
        raise inputs.InputError(
            f"the lines of {name} cannot be read: write it with def in a cell of its own"
        ) from None
    ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)
    lines = [
        _line(text, statement, function.__code__.co_filename)
        for text, statement in zip(texts, body, strict=True)
        if not isinstance(statement, ast.Return | ast.Pass)
        and not isinstance(getattr(statement, "value", None), ast.Constant)
    ]
    if not lines:
        raise inputs.InputError(f"{name} has no line to run: write the lines of a step into it")
    return lines


def numbers_of(text: str, most: int) -> tuple[int, ...]:
    """Return the numbers of lines in a text such as "1 2 3".

    Raises
    ------
    InputError
        If it holds something else, or too many.
    """
    try:
        numbers = tuple(int(word) for word in text.replace(",", " ").split())
    except ValueError:
        numbers = (0,)
    if not all(1 <= number <= most for number in numbers):
        raise inputs.InputError(
            f"lines is {text[:40]!r}, expected numbers from 1 to {most} such as 1 2 3"
        )
    if len(numbers) > MOST_LINES:
        raise inputs.InputError(
            f"lines has {len(numbers):,} numbers, expected {MOST_LINES:,} or fewer"
        )
    return numbers


class Readiness:
    """Which lines can run next, and which one the others need first.

    A line needs the names that other lines make. One that calls `backward` also needs that nothing
    of what it takes has been through `backward` before.
    """

    def __init__(self, lines: Sequence[Line], ran: Sequence[int] = ()):
        self._lines = lines
        self._makers = {n: k for k, line in reversed([*enumerate(lines, 1)]) for n in line.makes}
        self._made: dict[str, set[int]] = {}  # for each name the runs that led to it
        self._used: set[int] = set()  # runs that went through backward
        self._count = 0
        for number in ran:
            self.note(number)

    def note(self, number: int) -> None:
        """Take it that a line ran."""
        line, self._count = self._lines[number - 1], self._count + 1
        led = set().union(*(self._made[name] for name in line.takes if name in self._made))
        if "backward" in line.calls:
            self._used |= {*led, self._count}
        for name in line.makes:
            self._made[name] = {*led, self._count}

    def needs(self, number: int) -> int:
        """Return the number of the line that has to run before this one, or 0."""
        line = self._lines[number - 1]
        return self._lacks(line, "backward" in line.calls)

    def _lacks(self, line: Line, unused: bool) -> int:
        for name in sorted(line.takes & self._makers.keys() - line.makes):
            if name not in self._made or (unused and self._made[name] & self._used):
                maker = self._makers[name]
                return self._lacks(self._lines[maker - 1], unused) or maker
        return 0


def weight_and_bias(model: nn.Module) -> tuple[nn.Parameter, nn.Parameter] | None:
    """Return the two parameters of a line, or None if the model is another one."""
    named = dict(model.named_parameters())
    is_line = named.keys() == {"weight", "bias"} and all(p.numel() == 1 for p in named.values())
    return (named["weight"], named["bias"]) if is_line else None


def point(line: tuple[nn.Parameter, nn.Parameter]) -> tuple[float, float]:
    """Return weight and bias as numbers."""
    return tuple(parameter.item() for parameter in line)


def described(value: object) -> tuple[str, str, str]:
    """Return value, shape and gradient of a tensor as text."""
    if not torch.is_tensor(value):
        return ("", "", "") if value is None else (str(value)[:40], "no tensor", "")
    if not value.requires_grad:
        gradient = "not needed"
    elif not value.is_leaf:
        gradient = "not kept"
    else:
        gradient = "None" if value.grad is None else _few(value.grad)
    return _few(value), str(tuple(value.shape)), gradient


def _line(text: str, statement: ast.stmt, filename: str) -> Line:
    nodes = [*ast.walk(statement)]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    calls = [node.func for node in nodes if isinstance(node, ast.Call)]
    return Line(
        text,
        compile(ast.Module([statement], []), filename, "exec"),
        {name.id for name in names if isinstance(name.ctx, ast.Load)},
        {name.id for name in names if isinstance(name.ctx, ast.Store)},
        {call.attr for call in calls if isinstance(call, ast.Attribute)},
    )


def _copied(values: Mapping) -> dict:
    """Copy a model with its gradients, its optimizer and the rest."""
    copies = copy.deepcopy(dict(values))
    for value, other in zip(values.values(), copies.values(), strict=True):
        if isinstance(value, nn.Module):
            for old, new in zip(value.parameters(), other.parameters(), strict=True):
                new.grad = None if old.grad is None else old.grad.clone()
    return copies


def _passes(numbers: Sequence[int]) -> list[list[int]]:
    """Divide the lines that ran into passes from the top down."""
    passes: list[list[int]] = []
    for number in numbers:
        if not passes or number <= passes[-1][-1]:
            passes.append([])
        passes[-1].append(number)
    return passes


def _is_number(value: object) -> bool:
    return torch.is_tensor(value) and value.numel() == 1


def _few(tensor: torch.Tensor) -> str:
    few = tensor.detach().flatten()[:3].tolist()
    texts = [f"{v:.4f}" if v == 0 or 1e-3 <= abs(v) < 1e5 else f"{v:.3e}" for v in few]
    return ", ".join(texts) + " ..." * (tensor.numel() > len(few))


def _literal(value: object) -> str:
    """Write tensors, lists and dictionaries as Python source that gives the same numbers."""
    if torch.is_tensor(value):
        kind = "" if value.dtype == torch.float32 else f", dtype={value.dtype}"
        return f"torch.tensor({value.tolist()}{kind})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(value)
