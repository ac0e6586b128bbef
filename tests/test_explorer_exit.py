"""A script that makes an explorer and ends, ends well, whatever the explorer is about to do."""

import os
import subprocess
import sys

import pytest
from refresh import ROOT

# Each child is forked after the imports, makes an explorer and runs off the end of the script.
SCRIPT = """
import os, sys, time
import torch
from torch import nn
from torch.utils.data import TensorDataset
from course_utils import datasets
from course_utils.explorers import batch, fit, line, network, node, noise, own_data, split, step
from course_utils.explorers import line_surface, training

X, y = datasets.make_line()
model = nn.Linear(1, 1)

def one_step(model, loss_fn, optimizer, X, y):
    optimizer.zero_grad()
    loss = loss_fn(model(X), y)
    loss.backward()
    optimizer.step()

def busy(*arguments):
    while True:
        torch.randn(300, 300) @ torch.randn(300, 300)

def own(*arguments, **options):
    return busy() if BUSY else (0.0, 0.0)

def make(**settings):
    return own() if BUSY else datasets.make_line(**settings)

def build(width, depth, activation):
    return nn.Sequential(nn.Linear(1, width), activation(), nn.Linear(width, 1))

BUSY = "busy" in sys.argv
SGD = torch.optim.SGD
MAKE = {
    "batch": lambda: batch.BatchExplorer(TensorDataset(X, y)),
    "fit": lambda: fit.FitExplorer(own),
    "surface": lambda: line_surface.LineSurfaceExplorer(lambda *given: own()),
    "line": lambda: line.LineExplorer(X, y, own if BUSY else nn.MSELoss()),
    "network": lambda: network.NetworkExplorer(build, lambda *_: iter(own, 1)),
    "node": lambda: node.NodeExplorer(own if BUSY else lambda X, w, b, f: f(X @ w + b)),
    "noise": lambda: noise.NoiseExplorer(make),
    "own data": lambda: own_data.OwnDataExplorer(own, X, y),
    "split": lambda: split.SplitExplorer(lambda X, *_: (range(9), range(9, len(X))), own),
    "step": lambda: step.StepExplorer(
        one_step, model, nn.MSELoss(), SGD(model.parameters(), 0.1), X, y
    ),
    "training": lambda: training.TrainingExplorer(own, [SGD, torch.optim.Adam]),
}
for name in MAKE:
    sys.stdout.flush()
    child = os.fork()
    if not child:
        explorer = MAKE[name]()
        if BUSY:
            explorer.page._handle_custom_msg({"values": {}, "prove": ""}, [])
            while explorer.page.proof.get("kind") is None:
                time.sleep(0.001)
        break
    print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
@pytest.mark.parametrize("kind", ["idle", "busy"])
def test_a_script_that_makes_an_explorer_ends_with_0(kind, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, kind], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=300, check=False,
    )  # fmt: skip
    codes = [line.rsplit(" ", 1) for line in done.stdout.splitlines()]
    assert [code for code in codes if code[1] != "0"] == [], done.stderr
    assert len(codes) == 11
