"""Whether the figures of a chain can belong together: index prices beside forwards, marks in percent.

Real chains drift by some tenths of a percent between rows. What is refused or set aside here is further off than any market: a value
in another unit, of another underlying, or a placeholder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Final

from ..documents.decimals import E8_DIGITS, format_decimal
from ..documents.instrument_names import format_expiry
from ..documents.market_document import MarketDocument, UnderlyingEntry
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


@dataclass(frozen=True, slots=True)
class FarPrice:
    """A price more than MAX_PRICE_DISTANCE from the one beside it; both E8 USD. `expiry` is None for the perpetual; `beside_expiry` is
    None where the other price is the spot price.
    """

    underlying: str
    expiry: int | None
    price_e8: int
    beside_expiry: int | None
    beside_e8: int

    @property
    def words(self) -> str:
        """As a sentence without a full stop."""
        noun = "perpetual" if self.expiry is None else "forward"
        other = "the spot price"
        if self.beside_expiry is not None:
            other = f"the forward of {self.underlying}-{format_expiry(self.beside_expiry)}"
        name = "PERP" if self.expiry is None else format_expiry(self.expiry)
        price, beside = (format_decimal(value, E8_DIGITS) for value in (self.price_e8, self.beside_e8))
        return f"{self.underlying}-{name}: {noun} {price} is more than 20 % from {beside}, {other}"


def far_prices(document: MarketDocument) -> list[FarPrice]:
    """Perpetuals far from spot, the nearest forward if spot is far from it, and forwards far from the one before.

    A forward far from both neighbours is named once: the next one is then compared with the one before it.
    """
    return [item for entry in document.underlyings for item in _far_prices(entry)]


def _far_prices(entry: UnderlyingEntry) -> list[FarPrice]:
    found = []
    if entry.perpetual_e8 is not None and far_apart(Decimal(entry.perpetual_e8), Decimal(entry.spot_e8)):
        found.append(FarPrice(entry.symbol, None, entry.perpetual_e8, None, entry.spot_e8))
    forwards = [
        (item.expiry, item.forward_e8) for item in sorted(entry.expiries, key=lambda item: item.expiry)
    ]
    beside: tuple[int | None, int] = (None, entry.spot_e8)
    for (expiry, forward), following in zip(forwards, [*forwards[1:], None], strict=True):
        one = Decimal(forward)
        far = far_apart(one, Decimal(beside[1]))
        if far:
            found.append(FarPrice(entry.symbol, expiry, forward, *beside))
        if not (far and following and far_apart(Decimal(following[1]), one)):
            beside = (expiry, forward)
    return found


def _some(values: Iterable[Decimal]) -> str:
    distinct = sorted(set(values))
    shown = ", ".join(_plain(value) for value in distinct[:_EXAMPLES])
    return shown + (", ..." if len(distinct) > _EXAMPLES else "")


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
