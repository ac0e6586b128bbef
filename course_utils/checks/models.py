"""Checks of exercises on parameters, modules and shapes."""

import torch
from torch import nn

from course_utils import datasets
from course_utils.checks.judging import Wrong, call, close, exercise, flat, kind, number, tensor


class _Line(nn.Module):
    """A line like the notebook's, with numbers that the notebook does not use."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.7]))
        self.bias = nn.Parameter(torch.tensor([-1.2]))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the predictions, shape (N, 1)."""
        return self.weight * X + self.bias


def _made(name: str, model_class: object) -> nn.Module:
    if not (isinstance(model_class, type) and issubclass(model_class, nn.Module)):
        raise Wrong(f"`{name}` is {kind(model_class)}, expected a class that inherits `nn.Module`.")
    return call(name, model_class)


def _predicted(name: str, model: nn.Module, X: torch.Tensor) -> torch.Tensor:
    """Return a model's predictions: a column that depends on parameters, X as it was."""
    given = X.clone()
    y_pred = tensor("model(X)", call(f"{name}().forward", model, given), X.shape)
    if not close(given, X):
        raise Wrong("`forward` changes `X` itself. Compute a new tensor instead: `a * X`.")
    if not y_pred.requires_grad:
        raise Wrong("The predictions do not depend on a parameter, so training cannot move them.")
    return y_pred


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
    if torch.autograd.grad(y_pred.sum(), own, allow_unused=True)[0] is None:
        raise Wrong(
            "The predictions do not depend on the model's own weight. Is a `self.` missing?"
        )
    if not close(y_pred[2], 0.0):
        raise Wrong("At x = 0 a line through the origin predicts 0. What does yours add there?")
    if not close(y_pred, 2 * X):
        raise Wrong("With weight 2, the prediction at x = 3 is not 6. Which product gives 6?")
    with torch.no_grad():
        own[0].fill_(5.0)
    if not close(model(X), 5 * X):
        raise Wrong("The parameter was set to 5, and the predictions did not follow it.")
    return (
        "With the parameter set to 5 the predictions follow, as they have to: training changes "
        "`self.weight`, never the text of `forward`."
    )


@exercise(
    "03.2",
    "Mend the shape",
    "Print the shapes of `y_pred` and `y_flat`. Which axis is missing, and where?",
    "`.unsqueeze(1)` turns 200 numbers into a column of 200 rows.",
)
def mended_loss(mse: object) -> str:
    """Expect the mean squared error over 200 pairs of prediction and target."""
    mse = number("mse", mse)
    X, y = datasets.make_line()
    differences = 1.5 + 2 * X - y
    right = differences.square().mean().item()
    if close(mse, right, 6e-5):
        return (
            "200 differences instead of 40,000. What is left is near 0.1 squared, the noise that "
            "was added, and no line gets far below it."
        )
    stretched = (1.5 + 2 * X - y.squeeze(1)).square().mean().item()
    mistakes = {
        stretched: "That is the average of 40,000 differences. Are both tensors columns?",
        200 * right: "That is the sum of the 200 squares. A mean divides by their number.",
        right**0.5: "That is the root of the mean squared error. Leave the square as it is.",
        differences.abs().mean().item(): "That is the mean of the sizes. MSE averages squares.",
        differences.mean().item() ** 2: "You squared the mean. Square each difference first.",
    }
    for value, said in mistakes.items():
        if close(mse, value, 6e-5):
            raise Wrong(said)
    raise Wrong("This is not the mean squared error of 1.5 + 2x on these points, to 4 digits.")


@exercise(
    "03.3",
    "Hand the line over",
    "Make a new `nn.Linear(1, 1)` in the function, copy two numbers into it, return it.",
    "`copy_` fills a tensor in place. It needs `with torch.no_grad():` around it.",
    "`line.weight` has shape (1,), the new weight (1, 1): `.reshape(1, 1)`.",
)
def handed_over(as_linear: object) -> str:
    """Expect a new nn.Linear(1, 1) with a copy of the line's numbers."""
    line = _Line()
    weight, bias = line.weight.item(), line.bias.item()
    linear = call("as_linear", as_linear, line)
    if type(linear) is not nn.Linear:
        raise Wrong(f"`as_linear` returns {kind(linear)}, expected the `nn.Linear`.")
    if linear.bias is None:
        raise Wrong("The new layer has no bias, so the line's height at x = 0 is lost.")
    tensor("linear.weight", linear.weight, (1, 1))
    tensor("linear.bias", linear.bias, (1,))
    if not (close(line.weight, weight) and close(line.bias, bias)):
        raise Wrong("The line that was handed over has changed. Copy in the other direction.")
    if close(linear.weight, bias) and close(linear.bias, weight):
        raise Wrong("Weight and bias are swapped. Which of the two multiplies x?")
    for name, value in (("weight", weight), ("bias", bias)):
        if not close(getattr(linear, name), value):
            raise Wrong(f"The {name} is not that of the `line` which the function was given.")
        if not getattr(linear, name).requires_grad:
            raise Wrong(f"The {name} no longer requires a gradient, so it would never be trained.")
        if not getattr(linear, name).is_leaf:
            raise Wrong(f"The {name} is still computed from the line's. Copy in `torch.no_grad()`.")
    with torch.no_grad():
        linear.weight.add_(1.0)
        linear.bias.add_(1.0)
    if not (close(line.weight, weight) and close(line.bias, bias)):
        raise Wrong("Both models share one memory: training one moves the other. `copy_` copies.")
    return (
        "The numbers are copies, so either model can be trained without moving the other. "
        "Loading a saved model copies numbers in the same way."
    )


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
    X = torch.linspace(-2.0, 2.0, 7).unsqueeze(1)
    y_pred = _predicted("Network", model, X)
    if not close(model(X), y_pred):
        raise Wrong("Two calls give two predictions. Make the layers once, in `__init__`.")
    parts = {tuple(parameter.shape): parameter for parameter in model.parameters()}
    if not parts:
        raise Wrong("`parameters()` finds none. A plain list hides layers: give each a `self.`.")
    count = sum(parameter.numel() for parameter in model.parameters())
    if parts.keys() != {(8, 1), (8,), (1, 8), (1,)} or count != 25:
        raise Wrong(f"{count} parameters, with shapes {', '.join(map(str, parts))}. Expected 25.")
    sums = X @ parts[8, 1].T + parts[8,]

    def output(hidden: torch.Tensor) -> torch.Tensor:
        return hidden @ parts[1, 8].T + parts[1,]

    if close(y_pred, output(sums)):
        raise Wrong("No activation bends the sums, so 25 parameters still draw one straight line.")
    if max(map(abs, flat(y_pred - output(torch.tanh(sums))))) < 1e-4:
        return (
            "The output node has no activation, so a prediction may be any number, and all 25 "
            "parameters are found by `parameters()`. Training can start."
        )
    if close(y_pred, torch.tanh(output(torch.tanh(sums)))):
        raise Wrong("The output is squeezed as well: no prediction could be larger than 1.")
    if close(y_pred, torch.tanh(output(sums))):
        raise Wrong("The activation is in the wrong place: it bends the output, not the nodes.")
    raise Wrong("The predictions are not those of 8 tanh nodes. Which activation do yours have?")
