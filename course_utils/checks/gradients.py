"""Checks of exercises on losses and gradients."""

from collections.abc import Callable

import torch

from course_utils import datasets
from course_utils.checks.judging import Wrong, call, close, exercise, kind, number, refuse_slips


def _loss(X: torch.Tensor, y: torch.Tensor, weight: float, bias: float) -> float:
    return (weight * X + bias - y).square().mean().item()


def _slopes(X: torch.Tensor, y: torch.Tensor, weight: float, bias: float) -> torch.Tensor:
    """Return the slopes of the mean squared error for weight and bias, shape (2,)."""
    difference = weight * X + bias - y
    return torch.stack([2 * (difference * X).mean(), 2 * difference.mean()])


@exercise(
    "04.1",
    "Read a slope",
    "Compute the loss as in the section on autograd, with this weight and this bias.",
    "After `backward` on the loss, each of the two tensors has its own `.grad`.",
)
def slope_of_the_bias(slope: object) -> str:
    """Expect the slope of the MSE for the bias at weight 2 and bias 0."""
    if slope is None:
        raise Wrong("The slope is None: `.grad` is empty until `backward` has been called.")
    slope = number("slope", slope)
    X, y = datasets.make_line()
    of_weight, right = _slopes(X, y, 2.0, 0.0).tolist()
    if close(slope, right, 0.002):
        return (
            "It is negative, so the loss falls as the bias rises. A slope of twice the miss is "
            "typical of MSE: the bias is about 1.5 too low."
        )
    mistakes = {
        "That is the slope of the weight. Each tensor has a `.grad` of its own.": of_weight,
        "The sign is turned around. Take the gradient as it is, before any step.": -right,
        "That is twice the slope: `backward` ran twice, and gradients add up.": 2 * right,
        "That is 200 times the slope, that of a sum. The MSE is a mean.": 200 * right,
        "That is the slope at weight 0. Here the weight is 2.": _slopes(X, y, 0.0, 0.0)[1].item(),
        "That is the loss itself. Its slope is in a `.grad`.": _loss(X, y, 2.0, 0.0),
        "That is the slope of the L1 loss, which forgets how large a miss is.": -1.0,
    }
    refuse_slips(slope, mistakes, within=1e-3)
    raise Wrong("This is not the slope of the bias at weight 2, bias 0, to 2 digits.")


@exercise(
    "04.2",
    "Find a better learning rate",
    "`walk(lr, steps=1)` takes the step. Does it end before the floor, or beyond it?",
    "0.1 ends before the floor and 1.2 far beyond it. Halve the range, and again.",
    "`descent.mean_loss(X, y, weight, bias)` tells the loss where the step ended.",
)
def better_rate(lr: object) -> str:
    """Expect a learning rate whose first step from (0, 0) brings the loss below 0.05."""
    lr = number("lr", lr)
    X, y = datasets.make_line()
    weight, bias = (-lr * _slopes(X, y, 0.0, 0.0)).tolist()
    after, before = _loss(X, y, weight, bias), _loss(X, y, 0.0, 0.0)
    if lr <= 0:
        raise Wrong("Without a positive learning rate the step stands still or goes uphill.")
    if after > before:
        raise Wrong(f"The loss rises to {after:.4g}: the step ends higher than it began.")
    if after >= 0.05:
        ahead = (_slopes(X, y, weight, bias) * _slopes(X, y, 0.0, 0.0)).sum() > 0
        where = "too short, the floor is still ahead" if ahead else "too long, it crosses the floor"
        raise Wrong(f"The loss after the step is {after:.4g}. The step is {where}.")
    return (
        "One step reaches the floor because this valley is nearly round: x has a mean near 0 and "
        "a spread near 1. Features on other scales make it long and narrow."
    )


@exercise(
    "04.3",
    "Nudge any function",
    "The section on nudging does this for the loss. Replace the loss by `function`.",
    "Two calls: one at `at + h`, one at `at - h`. How far apart are the two places?",
    "Mind the parentheses: `(... - ...) / (2 * h)`.",
)
def nudged(nudge: object) -> str:
    """Expect the central finite difference of a function at a place, with the given h."""
    for function, at, h in ((lambda x: x**3, 2.0, 0.5), (lambda x: x**4 + x, -1.0, 0.25)):
        asked: list[object] = []
        value = number("nudge(...)", call("nudge", nudge, _noting(function, asked), at, h))
        if not asked:
            raise Wrong("`nudge` has to call the `function` that is given, and never does.")
        up, here, down = function(at + h), function(at), function(at - h)
        if close(value, (up - down) / (2 * h)):
            continue
        mistakes = {
            "The nudge goes to one side only. Take a place below as well.": (up - here) / h,
            "The nudge goes down only. Take a place above as well.": (here - down) / h,
            "The slope comes out twice too steep. How far apart are the places?": (up - down) / h,
            "The sign is turned around: up minus down, not down minus up.": (down - up) / (2 * h),
            "`/ 2 * h` divides by 2, then multiplies by h. Use parentheses.": (up - down) / 2 * h,
            "That is the change of the function. Divide it by the distance.": up - down,
            "That is the value of the function at this place, not a slope.": here,
        }
        refuse_slips(value, mistakes, within=1e-3)
        if close(value, _slope_of(function, at), 0.01):
            raise Wrong("The result does not depend on `h`. Nudge by the `h` that is given.")
        raise Wrong("For `x**3` or `x**4` the result is wrong. Check parentheses and signs.")
    return (
        "This checks any gradient that you write by hand, with two calls for each parameter. "
        "Autograd needs one pass back for all of them."
    )


def _noting(function: Callable, asked: list[object]) -> Callable:
    """Return the function, which then notes where it is asked."""

    def noting(place: object) -> object:
        asked.append(place)
        return function(place)

    return noting


def _slope_of(function: Callable[[torch.Tensor], torch.Tensor], at: float) -> float:
    place = torch.tensor(at, requires_grad=True)
    return torch.autograd.grad(function(place), place)[0].item()


@exercise(
    "04.4",
    "Step without an optimizer",
    "Loss, `backward`, move, reset: the same order as in the lesson, in one function.",
    "`with torch.no_grad():` around `weight -= lr * weight.grad` moves the tensor in place.",
    "Set both `.grad` to `None` at the end, and return `loss.item()`, computed before the step.",
)
def step_by_hand(step: object) -> str:
    """Expect two steps of gradient descent on other data, in place, each with its own gradient."""
    X, y = datasets.make_line(n=40, weight=-1.0, bias=0.5, seed=11)
    place = [torch.tensor([value], requires_grad=True) for value in (0.3, -0.6)]
    lr, slopes = 0.05, []
    for number_of_step in (1, 2):
        before = [value.item() for value in place]
        slopes.append(_slopes(X, y, *before))
        loss = call("step", step, *place, X, y, lr)
        moved = torch.tensor([value.item() for value in place]) - torch.tensor(before)
        if number_of_step == 2:
            said = "The second step uses the sum of both gradients. Reset them in each step."
            refuse_slips(moved, {said: -lr * (slopes[0] + slopes[1])}, within=1e-3)
        _judge_move(moved, lr, slopes[-1], (X, y, *before))
        _judge_loss(loss, _loss(X, y, *before), _loss(X, y, *[value.item() for value in place]))
    return (
        "Called twice, it steps twice, each along a fresh gradient. An optimizer does the same "
        "for all parameters of a model: one method moves, another resets."
    )


def _judge_move(moved: torch.Tensor, lr: float, slopes: torch.Tensor, at: tuple) -> None:
    X, y, weight, bias = at
    if close(moved, -lr * slopes, 1e-5):
        return
    late = torch.stack([slopes[0], _slopes(X, y, weight - lr * slopes[0].item(), bias)[1]])
    notebooks = _slopes(*datasets.make_line(), weight, bias)
    first, second = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    still = "Neither tensor has moved. `weight = ...` names a new tensor, `weight -= ...` moves it."
    mistakes = {
        still: 0.0,
        "The step goes uphill. A gradient points to where the loss rises.": -1.0,
        f"The step is {len(X)} times too long: a sum of squares. The MSE is a mean.": len(X),
        "The weight moves, and the bias stays. Both are parameters.": first,
        "The bias moves, and the weight stays. Both are parameters.": second,
        "The step is 0.1 times the gradient. Use the `lr` that is given.": 0.1 / lr,
        "The step is the whole gradient. Multiply it by `lr`.": 1 / lr,
        "The bias uses a gradient taken after the weight moved. Take both first.": late / slopes,
        "The step fits the notebook's data. Use the `X` and `y` given.": notebooks / slopes,
    }
    mistakes = {said: -lr * slopes * factor for said, factor in mistakes.items()}
    refuse_slips(moved, mistakes, within=1e-3)
    raise Wrong("The tensors did not move by minus `lr` times their gradients of the MSE.")


def _judge_loss(loss: object, before: float, after: float) -> None:
    if type(loss) is torch.Tensor and loss.requires_grad:
        raise Wrong("The loss returned still holds its computation. Return `loss.item()`.")
    if type(loss) in (tuple, list):
        raise Wrong(f"`step` returns {kind(loss)}, expected the loss alone.")
    loss = number("step(...)", loss)
    refuse_slips(
        loss,
        {"That is the loss after the step. Return the one the gradients are of.": after},
        within=1e-3,
    )
    if not close(loss, before):
        raise Wrong("The number returned is not the mean squared error before the step.")
