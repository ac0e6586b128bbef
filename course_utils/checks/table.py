"""Checks of exercises on real tables: categories, gaps, a callback, weights with units."""

import math

import numpy as np
import torch

from course_utils.checks.judging import (
    Wrong,
    call,
    close,
    exercise,
    flat,
    kind,
    number,
    refuse_slips,
    tensor,
)


def two(name: str, value: object) -> list[object]:
    """Read a list or tuple of two.

    Raises
    ------
    Wrong
        If it is none.
    """
    if type(value) not in (list, tuple) or len(value) != 2:
        raise Wrong(f"`{name}` returns {kind(value)}, expected two tensors: `return first, second`")
    return list(value)


@exercise(
    "11.1",
    "Encode new birds",
    "Start from a table of zeros, `(len(words), len(categories))`, and set one 1 in each row.",
    "`categories.index(word)` is the column of a word, and raises `ValueError` if there is none.",
    "`for row, word in enumerate(words): table[row, categories.index(word)] = 1`",
)
def one_hot(one_hot_rows: object) -> str:
    """Encode three words of four categories in an order that is not the alphabet's."""
    categories = ["Gentoo", "Chinstrap", "King", "Adelie"]
    words = ["Adelie", "Gentoo", "Gentoo"]
    found = call("one_hot_rows", one_hot_rows, [*words], [*categories])
    if type(found) is torch.Tensor and tuple(found.shape) == (3, 2):
        raise Wrong("Only words that occur have a column. Each category needs one, also of zeros.")
    if type(found) is torch.Tensor and tuple(found.shape) == (3, 3):
        raise Wrong("A column is missing. Each category needs one here, also the first.")
    if type(found) is torch.Tensor and tuple(found.shape) == (4, 3):
        raise Wrong("Words stand in the columns and categories in the rows. Turn the table.")
    if type(found) is torch.Tensor and found.ndim == 1:
        raise Wrong("One number a word claims an order among the categories. Give each a column.")
    tensor("one_hot_rows(...)", found, (3, 4))
    if not found.is_floating_point():
        raise Wrong(f"The table holds {found.dtype}, and a model multiplies floats: `.float()`.")
    right = torch.tensor([[0, 0, 0, 1], [1, 0, 0, 0], [1, 0, 0, 0]])
    by_alphabet = torch.tensor([[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]])
    if flat(found) == flat(by_alphabet):
        raise Wrong("The columns stand in the order of the alphabet, not in that of `categories`.")
    if flat(found) != flat(right):
        raise Wrong(
            "A 1 belongs where row and category meet, and a 0 everywhere else. For the words "
            f"{words} and the categories {categories} your table is {found.int().tolist()}."
        )
    for words, place in (
        (["Adelie", "Emperor"], ""),
        (["Emperor", "Adelie"], " before a known one"),
    ):
        try:
            one_hot_rows(words, [*categories])
        except ValueError:
            continue
        except Exception as error:
            raise Wrong(
                f"An unknown word raises {type(error).__name__}, not `ValueError`."
            ) from None
        raise Wrong(f"An unknown word{place} passes without an error, as a bird of no species.")
    return (
        "A model that meets an unknown species now says so. A row of zeros would have been "
        "taken for a bird, and weighed."
    )


@exercise(
    "11.2",
    "Fill gaps without a leak",
    "Which rows may the means come from? And is there one mean, or one for each column?",
    "`X_train.nanmean(dim=0)` skips the gaps, `X.isnan()` finds them.",
    "`torch.where(X_new.isnan(), means, X_new)` fills a copy. Do the same with `X_train`.",
)
def fill_gaps(fill: object) -> str:
    """Fill a gap in the training rows and two in the new ones, which have other means."""
    nan = math.nan
    X_train = torch.tensor([[1.0, 100.0], [3.0, nan], [nan, 400.0], [8.0, 1000.0]])
    X_new = torch.tensor([[nan, 1000.0], [9.0, nan], [30.0, 4000.0]])
    given = X_train.clone(), X_new.clone()
    train, new = two("fill", call("fill", fill, *given))
    if not all(
        torch.Tensor.isnan(a).tolist() == torch.Tensor.isnan(b).tolist()
        for a, b in zip(given, (X_train, X_new), strict=True)
    ):
        raise Wrong("The tensors handed in have lost their gaps. Fill copies: `torch.where`.")
    for name, rows, shape in (("training rows", train, (4, 2)), ("new rows", new, (3, 2))):
        if type(rows) is torch.Tensor and rows.ndim == 2 and len(rows) < shape[0]:
            raise Wrong(f"Some {name} are gone. Keep them all, and fill their gaps.")
        if type(rows) is torch.Tensor and any(map(math.isnan, flat(rows))):
            raise Wrong(f"The {name} still hold `nan`. {_why_gaps_stay(fill)}")
        tensor(name, rows, shape)
    refuse_slips(
        torch.stack([new[0, 0], new[1, 1]]),
        {
            "The new rows are filled with their own means, so they are not treated as one alone "
            "would be, and what is learned from them leaks.": torch.tensor([19.5, 2500.0]),
            "The means come from all rows. Those of the new rows must not go in.": torch.tensor(
                [10.2, 1300.0]
            ),
            "A gap filled with 0 is a bird without a bill. Use the column's mean.": torch.zeros(2),
            "One mean for all columns mixes their units. Use `dim=0`.": torch.full((2,), 252.0),
            "This is the median. The exercise asks for the mean.": torch.tensor([3.0, 400.0]),
            "The gaps count as zeros in these means. `nanmean` leaves them out.": torch.tensor(
                [3.0, 375.0]
            ),
            "These are the means of the rows without any gap. A row with one gap still counts in "
            "its other column.": torch.tensor([4.5, 550.0]),
            "A gap is filled with the other values of its own row, which have other units. Use "
            "`dim=0`.": torch.tensor([1000.0, 9.0]),
            "Each gap gets the value of the row before. The exercise asks for the mean.": (
                torch.tensor([8.0, 1000.0])
            ),
        },
    )
    right_train = torch.tensor([[1.0, 100.0], [3.0, 500.0], [4.0, 400.0], [8.0, 1000.0]])
    right_new = torch.tensor([[4.0, 1000.0], [9.0, 500.0], [30.0, 4000.0]])
    if not close(train, right_train) or not close(new, right_new):
        raise Wrong(
            "Gaps become the mean of their column in the training rows, and all other values stay "
            f"as they are. Here the gaps of the new rows became {flat(new)[0]:g} and "
            f"{flat(new)[3]:g}, and the means are 4 and 500."
        )
    X_train, X_new = torch.tensor([[0.0], [nan], [6.0]]), torch.tensor([[nan], [0.0]])
    train, new = two("fill", call("fill", fill, X_train, X_new))
    if not (
        close(tensor("training rows", train, (3, 1)), torch.tensor([[0.0], [3.0], [6.0]]))
        and close(tensor("new rows", new, (2, 1)), torch.tensor([[3.0], [0.0]]))
    ):
        raise Wrong("A measured 0 is not a gap. It counts in the mean, and stays 0.")
    return (
        "A new bird can come alone, and is filled as all others are, from what was known before "
        "it came. That is what the test rows are to imitate."
    )


def _why_gaps_stay(fill: object) -> str:
    """Tell a mean that is nan from gaps that were not found, by training rows without gaps."""
    whole = torch.tensor([[1.0, 100.0], [3.0, 300.0]])
    found = two("fill", call("fill", fill, whole, torch.tensor([[math.nan, 200.0]])))
    if type(found[1]) is torch.Tensor and any(map(math.isnan, flat(found[1]))):
        return (
            "They are not found: `nan` equals nothing, not even itself, so `X == nan` is False "
            "everywhere. `X.isnan()` finds them."
        )
    return "A plain mean of a column with gaps is `nan` itself. `nanmean` skips the gaps."


@exercise(
    "11.3",
    "Stop a broken run",
    '`trainer.history["train_loss"]` holds all losses. Which one belongs to this epoch?',
    "`nan` is neither larger nor smaller than anything. `math.isfinite` or `.isfinite()` knows it.",
    "If the last training loss is not finite, `trainer.should_stop = True`; else change nothing.",
)
def broken_run(stop_when_broken: object, make_trainer: object) -> str:
    """Hand the callback trainers after sound and broken epochs, then break a run for good."""

    def asked(losses: list[tuple[float, float]], before: bool = False) -> bool:
        trainer = call("make_trainer", make_trainer)
        for train_loss, val_loss in losses:
            trainer.history.record(train_loss=train_loss, val_loss=val_loss)
        trainer.should_stop = before
        told.append(_told(stop_when_broken, trainer))
        return trainer.should_stop

    told: list[str] = []
    if not callable(stop_when_broken):
        raise Wrong(f"`stop_when_broken` is {kind(stop_when_broken)}, expected a function.")
    sound = [(0.5, 0.6), (0.4, 0.7)]
    if asked(sound):
        raise Wrong("A run with the losses 0.5 and 0.4 is sound, and was stopped.")
    if not asked([*sound, (math.nan, 0.7)]):
        why = told[-1] or "`nan` is neither above nor below any number, and equals none."
        if asked([(math.nan, 0.7), *sound]):
            why = "A `nan` in the first epoch stops it. `[-1]` is the last loss, `[0]` the first."
        elif asked([*sound, (0.3, math.nan)]):
            why = "A `nan` in the validation loss stops it. Read the training loss."
        raise Wrong(f"The training loss is `nan` and the run goes on. {why}")
    if not asked([*sound, (math.inf, 0.7)]):
        raise Wrong(
            "The training loss is infinite and the run goes on. `nan` is one way to break, "
            "infinite is another: `math.isfinite` tells both."
        )
    if asked([*sound, (0.3, math.nan)]):
        raise Wrong("The validation loss broke, and the training loss did not. Look at the latter.")
    for large in (1e9, 1e38):
        if asked([*sound, (large, 0.7)]):
            raise Wrong(
                f"A loss of {large:g} is large, and finite. Stop only where it is `nan` or "
                "infinite."
            )
    if not asked(sound, before=True):
        raise Wrong(
            "Another callback had asked to stop, and its wish was overwritten. Set `should_stop` "
            "to True, and never back to False."
        )
    trainer = call("make_trainer", make_trainer, stop_when_broken)
    with torch.no_grad():
        next(iter(trainer.model.parameters())).fill_(math.nan)
    trainer.fit(5)
    if len(trainer.history) != 1:
        raise Wrong("A run with broken weights went on after its first epoch.")
    return (
        "Early stopping would have waited 15 epochs more. Your callback ends the run at once, and "
        "the loop did not change by a letter."
    )


def _told(stop_when_broken: object, trainer: object) -> str:
    """Let the callback act; say what it did in place of setting `should_stop`, if it did."""

    def act() -> list[object]:
        try:
            return [stop_when_broken(trainer)]
        except SystemExit:
            raise Wrong(
                "The callback raised SystemExit, as `sys.exit` and `exit` do: that ends the whole "
                "program, and no later callback saves or logs. Ask the trainer instead: "
                "`trainer.should_stop = True`."
            ) from None

    before, others = set(vars(trainer)), [*trainer.callbacks]
    (result,) = call("stop_when_broken", act)
    if [*trainer.callbacks] != others:
        raise Wrong(
            "The callback changes `trainer.callbacks`, so other callbacks no longer do their part. "
            "`trainer.should_stop = True` is enough."
        )
    if type(trainer.should_stop) not in (bool, np.bool_):
        raise Wrong(
            f"`should_stop` is {kind(trainer.should_stop)} after the callback, and it has to be "
            "True or False. `bool(...)` makes one of a tensor."
        )
    if new := sorted(set(vars(trainer)) - before):
        return f"`trainer.{new[0]}` was set, and `fit` reads `trainer.should_stop`."
    if result is not None:
        return f"The callback returns {result!r:.20}, and `fit` reads `trainer.should_stop` alone."
    return ""


@exercise(
    "11.4",
    "Say it in grams",
    "Write the scaled prediction out: (y - y mean) / y std = weight * (x - x mean) / x std + bias.",
    "Solve for y. What stands before x is `weight * y_std / x_std`, one for each column.",
    "The rest is the bias: `bias * y_std + y_mean - x_mean @ per_unit`.",
)
def weights_with_units(in_grams: object) -> str:
    """Turn a scaled model of three features back and compare predictions on new rows."""
    generator = torch.Generator().manual_seed(9)
    X = torch.randn(30, 3, dtype=torch.float64, generator=generator)
    X = X * torch.tensor([5.0, 0.2, 30.0]) + torch.tensor([40.0, 2.0, -100.0])
    y = 70 * torch.randn(30, 1, dtype=torch.float64, generator=generator) + 4000
    weight = torch.tensor([[0.5, -2.0, 0.1]], dtype=torch.float64)
    bias = torch.tensor([0.3], dtype=torch.float64)
    center, spread = X.mean(dim=0), X.std(dim=0)
    given = weight.clone(), bias.clone(), X.clone(), y.clone()
    found, shift = two("in_grams", call("in_grams", in_grams, *given))
    right = weight.T * y.std() / spread.unsqueeze(1)
    if type(found) is torch.Tensor and tuple(found.shape) == (1, 3):
        raise Wrong("The weights stand in a row. A column, as OLS gives it, is asked for: `.T`.")
    tensor("weight", found, (3, 1))
    refuse_slips(
        found,
        {
            "These are the weights as they came in. What is a step of 1 on the scaled feature "
            "in millimeters, and in grams?": weight.T,
            "These are still in spreads of y, not in grams. The target was scaled too.": weight.T
            / spread.unsqueeze(1),
            "These are grams for a spread of x. How many units is a spread?": weight.T * y.std(),
            "The spread of x multiplies. A feature with a large spread needs a *small* weight "
            "per unit.": weight.T * y.std() * spread.unsqueeze(1),
            "One spread for all columns of X. Each has its own: `dim=0`.": weight.T
            * y.std()
            / X.std(),
        },
    )
    if not close(found, right):
        raise Wrong(
            f"The weights are {[round(value, 4) for value in flat(found)]}, and in grams per unit "
            f"they are {[round(value, 4) for value in flat(right)]}. Check on one feature by hand "
            "what a unit more does to y."
        )
    shift = torch.tensor(number("bias", shift), dtype=torch.float64)
    at_center = bias * y.std() + y.mean()
    refuse_slips(
        shift.reshape(1),
        {
            "This is the prediction at the center of the features. The bias belongs to features "
            "that are 0.": at_center,
            "The mean of y is missing in the bias: it was subtracted before training.": at_center
            - y.mean()
            - center @ right.flatten(),
            "The bias of the model is missing.": y.mean() - center @ right.flatten(),
            "The bias of the model is not in grams yet: it was learned on a scaled target.": bias
            + y.mean()
            - center @ right.flatten(),
            "Here all columns have one center. Each has its own: `X_train.mean(dim=0)`.": at_center
            - X.mean() * right.sum(),
            "The share of the centers is added, and has to be subtracted.": at_center
            + center @ right.flatten(),
            "The centers are multiplied by the weights as they came in, not by those in grams per "
            "unit.": at_center - center @ weight.flatten(),
            "The centers are divided by the spreads, and then the weights in grams per unit count "
            "the spreads twice.": at_center - (center / spread) @ right.flatten(),
            "This standard deviation of y divides by n. The scaling divided by n - 1, as `.std()` "
            "does.": bias * y.std(correction=0) + y.mean() - center @ right.flatten(),
        },
        within=1e-6,
    )
    X_new = torch.eye(3, dtype=torch.float64)
    scaled = (X_new - center) / spread @ weight.T + bias
    if not close(X_new @ found + shift.reshape(1), scaled * y.std() + y.mean(), within=1e-6):
        raise Wrong(
            f"The weights are right. The bias is {shift.item():.6g}, and with "
            f"{(at_center - center @ right.flatten()).item():.6g} the predictions are those of the "
            "scaled model."
        )
    return (
        "The predictions are those of the scaled model, and the weights can now be held against "
        "what one knows about birds. Scaling helps the training and is nobody's business after it."
    )
