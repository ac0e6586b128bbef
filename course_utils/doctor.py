"""Say what is installed, what does not fit, and the one fix for each: python3 course.py doctor."""

import importlib.metadata
import importlib.util
import json
import os
import queue
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
WINDOWS = os.name == "nt"


def shell(*words):
    """Return a command that can be pasted, its paths quoted as this system's shell wants them."""
    return (subprocess.list2cmdline if WINDOWS else shlex.join)([str(word) for word in words])


PYTHON = "py" if WINDOWS else "python3"
PIP = sys.executable, "-m", "pip", "install"
LAB = f"{PYTHON} course.py lab"
UNSET = "set PYTHONPATH=" if WINDOWS else "unset PYTHONPATH"
if Path(sys.prefix).resolve() == ROOT / ".venv":  # the launcher installs what is missing there
    MISSING, BROKEN = LAB, f"{shell(PYTHON, '-m', 'venv', '--clear', ROOT / '.venv')} && {LAB}"
else:
    MISSING, BROKEN = shell(*PIP, "-e", ROOT), shell(*PIP, "--force-reinstall", "-e", ROOT)
SLIDERS = {"jupyterlab_widgets": "==3.*", "widgetsnbextension": "==4.*"}  # fit ipywidgets 8
EXTENSIONS = "@jupyter-widgets/jupyterlab-manager", "anywidget"  # for the browser
CELL = """import importlib.util, json, sys, torch
spec = importlib.util.find_spec("course_utils")
total = (0.8 * torch.linspace(0, 1, 5) + 0.2).sum().item()
print(json.dumps({"prefix": sys.prefix, "package": spec and spec.origin, "total": total}))"""


class Finding(NamedTuple):
    """One line of the report: "ok", "note" or "FIX", what it is about, what was found, the fix."""

    state: str
    what: str
    found: str
    fix: str = ""


def judge(good, what, found, fix=""):
    """Return a finding: "ok" where `good`, else "FIX", or a "note" where there is nothing to do."""
    return Finding("ok" if good else "FIX" if fix else "note", what, found, "" if good else fix)


def plain(name):
    """Return a package's name as the registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_requirements(text):
    """Return what a requirement file asks for on this machine, options such as -e left out."""
    from packaging.requirements import Requirement

    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return [wanted for wanted in found if not wanted.marker or wanted.marker.evaluate()]


def check_version(wanted, installed):
    """Compare a Requirement with the dict of installed versions, its keys made by `plain`."""
    version = installed.get(plain(wanted.name), "missing")
    good = version != "missing" and wanted.specifier.contains(version, prereleases=True)
    fix = MISSING if version == "missing" else shell(*PIP, f"{wanted.name}{wanted.specifier}")
    return judge(good, wanted.name, f"{version} (wanted {wanted.specifier})", fix)


def check_lock(locked, installed):
    """Name the packages whose version is not the tested one: worth knowing, not worth fixing."""
    rows = [(lock.name, lock.specifier, installed.get(plain(lock.name))) for lock in locked]
    other = [f"{n} {v} (tested {s})" for n, s, v in rows if v and not s.contains(v, True)]
    more = f" and {len(other) - 3} more" if other[3:] else ""
    text = ", ".join(other[:3]) + more or "all as in constraints.txt"
    return judge(not other, "tested versions", text)


def check_extensions(folders):
    """Check that the browser's half of each widget package lies in one of JupyterLab's folders."""
    gone = [name for name in EXTENSIONS if not any((place / name).is_dir() for place in folders)]
    fix = shell(*PIP, "--force-reinstall", "--no-deps", "jupyterlab_widgets", "anywidget")
    return judge(not gone, "widgets in JupyterLab", f"{', '.join(gone) or 'none'} missing", fix)


def check_enabled(disabled, level="sys_prefix"):
    """Check that nobody has disabled the browser's half of a widget package, or a part of it."""
    off = [name for name in disabled if name.split(":")[0] in EXTENSIONS]
    fix = shell(sys.executable, "-m", "jupyter", "labextension", "enable", f"--level={level}", *off)
    return judge(not off, "extensions", f"{', '.join(off) or 'none'} disabled", fix)


def hiding(folder, names):
    """Return the files in a folder that Python takes for modules of these names."""
    files = [*Path(folder).glob("*.py"), *Path(folder).glob("*/__init__.py")]
    return [f for f in files if (f.parent if f.stem == "__init__" else f).stem in names]


def check_hidden(names, path, root=ROOT):
    """Find what Python takes in place of the course's modules: from PYTHONPATH, or beside them."""
    for folder in filter(None, path.split(os.pathsep)):
        found = hiding(folder, names) if Path(folder).resolve() != root else []
        if found:
            yield Finding("FIX", "PYTHONPATH", f"brings {found[0]}", UNSET)
    for folder in (root, root / "notebooks"):
        for file in hiding(folder, (names | sys.stdlib_module_names) - {"test"}):
            mine = file if file.stem != "__init__" else file.parent
            if mine != root / "course_utils":
                fix = shell("move" if WINDOWS else "mv", mine, mine.with_name(f"my_{mine.name}"))
                yield Finding("FIX", "modules", f"{mine} hides {mine.stem}", fix)


def check_torch(version, cuda, usable):
    """Say which build of torch this is; the one for NVIDIA cards works too, it is only large."""
    build = f"for NVIDIA cards (CUDA {cuda})" if cuda else "for CPUs"
    large = ", 2.7 GB larger than the one for CPUs" if cuda and not usable else ""
    return judge(not large, "build of torch", f"{version} {build}{large}")


def check_settings(wanted, present):
    """Compare the settings that keep JupyterLab quiet and prompt with those of the environment."""
    way = f"not the course's: copy what is in {ROOT / 'binder/settings'} into {sys.prefix}"
    text = "those of the course" if wanted == present else way
    return judge(wanted == present, "settings of JupyterLab", text)


def check_room(what, free, needed):
    """Check free disk space or free memory, in bytes."""
    way = {"disk": "delete files", "memory": "close programs and kernels"}[what]
    fix = f"{way} until {needed / 1e9:.1f} GB are free"
    return judge(free > needed, f"free {what}", f"{free / 1e9:.1f} GB", fix)


def check_answer(text, spec, prefix=sys.prefix, root=ROOT):
    """Read what the kernel from the folder `spec` printed for `CELL`, or why it printed nothing."""
    foreign, broken = Path(prefix).resolve() not in Path(spec).resolve().parents, BROKEN
    if foreign:
        broken = shell("move" if WINDOWS else "mv", spec, f"{spec}-other")
    if not text.startswith("{"):
        where = f" (it comes from {spec})" * foreign
        yield Finding("FIX", "a kernel", (text or "it printed nothing") + where, broken)
        return
    home, package, total = json.loads(text).values()
    same = Path(home).resolve() == Path(prefix).resolve()
    install = shell(sys.executable, "-m", "ipykernel", "install", "--sys-prefix")
    yield judge(same, "the kernel's Python", f"in {home}", broken if foreign else install)
    ours = package and Path(package).resolve().parent == Path(root).resolve() / "course_utils"
    found = "this folder's" if ours else f"{package or 'missing'}"
    yield judge(ours, "course_utils", found, shell(*PIP, "-e", root))
    good = abs(total - 3) < 1e-5
    yield judge(good, "one cell", f"torch adds up to {total:.4g} (right: 3)", BROKEN)


def ask_kernel():
    """Start a real kernel, run `CELL` in it, end it; return what it printed or why it did not."""
    from jupyter_client.manager import start_new_kernel

    said = []

    def hear(message):
        if message["content"].get("name") == "stdout":
            said.append(message["content"]["text"])

    with tempfile.TemporaryFile() as log:
        try:
            manager, client = start_new_kernel(cwd=str(ROOT / "notebooks"), stderr=log)
        except (RuntimeError, OSError) as error:
            log.seek(0)
            return f"it does not start: {log.read().decode().strip().split(chr(10))[-1] or error}"
    try:
        reply = client.execute_interactive(CELL, timeout=120, output_hook=hear)
    except (TimeoutError, queue.Empty):
        return "it does not answer within two minutes"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    answer = reply["content"]
    return "".join(said) if "ename" not in answer else f"{answer['ename']}: {answer['evalue']}"


def examine():
    """Ask this environment every question and yield the findings, the kernel's last."""
    needed = ("packaging", "psutil", "torch", "ipykernel", "jupyter_client", "jupyterlab")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        yield Finding("FIX", "packages", f"missing: {', '.join(missing)}", MISSING)
        return
    requirements = read_requirements((ROOT / "requirements.txt").read_text("utf-8"))
    names = {"course_utils", *(wanted.name for wanted in requirements)}
    if hidden := [*check_hidden(names, os.environ.get("PYTHONPATH", ""))]:
        yield from hidden  # nothing below can be believed
        return
    import psutil
    import torch
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_core.paths import jupyter_path, prefer_environment_over_user
    from jupyterlab_server.config import get_page_config

    found = list(importlib.metadata.distributions())[::-1]  # of two, the first one counts
    installed = {plain(dist.name): dist.version for dist in found if dist.name}
    places = ROOT / "binder/settings", Path(sys.prefix)
    files = [file.relative_to(places[0]) for file in places[0].rglob("*.*")]
    texts = (
        [f.is_file() and f.read_bytes() for f in map(place.joinpath, files)] for place in places
    )
    for wanted in requirements:
        yield check_version(wanted, installed)
    yield check_lock(read_requirements((ROOT / "constraints.txt").read_text("utf-8")), installed)
    yield check_torch(torch.__version__, torch.version.cuda, torch.cuda.is_available())
    for name, range_ in SLIDERS.items():
        yield check_version(*read_requirements(name + range_), installed)
    folders = jupyter_path("labextensions")
    yield check_extensions([Path(folder) for folder in folders])
    page = get_page_config(folders, Path(sys.prefix, "share/jupyter/lab/settings"))
    level = "sys_prefix" if prefer_environment_over_user() else "user"  # the one that wins
    yield check_enabled(page["disabledExtensions"], level)
    yield check_settings(*texts)
    yield check_room("disk", shutil.disk_usage(ROOT).free, 2e8)
    yield check_room("memory", psutil.virtual_memory().available, 7e8)
    yield from check_answer(
        ask_kernel(), KernelSpecManager().get_kernel_spec("python3").resource_dir
    )


def report(findings):
    """Return a list of findings as a table of plain text, and below it what to do."""
    width = max(len(finding.what) for finding in findings)
    table = [f"{f.state:5}{f.what:{width}}  {f.found}" for f in findings]
    fixes = [f"To fix {f.what}: {f.fix}" for f in findings if f.state == "FIX"]
    return "\n".join([*table, "", *(fixes or ["Nothing needs fixing."])])


if __name__ == "__main__":
    if not (ROOT / "requirements.txt").is_file():  # installed somewhere else
        sys.exit(f"Go to the folder of the course and type {PYTHON} course.py doctor there.")
    answers = [Finding("ok", "Python", f"{sys.version.split()[0]} in {sys.prefix}"), *examine()]
    print(report(answers))
    sys.exit(any(answer.state == "FIX" for answer in answers))
