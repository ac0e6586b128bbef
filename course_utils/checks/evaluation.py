"""Checks of exercises on evaluation."""

import torch
from torch.utils.data import DataLoader, Subset, TensorDataset

from course_utils import datasets
from course_utils.checks.judging import (
    CROSSED,
    Wrong,
    call,
    close,
    exercise,
    letters,
    number,
    refuse_slips,
    tensor,
)

WHO = "vtentv"
_JOBS = [  # what each question of 07.1 is about
    "two models are compared, so something is chosen.",
    "a step follows the gradient. Which rows give it?",
    "nothing is left to choose. This is what the seal was for.",
    "the envelope has just decided something. What has it become?",
    "what is done to every flipper before training is part of the training.",
    "the end of the training is chosen as well.",
]
_FOR_ALL = (
    "the mean would then know birds that the exam asks for, which is a leak. A new bird comes "
    "without a mean of its own: take that of the training birds."
)
_OVERLOOKED = {
    (4, "v"): _FOR_ALL,
    (4, "e"): _FOR_ALL,
    (0, "t"): "on the training birds the higher degree always wins, however wild it is.",
    (5, "t"): "their miss goes on falling, and they would never say stop.",
    (2, "v"): "they chose, so their score flatters the winner a little.",
    (3, "e"): "it chose the new model, so its score flatters that one a little.",
    (3, "v"): "they have chosen several times by now, so their score flatters the winner.",
}


@exercise(
    "07.1",
    "Say who may answer",
    "Ask of each question: is it part of the training, is something chosen, or is it the report?",
    "Whatever is computed and then used in training, a mean too, comes from the training birds.",
    "Two letters stand twice.",
)
def who_may_answer(who: object) -> str:
    """Compare six letters, and say what the first wrong one overlooks."""
    rule = "out of t, v, e and n, one for each question"
    found = letters("who", who, WHO, "nevtne", "six letters", rule, str.isalpha)
    for place, (letter, right) in enumerate(zip(found, WHO, strict=True)):
        if letter != right:
            said = _OVERLOOKED.get((place, letter), _JOBS[place])
            raise Wrong(f"Question {place + 1}: {said}")
    return (
        "What has chosen cannot report. In the end only birds that nobody has met can help, and "
        "they are the most expensive ones."
    )


class Noted(list):
    """A list that a copy of its owner shares."""

    def __deepcopy__(self, memo: dict) -> "Noted":
        return self


class Witness(torch.nn.Module):
    """A line with dropout behind it that notes how it was asked."""

    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(1, 1)
        self.dropout = torch.nn.Dropout(0.5)
        torch.nn.init.constant_(self.line.weight, 2.0)
        torch.nn.init.constant_(self.line.bias, 1.0)
        self.asked = Noted()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Predict 2 x + 1."""
        y_pred = self.line(X)
        self.asked.append((self.training, self.dropout.training, y_pred.requires_grad))
        return self.dropout(y_pred)


def _refuse_switches(model: Witness) -> None:
    """Raise Wrong where a model was not asked in evaluation mode, or not at all."""
    if not model.asked:
        raise Wrong("The model that was handed in is never asked for a prediction.")
    if any(inner and not outer for outer, inner, _ in model.asked):
        raise Wrong(
            "The flag `training` of the model is False, that of the dropout inside is True, so it "
            "still drops. `model.eval()` reaches every layer."
        )
    if any(inner for _, inner, _ in model.asked):
        raise Wrong("The model predicts in training mode: dropout changes what you measure.")


def _refuse_traces(model: Witness, mode: bool) -> None:
    """Raise Wrong where a model was not asked as an evaluation asks, or is not as it was before."""
    _refuse_switches(model)
    if not all(parameter.requires_grad for parameter in model.parameters()):
        raise Wrong(
            "The parameters come back without `requires_grad`, so the model cannot be trained on. "
            "`torch.inference_mode()` switches off the recording and leaves them alone."
        )
    if any(recorded for *_, recorded in model.asked):
        raise Wrong("Gradients are recorded while you measure. `eval()` does not stop that.")
    before, after = ("training", "evaluation") if mode else ("evaluation", "training")
    if model.training is not mode:
        raise Wrong(
            f"The model came in {before} mode and leaves in {after} mode, and so goes on "
            "with dropout switched the wrong way."
        )
    if model.dropout.training is not mode:
        raise Wrong(
            f"The flag of the model says {before} again, and the dropout inside is still in "
            f"{after} mode. `model.train(was_training)` reaches every layer."
        )
    if not close(torch.cat([p.reshape(-1) for p in model.parameters()]), torch.tensor([2.0, 1.0])):
        raise Wrong("The parameters have moved. An evaluation makes no step.")


@exercise(
    "07.2",
    "Evaluate without a trace",
    "`miss` flips both switches. What does it leave changed in the model?",
    "`model.training` is True or False. Keep it before you call `eval()`, and hand it to "
    "`model.train(...)` at the end.",
    "Add up the squared residuals of all batches, and the rows. Divide, and take the root, after "
    "the last batch.",
)
def evaluation(evaluate: object) -> str:
    """Measure a model with dropout on 7 rows in batches of 3, in both of its modes."""
    X = torch.linspace(-1, 1, 7).unsqueeze(1)
    residuals = torch.tensor([[0.1], [-0.4], [1.0], [0.3], [-0.2], [0.6], [2.0]])
    y = 2 * X + 1 + residuals
    squares = residuals.square()
    roots = torch.stack([part.mean().sqrt() for part in squares.split(3)])
    sizes = torch.tensor([3.0, 3.0, 1.0])
    right, total = squares.mean().sqrt(), squares.sum()
    crossed = [
        (b.squeeze(1) - a).square() for a, b in zip((2 * X + 1).split(3), y.split(3), strict=True)
    ]
    uneven = "This is the root of a plain mean over uneven batches: the row of the last batch "
    slips = {
        "This is the MSE. Its root is asked for, in the unit of y.": squares.mean(),
        "This is the mean of the RMSEs of the batches. Take the root once, at the very end.": (
            roots.mean()
        ),
        "The RMSEs of the batches are weighed by their rows, and still each root is taken before "
        "the mean. Take it once, at the very end.": (roots * sizes).sum() / 7,
        uneven + "counts as much as three. Weigh each batch by its rows.": (
            roots.square().mean().sqrt()
        ),
        "This is the root of the sum. Divide by the number of rows first.": total.sqrt(),
        "This divides by the number of batches. How many rows are there?": (total / 3).sqrt(),
        "The root is divided by the rows. Divide the sum of the squares, then take the root.": (
            total.sqrt() / 7
        ),
        "This divides by one row less than there are.": (total / 6).sqrt(),
        "This is the mean absolute miss. Square the residuals first.": residuals.abs().mean(),
        "Misses to both sides cancel each other. Square each residual first.": (
            residuals.mean().abs()
        ),
        "This is the RMSE of the last batch alone.": roots[2],
        "This is the RMSE of the first batch alone. Is the `return` inside the loop?": roots[0],
    }
    for mode in (True, False):
        model = Witness().train(mode)
        loader = DataLoader(TensorDataset(X, y), batch_size=3)
        value = call("evaluate", evaluate, model, loader)
        _refuse_traces(model, mode)
        value = number("evaluate(model, loader)", value)
        refuse_slips(value, {said: slip.item() for said, slip in slips.items()})
        for sums in (sum(part.sum() for part in crossed), sum(len(p) * p.mean() for p in crossed)):
            refuse_slips(value, {CROSSED: (sums / 7).sqrt().item()})
        if not close(value, right.item()):
            raise Wrong(
                f"The RMSE of this model over 7 rows in batches of 3 is {right.item():.4f}, and "
                f"`evaluate` returns {value:.4f}. What is added up, and what is divided by what?"
            )
    return (
        "An evaluation that leaves no trace may stand anywhere, even in the middle of an epoch: "
        "dropout stays on for the steps that follow."
    )


# what a search chooses on the four data sets of the judge, and what it did
_SEARCHES = {
    (12, 12, 12, 12): "It always takes 12. Are the rows that judge a fit other rows than made it?",
    (4, 3, 12, 11): "The validation rows helped to make the fits, so they cannot judge them: they "
    "have been seen. Fit the training rows alone.",
    (3, 10, 12, 12): "The fits are made from `.dataset`, all rows the subset was cut from, and "
    "validation rows are among them. Index the subset itself: `train_rows[:]`.",
    (9, 6, 12, 7): "The fits are made from `.dataset`, all rows the subset was cut from. Index the "
    "subset itself: `train_rows[:]`.",
    (2, 5, 12, 10): "Training rows are among those that judge the fits, so following their noise "
    "pays. The validation rows alone judge.",
    (2, 5, 12, 5): "The fits are judged on `.dataset`, all rows the subset was cut from, and "
    "training rows are among them. Index the subset itself.",
    (1, 5, 12, 5): "Training and validation rows have changed places: the training rows make the "
    "fits, the validation rows judge them.",
    (0, 2, 11, 9): "Each choice is one degree too low. Does a list's first place belong to 1?",
    (2, 4, 13, 11): "Each choice is one degree too high. Which degree does a list's place 0 hold?",
    (0, 3, 12, 10): "Degree 0 is in the search, which should begin at 1.",
    (0, 3, 1, 10): "The search goes from 0 to 11. It should begin at 1 and end at 12.",
    (2, 3, 12, 10): "Degree 1 is never tried. Where does the `range` begin?",
    (1, 3, 1, 10): "Degree 12 is never tried: `range` stops before its end.",
    (1, 3, 13, 10): "Degree 13 is in the search, which should end at 12.",
    (1, 3, 12, 5): "Not every degree is tried: the four of the lesson leave out the best one here.",
    (1, 1, 1, 3): "The search ends at the first degree that does worse than the one before it. A "
    "later one may still do better: try all 12.",
    (12, 2, 9, 1): "This is the degree with the highest validation RMSE. The lowest wins.",
}
_RIGHT_DEGREES = 1, 3, 12, 10
_ROUNDED = "Rounded RMSEs tie, and the first of them wins. Compare all digits."
_CLOSE = {  # what else a search chooses where MAE, RMSE and rounded RMSE are lowest apart
    12: "The one chosen here has the lowest MAE. `rmse` gives the RMSE.",
    5: _ROUNDED,
    3: _ROUNDED,
}


@exercise(
    "07.3",
    "Let the validation birds choose",
    "Fit each degree to the training rows, then measure it on the validation rows: "
    "`rmse(curve(X), y)`, since `miss` wants a model.",
    "A dict from degree to RMSE keeps both together: `misses[degree] = ...`.",
    "`min` takes a `key`: what each degree is compared by. `misses.get` says it for a dict.",
)
def best_degree(choose_degree: object) -> str:
    """Choose for pure noise (degree 1), two samples of the curve, and a polynomial of degree 12."""
    generator = torch.Generator().manual_seed(10)
    X_noise = 4 * torch.rand(80, 1, generator=generator) - 2
    y_noise = 3 + torch.randn(80, 1, generator=generator)
    order = torch.randperm(80, generator=torch.Generator().manual_seed(8))
    X_bent = torch.linspace(-1, 1, 80)[order].unsqueeze(1)
    angle = torch.arccos(X_bent)
    y_bent = torch.cos(12 * angle) + 0.1 * torch.cos(13 * angle)
    curves = datasets.make_curve(80, seed=4), datasets.make_curve(80, seed=38)
    chosen = []
    for X, y in ((X_noise, y_noise), curves[0], (X_bent, y_bent), curves[1]):
        points = TensorDataset(X, y)  # its last 20 rows belong to no one
        rows = Subset(points, [*range(40)]), Subset(points, [*range(40, 60)])
        chosen.append(number("choose_degree(...)", call("choose_degree", choose_degree, *rows)))
    if any(degree != int(degree) for degree in chosen):
        raise Wrong("This is not a degree. Return the degree of the lowest RMSE, not the RMSE.")
    if tuple(chosen) in _SEARCHES:
        raise Wrong(_SEARCHES[tuple(chosen)])
    if len(set(chosen)) == 1:
        raise Wrong("Any rows get the same degree. Are the rows used that are handed in?")
    if any(not 1 <= degree <= 12 for degree in chosen):
        raise Wrong(f"It chooses {min(chosen)} to {max(chosen)}. The search goes from 1 to 12.")
    if wrong := [place for place in range(4) if chosen[place] != _RIGHT_DEGREES[place]]:
        raise Wrong(
            f"On {len(wrong)} of 4 sets of fresh rows, another degree from 1 to 12 has a lower "
            "validation RMSE than the one it returns. Which rows make the fits, which judge them?"
        )
    X, y = datasets.make_curve(80, seed=323)
    rows = Subset(TensorDataset(X, y), [*range(40)]), Subset(TensorDataset(X, y), [*range(40, 60)])
    degree = number("choose_degree(...)", call("choose_degree", choose_degree, *rows))
    if degree != 6:
        raise Wrong(
            "On a set where the two lowest RMSEs are close, another degree has the lowest one. "
            + _CLOSE.get(degree, "Are the RMSEs of the validation rows compared as they are?")
        )
    return (
        "The validation rows chose. They chose among 12, so on average their RMSE flatters the "
        "winner a little; test rows give the number to report."
    )


@exercise(
    "07.4",
    "Answer, or refuse",
    "Three things are needed: the range of the training rows, the RMSE on the test rows, and "
    "one prediction.",
    "`X_seen, y_seen = train_set[:]`, and then `X_seen.min()` and `X_seen.max()` are the ends.",
    "A model takes a column: `torch.tensor([[float(flipper)]])`. `miss` measures in evaluation "
    "mode and leaves the model in it.",
)
def weighing(weigh: object) -> str:
    """Weigh inside, at the ends and outside of the training range, with a model that drops."""
    if not callable(weigh):
        call("weigh", weigh)
    margin = _RESIDUALS[_NEW].square().mean().sqrt().item()
    slips = {
        "The margin is the RMSE on the training rows, which made the model.": (
            _RESIDUALS[_SEEN].square().mean().sqrt().item()
        ),
        "The margin comes from all rows that the subset was cut from. Index the subset itself.": (
            _RESIDUALS.square().mean().sqrt().item()
        ),
        "The margin is the MSE, which has another unit. Take its root.": margin**2,
        "The margin is the mean absolute miss on the test rows, not their RMSE.": (
            _RESIDUALS[_NEW].abs().mean().item()
        ),
        "Half of the RMSE lies on each side. Give each side the whole.": margin / 2,
        "The margin is twice the RMSE on the test rows. Once is asked for.": 2 * margin,
        "Both numbers are the prediction itself. Where is the give or take?": 0.0,
    }
    low, high = _ends(weigh, 3.0)
    if close(low, 7.0) and close(high, margin):
        raise Wrong("These are the prediction and its margin. Return the two ends, low and high.")
    if not close((low + high) / 2, 7.0):
        raise Wrong(
            f"For a flipper of 3 the model predicts 7, and the middle of the two numbers is "
            f"{(low + high) / 2:.4g}. Is it the model that was handed in, and the flipper as it is?"
        )
    if low > high:
        raise Wrong("The upper number comes first. Return the lower one, then the upper one.")
    refuse_slips((high - low) / 2, slips)
    if not close((high - low) / 2, margin):
        raise Wrong("The two numbers are not one RMSE on the test rows from the prediction.")
    for flipper in (1.0, 7.0):
        if not close(sum(_ends(weigh, flipper)) / 2, 2 * flipper + 1):
            raise Wrong(f"At a flipper of {flipper:g}, an end of the range, the middle is another.")
    for flipper in (-3.0, 20.0, 0.5, 8.0):
        result, _ = _asked(weigh, flipper)
        if result == "None":
            raise Wrong(
                f"A flipper of {flipper:g} is answered with None, and whoever called may go on "
                "with that. `raise ValueError(...)` cannot be overlooked."
            )
        if result != "refused":
            near = " Is the range that of the training rows alone?" if 0 <= flipper <= 9 else ""
            raise Wrong(
                f"A flipper of {flipper:g} is answered, and those of the training rows go from 1 "
                f"to 7.{near}"
            )
    return (
        "A number that knows its margin and its range can be handed to somebody who never saw your "
        "data. Most models in the world refuse nothing."
    )


_SEEN, _NEW = [1, 2, 3, 4], [5, 6, 7]  # training and test rows; two rows belong to no one
_RESIDUALS = torch.tensor([[5.0], [0.1], [-0.1], [0.3], [-0.2], [0.6], [-0.8], [1.1], [7.0]])


def _asked(weigh: object, flipper: float) -> tuple[object, Witness]:
    """Return what `weigh` says, "refused" where it raises ValueError, and the model it was given.

    The training rows have flippers from 1 to 7, those for the test from 2 to 9.
    """
    X = torch.tensor([[0.0], [1.0], [2.5], [4.0], [7.0], [2.0], [3.0], [9.0], [12.0]])
    points, model = TensorDataset(X, 2 * X + 1 + _RESIDUALS), Witness()

    def answer(*args: object) -> object:
        try:
            result = weigh(*args)
        except ValueError:
            return "refused"
        return "None" if result is None else result

    rows = Subset(points, _SEEN), Subset(points, _NEW)
    result = call("weigh", answer, model, flipper, *rows)
    if type(result) is torch.Tensor:
        result = list(result.detach().reshape(-1))
    return result if type(result) in (str, tuple, list) else [result], model


def _ends(weigh: object, flipper: float) -> tuple[float, float]:
    """Return the two numbers for a flipper inside the range."""
    result, model = _asked(weigh, flipper)
    if result == "refused":
        raise Wrong(
            f"A flipper of {flipper:g} is refused, and those of the training rows go from 1 to 7, "
            "both ends included. Which rows give the range?"
        )
    if type(result) is str or len(result) != 2:
        raise Wrong("`weigh` does not return two numbers, the lower and the upper one.")
    _refuse_switches(model)
    return tuple(number("weigh(...)", value) for value in result)


@exercise(
    "07.5",
    "Hide a drawing",
    "Make the drawing first, a number for each x. Then add a line to it.",
    "The steeper the line that you add, the nearer R-squared comes to 1.",
    "`my_X = torch.linspace(-3, 3, 80).unsqueeze(1)` gives 80 places. A drawing is then a function "
    "of `my_X`: `my_X.abs()` is a roof upside down.",
)
def hidden_drawing(my_X: object, my_y: object) -> str:
    """Hold the residuals of the best line against the same ones in another order."""
    rows = tensor("my_X", my_X).numel()
    if not 30 <= rows <= 2000:
        raise Wrong(f"`my_X` holds {rows} numbers. Make 30 points or more, 2,000 at most.")
    X = tensor("my_X", my_X, (rows, 1)).double()
    y = tensor("my_y", my_y, (rows, 1)).double()
    if X.min() == X.max() or y.min() == y.max():
        raise Wrong("All features are equal, or all targets, so there is no line to speak of.")
    columns = torch.cat([X, torch.ones_like(X)], dim=1)
    residuals = y - columns @ torch.linalg.lstsq(columns, y).solution
    left = (residuals.square().sum() / (y - y.mean()).square().sum()).item()
    if left < 1e-9:
        raise Wrong("The points lie on their line, as exactly as float32 can. Nothing is left.")
    if left >= 0.05:
        raise Wrong(
            f"Their best line has an R-squared of {1 - left:.3f}, and above 0.95 is asked for. "
            "Add a steeper line to the drawing, or draw it flatter."
        )
    if not _has_shape(X, residuals):
        raise Wrong(
            "In these residuals the check sees no shape, so they look like chance. A residual of a "
            "drawing depends on x, or on its neighbors. If it is a drawing, give it more points."
        )
    return (
        f"R-squared is 1 minus {left:.1g}, and nobody who reads that number alone will ever see "
        "your drawing. Look at the residuals before you believe a score."
    )


def _has_shape(X: torch.Tensor, residuals: torch.Tensor) -> bool:
    """Tell whether neighbors along x, or in the picture, are nearer than chance would have it."""
    in_order = residuals[X.flatten().argsort()]
    sizes = in_order.abs()  # a circle has two sides, as far from zero as each other
    for heights, part in ((in_order, 0.8), (sizes, 1.0)):
        if (heights[1:] - heights[:-1]).square().mean() < part * heights.var():
            return True
    before = torch.cat([in_order[:-2], in_order[1:-1]], dim=1)  # a wave follows from two neighbors
    off = in_order[2:] - before @ torch.linalg.lstsq(before, in_order[2:]).solution
    if off.square().mean() < 0.5 * residuals.var() or sizes.var() < 0.02 * residuals.var():
        return True
    points = torch.cat(
        [X / (X.max() - X.min()), residuals / (residuals.max() - residuals.min())], 1
    )
    points = points.unique(dim=0)
    shuffle = torch.randperm(len(points), generator=torch.Generator().manual_seed(420))
    mixed = torch.stack([points[:, 0], points[shuffle, 1]], dim=1)
    near, far = (
        (torch.cdist(some, some) + 9 * torch.eye(len(some))).min(dim=1).values.mean()
        for some in (points, mixed)
    )
    return bool(near < 0.6 * far)
