"""The functions of notebook 08 that save and load: what comes back, what is refused, what is left.

Kills and failing system calls: classroom/soak.
"""

import sys

import pytest
import torch
from refresh import ROOT
from safetensors.torch import load_file, save_file

from course_utils.checks.judging import Hostile, ran

sys.path.append(str(ROOT / "classroom" / "soak"))
from taught import script, taught

LESSON = taught()


def saved(file, value):
    LESSON.write_safely(LESSON.to_bytes(value), file)
    return file


def trained():
    """All that changes during a run, with numbers of four kinds."""
    torch.manual_seed(420)
    model = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.BatchNorm1d(4)).double()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(8, 1, dtype=torch.float64)).sum().backward()
    optimizer.step()
    order = torch.Generator().manual_seed(1)
    run = {"model": model, "optimizer": optimizer, "order": order, "losses": [0.5, 0.25]}
    return LESSON.checkpoint(run)


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    value = trained()
    back = torch.load(saved(tmp_path / "run.pth", value))
    assert LESSON.to_bytes(back) == LESSON.to_bytes(value)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64, torch.int64])
def test_what_is_shared_comes_back_as_it_was(tmp_path, dtype):
    value = {"weight": torch.tensor([[1, 0, 1]]).to(dtype)}
    save_file(value, tmp_path / "line.safetensors")
    back = load_file(tmp_path / "line.safetensors")["weight"]
    assert back.dtype == dtype
    assert torch.equal(back, value["weight"])


def test_a_file_that_would_run_code_is_refused_by_both_ways_of_loading(tmp_path):
    path = saved(tmp_path / "run.pth", {"weight": Hostile()})
    ran.clear()
    for load in (torch.load, load_file):
        with pytest.raises(Exception):  # noqa: B017, PT011  each library has errors of its own
            load(path)
    assert not ran
    torch.load(path, weights_only=False)
    assert ran, "the file does run code where it may"


def test_what_cannot_be_saved_fails_before_a_file_is_touched(tmp_path):
    path = saved(tmp_path / "run.pth", {"epoch": 1})
    before = path.read_bytes()
    with pytest.raises(Exception, match="lambda"):
        saved(path, {"epoch": lambda: 1})
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["run.pth"]


def test_a_temporary_file_that_was_left_behind_is_overwritten(tmp_path):
    (tmp_path / "run.pth.tmp").write_bytes(b"x" * 10_000)
    path = saved(tmp_path / "run.pth", {"epoch": 1})
    assert torch.load(path) == {"epoch": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["run.pth"]


def test_a_function_is_found_without_those_beside_it():
    assert script("write_safely").startswith("def write_safely(data, path):\n")
    assert "torch" not in script("write_safely")
