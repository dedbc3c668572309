"""The model document `marginproof/model@1`: scenarios and factors, for all underlyings or for one by name."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from ..spec import limits
from .base import Document, Symbol, inconsistent
from .decimals import WAD_DIGITS, ScaledDecimal, format_decimal

MODEL_FORMAT: Final = "marginproof/model@1"

_Factor = ScaledDecimal(WAD_DIGITS, 0, limits.MAX_FACTOR, "Multiplies the scan.")
_Power = ScaledDecimal(
    WAD_DIGITS, 0, limits.MAX_POWER, "Power p of m = (30 days / max(time to expiry, floor))^p."
)


class VolShocks(Document):
    """How scenarios shock volatility: up to max(minimumUp, vol (1 + up m)), down to vol max(0, 1 -
    down m).
    """

    up_wad: Annotated[
        int,
        Field(alias="up"),
        ScaledDecimal(WAD_DIGITS, 0, limits.MAX_VOL_UP, "Relative shock up at 30 days."),
    ]
    down_wad: Annotated[
        int,
        Field(alias="down"),
        ScaledDecimal(WAD_DIGITS, 0, limits.MAX_VOL_DOWN, "Relative shock down at 30 days."),
    ]
    minimum_up_wad: Annotated[
        int,
        Field(alias="minimumUp"),
        ScaledDecimal(
            WAD_DIGITS, 0, limits.MAX_MIN_VOL_UP, "Least volatility after a shock up; 0.4 is 40 %."
        ),
    ]
    short_power_wad: Annotated[int, Field(alias="shortPower"), _Power]
    long_power_wad: Annotated[int, Field(alias="longPower"), _Power]
    floor_seconds: Annotated[
        int,
        Field(
            ge=limits.MIN_FLOOR_SECONDS,
            le=limits.MAX_FLOOR_SECONDS,
            description="Floor of the time to expiry, seconds.",
        ),
    ]


class ScenarioEntry(Document):
    """One move of spot and volatility."""

    spot_wad: Annotated[
        int,
        Field(alias="spot"),
        ScaledDecimal(
            WAD_DIGITS,
            limits.MIN_SPOT_SHOCK,
            limits.MAX_SPOT_SHOCK,
            "Multiplies spot and forwards; 0.82 is -18 %.",
        ),
    ]
    vol: Annotated[Literal["none", "up", "down"], Field(description="How volatility moves.")]
    weight_wad: Annotated[
        int,
        Field(alias="weight"),
        ScaledDecimal(WAD_DIGITS, 0, limits.MAX_WEIGHT, "The change counts times this."),
    ]


class ModelEntry(Document):
    """The model of one underlying."""

    initial_factor_wad: Annotated[int, Field(alias="initialFactor"), _Factor]
    maintenance_factor_wad: Annotated[int, Field(alias="maintenanceFactor"), _Factor]
    vol: VolShocks
    scenarios: Annotated[tuple[ScenarioEntry, ...], Field(min_length=1, max_length=limits.MAX_SCENARIOS)]

    @model_validator(mode="after")
    def _maintenance_is_not_above_initial(self) -> Self:
        if self.maintenance_factor_wad > self.initial_factor_wad:
            initial = format_decimal(self.initial_factor_wad, WAD_DIGITS)
            raise inconsistent(
                f"maintenanceFactor {format_decimal(self.maintenance_factor_wad, WAD_DIGITS)!r} is "
                f"above initialFactor; "
                f"allowed: 0 to {initial}"
            )
        return self


class ModelDocument(Document):
    """A margin model. `underlyings` overrides `default` as a whole for the symbols it names."""

    format: Literal["marginproof/model@1"]
    name: Annotated[str, Field(min_length=1, max_length=64, description="Short name of the model.")]
    source: Annotated[
        str, Field(min_length=1, max_length=2000, description="Who published the parameters, and where.")
    ]
    date: Annotated[
        str,
        Field(pattern=r"^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$", description="As of when: YYYY-MM or YYYY-MM-DD."),
    ]
    description: Annotated[str | None, Field(max_length=4000, description="Remarks for people.")] = None
    default: Annotated[
        ModelEntry, Field(description="Applies to every underlying that is not named under underlyings.")
    ]
    underlyings: Annotated[
        dict[Symbol, ModelEntry],
        Field(max_length=limits.MAX_UNDERLYINGS, description="Models of single underlyings, by symbol."),
    ] = Field(default_factory=dict)
