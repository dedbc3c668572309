"""Models, markets and registries that the vectors are made of. Figures are invented; shapes are those of real books."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from marginproof.spec.instruments import FIRST_EXPIRY_INDEX, IdParts, InstrumentTable, instrument_id
from marginproof.spec.limits import (
    MAX_FUNDING,
    MAX_SETTLEMENT_PRICE,
    MAX_SPOT,
    MAX_STRIKE,
    MAX_TIME,
    MIN_SPOT,
    MIN_STRIKE,
)
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind
from marginproof.spec.portfolio import Position
from marginproof.spec.svi import Svi

from .case import Json, decimal

DAY: Final = 86_400
TIME: Final = 1_770_000_000
E8: Final = 10**8
WAD: Final = 10**18
MILLI: Final = 10**15

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


def scenarios_33() -> tuple[Scenario, ...]:
    """The spot-and-vol scenarios of the published options-33 deployment."""
    core = [Scenario(1180 * MILLI, VolKind.UP, WAD)]
    for spot in (1135, 1090, 1045, 1000, 955, 910, 865):
        core += [Scenario(spot * MILLI, kind, WAD) for kind in (VolKind.UP, VolKind.NONE, VolKind.DOWN)]
    core.append(Scenario(820 * MILLI, VolKind.UP, WAD))
    tails = (
        (340, 21000),
        (670, 42000),
        (1500, 27720),
        (2000, 13860),
        (3000, 6930),
        (4000, 4620),
        (5000, 3465),
        (6000, 2772),
    )
    return (*core, *(Scenario(spot * MILLI, VolKind.UP, weight * 10**13) for spot, weight in tails))


SECTION: Final = ModelSection(
    underlying=1,
    initial_factor_wad=WAD,
    maintenance_factor_wad=800 * MILLI,
    vol_up_wad=500 * MILLI,
    vol_down_wad=300 * MILLI,
    min_vol_up_wad=400 * MILLI,
    power_short_wad=300 * MILLI,
    power_long_wad=130 * MILLI,
    floor_seconds=DAY,
    scenarios=scenarios_33(),
)
SMALL: Final = replace(
    SECTION,
    scenarios=(
        Scenario(WAD, VolKind.NONE, WAD),
        Scenario(1180 * MILLI, VolKind.UP, WAD),
        Scenario(865 * MILLI, VolKind.DOWN, WAD),
        Scenario(340 * MILLI, VolKind.UP, 210 * MILLI),
        Scenario(6000 * MILLI, VolKind.UP, 27_720 * 10**12),
    ),
)
EXTREME: Final = replace(
    SECTION,
    initial_factor_wad=10 * WAD,
    maintenance_factor_wad=10 * WAD,
    vol_up_wad=4 * WAD,
    vol_down_wad=WAD,
    min_vol_up_wad=8 * WAD,
    power_short_wad=WAD,
    power_long_wad=WAD,
    floor_seconds=1,
    scenarios=(
        Scenario(10 * MILLI, VolKind.UP, WAD),
        Scenario(16 * WAD, VolKind.UP, WAD),
        Scenario(16 * WAD, VolKind.DOWN, 1),
        Scenario(10 * MILLI, VolKind.DOWN, 0),
    ),
)


def model_of(*sections: ModelSection) -> Model:
    """A model with these sections, for underlyings 1, 2, ..."""
    return Model(tuple(replace(section, underlying=i + 1) for i, section in enumerate(sections)))


def _quotes(forward: int, smile: Svi) -> tuple[ExpiryMarket, ...]:
    live = [expiry for expiry in EXPIRIES if expiry > TIME]
    return tuple(
        ExpiryMarket(expiry, forward * (1000 + i) // 1000, 0, replace(smile, a=smile.a + i * 2 * MILLI))
        for i, expiry in enumerate(live)
    )


BITCOIN: Final = UnderlyingMarket(
    underlying=1,
    spot_e8=70_123_45678901,
    confidence_wad=WAD,
    funding_e8=-12_34567890,
    settlements=(Settlement(EXPIRIES[0], 71_000_12345678), Settlement(EXPIRIES[1], 69_000 * E8)),
    expiries=_quotes(70_200_00000007, SMILE),
)
ETHER: Final = replace(
    BITCOIN,
    underlying=2,
    spot_e8=2_345_67890123,
    funding_e8=1_23456789,
    settlements=(Settlement(EXPIRIES[0], 2_400 * E8), Settlement(EXPIRIES[1], 2_300_00000001)),
    expiries=_quotes(2_346_00000003, replace(SMILE, b=90 * MILLI)),
)
MARKET: Final = MarketSnapshot(TIME, 99_990_000, (BITCOIN, ETHER))
LONE: Final = MarketSnapshot(TIME, E8, (replace(BITCOIN, settlements=(), expiries=BITCOIN.expiries[4:5]),))

HIGH: Final = replace(
    BITCOIN,
    spot_e8=MAX_SPOT,
    funding_e8=-MAX_FUNDING,
    settlements=tuple(replace(s, price_e8=MAX_SETTLEMENT_PRICE) for s in BITCOIN.settlements),
    expiries=tuple(
        replace(quote, forward_e8=MAX_SPOT, svi=Svi(9 * WAD, 2 * WAD, 9999 * 10**14, -4 * WAD, 4 * WAD))
        for quote in BITCOIN.expiries
    ),
)
LOW: Final = replace(
    BITCOIN,
    underlying=2,
    spot_e8=MIN_SPOT,
    confidence_wad=0,
    funding_e8=MAX_FUNDING,
    settlements=tuple(replace(s, price_e8=1) for s in BITCOIN.settlements),
    expiries=tuple(
        replace(quote, forward_e8=MIN_SPOT, svi=Svi(0, 0, 0, 0, 10**12)) for quote in BITCOIN.expiries
    ),
)
EXTREME_MARKET: Final = MarketSnapshot(TIME, 1, (HIGH, LOW))
LAST_SECOND: Final = MarketSnapshot(
    MAX_TIME - 1,
    E8,
    (replace(BITCOIN, settlements=(), expiries=(replace(BITCOIN.expiries[0], expiry=MAX_TIME),)),),
)

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
