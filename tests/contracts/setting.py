"""The market, the model and the instruments that the contract tests trade: BTC and ETH, two expiries, five scenarios."""

from __future__ import annotations

from typing import Final

from evm.machine import START
from marginproof.spec.instruments import IdParts, InstrumentTable, instrument_id
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, Settlement, UnderlyingMarket
from marginproof.spec.model import Model, Scenario, VolKind, neutral_section
from marginproof.spec.portfolio import Position, encode_portfolio
from marginproof.spec.svi import Svi

E8: Final = 10**8
WAD: Final = 10**18
BTC: Final = 1
ETH: Final = 2
DAY: Final = 86_400
WEEK: Final = START + 7 * DAY
MONTH: Final = START + 30 * DAY
EXPIRIES: Final = {BTC: (WEEK, MONTH), ETH: (WEEK,)}
STRIKES: Final = {
    BTC: (80_000 * E8, 90_000 * E8, 100_000 * E8, 120_000 * E8),
    ETH: (2_000 * E8, 3_000 * E8),
}
SPOTS: Final = {BTC: 100_000 * E8, ETH: 2_500 * E8}
TABLE: Final = InstrumentTable(expiries=EXPIRIES, strikes=STRIKES)

MAX_AGE: Final = 3_600
MIN_DEPTH: Final = 2
SETTLE_DELAY: Final = DAY
FEED_AGE: Final = 3_600
DEVIATION_BPS: Final = 500
DISPUTE_WINDOW: Final = 7 * DAY
DISPUTE_TERMS: Final = (100 * E8, 300 * 10**6)
"""From which difference on bonds are slashed (E8); the bounty below, in units of the bond token."""
POLICY: Final = (10**6 * E8, 10**6 * E8, 200, 5_000, 100)
"""Greatest withdrawal and trade on signatures (E8), delta guard, outflow's share of the slashable, charge of a trade (basis points)."""
LIMITS: Final = (
    10_000,
    4_000_000_000,
    1_000_000,
    100_000,
    100_000,
    -(10**6),
    10**6,
    10**6,
    10**6,
    10**6,
    10**6,
    5 * 10**6,
    10**6,
    2**32 - 1,
    10**6,
    10**6,
)
"""Wide market limits, in the order of IMarketBounds.Limits, millionths."""
DISCOUNT: Final = 5 * WAD // 100
MAX_SLICE: Final = WAD // 4
DUST: Final = 100 * E8


def _id(underlying: int, expiry_index: int, strike_index: int = 0, *, put: bool = False) -> int:
    return instrument_id(IdParts(underlying, expiry_index, strike_index, put))


BTC_SPOT: Final = _id(BTC, 0)
ETH_SPOT: Final = _id(ETH, 0)
BTC_PERP: Final = _id(BTC, 1)
ETH_PERP: Final = _id(ETH, 1)
BTC_FUTURE: Final = _id(BTC, 2)
BTC_CALL: Final = _id(BTC, 2, 3)
"""Expires after a week, struck at the money."""
BTC_PUT: Final = _id(BTC, 2, 2, put=True)
BTC_LONG_CALL: Final = _id(BTC, 3, 4)
"""Expires after a month."""
ETH_PUT: Final = _id(ETH, 2, 1, put=True)
LISTED: Final = (BTC_FUTURE, BTC_CALL, BTC_PUT, BTC_LONG_CALL, ETH_PUT)
UNLISTED: Final = _id(BTC, 3, 1)

_SCENARIOS: Final = tuple(
    Scenario(spot_wad=spot * WAD // 100, kind=kind, weight_wad=WAD)
    for spot, kind in (
        (100, VolKind.NONE),
        (115, VolKind.UP),
        (115, VolKind.DOWN),
        (85, VolKind.UP),
        (85, VolKind.DOWN),
    )
)


def model(initial_wad: int = 12 * WAD // 10, maintenance_wad: int = WAD) -> Model:
    """Spot moves of 15% either way, vol up and down."""
    return Model(
        tuple(
            neutral_section(
                underlying,
                _SCENARIOS,
                initial_factor=initial_wad,
                maintenance_factor=maintenance_wad,
                vol_up=WAD // 2,
                vol_down=3 * WAD // 10,
                min_vol_up=4 * WAD // 10,
                power_short=3 * WAD // 10,
                power_long=13 * WAD // 100,
            )
            for underlying in (BTC, ETH)
        )
    )


def section(
    underlying: int,
    time: int,
    spot_e8: int,
    funding_e8: int = 0,
    settled: dict[int, int] | None = None,
) -> UnderlyingMarket:
    """One underlying at a time: the perpetual at the spot price, every listed expiry still to come at 60% volatility, settlement prices
    of the others."""
    prices = settled or {}
    return UnderlyingMarket(
        underlying=underlying,
        spot_e8=spot_e8,
        perpetual_e8=spot_e8,
        confidence_wad=0,
        funding_e8=funding_e8,
        settlements=tuple(
            Settlement(e, prices[e]) for e in EXPIRIES[underlying] if e <= time and e in prices
        ),
        expiries=tuple(
            ExpiryMarket(
                e, spot_e8, 0, Svi(36 * WAD // 100 * (e - time) // (365 * DAY), WAD // 100, 0, 0, WAD // 10)
            )
            for e in EXPIRIES[underlying]
            if e > time
        ),
    )


def market(
    time: int,
    spots: dict[int, int] | None = None,
    funding: dict[int, int] | None = None,
    settled: dict[tuple[int, int], int] | None = None,
) -> MarketSnapshot:
    """A snapshot of both underlyings. `settled` maps (underlying, expiry) to a price; the default is the spot."""
    prices = SPOTS | (spots or {})
    sections = []
    for underlying in (BTC, ETH):
        by_expiry = {
            e: (settled or {}).get((underlying, e), prices[underlying]) for e in EXPIRIES[underlying]
        }
        sections.append(
            section(underlying, time, prices[underlying], (funding or {}).get(underlying, 0), by_expiry)
        )
    return MarketSnapshot(time=time, settlement_token_e8=E8, underlyings=tuple(sections))


def packed_pairs(pairs: bytes) -> bytes:
    """Worst scenarios of leaves as the epoch registry takes them: at most eight pairs, and in the last 16 bytes their number."""
    return pairs[:16].ljust(16, b"\0") + (len(pairs) // 2).to_bytes(16, "big")


def book(positions: dict[int, int]) -> bytes:
    """Portfolio bytes of instrument ids and quantities (E8)."""
    return encode_portfolio([Position(key, positions[key]) for key in sorted(positions)])
