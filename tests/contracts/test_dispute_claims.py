"""Commit and reveal, and the window: who may claim, from when and until when."""

from __future__ import annotations

from dataclasses import astuple, replace
from random import Random

from evm.machine import refused
from marginproof.auditor.evidence import Kind

from .bonds import BOND, BOND_DELAY, LEAVE_DELAY
from .dispute_acts import DAY, PAID, RIVAL, SLASHED, balances, dispute, raised
from .dispute_stage import (
    CLAIMANT,
    MATERIALITY_E8,
    NO_HEADER,
    ROUND,
    SALT,
    SIGNERS,
    DisputeStage,
)
from .world import THRESHOLD


def test_reveal_without_commit(stage: DisputeStage) -> None:
    epoch = raised(stage, 0, 1)
    with refused("NotCommitted", CLAIMANT.lower(), stage.commitment(Kind.LEAF, bytes(32), CLAIMANT)):
        dispute(stage, epoch, 0)
    # To something else: another kind, account or round.
    for kind, subject, number in ((Kind.IDENTITY, 0, ROUND), (Kind.LEAF, 1, ROUND), (Kind.LEAF, 0, 8)):
        stage.commit(kind, subject, round_number=number)
    with refused("NotCommitted"):
        dispute(stage, epoch, 0)
    # Used once.
    stage.commit(Kind.LEAF, 0)
    dispute(stage, epoch, 0)
    stage.post(epoch)
    with refused("NotCommitted"):
        dispute(stage, epoch, 0)


def test_reveal_too_early_and_too_late() -> None:
    stage = DisputeStage(Random("reveal"), accounts=2)
    leaves = stage.true_leaves()
    leaves[0] = replace(leaves[0], spot_value=leaves[0].spot_value - 1)
    epoch = stage.post(stage.epoch(leaves), final_at=10 * DAY)
    commitment = stage.commitment(Kind.LEAF, bytes(32), CLAIMANT)
    stage.disputes.transact("commit", commitment, caller=CLAIMANT)
    with refused("RevealTooEarly"):
        dispute(stage, epoch, 0)
    stage.next_block(1 + DAY)
    dispute(stage, epoch, 0, keep=False)
    stage.next_block(2 + DAY)
    with refused("CommitmentExpired", 1 + DAY, 2 + DAY):
        dispute(stage, epoch, 0)
    stage.disputes.transact("commit", commitment, caller=CLAIMANT)
    assert stage.event("Committed") == {"claimant": CLAIMANT.lower(), "commitment": commitment}
    stage.next_block(2 + DAY)
    dispute(stage, epoch, 0)


def test_attack_36_front_run_claim(stage: DisputeStage) -> None:
    """Who sees a reveal on its way has no commitment of their own; who sees a commitment cannot use or spoil it."""
    epoch = raised(stage, 0, 1)
    commitment = stage.commitment(Kind.LEAF, bytes(32), CLAIMANT)
    stage.disputes.transact("commit", commitment, caller=CLAIMANT)
    # The rival copies the commitment, and commits to its own as soon as the reveal is seen.
    stage.disputes.transact("commit", commitment, caller=RIVAL)
    stage.next_block()
    with refused("NotCommitted", RIVAL.lower(), stage.commitment(Kind.LEAF, bytes(32), RIVAL)):
        dispute(stage, epoch, 0, RIVAL)
    own = stage.commitment(Kind.LEAF, bytes(32), RIVAL)
    stage.disputes.transact("commit", own, caller=RIVAL)
    stage.disputes.transact("commit", commitment, caller=RIVAL)
    with refused("RevealTooEarly"):
        dispute(stage, epoch, 0, RIVAL)
    dispute(stage, epoch, 0)
    assert balances(stage)[0] == PAID
    stage.next_block()
    with refused("AlreadyInvalid"):
        dispute(stage, epoch, 0, RIVAL)
    assert stage.token.call("balanceOf", RIVAL) == 0


# The window


def test_attack_37_dispute_at_the_last_second() -> None:
    stage = DisputeStage(Random("last second"), accounts=2)
    leaves = stage.true_leaves()
    leaves[0] = replace(leaves[0], initial_margin=leaves[0].initial_margin + 1)
    final_at = 5_000
    epoch = stage.post(stage.epoch(leaves), final_at=final_at)
    stage.next_block(final_at - 2)
    stage.disputes.transact("commit", stage.commitment(Kind.LEAF, bytes(32), CLAIMANT), caller=CLAIMANT)
    stage.next_block(final_at - 1)
    dispute(stage, epoch, 0, keep=False)
    stage.next_block(final_at)
    with refused("WindowClosed", ROUND, final_at):
        dispute(stage, epoch, 0)
    tickets = stage.tickets(epoch, leaves)
    given = stage.ticket_arguments(
        epoch, tickets, stage.sign(tickets.struct_hash()), 0, leaves[0], stage.witness(0, b"")
    )
    with refused("WindowClosed", ROUND, final_at):
        stage.disputes.call("disputeTicket", *given, caller=CLAIMANT)


def test_attack_39_bond_withdrawn_before_the_window_closes() -> None:
    """A signer that leaves in the second of its signature still has its bond here in the window's last."""
    stage = DisputeStage(Random("run away"), accounts=2)
    leaves = stage.true_leaves()
    leaves[0] = replace(leaves[0], initial_margin=leaves[0].initial_margin + MATERIALITY_E8)
    final_at = 1 + LEAVE_DELAY + BOND_DELAY
    epoch = stage.post(stage.epoch(leaves), final_at=final_at)
    for signer in SIGNERS:
        stage.attesters.transact("leave", caller=signer.address)
    stage.next_block(final_at - 2)
    stage.disputes.transact("commit", stage.commitment(Kind.LEAF, bytes(32), CLAIMANT), caller=CLAIMANT)
    stage.next_block(final_at - 1)
    for signer in SIGNERS:
        with refused("BondNotOpen", signer.address.lower(), final_at):
            stage.attesters.transact("withdrawBond", signer.address, caller=signer.address)
    dispute(stage, epoch, 0)
    assert balances(stage) == (THRESHOLD * BOND // 2, THRESHOLD * BOND // 2)
    stage.next_block(final_at)
    for signer in SIGNERS:
        with refused("WrongStanding", signer.address.lower(), SLASHED):
            stage.attesters.transact("withdrawBond", signer.address, caller=signer.address)


def test_attack_38_withheld_leaves_show_when_used(stage: DisputeStage) -> None:
    """Of a root whose leaves nobody published, one leaf is known once it is used, with its proof; that is enough."""
    epoch = raised(stage, 2, 1)
    used = (astuple(epoch.leaves[2]), epoch.proof(2))
    from_logs = (astuple(epoch.header), epoch.signatures, NO_HEADER, bytes(32), SALT)
    from_ledger = stage.accounts[2].portfolio
    stage.commit(Kind.LEAF, 2)
    given = (from_logs, *used, (from_ledger, stage.market, epoch.leaves[2].worst_scenarios))
    stage.disputes.call("disputeLeaf", *given, caller=CLAIMANT)
