"""Which settlement price can be posted for an expired expiry that the chain has not recorded yet.

The first market posted at or after an expiry carries its price, and the contracts hold it against the outside feed of that moment.
A source's own settlement price may be older: when the epochs paused across an expiry, the feed may have moved away from it for
good. Then the spot of the posted market stands in, so that a pause can never block posting.
"""

from __future__ import annotations

from marginproof.protocol.venue import Venue

_BASIS_POINTS = 10_000


def confirmable(price_e8: int, spot_e8: int, max_deviation_bps: int) -> bool:
    """Whether the feed can be expected to confirm a price: it lies within half the guard's deviation of spot (all E8)."""
    return 2 * abs(price_e8 - spot_e8) * _BASIS_POINTS <= max_deviation_bps * spot_e8


def postable(price_e8: int, spot_e8: int, max_deviation_bps: int) -> int:
    """The source's settlement price while the feed can confirm it, else the snapshot's spot. E8."""
    return price_e8 if confirmable(price_e8, spot_e8, max_deviation_bps) else spot_e8


def guard_deviations(venue: Venue, underlyings: list[int]) -> dict[int, int]:
    """The price guard's greatest deviation per underlying, basis points."""
    return {underlying: venue.call("PriceGuard", "feedsOf", underlying)[2] for underlying in underlyings}
