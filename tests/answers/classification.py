"""Plausible wrong answers to the exercises on classification: code and hint."""

MOVED = "def moved(chance, weight, more):\n    return {}"
FOUND = "def found(table):\n    return {}"

THRESHOLD = """\
def threshold(chance, y, miss, alarm):
    best, lowest = None, float("inf")
    for edge in chance.flatten().tolist() + [1.1]:
        said = chance >= edge
        misses = (~said & (y == 1)).sum().item()
        alarms = (said & (y == 0)).sum().item()
        if miss * misses + alarm * alarms < lowest:
            best, lowest = edge, miss * misses + alarm * alarms
    return best"""

BORDER = """\
partner = "body_mass_g"
X_pair, species_pair = datasets.load_species("bill_length_mm", partner)
two = species_pair < 2
X_pair, y_pair = X_pair[two], (species_pair[two] == 1).float().unsqueeze(1)
center, spread = X_pair.mean(dim=0), X_pair.std(dim=0)
model = nn.Linear(2, 1)
train(model, loss_fn, (X_pair - center) / spread, y_pair, steps=3000)
w1, w2 = (model.weight[0] / spread).tolist()
b = model.bias.item() - w1 * center[0].item() - w2 * center[1].item()
border = -w1 / w2, -b / w2"""


def moved(expression):
    return MOVED.format(expression)


def found(expression):
    return FOUND.format(expression)


def changed(code, *pairs):
    for old, new in pairs:
        assert old in code, old
        code = code.replace(old, new)
    return code


LOGIT = "torch.logit(torch.tensor(chance)).item()"

WRONG = {
    "10.1": [
        ('losses = "bbcdc"', "Is that a yes or a no"),
        ('losses = "cbcdc"', "no list of classes"),
        ('losses = "aacdc"', "hardly punish a sure mistake"),
        ('losses = "accdc"', "a logit for each class"),
        ('losses = "adcdc"', "wants chances"),
        ('losses = "abbdc"', "takes each by itself"),
        ('losses = "abedc"', "makes chances of them once more"),
        ('losses = "abcbc"', "brings one of its own"),
        ('losses = "abcda"', "Is a name an amount"),
        ('losses = "abcdb"', "of which one wins"),
        ('losses = "abcac"', "What comes out"),
        ('losses = "abcd"', "not five letters"),
        ('losses = "abcdf"', "not five letters"),
        ("losses = 5", "expected five letters"),
    ],
    "10.2": [
        (moved("chance + weight * more"), "adds to the chance itself"),
        (moved("min(max(chance + weight * more, 0), 1)"), "Go through the logit"),
        (moved("1 / (1 + math.exp(-weight * more))"), "began at one half"),
        (moved("1 / (1 + math.exp(-(chance + weight * more)))"), "taken for a logit"),
        (moved("chance / (1 - chance) * math.exp(weight * more)"), "the new odds"),
        (moved("chance * math.exp(weight * more)"), "multiplied are the odds"),
        (moved(f"{LOGIT} + weight * more"), "the new logit"),
        (moved("1 / (1 + math.exp(-(math.log(chance) + weight * more)))"), "logarithm of the odds"),
        (moved(f"1 / (1 + math.exp({LOGIT} + weight * more))"), "chance of an Adelie"),
        (moved(f"1 / (1 + math.exp(-({LOGIT} - weight * more)))"), "goes the wrong way"),
        (moved(f"1 / (1 + math.exp(-({LOGIT} + weight)))"), "Yours counts it once"),
        (moved(f"100 / (1 + math.exp(-({LOGIT} + weight * more)))"), "in percent"),
        (moved("chance"), "before the bill"),
        (moved("torch.sigmoid(chance + weight * more)"), "TypeError"),
        ("moved = 0.88", "something to call"),
    ],
    "10.3": [
        (found("table.diagonal() / table.sum(dim=0)"), "shares of the columns"),
        (found("1 - table.diagonal() / table.sum(dim=1)"), "were missed"),
        (found("table.diagonal() / table.sum()"), "all birds of the table"),
        (found("(table.diagonal().sum() / table.sum()).item()"), "would be the accuracy"),
        (found("[(table.diagonal().sum() / table.sum()).item()] * len(table)"), "the accuracy"),
        (found("table.diagonal()"), "These are counts"),
        (found("100 * table.diagonal() / table.sum(dim=1)"), "percentages"),
        (found("table.diagonal() // table.sum(dim=1)"), "In the first row"),
        (found("table[0, 0] / table[0].sum()"), "expected a share for each"),
        (found("[table[0, 0] / table[0].sum(), table[1, 1] / table[1].sum()]"), "returns 2 values"),
        (found("[0.95, 0.47]"), "In the first row"),
        ("def found(table):\n    table.diagonal() / table.sum(dim=1)", "`return` missing"),
    ],
    "10.4": [
        ("def threshold(chance, y, miss, alarm):\n    return 0.5", "a habit"),
        (
            "def threshold(chance, y, miss, alarm):\n    return alarm / (alarm + miss)",
            "if the chances came true",
        ),
        (
            changed(THRESHOLD, ("miss * misses + alarm * alarms", "misses + alarms")),
            "the fewest mistakes",
        ),
        (
            changed(THRESHOLD, ("miss * misses + alarm", "alarm * misses + miss")),
            "costs swapped",
        ),
        (
            changed(THRESHOLD, ('"inf"', '"-inf"'), ("< lowest", "> lowest")),
            "dearest of all",
        ),
        (
            changed(THRESHOLD, ("chance.flatten().tolist() + [1.1]", "(0.25, 0.5, 0.75)")),
            "every place where a bird changes its name",
        ),
        (changed(THRESHOLD, ("return best", "return lowest")), "A cheaper one exists"),
        (changed(THRESHOLD, ("return best", 'return float("inf")')), "A cheaper one exists"),
        (changed(THRESHOLD, ("return best", 'return float("nan")')), "division by zero"),
        (changed(THRESHOLD, ("return best", "return best, lowest")), "expected one number"),
        (changed(THRESHOLD, ("    return best", "")), "None. Is a `return` missing"),
        (changed(THRESHOLD, ("~said & (y == 1)", "said & (y == 1)")), "A cheaper one exists"),
    ],
    "10.5": [
        (changed(BORDER, ("body_mass_g", "flipper_length_mm")), "choose another partner"),
        (changed(BORDER, ("body_mass_g", "bill_depth_mm")), "lowest loss leaves more"),
        (changed(BORDER, ("steps=3000", "steps=5")), "train longer"),
        (changed(BORDER, ("-w1 / w2, -b / w2", "-b / w2, -w1 / w2")), "are swapped"),
        (
            changed(BORDER, ("-w1 / w2, -b / w2", "w1 / w2, -b / w2")),
            "does not even cross",
        ),
        (
            f"{BORDER}\nw1, w2 = model.weight[0].tolist()\n"
            "border = -w1 / w2, -model.bias.item() / w2",
            "center and spread",
        ),
        (changed(BORDER, ("-w1 / w2, -b / w2", "0.0, 3700.0")), "lazy rule"),
        (changed(BORDER, ("-w1 / w2, -b / w2", "-w1 / w2")), "expected two numbers"),
        (changed(BORDER, ("-w1 / w2, -b / w2", "w1, w2, b")), "expected two numbers"),
        (changed(BORDER, ('partner = "body_mass_g"', 'partner = "body_mass_g"')).replace(
            "border = -w1", 'partner = "mass"\nborder = -w1'), "It is one of"),
        (f'{BORDER}\npartner = "bill_length_mm"', "It is one of"),
        (f'{BORDER}\npartner = "bill_depth_mm"', "does not even cross"),
        ('partner = "bill_depth_mm"\nborder = 0.448059, -1.622276', "training does not end there"),
        (f"{BORDER}\nborder = -border[0], 2 * 3711 - border[1]", "wrong sign"),
    ],
}  # fmt: skip

RIGHT = {  # unusual, and right
    "10.1": [
        'losses = "ABCDC"',
        'losses = ["a", "b", "c", "d", "c"]',
        'losses = "a, b, c, d, c"',
        'losses = ("a", "b", "c", "d", "c")',
    ],
    "10.2": [
        moved(f"1 / (1 + math.exp(-({LOGIT} + weight * more)))"),
        "def moved(chance, weight, more):\n"
        "    odds = chance / (1 - chance) * math.exp(weight * more)\n    return odds / (1 + odds)",
        moved("torch.sigmoid(torch.logit(torch.tensor(chance)) + weight * more)"),
        "moved = lambda c, w, m: 1 / (1 + (1 - c) / c * math.exp(-w * m))",
        moved("0.5 * (1 + math.tanh((math.log(chance / (1 - chance)) + weight * more) / 2))"),
    ],
    "10.3": [
        found("table.diagonal() / table.sum(dim=1)"),
        found("[(row[k] / row.sum()).item() for k, row in enumerate(table)]"),
        found("{k: table[k, k].item() / sum(table[k].tolist()) for k in range(len(table))}"),
        found("(table / table.sum(dim=1, keepdim=True)).diagonal().numpy()"),
        found("1 - (table.sum(dim=1) - table.diagonal()) / table.sum(dim=1)"),
    ],
    "10.4": [
        THRESHOLD,
        changed(
            THRESHOLD,
            ("chance.flatten().tolist()", "torch.sigmoid(torch.linspace(-30, 30, 6001)).tolist()"),
        ),
        changed(THRESHOLD, ("+ [1.1]", "+ [2.0]"), ("< lowest", "<= lowest")),
        changed(THRESHOLD, ("in chance.flatten()", 'in [float("inf")] + chance.flatten()')),
        "def threshold(chance, y, miss, alarm):\n"
        "    def cost(edge):\n"
        "        said = (chance >= edge).float()\n"
        "        return (miss * y * (1 - said) + alarm * (1 - y) * said).sum().item()\n\n"
        "    return min([1.5, *chance.flatten().tolist()], key=cost)",
    ],
    "10.5": [
        f"{BORDER}\nborder = list(border)",
        f"{BORDER}\nborder = torch.tensor(border)",
        'partner = "body_mass_g"\nborder = 199.0, -4990.0',
        changed(BORDER, ("steps=3000", "steps=8000")),
    ],
}
