#!/usr/bin/env python3
"""Prepare the folder .venv and hand over to what runs inside it. Standard library only."""

import sys

if sys.version_info < (3, 11):
    sys.exit("The course needs Python 3.11 or newer, not %d.%d: install it." % sys.version_info[:2])

import hashlib
import importlib.util
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOG, CONFIG = VENV / "install.log", VENV / "pyvenv.cfg"
LOCK, SETTINGS = HERE / "constraints.txt", HERE / "binder/settings"  # the latter go into .venv
FOLDERS = "", "tests/", "classroom/", "benchmarks/"
BASE, TESTS, CLASS, BENCH = (f"{folder}requirements.txt" for folder in FOLDERS)
WHEELS = HERE / "wheels"  # stands in a bundle, for a class without network
OFFLINE = ["--no-index", f"--find-links={WHEELS}"] if WHEELS.is_dir() else []
SOURCE = "in the folder wheels" if OFFLINE else "to download"
CPU_INDEX = ["--index-url", "https://download.pytorch.org/whl/cpu", "--retries=0", "--timeout=10"]
LAB = ["-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={HERE}"]
LAB += ["--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb"]

# name: (one sentence, further requirement files, what the Python of .venv then runs)
COMMANDS = {
    "lab": ("open the course in JupyterLab (options after -- go to JupyterLab)", [], LAB),
    "test": ("run every test (options after -- go to pytest)", [TESTS, CLASS], ["tests/run.py"]),
    "doctor": ("name what is wrong with .venv, and the fix", [], ["-m", "course_utils.doctor"]),
    "refresh": ("run all notebooks and store their outputs", [TESTS], ["tests/refresh.py"]),
    "bench": ("measure it beside what one would pick instead", [BENCH], ["benchmarks/run.py"]),
    "progress": ("show which exercises a class fails (FOLDER)", [], ["classroom/progress.py"]),
    "hub": ("try a hub for a class on this machine", [CLASS], ["classroom/hub.py"]),
    "slides": ("write the notebooks as slides", [CLASS], ["classroom/slides.py"]),
    "site": ("write the web edition (options after --: FOLDER)", [CLASS], ["site/build.py"]),
    "bundle": ("pack the course for a class without network", [], ["classroom/bundle.py"]),
    "soak": ("do to it what classrooms do (--quick)", [TESTS, CLASS], ["classroom/soak/run.py"]),
}
PARTS = {BASE: ("JupyterLab, the plots and the rest", 60), TESTS: ("what the tests need", 70)}
PARTS |= {CLASS: ("what hub and slides need", 90), BENCH: ("what it is compared with", 110)}
NO_DISK = "The disk is full ({free} MB left, the course takes 1.6 GB): free some space and repeat."
PROBLEMS = [  # what pip or the system says, and our sentence for it; the first match counts
    (r"No space left|not enough space|quota exceeded|File too large", NO_DISK),
    (r"No module named venv", "Install what makes .venv (Debian: sudo apt install python3-venv)."),
    (r"Permission denied|Access is denied|Read-only file system",
     "The folder {venv} cannot be written: move the course to a folder of your own and repeat."),
    (r"Long Path support", "The path {venv} is too long: move the course to a shorter one."),
    (r"connection broken|Connection reset|CERTIFICATE_VERIFY|timed out|IncompleteRead",
     "The packages cannot be downloaded: check the network or the proxy and repeat."),
    (r"No matching distribution|not a supported wheel|requires a different Python", "No package "
     "fits this machine ({error}): use a 64-bit Python 3.11 to 3.14, or Binder (see README.md)."),
    (r"", "The installation failed ({error}): see {log} and repeat."),
]  # fmt: skip
# Exit code 0 means: nothing is half installed (pip writes INSTALLER last), and: this torch fits.
SOUND = """import importlib.metadata as metadata, pip, sys, sysconfig
found = metadata.distributions(path=[sysconfig.get_path("purelib")])
sys.exit(sys.version_info < (3, 11) or not all(d.read_text("INSTALLER") for d in found))"""
FITS = """import importlib.metadata, sys; from pip._vendor.packaging.requirements import Requirement
sys.exit(importlib.metadata.version("torch") not in Requirement(sys.argv[1]).specifier)"""


def explain(text):
    """Return our sentence for what pip or the system said."""
    free = min(shutil.disk_usage(place).free for place in (HERE, tempfile.gettempdir())) >> 20
    error = (re.findall(r"ERROR: (.+)", text) or text.strip().split("\n"))[-1].strip()
    sentence = next(ours for theirs, ours in PROBLEMS if re.search(theirs, text, re.I))
    return (NO_DISK if free < 16 else sentence).format(free=free, error=error, venv=VENV, log=LOG)


def pip(*words, required=True):
    """Install with pip and tell whether it worked; exit if it had to, or broke off half way."""
    command = [PYTHON, "-m", "pip", "install", "--no-input", "--progress-bar=off", *OFFLINE, *words]
    env = dict(os.environ, PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1", PIP_USER="0")
    start, width = time.monotonic(), shutil.get_terminal_size().columns - 1
    with open(LOG, "w") as log:  # pip gets a session of its own, and Ctrl-C once: from here
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(command, cwd=HERE, env=env, start_new_session=True, **streams)
    try:
        while process.poll() is None:
            time.sleep(0.1)
            last = LOG.read_text("utf-8", "replace").strip().split("\n")[-1]
            if sys.stdout.isatty():
                line = f"  {time.monotonic() - start:.0f} s  {last}"[:width]
                end = "" if process.poll() is None else f"\r{'':{width}}\r"
                print(f"\r{line:{width}}", end=end, flush=True)
    except KeyboardInterrupt:
        process.terminate() if os.name == "nt" else os.killpg(process.pid, signal.SIGINT)
        process.wait()  # until pip has removed its temporary files
        raise
    output = LOG.read_text("utf-8", "replace")
    if process.returncode and (required or "Downloading" in output):
        sys.exit(explain(output))
    return process.returncode == 0


def ready(names):
    """Whether .venv is of this folder, its base Python still exists, and the stamps agree."""
    try:
        config = CONFIG.read_text("utf-8")
        made = re.search(r"-m venv .*?((?:/|[A-Za-z]:).*\S)", config)
        home = re.search(r"^home *= *(.*\S)", config, re.M)[1]
        here = os.path.isdir(home) and PYTHON.exists() and (not made or VENV.samefile(made[1]))
        return here and all(path.read_text() == text for path, text in map(stamp, names))
    except (OSError, TypeError):
        return False


def stamp(name):
    """Return the file that tells of a finished installation, and what it then says."""
    files = [HERE / name, LOCK, *sorted(SETTINGS.rglob("*.*")), HERE / "pyproject.toml", CONFIG]
    parts = [os.fsencode(HERE), os.fsencode(PYTHON.resolve()), *(f.read_bytes() for f in files)]
    return VENV / (name.replace("/", "-") + ".stamp"), hashlib.sha256(b"\0".join(parts)).hexdigest()


def install_torch():
    """Install torch unless .venv has one in the range; the CPU build where there is a choice."""
    wanted = re.search(r"^torch\b[^#\n]*", (HERE / BASE).read_text("utf-8"), re.M)[0].strip()
    pinned = re.search(r"^torch==\S+", LOCK.read_text("utf-8"), re.M)[0]
    if not subprocess.run([PYTHON, "-c", FITS, wanted], capture_output=True).returncode:
        return print(f"Keeping the torch in .venv: it lies in the range {wanted}.")
    linux = sys.platform == "linux"
    print(f"Installing {pinned} for CPUs (about {190 if linux else 120} MB {SOURCE}).")
    if not ((linux or OFFLINE) and pip("--no-deps", *CPU_INDEX, pinned, required=False)):
        print("Using the default index" + ", which may bring 2.7 GB for NVIDIA cards." * linux)
        pip("--no-deps", pinned)


def prepare(names):
    """Make .venv what the requirement files ask for; costs nothing when their stamps agree."""
    if ready(names):
        return
    for number in {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}:
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:  # as after nohup
            signal.signal(number, signal.default_int_handler)
    if not ready([]) or subprocess.run([PYTHON, "-c", SOUND], capture_output=True).returncode:
        if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
            sys.exit(explain("No module named venv"))
        print("Making .venv" + " again: it was moved, or an installation broke off" * VENV.exists())
        command = [sys._base_executable, "-m", "venv", "--clear", VENV]
        made = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if made.returncode:
            sys.exit(explain(made.stdout + made.stderr))
    good = [name for name in PARTS if ready([name])]
    for path in VENV.glob("*.stamp"):
        path.unlink()  # so that an interrupted installation cannot pass for a finished one
    others = VENV / "constraints-without-torch.txt"
    others.write_text(re.sub(r"^torch==.*\n", "", LOCK.read_text("utf-8"), flags=re.M))
    for name in (name for name in names if name not in good):
        if name == BASE:
            install_torch()
        print("Installing %s (about %d MB %s)." % (*PARTS[name], SOURCE))
        pip("-r", name, "-c", others)
    shutil.copytree(SETTINGS, VENV, dirs_exist_ok=True)
    for path, text in map(stamp, {*names, *good}):
        path.write_text(text)


def main(words):
    cut = words.index("--") if "--" in words else len(words)
    own, rest = words[:cut], words[cut + 1 :]
    if own in ([], ["-h"], ["--help"]):
        lines = [f"  {name:9}{row[0]}" for name, row in COMMANDS.items()]
        return print("python3 course.py COMMAND [-- OPTIONS]", "", *lines, sep="\n")
    if own[0] not in COMMANDS or (own[1:] and own[0] not in ("progress", "soak")):
        sys.exit(f"Unknown: {' '.join(own)}. Use {', '.join(COMMANDS)}, and options after --.")
    _, extra, command = COMMANDS[own[0]]
    if own[0] != "doctor":
        prepare([BASE, *extra])
    elif not ready([]):
        sys.exit("There is no working .venv here: python3 course.py lab makes it.")
    if own[0] == "lab" and getattr(os, "geteuid", lambda: 1)() == 0:
        print("Running as root, as in a container: JupyterLab is told that this is meant.")
        command = [*command, "--allow-root"]
    rest = [os.path.abspath(word) if os.path.exists(word) else word for word in own[1:]] + rest
    os.chdir(HERE)
    os.environ["PATH"] = os.pathsep.join([str(PYTHON.parent), os.environ.get("PATH", "")])
    if os.name != "nt":  # become that Python, so that signals reach it
        os.execv(PYTHON, [str(PYTHON), *command, *rest])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program started here
    return subprocess.call([str(PYTHON), *command, *rest])


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted: repeat the command, it repairs what was left half done.")
    except OSError as error:
        sys.exit(explain(str(error)))
