"""From instrument ids to rows."""

from __future__ import annotations

from typing import Any

from .compile import kernel


@kernel
def find_rows(bases: Any, sizes: Any, table: Any, ids: Any, rows: Any, start: Any, stop: Any) -> Any:
    """Fill `rows` start .. stop with the rows of `ids`; returns the first place whose id has none, or -1."""
    for i in range(start, stop):
        upper, lower = ids[i] >> 16, ids[i] & 0xFFFF
        row = table[bases[upper] + lower] if lower < sizes[upper] else -1
        if row < 0:
            return i
        rows[i] = row
    return -1
