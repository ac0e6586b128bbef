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

WRONG = {
    "08.1": [
        (layer("torch.tanh(X @ w)"), "answer 0 to a row of zeros"),
        (layer("X @ w + b"), "Nothing bends them"),
        (layer("torch.tanh(X @ w) + b"), "added after the activation"),
        (layer("torch.sigmoid(X @ w + b)"), "Which activation"),
        (layer("torch.tanh(w @ X + b)"), "raised RuntimeError"),
        (layer("torch.tanh(X * w + b)"), "raised RuntimeError"),
        (layer("torch.tanh(X @ w + b).sum(dim=1)"), "has shape (4,)"),
        (layer("torch.tanh((X @ w).sum() + b)"), "has shape (2,)"),
        (layer("torch.tanh(X @ w - b)"), "Compare with `node`"),
        (layer("node(X, w, b, torch.relu)"), "Compare with `node`"),
        ("def tanh_layer(X, w, b):\n    torch.tanh(X @ w + b)", "Is a `return` missing"),
    ],
    "08.2": [
        (changed(FOLD, (" @ bias + layer.bias", " @ bias")), "the bias is not"),
        (changed(FOLD, ("layer.weight @ bias + layer.bias", "layer.bias")), "have been lost"),
        (changed(FOLD, ("layer.weight @ bias + layer.bias", "bias + layer.bias")), "raised Run"),
        (changed(FOLD, ("copy_(bias)", "zero_()")), "for inputs of 0"),
        (changed(FOLD, ("layer.weight @ weight", "weight @ layer.weight")), "has shape (4, 4)"),
        (changed(FOLD, ("stack[1:]", "stack[1:2]")), "has shape (4, 3)"),
        ("def fold(stack):\n    first, second, third = stack\n    return third", "not enough"),
        ("def fold(stack):\n    return stack[-1]", "has shape (1, 4)"),
        ("def fold(stack):\n    return nn.Linear(stack[0].in_features, 1)", "The slopes differ"),
        (changed(FOLD, ("return folded", "return folded.weight, folded.bias")), "returns a tuple"),
        (
            changed(FOLD, (", weight.shape[0])", ", weight.shape[0], bias=False)"),
                    ("        folded.bias.copy_(bias)\n", "")),
            "no bias",
        ),
        (
            changed(FOLD, ("bias = stack[0].weight, stack[0].bias", "bias = stack[0].weight.data, "
                           "stack[0].bias.data"),
                    ("bias = layer.weight @ bias + layer.bias", "bias = layer.bias.data.add_("
                     "layer.weight.data @ bias)")),
            "have changed",
        ),
        ("def fold(stack):\n    return stack", "returns a Sequential"),
    ],
    "08.3": [
        (bump(UP), "stays up"),
        (bump(f"{UP} + {DOWN}"), "stays up"),
        (bump(f"{DOWN} - {UP}"), "falls below 0"),
        (bump(f"{UP} - 2 * {DOWN}"), "falls below 0"),
        (bump("torch.sigmoid(X - 1) - torch.sigmoid(X - 2)"), "not near 1"),
        (bump("torch.sigmoid(10 * (X - 1)) - torch.sigmoid(10 * (X - 2))"), "has not come down"),
        (bump("torch.sigmoid(50 * (X - 0.5)) - torch.sigmoid(50 * (X - 2))"), "has not come down"),
        (bump("torch.sigmoid(50 * (X - 1.3)) - torch.sigmoid(50 * (X - 1.7))"), "too narrow"),
        (bump("torch.sigmoid(50 * X + 1) - torch.sigmoid(50 * X + 2)"), "never rises"),
        (bump("torch.tanh(50 * (X - 1)) - torch.tanh(50 * (X - 2))"), "not near 1"),
        (bump(f"1 + {UP} - {DOWN}"), "stays up"),
        (bump("((X > 1) & (X < 2)).float()"), "no slope anywhere"),
        (bump(f"({UP} - {DOWN}).squeeze(1)"), "`.unsqueeze(1)`"),
        (bump(f"0.5 - {UP} + {DOWN}"), "Far from the bump"),
    ],
    "08.4": [
        (changed(UNTIL, (TEST, ""), ("    return most", "    return step")), "was moved all"),
        (changed(UNTIL, (TEST + STEP, STEP + TEST)), "was moved all the same"),
        (changed(UNTIL, ("return step", "return step + 1")), "takes no step"),
        (changed(UNTIL, ("return most", "return step")), "all 7 steps are used"),
        (changed(UNTIL, ("    return most", "    pass")), "Is a `return` missing"),
        (changed(UNTIL, ("return step", "return loss.item()")), "takes no step"),
        (changed(UNTIL, ("        optimizer.step()\n", "")), "Is there a `step`"),
        (changed(UNTIL, ("        optimizer.zero_grad()\n", "")), "What resets them"),
        (changed(UNTIL, ("model.parameters()", "build(8, 1, nn.Tanh).parameters()")), "not moved"),
        (changed(UNTIL, ("loss.item() < goal", "loss.item() < goal / 10")), "was moved"),
        (changed(UNTIL, ("return step", "break")), "takes no step"),
        (
            changed(UNTIL, ("< goal:", "< goal and step % 100 == 0:")),
            "one step fewer",
        ),
        (changed(UNTIL, ("< goal:", "< goal or step > 50:")), "still above it"),
        (changed(UNTIL, ("            return step", "            return step // 2")), "one more"),
    ],
}  # fmt: skip

RIGHT = {  # unusual, and right
    "08.1": [],
    "08.2": [],
    "08.3": [],
    "08.4": [],
}
