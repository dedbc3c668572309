"""From model documents to the specification: where each of its fields stands in a document, and the sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pydantic.alias_generators import to_camel

from ..errors import InputError
from ..spec.errors import SpecError
from ..spec.model import Model, ModelSection, check_model
from ..spec.model_fields import FIELDS, Field
from .decimals import E8_DIGITS, WAD_DIGITS, format_decimal
from .model_document import ModelDocument, ModelEntry

FIELD_PATHS: Final[dict[str, str]] = {
    "initialFactor": "factors.initial",
    "maintenanceFactor": "factors.maintenance",
    "pegThreshold": "peg.threshold",
    "pegFactor": "peg.factor",
    "volUp": "vol.up",
    "volDown": "vol.down",
    "minVolUp": "vol.minimumUp",
    "powerShort": "vol.shortPower",
    "powerLong": "vol.longPower",
    "floorSeconds": "vol.floorSeconds",
    "averagingSeconds": "averagingSeconds",
    "linearCap": "skew.linear.cap",
    "linearCapSlope": "skew.linear.capPerRootYear",
    "absoluteCap": "skew.absolute.cap",
    "absoluteCapSlope": "skew.absolute.capPerRootYear",
    "skewMinimum": "skew.minimum",
    "skewWidth": "skew.width",
    "skewVol": "skew.vol",
    "skewVolSlope": "skew.volPerRootYear",
    "longBase": "staticDiscount.long.base",
    "longRateMultiple": "staticDiscount.long.rateMultiple",
    "longRateAdd": "staticDiscount.long.rateAdd",
    "shortBase": "staticDiscount.short.base",
    "shortRateMultiple": "staticDiscount.short.rateMultiple",
    "shortRateAdd": "staticDiscount.short.rateAdd",
    "basisUp": "basis.up",
    "basisDown": "basis.down",
    "basisBase": "basis.base",
    "basisPerYear": "basis.perYear",
    "deltaNet": "delta.net",
    "deltaHedged": "delta.hedged",
    "shortMinimum": "shortMinimum.amount",
    "shortMinimumRate": "shortMinimum.rate",
    "nakedMaintenance": "addOns.nakedShortOptions.maintenance",
    "nakedInitial": "addOns.nakedShortOptions.initial",
    "perpetualMaintenance": "addOns.perpetuals.maintenance",
    "perpetualInitial": "addOns.perpetuals.initial",
    "futureMaintenance": "addOns.futures.maintenance",
    "futureInitial": "addOns.futures.initial",
    "haircutMaintenance": "addOns.collateral.maintenance",
    "haircutInitial": "addOns.collateral.initial",
    "confidenceThreshold": "addOns.confidence.threshold",
    "confidenceRate": "addOns.confidence.rate",
}
"""Path in a document, by the specification's name of the field, in the order of the canonical bytes."""

_SECONDS: Final = frozenset({"floorSeconds", "averagingSeconds"})
_MONEY: Final = frozenset({"pegThreshold", "shortMinimum"})


def group_of(field: str) -> str:
    """The group of a document that holds a field: all its fields are present or absent together."""
    parts = FIELD_PATHS[field].split(".")
    return ".".join(parts[:2]) if parts[0] == "addOns" else parts[0]


def format_field(field: str, value: int) -> str:
    """A field's value in the document's own unit: a decimal, USD, or seconds."""
    if field in _SECONDS:
        return f"{value} s"
    return f"{format_decimal(value, E8_DIGITS)} USD" if field in _MONEY else format_decimal(value, WAD_DIGITS)


def field_value(entry: ModelEntry, field: Field) -> int | None:
    """A field's value in an entry, in the specification's scale; None when its group is absent."""
    part: object = entry
    for name in FIELD_PATHS[field.name].split("."):
        if part is None:
            return None
        part = next(
            getattr(part, attribute)
            for attribute, info in type(part).model_fields.items()  # type: ignore[attr-defined]
            if (info.alias or to_camel(attribute)) == name
        )
    if part is not None and not isinstance(part, int):
        raise TypeError(f"{FIELD_PATHS[field.name]} is a group")
    return part


def model_section(entry: ModelEntry, underlying: int) -> ModelSection:
    """The section of an entry: neutral values for what is absent."""
    fields = {}
    for field in FIELDS:
        value = field_value(entry, field)
        fields[field.attribute] = field.neutral if value is None else value
    scenarios = tuple(scenario.spec() for scenario in entry.scenarios)
    return ModelSection(underlying=underlying, scenarios=scenarios, **fields)


def require_ordered_factors(document: ModelDocument, origin: str) -> None:
    """Refuse a maintenance factor above the initial one: accounts could be liquidated that may still trade. Error: InputError."""
    entries = {"default": document.default} | {
        f"underlyings.{symbol}": entry for symbol, entry in document.underlyings.items()
    }
    for place, entry in entries.items():
        factors = entry.factors
        if factors.maintenance_wad > factors.initial_wad:
            raise InputError(
                f"{origin}: {place}.factors: maintenance {format_decimal(factors.maintenance_wad, WAD_DIGITS)!r} is above "
                f"initial; allowed: 0 to {format_decimal(factors.initial_wad, WAD_DIGITS)}",
                "`marginproof margin` takes such factors for one run.",
            )


def model_to_spec(document: ModelDocument, symbols: Mapping[str, int], *, what_if: bool = False) -> Model:
    """The model of the specification, one section per symbol in `symbols`, sorted by id.

    A symbol's own entry under `underlyings` is taken whole, else `default`. Entries for symbols outside
    `symbols` have no section: a model may know more underlyings than a venue lists. With `what_if`, for a run that commits nothing, a
    maintenance factor may be above the initial one. InputError for whatever else the specification refuses.
    """
    sections = [model_section(document.entry(symbol), underlying) for symbol, underlying in symbols.items()]
    model = Model(tuple(sorted(sections, key=lambda section: section.underlying)))
    if not what_if:
        require_ordered_factors(document, f"the model {document.name}")
    checked = [
        replace(section, maintenance_factor=min(section.maintenance_factor, section.initial_factor))
        for section in model.sections
    ]
    try:
        check_model(Model(tuple(checked)))
    except SpecError as error:
        raise InputError(f"the model {document.name} is refused: {error}") from None
    return model
