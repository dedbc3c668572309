"""Lies are proven wrong on chain by whoever audits, wherever they stand; the truth offers nothing to dispute."""

from __future__ import annotations

from dataclasses import replace

import pytest

from marginproof.attester import tickets as attester_tickets
from marginproof.auditor.audit import Auditor
from marginproof.auditor.claims import Claimant, cases_of
from marginproof.auditor.disputable import WrongLeaf, WrongTicket
from marginproof.auditor.evidence import Kind
from marginproof.auditor.findings import EpochAudit
from marginproof.engine.epoch import Epoch, recommit
from marginproof.errors import ChainError
from marginproof.protocol import tickets as protocol_tickets
from marginproof.protocol.compute import epoch_of
from marginproof.protocol.replay import Replayer
from marginproof.protocol.state import VenueState
from marginproof.protocol.trades import Settlement
from marginproof.protocol.venue import Venue
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.shown import ShownWithdrawal, pack_withdrawal
from marginproof.spec.typed_data import Leaf
from operators.stage import Stage, served

VICTIM = 6
LARGE = 1_000 * 10**8
THREE = range(3)


def lies_about(victim: int = VICTIM, **changes: int | bytes) -> object:
    """An epoch in which fields of one leaf are other bytes, or off by so much."""

    def compute(state: VenueState, market: MarketSnapshot) -> Epoch:
        result = epoch_of(state, market)
        leaves = list(result.leaves)
        true = leaves[victim]
        values = {
            field: change if isinstance(change, bytes) else getattr(true, field) + change
            for field, change in changes.items()
        }
        leaves[victim] = replace(true, **values)  # type: ignore[arg-type]
        return recommit(result, leaves)

    return compute


def lie_about(field: str, change: int | bytes) -> object:
    return lies_about(**{field: change})


def post(stage: Stage, snapshot: int, compute: object = epoch_of, publish_up_to: int = 1_000) -> Epoch:
    stage.move_to(snapshot)
    with served([stage.attester(index, compute=compute) for index in THREE]) as urls:  # type: ignore[arg-type]
        keeper = stage.keeper(urls, compute=compute)  # type: ignore[arg-type]
        keeper.publish_up_to = publish_up_to
        done = keeper.round()
    assert done is not None
    return done.epoch.result


def audits(stage: Stage) -> list[EpochAudit]:
    return list(Auditor(Venue.open(stage.chain.url, stage.venue.deployment), on_chain=False).audit())


def claimant(stage: Stage) -> Claimant:
    return Claimant(stage.venue, stage.venue.sender(stage.world.keys.claimant))


def reward(stage: Stage) -> int:
    return int(stage.venue.token("settlement").functions.balanceOf(stage.world.keys.claimant.address).call())


@pytest.mark.parametrize(
    ("field", "change", "kind", "slashed"),
    [
        ("portfolio_value", 1, Kind.LEAF, False),
        ("spot_value", -1, Kind.LEAF, False),
        ("initial_margin", -1, Kind.LEAF, False),
        ("initial_margin", 1, Kind.LEAF, False),
        ("maintenance_margin", -LARGE, Kind.LEAF, True),
        ("portfolio_value", LARGE, Kind.LEAF, True),
        ("worst_scenarios", b"\x01\x00", Kind.LEAF, False),
        ("portfolio_hash", b"\x07" * 32, Kind.IDENTITY, False),
    ],
)
def test_a_lie_in_any_field_is_proven_wrong(
    stage: Stage, field: str, change: int | bytes, kind: Kind, slashed: bool
) -> None:
    post(stage, 1, lie_about(field, change))
    (case,) = cases_of(audits(stage))
    assert isinstance(case, WrongLeaf)
    assert (case.index, case.kind) == (VICTIM, kind)
    quote = claimant(stage).quote(case)
    filed = claimant(stage).file(case)
    assert (filed.slashed, filed.paid) == (slashed, reward(stage))
    assert filed.paid == quote.reward > 0
    assert filed.gas < 2 * quote.gas
    assert stage.venue.call("EpochRegistry", "latestHeader")[0] == 2
    last = audits(stage)[-1]
    assert last.invalidated
    assert last.findings
    assert not last.is_open
    assert cases_of([last]) == []


@pytest.mark.parametrize(("by", "slashed"), [(1, False), (LARGE, True)])
def test_requirements_that_are_both_too_high_are_proven_wrong(stage: Stage, by: int, slashed: bool) -> None:
    """For a bounty at the leaf's own index; for bonds over all scenarios, where an index alone cannot be what is wrong."""
    post(stage, 1, lies_about(initial_margin=by, maintenance_margin=by))
    (case,) = cases_of(audits(stage))
    assert (case.evidence.choices == b"", case.evidence.difference_e8) == (slashed, by if slashed else 0)
    quote = claimant(stage).quote(case)
    filed = claimant(stage).file(case)
    assert (filed.slashed, filed.paid) == (slashed, quote.reward)
    assert filed.gas < 2 * quote.gas
    assert audits(stage)[-1].invalidated


def test_the_truth_offers_nothing_to_dispute(stage: Stage) -> None:
    post(stage, 1)
    found = audits(stage)
    assert [item.round for item in found] == [1, 2, 3]
    assert cases_of(found) == []
    assert not any(item.is_open for item in found)


def test_a_second_dispute_of_the_same_is_refused(stage: Stage) -> None:
    post(stage, 1, lie_about("maintenance_margin", -1))
    (case,) = cases_of(audits(stage))
    claimant(stage).file(case)
    with pytest.raises(ChainError, match="AlreadyInvalid"):
        claimant(stage).file(case)


def test_attack_38_a_leaf_kept_from_everybody_shows_itself_when_it_is_used(stage: Stage) -> None:
    state = Replayer(stage.venue).state_at()
    victim = next(
        a
        for a, held in enumerate(state.accounts[: len(stage.world.books)])
        if held.positions and held.cash_e8 > 10**10
    )
    false = post(stage, 1, lies_about(victim, portfolio_value=LARGE), publish_up_to=0)
    unseen = audits(stage)[-1]
    assert [finding.field for finding in unseen.findings] == ["leafRoot"]
    assert unseen.disputable == []
    owner = stage.world.holder(victim)
    leaf, siblings = false.leaves[victim], tuple(false.proof(victim))
    shown = ShownWithdrawal(leaf, siblings, 1, bytes.fromhex(owner.address[2:]))
    stage.venue.send(owner, "MarginVault", "withdraw", pack_withdrawal(shown))
    (case,) = cases_of(audits(stage))
    assert isinstance(case, WrongLeaf)
    assert case.index == victim
    assert claimant(stage).file(case).slashed


def test_a_false_ticket_is_proven_wrong_and_its_epoch_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = protocol_tickets.ticket_leaves

    def false(*arguments: object) -> tuple[Leaf, ...]:
        first, second = honest(*arguments)  # type: ignore[arg-type]
        return replace(first, initial_margin=first.initial_margin - 1), second

    for module in (attester_tickets, protocol_tickets):
        monkeypatch.setattr(module, "ticket_leaves", false)
    state = Replayer(stage.venue).state_at()
    market = state.newest_epoch().market
    perpetual = next(number for number in state.listed if state.table().resolve(number).kind == 1)
    price = market.underlyings[0].perpetual_e8 - market.underlyings[0].funding_e8
    orders = (
        stage.world.order(0, perpetual, -(10**6), price),
        stage.world.order(1, perpetual, 10**6, price),
    )
    settlement = Settlement.of(stage.venue, state, *orders)
    with served([stage.attester(index) for index in THREE]) as urls:
        settled = settlement.settle(stage.venue.sender(stage.world.keys.keeper), urls)
    assert settled.rung == "attested"
    monkeypatch.undo()
    (case,) = cases_of(audits(stage))
    assert isinstance(case, WrongTicket)
    assert (case.ticket.account, case.evidence.difference_e8) == (0, 1)
    filed = claimant(stage).file(case)
    assert not filed.slashed
    assert filed.paid == reward(stage) > 0
    after = audits(stage)
    assert not any(item.is_open for item in after)
    assert not any(item.invalidated for item in after)
    assert stage.venue.call("EpochRegistry", "latestHeader")[0] == 2


def test_a_quote_sends_nothing_and_a_dispute_needs_a_key(stage: Stage) -> None:
    post(stage, 1, lie_about("maintenance_margin", -1))
    (case,) = cases_of(audits(stage))
    head = stage.venue.web3.eth.block_number
    quote = Claimant(stage.venue, None).quote(case)
    assert quote.is_material is False
    assert quote.gas > 100_000
    assert stage.venue.web3.eth.block_number == head
    with pytest.raises(ChainError, match="needs a key"):
        Claimant(stage.venue, None).file(case)
