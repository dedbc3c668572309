"""From option chains to a market document: choose rows, take medians, fit a smile per expiry, report on
everything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final

from pydantic import ValidationError

from ..documents.base import DocumentType, problem_text
from ..documents.instrument_names import format_expiry
from ..documents.market_document import (
    MARKET_FORMAT,
    ExpiryEntry,
    FitStatistics,
    MarketDocument,
    SettlementEntry,
    UnderlyingEntry,
)
from ..errors import InputError
from ..spec.limits import MAX_EXPIRIES, MAX_UNDERLYINGS
from .book_summary import ChainRow, ReadReport, Remark, read_book_summaries
from .fit import MIN_STRIKES, SmileQuote, fit_smile
from .plausible import require_percent, require_spot_near_forward, usable_forwards, usable_indices

MAX_AGE_SECONDS: Final = 300
"""Rows read up to this long before the snapshot's time still belong to it."""

_ONE_E8: Final = 10**8
_ONE_WAD: Final = 10**18
_REMARKS_SHOWN: Final = 20
_FILES_NAMED: Final = 8


@dataclass(frozen=True, slots=True)
class ExpiryReport:
    """One expiry of one underlying: fitted (`statistics` given) or left out (`reason` given)."""

    underlying: str
    expiry: int
    rows: int
    statistics: FitStatistics | None
    reason: str = ""


@dataclass(slots=True)
class ImportReport:
    """What was read, dropped, set aside and fitted. `rows.rows_read` = `rows.rows_used` + the sum of
    `rows.dropped`.
    """

    time: int
    rows: ReadReport
    without_bid: int = 0
    expiries: list[ExpiryReport] = field(default_factory=list)

    @property
    def fitted(self) -> list[ExpiryReport]:
        """The expiries in the document."""
        return [item for item in self.expiries if item.statistics is not None]

    @property
    def left_out(self) -> list[ExpiryReport]:
        """The expiries that could not be fitted, each with its reason."""
        return [item for item in self.expiries if item.statistics is None]

    def lines(self) -> list[str]:
        """The report as plain text: counts, then expiries left out, then the first remarks by line."""
        rows = self.rows
        files = ", ".join(rows.files)
        text = [
            f"{files}: {rows.rows_read} rows read, {rows.rows_used} used, {self.without_bid} without a bid"
        ]
        text += [f"dropped: {count} rows, {reason}" for reason, count in sorted(rows.dropped.items())]
        text += [f"not used: {count} cells, {reason}" for reason, count in sorted(rows.set_aside.items())]
        text += [
            f"{file}: optional columns absent: {', '.join(names)}"
            for file, names in rows.absent_columns.items()
            if names
        ]
        text += [f"left out: {item.underlying} expiry {item.expiry}, {item.reason}" for item in self.left_out]
        text += [str(remark) for remark in rows.remarks[:_REMARKS_SHOWN]]
        if len(rows.remarks) > _REMARKS_SHOWN:
            text.append(f"and {len(rows.remarks) - _REMARKS_SHOWN} more remarks")
        return text


def import_and_fit(
    paths: Sequence[Path],
    *,
    source: str | None = None,
    time: int | None = None,
    funding_e8: Mapping[str, int] | None = None,
    settlements: Mapping[str, Sequence[SettlementEntry]] | None = None,
) -> tuple[MarketDocument, ImportReport]:
    """One market document from the chain files of one moment, and the report on how it came about.

    The snapshot's time is `time`, or the latest `snapshot_ts`; rows up to MAX_AGE_SECONDS older belong to it.
    Spot is the median index price of an underlying, forward the median underlying price of an expiry, both
    without values more than 20 % off (`marginproof.market.plausible`); the smile is fitted to the mark
    volatilities (one per strike, the median of call and put). `funding_e8` (USD per unit, E8) and
    `settlements` are by symbol and default to 0 and none; confidence and the settlement token are 1, rates 0.
    InputError when the files are unusable, hold figures that cannot belong together, or nothing can be fitted.
    """
    rows, read = read_book_summaries(paths)
    if not rows:
        raise InputError(
            f"{', '.join(read.files)}: no usable row" + "".join(f"\n  {item}" for item in read.remarks[:5])
        )
    at = max(row.snapshot for row in rows) if time is None else time
    rows = _live_rows(_of_time(rows, at, read), at, read)
    report = ImportReport(at, read, without_bid=sum(not row.has_bid for row in rows))
    by_underlying: dict[str, list[ChainRow]] = defaultdict(list)
    for row in rows:
        by_underlying[row.underlying].append(row)
    if not by_underlying:
        raise InputError(
            f"no live option at time {at}; "
            + "; ".join(f"{count} rows {why}" for why, count in read.dropped.items())
        )
    if len(by_underlying) > MAX_UNDERLYINGS:
        raise InputError(f"{len(by_underlying)} underlyings in the files; allowed: at most {MAX_UNDERLYINGS}")
    entries = [
        _underlying(
            symbol,
            by_underlying[symbol],
            at,
            report,
            (funding_e8 or {}).get(symbol, 0),
            (settlements or {}).get(symbol, ()),
        )
        for symbol in sorted(by_underlying)
    ]
    if not report.fitted:
        reasons = "".join(
            f"\n  {item.underlying} expiry {item.expiry}: {item.reason}" for item in report.left_out
        )
        raise InputError(f"no expiry could be fitted{reasons}")
    document = _checked(
        MarketDocument,
        format=MARKET_FORMAT,
        time=at,
        settlement_token_e8=_ONE_E8,
        source=source or f"book summaries {_listed(read.files)}; index median, forward median, SVI fitted",
        underlyings=tuple(entries),
    )
    return document, report


def _of_time(rows: list[ChainRow], at: int, read: ReadReport) -> list[ChainRow]:
    kept = []
    times = Counter(row.snapshot for row in rows)
    for row in rows:
        if at - MAX_AGE_SECONDS <= row.snapshot <= at:
            kept.append(row)
        else:
            read.dropped[f"of another time (snapshot_ts {row.snapshot}, the snapshot's is {at})"] += 1
    if not kept:
        seen = ", ".join(str(moment) for moment in sorted(times)[:10])
        raise InputError(
            f"no row within {MAX_AGE_SECONDS} s before time {at}; snapshot_ts in the files: {seen}"
        )
    return kept


def _live_rows(rows: list[ChainRow], at: int, read: ReadReport) -> list[ChainRow]:
    """Without expired options and with one row per option: the latest, and among equals the first."""
    newest: dict[tuple[str, int, Decimal, str], ChainRow] = {}
    for row in sorted(rows, key=lambda row: -row.snapshot):
        key = (row.underlying, row.expiry, row.strike, row.option_type)
        if row.expiry <= at:
            read.dropped["expired"] += 1
        elif key in newest:
            kept = newest[key]
            read.drop("duplicate", row.file, row.line, f"the option of {kept.file} line {kept.line} again")
        else:
            newest[key] = row
    return list(newest.values())


def _underlying(
    symbol: str,
    rows: list[ChainRow],
    at: int,
    report: ImportReport,
    funding_e8: int,
    settlements: Sequence[SettlementEntry],
) -> UnderlyingEntry:
    for settlement in settlements:
        if settlement.expiry > at:
            raise InputError(
                f"settlement of {symbol}-{format_expiry(settlement.expiry)}: not expired yet, expiry "
                f"{settlement.expiry} is after time {at}; allowed: an expiry not after the snapshot's time"
            )
    spot_e8 = _e8(median(usable_indices(symbol, rows, report.rows)))
    require_percent(symbol, rows)
    by_expiry: dict[int, list[ChainRow]] = defaultdict(list)
    for row in rows:
        by_expiry[row.expiry].append(row)
    entries: list[ExpiryEntry] = []
    for expiry, chain in sorted(by_expiry.items()):
        try:
            if len(entries) == MAX_EXPIRIES:
                raise ValueError(f"only the first {MAX_EXPIRIES} expiries fit a snapshot")
            entry = _expiry(expiry, chain, at, report.rows)
        except ValueError as problem:
            report.expiries.append(ExpiryReport(symbol, expiry, len(chain), None, str(problem)))
        else:
            entries.append(entry)
            report.expiries.append(ExpiryReport(symbol, expiry, len(chain), entry.fit))
    if entries:
        require_spot_near_forward(symbol, spot_e8, entries[0].forward_e8)
    return _checked(
        UnderlyingEntry,
        symbol=symbol,
        spot_e8=spot_e8,
        confidence_wad=_ONE_WAD,
        funding_e8=funding_e8,
        settlements=tuple(settlements),
        expiries=tuple(entries),
    )


def _expiry(expiry: int, chain: list[ChainRow], at: int, read: ReadReport) -> ExpiryEntry:
    """Forward and fitted smile of one expiry. ValueError says why it cannot be had."""
    forwards = usable_forwards(chain, read)
    vols: dict[Decimal, list[Decimal]] = defaultdict(list)
    for row in chain:
        if row.mark_iv is not None:
            vols[row.strike].append(row.mark_iv)
    if len(vols) < MIN_STRIKES:
        raise ValueError(f"{len(vols)} strikes with a usable mark_iv; at least {MIN_STRIKES} are needed")
    forward_e8 = _e8(median(forwards))
    quotes = [SmileQuote(float(strike), float(median(marks)) / 100) for strike, marks in sorted(vols.items())]
    fit = fit_smile(quotes, forward_e8 / _ONE_E8, expiry - at, len(chain))
    return ExpiryEntry(expiry=expiry, forward_e8=forward_e8, rate_wad=0, svi=fit.svi, fit=fit.statistics)


def _checked(kind: type[DocumentType], **fields: object) -> DocumentType:
    """Build a part of the document; InputError for funding, settlements or a source that its format refuses."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise InputError(problem_text(error, "the market")) from None


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _FILES_NAMED} more" if len(names) > _FILES_NAMED else ""
    return ", ".join(names[:_FILES_NAMED]) + more


def _e8(value: Decimal) -> int:
    """The price in E8, rounded half to even."""
    return int((value * _ONE_E8).to_integral_value())


__all__ = ["MAX_AGE_SECONDS", "ExpiryReport", "ImportReport", "Remark", "import_and_fit"]
