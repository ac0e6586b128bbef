"""Plausible wrong answers to the exercises on settings: code and hint."""

BILLS = 'X_bill, y_mass = datasets.load_penguins("bill_length_mm")\n'

CLIFF = """\
my_feature = 2 * scaled
my_losses = []
for percent in range(92, 109):
    model, optimizer = start_over(lr=0.25 * percent / 100)
    history = train(model, optimizer, loss_fn, [(my_feature, mass)], epochs=200)
    my_losses.append(history["loss"][-1])"""


def border(millimeters, meters="1.0"):
    return f"{BILLS}my_borders = {millimeters}, {meters}"


def line(weight, bias):
    return f"def in_millimeters(weight, bias, center, spread):\n    return {weight}, {bias}"


def changed(old, new, code=CLIFF):
    assert old in code, old
    return code.replace(old, new)


WRONG = {
    "06.1": [
        ('movers = "ab"', "where does the curvature hold a target"),
        ('movers = "ace"', "so does the number of rows"),
        ('movers = "ade"', "another place in the same bowl"),
        ('movers = "aef"', "A less exact scale"),
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
        (border("2 / bird_curvature"), "belongs to the flippers"),
        (border("1 / X_bill.mean().item() ** 2"), "the square of the mean"),
        (border("1 / X_bill.mean().item()"), "Yours holds the features"),
        (border("1 / (X_bill - X_bill.mean()).square().mean().item()"), "mean subtracted"),
        (border("1.0"), "How long is a bill"),
        (border("0.0005"), "close. Found by trying"),
        (border("0.1"), "the border is not 0.1"),
        (border("1 / X_bill.square()"), "has shape (342, 1)"),
        (border("X_bill.square().mean"), "are parentheses missing"),
        (border("1 / X_bill.square().mean()", "1e6 / X_bill.square().mean()"), "the weight alone"),
        (border("1 / X_bill.square().mean()", "1e3 / X_bill.square().mean()"), "their squares"),
        (border("1 / X_bill.square().mean()", "1 / X_bill.square().mean()"), "another ruler"),
        (border("1 / X_bill.square().mean()", "1e-3 / X_bill.square().mean()"), "raise the border"),
        (border("1 / X_bill.square().mean()", "2.0"), "the weight or the bias"),
        (border("1.0", "1 / X_bill.square().mean()"), "Millimeters come first"),
        (f"{BILLS}my_borders = 1 / X_bill.square().mean().item()", "expected two rates"),
    ],
    "06.3": [
        (line("weight", "bias"), "grams per standard deviation"),
        (line("weight * spread", "bias"), "fewer grams"),
        (line("weight / center", "bias"), "divided by the center"),
        (line("(weight - center) / spread", "bias"), "the zero of the ruler"),
        (line("spread / weight", "bias"), "upside down"),
        (line("weight / spread", "bias"), "still that of the scaled ruler"),
        (line("weight / spread", "bias + weight / spread * center"), "wrong sign"),
        (line("weight / spread", "bias - weight * center"), "the weight per millimeter"),
        (line("weight / spread", "(bias - weight * center) / spread"), "was divided"),
        (line("weight / spread", "bias - center"), "millimeters from grams"),
        (line("weight / spread", "-weight * center / spread"), "Where is the old bias"),
        (line("weight / spread", "bias - center / spread"), "on the scaled line"),
        (line("bias - weight / spread * center", "weight / spread"), "Bias comes first"),
        (line("49.7", "-5781"), "you return a weight of 49.7"),
        (line("weight / 12", "bias - weight / 12 * 190"), "wrong for another"),
        (
            "def in_millimeters(weight, bias, center, spread):\n    return weight / spread",
            "expected weight and bias",
        ),
    ],
    "06.4": [
        (changed("2 * scaled", "scaled"), "the highest there is"),
        (changed("2 * scaled", "3 * scaled"), "smaller on average"),
        (changed("2 * scaled", "0.9 * scaled"), "the highest there is"),
        (changed("2 * scaled", "2**0.5 * scaled"), "larger on average"),
        (changed("2 * scaled", "ruler"), "larger on average"),
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
        (f"{CLIFF}\nmy_losses = my_losses[-1]", "expected a list of 17"),
    ],
}

RIGHT = {  # unusual, and right
    "06.1": [
        'movers = "EA"',
        'movers = ["a", "e"]',
        'movers = "a, e"',
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
        "in_millimeters = lambda w, b, c, s: [w / s, b - w * c / s]",
        line("weight * (1 / spread)", "weight * (0 - center) / spread + bias"),
        "def in_millimeters(weight, bias, center, spread):\n"
        "    def mass(x):\n        return weight * (x - center) / spread + bias\n\n"
        "    return mass(1) - mass(0), mass(0)",
        "def in_millimeters(weight, bias, center, spread):\n"
        "    slope = torch.tensor(weight) / spread\n"
        "    return slope, torch.tensor(bias) - slope * center",
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
