"""What a teacher reads from the progress files of a class, and what a learner sees of their own."""

import contextlib
import csv
import hashlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys

import pytest
from refresh import ROOT

from course_utils import progress
from course_utils.board import board
from course_utils.checks.feedback import EXERCISES


def event_id(file, number):
    return hashlib.md5(f"{file} {number}".encode()).hexdigest()


def write(file, *outcomes):
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({"id": event_id(file, number), "exercise": name, "outcome": outcome})
        for number, (name, outcome) in enumerate(outcomes)
    ]
    file.write_text("".join(line + "\n" for line in lines))


spec = importlib.util.spec_from_file_location("shown", ROOT / "classroom" / "progress.py")
shown = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shown)


def run(*words):
    """Do what the command does, in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        said = shown.main([*map(str, words)])
    return subprocess.CompletedProcess(words, bool(said), out.getvalue(), said or "")


@pytest.fixture
def folder(tmp_path):
    wrong, right = ("02.1", "wrong"), ("02.1", "right")
    write(tmp_path / "ada" / "progress.jsonl", wrong, wrong, ("02.1", "hint"), ("02.2", "right"))
    write(tmp_path / "ben.jsonl", wrong, right, ("02.2", "right"))
    write(tmp_path / "cyd.jsonl", right, ("02.2", "wrong"), ("02.2", "right"))
    (tmp_path / "foreign.jsonl").write_text("hello\n")
    return tmp_path


def test_the_exercise_that_fails_most_comes_first(folder):
    command = [sys.executable, str(ROOT / "classroom" / "progress.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Left out foreign.jsonl: foreign.jsonl is not a progress file")
    assert lines[1] == f"3 learners, 2 of {len(EXERCISES)} exercises tried"
    assert [line.split()[-4:] for line in lines[3:6]] == [
        ["passed", "wrong", "tries", "hints"],
        ["1", "2", "3", "1"],  # 02.1: one learner is stuck, two passed
        ["0", "3", "1", "0"],
    ]
    assert lines[4].startswith("02.1 Write a Dataset that ends")
    assert (folder / "progress.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "foreign.jsonl").read_text() == "hello\n"


def test_a_file_that_another_one_holds_is_no_second_learner(folder):
    before = folder / "ben" / "before.jsonl"
    write(before, ("04.1", "wrong"), ("04.1", "right"))
    (folder / "ben.jsonl").replace(folder / "ben" / "progress.jsonl")
    with open(folder / "ben" / "progress.jsonl", "a") as file:
        file.write(before.read_text())
    (folder / "twice.jsonl").write_bytes((folder / "cyd.jsonl").read_bytes())
    (folder / "new.jsonl").write_bytes(b"")
    lines = run(folder).stdout.replace("\\", "/").splitlines()
    assert "Left out ben/before.jsonl: ben/progress.jsonl holds all of it." in lines
    assert "Left out cyd.jsonl: twice.jsonl holds all of it." in lines
    assert f"4 learners, 3 of {len(EXERCISES)} exercises tried" in lines  # with the empty file
    assert ["0", "1", "1", "0"] in [line.split()[-4:] for line in lines]  # 04.1, counted once


class Counted(set):
    compared = 0

    def __le__(self, other):
        Counted.compared += 1
        return set(self) <= set(other)


@pytest.mark.parametrize("alike", [False, True])
def test_the_work_grows_with_the_number_of_files_and_not_with_its_square(alike):
    ids = {number: Counted({0} if alike else {-1, number}) for number in range(1, 1_001)}
    Counted.compared = 0
    assert shown.held(ids) == ({n: n + 1 for n in range(1, 1_000)} if alike else {})
    assert Counted.compared < 3_000


@pytest.mark.parametrize(
    ("file", "name", "number"),
    [
        ("ben.jsonl", "ben", ""),
        ("ben/progress.jsonl", "ben", ""),
        ("learners/ben/course/notebooks/progress.jsonl", "ben", ""),
        ("Ben D_1_assign_file/progress (1).jsonl", "Ben D_1_assign_file", ""),
        ("doeben_LATE_123_4567_progress-2.jsonl", "doeben", "123"),
    ],
)  # fmt: skip
def test_a_file_is_named_after_its_learner(file, name, number, tmp_path):
    assert shown.learner(tmp_path / file) == (name, number)


def test_canvas_and_moodle_get_a_table_in_which_no_name_is_a_formula(folder):
    names = [
        "=1+1",
        "+x",
        "-x",
        "@x",
        " =x",
        "\tx",
        "\r=x",
        'a,"b"',
        "\uff1dx",
        "\u202ex",
        "doe_7_8_p",
    ]
    for name in names:
        write(folder / f"{name}.jsonl", ("11.1", "right"))
    write(folder / "ben (again)" / "ben.jsonl", ("lab.10", "right"))  # a second file of his
    done = run(folder)
    assert f"for Canvas or Moodle: {folder / 'progress.csv'}" in done.stdout
    with open(folder / "progress.csv", newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head[:5] == ["Student", "ID", "SIS Login ID", "Section", "PyTorch 00"]
    assert head[-1] == "PyTorch lab"
    table = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert len(table) == len(rows) == 3 + len(names)
    ben = {name: count for name, count in table["ben"].items() if count not in ("0", "")}
    assert ben == {"Student": "ben", "SIS Login ID": "ben", "PyTorch 02": "2", "PyTorch lab": "1"}
    assert (table["doe"]["ID"], table["doe"]["SIS Login ID"]) == ("7", "")
    begins = {cell.strip()[:1] for row in rows for cell in row}
    assert not begins & set("=+-@\uff1d\t\r")
    assert 'a,"b"' in table
    assert r"\u202ex" in table


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has neither pipes nor /dev")
def test_a_pipe_a_device_a_folder_and_a_huge_file_are_left_out(folder):
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "zero.jsonl").symlink_to("/dev/zero")
    (folder / "gone.jsonl").symlink_to("missing")
    (folder / "itself.jsonl").symlink_to("itself.jsonl")
    (folder / "folder.jsonl").mkdir()
    with open(folder / "huge.jsonl", "wb") as file:
        file.truncate(10 * 10**9)
    lines = run(folder).stdout.splitlines()
    for name, said in {
        "pipe": "pipe.jsonl cannot be read (it is a pipe, not a file).",
        "zero": "zero.jsonl cannot be read (it is a device, not a file).",
        "folder": "folder.jsonl cannot be read (it is a folder, not a file).",
        "huge": "huge.jsonl is too large: a progress file holds 4 MB at most.",
        "gone": "this link leads nowhere.",
        "itself": "this link leads nowhere.",
    }.items():
        assert f"Left out {name}.jsonl: {said}" in lines
    assert f"3 learners, 2 of {len(EXERCISES)} exercises tried" in lines


def test_the_picture_shows_the_counts(folder):
    counts = shown.counted(shown.collected(folder)[0])
    axes = shown.drawn(counts).axes[0]
    bars = [[bar.get_width() for bar in group] for group in axes.containers]
    assert bars == [[3, 2], [0, 1]]
    assert [text.get_text()[:4] for text in axes.get_yticklabels()] == ["02.2", "02.1"]


@pytest.mark.parametrize("words", [[], ["missing"], [".", "."]])
def test_a_wrong_folder_is_explained(words):
    done = run(*words)
    assert done.returncode == 1
    assert "course.py progress FOLDER" in done.stderr


def test_a_picture_that_cannot_be_written_is_explained_below_the_table(folder):
    (folder / "progress.png").mkdir()
    done = run(folder)
    assert "02.1 Write a Dataset that ends" in done.stdout
    assert done.returncode == 1
    assert f"{folder / 'progress.png'} cannot be written (Is a directory): copy" in done.stderr
    assert not [*folder.glob("*.tmp")]


def test_a_folder_without_progress_is_explained(tmp_path):
    assert "put the learners' progress.jsonl files there" in run(tmp_path).stderr
    assert list(tmp_path.iterdir()) == []


def test_the_board_shows_what_the_file_tells(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "p.jsonl"))
    assert repr(board()).startswith(f"0 of {len(EXERCISES)} exercises passed")
    for outcome in ("wrong", "right", "wrong"):
        progress.record("02.1", outcome)
    progress.record("02.2", "hint")
    states = board().states
    assert list(states) == sorted(states, key=lambda n: (n.split(".")[0], int(n.split(".")[1])))
    assert (states["02.1"], states["02.2"], states["01.1"]) == ("passed", "tried", "open")
    html = board()._repr_html_()
    assert f"1 of {len(EXERCISES)}" in html
    assert html.count("<tr>") == len({name.split(".")[0] for name in EXERCISES})
    assert html.count("role=") == len(EXERCISES)
    assert re.search(r'aria-label="02\.2 [^"]+: not yet right"', html)
    assert "02  \u2714 \u2716" in repr(board())
