"""What the course says in general, and the functions that check it over 20 seeds.

A module of this folder goes with one or two notebooks and holds CLAIMS. What a text says about this
run alone ("here") is not a claim: the stored outputs show it.
"""

import importlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
SEEDS = range(20)


class Claim(NamedTuple):
    """One statement and its proof.

    Parameters
    ----------
    where : str
        The file that makes it, from the repository's root.
    words : str
        As they stand there; where the line breaks does not matter.
    holds : callable
        Takes a seed, makes its own data, and tells whether the statement is true of them.
    at_least : int
        For how many of 20 seeds it has to be true: 20, or less where the text says "mostly" or
        "about 19 of 20".
    slow : bool
        Whether 20 seeds take longer than 2 s. Then `python3 course.py soak seeds` runs all of them,
        and the tests three.
    """

    where: str
    words: str
    holds: Callable[[int], bool]
    at_least: int = len(SEEDS)
    slow: bool = False


def every_claim() -> list[Claim]:
    """Return the claims of all modules of this folder."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return [claim for name in names for claim in importlib.import_module(f"claims.{name}").CLAIMS]


def text_of(where: str) -> str:
    """Return what a file says, line breaks as spaces; of a notebook, sources and outputs."""
    text = (ROOT / where).read_text(encoding="utf-8")
    if where.endswith(".ipynb"):
        text = "\n".join(_said(json.loads(text)["cells"]))
    if where.endswith("glossary.md"):
        text = re.sub(r"\[([^\]]+)\]\(#[^)]+\)", r"\1", text)  # links from entry to entry
    return " ".join(re.sub(r'"\n\s*f?"', "", text).split())  # a sentence over two strings of code


def _said(cells: list[dict]) -> Iterable[str]:
    for cell in cells:
        yield "".join(cell["source"])
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            parts = output.get("text", ""), *(data.get(f"text/{kind}", "") for kind in KINDS)
            yield from map("".join, parts)


KINDS = "plain", "markdown", "html"


def against(claim: Claim, seeds: Iterable[int]) -> list[int]:
    """Return the seeds for which the statement is false."""
    return [seed for seed in seeds if not claim.holds(seed)]


def allowed(claim: Claim) -> int:
    """Return for how many of 20 seeds the statement may be false."""
    return len(SEEDS) - claim.at_least
