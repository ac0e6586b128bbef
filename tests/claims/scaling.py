"""What notebook 12, its questions and its hints say in general about processes and their cost."""

import torch
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from claims import Claim
from course_utils import datasets

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


def ring(compute, n_bytes, n, latency, bandwidth):
    """Return the seconds of computing and of sending, message by message."""
    sending = sum(latency + n_bytes / n / bandwidth for _ in range(2 * (n - 1)))
    return compute / n, sending


def network_of(seed):
    """Draw a job and a network: seconds, bytes, latency, bandwidth."""
    draw = torch.rand(4, generator=torch.Generator().manual_seed(seed))
    low, width = torch.tensor([-4, 0, -5, 9]), torch.tensor([4, 9, 2, 1])  # powers of 10
    return (10 ** (low + width * draw).double()).tolist()


def never_twice_the_gradient(seed):
    _, n_bytes, *_ = network_of(seed)
    sent = [2 * (n - 1) * n_bytes / n for n in (1, 2, 8, 64, 4096)]
    return sent == sorted(sent) and sent[-1] < 2 * n_bytes


def costs(seed, **changed):
    compute, n_bytes, latency, bandwidth = network_of(seed)
    job = {"compute": compute, "n_bytes": n_bytes, "latency": latency, "bandwidth": bandwidth}
    job |= {name: job[name] * factor for name, factor in changed.items()}
    return [(job["compute"], *ring(n=n, **job), n) for n in (2, 4, 8, 16, 32, 64)]


def share(compute, computing, sending, n):
    return compute / (computing + sending) / n


def three_ways(seed):
    before = [share(*cost) for cost in costs(seed)]
    changes = {"compute": 2}, {"n_bytes": 0.5}, {"latency": 0.5, "bandwidth": 2}
    after = [[share(*cost) for cost in costs(seed, **change)] for change in changes]
    return all(a > b for shares in after for a, b in zip(shares, before, strict=True))


def beyond_it_more_than_half_waits(seed):
    """The share of computing falls with every process, and below a half sending is the rest."""
    shares = [share(*cost) for cost in costs(seed)]
    waits = [sending > computing for _, computing, sending, _ in costs(seed)]
    falls = shares == sorted(shares, reverse=True)
    return falls and waits == [value < 0.5 for value in shares]


def the_network_of_the_lesson(seed):
    """The formula's numbers for both jobs; a seed only draws in which order it is asked."""
    job = {"latency": 50e-6, "bandwidth": 1.25e9}
    order = torch.randperm(7, generator=torch.Generator().manual_seed(seed)).tolist()
    times = {2**p: ring(2.0, 100e6, 2**p, **job) for p in order}
    line = sum(ring(0.2e-3, 8, 64, **job)) / 0.2e-3
    ends = round(2 / sum(times[64])), round(2 / max(times[64])), round(times[64][1], 2)
    return ends == (10, 12, 0.16) and line > 30 and max(times[8]) == 0.25


CLAIMS = [
    Claim(
        LESSON,
        "Both shuffle with the same seed and take every second row of the same order.",
        none_twice,
    ),
    Claim(
        LESSON,
        "Without `set_epoch` each epoch would be epoch 0 again, without a warning.",
        epoch_zero_again,
    ),
    Claim(
        LESSON,
        "With it, the order follows from seed and epoch alone.",
        follows_from_the_epoch,
    ),
    Claim(
        LESSON,
        "Each rank takes equally many; if `processes` does not divide `n`, the first rows of the "
        "order come twice.",
        first_rows_twice,
    ),
    Claim(
        LESSON,
        "the loss is a mean over rows, and the mean of two means over equally many rows is the "
        "mean over all of them",
        mean_is_the_whole,
    ),
    Claim(QUESTIONS, "Another gradient than that of the 16 rows", uneven_mean_is_another),
    Claim(
        LESSON,
        "Equal parts, averaged gradients, equal weights: several processes take the path of one.",
        path_of_one,
    ),
    Claim(LESSON, "More processes hardly add bytes for each of them.", never_twice_the_gradient),
    Claim(LESSON, "Three ways bend the curve back toward the straight line", three_ways),
    Claim(CHECKS, "beyond that number more than half of what is paid for waits for messages",
          beyond_it_more_than_half_waits),
    Claim(LESSON, "8 processes would be 8 times as fast, and 64 still only about 12 times",
          the_network_of_the_lesson),
    Claim(QUESTIONS, "while sending nearly 200 MB takes 0.16 s", the_network_of_the_lesson),
    Claim(
        GLOSSARY,
        "Divided by the number of processes it gives the mean gradient.",
        mean_is_the_whole,
    ),
]  # fmt: skip
