"""Instrument names of book summaries beside the columns of their rows, and how numbers are written there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from ..documents.decimals import show
from ..documents.instrument_names import MONTHS, format_expiry

NUMBER: Final = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
"""Plain ASCII decimals, with an exponent as feeds write small prices (1e-05)."""

_MAX_EXPONENT: Final = 30
_NAME_PARTS: Final = 4
_DATE: Final = re.compile(r"[1-9][0-9]?[A-Z]{3}[0-9]{2}")


def decimal_number(name: str, text: str) -> Decimal:
    """A cell's number, exactly. ValueError, naming the column, when it is none or has an exponent beyond +-30."""
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{name} {show(text)} is not a number")
    value = Decimal(text)
    if abs(value.adjusted()) > _MAX_EXPONENT:
        raise ValueError(f"{name} {show(text)} is not a usable number")
    return value


def name_contradiction(
    name: str, underlying: str, expiry: int, strike: Decimal, option_type: str
) -> str | None:
    """How an instrument's name and its row's columns differ; None when they agree or the name is of another form.

    `expiry` is in unix seconds; names give its date.
    """
    if not name:
        return None
    parts = name.upper().split("-")
    if not name.startswith(underlying):
        return f"name says {show(parts[0])}, column says {underlying}"
    if not name.endswith(option_type):
        return f"name says {show(parts[-1])}, column says {option_type}"
    if len(parts) < _NAME_PARTS:
        return None
    date, named_strike = parts[-3].lstrip("0"), parts[-2]
    if NUMBER.fullmatch(named_strike) and Decimal(named_strike) != strike:
        return f"name says strike {named_strike}, column says {strike:f}"
    if _DATE.fullmatch(date):
        day = datetime.fromtimestamp(expiry, UTC)
        if date != f"{day.day}{MONTHS[day.month - 1]}{day.year % 100:02d}":
            return f"name says expiry {date}, column says {format_expiry(expiry)}"
    return None
