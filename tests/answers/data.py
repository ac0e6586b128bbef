"""Plausible wrong answers to the exercises on data and columns: code and hint."""

IMPORT = "import numpy as np\n"
GRID = "X_grid = torch.arange(0, 1, 0.02).unsqueeze(1)\n"
CARS = "x = torch.tensor([[1.0], [3.5], [8.0]])\ny = torch.tensor([[17.4], [13.9], [4.1]])\n"
CLEAN = """clean = notes.copy()
clean.loc[1, "flipper"] = 195
clean.loc[2, "mass"] = 3450
clean.loc[6, ["flipper", "mass"]] = [201, 4200]
clean = clean.drop(index=4)
"""
COLUMNS = """X_notes = torch.tensor(clean[["flipper"]].to_numpy()).float()
y_notes = torch.tensor(clean[["mass"]].to_numpy()).float()
"""
BIRDS = "[181.0, 195, 193, 210, 198, 201, 221]", "[3750.0, 3250, 3450, 4400, 3900, 4200, 5700]"


def draw(*lines):
    """Return the code of a function `draw` with these lines."""
    return "def draw(n, seed):\n    " + "\n    ".join(lines)


OWN = "generator = torch.Generator().manual_seed(seed)"
EVEN = "X = torch.rand(n, 1, generator=generator)"
NOISY = "return X, 0.8 * X + 0.2 + 0.05 * torch.randn(n, 1, generator=generator)"

WRONG = {
    "01.1": [
        ("X_grid = torch.arange(0, 1, 0.02)\ny_grid = 0.8 * X_grid + 0.2", ".unsqueeze(1)"),
        ("x = torch.arange(0, 1, 0.02)\nX_grid = x.unsqueeze(1)\ny_grid = 0.8 * x + 0.2",
         "`y_grid` has shape (50,)"),
        ("x = torch.arange(0, 1, 0.02)\nX_grid = x.unsqueeze(1)\n"
         "y_grid = 0.8 * X_grid + 0.2 + 0 * x", "a flat list and a column met"),
        ("X_grid = torch.arange(0, 1, 0.02).unsqueeze(0)\ny_grid = 0.8 * X_grid + 0.2", "one row."),
        (GRID + "y_grid = 0.2 * X_grid + 0.8", "changed places"),
        (GRID + "y_grid = 0.8 * X_grid", "bias is missing"),
        (GRID + "y_grid = 0.8 * X_grid - 0.2", "has to be added"),
        (GRID + "y_grid = 0.8 * (X_grid + 0.2)", "Add it last"),
        (GRID + "y_grid = 2.0 * X_grid + 1.5", "the line of your own world"),
        (GRID + "y_grid = X_grid", "the features again"),
        (GRID + "y_grid = 0.8 * X_grid + 0.2 + 0.05 * torch.randn(50, 1)", "At x = 0.00 the line"),
        (GRID + "y_grid = 0.8 * X_grid ** 2 + 0.2", "At x = 0.02 the line"),
        ("X_grid = torch.linspace(0, 1, 50).unsqueeze(1)\ny_grid = 0.8 * X_grid + 0.2",
         "`linspace` includes"),
        ("X_grid = torch.arange(0, 1.02, 0.02).unsqueeze(1)\ny_grid = 0.8 * X_grid + 0.2",
         "51 points"),
        ("X_grid = torch.arange(0.02, 1, 0.02).unsqueeze(1)\ny_grid = 0.8 * X_grid + 0.2",
         "49 points"),
        ("X_grid = torch.arange(50.0).unsqueeze(1)\ny_grid = 0.8 * X_grid + 0.2", "steps of 0.02"),
        ("X_grid = torch.arange(0.02, 1.02, 0.02).unsqueeze(1)\ny_grid = 0.8 * X_grid + 0.2",
         "runs from 0.02 to 1"),
        ("X_grid = [0.02 * k for k in range(50)]\ny_grid = [0.8 * x + 0.2 for x in X_grid]",
         "a list, expected a tensor"),
        (IMPORT + "X_grid = np.arange(0, 1, 0.02)[:, None]\ny_grid = 0.8 * X_grid + 0.2",
         "a ndarray, expected a tensor"),
        (GRID + "y_grid, X_grid = X_grid, 0.8 * X_grid + 0.2", "the heights of the line"),
    ],
    "01.2": [
        (CARS + "epsilon = -2.0 * x + 20.0 - y", "turned around"),
        (CARS + "epsilon = -2.0 * x + 20.0", "the prices that the rule says"),
        (CARS + "epsilon = y", "the prices asked"),
        (CARS + "epsilon = (y - (20.0 - 2.0 * x)).abs()", "signs are gone"),
        (CARS + "epsilon = (y - (20.0 - 2.0 * x)).square()", "squares"),
        (CARS + "epsilon = y - (20.0 * x - 2.0)", "changed places"),
        (CARS + "epsilon = y - (2.0 * x + 20.0)", "sign of beta"),
        (CARS + "epsilon = y + 2.0 * x", "Alpha is missing"),
        (CARS + "epsilon = y - -2.0 * x + 20.0", "Without parentheses"),
        (CARS + "epsilon = 1000 * (y - (20.0 - 2.0 * x))", "These are dollars"),
        (CARS + "epsilon = (y - (20.0 - 2.0 * x)).flatten()", ".unsqueeze(1)"),
        (CARS + "epsilon = (y - (20.0 - 2.0 * x)).T", "one row"),
        (CARS + "epsilon = y.flatten() - (20.0 - 2.0 * x)", "a flat list and a column met"),
        (CARS + "epsilon = (y - (20.0 - 2.0 * x)).min().item()", "Each of the three cars"),
        ("epsilon = 1", "Each of the three cars"),
        ("epsilon = [[-0.6], [0.9], [0.1]]", "a list, expected a tensor"),
        ("epsilon = torch.tensor([[-0.6], [0.9], [-0.1]])", "mileage 8, -0.1 is not"),
        ("epsilon = torch.tensor([[0.1], [0.9], [-0.6]])", "another order"),
        (CARS + "epsilon = y - (20.0 - 0.2 * x)", "mileage 1, -2.4 is not"),
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
        (draw(OWN, "X = torch.randn(n, 1, generator=generator)", NOISY), "`rand` is uniform"),
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
              "return X, 0.8 * X + 0.2 + 0.05 * 12 ** 0.5 * noise"), "This noise is uniform"),
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
        (COLUMNS.replace("clean", "notes"), "never weighed"),
        (CLEAN.replace("clean = clean.drop(index=4)\n", "clean.loc[4, 'mass'] = 4000\n") + COLUMNS,
         "nor is one you make up"),
        ("clean = notes.drop(index=[1, 2, 4, 6])\n" + COLUMNS, "has 4 rows"),
        (CLEAN.replace("drop(index=4)", "drop(index=[4, 6])") + COLUMNS, "has 6 rows"),
        (CLEAN.replace("drop(index=4)", "drop(index=6)") + COLUMNS, "-999 is still there"),
        (CLEAN.replace('clean.loc[1, "flipper"] = 195\n', "") + COLUMNS, "in centimeters"),
        (CLEAN.replace('clean.loc[2, "mass"] = 3450\n', "") + COLUMNS, "in kilograms"),
        (CLEAN.replace('clean.loc[6, ["flipper", "mass"]] = [201, 4200]\n', "") + COLUMNS,
         "four meters long"),
        (CLEAN.replace('[6, ["flipper", "mass"]] = [201, 4200]', '[6, "flipper"] = 201') + COLUMNS,
         "Swap both"),
        (CLEAN.replace("= 3450", "= 345") + COLUMNS, "Row 2 of the notes has become 345 in `y"),
        (CLEAN.replace("= 195", "= 1950") + COLUMNS, "Row 1 of the notes has become 1950 in `X"),
        (CLEAN.replace("[201, 4200]", "[201, 420]") + COLUMNS, "Row 6 of the notes has become 420"),
        (CLEAN + COLUMNS.replace(".float()", ""), "float64"),
        (CLEAN + COLUMNS.replace(".float()", ".int()"), "torch.int32"),
        (CLEAN + COLUMNS.replace("[[", "[").replace("]]", "]"), ".unsqueeze(1)"),
        (CLEAN + COLUMNS + "X_notes, y_notes = y_notes, X_notes", "changed places"),
        (CLEAN + "clean = clean.sort_values('flipper')\n" + COLUMNS, "another order"),
        (CLEAN + COLUMNS + "X_notes = X_notes / 10", "another unit throughout"),
        (CLEAN + COLUMNS + "y_notes = y_notes / 1000", "another unit throughout"),
        (CLEAN + 'X_notes, y_notes = clean["flipper"], clean["mass"]', "a Series"),
        (CLEAN + COLUMNS + "y_notes = y_notes - y_notes.mean()", "Row 0 of the notes has become"),
        (CLEAN + COLUMNS + "X_notes = torch.cat([X_notes, y_notes])", "has shape (14, 1)"),
        (CLEAN + COLUMNS + "X_notes = X_notes.T", "one row"),
    ],
    "01.5": [
        ("n, seed = 10, 420", "so it rises"),
        ("n, seed = 200, 427", "so it rises"),
        ("n, seed = 3, 0", "a lie is cheap"),
        ("n, seed = 9, 427", "a lie is cheap"),
        ("n, seed = 1_000_000, 427", "search for ever"),
        ("n, seed = 10, -427", "0 or more"),
        ("n, seed = 10.5, 427", "a whole number"),
        ("n, seed = 10, 8.5", "a whole number"),
        ("n, seed = 10, [427, 458]", "a list, expected one number"),
        ("n, seed = 10, '427'", "a str, expected one number"),
        ("n, seed = datasets.make_line(10, noise=3.0, seed=427)", "has shape (10, 1)"),
        ("n, seed = 10, print(427)", "None, expected one number"),
        ("n, seed = 427, 10", "so it rises"),
    ],
}  # fmt: skip

RIGHT = {  # unusual, and right
    "01.1": [
        "X_grid = torch.linspace(0, 0.98, 50).reshape(-1, 1)\ny_grid = X_grid * 0.8 + 0.2",
        IMPORT + "X_grid = torch.from_numpy(np.arange(0, 1, 0.02))[:, None]\n"
        "y_grid = 0.2 + 0.8 * X_grid",
        "rows = [[k / 50, 0.2 + 0.8 * k / 50] for k in range(50)]\n"
        "X_grid, y_grid = torch.tensor(rows).split(1, dim=1)",
        "X_grid = torch.arange(50).view(50, 1) / 50\nline = torch.nn.Linear(1, 1)\n"
        "with torch.no_grad():\n    line.weight.fill_(0.8)\n    line.bias.fill_(0.2)\n"
        "y_grid = line(X_grid)",
        "X_grid = torch.arange(0, 0.99, 0.02).unsqueeze(-1)\n"
        "y_grid = torch.add(0.2, X_grid, alpha=0.8)",
    ],
    "01.2": [
        "epsilon = torch.tensor([[-0.6], [0.9], [0.1]])",
        CARS + "epsilon = y - 20 + 2 * x",
        "cars = torch.tensor([[1.0, 17.4], [3.5, 13.9], [8.0, 4.1]])\n"
        "epsilon = cars[:, 1:] - (20 - 2 * cars[:, :1])",
        IMPORT + "x, y = np.array([1, 3.5, 8]), np.array([17.4, 13.9, 4.1])\n"
        "epsilon = torch.from_numpy(y - 20 + 2 * x).reshape(3, 1)",
        "epsilon = torch.stack([torch.tensor([p - (20 - 2 * m)]) "
        "for m, p in ((1.0, 17.4), (3.5, 13.9), (8.0, 4.1))])",
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
        f"X_notes = torch.tensor({BIRDS[0]}).unsqueeze(1)\n"
        f"y_notes = torch.tensor({BIRDS[1]}).unsqueeze(1)",
        IMPORT + CLEAN + "both = torch.from_numpy(clean.to_numpy(np.float32).copy())\n"
        "X_notes, y_notes = both.split(1, dim=1)",
        "rows = []\nfor flipper, mass in zip(notes.flipper, notes.mass):\n"
        "    if flipper > 1000:\n        flipper, mass = mass, flipper\n"
        "    if flipper < 100:\n        flipper *= 10\n    if 0 < mass < 10:\n"
        "        mass *= 1000\n    if mass > 0:\n        rows.append([flipper, mass])\n"
        "X_notes, y_notes = torch.tensor(rows).hsplit(2)",
        "clean = notes.replace({19.5: 195, 3.45: 3450, -999: None}).astype(float)\n"
        "clean.iloc[6] = clean.iloc[6, ::-1].to_numpy()\nclean = clean.dropna()\n"
        "X_notes = torch.tensor(clean.flipper.tolist())[:, None]\n"
        "y_notes = torch.tensor(clean.mass.tolist())[:, None]",
    ],
    "01.5": [
        "n, seed = torch.tensor(10), 458",
        "n, seed = 10.0, 427.0",
        IMPORT + "n, seed = np.int64(10), np.int64(461)",
        IMPORT + "n = 12\nweight, seed = 1.0, 0\nwhile weight > 0:\n    seed += 1\n"
        "    X, y = datasets.make_line(n, noise=3.0, seed=seed)\n"
        "    weight, _ = np.polyfit(X.flatten(), y.flatten(), 1)",
        "n = 25\nfor seed in range(20_000):\n"
        "    X, y = datasets.make_line(n, noise=3.0, seed=seed)\n"
        "    if ((X - X.mean()) * y).sum() < -0.01:\n        break",
    ],
}
