"""Start the hub of a class and end it with Ctrl-C: the script behind python3 course.py hub.

Without any setting it is a trial on loopback with a fresh password. classroom/README.md lists the
variables that make a real one of it. What learners do is kept in COURSE_HUB between two starts.
"""

import os
import sys

if os.name == "nt":
    sys.exit(
        "JupyterHub does not run on Windows: start this inside the Windows Subsystem for Linux "
        "(wsl --install), or give a class the links to Binder in README.md."
    )

import contextlib
import fcntl
import re
import secrets
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from door import SHORTEST, in_url, own_password, public_url, read_names, wrong_setting  # noqa: E402
from learner import course_files  # noqa: E402
from leftovers import MARK  # noqa: E402
from leftovers import end as end_leftovers  # noqa: E402
from node import proxy  # noqa: E402

LOOPBACK = "127.0.0.1"
CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else on a board


def is_trial() -> bool:
    """Tell whether all servers run as the account that starts the hub."""
    return os.environ.get("COURSE_SPAWNER", "trial") == "trial"


def state_folder() -> Path:
    """Return the folder in which the hub keeps everything, made for this account alone."""
    folder = Path(os.environ.get("COURSE_HUB") or Path.home() / "straight-line-hub").absolute()
    try:
        for each in (folder, folder / "learners"):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        sys.exit(
            f"The folder {folder} cannot be written ({error.strerror}): set COURSE_HUB to a folder "
            "of your own."
        )
    if folder.stat().st_mode & 0o077:
        sys.exit(
            f"Other accounts can look into {folder}, where the hub keeps its secrets: close it "
            f"with chmod 700 {folder}"
        )
    return folder


@contextlib.contextmanager
def only_hub(folder: Path):
    """Hold the folder's lock; the hub inherits it, so that it lasts as long as either lives."""
    with open(folder / "lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            number = lock.read()
            by = f" (or with kill {number})" if number else ""  # not yet, if started this moment
            sys.exit(
                f"A hub runs in {folder} already: end it with Ctrl-C where it was started{by}, or "
                "set COURSE_HUB to another folder."
            )
        number_into(lock, os.getpid())
        yield lock


def number_into(lock, pid: int) -> None:
    """Write into the lock whom to end."""
    lock.truncate(0)
    lock.write(str(pid))
    lock.flush()


def password() -> str:
    """Return the class password: the variable's, or a fresh one of 59 random bits."""
    given = os.environ.get("COURSE_PASSWORD")
    if given is not None and len(given) < SHORTEST:
        sys.exit(f"COURSE_PASSWORD is shorter than {SHORTEST} letters: choose a longer one.")
    return given or "-".join("".join(map(secrets.choice, [CLEAR] * 4)) for _ in range(3))


def free_ports(number: int) -> list[int]:
    """Return ports of loopback that nobody uses now."""
    with contextlib.ExitStack() as stack:
        doors = [stack.enter_context(socket.socket()) for _ in range(number)]
        for door in doors:
            door.bind((LOOPBACK, 0))
        return [door.getsockname()[1] for door in doors]


def port(address: str) -> int:
    """Return the port learners use; exit if another program has it."""
    wanted = os.environ.get("COURSE_PORT", "8000")
    if not re.fullmatch(r"\d{1,5}", wanted) or int(wanted) > 65535:
        sys.exit(f"COURSE_PORT is {wanted!r}: it is a number up to 65535, such as 8000.")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((address, int(wanted)))
        except OSError as error:
            sys.exit(
                f"Port {wanted} of {address} cannot be used ({error.strerror}): set COURSE_PORT to "
                "another, such as 8010."
            )
        return door.getsockname()[1]


def closed_to_others(path: Path) -> Path | None:
    """Return the part of a path that other accounts cannot enter, or None."""
    return next((p for p in (path, *path.parents) if not p.stat().st_mode & 0o001), None)


def check_accounts() -> None:
    """Exit unless servers can be started as the accounts of this machine."""
    if os.geteuid() != 0:
        sys.exit("Only root can start servers as other accounts: repeat with sudo.")
    for needed in (Path(sys.executable).resolve(), Path(sys.executable), HERE):
        if place := closed_to_others(needed):
            sys.exit(
                f"Learners cannot enter {place}, where {needed} lies: put the course into a "
                "folder such as /opt/course, with a Python that all accounts can run."
            )
    for name in course_files(HERE.parent):
        if not (file := HERE.parent / name).stat().st_mode & 0o004:
            sys.exit(f"Learners cannot read {file}: open it with chmod o+r {file}")


def names() -> list[str]:
    """Return the names in the file COURSE_NAMES, if it is set."""
    try:
        return read_names(Path(os.environ["COURSE_NAMES"])) if "COURSE_NAMES" in os.environ else []
    except (OSError, ValueError) as error:
        sys.exit(f"COURSE_NAMES cannot be read: {error}")


def answers(url: str) -> bool:
    """Tell whether the hub is there, behind its proxy."""
    known = ssl.create_default_context()
    known.check_hostname, known.verify_mode = False, ssl.CERT_NONE  # it is asked for a sign of life
    handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=known)
    try:
        return (
            urllib.request.build_opener(*handlers).open(f"{url}hub/health", timeout=5).status == 200
        )
    except OSError:
        return False


def doors(hub: subprocess.Popen) -> set[int]:
    """Return the ports at which the hub and what it has started listen."""
    found = set()
    with contextlib.suppress(psutil.Error):  # one of them has just ended
        for process in psutil.Process(hub.pid).children(recursive=True):
            every = process.net_connections("inet")
            found |= {each.laddr.port for each in every if each.status == psutil.CONN_LISTEN}
    return found


def settings(folder: Path, secret: str, number: int) -> dict[str, str]:
    """Return the environment of the hub: what was set, and what was missing."""
    inner, outer = free_ports(2)
    env = os.environ | {"COURSE_HUB": str(folder), "COURSE_PASSWORD": secret}
    env |= {"COURSE_PORT": str(number), "COURSE_HUB_PORT": str(inner)}
    env |= {"COURSE_PROXY_PORT": str(outer), "COURSE_PROXY": "\n".join(proxy())}
    if os.environ.get("COURSE_SPAWNER") != "systemd":  # which gives each server a /tmp of its own
        env |= {"COURSE_SOCKETS": sockets(folder)}
    return env | {MARK: str(folder)}


def sockets(folder: Path) -> str:
    """Make a folder for the sockets of all kernels; `leftovers.end` removes it."""
    made = Path(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))  # short: a socket's path is limited
    (folder / "sockets").symlink_to(made)
    made.chmod(0o700 if is_trial() else 0o1733)  # each account adds a folder of its own
    return str(made)


def start(env: dict[str, str], folder: Path, lock) -> subprocess.Popen:
    """Start the hub with its log in its folder, and its number in the lock."""
    command = [sys.executable, "-m", "jupyterhub", "-f", str(HERE / "jupyterhub_config.py")]
    log = folder / "hub.log"
    if log.exists():
        log.replace(folder / "hub-before.log")
    with open(log, "a", encoding="utf-8") as log:  # so that logrotate may cut it
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
        hub = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            pass_fds=[lock.fileno()],
            start_new_session=True,  # Ctrl-C comes to this process alone, which ends the hub
            **streams,
        )
    number_into(lock, hub.pid)
    return hub


def wait_for(hub: subprocess.Popen, env: dict[str, str], url: str, log: Path) -> None:
    """Return when the hub answers behind its own proxy; exit if it ended, or another has its port.

    The proxy opens the learners' port first and its own after that, and stays without the first.
    """
    number, inner = int(env["COURSE_PORT"]), int(env["COURSE_PROXY_PORT"])
    while not (number in (open_now := doors(hub)) and answers(url)):
        if hub.poll() is not None:
            said = log.read_text("utf-8", "replace").strip().splitlines() or ["nothing"]
            sys.exit(f"The hub did not start; {log} ends with: {said[-1]}")
        if inner in open_now and number not in open_now:
            sys.exit(
                f"Port {number} was taken by another program while the hub started: it may be "
                "another hub. Set COURSE_PORT to another, such as 8010."
            )
        time.sleep(0.1)


def announce(url: str, folder: Path, secret: str, learners: list[str]) -> None:
    """Print what a teacher tells the class, and what a teacher has to know."""
    print(f"The hub is at {url}")
    if not is_trial():
        print("Learners use the name and password of their account on this machine.")
        if "COURSE_SUBDOMAIN" not in os.environ:
            print(
                "Without COURSE_SUBDOMAIN a page under one learner's address can read and change "
                "the files of whoever opens it: README.md says how each gets a site of their own."
            )
    elif learners:
        print("Each name has its own password:")
        print(*(f"  {name:24} {own_password(secret, name)}" for name in learners), sep="\n")
    else:
        print(f"Any name, and the class password: {secret}")
    if is_trial() and os.geteuid() == 0:
        print("You are root, so a cell of any learner may do anything to this machine.")
    print(f"The log{' and the folders of the learners are' if is_trial() else ' is'} in {folder}")
    print("Ctrl-C ends the hub, the proxy and all servers.", flush=True)


def end(hub: subprocess.Popen) -> None:
    """Let the hub stop all servers and the proxy; a second Ctrl-C changes nothing."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if hub.poll() is None:
        hub.terminate()
        with contextlib.suppress(OSError):  # the terminal may be gone
            print("Ending the servers of all learners, the proxy and the hub.", flush=True)
        hub.wait()


def run(folder: Path, lock) -> None:
    """Start the hub, say where it is, and stay until it ends or is ended."""
    secret, learners = password(), names()
    if ended := end_leftovers(folder):
        print(f"The last hub was killed: {ended} processes that it left have been ended.")
    address = os.environ.get("COURSE_ADDRESS", LOOPBACK)
    env = settings(folder, secret, port(address))
    url = f"{public_url(env).split(':')[0]}://{in_url(address)}:{env['COURSE_PORT']}/"
    hub, log = start(env, folder, lock), folder / "hub.log"
    try:
        wait_for(hub, env, url, log)
        announce(f"{public_url(env)}/", folder, secret, learners)
        hub.wait()
        sys.exit(f"The hub ended by itself: {log} says why.")
    finally:
        end(hub)
        end_leftovers(folder)
        with contextlib.suppress(OSError):  # the terminal may be gone
            if refused := log.read_text("utf-8", "replace").count(" Failed login for "):
                print(f"Wrong names or passwords: {refused}. Each is in {log}.", flush=True)


def main(words: list[str]) -> None:
    """Start a hub in its folder."""
    if words:
        sys.exit(f"Unknown: {' '.join(words)}. The hub takes no options, but variables: README.md.")
    if problem := wrong_setting(os.environ):
        sys.exit(problem)
    if not is_trial():
        check_accounts()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as after nohup
            signal.signal(number, signal.default_int_handler)
    os.umask(0o077)
    folder = state_folder()
    with only_hub(folder) as lock, contextlib.suppress(KeyboardInterrupt):
        run(folder, lock)


if __name__ == "__main__":
    main(sys.argv[1:])
