"""What notebook 12, its questions and its hints say in general about processes and their cost."""

import torch
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from claims import Claim
from course_utils import datasets
from course_utils.checks import scaling

LESSON = "notebooks/12_scaling_out.ipynb"
QUESTIONS = "course_utils/questions.toml"
GLOSSARY = "notebooks/glossary.md"
CHECKS = "course_utils/checks/scaling.py"
loss_fn = nn.MSELoss()


def numbers(seed):
    """Draw a number of rows and one of processes, from 2 to 9."""
    generator = torch.Generator().manual_seed(seed)
    processes = int(torch.randint(2, 10, (1,), generator=generator))
    return int(torch.randint(20, 200, (1,), generator=generator)), processes


def dealt(rows, processes, epoch=None, **options):
    """Return the rows of every rank."""
    samplers = [DistributedSampler(range(rows), processes, r, **options) for r in range(processes)]
    for sampler in samplers:
        if epoch is not None:
            sampler.set_epoch(epoch)
    return [list(sampler) for sampler in samplers]


def none_twice(seed):
    rows, processes = numbers(seed)
    rows = rows // processes * processes
    parts = dealt(rows, processes, seed=seed)
    in_turn = [row for turn in zip(*parts, strict=True) for row in turn]
    alone = list(DistributedSampler(range(rows), 1, 0, seed=seed))
    return sorted(in_turn) == list(range(rows)) and in_turn == alone


def first_rows_twice(seed):
    rows, processes = numbers(seed)
    rows += rows % processes == 0
    parts = dealt(rows, processes, epoch=seed, seed=420)
    in_turn = [row for turn in zip(*parts, strict=True) for row in turn]
    more = len(in_turn) - rows
    return 0 < more < processes and in_turn[rows:] == in_turn[:more]


def epoch_zero_again(seed):
    rows, processes = numbers(seed)
    sampler = DistributedSampler(range(rows), processes, 0, seed=seed)
    first, again = list(sampler), list(sampler)
    sampler.set_epoch(1 + seed)
    return first == again == dealt(rows, processes, 0, seed=seed)[0] != list(sampler)


def follows_from_the_epoch(seed):
    """Ask a sampler that has been through other epochs, and a new one."""
    rows, processes = numbers(seed)
    used = DistributedSampler(range(rows), processes, 1, seed=420)
    for epoch in (3, seed, 12):
        used.set_epoch(epoch)
        list(used)
    return list(used) == dealt(rows, processes, 12, seed=420)[1]


def gradient(model, X, y):
    return torch.cat(
        [part.flatten() for part in torch.autograd.grad(loss_fn(model(X), y), model.parameters())]
    )


def parts_of_a_batch(seed, sizes):
    """Return the gradients of parts of a batch, and that of the batch, for a small network."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    X, y = torch.randn(sum(sizes), 3).double(), torch.randn(sum(sizes), 1).double()
    pairs = zip(X.split(sizes), y.split(sizes), strict=True)
    return torch.stack([gradient(model, *pair) for pair in pairs]), gradient(model, X, y)


def mean_is_the_whole(seed):
    _, processes = numbers(seed)
    parts, whole = parts_of_a_batch(seed, [5] * processes)
    return torch.allclose(parts.mean(dim=0), whole)


def uneven_mean_is_another(seed):
    parts, whole = parts_of_a_batch(seed, [12, 4])
    plain, weighted = parts.mean(dim=0), (12 * parts[0] + 4 * parts[1]) / 16
    return torch.allclose(weighted, whole) and (plain - whole).norm() > 0.01 * whole.norm()


def path_of_one(seed):
    """Train a line with the averaged gradients of 2, 4 or 8 ranks, and in one process."""
    dataset = TensorDataset(*datasets.make_line(n=64, seed=seed))

    def train(processes):
        torch.manual_seed(seed)
        model = nn.Linear(1, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
        samplers = [DistributedSampler(dataset, processes, r, seed=420) for r in range(processes)]
        loaders = [DataLoader(dataset, 16 // processes, sampler=s) for s in samplers]
        for batches in zip(*loaders, strict=True):
            optimizer.zero_grad()
            for X_batch, y_batch in batches:
                (loss_fn(model(X_batch), y_batch) / processes).backward()
            optimizer.step()
        return torch.cat([part.detach().flatten() for part in model.parameters()])

    alone, several = train(1), train((2, 4, 8)[seed % 3])
    return bool((alone - several).abs().max() < 1e-5)


def network_of(seed):
    """Draw a number of bytes."""
    draw = torch.rand(1, generator=torch.Generator().manual_seed(seed))
    return float(10 ** (9 * draw.double()))


def never_twice_the_gradient(seed):
    n_bytes = network_of(seed)
    sent = [2 * (n - 1) * n_bytes / n for n in (1, 2, 8, 64, 4096)]
    return sent == sorted(sent) and sent[-1] < 2 * n_bytes


def the_network_of_the_lesson(seed):
    """The formula's numbers; a seed only draws in which order it is asked."""
    order = torch.randperm(7, generator=torch.Generator().manual_seed(seed)).tolist()
    times = {2**p: scaling.step_time(2**p, **scaling.NETWORK) for p in order}
    computing = {n: 2e-3 + 2.0 / n for n in times}
    sending = {n: 2 * (n - 1) * (50e-6 + 100e6 / n / 1.25e9) for n in times}
    hides = [n for n in sorted(times) if sending[n] <= computing[n] * 2 / 3]
    ends = [round(value[64], 2) for value in (computing, sending)] + [round(computing[64] / 1.5, 2)]
    return hides == [1, 2, 4, 8] and ends == [0.03, 0.16, 0.02] and round(sending[16], 2) == 0.15


def three_ways(seed):
    """Each of three changes is enough, and the other two numbers are not, whatever they are."""
    factor = float(torch.rand(1, generator=torch.Generator().manual_seed(seed)))
    enough = [
        scaling.faster(*way) for way in (("bandwidth", 3.6), ("n_bytes", 0.28), ("work", 3.3))
    ]
    least = [scaling.faster(name, max(factor, 1e-9)) for name in ("overhead", "latency")]
    gone = [round(scaling.faster(name, 1e-12), 1) for name in ("overhead", "latency")]
    return all(32 <= value <= 36 for value in enough) and max(least) < 12 and gone == [11.5, 11.9]


def a_third_waits(seed):
    """Whatever makes 64 computers 32 to 36 times as fast, they compute in 1/2 to 2/3 of a step."""
    drawn = 10 ** (2 * torch.rand(500, generator=torch.Generator().manual_seed(seed)) - 1)
    waits = []
    for name in scaling.NETWORK:
        for factor in drawn.tolist():
            job = scaling.NETWORK | {name: factor * scaling.NETWORK[name]}
            if 32 <= scaling.faster(name, factor) <= 36:
                computing = job["overhead"] + job["work"] / 64
                waits.append(1 - computing / scaling.step_time(64, **job))
    return len(waits) > 10 and 1 / 3 < min(waits) <= max(waits) < 1 / 2


def eight_digits(seed):
    """bfloat16 has the range of float32, and near 2 its numbers are 2 to the power of -7 apart."""
    drawn = 1 + torch.rand(100, generator=torch.Generator().manual_seed(seed))
    kept = (drawn.bfloat16().float() * 2**7).frac() == 0
    range_ = torch.finfo(torch.bfloat16).max / torch.finfo(torch.float32).max
    below = torch.nextafter(torch.tensor(2.0).bfloat16(), torch.tensor(0.0).bfloat16()).item()
    return bool(kept.all()) and 0.99 < range_ <= 1 and round(below, 3) == 1.992


def moves_or_replaces(seed):
    torch.manual_seed(seed)
    kept, replaced = nn.Linear(1, 1), nn.Linear(1, 1)
    before = kept.weight, replaced.weight
    kept.to("cpu")
    replaced.to("meta")
    return kept.weight is before[0] and replaced.weight is not before[1]


def two_thirds_backward(seed):
    """Count the multiplications of the wide network, forward and in all."""
    rows = numbers(seed)[0]
    hidden = [nn.Linear(1, 512), nn.Tanh(), nn.Linear(512, 512), nn.Tanh()]
    model, X = nn.Sequential(*hidden, nn.Linear(512, 1)), torch.randn(rows, 1)
    with FlopCounterMode(display=False) as forward:
        loss = model(X).square().mean()
    with FlopCounterMode(display=False) as after:
        loss.backward()
    return 0.64 < after.get_total_flops() / (
        forward.get_total_flops() + after.get_total_flops()
    ) < 0.68  # fmt: skip


CLAIMS = [
    Claim(
        LESSON,
        "deals out the rows like cards, to processes with a number",
        none_twice,
    ),
    Claim(
        LESSON,
        "all ranks shuffle by the same seed plus the number of the epoch",
        follows_from_the_epoch,
    ),
    Claim(
        LESSON,
        "whoever forgets it gets the order of epoch 0 again and again",
        epoch_zero_again,
    ),
    Claim(LESSON, "the parts are filled up until they are equal", first_rows_twice),
    Claim(LESSON, "the mean of the two is the mean of all 16", mean_is_the_whole),
    Claim(LESSON, "the plain mean lets 4 rows count as much as 12", uneven_mean_is_another),
    Claim(
        LESSON,
        "Equal parts, averaged gradients, equal weights: several processes take the path of one.",
        path_of_one,
    ),
    Claim(LESSON, "together less than two gradients, however large $n$ is",
          never_twice_the_gradient),
    Claim(LESSON, "Up to 8 computers, all sending hides behind `backward`",
          the_network_of_the_lesson),
    Claim(QUESTIONS, "Sending nearly 200 MB takes 0.16 s, and only 0.02 s of that hide",
          the_network_of_the_lesson),
    Claim(LESSON, "A connection 3.6 times as fast, gradients of 28 % of their bytes, or 3.3 times "
          "the work in a step", three_ways),
    Claim(LESSON, "without them 64 would be 11.5 and 11.9 times as fast", three_ways),
    Claim(CHECKS, "And still each of the 64 waits for more than a third of the time.",
          a_third_waits),
    Claim(LESSON, "the same range, but 8 binary digits instead of 24", eight_digits),
    Claim(LESSON, "Near 2 the next smaller number is 1.992", eight_digits),
    Claim(LESSON, "Whether `.to` replaces the parameters depends on the device",
          moves_or_replaces),
    Claim(LESSON, "`backward` is about two thirds of a step", two_thirds_backward),
    Claim(
        GLOSSARY,
        "Divided by the number of processes it gives the mean gradient.",
        mean_is_the_whole,
    ),
]  # fmt: skip
