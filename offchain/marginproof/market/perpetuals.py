"""Prices of perpetuals at the times of snapshots, from a table of futures prices.

Columns: snapshot_ts and expiry_utc in unix seconds (expiry_utc 0: the perpetual), underlying, price in USD. Others are not read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..documents.decimals import show
from ..errors import InputError
from ..spec.limits import MAX_SPOT, MIN_SPOT
from .csv_files import column_positions, csv_reader, header_names
from .row_names import decimal_number

COLUMNS: Final = ("snapshot_ts", "underlying", "expiry_utc", "price")

PerpetualPrices = dict[int, dict[str, int]]
"""E8 USD, by time (unix seconds) and symbol."""


def read_perpetuals(path: Path) -> PerpetualPrices:
    """All perpetuals' prices of a file (CSV, plain or gzip), rounded half to even to E8.

    InputError for an unusable file, and naming the line for a cell that is unreadable or out of range and for a price given twice.
    """
    found: PerpetualPrices = {}
    with csv_reader(path) as reader:
        columns = column_positions(header_names(reader), path, COLUMNS)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            try:
                if len(cells) <= max(columns.values()):
                    raise ValueError(f"{len(cells)} cells; at least {max(columns.values()) + 1} are needed")
                text = {name: cells[position].strip() for name, position in columns.items()}
                if _seconds("expiry_utc", text["expiry_utc"]) == 0:
                    at = found.setdefault(_seconds("snapshot_ts", text["snapshot_ts"]), {})
                    if text["underlying"] in at:
                        raise ValueError(f"a second price of {text['underlying']} for this time")
                    at[text["underlying"]] = _price_e8(text["price"])
            except ValueError as problem:
                raise InputError(f"{path} line {reader.line_num}: {problem}") from None
    return found


def _seconds(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise ValueError(f"{name} {show(text)} is not a time; allowed: whole unix seconds")
    return int(text)


def _price_e8(text: str) -> int:
    price_e8 = decimal_number("price", text) * 10**8
    if not MIN_SPOT <= price_e8 <= MAX_SPOT:
        raise ValueError(f"price {show(text)} out of range; allowed: 0.01 to 1000000")
    return int(price_e8.to_integral_value())
