"""Which exercises were tried and passed: one local file of lines, each an event.

Every event is appended by one write, so that notebooks open side by side do not overwrite each
other, and a kill leaves the old lines or the new ones. A full disk may tear the last line: it is
left out, and the next event takes its place.
"""

import errno
import json
import os
import re
import uuid
from pathlib import Path

from course_utils import inputs

OUTCOMES = ("right", "wrong", "hint")
_START = b'{"id": "'
_KEYS = {"id": r"[0-9a-f]{32}", "exercise": r"(\d\d|lab)\.\d\d?", "outcome": "|".join(OUTCOMES)}


def path() -> Path:
    """Return where progress is kept: $COURSE_PROGRESS, or progress.jsonl beside the notebooks."""
    return Path(os.environ.get("COURSE_PROGRESS") or "progress.jsonl")


def read(file: str | Path | None = None) -> list[dict[str, str]]:
    """Return the events of a progress file, oldest first; none if there is no such file.

    Parameters
    ----------
    file : str or Path, optional
        By default the learner's own file.

    Returns
    -------
    list of dict
        With keys "id", "exercise" and "outcome".

    Raises
    ------
    InputError
        If the file is damaged or holds something else.
    """
    file = path() if file is None else Path(file)
    try:
        return _events(file, file.read_bytes())[0]
    except (FileNotFoundError, NotADirectoryError):
        return []


def record(exercise: str, outcome: str) -> str:
    """Append an event; return a sentence where something is in the way, else an empty string.

    A damaged file is kept under another name, and a new one begun.

    Parameters
    ----------
    exercise : str
        Such as "02.1" or "lab.10".
    outcome : {"right", "wrong", "hint"}
        What happened.
    """
    file, said = path(), ""
    events = [{"id": uuid.uuid4().hex, "exercise": exercise, "outcome": outcome}]
    try:
        try:
            _append(file, events)
        except inputs.InputError as error:
            said = f"{error} It is kept as {_put_aside(file).name}, and a new file is begun."
            _append(file, events)
    except OSError as error:
        said = f"Progress is not kept: {file} cannot be written ({error.strerror})."
    return said


def merge(file: str | Path) -> int:
    """Add the events of another progress file to the learner's own; return how many were new.

    Raises
    ------
    InputError
        If there is no such file, or one of the two is damaged or holds something else. Then
        nothing has changed.
    """
    try:
        found = Path(file).is_file()
    except (OSError, ValueError):  # no name that a file can have
        found = False
    if not found:
        name = Path(file).name[-40:]
        raise inputs.InputError(f"there is no file {name}: upload it beside this one")
    known = {event["id"] for event in read()}
    new = [event for event in read(file) if event["id"] not in known]
    _append(path(), new)
    return len(new)


def passed(events: list[dict[str, str]]) -> set[str]:
    """Return the exercises that were right at least once."""
    return {event["exercise"] for event in events if event["outcome"] == "right"}


def _events(file: Path, data: bytes) -> tuple[list[dict[str, str]], int]:
    """Return the events, and how many bytes of a torn one stand behind the last newline."""
    *lines, rest = data.split(b"\n")
    events = [_event(file, number, line) for number, line in enumerate(lines, 1)]
    if rest[: len(_START)] != _START[: len(rest)]:  # no event torn by a full disk
        raise _damaged(file, len(lines) + 1)
    return events, len(rest)


def _event(file: Path, number: int, line: bytes) -> dict[str, str]:
    try:
        event = json.loads(line)
        if event.keys() == _KEYS.keys() and all(re.fullmatch(_KEYS[k], event[k]) for k in _KEYS):
            return event
    except (ValueError, AttributeError, TypeError, RecursionError):
        pass
    raise _damaged(file, number)


def _damaged(file: Path, number: int) -> inputs.InputError:
    return inputs.InputError(f"{file.name} is no progress file of this course, see line {number}.")


def _append(file: Path, events: list[dict[str, str]]) -> None:
    data = "".join(json.dumps(event) + "\n" for event in events).encode()
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    handle = os.open(file, flags, 0o600)
    try:
        with open(handle, "rb", buffering=0, closefd=False) as reader:
            before = reader.readall()
        whole = len(before) - _events(file, before)[1]
        _cut(handle, len(before), whole)
        written = os.write(handle, data)
        if written != len(data):
            _cut(handle, whole + written, whole)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)
    finally:
        os.close(handle)


def _cut(handle: int, size: int, whole: int) -> None:
    """Cut a torn event off, unless the file has another size: another notebook has written."""
    if size != whole and os.fstat(handle).st_size == size:
        os.ftruncate(handle, whole)


def _put_aside(file: Path) -> Path:
    number = 1
    while (aside := file.with_name(f"{file.stem}.damaged-{number}{file.suffix}")).exists():
        number += 1
    return file.rename(aside)
