"""What the course says in general is true: over 20 seeds, or three where that takes long."""

import pytest
from claims import ROOT, SEEDS, against, allowed, every_claim, text_of

CLAIMS = every_claim()
TOLD = [f"{claim.where.split('/')[-1]}: {claim.words[:50]}" for claim in CLAIMS]


@pytest.mark.parametrize("claim", CLAIMS, ids=TOLD)
def test_it_is_said_there(claim):
    assert (ROOT / claim.where).exists()
    assert " ".join(claim.words.split()) in text_of(claim.where)


@pytest.mark.parametrize("claim", CLAIMS, ids=TOLD)
def test_it_holds(claim):
    seeds = SEEDS[:3] if claim.slow else SEEDS
    assert len(against(claim, seeds)) <= allowed(claim)


def test_claims_are_many_and_each_stands_once():
    assert len({(claim.where, claim.words) for claim in CLAIMS}) == len(CLAIMS)
    assert all(claim.at_least > len(SEEDS) // 2 for claim in CLAIMS)


def test_a_false_statement_is_seen():
    """The machinery itself: a claim that fails once is seen, unless its words allow it."""
    claim = CLAIMS[0]._replace(holds=lambda seed: seed != 7)
    assert against(claim, SEEDS) == [7]
    assert allowed(claim._replace(at_least=20)) == 0
    assert allowed(claim._replace(at_least=19)) == 1
