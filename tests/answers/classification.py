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

LEFT = """\
counts = {}
for column in [1, 2, 3]:
    pair = X[:, [0, column]]
    pair = (pair - pair.mean(dim=0)) / pair.std(dim=0)
    model = nn.Linear(2, 1)
    train(model, loss_fn, pair, y, steps=3000)
    with torch.inference_mode():
        wrong = ((model(pair) > 0) != (y == 1)).sum().item()
    counts[datasets.MEASUREMENTS[column]] = wrong
partner = min(counts, key=counts.get)
left = counts[partner]"""


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
        ('losses = "aacdc"', "for standing high on its own side"),
        ('losses = "accdc"', "a logit for each class"),
        ('losses = "adcdc"', "wants chances"),
        ('losses = "abbdc"', "takes each by itself"),
        ('losses = "abedc"', "makes chances of them once more"),
        ('losses = "abcbc"', "brings one of its own"),
        ('losses = "abcac"', "hardly punish a sure mistake"),
        ('losses = "abccc"', "wants a logit for each class"),
        ('losses = "abddc"', "wants chances"),
        ('losses = "abcdd"', "wants chances"),
        ('losses = "abcec"', "a single number is always 1"),
        ('losses = "aecdc"', "a single number is always 1"),
        ('losses = "dbcdc"', "grams, and the loss in d wants chances"),
        ('losses = "ebcdc"', "no list of classes"),
        ('losses = "abadc"', "halfway between"),
        ('losses = "abcda"', "Is a name an amount"),
        ('losses = "abcdb"', "by itself"),
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
        (found("table.diagonal() // table.sum(dim=1)"), "In row 1 there are 40 birds, and 38"),
        (found("(table.diagonal() / table.sum(dim=1)).clamp(max=0.9)"), "In row 1 there"),
        (found("(table.diagonal() / table.sum(dim=1)).clamp(min=0.5)"), "In row 2 there are 17"),
        (found("(table.diagonal() / table.sum(dim=1)).round(decimals=3)"), "to three places"),
        (found("table[0, 0] / table[0].sum()"), "expected a share for each"),
        (found("[table[0, 0] / table[0].sum(), table[1, 1] / table[1].sum()]"), "returns 2 values"),
        (found("[0.95, 0.47]"), "rounded to two places"),
        (found("table / table.sum(dim=1, keepdim=True)"), "returns 4 values"),
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
        (changed(THRESHOLD, ("chance >= edge", "chance > edge")), "`>` instead of `>=`"),
        (changed(THRESHOLD, ("return best", "return lowest")), "A cheaper one exists"),
        (changed(THRESHOLD, ("return best", 'return float("inf")')), "A cheaper one exists"),
        (changed(THRESHOLD, ("return best", 'return float("nan")')), "division by zero"),
        (changed(THRESHOLD, ("return best", "return best, lowest")), "expected one number"),
        (changed(THRESHOLD, ("    return best", "")), "None. Is a `return` missing"),
        (changed(THRESHOLD, ("~said & (y == 1)", "said & (y == 1)")), "A cheaper one exists"),
    ],
    "10.5": [
        (changed(LEFT, ("min(counts", "max(counts")), "Another partner leaves fewer"),
        (f'{LEFT}\npartner = "bill_depth_mm"\nleft = counts[partner]', "what it leaves, 6 birds"),
        (f'{LEFT}\npartner = "bill_depth_mm"', "leaves more than the best"),
        (changed(LEFT, ("steps=3000", "steps=100")), "train longer"),
        (f"{LEFT}\nleft = 6", "the depth's count"),
        (changed(LEFT, ("- pair.mean(dim=0)) / pair.std(dim=0)", "* 0)")), "always saying Adelie"),
        (changed(LEFT, ("!= (y", "== (y")), "on the right side"),
        (f"{LEFT}\nleft = 219 - left", "on the right side"),
        (f"{LEFT}\nleft = left / 219", "a share"),
        (f"{LEFT}\nleft = 100 * left / 219", "a percentage"),
        (f"{LEFT}\nleft = 0", "does not leave 0 birds"),
        (f"{LEFT}\nleft = counts", "expected one number"),
        (f'{LEFT}\npartner = "mass"', "It is one of"),
        (f'{LEFT}\npartner = "bill_length_mm"', "It is one of"),
        (f"{LEFT}\npartner = 3", "It is one of"),
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
        found("(table.diagonal() / table.sum(dim=1)).unsqueeze(1)"),
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
        changed(
            THRESHOLD,
            ("chance.flatten().tolist() + [1.1]", "torch.tensor([*chance, float('inf')])"),
        ),
        "def threshold(chance, y, miss, alarm):\n"
        "    def cost(edge):\n"
        "        said = (chance >= edge).float()\n"
        "        return (miss * y * (1 - said) + alarm * (1 - y) * said).sum().item()\n\n"
        "    return min([1.5, *chance.flatten().tolist()], key=cost)",
    ],
    "10.5": [
        LEFT,
        changed(LEFT, ("steps=3000", "steps=8000")),
        f"{LEFT}\nleft = torch.tensor(left)",
        changed(LEFT, (".sum().item()", ".sum()")),
        changed(LEFT, ("model(pair) > 0", "torch.sigmoid(model(pair)) > 0.5")),
    ],
}
