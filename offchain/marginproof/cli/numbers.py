"""Scaled integers as text: exact decimals for programs, grouped and rounded ones for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from marginproof.documents.decimals import E8_DIGITS, WAD_DIGITS, format_decimal

E16_DIGITS: Final = 16
E34_DIGITS: Final = 34
E52_DIGITS: Final = 52


def e8(value: int) -> str:
    """Exact decimal of an E8 integer."""
    return format_decimal(value, E8_DIGITS)


def wad(value: int) -> str:
    """Exact decimal of a WAD integer."""
    return format_decimal(value, WAD_DIGITS)


def q58(value: int, decimals: int = WAD_DIGITS) -> str:
    """A Q58 integer as a decimal, rounded half up to so many decimals, at most 18: for reading."""
    return format_decimal((value * 10**decimals + (1 << 57)) >> 58, decimals)


def exact(value: int, digits: int = E8_DIGITS) -> str:
    """Exact, with a thousands separator and at least two decimals: for a person who compares to the last digit."""
    whole, _, fraction = format_decimal(abs(value), digits).partition(".")
    sign = "-" if value < 0 else ""
    return f"{sign}{int(whole):,}.{fraction.ljust(2, '0')}"


def cents(value: int, digits: int = E8_DIGITS) -> str:
    """Rounded to two decimals, half away from zero, with a thousands separator: for reading, never for computing."""
    unit = 10 ** (digits - 2)
    whole, fraction = divmod((2 * abs(value) + unit) // (2 * unit), 100)
    sign = "-" if value < 0 and (whole or fraction) else ""
    return f"{sign}{whole:,}.{fraction:02d}"


def percent(value_wad: int, decimals: int = 1) -> str:
    """A WAD integer as a percentage, rounded half away from zero."""
    unit = 10 ** (WAD_DIGITS - 2 - decimals)
    rounded = (2 * abs(value_wad) + unit) // (2 * unit)
    sign = "-" if value_wad < 0 and rounded else ""
    return f"{sign}{format_fixed(rounded, decimals)}%"


def format_fixed(value: int, decimals: int) -> str:
    """value / 10^decimals with exactly that many decimals."""
    whole, fraction = divmod(value, 10**decimals)
    return f"{whole:,}.{fraction:0{decimals}d}" if decimals else f"{whole:,}"


def moment(seconds: int) -> str:
    """Unix seconds as a UTC time."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s"


def plural(count: int, noun: str) -> str:
    """A count with its noun: "1 epoch", "2 epochs"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
