"""Plausible wrong answers to the exercises on the training loop: code and hint."""

LIMIT = """\
X_flipper, y_mass = datasets.load_penguins()
columns = torch.cat([X_flipper, torch.ones_like(X_flipper)], dim=1)
hessian = 2 * columns.T @ columns / len(X_flipper)
limit = 2 / torch.linalg.eigvalsh(hessian)[-1].item()"""

OVER = """\
def loss_over(model, loader):
    total, rows = 0.0, 0
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


WRONG = {
    "05.1": [
        (count("rows // batch_size * epochs"), "2 rows are left"),
        (count("(rows // batch_size + 1) * epochs"), "no rest"),
        (count("rows / batch_size * epochs"), "part of a step"),
        (count("-(-rows // batch_size)"), "Where does `epochs` come in"),
        (count("-(-rows * epochs // batch_size)"), "Batches do not cross epochs"),
        (count("batch_size * epochs"), "no rest"),
        (count("round(rows / batch_size) * epochs"), "2 rows are left"),
        (count("len(train_loader) * epochs"), "List the batches"),
        (count("f'{rows // batch_size * epochs} steps'"), "expected one number"),
    ],
    "05.2": [
        (changed(LIMIT, ("2 * columns.T", "columns.T")), "twice too large"),
        (changed(LIMIT, ("limit = 2 /", "limit = 1 /")), "two over the curvature, not one"),
        (changed(LIMIT, (" / len(X_flipper)", "")), "divided by the number of rows"),
        (changed(LIMIT, ("[-1]", "[0]")), "smallest eigenvalue"),
        (changed(LIMIT, ("limit = 2 / ", "limit = ")), "the curvature itself"),
        ("limit = descent.stable_lr(X)", "in mm"),
        (
            "X_flipper, y_mass = datasets.load_penguins()\n"
            "limit = descent.stable_lr((X_flipper - X_flipper.mean()) / X_flipper.std())",
            "in mm",
        ),
        (changed(LIMIT, (".eigvalsh(hessian)[-1].item()", ".eigvalsh(hessian)")), "has shape (2,)"),
        ("limit = 0.0001", "not two over the largest eigenvalue"),
    ],
    "05.3": [
        (
            changed(OVER, ("len(X_batch) * loss", "loss"), ("rows += len(X_batch)", "rows += 1")),
            "Every batch counts the same",
        ),
        (changed(OVER, ("total / rows", "loss")), "last batch alone"),
        (changed(OVER, ("total / rows", "total")), "sum over all rows"),
        (
            changed(OVER, ("len(X_batch) * loss", "loss"), ("total / rows", "total")),
            "not averaged",
        ),
        (changed(OVER, ("total / rows", "total / len(loader)")), "number of batches"),
        (
            changed(OVER, ("with torch.inference_mode()", "if True"), (".item()", "")),
            "the record for `backward`",
        ),
        (
            changed(
                OVER,
                ("with torch.inference_mode()", "if True"),
                ("y_batch).item()\n", "y_batch)\n            loss.backward()\n"),
                ("* loss\n", "* loss.item()\n"),
            ),
            "Leave `backward` and `step`",
        ),
        (changed(OVER, ("in loader", "in train_loader")), "On ten fresh rows"),
        (changed(OVER, ("return", "mean =")), "Is a `return` missing"),
        (
            "def loss_over(model, loader):\n    return loss_fn(model(X_train), y_train).item()",
            "On ten fresh rows",
        ),
    ],
    "05.4": [
        (changed(LOOP, ("            optimizer.zero_grad()\n", "")), "What resets them"),
        (
            changed(LOOP, ("start_over(lr)\n", "start_over(lr)\n    model = Line()\n")),
            "hold the parameters of the model",
        ),
        (changed(LOOP, ("            optimizer.step()\n", "")), "Is there a `step`"),
        (changed(LOOP, ("    model, optimizer = start_over(lr)\n", "")), "With lr 0"),
        (changed(LOOP, ("start_over(lr)", "start_over(0.1)")), "With lr 0"),
        (changed(LOOP, ("shuffle=True", "shuffle=True, drop_last=True")), "drop_last"),
        (changed(LOOP, (", shuffle=True", "")), "same order every epoch"),
        (changed(LOOP, ("            steps += 1", "        steps += 1")), "the updates in all"),
        (
            changed(LOOP, ("loss_fn(y_pred, y_batch)", "(y_pred - y_batch).square().sum()")),
            "a mean is wanted",
        ),
        (changed(LOOP, ("y_batch)", "y_batch.squeeze(1))")), "as columns"),
        (changed(LOOP, ("DataLoader(rows", "DataLoader(train_set")), "make the batches from"),
        (changed(LOOP, ("return model, steps", "return model")), "the model and the steps"),
        (changed(LOOP, ("loss_fn(", "nn.L1Loss()(")), "Compare your five lines"),
        (
            changed(LOOP, ("start_over(lr)", "start_over(lr, torch.optim.Adam)")),
            "Compare your five lines",
        ),
        (
            changed(LOOP, ("range(epochs)", "range(1)"), ("steps += 1", "steps += epochs")),
            "second epoch changes nothing",
        ),
    ],
}

RIGHT = {  # unusual, and right
    "05.1": [],
    "05.2": [],
    "05.3": [],
    "05.4": [],
}
