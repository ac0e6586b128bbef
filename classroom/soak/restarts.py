"""Kill a process of notebook 12's script, over TCP, and compare the end with that of a calm run.

The commands are those that the notebook prints for a terminal, set to this one machine. One death
has to cost one restart: `--max-restarts` is 1.
"""

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from outcome import Outcome
from report import say

TITLE = "A process of notebook 12's script is killed (-9), and torchrun restarts over TCP"
GOAL = "5 of 5 restarts for each command, weights of the calm run to the last bit"
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SECONDS = 300  # for a run; one takes 10 to 30 s, and more is taken for a hang
DIE = ["--device=cpu", "--die-in=12"]


def printed() -> list[list[str]]:
    """Return the commands that the notebook prints, as words: for one machine, for several."""
    cells = json.loads((NOTEBOOKS / "12_scaling_out.ipynb").read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    commands = re.findall(r"^torchrun (?:.*\\\n)*.*", text, re.M)
    return [shlex.split(command.replace("\\\n", " ")) for command in commands]


def here(words: list[str], folder: Path, **options: str) -> list[str]:
    """Return a printed command with other options: values without a `--`, `_` for `-`."""
    options |= {"checkpoint": str(folder / "line.pth"), "max_restarts": "1"}
    given = {f"--{name.replace('_', '-')}": value for name, value in options.items()}
    kept = [word for word in words[1:] if word.split("=")[0] not in given]
    script = kept.index("scripts/train_ddp.py")
    checkpoint = f"--checkpoint={given.pop('--checkpoint')}"
    own = [f"{name}={value}" for name, value in given.items()]
    start = [sys.executable, "-m", "torch.distributed.run"]
    return [*start, *own, *kept[:script], *kept[script:], checkpoint]


def standalone(folder: Path) -> list[list[str]]:
    """Return the command for one machine."""
    return [here(printed()[0], folder)]


def over_tcp(folder: Path, machines: int = 1, each: int = 2) -> list[list[str]]:
    """Return the command for several machines, for so many torchrun on this one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = f"127.0.0.1:{free.getsockname()[1]}"
    sizes = {"nnodes": str(machines), "nproc_per_node": str(each)}
    return [here(printed()[1], folder, rdzv_endpoint=meeting, **sizes)] * machines


def kill_the_first(parent: int) -> str:
    """Kill the first process that torchrun starts, while it starts; return what is wrong."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for child in psutil.Process(parent).children():
            if any("train_ddp.py" in word for word in child.cmdline()):
                child.kill()
                return ""
        time.sleep(0.05)
    return "no process was started"


def run(commands: list[list[str]], kill: bool = False) -> tuple[list[str], str]:
    """Run commands at the same time; return what each wrote, and what is wrong."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    running = [
        subprocess.Popen(words, cwd=NOTEBOOKS, start_new_session=True, **pipes)
        for words in commands
    ]
    deadline, said, wrong = time.monotonic() + SECONDS, [], ""
    try:
        wrong = kill_the_first(running[-1].pid) if kill else ""
        for process in running:
            said.append(process.communicate(timeout=max(1, deadline - time.monotonic()))[0])
    except subprocess.TimeoutExpired:
        wrong = f"not through after {SECONDS} s"
    finally:
        for process in running:
            end(process)
    if not wrong and any(process.returncode for process in running):
        wrong = "failed: " + said[0][-1500:]
    return said, wrong


def end(torchrun: subprocess.Popen) -> None:
    """End torchrun, if it still runs, with the processes it started."""
    if torchrun.poll() is None:
        started = psutil.Process(torchrun.pid).children(recursive=True)
        torchrun.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs([*started, psutil.Process(torchrun.pid)], timeout=40)
        for process in left:
            process.kill()
        torchrun.wait()


def calm() -> dict:
    """Return the checkpoint of an undisturbed run of two processes."""
    with tempfile.TemporaryDirectory() as folder:
        _, wrong = run([[*words, "--device=cpu"] for words in standalone(Path(folder))])
        if wrong:
            raise RuntimeError(f"the undisturbed run {wrong}")
        return torch.load(Path(folder) / "line.pth", weights_only=True)


def in_the_middle(commands: Callable[[Path], list[list[str]]], right: dict) -> str:
    """Let the last process die in the middle of epoch 12; return what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        said, wrong = run([[*words, *DIE] for words in commands(Path(folder))])
        begun = re.findall(r"epochs done (\d+)", "\n".join(said))
        return wrong or judged(Path(folder), right, begun, ["0", "12"])


def at_the_start(right: dict) -> str:
    """Let one of two torchrun lose its process before they have met; return what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        commands = over_tcp(Path(folder), machines=2, each=1)
        said, wrong = run([[*words, "--device=cpu"] for words in commands], kill=True)
        begun = re.findall(r"epochs done (\d+)", "\n".join(said))
        return wrong or judged(Path(folder), right, begun, ["0"])


def judged(folder: Path, right: dict, begun: list[str], expected: list[str]) -> str:
    """Return what is wrong with the end of a run, whose starts had so many epochs done."""
    if begun != expected:
        return f"the starts had {begun} epochs done, expected {expected}"
    run = torch.load(folder / "line.pth", weights_only=True)
    pairs = zip(tensors(run), tensors(right), strict=True)
    if run["epoch"] != right["epoch"] or not all(torch.equal(a, b) for a, b in pairs):
        return "epoch, weights or momentum differ from those of the calm run"
    return ""


def tensors(run: dict) -> list[torch.Tensor]:
    """Return the weights and the momentum in a checkpoint."""
    states = run["optimizer"]["state"].values()
    return [*run["model"].values(), *(state["momentum_buffer"] for state in states)]


KINDS = {
    "`--standalone`": lambda right: in_the_middle(standalone, right),
    "the printed command": lambda right: in_the_middle(over_tcp, right),
    "two torchrun that meet over TCP, one process killed before they met": at_the_start,
}


def measure(quick: bool) -> Outcome:
    """Kill a process in 5 runs of each kind (quick: in one)."""
    runs, right = (1 if quick else 5), calm()
    figures, failures = [], []
    for kind, killed in KINDS.items():
        wrong = []
        for _ in range(runs):
            if problem := killed(right):
                wrong.append(f"{kind}: {problem}")
                say(wrong[-1])
        figures.append(f"{kind}: {runs - len(wrong)} of {runs}")
        failures += wrong
    weight = right["model"]["weight"].item()
    return Outcome(f"{'; '.join(figures)}; weight {weight:.4f} as without a kill", failures)
