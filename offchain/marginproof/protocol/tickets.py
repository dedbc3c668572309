"""Tickets: leaves of would-be portfolios on the newest epoch's market, signed by the quorum, valid for that epoch only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marginproof.engine.values import ValueTable
from marginproof.protocol.messages import TicketEntry, TicketRequest
from marginproof.protocol.quorum import Answer, ask_quorum
from marginproof.protocol.state import PostedEpoch, VenueState
from marginproof.protocol.venue import Venue
from marginproof.spec.hashing import keccak
from marginproof.spec.margin import margin
from marginproof.spec.portfolio import Position, decode_portfolio, encode_portfolio
from marginproof.spec.typed_data import Leaf, Tickets, leaf_of

Wanted = tuple[int, Sequence[Position]]
"""An account and what it would hold."""


@dataclass(frozen=True, slots=True)
class SignedTickets:
    """The leaves that a quorum signed together, its k signatures in signer order, and what each attester said."""

    leaves: tuple[Leaf, ...]
    signatures: bytes
    answers: tuple[Answer, ...]


def ticket_leaves(state: VenueState, epoch: PostedEpoch, wanted: Sequence[Wanted]) -> tuple[Leaf, ...]:
    """The leaves of would-be portfolios on an epoch's market and model.

    `state` gives the registries. Errors: the specification's, for portfolios it refuses.
    """
    table = state.table()
    values = ValueTable(epoch.market, state.model(epoch.header.model_hash))
    leaves = []
    for account, positions in wanted:
        packed = encode_portfolio(positions)
        held = [(table.resolve(position.instrument), position.quantity) for position in positions]
        leaves.append(leaf_of(account, keccak(packed), margin(held, values)))
    return tuple(leaves)


def tickets_of(epoch: PostedEpoch, leaves: Sequence[Leaf]) -> Tickets:
    """What is signed for these leaves."""
    header = epoch.header
    return Tickets(header.round, header.struct_hash(), tuple(leaf.struct_hash() for leaf in leaves))


def request_of(epoch: PostedEpoch, wanted: Sequence[Wanted]) -> TicketRequest:
    """What attesters are asked."""
    return TicketRequest(
        round=epoch.header.round,
        entries=tuple(
            TicketEntry(account=account, portfolio="0x" + encode_portfolio(positions).hex())
            for account, positions in wanted
        ),
    )


def wanted_of(request: TicketRequest) -> list[Wanted]:
    """What a request asks for. Errors: the specification's, for malformed portfolios."""
    return [
        (entry.account, decode_portfolio(bytes.fromhex(entry.portfolio[2:]))) for entry in request.entries
    ]


def request_tickets(
    venue: Venue, state: VenueState, wanted: Sequence[Wanted], urls: Sequence[str]
) -> SignedTickets:
    """Compute the tickets and have the quorum sign them. Errors: QuorumNotReachedError with each attester's reason."""
    epoch = state.newest_epoch()
    leaves = ticket_leaves(state, epoch, wanted)
    body = request_of(epoch, wanted).model_dump_json().encode()
    signatures, answers = ask_quorum(venue, urls, "tickets", body, tickets_of(epoch, leaves).struct_hash())
    return SignedTickets(leaves, signatures, tuple(answers))
