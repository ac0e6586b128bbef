"""Plausible wrong answers to the exercises on devices, processes and their cost: code and hint."""

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
ROWS = """\
def rows_of(rank, processes, n, epoch):
    sampler = DistributedSampler(range(n), processes, rank, seed=420)
    sampler.set_epoch(epoch)
    return list(sampler)"""
LINES = [line + "\n" for line in TRAIN.splitlines()]
ZERO, PREDICT, LOSS, BACKWARD, STEP = LINES[6:11]
MEAN = "loss_fn(y_pred, y_batch)"
AVERAGE = "def average(gradients, sizes):\n    return {}"
PAIRS = "zip(sizes, gradients, strict=True)"
WORTH = """\
def most_worth(compute, n_bytes):
    def is_worth_it(n):
        return compute / step_time(compute, n_bytes, n) >= n / 2

    return max(n for n in (1, 2, 4, 8, 16, 32, 64) if is_worth_it(n))"""


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
    "12.2": [
        (changed(ROWS, ("    sampler.set_epoch(epoch)\n", "")), "which epoch it is"),
        (changed(ROWS, (", rank, seed", ", 0, seed")), "All ranks take the same rows"),
        (changed(ROWS, ("seed=420", "shuffle=False")), "Nothing is shuffled"),
        (changed(ROWS, (", seed=420", "")), "seed 0, the default"),
        (changed(ROWS, ("seed=420", "seed=420 + epoch")), "counts twice"),
        (changed(ROWS, ("set_epoch(epoch)", "set_epoch(epoch + 1)")), "of the next epoch"),
        (changed(ROWS, ("seed=420", "seed=42")), "generator is seeded with 420 + epoch"),
        (changed(ROWS, ("processes, rank", "rank, processes")), "raised ValueError"),
        (changed(ROWS, ("list(sampler)", "sampler")), "expected a list"),
        (changed(ROWS, ("list(sampler)", "list(torch.tensor(list(sampler)))")), "such as tensors"),
        (changed(ROWS, ("seed=420", "seed=420, drop_last=True")), "two rows come twice"),
        (
            "def rows_of(rank, processes, n, epoch):\n    return list(range(rank, n, processes))",
            "Nothing is shuffled",
        ),
        (
            "def rows_of(rank, processes, n, epoch):\n"
            "    generator = torch.Generator().manual_seed(420)\n"
            "    return torch.randperm(n, generator=generator)[rank::processes].tolist()",
            "which epoch it is",
        ),
        (
            "def rows_of(rank, processes, n, epoch):\n"
            "    generator = torch.Generator().manual_seed(420 + epoch + rank)\n"
            "    return torch.randperm(n, generator=generator)[rank::processes].tolist()",
            "each of 12 rows once",
        ),
        (
            "def rows_of(rank, processes, n, epoch):\n"
            "    generator = torch.Generator().manual_seed(420 + epoch)\n"
            "    return torch.randperm(n, generator=generator)[rank::processes].tolist()",
            "yours take [3, 3, 2, 2]",
        ),
        (
            "def rows_of(rank, processes, n, epoch):\n"
            "    generator = torch.Generator().manual_seed(420 + epoch)\n"
            "    order = torch.randperm(n, generator=generator).tolist()\n"
            "    each = -(-n // processes)\n"
            "    return (order + order)[rank * each : (rank + 1) * each]",
            "deals in turn, like cards",
        ),
        (
            "def rows_of(rank, processes, n, epoch):\n    torch.manual_seed(420 + epoch)\n"
            "    order = torch.randperm(n).tolist()\n"
            "    order += order[: -n % processes]\n    return order[rank::processes]",
            "random numbers that all other code gets from PyTorch",
        ),
        (
            "def rows_of(rank, processes, n, epoch):\n"
            "    order = np.random.default_rng(420 + epoch).permutation(n).tolist()\n"
            "    order += order[: -n % processes]\n    return order[rank::processes]",
            "it is not the one that `DistributedSampler`",
        ),
    ],
    "12.3": [
        (AVERAGE.format("sum(gradients) / len(gradients)"), "counts the same"),
        (AVERAGE.format("torch.stack(gradients).mean(0)"), "One of them has 12"),
        (AVERAGE.format("torch.stack(gradients).mean()"), "has shape ()"),
        (AVERAGE.format("sum(gradients)"), "divided by nothing"),
        (AVERAGE.format(f"sum(s * g for s, g in {PAIRS})"), "still has to be divided"),
        (AVERAGE.format(f"sum(s * g for s, g in {PAIRS}) / len(sizes)"), "not of rows"),
        (
            AVERAGE.format(f"sum(s * g for s, g in {PAIRS}) / sum(sizes) / len(sizes)"),
            "once more",
        ),
        (AVERAGE.format(f"sum(s * g for s, g in {PAIRS}) // sum(sizes)"), "rounds down"),
        (AVERAGE.format(f"(sum(s * g for s, g in {PAIRS}) / sum(sizes)).trunc()"), "cut off"),
        (
            AVERAGE.format(f"sum(s * g for s, g in {PAIRS}).int() // sum(sizes)"),
            "rounds down",
        ),
        (AVERAGE.format(f"sum(g / s for s, g in {PAIRS}) / len(sizes)"), "counts more, not less"),
        (AVERAGE.format(f"sum(g / s for s, g in {PAIRS})"), "counts more, not less"),
        (
            AVERAGE.format(f"sum(g / s for s, g in {PAIRS}) / sum(1 / s for s in sizes)"),
            "Multiply instead",
        ),
        (AVERAGE.format("sum(gradients) / sum(sizes)"), "no part is weighted"),
        (AVERAGE.format("gradients[sizes.index(max(sizes))]"), "largest part alone"),
        (
            AVERAGE.format("sum(s * g for s, g in zip(sorted(sizes), gradients)) / sum(sizes)"),
            "in another order",
        ),
        (
            AVERAGE.format(f"[s * g / sum(sizes) for s, g in {PAIRS}]"),
            "expected a tensor",
        ),
        (
            "def average(gradients, sizes):\n    for size, gradient in zip(sizes, gradients):\n"
            "        gradient *= size / sum(sizes)\n    return sum(gradients)",
            "work in place",
        ),
        (
            "def average(gradients, sizes):\n    total, rows = 0, sum(sizes)\n"
            "    for gradient in gradients:\n        total = total + sizes.pop(0) * gradient\n"
            "    return total / rows",
            "list of row numbers that was handed in has changed",
        ),
        (
            AVERAGE.format("(12 * gradients[0] + 4 * gradients[1]) / 16"),
            "the gradient of all 16 rows is",
        ),
    ],
    "12.4": [
        (changed(WORTH, (">= n / 2", ">= 2 or n == 1")), "a speed-up of 2 is enough"),
        (changed(WORTH, (">= n / 2", "> n / 2 or n == 1")), "`>=`, not `>`"),
        (changed(WORTH, (">= n / 2", "> 1 or n == 1")), "above 1 is enough"),
        (changed(WORTH, ("/ 2", "/ 4")), "a fourth of `n`"),
        (changed(WORTH, ("/ 2", "/ 3")), "your count is too large"),
        (changed(WORTH, (">=", "<=")), "Which way does the comparison point"),
        (changed(WORTH, (">= n / 2", ">= n")), "compared with half of `n`"),
        (changed(WORTH, (">= n / 2", ">= 0")), "the same for every job"),
        (changed(WORTH, ("max(n", "min(n")), "is the largest number returned"),
        (
            "def most_worth(compute, n_bytes):\n"
            "    counts = (1, 2, 4, 8, 16, 32, 64)\n"
            "    return min(counts, key=lambda n: step_time(compute, n_bytes, n))",
            "shortest step",
        ),
        (
            "def most_worth(compute, n_bytes):\n"
            "    counts = (1, 2, 4, 8, 16, 32, 64)\n"
            "    return [n for n in counts if compute / step_time(compute, n_bytes, n) >= n / 2]",
            "expected one number",
        ),
        ("def most_worth(compute, n_bytes):\n    return 8", "the same for every job"),
        (changed(WORTH, ("16, 32, 64)", "16)")), "more processes are worth it"),
        (changed(WORTH, ("(1, 2, 4, 8, 16, 32, 64)", "range(1, 65)")), "none of 1, 2, 4"),
        (changed(WORTH, ("compute / step_time(", "step_time(")), "no number that is worth it"),
        (changed(WORTH, ("(1, 2, 4,", "(2, 4,")), "is 1 among the numbers"),
    ],
}  # fmt: skip

PER_EPOCH = """\
def rows_of(rank, processes, n, epoch):
    generator = torch.Generator().manual_seed(420 + epoch)
    order = torch.randperm(n, generator=generator).tolist()
    order += order[: -n % processes]
    return order[rank::processes]"""
RIGHT = {  # unusual, and right
    "12.1": [
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
    "12.2": [
        PER_EPOCH,
        """\
def rows_of(rank, processes, n, epoch):
    sampler = DistributedSampler(TensorDataset(torch.zeros(n)), num_replicas=processes,
                                 rank=rank, shuffle=True, seed=420, drop_last=False)
    sampler.set_epoch(epoch=epoch)
    return [row for row in sampler]""",
        "rows_of = lambda rank, processes, n, epoch: list(\n"
        "    DistributedSampler(range(n), processes, rank, seed=420 + epoch))",
        """\
def rows_of(rank: int, processes: int, n: int, epoch: int) -> list[int]:
    class Rows(torch.utils.data.Dataset):
        def __len__(self):
            return n

    sampler = DistributedSampler(Rows(), processes, rank, seed=420)
    sampler.epoch = epoch
    return [*iter(sampler)]""",
    ],
    "12.3": [
        AVERAGE.format(
            "torch.tensor(sizes) / sum(sizes) @ torch.stack(gradients).squeeze(1)"
        ).replace("return ", "return (")
        + ").unsqueeze(0)",
        AVERAGE.format("np.average([g.numpy() for g in gradients], axis=0, weights=sizes)").replace(
            "return ", "return torch.from_numpy("
        )
        + ").float()",
        """\
def average(gradients, sizes):
    total = torch.zeros_like(gradients[0], dtype=torch.float64)
    for size, gradient in zip(sizes, gradients):
        total += size * gradient
    return total / sum(sizes)""",
        AVERAGE.format(f"torch.stack([g for s, g in {PAIRS} for row in range(s)]).mean(dim=0)"),
    ],
    "12.4": [
        changed(WORTH, ("compute / step_time", "compute // step_time"), ("n / 2", "n // 2")),
        """\
def most_worth(compute, n_bytes):
    n = 1
    while n < 64 and compute >= n * step_time(compute, n_bytes, 2 * n):
        n *= 2
    return n""",
        """\
def most_worth(compute: float, n_bytes: float) -> int:
    counts = np.array([1, 2, 4, 8, 16, 32, 64])
    seconds = np.array([step_time(compute, n_bytes, int(n)) for n in counts])
    return counts[compute / seconds >= counts / 2].max()""",
        "most_worth = lambda compute, n_bytes: [\n"
        "    n for n in (1, 2, 4, 8, 16, 32, 64)\n"
        "    if 1 - compute / n / step_time(compute, n_bytes, n) <= 0.5][-1]",
        """\
def most_worth(compute, n_bytes):
    best = 1
    for n in [2**power for power in range(7)]:
        speed_up = step_time(compute, n_bytes, 1) / step_time(compute, n_bytes, n)
        if speed_up / n >= 0.5:
            best = n
    return torch.tensor(best)""",
    ],
}
