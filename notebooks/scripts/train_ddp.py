"""Train a line in several processes. Notebook 12 explains it; torchrun starts it."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from course_utils import datasets

env = os.environ.get  # torchrun tells each process who it is; without torchrun there is one
RANK, PROCESSES = int(env("RANK", 0)), int(env("WORLD_SIZE", 1))
LOCAL_RANK, LOCAL_PROCESSES = int(env("LOCAL_RANK", 0)), int(env("LOCAL_WORLD_SIZE", 1))
RESTARTS = int(env("TORCHELASTIC_RESTART_COUNT", 0))
BATCH_SIZE, SEED = 16, 420
loss_fn = nn.MSELoss()


def choose_device(name, processes):
    """Return the device with this name, or for "auto" the fastest that all processes have."""
    there = {"cpu": processes}
    if torch.accelerator.is_available():
        kind = torch.accelerator.current_accelerator().type
        there = {kind: torch.accelerator.device_count(), **there}
    if name == "auto":
        name = next(kind for kind in there if there[kind] >= processes)
    if there.get(name, 0) < processes:
        sys.exit(f"train_ddp: {name}: {there.get(name, 0)} devices, {processes} needed, take cpu.")
    return torch.device(name) if name == "cpu" else torch.device(name, LOCAL_RANK)


def number_of_start(store):
    """Agree on a number that this start of all processes has and that no earlier one had.

    The store outlives the processes, but only a living process 0 answers to a new ticket.
    """
    if RANK > 0:
        start = int(store.get(f"start of ticket {store.add('tickets', 1)}"))  # waits for it
        store.add(f"joined start {start}", 1)
        return start
    start = store.add("starts", 1)
    while store.add(f"joined start {start}", 0) < PROCESSES - 1:
        for ticket in range(1, store.add("tickets", 0) + 1):
            store.set(f"start of ticket {ticket}", str(start))
        time.sleep(0.05)
    return start


def join(device, meet):
    """Wait until all processes are there; their addresses stand below the number of this start."""
    store = dist.FileStore(meet) if meet else next(dist.rendezvous("env://"))[0]
    store = dist.PrefixStore(f"start {number_of_start(store)}", store)
    group = {"store": store, "rank": RANK, "world_size": PROCESSES}
    if device.type != "cpu":
        group["device_id"] = device  # a card that no other process uses
    backend = dist.get_default_backend_for_device(device)
    dist.init_process_group(backend, **group)


def save(path, model, optimizer, epochs_done):
    """Replace the checkpoint in one step, so that a kill leaves the old one or the new one."""
    run = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epochs_done}
    with open(path.with_suffix(".tmp"), "wb") as file:
        torch.save(run, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)


def restore(path, model, optimizer, device):
    """Fill model and optimizer from the checkpoint, if there is one; return its epoch."""
    if not path.parent.is_dir():
        sys.exit(f"train_ddp: there is no folder {path.parent.name} for the checkpoint, make it.")
    if not path.exists():
        return 0
    try:
        run = torch.load(path, map_location=device, weights_only=True)
        model.load_state_dict(run["model"])
        optimizer.load_state_dict(run["optimizer"])
        return int(run["epoch"])
    except Exception:
        sys.exit(f"train_ddp: {path.name} is damaged, put back a copy or delete it to start anew.")


def check_gradient(model, dataset, epoch, step):
    """Compare the averaged gradient with that of the whole batch, computed in this process."""
    order = DistributedSampler(dataset, num_replicas=1, rank=0, seed=SEED)
    order.set_epoch(epoch)
    X_whole, y_whole = dataset[list(order)[BATCH_SIZE * step : BATCH_SIZE * (step + 1)]]
    whole = torch.autograd.grad(loss_fn(model(X_whole), y_whole), [*model.parameters()])
    torch.testing.assert_close([parameter.grad for parameter in model.parameters()], [*whole])


def main(options):
    """Train from the checkpoint's epoch, or from 0, to the last."""
    if BATCH_SIZE % PROCESSES:
        sys.exit(f"train_ddp: {PROCESSES} processes do not divide a batch of {BATCH_SIZE} rows.")
    device = choose_device(options.device, LOCAL_PROCESSES)
    torch.manual_seed(SEED)
    model = ddp_model = nn.Linear(1, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    epochs_done = restore(options.checkpoint, model, optimizer, device)
    if PROCESSES > 1:
        join(device, options.meet)
        ddp_model = DistributedDataParallel(model)
    dataset = TensorDataset(*(tensor.to(device) for tensor in datasets.make_line()))
    sampler = DistributedSampler(dataset, PROCESSES, RANK, seed=SEED)
    loader = DataLoader(dataset, batch_size=BATCH_SIZE // PROCESSES, sampler=sampler)
    if RANK == 0:
        print(f"processes {PROCESSES} on {device}, epochs done {epochs_done}", flush=True)
    for epoch in range(epochs_done, options.epochs):
        sampler.set_epoch(epoch)
        for step, (X_batch, y_batch) in enumerate(loader):
            if (epoch, step, RANK, RESTARTS) == (options.die_in, 6, PROCESSES - 1, 0):
                os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
            optimizer.zero_grad()
            y_pred = ddp_model(X_batch)
            loss = loss_fn(y_pred, y_batch)
            loss.backward()
            if options.check:
                check_gradient(model, dataset, epoch, step)
            optimizer.step()
        if RANK == 0:
            save(options.checkpoint, model, optimizer, epoch + 1)
            if (epoch + 1) % 10 == 0:
                print(f"epoch {epoch + 1}: weight {model.weight.item():.4f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--device", default="auto", help="cpu, cuda or another, or auto")
    parser.add_argument("--epochs", type=int, default=20, help="in all, those done included")
    parser.add_argument("--check", action="store_true", help="compare every averaged gradient")
    parser.add_argument("--meet", help="a file in which processes on one disk find each other")
    parser.add_argument("--die-in", type=int, help="kill the last process once, in this epoch")
    main(parser.parse_args())
    if PROCESSES > 1:  # out here, where ddp_model is gone: else this may wait for ever
        dist.destroy_process_group()
