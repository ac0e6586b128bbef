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


FOLD = """\
def fold(stack):
    weight, bias = stack[0].weight, stack[0].bias
    for layer in stack[1:]:
        weight = layer.weight @ weight
        bias = layer.weight @ bias + layer.bias
    folded = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        folded.weight.copy_(weight)
        folded.bias.copy_(bias)
    return folded"""

UNTIL = """\
def train_until(model, X, y, goal, most):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(most):
        optimizer.zero_grad()
        y_pred = model(X)
        loss = loss_fn(y_pred, y)
        if loss.item() < goal:
            return step
        loss.backward()
        optimizer.step()
    return most"""
TEST = "        if loss.item() < goal:\n            return step\n"
STEP = "        loss.backward()\n        optimizer.step()\n"
UP, DOWN = "torch.sigmoid(50 * (X - 1))", "torch.sigmoid(50 * (X - 2))"


def once():
    """Reset the gradients once, before the loop."""
    code = UNTIL.replace("        optimizer.zero_grad()\n", "")
    return code.replace("    for step", "    optimizer.zero_grad()\n    for step")


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
        (changed(FOLD, (" @ bias + layer.bias", " @ bias")), "first layer alone has come through"),
        (changed(FOLD, ("layer.weight @ bias + layer.bias", "layer.bias")), "have been lost"),
        (
            changed(FOLD, ("layer.weight @ bias + layer.bias", "bias + layer.bias")),
            "added up as they are",
        ),
        (changed(FOLD, ("copy_(bias)", "zero_()")), "for inputs of 0"),
        (changed(FOLD, ("layer.weight @ weight", "weight @ layer.weight")), "wrong way around"),
        (changed(FOLD, ("stack[1:]", "stack[1:2]")), "of the first two layers"),
        ("def fold(stack):\n    first, second, third = stack\n    return third", "hands back"),
        ("def fold(stack):\n    return stack[-1]", "hands back"),
        ("def fold(stack):\n    return nn.Linear(stack[0].in_features, 1)", "has shape (1, 3)"),
        (
            "def fold(stack):\n    return nn.Linear(stack[0].in_features, stack[-1].out_features)",
            "not the product",
        ),
        (
            "def fold(stack):\n    first, second = stack\n    return first",
            "too many values to unpack",
        ),
        (changed(FOLD, ("layer.weight @ weight", "layer.weight * weight")), "element by element"),
        (changed(FOLD, ("layer.weight @ weight", "layer.weight.T @ weight")), "not the product"),
        (changed(FOLD, ("weight = layer.weight @ weight", "weight = layer.weight")), "of the last"),
        (changed(FOLD, ("weight = layer.weight @ weight", "pass")), "of the first layer alone"),
        (changed(FOLD, ("bias = layer.weight @ bias + layer.bias", "pass")), "make of it"),
        (changed(FOLD, ("layer.weight @ bias", "weight @ bias")), "passes through the weights"),
        (
            changed(
                FOLD,
                (
                    "    with torch.no_grad():\n        folded.weight.copy_(weight)\n"
                    "        folded.bias.copy_(bias)\n",
                    "    folded.weight.data, folded.bias.data = weight, bias\n",
                ),
            ),
            "shares its numbers in memory",
        ),
        (
            changed(
                FOLD,
                ("    with torch.no_grad():\n", "    torch.set_grad_enabled(False)\n    if 1:\n"),
            ),
            "switches gradients off",
        ),
        (changed(FOLD, ("    with torch.no_grad():\n", "    if True:\n")), "no_grad()"),
        (changed(FOLD, ("return folded", "return folded.double()")), "torch.float64"),
        (
            changed(
                FOLD,
                (
                    "    folded = nn.Linear(weight.shape[1], weight.shape[0])\n",
                    "    if len(stack) == 1:\n        return stack[0]\n"
                    "    folded = nn.Linear(weight.shape[1], weight.shape[0])\n",
                ),
            ),
            "hands back a layer",
        ),
        (
            changed(
                FOLD,
                (
                    "    with torch.no_grad():\n        folded.weight.copy_(weight)\n"
                    "        folded.bias.copy_(bias)\n",
                    "    folded.weight = nn.Parameter(weight)\n"
                    "    folded.bias = nn.Parameter(bias)\n",
                ),
            ),
            "shares its numbers in memory",
        ),
        (changed(FOLD, ("return folded", "return folded.weight, folded.bias")), "returns a tuple"),
        (
            changed(
                FOLD,
                (", weight.shape[0])", ", weight.shape[0], bias=False)"),
                ("        folded.bias.copy_(bias)\n", ""),
            ),
            "no bias",
        ),
        (
            changed(
                FOLD,
                (
                    "bias = stack[0].weight, stack[0].bias",
                    "bias = stack[0].weight.data, stack[0].bias.data",
                ),
                (
                    "bias = layer.weight @ bias + layer.bias",
                    "bias = layer.bias.data.add_(layer.weight.data @ bias)",
                ),
            ),
            "have changed",
        ),
        ("def fold(stack):\n    return stack", "returns a Sequential"),
    ],
    "09.3": [
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
    "09.4": [
        (changed(UNTIL, (TEST, ""), ("    return most", "    return step")), "was moved all"),
        (changed(UNTIL, (TEST + STEP, STEP + TEST)), "was moved all the same"),
        (changed(UNTIL, ("return step", "return step + 1")), "takes no step"),
        (changed(UNTIL, ("return most", "return step")), "all 7 steps are used"),
        (changed(UNTIL, ("    return most", "    pass")), "Is a `return` missing"),
        (changed(UNTIL, ("return step", "return loss.item()")), "takes no step"),
        (changed(UNTIL, ("        optimizer.step()\n", "")), "No optimizer takes a step"),
        (changed(UNTIL, ("        optimizer.zero_grad()\n", "")), "gradients pile up"),
        (
            changed(UNTIL, ("model.parameters()", "build(8, 1, nn.Tanh).parameters()")),
            "moves other parameters",
        ),
        (
            changed(UNTIL, ("loss.item() < goal", "loss.item() < goal / 10")),
            "with the goal. Is it the mean",
        ),
        (changed(UNTIL, ("return step", "break")), "takes no step"),
        (
            changed(UNTIL, ("< goal:", "< goal and step % 100 == 0:")),
            "one step fewer",
        ),
        (changed(UNTIL, ("< goal:", "< goal or step > 50:")), "still above it"),
        (
            changed(UNTIL, ("            return step", "            return step // 2")),
            "steps and returns",
        ),
        (once(), "gradients pile up"),
        (
            changed(
                UNTIL,
                ("optimizer.zero_grad()\n        y_pred", "y_pred"),
                ("backward()\n", "backward()\n        optimizer.zero_grad()\n"),
            ),
            "are empty",
        ),
        (
            changed(UNTIL, (STEP, "        optimizer.step()\n        loss.backward()\n")),
            "are empty",
        ),
        (
            changed(
                UNTIL,
                ("        optimizer.zero_grad()\n", ""),
                (
                    STEP,
                    "        optimizer.step()\n        optimizer.zero_grad()\n"
                    "        loss.backward()\n",
                ),
            ),
            "First `backward`, then `step`",
        ),
        (changed(UNTIL, ("loss_fn(y_pred, y)", "loss_fn(y_pred, y) / 2")), "half of the mean"),
        (changed(UNTIL, ("loss_fn(y_pred, y)", "((y_pred - y) ** 2).sum()")), "is their sum"),
        (changed(UNTIL, ("loss_fn(y_pred, y)", "(y_pred - y).abs().mean()")), "mean absolute"),
        (changed(UNTIL, ("loss_fn(y_pred, y)", "loss_fn(y_pred, y).sqrt()")), "its root"),
        (changed(UNTIL, ("loss_fn(y_pred, y)", "loss_fn(y_pred.flatten(), y)")), "each prediction"),
        (changed(UNTIL, ("loss_fn(y_pred, y)", "loss_fn(model(X[:16]), y[:16])")), "of all rows"),
        (changed(UNTIL, ("loss.item() < goal", "loss.item() > goal")), "compared with `goal`"),
        (changed(UNTIL, ("range(most)", "range(most + 1)")), "At most 7 steps"),
        (
            changed(
                UNTIL,
                (
                    "        optimizer.zero_grad()\n",
                    "        optimizer = torch.optim.Adam("
                    "model.parameters(), lr=0.01)\n        optimizer.zero_grad()\n",
                ),
            ),
            "makes a new optimizer",
        ),
        (changed(UNTIL, ("lr=0.01", "lr=0.0")), "learning rate"),
        (changed(UNTIL, ("lr=0.01", "lr=0.00001")), "still above it"),
        (
            changed(
                UNTIL, ("    optimizer =", "    torch.set_grad_enabled(False)\n    optimizer =")
            ),
            "switches gradients off",
        ),
        (changed(UNTIL, ("    return most", "    return loss.item()")), "you return"),
        (
            changed(
                UNTIL, ("    optimizer =", "    model = build(8, 1, nn.Tanh)\n    optimizer =")
            ),
            "moves other parameters",
        ),
        (
            changed(
                UNTIL,
                ("        loss.backward()\n", "        loss_fn(model(X[:9]), y[:9]).backward()\n"),
            ),
            "Which loss do you",
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
        """\
def fold(stack):
    inputs = stack[0].in_features
    with torch.no_grad():
        bias = stack(torch.zeros(1, inputs))
        weight = (stack(torch.eye(inputs)) - bias).T
    folded = nn.Linear(inputs, len(bias[0]))
    folded.load_state_dict({"weight": weight, "bias": bias[0]})
    return folded""",
        """\
@torch.no_grad()
def fold(stack: nn.Sequential) -> nn.Linear:
    layers = list(stack)
    weight, bias = layers[0].weight.clone(), layers[0].bias.clone()
    for layer in layers[1:]:
        weight, bias = layer.weight @ weight, layer(bias)
    folded = nn.Linear(weight.shape[1], weight.shape[0])
    folded.weight = nn.Parameter(weight)
    folded.bias = nn.Parameter(bias)
    return folded""",
        """\
def fold(stack):
    def join(first, second):
        both = nn.Linear(first.in_features, second.out_features)
        both.weight.data.copy_(second.weight @ first.weight)
        both.bias.data.copy_(second.weight @ first.bias + second.bias)
        return both
    identity = nn.Linear(stack[0].in_features, stack[0].in_features)
    nn.init.eye_(identity.weight)
    nn.init.zeros_(identity.bias)
    for layer in stack:
        identity = join(identity, layer)
    return identity""",
        """\
def fold(stack):
    if len(stack) == 1:
        new = nn.Linear(stack[0].in_features, stack[0].out_features)
        new.load_state_dict(stack[0].state_dict())
        return new
    rest = fold(stack[1:])
    new = nn.Linear(stack[0].in_features, rest.out_features)
    with torch.no_grad():
        new.weight[:] = rest.weight @ stack[0].weight
        new.bias[:] = rest(stack[0].bias)
    return new""",
        changed(
            FOLD,
            (
                "    with torch.no_grad():\n        folded.weight.copy_(weight)\n"
                "        folded.bias.copy_(bias)\n",
                "    folded.weight = nn.Parameter(weight.detach().clone())\n"
                "    folded.bias = nn.Parameter(bias.detach().clone())\n",
            ),
        ),
    ],
    "09.3": [
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
    "09.4": [
        changed(
            UNTIL,
            (
                "optimizer.zero_grad()\n        y_pred = model(X)\n        loss = "
                "loss_fn(y_pred, y)",
                "loss = nn.functional.mse_loss(model(X), y)",
            ),
            ("optimizer.step()\n", "optimizer.step()\n        optimizer.zero_grad()\n"),
        ),
        """\
def train_until(model, X, y, goal, most):
    optimizer, steps = torch.optim.Adam(model.parameters(), lr=0.01), 0
    while (loss := ((model(X) - y) ** 2).mean()) >= goal and steps < most:
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        steps += 1
    return steps""",
        """\
def train_until(model: nn.Module, X, y, goal: float, most: int) -> int:
    opt = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.0)
    def measured():
        with torch.no_grad():
            return loss_fn(model(X), y).item()
    step = 0
    while step < most and not measured() < goal:
        opt.zero_grad()
        loss_fn(model(X), y).backward()
        opt.step()
        step = step + 1
    return step""",
        """\
def train_until(model, X, y, goal, most):
    parameters = list(model.parameters())
    optimizer = torch.optim.Adam(parameters, 0.01)
    for step in range(most + 1):
        loss = (model(X) - y).pow(2).mean()
        if step == most or loss < goal:
            return torch.tensor(step)
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
            parameter.grad = gradient
        optimizer.step()""",
        changed(
            UNTIL,
            (
                "torch.optim.Adam(model.parameters(), lr=0.01)",
                "torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)",
            ),
        ),
        changed(
            UNTIL,
            (
                "        loss.backward()\n",
                "        loss.backward()\n        nn.utils."
                "clip_grad_norm_(model.parameters(), 1.0)\n",
            ),
        ),
        """\
def train_until(model, X, y, goal, most):
    mean, size = ([torch.zeros_like(p) for p in model.parameters()] for _ in range(2))
    for step in range(1, most + 1):
        loss = loss_fn(model(X), y)
        if loss.item() < goal:
            return step - 1
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for p, m, s, g in zip(model.parameters(), mean, size, gradients):
                m.mul_(0.9).add_(0.1 * g)
                s.mul_(0.999).add_(0.001 * g * g)
                p -= 0.01 * (m / (1 - 0.9**step)) / ((s / (1 - 0.999**step)).sqrt() + 1e-8)
    return most""",
    ],
}
