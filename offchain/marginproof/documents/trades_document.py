"""The trades document `marginproof/trades@1`: trades that might be made, for asking what they would do to margin."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from ..spec import limits
from .base import Document
from .decimals import E8_DIGITS, ScaledDecimal
from .instrument_names import FORMS, InstrumentName, parse_instrument_name
from .portfolio_document import known_form

TRADES_FORMAT: Final = "marginproof/trades@1"

QUANTITY: Final = ScaledDecimal(
    E8_DIGITS,
    -limits.MAX_QUANTITY,
    limits.MAX_QUANTITY,
    "Units bought; negative when sold.",
    nonzero=True,
)
PRICE: Final = ScaledDecimal(
    E8_DIGITS,
    -limits.MAX_TRADE_PRICE,
    limits.MAX_TRADE_PRICE,
    "Price of one unit, USD; absent: its value in the market.",
)


class TradeEntry(Document):
    """One trade: instrument, signed quantity, price."""

    instrument: Annotated[
        str,
        Field(description=f"{FORMS}; an expiry is a date (08:00 UTC) or unix seconds.", max_length=64),
        AfterValidator(known_form),
    ]
    quantity_e8: Annotated[int, Field(alias="quantity"), QUANTITY]
    price_e8: Annotated[Annotated[int, PRICE] | None, Field(alias="price")] = None

    @property
    def name(self) -> InstrumentName:
        """The instrument's name, parsed."""
        return parse_instrument_name(self.instrument)


class TradesDocument(Document):
    """Trades in the order in which they would be made."""

    format: Literal["marginproof/trades@1"]
    trades: Annotated[tuple[TradeEntry, ...], Field(min_length=1, max_length=limits.MAX_POSITIONS)]
