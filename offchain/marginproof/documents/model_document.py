"""The model document `marginproof/model@2`: scenarios and parameters, for all underlyings or for one by name."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ..spec import limits
from ..spec.model import Scenario, VolKind
from .base import Document, Symbol, inconsistent
from .decimals import WAD_DIGITS, ScaledDecimal
from .model_groups import (
    AVERAGING,
    AddOns,
    Basis,
    DeltaCharge,
    Factors,
    Peg,
    ShortMinimum,
    Skew,
    StaticDiscount,
    VolMoves,
)
from .scenario_order import order_problem
from .whole_numbers import WholeNumber

MODEL_FORMAT: Final = "marginproof/model@2"

VOL_KINDS: Final = {
    "none": VolKind.NONE,
    "up": VolKind.UP,
    "down": VolKind.DOWN,
    "add": VolKind.ADD,
    "linearSkew": VolKind.LINEAR_SKEW,
    "absoluteSkew": VolKind.ABSOLUTE_SKEW,
}
"""How a document names what a scenario does to volatility."""


class ScenarioEntry(Document):
    """One move of spot and volatility."""

    spot_wad: Annotated[
        int,
        Field(alias="spot"),
        ScaledDecimal(
            WAD_DIGITS,
            limits.MIN_SPOT_SHOCK,
            limits.MAX_SPOT_SHOCK,
            "Multiplies spot, perpetual and forwards; 0.82 is -18 %.",
        ),
    ]
    vol: Annotated[
        Literal["none", "up", "down", "add", "linearSkew", "absoluteSkew"],
        Field(description="How volatility moves; the skews leave forwards where they are."),
    ]
    amount_wad: Annotated[
        Annotated[
            int,
            ScaledDecimal(
                WAD_DIGITS, -limits.MAX_VOL_ADD, limits.MAX_VOL_ADD, "Added to volatility; with vol add only."
            ),
        ]
        | None,
        Field(alias="amount"),
    ] = None
    weight_wad: Annotated[
        int,
        Field(alias="weight"),
        ScaledDecimal(WAD_DIGITS, 0, limits.MAX_WEIGHT, "The change counts times this."),
    ]

    @model_validator(mode="after")
    def _an_amount_belongs_to_add(self) -> Self:
        if self.vol == "add" and self.amount_wad is None:
            raise inconsistent("amount: missing; vol 'add' needs what to add to volatility, such as \"0.1\"")
        if self.vol != "add" and self.amount_wad is not None:
            raise inconsistent(f"amount: given with vol {self.vol!r}; allowed: with vol 'add' only")
        return self

    def spec(self) -> Scenario:
        """The scenario of the specification."""
        return Scenario(self.spot_wad, VOL_KINDS[self.vol], self.weight_wad, self.amount_wad or 0)


def _real_date(text: str) -> str:
    try:
        dt.date.fromisoformat(text if len(text) > len("YYYY-MM") else f"{text}-01")
    except ValueError:
        raise inconsistent(
            f"{text!r} is not a day or month of the calendar; allowed: YYYY-MM or YYYY-MM-DD"
        ) from None
    return text


class ModelEntry(Document):
    """The model of one underlying. A group that is absent is not used: it charges and changes nothing."""

    factors: Factors
    peg: Peg | None = None
    vol: VolMoves | None = None
    averaging_seconds: Annotated[
        Annotated[int, WholeNumber(*AVERAGING)] | None,
        Field(description="Settlement averages the price over so many seconds before expiry."),
    ] = None
    skew: Skew | None = None
    static_discount: StaticDiscount | None = None
    basis: Basis | None = None
    delta: DeltaCharge | None = None
    short_minimum: ShortMinimum | None = None
    add_ons: AddOns | None = None
    scenarios: Annotated[
        tuple[ScenarioEntry, ...],
        Field(
            min_length=1,
            max_length=limits.MAX_SCENARIOS,
            description="Sorted: skews last; then by weight and by spot, both falling; then up, add, none, down.",
        ),
    ]

    @model_validator(mode="after")
    def _scenarios_have_their_groups_and_order(self) -> Self:
        for index, scenario in enumerate(self.scenarios):
            group = {"up": "vol", "down": "vol", "linearSkew": "skew", "absoluteSkew": "skew"}.get(
                scenario.vol
            )
            if group is not None and getattr(self, group) is None:
                raise inconsistent(
                    f"scenarios[{index}].vol: {scenario.vol!r} needs the group {group}, which is missing; add it"
                )
        problem = order_problem([scenario.spec() for scenario in self.scenarios])
        if problem:
            raise inconsistent(problem)
        return self


class ModelDocument(Document):
    """A margin model. `underlyings` overrides `default` as a whole for the symbols it names."""

    format: Literal["marginproof/model@2"]
    name: Annotated[str, Field(min_length=1, max_length=64, description="Short name of the model.")]
    source: Annotated[
        str, Field(min_length=1, max_length=2000, description="Who published the parameters, and where.")
    ]
    date: Annotated[
        str,
        Field(pattern=r"^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$", description="As of when: YYYY-MM or YYYY-MM-DD."),
        AfterValidator(_real_date),
    ]
    description: Annotated[str | None, Field(max_length=4000, description="Remarks for people.")] = None
    default: Annotated[
        ModelEntry, Field(description="Applies to every underlying that is not named under underlyings.")
    ]
    underlyings: Annotated[
        dict[Symbol, ModelEntry],
        Field(max_length=limits.MAX_UNDERLYINGS, description="Models of single underlyings, by symbol."),
    ] = Field(default_factory=dict)

    def entry(self, symbol: str) -> ModelEntry:
        """The entry that applies to a symbol: its own, else the default."""
        return self.underlyings.get(symbol, self.default)
