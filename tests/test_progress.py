"""The progress file: nothing lost, nothing overwritten, nothing foreign taken in."""

import json
import os
import signal
import subprocess
import sys

import pytest

from course_utils import progress
from course_utils.checks.feedback import check
from course_utils.inputs import InputError

WRITER = """
import sys
from course_utils import progress
print("ready", flush=True)
for _ in range(int(sys.argv[1])):
    assert progress.record("02.1", "wrong") == ""
"""


@pytest.fixture(autouse=True)
def file(monkeypatch, tmp_path):
    file = tmp_path / "progress.jsonl"
    monkeypatch.setenv("COURSE_PROGRESS", str(file))
    return file


def outcomes():
    return [(event["exercise"], event["outcome"]) for event in progress.read()]


def test_events_are_kept_in_order(file):
    assert progress.read() == []
    for outcome in ("wrong", "hint", "right"):
        assert progress.record("02.1", outcome) == ""
    assert progress.record("lab.10", "right") == ""
    assert outcomes() == [(n, o) for n, o in zip(["02.1"] * 3 + ["lab.10"],
                          ["wrong", "hint", "right", "right"], strict=True)]  # fmt: skip
    assert progress.passed(progress.read()) == {"02.1", "lab.10"}
    assert os.listdir(file.parent) == [file.name]


def test_checks_are_kept_but_not_what_was_not_attempted(capsys):
    check("02.1", ...)
    check("02.1", [8] * 6)
    check("02.1", [8] * 6 + [2])
    assert outcomes() == [("02.1", "wrong"), ("02.1", "right")]


def test_the_file_is_beside_the_notebook_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_PROGRESS")
    monkeypatch.chdir(tmp_path)
    progress.record("02.1", "right")
    assert (tmp_path / "progress.jsonl").exists()


def test_a_torn_last_line_is_left_out_and_replaced(file):
    progress.record("02.1", "right")
    whole = file.read_bytes()
    for length in range(1, len(whole)):
        file.write_bytes(whole + whole[:length])
        assert outcomes() == [("02.1", "right")]
    progress.record("02.2", "wrong")
    assert outcomes() == [("02.1", "right"), ("02.2", "wrong")]


GOOD = {"id": "0" * 32, "exercise": "02.1", "outcome": "right"}


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "hello\n",
        "\n",
        "null\n",
        "[]\n",
        "{}\n",
        "[" * 100_000 + "\n",
        json.dumps(GOOD | {"outcome": "rights"}) + "\n",
        json.dumps(GOOD | {"exercise": 2.1}) + "\n",
        json.dumps(GOOD | {"more": 1}) + "\n",
        json.dumps(GOOD | {"exercise": "<script>"}) + "\n",
        json.dumps(GOOD).replace("right", "r\u0000ght") + "\n",
        "\udcff\n",
    ],
)
def test_a_damaged_or_foreign_file_is_kept_aside_and_never_overwritten(file, line):
    data = line.encode("utf-8", "surrogateescape")
    file.write_bytes(data)
    with pytest.raises(InputError, match=r"no progress file of this course, see line 1\."):
        progress.read()
    said = progress.record("02.1", "right")
    assert "kept as progress.damaged-1.jsonl" in said
    assert file.with_name("progress.damaged-1.jsonl").read_bytes() == data
    assert outcomes() == [("02.1", "right")]
    file.write_bytes(data)
    assert "kept as progress.damaged-2.jsonl" in progress.record("02.1", "wrong")


def test_importing_adds_what_is_new_and_only_once(file, tmp_path):
    progress.record("02.1", "wrong")
    other = tmp_path / "from_binder.jsonl"
    other.write_bytes(file.read_bytes())
    progress.record("02.1", "right")
    other.write_text(other.read_text() + json.dumps(GOOD) + "\n")
    assert progress.merge(other) == 1
    assert progress.merge(other) == 0
    assert outcomes() == [("02.1", "wrong"), ("02.1", "right"), ("02.1", "right")]


def test_importing_something_else_changes_nothing(file, tmp_path):
    progress.record("02.1", "wrong")
    before = file.read_bytes()
    other = tmp_path / "other.jsonl"
    with pytest.raises(InputError, match="there is no file"):
        progress.merge(other)
    other.write_text(json.dumps(GOOD) + "\nnonsense\n")
    with pytest.raises(InputError, match="see line 2"):
        progress.merge(other)
    assert file.read_bytes() == before


def test_what_cannot_be_written_is_told(file, monkeypatch):
    file.mkdir()
    assert progress.record("02.1", "right").startswith("Progress is not kept:")
    monkeypatch.setenv("COURSE_PROGRESS", str(file / "missing" / "p.jsonl"))
    assert "cannot be written" in progress.record("02.1", "right")


def test_a_full_disk_leaves_the_old_lines(file, monkeypatch):
    progress.record("02.1", "wrong")
    before, write = file.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:20]))
    assert "cannot be written" in progress.record("02.1", "right")
    monkeypatch.undo()
    assert file.read_bytes() == before


def writer(file, events):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(events)], stdout=subprocess.PIPE,
        env=os.environ | {"COURSE_PROGRESS": str(file)},
    )  # fmt: skip
    assert process.stdout.readline() == b"ready" + os.linesep.encode()
    return process


def test_notebooks_side_by_side_lose_nothing(file):
    writers = [writer(file, 50) for _ in range(3)]
    assert [process.wait() for process in writers] == [0, 0, 0]
    assert len(progress.read()) == 150
    assert len({event["id"] for event in progress.read()}) == 150


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
def test_kills_while_saving_leave_whole_lines(file):
    for _ in range(5):
        process = writer(file, 10**9)
        seen = len(progress.read())
        while len(progress.read()) < seen + 5:
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(progress.read()) >= 25
    assert os.listdir(file.parent) == [file.name]
