"""Time a step of the line in one process and in two. Notebook 12 says which is faster."""

import sys
import time

import torch
import torch._dynamo  # optimizers need it: imported once, before the processes part
import torch.distributed as dist
import train_ddp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

PROCESSES, ROWS = 2, 16
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


def main(rank, meet):
    """Time the line in one of the processes; the first says which is faster."""
    torch.set_num_threads(1)
    train_ddp.RANK, train_ddp.PROCESSES = rank, PROCESSES
    train_ddp.join(torch.device("cpu"), meet)
    line = nn.Linear(1, 1)
    alone = clock(make_step(line, ROWS)) if rank == 0 else 0.0  # the other waits
    dist.barrier()
    together = clock(make_step(DistributedDataParallel(line), ROWS // PROCESSES))
    if rank == 0:
        print(f"two processes train the line faster than one: {together < alone}")
    dist.destroy_process_group()


if __name__ == "__main__":
    kind = "fork" if sys.platform == "linux" else "spawn"  # a fork need not import all again
    torch.multiprocessing.start_processes(main, sys.argv[1:], PROCESSES, start_method=kind)
