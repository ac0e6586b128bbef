"""The npm of the tests' own Node, or the one that is installed."""

import subprocess
import tarfile
from pathlib import Path

from pages import NODE_PROGRAM

_CLI = NODE_PROGRAM.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
_NPM = [NODE_PROGRAM, _CLI] if _CLI.exists() else ["npm"]


def npm(*words: str, folder: Path) -> str:
    """Run npm in a folder; return what it writes."""
    done = subprocess.run(
        [*_NPM, *words], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


def fetch(package: str, folder: Path) -> Path:
    """Load the files of one package, and of none that it needs, into a folder; return theirs."""
    name = npm("pack", "--silent", package, folder=folder).splitlines()[-1]
    with tarfile.open(folder / name) as packed:
        packed.extractall(folder / name.removesuffix(".tgz"), filter="data")
    return folder / name.removesuffix(".tgz") / "package"
