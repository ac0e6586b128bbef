"""The benchmarks run and print tables of ratios; how fast anything is, no test says."""

import ast
import json
import math
import re
import subprocess
import sys

import nbformat
import pytest
from refresh import NOTEBOOKS, ROOT

FOLDER = ROOT / "benchmarks"
RATIO = re.compile(r"([\d.,]+) x")


def views():
    """Return name and notebook of the explorers that the bench finds; in a process of its own,
    because it loads pytest's browser plugin before pytest does."""
    code = "import json, live; print(json.dumps(live.EXPLORERS))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, text=True)
    return [row[:2] for row in json.loads(done.stdout)]


def explorers():
    """Return the names of all classes built on the explorers' base."""
    names = set()
    for path in (ROOT / "course_utils/explorers").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and "Explorer" in map(ast.unparse, node.bases):
                names.add(node.name)
    return names


def tables(markdown):
    """Return the rows of each table by its heading, as lists of cells."""
    found = {}
    for section in markdown.split("\n## ")[1:]:
        lines = [line for line in section.splitlines() if line.startswith("|")]
        found[section.splitlines()[0]] = [line.strip("| ").split(" | ") for line in lines]
    return found


@pytest.fixture(scope="module")
def printed():
    """Run the part that needs neither browser nor kernel, small."""
    command = [sys.executable, FOLDER / "run.py", "--quick", "training"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


def test_every_table_has_its_rows(printed):
    found = tables(printed)
    assert list(found) == [
        "Training one line",
        "Learning rates per second",
        "Growth with points",
        "Growth with epochs",
    ]
    for rows in found.values():
        head, rule, *body = rows
        assert set(rule) == {"---"}
        assert {len(row) for row in rows} == {len(head)}
        assert [row[0] for row in body[:1]] == ["the course's loop"]
        assert "`descent`" in body[1][0]


def test_every_ratio_is_a_finite_positive_number(printed):
    for heading, (_head, _rule, *body) in tables(printed).items():
        for row in body:
            ratios = [float(text.replace(",", "")) for text in RATIO.findall(" ".join(row))]
            assert ratios, f"{heading}: {row}"
            assert all(math.isfinite(ratio) and ratio > 0 for ratio in ratios), row
        assert "1.00 x" in " ".join(body[0])  # the loop is compared with itself


def test_all_means_reach_the_same_line(printed):
    _head, _rule, *body = tables(printed)["Training one line"]
    for row in body:
        assert float(row[-1]) < 0.1, row


def test_the_machine_the_day_and_the_commit_are_named(printed):
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC, commit \w+", printed)
    assert "cores" in printed


def test_a_choice_of_parts_writes_no_file(printed):
    assert "Written to" not in printed


def test_an_unknown_part_is_named():
    command = [sys.executable, FOLDER / "run.py", "trainnig"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "trainnig: choose of live, training, start" in done.stderr


def test_the_bench_finds_every_explorer_in_a_notebook():
    rows = views()
    assert sorted(name for name, _ in rows) == sorted(explorers())
    for name, stem in rows:
        cells = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4).cells
        assert any(f"{name}(" in cell.source for cell in cells), f"{name} is not in {stem}"


def test_a_slow_link_passes_all_bytes_in_their_order():
    code = """
import asyncio, link

async def echo(reader, writer):
    writer.write(await reader.readexactly(200_000))

async def ask():
    server = await asyncio.start_server(echo, link.LOOPBACK, 0)
    between = await asyncio.to_thread(link.Link, server.sockets[0].getsockname()[1])
    between.delay = 0.05
    reader, writer = await asyncio.open_connection(link.LOOPBACK, between.port)
    sent = bytes(range(200)) * 1000
    writer.write(sent)
    assert await reader.readexactly(200_000) == sent
    await asyncio.to_thread(between.close)

asyncio.run(ask())
"""
    subprocess.run([sys.executable, "-c", code], cwd=FOLDER, check=True, timeout=60)


def test_shared_requirements_have_the_ranges_of_the_tests():
    def ranges(path):
        lines = path.read_text(encoding="utf-8").splitlines()
        return dict(re.findall(r"^([\w-]+)([<>=][^\s#]*)", "\n".join(lines), re.M))

    ours, tests = ranges(FOLDER / "requirements.txt"), ranges(ROOT / "tests/requirements.txt")
    shared = ours.keys() & tests.keys()
    assert {"playwright", "pytest", "nbclient"} <= shared
    assert {name: ours[name] for name in shared} == {name: tests[name] for name in shared}
