"""What `marginproof market import`, `fit` and `check` tell, as JSON and as lines."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from marginproof.cli.numbers import e8
from marginproof.cli.snapshots import fit_json, show_market
from marginproof.documents import MarketDocument
from marginproof.market.arbitrage import Finding
from marginproof.market.fit import Butterflies
from marginproof.market.import_report import ExpiryReport, ImportReport
from marginproof.market.plausible import FarPrice


def report_json(document: MarketDocument, report: ImportReport) -> dict[str, Any]:
    """The report of an import for a program: rows counted, expiries fitted and left out, arbitrage found."""
    rows = report.rows
    return {
        "time": document.time,
        "files": rows.files,
        "rowsRead": rows.rows_read,
        "rowsUsed": rows.rows_used,
        "rowsWithoutBid": report.without_bid,
        "rowsDropped": dict(sorted(rows.dropped.items())),
        "cellsNotUsed": dict(sorted(rows.set_aside.items())),
        "remarks": [{"file": item.file, "line": item.line, "text": item.text} for item in rows.remarks],
        "fitted": [_fitted_json(item) for item in report.fitted],
        "leftOut": [
            {"underlying": item.underlying, "expiry": item.expiry, "rows": item.rows, "reason": item.reason}
            for item in report.left_out
        ],
        "arbitrage": [finding_json(item) for item in report.findings],
    }


def _fitted_json(item: ExpiryReport) -> dict[str, Any]:
    return {
        "underlying": item.underlying,
        "expiry": item.expiry,
        **fit_json(item.statistics),
        "coarse": item.coarse,
        "refitted": item.fit is not None and item.fit.butterflies == Butterflies.REMOVED,
        "notMet": [
            {
                "strike": f"{missed.strike:.8g}",
                "quotedVol": f"{missed.quoted_vol:.6f}",
                "fittedVol": f"{missed.fitted_vol:.6f}",
            }
            for missed in (item.fit.misfits if item.fit else ())
        ],
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding for a program; six significant digits. What the figures mean depends on the violation."""
    return {
        "violation": finding.violation.value,
        "underlying": finding.underlying,
        "expiry": finding.expiry,
        "laterExpiry": finding.later_expiry,
        "amount": f"{finding.amount:.6g}",
        "excess": f"{finding.excess:.6g}",
        "strike": f"{finding.strike:.6g}",
        "deviations": f"{finding.deviations:.6g}",
        "words": finding.words,
    }


def far_price_json(found: FarPrice) -> dict[str, Any]:
    """A price far from the one beside it, for a program; `besideExpiry` is null where that is the spot price."""
    return {
        "underlying": found.underlying,
        "expiry": found.expiry,
        "price": e8(found.price_e8),
        "besideExpiry": found.beside_expiry,
        "beside": e8(found.beside_e8),
        "words": found.words,
    }


def show_report(console: Console, document: MarketDocument, report: ImportReport) -> None:
    """Print the fitted market and the report for a person."""
    show_market(console, document)
    for line in report.lines():
        console.print(line, soft_wrap=True)
