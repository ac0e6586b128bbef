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


WRONG = {
    "10.1": [
        (changed(TRAIN, (MOVE, "")), "On the CPU it works"),
        (
            changed(
                TRAIN, (MOVE, "            X_batch.to(device)\n            y_batch.to(device)\n")
            ),
            "not on the expected device",
        ),
        (changed(TRAIN, (", y_batch.to(device)", ", y_batch")), "On the CPU it works"),
        (changed(TRAIN, (".Linear(1, 1).to(device)", ".Linear(1, 1)")), "On the CPU it works"),
        (
            changed(TRAIN, (".Linear(1, 1).to(device)", ".Linear(1, 1)"), (MOVE, "")),
            "where it always does",
        ),
        (
            changed(TRAIN, ("optimizer.step()", "optimizer.step()\n            loss.item()")),
            "number",
        ),
        (changed(TRAIN, ("            optimizer.zero_grad()\n", "")), "all five lines"),
        (changed(TRAIN, ("            optimizer.step()\n", "")), "all five lines"),
        (changed(TRAIN, ("loss.backward()", "loss_fn.backward()")), "raised AttributeError"),
        (changed(TRAIN, ("    return model", "")), "Is a `return` missing"),
        (changed(TRAIN, ("    return model", "    return loss")), "expected the model"),
    ],
    "10.2": [
        (changed(ROWS, ("    sampler.set_epoch(epoch)\n", "")), "which epoch it is"),
        (changed(ROWS, (", rank, seed", ", 0, seed")), "All ranks take the same rows"),
        (changed(ROWS, ("seed=420", "shuffle=False")), "Nothing is shuffled"),
        (changed(ROWS, (", seed=420", "")), "seed 420"),
        (changed(ROWS, ("seed=420", "seed=420 + epoch")), "for that epoch"),
        (changed(ROWS, ("list(sampler)", "sampler")), "expected a list"),
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
            "two rows come twice",
        ),
    ],
    "10.3": [
        (AVERAGE.format("sum(gradients) / len(gradients)"), "counts the same"),
        (AVERAGE.format("torch.stack(gradients).mean(0)"), "counts the same"),
        (AVERAGE.format("torch.stack(gradients).mean()"), "has shape ()"),
        (AVERAGE.format("sum(gradients)"), "divided by nothing"),
        (AVERAGE.format(f"sum(s * g for s, g in {PAIRS})"), "still has to be divided"),
        (AVERAGE.format(f"sum(s * g for s, g in {PAIRS}) / len(sizes)"), "not of rows"),
        (AVERAGE.format(f"sum(g / s for s, g in {PAIRS}) / len(sizes)"), "not the gradient"),
        (AVERAGE.format("sum(gradients) / sum(sizes)"), "no part is weighted"),
        (
            AVERAGE.format(f"[s * g / sum(sizes) for s, g in {PAIRS}]"),
            "expected a tensor",
        ),
        (
            "def average(gradients, sizes):\n    for size, gradient in zip(sizes, gradients):\n"
            "        gradient *= size / sum(sizes)\n    return sum(gradients)",
            "work in place",
        ),
        (AVERAGE.format("(12 * gradients[0] + 4 * gradients[1]) / 16"), "not the gradient of all"),
    ],
    "10.4": [
        (changed(WORTH, (">= n / 2", ">= 2 or n == 1")), "a speed-up of 2 is enough"),
        (changed(WORTH, ("/ 2", "/ 4")), "too large"),
        (changed(WORTH, (">=", "<=")), "raised ValueError"),
        (changed(WORTH, (">= n / 2", ">= n")), "seem worth it"),
        (changed(WORTH, (">= n / 2", ">= 0")), "the same for every job"),
        (changed(WORTH, ("max(n", "min(n")), "seem worth it"),
        (
            "def most_worth(compute, n_bytes):\n"
            "    counts = (1, 2, 4, 8, 16, 32, 64)\n"
            "    return min(counts, key=lambda n: step_time(compute, n_bytes, n))",
            "shortest step",
        ),
        ("def most_worth(compute, n_bytes):\n    return 8", "the same for every job"),
        (changed(WORTH, ("16, 32, 64)", "16)")), "more processes are worth it"),
        (changed(WORTH, ("(1, 2, 4, 8, 16, 32, 64)", "range(1, 65)")), "none of 1, 2, 4"),
        (changed(WORTH, ("compute / step_time(", "step_time(")), "raised ValueError"),
        (changed(WORTH, ("(1, 2, 4,", "(2, 4,")), "raised ValueError"),
    ],
}

RIGHT = {  # unusual, and right
    "10.1": [],
    "10.2": [],
    "10.3": [],
    "10.4": [],
}
