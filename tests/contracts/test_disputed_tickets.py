"""Tickets that a quorum signed, proven wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evm.machine import refused
from marginproof.auditor.evidence import Kind
from marginproof.spec.typed_data import Leaf

from .bonds import BOND
from .dispute_acts import PAID, PART, SLASHED
from .dispute_stage import (
    CLAIMANT,
    MATERIALITY_E8,
    ROUND,
    SIGNERS,
    DisputeStage,
    Epoch,
)
from .spoiled import flipped
from .world import THRESHOLD, person


def wrong_tickets(
    stage: DisputeStage, amounts: tuple[int, ...], signers: Any = SIGNERS
) -> tuple[Epoch, Any, bytes, list[Leaf]]:
    """A true epoch, and tickets for it whose initial margins are too low by these amounts."""
    epoch = stage.post(stage.epoch(time=1))
    true = stage.true_leaf(0)
    leaves = [
        replace(true, account=50 + i, portfolio_value=true.portfolio_value + amount)
        for i, amount in enumerate(amounts)
    ]
    tickets = stage.tickets(epoch, leaves)
    return epoch, tickets, stage.sign(tickets.struct_hash(), signers), leaves


def dispute_ticket(
    stage: DisputeStage, made: tuple[Epoch, Any, bytes, list[Leaf]], number: int = 0, **changes: Any
) -> None:
    epoch, tickets, signatures, leaves = made
    values: dict[str, Any] = {
        "epoch": epoch,
        "tickets": tickets,
        "signatures": signatures,
        "place": number,
        "leaf": leaves[number],
        "witness_": stage.witness(0, leaves[number].worst_scenarios),
    }
    stage.disputes.transact("disputeTicket", *stage.ticket_arguments(**(values | changes)), caller=CLAIMANT)


def commit_to_tickets(stage: DisputeStage, made: tuple[Epoch, Any, bytes, list[Leaf]]) -> bytes:
    digest = stage.ticket_digest(made[1])
    stage.commit(Kind.TICKET, digest)
    return digest


def test_a_wrong_ticket_leaves_the_epoch_alone(stage: DisputeStage) -> None:
    made = wrong_tickets(stage, (0, 1))
    digest = commit_to_tickets(stage, made)
    assert stage.disputes.call("ticketDigest", ROUND, made[1].header_hash, made[1].leaves) == digest
    with refused("LeafIsRight", 50, made[3][0].worst_scenarios):
        dispute_ticket(stage, made, 0)
    dispute_ticket(stage, made, 1)
    assert stage.event("TicketInvalidated") == {"digest": digest}
    assert stage.event("TicketDisputed") == {
        "round": ROUND,
        "claimant": CLAIMANT.lower(),
        "digest": digest,
        "differenceE8": 1,
        "slashed": False,
        "paid": PAID,
    }
    assert stage.stage.call("record", ROUND)[1] == 1
    commit_to_tickets(stage, made)
    with refused("AlreadyInvalid", ROUND, digest):
        dispute_ticket(stage, made, 1)


def test_a_large_lie_in_a_ticket_is_slashed_even_after_a_small_one(stage: DisputeStage) -> None:
    made = wrong_tickets(stage, (1, MATERIALITY_E8))
    for place in (0, 1):
        digest = commit_to_tickets(stage, made)
        dispute_ticket(stage, made, place)
        assert stage.event("TicketDisputed")["slashed"] == (place == 1)
    assert stage.attesters.call("statusOf", SIGNERS[0].address)[0] == SLASHED
    commit_to_tickets(stage, made)
    with refused("AlreadyInvalid", ROUND, digest):
        dispute_ticket(stage, made, 1)


def test_one_bounty_for_all_small_lies_in_tickets_of_a_round(stage: DisputeStage) -> None:
    paid = []
    for amount in (1, 2, 3, MATERIALITY_E8):
        made = wrong_tickets(stage, (amount,))
        commit_to_tickets(stage, made)
        dispute_ticket(stage, made)
        paid.append(stage.event("TicketDisputed")["paid"])
        assert [e for e in stage.machine.events() if e.name == "TicketInvalidated"]
    assert paid == [PAID, 0, 0, THRESHOLD * (BOND - PART) // 2]


def test_tickets_that_no_quorum_signed(stage: DisputeStage) -> None:
    made = wrong_tickets(stage, (1,), SIGNERS[:2])
    commit_to_tickets(stage, made)
    with refused("NoQuorum", 2, THRESHOLD):
        dispute_ticket(stage, made)
    # Once the threshold was as low as that, the tickets may have been used.
    stage.attesters.transact("setThreshold", 2)
    stage.attesters.transact("setThreshold", 4)
    stage.machine.set_time(1)
    dispute_ticket(stage, made)
    outsiders = sorted((*SIGNERS[:2], person("nobody")), key=lambda a: int(a.address, 16))
    other = wrong_tickets(stage, (2,), outsiders)
    commit_to_tickets(stage, other)
    with refused("NotAccountable", person("nobody").address.lower()):
        dispute_ticket(stage, other)


SPOILED: dict[str, tuple[Callable[[list[bytes]], bytes], str]] = {
    "one signature twice": (lambda s: s[0] + s[0] + s[1], "SignersNotIncreasing"),
    "out of order": (lambda s: s[1] + s[0] + s[2], "SignersNotIncreasing"),
    "recovery to zero": (lambda s: s[0] + bytes(64) + b"\x1b" + s[1], "BadSignature"),
    "another v": (lambda s: s[0] + s[1] + s[2][:64] + b"\x02", "BadSignature"),
    "compact": (lambda s: s[0] + s[1] + s[2][:64], "WrongSignatureLength"),
    "one below the threshold": (lambda s: s[0] + s[1], "NoQuorum"),
    "none": (lambda s: b"", "NoQuorum"),
}


@pytest.mark.parametrize(("spoil", "error"), SPOILED.values(), ids=SPOILED.keys())
def test_spoiled_signatures(stage: DisputeStage, spoil: Callable[[list[bytes]], bytes], error: str) -> None:
    made = wrong_tickets(stage, (1,))
    commit_to_tickets(stage, made)
    parts = [made[2][i : i + 65] for i in range(0, len(made[2]), 65)]
    with refused(error):
        dispute_ticket(stage, made, signatures=spoil(parts))


def test_flipped_s_counted_twice(stage: DisputeStage) -> None:
    """Both signatures recover to one attester; the one with the high s is refused, wherever it stands."""
    made = wrong_tickets(stage, (1,))
    commit_to_tickets(stage, made)
    parts = [made[2][i : i + 65] for i in range(0, len(made[2]), 65)]
    for signatures in (
        parts[0] + flipped(parts[0]) + parts[1],
        flipped(parts[0]) + parts[0] + parts[1],
        flipped(parts[0]) + parts[1] + parts[2],
        parts[0] + parts[1] + flipped(parts[2]),
    ):
        with refused("BadSignature"):
            dispute_ticket(stage, made, signatures=signatures)


def test_what_is_not_in_the_batch(stage: DisputeStage) -> None:
    made = wrong_tickets(stage, (1, 2))
    commit_to_tickets(stage, made)
    for place, leaf in ((1, made[3][0]), (2, made[3][0]), (2**256 - 1, made[3][0])):
        with refused("NotInBatch", leaf.struct_hash(), place):
            dispute_ticket(stage, made, 0, place=place, leaf=leaf)
    other = stage.epoch(time=3)
    stage.commit(Kind.TICKET, stage.ticket_digest(stage.tickets(other, made[3])))
    with refused("NotAsPosted"):
        dispute_ticket(stage, made, epoch=other)
