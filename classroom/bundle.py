"""Pack the course for a class without network: the script behind python3 course.py bundle.

The archive holds the files of the course, the web edition if it has been written, and a folder
wheels with every package that the lab needs, for the kind of machine and the Python it was made
with. Where that folder stands beside course.py, course.py installs from it and asks nobody else.
"""

import fnmatch
import importlib.metadata as metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pip._vendor.packaging.requirements import Requirement  # noqa: E402  .venv always has pip

import course  # noqa: E402  its sentences for what pip says, and where torch's CPU build is

NAME = "pytorch-from-a-straight-line"
MACHINE = f"{platform.system()}-{platform.machine()}".lower()
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
ARCHIVE = ROOT / f"{NAME}-{MACHINE}-python{VERSION}.zip"
NEVER = [".git", "wheels", f"{NAME}-*"]  # what git keeps for itself, and earlier bundles
ROOM = 900e6  # bytes: the wheels, once more in the archive, and what pip needs meanwhile
REPAIR = "run python3 course.py lab, which installs what is missing, and repeat"


def files(root: Path) -> list[str]:
    """Return the course's files: those git tracks or, without git, all that it would not ignore.

    Whose they are cannot be told without git, which is said. Links are left out: they could lead to
    anything on this machine.
    """
    try:
        told = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True)
        tracked = os.fsdecode(told.stdout).split("\0") if told.returncode == 0 else []
    except FileNotFoundError:  # there is no git
        tracked = []
    if "course.py" not in tracked:
        tracked = _walked(root)
        print(
            "Without git, your own files in this folder are packed too: see that none is private."
        )
    pages = [page.relative_to(root).as_posix() for page in root.glob("_site/**/*")]
    return sorted(name for name in {*tracked, *pages} if name and _is_inside(root, name))


def _is_inside(root: Path, name: str) -> bool:
    """Whether a file is one, and neither it nor a folder above it a link."""
    return (root / name).is_file() and (root / name).resolve() == root.resolve() / name


def _walked(root: Path) -> list[str]:
    ignore = root / ".gitignore"
    lines = ignore.read_text(encoding="utf-8").split() if ignore.exists() else []
    patterns = [*NEVER, *(line.strip("/") for line in lines)]
    found = []
    for folder, folders, names in os.walk(root):
        for inner in (folders, names):
            here = {name: (Path(folder) / name).relative_to(root).as_posix() for name in inner}
            inner[:] = [name for name in inner if not _ignored(name, here[name], patterns)]
        found += [(Path(folder) / name).relative_to(root).as_posix() for name in names]
    return found


def _ignored(name: str, path: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(text, pattern) for text in (name, path) for pattern in patterns)


def plain(name: str) -> str:
    """Return a package's name as the registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(text: str) -> list[Requirement]:
    """Return what a requirement file asks for on this machine, options such as -e left out."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return [wanted for wanted in found if not wanted.marker or wanted.marker.evaluate()]


def closure(wanted: Iterable[Requirement]) -> dict[str, str]:
    """Return name and installed version of all that the requirements lead to on this machine."""
    waiting, seen, found = [*wanted], set(), {}
    while waiting:
        requirement = waiting.pop()
        name, extras = plain(requirement.name), requirement.extras
        if (name, *sorted(extras)) in seen:
            continue
        seen.add((name, *sorted(extras)))
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            sys.exit(f"The package {name} is not installed: {REPAIR}.")
        for needed in map(Requirement, metadata.requires(name) or []):
            marker = needed.marker
            if not marker or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append(needed)
    return found


def pins(root: Path) -> list[str]:
    """Return name==version, as the lock has it, of each package an installation needs here."""
    lock = (root / "constraints.txt").read_text(encoding="utf-8")
    locked = {plain(pin.name): pin for pin in requirements(lock)}
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    needed = closure(requirements((root / "requirements.txt").read_text(encoding="utf-8")))
    for name, version in needed.items():
        if name not in locked or not locked[name].specifier.contains(version, prereleases=True):
            sys.exit(f"The tested {name} is another than {version}: delete .venv and repeat.")
    builders = {plain(Requirement(text).name) for text in project["build-system"]["requires"]}
    return sorted(f"{name}{locked[name].specifier}" for name in needed.keys() | builders)


def pip(*words: object, heard: Callable[[str], None] = lambda line: None) -> str:
    """Run pip in the course's folder and return what it said, or its exit as our sentence."""
    command, said = [*map(str, [*course.PIP, *words]), *course.OFFLINE], []
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    text = {"encoding": "utf-8", "errors": "replace"}
    with subprocess.Popen(command, cwd=ROOT, env=course.settings(), **streams, **text) as process:
        for line in process.stdout:
            said.append(line)
            heard(line)
    if process.returncode:
        raise RuntimeError("".join(said))
    return "".join(said)


def fetch(wheels: Path, wanted: list[str]) -> None:
    """Put a wheel for each pin into a folder, torch's from where the build for CPUs is."""
    command = ["wheel", "--no-deps", "--no-input", "--progress-bar=off", f"--wheel-dir={wheels}"]
    torch = [pin for pin in wanted if pin.startswith("torch==")]
    others, done = [pin for pin in wanted if pin not in torch], [0]

    def heard(line: str) -> None:
        if line.startswith(("Collecting ", "Processing ")):  # from an index, from a folder
            done[0] += 1
            tell(f"  {done[0]} of {len(others)}  {Path(line.split()[1]).name}")

    if torch:
        print(f"Fetching {torch[0]} for CPUs.")
        try:
            pip(*command, *course.CPU_INDEX * (sys.platform == "linux"), *torch)
        except RuntimeError:
            pip(*command, *torch)
        refuse_cuda(wheels)
    print(f"Fetching {len(others)} more packages.")
    pip(*command, *others, heard=heard)
    tell("")


def refuse_cuda(wheels: Path) -> None:
    """Exit if the wheel of torch needs the libraries for NVIDIA cards."""
    for path in wheels.glob("torch-*.whl"):
        with zipfile.ZipFile(path) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            text = wheel.read(name).decode()
        needed = [Requirement(word) for word in re.findall(r"^Requires-Dist: (.+)", text, re.M)]
        here = [n.name for n in needed if not n.marker or n.marker.evaluate({"extra": ""})]
        if any(name.startswith(("nvidia-", "cuda-")) for name in here):
            sys.exit("Only the torch for NVIDIA cards was found, with 2.7 GB of libraries: "
                     "repeat where https://download.pytorch.org can be reached.")  # fmt: skip


def tell(text: str) -> None:
    """Show where the work is: one line that changes in a terminal, else one in twenty."""
    if sys.stdout.isatty():
        print(f"\r{text:78.78}", end="\r", flush=True)
    elif text and int(text.split()[0]) % 20 == 0:
        print(text, flush=True)


def check(wheels: Path) -> None:
    """Let pip resolve an installation from these wheels alone; exit if one is missing."""
    words = ["--dry-run", "--ignore-installed", "--no-index", f"--find-links={wheels}", "--quiet"]
    pip("install", *words, "-r", "requirements.txt", "-c", "constraints.txt")


def pack(target: Path, root: Path, names: list[str], wheels: Path) -> None:
    """Write the archive under another name and give it its own in one step."""
    partial = target.with_suffix(".part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as made:
            for name in names:
                made.write(root / name, f"{NAME}/{name}")
            for wheel in sorted(wheels.iterdir()):  # packed already
                made.write(wheel, f"{NAME}/wheels/{wheel.name}", zipfile.ZIP_STORED)
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def main() -> None:
    """Make the archive beside course.py; a second run replaces it."""
    free = shutil.disk_usage(ROOT).free
    if free < ROOM:
        sys.exit(f"The disk is nearly full ({free / 1e6:.0f} MB left, a bundle needs "
                 f"{ROOM / 1e6:.0f} MB while it is made): free some space and repeat.")  # fmt: skip
    wanted, names = pins(ROOT), files(ROOT)
    with tempfile.TemporaryDirectory(prefix="bundle-", dir=sys.prefix) as folder:
        wheels = Path(folder)
        fetch(wheels, wanted)
        print("Checking that they install without network.")
        check(wheels)
        pack(ARCHIVE, ROOT, names, wheels)
    size = ARCHIVE.stat().st_size / 1e6
    print(f"Made {ARCHIVE.name}: {len(names)} files and {len(wanted)} packages, {size:.0f} MB.")
    print(f"It is for {MACHINE} and Python {VERSION}. Unpack it there, and in its folder run\n"
          "  python3 course.py lab")  # fmt: skip


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted: nothing was left behind, and an earlier bundle is as it was.")
    except (RuntimeError, OSError) as error:
        sys.exit(course.explain(str(error)))
