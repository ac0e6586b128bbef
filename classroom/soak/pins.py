"""The pinned versions: known holes, floors, ranges, and what is installed without a pin."""

import importlib.metadata as metadata
import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

from outcome import Outcome
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "classroom"))

from bundle import closure, plain, requirements  # noqa: E402

TITLE = "pinned versions"
GOAL = "none with a known hole, floors asserted"
SERVICE = "https://api.osv.dev/v1/querybatch"  # Open Source Vulnerabilities: one question for all
LOCKS = ["classroom/proxy", "classroom/reveal", "course_utils/explorers/stage"]  # of npm
# The oldest versions without a known hole, and releases that were malicious.
FLOORS = {
    "torch": "2.11",
    "jupyter-server": "2.20",
    "jupyterlab": "4.6.4",
    "jupyterhub": "6.1",
    "tornado": "6.6",
    "urllib3": "2.8",
    "pillow": "13.0",
    "nbconvert": "7.17.2",
    "aiohttp": "3.14.3",
    "cryptography": "50.0",
}
BARRED = {"lightning": ("2.6.2", "2.6.3")}
PINNED = ("", "tests/", "classroom/")  # whose requirements the lock has to answer


def measure(quick: bool) -> Outcome:
    """Check the lock against floors, ranges and environment, and ask for known holes."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {(plain(pin.name), str(pin.specifier)[2:]) for pin in map(Requirement, lines)}
    packages, unhashed = of_npm()
    failures = [*form(lines), *unhashed, *floors(pins), *ranges(pins)]
    count, more = unpinned()
    failures += more
    if quick:
        asked = "the service is asked by the full run alone"
    else:
        holes = known_holes([*(("PyPI", *pin) for pin in sorted(pins)), *packages])
        asked = "no service answers here" if holes is None else f"{len(holes)} known holes"
        failures += holes or []
    figure = f"{len(pins)} pins, {len(packages)} of npm: {asked}; {len(FLOORS)} floors asserted; "
    figure += f"{count} installed packages compared"
    return Outcome(f"{figure}; {len(failures)} problems", failures)


def form(lines: list[str]) -> list[str]:
    """Say which lines are more than name==version and a marker, such as the name of a host."""
    good = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [^:/@]+)?")
    return [f"the lock has the line {line!r}" for line in lines if not good.fullmatch(line)]


def of_npm() -> tuple[list[tuple[str, str, str]], list[str]]:
    """Return the locked packages of npm, and which of them have no hash or an address."""
    packages, said = [], []
    for folder in LOCKS:
        lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
        for place, entry in lock["packages"].items():
            if not place:
                continue  # the project itself
            name = place.rpartition("node_modules/")[2]
            packages.append(("npm", name, entry["version"]))
            if not entry.get("integrity", "").startswith("sha512-") or "resolved" in entry:
                said.append(f"{folder}: {name} has no hash, or an address")
    return packages, said


def floors(pins: set[tuple[str, str]]) -> list[str]:
    """Say which pins, and which ranges of any requirement file, reach below a floor."""
    said = [
        f"{name} {version} is pinned, below {FLOORS[name]}"
        for name, version in pins
        if name in FLOORS and Version(version) < Version(FLOORS[name])
    ]
    said += [f"{n} {v} is pinned, which is malicious" for n, v in pins if v in BARRED.get(n, ())]
    said += [f"{name} is not pinned" for name in FLOORS.keys() - {name for name, _ in pins}]
    for file in sorted(ROOT.glob("**/requirements.txt")):
        for wanted in requirements(file.read_text(encoding="utf-8")):
            name, lowest = plain(wanted.name), [s for s in wanted.specifier if s.operator == ">="]
            if name in FLOORS and not any(
                Version(s.version) >= Version(FLOORS[name]) for s in lowest
            ):
                said.append(f"{file.relative_to(ROOT)}: {wanted} reaches below {FLOORS[name]}")
            bad = [v for v in BARRED.get(name, ()) if wanted.specifier.contains(v)]
            said += [f"{file.relative_to(ROOT)}: {wanted} allows the malicious {v}" for v in bad]
    return said


def ranges(pins: set[tuple[str, str]]) -> list[str]:
    """Say which requirements the lock does not answer, or answers out of their range."""
    said = []
    for folder in PINNED:
        for wanted in requirements(
            (ROOT / f"{folder}requirements.txt").read_text(encoding="utf-8")
        ):
            versions = [version for name, version in pins if name == plain(wanted.name)]
            if not versions or not all(wanted.specifier.contains(v, True) for v in versions):
                said.append(f"{folder}requirements.txt: {wanted}, pinned {versions or 'nowhere'}")
    return said


def unpinned() -> tuple[int, list[str]]:
    """Count what is installed here because a requirement asks for it; say what is not as pinned."""
    lock = requirements((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    locked = {plain(pin.name): pin.specifier for pin in lock}
    there = {plain(found.name) for found in metadata.distributions()}
    wanted = []
    for folder in PINNED:
        needed = requirements((ROOT / f"{folder}requirements.txt").read_text(encoding="utf-8"))
        wanted += [one for one in needed if not folder or plain(one.name) in there]
    found = closure(wanted)
    said = [
        f"{name} {version} is installed, pinned {locked.get(name, 'nowhere')}"
        for name, version in found.items()
        if name not in locked or not locked[name].contains(version, True)
    ]
    return len(found), said


def known_holes(pins: list[tuple[str, str, str]], service: str = SERVICE) -> list[str] | None:
    """Ask for the advisories on each pin; return None where the service cannot be reached."""
    queries = [{"package": {"name": n, "ecosystem": e}, "version": v} for e, n, v in pins]
    data, head = json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(service, data, head), timeout=30
        ) as reply:
            results = json.load(reply)["results"]
    except urllib.error.HTTPError:
        raise  # it answers, and not as it should: no claim can be made
    except OSError:
        return None
    return [
        f"{name} {version} has the hole {advisory['id']}"
        for (_, name, version), result in zip(pins, results, strict=True)
        for advisory in result.get("vulns", [])
    ]
