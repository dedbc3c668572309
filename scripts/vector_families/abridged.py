"""Family epoch, topic abridged: market bytes that leave quotes and underlyings out, to the market's hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from marginproof.spec.abridged import abridge_market, abridged_hash
from marginproof.spec.codec import unsigned
from marginproof.spec.market import MarketSnapshot, market_hash

from .case import Draft, Json, Topic, draws, hexadecimal, octets
from .market_changes import changed, quotes, raw_market
from .samples import BITCOIN, EXTREME_MARKET, LONE, MARKET
from .schema import BYTES, BYTES32, record

_COUNTS: Final = (*range(10), 12, 31, 32)
"""Of quotes: every way in which the last group and the last pair can be short."""


def _hash(given: Json) -> Json:
    return {"hash": hexadecimal(abridged_hash(octets(given["bytes"])))}


def _draft(name: str, data: bytes, flag: str = "corner") -> Draft:
    return Draft(name, {"bytes": hexadecimal(data)}, (flag,))


def _showing(market: MarketSnapshot, needed: dict[int, set[int]]) -> bytes:
    data = abridge_market(market, needed)
    if abridged_hash(data) != market_hash(market):
        raise AssertionError("abridged bytes with another hash than their market")
    return data


def _all(market: MarketSnapshot) -> dict[int, set[int]]:
    return {part.underlying: {quote.expiry for quote in part.expiries} for part in market.underlyings}


def _shown() -> Iterator[Draft]:
    for name, market in (("two underlyings", MARKET), ("one", LONE), ("extreme fields", EXTREME_MARKET)):
        yield _draft(f"{name}, whole", raw_market(market), "usual")
        yield _draft(f"{name}, all shown", _showing(market, _all(market)))
        yield _draft(f"{name}, nothing shown", _showing(market, {}))
        for part in market.underlyings:
            yield _draft(
                f"{name}, {part.underlying} without quotes", _showing(market, {part.underlying: set()})
            )
    for count in _COUNTS:
        market = changed(expiries=quotes(count))
        dates = [quote.expiry for quote in market.underlyings[0].expiries]
        number = market.underlyings[0].underlying
        yield _draft(f"{count} quotes, whole", raw_market(market))
        yield _draft(f"{count} quotes, none shown", _showing(market, {number: set()}))
        for i in range(min(count, 8)):
            yield _draft(f"{count} quotes, the one at {i} shown", _showing(market, {number: {dates[i]}}))
        if count > 1:
            yield _draft(
                f"{count} quotes, first and last shown", _showing(market, {number: {dates[0], dates[-1]}})
            )
    draw = draws(702)
    for case in range(30):
        parts = tuple(
            replace(BITCOIN, underlying=number, expiries=quotes(draw.randint(0, 20)))
            for number in sorted(draw.sample(range(1, 64), draw.randint(1, 4)))
        )
        market = replace(MARKET, underlyings=parts)
        needed = {
            number: {date for date in dates if draw.random() < draw.choice((0.1, 0.5, 0.9))}
            for number, dates in _all(market).items()
            if draw.random() < 0.7
        }
        yield _draft(f"random {case}", _showing(market, needed), "random")


def _cuts() -> Iterator[Draft]:
    market = changed(expiries=quotes(7))
    part = market.underlyings[0]
    data = _showing(market, {part.underlying: {part.expiries[5].expiry}})
    yield from (
        _draft(f"cut to {length} bytes", data[:length])
        for length in (*range(20), 50, *range(52, len(data), 7))
    )
    yield _draft("a byte more", data + b"\0")
    yield _draft("a mark more", data + b"\0" * 36)
    two = _showing(MARKET, {MARKET.underlyings[0].underlying: set()})
    yield from (_draft(f"last underlying cut by {cut}", two[:-cut]) for cut in (1, 31, 32, 33))


def _misplaced() -> Iterator[Draft]:
    """Marks where they are none: they are read as quotes, or leave the lengths wrong."""
    market = changed(expiries=quotes(8))
    part = market.underlyings[0]
    head = raw_market(replace(market, underlyings=(replace(part, expiries=()),)))[:-1] + bytes([8])
    whole = raw_market(market)[len(head) :]
    pair, hashed = 2 * 68, bytes(range(32))
    for mark in (0, 1):
        sign = unsigned(mark, 4)
        yield _draft(f"{mark} as the second quote of a pair", head + whole[:68] + sign + whole[72:])
        yield _draft(
            f"{mark} and a hash as the second pair", head + whole[:pair] + sign + hashed + whole[2 * pair :]
        )
        yield _draft(
            f"{mark} as the expiry of the second pair", head + whole[:pair] + sign + whole[pair + 4 :]
        )
        yield _draft(f"{mark} and hashes everywhere", head + 4 * (sign + hashed))
        yield _draft(f"{mark} and hashes twice", head + 2 * (sign + hashed))


def _abridged() -> Iterator[Draft]:
    yield from _shown()
    yield from _cuts()
    yield from _misplaced()


TOPICS: Final = (
    Topic(
        "epoch",
        "abridged",
        "Market bytes, whole or abridged, to the market's hash; lengths are checked, nothing else.",
        _hash,
        _abridged,
        record(bytes=BYTES),
        record(hash=BYTES32),
    ),
)
