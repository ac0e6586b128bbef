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
    "07.1": [
        (MISS.format("(y - y_pred).square().mean().sqrt().item()"), "the RMSE"),
        (MISS.format("loss_fn(y_pred, y).item()"), "the MSE"),
        (MISS.format("(y - y_pred).mean().item()"), "cancel each other"),
        (MISS.format("(y_pred - y).mean().item()"), "cancel each other"),
        (MISS.format("(y - y_pred).mean().abs().item()"), "before you take the mean"),
        (MISS.format("(y - y_pred).abs().sum().item()"), "How many rows"),
        (MISS.format("(y - y_pred).abs().max().item()"), "largest miss"),
        (MISS.format("residuals.abs().mean().item()"), "what it is handed"),
        (MISS.format("(y - y_pred.squeeze(1)).abs().mean().item()"), "each prediction meets all"),
        (MISS.format("(y.flatten() - y_pred).abs().mean()"), "each prediction meets all"),
        (MISS.format("(y - y_pred).abs()"), "has shape (5, 1)"),
        (MISS.format("0.5 * loss_fn(y_pred, y).item()"), "half of the mean squared"),
        (MISS.format("(y - y_pred).abs().sum().item() // len(y)"), "cuts off the digits"),
        (MISS.format("(y - y_pred).abs().sum().item() / (len(y) - 1)"), "one row less"),
        (MISS.format("(y - y_pred).abs().median().item()"), "the median"),
        (MISS.format("(y - y_pred).std().item()"), "a standard deviation"),
        (MISS.format("torch.norm(y - y_pred).item()"), "length of the residuals"),
        (MISS.format("nn.SmoothL1Loss()(y_pred, y).item()"), "`nn.L1Loss`"),
        (MISS.format("((y - y_pred) / y).abs().mean().item()"), "divided by its target"),
        (MISS.format("round((y - y_pred).abs().mean().item(), 1)"), "the mean, rounded"),
        (MISS.format("round((y - y_pred).abs().mean().item(), 2)"), "the mean, rounded"),
        (MISS.format("y_pred.sub_(y).abs_().mean().item()"), "changes the tensors"),
        (MISS.format("nn.L1Loss(y_pred, y).item()"), "make the function first"),
        ("mean_miss = residuals.abs().mean().item()", "expected something to call"),
    ],
    "07.2": [
        (changed(EVALUATE, ("    model.train(was_training)\n", "")), "came in training mode"),
        (changed(EVALUATE, ("train(was_training)", "train()")), "came in evaluation mode"),
        (changed(EVALUATE, ("    model.eval()\n", "")), "in training mode: dropout"),
        (changed(EVALUATE, ("with torch.inference_mode()", "if True")), "are recorded"),
        (changed(EVALUATE, ("rows[:]", "rows.dataset[:]")), "Index the subset"),
        (changed(EVALUATE, ("model(X_rows)", "line(X_rows)")), "never asked"),
        (changed(EVALUATE, ("return loss", "return loss ** 0.5")), "the root of the MSE"),
        (changed(EVALUATE, ("loss_fn(", "nn.L1Loss()(")), "mean absolute error"),
        (changed(EVALUATE, ("loss_fn(", "0.5 * loss_fn(")), "half of the mean squared"),
        (changed(EVALUATE, ("loss_fn(", "nn.MSELoss(reduction='sum')(")), "sum of the squares"),
        (changed(EVALUATE, ("return loss", "return loss / len(rows)")), "once more"),
        (changed(EVALUATE, ("model(X_rows), y", "model(X_rows).squeeze(1), y")), "meets all"),
        (changed(EVALUATE, ("model.eval()", "model.training = False")), "reaches every layer"),
        (
            changed(EVALUATE, ("model.train(was_training)", "model.training = was_training")),
            "the dropout inside is still in evaluation mode",
        ),
        (
            changed(
                EVALUATE,
                (
                    "    with torch.inference_mode():\n        loss",
                    "    torch.set_grad_enabled(False)\n    loss",
                ),
            ),
            "gradients off for the whole program",
        ),
        (
            changed(
                EVALUATE,
                (
                    "    with torch.inference_mode():\n        loss",
                    "    model.requires_grad_(False)\n    loss",
                ),
            ),
            "without `requires_grad`",
        ),
        (changed(EVALUATE, ("train(was_training)", "train(not was_training)")), "and leaves in"),
        (
            changed(
                EVALUATE,
                ("    model.train(was_training)\n", ""),
                ("    with", "    model.train(was_training)\n    with"),
            ),
            "in training mode: dropout",
        ),
        (
            "def evaluate(model, rows):\n    was_training = model.training\n    model.eval()\n"
            "    losses = []\n    with torch.inference_mode():\n"
            "        for X_batch, y_batch in DataLoader(rows, batch_size=3):\n"
            "            losses.append(loss_fn(model(X_batch), y_batch).item())\n"
            "    model.train(was_training)\n    return sum(losses) / len(losses)",
            "uneven batches",
        ),
        (
            "def evaluate(model, rows):\n    was_training = model.training\n    model.eval()\n"
            "    with torch.inference_mode():\n        for X_row, y_row in rows:\n"
            "            loss = loss_fn(model(X_row), y_row).item()\n"
            "    model.train(was_training)\n    return loss",
            "last row or batch alone",
        ),
        (
            changed(
                EVALUATE,
                (
                    "    with torch.inference_mode():\n"
                    "        loss = loss_fn(model(X_rows), y_rows).item()",
                    "    loss = loss_fn(model(X_rows), y_rows)\n    loss.backward()\n"
                    "    loss = loss.item()",
                ),
            ),
            "are recorded",
        ),
        (
            "def evaluate(model, rows):\n    was_training = model.training\n    model.eval()\n"
            "    losses = []\n    with torch.inference_mode():\n"
            "        for X_batch, y_batch in DataLoader(rows, batch_size=32):\n"
            "            losses.append(loss_fn(model(X_batch), y_batch).item())\n"
            "    model.train(was_training)\n    return sum(losses) / len(losses)",
            "The last one is smaller",
        ),
        (
            "def evaluate(model, rows):\n    was_training = model.training\n    model.eval()\n"
            "    losses = []\n    with torch.inference_mode():\n"
            "        for X_batch, y_batch in DataLoader(rows, batch_size=64):\n"
            "            losses.append(loss_fn(model(X_batch), y_batch).item())\n"
            "    model.train(was_training)\n    return torch.tensor(losses).mean()",
            "The last one is smaller",
        ),
        (
            "def evaluate(model, rows):\n    was_training = model.training\n    model.eval()\n"
            "    losses = []\n    with torch.inference_mode():\n"
            "        for X_batch, y_batch in DataLoader(rows, batch_size=16):\n"
            "            losses.append(loss_fn(model(X_batch), y_batch).item())\n"
            "    model.train(was_training)\n    return losses[-1]",
            "The last one is smaller",
        ),
        (changed(EVALUATE, ("    return loss", "    print(loss)")), "Is a `return` missing"),
        ("evaluate = mean_loss", "came in training mode"),
        (
            "def evaluate(model, rows):\n    X_rows, y_rows = rows[:]\n"
            "    with torch.inference_mode():\n"
            "        return loss_fn(model(X_rows), y_rows).item()",
            "in training mode: dropout",
        ),
    ],
    "07.3": [
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
        (changed(CHOOSE, ("min(val", "max(val")), "highest validation RMSE"),
        (changed(CHOOSE, ("range(1, 13)", "range(2, 13)")), "Degree 1 is never tried"),
        (changed(CHOOSE, ("range(1, 13)", "range(1, 14)")), "Degree 13 is in the search"),
        (changed(CHOOSE, ("range(1, 13)", "range(12)")), "from 0 to 11"),
        (changed(CHOOSE, ("range(1, 13)", "(1, 3, 5, 12)")), "the four of the lesson"),
        (changed(LIST, ("min(rmses))", "min(rmses)) + 2")), "one degree too high"),
        (changed(CHOOSE, ("*train_rows[:]", "*train_rows.dataset[:]")), "`.dataset`"),
        (
            changed(
                CHOOSE,
                ("*train_rows[:]", "*train_rows.dataset[:]"),
                (", val_rows)\n    return", ", train_rows)\n    return"),
            ),
            "`.dataset`",
        ),
        (
            changed(CHOOSE, (", val_rows)\n    return", ", val_rows.dataset)\n    return")),
            "judged on `.dataset`",
        ),
        (
            changed(
                CHOOSE,
                (
                    "    val_rmses = {}",
                    "    X_fit = torch.cat([train_rows[:][0], val_rows[:][0]])\n"
                    "    y_fit = torch.cat([train_rows[:][1], val_rows[:][1]])\n    val_rmses = {}",
                ),
                ("*train_rows[:]", "X_fit, y_fit"),
            ),
            "cannot judge them",
        ),
        (
            changed(
                CHOOSE,
                ("*train_rows[:]", "*val_rows[:]"),
                (", val_rows)\n    return", ", train_rows)\n    return"),
            ),
            "changed places",
        ),
        (
            "def choose_degree(train_rows, val_rows):\n    best, lowest = 1, float('inf')\n"
            "    for degree in range(1, 13):\n"
            "        rmse = curve_rmse(fit(*train_rows[:], degree), val_rows)\n"
            "        if rmse > lowest:\n            break\n        best, lowest = degree, rmse\n"
            "    return best",
            "The search ends at the first",
        ),
        (changed(CHOOSE, ("return min(val_rmses, key=val_rmses.get)", "return 5")), "Any rows"),
        (
            "def choose_degree(train_rows, val_rows):\n    X_val, y_val = val_rows[:]\n"
            "    maes = {}\n    for degree in range(1, 13):\n"
            "        y_pred = fit(*train_rows[:], degree)(X_val)\n"
            "        maes[degree] = (y_val - y_pred).abs().mean().item()\n"
            "    return min(maes, key=maes.get)",
            "has the lowest MAE",
        ),
        (
            changed(
                CHOOSE,
                ("curve_rmse(fit", "round(curve_rmse(fit"),
                (", val_rows)\n    return", ", val_rows), 2)\n    return"),
            ),
            "Rounded RMSEs tie",
        ),
        ("choose_degree = 5", "expected something to call"),
        (
            changed(CHOOSE, ("min(val_rmses, key=val_rmses.get)", "val_rmses")),
            "expected one number",
        ),
        (
            changed(CHOOSE, (", val_rows)\n    return", ", curve_test)\n    return")),
            "Which rows make the fits, which judge them",
        ),
    ],
    "07.4": [
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
        (changed(SCALE, ("(X_val - center) / spread", "X_val")), "validation rows come back"),
        (changed(SCALE, ("(X_val - center) / spread", "X_val - center")), "the same two numbers"),
        (changed(SCALE, ("return (X_train - center) / spread", "return X_train")), "come back"),
        (
            "def scale(X_train, X_val):\n"
            "    center, spread = X_train.mean(1, keepdim=True), X_train.std(1, keepdim=True)\n"
            "    return (X_train - center) / spread, (X_val - center[:3]) / spread[:3]",
            "`dim=1` takes each row alone",
        ),
        (
            "def scale(X_train, X_val):\n    X_train = (X_train - X_train.mean()) / X_train.std()\n"
            "    return X_train, (X_val - X_train.mean()) / X_train.std()",
            "scaled already",
        ),
        (
            "def scale(X_train, X_val):\n    center, spread = X_train.mean(), X_train.std()\n"
            "    return X_train - center / spread, X_val - center / spread",
            "divides before it subtracts",
        ),
        (
            "def scale(X_train, X_val):\n    center, spread = X_train.mean(), X_train.std()\n"
            "    return (X_train - center) * spread, (X_val - center) * spread",
            "Multiplied by the spread",
        ),
        (
            "def scale(X_train, X_val):\n    spread = X_train.std()\n"
            "    return X_train / spread, X_val / spread",
            "Subtract it first",
        ),
        (changed(SCALE, ("X_train.mean(), X", "X_train.median(), X")), "median is subtracted"),
        (
            changed(SCALE, ("X_train.mean(), X_train.std()", "X_val.mean(), X_val.std()")),
            "come from the validation rows",
        ),
        (
            changed(
                SCALE,
                (
                    "return (X_train - center) / spread, (X_val - center) / spread",
                    "return (X_val - center) / spread, (X_train - center) / spread",
                ),
            ),
            "Validation rows come first",
        ),
        (
            changed(
                SCALE,
                ("    return", "    both = torch.cat([X_train, X_val])\n    return"),
                ("(X_val - center) / spread", "(X_val - both.mean()) / both.std()"),
            ),
            "by the numbers of all rows",
        ),
        (changed(SCALE, ("X_train.std()", "X_train.abs().mean()")), "come out with mean"),
        (
            "def scale(X_train, X_val):\n    center, spread = X_train.mean(), X_train.std()\n"
            "    X_train -= center\n    X_val -= center\n"
            "    return X_train / spread, X_val / spread",
            "in place",
        ),
        (
            "def scale(X_train, X_val):\n    low, high = X_train.min(), X_train.max()\n"
            "    return (X_train - low) / (high - low), (X_val - low) / (high - low)",
            "lowest and highest feature",
        ),
        (
            changed(
                SCALE,
                (
                    "spread = X_train.mean(), X_train.std()",
                    "spread = X_train.mean(), X_train.numpy().std()",
                ),
                ("(X_val - center) / spread", "(X_val - center) / X_train.std()"),
            ),
            "two different standard deviations",
        ),
        (
            changed(
                SCALE,
                ("(X_val - center) / spread", "((X_val - center) / spread).clamp(-10, 10)"),
            ),
            "Is it cut off",
        ),
        (changed(SCALE, (", (X_val - center) / spread", "")), "the scaled training and validation"),
        (
            "def scale(X_train, X_val):\n    return (X_train - center) / spread, "
            "(X_val - center) / spread",
            "not of the notebook's penguins",
        ),
    ],
}

RIGHT = {  # unusual, and right
    "07.1": [
        MISS.format("nn.L1Loss()(y_pred, y)"),
        MISS.format("nn.functional.l1_loss(y_pred, y).item()"),
        MISS.format(
            "sum(abs(a - b) for a, b in zip(y[:, 0].tolist(), y_pred[:, 0].tolist())) / len(y)"
        ),
        "mean_miss = lambda y_pred, y: float((y_pred.double() - y.double()).abs().mean())",
        MISS.format("(y - y_pred).norm(p=1) / y.numel()"),
        MISS.format("abs(y.numpy() - y_pred.numpy()).mean()"),
        "class MeanMiss(nn.Module):\n    def forward(self, y_pred, y):\n"
        "        return torch.where(y > y_pred, y - y_pred, y_pred - y).mean()\n\n"
        "mean_miss = MeanMiss()",
    ],
    "07.2": [
        changed(EVALUATE, ("torch.inference_mode()", "torch.no_grad()")),
        changed(
            EVALUATE, ("loss_fn(model(X_rows), y_rows)", "(model(X_rows) - y_rows).pow(2).mean()")
        ),
        "def evaluate(model: nn.Module, rows) -> float:\n    was_training = model.training\n"
        "    try:\n        return mean_loss(model, rows)\n    finally:\n"
        "        model.train(was_training)",
        "@torch.no_grad()\ndef evaluate(model, rows):\n"
        "    before = model.training\n    model.eval()\n"
        "    total = 0.0\n    for X_batch, y_batch in DataLoader(rows, batch_size=3):\n"
        "        total += nn.functional.mse_loss(model(X_batch), y_batch, reduction='sum').item()\n"
        "    if before:\n        model.train()\n    return total / len(rows)",
        "def evaluate(model, rows):\n    state = {m: m.training for m in model.modules()}\n"
        "    model.eval()\n    X_rows, y_rows = zip(*rows)\n    with torch.inference_mode():\n"
        "        loss = loss_fn(model(torch.stack(X_rows)), torch.stack(y_rows))\n"
        "    for module, mode in state.items():\n        module.training = mode\n    return loss",
        "import copy\n\ndef evaluate(model, rows):\n    twin = copy.deepcopy(model).eval()\n"
        "    with torch.inference_mode():\n        X_rows, y_rows = rows.dataset[rows.indices]\n"
        "        return loss_fn(twin(X_rows), y_rows).item()",
    ],
    "07.3": [
        changed(LIST, ("rmses.index(min(rmses))", "1 + rmses.index(min(rmses))")),
        changed(
            LIST, ("return rmses.index(min(rmses))", "return torch.tensor(rmses).argmin() + 1")
        ),
        "def choose_degree(train_rows, val_rows):\n"
        "    rmse = lambda d: curve_rmse(fit(*train_rows[:], d), val_rows)\n"
        "    return min(range(1, 13), key=rmse)",
        "def choose_degree(train_rows, val_rows):\n    lowest, best = float('inf'), None\n"
        "    for degree in range(1, 13):\n        predict_y = fit(*train_rows[:], degree)\n"
        "        if (rmse := curve_rmse(predict_y, val_rows)) < lowest:\n"
        "            lowest, best = rmse, degree\n    return best",
        "import numpy as np\n\ndef choose_degree(train_rows, val_rows) -> int:\n"
        "    (x, y), (x_val, y_val) = ([a.numpy()[:, 0].astype(float) for a in rows[:]]\n"
        "                              for rows in (train_rows, val_rows))\n"
        "    losses = [np.mean((np.polyval(np.polyfit(x, y, d), x_val) - y_val) ** 2)\n"
        "              for d in range(1, 13)]\n    return int(np.argmin(losses)) + 1",
        "def choose_degree(train_rows, val_rows):\n"
        "    rmses = [(curve_rmse(fit(*train_rows[:], d), val_rows), d) for d in range(1, 13)]\n"
        "    return sorted(rmses)[0][1]",
    ],
    "07.4": [
        changed(SCALE, ("X_train.std()", "X_train.std(correction=0)")),
        "def scale(X_train, X_val):\n"
        "    spread, center = torch.std_mean(X_train, dim=0, keepdim=True)\n"
        "    return [(X - center) / spread for X in (X_train, X_val)]",
        "class Scaler:\n    def fit(self, X):\n"
        "        self.center, self.spread = X.mean(0), X.std(0)\n        return self\n\n"
        "    def __call__(self, X):\n        return X.sub(self.center).div(self.spread)\n\n"
        "def scale(X_train, X_val):\n    scaler = Scaler().fit(X_train)\n"
        "    return scaler(X_train), scaler(X_val)",
        "def scale(X_train: torch.Tensor, X_val: torch.Tensor) -> tuple[torch.Tensor, ...]:\n"
        "    x = X_train.double()\n    center = x.sum() / len(x)\n"
        "    spread = ((x - center) ** 2).mean() ** 0.5\n"
        "    to_scaled = lambda X: ((X.double() - center) / spread).float()\n"
        "    return to_scaled(X_train), to_scaled(X_val)",
        "def scale(X_train, X_val):\n    x = X_train.numpy()\n"
        "    center, spread = float(x.mean()), float(x.std())\n"
        "    return torch.from_numpy((x - center) / spread), (X_val - center) / spread",
        "def scale(X_train, X_val):\n    X_train, X_val = X_train.clone(), X_val.clone()\n"
        "    center, spread = X_train.mean(), X_train.std()\n"
        "    for X in (X_train, X_val):\n        X -= center\n        X /= spread\n"
        "    return X_train, X_val",
    ],
}
