#!/usr/bin/env python3
"""Prepare the folder .venv and hand over to what runs inside it. Standard library only."""

import sys

if sys.version_info < (3, 11):  # Python 2 stops at the next line, and shows it
    sys.exit(f"The course needs Python 3.11 or newer, not 3.{sys.version_info[1]}: install it.")

import ast
import functools
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
PIP = [PYTHON, "-Iu", "-X", "utf8", "-m", "pip"]  # out of reach of PYTHONPATH and the like
LOG, CONFIG = VENV / "install.log", VENV / "pyvenv.cfg"
LOCK, SETTINGS = HERE / "constraints.txt", HERE / "binder/settings"  # the latter go into .venv
FOLDERS = "", "tests/", "classroom/", "benchmarks/"
BASE, TESTS, CLASS, BENCH = (f"{folder}requirements.txt" for folder in FOLDERS)
WHEELS = HERE / "wheels"  # stands in a bundle, for a class without network
OFFLINE = ["--no-index", f"--find-links={WHEELS}"] if WHEELS.is_dir() else []
SOURCE = "in the folder wheels" if OFFLINE else "to download"
# Of pip's settings, those that say where packages are and how to get there; others misdirect it.
KEPT = "INDEX_URL EXTRA_INDEX_URL FIND_LINKS NO_INDEX TRUSTED_HOST PROXY CERT CLIENT_CERT"
KEPT += " KEYRING_PROVIDER TIMEOUT DEFAULT_TIMEOUT RETRIES CACHE_DIR NO_CACHE_DIR CONFIG_FILE"
KEPT = {f"PIP_{name}" for name in KEPT.split()}
ENV = {k: v for k, v in os.environ.items() if k in KEPT or not k.startswith(("PIP_", "PYTHON"))}
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
    (r"PATH separator", "The path {venv} holds a {sep}: rename that folder and repeat."),
    (r"CERTIFICATE.VERIFY", "The certificate of the network is not trusted: set PIP_CERT to the "
     "file with your network's own certificates and repeat."),
    (r"connection broken|Connection reset|timed out|IncompleteRead",
     "The packages cannot be downloaded: check the network or the proxy and repeat."),
    (r"No matching distribution|not a supported wheel|requires a different Python",
     "The folder wheels is for another system or Python than this {python} ({error}): take the "
     "bundle made for it." if OFFLINE else "No package fits this machine ({error}): use a 64-bit "
     "Python 3.11 to 3.14, or Binder (see README.md)."),
    (r"", "The installation failed ({error}){see}."),
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
    see = f": see {LOG} and repeat" if LOG.exists() else ""
    facts = {"free": free, "error": error, "see": see, "venv": VENV, "sep": os.pathsep}
    return (NO_DISK if free < 16 else sentence).format(python=sys.version.split()[0], **facts)


def ask(*command):
    """Run a command out of reach of what misdirects Python, and return what became of it."""
    return subprocess.run(command, env=ENV, capture_output=True, encoding="utf-8", errors="replace")


@functools.cache
def settings():
    """Return the environment for pip: of its variables and files, the settings in KEPT."""
    told, found = ask(*PIP, "config", "list").stdout, {}
    for section in "global", "install":
        rows = re.findall(rf"^{section}\.([\w-]+)=(.+)", told, re.M)
        found |= {"PIP_" + k.upper().replace("-", "_"): ast.literal_eval(v) for k, v in rows}
    return {k: v for k, v in found.items() if k in KEPT} | ENV | {"PIP_CONFIG_FILE": os.devnull}


def pip(*words, required=True):
    """Install with pip and tell whether it worked; exit if it had to, or broke off half way."""
    command = [*PIP, "install", "--no-input", "--progress-bar=off", *OFFLINE, *words]
    start, width = time.monotonic(), shutil.get_terminal_size().columns - 1
    with open(LOG, "w") as log:  # pip gets a session of its own, and Ctrl-C once: from here
        how = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
        how |= {"cwd": HERE, "env": settings(), "start_new_session": True}
        process = subprocess.Popen(command, **how)
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
        for path, digest in map(stamp, names):
            told, *packages = path.read_text("utf-8").split("\n")
            here = here and told == digest and installed().issuperset(packages)
        return here
    except (OSError, TypeError):
        return False


def installed():
    """Return the names of the packages in .venv; a listing of one folder, which costs nothing."""
    folder = "Lib" if os.name == "nt" else "lib/python3*"
    return {path.name.split("-")[0] for path in VENV.glob(f"{folder}/site-packages/*.dist-info")}


def stamp(name):
    """Return the file that tells of a finished installation, and what it then says."""
    files = [HERE / name, LOCK, *sorted(SETTINGS.rglob("*.*")), HERE / "pyproject.toml", CONFIG]
    parts = [os.fsencode(HERE), os.fsencode(PYTHON.resolve()), *(f.read_bytes() for f in files)]
    return VENV / (name.replace("/", "-") + ".stamp"), hashlib.sha256(b"\0".join(parts)).hexdigest()


def install_torch():
    """Install torch unless .venv has one in the range; the CPU build where there is a choice."""
    wanted = re.search(r"^torch\b[^#\n]*", (HERE / BASE).read_text("utf-8"), re.M)[0].strip()
    pinned = re.search(r"^torch==\S+", LOCK.read_text("utf-8"), re.M)[0]
    if not ask(PYTHON, "-I", "-c", FITS, wanted).returncode:
        return print(f"Keeping the torch in .venv: it lies in the range {wanted}.")
    linux = sys.platform == "linux"
    print(f"Installing {pinned} for CPUs (about {190 if linux else 120} MB {SOURCE}).")
    if linux and not OFFLINE:
        if pip("--no-deps", *CPU_INDEX, pinned, required=False):
            return
        print("Using the default index, which may bring 2.7 GB for NVIDIA cards.")
    pip("--no-deps", pinned)


def sound():
    """Whether .venv is of this folder, and nothing in it is half installed."""
    return ready([]) and not ask(PYTHON, "-I", "-c", SOUND).returncode


def prepare(names):
    """Make .venv what the requirement files ask for; costs nothing when their stamps agree."""
    if ready(names):
        return
    for number in {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}:
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:  # as after nohup
            signal.signal(number, signal.default_int_handler)
    if not sound() and ready([]):
        ask(PYTHON, "-I", "-m", "ensurepip")  # uv makes a .venv without pip
    if not sound():
        if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
            sys.exit(explain("No module named venv"))
        print("Making .venv" + " again: it was moved, or something in it is broken" * VENV.exists())
        made = ask(sys._base_executable, "-I", "-m", "venv", "--clear", VENV)
        if made.returncode:
            sys.exit(explain(made.stdout + made.stderr))
        pip("-c", LOCK, "pip")  # the one that Python brings may be years old
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
        path.write_text("\n".join([text, *sorted(installed())]), "utf-8")


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
    if not sys.stdout:
        sys.exit("Standard output is closed: start the course in a terminal, or add > course.log.")
    sys.stdout.reconfigure(line_buffering=True)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted: repeat the command, it repairs what was left half done.")
    except OSError as error:
        sys.exit(explain(str(error)))
