"""What notebook 03 and its questions and checks say in general."""

import warnings
from collections.abc import Callable
from itertools import pairwise

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


def _lifts_by_200(seed: int) -> bool:
    weight, bias = torch.randn(2, generator=_generator(seed), dtype=torch.float64).tolist()
    return abs((weight + 1) * 200 + bias - (weight * 200 + bias) - 200) < 1e-9


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


def _call_runs_hooks(seed: int) -> bool:
    model, ran = _seeded(_Line, seed), []
    model.register_forward_hook(lambda *_: ran.append(seed))
    X, _ = datasets.make_line(seed=seed)
    model.forward(X)
    passed_by = not ran
    model(X)
    return passed_by and ran == [seed]


def _linear_starts_elsewhere(seed: int) -> bool:
    ours, theirs = _seeded(_Line, seed), _seeded(lambda: nn.Linear(1, 1), seed)
    return ours.weight.item() != theirs.weight.item() and ours.bias.item() != theirs.bias.item()


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


def _share_of_the_slope_is_left(seed: int) -> bool:
    """Over batches of any size, the line with the lowest loss of all pairs has slope 2 / size."""
    size = (4, 8, 16, 32)[seed % 4]
    X, y = (part.double() for part in datasets.make_line(1_000, seed=seed))
    batches = torch.randint(1_000, (4_000, size), generator=_generator(seed))
    x, target = X[batches, 0], y[batches, 0]
    mean_x, mean_y = x.mean(dim=1), target.mean(dim=1)
    spread = x.square().mean() - x.mean() ** 2
    weight = ((mean_x * mean_y).mean() - mean_x.mean() * mean_y.mean()) / spread
    height = mean_y.mean() - weight * mean_x.mean()
    return bool(abs(weight * size / 2 - 1) < 0.15 and abs(height - y.mean()) < 0.1)


def trained_slope(seed: int, flat: bool, epochs: int = 20) -> float:
    """Return the slope that the notebook's training ends at, with flat or column targets."""
    X, y = datasets.make_line(160, seed=seed)
    torch.manual_seed(seed)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(epochs):
        for rows in torch.randperm(160).split(16):
            target = y[rows, 0] if flat else y[rows]
            optimizer.zero_grad()
            ((model(X[rows]) - target) ** 2).mean().backward()
            optimizer.step()
    return model.weight.item()


def _training_is_flat(seed: int) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return abs(trained_slope(seed, flat=True)) < 0.5


def _column_training_is_right(seed: int) -> bool:
    return abs(trained_slope(seed, flat=False) - 2) < 0.1


def _loss_warns_and_is_wrong(seed: int) -> bool:
    X, y = datasets.make_line(seed=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loss = nn.MSELoss()(X, y.squeeze(1))
    wrong = (X - y.squeeze(1)).square().mean()
    return len(caught) == 1 and torch.allclose(loss, wrong)


def _above_seven(seed: int) -> bool:
    """All pairs: the variance of predictions and that of targets add up, about 8."""
    X, y = datasets.make_line(2_000, seed=seed)
    return 7 < (1.5 + 2 * X - y.squeeze(1)).square().mean() < 9


def _near_noise_squared(seed: int) -> bool:
    """The true line's loss is near 0.01, and the least-squares line's is not much lower."""
    X, y = datasets.make_line(seed=seed)
    table = torch.cat([X, torch.ones_like(X)], dim=1).double()
    best = (y - table @ torch.linalg.lstsq(table, y.double()).solution).square().mean()
    true = (y - 1.5 - 2 * X).square().mean()
    return bool(0.005 < best <= true < 0.015 and best > 0.9 * true)


def _tanh_squeezes(seed: int) -> bool:
    values = 100 * torch.randn(1_000, generator=_generator(seed))
    return bool((torch.tanh(values).abs() <= 1).all())


def _without_bias_is_zero(seed: int) -> bool:
    (m,) = _sizes(seed, 1)
    node = nn.Sequential(nn.Linear(m, 1, bias=False), nn.Tanh())
    biased = nn.Sequential(_seeded(lambda: nn.Linear(m, 1), seed), nn.Tanh())
    zeros = torch.zeros(1, m)
    return node(zeros).item() == 0 and biased(zeros).item() != 0


def _stack(seed: int) -> nn.Sequential:
    """Return three to six linear layers of any widths."""
    widths = [1, *_sizes(seed, 2 + seed % 4), 1]
    return _seeded(lambda: nn.Sequential(*(nn.Linear(*pair) for pair in pairwise(widths))), seed)


def _stack_is_one_line(seed: int) -> bool:
    """One weight and one bias, and a bias that is not 0."""
    stack = _stack(seed).double()
    X = torch.linspace(-3, 3, 50, dtype=torch.float64).unsqueeze(1)
    height = stack(torch.zeros(1, 1, dtype=torch.float64))
    slope = stack(torch.ones(1, 1, dtype=torch.float64)) - height
    return torch.allclose(stack(X), slope * X + height) and height.item() != 0


def _tanh_bends(seed: int) -> bool:
    network = _seeded(lambda: nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)), seed)
    left, middle, right = network(torch.tensor([[-2.0], [0.0], [2.0]])).flatten().tolist()
    far = network(torch.tensor([[-4.0], [4.0]])).flatten().tolist()
    return (
        abs(left - 2 * middle + right) > 1e-3 or abs((far[1] - far[0]) - 2 * (right - left)) > 1e-3
    )


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


def _squeezed_stays_below_one(seed: int) -> bool:
    network = _seeded(
        lambda: nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1), nn.Tanh()), seed
    )
    with torch.no_grad():
        network[2].weight.mul_(1_000)
    return bool((network(torch.linspace(-9, 9, 99).unsqueeze(1)).abs() <= 1).all())


def _fresh_layer_predicts_otherwise(seed: int) -> bool:
    torch.manual_seed(seed)
    X, _ = datasets.make_line(seed=seed)
    return not torch.allclose(nn.Linear(1, 1)(X), nn.Linear(1, 1)(X))


def _float64_layer_refuses(seed: int) -> bool:
    X, _ = datasets.make_line(seed=seed)
    return _raises(lambda: nn.Linear(1, 1, dtype=torch.float64)(X))


CLAIMS = [
    Claim(LESSON, "without it the next line fails", _fails_without_super),
    Claim(LESSON, "these two numbers come out at every run", _draws_again),
    Claim(LESSON, "one gram per mm more lifts the line by 200 g", _lifts_by_200),
    Claim(
        LESSON,
        "A tensor that is not marked is left out of the training, and as long as another one is "
        "marked, no error says so.",
        _plain_tensor_is_left_out,
    ),
    Claim(
        QUESTIONS,
        "A tensor without it is not among `parameters()`, so the optimizer never gets it and it "
        "stays what it was.",
        _plain_tensor_is_left_out,
    ),
    Claim(TEACHING, "nothing of it, so the optimizer never gets it.", _plain_tensor_is_left_out),
    Claim(LESSON, "The call runs `forward` and also the **hooks**", _call_runs_hooks),
    Claim(LESSON, "Its random start differs from ours.", _linear_starts_elsewhere),
    Claim(LESSON, "all 200 predictions agree, so one may replace the other", _linear_replaces_line),
    Claim(LESSON, "`nn.Linear(m, k)` holds $m \\cdot k$ weights and $k$ biases", _linear_holds),
    Claim(GLOSSARY, "with $m \\cdot k$ weights and $k$ biases", _linear_holds),
    Claim(LESSON, "The error is useful: it comes at once", _linear_refuses_a_list),
    Claim(
        LESSON,
        "every prediction meets every target, and only the diagonal",
        _column_meets_list,
    ),
    Claim(
        LESSON,
        "About a sixteenth of the slope is left, 2 / 16 = 0.125; apart from that, a prediction is "
        "the average of the targets.",
        _share_of_the_slope_is_left,
    ),
    Claim(QUESTIONS, "about a sixteenth of the slope is left", _share_of_the_slope_is_left),
    Claim(LESSON, "Training ends at a nearly flat line.", _training_is_flat, slow=True),
    Claim(
        QUESTIONS,
        "A slope near 0, without an error or a warning",
        lambda seed: abs(trained_slope(seed, flat=True, epochs=5)) < 0.5,
    ),
    Claim(
        LESSON, "The fix is one `unsqueeze` on the targets.", _column_training_is_right, slow=True
    ),
    Claim(
        LESSON,
        "A warning scrolls by, and the wrong number is used all the same.",
        _loss_warns_and_is_wrong,
    ),
    Claim(
        LESSON,
        "with flat targets, broadcasting pairs each prediction with all of them",
        _column_meets_list,
    ),
    Claim(LESSON, "comes out above 7", _above_seven),
    Claim(
        CHECKS,
        "What is left is near 0.1 squared, the noise that was added. No line has a much lower loss "
        "on these points.",
        _near_noise_squared,
    ),
    Claim(LESSON, "squeezes any number into the range from -1 to 1", _tanh_squeezes),
    Claim(GLOSSARY, "squeezes any number into the range from -1 to 1", _tanh_squeezes),
    Claim(
        LESSON,
        "without one, a $\\tanh$ node whose inputs are all 0 could answer nothing but 0",
        _without_bias_is_zero,
    ),
    Claim(LESSON, "A line of a line is a line, however many are stacked.", _stack_is_one_line),
    Claim(
        QUESTIONS,
        "Multiplying and adding, done three times, is still one weight and one bias.",
        _stack_is_one_line,
    ),
    Claim(
        QUESTIONS,
        "Each layer has a bias as well, and together they make one bias",
        _stack_is_one_line,
    ),
    Claim(LESSON, "An activation between them **bends** the line.", _tanh_bends),
    Claim(GLOSSARY, "without it, stacked layers remain one line", _stack_is_one_line),
    Claim(CHECKS, "so the line's height at x = 0 is lost", _weight_alone_loses_height),
    Claim(CHECKS, "training one moves the other", _shared_memory_moves_both),
    Claim(TEACHING, "it moves along, they share memory", _shared_memory_moves_both),
    Claim(CHECKS, "either model can be trained without moving the other", _copies_move_alone),
    Claim(CHECKS, "no prediction could be larger than 1", _squeezed_stays_below_one),
    Claim(TEACHING, "Otherwise two calls give two predictions.", _fresh_layer_predicts_otherwise),
    Claim(CHECKS, "refuses features that the line takes", _float64_layer_refuses),
]
