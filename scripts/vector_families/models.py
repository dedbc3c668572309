"""Models that the vectors are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from marginproof.spec.model import Model, ModelSection, Scenario, VolKind, neutral_section
from marginproof.spec.model_fields import FIELDS

E8: Final = 10**8
WAD: Final = 10**18
MILLI: Final = 10**15


def scenarios_33() -> tuple[Scenario, ...]:
    """The scenarios of the published options-33 deployment."""
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
    skews = (Scenario(WAD, kind, WAD) for kind in (VolKind.LINEAR_SKEW, VolKind.ABSOLUTE_SKEW))
    return (*core, *(Scenario(spot * MILLI, VolKind.UP, weight * 10**13) for spot, weight in tails), *skews)


VOL_RULES: Final = {
    "maintenance_factor": 800 * MILLI,
    "vol_up": 500 * MILLI,
    "vol_down": 300 * MILLI,
    "min_vol_up": 400 * MILLI,
    "power_short": 300 * MILLI,
    "power_long": 130 * MILLI,
}
SKEWS: Final = {
    "linear_cap": 150 * MILLI,
    "linear_cap_slope": -50 * MILLI,
    "absolute_cap": 120 * MILLI,
    "absolute_cap_slope": -40 * MILLI,
    "skew_minimum": 10 * MILLI,
    "skew_width": 4 * WAD,
    "skew_vol": 600 * MILLI,
    "skew_vol_slope": -100 * MILLI,
}
DISCOUNTS: Final = {
    "long_base": 950 * MILLI,
    "long_rate_multiple": WAD,
    "long_rate_add": 80 * MILLI,
    "short_base": 1040 * MILLI,
    "short_rate_multiple": 500 * MILLI,
    "short_rate_add": 80 * MILLI,
}
BASIS: Final = {
    "basis_up": 1045 * MILLI,
    "basis_down": 955 * MILLI,
    "basis_base": 500 * MILLI,
    "basis_per_year": 2 * WAD,
}
DELTA_CHARGE: Final = {"delta_net": 5 * MILLI, "delta_hedged": 2 * MILLI}
SHORT_MINIMUM: Final = {"short_minimum": 12 * E8 + 345, "short_minimum_rate": MILLI}
ADD_ONS: Final = {
    "naked_maintenance": 3 * MILLI,
    "naked_initial": 2 * MILLI,
    "perpetual_maintenance": 15 * MILLI,
    "perpetual_initial": 5 * MILLI,
    "future_maintenance": 17 * MILLI,
    "future_initial": 7 * MILLI,
    "haircut_maintenance": 20 * MILLI,
    "haircut_initial": 30 * MILLI,
    "confidence_threshold": 550 * MILLI,
    "confidence_rate": WAD,
}
PEG: Final = {"peg_threshold": 99_995_000, "peg_factor": 2 * WAD}

SECTION: Final = neutral_section(1, scenarios_33(), **VOL_RULES, **SKEWS)
"""Volatility rules and skews over all 33 scenarios, nothing else."""
SMALL: Final = neutral_section(
    1,
    (
        Scenario(WAD, VolKind.NONE, WAD),
        Scenario(1180 * MILLI, VolKind.UP, WAD),
        Scenario(865 * MILLI, VolKind.DOWN, WAD),
        Scenario(340 * MILLI, VolKind.UP, 210 * MILLI),
        Scenario(6000 * MILLI, VolKind.UP, 27_720 * 10**12),
    ),
    **VOL_RULES,
)
"""Volatility rules over five scenarios."""
FULL: Final = neutral_section(
    1,
    (
        Scenario(1180 * MILLI, VolKind.UP, WAD),
        Scenario(955 * MILLI, VolKind.DOWN, WAD),
        Scenario(865 * MILLI, VolKind.NONE, WAD),
        Scenario(1045 * MILLI, VolKind.ADD, WAD, 180 * MILLI),
        Scenario(WAD, VolKind.ADD, WAD, -90 * MILLI),
        Scenario(340 * MILLI, VolKind.UP, 210 * MILLI),
        Scenario(980 * MILLI, VolKind.LINEAR_SKEW, WAD),
        Scenario(WAD, VolKind.ABSOLUTE_SKEW, 1500 * MILLI),
    ),
    averaging_seconds=1800,
    **VOL_RULES,
    **SKEWS,
    **DISCOUNTS,
    **BASIS,
    **DELTA_CHARGE,
    **SHORT_MINIMUM,
    **ADD_ONS,
    **PEG,
)
"""Everything a section can have, and every kind of scenario."""
EXTREME: Final = neutral_section(
    1,
    (
        Scenario(10 * MILLI, VolKind.UP, 9 * WAD),
        Scenario(16 * WAD, VolKind.UP, 9 * WAD),
        Scenario(16 * WAD, VolKind.DOWN, 1),
        Scenario(10 * MILLI, VolKind.DOWN, 0),
        Scenario(16 * WAD, VolKind.ADD, 9 * WAD, 4 * WAD),
        Scenario(10 * MILLI, VolKind.ADD, 9 * WAD, -4 * WAD),
        Scenario(16 * WAD, VolKind.LINEAR_SKEW, 9 * WAD),
        Scenario(10 * MILLI, VolKind.ABSOLUTE_SKEW, 9 * WAD),
    ),
    **{field.attribute: field.high for field in FIELDS}
    | {"floor_seconds": 1, "basis_down": 10 * MILLI, "long_rate_multiple": 0, "long_rate_add": 0},
)
"""Every parameter where it does most."""
LOWEST: Final = neutral_section(
    1, (Scenario(10 * MILLI, VolKind.NONE, 0),), **{field.attribute: field.low for field in FIELDS}
)
"""Every parameter at the bottom of its range."""


def model_of(*sections: ModelSection) -> Model:
    """A model with these sections, for underlyings 1, 2, ..."""
    return Model(tuple(replace(section, underlying=i + 1) for i, section in enumerate(sections)))
