"""Disputes step by step: who is paid what by whom, what is invalid afterwards, and what does not work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from random import Random
from typing import Any

import pytest

from evm.draws import World
from evm.machine import STRANGER, ContractRefused, refused
from marginproof.auditor.evidence import Evidence, Kind, leaf_evidence
from marginproof.spec.hashing import keccak
from marginproof.spec.instruments import Instrument
from marginproof.spec.instruments import Kind as InstrumentKind
from marginproof.spec.judgement import UNPRICED
from marginproof.spec.market import MarketSnapshot, UnderlyingMarket
from marginproof.spec.model import Model, Scenario, VolKind, neutral_section
from marginproof.spec.portfolio import Position, encode_portfolio
from marginproof.spec.provenance import Change, History, folded, witness
from marginproof.spec.typed_data import EpochHeader, Leaf

from .bonds import BOND, BOND_DELAY, LEAVE_DELAY
from .dispute_stage import (
    ATTESTERS,
    BLOCK,
    BOUNTY,
    CLAIMANT,
    E8,
    FUND,
    MATERIALITY_E8,
    NO_HEADER,
    ROUND,
    SALT,
    SIGNERS,
    DisputeStage,
    Epoch,
    block_hash,
)
from .world import THRESHOLD, person

DAY = 86_400
ORDER = 2**256 - 0x14551231950B75FC4402DA1732FC9BEBF
"""Order of the curve: r, s and r, order - s are signatures of the same message by the same key."""
RIVAL = person("rival").address
BONDED, SLASHED = 2, 3
PART = BOUNTY // THRESHOLD
PAID = THRESHOLD * PART


@pytest.fixture
def stage() -> DisputeStage:
    return DisputeStage(Random("disputes"), accounts=3)


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


# What a dispute does


def test_a_small_lie_costs_its_signers_a_bounty(stage: DisputeStage) -> None:
    epoch = raised(stage, 0, 1)
    stage.commit(Kind.LEAF, 0)
    dispute(stage, epoch, 0)
    fallback = next(e.values["fallbackHash"] for e in stage.machine.events() if e.name == "Invalidated")
    assert fallback == EpochHeader(*NO_HEADER).struct_hash()
    assert stage.event("EpochDisputed") == {
        "round": ROUND,
        "claimant": CLAIMANT.lower(),
        "kind": Kind.LEAF,
        "subject": bytes(32),
        "differenceE8": 1,
        "slashed": False,
        "paid": PAID,
    }
    assert balances(stage) == (PAID, 0)
    for attester in ATTESTERS:
        signed = attester in SIGNERS
        assert stage.attesters.call("bondOf", attester.address) == BOND - signed * PART
        assert stage.attesters.call("isAttester", attester.address) != signed
    assert stage.stage.call("record", ROUND)[1] == 3


def test_a_large_lie_costs_its_signers_their_bonds(stage: DisputeStage) -> None:
    epoch = raised(stage, 1, MATERIALITY_E8)
    stage.commit(Kind.LEAF, 1)
    dispute(stage, epoch, 1)
    found = stage.event("EpochDisputed")
    assert (found["differenceE8"], found["slashed"]) == (MATERIALITY_E8, True)
    assert balances(stage) == (THRESHOLD * BOND // 2, THRESHOLD * BOND // 2)
    standings = [stage.attesters.call("statusOf", a.address)[0] for a in ATTESTERS]
    assert standings == [SLASHED] * THRESHOLD + [BONDED] * (len(ATTESTERS) - THRESHOLD)


def test_just_below_materiality(stage: DisputeStage) -> None:
    epoch = raised(stage, 1, MATERIALITY_E8 - 1)
    stage.commit(Kind.LEAF, 1)
    dispute(stage, epoch, 1)
    assert not stage.event("EpochDisputed")["slashed"]


def test_the_header_to_fall_back_on_is_passed_on(stage: DisputeStage) -> None:
    before = stage.epoch(round=ROUND - 1).header
    epoch = raised(stage, 0, 1)
    stage.commit(Kind.LEAF, 0)
    evidence = stage.evidence(epoch, 0)
    assert evidence is not None
    _, (_, *rest) = stage.arguments(epoch, 0, evidence)
    stage.disputes.transact("disputeLeaf", epoch.claim(fallback=astuple(before)), *rest, caller=CLAIMANT)
    assert stage.event("Invalidated") == {"round": ROUND, "fallbackHash": before.struct_hash()}


def test_identities_and_counts_cost_a_bounty(stage: DisputeStage) -> None:
    epoch = stage.with_lie(1, account=2)
    stage.commit(Kind.IDENTITY, 1)
    dispute(stage, epoch, 1)
    assert stage.event("EpochDisputed")["kind"] == Kind.IDENTITY
    assert balances(stage)[0] == PAID
    # Of another round, the last account left out, and one put in.
    for number, leaves in (
        (ROUND + 1, stage.true_leaves()[:-1]),
        (ROUND + 2, [*stage.true_leaves(), replace(stage.true_leaf(2), account=3)]),
    ):
        wrong = stage.post(stage.epoch(leaves, round=number))
        stage.commit(Kind.COUNT, 0, round_number=number)
        stage.disputes.transact("disputeCount", wrong.claim(), caller=CLAIMANT)
        assert stage.event("EpochDisputed")["kind"] == Kind.COUNT


def test_counts_follow_the_block_of_opening(stage: DisputeStage) -> None:
    stage.stage.transact("open", BLOCK + 1, bytes(32))
    stage.commit(Kind.COUNT, 0)
    true = stage.post(stage.epoch())
    with refused("CountIsRight", 3):
        stage.disputes.call("disputeCount", true.claim(), caller=CLAIMANT)
    later = stage.post(stage.epoch(block_number=BLOCK + 1))
    stage.disputes.call("disputeCount", later.claim(), caller=CLAIMANT)
    none = stage.post(stage.epoch([], block_number=0))
    with refused("CountIsRight", 0):
        stage.disputes.call("disputeCount", none.claim(), caller=CLAIMANT)


def test_a_portfolio_that_the_market_cannot_price() -> None:
    """Nobody can show a figure to be another where there is none: that there is none shows it, and counts in full."""
    stage = DisputeStage(Random("unpriced"), accounts=2)
    underlying = stage.drawn.market.underlyings[0]
    later = max(e.expiry for e in underlying.expiries) + DAY
    unquoted = stage.court.id_of(Instrument(1, InstrumentKind.FUTURE, later))
    unlisted = (1 << 26) | (1_000 << 16)
    third = stage.court.instruments.transact("addUnderlying", "U3")
    for number in (unquoted, unlisted, third << 26):
        held = encode_portfolio([Position(number, E8)])
        stage.stage.transact("open", 5, bytes(32))
        leaf = Leaf(2, keccak(held), E8, 0, 0, 0, bytes((number >> 26, 0)))
        epoch = stage.post(stage.epoch([*stage.true_leaves(), leaf]))
        evidence = leaf_evidence(
            2, leaf, keccak(held), None, stage.drawn.model, [number >> 26], MATERIALITY_E8
        )
        assert evidence == Evidence(Kind.LEAF, bytes((number >> 26, 0)), UNPRICED, 1)
        stage.commit(Kind.LEAF, 2)
        given = (epoch.claim(), astuple(leaf), epoch.proof(2), (held, stage.market, evidence.choices))
        stage.disputes.call("disputeLeaf", *given, caller=CLAIMANT)
        found = stage.event("EpochDisputed")
        assert (found["differenceE8"], found["slashed"]) == (UNPRICED, True)


def test_worst_scenarios_that_differ_by_one_unit_of_the_exact_loss() -> None:
    """0.00000001 of something at 0.01 that falls by a millionth: losses of w and w + 1 round to the same requirement."""
    wad = 10**18
    scenarios = tuple(
        Scenario(wad - wad // 10**6, VolKind.NONE, weight) for weight in (wad, wad + 1, wad + 1, wad - 1)
    )
    market = MarketSnapshot(1_900_000_000, E8, (UnderlyingMarket(1, 10**6, 10**6, wad, 0, (), ()),))
    model = Model((neutral_section(1, scenarios),))
    stage = DisputeStage(Random(0), accounts=0, drawn=World(market, model, ()))
    account = stage.open(Random(1), [(Instrument(1, InstrumentKind.SPOT), 1)])
    assert account.figures.scans[0].losses == (wad, wad + 1, wad + 1, wad - 1)
    stage.commit(Kind.LEAF, 0)
    true = stage.post(stage.epoch())
    leaf = true.leaves[0]
    assert (leaf.worst_scenarios, leaf.initial_margin) == (b"\1\1", 1)
    for index in range(4):
        given = (true.claim(), astuple(leaf), true.proof(0), stage.witness(0, bytes((1, index))))
        with refused("LeafIsRight", 0, bytes((1, index))):
            stage.disputes.call("disputeLeaf", *given, caller=CLAIMANT)
    for index in (0, 2, 3):
        wrong = stage.with_lie(0, worst_scenarios=bytes((1, index)))
        assert stage.evidence(wrong, 0) == Evidence(Kind.LEAF, b"\1\1", 0, 3)
        dispute(stage, wrong, 0, keep=False)


def test_a_small_lie_confessed_does_not_save_from_a_large_one(stage: DisputeStage) -> None:
    leaves = stage.true_leaves()
    leaves[0] = replace(leaves[0], spot_value=leaves[0].spot_value + 1)
    leaves[1] = replace(leaves[1], portfolio_value=leaves[1].portfolio_value + 2 * MATERIALITY_E8)
    leaves[2] = replace(leaves[2], maintenance_margin=1)
    epoch = stage.post(stage.epoch(leaves))
    for index, claimant in ((0, RIVAL), (1, CLAIMANT), (2, RIVAL)):
        stage.commit(Kind.LEAF, index, claimant)
    dispute(stage, epoch, 0, RIVAL)
    # A further small one is refused, the large one is not; then nothing is left.
    with refused("AlreadyInvalid", ROUND, (2).to_bytes(32, "big")):
        dispute(stage, epoch, 2, RIVAL)
    dispute(stage, epoch, 1)
    assert stage.event("EpochDisputed")["slashed"]
    assert not [e for e in stage.machine.events() if e.name == "Invalidated"]
    assert balances(stage)[0] == THRESHOLD * (BOND - PART) // 2
    for index, claimant in ((1, CLAIMANT), (2, RIVAL)):
        stage.commit(Kind.LEAF, index, claimant)
        with refused("AlreadyInvalid", ROUND, index.to_bytes(32, "big")):
            dispute(stage, epoch, index, claimant)


def test_a_second_dispute(stage: DisputeStage) -> None:
    epoch = raised(stage, 0, 1)
    stage.commit(Kind.LEAF, 0)
    stage.commit(Kind.COUNT, 0)
    stage.commit(Kind.IDENTITY, 0)
    dispute(stage, epoch, 0)
    stage.commit(Kind.LEAF, 0)
    with refused("AlreadyInvalid", ROUND, bytes(32)):
        dispute(stage, epoch, 0)
    for name, arguments in (
        ("disputeCount", ()),
        ("disputeIdentity", (0, astuple(epoch.leaves[0]), epoch.proof(0), astuple(witness([], BLOCK)))),
    ):
        with refused("AlreadyInvalid", ROUND, bytes(32)):
            stage.disputes.call(name, epoch.claim(), *arguments, caller=CLAIMANT)


def test_signers_with_nothing_left_do_not_keep_an_epoch_valid(stage: DisputeStage) -> None:
    for number in (ROUND, ROUND + 1):
        leaves = stage.true_leaves()
        leaves[0] = replace(leaves[0], initial_margin=leaves[0].initial_margin + MATERIALITY_E8)
        epoch = stage.post(stage.epoch(leaves, round=number))
        stage.commit(Kind.LEAF, 0, round_number=number)
        dispute(stage, epoch, 0)
        assert stage.event("EpochDisputed")["paid"] == (THRESHOLD * BOND // 2 if number == ROUND else 0)
        assert stage.stage.call("record", number)[1] == 3


# Commit and reveal


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


# What was posted


def test_epochs_that_were_not_posted(stage: DisputeStage) -> None:
    epoch = raised(stage, 0, 1)
    stage.commit(Kind.LEAF, 0)
    stage.commit(Kind.LEAF, 0, round_number=ROUND + 1)
    evidence = stage.evidence(epoch, 0)
    assert evidence is not None
    name, (_, *rest) = stage.arguments(epoch, 0, evidence)
    unknown = stage.epoch(epoch.leaves, round=ROUND + 1)
    with refused("UnknownEpoch", ROUND + 1):
        stage.disputes.call(name, unknown.claim(), *rest, caller=CLAIMANT)
    for other in (
        stage.epoch(epoch.leaves, time=5),
        stage.epoch(epoch.leaves, signers=ATTESTERS[1 : THRESHOLD + 1]),
        stage.epoch(epoch.leaves, signers=SIGNERS[:1]),
    ):
        with refused("NotAsPosted"):
            stage.disputes.call(name, other.claim(), *rest, caller=CLAIMANT)


def test_market_of_another_epoch_and_an_unknown_model(stage: DisputeStage) -> None:
    epoch = raised(stage, 0, 1)
    stage.commit(Kind.LEAF, 0)
    other = bytearray(stage.market)
    other[7] ^= 1
    leaf = (astuple(epoch.leaves[0]), epoch.proof(0))
    own = epoch.leaves[0].worst_scenarios
    with refused("WrongMarketBytes"):
        given = (epoch.claim(), *leaf, (stage.accounts[0].portfolio, bytes(other), own))
        stage.disputes.call("disputeLeaf", *given, caller=CLAIMANT)
    unknown = stage.post(stage.epoch(epoch.leaves, model_hash=keccak(b"another model")))
    with refused("UnknownModel"):
        given = (unknown.claim(), *leaf, (stage.accounts[0].portfolio, stage.market, own))
        stage.disputes.call("disputeLeaf", *given, caller=CLAIMANT)


def test_a_call_that_runs_out_of_gas_proves_nothing() -> None:
    """A refusal of the court counts only by its name, and a call cut short has none."""
    stage = DisputeStage(Random("gas"), accounts=2)
    epoch = stage.post(stage.epoch())
    stage.commit(Kind.LEAF, 0)
    leaf = (astuple(epoch.leaves[0]), epoch.proof(0))
    given = (epoch.claim(), *leaf, stage.witness(0, epoch.leaves[0].worst_scenarios))
    data = stage.disputes.encode("disputeLeaf", *given)
    with refused("LeafIsRight"):
        stage.machine.raw(stage.disputes.address, data, CLAIMANT)
    enough = stage.machine.gas
    for limit in range(40_000, enough, enough // 100):
        with pytest.raises((ContractRefused, RuntimeError)) as caught:
            stage.machine.raw(stage.disputes.address, data, CLAIMANT, gas=limit)
        assert not isinstance(caught.value, ContractRefused) or caught.value.name in ("empty", "LeafIsRight")


# Tickets


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


def flipped(signature: bytes) -> bytes:
    """The other signature of the same message by the same key, its s the order minus this one's."""
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    return r + (ORDER - s).to_bytes(32, "big") + bytes((55 - v,))


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


# Equivocation


def twins(
    stage: DisputeStage,
    first: EpochHeader,
    second: EpochHeader,
    signers: tuple[Any, Any] = (SIGNERS[0], SIGNERS[0]),
    posted: Epoch | None = None,
) -> tuple[Any, ...]:
    shown = (NO_HEADER, bytes(32)) if posted is None else (astuple(posted.header), keccak(posted.signatures))
    return (
        astuple(first),
        stage.sign(first.struct_hash(), [signers[0]]),
        astuple(second),
        stage.sign(second.struct_hash(), [signers[1]]),
        *shown,
    )


def commit_to_signer(stage: DisputeStage, signer: Any) -> None:
    stage.commit(Kind.EQUIVOCATION, int(signer.address, 16))


def test_attack_7_two_headers_with_one_number(stage: DisputeStage) -> None:
    epoch = stage.post(stage.epoch())
    other = replace(epoch.header, block_number=BLOCK + 1, block_hash=block_hash(BLOCK + 1))
    signer = SIGNERS[0]
    commit_to_signer(stage, signer)
    stage.disputes.transact("disputeEquivocation", twins(stage, epoch.header, other), SALT, caller=CLAIMANT)
    assert stage.event("EquivocationProven") == {
        "round": ROUND,
        "claimant": CLAIMANT.lower(),
        "signer": signer.address.lower(),
        "paid": BOND // 2,
    }
    assert not [e for e in stage.machine.events() if e.name == "Invalidated"]
    standings = [stage.attesters.call("statusOf", a.address)[0] for a in ATTESTERS]
    assert standings == [SLASHED, *[BONDED] * 4]
    assert stage.stage.call("record", ROUND)[1] == 1
    commit_to_signer(stage, signer)
    with refused("AlreadyExpelled", signer.address.lower()):
        stage.disputes.transact(
            "disputeEquivocation", twins(stage, epoch.header, other), SALT, caller=CLAIMANT
        )


def test_what_is_no_equivocation(stage: DisputeStage) -> None:
    epoch = stage.post(stage.epoch())
    header, signer, nobody = epoch.header, SIGNERS[0], person("nobody")
    other = replace(header, market_hash=bytes(32))
    for who in (signer, nobody):
        commit_to_signer(stage, who)
    orphan = replace(other, block_hash=keccak(b"a block that was replaced"))
    forgotten = replace(other, block_number=BLOCK - 500, block_hash=block_hash(BLOCK - 500))
    future = replace(other, block_number=5_000, block_hash=bytes(32))

    def attempt(*arguments: Any, **options: Any) -> None:
        stage.disputes.call("disputeEquivocation", twins(stage, *arguments, **options), SALT, caller=CLAIMANT)

    with refused("SameHeader", header.struct_hash()):
        attempt(header, header)
    with refused("DifferentRounds", ROUND, ROUND + 1):
        attempt(header, replace(header, round=ROUND + 1))
    with refused("DifferentSigners", signer.address.lower(), SIGNERS[1].address.lower()):
        attempt(header, other, (signer, SIGNERS[1]))
    with refused("NotAccountable", nobody.address.lower()):
        attempt(header, other, (nobody, nobody))
    with refused("NotCommitted"):
        attempt(header, other, (SIGNERS[1], SIGNERS[1]))
    # An honest signer may sign again after a block was replaced.
    for pair in ((header, orphan), (orphan, header)):
        with refused("NotCanonical", BLOCK, orphan.block_hash, block_hash(BLOCK)):
            attempt(*pair)
    with refused("NotCanonical", BLOCK - 500, forgotten.block_hash, bytes(32)):
        attempt(header, forgotten)
    with refused("NotCanonical", 5_000, bytes(32), bytes(32)):
        attempt(header, future)
    two = list(twins(stage, header, other))
    for broken, error in (
        (two[1] + two[1], "WrongSignatureLength"),
        (two[1][:64], "WrongSignatureLength"),
        (b"", "WrongSignatureLength"),
        (flipped(two[1]), "BadSignature"),
    ):
        with refused(error):
            stage.disputes.call("disputeEquivocation", (two[0], broken, *two[2:]), SALT, caller=CLAIMANT)
    attempt(header, other)


def test_the_posted_header_vouches_for_its_block_once_the_chain_forgot(stage: DisputeStage) -> None:
    old, signer = BLOCK - 500, SIGNERS[0]
    epoch = stage.post(stage.epoch(block_number=old, block_hash=keccak(b"long ago")))
    other = replace(epoch.header, time=5)
    elsewhere = replace(other, block_number=old + 1)
    orphan = replace(other, block_hash=keccak(b"replaced"))
    commit_to_signer(stage, signer)
    with refused("NotCanonical", old, epoch.header.block_hash, bytes(32)):
        stage.disputes.call("disputeEquivocation", twins(stage, epoch.header, other), SALT, caller=CLAIMANT)
    for wrong in (elsewhere, orphan):
        with refused("NotCanonical"):
            given = twins(stage, epoch.header, wrong, posted=epoch)
            stage.disputes.call("disputeEquivocation", given, SALT, caller=CLAIMANT)
    made_up = stage.epoch(block_number=old, block_hash=keccak(b"replaced"))
    with refused("NotAsPosted"):
        given = twins(stage, orphan, made_up.header, posted=made_up)
        stage.disputes.call("disputeEquivocation", given, SALT, caller=CLAIMANT)
    stage.disputes.call(
        "disputeEquivocation", twins(stage, epoch.header, other, posted=epoch), SALT, caller=CLAIMANT
    )


def test_headers_of_another_chain_are_signed_by_somebody_else(stage: DisputeStage) -> None:
    """A signature under another domain recovers to an address that nobody answers for."""
    epoch = stage.post(stage.epoch())
    other = replace(epoch.header, time=5)
    given = list(twins(stage, epoch.header, other))
    given[1] = stage.sign(epoch.header.struct_hash(), SIGNERS[:1], chain_id=1)
    commit_to_signer(stage, SIGNERS[0])
    with refused("DifferentSigners"):
        stage.disputes.call("disputeEquivocation", tuple(given), SALT, caller=CLAIMANT)


def test_histories_of_identity(stage: DisputeStage) -> None:
    """A leaf of what the account held before or after the block is wrong; of what it held then, right."""
    a, b, c = (keccak(b"portfolio %d" % i) for i in range(3))
    changes = [Change(10, a), Change(BLOCK, b), Change(BLOCK + 1, c)]
    number = len(stage.accounts)
    stage.stage.transact("open", 5, folded(changes))
    stage.commit(Kind.IDENTITY, number)
    history: History = witness(changes, BLOCK)
    for held in (a, b, c, keccak(b"")):
        leaf = Leaf(number, held, 0, 0, 0, 0, b"")
        epoch = stage.post(stage.epoch([*stage.true_leaves(), leaf]))
        given = (epoch.claim(), number, astuple(leaf), epoch.proof(number), astuple(history))
        if held == b:
            with refused("IdentityIsRight", number, b):
                stage.disputes.call("disputeIdentity", *given, caller=CLAIMANT)
        else:
            stage.disputes.call("disputeIdentity", *given, caller=CLAIMANT)


def test_nobody_else_may_penalize_or_invalidate(stage: DisputeStage) -> None:
    with refused("NotConnected", STRANGER):
        stage.attesters.transact("penalize", [SIGNERS[0].address], 0, STRANGER, 1, True, caller=STRANGER)
