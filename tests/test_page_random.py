"""PyTorch's random numbers in the page: to the last digit torch's, whatever is drawn when."""

import gzip
import json
import os
import subprocess

import pytest
import torch
from npm import npm
from pages import BUNDLE, NODE_PROGRAM
from torch import nn
from torch.utils.data import DataLoader

SEEDS = [0, 1, 7, 420, 123_456, 2**32 - 1]
SIZES = [1, 2, 5, 15, 16, 17, 40, 160, 200, 1_000]
CODE = """
import { Generator, numbers } from BUNDLE;
const jobs = JOBS, out = [];
for (const { seed, draws } of jobs) {
  const g = new Generator(seed);
  out.push(draws.map(([what, ...sizes]) => {
    if (what === "linear") return g.linear(...sizes).map((v) => Array.from(v));
    if (what === "uniform") return Array.from({ length: sizes[0] }, () => g.uniform());
    return Array.from(g[what](...sizes));
  }));
}
console.log(JSON.stringify(out));
"""


def in_node(code, **values):
    for name, value in ({"BUNDLE": BUNDLE.as_uri()} | values).items():
        code = code.replace(name, json.dumps(value))
    command = [NODE_PROGRAM, "--input-type=module", "-e", code]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def torchs(seed, draws):
    """Draw the same from torch, in the same order."""
    generator, drawn = torch.Generator().manual_seed(seed), []
    for what, *sizes in draws:
        if what == "randn":
            drawn.append(torch.randn(sizes[0], generator=generator).tolist())
        elif what == "uniform":
            drawn.append(torch.rand(sizes[0], generator=generator).tolist())
        elif what == "randperm":
            drawn.append(torch.randperm(sizes[0], generator=generator).tolist())
        elif what == "epoch":
            loader = DataLoader(range(sizes[0]), 7, shuffle=True, generator=generator)
            drawn.append([row for batch in loader for row in batch.tolist()])
    return drawn


@pytest.fixture(scope="module")
def jobs():
    kinds = ["randn", "randperm", "epoch", "uniform"]
    draws = [[kinds[(n + k) % 4], size] for n, size in enumerate(SIZES) for k in range(3)]
    return [{"seed": seed, "draws": draws} for seed in SEEDS]


def test_what_is_drawn_in_turn_is_torchs(jobs):
    for job, found in zip(jobs, in_node(CODE, JOBS=jobs), strict=True):
        right = torchs(job["seed"], job["draws"])
        for (what, size), mine, theirs in zip(job["draws"], found, right, strict=True):
            if what == "randn":  # cosines of two libraries: the last digit of float32
                assert mine == pytest.approx(theirs, abs=2e-6, rel=0), (what, size)
            else:
                assert mine == theirs, (what, size)


def test_a_layer_starts_with_torchs_weights():
    shapes = [(1, 16), (16, 16), (16, 1), (3, 2)]
    [found] = in_node(CODE, JOBS=[{"seed": 420, "draws": [["linear", *s] for s in shapes]}])
    torch.manual_seed(420)
    for shape, (weights, biases) in zip(shapes, found, strict=True):
        layer = nn.Linear(*shape)
        assert weights == layer.weight.detach().flatten().tolist()
        assert biases == layer.bias.detach().tolist()


def test_numbers_are_written_for_people():
    code = (
        "import { numbers } from BUNDLE;console.log(JSON.stringify(VALUES.map((v) => "
        "[numbers.fixed(v, 3), numbers.short(v)])));"
    )
    values = [0, -0.0, -1e-12, 1.6499999999999986, 0.0093, -2.5, 1234.5, 3.21e6, 5.4e-8, 1e12]
    assert in_node(code, VALUES=values) == [
        ["0.000", "0"], ["0.000", "0"], ["0.000", "0"], ["1.650", "1.65"], ["0.009", "0.0093"],
        ["\u22122.500", "\u22122.5"], ["1234.500", "1,235"], ["3.2 million", "3.2 million"],
        ["0.000", "5.4 · 10⁻⁸"], ["1.0 · 10¹²", "1.0 · 10¹²"],
    ]  # fmt: skip


def test_the_bundle_is_what_the_build_makes(tmp_path):
    """Byte for byte, with the packages of the lock."""
    folder = BUNDLE.parent
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    npm("ci", "--silent", "--no-audit", "--no-fund", folder=tmp_path)
    made = tmp_path / "bundle.js"
    where = os.environ | {"STAGE_PACKAGES": str(tmp_path / "node_modules")}
    subprocess.run([NODE_PROGRAM, folder / "build.mjs", made], check=True, env=where)
    assert made.read_bytes() == BUNDLE.read_bytes(), (
        "run node course_utils/explorers/stage/build.mjs"
    )
    assert len(gzip.compress(BUNDLE.read_bytes())) <= 120_000
