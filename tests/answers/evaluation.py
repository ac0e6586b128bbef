"""Plausible wrong answers to the exercises on evaluation: code and hint."""

EVALUATE = """\
def evaluate(model, loader):
    was_training = model.training
    model.eval()
    squares, rows = 0.0, 0
    with torch.inference_mode():
        for X_batch, y_batch in loader:
            squares += (y_batch - model(X_batch)).square().sum().item()
            rows += len(X_batch)
    model.train(was_training)
    return (squares / rows) ** 0.5"""

BATCHES = """\
def evaluate(model, loader):
    was_training = model.training
    model.eval()
    losses, sizes = [], []
    with torch.inference_mode():
        for X_batch, y_batch in loader:
            losses.append(loss_fn(model(X_batch), y_batch).item())
            sizes.append(len(X_batch))
    model.train(was_training)
    return RESULT"""

CHOOSE = """\
def choose_degree(train_rows, val_rows):
    X_fit, y_fit = train_rows[:]
    X_new, y_new = val_rows[:]
    misses = {}
    for degree in range(1, 13):
        misses[degree] = rmse(fit(X_fit, y_fit, degree)(X_new), y_new)
    return min(misses, key=misses.get)"""

LIST = """\
def choose_degree(train_rows, val_rows):
    X_new, y_new = val_rows[:]
    misses = [rmse(fit(*train_rows[:], degree)(X_new), y_new) for degree in range(1, 13)]
    return misses.index(min(misses))"""

WEIGH = """\
def weigh(model, flipper, train_set, test_set):
    X_seen, y_seen = train_set[:]
    if flipper < X_seen.min() or flipper > X_seen.max():
        raise ValueError(f"{flipper} is out of range")
    X_new, y_new = test_set[:]
    margin = miss(model, X_new, y_new)
    with torch.inference_mode():
        mass = model(torch.tensor([[flipper]])).item()
    return mass - margin, mass + margin"""


def changed(code, *pairs):
    for old, new in pairs:
        assert old in code, old
        code = code.replace(old, new)
    return code


def batches(result, loss="loss_fn(model(X_batch), y_batch).item()"):
    own = "loss_fn(model(X_batch), y_batch).item()", loss
    return changed(BATCHES, own, ("RESULT", result))


def drawn(y, X="torch.linspace(-3, 3, 80).unsqueeze(1)"):
    generator = "generator = torch.Generator().manual_seed(420)"
    noise = "noise = torch.randn(80, 1, generator=generator)"
    return f"{generator}\n{noise}\nmy_X = {X}\nmy_y = {y}"


ROOTS = "rmse(model(X_batch), y_batch)"
WRONG = {
    "07.1": [
        ('who = "vteetv"', "it chose the new model"),
        ('who = "vtevtv"', "have chosen several times"),
        ('who = "vtettv"', "has just decided something"),
        ('who = "vtenvv"', "which is a leak"),
        ('who = "vtenev"', "that the exam asks for"),
        ('who = "vtennv"', "part of the training"),
        ('who = "ttentv"', "the higher degree always wins"),
        ('who = "vtentt"', "never say stop"),
        ('who = "vtvntv"', "they chose, so"),
        ('who = "vtnntv"', "This is what the seal was for"),
        ('who = "vventv"', "a step follows the gradient"),
        ('who = "etentv"', "something is chosen"),
        ('who = "vtente"', "chosen as well"),
        ('who = "vtent"', "one for each question"),
        ('who = "vtextv"', "out of t, v, e and n"),
        ('who = ["v", "t", "e", "e", "t", "v"]', "it chose the new model"),
        ("who = 6", "expected six letters"),
    ],
    "07.2": [
        (changed(EVALUATE, ("    model.train(was_training)\n", "")), "came in training mode"),
        (changed(EVALUATE, ("train(was_training)", "train()")), "came in evaluation mode"),
        (changed(EVALUATE, ("    model.eval()\n", "")), "in training mode: dropout"),
        (changed(EVALUATE, ("with torch.inference_mode()", "if True")), "are recorded"),
        (changed(EVALUATE, ("model(X_batch)", "line(X_batch)")), "never asked"),
        (changed(EVALUATE, (") ** 0.5", ")")), "Its root is asked for"),
        (changed(EVALUATE, ("(squares / rows)", "squares")), "the root of the sum"),
        (
            changed(EVALUATE, ("(squares / rows) ** 0.5", "squares ** 0.5 / rows")),
            "root is divided",
        ),
        (changed(EVALUATE, ("squares / rows", "squares / len(loader)")), "number of batches"),
        (changed(EVALUATE, ("squares / rows", "squares / (rows - 1)")), "one row less"),
        (changed(EVALUATE, (".square()", ".abs()"), (") ** 0.5", ")")), "mean absolute miss"),
        (
            changed(
                EVALUATE, (".square()", ""), ("(squares / rows) ** 0.5", "abs(squares) / rows")
            ),
            "cancel each other",
        ),
        (changed(EVALUATE, ("model(X_batch))", "model(X_batch).squeeze(1))")), "meets all"),
        (batches("(sum(losses) / len(losses)) ** 0.5"), "counts as much as three"),
        (batches("sum(losses) / len(losses)", ROOTS), "Take the root once"),
        (
            batches("sum(a * n for a, n in zip(losses, sizes)) / sum(sizes)", ROOTS),
            "each root is taken before",
        ),
        (batches("losses[-1]", ROOTS), "last batch alone"),
        (batches("losses[0]", ROOTS), "first batch alone"),
        (changed(EVALUATE, ("model.eval()", "model.training = False")), "reaches every layer"),
        (
            changed(EVALUATE, ("model.train(was_training)", "model.training = was_training")),
            "the dropout inside is still in evaluation mode",
        ),
        (
            changed(
                EVALUATE,
                (
                    "    with torch.inference_mode():",
                    "    torch.set_grad_enabled(False)\n    if 1:",
                ),
            ),
            "gradients off for the whole program",
        ),
        (
            changed(
                EVALUATE,
                ("    with torch.inference_mode():", "    model.requires_grad_(False)\n    if 1:"),
            ),
            "without `requires_grad`",
        ),
        (changed(EVALUATE, ("train(was_training)", "train(not was_training)")), "and leaves in"),
        (
            changed(EVALUATE, ("return (squares / rows) ** 0.5", "print(squares / rows)")),
            "Is a `return` missing",
        ),
        ("evaluate = miss", "evaluate"),
    ],
    "07.3": [
        (changed(CHOOSE, ("y_new = val_rows[:]", "y_new = train_rows[:]")), "always takes 12"),
        (changed(CHOOSE, ("y_fit = train_rows[:]", "y_fit = val_rows[:]")), "always takes 12"),
        (changed(CHOOSE, ("range(1, 13)", "range(1, 12)")), "never tried"),
        (changed(CHOOSE, ("range(1, 13)", "range(13)")), "begin at 1"),
        (LIST, "one degree too low"),
        (
            changed(
                CHOOSE, ("= train_rows[:]", "= train_set[:]"), ("= val_rows[:]", "= val_set[:]")
            ),
            "Any rows get the same",
        ),
        (changed(CHOOSE, ("min(misses, key=misses.get)", "min(misses.values())")), "not the RMSE"),
        (changed(CHOOSE, ("min(misses,", "max(misses,")), "highest validation RMSE"),
        (changed(CHOOSE, ("range(1, 13)", "range(2, 13)")), "Degree 1 is never tried"),
        (changed(CHOOSE, ("range(1, 13)", "range(1, 14)")), "Degree 13 is in the search"),
        (changed(CHOOSE, ("range(1, 13)", "range(12)")), "from 0 to 11"),
        (changed(LIST, ("min(misses))", "min(misses)) + 2")), "one degree too high"),
        (changed(CHOOSE, ("= train_rows[:]", "= train_rows.dataset[:]")), "`.dataset`"),
        (changed(CHOOSE, ("= val_rows[:]", "= val_rows.dataset[:]")), "judged on `.dataset`"),
        (
            changed(
                CHOOSE,
                ("= train_rows[:]", "= train_rows.dataset[:]"),
                ("= val_rows[:]", "= train_rows[:]"),
            ),
            "`.dataset`",
        ),
        (
            changed(
                CHOOSE,
                (
                    "    misses = {}",
                    "    X_fit = torch.cat([X_fit, X_new])\n    y_fit = torch.cat([y_fit, y_new])\n"
                    "    misses = {}",
                ),
            ),
            "cannot judge them",
        ),
        (
            changed(
                CHOOSE,
                ("X_fit, y_fit = train_rows", "X_fit, y_fit = val_rows"),
                ("X_new, y_new = val_rows", "X_new, y_new = train_rows"),
            ),
            "changed places",
        ),
        (
            "def choose_degree(train_rows, val_rows):\n    X_new, y_new = val_rows[:]\n"
            "    best, lowest = 1, float('inf')\n    for degree in range(1, 13):\n"
            "        now = rmse(fit(*train_rows[:], degree)(X_new), y_new)\n"
            "        if now > lowest:\n            break\n        best, lowest = degree, now\n"
            "    return best",
            "The search ends at the first",
        ),
        (changed(CHOOSE, ("return min(misses, key=misses.get)", "return 5")), "Any rows"),
        (
            changed(
                CHOOSE,
                (
                    "rmse(fit(X_fit, y_fit, degree)(X_new), y_new)",
                    "(y_new - fit(X_fit, y_fit, degree)(X_new)).abs().mean().item()",
                ),
            ),
            "has the lowest MAE",
        ),
        (
            changed(CHOOSE, ("= rmse(", "= round(rmse("), (", y_new)\n", ", y_new), 2)\n")),
            "Rounded RMSEs tie",
        ),
        ("choose_degree = 5", "expected something to call"),
        (changed(CHOOSE, ("min(misses, key=misses.get)", "misses")), "expected one number"),
        (
            changed(CHOOSE, ("= val_rows[:]", "= test_set[:]")),
            "Any rows get the same degree",
        ),
    ],
    "07.4": [
        (changed(WEIGH, ("X_seen, y_seen = train_set", "X_seen, y_seen = test_set")), "is refused"),
        (
            changed(WEIGH, ("X_seen, y_seen = train_set", "X_seen, y_seen = train_set.dataset")),
            "alone",
        ),
        (
            changed(
                WEIGH,
                ('        raise ValueError(f"{flipper} is out of range")', "        return None"),
            ),
            "answered with None",
        ),
        (
            changed(
                WEIGH,
                (
                    '        raise ValueError(f"{flipper} is out of range")',
                    "        flipper = X_seen.max().item()",
                ),
            ),
            "is answered, and",
        ),
        (
            changed(
                WEIGH,
                (
                    '        raise ValueError(f"{flipper} is out of range")',
                    "        print('out of range')",
                ),
            ),
            "is answered, and",
        ),
        (changed(WEIGH, ("flipper < X_seen.min() or ", "")), "is answered, and"),
        (changed(WEIGH, (" < ", " <= "), (" > ", " >= ")), "both ends included"),
        (changed(WEIGH, ("y_new = test_set", "y_new = train_set")), "which made the model"),
        (
            changed(WEIGH, ("y_new = test_set", "y_new = test_set.dataset")),
            "Index the subset itself",
        ),
        (
            changed(
                WEIGH,
                ("margin = miss(model, X_new, y_new)", "margin = miss(model, X_new, y_new) ** 2"),
            ),
            "has another unit",
        ),
        (
            changed(
                WEIGH,
                ("margin = miss(model, X_new, y_new)", "margin = miss(model, X_new, y_new) / 2"),
            ),
            "Half of the RMSE",
        ),
        (
            changed(
                WEIGH,
                ("margin = miss(model, X_new, y_new)", "margin = 2 * miss(model, X_new, y_new)"),
            ),
            "twice the RMSE",
        ),
        (
            changed(
                WEIGH,
                (
                    "margin = miss(model, X_new, y_new)",
                    "model.eval()\n    margin = (y_new - model(X_new)).abs().mean().item()",
                ),
            ),
            "mean absolute miss",
        ),
        (
            changed(WEIGH, ("return mass - margin, mass + margin", "return mass, margin")),
            "two ends",
        ),
        (
            changed(WEIGH, ("mass - margin, mass + margin", "mass + margin, mass - margin")),
            "comes first",
        ),
        (changed(WEIGH, ("return mass - margin, mass + margin", "return mass")), "two numbers"),
        (changed(WEIGH, ("model(torch.tensor", "line(torch.tensor")), "model that was handed in"),
        (changed(WEIGH, ("[[flipper]]", "[[flipper - 20]]")), "the flipper as it is"),
        (
            changed(WEIGH, ("miss(model, X_new, y_new)", "rmse(model(X_new), y_new)")),
            "training mode",
        ),
        (
            changed(WEIGH, ("    return mass - margin, mass + margin", "    print(mass)")),
            "two numbers",
        ),
        (changed(WEIGH, ("model(torch.tensor([[flipper]]))", "model(flipper)")), "raised"),
        ("weigh = 4.65", "expected something to call"),
    ],
    "07.5": [
        (drawn("20 * my_X + noise"), "no shape"),
        (drawn("20 * my_X + 3"), "Nothing is left"),
        (drawn("my_X**2"), "R-squared of 0.000"),
        (drawn("my_X + my_X**2"), "Add a steeper line"),
        (drawn("20 * my_X + my_X**2", "torch.linspace(-3, 3, 20).unsqueeze(1)"), "30 points"),
        (drawn("20 * my_X + my_X**2", "torch.linspace(-3, 3, 80)"), "unsqueeze(1)"),
        (drawn("20 * my_X.flatten() + my_X.flatten() ** 2"), "unsqueeze(1)"),
        (drawn("20 * my_X + noise", "torch.ones(80, 1)"), "All features are equal"),
        (drawn("20 * my_X + my_X.sqrt()"), "not finite"),
        (drawn("(20 * my_X + my_X**2)[:40]"), "has shape (40, 1)"),
        (drawn("20 * my_X + 0.05 * my_X**2 + noise"), "no shape"),
        (drawn("(20 * my_X + my_X**2).tolist()"), "expected a tensor"),
    ],
}

RIGHT = {  # unusual, and right
    "07.1": [
        'who = "V, T, E, N, T, V"',
        'who = list("vtentv")',
        'who = ("v", "t", "e", "n", "t", "v")',
        'who = " VTENTV "',
    ],
    "07.2": [
        changed(EVALUATE, ("torch.inference_mode()", "torch.no_grad()")),
        batches("(sum(a * n for a, n in zip(losses, sizes)) / sum(sizes)) ** 0.5"),
        "def evaluate(model: nn.Module, loader) -> float:\n    was_training = model.training\n"
        "    try:\n        X_rows, y_rows = loader.dataset[:]\n"
        "        return miss(model, X_rows, y_rows)\n    finally:\n"
        "        model.train(was_training)",
        "@torch.no_grad()\ndef evaluate(model, loader):\n"
        "    before = {m: m.training for m in model.modules()}\n    model.eval()\n"
        "    residuals = torch.cat([y_batch - model(X_batch) for X_batch, y_batch in loader])\n"
        "    for module, mode in before.items():\n        module.training = mode\n"
        "    return residuals.square().mean().sqrt()",
        "import copy\n\ndef evaluate(model, loader):\n    twin = copy.deepcopy(model).eval()\n"
        "    total = 0.0\n    with torch.inference_mode():\n"
        "        for X_batch, y_batch in loader:\n"
        "            total += nn.MSELoss(reduction='sum')(twin(X_batch), y_batch).item()\n"
        "    return (total / len(loader.dataset)) ** 0.5",
    ],
    "07.3": [
        changed(LIST, ("misses.index(min(misses))", "1 + misses.index(min(misses))")),
        changed(
            LIST, ("return misses.index(min(misses))", "return torch.tensor(misses).argmin() + 1")
        ),
        "def choose_degree(train_rows, val_rows):\n    X_new, y_new = val_rows[:]\n"
        "    score = lambda d: rmse(fit(*train_rows[:], d)(X_new), y_new)\n"
        "    return min(range(1, 13), key=score)",
        "def choose_degree(train_rows, val_rows):\n    lowest, best = float('inf'), None\n"
        "    X_new, y_new = val_rows[:]\n    for degree in range(1, 13):\n"
        "        curve = fit(*train_rows[:], degree)\n"
        "        if (loss := loss_fn(curve(X_new), y_new.double()).item()) < lowest:\n"
        "            lowest, best = loss, degree\n    return best",
        "import numpy as np\n\ndef choose_degree(train_rows, val_rows) -> int:\n"
        "    (x, y), (x_val, y_val) = ([a.numpy()[:, 0].astype(float) for a in rows[:]]\n"
        "                              for rows in (train_rows, val_rows))\n"
        "    losses = [np.mean((np.polyval(np.polyfit(x, y, d), x_val) - y_val) ** 2)\n"
        "              for d in range(1, 13)]\n    return int(np.argmin(losses)) + 1",
    ],
    "07.4": [
        changed(
            WEIGH, ("return mass - margin, mass + margin", "return [mass - margin, mass + margin]")
        ),
        changed(
            WEIGH, ("mass - margin, mass + margin", "torch.tensor([mass - margin, mass + margin])")
        ),
        "def weigh(model, flipper, train_set, test_set):\n    X_seen = train_set[:][0]\n"
        "    if not X_seen.min() <= flipper <= X_seen.max():\n        raise ValueError\n"
        "    low_and_high = []\n    for sign in (-1, 1):\n"
        "        margin = miss(model, *test_set[:])\n"
        "        low_and_high.append(model(torch.tensor([[flipper]])) + sign * margin)\n"
        "    return tuple(low_and_high)",
        "class TooFar(ValueError):\n    pass\n\n"
        "def weigh(model, flipper, train_set, test_set):\n"
        "    flippers = [X.item() for X, y in train_set]\n"
        "    if flipper < min(flippers) or flipper > max(flippers):\n"
        "        raise TooFar(f'{flipper} is not between {min(flippers)} and {max(flippers)}')\n"
        "    model.eval()\n    squares = [(y - model(X)).item() ** 2 for X, y in test_set]\n"
        "    margin = (sum(squares) / len(squares)) ** 0.5\n"
        "    mass = model(torch.full((1, 1), flipper)).detach().numpy()[0, 0]\n"
        "    return mass - margin, mass + margin",
    ],
    "07.5": [
        drawn("-9 * my_X + my_X.sin()"),
        drawn("100 + 20 * my_X + my_X.abs() + 0.1 * noise", "3 * torch.randn(80, 1)"),
        drawn("8 * my_X + (my_X > 0)"),
        "import math\n\nturn = torch.linspace(0, 2 * math.pi, 200).unsqueeze(1)\n"
        "my_X = turn.cos()\nmy_y = 10 * my_X + turn.sin()",
        "my_X = torch.arange(30).unsqueeze(1)\nmy_y = 100 * my_X - my_X**2",
        "import math\n\nturn = torch.linspace(0, 2 * math.pi, 30).unsqueeze(1)\n"
        "my_X = turn.cos()\nmy_y = 10 * my_X + turn.sin()",
        drawn("20 * my_X + (12 * my_X).sin()", "torch.linspace(-3, 3, 80)[::2].unsqueeze(1)"),
        "my_X = torch.linspace(-1, 1, 30).unsqueeze(1)\nrail = torch.ones(30, 1)\n"
        "rail[::2] = -1\nmy_y = 20 * my_X + rail",
    ],
}
