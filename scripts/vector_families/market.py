"""Family epoch, topic market: the canonical bytes of a market snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from marginproof.spec import limits
from marginproof.spec.market import (
    ExpiryMarket,
    MarketSnapshot,
    Settlement,
    UnderlyingMarket,
    decode_market,
    encode_market,
    market_hash,
)
from marginproof.spec.svi import Svi

from .case import Draft, Json, Topic, decimal, draws, hexadecimal, log_uniform, octets
from .market_changes import changed, changed_quote, market_draft, quotes
from .market_faults import refused_markets
from .models import E8, WAD
from .samples import BITCOIN, EXTREME_MARKET, LAST_SECOND, LONE, MARKET, TIME
from .schema import BYTES, BYTES32, INTEGER, NATURAL, array, record
from .smile import SVI_SCHEMA, svi_json
from .smile_faults import variance_floor


def _section_json(section: UnderlyingMarket) -> Json:
    return {
        "underlying": decimal(section.underlying),
        "spot": decimal(section.spot_e8),
        "perpetual": decimal(section.perpetual_e8),
        "confidence": decimal(section.confidence_wad),
        "funding": decimal(section.funding_e8),
        "settlements": [
            {"expiry": decimal(s.expiry), "price": decimal(s.price_e8)} for s in section.settlements
        ],
        "expiries": [
            {
                "expiry": decimal(quote.expiry),
                "forward": decimal(quote.forward_e8),
                "rate": decimal(quote.rate_wad),
                "confidence": decimal(quote.confidence_wad),
                "svi": svi_json(quote.svi),
            }
            for quote in section.expiries
        ],
    }


def _decode(given: Json) -> Json:
    data = octets(given["bytes"])
    market = decode_market(data)
    if encode_market(market) != data:
        raise AssertionError("an encoding that does not survive decoding and encoding")
    return {
        "hash": hexadecimal(market_hash(market)),
        "time": decimal(market.time),
        "settlementToken": decimal(market.settlement_token_e8),
        "nextExpiry": decimal(market.next_expiry()),
        "underlyings": [_section_json(section) for section in market.underlyings],
    }


def _good_markets() -> Iterator[Draft]:
    yield market_draft("two underlyings", MARKET, "usual")
    yield market_draft("one underlying, one expiry", LONE, "usual")
    yield market_draft("every field at its top or bottom", EXTREME_MARKET)
    yield market_draft("one second before the last time", LAST_SECOND)
    yield market_draft("no expiry at all", changed(expiries=()))
    yield market_draft(
        "time 1", MarketSnapshot(1, 1, (replace(BITCOIN, settlements=(Settlement(1, 1),), expiries=()),))
    )
    yield market_draft(
        "an expiry settled at the snapshot's second", changed(settlements=(Settlement(TIME, E8),))
    )
    yield market_draft("an expiry one second away", changed_quote(expiry=TIME + 1))
    bare = replace(BITCOIN, settlements=(), expiries=())
    eight = tuple(replace(bare, underlying=u) for u in (1, 2, 3, 5, 8, 13, 62, 63))
    yield market_draft("eight underlyings", MarketSnapshot(TIME, E8, eight))
    yield market_draft("32 expiries", changed(expiries=quotes(32)))
    yield market_draft("32 settlements", changed(settlements=tuple(Settlement(i, i) for i in range(1, 33))))
    yield market_draft(
        "settlement token at its top", replace(LONE, settlement_token_e8=limits.MAX_SETTLEMENT_TOKEN)
    )
    for field, bound in (
        ("spot_e8", limits.MIN_SPOT),
        ("spot_e8", limits.MAX_SPOT),
        ("perpetual_e8", limits.MIN_SPOT),
        ("perpetual_e8", limits.MAX_SPOT),
        ("confidence_wad", 0),
        ("funding_e8", -limits.MAX_FUNDING),
        ("funding_e8", limits.MAX_FUNDING),
    ):
        yield market_draft(f"{field} = {bound}", changed(**{field: bound}))
    for field, bound in (
        ("rate_wad", limits.MIN_RATE),
        ("rate_wad", -1),
        ("rate_wad", limits.MAX_RATE),
        ("confidence_wad", 0),
        ("confidence_wad", 1),
        ("confidence_wad", WAD),
        ("forward_e8", limits.MIN_SPOT),
        ("forward_e8", limits.MAX_SPOT),
    ):
        yield market_draft(f"quote: {field} = {bound}", changed_quote(**{field: bound}))


def _markets() -> Iterator[Draft]:
    yield from _good_markets()
    yield from refused_markets()
    yield from _random_markets()


def _random_markets() -> Iterator[Draft]:
    draw = draws(701)
    for number in range(30):
        sections = []
        for underlying in sorted(draw.sample(range(1, 64), draw.randint(1, 3))):
            quotes = []
            for expiry in sorted(draw.sample(range(TIME + 1, TIME + 10**8), draw.randint(0, 3))):
                b, rho = draw.randint(0, 2 * WAD), draw.randint(-limits.MAX_SVI_RHO, limits.MAX_SVI_RHO)
                sigma = log_uniform(draw, 10**12, 4 * WAD)
                lowest = max(limits.MIN_SVI_A, -variance_floor(b, rho, sigma))
                smile = Svi(draw.randint(lowest, WAD), b, rho, draw.randint(-4 * WAD, 4 * WAD), sigma)
                forward, rate = (
                    log_uniform(draw, 10**6, 10**14),
                    draw.randint(limits.MIN_RATE, limits.MAX_RATE),
                )
                quotes.append(ExpiryMarket(expiry, forward, rate, smile, draw.randint(0, WAD)))
            settled = sorted(draw.sample(range(1, TIME + 1), draw.randint(0, 3)))
            sections.append(
                UnderlyingMarket(
                    underlying,
                    log_uniform(draw, 10**6, 10**14),
                    log_uniform(draw, 10**6, 10**14),
                    draw.randint(0, WAD),
                    draw.randint(-limits.MAX_FUNDING, limits.MAX_FUNDING),
                    tuple(Settlement(e, log_uniform(draw, 1, limits.MAX_SETTLEMENT_PRICE)) for e in settled),
                    tuple(quotes),
                )
            )
        market = MarketSnapshot(TIME, log_uniform(draw, 1, 10**9), tuple(sections))
        yield market_draft(f"random market {number}", market, "random")


TOPICS: Final = (
    Topic(
        "epoch",
        "market",
        "Canonical bytes of a market snapshot to its hash and contents.",
        _decode,
        _markets,
        record(bytes=BYTES),
        record(
            hash=BYTES32,
            time=NATURAL,
            settlementToken=NATURAL,
            nextExpiry=NATURAL,
            underlyings=array(
                record(
                    underlying=NATURAL,
                    spot=NATURAL,
                    perpetual=NATURAL,
                    confidence=NATURAL,
                    funding=INTEGER,
                    settlements=array(record(expiry=NATURAL, price=NATURAL)),
                    expiries=array(
                        record(
                            expiry=NATURAL, forward=NATURAL, rate=INTEGER, confidence=NATURAL, svi=SVI_SCHEMA
                        )
                    ),
                )
            ),
        ),
    ),
)
