"""An account from three files: model, market, portfolio, ready to be margined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from marginproof.cli.figures import MarginReport
from marginproof.cli.inputs import what_if_market_argument
from marginproof.documents import (
    ModelDocument,
    Rounding,
    WhatIfMarketDocument,
    load_portfolio,
    market_symbols,
    model_to_spec,
    portfolio_to_spec,
    what_if_market_to_spec,
)
from marginproof.engine.explain import Explanation, explain
from marginproof.errors import InputError
from marginproof.models import model_text
from marginproof.models.changes import changed_model, require_changed_symbols
from marginproof.spec.instruments import Instrument
from marginproof.spec.margin import ValueTable, value_table

_ROUNDABLE: Final = ("is a JSON number", "decimals, at most")
Positions = list[tuple[Instrument, int]]


@dataclass(frozen=True, slots=True)
class FileAccount:
    """What was read, and the values of everything under it. `roundings` is None unless figures may be rounded."""

    model: ModelDocument
    market: WhatIfMarketDocument
    symbols: Mapping[str, int]
    cash_e8: int
    positions: Positions
    values: ValueTable
    changes: list[str]
    roundings: dict[str, Rounding] | None

    @classmethod
    def load(
        cls,
        model: str,
        market: str,
        portfolio: Path,
        changes: Sequence[str] = (),
        *,
        round_figures: bool = False,
    ) -> FileAccount:
        """Read and check the files; `changes` to the model as `--set`. Errors: InputError."""
        try:
            return cls._read(model, market, portfolio, changes, round_figures=round_figures)
        except InputError as error:
            if round_figures or not any(words in error.message for words in _ROUNDABLE):
                raise
            raise InputError(
                error.message, "With --round such figures are read and rounded to the scale instead."
            ) from None

    @classmethod
    def _read(
        cls, model: str, market: str, portfolio: Path, changes: Sequence[str], *, round_figures: bool
    ) -> FileAccount:
        roundings = {name: Rounding() for name in ("model", "market", "portfolio", "trades")}
        given = roundings if round_figures else dict.fromkeys(roundings)
        text, origin = model_text(model)
        parameters = changed_model(text, origin, changes, given["model"])
        quotes = what_if_market_argument(market, given["market"])
        symbols = market_symbols(quotes)
        require_changed_symbols(changes, symbols)
        cash, positions = portfolio_to_spec(
            load_portfolio(portfolio, given["portfolio"]), symbols, quotes, origin=str(portfolio)
        )
        snapshot, vols = what_if_market_to_spec(quotes, symbols)
        values = value_table(snapshot, model_to_spec(parameters, symbols, what_if=True), vols)
        return cls(
            parameters,
            quotes,
            symbols,
            cash,
            positions,
            values,
            list(changes),
            roundings if round_figures else None,
        )

    def rounding(self, name: str) -> Rounding | None:
        """What rounds the figures of one of the files, if they may be rounded."""
        return None if self.roundings is None else self.roundings[name]

    def rounded(self) -> dict[str, int]:
        """How many figures were rounded, by file."""
        return {name: item.count for name, item in (self.roundings or {}).items() if item.count}

    def remarks(self) -> list[str]:
        """What the person should know about the figures that were read."""
        sentences = [item.sentence(name) for name, item in (self.roundings or {}).items()]
        return [sentence for sentence in sentences if sentence is not None]

    def explanation(self) -> Explanation:
        """The account's margin."""
        return explain(self.cash_e8, self.positions, self.values)

    def report(self) -> MarginReport:
        """The same, ready to be shown."""
        return MarginReport(self.explanation(), self.values, self.symbols)
