"""Disputes step by step: who is paid what by whom, what is invalid afterwards, and what does not work."""

from __future__ import annotations

from dataclasses import astuple, replace
from random import Random

import pytest

from evm.draws import World
from evm.machine import STRANGER, ContractRefused, refused
from marginproof.auditor.evidence import Evidence, Kind, leaf_evidence
from marginproof.spec.abridged import abridge_market, abridged_hash
from marginproof.spec.hashing import keccak
from marginproof.spec.instruments import Instrument
from marginproof.spec.instruments import Kind as InstrumentKind
from marginproof.spec.judgement import UNPRICED
from marginproof.spec.market import MarketSnapshot, UnderlyingMarket, decode_market
from marginproof.spec.model import Model, Scenario, VolKind, neutral_section
from marginproof.spec.portfolio import Position, encode_portfolio
from marginproof.spec.provenance import Change, History, folded, witness
from marginproof.spec.typed_data import EpochHeader, Leaf

from .bonds import BOND
from .dispute_acts import BONDED, DAY, PAID, PART, RIVAL, SLASHED, balances, dispute, raised
from .dispute_stage import (
    ATTESTERS,
    BLOCK,
    CLAIMANT,
    E8,
    MATERIALITY_E8,
    NO_HEADER,
    ROUND,
    SIGNERS,
    DisputeStage,
)
from .world import THRESHOLD


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


def test_attack_11_a_right_leaf_is_not_disputed_with_a_market_that_leaves_quotes_out(
    stage: DisputeStage,
) -> None:
    """The court would find an expiry missing, which is what a leaf of a worthless portfolio is slashed for."""
    epoch = stage.post(stage.epoch())
    stage.commit(Kind.LEAF, 0)
    leaf = epoch.leaves[0]
    market = decode_market(stage.market)
    stage.court.post(market)
    for needed in ({}, {part.underlying: set[int]() for part in market.underlyings}):
        abridged = abridge_market(market, needed)
        assert (len(abridged) < len(stage.market), abridged_hash(abridged)) == (
            True,
            epoch.header.market_hash,
        )
        for choices in (leaf.worst_scenarios, b""):
            given = (stage.accounts[0].portfolio, abridged, choices)
            with refused("BadLength", len(abridged)):
                stage.disputes.call(
                    "disputeLeaf", epoch.claim(), astuple(leaf), epoch.proof(0), given, caller=CLAIMANT
                )


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
