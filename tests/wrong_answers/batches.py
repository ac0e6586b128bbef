"""Plausible wrong answers to the exercises on datasets, splits and batches: code and hint."""

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
}
