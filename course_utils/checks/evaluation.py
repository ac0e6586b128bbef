"""Checks of exercises on evaluation."""

import torch
from torch.utils.data import Subset, TensorDataset

from course_utils import datasets
from course_utils.checks.judging import (
    Wrong,
    call,
    close,
    exercise,
    kind,
    number,
    refuse_slips,
    tensor,
)


@exercise(
    "06.1",
    "Miss by how much on average",
    "A miss is a residual, target minus prediction. Two misses of -1 and 1 are not 0 on average.",
    "`.abs()` drops the signs; after it comes the mean.",
)
def average_miss(mean_miss: object) -> str:
    """Take the mean absolute error of four predictions that are off by 1, 0, -2 and -4."""
    y_pred = torch.tensor([[1.0], [2.0], [3.0], [6.0]])
    y = torch.tensor([[2.0], [2.0], [1.0], [2.0]])
    value = number("mean_miss(y_pred, y)", call("mean_miss", mean_miss, y_pred.clone(), y.clone()))
    slips = {
        "Misses to both sides cancel each other. Drop their signs before you take the mean.": 1.25,
        "This is the MSE. Here the misses count as they are, not squared.": 5.25,
        "This is the RMSE, in which large misses weigh more. Square nothing here.": 5.25**0.5,
        "This is the sum of all misses. How many rows are there?": 7.0,
        "This is the largest miss. The mean takes them all.": 4.0,
        "Shapes (4, 1) and (4,) make a table of 4 by 4 differences. Leave both columns.": 1.625,
    }
    refuse_slips(abs(value), slips)
    if close(value, number("mean_miss(y, y)", call("mean_miss", mean_miss, y.clone(), y.clone()))):
        raise Wrong("Other predictions, same result. Does it use what it is handed?")
    if not close(value, 1.75):
        raise Wrong("Predictions that miss by 1, 0, 2 and 4 give another mean. Try them by hand.")
    return (
        "The MAE has the unit of y and one wild row cannot rule it. Where it lies far below the "
        "RMSE, a few rows are missed by much more than the others."
    )


class Witness(torch.nn.Module):
    """A line with dropout behind it that notes how it was asked."""

    def __init__(self):
        super().__init__()
        self.dropout = torch.nn.Dropout(0.5)
        self.asked = []

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Predict 2 x + 1."""
        self.asked.append((len(X), self.training, torch.is_grad_enabled()))
        return self.dropout(2 * X + 1)


@exercise(
    "06.2",
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
    for mode in (True, False):
        model = Witness().train(mode)
        value = call("evaluate", evaluate, model, Subset(TensorDataset(X, y), kept))
        if not model.asked:
            raise Wrong("The model that was handed in is never asked for a prediction.")
        if any(rows > 4 for rows, _, _ in model.asked):
            raise Wrong("The subset has 4 rows and the model got all 12. Index the subset itself.")
        if any(training for _, training, _ in model.asked):
            raise Wrong("The model predicts in training mode: dropout changes what you measure.")
        if any(recording for _, _, recording in model.asked):
            raise Wrong("Gradients are recorded while you measure. `eval()` does not stop that.")
        if model.training is not mode:
            before, after = ("training", "evaluation") if mode else ("evaluation", "training")
            raise Wrong(
                f"The model came in {before} mode and leaves in {after} mode, and so goes on "
                "with dropout switched the wrong way."
            )
        right = (y - 2 * X - 1)[kept].square().mean().item()
        value = number("evaluate(model, rows)", value)
        if close(value, right**0.5):
            raise Wrong("This is the root of the MSE, and the exercise asks for the MSE itself.")
        if not close(value, right):
            raise Wrong("The value is not the MSE of this model on the four rows of this subset.")
    return (
        "An evaluation that leaves no trace may stand anywhere, even in the middle of an epoch: "
        "dropout stays on for the steps that follow."
    )


@exercise(
    "06.3",
    "Search all degrees",
    "Fit each degree to the training rows, then measure it on the validation rows.",
    "A dict from degree to RMSE keeps both together: `val_rmses[degree] = ...`.",
    "`min(val_rmses, key=val_rmses.get)` is the key with the lowest value.",
)
def best_degree(choose_degree: object) -> str:
    """Choose for the curve, for pure noise (degree 1) and for a polynomial of degree 12."""
    generator = torch.Generator().manual_seed(8)
    X_noise = 4 * torch.rand(60, 1, generator=generator) - 2
    y_noise = 3 + torch.randn(60, 1, generator=generator)
    X_bent = torch.linspace(-1, 1, 60)[torch.randperm(60, generator=generator)].unsqueeze(1)
    y_bent = torch.cos(12 * torch.arccos(X_bent))
    chosen = []
    for X, y in ((X_noise, y_noise), datasets.make_curve(60, seed=2), (X_bent, y_bent)):
        points = TensorDataset(X, y)
        rows = Subset(points, range(40)), Subset(points, range(40, 60))
        chosen.append(number("choose_degree(...)", call("choose_degree", choose_degree, *rows)))
    said = {
        (12, 12, 12): "It always takes 12. Are the rows that judge a fit other rows than made it?",
        (0, 5, 11): "Each choice is one degree too low. Does a list's first place belong to 1?",
        (0, 6, 12): "Degree 0 is in the search, which should begin at 1.",
    }
    if len(set(chosen)) == 1 and chosen[0] != 12:
        raise Wrong("Any rows get the same degree. Are the rows used that are handed in?")
    if tuple(chosen) in said:
        raise Wrong(said[tuple(chosen)])
    if chosen[:2] == [1, 6] and chosen[2] < 12:
        raise Wrong("Degree 12 is never tried: `range` stops before its end.")
    if any(degree != int(degree) for degree in chosen):
        raise Wrong("The result is no degree. Return the degree of the lowest RMSE, not the RMSE.")
    if chosen != [1, 6, 12]:
        raise Wrong("On fresh rows another degree has the lowest validation RMSE of 1 to 12.")
    return (
        "The validation rows chose. They chose among 12, so their RMSE flatters the winner a "
        "little; test rows give the number to report."
    )


@exercise(
    "06.4",
    "Scale without a leak",
    "What would you know about a penguin that nobody has measured yet? Only the training rows.",
    "Compute mean and standard deviation of `X_train` first, and use these two numbers twice.",
    "`(X_val - center) / spread`, with `center` and `spread` from `X_train`.",
)
def scaling(scale: object) -> str:
    """Scale 5 training and 3 validation rows by the numbers of the 5."""
    X_train = torch.tensor([[1.0], [2.0], [4.0], [7.0], [11.0]])
    X_val = torch.tensor([[20.0], [24.0], [31.0]])
    given = X_train.clone(), X_val.clone()
    result = call("scale", scale, *given)
    if type(result) not in (tuple, list) or len(result) != 2:
        raise Wrong(f"`scale` returns {kind(result)}, expected the scaled training and validation.")
    if not close(given[0], X_train) or not close(given[1], X_val):
        raise Wrong("The tensors handed in were changed in place. Make new ones instead.")
    train = tensor("the scaled X_train", result[0], (5, 1))
    val = tensor("the scaled X_val", result[1], (3, 1))
    both = torch.cat([X_train, X_val])

    def is_scaled(value: torch.Tensor, X: torch.Tensor, rows: torch.Tensor) -> bool:
        spreads = rows.std(), rows.std(correction=0)
        return any(close(value, (X - rows.mean()) / spread) for spread in spreads)

    if is_scaled(train, X_train, both) or is_scaled(val, X_val, both):
        raise Wrong("Mean and spread come from all rows: the validation rows leak into training.")
    if close(train, X_train - X_train.mean()):
        raise Wrong("The mean is subtracted, and the spread is still that of the raw features.")
    if close(train, (X_train - X_train.mean()) / X_train.var()):
        raise Wrong("Divided by the variance, features get another unit. Its root is wanted.")
    if not is_scaled(train, X_train, X_train):
        raise Wrong("The training rows do not have mean 0 and standard deviation 1 after scaling.")
    if is_scaled(val, X_val, X_val):
        raise Wrong(
            "The validation rows are scaled by their own mean and spread, so one flipper length "
            "means one number in training and another in validation."
        )
    if not is_scaled(val, X_val, X_train):
        raise Wrong("The validation rows need the same two numbers as the training rows.")
    return (
        "One flipper length is one number in every set, and a single new penguin, whose own "
        "spread is undefined, can be scaled as well."
    )
