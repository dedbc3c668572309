"""Settling two signed orders, by recomputation on chain or by tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web3.types import TxReceipt

from marginproof.errors import ChainError, InputError
from marginproof.protocol.orders import SignedOrder, order_to_chain
from marginproof.protocol.rungs import ATTESTED, FULL, leaves_to_full
from marginproof.protocol.state import VenueState
from marginproof.protocol.tickets import Wanted, request_tickets
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.portfolio import Position, apply_trade, encode_portfolio
from marginproof.spec.shown import ShownSide, ShownTrade, pack_trade


@dataclass(frozen=True, slots=True)
class Settled:
    """A settled trade: the receipt, the rung of the ladder, and why tickets were not enough if they were tried."""

    receipt: TxReceipt
    rung: str
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """Two orders that meet (the first one's price is the trade's), and what their accounts hold before."""

    venue: Venue
    state: VenueState
    orders: tuple[SignedOrder, SignedOrder]
    holdings: tuple[Sequence[Position], Sequence[Position]]

    @classmethod
    def of(cls, venue: Venue, state: VenueState, resting: SignedOrder, taking: SignedOrder) -> Settlement:
        """The settlement of two orders on a state. Errors: InputError for an account that does not exist."""
        for signed in (resting, taking):
            if signed.order.account >= len(state.accounts):
                raise InputError(f"There is no account {signed.order.account}.")
        held = [state.accounts[signed.order.account].positions for signed in (resting, taking)]
        return cls(venue, state, (resting, taking), (held[0], held[1]))

    def wanted(self) -> list[Wanted]:
        """Both accounts and what they would hold. Errors: the specification's."""
        return [
            (signed.order.account, apply_trade(held, signed.order.instrument, signed.order.quantity))
            for signed, held in zip(self.orders, self.holdings, strict=True)
        ]

    def recomputed(self, sender: Sender) -> TxReceipt:
        """Settle on the full rung: the contracts recompute both accounts. Errors: ChainError with the contract's reason."""
        market = self.state.newest_epoch().market_bytes
        return self.venue.send(sender, "MarginVault", "settle", *self._orders(), *self._packed(), market)

    def attested(self, sender: Sender, urls: Sequence[str]) -> TxReceipt:
        """Settle on tickets of these attesters. Errors: QuorumNotReachedError, ChainError with the contract's reason."""
        tickets = request_tickets(self.venue, self.state, self.wanted(), urls)
        first, second = (
            ShownSide(signed.order, signed.signature, tuple(held), leaf)
            for signed, held, leaf in zip(self.orders, self.holdings, tickets.leaves, strict=True)
        )
        shown = pack_trade(ShownTrade((first, second), tickets.signatures))
        return self.venue.send(sender, "MarginVault", "settleAttested", shown)

    def settle(self, sender: Sender, urls: Sequence[str]) -> Settled:
        """Settle on tickets if there are attesters, and in full where the contracts leave the trade to no signature.

        Errors: QuorumNotReachedError, ChainError with the contract's reason.
        """
        if not urls:
            return Settled(self.recomputed(sender), FULL)
        try:
            return Settled(self.attested(sender, urls), ATTESTED)
        except ChainError as error:
            if not leaves_to_full(error):
                raise
            return Settled(self.recomputed(sender), FULL, error.message)

    def _orders(self) -> list[Any]:
        return [part for signed in self.orders for part in (order_to_chain(signed.order), signed.signature)]

    def _packed(self) -> list[bytes]:
        return [encode_portfolio(held) for held in self.holdings]
