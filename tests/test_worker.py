"""The worker: one learner's function at a time, silent, ended in time, and nothing left changed."""

import operator
import queue
import random
import sys
import threading
import time

import numpy as np
import pytest
import torch

from course_utils.explorers import worker
from course_utils.explorers.worker import Hung, Job, Worker


class Owner:
    """Asks a worker for jobs and keeps what it is told."""

    def __init__(self, worker):
        self.worker, self.news = worker, queue.Queue()

    def ask(self, function):
        self.worker.ask(self, Job(function, lambda: self.news.put("begun"), self.news.put))

    def next(self):
        return self.news.get(timeout=20)

    def answer(self, function):
        self.ask(function)
        assert self.next() == "begun"
        return self.next()


class Shell:
    """An IPython shell, as far as its cells are concerned."""

    def __init__(self):
        self.events, self.callbacks = self, {}

    def register(self, name, callback):
        self.callbacks[name] = callback


class Loop:
    """A function that runs until it is ended; `catches` says what it makes of that."""

    def __init__(self, catches=()):
        self.began, self.ended, self.catches = threading.Event(), threading.Event(), catches

    def __call__(self):
        self.thread = threading.current_thread()
        try:
            while True:
                try:
                    self.began.set()
                    time.sleep(0.001)
                except self.catches:
                    pass
        finally:
            self.ended.set()


@pytest.fixture
def owner():
    return Owner(Worker())


def test_it_tells_what_a_function_returns_or_raises(owner):
    assert owner.answer(lambda: 7) == 7
    for error in (ZeroDivisionError("mine"), KeyboardInterrupt(), SystemExit(3), RecursionError()):

        def broken(error=error):
            raise error

        assert owner.answer(broken) is error
    assert owner.answer(lambda: 8) == 8


@pytest.mark.parametrize("catches", [(), Exception, BaseException])
def test_a_newer_job_ends_the_one_that_runs(owner, catches):
    loop = Loop(catches)
    owner.ask(loop)
    assert loop.began.wait(20)
    owner.ask(lambda: "new")
    loop.thread.join(20)
    assert not loop.thread.is_alive()
    assert loop.ended.is_set() == (catches is not BaseException)  # which loses its last words
    assert [owner.next() for _ in range(3)] == ["begun", "begun", "new"]


def test_stop_ends_it_and_nothing_more_is_heard(owner):
    loop = Loop()
    owner.ask(loop)
    assert loop.began.wait(20)
    assert owner.worker.stop(owner)
    assert loop.ended.wait(20)
    assert not owner.worker.stop(owner)
    assert owner.next() == "begun"
    assert owner.answer(lambda: 1) == 1


def test_the_newest_owner_goes_first_and_the_other_begins_anew(owner):
    other, loops = Owner(owner.worker), [Loop(), lambda: "mine"]
    owner.ask(lambda: loops.pop(0)())
    first = loops[0]
    assert first.began.wait(20)
    assert other.answer(lambda: "its") == "its"
    assert first.ended.wait(20)
    assert [owner.next() for _ in range(3)] == ["begun", "begun", "mine"]


def test_a_cell_goes_first_and_no_function_runs_beside_it(owner):
    shell, loops = Shell(), [Loop(), lambda: "after the cell"]
    owner.worker.attend(shell)
    owner.worker.attend(Shell())  # a kernel has one
    first = loops[0]
    owner.ask(lambda: loops.pop(0)())
    assert not first.began.wait(0.05), "an explorer is made in a cell"
    shell.callbacks["post_execute"]()
    assert first.began.wait(20)
    shell.callbacks["pre_execute"]()
    assert first.ended.is_set(), "before the cell begins"
    shell.callbacks["post_execute"]()
    assert [owner.next() for _ in range(3)] == ["begun", "begun", "after the cell"]


def test_what_goes_on_outside_of_python_is_left_alone_and_told_in_the_end(owner, monkeypatch):
    monkeypatch.setattr(worker, "GRACE", 0.02)
    gates = [threading.Lock() for _ in range(worker.MOST_HUNG)]
    before = torch.get_rng_state()
    inside = threading.Lock()
    for lock in (inside, *gates):
        lock.acquire()
    for gate in gates:  # no bytecode runs there, so nothing can be raised
        owner.ask(lambda gate=gate: [*map(operator.call, (inside.release, gate.acquire))])
        assert owner.next() == "begun"
        assert inside.acquire(timeout=20)
    owner.ask(lambda: "never")
    assert owner.next() == "begun"
    answer = owner.next()
    assert isinstance(answer, Hung)
    assert "Restart the kernel" in str(answer)
    torch.manual_seed(5)  # what a cell does by now stays
    now = torch.get_rng_state()
    for gate in gates:
        gate.release()
    end = time.monotonic() + 20
    while isinstance(answer, Hung):
        assert time.monotonic() < end
        answer = owner.answer(lambda: 9)
    assert answer == 9
    assert torch.equal(torch.get_rng_state(), now)
    torch.set_rng_state(before)


def test_what_a_function_prints_is_dropped_and_others_are_heard(owner, capsys):
    def loud():
        print("lost")
        sys.stderr.write("lost too")
        thread = threading.Thread(target=print, args=("of another thread",))
        thread.start()
        thread.join()

    streams = sys.stdout, sys.stderr
    owner.answer(loud)
    assert (sys.stdout, sys.stderr) == streams
    print("mine")
    assert "".join(capsys.readouterr()) == "of another thread\nmine\n"


def test_what_a_function_changes_for_the_whole_program_is_put_back(owner):
    def greedy():
        torch.manual_seed(1)
        torch.rand(1)
        np.random.seed(2)
        random.seed(3)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)

    def states():
        numpy_state = np.random.get_state()[1].tolist()
        return torch.get_rng_state().tolist(), numpy_state, random.getstate()

    before = states()
    assert owner.answer(greedy) is None
    assert states() == before
    assert torch.get_default_dtype() == torch.float32
    assert owner.answer(torch.is_grad_enabled)


def test_a_thousand_jobs_take_one_thread_that_speaks_and_the_last_is_told(owner):
    threads, asked = set(), queue.Queue()

    def hear(answer):
        threads.add(threading.get_ident())
        asked.put(answer)

    for number in range(1_000):
        owner.worker.ask(owner, Job(lambda n=number: n, lambda: None, hear))
    told = [asked.get(timeout=20)]
    while told[-1] != 999:
        told.append(asked.get(timeout=20))
    assert told == sorted(set(told))
    assert len(threads) == 1


def test_the_thread_ends_once_there_is_nothing_to_do(owner, monkeypatch):
    monkeypatch.setattr(worker, "LINGER", 0.01)
    before = threading.active_count()
    assert owner.answer(lambda: 1) == 1
    end = time.monotonic() + 20
    while threading.active_count() > before:
        assert time.monotonic() < end
        time.sleep(0.005)
    assert owner.answer(lambda: 2) == 2
