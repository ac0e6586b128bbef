"""Every notebook where little is allowed: no network, an ordinary user, a read-only folder, 1 GB.

Linux only: the walls are namespaces, and a control group where this user may make one. As a script
it is what runs inside: `confined.py prepare` builds the walls, `confined.py run` runs a notebook.
"""

import contextlib
import os
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path += [str(HERE.parent.parent / "tests")]

import lessons  # noqa: E402
import nbformat  # noqa: E402
import psutil  # noqa: E402
from outcome import Outcome  # noqa: E402
from refresh import ROOT  # noqa: E402

TITLE = (
    "every notebook without network, as an ordinary user, course folder read-only, 1 GB of memory"
)
GOAL = "passes"
LIMIT = 1 << 30
NOBODY = 65534
IFF_UP, SIOCGIFFLAGS, SIOCSIFFLAGS = 1, 0x8913, 0x8914
V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
KEPT_NOT = "Progress is not kept: progress.jsonl cannot be written (Read-only file system)."


def mount(*words: object) -> None:
    """Mount in this namespace; nothing changes outside."""
    subprocess.run(["mount", *map(str, words)], check=True)


def open_up(*needed: Path) -> None:
    """Let an ordinary user reach folders that lie in one which only root may enter."""
    shut = {path: [p for p in path.parents if not p.stat().st_mode & 1] for path in needed}
    aside = {path: tempfile.mkdtemp() for path in needed if shut[path]}
    for path, place in aside.items():
        mount("--rbind", path, place)
    for place in {shut[path][-1] for path in aside}:  # the outermost
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
    for path, place in aside.items():
        path.mkdir(parents=True, exist_ok=True)
        mount("--rbind", place, path)


def prepare(course: str, *words: str) -> None:
    """Bring up loopback, make the course read-only, and go on as an ordinary user."""
    import fcntl

    with socket.socket() as any_socket:  # kernels talk over loopback, which begins switched off
        name = b"lo".ljust(16, b"\0")
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sH14x", name, 0))
        flags = struct.unpack("16sH14x", answer)[1] | IFF_UP
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", name, flags))
    if os.environ["OUTSIDE"] == "0":
        open_up(ROOT, *{Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()})
    mount("--bind", course, course)
    mount("-o", "remount,bind,ro", course)
    if os.environ["OUTSIDE"] == "0":
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        user += ["--bounding-set=-all", "--inh-caps=-all"]
    else:
        user = ["unshare", "--user", f"--map-user={os.environ['OUTSIDE']}"]
    os.execvp(user[0], [*user, *words])


def run(path: str, folder: str, out: str) -> None:
    """Make sure of the walls, run the notebook, and store what it shows."""
    if os.getuid() == 0 or [name for _, name in socket.if_nameindex()] != ["lo"]:
        sys.exit("this is root, or there is a network")
    with contextlib.suppress(OSError):
        (Path(folder) / "written").touch()
        sys.exit("the course folder can be written")
    notebook = nbformat.read(path, as_version=4)
    with contextlib.chdir(folder), (client := lessons.client(notebook, Path())).setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    nbformat.write(notebook, out)


class Memory:
    """1 GB for a tree of processes: by a control group, or measured while they run."""

    def __init__(self, name: str) -> None:
        self.group, self.most, self.ended = None, 0.0, threading.Event()
        version_2 = (V2 / "cgroup.controllers").exists()
        self.limit, self.peak = (
            ("memory.max", "memory.peak")
            if version_2
            else ("memory.limit_in_bytes", "memory.max_usage_in_bytes")
        )
        with contextlib.suppress(OSError):
            group = (V2 if version_2 else V1) / f"soak-{os.getpid()}-{name}"
            group.mkdir()
            self.group = group
            (group / self.limit).write_text(str(LIMIT))

    def enter(self) -> list[str]:
        """Return the words that put what follows them into the group."""
        if not self.group:
            return []
        procs = shlex.quote(str(self.group / "cgroup.procs"))
        return ["sh", "-c", f'echo $$ > {procs} && exec "$@"', "sh"]

    @contextlib.contextmanager
    def watched(self, pid: int) -> Iterator[None]:
        """Measure the tree of a process until the block ends, and remove the group."""
        watcher = threading.Thread(target=self._watch, args=(pid,))
        watcher.start()
        try:
            yield
        finally:
            self.ended.set()
            watcher.join()
            if self.group:
                with contextlib.suppress(OSError, ValueError):
                    self.most = int((self.group / self.peak).read_text()) / 1e6
                self.group.rmdir()

    def _watch(self, pid: int) -> None:
        while not self.group and not self.ended.wait(0.1):
            with contextlib.suppress(psutil.Error):
                self.most = max(self.most, lessons.tree_megabytes(pid))


def extended(path: Path) -> nbformat.NotebookNode:
    """Return the notebook with one exercise solved at its end, which would keep progress."""
    from exercises import Lesson

    notebook, lesson = lessons.read(path), Lesson(path)
    name = next(iter(lesson.stubs))
    notebook.cells.append(nbformat.v4.new_code_cell(lesson.solutions[name]))
    return notebook


def confined(path: Path) -> tuple[float, str, list[str]]:
    """Run a notebook between the walls; return its peak in MB, how it is known, what failed."""
    course, own = path.parent.parent, path.parent.parent.with_name(path.stem)
    own.mkdir()
    nbformat.write(extended(path), own / "in.ipynb")
    for place in (own, own / "in.ipynb"):
        os.chmod(place, 0o777)
    env = {k: v for k, v in os.environ.items() if k not in ("COURSE_PROGRESS", "XDG_RUNTIME_DIR")}
    env |= {"HOME": str(own), "TMPDIR": str(own), "PYTHONPATH": str(course)}
    env["OUTSIDE"] = str(os.getuid())
    root = ["--user", "--map-root-user"] if os.getuid() else []
    script = [sys.executable, str(HERE / "confined.py")]
    inner = ["run", str(own / "in.ipynb"), str(course / "notebooks"), str(own / "out.ipynb")]
    memory = Memory(path.stem)
    command = [*memory.enter(), "unshare", "--net", "--mount", *root, *script, "prepare"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen([*command, str(course), *script, *inner], env=env, **streams)
    with memory.watched(process.pid):
        said, _ = process.communicate(timeout=600)
    how = "held by a control group" if memory.group else "measured every 0.1 s"
    if process.returncode:
        return memory.most, how, [f"{path.stem}: {said.strip()[-600:]}"]
    return memory.most, how, [f"{path.stem}: {text}" for text in problems(own, path, memory)]


def problems(own: Path, path: Path, memory: Memory) -> list[str]:
    """Return what a run that came to its end did not show as it should."""
    done = lessons.read(own / "out.ipynb")
    verdict = " ".join(str(text.get("text/plain", text)) for text in lessons.shown(done.cells[-1]))
    found = lessons.differences(done, lessons.read(path))
    if "\u2714 Right." not in verdict or verdict.count(KEPT_NOT) != 1:
        found.append(f"an exercise solved says {verdict!r}")
    if memory.most > LIMIT / 1e6:
        found.append(f"{memory.most:.0f} MB are more than 1 GB")
    return found


def measure(quick: bool) -> Outcome:
    """Confine three notebooks, or all of them."""
    if missing := [tool for tool in ("unshare", "setpriv", "mount") if not shutil.which(tool)]:
        words = f"this line needs Linux with {', '.join(missing)} (package util-linux)"
        return Outcome("not measured, 0 notebooks", [words])
    walls = ["unshare", "--net", "--mount"] + ["--user", "--map-root-user"] * bool(os.getuid())
    if (tried := subprocess.run([*walls, "true"], capture_output=True, text=True)).returncode:
        words = f"this user may make no namespaces ({tried.stderr.strip()}): run it as root"
        return Outcome("not measured, 0 notebooks", [words])
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        paths = lessons.copied(home / "course", *(("00", "05", "08") if quick else ()))
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "course_utils", home / "course/course_utils", ignore=skip)
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(confined, paths))
    failures = [failure for *_, failed in results for failure in failed]
    peak, how, _ = max(results)
    user = "nobody" if os.getuid() == 0 else "the user of this run"
    figure = (
        f"{len(paths) - len({f.split(':')[0] for f in failures})} of {len(paths)} notebooks, as "
        f"{user}, loopback alone, the folder mounted read-only; {peak:.0f} MB at most ({how}, "
        "Jupyter's client included)"
    )
    return Outcome(figure, failures)


if __name__ == "__main__":
    {"prepare": prepare, "run": run}[sys.argv[1]](*sys.argv[2:])
