"""Checks of exercises on saving and resuming."""

import io
from collections import OrderedDict
from collections.abc import Callable

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
    number,
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
        value.copy_(tensor(name, kept[name], value.shape))
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
    return True


@exercise(
    "07.2",
    "Load what you trust",
    "Two things happen: `torch.load` reads the file, `load_state_dict` fills the model.",
    "Read with `weights_only=True`, and let errors rise: who catches them believes in success.",
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
        raise Wrong("A file ran code of its own while it was loaded. Read `weights_only`.")
    if accepted:
        raise Wrong("A hostile file is refused, and nobody hears of it. Let the error rise.")
    if _accepts(load_into, {"slope": torch.ones(1, 1)}):
        raise Wrong("A file with other names loads without an error, and no weight is restored.")
    return (
        "Code in the file did not run, wrong names raised an error, and the weights are those of "
        "the file: only then is a model loaded."
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
        data = call("stop_at", stop_at, epoch)
        if type(data) is not bytes:
            raise Wrong(f"`stop_at` returns {kind(data)}, expected bytes, as a file holds them.")
        try:
            torch.load(io.BytesIO(data), weights_only=True)
        except Exception:
            raise Wrong("These bytes do not load with `weights_only=True`.") from None
        return data

    def ended(epoch: int, until: int) -> tuple[float, float]:
        return fitted("go_on(...)", call("go_on", go_on, stopped(epoch), until))

    whole, resumed = ended(0, 8), ended(3, 8)
    if stopped(0) == stopped(3):
        raise Wrong("A run stopped at epoch 3 has not moved since epoch 0. Does `stop_at` train?")
    if whole == ended(0, 5):
        raise Wrong("The run ends at the same weights for each `until`. Does `go_on` train?")
    if ended(8, 5) == ended(0, 5):
        raise Wrong("Handed the bytes of 8 epochs, `go_on` begins at the start. Is `data` used?")
    if resumed == ended(0, 11) or ended(8, 8) == ended(0, 16):
        raise Wrong("`until` is the last epoch in all, not the number of epochs still to come.")
    if ended(8, 8) != whole:
        raise Wrong("Stopped at 8 and continued to 8, no step is left, and the weights differ.")
    if resumed != whole:
        raise Wrong(
            f"3 + 5 epochs end {abs(resumed[0] - whole[0]):.1g} away from 8 in one go. Weights, "
            "Adam's running means and the order of the batches all have to go on, none anew."
        )
    return (
        "3 + 5 epochs end bit for bit where 8 do. Nobody who reads your result can tell, or "
        "needs to know, that the machine went down in between."
    )


@exercise(
    "07.4",
    "Keep the best weights",
    "`offer` compares with the lowest loss so far. What is the lowest before the first?",
    "At a new low, keep the loss and a copy of the weights; a `state_dict` is no copy.",
    "`self.data = to_bytes(model.state_dict())`; `put_back` loads it with `weights_only=True`.",
)
def best_weights(Best: object) -> str:
    """Offer models with losses that fall, rise, tie and are nan."""
    best = call("Best", Best)
    model, answers = line(0, 0), []
    offer, put_back = getattr(best, "offer", None), getattr(best, "put_back", None)
    for step, loss in enumerate((3.0, 1.0, 2.0, 1.5, 1.0, float("nan"), 2.5)):
        torch.nn.init.constant_(model.weight, step)
        answers.append(call("best.offer", offer, model, loss))
    if not all(type(answer) is bool for answer in answers):
        raise Wrong("`offer` returns True at a new low of the loss and False otherwise.")
    if not answers[0] or not answers[1]:
        raise Wrong("The first loss, and any below it, is a new low. `float('inf')` starts well.")
    if answers[5]:
        raise Wrong("A run that broke, with the loss nan, was taken for the best.")
    if answers[2] or answers[3] or answers[6]:
        raise Wrong("A loss above the lowest so far was taken. With which loss is it compared?")
    if answers[4]:
        raise Wrong("A loss that only ties with the lowest is no new low.")
    if call("best.put_back", put_back, model) is not model:
        raise Wrong("`put_back` fills the model it is handed, and returns it.")
    weight, _ = fitted("model", model)
    if close(weight, 6.0):
        raise Wrong(
            "After `put_back` the model has the last weights. Was a copy kept, and is it loaded?"
        )
    if not close(weight, 1.0):
        raise Wrong("After `put_back` the model has other weights than at the lowest loss.")
    other = call("Best", Best)
    if not call("best.offer", other.offer, model, number("loss", 9.0)):
        raise Wrong("A second `Best` knows the losses of the first. Keep them in `self`.")
    return (
        "With a copy of the lowest point, training too long costs time and no quality. This is "
        "the half of early stopping that cannot go wrong."
    )
