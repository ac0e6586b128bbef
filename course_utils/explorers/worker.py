"""Runs the learners' functions of a kernel: one at a time, silently, and never beside a cell.

A newer function, `stop` or a cell ends the one that runs. After a cell it is begun anew.
"""

import atexit
import contextlib
import ctypes
import sys
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import NamedTuple, TextIO

from course_utils.checks import guard

LINGER = 5.0  # seconds without work until the thread ends; each that speaks costs a socket
GRACE = 1.0  # seconds in which a function that was ended has to end
MOST_HUNG = 3


class Stopped(SystemExit):
    """Raised inside a function to end it; `except Exception` does not catch it."""


class _StoppedForGood(Stopped):
    """Whatever catches it gets another one at its next line, so that no loop goes on."""

    def __init__(self):
        own = frame = sys._getframe()
        while own is not None and own.f_code is not _Run.call.__code__:
            own = own.f_back
        if own is not None and sys.getprofile() is None:
            arm = guard.insisting(Stopped, own)
            sys.setprofile(arm)
            arm(frame.f_back, "return")


class Hung(RuntimeError):
    """Functions that were ended and go on: they wait outside of Python."""


class Job(NamedTuple):
    """A function, and who is told `begin()` and then `conclude(what it returned or raised)`."""

    function: Callable[[], object]
    begin: Callable[[], None]
    conclude: Callable[[object], None]


class Worker:
    """Does the newest job of each owner, the newest of all first.

    A thread of its own watches another one that runs the function, and tells what became of it.
    """

    def __init__(self):
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._jobs: dict[Hashable, Job] = {}  # by owner, the newest last
        self._thread: threading.Thread | None = None
        self._hung: list[threading.Thread] = []
        self._runs = self._attends = self._cell = False

    def attend(self, shell: object) -> None:
        """Give way to the cells of a shell, from the one that runs now on."""
        if shell is None or self._attends:
            return
        self._attends = True
        self._cell = threading.current_thread() is threading.main_thread()
        shell.events.register("pre_execute", self._give_way)
        shell.events.register("post_execute", self._go_on)

    def ask(self, owner: Hashable, job: Job) -> None:
        """Do this job of an owner, and no other of its jobs."""
        with self._changed:
            self._jobs.pop(owner, None)
            self._jobs[owner] = job
            if self._thread is None or not self._thread.is_alive():
                atexit.unregister(self._give_way)
                atexit.register(self._give_way)  # Python's end kills what runs, often with a crash
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def stop(self, owner: Hashable) -> bool:
        """Forget the owner's job, and end it if it runs; tell whether there was one."""
        with self._changed:
            self._changed.notify_all()
            return self._jobs.pop(owner, None) is not None

    def _give_way(self) -> None:
        with self._changed:
            self._cell = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._runs, 1.5 * GRACE)

    def _go_on(self) -> None:
        with self._changed:
            self._cell = False
            self._changed.notify_all()

    def _wanted(self) -> Job | None:
        return None if self._cell else next(reversed(self._jobs.values()), None)

    def _next(self) -> Job | None:
        """Return the job to do once there is one; None if none comes for a while."""
        with self._changed:
            while not self._changed.wait_for(self._wanted, LINGER):
                if not self._jobs:
                    self._thread = None
                    return None
            self._runs = True
            return self._wanted()

    def _work(self) -> None:
        while job := self._next():
            self._hung = [thread for thread in self._hung if thread.is_alive()]
            job.begin()
            run = _Run(
                job.function if len(self._hung) < MOST_HUNG else _refuse, self._lock, self._changed
            )
            with _alone(run.thread):
                run.thread.start()
                with self._changed:
                    self._changed.wait_for(
                        lambda run=run, job=job: run.over or self._wanted() is not job
                    )
                    if done := self._wanted() is job:
                        self._jobs.popitem()
                if not done and not run.end():
                    self._hung.append(run.thread)
            if done:
                job.conclude(run.answer)
            with self._changed:
                self._runs = False
                self._changed.notify_all()


class _Run:
    """A function in a thread."""

    def __init__(self, function: Callable[[], object], lock: object, changed: threading.Condition):
        self.began = self.over = False
        self.answer: object = None
        self._function, self._lock, self._changed = function, lock, changed
        self.thread = threading.Thread(target=self.call, daemon=True)

    def call(self) -> None:
        """Call the function; in the thread."""
        with contextlib.suppress(Stopped):
            self._note("began")
            try:
                self.answer = self._function()
            except Stopped:
                pass
            except BaseException as error:
                self.answer = error
            finally:
                sys.setprofile(None)
                sys.settrace(None)
            self._note("over")

    def _note(self, what: str) -> None:
        with self._lock:  # an error in the condition's own `__enter__` would leave it locked
            setattr(self, what, True)
            self._changed.notify_all()

    def end(self) -> bool:
        """End the function; tell whether it has ended."""
        with self._changed:  # until then nothing would catch it
            self._changed.wait_for(lambda: self.began)
        for kind in (Stopped, *[_StoppedForGood] * 5):
            with self._changed:
                if not self.over:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(self.thread.ident), ctypes.py_object(kind)
                    )
            self.thread.join(GRACE / 2 if kind is Stopped else GRACE / 10)
            if not self.thread.is_alive():
                return True
        return False


class _Deaf:
    """A stream that drops what one thread writes."""

    def __init__(self, stream: TextIO, thread: threading.Thread):
        self.stream, self._thread = stream, thread

    def write(self, text: str) -> int:
        """Write what another thread writes."""
        mine = threading.get_ident() == self._thread.ident and self._thread.is_alive()
        return len(text) if mine else self.stream.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


@contextlib.contextmanager
def _alone(thread: threading.Thread) -> Iterator[None]:
    """Drop what a thread prints, and put back what it changes for the whole program.

    What it prints would stand below whichever cell ran last.
    """
    before = guard.Globals()
    deaf = {name: _Deaf(getattr(sys, name), thread) for name in ("stdout", "stderr")}
    for name, stream in deaf.items():
        setattr(sys, name, stream)
    yield
    for name, stream in deaf.items():
        if getattr(sys, name) is stream:  # nobody else has put another in its place
            setattr(sys, name, stream.stream)
    before.put_back()


def _refuse() -> None:
    raise Hung(
        f"{MOST_HUNG} earlier runs of your code were ended and still go on, outside of Python. "
        "Restart the kernel"
    )


WORKER = Worker()  # that of this kernel
