"""Family scenario: what every instrument is worth now and in every move, and its delta."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.limits import MAX_STRIKE, MAX_TIME, MIN_STRIKE
from marginproof.spec.margin import columns
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, decode_market, encode_market
from marginproof.spec.model import Model, decode_model, encode_model
from marginproof.spec.scenario import instrument_delta, instrument_value

from .case import Draft, Json, Topic, decimal, draws, hexadecimal, log_uniform, octets
from .models import BASIS, E8, EXTREME, FULL, LOWEST, SECTION, SMALL, model_of
from .samples import (
    BITCOIN,
    EXPIRIES,
    EXTREME_MARKET,
    FIRST_SECOND,
    LAST_SECOND,
    MARKET,
    STRIKES,
    TIME,
)
from .schema import BYTES, INTEGER, NATURAL, array, choice, record

_KINDS: Final = tuple(kind.name.lower() for kind in Kind)


def _value(given: Json) -> Json:
    model, market = decode_model(octets(given["model"])), decode_market(octets(given["market"]))
    instrument = Instrument(
        int(given["underlying"]), Kind[given["kind"].upper()], int(given["expiry"]), int(given["strike"])
    )
    section = model.section(instrument.underlying)
    row = [instrument_value(instrument, market, section, move) for move in columns(section)]
    return {
        "values": [decimal(value) for value in row],
        "delta": decimal(instrument_delta(instrument, market, section)),
    }


def _draft(
    model: Model, market: MarketSnapshot, instrument: Instrument, flag: str, comment: str = ""
) -> Draft:
    kind = instrument.kind.name.lower()
    given = {
        "model": hexadecimal(encode_model(model)),
        "market": hexadecimal(encode_market(market)),
        "underlying": decimal(instrument.underlying),
        "kind": kind,
        "expiry": decimal(instrument.expiry),
        "strike": decimal(instrument.strike_e8),
    }
    when = f" expiring {instrument.expiry - market.time:+d} s" if instrument.expiry else ""
    strike = f" struck {instrument.strike_e8}" if instrument.strike_e8 else ""
    return Draft(f"{kind}{strike}{when}", given, (flag,), comment)


def _instruments(
    underlying: int, expiries: tuple[int, ...], strikes: tuple[int, ...]
) -> Iterator[Instrument]:
    yield Instrument(underlying, Kind.SPOT)
    yield Instrument(underlying, Kind.PERPETUAL)
    yield from _dated(underlying, expiries, strikes)


def _dated(underlying: int, expiries: tuple[int, ...], strikes: tuple[int, ...]) -> Iterator[Instrument]:
    for expiry in expiries:
        yield Instrument(underlying, Kind.FUTURE, expiry)
        for strike in strikes:
            yield Instrument(underlying, Kind.CALL, expiry, strike)
            yield Instrument(underlying, Kind.PUT, expiry, strike)


def _quoting(market: MarketSnapshot, underlying: int, *expiries: int) -> MarketSnapshot:
    """One underlying of a market, as underlying 1, with a few of its live expiries."""
    section = market.underlying(underlying)
    quotes = tuple(quote for quote in section.expiries if quote.expiry in expiries)
    return replace(market, underlyings=(replace(section, underlying=1, expiries=quotes),))


def _values() -> Iterator[Draft]:
    small, full = model_of(SMALL), model_of(FULL)
    live = (EXPIRIES[2], EXPIRIES[4], EXPIRIES[6])
    usual = _quoting(MARKET, 1, *live)
    for instrument in _instruments(1, (EXPIRIES[0], *live), (60_000 * E8, 70_000 * E8, 100_000 * E8)):
        yield _draft(full, usual, instrument, "usual")
    for instrument in _instruments(1, live[1:2], (69_000 * E8,)):
        yield _draft(small, usual, instrument, "usual", "no basis charge: now and the scenarios only")
    for name in BASIS:
        without = {key: 0 for key in ("basis_base", "basis_per_year") if key != name}
        model = model_of(replace(SMALL, **{**BASIS, **without}))  # type: ignore[arg-type]
        yield _draft(model, usual, Instrument(1, Kind.FUTURE, live[2]), "usual", f"{name} and no other rate")
    yield from _corner_values()
    yield from _odd_smiles(full)
    yield from _random_values(full)
    yield from _missing(small, usual)


def _corner_values() -> Iterator[Draft]:
    small, extreme = model_of(SMALL), model_of(EXTREME)
    for underlying in (1, 2):
        market = _quoting(EXTREME_MARKET, underlying, EXPIRIES[2], EXPIRIES[3], EXPIRIES[8])
        dated = EXPIRIES[1:4:2] if underlying == 1 else (EXPIRIES[1], EXPIRIES[8])
        for instrument in _instruments(1, dated, (MIN_STRIKE, 10**6, MAX_STRIKE)):
            yield _draft(extreme, market, instrument, "corner")
        yield _draft(model_of(LOWEST), market, Instrument(1, Kind.PUT, EXPIRIES[2], MAX_STRIKE), "corner")
    last = LAST_SECOND.underlyings[0].expiries[0].expiry
    for instrument in _instruments(1, (last,), (70_000 * E8,)):
        yield _draft(
            small, LAST_SECOND, instrument, "corner", "one second before the last expiry there can be"
        )
    for instrument in _dated(1, (2, MAX_TIME), (70_000 * E8,)):
        yield _draft(
            model_of(EXTREME), FIRST_SECOND, instrument, "corner", "the longest time to expiry there can be"
        )
        yield _draft(
            model_of(SECTION), FIRST_SECOND, instrument, "corner", "the longest time to expiry there can be"
        )


def _odd_smiles(model: Model) -> Iterator[Draft]:
    """Times around what matters, at the money and a unit beside it."""
    quote = BITCOIN.expiries[3]
    for seconds in (1, 1799, 1800, 1801, 86_399, 86_400, 30 * 86_400 - 1, 30 * 86_400, 30 * 86_400 + 1):
        near = replace(quote, expiry=TIME + seconds)
        market = _market_of(near)
        for strike in (near.forward_e8, near.forward_e8 + 1, 12 * near.forward_e8 // 10):
            kind = Kind.PUT if strike == near.forward_e8 + 1 else Kind.CALL
            yield _draft(model, market, Instrument(1, kind, near.expiry, strike), "corner")


def _market_of(quote: ExpiryMarket) -> MarketSnapshot:
    return MarketSnapshot(TIME, E8, (replace(BITCOIN, settlements=(), expiries=(quote,)),))


def _random_values(model: Model) -> Iterator[Draft]:
    draw = draws(402)
    for _ in range(60):
        quote = draw.choice(BITCOIN.expiries)
        kind = draw.choice((Kind.CALL, Kind.PUT))
        instrument = Instrument(1, kind, quote.expiry, log_uniform(draw, 10**12, 10**14))
        yield _draft(model, _market_of(quote), instrument, "random")


def _missing(model: Model, market: MarketSnapshot) -> Iterator[Draft]:
    two, second = model_of(SMALL, SMALL), Model((replace(SMALL, underlying=2),))
    later = replace(MARKET, underlyings=MARKET.underlyings[1:])
    for kind in Kind:
        expiry, strike = EXPIRIES[4] if kind.is_dated else 0, STRIKES[5] if kind.is_option else 0
        for model_, market_, underlying, comment in (
            (model, MARKET, 2, "no model section"),
            (second, MARKET, 1, "no model section for the first"),
            (two, market, 2, "no market section"),
            (two, later, 1, "no market section for the first"),
        ):
            yield _draft(model_, market_, Instrument(underlying, kind, expiry, strike), "missing", comment)
        if kind.is_dated:
            for absent in (EXPIRIES[3], TIME + 12_345):
                yield _draft(model, market, Instrument(1, kind, absent, strike), "missing", "no quote")
            yield from _beside(model, market, kind, strike)


def _beside(model: Model, market: MarketSnapshot, kind: Kind, strike: int) -> Iterator[Draft]:
    """One second beside an expiry is no expiry."""
    section = market.underlyings[0]
    known = [s.expiry for s in section.settlements] + [quote.expiry for quote in section.expiries]
    for near in known:
        for beside in (near - 1, near + 1):
            if beside not in known:
                instrument = Instrument(1, kind, beside, strike)
                yield _draft(model, market, instrument, "missing", "a second beside an expiry")


TOPICS: Final = (
    Topic(
        "scenario",
        "value",
        "Values (E8) of one unit of an instrument: now, in every scenario of its model section, and in the basis charge's two moves if "
        "there is one; and its delta (Q60).",
        _value,
        _values,
        record(
            model=BYTES,
            market=BYTES,
            underlying=NATURAL,
            kind=choice(*_KINDS),
            expiry=NATURAL,
            strike=NATURAL,
        ),
        record(values=array(INTEGER), delta=INTEGER),
    ),
)
