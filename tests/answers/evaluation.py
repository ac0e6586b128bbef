"""Plausible wrong answers to the exercises on evaluation: code and hint."""

MISS = "def mean_miss(y_pred, y):\n    return {}"

EVALUATE = """\
def evaluate(model, rows):
    X_rows, y_rows = rows[:]
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        loss = loss_fn(model(X_rows), y_rows).item()
    model.train(was_training)
    return loss"""

CHOOSE = """\
def choose_degree(train_rows, val_rows):
    val_rmses = {}
    for degree in range(1, 13):
        val_rmses[degree] = curve_rmse(fit(*train_rows[:], degree), val_rows)
    return min(val_rmses, key=val_rmses.get)"""

LIST = """\
def choose_degree(train_rows, val_rows):
    rmses = [curve_rmse(fit(*train_rows[:], degree), val_rows) for degree in range(1, 13)]
    return rmses.index(min(rmses))"""

SCALE = """\
def scale(X_train, X_val):
    center, spread = X_train.mean(), X_train.std()
    return (X_train - center) / spread, (X_val - center) / spread"""


def changed(code, *pairs):
    for old, new in pairs:
        assert old in code, old
        code = code.replace(old, new)
    return code


WRONG = {
    "06.1": [
        (MISS.format("(y - y_pred).square().mean().sqrt().item()"), "the RMSE"),
        (MISS.format("loss_fn(y_pred, y).item()"), "the MSE"),
        (MISS.format("(y - y_pred).mean().item()"), "cancel each other"),
        (MISS.format("(y_pred - y).mean().item()"), "cancel each other"),
        (MISS.format("(y - y_pred).mean().abs().item()"), "before you take the mean"),
        (MISS.format("(y - y_pred).abs().sum().item()"), "How many rows"),
        (MISS.format("(y - y_pred).abs().max().item()"), "largest miss"),
        (MISS.format("residuals.abs().mean().item()"), "what it is handed"),
        (MISS.format("(y - y_pred.squeeze(1)).abs().mean().item()"), "4 by 4"),
        (MISS.format("(y - y_pred).abs()"), "has shape (4, 1)"),
        ("mean_miss = residuals.abs().mean().item()", "expected something to call"),
    ],
    "06.2": [
        (changed(EVALUATE, ("    model.train(was_training)\n", "")), "came in training mode"),
        (changed(EVALUATE, ("train(was_training)", "train()")), "came in evaluation mode"),
        (changed(EVALUATE, ("    model.eval()\n", "")), "in training mode: dropout"),
        (changed(EVALUATE, ("with torch.inference_mode()", "if True")), "are recorded"),
        (changed(EVALUATE, ("rows[:]", "rows.dataset[:]")), "Index the subset"),
        (changed(EVALUATE, ("model(X_rows)", "line(X_rows)")), "never asked"),
        (changed(EVALUATE, ("return loss", "return loss ** 0.5")), "the root of the MSE"),
        (changed(EVALUATE, ("loss_fn(", "nn.L1Loss()(")), "not the MSE"),
        (changed(EVALUATE, ("    return loss", "    print(loss)")), "Is a `return` missing"),
        ("evaluate = mean_loss", "came in training mode"),
        (
            "def evaluate(model, rows):\n    X_rows, y_rows = rows[:]\n"
            "    with torch.inference_mode():\n"
            "        return loss_fn(model(X_rows), y_rows).item()",
            "in training mode: dropout",
        ),
    ],
    "06.3": [
        (
            changed(CHOOSE, (", val_rows)\n    return", ", train_rows)\n    return")),
            "always takes 12",
        ),
        (changed(CHOOSE, ("*train_rows[:]", "*val_rows[:]")), "always takes 12"),
        (changed(CHOOSE, ("range(1, 13)", "range(1, 12)")), "never tried"),
        (changed(CHOOSE, ("range(1, 13)", "range(13)")), "begin at 1"),
        (LIST, "one degree too low"),
        (
            changed(
                CHOOSE, ("*train_rows[:]", "X_fit, y_fit"), (", val_rows)\n", ", curve_val)\n")
            ),
            "Any rows get the same",
        ),
        (
            changed(CHOOSE, ("min(val_rmses, key=val_rmses.get)", "min(val_rmses.values())")),
            "not the RMSE",
        ),
        (changed(CHOOSE, ("min(val", "max(val")), "another degree has the lowest"),
        ("choose_degree = 5", "expected something to call"),
        (
            changed(CHOOSE, ("min(val_rmses, key=val_rmses.get)", "val_rmses")),
            "expected one number",
        ),
        (
            changed(CHOOSE, (", val_rows)\n    return", ", curve_test)\n    return")),
            "another degree has the lowest",
        ),
    ],
    "06.4": [
        (
            changed(
                SCALE,
                ("(X_val - center) / spread", "(X_val - X_val.mean()) / X_val.std()"),
            ),
            "their own mean",
        ),
        (
            changed(
                SCALE,
                ("    center", "    both = torch.cat([X_train, X_val])\n    center"),
                ("X_train.mean(), X_train.std()", "both.mean(), both.std()"),
            ),
            "leak into training",
        ),
        (changed(SCALE, (" / spread", "")), "spread is still"),
        (changed(SCALE, ("X_train.std()", "X_train.var()")), "the variance"),
        (changed(SCALE, ("(X_val - center) / spread", "X_val")), "the same two numbers"),
        (changed(SCALE, ("return (X_train - center) / spread", "return X_train")), "mean 0"),
        (
            "def scale(X_train, X_val):\n    center, spread = X_train.mean(), X_train.std()\n"
            "    X_train -= center\n    X_val -= center\n"
            "    return X_train / spread, X_val / spread",
            "in place",
        ),
        (
            "def scale(X_train, X_val):\n    low, high = X_train.min(), X_train.max()\n"
            "    return (X_train - low) / (high - low), (X_val - low) / (high - low)",
            "mean 0",
        ),
        (changed(SCALE, (", (X_val - center) / spread", "")), "the scaled training and validation"),
        (
            "def scale(X_train, X_val):\n    return (X_train - center) / spread, "
            "(X_val - center) / spread",
            "mean 0",
        ),
    ],
}

RIGHT = {  # unusual, and right
    "06.1": [],
    "06.2": [],
    "06.3": [],
    "06.4": [],
}
