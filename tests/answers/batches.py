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


def outside(line):
    """Return the code of a function `outside` with this line."""
    return f"def outside(X_train, X_test):\n    {line}"


WRONG = {
    "02.1": [
        ("sizes = [8] * 6", "the last two"),
        ("sizes = [8, 8, 8, 8, 8, 8, 8]", "56 points in all"),
        ("sizes = 7", "a list of numbers"),
        (
            "loader = DataLoader(dataset, batch_size=8)\n"
            "sizes = [len(X_batch) for X_batch, y_batch in loader]",
            "The grid, `X_grid`",
        ),
        (
            "loader = DataLoader(TensorDataset(X_grid, y_grid), batch_size=8, drop_last=True)\n"
            "sizes = [len(X_batch) for X_batch, y_batch in loader]",
            "Six batches",
        ),
        (
            "loader = DataLoader(TensorDataset(X_grid, y_grid), batch_size=16)\n"
            "sizes = [len(X_batch) for X_batch, y_batch in loader]",
            "the batch size 8",
        ),
        (
            "loader = DataLoader(TensorDataset(X_grid, y_grid), batch_size=8)\n"
            "sizes = [len(batch) for batch in loader]",
            "`len` of a pair",
        ),
        ("sizes = [len(p) for p in torch.tensor_split(X_grid, 7)]", "fills one with 8 points"),
        ("sizes = [2] + [8] * 6", "fills one with 8 points"),
        ("sizes = [7, 2]", "a size for each batch"),
        ("sizes = list(range(8, 50, 8)) + [50]", "points in all"),
        ("sizes = [50]", "the batch size 8"),
        ("sizes = [8] * 5 + [10]", "largest batch has 10"),
        ("sizes = [50 / 7] * 7", "a whole number of points"),
        (
            "loader = DataLoader(TensorDataset(X_grid, y_grid), batch_size=8)\n"
            "sizes = [X_batch.shape for X_batch, y_batch in loader]",
            "a Size, expected one number",
        ),
        ("sizes = DataLoader(TensorDataset(X_grid, y_grid), batch_size=8)", "a list of numbers"),
    ],
    "02.2": [
        ("three = random_split(dataset, [140, 30, 30])", "not those of seed 7"),
        (
            "generator = torch.Generator().manual_seed(7)\n"
            "three = random_split(dataset, [160, 20, 20], generator=generator)",
            "160, 20, 20",
        ),
        (
            "rows = torch.arange(200).tolist()\n"
            "three = [torch.utils.data.Subset(dataset, part) for part in "
            "(rows[:140], rows[140:170], rows[170:])]",
            "in order",
        ),
        (
            "generator = torch.Generator().manual_seed(7)\n"
            "parts = [random_split(dataset, [n, 200 - n], generator=generator)[0] "
            "for n in (140, 30, 30)]\n"
            "three = parts",
            "in two parts",
        ),
        (
            "generator = torch.Generator().manual_seed(7)\n"
            "three = random_split(dataset, [140, 60], generator=generator)",
            "has 2 parts",
        ),
        ("three = [X[:140], X[140:170], X[170:]]", "not subsets"),
        (
            "generator = torch.Generator().manual_seed(420)\n"
            "three = random_split(dataset, [140, 30, 30], generator=generator)",
            "rows of seed 420",
        ),
        (
            "generator = torch.Generator().manual_seed(7)\n"
            "for _ in range(2):\n"
            "    three = random_split(dataset, [140, 30, 30], generator=generator)",
            "has drawn before",
        ),
        (
            "generator = torch.Generator().manual_seed(7)\ntorch.rand(3, generator=generator)\n"
            "three = random_split(dataset, [140, 30, 30], generator=generator)",
            "nothing else draw from it",
        ),
        (
            "generator = torch.Generator().manual_seed(7)\n"
            "train, rest = random_split(dataset, [140, 60], generator=generator)\n"
            "three = [train, *random_split(rest, [30, 30], generator=generator)]",
            "was split once more",
        ),
        (
            "generator = torch.Generator().manual_seed(7)\n"
            "three = random_split(X, [140, 30, 30], generator=generator)",
            "items are pairs",
        ),
        (
            "generator = torch.Generator().manual_seed(7)\n"
            "three = random_split(TensorDataset(X), [140, 30, 30], generator=generator)",
            "items are pairs",
        ),
        (
            "generator = torch.Generator().manual_seed(7)\n"
            "three = random_split(dataset, [30, 30, 140], generator=generator)",
            "in this order",
        ),
        ("three = {'train': 140, 'validation': 30, 'test': 30}", "expected the list"),
        (
            "generator = torch.Generator().manual_seed(7)\n"
            "three = [part.indices for part in "
            "random_split(dataset, [140, 30, 30], generator=generator)]",
            "not subsets",
        ),
    ],
    "02.3": [
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
        (grid("return x, 0.8", "return X_grid[index], 0.8"), "`dataset[59]` raised IndexError"),
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
    "02.4": [
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
            outside("return ((X_test < X_grid.min()) | (X_test > X_grid.max())).sum()"),
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
        (outside("return ((X_grid[40:] < 0) | (X_grid[40:] > 0.78)).sum()"), "for any points"),
        (outside("return ((X_test < 0.2) | (X_test > 0.8)).sum()"), "come from `X_train`"),
        (outside("return ((X_test < 0) | (X_test > 0.78)).sum()"), "come from `X_train`"),
        (outside("return ((X_test < X_grid[0]) | (X_test > X_grid[39])).sum()"),
         "come from `X_train`"),
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
}  # fmt: skip

RIGHT = {  # unusual, and right
    "02.1": [
        "sizes = [8] * 6 + [50 - 6 * 8]",
        "sizes = [len(part) for part in X_grid.split(8)]",
        "sizes = tuple(min(8, 50 - first) for first in range(0, 50, 8))",
        "import math\nsizes = []\nleft = 50\nfor _ in range(math.ceil(50 / 8)):\n"
        "    sizes.append(min(8, left))\n    left -= sizes[-1]",
        "loader = DataLoader(TensorDataset(X_grid, y_grid), 8, shuffle=True)\n"
        "sizes = [torch.tensor(y_batch.numel()) for _, y_batch in loader]",
        "loader = DataLoader(range(50), batch_size=8)\nsizes = list(map(len, loader))",
    ],
    "02.2": [
        "three = random_split(dataset, [0.7, 0.15, 0.15], torch.Generator().manual_seed(7))",
        "three = tuple(random_split(TensorDataset(X, y), [140, 30, 30], "
        "generator=torch.Generator().manual_seed(7)))",
        "from torch.utils.data import Subset\n"
        "order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(7))\n"
        "three = [Subset(dataset, part) for part in order.split([140, 30, 30])]",
        "from torch.utils.data import Subset\n"
        "order = torch.randperm(200, generator=torch.Generator().manual_seed(7)).numpy()\n"
        "three = [Subset(dataset, order[a:b]) for a, b in ((0, 140), (140, 170), (170, 200))]",
        "import copy\ngenerator = torch.Generator()\ngenerator.manual_seed(7)\n"
        "three = random_split(copy.deepcopy(dataset), (140, 30, 30), generator=generator)",
    ],
    "02.3": [
        grid(">= self.n", "not in range(self.n)"),
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
    "02.4": [
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
}
