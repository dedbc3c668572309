"""What an import tells: rows read and dropped, expiries fitted and left out, quotes not met, arbitrage found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ..documents.instrument_names import format_expiry
from ..documents.market_document import FitStatistics
from .arbitrage import REACH, Finding
from .book_summary import ReadReport
from .fit import COARSE_MEDIAN_WAD, Butterflies, SmileFit

_REMARKS_SHOWN: Final = 20
_MISFITS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class ExpiryReport:
    """One expiry of one underlying: fitted (`fit` given) or left out (`reason` given)."""

    underlying: str
    expiry: int
    rows: int
    fit: SmileFit | None
    reason: str = ""

    @property
    def statistics(self) -> FitStatistics | None:
        """The errors of the fit; None when left out."""
        return self.fit.statistics if self.fit else None

    @property
    def name(self) -> str:
        """Underlying and date, such as BTC-27MAR26."""
        return f"{self.underlying}-{format_expiry(self.expiry)}"

    @property
    def coarse(self) -> bool:
        """Whether the median error near the money is above one vol point."""
        return self.fit is not None and self.fit.statistics.median_near_money_vol_wad > COARSE_MEDIAN_WAD

    def lines(self) -> list[str]:
        """What a person should know about this expiry; empty when the fit met its quotes and needed nothing."""
        if self.fit is None:
            return [f"left out: {self.name}, {self.rows} rows, {self.reason}"]
        text = []
        median = _vol_points(self.fit.statistics.median_near_money_vol_wad)
        other = self.fit.other_median_vol_wad
        if self.fit.butterflies == Butterflies.REMOVED and other is not None:
            text.append(
                f"refitted: {self.name}, the best fit admits butterfly arbitrage; without it the median error near the money is "
                f"{median} vol points instead of {_vol_points(other)}"
            )
        if self.fit.butterflies == Butterflies.KEPT:
            why = (
                ""
                if other is None
                else f"; without it the median error would be {_vol_points(other)} vol points"
            )
            text.append(f"not refitted: {self.name}, butterfly arbitrage stays{why}")
        if self.coarse:
            text.append(f"coarse: {self.name}, median error near the money {median} vol points")
        text += [
            f"not met: {self.name}, strike {item.strike:g} is quoted at {item.quoted_vol:.1%}, the smile has {item.fitted_vol:.1%}"
            for item in self.fit.misfits[:_MISFITS_SHOWN]
        ]
        if len(self.fit.misfits) > _MISFITS_SHOWN:
            text.append(f"not met: {self.name}, {len(self.fit.misfits) - _MISFITS_SHOWN} more strikes")
        return text


@dataclass(slots=True)
class ImportReport:
    """What was read, dropped, set aside, fitted and found. `rows.rows_read` = `rows.rows_used` + the sum of
    `rows.dropped`. `findings` is the static arbitrage of the fitted smiles.
    """

    time: int
    rows: ReadReport
    without_bid: int = 0
    expiries: list[ExpiryReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def fitted(self) -> list[ExpiryReport]:
        """The expiries in the document."""
        return [item for item in self.expiries if item.fit is not None]

    @property
    def left_out(self) -> list[ExpiryReport]:
        """The expiries that could not be fitted, each with its reason."""
        return [item for item in self.expiries if item.fit is None]

    def keep(self, symbols: list[str]) -> None:
        """Forget the expiries and findings of other underlyings."""
        self.expiries = [item for item in self.expiries if item.underlying in symbols]
        self.findings = [item for item in self.findings if item.underlying in symbols]

    def lines(self) -> list[str]:
        """The report as plain text: counts, what was left out or fitted with reserve, arbitrage, then the first remarks by line."""
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
        text += [line for item in self.expiries for line in item.lines()]
        text += arbitrage_lines(self.findings)
        text += [str(remark) for remark in rows.remarks[:_REMARKS_SHOWN]]
        if len(rows.remarks) > _REMARKS_SHOWN:
            text.append(f"and {len(rows.remarks) - _REMARKS_SHOWN} more remarks")
        return text


def arbitrage_lines(findings: list[Finding]) -> list[str]:
    """The findings as plain text, one a line; one line that says so when there are none."""
    if not findings:
        return [f"arbitrage: none found within {REACH:g} standard deviations of the forwards"]
    return [f"arbitrage: {finding.words}" for finding in findings]


def _vol_points(vol_wad: int) -> str:
    return f"{vol_wad / 10**16:.2f}"
