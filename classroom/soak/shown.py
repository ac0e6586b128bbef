"""Every place where the course shows a learner's string in a page; run in a kernel by strings.py.

Each function displays one output a string, or a few strings in one output, first of all a harmless
one of the same kind: what is drawn for the others may hold no other kind of element.
"""

import linecache
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from IPython import get_ipython
from IPython.display import display
from proofs import move
from torch import nn

from course_utils import datasets, figures, inputs, predict, progress
from course_utils.checks import feedback
from course_utils.explorers.line import LineExplorer
from course_utils.explorers.noise import NoiseExplorer
from course_utils.explorers.own_data import OwnDataExplorer
from course_utils.explorers.step import StepExplorer

X, Y = datasets.make_line(n=20)
PLAIN = "plain words $ \\"  # what begins a formula is set apart, in every text
TOGETHER = 8


def groups(texts: list[str]) -> Iterator[list[str]]:
    """Yield a few strings at a time, harmless ones first."""
    yield [f"{PLAIN} {number}" for number in range(TOGETHER)]
    for at in range(0, len(texts), TOGETHER):
        group = texts[at : at + TOGETHER]
        yield group + [f"filler {number}" for number in range(TOGETHER - len(group))]


def verdicts(texts: list[str]) -> None:
    """Show names of exercises, errors of an answer, and what a judge says."""
    for text in [PLAIN, *texts]:
        display(feedback.Verdict("wrong", f"{text} `{text}`"))
        feedback.check(text)
        feedback.check("04.4", failing(text))


def file_names(texts: list[str]) -> None:
    """Show the sentence that names a progress file which is none."""
    before = os.environ.get("COURSE_PROGRESS")
    for text in [PLAIN, *texts]:
        with tempfile.TemporaryDirectory() as folder:
            try:
                (Path(folder) / text.replace("/", "\u2215")).write_text("none of ours\n")
            except (OSError, ValueError):  # no system takes that name
                continue
            os.environ["COURSE_PROGRESS"] = str(Path(folder) / text.replace("/", "\u2215"))
            feedback.check("04.4", failing("no"))
    os.environ["COURSE_PROGRESS"] = before or ""


def errors(texts: list[str]) -> None:
    """Show what stands below a cell that raises, or prints the error."""
    calls = (
        predict.predict,
        progress.merge,
        datasets.load_penguins,
        lambda text: datasets.load_penguins(feature=text),
        lambda text: inputs.number(text, text),
        lambda text: figures.plot_losses({text: []}),
    )
    for text in [PLAIN, *texts]:
        for call in calls:
            try:
                call(text)
            except inputs.InputError as error:
                print(error)
                if call is calls[0]:  # its traceback takes a tenth of a second
                    get_ipython().showtraceback()


def charts(texts: list[str]) -> None:
    """Show names of lines, paths and losses, and the labels of axes."""
    for one, two, *names in groups(texts):
        axes, named = {"xlabel": one, "ylabel": two}, dict.fromkeys([one, two, *names], (1.0, 0.5))
        display(figures.plot_data(X, Y, named, **axes))
        display(figures.plot_losses(named, **axes))
        grid, paths = torch.linspace(0, 1, 3), {name: ([0.0, 1.0], [0.0, 1.0]) for name in named}
        display(figures.plot_surface(grid, grid, torch.ones(3, 3), paths))


def labels(texts: list[str]) -> None:
    """Show the axes of a live picture, and its still one."""
    for one, two, *_ in groups(texts):
        display(LineExplorer(X, Y, nn.MSELoss(), xlabel=one, ylabel=two))


def table(texts: list[str]) -> None:
    """Show the text field in which a learner writes points."""
    explorer = OwnDataExplorer(lambda X, y, loss_fn: (1.0, 0.0), X, Y)
    display(explorer)
    for text in [*texts, PLAIN]:
        move(explorer, points=f"0, 0\n1, 1\n{text}")


def functions(texts: list[str]) -> None:
    """Show error and name of a learner's function, in the explorer and in the code it shows."""
    said = [PLAIN]

    def make(n: int, seed: int, **settings: float) -> tuple:
        if settings["noise"] > 1:
            raise ValueError(said[0])
        return X, Y

    explorer = NoiseExplorer(make)
    display(explorer)
    for text in [*texts, PLAIN]:
        said[0], make.__name__ = text, text
        for noise in (2.0, 0.5):
            try:
                explorer.set(noise=noise)
            except ValueError as error:  # the learner's own, below their cell
                print(error)
        explorer.page.code = explorer.as_code(explorer.settings)


def steps(texts: list[str]) -> None:
    """Show the lines of a learner's function, what they make, and the names of a model's parts."""
    for group in groups(texts):
        explorer = step_explorer(group)
        explorer.set(lines=" ".join(map(str, range(1, len(group) + 1))))
        explorer.page.code = explorer.as_code(explorer.settings)
        display(explorer)


def step_explorer(texts: list[str]) -> StepExplorer:
    """Return an explorer of a function whose lines hold the strings, as its model's names do."""
    lines = [f"    note_{number} = [{text!r}]\n" for number, text in enumerate(texts)]
    source = "".join(["def step(model, loss_fn, optimizer, X, y):\n", *lines])
    file = f"<step {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names: dict = {}
    exec(compile(source, file, "exec"), names)
    model = nn.Module()
    for text in texts:
        if text and "." not in text and not hasattr(model, text):
            model.add_module(text, nn.Linear(1, 1))
    if not [*model.parameters()]:  # the text is none that a part may have
        model.weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return StepExplorer(names["step"], model, nn.MSELoss(), optimizer, X, Y)


def failing(text: str) -> object:
    """Return an answer that raises an error with this text."""

    def answer(*_args: object, **_options: object) -> None:
        raise ValueError(text)

    return answer


# How many strings a cell takes: JupyterLab draws the first 50 outputs of a cell.
PLACES = {verdicts: 15, file_names: 45, errors: 20, charts: 40, labels: 80}
PLACES |= dict.fromkeys((table, functions), 1_000) | {steps: 80}
