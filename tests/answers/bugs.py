"""Plausible wrong mends of the lab's broken programs, the unmended ones first: code and hint."""

from exercises import Lesson
from refresh import NOTEBOOKS

LAB = Lesson(NOTEBOOKS / "lab_break_it.ipynb")
SGD = "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
STEP = "            optimizer.step()\n"


def broken(number, *changes):
    """Return the program of a stub, with texts replaced, as the mended one."""
    _, *lines, _, _ = LAB.stubs[f"lab.{number}"].splitlines()
    handed_in = LAB.solutions[f"lab.{number}"].splitlines()[-2]
    return changed("\n".join([*lines, handed_in]), changes)


def solved(number, *changes):
    """Return the published solution with texts replaced."""
    _, *lines, _ = LAB.solutions[f"lab.{number}"].splitlines()
    return changed("\n".join(lines), changes)


def changed(text, changes):
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


POLITE = 'return "no such reading"'
CUT = "    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]"
SHUFFLED = (
    "    train, test = rows[:n_train], rows[n_train:]\n"
    "    return X[train], y[train], X[test], y[test]"
)
RUNNING = "train_losses.append(sum(losses) / len(losses))"
FORWARD = "return model(X).numpy()"
NO_GRAD = "with torch.no_grad():\n        "
OPTIMIZER = ', "optimizer": optimizer.state_dict()'
GENERATOR = '    saved["generator"] = loader.generator.get_state()\n'
SET_GENERATOR = '    loader.generator.set_state(saved["generator"])\n'

WRONG = {
    "lab.1": [
        (broken(1), "gets a str and goes on"),
        (broken(1, (POLITE, "return None")), "gets None and goes on"),
        (broken(1, (POLITE, "return self[len(self) - 1]")), "never ends"),
        (broken(1, (POLITE, "return self[index % len(self)]")), "never ends"),
        (broken(1, (POLITE, 'raise ValueError("no such reading")')), "breaks with ValueError"),
        (broken(1, (POLITE, "raise StopIteration")), "gives StopIteration"),
        (solved(1, ("[index]", "[index + 1]")), "last index left out"),
        (
            solved(1, ("return self.X[index], self.y[index]", "return self.X[index]")),
            "expected 2 parts",
        ),
        (
            broken(1, (POLITE, f"{POLITE}\n\n    def __iter__(self):\n"
                               "        return (self[index] for index in range(len(self)))")),
            "one too high gives a str",
        ),
    ],
    "lab.2": [
        (broken(2), "neighbors"),
        (broken(2, (CUT, "    return X[-n_train:], y[-n_train:], X[:-n_train], y[:-n_train]")),
         "neighbors"),
        (broken(2, (CUT, "    rows = torch.randperm(len(X))\n" + SHUFFLED)), "Set a seed"),
        (broken(2, (CUT, "    torch.manual_seed(420)\n    rows = torch.randperm(len(X))\n"
                    + SHUFFLED)), "whole program"),
        (
            solved(2, ("X, y = X[rows], y[rows]", "X = X[rows]\n    rows = torch.randperm("
                       "len(X), generator=generator)\n    y = y[rows]")),
            "separated",
        ),
        (solved(2, ("X, y = X[rows], y[rows]", "X = X[rows]")), "separated"),
        (
            broken(2, (CUT, "    generator = torch.Generator().manual_seed(420)\n"
                       "    train = torch.randperm(len(X), generator=generator)[:n_train]\n"
                       "    test = torch.randperm(len(X), generator=generator)[n_train:]\n"
                       "    return X[train], y[train], X[test], y[test]")),
            "both parts",
        ),
        (
            broken(2, (CUT, "    test = torch.arange(len(X)) % 5 == 0\n"
                       "    return X[~test], y[~test], X[test], y[test]")),
            "equal distances",
        ),
        (solved(2, ("0.8", "0.5")), "expected (40, 1)"),
        (solved(2, ("return X[:n_train], y[:n_train], X[n_train:], y[n_train:]",
                    "return X[:n_train], X[n_train:], y[:n_train], y[n_train:]")), "has shape"),
    ],
    "lab.3": [
        (broken(3), "flat at the mean"),
        (broken(3, ("range(40)", "range(400)")), "flat at the mean"),
        (solved(3, ("y.unsqueeze(1)", "y.unsqueeze(0)")), "flat at the mean"),
        (broken(3, ("(y_pred - y).square().mean()", "nn.MSELoss()(y_pred, y)")), "flat at the"),
        (broken(3, ("(y_pred - y).square().mean()", "(y_pred - y).square().sum()")), "diverged"),
        (broken(3, ("x.unsqueeze(1)", "x.unsqueeze(0)")), "raised RuntimeError"),
        (solved(3, ("lr=0.1", "lr=0.001")), "long enough"),
        (solved(3, ("return model.weight.item(), model.bias.item()",
                    "return model.bias.item(), model.weight.item()")), "changed places"),
        (solved(3, ("return model.weight.item(), model.bias.item()", "return model")), "2 parts"),
    ],
    "lab.4": [
        (broken(4), "gradient of the first"),
        (broken(4, ("lr=0.1", "lr=0.01")), "gradient of the first"),
        (broken(4, ("    for epoch", "    optimizer.zero_grad()\n    for epoch")), "of the first"),
        (broken(4, ("        optimizer.step()", "        optimizer.zero_grad()\n"
                    "        optimizer.step()")), "never move"),
        (broken(4, ("        optimizer.step()\n", "        optimizer.step()\n"
                    "    optimizer.zero_grad()\n")), "of the first"),
        (broken(4, ("        optimizer.step()\n", "        optimizer.step()\n"
                    "        model.weight.grad = None\n")), "still piles up"),
        (broken(4, ("epochs):\n        y", "epochs):\n        model = nn.Linear(1, 1)\n"
                    f"        {SGD}        y")), "on one model"),
        (broken(4, ("epochs):\n        y", "epochs):\n        torch.manual_seed(420)\n"
                    f"        model = nn.Linear(1, 1)\n        {SGD}        y")), "begin anew"),
        (broken(4, ("    torch.manual_seed(420)\n", "")), "Leave the seed"),
        (broken(4, ("SGD", "Adam")), "those of SGD"),
    ],
    "lab.5": [
        (broken(5), "No weight moves"),
        (broken(5, ("lr=0.1", "lr=10.0")), "No weight moves"),
        (broken(5, ("        torch.manual_seed(seed)\n        model = nn.Linear(1, 1)\n",
                    "        torch.manual_seed(seed)\n")), "its own model"),
        (
            broken(5, ("        model = nn.Linear(1, 1)\n        for",
                       f"        if weights == []:\n            model = nn.Linear(1, 1)\n"
                       f"            {SGD}        for")),
            "its own model",
        ),
        (
            broken(5, ("        model = nn.Linear(1, 1)\n        for",
                       f"        model = nn.Linear(1, 1)\n        if seed == seeds[0]:\n"
                       f"            {SGD}        for")),
            "some never move",
        ),
        (solved(5, ("        weights.append", "    weights.append")), "is each run noted"),
        (solved(5, ("            optimizer.zero_grad()\n", "")), "not all reach"),
        (solved(5, ("lr=0.1", "lr=0.0001")), "not all reach"),
        (
            broken(5, (STEP, "            with torch.no_grad():\n"
                       "                for parameter in model.parameters():\n"
                       "                    parameter -= 0.1 * parameter.grad\n")),
            "not all reach",
        ),
        (solved(5, ("return weights", "return weights[-1]")), "a list of numbers"),
    ],
    "lab.6": [
        (broken(6), "at the end of the epoch"),
        (broken(6, (RUNNING, "train_losses.append(losses[-1])")), "at the end of the epoch"),
        (
            broken(6, ("losses.append(loss.item())", "losses.append(loss.item() * len(X_batch))"),
                   (RUNNING, "train_losses.append(sum(losses) / len(train_set))")),
            "at the end of the epoch",
        ),
        (
            broken(6, ("        losses = []\n", "        losses = []\n"
                       "        train_losses.append(mean_loss(model, train_set))\n"),
                   (f"        {RUNNING}\n", "")),
            "at the end of the epoch",
        ),
        (
            broken(6, (RUNNING, "batches = DataLoader(train_set, batch_size=16)\n"
                       "        losses = [loss_fn(model(X), y).item() for X, y in batches]\n"
                       f"        {RUNNING}")),
            "counts as much as one of 16",
        ),
        (
            broken(6, (RUNNING, "X, y = train_set[:]\n        train_losses.append("
                       "(model(X) - y).square().sum().item())")),
            "a sum over rows",
        ),
        (broken(6, (RUNNING, "train_losses.append(mean_loss(model, val_set))")),
         "those of the validation rows"),
        (
            broken(6, ("val_losses.append(mean_loss(model, val_set))",
                       "val_losses.append(sum(losses) / len(losses))")),
            "validation loss was right",
        ),
        (solved(6, (STEP, "")), "is not trained"),
        (solved(6, ("        train_losses.append", "    train_losses.append"),
                ("        val_losses.append", "    val_losses.append")), "for each epoch"),
    ],
    "lab.7": [
        (broken(7), "on all rows"),
        (broken(7, ("test_set.dataset.tensors",
                    "(part[: len(test_set)] for part in test_set.dataset.tensors)")),
         "the first rows"),
        (
            broken(7, ("X, y = test_set.dataset.tensors",
                       "rows = [row for row in range(len(test_set.dataset)) "
                       "if row not in test_set.indices]\n    X, y = test_set.dataset[rows]")),
            "outside of the test set",
        ),
        (solved(7, ("loss_fn(model(X), y).item()", "(model(X) - y).square().sum().item()")),
         "the sum over"),
        (solved(7, (".item()", ".sqrt().item()")), "another unit"),
        (solved(7, ("y).item()", "y.flatten()).item()")), "Look at the shapes"),
        (
            broken(7, ("loss_fn(model(X), y).item()", "loss_fn(model(X), y).item() * "
                       "len(test_set) / len(test_set.dataset)")),
            "not the mean squared error",
        ),
        (solved(7, ("return loss_fn", "loss = loss_fn")), "returns None"),
    ],
    "lab.8": [
        (broken(8), "requires grad"),
        (broken(8, (FORWARD, "return model(X).detach().numpy()")), "thrown away"),
        (broken(8, ("model.eval()", "model.train()"), (FORWARD, NO_GRAD + FORWARD)), "Dropout"),
        (broken(8, ("    model.eval()\n", ""), (FORWARD, NO_GRAD + FORWARD)), "Dropout"),
        (broken(8, (FORWARD, "model.requires_grad_(False)\n    " + FORWARD)), "trained further"),
        (broken(8, (FORWARD, NO_GRAD + "return model(X)")), "returns a Tensor"),
        (broken(8, (FORWARD, "return model(X).tolist()")), "returns a list"),
        (broken(8, (FORWARD, NO_GRAD + "model(X).numpy()")), "returns None"),
        (broken(8, (FORWARD, NO_GRAD + "return model(X).flatten().numpy()")), "one row for each"),
    ],
    "lab.9": [
        (broken(9), "Weights only load failed"),
        (broken(9, ("weights_only=True", "weights_only=False")), "the code ran"),
        (solved(9, ("weights_only=True", "weights_only=False")), "the code ran"),
        (broken(9, ('"best_loss": best_loss', '"best_loss": str(best_loss)')), "is a str"),
        (broken(9, ('"best_loss": best_loss', '"best_loss": int(best_loss)')), "as it was saved"),
        (broken(9, (', "best_loss": best_loss', "")), "should still hold"),
        (broken(9, ("to_bytes({", "{"), ("best_loss})", "best_loss}")), "expected bytes"),
        (solved(9, ("model.state_dict()", "list(model.parameters())[0]")), "state_dict"),
        (solved(9, ("mended = (save_run, load_run)", "mended = save_run")), "expected 2 parts"),
        (
            broken(9, ("    return torch.load(io.BytesIO(data), weights_only=True)",
                       "    try:\n"
                       "        return torch.load(io.BytesIO(data), weights_only=True)\n"
                       "    except Exception:\n"
                       '        return {"model": {}, "best_loss": 0.0625}')),
            "does not come back",
        ),
    ],
    "lab.10": [
        (broken(10), "without memory"),
        (
            solved(10, (GENERATOR, ""), (SET_GENERATOR, "")),
            "another order",
        ),
        (
            solved(10, (SET_GENERATOR, "    loader.generator.manual_seed(420)\n")),
            "another order",
        ),
        (
            solved(10, (OPTIMIZER, ""),
                   ('    optimizer.load_state_dict(saved["optimizer"])\n', "")),
            "without memory",
        ),
        (solved(10, ('    model.load_state_dict(saved["model"])\n', "")), "moment of saving"),
        (
            solved(10, ("return to_bytes(saved)", "return saved"),
                   ("saved = torch.load(io.BytesIO(data), weights_only=True)", "saved = data")),
            "moment of saving",
        ),
        (
            solved(10, ("model, optimizer, loader = start()\n",
                        "_, optimizer, loader = start()\n    model = nn.Linear(1, 1)\n")),
            "of another model",
        ),
        (
            solved(10, ('    optimizer.load_state_dict(saved["optimizer"])\n',
                        '    optimizer.load_state_dict(saved["optimizer"])\n'
                        "    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)\n")),
            "without memory",
        ),
        (
            solved(10, ("return model, optimizer, loader", "return model, optimizer")),
            "3 parts",
        ),
        (
            solved(10, ("loader.generator.get_state()", "torch.get_rng_state()")),
            "another order",
        ),
        (
            solved(10, ("    return model, optimizer, loader",
                        "    optimizer.param_groups[0]['lr'] = 0.01\n"
                        "    return model, optimizer, loader")),
            "ends elsewhere",
        ),
    ],
}  # fmt: skip

RIGHT = {  # unusual, and right
    "lab.1": [],
    "lab.2": [],
    "lab.3": [],
    "lab.4": [],
    "lab.5": [],
    "lab.6": [],
    "lab.7": [],
    "lab.8": [],
    "lab.9": [],
    "lab.10": [],
}
