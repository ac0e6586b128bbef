"""Checks of exercises on losses and gradients."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from unittest import mock

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from course_utils import datasets
from course_utils.checks.judging import (
    CROSSED,
    HALF_MSE,
    NotAttempted,
    Wrong,
    call,
    close,
    exercise,
    flat,
    kind,
    number,
    numbers,
    refuse_slips,
    same_random_numbers,
)

_HALVED = (
    "Is the loss halved, as some textbooks define it? PyTorch's `nn.MSELoss` and this course do "
    "not halve it."
)


def _loss(X: torch.Tensor, y: torch.Tensor, weight: float, bias: float) -> float:
    return (y - (weight * X + bias)).square().mean().item()


def _slopes(X: torch.Tensor, y: torch.Tensor, weight: float, bias: float) -> torch.Tensor:
    """Return the slopes of the mean squared error for weight and bias, shape (2,).

    With flat targets, shape (N,), those of the mean over all pairs of prediction and target.
    """
    residual = y - (weight * X + bias)
    return -2 * torch.stack([(residual * X).mean(), residual.mean()])


def _l1_slopes(X: torch.Tensor, y: torch.Tensor, weight: float, bias: float) -> torch.Tensor:
    sign = torch.sign(y - (weight * X + bias))
    return -torch.stack([(sign * X).mean(), sign.mean()])


def _birds() -> tuple[torch.Tensor, torch.Tensor]:
    """Return the columns of the notebook: flippers in cm above 20, masses in kg."""
    flipper, mass = datasets.load_penguins()
    return flipper.double() / 10 - 20, mass.double() / 1000


@exercise(
    "04.1",
    "Read a slope backwards",
    "In the formula for the bias the x has dropped out. What is left of it?",
    "The slope of the weight is minus the average of twice the residual times the feature. For the "
    "bias, set each feature to 1.",
)
def residual_behind_a_slope(mean_residual: object) -> str:
    """Expect the mean residual that gives the bias the slope 1.3."""
    mean = number("mean_residual", mean_residual)
    slips = {
        "The size is right, the sign is not. If the loss rises with the bias, is the rule too high "
        "or too low? And residuals are the target minus what the rule says.": 0.65,
        "That is the slope itself. What stands before the residual in its formula?": 1.3,
        "The sign is right. But the slope is twice as large as that mean, because of the square.": (
            -1.3
        ),
        "That is twice the slope. The slope is the larger of the two: divide.": 2.6,
        "The sign is right. But the slope is the larger of the two: divide, don't multiply.": -2.6,
        "That is a step with a rate of 0.1. The exercise asks for the residual, not for a move.": (
            -0.13
        ),
        "With a mean residual of 0 the bias stands at its bottom, and its slope is 0.": 0.0,
        "Halved once more than needed. The square brings one factor of 2.": -0.325,
        "That is the root of something. The slope holds the mean residual itself.": 1.3**0.5,
    }
    refuse_slips(mean, slips, within=1e-3)
    if not close(mean, -0.65, 1e-3):
        raise Wrong(f"With {mean:.4g} the slope of the bias would be {-2 * mean:.4g}, not 1.3.")
    return (
        "Minus: the rule says too much, on average by 650 g. One number of the gradient told it, "
        "without a look at a bird."
    )


@exercise(
    "04.2",
    "Find a better learning rate",
    "Take the step as in the section *How far?*. Does it end before the bottom, or beyond it?",
    "0.1 ends before the bottom and 0.8 far beyond it. Halve the range, and again.",
)
def better_rate(lr: object) -> str:
    """Expect a learning rate whose first step from (0, 3.5) brings the loss below 0.24."""
    if type(lr) is tuple and all(type(part) is int for part in lr):
        raise Wrong("A comma makes several values of one. Python writes decimals with a point.")
    lr = number("lr", lr)
    X, y = _birds()
    if not -1e3 < lr < 1e3:
        raise Wrong(f"With {lr:.4g} the step leads far away from all that is on the map.")
    slopes, before = _slopes(X, y, 0.0, 3.5), _loss(X, y, 0.0, 3.5)
    weight, bias = (torch.tensor([0.0, 3.5]) - lr * slopes).tolist()
    after = _loss(X, y, weight, bias)
    if lr <= 0:
        raise Wrong("Without a positive learning rate the step stands still or goes uphill.")
    if after > before:
        raise Wrong(f"The loss rises to {after:.4g}: the step ends higher than it began.")
    if after >= 0.24:
        ahead = (_slopes(X, y, weight, bias) * slopes).sum() > 0
        where = (
            "short: in its direction it goes further down"
            if ahead
            else "long: it passes the lowest point of its direction"
        )
        raise Wrong(f"The loss after the step is {after:.4g}. The step is too {where}.")
    return (
        "Most of the way in one step, and no rate would do all of it: this bowl is steeper along "
        "the weight than along the bias, and one rate has to serve both."
    )


@exercise(
    "04.3",
    "Nudge any function",
    "`slope_at` does this for the loss. Put `function` in the place of the loss.",
    "Two calls: one at `at + h`, one at `at - h`. How far apart are the two places?",
    "Mind the parentheses: `(... - ...) / (2 * h)`.",
)
def nudged(nudge: object) -> str:
    """Expect the central finite difference of a function at a place, with the given h."""
    for said, function, at, h in (
        ("x**3", lambda x: x**3, 2.0, 3.0),
        ("x**4 + x", lambda x: x**4 + x, -1.1, 0.23),
    ):
        asked: list[float] = []
        given = _noting(function, asked)
        value = number("nudge(...)", call("nudge", nudge, given, at, h))
        if not asked:
            raise Wrong("`nudge` has to call the `function` that is given, and never does.")
        up, here, down = function(at + h), function(at), function(at - h)
        if close(value, (up - down) / (2 * h)):
            continue
        mistakes = {
            "The nudge goes to one side only. Take a place below as well.": (up - here) / h,
            "The nudge goes down only. Take a place above as well.": (here - down) / h,
            "The second place is `at` itself, where it has to be `at - h`.": (up - here) / (2 * h),
            "The first place is `at` itself, where it has to be `at + h`.": (here - down) / (2 * h),
            "The slope comes out twice too steep. How far apart are the places?": (up - down) / h,
            "The size is right, and the sign is lost. A slope may be negative.": (
                abs(up - down) / (2 * h)
            ),
            "The sign is turned around: up minus down, not down minus up.": (down - up) / (2 * h),
            "`/ 2 * h` divides by 2, then multiplies by h. Use parentheses.": (up - down) / 2 * h,
            "Without parentheses around the difference, only `function(at - h)` is divided.": (
                up - down / (2 * h)
            ),
            "The change is divided by 2, and not by `h`.": (up - down) / 2,
            "That is the change of the function, divided by 1 or not at all. Divide it by the "
            "distance of the two places.": up - down,
            "The difference is divided by `2 * at`. How far apart are the two places?": (
                (up - down) / (2 * at)
            ),
            "`up - down / 2 * h` divides `down` alone. Use parentheses, around the difference and "
            "around `2 * h`.": up - down / 2 * h,
            "The two values are added. The change is their difference.": (up + down) / (2 * h),
            "That is the value of the function at this place, not a slope.": here,
            "`//` divides and drops what comes after the point. Divide with `/`.": (
                (up - down) // (2 * h)
            ),
            "The digits after the point are dropped. Return the slope as it is.": (
                int((up - down) / (2 * h))
            ),
        }
        refuse_slips(value, mistakes, within=1e-3)
        asked_wider: list[float] = []
        call("nudge", nudge, _noting(function, asked_wider), at, 2 * h)
        if asked == asked_wider:
            raise Wrong("Where `function` is asked does not depend on `h`. Nudge by that `h`.")
        _judge_places(f"For {said} at {at:g} with h = {h:g}", asked, [at + h, at - h])
        if close(value, (up - down) / (2 * h), 0.012):
            raise Wrong("This is near the right value, and not equal to it. Is it rounded?")
        raise Wrong(
            f"For {said} at {at:g} with h = {h:g} the result is {value:.4g}. `function` is asked "
            "at the right places. What is the difference divided by?"
        )
    return (
        "This checks a gradient that you wrote by hand, with two calls for each parameter. "
        "Autograd needs one pass back for all of them."
    )


def _judge_places(said: str, asked: list[float], right: list[float]) -> None:
    places, wanted = (", ".join(f"{place:g}" for place in each) for each in (asked, right))
    if not all(any(close(place, other, 1e-6) for other in asked) for place in right):
        raise Wrong(
            f"{said}, `function` was asked at {places}. It has to be asked at `at + h` and "
            f"`at - h`, here {wanted}."
        )
    if not all(any(close(place, other, 1e-6) for other in right) for place in asked):
        raise Wrong(
            f"{said}, `function` was asked at {places}. The central difference needs two of them, "
            f"`at + h` and `at - h`, here {wanted}."
        )


def _noting(function: Callable, asked: list[float]) -> Callable:
    """Return the function, which then notes where it is asked."""

    def noting(*places: object) -> object:
        if len(places) != 1:
            raise Wrong(f"`function` takes one number, the place, and was given {len(places)}.")
        asked.append(number("the place", *places))
        return function(*places)

    return noting


@exercise(
    "04.4",
    "Step without an optimizer",
    "Loss, `backward`, move, as in the lesson. The reset may come last, in the same function.",
    "`with torch.no_grad():` around `weight -= lr * weight.grad` moves the tensor in place.",
    "What has to be gone before the next `backward`? And `.item()` makes a plain number of a loss.",
)
def step_by_hand(step: object) -> str:
    """Expect two steps of gradient descent on other data, in place, each with its own gradient."""
    X, y = datasets.make_line(n=40, weight=-1.0, bias=0.5, seed=11)
    place = [torch.tensor([value], requires_grad=True) for value in (0.3, -0.6)]
    given, lr, slopes = (X.clone(), y.clone()), 0.03, []
    for _ in range(2):
        before = [value.item() for value in place]
        slopes.append(_slopes(X, y, *before))
        with same_random_numbers("step"), _autograd_alone():
            loss = call("step", step, *place, *given, lr)
        moved = torch.tensor([value.item() for value in place]) - torch.tensor(before)
        if not (close(given[0], X) and close(given[1], y)):
            raise Wrong("`step` changes the data that it is given. Only the parameters move.")
        if not moved.any():
            _judge_standing([value.grad for value in place])
        _judge_move(moved, lr, slopes, (X, y, *before))
        _judge_loss(loss, (X, y, *before), [value.item() for value in place])
    return (
        "Called twice, it steps twice, each along a fresh gradient. An optimizer does the same "
        "for all parameters of a model: one method moves, another resets."
    )


@contextlib.contextmanager
def _autograd_alone() -> Iterator[None]:
    """Expect that autograd is asked for a gradient inside, and that no optimizer steps.

    Raises
    ------
    Wrong
        If it is otherwise.
    """
    steps: list[object] = []
    hook = register_optimizer_step_pre_hook(lambda *step: steps.append(step))
    with contextlib.ExitStack() as stack:
        stack.callback(hook.remove)
        asked = [
            stack.enter_context(
                mock.patch.object(torch.autograd, name, wraps=getattr(torch.autograd, name))
            )
            for name in ("backward", "grad")
        ]
        yield
    if steps:
        raise Wrong("An optimizer takes this step. The exercise asks for the two moves by hand.")
    if not any(function.called for function in asked):
        raise Wrong("Autograd is never asked. The exercise wants the gradients of `backward`.")


def _judge_standing(gradients: list[torch.Tensor | None]) -> None:
    if all(gradient is not None and not gradient.any() for gradient in gradients):
        raise Wrong(
            "Neither tensor has moved, and both gradients are 0. Are they reset between `backward` "
            "and the move? Reset after the move, or before `backward`."
        )
    raise Wrong(
        "Neither tensor has moved. Does the move come after `backward`, and in place? "
        "`weight = ...` names a new tensor, `weight -= ...` moves the one that was given."
    )


def _judge_move(moved: torch.Tensor, lr: float, all_slopes: list[torch.Tensor], at: tuple) -> None:
    """Expect a move by minus lr times the last of the slopes."""
    X, y, weight, bias = at
    slopes = all_slopes[-1]
    if close(moved, -lr * slopes, 1e-5):
        return
    late = torch.stack([slopes[0], _slopes(X, y, weight - lr * slopes[0].item(), bias)[1]])
    first, second = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    summed = {}
    if len(all_slopes) == 2:
        summed = {
            "The second step uses the sum of both gradients. Reset them in each step.": 1.0,
            "The second step of the weight uses the sum of both gradients. Reset each.": first,
            "The second step of the bias uses the sum of both gradients. Reset each.": second,
        }
        summed = {said: slopes + part * all_slopes[0] for said, part in summed.items()}
    mistakes = summed | {
        "The step goes uphill. A gradient points to where the loss rises.": -slopes,
        f"The step is half as long as it has to be. {_HALVED}": slopes / 2,
        "The step is twice as long as it has to be. Does `backward` or the move run twice?": 2
        * slopes,
        f"The step is {len(X)} times too long: a sum of squares. The MSE is a mean.": (
            len(X) * slopes
        ),
        f"The step is {len(X) // 2} times too long: half of a sum. The MSE is a mean.": (
            len(X) / 2 * slopes
        ),
        f"The step is {len(X)} times too short. The MSE is a mean already.": slopes / len(X),
        "The weight moves, and the bias stays. Both are parameters.": first * slopes,
        "The bias moves, and the weight stays. Both are parameters.": second * slopes,
        "The step is 0.1 times the gradient. Use the `lr` that is given.": 0.1 / lr * slopes,
        "The step is the whole gradient. Multiply it by `lr`.": slopes / lr,
        "The step divides by `lr`. Multiply the gradient by it.": slopes / lr**2,
        "The bias uses a gradient taken after the weight moved. Take both first.": late,
        "The step fits the notebook's data. Use the `X` and `y` given.": (
            _slopes(*_birds(), weight, bias)
        ),
        f"The step follows the loss of all pairs. {CROSSED}": (
            _slopes(X, y.squeeze(1), weight, bias)
        ),
        "The step follows the L1 loss. The exercise asks for the MSE.": (
            _l1_slopes(X, y, weight, bias)
        ),
        "The step follows the root of the MSE. Leave the loss a square.": (
            slopes / (2 * _loss(*at) ** 0.5)
        ),
        "In the prediction weight and bias have changed places. The weight multiplies X.": (
            _slopes(X, y, bias, weight).flip(0)
        ),
        "Weight and bias each moved by the gradient of the other.": slopes.flip(0),
    }
    mistakes = {said: -lr * slope for said, slope in mistakes.items()}
    refuse_slips(moved, mistakes, within=1e-5)
    told = ["({:.4f}, {:.4f})".format(*pair.tolist()) for pair in (moved, -lr * slopes)]
    raise Wrong(
        f"Weight and bias moved by {told[0]}; they should have moved by {told[1]}, minus `lr` "
        "times their gradients of the MSE. Compare loss and moves with those of the lesson."
    )


def _judge_loss(loss: object, at: tuple, place: list[float]) -> None:
    if type(loss) is torch.Tensor:
        raise Wrong("`step` returns a tensor, and a number is asked for. Return `loss.item()`.")
    if type(loss) in (tuple, list):
        raise Wrong(f"`step` returns {kind(loss)}, expected the loss alone.")
    loss = number("step(...)", loss)
    X, y, *_ = at
    before = _loss(*at)
    mistakes = {
        "That is the loss after the step. Return the one the gradients are of.": (
            _loss(X, y, *place)
        ),
        HALF_MSE: before / 2,
        "The loss returned is a sum over the points. The MSE is a mean.": len(X) * before,
        "The loss returned is the root of the MSE. Leave it a square.": before**0.5,
    }
    refuse_slips(loss, mistakes, within=1e-3)
    if not close(loss, before):
        raise Wrong(f"The loss before the step was {before:.4f}, and `step` returns {loss:.4f}.")


@exercise(
    "04.5",
    "Put the ball on rails",
    "Change one of the two, append both: the other list gets its last value once more.",
    "`formula(my_weights[-1], my_biases[-1])` tells both slopes where you stand. Use one of them.",
    "Take turns in a loop: a step of the weight, then one of the bias. Which rate worked in "
    "exercise 2?",
)
def ride(my_weights: object, my_biases: object) -> str:
    """Expect places from (1.25, 4.95) to a loss below 0.155, one parameter moved at a time."""
    weights, biases = _stops("my_weights", my_weights), _stops("my_biases", my_biases)
    if len(weights) != len(biases):
        raise Wrong(
            f"There are {len(weights)} weights and {len(biases)} biases. Each place needs both, "
            "also the one that has not changed."
        )
    places = list(zip(weights, biases, strict=True))
    if not close(torch.tensor(places[0]), torch.tensor([1.25, 4.95])):
        raise Wrong("The ride begins at weight 1.25 and bias 4.95. Keep that place in the lists.")
    if len(places) == 1:
        raise NotAttempted
    for stop, ((w, b), (new_w, new_b)) in enumerate(itertools.pairwise(places), 1):
        if abs(new_w - w) > 1e-6 and abs(new_b - b) > 1e-6:
            raise Wrong(f"Step {stop} goes diagonally: it moves weight and bias at once.")
    X, y = _birds()
    start, end = (_loss(X, y, *places[k]) for k in (0, -1))
    if end >= 0.155:
        slopes = _slopes(X, y, *places[-1]).abs().tolist()
        steeper = "weight" if slopes[0] > slopes[1] else "bias"
        said = "higher than at the start: is a sign turned?" if end > start else "not there yet."
        raise Wrong(
            f"The ride ends at a loss of {end:.4g}, {said} Here the ground is steeper along the "
            f"{steeper}."
        )
    fewer = " Fewer are possible: ride each parabola to its bottom." if len(places) > 4 else ""
    return (
        f"There, in {len(places) - 1} straight steps.{fewer} Downhill along one axis at a time "
        "leads to the bottom as well; the gradient only points out the steepest way. Draw the ride."
    )


def _stops(name: str, value: object) -> list[float]:
    if type(value) in (torch.Tensor, torch.nn.Parameter):
        value = flat(value)
    elif type(value) is np.ndarray:
        value = value.ravel().tolist()
    stops = numbers(name, value)
    if not stops:
        raise Wrong(f"`{name}` is empty. The ride begins at weight 1.25 and bias 4.95.")
    return stops
