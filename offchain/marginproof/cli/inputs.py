"""Documents named on the command line: a file, or one that marginproof ships."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from marginproof.errors import InputError

if TYPE_CHECKING:
    from marginproof.documents import MarketDocument, Rounding, WhatIfMarketDocument

_CRASH: Final = re.compile(r"crash:(.*)")


def market_argument(text: str) -> MarketDocument:
    """A market document by file name, or `crash:N` for a shipped snapshot. Errors: InputError."""
    from marginproof.documents import load_market

    named = _CRASH.fullmatch(text)
    return crash_snapshot(named[1]) if named else load_market(text)


def what_if_market_argument(text: str, rounding: Rounding | None = None) -> WhatIfMarketDocument:
    """As `market_argument`, for runs that commit to nothing: volatilities may be given per strike. Errors: InputError."""
    from marginproof.documents import WhatIfMarketDocument, document_json, load_what_if_market, parse_document

    named = _CRASH.fullmatch(text)
    if named is None:
        return load_what_if_market(text, rounding)
    return parse_document(WhatIfMarketDocument, document_json(crash_snapshot(named[1])), text)


def crash_snapshot(number: str) -> MarketDocument:
    """A shipped snapshot by its number, counted from 1 in order of time. Errors: InputError giving the range."""
    from marginproof.market.crash import load_crash

    snapshots = load_crash()
    if not number.isascii() or not number.isdecimal() or not 1 <= int(number[:9]) <= len(snapshots):
        raise InputError(f"There is no shipped snapshot {number[:40]!r}; allowed: 1 to {len(snapshots)}.")
    return snapshots[int(number[:9]) - 1]
