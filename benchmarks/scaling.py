"""Table of processes: the time of a training step in one process and in two, and what is sent."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.distributed as dist
from report import NOT_MEASURED, Table, p50, say, short, times
from torch import nn
from torch.nn.parallel import DistributedDataParallel

# name: (width of the hidden layers, rows of a batch in all)
JOBS = {"the line": (0, 16), "a network, 34 kB": (90, 4096), "a network, 7.9 MB": (1400, 512)}


def model_of(width: int) -> nn.Module:
    """Return a line, or a network with two hidden layers."""
    if not width:
        return nn.Linear(1, 1)
    layers = [nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(width, 1), nn.Flatten())


def seconds_per_step(model: nn.Module, rows: int, steps: int) -> float:
    """Train on random rows; return the median time of a step."""
    X, y = torch.randn(rows, 1), torch.randn(rows, 1)
    optimizer, loss_fn = torch.optim.SGD(model.parameters(), lr=1e-3), nn.MSELoss()
    seconds = []
    for _step in range(steps + 5):
        start = time.perf_counter()
        optimizer.zero_grad()
        y_pred = model(X)
        loss = loss_fn(y_pred, y)
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return p50(seconds[5:])


def measured(steps: int) -> dict[str, list[float]]:
    """Return for each job the step alone, with others at work, with averaging, and its bytes.

    With several processes the first two differ only by what the processes take from each other.
    """
    processes, found = dist.get_world_size(), {}
    for name, (width, rows) in JOBS.items():
        model = model_of(width)
        whole = seconds_per_step(model, rows, steps) if processes == 1 else 0.0
        dist.barrier()
        part = seconds_per_step(model, rows // processes, steps)
        dist.barrier()
        averaged = seconds_per_step(DistributedDataParallel(model), rows // processes, steps)
        sent = 4 * sum(parameter.numel() for parameter in model.parameters())
        found[name] = [whole, part, averaged, sent]
    return found


def main(steps: int, meet: str, output: str) -> None:
    """Measure in this process, one of those that torchrun started; the first one writes."""
    torch.set_num_threads(1)
    rank, processes = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    store = dist.FileStore(meet, processes)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=processes)
    found = measured(steps)
    if rank == 0:
        Path(output).write_text(json.dumps(found), encoding="utf-8")


def run(processes: int, steps: int) -> dict[str, list[float]]:
    """Let torchrun start this file, on the loopback interface alone."""
    loopback = {"linux": "lo", "darwin": "lo0"}.get(sys.platform)
    environment = os.environ | {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1", "OMP_NUM_THREADS": "1"}
    environment |= {"GLOO_SOCKET_IFNAME": loopback} if loopback else {}
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}"),
            *("--rdzv-backend=c10d", "--rdzv-conf=store_type=file", "--local-addr=127.0.0.1"),
            *(f"--rdzv-endpoint={folder}/agents", f"--log-dir={folder}/logs", __file__),
            *(str(steps), f"{folder}/workers", f"{folder}/found.json"),
        ]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
        return json.loads(Path(folder, "found.json").read_text(encoding="utf-8"))


def tables(quick: bool) -> list[Table]:
    """Measure one process, then two."""
    steps, goals = (20 if quick else 60), []
    say(f"scaling: 1 and 2 processes, {steps} steps of each job")
    try:
        one, two = run(1, steps), run(2, steps)
    except (OSError, subprocess.SubprocessError) as error:
        one, two, goals = {}, {}, [f"{NOT_MEASURED} {type(error).__name__}"]
    rows = []
    for name in one:
        (whole, _, _, sent), (_, part, averaged, _) = one[name], two[name]
        sending = max(0.0, averaged - part)
        cells = [short(1e3 * value) for value in (whole, averaged, part, sending)]
        rows.append([f"{name}, {JOBS[name][1]} rows", *cells, f"{sent:,}", times(whole / averaged)])
    text = (
        "The five lines of training on one thread each, p50 of a step. In two processes each has "
        "half of the rows; `DistributedDataParallel` averages with gloo over the loopback "
        "interface. Sending is what that adds to the same step without averaging, run in both "
        "processes at once. Two processes share the machine's memory and cores."
    )
    head = ["step of", "1 process ms", "2 processes ms", "of it computing", "of it sending",
            "bytes averaged", "speed-up"]  # fmt: skip
    return [Table("One process and two", text, head, rows, goals)]


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
    dist.destroy_process_group()  # out here, where the wrapped models are gone
