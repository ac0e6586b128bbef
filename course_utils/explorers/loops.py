"""A learner's training loop beside the formula: data, the real DataLoader, and where they part."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils import descent, inputs
from course_utils.explorers.base import Proof

SEED = 420
_TOLERANCE = 1e-6  # relative to the larger of 1 and the parameter


class Rows(TensorDataset):
    """A TensorDataset that hands out a whole batch at once, which is faster."""

    def __getitems__(self, rows: list[int]) -> tuple[torch.Tensor, ...]:
        """Return the rows of each tensor."""
        return tuple(tensor[rows] for tensor in self.tensors)


class Split:
    """Training and validation rows, the noise on them, and the start, drawn as the course does.

    Everything is float64, so that loop and formula agree.
    """

    def __init__(self, X: object = None, y: object = None):
        n = 200 if X is None else len(inputs.pair(X, y, least=2)[0])
        generator = torch.Generator().manual_seed(SEED)
        features, draw = (torch.randn(n, 1, generator=generator) for _ in range(2))
        order, held_out = torch.randperm(n, generator=generator), max(1, n // 5)
        if X is None:
            X, y = features, 1.5 + 2 * features
        columns = [torch.as_tensor(column).double()[order] for column in (X, y, draw)]
        self.X, self.y, self.draw = (column[: n - held_out] for column in columns)
        self.X_val, self.y_val, self.draw_val = (column[n - held_out :] for column in columns)
        generator.manual_seed(SEED)
        bias, weight = (torch.randn(1, generator=generator).item() for _ in range(2))
        self.start = weight, bias

    def given(self) -> dict[str, list[float]]:
        """Return the columns for the page."""
        names = {"x": self.X, "y": self.y, "draw": self.draw}
        names |= {"x_val": self.X_val, "y_val": self.y_val, "draw_val": self.draw_val}
        return {name: column[:, 0].tolist() for name, column in names.items()}

    def data(self, noise: float) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Return features and targets of both parts."""
        return {
            "train": (self.X, self.y + noise * self.draw),
            "validation": (self.X_val, self.y_val + noise * self.draw_val),
        }


def loader(X: torch.Tensor, y: torch.Tensor, batch_size: int) -> DataLoader:
    """Return the shuffling loader that the learner's function gets: always the same order."""
    generator = torch.Generator().manual_seed(SEED)
    return DataLoader(Rows(X, y), batch_size, shuffle=True, generator=generator, collate_fn=tuple)


def steps_per_epoch(n: int, settings: dict) -> int:
    """Return ceil(n / batch size)."""
    return -(-n // settings["batch_size"])


def least_squares(X: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Return weight and bias of the line with the smallest MSE.

    Raises
    ------
    InputError
        If X and y are not matching finite columns.
    """
    x, targets = inputs.pair(X, y)
    weight, bias = np.linalg.lstsq(np.stack([x, np.ones_like(x)], axis=1), targets, rcond=None)[0]
    return float(weight), float(bias)


def formula(rows: Split, settings: dict) -> descent.Path:
    """Return the exact path of the run, in the order of a real DataLoader."""
    X, y = rows.data(settings["noise"])["train"]
    numbers = torch.arange(len(X))
    dealt = loader(numbers, numbers, settings["batch_size"])
    batches = [batch.numpy() for _ in range(settings["epochs"]) for batch, _ in dealt]
    return descent.descend(
        X, y, settings["lr"], batches, loss=settings["loss"].removesuffix("Loss").lower(),
        optimizer=settings["optimizer"].lower(), weight=settings["weight"], bias=settings["bias"],
    )  # fmt: skip


def compare(train: Callable, optimizer_class: type, rows: Split, settings: dict) -> Proof:
    """Run the learner's loop and hold every step against the formula."""
    X, y = rows.data(settings["noise"])["train"]
    model = torch.nn.utils.skip_init(nn.Linear, 1, 1, dtype=torch.float64)  # draws no numbers
    with torch.no_grad():
        model.weight.fill_(settings["weight"])
        model.bias.fill_(settings["bias"])
    optimizer = optimizer_class(model.parameters(), lr=settings["lr"])
    loss_fn, served = getattr(nn, settings["loss"])(), loader(X, y, settings["batch_size"])
    history = train(model, optimizer, loss_fn, served, settings["epochs"])
    steps = settings["epochs"] * steps_per_epoch(len(X), settings)
    walked = _walked(history, model, settings, steps)
    path = formula(rows, settings)
    text, agrees = _compared(walked, (path.weight[0], path.bias[0]))
    few = np.unique(np.geomspace(1, steps + 1, 200).astype(int)) - 1
    weight, bias = (np.nan_to_num(parameter[few], posinf=1e9, neginf=-1e9) for parameter in walked)
    return Proof(agrees, text, history, {"weight": weight, "bias": bias})


def _walked(
    history: object, model: nn.Module, settings: dict, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters before the first step and after every step of a learner's history."""
    if history is None:
        raise inputs.InputError("your function returned nothing: end it with `return history`")
    rows = []
    for name in ("weight", "bias"):
        try:
            rows.append(inputs.array(name, history[name]).ravel())
        except (KeyError, TypeError, IndexError, inputs.InputError):
            raise inputs.InputError(
                f"your function returned no {name} of each step: record "
                f"{name}=model.{name}.item() in its inner loop and return the history"
            ) from None
        if len(rows[-1]) != steps:
            raise inputs.InputError(
                f"your history has {len(rows[-1])} rows of {name}, expected {steps}: "
                "record one row a step, in the inner loop"
            )
    start, ends = (settings["weight"], settings["bias"]), (model.weight.item(), model.bias.item())
    if tuple(row[0] for row in rows) != start:  # recorded after each step
        return tuple(np.append(first, row) for first, row in zip(start, rows, strict=True))
    return tuple(np.append(row, end) for row, end in zip(rows, ends, strict=True))


def _compared(loop: tuple, formula: tuple) -> tuple[str, bool]:
    """Say whether the learner's path is the formula's, or at which step they part."""
    with np.errstate(over="ignore", invalid="ignore"):
        gap = np.max([np.abs(a - b) for a, b in zip(loop, formula, strict=True)], axis=0)
        size = np.max(np.abs(formula), axis=0)
        told = np.isfinite(size) & (size < 1e100)
        apart = told & ~(gap <= _TOLERANCE * np.maximum(size, 1))
    if not apart.any():
        return f"all {len(gap) - 1:,} steps, by your loop and by the formula.", True
    step = int(np.argmax(apart))
    if not np.isfinite(gap[step]):
        hint = "The parameters are no longer numbers."
    elif all(np.ptp(parameter) == 0 for parameter in loop):
        hint = "The parameters never move: does the optimizer step?"
    elif step == 1:
        hint = "Does it use the model, the loss and the batches it was given?"
    else:
        hint = "Are gradients reset?"
    return f"at step {step}. {hint}", False


def code(
    rows: Split, settings: dict, optimizer: type, train: str, own: tuple[str, str] | None
) -> str:
    """Return the lines that run the learner's loop to the two parameters shown.

    `own` are the names of the learner's data, if it is not the course's line.
    """
    n, kept = len(rows.X) + len(rows.X_val), len(rows.X)
    X, y = own or ("features", "(1.5 + 2 * features)")
    return f"""\
import torch

generator = torch.Generator().manual_seed({SEED})
features, noise = [torch.randn({n}, 1, generator=generator) for _ in range(2)]
rows = torch.randperm({n}, generator=generator)[:{kept}]
X_rows, y_rows = {X}.double()[rows], {y}.double()[rows]
y_rows = y_rows + {settings["noise"]!r} * noise.double()[rows]
dataset = torch.utils.data.TensorDataset(X_rows, y_rows)
generator.manual_seed({SEED})
loader = torch.utils.data.DataLoader(
    dataset, batch_size={settings["batch_size"]}, shuffle=True, generator=generator
)
line = torch.nn.utils.skip_init(torch.nn.Linear, 1, 1, dtype=torch.float64)
torch.nn.init.constant_(line.weight, {settings["weight"]!r})
torch.nn.init.constant_(line.bias, {settings["bias"]!r})
steps = torch.optim.{optimizer.__name__}(line.parameters(), lr={settings["lr"]!r})
{train}(line, steps, torch.nn.{settings["loss"]}(), loader, epochs={settings["epochs"]})
return line.weight.item(), line.bias.item()"""
