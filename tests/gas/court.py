"""Gas of MarginCourt over books of 1, 10 and 100 options: 31 scenarios with both skews, static discounts, and every charge.

What the call uses is counted, a transaction's own 21,000 and its calldata included, all storage cold.
"""

from __future__ import annotations

from itertools import product

from evm.court import Court
from evm.samples import DAY, TIME, WAD
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind, neutral_section
from marginproof.spec.svi import Svi

UNIT = 10**8
PERCENT = WAD // 100
SIZES = {1: 1, 10: 2, 100: 10}
"""Options, and the expiries that they are spread over."""
_SMILE = Svi(WAD // 500, WAD // 20, -WAD // 5, WAD // 50, WAD // 7)
_EXPIRIES = tuple(TIME + days * DAY for days in (1, 3, 8, 15, 29, 43, 71, 120, 200, 330))
_SCENARIOS = (
    Scenario(118 * PERCENT, VolKind.UP, WAD),
    *(
        Scenario(WAD + move * WAD // 1_000, kind, WAD)
        for move, kind in product((135, 90, 45, 0, -45, -90, -135), (VolKind.UP, VolKind.NONE, VolKind.DOWN))
    ),
    Scenario(82 * PERCENT, VolKind.UP, WAD),
    *(Scenario(spot * PERCENT, VolKind.UP, WAD // 20) for spot in (34, 67, 150, 200, 300, 400)),
    Scenario(WAD, VolKind.LINEAR_SKEW, WAD),
    Scenario(WAD, VolKind.ABSOLUTE_SKEW, WAD),
)


def _section() -> ModelSection:
    return neutral_section(
        1,
        _SCENARIOS,
        maintenance_factor=80 * PERCENT,
        vol_up=50 * PERCENT,
        vol_down=27 * PERCENT,
        min_vol_up=45 * PERCENT,
        power_short=30 * PERCENT,
        power_long=13 * PERCENT,
        averaging_seconds=1_800,
        linear_cap=15 * PERCENT,
        absolute_cap=15 * PERCENT,
        skew_minimum=PERCENT,
        skew_width=4 * WAD,
        skew_vol=60 * PERCENT,
        skew_vol_slope=-10 * PERCENT,
        long_base=95 * PERCENT,
        long_rate_multiple=WAD,
        long_rate_add=8 * PERCENT,
        short_base=104 * PERCENT,
        short_rate_multiple=WAD // 2,
        short_rate_add=8 * PERCENT,
        basis_up=104 * PERCENT,
        basis_down=96 * PERCENT,
        basis_base=WAD // 2,
        basis_per_year=2 * WAD,
        delta_net=10 * PERCENT,
        delta_hedged=PERCENT,
        short_minimum=10 * UNIT,
        naked_maintenance=WAD // 300,
        naked_initial=WAD // 500,
        confidence_threshold=55 * PERCENT,
        confidence_rate=WAD,
    )


def _market() -> MarketSnapshot:
    quotes = tuple(ExpiryMarket(e, 95_777 * UNIT, WAD // 20, _SMILE) for e in _EXPIRIES)
    return MarketSnapshot(
        TIME, UNIT, (UnderlyingMarket(1, 95_663 * UNIT, 95_700 * UNIT, WAD, 0, (), quotes),)
    )


def _book(options: int, expiries: int) -> list[tuple[Instrument, int]]:
    each = options // expiries
    return [
        (
            Instrument(1, (Kind.CALL, Kind.PUT)[i % 2], expiry, (70_000 + 5_000 * i) * UNIT),
            (-1) ** (i // 2) * (i + 1) * UNIT,
        )
        for expiry in _EXPIRIES[:expiries]
        for i in range(each)
    ]


def measure_court() -> dict[str, int]:
    """Gas by call and number of options."""
    court, market, section = Court(1), _market(), _section()
    model, count = court.publish(Model((section,))), len(_SCENARIOS)
    indices = {
        "one scenario": 8,
        "a skew": count - 1,
        "basis": count,
        "delta": count + 1,
        "short minimum": count + 2,
    }
    gas = {}
    for options, expiries in SIZES.items():
        portfolio = court.portfolio(_book(options, expiries))
        court.recompute(model, portfolio, market)
        gas[f"full, {options} options"] = court.court.gas
        for name, index in indices.items():
            court.reprice(model, portfolio, market, bytes((1, index)))
            gas[f"{name}, {options} options"] = court.court.gas
    return gas
