"""What claimants do in tests of disputes, and what they got by it."""

from __future__ import annotations

from .dispute_stage import (
    BOUNTY,
    CLAIMANT,
    FUND,
    DisputeStage,
    Epoch,
)
from .world import THRESHOLD, person

DAY = 86_400
RIVAL = person("rival").address
BONDED, SLASHED = 2, 3
PART = BOUNTY // THRESHOLD
PAID = THRESHOLD * PART


def balances(stage: DisputeStage) -> tuple[int, int]:
    """What claimant and fund have got."""
    claimant, fund = (stage.token.call("balanceOf", who) for who in (CLAIMANT, FUND))
    return claimant, fund


def raised(stage: DisputeStage, index: int, amount: int) -> Epoch:
    """A posted epoch in which one account's initial margin is too high."""
    return stage.with_lie(index, initial_margin=stage.true_leaf(index).initial_margin + amount)


def dispute(
    stage: DisputeStage, epoch: Epoch, index: int, claimant: str = CLAIMANT, *, keep: bool = True
) -> None:
    """Reveal with the evidence that the auditor finds."""
    evidence = stage.evidence(epoch, index)
    assert evidence is not None
    name, arguments = stage.arguments(epoch, index, evidence)
    send = stage.disputes.transact if keep else stage.disputes.call
    send(name, *arguments, caller=claimant)
