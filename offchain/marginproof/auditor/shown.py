"""What users showed to the contracts: leaves in withdrawals, tickets in trades. A lie that is kept from everybody else is shown here, or
it is of no use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from web3.exceptions import Web3Exception

from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.state import PostedEpoch, VenueState, leaf_from_chain
from marginproof.protocol.venue import Venue
from marginproof.spec.errors import SpecError
from marginproof.spec.portfolio import Position, apply_trade, decode_portfolio
from marginproof.spec.tree import verify
from marginproof.spec.typed_data import Leaf


@dataclass(frozen=True, slots=True)
class ShownLeaf:
    """A leaf that a withdrawal used, with the siblings that prove it is in the epoch's tree."""

    leaf: Leaf
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ShownTickets:
    """The tickets that a trade used: leaves and signatures as sent, and what each account held afterwards."""

    digest: bytes
    leaves: tuple[Leaf, ...]
    portfolios: tuple[tuple[Position, ...], ...]
    signatures: bytes


def _call(venue: Venue, contract: str, transaction: str) -> tuple[str, dict[str, Any]] | None:
    """The function and arguments of a transaction sent straight to a contract; None for one that came through another."""
    sent = read(
        lambda: venue.web3.eth.get_transaction(transaction),  # type: ignore[arg-type]
        endpoint(venue.web3),
        f"the transaction {transaction}",
    )
    bound = venue.contract(contract)
    if sent.get("to") != bound.address:
        return None
    try:
        function, arguments = bound.decode_function_input(sent["input"])
    except (Web3Exception, ValueError):
        return None
    return str(function.fn_name), dict(arguments)


def shown_leaves(venue: Venue, epoch: PostedEpoch, newest: VenueState) -> Iterator[ShownLeaf]:
    """Leaves of an epoch's tree that withdrawals used. Errors: ChainError."""
    header = epoch.header
    for transaction, block in newest.releases:
        call = _call(venue, "MarginVault", transaction) if block >= epoch.block else None
        if call is None or call[0] != "withdraw":
            continue
        leaf = leaf_from_chain(call[1]["leaf"])
        proof = tuple(bytes(node) for node in call[1]["proof"])
        try:
            verify(leaf.struct_hash(), leaf.account, header.leaf_count, proof, header.leaf_root)
        except SpecError:
            continue
        yield ShownLeaf(leaf, proof)


def shown_tickets(venue: Venue, epoch: PostedEpoch, newest: VenueState) -> Iterator[ShownTickets]:
    """Tickets of an epoch's round that trades used. Errors: ChainError."""
    for number, digest, transaction in newest.tickets_used:
        call = _call(venue, "PortfolioLedger", transaction) if number == epoch.header.round else None
        if call is None or call[0] != "settleAttested":
            continue
        given = call[1]
        leaves = (leaf_from_chain(given["leafA"]), leaf_from_chain(given["leafB"]))
        after = tuple(
            tuple(apply_trade(decode_portfolio(bytes(packed)), order["instrument"], order["quantity"]))
            for packed, order in ((given["portfolioA"], given["a"]), (given["portfolioB"], given["b"]))
        )
        yield ShownTickets(digest, leaves, after, bytes(given["signatures"]))
