"""`marginproof model diff`: two models compared in words, and by what they require of a book."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from marginproof.cli.console import table
from marginproof.cli.figures import MarginReport, account_json
from marginproof.cli.file_account import FileAccount
from marginproof.cli.numbers import E34_DIGITS, cents, e8, exact, moment, plural
from marginproof.documents import ModelDocument, Rounding, index_words
from marginproof.engine.explain import Explanation
from marginproof.errors import InputError
from marginproof.models import load_model
from marginproof.models.diff import ModelChange
from marginproof.models.diff import diff as differences


@dataclass(frozen=True, slots=True)
class BookMargins:
    """One book under both models."""

    first: MarginReport
    second: MarginReport

    @property
    def accounts(self) -> tuple[Explanation, Explanation]:
        """The account under either model."""
        return self.first.explanation, self.second.explanation


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Two models, their differences, and a book's margins under both if one was given."""

    first: ModelDocument
    second: ModelDocument
    changes: list[ModelChange]
    book: BookMargins | None

    @classmethod
    def of(
        cls, first: str, second: str, book: Path | None, market: str | None, *, round_figures: bool = False
    ) -> ModelComparison:
        """Load, compare, and margin the book. Errors: InputError, also for a book without a market or the reverse."""
        if (book is None) != (market is None):
            given, missing = ("--book", "--market") if market is None else ("--market", "--book")
            raise InputError(f"{given} is given without {missing}; allowed: both or neither")
        rounding = Rounding() if round_figures else None
        models = load_model(first, rounding), load_model(second, rounding)
        margins = None
        if book is not None and market is not None:
            accounts = [
                FileAccount.load(model, market, book, round_figures=round_figures)
                for model in (first, second)
            ]
            margins = BookMargins(*(account.report() for account in accounts))
        return cls(*models, differences(*models), margins)

    def json(self) -> dict[str, Any]:
        """For programs."""
        found: dict[str, Any] = {
            "format": "marginproof/model-diff@1",
            "from": self.first.name,
            "to": self.second.name,
            "changes": [{"symbol": c.symbol, "path": c.path, "text": c.text} for c in self.changes],
        }
        if self.book is not None:
            before, after = self.book.accounts
            found["book"] = {
                "from": account_json(before),
                "to": account_json(after),
                "initialMarginChange": e8(after.margin.initial - before.margin.initial),
                "maintenanceMarginChange": e8(after.margin.maintenance - before.margin.maintenance),
                "underlyings": [
                    {"symbol": symbol, "worstFrom": old[1], "worstTo": new[1]}
                    for symbol, old, new in self._worst(self.book)
                ],
            }
        return found

    def _worst(self, book: BookMargins) -> list[tuple[str, tuple[int, str], tuple[int, str]]]:
        """Per underlying: symbol, then scan (E34) and what decides, under either model."""
        rows = []
        for old, new in zip(*(account.underlyings for account in book.accounts), strict=True):
            sides = [(lines.scan_e34, index_words(lines.section, lines.worst)) for lines in (old, new)]
            rows.append((book.first.symbol(old.underlying), sides[0], sides[1]))
        return rows

    def show(self, console: Console) -> None:
        """For people."""
        if not self.changes:
            console.print(f"{self.first.name} and {self.second.name} compute the same.")
        else:
            count = plural(len(self.changes), "difference")
            console.print(f"From {self.first.name} to {self.second.name}, {count}:")
        for change in self.changes:
            place = ".".join(part for part in (change.symbol, change.path) if part)
            console.print(f"  {place}: {change.text}", soft_wrap=True)
        if self.book is not None:
            self._show_book(console, self.book)

    def _show_book(self, console: Console, book: BookMargins) -> None:
        before, after = book.accounts
        console.print(f"\nThe book, on the market of {moment(book.first.market.time)}:\n")
        numbers = (self.first.name, self.second.name, "change")
        rows = table("Account (USD)", "", *numbers, numbers=numbers)
        for name, old, new in (
            ("initial margin", before.margin.initial, after.margin.initial),
            ("maintenance margin", before.margin.maintenance, after.margin.maintenance),
            ("equity - initial margin", before.initial_excess_e8, after.initial_excess_e8),
            ("equity - maintenance margin", before.maintenance_excess_e8, after.maintenance_excess_e8),
        ):
            rows.add_row(name, exact(old), exact(new), exact(new - old))
        console.print(rows)
        for symbol, (old_scan, old_words), (new_scan, new_words) in self._worst(book):
            decides = f"by {old_words}" if old_words == new_words else f"by {old_words}; then by {new_words}"
            console.print(
                f"{symbol} scan: {cents(old_scan, E34_DIGITS)}, then {cents(new_scan, E34_DIGITS)}; decided {decides}.",
                soft_wrap=True,
            )
