"""What is different between two models, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..documents import ModelDocument, ModelEntry, format_decimal, scenario_words
from ..documents.model_convert import FIELD_PATHS, field_value, format_field, group_of
from ..spec.model import Scenario
from ..spec.model_fields import FIELDS

_GROUP_WORDS: Final = {
    "factors": "what the scan is multiplied by",
    "peg": "the initial factor's growth below the peg",
    "vol": "the volatility moves up and down",
    "averagingSeconds": "averaging before settlement",
    "skew": "the shape of the skews",
    "staticDiscount": "the static discount",
    "basis": "the basis charge",
    "delta": "the delta charge",
    "shortMinimum": "the short option minimum",
    "addOns.nakedShortOptions": "the add-on of naked short options",
    "addOns.perpetuals": "the add-on of perpetuals",
    "addOns.futures": "the add-on of futures",
    "addOns.collateral": "the haircut of spot collateral",
    "addOns.confidence": "the add-on of low price confidence",
}

_FIELD_WORDS: Final = {
    "initialFactor": "what the scan counts in initial margin",
    "maintenanceFactor": "what the scan counts in maintenance margin",
    "pegThreshold": "the settlement token's price below which the initial factor grows",
    "pegFactor": "the initial factor's growth per USD of shortfall",
    "volUp": "the relative volatility move up",
    "volDown": "the relative volatility move down",
    "minVolUp": "the least volatility after a move up",
    "powerShort": "the power of time up to 30 days",
    "powerLong": "the power of time beyond 30 days",
    "floorSeconds": "the least time to expiry in volatility moves",
    "averagingSeconds": "the time of averaging before settlement",
    "linearCap": "the cap of the linear skew",
    "linearCapSlope": "what that cap gains per square root of a year",
    "absoluteCap": "the cap of the absolute skew",
    "absoluteCapSlope": "what that cap gains per square root of a year",
    "skewMinimum": "the least log-moneyness at the skews' cap",
    "skewWidth": "the skews' width",
    "skewVol": "the volatility in the skews' width",
    "skewVolSlope": "what that volatility gains per square root of a year",
    "longBase": "the static discount of positive sums",
    "longRateMultiple": "the part of the rate in the static discount of positive sums",
    "longRateAdd": "what is added to that rate",
    "shortBase": "the static discount of negative sums",
    "shortRateMultiple": "the part of the rate in the static discount of negative sums",
    "shortRateAdd": "what is added to that rate",
    "basisUp": "the basis charge's forward move up",
    "basisDown": "the basis charge's forward move down",
    "basisBase": "the basis charge's factor",
    "basisPerYear": "the basis charge's factor per year",
    "deltaNet": "the charge on net delta",
    "deltaHedged": "the charge on hedged delta",
    "shortMinimum": "the least charge per short option",
    "shortMinimumRate": "the least charge per short option, of spot",
    "nakedMaintenance": "maintenance margin per naked short option, of spot",
    "nakedInitial": "what initial margin adds to that",
    "perpetualMaintenance": "maintenance margin of perpetuals, of notional",
    "perpetualInitial": "what initial margin adds to that",
    "futureMaintenance": "maintenance margin of futures, of notional",
    "futureInitial": "what initial margin adds to that",
    "haircutMaintenance": "the haircut of spot collateral in maintenance margin",
    "haircutInitial": "what initial margin adds to that",
    "confidenceThreshold": "the confidence below which initial margin grows",
    "confidenceRate": "its growth, of notional, per unit of missing confidence",
}


@dataclass(frozen=True, slots=True)
class ModelChange:
    """One difference: the symbol concerned (None: the default entry), the place in the document, the sentence."""

    symbol: str | None
    path: str
    text: str


def diff(first: ModelDocument, second: ModelDocument) -> list[ModelChange]:
    """Every difference in what two models compute, default first, then symbols that either names. Names, sources, dates and remarks
    are not compared."""
    changes = [ModelChange(None, *change) for change in _entries(first.default, second.default)]
    for symbol in sorted({*first.underlyings, *second.underlyings}):
        for side, other in ((first, second), (second, first)):
            if symbol in side.underlyings and symbol not in other.underlyings:
                owner = first.name if side is first else second.name
                text = f"only {owner} has an entry of its own for {symbol}; the other applies its default"
                changes.append(ModelChange(symbol, "", text))
        changes += [ModelChange(symbol, *c) for c in _entries(first.entry(symbol), second.entry(symbol))]
    return changes


def _entries(first: ModelEntry, second: ModelEntry) -> Iterator[tuple[str, str]]:
    told: set[str] = set()
    for field in FIELDS:
        before, after = field_value(first, field), field_value(second, field)
        group, path = group_of(field.name), FIELD_PATHS[field.name]
        if before == after or group in told:
            continue
        if before is None or after is None:
            told.add(group)
            entry, verb = (second, "is new") if before is None else (first, "is dropped")
            yield group, f"{_GROUP_WORDS[group]} {verb}: {_group_text(entry, group)}"
            continue
        verb = "rises" if after > before else "falls"
        values = f"from {format_field(field.name, before)} to {format_field(field.name, after)}"
        yield path, f"{_FIELD_WORDS[field.name]} {verb} {values}"
    yield from _scenarios([s.spec() for s in first.scenarios], [s.spec() for s in second.scenarios])


def groups(entry: ModelEntry) -> list[tuple[str, str, str]]:
    """The groups that an entry uses: place in the document, what it is, and its values in words."""
    names = dict.fromkeys(group_of(field.name) for field in FIELDS)
    return [(name, _GROUP_WORDS[name], text) for name in names if (text := _group_text(entry, name))]


def _group_text(entry: ModelEntry, group: str) -> str:
    parts = []
    for field in FIELDS:
        value = field_value(entry, field) if group_of(field.name) == group else None
        if value is not None:
            name = FIELD_PATHS[field.name].removeprefix(group).removeprefix(".") or "seconds"
            parts.append(f"{name} {format_field(field.name, value)}")
    return ", ".join(parts)


def _scenarios(first: list[Scenario], second: list[Scenario]) -> Iterator[tuple[str, str]]:
    before = {(s.spot_wad, s.kind, s.amount_wad): (i, s) for i, s in enumerate(first)}
    after = {(s.spot_wad, s.kind, s.amount_wad): (i, s) for i, s in enumerate(second)}
    for move, (index, scenario) in before.items():
        if move not in after:
            yield f"scenarios[{index}]", f"dropped: {scenario_words(scenario)}"
        elif after[move][1].weight_wad != scenario.weight_wad:
            weight = format_decimal(after[move][1].weight_wad, 18)
            verb = "rises" if after[move][1].weight_wad > scenario.weight_wad else "falls"
            yield f"scenarios[{index}]", f"weight {verb} to {weight}: {scenario_words(scenario)}"
    for move, (index, scenario) in after.items():
        if move not in before:
            yield f"scenarios[{index}]", f"new: {scenario_words(scenario)}"
    moved = [before[move][0] for move in before if move in after and before[move][0] != after[move][0]]
    if moved:
        yield (
            "scenarios",
            f"numbers change: what was scenario {moved[0]} is now {after[list(before)[moved[0]]][0]}",
        )
