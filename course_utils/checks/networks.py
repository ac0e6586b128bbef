"""Checks of exercises on nodes, layers and networks."""

import copy
import itertools

import torch
from torch import nn

from course_utils.checks.judging import (
    Wrong,
    call,
    close,
    exercise,
    flat,
    kind,
    number,
    refuse_slips,
    tensor,
)


def _network(*sizes: int, bend: bool = False) -> nn.Sequential:
    """Return linear layers, with tanh between them on request, whose weights are no chance."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
        with torch.no_grad():
            layer.weight.copy_(torch.sin(torch.arange(1.0, inputs * outputs + 1)).view(outputs, -1))
            layer.bias.copy_(torch.cos(torch.arange(1.0, outputs + 1)))
        layers += [nn.Tanh(), layer] if bend and layers else [layer]
    return nn.Sequential(*layers)


@exercise(
    "08.1",
    "Compute a layer",
    "The function `node` above does nearly this. What changes if `w` has several columns?",
    "`X @ w` has a row for each row of X and a column for each node. Add the bias to each row.",
)
def layer_by_hand(tanh_layer: object) -> str:
    """Expect tanh(X @ w + b) for 4 rows, 3 inputs and 2 nodes."""
    X = torch.sin(torch.arange(12.0)).reshape(4, 3)
    w, b = torch.tensor([[0.5, -1.0], [0.3, 0.8], [-0.7, 0.2]]), torch.tensor([0.4, -0.6])
    outputs = tensor("tanh_layer(X, w, b)", call("tanh_layer", tanh_layer, X, w, b), (4, 2))
    sums = X @ w
    if close(outputs, torch.tanh(sums + b)):
        return (
            "One matrix product computes all nodes for all rows, which is why a layer of 100 nodes "
            "takes hardly longer than one node."
        )
    slips = {
        "The nodes answer 0 to a row of zeros. Which part of a node is missing?": torch.tanh(sums),
        "These are the sums. Nothing bends them yet, so the layer is a line.": sums + b,
        "The bias is added after the activation. It belongs into the sum that tanh bends.": (
            torch.tanh(sums) + b
        ),
        "Some outputs are not what tanh gives. Which activation bends these sums?": (
            torch.sigmoid(sums + b)
        ),
    }
    refuse_slips(outputs, slips)
    raise Wrong("For fresh weights this is not the tanh of the sums. Compare with `node` above.")


@exercise(
    "08.2",
    "Fold the layers",
    "Two layers first: what does the second make of the weight and the bias of the first?",
    "`weight = layer.weight @ weight`, for each layer; for the bias the same plus `layer.bias`.",
    "`nn.Linear(weight.shape[1], weight.shape[0])`, then `copy_` both in `torch.no_grad()`.",
)
def folded_layers(fold: object) -> str:
    """Fold stacks of two, three and one layers, also with several inputs and outputs."""
    for sizes in ((1, 4, 1), (3, 5, 4, 2), (2, 3)):
        stack = _network(*sizes)
        before = copy.deepcopy(stack.state_dict())
        X = torch.cos(torch.arange(6.0 * sizes[0])).reshape(6, -1)
        folded = call("fold", fold, stack)
        if type(folded) is not nn.Linear:
            raise Wrong(f"`fold` returns {kind(folded)}, expected one `nn.Linear`.")
        tensor("weight", folded.weight, (sizes[-1], sizes[0]))
        if folded.bias is None:
            raise Wrong("The new layer has no bias, and the layers of the stack do have one.")
        tensor("bias", folded.bias, (sizes[-1],))
        if not all(close(value, before[name]) for name, value in stack.state_dict().items()):
            raise Wrong("The layers of the stack have changed. Copy into the new layer alone.")
        _judge_fold(stack, folded, stack(X), folded(X))
        if not (folded.weight.is_leaf and folded.bias.is_leaf):
            raise Wrong("Weight and bias still hang on the stack. Copy them in `torch.no_grad()`.")
    return (
        "Any number of linear layers folds into one, so depth without activations adds parameters "
        "and not a single new curve."
    )


def _judge_fold(
    stack: nn.Sequential, folded: nn.Linear, right: torch.Tensor, told: torch.Tensor
) -> None:
    if close(told, right):
        return
    if not close(told - told[:1], right - right[:1]):
        raise Wrong(
            "The slopes differ from those of the stack. In which order do weights multiply?"
        )
    bias, last = flat(folded.bias), stack[-1].bias
    if close(folded.bias, last):
        raise Wrong("The weight is right. The biases of the earlier layers have been lost.")
    if all(value == 0 for value in bias):
        raise Wrong("The weight is right. What does the stack predict for inputs of 0?")
    raise Wrong(
        "The weight is right, the bias is not. A bias passes through the weights of all layers "
        "that come after it."
    )


@exercise(
    "08.3",
    "Build a bump",
    "One steep sigmoid node steps up where its sum is 0. Where does the bump have to step?",
    "The second node steps at 2, and its output weight takes away what the first one added.",
    "`torch.sigmoid(50 * (X - 1))` steps up at 1; subtract the same with 2.",
)
def bump_of_two_nodes(bump: object) -> str:
    """Look at the bump inside, at its edges, outside and far outside."""
    X = torch.tensor([[-9.0], [0.0], [0.8], [1.2], [1.5], [1.8], [2.2], [3.0], [9.0]])
    y = tensor("bump(X)", call("bump", bump, X), X.shape)
    left, inside, right = y[:3], y[3:6], y[6:]
    edges = torch.linspace(-3.0, 3.0, 601).unsqueeze(1).requires_grad_()
    rising = tensor("bump(X)", call("bump", bump, edges), edges.shape)
    if not rising.requires_grad or not any(flat(torch.autograd.grad(rising.sum(), edges)[0])):
        raise Wrong("The curve has no slope anywhere, so no gradient could move it. Use sigmoids.")
    if (max(flat(inside)) < 0.05 and max(flat(right)) < 0.05) or min(flat(y)) < -0.5:
        raise Wrong("The curve never rises to 1, or falls below 0. Which node adds, which takes?")
    if min(flat(right)) > 0.95:
        raise Wrong("The curve steps up and stays up. A second node has to bring it down again.")
    if not close(y[[0, 8]], torch.zeros(2, 1), 0.05):
        raise Wrong("Far from the bump the curve is not 0. What do both nodes give there together?")
    if not close(y[4], 1.0, 0.05):
        raise Wrong(
            "In the middle of the bump, at 1.5, the curve is not near 1. Where are its steps?"
        )
    if not (close(left, 0 * left, 0.05) and close(right, 0 * right, 0.05)):
        raise Wrong("Outside, the curve has not come down by 0.8 or 2.2. Steeper, or elsewhere?")
    if not close(inside, torch.ones(3, 1), 0.05):
        raise Wrong("The top is too narrow: look at 1.2 and 1.8. Steeper, or elsewhere?")
    return (
        "Bumps side by side, each as high as the curve there, follow any curve: two nodes a bump. "
        "Training finds cheaper ways."
    )


@exercise(
    "08.4",
    "Stop when it is good enough",
    "Begin with the five lines in a loop over `range(most)`. Where is the loss known?",
    "Between the loss and `backward` stands `if loss.item() < goal: return step`.",
    "After the loop all steps are used up: `return most`.",
)
def stops_at_the_goal(train_until: object) -> str:
    """Train on fresh points: to a goal in reach, out of reach, and already reached."""
    X = torch.linspace(-1, 1, 30).unsqueeze(1)
    y = X.square()

    def run(goal: float, most: int, stale: float = 0.0) -> tuple[float, float, nn.Module]:
        model = _network(1, 8, 1, bend=True)
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, stale) if stale else None
        result = call("train_until", train_until, model, X.clone(), y.clone(), goal, most)
        steps = number("train_until(...)", result)
        return steps, (model(X) - y).square().mean().item(), model

    begin = _network(1, 8, 1, bend=True)
    start = (begin(X) - y).square().mean().item()
    steps, end, _ = run(2 * start, 50)
    if end != start:
        raise Wrong("This network was below its goal already, and it was moved all the same.")
    if steps != 0:
        raise Wrong("A network below its goal takes no step. What does your function return then?")
    steps, end, _ = run(0.0, 7)
    if end == start:
        raise Wrong("Seven steps were allowed, and the network has not moved. Is there a `step`?")
    if steps != 7:
        raise Wrong(f"The goal 0 is out of reach: all 7 steps are used, and you return {steps:g}.")
    if not close(end, run(0.0, 7, stale=100.0)[1], 1e-6):
        raise Wrong("Gradients from before the call still push the weights. What resets them?")
    _judge_stop(run, start)
    return (
        "A goal and a limit together: the run stops when it is good enough, and ends if it never "
        "is. Trainers call this early stopping when the loss is that of validation rows."
    )


def _judge_stop(run: object, start: float) -> None:
    goal = 0.03 * start
    steps, end, _ = run(goal, 3_000)
    if end >= goal:
        raise Wrong("The goal was in reach, and the loss at the end is still above it.")
    if not 1 < steps < 3_000:
        raise Wrong("The goal was reached early. Count the steps up to it, not those allowed.")
    if run(goal, int(steps) - 1)[1] < goal:
        raise Wrong("With one step fewer the goal is reached too. Stop at the first loss below it.")
    if run(goal, int(steps))[1] >= goal:
        raise Wrong("So many steps do not reach the goal: one more was taken than you count.")
