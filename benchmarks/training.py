"""Table 3: the same fit by the course's loop, by formula and by what one would pick instead."""

import importlib.util
import logging
import warnings
from collections.abc import Callable

import numpy as np
import torch
from report import Table, interleaved, p50, p95, say, short, times
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils import datasets, descent

LR, BATCH, EPOCHS, POINTS = 0.1, 16, 100, 160
LOOP = "the course's loop"
Line = tuple[float, float]


def loader_of(X, y, batch_size: int = BATCH) -> DataLoader:
    """Return the course's loader: shuffled batches."""
    return DataLoader(TensorDataset(X, y), batch_size=batch_size, shuffle=True)


def rows_of(n: int, batch_size: int, epochs: int) -> list[list[int]]:
    """Draw the rows of every step as a shuffled loader does."""
    order = DataLoader(range(n), batch_size=batch_size, shuffle=True, collate_fn=list)
    return [rows for _ in range(epochs) for rows in order]


def course_loop(X, y, lr=LR, batch_size=BATCH, epochs=EPOCHS) -> tuple[nn.Module, list[float]]:
    """Train as notebook 05 does; return the model and the loss of each step."""
    model, loss_fn = nn.Linear(1, 1), nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    loader, losses = loader_of(X, y, batch_size), []
    for _epoch in range(epochs):
        for X_batch, y_batch in loader:
            optimizer.zero_grad()
            y_pred = model(X_batch)
            loss = loss_fn(y_pred, y_batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses


def line_of(model: nn.Module) -> Line:
    """Return weight and bias."""
    bias, weight = sorted(model.named_parameters())
    return weight[1].item(), bias[1].item()


def by_loop(X, y, batch_size: int, epochs: int) -> Line:
    """Write the five lines out."""
    return line_of(course_loop(X, y, LR, batch_size, epochs)[0])


def by_descent(X, y, batch_size: int, epochs: int) -> Line:
    """Follow the formula, over batches drawn by a loader of the rows."""
    path = descent.descend(X, y, LR, rows_of(len(X), batch_size, epochs))
    return path.weight[0, -1], path.bias[0, -1]


def by_scikit_learn(X, y, batch_size: int, epochs: int) -> Line:
    """Let SGDRegressor step on one point at a time; it has no batches and halves the loss."""
    from sklearn.linear_model import SGDRegressor

    options = {"learning_rate": "constant", "penalty": None, "tol": None}
    model = SGDRegressor(max_iter=epochs, eta0=2 * LR / batch_size, **options)
    model.fit(X.numpy(), y.numpy().ravel())
    return float(model.coef_[0]), float(model.intercept_[0])


def by_skorch(X, y, batch_size: int, epochs: int) -> Line:
    """Hide the loop behind fit."""
    from skorch import NeuralNetRegressor

    net = NeuralNetRegressor(
        nn.Linear, module__in_features=1, module__out_features=1, criterion=nn.MSELoss,
        optimizer=torch.optim.SGD, lr=LR, batch_size=batch_size, max_epochs=epochs,
        iterator_train__shuffle=True, train_split=None, verbose=0,
    )  # fmt: skip
    return line_of(net.fit(X, y).module_)


def by_lightning(X, y, batch_size: int, epochs: int) -> Line:
    """Hide the loop in a Trainer, everything switched off that is not the loop."""
    import lightning

    class Model(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.line, self.loss_fn = nn.Linear(1, 1), nn.MSELoss()

        def training_step(self, batch, _index):
            return self.loss_fn(self.line(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=LR)

    off = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    options = dict.fromkeys(off, False)
    trainer = lightning.Trainer(accelerator="cpu", max_epochs=epochs, **options)
    model = Model()
    trainer.fit(model, loader_of(X, y, batch_size))
    return line_of(model.line)


# name: (how it fits, the package it needs)
MEANS: dict[str, tuple[Callable[..., Line], str]] = {
    LOOP: (by_loop, "torch"),
    "`descent`": (by_descent, "numpy"),
    "scikit-learn SGDRegressor": (by_scikit_learn, "sklearn"),
    "skorch": (by_skorch, "skorch"),
    "Lightning": (by_lightning, "lightning"),
}
FITS = {name: fit for name, (fit, package) in MEANS.items() if importlib.util.find_spec(package)}


def tables(quick: bool) -> list[Table]:
    """Measure; `quick` takes fewer repetitions and smaller data."""
    torch.set_num_threads(1)
    torch.manual_seed(420)
    logging.disable(logging.WARNING)  # Lightning's hints on workers, log intervals and its cloud
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [same_fit(quick), many_rates(quick), *growth(quick)]
    logging.disable(logging.NOTSET)
    return found


def least_squares(X, y) -> Line:
    """Return the line that all fits have to come near."""
    columns = torch.cat([X, torch.ones_like(X)], dim=1)
    weight, bias = torch.linalg.lstsq(columns, y).solution.flatten().tolist()
    return weight, bias


def same_fit(quick: bool) -> Table:
    """Fit the same points in as many epochs by every means."""
    X, y = datasets.make_line(POINTS)
    epochs, repetitions = (10, 2) if quick else (EPOCHS, 9)
    say(f"training: {POINTS} points, {epochs} epochs, {repetitions} rounds")
    best = least_squares(X, y)
    off = dict.fromkeys(FITS, 0.0)

    def job(name):
        line = FITS[name](X, y, BATCH, epochs)
        off[name] = max(off[name], *(abs(a - b) for a, b in zip(line, best, strict=True)))

    for name in FITS:
        job(name)  # imports, and whatever is slow once
    seconds = interleaved({name: lambda name=name: job(name) for name in FITS}, repetitions)
    base = p50(seconds[LOOP])
    rows = [
        [name, short(1e3 * p50(s)), short(1e3 * p95(s)), times(p50(s) / base), f"{off[name]:.3f}"]
        for name, s in seconds.items()
    ]
    text = (
        f"{POINTS} points, batches of {BATCH}, {epochs} epochs, SGD at {LR}, one thread. `descent` "
        "includes drawing the batches with a loader, and notes both parameters at every step. "
        f"SGDRegressor has no batches: it takes {POINTS} steps of one point an epoch at a "
        f"{BATCH}th of the learning rate, in C. The last column is the largest distance of a "
        "parameter from least squares, over all rounds."
    )
    if missing := [name for name in MEANS if name not in FITS]:
        text += f" Not installed here, so not measured: {', '.join(missing)}."
    head = ["with", "p50 ms", "p95 ms", f"p50 / {LOOP}", "off"]
    return Table("Training one line", text, head, rows)


def many_rates(quick: bool) -> Table:
    """Train at many learning rates at once."""
    X, y = datasets.make_line(POINTS)
    epochs, counts = (10, (1, 60)) if quick else (EPOCHS, (1, 60, 600))
    rows = rows_of(POINTS, BATCH, epochs)
    say(f"training: {counts} learning rates at once")

    def job(count):
        return lambda: descent.descend(X, y, np.linspace(0.001, 0.9, count), rows)

    jobs = {LOOP: lambda: by_loop(X, y, BATCH, epochs)}
    jobs |= {f"`descent`, {count} at once": job(count) for count in counts}
    seconds = interleaved(jobs, 2 if quick else 7)
    rates = dict(zip(jobs, (1, *counts), strict=True))
    speed = {name: rates[name] / p50(s) for name, s in seconds.items()}
    cells = [
        [name, short(1e3 * p50(s)), short(speed[name]), times(speed[name] / speed[LOOP])]
        for name, s in seconds.items()
    ]
    text = f"The same fit, {epochs} epochs of {len(rows) // epochs} steps; the batches are given."
    head = ["with", "p50 ms", "learning rates per second", f"/ {LOOP}"]
    return Table("Learning rates per second", text, head, cells)


def growth(quick: bool) -> list[Table]:
    """Let the number of points grow, and the number of epochs."""
    points = (100, 1000) if quick else (100, 1_000, 10_000, 100_000, 1_000_000)
    epochs = (1, 10) if quick else (1, 10, 100, 1000)
    lines = {n: datasets.make_line(n) for n in {*points, POINTS}}
    batch = 256
    grown_points = {f"{n:,}": (*lines[n], batch, 1) for n in points}
    grown_epochs = {f"{n:,}": (*lines[POINTS], BATCH, n) for n in epochs}
    text = "p50 in ms, and in brackets how many times as long as the course's loop. "
    return [
        grown("Growth with points", f"{text}One epoch in batches of {batch}.", grown_points),
        grown("Growth with epochs", f"{text}{POINTS} points in batches of {BATCH}.", grown_epochs),
    ]


def grown(title: str, text: str, sizes: dict[str, tuple]) -> Table:
    """Time every means at every size, in fewer rounds where a round takes longer."""
    medians: dict[str, list[float]] = {name: [] for name in FITS}
    for label, (X, y, batch_size, epochs) in sizes.items():
        steps = epochs * -(-len(X) // batch_size)
        rounds = 7 if steps * batch_size < 20_000 else 3 if steps * batch_size < 120_000 else 1
        say(f"{title.lower()}: {label}, {rounds} rounds")
        jobs = {
            name: lambda fit=fit, data=(X, y, batch_size, epochs): fit(*data) and None
            for name, fit in FITS.items()
        }
        for name, seconds in interleaved(jobs, rounds).items():
            medians[name].append(p50(seconds))
    base = medians[LOOP]
    rows = [
        [name, *(f"{short(1e3 * s)} ({times(s / b)})" for s, b in zip(found, base, strict=True))]
        for name, found in medians.items()
    ]
    return Table(title, text, ["with", *sizes], rows)
