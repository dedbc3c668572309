"""A book without any chain: open interest made up around the forwards of a shipped crash market."""

from __future__ import annotations

import math
from decimal import Decimal

from marginproof.documents import MarketDocument
from marginproof.market.book_summary import ChainRow, ReadReport
from marginproof.market.books import Book, draw_book
from marginproof.market.fit import smile_vol
from marginproof.market.importing import Chain

STEPS = range(-10, 11)
"""Strikes, in quarters of a standard deviation from the forward."""


def drawn_book(market: MarketDocument, accounts: int, seed: int) -> Book:
    """Most interest is near the money, puts below the forward and calls above it."""
    rows = []
    for entry in market.underlyings:
        for item in entry.expiries:
            forward, seconds = item.forward_e8 / 1e8, item.expiry - market.time
            width = smile_vol(item.svi, forward, forward, seconds) * math.sqrt(seconds / (365 * 86_400))
            for step in STEPS:
                strike = Decimal(f"{forward * math.exp(step / 4 * width):.5g}")
                for option_type, wing in (("C", 1), ("P", -1)):
                    interest = Decimal(100 if step * wing >= 0 else 10) / (1 + abs(step))
                    rows.append(
                        ChainRow(
                            file="made up",
                            line=len(rows) + 1,
                            underlying=entry.symbol,
                            expiry=item.expiry,
                            strike=strike,
                            option_type=option_type,
                            snapshot=market.time,
                            mark_iv=None,
                            forward=None,
                            index=None,
                            has_bid=False,
                            open_interest=interest,
                        )
                    )
    return draw_book(Chain(market.time, tuple(rows), ReadReport()), market, accounts, seed)
