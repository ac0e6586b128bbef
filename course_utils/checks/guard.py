"""Run a learner's code so that it cannot hang, print, raise, or change the learner's objects."""

import _thread
import contextlib
import copy
import io
import random
import signal
import sys
import threading
import types
import warnings
from collections.abc import Callable

import numpy as np
import torch


class TooLong(BaseException):
    """Raised inside code that runs for too long; `except Exception` does not catch it."""


def limited(function: Callable[[], object], seconds: float) -> object:
    """Call the function; end it with TooLong after some seconds.

    When the time is over, a signal raises TooLong in the main thread, also out of a sleep, and from
    then on every line of the function raises it again: not even `except: pass` in an endless loop
    survives. In other threads, which signals do not reach, there is no limit.

    Raises
    ------
    TooLong
        If the time is over. Whatever the function raises passes through.
    """
    if threading.current_thread() is not threading.main_thread():
        return function()
    own, lock, state = sys._getframe(), threading.Lock(), {"over": False, "done": False}

    def again(_frame: object, _event: str, _value: object) -> None:
        raise TooLong

    def on_signal(number: int, frame: types.FrameType | None) -> None:
        if not state["over"]:  # the learner pressed stop
            before(number, frame)
        elif not state["done"]:
            while frame is not None and frame is not own:
                frame.f_trace, frame = again, frame.f_back
            sys.settrace(again)
            raise TooLong

    def fire() -> None:
        with lock:
            if not state["done"]:
                state["over"] = True
                _interrupt_main_thread()

    tracing, before = sys.gettrace(), signal.getsignal(signal.SIGINT)
    timer = threading.Timer(seconds, fire)
    timer.daemon = True
    signal.signal(signal.SIGINT, on_signal)
    timer.start()
    try:
        return function()
    finally:
        sys.settrace(tracing)
        with lock:
            state["done"] = True
        timer.cancel()
        signal.signal(signal.SIGINT, before)


def _interrupt_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):  # this one wakes a sleeping thread
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    else:
        _thread.interrupt_main()


@contextlib.contextmanager
def untouched():
    """Put back what the code inside changes for all: random states, gradients, output, warnings."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    dtype, recording = torch.get_default_dtype(), torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_grad_enabled(recording)
        torch.set_default_dtype(dtype)
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])


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
    own = dict(function.__globals__)
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
