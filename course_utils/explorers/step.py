"""StepExplorer: the lines of the learner's own training step, run one at a time.

The explorer holds no training code. It reads the lines from the body of the learner's function and
runs each on the learner's own objects, so what is wrong in the function is wrong here too.
"""

import ast
import copy
import inspect
import itertools
import textwrap
from collections.abc import Callable, Sequence
from types import CodeType
from typing import NamedTuple

import bqplot
import ipywidgets as widgets
import numpy as np
import torch
from torch import nn

from course_utils import figures, inputs
from course_utils.charts import Chart, as_text
from course_utils.explorers import panels
from course_utils.explorers.base import Explorer, is_name

NOTHING = "nothing"
ON_MAP = "#333333"  # the map is light in both themes
COLUMNS = ("tensor", "value", "shape", ".grad")
MOST_ROWS, MOST_WRITTEN, MOST_TOLD = 12, 1_000, 3


class Line(NamedTuple):
    """One statement of the function: its text, and the names it takes, makes and calls."""

    text: str
    code: CodeType
    takes: set[str]
    makes: set[str]
    calls: set[str]


class State(NamedTuple):
    """What is shown once the lines `ran`.

    `rows` holds name, value, shape and gradient of every tensor as text, `news` says what changed,
    `refusals` why a line may not run now, `path` every pair of weight and bias so far (empty if the
    model is no line).
    """

    ran: tuple[int, ...]
    rows: list[tuple[str, str, str, str]]
    news: str
    refusals: list[str]
    losses: list[float]
    path: list[tuple[float, float]]


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
        texts = [
            textwrap.dedent(ast.get_source_segment(source, statement, padded=True))
            for statement in body
        ]
    except (OSError, TypeError, SyntaxError, AttributeError):
        raise inputs.InputError(
            f"the lines of {name} cannot be read: write it with def in a cell of its own"
        ) from None
    ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)
    lines = [
        _line(text, statement, function.__code__.co_filename)
        for text, statement in zip(texts, body, strict=True)
        if not isinstance(statement, (ast.Return, ast.Pass))
        and not isinstance(getattr(statement, "value", None), ast.Constant)
    ]
    if not lines:
        raise inputs.InputError(f"{name} has no line to run: write the lines of a step into it")
    return lines


def refusals(lines: Sequence[Line], ran: Sequence[int], gradients: bool = False) -> list[str]:
    """Say for each line why it may not run next; an empty text means that it may.

    Parameters
    ----------
    lines : sequence of Line
        As `read_lines` returns them.
    ran : sequence of int
        The numbers of the lines that ran; the first line is 1.
    gradients : bool
        Whether a parameter had a gradient at the beginning.
    """
    makers = {name: k for k, line in reversed([*enumerate(lines, 1)]) for name in line.makes}
    fresh, made = set(), set()
    for number in ran:
        line = lines[number - 1]
        if line.calls & {"backward", "step"}:
            fresh = set()  # the graph is freed, or was built with parameters that have moved
        resets = any(call.startswith("zero") for call in line.calls)
        gradients = "backward" in line.calls or (gradients and not resets)
        fresh, made = fresh | line.makes, made | line.makes
    return [_refusal(lines, line, makers, fresh, made, gradients) for line in lines]


class StepExplorer(Explorer):
    """Run a training step line by line; see every tensor and the point on the loss surface.

    Parameters
    ----------
    function : callable (model, loss_fn, optimizer, X, y)
        The learner's training step. Its lines become buttons, in their order.
    model, loss_fn, optimizer, X, y
        What the lines work on, as one would pass them to the function. They are the learner's own
        objects: a step moves the model.

    Raises
    ------
    InputError
        If the lines cannot be read, or an argument is not what its name says.
    """

    def __init__(
        self,
        function: Callable,
        model: nn.Module,
        loss_fn: Callable,
        optimizer: object,
        X: torch.Tensor,
        y: torch.Tensor,
    ):
        if not isinstance(model, nn.Module) or not list(model.parameters()):
            raise inputs.InputError("model has no parameters, expected a module such as nn.Linear")
        fits = {"loss_fn": callable(loss_fn), "optimizer": hasattr(optimizer, "param_groups")}
        fits |= {"X": torch.is_tensor(X), "y": torch.is_tensor(y)}
        for (name, fit), value in zip(fits.items(), (loss_fn, optimizer, X, y), strict=True):
            if not fit:
                raise inputs.InputError(f"{name} is a {type(value).__name__}, which is no {name}")
        self._lines, words = read_lines(function), list(inspect.signature(function).parameters)
        if len(words) != 5:
            raise inputs.InputError(
                f"{function.__name__} takes ({', '.join(words)}), expected five: model, loss_fn, "
                "optimizer, X, y"
            )
        self._given = dict(zip(words, (model, loss_fn, optimizer, X, y), strict=True))
        self._function, self._model, self._optimizer = function, model, optimizer
        self._beginning = copy.deepcopy(
            [model.state_dict(), [p.grad for p in model.parameters()], optimizer.state_dict()]
        )
        self._had_gradients = any(gradient is not None for gradient in self._beginning[1])
        called = [line.text for line in self._lines if "backward" in line.calls]
        self._loss_name = called[0].split(".")[0] if called else ""
        self._line = _weight_and_bias(model)
        self._surface = _loss_surface(self._line, loss_fn, X, y)
        self._restore()
        controls = {
            "lines": widgets.Text("", description="lines run", continuous_update=False),
            "leave_out": widgets.Dropdown(
                options=[NOTHING, *(line.text for line in self._lines)], description="leave out"
            ),
        }
        parts = [self._listing(), self._table()]
        super().__init__(controls, parts + ([self._map()] if self._surface else []))

    def _listing(self) -> widgets.VBox:
        """Return one button a line with a place for the reason why it is disabled."""
        self._buttons, self._reasons = [], []
        for number, line in enumerate(self._lines, 1):
            button = widgets.Button(
                description=f"{number}  {line.text.splitlines()[0]}", tooltip=f"Run line {number}",
                layout={"width": "270px", "display": "flex", "justify_content": "flex-start"},
                style={"font_family": "monospace"},
            )  # fmt: skip
            button.on_click(lambda _, number=number: self._run_next(lambda: [number]))
            self._buttons.append(button)
            self._reasons.append(widgets.Label(layout={"width": "260px"}))
        ahead = widgets.Button(description="Next line")
        ahead.on_click(lambda _: self._run_next(lambda: self._rest()[:1]))
        step = widgets.Button(description="To the end of the step", layout={"width": "auto"})
        step.on_click(lambda _: self._run_next(self._rest))
        rows = zip(self._buttons, self._reasons, strict=True)
        return widgets.VBox([*map(widgets.HBox, rows), widgets.HBox([ahead, step])])

    def _table(self) -> widgets.GridBox:
        """Return a grid of labels, one row a tensor."""
        head = [widgets.Label(text, style={"font_weight": "bold"}) for text in COLUMNS]
        self._cells = [[widgets.Label() for _ in head] for _ in self._rows()]
        layout = {"grid_template_columns": "repeat(4, max-content)", "grid_gap": "0 12px"}
        layout |= {"margin": "0 8px 0 0", "align_content": "flex-start"}
        return widgets.GridBox(
            [*head, *(cell for row in self._cells for cell in row)], layout=layout
        )

    def _map(self) -> bqplot.Figure:
        weights, biases, losses = self._surface
        panel = panels.Panel(
            "The loss over weight and bias",
            ("weight (unit of y per unit of x)", weights[0], weights[-1]),
            ("bias (unit of y)", biases[0], biases[-1]),
        )
        color = bqplot.ColorScale(colors=["#ffffff", "#9fb4c8"])
        scales = panel.scales | {"color": color}
        heights = np.round(4 * np.log10(np.maximum(losses, losses.max() * 1e-8)))  # in bands
        # The map is light in both themes and its marks are dark: so is the legend that lies on it.
        panel.figure.legend_style = panel.figure.legend_style | {"fill": "white"}
        panel.figure.marks = [bqplot.HeatMap(x=weights, y=biases, color=heights, scales=scales)]
        self._trace = panel.line("path", "prediction", marker="circle", colors=[ON_MAP])
        self._point = panel.points("now", "prediction", default_size=120, colors=[ON_MAP])
        return panel.figure

    def _run_next(self, numbers: Callable[[], list[int]]) -> None:
        with self._work_to_do:
            told = [self.settings["lines"], *map(str, numbers())]
            self._controls["lines"].value = " ".join(told).strip()

    def _rest(self) -> list[int]:
        """Return what is left of the present step, without the line that is left out."""
        ran = _numbers(self.settings["lines"], len(self._lines))
        kept = [
            k for k, line in enumerate(self._lines, 1) if line.text != self.settings["leave_out"]
        ]
        return [k for k in kept if not ran or k > ran[-1]] or kept

    def reset(self) -> None:
        """Put parameters, gradients and optimizer back to the beginning."""
        self._ran = None
        super().reset()

    def compute(self, settings: dict) -> State:
        """Run what has not run yet; start again if the list of lines is another one."""
        try:
            wanted = _numbers(settings["lines"], len(self._lines))
            again = self._ran is None or wanted[: len(self._ran)] != self._ran
            for at in range(0 if again else len(self._ran), len(wanted)):
                line = self._lines[wanted[at] - 1]
                if why := refusals(self._lines, wanted[:at], self._had_gradients)[wanted[at] - 1]:
                    raise inputs.InputError(f"line {wanted[at]}, {line.text}: {why}")
            if again:
                self._restore()
            new, before = wanted[len(self._ran) :], self._rows()
            for number in new:
                self._run(number)
        except Exception:
            self._take_back()
            raise
        if new:
            self._news = self._tell(new, before, self._rows())
        return self._state()

    def _run(self, number: int) -> None:
        line = self._lines[number - 1]
        outer = inspect.getclosurevars(self._function).nonlocals
        names = self._function.__globals__ | outer | self._names
        exec(line.code, names)
        self._names |= {name: names[name] for name in line.makes}
        self._ran += (number,)
        loss = self._names.get(self._loss_name)
        if self._loss_name in line.makes and torch.is_tensor(loss) and loss.numel() == 1:
            self._losses.append(loss.item())
        if self._line and (point := _point(self._line)) != self._path[-1]:
            self._path.append(point)

    def _restore(self) -> None:
        """Give model, gradients and optimizer what they had at the beginning."""
        parameters, gradients, optimizer = copy.deepcopy(self._beginning)
        self._model.load_state_dict(parameters)
        for parameter, gradient in zip(self._model.parameters(), gradients, strict=True):
            parameter.grad = gradient
        self._optimizer.load_state_dict(optimizer)
        self._ran, self._names, self._losses, self._news = (), dict(self._given), [], ""
        self._path = [_point(self._line)] if self._line else []

    def _take_back(self) -> None:
        """Strike the lines that did not run, and show where the others led."""
        if self._ran is None:
            self._restore()
        with self._work_to_do:
            self._holding = True
            self._controls["lines"].value = " ".join(map(str, self._ran))
            self._holding = False
        self.draw(self._state())

    def _state(self) -> State:
        why = refusals(self._lines, self._ran, self._had_gradients)
        return State(self._ran, self._rows(), self._news, why, [*self._losses], [*self._path])

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """Describe parameters, given tensors, and what the lines make."""
        model = next(iter(self._given))
        parameters = [(f"{model}.{name}", p) for name, p in self._model.named_parameters()]
        made = {name: self._names.get(name) for line in self._lines for name in sorted(line.makes)}
        given = {name: value for name, value in self._given.items() if torch.is_tensor(value)}
        named = [*parameters[:MOST_ROWS], *(given | made).items()]
        rows = [(name, *_describe(value)) for name, value in named]
        if hidden := parameters[MOST_ROWS:]:
            rows.insert(MOST_ROWS, (f"and {len(hidden)} more", "", "", ""))
        return rows

    def draw(self, result: State) -> None:
        """Fill the table, enable what may run, move the point."""
        for cells, row in zip(self._cells, result.rows, strict=True):
            for cell, text in zip(cells, row, strict=True):
                cell.value = text
        for at, why in enumerate(result.refusals):
            self._buttons[at].disabled = bool(why)
            times = result.ran.count(at + 1)
            self._reasons[at].value = why or f"runs: {times}" * bool(times)
        if self._surface:
            weights, biases = np.where(np.isfinite(result.path), result.path, np.nan).T
            panels.put(self._trace, weights, biases)
            panels.put(self._point, weights[-1:], biases[-1:])

    def summary(self, result: State) -> str:
        """Tell which line ran and which numbers it changed."""
        if not result.ran:
            return "Nothing has run yet: every number is as it was at the beginning."
        steps = sum("step" in self._lines[number - 1].calls for number in result.ran)
        return f"{result.news} Steps so far: {steps:,}, lines: {len(result.ran):,}."

    def _tell(self, new: tuple[int, ...], before: list, after: list) -> str:
        line = self._lines[new[-1] - 1]
        head = (
            f"Line {new[-1]} ran" if len(new) == 1 else f"{len(new)} lines ran, line {new[-1]} last"
        )
        told, added = [], False
        for (name, old, _, old_grad), (_, value, _, grad) in zip(before, after, strict=True):
            if value != old:
                told.append(f"{name} went from {old} to {value}" if old else f"{name} is {value}")
            if grad != old_grad and old_grad:
                told.append(f"{name}.grad went from {old_grad} to {grad}")
                added |= old_grad != "None" and "backward" in line.calls and len(new) == 1
        more = [f"{len(told) - MOST_TOLD} more changes"] if len(told) > MOST_TOLD else []
        said = "; ".join(told[:MOST_TOLD] + more) or "no number changed"
        hint = " The new gradient was added to the one that was there." if added else ""
        return f"{head}: {line.text}  \u2192  {said.removesuffix('.')}.{hint}"

    def still(self, result: State) -> Chart:
        """Return the path on the loss surface, or the losses of a model that is no line."""
        if self._surface:
            path = tuple(np.where(np.isfinite(result.path), result.path, np.nan).T)
            return figures.plot_surface(*self._surface, {"path": path})
        if result.losses:
            return figures.plot_losses({"loss": result.losses}, xlabel="step", log_y=False)
        return Chart((), "step", "loss", self.summary(result))

    def as_code(self, settings: dict) -> str:
        """Return the cell that goes back to the beginning and runs the same lines on copies."""
        parameters, gradients, optimizer = self._beginning
        model, _, chosen, *_ = self._given
        code = [
            "import copy",
            f"{model}, {chosen} = copy.deepcopy(({model}, {chosen}))  # your own stay as they are",
        ]
        if sum(p.numel() for p in self._model.parameters()) > MOST_WRITTEN:
            code.append("# Begin with the model as it was made: it has too many numbers to list.")
        else:
            code.append(f"{model}.load_state_dict({_literal(parameters)})")
        code.append(
            f"for parameter, gradient in zip({model}.parameters(), {_literal(gradients)}):\n"
            "    parameter.grad = gradient"
            if self._had_gradients
            else f"for parameter in {model}.parameters():\n    parameter.grad = None"
        )
        if self._optimizer.state_dict()["state"] or optimizer["state"]:
            code.append(f"{chosen}.load_state_dict({_literal(optimizer)})")
        numbers = _numbers(settings["lines"], len(self._lines))
        for steps, same in itertools.groupby(_passes(numbers)):
            text = "\n".join(self._lines[number - 1].text for number in steps)
            count = len([*same])
            loop = f"for step in range({count}):\n{textwrap.indent(text, '    ')}"
            code.append(loop if count > 1 else text)
        names = [name for name, _ in self._model.named_parameters()]
        last = ", ".join(f"{_reached(model, name)}.item()" for name in names)
        code.append(f"return {last if self._line else f'{model}.state_dict()'}")
        return self._cell("\n".join(code), **self._given)


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


def _refusal(lines, line: Line, makers: dict, fresh: set, made: set, gradients: bool) -> str:
    for name in sorted(line.takes & makers.keys() - fresh - line.makes):
        return f"needs {'a new ' * (name in made)}{name}: run line {makers[name]}"
    if "step" in line.calls and not gradients:
        number = next((k for k, other in enumerate(lines, 1) if "backward" in other.calls), None)
        return "needs a gradient" + (f": run line {number}" if number else "")
    return ""


def _numbers(text: str, most: int) -> tuple[int, ...]:
    try:
        numbers = tuple(int(word) for word in text.replace(",", " ").split())
    except ValueError:
        numbers = (0,)
    if not all(1 <= number <= most for number in numbers):
        raise inputs.InputError(
            f"lines run is {text[:40]!r}, expected numbers from 1 to {most} such as 1 2 3"
        )
    return numbers


def _passes(numbers: tuple[int, ...]) -> list[list[int]]:
    """Divide the lines that ran into passes from the top down."""
    passes = [[]]
    for number in numbers:
        if passes[-1] and number <= passes[-1][-1]:
            passes.append([])
        passes[-1].append(number)
    return passes if numbers else []


def _weight_and_bias(model: nn.Module) -> tuple[nn.Parameter, nn.Parameter] | None:
    """Return the two parameters of a line, or None if the model is another one."""
    named = {name.split(".")[-1]: p for name, p in model.named_parameters() if p.numel() == 1}
    is_line = len([*model.parameters()]) == 2 and named.keys() == {"weight", "bias"}
    return (named["weight"], named["bias"]) if is_line else None


def _point(line: tuple[nn.Parameter, nn.Parameter]) -> tuple[float, float]:
    return tuple(parameter.item() for parameter in line)


def _loss_surface(line: object, loss_fn: Callable, X: torch.Tensor, y: torch.Tensor):
    """Return weights, biases and the learner's loss around start and goal, or None."""
    try:
        x, targets = inputs.pair(X, y, least=2)
        goal = np.polyfit(x - x.mean(), targets, 1)
        goal[1] -= goal[0] * x.mean()
        reach = np.maximum(1.6 * np.abs(goal - _point(line)), 0.2 * np.abs(goal) + 0.2)
        axes = np.linspace(goal - reach, goal + reach, 61).T
        with torch.no_grad():
            losses = [[float(loss_fn(w * X + b, y)) for w in axes[0]] for b in axes[1]]
    except Exception:  # no line, or a loss of another kind: the lines themselves tell what is wrong
        return None
    losses = np.array(losses)
    return (*axes, losses) if np.isfinite(losses).all() and losses.min() >= 0 else None


def _describe(value: object) -> tuple[str, str, str]:
    """Return value, shape and gradient of a tensor as text."""
    if not torch.is_tensor(value):
        return ("", "", "") if value is None else (str(value)[:40], "no tensor", "")
    if not value.requires_grad:
        gradient = "not needed"
    elif not value.is_leaf:
        gradient = "not kept"
    else:
        gradient = "None" if value.grad is None else _values(value.grad)
    return _values(value), str(tuple(value.shape)), gradient


def _values(tensor: torch.Tensor) -> str:
    few = tensor.detach().flatten()[:3].tolist()
    texts = [as_text(v, decimals=4 if v == 0 or abs(v) >= 1e-3 else None) for v in few]
    texts = [text.replace(",", "") for text in texts]  # a comma parts them from each other
    return ", ".join(texts) + " ..." * (tensor.numel() > len(few))


def _reached(model: str, name: str) -> str:
    """Return the code for a parameter of the model, whose name may be no name of Python's."""
    plain = all(map(is_name, name.split(".")))
    return f"{model}.{name}" if plain else f"{model}.get_parameter({name!r})"


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
