"""The portfolio document `marginproof/portfolio@1`: cash and positions of one account."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ..errors import InputError
from ..spec import limits
from .base import Document, inconsistent
from .decimals import E8_DIGITS, ScaledDecimal
from .instrument_names import FORMS, InstrumentName, parse_instrument_name

PORTFOLIO_FORMAT: Final = "marginproof/portfolio@1"

MAX_CASH: Final = 10**20
"""Cash that a document may hold, E8, either sign: a trillion units of the settlement token."""


def known_form(text: str) -> str:
    """The text, if it is an instrument's name; for validators."""
    try:
        parse_instrument_name(text)
    except InputError as error:
        raise inconsistent(error.message) from None
    return text


class PositionEntry(Document):
    """An instrument by name and a signed quantity in units of the underlying."""

    instrument: Annotated[
        str,
        Field(description=f"{FORMS}; an expiry is a date (08:00 UTC) or unix seconds.", max_length=64),
        AfterValidator(known_form),
    ]
    quantity_e8: Annotated[
        int,
        Field(alias="quantity"),
        ScaledDecimal(
            E8_DIGITS,
            -limits.MAX_QUANTITY,
            limits.MAX_QUANTITY,
            "Units held; negative when short.",
            nonzero=True,
        ),
    ]

    @property
    def name(self) -> InstrumentName:
        """The instrument's name, parsed."""
        return parse_instrument_name(self.instrument)


class PortfolioDocument(Document):
    """One account: cash in the settlement token, and positions in different instruments."""

    format: Literal["marginproof/portfolio@1"]
    cash_e8: Annotated[
        int, Field(alias="cash"), ScaledDecimal(E8_DIGITS, -MAX_CASH, MAX_CASH, "Cash; negative when owed.")
    ]
    positions: Annotated[tuple[PositionEntry, ...], Field(max_length=limits.MAX_POSITIONS)]

    @model_validator(mode="after")
    def _instruments_differ(self) -> Self:
        seen: dict[InstrumentName, int] = {}
        for index, position in enumerate(self.positions):
            if position.name in seen:
                first = seen[position.name]
                raise inconsistent(
                    f"positions[{index}].instrument: {position.instrument!r} is the instrument of "
                    f"positions[{first}] again; "
                    "allowed: each instrument once (add the quantities up)"
                )
            seen[position.name] = index
        return self
