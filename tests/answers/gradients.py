"""Plausible wrong answers to the exercises on losses and gradients: code and hint."""


def tram(moves, end="", start="my_weights, my_biases = [1.25], [4.95]"):
    """Return exercise 5 with these moves, 12 times."""
    lines = "".join(f"    {move}\n" for move in moves)
    return (
        f"{start}\nfor ride in range(12):\n"
        "    by_weight, by_bias = formula(my_weights[-1], my_biases[-1])\n" + lines + end
    )


def nudge(result):
    """Return the function of exercise 3 with this result."""
    return f"def nudge(function, at, h):\n    return {result}"


def step(*moves, loss="loss_fn(weight * X + bias, y)", end="return loss.item()"):
    """Return the function of exercise 4 with these lines after `backward`."""
    lines = [f"loss = {loss}", "loss.backward()", *moves, end]
    return "def step(weight, bias, X, y, lr):\n" + "".join(f"    {line}\n" for line in lines)


NO_GRAD, RESET = "with torch.no_grad():", "weight.grad, bias.grad = None, None"
ZERO = ("weight.grad.zero_()", "bias.grad.zero_()")
MOVE = (NO_GRAD, "    weight -= lr * weight.grad", "    bias -= lr * bias.grad")

WRONG = {
    "04.1": [
        ("mean_residual = 0.65", "the sign is not"),
        ("mean_residual = 1.3", "the slope itself"),
        ("mean_residual = -1.3", "because of the square"),
        ("mean_residual = 2 * 1.3", "twice the slope"),
        ("mean_residual = -2 * 1.3", "don't multiply"),
        ("mean_residual = -0.1 * 1.3", "not for a move"),
        ("mean_residual = 0", "stands at its bottom"),
        ("mean_residual = -1.3 / 4", "halved once more"),
        ("mean_residual = 1.3**0.5", "the root of something"),
        ("mean_residual = -0.7", "would be 1.4"),
        ("mean_residual = 650", "would be -1300"),
        ("mean_residual = '-0.65 kg'", "a str, expected one number"),
        ("mean_residual = residual", "expected one number"),
        ("mean_residual = residual.mean()", "not 1.3"),
    ],
    "04.2": [
        ("lr = 0.1", "short: in its direction it goes further down"),
        ("lr = 0.01", "short: in its direction it goes further down"),
        ("lr = 0.45", "long: it passes the lowest point"),
        ("lr = 1e30", "far away"),
        ("lr = float('nan')", "is nan"),
        ("lr = 0,3", "decimals with a point"),
        ("lr = '0.3'", "a str, expected one number"),
        ("lr = lambda: 0.3", "a function, expected one number"),
        ("lr = 0.8", "higher than it began"),
        ("lr = -0.3", "goes uphill"),
        ("lr = 0", "stands still"),
        ("lr = [0.1, 0.3, 0.6]", "expected one number"),
        ("lr = formula(0.0, 3.5)", "expected one number"),
        ("lr = loss_at(path_weight[-1], path_bias[-1])", "too short"),
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
        (nudge("loss_at(at + h, 3.5)"), "never does"),
        (nudge("slope_at(at)"), "`function` that is given"),
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
            "    slopes = formula(weight.detach(), bias.detach())\n"
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
    "04.5": [
        (
            tram(
                [
                    "my_weights.append(my_weights[-1] - 0.1 * by_weight)",
                    "my_biases.append(my_biases[-1] - 0.1 * by_bias)",
                ]
            ),
            "Step 1 goes diagonally",
        ),
        (
            tram(["my_weights.append(my_weights[-1] - 0.2 * by_weight)"]),
            "13 weights and 1 biases",
        ),
        (
            tram(
                [
                    "my_weights.append(my_weights[-1] - 0.2 * by_weight)",
                    "my_biases.append(my_biases[-1])",
                ]
            ),
            "steeper along the bias",
        ),
        (
            tram(
                [
                    "my_weights.append(my_weights[-1])",
                    "my_biases.append(my_biases[-1] - 0.2 * by_bias)",
                ]
            ),
            "steeper along the weight",
        ),
        (
            tram(
                [
                    "my_weights.append(my_weights[-1] + 0.2 * by_weight)",
                    "my_biases.append(my_biases[-1])",
                ]
            ),
            "is a sign turned?",
        ),
        (
            "my_weights, my_biases = [1.25, 0.4969, 0.4969], [4.95, 4.95, 4.1563]\n"
            "my_weights, my_biases = my_weights[1:], my_biases[1:]",
            "begins at weight 1.25",
        ),
        ("my_weights, my_biases = [0.0, 0.4969, 0.4969], [3.5, 3.5, 4.1563]", "begins at weight"),
        ("my_weights, my_biases = [4.95, 4.1563], [1.25, 1.25]", "begins at weight 1.25"),
        ("my_weights, my_biases = path_weight, path_bias", "begins at weight 1.25"),
        ("my_weights, my_biases = [], []", "is empty"),
        ("my_weights, my_biases = 0.4969, 4.1563", "expected a list of numbers"),
        ("my_weights, my_biases = [1.25, 0.4969], [4.95, 4.1563]", "weight and bias at once"),
        ("my_weights, my_biases = [1.25, 0.4602, 0.4602], [4.95, 4.95, 4.16]", "not there yet"),
        (
            "my_weights, my_biases = [[1.25, 4.95], [0.4969, 4.95]], [4.95, 4.95]",
            "a list, expected one number",
        ),
    ],
}

RIGHT = {  # unusual, and right
    "04.1": [
        "mean_residual = -0.65",
        "import numpy as np\nmean_residual = np.float64(1.3) / -2",
        "mean_residual = torch.tensor([-0.65])",
        "by_bias = 1.3\nmean_residual = -by_bias / 2",
        "mean_residual = -13 / 20",
    ],
    "04.2": [
        "lr = torch.tensor(0.29)",
        "slopes = formula(0.0, 3.5)\n"
        "lr = min((0.2, 0.25, 0.28, 0.35), key=lambda lr: loss_at(\n"
        "    -lr * slopes[0], 3.5 - lr * slopes[1]))",
        "import numpy as np\nlr = np.float32(0.3)",
        "lr: float = 3 / 10",
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
    "04.5": [
        "my_weights = [1.25, 0.4969, 0.4969]\nmy_biases = [4.95, 4.95, 4.1563]",
        "my_weights = (1.25, 1.25, 0.4969)\nmy_biases = torch.tensor([4.95, 4.1563, 4.1563])",
        "import numpy as np\n"
        "my_weights = np.array([1.25, 0.4602, 0.4602, 0.4967])\n"
        "my_biases = np.array([4.95, 4.95, 4.1596, 4.1596])",
        "my_weights, my_biases = [1.25], [4.95]\n"
        "while loss_at(my_weights[-1], my_biases[-1]) >= 0.155:\n"
        "    by_weight, by_bias = formula(my_weights[-1], my_biases[-1])\n"
        "    if abs(by_weight) > abs(by_bias):\n"
        "        by_bias = 0.0\n"
        "    else:\n"
        "        by_weight = 0.0\n"
        "    my_weights.append(my_weights[-1] - 0.1 * by_weight)\n"
        "    my_biases.append(my_biases[-1] - 0.1 * by_bias)",
        "my_weights, my_biases = [1.25], [4.95]\n"
        "for _ in range(200):\n"
        "    for by in (0.02, 0.0), (-0.02, 0.0), (0.0, 0.02), (0.0, -0.02):\n"
        "        new = my_weights[-1] + by[0], my_biases[-1] + by[1]\n"
        "        if loss_at(*new) < loss_at(my_weights[-1], my_biases[-1]):\n"
        "            my_weights.append(new[0])\n"
        "            my_biases.append(new[1])",
    ],
}
