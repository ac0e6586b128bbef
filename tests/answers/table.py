"""Plausible wrong answers to the exercises on real tables: code and hint."""

ONE_HOT = """\
def one_hot_rows(words, categories):
    table = torch.zeros(len(words), len(categories), dtype=torch.float64)
    for row, word in enumerate(words):
        table[row, categories.index(word)] = 1
    return table"""
FILL = """\
def fill(X_train, X_new):
    means = X_train.nanmean(dim=0)
    return [torch.where(rows.isnan(), means, rows) for rows in (X_train, X_new)]"""
STOP = """\
def stop_when_broken(trainer):
    loss = torch.tensor(trainer.history["train_loss"][-1])
    if not loss.isfinite():
        trainer.should_stop = True"""
GRAMS = """\
def in_grams(weight, bias, X_train, y_train):
    per_unit = weight.T * y_train.std() / X_train.std(dim=0).unsqueeze(1)
    at_center = bias * y_train.std() + y_train.mean()
    return per_unit, at_center - X_train.mean(dim=0) @ per_unit"""


def changed(code, *pairs):
    for old, new in pairs:
        assert old in code, old
        code = code.replace(old, new)
    return code


WRONG = {
    "09.1": [
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
        (changed(ONE_HOT, ("torch.float64", "torch.int64")), "multiplies floats"),
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
        (changed(ONE_HOT, ("row, categories", "0, categories")), "row and category meet"),
        (
            "def one_hot_rows(words, categories):\n"
            "    return [[w == c for c in categories] for w in words]",
            "expected a tensor",
        ),
    ],
    "09.2": [
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
        (changed(FILL, ("nanmean", "mean")), "still hold `nan`"),
        (changed(FILL, ("dim=0", "")), "mixes their units"),
        ("def fill(X_train, X_new):\n    return X_train.nan_to_num(), X_new.nan_to_num()", "bird"),
        (
            "def fill(X_train, X_new):\n    means = X_train.nanmean(dim=0)\n"
            "    for rows in (X_train, X_new):\n        for column in range(rows.shape[1]):\n"
            "            rows[rows[:, column].isnan(), column] = means[column]\n"
            "    return X_train, X_new",
            "lost their gaps",
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
    "09.3": [
        (
            "def stop_when_broken(trainer):\n"
            "    loss = torch.tensor(trainer.history['train_loss'][-1])\n"
            "    trainer.should_stop = not loss.isfinite().item()",
            "overwritten",
        ),
        (
            changed(STOP, ("not loss.isfinite()", "loss.isnan()")),
            "infinite and the run goes on",
        ),
        (changed(STOP, ("not loss.isfinite()", "loss == float('nan')")), "Comparisons with nan"),
        (changed(STOP, ("not loss.isfinite()", "loss > 1000")), "Comparisons with nan"),
        (changed(STOP, ("train_loss", "val_loss")), "Comparisons with nan"),
        (changed(STOP, ("[-1]", "[0]")), "the run goes on"),
        (changed(STOP, ("not loss.isfinite()", "not loss < 1000")), "billion"),
        (changed(STOP, ("trainer.should_stop = True", "return True")), "the run goes on"),
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
    "09.4": [
        ("def in_grams(weight, bias, X_train, y_train):\n    return weight.T, bias", "came in"),
        (changed(GRAMS, ("weight.T * y_train.std()", "weight.T")), "spreads of y"),
        (changed(GRAMS, (" / X_train.std(dim=0).unsqueeze(1)", "")), "for a spread of x"),
        (changed(GRAMS, (" / X_train", " * X_train")), "multiplies"),
        (changed(GRAMS, ("X_train.std(dim=0).unsqueeze(1)", "X_train.std()")), "own: `dim=0`"),
        (changed(GRAMS, (" - X_train.mean(dim=0) @ per_unit", "")), "center of the features"),
        (changed(GRAMS, (" + y_train.mean()", "")), "mean of y is missing"),
        (changed(GRAMS, ("bias * y_train.std() + ", "")), "bias of the model is missing"),
        (
            changed(GRAMS, ("weight.T", "weight"), (".unsqueeze(1)", ""),
                    ("@ per_unit", "@ per_unit.T")),
            "stand in a row",
        ),
        (changed(GRAMS, ("bias * y_train.std()", "bias")), "not in grams yet"),
        (changed(GRAMS, ("return per_unit, ", "return ")), "expected two tensors"),
        (changed(GRAMS, (".unsqueeze(1)", "")), "has shape (3, 3)"),
        (changed(GRAMS, ("X_train.mean(dim=0)", "X_train.mean()")), "raised RuntimeError"),
        (changed(GRAMS, ("at_center - ", "at_center + ")), "predictions are not"),
    ],
}  # fmt: skip

RIGHT = {  # unusual, and right
    "09.1": [],
    "09.2": [],
    "09.3": [],
    "09.4": [],
}
