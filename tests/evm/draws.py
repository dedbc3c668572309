"""Random markets, models with every feature on, and books, all inside the specification's ranges, corners drawn often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from marginproof.spec import limits
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind, neutral_section
from marginproof.spec.model_fields import FIELDS, Field
from marginproof.spec.svi import Svi

DAY = 86_400
WAD = 10**18
TIME = 1_900_000_000
"""Snapshot time of every drawn market, unix seconds."""
SECONDS = (1, 1_799, 1_800, DAY - 1, DAY, 7 * DAY, 30 * DAY - 1, 30 * DAY, 30 * DAY + 1, 365 * DAY)
ORDINARY = {
    "initialFactor": (WAD, 2 * WAD),
    "maintenanceFactor": (WAD // 2, WAD),
    "pegThreshold": (97 * 10**6, 101 * 10**6),
    "pegFactor": (WAD, 3 * WAD),
    "volUp": (WAD // 5, WAD),
    "volDown": (WAD // 5, WAD // 2),
    "minVolUp": (WAD // 5, WAD // 2),
    "powerShort": (WAD // 5, WAD // 2),
    "powerLong": (WAD // 10, WAD // 2),
    "floorSeconds": (DAY, 2 * DAY),
    "averagingSeconds": (1_800, DAY),
    "linearCap": (WAD // 10, WAD // 5),
    "linearCapSlope": (-WAD // 10, WAD // 10),
    "absoluteCap": (WAD // 10, WAD // 5),
    "absoluteCapSlope": (-WAD // 10, WAD // 10),
    "skewMinimum": (WAD // 200, WAD // 50),
    "skewWidth": (WAD, 5 * WAD),
    "skewVol": (WAD // 5, WAD),
    "skewVolSlope": (-WAD // 5, WAD // 5),
    "longBase": (9 * WAD // 10, WAD),
    "longRateMultiple": (0, 2 * WAD),
    "longRateAdd": (0, WAD // 10),
    "shortBase": (WAD, 11 * WAD // 10),
    "shortRateMultiple": (0, 2 * WAD),
    "shortRateAdd": (0, WAD // 10),
    "basisUp": (101 * WAD // 100, 106 * WAD // 100),
    "basisDown": (94 * WAD // 100, 99 * WAD // 100),
    "basisBase": (WAD // 5, WAD),
    "basisPerYear": (WAD // 5, 3 * WAD),
    "deltaNet": (WAD // 100, WAD // 5),
    "deltaHedged": (WAD // 100, WAD // 10),
    "shortMinimum": (10**8, 1_000 * 10**8),
    "shortMinimumRate": (WAD // 1_000, WAD // 20),
    "nakedMaintenance": (WAD // 1_000, WAD // 20),
    "nakedInitial": (WAD // 1_000, WAD // 20),
    "perpetualMaintenance": (WAD // 1_000, WAD // 20),
    "perpetualInitial": (WAD // 1_000, WAD // 20),
    "futureMaintenance": (WAD // 1_000, WAD // 20),
    "futureInitial": (WAD // 1_000, WAD // 20),
    "haircutMaintenance": (WAD // 1_000, WAD // 20),
    "haircutInitial": (WAD // 1_000, WAD // 20),
    "confidenceThreshold": (WAD // 2, WAD),
    "confidenceRate": (WAD // 10, WAD),
}
"""Ranges in which real models keep each field."""

Value = Callable[[Random, Field], int]


def between(rng: Random, low: int, high: int) -> int:
    """An integer within the limits: an end of the range one time in ten, else even over magnitudes or over the range."""
    kind = rng.random()
    if kind < 0.1:
        return rng.choice((low, high))
    if kind < 0.55 and low >= 0:
        return max(low, min(high, int(2 ** rng.uniform(0, (high + 1).bit_length()))))
    return rng.randint(low, high)


def ordinary(rng: Random, field: Field) -> int:
    """A value as in real models."""
    return rng.randint(*ORDINARY[field.name])


def anything(rng: Random, field: Field) -> int:
    """Neutral, an end of the range, or anything in it."""
    return field.neutral if rng.random() < 0.3 else between(rng, field.low, field.high)


def scenario(rng: Random) -> Scenario:
    """A scenario of any kind; moves by exactly 1 and weights of 0 and 1 come often."""
    spot = rng.choice(
        (
            WAD,
            rng.randint(WAD // 2, 2 * WAD),
            rng.randint(WAD // 2, 2 * WAD),
            between(rng, limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK),
        )
    )
    weight = rng.choice((WAD, WAD, WAD // 20, between(rng, 0, limits.MAX_WEIGHT)))
    kind = rng.choice(tuple(VolKind))
    amount = between(rng, -limits.MAX_VOL_ADD, limits.MAX_VOL_ADD) if kind == VolKind.ADD else 0
    return Scenario(spot, kind, weight, amount)


def section(rng: Random, underlying: int, count: int, value: Value) -> ModelSection:
    """The model of one underlying with `count` scenarios, some equal to their neighbour (ties)."""
    scenarios = [scenario(rng) for _ in range(count)]
    for i in range(1, count):
        if rng.random() < 0.2:
            scenarios[i] = rng.choice(
                (scenarios[i - 1], Scenario(scenarios[i - 1].spot_wad, VolKind.DOWN, WAD))
            )
    drawn = neutral_section(underlying, tuple(scenarios), **{f.attribute: value(rng, f) for f in FIELDS})
    return replace(drawn, maintenance_factor=min(drawn.initial_factor, drawn.maintenance_factor))


def smile(rng: Random) -> Svi:
    """A smile that the specification accepts: ordinary two times in three, anything in range else."""
    if rng.random() < 0.65:
        a, b = int(10 ** rng.uniform(13, 17)), int(10 ** rng.uniform(13, 17))
        rho, m = rng.randint(-9 * WAD // 10, 9 * WAD // 10), rng.randint(-WAD // 5, WAD // 5)
        return Svi(a, b, rho, m, int(10 ** rng.uniform(15, 18)))
    return Svi(
        between(rng, 0, limits.MAX_SVI_A),
        between(rng, limits.MIN_SVI_B, limits.MAX_SVI_B),
        between(rng, -limits.MAX_SVI_RHO, limits.MAX_SVI_RHO),
        between(rng, -limits.MAX_SVI_M, limits.MAX_SVI_M),
        between(rng, limits.MIN_SVI_SIGMA, limits.MAX_SVI_SIGMA),
    )


def strike(rng: Random, forward: int) -> int:
    """A strike: at the forward, near it, far from it or anywhere, E8."""
    wanted = rng.choice(
        (
            forward,
            int(forward * 2 ** rng.gauss(0, 0.2)),
            int(forward * 2 ** rng.gauss(0, 0.2)),
            int(forward * 10 ** rng.uniform(-2, 2)),
            between(rng, limits.MIN_STRIKE, limits.MAX_STRIKE),
        )
    )
    return max(limits.MIN_STRIKE, min(limits.MAX_STRIKE, wanted))


def price(rng: Random, centre: int) -> int:
    """A price near another, or anywhere, E8."""
    wanted = int(centre * rng.uniform(0.9, 1.1)) if rng.random() < 0.8 else between(rng, 1, limits.MAX_SPOT)
    return max(limits.MIN_SPOT, min(limits.MAX_SPOT, wanted))


def confidence(rng: Random) -> int:
    """Full, none or anything between."""
    return rng.choice((WAD, between(rng, limits.MIN_CONFIDENCE, limits.MAX_CONFIDENCE), rng.randint(0, WAD)))


def quote(rng: Random, expiry: int, spot: int) -> ExpiryMarket:
    """A live expiry."""
    rate = rng.choice((0, rng.randint(-WAD // 10, WAD // 4), between(rng, limits.MIN_RATE, limits.MAX_RATE)))
    return ExpiryMarket(expiry, price(rng, spot), rate, smile(rng), confidence(rng))


def underlying_market(rng: Random, underlying: int, expiries: int, settled: int) -> UnderlyingMarket:
    """One underlying: the perpetual's price differs from spot."""
    spot = rng.choice((80_000 * 10**8, 2_500 * 10**8, between(rng, limits.MIN_SPOT, limits.MAX_SPOT)))
    times = {rng.choice((*SECONDS, rng.randint(1, limits.MAX_TIME - TIME))) for _ in range(expiries)}
    past = {rng.choice((TIME, TIME - DAY, rng.randint(1, TIME))) for _ in range(settled)}
    return UnderlyingMarket(
        underlying=underlying,
        spot_e8=spot,
        perpetual_e8=price(rng, spot),
        confidence_wad=confidence(rng),
        funding_e8=between(rng, -limits.MAX_FUNDING, limits.MAX_FUNDING),
        settlements=tuple(Settlement(time, strike(rng, spot)) for time in sorted(past)),
        expiries=tuple(quote(rng, TIME + after, spot) for after in sorted(times)),
    )


@dataclass(frozen=True, slots=True)
class World:
    """A market, a model for the same underlyings, and instruments that both can value."""

    market: MarketSnapshot
    model: Model
    instruments: tuple[Instrument, ...]


def instruments(rng: Random, part: UnderlyingMarket, strikes: int) -> list[Instrument]:
    """Everything that can be held of one underlying at so many strikes."""
    found = [Instrument(part.underlying, kind) for kind in (Kind.SPOT, Kind.PERPETUAL)]
    prices = sorted({strike(rng, part.spot_e8) for _ in range(strikes)})
    for date in (*(s.expiry for s in part.settlements), *(q.expiry for q in part.expiries)):
        found.append(Instrument(part.underlying, Kind.FUTURE, date))
        found += [
            Instrument(part.underlying, kind, date, k) for k in prices for kind in (Kind.CALL, Kind.PUT)
        ]
    return found


def world(
    rng: Random, ids: tuple[int, ...], scenarios: int, value: Value, strikes: int = 4, expiries: int = 3
) -> World:
    """Everything that an account needs except its positions; at most so many strikes and expiries of each underlying."""
    parts = tuple(underlying_market(rng, u, rng.randint(1, expiries), rng.randint(0, 2)) for u in ids)
    token = rng.choice((10**8, rng.randint(95 * 10**6, 10**8), between(rng, 1, limits.MAX_SETTLEMENT_TOKEN)))
    return World(
        MarketSnapshot(TIME, token, parts),
        Model(tuple(section(rng, u, scenarios, value) for u in ids)),
        tuple(i for part in parts for i in instruments(rng, part, strikes)),
    )


def quantity(rng: Random) -> int:
    """A signed quantity, E8, never zero."""
    size = rng.choice((10**8, rng.randint(1, 10**10), between(rng, 1, limits.MAX_QUANTITY)))
    return rng.choice((-1, 1)) * max(1, size)


def book(rng: Random, drawn: World, most: int) -> list[tuple[Instrument, int]]:
    """Distinct instruments of a world with quantities."""
    held = rng.sample(drawn.instruments, rng.randint(1, min(most, len(drawn.instruments))))
    return [(instrument, quantity(rng)) for instrument in held]
