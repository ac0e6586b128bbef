"""Plausible wrong answers to the exercises on settings: code and hint."""

BILLS = 'X_bill, y_mass = datasets.load_penguins("bill_length_mm")\n'

CLIFF = """\
my_feature = 2 * scaled
my_losses = []
for percent in range(92, 109):
    model, optimizer = start_over(lr=0.25 * percent / 100)
    history = train(model, optimizer, loss_fn, [(my_feature, mass)], epochs=200)
    my_losses.append(history["loss"][-1])"""


SINGLE = """\
loader = DataLoader(birds, batch_size=1, shuffle=True)
model, optimizer = start_over(lr=0.01)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.1)
my_weights = []
for epoch in range(9):
    history = train(model, optimizer, loss_fn, loader, epochs=1)
    my_weights.extend(history["weight"])
    schedule.step()"""


def border(millimeters, meters="1.0"):
    return f"{BILLS}my_borders = {millimeters}, {meters}"


def changed(old, new, code=CLIFF):
    assert old in code, old
    return code.replace(old, new)


WRONG = {
    "06.1": [
        ('movers = "ab"', "where does the curvature hold a target"),
        ('movers = "ace"', "so does the number of rows"),
        ('movers = "ade"', "another place in the same bowl"),
        ('movers = "aef"', "do to its square"),
        ('movers = "a"', "which other change"),
        ('movers = "e"', "which other change"),
        ('movers = "abcdef"', "Not b"),
        ('movers = ""', "not a choice"),
        ('movers = "aeg"', "not a choice"),
        ("movers = 15", "expected letters"),
        ('movers = {"a": True, "e": True}', "expected letters"),
    ],
    "06.2": [
        (border("2 / X_bill.square().mean().item()"), "twice too large"),
        (border("0.5 / X_bill.square().mean().item()"), "two over the curvature, not one"),
        (border("1 / X_bill.square().sum().item()"), "divided by the number of rows"),
        (border("2 * X_bill.square().mean().item()"), "the curvature itself"),
        (border("X_bill.square().mean().item()"), "half of the curvature"),
        (border("1 / y_mass.square().mean().item()"), "belongs to the masses"),
        (border("1 / flipper.square().mean().item()"), "belongs to the flippers"),
        (border("1 / X_bill.mean().item() ** 2"), "the square of the mean"),
        (border("1 / X_bill.mean().item()"), "Yours holds the features"),
        (border("1 / (X_bill - X_bill.mean()).square().mean().item()"), "mean subtracted"),
        (border("1.0"), "How long is a bill"),
        (border("0.0005"), "close. By trying, or rounded?"),
        (border("0.1"), "the border is not 0.1"),
        (border("1 / X_bill.square()"), "has shape (342, 1)"),
        (border("X_bill.square().mean"), "are parentheses missing"),
        (border("1 / X_bill.square().mean()", "1e6 / X_bill.square().mean()"), "the weight alone"),
        (border("1 / X_bill.square().mean()", "1e3 / X_bill.square().mean()"), "their squares"),
        (border("1 / X_bill.square().mean()", "1 / X_bill.square().mean()"), "another ruler"),
        (border("1 / X_bill.square().mean()", "1e-3 / X_bill.square().mean()"), "raise the border"),
        (border("1 / X_bill.square().mean()", "2.0"), "the two curvatures then"),
        (border("1.0", "1 / X_bill.square().mean()"), "Millimeters come first"),
        (f"{BILLS}my_borders = 1 / X_bill.square().mean().item()", "expected two rates"),
    ],
    "06.3": [
        (changed("    schedule.step()", "", SINGLE), "Steps on single birds do not shrink"),
        (changed("step_size=3", "step_size=1", changed("0.01", "0.001", SINGLE)), "came to rest"),
        (changed("step_size=3, gamma=0.1", "step_size=3, gamma=0.5", SINGLE), "still moved over"),
        (changed("range(9)", "range(12)", SINGLE), "12 epochs"),
        (changed("batch_size=1", "batch_size=342", SINGLE), "One bird at a time makes 342"),
        (changed("loader, epochs=1", "[(scaled, mass)], epochs=342", SINGLE), "does not stagger"),
        (changed("lr=0.01", "lr=3.0", SINGLE), "It exploded"),
        (
            f"birds = TensorDataset(scaled, mass / 1000)\n{SINGLE}",
            "These are kilograms",
        ),
        (changed('extend(history["weight"])', "append(history)", SINGLE), "not a number"),
        (changed("extend", "append", SINGLE), "puts a whole epoch in as one thing"),
        (
            changed('extend(history["weight"])', "append(torch.zeros(342))", SINGLE),
            "puts a whole epoch in as one thing",
        ),
        (changed('history["weight"]', 'history["bias"]', SINGLE), "came to rest at 4"),
        (f'{SINGLE}\nmy_weights = history["weight"]', "of all epochs"),
        (changed("lr=0.01", "lr=0.0012", SINGLE), "came to rest"),
        ("my_weights = 697.64", "expected a list of numbers"),
        ("my_weights = []", "holds 0 values"),
    ],
    "06.4": [
        (changed("2 * scaled", "scaled"), "so it is too high"),
        (changed("2 * scaled", "3 * scaled"), "smaller on average"),
        (changed("2 * scaled", "0.9 * scaled"), "so it is too high"),
        (changed("2 * scaled", "2**0.5 * scaled"), "larger on average"),
        (changed("2 * scaled", "(flipper - 200) / 10"), "larger on average"),
        (changed("2 * scaled", "flipper"), "Subtract its mean"),
        (
            changed("2 * scaled", "flipper * (4 / flipper.square().mean()) ** 0.5"),
            "together are steeper",
        ),
        (changed("2 * scaled", "torch.full((342, 1), 1.0)"), "the same feature"),
        (f"{CLIFF}\nmy_feature = my_feature.squeeze(1)", "expected (342, 1)"),
        (changed("(my_feature, mass)", "(scaled, mass)"), "No cliff stands at 0.25"),
        (changed("range(92, 109)", "range(92, 108)"), "holds 16 values"),
        (changed("range(92, 109)", "range(108, 91, -1)"), "The rates ascend"),
        (changed('history["loss"][-1]', "history"), "not a number"),
        (changed("epochs=200", "epochs=1"), "No cliff stands at 0.25"),
        (f"{CLIFF}\nmy_losses = my_losses[-1]", "expected a list of numbers"),
    ],
}

RIGHT = {  # unusual, and right
    "06.1": [
        'movers = "EA"',
        'movers = ["a", "e"]',
        'movers = "a, e"',
        'movers = "a and e"',
        'movers = {"e", "a"}',
    ],
    "06.2": [
        border("1 / (X_bill**2).mean()", "0.998"),
        border("len(X_bill) / (X_bill.T @ X_bill)", "1"),
        border("round(1 / X_bill.square().mean().item(), 6)"),
        f"{BILLS}my_borders = [0.00051, 1.0]",
        f"import numpy as np\n\n{BILLS}my_borders = np.array([0.00051, 1.0])",
        f"{BILLS}def largest(X):\n"
        "    columns = torch.cat([X, torch.ones_like(X)], dim=1)\n"
        "    return torch.linalg.eigvalsh(2 * columns.T @ columns / len(columns))[-1]\n\n"
        "my_borders = torch.stack([2 / largest(X_bill), 2 / largest(X_bill / 1000)])",
        f"{BILLS}squares = [x * x for x in X_bill.flatten().tolist()]\n"
        "mean = sum(squares) / 342\n"
        "my_borders = tuple(min(1.0, 1 / c) for c in (mean, mean / 1000**2))",
    ],
    "06.3": [
        changed("lr=0.01", "lr=0.1", changed("step_size=3", "step_size=2", SINGLE)),
        changed("range(9)", "range(7)", changed("step_size=3, gamma=0.1", "1, gamma=0.4", SINGLE)),
        changed(
            "StepLR(optimizer, step_size=3, gamma=0.1)", "CosineAnnealingLR(optimizer, 9)", SINGLE
        ),
        "model, optimizer = start_over(lr=0.01)\n"
        "my_weights = torch.zeros(0)\n"
        "for lr in [0.01, 0.001, 0.0001]:\n"
        "    optimizer.param_groups[0]['lr'] = lr\n"
        "    loader = DataLoader(birds, shuffle=True)\n"
        "    path = torch.tensor(train(model, optimizer, loss_fn, loader, epochs=2)['weight'])\n"
        "    my_weights = torch.cat([my_weights, path])",
    ],
    "06.4": [
        changed("2 * scaled", "2 * scaled + 0.01"),
        changed("2 * scaled", "-2 * scaled"),
        changed("2 * scaled", "(flipper - 200) / 7.05"),
        changed("2 * scaled", "3**0.5 * flipper / flipper.mean()"),
        changed("(my_feature, mass)", "(my_feature, mass / 1000)"),
        f"{CLIFF}\nmy_losses = torch.tensor(my_losses)",
        changed("2 * scaled", "2 * (mass - mass.mean()) / mass.std()"),
        CLIFF.replace("epochs=200", "epochs=2000"),
    ],
}
