"""Give a learner the course, then become the learner's server: what a hub starts for each.

It runs as the learner, never as the hub. A file the learner has not changed follows the course; a
changed one is never touched, and a new version of it comes to lie beside it under another name.
Nothing is ever deleted. A file that was deleted or renamed comes back fresh. Standard library only.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START = "notebooks/00_start_here.ipynb"
NOT_GIVEN = (".ipynb_checkpoints", "__pycache__", "progress*", "run_*", ".*")
GIVEN = ".course.json"  # in the learner's folder: the hash of each file as it was given
ROOM = 50  # what a kernel adds to the path of its sockets, of which a system takes about 104


def digest(content: bytes) -> str:
    """Return the hash by which two versions are told apart."""
    return hashlib.sha256(content).hexdigest()


def course_files(course: Path) -> list[str]:
    """Return the files a learner gets, relative to the course, with / between their parts."""
    found = []
    for folder, folders, files in os.walk(course / "notebooks"):
        ignored = shutil.ignore_patterns(*NOT_GIVEN)(folder, folders + files)
        folders[:] = sorted(set(folders) - ignored)
        found += [Path(folder, name).relative_to(course) for name in set(files) - ignored]
    return sorted(path.as_posix() for path in found)


def write(target: Path, content: bytes) -> None:
    """Put a file in its place in one step: after a kill there is the old one or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".course-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def remembered(file: Path) -> dict[str, str]:
    """Return what was given so far; nothing if the learner damaged or removed the list."""
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return given if isinstance(given, dict) else {}


def give(course: Path, folder: Path) -> list[str]:
    """Bring a learner's folder up to the course; return the files that were written.

    Parameters
    ----------
    course : Path
        The folder that holds notebooks/.
    folder : Path
        The learner's; made if it is not there.

    Returns
    -------
    list of str
        Relative to the learner's folder. A new version of a file the learner changed is called
        NAME-new-HASH.

    Raises
    ------
    OSError
        If a file cannot be read or written, which is named. What is there stays as it is, and all
        other files have come.
    """
    given, written, failed = remembered(folder / GIVEN), [], []
    for name in course_files(course):
        try:
            new = (course / name).read_bytes()
            place = vacant(folder / name, new, given.get(name))
            if place and place.parent.resolve().is_relative_to(folder.resolve()):
                write(place, new)
                written.append(place.relative_to(folder).as_posix())
        except OSError as error:
            failed.append(f"{name} ({error.strerror})")
        else:
            given[name] = digest(new)
    write(folder / GIVEN, json.dumps(given, indent=1).encode())
    if failed:
        raise OSError(", ".join(failed))
    return written


def vacant(target: Path, new: bytes, before: str | None) -> Path | None:
    """Return where a file of the course may be written without loss, or None for nowhere."""
    if not os.path.lexists(target):
        return target
    old = target.read_bytes() if target.is_file() and not target.is_symlink() else None
    if old == new:
        return None
    if old is not None and digest(old) == before:
        return target  # as it was given, so the learner loses nothing
    beside = target.with_stem(f"{target.stem}-new-{digest(new)[:6]}")
    known = before == digest(new) or os.path.lexists(beside)
    return None if known else beside


def sockets() -> str:
    """Make a folder for the sockets of the learner's kernels that nobody else can enter.

    Raises
    ------
    OSError
        If its path would be too long for a socket.
    """
    folder = tempfile.mkdtemp(prefix="k-", dir=os.environ.get("COURSE_SOCKETS", "/tmp"))
    if len(os.fsencode(folder)) + ROOM > 103:
        raise OSError(f"The path {folder} is too long for sockets: set COURSE_SOCKETS to another.")
    return folder


def main(words: list[str]) -> None:
    """Copy the course, then turn into jupyterhub-singleuser."""
    os.umask(0o077)
    folder = Path(os.environ.get("COURSE_FOLDER") or Path.home() / "course").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        print("course: wrote", give(ROOT, folder), flush=True)
    except OSError as error:  # one file that cannot be copied keeps nobody out
        print(f"course: some files could not be copied: {error}", file=sys.stderr, flush=True)
    os.environ["JUPYTER_RUNTIME_DIR"] = sockets()
    os.environ["JUPYTERHUB_ROOT_DIR"] = str(folder)
    os.chdir(folder)
    options = ["--KernelManager.transport=ipc", "--LabApp.extension_manager=readonly"]
    options.append("--LanguageServerManager.autodetect=False")  # there are none to be found
    if os.geteuid() == 0:  # in a container
        options.append("--allow-root")
    # -P: a file random.py of the learner's is not a module of the server's.
    server = [sys.executable, "-P", "-m", "jupyterhub.singleuser", *options, *words]
    os.execv(sys.executable, server)


if __name__ == "__main__":
    main(sys.argv[1:])
