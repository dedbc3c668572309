"""Family epoch, topic market: the canonical bytes of a market snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from marginproof.spec import limits
from marginproof.spec.market import (
    ExpiryMarket,
    MarketSnapshot,
    Settlement,
    UnderlyingMarket,
    decode_market,
    encode_header,
    encode_market,
    encode_section,
    market_hash,
)
from marginproof.spec.svi import Svi

from .case import Draft, Json, Topic, decimal, draws, hexadecimal, log_uniform, octets
from .samples import BITCOIN, E8, EXTREME_MARKET, LAST_SECOND, LONE, MARKET, TIME, WAD
from .schema import BYTES, BYTES32, INTEGER, NATURAL, array, record
from .smile import SVI_SCHEMA, svi_json
from .smile_faults import one_outside, variance_floor


def raw_market(market: MarketSnapshot) -> bytes:
    """Canonical layout without any check of ranges or order."""
    return encode_header(market) + b"".join(encode_section(section) for section in market.underlyings)


def _section_json(section: UnderlyingMarket) -> Json:
    return {
        "underlying": decimal(section.underlying),
        "spot": decimal(section.spot_e8),
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


def _draft(name: str, market: MarketSnapshot, flag: str = "corner") -> Draft:
    return Draft(name, {"bytes": hexadecimal(raw_market(market))}, (flag,))


def changed(**changes: Any) -> MarketSnapshot:
    """The small market with other fields of its underlying."""
    return replace(LONE, underlyings=(replace(LONE.underlyings[0], **changes),))


def changed_quote(**changes: Any) -> MarketSnapshot:
    """The small market with other fields of its one quote."""
    return changed(expiries=(replace(LONE.underlyings[0].expiries[0], **changes),))


def _good_markets() -> Iterator[Draft]:
    yield _draft("two underlyings", MARKET, "usual")
    yield _draft("one underlying, one expiry", LONE, "usual")
    yield _draft("every field at its top or bottom", EXTREME_MARKET)
    yield _draft("one second before the last time", LAST_SECOND)
    yield _draft("no expiry at all", changed(expiries=()))
    yield _draft(
        "time 1", MarketSnapshot(1, 1, (replace(BITCOIN, settlements=(Settlement(1, 1),), expiries=()),))
    )
    yield _draft("an expiry settled at the snapshot's second", changed(settlements=(Settlement(TIME, E8),)))
    yield _draft("an expiry one second away", changed_quote(expiry=TIME + 1))
    bare = replace(BITCOIN, settlements=(), expiries=())
    eight = tuple(replace(bare, underlying=u) for u in (1, 2, 3, 5, 8, 13, 62, 63))
    yield _draft("eight underlyings", MarketSnapshot(TIME, E8, eight))
    yield _draft("32 expiries", changed(expiries=_quotes(32)))
    yield _draft("32 settlements", changed(settlements=tuple(Settlement(i, i) for i in range(1, 33))))
    yield _draft(
        "settlement token at its top", replace(LONE, settlement_token_e8=limits.MAX_SETTLEMENT_TOKEN)
    )
    for field, bound in (
        ("spot_e8", limits.MIN_SPOT),
        ("spot_e8", limits.MAX_SPOT),
        ("confidence_wad", 0),
        ("funding_e8", -limits.MAX_FUNDING),
        ("funding_e8", limits.MAX_FUNDING),
    ):
        yield _draft(f"{field} = {bound}", changed(**{field: bound}))


def _quotes(count: int) -> tuple[ExpiryMarket, ...]:
    return tuple(replace(LONE.underlyings[0].expiries[0], expiry=TIME + 1 + i) for i in range(count))


def _bad_ranges() -> Iterator[Draft]:
    for time in (0, limits.MAX_TIME, 2**64 - 1):
        yield _draft(
            f"time {time}", MarketSnapshot(time, E8, (replace(BITCOIN, settlements=(), expiries=()),))
        )
    for token in (0, limits.MAX_SETTLEMENT_TOKEN + 1, 2**64 - 1):
        yield _draft(f"settlement token {token}", replace(LONE, settlement_token_e8=token))
    for field, values in (
        ("underlying", (0, 64, 255)),
        ("spot_e8", (0, limits.MIN_SPOT - 1, limits.MAX_SPOT + 1, 2**64 - 1)),
        ("confidence_wad", (WAD + 1, 2**64 - 1)),
        ("funding_e8", (-limits.MAX_FUNDING - 1, limits.MAX_FUNDING + 1, -(2**63), 2**63 - 1)),
    ):
        for value in values:
            yield _draft(f"{field} = {value}", changed(**{field: value}))
    for expiry in (0, TIME + 1):
        yield _draft(f"settled expiry {expiry}", changed(settlements=(Settlement(expiry, E8),)))
    for price in (0, limits.MAX_SETTLEMENT_PRICE + 1):
        yield _draft(f"settlement price {price}", changed(settlements=(Settlement(TIME, price),)))
    for expiry in (0, TIME - 1, TIME):
        yield _draft(f"live expiry {expiry}", changed_quote(expiry=expiry))
    for forward in (0, limits.MIN_SPOT - 1, limits.MAX_SPOT + 1, 2**64 - 1):
        yield _draft(f"forward {forward}", changed_quote(forward_e8=forward))
    for rate in (1, -1, 2**63 - 1, -(2**63)):
        yield _draft(f"rate {rate}", changed_quote(rate_wad=rate))


def _bad_smiles() -> Iterator[Draft]:
    for name, svi in (
        ("negative variance", Svi(-1, 0, 0, 0, 10**17)),
        ("a too low", Svi(limits.MIN_SVI_A - 1, 2 * WAD, 0, 0, 4 * WAD)),
        ("b negative", Svi(10**17, -1, 0, 0, 10**17)),
        ("rho of one", Svi(10**17, 0, WAD, 0, 10**17)),
        ("m too high", Svi(10**17, 0, 0, limits.MAX_SVI_M + 1, 10**17)),
        ("sigma of zero", Svi(10**17, 0, 0, 0, 0)),
    ):
        yield _draft(name, changed_quote(svi=svi))


def _bad_shapes() -> Iterator[Draft]:
    bare = replace(BITCOIN, settlements=(), expiries=())
    yield _draft("no underlying", replace(LONE, underlyings=()))
    yield _draft(
        "nine underlyings",
        replace(LONE, underlyings=tuple(replace(bare, underlying=u) for u in range(1, 10))),
    )
    yield _draft("33 expiries", changed(expiries=_quotes(33)))
    yield _draft("33 settlements", changed(settlements=tuple(Settlement(i, i) for i in range(1, 34))))
    for pair in ((1, 1), (2, 1)):
        yield _draft(
            f"underlyings {pair}",
            replace(LONE, underlyings=tuple(replace(bare, underlying=u) for u in pair)),
            "order",
        )
        yield _draft(
            f"settled expiries {pair}", changed(settlements=tuple(Settlement(e, E8) for e in pair)), "order"
        )
        quotes = tuple(_quotes(2)[i - 1] for i in pair)
        yield _draft(f"live expiries {pair}", changed(expiries=quotes), "order")
    data = raw_market(MARKET)
    for cut in (0, 1, 16, 17, 18, 42, 43, 54, len(data) // 2, len(data) - 1):
        yield Draft(f"first {cut} bytes", {"bytes": hexadecimal(data[:cut])}, ("length",))
    yield Draft("one byte more", {"bytes": hexadecimal(data + b"\0")}, ("length",))
    yield Draft(
        "an underlying more than counted", {"bytes": hexadecimal(data[:16] + b"\1" + data[17:])}, ("length",)
    )
    yield Draft(
        "an underlying less than counted", {"bytes": hexadecimal(data[:16] + b"\3" + data[17:])}, ("length",)
    )


def _markets() -> Iterator[Draft]:
    yield from _good_markets()
    yield from _bad_ranges()
    yield from _bad_smiles()
    yield from _bad_shapes()
    yield from _random_markets()
    yield from _last_faults()
    yield from _cuts()


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
                quotes.append(ExpiryMarket(expiry, log_uniform(draw, 10**6, 10**14), 0, smile))
            settled = sorted(draw.sample(range(1, TIME + 1), draw.randint(0, 3)))
            sections.append(
                UnderlyingMarket(
                    underlying,
                    log_uniform(draw, 10**6, 10**14),
                    draw.randint(0, WAD),
                    draw.randint(-limits.MAX_FUNDING, limits.MAX_FUNDING),
                    tuple(Settlement(e, log_uniform(draw, 1, limits.MAX_SETTLEMENT_PRICE)) for e in settled),
                    tuple(quotes),
                )
            )
        market = MarketSnapshot(TIME, log_uniform(draw, 1, 10**9), tuple(sections))
        yield _draft(f"random market {number}", market, "random")


def _last_faults() -> Iterator[Draft]:
    """The fault stands in the last underlying: in its own fields, its last settlement, its last quote."""
    first, last = MARKET.underlyings
    settlement, quote = last.settlements[-1], last.expiries[-1]

    def draft(name: str, **changes: Any) -> Draft:
        return _draft(
            f"last underlying: {name}", replace(MARKET, underlyings=(first, replace(last, **changes)))
        )

    def settled(changed: Settlement) -> tuple[Settlement, ...]:
        return (*last.settlements[:-1], changed)

    def quoted(**changes: Any) -> tuple[ExpiryMarket, ...]:
        return (*last.expiries[:-1], replace(quote, **changes))

    yield draft("spot one too low", spot_e8=limits.MIN_SPOT - 1)
    yield draft("spot one too high", spot_e8=limits.MAX_SPOT + 1)
    yield draft("confidence one too high", confidence_wad=WAD + 1)
    yield draft("funding one too high", funding_e8=limits.MAX_FUNDING + 1)
    yield draft("settled in the next second", settlements=settled(replace(settlement, expiry=TIME + 1)))
    yield draft("settled at nothing", settlements=settled(replace(settlement, price_e8=0)))
    yield draft("forward one too low", expiries=quoted(forward_e8=limits.MIN_SPOT - 1))
    yield draft("forward one too high", expiries=quoted(forward_e8=limits.MAX_SPOT + 1))
    yield draft("a rate", expiries=quoted(rate_wad=1))
    yield draft("negative variance", expiries=quoted(svi=Svi(-1, 0, 0, 0, 10**17)))
    for name, svi in one_outside():
        yield draft(name, expiries=quoted(svi=svi))


def _cuts() -> Iterator[Draft]:
    """Truncated at every boundary of the first section's fields that the topic's other cases leave out."""
    data = raw_market(MARKET)
    settlements = 43 + 12 * len(BITCOIN.settlements)
    quote = settlements + 1
    for cut in (8, 26, 34, 47, 55, settlements, quote, *(quote + 4 + 8 * i for i in range(8))):
        yield Draft(f"first {cut} bytes of two underlyings", {"bytes": hexadecimal(data[:cut])}, ("length",))


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
                    confidence=NATURAL,
                    funding=INTEGER,
                    settlements=array(record(expiry=NATURAL, price=NATURAL)),
                    expiries=array(record(expiry=NATURAL, forward=NATURAL, rate=INTEGER, svi=SVI_SCHEMA)),
                )
            ),
        ),
    ),
)
