"""What notebook 08 and its texts say in general."""

import contextlib
import copy
import io
import json
import os
import pickle
import random
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from claims import ROOT, Claim
from course_utils import datasets
from course_utils.checks.judging import Hostile, ran

sys.path.append(str(ROOT / "classroom" / "soak"))
from taught import taught

NOTEBOOK = "notebooks/08_saving.ipynb"
GLOSSARY = "notebooks/glossary.md"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/saving.py"
LESSON = taught()
ADAM, GENERATOR = "optimizer", "order"  # what a checkpoint holds beside the weights


def network(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(1, 5), nn.Dropout(0.3), nn.BatchNorm1d(5), nn.Linear(5, 1))


def loads(data, **options):
    """Return the loaded value, or None where loading raises an error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(io.BytesIO(data), **options)
    except Exception:
        return None


def predictions_are_equal(seed):
    model, other, X = network(seed).eval(), network(seed + 100).eval(), torch.randn(50, 1)
    differed = not torch.equal(model(X), other(X))
    other.load_state_dict(loads(LESSON.to_bytes(model.state_dict()), weights_only=True))
    return differed and torch.equal(model(X), other(X))


def the_default_runs_nothing(seed):
    data = LESSON.to_bytes({"weight": Hostile(), "seed": seed})
    ran.clear()
    refused = loads(data) is None and not ran
    loads(data, weights_only=False)
    return refused and bool(ran)


def whole_models_are_refused(seed):
    return loads(LESSON.to_bytes(network(seed)), weights_only=True) is None


def plain_values_are_let_in(seed):
    draw = random.Random(seed)
    value = {"text": str(seed), "list": [draw.random(), None, True], "tensor": torch.ones(seed)}
    return loads(LESSON.to_bytes(value), weights_only=True)["list"] == value["list"]


def numpy_numbers_are_refused(seed):
    number = np.array([random.Random(seed).random()]).min()
    plain = loads(LESSON.to_bytes({"best": float(number)}), weights_only=True)
    return loads(LESSON.to_bytes({"best": number}), weights_only=True) is None and bool(plain)


def resumed(seed, stop, *kept):
    """Return the largest difference of a run resumed after `stop` epochs to one of 3 in one go."""
    X, y = datasets.make_line(24, seed=seed)

    def start():
        torch.manual_seed(seed)
        model = nn.Linear(1, 1)
        loader = DataLoader(
            TensorDataset(X, y), 8, shuffle=True, generator=torch.Generator().manual_seed(seed)
        )
        return model, torch.optim.Adam(model.parameters(), lr=0.05), loader

    def train(run, epochs):
        model, optimizer, loader = run
        for _ in range(epochs):
            for X_batch, y_batch in loader:
                optimizer.zero_grad()
                nn.functional.mse_loss(model(X_batch), y_batch).backward()
                optimizer.step()

    straight, stopped, other = start(), start(), start()
    train(straight, 3)
    train(stopped, stop)
    parts = zip(("model", "optimizer", "loader"), stopped, strict=True)
    run = dict(parts) | {"order": stopped[2].generator, "losses": []}
    saved = torch.load(io.BytesIO(LESSON.to_bytes(LESSON.checkpoint(run))), weights_only=True)
    other[0].load_state_dict(saved["model"])
    if ADAM in kept:
        other[1].load_state_dict(saved["optimizer"])
    if GENERATOR in kept:
        other[2].generator.set_state(saved["order"])
    train(other, 3 - stop)
    pairs = zip(straight[0].parameters(), other[0].parameters(), strict=True)
    return max((a - b).abs().max().item() for a, b in pairs)


def checkpoints_resume_exactly(seed):
    return resumed(seed, 1 + seed % 2, ADAM, GENERATOR) == 0


def weights_alone_do_not(seed):
    stop = 1 + seed % 2
    return 0 < resumed(seed, stop) < 0.5 and resumed(seed, stop, ADAM) > 0


def weights_alone_leave_the_minimum(seed):
    """Tell whether the loss rises with a fresh Adam, and not in the straight run."""
    X, y = datasets.make_line(200, seed=seed)
    loss_fn = nn.functional.mse_loss

    def start():
        torch.manual_seed(seed)
        model = nn.Linear(1, 1)
        order = torch.Generator().manual_seed(seed)
        loader = DataLoader(TensorDataset(X, y), 16, shuffle=True, generator=order)
        return model, torch.optim.Adam(model.parameters(), lr=0.05), loader

    def trained(run):
        model, optimizer, loader = run
        losses = []
        for _ in range(10):
            for X_batch, y_batch in loader:
                optimizer.zero_grad()
                loss_fn(model(X_batch), y_batch).backward()
                optimizer.step()
            losses.append(loss_fn(model(X), y).item())
        return losses

    straight, other = start(), start()
    first = trained(straight)[0]
    at_the_stop = loss_fn(straight[0](X), y).item()
    other[0].load_state_dict(straight[0].state_dict())
    return first > max(trained(other)) > 1.05 * at_the_stop > max(trained(straight))


def a_fresh_adam_steps_as_far_as_the_rate(seed):
    """Its first step, however small the gradient is."""
    generator = torch.Generator().manual_seed(seed)
    value = torch.randn(1, generator=generator, requires_grad=True)
    gradient = 10 ** (-4 * torch.rand(1, generator=generator))
    before, value.grad = value.item(), gradient
    torch.optim.Adam([value], lr=0.05).step()
    return abs(before - value.item() - 0.05) < 1e-5


def it_is_the_squares_that_were_lost(seed):
    """Of Adam's means, those of the squares keep the steps short near the minimum.

    Without them, or with a new Adam, the steps of the ten epochs after the stop are five times as
    long and more; without the means of the gradients they are as long as ever.
    """
    X, y = datasets.make_line(200, seed=seed)
    torch.manual_seed(seed)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    order = torch.Generator().manual_seed(seed)
    loader = DataLoader(TensorDataset(X, y), 16, shuffle=True, generator=order)

    def steps(model, optimizer):
        lengths = []
        for X_batch, y_batch in (batch for _ in range(10) for batch in loader):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(X_batch), y_batch).backward()
            before = model.weight.item()
            optimizer.step()
            lengths.append(abs(model.weight.item() - before))
        return sum(lengths[13:]) / len(lengths[13:])  # beyond the first epoch

    steps(model, optimizer)
    found, state = {}, order.get_state()
    for lost in ("nothing", "exp_avg", "exp_avg_sq", "all"):
        order.set_state(state)
        other = copy.deepcopy(model)
        adam = torch.optim.Adam(other.parameters(), lr=0.05)
        if lost != "all":
            adam.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        for kept in adam.state.values():
            if lost in kept:
                kept[lost].zero_()
            if lost == "exp_avg_sq":
                kept["step"].zero_()
        found[lost] = steps(other, adam) / found.get("nothing", 1)
    return 0.8 < found["exp_avg"] < 1.25 and min(found["exp_avg_sq"], found["all"]) > 5


def dropout_needs_the_global_generator(seed):
    X = torch.ones(30, 1)
    model = network(seed)
    model(X)
    state = torch.get_rng_state()
    straight = model(X)
    torch.manual_seed(seed)
    other = model(X)
    torch.set_rng_state(state)
    return torch.equal(model(X), straight) and not torch.equal(other, straight)


def a_state_dict_shares_memory(seed):
    model = network(seed)
    state = model.state_dict()
    with torch.no_grad():
        model[0].weight.add_(1)
    return torch.equal(state["0.weight"], model[0].weight)


def a_state_dict_holds_buffers(seed):
    parameters = {name for name, _ in network(seed).named_parameters()}
    return "2.running_mean" in network(seed).state_dict().keys() - parameters


def saving_to_a_path_empties_it_first(seed):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.pth"
        torch.save(network(seed).state_dict(), path)
        try:
            torch.save({"seed": seed, "function": lambda: 1}, path)
        except Exception:
            return loads(path.read_bytes()) is None
    return False


def a_file_is_exchanged_in_one_step(seed):
    """Whoever has the old file open goes on to read the old one; on disk there is the new one."""
    old, new = LESSON.to_bytes({"seed": -1}), LESSON.to_bytes({"seed": seed})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.pth"
        (Path(folder) / "run.pth.tmp").write_bytes(b"left behind by a kill" * 1000)
        path.write_bytes(old)
        if os.name == "nt":  # where the open file is an error instead, and the old one stays
            with open(path, "rb"), contextlib.suppress(PermissionError):
                LESSON.write_safely(new, path)
                return False
            return path.read_bytes() == old
        with open(path, "rb") as file:
            LESSON.write_safely(new, path)
            both = file.read() == old and path.read_bytes() == new
        return both and [item.name for item in Path(folder).iterdir()] == ["run.pth"]


def unsavable_objects_fail_in_memory(seed):
    try:
        LESSON.to_bytes({"seed": seed, "function": lambda: 1})
    except Exception:
        return True
    return False


def penguin_line(seed, split=242):
    """Return a trained line, center and spread of its rows, and all birds."""
    flipper, mass = datasets.load_penguins()
    rows = torch.randperm(len(flipper), generator=torch.Generator().manual_seed(seed))[:split]
    center, spread = flipper[rows].mean(dim=0), flipper[rows].std(dim=0)
    torch.manual_seed(seed)
    line = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(line.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        y_pred = line((flipper[rows] - center) / spread)
        nn.functional.mse_loss(y_pred, mass[rows]).backward()
        optimizer.step()
    return line, center, spread


def two_in_three_are_missed_by_less(seed):
    flipper, mass = datasets.load_penguins()
    line, center, spread = penguin_line(seed)
    rows = torch.randperm(len(flipper), generator=torch.Generator().manual_seed(seed))[242:]
    misses = (mass[rows] - line((flipper[rows] - center) / spread)).abs()
    return 0.58 < (misses < misses.square().mean().sqrt()).float().mean() < 0.76


def raw_millimeters_weigh_too_much(seed):
    line, center, spread = penguin_line(seed)
    bird = torch.tensor([[210.0]])
    return line(bird).item() > 100_000 and 4000 < line((bird - center) / spread).item() < 5000


def safetensors_hold_tensors_and_text_alone(seed):
    tensors = {name: value.contiguous() for name, value in network(seed).state_dict().items()}
    data = safetensors.torch.save(tensors, metadata={"columns": str(seed)})
    back = safetensors.torch.load(data)
    for other in ({"best": 0.25}, {"losses": [0.5]}, {"model": tensors}, {"weight": Hostile()}):
        try:
            safetensors.torch.save(other)
            return False
        except Exception:
            continue
    try:
        safetensors.torch.save(tensors, metadata={"best": seed})
        return False
    except Exception:
        return all(torch.equal(back[name], tensors[name]) for name in tensors)


def the_table_of_contents_is_plain_text(seed):
    tensors = {name: value.contiguous() for name, value in network(seed).state_dict().items()}
    data = safetensors.torch.save(tensors)
    length = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + length])
    ends = max(entry["data_offsets"][1] for entry in table.values())
    return table.keys() == tensors.keys() and len(data) == 8 + length + ends


def opening_safetensors_runs_nothing(seed):
    ran.clear()
    for data in (LESSON.to_bytes({"weight": Hostile(), "seed": seed}), pickle.dumps(Hostile())):
        try:
            safetensors.torch.load(data)
            return False
        except safetensors.SafetensorError:
            continue
    return not ran


def a_large_rate_does_not_end_at_its_best(seed):
    flipper, mass = datasets.load_penguins()
    rows = torch.randperm(len(flipper), generator=torch.Generator().manual_seed(seed))
    train, val = rows[:242], rows[242:]
    X = (flipper - flipper[train].mean()) / flipper[train].std()
    torch.manual_seed(seed)
    line = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(line.parameters(), lr=0.3)
    order = torch.Generator().manual_seed(seed)
    loader = DataLoader(
        TensorDataset(X[train], mass[train]), batch_size=16, shuffle=True, generator=order
    )
    misses = []
    for _ in range(30):
        for X_batch, y_batch in loader:
            optimizer.zero_grad()
            nn.functional.mse_loss(line(X_batch), y_batch).backward()
            optimizer.step()
        with torch.inference_mode():
            misses.append(nn.functional.mse_loss(line(X[val]), mass[val]).sqrt().item())
    late = misses[10:]
    return max(late) - min(late) > 10 and misses[-1] > min(misses)


def lost(every, cost, between, seed):
    """Simulate how much a run loses for each minute that it trains."""
    draw, trained, wasted = random.Random(seed), 0.0, 0.0
    while trained < 400 * between:
        alive = draw.expovariate(1 / between)
        saves = int(alive // (every + cost))
        trained += saves * every
        wasted += saves * cost + alive - saves * (every + cost)
    return wasted / trained


def half_or_twice_costs_a_quarter_more(seed):
    best = (2 * 1 * 6000) ** 0.5
    low = lost(best, 1, 6000, seed)
    return all(1.05 < lost(times * best, 1, 6000, seed) / low < 1.5 for times in (0.5, 2))


CLAIMS = [
    Claim(NOTEBOOK, "Equal to the last bit, on every row.", predictions_are_equal),
    Claim(QUESTIONS, "Nothing in the file says that flippers", raw_millimeters_weigh_too_much),
    Claim(NOTEBOOK, "fed it millimeters", raw_millimeters_weigh_too_much),
    Claim(
        NOTEBOOK,
        "Since PyTorch 2.6, `weights_only=True` is the default of `torch.load`",
        the_default_runs_nothing,
    ),
    Claim(GLOSSARY, "is its default since PyTorch 2.6", the_default_runs_nothing),
    Claim(
        NOTEBOOK,
        "little more than tensors, numbers, text, lists and dicts gets in",
        plain_values_are_let_in,
    ),
    Claim(
        NOTEBOOK,
        "A whole model, saved by `torch.save(model, path)`, is refused because it names its class.",
        whole_models_are_refused,
    ),
    Claim(
        NOTEBOOK,
        "`min` of a NumPy array returns a NumPy number. It looks like any other",
        numpy_numbers_are_refused,
    ),
    Claim(
        NOTEBOOK,
        "only tensors and text fit: no plain number, no list of losses, no dict in a dict",
        safetensors_hold_tensors_and_text_alone,
    ),
    Claim(NOTEBOOK, "the table is plain text", the_table_of_contents_is_plain_text),
    Claim(NOTEBOOK, "has no place for code", opening_safetensors_runs_nothing),
    Claim(GLOSSARY, "so opening it runs nothing", opening_safetensors_runs_nothing),
    Claim(
        NOTEBOOK,
        "is a file with everything that changes while a run goes on",
        checkpoints_resume_exactly,
    ),
    Claim(
        GLOSSARY,
        "ends where a straight run of 20 ends, to the last bit",
        checkpoints_resume_exactly,
    ),
    Claim(QUESTIONS, "The means that Adam keeps and the state", weights_alone_do_not),
    Claim(QUESTIONS, "It rises, but not as high", weights_alone_leave_the_minimum, 19, slow=True),
    Claim(
        NOTEBOOK,
        "its first step is as long as the rate",
        a_fresh_adam_steps_as_far_as_the_rate,
    ),
    Claim(
        NOTEBOOK, "those after it stay far too long", it_is_the_squares_that_were_lost, slow=True
    ),
    Claim(
        QUESTIONS, "a fresh Adam takes longer steps", it_is_the_squares_that_were_lost, slow=True
    ),
    Claim(NOTEBOOK, "about two birds in three are missed by less", two_in_three_are_missed_by_less),
    Claim(
        NOTEBOOK,
        "A model with [dropout](glossary.md#dropout) draws from PyTorch's global generator",
        dropout_needs_the_global_generator,
    ),
    Claim(
        NOTEBOOK,
        "empties the old file before it writes the new one",
        saving_to_a_path_empties_it_first,
    ),
    Claim(
        NOTEBOOK,
        "What cannot be saved fails in `to_bytes`, before any file is touched.",
        unsavable_objects_fail_in_memory,
    ),
    Claim(NOTEBOOK, "which the next save overwrites", a_file_is_exchanged_in_one_step),
    Claim(
        NOTEBOOK,
        "Such a run never settles, so its end is a matter of luck.",
        a_large_rate_does_not_end_at_its_best,
        at_least=17,
        slow=True,
    ),
    Claim(
        NOTEBOOK,
        "`state_dict()` hands out the model's own tensors",
        a_state_dict_shares_memory,
    ),
    Claim(GLOSSARY, "every later step changed it too", a_state_dict_shares_memory),
    Claim(CHECKS, "The parameters are not all that a model keeps.", a_state_dict_holds_buffers),
    Claim(
        CHECKS,
        "half or twice that interval loses a quarter more",
        half_or_twice_costs_a_quarter_more,
    ),
]
