"""The heart: on random books, markets and models a true leaf cannot be disputed with any evidence, and a wrong one always can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, replace
from random import Random
from typing import Any

import pytest

from evm.draws import Value, anything, ordinary
from evm.machine import ContractRefused
from marginproof.auditor.evidence import Kind, figure_evidence
from marginproof.spec.margin import Margin
from marginproof.spec.provenance import START, Change, History, folded, witness
from marginproof.spec.typed_data import Leaf

from .dispute_stage import BLOCK, CLAIMANT, MATERIALITY_E8, DisputeStage, Epoch

WORLDS = 3
DRAWS = {"ordinary models": ordinary, "anything in range": anything}
INT256 = (-(2**255), 2**255 - 1)
UINT256 = (0, 2**256 - 1)
FIGURES = {
    "portfolio_value": INT256,
    "spot_value": INT256,
    "initial_margin": UINT256,
    "maintenance_margin": UINT256,
}


def number_lies(rng: Random, true: int, low: int, high: int) -> set[int]:
    """By a unit, around materiality, by a lot, and the ends of the type."""
    size = int(10 ** rng.uniform(0, 20))
    steps = (1, MATERIALITY_E8 - 1, MATERIALITY_E8, size)
    wanted = {low, high, 0, -true, *(true + sign * step for step in steps for sign in (-1, 1))}
    return {value for value in wanted if low <= value <= high and value != true}


def worst_lies(rng: Random, figures: Margin) -> set[bytes]:
    """Every other index (ties among them), indices beyond, and bytes that are no choices."""
    true = bytes(b for scan in figures.scans for b in (scan.underlying, scan.worst))
    lies = {true[:-1], true[:-2], true + b"\0", true + true[-2:], true + bytes((63, 0)), b"", b"\1\0"}
    for place, scan in enumerate(figures.scans):
        for index in (*range(len(scan.losses)), len(scan.losses), 255):
            lies.add(true[: 2 * place + 1] + bytes((index,)) + true[2 * place + 2 :])
        lies.add(true[: 2 * place] + bytes((63,)) + true[2 * place + 1 :])
    if len(figures.scans) > 1:
        lies.add(true[2:] + true[:2])
    lies.add(rng.randbytes(len(true)))
    return lies - {true}


def lies(rng: Random, stage: DisputeStage, index: int) -> Iterator[dict[str, Any]]:
    """Changes of one field of a true leaf, in every field."""
    leaf = stage.true_leaf(index)
    for account in (index + 1, (index - 1) % 2**64, 0, 2**64 - 1):
        if account != index:
            yield {"account": account}
    for mask in (1, 1 << 255):
        yield {"portfolio_hash": (int.from_bytes(leaf.portfolio_hash, "big") ^ mask).to_bytes(32, "big")}
    yield {"portfolio_hash": bytes(32)}
    for name, (low, high) in FIGURES.items():
        for value in sorted(number_lies(rng, getattr(leaf, name), low, high)):
            yield {name: value}
    for worst in sorted(worst_lies(rng, stage.accounts[index].figures)):
        yield {"worst_scenarios": worst}


def commit_to_all(stage: DisputeStage) -> None:
    """Commitments to every dispute of the round, used by calls that keep nothing."""
    for index in range(len(stage.accounts)):
        for kind in (Kind.LEAF, Kind.IDENTITY):
            stage.commit(kind, index)
    stage.commit(Kind.COUNT, 0)


def has_both_factors(stage: DisputeStage, index: int) -> bool:
    """Whether neither factor is next to nothing beside the other: otherwise an index moves one requirement alone."""
    pairs = [
        (scan.initial_factor, stage.drawn.model.section(scan.underlying).maintenance_factor)
        for scan in stage.accounts[index].figures.scans
    ]
    return all(min(pair) * 10**9 > max(pair) for pair in pairs)


@pytest.mark.parametrize("value", DRAWS.values(), ids=DRAWS.keys())
def test_a_wrong_leaf_can_always_be_disputed(value: Value) -> None:
    rng = Random(f"wrong leaves {value.__name__}")
    kinds = set()
    for _ in range(WORLDS):
        stage = DisputeStage(rng, accounts=rng.randint(2, 4), value=value)
        commit_to_all(stage)
        for index in range(len(stage.accounts)):
            for change in lies(rng, stage, index):
                epoch = stage.with_lie(index, **change)
                evidence = stage.evidence(epoch, index)
                assert evidence is not None, change
                name, arguments = stage.arguments(epoch, index, evidence)
                stage.disputes.call(name, *arguments, caller=CLAIMANT)
                found = stage.event("EpochDisputed")
                shown = (found["kind"], found["differenceE8"], found["slashed"])
                expected = (evidence.kind, evidence.difference_e8, evidence.is_material(MATERIALITY_E8))
                assert shown == expected, change
                kinds.add((evidence.kind, evidence.repricings, expected[2]))
                if "worst_scenarios" in change and has_both_factors(stage, index):
                    assert not found["slashed"], change
    assert kinds == {
        (Kind.IDENTITY, 0, False),
        (Kind.LEAF, 1, False),
        (Kind.LEAF, 1, True),
        (Kind.LEAF, 3, False),
    }


@pytest.mark.parametrize("value", DRAWS.values(), ids=DRAWS.keys())
def test_an_index_that_is_wrong_beside_right_figures_never_costs_a_bond(value: Value) -> None:
    """Whatever the claimant reprices: the epoch falls at most for a bounty."""
    rng = Random(f"indices {value.__name__}")
    shown = set()
    for _ in range(WORLDS):
        stage = DisputeStage(rng, accounts=2, value=value)
        if not has_both_factors(stage, 0):
            continue
        commit_to_all(stage)
        for worst in sorted(worst_lies(rng, stage.accounts[0].figures)):
            epoch = stage.with_lie(0, worst_scenarios=worst)
            leaf = (astuple(epoch.leaves[0]), epoch.proof(0))
            crafted = sorted(all_choices(rng, stage.accounts[0].figures))
            some = rng.sample(crafted, min(8, len(crafted)))
            for choices in (worst, stage.true_leaf(0).worst_scenarios, b"", *some):
                witness_ = stage.witness(0, choices)
                try:
                    stage.disputes.call("disputeLeaf", epoch.claim(), *leaf, witness_, caller=CLAIMANT)
                except ContractRefused as refusal_:
                    shown.add(refusal_.name)
                    continue
                found = stage.event("EpochDisputed")
                assert (found["differenceE8"], found["slashed"]) == (0, False), (worst, choices)
                shown.add("fell")
    assert {"fell"} <= shown <= {"fell", "LeafIsRight", "WrongChoices", "ScenarioOutOfRange"}


@pytest.mark.parametrize("value", DRAWS.values(), ids=DRAWS.keys())
def test_requirements_that_are_both_too_high_cost_bonds_over_all_scenarios(value: Value) -> None:
    """At the leaf's own index that may be the index alone; over all scenarios it is the figures, to the unit."""
    rng = Random(f"both {value.__name__}")
    for _ in range(WORLDS):
        stage = DisputeStage(rng, accounts=2, value=value)
        commit_to_all(stage)
        true = stage.true_leaf(0)
        for by in (1, MATERIALITY_E8 - 1, MATERIALITY_E8, 10**6 * MATERIALITY_E8):
            figures = {
                "initial_margin": true.initial_margin + by,
                "maintenance_margin": true.maintenance_margin + 1,
            }
            epoch = stage.with_lie(0, **figures)
            leaf = (astuple(epoch.leaves[0]), epoch.proof(0))
            for choices, difference in ((true.worst_scenarios, 0), (b"", by)):
                given = (epoch.claim(), *leaf, stage.witness(0, choices))
                stage.disputes.call("disputeLeaf", *given, caller=CLAIMANT)
                found = stage.event("EpochDisputed")
                expected = by if not true.worst_scenarios else difference
                assert (found["differenceE8"], found["slashed"]) == (expected, expected >= MATERIALITY_E8)
            evidence = stage.evidence(epoch, 0)
            assert evidence is not None
            assert evidence.is_material(MATERIALITY_E8) == (by >= MATERIALITY_E8)
            assert (evidence.choices == b"") == (by >= MATERIALITY_E8 or not true.worst_scenarios)


@pytest.mark.parametrize("value", DRAWS.values(), ids=DRAWS.keys())
def test_several_lies_in_one_leaf_can_be_disputed(value: Value) -> None:
    rng = Random(f"several lies {value.__name__}")
    for _ in range(WORLDS):
        stage = DisputeStage(rng, accounts=2, value=value)
        commit_to_all(stage)
        for _ in range(25):
            index = rng.randrange(2)
            drawn = list(lies(rng, stage, index))
            change = {k: v for part in rng.sample(drawn, 3) for k, v in part.items()}
            epoch = stage.with_lie(index, **change)
            evidence = stage.evidence(epoch, index)
            assert evidence is not None, change
            name, arguments = stage.arguments(epoch, index, evidence)
            stage.disputes.call(name, *arguments, caller=CLAIMANT)
            assert stage.event("EpochDisputed")["differenceE8"] == evidence.difference_e8, change


def refusal(stage: DisputeStage, name: str, *arguments: Any) -> str:
    """The name under which a dispute is refused."""
    with pytest.raises(ContractRefused) as caught:
        stage.disputes.call(name, *arguments, caller=CLAIMANT)
    return caught.value.name


def all_choices(rng: Random, figures: Margin) -> set[bytes]:
    """Every pair of indices for books of up to two underlyings of few scenarios, and what is malformed."""
    first, *rest = [
        [bytes((scan.underlying, i)) for i in range(len(scan.losses))] for scan in figures.scans
    ] or [[b""]]
    second = rest[0] if rest else [b""]
    return {a + b for a in first for b in second} | worst_lies(rng, figures)


@pytest.mark.parametrize("value", DRAWS.values(), ids=DRAWS.keys())
def test_attack_35_true_epoch_disputed_with_crafted_witnesses(value: Value) -> None:
    rng = Random(f"true leaves {value.__name__}")
    names = set()
    for _ in range(WORLDS):
        stage = DisputeStage(rng, accounts=rng.randint(2, 3), value=value, most=6)
        commit_to_all(stage)
        epoch = stage.post(stage.epoch())
        assert refusal(stage, "disputeCount", epoch.claim()) == "CountIsRight"
        for index, account in enumerate(stage.accounts):
            assert stage.evidence(epoch, index) is None
            leaf = (astuple(epoch.leaves[index]), epoch.proof(index))
            for choices in sorted(all_choices(rng, account.figures)):
                given = (epoch.claim(), *leaf, stage.witness(index, choices))
                names.add(refusal(stage, "disputeLeaf", *given))
            for history in crafted_histories(rng, account.changes):
                given = (epoch.claim(), index, *leaf, astuple(history))
                names.add(refusal(stage, "disputeIdentity", *given))
            names |= crafted_bytes(rng, stage, index, leaf)
    assert names == {
        "LeafIsRight",
        "WrongChoices",
        "ScenarioOutOfRange",
        "IdentityIsRight",
        "WrongHistory",
        "NotLastChange",
        "WrongPortfolioBytes",
        "WrongMarketBytes",
        "BadLength",
        "LeafOutOfRange",
        "WrongRoot",
        "BadProofLength",
        "NotAsPosted",
    }


def crafted_histories(rng: Random, changes: list[Change]) -> Iterator[History]:
    """The true witness, those of other blocks, and ones with parts left out, put in or made up."""
    for block in (0, 5, BLOCK - 1, BLOCK, BLOCK + 50, 2_000):
        yield witness(changes, block)
    yield History(folded(changes), 0, bytes(32), ())
    yield History(START, 0, bytes(32), ())
    yield History(rng.randbytes(32), BLOCK, rng.randbytes(32), ())
    true = witness(changes, BLOCK)
    yield replace(true, later=true.later[1:])
    yield replace(true, portfolio_hash=rng.randbytes(32))


def crafted_bytes(rng: Random, stage: DisputeStage, index: int, leaf: tuple[Any, ...]) -> set[str]:
    """Witness bytes cut, lengthened or changed, another leaf, another index, another header."""
    epoch = stage.epoch()
    figures = stage.accounts[index].figures
    choices = bytes(b for scan in figures.scans for b in (scan.underlying, scan.worst))
    portfolio, market, _ = stage.witness(index, choices)
    names = set()

    def spoiled(data: bytes) -> list[bytes]:
        flipped = bytearray(data)
        if data:
            flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        half = len(data) // 24 * 12
        return [data[:-1], data[:-12], data + b"\0", bytes(flipped), data[half:] + data[:half], b"\1"]

    for other in spoiled(portfolio):
        if other != portfolio:
            given = (epoch.claim(), *leaf, (other, market, choices))
            names.add(refusal(stage, "disputeLeaf", *given))
    for other in spoiled(market):
        if other != market:
            given = (epoch.claim(), *leaf, (portfolio, other, choices))
            names.add(refusal(stage, "disputeLeaf", *given))
    stated, siblings = leaf
    for changed in (
        (*stated[:2], stated[2] + 1, *stated[3:]),
        (*stated[:4], stated[4] + 1, *stated[5:]),
        (*stated[:6], stated[6] + b"\0\0"),
    ):
        names.add(
            refusal(stage, "disputeLeaf", epoch.claim(), changed, siblings, (portfolio, market, choices))
        )
    history = astuple(witness(stage.accounts[index].changes, BLOCK))
    count = len(stage.accounts)
    stage.commit(Kind.IDENTITY, count)
    for place in {*range(count + 1)} - {index}:
        names.add(refusal(stage, "disputeIdentity", epoch.claim(), place, *leaf, history))
    names.add(refusal(stage, "disputeIdentity", epoch.claim(), index, stated, [*siblings, START], history))
    header = epoch.header
    for other_header in (
        replace(header, leaf_count=header.leaf_count + 1),
        replace(header, block_number=BLOCK - 1),
        replace(header, market_hash=rng.randbytes(32)),
        replace(header, model_hash=rng.randbytes(32)),
    ):
        claim = (astuple(other_header), *epoch.claim()[1:])
        names.add(refusal(stage, "disputeLeaf", claim, *leaf, (portfolio, market, choices)))
        names.add(refusal(stage, "disputeCount", claim))
    return names


@pytest.mark.parametrize("value", DRAWS.values(), ids=DRAWS.keys())
def test_tickets_true_and_wrong(value: Value) -> None:
    rng = Random(f"tickets {value.__name__}")
    for _ in range(WORLDS):
        stage = DisputeStage(rng, accounts=2, value=value, most=6)
        epoch = stage.post(stage.epoch())
        true = stage.true_leaf(0)
        figures = stage.accounts[0].figures
        other = replace(true, account=99, portfolio_hash=rng.randbytes(32))
        for change in ({}, *rng.sample(list(lies(rng, stage, 0)), 12)):
            # A ticket is of a portfolio nobody holds yet: whose it is and what is held do not matter.
            if {"account", "portfolio_hash"} & set(change):
                continue
            check_ticket(rng, stage, epoch, replace(true, **change), other, figures)


def check_ticket(
    rng: Random, stage: DisputeStage, epoch: Epoch, leaf: Leaf, other: Leaf, figures: Margin
) -> None:
    place = rng.randrange(2)
    tickets = stage.tickets(epoch, [leaf, other] if place == 0 else [other, leaf])
    signatures = stage.sign(tickets.struct_hash())
    stage.commit(Kind.TICKET, stage.ticket_digest(tickets))
    evidence = figure_evidence(leaf, figures, stage.drawn.model, MATERIALITY_E8, Kind.TICKET)
    options = all_choices(rng, figures) if evidence is None else {evidence.choices}
    for choices in sorted(options):
        arguments = stage.ticket_arguments(epoch, tickets, signatures, place, leaf, stage.witness(0, choices))
        if evidence is None:
            assert refusal(stage, "disputeTicket", *arguments) in (
                "LeafIsRight",
                "WrongChoices",
                "ScenarioOutOfRange",
            )
        else:
            stage.disputes.call("disputeTicket", *arguments, caller=CLAIMANT)
            found = stage.event("TicketDisputed")
            assert found["digest"] == stage.ticket_digest(tickets)
            assert found["differenceE8"] == evidence.difference_e8
