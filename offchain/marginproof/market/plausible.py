"""Whether the figures of a chain can belong together: index prices beside forwards, marks in percent.

Real chains drift by some tenths of a percent between rows. What is refused or set aside here is further off than any market: a value
in another unit, of another underlying, or a placeholder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from statistics import median
from typing import Final

from ..errors import InputError
from .book_summary import ChainRow, ReadReport

MAX_PRICE_DISTANCE: Final = Decimal("0.2")
"""How far an index price may be from the forwards of its underlying, and a forward from its expiry's median: 20 %."""

MIN_MEDIAN_MARK_IV: Final = Decimal(3)
"""Percent. A chain whose median mark is below holds fractions, not percent."""

_EXAMPLES: Final = 3


def far_apart(value: Decimal, reference: Decimal) -> bool:
    """Whether a price is further than MAX_PRICE_DISTANCE from the reference."""
    return abs(value - reference) > MAX_PRICE_DISTANCE * reference


def usable_indices(symbol: str, rows: Sequence[ChainRow], report: ReadReport) -> list[Decimal]:
    """The index prices of one underlying without those far from the median of its forwards, which are reported.

    InputError when there are none, or when more than half are far off.
    """
    quoted = [(row, row.index) for row in rows if row.index is not None]
    if not quoted:
        raise InputError(f"{symbol}: no row has a usable index_price, so there is no spot price")
    forwards = [row.forward for row in rows if row.forward is not None]
    if not forwards:
        return [index for _, index in quoted]
    reference = median(forwards)
    far = [(row, index) for row, index in quoted if far_apart(index, reference)]
    if 2 * len(far) > len(quoted):
        raise InputError(
            f"{symbol}: {len(far)} of {len(quoted)} index_price values ({_some(index for _, index in far)}) are more than "
            f"20 % from {_plain(reference)}, the median underlying_price; allowed: at most half of them, which are then set aside"
        )
    for row, index in far:
        report.ignore_cell(
            "index_price far from underlying_price",
            row.file,
            row.line,
            f"index_price {_plain(index)} is more than 20 % from {_plain(reference)}, the median underlying_price",
        )
    return [index for row, index in quoted if not far_apart(index, reference)]


def usable_forwards(rows: Sequence[ChainRow], report: ReadReport) -> list[Decimal]:
    """The forwards of one expiry without those far from their own median, which are reported.

    ValueError when there are none, or when more than half are far off.
    """
    quoted = [(row, row.forward) for row in rows if row.forward is not None]
    if not quoted:
        raise ValueError("no row has a usable underlying_price, so there is no forward")
    middle = median(forward for _, forward in quoted)
    far = [(row, forward) for row, forward in quoted if far_apart(forward, middle)]
    if 2 * len(far) > len(quoted):
        raise ValueError(
            f"{len(far)} of {len(quoted)} underlying_price values ({_some(forward for _, forward in far)}) are more than 20 % "
            f"from their median {_plain(middle)}"
        )
    for row, forward in far:
        report.ignore_cell(
            "underlying_price far from the others",
            row.file,
            row.line,
            f"underlying_price {_plain(forward)} is more than 20 % from {_plain(middle)}, its expiry's median",
        )
    return [forward for row, forward in quoted if not far_apart(forward, middle)]


def require_percent(symbol: str, rows: Sequence[ChainRow]) -> None:
    """Refuse marks given as fractions. InputError with the median."""
    marks = [row.mark_iv for row in rows if row.mark_iv is not None]
    if marks and median(marks) < MIN_MEDIAN_MARK_IV:
        raise InputError(
            f"{symbol}: the median mark_iv is {_plain(median(marks))}; mark_iv must be in percent (65.2, not 0.652); "
            f"allowed: a median of at least {MIN_MEDIAN_MARK_IV}"
        )


def require_spot_near_forward(symbol: str, spot_e8: int, forward_e8: int) -> None:
    """Refuse a spot price far from the nearest expiry's forward, both E8. InputError with both."""
    spot, forward = Decimal(spot_e8).scaleb(-8), Decimal(forward_e8).scaleb(-8)
    if far_apart(spot, forward):
        raise InputError(
            f"{symbol}: spot {_plain(spot)}, the median index_price, is more than 20 % from {_plain(forward)}, the nearest "
            f"expiry's forward; allowed: at most 20 %"
        )


def _some(values: Iterable[Decimal]) -> str:
    distinct = sorted(set(values))
    shown = ", ".join(_plain(value) for value in distinct[:_EXAMPLES])
    return shown + (", ..." if len(distinct) > _EXAMPLES else "")


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
