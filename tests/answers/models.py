"""Plausible wrong answers to the exercises on parameters, modules and shapes: code and hint."""


def proportional(forward, start="nn.Parameter(torch.tensor([2.0]))", more=""):
    """Return the class of exercise 1 with this body of `forward`."""
    return (
        "class Proportional(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        f"        self.weight = {start}\n{more}"
        "    def forward(self, X):\n"
        f"        {forward}\n"
    )


def as_linear(*lines):
    """Return the function of exercise 3 with these lines as its body."""
    return "def as_linear(line):\n" + "".join(f"    {line}\n" for line in lines)


def network(layers, forward):
    """Return the class of exercise 4 with these layers and this prediction."""
    return (
        "class Network(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        + "".join(f"        self.{layer}\n" for layer in layers)
        + "    def forward(self, X):\n"
        f"        return {forward}\n"
    )


TWO = ("hidden = nn.Linear(1, 8)", "output = nn.Linear(8, 1)")
NEW, NO_GRAD = "linear = nn.Linear(1, 1)", "with torch.no_grad():"
COPY_WEIGHT = "    linear.weight.copy_(line.weight.reshape(1, 1))"
COPY_BIAS = "    linear.bias.copy_(line.bias)"

WRONG = {
    "03.1": [
        (proportional("return self.weight + X"), "what does yours add"),
        (proportional("return self.weight * X + 1.5"), "what does yours add"),
        (proportional("return 2 * X"), "do not depend on a parameter"),
        (proportional("return self.weight.item() * X"), "do not depend on a parameter"),
        (
            proportional("return self.weight * X", start="torch.tensor([2.0])"),
            "do not depend on a parameter",
        ),
        (proportional("return 2 * X + 0 * self.weight"), "did not follow it"),
        (proportional("self.weight * X"), "is a `return` missing"),
        (proportional("return self.weight * X.squeeze(1)"), "`.unsqueeze(1)`"),
        (proportional("return self.weight * X[0]"), "has shape (1,)"),
        (proportional("return X.mul_(self.weight)"), "changes `x` itself"),
        (proportional("return self.weight @ X"), "raised RuntimeError"),
        (proportional("return self.weight * X * X"), "which product"),
        (
            proportional(
                "return self.weight * X + self.bias",
                more="        self.bias = nn.Parameter(torch.zeros(1))\n",
            ),
            "has 2 parameters",
        ),
        (proportional("return weight * X"), "is a `self.` missing"),
        (proportional("return nn.Linear(1, 1)(X)"), "is a `self.` missing"),
        ("Proportional = nn.Linear(1, 1, bias=False)", "expected a class"),
        (
            "class Proportional:\n"
            "    def __init__(self):\n"
            "        self.weight = 2.0\n"
            "    def forward(self, X):\n"
            "        return self.weight * X\n",
            "inherits `nn.Module`",
        ),
        (
            proportional("return self.weight * X").replace("        super().__init__()\n", ""),
            "before Module.__init__() call",
        ),
    ],
    "03.2": [
        ("mse = ((1.5 + 2 * X_column - y_flat) ** 2).mean()", "40,000 differences"),
        (
            "with warnings.catch_warnings():\n"
            "    warnings.simplefilter('ignore')\n"
            "    mse = nn.MSELoss()(1.5 + 2 * X_column, y_flat)",
            "40,000 differences",
        ),
        ("mse = ((1.5 + 2 * X_column - y_flat.unsqueeze(0)) ** 2).mean()", "40,000"),
        ("mse = ((1.5 + 2 * x_flat - y_flat) ** 2).sum()", "the sum of the 200"),
        ("mse = (1.5 + 2 * x_flat - y_flat).abs().mean()", "mean of the sizes"),
        ("mse = ((1.5 + 2 * x_flat - y_flat) ** 2).mean().sqrt()", "root of the mean"),
        ("mse = (1.5 + 2 * x_flat - y_flat).mean() ** 2", "Square each difference first"),
        ("mse = (1.5 + 2 * X_column - y_column) ** 2", "expected one number"),
        ("mse = 0.01", "to 4 digits"),
        ("mse = ((misled(X_column) - y_column) ** 2).mean()", "1.5 + 2x"),
        ("mse = f'{((1.5 + 2 * x_flat - y_flat) ** 2).mean():.4f}'", "a str, expected one number"),
    ],
    "03.3": [
        (as_linear("return nn.Linear(1, 1)"), "is not that of the `line`"),
        (as_linear(NEW, NO_GRAD, COPY_WEIGHT, "return linear"), "The bias is not that"),
        (
            as_linear(NEW, NO_GRAD, COPY_WEIGHT, COPY_BIAS),
            "is a `return` missing",
        ),
        (
            as_linear(
                NEW, "linear.weight = line.weight", "linear.bias = line.bias", "return linear"
            ),
            "expected (1, 1)",
        ),
        (
            as_linear(
                NEW,
                "linear.weight = nn.Parameter(line.weight.reshape(1, 1))",
                "linear.bias = nn.Parameter(line.bias)",
                "return linear",
            ),
            "share one memory",
        ),
        (
            as_linear(
                NEW,
                "linear.weight.data = line.weight.data.reshape(1, 1)",
                "linear.bias.data = line.bias.data",
                "return linear",
            ),
            "share one memory",
        ),
        (
            as_linear(
                NEW,
                "linear.weight.copy_(line.weight.reshape(1, 1))",
                "linear.bias.copy_(line.bias)",
                "return linear",
            ),
            "in-place operation",
        ),
        (
            as_linear(
                NEW,
                NO_GRAD,
                "    linear.weight.copy_(line.bias.reshape(1, 1))",
                "    linear.bias.copy_(line.weight)",
                "return linear",
            ),
            "swapped",
        ),
        (
            as_linear(
                NEW,
                NO_GRAD,
                "    line.weight.copy_(linear.weight.reshape(1))",
                "    line.bias.copy_(linear.bias)",
                "return linear",
            ),
            "other direction",
        ),
        (
            as_linear(
                NEW,
                NO_GRAD,
                "    linear.weight.copy_(model.weight.reshape(1, 1))",
                "    linear.bias.copy_(model.bias)",
                "return linear",
            ),
            "which the function was given",
        ),
        (
            as_linear(
                "linear = nn.Linear(1, 1, bias=False)", NO_GRAD, COPY_WEIGHT, "return linear"
            ),
            "has no bias",
        ),
        (
            as_linear(
                NEW,
                "linear.requires_grad_(False)",
                "linear.weight.copy_(line.weight.reshape(1, 1))",
                "linear.bias.copy_(line.bias)",
                "return linear",
            ),
            "still computed from",
        ),
        (
            as_linear(NEW, NO_GRAD, COPY_WEIGHT, COPY_BIAS, "return linear.requires_grad_(False)"),
            "never be trained",
        ),
        (as_linear("return line"), "expected the `nn.Linear`"),
        ("as_linear = linear", "raised TypeError"),
    ],
    "03.4": [
        (network(TWO, "self.output(self.hidden(X))"), "one straight line"),
        (network(TWO, "torch.tanh(self.output(torch.tanh(self.hidden(X))))"), "larger than 1"),
        (network(TWO, "torch.tanh(self.output(self.hidden(X)))"), "wrong place"),
        (network(TWO, "self.output(torch.relu(self.hidden(X)))"), "which activation"),
        (network(TWO, "self.hidden(torch.tanh(self.output(X)))"), "cannot be multiplied"),
        (network(TWO, "torch.tanh(self.hidden(X))"), "has shape (7, 8)"),
        (network(TWO, "self.output(torch.tanh(self.hidden(X))).squeeze(1)"), "`.unsqueeze(1)`"),
        (network(TWO, "self.output(torch.tanh(self.hidden(X))).detach()"), "do not depend"),
        (
            network(
                ("hidden = nn.Linear(1, 3)", "output = nn.Linear(3, 1)"),
                "self.output(torch.tanh(self.hidden(X)))",
            ),
            "expected 25",
        ),
        (
            network(
                (TWO[0], "middle = nn.Linear(8, 8)", TWO[1]),
                "self.output(torch.tanh(self.middle(torch.tanh(self.hidden(X)))))",
            ),
            "97 parameters",
        ),
        (
            network(
                ("layers = [nn.Linear(1, 8), nn.Linear(8, 1)]",),
                "self.layers[1](torch.tanh(self.layers[0](X)))",
            ),
            "a plain list hides",
        ),
        (
            network(("width = 8",), "nn.Linear(self.width, 1)(torch.tanh(nn.Linear(1, 8)(X)))"),
            "two predictions",
        ),
        (
            "Network = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))",
            "expected a class",
        ),
    ],
}

RIGHT = {  # unusual, and right
    "03.1": [],
    "03.2": [],
    "03.3": [],
    "03.4": [],
}
