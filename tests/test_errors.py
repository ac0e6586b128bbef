"""Real errors of PyTorch that beginners meet: each gets one sentence on what to look at."""

import io
import types

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import nn
from torch.utils.data import DataLoader
from traitlets.config import Config

from course_utils import errors
from course_utils.checks.judging import Wrong, call

X, y = torch.ones(4, 1), torch.zeros(4, 1)
W = torch.tensor([1.0], requires_grad=True)
MODEL = nn.Linear(1, 1)


class WithoutSuper(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(1, 1)


class Misspelled(nn.Module):
    def forwards(self, X):
        return X


class WithoutEnd(nn.Module):
    def forward(self, X):
        return self(X)


class WithoutSelf(nn.Module):
    def forward(X):  # noqa: N805  the mistake
        return X


def under_no_grad():
    with torch.no_grad():
        loss = nn.MSELoss()(MODEL(X), y)
    loss.backward()


def switched_off():
    torch.set_grad_enabled(False)
    try:
        nn.MSELoss()(MODEL(X), y).backward()
    except RuntimeError as error:
        raise RuntimeError(errors.explain(error)) from None
    finally:
        torch.set_grad_enabled(True)


def twice():
    loss = (W * X).sum() ** 2
    loss.backward()
    loss.backward()


def in_place():
    W.add_(1)


def made_while_inferring():
    with torch.inference_mode():
        return torch.ones(1)


def changed_before_backward():
    made = torch.exp(W)
    made += 1
    made.sum().backward()


MET = [  # what a learner writes, and words of the sentence
    (lambda: nn.MSELoss(MODEL(X), y), "make the function first, then call it"),
    (lambda: nn.L1Loss(X, y), "make the function first, then call it"),
    (lambda: 0 < X < 2, "(low < X) & (X < high)"),
    (lambda: bool(X > 0 and X < 1), "one True or False"),
    (lambda: nn.Tanh(X), "`Tanh()(X)`"),
    (lambda: WithoutSelf()(X), "the `def` of `forward` begin with `self`"),
    (lambda: setattr(MODEL, "weight", W), "an `nn.Parameter`"),
    (lambda: torch.ones(2).fill_(torch.ones(1)), "`fill_` takes one number"),
    (lambda: nn.Linear(W, W), "the numbers of its inputs and outputs"),
    (lambda: torch.tanh(MODEL), "`layer(X)`; numbers"),
    (lambda: torch.Tanh(), "look for `nn.Tanh`"),
    (lambda: WithoutEnd()(X), "without an end"),
    (lambda: MODEL.hidden, "as `self.hidden = ...`"),
    (lambda: nn.Sequential(MODEL, nn.Tanh), "`nn.Tanh` is its class"),
    (under_no_grad, "has no record"),
    (lambda: torch.tensor(1.0).backward(), "`requires_grad=True`"),
    (switched_off, "switched off in this kernel"),
    (twice, "again before each `backward`"),
    (in_place, "inside `with torch.no_grad():`"),
    (lambda: made_while_inferring().add_(1), "made in `inference_mode`"),
    (changed_before_backward, "changed in place"),
    (lambda: (W * X).backward(), "`loss.mean()`"),
    (lambda: nn.Linear(3, 1)(X), "and these are 3 and 1"),
    (lambda: MODEL(torch.ones(7)), "another number of features|these are 1 and 7"),
    (lambda: torch.ones(3, 1) + torch.ones(4, 1), "One tensor has 3 elements"),
    (lambda: MODEL(torch.tensor(np.ones((4, 1)))), "`.float()`"),
    (lambda: X.double() @ torch.ones(1, 1), "`.float()`"),
    (lambda: torch.tensor(2, requires_grad=True), "write `2.0`"),
    (lambda: torch.tensor([1, 2]).mean(), "whole numbers"),
    (lambda: torch.ones(2) < 1 | torch.ones(2) > 2, "each comparison in parentheses"),
    (lambda: X.min(dim=0) > X, "`.values` takes the values"),
    (lambda: W.zero_grad(), "set its `.grad` to `None`"),
    (lambda: setattr(W, "grad", 0), "`.grad.zero_()`"),
    (lambda: MODEL(torch.ones(4, 1, device="meta")), "different devices"),
    (lambda: torch.ones(1, device="meta").item(), "no numbers"),
    (lambda: (W * X).numpy(), "`.detach()`"),
    (lambda: (W * X).item(), "`.mean()` or `.sum()`"),
    (lambda: torch.optim.SGD(nn.Tanh().parameters(), lr=0.1), "has no parameters"),
    (WithoutSuper, "`super().__init__()`"),
    (lambda: Misspelled()(X), "no method named `forward`"),
    (lambda: nn.MSELoss().backward(), "`loss.backward()`"),
    (lambda: (0.5).backward(), "plain number"),
    (lambda: 0.1 * torch.ones(1, requires_grad=True).grad, "`.grad` is None"),
    (lambda: MODEL.load_state_dict(nn.Linear(2, 1).state_dict()), "shapes in the state dict"),
    (lambda: torch.load(io.BytesIO()), "`buffer.seek(0)`"),
    (lambda: X(y), "called like a function"),
    (lambda: next(iter(DataLoader([X, X[:2]], batch_size=2))), "`__getitem__`"),
]


def raised(function):
    with pytest.raises(Exception) as caught:  # noqa: PT011  each of another type
        function()
    return caught.value


@pytest.mark.parametrize(("function", "words"), MET)
def test_each_is_explained(function, words):
    error = raised(function)
    said = str(error) if function is switched_off else errors.explain(error)
    assert any(word in said for word in words.split("|")), (error, said)
    others = [theirs for _, theirs in MET if not set(theirs.split("|")) & set(words.split("|"))]
    fitting = [theirs for theirs in others if any(word in said for word in theirs.split("|"))]
    assert len(fitting) <= 3, "one sentence for all errors helps with none"


def test_errors_of_another_kind_get_no_sentence():
    for function in (lambda: 1 / 0, lambda: [][1], lambda: {}["a"], lambda: int("x")):
        assert errors.explain(raised(function)) == ""


def test_a_long_message_keeps_its_reason_and_loses_its_colors():
    said = errors.told(raised(lambda: MODEL.load_state_dict(nn.Linear(2, 1).state_dict())))
    assert "size mismatch for weight" in said, "the first line alone does not say what differs"
    colored = errors.told(RuntimeError("\x1b[1mbold\x1b[0m " + "word " * 200))
    assert "\x1b" not in colored
    assert len(colored) < 340
    assert errors.told(RuntimeError()) == "RuntimeError: no message"


def test_a_judge_says_it_too():
    with pytest.raises(Wrong, match=r"raised RuntimeError: Boolean value.*`\.any\(\)`"):
        call("outside", lambda X: 0 < X < 1, X)


def test_the_sentence_stands_below_pythons_own_message(tmp_path, monkeypatch, capsys):
    """In a real IPython shell, in the cell before a check runs."""
    monkeypatch.chdir(tmp_path)
    InteractiveShell.clear_instance()
    config = Config({"HistoryManager": {"hist_file": ":memory:"}})
    shell = InteractiveShell.instance(config=config, user_module=types.ModuleType("cells"))
    try:
        shell.run_cell("from course_utils import order\norder.watch()", store_history=True)
        shell.run_cell("import torch\nfrom torch import nn", store_history=True)
        capsys.readouterr()
        shell.run_cell("nn.MSELoss(torch.ones(2), torch.ones(2))", store_history=True)
        shown = capsys.readouterr().out
    finally:
        shell.history_manager.end_session()
        shell.restore_sys_module_state()
        InteractiveShell.clear_instance()
    assert "Boolean value of Tensor with more than one value is ambiguous" in shown
    assert shown.rstrip().endswith("and `loss_fn(y_pred, y)`.")
