"""Random markets and models with everything on, and random books in them."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from scripts.vector_families.models import (
    BASIS,
    DELTA_CHARGE,
    DISCOUNTS,
    FULL,
    MILLI,
    SHORT_MINIMUM,
    WAD,
    model_of,
)

from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind
from marginproof.spec.svi import Svi

TIME = 1_770_000_000
DAY = 86_400
SECONDS = (
    1,
    600,
    1799,
    1800,
    DAY - 1,
    DAY,
    9 * DAY,
    30 * DAY - 1,
    30 * DAY,
    30 * DAY + 1,
    181 * DAY,
    400 * DAY,
)

Book = list[tuple[Instrument, int]]


def _smile(rng: Random, seconds: int) -> Svi:
    """An ordinary smile: 20% to 150% at the money."""
    tau = seconds * WAD // (365 * DAY)
    return Svi(
        a=tau * rng.randint(3, 180) // 100,
        b=tau * rng.randint(1, 30) // 100,
        rho=rng.randint(-700, 500) * MILLI,
        m=rng.randint(-200, 200) * MILLI,
        sigma=rng.randint(20, 400) * MILLI,
    )


def _underlying(rng: Random, underlying: int) -> UnderlyingMarket:
    spot = round(10 ** rng.uniform(6.5, 13.9))
    times = sorted(rng.sample(SECONDS, 4))
    return UnderlyingMarket(
        underlying=underlying,
        spot_e8=spot,
        perpetual_e8=spot * rng.randint(990, 1010) // 1000,
        confidence_wad=rng.choice((WAD, 400 * MILLI)),
        funding_e8=rng.randint(-spot, spot) // 100,
        settlements=(Settlement(TIME - DAY, spot * rng.randint(900, 1100) // 1000),),
        expiries=tuple(
            ExpiryMarket(
                TIME + seconds,
                max(10**6, spot * rng.randint(970, 1040) // 1000),
                rng.choice((0, rng.randint(-20, 150) * MILLI)),
                _smile(rng, seconds),
                rng.choice((WAD, rng.randint(0, 1000) * MILLI)),
            )
            for seconds in times
        ),
    )


def market(rng: Random) -> MarketSnapshot:
    """Two underlyings of prices between 0.03 and 800,000 USD, four live expiries and a settled one each."""
    sections = tuple(_underlying(rng, underlying) for underlying in (1, 2))
    return MarketSnapshot(TIME, rng.randint(97_000_000, 100_010_000), sections)


def _scenario(rng: Random) -> Scenario:
    kind = rng.choice(list(VolKind))
    amount = rng.randint(-400, 400) * MILLI if kind == VolKind.ADD else 0
    return Scenario(rng.randint(300, 3000) * MILLI, kind, rng.randint(10, 1000) * MILLI, amount)


def section(rng: Random) -> ModelSection:
    """Everything on, in amounts near those of published models, most of it a little different."""
    scenarios = (*FULL.scenarios[:-1], *(_scenario(rng) for _ in range(5)))
    changes: dict[str, int] = {}
    for name in (
        "vol_up",
        "vol_down",
        "min_vol_up",
        "power_short",
        "power_long",
        "linear_cap",
        "absolute_cap",
    ):
        changes[name] = getattr(FULL, name) * rng.randint(1, 150) // 100
    for name in ("longBase", "shortBase"):
        attribute = "long_base" if name == "longBase" else "short_base"
        changes[attribute] = getattr(FULL, attribute) * rng.randint(95, 105) // 100
    for group in (BASIS, DELTA_CHARGE, SHORT_MINIMUM):
        if rng.randrange(3) == 0:
            changes |= {name: 0 for name in group if name not in ("basis_up", "basis_down")}
    if rng.randrange(2):
        changes |= {name: getattr(FULL, name) // 2 for name in DISCOUNTS if name.endswith("add")}
    return replace(FULL, scenarios=scenarios, initial_factor=WAD, **changes)  # type: ignore[arg-type]


def model(rng: Random) -> Model:
    """A section for either underlying."""
    return model_of(section(rng), section(rng))


def instruments(rng: Random, world: MarketSnapshot) -> list[Instrument]:
    """What there is to hold: strikes within a factor of three of the forward, one at it and one a unit beside it."""
    found = []
    for quotes in world.underlyings:
        found += [Instrument(quotes.underlying, Kind.SPOT), Instrument(quotes.underlying, Kind.PERPETUAL)]
        dated = [(quote.expiry, quote.forward_e8) for quote in quotes.expiries]
        dated += [(settlement.expiry, settlement.price_e8) for settlement in quotes.settlements]
        for expiry, price in dated:
            found.append(Instrument(quotes.underlying, Kind.FUTURE, expiry))
            for strike in (price, price + 1, *(round(price * 3 ** rng.uniform(-1, 1)) for _ in range(3))):
                kinds = (Kind.CALL, Kind.PUT)
                found += [Instrument(quotes.underlying, kind, expiry, max(10**4, strike)) for kind in kinds]
    return found


def book(rng: Random, listed: list[Instrument]) -> Book:
    """A few positions of very different sizes; one alone as often as several."""
    held = rng.sample(listed, rng.choice((1, 1, 2, 3, 8, 20)))
    return [(instrument, rng.choice((-1, 1)) * round(10 ** rng.uniform(0, 11))) for instrument in held]
