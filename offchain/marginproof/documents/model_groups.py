"""The groups of parameters in a model document. Ranges are those of the specification's table of fields."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from ..spec.model_fields import FIELDS
from .base import Document
from .decimals import E8_DIGITS, WAD_DIGITS, ScaledDecimal
from .whole_numbers import WholeNumber

_RANGES: Final = {field.name: (field.low, field.high) for field in FIELDS}
_FLOOR: Final = _RANGES["floorSeconds"]
AVERAGING: Final = _RANGES["averagingSeconds"]


def _wad(field: str, meaning: str) -> ScaledDecimal:
    return ScaledDecimal(WAD_DIGITS, *_RANGES[field], meaning)


def _e8(field: str, meaning: str) -> ScaledDecimal:
    return ScaledDecimal(E8_DIGITS, *_RANGES[field], meaning)


class Factors(Document):
    """What the scan, the worst loss, is multiplied by."""

    initial_wad: Annotated[int, Field(alias="initial"), _wad("initialFactor", "Of initial margin.")]
    maintenance_wad: Annotated[
        int, Field(alias="maintenance"), _wad("maintenanceFactor", "Of maintenance margin.")
    ]


class Peg(Document):
    """Below `threshold` USD for the settlement token, the initial factor grows by `factor` x shortfall."""

    threshold_e8: Annotated[
        int, Field(alias="threshold"), _e8("pegThreshold", "Price of the settlement token, USD.")
    ]
    factor_wad: Annotated[int, Field(alias="factor"), _wad("pegFactor", "Added per USD of shortfall.")]


class VolMoves(Document):
    """How the kinds `up` and `down` move volatility: up to max(minimumUp, vol (1 + up m)), down to vol max(0, 1 - down m), with
    m = (30 days / max(time to expiry, floorSeconds))^p.
    """

    up_wad: Annotated[int, Field(alias="up"), _wad("volUp", "Relative move up at 30 days.")]
    down_wad: Annotated[int, Field(alias="down"), _wad("volDown", "Relative move down at 30 days.")]
    minimum_up_wad: Annotated[
        int, Field(alias="minimumUp"), _wad("minVolUp", "Least volatility after a move up; 0.4 is 40 %.")
    ]
    short_power_wad: Annotated[
        int, Field(alias="shortPower"), _wad("powerShort", "p for expiries up to 30 days.")
    ]
    long_power_wad: Annotated[int, Field(alias="longPower"), _wad("powerLong", "p beyond 30 days.")]
    floor_seconds: Annotated[
        int, WholeNumber(*_FLOOR), Field(description="Least time to expiry in m, seconds.")
    ]


class SkewCap(Document):
    """Cap of a skew: cap + capPerRootYear x sqrt(years to expiry)."""

    cap_wad: Annotated[int, Field(alias="cap"), _wad("linearCap", "At expiry.")]
    cap_per_root_year_wad: Annotated[
        int, Field(alias="capPerRootYear"), _wad("linearCapSlope", "Added per square root of a year.")
    ]


class Skew(Document):
    """How skew scenarios turn the smile: vol x max(0, 1 + k cap / k*), capped, with k = ln(strike / forward) or its absolute value and
    k* = max(minimum, sqrt(years) x width x (vol + sqrt(years) x volPerRootYear)).
    """

    linear: Annotated[SkewCap, Field(description="Of scenarios with vol linearSkew.")]
    absolute: Annotated[SkewCap, Field(description="Of scenarios with vol absoluteSkew.")]
    minimum_wad: Annotated[
        int, Field(alias="minimum"), _wad("skewMinimum", "Least log-moneyness at which the cap is reached.")
    ]
    width_wad: Annotated[int, Field(alias="width"), _wad("skewWidth", "Width in standard deviations.")]
    vol_wad: Annotated[int, Field(alias="vol"), _wad("skewVol", "Volatility in the width.")]
    vol_per_root_year_wad: Annotated[
        int, Field(alias="volPerRootYear"), _wad("skewVolSlope", "Added to it per square root of a year.")
    ]


class Discount(Document):
    """One static discount: base x exp(-+ years x (rate x rateMultiple + rateAdd))."""

    base_wad: Annotated[int, Field(alias="base"), _wad("longBase", "Before time and rate.")]
    rate_multiple_wad: Annotated[
        int, Field(alias="rateMultiple"), _wad("longRateMultiple", "Of the expiry's rate.")
    ]
    rate_add_wad: Annotated[int, Field(alias="rateAdd"), _wad("longRateAdd", "Added to that, per year.")]


class StaticDiscount(Document):
    """What multiplies an expiry's option value in a scenario: positive sums by long, falling with time; negative ones by short, growing
    with time up to the inverse of the discount factor.
    """

    long: Discount
    short: Discount


class Basis(Document):
    """The basis charge, which competes with the scenarios: per expiry the worse of two forward moves, times base + perYear x years."""

    up_wad: Annotated[int, Field(alias="up"), _wad("basisUp", "Multiplies forwards in the move up.")]
    down_wad: Annotated[int, Field(alias="down"), _wad("basisDown", "Multiplies forwards in the move down.")]
    base_wad: Annotated[int, Field(alias="base"), _wad("basisBase", "Of the loss, whatever the expiry.")]
    per_year_wad: Annotated[
        int, Field(alias="perYear"), _wad("basisPerYear", "Added per year to expiry, of the loss.")
    ]


class DeltaCharge(Document):
    """The delta charge, which competes with the scenarios: (net x abs(net delta) + hedged x hedged delta) x spot."""

    net_wad: Annotated[int, Field(alias="net"), _wad("deltaNet", "Of the net delta.")]
    hedged_wad: Annotated[
        int,
        Field(alias="hedged"),
        _wad("deltaHedged", "Of the hedged delta, the lesser of all long and all short delta."),
    ]


class ShortMinimum(Document):
    """The least charge for short options, which competes with the scenarios: amount + rate x spot for each unit short."""

    amount_e8: Annotated[int, Field(alias="amount"), _e8("shortMinimum", "USD per unit.")]
    rate_wad: Annotated[int, Field(alias="rate"), _wad("shortMinimumRate", "Of spot per unit.")]


class NotionalRates(Document):
    """An add-on: rates of the notional at spot. Initial margin holds both."""

    maintenance_wad: Annotated[
        int, Field(alias="maintenance"), _wad("perpetualMaintenance", "In both requirements.")
    ]
    initial_wad: Annotated[
        int, Field(alias="initial"), _wad("perpetualInitial", "In initial margin, on top of maintenance.")
    ]


class HaircutRates(Document):
    """The add-on of spot collateral: rates of its value. Initial margin holds both."""

    maintenance_wad: Annotated[
        int, Field(alias="maintenance"), _wad("haircutMaintenance", "In both requirements.")
    ]
    initial_wad: Annotated[
        int, Field(alias="initial"), _wad("haircutInitial", "In initial margin, on top of maintenance.")
    ]


class Confidence(Document):
    """Where the confidence in prices is below `threshold`, initial margin holds (1 - confidence) x rate x notional more."""

    threshold_wad: Annotated[
        int, Field(alias="threshold"), _wad("confidenceThreshold", "Confidence from which nothing is added.")
    ]
    rate_wad: Annotated[
        int, Field(alias="rate"), _wad("confidenceRate", "Of notional, per unit of missing confidence.")
    ]


class AddOns(Document):
    """What requirements hold beside the scan. Absent ones are not charged."""

    naked_short_options: Annotated[
        NotionalRates | None,
        Field(description="Per option that is short after netting calls and puts per strike."),
    ] = None
    perpetuals: Annotated[NotionalRates | None, Field(description="Per perpetual, long or short.")] = None
    futures: Annotated[NotionalRates | None, Field(description="Per dated future, long or short.")] = None
    collateral: Annotated[HaircutRates | None, Field(description="Haircut of spot collateral.")] = None
    confidence: Confidence | None = None
