"""What the lab says in general, with data, split and start of each seed."""

import copy
import io
import itertools
import warnings

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

from claims import Claim
from course_utils import datasets

LAB = "notebooks/lab_break_it.ipynb"
ASKED = "course_utils/questions.toml"
JUDGED = "course_utils/checks/bugs.py"
LOSS = nn.MSELoss()


def line(seed):
    """Return points and a model that begins where this seed says."""
    X, y = datasets.make_line(seed=seed)
    torch.manual_seed(seed)
    return X, y, nn.Linear(1, 1)


def parts(seed):
    """Return 160 and 40 points of a line, drawn and split with the seed."""
    whole = TensorDataset(*datasets.make_line(seed=seed))
    return random_split(whole, [160, 40], generator=torch.Generator().manual_seed(seed))


def loss_on(model, rows):
    X, y = rows[:]
    with torch.no_grad():
        return LOSS(model(X), y).item()


def train(model, X, y, epochs, clear=True):
    """Train with SGD on all points; yield the weight after each epoch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(epochs):
        if clear:
            optimizer.zero_grad()
        LOSS(model(X), y).backward()
        optimizer.step()
        yield model.weight.item()


def best(X, y):
    """Return weight and bias of the least squares line."""
    columns = torch.cat([X, torch.ones_like(X)], dim=1)
    return torch.linalg.lstsq(columns, y).solution.flatten().tolist()


class Counted(Dataset):
    """Readings that count who asks for their number; past the end the tensor raises."""

    def __init__(self, X):
        self.X, self.asked = X, 0

    def __len__(self):
        self.asked += 1
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index]


def a_loop_never_asks_for_the_length(seed):
    readings = Counted(torch.randn(seed + 1, 1))
    return sum(1 for _ in readings) == seed + 1 and readings.asked == 0


def the_tensor_ends_the_loop(seed):
    try:
        torch.randn(seed + 1, 1)[seed + 1]
    except IndexError:
        return a_loop_never_asks_for_the_length(seed)
    return False


def penguin_split(seed):
    """Return how far off the best line of a random split is in its test, by its training."""
    X, y = datasets.load_penguins("bill_length_mm")
    rows = torch.randperm(len(X), generator=torch.Generator().manual_seed(seed))
    n = int(0.8 * len(X))
    weight, bias = best(X[rows[:n]], y[rows[:n]])
    off = (y - (weight * X + bias)).square()[rows]
    return (off[n:].mean() / off[:n].mean()).sqrt().item()


def table_end_is_one_unseen_species(_seed):
    text = datasets.PENGUINS.read_text(encoding="utf-8").splitlines()
    head, *rows = (row.split(",") for row in text)
    known = [row for row in rows if "NA" not in (row[2], row[5])]
    assert (head[0], head[2], head[5]) == ("species", "bill_length_mm", "body_mass_g")
    shown, asked = known[:273], known[273:]
    unseen = [row for row in asked if row[0] not in {other[0] for other in shown}]
    return len(unseen) == 68 and len(asked) == 69


def bills_lie_inside(_seed):
    X, _ = datasets.load_penguins("bill_length_mm")
    return bool(X[:273].min() <= X[273:].min() and X[273:].max() <= X[:273].max())


def crossed_shapes_lead_to_the_mean(seed):
    X, y, model = line(seed)
    X, y = X[:40], y[:40].flatten()
    table = model(X) - y
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        (model(X) - y).square().mean().backward()
        optimizer.step()
    flat = abs(model.weight.item()) < 0.05 and abs(model.bias.item() - y.mean().item()) < 0.05
    return table.shape == (40, 40) and flat


def only_the_layer_warns(seed):
    X, y, model = line(seed)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        (model(X) - y.flatten()).square().mean()
        silent = len(told) == 0
        LOSS(model(X), y.flatten())
    return silent and len(told) == 1


def swings_on(seed):
    """Past the best weight and back at least three times, and as far after 400 epochs."""
    X, y, model = line(seed)
    away = torch.tensor(list(train(model, X, y, 400, clear=False))) - best(X, y)[0]
    turns = int((away[:25].sign().diff() != 0).sum())
    return turns >= 3 and bool(away[300:].abs().max() > 0.7 * away[:100].abs().max())


def comes_closer_each_epoch(seed):
    """The weight, until it is there."""
    X, y, model = line(seed)
    away = [abs(weight - best(X, y)[0]) for weight in train(model, X, y, 25)]
    return all(after < before or before < 0.01 for before, after in itertools.pairwise(away))


def gradients_of_batches_add_up(seed):
    X, y, model = line(seed)
    LOSS(model(X), y).backward()
    whole = model.weight.grad.clone()
    model.zero_grad()
    for rows in (slice(0, 50), slice(50, 200)):
        (LOSS(model(X[rows]), y[rows]) * len(X[rows]) / 200).backward()
    return torch.allclose(model.weight.grad, whole, rtol=1e-4, atol=1e-5)


def the_start_does_not_matter(seed):
    X, y, first = line(seed)
    torch.manual_seed(seed + 1000)
    ends = [list(train(model, X, y, 100))[-1] for model in (first, nn.Linear(1, 1))]
    return abs(ends[0] - ends[1]) < 1e-4


def an_optimizer_keeps_its_tensors(seed):
    X, y, model = line(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    held, model = model, nn.Linear(1, 1)
    before = model.weight.item()
    LOSS(model(X), y).backward()
    optimizer.step()
    return optimizer.param_groups[0]["params"][0] is held.weight and model.weight.item() == before


def epochs(seed):
    """Yield the mean over batches, and both losses at the epoch's end, of three epochs."""
    known, unseen = parts(seed)
    torch.manual_seed(seed)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        losses = []
        for X_batch, y_batch in DataLoader(known, batch_size=16, shuffle=True):
            optimizer.zero_grad()
            loss = LOSS(model(X_batch), y_batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        yield sum(losses) / len(losses), loss_on(model, known), loss_on(model, unseen)


def the_mean_over_batches_is_far_above(seed):
    mean, _, unseen = next(epochs(seed))
    return mean > 5 * unseen


def both_losses_are_of_a_size(seed):
    return all(0.5 < known / unseen < 2 for _, known, unseen in epochs(seed))


def either_loss_may_be_larger(seed):
    """Of 20 splits of the same points, at the weights of the best line."""
    X, y = datasets.make_line(seed=seed)
    larger = set()
    for split in range(20):
        rows = torch.randperm(200, generator=torch.Generator().manual_seed(split))
        weight, bias = best(X[rows[:160]], y[rows[:160]])
        square = (y - (weight * X + bias)).square()[rows]
        larger.add(bool(square[:160].mean() > square[160:].mean()))
    return larger == {True, False}


def rows_of_a_small_batch_count_more(seed):
    """Raise the loss of one row by 1: how much does the mean of the batch means rise?"""
    losses = torch.rand(150, generator=torch.Generator().manual_seed(seed))

    def mean(values):
        return torch.stack([batch.mean() for batch in values.split(16)]).mean()

    first, last = torch.eye(150)[0], torch.eye(150)[149]
    return bool(mean(losses + last) - mean(losses) > 2 * (mean(losses + first) - mean(losses)))


def recall(seed):
    """Return the model that learns by heart, what it knows and what it does not."""
    known, unseen = parts(seed)
    X_known, y_known = known[:]
    return lambda X: y_known[(X - X_known.T).abs().argmin(dim=1)], known, unseen


def remembered_noise_counts_twice(seed):
    model, _, unseen = recall(seed)
    return loss_on(model, unseen) > 0.7 * 0.02


def what_it_was_shown_has_loss_0(seed):
    model, known, unseen = recall(seed)
    honest, all_rows = loss_on(model, unseen), loss_on(model, unseen.dataset)
    return loss_on(model, known) == 0 and abs(honest / all_rows - 5) < 1e-3


def the_true_line_repeats_no_noise(seed):
    X, y = datasets.make_line(seed=seed)
    return 0.007 < (y - (2 * X + 1.5)).square().mean().item() < 0.013


def two_switches(seed):
    X, _, _ = line(seed)
    network = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 1))
    with torch.inference_mode():
        random, recorded = not torch.equal(network(X), network(X)), network(X).requires_grad
    network.eval()
    steady = torch.equal(network(X), network(X))
    return random and not recorded and steady and network(X).requires_grad


def saved(value):
    buffer = io.BytesIO()
    torch.save({"best_loss": value}, buffer)
    return io.BytesIO(buffer.getvalue())


def numpy_numbers_are_refused(seed):
    losses = np.random.default_rng(seed).random(3)
    kinds = np.float32, np.float64, np.int64, np.bool_
    values = [losses.min(), *(kind(losses[0]) for kind in kinds)]
    for value in values:
        try:
            torch.load(saved(value), weights_only=True)
            return False
        except Exception as error:
            if "Weights only load failed" not in str(error):
                return False
    plain = torch.load(saved(float(losses.min())), weights_only=True)["best_loss"]
    return isinstance(losses.min(), np.generic) and plain == losses.min()


def begun(known, seed):
    torch.manual_seed(seed)
    model = nn.Linear(1, 1)
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(known, batch_size=16, shuffle=True, generator=generator)
    return model, torch.optim.Adam(model.parameters(), lr=0.1), loader


def goes_on(model, optimizer, loader, epochs=3):
    """Train, and return all targets in the order they came, and the weights at the end."""
    came = []
    for _ in range(epochs):
        for X_batch, y_batch in loader:
            optimizer.zero_grad()
            loss = LOSS(model(X_batch), y_batch)
            loss.backward()
            optimizer.step()
            came += y_batch.flatten().tolist()
    return came, [model.weight.item(), model.bias.item()]


def resumed(seed, whole):
    """Return what the first three epochs served, and of two runs what came then and their ends."""
    known, _ = parts(seed)
    straight, again = begun(known, seed), begun(known, seed)
    first, _ = goes_on(*straight)
    again[0].load_state_dict(straight[0].state_dict())
    if whole:
        again[1].load_state_dict(copy.deepcopy(straight[1].state_dict()))
        again[2].generator.set_state(straight[2].generator.get_state())
    return first, goes_on(*straight), goes_on(*again)


def weights_alone_end_elsewhere(seed):
    first, (_, end), (came, other) = resumed(seed, whole=False)
    return came == first and end != other and abs(end[0] - other[0]) > 1e-4


def a_whole_checkpoint_ends_exactly_there(seed):
    first, straight, again = resumed(seed, whole=True)
    return straight == again and straight[0] != first


def a_subset_shows_its_dataset(seed):
    """What `.dataset` holds are all rows, and `[:]` gives those of the part."""
    _, unseen = parts(seed)
    X, _ = unseen[:]
    whole, _ = unseen.dataset.tensors
    return (len(X), len(whole)) == (40, 200) and torch.equal(X, whole[unseen.indices])


CLAIMS = [
    Claim(
        ASKED, "A `for` loop over a dataset never calls `len`.", a_loop_never_asks_for_the_length
    ),
    Claim(
        JUDGED,
        "The loop waits for an `IndexError`. The tensor inside raises one by itself",
        the_tensor_ends_the_loop,
    ),
    Claim(
        ASKED,
        "68 of the 69 test penguins are of one that the line has never seen",
        table_end_is_one_unseen_species,
    ),
    Claim(
        ASKED,
        "That is to be expected if both parts hold a similar mixture of penguins.",
        lambda seed: 0.8 < penguin_split(seed) < 1.3,
    ),
    Claim(LAB, "Their bills are no longer than those the line had seen", bills_lie_inside),
    Claim(
        LAB, "the best single answer to all targets is their mean", crossed_shapes_lead_to_the_mean
    ),
    Claim(
        ASKED,
        "A column minus a row is a table of all differences. The mean of their squares is a number "
        "like any other, and no error is raised.",
        crossed_shapes_lead_to_the_mean,
    ),
    Claim(
        JUDGED,
        "The line is flat at the mean target: each prediction still meets all targets.",
        crossed_shapes_lead_to_the_mean,
    ),
    Claim(
        JUDGED,
        "`nn.MSELoss` at least warns when shapes differ; a loss written by hand broadcasts without "
        "a word.",
        only_the_layer_warns,
    ),
    Claim(
        ASKED,
        "Old gradients are added to new ones, so the weight is pushed on when it should turn.",
        swings_on,
    ),
    Claim(LAB, "Something keeps pushing after the line has passed the points.", swings_on),
    Claim(
        ASKED,
        "That is what all five lines of a training loop do.",
        comes_closer_each_epoch,
    ),
    Claim(
        JUDGED,
        "Gradients add up on purpose, so that several batches can share one step",
        gradients_of_batches_add_up,
    ),
    Claim(LAB, "for a line the start does not matter", the_start_does_not_matter),
    Claim(
        JUDGED,
        "An optimizer keeps the very tensors it was given.",
        an_optimizer_keeps_its_tensors,
    ),
    Claim(
        ASKED,
        "Its first batches were measured before the model had learned much",
        the_mean_over_batches_is_far_above,
    ),
    Claim(
        ASKED,
        "Measured at the same weights, either of them may be the larger one.",
        either_loss_may_be_larger,
    ),
    Claim(
        ASKED,
        "Measured at the same weights, they would be of a similar size.",
        both_losses_are_of_a_size,
    ),
    Claim(
        LAB,
        "Where the last batch is smaller than the others, such a mean also counts its rows too "
        "heavily.",
        rows_of_a_small_batch_count_more,
    ),
    Claim(
        JUDGED,
        "A smaller last batch counts as much as a full one, so its rows count more.",
        rows_of_a_small_batch_count_more,
    ),
    Claim(
        LAB,
        "on new points expect a loss of about 0.02, or more where no known point is close",
        remembered_noise_counts_twice,
    ),
    Claim(
        JUDGED,
        "A model that only remembers has loss 0 on what it was shown. Every such row in the test "
        "makes the result look better than the model is.",
        what_it_was_shown_has_loss_0,
    ),
    Claim(
        ASKED,
        "That is the loss of the true line, which repeats no noise.",
        the_true_line_repeats_no_noise,
    ),
    Claim(JUDGED, "`subset.dataset` is the whole dataset", a_subset_shows_its_dataset),
    Claim(
        LAB,
        "`eval()` alone leaves the recording on; `inference_mode()` alone leaves the dropout on.",
        two_switches,
    ),
    Claim(
        ASKED,
        "Loading with `weights_only=True` lets no NumPy number in.",
        numpy_numbers_are_refused,
    ),
    Claim(LAB, "The minimum of a NumPy array is a NumPy number", numpy_numbers_are_refused),
    Claim(
        ASKED,
        "Adam begins without its running means, and the loader repeats the batch order of epoch 0.",
        weights_alone_end_elsewhere,
    ),
    Claim(
        JUDGED,
        "Difference exactly 0. A checkpoint is complete if nothing that changes during the run is "
        "left out: weights, optimizer, batch order.",
        a_whole_checkpoint_ends_exactly_there,
    ),
]
