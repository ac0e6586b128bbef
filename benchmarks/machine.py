"""Where, when and on which commit something was measured."""

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path

import psutil

from course_utils.runtime import versions

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = "benchmarks/README.md", "classroom/soak/README.md"  # by those who ask, row after row


def described(load: str) -> str:
    """Say where, when and on which commit it was measured, and with what."""
    found = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"{when()}. {where()}. {load}. {found}."


def when() -> str:
    """Return the minute and the commit."""
    day = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{day}, commit {commit()}"


def where() -> str:
    """Return processor, memory and system."""
    memory = psutil.virtual_memory().total / 1e9
    return f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.platform()}"


def processor() -> str:
    """Return the processor's name as the system tells it."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.M)
    return found[1] if found else platform.processor()


def commit() -> str:
    """Return the commit, and whether files have changed since, but for the tables themselves."""
    git = ["git", "-C", str(ROOT)]
    done = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    if done.returncode:
        return "unknown"
    status = [*git, "status", "--porcelain", "-uno", "--", ".", *(f":!{name}" for name in WRITTEN)]
    changed = subprocess.run(status, capture_output=True).stdout
    return done.stdout.strip() + (" with changes" if changed else "")


def loads() -> str:
    """Return how many processes wanted to run in the last minute, on average."""
    return f"{psutil.getloadavg()[0]:.1f}"
