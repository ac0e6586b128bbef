"""What all explorers share in the kernel: controls, the learner's function, a still picture.

The page computes and draws every move (stage/stage.js); nothing is sent while a hand moves. Once it
rests, the page asks the kernel to run the learner's own function for the settings it shows.
"""

import importlib.metadata
import json
import keyword
import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from course_utils import errors, inputs
from course_utils.charts import Chart
from course_utils.explorers.still import LIVE, NOTHING, show_still
from course_utils.explorers.worker import WORKER, Job

_OF_CONTROLS = {  # what the page reads of a control (stage/controls.js)
    *("_model_name", "description", "value", "index", "_options_labels"),
    *("min", "max", "step", "base", "readout_format"),
}
_moved: dict = {}  # explorers that a cell has moved, by id, until it ends


class Unusable(inputs.InputError):
    """Settings that leave the learner's function nothing to run on; the page itself says why."""


class Proof(NamedTuple):
    """What the learner's own function did, compared with what the page computes.

    Parameters
    ----------
    agrees : bool or None
        Whether both tell the same; None where they cannot be compared, which `text` then explains.
    text : str
        One sentence about it.
    result : object
        What `Explorer.set` returns: usually what the learner's function returned.
    drawn : dict, optional
        Arrays that the page draws over its own picture.
    """

    agrees: bool | None
    text: str
    result: object
    drawn: dict = {}  # noqa: RUF012  never changed


class Page(anywidget.AnyWidget):
    """An explorer in the page: which one, its controls, what it was given, what the kernel says."""

    _esm = Path(__file__).parent / "stage" / "bundle.js"
    explorer = traitlets.Unicode().tag(sync=True)
    controls = traitlets.Dict().tag(sync=True, **widgets.widget_serialization)
    given = traitlets.Dict().tag(sync=True)
    proves = traitlets.Bool(False).tag(sync=True)
    proof = traitlets.Dict().tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)


class Explorer:
    """Controls, and a picture in the page that follows them at the speed of the screen.

    A subclass gives controls and data; it may compare the learner's function (`prove`), and it
    draws a still picture and writes the code of a state. Its JavaScript is named as its module.

    Parameters
    ----------
    controls : mapping of str to widget
        What the learner moves; the keys are the names of the settings.
    given : mapping
        What the page computes with: numbers, texts, arrays.
    presets : mapping of str to mapping, optional
        States worth seeing: the word on a button, and the settings that it brings.
    """

    prove: Callable[[dict], Proof] | None = None  # or a method: runs the learner's function

    def __init_subclass__(cls):
        cls.script = cls.__module__.rpartition(".")[2]

    def __init__(
        self,
        controls: Mapping[str, widgets.Widget],
        given: Mapping[str, object],
        presets: Mapping[str, Mapping[str, object]] = {},
    ):
        self.controls, self.presets = dict(controls), dict(presets)
        self.page = Page(
            explorer=self.script,
            controls=self.controls,
            given={name: _plain(v) for name, v in given.items()} | {"presets": self.presets},
            proves=self.prove is not None,
        )
        self._start = self.settings
        self.notebook = _names_of_caller()
        self.result: object = None
        self.proof: Proof | None = None
        WORKER.attend(_shell())
        self.page.on_msg(self.hear)

    def still(self, settings: dict) -> Chart:
        """Return the state as a still picture."""
        raise NotImplementedError

    def code(self, settings: dict) -> str:
        """Return the lines of a function without arguments that returns the state's numbers."""
        raise NotImplementedError

    def as_code(self, settings: dict) -> str:
        """Return the PyTorch cell that gives the state's numbers: a function and its call."""
        lines = textwrap.indent(self.code(settings), "    ")
        return f"def numbers_shown():\n{lines}\n\n\nnumbers_shown()"

    @property
    def settings(self) -> dict:
        """The present values of all controls, by name."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def state(self) -> str:
        """The settings as a short text that `set` takes and a link can carry."""
        return _written(self.settings)

    @property
    def link(self) -> str:
        """The address at which the web edition shows this state."""
        urls = importlib.metadata.metadata("pytorch-from-a-straight-line").get_all("Project-URL")
        (source,) = (url.split(", ")[1] for url in urls if url.startswith("Repository, "))
        return f"{home_of(source)}/#{self.script}:{self.state}"

    def set(self, state: str = "", **values: object) -> object:
        """Move controls from code, run the learner's function, show the picture below this cell.

        Parameters
        ----------
        state : str, optional
            Such as "lr=0.3&noise=0.5".
        **values
            Controls by name.

        Returns
        -------
        object
            What the learner's function returned, or the settings where there is none.

        Raises
        ------
        InputError
            If there is no such control, or it cannot take the value. Then, as with any error of
            the learner's function, none has moved.
        """
        before = self.settings
        try:
            for name, value in (self._read(state) | values).items():
                put(name, self.controls[inputs.choice("control", name, self.controls)], value)
            settings = self.settings
            proof = None if self.prove is None else self.prove(settings)
        except BaseException:
            for name, value in before.items():
                self.controls[name].value = value
            raise
        self.proof, self.result = proof, proof.result if proof else settings
        if proof:
            self.conclude(_written(settings), proof)
        if getattr(_shell(), "kernel", None):
            _below_the_cell(self)
        return self.result

    def stop(self) -> None:
        """End the learner's function if it runs."""
        if WORKER.stop(self):
            self.page.proof = {"of": self.state, "kind": "told", "text": "you stopped your code."}

    def called(self, value: object, otherwise: str) -> str:
        """Return the name that the notebook has for a value, or another."""
        names = [name for name, held in [*self.notebook.items()] if held is value]
        names = [name for name in names if _is_name(name) and not name.startswith("_")]
        own = getattr(value, "__name__", None)
        return own if own in names else [*names, otherwise][0]

    def _read(self, state: str) -> dict:
        if not isinstance(state, str):
            raise inputs.InputError(f"state is {inputs.short(state)}, expected a text like a=1&b=2")
        values = {}
        for name, text in parse_qsl(state, keep_blank_values=True):
            now = getattr(self.controls.get(name), "value", "")
            values[name] = text
            if type(now) is bool:
                values[name] = {"true": True, "false": False}.get(text, text)
            if type(now) in (int, float):
                values[name] = inputs.number(name, _number(text))
        return values

    def hear(self, _page: object, content: object, _buffers: object = None) -> None:
        """Do what a message of the page asks for: prove its state, write code, stop."""
        if not isinstance(content, dict):
            return
        if content.get("stop"):
            self.stop()
        for name, value in content.get("values", {}).items():
            control = self.controls[name]
            setattr(control, "index" if control.has_trait("index") else "value", value)
        if content.get("code"):
            self.page.code = ""  # the page hears of a change alone
            self.page.code = self.as_code(self.settings)
        if "prove" in content and self.prove is not None:
            settings = self.settings
            state = _written(settings)
            begin = partial(setattr, self.page, "proof", {"of": state, "kind": "runs", "text": ""})
            prove = partial(self.prove, settings)
            WORKER.ask(self, Job(prove, begin, partial(self.conclude, state)))

    def conclude(self, state: str, proof: Proof | BaseException) -> None:
        """Tell the page what came of a proof, or the error that came instead."""
        if isinstance(proof, BaseException):
            kind = "page" if isinstance(proof, Unusable) else "error"
            self.page.proof = {"of": state, "kind": kind, "text": errors.told(proof)}
            return
        kind = {True: "agrees", False: "departs", None: "told"}[proof.agrees]
        drawn = {name: _plain(value) for name, value in proof.drawn.items()}
        self.page.proof = {"of": state, "kind": kind, "text": proof.text, **drawn}

    def as_page(self) -> str:
        """Return, as JSON, all that a page needs to bring the explorer to life without a kernel."""
        models = {name: control.get_state() for name, control in self.controls.items()}
        kept = {n: {k: v for k, v in m.items() if k in _OF_CONTROLS} for n, m in models.items()}
        page = {"explorer": self.script, "proves": self.page.proves, "given": self.page.given}
        return json.dumps(page | {"controls": kept}, separators=(",", ":"))

    def __repr__(self) -> str:
        there = _written(self._start).split("&")
        moved = [text for text in self.state.split("&") if text not in there]
        return f"{type(self).__name__}({'&'.join(moved)})"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        view = self.page._repr_mimebundle_()[0]
        texts = {"text/plain": repr(self), "text/html": NOTHING, LIVE: self.as_page()}
        display(view | texts, raw=True)
        show_still(self.still(self.settings))


def home_of(repository: str) -> str:
    """Return the address of the web edition that belongs to a repository."""
    return re.sub(r"https://github\.com/([^/]+)/", r"https://\1.github.io/", repository)


def _below_the_cell(explorer: Explorer) -> None:
    """Show what the cell has moved once it ends: in its last state, however often it moved."""
    if not _moved:
        _shell().events.register("post_execute", _show_moved)
    _moved[id(explorer)] = explorer


def _show_moved() -> None:
    _shell().events.unregister("post_execute", _show_moved)
    explorers = [*_moved.values()]
    _moved.clear()
    for explorer in explorers:
        explorer.still(explorer.settings)._ipython_display_()


def sliders(digits: int = 2, **wanted: tuple) -> dict[str, widgets.Widget]:
    """Return sliders by name, each of (value, least, greatest, step); of whole steps, whole."""
    found = {}
    for name, (value, low, high, step) in wanted.items():
        more = {"min": low, "max": high, "step": step, "description": name.replace("_", " ")}
        if isinstance(step, int):
            found[name] = widgets.IntSlider(value, **more)
        else:
            found[name] = widgets.FloatSlider(value, **more, readout_format=f".{digits}f")
    return found


def choices(kind: str, **wanted: tuple) -> dict[str, widgets.Widget]:
    """Return widgets of a kind, such as "Dropdown", by name: for each (value, values)."""
    made = {}
    for name, (value, values) in wanted.items():
        options, text = [(str(one), one) for one in values], name.replace("_", " ")
        made[name] = getattr(widgets, kind)(options=options, value=value, description=text)
    return made


def put(name: str, control: widgets.Widget, value: object) -> None:
    """Move a control.

    Raises
    ------
    InputError
        If it cannot take the value; the sentence says which it can.
    """
    low, high = getattr(control, "min", None), getattr(control, "max", None)
    if isinstance(control, widgets.FloatLogSlider):
        low, high = control.base**low, control.base**high
    now, options = control.value, getattr(control, "options", None)
    if options is not None:
        options = [o[-1] if isinstance(o, tuple) else o for o in options]
    try:
        if low is not None and not low <= value <= high:
            raise ValueError
        if options is not None and value not in options:
            raise ValueError
        if isinstance(value, bool) != isinstance(now, bool):
            raise ValueError
        if isinstance(now, int) and value != int(value):
            raise ValueError
        control.value = value
    except Exception:  # traitlets raise TraitError, comparisons TypeError
        allowed = "True or False" if isinstance(now, bool) else "any text"
        if low is not None:
            allowed = f"from {low:g} to {high:g}{' (whole numbers)' * isinstance(now, int)}"
        elif options is not None:
            allowed = "from " + ", ".join(map(str, options))
        said = inputs.short(value)
        raise inputs.InputError(f"{name} cannot be {said}: choose {allowed}") from None


def are_functions(**named: object) -> None:
    """Check what the learner passes.

    Raises
    ------
    InputError
        If one of them cannot be called.
    """
    for name, value in named.items():
        if not callable(value):
            raise inputs.InputError(f"{name} is a {type(value).__name__}, expected a function")


def name_of(function: object, otherwise: str) -> str:
    """Return how a cell calls the learner's function."""
    name = getattr(function, "__name__", otherwise)
    usable = _is_name(name)
    ours = getattr(function, "__module__", "") == "course_utils.datasets"
    return ("datasets." if ours else "") + (name if usable else otherwise)


def _is_name(text: object) -> bool:
    return isinstance(text, str) and text.isidentifier() and not keyword.iskeyword(text)


def _names_of_caller() -> dict:
    """Return the names where the explorer is made: those of the notebook."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("course_utils."):
        frame = frame.f_back
    return frame.f_globals


def _written(settings: dict) -> str:
    def text(value: object) -> str:
        if type(value) is bool:
            return str(value).lower()
        return f"{value:.10g}" if isinstance(value, float | int) else quote(str(value), safe="")

    return "&".join(f"{name}={text(value)}" for name, value in settings.items())


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _shell() -> object:
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
