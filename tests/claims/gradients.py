"""What notebook 04 and its questions and checks say in general."""

import itertools
import math
from collections.abc import Callable

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from claims import Claim
from course_utils import datasets, descent

LESSON = "notebooks/04_loss_and_gradients.ipynb"
QUESTIONS = "course_utils/questions.toml"
CHECKS = "course_utils/checks/gradients.py"
GLOSSARY = "notebooks/glossary.md"
loss_fn = nn.MSELoss()


def _line(seed: int) -> tuple[torch.Tensor, torch.Tensor, float, float]:
    """Draw 200 points around a line, float64, and other parameters to start from."""
    generator = torch.Generator().manual_seed(seed)
    true_weight, true_bias, weight, bias = (4 * torch.rand(4, generator=generator) - 2).tolist()
    X, y = datasets.make_line(weight=true_weight, bias=true_bias, seed=seed)
    return X.double(), y.double(), weight, bias


def _loss(X: torch.Tensor, y: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    return (y - (place[0] * X + place[1])).square().mean()


def _by_hand(X: torch.Tensor, y: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    residual = y - (place[0] * X + place[1])
    return -2 * torch.stack([(residual * X).mean(), residual.mean()])


def _nudged(function: Callable, place: torch.Tensor, h: float = 1e-4) -> torch.Tensor:
    """Return central finite differences in each direction."""
    steps = h * torch.eye(2, dtype=place.dtype)
    return torch.stack([(function(place + s) - function(place - s)) / (2 * h) for s in steps])


def _place(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def _best(X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    table = torch.cat([X, torch.ones_like(X)], dim=1)
    return torch.linalg.lstsq(table, y).solution.squeeze(1)


def _curvatures(X: torch.Tensor) -> torch.Tensor:
    """Return the eigenvalues of the Hessian, the smaller one first."""
    x = X.double()
    one = torch.ones((), dtype=torch.float64)
    hessian = 2 * torch.stack([x.square().mean(), x.mean(), x.mean(), one]).reshape(2, 2)
    return torch.linalg.eigvalsh(hessian)


def _signs_cancel(seed: int) -> bool:
    """Through the means goes a line of any slope whose mean residual is 0 and whose loss is not."""
    X, y, weight, _ = _line(seed)
    bias = (y - weight * X).mean()
    residual = y - (weight * X + bias)
    return abs(residual.mean().item()) < 1e-12 and residual.square().mean().item() > 1e-3


def _largest_counts_for_more(seed: int) -> bool:
    residual = torch.randn(3 + seed, generator=torch.Generator().manual_seed(seed))
    squares, sizes = residual.square(), residual.abs()
    return bool(squares.max() / squares.sum() > sizes.max() / sizes.sum())


def _sum_grows(seed: int) -> bool:
    X, y, weight, bias = _line(seed)
    y_pred = weight * X + bias
    total = nn.MSELoss(reduction="sum")
    return (
        torch.allclose(total(y_pred, y), len(X) * loss_fn(y_pred, y))
        and bool(total(y_pred, y) > total(y_pred[:100], y[:100]))
        and nn.MSELoss().reduction == "mean"
    )


def _one_bowl(seed: int) -> bool:
    """The curvature is positive everywhere, so there is one lowest point, near the true line."""
    X, y = datasets.make_line(seed=seed)
    best = _best(X.double(), y.double())
    near = (best - torch.tensor([2.0, 1.5], dtype=torch.float64)).abs().max() < 0.05
    return bool(_curvatures(X)[0] > 0 and near)


def _nearly_round(seed: int) -> bool:
    smaller, larger = _curvatures(datasets.make_line(seed=seed)[0])
    return bool(larger / smaller < 1.5)


def _scales_stretch(seed: int) -> bool:
    X, _ = datasets.make_line(seed=seed)
    small, large = (_curvatures(X * scale) for scale in (0.1, 10.0))
    return bool(min(small[1] / small[0], large[1] / large[0]) > 50)


def _three_ways_agree(seed: int) -> bool:
    X, y, weight, bias = _line(seed)
    place = _place(weight, bias)
    _loss(X, y, place).backward()
    by_hand = _by_hand(X, y, place.detach())
    nudged = _nudged(lambda at: _loss(X, y, at), place.detach())
    return torch.allclose(place.grad, by_hand) and torch.allclose(nudged, by_hand, atol=1e-6)


def _double_is_needed(seed: int) -> bool:
    """With h = 1e-4, float32 loses what float64 keeps."""
    X, y, weight, bias = _line(seed)
    place = torch.tensor([weight, bias], dtype=torch.float64)
    right = _by_hand(X, y, place)
    off = [
        (_nudged(lambda at, X=X, y=y: _loss(X, y, at), place.to(X.dtype)) - right).abs().max()
        for X, y in ((X, y), (X.float(), y.float()))
    ]
    return bool(off[0] < 1e-8 and off[1] > 100 * off[0])


def _digits(seed: int) -> bool:
    """About 7 and 16 digits: the smallest relative difference that counts."""
    (value,) = torch.rand(1, generator=torch.Generator().manual_seed(seed)).tolist()
    single = torch.tensor(1 + value, dtype=torch.float32)
    kept = [
        -math.log10(abs(torch.nextafter(v, 2 * v).item() - v.item()) / v.item())
        for v in (single, single.double())
    ]
    return abs(kept[0] - 7) < 0.5 and abs(kept[1] - 16) < 0.5


def _backward_adds(seed: int) -> bool:
    """It moves nothing, adds to .grad, and starts anew once .grad is None."""
    X, y, weight, bias = _line(seed)
    place, right = (
        _place(weight, bias),
        _by_hand(X, y, torch.tensor([weight, bias], dtype=torch.float64)),
    )
    for times in (1, 2, 3):
        _loss(X, y, place).backward()
        if not torch.allclose(place.grad, times * right):
            return False
    place.grad = None
    _loss(X, y, place).backward()
    return torch.allclose(place.grad, right) and place.tolist() == [weight, bias]


def _zero_at_the_lowest_point(seed: int) -> bool:
    X, y, *_ = _line(seed)
    place = _best(X, y).requires_grad_()
    _loss(X, y, place).backward()
    return bool(place.grad.abs().max() < 1e-10)


def _remembers(seed: int) -> bool:
    X, y, weight, bias = _line(seed)
    place = _place(weight, bias)
    return _loss(X, y, place).grad_fn is not None and _loss(X, y, place.detach()).grad_fn is None


def _downhill(seed: int) -> bool:
    """Against the gradient the loss falls, along it the loss rises, if the step is small."""
    X, y, weight, bias = _line(seed)
    place = torch.tensor([weight, bias], dtype=torch.float64)
    slopes = _by_hand(X, y, place)
    before = _loss(X, y, place)
    down, up = (_loss(X, y, place - lr * slopes) for lr in (0.01, -0.01))
    return bool(down < before < up)


def _trained(seed: int, order: tuple[str, ...], steps: int = 3) -> torch.Tensor:
    """Run five lines in this order, with a gradient left over from before."""
    X, y, weight, bias = _line(seed)
    model = nn.Linear(1, 1).double()
    nn.init.constant_(model.weight, weight)
    nn.init.constant_(model.bias, bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_fn(model(X), y).backward()
    made = {}
    lines = {
        "zero": optimizer.zero_grad,
        "forward": lambda: made.update(y_pred=model(X)),
        "loss": lambda: made.update(loss=loss_fn(made["y_pred"], y)),
        "backward": lambda: made["loss"].backward(),
        "step": optimizer.step,
    }
    for _ in range(steps):
        for line in order:
            lines[line]()
    return torch.tensor([model.weight.item(), model.bias.item()], dtype=torch.float64)


FIVE = ("zero", "forward", "loss", "backward", "step")


def _gradient_descent(seed: int, lr: float, steps: int) -> list[torch.Tensor]:
    """Return the places of gradient descent from (0, 0), the start first."""
    X, y, *_ = _line(seed)
    places = [torch.zeros(2, dtype=torch.float64)]
    for _ in range(steps):
        places.append(places[-1] - lr * _by_hand(X, y, places[-1]))
    return places


def _reset_anywhere_before_backward(seed: int) -> bool:
    """Of all orders, those with the reset before backward and the rest in turn give one result."""
    rest, right = FIVE[1:], _trained(seed, FIVE)
    orders = [(*rest[:k], "zero", *rest[k:]) for k in range(5)]
    same = [
        all(
            math.isclose(a, b, abs_tol=1e-12)
            for a, b in zip(_trained(seed, order), right, strict=True)
        )
        for order in orders
    ]
    return same == [True, True, True, False, False]


def _optimizer_steps_as_by_hand(seed: int) -> bool:
    X, y, weight, bias = _line(seed)
    place = torch.tensor([weight, bias], dtype=torch.float64)
    by_hand = place - 0.1 * _by_hand(X, y, place)
    return torch.allclose(_trained(seed, FIVE, 1), by_hand)


def _steps_get_shorter(seed: int) -> bool:
    places = _gradient_descent(seed, 0.1, 12)
    lengths = [(after - before).norm() for before, after in itertools.pairwise(places)]
    return all(later < earlier for earlier, later in itertools.pairwise(lengths))


def _descends_to_the_lowest(seed: int) -> bool:
    X, y, *_ = _line(seed)
    places = _gradient_descent(seed, 0.1, 200)
    losses = [_loss(X, y, place) for place in places]
    down = all(later <= earlier + 1e-15 for earlier, later in itertools.pairwise(losses))
    return down and torch.allclose(places[-1], _best(X, y), atol=1e-6)


def _steps_of_an_epoch(seed: int) -> bool:
    X, y, *_ = _line(seed)
    batch_size = 1 + 3 * seed
    loader = DataLoader(TensorDataset(X, y), batch_size=batch_size, shuffle=True)
    return sum(1 for _ in loader) == math.ceil(len(X) / batch_size)


def _never_reset_uses_the_sum(seed: int) -> bool:
    """Twelve steps without a reset: each is as long as the sum of all gradients says."""
    X, y, *_ = _line(seed)
    place, total = _place(0.0, 0.0), torch.zeros(2, dtype=torch.float64)
    for _ in range(12):
        before = place.detach().clone()
        _loss(X, y, place).backward()
        total += _by_hand(X, y, before)
        with torch.no_grad():
            place -= 0.1 * place.grad
        if not torch.allclose(place.detach() - before, -0.1 * total):
            return False
    return True


def _long_steps_climb(seed: int) -> bool:
    """At 1.2 the first step ends higher, and the second is longer than the first."""
    X, y = datasets.make_line(seed=seed)
    X, y = X.double(), y.double()
    places = [torch.zeros(2, dtype=torch.float64)]
    for _ in range(2):
        places.append(places[-1] - 1.2 * _by_hand(X, y, places[-1]))
    losses = [_loss(X, y, place) for place in places]
    first, second = ((b - a).norm() for a, b in itertools.pairwise(places))
    slopes = [_by_hand(X, y, place) for place in places]
    other_side = (slopes[0] * slopes[1]).sum() < 0
    return bool(losses[0] < losses[1] < losses[2] and first < second and other_side)


def _minus_twice_the_mean_residual(seed: int) -> bool:
    X, y, weight, bias = _line(seed)
    place = _place(weight, bias)
    loss_fn(place[0] * X + place[1], y).backward()
    return math.isclose(place.grad[1].item(), -2 * (y - weight * X - bias).mean().item())


def _l1_knows_signs(seed: int) -> bool:
    """The slope of L1 is the mean of signs, however far off the line is."""
    X, y, weight, _ = _line(seed)
    slopes = []
    for bias in (-50.0, -500.0):
        place = _place(weight, bias)
        nn.L1Loss()(place[0] * X + place[1], y).backward()
        slopes.append(place.grad[1].item())
    return all(math.isclose(slope, -1.0) for slope in slopes)


def _one_pass_back(seed: int) -> bool:
    """One backward gives the slope of each parameter of a network; nudging needs two calls each."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    X, y, *_ = _line(seed)
    loss_fn(network(X), y).backward()
    for parameter in network.parameters():
        flat, slopes = parameter.data.view(-1), parameter.grad.view(-1)
        at = seed % len(flat)
        losses = []
        for h in (1e-5, -2e-5):
            flat[at] += h
            losses.append(loss_fn(network(X), y).item())
        flat[at] += 1e-5
        if abs((losses[0] - losses[1]) / 2e-5 - slopes[at].item()) > 1e-6:
            return False
    return True


def _other_rate_scales(seed: int) -> bool:
    X, y, weight, bias = _line(seed)
    place = torch.tensor([weight, bias], dtype=torch.float64)
    slopes = _by_hand(X, y, place)
    path = descent.descend(X, y, [0.1, 0.2], 1, weight=weight, bias=bias)
    moved = [path.weight[:, 1] - weight, path.bias[:, 1] - bias]
    right = [[-0.1 * slope, -0.2 * slope] for slope in slopes.tolist()]
    return all(
        math.isclose(a, b, rel_tol=1e-9)
        for line, other in zip(moved, right, strict=True)
        for a, b in zip(line, other, strict=True)
    )


CLAIMS = [
    Claim(LESSON, "because too high and too low would cancel", _signs_cancel),
    Claim(LESSON, "Squaring lets the largest residual count for more", _largest_counts_for_more),
    Claim(
        LESSON,
        '`"sum"` would add up instead, and the loss would grow with the number of points',
        _sum_grows,
    ),
    Claim(LESSON, "One bowl, with its lowest point near weight 2 and bias 1.5.", _one_bowl),
    Claim(LESSON, "It is rounder than it looks", _nearly_round),
    Claim(LESSON, "three ways, one gradient", _three_ways_agree),
    Claim(
        LESSON,
        "minus the average of twice the residual times the feature, and minus the average of twice "
        "the residual",
        _three_ways_agree,
    ),
    Claim(LESSON, "and their leading digits cancel", _double_is_needed),
    Claim(LESSON, "about 16 digits instead of 7", _digits),
    Claim(LESSON, "What is computed from a tensor with", _remembers),
    Claim(GLOSSARY, "What is computed from a tensor with `requires_grad=True`", _remembers),
    Claim(LESSON, "`backward` fills `.grad` and moves nothing.", _backward_adds),
    Claim(LESSON, "New gradients are **added** to what `.grad` holds.", _backward_adds),
    Claim(
        LESSON, "`loss.backward()` adds the gradient to `.grad` and moves nothing", _backward_adds
    ),
    Claim(GLOSSARY, "it adds the gradient to `.grad` and moves nothing", _backward_adds),
    Claim(
        QUESTIONS,
        "`backward` adds to what `.grad` holds, and the same gradient twice is twice the gradient.",
        _backward_adds,
    ),
    Claim(
        QUESTIONS,
        "That would be so at the lowest point of the loss, or after a reset.",
        _zero_at_the_lowest_point,
    ),
    Claim(LESSON, "every step uses the sum of all gradients so far", _never_reset_uses_the_sum),
    Claim(LESSON, "The gradient points uphill, so we walk against it", _downhill),
    Claim(CHECKS, "A gradient points to where the loss rises.", _downhill),
    Claim(LESSON, "The learning rate, `lr`, scales the step.", _other_rate_scales),
    Claim(LESSON, "The optimizer arrived where we did by hand.", _optimizer_steps_as_by_hand),
    Claim(
        QUESTIONS,
        "The reset may stand anywhere before `loss.backward()`; the course writes it first.",
        _reset_anywhere_before_backward,
    ),
    Claim(
        LESSON,
        "The steps get shorter although the learning rate stays 0.1: the gradient shrinks as the "
        "bowl flattens.",
        _steps_get_shorter,
    ),
    Claim(
        LESSON, "Gradient descent repeats small steps against the gradient", _descends_to_the_lowest
    ),
    Claim(LESSON, "in general $N$ divided by the batch size, rounded up", _steps_of_an_epoch),
    Claim(
        LESSON,
        "the long step crossed the bowl and landed higher on the other side",
        _long_steps_climb,
    ),
    Claim(
        LESSON,
        "The next step would start from a steeper place and go further still.",
        _long_steps_climb,
    ),
    Claim(
        CHECKS,
        "With MSE the slope of the bias is minus twice the mean residual",
        _minus_twice_the_mean_residual,
    ),
    Claim(CHECKS, "which knows the signs of the residuals alone", _l1_knows_signs),
    Claim(
        CHECKS,
        "because this bowl is nearly round: x has a mean near 0 and a spread near 1",
        _nearly_round,
    ),
    Claim(CHECKS, "Features on other scales make it long and narrow.", _scales_stretch),
    Claim(CHECKS, "Autograd needs one pass back for all of them.", _one_pass_back),
]
