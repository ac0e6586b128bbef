"""Checks of exercises on slow steps, devices, wrappers and the cost of processes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook
from torch.utils.data import DataLoader, TensorDataset

from course_utils.checks.judging import (
    CROSSED,
    HALF_MSE,
    Wrong,
    call,
    close,
    exercise,
    flat,
    kind,
    letters,
    number,
    refuse_slips,
    tensor,
)

REMEDIES = "ebdac"  # for the five people
_MEANT = {
    (0, "a"): "The first one's card computes all the time and waits for no row.",
    (0, "b"): "The first one's steps are work. More rows in a step are more work.",
    (0, "c"): "Does an old card multiply faster in bfloat16? What else is there?",
    (
        0,
        "d",
    ): "Nothing says that the first one's step is a chain of operations. What else is there?",
    (
        1,
        "a",
    ): "In the second the rows are there. A step takes as long with a hundred times as many.",
    (1, "c"): "Fewer bits make work cheaper. Is it work that the second one pays for?",
    (1, "d"): "Compiling may spare some overhead. What spreads it over a hundred times the rows?",
    (1, "e"): "A second process halves the work of a step. Here 800 rows take as long as 8.",
    (2, "a"): "The third one's numbers are there. What happens to them ten times?",
    (2, "b"): "Twice as many numbers take the third twice as long. Why ten walks?",
    (2, "c"): "bfloat16 is for products of matrices. Here one operation follows another.",
    (2, "e"): "Two processes would walk ten times too. Could one walk do?",
    (3, "b"): "The fourth one's card waits for rows. A larger batch needs more of them.",
    (3, "c"): "A faster card would wait for the fourth one's recordings all the same.",
    (3, "d"): "Is it the card's program that is slow in the fourth? It waits.",
    (3, "e"): "Another card would wait as well. Who cuts the recordings?",
    (4, "a"): "The fifth says nothing of waiting for rows. What are its steps made of?",
    (4, "b"): "Its steps are products, so work. More rows are more products.",
    (4, "d"): "A large product is one operation already. What makes it cheaper?",
    (4, "e"): "The fifth has one card. What can that card do faster?",
}


@exercise(
    "12.1",
    "Choose the remedy",
    "Ask each step the question of this notebook: is it overhead, work, or waiting?",
    "Who of the five waits, who prepares, who computes?",
    "A larger batch spares overhead, compiling spares walks through memory; fewer bits make work "
    "cheaper, more devices share it out.",
)
def which_remedy(remedies: object) -> str:
    """Compare five letters, and say of the first wrong one what it overlooks."""
    rule = "from a to e, one for each person"
    found = letters("remedies", remedies, "abcde", "abcde", "five letters", rule)
    for person, (letter, right) in enumerate(zip(found, REMEDIES, strict=True)):
        if letter != right:
            said = _MEANT.get((person, letter), "Where does the time of this one go?")
            raise Wrong(f"Person {person + 1} and {letter}: {said}")
    return (
        "First find out where the time goes, then choose. A remedy for another illness costs as "
        "much and cures nothing."
    )


X5 = torch.tensor([[-1.5], [-0.4], [0.3], [0.8], [1.9]])
Y5 = torch.tensor([[3.0], [1.5], [-0.2], [2.5], [-1.1]])
RATE = 0.1
_Batches = list[tuple[torch.Tensor, torch.Tensor]]


class _Watched(DataLoader):
    """Serves five rows on the CPU in shuffled batches of 2, 2 and 1, and keeps finished passes."""

    def __init__(self):
        generator = torch.Generator().manual_seed(1)
        rows = TensorDataset(X5.clone(), Y5.clone())
        super().__init__(rows, batch_size=2, shuffle=True, generator=generator)
        self.passes: list[_Batches] = []

    def __iter__(self):
        batches = []
        for X_batch, y_batch in super().__iter__():
            batches.append((X_batch.clone(), y_batch.clone()))
            yield X_batch, y_batch
        self.passes.append(batches)


class _Loop(NamedTuple):
    """What a loop does in each batch, and at the beginning and the end of an epoch.

    f is forward and loss, z resets the gradients, b is `backward`, s a step.
    """

    each: str = "zfbs"
    first: str = ""
    last: str = ""
    batches: int = 3
    loss: Callable = lambda off, y: 2 * off / len(off)  # its derivative by the predictions


_LATE = "Each step uses the gradient of the batch before, since `step` stands before `backward`"
_ONE = "All batches of an epoch end in one step. `step` belongs in the inner loop, after `backward`"
_LOOPS = {
    "Each step uses the sum of all gradients so far. What resets them? `zero_grad` belongs in the "
    "inner loop, before each `backward`.": _Loop("fbs"),
    "Within an epoch each step uses the sum of all its gradients so far. Reset before each "
    "`backward`, and call that on the loss of this batch alone, not on a running sum.": (
        _Loop("fbs", first="z")
    ),
    f"{_ONE}.": _Loop("fb", first="z", last="s"),
    f"{_ONE}; here only the last batch counts.": _Loop("zfb", last="s"),
    f"{_LATE}.": _Loop("fszb"),
    f"{_LATE}, at the top of the loop.": _Loop("szfb"),
    f"{_LATE}, and nothing resets the gradients.": _Loop("fsb"),
    f"{_LATE}, at the top of the loop, and nothing resets the gradients.": _Loop("sfb"),
    "Each batch gets two steps in place of one.": _Loop("zfbss"),
    "The last, smaller batch of an epoch gets no step.": _Loop(batches=2),
    CROSSED: _Loop(loss=lambda off, y: 2 * (off + y - y.mean()) / len(y)),
    HALF_MSE: _Loop(loss=lambda off, y: off / len(y)),
    "The steps follow the sum over a batch. `loss_fn` takes the mean.": (
        _Loop(loss=lambda off, y: 2 * off)
    ),
    "The sum over a batch is divided by 2, also for the last batch of one row. Divide by "
    "`len(X_batch)`, as `loss_fn` does.": _Loop(loss=lambda off, y: off),
    "The loss of a batch is a mean already. Do not divide it by its number of rows once more.": (
        _Loop(loss=lambda off, y: 2 * off / len(y) ** 2)
    ),
    "Each step is too short by the number of batches. The loss of a batch is a mean already; do "
    "not divide it by `len(loader)`.": _Loop(loss=lambda off, y: 2 * off / len(y) / 3),
    "The steps follow the mean absolute error (L1), and `loss_fn` is the MSE.": (
        _Loop(loss=lambda off, y: off.sign() / len(y))
    ),
    "The steps follow the root of the MSE. Call `backward` on the loss itself.": (
        _Loop(loss=lambda off, y: off / off.square().mean().sqrt() / len(y))
    ),
}


def _ends(start: torch.Tensor, passes: list[_Batches], loop: _Loop) -> torch.Tensor:
    """Return weight and bias after such a loop."""
    line, gradient, piled = start, torch.zeros(2), torch.zeros(2)
    for batches in passes:
        ops = [(op, batch) for batch in batches[: loop.batches] for op in loop.each]
        ops = [*((op, batches[0]) for op in loop.first), *ops]
        for op, (X, y) in [*ops, *((op, batches[-1]) for op in loop.last)]:
            if op == "f":
                slope = loop.loss(line[0] * X + line[1] - y, y)
                gradient = torch.stack([(slope * X).sum(), slope.sum()])
            elif op == "z":
                piled = torch.zeros(2)
            elif op == "b":
                piled = piled + gradient
            else:
                line = line - RATE * piled
    return line


def _trained(train_on: object, device: str, loader: DataLoader, epochs: int) -> torch.nn.Module:
    """Let the learner train, from the same random numbers in each call."""
    torch.manual_seed(2)
    model = call("train_on", train_on, torch.device(device), loader, epochs)
    if not isinstance(model, torch.nn.Module):
        raise Wrong(f"`train_on` returns {kind(model)}, expected the model.")
    return model


def _weight_and_bias(model: torch.nn.Module) -> torch.Tensor:
    at = tensor("model(X)", call("model", model, torch.tensor([[0.0], [1.0]])), (2, 1))
    bias, top = flat(at)
    return torch.tensor([top - bias, bias])


def _start(train_on: object) -> torch.Tensor:
    """Return the line before training, also of a function that fails without an epoch."""
    try:
        return _weight_and_bias(_trained(train_on, "cpu", _Watched(), 0))
    except Wrong:
        torch.manual_seed(2)
        return _weight_and_bias(torch.nn.Linear(1, 1))


class _Step(NamedTuple):
    """What an optimizer was about to do."""

    optimizer: Optimizer
    rate: float
    full: bool  # whether it had gradients


def _refuse_optimizers(steps: list[_Step], model: torch.nn.Module, moved: bool) -> None:
    rests = "The line stays where it starts"
    if not steps:
        if not moved:
            raise Wrong(f"{rests}: no optimizer takes a step. Which line moves the parameters?")
        return
    optimizer = steps[0].optimizer
    held = {id(part) for group in optimizer.param_groups for part in group["params"]}
    if not held & {id(part) for part in model.parameters()}:
        raise Wrong(
            f"{rests}: the optimizer moves other parameters than those of the model that you "
            "return. Make it from `model.parameters()`."
        )
    if not any(step.full for step in steps):
        raise Wrong(
            f"{rests}: at each `step` the gradients are empty. `zero_grad` comes before "
            "`backward`, and `step` right after it."
        )
    name, group = type(optimizer).__name__, optimizer.param_groups[0]
    if name != "SGD":
        raise Wrong(f"The exercise asks for SGD, and this is {name}. Its steps are others.")
    for option in ("momentum", "weight_decay"):
        if group[option]:
            raise Wrong(f"Plain SGD is asked for. Here it has `{option}={group[option]:g}`.")
    first, last = steps[0].rate, steps[-1].rate
    if not close(first, last):
        raise Wrong(f"The learning rate changes from {first:g} to {last:g}. It stays at {RATE}.")
    if not close(first, RATE):
        raise Wrong(f"The learning rate is {first:g}, and {RATE} is asked for.")


@contextmanager
def _steps() -> Iterator[list[_Step]]:
    """Note each step of an optimizer, before it is taken."""
    steps = []

    def look(optimizer: Optimizer, *_: object) -> None:
        group = optimizer.param_groups[0]
        gradients = [part.grad for part in group["params"] if part.grad is not None]
        full = any(part.device.type == "meta" or any(flat(part)) for part in gradients)
        steps.append(_Step(optimizer, group["lr"], full))

    handle = register_optimizer_step_pre_hook(look)
    try:
        yield steps
    finally:
        handle.remove()


def _judge_two_epochs(train_on: object) -> None:
    """Hold two epochs of batches of 2, 2 and 1 rows against plain SGD, and name what differs."""
    loader = _Watched()
    with _steps() as steps:
        model = _trained(train_on, "cpu", loader, 2)
    end, passes, start = _weight_and_bias(model), loader.passes, _start(train_on)
    if len(passes) != 2:
        raise Wrong(
            f"For 2 epochs your loops go through the whole loader {len(passes)} times. Each epoch "
            "is one pass over all batches: look at `range`, and for a `break` or a `return`."
        )
    right = _ends(start, passes, _Loop())
    if close(end, right):
        return
    _refuse_optimizers(steps, model, moved=not close(end, start))
    refuse_slips(end, {said: _ends(start, passes, loop) for said, loop in _LOOPS.items()})
    raise Wrong(
        "After 2 epochs of 3 batches weight and bias are "
        f"{end[0]:.4f} and {end[1]:.4f}; plain SGD on the MSE leads to {right[0]:.4f} and "
        f"{right[1]:.4f}. Compare your five lines with those of the notebook, and where they stand."
    )


@exercise(
    "12.2",
    "Train on any device",
    "Two things have to be on `device` before they meet: the model, and each batch.",
    "`X_batch.to(device)` returns the copy on that device; the batch itself stays where it is. And "
    "what has to exist first, the moved model or its optimizer?",
    "`nn.Linear(1, 1).to(device)` is the model whose parameters the optimizer needs. The loop gets "
    "the moved batch.",
)
def any_device(train_on: object) -> str:
    """Train on the CPU, where numbers are seen, and on a device to which all has to be moved."""
    _judge_two_epochs(train_on)
    try:
        with _steps() as steps:
            model = _trained(train_on, "meta", _Watched(), 2)
    except Wrong as wrong:
        raise Wrong(
            f"On the CPU it works. On the device `meta`: {wrong} Are model and batch both on "
            "`device`? And no number can be read there, as `.item()` does."
        ) from None
    if {parameter.device.type for parameter in model.parameters()} != {"meta"}:
        raise Wrong("Asked for another device, it trains where it always does. Use `device`.")
    held = [part for step in steps for part in step.optimizer.param_groups[0]["params"]]
    if any(part.device.type != "meta" for part in held):
        raise Wrong(
            "It trains on the CPU and moves afterwards. Move the model before the first step."
            if steps[0].full
            else "On `meta` the optimizer still holds the parameters from before `.to(device)`, so "
            "its steps move nothing. Make it after."
        )
    return (
        "Model and batch meet on the device that the caller names, so the same loop runs on a "
        "laptop and on a card."
    )


_NAMES = (  # as the wrapper gives them, and the model's own
    ("module.weight", "weight"),
    ("module.submodule.bias", "submodule.bias"),
    ("module.layer.gain", "layer.gain"),
    ("module.module.scale", "module.scale"),
)


@exercise(
    "12.3",
    "Take off the wrapper",
    "Go through names and tensors: `for name, value in state.items()`.",
    "Fill a new dict with the shorter names and return it. What cuts only at the beginning, and "
    "only once?",
    '`name.removeprefix("module.")` does, and leaves alone what does not begin so.',
)
def unwrap(unwrapped: object) -> str:
    """Unwrap names that hold the prefix twice or within, and those of a plain model."""
    wrapped = {name: torch.full((2,), float(k)) for k, (name, _) in enumerate(_NAMES)}
    given = dict(wrapped)
    found = _names_of(unwrapped, given)
    if list(given) != list(wrapped) or any(given[name] is not wrapped[name] for name in wrapped):
        raise Wrong("The friend's dict has changed. Fill a new one and leave that as it is.")
    right = [own for _, own in _NAMES]
    if found.keys() != set(right):
        _refuse_names(found)
        raise Wrong(f"The names are {[*wrapped]}, and yours become {[*found]}.")
    for (name, own), value in zip(_NAMES, wrapped.values(), strict=True):
        kept = found[own]
        if type(kept) is not torch.Tensor or kept.shape != value.shape or not close(kept, value):
            raise Wrong(f"`{own}` holds something else than `{name}` did.")
    plain = {"0.weight": torch.zeros(1), "last.module.bias": torch.ones(1)}
    if _names_of(unwrapped, dict(plain)).keys() != plain.keys():
        raise Wrong(
            f"A model without a wrapper has the names {[*plain]}. They are changed here, and have "
            "to stay: cut only what stands at the beginning."
        )
    return (
        "A line takes these names without `strict=False`, so a name that really differs still "
        "raises an error."
    )


def _names_of(unwrapped: object, state: dict) -> dict:
    found = call("unwrapped", unwrapped, state)
    if not isinstance(found, dict):
        raise Wrong(f"`unwrapped` returns {kind(found)}, expected a dict of names and tensors.")
    return found


def _refuse_names(found: dict) -> None:
    """Say how names were cut that are not the right ones."""
    if found.keys() == {name for name, _ in _NAMES}:
        raise Wrong("All names still begin with `module.`, as in the wrapper's dict.")
    if len(found) < len(_NAMES):
        raise Wrong("Two names became one, so a tensor got lost. Cut less of each name.")
    cuts = {
        "`replace` cuts wherever it finds `module.`, also in the middle of `submodule.`.": (
            lambda name: name.replace("module.", "")
        ),
        "`lstrip` takes away single letters, as long as they are among those given.": (
            lambda name: name.lstrip("module.")
        ),
        "The last part of a name alone is not the model's name for it.": (
            lambda name: name.split(".")[-1]
        ),
        "The dot belongs to the prefix: it is `module.`, seven letters.": (
            lambda name: name.removeprefix("module")
        ),
        "The prefix is cut more than once. A model may have a part called `module`.": (
            lambda name: name.removeprefix("module.").removeprefix("module.")
        ),
    }
    for said, cut in cuts.items():
        if found.keys() == {cut(name) for name, _ in _NAMES}:
            raise Wrong(said)


NETWORK = {
    "overhead": 2e-3, "work": 2.0, "n_bytes": 100e6, "latency": 50e-6, "bandwidth": 1.25e9,
}  # fmt: skip


def step_time(
    n: int, overhead: float, work: float, n_bytes: float, latency: float, bandwidth: float
) -> float:
    """Return the seconds of a step, as the notebook's formula gives them."""
    computing = overhead + work / n
    sending = 2 * (n - 1) * (latency + n_bytes / n / bandwidth)
    return computing + sending - min(sending, computing * 2 / 3)


def faster(name: str, factor: float) -> float:
    """Return how many times as fast 64 processes are, with one number multiplied."""
    job = NETWORK | {name: factor * NETWORK[name]}
    return step_time(1, **job) / step_time(64, **job)


@exercise(
    "12.4",
    "Make sixty-four pay",
    "Where does a step of 64 go? Computing takes 0.03 s, sending 0.16 s.",
    "Either sending gets shorter, or there is more to compute behind which it can hide.",
    "Multiply one number of `network`, compute `step_time` for 1 and for 64, and divide.",
)
def pays(change: object) -> str:
    """Compute what the change does; any number and factor that lead there are right."""
    if type(change) not in (tuple, list) or len(change) != 2 or type(change[0]) is not str:
        raise Wrong(
            f'`change` is {kind(change)}, expected a name and a factor, as in `("overhead", 0.5)`.'
        )
    name, factor = change[0], number("change[1]", change[1])
    if name not in NETWORK:
        raise Wrong(f"{name!r} is none of {', '.join(NETWORK)}.")
    if factor <= 0:
        raise Wrong("The factor has to be above 0: nothing here is free.")
    reached = faster(name, factor)
    if name in ("overhead", "latency") and reached < 32:
        least = faster(name, 1e-12)
        raise Wrong(
            f"Even with no {name} at all, 64 would be {least:.1f} times as fast. What part of "
            "a step is it?"
        )
    if reached < 32:
        turned = faster(name, 1 / factor)
        way = " That is the wrong way: try the other." if turned > reached else ""
        raise Wrong(f"With that, 64 are {reached:.1f} times as fast, and 32 are wanted.{way}")
    if reached > 36:
        raise Wrong(
            f"With that, 64 are even {reached:.1f} times as fast. It may cost less: 36 at most."
        )
    return (
        "And still each of the 64 waits for more than a third of the time. A larger batch, the "
        "change that seems to cost nothing, is another training: fewer steps in an epoch, and "
        "another learning rate."
    )
