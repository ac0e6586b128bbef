"""The progress file: nothing lost, nothing overwritten, nothing foreign taken in."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import tracemalloc

import pytest

from course_utils import progress
from course_utils.board import board
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
    check("02.1", [22])
    check(
        "02.3", lambda X_train, X_test: (X_test != X_test.clamp(X_train.min(), X_train.max())).sum()
    )
    assert outcomes() == [("02.1", "wrong"), ("02.3", "right")]


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
        json.dumps(GOOD | {"exercise": "\u0660\u0662.1"}, ensure_ascii=False) + "\n",
        json.dumps(GOOD) + " " * 10**6 + "\n",
        json.dumps(GOOD | {"more": 1}) + "\n",
        json.dumps(GOOD | {"exercise": "<script>"}) + "\n",
        json.dumps(GOOD).replace("right", "r\u0000ght") + "\n",
        "\udcff\n",
    ],
)
def test_a_damaged_or_foreign_file_is_kept_aside_and_never_overwritten(file, line):
    data = line.encode("utf-8", "surrogateescape")
    file.write_bytes(data)
    with pytest.raises(InputError, match=r"is not a progress file of this course, see line 1\."):
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


@contextlib.contextmanager
def quick_and_small():
    """Allow a second, and memory for some copies of the largest file that is read."""
    tracemalloc.start()
    begin = time.perf_counter()
    yield
    took, most = time.perf_counter() - begin, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 1
    assert most < 10 * progress.LIMIT


def pipe(place):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes among its files")
    os.mkfifo(place)


def device(name):
    def link(place):
        if not os.path.exists(name):
            pytest.skip(f"this system has no {name}")
        place.symlink_to(name)

    return link


def listening(place):
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("this system has no sockets among its files")
    with contextlib.chdir(place.parent), socket.socket(socket.AF_UNIX) as made:
        made.bind(place.name)  # a whole path may be too long for a socket


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (pipe, "a pipe"),
        (listening, "a socket"),
        (os.mkdir, "a folder"),
        (device("/dev/zero"), "a device"),
        (device("/dev/null"), "a device"),
        (device("/dev/full"), "a device"),
        (device("/dev/tty"), "a device"),
    ],
    ids=["pipe", "socket", "folder", "zero", "null", "full", "tty"],
)
def test_what_is_not_a_file_is_named_and_left_alone(file, make, kind, tmp_path, capsys):
    make(file)
    said = rf"progress.jsonl cannot be read \(it is {kind}, not a file\)\.$"
    own = tmp_path / "own.jsonl"
    with quick_and_small():
        for call in (progress.read, board, lambda: progress.merge(file)):
            with pytest.raises(InputError, match=said):
                call()
        assert progress.record("02.1", "right") == (
            f"Progress is not kept: {file} cannot be written (it is {kind}, not a file)."
        )
        check("02.1", [22])
    shown = capsys.readouterr().out
    assert "Not yet." in shown
    assert f"it is {kind}, not a file" in shown
    assert os.listdir(file.parent) == [file.name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROGRESS", str(own))
        with quick_and_small(), pytest.raises(InputError, match=said):
            progress.merge(file)
    assert not own.exists()


def test_a_pipe_that_takes_the_place_of_a_file_at_the_last_moment_is_seen(file, monkeypatch):
    pipe(file)
    monkeypatch.setattr(os, "stat", lambda path: os.lstat(__file__))
    with quick_and_small():
        assert "it is a pipe" in progress.record("02.1", "right")


def huge(place):
    with open(place, "wb") as made:
        made.truncate(10 * 10**9)  # no byte of it is stored


def of_good_lines(place):
    place.write_bytes(
        b"".join(progress_line(n) for n in range(progress.LIMIT // len(progress_line(0)) + 1))
    )


def progress_line(number):
    return json.dumps(GOOD | {"id": f"{number:032x}"}).encode() + b"\n"


@pytest.mark.parametrize("make", [huge, of_good_lines])
def test_a_huge_file_is_told_and_kept_aside(file, make, tmp_path):
    make(file)
    size, said = file.stat().st_size, "progress.jsonl is too large: a progress file holds 4 MB at"
    with quick_and_small():
        for call in (progress.read, board, lambda: progress.merge(file)):
            with pytest.raises(InputError, match=said):
                call()
    with quick_and_small():
        assert progress.record("02.1", "right").startswith(said)
    assert outcomes() == [("02.1", "right")]
    assert (tmp_path / "progress.damaged-1.jsonl").stat().st_size == size
    with quick_and_small(), pytest.raises(InputError, match=r"damaged-1\.jsonl is too large"):
        progress.merge(tmp_path / "progress.damaged-1.jsonl")
    assert outcomes() == [("02.1", "right")]


@pytest.mark.skipif(not os.path.exists("/proc/self/pagemap"), reason="only Linux has this file")
def test_a_file_without_end_is_told_whatever_its_size_says(monkeypatch):
    """The kernel calls it a file of 0 bytes, and it is endless to read."""
    monkeypatch.setenv("COURSE_PROGRESS", "/proc/self/pagemap")
    with quick_and_small():
        with pytest.raises(InputError, match="pagemap is"):
            progress.read()
        assert "Progress is not kept" in progress.record("02.1", "right")


def test_a_full_file_takes_no_more(file, tmp_path):
    lines = progress.LIMIT // len(progress_line(0))
    file.write_bytes(b"".join(progress_line(n) for n in range(lines)))
    before, other = file.read_bytes(), tmp_path / "other.jsonl"
    other.write_bytes(progress_line(lines))
    with pytest.raises(InputError, match="too large"):
        progress.merge(other)
    assert file.read_bytes() == before
    assert "too large" in progress.record("02.1", "right")


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
