"""The margin model: scenarios and factors per underlying, its ranges and its canonical bytes.

    header    version u8 (1) | count of sections u8
    section   underlying u8 | initial factor u64 | maintenance factor u64 | vol up u64 | vol down u64 | minimum vol up u64
              | power to 30 days u64 | power beyond u64 (all WAD) | floor in seconds u32
              | count u8, then per scenario: spot multiple u64 (WAD) | vol kind u8 | weight u64 (WAD)

All big-endian; sections by strictly increasing underlying. The model hash is keccak of the bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from .codec import Reader, unsigned
from .errors import SpecError, require_range
from .hashing import keccak
from .limits import (
    MAX_FACTOR,
    MAX_FLOOR_SECONDS,
    MAX_MIN_VOL_UP,
    MAX_POWER,
    MAX_SCENARIOS,
    MAX_SPOT_SHOCK,
    MAX_UNDERLYING_ID,
    MAX_UNDERLYINGS,
    MAX_VOL_DOWN,
    MAX_VOL_UP,
    MAX_WEIGHT,
    MIN_FLOOR_SECONDS,
    MIN_SPOT_SHOCK,
)

MODEL_VERSION: Final = 1


class VolKind(IntEnum):
    """How a scenario moves volatility."""

    NONE = 0
    UP = 1
    DOWN = 2


@dataclass(frozen=True, slots=True)
class Scenario:
    """One move: spot and forward times `spot_wad`, volatility by `kind`, the change counted times `weight_wad`."""

    spot_wad: int
    kind: VolKind
    weight_wad: int


@dataclass(frozen=True, slots=True)
class ModelSection:
    """The model of one underlying; factors, vol parameters and powers in WAD, the floor of time to expiry in seconds."""

    underlying: int
    initial_factor_wad: int
    maintenance_factor_wad: int
    vol_up_wad: int
    vol_down_wad: int
    min_vol_up_wad: int
    power_short_wad: int
    power_long_wad: int
    floor_seconds: int
    scenarios: tuple[Scenario, ...]


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


def check_model(model: Model) -> None:
    """Refuse a model out of range.

    Errors: `OutOfRange(field, value, low, high)`, `NotIncreasing(previous, value)`. The maintenance factor may not exceed
    the initial factor.
    """
    require_range("sections", len(model.sections), 1, MAX_UNDERLYINGS)
    previous = 0
    for section in model.sections:
        require_range("underlying", section.underlying, 1, MAX_UNDERLYING_ID)
        if section.underlying <= previous:
            raise SpecError("NotIncreasing", previous=previous, value=section.underlying)
        previous = section.underlying
        require_range("initialFactor", section.initial_factor_wad, 0, MAX_FACTOR)
        require_range("maintenanceFactor", section.maintenance_factor_wad, 0, section.initial_factor_wad)
        require_range("volUp", section.vol_up_wad, 0, MAX_VOL_UP)
        require_range("volDown", section.vol_down_wad, 0, MAX_VOL_DOWN)
        require_range("minVolUp", section.min_vol_up_wad, 0, MAX_MIN_VOL_UP)
        require_range("powerShort", section.power_short_wad, 0, MAX_POWER)
        require_range("powerLong", section.power_long_wad, 0, MAX_POWER)
        require_range("floorSeconds", section.floor_seconds, MIN_FLOOR_SECONDS, MAX_FLOOR_SECONDS)
        require_range("scenarios", len(section.scenarios), 1, MAX_SCENARIOS)
        for scenario in section.scenarios:
            require_range("spotShock", scenario.spot_wad, MIN_SPOT_SHOCK, MAX_SPOT_SHOCK)
            require_range("volKind", scenario.kind, 0, 2)
            require_range("weight", scenario.weight_wad, 0, MAX_WEIGHT)


def encode_model(model: Model) -> bytes:
    """The canonical bytes. Errors as `check_model`."""
    check_model(model)
    parts = [unsigned(MODEL_VERSION, 1), unsigned(len(model.sections), 1)]
    for section in model.sections:
        parts.append(unsigned(section.underlying, 1))
        parts += [
            unsigned(value, 8)
            for value in (
                section.initial_factor_wad,
                section.maintenance_factor_wad,
                section.vol_up_wad,
                section.vol_down_wad,
                section.min_vol_up_wad,
                section.power_short_wad,
                section.power_long_wad,
            )
        ]
        parts += [unsigned(section.floor_seconds, 4), unsigned(len(section.scenarios), 1)]
        parts += [
            unsigned(s.spot_wad, 8) + unsigned(s.kind, 1) + unsigned(s.weight_wad, 8)
            for s in section.scenarios
        ]
    return b"".join(parts)


def _read_scenario(reader: Reader) -> Scenario:
    spot, kind, weight = reader.unsigned(8), reader.unsigned(1), reader.unsigned(8)
    require_range("volKind", kind, 0, 2)
    return Scenario(spot, VolKind(kind), weight)


def decode_model(data: bytes) -> Model:
    """The model behind canonical bytes. Errors: `BadVersion(version)`, `BadLength(length)`, then as `check_model`."""
    reader = Reader(data)
    version = reader.unsigned(1)
    if version != MODEL_VERSION:
        raise SpecError("BadVersion", version=version)
    sections = []
    for _ in range(reader.unsigned(1)):
        underlying = reader.unsigned(1)
        initial, maintenance, up, down, min_up, short, long = (reader.unsigned(8) for _ in range(7))
        floor_seconds = reader.unsigned(4)
        scenarios = tuple(_read_scenario(reader) for _ in range(reader.unsigned(1)))
        sections.append(
            ModelSection(
                underlying, initial, maintenance, up, down, min_up, short, long, floor_seconds, scenarios
            )
        )
    reader.finish()
    model = Model(tuple(sections))
    check_model(model)
    return model


def model_hash(model: Model) -> bytes:
    """keccak-256 of the canonical bytes."""
    return keccak(encode_model(model))
