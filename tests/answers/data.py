"""Plausible wrong answers to the exercises on data and columns: code and hint."""

IMPORT = "import numpy as np\n"
POINTS = "X_new, y_new = datasets.make_line(n=10_000, noise=0.3)\n"
COLUMNS = 'columns = ["bill_depth_mm", "bill_length_mm"]\n'
TENSORS = (
    "X_bills = torch.tensor(depths, dtype=torch.float32).unsqueeze(1)\n"
    "y_bills = torch.tensor(lengths, dtype=torch.float32).unsqueeze(1)"
)


def draw(*lines):
    """Return the code of a function `draw` with these lines."""
    return "def draw(n, seed):\n    " + "\n    ".join(lines)


OWN = "generator = torch.Generator().manual_seed(seed)"
EVEN = "X = torch.rand(n, 1, generator=generator)"
NOISY = "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, 1, generator=generator)"

WRONG = {
    "01.1": [
        ("loss = 0.3 ** 2", "the prediction itself"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).square().mean().sqrt()", "the root"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).std()", "the root"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).abs().mean()", "mean absolute error"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).mean()", "cancel"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).square().sum()", "the sum"),
        (POINTS + "loss = (1.5 * X_new + 2.0 - y_new).square().mean()", "changed places"),
        (POINTS + "loss = (2.0 * X_new - y_new).square().mean()", "lacks its bias"),
        (POINTS + "loss = (2.0 * X_new + 1.5 - y_new).square()", "expected one number"),
        ("loss = (2.0 * X + 1.5 - y).square().mean()", "the 200 points from before"),
        (
            "X_new, y_new = datasets.make_line(n=10_000, noise=0.5)\n"
            "loss = (2.0 * X_new + 1.5 - y_new).square().mean()",
            "whose noise is 0.5",
        ),
        (POINTS + "loss = ((2.0 * X_new + 1.5 - y_new) ** 2 / 2).mean()", "half of the mean"),
        (POINTS + "loss = 0.5 * torch.nn.MSELoss()(2.0 * X_new + 1.5, y_new)", "half of the mean"),
        (
            POINTS + "loss = torch.stack([(p - y_new).square().mean() "
            "for p in (2.0 * X_new + 1.5).flatten()]).mean()",
            "each prediction meets all",
        ),
        (POINTS + "loss = (y_new - 2.0 * X_new - 1.5).mean() ** 2 + 0.3", "deviation of the noise"),
        ("loss = 0.3", "standard deviation of the noise"),
        (POINTS + "loss = (y_new - 2.0 * X_new - 1.5).square().mean() + 1", "with a noise of"),
        (POINTS + "loss = (y_new - 2.0 * X_new + 1.5).square().mean()", "Without parentheses"),
        (POINTS + "loss = (y_new - (2.0 * X_new + 1.5)).mean() ** 2", "squared the mean"),
        (POINTS + "loss = (y_new - (2.0 * X_new + 1.5)).mean().square()", "squared the mean"),
        ("loss = (y_noisy - (2.0 * X_noisy + 1.5)).square().mean()", "whose noise is 0.5"),
        (
            "X_new, y_new = datasets.make_line(noise=0.3)\n"
            "loss = (2.0 * X_new + 1.5 - y_new).square().mean()",
            "The exercise asks for 10,000",
        ),
        (
            "X_new, y_new = datasets.make_line(n=10_000, noise=0.3, seed=1)\n"
            "loss = (2.0 * X_new + 1.5 - y_new).square().mean()",
            "another seed",
        ),
        (POINTS + "loss = (y_new - 2.0 * X_new - 1.5).square().sum() / len(X)", "divided by 200"),
        (POINTS + "loss = (y_new - 2.0 * X_new - 1.5).norm()", "root of the sum"),
        (POINTS + "loss = (y_new - 2.0 * X_new - 1.5).mean()", "cancel"),
        (POINTS + "loss = torch.nn.MSELoss", "a type, expected one number"),
        (
            POINTS + "A = torch.cat([X_new, torch.ones_like(X_new)], 1)\n"
            "loss = (A @ torch.linalg.lstsq(A, y_new).solution - y_new).square().mean()",
            "the fitted line",
        ),
        (
            "X_new, y_new = datasets.make_line(n=1_000, noise=0.3)\n"
            "loss = (2.0 * X_new + 1.5 - y_new).square().mean()",
            "over 10,000 points",
        ),
    ],
    "01.2": [
        ("prices = -2.0 * torch.tensor([1.0, 3.5, 8.0]) + 20.0", ".unsqueeze(1)"),
        ("prices = -2.0 * torch.tensor([1.0, 3.5, 8.0]).unsqueeze(0) + 20.0", "one row of three"),
        ("prices = [[18.0], [13.0], [4.0]]", "a list, expected a tensor"),
        ("prices = 20.0 * torch.tensor([[1.0], [3.5], [8.0]]) - 2.0", "changed places"),
        ("prices = 2.0 * torch.tensor([[1.0], [3.5], [8.0]]) + 20.0", "sign of the weight"),
        ("prices = -2.0 * torch.tensor([[1.0], [3.5], [8.0]])", "bias is missing"),
        ("prices = torch.tensor([1.0, 3.5, 8.0]).unsqueeze(1)", "These are the mileages"),
        (
            "x = torch.tensor([1.0, 3.5, 8.0])\nprices = -2.0 * x.unsqueeze(1) + 20.0 + 0 * x",
            "a flat list and a column met",
        ),
        ("prices = -2.0 * torch.tensor([[1.0], [3.5], [8.0]]) - 20.0", "The bias is taken away"),
        ("prices = -2.0 * (torch.tensor([[1.0], [3.5], [8.0]]) + 20.0)", "Add it last"),
        ("prices = -2e4 * torch.tensor([[1.0], [3.5], [8.0]]) + 20.0", "count 10,000 miles"),
        ("prices = torch.tensor([1.0, 3.5, 8.0]).reshape(3, 1) ** -2.0 + 20.0", "1 costs 21 here"),
        (
            "import numpy as np\nprices = -2.0 * np.array([[1.0], [3.5], [8.0]]) + 20.0",
            "a ndarray, expected a tensor",
        ),
        ("prices = torch.tensor([[18.0], [13.5], [4.0]])", "mileage 3.5 costs 13.5 here"),
        ("prices = torch.tensor([[18.0], [13.0], [5.0]])", "mileage 8 costs 5 here"),
        ("prices = torch.tensor([[4.0], [13.0], [18.0]])", "another order"),
    ],
    "01.3": [
        (draw("torch.manual_seed(seed)", "X = torch.rand(n, 1)",
              "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, 1)"),
         "all other code gets from PyTorch"),
        (draw("X = torch.rand(n, 1)",
              "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, 1)"), "Seed every draw"),
        (draw(OWN, EVEN, "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, 1)"), "Seed every draw"),
        (draw(EVEN, NOISY), "Seed every draw"),
        (draw("generator = torch.Generator().manual_seed(420)", EVEN, NOISY), "get `seed`"),
        (draw(OWN, EVEN, OWN, NOISY), "from the same seed"),
        (draw(OWN, "X = torch.randn(n, 1, generator=generator)", NOISY), "`rand` is even"),
        (draw(OWN, "X = torch.rand(n, generator=generator)",
              "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, generator=generator)"),
         ".unsqueeze(1)"),
        (draw(OWN, EVEN, "return X, 0.8 * X + 0.2 + 0.05 * torch.rand(n, 1, generator=generator)"),
         "as from `rand`"),
        (draw(OWN, EVEN, "return X, 0.8 * X + 0.2"), "Where is the noise"),
        (draw(OWN, EVEN, NOISY.replace("(n, 1, gen", "(1, gen")), "Each point gets its own"),
        (draw(OWN, EVEN, NOISY.replace("(n, 1, gen", "(n, gen")), "the noise of all points"),
        (draw(OWN, EVEN, NOISY.replace("0.8 * X + 0.2", "0.2 * X + 0.8")), "changed places"),
        (draw(OWN, EVEN, NOISY.replace("0.8 * X", "2.0 * X")), "about 2.00 per unit"),
        (draw(OWN, EVEN, NOISY.replace("0.05", "0.05 ** 0.5")), "not the variance"),
        (draw(OWN, EVEN, "noise = torch.rand(n, 1, generator=generator) - 0.5",
              "return X, 0.8 * X + 0.2 + 0.05 * 12 ** 0.5 * noise"), "This noise is even"),
        (draw(OWN, "X = torch.rand(n, 1, generator=generator) ** 2", NOISY), "spread evenly"),
        (draw(OWN, "X = 0.5 * torch.rand(n, 1, generator=generator)", NOISY), "spread evenly"),
        (draw(OWN, "X = torch.linspace(0, 1, n).unsqueeze(1)", NOISY), "Is X drawn"),
        (draw(OWN, EVEN, "generator = torch.Generator().manual_seed(0)", NOISY),
         "give the same noise"),
        (draw("import numpy as np", "np.random.seed(seed)",
              "X = torch.from_numpy(np.random.rand(n, 1)).float()", "noise = np.random.randn(n, 1)",
              "return X, 0.8 * X + 0.2 + 0.05 * torch.from_numpy(noise).float()"),
         "all other code gets from NumPy"),
        (draw("import random", "random.seed(seed)",
              "X = torch.tensor([[random.random()] for _ in range(n)])",
              "noise = torch.tensor([[random.gauss(0, 0.05)] for _ in range(n)])",
              "return X, 0.8 * X + 0.2 + noise"), "all other code gets from Python"),
        (draw(OWN, EVEN, "torch.seed()", NOISY), "all other code gets from PyTorch"),
        (draw(OWN, EVEN, NOISY.replace("0.05", "0.5")), "in place of 0.05"),
        (draw(OWN, EVEN.replace("n, 1", "50, 1"), NOISY.replace("n, 1", "50, 1")), "(50, 1)"),
        (draw(OWN, EVEN, NOISY.replace("return X, ", "return ")), "the pair `X, y`"),
        (draw(OWN, EVEN, NOISY.replace("return X, ", "return X, generator, ")), "returns 3 things"),
        (draw(OWN, EVEN, NOISY.replace("return X, ", "return ") + ", X"), "have changed places"),
        (draw(OWN, EVEN, NOISY.replace("return X, ", "y = ")), "Is a `return` missing?"),
        ("X, y = make(50, 0.8, 0.2, 0.05, 3)\ndraw = X, y", "expected something to call"),
    ],
    "01.4": [
        (COLUMNS + "depths, lengths = penguins.dropna()[columns].to_numpy().T\n" + TENSORS,
         "Which column had the gap?"),
        (COLUMNS + "depths, lengths = penguins[columns].to_numpy().T\n" + TENSORS, "344"),
        (COLUMNS + "filled = penguins.fillna(penguins.mean(numeric_only=True))\n"
         "depths, lengths = filled[columns].to_numpy().T\n" + TENSORS, "made-up value"),
        ("bills = torch.tensor(complete[['bill_depth_mm', 'bill_length_mm']].to_numpy().copy())\n"
         "X_bills = y_bills = bills.float()", "a tensor each"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T\n" + TENSORS
         + "\nX_bills = X_bills.sort(dim=0).values", "another order"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T\n" + TENSORS
         + "\nX_bills = (X_bills - X_bills.mean()) / X_bills.std()", "its values run from -2"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T\n" + TENSORS
         + "\nX_bills = X_bills.T", "has shape (1, 342)"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T\n" + TENSORS
         + "\nX_bills = X_bills.int()", "is torch.int32"),
        (COLUMNS + "depths, lengths = penguins[columns].fillna(0).to_numpy().T\n" + TENSORS, "344"),
        (COLUMNS + "lengths, depths = complete[columns].to_numpy().T\n" + TENSORS, "other column"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T\n"
         + TENSORS.replace("32", "64"), "float64"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T\n"
         + TENSORS.replace(".unsqueeze(1)", ""), ".unsqueeze(1)"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T / 10\n" + TENSORS, "unit"),
        (COLUMNS + "depths, lengths = complete[columns].to_numpy().T\n"
         "X_bills, y_bills = depths, lengths", "ndarray, expected a tensor"),
        ('X_bills, y_bills = complete["bill_depth_mm"], complete["bill_length_mm"]', "a Series"),
        ("X_bills, y_bills = X_loaded, y_loaded", "Which column"),
    ],
}  # fmt: skip

RIGHT = {  # unusual, and right
    "01.1": [
        POINTS + "loss = torch.nn.functional.mse_loss(2.0 * X_new + 1.5, y_new)",
        POINTS + "loss_fn = torch.nn.MSELoss()\nloss = loss_fn(2.0 * X_new + 1.5, y_new).item()",
        POINTS + "loss = (y_new.double() - 2.0 * X_new - 1.5).pow(2).mean()",
        IMPORT + POINTS + "loss = np.mean((y_new - 2.0 * X_new - 1.5).numpy() ** 2)",
        POINTS + "loss = sum((b - 2.0 * a - 1.5) ** 2 for a, b in "
        "zip(X_new.flatten().tolist(), y_new.flatten().tolist())) / len(X_new)",
        POINTS + "r = (y_new - 2.0 * X_new - 1.5).flatten()\nloss = r @ r / r.numel()",
    ],
    "01.2": [
        "prices = torch.tensor([[18.0], [13.0], [4.0]])",
        "prices = (20.0 - 2.0 * torch.tensor([1.0, 3.5, 8.0]))[:, None]",
        "prices = torch.stack([torch.tensor([20 - 2 * x]) for x in (1.0, 3.5, 8.0)])",
        "line = torch.nn.Linear(1, 1)\nwith torch.no_grad():\n    line.weight.fill_(-2.0)\n"
        "    line.bias.fill_(20.0)\nprices = line(torch.tensor([1.0, 3.5, 8.0]).reshape(-1, 1))",
        "import numpy as np\nprices = torch.from_numpy(20 - 2 * np.array([[1.0], [3.5], [8.0]]))",
        "prices = torch.Tensor([1, 3.5, 8]).view(3, 1).mul(-2).add(20)",
    ],
    "01.3": [
        draw(
            "g = torch.Generator()",
            "g.manual_seed(seed)",
            "noise = torch.normal(0.0, 0.05, (n, 1), generator=g)",
            "X = torch.empty(n, 1).uniform_(0, 1, generator=g)",
            "return [X, 0.8 * X + 0.2 + noise]",
        ),
        draw(
            "with torch.random.fork_rng():",
            "    torch.manual_seed(seed)",
            "    X, noise = torch.rand(n, 1), 0.05 * torch.randn(n, 1)",
            "return X, 0.2 + 0.8 * X + noise",
        ),
        draw(
            "import numpy as np",
            "rng = np.random.default_rng(seed)",
            "X = torch.tensor(rng.random((n, 1)), dtype=torch.float32)",
            "noise = torch.tensor(rng.normal(0, 0.05, (n, 1)), dtype=torch.float32)",
            "return X, 0.8 * X + 0.2 + noise",
        ),
        draw(
            "a, b = (torch.Generator().manual_seed(2 * seed + k) for k in (0, 1))",
            "X = torch.rand(n, generator=a).unsqueeze(1)",
            "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, generator=b).unsqueeze(1)",
        ),
        draw(
            "import random",
            "own = random.Random(seed)",
            "rows = [(x := own.random(), 0.8 * x + 0.2 + own.gauss(0, 0.05)) for _ in range(n)]",
            "X, y = torch.tensor(rows).split(1, dim=1)",
            "return X, y",
        ),
        "class Draw:\n    def __call__(self, n: int, seed: int):\n"
        "        g = torch.Generator().manual_seed(seed)\n"
        "        X = torch.rand(n, 1, generator=g, dtype=torch.float64)\n"
        "        noise = torch.randn(n, 1, generator=g, dtype=torch.float64)\n"
        "        return X, 0.8 * X + 0.2 + 0.05 * noise\ndraw = Draw()",
    ],
    "01.4": [
        'X_bills, y_bills = datasets.load_penguins("bill_depth_mm", "bill_length_mm")',
        COLUMNS + "bills = torch.tensor(penguins[columns].dropna().to_numpy()).float()\n"
        "X_bills, y_bills = bills[:, :1], bills[:, 1:]",
        IMPORT
        + "known = penguins[penguins.bill_depth_mm.notna() & penguins.bill_length_mm.notna()]"
        "\nX_bills, y_bills = (torch.from_numpy(known[name].to_numpy(np.float32)).reshape(-1, 1)"
        " for name in ('bill_depth_mm', 'bill_length_mm'))",
        "rows = [(d, l) for d, l in zip(penguins.bill_depth_mm, penguins.bill_length_mm)"
        " if d == d and l == l]\nX_bills, y_bills = torch.tensor(rows).hsplit(2)",
        "X_bills, y_bills = (torch.tensor(list(penguins[c].dropna()))[:, None] "
        "for c in ('bill_depth_mm', 'bill_length_mm'))",
    ],
}
