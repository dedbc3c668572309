"""Random models, markets and books inside the specification's ranges, their corners and ties drawn often.

    drawn = world(rng, Shape(underlyings=(1, 2), scenarios=33, expiries=3, strikes=8))
    held = book(rng, drawn)

Every draw depends on the generator alone, so that a seed and a number repeat it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, hypot, isqrt, sqrt
from random import Random
from typing import Final

from evm.draws import ORDINARY
from marginproof.spec import limits
from marginproof.spec.instruments import (
    FIRST_EXPIRY_INDEX,
    IdParts,
    Instrument,
    InstrumentTable,
    instrument_id,
)
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind, neutral_section
from marginproof.spec.model_fields import FIELDS, Field
from marginproof.spec.portfolio import Position
from marginproof.spec.svi import Svi

WAD: Final = 10**18
DAY: Final = 86_400
MONTH: Final = 30 * DAY
TIME: Final = 1_900_000_000
"""Usual snapshot time, unix seconds."""
SECONDS: Final = (1, 1_799, 1_800, 1_801, DAY - 1, DAY, DAY + 1, MONTH - 1, MONTH, MONTH + 1)
"""Times to expiry at which a rule changes."""
SCENARIO_COUNTS: Final = (1, 2, 5, 12, 12, 24, 33, 33, limits.MAX_SCENARIOS)
BOOK_SIZES: Final = (0, 1, 1, 2, 2, 3, 4, 5, 7, 10, 10, 15, 25, 40, 60, limits.MAX_POSITIONS)


def between(rng: Random, low: int, high: int) -> int:
    """An integer within the limits: an end of the range one time in ten, else even over magnitudes or over the range."""
    kind = rng.random()
    if kind < 0.1:
        return rng.choice((low, high))
    if kind < 0.55 and low >= 0:
        return max(low, min(high, int(2 ** rng.uniform(0, (high + 1).bit_length()))))
    return rng.randint(low, high)


def bounded(value: float, low: int, high: int) -> int:
    """The value, brought into the range."""
    return max(low, min(high, int(value)))


# Models


def scenario(rng: Random) -> Scenario:
    """A move of any kind; moves by exactly 1 and weights of 0 and 1 come often."""
    kind = rng.choice(tuple(VolKind))
    shock = (limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK)
    amount = between(rng, -limits.MAX_VOL_ADD, limits.MAX_VOL_ADD) if rng.random() < 0.5 else WAD // 10
    return Scenario(
        spot_wad=rng.choice((WAD, rng.randint(WAD // 2, 2 * WAD), between(rng, *shock))),
        kind=kind,
        weight_wad=rng.choice((WAD, WAD, WAD // 20, between(rng, 0, limits.MAX_WEIGHT))),
        amount_wad=amount if kind == VolKind.ADD else 0,
    )


def scenarios(rng: Random, count: int) -> tuple[Scenario, ...]:
    """So many scenarios; some repeat another (ties), some differ from their neighbour in volatility alone."""
    drawn = [scenario(rng) for _ in range(count)]
    for i in range(1, count):
        if rng.random() < 0.25:
            before = rng.choice(drawn[:i])
            drawn[i] = rng.choice((before, Scenario(before.spot_wad, VolKind.DOWN, WAD)))
    return tuple(drawn)


def _corner(rng: Random, field: Field) -> int:
    return rng.choice((field.low, field.high))


def _ordinary(rng: Random, field: Field) -> int:
    return field.neutral if rng.random() < 0.3 else rng.randint(*ORDINARY[field.name])


def _anything(rng: Random, field: Field) -> int:
    if rng.random() < 0.3:
        return field.neutral
    if rng.random() < 0.4:
        return bounded(rng.randint(-field.high // 20, field.high // 20), field.low, field.high)
    return between(rng, field.low, field.high)


def section(rng: Random, underlying: int, count: int) -> ModelSection:
    """The model of one underlying: as in use, anything in range, every field at an end of its range, or scenarios alone."""
    value = rng.choice((_ordinary, _ordinary, _anything, _anything, _corner, None))
    changes = {} if value is None else {field.attribute: value(rng, field) for field in FIELDS}
    drawn = neutral_section(underlying, scenarios(rng, count), **changes)
    return replace(drawn, maintenance_factor=min(drawn.initial_factor, drawn.maintenance_factor))


# Markets


def smile(rng: Random) -> Svi:
    """A smile that the specification accepts: ordinary one time in two, else flat at nothing, tiny, huge, or anything."""
    kind = rng.random()
    if kind < 0.5:
        a, b = int(10 ** rng.uniform(13, 17)), int(10 ** rng.uniform(13, 17))
        rho, m = rng.randint(-9 * WAD // 10, 9 * WAD // 10), rng.randint(-WAD // 5, WAD // 5)
        return Svi(a, b, rho, m, int(10 ** rng.uniform(15, 18)))
    if kind < 0.58:
        return Svi(0, 0, 0, 0, limits.MIN_SVI_SIGMA)
    if kind < 0.68:
        a = rng.choice((between(rng, 0, 10**8), int(10 ** rng.uniform(13, 18))))
        return Svi(a, rng.choice((0, 0, 1, 10**6)), 0, 0, limits.MIN_SVI_SIGMA)
    sign = rng.choice((-1, 1))
    if kind < 0.76:
        rho, m = sign * limits.MAX_SVI_RHO, -sign * limits.MAX_SVI_M
        return Svi(limits.MAX_SVI_A, limits.MAX_SVI_B, rho, m, limits.MAX_SVI_SIGMA)
    b = between(rng, limits.MIN_SVI_B, limits.MAX_SVI_B)
    rho = between(rng, -limits.MAX_SVI_RHO, limits.MAX_SVI_RHO)
    sigma = between(rng, limits.MIN_SVI_SIGMA, limits.MAX_SVI_SIGMA)
    least = max(limits.MIN_SVI_A, -(b * sigma * isqrt(WAD * WAD - rho * rho) // (WAD * WAD)))
    a = least if rng.random() < 0.3 else between(rng, least, limits.MAX_SVI_A)
    return Svi(a, b, rho, between(rng, -limits.MAX_SVI_M, limits.MAX_SVI_M), sigma)


def price_near(rng: Random, centre: int) -> int:
    """A spot, perpetual or forward price: near another, equal to it, or anywhere, E8."""
    near = bounded(centre * rng.uniform(0.8, 1.2), limits.MIN_SPOT, limits.MAX_SPOT)
    return rng.choice((near, near, near, centre, between(rng, limits.MIN_SPOT, limits.MAX_SPOT)))


def confidence(rng: Random) -> int:
    """Full, none or anything between, WAD."""
    return rng.choice((WAD, between(rng, 0, WAD), rng.randint(0, WAD)))


def quote(rng: Random, expiry: int, spot: int) -> ExpiryMarket:
    """A live expiry."""
    rates = (0, rng.randint(-WAD // 5, WAD // 5), between(rng, limits.MIN_RATE, limits.MAX_RATE))
    return ExpiryMarket(expiry, price_near(rng, spot), rng.choice(rates), smile(rng), confidence(rng))


def expiry_times(rng: Random, time: int, count: int) -> list[int]:
    """Live expiries, at corner distances three times in four."""
    last = limits.MAX_TIME - time
    drawn = {
        rng.choice(SECONDS) if rng.random() < 0.75 else between(rng, 1, min(last, rng.choice((last, 10**8))))
        for _ in range(count)
    }
    return [time + seconds for seconds in sorted(drawn) if seconds <= last]


def settlements(rng: Random, time: int, spot: int) -> tuple[Settlement, ...]:
    """Up to two settled expiries, one of them often at this very second."""
    times = {rng.choice((time, time - DAY, rng.randint(2, time))) for _ in range(rng.randint(0, 2))}
    ends = (limits.MIN_SETTLEMENT_PRICE, limits.MAX_SETTLEMENT_PRICE)
    return tuple(Settlement(t, rng.choice((spot, spot + 1, between(rng, *ends)))) for t in sorted(times))


def underlying_market(rng: Random, underlying: int, time: int, expiries: int) -> UnderlyingMarket:
    """One underlying's part of a snapshot."""
    spot = rng.choice((80_000 * 10**8, 2_500 * 10**8, between(rng, limits.MIN_SPOT, limits.MAX_SPOT)))
    return UnderlyingMarket(
        underlying=underlying,
        spot_e8=spot,
        perpetual_e8=price_near(rng, spot),
        confidence_wad=confidence(rng),
        funding_e8=rng.choice((0, between(rng, -limits.MAX_FUNDING, limits.MAX_FUNDING))),
        settlements=settlements(rng, time, spot),
        expiries=tuple(quote(rng, at, spot) for at in expiry_times(rng, time, expiries)),
    )


def market(rng: Random, underlyings: tuple[int, ...], expiries: int) -> MarketSnapshot:
    """A snapshot; the settlement token at, near or far from its peg; now and then close to the last second there is."""
    time = rng.choice((TIME, TIME, rng.randint(DAY * 366, TIME), limits.MAX_TIME - 2 * MONTH))
    token = rng.choice((10**8, rng.randint(9 * 10**7, 10**8), between(rng, 1, limits.MAX_SETTLEMENT_TOKEN)))
    parts = (underlying_market(rng, u, time, rng.randint(1, expiries)) for u in underlyings)
    return MarketSnapshot(time, token, tuple(parts))


# Instruments and books


def far_strike(rng: Random, quote: ExpiryMarket) -> float:
    """A strike so many volatilities from the forward: any number up to 40, about 9, where tails end, or just below 32, where
    the quotient stops fitting its word. E8, not brought into the range."""
    smile = quote.svi
    variance = smile.a + smile.b * (hypot(smile.m, smile.sigma) - smile.rho * smile.m / WAD) / WAD
    vol = sqrt(max(0.0, variance / WAD))
    multiple = rng.choice((rng.uniform(0, 40), rng.uniform(8.9, 9.1), 32 - vol * rng.uniform(0, 0.5)))
    return quote.forward_e8 * exp(rng.choice((-1, 1)) * min(40.0, multiple * vol))


def strikes(rng: Random, quotes: UnderlyingMarket, count: int) -> tuple[int, ...]:
    """About so many strikes, in no order: at a forward and beside it, near, deep, at the ends of the range, anywhere. E8."""
    ends = (limits.MIN_STRIKE, limits.MAX_STRIKE)
    found: set[int] = set()
    for _ in range(count):
        centre = rng.choice((quotes.spot_e8, *(e.forward_e8 for e in quotes.expiries)))
        kind = rng.random()
        if kind < 0.2:
            wanted = centre + rng.choice((-1, 0, 0, 1))
        elif kind < 0.55:
            wanted = int(centre * 2 ** rng.gauss(0, 0.3))
        elif kind < 0.75:
            wanted = int(centre * 10 ** rng.uniform(-2, 2))
        elif kind < 0.9 and quotes.expiries:
            flat = tuple(quote for quote in quotes.expiries if quote.svi.b == 0 < quote.svi.a)
            wanted = int(far_strike(rng, rng.choice(flat or quotes.expiries)))
        else:
            wanted = between(rng, *ends)
        found.add(bounded(wanted, *ends))
    return tuple(rng.sample(sorted(found), len(found)))


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a world is: its underlyings, and for each the scenarios, at most so many expiries, and about so many strikes."""

    underlyings: tuple[int, ...]
    scenarios: int
    expiries: int
    strikes: int


@dataclass(frozen=True)
class World:
    """A market, a model of the same underlyings, the registry's lists, and ids that all of them can value, increasing."""

    market: MarketSnapshot
    model: Model
    table: InstrumentTable
    ids: tuple[int, ...]

    @cached_property
    def instruments(self) -> tuple[Instrument, ...]:
        """The instruments behind the ids, in the same order."""
        return tuple(self.table.resolve(number) for number in self.ids)

    @cached_property
    def instrument_of(self) -> dict[int, Instrument]:
        """The instrument of every id."""
        return dict(zip(self.ids, self.instruments, strict=True))

    def held(self, positions: tuple[Position, ...]) -> list[tuple[Instrument, int]]:
        """Positions as the specification's margin takes them."""
        return [(self.instrument_of[p.instrument], p.quantity) for p in positions]


def all_ids(table: InstrumentTable) -> tuple[int, ...]:
    """Every id that a table knows."""
    ids: list[int] = []
    for underlying, expiries in table.expiries.items():
        ids += [instrument_id(IdParts(underlying, undated, 0, False)) for undated in (0, 1)]
        for expiry in range(FIRST_EXPIRY_INDEX, FIRST_EXPIRY_INDEX + len(expiries)):
            ids.append(instrument_id(IdParts(underlying, expiry, 0, False)))
            options = range(1, len(table.strikes[underlying]) + 1)
            ids += [
                instrument_id(IdParts(underlying, expiry, k, put)) for k in options for put in (False, True)
            ]
    return tuple(sorted(ids))


def world(rng: Random, shape: Shape) -> World:
    """Everything that an account needs but its positions. Expiries are listed in any order, as on chain."""
    drawn = market(rng, shape.underlyings, shape.expiries)
    expiries, lists = {}, {}
    for part in drawn.underlyings:
        times = [*(s.expiry for s in part.settlements), *(e.expiry for e in part.expiries)]
        expiries[part.underlying] = tuple(rng.sample(times, len(times)))
        lists[part.underlying] = strikes(rng, part, shape.strikes)
    table = InstrumentTable(expiries, lists)
    counts = (rng.choice((shape.scenarios, 1, 8)) if i else shape.scenarios for i in range(8))
    sections = tuple(section(rng, u, n) for u, n in zip(shape.underlyings, counts, strict=False))
    return World(drawn, Model(sections), table, all_ids(table))


def quantities(rng: Random, count: int) -> list[int]:
    """Signed quantities, E8: of one size (legs cancel), all at the limits, of one sign, or any."""
    kind, sign = rng.random(), rng.choice((-1, 1))
    if kind < 0.2:
        size = between(rng, 1, limits.MAX_QUANTITY)
        return [rng.choice((-size, size)) for _ in range(count)]
    if kind < 0.3:
        return [rng.choice((-1, 1)) * limits.MAX_QUANTITY for _ in range(count)]
    signs = [sign if kind < 0.5 else rng.choice((-1, 1)) for _ in range(count)]
    most = rng.choice((10**9, 10**12, limits.MAX_QUANTITY))
    return [s * rng.choice((10**8, between(rng, 1, most))) for s in signs]


def book(rng: Random, drawn: World) -> tuple[Position, ...]:
    """A portfolio: any instruments, those of one expiry, or no options."""
    kind, ids = rng.random(), drawn.ids
    if kind < 0.25:
        group = rng.choice(ids) >> 16
        ids = tuple(number for number in ids if number >> 16 == group)
    elif kind < 0.35:
        ids = tuple(number for number in ids if not drawn.instrument_of[number].kind.is_option)
    chosen = sorted(rng.sample(ids, min(len(ids), rng.choice(BOOK_SIZES))))
    return tuple(map(Position, chosen, quantities(rng, len(chosen))))
