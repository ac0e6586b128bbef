"""Time a step in one process and in two, and what they send. Notebook 12 draws it."""

import json
import sys
import time

import torch
import torch._dynamo  # optimizers need it: imported once, before the processes part
import torch.distributed as dist
import train_ddp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

PROCESSES = 2
loss_fn = nn.MSELoss()


def clock(work, times=50):
    """Return the shortest time of some calls, after two that prepare."""
    seconds = []
    for _ in range(times + 2):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds[2:])


def make_step(model, rows):
    """Return the five lines of training on so many rows."""
    X, y = torch.randn(rows, 1), torch.randn(rows, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)

    def step():
        optimizer.zero_grad()
        y_pred = model(X)
        loss = loss_fn(y_pred, y)
        loss.backward()
        optimizer.step()

    return step


def times_of(model, rows):
    """Return the seconds of a step alone, with a part of the rows, with averaging, and of sending.

    The last number is that of the bytes of a gradient.
    """
    gradient = torch.zeros(sum(parameter.numel() for parameter in model.parameters()))
    alone = clock(make_step(model, rows)) if dist.get_rank() == 0 else 0.0  # the others wait for it
    dist.barrier()
    part = clock(make_step(model, rows // PROCESSES))
    together = clock(make_step(DistributedDataParallel(model), rows // PROCESSES))
    sending = clock(lambda: dist.all_reduce(gradient))
    return alone, part, together, sending, 4 * len(gradient)


def compared(alone, part, together, sending, n_bytes, latency):
    """Return the speed-up of two processes, and the numbers with which a formula estimates it."""
    overhead = min(max(2 * part - alone, 0.0), alone)  # half of the rows does not halve it
    job = {"overhead": overhead, "work": alone - overhead, "n_bytes": n_bytes, "latency": latency}
    job["bandwidth"] = n_bytes / max(sending - 2 * latency, 1e-9)
    return alone / together, job


def main(rank, meet):
    """Time line and wide network in one of the processes; the first prints what all found."""
    torch.set_num_threads(1)
    train_ddp.RANK, train_ddp.PROCESSES = rank, PROCESSES
    train_ddp.join(torch.device("cpu"), meet)
    hidden = [nn.Linear(1, 512), nn.Tanh(), nn.Linear(512, 512), nn.Tanh()]
    line = times_of(nn.Linear(1, 1), 16)
    wide = times_of(nn.Sequential(*hidden, nn.Linear(512, 1)), 1024)
    latency = line[3] / 2  # two messages with hardly a byte
    if rank == 0:
        jobs = {"line": line, "wide network": wide}
        print(json.dumps({name: compared(*times, latency) for name, times in jobs.items()}))
    dist.destroy_process_group()


if __name__ == "__main__":
    kind = "fork" if sys.platform == "linux" else "spawn"  # a fork need not import all again
    torch.multiprocessing.start_processes(main, sys.argv[1:], PROCESSES, start_method=kind)
