"""Family scenario: how volatility is shocked, and what every instrument is worth in every scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from marginproof.spec.fixed_point import mul_shift, wad_to_q64
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.limits import MAX_STRIKE, MIN_STRIKE
from marginproof.spec.logarithm import exponential, logarithm
from marginproof.spec.market import MarketSnapshot, decode_market, encode_market
from marginproof.spec.model import Model, ModelSection, VolKind, decode_model, encode_model
from marginproof.spec.scenario import LOG_THIRTY_DAYS, instrument_value, vol_rule
from marginproof.spec.units import ONE_Q64

from .case import Draft, Json, Topic, decimal, draws, hexadecimal, log_uniform, octets
from .samples import (
    E8,
    EXPIRIES,
    EXTREME,
    EXTREME_MARKET,
    LAST_SECOND,
    MARKET,
    SECTION,
    SMALL,
    STRIKES,
    TIME,
    WAD,
    model_of,
)
from .schema import BYTES, INTEGER, NATURAL, choice, record

_KINDS: Final = tuple(kind.name.lower() for kind in Kind)
_VOL_KINDS: Final = tuple(kind.name.lower() for kind in VolKind)
_RULE: Final = ("volUp", "volDown", "minVolUp", "powerShort", "powerLong")
_ATTRIBUTES: Final = ("vol_up_wad", "vol_down_wad", "min_vol_up_wad", "power_short_wad", "power_long_wad")


def rule_section(given: Json) -> ModelSection:
    """A model section with the vol parameters of a vector."""
    parameters: dict[str, Any] = {
        attribute: int(given[name]) for name, attribute in zip(_RULE, _ATTRIBUTES, strict=True)
    }
    return replace(SECTION, floor_seconds=int(given["floorSeconds"]), **parameters)


def _rule(given: Json) -> Json:
    kind = VolKind[given["kind"].upper()]
    multiplier, floor = vol_rule(rule_section(given), kind, int(given["seconds"]))
    return {"multiplier": decimal(multiplier), "floor": decimal(floor)}


def _rule_draft(section: ModelSection, kind: VolKind, seconds: int, flag: str) -> Draft:
    given = {
        name: decimal(getattr(section, attribute)) for name, attribute in zip(_RULE, _ATTRIBUTES, strict=True)
    }
    given |= {
        "floorSeconds": decimal(section.floor_seconds),
        "kind": kind.name.lower(),
        "seconds": decimal(seconds),
    }
    return Draft(f"vol {kind.name.lower()} at {seconds} s", given, (flag,))


def _rules() -> Iterator[Draft]:
    draw = draws(401)
    month = 30 * 86_400
    seconds = (1, 2, 86_399, 86_400, 86_401, month - 1, month, month + 1, 365 * 86_400, 2**32 - 2)
    calm = replace(
        SECTION, vol_up_wad=0, vol_down_wad=0, min_vol_up_wad=0, power_short_wad=0, power_long_wad=0
    )
    for section in (SECTION, EXTREME, calm):
        for kind in VolKind:
            for t in seconds:
                yield _rule_draft(section, kind, t, "corner")
    for _ in range(60):
        section = replace(
            SECTION,
            vol_up_wad=draw.randint(0, 4 * WAD),
            vol_down_wad=draw.randint(0, WAD),
            min_vol_up_wad=draw.randint(0, 8 * WAD),
            power_short_wad=draw.randint(0, WAD),
            power_long_wad=draw.randint(0, WAD),
            floor_seconds=log_uniform(draw, 1, month),
        )
        yield _rule_draft(section, VolKind(draw.randrange(3)), log_uniform(draw, 1, 2**32 - 2), "random")
    yield from _edges_of_the_logarithm()


def _edges_of_the_logarithm() -> Iterator[Draft]:
    """Cases in which ln(30 days), were it one unit of 2^-64 off either way, would show in the multiplier."""
    draw = draws(403)
    for offset in (1, -1):
        found = 0
        while found < 4:
            section = replace(
                SECTION, vol_up_wad=draw.randint(0, 2 * WAD), power_short_wad=WAD, floor_seconds=1
            )
            seconds = draw.randint(20 * 86_400, 30 * 86_400)
            m = exponential(LOG_THIRTY_DAYS + offset - logarithm(seconds))
            if (
                vol_rule(section, VolKind.UP, seconds)[0]
                != (ONE_Q64 + mul_shift(wad_to_q64(section.vol_up_wad), m, 64)) >> 6
            ):
                found += 1
                yield _rule_draft(section, VolKind.UP, seconds, "edge")


def _value(given: Json) -> Json:
    model, market = decode_model(octets(given["model"])), decode_market(octets(given["market"]))
    instrument = Instrument(
        int(given["underlying"]), Kind[given["kind"].upper()], int(given["expiry"]), int(given["strike"])
    )
    section = model.section(instrument.underlying)
    scenario = None if given["scenario"] == "now" else section.scenarios[int(given["scenario"])]
    return {"value": decimal(instrument_value(instrument, market, section, scenario))}


def _value_draft(
    model: Model,
    market: MarketSnapshot,
    instrument: Instrument,
    scenario: int | None,
    flag: str,
    comment: str = "",
) -> Draft:
    index = "now" if scenario is None else decimal(scenario)
    kind = instrument.kind.name.lower()
    given = {
        "model": hexadecimal(encode_model(model)),
        "market": hexadecimal(encode_market(market)),
        "underlying": decimal(instrument.underlying),
        "kind": kind,
        "expiry": decimal(instrument.expiry),
        "strike": decimal(instrument.strike_e8),
        "scenario": index,
    }
    when = f" expiring {instrument.expiry - market.time:+d} s" if instrument.expiry else ""
    strike = f" struck {instrument.strike_e8}" if instrument.strike_e8 else ""
    return Draft(f"{kind}{strike}{when}, scenario {index}", given, (flag,), comment)


def _instruments(
    underlying: int, expiries: tuple[int, ...], strikes: tuple[int, ...]
) -> Iterator[Instrument]:
    yield Instrument(underlying, Kind.SPOT)
    yield Instrument(underlying, Kind.PERPETUAL)
    for expiry in expiries:
        yield Instrument(underlying, Kind.FUTURE, expiry)
        for strike in strikes:
            yield Instrument(underlying, Kind.CALL, expiry, strike)
            yield Instrument(underlying, Kind.PUT, expiry, strike)


def _one_section(market: MarketSnapshot, underlying: int) -> MarketSnapshot:
    return replace(market, underlyings=(replace(market.underlying(underlying), underlying=1),))


def _values() -> Iterator[Draft]:
    draw = draws(402)
    small, extreme = model_of(SMALL), model_of(EXTREME)
    sparse = replace(MARKET.underlyings[0], expiries=MARKET.underlyings[0].expiries[::3])
    usual = MarketSnapshot(TIME, E8, (sparse,))
    expiries = (EXPIRIES[0], *(quote.expiry for quote in sparse.expiries))
    for instrument in _instruments(1, expiries, (60_000 * E8, 70_000 * E8)):
        for scenario in (None, *range(5)):
            yield _value_draft(small, usual, instrument, scenario, "usual")
    for underlying in (1, 2):
        market = _one_section(EXTREME_MARKET, underlying)
        market = replace(
            market,
            underlyings=(replace(market.underlyings[0], expiries=market.underlyings[0].expiries[::6]),),
        )
        for instrument in _instruments(
            1, (EXPIRIES[1], market.underlyings[0].expiries[0].expiry), (MIN_STRIKE, MAX_STRIKE)
        ):
            for scenario in (None, 0, 1, 2, 3):
                yield _value_draft(extreme, market, instrument, scenario, "corner")
    for instrument in _instruments(1, (LAST_SECOND.underlyings[0].expiries[0].expiry,), (70_000 * E8,)):
        yield _value_draft(
            small, LAST_SECOND, instrument, 1, "corner", "one second before the last expiry there can be"
        )
    for _ in range(60):
        quote = draw.choice(MARKET.underlyings[0].expiries)
        market = MarketSnapshot(
            TIME, E8, (replace(MARKET.underlyings[0], settlements=(), expiries=(quote,)),)
        )
        kind = draw.choice((Kind.CALL, Kind.PUT))
        instrument = Instrument(1, kind, quote.expiry, log_uniform(draw, 10**12, 10**14))
        yield _value_draft(small, market, instrument, draw.choice((None, 0, 1, 2, 3, 4)), "random")
    yield from _missing(small, usual)


def _missing(model: Model, market: MarketSnapshot) -> Iterator[Draft]:
    for kind in Kind:
        expiry, strike = EXPIRIES[5] if kind.is_dated else 0, STRIKES[5] if kind.is_option else 0
        yield _value_draft(
            model, MARKET, Instrument(2, kind, expiry, strike), 0, "missing", "no model section"
        )
        two = model_of(SMALL, SMALL)
        yield _value_draft(
            two, market, Instrument(2, kind, expiry, strike), 0, "missing", "no market section"
        )
        if kind.is_dated:
            for absent in (EXPIRIES[1], EXPIRIES[3], TIME + 12345):
                instrument = Instrument(1, kind, absent, strike)
                yield _value_draft(model, market, instrument, None, "missing", "no quote")
        yield from _missing_in_scenarios(model, market, kind, strike)


def _missing_in_scenarios(model: Model, market: MarketSnapshot, kind: Kind, strike: int) -> Iterator[Draft]:
    """What is missing is missing in every scenario, and one second beside an expiry is no expiry."""
    two, expiry = model_of(SMALL, SMALL), EXPIRIES[5] if kind.is_dated else 0
    second = Model((replace(SMALL, underlying=2),))
    second_market = replace(MARKET, underlyings=MARKET.underlyings[1:])
    for scenario in (None, 1, 2, 4):
        for model_, market_, underlying, comment in (
            (two, market, 2, "no market section"),
            (two, second_market, 1, "no market section for the first"),
            (model, MARKET, 2, "no model section"),
            (second, MARKET, 1, "no model section for the first"),
        ):
            stranger = Instrument(underlying, kind, expiry, strike)
            yield _value_draft(model_, market_, stranger, scenario, "missing", comment)
    if not kind.is_dated:
        return
    section = market.underlyings[0]
    known = [s.expiry for s in section.settlements] + [quote.expiry for quote in section.expiries]
    for number, near in enumerate(known):
        for beside in (near - 1, near + 1):
            if beside not in known:
                instrument = Instrument(1, kind, beside, strike)
                yield _value_draft(
                    model, market, instrument, number % 5, "missing", "a second beside an expiry"
                )


TOPICS: Final = (
    Topic(
        "scenario",
        "vol-rule",
        "Multiplier and floor of total volatility (Q58) in a scenario; parameters in WAD, times in seconds.",
        _rule,
        _rules,
        record(**dict.fromkeys((*_RULE, "floorSeconds", "seconds"), NATURAL), kind=choice(*_VOL_KINDS)),
        record(multiplier=NATURAL, floor=NATURAL),
    ),
    Topic(
        "scenario",
        "value",
        "Value (E8) of one unit of an instrument, now or in a scenario of its model section.",
        _value,
        _values,
        record(
            model=BYTES,
            market=BYTES,
            underlying=NATURAL,
            kind=choice(*_KINDS),
            expiry=NATURAL,
            strike=NATURAL,
            scenario={"type": "string", "pattern": "^(now|0|[1-9][0-9]*)$"},
        ),
        record(value=INTEGER),
    ),
)
