"""What users showed to the contracts: leaves in withdrawals, tickets in trades. A lie that is kept from everybody else is shown here, or
it is of no use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from web3.exceptions import Web3Exception

from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.state import AccountState, PostedEpoch, VenueState
from marginproof.protocol.venue import Venue
from marginproof.spec.errors import SpecError
from marginproof.spec.portfolio import Position, apply_trade, portfolio_hash
from marginproof.spec.shown import unpack_trade, unpack_withdrawal
from marginproof.spec.tree import verify
from marginproof.spec.typed_data import EpochHeader, Leaf


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
        shown = bytes(call[1]["shown"])
        account = int.from_bytes(shown[:8], "big")
        # The contract took it for what the account held: a leaf of the tree is that for one of the portfolios it ever had.
        for held in _ever_held(newest.accounts[account], block):
            given = unpack_withdrawal(shown, held)
            if _is_in_tree(given.leaf, given.siblings, header):
                yield ShownLeaf(given.leaf, given.siblings)


def _ever_held(account: AccountState, block: int) -> set[bytes]:
    """Hashes of the portfolios that an account had up to a block."""
    return {portfolio_hash(())} | {
        change.portfolio_hash for change in account.changes if change.block_number <= block
    }


def _is_in_tree(leaf: Leaf, proof: tuple[bytes, ...], header: EpochHeader) -> bool:
    try:
        verify(leaf.struct_hash(), leaf.account, header.leaf_count, proof, header.leaf_root)
    except SpecError:
        return False
    return True


def shown_tickets(venue: Venue, epoch: PostedEpoch, newest: VenueState) -> Iterator[ShownTickets]:
    """Tickets of an epoch's round that trades used. Errors: ChainError."""
    for number, digest, transaction in newest.tickets_used:
        call = _call(venue, "MarginVault", transaction) if number == epoch.header.round else None
        if call is None or call[0] != "settleAttested":
            continue
        trade = unpack_trade(bytes(call[1]["trade"]))
        after = tuple(
            apply_trade(side.held, side.order.instrument, side.order.quantity) for side in trade.sides
        )
        yield ShownTickets(digest, tuple(side.leaf for side in trade.sides), after, trade.signatures)
