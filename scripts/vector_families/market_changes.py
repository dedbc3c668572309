"""Family epoch, topic market: markets that differ from a small one in a field, in order or in bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from marginproof.spec.market import ExpiryMarket, MarketSnapshot, encode_header, encode_section

from .case import Draft, hexadecimal
from .samples import LONE, TIME


def raw_market(market: MarketSnapshot) -> bytes:
    """Canonical layout without any check of ranges or order."""
    return encode_header(market) + b"".join(encode_section(section) for section in market.underlyings)


def market_draft(name: str, market: MarketSnapshot, flag: str = "corner") -> Draft:
    """The bytes of a market as they are, right or wrong."""
    return Draft(name, {"bytes": hexadecimal(raw_market(market))}, (flag,))


def changed(**changes: Any) -> MarketSnapshot:
    """The small market with other fields of its underlying."""
    return replace(LONE, underlyings=(replace(LONE.underlyings[0], **changes),))


def changed_quote(**changes: Any) -> MarketSnapshot:
    """The small market with other fields of its one quote."""
    return changed(expiries=(replace(LONE.underlyings[0].expiries[0], **changes),))


def quotes(count: int) -> tuple[ExpiryMarket, ...]:
    """So many quotes, a second apart."""
    return tuple(replace(LONE.underlyings[0].expiries[0], expiry=TIME + 1 + i) for i in range(count))
