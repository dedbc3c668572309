"""Trades given on the command line: inline, or a file of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from pydantic_core import PydanticCustomError

from marginproof.cli.file_account import FileAccount
from marginproof.cli.numbers import exact
from marginproof.documents import TradeEntry, load_trades, parse_instrument_name, trades_to_spec
from marginproof.documents.decimals import Rounding, ScaledDecimal
from marginproof.documents.trades_document import PRICE, QUANTITY
from marginproof.errors import InputError
from marginproof.market.plausible import far_apart
from marginproof.spec.fixed_point import floor_div
from marginproof.spec.instruments import Instrument

_FORM: Final = "a file of trades, or NAME=QUANTITY[@PRICE] such as BTC-27FEB26-70000-C=-1@250.5"


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade: instrument, quantity (E8), price per unit (E8), its value (E8), the cash it brings (E8, rounded down)."""

    instrument: Instrument
    quantity: int
    price_e8: int
    value_e8: int
    at_value: bool

    def remark(self, name: str) -> str | None:
        """What a person should know about a price that is further from the value than prices of one market are; else None."""
        value = Decimal(abs(self.value_e8))
        distance = abs(self.price_e8 - self.value_e8)
        if not far_apart(value + distance, value):
            return None
        far = f"{100 * distance / value:.1f} % from its value" if value else "not its value"
        return f"{name}: price {exact(self.price_e8)} USD is {far}, {exact(self.value_e8)} USD"

    @property
    def cash_e8(self) -> int:
        """Cash received; negative when paid."""
        return floor_div(-self.quantity * self.price_e8, 10**8)


def read_trades(text: str, account: FileAccount) -> list[Trade]:
    """The trades of a file, or the one written as NAME=QUANTITY[@PRICE]; at its value where no price is given. Error: InputError."""
    rounding = account.rounding("trades")
    if text.endswith(".json") or _is_file(text):
        entries: Sequence[TradeEntry] = load_trades(text, rounding).trades
    elif "=" in text:
        entries = [_inline(text, rounding)]
    else:
        raise InputError(f"--add: {text[:80]!r} is neither a file nor a trade; allowed: {_FORM}")
    return [
        Trade(instrument, quantity, value if price is None else price, value, price is None)
        for instrument, quantity, price in trades_to_spec(
            entries, account.symbols, account.market, origin=f"--add {text[:80]}"
        )
        for value in (account.values(instrument)[0],)
    ]


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _inline(text: str, rounding: Rounding | None) -> TradeEntry:
    name, _, rest = text.partition("=")
    quantity, at, price = rest.partition("@")
    try:
        parse_instrument_name(name)
        return TradeEntry(
            instrument=name,
            quantity_e8=_number("quantity", quantity, QUANTITY, rounding),
            price_e8=_number("price", price, PRICE, rounding) if at else None,
        )
    except InputError as error:
        raise InputError(f"--add {text[:80]}: {error.message}") from None


def _number(noun: str, text: str, kind: ScaledDecimal, rounding: Rounding | None) -> int:
    try:
        if rounding is None:
            return kind.from_json(text)
        return kind.from_python(rounding.integer(text, kind.digits))
    except PydanticCustomError as error:
        raise InputError(f"{noun}: {error.message()}") from None
    except ValueError as error:
        raise InputError(f"{noun}: {error}; allowed: {kind.allowed}") from None
