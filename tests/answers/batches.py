"""Plausible wrong answers to the exercises on datasets, splits and batches: code and hint."""

GRID = """class GridDataset(Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if index >= self.n:
            raise IndexError("bad index")
        x = torch.tensor([index / 50])
        return x, 0.8 * x + 0.2
"""


def grid(old, new):
    """Return the code of a right `GridDataset` with one part replaced."""
    assert old in GRID
    return GRID.replace(old, new)


OWN = """generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(n, generator=generator)"""


def split(lines, returned="order[n_test:], order[:n_test]"):
    """Return the code of a function `split_rows` with these lines."""
    return f"def split_rows(n, n_test, seed):\n    {lines}\n    return {returned}"


def outside(line):
    """Return the code of a function `outside` with this line."""
    return f"def outside(X_train, X_test):\n    {line}"


def lies(flattering, damning):
    """Return the code that chooses these test rows."""
    return (
        "flipper, mass = datasets.load_penguins()\n"
        "weight, bias = fit_line(flipper, mass)\n"
        "residual = mass - (weight * flipper + bias)\n"
        "order = residual.abs().flatten().argsort()\n"
        f"flattering = {flattering}\n"
        f"damning = {damning}"
    )


WRONG = {
    "02.1": [
        (grid('raise IndexError("bad index")', 'return "bad index"'), "a loop would never end"),
        (grid('raise IndexError("bad index")', "return None"), "a loop would never end"),
        (grid('raise IndexError("bad index")', 'raise ValueError("bad")'), "ValueError"),
        (grid('raise IndexError("bad index")', "raise StopIteration"), "StopIteration"),
        (grid(">= self.n", "> self.n"), "takes 51 items"),
        (grid(">= self.n", ">= self.n - 1"), "Calling `dataset[49]` raised IndexError"),
        (grid(">= self.n", ">= 50"), "takes 50 items"),
        (grid('        if index >= self.n:\n            raise IndexError("bad index")\n', ""),
         "a loop would never end"),
        (grid("if index >= self.n:\n            raise IndexError(\"bad index\")",
              "assert index < self.n"), "AssertionError"),
        (grid("return self.n", "return 50"), "is not 7"),
        (grid("return self.n", "return self.n - 1"), "is not 50"),
        (grid("return self.n", "print(self.n)"), "Is a `return` missing?"),
        (grid("torch.tensor([index / 50])", "torch.tensor(index / 50)"), "with brackets"),
        (grid("torch.tensor([index / 50])", "index / 50"), "a float, expected a tensor"),
        (grid("torch.tensor([index / 50])", "torch.tensor([(index + 1) / 50])"), "index is 0"),
        (grid("torch.tensor([index / 50])", "torch.tensor([max(index, 0.5) / 50])"), "x = 0.01"),
        (grid("torch.tensor([index / 50])", "torch.tensor([index])"), "divided by 50"),
        (grid("index / 50", "float(index // 50)"), "digits after the point"),
        (grid("index / 50", "index / self.n"), "whatever n is"),
        (grid("return x, 0.8 * x + 0.2", "return 0.8 * x + 0.2, x"), "changed places in the pair"),
        (grid("return x, 0.8 * x + 0.2", "return x, 0.2 * x + 0.8"), "Weight and bias"),
        (grid("return x, 0.8 * x + 0.2", 'return {"x": x, "y": 0.8 * x + 0.2}'), "a dict"),
        (grid("[index / 50]", "[[index / 50]]"), "has shape (1, 1)"),
        (
            "class GridDataset(Dataset):\n    def __init__(self, n):\n        self.n = n\n"
            "        self.X = torch.arange(n).unsqueeze(1) / 50\n\n"
            "    def __len__(self):\n        return self.n\n\n"
            "    def __getitem__(self, index):\n"
            "        return self.X[index], 0.8 * self.X[index] + 0.2",
            "stores no points",
        ),
        (grid("return x, 0.8 * x + 0.2", "return x"), "expected a pair"),
        (grid(">= self.n", "== self.n"), "Every index from `n` on"),
        (grid(">= self.n", "in (self.n, self.n + 1)"), "Every index from `n` on"),
        (grid(">= self.n", ">= n"), "Inside the methods use `self.n`"),
        (grid("return self.n", "return n"), "Inside the methods use `self.n`"),
        (grid("self.n = n", "pass"), "Does `__init__` store it"),
        (grid("self.n = n", "n = n"), "Does `__init__` store it"),
        (grid("[index / 50])", "[index / 50]).int()"), "`.int()`"),
        (grid("return x, 0.8", "return (torch.arange(50) / 50).view(50, 1)[index], 0.8"),
         "`dataset[59]` raised IndexError"),
        (
            grid("torch.tensor([index / 50])", "torch.arange(0, 1, 0.02)[index].reshape(1)"),
            "`dataset[59]` raised IndexError",
        ),
        (
            grid("self.n = n", "self.n = n\n        X = torch.arange(n).unsqueeze(1) / 50\n"
                 "        self.p = TensorDataset(X, 0.8 * X + 0.2)"),
            "`self.p` is a TensorDataset",
        ),
        (
            grid("self.n = n", "self.n = n\n"
                 "        self.p = {i: (i / 50, 0.8 * i / 50 + 0.2) for i in range(n)}"),
            "`self.p` is a dict",
        ),
        (grid("return x, 0.8 * x + 0.2", "return x, 2.0 * x + 1.5"), "another point"),
        (grid("(Dataset)", ""), "not a class made with"),
        (GRID + "GridDataset = GridDataset(50)", "not a class made with"),
    ],
    "02.2": [
        (split("order = torch.randperm(n)"), "Called twice with the same seed"),
        (split("generator = torch.Generator()\n    generator.seed()\n"
               "    order = torch.randperm(n, generator=generator)"),
         "Called twice with the same seed"),
        ("generator = torch.Generator().manual_seed(420)\n"
         + split("order = torch.randperm(n, generator=generator)"),
         "Called twice with the same seed"),
        (split("torch.manual_seed(seed)\n    order = torch.randperm(n)"), "gets from PyTorch"),
        (split("import numpy as np\n    np.random.seed(seed)\n"
               "    order = np.random.permutation(n)"), "gets from NumPy"),
        (split("import random\n    random.seed(seed)\n    order = list(range(n))\n"
               "    random.shuffle(order)"), "Python's `random`"),
        (split(OWN.replace("seed)", "420)")), "Where does `seed` come in"),
        (split("order = list(range(n))"), "are neighbors, 0 to 9"),
        (split("order = range(n)", "order[:-n_test], order[-n_test:]"), "are neighbors, 40 to 49"),
        (split("start = seed + 3\n    order = [(start + i) % n for i in range(n)]"),
         "are neighbors, 3 to 12"),
        (split("test = range(0, n, n // n_test)", "set(range(n)) - set(test), test"),
         "Seed 0 and seed 1"),
        (split("generator = torch.Generator().manual_seed(seed)\n"
               "    test = torch.randint(n, (n_test,), generator=generator).tolist()",
               "[row for row in range(n) if row not in test], test"), "drawn twice"),
        (split(OWN, "order, order[:n_test]"), "10 are training rows, too"),
        (split(OWN, "order[n_test - 1:], order[:n_test]"), "1 are training rows, too"),
        (split(OWN, "order[n_test + 1:], order[:n_test]"), "1 of 50 are in neither part"),
        (split(OWN, "order[:n_test], order[n_test:]"), "changed places"),
        (split(OWN, "order[n // 5:], order[:n // 5]"), "has 6 rows, and 20 are"),
        (split(OWN, "order[n_test:] + 1, order[:n_test] + 1"), "numbered 0 to 49"),
        (split(OWN.replace("(n,", "(342,")), "numbered 0 to 49"),
        (split(OWN, "order[:n_test]"), "expected two"),
        (split(OWN, "{'train': order[n_test:], 'test': order[:n_test]}"), "a dict"),
        (split(OWN, "n - n_test, n_test"), "expected row numbers"),
        (split("generator = torch.Generator().manual_seed(seed)\n"
               "    test = torch.rand(n, generator=generator) < n_test / n", "~test, test"),
         "True or False"),
        (split("print(n)", "None"), "Is a `return` missing?"),
        ("split_rows = random_split(birds, [0.8, 0.2])", "expected something to call"),
        (split("test = [(n * k // n_test + seed) % n for k in range(n_test)]",
               "[row for row in range(n) if row not in test], test"), "only shifts the test"),
    ],
    "02.3": [
        (outside("return (X_test > X_train.max()).sum()"), "left of the training range"),
        (outside("return (X_test < X_train.min()).sum()"), "right of the training range"),
        (
            outside("return ((X_test <= X_train.min()) | (X_test >= X_train.max())).sum()"),
            "on the edge",
        ),
        (
            outside("return ((X_test >= X_train.min()) & (X_test <= X_train.max())).sum()"),
            "Turn the question around",
        ),
        (
            outside("return sum(x not in X_train for x in X_test)"),
            "between two training points",
        ),
        (
            outside("return ((X_test < X_train[0]) | (X_test > X_train[-1])).sum()"),
            "shuffled range",
        ),
        (
            outside("return ((X_train < X_test.min()) | (X_train > X_test.max())).sum()"),
            "have changed places",
        ),
        (
            outside("return ((X_test < X_train.min()) | (X_test > X_train.max())).float().mean()"),
            "a share",
        ),
        (outside("return (X_test < X_train.min()) | (X_test > X_train.max())"), "for each row"),
        (
            outside("return ((X_test < 0.2) & (X_test > 0.8)).sum()"),
            "left and right of the range at once",
        ),
        (outside("return (X_test < X_train.min() or X_test > X_train.max()).sum()"), "raised"),
        (outside("return len(X_test)"), "all test points"),
        (
            outside("return ((X_test < X_birds.min()) | (X_test > X_birds.max())).sum()"),
            "two arguments",
        ),
        (
            outside("return (~(X_train.min() <= X_test <= X_train.max())).sum()"),
            "write `(low < X) & (X < high)`",
        ),
        (
            outside("return ((X_test < X_train.min()) | (X_test >= X_train.max())).sum()"),
            "on the edge",
        ),
        (
            outside("return ((X_test > X_train.min()) & (X_test < X_train.max())).sum()"),
            "without its edges",
        ),
        (
            outside("half = (X_train.max() - X_train.min()) / 2\n"
                    "    return ((X_test - X_train.mean()).abs() > half).sum()"),
            "the middle of the range",
        ),
        (
            outside("return ((X_train < X_test.min()) | (X_train > X_test.max())).sum() "
                    "+ 0 * X_test.sum()"),
            "have changed places",
        ),
        (outside("print((X_test < X_train.min()).sum())"), "Is a `return` missing?"),
        ("outside = 10", "expected something to call"),
        (outside("return 10"), "for any points"),
        (outside("return 8"), "for any points"),
        (outside("return ((X_large < -2.8) | (X_large > 1)).sum()"), "for any points"),
        (outside("return ((X_test < 0.2) | (X_test > 0.8)).sum()"), "come from `X_train`"),
        (outside("return ((X_test < 0) | (X_test > 0.78)).sum()"), "come from `X_train`"),
        (outside("return ((X_test < X_train.min()) | (X_test > X_birds.max())).sum()"),
         "Points right of"),
        (outside("X_test.clamp_(X_train.min(), X_train.max())\n    return len(X_test)"),
         "changes the `X_test`"),
        (outside("X_test -= X_train.min()\n    X_train -= X_train.min()\n"
                 "    return ((X_test < 0) | (X_test > X_train.max())).sum()"),
         "changes the `X_train`"),
        (outside("return X_test[(X_test < X_train.min()) | (X_test > X_train.max())]"),
         "Their number is asked for"),
        (outside("return ((X_test < X_train.min()) | (X_test > X_train.max())).nonzero()"),
         "Their number is asked for"),
        (outside("return (X_test < X_train.min() | X_test > X_train.max()).sum()"),
         "each comparison in parentheses"),
        (outside("return ((X_test < X_train.min(dim=0)) | (X_test > X_train.max(dim=0))).sum()"),
         "`.values` takes the values"),
    ],
    "02.4": [
        (lies("order[:60]", "order[60:120]"), "the other end"),
        (lies("order[:50]", "order[-60:]"), "has 50 birds"),
        (lies("order[-60:]", "order[:60]"), "changed places"),
        (lies("order[:60]", "order[:60]"), "the other end"),
        (lies("order[-60:]", "order[-60:]"), "the other end"),
        (lies("order[:60]", "order[-200:]"), "the training rows"),
        (lies("order[60:]", "order[-60:]"), "the training rows"),
        (lies("order[100:160]", "order[-60:]"), "the most extreme ones"),
        (lies("order[:60]", "order[-130:]"), "130 largest residuals give about as much"),
        (lies("order[:60]", "order[-171:]"), "or all from one side of the line"),
        (lies("order[:171]", "order[-60:]"), "171 smallest residuals give about as much"),
        (lies("order[:60]", "order[-131:-1]"), "Choose fewer"),
        (lies("order[-171:]", "order[-60:]"), "the other end"),
        (
            lies("torch.randperm(342, generator=torch.Generator().manual_seed(1))[:60]",
                 "order[-60:]"),
            "honest draws",
        ),
        (
            lies("order[:60]", "torch.randperm(342, generator=torch.Generator().manual_seed(1))"
                 "[:60]"),
            "honest draws",
        ),
        (lies("flipper.flatten().argsort()[:60]", "order[-60:]"), "honest draws"),
        (lies("order[:60]", "flipper.flatten().argsort()[-60:]"), "honest draws"),
        (lies("residual.flatten().argsort()[:60]", "order[-60:]"), "Sort without the sign"),
        (lies("residual.flatten().argsort()[-60:]", "order[-60:]"), "are heavier than"),
        (lies("residual.abs().flatten().sort().values[:60]", "order[-60:]"), "a row number is"),
        (lies("residual[order[:60]]", "order[-60:]"), "a row number is whole"),
        (lies("mass[order[:60]]", "order[-60:]"), "numbered 0 to 341"),
        (lies("order[:60] + 1", "order[-60:] - 342"), "numbered 0 to 341"),
        (lies("residual.abs().argsort()[:60]", "order[-60:]"), "`.flatten()` it first"),
        (lies("order[:60]", "residual.abs().argsort()[-60:]"), "nothing but row 0"),
        (lies("order[:30].repeat(2)", "order[-60:]"), "holds a bird twice"),
        (lies("order[:1].tolist() * 60", "order[-60:]"), "holds a bird twice"),
        (lies("residual.abs() < 100", "residual[:300] > 500"), "mask `damning` has 300"),
        (lies("(flipper[order[:60]], mass[order[:60]])", "order[-60:]"), "has shape (60, 1)"),
        (lies("order[:60]", "range(151, 274)"), "123 of the 123 birds of `damning` are from the"),
        (lies("60", "order[-60:]"), "expected the row numbers"),
        (lies("flipper[order[:60]]", "order[-60:]"), "Give the row numbers"),
        (lies("None", "None"), "expected the row numbers"),
    ],
}  # fmt: skip

RIGHT = {  # unusual, and right
    "02.1": [
        grid(">= self.n", "not in range(self.n)"),
        "class GridDataset(Dataset):\n    def __init__(self, n):\n"
        "        self.rows = range(n)\n    def __len__(self):\n        return len(self.rows)\n"
        "    def __getitem__(self, index):\n"
        "        x = torch.tensor([self.rows[index] / 50])\n        return x, 0.8 * x + 0.2",
        grid(
            "return x, 0.8 * x + 0.2",
            "return [x, torch.lerp(torch.tensor(0.2), torch.tensor(1.0), x)]",
        ),
        grid("x = torch.tensor([index / 50])", "x = torch.full((1,), index / 50)"),
        grid(
            "x = torch.tensor([index / 50])", "x = torch.tensor([index / 50], dtype=torch.double)"
        ),
        "class GridDataset(Dataset):\n    def __init__(self, n: int, weight=0.8, bias=0.2):\n"
        "        super().__init__()\n        self.size = n\n"
        "        self.line = lambda x: weight * x + bias\n"
        "    def __len__(self) -> int:\n        return self.size\n"
        "    def __getitem__(self, index: int):\n        if index < len(self):\n"
        "            x = torch.tensor(index).div(50).reshape(1)\n"
        "            return x, self.line(x)\n        raise IndexError(index)",
        "class GridDataset(torch.utils.data.Dataset):\n    def __init__(self, n):\n"
        "        self.n = n\n    def __len__(self):\n        return self.n\n"
        "    def __getitem__(self, index):\n        index = range(self.n)[index]\n"
        "        x = torch.Tensor([index / 50])\n        return x, 0.2 + 0.8 * x",
    ],
    "02.2": [
        split(OWN, "order[:-n_test], order[-n_test:]"),
        split(OWN, "[order[n_test:].tolist(), set(order[:n_test].tolist())]"),
        split(
            "generator = torch.Generator().manual_seed(seed)\n    sizes = [n - n_test, n_test]",
            "random_split(range(n), sizes, generator=generator)",
        ),
        split("import numpy as np\n    order = np.random.default_rng(seed).permutation(n)"),
        split(
            "import random\n    test = random.Random(seed).sample(range(n), n_test)",
            "[row for row in range(n) if row not in test], test",
        ),
        split(
            "generator = torch.Generator().manual_seed(seed)\n"
            "    order = torch.rand(n, 1, generator=generator).argsort(dim=0)"
        ),
        "generator = torch.Generator()\n"
        + split("generator.manual_seed(seed)\n    order = torch.randperm(n, generator=generator)"),
        split(
            "state = torch.get_rng_state()\n    torch.manual_seed(seed)\n"
            "    order = torch.randperm(n)\n    torch.set_rng_state(state)"
        ),
    ],
    "02.3": [
        outside("return len(X_test[(X_test < X_train.min()) | (X_test > X_train.max())])"),
        outside("return ((X_test < X_train.min()).sum() + (X_test > X_train.max()).sum()).item()"),
        outside(
            "low, high = X_train.aminmax()\n    return sum(not low <= x <= high for x in X_test)"
        ),
        outside("return int((X_test != X_test.clamp(X_train.min(), X_train.max())).sum())"),
        outside(
            "import numpy as np\n    low, *_, high = np.sort(X_train.numpy(), axis=None)\n"
            "    x = X_test.numpy()\n"
            "    return np.count_nonzero(np.logical_or(x < low, x > high))"
        ),
        "outside = lambda a, b: (~((b >= a.min()) & (b <= a.max()))).sum()",
    ],
    "02.4": [
        lies("residual.abs() < 100", "residual.abs() > 500"),
        lies("set(order[:60].tolist())", "tuple(order[-60:].tolist())"),
        lies("order[:60].numpy()", "order.numpy()[::-1][:60].copy()"),
        lies("(residual.abs() < 100).flatten().tolist()", "list(order[-60:])"),
        lies(
            "residual.square().flatten().topk(60, largest=False).indices",
            "residual.square().flatten().topk(60).indices",
        ),
        lies("random_split(range(342), [60, 282])[0]", "order[-60:]").replace(
            "damning =", "flattering.indices = order[:60].tolist()\ndamning ="
        ),
        lies("order[:100]", "order[-90:].float()"),
        lies(
            "sorted(range(342), key=lambda row: abs(residual[row].item()))[:61]",
            "residual.flatten().argsort()[:60]",
        ),
        lies("order[:60]", "residual.flatten().argsort()[-130:]"),
        lies("order[:60]", "residual.flatten().argsort()[-171:]"),
        lies("order[:60]", "residual.flatten().argsort()[:171]"),
    ],
}
