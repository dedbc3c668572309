"""Family epoch, topic market: what is refused. Every market has exactly one fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from marginproof.spec import limits
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement
from marginproof.spec.svi import Svi

from .case import Draft, hexadecimal
from .market_changes import changed, changed_quote, market_draft, quotes, raw_market
from .models import E8, WAD
from .samples import BITCOIN, LONE, MARKET, TIME
from .smile_faults import one_outside


def refused_markets() -> Iterator[Draft]:
    """All of them."""
    yield from _bad_ranges()
    yield from _bad_smiles()
    yield from _bad_shapes()
    yield from _last_faults()
    yield from _cuts()


def _bad_ranges() -> Iterator[Draft]:
    for time in (0, limits.MAX_TIME, 2**64 - 1):
        yield market_draft(
            f"time {time}", MarketSnapshot(time, E8, (replace(BITCOIN, settlements=(), expiries=()),))
        )
    for token in (0, limits.MAX_SETTLEMENT_TOKEN + 1, 2**64 - 1):
        yield market_draft(f"settlement token {token}", replace(LONE, settlement_token_e8=token))
    for field, values in (
        ("underlying", (0, 64, 255)),
        ("spot_e8", (0, limits.MIN_SPOT - 1, limits.MAX_SPOT + 1, 2**64 - 1)),
        ("perpetual_e8", (0, limits.MIN_SPOT - 1, limits.MAX_SPOT + 1, 2**64 - 1)),
        ("confidence_wad", (WAD + 1, 2**64 - 1)),
        ("funding_e8", (-limits.MAX_FUNDING - 1, limits.MAX_FUNDING + 1, -(2**63), 2**63 - 1)),
    ):
        for value in values:
            yield market_draft(f"{field} = {value}", changed(**{field: value}))
    for expiry in (0, TIME + 1):
        yield market_draft(f"settled expiry {expiry}", changed(settlements=(Settlement(expiry, E8),)))
    for price in (0, limits.MAX_SETTLEMENT_PRICE + 1):
        yield market_draft(f"settlement price {price}", changed(settlements=(Settlement(TIME, price),)))
    for expiry in (0, TIME - 1, TIME):
        yield market_draft(f"live expiry {expiry}", changed_quote(expiry=expiry))
    for forward in (0, limits.MIN_SPOT - 1, limits.MAX_SPOT + 1, 2**64 - 1):
        yield market_draft(f"forward {forward}", changed_quote(forward_e8=forward))
    for rate in (limits.MIN_RATE - 1, limits.MAX_RATE + 1, 2**63 - 1, -(2**63)):
        yield market_draft(f"rate {rate}", changed_quote(rate_wad=rate))
    for confidence in (WAD + 1, 2**64 - 1):
        yield market_draft(f"confidence in a quote {confidence}", changed_quote(confidence_wad=confidence))


def _bad_smiles() -> Iterator[Draft]:
    for name, svi in (
        ("negative variance", Svi(-1, 0, 0, 0, 10**17)),
        ("a too low", Svi(limits.MIN_SVI_A - 1, 2 * WAD, 0, 0, 4 * WAD)),
        ("b negative", Svi(10**17, -1, 0, 0, 10**17)),
        ("rho of one", Svi(10**17, 0, WAD, 0, 10**17)),
        ("m too high", Svi(10**17, 0, 0, limits.MAX_SVI_M + 1, 10**17)),
        ("sigma of zero", Svi(10**17, 0, 0, 0, 0)),
    ):
        yield market_draft(name, changed_quote(svi=svi))


def _bad_shapes() -> Iterator[Draft]:
    bare = replace(BITCOIN, settlements=(), expiries=())
    yield market_draft("no underlying", replace(LONE, underlyings=()))
    yield market_draft(
        "nine underlyings",
        replace(LONE, underlyings=tuple(replace(bare, underlying=u) for u in range(1, 10))),
    )
    yield market_draft("33 expiries", changed(expiries=quotes(33)))
    yield market_draft("33 settlements", changed(settlements=tuple(Settlement(i, i) for i in range(1, 34))))
    for pair in ((1, 1), (2, 1)):
        yield market_draft(
            f"underlyings {pair}",
            replace(LONE, underlyings=tuple(replace(bare, underlying=u) for u in pair)),
            "order",
        )
        yield market_draft(
            f"settled expiries {pair}", changed(settlements=tuple(Settlement(e, E8) for e in pair)), "order"
        )
        swapped = tuple(quotes(2)[i - 1] for i in pair)
        yield market_draft(f"live expiries {pair}", changed(expiries=swapped), "order")
    data = raw_market(MARKET)
    for cut in (0, 1, 16, 17, 18, 50, 51, 62, len(data) // 2, len(data) - 1):
        yield Draft(f"first {cut} bytes", {"bytes": hexadecimal(data[:cut])}, ("length",))
    yield Draft("one byte more", {"bytes": hexadecimal(data + b"\0")}, ("length",))
    yield Draft(
        "an underlying more than counted", {"bytes": hexadecimal(data[:16] + b"\1" + data[17:])}, ("length",)
    )
    yield Draft(
        "an underlying less than counted", {"bytes": hexadecimal(data[:16] + b"\3" + data[17:])}, ("length",)
    )


def _last_faults() -> Iterator[Draft]:
    """The fault stands in the last underlying: in its own fields, its last settlement, its last quote."""
    first, last = MARKET.underlyings
    settlement, quote = last.settlements[-1], last.expiries[-1]

    def draft(name: str, **changes: Any) -> Draft:
        return market_draft(
            f"last underlying: {name}", replace(MARKET, underlyings=(first, replace(last, **changes)))
        )

    def settled(changed: Settlement) -> tuple[Settlement, ...]:
        return (*last.settlements[:-1], changed)

    def quoted(**changes: Any) -> tuple[ExpiryMarket, ...]:
        return (*last.expiries[:-1], replace(quote, **changes))

    yield draft("spot one too low", spot_e8=limits.MIN_SPOT - 1)
    yield draft("spot one too high", spot_e8=limits.MAX_SPOT + 1)
    yield draft("perpetual one too low", perpetual_e8=limits.MIN_SPOT - 1)
    yield draft("perpetual one too high", perpetual_e8=limits.MAX_SPOT + 1)
    yield draft("confidence one too high", confidence_wad=WAD + 1)
    yield draft("funding one too high", funding_e8=limits.MAX_FUNDING + 1)
    yield draft("settled in the next second", settlements=settled(replace(settlement, expiry=TIME + 1)))
    yield draft("settled at nothing", settlements=settled(replace(settlement, price_e8=0)))
    yield draft("forward one too low", expiries=quoted(forward_e8=limits.MIN_SPOT - 1))
    yield draft("forward one too high", expiries=quoted(forward_e8=limits.MAX_SPOT + 1))
    yield draft("rate one too low", expiries=quoted(rate_wad=limits.MIN_RATE - 1))
    yield draft("rate one too high", expiries=quoted(rate_wad=limits.MAX_RATE + 1))
    yield draft("confidence in the quote one too high", expiries=quoted(confidence_wad=WAD + 1))
    yield draft(
        "a snapshot older than its settlement", settlements=settled(replace(settlement, expiry=TIME + 9))
    )
    yield draft("a snapshot younger than its expiry", expiries=(replace(last.expiries[0], expiry=TIME),))
    yield draft("negative variance", expiries=quoted(svi=Svi(-1, 0, 0, 0, 10**17)))
    for name, svi in one_outside():
        yield draft(name, expiries=quoted(svi=svi))


def _cuts() -> Iterator[Draft]:
    """Truncated at every boundary of the first section's fields that the topic's other cases leave out."""
    data = raw_market(MARKET)
    settlements = 51 + 12 * len(BITCOIN.settlements)
    quote = settlements + 1
    for cut in (8, 26, 34, 42, 55, 63, settlements, quote, *(quote + 4 + 8 * i for i in range(9))):
        yield Draft(f"first {cut} bytes of two underlyings", {"bytes": hexadecimal(data[:cut])}, ("length",))
