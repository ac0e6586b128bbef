"""Checks of exercises on evaluation."""

import torch
from torch.utils.data import Subset, TensorDataset

from course_utils import datasets
from course_utils.checks.judging import (
    CROSSED,
    HALF_MSE,
    Wrong,
    call,
    close,
    exercise,
    kind,
    number,
    refuse_slips,
    tensor,
)

ROOT_OF_MSE = "This is the root of the MSE, and the exercise asks for the MSE itself."
SUM_OF_SQUARES = "This is the sum of the squares. Divide it by the number of rows."


@exercise(
    "07.1",
    "Miss by how much on average",
    "A miss is a residual, target minus prediction. Two misses of -1 and 1 are not 0 on average.",
    "`.abs()` drops the signs; after it comes the mean.",
)
def average_miss(mean_miss: object) -> str:
    """Take the mean absolute error of five predictions."""
    residuals = torch.tensor([[1.0], [-3.0], [0.5], [-4.0], [3.13]])
    y = torch.tensor([[2.0], [4.0], [1.0], [2.5], [8.0]])
    y_pred, misses = y - residuals, residuals.abs()
    given = y_pred.clone(), y.clone()
    value = number("mean_miss(y_pred, y)", call("mean_miss", mean_miss, *given))
    if not (close(given[0], y_pred) and close(given[1], y)):
        raise Wrong("`mean_miss` changes the tensors it is handed. Make new ones instead.")
    mse = residuals.square().mean()
    slips = {
        "Misses to both sides cancel each other. Drop their signs before you take the mean.": (
            residuals.mean().abs()
        ),
        "This is the MSE. Here the misses count as they are, not squared.": mse,
        HALF_MSE + " Here the misses are not squared at all.": mse / 2,
        "This is the RMSE, in which large misses weigh more. Square nothing here.": mse.sqrt(),
        "This is the sum of all misses. How many rows are there?": misses.sum(),
        "This divides by one row less than there are.": misses.sum() / 4,
        "`//` cuts off the digits behind the point. Divide with `/`.": misses.sum() // 5,
        "This is the largest miss. The mean takes them all.": misses.max(),
        "This is the median, the miss in the middle. The mean takes them all.": misses.median(),
        "This is a standard deviation: it squares the misses, and takes their mean off first.": (
            residuals.std()
        ),
        "This is the length of the residuals as a vector, the root of their sum of squares.": (
            residuals.norm()
        ),
        "This squares the misses below 1. `nn.L1Loss` takes all as they are.": (
            torch.nn.functional.smooth_l1_loss(y_pred, y)
        ),
        "Each miss is divided by its target. The exercise asks for the miss in the unit of y.": (
            (misses / y).mean()
        ),
        CROSSED: (y - y_pred.squeeze(1)).abs().mean(),
    }
    refuse_slips(abs(value), {said: slip.item() for said, slip in slips.items()})
    if close(value, number("mean_miss(y, y)", call("mean_miss", mean_miss, y.clone(), y.clone()))):
        raise Wrong("Other predictions, same result. Does it use what it is handed?")
    if not close(value, mean := misses.mean().item()) and close(value, mean, 0.02):
        raise Wrong("This is the mean, rounded. Return it with all its digits.")
    if not close(value, mean):
        raise Wrong(
            f"Predictions that miss by 1, 3, 0.5, 4 and 3.13 give {value:.4g} here, and their mean "
            "is another. Try it by hand."
        )
    return (
        "The MAE has the unit of y, and one wild row counts less in it than in the RMSE. Where it "
        "lies far below the RMSE, a few rows are missed by much more than the others."
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
        modes = self.training, self.dropout.training
        self.asked.append((len(X) if X.dim() > 1 else 1, modes, y_pred.requires_grad))
        return self.dropout(y_pred)


def _refuse_traces(model: Witness, mode: bool) -> None:
    """Raise Wrong where a model was not asked as an evaluation asks, or is not as it was before."""
    if not model.asked:
        raise Wrong("The model that was handed in is never asked for a prediction.")
    if any(rows > 4 for rows, _, _ in model.asked):
        raise Wrong("The subset has 4 rows and the model got all 12. Index the subset itself.")
    modes = [modes for _, modes, _ in model.asked]
    if (False, True) in modes:
        raise Wrong(
            "The flag `training` of the model is False, that of the dropout inside is True, so it "
            "still drops. `model.eval()` reaches every layer."
        )
    if any(inner for _, inner in modes):
        raise Wrong("The model predicts in training mode: dropout changes what you measure.")
    if not all(parameter.requires_grad for parameter in model.parameters()):
        raise Wrong(
            "The parameters come back without `requires_grad`, so the model cannot be trained on. "
            "`torch.inference_mode()` switches off the recording and leaves them alone."
        )
    if any(recorded for _, _, recorded in model.asked):
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
    "`mean_loss` does nearly all of it. What does it leave changed in the model?",
    "`model.training` is True or False. Keep it before you call `eval()`.",
    "`model.train(was_training)` puts either mode back. Do it after the loss is computed.",
)
def evaluation(evaluate: object) -> str:
    """Measure a model with dropout on 4 of 12 rows, in both of its modes."""
    X = torch.linspace(-1, 1, 12).unsqueeze(1)
    y = 2 * X + 1 + torch.linspace(0, 1, 12).unsqueeze(1) ** 2
    kept = [1, 4, 9, 10]
    residuals = (y - 2 * X - 1)[kept]
    mse, y_pred = residuals.square().mean(), (2 * X + 1)[kept]
    slips = {
        ROOT_OF_MSE: mse.sqrt(),
        HALF_MSE: mse / 2,
        SUM_OF_SQUARES: 4 * mse,
        "The mean is divided by the number of rows once more.": mse / 4,
        "This is the mean absolute error. The MSE squares the residuals.": residuals.abs().mean(),
        "This is the mean of the residuals, squared. Square each, then take the mean.": (
            residuals.mean() ** 2
        ),
        "This is a mean of the losses of uneven batches: a row of a small batch counts more. "
        "Weigh each batch by its number of rows.": (
            (residuals[:3].square().mean() + residuals[3:].square().mean()) / 2
        ),
        "This is the MSE of the last row or batch alone.": residuals[3].square(),
        "This is the MSE of the first row alone.": residuals[0].square(),
        CROSSED: (y[kept].squeeze(1) - y_pred).square().mean(),
    }
    for mode in (True, False):
        model = Witness().train(mode)
        value = call("evaluate", evaluate, model, Subset(TensorDataset(X, y), kept))
        _refuse_traces(model, mode)
        value = number("evaluate(model, rows)", value)
        refuse_slips(value, {said: slip.item() for said, slip in slips.items()})
        if not close(value, mse.item()):
            raise Wrong(
                f"The MSE of this model on the 4 rows of this subset is {mse.item():.4f}, and "
                f"`evaluate` returns {value:.4f}. Which rows and which loss does it take?"
            )
    _judge_many(evaluate)
    return (
        "An evaluation that leaves no trace may stand anywhere, even in the middle of an epoch: "
        "dropout stays on for the steps that follow."
    )


def _judge_many(evaluate: object) -> None:
    """Measure on 71 rows, which make uneven batches of any usual size."""
    X = torch.linspace(-1, 1, 100).unsqueeze(1)
    y = 2 * X + 1 + (1 + X) ** 2
    kept = [*range(29, 100)]
    rows = Subset(TensorDataset(X, y), kept)
    value = number("evaluate(model, rows)", call("evaluate", evaluate, Witness(), rows))
    right = (1 + X[kept]).pow(4).mean().item()
    if not close(value, right):
        raise Wrong(
            f"On 4 rows the MSE is right. On 71 rows `evaluate` returns {value:.4f}, and the MSE "
            f"is {right:.4f}. Does it use batches? The last one is smaller: weigh each by its "
            "number of rows."
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
    12: "The one chosen here has the lowest MAE. `curve_rmse` gives the RMSE.",
    5: _ROUNDED,
    3: _ROUNDED,
}


@exercise(
    "07.3",
    "Search all degrees",
    "Fit each degree to the training rows, then measure it on the validation rows.",
    "A dict from degree to RMSE keeps both together: `val_rmses[degree] = ...`.",
    "`min(val_rmses, key=val_rmses.get)` is the key with the lowest value.",
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


def _scaled(X: torch.Tensor, rows: torch.Tensor) -> list[torch.Tensor]:
    """Return X scaled by mean and spread of the rows, for both definitions of the spread."""
    return [(X - rows.mean()) / spread for spread in (rows.std(), rows.std(correction=0))]


def _is(value: torch.Tensor, *candidates: torch.Tensor) -> bool:
    return any(close(value, candidate) for candidate in candidates)


def _refuse_training_slips(train: torch.Tensor, X: torch.Tensor, both: torch.Tensor) -> None:
    """Raise Wrong where the scaled training rows are those of a common slip."""
    mean, spread = X.mean(), X.std()
    slips = {
        "Mean and spread come from all rows: the validation rows leak into training.": (
            _scaled(X, both)
        ),
        "The mean is subtracted, and the spread is still that of the raw features.": [X - mean],
        "The features are divided by the spread, and their mean is not 0. Subtract it first.": (
            [X / spread]
        ),
        "Divided by the variance, features get another unit. Its root is wanted.": (
            [(X - mean) / X.var(), (X - mean) / X.var(correction=0)]
        ),
        "Multiplied by the spread, the features spread more than before. Divide by it.": (
            [(X - mean) * spread]
        ),
        "Python divides before it subtracts: `X - center / spread`. Put the difference into "
        "parentheses.": [X - mean / spread],
        "This puts lowest and highest feature at 0 and 1. Mean 0 and standard deviation 1 are "
        "asked for.": [(X - X.min()) / (X.max() - X.min())],
        "The median is subtracted, and the mean is asked for. They differ where one side has the "
        "longer tail.": [(X - X.median()) / spread],
        "The training rows come back as they were.": [X],
    }
    for said, candidates in slips.items():
        if _is(train, *candidates):
            raise Wrong(said)


@exercise(
    "07.4",
    "Scale without a leak",
    "What would you know about a penguin that nobody has measured yet? Only the training rows.",
    "Compute mean and standard deviation of `X_train` first, and use these two numbers twice.",
    "`(X_val - center) / spread`, with `center` and `spread` from `X_train`.",
)
def scaling(scale: object) -> str:
    """Scale 5 training and 3 validation rows by the numbers of the 5."""
    X_train = torch.tensor([[1.0], [2.0], [4.0], [7.0], [11.0]])
    X_val = torch.tensor([[20.0], [24.0], [90.0]])
    given = X_train.clone(), X_val.clone()
    result = call("scale", scale, *given)
    if type(result) not in (tuple, list) or len(result) != 2:
        raise Wrong(f"`scale` returns {kind(result)}, expected the scaled training and validation.")
    if not close(given[0], X_train) or not close(given[1], X_val):
        raise Wrong("The tensors handed in were changed in place. Make new ones instead.")
    if all(type(part) is torch.Tensor and part.isnan().all() for part in result):
        raise Wrong(
            "Everything is nan, as it is where `dim=1` takes each row alone: a single number has "
            "no spread. Mean and spread go down the column, over all training rows."
        )
    if [tuple(getattr(part, "shape", ())) for part in result] == [(3, 1), (5, 1)]:
        raise Wrong("Validation rows come first. Return the training rows, then the validation.")
    train = tensor("the scaled X_train", result[0], (5, 1))
    val = tensor("the scaled X_val", result[1], (3, 1))
    both = torch.cat([X_train, X_val])
    _refuse_training_slips(train, X_train, both)
    if _is(train, *_scaled(X_train, X_val)):
        raise Wrong("Mean and spread come from the validation rows. The training rows give them.")
    if not _is(train, *_scaled(X_train, X_train)):
        slope = (train[1] - train[0]) / (X_train[1] - X_train[0])
        others = 3 * X_train + 5
        again, _ = call("scale", scale, others.clone(), X_val.clone())
        if close(tensor("the scaled X_train", again), train[0] + slope * (others - X_train[0])):
            raise Wrong(
                "Other training rows are scaled by the same two numbers. Are mean and spread those "
                "of the `X_train` that is handed in, and not of the notebook's penguins?"
            )
        raise Wrong(
            f"The training rows come out with mean {round(train.mean().item(), 2) + 0.0:g} and "
            f"standard deviation {train.std().item():.2f}, expected 0 and 1."
        )
    if _is(val, *_scaled(X_val, X_val)):
        raise Wrong(
            "The validation rows are scaled by their own mean and spread, so one flipper length "
            "means one number in training and another in validation."
        )
    if _is(val, *_scaled(X_val, both)):
        raise Wrong("The validation rows are scaled by the numbers of all rows, not of `X_train`.")
    if close(val, X_val):
        raise Wrong(
            "The validation rows come back as they were. Were mean and spread taken from rows that "
            "are scaled already, where they are 0 and 1? The raw `X_train` gives them."
        )
    right = _scaled(X_val, X_train)
    if any(close(val[:2], scaled[:2]) and not close(val, scaled) for scaled in right):
        raise Wrong(
            "The validation row far from all training rows gets another value than the same two "
            f"numbers give: {val[2].item():.4g}. Is it cut off? Scale each row alike."
        )
    if not _is(val, *right):
        raise Wrong("The validation rows need the same two numbers as the training rows.")
    pairs = zip(_scaled(X_train, X_train), right, strict=True)
    if not any(close(train, first) and close(val, second) for first, second in pairs):
        raise Wrong(
            "Training and validation rows are divided by two different standard deviations of "
            "`X_train`: one divides by the number of rows, as NumPy does, the other by one row "
            "less, as PyTorch does. Compute it once and use it twice."
        )
    return (
        "One flipper length is one number in every set, and a single new penguin, whose own "
        "spread is undefined, can be scaled as well."
    )
