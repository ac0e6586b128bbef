"""What notebook 11, its questions and its hints say in general about tables, leaks and scores."""

import functools

import pandas as pd
import torch
from torch import nn

from claims import ROOT, Claim

LESSON = "notebooks/11_real_data.ipynb"
QUESTIONS = "course_utils/questions.toml"
loss_fn = nn.MSELoss()


@functools.cache
def penguins():
    """Return the six features and the masses, as the notebook makes them."""
    rows = pd.read_csv(ROOT / "notebooks/data/penguins.csv").dropna()
    words = pd.get_dummies(rows[["species", "sex"]], drop_first=True, dtype=float)
    measures = rows[["bill_length_mm", "bill_depth_mm", "flipper_length_mm"]]
    features = pd.concat([measures, words], axis=1)
    return torch.tensor(features.to_numpy()), torch.tensor(rows[["body_mass_g"]].to_numpy())


def split(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(333, generator=generator).split([199, 67, 67])


def with_ones(X):
    return torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)


def ols(X, y, X_new):
    return with_ones(X_new) @ torch.linalg.lstsq(with_ones(X), y).solution


def rmse(y_pred, y):
    return (y_pred - y).square().mean().sqrt().item()


def scaled(seed):
    """Return flipper and words, and masses, scaled by the training rows; the rows of the parts."""
    (X, y), parts = penguins(), split(seed)
    X, known = X[:, 2:], parts[0]
    X = (X - X[known].mean(dim=0)) / X[known].std(dim=0)
    return X, (y - y[known].mean()) / y[known].std(), parts


@functools.cache
def chosen_noise(seed):
    """Return what OLS misses on ten chosen columns: chosen on all rows, on training rows."""
    (_, y), (train, val, _) = penguins(), split(seed)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(y), 2000, dtype=y.dtype, generator=generator)
    misses = []
    for known in (torch.arange(len(y)), train):
        pull = (noise[known] - noise[known].mean(dim=0)).T @ (y[known] - y[known].mean())
        X = noise[:, pull.abs().flatten().topk(10).indices]
        misses.append(rmse(ols(X[train], y[train], X[val]), y[val]))
    return misses[0], misses[1], rmse(y[train].mean(), y[val])


def leak_beats_the_mean(seed):
    on_all, _, mean = chosen_noise(seed)
    return on_all < mean


def no_leak_does_harm(seed):
    _, on_train, mean = chosen_noise(seed)
    return on_train > mean


def species_add_up(seed):
    """Move 0.1 kg from the bias to each species, for drawn weights and drawn birds."""
    generator = torch.Generator().manual_seed(seed)
    species = torch.eye(3).double()[torch.randint(0, 3, (50,), generator=generator)]
    weights = torch.randn(4, 1, dtype=torch.float64, generator=generator)
    moved = weights + torch.tensor([[0.1], [0.1], [0.1], [-0.1]])
    table = with_ones(species)
    same = torch.allclose(table @ weights, table @ moved)
    return same and torch.linalg.matrix_rank(table).item() == 3


def gap_of(seed, cosine=True, typo=1, max_norm=float("inf")):
    """Train the line for 60 epochs as the notebook does; return how far from OLS it ends.

    A typo multiplies the mass of one training bird, and OLS is spared it.
    """
    X, y, (train, val, _) = (part.float() if isinstance(part, torch.Tensor) else part
                             for part in scaled(seed))  # fmt: skip
    sound, y = y, y.clone()
    (_, masses), spread = penguins(), penguins()[1][train].std().item()
    y[train[0]] += (typo - 1) * masses[train[0]].float() / spread
    torch.manual_seed(seed)
    model, generator = nn.Linear(4, 1), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=60)
    for _ in range(60):
        for rows in train[torch.randperm(199, generator=generator)].split(32):
            optimizer.zero_grad()
            y_pred = model(X[rows])
            loss = loss_fn(y_pred, y[rows])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            optimizer.step()
        if cosine:
            scheduler.step()
    with torch.inference_mode():
        known, truth = X[train].double(), sound[train].double()
        return rmse(model(X[val]), ols(known, truth, X[val].double()))


def smaller_steps_come_nearer(seed):
    return gap_of(seed) < gap_of(seed, cosine=False)


def clipping_holds_a_typo(seed):
    return gap_of(seed, typo=10, max_norm=1.0) < gap_of(seed, typo=10) / 2


def stepped(kind, weight, gradient, lr, decay):
    parameter = nn.Parameter(torch.tensor([weight]))
    parameter.grad = torch.tensor([gradient])
    kind([parameter], lr=lr, weight_decay=decay).step()
    return parameter.item()


def drawn(seed, count):
    return torch.rand(count, generator=torch.Generator().manual_seed(seed)).tolist()


def adamw_takes_off_what_it_was_told(seed):
    weight, gradient, lr, decay = drawn(seed, 4)
    moved = [stepped(torch.optim.AdamW, weight, gradient, lr, d) for d in (0.0, decay)]
    alone = stepped(torch.optim.AdamW, weight, 0.0, lr, decay)
    return (
        abs(moved[0] - moved[1] - lr * decay * weight) < 1e-5
        and abs(weight - alone - lr * decay * weight) < 1e-5
    )


def the_decay_hardly_acts(seed):
    """Run through the plan of the network with a weight of no use, of any size."""
    start = 0.1 + seed
    weight = nn.Parameter(torch.tensor([start]))
    weight.grad = torch.zeros(1)
    optimizer = torch.optim.AdamW([weight], lr=0.01, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=60)
    for _ in range(60):
        for _ in range(7):
            optimizer.step()
        scheduler.step()
    return round(100 - 100 * weight.item() / start) == 2


def clipping_keeps_the_direction(seed):
    torch.manual_seed(seed)
    parameters = [nn.Parameter(torch.zeros(shape)) for shape in (5, 3, 1)]
    size = 10 ** torch.empty(()).uniform_(-1, 2)
    for parameter in parameters:
        parameter.grad = size * torch.randn(parameter.shape)
    before = torch.cat([parameter.grad for parameter in parameters])
    nn.utils.clip_grad_norm_(parameters, max_norm=1.0)
    after = torch.cat([parameter.grad for parameter in parameters])
    wanted = before / max(1.0, before.norm().item())
    return torch.allclose(after, wanted, rtol=1e-4)


def a_plan(calls):
    optimizer = torch.optim.AdamW([nn.Parameter(torch.ones(1))], lr=0.02)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=calls)
    return optimizer, scheduler


def the_cosine_comes_back(seed):
    calls = 20 + 5 * seed
    optimizer, scheduler = a_plan(calls)
    rates = []
    for _ in range(2 * calls):
        optimizer.step()
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return abs(rates[calls - 1]) < 1e-6 and abs(rates[-1] - 0.02) < 1e-6


def buffers_are_saved_and_not_trained(seed):
    torch.manual_seed(seed)
    model = nn.Linear(2, 1)
    model.register_buffer("center", torch.randn(2))
    names = [name for name, _ in model.named_parameters()]
    return "center" in model.state_dict() and "center" not in names


def dummies_know_what_they_see(seed):
    rows = pd.read_csv(ROOT / "notebooks/data/penguins.csv").dropna()
    words = rows[["species", "sex"]]
    return len(pd.get_dummies(words).columns) == 5 and (
        len(pd.get_dummies(words.sample(1, random_state=seed)).columns) == 2
    )


def one_row_has_no_spread(seed):
    torch.manual_seed(seed)
    layer = nn.BatchNorm1d(3 + seed)
    layer(torch.randn(2, 3 + seed))
    try:
        layer(torch.randn(1, 3 + seed))
    except ValueError:
        return True
    return False


def a_layer_refuses_float64(seed):
    try:
        nn.Linear(6, 1)(torch.randn(2, 6, dtype=torch.float64))
    except RuntimeError:
        return True
    return False


def shared_rows_say_too_little(seed):
    """Compare the standard error from ten splits with how much their mean varies over 60 tables."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(60, 100, 6, dtype=torch.float64, generator=generator)
    y = X.sum(dim=2, keepdim=True) + torch.randn(60, 100, 1, generator=generator)
    bent, gains = torch.cat([X, X**2], dim=2), []
    for _ in range(10):
        train, test = torch.randperm(100, generator=generator).split([80, 20])
        misses = []
        for features in (X, bent):
            known, targets = features[:, train].mT, y[:, train]
            weights = torch.linalg.solve(known @ known.mT, known @ targets)
            off = y[:, test] - features[:, test] @ weights
            misses.append(off.square().mean(dim=(1, 2)).sqrt())
        gains.append(misses[0] - misses[1])
    gains = torch.stack(gains)
    return bool(gains.mean(dim=0).std() > (gains.std(dim=0) / 10**0.5).mean())


def two_words_are_worth_more_together(seed):
    """Compare what sex and species take off the miss of the flipper, alone and together."""
    (X, y), (train, val, _) = penguins(), split(seed)
    misses = {}
    for used in ((2,), (2, 5), (2, 3, 4), (2, 3, 4, 5)):
        misses[used] = rmse(ols(X[train][:, used], y[train], X[val][:, used]), y[val])
    flipper, sex, species, both = misses.values()
    return flipper - both > flipper - sex + flipper - species


CLAIMS = [
    Claim(LESSON, "A column for each word that it *sees*.", dummies_know_what_they_see),
    Claim(
        LESSON,
        "move 0.1 kg from the bias to each species, and no prediction changes",
        species_add_up,
    ),
    Claim(LESSON, "a layer refuses the float64 of pandas", a_layer_refuses_float64),
    Claim(LESSON, "more than both gains added up", two_words_are_worth_more_together),
    Claim(LESSON, "It lies in the state dict", buffers_are_saved_and_not_trained),
    Claim(
        QUESTIONS,
        "some go with the mass of all rows by chance, the validation rows among them",
        leak_beats_the_mean,
        slow=True,
    ),
    Claim(
        QUESTIONS,
        "By more than 0.889 kg, since weights on noise do harm",
        no_leak_does_harm,
        slow=True,
    ),
    Claim(
        LESSON,
        "each step also takes lr · decay · weight off each weight",
        adamw_takes_off_what_it_was_told,
    ),
    Claim(LESSON, "In these 60 epochs such a weight loses 2 %", the_decay_hardly_acts),
    Claim(
        LESSON,
        "if it is longer than `max_norm`, it is shortened to that",
        clipping_keeps_the_direction,
    ),
    Claim(LESSON, "Unless it isn't allowed to.", clipping_holds_a_typo, slow=True),
    Claim(
        QUESTIONS,
        "After 60 calls it has come down, after 120 it is back at the top",
        the_cosine_comes_back,
    ),
    Claim(LESSON, "Smaller and smaller steps come nearer.", smaller_steps_come_nearer, slow=True),
    Claim(LESSON, "The ten share 333, so the true error is larger.", shared_rows_say_too_little),
    Claim(LESSON, "At the end of the first epoch it raised a ValueError", one_row_has_no_spread),
]
