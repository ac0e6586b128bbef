"""What notebook 10, its questions and its hints say in general about lines that decide."""

import math
import warnings

import torch
from torch import nn

from claims import Claim
from course_utils import datasets
from course_utils.checks import classification

LESSON = "notebooks/10_classification.ipynb"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/classification.py"
GLOSSARY, GUIDE = "notebooks/glossary.md", "classroom/TEACHING.md"
bce, cross_entropy = nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def logits_and_names(seed, n=500):
    """Return logits, and names that follow them by their chances."""
    generator = seeded(seed)
    z = 3 * torch.randn(n, 1, dtype=torch.float64, generator=generator)
    y = (torch.rand(n, 1, generator=generator) < torch.sigmoid(z)).double()
    return z, y


def fitted(X, y, steps=4000):
    """Return weights and bias with about the lowest loss, by Newton's method."""
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    line = torch.zeros(A.shape[1], 1, dtype=X.dtype)
    for _ in range(25):
        p = torch.sigmoid(A @ line)
        slope, bend = A.T @ (p - y), (A * p * (1 - p)).T @ A
        line = line - torch.linalg.solve(bend, slope)
    return A @ line, line


def two_clouds(seed, apart, share=0.31, n=600):
    """Return one feature of two overlapping classes, the second the rarer."""
    generator = seeded(seed)
    y = (torch.rand(n, 1, generator=generator) < share).double()
    X = apart * y + torch.randn(n, 1, dtype=torch.float64, generator=generator)
    return X, y


def random_quarters_differ(seed):
    names = torch.arange(219) < 68
    drawn = [names[torch.randperm(219, generator=seeded(100 * seed + k))[:55]] for k in range(20)]
    return len({int(part.sum()) for part in drawn}) > 3


def class_numbers_are_flat(seed):
    """CrossEntropyLoss refuses a column of class numbers, a flat tensor and a column of floats."""
    z = torch.randn(20, 3, generator=seeded(seed))
    y = torch.randint(3, (20,), generator=seeded(seed))
    refused = 0
    for targets in (y.unsqueeze(1), y.float(), y.float().unsqueeze(1)):
        try:
            cross_entropy(z, targets)
        except (RuntimeError, ValueError):
            refused += 1
    return refused == 3 and cross_entropy(z, y).isfinite().item()


def a_logit_adds_and_odds_multiply(seed):
    z, step = torch.randn(2, dtype=torch.float64, generator=seeded(seed)).tolist()
    chances = [1 / (1 + math.exp(-logit)) for logit in (z, z + step)]
    before, after = (p / (1 - p) for p in chances)
    return math.isclose(after, before * math.exp(step), rel_tol=1e-9)


def a_chance_stays_below_one(seed):
    z = 8 + 8 * torch.rand(50, dtype=torch.float64, generator=seeded(seed))
    chances = 1 / (1 + (-z).exp())
    return bool(chances.max() < 1) and bool(chances.min() > 0.999)


def accuracy_has_no_slope(seed):
    X, y = two_clouds(seed, apart=2, n=200)
    boundary = torch.linspace(-1, 3, 100, dtype=torch.float64)
    right = [((boundary + shift < X) == (y == 1)).sum(dim=0) for shift in (0, 1e-5)]
    return bool((right[0] == right[1]).double().mean() > 0.9)


def softplus_is_the_loss(seed):
    z, y = logits_and_names(seed)
    p = torch.sigmoid(z)
    naive = -torch.where(y == 1, p, 1 - p).log().mean()
    stable = nn.functional.softplus(torch.where(y == 1, -z, z)).mean()
    large = 30 + 50 * torch.rand(1, dtype=torch.float64, generator=seeded(seed))
    near = torch.log1p(large.exp()) - large
    return torch.allclose(naive, stable, atol=1e-8) and near.item() < 1e-9


def cross_entropy_bends_less(seed):
    """Its curvature has chance * (1 - chance), at most 1/4, where that of the MSE has a 2."""
    X = torch.randn(60, 1, dtype=torch.float64, generator=seeded(seed))
    _, y = logits_and_names(seed, 60)
    A = torch.cat([X, torch.ones_like(X)], dim=1)
    line = torch.randn(2, 1, dtype=torch.float64, generator=seeded(seed + 100))
    bend = torch.autograd.functional.hessian(lambda line: bce(A @ line, y), line).reshape(2, 2)
    p = torch.sigmoid(A @ line)
    formula = (A * p * (1 - p)).T @ A / 60
    flat = torch.linalg.eigvalsh(2 * A.T @ A / 60 / 8 - bend)
    return torch.allclose(bend, formula) and bool(flat.min() >= -1e-12)


def it_refuses_other_targets(seed):
    """Whole numbers in a column, and flat floats; of the flat ones MSELoss only warns."""
    z, y = logits_and_names(seed)
    refused = 0
    for targets in (y.long(), y.flatten()):
        try:
            bce(z.float(), targets)
        except (RuntimeError, ValueError):
            refused += 1
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        nn.MSELoss()(z, y.flatten())
    return refused == 2 and len(warned) == 1


def only_differences_count(seed):
    z = 4 * torch.randn(200, 3, dtype=torch.float64, generator=seeded(seed))
    y = torch.randint(3, (200,), generator=seeded(seed))
    return torch.allclose(cross_entropy(z, y), cross_entropy(z + seed - 7.5, y))


def every_find_is_paid(seed):
    z, y = logits_and_names(seed)
    edges = torch.rand(2, generator=seeded(seed)).sort().values
    found, alarms = ([int(((z > e) & (y == kind)).sum()) for e in edges] for kind in (1, 0))
    return found[0] >= found[1] and alarms[0] >= alarms[1]


def steeper_names_alike_and_costs_more(seed):
    """At the lowest loss, three times the logits name the same and cost more."""
    X, y = two_clouds(seed, apart=3)
    z, _ = fitted(X, y)
    same = torch.equal(z > 0, 3 * z > 0)
    return same and bool(bce(3 * z, y) > bce(z, y)) and bool(bce(z / 3, y) > bce(z, y))


def sure_mistakes_are_dear(seed):
    z, y = logits_and_names(seed)
    cost = nn.functional.softplus(torch.where(y == 1, -z, z))
    return bool(cost[(z > 0) == (y == 1)].max() < math.log(2) + 1e-9 <= cost.max())


def the_safe_guess_is_the_frequent_class(seed):
    """Where classes overlap, a line calls fewer birds by the rarer name than there are."""
    X, y = two_clouds(seed, apart=0.9)
    z, _ = fitted(X, y)
    return bool((z > 0).double().mean() < y.mean()) and bool((z[y == 1] > 0).double().mean() < 0.5)


def accuracy_hides_the_rare(seed):
    X, y = two_clouds(seed, apart=0.5, share=0.08, n=2000)
    z, _ = fitted(X, y)
    right = ((z > 0) == (y == 1)).double()
    return bool(right.mean() > 0.85) and bool(right[y == 1].mean() < 0.2)


def sigmoid_twice_has_a_floor(seed):
    """And what comes out is above 0 for every bird."""
    z, y = logits_and_names(seed)
    perfect = torch.where(y == 1, 50.0, -50.0)
    floor = bce(torch.sigmoid(perfect), y).item()
    above = bool((torch.sigmoid(z) > 0).all()) and bce(torch.sigmoid(z), y).item() > floor
    return above and floor > 0.3 and bce(perfect, y).item() < 1e-9


def softmax_twice_has_a_floor(seed):
    z = 8 * torch.randn(300, 3, dtype=torch.float64, generator=seeded(seed))
    y = torch.randint(3, (300,), generator=seeded(seed))
    perfect = 100 * nn.functional.one_hot(y, 3).double()
    floor = cross_entropy(torch.softmax(perfect, dim=1), y).item()
    low = math.isclose(floor, math.log(1 + 2 / math.e), rel_tol=1e-6)
    above = cross_entropy(torch.softmax(z, dim=1), y).item() > floor
    return low and above and cross_entropy(perfect, y).item() < 1e-9


def it_learns_all_the_same(seed):
    """On clouds that lie apart, softmax twice names nearly as many right."""
    generator = seeded(seed)
    y = torch.randint(3, (300,), generator=generator)
    X = 4 * nn.functional.one_hot(y, 3)[:, :2] + torch.randn(300, 2, generator=generator)
    torch.manual_seed(seed)
    twice = nn.Sequential(nn.Linear(2, 3), nn.Softmax(dim=1))
    optimizer = torch.optim.SGD(twice.parameters(), lr=1.0)
    for _ in range(500):
        optimizer.zero_grad()
        loss = cross_entropy(twice(X), y)
        loss.backward()
        optimizer.step()
    right = (twice(X).argmax(dim=1) == y).float().mean().item()
    return right > 0.9 and loss.item() > 0.55


def near_one_half_a_weight_counts_most(seed):
    step = 0.2 + torch.rand(1, generator=seeded(seed)).item()

    def gained(p):
        return 1 / (1 + (1 - p) / p * math.exp(-step)) - p

    return gained(0.5) > 5 * gained(0.98) and gained(0.5) > 5 * gained(0.01)


def honest_chances_need_no_birds(seed):
    """With chances that come true, alarm / (alarm + miss) is about the cheapest threshold."""
    generator = seeded(seed)
    p = torch.rand(40_000, generator=generator)
    y = torch.rand(40_000, generator=generator) < p
    miss, alarm = (1 + 9 * torch.rand(2, generator=generator)).tolist()

    def cost(edge):
        return miss * ((p < edge) & y).sum().item() + alarm * ((p >= edge) & ~y).sum().item()

    cheapest = min(cost(k / 100) for k in range(101))
    return cost(alarm / (alarm + miss)) <= 1.02 * cheapest


def a_feature_without_news_can_help(seed):
    """Two features that each class shares in mean, yet the pair tells more than the first alone."""
    generator = seeded(seed)
    y = (torch.rand(800, 1, generator=generator) < 0.4).double()
    size = torch.randn(800, 1, dtype=torch.float64, generator=generator)
    first = 1.5 * y + size + 0.3 * torch.randn(800, 1, dtype=torch.float64, generator=generator)
    X = torch.cat([first, size], dim=1)
    alone, pair = (((fitted(A, y)[0] > 0) == (y == 1)).double().mean() for A in (size, X))
    one = ((fitted(first, y)[0] > 0) == (y == 1)).double().mean()
    free = max(y.mean(), 1 - y.mean())
    return bool(alone < free + 0.05) and bool(pair > one + 0.1)


def left_wrong(partner):
    """Return how many birds the line of lowest loss leaves on the wrong side."""
    X, species = datasets.load_species("bill_length_mm", partner)
    X, y = X[species < 2].double(), (species[species < 2] == 1).double().unsqueeze(1)
    z, _ = fitted((X - X.mean(dim=0)) / X.std(dim=0), y)
    return int(((z > 0) != (y == 1)).sum())


def each_partner_leaves_as_many(_seed):
    return {partner: left_wrong(partner) for partner in classification.LEFT} == classification.LEFT


def three_wrong_names_are_possible(_seed):
    X, species = datasets.load_species("bill_length_mm", "bill_depth_mm")
    (length, depth), is_chinstrap = X[species < 2].double().T, species[species < 2] == 1
    said = depth < 0.6 * length - 7.84
    return int((said != is_chinstrap).sum()) == 3


def bills():
    """Return the scaled bills of the two species, their millimeters, and who is a Chinstrap."""
    X, species = datasets.load_species("bill_length_mm", "bill_depth_mm")
    X, y = X[species < 2].double(), (species[species < 2] == 1).double().unsqueeze(1)
    return (X - X.mean(dim=0)) / X.std(dim=0), X, y


def fewer_names_cost_more(_seed):
    scaled, X, y = bills()
    line = 0.6 * X[:, :1] - 7.84 - X[:, 1:]
    best = min(bce(k / 100 * line, y).item() for k in range(1, 1000))
    z, _ = fitted(scaled, y)
    return (round(best, 3), round(bce(z, y).item(), 3)) == (0.048, 0.043)


def two_adelies_pay(_seed):
    """At four times the steepness of the lowest loss."""
    scaled, _, y = bills()
    z, _ = fitted(scaled, y)
    cost = nn.functional.softplus(4 * torch.where(y == 1, -z, z)).flatten()
    top = cost.topk(2)
    mistaken = bool((z[top.indices] > 0).all()) and not y[top.indices].any()
    return mistaken and bool(top.values.sum() > cost.sum() / 2)


def splits(y):
    """Yield the rows of the lesson's twenty splits, training and held out."""
    for seed in range(20):
        generator, train, held_out = seeded(seed), [], []
        for kind in (0, 1):
            rows = (y[:, 0] == kind).nonzero().flatten()
            rows = rows[torch.randperm(len(rows), generator=generator)]
            held_out.append(rows[: round(len(rows) / 4)])
            train.append(rows[round(len(rows) / 4) :])
        yield torch.cat(train), torch.cat(held_out)


def twenty_six_sure_answers(_seed):
    """They come from six birds: the lesson's splits again, each line at its lowest loss."""
    X, species = datasets.load_species("flipper_length_mm")
    X, y = X[species < 2].double(), (species[species < 2] == 1).double().unsqueeze(1)
    sure = []
    for train, held_out in splits(y):
        _, line = fitted(X[train] - 190, y[train])
        chance = torch.sigmoid((X[held_out] - 190) * line[0] + line[1])
        sure += held_out[chance[:, 0] >= 0.8].tolist()
    return len(sure) == 26 and len(set(sure)) == 6


CLAIMS = [
    Claim(LESSON, "A random quarter holds more Chinstraps or fewer", random_quarters_differ),
    Claim(
        LESSON,
        "One more millimeter of bill always adds the same to the logit",
        a_logit_adds_and_odds_multiply,
    ),
    Claim(
        LESSON,
        "It adds a lot near the middle, and hardly anything far out.",
        near_one_half_a_weight_counts_most,
    ),
    Claim(
        LESSON,
        "the same loss, $-\\log(1 - \\sigma(20))$, is $\\log(1 + e^{20})$",
        softplus_is_the_loss,
    ),
    Claim(LESSON, "This loss bends at most an eighth as much", cross_entropy_bends_less),
    Claim(
        LESSON,
        "A column of these numbers raises an error, and so do floats.",
        class_numbers_are_flat,
    ),
    Claim(
        GLOSSARY,
        "each 1 more multiplies the odds by $e$",
        a_logit_adds_and_odds_multiply,
    ),
    Claim(GLOSSARY, "and only their differences count", only_differences_count),
    Claim(
        LESSON,
        "this loss refuses the whole numbers of `species`, and a flat tensor of floats",
        it_refuses_other_targets,
    ),
    Claim(GLOSSARY, "among three names costs 0.551", softmax_twice_has_a_floor),
    Claim(GUIDE, "The sigmoid comes near 1 and stays below.", a_chance_stays_below_one),
    Claim(
        GUIDE, "how does the accuracy change? Hope for: mostly not at all.", accuracy_has_no_slope
    ),
    Claim(LESSON, "raise as many false alarms or more", every_find_is_paid),
    Claim(QUESTIONS, "But sure mistakes are expensive", steeper_names_alike_and_costs_more),
    Claim(LESSON, "Sure and wrong is expensive", sure_mistakes_are_dear),
    Claim(LESSON, "*Adelie* is the safe guess", the_safe_guess_is_the_frequent_class),
    Claim(
        CHECKS,
        "A high accuracy can hide a species that is hardly ever found",
        accuracy_hides_the_rare,
    ),
    Claim(
        LESSON,
        "is the same mistake, but there `logit > 0` calls every bird a Chinstrap",
        sigmoid_twice_has_a_floor,
    ),
    Claim(QUESTIONS, "no bird costs less than 0.55", softmax_twice_has_a_floor),
    Claim(
        LESSON, "its loss is 0.048, and that of the trained line is 0.043", fewer_names_cost_more
    ),
    Claim(LESSON, "So even perfection is punished.", softmax_twice_has_a_floor),
    Claim(LESSON, "And yet the model learns", it_learns_all_the_same, slow=True),
    Claim(
        CHECKS,
        "near one half it moves them a lot, near certainty hardly at all",
        near_one_half_a_weight_counts_most,
    ),
    Claim(
        LESSON, "If the chances were honest, `alarm / (alarm + miss)`", honest_chances_need_no_birds
    ),
    Claim(
        CHECKS,
        "A feature is worth what it adds to the",
        a_feature_without_news_can_help,
    ),
    Claim(CHECKS, "by a line, of 219", each_partner_leaves_as_many),
    Claim(
        LESSON,
        "depth = 0.6 \u00b7 length \u2212 7.84 leaves three",
        three_wrong_names_are_possible,
    ),
    Claim(LESSON, "more than half of the whole loss is theirs", two_adelies_pay),
    Claim(LESSON, "those 26 answers were given to six birds", twenty_six_sure_answers),
]
