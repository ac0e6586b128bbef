"""What notebook 07 and its texts say in general."""

import copy
import io
import random
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from claims import ROOT, Claim
from course_utils import datasets
from course_utils.checks.judging import Hostile, ran

sys.path.append(str(ROOT / "classroom" / "soak"))
from taught import taught

NOTEBOOK = "notebooks/07_saving.ipynb"
GLOSSARY = "notebooks/glossary.md"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/saving.py"
LESSON = taught()
ADAM, GENERATOR = "optimizer", "generator"  # what a checkpoint holds beside the weights


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


def line_bytes(seed):
    torch.manual_seed(seed)
    line = nn.Linear(1, 1)
    data = LESSON.to_bytes(line.state_dict())
    return line, data, data.index(line.weight.detach().numpy().tobytes())


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


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
    history = LESSON.History()
    data = LESSON.to_bytes(LESSON.checkpoint(*stopped, history))
    saved = torch.load(io.BytesIO(data), weights_only=True)
    other[0].load_state_dict(saved["model"])
    if ADAM in kept:
        other[1].load_state_dict(saved["optimizer"])
    if GENERATOR in kept:
        other[2].generator.set_state(saved["generator"])
    train(other, 3 - stop)
    pairs = zip(straight[0].parameters(), other[0].parameters(), strict=True)
    return max((a - b).abs().max().item() for a, b in pairs)


def checkpoints_resume_exactly(seed):
    return resumed(seed, 1 + seed % 2, ADAM, GENERATOR) == 0


def weights_alone_do_not(seed):
    stop = 1 + seed % 2
    return 0 < resumed(seed, stop) < 0.5 and resumed(seed, stop, ADAM) > 0


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


def optimizers_change_what_they_load(seed):
    model = network(seed)
    optimizer = torch.optim.Adam(model.parameters())

    def step(optimizer):
        model(torch.randn(8, 1)).square().mean().backward()
        optimizer.step()

    step(optimizer)
    saved = loads(LESSON.to_bytes(optimizer.state_dict()), weights_only=True)
    before = copy.deepcopy(saved["state"][0]["exp_avg"])
    other = torch.optim.Adam(model.parameters())
    other.load_state_dict(saved)
    step(other)
    return not torch.equal(saved["state"][0]["exp_avg"], before)


def a_state_dict_shares_memory(seed):
    model = network(seed)
    state = model.state_dict()
    with torch.no_grad():
        model[0].weight.add_(1)
    return torch.equal(state["0.weight"], model[0].weight)


def a_state_dict_holds_buffers(seed):
    parameters = {name for name, _ in network(seed).named_parameters()}
    return "2.running_mean" in network(seed).state_dict().keys() - parameters


def half_a_file_is_an_error(seed):
    _, data, _ = line_bytes(seed)
    return loads(data[: random.Random(seed).randrange(1, len(data) - 1)], weights_only=True) is None


def checksums_are_not_verified(seed):
    line, data, at = line_bytes(seed)
    changed = loads(flipped(data, at + 3), weights_only=True)
    return changed is not None and not torch.equal(changed["weight"], line.weight)


def a_digest_notices_each_bit(seed):
    _, data, _ = line_bytes(seed)
    sealed, draw = LESSON.seal(data), random.Random(seed)
    places = draw.sample(range(len(sealed)), 200)
    return LESSON.is_whole(sealed) and not any(
        LESSON.is_whole(flipped(sealed, place)) for place in places
    )


def a_sealed_file_still_loads(seed):
    line, data, _ = line_bytes(seed)
    return torch.equal(loads(LESSON.seal(data), weights_only=True)["weight"], line.weight)


def nothing_is_compressed(seed):
    model = network(seed)
    for value in (model.state_dict(), torch.zeros(1000 * (seed + 1))):
        with zipfile.ZipFile(io.BytesIO(LESSON.to_bytes(value))) as archive:
            if any(member.compress_type for member in archive.infolist()):
                return False
    return True


def older_formats_hide_from_zipfile(seed):
    """An old file in front of an archive: PyTorch loads the first, zipfile lists the second."""
    buffer = io.BytesIO()
    torch.save({"seed": seed}, buffer, _use_new_zipfile_serialization=False)
    both = buffer.getvalue() + LESSON.to_bytes({"seed": -1})
    return loads(both, weights_only=True) == {"seed": seed} and zipfile.is_zipfile(io.BytesIO(both))


def damage_is_one_kind_of_error(seed):
    _, data, _ = line_bytes(seed)
    sealed, draw = LESSON.seal(data), random.Random(seed)
    at = draw.randrange(len(sealed))
    damaged = [sealed[:at], sealed[at:] + sealed[:at], draw.randbytes(at), b""]
    damaged += [LESSON.seal(content) for content in damaged]
    with tempfile.TemporaryDirectory() as folder:
        for content in damaged[:-1] if at == 0 else damaged:
            path = Path(folder) / "run.pth"
            path.write_bytes(content)
            try:
                LESSON.load_safely(path)
                return False
            except ValueError as error:
                if not str(error).startswith("run.pth is refused, use an older copy"):
                    return False
        try:
            LESSON.load_safely(Path(folder) / "none.pth")
        except FileNotFoundError:
            return True
    return False


def wrong_numbers_pass_under_a_right_seal(seed):
    line, data, at = line_bytes(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.pth"
        path.write_bytes(LESSON.seal(flipped(data, at)))
        return not torch.equal(LESSON.load_safely(path)["weight"], line.weight)


def saving_to_a_path_empties_it_first(seed):
    _, data, _ = line_bytes(seed)
    unsavable = {"seed": seed, "function": lambda: 1}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.pth"
        path.write_bytes(data)
        try:
            torch.save(unsavable, path)
        except Exception:
            return loads(path.read_bytes(), weights_only=True) is None
    return False


def unsavable_objects_fail_in_memory(seed):
    try:
        LESSON.to_bytes({"seed": seed, "function": lambda: 1})
    except Exception:
        return True
    return False


def the_last_weights_are_not_the_best(seed):
    X, y = datasets.make_curve(60, seed=seed)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    val_losses = []
    for _ in range(600):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(X[:20]), y[:20]).backward()
        optimizer.step()
        with torch.inference_mode():
            val_losses.append((y[20:] - model(X[20:])).square().mean().item())
    return min(val_losses) < val_losses[-1]


CLAIMS = [
    Claim(NOTEBOOK, "all 200 predictions are equal to the last bit", predictions_are_equal),
    Claim(NOTEBOOK, "Since PyTorch 2.6 it is the default", the_default_runs_nothing),
    Claim(GLOSSARY, "the default since PyTorch 2.6, refuses that", the_default_runs_nothing),
    Claim(
        NOTEBOOK,
        "little more than tensors, numbers, text, lists and dicts is let in",
        plain_values_are_let_in,
    ),
    Claim(
        NOTEBOOK,
        "A whole model saved by `torch.save(model)` is refused for the same reason.",
        whole_models_are_refused,
    ),
    Claim(NOTEBOOK, "the safe load refuses the file", numpy_numbers_are_refused),
    Claim(
        NOTEBOOK,
        "holds everything that changes while a run goes on",
        checkpoints_resume_exactly,
    ),
    Claim(QUESTIONS, "The means that Adam keeps and the state", weights_alone_do_not),
    Claim(
        NOTEBOOK,
        "A model with [dropout](glossary.md#dropout) draws from PyTorch's global generator as well",
        dropout_needs_the_global_generator,
    ),
    Claim(
        NOTEBOOK,
        "An optimizer keeps the loaded tensors and changes them in place",
        optimizers_change_what_they_load,
    ),
    Claim(
        NOTEBOOK,
        "A `state_dict` is not a copy. It shares its memory with the model",
        a_state_dict_shares_memory,
    ),
    Claim(CHECKS, "The parameters are not all that a model keeps.", a_state_dict_holds_buffers),
    Claim(NOTEBOOK, "raises an error when it is loaded", half_a_file_is_an_error),
    Claim(
        NOTEBOOK,
        "`torch.load` does not verify the checksums in the file",
        checksums_are_not_verified,
    ),
    Claim(NOTEBOOK, "One bit in any byte, and it is noticed.", a_digest_notices_each_bit),
    Claim(
        NOTEBOOK, "A digest shows every accidental change of the file.", a_digest_notices_each_bit
    ),
    Claim(NOTEBOOK, "which `torch.load` still reads", a_sealed_file_still_loads),
    Claim(NOTEBOOK, "`torch.save` compresses nothing", nothing_is_compressed),
    Claim(
        NOTEBOOK,
        "without them `torch.load` takes the file for an older format",
        older_formats_hide_from_zipfile,
    ),
    Claim(NOTEBOOK, "turns them all into one `ValueError`", damage_is_one_kind_of_error),
    Claim(
        NOTEBOOK,
        "Wrong numbers under a right seal pass every check",
        wrong_numbers_pass_under_a_right_seal,
    ),
    Claim(
        NOTEBOOK,
        "empties the old file before it writes the new one",
        saving_to_a_path_empties_it_first,
    ),
    Claim(
        NOTEBOOK,
        "an object that cannot be saved fails here, before any file is touched",
        unsavable_objects_fail_in_memory,
    ),
    Claim(
        NOTEBOOK,
        "Training does not always end at its best.",
        the_last_weights_are_not_the_best,
        at_least=17,
        slow=True,
    ),
]
