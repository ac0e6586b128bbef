"""Check what the course says in general, each statement over 20 seeds."""

from claims import SEEDS, against, allowed, every_claim
from outcome import Outcome
from report import say

TITLE = "What notebooks, questions, hints, glossary and TEACHING say in general"
GOAL = "each statement true for 20 seeds, or for as many as its words say"


def measure(quick: bool) -> Outcome:
    """Check every claim over all seeds (quick: the slow ones over one)."""
    claims, failures = every_claim(), []
    for claim in claims:
        seeds = SEEDS[:1] if quick and claim.slow else SEEDS
        if len(false := against(claim, seeds)) > allowed(claim):
            failures.append(f"{claim.where}: {claim.words!r} is false for the seeds {false}")
            say(failures[-1])
    slow = sum(claim.slow for claim in claims)
    return Outcome(
        f"{len(claims)} statements over {len(SEEDS)} seeds each ({slow} of them take longer than "
        f"2 s{', here over one' * quick}): {len(failures)} false",
        failures,
    )
