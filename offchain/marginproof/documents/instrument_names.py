"""Names of instruments as people write them, and the instruments of the specification behind them.

    BTC                    spot collateral
    BTC-PERP               perpetual
    BTC-27MAR26            future
    BTC-27MAR26-80000-C    call (P: put), strike 80,000 USD; decimals as 2100.5

An expiry is a date DMMMYY, meaning 08:00 UTC of that day, or unix seconds. Names are compared by what they
mean: BTC-27MAR26 and BTC-1774598400 are one instrument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ..errors import InputError
from ..spec.instruments import Instrument, Kind
from ..spec.limits import MAX_STRIKE, MAX_TIME, MIN_STRIKE
from .base import SYMBOL_REGEX
from .decimals import E8_DIGITS, format_decimal, parse_decimal, show

EXPIRY_HOUR: Final = 8
"""Hour of day, UTC, that a date stands for."""
FORMS: Final = "SYMBOL, SYMBOL-PERP, SYMBOL-EXPIRY or SYMBOL-EXPIRY-STRIKE-C|P, such as BTC-27MAR26-80000-C"

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DATE: Final = re.compile(rf"([1-9][0-9]?)({'|'.join(MONTHS)})([0-9]{{2}})")
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,9}")
_OPTION_LETTERS: Final = {"C": Kind.CALL, "P": Kind.PUT}


@dataclass(frozen=True, slots=True, order=True)
class InstrumentName:
    """A parsed name. `expiry` is in unix seconds, 0 for spot and perpetual; `strike_e8` is 0 unless an
    option.
    """

    symbol: str
    kind: Kind
    expiry: int = 0
    strike_e8: int = 0

    def instrument(self, symbols: Mapping[str, int]) -> Instrument:
        """The instrument of the specification, given the underlyings' ids by symbol. InputError for an
        unknown symbol.
        """
        if self.symbol not in symbols:
            known = ", ".join(sorted(symbols)) or "none"
            raise InputError(f"{self}: unknown underlying {self.symbol}; allowed: {known}")
        return Instrument(symbols[self.symbol], self.kind, self.expiry, self.strike_e8)

    def __str__(self) -> str:
        match self.kind:
            case Kind.SPOT:
                return self.symbol
            case Kind.PERPETUAL:
                return f"{self.symbol}-PERP"
            case Kind.FUTURE:
                return f"{self.symbol}-{format_expiry(self.expiry)}"
            case Kind.CALL | Kind.PUT:
                letter = "C" if self.kind == Kind.CALL else "P"
                strike = format_decimal(self.strike_e8, E8_DIGITS)
                return f"{self.symbol}-{format_expiry(self.expiry)}-{strike}-{letter}"


def parse_instrument_name(text: str) -> InstrumentName:
    """Parse a name. InputError says which part is wrong and what is allowed there."""
    symbol, *rest = text.split("-")
    if not SYMBOL_REGEX.fullmatch(symbol):
        raise InputError(
            f"{show(text)}: symbol {show(symbol)} is not 1 to 10 capital letters or digits; allowed: {FORMS}"
        )
    if not rest:
        return InstrumentName(symbol, Kind.SPOT)
    if rest == ["PERP"]:
        return InstrumentName(symbol, Kind.PERPETUAL)
    if len(rest) not in (1, 3):
        raise InputError(f"{show(text)} is not an instrument name; allowed: {FORMS}")
    try:
        expiry = parse_expiry(rest[0])
        if len(rest) == 1:
            return InstrumentName(symbol, Kind.FUTURE, expiry)
        if rest[2] not in _OPTION_LETTERS:
            raise ValueError(f"option type {show(rest[2])}; allowed: C or P")
        return InstrumentName(symbol, _OPTION_LETTERS[rest[2]], expiry, parse_strike(rest[1]))
    except ValueError as problem:
        raise InputError(f"{show(text)}: {problem}") from None


def format_instrument_name(instrument: Instrument, symbols: Mapping[str, int]) -> str:
    """The name of an instrument of the specification. InputError when no symbol has its underlying's id."""
    for symbol, underlying in symbols.items():
        if underlying == instrument.underlying:
            return str(InstrumentName(symbol, instrument.kind, instrument.expiry, instrument.strike_e8))
    raise InputError(
        f"underlying id {instrument.underlying} has no symbol; known ids: {sorted(symbols.values())}"
    )


def parse_expiry(text: str) -> int:
    """Unix seconds of `27MAR26` (08:00 UTC) or of a number of unix seconds. ValueError says what is
    allowed.
    """
    if _SECONDS.fullmatch(text) and int(text) <= MAX_TIME:
        return int(text)
    date = _DATE.fullmatch(text)
    try:
        if date:
            day, month, year = date.groups()
            moment = datetime(2000 + int(year), MONTHS.index(month) + 1, int(day), EXPIRY_HOUR, tzinfo=UTC)
            return int(moment.timestamp())
    except ValueError:
        pass
    raise ValueError(
        f"expiry {show(text)} is not a date; allowed: DMMMYY such as 7FEB26 (08:00 UTC), or unix "
        f"seconds 1 to {MAX_TIME}"
    )


def format_expiry(expiry: int) -> str:
    """The date name of a time at 08:00 UTC in 2000..2099, else the unix seconds as they are."""
    moment = datetime.fromtimestamp(expiry, UTC)
    if (moment.hour, moment.minute, moment.second) != (EXPIRY_HOUR, 0, 0) or not 2000 <= moment.year <= 2099:
        return str(expiry)
    return f"{moment.day}{MONTHS[moment.month - 1]}{moment.year % 100:02d}"


def parse_strike(text: str) -> int:
    """A strike in E8. ValueError says what is allowed."""
    strike = parse_decimal(text, E8_DIGITS)
    low, high = format_decimal(MIN_STRIKE, E8_DIGITS), format_decimal(MAX_STRIKE, E8_DIGITS)
    if not MIN_STRIKE <= strike <= MAX_STRIKE:
        raise ValueError(f"strike {show(text)} is out of range; allowed: {low} to {high}")
    return strike
