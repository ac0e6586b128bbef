"""Checks of exercises on parameters, modules and shapes."""

import inspect

import torch
from torch import nn

from course_utils import datasets
from course_utils.checks.judging import (
    HALF_MSE,
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


class _Line(nn.Module):
    """A line like the notebook's, with numbers that the notebook does not use."""

    def __init__(self, order: tuple = ("bias", "weight")) -> None:
        super().__init__()
        for name in order:
            value = {"weight": 0.7312, "bias": -1.2468}[name]
            setattr(self, name, nn.Parameter(torch.tensor([value])))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the predictions, shape (N, 1)."""
        return self.weight * X + self.bias


def _made(name: str, model_class: object) -> nn.Module:
    if not (isinstance(model_class, type) and issubclass(model_class, nn.Module)):
        raise Wrong(f"`{name}` is {kind(model_class)}, expected a class that inherits `nn.Module`.")
    try:
        inspect.signature(model_class).bind()
    except TypeError:
        raise Wrong(
            f"The check makes the model as `{name}()`. Let `__init__` take `self` alone."
        ) from None
    return call(name, model_class)


def _predicted(name: str, model: nn.Module, X: torch.Tensor) -> torch.Tensor:
    """Return a model's predictions: a column that depends on parameters, X as it was."""
    given = X.clone()
    y_pred = tensor("model(X)", call(f"{name}().forward", model, given), X.shape)
    if not close(given, X):
        raise Wrong("`forward` changes `X` itself. Compute a new tensor instead: `a * X`.")
    if not y_pred.requires_grad:
        _fill(model)
        if close(model(X), y_pred):
            raise Wrong(
                "The predictions do not depend on a parameter, so training cannot move them."
            )
        raise Wrong(
            "The predictions follow the parameters, and autograd has no record of it, so training "
            "cannot move them. `.item()`, `.data`, `.detach()` and `no_grad` break the record."
        )
    return y_pred


_HIDDEN = (
    "The predictions are right and their slopes are not, so training would go wrong. Something in "
    "`forward` is hidden from autograd, as by `.detach()`, `.data` or `.item()`."
)


def _fill(model: nn.Module) -> None:
    """Set all parameters to normal random numbers, the same in each run."""
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))


@exercise(
    "03.1",
    "A line through the origin",
    "Compare with the `forward` of `Line`. Which part of it falls away?",
    "The parameter is reached as `self.weight`, and `X` may have any number of rows.",
)
def through_the_origin(proportional: object) -> str:
    """Expect predictions of weight times X, for whatever weight the parameter holds."""
    model = _made("Proportional", proportional)
    X = torch.tensor([[3.0], [-1.0], [0.0]])
    y_pred = _predicted("Proportional", model, X)
    own = list(model.parameters())
    if len(own) != 1:
        raise Wrong(f"The model has {len(own)} parameters, and training moves each. It needs one.")
    slope = torch.autograd.grad(y_pred.sum(), own, allow_unused=True)[0]
    if slope is None:
        raise Wrong(
            "The predictions do not depend on the model's own weight. Is a `self.` missing, or is "
            "a new layer made in `forward`?"
        )
    y_pred = _with_weight(model, 2.0, X)
    powers = {
        "`self.weight ** X` is a power. A product is written with one `*`.": 2**X,
        "`X ** self.weight` is a power. A product is written with one `*`.": X**2,
    }
    refuse_slips(y_pred, powers)
    if not close(y_pred[2], 0.0):
        raise Wrong("At x = 0 a line through the origin predicts 0. What does yours add there?")
    for x, value in zip(flat(X), flat(y_pred), strict=True):
        if not close(value, 2 * x):
            raise Wrong(
                f"With weight 2, the prediction at x = {x:g} is {value:g} and not {2 * x:g}. "
                f"Which product gives {2 * x:g}?"
            )
    if not close(_with_weight(model, 4.7, X), 4.7 * X):
        raise Wrong("The parameter was set to 4.7, and the predictions did not follow it.")
    if not close(slope.sum(), X.sum()):
        raise Wrong(_HIDDEN)
    return (
        "With the parameter set to 4.7 the predictions follow, as they have to: training changes "
        "`self.weight`, never the text of `forward`."
    )


def _with_weight(model: nn.Module, weight: float, X: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        next(model.parameters()).fill_(weight)
    return model(X).detach()


@exercise(
    "03.2",
    "Fix the shape",
    "Print the shapes of `y_pred` and `y_flat`. Which axis is missing, and where?",
    "`.unsqueeze(1)` turns 200 numbers into a column of 200 rows.",
)
def mended_loss(mse: object) -> str:
    """Expect the mean squared error over 200 pairs of prediction and target."""
    mse = number("mse", mse)
    X, y = datasets.make_line()
    residuals = y - (1.5 + 2 * X)
    right = residuals.square().mean().item()
    centered = (
        "That is the variance of the residuals, which takes their mean off first. The mean squared "
        "error takes nothing off."
    )
    only_training = "That is the loss on the 160 training rows. All 200 points count here."
    refuse_slips(mse, {centered: residuals.var(correction=0)}, within=1e-7)
    refuse_slips(mse, {centered: residuals.var()}, within=1e-7)
    refuse_slips(mse, {only_training: residuals[_training_rows()].square().mean()}, within=1e-7)
    squared = {"You squared the mean. Square each difference first.": residuals.mean() ** 2}
    refuse_slips(mse, squared, within=1e-7)
    if close(mse, right, 3e-5):
        return (
            "200 differences instead of 40,000. What is left is near 0.1 squared, the noise that "
            "was added. No line has a much lower loss on these points."
        )
    stretched = (1.5 + 2 * X - y.squeeze(1)).square().mean().item()
    mistakes = {
        "That is the average of 40,000 differences instead of 200. Predictions and targets have "
        "different shapes, (N,) or (1, N) against (N, 1), so each prediction meets all targets. "
        "Leave both as columns, (N, 1).": stretched,
        HALF_MSE: right / 2,
        "That is the sum of the 200 squares. A mean divides by their number.": 200 * right,
        "That is the root of the mean squared error. Leave the square as it is.": right**0.5,
        "That is the mean of the sizes. MSE averages squares.": residuals.abs().mean(),
        "That is the mean of the residuals. Square each of them first.": residuals.mean(),
        "That is the square of the noise, which the loss comes near. Compute the loss itself.": (
            0.01
        ),
        "The average is right, and its sign is not: no square is negative.": -right,
    }
    refuse_slips(mse, mistakes, within=3e-5)
    raise Wrong(
        f"{mse:.4g} is not the mean squared error of these 200 points. Are the predictions "
        "`1.5 + 2 * X_column`, and is each compared with its own target?"
    )


def _training_rows() -> torch.Tensor:
    """Return the rows that the notebook sets aside for training: its third draw."""
    generator = torch.Generator().manual_seed(420)
    torch.randn(200, generator=generator), torch.randn(200, generator=generator)
    return torch.randperm(200, generator=generator)[:160]


@exercise(
    "03.3",
    "Hand the line over",
    "Make a new `nn.Linear(1, 1)` in the function, copy two numbers into it, return it.",
    "`copy_` fills a tensor in place. It needs `with torch.no_grad():` around it.",
    "`line.weight` has shape (1,), the new weight (1, 1): `.reshape(1, 1)`.",
)
def handed_over(as_linear: object) -> str:
    """Expect a new nn.Linear(1, 1) with a copy of the line's numbers."""
    if isinstance(as_linear, nn.Module):
        raise Wrong("`as_linear` is a layer, expected a function that makes a new one.")
    line = _Line()
    weight, bias = line.weight.item(), line.bias.item()
    linear = call("as_linear", as_linear, line)
    if type(linear) is not nn.Linear:
        raise Wrong(f"`as_linear` returns {kind(linear)}, expected the `nn.Linear`.")
    if linear.bias is None:
        raise Wrong("The new layer has no bias, so the line's height at x = 0 is lost.")
    if not (close(line.weight, weight) and close(line.bias, bias)):
        raise Wrong("The line that was handed over has changed. Copy in the other direction.")
    if len(line.state_dict()) != 2:
        raise Wrong("The new layer has become a part of the line. Keep it in a name of its own.")
    for name in ("weight", "bias"):
        given = getattr(line, name)
        if given.shape != (1,) or given.dtype != torch.float32:
            raise Wrong(
                f"`as_linear` changes the line it is given: its {name} has shape "
                f"{tuple(given.shape)} and dtype {given.dtype} afterwards. Reshape a copy."
            )
    if not (line.weight.requires_grad and line.bias.requires_grad):
        raise Wrong(
            "`as_linear` switches off the gradients of the line it is given, so that line can no "
            "longer be trained. `with torch.no_grad():` ends by itself."
        )
    other = call("as_linear", as_linear, _Line(("weight", "bias")))
    swapped = [_is_swapped(copied, weight, bias) for copied in (linear, other)]
    if all(swapped):
        raise Wrong("Weight and bias are swapped. Which of the two multiplies x?")
    if any(swapped):
        raise Wrong(
            "This takes the parameters by their order, which differs from model to model. Use "
            "`line.weight` and `line.bias`."
        )
    for name, value, shape in (("weight", weight, (1, 1)), ("bias", bias, (1,))):
        _judge_copy(name, getattr(linear, name), value, shape)
    if call("as_linear", as_linear, _Line()) is linear:
        raise Wrong("Two calls return one and the same layer. Make a new one inside the function.")
    with torch.no_grad():
        linear.weight.add_(1.0)
        linear.bias.add_(1.0)
    if not (close(line.weight, weight) and close(line.bias, bias)):
        raise Wrong("Both models share one memory: training one moves the other. `copy_` copies.")
    return (
        "The numbers are copies, so either model can be trained without moving the other. "
        "Loading a saved model copies numbers in the same way."
    )


def _is_swapped(linear: object, weight: float, bias: float) -> bool:
    if type(linear) is not nn.Linear or linear.bias is None:
        return False
    return close(linear.weight, bias) and close(linear.bias, weight)


def _judge_copy(name: str, copied: nn.Parameter, value: float, shape: tuple) -> None:
    if tuple(copied.shape) != shape:
        raise Wrong(
            f"`linear.{name}` has shape {tuple(copied.shape)}, expected {shape}, as a fresh "
            "`nn.Linear(1, 1)` has it."
        )
    if copied.dtype != torch.float32:
        raise Wrong(
            f"The {name} of the layer is {copied.dtype}, the line's is torch.float32: the layer "
            "refuses features that the line takes. Leave the layer's dtype as it is made."
        )
    if not close(copied, value, 1e-6):
        raise Wrong(f"The {name} is not that of the `line` which the function was given.")
    if copied.is_inference():
        raise Wrong(
            f"The {name} was made in `inference_mode`, so it can never be trained. Copy in "
            "`torch.no_grad()`."
        )
    if not copied.requires_grad:
        raise Wrong(f"The {name} no longer requires a gradient, so it would never be trained.")
    if not copied.is_leaf:
        raise Wrong(f"The {name} is still computed from the line's. Copy in `torch.no_grad()`.")


@exercise(
    "03.4",
    "A network of your own",
    "Make two `nn.Linear` in `__init__`. The output of the first is the input of the second.",
    "In `forward`, `torch.tanh` goes around the first layer and not around the second.",
    "The output is `self.output(torch.tanh(self.hidden(X)))`.",
)
def small_network(network: object) -> str:
    """Expect one hidden layer of 8 tanh nodes, one output without activation."""
    model = _made("Network", network)
    X = torch.tensor([[3.0], [-0.5], [1.7]])
    y_pred = _predicted("Network", model, X)
    if not close(model(X), y_pred):
        raise Wrong(
            "Two calls on one X give two predictions: something is drawn anew in `forward`. Make "
            "the layers once, in `__init__`, and add nothing random."
        )
    _judge_parts(model, y_pred)
    _fill(model)
    y_pred = model(X)
    for row, value in zip(X.split(1), flat(y_pred), strict=True):
        if not close(tensor("model(row)", call("Network().forward", model, row), (1, 1)), value):
            raise Wrong(
                f"At x = {row.item():g} the model predicts one thing alone and another beside "
                "other rows. The prediction for a row must not change with the other rows."
            )
    own = list(model.parameters())
    parts = {tuple(parameter.shape): parameter for parameter in own}

    def hidden(features: torch.Tensor) -> torch.Tensor:
        return features @ parts[8, 1].T + parts[8,]

    def output(nodes: torch.Tensor) -> torch.Tensor:
        return nodes @ parts[1, 8].T + parts[1,]

    right = output(torch.tanh(hidden(X)))
    if close(y_pred, right):
        found, wanted = (torch.autograd.grad((X * each).sum(), own) for each in (y_pred, right))
        if not all(map(close, found, wanted)):
            raise Wrong(_HIDDEN)
        return (
            "The output node has no activation, so a prediction may be any number, and all 25 "
            "parameters are found by `parameters()`. Training can start."
        )
    other = "The hidden nodes use {} where the exercise asks for tanh."
    squeezed = "The output is squeezed as well: no prediction could be larger than 1."
    mistakes = {
        "No activation bends the sums, so 25 parameters still draw one straight line.": (
            output(hidden(X))
        ),
        squeezed: torch.tanh(output(torch.tanh(hidden(X)))),
        "The activation is in the wrong place: it bends the output, not the nodes.": (
            torch.tanh(output(hidden(X)))
        ),
        "The activation is in the wrong place: it bends the features, not the sums of the nodes.": (
            output(hidden(torch.tanh(X)))
        ),
        "The features go through an activation too. Only the sums of the 8 nodes do.": (
            output(torch.tanh(hidden(torch.tanh(X))))
        ),
        "The sums go through tanh twice.": output(torch.tanh(torch.tanh(hidden(X)))),
        other.format("ReLU"): output(torch.relu(hidden(X))),
        other.format("a sigmoid"): output(torch.sigmoid(hidden(X))),
    }
    refuse_slips(y_pred, mistakes)
    raise Wrong(
        "The layers are right, and the predictions are not those of 8 tanh nodes and a plain "
        "output. What does `forward` do between the two layers, before them and after?"
    )


def _judge_parts(model: nn.Module, y_pred: torch.Tensor) -> None:
    """Refuse a network that is not made of two nn.Linear which both take part."""
    parameters = dict(model.named_parameters())
    if not parameters:
        raise Wrong("`parameters()` finds none. A plain list hides layers: give each a `self.`.")
    shapes = [tuple(parameter.shape) for parameter in parameters.values()]
    count = sum(parameter.numel() for parameter in parameters.values())
    if set(shapes) != {(8, 1), (8,), (1, 8), (1,)} or count != 25:
        raise Wrong(
            f"Your model has {count} parameters, with the shapes {', '.join(map(str, shapes))}. "
            "It should have 25: 8 weights and 8 biases, then 8 weights and 1 bias."
        )
    if sum(isinstance(part, nn.Linear) for part in model.modules()) != 2:
        raise Wrong("25 parameters, and not in two `nn.Linear`, which the exercise asks for.")
    slopes = torch.autograd.grad(y_pred.sum(), list(parameters.values()), allow_unused=True)
    for name, slope in zip(parameters, slopes, strict=True):
        if slope is None:
            raise Wrong(f"`{name}` has no part in the predictions. Call both layers: `layer(X)`.")
