"""Settling expired positions for owners who did not: so that markets need not carry old settlement prices for ever."""

from __future__ import annotations

from marginproof.protocol.state import VenueState
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.portfolio import encode_portfolio


def settle_expired(state: VenueState, venue: Venue, sender: Sender, now: int) -> int:
    """Settle every account that holds a position whose settlement price is old enough for others to use; how many accounts.

    `now` is the chain's time, unix seconds. Errors: ChainError.
    """
    delay = venue.call("MarginVault", "settleDelay")
    open_to_others = {
        key for key in state.settlements if venue.call("EpochRegistry", "settledAt", *key) + delay <= now
    }
    table = state.table()
    settled = 0
    for account, held in enumerate(state.accounts):
        instruments = [table.resolve(position.instrument) for position in held.positions]
        if any((item.underlying, item.expiry) in open_to_others for item in instruments):
            portfolio = encode_portfolio(held.positions)
            venue.send(sender, "MarginVault", "settleExpired", account, portfolio)
            settled += 1
    return settled
