"""Checks of exercises on first steps."""

import torch

from course_utils import datasets
from course_utils.checks.judging import (
    Wrong,
    call,
    close,
    exercise,
    flat,
    number,
    refuse_slips,
    tensor,
)


@exercise(
    "00.1",
    "Type an answer",
    "At x = 3 and weight 0.5 the height was 0.5 · 3 + 1.5. What changes here?",
    "Python writes a product with `*`: type `height = 2.0 * 10 + ` and the bias behind it.",
)
def height_of_the_line(height: object) -> str:
    """Give the height at x = 10 of the line with weight 2.0 and bias 1.5."""
    if type(height) is tuple:
        raise Wrong("A comma makes several values of one. Python writes decimals with a point.")
    height = number("height", height)
    slips = {
        "This is weight times x. The line starts higher, at its bias, when x is 0.": 20.0,
        "The bias is added once, at the end. Here it was multiplied by x as well.": 35.0,
        "Weight and bias have changed places: x is multiplied by the weight.": 17.0,
        "This line has weight 2.0. The weight 0.5 belongs to the line from before.": 6.5,
        "Here the three numbers are added up. The weight multiplies x.": 13.5,
        "The bias is added, not subtracted: the line starts above zero.": 18.5,
        "The parentheses add the bias before the weight multiplies. It is added last.": 23.0,
        "The bias is added, not multiplied.": 30.0,
    }
    refuse_slips(height, slips)
    if not close(height, 21.5):
        raise Wrong("Compare each number and each sign with weight times x, plus bias.")
    return "Every model of this course begins like this: multiply the features, then add."


@exercise(
    "00.2",
    "Ask for a hint",
    "A tensor answers questions about itself: `y.mean()` gives the mean of all its values.",
    "The question for the largest value is called `max`. Do not forget the parentheses.",
)
def highest_target(highest: object) -> str:
    """Give the largest target of the course's line."""
    if type(highest).__name__ in ("builtin_function_or_method", "method"):
        raise Wrong("This is the method itself. The parentheses behind its name call it.")
    if type(highest).__module__ == "torch.return_types":
        method = type(highest).__name__
        given = "`max` with a `dim`" if method == "max" else f"`{method}`"
        raise Wrong(
            f"This is a pair: values, and the rows they stand in. {given} gives such a pair, and "
            "`max` without a `dim` gives one number."
        )
    X, y = datasets.make_line()
    highest = number("highest", highest)
    slips = {
        "This is the largest feature. The targets are in `y`.": X.max(),
        "This is the smallest target. Which method is the opposite of `min`?": y.min(),
        "This is the mean of the targets, not the largest of them.": y.mean(),
        "This is the row where the largest target stands. What is its value?": y.argmax(),
        "This is the target of the last row. The rows are not sorted.": y[-1],
        "This is the target of the first row. The rows are not sorted.": y[0],
        "This counts the rows of `y`. Which value in it is the largest?": len(y),
        "This adds up all targets. Which of them is the largest?": y.sum(),
        "This is the height of the line at the largest x. The points scatter around the line.": (
            2.0 * X.max() + 1.5
        ),
        "The text below the picture is rounded. Ask `y` for the value in full.": 6.7,
    }
    refuse_slips(highest, slips)
    if not close(highest, y.max()):
        if abs(highest - y.max()) < 1:
            raise Wrong("This is near the largest target. Has the value been rounded or read off?")
        raise Wrong(f"The largest target is not {highest:g}. Ask the tensor `y` for it.")
    return (
        "The text below a picture rounds to three digits; the tensor keeps about seven, of which "
        "it prints five. And a hint costs nothing: ask for one before you look at a solution."
    )


@exercise(
    "00.3",
    "Write a function",
    "What you wrote in exercise 1 holds for all lines once names stand in place of the numbers.",
    "Put the names behind `return`: `return weight * x + bias` has all three.",
)
def any_line(line: object) -> str:
    """Write a function of x, weight and bias that works for one x and for a column."""
    for x, weight, bias in ((10.0, 3.14, 0.25), (2.5, -3.0, 1.25)):
        _judge_one_height(line, x, weight, bias)
    x = torch.tensor([[0.0], [1.0], [-2.0], [7.0]])
    heights = call("line", line, x, -1.0, 4.0)
    if type(heights) in (int, float):
        raise Wrong("`line` returns one number for a column of four x. Does it use its x?")
    heights = tensor("line(X, ...)", heights, (4, 1))
    if flat(x) != [0.0, 1.0, -2.0, 7.0]:
        raise Wrong("`line` changes the x that it gets. Make a new value instead of `*=` or `+=`.")
    if not close(heights, torch.tensor([[4.0], [3.0], [6.0], [-3.0]])):
        raise Wrong(
            "`line` is right for one x and wrong for a column. Does each row keep its own x?"
        )
    return (
        "The check called your function with numbers of its own, and with a column of four x at "
        "once. From now on many answers are functions."
    )


def _judge_one_height(line: object, x: float, weight: float, bias: float) -> None:
    """Expect the height of a line at one x."""
    height = number(f"line({x}, {weight}, {bias})", call("line", line, x, weight, bias))
    right = weight * x + bias
    if close(height, right):
        return
    slips = {
        "`line` multiplies the weight by 10, the x of exercise 1. Use the x it is given.": (
            weight * 10 + bias
        ),
        "`line` leaves the bias out: at x = 0 it has to return the bias.": weight * x,
        "`line` adds the bias to the weight before it multiplies. The bias is added last.": (
            x * (weight + bias)
        ),
        "`line` adds the bias to x before it multiplies. The bias is added last.": (
            weight * (x + bias)
        ),
        "`line` multiplies x by the bias: weight and bias have changed places.": bias * x + weight,
        "`line` always draws the line of exercise 1. Use the names in the parentheses.": (
            2.0 * x + 1.5
        ),
        "`line` adds all three up. The weight has to multiply x.": x + weight + bias,
        "`line` takes the bias away. It has to be added.": weight * x - bias,
        "`line` multiplies all three. The bias has to be added.": weight * x * bias,
        "`x ** weight` is a power. A product is written with one `*`.": abs(x**weight) + bias,
        "`line` loses a sign. A height below zero is negative.": -right,
    }
    if weight > 0:
        slips["`weight ** x` is a power. A product is written with one `*`."] = weight**x + bias
    refuse_slips(height, slips)
    if abs(height - right) < 1 and close(height, round(height, 1)):
        raise Wrong("The height is rounded. Return it as it is.")
    raise Wrong(
        f"`line({x}, {weight}, {bias})` returns {height:g}, which is not {weight} times {x} plus "
        f"{bias}. Compare with exercise 1, name by name."
    )
