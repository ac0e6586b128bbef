"""Checks of exercises on classification: losses, chances, mistakes, a threshold, a partner."""

import math

import torch

from course_utils.checks.judging import (
    Wrong,
    call,
    close,
    exercise,
    kind,
    letters,
    number,
    refuse_slips,
)

LOSSES = "abcdc"  # of the five people
_CONFUSED = {
    (0, "b"): "The first asks for grams. Is that a yes or a no?",
    (0, "c"): "The first asks for grams, and no list of classes holds every mass.",
    (0, "d"): "The first asks for grams, and the loss in d wants chances.",
    (0, "e"): "The first asks for grams, and no list of classes holds every mass.",
    (1, "a"): "The squares of the second punish a bird for standing high on its own side, too. The "
    "model gives a logit: which loss was made for that?",
    (1, "c"): "The second has one logit for each bird. The loss in c wants a logit for each class.",
    (1, "d"): "The second hands over a logit, and the loss in d wants chances.",
    (1, "e"): "The second has one logit, and a softmax of a single number is always 1.",
    (
        2,
        "a",
    ): "Is a species an amount? Then a Chinstrap would lie halfway between Adelie and Gentoo.",
    (2, "b"): "The third has three logits of which one wins. The loss in b takes each by itself.",
    (2, "e"): "The loss in e gets chances and makes chances of them once more.",
    (2, "d"): "The third hands over logits, and the loss in d wants chances.",
    (3, "a"): "The squares of the fourth would train, but they hardly punish a sure mistake. It "
    "gives a chance: which loss was made for that?",
    (3, "c"): "The fourth gives one chance for each bird. The loss in c wants a logit for each "
    "class.",
    (3, "b"): "The fourth has a sigmoid at its end, and the loss in b brings one of its own.",
    (3, "e"): "The fourth gives one chance, and a softmax of a single number is always 1.",
    (4, "a"): "The fifth has a logit for each of two names. Is a name an amount?",
    (4, "b"): "The fifth has two logits for each bird, of which one wins. The loss in b takes each "
    "by itself.",
    (4, "d"): "The fifth hands over logits, and the loss in d wants chances.",
    (4, "e"): "The loss in e gets chances and makes chances of them once more.",
}


@exercise(
    "10.1",
    "Choose the loss",
    "Ask each model what comes out of its end: an amount, a logit, several logits, or a chance?",
    "`BCEWithLogitsLoss` and `CrossEntropyLoss` bring their sigmoid or softmax with them.",
    "Only one of the five hands over chances. Which one, and which loss wants chances?",
)
def which_loss(losses: object) -> str:
    """Compare five letters, and say of the first wrong one what it overlooks."""
    rule = "from a to e, one for each person"
    found = letters("losses", losses, "abcde", "aabcd", "five letters", rule)
    for person, (letter, right) in enumerate(zip(found, LOSSES, strict=True)):
        if letter != right:
            said = _CONFUSED.get((person, letter), "What comes out of that model, and how many?")
            raise Wrong(f"Person {person + 1} and {letter}: {said}")
    return (
        "The loss follows from what comes out of the model. Chances, logits and amounts are all "
        "plain numbers, so a wrong pair often raises no error."
    )


@exercise(
    "10.2",
    "Move a chance",
    "The weight belongs to the logit, not to the chance. What is the bird's logit now?",
    "`math.log` of the odds is the logit now. What does the longer bill add to it?",
    "Chance to logit, one step, and back. Which curve leads back?",
)
def moved_chance(moved: object) -> str:
    """Compare chances at several starts."""
    for chance, weight, more in ((0.2, 1.5, 0.8), (0.5, 2.0, 1.0), (0.9, -0.7, 2.0)):
        value = number("moved(...)", call("moved", moved, chance, weight, more))
        odds, step = chance / (1 - chance), weight * more
        right = _sigmoid(math.log(odds) + step)
        slips = {
            "This adds to the chance itself, which can leave the range from 0 to 1. The weight "
            "adds to the logit.": chance + step,
            "This is the chance of a bird that began at one half. Where does yours begin?": (
                _sigmoid(step)
            ),
            "The chance is taken for a logit here. Turn it into one first.": _sigmoid(
                chance + step
            ),
            "These are the new odds. A chance is odds / (1 + odds).": odds * math.exp(step),
            "This multiplies the chance. What is multiplied are the odds.": chance * math.exp(step),
            "This is the new logit. Which curve makes a chance of it?": math.log(odds) + step,
            "The logarithm of the chance is not its logit: that is the logarithm of the odds.": (
                _sigmoid(math.log(chance) + step)
            ),
            "This is the chance of an Adelie. The sign of the step, or of the logit, is turned.": (
                1 - right
            ),
            "The bill gets longer and the chance goes the wrong way: is the step subtracted?": (
                _sigmoid(math.log(odds) - step)
            ),
            "The weight counts for each spread. Yours counts it once, however much is added.": (
                _sigmoid(math.log(odds) + weight)
            ),
            "This is in percent. A chance lies between 0 and 1.": 100 * right,
            "This is the chance before the bill was measured again.": chance,
        }
        if not close(value, right):
            refuse_slips(value, slips)
            raise Wrong(
                f"From a chance of {chance} with weight {weight} and {more} spreads more, "
                f"`moved` returns {value:.4g}. Go through the logit by hand."
            )
    return (
        "A weight has no fixed worth in chances: near one half it moves them a lot, near certainty "
        "hardly at all. In logits it always counts the same."
    )


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@exercise(
    "10.3",
    "Find the recall of each species",
    "A row holds the birds of one species. Which number counts those called by their own name?",
    "Along which `dim` do you add to get all birds of a row?",
    "`table.diagonal()` gives those named right. Which sum gives all birds of each species?",
)
def shares_found(found: object) -> str:
    """Compare the share of each row that lies on the diagonal."""
    for rows in ([[38, 2], [9, 8]], [[5, 1, 0], [3, 20, 2], [0, 4, 8]], [[0, 3], [1, 9]]):
        table = torch.tensor(rows)
        value = _shares(call("found", found, table.clone()), len(rows))
        on, rows_, columns = table.diagonal().double(), table.sum(dim=1), table.sum(dim=0)
        right = (on / rows_).tolist()
        total = float(on.sum() / table.sum())
        slips = {
            "These are shares of the columns: of all birds that are *called* so, how many are so? "
            "Asked is the other question: of all that *are* so, how many are called so?": (
                (on / columns).tolist()
            ),
            "These are the shares that were missed. How many were found?": [1 - s for s in right],
            "Each row is divided by all birds of the table. Divide it by its own.": (
                (on / table.sum()).tolist()
            ),
            "This is the accuracy. It hides who pays for it: look at each species by itself.": (
                [total] * len(rows)
            ),
            "These are counts. Of how many birds?": on.tolist(),
            "These are percentages. A share lies between 0 and 1.": [100 * s for s in right],
            "These are rounded to two places. Return the shares as they are.": [
                round(s, 2) for s in right
            ],
            "These are rounded to three places. Return the shares as they are.": [
                round(s, 3) for s in right
            ],
        }
        if not all(map(close, value, right)):
            for said, slip in slips.items():
                if all(map(close, value, slip)):
                    raise Wrong(said)
            first = [close(v, r) for v, r in zip(value, right, strict=True)].index(False)
            raise Wrong(
                f"For the table {rows} it returns {[round(v, 3) for v in value]}. In row "
                f"{first + 1} there are {sum(rows[first])} birds, and {rows[first][first]} of them "
                "are named right."
            )
    return (
        "A high accuracy can hide a species that is hardly ever found, most of all a rare one. "
        "The rows tell its recall; the columns would give the precision."
    )


def _shares(value: object, count: int) -> list[float]:
    if type(value) is torch.Tensor or type(value).__module__ == "numpy":
        value = (value.reshape(-1) if value.ndim == 2 else value).tolist()
    if type(value) is dict:
        value = [*value.values()]
    if type(value) not in (list, tuple):
        said = " All species at once would be the accuracy." if type(value) is float else ""
        raise Wrong(f"`found` returns {kind(value)}, expected a share for each species.{said}")
    if len(value) != count:
        raise Wrong(f"`found` returns {len(value)} values for a table of {count} species.")
    return [number("found(table)", share) for share in value]


@exercise(
    "10.4",
    "Pay for mistakes",
    "Write down the cost of one threshold first: `miss` for each Chinstrap below it, `alarm` for "
    "each Adelie at or above it.",
    "Between which two thresholds does no bird change its name? So which ones are worth trying?",
    "Only the chances themselves, and one above them all. A loop over these that remembers the "
    "cheapest is enough.",
)
def cheapest_threshold(threshold: object) -> str:
    """Hold the cost of the threshold against the lowest there is."""
    generator = torch.Generator().manual_seed(420)
    y = (torch.rand(80, generator=generator) < 0.4).float()
    logit = 4 * (y - 0.5) + 3 * torch.randn(80, generator=generator)
    chance = torch.sigmoid(2 * logit + 1)  # too sure of itself, and too fond of Chinstraps
    for miss, alarm in ((9.0, 1.0), (1.0, 20.0), (1.0, 1.0), (0.0, 1.0)):
        given = chance.unsqueeze(1).clone(), y.unsqueeze(1).clone()
        value = call("threshold", threshold, *given, miss, alarm)
        value = value.item() if getattr(value, "ndim", 1) == 0 else value
        if not (type(value) is float and math.isinf(value)):  # inf: nobody gets a transmitter
            value = number("threshold(...)", value)

        def cost(edge: float, miss: float = miss, alarm: float = alarm) -> float:
            said = chance >= edge
            return miss * float((~said & (y == 1)).sum()) + alarm * float((said & (y == 0)).sum())

        tried = [*chance.tolist(), 1.1]
        least, mine = min(map(cost, tried)), cost(value)
        if mine <= least + 1e-6:
            continue
        told = f"With miss {miss:g} and alarm {alarm:g} it costs {mine:g}. A cheaper one exists. "
        if close(value, alarm / (alarm + miss)):
            raise Wrong(
                f"{told}`alarm / (alarm + miss)` would be best if the chances came true. These are "
                "too sure of themselves: ask the birds."
            )
        if close(value, min(tried, key=lambda edge: cost(edge, alarm, miss))):
            raise Wrong(f"{told}Are the two costs swapped? A miss is a Chinstrap below it.")
        if close(value, max(tried, key=cost)):
            raise Wrong(f"{told}This is the dearest of all: the lowest cost is asked for.")
        if cost(value, 1.0, 1.0) <= min(cost(edge, 1.0, 1.0) for edge in tried):
            raise Wrong(f"{told}Yours makes the fewest mistakes, whatever each of them costs.")
        above = min((edge for edge in tried if edge > value), default=1.1)
        if value in tried and cost(above) <= least + 1e-6:
            raise Wrong(
                f"{told}At or above: a bird whose chance *is* the threshold gets a transmitter, "
                "too. Is it `>` instead of `>=`?"
            )
        if close(value, 0.5):
            raise Wrong(f"{told}0.5 is a habit. Try other thresholds on the birds you are handed.")
        raise Wrong(f"{told}Does it try every place where a bird changes its name?")
    return (
        "The model stays, and its loss too. What a mistake costs is not in the data: somebody has "
        "to say it, and the threshold is where it is said."
    )


LEFT = {"bill_depth_mm": 6, "flipper_length_mm": 9, "body_mass_g": 3}  # by a line, of 219


@exercise(
    "10.5",
    "Choose a partner",
    "Scale each pair as the lesson did with `bills`: for raw ones a rate of 1.0 is far too high.",
    "`X[:, [0, column]]` holds a pair. Make a new `nn.Linear(2, 1)` for each.",
    "`((model(pair) > 0) != (y == 1)).sum()` counts the birds on the wrong side.",
)
def best_partner(partner: object, left: object) -> str:
    """Compare a partner, and how many birds its line leaves, with what training leaves."""
    if type(partner) is not str or partner not in LEFT:
        raise Wrong(f"`partner` is {partner!r:.60}. It is one of {', '.join(LEFT)}.")
    count, usual = number("left", left), LEFT[partner]
    slips = {
        "As many as always saying Adelie leaves: does each line start anew, on scaled columns?": 68,
        "These are the birds on the right side. How many are on the wrong one?": 219 - usual,
        "This is a share. How many birds is it?": usual / 219,
        "This is a percentage. How many birds is it?": 100 * usual / 219,
    }
    refuse_slips(count, slips)
    if partner != "body_mass_g":
        if close(count, usual):
            raise Wrong(f"That is what it leaves, {count:g} birds. Another partner leaves fewer.")
        raise Wrong(f"With `{partner}` a trained line leaves more than the best partner does.")
    if usual < count <= 7:
        raise Wrong(
            "The right partner, with too many birds: train longer, or is it the depth's count?"
        )
    if not close(count, usual):
        raise Wrong(
            f"The right partner, but its trained line does not leave {count:g} birds. Count all "
            "219: those with a logit above 0 that are no Chinstraps, and the other way round."
        )
    return (
        "Two species with nearly the same mass, and yet it is the mass that helps the bill most: "
        "at one length, the lighter bird is the Chinstrap. A feature is worth what it adds to the "
        "others."
    )
