"""What notebook 04 and its questions and checks say in general."""

import itertools
import math
from collections.abc import Callable

import torch
from torch import nn

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


def _three_ways_agree(seed: int) -> bool:
    X, y, weight, bias = _line(seed)
    place = _place(weight, bias)
    _loss(X, y, place).backward()
    by_hand = _by_hand(X, y, place.detach())
    nudged = _nudged(lambda at: _loss(X, y, at), place.detach())
    return torch.allclose(place.grad, by_hand) and torch.allclose(nudged, by_hand, atol=1e-6)


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


def _never_rests(seed: int) -> bool:
    """Without a reset, on all points: the best line lies inside the swings, early and late."""
    X, y, *_ = _line(seed)
    place, total, best = torch.zeros(2, dtype=torch.float64), 0.0, _best(X, y)
    off = []
    for _ in range(2000):
        total = total + _by_hand(X, y, place)
        place = place - 0.1 * total
        off.append(place - best)
    early, late = torch.stack(off[:200]), torch.stack(off[-200:])
    around = all(
        (part.min(0)[0] < 0).all() and (part.max(0)[0] > 0).all() for part in (early, late)
    )
    return around and bool((late.abs().max(0)[0] > 0.8 * early.abs().max(0)[0]).all())


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


def _parabola(seed: int) -> bool:
    """Against one parameter, the loss has one and the same positive second difference."""
    X, y, _, bias = _line(seed)
    losses = [_loss(X, y, torch.tensor([w / 4, bias])).item() for w in range(-8, 9)]
    firsts = [b - a for a, b in itertools.pairwise(losses)]
    seconds = [b - a for a, b in itertools.pairwise(firsts)]
    return min(seconds) > 0 and math.isclose(min(seconds), max(seconds), rel_tol=1e-6)


def _cut(seed: int) -> tuple[torch.Tensor, torch.Tensor, float, float, Callable]:
    """Return data, a bias, the bottom of the cut at this bias, and its slope by leaning."""
    X, y, _, bias = _line(seed)
    bottom = ((y - bias) * X).mean().item() / X.square().mean().item()

    def slope(weight: float, h: float = 0.01) -> float:
        up, down = (_loss(X, y, torch.tensor([weight + s * h, bias])).item() for s in (1, -1))
        return (up - down) / (2 * h)

    return X, y, bias, bottom, slope


def _half_as_far_half_as_steep(seed: int) -> bool:
    *_, bottom, slope = _cut(seed)
    start = bottom - 1.0
    half = slope((start + bottom) / 2)
    return math.isclose(half, slope(start) / 2, rel_tol=1e-4) and abs(slope(bottom)) < 1e-4


def _a_quarter_of_the_height(seed: int) -> bool:
    X, y, bias, bottom, _ = _cut(seed)
    low, half, start = (
        _loss(X, y, torch.tensor([bottom - far, bias])).item() for far in (0.0, 0.5, 1.0)
    )
    return math.isclose((half - low) / (start - low), 0.25, rel_tol=1e-4)


def _sign_says_which_way(seed: int) -> bool:
    """Minus left of the bottom, plus right of it, steeper the farther off."""
    *_, bottom, slope = _cut(seed)
    left = [slope(bottom - far) for far in (0.1, 0.5, 2.0)]
    right = [slope(bottom + far) for far in (0.1, 0.5, 2.0)]
    return 0 > left[0] > left[1] > left[2] and 0 < right[0] < right[1] < right[2]


def _tangent_lies_below(seed: int) -> bool:
    """Close by the tangent is near the curve, and farther on it is off by more and more."""
    X, y, bias, bottom, slope = _cut(seed)
    start = bottom - 1.0
    height = _loss(X, y, torch.tensor([start, bias])).item()
    off = [
        _loss(X, y, torch.tensor([start + far, bias])).item() - height - slope(start) * far
        for far in (0.01, 0.5, 2.0)
    ]
    return 0 < off[0] < 0.001 and off[0] < off[1] < off[2]


def _leaning_comes_near(seed: int) -> bool:
    """On a parabola it is exact at any h; on a curve that bends otherwise it closes in with h."""
    at, h = torch.randn(2, generator=torch.Generator().manual_seed(seed)).tolist()
    off = [abs(((at + d) ** 3 - (at - d) ** 3) / (2 * d) - 3 * at**2) for d in (h, h / 10)]
    exact = ((at + h) ** 2 - (at - h) ** 2) / (2 * h)
    return off[1] < off[0] / 50 and math.isclose(exact, 2 * at, abs_tol=1e-9)


def _three_rides(seed: int) -> bool:
    """From (1.25, 4.95), to the bottom along one axis, then along the other, and again."""
    X, y = datasets.load_penguins()
    X, y = X.double() / 10 - 20, y.double() / 1000
    weight, bias = 1.25, 4.95
    for along in ("weight", "bias", "weight"):
        if along == "weight":
            weight = ((y - bias) * X).mean().item() / X.square().mean().item()
        else:
            bias = (y - weight * X).mean().item()
    return _loss(X, y, torch.tensor([weight, bias])).item() < 0.155


def _l1_is_made_of_lines(seed: int) -> bool:
    """Straight between the places where the line hits a bird, and straight far out."""
    X, y, *_ = _line(seed)
    kinks = ((y - 1.0) / X).flatten().sort().values.tolist()
    pieces = [
        (kinks[0] - 3, kinks[0]),
        (kinks[-1], kinks[-1] + 3),
        *itertools.pairwise(kinks[9:20]),
    ]
    for left, right in pieces:
        places = [left + (right - left) * part for part in (0.2, 0.5, 0.8)]
        a, b, c = ((y - w * X - 1.0).abs().mean().item() for w in places)
        if not math.isclose(c - b, b - a, abs_tol=1e-7 * abs(b)):
            return False
    return True


def _no_record_no_way_back(seed: int) -> bool:
    """A loss of plain tensors, under no_grad, or of numbers that were taken out."""
    X, y, weight, bias = _line(seed)
    place = _place(weight, bias)
    with torch.no_grad():
        blind = _loss(X, y, place)
    for loss in (_loss(X, y, place.detach()), blind, _loss(X, y, torch.tensor(place.tolist()))):
        try:
            loss.backward()
            return False
        except RuntimeError as error:
            if "element 0 of tensors does not require grad" not in str(error):
                return False
    return True


def _graph_is_used_up(seed: int) -> bool:
    X, y, weight, bias = _line(seed)
    place = _place(weight, bias)
    kept = _loss(X, y, place)
    kept.backward(retain_graph=True)
    kept.backward()
    once = _loss(X, y, place)
    once.backward()
    try:
        once.backward()
    except RuntimeError as error:
        return "a second time" in str(error)
    return False


def _moves_of_a_leaf(seed: int) -> bool:
    """In place it is refused; as a new tensor the gradient goes to the leaf."""
    X, y, weight, _ = _line(seed)
    leaf = _place(weight)
    try:
        leaf -= 0.1
        return False
    except RuntimeError as error:
        refused = "a leaf Variable that requires grad" in str(error)
    moved = leaf - 0.1
    (y - moved * X).square().mean().backward()
    return refused and not moved.is_leaf and leaf.grad is not None and leaf.item() == weight


def _data_is_not_checked(seed: int) -> bool:
    """Overwritten through .data, a value that backward needs gives a wrong gradient in silence."""
    (value,) = torch.rand(1, generator=torch.Generator().manual_seed(seed)).add(0.5).tolist()
    place = _place(value)
    product = place * 1
    loss = product.square().sum()
    product.data *= 3
    loss.backward()
    silent = math.isclose(place.grad.item(), 6 * value)
    other = _place(value)
    product = other * 1
    loss = product.square().sum()
    with torch.no_grad():
        product *= 3
    try:
        loss.backward()
    except RuntimeError as error:
        return silent and "modified by an inplace operation" in str(error)
    return False


def _item_and_detach(seed: int) -> bool:
    X, y, weight, bias = _line(seed)
    place = _place(weight, bias)
    number, values = _loss(X, y, place).item(), place.detach()
    return type(number) is float and not values.requires_grad and values.tolist() == [weight, bias]


def _long_steps_climb(seed: int) -> bool:
    """Far beyond the limit, a step ends higher, on the other side, and the next one is longer."""
    X, y, weight, bias = _line(seed)
    places = [torch.tensor([weight + 3, bias + 3], dtype=torch.float64)]
    for _ in range(2):
        places.append(places[-1] - 1.6 * _by_hand(X, y, places[-1]))
    losses = [_loss(X, y, place) for place in places]
    first, second = ((b - a).norm() for a, b in itertools.pairwise(places))
    slopes = [_by_hand(X, y, place) for place in places]
    return bool(losses[0] < losses[1] < losses[2] and first < second and slopes[0] @ slopes[1] < 0)


def _both_sides_alike(seed: int) -> bool:
    """In the direction of a step, the bowl is as high before its bottom as behind it."""
    X, y, weight, bias = _line(seed)
    place = torch.tensor([weight, bias], dtype=torch.float64)
    slopes = _by_hand(X, y, place)
    ahead = (_by_hand(X, y, place - slopes) - slopes) @ slopes
    bottom = -(slopes @ slopes / ahead).item()
    before, after = (_loss(X, y, place - (bottom + t) * slopes) for t in (-0.3, 0.3))
    return math.isclose(before, after, rel_tol=1e-6) and bool(
        math.isclose(_loss(X, y, place), _loss(X, y, place - 2 * bottom * slopes), rel_tol=1e-6)
    )


def _mean_residual_behind_a_slope(seed: int) -> bool:
    """Minus half of the bias's slope."""
    X, y, weight, bias = _line(seed)
    place = _place(weight, bias)
    loss_fn(place[0] * X + place[1], y).backward()
    return math.isclose(-place.grad[1].item() / 2, (y - weight * X - bias).mean().item())


def _rails_arrive(seed: int) -> bool:
    """Steps along one parameter at a time come to the lowest loss as well."""
    X, y, weight, bias = _line(seed)
    place = torch.tensor([weight, bias], dtype=torch.float64)
    for step in range(400):
        place[step % 2] -= 0.1 * _by_hand(X, y, place)[step % 2]
    return torch.allclose(place, _best(X, y), atol=1e-6)


CLAIMS = [
    Claim(LESSON, '`"sum"` adds them up, and then more birds mean more loss', _sum_grows),
    Claim(LESSON, "as the weight turns, each residual changes at a steady pace", _parabola),
    Claim(
        LESSON,
        "Minus means downhill to the right, so the weight has to grow.",
        _sign_says_which_way,
    ),
    Claim(LESSON, "Close to your feet you can hardly tell it from the curve.", _tangent_lies_below),
    Claim(LESSON, "on a parabola, steep means far from the bottom", _sign_says_which_way),
    Claim(
        QUESTIONS,
        "On a parabola, half as far from the bottom is half as steep.",
        _half_as_far_half_as_steep,
    ),
    Claim(
        QUESTIONS,
        "A quarter is what remains of the height above the bottom.",
        _a_quarter_of_the_height,
    ),
    Claim(LESSON, "Squaring lets the largest residual count for more", _largest_counts_for_more),
    Claim(
        LESSON,
        "adds a V, with its kink at the weight whose line hits that bird",
        _l1_is_made_of_lines,
    ),
    Claim(
        LESSON,
        "Far out, where all birds pull to one side, the curve is straight",
        _l1_is_made_of_lines,
    ),
    Claim(LESSON, "minus the average of twice the residual times the feature", _three_ways_agree),
    Claim(LESSON, "Three ways, one gradient.", _three_ways_agree),
    Claim(LESSON, "and one pass back serves all parameters", _one_pass_back),
    Claim(LESSON, "What is computed from a tensor with", _remembers),
    Claim(GLOSSARY, "What is computed from a tensor with `requires_grad=True`", _remembers),
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
    Claim(
        LESSON, "every move would use the sum of all gradients so far", _never_reset_uses_the_sum
    ),
    Claim(LESSON, "The cure is nearly always to compute the loss anew", _graph_is_used_up),
    Claim(LESSON, "keeps the graph for another pass", _graph_is_used_up),
    Claim(GLOSSARY, "so a second call on the same loss raises an error", _graph_is_used_up),
    Claim(LESSON, "nothing it was computed from asked for a gradient", _no_record_no_way_back),
    Claim(LESSON, "what they return remembers nothing", _no_record_no_way_back),
    Claim(LESSON, "points uphill, so you walk against it", _downhill),
    Claim(CHECKS, "A gradient points to where the loss rises.", _downhill),
    Claim(LESSON, "the learning rate, `lr`, scales it", _other_rate_scales),
    Claim(LESSON, "so it is not a leaf, and its `.grad` stays `None`", _moves_of_a_leaf),
    Claim(GLOSSARY, "Gradients are kept in `.grad` of leaves alone", _moves_of_a_leaf),
    Claim(LESSON, "| a plain number, to print or to keep | `loss.item()` |", _item_and_detach),
    Claim(
        LESSON,
        "Overwrite a value that `backward` still needs, and you get a wrong gradient",
        _data_is_not_checked,
    ),
    Claim(LESSON, "`backward` computes, `step` moves.", _optimizer_steps_as_by_hand),
    Claim(
        QUESTIONS,
        "The reset may stand anywhere before `loss.backward()`; the course writes it first.",
        _reset_anywhere_before_backward,
    ),
    Claim(
        LESSON,
        "the steps get shorter because the gradient shrinks as the bowl flattens",
        _steps_get_shorter,
    ),
    Claim(LESSON, "repeats small steps against the gradient", _descends_to_the_lowest),
    Claim(LESSON, "swings about the bottom and never comes to rest", _never_rests),
    Claim(QUESTIONS, "behind the bottom, a bowl goes up again", _one_bowl),
    Claim(QUESTIONS, "the other side of the bowl is as steep as this one", _both_sides_alike),
    Claim(LESSON, "a step can be so long that it ends higher than it began", _long_steps_climb),
    Claim(
        LESSON,
        "The slope of the bias is minus twice the mean residual.",
        _mean_residual_behind_a_slope,
    ),
    Claim(LESSON, "leaning comes near it, and on a parabola hits it", _leaning_comes_near),
    Claim(CHECKS, "Fewer are possible: ride each parabola to its bottom.", _three_rides),
    Claim(LESSON, "Three steps are enough for a tram that rides each parabola", _three_rides),
    Claim(CHECKS, "Downhill along one axis at a time leads to the bottom as well", _rails_arrive),
    Claim(CHECKS, "Autograd needs one pass back for all of them.", _one_pass_back),
]
