"""Plausible wrong answers to the exercises on the training loop: code and hint."""

OVER = """\
def loss_over(model, loader):
    total, rows = 0.0, 0
    model.eval()
    with torch.inference_mode():
        for X_batch, y_batch in loader:
            loss = loss_fn(model(X_batch), y_batch).item()
            total += len(X_batch) * loss
            rows += len(X_batch)
    return total / rows"""

LOOP = """\
def train_line(rows, lr, batch_size, epochs):
    model, optimizer = start_over(lr)
    loader = DataLoader(rows, batch_size=batch_size, shuffle=True)
    steps = 0
    for epoch in range(epochs):
        for X_batch, y_batch in loader:
            optimizer.zero_grad()
            y_pred = model(X_batch)
            loss = loss_fn(y_pred, y_batch)
            loss.backward()
            optimizer.step()
            steps += 1
    return model, steps"""


def count(returned):
    return f"def count_steps(rows, batch_size, epochs):\n    return {returned}"


def changed(code, *pairs):
    for old, new in pairs:
        assert old in code, old
        code = code.replace(old, new)
    return code


def looped(*lines, before="", after="", start="model, optimizer = start_over(lr)"):
    """Return `train_line` with these lines in its inner loop and before and after it."""
    inner = "\n".join(f"            {line}" for line in [*lines, "steps += 1"])
    outer = [f"        {line}\n" if line else "" for line in (before, after)]
    return (
        f"def train_line(rows, lr, batch_size, epochs):\n    {start}\n"
        "    loader = DataLoader(rows, batch_size=batch_size, shuffle=True)\n    steps = 0\n"
        f"    for epoch in range(epochs):\n{outer[0]}        for X_batch, y_batch in loader:\n"
        f"{inner}\n{outer[1]}    return model, steps"
    )


def option(name, value):
    """Return `train_line` with an option of SGD set."""
    start = f"model, optimizer = start_over(lr)\n    optimizer.param_groups[0]['{name}'] = {value}"
    return looped(ZERO, LOSS, BACK, STEP, start=start)


def other(kind):
    """Return `train_line` with another optimizer."""
    start = (
        f"model = start_over(lr)[0]\n    optimizer = torch.optim.{kind}(model.parameters(), lr=lr)"
    )
    return looped(ZERO, LOSS, BACK, STEP, start=start)


ZERO, BACK, STEP = "optimizer.zero_grad()", "loss.backward()", "optimizer.step()"
LOSS = "loss = loss_fn(model(X_batch), y_batch)"
RUNNING = "running = running + loss_fn(model(X_batch), y_batch)"

RAY = """\
def ray(weight, bias, lr=0.05, size=16, epochs=10, kind=torch.optim.SGD):
    model = start_over(lr)[0]
    optimizer = kind(model.parameters(), lr=lr)
    with torch.no_grad():
        model.weight.fill_(weight)
        model.bias.fill_(bias)
    loader = DataLoader(train_set, batch_size=size, shuffle=True)
    history = train(model, optimizer, loss_fn, loader, epochs)
    return history["weight"], history["bias"]

starts = [(5, 1.5), (3, 4), (1, 4), (-1, 1.5), (1, -1), (3, -1)]
"""


def around(path):
    """Return a star whose paths, from six starts, are computed by an expression."""
    return f"{RAY}star = {{str(at): {path} for at in starts}}"


WRONG = {
    "05.1": [
        (count("rows // batch_size * epochs"), "2 rows are left"),
        (count("(rows // batch_size + 1) * epochs"), "nothing left over"),
        (count("rows / batch_size * epochs"), "part of a step"),
        (count("-(-rows // batch_size)"), "Where does `epochs` come in"),
        (count("-(-rows * epochs // batch_size)"), "Batches do not cross epochs"),
        (count("batch_size * epochs"), "nothing left over"),
        (count("int(rows / batch_size + 0.5) * epochs"), "(7, 100, 2)` returns 0"),
        (count("round(rows / batch_size) * epochs"), "2 rows are left"),
        (count("len(train_loader) * epochs"), "List the batches"),
        (count("f'{rows // batch_size * epochs} steps'"), "expected one number"),
        (count("rows * epochs"), "nothing left over"),
        (count("-(-rows // batch_size) + epochs"), "nothing left over"),
        (count("-(-rows // batch_size) ** epochs"), "List the batches"),
        (count("math.ceil(rows / batch_size) * epochs"), "NameError"),
        (count("round(rows / batch_size + 0.5) * epochs"), "to the even neighbor"),
        (count("int(rows / batch_size + 0.95) * epochs"), "however small the part is"),
    ],
    "05.2": [
        ('faults = "beacd"', "few steps, but good ones"),
        ('faults = "feabd"', "would stay"),
        ('faults = "cfabd"', "empties `.grad` each time"),
        ('faults = "caebd"', "nothing fills `.grad`"),
        ('faults = "cefbd"', "does not keep `backward`"),
        ('faults = "ceafd"', "Theirs gets on"),
        ('faults = "ceadb"', "How often did the line move"),
        ('faults = "ceabf"', "What grows with the number of rows"),
        ('faults = "ccabd"', "the same fault"),
        ('faults = "abcde"', "pushes it on"),
        ('faults = "cdabe"', "Whose reset"),
        ('faults = "cebad"', "nothing was ever put there"),
        ('faults = "ceab"', "not five letters"),
        ('faults = "ceabg"', "not five letters"),
        ("faults = 31524", "expected five letters"),
        ('faults = {1: "c", 2: "e"}', "expected five letters"),
    ],
    "05.3": [
        (
            changed(OVER, ("len(X_batch) * loss", "loss"), ("rows += len(X_batch)", "rows += 1")),
            "Every batch counts the same",
        ),
        (changed(OVER, ("total / rows", "loss")), "last batch alone"),
        (changed(OVER, ("    return total / rows", "            return loss")), "inside the loop"),
        (changed(OVER, ("total / rows", "total")), "sum over all rows"),
        (
            changed(OVER, ("len(X_batch) * loss", "loss"), ("total / rows", "total")),
            "not averaged",
        ),
        (changed(OVER, ("total / rows", "total / len(loader)")), "number of batches"),
        (changed(OVER, ("len(X_batch) * loss", "loss")), "Multiply each mean"),
        (
            changed(
                OVER,
                ("len(X_batch) * loss", "loss"),
                ("total / rows", "total / len(loader.dataset)"),
            ),
            "Multiply each mean",
        ),
        (
            changed(
                OVER,
                ("total += len(X_batch)", "total += loader.batch_size"),
            ),
            "the last one has only 2 rows",
        ),
        (
            changed(
                OVER,
                ("total += len(X_batch)", "total += loader.batch_size"),
                ("rows += len(X_batch)", "rows += loader.batch_size"),
            ),
            "Every batch counts the same",
        ),
        (
            changed(OVER, ("with torch.inference_mode()", "if True"), (".item()", "")),
            "the record for `backward`",
        ),
        (changed(OVER, (".item()", "")), "a plain number is asked for"),
        (
            changed(
                OVER,
                ("with torch.inference_mode()", "if True"),
                ("y_batch).item()\n", "y_batch)\n            loss.backward()\n"),
                ("* loss\n", "* loss.item()\n"),
            ),
            "Leave `backward` and `step`",
        ),
        (
            changed(
                OVER,
                (
                    "    total, rows",
                    "    opt = torch.optim.SGD(model.parameters(), 0.1)\n    total, rows",
                ),
                ("with torch.inference_mode()", "if True"),
                (
                    "y_batch).item()\n",
                    "y_batch)\n            loss.backward()\n            opt.step()\n",
                ),
                ("* loss\n", "* loss.item()\n"),
            ),
            "moved the weight",
        ),
        (
            changed(
                OVER, ("with torch.inference_mode()", "torch.set_grad_enabled(False)\n    if True")
            ),
            "switches gradients off",
        ),
        (changed(OVER, ("in loader", "in train_loader")), "Two loaders get the same loss"),
        (changed(OVER, ("return", "mean =")), "Is a `return` missing"),
        (
            "def loss_over(model, loader):\n    return loss_fn(model(X_train), y_train).item()",
            "Two loaders get the same loss",
        ),
        (
            changed(OVER, ("loss_fn(model(", "loss_fn(globals()['model'](")),
            "Two models get the same loss",
        ),
        (changed(OVER, ("y_batch).item()", "y_batch.squeeze(1)).item()")), "different shapes"),
        (
            changed(
                OVER,
                ("y_batch).item()", "y_batch.flatten()).item()"),
                ("len(X_batch) * loss", "loss"),
                ("rows += len(X_batch)", "rows += 1"),
            ),
            "every batch counts the same",
        ),
        (changed(OVER, ("y_batch).item()", "y_batch).item() / 2")), "half of the mean squared"),
        (changed(OVER, ("loss_fn(", "nn.L1Loss()(")), "mean absolute error"),
        (changed(OVER, ("total / rows", "(total / rows) ** 0.5")), "the RMSE"),
        (changed(OVER, (".item()", ".sqrt().item()")), "by size"),
        (
            changed(
                OVER,
                (".item()", ".sqrt().item()"),
                ("len(X_batch) * loss", "loss"),
                ("rows += len(X_batch)", "rows += 1"),
            ),
            "The roots of the batch losses are averaged. ",
        ),
        (changed(OVER, ("total / rows", "total // rows")), "drops the decimals"),
        (
            changed(
                OVER,
                (
                    "        for",
                    "        for X_batch, y_batch in [*loader][:-1]:\n"
                    "            pass\n        for",
                ),
                ("in loader:", "in [*loader][:-1]:"),
            ),
            "left out",
        ),
        (
            changed(
                OVER, ("loss_fn(model(X_batch), y_batch)", "((y_batch - model(X_batch)) ** 2)")
            ),
            "RuntimeError",
        ),
        (changed(OVER, ("total / rows", "total / 160")), "Follow the sum"),
        (changed(OVER, ("    model.eval()\n", "")), "With dropout"),
        (
            "def loss_over(model, loader):\n    return loss_on(model, loader.dataset)",
            "no attribute 'dataset'",
        ),
        (
            changed(
                OVER,
                ("in loader:", "in enumerate(loader):"),
                ("X_batch, y_batch in", "i, (X_batch, y_batch) in"),
                ("len(X_batch)", "(2 if i == 2 else 4)"),
            ),
            "in place of",
        ),
        (changed(OVER, ("model.eval()", "model.train()")), "With dropout"),
        (changed(OVER, ("with torch.inference_mode()", "if True")), "stops the recording"),
        (
            changed(
                OVER,
                ("with torch.inference_mode()", "if True"),
                ("X_batch),", "X_batch).detach(),"),
            ),
            "stops the recording",
        ),
    ],
    "05.4": [
        (looped(LOSS, BACK, STEP), "What resets them"),
        (
            looped(LOSS, BACK, STEP, start=f"model, optimizer = start_over(lr)\n    {ZERO}"),
            "What resets them",
        ),
        (
            changed(LOOP, ("start_over(lr)\n", "start_over(lr)\n    model = Line()\n")),
            "moves other parameters",
        ),
        (
            looped(
                ZERO,
                LOSS,
                BACK,
                STEP,
                start="optimizer = start_over(lr)[1]\n    torch.manual_seed(0)\n"
                "    model = nn.Linear(1, 1)",
            ),
            "moves other parameters",
        ),
        (changed(LOOP, ("            optimizer.step()\n", "")), "no optimizer takes a step"),
        (looped(ZERO, LOSS, BACK, "optimizer.step"), "no optimizer takes a step"),
        (
            changed(LOOP, ("    model, optimizer = start_over(lr)\n", "")),
            "goes on where the first ended",
        ),
        (changed(LOOP, ("start_over(lr)", "start_over(0.1)")), "made with this `lr`"),
        (
            looped(
                ZERO,
                LOSS,
                BACK,
                STEP,
                start="model = nn.Linear(1, 1)\n"
                "    optimizer = torch.optim.SGD(model.parameters(), lr=lr)",
            ),
            "another random line",
        ),
        (
            looped(
                ZERO,
                LOSS,
                BACK,
                STEP,
                start="model = Line()\n    optimizer = torch.optim.SGD(model.parameters(), lr=lr)",
            ),
            "another random line",
        ),
        (
            looped(
                ZERO,
                LOSS,
                BACK,
                STEP,
                start="optimizer = torch.optim.SGD("
                "globals()['model'].parameters(), lr=lr)\n    model = globals()['model']",
            ),
            "goes on where the first ended",
        ),
        (
            changed(
                LOOP,
                ("DataLoader(rows", "DataLoader(train_set"),
                ("return model, steps", "return model, epochs * -(-len(rows) // batch_size)"),
            ),
            "Other rows lead to the same line",
        ),
        (
            changed(
                LOOP,
                (
                    "            optimizer.step()",
                    "            if steps % 2:\n                optimizer.step()",
                ),
            ),
            "a condition leave steps out",
        ),
        # between the batches
        (looped(LOSS, BACK, ZERO, STEP), "gradients are empty"),
        (looped(LOSS, ZERO, STEP, BACK), "gradients are empty"),
        (looped(ZERO, LOSS, STEP, BACK), "gradients are empty"),
        (looped(ZERO, LOSS, STEP), "gradients are empty"),
        (looped(LOSS, STEP, ZERO, BACK), "the gradient of the batch before"),
        (looped(LOSS, STEP, BACK), "nothing resets the gradients"),
        (looped(LOSS, BACK, before=ZERO, after=STEP), "end in one step"),
        (looped(LOSS, BACK, after=f"{STEP}; {ZERO}"), "end in one step"),
        (looped(ZERO, LOSS, BACK, after=STEP), "only the last batch counts"),
        (
            looped(RUNNING, before="running = 0", after=f"{ZERO}; running.backward(); {STEP}"),
            "end in one step",
        ),
        (
            looped(
                RUNNING,
                before="running = 0",
                after=f"{ZERO}; (running / len(loader)).backward(); {STEP}",
            ),
            "not on a mean over the epoch",
        ),
        (looped(LOSS, BACK, STEP, before=ZERO), "all its gradients so far"),
        (looped(LOSS, BACK, STEP, after=ZERO), "all its gradients so far"),
        (
            looped(
                ZERO, RUNNING, "running.backward(retain_graph=True)", STEP, before="running = 0"
            ),
            "not on a running sum",
        ),
        (
            looped(
                ZERO,
                RUNNING,
                "seen += 1",
                "(running / seen).backward(retain_graph=True)",
                STEP,
                before="running, seen = 0, 0",
            ),
            "uses the mean of all its gradients",
        ),
        (looped(ZERO, RUNNING, "running.backward()", STEP, before="running = 0"), "second time"),
        (looped(ZERO, LOSS, BACK, STEP, STEP), "two steps"),
        (
            looped(ZERO, LOSS, BACK, STEP, before="model, optimizer = start_over(lr)"),
            "not inside it",
        ),
        # the scale of the loss
        (
            changed(LOOP, ("loss_fn(y_pred, y_batch)", "(y_pred - y_batch).square().sum()")),
            "not a sum",
        ),
        (looped(ZERO, f"{LOSS} * len(X_batch)", BACK, STEP), "not a sum"),
        (looped(ZERO, f"{LOSS} / len(X_batch)", BACK, STEP), "once more"),
        (looped(ZERO, f"{LOSS} / batch_size", BACK, STEP), "once more"),
        (looped(ZERO, f"{LOSS} / 2", BACK, STEP), "half of the mean squared"),
        (looped(ZERO, f"{LOSS} / len(loader)", BACK, STEP), "divide it by `len(loader)`"),
        (
            looped(ZERO, f"{LOSS} * len(X_batch) / len(rows)", BACK, STEP),
            "divided by the number of all rows",
        ),
        (
            looped(ZERO, f"{LOSS} * len(X_batch) / batch_size", BACK, STEP),
            "divided by `batch_size`",
        ),
        (looped(ZERO, f"{LOSS}.sqrt()", BACK, STEP), "the root of the MSE"),
        (looped(ZERO, f"{LOSS} * 3", BACK, STEP), "3, 3, 3 long. Is the loss or the rate"),
        (looped(ZERO, f"{LOSS}", "(-loss).backward()", STEP), "uphill"),
        (changed(LOOP, ("y_batch)", "y_batch.squeeze(1))")), "Leave both as columns"),
        (changed(LOOP, ("model(X_batch)", "model(X_batch).flatten()")), "Leave both as columns"),
        (changed(LOOP, ("loss_fn(", "nn.L1Loss()(")), "mean absolute error (L1)"),
        (changed(LOOP, ("loss_fn(", "nn.SmoothL1Loss()(")), "linear far from 0"),
        # the optimizer
        (option("momentum", 0.5), "`momentum=0.5`"),
        (option("momentum", 0.99), "`momentum=0.99`"),
        (option("weight_decay", 1e-3), "`weight_decay=0.001`"),
        (option("weight_decay", 1e-2), "`weight_decay=0.01`"),
        (
            looped("model.weight.grad = None", LOSS, BACK, STEP),
            "Does the reset leave out a parameter",
        ),
        (
            looped(ZERO, LOSS, BACK, "nn.utils.clip_grad_value_(model.parameters(), 0.01)", STEP),
            "so does `clip_grad_value_`",
        ),
        (
            looped(ZERO, LOSS, BACK, "nn.utils.clip_grad_norm_(model.parameters(), 1.0)", STEP),
            "is the gradient clipped",
        ),
        (
            looped(ZERO, f"{LOSS} + 1e-3 * model.weight.square().sum()", BACK, STEP),
            "Is something small added to the loss",
        ),
        (
            looped(
                ZERO,
                LOSS,
                BACK,
                STEP,
                after="scheduler.step()",
                start="model, optimizer = start_over(lr)\n"
                "    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10, 0.1)",
            ),
            "after 30 epochs the line is elsewhere",
        ),
        (
            looped(ZERO, LOSS, BACK, STEP, after="if epoch == 4: break"),
            "stop before the last epoch",
        ),
        (other("Adam"), "Adam and its relatives"),
        (other("AdamW"), "Adam and its relatives"),
        (other("RMSprop"), "Adam and its relatives"),
        (
            looped(
                ZERO,
                LOSS,
                BACK,
                STEP,
                start="model, optimizer = start_over(lr)\n"
                "    optimizer.param_groups[0]['momentum'] = 0.9",
            ),
            "momentum",
        ),
        (
            looped(
                ZERO,
                LOSS,
                BACK,
                STEP,
                before="scheduler.step()",
                start="model, optimizer = start_over(lr)\n"
                "    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)",
            ),
            "0.5, 0.25, 0.125 long. Does a scheduler",
        ),
        (
            looped(
                ZERO,
                LOSS,
                BACK,
                STEP,
                "scheduler.step()",
                start="model, optimizer = start_over(lr)\n"
                "    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)",
            ),
            "a scheduler",
        ),
        # rows and batches
        (changed(LOOP, ("shuffle=True", "shuffle=True, drop_last=True")), "drop_last"),
        (changed(LOOP, (", shuffle=True", "")), "same order in every epoch"),
        (
            changed(LOOP, ("shuffle=True)", "shuffle=True)\n    loader = list(loader)")),
            "same order in every epoch",
        ),
        (looped(ZERO, LOSS, BACK, STEP, before="torch.manual_seed(420)"), "same order in every"),
        (changed(LOOP, ("DataLoader(rows", "DataLoader(train_set")), "make the batches from"),
        (changed(LOOP, ("DataLoader(rows", "DataLoader(rows.dataset")), "the whole dataset"),
        (changed(LOOP, ("batch_size=batch_size", "batch_size=16")), "batches of 16"),
        (changed(LOOP, ("batch_size=batch_size, ", "")), "one for each row"),
        (changed(LOOP, ("range(epochs)", "range(1)")), "a single epoch"),
        (
            looped(
                "rand = torch.randint(len(rows), (len(X_batch),))",
                "X_batch, y_batch = rows[rand]",
                ZERO,
                LOSS,
                BACK,
                STEP,
            ).replace("rows[rand]", "rows[rand.tolist()]"),
            "hold a row twice",
        ),
        (
            looped("X_batch, y_batch = rows[:]", ZERO, LOSS, BACK, STEP),
            "no order of them",
        ),
        # what is returned
        (
            changed(LOOP, ("            steps += 1", "        steps += 1")),
            "belongs in the inner loop",
        ),
        (changed(LOOP, ("steps += 1", "steps += len(X_batch)")), "one for each row"),
        (
            changed(
                LOOP, ("return model, steps", "return model, -(-len(rows) * epochs // batch_size)")
            ),
            "Batches do not cross epochs",
        ),
        (changed(LOOP, ("return model, steps", "return model")), "the model and the steps"),
        (changed(LOOP, ("return model, steps", "return steps, model")), "model comes before"),
        (
            changed(LOOP, ("return model, steps", "return model, loss.item(), steps")),
            "the model and the steps",
        ),
        (
            changed(LOOP, ("return model, steps", "return start_over(lr)[0], steps")),
            "other parameters than",
        ),
        (
            changed(LOOP, ("range(epochs)", "range(1)"), ("steps += 1", "steps += epochs")),
            "where it was after one",
        ),
        (
            looped(
                ZERO,
                LOSS,
                BACK,
                STEP,
                start="torch.set_grad_enabled(False)\n    model, optimizer = start_over(lr)",
            ),
            "Gradients are switched off",
        ),
    ],
    "05.5": [
        (f"{RAY}star = {{n: ray(4, n) for n in range(4)}}", "Five rays"),
        (f"{RAY}star = [ray(4, n) for n in range(5)]", "expected a dictionary"),
        (f"{RAY}star = {{n: ray(4, 1.5 * n - 1) for n in range(5)}}", "have the same weight"),
        (f"{RAY}star = {{n: ray(2 * n - 2, -1.7) for n in range(5)}}", "have the same bias"),
        (f"{RAY}star = {{n: ray(4 + n, 1.5 * n - 1) for n in range(5)}}", "from one side"),
        (f"{RAY}star = {{n: ray(4, 1.5) for n in range(6)}}", "same direction"),
        (around("ray(*at, lr=0.0001)"), "before it is at the best line"),
        (around("ray(*at, lr=1.5)"), "runs away"),
        (around("ray(*at)[::-1]"), "weights come first"),
        (around("ray(2, 1.5)"), "begins where it should end"),
        (around("([at[0], 2.0], [at[1], 1.5])"), "has 2 of them"),
        (around("ray(*at)[0]"), "two columns"),
        (around("(ray(*at)[0], ray(*at)[1][1:])"), "more weights than biases"),
        (around("(ray(*at), ray(*at))"), "expected numbers"),
        (around("'from there to here'"), "two columns"),
        (around("[[*ray(*at)[k], 9.0, *ray(*at)[k]] for k in range(2)]"), "jumps"),
    ],
}

RIGHT = {  # unusual, and right
    "05.1": [
        "import math\n\ncount_steps = lambda rows, batch_size, epochs: "
        "epochs * math.ceil(rows / batch_size)",
        count("sum(len(range(0, rows, batch_size)) for _ in range(epochs))"),
        count("(rows // batch_size + (rows % batch_size > 0)) * epochs"),
        count("epochs * ((rows + batch_size - 1) // batch_size)"),
        "import numpy as np\n\n" + count("np.ceil(rows / batch_size) * epochs"),
        count("torch.ceil(torch.tensor(rows / batch_size)) * epochs"),
        "def count_steps(rows: int, batch_size: int, epochs: int) -> int:\n"
        "    return len(DataLoader(range(rows), batch_size=batch_size)) * epochs",
        "def count_steps(rows, batch_size, epochs):\n    steps = 0\n"
        "    for epoch in range(epochs):\n        left = rows\n        while left > 0:\n"
        "            left -= batch_size\n            steps += 1\n    return steps",
    ],
    "05.2": [
        'faults = "CEABD"',
        'faults = ["c", "e", "a", "b", "d"]',
        'faults = "c, e, a, b, d"',
        'faults = tuple("ceabd")',
        'faults = "c e a b d "',
    ],
    "05.3": [
        """\
def loss_over(model, loader):
    total = 0.0
    model.eval()
    with torch.no_grad():
        for X_batch, y_batch in loader:
            total += loss_fn(model(X_batch), y_batch).item() * X_batch.size(0)
    return total / sum(len(X_batch) for X_batch, _ in loader)""",
        """\
@torch.inference_mode()
def loss_over(model, loader):
    model.train(False)
    squares = torch.cat([(y_batch - model(X_batch)) ** 2 for X_batch, y_batch in loader])
    return squares.mean().item()""",
        """\
def loss_over(model: nn.Module, loader: DataLoader) -> float:
    summed = nn.MSELoss(reduction="sum")
    model.eval()
    with torch.no_grad():
        parts = [(summed(model(X), y).item(), len(y)) for X, y in loader]
    sums, sizes = zip(*parts)
    return sum(sums) / sum(sizes)""",
        """\
def loss_over(model, loader):
    model.eval()
    mean, rows = 0.0, 0
    for X_batch, y_batch in loader:
        with torch.set_grad_enabled(False):
            loss = nn.functional.mse_loss(model(X_batch), y_batch).item()
        rows += len(X_batch)
        mean += (loss - mean) * len(X_batch) / rows
    return mean""",
        """\
def loss_over(model, loader):
    X, y = map(torch.cat, zip(*loader))
    with torch.inference_mode():
        return loss_fn(model.eval()(X), y).item()""",
        """\
import numpy as np

def loss_over(model, loader):
    model.eval()
    with torch.no_grad():
        losses = [loss_fn(model(X), y).item() for X, y in loader]
    model.train()
    return np.average(losses, weights=[len(X) for X, _ in loader])""",
        """\
import copy

def loss_over(model, loader):
    frozen = copy.deepcopy(model).eval().double().requires_grad_(False)
    total = rows = 0
    for X, y in loader:
        total += float(((frozen(X.double()) - y) ** 2).sum())
        rows += y.numel()
    return total / rows""",
        """\
class Meter:
    def __call__(self, model, loader):
        model.eval()
        total = sum(self.of(model, *batch) for batch in loader)
        return total.item() / sum(len(y) for _, y in loader)

    @torch.no_grad()
    def of(self, model, X, y):
        return (model(X) - y).square().sum()

loss_over = Meter()""",
    ],
    "05.4": [
        changed(LOOP, ("return model, steps", "return [model, steps]")),
        looped(LOSS, ZERO, BACK, STEP),
        looped(LOSS, BACK, STEP, ZERO),
        looped(ZERO, LOSS, BACK, STEP, ZERO),
        looped("model.zero_grad()", "F = nn.functional", LOSS, BACK, STEP).replace(
            "loss_fn(", "F.mse_loss("
        ),
        looped(ZERO, f"({LOSS.replace('=', ':=')}).backward()", STEP, before="model.train()"),
        looped(
            *("error = model(X_batch) - y_batch", "weight_grad = 2 * (error * X_batch).mean()"),
            *("with torch.no_grad():", "    model.weight -= lr * weight_grad"),
            "    model.bias -= lr * 2 * error.mean()",
        ),
        looped(
            *(LOSS, "gradients = torch.autograd.grad(loss, [*model.parameters()])"),
            *(
                "with torch.no_grad():",
                "    for value, slope in zip(model.parameters(), gradients):",
            ),
            "        value -= lr * slope",
        ),
        looped(
            *(ZERO, "((y_batch - model(X_batch)).square().sum() / len(X_batch)).backward()", STEP),
            start="torch.manual_seed(3)\n    model = nn.Linear(1, 1)\n"
            "    optimizer = torch.optim.SGD(params=model.parameters(), lr=lr)",
        ),
        looped(
            *(ZERO, LOSS, BACK, STEP),
            start="torch.manual_seed(420)\n    model = Line()\n"
            "    optimizer = torch.optim.SGD(model.parameters(), lr=lr, foreach=False)",
        ),
        # the loader is made anew in each epoch
        looped(
            *(ZERO, LOSS, BACK, STEP),
            before="loader = DataLoader(rows, batch_size, shuffle=True)",
        ),
        # the optimizer is made anew in each epoch: SGD keeps nothing
        looped(
            *(ZERO, LOSS, BACK, STEP),
            before="optimizer = torch.optim.SGD(model.parameters(), lr)",
        ),
        # a generator of its own
        changed(
            LOOP,
            (
                "shuffle=True)",
                "shuffle=True, generator=torch.Generator().manual_seed(7))",
            ),
        ),
        """\
def train_line(rows, lr, batch_size, epochs):
    model, optimizer = start_over(lr)
    X, y = rows[:]
    steps = 0
    for epoch in range(epochs):
        for chosen in torch.randperm(len(rows)).split(batch_size):
            optimizer.zero_grad(set_to_none=False)
            loss_fn(model(X[chosen]), y[chosen]).backward()
            optimizer.step()
            steps += 1
    return model, steps""",
        """\
import random

def train_line(rows, lr, batch_size, epochs):
    model, optimizer = start_over(lr)
    order, steps = list(range(len(rows))), 0
    for epoch in range(epochs):
        random.shuffle(order)
        for first in range(0, len(order), batch_size):
            X, y = map(torch.stack, zip(*[rows[i] for i in order[first:first + batch_size]]))
            optimizer.zero_grad()
            loss_fn(model(X), y).backward()
            optimizer.step()
            steps += 1
    return model, steps""",
        """\
import itertools

def train_line(rows, lr, batch_size, epochs):
    model, optimizer = start_over(lr)
    loader = DataLoader(rows, batch_size=batch_size, shuffle=True)
    batches = itertools.chain.from_iterable(loader for _ in range(epochs))
    for steps, (X_batch, y_batch) in enumerate(batches, start=1):
        optimizer.zero_grad()
        loss_fn(model(X_batch), y_batch).backward()
        optimizer.step()
    return model, steps""",
        """\
def train_line(rows, lr, batch_size, epochs):
    model, optimizer = start_over(lr)
    loader = DataLoader(rows, batch_size=batch_size, shuffle=True)
    return model, len(train(model, optimizer, loss_fn, loader, epochs))""",
        """\
import copy

class Trainer:
    def __init__(self, lr):
        self.model, self.optimizer = start_over(lr)
        self.steps = 0

    def step(self, X, y):
        def closure():
            self.optimizer.zero_grad()
            loss = loss_fn(self.model(X), y)
            loss.backward()
            return loss

        self.optimizer.step(closure)
        self.steps += 1

def train_line(rows, lr, batch_size, epochs):
    trainer = Trainer(lr)
    for epoch in range(epochs):
        for batch in DataLoader(rows, batch_size=batch_size, shuffle=True):
            trainer.step(*batch)
    return copy.deepcopy(trainer.model), trainer.steps""",
        """\
def train_line(rows, lr: float, batch_size: int, epochs: int) -> tuple[nn.Module, int]:
    model, optimizer = start_over(lr)
    sampler = torch.utils.data.BatchSampler(
        torch.utils.data.RandomSampler(rows), batch_size, drop_last=False
    )
    loader, epoch = DataLoader(rows, batch_sampler=sampler), 0
    while epoch < epochs:
        for X, y in loader:
            for parameter in model.parameters():
                parameter.grad = None
            loss_fn(model(X), y).backward()
            optimizer.step()
        epoch += 1
    return model.eval(), epochs * len(loader)""",
    ],
    "05.5": [
        around("ray(*at)"),
        around("ray(*at, size=1)"),
        around("ray(*at, size=160, epochs=60)"),
        around("[torch.tensor(column) for column in ray(*at)]"),
        around("[column.tolist() for column in ray(*at)]"),
        f"{RAY}star = dict(zip('abcde', [ray(4, 4), ray(-1, 4), ray(-1, -1), ray(5, -1), "
        "ray(2, 9)]))",
        around("ray(*at, kind=torch.optim.Adam, epochs=60)"),
    ],
}
