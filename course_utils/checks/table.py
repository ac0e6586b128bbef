"""Checks of exercises on real tables: slips, categories, a callback, gaps."""

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
    letters,
    refuse_slips,
    tensor,
)

SLIPS = "cdeba"  # of the five people
_MISTAKEN = {
    (0, "a"): "A file with the weights alone starts the schedule anew. It does not speed it up.",
    (0, "d"): "Batches that come out even or not do not touch the rate. Who calls the scheduler?",
    (1, "c"): "The scheduler knows no layer. What has a batch of one row for a spread?",
    (1, "e"): "Gradients come after the forward pass, and that is where BatchNorm gave up.",
    (2, "a"): "No file was loaded here. What keeps one typo from throwing the weights?",
    (2, "b"): "A leak flatters a score, and throws no weights. What care was taken, and when?",
    (2, "c"): "The scheduler changes the rate. The length of the gradients is not its business.",
    (2, "d"): "One row makes a gradient like any other. When is there something to clip?",
    (3, "a"): "The weights are those that were trained. What had seen the test rows before?",
    (3, "d"): "One row more or less does not halve a miss. What had seen the test rows before?",
    (4, "b"): "A leak flatters the test rows. What had the run known, and the file did not hold?",
    (4, "c"): "That would have shown before the stop as well. What did the file not hold?",
    (4, "d"): "One row over was there before the stop as well. What did the file not hold?",
    (4, "e"): "Then nothing was clipped before the stop either. What did the file not hold?",
}


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
    "Name the slip",
    "Ask of each: at which line of the loop does it go wrong, or before the loop, or after it?",
    "Mean and spread of one row: which of the two is there?",
    "Whose first score looks too good, and what had seen those rows before?",
)
def name_the_slip(slips: object) -> str:
    """Compare five letters, and say of the first wrong one what it overlooks."""
    rule = "from a to e, one for each person"
    found = letters("slips", slips, "abcde", "abcde", "five letters", rule)
    for person, (letter, right) in enumerate(zip(found, SLIPS, strict=True)):
        if letter != right:
            said = _MISTAKEN.get((person, letter), "Which does it change: rate, steps or score?")
            raise Wrong(f"Person {person + 1} and {letter}: {said}")
    return (
        "Only one of the five got an error. The others ran on without a word, and one of them "
        "looked better than it was: that is where nobody searches."
    )


@exercise(
    "11.2",
    "Encode new birds",
    "How large is the table, and what stands in it before you have looked at any word?",
    "Start from zeros. A list can tell at which place a word stands. And what does it do if there "
    "is none?",
    "`for row, word in enumerate(words):` gives the row of a 1, and `categories.index(word)` its "
    "column. There an unknown word raises the `ValueError` by itself.",
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
    if found.dtype != torch.float32:
        raise Wrong(f"The table holds {found.dtype}, and a layer wants float32: `.float()`.")
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
    "11.3",
    "Stop a broken run",
    '`trainer.history["train_loss"]` holds all losses. Which one belongs to this epoch?',
    "`nan` is neither larger nor smaller than anything. `torch.tensor(...).isfinite()` tells, and "
    "after `import math` also `math.isfinite(...)`.",
    "If the last training loss is not finite, `trainer.should_stop = True`; else change nothing.",
)
def broken_run(stop_when_broken: object, make_trainer: object) -> str:
    """Hand the callback trainers after sound and broken epochs, then break a run for good."""

    def asked(losses: list[tuple[float, float]], before: bool = False) -> bool:
        trainer = call("make_trainer", make_trainer, lambda trainer: None)
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
            "infinite is another: `torch.tensor(...).isfinite()` tells both."
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
        a.shape == b.shape and torch.allclose(a, b, equal_nan=True)
        for a, b in zip(given, (X_train, X_new), strict=True)
    ):
        raise Wrong("The tensors handed in were changed. Fill copies: `torch.where`.")
    if [*map(_shape, (train, new))] == [(3, 2), (4, 2)]:
        raise Wrong("The two come in the other order. Return the training rows first.")
    for name, rows, shape in (("training rows", train, (4, 2)), ("new rows", new, (3, 2))):
        if type(rows) is torch.Tensor and rows.ndim == 2 and len(rows) < shape[0]:
            raise Wrong(f"Some {name} are gone. Keep them all, and fill their gaps.")
        if type(rows) is torch.Tensor and any(map(math.isnan, flat(rows))):
            raise Wrong(f"The {name} still hold `nan`. {_why_gaps_stay(fill)}")
        tensor(name, rows, shape)
    refuse_slips(
        torch.stack([new[0, 0], new[1, 1]]),
        {
            "The new rows are filled with their own means. A bird that comes alone has none, and "
            "with test rows it is a leak.": torch.tensor([19.5, 2500.0]),
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
    for name, rows, right, first in (
        ("new rows", new, right_new, 0),
        ("training rows", train, right_train, 2),
    ):
        filled = torch.stack([rows[first, 0], rows[1, 1]])
        if not close(filled, torch.tensor([4.0, 500.0])):
            raise Wrong(
                "Gaps become the mean of their column in the training rows. Here those of the "
                f"{name} became {filled[0]:g} and {filled[1]:g}, and the means are 4 and 500."
            )
        if not close(rows, right):
            raise Wrong(f"A value of the {name} that was no gap has changed.")
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


def _shape(value: object) -> tuple[int, ...]:
    return tuple(value.shape) if type(value) is torch.Tensor else ()


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
