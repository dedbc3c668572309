"""From option chains to a market document: choose rows, take medians, fit a smile per expiry, report on
everything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    MarketDocument,
    SettlementEntry,
    UnderlyingEntry,
)
from ..errors import InputError
from ..spec.limits import MAX_EXPIRIES, MAX_UNDERLYINGS
from .arbitrage import Range, underlying_findings
from .book_summary import ChainRow, ReadReport, Remark, read_book_summaries
from .fit import MIN_STRIKES, SmileFit, SmileQuote, fit_smile
from .import_report import ExpiryReport, ImportReport
from .plausible import require_percent, require_spot_near_forward, usable_forwards, usable_indices

MAX_AGE_SECONDS: Final = 300
"""Rows read up to this long before the snapshot's time still belong to it."""

_ONE_E8: Final = 10**8
_ONE_WAD: Final = 10**18
_FILES_NAMED: Final = 8


@dataclass(frozen=True, slots=True)
class Chain:
    """The live options of one moment: one row per option, and what became of the rows of the files."""

    time: int
    rows: tuple[ChainRow, ...]
    read: ReadReport


def load_chain(paths: Sequence[Path], time: int | None = None) -> Chain:
    """Read the chain files of one moment and keep the latest row of every live option.

    The snapshot's time is `time`, or the latest `snapshot_ts`; rows up to MAX_AGE_SECONDS older belong to it.
    InputError when the files are unusable or hold no live option at that time.
    """
    rows, read = read_book_summaries(paths)
    if not rows:
        raise InputError(
            f"{', '.join(read.files)}: no usable row" + "".join(f"\n  {item}" for item in read.remarks[:5])
        )
    at = max(row.snapshot for row in rows) if time is None else time
    rows = _live_rows(_of_time(rows, at, read), at, read)
    if not rows:
        raise InputError(
            f"no live option at time {at}; "
            + "; ".join(f"{count} rows {why}" for why, count in read.dropped.items())
        )
    return Chain(at, tuple(rows), read)


def fit_chain(
    chain: Chain,
    *,
    source: str | None = None,
    funding_e8: Mapping[str, int] | None = None,
    perpetual_e8: Mapping[str, int] | None = None,
    settlements: Mapping[str, Sequence[SettlementEntry]] | None = None,
    remove_butterflies: bool = True,
) -> tuple[MarketDocument, ImportReport]:
    """One market document from a chain, and the report on how it came about.

    Spot is the median index price of an underlying, forward the median underlying price of an expiry, both
    without values more than 20 % off (`marginproof.market.plausible`); the smile is fitted to the mark
    volatilities (one per strike, the median of call and put), free of butterfly arbitrage where the quotes allow
    it unless `remove_butterflies` is False. `funding_e8` (USD per unit, E8), `perpetual_e8` (USD, E8) and `settlements` are by symbol
    and default to 0, the spot price and none; confidence and the settlement token are 1, rates 0.
    InputError when the figures cannot belong together, or nothing can be fitted.
    """
    report = ImportReport(chain.time, chain.read, without_bid=sum(not row.has_bid for row in chain.rows))
    by_underlying: dict[str, list[ChainRow]] = defaultdict(list)
    for row in chain.rows:
        by_underlying[row.underlying].append(row)
    if len(by_underlying) > MAX_UNDERLYINGS:
        raise InputError(f"{len(by_underlying)} underlyings in the files; allowed: at most {MAX_UNDERLYINGS}")
    entries = [
        _underlying(
            _Underlying(
                symbol,
                by_underlying[symbol],
                chain.time,
                (funding_e8 or {}).get(symbol, 0),
                (perpetual_e8 or {}).get(symbol),
                (settlements or {}).get(symbol, ()),
                remove_butterflies,
            ),
            report,
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
        time=chain.time,
        settlement_token_e8=_ONE_E8,
        source=source
        or f"book summaries {_listed(chain.read.files)}; index median, forward median, SVI fitted",
        underlyings=tuple(entries),
    )
    return document, report


def import_and_fit(
    paths: Sequence[Path],
    *,
    source: str | None = None,
    time: int | None = None,
    funding_e8: Mapping[str, int] | None = None,
    perpetual_e8: Mapping[str, int] | None = None,
    settlements: Mapping[str, Sequence[SettlementEntry]] | None = None,
    remove_butterflies: bool = True,
) -> tuple[MarketDocument, ImportReport]:
    """`load_chain` and `fit_chain` in one step: a market document from chain files, and the report on it.

    Errors: InputError when the files are unusable, hold figures that cannot belong together, or nothing can be fitted.
    """
    return fit_chain(
        load_chain(paths, time),
        source=source,
        funding_e8=funding_e8,
        perpetual_e8=perpetual_e8,
        settlements=settlements,
        remove_butterflies=remove_butterflies,
    )


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


@dataclass(frozen=True, slots=True)
class _Underlying:
    """What one underlying's section is made from."""

    symbol: str
    rows: list[ChainRow]
    time: int
    funding_e8: int
    perpetual_e8: int | None
    settlements: Sequence[SettlementEntry]
    remove_butterflies: bool


def _underlying(given: _Underlying, report: ImportReport) -> UnderlyingEntry:
    symbol, rows = given.symbol, given.rows
    for settlement in given.settlements:
        if settlement.expiry > given.time:
            raise InputError(
                f"settlement of {symbol}-{format_expiry(settlement.expiry)}: not expired yet, expiry "
                f"{settlement.expiry} is after time {given.time}; allowed: an expiry not after the snapshot's time"
            )
    spot_e8 = _e8(median(usable_indices(symbol, rows, report.rows)))
    require_percent(symbol, rows)
    by_expiry: dict[int, list[ChainRow]] = defaultdict(list)
    for row in rows:
        by_expiry[row.expiry].append(row)
    entries: list[ExpiryEntry] = []
    quoted: dict[int, Range] = {}
    for expiry, chain in sorted(by_expiry.items()):
        try:
            if len(entries) == MAX_EXPIRIES:
                raise ValueError(f"only the first {MAX_EXPIRIES} expiries fit a snapshot")
            entry, fit = _expiry(expiry, chain, given, report.rows)
        except ValueError as problem:
            report.expiries.append(ExpiryReport(symbol, expiry, len(chain), None, str(problem)))
        else:
            entries.append(entry)
            quoted[expiry] = fit.quoted
            report.expiries.append(ExpiryReport(symbol, expiry, len(chain), fit))
    if entries:
        require_spot_near_forward(symbol, spot_e8, entries[0].forward_e8)
    made = _checked(
        UnderlyingEntry,
        symbol=symbol,
        spot_e8=spot_e8,
        perpetual_e8=given.perpetual_e8,
        confidence_wad=_ONE_WAD,
        funding_e8=given.funding_e8,
        settlements=tuple(given.settlements),
        expiries=tuple(entries),
    )
    report.findings += underlying_findings(made, quoted)
    return made


def _expiry(
    expiry: int, chain: list[ChainRow], given: _Underlying, read: ReadReport
) -> tuple[ExpiryEntry, SmileFit]:
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
    fit = fit_smile(
        quotes,
        forward_e8 / _ONE_E8,
        expiry - given.time,
        len(chain),
        remove_butterflies=given.remove_butterflies,
    )
    entry = ExpiryEntry(expiry=expiry, forward_e8=forward_e8, rate_wad=0, svi=fit.svi, fit=fit.statistics)
    return entry, fit


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


__all__ = [
    "MAX_AGE_SECONDS",
    "Chain",
    "ExpiryReport",
    "ImportReport",
    "Remark",
    "fit_chain",
    "import_and_fit",
    "load_chain",
]
