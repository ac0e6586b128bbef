"""What notebook 09 says in general of nodes, layers and networks, and its questions and checks."""

import bisect
import functools
import itertools

import torch
from torch import nn
from torch.nn.functional import mse_loss

from claims import Claim
from course_utils import datasets
from course_utils.explorers import mlp

BOOK = "notebooks/09_neural_networks.ipynb"
CHECKS = "course_utils/checks/networks.py"
QUESTIONS = "course_utils/questions.toml"
X = torch.linspace(-3, 3, 200).unsqueeze(1)
y = torch.sin(2 * X)


def build(width, depth, activation):
    layers, inputs = [], 1
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), activation()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 1))


def train(model, X, y, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    while True:
        optimizer.zero_grad()
        loss = mse_loss(model(X), y)
        loss.backward()
        optimizer.step()
        yield loss.item()


def trained(seed, width, epochs, lr=0.03, activation=nn.Tanh, depth=1, data=(X, y)):
    """Return a network after so many epochs, and the losses before each of them."""
    torch.manual_seed(seed)
    model = build(width, depth, activation)
    steps = train(model, *data, lr)
    return model, [next(steps) for _ in range(epochs)]


@functools.cache
def end(seed, width, epochs=300, lr=0.1, activation=nn.Tanh):
    return trained(seed, width, epochs, lr, activation)[1][-1]


def best_line(y):
    columns = torch.cat([X, torch.ones_like(X)], dim=1)
    return columns @ torch.linalg.lstsq(columns, y).solution


LINE = (best_line(y) - y).square().mean().item()


# A line through a wave


def no_line_is_below_the_best(seed):
    torch.manual_seed(seed)
    weight, bias = torch.randn(2, 200, 1, 1)
    return bool(((weight * X + bias - y).square().mean(dim=(1, 2)) >= LINE).all())


def stack_ends_at_the_best(seed):
    torch.manual_seed(seed)
    stack = nn.Sequential(nn.Linear(1, 8), nn.Linear(8, 8), nn.Linear(8, 1))
    steps = train(stack, X, y, lr=0.03)
    return abs([next(steps) for _ in range(1000)][-1] - LINE) < 5e-4


def stack_is_one_line(seed):
    torch.manual_seed(seed)
    first, second, third = nn.Linear(1, 8), nn.Linear(8, 8), nn.Linear(8, 1)
    weight = third.weight @ second.weight @ first.weight
    bias = third.weight @ (second.weight @ first.bias + second.bias) + third.bias
    stack = nn.Sequential(first, second, third)
    return torch.allclose(stack(X), weight * X + bias, rtol=0, atol=1e-6)


# A node


def one_node(seed):
    torch.manual_seed(seed)
    weight, bias = 0.5 + torch.rand(1).item(), torch.randn(1).item()
    x = torch.linspace(-9, 9, 20001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(torch.tanh(weight * x + bias).sum(), x)
    steepest = slope.argmax()
    return abs(x[steepest].item() + bias / weight) < 2e-3 and abs(slope.max() - weight) < 1e-3


def node_without_bias(seed):
    torch.manual_seed(seed)
    return all(bend(torch.zeros(1, 3) @ torch.randn(3, 1)).item() == 0 for bend in (
        torch.tanh, torch.relu))  # fmt: skip


def sigmoid_is_flat(seed):
    torch.manual_seed(seed)
    z = (3 * torch.randn(100)).requires_grad_()
    (slope,) = torch.autograd.grad(torch.sigmoid(z).sum(), z)
    return bool(slope.max() <= 0.25)


# Eight layers


def kaiming(part):
    if isinstance(part, nn.Linear):
        nn.init.kaiming_uniform_(part.weight, nonlinearity="relu")


def normed_sigmoid():
    return nn.Sequential(nn.BatchNorm1d(16), nn.Sigmoid())


def deep(activation, seed, start=None, depth=8):
    torch.manual_seed(seed)
    model = build(16, depth, activation)
    return model.apply(start) if start else model


def first_to_last(activation, seed, start=None):
    model = deep(activation, seed, start)
    mse_loss(model(X), y).backward()
    return (model[0].weight.grad.norm() / model[-1].weight.grad.norm()).item()


def norm_brings_it_back(seed):
    return first_to_last(normed_sigmoid, seed) > 100 * first_to_last(nn.Sigmoid, seed)


@functools.cache
def descended(activation, seed, start=None, kind=torch.optim.SGD, depth=8):
    model = deep(activation, seed, start, depth)
    optimizer = kind(model.parameters(), lr=0.01 if kind is torch.optim.SGD else 0.003)
    for _ in range(600):
        optimizer.zero_grad()
        loss = mse_loss(model(X), y)
        loss.backward()
        optimizer.step()
    return loss.item()


def deep_beats_one_layer(seed):
    one = min(descended(nn.ReLU, seed, start, depth=1) for start in (None, kaiming))
    return descended(nn.ReLU, seed, kaiming) < 0.7 * one


def adam_hides_it(seed):
    return descended(nn.ReLU, seed, kind=torch.optim.Adam) < descended(nn.ReLU, seed) - 0.01


def only_the_sigmoid_is_lost(seed):
    ratio = first_to_last(nn.ReLU, seed, kaiming)
    return ratio > 0.01 and first_to_last(nn.Sigmoid, seed, kaiming) < 1e-3


def no_curve_is_below_the_mean_of_each_length(seed):
    flipper, mass = datasets.load_penguins()
    torch.manual_seed(seed)
    means = torch.stack([mass[flipper == length].mean() for length in flipper]).unsqueeze(1)
    model = build(16, 1, nn.Tanh)
    curve = means + 100 * model((flipper - flipper.mean()) / flipper.std())
    return bool((curve - mass).square().mean() > (means - mass).square().mean())


def network_gains_a_little_on_the_birds(seed):
    flipper, mass = datasets.load_penguins()
    scaled = (flipper - flipper.mean()) / flipper.std()
    _, losses = trained(seed, 16, 1000, data=(scaled, mass / 1000))
    return 0.373 < losses[-1] ** 0.5 < 0.376


def one_row_is_refused(seed):
    model = deep(normed_sigmoid, seed)
    model(X)
    try:
        model(X[:1])
    except ValueError:
        return model.eval()(X[:1]).shape == (1, 1)
    return False


def initial_weights(kaiming):
    def holds(seed):
        torch.manual_seed(seed)
        layer = nn.Linear(16, 16)
        if kaiming:
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        end = 0.6124 if kaiming else 0.25
        return bool(0.9 * end < layer.weight.abs().max() <= end)

    return holds


# Steps


def stairs(curve, steps):
    edges = torch.linspace(-3, 3, steps + 1)[:-1]
    heights = curve(edges + 3 / steps)
    edges[0] = -4
    hidden = torch.sigmoid(200 * (X - edges))
    return hidden @ heights.diff(prepend=torch.zeros(1)).unsqueeze(1)


def steps_follow(seed):
    torch.manual_seed(seed)
    waves = torch.randn(3, 2)

    def curve(x):
        return sum(s * torch.sin((k + 1) * x + t) for k, (s, t) in enumerate(waves))

    off = [(stairs(curve, n) - curve(X)).square().mean().item() for n in (6, 24, 96)]
    return off[0] > off[1] > off[2] and off[2] < 0.01 * curve(X).var().item()


def four_trained_beat_twelve_steps(seed):
    steps = (stairs(lambda x: torch.sin(2 * x), 12) - y).square().mean().item()
    return end(seed, 4) < steps


# Where training goes


def leaps(losses):
    return sum(after > 1.2 * before for before, after in itertools.pairwise(losses))


def each_node_adds_one_s(seed):
    model, _ = trained(seed, 16, 300)
    with torch.inference_mode():
        turns = torch.tanh(model[0](X)).diff(dim=0).sign()
    return not ((turns > 0).any(dim=0) & (turns < 0).any(dim=0)).any()


# In the explorer


def bends(values):
    signs = values.diff(dim=0).sign()
    return [(column[column != 0].diff() != 0).sum().item() for column in signs.T]


def wave():
    """Return the explorer's training points without noise."""
    return [column.float() for column in mlp.POINTS.split(0.0)[:2]]


def third_layer_draws_waves(seed):
    model, _ = trained(seed, 8, 600, 0.01, depth=3, data=wave())
    with torch.inference_mode():
        first, third = model[:2](X), model[:6](X)
    return max(bends(first)) == 0 and sum(turns >= 2 for turns in bends(third)) >= 5


def groups_stay(seed):
    ends = [end(seed % 10, 2, epochs) for epochs in (300, 1200)]
    return len({bisect.bisect((0.1, 0.32), loss) for loss in ends}) == 1


def lowered_in_mid_run(seed):
    settings = {"width": 8, "depth": 1, "activation": "tanh", "lr": 0.01, "noise": 0.0}
    now = settings | {"seed": 420 + seed, "epochs": 1500, "changes": "800:0.1:0"}
    losses = mlp.path(now).train
    return leaps(losses[200:800]) > 0 == leaps(losses[900:]) and losses[-1] < min(losses[:801])


def wide_follows_the_noise(seed):
    """It comes nearer to the noisy points, and farther from the truth between them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.linspace(-3, 3, 81).unsqueeze(1)
    noisy = torch.sin(2 * x) + 0.5 * torch.randn(x.shape, generator=generator)
    off = []
    for width, depth in ((4, 1), (16, 2)):
        model, losses = trained(seed, width, 2000, 0.01, depth=depth, data=(x[::2], noisy[::2]))
        with torch.inference_mode():
            off.append((losses[-1], mse_loss(model(x[1::2]), torch.sin(2 * x[1::2])).item()))
    return off[1][0] < off[0][0] and off[1][1] > off[0][1]


CLAIMS = [
    Claim(BOOK, "So no training brings such a stack below the best line.",
          no_line_is_below_the_best),
    Claim(BOOK, "Without a bias every tanh node would answer 0 there", node_without_bias),
    Claim(BOOK, "a tanh node is as steep there as $w_1$ says", one_node),
    Claim(BOOK, "All 97 parameters together are one weight and one bias.", stack_is_one_line),
    Claim(BOOK, "With enough stairs any continuous curve on an interval", steps_follow),
    Claim(BOOK, "The three layers end where the best line ended.", stack_ends_at_the_best,
          slow=True),
    Claim(BOOK, "each hidden node adds its S times its output weight",
          each_node_adds_one_s, slow=True),
    Claim(BOOK, "So take more nodes than you need", lambda seed: end(seed, 4) < 0.06, slow=True),
    Claim(BOOK, "The spikes end, for a while at least, and the loss sinks.", lowered_in_mid_run,
          slow=True),
    Claim(BOOK, "Nodes of the first draw one S each, those of the third mostly draw waves.",
          third_layer_draws_waves, slow=True),
    Claim(BOOK, "321 parameters follow the noise of 41 points", wide_follows_the_noise, slow=True),
    Claim(BOOK, "One layer learns from every start.",
          lambda seed: descended(nn.ReLU, seed, depth=1) < 0.8 * LINE, slow=True),
    Claim(BOOK, "do what *always 0* did, from every start",
          lambda seed: descended(nn.ReLU, seed) > 0.515, slow=True),
    Claim(BOOK, "would hide part of what we look for", adam_hides_it, slow=True),
    Claim(BOOK, "A sigmoid's slope along its sum is 0.25 at most", sigmoid_is_flat),
    Claim(BOOK, "ReLU loses more, since many of its slopes are 0",
          lambda seed: first_to_last(nn.ReLU, seed) < first_to_last(nn.Identity, seed)),
    Claim(BOOK, "Even without an activation (`none`) only a twentieth is left",
          lambda seed: first_to_last(nn.Identity, seed) < 1),
    Claim(BOOK, "With 16 inputs `nn.Linear` draws weights from -0.25 to 0.25",
          initial_weights(kaiming=False)),
    Claim(BOOK, "draws wider, with 16 inputs from -0.61 to 0.61", initial_weights(kaiming=True)),
    Claim(BOOK, "Awake from every start, and far below the one layer", deep_beats_one_layer,
          slow=True),
    Claim(BOOK, "the sigmoid's gradient stays next to nothing", only_the_sigmoid_is_lost),
    Claim(BOOK, "makes up for the small slopes", norm_brings_it_back),
    Claim(BOOK, "The same from every start, on birds it has seen.",
          network_gains_a_little_on_the_birds, slow=True),
    Claim(BOOK, "No curve of the flipper gets below the means on these birds",
          no_curve_is_below_the_mean_of_each_length),
    Claim(BOOK, "eight sigmoid layers learn",
          lambda seed: descended(normed_sigmoid, seed) < 0.1, slow=True),
    Claim(BOOK, "After `eval()` a single row is fine", one_row_is_refused),
    Claim(QUESTIONS, "The slopes alone leave 0.25 to the eighth or less", sigmoid_is_flat),
    Claim(QUESTIONS, "About a ten-millionth",
          lambda seed: 1e-8 < first_to_last(nn.Sigmoid, seed) < 1e-6),
    Claim(QUESTIONS, "The groups would stay.", groups_stay, slow=True),
    Claim(CHECKS, "four trained nodes came closer than", four_trained_beat_twelve_steps, slow=True),
    Claim("classroom/TEACHING.md", "With four nodes none of 20 starts is lost", lambda seed:
          end(seed, 4) < 0.06, slow=True),
]  # fmt: skip
