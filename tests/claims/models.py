"""What notebook 03 and its questions and checks say in general."""

import warnings
from collections.abc import Callable

import torch
from torch import nn

from claims import Claim
from course_utils import datasets

LESSON = "notebooks/03_models.ipynb"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/models.py"
GLOSSARY = "notebooks/glossary.md"
TEACHING = "classroom/TEACHING.md"


class _Line(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.randn(1))
        self.weight = nn.Parameter(torch.randn(1))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.weight * X + self.bias


class _WithoutSuper(nn.Module):
    def __init__(self) -> None:
        self.bias = nn.Parameter(torch.randn(1))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _seeded(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return make()


def _raises(function: Callable[[], object], error: type[Exception] = RuntimeError) -> bool:
    try:
        function()
    except error:
        return True
    return False


def _sizes(seed: int, count: int) -> list[int]:
    """Draw numbers of features, nodes or rows, 2 to 40."""
    return torch.randint(2, 41, (count,), generator=_generator(seed)).tolist()


def _fails_without_super(seed: int) -> bool:
    return _raises(lambda: _seeded(_WithoutSuper, seed), AttributeError)


def _draws_again(seed: int) -> bool:
    states = [_seeded(_Line, seed).state_dict() for _ in range(2)]
    return list(states[0]) == ["bias", "weight"] and all(
        torch.equal(states[0][name], states[1][name]) for name in states[0]
    )


def _plain_tensor_is_left_out(seed: int) -> bool:
    """One is marked and one is not: training moves the one, in silence."""
    X, y = datasets.make_line(seed=seed)
    box = nn.Module()
    box.weight = torch.randn(1, generator=_generator(seed))
    found = len(list(box.parameters()))
    nothing = _raises(lambda: torch.optim.SGD(box.parameters(), lr=0.1), ValueError)
    box.bias = nn.Parameter(torch.zeros(1))
    before = box.weight.clone()
    optimizer = torch.optim.SGD(box.parameters(), lr=0.1)
    (y - box.weight * X - box.bias).square().mean().backward()
    optimizer.step()
    one_left = len(list(box.parameters())) == 1
    return (
        found == 0 and nothing and one_left and torch.equal(before, box.weight) and bool(box.bias)
    )


def _overwriting_is_refused(seed: int) -> bool:
    model = _seeded(_Line, seed)
    return _raises(lambda: model.weight.fill_(0.5)) and _raises(lambda: model.bias.fill_(4.0))


def _call_runs_hooks(seed: int) -> bool:
    model, ran = _seeded(_Line, seed), []
    model.register_forward_hook(lambda *_: ran.append(seed))
    X, _ = datasets.make_line(seed=seed)
    model.forward(X)
    passed_by = not ran
    model(X)
    return passed_by and ran == [seed]


def _linear_replaces_line(seed: int) -> bool:
    X, _ = datasets.make_line(seed=seed)
    model, linear = _seeded(_Line, seed), nn.Linear(1, 1)
    with torch.no_grad():
        linear.weight.copy_(model.weight.reshape(1, 1))
        linear.bias.copy_(model.bias)
    return torch.allclose(linear(X), model(X), atol=1e-6)


def _linear_holds(seed: int) -> bool:
    m, k, rows = _sizes(seed, 3)
    linear = nn.Linear(m, k)
    X = torch.randn(rows, m, generator=_generator(seed))
    by_hand = X @ linear.weight.T + linear.bias
    return (
        (linear.weight.numel(), linear.bias.numel()) == (m * k, k)
        and linear(X).shape == (rows, k)
        and torch.allclose(by_hand, linear(X), atol=1e-5)
    )


def _linear_refuses_a_list(seed: int) -> bool:
    (n,) = _sizes(seed, 1)
    return _raises(lambda: nn.Linear(1, 1)(torch.randn(n)))


def _column_meets_list(seed: int) -> bool:
    (n,) = _sizes(seed, 1)
    X, y = datasets.make_line(n, seed=seed)
    table = X - y.squeeze(1)
    return table.shape == (n, n) and torch.equal(table.diagonal(), (X - y).squeeze(1))


def _trained_slope(seed: int, epochs: int = 20) -> float:
    """Return the slope that training ends at, with columns."""
    X, y = datasets.make_line(160, seed=seed)
    torch.manual_seed(seed)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(epochs):
        for rows in torch.randperm(160).split(16):
            optimizer.zero_grad()
            ((model(X[rows]) - y[rows]) ** 2).mean().backward()
            optimizer.step()
    return model.weight.item()


def _column_training_is_right(seed: int) -> bool:
    return abs(_trained_slope(seed) - 2) < 0.1


def _loss_warns_and_is_wrong(seed: int) -> bool:
    X, y = datasets.make_line(seed=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loss = nn.MSELoss()(X, y.squeeze(1))
    wrong = (X - y.squeeze(1)).square().mean()
    return len(caught) == 1 and torch.allclose(loss, wrong)


def _weight_alone_loses_height(seed: int) -> bool:
    line = _seeded(_Line, seed)
    return line(torch.zeros(1, 1)).item() == line.bias.item() != 0


def _shared_memory_moves_both(seed: int) -> bool:
    line, linear = _seeded(_Line, seed), nn.Linear(1, 1)
    linear.weight = nn.Parameter(line.weight.reshape(1, 1))
    before = line.weight.item()
    with torch.no_grad():
        linear.weight.add_(1.0)
    return line.weight.item() != before and line.weight.item() == linear.weight.item()


def _copies_move_alone(seed: int) -> bool:
    line, linear = _seeded(_Line, seed), nn.Linear(1, 1)
    with torch.no_grad():
        linear.weight.copy_(line.weight.reshape(1, 1))
        before = line.weight.item()
        linear.weight.add_(1.0)
    loaded = nn.Linear(1, 1)
    loaded.load_state_dict(linear.state_dict())
    return (
        line.weight.item() == before
        and loaded.weight.item() == linear.weight.item()
        and loaded.weight.data_ptr() != linear.weight.data_ptr()
    )


def _float64_layer_refuses(seed: int) -> bool:
    X, _ = datasets.make_line(seed=seed)
    return _raises(lambda: nn.Linear(1, 1, dtype=torch.float64)(X))


def _two_objects(seed: int) -> bool:
    """Each keeps numbers of its own, and a method sees the one that has changed."""
    one, other = _seeded(_Line, seed), _seeded(_Line, seed + 100)
    x = torch.ones(1, 1)
    before, same = one(x).item(), other(x).item()
    with torch.no_grad():
        one.bias += 1.0
    return abs(one(x).item() - before - 1) < 1e-5 and other(x).item() == same


def _level_line_wins(seed: int) -> bool:
    """Over all pairs of prediction and target, the best line is level, at the mean target."""
    X, y = (part.double() for part in datasets.make_line(seed=seed))
    table = torch.cat([X, torch.ones_like(X)], dim=1)
    pairs, targets = table.repeat_interleave(len(y), 0), y.repeat(len(X), 1)
    weight, bias = torch.linalg.lstsq(pairs, targets).solution.flatten()
    return bool(weight.abs() < 1e-9 and (bias - y.mean()).abs() < 1e-9)


def _flat_training_falls(seed: int) -> bool:
    """The loss of all pairs falls in training, without an error, and the slope goes to 0."""
    X, y = datasets.make_line(seed=seed)
    model = _seeded(lambda: nn.Linear(1, 1), seed)
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.1), []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(60):
            optimizer.zero_grad()
            loss = (y.squeeze(1) - model(X)).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses[-1] < losses[0] and abs(model.weight.item()) < 0.01


def _assert_stops(seed: int) -> bool:
    X, y = datasets.make_line(seed=seed)

    def check(pair: torch.Tensor) -> None:
        assert X.shape == pair.shape

    check(y)
    return _raises(lambda: check(y.squeeze(1)), AssertionError)


def _one_line_in_370(seed: int) -> bool:
    """Of 20,000 random lines on the penguins, 35 to 85 have a loss below 3."""
    flipper, mass = datasets.load_penguins()
    x, y = (flipper / 10 - 20).double(), (mass / 1000).double()
    bias, weight = torch.randn(2, 20_000, generator=_generator(seed), dtype=torch.float64)
    mean_x, mean_y, mean_xx, mean_xy, mean_yy = (
        part.mean() for part in (x, y, x * x, x * y, y * y)
    )
    loss = mean_yy + weight**2 * mean_xx + bias**2
    loss += 2 * (weight * bias * mean_x - weight * mean_xy - bias * mean_y)
    return 35 <= int((loss < 3).sum()) <= 85


def _lines_to_beat_the_lazy(seed: int) -> bool:
    """Of 1.6 million random lines, about 100 beat the rule of 4.2 kg for every bird."""
    flipper, mass = datasets.load_penguins()
    x, y = (flipper / 10 - 20).double(), (mass / 1000).double()
    bias, weight = torch.randn(2, 1_600_000, generator=_generator(seed), dtype=torch.float64)
    loss = (y * y).mean() + weight**2 * (x * x).mean() + bias**2
    loss += 2 * (weight * bias * x.mean() - weight * (x * y).mean() - bias * y.mean())
    return 60 <= int((loss < 0.6413).sum()) <= 140


def _nudges_to_beat_the_lazy(seed: int) -> bool:
    """From 100 random lines, weight and bias in turn: nudges of 0.1, kept if they help."""
    flipper, mass = datasets.load_penguins()
    X, y = flipper.T / 10 - 20, mass.T / 1000
    nudges = 0.1 * torch.randn(500, 100, 1, generator=_generator(seed))
    bias, weight = 10 * nudges[:2]
    lowest, needed = torch.full((100, 1), float("inf")), torch.zeros(100, 1)
    for number, nudge in enumerate(nudges[2:]):
        tried = (bias + nudge, weight) if number % 2 else (bias, weight + nudge)
        loss = (y - tried[0] - tried[1] * X).square().mean(dim=1, keepdim=True)
        needed += lowest >= 0.6413
        helps = loss < lowest
        bias, weight, lowest = (
            torch.where(helps, new, old)
            for new, old in zip((*tried, loss), (bias, weight, lowest), strict=True)
        )
    return bool((lowest < 0.6413).all() and 150 < needed.mean() < 200)


def _nudges_in_a_million_directions(seed: int) -> bool:
    """Of 50 random directions, none goes downhill by more than half a percent of the steepest."""
    generator = _generator(seed)
    downhill = torch.zeros(1_000_000)
    downhill[0] = 1.0
    nudges = (torch.randn(1_000_000, generator=generator) for _ in range(50))
    return max(torch.cosine_similarity(one, downhill, dim=0).item() for one in nudges) < 0.005


CLAIMS = [
    Claim(LESSON, "Change an attribute, and every method of that object sees it.", _two_objects),
    Claim(LESSON, "without it the next line fails", _fails_without_super),
    Claim(LESSON, "these numbers come out at every run", _draws_again),
    Claim(
        LESSON,
        "A tensor that is not marked is left out of the training, and no error told you.",
        _plain_tensor_is_left_out,
    ),
    Claim(
        QUESTIONS,
        "A tensor without it is not among `parameters()`, so the optimizer never gets it and it "
        "stays what it was.",
        _plain_tensor_is_left_out,
    ),
    Claim(TEACHING, "nothing of it, so the optimizer never gets it.", _plain_tensor_is_left_out),
    Claim(
        LESSON,
        "The call runs `forward`, with whatever PyTorch wants to do before and after.",
        _call_runs_hooks,
    ),
    Claim(
        LESSON,
        "a number overwritten in place would not fit that record, so it refuses",
        _overwriting_is_refused,
    ),
    Claim(LESSON, "So one may replace the other.", _linear_replaces_line),
    Claim(LESSON, "`nn.Linear(m, k)` holds $m \\cdot k$ weights and $k$ biases", _linear_holds),
    Claim(GLOSSARY, "with $m \\cdot k$ weights and $k$ biases", _linear_holds),
    Claim(LESSON, "The error is useful: it comes at once", _linear_refuses_a_list),
    Claim(LESSON, "so every prediction meets every target", _column_meets_list),
    Claim(LESSON, "under flat targets, the best line is a level one", _level_line_wins),
    Claim(
        LESSON,
        "With this loss it would train without a word, and the loss would fall.",
        _flat_training_falls,
    ),
    Claim(
        LESSON, "The fix is one `unsqueeze` on the targets.", _column_training_is_right, slow=True
    ),
    Claim(
        QUESTIONS,
        "the best is one that suits them all: about their mean mass",
        _level_line_wins,
    ),
    Claim(TEACHING, "and a level line wins", _level_line_wins),
    Claim(
        LESSON,
        "A warning scrolls by, and the wrong number is used all the same.",
        _loss_warns_and_is_wrong,
    ),
    Claim(LESSON, "an `assert` stops the program if its condition is false", _assert_stops),
    Claim(
        LESSON,
        "with flat targets, broadcasting pairs each prediction with all of them",
        _column_meets_list,
    ),
    Claim(LESSON, "on average it takes about 17,000", _lines_to_beat_the_lazy),
    Claim(
        LESSON,
        "as for the box, do it in fewer than two hundred on average",
        _nudges_to_beat_the_lazy,
    ),
    Claim(LESSON, "hardly any random nudge helps much", _nudges_in_a_million_directions),
    Claim(LESSON, "(370 on average)", _one_line_in_370),
    Claim(CHECKS, "About one line in 370 gets below 3.", _one_line_in_370),
    Claim(CHECKS, "so the line's height at x = 0 is lost", _weight_alone_loses_height),
    Claim(CHECKS, "training one moves the other", _shared_memory_moves_both),
    Claim(TEACHING, "it moves along, they share memory", _shared_memory_moves_both),
    Claim(CHECKS, "either model can be trained without moving the other", _copies_move_alone),
    Claim(CHECKS, "refuses features that the line takes", _float64_layer_refuses),
]
