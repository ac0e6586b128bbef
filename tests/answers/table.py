"""Plausible wrong answers to the exercises on real tables: code and hint."""

ONE_HOT = """\
def one_hot_rows(words, categories):
    table = torch.zeros(len(words), len(categories), dtype=torch.float32)
    for row, word in enumerate(words):
        table[row, categories.index(word)] = 1
    return table"""
FILL = """\
def fill(X_train, X_new):
    means = X_train.nanmean(dim=0)
    return [torch.where(part.isnan(), means, part) for part in (X_train, X_new)]"""
STOP = """\
def stop_when_broken(trainer):
    loss = torch.tensor(trainer.history["train_loss"][-1])
    if not loss.isfinite():
        trainer.should_stop = True"""


def changed(code, *pairs):
    for old, new in pairs:
        assert old in code, old
        code = code.replace(old, new)
    return code


WRONG = {
    "11.1": [
        ('slips = "adeba"', "starts the schedule anew"),
        ('slips = "ddeba"', "Who calls the scheduler"),
        ('slips = "cceba"', "knows no layer"),
        ('slips = "ceeba"', "BatchNorm gave up"),
        ('slips = "cdcba"', "not its business"),
        ('slips = "cddba"', "a gradient like any other"),
        ('slips = "cdaba"', "No file was loaded"),
        ('slips = "cdbea"', "throws no weights"),
        ('slips = "cdebd"', "was there before the stop"),
        ('slips = "cdeaa"', "had seen the test rows before"),
        ('slips = "cdedb"', "does not halve a miss"),
        ('slips = "cdebb"', "flatters the test rows"),
        ('slips = "cdebe"', "nothing was clipped"),
        ('slips = "cdebc"', "That would have shown"),
        ('slips = "bdeca"', "Which does it change"),
        ('slips = "cdeb"', "not five letters"),
        ('slips = "cdebf"', "not five letters"),
        ("slips = 5", "expected five letters"),
    ],
    "11.2": [
        (
            "def one_hot_rows(words, categories):\n"
            "    return torch.tensor(pd.get_dummies(pd.Series(words)).to_numpy(dtype=float))",
            "Only words that occur",
        ),
        (
            "def one_hot_rows(words, categories):\n"
            "    return torch.tensor([float(categories.index(word)) for word in words])",
            "claims an order",
        ),
        (changed(ONE_HOT, ("len(words), len(categories), ", "len(categories), len(words), "),
                 ("[row, categories.index(word)]", "[categories.index(word), row]")), "Turn the"),
        (changed(ONE_HOT, ("torch.float32", "torch.int64")), "wants float32"),
        (changed(ONE_HOT, ("torch.float32", "torch.float64")), "holds torch.float64"),
        (
            changed(ONE_HOT, ("categories.index(word)", "sorted(categories).index(word)")),
            "alphabet",
        ),
        (
            "def one_hot_rows(words, categories):\n"
            "    return torch.tensor([[float(w == c) for c in categories] for w in words])",
            "passes without an error",
        ),
        (changed(ONE_HOT, ("return table", "return table[:, 1:]")), "A column is missing"),
        (
            "def one_hot_rows(words, categories):\n"
            "    column = {name: number for number, name in enumerate(categories)}\n"
            "    table = torch.zeros(len(words), len(categories))\n"
            "    for row, word in enumerate(words):\n"
            "        table[row, column[word]] = 1\n    return table",
            "raises KeyError",
        ),
        (changed(ONE_HOT, ("    return table", "")), "Is a `return` missing"),
        (changed(ONE_HOT, ("row, categories", "0, categories")), "your table is [[1, 0, 0, 1]"),
        (changed(ONE_HOT, ("table[row,", "table[-1 - row,")), "row and category meet"),
        (
            changed(ONE_HOT, ("torch.zeros(", "torch.ones(")),
            "a 0 everywhere else",
        ),
        (
            "def one_hot_rows(words, categories):\n"
            "    codes = torch.tensor([categories.index(word) for word in words])\n"
            "    return nn.functional.one_hot(codes, len(categories))",
            "holds torch.int64",
        ),
        (
            "def one_hot_rows(words, categories):\n"
            "    codes = torch.tensor([categories.index(word) for word in words])\n"
            "    return nn.functional.one_hot(codes).double()[:, 1:]",
            "A column is missing",
        ),
        (changed(ONE_HOT, ("    return table", "    return table.numpy()")), "expected a tensor"),
        (
            "def one_hot_rows(words, categories):\n"
            "    return [[w == c for c in categories] for w in words]",
            "expected a tensor",
        ),
        (
            "def one_hot_rows(words, categories):\n    rows = []\n    for word in words:\n"
            "        rows.append([float(word == name) for name in categories])\n"
            "    if word not in categories:\n        raise ValueError(word)\n"
            "    return torch.tensor(rows)",
            "An unknown word before a known one",
        ),
        (
            "def one_hot_rows(words, categories):\n"
            "    rows = torch.tensor([[float(w == c) for c in categories] for w in words])\n"
            "    if not rows[-1].any():\n        raise ValueError(words[-1])\n    return rows",
            "An unknown word before a known one",
        ),
    ],
    "11.3": [
        (
            "def stop_when_broken(trainer):\n"
            "    loss = torch.tensor(trainer.history['train_loss'][-1])\n"
            "    trainer.should_stop = not loss.isfinite().item()",
            "overwritten",
        ),
        (
            changed(STOP, ("not loss.isfinite()", "loss.isnan()")),
            "infinite is another",
        ),
        (changed(STOP, ("not loss.isfinite()", "loss == float('nan')")), "neither above nor below"),
        (changed(STOP, ("not loss.isfinite()", "loss > 1000")), "neither above nor below"),
        (changed(STOP, ("train_loss", "val_loss")), "Read the training loss"),
        (changed(STOP, ("[-1]", "[0]")), "`[-1]` is the last loss"),
        (changed(STOP, ("not loss.isfinite()", "not loss < 1000")), "1e+09 is large"),
        (changed(STOP, ("not loss.isfinite()", "loss != loss or loss > 1e30")), "1e+38 is large"),
        (changed(STOP, ("not loss.isfinite()", "not loss < 1e10")), "1e+38 is large"),
        (changed(STOP, ("= True", "= True\n        trainer.callbacks = []")),
         "other callbacks no longer"),
        (changed(STOP, ("= True", "= True\n        trainer.callbacks.clear()")),
         "other callbacks no longer"),
        (changed(STOP, ("trainer.should_stop = True", "return True")), "The callback returns True"),
        (changed(STOP, ("trainer.should_stop", "trainer.stop")), "`trainer.stop` was set"),
        (
            changed("import sys\n" + STOP, ("trainer.should_stop = True", "sys.exit()")),
            "ends the whole program",
        ),
        (changed(STOP, ("trainer.should_stop = True", "exit()")), "ends the whole program"),
        (changed(STOP, ("= True", "= torch.tensor(True)")), "is a Tensor"),
        (changed(STOP, ("not loss.isfinite()", "loss != loss")), "infinite is another"),
        (changed(STOP, ("not loss.isfinite()", "loss.item() is torch.nan")), "neither above"),
        (changed(STOP, ("trainer.should_stop", "should_stop")), "the run goes on"),
        (changed(STOP, ("trainer.should_stop = True", "raise StopIteration")), "raised StopIter"),
        (
            "def stop_when_broken(trainer):\n"
            "    losses = torch.tensor([trainer.history[n][-1] for n in trainer.history.names])\n"
            "    if not losses.isfinite().all():\n        trainer.should_stop = True",
            "Look at the latter",
        ),
        ("def stop_when_broken(trainer):\n    trainer.should_stop = True", "is sound"),
        (changed(STOP, ('["train_loss"]', '["loss"]')), "raised InputError"),
    ],
    "11.4": [
        (
            "def fill(X_train, X_new):\n    means = X_train.nanmean(dim=0)\n"
            "    parts = [rows.nan_to_num(0.0) for rows in (X_train, X_new)]\n"
            "    return [torch.where(rows == 0, means, rows) for rows in parts]",
            "A measured 0 is not a gap",
        ),
        (
            "def fill(X_train, X_new):\n    X_train = X_train.nan_to_num(0.0)\n"
            "    means = X_train.sum(dim=0) / (X_train != 0).sum(dim=0)\n"
            "    train = torch.where(X_train == 0, means, X_train)\n"
            "    return train, torch.where(X_new.isnan(), means, X_new)",
            "A measured 0 is not a gap",
        ),
        (
            changed(FILL, ("X_train.nanmean(dim=0)", "torch.cat([X_train, X_new]).nanmean(dim=0)")),
            "come from all rows",
        ),
        (
            "def fill(X_train, X_new):\n    filled = []\n    for rows in (X_train, X_new):\n"
            "        filled.append(torch.where(rows.isnan(), rows.nanmean(dim=0), rows))\n"
            "    return filled",
            "their own means",
        ),
        (
            changed(FILL, ("(X_train, X_new)]", "(X_new, X_train)]")),
            "come in the other order",
        ),
        (changed(FILL, ("nanmean", "mean")), "plain mean of a column with gaps"),
        (changed(FILL, ("part.isnan()", "part == torch.nan")), "They are not found"),
        (
            changed(FILL, ("X_train.nanmean(dim=0)", "X_train.nan_to_num().mean(dim=0)")),
            "count as zeros",
        ),
        (
            changed(FILL, ("X_train.n", "X_train[~X_train.isnan().any(dim=1)].n")),
            "rows without any gap",
        ),
        (
            changed(FILL, ("(), means", "(), part.nanmean(dim=1, keepdim=True)")),
            "other values of its own row",
        ),
        (changed(FILL, ("means, part)", "means.round(decimals=-1), part)")), "and the means are"),
        (
            "def fill(X_train, X_new):\n    means = X_train.nanmean(dim=0)\n"
            "    return X_train.nan_to_num(), torch.where(X_new.isnan(), means, X_new)",
            "those of the training rows became 0 and 0",
        ),
        (
            changed(FILL, ("means, part)", "means, part.clamp(max=400))")),
            "A value of the new rows that was no gap",
        ),
        (changed(FILL, ("dim=0", "")), "mixes their units"),
        ("def fill(X_train, X_new):\n    return X_train.nan_to_num(), X_new.nan_to_num()", "bird"),
        (
            "def fill(X_train, X_new):\n    means = X_train.nanmean(dim=0)\n"
            "    for rows in (X_train, X_new):\n        for column in range(rows.shape[1]):\n"
            "            rows[rows[:, column].isnan(), column] = means[column]\n"
            "    return X_train, X_new",
            "were changed",
        ),
        (
            changed(
                FILL,
                ("    means", "    X_train += 1\n    X_new += 1\n    means"),
                (", part)", ", part) - 1"),
            ),
            "were changed",
        ),
        (
            "def fill(X_train, X_new):\n"
            "    return [rows[~rows.isnan().any(dim=1)] for rows in (X_train, X_new)]",
            "are gone",
        ),
        (
            "def fill(X_train, X_new):\n"
            "    return torch.where(X_new.isnan(), X_train.nanmean(dim=0), X_new)",
            "expected two tensors",
        ),
        (changed(FILL, ("nanmean(dim=0)", "nanmedian(dim=0).values")), "the median"),
        (
            "def fill(X_train, X_new):\n    means = X_train.nanmean(dim=0)\n"
            "    return X_train, torch.where(X_new.isnan(), means, X_new)",
            "training rows still hold",
        ),
    ],
}  # fmt: skip

RIGHT = {  # unusual, and right
    "11.1": [
        'slips = "CDEBA"',
        'slips = ["c", "d", "e", "b", "a"]',
        'slips = "c, d, e, b, a"',
        'slips = ("c", "d", "e", "b", "a")',
    ],
    "11.2": [
        """\
def one_hot_rows(words: list[str], categories: list[str]) -> torch.Tensor:
    codes = torch.tensor([categories.index(word) for word in words])
    return nn.functional.one_hot(codes, num_classes=len(categories)).float()""",
        """\
def one_hot_rows(words, categories):
    return torch.eye(len(categories))[[categories.index(word) for word in words]]""",
        """\
def one_hot_rows(words, categories):
    if unknown := set(words) - set(categories):
        raise ValueError(f"unknown: {unknown}")
    table = pd.get_dummies(pd.Series(words)).reindex(columns=categories, fill_value=0)
    return torch.tensor(table.to_numpy(dtype="float32"))""",
        """\
def one_hot_rows(words, categories):
    def row(word):
        if word not in categories:
            raise ValueError(word)
        return torch.tensor([float(word == name) for name in categories])
    return torch.stack([row(word) for word in words])""",
    ],
    "11.3": [
        """\
def stop_when_broken(trainer):
    import math
    trainer.should_stop |= not math.isfinite(trainer.history["train_loss"][-1])""",
        "import numpy as np\ndef stop_when_broken(trainer):\n"
        "    trainer.should_stop |= ~np.isfinite(trainer.history['train_loss'][-1])",
        """\
def stop_when_broken(trainer):
    *_, last = trainer.history["train_loss"]
    if last != last or abs(last) == float("inf"):
        trainer.should_stop = True
    return trainer""",
        """\
class StopWhenBroken:
    def __init__(self, name="train_loss"):
        self.name = name

    def __call__(self, trainer) -> None:
        loss = trainer.history.to_dict()[self.name][-1]
        if not torch.isfinite(torch.as_tensor(loss)).item():
            setattr(trainer, "should_stop", True)

stop_when_broken = StopWhenBroken()""",
        "stop_when_broken = lambda trainer: trainer.__dict__.update(\n"
        "    should_stop=trainer.should_stop or not bool(\n"
        "        torch.tensor(trainer.history['train_loss']).isfinite()[-1]))",
    ],
    "11.4": [
        """\
def fill(X_train, X_new):
    X_train, X_new = X_train.clone(), X_new.clone()
    for column in range(X_train.shape[1]):
        known = X_train[:, column][~X_train[:, column].isnan()]
        for rows in (X_train, X_new):
            rows[rows[:, column] != rows[:, column], column] = known.mean()
    return X_train, X_new""",
        """\
def fill(X_train, X_new):
    means = pd.DataFrame(X_train.numpy()).mean()
    filled = (pd.DataFrame(rows.numpy()).fillna(means) for rows in (X_train, X_new))
    return tuple(torch.tensor(rows.to_numpy()) for rows in filled)""",
        """\
def fill(X_train: torch.Tensor, X_new: torch.Tensor) -> list[torch.Tensor]:
    known = ~X_train.isnan()
    means = X_train.nan_to_num().double().sum(dim=0) / known.sum(dim=0)
    means = means.to(X_train.dtype)
    return [*map(lambda rows: rows.where(~rows.isnan(), means), (X_train, X_new))]""",
        """\
def fill(X_train, X_new):
    import copy

    class Filler:
        def fit(self, X):
            self.means = torch.nanmean(X, dim=0, keepdim=True)
            return self

        def __call__(self, X):
            X = copy.deepcopy(X)
            gaps = torch.isnan(X)
            X[gaps] = self.means.expand_as(X)[gaps]
            return X

    filler = Filler().fit(X_train)
    return filler(X_train), filler(X_new)""",
    ],
}
