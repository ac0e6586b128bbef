"""Plausible wrong answers to the exercises on saving and resuming: code and hint."""

SNAPSHOT = "def snapshot(model):\n    return {}"
LOAD = """\
def load_into(model, source):
    model.load_state_dict(torch.load(source, weights_only=True))
    return model"""
COMPARED = """\
def load_into(model, source):
    saved = torch.load(source, weights_only=True)
    if saved.keys() != model.state_dict().keys():
        raise ValueError('other names')
    model.load_state_dict(saved)
    return model"""
WEIGH = """\
def weigh(saved, bird):
    ruler = torch.tensor([[bird[column] for column in saved["columns"]]])
    scaled = (ruler - saved["center"]) / saved["spread"]
    model = nn.Linear(len(saved["columns"]), 1)
    model.load_state_dict(saved["model"])
    return model(scaled).item()"""
LOST = """\
def lost(every, cost, between):
    return {}

choice = {}"""
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
    "08.1": [
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
        (
            SNAPSHOT.format("{n: v.half() for n, v in model.state_dict().items()}"),
            "Digits are lost",
        ),
        (
            SNAPSHOT.format("{n: v.bfloat16() for n, v in model.state_dict().items()}"),
            "Digits are lost",
        ),
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
            "io.BytesIO",
        ),
        (
            "def snapshot(model):\n    buffer = io.BytesIO()\n"
            "    torch.save(model.state_dict(), buffer)\n"
            "    return torch.load(buffer, weights_only=True)",
            "`buffer.seek(0)`",
        ),
        (SNAPSHOT.format("{n: v.data for n, v in model.state_dict().items()}"), "changed with it"),
        (
            SNAPSHOT.format("{n: v.numpy() for n, v in model.state_dict().items()}"),
            "expected a tensor",
        ),
        ("import copy\n\n" + SNAPSHOT.format("copy.copy(model.state_dict())"), "changed with it"),
        ("import copy\n\n" + SNAPSHOT.format("copy.deepcopy(model)"), "names and tensors"),
        (
            SNAPSHOT.format("{n: v.clone() for n, v in model.state_dict().items() if '0' in n}"),
            "would miss",
        ),
        (
            "def snapshot(model):\n    state = model.state_dict()\n"
            "    for name in state:\n        state[name].clone()\n    return state",
            "changed with it",
        ),
    ],
    "08.2": [
        (LOAD, "it has changed the model all the same"),
        (
            changed(COMPARED, ("saved.keys() != ", "not saved.keys() & ")),
            "it has changed the model all the same",
        ),
        (changed(LOAD, ("weights_only=True", "weights_only=False")), "ran code of its own"),
        (
            "def load_into(model, source):\n    own = model.state_dict()\n"
            "    own.update(torch.load(source, weights_only=True))\n"
            "    model.load_state_dict(own)\n    return model",
            "A file with `weight` alone",
        ),
        (
            "def load_into(model, source):\n    saved = torch.load(source, weights_only=True)\n"
            "    if model.load_state_dict(saved, strict=False).unexpected_keys:\n"
            "        raise ValueError('other names')\n    return model",
            "A file with `weight` alone",
        ),
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
        (changed(LOAD, ("source, w", "here / 'line.pth', w")), "The model handed in"),
        (
            "def load_into(model, source):\n    model = nn.Linear(1, 1)\n"
            "    model.load_state_dict(torch.load(source, weights_only=True))\n    return model",
            "The model handed in",
        ),
        (changed(LOAD, ("    return model", "")), "Is a `return` missing"),
        (
            "def load_into(model, source):\n    try:\n"
            "        model.load_state_dict(torch.load(source, weights_only=True))\n"
            "    except Exception:\n        sys.exit('bad file')\n    return model",
            "ends the program",
        ),
        (
            "def load_into(model, source):\n"
            "    saved = torch.load(source, weights_only=True)\n"
            "    for name, value in model.state_dict().items():\n"
            "        value.copy_(saved[name])\n    return model",
            "one name more",
        ),
        (
            "def load_into(model, source):\n"
            "    model.state_dict().update(torch.load(source, weights_only=True))\n"
            "    return model",
            "stay unused",
        ),
        (
            "def load_into(model, source):\n    own = model.state_dict()\n"
            "    saved = torch.load(source, weights_only=True)\n"
            "    own |= {n: v for n, v in saved.items() if n in own}\n"
            "    model.load_state_dict(own)\n    return model",
            "other names",
        ),
        (
            "def load_into(model, source):\n    model.load_state_dict(source)\n    return model",
            "Calling `load_into` raised TypeError",
        ),
        (
            "def load_into(model, source):\n    model = torch.load(source, weights_only=True)\n"
            "    return model",
            "contents of the file",
        ),
    ],
    "08.3": [
        (changed(WEIGH, ("model(scaled)", "model(ruler)")), "The flipper went in as it is"),
        (changed(WEIGH, (' / saved["spread"]', "")), "nothing is divided"),
        (changed(WEIGH, (' - saved["center"]', "")), "the center stays in"),
        (changed(WEIGH, (".item()", ".item() / 1000")), "in grams"),
        (
            changed(WEIGH, ('saved["center"]', "center"), ('saved["spread"]', "spread")),
            "those of this notebook",
        ),
        (
            changed(WEIGH, ('len(saved["columns"])', "1")),
            "size mismatch",
        ),
        (
            changed(WEIGH, ('bird[column] for column in saved["columns"]', "*bird.values()")),
            "too many dimensions 'str'",
        ),
        (
            changed(
                WEIGH,
                (
                    'bird[column] for column in saved["columns"]',
                    "*[v for v in bird.values() if type(v) is float]",
                ),
            ),
            "fetch each one by its name",
        ),
        (
            changed(
                WEIGH,
                (
                    'bird[column] for column in saved["columns"]',
                    'bird[column] for column in sorted(saved["columns"])',
                ),
            ),
            "fetch each one by its name",
        ),
        (
            changed(WEIGH, ('saved["center"]', 'saved["center"][0]')),
            "its own center and spread",
        ),
        (
            changed(WEIGH, ("bird[column]", "bird.get(column, 0.0)")),
            "was weighed all the same",
        ),
        (
            changed(
                WEIGH,
                (
                    "    ruler",
                    "    if not bird.keys() >= {*saved['columns']}:\n"
                    "        return float('nan')\n    ruler",
                ),
            ),
            "was weighed all the same",
        ),
        (
            changed(WEIGH, ('    model.load_state_dict(saved["model"])\n', "")),
            "all come from `saved`",
        ),
        (
            changed(WEIGH, ("scaled = (ruler", "scaled = (ruler.round(decimals=-1)")),
            "all come from `saved`",
        ),
        (changed(WEIGH, ("model(scaled).item()", "scaled")), "all come from `saved`"),
        (changed(WEIGH, ("return ", "print(")) + ")", "Is a `return` missing"),
        (
            "def weigh(saved, bird):\n    scaled = (bird['flipper_length_mm'] - saved['center'])"
            " / saved['spread']\n    weight = saved['model']['weight']\n"
            "    return (weight * scaled + saved['model']['bias']).item()",
            "2 elements cannot be converted",
        ),
        (
            changed(
                WEIGH,
                (
                    "    ruler =",
                    "    if not bird.keys() >= {*saved['columns']}:\n"
                    "        sys.exit('bad bird')\n    ruler =",
                ),
            ),
            "ends the program",
        ),
    ],
    "08.4": [
        (
            changed(
                BEST,
                (
                    "to_bytes(model.state_dict())",
                    "[p.detach().clone() for p in model.parameters()]",
                ),
                (
                    "model.load_state_dict(torch.load(io.BytesIO(self.data), weights_only=True))",
                    "for own, best in zip(model.parameters(), self.data):\n"
                    "            own.data.copy_(best)",
                ),
            ),
            "a buffer of the model does not",
        ),
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
        (changed(BEST, ('float("inf")', "100")), "A first loss of 5000 was refused"),
        (changed(BEST, ('float("inf")', "1e9")), "above the number to begin with"),
        (
            changed(
                BEST,
                ('float("inf")', "None"),
                ("loss < self.loss", "self.loss is None or loss < self.loss"),
            ),
            "A first loss of nan was taken",
        ),
        (
            changed(
                BEST,
                ('float("inf")', "None"),
                ("loss < self.loss", "loss == loss and (not self.loss or loss < self.loss)"),
            ),
            "After a loss of 0",
        ),
        (
            changed(
                BEST,
                ('float("inf")', 'torch.tensor(float("inf"))'),
                ("loss < self.loss", "torch.tensor(loss) < self.loss"),
                ("= loss, to", "= torch.tensor(loss), to"),
            ),
            "returns a Tensor of torch, expected True or False",
        ),
        (changed(BEST, ("return is_new_low", "return int(is_new_low)")), "returns an int"),
        (
            "import numpy as np\n\n"
            + changed(
                BEST,
                ('float("inf")', "np.float32(np.inf)"),
                ("= loss, to", "= np.float32(loss), to"),
            ),
            "a bool of numpy",
        ),
        (
            changed(BEST, ("        return is_new_low", "        return 'new low' * is_new_low")),
            "returns a str",
        ),
        (
            changed(
                BEST,
                (
                    "        return is_new_low",
                    "        self.loss = min(loss, self.loss)\n        return is_new_low",
                ),
            ),
            "After a loss of nan no lower loss is taken",
        ),
        (
            "class Best:\n    losses = []\n\n    def offer(self, model, loss):\n"
            "        is_new_low = all(loss < old for old in self.losses) and loss == loss\n"
            "        if loss == loss:\n            self.losses.append(loss)\n"
            "        if is_new_low:\n            self.data = to_bytes(model.state_dict())\n"
            "        return is_new_low\n\n" + BEST[BEST.index("    def put_back") :],
            "knows the losses of the first",
        ),
        (
            changed(
                BEST,
                (
                    "        model.load_state_dict(torch.load(io.BytesIO(self.data), "
                    "weights_only=True))\n        return model",
                    "        other = nn.Linear(1, 1)\n"
                    "        other.load_state_dict(torch.load(io.BytesIO(self.data)))\n"
                    "        return other",
                ),
            ),
            "fills the model it is handed",
        ),
        (
            "import copy\n\n"
            + changed(
                BEST,
                ("to_bytes(model.state_dict())", "copy.deepcopy(model.state_dict())"),
                (
                    "torch.load(io.BytesIO(self.data), weights_only=True))",
                    "self.data, assign=True)",
                ),
            ),
            "they share memory",
        ),
        (
            changed(
                BEST,
                (
                    "self.loss, self.data = loss, to_bytes(model.state_dict())",
                    "self.loss, self.data = loss, self.data or to_bytes(model.state_dict())",
                ),
            ),
            "other weights than at the lowest loss",
        ),
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
    "08.5": [
        (LOST.format("cost / every + every / between", 25), "Is the whole stretch lost"),
        (LOST.format("every / 2 / between", 1), "is the time that saving takes counted"),
        (LOST.format("cost / every", 120), "Saving is free here"),
        (LOST.format("cost + every / 2 * every / between", 35), "Divide by the minutes trained"),
        (LOST.format("every / cost + every / 2 / between", 1), "Saving half as often"),
        (LOST.format("cost + every / 2 / between", 1), "Divide by the minutes trained"),
        (LOST.format("cost / every + between / 2 / every", 120), "hardly ever dies"),
        (LOST.format("cost / every + every / 2", 1), "hardly ever dies"),
        (LOST.format("cost / every + every / 10 / between", 70), "Saving is free here"),
        (LOST.format("60 * (cost / every + every / 2 / between)", 35), "hardly ever dies"),
        (LOST.format("max(cost / every, every / 2 / between)", 35), "not their sum"),
        (LOST.format("cost / every + every / 2 / between", 120), "to the left: does"),
        (LOST.format("cost / every + every / 2 / between", 15), "to the right: does"),
        (LOST.format("cost / every + every / 2 / between", 80), "to the left: does"),
        (LOST.format("cost / every + every / 2 / between", 600), "to the left: does"),
        (LOST.format("cost / every + every / 2 / between", "lost(35, 1, 600)"), "to the right"),
        (LOST.format("cost / every + every / 2 / between", 0), "expected the minutes"),
        (
            LOST.format("cost / every + every / 2 / between", "plt.plot([1, 2])"),
            "`choice` is a list",
        ),
        (LOST.format("[cost / every, every / 2 / between]", 35), "expected one number"),
        (LOST.format("print(cost / every + every / 2 / between)", 35), "Is a `return` missing"),
    ],
}

RIGHT = {  # unusual, and right
    "08.1": [
        "import copy\n\n" + SNAPSHOT.format("copy.deepcopy(model.state_dict())"),
        "import copy\n\n" + SNAPSHOT.format("copy.deepcopy(model).state_dict()"),
        SNAPSHOT.format("{n: v.clone() for n, v in model.state_dict().items()}"),
        "import pickle\n\n" + SNAPSHOT.format("pickle.loads(pickle.dumps(model.state_dict()))"),
        "def snapshot(model: nn.Module) -> dict:\n    state = model.state_dict()\n"
        "    for name in state:\n        state[name] = state[name].detach().cpu().clone()\n"
        "    return state",
        "def snapshot(model):\n    buffer = io.BytesIO()\n"
        "    torch.save(model.state_dict(), buffer)\n    buffer.seek(0)\n"
        "    return torch.load(buffer)",
        SNAPSHOT.format(
            "dict(zip(model.state_dict(), map(torch.clone, model.state_dict().values())))"
        ),
    ],
    "08.2": [
        changed(COMPARED, (", weights_only=True", "")),
        changed(COMPARED, ("weights_only=True)", 'weights_only=True, map_location="cpu")')),
        changed(COMPARED, ("(saved)", "(saved, assign=True)")),
        "import copy\n\n"
        + changed(
            COMPARED,
            (
                "    if saved.keys() != model.state_dict().keys():\n"
                "        raise ValueError('other names')\n",
                "    copy.deepcopy(model).load_state_dict(saved)\n",
            ),
        ),
        "def load_into(model: nn.Module, source) -> nn.Module:\n"
        "    if (saved := torch.load(source)).keys() != model.state_dict().keys():\n"
        "        raise ValueError('other names')\n"
        "    with torch.no_grad():\n        for name, parameter in model.named_parameters():\n"
        "            parameter.copy_(saved[name])\n    return model",
        "def load_into(model, source):\n"
        "    before = {name: value.clone() for name, value in model.state_dict().items()}\n"
        "    try:\n        model.load_state_dict(torch.load(source))\n"
        "    except Exception as error:\n        model.load_state_dict(before)\n"
        "        raise ValueError(f'{source} is refused') from error\n    return model",
    ],
    "08.3": [
        "def weigh(saved: dict, bird: dict) -> float:\n    grams = saved['model']['bias'].item()\n"
        "    parts = zip(saved['columns'], saved['center'].tolist(), saved['spread'].tolist())\n"
        "    for number, (column, low, width) in enumerate(parts):\n"
        "        weight = saved['model']['weight'][0, number].item()\n"
        "        grams += weight * (bird[column] - low) / width\n    return grams",
        changed(WEIGH, ("return model(scaled).item()", "return model(scaled)")),
        changed(
            WEIGH,
            (
                "    ruler",
                "    assert set(saved['columns']) <= set(bird), 'a column is missing'\n    ruler",
            ),
            ("    return", "    model.eval()\n    with torch.inference_mode():\n        return"),
        ),
        "def weigh(saved, bird):\n    x = torch.tensor([bird[name] for name in saved['columns']])\n"
        "    x = (x - saved['center']) / saved['spread']\n    state = saved['model']\n"
        "    return float(nn.functional.linear(x, state['weight'], state['bias']))",
        "import numpy as np\n\ndef weigh(saved, bird):\n"
        "    row = np.array([bird[name] for name in saved['columns']])\n"
        "    row = (row - saved['center'].numpy()) / saved['spread'].numpy()\n"
        "    return saved['model']['weight'][0].numpy() @ row + saved['model']['bias'].item()",
    ],
    "08.4": [
        "import copy\n\n"
        + changed(
            BEST,
            ("to_bytes(model.state_dict())", "copy.deepcopy(model.state_dict())"),
            ("torch.load(io.BytesIO(self.data), weights_only=True)", "self.data"),
        ),
        "import copy, math\n\nclass Best:\n    def __init__(self):\n        self.loss = None\n\n"
        "    def offer(self, model, loss: float) -> bool:\n        if math.isnan(loss):\n"
        "            return False\n        if self.loss is None or loss < self.loss:\n"
        "            self.loss, self.model = loss, copy.deepcopy(model)\n            return True\n"
        "        return False\n\n    def put_back(self, model):\n"
        "        with torch.no_grad():\n"
        "            for name, own in model.state_dict().items():\n"
        "                own.copy_(self.model.state_dict()[name])\n        return model",
        "class Best:\n    def __init__(self):\n        self.kept = []\n\n"
        "    def offer(self, model, loss):\n"
        "        low = all(loss < old for old, _ in self.kept) and loss == loss\n"
        "        if low:\n            state = model.state_dict()\n"
        "            self.kept.append((loss, {n: v.clone() for n, v in state.items()}))\n"
        "        return low\n\n    def put_back(self, model):\n"
        "        model.load_state_dict(self.kept[-1][1])\n        return model",
        "from dataclasses import dataclass\n\n@dataclass\nclass Best:\n"
        "    loss: float = float('inf')\n    data: bytes = b''\n\n"
        + BEST[BEST.index("    def offer") :],
        changed(BEST, ("loss < self.loss", "bool(torch.tensor(loss) < self.loss)")),
    ],
    "08.5": [
        LOST.format("(cost + every * every / (2 * between)) / every", 60),
        "import math\n\n"
        + LOST.format("between * math.expm1((every + cost) / between) / every - 1", 20),
        "import random\n\ndef lost(every, cost, between):\n    draw = random.Random(1)\n"
        "    wasted, trained = 0, 0\n    while trained < 20_000 * every:\n"
        "        dies = draw.expovariate(1 / between)\n"
        "        rounds = int(dies // (every + cost))\n"
        "        rounds = min(rounds, 20_000)\n        trained += rounds * every\n"
        "        wasted += rounds * cost + (dies - rounds * (every + cost)) * (rounds < 20_000)\n"
        "    return wasted / trained\n\n"
        "choice = min(range(5, 121), key=lambda e: 1 / e + e / 1200)",
        "def lost(every, cost, between):\n    moments = torch.linspace(0, every, 1001)\n"
        "    return cost / every + moments.mean() / between\n\n"
        "minutes = torch.arange(1, 121)\nlosses = [lost(int(m), 1, 600) for m in minutes]\n"
        "plt.plot(minutes, losses)\nplt.close()\nchoice = minutes[torch.stack(losses).argmin()]",
    ],
}
