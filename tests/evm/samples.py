"""A small valid market and model, to be spoiled one field at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from marginproof.spec.codec import signed, unsigned
from marginproof.spec.market import (
    ExpiryMarket,
    MarketSnapshot,
    Settlement,
    UnderlyingMarket,
    encode_header,
    encode_section,
)
from marginproof.spec.model import (
    FIELD_BYTES,
    MODEL_VERSION,
    Model,
    ModelSection,
    Scenario,
    VolKind,
    neutral_section,
)
from marginproof.spec.svi import Svi

DAY = 86_400
WAD = 10**18
TIME = 1_700_000_000
LIVE = TIME + 14 * DAY
LATER = TIME + 90 * DAY
SETTLED = TIME - DAY
SMILE = Svi(WAD // 1_000, WAD // 50, -WAD // 5, WAD // 100, WAD // 10)
SCENARIOS = (
    Scenario(WAD, VolKind.NONE, WAD),
    Scenario(115 * WAD // 100, VolKind.UP, WAD),
    Scenario(85 * WAD // 100, VolKind.UP, WAD),
    Scenario(WAD // 3, VolKind.DOWN, WAD // 2),
)


def quotes(underlying: int) -> UnderlyingMarket:
    """One underlying with a settled and two live expiries."""
    return UnderlyingMarket(
        underlying=underlying,
        spot_e8=80_000 * 10**8 // underlying,
        perpetual_e8=80_080 * 10**8 // underlying,
        confidence_wad=WAD,
        funding_e8=-5 * 10**8,
        settlements=(Settlement(SETTLED, 79_000 * 10**8),),
        expiries=(
            ExpiryMarket(LIVE, 80_100 * 10**8 // underlying, 0, SMILE),
            ExpiryMarket(LATER, 81_000 * 10**8 // underlying, 0, SMILE),
        ),
    )


def rules(underlying: int) -> ModelSection:
    """One underlying's model: scenarios alone, no charges and no add-ons."""
    return neutral_section(
        underlying,
        SCENARIOS,
        maintenance_factor=8 * WAD // 10,
        vol_up=WAD // 2,
        vol_down=3 * WAD // 10,
        min_vol_up=4 * WAD // 10,
        power_short=3 * WAD // 10,
        power_long=13 * WAD // 100,
    )


MARKET = MarketSnapshot(TIME, 10**8, (quotes(1), quotes(2)))
MODEL = Model((rules(1), rules(2)))


def market_with(field: str, value: Any) -> MarketSnapshot:
    """The market with one field of its last underlying, its first live expiry (a name of both starts with expiry_ there),
    its smile or its settlement replaced."""
    if hasattr(MARKET, field):
        return replace(MARKET, **{field: value})
    first, last = MARKET.underlyings
    if not hasattr(last, field):
        live, later = last.expiries
        field = field.removeprefix("expiry_")
        if hasattr(SMILE, field):
            live = replace(live, svi=replace(SMILE, **{field: value}))
        elif hasattr(live, field):
            live = replace(live, **{field: value})
        else:
            settled = replace(last.settlements[0], **{field.removeprefix("settled_"): value})
            return replace(MARKET, underlyings=(first, replace(last, settlements=(settled,))))
        field, value = "expiries", (live, later)
    return replace(MARKET, underlyings=(first, replace(last, **{field: value})))


def model_with(field: str, value: Any) -> Model:
    """The model with one field of its last section, or of that section's first scenario, replaced."""
    first, last = MODEL.sections
    if not hasattr(last, field):
        scenario = replace(last.scenarios[0], **{field: value})
        field, value = "scenarios", (scenario, *last.scenarios[1:])
    return Model((first, replace(last, **{field: value})))


def raw_market(market: MarketSnapshot) -> bytes:
    """Market bytes without the checks of `encode_market`."""
    return encode_header(market) + b"".join(encode_section(section) for section in market.underlyings)


def raw_model(model: Model) -> bytes:
    """Model bytes without the checks of `encode_model`."""
    parts = [unsigned(MODEL_VERSION, 1), unsigned(len(model.sections), 1)]
    for s in model.sections:
        parts += [unsigned(s.underlying, 1), *(signed(value, FIELD_BYTES) for value in s.values())]
        parts.append(unsigned(len(s.scenarios), 1))
        parts += [
            unsigned(x.spot_wad, 8)
            + unsigned(x.kind, 1)
            + signed(x.amount_wad, 8)
            + unsigned(x.weight_wad, 8)
            for x in s.scenarios
        ]
    return b"".join(parts)
