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


def train(model, X, y, epochs):
    """Train with SGD on all points; yield the weight after each epoch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(epochs):
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


def a_loader_does(seed):
    readings = Counted(torch.randn(seed + 1, 1))
    return len([*DataLoader(readings)]) == seed + 1 and readings.asked > 0


def the_tensor_ends_the_loop(seed):
    try:
        torch.randn(seed + 1, 1)[seed + 1]
    except IndexError:
        return a_loop_never_asks_for_the_length(seed)
    return False


def table_end_is_one_unseen_species(_seed):
    text = datasets.PENGUINS.read_text(encoding="utf-8").splitlines()
    head, *rows = (row.split(",") for row in text)
    known = [row for row in rows if "NA" not in (row[2], row[5])]
    assert (head[0], head[2], head[5]) == ("species", "bill_length_mm", "body_mass_g")
    shown, asked = known[:273], known[273:]
    unseen = [row for row in asked if row[0] not in {other[0] for other in shown}]
    return len(unseen) == 68 and len(asked) == 69


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


def uncleared(seed, lr):
    """Train a line whose bias keeps its gradients; return how far both are from the best."""
    X, y, model = line(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    path = []
    for _ in range(100):
        model.weight.grad = None
        LOSS(model(X), y).backward()
        optimizer.step()
        path.append([model.weight.item(), model.bias.item()])
    return (torch.tensor(path) - torch.tensor(best(X, y))).T


def the_bias_swings(seed):
    """Past the best bias at least three times in 25 epochs; the weight nearly arrives."""
    weight, bias = uncleared(seed, lr=0.1)
    turns = int((bias[:25].sign().diff() != 0).sum())
    return turns >= 3 and bool(weight[50:].abs().max() < 0.2 * bias[50:].abs().max())


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


def an_optimizer_keeps_its_tensors(seed):
    X, y, model = line(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    held, model = model, nn.Linear(1, 1)
    before = model.weight.item()
    LOSS(model(X), y).backward()
    optimizer.step()
    return optimizer.param_groups[0]["params"][0] is held.weight and model.weight.item() == before


def a_smoothed_loss_is_far_above(seed):
    """After ten batches, with 0.9 of it kept at each, from the loss of the untrained line on."""
    known, unseen = parts(seed)
    torch.manual_seed(seed)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    begin = smooth = loss_on(model, known)
    for X_batch, y_batch in DataLoader(known, batch_size=16, shuffle=True):
        optimizer.zero_grad()
        loss = LOSS(model(X_batch), y_batch)
        loss.backward()
        optimizer.step()
        smooth = 0.9 * smooth + 0.1 * loss.item()
    return smooth > 0.9**10 * begin > 5 * loss_on(model, unseen) and round(0.9**10, 2) == 0.35


def rows_of_a_small_batch_count_more(seed):
    """Raise the loss of one row by 1: how much does the mean of the batch means rise?"""
    losses = torch.rand(150, generator=torch.Generator().manual_seed(seed))

    def mean(values):
        return torch.stack([batch.mean() for batch in values.split(16)]).mean()

    first, last = torch.eye(150)[0], torch.eye(150)[149]
    return bool(mean(losses + last) - mean(losses) > 2 * (mean(losses + first) - mean(losses)))


def foretold(seed, ahead):
    """Return the loss on new rolls of a line from the mean of three, over that of 3.5."""
    rolls = torch.randint(1, 7, (4000,), generator=torch.Generator().manual_seed(seed)).float()
    means = rolls.unfold(0, 3, 1).mean(dim=1, keepdim=True)[: len(rolls) - 2 - ahead]
    y = rolls[2 + ahead :].unsqueeze(1)
    weight, bias = best(means[:2000], y[:2000])
    loss = (y - (weight * means + bias)).square()[2000:].mean()
    return (loss / (y - 3.5).square()[2000:].mean()).item()


def a_third_is_given_away(seed):
    return 0.62 < foretold(seed, ahead=0) < 0.72 and 0.97 < foretold(seed, ahead=1) < 1.03


def to_say_the_middle_costs(seed):
    rolls = torch.randint(1, 7, (20000,), generator=torch.Generator().manual_seed(seed)).float()
    return abs((rolls - 3.5).square().mean().item() - 2.92) < 0.07


def the_bias_learns_alone(seed):
    """With a weight that the optimizer does not hold, the loss falls and the weight stays."""
    X, y, model = line(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.weight = nn.Parameter(5 * torch.randn(1, 1))
    start, before = model.weight.item(), LOSS(model(X), y).item()
    for _ in range(100):
        optimizer.zero_grad()
        LOSS(model(X), y).backward()
        optimizer.step()
    return model.weight.item() == start and LOSS(model(X), y).item() < before


def an_optimizer_clears_what_it_holds(seed):
    X, y, model = line(seed)
    LOSS(model(X), y).backward()
    first = model.bias.grad.clone()
    torch.optim.SGD([model.weight], lr=0.1).zero_grad()
    kept = model.weight.grad is None and torch.equal(model.bias.grad, first)
    model.zero_grad()
    return kept and model.bias.grad is None


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
    """Return what the first three epochs served, and of two runs what came then and their ends.

    Without the whole, the generator is the one thing that is left out.
    """
    known, _ = parts(seed)
    straight, again = begun(known, seed), begun(known, seed)
    first, _ = goes_on(*straight)
    again[0].load_state_dict(straight[0].state_dict())
    again[1].load_state_dict(copy.deepcopy(straight[1].state_dict()))
    if whole:
        again[2].generator.set_state(straight[2].generator.get_state())
    return first, goes_on(*straight), goes_on(*again)


def without_the_generator_it_ends_elsewhere(seed):
    first, (_, end), (came, other) = resumed(seed, whole=False)
    return came == first and end != other and abs(end[0] - other[0]) > 1e-5


def a_whole_checkpoint_ends_exactly_there(seed):
    first, straight, again = resumed(seed, whole=True)
    return straight == again and straight[0] != first


def a_model_moves_and_a_tensor_gives_a_copy(seed):
    X, _, model = line(seed)
    X.to("meta"), model.to("meta")
    return (X.device.type, model.weight.device.type) == ("cpu", "meta")


def meta_refuses_the_cpu(seed):
    X, _, model = line(seed)
    try:
        model.to("meta")(X)
    except RuntimeError:
        return True
    return False


def squeeze_drops_every_axis_of_length_1(seed):
    shape = torch.randint(1, 3, (4,), generator=torch.Generator().manual_seed(seed)).tolist()
    kept = torch.zeros(shape).squeeze().shape
    named = torch.zeros(seed + 1, 1).squeeze(1).shape
    return list(kept) == [n for n in shape if n > 1] and named == (seed + 1,)


def recorded(tensor):
    """Count the operations that hang on a tensor."""
    waiting, count = [tensor.grad_fn], 0
    while waiting:
        if (operation := waiting.pop()) is not None:
            count += 1
            waiting += [before for before, _ in operation.next_functions]
    return count


def a_sum_of_losses_keeps_each(seed):
    X, y, model = line(seed)
    total, counts = 0.0, []
    for rows in torch.arange(200).split(20):
        total = total + LOSS(model(X[rows]), y[rows])
        counts.append(recorded(total))
    with torch.inference_mode():
        loss = LOSS(model(X), y)
    steps = {b - a for a, b in itertools.pairwise(counts)}
    return len(steps) == 1 and min(steps) > 0 and recorded(loss) == 0


def halved_in_every_epoch(seed):
    """In the tenth epoch of ten batches, with a step size of ten, so halved after each ten."""
    _, _, model = line(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5)
    rates = []
    for _ in range(100):
        rates.append(0.01 / optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates[90:] == [512] * 10


def a_chance_is_a_mild_logit(_seed):
    loss = nn.BCEWithLogitsLoss()
    costs = [loss(torch.tensor([c]), torch.tensor([c])).item() for c in (1.0, 0.0)]
    mild = [round(torch.sigmoid(torch.tensor(1.0)).item(), 2), *(round(cost, 2) for cost in costs)]
    return mild == [0.73, 0.31, 0.69]


def squashed_twice_names_stay_right(seed):
    """A sigmoid for two classes, a softmax for three, on other draws of the birds."""
    X, species = datasets.load_species("bill_length_mm", "bill_depth_mm", "body_mass_g")
    X = (X - X.mean(dim=0)) / X.std(dim=0)
    for kinds in (2, 3):
        rows = (species < kinds).nonzero().flatten()
        drawn = torch.randint(len(rows), rows.shape, generator=torch.Generator().manual_seed(seed))
        bill, kind = X[rows[drawn]], species[rows[drawn]]
        torch.manual_seed(seed)
        model = nn.Linear(3, kinds) if kinds > 2 else nn.Linear(3, 1)
        squash, loss_fn, y = nn.Softmax(dim=1), nn.CrossEntropyLoss(), kind
        if kinds == 2:
            squash, loss_fn, y = nn.Sigmoid(), nn.BCEWithLogitsLoss(), kind.float().unsqueeze(1)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        for _ in range(500):
            optimizer.zero_grad()
            loss = loss_fn(squash(model(bill)), y)
            loss.backward()
            optimizer.step()
        said = model(bill).argmax(dim=1) if kinds > 2 else (model(bill) > 0).long().flatten()
        if (said == kind).float().mean() < 0.9 or loss.item() < 0.5:
            return False
    return True


def dropped(seed, dropout, back):
    """Return the loss on 40 rows of a network that trains 100 epochs, and is measured in each."""
    known, unseen = parts(seed)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    X, y = known[:]
    for _ in range(100):
        if back:
            model.train()
        optimizer.zero_grad()
        LOSS(model(X), y).backward()
        optimizer.step()
        model.eval()
    return loss_on(model, unseen)


def nine_in_ten_cost_a_lot(seed):
    none, off, on = (dropped(seed, *how) for how in ((0.0, True), (0.9, False), (0.9, True)))
    return off < 2 * none and on > 5 * none


CLAIMS = [
    Claim(LAB, "A `for` loop never does: it waits", a_loop_never_asks_for_the_length),
    Claim(LAB, "A loader asks for the length", a_loader_does),
    Claim(
        JUDGED,
        "The loop waits for an `IndexError`. The tensor inside raises one by itself",
        the_tensor_ends_the_loop,
    ),
    Claim(
        LAB,
        "`.to` moves a *model* itself. Of a *tensor* it gives you a moved copy",
        a_model_moves_and_a_tensor_gives_a_copy,
    ),
    Claim(LAB, "it refuses to compute with what lies on the CPU", meta_refuses_the_cpu),
    Claim(LAB, "`squeeze()` drops every axis of length 1", squeeze_drops_every_axis_of_length_1),
    Claim(
        LAB,
        "The last rows of the table are Chinstrap penguins, light for their long bills, and not "
        "one of them was in the training part.",
        table_end_is_one_unseen_species,
    ),
    Claim(
        LAB, "The best single answer to all targets is their mean", crossed_shapes_lead_to_the_mean
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
        LAB,
        "My weight nearly arrives at its 2. The bias runs past its 1.5, comes back, and runs past "
        "it again.",
        the_bias_swings,
    ),
    Claim(JUDGED, "Each step now follows the slope at its own place.", comes_closer_each_epoch),
    Claim(
        JUDGED,
        "Gradients add up on purpose, so that several batches can share one step",
        gradients_of_batches_add_up,
    ),
    Claim(
        JUDGED,
        "An optimizer keeps the very tensors it was given.",
        an_optimizer_keeps_its_tensors,
    ),
    Claim(
        LAB,
        "a sum of losses remembers all of them, each with its batch",
        a_sum_of_losses_keeps_each,
    ),
    Claim(
        LAB,
        "it halved the rate in every epoch, and in the tenth the rate was 512 times too small",
        halved_in_every_epoch,
    ),
    Claim(
        LAB,
        "as a logit even the surest chance, 1, means no more than 73 %. So a perfect answer still "
        "cost 0.31 for a Chinstrap and 0.69 for an Adelie.",
        a_chance_is_a_mild_logit,
    ),
    Claim(
        LAB,
        "A softmax before `CrossEntropyLoss` does the same. The names stay right",
        squashed_twice_names_stay_right,
        slow=True,
    ),
    Claim(
        LAB,
        "A smoothed loss mixes the models of many batches, and after the first ten, 35 % of the "
        "untrained line's loss was still in it",
        a_smoothed_loss_is_far_above,
    ),
    Claim(
        JUDGED,
        "The last batch has 6 rows and counts as much as one of 16 rows.",
        rows_of_a_small_batch_count_more,
    ),
    Claim(LAB, "Always saying 3.5 costs about 2.9", to_say_the_middle_costs),
    Claim(
        LAB,
        "each mean held the very roll that it was to foretell, and so a third of its variance was "
        "given away",
        a_third_is_given_away,
    ),
    Claim(
        LAB,
        "The bias had stayed, and made the loss fall by itself.",
        the_bias_learns_alone,
    ),
    Claim(
        LAB,
        "An optimizer clears the gradients of what it holds",
        an_optimizer_clears_what_it_holds,
    ),
    Claim(
        LAB,
        "dropout worked in the first epoch alone. Now 0.9 costs a lot, as it should",
        nine_in_ten_cost_a_lot,
        slow=True,
    ),
    Claim(
        LAB,
        "`eval()` alone leaves the recording on; `inference_mode()` alone leaves the dropout on.",
        two_switches,
    ),
    Claim(LAB, "The minimum of a NumPy array is a NumPy number", numpy_numbers_are_refused),
    Claim(
        LAB,
        "the loader goes on with the order of epoch 3 in place of repeating that of epoch 0",
        without_the_generator_it_ends_elsewhere,
    ),
    Claim(
        JUDGED,
        "Difference exactly 0. A checkpoint is complete if nothing that changes during the run is "
        "left out: weights, optimizer, batch order.",
        a_whole_checkpoint_ends_exactly_there,
    ),
]
