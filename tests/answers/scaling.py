"""Plausible wrong answers on slow steps, devices, wrappers and processes: code and hint."""

TRAIN = """\
def train_on(device, loader, epochs):
    model = nn.Linear(1, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(epochs):
        for X_batch, y_batch in loader:
            X_batch, y_batch = X_batch.to(device), y_batch.to(device)
            optimizer.zero_grad()
            y_pred = model(X_batch)
            loss = loss_fn(y_pred, y_batch)
            loss.backward()
            optimizer.step()
    return model"""
MOVE = "            X_batch, y_batch = X_batch.to(device), y_batch.to(device)\n"
LINES = [line + "\n" for line in TRAIN.splitlines()]
ZERO, PREDICT, LOSS, BACKWARD, STEP = LINES[6:11]
MEAN = "loss_fn(y_pred, y_batch)"
UNWRAP = """\
def unwrapped(state):
    own = {}
    for name, value in state.items():
        own[name.removeprefix("module.")] = value
    return own"""


def changed(code, *pairs):
    for old, new in pairs:
        assert old in code, old
        code = code.replace(old, new)
    return code


def with_loop(*lines, before="", at_epoch="", after_epoch=""):
    """Return the training function with other lines in its inner loop, and around it."""
    head = [*LINES[:3], line_of(before, 4), LINES[3], line_of(at_epoch, 8), *LINES[4:6]]
    return "".join([*head, *lines, line_of(after_epoch, 8), LINES[11]])


def line_of(words, indent):
    return f"{' ' * indent}{words}\n" if words else ""


FLAT = PREDICT.replace("model(X_batch)", "model(X_batch).squeeze(1)")

WRONG = {
    "12.1": [
        (f'remedies = "{letters}"', words)
        for letters, words in [
            ("abdac", "waits for no row"), ("bbdac", "more work"), ("cbdac", "faster in bfloat16"),
            ("dbdac", "is a chain of operations"), ("eadac", "the rows are there"),
            ("ecdac", "Is it work that the second"), ("eedac", "800 rows take as long as 8"),
            ("edbac", "over a hundred times the rows"), ("ebbac", "Why ten walks"),
            ("ebaac", "happens to them ten times"),
            ("ebcac", "products of matrices"), ("ebeac", "ten times too"),
            ("ebdbc", "needs more of them"), ("ebdcc", "all the same"), ("ebddc", "It waits"),
            ("ebdec", "Who cuts"), ("ebdaa", "nothing of waiting"), ("ebdab", "more products"),
            ("ebdad", "one operation already"), ("ebdae", "one card"),
            ("ebda", "is not five letters"), ("ebdaf", "from a to e"),
        ]
    ] + [("remedies = 5", "expected five letters")],
    "12.2": [
        (changed(TRAIN, (MOVE, "")), "On the CPU it works"),
        (
            changed(
                TRAIN, (MOVE, "            X_batch.to(device)\n            y_batch.to(device)\n")
            ),
            "Move both",
        ),
        (changed(TRAIN, (", y_batch.to(device)", ", y_batch")), "On the CPU it works"),
        (changed(TRAIN, (".Linear(1, 1).to(device)", ".Linear(1, 1)")), "Move both"),
        (
            changed(TRAIN, (".Linear(1, 1).to(device)", ".Linear(1, 1)"), (MOVE, "")),
            "where it always does",
        ),
        (
            changed(TRAIN, (".Linear(1, 1).to(device)", ".Linear(1, 1)"),
                    ("    for epoch", "    model.to(device)\n    for epoch")),
            "still holds the parameters from before",
        ),
        (
            changed(TRAIN, (".Linear(1, 1).to(device)", ".Linear(1, 1)"), (MOVE, ""),
                    ("return model", "return model.to(device)")),
            "It trains on the CPU and moves afterwards",
        ),
        (
            changed(TRAIN, ("optimizer.step()", "optimizer.step()\n            loss.item()")),
            "has a shape and no numbers",
        ),
        (changed(TRAIN, ("    return model", "    return model.cpu()")), "has a shape and no"),
        (with_loop(PREDICT, LOSS, BACKWARD, STEP), "sum of all gradients so far"),
        (with_loop(ZERO, PREDICT, LOSS, BACKWARD), "no optimizer takes a step"),
        (
            with_loop(PREDICT, LOSS, BACKWARD, STEP, before="optimizer.zero_grad()"),
            "sum of all gradients so far. What resets them",
        ),
        (
            with_loop(PREDICT, LOSS, BACKWARD, STEP, at_epoch="optimizer.zero_grad()"),
            "Within an epoch each step uses the sum",
        ),
        (
            with_loop(
                ZERO, PREDICT, LOSS, line_of("total = total + loss", 12),
                line_of("total.backward(retain_graph=True)", 12), STEP, at_epoch="total = 0",
            ),
            "not on a running sum",
        ),
        (
            with_loop(PREDICT, LOSS, BACKWARD, at_epoch="optimizer.zero_grad()",
                      after_epoch="optimizer.step()"),
            "All batches of an epoch end in one step",
        ),
        (
            with_loop(ZERO, PREDICT, LOSS, BACKWARD, after_epoch="optimizer.step()"),
            "only the last batch counts",
        ),
        (with_loop(PREDICT, LOSS, BACKWARD, ZERO, STEP), "the gradients are empty"),
        (with_loop(PREDICT, LOSS, STEP, ZERO, BACKWARD), "`step` stands before `backward`"),
        (with_loop(STEP, ZERO, PREDICT, LOSS, BACKWARD), "at the top of the loop"),
        (with_loop(ZERO, PREDICT, LOSS, BACKWARD, STEP, STEP), "two steps in place of one"),
        (with_loop(ZERO, FLAT, LOSS, BACKWARD, STEP), "different shapes, (N,) and (N, 1)"),
        (changed(TRAIN, ("SGD(", "Adam(")), "this is Adam"),
        (changed(TRAIN, ("lr=0.1", "lr=0.1, momentum=0.9")), "momentum=0.9"),
        (changed(TRAIN, ("lr=0.1", "lr=0.01")), "learning rate is 0.01"),
        (
            changed(TRAIN, ("model.parameters()", "nn.Linear(1, 1).parameters()")),
            "other parameters",
        ),
        (changed(TRAIN, (MEAN, f"{MEAN} / 2")), "half of the"),
        (
            changed(TRAIN, (MEAN, "(y_pred - y_batch).square().sum()")),
            "follow the sum",
        ),
        (
            changed(
                TRAIN, (MEAN, "(y_pred - y_batch).square().sum() / 2")
            ),
            "also for the last batch",
        ),
        (
            changed(TRAIN, (MEAN, "nn.L1Loss()(y_pred, y_batch)")),
            "mean absolute error",
        ),
        (
            changed(TRAIN, (MEAN, f"{MEAN} ** 0.5")),
            "root of the MSE",
        ),
        (
            changed(TRAIN, (MEAN, f"{MEAN} / len(loader)")),
            "do not divide it by `len(loader)`",
        ),
        (
            changed(TRAIN, (MOVE, "            if len(X_batch) < 2:\n"
                                  "                continue\n" + MOVE)),
            "The last, smaller batch",
        ),
        (changed(TRAIN, ("range(epochs)", "range(1, epochs)")), "the whole loader 1 times"),
        (changed(TRAIN, ("range(epochs)", "range(epochs + 1)")), "the whole loader 3 times"),
        (changed(TRAIN, ("step()", "step()\n            break")), "for a `break` or a `return`"),
        (changed(TRAIN, ("    return model", "            return model")), "0 times"),
        (
            changed(TRAIN, ("    for epoch in", "    scheduler = torch.optim.lr_scheduler.StepLR("
                            "optimizer, 1, 0.5)\n    for epoch in"),
                    ("optimizer.step()", "optimizer.step()\n            scheduler.step()")),
            "learning rate changes",
        ),
        (changed(TRAIN, ("Linear(1, 1)", "Linear(1, 1, dtype=torch.float64)"),
                 ("X_batch.to(device), y_batch.to(device)",
                  "X_batch.double().to(device), y_batch.double().to(device)")),
         "different types of numbers"),
        (changed(TRAIN, ("loss.backward()", "loss_fn.backward()")), "is the function"),
        (changed(TRAIN, ("    return model", "")), "Is a `return` missing"),
        (changed(TRAIN, ("    return model", "    return loss")), "expected the model"),
        (
            changed(TRAIN, ("    return", "    torch.set_grad_enabled(False)\n    return")),
            "switches gradients off",
        ),
    ],
    "12.3": [
        (changed(UNWRAP, ('removeprefix("module.")', 'replace("module.", "")')), "cuts wherever"),
        (changed(UNWRAP, ("removeprefix", "lstrip")), "takes away single letters"),
        (changed(UNWRAP, ('removeprefix("module.")', 'split(".")[-1]')), "The last part of a name"),
        (changed(UNWRAP, ('"module."', '"module"')), "The dot belongs to the prefix"),
        (changed(UNWRAP, ('name.removeprefix("module.")', "name")), "still begin with `module.`"),
        (changed(UNWRAP, ("removeprefix", "removesuffix")), "still begin with `module.`"),
        (
            changed(UNWRAP, ("        own[", "        while name.startswith('module.'):\n"
                             "            name = name[7:]\n        own[")),
            "cut more than once",
        ),
        (changed(UNWRAP, ('name.removeprefix("module.")', "name[7:]")), "have to stay"),
        (
            changed(UNWRAP, ('name.removeprefix("module.")', 'name.split(".", 1)[1]')),
            "have to stay",
        ),
        (
            changed(UNWRAP, ("    for", "    state = {n: v for n, v in state.items() if "
                             "'module.module' not in n}\n    for")),
            "a tensor got lost",
        ),
        (
            "def unwrapped(state):\n    for name in list(state):\n"
            "        state[name.removeprefix('module.')] = state.pop(name)\n    return state",
            "The friend's dict has changed",
        ),
        (changed(UNWRAP, ("] = value", "] = value.sum()")), "holds something else"),
        (changed(UNWRAP, ("    return own", "    return list(own)")), "expected a dict"),
        (changed(UNWRAP, ("    return own", "")), "Is a `return` missing"),
        ("def unwrapped(state):\n    return state['module']", "raised KeyError"),
        (changed(UNWRAP, ('removeprefix("module.")', 'removeprefix("module.").upper()')),
         "and yours become"),
    ],
    "12.4": [
        ('change = ("overhead", 0.5)', "with no overhead at all"),
        ('change = ("latency", 0.1)', "with no latency at all"),
        ('change = ("bandwidth", 2)', "and 32 are wanted"),
        ('change = ("bandwidth", 0.28)', "That is the wrong way"),
        ('change = ("n_bytes", 3.6)', "That is the wrong way"),
        ('change = ("n_bytes", 0.5)', "and 32 are wanted"),
        ('change = ("work", 0.3)', "That is the wrong way"),
        ('change = ("work", 10)', "It may cost less"),
        ('change = ("bandwidth", 10)', "It may cost less"),
        ('change = ("n_bytes", 0.1)', "It may cost less"),
        ('change = ("bytes", 0.28)', "is none of overhead"),
        ('change = ("n_bytes", 0)', "nothing here is free"),
        ('change = ("bandwidth", -4)', "nothing here is free"),
        ('change = ("bandwidth", "4")', "expected one number"),
        ('change = "bandwidth", 3.5, "work"', "expected a name and a factor"),
        ("change = 3.5", "expected a name and a factor"),
        ('change = ("bandwidth", 4.5e9)', "It may cost less"),
    ],
}  # fmt: skip

RIGHT = {  # unusual, and right
    "12.1": [
        'remedies = "EBDAC"',
        'remedies = "e, b, d, a, c"',
        'remedies = ["e", "b", "d", "a", "c"]',
        'remedies = ("E", "b", "D", "a", "c")',
    ],
    "12.2": [
        """\
def train_on(device, loader, epochs):
    model = nn.Linear(1, 1, device=device)
    for _ in range(epochs):
        for X_batch, y_batch in loader:
            loss = nn.functional.mse_loss(model(X_batch.to(device)), y_batch.to(device))
            gradients = torch.autograd.grad(loss, [*model.parameters()])
            with torch.no_grad():
                for parameter, gradient in zip(model.parameters(), gradients):
                    parameter -= 0.1 * gradient
    return model""",
        """\
def train_on(device: torch.device, loader: DataLoader, epochs: int) -> nn.Module:
    class Line(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(1, 1)
            nn.init.zeros_(self.linear.weight)

        def forward(self, X):
            return self.linear(X)

    model = Line().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-1)
    model.zero_grad()
    for epoch in range(epochs):
        model.train()
        for batch in loader:
            X_batch, y_batch = (part.to(device) for part in batch)
            (model(X_batch) - y_batch).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
    return model.eval()""",
        """\
def train_on(device, loader, epochs):
    model, epoch = nn.Linear(1, 1).to(device), 0
    print(len(loader.dataset), "rows in batches of", loader.batch_size, len(loader))
    X_first, _ = next(iter(loader))
    print(X_first.shape, X_first.device)
    optimizer = torch.optim.SGD(params=list(model.parameters()), lr=0.1)
    while (epoch := epoch + 1) <= epochs:
        for step, (X_batch, y_batch) in enumerate(loader):
            def closure():
                optimizer.zero_grad(set_to_none=False)
                loss = loss_fn(model(X_batch.to(device)), y_batch.to(device))
                loss.backward()
                return loss
            last = optimizer.step(closure)
    print(f"{epochs} epochs, last loss on {last.device}")
    return model""",
        changed(TRAIN, (MEAN, "((y_pred - y_batch) ** 2).sum() / len(X_batch)")),
    ],
    "12.3": [
        """\
def unwrapped(state):
    return {name.removeprefix("module."): value for name, value in state.items()}""",
        """\
def unwrapped(state):
    own = dict(state)
    nn.modules.utils.consume_prefix_in_state_dict_if_present(own, "module.")
    return own""",
        """\
def unwrapped(state):
    import re
    pairs = [(re.sub(r"^module\\.", "", name), state[name]) for name in state]
    return type(state)(pairs)""",
        """\
def unwrapped(state):
    return {name.removeprefix("module."): state[name] for name in sorted(state)}""",
        """\
def unwrapped(state):
    start = "module."
    own = {}
    for name in state:
        short = name[len(start):] if name.startswith(start) else name
        own[short] = state[name].clone()
    return own""",
    ],
    "12.4": [
        'change = ("n_bytes", 0.28)',
        'change = ["work", 3.3]',
        """\
factors = np.linspace(1, 10, 901)
def speed(factor):
    job = network | {"bandwidth": factor * network["bandwidth"]}
    return step_time(1, **job) / step_time(64, **job)
change = "bandwidth", min(factor for factor in factors if speed(factor) >= 32)""",
        'change = ("n_bytes", torch.tensor(1 / 4))',
    ],
}
