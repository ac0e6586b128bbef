"""Plausible wrong answers to the exercises on saving and resuming: code and hint."""

SNAPSHOT = "def snapshot(model):\n    return {}"
LOAD = """\
def load_into(model, source):
    model.load_state_dict(torch.load(source, weights_only=True))
    return model"""
RESUME = """\
def stop_at(epoch):
    run = start()
    train(*run, until=epoch)
    return to_bytes(checkpoint(*run))


def go_on(data, until):
    run = restore(io.BytesIO(data))
    train(*run, until=until)
    return run[0]"""
BEST = """\
class Best:
    def __init__(self):
        self.loss, self.data = float("inf"), None

    def offer(self, model, loss):
        is_new_low = loss < self.loss
        if is_new_low:
            self.loss, self.data = loss, to_bytes(model.state_dict())
        return is_new_low

    def put_back(self, model):
        model.load_state_dict(torch.load(io.BytesIO(self.data), weights_only=True))
        return model"""


def changed(code, *pairs):
    for old, new in pairs:
        assert old in code, old
        code = code.replace(old, new)
    return code


WRONG = {
    "07.1": [
        (SNAPSHOT.format("model.state_dict()"), "changed with it"),
        (SNAPSHOT.format("dict(model.state_dict())"), "changed with it"),
        (SNAPSHOT.format("model.state_dict().copy()"), "changed with it"),
        (
            SNAPSHOT.format("{n: v.detach() for n, v in model.state_dict().items()}"),
            "changed with it",
        ),
        (SNAPSHOT.format("{n: p.clone() for n, p in model.named_parameters()}"), "would miss"),
        (SNAPSHOT.format("to_bytes(model.state_dict())"), "These are bytes"),
        (SNAPSHOT.format("[p.clone() for p in model.parameters()]"), "names and tensors"),
        (SNAPSHOT.format("model"), "names and tensors"),
        (SNAPSHOT.format("nn.Linear(1, 1).state_dict()"), "would miss"),
        (
            SNAPSHOT.format("{n: torch.zeros_like(v) for n, v in model.state_dict().items()}"),
            "differs from the model",
        ),
        (
            SNAPSHOT.format("{n: v.tolist() for n, v in model.state_dict().items()}"),
            "expected a tensor",
        ),
        (
            SNAPSHOT.format("torch.load(to_bytes(model.state_dict()), weights_only=True)"),
            "raised AttributeError",
        ),
    ],
    "07.2": [
        (changed(LOAD, ("weights_only=True", "weights_only=False")), "ran code of its own"),
        (
            "def load_into(model, source):\n"
            "    saved = torch.load(source, weights_only=True)\n    return model",
            "stay unused",
        ),
        (
            "def load_into(model, source):\n    return torch.load(source, weights_only=True)",
            "contents of the file",
        ),
        (
            "def load_into(model, source):\n"
            "    return model.load_state_dict(torch.load(source, weights_only=True))",
            "expected the model",
        ),
        (
            "def load_into(model, source):\n    try:\n"
            "        model.load_state_dict(torch.load(source, weights_only=True))\n"
            "    except Exception as error:\n        print(error)\n    return model",
            "nobody hears",
        ),
        (changed(LOAD, ("True))", "True), strict=False)")), "other names"),
        (
            changed(LOAD, ("source, w", "here / 'lr_model.pth', w")),
            "Calling `load_into` raised",
        ),
        (
            "def load_into(model, source):\n    model = nn.Linear(1, 1)\n"
            "    model.load_state_dict(torch.load(source, weights_only=True))\n    return model",
            "The model handed in",
        ),
        (changed(LOAD, ("    return model", "")), "Is a `return` missing"),
    ],
    "07.3": [
        (
            changed(
                RESUME,
                ("to_bytes(checkpoint(*run))", "to_bytes(run[0].state_dict())"),
                (
                    "run = restore(io.BytesIO(data))",
                    "run = start()\n    weights = torch.load(io.BytesIO(data), weights_only=True)\n"
                    "    run[0].load_state_dict(weights)",
                ),
            ),
            "no step is left",
        ),
        (
            changed(
                RESUME,
                (
                    "run = restore(io.BytesIO(data))",
                    "run = restore(io.BytesIO(data))\n    run[2].generator.manual_seed(420)",
                ),
            ),
            "the order of the batches",
        ),
        (
            changed(
                RESUME,
                (
                    "run = restore(io.BytesIO(data))",
                    "run = restore(io.BytesIO(data))\n"
                    "    optimizer = torch.optim.Adam(run[0].parameters(), lr=0.05)\n"
                    "    run = (run[0], optimizer, *run[2:])",
                ),
            ),
            "running means",
        ),
        (changed(RESUME, ("    train(*run, until=epoch)\n", "")), "Does `stop_at` train"),
        (changed(RESUME, ("    train(*run, until=until)\n", "")), "Does `go_on` train"),
        (
            changed(RESUME, ("train(*run, until=until)", "train(*run, until=len(run[3]) + until)")),
            "in all",
        ),
        (changed(RESUME, ("to_bytes(checkpoint(*run))", "checkpoint(*run)")), "expected bytes"),
        (changed(RESUME, ("to_bytes(checkpoint(*run))", "to_bytes(run[0])")), "weights_only=True"),
        (changed(RESUME, ("return run[0]", "return run")), "expected something to call"),
        (
            changed(RESUME, ("run = restore(io.BytesIO(data))", "run = start()")),
            "Is `data` used",
        ),
    ],
    "07.4": [
        (
            changed(
                BEST,
                ("to_bytes(model.state_dict())", "model.state_dict()"),
                ("torch.load(io.BytesIO(self.data), weights_only=True)", "self.data"),
            ),
            "the last weights",
        ),
        (changed(BEST, ("loss < self", "loss <= self")), "only ties"),
        (changed(BEST, ("loss < self", "loss > self")), "starts well"),
        (changed(BEST, ('float("inf")', "0")), "starts well"),
        (changed(BEST, ("loss < self", "not loss >= self")), "nan"),
        (
            changed(
                BEST, ("        if is_new_low", "        self.loss = loss\n        if is_new_low")
            ),
            "With which loss",
        ),
        (changed(BEST, ("        if is_new_low:\n    ", "")), "With which loss"),
        (
            changed(
                BEST,
                (
                    "        model.load_state_dict(torch.load(io.BytesIO(self.data), "
                    "weights_only=True))\n",
                    "",
                ),
            ),
            "the last weights",
        ),
        (changed(BEST, ("        return model", "")), "Is a `return` missing"),
        (changed(BEST, ("        return is_new_low\n", "")), "Is a `return` missing"),
        ("best = float('inf')\nBest = best", "expected something to call"),
    ],
}

RIGHT = {  # unusual, and right
    "07.1": [],
    "07.2": [],
    "07.3": [],
    "07.4": [],
}
