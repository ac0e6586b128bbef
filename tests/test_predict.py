"""Predict first: every question has one right answer, a reason for each, and gives nothing away."""

import copy
import itertools
import json
import re

import nbformat
import pytest
import torch
from refresh import NOTEBOOKS, ROOT
from torch import nn

from course_utils import datasets
from course_utils.inputs import InputError
from course_utils.predict import Prediction, judge, predict, questions, shown

QUESTIONS = questions()
each = pytest.mark.parametrize("name", QUESTIONS)
# For each question: the notebook, the first line of the cell before which it belongs, what the
# notebook prints then, and that as an answer.
FIVE = QUESTIONS["five lines"]["order"]
STEEP = "The same number of wrong names, and a higher loss"
LIGHT = "By far more, and most penguins are lighter than it says"
SOFT = "A good accuracy, and a loss that stays far above 0"
OLD = "Its weight has not moved, and its gradients are sums over ten batches"
LARGE = "By about 700 g, and nearly all are heavier than it says"
PAST = "0.4 below 0.61, and 0.8 above 1.13"
NEW = "model, optimizer = start_over(lr=0.1)\n"
SHOWN = {
    "one flipper": ("00", "same_flipper = mass", r"^3\.95 .* 4\.85", "About 0.9 kg"),
    "lazy rule": ("00", "lazy = mass - 4.2", r"keeper 0\.17\d+ kg\nlazy +0\.00", "The lazy one's"),
    "swapped digits": ("01", "typed = birds", r"falls by ([\d.]+) g", float),
    "flat minus column": ("01", "residual = mass_kg", r"Size\(\[342, 342\]\)", "`(342, 342)`"),
    "noise floor": ("01", "for sigma in [0.0, 0.1, 0.5]:", r"0\.5: .* line ([\d.]+)", float),
    "mean of each length": ("01", "floor = (squares", r"floor +37[5-6] g", "About 375 g"),
    "half the miss": ("02", "true_pull = math", r"16 .* 39 % .*\n.*64 .* 1\d % ", "About 64"),
    "steps of an epoch": ("02", "loader = DataLoader(birds", r"^(\d+) batches", float),
    "split again": ("02", "train_again, test_again =", r"^(\d+) birds were", float),
    "a ship of large birds": ("02", "X_large, y_large =", r"7[0-5]\d g\n11\d of 123 are h", LARGE),
    "secret exam": ("02", "everybody = fit", r"393 g\n.* 3[4-8]\d g[^$]* 4[0-5]\d g", "Some are"),
    "train the box": ("03", "torch.manual_seed(0)\nbox", r"\['bias'\]\nweight -0\.29", "A line wi"),
    "three rulers": ("03", "pair = nn.Linear", r"makes (\d+)", float),
    "flat targets": ("03", "X_column =", r"yours +flat targets 0\.8.*\nlazy +.* 0\.64", "The lazy"),
    "half way down": ("04", "def slope_at(weight):", r"0\.26: slope (-\d\.\d+)", float),
    "backward moves": ("04", "print(weight)\n", r"\[0\.\],.*\n.*\[3\.5000\],", "0 and 3.5"),
    "backward twice": ("04", "loss = loss_fn(weight *", r"\[(-[\d.]+)\]", float),
    "five lines": ("04", "def one_step(model, loss_fn,", r"^    (.+)$", list),
    "longer step": ("04", "by_weight, by_bias =", r"after 0\.3.*\n.* after [2-9]", PAST),
    "no zero_grad": ("05", "print(\"highest", r"21 .*,\d{3} times[^$]* 146 t", "It swings, wider"),
    "old optimizer": ("05", f"{NEW}model = Line()", r"(-0\.41..), .*-42.*\n.*\1, .*-85", OLD),
    "step outside": ("05", f"{NEW}start, grad", r"by (0.+)\n.*last gradient \1", "That of the"),
    "enough epochs": ("05", "curves = watch(train", r" 2 .*0\.009[^$]*20 .*0\.01", "The 2nd or"),
    "four learning rates": ("06", "for lr in [0.002", r"(rate [\d.]+): .*last loss (.+)$", sorted),
    "one step home": ("06", "curvature = slope(", r"at rate ([\d.]+)", float),
    "raw penguins": ("06", "flipper, mass = datasets", r"nan$", "So large"),
    "Adam on penguins": ("06", "for kind in [", r"Adam loss 18,\d+,", "Still above 10 million"),
    "measured half way": ("07", "forgetful =", r"mode\? True\n.*mode\? False", "It passes"),
    "mean of the misses": ("07", "for size in (68", r"68: .*\.3767[^$]*17: .*\.37[0-5]", "It is l"),
    "four degrees": ("07", "X_few, y_few =", r" 1: .*ds 0\.3.*\n.*ds 0\.[5-9]", "Degree 1"),
    "longer flippers": ("07", "short = X_train", r"up: 2[0-6] of .*\+0\.[3-9]", "They are heavier"),
    "fresh process": ("08", 'start_python(program, here / "line', r"^138\.\d+ kg", "138 kg"),
    "ten epochs more": ("08", "alone = ", r"alone +weight 2\.02", "It rises"),
    "safe save": ("08", "def to_bytes(value):", "", QUESTIONS["safe save"]["order"]),
    "kept best": ("08", "kept = nn.Linear", r"388[^$]*var.* 438", "The variable that of the l"),
    "three layers": ("09", "optimizer = torch.optim.Adam(stack", r"MSE 0\.436$", "To that"),
    "ten starts": ("09", "def start_from(seed", r"2: 0\.0.* 0\.2.* 0\.3", "They fall"),
    "first of eight layers": ("09", "kinds = {", r"sigmoid.* [1-9]e-08", "About a ten-m"),
    "bends for birds": ("09", "flipper, mass =", r"misses by 37[3-5] g", "About 20 g"),
    "sure and wrong": ("10", "logit, adelie =", r"by hand +inf", "Infinity"),
    "three times as steep": ("10", "bills = (X", r"1: 6 .*0\.04.*\n.*3: 6 .*0\.06", STEEP),
    "Chinstraps found": ("10", "truth = species", r"Chinstrap +\d+ +(\d+)$", float),
    "softmax twice": ("10", "perfect = torch", r"d: loss 0\.5.*\nac.* (?:9.|100)\.", SOFT),
    "chosen noise": ("11", "generator = torch.Generator", r"all rows +0\.[78]", "By less than"),
    "plan in the batches": (
        *("11", 'plans = {"once an epoch', r"^once a batch: .* 9 epochs 0\.000"),
        "It is down to 0 early, then",
    ),
    "network in Lightning": ("11", "fresh = make_trainer()", r"difference 0\.0$", "Not at all"),
    "ten deals": ("11", "scores = pd", r"^mean .* 0\.01\d$", "Neither"),
    "steps a second": ("12", "line = nn.Linear", r"more than +100,000 .*: False", "Fewer than 1"),
    "two workers": ("12", "def epoch", r"five times as long: True", "More than f"),
    "killed process": ("12", "command = [*torch", r"^weight eq.* True\nb.* True", "Where the un"),
    "sixty-four processes": ("12", "counts = [", r"network[^$]* 64 .* ([\d.]+)$", float),
    "bill and mass": ("lab", "X_bill, y_mass", r"1499 g, 99% lighter", LIGHT),
    "foretold dice": ("lab", "seeded = torch", r"loss 1\.9\d, .* 2\.8\d", "Near 2.0"),
}  # fmt: skip


def kinds(question):
    return [kind for kind in ("options", "answer", "order") if kind in question]


def reasons(question):
    tables = [question.get(key, {}).values() for key in ("options", "early", "wrong")]
    plain = [question[key] for key in ("why", "low", "high") if key in question]
    return [*plain, *(reason for table in tables for reason in table)]


def problems(question):
    """Return what is wrong with a question, in words."""
    found = [f"short reason: {text}" for text in reasons(question) if len(text.split()) < 5]
    texts = [question["ask"], *reasons(question), *shown(question)]
    prose = [re.sub(r"`[^`]*`", "", text) for text in texts]
    found += [f"Markdown outside of code: {text}" for text in prose if re.search(r"[`*_<$|]", text)]
    if len(kinds(question)) != 1:
        return [*found, "no kind, or more than one"]
    if "options" in question:
        found += ["fewer than 3 options"] * (len(question["options"]) < 3)
        found += ["no option is right"] * (question["right"] not in question["options"])
    elif "order" in question:
        order, after = question["order"], question.get("after", {})
        needy = [item for item in order[1:] if after.get(item, True)]
        found += ["fewer than 3 items"] * (len(set(order)) < 3 or len(set(order)) < len(order))
        found += ["reasons for other items"] * (list(question["early"]) != needy)
        found += ["waits for an unknown item"] * (not set().union(*after.values()) <= {*order})
    else:
        if question["tolerance"] < 0:
            return [*found, "negative tolerance"]
        right = [float(text) for text in question["wrong"] if judge(question, float(text))[0]]
        found += [f"wrong numbers that count as right: {right}"] * bool(right)
        found += ["fewer than 2 wrong numbers"] * (len(question["wrong"]) < 2)
    return found


@each
def test_a_question_is_well_formed(name):
    question = QUESTIONS[name]
    assert problems(question) == []
    assert not re.search(r"!|\b(simply|just|easy|easily|obviously)\b", " ".join(reasons(question)))


def broken(name, change):
    question = copy.deepcopy(QUESTIONS[name])
    change(question)
    return question


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("flat targets", lambda q: q.update(right="A slope near 0")),
        ("flat targets", lambda q: q["options"].update({q["right"]: "It is so."})),
        ("flat targets", lambda q: [q["options"].popitem() for _ in range(2)]),
        ("flat targets", lambda q: q.update(order=["a", "b", "c"])),
        ("flat targets", lambda q: q.update(ask="What is y_pred?")),
        ("noise floor", lambda q: q.update(tolerance=0.2)),
        ("noise floor", lambda q: q.update(tolerance=-0.1)),
        ("noise floor", lambda q: q.update(low="Too low.")),
        ("noise floor", lambda q: q["wrong"].clear()),
        ("safe save", lambda q: q["order"].append("wait")),
        ("safe save", lambda q: q["early"].popitem()),
        ("five lines", lambda q: q["after"].update({"`loss.backward()`": ["the forward pass"]})),
    ],
)
def test_a_malformed_question_is_noticed(name, change):
    assert problems(broken(name, change)) != []


def cells_of(number):
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    return nbformat.read(path, as_version=4).cells


def output_of(cell):
    outputs = cell.get("outputs", [])
    return "\n".join(out.get("text") or out.data["text/plain"] for out in outputs)


def asked_at(name, cells):
    """Return the number of the cell that asks a question."""
    return [cell.source for cell in cells].index(f'predict("{name}")')


def veiled_by(name, cells):
    """Return the numbers of the cells that an open question hides: up to the next heading."""
    found = []
    for number, cell in enumerate(cells[asked_at(name, cells) + 1 :], asked_at(name, cells) + 1):
        if cell.source.startswith("## "):
            break
        found.append(number)
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.M):
            break
    return found


def printed_by(name):
    """Return what the cells print that show the answer; the code of one that prints nothing."""
    number, first_line, *_ = SHOWN[name]
    showing = [
        cell
        for cell in cells_of(number)
        if cell.cell_type == "code" and cell.source.startswith(first_line)
    ]
    assert showing, f"notebook {number} has no cell that begins with {first_line}"
    printed = "\n".join(map(output_of, showing))
    return printed if printed.strip() else showing[0].source


def answers(name):
    """Return the right answer as the notebook shows it."""
    _, _, pattern, answer = SHOWN[name]
    printed = printed_by(name)
    found = re.findall(pattern, printed, re.M)
    assert found, printed
    if answer is float:
        return float(found[0])
    if answer is sorted:
        rows = sorted(dict.fromkeys(found), key=lambda row: float(row[-1]))
        return [" ".join(row[:-1]) for row in rows]
    if isinstance(answer, str):
        return next(option for option in QUESTIONS[name]["options"] if option.startswith(answer))
    return [f"`{line}`" for line in found] if answer is list else answer


def as_given(name):
    """Return patterns of the right answer, as one would give it, where its words tell it."""
    question = QUESTIONS[name]
    if "options" in question:
        texts = [question["right"].strip("`.")] if len(question["right"]) > 5 else []
    elif "answer" in question:
        number, unit = f"{question['answer']:g}", question["unit"]
        texts = [f"{number} {unit}".strip()] if unit or "." in number else []
    else:
        texts = []
    return [rf"(?<![\w.]){re.escape(text)}(?!\w|\.\d)" for text in texts]


def numbers(text):
    """Return the numbers of three digits or more, signs left out."""
    found = re.findall(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?", text)
    return {number for number in found if sum(map(str.isdigit, number)) >= 3}


def tells(name):
    """Return patterns of what tells the answer on a screen.

    These are the lines that show it, the numbers that the notebook prints there for the first
    time, and the answer as given.
    """
    number, first_line, pattern, _ = SHOWN[name]
    printed = printed_by(name)
    if printed.startswith(first_line):
        return [f"^{re.escape(first_line)}"]
    cells = cells_of(number)
    above = cells[: asked_at(name, cells)]
    known = "\n".join([QUESTIONS[name]["ask"], *(c.source + "\n" + output_of(c) for c in above)])
    lines = rf"^.*(?:{pattern.removeprefix('^').removesuffix('$')}).*$"
    found = [f"^{re.escape(match[0])}$" for match in re.finditer(lines, printed, re.M)]
    for fresh in sorted(numbers(printed) - numbers(known)):
        found.append(rf"(?<![\w.,]){re.escape(fresh)}(?!\w|[.,]\d)")
    return found + as_given(name)


@each
def test_the_notebook_shows_what_counts_as_right(name):
    right, reason = judge(QUESTIONS[name], answers(name))
    assert right, reason


def test_the_questions_are_of_three_kinds_and_two_or_more_about_each_lesson():
    assert list(SHOWN) == list(QUESTIONS)
    of_kind = [kinds(question)[0] for question in QUESTIONS.values()]
    assert of_kind.count("answer") >= 4
    assert of_kind.count("order") >= 3
    notebooks = [place[0] for place in SHOWN.values()]
    assert notebooks == sorted(notebooks)
    numbers = [*(f"{number:02}" for number in range(1, 13)), "lab"]
    assert all(notebooks.count(number) >= 2 for number in numbers)
    at = [[*q["options"]].index(q["right"]) for q in QUESTIONS.values() if "options" in q]
    assert max(map(at.count, at)) <= len(at) / 2, "the right option is too often at one place"


@each
def test_each_wrong_answer_gets_its_own_reason(name):
    question = QUESTIONS[name]
    if "options" in question:
        verdicts = [judge(question, option) for option in question["options"]]
    elif "order" in question:
        order = question["order"]
        swapped = [
            [*order[:i], order[i + 1], order[i], *order[i + 2 :]] for i in range(len(order))[:-1]
        ]
        verdicts = [judge(question, order), *(judge(question, answer) for answer in swapped)]
        assert not judge(question, shown(question))[0], "starts in the right order"
    else:
        right, off = question["answer"], question["tolerance"] + 1e-4
        numbers = [right, right - off, right + off, *map(float, question["wrong"])]
        verdicts = [judge(question, number) for number in numbers]
    assert [right for right, _ in verdicts].count(True) == (2 if name == "five lines" else 1)
    texts = [reason for _, reason in verdicts]
    assert len(set(texts)) == (len(texts) - 1 if name == "five lines" else len(texts))


def test_a_rounded_number_is_known_too():
    question = QUESTIONS["one step home"]
    for rounded, known in (("1.14", "1.145"), ("1.15", "1.145")):
        assert judge(question, float(rounded)) == (False, question["wrong"][known])
    assert judge(question, 0.57)[0], "two digits are enough"
    assert judge(question, 0.2) == (False, question["low"])


def trained_by(lines):
    """Run the five lines twice after a cell that left gradients; return weight or the error."""
    X, y = datasets.make_line()
    model, loss_fn = nn.Linear(1, 1), nn.MSELoss()
    nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)
    names = {"model": model, "loss_fn": loss_fn, "X": X, "y": y}
    names["optimizer"] = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_fn(model(X), -5 * y).backward()
    for _ in range(2):
        names = {name: names[name] for name in ("model", "loss_fn", "optimizer", "X", "y")}
        try:
            exec("\n".join(line.strip("`") for line in lines), names)
        except NameError as error:
            return error.name
    return round(model.weight.item(), 5)


def test_the_orders_that_count_as_right_are_those_that_train():
    orders = [list(order) for order in itertools.permutations(FIVE)]
    right = [order for order in orders if judge(QUESTIONS["five lines"], order)[0]]
    trained = trained_by(FIVE)
    assert right == [order for order in orders if trained_by(order) == trained]
    assert len(right) == 3, "zero_grad may come anywhere before backward"


@each
def test_the_answer_stands_below_its_question_and_not_above(name):
    cells = cells_of(SHOWN[name][0])
    asked = asked_at(name, cells)
    first, *_ = veiled_by(name, cells)
    assert first == asked + 1
    assert re.search(tells(name)[0], printed_by(name), re.M)
    above = [c for c in cells[:asked] if not c.source.startswith("predict(")]
    text = "\n".join(part for cell in above for part in (cell.source, output_of(cell)))
    assert [found[0] for pattern in as_given(name) if (found := re.search(pattern, text))] == []


@each
def test_the_veil_is_long_enough(name):
    assert len(veiled_by(name, cells_of(SHOWN[name][0]))) <= 12, "as far as veil.css counts"


def test_one_veil_comes_with_the_question_and_with_the_courses_jupyterlab():
    veil = (ROOT / "course_utils/veil.css").read_bytes()
    (other,) = ROOT.glob("binder/settings/share/jupyter/labextensions/*/static/veil.css")
    assert other.read_bytes() == veil
    assert veil.decode() in predict("five lines").get_state()["_css"]


@each
def test_the_page_and_the_text_know_no_answer(name):
    prediction = predict(name)
    state = {k: v for k, v in prediction.get_state().items() if k not in ("_esm", "_css")}
    sent = json.dumps(state, default=str) + prediction.as_text() + repr(prediction)
    for text in reasons(QUESTIONS[name]):
        assert json.dumps(text)[1:-1] not in sent
    assert (prediction.state, prediction.reason, prediction.veiled) == ("open", "", True)
    assert all(item in prediction.as_text() for item in shown(QUESTIONS[name]))


def test_one_can_answer_again():
    prediction = Prediction("five lines", QUESTIONS["five lines"])
    states = []
    for answer in (FIVE[::-1], FIVE, FIVE[::-1]):
        prediction.answer(answer)
        states.append(prediction.state)
        assert prediction.reason
    assert states == ["wrong", "right", "wrong"]
    assert not prediction.veiled


@each
def test_one_may_ask_for_the_answer(name):
    prediction, question = predict(name), QUESTIONS[name]
    prediction.hear(prediction, {"show": True})
    assert (prediction.state, prediction.veiled) == ("shown", False)
    right = question.get("order") or [str(question.get("right", question.get("answer")))]
    assert all(part.rstrip(".") in prediction.reason for part in right)
    assert judge(question, question.get("order") or answers(name))[1] in prediction.reason


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("flat targets", "A slope near 2"), ("flat targets", None), ("flat targets", 3),
        ("noise floor", "0.25"), ("noise floor", None), ("noise floor", float("nan")),
        ("five lines", FIVE[:4]), ("five lines", "optimizer.zero_grad()"), ("five lines", [1] * 5),
        ("five lines", None),
    ],
)  # fmt: skip
def test_an_answer_of_another_kind_is_refused(name, answer):
    with pytest.raises(InputError, match=r"answer is .*, expected"):
        judge(QUESTIONS[name], answer)


def test_an_unknown_question_is_refused_with_the_nearest():
    for name in ("five line", "Five Lines", "", 5, None, ["five lines"]):
        with pytest.raises(InputError, match=r"there is no question .* did you mean '"):
            predict(name)
    with pytest.raises(InputError, match="did you mean 'five lines'"):
        predict("fiveline")
