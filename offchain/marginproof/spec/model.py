"""The margin model: scenarios and parameters per underlying, its ranges and its canonical bytes.

    header    version u8 (2) | count of sections u8
    section   underlying u8 | the 43 fields of `model_fields.py`, i128 each
              | count u8, then per scenario: spot multiple u64 (WAD) | kind u8 | vol added i64 (WAD) | weight u64 (WAD)

All big-endian; sections by strictly increasing underlying. The model hash is keccak of the bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from .codec import Reader, signed, unsigned
from .errors import SpecError, require_range
from .hashing import keccak
from .limits import (
    MAX_SCENARIOS,
    MAX_SPOT_SHOCK,
    MAX_UNDERLYING_ID,
    MAX_UNDERLYINGS,
    MAX_VOL_ADD,
    MAX_WEIGHT,
    MIN_SPOT_SHOCK,
)
from .model_fields import FIELDS

MODEL_VERSION: Final = 2
FIELD_BYTES: Final = 16


class VolKind(IntEnum):
    """How a scenario moves volatility."""

    NONE = 0
    UP = 1
    DOWN = 2
    ADD = 3
    LINEAR_SKEW = 4
    ABSOLUTE_SKEW = 5

    @property
    def is_skew(self) -> bool:
        """True for the two kinds that turn the smile: they count minus the absolute change, per expiry."""
        return self >= VolKind.LINEAR_SKEW


class Charge(IntEnum):
    """What competes with the scenarios in the maximum, in the order of the indices after the last scenario."""

    BASIS = 0
    DELTA = 1
    SHORT_MINIMUM = 2


@dataclass(frozen=True, slots=True)
class Scenario:
    """One move: spot and forward times `spot_wad`, volatility by `kind` (plus `amount_wad` for ADD, otherwise 0), weight `weight_wad`."""

    spot_wad: int
    kind: VolKind
    weight_wad: int
    amount_wad: int = 0


@dataclass(frozen=True, slots=True)
class ModelSection:
    """The model of one underlying. Fields as `model_fields.FIELDS`, in that order; WAD, but for those that say E8 or seconds there."""

    underlying: int
    initial_factor: int
    maintenance_factor: int
    peg_threshold: int
    peg_factor: int
    vol_up: int
    vol_down: int
    min_vol_up: int
    power_short: int
    power_long: int
    floor_seconds: int
    averaging_seconds: int
    linear_cap: int
    linear_cap_slope: int
    absolute_cap: int
    absolute_cap_slope: int
    skew_minimum: int
    skew_width: int
    skew_vol: int
    skew_vol_slope: int
    long_base: int
    long_rate_multiple: int
    long_rate_add: int
    short_base: int
    short_rate_multiple: int
    short_rate_add: int
    basis_up: int
    basis_down: int
    basis_base: int
    basis_per_year: int
    delta_net: int
    delta_hedged: int
    short_minimum: int
    short_minimum_rate: int
    naked_maintenance: int
    naked_initial: int
    perpetual_maintenance: int
    perpetual_initial: int
    future_maintenance: int
    future_initial: int
    haircut_maintenance: int
    haircut_initial: int
    confidence_threshold: int
    confidence_rate: int
    scenarios: tuple[Scenario, ...]

    def values(self) -> tuple[int, ...]:
        """The fields' values in canonical order."""
        return tuple(getattr(self, field.attribute) for field in FIELDS)

    def charges(self) -> tuple[Charge, ...]:
        """The competing charges this section has. Charge i has the index len(scenarios) + i."""
        present = (
            self.basis_base or self.basis_per_year,
            self.delta_net or self.delta_hedged,
            self.short_minimum or self.short_minimum_rate,
        )
        return tuple(charge for charge, used in zip(Charge, present, strict=True) if used)

    def index_count(self) -> int:
        """How many losses compete: scenarios, then charges."""
        return len(self.scenarios) + len(self.charges())


def neutral_section(underlying: int, scenarios: tuple[Scenario, ...], **changes: int) -> ModelSection:
    """A section with neutral values everywhere but in `changes` (by attribute)."""
    fields = {field.attribute: field.neutral for field in FIELDS}
    return ModelSection(underlying=underlying, scenarios=scenarios, **(fields | changes))


@dataclass(frozen=True, slots=True)
class Model:
    """A whole model: one section per underlying."""

    sections: tuple[ModelSection, ...]

    def section(self, underlying: int) -> ModelSection:
        """The section of an underlying. Error: `MissingModelSection(underlying)`."""
        for section in self.sections:
            if section.underlying == underlying:
                return section
        raise SpecError("MissingModelSection", underlying=underlying)


def _check_scenario(scenario: Scenario) -> None:
    require_range("spotShock", scenario.spot_wad, MIN_SPOT_SHOCK, MAX_SPOT_SHOCK)
    require_range("volKind", scenario.kind, 0, max(VolKind))
    limit = MAX_VOL_ADD if scenario.kind == VolKind.ADD else 0
    require_range("volAdd", scenario.amount_wad, -limit, limit)
    require_range("weight", scenario.weight_wad, 0, MAX_WEIGHT)


def check_model(model: Model) -> None:
    """Refuse a model out of range, in the order in which the bytes are read.

    Errors: `OutOfRange(field, value, low, high)`, `NotIncreasing(previous, value)`. The maintenance factor may not exceed
    the initial factor; only a scenario of kind ADD may carry an amount.
    """
    require_range("sections", len(model.sections), 1, MAX_UNDERLYINGS)
    previous = 0
    for section in model.sections:
        require_range("underlying", section.underlying, 1, MAX_UNDERLYING_ID)
        if section.underlying <= previous:
            raise SpecError("NotIncreasing", previous=previous, value=section.underlying)
        previous = section.underlying
        for field, value in zip(FIELDS, section.values(), strict=True):
            high = section.initial_factor if field.name == "maintenanceFactor" else field.high
            require_range(field.name, value, field.low, high)
        require_range("scenarios", len(section.scenarios), 1, MAX_SCENARIOS)
        for scenario in section.scenarios:
            _check_scenario(scenario)


def encode_model(model: Model) -> bytes:
    """The canonical bytes. Errors as `check_model`."""
    check_model(model)
    parts = [unsigned(MODEL_VERSION, 1), unsigned(len(model.sections), 1)]
    for section in model.sections:
        parts.append(unsigned(section.underlying, 1))
        parts += [signed(value, FIELD_BYTES) for value in section.values()]
        parts.append(unsigned(len(section.scenarios), 1))
        parts += [
            unsigned(s.spot_wad, 8)
            + unsigned(s.kind, 1)
            + signed(s.amount_wad, 8)
            + unsigned(s.weight_wad, 8)
            for s in section.scenarios
        ]
    return b"".join(parts)


def _read_scenario(reader: Reader) -> Scenario:
    spot, kind, amount, weight = reader.unsigned(8), reader.unsigned(1), reader.signed(8), reader.unsigned(8)
    return Scenario(spot, VolKind(kind) if kind in set(VolKind) else kind, weight, amount)  # type: ignore[arg-type]


def decode_model(data: bytes) -> Model:
    """The model behind canonical bytes. Errors: `BadVersion(version)`, `BadLength(length)`, then as `check_model`."""
    reader = Reader(data)
    version = reader.unsigned(1)
    if version != MODEL_VERSION:
        raise SpecError("BadVersion", version=version)
    sections = []
    for _ in range(reader.unsigned(1)):
        underlying = reader.unsigned(1)
        fields = {field.attribute: reader.signed(FIELD_BYTES) for field in FIELDS}
        scenarios = tuple(_read_scenario(reader) for _ in range(reader.unsigned(1)))
        sections.append(ModelSection(underlying=underlying, scenarios=scenarios, **fields))
    reader.finish()
    model = Model(tuple(sections))
    check_model(model)
    return model


def model_hash(model: Model) -> bytes:
    """keccak-256 of the canonical bytes."""
    return keccak(encode_model(model))
