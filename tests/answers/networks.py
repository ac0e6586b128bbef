"""Plausible wrong answers to the exercises on nodes, layers and networks: code and hint."""


def layer(returned):
    return f"def tanh_layer(X, w, b):\n    return {returned}"


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
torch.manual_seed(420)
my_model = build(16, 1, nn.Tanh)
optimizer = torch.optim.Adam(my_model.parameters(), lr=0.03)
fit(my_model, optimizer, my_X, my_y, steps=1000)"""
UP, DOWN = "torch.sigmoid(50 * (X - 1))", "torch.sigmoid(50 * (X - 2))"


WRONG = {
    "09.1": [
        (layer("torch.tanh(X @ w)"), "answer 0 to a row of zeros"),
        (layer("X @ w + b"), "Nothing bends them"),
        (layer("torch.tanh(X @ w) + b"), "added after the activation"),
        (layer("torch.sigmoid(X @ w + b)"), "the sigmoid of the sums"),
        (layer("torch.tanh(w @ X + b)"), "raised RuntimeError"),
        (layer("torch.tanh(X * w + b)"), "raised RuntimeError"),
        (layer("torch.tanh(X @ w + b).sum(dim=1)"), "has shape (4,)"),
        (layer("torch.tanh((X @ w).sum() + b)"), "has shape (2,)"),
        (layer("torch.tanh(X @ w - b)"), "bias is subtracted"),
        (layer("node(X, w, b, torch.relu)"), "the ReLU of the sums"),
        ("def tanh_layer(X, w, b):\n    torch.tanh(X @ w + b)", "Is a `return` missing"),
        (layer("torch.tanh(torch.tanh(X @ w + b))"), "tanh is applied twice"),
        (layer("torch.tanh(X) @ w + b"), "bends the inputs"),
        (layer("torch.tanh(X @ (w + b))"), "added to every weight"),
        (layer("torch.tanh(X @ w + b.sum())"), "biases of all nodes together"),
        (layer("torch.tanh(X @ w + b.flip(0))"), "changed places"),
        (layer("torch.tanh(X @ w.T + b)"), "cannot be multiplied"),
        (
            layer("torch.stack([node(X, w[:, k], b[k], torch.tanh) for k in (0, 1)], dim=1)"),
            "a layer of five is not",
        ),
        (layer("torch.tanh(X @ w + b.unsqueeze(1))"), "One tensor has 4 elements"),
        (layer("torch.tan(X @ w + b)"), "its tanh is"),
        (layer("nn.Tanh(X @ w + b)"), "makes an object"),
        (layer("torch.tanh(X @ w + b).tolist()"), "expected a tensor"),
        (
            "def tanh_layer(X, w, b):\n    w += b\n    return torch.tanh(X @ w)",
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
        (bump("((X > 1) & (X < 2)).float()"), "no slope anywhere"),
        (bump(f"({UP} - {DOWN}).squeeze(1)"), "`.unsqueeze(1)`"),
        (bump(f"0.5 - {UP} + {DOWN}"), "Far from the bump"),
        (bump(f"{UP} * torch.sigmoid(50 * (X - 2))"), "stays up"),
        (bump("torch.sigmoid(50 * (X - 2)) - torch.sigmoid(50 * (X - 3))"), "at 1.5"),
        (bump("torch.where((X > 1) & (X < 2), 1.0, 0.0)"), "no slope anywhere"),
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
        (CAMEL[: CAMEL.index("fit(")], "been trained"),
        (CAMEL.replace("nn.Tanh", "nn.Identity"), "an activation between"),
        (CAMEL + "\nmy_model = my_model(my_X)", "is a Tensor, expected the network"),
        (CAMEL + "\nmy_model = build", "expected the network itself"),
        (CAMEL.replace("my_X, my_y, steps", "X, y, steps"), "the wave of the lesson"),
        (CAMEL.replace("my_X - 1) ** 2)", "my_X - 1) ** 2).round()"), "of the variance"),
        (CAMEL.replace("build(16", "build(2"), "of the variance"),
        (CAMEL.replace("lr=0.03", "lr=3.0"), "another rate"),
        (CAMEL + "\nmy_y = my_y.flatten()", "`.unsqueeze(1)`"),
        (CAMEL + "\nmy_X = my_X.flatten()", "a column of 30 places"),
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
            "A formula was not asked for",
        ),
    ],
}

RIGHT = {  # unusual, and right
    "09.1": [
        layer("node(X, w, b, torch.tanh)"),
        layer("torch.tanh(torch.addmm(b, X, w))"),
        layer("(torch.matmul(X, w) + b.unsqueeze(0)).tanh()"),
        layer("nn.Tanh()(nn.functional.linear(X, w.T, b))"),
        layer("torch.stack([torch.tanh(X @ w[:, k] + b[k]) for k in range(len(b))], dim=1)"),
        layer('torch.tanh(torch.einsum("ni,ik->nk", X, w) + b)'),
        "tanh_layer = lambda X, w, b: 2 * torch.sigmoid(2 * (X @ w + b)) - 1",
        """\
def tanh_layer(X: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    layer = nn.Linear(*w.shape)
    layer.load_state_dict({"weight": w.T, "bias": b})
    return torch.tanh(layer(X))""",
        """\
class Layer:
    def __call__(self, X, w, b):
        return (X @ w + b).tanh()
tanh_layer = Layer()""",
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
        CAMEL.replace("build(16, 1, nn.Tanh)", "build(16, 2, nn.ReLU)").replace("0.03", "0.01"),
        """\
my_X = torch.rand(300, 1)
my_y = 4000 + 100 * torch.sin(9 * my_X) * my_X
class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside = build(24, 1, nn.Tanh)
    def forward(self, X):
        return 4000 + 100 * self.inside(6 * X - 3)
my_model = Scaled()
optimizer = torch.optim.Adam(my_model.parameters(), lr=0.02)
for step in range(1500):
    optimizer.zero_grad()
    loss = ((my_model(my_X) - my_y) / 100).square().mean()
    loss.backward()
    optimizer.step()""",
        """\
my_X = torch.linspace(-3, 3, 61, dtype=torch.float64).unsqueeze(1)
my_y = (3 * my_X).cos()
torch.manual_seed(0)
my_model = build(24, 1, nn.Sigmoid).double()
fit(my_model, torch.optim.Adam(my_model.parameters(), lr=0.1), my_X, my_y, steps=1500)""",
        """\
my_X = torch.linspace(-3, 3, 61).unsqueeze(1)
my_y = my_X.abs().sub(1.5).abs() + 0.02 * torch.sin(50 * my_X)
torch.manual_seed(1)
my_model = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1))
fit(my_model, torch.optim.AdamW(my_model.parameters(), lr=0.02), my_X, my_y, steps=1000)""",
        CAMEL.replace("my_X - 1", "my_X - 1.2").replace("steps=1000", "steps=1500"),
    ],
}
