"""Which exercises were tried and passed: one local file of lines, each an event.

Every event is appended by one write, so that notebooks open side by side do not overwrite each
other, and a kill leaves the old lines or the new ones. A full disk may tear the last line: it is
left out, and the next event takes its place. What is not a file, such as a pipe, is never waited
for, read or renamed.
"""

import contextlib
import errno
import io
import json
import os
import re
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

from course_utils import inputs

OUTCOMES = ("right", "wrong", "hint")
LIMIT = 4_000_000  # bytes, more than 40,000 events; a learner makes some hundreds
_START = b'{"id": "'
_LONGEST = 200  # bytes of a line; an event has 90
_KEYS = {
    "id": r"[0-9a-f]{32}",
    "exercise": r"([0-9]{2}|lab)\.[0-9]{1,2}",
    "outcome": "|".join(OUTCOMES),
}
_KINDS = {  # what can lie in a file's place, by its mode
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


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
        If the file is damaged, too large, cannot be read, or is not a file.
    """
    file = path() if file is None else Path(file)
    try:
        with _opened(file, os.O_RDONLY) as handle:
            data = _content(file, handle)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        name = file.name or file
        raise inputs.InputError(f"{name} cannot be read ({error.strerror}).") from None
    return _events(file, data)[0]


def record(exercise: str, outcome: str) -> str:
    """Append an event; return a sentence where something is in the way, else an empty string.

    A file that is damaged or too large is kept under another name, and a new one begun.

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
        If there is no such file, or one of the two cannot be read, as `read` says, or not be
        written. Then nothing has changed.
    """
    try:
        found = Path(file).exists()
    except (OSError, ValueError):  # not a name that a file can have
        found = False
    if not found:
        name = Path(file).name[-40:]
        raise inputs.InputError(f"there is no file {name}: upload it beside this one")
    known = {event["id"] for event in read()}
    new = [event for event in read(file) if event["id"] not in known]
    try:
        _append(path(), new)
    except OSError as error:
        raise inputs.InputError(f"{path()} cannot be written ({error.strerror}).") from None
    return len(new)


def passed(events: list[dict[str, str]]) -> set[str]:
    """Return the exercises that were right at least once."""
    return {event["exercise"] for event in events if event["outcome"] == "right"}


def _events(file: Path, data: bytes) -> tuple[list[dict[str, str]], int]:
    """Return the events, and how many bytes of a torn one stand behind the last newline."""
    events, torn = [], 0
    for number, line in enumerate(io.BytesIO(data), 1):
        if line.endswith(b"\n"):
            events.append(_event(file, number, line))
        elif line[: len(_START)] == _START[: len(line)]:  # an event torn by a full disk
            torn = len(line)
        else:
            raise _damaged(file, number)
    return events, torn


def _event(file: Path, number: int, line: bytes) -> dict[str, str]:
    try:
        event = json.loads(line) if len(line) <= _LONGEST else None
        if event.keys() == _KEYS.keys() and all(re.fullmatch(_KEYS[k], event[k]) for k in _KEYS):
            return event
    except (ValueError, AttributeError, TypeError):
        pass
    raise _damaged(file, number)


def _damaged(file: Path, number: int) -> inputs.InputError:
    name = file.name
    return inputs.InputError(f"{name} is not a progress file of this course, see line {number}.")


def _too_large(file: Path) -> inputs.InputError:
    most = f"{LIMIT // 10**6} MB at most"
    return inputs.InputError(f"{file.name} is too large: a progress file holds {most}.")


def _append(file: Path, events: list[dict[str, str]]) -> None:
    data = "".join(json.dumps(event) + "\n" for event in events).encode()
    with _opened(file, os.O_RDWR | os.O_CREAT | os.O_APPEND) as handle:
        before = _content(file, handle)
        if len(before) + len(data) > LIMIT:
            raise _too_large(file)
        whole = len(before) - _events(file, before)[1]
        _cut(handle, len(before), whole)
        written = os.write(handle, data)
        if written != len(data):
            _cut(handle, whole + written, whole)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)


@contextlib.contextmanager
def _opened(file: Path, flags: int) -> Iterator[int]:
    """Open a file and close it; what is not a file is not waited for, which a pipe would ask."""
    with contextlib.suppress(FileNotFoundError):
        _refuse(os.stat(file))  # before it is opened: that alone makes some devices act
    own = ("O_NONBLOCK", "O_NOCTTY", "O_BINARY")
    handle = os.open(file, flags | sum(getattr(os, name, 0) for name in own), 0o600)
    try:
        _refuse(os.fstat(handle))
        yield handle
    finally:
        os.close(handle)


def _refuse(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a file")


def _content(file: Path, handle: int) -> bytes:
    """Read all of a file, but never more than shows that it is too large: some have no end."""
    with open(handle, "rb", closefd=False) as reader:
        data = reader.read(LIMIT + 1) or b""
    if len(data) > LIMIT:
        raise _too_large(file)
    return data


def _cut(handle: int, size: int, whole: int) -> None:
    """Cut a torn event off, unless the file has another size: another notebook has written."""
    if size != whole and os.fstat(handle).st_size == size:
        os.ftruncate(handle, whole)


def _put_aside(file: Path) -> Path:
    number = 1
    while (aside := file.with_name(f"{file.stem}.damaged-{number}{file.suffix}")).exists():
        number += 1
    return file.rename(aside)
