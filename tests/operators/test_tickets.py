"""Tickets: what attesters sign about would-be portfolios, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from marginproof.attester.checks import RefusedError
from marginproof.attester.tickets import sign_tickets
from marginproof.protocol.messages import TicketEntry, TicketRequest
from marginproof.protocol.quorum import QuorumNotReachedError
from marginproof.protocol.replay import Replayer
from marginproof.protocol.signing import SIGNATURE_BYTES, recover
from marginproof.protocol.tickets import Wanted, request_of, request_tickets, ticket_leaves, tickets_of
from marginproof.spec.portfolio import apply_trade
from operators.stage import Stage, served

THREE = range(3)


def wanted(stage: Stage) -> list[Wanted]:
    """The first two accounts after one more unit of what the first holds."""
    state = Replayer(stage.venue).state_at()
    instrument = state.accounts[0].positions[0].instrument
    return [
        (0, apply_trade(state.accounts[0].positions, instrument, 10**8)),
        (1, state.accounts[1].positions),
    ]


def test_a_quorum_signs_the_leaves_that_everybody_computes(stage: Stage) -> None:
    state = Replayer(stage.venue).state_at()
    with served([stage.attester(index) for index in THREE]) as urls:
        tickets = request_tickets(stage.venue, state, wanted(stage), urls)
    epoch = state.newest_epoch()
    assert tickets.leaves == ticket_leaves(state, epoch, wanted(stage))
    assert tickets.leaves[1] == replace(tickets.leaves[1], account=1)
    domain, struct_hash = stage.venue.domain("EpochRegistry"), tickets_of(epoch, tickets.leaves).struct_hash()
    parts = [
        tickets.signatures[i : i + SIGNATURE_BYTES]
        for i in range(0, len(tickets.signatures), SIGNATURE_BYTES)
    ]
    signers = [recover(part, domain, struct_hash) for part in parts]
    assert len(signers) == 3
    assert signers == sorted(signers, key=lambda signer: int(str(signer), 16))
    assert set(signers) <= set(stage.venue.call("AttesterSet", "attesters"))


def test_a_leaf_of_the_portfolio_held_is_the_epoch_s_own(stage: Stage) -> None:
    state = Replayer(stage.venue).state_at()
    epoch = state.newest_epoch()
    held = [(account, state.accounts[account].positions) for account in range(len(state.accounts))]
    then = Replayer(stage.venue).state_at(epoch.header.block_number)
    leaves = ticket_leaves(state, epoch, held)
    published = next(iter(state.published[epoch.header.round].values()))
    same = [a for a in range(len(held)) if then.accounts[a].positions == state.accounts[a].positions]
    assert len(same) > 5
    assert all(leaves[account] == published[account] for account in same)


def test_tickets_of_another_round_are_refused(stage: Stage) -> None:
    state = Replayer(stage.venue).state_at()
    request = request_of(state.newest_epoch(), wanted(stage))
    attester = stage.attester(0)
    for number in (request.round - 1, request.round + 1):
        with pytest.raises(
            RefusedError, match=f"asked for round {number}; the newest valid one is {request.round}"
        ):
            sign_tickets(attester.signer, attester.replayer, request.model_copy(update={"round": number}))


@pytest.mark.parametrize(
    ("portfolio", "words"),
    [
        ("0x" + "ff" * 4 + "00" * 7 + "01", "cannot be margined: UnknownInstrument"),
        ("0x" + "04000001" + "00" * 8, "ZeroQuantity"),
        ("0x" + ("04010000" + "00" * 7 + "01") * 2, "PositionsNotSorted"),
    ],
)
def test_portfolios_that_cannot_be_are_refused(stage: Stage, portfolio: str, words: str) -> None:
    number = Replayer(stage.venue).state_at().newest_epoch().header.round
    request = TicketRequest(round=number, entries=(TicketEntry(account=0, portfolio=portfolio),))
    attester = stage.attester(0)
    with pytest.raises(RefusedError, match=words):
        sign_tickets(attester.signer, attester.replayer, request)


def test_tickets_of_an_expired_epoch_are_refused(stage: Stage) -> None:
    state = Replayer(stage.venue).state_at()
    epoch = state.newest_epoch()
    stage.chain.set_next_timestamp(epoch.header.valid_until)
    stage.chain.rpc("evm_mine")
    attester = stage.attester(0)
    with pytest.raises(
        RefusedError, match=f"Epoch {epoch.header.round} expired at {epoch.header.valid_until}"
    ):
        sign_tickets(attester.signer, attester.replayer, request_of(epoch, wanted(stage)))
    with (
        served([stage.attester(index) for index in THREE]) as urls,
        pytest.raises(QuorumNotReachedError, match="expired at"),
    ):
        request_tickets(stage.venue, state, wanted(stage), urls)
