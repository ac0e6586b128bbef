"""Checks of exercises on nodes, layers and networks."""

import contextlib
import copy
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from course_utils.checks.judging import (
    CROSSED,
    HALF_MSE,
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


def _network(*sizes: int, bend: bool = False, scale: float = 1.0) -> nn.Sequential:
    """Return linear layers, with tanh between them on request, whose weights are no chance."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
        with torch.no_grad():
            weight = torch.sin(torch.arange(1.0, inputs * outputs + 1) + len(layers))
            layer.weight.copy_(scale * weight.view(outputs, -1))
            layer.bias.copy_(scale * torch.cos(torch.arange(1.0, outputs + 1) + len(layers)))
        layers += [nn.Tanh(), layer] if bend and layers else [layer]
    return nn.Sequential(*layers)


@exercise(
    "09.1",
    "Compute a layer",
    "The function `node` above does nearly this. What changes if `w` has several columns?",
    "`X @ w` has a row for each row of `X` and a column for each node. `+ b` adds each node's bias "
    "to its column.",
)
def layer_by_hand(tanh_layer: object) -> str:
    """Expect tanh(X @ w + b) for 4 rows, 3 inputs and 2 nodes."""
    X = torch.sin(torch.arange(12.0)).reshape(4, 3)
    w, b = torch.tensor([[0.5, -1.0], [0.3, 0.8], [-0.7, 0.2]]), torch.tensor([0.4, -0.6])
    given = [values.clone() for values in (X, w, b)]
    outputs = tensor("tanh_layer(X, w, b)", call("tanh_layer", tanh_layer, X, w, b), (4, 2))
    if not all(map(close, (X, w, b), given)):
        raise Wrong(
            "`tanh_layer` changes the tensors it is given. `w += b` and the like work in place."
        )
    sums = X @ w
    if close(outputs, torch.tanh(sums + b)):
        w, b = torch.cos(torch.arange(15.0)).reshape(3, 5), torch.linspace(-0.8, 0.9, 5)
        outputs = call("tanh_layer", tanh_layer, X, w, b)
        if type(outputs) is not torch.Tensor or not close(outputs, torch.tanh(X @ w + b)):
            raise Wrong(
                "Two nodes are right, and a layer of five is not. `w` has a column for each node, "
                "however many."
            )
        return "One matrix product computes all nodes for all rows, without a loop over either."
    other = "This is {}. The exercise asks for tanh nodes."
    slips = {
        "The nodes answer 0 to a row of zeros. Which part of a node is missing?": torch.tanh(sums),
        "These are the sums. Nothing bends them yet, so the layer is a line.": sums + b,
        "The bias is added after the activation. It belongs into the sum that tanh bends.": (
            torch.tanh(sums) + b
        ),
        other.format("the sigmoid of the sums"): torch.sigmoid(sums + b),
        other.format("the ReLU of the sums"): torch.relu(sums + b),
        "The bias is subtracted. A node adds its bias to the sum.": torch.tanh(sums - b),
        "tanh is applied twice. Once per layer is enough.": torch.tanh(torch.tanh(sums + b)),
        "tanh bends the inputs or the weights here. It has to bend the sum, with its bias.": (
            torch.tanh(X) @ w + b
        ),
        "The bias is added to every weight. It is added once, to the sum `X @ w`.": (
            torch.tanh(X @ (w + b))
        ),
        "Each node gets the biases of all nodes together. Each has one of its own.": (
            torch.tanh(sums + b.sum())
        ),
        "The biases have changed places: each node gets the bias of another.": (
            torch.tanh(sums + b.flip(0))
        ),
    }
    refuse_slips(outputs, slips)
    k = int((outputs - torch.tanh(sums + b)).abs().argmax())
    raise Wrong(
        "For fresh weights this is not the tanh of the sums. Where the sum is "
        f"{flat(sums + b)[k]:.4f} its tanh is {flat(torch.tanh(sums + b))[k]:.4f}, and your layer "
        f"gives {flat(outputs)[k]:.4f}. Compare with `node` above."
    )


@exercise(
    "09.2",
    "Fold the layers",
    "Two layers first: what does the second make of the weight and the bias of the first?",
    "Start with weight and bias of the first layer. Each further layer makes "
    "`layer.weight @ weight` of the weight, and `layer.weight @ bias + layer.bias` of the bias.",
    "`nn.Linear(weight.shape[1], weight.shape[0])`, then `copy_` both in `torch.no_grad()`.",
)
def folded_layers(fold: object) -> str:
    """Fold stacks of two, three and one layers; square ones first, whose slips fit in shape."""
    for sizes in ((3, 3, 3, 3), (1, 4, 1), (3, 5, 4, 2), (2, 3)):
        stack = _network(*sizes)
        before = copy.deepcopy(stack.state_dict())
        X = torch.cos(torch.arange(6.0 * sizes[0])).reshape(6, -1)
        folded = call("fold", fold, stack)
        if type(folded) is not nn.Linear:
            raise Wrong(f"`fold` returns {kind(folded)}, expected one `nn.Linear`.")
        if any(part is folded for part in stack):
            raise Wrong("`fold` hands back a layer of the stack. The exercise asks for a new one.")
        tensor("weight", folded.weight, (sizes[-1], sizes[0]))
        if folded.bias is None:
            raise Wrong("The new layer has no bias, and the layers of the stack do have one.")
        tensor("bias", folded.bias, (sizes[-1],))
        if (folded.weight.dtype, folded.bias.dtype) != (X.dtype, X.dtype):
            raise Wrong(
                f"The new layer holds {folded.weight.dtype} and {folded.bias.dtype}, and the stack "
                f"{X.dtype}: the same features do not fit both."
            )
        if not all(close(value, before[name]) for name, value in stack.state_dict().items()):
            raise Wrong("The layers of the stack have changed. Copy into the new layer alone.")
        _judge_fold(stack, folded, stack(X), folded(X))
        if not (folded.weight.is_leaf and folded.bias.is_leaf):
            raise Wrong(
                "Weight and bias still carry the record of how they came from the stack. Copy them "
                "in `torch.no_grad()`."
            )
        own = {values.untyped_storage().data_ptr() for values in stack.parameters()}
        if own & {values.untyped_storage().data_ptr() for values in folded.parameters()}:
            raise Wrong(
                "The new layer shares its numbers in memory with the stack: train one, and the "
                "other moves along. `copy_` or `clone` copies numbers."
            )
    return (
        "Any number of linear layers folds into one, so depth without activations adds parameters "
        "and not a single new curve."
    )


def _judge_fold(
    stack: nn.Sequential, folded: nn.Linear, right: torch.Tensor, told: torch.Tensor
) -> None:
    if close(told, right):
        return
    weights, biases = [part.weight for part in stack], [part.bias for part in stack]
    if not close(told - told[:1], right - right[:1]):
        if len({weight.shape for weight in weights}) == 1:
            refuse_slips(folded.weight, _slips_of_weights(*weights))
        raise Wrong(
            "The weight of the new layer is not the product of the weights of the stack: "
            "`layer.weight @ weight`, once for each further layer."
        )
    alone = biases[0]
    for weight in weights[1:]:
        alone = weight @ alone
    slips = {
        "The weight is right. The biases of the earlier layers have been lost.": biases[-1],
        "The weight is right. The bias of the first layer alone has come through. Each further "
        "layer adds its own.": alone,
        "The weight is right, and the bias is 0. What does the stack predict for inputs of 0?": (
            0 * alone
        ),
        "The weight is right, and the biases are added up as they are. A bias passes through the "
        "weights of the layers after it.": sum(biases, 0 * alone) if len(biases) == 3 else alone,
        "The weight is right, and this is the bias of the first layer. What do the layers after it "
        "make of it?": biases[0],
    }
    refuse_slips(folded.bias, slips)
    raise Wrong(
        "The weight is right, the bias is not. A bias passes through the weights of all layers "
        "that come after it, and each layer adds its own."
    )


def _slips_of_weights(
    first: torch.Tensor, second: torch.Tensor, third: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Return what slips make of the weights of three square layers."""
    return {
        "The weights are multiplied the wrong way around. The later layer stands on the left: "
        "`layer.weight @ weight`.": first @ second @ third,
        "The weights are multiplied element by element. `@` is the matrix product.": (
            first * second * third
        ),
        "The weights are transposed. `nn.Linear` keeps them as (outputs, inputs): "
        "`layer.weight @ weight` needs no `.T`.": third.T @ second.T @ first.T,
        "This is the weight of the first two layers. Any number of layers has to fold.": (
            second @ first
        ),
        "This is the weight of the first layer alone. Each further layer multiplies it.": first,
        "This is the weight of the last layer alone. It multiplies those before it.": third,
    }


@exercise(
    "09.3",
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
    if min(flat(y)) < -0.5:
        raise Wrong(
            f"The curve falls to {min(flat(y)):.2f}. Which node adds, which takes away, and how "
            "much?"
        )
    if max(flat(y)) > 1.5:
        raise Wrong(f"The curve rises to {max(flat(y)):.2f}, and the bump is 1 high.")
    if max(flat(inside)) < 0.05 and max(flat(right)) < 0.05:
        raise Wrong(
            "The curve stays near 0 where the bump belongs. `50 * (X - 1)` is 0 at 1; `50 * X - 1` "
            "is 0 elsewhere."
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
        "Bumps side by side, each as high as the curve there, follow any continuous curve on a "
        "bounded interval: two nodes a bump. Training needs fewer for the wave: four trained nodes "
        "came closer than twelve steps."
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
            f"The curve jumps at x = {x:.2f}, by {step:.2f}. Two sigmoid nodes and their output "
            "weights give a curve without jumps."
        )


@exercise(
    "09.4",
    "Stop when it is good enough",
    "Begin with the five lines in a loop over `range(most)`. Where is the loss known?",
    "Between the loss and `backward` stands `if loss.item() < goal: return step`.",
    "After the loop all steps are used up: `return most`.",
)
def stops_at_the_goal(train_until: object) -> str:
    """Train on a fresh wave: to a goal in reach, out of reach, and already reached."""
    begun = _Trial(train_until, _ALREADY, 3)
    if begun.moved:
        raise Wrong(
            "This network was below its goal already, and it was moved all the same. The loss is "
            "compared with `goal` (`<`) before `backward` and `step`."
        )
    if begun.steps != 0:
        raise Wrong(
            f"A network below its goal takes no step, and your function returns {begun.steps:g}."
        )
    tried = _Trial(train_until, 0.0, 7)
    if not tried.moved:
        raise Wrong(f"Seven steps were allowed, and the network has not moved. {tried.why()}")
    _judge_loss(train_until)
    _judge_steps(tried)
    if tried.steps != 7:
        raise Wrong(
            f"The goal 0 is out of reach: all 7 steps are used, and you return {tried.steps:g}."
        )
    _judge_stop(train_until)
    said = (
        "A goal and a limit together: the run stops when it is good enough, and ends if it never "
        "is. Early stopping, in notebook 11, has no goal: it waits until the validation loss has "
        "reached no new low for some epochs."
    )
    if not close(tried.loss(), _Trial(train_until, 0.0, 7, stale=100.0).loss(), 1e-6):
        said += (
            " One thing to know: if the network comes with old gradients, they push the first of "
            "your steps. `zero_grad` before `backward` is safe there too."
        )
    return said


_WATCHED = 10  # steps of a trial, from its first on
_ALREADY = 1e9  # a goal that every loss of ours is below


class _Step(NamedTuple):
    """What an optimizer met when it took a step, and the gradients that were due there."""

    optimizer: Optimizer
    held: set[int]
    given: torch.Tensor
    due: torch.Tensor


class _Trial:
    """One call of the learner's function on a network of ours, watched step by step."""

    def __init__(self, train_until: object, goal: float, most: int, stale: float = 0.0):
        self.X = torch.linspace(-2, 2, 30).unsqueeze(1)
        self.y = torch.sin(2 * self.X)
        self.model = _network(1, 8, 1, bend=True, scale=0.2)
        for parameter in self.model.parameters():
            parameter.grad = torch.full_like(parameter, stale) if stale else None
        before, self.seen, self.taken, self.most = self.weights(), [], 0, most
        given = self.model, self.X.clone(), self.y.clone(), goal, most
        try:
            with self._watched():
                result = call("train_until", train_until, *given)
        except Wrong as wrong:
            if self.taken and "inplace operation" in str(wrong):
                raise Wrong(
                    "`step` comes between the forward pass and its `backward`, and changes weights "
                    "that `backward` still needs. First `backward`, then `step`."
                ) from None
            raise
        self.steps = number("train_until(...)", result)
        self.moved = self.weights() != before

    def weights(self) -> list[float]:
        """Return all parameters as one list."""
        return [value for parameter in self.model.parameters() for value in flat(parameter)]

    def loss(self) -> float:
        """Return the MSE on all rows at the present weights."""
        return (self.model(self.X) - self.y).square().mean().item()

    def gradients(self) -> torch.Tensor:
        """Return those left in the network, as one list; 0 where there are none."""
        kept = [(p.grad if p.grad is not None else 0 * p) for p in self.model.parameters()]
        return torch.cat([gradient.detach().reshape(-1) for gradient in kept])

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        def look(optimizer: Optimizer, *_: object) -> None:
            held = {id(p) for group in optimizer.param_groups for p in group["params"]}
            self.taken += 1
            if self.taken > _WATCHED:
                return
            with torch.enable_grad():
                loss = (self.model(self.X) - self.y).square().mean()
                due = torch.autograd.grad(loss, list(self.model.parameters()))
            due = torch.cat([gradient.reshape(-1) for gradient in due])
            self.seen.append(_Step(optimizer, held, self.gradients(), due))

        handle = register_optimizer_step_pre_hook(look)
        try:
            yield
        finally:
            handle.remove()

    def why(self) -> str:
        """Say why no step has moved the network."""
        if not self.seen:
            return "No optimizer takes a step. Which line moves the parameters?"
        if not self.seen[0].held & {id(parameter) for parameter in self.model.parameters()}:
            return "Your optimizer moves other parameters. It is made with `model.parameters()`."
        if not any(step.given.any() for step in self.seen):
            return (
                "At each `step` its gradients are empty: `zero_grad` comes before `backward`, and "
                "`step` right after it."
            )
        return "Its gradients are there. What is the learning rate?"


def _judge_loss(train_until: object) -> None:
    """Find the loss that is compared with the goal: halve the range of goals it lies in."""
    low, high = 1e-9, _ALREADY
    while high > 1.001 * low:
        goal = (low * high) ** 0.5
        trial = _Trial(train_until, goal, 1)
        low, high = (goal, high) if trial.moved or trial.steps != 0 else (low, goal)
    begun = _Trial(lambda *_: 0, 0.0, 0)
    off = begun.model(begun.X) - begun.y
    mse, crossed = off.square().mean().item(), (off + begun.y - begun.y.T).square()
    slips = {
        HALF_MSE: mse / 2,
        CROSSED: crossed.mean().item(),
        f"{CROSSED} And the loss is a sum, the goal a mean.": crossed.sum().item(),
        "The goal is one for the mean of the squares, and your loss is their sum: 30 rows make it "
        "30 times as large.": off.square().sum().item(),
        "The goal is one for the MSE, and you compare its root.": mse**0.5,
        "The goal is one for the MSE, and this is the mean absolute error.": off.abs()
        .mean()
        .item(),
    }
    refuse_slips(high, slips, 0.005)
    if not close(high, mse, 0.005):
        raise Wrong(
            f"The MSE on all rows is {mse:.4g} before the first step, and your function compares "
            f"{high:.4g} with the goal. Is it the mean of the squares, of all rows?"
        )


def _judge_steps(trial: _Trial) -> None:
    """Look at what the optimizer met at each step; a step by hand shows in what it leads to."""
    seen = trial.seen
    if trial.taken > trial.most:
        raise Wrong(f"At most {trial.most} steps are allowed, and your loop takes {trial.taken}.")
    if len({id(step.optimizer) for step in seen}) > 1 and seen[0].optimizer.state:
        raise Wrong(
            "Each step makes a new optimizer, which knows nothing of the steps before: Adam loses "
            "its running means. Make it once, before the loop."
        )
    for before, step in itertools.pairwise(seen):
        if close(step.given, step.due, 1e-5):
            continue
        if not before.given.any() or close(step.given, before.due, 1e-5):
            raise Wrong(
                "Each step uses the gradients of the step before, since `step` stands before "
                "`backward`."
            )
        if close(step.given, before.given + step.due, 1e-5):
            raise Wrong(
                "The gradients pile up: the second step uses the sum of two. `zero_grad` belongs "
                "into the loop, once for each step."
            )
        ways = torch.stack([step.given, step.due])
        if not close(nn.functional.cosine_similarity(*ways, dim=0), 1.0, 1e-3):
            raise Wrong(
                "The steps do not follow the gradient of the MSE on all rows. Which loss do you "
                "call `backward` on?"
            )


def _judge_stop(train_until: object) -> None:
    goal = 0.05  # which the solution reaches in 87 steps, and piled-up gradients not in 1,000
    trial = _Trial(train_until, goal, 2_000)
    steps, most = trial.steps, trial.most
    if trial.loss() >= goal:
        raise Wrong(
            f"The goal was in reach of {most} steps, and the loss at the end is still above it. "
            "Adam with rate 0.01 gets there."
        )
    if not 1 < steps < most:
        raise Wrong(
            f"The goal was reached early, and you return {steps:g}. Count the steps up to it, not "
            "those allowed."
        )
    if trial.taken and trial.taken != steps:
        raise Wrong(f"Your function takes {trial.taken} steps and returns {steps:g}.")
    if _Trial(train_until, goal, int(steps) - 1).loss() < goal:
        raise Wrong("With one step fewer the goal is reached too. Stop at the first loss below it.")
    if _Trial(train_until, goal, int(steps)).loss() >= goal:
        raise Wrong("So many steps do not reach the goal: one more was taken than you count.")
