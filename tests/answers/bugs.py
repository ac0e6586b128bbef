"""Plausible wrong fixes of the lab's broken programs, the broken ones first: code and hint."""

from exercises import Lesson
from refresh import NOTEBOOKS

LAB = Lesson(NOTEBOOKS / "lab_break_it.ipynb")
SGD = "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
STEP = "            optimizer.step()\n"


def broken(number, *changes):
    """Return the program of a stub, with texts replaced, as the fixed one."""
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

ROWS = "rows = torch.randperm(len(X), generator=generator)"
SEEDED = "generator = torch.Generator().manual_seed(420)"
PARTS = (
    "    n = int(0.8 * len(X))\n    return X[rows[:n]], y[rows[:n]], X[rows[n:]], y[rows[n:]]\n"
    "mended = split"
)
END = "train_losses.append(mean_loss(model, train_set))"
HELD = "    with torch.inference_mode():\n        return loss_fn(model(X), y).item()"
RESTORED = '    optimizer.load_state_dict(saved["optimizer"])\n'


def split_by(*lines):
    """Return a split whose lines make `rows`, an order of all rows."""
    return "def split(X, y):\n" + "".join(f"    {line}\n" for line in lines) + PARTS


def measured(*lines, returns="sum(losses) / len(losses)"):
    """Return a `test_loss` that goes through batches."""
    body = "".join(f"        {line}\n" for line in lines)
    return (
        f"def test_loss(model, test_set):\n    losses = []\n    with torch.no_grad():\n{body}"
        f"    return {returns}\nmended = test_loss"
    )


def noted(*lines):
    """Return the solution of exercise 6 that notes the training loss otherwise."""
    return solved(6, (END, "\n        ".join(lines)))


WRONG = {
    "lab.1": [
        (broken(1), "gets a str and goes on"),
        (broken(1, (POLITE, "return None")), "gets None and goes on"),
        (broken(1, (POLITE, "return self[len(self) - 1]")), "never ends"),
        (broken(1, (POLITE, "return self[index % len(self)]")), "never ends"),
        (broken(1, (POLITE, 'raise ValueError("no such reading")')), "breaks with ValueError"),
        (broken(1, (POLITE, "raise StopIteration")), "gives StopIteration"),
        (solved(1, ("[index]", "[index + 1]")), "first index left out"),
        (solved(1, ("        return self", "        if index >= len(self) - 1:\n"
                    "            raise IndexError\n        return self")), "last index left out"),
        (broken(1, (POLITE, "return IndexError(index)")), "`raise` it"),
        (broken(1, (POLITE, "return IndexError")), "`raise` it"),
        (broken(1, (POLITE, "assert False, index")), "breaks with AssertionError"),
        (solved(1, ("mended = Readings", "mended = Readings(X, y)")), "without parentheses"),
        (solved(1, ("return len(self.X)", "return len(self.X) + 1")), "which is 7 here"),
        (solved(1, ("self.X[index], self.y[index]", "self.X[index], self.y[0]")), "Item 1"),
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
        (broken(2, (CUT, "    rows = torch.randperm(len(X))\n" + SHUFFLED)), "A second call"),
        (broken(2, (CUT, "    torch.manual_seed(420)\n    rows = torch.randperm(len(X))\n"
                    + SHUFFLED)), "other code gets from PyTorch"),
        (split_by("np.random.seed(1)", "rows = np.random.permutation(len(X))"), "from NumPy"),
        (split_by("rng = np.random.RandomState()", "rows = rng.permutation(len(X))"),
         "A second call"),
        (split_by(SEEDED, "rows = torch.randperm(len(X))"), "hand it to what draws"),
        ("shared = torch.Generator().manual_seed(420)\n"
         + split_by("rows = torch.randperm(len(X), generator=shared)"), "A second call"),
        (split_by(SEEDED, "rows = torch.randint(len(X), (len(X),), generator=generator)"),
         "drawn twice"),
        (solved(2, ("X, y = X[rows], y[rows]", "X[:], y[:] = X[rows], y[rows]")),
         "for all who use it"),
        (solved(2, ("return X[:n_train], y[:n_train], X[n_train:], y[n_train:]",
                    "return X[n_train:], y[n_train:], X[:n_train], y[:n_train]")),
         "[10, 10, 40, 40] rows"),
        (broken(2, (CUT, f"    {SEEDED}\n    rows = torch.randperm(n_train, generator=generator)\n"
                    "    return X[rows], y[rows], X[n_train:], y[n_train:]")), "neighbors"),
        (
            solved(2, ("X, y = X[rows], y[rows]", "X = X[rows]\n    rows = torch.randperm("
                       "len(X), generator=generator)\n    y = y[rows]")),
            "separated",
        ),
        (solved(2, ("X, y = X[rows], y[rows]", "X = X[rows]")), "separated"),
        (split_by(SEEDED, "half = len(X) // 2",
                  "late = half + torch.randperm(len(X) - half, generator=generator)",
                  "rows = torch.cat([torch.arange(half), late])"), "one half of the table"),
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
                    "return X[:n_train], X[n_train:], y[:n_train], y[n_train:]")),
         "expected [40, 40, 10, 10]"),
    ],
    "lab.3": [
        (broken(3), "flat at the mean"),
        (broken(3, ("range(40)", "range(400)")), "flat at the mean"),
        (solved(3, ("y.unsqueeze(1)", "y.unsqueeze(0)")), "flat at the mean"),
        (broken(3, ("(y_pred - y).square().mean()", "nn.MSELoss()(y_pred, y)")), "flat at the"),
        (broken(3, ("(y_pred - y).square().mean()", "(y_pred - y).square().sum()")), "not a sum"),
        (solved(3, ("(y_pred - y).square().mean()", "(y_pred - y).square().sum()")), "not a sum"),
        (solved(3, ("        optimizer.zero_grad()\n", "")), "all five lines in the loop"),
        (solved(3, ("        optimizer.step()\n", "")), "the weights never move"),
        (solved(3, ("        optimizer.step()", "        optimizer.zero_grad()\n"
                    "        optimizer.step()")), "the weights never move"),
        (broken(3, ("x.unsqueeze(1)", "x.unsqueeze(0)")), "raised RuntimeError"),
        (solved(3, ("lr=0.1", "lr=0.001")), "at the old rate and for as many epochs"),
        (solved(3, ("        optimizer.step()", "    optimizer.step()")), "lines in the loop"),
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
                    f"        {SGD}        y")), "one model with one optimizer"),
        (broken(4, ("epochs):\n        y", f"epochs):\n        {SGD}        y")), "of the first"),
        (solved(4, ("lr=0.1", "lr=0.05")), "a rate of 0.05"),
        (solved(4, ("loss_fn(y_pred, y)", "loss_fn(y_pred, y) / 2")), "not half of it"),
        (solved(4, ("loss_fn(y_pred, y)", "nn.MSELoss(reduction='sum')(y_pred, y)")), "not a sum"),
        (solved(4, ("model(X)", "model(X).flatten()"), ("(y_pred, y)", "(y_pred, y)")),
         "(N,) and (N, 1)"),
        (solved(4, ("lr=0.1", "lr=0.1, momentum=0.9")), "momentum"),
        (solved(4, ("loss_fn(y_pred, y)", "nn.L1Loss()(y_pred, y)")), "the old loss"),
        (solved(4, ("range(epochs)", "range(epochs + 1)")), "With 0 epochs"),
        (solved(4, ("range(epochs)", "range(25)")), "With 0 epochs"),
        (solved(4, ("        loss.backward()\n        optimizer.step()",
                    "        optimizer.step()\n        loss.backward()")), "never move"),
        (solved(4, ("        optimizer.zero_grad()\n", ""),
                ("        loss.backward()\n        optimizer.step()\n",
                 "        optimizer.step()\n        optimizer.zero_grad()\n"
                 "        loss.backward()\n")), "before `backward`"),
        (solved(4, ("        optimizer.zero_grad()", "        if epoch % 2:\n"
                    "            optimizer.zero_grad()")), "reset all gradients in each epoch"),
        (broken(4, ("epochs):\n        y", "epochs):\n        torch.manual_seed(420)\n"
                    f"        model = nn.Linear(1, 1)\n        {SGD}        y")), "begin anew"),
        (broken(4, ("    torch.manual_seed(420)\n", "")), "Leave the seed"),
        (broken(4, ("SGD", "Adam")), "Keep SGD"),
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
        (solved(5, ("            optimizer.step()", "            optimizer.zero_grad()\n"
                    "            optimizer.step()")), "find in their gradients"),
        (solved(5, ("        torch.manual_seed(seed)\n", "")), "where its seed says"),
        (solved(5, ("    for seed in seeds:\n        torch.manual_seed(seed)\n",
                    "    torch.manual_seed(seeds[0])\n    for seed in seeds:\n")),
         "where its seed says"),
        (solved(5, ("        torch.manual_seed(seed)\n        model = nn.Linear(1, 1)\n",
                    "        model = nn.Linear(1, 1)\n        torch.manual_seed(seed)\n")),
         "where its seed says"),
        (solved(5, ("weights.append(model.weight.item())", "weights.append(model.bias.item())")),
         "These are the biases"),
        (solved(5, ("            optimizer.step()", "        optimizer.step()")),
         "not all reach"),
    ],
    "lab.6": [
        (broken(6), "while the weights still move"),
        (broken(6, (RUNNING, "train_losses.append(losses[-1])")), "while the weights still move"),
        (
            broken(6, ("losses.append(loss.item())", "losses.append(loss.item() * len(X_batch))"),
                   (RUNNING, "train_losses.append(sum(losses) / len(train_set))")),
            "while the weights still move",
        ),
        (
            broken(6, ("        losses = []\n", "        losses = []\n"
                       "        train_losses.append(mean_loss(model, train_set))\n"),
                   (f"        {RUNNING}\n", "")),
            "before the epoch",
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
        (solved(6, (STEP, STEP[4:])), "takes 1 step."),
        (solved(6, ("            optimizer.zero_grad()\n", "")), "the model learns differently"),
        (solved(6, ("            optimizer.zero_grad()\n", ""),
                ("        for X", "        optimizer.zero_grad()\n        for X")),
         "the model learns differently"),
        (solved(6, ("shuffle=True", "shuffle=True, drop_last=True")), "takes 9 steps"),
        (solved(6, ("    for epoch in range(epochs):\n", "    for epoch in range(epochs):\n"
                    "        torch.manual_seed(420)\n        model = nn.Linear(1, 1)\n"
                    f"        {SGD}")), "begins anew"),
        (noted("losses = [loss_fn(model(X), y).item() for X, y in loader]", RUNNING),
         "counts as much as one of 16"),
        (noted("losses = [loss_fn(model(X), y).item() for X, y in DataLoader(train_set, 16)]",
               "train_losses.append((sum(r ** 0.5 for r in losses) / len(losses)) ** 2)"),
         "squaring their mean does not undo it"),
        (noted("losses = [loss_fn(model(X), y).item() for X, y in DataLoader(train_set, 16)]",
               "train_losses.append(sum(r ** 0.5 for r in losses) / len(losses))"),
         "a mean of roots"),
        (noted("losses = [loss_fn(model(X), y).item() for X, y in loader]",
               "train_losses.append((sum(r ** 0.5 for r in losses) / len(losses)) ** 2)"),
         "roots taken of each"),
        (noted("train_losses.append(loss_fn(model(X_batch), y_batch).item())"),
         "Is it the loss of one batch"),
        (noted("losses = [loss_fn(model(X), y).item() for X, y in DataLoader(train_set, 16)]",
               "train_losses.append(sum(losses) * loader.batch_size / len(train_set))"),
         "counted as 16 rows"),
        (noted("losses = [loss_fn(model(X), y).item() for X, y in DataLoader(train_set, 16)]",
               "train_losses.append(sum(losses) / len(loader.dataset))"),
         "divided by the number of rows"),
        (noted("train_losses.append(mean_loss(model, train_set) ** 0.5)"), "the root of"),
        (noted("train_losses.append(mean_loss(model, train_set) / 2)"), "half of the mean"),
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
        (solved(7, ("y).item()", "y.flatten()).item()")), "(N,) and (N, 1)"),
        (solved(7, ("y).item()", "y).item() / 2")), "half of the mean squared error"),
        (solved(7, ("loss_fn(model(X), y)", "(model(X) - y).abs().mean()")), "absolute residual"),
        (measured("for X, y in DataLoader(test_set, batch_size=3):",
                  "    losses.append(loss_fn(model(X), y).item())"), "batches of unequal size"),
        (measured("for X, y in DataLoader(test_set, batch_size=8):",
                  "    losses.append(loss_fn(model(X), y).item() ** 0.5)"), "Roots of batches"),
        (measured("for X, y in DataLoader(test_set, batch_size=5):",
                  "    losses.append(loss_fn(model(X), y).sqrt().item())",
                  returns="(sum(losses) / len(losses)) ** 2"), "Roots of batches"),
        (measured("for X, y in DataLoader(test_set, batch_size=4):",
                  "    losses.append(loss_fn(model(X), y).item() * len(X))",
                  returns="sum(losses) / len(test_set.dataset)"), "by the rows of the dataset"),
        (measured("for X, y in DataLoader(test_set, batch_size=4, drop_last=True):",
                  "    losses.append(loss_fn(model(X), y).item())"), "The last batch is left out"),
        (measured("loader = DataLoader(test_set, batch_size=4)", "for X, y in loader:",
                  "    losses.append(loss_fn(model(X), y).item() * loader.batch_size)",
                  returns="sum(losses) / len(test_set)"), "the last one is smaller"),
        (measured("for X, y in DataLoader(test_set, batch_size=4):",
                  "    losses.append(loss_fn(model(X), y).item())",
                  returns="sum(losses) / len(test_set)"), "divided by the number of rows"),
        (solved(7, ("test_set[:]", "test_set[0]")), "each of the 10 count once"),
        (
            broken(7, ("loss_fn(model(X), y).item()", "loss_fn(model(X), y).item() * "
                       "len(test_set) / len(test_set.dataset)")),
            "The others have to stay out",
        ),
        (solved(7, ("return loss_fn", "loss = loss_fn")), "returns None"),
        *((measured(f"for X, y in DataLoader(test_set, batch_size={size}):",
                    "    losses.append(loss_fn(model(X), y).item())"), "batches of unequal size")
          for size in (10, 16, 32)),
    ],
    "lab.8": [
        (broken(8), "requires grad"),
        (broken(8, (FORWARD, "return model(X).detach().numpy()")), "thrown away"),
        (broken(8, ("model.eval()", "model.train()"), (FORWARD, NO_GRAD + FORWARD)), "Dropout"),
        (broken(8, ("    model.eval()\n", ""), (FORWARD, NO_GRAD + FORWARD)), "Dropout"),
        (broken(8, (FORWARD, "model.requires_grad_(False)\n    " + FORWARD)), "trained further"),
        (broken(8, ("model.eval()", "model.training = False"), (FORWARD, NO_GRAD + FORWARD)),
         "a layer inside"),
        (broken(8, ("model.eval()", "torch.set_grad_enabled(False)\n    model.eval()")),
         "for the whole program"),
        (broken(8, ("model.eval()", "torch.set_grad_enabled(False)")), "for the whole program"),
        (solved(8, ("    model.eval()\n", ""), (FORWARD, "y_pred = model(X)\n    model.eval()\n"
                    "    return y_pred.numpy()")), "before predicting"),
        (broken(8, (FORWARD, "import copy\n    return copy.deepcopy(model)(X).detach().numpy()")),
         "thrown away"),
        (broken(8, (FORWARD, "return model(X).data.numpy()")), "thrown away"),
        (solved(8, ("model(X).numpy()", "model(X).numpy().astype(int)")), "evaluation mode"),
        (broken(8, (FORWARD, NO_GRAD + "return model(X)")), "returns a Tensor"),
        (broken(8, (FORWARD, "return model(X).tolist()")), "returns a list"),
        (broken(8, (FORWARD, NO_GRAD + "model(X).numpy()")), "returns None"),
        (broken(8, (FORWARD, NO_GRAD + "return model(X).flatten().numpy()")), "one row for each"),
        (broken(8, ("model.eval()", "[p.requires_grad_(False) for p in model.parameters()]")),
         "Call `eval()` before"),
    ],
    "lab.9": [
        (broken(9), "Which of the two values has another type"),
        (broken(9, ("    return torch.load(io.BytesIO(data), weights_only=True)",
                    "    allowed = [np.dtype, type(np.dtype('float64')), type(np.float64(1)),\n"
                    "               np._core.multiarray.scalar]\n"
                    "    with torch.serialization.safe_globals(allowed):\n"
                    "        return torch.load(io.BytesIO(data), weights_only=True)")),
         "Save a plain number"),
        (broken(9, ("    return torch.load(io.BytesIO(data), weights_only=True)",
                    "    torch.serialization.add_safe_globals([np.dtype, "
                    "np._core.multiarray.scalar, type(np.dtype('float64'))])\n"
                    "    saved = torch.load(io.BytesIO(data), weights_only=True)\n"
                    "    return saved | {'best_loss': float(saved['best_loss'])}")),
         "Save a plain number"),
        ("import pickle\nsave_run = lambda model, best: pickle.dumps({'model': model.state_dict(), "
         "'best_loss': float(best)})\nload_run = pickle.loads\nmended = (save_run, load_run)",
         "the code ran"),
        (solved(9, ('"model": model.state_dict()', '"model": model')), "Which of the two values"),
        (solved(9, ("float(best_loss)", "round(float(best_loss), 2)")), "as it was saved"),
        (solved(9, ("float(best_loss)", "round(float(best_loss), 4)")), "as it was saved"),
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
            "other settings",
        ),
        (solved(10, ("optimizer.state_dict()}", "optimizer}"), (RESTORED, ""),
                    ("    return model, optimizer", '    return model, saved["optimizer"]')),
         "such as the optimizer itself"),
        (solved(10, ('"model": model.state_dict()', '"model": model')), "tensors and plain"),
        (solved(10, ("weights_only=True", "weights_only=False")), "the code ran"),
        (
            solved(10, ("optimizer.state_dict()}", "optimizer}"), (RESTORED, ""),
                   ("weights_only=True", "weights_only=False"),
                   ("    return model, optimizer", '    return model, saved["optimizer"]')),
            "the code ran",
        ),
        (solved(10, ("return model, optimizer, loader", "return optimizer, model, loader")),
         "in the place of the model"),
        (
            solved(10, (SET_GENERATOR, "    loader = DataLoader(train_set, batch_size=16, "
                                       "shuffle=True)\n")),
            "another order",
        ),
        (
            solved(10, ("    return model, optimizer, loader", "    loader = DataLoader(train_set, "
                        "batch_size=32, shuffle=True, generator=loader.generator)\n"
                        "    return model, optimizer, loader")),
            "Is the loader that of `start`",
        ),
        (
            solved(10, (RESTORED, RESTORED + "    for state in optimizer.state.values():\n"
                        "        state['step'] = torch.tensor(0.0)\n")),
            "not that of the moment of saving",
        ),
    ],
}  # fmt: skip

NEW = "        model = nn.Linear(1, 1)\n        for"
FIVE = (
    "optimizer.zero_grad()\n        loss = nn.functional.mse_loss(model(X), y)\n"
    "        loss.backward()\n        optimizer.step()\n"
)

RIGHT = {  # unusual, and right
    "lab.1": [
        solved(1, ("return self.X[index], self.y[index]", "return [self.X[index], self.y[index]]")),
        broken(1, (POLITE, "raise IndexError(f'no reading {index} of {len(self)}')")),
        solved(1, ("class Readings(Dataset)", "class Readings(TensorDataset)"),
                  ("        self.X, self.y = X, y", "        super().__init__(X, y)\n"
                   "        self.X, self.y = self.tensors")),
        solved(1, ("        return self.X", "        if not -len(self) <= index < len(self):\n"
                   "            raise IndexError(index)\n        return self.X")),
        "mended = TensorDataset",
        "def mended(X, y):\n    return list(zip(X, y))",
    ],
    "lab.2": [
        split_by("rows = np.random.default_rng(420).permutation(len(X))"),
        split_by("rows = np.random.RandomState(1).permutation(len(X)).tolist()"),
        split_by("import random", "rows = list(range(len(X)))", "random.Random(420).shuffle(rows)"),
        split_by("rows = torch.rand(len(X), generator=torch.Generator().manual_seed(7)).argsort()"),
        split_by("with torch.random.fork_rng():", "    torch.manual_seed(420)",
                 "    rows = torch.randperm(len(X))"),
        "def mended(X, y):\n    generator = torch.Generator()\n    generator.manual_seed(420)\n"
        "    parts = random_split(TensorDataset(X, y), [0.8, 0.2], generator=generator)\n"
        "    (a, b), (c, d) = (part[:] for part in parts)\n    return [a, b, c, d]",
    ],
    "lab.3": [
        solved(3, ("y.unsqueeze(1)", "y"), ("y_pred = model(X)", "y_pred = model(X).squeeze(1)")),
        solved(3, ("y.unsqueeze(1)", "y[:, None]"),
                  ("(y_pred - y).square().mean()", "nn.functional.mse_loss(y_pred, y)")),
        solved(3, ("x.unsqueeze(1), y.unsqueeze(1)", "x.view(-1, 1), y.reshape(-1, 1)"),
                  ("lr=0.1", "lr=0.05"), ("range(40)", "range(200)")),
        "def mended(x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:\n"
        "    columns = torch.stack([x, torch.ones_like(x)], dim=1)\n"
        "    return tuple(torch.linalg.lstsq(columns, y.unsqueeze(1)).solution.flatten().tolist())",
    ],
    "lab.4": [
        solved(4, ("optimizer.zero_grad()", "model.zero_grad()")),
        broken(4, ("        optimizer.step()\n", "        optimizer.step()\n"
                   "        optimizer.zero_grad()\n")),
        solved(4, ("optimizer.zero_grad()", "for p in model.parameters():\n"
                   "            p.grad = None")),
        solved(4, ("optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=False)"),
                  ("loss_fn(y_pred, y)", "(y - y_pred).pow(2).mean()")),
        "def mended(X, y, epochs):\n    torch.manual_seed(420)\n    model = nn.Linear(1, 1)\n"
        "    for _ in range(epochs):\n"
        "        loss = nn.functional.mse_loss(model(X), y)\n"
        "        slopes = torch.autograd.grad(loss, model.parameters())\n"
        "        with torch.no_grad():\n"
        "            for p, slope in zip(model.parameters(), slopes):\n"
        "                p -= 0.1 * slope\n"
        "    return model.weight.item(), model.bias.item()",
    ],
    "lab.5": [
        "def mended(seeds, X, y, epochs):\n    def one(seed):\n        torch.manual_seed(seed)\n"
        "        model = nn.Linear(1, 1)\n"
        "        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "        for _ in range(epochs):\n            "
        + FIVE.replace("\n        ", "\n            ")
        + "        return model.weight\n    return [one(seed) for seed in seeds]",
        broken(5, (NEW, "        model.reset_parameters()\n        for")),
        broken(5, (NEW, "        model = nn.Linear(1, 1)\n"
                   "        optimizer.param_groups[0]['params'] = list(model.parameters())\n"
                   "        for")),
        broken(5, (NEW, "        new = nn.Linear(1, 1)\n"
                   "        model.load_state_dict(new.state_dict())\n        for")),
    ],
    "lab.6": [
        noted("with torch.no_grad():", "    X, y = train_set[:]",
              "    train_losses.append(nn.functional.mse_loss(model(X), y).item())"),
        noted("total = 0.0", "with torch.inference_mode():",
              "    for X_batch, y_batch in loader:",
              "        total += loss_fn(model(X_batch), y_batch).item() * len(X_batch)",
              "train_losses.append(total / len(loader.dataset))"),
        noted("whole = DataLoader(train_set, batch_size=len(train_set))",
              "train_losses += [loss_fn(model(X), y).item() for X, y in whole]"),
        noted("rows = train_set.indices", "X, y = (t[rows] for t in train_set.dataset.tensors)",
              "train_losses.append((y - model(X)).square().mean().detach())"),
        broken(6, (f"        {RUNNING}\n", ""),
                  ("    return model, train", "        losses = torch.cat([(y_batch - model("
                   "X_batch)).square() for X_batch, y_batch in loader])\n"
                   f"        {RUNNING.replace('sum(losses) / len(losses)', 'losses.mean().item()')}"
                   "\n    return model, train")),
    ],
    "lab.7": [
        "def mended(model, test_set):\n    X, y = zip(*test_set)\n    X, y = torch.stack(X), "
        "torch.stack(y)\n    with torch.no_grad():\n"
        "        return nn.functional.mse_loss(model(X), y).item()",
        solved(7, ("X, y = test_set[:]", "X, y = (part[test_set.indices] for part in "
                   "test_set.dataset.tensors)")),
        measured("for X, y in DataLoader(test_set, batch_size=4):",
                 "    losses += (model(X) - y).square().flatten().tolist()"),
        measured("for X, y in (loader := DataLoader(test_set, batch_size=3)):",
                 "    losses.append(loss_fn(model(X), y) * len(X))",
                 returns="sum(losses) / len(loader.dataset)"),
        "mended = lambda model, rows: np.mean([(model(X[None]) - y).detach().item() ** 2 "
        "for X, y in rows])",
    ],
    "lab.8": [
        broken(8, ("def predictions", "@torch.no_grad()\ndef predictions")),
        solved(8, ("model(X).numpy()", "np.asarray(model(X).tolist())")),
        "def mended(model, X):\n    was = model.training\n    with torch.inference_mode():\n"
        "        y_pred = model.eval()(X)\n    model.train(was)\n    return y_pred.numpy()",
        "import copy\ndef mended(model: nn.Module, X: torch.Tensor) -> np.ndarray:\n"
        "    twin = copy.deepcopy(model).requires_grad_(False).eval()\n    return twin(X).numpy()",
        broken(8, ("    model.eval()\n", "    model.eval()\n    torch.set_grad_enabled(False)\n"),
                  (FORWARD, "y_pred = model(X)\n    torch.set_grad_enabled(True)\n"
                   "    return y_pred.numpy()")),
    ],
    "lab.9": [
        solved(9, ("float(best_loss)", "best_loss.item()")),
        solved(9, ("float(best_loss)", "torch.tensor(best_loss)")),
        solved(9, ("weights_only=True", 'weights_only=True, map_location="cpu"'),
                  ("float(best_loss)", "np.asarray(best_loss).tolist()")),
        "import json\ndef save_run(model, best):\n    state = {k: v.tolist() for k, v in "
        "model.state_dict().items()}\n    return json.dumps([state, float(best)]).encode()\n"
        "def load_run(data):\n    state, best = json.loads(data)\n    return {'model': {k: "
        "torch.tensor(v) for k, v in state.items()}, 'best_loss': best}\n"
        "mended = (save_run, load_run)",
    ],
    "lab.10": [
        solved(10, (OPTIMIZER, ""), ("    return to_bytes(saved)", '    saved |= {"optimizer": '
                    "optimizer.state_dict()}\n    return to_bytes(saved)")),
        solved(10, ('    model.load_state_dict(saved["model"])\n' + RESTORED,
                    RESTORED + '    model.load_state_dict(saved["model"])\n')),
        "def checkpoint(*run):\n    return to_bytes([part.state_dict() for part in run[:2]] + "
        "[run[2].generator.get_state()])\ndef restore(data):\n    run = start()\n"
        "    *states, order = torch.load(io.BytesIO(data), weights_only=True)\n"
        "    for part, state in zip(run, states):\n        part.load_state_dict(state)\n"
        "    run[2].generator.set_state(order)\n    return run\nmended = [checkpoint, restore]",
        "import copy\ndef checkpoint(model, optimizer, loader):\n    return copy.deepcopy(("
        "model.state_dict(), optimizer.state_dict(), loader.generator.get_state()))\n"
        "def restore(saved):\n    model, optimizer, loader = start()\n"
        "    model.load_state_dict(saved[0])\n    optimizer.load_state_dict(saved[1])\n"
        "    loader.generator.set_state(saved[2])\n    return model, optimizer, loader\n"
        "mended = (checkpoint, restore)",
    ],
}  # fmt: skip
