"""Checks of the lab of real bugs: each runs the mended program on data that it has not seen."""

import contextlib
import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Subset, TensorDataset

from course_utils import datasets
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
    numbers,
    ran,
    tensor,
)


def _parts(name: str, value: object, count: int) -> tuple | list:
    """Read a tuple or list of so many parts."""
    if type(value) not in (tuple, list) or len(value) != count:
        found = f"{len(value)} parts" if type(value) in (tuple, list) else kind(value)
        raise Wrong(f"`{name}` is {found}, expected {count} parts in a tuple.")
    return value


@exercise(
    "lab.1",
    "Let the loop end",
    "A `for` loop asks for item 0, 1, 2 and so on. Which event tells it that there is no more?",
    "Compare with a list: what does `[10, 20, 30][3]` do?",
    "Only an `IndexError` ends the loop. The tensor inside raises one by itself, if you let it.",
)
def loop_that_ends(mended: object) -> str:
    """Expect seven items from seven readings, and an IndexError for the eighth."""
    X, y = datasets.make_line(7, seed=1)
    data = call("mended", mended, X, y)
    try:
        items = list(itertools.islice(data, 20))
    except Exception as error:
        name = type(error).__name__
        raise Wrong(f"The loop breaks with {name}. It takes one error only for its end.") from None
    if len(items) < 7:
        raise Wrong(f"Of 7 readings the loop gets {len(items)}. Is the last index left out?")
    if len(items) > 7 and type(items[7]) is tuple:
        raise Wrong("After the last reading the loop gets readings again, and never ends.")
    if len(items) > 7:
        raise Wrong(f"After the last reading the loop gets {kind(items[7])} and goes on.")
    for index, item in enumerate(items):
        pair = _parts(f"item {index}", item, 2)
        if not all(close(tensor("item", a), b[index]) for a, b in zip(pair, (X, y), strict=True)):
            raise Wrong(f"Item {index} is not the pair of feature and target in row {index}.")
    if number("len(dataset)", call("len", len, data)) != 7:
        raise Wrong("`len(dataset)` is not the number of readings, which is 7 here.")
    try:
        found = kind(data[7])
    except IndexError:
        return (
            "The mistake fails where it is made. A loader that got the string would have passed "
            "it on, and the error would have come up far away."
        )
    except Exception as error:
        found = type(error).__name__
    raise Wrong(f"The loop ends, but the index one too high gives {found} and no `IndexError`.")


@exercise(
    "lab.2",
    "Test on fair rows",
    "Which penguins stand in the last fifth of the table? Its first column is the species.",
    "The rows have to be shuffled before the cut, features and targets in the same way.",
    "`rows = torch.randperm(len(X), generator=generator)`, then `X[rows]` and `y[rows]`.",
)
def fair_split(mended: object) -> str:
    """Expect random rows, the same at each call, pairs kept, and no row in both parts."""
    X = torch.arange(50.0).unsqueeze(1)

    def rows() -> tuple[list, list]:
        parts = _parts("split(X, y)", call("mended", mended, X.clone(), 3 * X + 1), 4)
        for name, part, size in zip(("X", "y") * 2, parts, (40, 40, 10, 10), strict=True):
            tensor(f"{name} of {size} rows", part, (size, 1))
        if not all(close(3 * flat(a)[i] + 1, flat(b)[i])
                   for a, b in (parts[:2], parts[2:]) for i in range(len(a))):  # fmt: skip
            raise Wrong("Features and targets of a row are separated. Are both shuffled alike?")
        return flat(parts[0]), flat(parts[2])

    state = torch.get_rng_state().tolist()
    train, test = rows()
    if len({*train, *test}) != 50:
        raise Wrong("Some rows are in both parts, or in neither. One shuffle has to serve both.")
    steps = {b - a for a, b in itertools.pairwise(sorted(test))}
    if steps == {1.0}:
        raise Wrong("The test rows still are neighbors, one block of the table. Which rows?")
    if len(steps) == 1:
        raise Wrong("The test rows stand at equal distances. A table with a rhythm fools that cut.")
    if rows() != (train, test):
        raise Wrong("A second call gives other rows, so no result can be repeated. Set a seed.")
    if torch.get_rng_state().tolist() != state:
        raise Wrong("This reseeds PyTorch for the whole program. Use a generator of your own.")
    return (
        "Train and test now ask about the same mixture of species. A cut is right only if the "
        "real question lies outside the data, such as a species nobody has weighed yet."
    )


@exercise(
    "lab.3",
    "Compare each with its own",
    "Inside the loop, print the shapes of `y_pred`, of `y` and of their difference.",
    "A column (200, 1) minus a row of 200 is a table of 200 times 200 differences.",
    "Give `y` the shape of `y_pred` too: `y.unsqueeze(1)`.",
)
def matching_shapes(mended: object) -> str:
    """Expect weight and bias of another line, from features and targets of one axis."""
    X, y = datasets.make_line(120, weight=-3.0, bias=0.5, seed=3)
    result = _parts("fit_plain(x, y)", call("mended", mended, X.flatten(), y.flatten()), 2)
    weight, bias = (number(n, v) for n, v in zip(("weight", "bias"), result, strict=True))
    if close(weight, -3, 0.02) and close(bias, 0.5, 0.1):
        return (
            "A loss has to subtract row by row. `nn.MSELoss` at least warns when shapes differ; "
            "a loss written by hand broadcasts without a word."
        )
    if close(bias, -3, 0.05):
        raise Wrong("Weight and bias have changed places. `fit_plain` returns the weight first.")
    if abs(weight) < 0.3:
        raise Wrong("The line is flat at the mean target: all targets pull at each prediction.")
    raise Wrong(
        "On other points `fit_plain` does not find the line. Does it train for long enough?"
    )


def _descends(X: Tensor, y: Tensor, path: list[tuple], keep: tuple[bool, bool]) -> bool:
    """Tell whether a path is gradient descent at the rate of its first step.

    `keep` says of weight and bias whether each step also holds the gradients of those before.
    """
    at, total, lr = path[0], (0.0, 0.0), None
    for found in path[1:]:
        error = at[0] * X + at[1] - y
        gradient = (2 * (error * X).mean().item(), 2 * error.mean().item())
        lr = (at[0] - found[0]) / gradient[0] if lr is None else lr
        total = tuple(g + k * t for g, k, t in zip(gradient, keep, total, strict=True))
        at = tuple(p - lr * t for p, t in zip(at, total, strict=True))
        if not all(close(a, b, 1e-3) for a, b in zip(found, at, strict=True)):
            return False
    return True


@exercise(
    "lab.4",
    "Calm the swinging line",
    "Print `model.weight.grad` before and after `backward` in the second epoch.",
    "`backward` adds to the gradients that are there. Who removes the old ones?",
    "The first of the five lines is missing. It resets the gradients in every epoch, and must not "
    "stand between `backward` and `step`.",
)
def fresh_gradients(mended: object) -> str:
    """Expect six epochs on the path of gradient descent."""
    X, y = datasets.make_line(60, weight=-1.0, bias=2.0, seed=4)

    def after(epochs: int) -> tuple[float, float]:
        result = _parts("fit_epochs(...)", call("mended", mended, X, y, epochs), 2)
        return tuple(number(n, v) for n, v in zip(("weight", "bias"), result, strict=True))

    found = [after(epochs) for epochs in range(7)]
    if found[0] != after(0):
        raise Wrong("Two runs begin with different weights. Leave the seed in its place.")
    if found[0] == found[6]:
        raise Wrong("The weights never move. What does `step` find in the gradients?")
    if found[1] == found[2]:
        raise Wrong("Two epochs end where one does. Does each epoch begin anew?")
    if _descends(X, y, found, keep=(False, False)):
        return (
            "Each step now follows the slope at its own place. Gradients add up on purpose, so "
            "that several batches can share one step; resetting them is your decision."
        )
    if _descends(X, y, found, keep=(True, True)):
        raise Wrong("The second step still holds the gradient of the first.")
    if _descends(X, y, found, keep=(False, True)) or _descends(X, y, found, keep=(True, False)):
        raise Wrong("One of the two gradients is reset, and the other still piles up.")
    raise Wrong("These steps are not those of SGD on one model. Keep both, reset in each epoch.")


@exercise(
    "lab.5",
    "Wake the optimizer",
    "Which model's parameters did the optimizer get, and which model is trained?",
    "`id(model.weight)` and `id(optimizer.param_groups[0]['params'][0])` should be equal.",
    "Make model and optimizer together, inside the loop over the seeds.",
)
def stale_optimizer(mended: object) -> str:
    """Expect three different starts and three times the same line."""
    X, y = datasets.make_line(80, weight=-3.0, bias=0.5, seed=5)
    first, last = (
        numbers("weights", call("mended", mended, [4, 5, 6], X, y, epochs)) for epochs in (0, 100)
    )
    if len(first) != 3 or len(last) != 3:
        raise Wrong(f"Three seeds give {len(last)} weights. Is each run noted?")
    if len({*first}) == 1:
        raise Wrong("All runs begin at the same weight. Each seed should make its own model.")
    moved = [a != b for a, b in zip(first, last, strict=True)]
    if not any(moved):
        raise Wrong("No weight moves in 100 epochs. Whose parameters does the optimizer hold?")
    if not all(moved):
        raise Wrong("Some models are trained and some never move. When is the optimizer made?")
    if not all(close(weight, -3, 0.02) for weight in last):
        raise Wrong("The weights move, but do not all reach the slope of the data.")
    return (
        "An optimizer keeps the very tensors it was given. Make model and optimizer together, "
        "and no new model can leave an old optimizer behind."
    )


@exercise(
    "lab.6",
    "Measure both at one point",
    "At which weights is each batch loss taken, and at which the validation loss?",
    "In the first epoch the early batches are measured before the model has learned anything.",
    "After the loop over batches, measure the training rows as the validation rows are measured.",
)
def epoch_loss(mended: object) -> str:
    """Compare the losses noted last with those of the model that is returned."""
    X, y = datasets.make_line(190, weight=-3.0, bias=0.5, seed=6)
    y[144:150] += 4  # a small last batch unlike the others
    train, val = (Subset(TensorDataset(X, y), list(rows)) for rows in (range(150), range(150, 190)))

    def fit(epochs: int) -> tuple[Tensor, list, list]:
        model, *losses = _parts("fit_and_track(...)", call("mended", mended, train, val, epochs), 3)
        y_pred = tensor("model(X)", call("model", model, X), (190, 1)).detach()
        return (y_pred - y).square().flatten(), *map(numbers, ("train", "val"), losses)

    before = fit(0)[0]
    for epochs in (1, 3):
        square, train_losses, val_losses = fit(epochs)
        if len(train_losses) != epochs or len(val_losses) != epochs:
            raise Wrong("Each list should hold one loss for each epoch.")
        if square[:150].mean() > before[:150].mean() / 2:
            raise Wrong("The model that is returned is not trained.")
        if not close(val_losses[-1], square[150:].mean(), 1e-3):
            raise Wrong("The validation loss was right and is not any more.")
        batches = sum(part.mean() for part in square[:150].split(16)) / 10
        if close(train_losses[-1], batches, 1e-3):
            raise Wrong("The last batch has 6 rows and counts as much as one of 16 rows.")
        if close(train_losses[-1], square[:150].sum(), 1e-3):
            raise Wrong("The training loss is a sum over rows, the validation loss a mean.")
        if close(train_losses[-1], val_losses[-1], 1e-3):
            raise Wrong("Both losses are those of the validation rows.")
        if not close(train_losses[-1], square[:150].mean(), 1e-3):
            raise Wrong("The training loss is not that of the weights at the end of the epoch.")
    return (
        "Both losses now describe the same weights, so a gap between them means something. The "
        "mean over batches is cheaper, and lags behind by half an epoch."
    )


@exercise(
    "lab.7",
    "Ask about new rows only",
    "Print the shape of `X` inside `test_loss`. How many rows were held out?",
    "`subset.dataset` is the whole dataset; `subset.indices` says which rows are meant.",
    "`test_set[:]` gives features and targets of the held-out rows alone.",
)
def held_out_rows(mended: object) -> str:
    """Expect the loss on ten rows of fifty."""
    torch.manual_seed(7)
    X, y, rows = torch.randn(50, 1), torch.randn(50, 1), torch.randperm(50)[:10].tolist()
    model = nn.Linear(1, 1).requires_grad_(False)
    loss = number(
        "test_loss(...)", call("mended", mended, model, Subset(TensorDataset(X, y), rows))
    )
    square = (model(X) - y).square().flatten()
    rest = [row for row in range(50) if row not in rows]
    for wrong, said in (
        (square.mean(), "This is the loss on all rows, those of the training included."),
        (square[rest].mean(), "This is the loss on the rows outside of the test set."),
        (square[:10].mean(), "These are the first rows of the dataset, as many as held out."),
        (square[rows].sum(), "This is the sum over the held-out rows, not their mean."),
        (square[rows].mean().sqrt(), "This is the root of the loss, in another unit."),
        ((model(X).flatten()[rows] - y[rows]).square().mean(), "Look at the shapes: (10, 1)?"),
    ):
        if close(loss, wrong):
            raise Wrong(said)
    if not close(loss, square[rows].mean()):
        raise Wrong("This is not the mean squared error on the held-out rows.")
    return (
        "A model that only remembers has loss 0 on what it was shown. Every such row in the test "
        "makes the result look better than the model is."
    )


class _Witness(nn.Module):
    """A model with dropout that notes how it is called."""

    def __init__(self):
        super().__init__()
        self.line, self.drop = nn.Linear(1, 4), nn.Dropout(0.5)
        self.trained_mode, self.recorded = False, False

    def forward(self, X: Tensor) -> Tensor:
        """Predict, and note mode and recording."""
        y_pred = self.drop(self.line(X)).sum(dim=1, keepdim=True)
        self.trained_mode, self.recorded = self.training, y_pred.requires_grad
        return y_pred


@exercise(
    "lab.8",
    "Predict without a trace",
    "`eval()` changes how layers such as dropout behave. Does it change what is recorded?",
    "`model(X).requires_grad` is still True in evaluation mode.",
    "Keep `eval()`, and put the forward pass under `with torch.inference_mode():`.",
)
def unrecorded(mended: object) -> str:
    """Expect an array, from a model that evaluated, recorded nothing and can still be trained."""
    X, model = torch.linspace(-1, 1, 9).unsqueeze(1), _Witness()
    result = call("mended", mended, model, X)
    if type(result) is not np.ndarray:
        raise Wrong(f"`predictions` returns {kind(result)}, expected a NumPy array for the chart.")
    if model.trained_mode:
        raise Wrong("Dropout still sets nodes to 0 at random. What put it into evaluation mode?")
    if not all(parameter.requires_grad for parameter in model.parameters()):
        raise Wrong("The parameters lost `requires_grad`, so the model cannot be trained further.")
    if model.recorded:
        raise Wrong("The forward pass was recorded for gradients, and the record thrown away.")
    right = model.line(X).detach().sum(dim=1, keepdim=True)
    if result.shape != (9, 1) or not close(torch.tensor(result), right):
        raise Wrong("The array does not hold the model's predictions, one row for each point.")
    return (
        "`eval()` changes layers, `inference_mode()` stops the recording: two switches, and "
        "predicting needs both."
    )


def _runs_code(load: Callable) -> bool:
    """Tell whether a hostile file runs its code; that it is refused by an error is right."""
    ran.clear()
    with contextlib.suppress(Exception):
        load(in_memory(Hostile()).getvalue())
    return len(ran) > 0


@exercise(
    "lab.9",
    "Save what loads safely",
    "`type(val_losses.min())` names what went into the file. Which types are let in?",
    "The mend belongs into `save_run`. Loading was right to refuse.",
    "`float(best_loss)` is a plain number.",
)
def safe_file(mended: object) -> str:
    """Expect the run back whole, and nothing run by a file that holds code."""
    save, load = _parts("mended", mended, 2)
    model, best = nn.Linear(1, 1), np.float64(0.0625)
    data = call("save_run", save, model, best)
    if type(data) is not bytes:
        raise Wrong(f"`save_run` returns {kind(data)}, expected bytes.")
    saved = call("load_run", load, data)
    if type(saved) is not dict or not {"model", "best_loss"} <= {*saved}:
        raise Wrong('The file should still hold "model" and "best_loss" in a dict.')
    if _runs_code(load):
        raise Wrong(
            "`load_run` opened a file with code in it, and the code ran: here a harmless note."
        )
    if isinstance(saved["best_loss"], np.generic):
        raise Wrong("The file still holds a NumPy number, which others cannot load safely.")
    if not close(number("best_loss", saved["best_loss"]), float(best)):
        raise Wrong("The best loss does not come back as it was saved.")
    weights, right = saved["model"], model.state_dict()
    if not isinstance(weights, dict) or weights.keys() != right.keys():
        raise Wrong("The `state_dict` of the model does not come back.")
    if not all(close(tensor(name, weights[name]), right[name]) for name in right):
        raise Wrong("The parameters do not come back as they were saved.")
    return (
        "The refusal protects whoever opens your file. Plain numbers, text, tensors, lists and "
        "dicts pass; nothing that has to be built by calling code does."
    )


@exercise(
    "lab.10",
    "Resume to the last digit",
    "What else changes while a run goes on, besides the weights?",
    "Adam keeps running means of past gradients; the loader's generator has moved on.",
    "Save `optimizer.state_dict()` and `loader.generator.get_state()`, and set both in `restore`.",
)
def exact_resume(start: object, train: object, mended: object) -> str:
    """Compare a run that was stopped with one in one go."""
    save, restore = _parts("mended", mended, 2)

    def begin() -> tuple:
        return _parts("start()", call("start", start), 3)

    def go_on(run: tuple, epochs: int) -> list[float]:
        try:
            train(*run, epochs=epochs)
        except Exception as error:
            raise Wrong(f"Going on with the run raised {type(error).__name__}: {error}") from None
        return [number("parameter", p) for q in run[0].parameters() for p in q.detach().flatten()]

    straight, stopped = begin(), begin()
    right = go_on(straight, 5)
    if go_on(stopped, 2) == right:
        raise Wrong("`train` does not change the model. Run the cells above again.")
    saved = call("checkpoint", save, *stopped)
    then = stopped[0].state_dict()
    then = {name: then[name].clone() for name in then}
    generator = stopped[2].generator.get_state().tolist()
    go_on(stopped, 1)
    resumed = _parts("restore(...)", call("restore", restore, saved), 3)
    now = resumed[0].state_dict()
    if now.keys() != then.keys() or not all(close(now[name], then[name], 0) for name in then):
        raise Wrong("The restored weights are not those of the moment of saving.")
    if resumed[1].param_groups[0]["params"][0] is not next(resumed[0].parameters()):
        raise Wrong("The restored optimizer holds the parameters of another model.")
    if len(resumed[1].state_dict()["state"]) == 0:
        raise Wrong("The restored optimizer begins without memory. What does Adam keep?")
    if resumed[2].generator.get_state().tolist() != generator:
        raise Wrong("The loader serves its batches in another order than in a run in one go.")
    if go_on(resumed, 3) != right:
        raise Wrong("All parts are there, and the run still ends elsewhere. Is one a later copy?")
    return (
        "Difference exactly 0. A checkpoint is complete if nothing that changes during the run "
        "is left out: weights, optimizer, batch order."
    )
