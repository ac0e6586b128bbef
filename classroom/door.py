"""Who is let into the hub, and which folder is theirs. Standard library only."""

import hashlib
import hmac
import re
import unicodedata
from base64 import b32encode
from collections.abc import Mapping
from pathlib import Path

LONGEST = 64
SHORTEST = 8
RULE = f"Names have up to {LONGEST} letters, digits, spaces and . - ' _, and begin with a letter."
INSIDE = " .-'_"
SPAWNERS = ("trial", "system", "systemd")
PATHS = ("COURSE_HUB", "COURSE_NAMES", "COURSE_TLS_KEY", "COURSE_TLS_CERT")
FORMS = {
    "COURSE_MEMORY": (r"\d+(\.\d+)?[KMGT]?", "bytes, such as 2G"),
    "COURSE_CPU": (r"\d+(\.\d+)?", "cores, such as 1 or 0.5"),
    "COURSE_IDLE": (r"\d+", "whole seconds, such as 3600"),
    "COURSE_SUBDOMAIN": (r"([a-z0-9-]+\.)+[a-z][a-z0-9-]*", "a host name, such as hub.example.org"),
}


def wrong_setting(variables: Mapping[str, str]) -> str:
    """Return why a hub must not be started with these variables; empty if it may."""
    spawner, address = variables.get("COURSE_SPAWNER", "trial"), variables.get("COURSE_ADDRESS")
    encrypted = variables.get("COURSE_TLS_KEY") and variables.get("COURSE_TLS_CERT")
    if spawner not in SPAWNERS:
        return f"COURSE_SPAWNER is {spawner!r}: it is one of {', '.join(SPAWNERS)}."
    for name in PATHS:
        if not Path(variables.get(name, "/")).is_absolute():
            return f"{name} is {variables[name]!r}: write the whole path, such as /srv/class/file."
    for name, (form, meaning) in FORMS.items():
        if name in variables and not re.fullmatch(form, variables[name]):
            return f"{name} is {variables[name]!r}: write {meaning}."
    if ("COURSE_TLS_KEY" in variables) != ("COURSE_TLS_CERT" in variables):
        return "COURSE_TLS_KEY and COURSE_TLS_CERT go together: set both."
    if address not in (None, "127.0.0.1", "::1") and (spawner == "trial" or not encrypted):
        return (
            f"COURSE_ADDRESS is {address!r}: beyond this machine the hub needs COURSE_TLS_KEY and "
            "COURSE_TLS_CERT, and a COURSE_SPAWNER with accounts of its own (system or systemd)."
        )
    return ""


def in_url(address: str) -> str:
    """Return an address as it stands in a URL."""
    return f"[{address}]" if ":" in address else address


def public_url(variables: Mapping[str, str]) -> str:
    """Return the address that learners open, without a path."""
    scheme, usual = ("https", ":443") if "COURSE_TLS_KEY" in variables else ("http", ":80")
    host = in_url(variables.get("COURSE_ADDRESS", "127.0.0.1"))
    host = f"{variables.get('COURSE_SUBDOMAIN', host)}:{variables.get('COURSE_PORT', '8000')}"
    return f"{scheme}://{host.removesuffix(usual)}"


def normalized(name: str) -> str:
    """Return a name such that one learner who types it two ways stays one learner."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).casefold().split())


def is_name(name: str) -> bool:
    """Tell whether a normalized name may be used: letters of any script, nothing like a path."""
    kinds = [unicodedata.category(character)[0] for character in name]
    fits = all(kind in "LMN" or mark in INSIDE for kind, mark in zip(kinds, name, strict=True))
    return bool(name) and kinds[0] in "LN" and fits and len(name) <= LONGEST


def folder_name(name: str) -> str:
    """Return the folder of a learner: one plain word, and never the same for two names."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", name):
        return name
    readable = "".join(re.findall(r"[a-z0-9]", name))[:20]
    return f"{readable}+{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:20]}"


def own_password(secret: str, name: str) -> str:
    """Return the password of one learner, which follows from the class password and the name."""
    code = hmac.digest(secret.encode(), normalized(name).encode(), "sha256")
    return b32encode(code).decode().lower()[:12]


def read_names(file: Path) -> list[str]:
    """Return the learners of a class, normalized; the file has one name a line.

    Raises
    ------
    ValueError
        If a name cannot be used or stands there twice, or there is none.
    OSError
        If there is no such file.
    """
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    names = [normalized(line) for line in lines if line.strip()]
    if not names:
        raise ValueError(f"{file}: there is no name in it. Write one name a line.")
    for name in names:
        if not is_name(name):
            raise ValueError(f"{file}: the name {name!r} cannot be used. {RULE}")
        if names.count(name) > 1:
            raise ValueError(f"{file}: the name {name!r} stands there twice: add a letter to one.")
    return names
