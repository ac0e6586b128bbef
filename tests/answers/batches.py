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
        ("three = [X[:140], X[140:170], X[170:]]", "no subsets"),
    ],
    "02.3": [
        (grid('raise IndexError("bad index")', 'return "bad index"'), "a loop would never end"),
        (grid('raise IndexError("bad index")', "return None"), "a loop would never end"),
        (grid('raise IndexError("bad index")', 'raise ValueError("bad")'), "ValueError"),
        (grid('raise IndexError("bad index")', "raise StopIteration"), "StopIteration"),
        (grid(">= self.n", "> self.n"), "a loop would never end"),
        (grid(">= self.n", ">= 50"), "a loop would never end"),
        (grid("return self.n", "return 50"), "is not 7"),
        (grid("return self.n", "return self.n - 1"), "is not 50"),
        (grid("return self.n", "print(self.n)"), "Is a `return` missing?"),
        (grid("torch.tensor([index / 50])", "torch.tensor(index / 50)"), ".unsqueeze(1)"),
        (grid("torch.tensor([index / 50])", "index / 50"), "a float, expected a tensor"),
        (grid("torch.tensor([index / 50])", "torch.tensor([(index + 1) / 50])"), "index is 0"),
        (grid("torch.tensor([index / 50])", "torch.tensor([index])"), "another point"),
        (grid("return x, 0.8 * x + 0.2", "return x"), "expected a pair"),
        (grid("return x, 0.8 * x + 0.2", "return x, 2.0 * x + 1.5"), "another point"),
        (grid("(Dataset)", ""), "no class made with"),
        (GRID + "GridDataset = GridDataset(50)", "no class made with"),
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
            "left and right of the range at once",
        ),
        (
            outside("return ((X_test < X_train.min()) | (X_test > X_train.max())).float().mean()"),
            "a share",
        ),
        (outside("return (X_test < X_train.min()) | (X_test > X_train.max())"), "one number"),
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
    ],
}

RIGHT = {  # unusual, and right
    "02.1": [],
    "02.2": [],
    "02.3": [],
    "02.4": [],
}
