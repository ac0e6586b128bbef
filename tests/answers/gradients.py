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
ZERO = ("weight.grad.zero_()", "bias.grad.zero_()")
MOVE = (NO_GRAD, "    weight -= lr * weight.grad", "    bias -= lr * bias.grad")

WRONG = {
    "04.1": [
        (gradient("loss.backward()\nslope = weight.grad"), "slope of the weight"),
        (gradient("slope = bias.grad"), "is empty until then"),
        (gradient("slope = loss.backward()"), "`backward` returns nothing"),
        (gradient("loss.backward()\nslope = loss.grad"), "stays so in `loss`"),
        (gradient(READ, loss="(weight * X + bias - y).square().mean() / 2"), "loss halved"),
        (gradient(READ, loss="loss_fn(weight * X + bias, y) ** 0.5"), "root of the MSE"),
        (gradient(READ + "\nslope = round(slope.item())"), "is it rounded"),
        (gradient(READ + "\nslope = bias - 0.1 * slope"), "after a step"),
        (
            gradient(
                READ + "\nbias.grad = None\nloss = loss_fn(weight * X + bias, y)\n"
                "loss.backward()\nslope = slope + bias.grad"
            ),
            "twice the slope",
        ),
        (
            gradient(
                "for again in range(3):\n    loss = loss_fn(weight * X + bias, y)\n"
                "    loss.backward()\nslope = bias.grad"
            ),
            "three times the slope",
        ),
        (
            gradient(READ, weight="0.0").replace(
                "torch.tensor([0.0], requires_grad=True)\nloss",
                "torch.tensor([2.0], requires_grad=True)\nloss",
            ),
            "swapped",
        ),
        (gradient(READ, loss="loss_fn(weight * X, y) + 0 * bias + 5 * bias"), "read after"),
        (gradient(READ, loss="(weight * X + bias).mean()"), "slope of the mean prediction"),
        (gradient(READ, loss="(weight * X + bias - y).mean()"), "squares each residual first"),
        (gradient(READ, loss="(y - weight * X - bias).mean()"), "or of the mean residual"),
        (gradient(READ + ".sum"), "are parentheses missing"),
        (gradient("loss.backward()\nslope = -bias.grad"), "sign is turned"),
        (
            gradient("loss.backward()\nloss = loss_fn(weight * X + bias, y)\n" + READ),
            "gradients add up",
        ),
        (gradient(READ, weight="0.0"), "weight 0"),
        (gradient(READ, loss="((weight * X + bias - y) ** 2).sum()"), "that of a sum"),
        (gradient(READ, loss="nn.L1Loss()(weight * X + bias, y)"), "L1 loss"),
        (gradient("loss.backward()\nslope = loss"), "the loss itself"),
        (gradient(READ, loss="loss_fn(weight * X_small + bias, y_small)"), "three small points"),
        (gradient("loss.backward()\nslope = weight.grad, bias.grad"), "expected one number"),
        (gradient("loss.backward()\nslope = bias"), "That is 0, as the bias is"),
    ],
    "04.2": [
        ("lr = 0.1", "short: the lowest point lies ahead"),
        ("lr = 0.01", "short: the lowest point lies ahead"),
        ("lr = 0.9", "long: it passes the lowest point"),
        ("lr = 1e30", "far away"),
        ("lr = float('nan')", "is nan"),
        ("lr = 0,5", "decimals with a point"),
        ("lr = '0.5'", "a str, expected one number"),
        ("lr = lambda: 0.5", "a function, expected one number"),
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
        (
            nudge("function(at + h) - function(at - h) / (2 * h)"),
            "only `function(at - h)` is divided",
        ),
        (nudge("function(at + h) - function(at - h)"), "the change of the function"),
        (nudge("(function(at + 1e-4) - function(at - 1e-4)) / 2e-4"), "does not depend on `h`"),
        (nudge("(function(at + h) - function(at - h)) // (2 * h)"), "divide with `/`"),
        (nudge("int((function(at + h) - function(at - h)) / (2 * h))"), "digits after the point"),
        (nudge("round((function(at + h) - function(at - h)) / (2 * h), 1)"), "is it rounded"),
        (nudge("(function(at + h) - function(at - h)) / 2"), "not by `h`"),
        (
            nudge("(function(at + h / 2) - function(at - h / 2)) / h"),
            "was asked at 3.5, 0.5. It has to be",
        ),
        (nudge("abs(function(at + h) - function(at - h)) / (2 * h)"), "sign is lost"),
        (nudge("(function(at + h) - function(at)) / (2 * h)"), "second place is `at` itself"),
        (nudge("(function(at) - function(at - h)) / (2 * h)"), "first place is `at` itself"),
        (nudge("(function(at + h) + function(at - h)) / (2 * h)"), "The two values are added"),
        (nudge("(function(at * (1 + h)) - function(at * (1 - h))) / (2 * h)"), "asked at 8, -4"),
        (nudge("function(at, h)"), "takes one number"),
        (nudge("(function(2 + h) - function(2 - h)) / (2 * h)"), "asked at 2.23, 1.77. It has to"),
        (nudge("(function(at + 2 * h) - function(at - 2 * h)) / (4 * h)"), "here 5, -1"),
        (nudge("(function(at + h) - 2 * function(at) + function(at - h)) / h**2"), "needs two"),
        (
            nudge(
                "(function(at - 2 * h) - 8 * function(at - h) + 8 * function(at + h) "
                "- function(at + 2 * h)) / (12 * h)"
            ),
            "needs two of them",
        ),
        (nudge("(function(at + h) - function(at - h)) / (2 * 0.5)"), "divided by 1"),
        (nudge("(function(at + h) - function(at - h)) / (2 * at)"), "divided by `2 * at`"),
        (nudge("(function(at + h) - function(at - h)) / (3 * h)"), "difference divided by?"),
        (nudge("function(at + h) - function(at - h) / 2 * h"), "divides `down` alone"),
        (
            "def nudge(function, at, h):\n"
            "    at += h\n"
            "    up = function(at)\n"
            "    at -= h\n"
            "    down = function(at)\n"
            "    return (up - down) / (2 * h)",
            "it has to be `at - h`",
        ),
        (
            "def nudge(function, at, h):\n"
            "    place = torch.tensor(at, requires_grad=True)\n"
            "    function(place).backward()\n"
            "    return place.grad.item()",
            "does not depend on `h`",
        ),
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
        (
            step("weight -= lr * weight.grad", "bias -= lr * bias.grad"),
            "inside `with torch.no_grad():`",
        ),
        (step(*ZERO, *MOVE), "are they reset between `backward` and the move"),
        (step(*ZERO), "both gradients are 0"),
        (step(*MOVE, RESET, loss="(weight * X + bias - y).square().mean() / 2"), "loss halved"),
        (step(*MOVE, "weight.grad = None"), "step of the bias uses the sum"),
        (step(*MOVE, "bias.grad = None"), "step of the weight uses the sum"),
        (step(*MOVE, RESET, loss="loss_fn(weight * X + bias, y.squeeze(1))"), "loss of all pairs"),
        (step(*MOVE, RESET, loss="loss_fn(weight * X + bias, y) ** 0.5"), "root of the MSE"),
        (step(*[line.replace("lr *", "lr / len(X) *") for line in MOVE], RESET), "too short"),
        (step(*[line.replace("lr *", "1 / lr *") for line in MOVE], RESET), "divides by `lr`"),
        (
            step(
                MOVE[0],
                MOVE[1].replace("weight.g", "bias.g"),
                MOVE[2].replace("bias.g", "weight.g"),
                RESET,
            ),
            "the gradient of the other",
        ),
        (
            step("loss = loss_fn(weight * X + bias, y)", "loss.backward()", *MOVE, RESET),
            "does `backward` or the move run twice",
        ),
        (step(*MOVE, RESET, "X -= X.mean()"), "changes the data"),
        (step("torch.manual_seed(0)", *MOVE, RESET), "random numbers that all other code gets"),
        (step(*MOVE, "weight.zero_grad(), bias.zero_grad()"), "set its `.grad` to `None`"),
        (step(*MOVE, "weight.grad = bias.grad = 0"), "call `.grad.zero_()`"),
        (
            step(*MOVE, RESET, loss="(weight * X + bias - y).abs().square().exp().mean()"),
            "they should have moved by",
        ),
        (step(*MOVE, RESET, loss="(weight * X + bias - y).square().sum() / 2"), "half of a sum"),
        (step(*MOVE, RESET, loss="loss_fn(bias * X + weight, y)"), "have changed places"),
        (step(*MOVE, RESET, end="return loss.detach()"), "returns a tensor"),
        (step(*MOVE, RESET, end="return loss.item() / 2"), "half of the mean squared error"),
        (step(*MOVE, RESET, end="return len(X) * loss.item()"), "a sum over the points"),
        (step(*MOVE, RESET, end="return loss.item() ** 0.5"), "root of the MSE"),
        (step(*MOVE, RESET, end="return weight.item()"), "before the step was"),
        (
            step("torch.set_grad_enabled(False)", *MOVE[1:], RESET).replace("        ", "    "),
            "for the whole program",
        ),
        (
            step(
                "weight.requires_grad = bias.requires_grad = False",
                "weight -= lr * weight.grad",
                "bias -= lr * bias.grad",
                RESET,
            ),
            "has no record of how it was computed",
        ),
        (
            step("optimizer = torch.optim.SGD([weight, bias], lr=lr)", "optimizer.step()", RESET),
            "an optimizer takes this step",
        ),
        (
            "def step(weight, bias, X, y, lr):\n"
            "    residual = (y - weight * X - bias).detach()\n"
            "    with torch.no_grad():\n"
            "        weight += lr * 2 * (residual * X).mean()\n"
            "        bias += lr * 2 * residual.mean()\n"
            "    return residual.square().mean().item()",
            "autograd is never asked",
        ),
        (
            "def step(weight, bias, X, y, lr):\n"
            "    if weight.grad is not None:\n"
            "        with torch.no_grad():\n"
            "            weight -= lr * weight.grad\n"
            "            bias -= lr * bias.grad\n"
            "        weight.grad, bias.grad = None, None\n"
            "    loss = loss_fn(weight * X + bias, y)\n"
            "    loss.backward()\n"
            "    return loss.item()",
            "does the move come after `backward`",
        ),
        (
            "def step(weight, bias, X, y, lr):\n"
            "    with torch.no_grad():\n"
            "        loss = loss_fn(weight * X + bias, y)\n"
            "    loss.backward()\n"
            "    return loss.item()",
            "made under `no_grad`",
        ),
        (
            "def step(weight, bias, X, y, lr):\n"
            "    weight.grad.zero_(), bias.grad.zero_()\n"
            "    return loss_fn(weight * X + bias, y).item()",
            "`.grad` is None before the first `backward`",
        ),
        (step(*MOVE, RESET, loss="loss_fn.backward()"), "`loss.backward()`"),
        (step(MOVE[0], MOVE[1], RESET), "the bias stays"),
        (step(MOVE[0], MOVE[2], RESET), "the weight stays"),
        (step(*[line.replace("-=", "+=") for line in MOVE], RESET), "uphill"),
        (step(*[line.replace("lr *", "0.1 *") for line in MOVE], RESET), "the `lr` that is given"),
        (step(*[line.replace("lr * ", "") for line in MOVE], RESET), "multiply it by `lr`"),
        (
            step(*MOVE, RESET, loss="((weight * X + bias - y) ** 2).sum()"),
            "40 times too long",
        ),
        (step(RESET, *MOVE), "something here is None"),
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
            "autograd is never asked",
        ),
        (
            step(*MOVE, RESET).replace("X, y, lr", "features, targets, lr"),
            "the notebook's data",
        ),
        (
            "def step(weight, bias, X, y, lr):\n"
            "    model, optimizer = fresh_start()\n"
            "    one_step(model, loss_fn, optimizer, X, y)\n"
            "    return loss_fn(weight * X + bias, y).item()",
            "an optimizer takes this step",
        ),
        (step(*MOVE, RESET, loss="nn.L1Loss()(weight * X + bias, y)"), "follows the L1 loss"),
    ],
}

RIGHT = {  # unusual, and right
    "04.1": [
        gradient(READ + ".item()"),
        gradient("(slope,) = torch.autograd.grad(loss, bias)"),
        gradient(READ, loss="nn.functional.mse_loss(weight * X + bias, y)"),
        gradient(READ, loss="(y - weight * X - bias).pow(2).sum() / len(y)"),
        "model = nn.Linear(1, 1)\n"
        "nn.init.constant_(model.weight, 2.0)\n"
        "nn.init.zeros_(model.bias)\n"
        "loss_fn(model(X), y).backward()\n"
        "slope = round(model.bias.grad.numpy()[0].item(), 2)",
        "slope = 2 * (2.0 * X.double() - y.double()).mean()",
    ],
    "04.2": [
        "lr = torch.tensor(0.49)",
        "lr = min((0.4, 0.45, 0.5, 0.55), key=lambda lr: descent.mean_loss(X, y, *[\n"
        "    path[-1] for path in walk(lr, steps=1)]))",
        "import numpy as np\nlr = np.float32(0.49)",
        "lr: float = 1 / 2",
    ],
    "04.3": [
        nudge("(function(at + h) - function(at - h)) / h / 2"),
        nudge(
            "((function(at + h) - function(at)) / h + (function(at) - function(at - h)) / h) / 2"
        ),
        nudge("-(function(at - h) - function(at + h)) / (h + h)"),
        "nudge = lambda function, at, h: (function(at + h) - function(at - h)) / (2 * h)",
        "def nudge(function, at: float, h: float = 1e-4) -> float:\n"
        "    low, high = at - h, at + h\n"
        "    up, down = map(function, (high, low))\n"
        "    return (up - down) / (high - low)",
        "def nudge(function, at, h):\n"
        "    places = torch.tensor([at + h, at - h], dtype=torch.float64)\n"
        "    up, down = [function(place) for place in places]\n"
        "    return ((up - down) / (2 * h)).item()",
    ],
    "04.4": [
        step("weight.data -= lr * weight.grad", "bias.data -= lr * bias.grad", RESET),
        step(
            NO_GRAD,
            "    for each in (weight, bias):",
            "        each.sub_(lr * each.grad)",
            "        each.grad.zero_()",
        ),
        step(
            NO_GRAD,
            "    weight.copy_(weight - lr * weight.grad)",
            "    bias.copy_(bias - lr * bias.grad)",
            RESET,
            end="return float(loss)",
        ),
        "def step(weight, bias, X, y, lr):\n"
        "    weight.grad = bias.grad = None\n"
        "    (loss := nn.functional.mse_loss(X * weight + bias, y)).backward()\n"
        "    with torch.inference_mode():\n"
        "        weight -= lr * weight.grad\n"
        "        bias -= lr * bias.grad\n"
        "    return loss.item()",
        "def step(weight, bias, X, y, lr):\n"
        "    loss = ((y - weight * X - bias) ** 2).mean()\n"
        "    slopes = torch.autograd.grad(loss, (weight, bias))\n"
        "    with torch.no_grad():\n"
        "        for parameter, slope in zip((weight, bias), slopes):\n"
        "            parameter -= lr * slope\n"
        "    return loss.item()",
        "def step(weight: torch.Tensor, bias: torch.Tensor, X, y, lr: float) -> float:\n"
        "    for parameter in (weight, bias):\n"
        "        if parameter.grad is not None:\n"
        "            parameter.grad.zero_()\n"
        "    loss = loss_fn(weight * X + bias, y)\n"
        "    loss.backward()\n"
        "    before = loss.item()\n"
        "    with torch.no_grad():\n"
        "        weight += -lr * weight.grad\n"
        "        bias += -lr * bias.grad\n"
        "    return before",
    ],
}
