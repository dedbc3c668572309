"""Random models, markets and positions over everything that is allowed, corners and ties included."""

from __future__ import annotations

from random import Random
from typing import Final

from marginproof.spec.instruments import FIRST_EXPIRY_INDEX, IdParts, InstrumentTable, instrument_id
from marginproof.spec.limits import MAX_QUANTITY
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind, neutral_section
from marginproof.spec.model_fields import FIELDS
from marginproof.spec.svi import Svi

TIME: Final = 1_770_000_000
WAD: Final = 10**18
DAY: Final = 86_400
LAST_SECOND: Final = 2**32 - 1 - TIME
"""To the last second that has a number: there exponentials reach their bounds."""
MONTH: Final = 30 * DAY
SECONDS: Final = (
    -DAY,
    0,
    1,
    1799,
    1800,
    DAY - 1,
    9 * DAY,
    MONTH - 1,
    MONTH,
    MONTH + 1,
    400 * DAY,
    LAST_SECOND,
)
EXPIRIES: Final = tuple(TIME + seconds for seconds in SECONDS)


def log_uniform(draw: Random, low: int, high: int) -> int:
    """An integer whose logarithm is about uniform between two positive ones."""
    return min(high, max(low, int(low * (high / low) ** draw.random())))


def chance(draw: Random, one_in: int) -> bool:
    """True about once in so many times."""
    return draw.randrange(one_in) == 0


def smile(draw: Random) -> Svi:
    """A valid smile: usual, flat at no variance at all, or at a corner of the ranges."""
    if chance(draw, 12):
        return Svi(0, 0, 0, 0, 10**12)
    if chance(draw, 12):
        sign = draw.choice((-1, 1))
        return Svi(9 * WAD, 2 * WAD, sign * 9999 * 10**14, -sign * 4 * WAD, 4 * WAD)
    return Svi(
        a=log_uniform(draw, 1, WAD // 2),
        b=draw.randint(0, WAD // 2),
        rho=draw.randint(-95 * WAD // 100, 95 * WAD // 100),
        m=draw.randint(-WAD, WAD),
        sigma=log_uniform(draw, 10**12, WAD),
    )


def scenario(draw: Random) -> Scenario:
    """A move of any kind."""
    kind = draw.choice(tuple(VolKind))
    amount = draw.randint(-4 * WAD, 4 * WAD) if kind == VolKind.ADD else 0
    spot = WAD if chance(draw, 4) else log_uniform(draw, 10**16, 16 * WAD)
    return Scenario(spot, kind, draw.choice((0, WAD, draw.randint(0, 9 * WAD))), amount)


def section(draw: Random, underlying: int) -> ModelSection:
    """A section with each field neutral, at a bound, near it, or anywhere in its range; sometimes the same scenario twice."""
    values: dict[str, int] = {}
    for field in FIELDS:
        choices = (field.neutral, field.neutral, field.low, field.high, draw.randint(field.low, field.high))
        small = draw.randint(max(field.low, -(field.high // 20)), max(field.low, field.high // 20))
        values[field.attribute] = draw.choice((*choices, small, small, small))
    values["maintenance_factor"] = draw.randint(0, values["initial_factor"])
    scenarios = [scenario(draw) for _ in range(draw.randint(1, 7))]
    if chance(draw, 3):
        scenarios.append(draw.choice(scenarios))
    return neutral_section(underlying, tuple(scenarios), **values)


def underlying_market(draw: Random, underlying: int) -> UnderlyingMarket:
    """Quotes of every live expiry and settlement prices of every other."""
    spot = draw.choice((10**6, 10**14, log_uniform(draw, 10**6, 10**14), log_uniform(draw, 10**10, 10**13)))

    def near(price: int) -> int:
        return max(10**6, min(10**14, price * draw.randint(80, 120) // 100))

    quotes = tuple(
        ExpiryMarket(
            expiry,
            near(spot),
            draw.choice((0, draw.randint(-WAD, 2 * WAD), draw.randint(0, WAD // 5))),
            smile(draw),
            draw.choice((WAD, draw.randint(0, WAD))),
        )
        for expiry in EXPIRIES
        if expiry > TIME
    )
    settled = tuple(Settlement(expiry, log_uniform(draw, 1, 10**16)) for expiry in EXPIRIES if expiry <= TIME)
    confidence, funding = (
        draw.choice((WAD, draw.randint(0, WAD))),
        draw.choice((0, draw.randint(-(10**14), 10**14))),
    )
    return UnderlyingMarket(underlying, spot, near(spot), confidence, funding, settled, quotes)


def market(draw: Random) -> MarketSnapshot:
    """Two underlyings; the settlement token about its peg."""
    token = draw.choice((10**8, 1, 10**9, draw.randint(90 * 10**6, 101 * 10**6)))
    return MarketSnapshot(TIME, token, (underlying_market(draw, 1), underlying_market(draw, 2)))


def model(draw: Random) -> Model:
    """Sections for both underlyings."""
    return Model((section(draw, 1), section(draw, 2)))


def instrument_table(draw: Random, snapshot: MarketSnapshot) -> InstrumentTable:
    """Every expiry, with strikes at the bounds, at and about the forwards, and far from them."""
    strikes = {}
    for quotes in snapshot.underlyings:
        forwards = [quote.forward_e8 for quote in quotes.expiries[:2]]
        listed = {10**4, 10**16, *forwards, *(forward + draw.choice((-1, 1)) for forward in forwards)}
        listed |= {
            log_uniform(draw, max(10**4, quotes.spot_e8 // 100), quotes.spot_e8 * 100) for _ in range(4)
        }
        listed |= {quotes.spot_e8 * draw.randint(70, 130) // 100 for _ in range(4)}
        strikes[quotes.underlying] = tuple(sorted(listed))
    return InstrumentTable(dict.fromkeys((1, 2), EXPIRIES), strikes)


def ids_of(table: InstrumentTable, underlying: int) -> list[int]:
    """Every id that a table knows for an underlying."""
    ids = [instrument_id(IdParts(underlying, undated, 0, False)) for undated in (0, 1)]
    for expiry in range(len(table.expiries[underlying])):
        for strike in range(len(table.strikes[underlying]) + 1):
            ids += [
                instrument_id(IdParts(underlying, expiry + FIRST_EXPIRY_INDEX, strike, is_put))
                for is_put in ((False, True) if strike else (False,))
            ]
    return ids


def positions(draw: Random, table: InstrumentTable) -> list[tuple[int, int]]:
    """A portfolio, now and then empty or as large as allowed; some books have one size only, so that legs cancel."""
    most = 128 if chance(draw, 40) else 14
    known = [*ids_of(table, 1), *ids_of(table, 2)] if chance(draw, 2) else ids_of(table, draw.randint(1, 2))
    ids = sorted(draw.sample(known, min(len(known), draw.randint(0, most))))
    one_size = log_uniform(draw, 1, MAX_QUANTITY) if chance(draw, 4) else 0
    return [
        (id_, draw.choice((-1, 1)) * (one_size or log_uniform(draw, 1, draw.choice((10**11, MAX_QUANTITY)))))
        for id_ in ids
    ]
