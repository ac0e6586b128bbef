"""Plausible wrong fixes of the lab's broken programs, the broken ones first: code and hint."""

import ast

from exercises import Lesson
from refresh import NOTEBOOKS

LAB = Lesson(NOTEBOOKS / "lab_break_it.ipynb")
SGD = "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
STEP = "            optimizer.step()\n"


def broken(number, *changes):
    """Return the program as it is brought, without what runs it, with texts replaced."""
    *_, handed_in, _ = LAB.solutions[f"lab.{number}"].splitlines()
    names = [node.name for node in defined(LAB.solutions[f"lab.{number}"])]
    code = [cell.source for cell in LAB.cells if cell.cell_type == "code"]
    parts = {n.name: ast.get_source_segment(s, n) for s in code for n in defined(s)}
    return changed("\n\n".join([*(parts[name] for name in names), handed_in]), changes)


def defined(source):
    """Return the functions and classes that a cell defines."""
    nodes = ast.parse(source).body
    return [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def solved(number, *changes):
    """Return the published solution with texts replaced."""
    _, *lines, _ = LAB.solutions[f"lab.{number}"].splitlines()
    return changed("\n".join(lines), changes)


def changed(text, changes):
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


WRAP = "index = index % len(self.X)"
PAST = "if index >= len(self.X):\n            "
CUT = "    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]"
SHUFFLED = (
    "    train, test = rows[:n_train], rows[n_train:]\n"
    "    return X[train], y[train], X[test], y[test]"
)
FORWARD = "return model(X).numpy()"
NAMED = "        for_weight.zero_grad()\n"
FOR_BIAS = "for_bias = torch.optim.SGD([model.bias], lr=0.1)\n"
BOTH = "        for_weight.step()\n        for_bias.step()\n"
BACK = "        loss.backward()\n"
START = "        model.weight = nn.Parameter(5 * torch.randn(1, 1))\n"
SQUARES = "(targets - y_pred).square().mean()"
LATE = "(total / rows).item()"
RUNNING = "train_losses.append(sum(losses) / len(losses))"
SMOOTHED = "smooth = 0.9 * smooth + 0.1 * loss.item()"
EVAL = "model.eval()\n    "
NO_GRAD = "with torch.no_grad():\n        "
OPTIMIZER = ', "optimizer": optimizer.state_dict()'
GENERATOR = '    saved["random"] = loader.generator.get_state()\n'
PACKED = "    torch.save(saved, file)\n    return file.getvalue()"
SET_GENERATOR = '    loader.generator.set_state(saved["random"])\n'

ROWS = "rows = torch.randperm(len(X), generator=generator)"
SEEDED = "generator = torch.Generator().manual_seed(420)"
PARTS = (
    "    n = int(0.8 * len(X))\n    return X[rows[:n]], y[rows[:n]], X[rows[n:]], y[rows[n:]]\n"
    "fixed = split"
)
END = "train_losses.append(mean_loss(model, train_set))"
ONES = "rolls = torch.ones(10)"
RESTORED = '    optimizer.load_state_dict(saved["optimizer"])\n'

MOVED = "model(X_batch)"
BEGINS = "    total, rows = 0.0, 0"
CALLED = "            schedule.step()\n"
BATCHES = "        for X_batch, y_batch in DataLoader(train_set, batch_size=16, shuffle=True):"
SQUASHED = "        chance = torch.sigmoid(model(X))\n        loss = loss_fn(chance, y)"
FED = "        loss = loss_fn(model(X), y)"
FORGOT = "        optimizer.zero_grad()"
MEASURED = "        val_losses.append(mean_loss(model, val_set))"


def split_by(*lines):
    """Return a split whose lines make `rows`, an order of all rows."""
    return "def split(X, y):\n" + "".join(f"    {line}\n" for line in lines) + PARTS


def leaks_by(*lines):
    """Return a test for rows that know too much, made of these lines."""
    return "def leaks(make_rows):\n" + "\n".join(f"    {line}" for line in lines)


def noted(*lines):
    """Return the solution of exercise 13 that notes the training loss otherwise."""
    return solved(13, (END, "\n        ".join(lines)))


WRONG = {
    "lab.1": [
        (broken(1), "requires grad"),
        (broken(1, (FORWARD, "return model(X).detach().numpy()")), "Dropout still"),
        (broken(1, (FORWARD, EVAL + "return model(X).detach().numpy()")), "thrown away"),
        (broken(1, (FORWARD, EVAL + FORWARD)), "requires grad"),
        (broken(1, (FORWARD, "model.train()\n    " + NO_GRAD + FORWARD)), "Dropout"),
        (broken(1, (FORWARD, NO_GRAD + FORWARD)), "Dropout"),
        (broken(1, (FORWARD, EVAL + "model.requires_grad_(False)\n    " + FORWARD)),
         "trained further"),
        (broken(1, (FORWARD, "model.training = False\n    " + NO_GRAD + FORWARD)),
         "a layer inside"),
        (broken(1, (FORWARD, "torch.set_grad_enabled(False)\n    " + EVAL + FORWARD)),
         "for the whole program"),
        (broken(1, (FORWARD, "torch.set_grad_enabled(False)\n    " + FORWARD)),
         "for the whole program"),
        (broken(1, (FORWARD, "torch.manual_seed(0)\n    " + NO_GRAD + FORWARD)), "Dropout still"),
        (solved(1, ("    model.eval()\n", ""), (FORWARD, "y_pred = model(X)\n    model.eval()\n"
                    "    return y_pred.numpy()")), "before predicting"),
        (broken(1, (FORWARD, EVAL + "import copy\n"
                    "    return copy.deepcopy(model)(X).detach().numpy()")), "thrown away"),
        (broken(1, (FORWARD, EVAL + "return model(X).data.numpy()")), "thrown away"),
        (solved(1, ("model(X).numpy()", "model(X).numpy().astype(int)")), "evaluation mode"),
        (solved(1, (FORWARD, "return model(X)")), "returns a Tensor"),
        (broken(1, (FORWARD, EVAL + "return model(X).tolist()")), "returns a list"),
        (solved(1, (FORWARD, "model(X).numpy()")), "returns None"),
        (solved(1, (FORWARD, "return model(X).flatten().numpy()")), "one row for each"),
        (broken(1, (FORWARD, "[p.requires_grad_(False) for p in model.parameters()]\n    "
                    + FORWARD)), "Call `eval()` before"),
    ],
    "lab.2": [
        (broken(2), "With a model on `meta`"),
        (broken(2, (MOVED, 'model(X_batch.to("meta"))')), "With a model on `cpu`"),
        (broken(2, (MOVED, 'model(X_batch.to("cuda"))')), "With a model on `cpu`"),
        (broken(2, ("            y_preds", "            X_batch.to(model.weight.device)\n"
                    "            y_preds")), "With a model on `meta`"),
        (broken(2, ("    model.eval()", '    model.to("cpu").eval()')), "With a model on `meta`"),
        (broken(2, ("    model.eval()", '    model.to_empty(device="cpu").eval()')),
         "has been moved"),
        (broken(2, ("    model.eval()", "    if model.weight.is_meta:\n"
                    "        model = nn.Linear(1, 1)")), "not from there"),
        (solved(2, ("return torch.cat(y_preds)", "return y_preds")), "returns a list"),
        (solved(2, ("torch.cat(y_preds)", "y_preds[0]")), "expected (5, 1)"),
        (solved(2, ("    with torch.inference_mode():\n        for", "    if True:\n        for")),
         "recorded for gradients"),
        (solved(2, ("X_batch.to(", "y_batch.flip(0).to(")), "row by row"),
        (solved(2, ("model(X_batch))", "model(X_batch).cpu())")), "no numbers to copy"),
        (broken(2, ("    y_preds = []", "    torch.set_default_device(model.weight.device)\n"
                    "    y_preds = []")), "With a model on `meta`"),
    ],
    "lab.3": [
        (broken(3), "With 33 rows"),
        (broken(3, ("squeeze()", "squeeze(0)")), "expected (32,)"),
        (broken(3, ("16", "8")), "With 33 rows"),
        (broken(3, ("16", "20")), "With 1 row:"),
        (broken(3, (".squeeze()", "")), "expected (32,)"),
        (broken(3, ("batch_size=16", "batch_size=16, drop_last=True")), "33 rows come 32"),
        (broken(3, ("            parts", "            if len(X_batch) > 1:\n"
                    "                parts")), "33 rows come 32"),
        (broken(3, ("torch.cat(parts)", "torch.stack(parts)")), "expected (32,)"),
        (broken(3, ("torch.cat(parts)", "parts")), "is a list"),
        (solved(3, ("y_batch - model(X_batch)", "model(X_batch) - y_batch")), "signs are turned"),
        (solved(3, ("y_batch - model(X_batch)", "y_batch")), "not y minus"),
        (solved(3, ("parts.append(", "parts[:] = ("), ("squeeze(1))", "squeeze(1),)")),
         "32 rows come 16"),
    ],
    "lab.4": [
        (broken(4), "Which of the two values has another type"),
        (broken(4, ("    return torch.load(io.BytesIO(data), weights_only=True)",
                    "    allowed = [np.dtype, type(np.dtype('float64')), type(np.float64(1)),\n"
                    "               np._core.multiarray.scalar]\n"
                    "    with torch.serialization.safe_globals(allowed):\n"
                    "        return torch.load(io.BytesIO(data), weights_only=True)")),
         "Save a plain number"),
        (broken(4, ("    return torch.load(io.BytesIO(data), weights_only=True)",
                    "    torch.serialization.add_safe_globals([np.dtype, "
                    "np._core.multiarray.scalar, type(np.dtype('float64'))])\n"
                    "    saved = torch.load(io.BytesIO(data), weights_only=True)\n"
                    "    return saved | {'best_loss': float(saved['best_loss'])}")),
         "Save a plain number"),
        ("import pickle\nsave_run = lambda model, best: pickle.dumps({'model': model.state_dict(), "
         "'best_loss': float(best)})\nload_run = pickle.loads\nfixed = (save_run, load_run)",
         "the code ran"),
        (solved(4, ('"model": model.state_dict()', '"model": model')), "Which of the two values"),
        (solved(4, ("float(best_loss)", "round(float(best_loss), 2)")), "as it was saved"),
        (solved(4, ("float(best_loss)", "round(float(best_loss), 4)")), "as it was saved"),
        (broken(4, ("weights_only=True", "weights_only=False")), "the code ran"),
        (solved(4, ("weights_only=True", "weights_only=False")), "the code ran"),
        (broken(4, ('"best_loss": best_loss', '"best_loss": str(best_loss)')), "is a str"),
        (broken(4, ('"best_loss": best_loss', '"best_loss": int(best_loss)')), "as it was saved"),
        (broken(4, (', "best_loss": best_loss', "")), "should still hold"),
        (broken(4, ("return file.getvalue()", "return file")), "expected bytes"),
        (solved(4, ("model.state_dict()", "list(model.parameters())[0]")), "state_dict"),
        (solved(4, ("fixed = (save_run, load_run)", "fixed = save_run")), "expected 2 parts"),
        (
            broken(4, ("    return torch.load(io.BytesIO(data), weights_only=True)",
                       "    try:\n"
                       "        return torch.load(io.BytesIO(data), weights_only=True)\n"
                       "    except Exception:\n"
                       '        return {"model": {}, "best_loss": 0.0625}')),
            "does not come back",
        ),
    ],
    "lab.5": [
        (broken(5), "never ends"),
        (broken(5, (WRAP, PAST + 'return "no such reading"')), "gets a str and goes on"),
        (broken(5, (WRAP, PAST + "return None")), "gets None and goes on"),
        (broken(5, (WRAP, "index = min(index, len(self) - 1)")), "never ends"),
        (broken(5, (WRAP, PAST + 'raise ValueError("no such reading")')), "breaks with ValueError"),
        (broken(5, (WRAP, PAST + "raise StopIteration")), "gives StopIteration"),
        (solved(5, ("[index]", "[index + 1]")), "first index left out"),
        (solved(5, ("        return self", "        if index >= len(self) - 1:\n"
                    "            raise IndexError\n        return self")), "last index left out"),
        (broken(5, (WRAP, PAST + "return IndexError(index)")), "`raise` it"),
        (broken(5, (WRAP, PAST + "return IndexError")), "`raise` it"),
        (broken(5, (WRAP, "assert index < len(self.X), index")), "breaks with AssertionError"),
        (solved(5, ("fixed = Readings", "fixed = Readings(X, y)")), "without parentheses"),
        (solved(5, ("return len(self.X)", "return len(self.X) + 1")), "which is 7 here"),
        (solved(5, ("self.X[index], self.y[index]", "self.X[index], self.y[0]")), "Item 1"),
        (
            solved(5, ("return self.X[index], self.y[index]", "return self.X[index]")),
            "expected 2 parts",
        ),
        (
            broken(5, ("    def __getitem__", "    def __iter__(self):\n"
                       "        return (self[index] for index in range(len(self)))\n\n"
                       "    def __getitem__")),
            "one too high gives a tuple",
        ),
    ],
    "lab.6": [
        (broken(6), "still piles up"),
        (broken(6, ("lr=0.1", "lr=0.01")), "still piles up"),
        (broken(6, ("    for epoch", "    for_bias.zero_grad()\n    for epoch")), "still piles up"),
        (broken(6, (NAMED, f"{NAMED}        for_bias.zero_grad\n")), "still piles up"),
        (broken(6, (NAMED, f"{NAMED}        {FOR_BIAS}")), "still piles up"),
        (broken(6, ("for_weight.zero_grad", "for_bias.zero_grad")), "still piles up"),
        (broken(6, ("        for_bias.step()\n", "        for_bias.step()\n"
                    "    for_bias.zero_grad()\n")), "still piles up"),
        (broken(6, (NAMED, "")), "gradient of the first"),
        (broken(6, (NAMED, "        model.zero_grad\n")), "gradient of the first"),
        (solved(6, (BOTH, f"        for_bias.zero_grad()\n{BOTH}")), "The bias never moves"),
        (solved(6, (BOTH, f"        model.zero_grad()\n{BOTH}")), "The weight never moves"),
        (solved(6, ("        for_bias.step()\n", "")), "The bias never moves"),
        (broken(6, (NAMED, "        model = nn.Linear(1, 1)\n        for_weight = "
                    f"torch.optim.SGD([model.weight], lr=0.1)\n        {FOR_BIAS}")),
         "one model throughout"),
        (solved(6, ("[model.bias], lr=0.1", "[model.bias], lr=0.01")), "one rate for both"),
        (solved(6, ("lr=0.1", "lr=0.05")), "a rate of 0.05"),
        (solved(6, ("loss_fn(y_pred, y)", "loss_fn(y_pred, y) / 2")), "not half of it"),
        (solved(6, ("loss_fn(y_pred, y)", "nn.MSELoss(reduction='sum')(y_pred, y)")), "not a sum"),
        (solved(6, ("model(X)", "model(X).flatten()")), "(N,) and (N, 1)"),
        (solved(6, ("lr=0.1", "lr=0.1, momentum=0.9")), "momentum"),
        (solved(6, ("loss_fn(y_pred, y)", "nn.L1Loss()(y_pred, y)")), "the old loss"),
        (solved(6, ("range(epochs)", "range(epochs + 1)")), "With 0 epochs"),
        (solved(6, ("range(epochs)", "range(25)")), "With 0 epochs"),
        (solved(6, (BACK + BOTH, BOTH + BACK)), "never moves"),
        (solved(6, (NAMED, ""), ("        for_bias.zero_grad()\n", ""),
                (BACK + BOTH, f"{BOTH}        model.zero_grad()\n{BACK}")), "before `backward`"),
        (solved(6, (f"{NAMED}        for_bias.zero_grad()\n", "        if epoch % 2:\n"
                    "            model.zero_grad()\n")), "reset all gradients in each epoch"),
        (broken(6, (NAMED, "        torch.manual_seed(420)\n        model = nn.Linear(1, 1)\n"
                    "        for_weight = torch.optim.SGD([model.weight], lr=0.1)\n"
                    f"        {FOR_BIAS}")), "begin anew"),
        (broken(6, ("    torch.manual_seed(420)\n", "")), "Leave the seed"),
        (solved(6, ("SGD", "Adam")), "Keep SGD"),
    ],
    "lab.7": [
        (broken(7), "No weight moves"),
        (broken(7, (START, "")), "own narrow range"),
        (broken(7, ("lr=0.1", "lr=10.0")), "No weight moves"),
        (broken(7, ("        torch.manual_seed(seed)\n", ""),
                   ("    for seed in seeds", "    torch.manual_seed(seeds[0])\n"
                    "    for seed in seeds")), "where its seed says"),
        (solved(7, ("5 * torch.randn(1, 1)", "torch.ones(1, 1)")), "its own model"),
        (broken(7, (START, "        if seed % 2:\n            model.weight.data *= 5\n"
                    f"        else:\n    {START}")), "some never move"),
        (solved(7, ("        weights.append", "    weights.append")), "is each run noted"),
        (solved(7, ("            optimizer.zero_grad()\n", "")), "not all reach"),
        (solved(7, ("lr=0.1", "lr=0.0001")), "not all reach"),
        (broken(7, (START, START + "        model.weight.requires_grad_(False)\n")),
         "No weight moves"),
        (
            broken(7, (STEP, "            with torch.no_grad():\n"
                       "                for parameter in model.parameters():\n"
                       "                    parameter -= 0.1 * parameter.grad\n")),
            "not all reach",
        ),
        (solved(7, ("return weights", "return weights[-1]")), "a list of numbers"),
        (solved(7, ("            optimizer.step()", "            optimizer.zero_grad()\n"
                    "            optimizer.step()")), "find in their gradients"),
        (solved(7, ("        torch.manual_seed(seed)\n", "")), "where its seed says"),
        (solved(7, ("    for seed in seeds:\n        torch.manual_seed(seed)\n",
                    "    torch.manual_seed(seeds[0])\n    for seed in seeds:\n")),
         "where its seed says"),
        (solved(7, ("        torch.manual_seed(seed)\n", ""),
                   (START, START + "        torch.manual_seed(seed)\n")), "where its seed says"),
        (solved(7, ("weights.append(model.weight.item())", "weights.append(model.bias.item())")),
         "These are the biases"),
        (solved(7, ("            optimizer.step()", "        optimizer.step()")),
         "not all reach"),
    ],
    "lab.8": [
        (broken(8), "flat at the mean"),
        (broken(8, ("range(40)", "range(400)")), "flat at the mean"),
        (broken(8, ("y.unsqueeze(1)", "y.reshape(-1, 1)")), "flat at the mean"),
        (broken(8, (SQUARES, "nn.MSELoss()(y_pred, targets)")), "flat at the"),
        (broken(8, (SQUARES, "(targets - y_pred).square().sum()")), "not a sum"),
        (solved(8, ("square().mean()", "square().sum()")), "not a sum"),
        (solved(8, ("        optimizer.zero_grad()\n", "")), "all five lines in the loop"),
        (solved(8, ("        optimizer.step()\n", "")), "the weights never move"),
        (solved(8, ("        optimizer.step()", "        optimizer.zero_grad()\n"
                    "        optimizer.step()")), "the weights never move"),
        (solved(8, ("(y - y_pred)", "(y - y_pred[:50])")), "raised RuntimeError"),
        (solved(8, ("lr=0.1", "lr=0.001")), "at the old rate and for as many epochs"),
        (solved(8, ("        optimizer.step()", "    optimizer.step()")), "lines in the loop"),
        (solved(8, ("return weight.item(), bias.item()", "return bias.item(), weight.item()")),
         "changed places"),
        (solved(8, ("return weight.item(), bias.item()", "return weight")), "2 parts"),
    ],
    "lab.9": [
        (broken(9), "inside the loop"),
        (broken(9, (LATE, "total / rows")), "still carries its past"),
        (broken(9, (LATE, "float(total.detach() / rows)")), "inside the loop"),
        (broken(9, (LATE, "(total / rows).detach()")), "is a tensor"),
        (broken(9, (BEGINS, "    model.eval()\n" + BEGINS)), "inside the loop"),
        (solved(9, ("loss.item()", "loss.detach()")), "is a tensor"),
        (solved(9, ("len(X_batch) * ", ""), ("total / rows", "total / len(loader)")),
         "counts by its rows"),
        (solved(9, ("total / rows", "total")), "mean over all rows"),
        (solved(9, ("loss.item()", "int(loss)")), "mean over all rows"),
        (broken(9, (BEGINS, "    model.requires_grad_(False)\n" + BEGINS)), "trained further"),
        (broken(9, (BEGINS, "    torch.set_grad_enabled(False)\n" + BEGINS)),
         "for the whole program"),
        ("def measure(model, loader):\n    losses = [(len(X), loss_fn(model(X), y)) for X, y in "
         "loader]\n    return sum(n * loss.item() for n, loss in losses) / sum(n for n, _ in losses"
         ")\nfixed = measure", "inside the loop"),
        (solved(9, ("    total, rows", "    loader = list(loader)\n    total, rows")),
         "the batches themselves"),
        ("def measure(model, loader):\n    with torch.inference_mode():\n        Xs, ys = zip("
         "*loader)\n        return loss_fn(model(torch.cat(Xs)), torch.cat(ys)).item()\n"
         "fixed = measure", "Measure each by itself"),
    ],
    "lab.10": [
        (broken(10), "a step in epoch 3 is made"),
        (broken(10, (CALLED, "")), "never falls"),
        (broken(10, ("step_size=10", "step_size=100")), "never falls"),
        (broken(10, (CALLED, ""), (BATCHES, f"        schedule.step()\n{BATCHES}")),
         "a step in epoch 9 is made"),
        (broken(10, (CALLED, ""), ("    return", "    schedule.step()\n    return")),
         "never falls"),
        (broken(10, (CALLED, CALLED + CALLED[4:])), "a step in epoch 2 is made"),
        (solved(10, ("gamma=0.5", "gamma=0.1")), "at a rate of 0.001"),
        (solved(10, ("lr=0.01", "lr=0.1")), "at a rate of 0.1"),
        (solved(10, ("step_size=10", "step_size=1")), "a step in epoch 1 is made"),
        (solved(10, ("        schedule.step()", "        if epoch % 10 == 0:\n"
                     "            schedule.step()")), "never falls"),
        (broken(10, (CALLED, ""), ("            optimizer.step()", "        optimizer.step()\n"
                     "        schedule.step()")), "25 are made"),
        (solved(10, ("return model", "return schedule.get_last_lr()")), "expected the model"),
        (solved(10, ("loss_fn(model(X_batch), y_batch).backward()", "model(X_batch)")),
         "hardly learns"),
        (broken(10, (CALLED, ""), ("        for X", "        optimizer.param_groups[0]['lr'] = "
                     "0.01 * 0.5 ** (epoch / 10)\n        for X")), "a step in epoch 1 is made"),
    ],
    "lab.11": [
        (broken(11), "takes them for logits"),
        (broken(11, ("range(500)", "range(3000)")), "takes them for logits"),
        (broken(11, ("lr=1.0", "lr=10.0")), "takes them for logits"),
        (broken(11, ("nn.Linear(1, 1)", "nn.Sequential(nn.Linear(1, 1), nn.Sigmoid())"),
                    (SQUASHED, FED)), "takes them for logits"),
        (broken(11, ("nn.BCEWithLogitsLoss()", "nn.MSELoss()")), "mean squared error"),
        (broken(11, ("nn.BCEWithLogitsLoss()", "nn.BCELoss()"), (SQUASHED, FED)),
         "raised RuntimeError"),
        (solved(11, ("nn.BCEWithLogitsLoss()", "nn.BCEWithLogitsLoss(reduction='sum')"),
                    ("lr=1.0", "lr=0.05")), "the sum over the birds"),
        (solved(11, ("lr=1.0", "lr=0.0001")), "are rate and steps the old ones"),
        (solved(11, ("range(500)", "range(2)")), "are rate and steps the old ones"),
        (broken(11, ("torch.sigmoid(model(X))", "torch.softmax(model(X), dim=1)")),
         "what is it fed"),
        (solved(11, ("return model, loss", "return nn.Linear(1, 1), loss")), "not the trained one"),
        (solved(11, ("return model, loss.item()", "return model")), "expected 2 parts"),
        (broken(11, ("loss_fn(chance, y)", "loss_fn(chance.log(), y)")), "what is it fed"),
    ],
    "lab.12": [
        (broken(12), "neighbors"),
        (broken(12, (CUT, "    return X[-n_train:], y[-n_train:], X[:-n_train], y[:-n_train]")),
         "neighbors"),
        (broken(12, (CUT, "    rows = torch.randperm(len(X))\n" + SHUFFLED)), "A second call"),
        (broken(12, (CUT, "    torch.manual_seed(420)\n    rows = torch.randperm(len(X))\n"
                    + SHUFFLED)), "other code gets from PyTorch"),
        (split_by("np.random.seed(1)", "rows = np.random.permutation(len(X))"), "from NumPy"),
        (split_by("rng = np.random.RandomState()", "rows = rng.permutation(len(X))"),
         "A second call"),
        (split_by(SEEDED, "rows = torch.randperm(len(X))"), "hand it to what draws"),
        ("shared = torch.Generator().manual_seed(420)\n"
         + split_by("rows = torch.randperm(len(X), generator=shared)"), "A second call"),
        (split_by(SEEDED, "rows = torch.randint(len(X), (len(X),), generator=generator)"),
         "drawn twice"),
        (solved(12, ("X, y = X[rows], y[rows]", "X[:], y[:] = X[rows], y[rows]")),
         "for all who use it"),
        (solved(12, ("return X[:n_train], y[:n_train], X[n_train:], y[n_train:]",
                    "return X[n_train:], y[n_train:], X[:n_train], y[:n_train]")),
         "[10, 10, 40, 40] rows"),
        (broken(12, (CUT, f"    {SEEDED}\n    rows = torch.randperm(n_train, generator=generator)\n"
                    "    return X[rows], y[rows], X[n_train:], y[n_train:]")), "neighbors"),
        (
            solved(12, ("X, y = X[rows], y[rows]", "X = X[rows]\n    y = y[rows.flip(0)]")),
            "separated",
        ),
        (solved(12, ("X, y = X[rows], y[rows]", "X = X[rows]")), "separated"),
        (split_by(SEEDED, "half = len(X) // 2",
                  "late = half + torch.randperm(len(X) - half, generator=generator)",
                  "rows = torch.cat([torch.arange(half), late])"), "one half of the table"),
        (
            broken(12, (CUT, "    generator = torch.Generator().manual_seed(420)\n"
                       "    train = torch.randperm(len(X), generator=generator)[:n_train]\n"
                       "    test = torch.randperm(len(X), generator=generator)[n_train:]\n"
                       "    return X[train], y[train], X[test], y[test]")),
            "both parts",
        ),
        (split_by("order = [*range(0, 40, 4)]",
                  "rows = [n for n in range(len(X)) if n not in order] + order"), "close together"),
        (solved(12, ("0.8", "0.5")), "expected (40, 1)"),
        (solved(12, ("return X[:n_train], y[:n_train], X[n_train:], y[n_train:]",
                    "return X[:n_train], X[n_train:], y[:n_train], y[n_train:]")),
         "expected [40, 40, 10, 10]"),
    ],
    "lab.13": [
        (broken(13), "while the weights still move"),
        (broken(13, (SMOOTHED, "smooth = loss.item()")), "while the weights still move"),
        (broken(13, (SMOOTHED, SMOOTHED.replace("0.9", "0.5").replace("0.1", "0.5"))),
         "while the weights still move"),
        (broken(13, ("loader:", "loader:\n            size = len(X_batch)"),
                    (SMOOTHED, "smooth += loss.item() * size / len(train_set)"),
                    ("        for X", "        smooth = 0.0\n        for X")),
         "while the weights still move"),
        (broken(13, ("        for X", "        train_losses.append(mean_loss(model, train_set))\n"
                     "        for X"), ("        train_losses.append(smooth)\n", "")),
         "before the epoch"),
        (broken(13, ("train_losses.append(smooth)", "batches = DataLoader(train_set, batch_size=16)"
                     "\n        losses = [loss_fn(model(X), y).item() for X, y in batches]\n"
                     f"        {RUNNING}")), "counts as much as one of 16"),
        (noted("X, y = train_set[:]",
               "train_losses.append((model(X) - y).square().sum().item())"), "a sum over rows"),
        (noted("train_losses.append(mean_loss(model, val_set))"), "those of the validation rows"),
        (broken(13, ("val_losses.append(mean_loss(model, val_set))", "val_losses.append(smooth)")),
         "validation loss was right"),
        (solved(13, (STEP, "")), "is not trained"),
        (solved(13, (STEP, STEP[4:])), "takes 1 step."),
        (solved(13, ("            optimizer.zero_grad()\n", "")), "the model learns differently"),
        (solved(13, ("            optimizer.zero_grad()\n", ""),
                ("        for X", "        optimizer.zero_grad()\n        for X")),
         "the model learns differently"),
        (solved(13, ("shuffle=True", "shuffle=True, drop_last=True")), "takes 9 steps"),
        (solved(13, ("    for epoch in range(epochs):\n", "    for epoch in range(epochs):\n"
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
        (solved(13, ("        train_losses.append", "    train_losses.append"),
                ("        val_losses.append", "    val_losses.append")), "for each epoch"),
    ],
    "lab.14": [
        (leaks_by("return True"), "True of means of the three rolls before"),
        (leaks_by("return False"), "False of means of three rolls that end with"),
        (leaks_by("print(make_rows(torch.arange(6.0)))"), "returns None"),
        (leaks_by("return make_rows(torch.arange(6.0))"), "returns a tuple"),
        (leaks_by(ONES, "rolls[-1] = torch.nan", "return make_rows(rolls)[0].isnan()"),
         "returns a Tensor"),
        (leaks_by(ONES, "rolls[-1] = torch.nan", "return make_rows(rolls)[1].isnan().any().item()"),
         "True of means of the three rolls before"),
        (leaks_by(ONES, "rolls[0] = torch.nan", "return make_rows(rolls)[0].isnan().any().item()"),
         "True of means of the three rolls before"),
        (leaks_by("means, targets = make_rows(torch.arange(6.0))",
                  "return bool((targets - means < 2).any())"), "the two rolls before the target"),
        (leaks_by("means, targets = make_rows(torch.arange(6.0))",
                  "return bool((targets - means <= 1).any())"), "False of means of four rolls"),
        (leaks_by("means, targets = make_rows(torch.arange(6.0))",
                  "return bool((targets == means).any())"), "False of means of three rolls"),
        (leaks_by("rolls = torch.rand(2000)", "means, targets = make_rows(rolls)",
                  "both = torch.cat([means, targets], dim=1).T",
                  "return bool(torch.corrcoef(both)[0, 1] > 0.2)"), "the three rolls after"),
        ("def leaks(_):\n    rolls = torch.ones(10)\n    rolls[-1] = torch.nan\n"
         "    return make_rows(rolls)[0].isnan().any().item()",
         "True of means of the three rolls before"),
        ("leaks = make_rows", "raised"),
        (leaks_by(ONES, "rolls[-1] = torch.nan", "if make_rows(rolls)[0].isnan().any():",
                  "    return 'a leak'", "return 'fine'"), "returns a str"),
    ],
    "lab.15": [
        (broken(15), "In epoch 1 dropout is off"),
        (broken(15, ("    model.train()\n", "")), "In epoch 1 dropout is off"),
        (broken(15, ("    return", "    model.train()\n    return")), "In epoch 1 dropout is off"),
        (broken(15, (FORGOT, "        model.training = True\n" + FORGOT)), "in every layer"),
        (broken(15, (FORGOT, "        if epoch == 0:\n            model.train()\n" + FORGOT)),
         "In epoch 1 dropout is off"),
        (broken(15, (FORGOT, "        if epoch % 2:\n            model.train()\n" + FORGOT)),
         "In epoch 2 dropout is off"),
        (broken(15, (MEASURED, "        with torch.no_grad():\n            val_losses.append("
                     "loss_fn(model(val_set[:][0]), val_set[:][1]).item())")), "should rest"),
        (solved(15, (MEASURED, ""), ("    return", MEASURED[4:] + "\n    return")), "four times"),
        (solved(15, (MEASURED, MEASURED.replace("val_set", "train_set"))), "four times"),
        (broken(15, ("nn.Dropout(dropout), ", "")), "four times"),
        (solved(15, ("model.train()", "model.eval()")), "In epoch 0 dropout is off"),
        (solved(15, ("    return val_losses", "    return val_losses[-1]")), "a list of numbers"),
        (solved(15, ("    return val_losses", "    return [0.1] * epochs")), "each epoch note"),
    ],
    "lab.16": [
        (broken(16), "another order"),
        (
            solved(16, (GENERATOR, ""), (SET_GENERATOR, "")),
            "another order",
        ),
        (
            solved(16, (SET_GENERATOR, "    loader.generator.manual_seed(420)\n")),
            "another order",
        ),
        (
            solved(16, (OPTIMIZER, ""), (RESTORED, "")),
            "without memory",
        ),
        (solved(16, ('    model.load_state_dict(saved["model"])\n', "")), "moment of saving"),
        (
            solved(16, (PACKED, "    return saved"),
                   ("saved = torch.load(io.BytesIO(data), weights_only=True)", "saved = data")),
            "moment of saving",
        ),
        (
            solved(16, ("model, optimizer, loader = start()\n",
                        "_, optimizer, loader = start()\n    model = nn.Linear(1, 1)\n")),
            "of another model",
        ),
        (
            solved(16, ('    optimizer.load_state_dict(saved["optimizer"])\n',
                        '    optimizer.load_state_dict(saved["optimizer"])\n'
                        "    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)\n")),
            "without memory",
        ),
        (
            solved(16, ("return model, optimizer, loader", "return model, optimizer")),
            "3 parts",
        ),
        (
            solved(16, ("loader.generator.get_state()", "torch.get_rng_state()")),
            "another order",
        ),
        (
            solved(16, ("    return model, optimizer, loader",
                        "    optimizer.param_groups[0]['lr'] = 0.01\n"
                        "    return model, optimizer, loader")),
            "other settings",
        ),
        (solved(16, ("optimizer.state_dict()", "optimizer"), (RESTORED, ""),
                    ("    return model, optimizer", '    return model, saved["optimizer"]')),
         "such as the optimizer itself"),
        (solved(16, ('"model": model.state_dict()', '"model": model')), "tensors and plain"),
        (solved(16, ("weights_only=True", "weights_only=False")), "the code ran"),
        (
            solved(16, ("optimizer.state_dict()", "optimizer"), (RESTORED, ""),
                   ("weights_only=True", "weights_only=False"),
                   ("    return model, optimizer", '    return model, saved["optimizer"]')),
            "the code ran",
        ),
        (solved(16, ("return model, optimizer, loader", "return optimizer, model, loader")),
         "in the place of the model"),
        (
            solved(16, (SET_GENERATOR, "    loader = DataLoader(train_set, batch_size=16, "
                                       "shuffle=True)\n")),
            "another order",
        ),
        (
            solved(16, ("    return model, optimizer, loader", "    loader = DataLoader(train_set, "
                        "batch_size=32, shuffle=True, generator=loader.generator)\n"
                        "    return model, optimizer, loader")),
            "Is the loader that of `start`",
        ),
        (
            solved(16, (RESTORED, RESTORED + "    for state in optimizer.state.values():\n"
                        "        state['step'] = torch.tensor(0.0)\n")),
            "not that of the moment of saving",
        ),
    ],
}  # fmt: skip

FIVE = (
    "optimizer.zero_grad()\n        loss = nn.functional.mse_loss(model(X), y)\n"
    "        loss.backward()\n        optimizer.step()\n"
)

RIGHT = {  # unusual, and right
    "lab.1": [
        broken(1, ("def predictions", "@torch.no_grad()\ndef predictions"),
                  (FORWARD, EVAL + FORWARD)),
        solved(1, ("model(X).numpy()", "np.asarray(model(X).tolist())")),
        "def fixed(model, X):\n    was = model.training\n    with torch.inference_mode():\n"
        "        y_pred = model.eval()(X)\n    model.train(was)\n    return y_pred.numpy()",
        "import copy\ndef fixed(model: nn.Module, X: torch.Tensor) -> np.ndarray:\n"
        "    twin = copy.deepcopy(model).requires_grad_(False).eval()\n    return twin(X).numpy()",
        broken(1, (FORWARD, EVAL + "torch.set_grad_enabled(False)\n    y_pred = model(X)\n"
                   "    torch.set_grad_enabled(True)\n    return y_pred.numpy()")),
    ],
    "lab.2": [
        broken(2, (MOVED, "model(X_batch.to(model.weight.device))")),
        broken(2, (MOVED, "model(X_batch.to(model.bias))")),
        broken(2, ("            y_preds", "            X_batch = X_batch.to(device)\n"
                   "            y_preds"),
                  ("    y_preds = []", "    weight, _ = model.state_dict().values()\n"
                   "    device = weight.device\n    y_preds = []")),
        "def fixed(model, loader):\n    X = torch.cat([X for X, _ in loader])\n"
        "    with torch.no_grad():\n        return model.eval()(X.to(model.weight.device))",
    ],
    "lab.3": [
        broken(3, (".squeeze()", ".flatten()")),
        broken(3, (".squeeze()", "[:, 0]")),
        broken(3, ("torch.cat(parts)", "torch.hstack(parts)")),
        broken(3, (".squeeze()", ""), ("torch.cat(parts)", "torch.cat(parts).view(-1)")),
        broken(3, ("parts.append((y_batch - model(X_batch)).squeeze())",
                   "parts += (y_batch - model(X_batch)).flatten().tolist()"),
                  ("torch.cat(parts)", "torch.tensor(parts)")),
    ],
    "lab.4": [
        solved(4, ("float(best_loss)", "best_loss.item()")),
        solved(4, ("float(best_loss)", "torch.tensor(best_loss)")),
        solved(4, ("weights_only=True", 'weights_only=True, map_location="cpu"'),
                  ("float(best_loss)", "np.asarray(best_loss).tolist()")),
        "import json\ndef save_run(model, best):\n    state = {k: v.tolist() for k, v in "
        "model.state_dict().items()}\n    return json.dumps([state, float(best)]).encode()\n"
        "def load_run(data):\n    state, best = json.loads(data)\n    return {'model': {k: "
        "torch.tensor(v) for k, v in state.items()}, 'best_loss': best}\n"
        "fixed = (save_run, load_run)",
    ],
    "lab.5": [
        solved(5, ("return self.X[index], self.y[index]", "return [self.X[index], self.y[index]]")),
        broken(5, (WRAP, PAST + "raise IndexError(f'no reading {index} of {len(self)}')")),
        solved(5, ("class Readings(Dataset)", "class Readings(TensorDataset)"),
                  ("        self.X, self.y = X, y", "        super().__init__(X, y)\n"
                   "        self.X, self.y = self.tensors")),
        solved(5, ("        return self.X", "        if not -len(self) <= index < len(self):\n"
                   "            raise IndexError(index)\n        return self.X")),
        "fixed = TensorDataset",
        "def fixed(X, y):\n    return list(zip(X, y))",
    ],
    "lab.6": [
        broken(6, ("for_weight.zero_grad()", "model.zero_grad()")),
        broken(6, ("        for_bias.step()\n", "        for_bias.step()\n"
                   "        for_bias.zero_grad()\n")),
        broken(6, ("[model.weight]", "model.parameters()"), (f"    {FOR_BIAS}", ""),
                  ("        for_bias.step()\n", "")),
        solved(6, ("for_bias.zero_grad()", "model.bias.grad = None"),
                  ("loss_fn(y_pred, y)", "(y - y_pred).pow(2).mean()")),
        "def fixed(X, y, epochs):\n    torch.manual_seed(420)\n    model = nn.Linear(1, 1)\n"
        "    for _ in range(epochs):\n"
        "        loss = nn.functional.mse_loss(model(X), y)\n"
        "        slopes = torch.autograd.grad(loss, model.parameters())\n"
        "        with torch.no_grad():\n"
        "            for p, slope in zip(model.parameters(), slopes):\n"
        "                p -= 0.1 * slope\n"
        "    return model.weight.item(), model.bias.item()",
    ],
    "lab.7": [
        "def fixed(seeds, X, y, epochs):\n    def one(seed):\n        torch.manual_seed(seed)\n"
        "        model = nn.Linear(1, 1)\n        nn.init.uniform_(model.weight, -9, 9)\n"
        "        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "        for _ in range(epochs):\n            "
        + FIVE.replace("\n        ", "\n            ")
        + "        return model.weight\n    return [one(seed) for seed in seeds]",
        broken(7, (START, "        with torch.no_grad():\n"
                   "            model.weight.copy_(5 * torch.randn(1, 1))\n")),
        broken(7, (START, START + "        optimizer.param_groups[0]['params'] = "
                   "list(model.parameters())\n")),
        broken(7, (START, START + "        optimizer.add_param_group({'params': model.weight})\n")),
    ],
    "lab.8": [
        broken(8, ("weight * x + bias", "weight * x.unsqueeze(1) + bias")),
        broken(8, ("y.unsqueeze(1)", "y"), (SQUARES, "nn.functional.mse_loss(y_pred, y)")),
        broken(8, ("targets - y_pred", "targets[:, 0] - y_pred"), ("lr=0.1", "lr=0.05"),
                  ("range(40)", "range(200)")),
        "def fixed(x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:\n"
        "    columns = torch.stack([x, torch.ones_like(x)], dim=1)\n"
        "    return tuple(torch.linalg.lstsq(columns, y.unsqueeze(1)).solution.flatten().tolist())",
    ],
    "lab.9": [
        broken(9, ("def measure", "@torch.no_grad()\ndef measure")),
        solved(9, ("loss.item()", "float(loss)")),
        solved(9, ("loss.item()", "loss.detach().numpy().tolist()")),
        "def fixed(model, loader):\n    total, rows = torch.zeros(()), 0\n"
        "    with torch.inference_mode():\n        for X, y in loader:\n"
        "            total = total + (y - model(X)).square().sum()\n            rows += len(y)\n"
        "    return total.item() / rows",
        "def fixed(model, loader):\n    with torch.inference_mode():\n"
        "        squares = [(y - model(X)).square() for X, y in loader]\n"
        "        return torch.cat(squares).mean().item()",
    ],
    "lab.10": [
        solved(10, ("StepLR(optimizer, step_size=10, gamma=0.5)",
                    "MultiStepLR(optimizer, range(10, 1000, 10), gamma=0.5)")),
        solved(10, ("StepLR(optimizer, step_size=10, gamma=0.5)",
                    "LambdaLR(optimizer, lambda epoch: 0.5 ** (epoch // 10))")),
        broken(10, ("step_size=10,", "step_size=10 * math.ceil(len(train_set) / 16),"),
                   ("    torch.manual_seed(420)", "    import math\n    torch.manual_seed(420)")),
        solved(10, ("        schedule.step()", "        if epoch % 10 == 9:\n"
                    "            optimizer.param_groups[0]['lr'] /= 2")),
        solved(10, ("optimizer.zero_grad()", "model.zero_grad()"),
                   ("shuffle=True", "shuffle=False")),
    ],
    "lab.11": [
        broken(11, ("nn.BCEWithLogitsLoss()", "nn.BCELoss()")),
        broken(11, ("nn.BCEWithLogitsLoss()", "nn.BCELoss()"), (SQUASHED, FED),
                   ("nn.Linear(1, 1)", "nn.Sequential(nn.Linear(1, 1), nn.Sigmoid())")),
        broken(11, ("loss_fn(chance, y)", "-torch.where(y == 1, chance, 1 - chance).log().mean()")),
        broken(11, ("loss_fn(chance, y)", "loss_fn(torch.logit(chance), y)")),
        solved(11, ("loss_fn(model(X), y)", "nn.functional.binary_cross_entropy_with_logits("
                    "model(X), y)"), ("loss.item()", "loss")),
    ],
    "lab.12": [
        split_by("rows = np.random.default_rng(420).permutation(len(X))"),
        split_by("rows = np.random.RandomState(1).permutation(len(X)).tolist()"),
        split_by("import random", "rows = list(range(len(X)))", "random.Random(420).shuffle(rows)"),
        split_by("rows = torch.rand(len(X), generator=torch.Generator().manual_seed(7)).argsort()"),
        split_by("with torch.random.fork_rng():", "    torch.manual_seed(420)",
                 "    rows = torch.randperm(len(X))"),
        "def fixed(X, y):\n    generator = torch.Generator()\n    generator.manual_seed(420)\n"
        "    parts = random_split(TensorDataset(X, y), [0.8, 0.2], generator=generator)\n"
        "    (a, b), (c, d) = (part[:] for part in parts)\n    return [a, b, c, d]",
        broken(12, (CUT, "    test = torch.arange(len(X)) % 5 == 0\n"
                    "    return X[~test], y[~test], X[test], y[test]")),
    ],
    "lab.13": [
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
        broken(13, ("        train_losses.append(smooth)\n", ""),
                  ("    return model, train", "        losses = torch.cat([(y_batch - model("
                   "X_batch)).square() for X_batch, y_batch in loader])\n"
                   f"        {RUNNING.replace('sum(losses) / len(losses)', 'losses.mean().item()')}"
                   "\n    return model, train")),
    ],
    "lab.14": [
        leaks_by("rolls = torch.arange(10.0)", "before, _ = make_rows(rolls)", "rolls[-1] = 100",
                 "after, _ = make_rows(rolls)", "return not torch.equal(before, after)"),
        leaks_by("rolls = torch.zeros(9)", "rolls[-1] = 6", "return make_rows(rolls)[0].any()"),
        leaks_by("rolls = torch.ones(8, requires_grad=True)", "means, _ = make_rows(rolls)",
                 "means.sum().backward()", "return rolls.grad[-1].item() != 0"),
        leaks_by("for now in range(4, 8):", "    rolls = torch.arange(9.0)",
                 "    means, targets = make_rows(rolls)", "    row = targets.flatten() == now",
                 "    rolls[now:] += 50", "    changed, _ = make_rows(rolls)",
                 "    if (changed != means)[row].any():", "        return True", "return False"),
        "import math\ndef leaks(make_rows):\n    rolls = torch.full((12,), 2.0)\n"
        "    rolls[11] = math.inf\n    return np.isinf(make_rows(rolls)[0].numpy()).any()",
    ],
    "lab.15": [
        broken(15, (MEASURED, MEASURED + "\n        model.train()")),
        broken(15, (FORGOT, "        model[2].train()\n" + FORGOT)),
        broken(15, (FORGOT, "        for layer in model.modules():\n"
                    "            layer.training = True\n" + FORGOT)),
        broken(15, (MEASURED, "        with torch.no_grad():\n            X, y = val_set[:]\n"
                    "            val_losses.append(loss_fn(model.eval()(X), y).item())\n"
                    "        model.train()")),
    ],
    "lab.16": [
        solved(16, (OPTIMIZER, ""), ("    torch.save(saved", '    saved |= {"optimizer": '
                    "optimizer.state_dict()}\n    torch.save(saved")),
        solved(16, ('    model.load_state_dict(saved["model"])\n' + RESTORED,
                    RESTORED + '    model.load_state_dict(saved["model"])\n')),
        "def checkpoint(*run):\n    file = io.BytesIO()\n    torch.save([part.state_dict() for "
        "part in run[:2]] + [run[2].generator.get_state()], file)\n    return file.getvalue()\n"
        "def restore(data):\n    run = start()\n"
        "    *states, order = torch.load(io.BytesIO(data), weights_only=True)\n"
        "    for part, state in zip(run, states):\n        part.load_state_dict(state)\n"
        "    run[2].generator.set_state(order)\n    return run\nfixed = [checkpoint, restore]",
        "import copy\ndef checkpoint(model, optimizer, loader):\n    return copy.deepcopy(("
        "model.state_dict(), optimizer.state_dict(), loader.generator.get_state()))\n"
        "def restore(saved):\n    model, optimizer, loader = start()\n"
        "    model.load_state_dict(saved[0])\n    optimizer.load_state_dict(saved[1])\n"
        "    loader.generator.set_state(saved[2])\n    return model, optimizer, loader\n"
        "fixed = (checkpoint, restore)",
    ],
}  # fmt: skip
