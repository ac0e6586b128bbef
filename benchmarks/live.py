"""Tables 1 and 2: from a slider to the painted picture, in JupyterLab in Chromium."""

import runpy
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import nbformat
from playwright.sync_api import Error, sync_playwright
from report import NOT_MEASURED, Table, goal, p50, p95, say, short, times

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent / "tests"
sys.path.insert(0, str(TESTS))

from lab import CHROMIUM_FLAGS, FOLDER, Lab, Notebook  # noqa: E402 (a module of the tests)

FLOOR, LESSON = "(a) slider to an empty label", "(b) interact + Matplotlib, loop"
TRAINING = "TrainingExplorer"


class View(NamedTuple):
    """Something with a control in it.

    Attributes
    ----------
    name : str
        How it is called in the tables.
    notebook : str
        A notebook of the course, or the name of a function in rivals.py.
    control : str
        The description of the slider or button that is moved.
    number : int or None
        Which explorer of the notebook, from the top; None for the first cell of a rival.
    kind : str
        What ends a move: "told" (the sentence below the picture, which comes after it), "marks"
        (the first mark drawn anew) or "image" (a new image, decoded).
    """

    name: str
    notebook: str
    control: str
    number: int | None = 0
    kind: str = "told"

    @property
    def label(self) -> str:
        """Return what stands in the first column."""
        return self.name if self.number is None else f"{self.name}: {self.control}"


RIVALS = [
    View(FLOOR, "empty_label", "noise", None, "marks"),
    View(LESSON, "with_matplotlib", "noise", None, "image"),
    View("(c) interact + Plotly, loop", "with_plotly", "noise", None, "marks"),
    View("(d) interact + Plotly, `descent`", "with_plotly_and_formula", "noise", None, "marks"),
]
# One row each; those of a notebook share its tab.
EXPLORERS = [
    View("LineExplorer", "00_start_here", "weight"),
    View("NoiseExplorer", "01_data", "noise"),
    View("BatchExplorer", "02_dataset_dataloader", "batch size"),
    View("SplitExplorer", "02_dataset_dataloader", "train part", 1),
    View("StepExplorer", "04_loss_and_gradients", "Next line"),
    View(TRAINING, "05_training_loop", "noise"),
    View("OwnDataExplorer", "05_training_loop", "points", 1),
    View("FitExplorer", "06_evaluation", "degree"),
    View("NodeExplorer", "08_neural_networks", "bias b"),
    View("NetworkExplorer", "08_neural_networks", "width", 1),
]
ALONE = View(f"{TRAINING}: noise, alone in a notebook", "training_alone", "noise", None)
REPLAYS = [
    View(TRAINING, "05_training_loop", "learning rate", 0, "marks"),
    View(TRAINING, "05_training_loop", "epochs", 0, "marks"),
]
PLAYED = View("NetworkExplorer", "08_neural_networks", "Play", 1, "marks")


class Stage:
    """A view open in a tab of its own, and what was measured on it."""

    def __init__(self, view: View, notebook: Notebook):
        self.view, self.notebook = view, notebook
        self.first: list[float] = []
        self.painted: list[float] = []
        self.frames = 0
        self.storms: list[dict] = []
        self.problem = ""

    def measure(self, job: Callable[[], None]) -> None:
        """Do a job unless one has failed before; note why it fails."""
        try:
            if not self.problem:
                job()
        except Error as error:
            self.problem = error.message.splitlines()[0]
            say(f"{self.view.label}: {self.problem}")

    def run(self, what: str, **options) -> dict:
        """Bring the tab to the front and let the stopwatch of the page measure."""
        words = {"number": self.view.number, "control": self.view.control, "kind": self.view.kind}
        self.notebook.page.bring_to_front()
        return self.notebook.page.evaluate(f"(o) => stopwatch.{what}(o)", words | options)

    def move(self, count: int) -> None:
        """Time moves, each after the picture of the one before."""
        found = self.run("moves", count=count)
        self.first += found["first"]
        self.painted += found["painted"]
        self.frames += found["frames"]

    def storm(self) -> None:
        """Make 100 moves in 2 s."""
        storm = self.run("storm", count=100, milliseconds=2000, quiet=2000)
        self.storms.append(storm)

    def play(self) -> None:
        """Let a network train for 5 s and count the pictures."""
        self.storms.append(self.run("play", milliseconds=5000, quiet=2000))


def write_rival(folder: Path, name: str) -> None:
    """Write a notebook of one cell that shows a rival."""
    code = f"import sys\nsys.path.insert(0, {str(HERE)!r})\nimport rivals\nrivals.{name}()"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)], metadata=kernel)
    nbformat.write(notebook, folder / FOLDER / "notebooks" / f"{name}.ipynb")


@contextmanager
def jupyterlab() -> Iterator:
    """Start JupyterLab and Chromium; yield a function that opens a view as a `Stage`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        lab = Lab(folder)
        stack.callback(lab.stop)
        playwright = stack.enter_context(sync_playwright())
        chromium = runpy.run_path(str(TESTS / "run.py"))["find_chromium"]()
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        stack.callback(browser.close)
        context = browser.new_context(viewport={"width": 1280, "height": 1400})
        context.add_init_script(path=HERE / "stopwatch.js")
        open_pages = {}

        def opener(view: View) -> Stage:
            if view.notebook not in open_pages:
                say(f"opening and running {view.notebook}")
                if view.number is None:
                    write_rival(folder, view.notebook)
                notebook = Notebook(lab, context, view.notebook, "light")
                stack.callback(notebook.close)
                notebook.run_all()
                if errors := notebook.kernel_errors():
                    raise RuntimeError(f"{view.notebook}: {errors}")
                open_pages[view.notebook] = notebook
            return Stage(view, open_pages[view.notebook])

        yield opener


def tables(quick: bool, views: list[View] | None = None) -> list[Table]:
    """Measure the rivals and the views, by default all of them; `quick` takes few moves."""
    rounds, moves, storms = (1, 6, 1) if quick else (5, 10, 3)
    if views is None:
        views = EXPLORERS[:1] if quick else [*EXPLORERS, ALONE, *REPLAYS]
    views = [*(RIVALS[:2] if quick else RIVALS), *views]
    with jupyterlab() as opener:
        stages = {view.label: opener(view) for view in views}
        for number in range(rounds):
            say(f"moves, round {number + 1} of {rounds}")
            for stage in stages.values():
                stage.measure(lambda stage=stage: stage.move(moves))
        for number in range(storms):
            say(f"storms, round {number + 1} of {storms}")
            for stage in stages.values():
                stage.measure(stage.storm)
        say("a network plays")
        played = opener(PLAYED)
        for _ in range(storms):
            played.measure(played.play)
    problems = [f"{NOT_MEASURED} {name}: {s.problem}" for name, s in stages.items() if s.problem]
    whole = {name: stage for name, stage in stages.items() if not stage.problem}
    return [latency(whole, problems), replay(whole), playing(played)]


def latency(stages: dict[str, Stage], goals: list[str]) -> Table:
    """Compare every view with the floor and with Matplotlib."""
    floor, lesson = stages[FLOOR].painted, stages[LESSON].painted
    rows = []
    for name, stage in stages.items():
        if stage.view in REPLAYS:
            continue
        middle, late, drawn, settled = figures_of(stage)
        ratios = middle / p50(floor), late / p95(floor), p50(lesson) / middle
        cells = [short(p50(stage.first)), short(middle), short(late), *map(times, ratios)]
        rows.append([name, *cells, short(drawn), short(settled)])
        if stage.view.name in (TRAINING, ALONE.name):
            goals = [*goals, *kernel_goals(name, ratios)]
    head = ["view", "first mark p50 ms", "painted p50 ms", "painted p95 ms", "p50 / (a)"]
    head += ["p95 / (a)", "(b) / p50", "drawn of 100", "settled ms"]
    return Table("From a control to the painted picture", text_of(floor), head, rows, goals)


def text_of(floor: list[float]) -> str:
    """Say what was measured."""
    return (
        f"JupyterLab in Chromium, {len(floor)} moves of a control, the views in turn. The clock "
        "runs in the page, from the control's event to the first animation frame after the "
        "change; the next move comes after it. For an explorer that frame also holds the sentence "
        "below the picture, which is sent last. In a storm, 100 moves come in 2 s: how many "
        "pictures are painted, and how long after the last move the last one is (medians). (b) to "
        "(d) show three panels: data and line, losses, loss surface. (b) and (c) train with the "
        "loop of the lessons, 100 epochs, at every move. Each of (a) to (d) is alone in its "
        "notebook; the explorers stand among the cells of their lessons, unless it says otherwise."
    )


def figures_of(stage: Stage) -> tuple[float, float, float, float]:
    """Return p50, p95, pictures drawn in a storm and milliseconds to settle after it."""
    storm = [p50([found[name] for found in stage.storms]) for name in ("drawn", "settled")]
    return p50(stage.painted), p95(stage.painted), *storm


def kernel_goals(name: str, ratios: tuple[float, float, float]) -> list[str]:
    """Compare what goes through the kernel with its goals."""
    texts = "p50 at most 1.5 x (a)", "p95 at most 2 x (a)", "10 x faster than (b)"
    met = ratios[0] <= 1.5, ratios[1] <= 2, ratios[2] >= 10
    return [
        goal(f"{name}: {text}", times(ratio), good)
        for text, ratio, good in zip(texts, ratios, met, strict=True)
    ]


def replay(stages: dict[str, Stage]) -> Table:
    """Compare what is replayed in the page with the floor and with the goals."""
    floor, goals, rows = stages[FLOOR], [], []
    for name, stage in stages.items():
        if stage is not floor and stage.view not in REPLAYS:
            continue
        middle, late, drawn, _settled = figures_of(stage)
        messages = stage.frames / len(stage.painted)
        row = [name, short(middle), short(late), times(middle / p50(floor.painted))]
        rows.append([*row, times(late / p95(floor.painted)), short(drawn), short(messages)])
        if stage is not floor:
            goals += [
                goal(f"{name}: p50 at most 25 ms", f"{short(middle)} ms", middle <= 25),
                goal(f"{name}: p95 at most 35 ms", f"{short(late)} ms", late <= 35),
                goal(f"{name}: 85 of 100 drawn", short(drawn), drawn >= 85),
                goal(f"{name}: no kernel message", f"{short(messages)} a move", messages == 0),
            ]
    head = ["slider", "p50 ms", "p95 ms", "p50 / (a)", "p95 / (a)", "drawn of 100"]
    text = (
        "Over runs that are known already the page moves the marks itself. Frames are those of the "
        "kernel's web socket, in both directions, while the slider is dragged."
    )
    return Table("Replay in the page", text, [*head, "frames a move"], rows, goals)


def playing(stage: Stage) -> Table:
    """Say how often the picture of a network in training is painted."""
    title = "A network that trains while one looks"
    text = (
        "NetworkExplorer as it stands in notebook 08, pressed to play: pictures painted a second, "
        "and how long after the press on Pause the last one is. The rows are repetitions."
    )
    if stage.problem:
        return Table(title, text, ["measured"], [], [f"{NOT_MEASURED} Play: {stage.problem}"])
    rates = [played["drawn"] / played["seconds"] for played in stage.storms]
    rows = [
        [short(rate), short(played["stopped"])]
        for rate, played in zip(rates, stage.storms, strict=True)
    ]
    least = goal("20 pictures a second or more", f"{short(min(rates))} a second", min(rates) >= 20)
    return Table(title, text, ["pictures a second", "last picture after Pause, ms"], rows, [least])
