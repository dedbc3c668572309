"""What an index of a leaf's worst scenarios means, in words: a scenario of the model section, or one of its charges after them."""

from __future__ import annotations

from typing import Final

from ..spec.model import Charge, ModelSection, Scenario, VolKind
from .decimals import E8_DIGITS, WAD_DIGITS, format_decimal

CHARGE_NAMES: Final = {
    Charge.BASIS: "basis",
    Charge.DELTA: "delta",
    Charge.SHORT_MINIMUM: "shortMinimum",
}
"""A charge's name in JSON, as its group is named in a model document."""

_VOL_WORDS: Final = {
    VolKind.NONE: "vol unchanged",
    VolKind.UP: "vol up",
    VolKind.DOWN: "vol down",
    VolKind.LINEAR_SKEW: "linear skew",
    VolKind.ABSOLUTE_SKEW: "absolute skew",
}


def vol_words(scenario: Scenario) -> str:
    """What a scenario does to volatility, as "vol up" or "vol + 0.1"."""
    if scenario.kind != VolKind.ADD:
        return _VOL_WORDS[scenario.kind]
    sign = "-" if scenario.amount_wad < 0 else "+"
    return f"vol {sign} {_wad(abs(scenario.amount_wad))}"


def scenario_words(scenario: Scenario) -> str:
    """A scenario in words, as "spot x 0.82, vol up, weight 1"."""
    return f"spot x {_wad(scenario.spot_wad)}, {vol_words(scenario)}, weight {_wad(scenario.weight_wad)}"


def charge_words(section: ModelSection, charge: Charge) -> str:
    """A charge in words, with its parameters."""
    if charge == Charge.BASIS:
        return (
            f"basis charge: forwards x {_wad(section.basis_up)} or x {_wad(section.basis_down)}, "
            f"times {_wad(section.basis_base)} + {_wad(section.basis_per_year)} per year"
        )
    if charge == Charge.DELTA:
        return (
            f"delta charge: {_wad(section.delta_net)} of net and {_wad(section.delta_hedged)} of hedged delta"
        )
    amount = format_decimal(section.short_minimum, E8_DIGITS)
    return f"short option minimum: {amount} USD + {_wad(section.short_minimum_rate)} of spot per option"


def index_words(section: ModelSection, index: int) -> str:
    """The scenario or charge behind an index, in words; says so when the section has no such index."""
    if 0 <= index < len(section.scenarios):
        return scenario_words(section.scenarios[index])
    charges = section.charges()
    place = index - len(section.scenarios)
    if 0 <= place < len(charges):
        return charge_words(section, charges[place])
    return f"no such index: the model has 0 to {section.index_count() - 1}"


def _wad(value: int) -> str:
    return format_decimal(value, WAD_DIGITS)
