"""What all explorers share: controls -> settings -> compute -> draw, and the latest value wins.

A change of a control only notes the newest settings. One worker thread takes them, computes and
draws; what came in between is never computed. It stays for a second after its last picture: in a
kernel each new thread that draws costs a socket, and there are a thousand. Once the controls rest,
the learner's own function runs in a second thread, which newer settings or the stop button end.
"""

import atexit
import ctypes
import inspect
import keyword
import sys
import textwrap
import threading
import time
import traceback
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ipywidgets as widgets

from course_utils import inputs
from course_utils.charts import Chart
from course_utils.explorers.page import Page

REST_SECONDS = 0.15
LINGER_SECONDS = 1.0
LEAVE_SECONDS = 3.0
_alive: weakref.WeakSet = weakref.WeakSet()  # explorers, and the threads they started


class Stopped(BaseException):
    """Raised inside the learner's function to end it; `except Exception` does not catch it."""


@dataclass(frozen=True)
class Verdict:
    """What the learner's own function did, compared with the formula.

    Attributes
    ----------
    text : str
        One sentence.
    agrees : bool
        Whether function and formula tell the same.
    result : object, optional
        What to draw instead of the preview.
    """

    text: str
    agrees: bool
    result: object = None


class Explorer:
    """Controls above a picture that follows them.

    A subclass gives its controls and panels, and says how to compute a result from settings, draw
    it, tell it in a sentence, draw it as a still chart and write it as PyTorch code.

    Parameters
    ----------
    controls : dict of str to widget with a `value`
        What the learner moves; the keys are the names of the settings.
    panels : sequence of widget
        The pictures, whose marks `draw` sets.
    buttons : sequence of widget
        What stands behind the controls and is no setting.
    """

    def __init__(
        self,
        controls: Mapping[str, widgets.Widget],
        panels: Sequence[widgets.Widget],
        buttons: Sequence[widgets.Widget] = (),
    ):
        self._controls = dict(controls)
        self._start = self.settings
        self._work_to_do = threading.Condition(threading.RLock())
        self._wanted: dict | None = None
        self._holding = self._stop = self._busy = self._leaving = False
        self._worker: threading.Thread | None = None
        self._notebook = _names_of_caller()
        _alive.add(self)
        self.result: object = None
        self.verdict: Verdict | None = None
        row = [*self._controls.values(), *buttons]
        self.page = Page(labeled=row, parts=_leaves(panels))
        buttons = {"reset": self.reset, "stop": self.stop, "code": self._show_code}
        self.page.on_click(buttons | {"listen": self.page.listen})
        self.widget = widgets.VBox(
            [
                widgets.Box(row, layout={"flex_flow": "row wrap"}),
                widgets.Box([*panels], layout={"flex_flow": "row wrap"}),
                self.page,
            ]
        )
        for control in self._controls.values():
            if control.has_trait("readout"):  # a slider: page.js lets it send while it is held
                control.continuous_update = False
            control.observe(self._changed, names="value")
        self._changed()

    # What a subclass writes.

    def compute(self, settings: dict) -> object:
        """Return the result for the settings; pure, fast, no widget in it."""
        raise NotImplementedError

    def draw(self, result: object) -> None:
        """Set the data of marks that exist."""
        raise NotImplementedError

    def summary(self, result: object) -> str:
        """Tell the result in one sentence."""
        raise NotImplementedError

    def still(self, result: object) -> Chart:
        """Return the result as a still chart."""
        raise NotImplementedError

    def as_code(self, settings: dict) -> str:
        """Return the PyTorch cell that reproduces the settings' result; `_cell` writes it."""
        raise NotImplementedError

    prove = None  # or a method: (settings, result) -> Verdict, which runs the learner's function

    # What a caller uses.

    @property
    def settings(self) -> dict:
        """The present values of all controls."""
        values = {name: control.value for name, control in self._controls.items()}
        return {n: round(v, 10) if isinstance(v, float) else v for n, v in values.items()}

    def set(self, **values: object) -> None:
        """Move controls from code; all of them change before one picture is drawn.

        Raises
        ------
        InputError
            If there is no such control, or it cannot take the value. Then none has moved.
        """
        before = self.settings
        for name in values:
            inputs.choice("control", name, self._controls)
        with self._work_to_do:
            self._holding = True
            try:
                for name in self._controls:  # one may decide how far a later one goes
                    if name in values:
                        self._put(name, values[name])
            except inputs.InputError:
                for name, value in before.items():
                    self._controls[name].value = value
                raise
            finally:
                self._holding = False
        self._changed()

    def reset(self) -> None:
        """Put every control back to where it started."""
        self.set(**self._start)

    def stop(self) -> None:
        """End the learner's function if it runs; the preview stays."""
        with self._work_to_do:
            self._stop = True
            self._work_to_do.notify_all()

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until the last value is drawn and the learner's function has answered.

        Raises
        ------
        TimeoutError
            If that takes longer than `timeout` seconds.
        """
        with self._work_to_do:
            if not self._work_to_do.wait_for(lambda: not self._busy, timeout):
                raise TimeoutError(f"the explorer is still busy after {timeout:g} s: call stop()")

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        return f"{type(self).__name__}({values})"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        self.settle()
        view = self.widget._repr_mimebundle_()
        display(view | {"text/plain": repr(self)}, raw=True)
        if self.result is not None:
            display(self.still(self.result))  # hidden by the page while the widget is alive

    # How it works.

    def _cell(self, body: str, **given: object) -> str:
        """Return a cell that runs the body as a function: no name of the notebook is its own.

        The function takes what the explorer was given, by the name that the notebook has for it. A
        function the notebook has under no name is written into the body.
        """
        called = {name: self._called(value) for name, value in given.items()}
        sources = {n: "" if called[n] else self._source_of(value) for n, value in given.items()}
        rest = [name for name in given if not sources[name]]
        for name in filter(sources.get, given):
            own = given[name].__name__
            same = "" if name == own else f"{name} = {own}\n"
            body = f"{sources[name]}{same}{body}"
        passed = [called[name] or name_of(given[name], name) for name in rest]
        unknown = [name for name in rest if not called[name] and passed[rest.index(name)] == name]
        note = f"  # {', '.join(unknown)}: what the explorer was given" if unknown else ""
        ours = "from course_utils import datasets\n" * any("datasets." in name for name in passed)
        return (
            f"import torch\n{ours}\n\ndef replay({', '.join(rest)}):\n"
            f"{textwrap.indent(body, '    ')}\n\n\nreplay({', '.join(passed)}){note}"
        )

    def _source_of(self, value: object) -> str:
        """Return a function of the notebook as it was written, where Python still knows."""
        try:
            source = inspect.getsource(value)
        except (OSError, TypeError):
            return ""
        is_own = getattr(value, "__globals__", None) is self._notebook
        return source.rstrip() + "\n\n" if is_own and source.startswith("def ") else ""

    def _called(self, value: object) -> str:
        """Return the notebook's name for a value, or how PyTorch's own is made, or nothing."""
        names = [
            n for n, v in [*self._notebook.items()] if v is value and is_name(n) and n[0] != "_"
        ]
        own = getattr(value, "__name__", "")
        if names:
            return own if own in names else names[0]
        if getattr(type(value), "__module__", "").startswith("torch.nn.modules.loss"):
            options = inspect.signature(type(value)).parameters.values()
            chosen = [(o.name, getattr(value, o.name, o.default), o.default) for o in options]
            told = ", ".join(f"{name}={is_!r}" for name, is_, default in chosen if is_ != default)
            return f"torch.nn.{type(value).__name__}({told})"
        return ""

    def _button_for_another(self, thing: str) -> widgets.Button:
        """Return a button that takes the next seed."""
        button = widgets.Button(description=f"new {thing}", tooltip=f"Take the next {thing} number")
        button.on_click(lambda _: self.set(seed=(self.settings["seed"] + 1) % 10_000))
        return button

    def _put(self, name: str, value: object) -> None:
        control = self._controls[name]
        try:  # what is out of range is looked for beforehand: sliders clamp it, and hands move them
            fits = not hasattr(control, "min") or control.min <= value <= control.max
            if fits:
                control.value = value
        except Exception:  # traitlets raise TraitError, converters TypeError or ValueError
            fits = False
        if not fits:
            raise inputs.InputError(f"{name} cannot be {value!r}: {_range(control)}")

    def _changed(self, _change: object = None) -> None:
        with self._work_to_do:
            if self._holding:
                return
            self._wanted, self._stop, self._busy = self.settings, self._leaving, True
            self._work_to_do.notify_all()
            if self._worker is None and not self._leaving:
                self._worker = _begun(self._work)

    def _work(self) -> None:
        while (settings := self._next()) is not None:
            self._attempt(self._serve, settings)

    def _serve(self, settings: dict) -> None:
        result = self._show(settings)
        if self.prove is not None and self._rests():
            self._run_learners_function(settings, result)

    def _next(self) -> dict | None:
        with self._work_to_do:
            if self._wanted is None:
                self._busy = False
                self._work_to_do.notify_all()
                self._work_to_do.wait_for(
                    lambda: self._wanted is not None or self._leaving, LINGER_SECONDS
                )
            settings, self._wanted = None if self._leaving else self._wanted, None
            if settings is None:
                self._worker = None
            return settings

    def _rests(self) -> bool:
        with self._work_to_do:
            return not self._work_to_do.wait_for(self._is_interrupted, REST_SECONDS)

    def _is_interrupted(self) -> bool:
        return self._wanted is not None or self._stop

    def _show(self, settings: dict) -> object:
        return self._present(self.compute(settings), "preview" if self.prove else "shown")

    def _present(self, result: object, state: str) -> object:
        with self.page.one_message():
            self.draw(result)
            self.result, self.verdict = result, None
            self.page.say(self.summary(result), state)
            if self.page.code:  # the panel is open: it follows
                self._show_code()
        return result

    def _attempt(self, function, *args):
        """Call it; an error is shown to the learner instead of raised. Return None then."""
        try:
            return function(*args)
        except BaseException as error:  # sys.exit() too: a dead worker would be busy for good
            self.page.say(_two_lines(error), "error")
            return None

    def _run_learners_function(self, settings: dict, result: object) -> None:
        self.page.say(self.summary(result), "running")
        answers = self._aside(self.prove, settings, result)
        if answers and isinstance(answers[0], BaseException):
            self.page.say(_two_lines(answers[0]), "error")
        elif answers:
            self._conclude(answers[0], result)
        elif self._stop:
            self.page.say(f"{self.summary(result)} Your function was stopped.", "error")

    def _aside(self, function, *args) -> list:
        """Call it in a thread that newer settings or the stop button end.

        Return what it returned or raised, in a list that is empty if it was ended.
        """
        answers: list = []

        def run() -> None:
            try:
                answers.append(function(*args))
            except Stopped:
                pass
            except BaseException as error:
                answers.append(error)  # told by the caller, unless nobody waits for it any more
            finally:
                with self._work_to_do:
                    self._work_to_do.notify_all()

        thread = _begun(run)
        with self._work_to_do:
            self._work_to_do.wait_for(
                lambda: self._is_interrupted() or answers or not thread.is_alive()
            )
            if not answers and thread.is_alive():
                _raise_in(thread, Stopped)
            return answers[:1]  # a copy: what comes later is not heard

    def _conclude(self, verdict: Verdict, result: object) -> None:
        self.verdict = verdict
        with self.page.one_message():
            if verdict.result is not None:
                self.result = result = verdict.result
                self._attempt(self.draw, result)
            state = "agrees" if verdict.agrees else "departs"
            self.page.say(f"{self.summary(result)} {verdict.text}", state)

    def _show_code(self) -> None:
        self.page.code = self.as_code(self.settings)

    def _leave(self) -> None:
        """End what runs: Python is about to."""
        with self._work_to_do:
            self._leaving = self._stop = True
            self._work_to_do.notify_all()


@atexit.register
def _leave_all() -> None:
    """End all threads before Python does.

    A thread that still computes in C++ when the interpreter is gone is unwound there as it asks
    for its return to Python, and that ends the process with "terminate called" and code 134.
    """
    end = time.monotonic() + LEAVE_SECONDS
    for explorer in [one for one in _alive if isinstance(one, Explorer)]:
        explorer._leave()
    while (threads := _running()) and time.monotonic() < end:
        threads[0].join(0.05)
    for thread in threads:  # a learner's function that does not end
        _raise_in(thread, Stopped)
        thread.join(0.2)


def _running() -> list[threading.Thread]:
    return [one for one in _alive if isinstance(one, threading.Thread) and one.is_alive()]


def _begun(function) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    _alive.add(thread)
    thread.start()
    return thread


def _names_of_caller() -> dict:
    """Return the names where the explorer is made: those of the notebook."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("course_utils."):
        frame = frame.f_back
    return frame.f_globals


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
    name = name if is_name(name) else otherwise
    is_ours = getattr(function, "__module__", "") == "course_utils.datasets"
    return f"datasets.{name}" if is_ours else name


def is_name(text: object) -> bool:
    """Tell whether code can use the text as a name; a lambda's and a keyword it cannot."""
    return isinstance(text, str) and text.isidentifier() and not keyword.iskeyword(text)


def _leaves(panels: Sequence[widgets.Widget]) -> list[widgets.Widget]:
    """Return the marks, labels and buttons of which the panels consist."""
    leaves = []
    for panel in panels:
        inner = [*getattr(panel, "children", ()), *getattr(panel, "marks", ())]
        leaves += _leaves(inner) if inner else [panel]
    return leaves


def _raise_in(thread: threading.Thread, error: type[BaseException]) -> None:
    """Let the thread raise `error` at its next Python instruction."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident), ctypes.py_object(error)
    )


def _two_lines(error: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "course_utils" not in f[0]]
    own = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    where = f"\nIn {own[-1].name}, line {own[-1].lineno}: {own[-1].line}" if own else ""
    message = str(error).splitlines()[0] if str(error) else "no message"
    return f"{type(error).__name__}: {message}{where}"


def _range(control: widgets.Widget) -> str:
    if hasattr(control, "min"):
        return f"choose from {control.min:g} to {control.max:g} in steps of {control.step:g}"
    if len(getattr(control, "options", ())) > 20:
        few = ", ".join(f"{option:g}" for option in control.options[:3])
        return f"choose one of {len(control.options)} values: {few} ... {control.options[-1]:g}"
    if hasattr(control, "options"):
        values = (option[1] if isinstance(option, tuple) else option for option in control.options)
        return "choose " + ", ".join(map(str, values))
    return f"it takes values like {control.value!r}"
