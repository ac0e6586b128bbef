"""Checks of exercises on nodes, layers and networks."""

import copy

import torch
from torch import nn

from course_utils.checks.judging import (
    Wrong,
    call,
    close,
    exercise,
    flat,
    kind,
    refuse_slips,
    refuse_stubs,
    tensor,
)


@exercise(
    "09.1",
    "Compute a network",
    "First the hidden layer alone. What does the `@` of `node` above do if `w` has several "
    "columns?",
    "The output layer is one more sum, of what the hidden nodes give. Does anything bend that sum?",
    "`node(X, w1, b1, torch.tanh)` gives the hidden layer, a column for each node. What takes the "
    "place of `X` in the second sum?",
)
def network_by_hand(forward: object) -> str:
    """Expect tanh(X @ w1 + b1) @ w2 + b2 for 4 rows, 3 inputs and 2 nodes, then other sizes."""
    X = torch.sin(torch.arange(12.0)).reshape(4, 3)
    w1, b1 = torch.tensor([[0.5, -1.0], [0.3, 0.8], [-0.7, 0.2]]), torch.tensor([0.4, -0.6])
    w2, b2 = torch.tensor([[1.4], [-0.9]]), torch.tensor([0.3])
    parts = X, w1, b1, w2, b2
    given = [values.clone() for values in parts]
    outputs = tensor("forward(X, w1, b1, w2, b2)", call("forward", forward, *parts), (4, 1))
    if not all(map(close, parts, given)):
        raise Wrong(
            "`forward` changes the tensors it is given. `w1 += b1` and the like work in place."
        )
    sums = X @ w1
    hidden = torch.tanh(sums + b1)
    right = hidden @ w2 + b2
    if close(outputs, right):
        w1, b1 = torch.cos(torch.arange(15.0)).reshape(3, 5), torch.linspace(-0.8, 0.9, 5)
        w2 = torch.sin(torch.arange(5.0)).unsqueeze(1)
        outputs = call("forward", forward, X, w1, b1, w2, b2)
        right = torch.tanh(X @ w1 + b1) @ w2 + b2
        if type(outputs) is not torch.Tensor or not close(outputs, right):
            raise Wrong(
                "Two hidden nodes are right, and five are not. `w1` has a column for each node, "
                "however many."
            )
        return (
            "Two products of matrices and one tanh between them: `build(16, 1, nn.Tanh)` computes "
            "the same. All that training does is to find the numbers in `w1`, `b1`, `w2`, `b2`."
        )
    other = "The hidden nodes give {}. The exercise asks for tanh nodes."
    slips = {
        "tanh bends the prediction as well, so it never leaves the range from -1 to 1. An output "
        "layer is a plain sum.": torch.tanh(right),
        "Nothing bends the hidden sums, so both layers together are one line.": (
            (sums + b1) @ w2 + b2
        ),
        "tanh bends the prediction, and the hidden sums stay straight. It belongs between the "
        "layers.": torch.tanh((sums + b1) @ w2 + b2),
        "Is `b1` added? Without it every hidden node answers 0 to a row of zeros.": (
            torch.tanh(sums) @ w2 + b2
        ),
        "Is `b2` added? It lifts or lowers all predictions alike.": hidden @ w2,
        "`b1` is added after tanh. It belongs into the sum that tanh bends.": (
            (torch.tanh(sums) + b1) @ w2 + b2
        ),
        other.format("the sigmoid of their sums"): torch.sigmoid(sums + b1) @ w2 + b2,
        other.format("the ReLU of their sums"): torch.relu(sums + b1) @ w2 + b2,
        "A bias is subtracted. A node adds its bias to the sum.": torch.tanh(sums - b1) @ w2 + b2,
        "tanh bends the inputs here. It has to bend the sums of the hidden nodes.": (
            (torch.tanh(X) @ w1 + b1) @ w2 + b2
        ),
        "The biases have changed places: each node gets the bias of another.": (
            torch.tanh(sums + b1.flip(0)) @ w2 + b2
        ),
    }
    refuse_slips(outputs, slips)
    raise Wrong(
        f"For fresh weights the first row's hidden nodes give {flat(hidden)[0]:.4f} and "
        f"{flat(hidden)[1]:.4f}, and the network {flat(right)[0]:.4f}. Yours gives "
        f"{flat(outputs)[0]:.4f}. Go through the layers one at a time."
    )


@exercise(
    "09.2",
    "Build a bump",
    "One steep sigmoid node steps up where its sum is 0. Where does the bump have to step?",
    "One node steps up. The second has to take away what the first has added: with which output "
    "weight, and from where on?",
    "A sigmoid goes from 0.05 to 0.95 while its sum goes from -3 to 3. Here it has 0.4 of x for "
    "that: how large must the weight be?",
)
def bump_of_two_nodes(bump: object) -> str:
    """Look at the bump inside, at its edges, outside and far outside."""
    X = torch.tensor([[-9.0], [0.0], [0.8], [1.2], [1.5], [1.8], [2.2], [3.0], [9.0]])
    y = tensor("bump(X)", call("bump", bump, X), X.shape)
    left, inside, right = y[:3], y[3:6], y[6:]
    edges = torch.linspace(-3.0, 3.0, 601).unsqueeze(1).requires_grad_()
    rising = tensor("bump(X)", call("bump", bump, edges), edges.shape)
    if not rising.requires_grad or not any(flat(torch.autograd.grad(rising.sum(), edges)[0])):
        raise Wrong(
            "No gradient comes through the curve. Is it flat between jumps, or detached? Use "
            "sigmoids."
        )
    if min(flat(y)) < -0.5:
        raise Wrong(
            f"The curve falls to {min(flat(y)):.2f}. Which node adds, which takes away, and how "
            "much?"
        )
    if max(flat(y)) > 1.5:
        raise Wrong(f"The curve rises to {max(flat(y)):.2f}, and the bump is 1 high.")
    if max(flat(inside)) < 0.05 and max(flat(right)) < 0.05:
        raise Wrong(
            "The curve stays near 0 where the bump belongs. A node steps where its sum is 0: at "
            "which x is yours 0?"
        )
    if min(flat(right)) > 0.95:
        raise Wrong("The curve steps up and stays up. A second node has to bring it down again.")
    if not close(y[[0, 8]], torch.zeros(2, 1), 0.05):
        raise Wrong("Far from the bump the curve is not 0. What do both nodes give there together?")
    if not close(y[4], 1.0, 0.05):
        raise Wrong(
            "In the middle of the bump, at 1.5, the curve is not near 1. Where are its steps?"
        )
    if not (close(left, 0 * left, 0.05) and close(right, 0 * right, 0.05)):
        raise Wrong(
            f"Outside, the curve should be within 0.05 of 0 from 0.8 down and from 2.2 up. It is "
            f"{flat(left)[2]:.2f} at 0.8 and {flat(right)[0]:.2f} at 2.2. Steeper, or elsewhere?"
        )
    if not close(inside, torch.ones(3, 1), 0.05):
        raise Wrong(
            f"The top should be within 0.05 of 1 from 1.2 to 1.8. It is {flat(inside)[0]:.2f} at "
            f"1.2 and {flat(inside)[2]:.2f} at 1.8. Steeper, or elsewhere?"
        )
    _refuse_spikes_and_jumps(bump)
    return (
        "Bumps side by side, each as high as the curve there, follow any continuous curve on an "
        "interval, both ends included: two nodes a bump, where stairs took one. Training needs "
        "fewer for the wave: four trained nodes came closer than twelve steps."
    )


def _refuse_spikes_and_jumps(bump: object) -> None:
    """Look at each hundredth, and where the curve is steepest at each millionth."""

    def curve(X: torch.Tensor) -> list[float]:
        return flat(tensor("bump(X)", call("bump", bump, X.unsqueeze(1)), (len(X), 1)))

    X = torch.arange(-300, 301) / 100
    for x, y in zip(flat(X), curve(X), strict=True):
        right = 0 if x <= 0.8 or x >= 2.2 else 1 if 1.2 <= x <= 1.8 else None
        if right is not None and abs(y - right) > 0.05:
            raise Wrong(f"At x = {x:.2f} the curve is {y:.4f}, not within 0.05 of {right}.")
    X = torch.arange(-3000, 3001) / 1000
    for _ in range(2):
        y = curve(X)
        steep = max(range(len(y) - 1), key=lambda k: abs(y[k + 1] - y[k]))
        x, step = X[steep], abs(y[steep + 1] - y[steep])
        X = torch.linspace(x, X[steep + 1], 1001)
    if step > 0.1:
        raise Wrong(
            f"The curve jumps at x = {x:.2f}, by {step:.2f}, or is too steep to tell. A sigmoid "
            "that is less steep gives a curve without jumps."
        )


@exercise(
    "09.3",
    "Find the lost layers",
    "`nn.Module` takes note of what is set as an attribute: a parameter, or another module. Is a "
    "list of modules a module?",
    "`nn.Sequential`, which you know, is a module that holds layers. Can a `for` loop go through "
    "it?",
    "Look up `nn.ModuleList`: it is a module and works like a list. What does it take?",
)
def lost_layers(Deep: object) -> str:
    """Count the parameters of three sizes, and compare what the layers give with tanh by hand."""
    for width, depth in ((4, 4), (16, 3), (5, 1)):
        model = call("Deep", Deep, width, depth)
        if not isinstance(model, nn.Module):
            raise Wrong(f"`Deep({width}, {depth})` is {kind(model)}, expected a module.")
        refuse_stubs(list(vars(model).values()))
        _judge_count(model, width, depth)
        X = torch.linspace(-2, 2, 9).unsqueeze(1)
        told = tensor(f"Deep({width}, {depth})(X)", call("forward", model, X), X.shape)
        _judge_layers(model, X, told)
    return (
        "A module finds its parts among its attributes, and in what is a module itself: "
        "`nn.ModuleList`, `nn.Sequential`. In a plain list they are lost to the optimizer, to "
        "`state_dict` and to `.to(device)`, and nobody is told: the layers keep the weights they "
        "were drawn with."
    )


def _judge_count(model: nn.Module, width: int, depth: int) -> None:
    ends, each = 3 * width + 1, width * width + width
    found = sum(parameter.numel() for parameter in model.parameters())
    right = ends + (depth - 1) * each
    if found == right:
        return
    said = f"PyTorch finds {found} parameters in `Deep({width}, {depth})`, expected {right}. "
    slips = {
        ends: "So many have the first and the last layer. In a plain list, tuple or dict PyTorch "
        "doesn't look for layers, and as a bare attribute it takes only a module.",
        ends + each: "That is a single hidden layer: it stands alone, or `[layer] * n` repeats one "
        "object, which is counted, and trained, once.",
        right + each: "That is one layer too many. `first` is a hidden layer as well, so there are "
        "`depth - 1` others.",
        right - each: "That is one layer too few. How often does the loop run?",
    }
    raise Wrong(
        said + slips.get(found, "Each hidden layer takes `width` numbers and gives `width`.")
    )


def _judge_layers(model: nn.Module, X: torch.Tensor, told: torch.Tensor) -> None:
    layers = [part for part in model.modules() if isinstance(part, nn.Linear)]
    first = [part for part in layers if part.in_features == 1]
    last = [part for part in layers if part.out_features == 1]
    hidden = [part for part in layers if part not in first + last]
    if (len(first), len(last)) != (1, 1):
        raise Wrong("`first` takes one number and `last` gives one. Leave both as they were.")
    ways = []
    for bend in (torch.tanh, nn.Identity()):
        rest = torch.tanh(first[0](X))
        for layer in hidden:
            rest = bend(layer(rest))
        ways.append(last[0](rest))
    if close(told, ways[0]):
        return
    slips = {
        "The hidden layers are found, and `forward` leaves them out.": last[0](
            torch.tanh(first[0](X))
        ),
        "No tanh bends what the hidden layers give. Stacked lines are one line.": ways[1],
        "The output is put through tanh, so no prediction can leave -1 to 1.": torch.tanh(ways[0]),
    }
    refuse_slips(told, slips)
    raise Wrong(
        "All layers are found, but the prediction is not what they give one after another, with "
        "tanh after each but the last. Leave `forward` as it was."
    )


@exercise(
    "09.4",
    "Teach it a curve of your own",
    "Any formula will do, such as `torch.sin(my_X) * my_X`, and so will 30 heights of your own or "
    "more, as a column: `torch.tensor([3.0, 5.0, ...]).unsqueeze(1)`, with as many places in "
    "`my_X`.",
    "Make the network with `fresh` or `build`, the optimizer with its parameters, and call `fit` "
    "with `my_X` and `my_y`. Which start wakes deep layers?",
    "If it stands still: Kaiming's start, or Adam. Heights far from 0? Scale them. If it misses a "
    "turn: more steps, or another seed. If the loss jumps: land with a smaller rate.",
)
def own_curve(my_X: object, my_y: object, my_model: object) -> str:
    """Expect three turns or more, and a network of a hundredth of the variance or less."""
    X = tensor("my_X", my_X)
    if X.ndim != 2 or X.shape[1] != 1 or len(X) < 30:
        raise Wrong(
            f"`my_X` has shape {tuple(X.shape)}, expected a column of 30 places or more, such as "
            "(200, 1)."
        )
    y = tensor("my_y", my_y, X.shape).double()
    if (y - torch.sin(2 * X)).square().mean() < 0.01 * y.var():
        raise Wrong("`my_y` is the wave of the lesson. Make up a curve of your own.")
    turns = _turns([height for _, height in sorted(zip(flat(X), flat(y), strict=True))])
    if turns < 3:
        raise Wrong(
            f"Your curve turns {turns} time{'' if turns == 1 else 's'}, counting swings of a tenth "
            "of its height or more. Let it go up and down until it has turned three times."
        )
    if not isinstance(my_model, nn.Module):
        raise Wrong(
            f"`my_model` is {kind(my_model)}, expected the network itself, which `build` returns."
        )
    layers = sum(parameter.ndim == 2 for parameter in my_model.parameters())
    if layers < 5:
        raise Wrong(
            f"Your network has {max(layers - 1, 0)} hidden layer{'' if layers == 2 else 's'}, and "
            "four or more are asked for. The `depth` of `build` is their number."
        )
    return _judge_likeness(my_model, X.detach(), y.detach(), turns)


def _judge_likeness(model: nn.Module, X: torch.Tensor, y: torch.Tensor, turns: int) -> str:
    told = tensor("my_model(my_X)", call("my_model", model, X), X.shape).detach()
    columns = torch.cat([X, torch.ones_like(X)], dim=1).double()
    line = columns @ torch.linalg.lstsq(columns, told.double()).solution
    if (told - line).square().mean() <= 1e-4 * told.var() and told.var() > 1e-6 * y.var():
        raise Wrong(
            "What your network predicts is a straight line. Is there an activation between its "
            "layers?"
        )
    empty = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in empty.parameters():
            parameter.zero_()
    if close(call("my_model", empty, X), told):
        raise Wrong(
            "With all its parameters at 0 your model predicts the same. A formula was not asked "
            "for: let a network learn it."
        )
    share = ((told - y).square().mean() / y.var(correction=0)).item()
    if share < 0.01:
        count = sum(parameter.numel() for parameter in model.parameters())
        return (
            f"Your curve turns {turns} times, and {count:,} numbers follow it to {share:.2%} of "
            "its variance. Nobody told them where to bend. Between your points and beyond them "
            "they promise nothing."
        )
    wave = (told - torch.sin(2 * X)).square().mean().item()
    if wave < 0.01:
        raise Wrong("It follows the wave of the lesson. Hand `my_X` and `my_y` to `fit`.")
    if share > 0.5:
        raise Wrong(
            f"The MSE is {share:.1%} of the variance of `my_y`, its mean leaves 100 %. Was it "
            "trained on `my_X` and `my_y`? Are the heights far from 0? Scale them. If neither is "
            "it, it stands still, as eight layers did: what woke them?"
        )
    raise Wrong(
        f"The MSE is {share:.1%} of the variance of `my_y`, and less than 1 % is asked for. More "
        "nodes, more steps, another rate or another seed?"
    )


def _turns(heights: list[float]) -> int:
    """Return how often a curve turns, swings below a tenth of its height left out."""
    swing, turns, way = 0.1 * (max(heights) - min(heights)), 0, 0
    low = high = heights[0]
    for height in heights:
        low, high = min(low, height), max(high, height)
        if way <= 0 and height - low > swing:
            turns, way, high = turns + (way < 0), 1, height
        elif way >= 0 and high - height > swing:
            turns, way, low = turns + (way > 0), -1, height
    return turns
