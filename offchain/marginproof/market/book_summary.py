"""Reads option chains in the columns of a public book summary, with the dirt they really have.

One row per option. Rows that cannot be used are dropped and counted by reason; cells that cannot be used are
set aside, counted and listed by line. Nothing is corrected and nothing is lost silently: rows read = rows
used + rows dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from ..documents.base import SYMBOL_REGEX
from ..documents.decimals import show
from ..errors import InputError
from ..spec.limits import MAX_SPOT, MAX_STRIKE, MAX_TIME, MIN_SPOT, MIN_STRIKE
from .csv_files import column_positions, csv_reader, header_names
from .row_names import decimal_number, name_contradiction

REQUIRED_COLUMNS: Final = (
    "underlying",
    "expiry_utc",
    "strike",
    "option_type",
    "mark_iv",
    "underlying_price",
    "index_price",
    "snapshot_ts",
)
OPTIONAL_COLUMNS: Final = ("instrument_name", "mark_price", "bid", "ask", "open_interest")

MAX_MARK_IV: Final = Decimal(2000)
"""Percent. A mark above is taken for an error of the source."""

_OPTION_TYPES: Final = {"C": "C", "CALL": "C", "P": "P", "PUT": "P"}
_E8: Final = Decimal(10**8)


@dataclass(frozen=True, slots=True)
class ChainRow:
    """One option of one book summary. Prices in USD, `mark_iv` in percent, `open_interest` in units of the
    underlying; None where the cell is empty or unusable.
    """

    file: str
    line: int
    underlying: str
    expiry: int
    strike: Decimal
    option_type: str
    snapshot: int
    mark_iv: Decimal | None
    forward: Decimal | None
    index: Decimal | None
    has_bid: bool
    open_interest: Decimal | None


@dataclass(frozen=True, slots=True)
class Remark:
    """One cell or row that was set aside: where, and why."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}: {self.text}"


@dataclass(slots=True)
class ReadReport:
    """What became of every row: `rows_read` = rows handed on + the sum of `dropped`."""

    files: list[str] = field(default_factory=list)
    rows_read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    set_aside: Counter[str] = field(default_factory=Counter)
    remarks: list[Remark] = field(default_factory=list)
    absent_columns: dict[str, list[str]] = field(default_factory=dict)

    @property
    def rows_used(self) -> int:
        """Rows that survived."""
        return self.rows_read - sum(self.dropped.values())

    def drop(self, reason: str, file: str, line: int, detail: str = "") -> None:
        """Count one row as dropped; with a detail, list it as well."""
        self.dropped[reason] += 1
        if detail:
            self.remarks.append(Remark(file, line, f"{detail}; row dropped"))

    def ignore_cell(self, reason: str, file: str, line: int, detail: str) -> None:
        """Count and list one cell as not used, its row staying."""
        self.set_aside[reason] += 1
        self.remarks.append(Remark(file, line, f"{detail}; cell not used"))


def read_book_summaries(paths: Sequence[Path]) -> tuple[list[ChainRow], ReadReport]:
    """Read CSV files (plain or gzip) and return the readable rows with the report on all of them.

    InputError for a file that is missing, not UTF-8, damaged, empty, or lacks a required column. Unreadable
    rows and cells are not errors; they are in the report.
    """
    if not paths:
        raise InputError("no chain file was given; name at least one .csv or .csv.gz file")
    report = ReadReport()
    rows = [row for path in paths for row in _read_file(Path(path), report)]
    return rows, report


def _read_file(path: Path, report: ReadReport) -> Iterator[ChainRow]:
    report.files.append(path.name)
    with csv_reader(path) as reader:
        header = header_names(reader)
        columns = column_positions(header, path, REQUIRED_COLUMNS, OPTIONAL_COLUMNS)
        report.absent_columns[path.name] = [name for name in OPTIONAL_COLUMNS if name not in header]
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            report.rows_read += 1
            row = _row(cells, columns, path.name, reader.line_num, report)
            if row is not None:
                yield row


def _row(
    cells: list[str], columns: dict[str, int], file: str, line: int, report: ReadReport
) -> ChainRow | None:
    if len(cells) <= max(columns.values()):
        report.drop(
            "too few cells", file, line, f"{len(cells)} cells, at least {max(columns.values()) + 1} expected"
        )
        return None
    text = {name: cells[position].strip() for name, position in columns.items()}
    try:
        underlying = _symbol(text["underlying"])
        expiry = _time("expiry_utc", text["expiry_utc"])
        snapshot = _time("snapshot_ts", text["snapshot_ts"])
        strike = decimal_number("strike", text["strike"])
        if not MIN_STRIKE <= strike * _E8 <= MAX_STRIKE or strike * _E8 % 1:
            raise ValueError(
                f"strike {show(text['strike'])} out of range; allowed: 0.0001 to 100000000, at most 8 "
                f"decimals"
            )
        option_type = _OPTION_TYPES.get(text["option_type"].upper())
        if option_type is None:
            raise ValueError(f"option_type {show(text['option_type'])}; allowed: C or P")
    except ValueError as problem:
        report.drop("unreadable", file, line, str(problem))
        return None
    contradiction = name_contradiction(
        text.get("instrument_name", ""), underlying, expiry, strike, option_type
    )
    if contradiction:
        report.drop(
            "instrument_name contradicts",
            file,
            line,
            f"instrument_name {show(text['instrument_name'])}: {contradiction}",
        )
        return None
    cell = _Cells(text, file, line, report)
    for name in ("mark_price", "ask"):
        cell.amount(name)
    open_interest = cell.amount("open_interest")
    bid = cell.amount("bid")
    return ChainRow(
        file=file,
        line=line,
        underlying=underlying,
        expiry=expiry,
        strike=strike,
        option_type=option_type,
        snapshot=snapshot,
        mark_iv=cell.mark_iv(),
        forward=cell.price("underlying_price"),
        index=cell.price("index_price"),
        has_bid=bid is not None and bid > 0,
        open_interest=open_interest,
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one row that may be unusable without losing the row."""

    text: dict[str, str]
    file: str
    line: int
    report: ReadReport

    def amount(self, name: str) -> Decimal | None:
        """An optional non-negative figure; blank means none."""
        if not self.text.get(name):
            return None
        try:
            value = decimal_number(name, self.text[name])
            if value < 0:
                raise ValueError(f"{name} {show(self.text[name])} is negative; allowed: 0 or more")
        except ValueError as problem:
            self._ignore(f"{name} unusable", str(problem))
            return None
        return value

    def mark_iv(self) -> Decimal | None:
        """The mark volatility in percent; blank and zero mean that the source has none."""
        value = self.amount("mark_iv")
        if not self.text["mark_iv"] or value == 0:
            self._ignore("mark_iv absent", f"mark_iv {show(self.text['mark_iv'])} means no volatility")
            return None
        if value is not None and value > MAX_MARK_IV:
            self._ignore(
                "mark_iv unusable",
                f"mark_iv {show(self.text['mark_iv'])} out of range; allowed: above 0 to {MAX_MARK_IV}",
            )
            return None
        return value

    def price(self, name: str) -> Decimal | None:
        """A forward or spot price inside the range that a snapshot may hold."""
        if not self.text[name]:
            self._ignore(f"{name} absent", f"{name} is blank")
            return None
        try:
            value = decimal_number(name, self.text[name])
            if not MIN_SPOT <= value * _E8 <= MAX_SPOT:
                raise ValueError(f"{name} {show(self.text[name])} out of range; allowed: 0.01 to 1000000")
        except ValueError as problem:
            self._ignore(f"{name} unusable", str(problem))
            return None
        return value

    def _ignore(self, reason: str, detail: str) -> None:
        self.report.ignore_cell(reason, self.file, self.line, detail)


def _time(name: str, text: str) -> int:
    value = decimal_number(name, text)
    if value % 1 or not 1 <= value <= MAX_TIME:
        hint = " (milliseconds? divide by 1000)" if 10**11 < value < 10**14 else ""
        raise ValueError(
            f"{name} {show(text)} is not a time; allowed: whole unix seconds, 1 to {MAX_TIME}{hint}"
        )
    return int(value)


def _symbol(text: str) -> str:
    if not SYMBOL_REGEX.fullmatch(text):
        raise ValueError(f"underlying {show(text)}; allowed: 1 to 10 capital letters or digits")
    return text
