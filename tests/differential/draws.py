"""Random inputs inside the limits of the specification, with its corners drawn often."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from random import Random

from marginproof.spec import limits
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind
from marginproof.spec.svi import Svi

DAY = 86_400
TIME = 1_900_000_000
"""Snapshot time of every drawn market, unix seconds."""
SECONDS = (
    1,
    1_799,
    1_800,
    DAY - 1,
    DAY,
    DAY + 1,
    7 * DAY,
    30 * DAY - 1,
    30 * DAY,
    30 * DAY + 1,
    90 * DAY,
    365 * DAY,
)
"""Times to expiry where a rule changes, and common ones."""
WAD = 10**18


def between(rng: Random, low: int, high: int) -> int:
    """An integer within the limits: an end of the range one time in ten, else even over magnitudes or over the range."""
    kind = rng.random()
    if kind < 0.1:
        return rng.choice((low, high))
    if kind < 0.55 and low >= 0:
        return max(low, min(high, int(2 ** rng.uniform(0, (high + 1).bit_length()))))
    return rng.randint(low, high)


def seconds(rng: Random) -> int:
    """Seconds to expiry."""
    return rng.choice(SECONDS) if rng.random() < 0.5 else between(rng, 1, limits.MAX_TIME - TIME)


def smile(rng: Random) -> Svi:
    """A smile that the specification accepts: ordinary two times in three, anything in range else."""
    if rng.random() < 0.65:
        a, b = int(10 ** rng.uniform(13, 17)), int(10 ** rng.uniform(13, 17))
        rho, m = rng.randint(-9 * WAD // 10, 9 * WAD // 10), rng.randint(-WAD // 5, WAD // 5)
        return Svi(a, b, rho, m, int(10 ** rng.uniform(15, 18)))
    b = between(rng, limits.MIN_SVI_B, limits.MAX_SVI_B)
    rho = between(rng, -limits.MAX_SVI_RHO, limits.MAX_SVI_RHO)
    sigma = between(rng, limits.MIN_SVI_SIGMA, limits.MAX_SVI_SIGMA)
    least = max(limits.MIN_SVI_A, -(b * sigma * isqrt(WAD * WAD - rho * rho) // (WAD * WAD)))
    a = least if rng.random() < 0.3 else between(rng, least, limits.MAX_SVI_A)
    return Svi(a, b, rho, between(rng, -limits.MAX_SVI_M, limits.MAX_SVI_M), sigma)


def strike(rng: Random, forward: int) -> int:
    """A strike: near the forward, at it, far from it or anywhere, E8."""
    kind = rng.random()
    if kind < 0.1:
        wanted = forward + rng.randint(-1, 1)
    elif kind < 0.5:
        wanted = int(forward * 2 ** rng.gauss(0, 0.3))
    elif kind < 0.8:
        wanted = int(forward * 10 ** rng.uniform(-2, 2))
    else:
        wanted = between(rng, limits.MIN_STRIKE, limits.MAX_STRIKE)
    return max(limits.MIN_STRIKE, min(limits.MAX_STRIKE, wanted))


def scenario(rng: Random) -> Scenario:
    """A scenario; moves by exactly 1 and weights of 0 and 1 come often."""
    spot = WAD if rng.random() < 0.15 else between(rng, limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK)
    if rng.random() < 0.5:
        spot = rng.randint(WAD // 2, 2 * WAD)
    weight = rng.choice((WAD, WAD, between(rng, 0, limits.MAX_WEIGHT)))
    return Scenario(spot, rng.choice(tuple(VolKind)), weight)


def section(rng: Random, underlying: int, count: int) -> ModelSection:
    """The model of one underlying with `count` scenarios, some of them equal (ties) or with the move of their neighbour."""
    scenarios = [scenario(rng) for _ in range(count)]
    for i in range(1, count):
        if rng.random() < 0.3:
            scenarios[i] = rng.choice(
                (scenarios[i - 1], Scenario(scenarios[i - 1].spot_wad, VolKind.UP, WAD))
            )
    initial = between(rng, 0, limits.MAX_FACTOR)
    return ModelSection(
        underlying=underlying,
        initial_factor_wad=initial,
        maintenance_factor_wad=rng.choice((initial, between(rng, 0, initial))),
        vol_up_wad=between(rng, 0, limits.MAX_VOL_UP),
        vol_down_wad=between(rng, 0, limits.MAX_VOL_DOWN),
        min_vol_up_wad=between(rng, 0, limits.MAX_MIN_VOL_UP),
        power_short_wad=between(rng, 0, limits.MAX_POWER),
        power_long_wad=between(rng, 0, limits.MAX_POWER),
        floor_seconds=rng.choice((1, DAY, between(rng, limits.MIN_FLOOR_SECONDS, limits.MAX_FLOOR_SECONDS))),
        scenarios=tuple(scenarios),
    )


def price(rng: Random) -> int:
    """A spot or forward price, E8."""
    return between(rng, limits.MIN_SPOT, limits.MAX_SPOT)


def quotes(rng: Random, spot: int, expiries: int) -> tuple[ExpiryMarket, ...]:
    """Live expiries; forwards near the spot or anywhere."""
    found = []
    for time in sorted({TIME + seconds(rng) for _ in range(expiries)}):
        near = max(limits.MIN_SPOT, min(limits.MAX_SPOT, int(spot * rng.uniform(0.9, 1.1))))
        found.append(ExpiryMarket(time, rng.choice((near, near, spot, price(rng))), 0, smile(rng)))
    return tuple(found)


def settlements(rng: Random, spot: int, count: int) -> tuple[Settlement, ...]:
    """Settled expiries."""
    times = sorted({rng.choice((TIME, TIME - DAY, rng.randint(1, TIME))) for _ in range(count)})
    ends = (limits.MIN_SETTLEMENT_PRICE, limits.MAX_SETTLEMENT_PRICE)
    return tuple(Settlement(time, rng.choice((spot, *ends, rng.randint(*ends)))) for time in times)


def underlying_market(rng: Random, underlying: int, expiries: int, settled: int) -> UnderlyingMarket:
    """One underlying's part of a snapshot."""
    spot = price(rng)
    return UnderlyingMarket(
        underlying=underlying,
        spot_e8=spot,
        confidence_wad=between(rng, limits.MIN_CONFIDENCE, limits.MAX_CONFIDENCE),
        funding_e8=between(rng, -limits.MAX_FUNDING, limits.MAX_FUNDING),
        settlements=settlements(rng, spot, settled),
        expiries=quotes(rng, spot, expiries),
    )


@dataclass(frozen=True, slots=True)
class World:
    """A market, a model for the same underlyings, and strikes (E8) per underlying."""

    market: MarketSnapshot
    model: Model
    strikes: dict[int, tuple[int, ...]]


def world(rng: Random, ids: tuple[int, ...], scenarios: int, strikes: int) -> World:
    """Everything that an account needs except its positions."""
    parts = tuple(underlying_market(rng, u, rng.randint(1, 4), rng.randint(0, 2)) for u in ids)
    sections = tuple(section(rng, u, scenarios) for u in ids)
    lists = {}
    for part in parts:
        centre = part.expiries[0].forward_e8
        lists[part.underlying] = tuple(sorted({strike(rng, centre) for _ in range(strikes)}))
    return World(MarketSnapshot(TIME, 10**8, parts), Model(sections), lists)


def quantity(rng: Random) -> int:
    """A signed quantity, E8, never zero."""
    size = rng.choice((10**8, rng.randint(1, 10**10), between(rng, 1, limits.MAX_QUANTITY)))
    return rng.choice((-1, 1)) * max(1, size)


def instrument(rng: Random, drawn: World) -> Instrument:
    """An instrument that the world can value."""
    part = rng.choice(drawn.market.underlyings)
    kind = rng.choice((Kind.SPOT, Kind.PERPETUAL, Kind.FUTURE, Kind.CALL, Kind.PUT, Kind.CALL, Kind.PUT))
    if not kind.is_dated:
        return Instrument(part.underlying, kind)
    live, settled = [e.expiry for e in part.expiries], [e.expiry for e in part.settlements]
    expiry = rng.choice([*live, *live, *settled])
    return Instrument(
        part.underlying, kind, expiry, rng.choice(drawn.strikes[part.underlying]) if kind.is_option else 0
    )
