"""Find a Chromium and run every test: the script behind python3 course.py test."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"
PLACES = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
]
NONE_FOUND = (
    "No Chromium, Chrome or Edge was found and none could be installed: install one of them, or "
    "set the variable CHROMIUM to the path of its program, and repeat."
)
PYTEST = [
    *("--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"),
    # Tests wait for pages and kernels: three processes keep two cores busy.
    *("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "-p", "no:cacheprovider"),
    *("--timeout=600", "--durations=10"),  # an end for what waits for ever, not a limit of speed
]


def works(path):
    """Whether a browser's program is there and starts (Ubuntu's may be an empty shell)."""
    if not path or not os.path.isfile(path):
        return False
    if os.name == "nt":  # there, asking for the version would open a window
        return True
    return subprocess.run([path, "--version"], capture_output=True).returncode == 0


def find_installed():
    """Return the path of a browser that this machine already has, or None."""
    candidates = [shutil.which(name) for name in NAMES] + PLACES
    return next(filter(works, candidates), None)


def playwrights_own():
    """Return the path of the Chromium that Playwright downloads, if it is there and starts."""
    code = "from playwright.sync_api import sync_playwright as s\nwith s() as p: "
    code += "print(p.chromium.executable_path)"
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return next(filter(works, asked.stdout.strip().splitlines()), None)


def install_playwrights():
    print("No browser found: downloading Playwright's Chromium (about 170 MB).", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"])
    return playwrights_own()


def install_package():
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return None
    print("Installing the distribution's package chromium.", flush=True)
    subprocess.run(["apt-get", "update", "-q"])  # a new machine has no list of packages yet
    subprocess.run(["apt-get", "install", "-y", "-q", "chromium"])
    return find_installed()


def find_chromium():
    """Return the path of a Chromium that starts, or end with one sentence."""
    named = os.environ.get("CHROMIUM")
    if named:
        if works(named):
            return named
        sys.exit(f"CHROMIUM is {named!r}, which does not start: set it to a browser's program.")
    for source in (find_installed, playwrights_own, install_playwrights, install_package):
        path = source()
        if path:
            return path
    sys.exit(NONE_FOUND)


def main(options):
    # The tests press Ctrl-C; a run in the background would inherit that it is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["CHROMIUM"] = find_chromium()
    print(f"Browser: {os.environ['CHROMIUM']}", flush=True)
    return subprocess.call([sys.executable, "-m", "pytest", *PYTEST, *options], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
