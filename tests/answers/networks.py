"""Plausible wrong answers to the exercises on nodes, layers and networks: code and hint."""


def network(returned, hidden="torch.tanh(X @ w1 + b1)"):
    return f"def forward(X, w1, b1, w2, b2):\n    hidden = {hidden}\n    return {returned}"


def bump(returned):
    return f"def bump(X):\n    return {returned}"


def changed(code, *pairs):
    for old, new in pairs:
        assert old in code, old
        code = code.replace(old, new)
    return code


LIST = "[nn.Linear(width, width) for _ in range(depth - 1)]"
FORWARD = """\
        X = torch.tanh(self.first(X))
        for layer in self.hidden:
            X = torch.tanh(layer(X))
        return self.last(X)"""


def deep(hidden, forward=FORWARD):
    return f"""\
class Deep(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.first = nn.Linear(1, width)
        self.hidden = {hidden}
        self.last = nn.Linear(width, 1)

    def forward(self, X):
{forward}"""


LISTED = f"nn.ModuleList({LIST})"
CAMEL = """\
my_X = torch.linspace(-3, 3, 200).unsqueeze(1)
my_y = torch.exp(-4 * (my_X + 1) ** 2) + 0.8 * torch.exp(-4 * (my_X - 1) ** 2)
my_model = fresh(420, 4, nn.Tanh, kaiming)
optimizer = torch.optim.Adam(my_model.parameters(), lr=0.01)
fit(my_model, optimizer, my_X, my_y, steps=500)"""
UP, DOWN = "torch.sigmoid(50 * (X - 1))", "torch.sigmoid(50 * (X - 2))"

OUT = "hidden @ w2 + b2"


WRONG = {
    "09.1": [
        (network(OUT, "torch.tanh(X @ w1)"), "Is `b1` added"),
        (network("hidden @ w2"), "Is `b2` added"),
        (network(OUT, "X @ w1 + b1"), "both layers together are one line"),
        (network(OUT, "torch.tanh(X @ w1) + b1"), "added after tanh"),
        (network(f"torch.tanh({OUT})"), "bends the prediction as well"),
        (network(f"torch.tanh({OUT})", "X @ w1 + b1"), "the hidden sums stay straight"),
        (network(OUT, "torch.sigmoid(X @ w1 + b1)"), "the sigmoid of their sums"),
        (network(OUT, "node(X, w1, b1, torch.relu)"), "the ReLU of their sums"),
        (network("node(hidden, w2, b2, torch.tanh)"), "bends the prediction as well"),
        (network("hidden"), "has shape (4, 2)"),
        (network(f"({OUT}).squeeze(1)"), "has shape (4,)"),
        (network("hidden * w2 + b2"), "raised RuntimeError"),
        (network(OUT, "torch.tanh(w1 @ X + b1)"), "raised RuntimeError"),
        (network(OUT, "torch.tanh(X @ w1.T + b1)"), "cannot be multiplied"),
        (network(OUT, "torch.tanh(X @ w1 - b1)"), "bias is subtracted"),
        (network(OUT, "torch.tanh(X) @ w1 + b1"), "bends the inputs"),
        (network(OUT, "torch.tanh(X @ w1 + b1.flip(0))"), "changed places"),
        (network(OUT, "torch.tan(X @ w1 + b1)"), "one at a time"),
        (network(OUT, "nn.Tanh(X @ w1 + b1)"), "makes an object"),
        (network(f"({OUT}).tolist()"), "expected a tensor"),
        (network(OUT).replace("return ", ""), "Is a `return` missing"),
        (
            network(
                OUT, "torch.stack([torch.tanh(X @ w1[:, k] + b1[k]) for k in (0, 1)], 1)"
            ).replace("@ w2", "@ w2[:2]"),
            "five are not",
        ),
        (
            "def forward(X, w1, b1, w2, b2):\n    w1 += b1\n    return torch.tanh(X @ w1) @ w2",
            "changes the tensors",
        ),
    ],
    "09.2": [
        (bump(UP), "stays up"),
        (bump(f"{UP} + {DOWN}"), "rises to 2.00"),
        (bump(f"{DOWN} - {UP}"), "falls to -1.00"),
        (bump(f"{UP} - 2 * {DOWN}"), "how much"),
        (bump("torch.sigmoid(X - 1) - torch.sigmoid(X - 2)"), "not near 1"),
        (
            bump("torch.sigmoid(10 * (X - 1)) - torch.sigmoid(10 * (X - 2))"),
            "should be within 0.05 of 0",
        ),
        (
            bump("torch.sigmoid(50 * (X - 0.5)) - torch.sigmoid(50 * (X - 2))"),
            "should be within 0.05 of 0",
        ),
        (
            bump("torch.sigmoid(50 * (X - 1.3)) - torch.sigmoid(50 * (X - 1.7))"),
            "should be within 0.05 of 1",
        ),
        (bump("torch.sigmoid(50 * X + 1) - torch.sigmoid(50 * X + 2)"), "stays near 0"),
        (bump("torch.tanh(50 * (X - 1)) - torch.tanh(50 * (X - 2))"), "the bump is 1 high"),
        (bump(f"1 + {UP} - {DOWN}"), "rises to 2.00"),
        (bump("((X > 1) & (X < 2)).float()"), "No gradient comes through"),
        (bump(f"({UP} - {DOWN}).squeeze(1)"), "`.unsqueeze(1)`"),
        (bump(f"0.5 - {UP} + {DOWN}"), "Far from the bump"),
        (bump(f"{UP} * torch.sigmoid(50 * (X - 2))"), "stays up"),
        (bump("torch.sigmoid(50 * (X - 2)) - torch.sigmoid(50 * (X - 3))"), "at 1.5"),
        (bump("torch.where((X > 1) & (X < 2), 1.0, 0.0)"), "No gradient comes through"),
        (bump("torch.sigmoid(50 * X - 1) - torch.sigmoid(50 * X - 2)"), "stays near 0"),
        (bump("torch.sigmoid(X) * 2"), "rises to 2.00"),
        (bump(f"({UP} - {DOWN}).mean()"), "has shape ()"),
        (bump(f"{UP} * (X < 2)"), "jumps at x = 2.00"),
        (bump(f"torch.where(X < 2, {UP}, 0.0)"), "jumps at x = 2.00"),
        (bump(f"{UP} - (X > 2).float()"), "jumps at x = 2.00"),
        (bump(f"{UP} - {DOWN} + (X == 1.35)"), "At x = 1.35"),
        (bump(f"{UP} - {DOWN} + 3 * torch.exp(-(((X - 1.35) / 0.005) ** 2))"), "At x = 1.3"),
        (bump("nn.Sigmoid(50 * (X - 1)) - nn.Sigmoid(50 * (X - 2))"), "makes an object"),
    ],
    "09.3": [
        (deep(LIST), "In a plain list"),
        (deep(f"tuple({LIST})"), "In a plain list"),
        (deep("{n: nn.Linear(width, width) for n in range(depth - 1)}.values()"), "In a plain"),
        (deep("nn.ModuleList([nn.Linear(width, width)] * (depth - 1))"), "repeats one object"),
        (deep(LISTED.replace("depth - 1", "depth")), "one layer too many"),
        (deep(LISTED.replace("depth - 1", "depth - 2")), "one layer too few"),
        (deep(LISTED.replace("width, width", "1, width")), "takes `width` numbers"),
        (deep("nn.Linear(width, width)"), "it stands alone"),
        (deep("nn.ModuleList(nn.Linear(width, width))"), "with an iterable"),
        (
            deep(LISTED, FORWARD.replace("torch.tanh(layer(X))", "layer(X)")),
            "Stacked lines are one line",
        ),
        (deep(LISTED, "        return self.last(torch.tanh(self.first(X)))"), "leaves them out"),
        (
            deep(LISTED, FORWARD.replace("self.last(X)", "torch.tanh(self.last(X))")),
            "put through tanh",
        ),
        (deep(LISTED, FORWARD.replace("torch.tanh", "torch.relu")), "one after another"),
        (deep(LISTED, FORWARD.replace("return ", "")), "returns None"),
        (deep(LISTED).replace("        super().__init__()\n", ""), "super().__init__()"),
        (f"Deep = {LIST}".replace("width", "16").replace("depth", "3"), "expected something"),
        ("def Deep(width, depth):\n    return width * depth", "expected a module"),
    ],
    "09.4": [
        (CAMEL.replace("torch.exp(-4 * (my_X + 1) ** 2) + 0.8 *", "0.8 *"), "turns 1 time,"),
        (CAMEL + "\nmy_y = torch.sin(my_X)", "turns 2 times"),
        (CAMEL + "\nmy_y = torch.sin(2 * my_X)", "a curve of your own"),
        (CAMEL[: CAMEL.index("fit(")], "Was it trained"),
        (CAMEL.replace("nn.Tanh", "nn.Identity"), "an activation between"),
        (CAMEL + "\nmy_model = my_model(my_X)", "is a Tensor, expected the network"),
        (CAMEL + "\nmy_model = build", "expected the network itself"),
        (CAMEL.replace("my_X, my_y, steps", "X, y, steps"), "the wave of the lesson"),
        (CAMEL.replace("my_X - 1) ** 2)", "my_X - 1) ** 2).round()"), "of the variance"),
        (CAMEL.replace("Adam", "SGD").replace(", kaiming", ""), "what woke them"),
        (CAMEL.replace("steps=500", "steps=80"), "of the variance"),
        (CAMEL.replace("420, 4,", "420, 1,"), "has 1 hidden layer, and"),
        (CAMEL.replace("420, 4,", "420, 3,"), "has 3 hidden layers, and"),
        (CAMEL + "\nmy_y = my_y.flatten()", "`.unsqueeze(1)`"),
        (CAMEL + "\nmy_X = my_X.flatten()", "a column of 30 places"),
        (
            CAMEL.replace("torch.exp(-4 * (my_X + 1)", "100 + 60 * torch.cos(3 * (my_X + 1)"),
            "far from 0",
        ),
        (CAMEL + "\nmy_y = (9 * my_y).round().long()", "of the variance"),
        (CAMEL + "\nmy_X, my_y = my_X[::20], my_y[::20]", "a column of 30 places"),
        (CAMEL + "\nmy_y = torch.zeros(200, 1)", "turns 0 times"),
        (CAMEL + "\nmy_y = my_y.tolist()", "expected a tensor"),
        (CAMEL + "\nmy_y = my_y.double().log().round() / 0", "not finite"),
        (CAMEL + "\nmy_model = my_model.double()", "raised RuntimeError"),
        (
            CAMEL
            + """
class Formula(nn.Module):
    def forward(self, X):
        return my_y
my_model = Formula()""",
            "has 0 hidden layers",
        ),
        (
            CAMEL
            + """
class Formula(nn.Module):
    def __init__(self):
        super().__init__()
        self.unused = build(16, 4, nn.Tanh)
    def forward(self, X):
        return my_y
my_model = Formula()""",
            "A formula was not asked for",
        ),
    ],
}

RIGHT = {  # unusual, and right
    "09.1": [
        network("node(hidden, w2, b2, nn.Identity())", "node(X, w1, b1, torch.tanh)"),
        network("torch.addmm(b2, hidden, w2)", "torch.tanh(torch.addmm(b1, X, w1))"),
        network("(hidden * w2.T).sum(dim=1, keepdim=True) + b2"),
        network("nn.functional.linear(hidden, w2.T, b2)", "nn.Tanh()(X.matmul(w1) + b1)"),
        network(OUT, "torch.stack([torch.tanh(X @ w1[:, k] + b1[k]) for k in range(len(b1))], 1)"),
        'forward = lambda X, w, b, v, c: torch.einsum("nk,ko->no", (X @ w + b).tanh(), v) + c',
        """\
def forward(X: torch.Tensor, w1, b1, w2, b2) -> torch.Tensor:
    model = nn.Sequential(nn.Linear(*w1.shape), nn.Tanh(), nn.Linear(*w2.shape))
    model.load_state_dict({"0.weight": w1.T, "0.bias": b1, "2.weight": w2.T, "2.bias": b2})
    return model(X)""",
        """\
class Network:
    def __call__(self, X, w1, b1, w2, b2):
        return (X @ w1 + b1).tanh() @ w2 + b2
forward = Network()""",
    ],
    "09.2": [
        bump("torch.sigmoid(80 * X - 80) - torch.sigmoid(80 * X - 160)"),
        bump("torch.sigmoid(50 * (X - 1)) + torch.sigmoid(50 * (2 - X)) - 1"),
        bump("torch.sigmoid(50 * (X - torch.tensor([1.0, 2.0]))) @ torch.tensor([[1.0], [-1.0]])"),
        bump("1 / (1 + torch.exp(-40 * (X - 1))) - 1 / (1 + torch.exp(-40 * (X - 2)))"),
        bump("nn.Sigmoid()(30 * (X - 1)) - nn.functional.sigmoid(30 * (X - 2))"),
        """\
class Bump(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 2), nn.Sigmoid(), nn.Linear(2, 1))
        self.net.load_state_dict({
            "0.weight": torch.tensor([[50.0], [50.0]]), "0.bias": torch.tensor([-50.0, -100.0]),
            "2.weight": torch.tensor([[1.0, -1.0]]), "2.bias": torch.zeros(1),
        })
    def forward(self, X):
        return self.net(X)
bump = Bump()""",
        """\
step = lambda X, at: node(X, torch.tensor([[50.0]]), torch.tensor([-50.0 * at]), torch.sigmoid)
def bump(X: torch.Tensor) -> torch.Tensor:
    return step(X, 1.0) - step(X, 2.0)""",
    ],
    "09.3": [
        deep(f"nn.Sequential(*{LIST})"),
        deep(f"nn.ParameterList({LIST})"),
        deep("nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))"),
        deep(
            "nn.ModuleDict({str(n): nn.Linear(width, width) for n in range(depth - 1)})",
            FORWARD.replace("self.hidden", "self.hidden.values()"),
        ),
        """\
class Deep(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.first = nn.Linear(1, width)
        self.last = nn.Linear(width, 1)
        self.hidden = []
        for n in range(depth - 1):
            layer = nn.Linear(width, width)
            self.add_module(f"hidden{n}", layer)
            self.hidden.append(layer)

    def forward(self, X):
        X = self.first(X).tanh()
        for layer in self.hidden:
            X = layer(X).tanh()
        return self.last(X)""",
        """\
def Deep(width, depth):
    return build(width, depth, nn.Tanh)""",
    ],
    "09.4": [
        CAMEL.replace("4, nn.Tanh, kaiming", "6, nn.ReLU").replace("0.01", "0.003"),
        """\
my_X = torch.rand(300, 1)
my_y = 4000 + 100 * torch.sin(9 * my_X) * my_X
class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside = build(24, 4, nn.Tanh)
    def forward(self, X):
        return 4000 + 100 * self.inside(6 * X - 3)
my_model = Scaled()
optimizer = torch.optim.Adam(my_model.parameters(), lr=0.01)
for step in range(600):
    optimizer.zero_grad()
    loss = ((my_model(my_X) - my_y) / 100).square().mean()
    loss.backward()
    optimizer.step()""",
        """\
my_X = torch.linspace(-3, 3, 61, dtype=torch.float64).unsqueeze(1)
my_y = (3 * my_X).cos()
my_model = fresh(0, 5, nn.Tanh).double()
fit(my_model, torch.optim.Adam(my_model.parameters(), lr=0.01), my_X, my_y, steps=800)""",
        """\
my_X = torch.linspace(-3, 3, 61).unsqueeze(1)
my_y = my_X.abs().sub(1.5).abs() + 0.02 * torch.sin(50 * my_X)
torch.manual_seed(1)
my_model = nn.Sequential(*build(32, 4, nn.ReLU))
fit(my_model, torch.optim.AdamW(my_model.parameters(), lr=0.003), my_X, my_y, steps=800)""",
        CAMEL.replace("my_X - 1", "my_X - 1.2").replace("steps=500", "steps=700"),
    ],
}
