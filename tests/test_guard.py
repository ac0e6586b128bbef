"""What surrounds a learner's code: it ends, it leaves no trace, and the stop button still works."""

import contextlib
import inspect
import os
import random
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.checks import feedback, guard
from course_utils.checks.feedback import Verdict, check, hint, judge
from course_utils.checks.judging import EXERCISES, Wrong, call, same_random_numbers


def sleeping():
    while True:
        time.sleep(100)


def swallowing():
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(100)


def hiding():
    while True:
        try:
            sum(range(1000))
        except BaseException:
            continue
        finally:
            sum(range(1000))


def nested():
    while True:
        with contextlib.suppress(BaseException):
            hiding()


def recursing():
    with contextlib.suppress(RecursionError):
        recursing()
    recursing()


@pytest.mark.parametrize("endless", [sleeping, swallowing, hiding, nested, recursing])
def test_endless_code_ends(endless):
    own = RecursionError if endless is recursing else guard.TooLong
    with pytest.raises((guard.TooLong, own)):
        guard.limited(endless, 0.2)
    assert sys.gettrace() is None
    assert sys.exception() is None, "or each later error would show these as its cause"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_answer_may_run_out_of_items():
    with pytest.raises(StopIteration) as raised:
        guard.limited(lambda: next(iter([])), 5)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("endless", [sleeping, swallowing, hiding])
@pytest.mark.parametrize("name", ["lab.9", "lab.10"])
def test_what_a_judge_has_set_is_put_back(name, endless):
    with pytest.raises(guard.TooLong):
        guard.limited(lambda: EXERCISES[name].judge(lambda *_: endless()), 0.2)
    weight = torch.ones(1, requires_grad=True)
    changed = torch.exp(weight)
    changed += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        changed.backward()
    assert not sys.modules["torch.optim.optimizer"]._global_optimizer_pre_hooks


def test_what_ends_in_time_passes_through():
    assert guard.limited(lambda: 7, 60) == 7
    with pytest.raises(ZeroDivisionError):
        guard.limited(lambda: 1 / 0, 60)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_stop_button_still_works():
    with pytest.raises(KeyboardInterrupt):
        guard.limited(lambda: signal.raise_signal(signal.SIGINT), 60)


def test_the_stop_button_is_told_from_an_answer_that_stops_itself(monkeypatch):
    def pressed(sizes):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setitem(EXERCISES, "02.1", EXERCISES["02.1"].__class__("02.1", "t", (), pressed))
    with pytest.raises(KeyboardInterrupt):
        judge("02.1", [1])


def interrupt():
    raise KeyboardInterrupt


def leave():
    os._exit(0)


def ask_to_leave():
    exit()


class Quits:
    def __init__(self, *args):
        sys.exit("done")

    __call__ = __init__


@pytest.mark.parametrize("ends", [sys.exit, interrupt, leave, ask_to_leave, Quits, quit])
@pytest.mark.parametrize("name", ["00.3", "02.3", "05.4", "11.3", "lab.8"])
def test_an_answer_that_ends_the_program_is_wrong(name, ends):
    wanted = len(inspect.signature(EXERCISES[name].judge).parameters)
    verdict = judge(name, *[lambda *args, **kwargs: ends()] * wanted)
    assert verdict.outcome == "wrong"
    assert os._exit is not sys.exit


def test_what_an_answer_leaves_on_for_all_is_named():
    def no_gradients():
        torch.set_grad_enabled(False)
        return 1

    def float64():
        torch.set_default_dtype(torch.float64)
        return 1

    def meta():
        torch.set_default_device("meta")
        return 1

    for leaves, words in ((no_gradients, "switches gradients off"), (float64, "default dtype")):
        with guard.untouched(), pytest.raises(Wrong, match=f"`answer` .*{words}"):
            call("answer", leaves)
    with guard.untouched(), pytest.raises(Wrong, match="default device"):
        call("answer", meta)
    assert torch.get_default_device() == torch.device("cpu")
    assert torch.is_grad_enabled()
    assert call("answer", lambda: 1) == 1


@pytest.mark.parametrize("draw", [lambda: torch.rand(1), np.random.rand, random.random])
def test_random_numbers_of_all_others_are_watched(draw):
    with (
        pytest.raises(Wrong, match="`draw` changes the random numbers"),
        same_random_numbers("draw"),
    ):
        draw()
    with same_random_numbers("draw"):
        torch.rand(1, generator=torch.Generator())


def test_other_threads_may_call_it():
    answers = []
    thread = threading.Thread(target=lambda: answers.append(guard.limited(lambda: 7, 0.01)))
    thread.start()
    thread.join()
    assert answers == [7]


def test_a_late_timer_reaches_nobody():
    """Many calls that end when their time does: none is interrupted afterward."""
    for _ in range(300):
        with contextlib.suppress(guard.TooLong):
            guard.limited(lambda: sum(range(3_000)), 1e-4)


def random_numbers():
    return torch.rand(1).item(), np.random.rand(), random.random()


def test_random_states_gradients_and_output_are_untouched(capsys):
    def learner():
        torch.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        warnings.warn("mind", stacklevel=1)
        print("printed")

    for seed in (torch.manual_seed, np.random.seed, random.seed):
        seed(5)
    expected = random_numbers()
    for seed in (torch.manual_seed, np.random.seed, random.seed):
        seed(5)
    with torch.no_grad():
        with guard.untouched():
            assert torch.is_grad_enabled()
            learner()
        assert not torch.is_grad_enabled()
    assert torch.get_default_dtype() is torch.float32
    assert random_numbers() == expected
    assert capsys.readouterr() == ("", "")


def test_copies_keep_a_model_and_its_optimizer_together():
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    twin, its_optimizer = guard.copied((model, optimizer))
    assert its_optimizer.param_groups[0]["params"][0] is twin.weight
    assert twin.weight is not model.weight


def test_copies_of_a_function_work_on_copies_of_its_globals():
    names = {"nn": nn, "model": nn.Linear(1, 1), "seen": [], "torch": torch}
    code = """
def helper():
    seen.append(1)

def train():
    helper()
    with torch.no_grad():
        model.weight.fill_(7)
    return model.weight.item(), len(seen)
"""
    exec(code, names)
    before = names["model"].weight.item()
    (train,) = guard.copied((names["train"],))
    assert train() == (7.0, 1)
    assert names["model"].weight.item() == before
    assert names["seen"] == []


def test_what_cannot_be_copied_is_handed_on():
    lock = threading.Lock()
    loss = (torch.ones(2, requires_grad=True) * 2).sum()
    copied_lock, copied_loss = guard.copied((lock, loss))
    assert copied_lock is lock
    assert copied_loss.item() == 4.0
    assert copied_loss.requires_grad


@pytest.fixture
def shown(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "p.jsonl"))
    monkeypatch.setattr(feedback, "_hints_given", {})
    verdicts = []
    monkeypatch.setattr(feedback, "_show", verdicts.append)
    return verdicts


def test_hints_come_one_by_one(shown):
    hints = EXERCISES["02.1"].hints
    for _ in range(len(hints) + 1):
        hint("02.1")
    for number, text in enumerate(hints):
        assert text in shown[number].text
        assert shown[number].text.startswith(f"{number + 1} of {len(hints)}")
    assert "folded" in shown[-1].text


def test_a_wrong_name_or_number_of_answers_is_explained(shown):
    check("2.1", 1)
    hint(None)
    check("02.1")
    check("02.1", 1, 2)
    texts = [verdict.text for verdict in shown]
    assert "no exercise '2.1'" in texts[0]
    assert "02.1, 02.2" in texts[0]
    assert "no exercise 'None'" in texts[1]
    assert texts[2] == texts[3] == 'The last line is `check("02.1", GridDataset)`.'


def test_a_judge_that_fails_says_so_and_is_not_right(monkeypatch):
    def broken(sizes):
        raise KeyError("no")

    monkeypatch.setitem(EXERCISES, "02.1", EXERCISES["02.1"].__class__("02.1", "t", (), broken))
    assert judge("02.1", [1]) == Verdict("wrong", "The answer cannot be read: KeyError.")


def test_code_that_is_too_slow_is_told_so(monkeypatch):
    def slow(sizes):
        sleeping()

    monkeypatch.setattr(feedback, "SECONDS", 0.1)
    monkeypatch.setitem(EXERCISES, "02.1", EXERCISES["02.1"].__class__("02.1", "t", (), slow))
    assert "0.1 seconds and was stopped" in judge("02.1", [1]).text


def test_a_verdict_shows_values_as_text():
    page = Verdict("wrong", "<script>x</script> `a < b`")._repr_mimebundle_()["text/html"]
    assert "<script" not in page
    assert "<code>a &lt; b</code>" in page
    assert 'role="status"' in page


def test_the_learners_objects_are_not_changed_by_a_check(monkeypatch):
    sizes, three = [8, 8], [[1], [2], [3]]

    def greedy(sizes):
        sizes.clear()
        raise Wrong("no")

    monkeypatch.setitem(EXERCISES, "02.1", EXERCISES["02.1"].__class__("02.1", "t", (), greedy))
    judge("02.1", sizes)
    judge("02.2", three)
    assert (sizes, three) == ([8, 8], [[1], [2], [3]])
