"""Checks of exercises on saving and resuming."""

import io
from collections import OrderedDict
from collections.abc import Callable, Iterator

import torch

from course_utils.checks.judging import (
    Hostile,
    Wrong,
    call,
    close,
    exercise,
    flat,
    in_memory,
    kind,
    ran,
    tensor,
)


def line(weight: float, bias: float) -> torch.nn.Linear:
    """Return a model that predicts weight * x + bias."""
    model = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(model.weight, weight)
    torch.nn.init.constant_(model.bias, bias)
    return model


def fitted(name: str, model: object) -> tuple[float, float]:
    """Read weight and bias of a model from its predictions.

    Raises
    ------
    Wrong
        If it predicts no column.
    """
    at = tensor(f"{name}(X)", call(name, model, torch.tensor([[0.0], [1.0]])), (2, 1))
    bias, top = flat(at)
    return top - bias, bias


@exercise(
    "07.1",
    "Keep a copy",
    "`state_dict()` hands out the model's own tensors. Who else changes them?",
    "Bytes share nothing: save to memory, and load from there.",
    "`torch.load(io.BytesIO(to_bytes(model.state_dict())), weights_only=True)` is a copy.",
)
def copy_of_weights(snapshot: object) -> str:
    """Take a snapshot of a model with a buffer, then change the model."""
    model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.BatchNorm1d(2))
    for value in model.parameters():
        torch.nn.init.constant_(value, 1 / 3)
    right = {name: value.clone() for name, value in model.state_dict().items()}
    kept = call("snapshot", snapshot, model)
    if type(kept) is bytes:
        raise Wrong("These are bytes, as in a file. Load them again to get the state dict.")
    if type(kept) not in (dict, OrderedDict):
        raise Wrong(f"`snapshot` returns {kind(kept)}, expected a state dict: names and tensors.")
    if missing := right.keys() - kept.keys():
        raise Wrong(
            f"`load_state_dict` would miss {len(missing)} names, such as `{max(missing)}`. The "
            "parameters are not all that a model keeps."
        )
    for name, value in right.items():
        before = flat(value)
        value.copy_(found := tensor(name, kept[name], value.shape))
        if flat(value) != before and found.dtype != value.dtype:
            raise Wrong(
                f"`{name}` comes back as {found.dtype}, and the model holds {value.dtype}. Digits "
                "are lost on the way: keep the dtype."
            )
    if not all(close(value, model.state_dict()[name]) for name, value in right.items()):
        raise Wrong("The snapshot differs from the model at the moment it is taken.")
    for value in model.state_dict().values():
        value.fill_(5)
    if not all(close(kept[name], value) for name, value in right.items()):
        raise Wrong(
            "The model was changed after the snapshot, and the snapshot changed with it: its "
            "tensors are still those of the model."
        )
    return (
        "Without a copy, the 'best weights so far' would silently be the last ones, whatever the "
        "validation loss said."
    )


def _accepts(load: Callable, value: object) -> bool:
    """Tell whether the learner's function takes a file with this value without an error."""
    try:
        load(line(7, 7), in_memory(value))
    except Exception:
        return False
    except SystemExit:
        raise Wrong("`load_into` ends the program at a bad file. Let the error through.") from None
    return True


@exercise(
    "07.2",
    "Load what you trust",
    "Two things happen: `torch.load` reads the file, `load_state_dict` fills the model.",
    "Read with `weights_only=True`, and let errors through: a caller who sees none believes in "
    "success.",
    "`model.load_state_dict(torch.load(source, weights_only=True))`, then return the model.",
)
def safe_loading(load_into: object) -> str:
    """Load a good file, a file that would run code, and one with other names."""
    model = line(7, 7)
    loaded = call("load_into", load_into, model, in_memory(line(-2, 0.5).state_dict()))
    if type(loaded) in (dict, OrderedDict):
        raise Wrong("These are the contents of the file. The model that holds them is wanted.")
    if not isinstance(loaded, torch.nn.Module):
        raise Wrong(f"`load_into` returns {kind(loaded)}, expected the model.")
    found = fitted("model", loaded)
    if found == fitted("model", line(7, 7)):
        raise Wrong("The model predicts as before: the file is read and its weights stay unused.")
    if not close(torch.tensor(found), torch.tensor([-2, 0.5])) or loaded is not model:
        raise Wrong("The model handed in has to return with the weights of the file.")
    ran.clear()
    accepted = _accepts(load_into, {"weight": Hostile()})
    if ran:
        raise Wrong(
            "A file ran code of its own while it was loaded: `weights_only=True` refuses it."
        )
    if accepted:
        raise Wrong("A hostile file is refused, and nobody hears of it. Let the error through.")
    if _accepts(load_into, {"slope": torch.ones(1, 1)}):
        raise Wrong("A file with other names loads without an error, and no weight is restored.")
    if _accepts(load_into, {"weight": torch.ones(1, 1)}):
        raise Wrong(
            "A file with `weight` alone loads without an error, and the bias stays as it was. "
            "`load_state_dict` compares all names with those of the file, if it gets the file's "
            "own dict and `strict` stays True."
        )
    if _accepts(load_into, line(1, 1).state_dict() | {"slope": torch.ones(1, 1)}):
        raise Wrong(
            "A file with one name more than the model has loads without an error. "
            "`load_state_dict` compares all names, unless `strict=False` forbids it."
        )
    return (
        "Code in the file did not run, wrong names raised an error, and the weights are those of "
        "the file: only then is a model loaded."
    )


def _as_bytes(data: object) -> bytes:
    """Read the bytes of a checkpoint.

    Raises
    ------
    Wrong
        If they are none, or do not load.
    """
    if type(data) is not bytes:
        raise Wrong(f"`stop_at` returns {kind(data)}, expected bytes, as a file holds them.")
    if not data:
        raise Wrong(
            "`stop_at` returns no bytes at all. After `torch.save` a buffer stands at its end, and "
            "`read()` goes on from there: `seek(0)` first, or `getvalue()`, which returns all."
        )
    call("torch.load(..., weights_only=True)", torch.load, io.BytesIO(data), weights_only=True)
    return data


def _tensors(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif type(value) in (dict, OrderedDict, list, tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)


def _kept(data: bytes) -> list[torch.Tensor]:
    return [*_tensors(torch.load(io.BytesIO(data), weights_only=True))]


def _holds(data: bytes, weights: tuple[float, float]) -> bool:
    """Tell whether weight and bias stand in a checkpoint, or none in the form of a layer's."""
    numbers = [flat(part)[0] for part in _kept(data) if part.numel() == 1]
    there = all(any(close(weight, number, 1e-5) for number in numbers) for weight in weights)
    return there or (1, 1) not in {tuple(part.shape) for part in _kept(data)}


def _lost(data: bytes) -> str:
    """Say what a checkpoint lacks for the run to go on, or that it is not used."""
    kept = _kept(data)
    if not any(part.dtype == torch.uint8 for part in kept):
        return (
            "The bytes hold no state of the loader's generator, so the batches come in the order "
            "of another epoch."
        )
    if sum(part.shape == (1, 1) for part in kept) < 3:  # the weight, and Adam's two means of it
        return "The bytes hold no running means of Adam. `optimizer.state_dict()` has them."
    return (
        "The bytes hold Adam's running means and the state of the loader's generator, which makes "
        "the order of the batches. Does `go_on` go on with both, none anew?"
    )


@exercise(
    "07.3",
    "Resume once more",
    "`start`, `train`, `checkpoint`, `to_bytes` and `restore` do all of it. In which order?",
    "`stop_at`: run = start(), train until `epoch`, then the checkpoint as bytes.",
    "`go_on`: `run = restore(io.BytesIO(data))`, `train(*run, until=until)`, return `run[0]`.",
)
def exact_resume(stop_at: object, go_on: object) -> str:
    """Stop after 0, 3 and 8 epochs, go on to 8 and 5: one line for each end."""

    def stopped(epoch: int) -> bytes:
        return _as_bytes(call("stop_at", stop_at, epoch))

    def went_on(data: bytes, until: int) -> tuple[float, float]:
        return fitted("go_on(...)", call("go_on", go_on, data, until))

    def ended(epoch: int, until: int) -> tuple[float, float]:
        return went_on(stopped(epoch), until)

    first, last = stopped(3), stopped(8)
    whole, resumed = ended(0, 8), ended(3, 8)
    if stopped(0) == first:
        raise Wrong("A run stopped at epoch 3 has not moved since epoch 0. Does `stop_at` train?")
    if whole == ended(0, 5):
        raise Wrong("The run ends at the same weights for each `until`. Does `go_on` train?")
    if ended(8, 5) == ended(0, 5):
        raise Wrong("Handed the bytes of 8 epochs, `go_on` begins at the start. Is `data` used?")
    if resumed == ended(0, 11) or ended(8, 8) == ended(0, 16):
        raise Wrong(
            "`until` is the last epoch in all, not the number of epochs still to come. `train` "
            "counts on from the history it is handed: is it that of the first half?"
        )
    if went_on(first, 8) != resumed or went_on(first, 8) != resumed:
        raise Wrong(
            "`go_on` depends on what was run before it. All it knows of the first half has to come "
            "from the bytes it is handed."
        )
    if not _holds(last, went_on(last, 8)):
        raise Wrong(
            "Stopped at 8 and continued to 8, no step is left, and `go_on` returns other weights "
            "than the bytes hold. At which epoch does its training begin, and at which does it end?"
        )
    if ended(8, 8) != whole:
        raise Wrong(
            "Stopped at 8 and continued to 8, no step is left, and the weights are not those of 8 "
            "epochs in one go. Does `stop_at` train exactly until `epoch`?"
        )
    if resumed != whole:
        away = f"3 + 5 epochs end {abs(resumed[0] - whole[0]):.1g} away from 8 in one go. "
        raise Wrong(away + _lost(first))
    return (
        "3 + 5 epochs end bit for bit where 8 do. Nobody who reads your result can tell, or "
        "needs to know, that the machine went down in between."
    )


def _offered(Best: object, *losses: float) -> tuple[object, torch.nn.Linear, list[bool]]:
    """Offer a model with the weights 0, 1, 2 ... and these losses to a new Best.

    Raises
    ------
    Wrong
        If an answer is neither True nor False.
    """
    best, model, answers = call("Best", Best), line(0, 0), []
    for step, loss in enumerate(losses):
        torch.nn.init.constant_(model.weight, step)
        answers.append(call("best.offer", getattr(best, "offer", None), model, loss))
    for answer in answers:
        if type(answer) is not bool:
            given, remedy = kind(answer), ""
            if (library := type(answer).__module__) in ("torch", "numpy"):
                given += f" of {library}"
                remedy = (
                    " A comparison with a tensor or a NumPy number gives this: use `bool(...)`."
                )
            raise Wrong(f"`offer` returns {given}, expected True or False.{remedy}")
    return best, model, answers


def _refuse_lost_buffers(Best: object) -> None:
    best, model = call("Best", Best), line(0, 0)
    model.register_buffer("seen", torch.zeros(1))
    for seen, loss in ((1.0, 1.0), (2.0, 2.0)):
        model.seen.fill_(seen)
        call("best.offer", best.offer, model, loss)
    if call("best.put_back", best.put_back, model).seen.item() != 1:
        raise Wrong(
            "Parameters come back, and a buffer of the model does not: it keeps its last value. "
            "A `state_dict` holds both."
        )


def _refuse_starts(Best: object) -> None:
    """Raise Wrong where the first losses are compared with something that misleads."""
    nan = float("nan")
    if not _offered(Best, 2.0)[2][0]:  # above the 1.0 that another Best knows
        raise Wrong("A second `Best` knows the losses of the first. Keep them in `self`.")
    for loss in (5e3, 1e35):
        if not _offered(Best, loss)[2][0]:
            raise Wrong(
                f"A first loss of {loss:g} was refused, because it is above the number to begin "
                "with. No loss is above `float('inf')`."
            )
    first, second, *_ = _offered(Best, nan, 3.0)[2]
    if first:
        raise Wrong(
            "A first loss of nan was taken for the best, and no loss is lower than nan, so it "
            "stays. Start with `float('inf')`: nan is not lower than that."
        )
    if not second or not _offered(Best, 3.0, nan, 2.0)[2][2]:
        raise Wrong("After a loss of nan no lower loss is taken. Was nan kept for comparison?")
    if _offered(Best, 0.0, 1.0)[2][1]:
        raise Wrong("After a loss of 0, a loss of 1 was taken. `not self.loss` is true for 0 too.")
    if not _offered(Best, -1.0, -2.0)[2][1]:
        raise Wrong("After a loss of -1, one of -2 was refused. Losses can be below 0.")


@exercise(
    "07.4",
    "Keep the best weights",
    "`offer` compares with the lowest loss so far. What is the lowest before the first?",
    "At a new low, keep the loss and a copy of the weights; a `state_dict` is not a copy.",
    "`self.data = to_bytes(model.state_dict())`; `put_back` loads it with `weights_only=True`.",
)
def best_weights(Best: object) -> str:
    """Offer models with losses that fall, rise, tie and are nan."""
    nan = float("nan")
    best, model, answers = _offered(Best, 3.0, 1.0, 2.0, 1.5, 1.0, nan, 2.5)
    put_back = getattr(best, "put_back", None)
    if not answers[0]:
        raise Wrong("The first loss is always a new low. `float('inf')` starts well.")
    if not answers[1]:
        raise Wrong("A loss below all before was not taken. With which loss is it compared?")
    if answers[5]:
        raise Wrong("A run that broke, with the loss nan, was taken for the best.")
    if answers[2] or answers[3] or answers[6]:
        raise Wrong("A loss above the lowest so far was taken. With which loss is it compared?")
    if answers[4]:
        raise Wrong("A loss that only ties with the lowest is not a new low.")
    _refuse_starts(Best)
    if call("best.put_back", put_back, model) is not model:
        raise Wrong("`put_back` fills the model it is handed, and returns it.")
    weight, _ = fitted("model", model)
    if close(weight, 6.0):
        raise Wrong(
            "After `put_back` the model has the last weights. Was a copy kept, and is it loaded?"
        )
    if not close(weight, 1.0):
        raise Wrong("After `put_back` the model has other weights than at the lowest loss.")
    torch.nn.init.constant_(model.weight, 8.0)
    again, _ = fitted("model", call("best.put_back", put_back, model))
    if not close(again, 1.0):
        raise Wrong(
            "Trained on after `put_back`, the model changes the weights that were kept: they share "
            "memory. Keep a copy that no model uses."
        )
    _refuse_lost_buffers(Best)
    return (
        "With a copy of the lowest point, training too long costs time, and on the validation rows "
        "nothing else. Training may still be stopped early, to save that time."
    )
