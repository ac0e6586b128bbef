"""What notebook 11, its questions and its hints say in general about tables, leaks and scores."""

import functools

import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

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
    """Return features and masses, scaled by the training rows, and the rows of the parts."""
    (X, y), parts = penguins(), split(seed)
    known = parts[0]
    X = (X - X[known].mean(dim=0)) / X[known].std(dim=0)
    return X, (y - y[known].mean()) / y[known].std(), parts


def unscaled_ols_is_the_same(seed):
    (X, y), (train, _, test) = penguins(), split(seed)
    generator = torch.Generator().manual_seed(seed)
    center = 100 * torch.randn(6, dtype=X.dtype, generator=generator)
    spread = 10 ** torch.randn(6, dtype=X.dtype, generator=generator)
    other = (X - center) / spread
    plain = ols(X[train], y[train], X[test])
    return rmse(plain, ols(other[train], y[train], other[test])) < 1e-4


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


def leak_looks_better(seed):
    on_all, on_train, _ = chosen_noise(seed)
    return on_all < on_train


def species_add_up(seed):
    """Move 100 g from the bias to each species, for drawn weights and drawn birds."""
    generator = torch.Generator().manual_seed(seed)
    species = torch.eye(3).double()[torch.randint(0, 3, (50,), generator=generator)]
    weights = torch.randn(4, 1, dtype=torch.float64, generator=generator)
    moved = weights + torch.tensor([[100.0], [100.0], [100.0], [-100.0]])
    table = with_ones(species)
    same = torch.allclose(table @ weights, table @ moved)
    return same and torch.linalg.matrix_rank(table).item() == 3


def curvatures_say_how_long(seed):
    """Count the steps of gradient descent until the flattest direction is down to 1/e."""
    generator = torch.Generator().manual_seed(seed)
    columns = torch.randn(60, 3, dtype=torch.float64, generator=generator)
    A = with_ones(columns * torch.tensor([1.0, 4.0, 15.0]))
    curvatures, directions = torch.linalg.eigh(2 * A.T @ A / len(A))
    off, steps = directions[:, 0], 0
    while off @ directions[:, 0] > 1 / torch.e:
        off = off - 2 * A.T @ (A @ off) / len(A) / curvatures[-1]
        steps += 1
    return 0.9 < steps / (curvatures[-1] / curvatures[0]) < 1.1


def another_pass_changes_training(seed):
    X = torch.arange(64.0).unsqueeze(1)

    def orders(measures):
        generator = torch.Generator().manual_seed(seed)
        loader = DataLoader(TensorDataset(X), 32, shuffle=True, generator=generator)
        found = []
        for _ in range(2):
            found.append(torch.cat([rows for (rows,) in loader]).flatten().tolist())
            _ = [*loader] if measures else None
        return found

    plain, measured = orders(measures=False), orders(measures=True)
    return plain[0] == measured[0] and plain[1] != measured[1]


def smaller_steps_come_nearer(seed):
    X, y, (train, val, _) = scaled(seed)

    def gap(gamma):
        torch.manual_seed(seed)
        model = nn.Linear(6, 1, dtype=torch.float64)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(200):
            for rows in train[torch.randperm(199, generator=generator)].split(32):
                optimizer.zero_grad()
                y_pred = model(X[rows])
                loss = loss_fn(y_pred, y[rows])
                loss.backward()
                optimizer.step()
            scheduler.step()
        return rmse(model(X[val]), ols(X[train], y[train], X[val]))

    return gap(0.98) < gap(1.0)


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


CLAIMS = [
    Claim(
        LESSON,
        "the three add up to the ones, so 100 g may move from the bias to each species and no "
        "prediction changes",
        species_add_up,
    ),
    Claim(
        LESSON,
        "At such a rate the flattest needs about as many steps as the ratio of the two curvatures.",
        curvatures_say_how_long,
    ),
    Claim(
        LESSON,
        "no [scaling](glossary.md#scaling) changes what OLS predicts",
        unscaled_ols_is_the_same,
    ),
    Claim(
        QUESTIONS,
        "some go with the mass of all rows by chance, the validation rows among them",
        leak_beats_the_mean,
        slow=True,
    ),
    Claim(
        QUESTIONS,
        "By more than 888.8 g, since weights on noise do harm",
        no_leak_does_harm,
        slow=True,
    ),
    Claim(
        LESSON,
        "It does great harm where the preparation looks at the target.",
        leak_looks_better,
        slow=True,
    ),
    Claim(
        LESSON,
        "going through a shuffling loader once more would draw one more order, and measuring would "
        "change the training",
        another_pass_changes_training,
    ),
    Claim(
        LESSON,
        "With ever smaller steps the run comes nearer",
        smaller_steps_come_nearer,
        slow=True,
    ),
    Claim(LESSON, "They share their 333 birds, so it is larger.", shared_rows_say_too_little),
]
