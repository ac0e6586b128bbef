"""Check what the course says in general, each statement over 20 seeds."""

from claims import SEEDS, against, allowed, every_claim
from outcome import Outcome
from report import say

TITLE = "What notebooks, questions, hints, glossary and TEACHING say in general"
GOAL = "each statement true for 20 seeds, or for as many as its words say"


def measure(quick: bool) -> Outcome:
    """Check every claim over all seeds (quick: every tenth over two; the tests check the rest)."""
    claims, failures = every_claim()[:: 10 if quick else 1], []
    seeds = SEEDS[:2] if quick else SEEDS
    for claim in claims:
        if len(false := against(claim, seeds)) > allowed(claim):
            failures.append(f"{claim.where}: {claim.words!r} is false for the seeds {false}")
            say(failures[-1])
    slow = sum(claim.slow for claim in claims)
    return Outcome(
        f"{len(claims)} statements over {len(seeds)} seeds each ({slow} of them take longer than "
        f"2 s): {len(failures)} false",
        failures,
    )
