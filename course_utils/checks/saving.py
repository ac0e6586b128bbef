"""Checks of exercises on saving and resuming."""

import contextlib
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
    refuse_slips,
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
    "08.1",
    "Keep a copy",
    "`state_dict()` hands out the model's own tensors. Who else changes them?",
    "Whoever trains on changes the tensors in place. What copies one tensor?",
    "`value.clone()` copies one; `model.state_dict().items()` has them all. `copy.deepcopy` would "
    "take the whole dict in one go.",
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
    "08.2",
    "Load what you trust",
    "Two things happen: `torch.load` reads the file, `load_state_dict` fills the model. Both "
    "refuse by themselves what does not fit. When does the second one do it?",
    "`load_state_dict` copies every name that fits, and complains about the others afterwards. "
    "What can you compare before you call it?",
    "A state dict is a dict: `.keys()` are its names. An error of your own is a `raise`.",
)
def safe_loading(load_into: object) -> str:
    """Load a good file, one that would run code, and three with other names."""
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
            "A file ran code of its own while it was loaded. `torch.load` refuses such files "
            "unless `weights_only=False` tells it not to."
        )
    if accepted:
        raise Wrong("A hostile file is refused, and nobody hears of it. Let the error through.")
    short = {"weight": torch.ones(1, 1)}
    long = line(1, 1).state_dict() | {"slope": torch.ones(1, 1)}
    if _accepts(load_into, {"slope": torch.ones(1, 1)}):
        raise Wrong("A file with other names loads without an error, and no weight is restored.")
    if _accepts(load_into, short):
        raise Wrong(
            "A file with `weight` alone loads without an error, and the bias stays as it was. "
            "`load_state_dict` compares all names with those of the file, if it gets the file's "
            "own dict and `strict` stays True."
        )
    if _accepts(load_into, long):
        raise Wrong(
            "A file with one name more than the model has loads without an error. "
            "`load_state_dict` compares all names, unless `strict=False` tells it not to."
        )
    for value in (short, long):
        model = line(7, 7)
        with contextlib.suppress(Exception):
            load_into(model, in_memory(value))
        if fitted("model", model) != fitted("model", line(7, 7)):
            raise Wrong(
                "A file with other names is refused, and it has changed the model all the same: "
                "`load_state_dict` copies the names that fit before it complains. Compare first."
            )
    return (
        "Code in the file did not run, and a file with other names raised an error and left the "
        "model as it was."
    )


def _package(*columns: tuple[str, float, float, float]) -> dict:
    """Return a package like that of the lesson, of (name, weight, center, spread) a column."""
    names, weights, centers, spreads = zip(*columns, strict=True)
    model = {"weight": torch.tensor([weights]), "bias": torch.tensor([4000.0])}
    preparation = {"center": torch.tensor(centers), "spread": torch.tensor(spreads)}
    return {"model": model, "columns": [*names]} | preparation


FLIPPER = ("flipper_length_mm", 600.0, 190.0, 15.0)
BILL, DEPTH = ("bill_length_mm", 60.0, 44.0, 5.5), ("bill_depth_mm", -90.0, 17.0, 2.0)
FEMALE = {"sex": "female", "bill_depth_mm": 18.1, "flipper_length_mm": 193.0}


def _grams(bird: dict, *columns: tuple[str, float, float, float]) -> float:
    return 4000 + sum(w * (bird[name] - c) / s for name, w, c, s in columns)


@exercise(
    "08.3",
    "Weigh with any ruler",
    "Which values of `bird` does the model want, and in which order? `saved` knows.",
    "As in the program: measurements as one row, minus center, divided by spread, into a model "
    'with `len(saved["columns"])` inputs.',
    'Go through `saved["columns"]` and fetch each name from `bird`; a missing name then raises a '
    "`KeyError` by itself.",
)
def weigh_from_a_package(weigh: object) -> str:
    """Weigh birds with packages of one to three columns, and birds that lack a column.

    Raises
    ------
    Wrong
        If a mass is not that of the package, or a bird that lacks a column gets one.
    """

    def grams(bird: dict, *columns: tuple[str, float, float, float]) -> float:
        return number("weigh(...)", call("weigh", weigh, _package(*columns), dict(bird)))

    bird = {"flipper_length_mm": 193.0}
    found, raw = grams(bird, FLIPPER), FLIPPER[1] * 193 + 4000
    slips = {
        "The flipper went in as it is: subtract the center and divide by the spread first.": raw,
        "The center is subtracted, and nothing is divided by the spread.": 4000 + 600 * 3.0,
        "It is divided by the spread, and the center stays in.": 4000 + 600 * 193 / 15,
        "The mass is in grams, as the model gives it.": _grams(bird, FLIPPER) / 1000,
        "Center and spread are those of this notebook. Maya's stand in `saved`.": 4000
        + 600 * (193 - 199.8512) / 13.7513,
    }
    refuse_slips(found, slips, 1e-3)
    if not close(found, _grams(bird, FLIPPER)):
        raise Wrong(
            "With the flipper alone the mass is not that of the package. Do weight, bias, center "
            "and spread all come from `saved`?"
        )
    both = FLIPPER, DEPTH
    if not close(grams(FEMALE, *both), _grams(FEMALE, *both)):
        raise Wrong(
            "With two columns the mass is wrong. The bird's measurements stand in another order "
            "than `columns`: fetch each one by its name, and give it its own center and spread."
        )
    whole = FEMALE | {"bill_length_mm": 39.5}
    if not close(grams(whole, BILL, FLIPPER, DEPTH), _grams(whole, BILL, FLIPPER, DEPTH)):
        raise Wrong("Two columns work, and three do not. Does the number of inputs follow them?")
    try:
        weigh(_package(BILL, *both), dict(FEMALE))
    except Exception:
        return (
            "The names decide, not the order, and a bird without a bill gets no mass. Swapped "
            "columns are the silent cousin of the penguin of 138 kg."
        )
    except SystemExit:
        raise Wrong("`weigh` ends the program at a bad bird. Let the error through.") from None
    raise Wrong("A bird whose bill length is missing was weighed all the same. With which length?")


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
    "08.4",
    "Keep the best weights",
    "`offer` compares with the lowest loss so far. What is the lowest before the first?",
    "At a new low, keep the loss and a copy of the weights; a `state_dict` is not a copy.",
    "`snapshot` of exercise 1 makes such a copy, and so does `to_bytes`. `put_back` loads it.",
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
        "With a copy of the lowest point, training too long costs only time, as far as the "
        "validation rows can tell. Training may still be stopped early, to save it."
    )


@exercise(
    "08.5",
    "How often should it save?",
    "Two losses, counted for one minute of training: one from saving, one from crashes.",
    "Saving: `cost` minutes once in `every`. A crash: once in `between` minutes, and it takes what "
    "was trained since the last save. How much is that on average?",
    "A crash comes anywhere between two saves. Where on average? Add both losses, draw the sum, "
    "and read off where it is low.",
)
def saving_interval(lost: object, choice: object) -> str:
    """Try each part alone, then both, then the choice for a cost of 1 and a crash in 600."""

    def share(every: float, cost: float, between: float) -> float:
        return number("lost(...)", call("lost", lost, every, cost, between))

    def near(value: float, right: float) -> bool:
        return 0.8 * right <= value <= 1.25 * right

    saving = share(10, 1, 1e5)
    slips = {
        "These are minutes for each stretch between two saves. Divide by the minutes trained.": 1.0,
        "Saving half as often should cost half. Is `every` divided by `cost`?": 10.0,
        "A machine that hardly dies, and saves all the time, loses next to nothing: is the time "
        "that saving takes counted?": 10 / 2e5,
    }
    refuse_slips(saving, slips, 2e-3 if saving > 0.01 else 1e-4)
    if not near(saving, 0.1):
        raise Wrong(
            f"`lost(10, 1, 100000)` returns {saving:.3g}. This machine hardly ever dies, so what "
            "is lost is a save of 1 minute after each 10 minutes of training."
        )
    again = share(60, 0, 600)
    if close(again, 0.1, 0.01):
        raise Wrong("Is the whole stretch lost at every crash? It comes at any moment between.")
    if not near(again, 0.05):
        raise Wrong(
            f"`lost(60, 0, 600)` returns {again:.3g}. Saving is free here. How many minutes does "
            "one crash take back on average, and how many crashes come in a minute?"
        )
    if not near(share(60, 2, 900), 2 / 60 + 30 / 900):
        raise Wrong("Each of the two losses alone is right, and together they are not their sum.")
    chosen, lowest = number("choice", choice), (2 * 600) ** 0.5
    if chosen <= 0:
        raise Wrong(f"`choice` is {chosen:g}, expected the minutes between two saves.")
    if 1 / chosen + chosen / 1200 > 1.26 * 2 / lowest:
        side = "right" if chosen < lowest else "left"
        raise Wrong(
            "`lost` is right. In your picture, follow the curve from your choice to the "
            f"{side}: does it fall?"
        )
    return (
        "The bottom is at the root of 2 * cost * between, known as Young's formula, and it is "
        "flat: half or twice that interval loses a quarter more. Farther off, one of the two takes "
        "over."
    )
