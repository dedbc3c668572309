"""Markets, registries and instruments that the vectors are made of. Figures are invented; shapes are those of real books."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from marginproof.spec.instruments import FIRST_EXPIRY_INDEX, IdParts, InstrumentTable, instrument_id
from marginproof.spec.limits import (
    MAX_FUNDING,
    MAX_RATE,
    MAX_SETTLEMENT_PRICE,
    MAX_SPOT,
    MAX_STRIKE,
    MAX_TIME,
    MIN_RATE,
    MIN_SPOT,
    MIN_STRIKE,
)
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket
from marginproof.spec.portfolio import Position
from marginproof.spec.svi import Svi

from .case import Json, decimal
from .models import E8, MILLI, WAD

DAY: Final = 86_400
TIME: Final = 1_770_000_000

EXPIRIES: Final = (
    TIME - 2 * DAY,
    TIME,
    TIME + 1,
    TIME + 1800,
    TIME + DAY,
    TIME + 9 * DAY,
    TIME + 30 * DAY,
    TIME + 31 * DAY,
    TIME + 400 * DAY,
)
STRIKES: Final = tuple(
    k * E8
    for k in (1_000, 2_000, 2_500, 3_000, 40_000, 60_000, 69_000, 70_000, 71_000, 80_000, 100_000, 150_000)
) + (MIN_STRIKE, MAX_STRIKE)

SMILE: Final = Svi(a=4 * MILLI, b=60 * MILLI, rho=-250 * MILLI, m=30 * MILLI, sigma=150 * MILLI)
FLAT: Final = Svi(a=160 * MILLI, b=0, rho=0, m=0, sigma=100 * MILLI)


RATES: Final = (0, 50 * MILLI, -20 * MILLI, 150 * MILLI, 0, 30 * MILLI, 2 * WAD)
CONFIDENCES: Final = (WAD, 540 * MILLI, 900 * MILLI, 300 * MILLI, 550 * MILLI, WAD, 0)


def _quotes(forward: int, smile: Svi) -> tuple[ExpiryMarket, ...]:
    live = [expiry for expiry in EXPIRIES if expiry > TIME]
    return tuple(
        ExpiryMarket(
            expiry,
            forward * (1000 + i) // 1000,
            RATES[i],
            replace(smile, a=smile.a + i * 2 * MILLI),
            CONFIDENCES[i],
        )
        for i, expiry in enumerate(live)
    )


BITCOIN: Final = UnderlyingMarket(
    underlying=1,
    spot_e8=70_123_45678901,
    perpetual_e8=70_131_00000009,
    confidence_wad=WAD,
    funding_e8=-12_34567890,
    settlements=(Settlement(EXPIRIES[0], 71_000_12345678), Settlement(EXPIRIES[1], 69_000 * E8)),
    expiries=_quotes(70_200_00000007, SMILE),
)
ETHER: Final = replace(
    BITCOIN,
    underlying=2,
    spot_e8=2_345_67890123,
    perpetual_e8=2_345_00000007,
    confidence_wad=549 * MILLI,
    funding_e8=1_23456789,
    settlements=(Settlement(EXPIRIES[0], 2_400 * E8), Settlement(EXPIRIES[1], 2_300_00000001)),
    expiries=_quotes(2_346_00000003, replace(SMILE, b=90 * MILLI)),
)
MARKET: Final = MarketSnapshot(TIME, 99_990_000, (BITCOIN, ETHER))
LONE: Final = MarketSnapshot(TIME, E8, (replace(BITCOIN, settlements=(), expiries=BITCOIN.expiries[4:5]),))

HIGH: Final = replace(
    BITCOIN,
    spot_e8=MAX_SPOT,
    perpetual_e8=MAX_SPOT,
    funding_e8=-MAX_FUNDING,
    settlements=tuple(replace(s, price_e8=MAX_SETTLEMENT_PRICE) for s in BITCOIN.settlements),
    expiries=tuple(
        replace(
            quote,
            forward_e8=MAX_SPOT,
            rate_wad=(MIN_RATE, MAX_RATE)[i % 2],
            svi=Svi(9 * WAD, 2 * WAD, 9999 * 10**14, -4 * WAD, 4 * WAD),
        )
        for i, quote in enumerate(BITCOIN.expiries)
    ),
)
LOW: Final = replace(
    BITCOIN,
    underlying=2,
    spot_e8=MIN_SPOT,
    perpetual_e8=MIN_SPOT,
    confidence_wad=0,
    funding_e8=MAX_FUNDING,
    settlements=tuple(replace(s, price_e8=1) for s in BITCOIN.settlements),
    expiries=tuple(
        replace(
            quote,
            forward_e8=MIN_SPOT,
            rate_wad=(MAX_RATE, 1)[i % 2],
            svi=Svi(0, 0, 0, 0, 10**12),
            confidence_wad=0,
        )
        for i, quote in enumerate(BITCOIN.expiries)
    ),
)
EXTREME_MARKET: Final = MarketSnapshot(TIME, 1, (HIGH, LOW))
LAST_SECOND: Final = MarketSnapshot(
    MAX_TIME - 1,
    E8,
    (replace(BITCOIN, settlements=(), expiries=(replace(BITCOIN.expiries[0], expiry=MAX_TIME),)),),
)
FIRST_SECOND: Final = MarketSnapshot(
    1,
    E8,
    (
        replace(
            BITCOIN,
            settlements=(),
            expiries=tuple(replace(BITCOIN.expiries[3], expiry=expiry) for expiry in (2, MAX_TIME)),
        ),
    ),
)
"""The longest time to expiry there can be."""

REGISTRY: Final = InstrumentTable(dict.fromkeys((1, 2), EXPIRIES), dict.fromkeys((1, 2), STRIKES))


def identify(underlying: int, expiry: int | None = None, strike_e8: int = 0, is_put: bool = False) -> int:
    """The id, in `REGISTRY`, of a dated instrument (of a perpetual when there is no expiry)."""
    if expiry is None:
        return instrument_id(IdParts(underlying, 1, 0, False))
    strike_index = STRIKES.index(strike_e8) + 1 if strike_e8 else 0
    return instrument_id(
        IdParts(underlying, EXPIRIES.index(expiry) + FIRST_EXPIRY_INDEX, strike_index, is_put)
    )


def spot_id(underlying: int) -> int:
    """The id of spot collateral."""
    return instrument_id(IdParts(underlying, 0, 0, False))


def all_ids(underlying: int) -> list[int]:
    """Every id that `REGISTRY` knows for an underlying, increasing."""
    dated = [
        identify(underlying, expiry, strike, is_put)
        for expiry in EXPIRIES
        for strike in (0, *STRIKES)
        for is_put in ((False, True) if strike else (False,))
    ]
    return sorted([spot_id(underlying), identify(underlying), *dated])


def raw_portfolio(positions: list[Position]) -> bytes:
    """Packed bytes without any check."""
    return b"".join(
        p.instrument.to_bytes(4, "big") + p.quantity.to_bytes(8, "big", signed=True) for p in positions
    )


def registry_json(registry: InstrumentTable) -> Json:
    """The lists that ids refer to, by underlying."""
    return {
        "expiries": {str(u): [decimal(v) for v in values] for u, values in registry.expiries.items()},
        "strikes": {str(u): [decimal(v) for v in values] for u, values in registry.strikes.items()},
    }


def registry_of(given: Json) -> InstrumentTable:
    """The inverse of `registry_json`."""
    return InstrumentTable(
        {int(u): tuple(map(int, values)) for u, values in given["expiries"].items()},
        {int(u): tuple(map(int, values)) for u, values in given["strikes"].items()},
    )
