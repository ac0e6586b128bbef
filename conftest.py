"""Strict nbval with a tolerance for numbers, and no test that is skipped in silence."""

import functools
import itertools
import math
import os
import re
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest

NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?(?![\w])")
PLOTLY = "application/vnd.plotly.v1+json"  # drawn data: tests/test_figures.py compares it
LONG = [  # test modules, the longest first
    *("test_browser", "test_explorers_hosts", "test_checks", "test_site", "test_explorers_layout"),
    *("test_explorers_in_page", "test_launcher", "test_hub", "test_claims", "test_scaling"),
]
compared: Counter[str] = Counter()
skipped: list[str] = []
in_tests: Counter[str] = Counter()  # seconds, of each process
through: dict[str, float] = {}  # when its last test ended


def same_numbers(test: str, ref: str) -> bool:
    """Tell whether two texts differ in nothing but the last digits of their decimal numbers."""
    if NUMBER.split(test) != NUMBER.split(ref):
        return False
    pairs = zip(NUMBER.findall(test), NUMBER.findall(ref), strict=True)
    return all(a == b or (is_decimal(a) and is_decimal(b) and close(a, b)) for a, b in pairs)


def is_decimal(text: str) -> bool:
    """Tell 0.5 and 5e-1 from 5: whole numbers have to agree to the letter."""
    return "." in text or "e" in text


def close(test: str, ref: str) -> bool:
    """Allow the last printed digit to be off by one, and a ten-thousandth of the value."""
    last_digit = 10.0 ** Decimal(ref).as_tuple().exponent
    return math.isclose(float(test), float(ref), rel_tol=1e-4, abs_tol=1.01 * last_digit)


def aligned(test, ref):
    """Return the outputs `test`, each text that equals its reference but for rounding replaced."""
    if isinstance(test, str) and isinstance(ref, str):
        return ref if same_numbers(test, ref) else test
    if isinstance(test, dict) and isinstance(ref, dict):
        return nbformat.from_dict({key: aligned(test[key], ref.get(key)) for key in test})
    if isinstance(test, list) and isinstance(ref, list) and len(test) == len(ref):
        return [aligned(a, b) for a, b in zip(test, ref, strict=True)]
    return test


def words_of(outputs) -> list[str]:
    """Return the lines that a reader sees of a cell's outputs."""
    parts = [
        out.get("text") or out.get("data", {}).get("text/plain") or out.get("evalue", "")
        for out in outputs
    ]
    return "\n".join(part.rstrip("\n") for part in parts).splitlines()


def side_by_side(stored, now) -> list[str]:
    """Return two lists of lines as two columns, with a mark where they differ."""
    pairs = list(itertools.zip_longest(stored, now, fillvalue=""))
    width = max([len("stored"), *(len(left) for left, _ in pairs)])
    rows = [("stored", " ", "now"), *((a, " " if a == b else "|", b) for a, b in pairs)]
    return [f"{left:<{width}} {mark} {right}".rstrip() for left, mark, right in rows]


def pytest_addoption(parser):
    """Know the lane of what takes minutes and seldom changes."""
    parser.addoption("--weekly", action="store_true", help="run the tests of the weekly lane too")


def pytest_configure(config):
    """Keep the progress file of whoever runs the tests out of them."""
    config.addinivalue_line("markers", "weekly: takes minutes, so only with --weekly")
    folder = tempfile.TemporaryDirectory(prefix="progress-")
    config.add_cleanup(folder.cleanup)
    os.environ["COURSE_PROGRESS"] = str(Path(folder.name) / "progress.jsonl")


def pytest_collectstart(collector):
    """Leave what is not text out of the comparison; figures have tests of their own."""
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += (PLOTLY, "image/svg+xml")


def pytest_collection_modifyitems(config, items):
    """Leave the weekly lane out; begin with what takes minutes: both cores are busy to the end."""
    if not config.option.weekly:
        weekly = [item for item in items if item.get_closest_marker("weekly")]
        config.hook.pytest_deselected(items=weekly)
        items[:] = [item for item in items if not item.get_closest_marker("weekly")]
    items.sort(key=lambda item: (*LONG, item.path.stem).index(item.path.stem))


def pytest_itemcollected(item):
    """Compare the cells of a notebook with the tolerance, and remember that it was done."""
    if type(item).__name__ != "IPyNbCell":
        return
    strict = item.compare_outputs

    @functools.wraps(strict)
    def tolerant(test, ref, skip_compare=None):
        item.user_properties.append(("compared", True))
        same = strict(aligned(test, ref), ref, skip_compare)
        if not same:
            both = side_by_side(words_of(ref), words_of(test))
            how = f"Is the new one meant? python3 course.py refresh {item.parent.name} stores it."
            item.comparison_traceback[:] = [*both, "", how, "", *item.comparison_traceback]
        return same

    item.compare_outputs = tolerant


def pytest_runtest_logreport(report):
    """Count compared cells, seconds and skips, in the process that prints the summary."""
    worker = report.worker_id if hasattr(report, "worker_id") else "main"
    in_tests[worker] += report.duration
    through[worker] = report.stop
    if report.when == "call" and ("compared", True) in report.user_properties:
        compared[report.nodeid.split("::")[0]] += 1
    if report.skipped:
        skipped.append(f"{report.nodeid}: {report.longrepr}")
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:  # at once, not after the last
        print(f"\nFAILED {report.nodeid} ({report.when})\n{report.longreprtext}", flush=True)


def cells_not_compared(config) -> list[str]:
    """Name the notebooks of which fewer cells were compared than they have."""
    missing = []
    for name, count in compared.items():
        notebook = nbformat.read(Path(config.rootpath) / name, as_version=4)
        cells = sum(cell.cell_type == "code" for cell in notebook.cells)
        if count != cells:
            missing.append(f"{name}: {count} of {cells} code cells were compared")
    return missing


def pytest_terminal_summary(terminalreporter, config):
    """Say how much was compared, what was not, and how busy each process was."""
    end = max(through.values(), default=0)
    for worker, seconds in sorted(in_tests.items()):
        line = f"{worker}: {seconds:.0f} s in tests, through {end - through[worker]:.0f} s before"
        terminalreporter.write_line(f"{line} the last one ended")
    if not config.option.weekly:
        terminalreporter.write_line("Without the weekly lane: python3 course.py test -- --weekly")
    terminalreporter.write_line(f"{sum(compared.values())} notebook cells compared")
    if not config.option.keyword:
        for line in cells_not_compared(config):
            terminalreporter.write_line(f"NOT COMPARED {line}", red=True)
    for line in skipped:
        terminalreporter.write_line(f"SKIPPED {line}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Let the run fail if a test was skipped or a cell was not compared."""
    if skipped or (not session.config.option.keyword and cells_not_compared(session.config)):
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
