"""Checks of exercises on losses and gradients."""

import contextlib
from collections.abc import Callable, Iterator
from unittest import mock

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

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


@exercise(
    "04.1",
    "Read a slope",
    "Compute the loss as in the section on autograd, with this weight and this bias.",
    "After `backward` on the loss, each of the two tensors has its own `.grad`.",
)
def slope_of_the_bias(slope: object) -> str:
    """Expect the slope of the MSE for the bias at weight 2 and bias 0."""
    if slope is None:
        raise Wrong(
            "The slope is None. `backward` returns nothing: it fills the `.grad` of the tensors "
            "made with `requires_grad=True`, which is empty until then and stays so in `loss`."
        )
    slope = number("slope", slope)
    X, y = datasets.make_line()
    of_weight, right = _slopes(X, y, 2.0, 0.0).tolist()
    if close(slope, right, 0.002):
        return (
            "It is negative, so the loss falls as the bias rises. With MSE the slope of the bias "
            "is minus twice the mean residual, and this line lies about 1.5 below the points."
        )
    X_small = torch.tensor([[0.0], [0.5], [1.0]])
    loss = _loss(X, y, 2.0, 0.0)
    mistakes = {
        "That is the slope of the weight. Each tensor has a `.grad` of its own.": of_weight,
        "The sign is turned around. Take the gradient as it is, before any step.": -right,
        f"That is half of the slope. {_HALVED}": right / 2,
        "That is twice the slope. Did `backward` run twice? Gradients add up.": 2 * right,
        "That is three times the slope. `backward` ran more than once: gradients add up.": (
            3 * right
        ),
        "That is 200 times the slope, that of a sum. The MSE is a mean.": 200 * right,
        "That is the slope at weight 0. Here the weight is 2.": _slopes(X, y, 0.0, 0.0)[1],
        "That is the slope at weight 0 and bias 2. Weight and bias are swapped.": (
            _slopes(X, y, 0.0, 2.0)[1]
        ),
        "That is the loss itself. Its slope is in a `.grad`.": loss,
        "That is the slope of the mean prediction. The loss squares each residual first.": 1.0,
        "That is the slope of the L1 loss, which knows the signs of the residuals alone, or of the "
        "mean residual. MSE squares each residual.": -1.0,
        "That is the slope of the root of the MSE. Leave the loss a square.": right
        / (2 * loss**0.5),
        "That is the slope on the three small points. Use `X` and `y`, all 200.": (
            _slopes(X_small, 0.8 * X_small + 0.2, 2.0, 0.0)[1]
        ),
        "That is 0, as the bias is. Its slope is `bias.grad`, filled by `backward`.": 0.0,
        "That is the bias after a step with `lr` 0.1. The exercise asks for its slope.": -0.1
        * right,
    }
    refuse_slips(slope, mistakes, within=1e-3)
    if close(slope, right, 0.01):
        raise Wrong("Very near, and not the slope to 2 digits after the point. Is it rounded?")
    raise Wrong(
        f"{slope:.4g} is not the slope of the bias at weight 2 and bias 0. Is the loss the MSE of "
        "`weight * X + bias` and `y`, and is `slope` read after `loss.backward()`?"
    )


@exercise(
    "04.2",
    "Find a better learning rate",
    "`walk(lr, steps=1)` takes the step. Does it end before the lowest point, or beyond it?",
    "0.1 ends before the lowest point and 1.2 far beyond it. Halve the range, and again.",
    "`descent.mean_loss(X, y, weight, bias)` tells the loss where the step ended.",
)
def better_rate(lr: object) -> str:
    """Expect a learning rate whose first step from (0, 0) brings the loss below 0.05."""
    if type(lr) is tuple and all(type(part) is int for part in lr):
        raise Wrong("A comma makes several values of one. Python writes decimals with a point.")
    lr = number("lr", lr)
    X, y = datasets.make_line()
    if not -1e3 < lr < 1e3:
        raise Wrong(f"With {lr:.4g} the step leads far away from all that is on the map.")
    weight, bias = (-lr * _slopes(X, y, 0.0, 0.0)).tolist()
    after, before = _loss(X, y, weight, bias), _loss(X, y, 0.0, 0.0)
    if lr <= 0:
        raise Wrong("Without a positive learning rate the step stands still or goes uphill.")
    if after > before:
        raise Wrong(f"The loss rises to {after:.4g}: the step ends higher than it began.")
    if after >= 0.05:
        ahead = (_slopes(X, y, weight, bias) * _slopes(X, y, 0.0, 0.0)).sum() > 0
        where = (
            "short: the lowest point lies ahead" if ahead else "long: it passes the lowest point"
        )
        raise Wrong(f"The loss after the step is {after:.4g}. The step is too {where}.")
    return (
        "One step gets nearly to the lowest point because this bowl is nearly round: x has a mean "
        "near 0 and a spread near 1. Features on other scales make it long and narrow."
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
    "Set both `.grad` to `None` at the end, and return `loss.item()`, computed before the step.",
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
            _slopes(*datasets.make_line(), weight, bias)
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
