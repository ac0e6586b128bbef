"""Checks of exercises on parameters, modules and shapes."""

import inspect
import warnings
from collections.abc import Callable

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
    refuse_stubs,
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
                "The predictions do not depend on a parameter, so training cannot move them. "
                "Is a `self.` missing?"
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
    "Both missing lines stand in `Line`. What does the one in `forward` lose without a bias?",
    "Which call marks a tensor as a parameter? And how does `forward` reach an attribute?",
)
def through_the_origin(proportional: object) -> str:
    """Expect predictions of weight times X, for whatever weight the parameter holds."""
    model = _made("Proportional", proportional)
    refuse_stubs(list(vars(model).values()))
    if "_parameters" in vars(model) and not list(model.parameters()):
        raise Wrong(
            "PyTorch finds no parameter in this model, so training could not move it. How does "
            "`Line` mark its tensors?"
        )
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
    "Guard the loss",
    "Compare `y_pred.shape` with `y.shape` before anything is computed.",
    "`raise` a `ValueError`, with an f-string in it that holds both shapes.",
)
def guarded_loss(safe_loss: object) -> str:
    """Expect the MSE where the shapes are equal, and a ValueError where they are not."""
    generator = torch.Generator().manual_seed(11)
    y_pred, y = (torch.randn(6, 1, generator=generator) for _ in range(2))
    y_pred.requires_grad_()
    loss = call("safe_loss", safe_loss, y_pred, y)
    residuals = (y - y_pred).detach()
    right = residuals.square().mean()
    value = number("safe_loss(...)", loss)
    slips = {
        HALF_MSE: right / 2,
        "That is the sum of the squares. A mean divides by their number.": len(y) * right,
        "That is the root of the mean squared error. Leave the square as it is.": right**0.5,
        "That is the mean of the sizes. MSE averages squares.": residuals.abs().mean(),
        "That is the mean of the residuals. Square each of them first.": residuals.mean(),
        "That is the square of the mean. Square each residual first.": residuals.mean() ** 2,
    }
    refuse_slips(value, slips)
    if not close(value, right):
        raise Wrong(f"On six pairs `safe_loss` returns {value:.4g}, and their MSE is {right:.4g}.")
    if not getattr(loss, "requires_grad", False):
        raise Wrong(
            "The number is right, but nothing can be trained with it. Return the loss as the "
            "tensor it is, without `.item()`, `.detach()` or `no_grad`."
        )
    for one, other in (((6, 1), (6,)), ((6,), (6, 1)), ((6, 1), (1, 6)), ((6, 1), (1, 1))):
        _judge_refusal(safe_loss, one, other)
    return (
        "Where a warning would have scrolled by, this stops, and the message says which shapes "
        "met. It costs one line, and it has saved many a night."
    )


def _judge_refusal(safe_loss: Callable, one: tuple, other: tuple) -> None:
    """Expect a ValueError that names both shapes."""
    pair = f"Predictions of shape {one} and targets of shape {other}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            returned = safe_loss(torch.zeros(one), torch.zeros(other))
    except ValueError as error:
        said = str(error).replace(" ", "").replace("[", "(").replace("]", ")")
        plain = [str(shape).replace(" ", "").replace(",)", ")") for shape in (one, other)]
        if not all(shape in said.replace(",)", ")") for shape in plain):
            raise Wrong(
                f"{pair} are refused, and the message does not name both shapes. Whoever reads it "
                "at night wants to see them."
            ) from None
        return
    except AssertionError:
        raise Wrong(
            f"{pair} are refused by an `assert`. It is gone when Python runs with `-O`; `raise "
            "ValueError(...)` stays."
        ) from None
    except Exception as error:
        raise Wrong(f"{pair} raise {type(error).__name__}, expected a ValueError.") from None
    if isinstance(returned, Exception):
        raise Wrong(f"{pair}: the error is returned as a value, and nothing stops. `raise` it.")
    raise Wrong(f"{pair} pass without an error.")


@exercise(
    "03.3",
    "Hand the line over",
    "A new layer has random numbers. Where do the right ones come from?",
    "Make a new `nn.Linear(1, 1)` in the function, copy two numbers into it, return it.",
    "`copy_` copies a tensor into another, as `fill_` copies a number.",
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
            "`model.weight` and `model.bias`."
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
        raise Wrong(f"The {name} is not that of the `model` which the function was given.")
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
    "Train by luck",
    "`loss_fn(Line()(X), y)` is the loss of a fresh line. Which line of code goes before it, each "
    "time?",
    "For a loss below 3, `for lucky_seed in range(5000):` goes through enough seeds, and `break` "
    "stops at the first good one.",
)
def lucky(lucky_seed: object) -> str:
    """Expect a seed whose random line has a loss below 3 on the penguins."""
    if isinstance(lucky_seed, nn.Module):
        raise Wrong("`lucky_seed` is a model. Which seed drew its numbers?")
    seed = number("lucky_seed", lucky_seed)
    if seed > 0 and seed != int(seed):
        raise Wrong(f"{seed:g} is not a whole number. If it is the loss: which seed gave it?")
    if seed != int(seed) or not 0 <= seed < 2**63:
        raise Wrong(f"{seed:g} is no seed: expected a whole number from 0 on.")
    seed = int(seed)
    loss, weight, bias = _drawn(seed)
    if loss < 3:
        return (
            f"A loss of {loss:.2f}, a typical miss of {loss**0.5:.1f} kg. About one line in 370 "
            "gets below 3. Two numbers can be found by luck, after a while; for a million you need "
            "to know which way to go."
        )
    if _drawn(seed, ("weight", "bias"))[0] < 3:
        raise Wrong(
            "This seed would do if the weight were drawn first. `Line` draws the bias first."
        )
    if min(_drawn(max(0, near))[0] for near in (seed - 1, seed + 1)) < 3:
        raise Wrong("A neighbor of this seed does it. Which one was set when that line was made?")
    raise Wrong(
        f"With seed {seed} the line has weight {weight:.2f} and bias {bias:.2f}, and a loss of "
        f"{loss:.4g}. Go on drawing. Was yours below 3? Then set the seed anew before each line."
    )


def _drawn(seed: int, order: tuple = ("bias", "weight")) -> tuple[float, float, float]:
    """Return loss, weight and bias of the notebook's random line."""
    generator = torch.Generator().manual_seed(seed)
    values = {name: torch.randn(1, generator=generator).item() for name in order}
    flipper, mass = datasets.load_penguins()
    residuals = mass / 1000 - values["weight"] * (flipper / 10 - 20) - values["bias"]
    return residuals.square().mean().item(), values["weight"], values["bias"]
