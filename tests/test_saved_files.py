"""The functions of notebook 07 that seal, inspect and load: what they let in, and what they say.

Damaged and hostile files by the hundred, kills and failing system calls: classroom/soak.
"""

import sys
import tracemalloc

import pytest
import torch
from refresh import ROOT

sys.path.append(str(ROOT / "classroom" / "soak"))
import attacks
from taught import taught

LESSON = taught()


def saved(file, value):
    LESSON.write_safely(LESSON.seal(LESSON.to_bytes(value)), file)
    return file


def trained():
    """All that changes during a run, with numbers of four kinds."""
    torch.manual_seed(420)
    model = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.BatchNorm1d(4)).double()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(8, 1, dtype=torch.float64)).sum().backward()
    optimizer.step()
    generator = torch.Generator().manual_seed(1).get_state()
    parts = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    return parts | {"generator": generator, "epoch": 3, "history": {"val_loss": [0.5, None]}}


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    value = trained()
    back = LESSON.load_safely(saved(tmp_path / "run.pth", value))
    assert LESSON.to_bytes(back) == LESSON.to_bytes(value)


@pytest.mark.parametrize(
    "dtype",
    [
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool),
        *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    ],
)
def test_the_usual_kinds_of_numbers_are_let_in(tmp_path, dtype):
    value = {"weight": torch.tensor([[1, 0, 1]]).to(dtype)}
    back = LESSON.load_safely(saved(tmp_path / "run.pth", value))["weight"]
    assert back.dtype == dtype
    assert torch.equal(back, value["weight"])


def test_a_parameter_comes_back_as_one(tmp_path):
    back = LESSON.load_safely(saved(tmp_path / "run.pth", torch.nn.Parameter(torch.ones(2))))
    assert isinstance(back, torch.nn.Parameter)
    assert back.tolist() == [1, 1]


def test_weights_that_two_layers_share_come_back_shared(tmp_path):
    one = torch.nn.Linear(3, 3)
    back = LESSON.load_safely(saved(tmp_path / "a.pth", torch.nn.Sequential(one, one).state_dict()))
    assert back["0.weight"].data_ptr() == back["1.weight"].data_ptr()


def test_torch_reads_a_sealed_file_too(tmp_path):
    path = saved(tmp_path / "run.pth", {"weight": torch.arange(5.0)})
    assert torch.equal(torch.load(path, weights_only=True)["weight"], torch.arange(5.0))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (bytearray(3), "it asks for __builtin__ bytearray"),
        (torch.zeros(2, dtype=torch.uint16), "it asks for torch._utils _rebuild_tensor_v3"),
        (torch.nn.Linear(1, 1), "it asks for torch.nn.modules.linear Linear"),
        ([0.5] * 20_000, "its plan is long"),
    ],
)
def test_a_refusal_names_the_file_the_remedy_and_the_reason(tmp_path, value, reason):
    with pytest.raises(ValueError, match=r"^run.pth is refused, use an older copy: ") as caught:
        LESSON.load_safely(saved(tmp_path / "run.pth", value))
    assert reason in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_compressed_part_is_refused_before_it_grows(tmp_path):
    """The plan has 120 MB and says it has 90 kB, so that its size alone gives nothing away."""
    (tmp_path / "run.pth").write_bytes(LESSON.seal(attacks.understated(120_000_000)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="it holds a compressed part"):
        LESSON.load_safely(tmp_path / "run.pth")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_no_seal_is_refused_as_well(tmp_path):
    LESSON.write_safely(LESSON.to_bytes({"epoch": 1}), tmp_path / "run.pth")
    with pytest.raises(ValueError, match="its digest does not fit"):
        LESSON.load_safely(tmp_path / "run.pth")


def test_a_file_that_is_not_there_is_told_as_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError):
        LESSON.load_safely(tmp_path / "run.pth")


def test_an_interrupt_is_no_damage(tmp_path, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    path = saved(tmp_path / "run.pth", {"epoch": 1})
    monkeypatch.setattr(torch, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        LESSON.load_safely(path)


def test_what_cannot_be_saved_fails_before_a_file_is_touched(tmp_path):
    path = saved(tmp_path / "run.pth", {"epoch": 1})
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        saved(path, {"epoch": lambda: 1})
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["run.pth"]
