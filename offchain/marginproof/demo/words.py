"""Figures as people read them: thousands separators, USD, UTC. Display only; nothing here is committed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_E8: Final = 10**8
_CENTS_BELOW: Final = 1_000
MINUS: Final = "\N{MINUS SIGN}"
NONE: Final = "\N{EN DASH}"


def usd(amount_e8: int) -> str:
    """USD of an E8 amount: "$1,234,567", with cents below 1,000 USD; "<$0.01" for less than a cent that is not zero."""
    sign = MINUS if amount_e8 < 0 else ""
    size = abs(amount_e8)
    cents = (size * 100 + _E8 // 2) // _E8
    if size and not cents:
        return f"{sign}<$0.01"
    if cents < _CENTS_BELOW * 100:
        return f"{sign}${cents // 100}.{cents % 100:02d}" if cents else "$0"
    return f"{sign}${(size + _E8 // 2) // _E8:,}"


def signed_usd(amount_e8: int) -> str:
    """Like `usd`, with a plus sign on gains."""
    return f"+{usd(amount_e8)}" if amount_e8 > 0 else usd(amount_e8)


def short_usd(amount: float) -> str:
    """A USD axis label of at most three digits: "$450k", "$1.2M"."""
    sign = MINUS if amount < 0 else ""
    size = abs(amount)
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{sign}${size / unit:.3g}{letter}"
    return f"{sign}${size:.3g}"


def percent(fraction_wad: int) -> str:
    """A WAD fraction in percent, one decimal: "25.0%"."""
    return f"{fraction_wad / 1e16:.1f}%"


def move(spot_wad: int) -> str:
    """A spot multiple (WAD) as a move: "+18%", "-66%", "0%"."""
    points = round((spot_wad - 10**18) / 1e15) / 10
    return f"{'+' if points > 0 else MINUS if points < 0 else ''}{abs(points):g}%"


def ratio(equity_e8: int, maintenance_e8: int) -> str:
    """Equity in percent of maintenance margin; a dash where nothing is required."""
    if maintenance_e8 == 0:
        return NONE
    share = 100 * equity_e8 / maintenance_e8
    if share >= 1_000:
        return ">999%"
    return f"{MINUS if share < 0 else ''}{abs(share):.0f}%"


def moment(time: int) -> str:
    """Unix seconds as "28 Jan 2026, 15:41 UTC"."""
    at = datetime.fromtimestamp(time, UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def short_moment(time: int) -> str:
    """Unix seconds as "28 Jan 15:41"."""
    at = datetime.fromtimestamp(time, UTC)
    return f"{at.day} {at:%b %H:%M}"


def short_address(address: str) -> str:
    """The two ends of a long address; anything short stays as it is."""
    return address if len(address) <= 14 else f"{address[:6]}\N{HORIZONTAL ELLIPSIS}{address[-4:]}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """ "1 account", "54 accounts"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
