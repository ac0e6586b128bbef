"""Plausible wrong answers to the exercises on losses and gradients: code and hint."""


def gradient(after, loss="loss_fn(weight * X + bias, y)", weight="2.0"):
    """Return exercise 1 with this loss and these last lines."""
    return (
        f"weight = torch.tensor([{weight}], requires_grad=True)\n"
        "bias = torch.tensor([0.0], requires_grad=True)\n"
        f"loss = {loss}\n{after}"
    )


def nudge(result):
    """Return the function of exercise 3 with this result."""
    return f"def nudge(function, at, h):\n    return {result}"


def step(*moves, loss="loss_fn(weight * X + bias, y)", end="return loss.item()"):
    """Return the function of exercise 4 with these lines after `backward`."""
    lines = [f"loss = {loss}", "loss.backward()", *moves, end]
    return "def step(weight, bias, X, y, lr):\n" + "".join(f"    {line}\n" for line in lines)


READ = "loss.backward()\nslope = bias.grad"
NO_GRAD, RESET = "with torch.no_grad():", "weight.grad, bias.grad = None, None"
MOVE = (NO_GRAD, "    weight -= lr * weight.grad", "    bias -= lr * bias.grad")

WRONG = {
    "04.1": [
        (gradient("loss.backward()\nslope = weight.grad"), "slope of the weight"),
        (gradient("slope = bias.grad"), "is empty until"),
        (gradient("loss.backward()\nslope = -bias.grad"), "sign is turned"),
        (
            gradient("loss.backward()\nloss = loss_fn(weight * X + bias, y)\n" + READ),
            "gradients add up",
        ),
        (gradient(READ, weight="0.0"), "weight 0"),
        (gradient(READ, loss="((weight * X + bias - y) ** 2).sum()"), "that of a sum"),
        (gradient(READ, loss="nn.L1Loss()(weight * X + bias, y)"), "L1 loss"),
        (gradient("loss.backward()\nslope = loss"), "the loss itself"),
        (gradient(READ, loss="loss_fn(weight * X_small + bias, y_small)"), "is not the slope"),
        (gradient("loss.backward()\nslope = weight.grad, bias.grad"), "expected one number"),
        (gradient("loss.backward()\nslope = bias"), "is not the slope"),
    ],
    "04.2": [
        ("lr = 0.1", "the floor is still ahead"),
        ("lr = 0.01", "the floor is still ahead"),
        ("lr = 0.9", "it crosses the floor"),
        ("lr = 1.2", "higher than it began"),
        ("lr = -0.5", "goes uphill"),
        ("lr = 0", "stands still"),
        ("lr = [0.1, 0.3, 0.6]", "expected one number"),
        ("lr = walk(0.5, steps=1)", "expected one number"),
        (
            "end = walk(0.1, steps=12)\nlr = descent.mean_loss(X, y, end[0][-1], end[1][-1])",
            "too short",
        ),
    ],
    "04.3": [
        (nudge("(function(at + h) - function(at)) / h"), "to one side"),
        (nudge("(function(at) - function(at - h)) / h"), "goes down only"),
        (nudge("(function(at + h) - function(at - h)) / h"), "twice too steep"),
        (nudge("(function(at - h) - function(at + h)) / (2 * h)"), "sign is turned"),
        (nudge("(function(at + h) - function(at - h)) / 2 * h"), "use parentheses"),
        (nudge("function(at + h) - function(at - h) / (2 * h)"), "parentheses and signs"),
        (nudge("function(at + h) - function(at - h)"), "the change of the function"),
        (nudge("(function(at + 1e-4) - function(at - 1e-4)) / 2e-4"), "does not depend on `h`"),
        (nudge("function(at)"), "value of the function"),
        (nudge("loss_at(at + h, 0.0)"), "never does"),
        (nudge("(loss_at(h, 0.0) - loss_at(-h, 0.0)) / (2 * h)"), "`function` that is given"),
        (nudge("function"), "a function, expected one number"),
        (
            "def nudge(function, at, h):\n    (function(at + h) - function(at - h)) / (2 * h)",
            "is a `return` missing",
        ),
        ("nudge = (12.25 - 12) / 2", "expected something to call"),
    ],
    "04.4": [
        (step(*MOVE), "the sum of both gradients"),
        (
            step("weight = weight - lr * weight.grad", "bias = bias - lr * bias.grad", RESET),
            "names a new tensor",
        ),
        (step("weight -= lr * weight.grad", "bias -= lr * bias.grad"), "in-place operation"),
        (step(MOVE[0], MOVE[1], RESET), "the bias stays"),
        (step(MOVE[0], MOVE[2], RESET), "the weight stays"),
        (step(*[line.replace("-=", "+=") for line in MOVE], RESET), "uphill"),
        (step(*[line.replace("lr *", "0.1 *") for line in MOVE], RESET), "the `lr` that is given"),
        (step(*[line.replace("lr * ", "") for line in MOVE], RESET), "multiply it by `lr`"),
        (
            step(*MOVE, RESET, loss="((weight * X + bias - y) ** 2).sum()"),
            "40 times too long",
        ),
        (step(RESET, *MOVE), "raised TypeError"),
        (
            step(
                *MOVE[:2],
                RESET,
                "loss = loss_fn(weight * X + bias, y)",
                "loss.backward()",
                NO_GRAD,
                MOVE[2],
                RESET,
            ),
            "after the weight moved",
        ),
        (step(*MOVE, RESET, end="return loss"), "return `loss.item()`"),
        (step(*MOVE, RESET, end="return weight, bias"), "the loss alone"),
        (
            step(*MOVE, RESET, end="return loss_fn(weight * X + bias, y).item()"),
            "the loss after the step",
        ),
        (step(*MOVE, RESET, end="pass"), "is a `return` missing"),
        (
            "def step(weight, bias, X, y, lr):\n"
            "    slopes = gradient_by_hand(weight.detach(), bias.detach())\n"
            "    with torch.no_grad():\n"
            "        weight -= lr * slopes[0]\n"
            "        bias -= lr * slopes[1]\n"
            "    return loss_fn(weight * X + bias, y).item()",
            "the notebook's data",
        ),
        (
            "def step(weight, bias, X, y, lr):\n"
            "    model, optimizer = fresh_start()\n"
            "    one_step(model, loss_fn, optimizer, X, y)\n"
            "    return loss_fn(weight * X + bias, y).item()",
            "neither tensor has moved",
        ),
        (step(*MOVE, RESET, loss="nn.L1Loss()(weight * X + bias, y)"), "did not move by minus"),
    ],
}

RIGHT = {  # unusual, and right
    "04.1": [],
    "04.2": [],
    "04.3": [],
    "04.4": [],
}
