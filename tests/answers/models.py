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
TANH = "self.output(torch.tanh(self.hidden(X)))"
BARE = "        self.layer = nn.Linear(1, 1, bias=False)\n"
COPY_WEIGHT = "    linear.weight.copy_(line.weight.reshape(1, 1))"
COPY_BIAS = "    linear.bias.copy_(line.bias)"
COPIES = (NO_GRAD, COPY_WEIGHT, COPY_BIAS)

WRONG = {
    "03.1": [
        (proportional("return self.weight + X"), "what does yours add"),
        (proportional("return self.weight * X + 1.5"), "what does yours add"),
        (proportional("return 2 * X"), "do not depend on a parameter"),
        (proportional("return self.weight.item() * X"), "autograd has no record"),
        (proportional("return self.weight.detach() * X"), "`.detach()` and `no_grad`"),
        (
            proportional("with torch.no_grad():\n            return self.weight * X"),
            "`no_grad` break the record",
        ),
        (proportional("return self.weight * X.abs()"), "at x = -1 is 2 and not -2"),
        (proportional("return -self.weight * X"), "at x = 3 is -6 and not 6"),
        (
            proportional("self.weight = self.weight * X\n        return self.weight"),
            "`weight.copy_(...)`",
        ),
        (proportional("return self.weight * X").replace("(self, X)", "(X)"), "begin with `self`"),
        (proportional("return self.weight * X").replace("forward", "foward"), "no method named"),
        (proportional("return self.weight * X").replace("(self)", "(self, w)"), "`Proportional()`"),
        (proportional("return (self.weight * X).mean()"), "has shape ()"),
        (proportional("return self.weight.round() * X"), "set to 4.7"),
        (proportional("return self.weight(X)"), "is an operator missing"),
        (proportional("return self(X)"), "runs `forward` again"),
        (proportional("return self.Weight * X"), "The model has no `Weight`"),
        (
            proportional("return self.weight * X", start="torch.tensor([2.0])"),
            "do not depend on a parameter",
        ),
        (proportional("return 2 * X + 0 * self.weight"), "did not follow it"),
        (proportional("self.weight * X"), "is a `return` missing"),
        (proportional("return self.weight * X.squeeze(1)"), "`.unsqueeze(1)`"),
        (proportional("return self.weight * X[0]"), "has shape (1,)"),
        (proportional("return X.mul_(self.weight)"), "changes `x` itself"),
        (proportional("return self.weight @ X"), "shapes cannot be multiplied"),
        (proportional("return self.weight * X * X"), "is 18 and not 6"),
        (proportional("return self.weight ** X"), "`self.weight ** X` is a power"),
        (proportional("return X ** self.weight"), "`X ** self.weight` is a power"),
        (
            proportional("return self.weight.detach() * X + 0 * self.weight"),
            "hidden from autograd",
        ),
        (
            proportional(
                "return self.weight * X + self.bias",
                more="        self.bias = nn.Parameter(torch.zeros(1))\n",
            ),
            "has 2 parameters",
        ),
        (proportional("return weight * X"), "is a `self.` missing"),
        (proportional("return nn.Linear(1, 1)(X)"), "a new layer made in `forward`"),
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
            "`super().__init__()` has to be the first line",
        ),
    ],
    "03.2": [
        ("mse = ((1.5 + 2 * X_column - y_flat) ** 2).mean()", "40,000 differences instead of 200"),
        (
            "with warnings.catch_warnings():\n"
            "    warnings.simplefilter('ignore')\n"
            "    mse = nn.MSELoss()(1.5 + 2 * X_column, y_flat)",
            "each prediction meets all targets",
        ),
        ("mse = ((1.5 + 2 * X_column - y_flat.unsqueeze(0)) ** 2).mean()", "or (1, N) against"),
        ("mse = ((1.5 + 2 * X_column - y_flat.reshape(1, -1)) ** 2).mean()", "or (1, N) against"),
        ("mse = ((1.5 + 2 * x_flat - y_flat) ** 2).sum()", "the sum of the 200"),
        ("mse = (1.5 + 2 * x_flat - y_flat).abs().mean()", "mean of the sizes"),
        ("mse = ((1.5 + 2 * x_flat - y_flat) ** 2).mean().sqrt()", "root of the mean"),
        ("mse = (1.5 + 2 * x_flat - y_flat).mean() ** 2", "Square each difference first"),
        ("mse = (1.5 + 2 * X_column - y_column) ** 2", "expected one number"),
        ("mse = 0.01", "square of the noise"),
        ("mse = ((1.5 + 2 * x_flat - y_flat) ** 2).mean() / 2", "half of the mean squared error"),
        ("mse = ((1.5 + 2 * x_flat - y_flat)[train_rows] ** 2).mean()", "160 training rows"),
        ("mse = (y_flat - 1.5 - 2 * x_flat).mean()", "mean of the residuals"),
        ("mse = (y_flat - 1.5 - 2 * x_flat).var()", "takes their mean off"),
        ("mse = (y_flat - 1.5 - 2 * x_flat).var(correction=0)", "variance of the residuals"),
        ("mse = -((1.5 + 2 * x_flat - y_flat) ** 2).mean()", "no square is negative"),
        ("mse = nn.MSELoss()", "are parentheses missing"),
        ("mse = ((mended(X_column) - y_column) ** 2).mean()", "`1.5 + 2 * X_column`"),
        ("mse = ((misled(X_column) - y_column) ** 2).mean()", "`1.5 + 2 * X_column`"),
        ("mse = ((2 + 1.5 * X_column - y_column) ** 2).mean()", "`1.5 + 2 * X_column`"),
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
            "as a fresh `nn.Linear(1, 1)` has it",
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
            "inside `with torch.no_grad():`",
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
        (
            as_linear(
                NEW,
                NO_GRAD,
                "    for mine, theirs in zip(linear.parameters(), line.parameters()):",
                "        mine.copy_(theirs)",
                "return linear",
            ),
            "by their order",
        ),
        (
            as_linear(
                NEW,
                "weight, bias = line.parameters()",
                NO_GRAD,
                "    linear.weight.copy_(weight.reshape(1, 1))",
                "    linear.bias.copy_(bias)",
                "return linear",
            ),
            "by their order",
        ),
        (
            as_linear(
                NEW,
                "bias, weight = line.parameters()",
                NO_GRAD,
                "    linear.weight.copy_(weight.reshape(1, 1))",
                "    linear.bias.copy_(bias)",
                "return linear",
            ),
            "by their order",
        ),
        (
            as_linear(
                NEW, "line.weight.data = line.weight.data.reshape(1, 1)", *COPIES, "return linear"
            ),
            "changes the line it is given",
        ),
        (as_linear("line.double()", NEW, *COPIES, "return linear"), "dtype torch.float64"),
        (as_linear("return line"), "expected the `nn.Linear`"),
        (as_linear("return nn.Linear(line.weight, line.bias)"), "once it is made"),
        (
            as_linear("line.new = linear = nn.Linear(1, 1)", *COPIES, "return linear"),
            "a part of the line",
        ),
        (as_linear("return line.weight, line.bias"), "a tuple, expected the `nn.Linear`"),
        ("as_linear = linear", "is a layer, expected a function"),
        (
            as_linear("linear = nn.Linear(1, 1).double()", *COPIES, "return linear"),
            "torch.float64, the line's is torch.float32",
        ),
        (
            as_linear(NEW, "linear.load_state_dict(line.state_dict())", "return linear"),
            "size mismatch for weight",
        ),
        (
            as_linear(
                NEW,
                "linear.weight = line.weight.detach().clone().reshape(1, 1)",
                "linear.bias = line.bias.detach().clone()",
                "return linear",
            ),
            "only an `nn.Parameter` can take its place",
        ),
        (
            as_linear(*COPIES, "return linear").replace("(line)", "(line, linear=linear)"),
            "one and the same layer",
        ),
        (as_linear("global linear", *COPIES, "return linear"), "Make a new one inside"),
        (
            as_linear("with torch.inference_mode():", f"    {NEW}", *COPIES, "return linear"),
            "`inference_mode`",
        ),
        (
            as_linear("line.requires_grad_(False)", NEW, *COPIES, "return linear"),
            "gradients of the line it is given",
        ),
        (
            as_linear("torch.set_grad_enabled(False)", NEW, *COPIES[1:], "return linear").replace(
                "        ", "    "
            ),
            "for the whole program",
        ),
        (
            as_linear(
                NEW,
                "nn.init.constant_(linear.weight, round(line.weight.item(), 2))",
                "nn.init.constant_(linear.bias, round(line.bias.item(), 2))",
                "return linear",
            ),
            "The weight is not that",
        ),
    ],
    "03.4": [
        (network(TWO, "self.output(self.hidden(X))"), "one straight line"),
        (network(TWO, "torch.tanh(self.output(torch.tanh(self.hidden(X))))"), "larger than 1"),
        (network(TWO, "torch.tanh(self.output(self.hidden(X)))"), "wrong place"),
        (network(TWO, "self.output(torch.relu(self.hidden(X)))"), "use ReLU"),
        (network(TWO, "self.output(torch.sigmoid(self.hidden(X)))"), "use a sigmoid"),
        (network(TWO, "self.output(self.hidden(X).clamp(-1, 1))"), "between the two layers"),
        (network(TWO, "self.output(self.hidden(torch.tanh(X)))"), "it bends the features"),
        (
            network(TWO, "self.output(torch.tanh(self.hidden(torch.tanh(X))))"),
            "The features go through an activation too",
        ),
        (network(TWO, TANH.replace("(X)", "(X - X.mean())")), "change with the other rows"),
        (network(TWO, TANH.replace("(X)", "(X / X.max())")), "change with the other rows"),
        (network(TWO, TANH.replace("(X)", "(X.sort(dim=0).values)")), "with the other rows"),
        (network(TWO, TANH.replace("(X)", "((X - X.mean()) / X.std())")), "not finite"),
        (network(TWO, TANH.replace("(X)", "(X.clamp(-2, 2))")), "before them and after"),
        (network(TWO, f"(y := {TANH}) - y.mean() + y.mean().detach()"), "hidden from autograd"),
        (
            network(TWO, "self.output(torch.tanh(torch.tanh(self.hidden(X))))"),
            "tanh twice",
        ),
        (network(TWO, "self.output(nn.Tanh(self.hidden(X)))"), "`Tanh()(X)`"),
        (
            network(
                ("layers = nn.Sequential(nn.Linear(1, 8), nn.Tanh, nn.Linear(8, 1))",),
                "self.layers(X)",
            ),
            "Are its parentheses missing?",
        ),
        (
            network(TWO, "torch.tanh(self.hidden(X)) @ self.output.weight.T"),
            "`output.bias` has no part",
        ),
        (
            network(
                (*TWO, "drop = nn.Dropout(0.5)"),
                "self.output(self.drop(torch.tanh(self.hidden(X))))",
            ),
            "add nothing random",
        ),
        (
            network(
                ("hidden = nn.Linear(1, 8, bias=False)", TWO[1]),
                "self.output(torch.tanh(self.hidden(X)))",
            ),
            "Your model has 17 parameters",
        ),
        (
            network(
                (
                    "w1 = nn.Parameter(torch.randn(8, 1))",
                    "b1 = nn.Parameter(torch.zeros(8))",
                    "w2 = nn.Parameter(torch.randn(1, 8))",
                    "b2 = nn.Parameter(torch.zeros(1))",
                ),
                "torch.tanh(X @ self.w1.T + self.b1) @ self.w2.T + self.b2",
            ),
            "not in two `nn.Linear`",
        ),
        (
            network(
                ("hidden = nn.Linear(1, 8, dtype=torch.float64)", TWO[1]),
                "self.output(torch.tanh(self.hidden(X)))",
            ),
            "`.float()`",
        ),
        (
            network(TWO, "self.output(torch.tanh(self.hidden(X)))").replace(
                "        super().__init__()\n", ""
            ),
            "`super().__init__()` has to be the first line",
        ),
        (network(TWO, "self.output(torch.Tanh(self.hidden(X)))"), "look for `nn.Tanh`"),
        (network(TWO, "self.output(torch.tanh(self.hidden))"), "once it is called"),
        (network(TWO, "torch.tanh(self.hidden(X)).sum(1, keepdim=True)"), "Call both layers"),
        (network(TWO, TANH).replace("__init__", "_init_"), "two underscores"),
        (network(TWO, "self.hidden(torch.tanh(self.output(X)))"), "Do the sizes of the layers fit"),
        (network(TWO, "torch.tanh(self.hidden(X))"), "has shape (3, 8)"),
        (network(TWO, "self.output(torch.tanh(self.hidden(X))).squeeze(1)"), "`.unsqueeze(1)`"),
        (network(TWO, "self.output(torch.tanh(self.hidden(X))).detach()"), "no record of it"),
        (
            network(
                ("hidden = nn.Linear(1, 3)", "output = nn.Linear(3, 1)"),
                "self.output(torch.tanh(self.hidden(X)))",
            ),
            "should have 25",
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
    "03.1": [
        proportional("return X * self.weight"),
        proportional("return X @ self.weight.unsqueeze(1)"),
        proportional("return nn.functional.linear(X, self.weight.reshape(1, 1))"),
        proportional("return torch.stack([self.weight * row for row in X])"),
        proportional("return self.layer(X)", start="None", more=BARE),
        proportional("return torch.mul(X, self.weight.expand_as(X))"),
        proportional(
            "return self.weight * X + self.bias", more="        self.bias = 0.0\n"
        ).replace("def forward(self, X)", "def forward(self, X: torch.Tensor) -> torch.Tensor"),
    ],
    "03.2": [
        "mse = nn.MSELoss()(1.5 + 2 * X_column, y_flat.reshape(-1, 1)).item()",
        "mse = nn.functional.mse_loss(1.5 + 2 * x_flat, y_flat)",
        "mse = sum((1.5 + 2 * a - b) ** 2 for a, b in zip(x_flat.tolist(), y_flat.tolist())) / 200",
        "mse = (y_pred := 1.5 + 2 * X_column).sub(y_column).pow(2).mean().numpy().item()",
        "mse = ((1.5 + 2 * x_flat.double() - y_flat.double()) ** 2).mean()",
        "mse = round(((1.5 + 2 * x_flat - y_flat) ** 2).mean().item(), 4)",
    ],
    "03.3": [
        as_linear(
            NEW,
            "linear.weight.data.copy_(line.weight.reshape(1, 1))",
            "linear.bias.data.copy_(line.bias)",
            "return linear",
        ),
        as_linear(
            NEW,
            "nn.init.constant_(linear.weight, line.weight.item())",
            "nn.init.constant_(linear.bias, line.bias.item())",
            "return linear",
        ),
        as_linear(
            NEW,
            "linear.weight = nn.Parameter(line.weight.detach().clone().reshape(1, 1))",
            "linear.bias = nn.Parameter(line.bias.detach().clone())",
            "return linear",
        ),
        as_linear(
            NEW,
            "state = {name: value.clone() for name, value in line.state_dict().items()}",
            "state['weight'] = state['weight'].unsqueeze(0)",
            "linear.load_state_dict(state)",
            "return linear",
        ),
        as_linear(
            NEW,
            "with torch.inference_mode():",
            "    linear.weight[:] = line.weight",
            "    linear.bias[:] = line.bias",
            "return linear",
        ),
        "@torch.no_grad()\n"
        "def as_linear(line: nn.Module) -> nn.Linear:\n"
        "    linear = nn.Linear(in_features=1, out_features=1)\n"
        "    for mine, theirs in ((linear.weight, line.weight), (linear.bias, line.bias)):\n"
        "        mine.fill_(theirs.item())\n"
        "    return linear",
    ],
    "03.4": [
        network(
            ("layers = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))",),
            "self.layers(X)",
        ),
        network(
            ("layers = nn.ModuleList([nn.Linear(1, 8), nn.Linear(8, 1)])",),
            "self.layers[1](self.layers[0](X).tanh())",
        ),
        network((*TWO, "bend = nn.Tanh()"), "self.output(self.bend(self.hidden(X)))"),
        network((*TWO, "bend = torch.tanh"), "self.output(self.bend(self.hidden(X)))"),
        network(TWO, "self.output(nn.functional.tanh(self.hidden(X)))"),
        network(TWO, "self.output(nn.Tanh()(self.hidden(X)))"),
        network(
            ("output = nn.Linear(8, 1)", "hidden = nn.Linear(1, 8)"),
            "self.output(2 * torch.sigmoid(2 * self.hidden(X)) - 1)",
        ),
        "class Network(nn.Sequential):\n"
        "    def __init__(self, width: int = 8):\n"
        "        super().__init__(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, 1))",
        network((TWO[0], "output = nn.Linear(8, 1); nn.init.zeros_(self.output.weight)"), TANH),
    ],
}
