"""Run a learner's code so that it cannot hang, print, raise, or change the learner's objects."""

import _thread
import contextlib
import copy
import io
import os
import random
import signal
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch

_JUDGES = os.path.dirname(__file__)
_BETWEEN = os.path.dirname(torch.__file__), contextlib.__file__


class TooLong(BaseException):
    """Raised inside code that runs for too long; `except Exception` does not catch it."""


class Pressed(KeyboardInterrupt):
    """Raised when the learner presses stop; any other KeyboardInterrupt is the answer's own."""


def limited(function: Callable[[], object], seconds: float) -> object:
    """Call the function; end it with TooLong after some seconds.

    When the time is over, signals raise TooLong in the main thread, also out of a sleep, and the
    next line of every function that catches it raises it again: `except: pass` in an endless loop
    does not survive. In other threads, which signals do not reach, there is no limit.

    Raises
    ------
    TooLong
        If the time is over. Whatever the function raises passes through.
    """
    if threading.current_thread() is not threading.main_thread():
        return function()
    lock, over, done = threading.Lock(), threading.Event(), threading.Event()
    arm = insisting(TooLong, sys._getframe(), done.is_set)

    def on_signal(number: int, frame: types.FrameType) -> None:
        if not over.is_set():
            try:
                before(number, frame)
            except KeyboardInterrupt:
                raise Pressed from None
        elif not done.is_set():
            sys.setprofile(arm)
            arm(frame, "return")
            raise TooLong

    def fire() -> None:
        if done.wait(seconds):
            return
        over.set()
        while not done.wait(0.1):
            with lock:
                if not done.is_set():
                    _interrupt_main_thread()

    hooks, before = (sys.gettrace(), sys.getprofile()), signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, on_signal)
    threading.Thread(target=fire, daemon=True).start()
    kept: dict[str, object] = {}
    try:
        for _ in _apart(function, kept):
            pass
    finally:
        ended = False
        while not ended:
            try:  # first what needs no Python function, since calling one may raise TooLong
                sys.setprofile(hooks[1])
                sys.settrace(hooks[0])
                with lock:
                    done.set()
                ended = True
            except TooLong:
                continue
        signal.signal(signal.SIGINT, before)
    if "error" in kept:
        raise kept["error"]
    return kept["value"]


def _apart(function: Callable[[], object], kept: dict[str, object]) -> Iterator[None]:
    """Call a function where Python keeps "the error that is being handled" apart: in a generator.

    An error raised while a handler ends leaves that note behind, and without this, every later
    error of the kernel would show hundreds of others as its cause.
    """
    try:
        kept["value"] = function()
    except StopIteration as error:  # it may not leave a generator
        kept["error"] = error
    return
    yield


def insisting(
    error: type[BaseException], own: types.FrameType, done: Callable[[], bool] = bool
) -> Callable:
    """Return a hook for `sys.setprofile`: it raises an error at every line of this thread.

    It spares the frame `own` and those that called it, and judges, which put back what they set. It
    ends once `done`. To begin at once, call it with a frame and "return".
    """

    def again(frame: types.FrameType, event: str, _value: object) -> Callable:
        if event in ("call", "line") and not _puts_back(frame):
            raise error  # which ends the tracing, until a function is left
        return again

    def arm(frame: types.FrameType, event: str, _value: object = None) -> None:
        if event == "return" and not done():
            while frame is not None and frame is not own:
                frame.f_trace, frame = again, frame.f_back
            sys.settrace(again)

    return arm


def _puts_back(frame: types.FrameType | None) -> bool:
    """Tell whether a frame is a judge's, or of what a judge calls without a learner in between."""
    while frame is not None and frame.f_code.co_filename.startswith(_BETWEEN):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(_JUDGES)


def _interrupt_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):  # this one wakes a sleeping thread
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    else:
        _thread.interrupt_main()


class Globals:
    """What holds for the whole program, as it is now: random states, dtype, device, gradients."""

    def __init__(self):
        self._random = torch.get_rng_state(), np.random.get_state(), random.getstate()
        self._dtype, self._recording = torch.get_default_dtype(), torch.is_grad_enabled()
        self._device = torch.get_default_device()

    def put_back(self) -> None:
        """Let it hold again."""
        if torch.get_default_device() != self._device:
            torch.set_default_device(None if self._device.type == "cpu" else self._device)
        torch.set_grad_enabled(self._recording)
        torch.set_default_dtype(self._dtype)
        torch.set_rng_state(self._random[0])
        np.random.set_state(self._random[1])
        random.setstate(self._random[2])


@contextlib.contextmanager
def untouched():
    """Put back what the code inside changes for all: random states, gradients, output, warnings."""
    before, leave = Globals(), os._exit
    torch.set_grad_enabled(True)
    os._exit = sys.exit
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        os._exit = leave
        before.put_back()


def copied(answers: tuple) -> tuple:
    """Return copies, so that running them leaves the learner's objects as they were.

    A model and its optimizer stay together. What cannot be copied is handed on as it is.
    """
    memo: dict = {}
    return tuple(_copied(answer, memo) for answer in answers)


def _copied(value: object, memo: dict) -> object:
    if isinstance(value, types.FunctionType):
        return _isolated(value, memo)
    if type(value) is torch.Tensor and not value.is_leaf:  # deepcopy refuses these
        return value.detach().clone().requires_grad_()
    try:
        return copy.deepcopy(value, memo)
    except Exception:
        return value


def _isolated(function: types.FunctionType, memo: dict) -> types.FunctionType:
    """Return the function with copies of the global objects that it names."""
    if id(function) in memo:
        return memo[id(function)]
    own = dict(function.__globals__) | {"exit": sys.exit, "quit": sys.exit}  # not the kernel's
    twin = types.FunctionType(
        function.__code__, own, function.__name__, function.__defaults__, function.__closure__
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    memo[id(function)] = twin
    for name in _names(function.__code__) & own.keys():
        if not isinstance(own[name], types.ModuleType | type):
            own[name] = _copied(own[name], memo)
    return twin


def _names(code: types.CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))
