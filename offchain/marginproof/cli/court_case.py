"""One account at one epoch before the court: the contracts' answer and our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from marginproof.auditor.explain import AccountAtEpoch, explain_account
from marginproof.cli.chain import open_venue
from marginproof.cli.console import emit, out, table
from marginproof.cli.numbers import e8, exact, moment
from marginproof.documents import index_words
from marginproof.errors import InputError, VerificationError
from marginproof.protocol.venue import Venue
from marginproof.spec.model import Model
from marginproof.spec.portfolio import encode_portfolio

_FIGURES: Final = ("portfolioValue", "spotValue", "initialMargin", "maintenanceMargin")


@dataclass(frozen=True, slots=True)
class CourtCase:
    """What the court is asked about."""

    venue: Venue
    found: AccountAtEpoch

    @classmethod
    def of(cls, rpc: str, deployment: Path | None, account: int, round_number: int | None) -> CourtCase:
        """An account at a round, the newest by default. Errors: InputError, ChainError."""
        venue = open_venue(rpc, deployment).venue
        return cls(venue, explain_account(venue, account, round_number))

    def recompute(self, *, as_json: bool) -> None:
        """All scenarios. Errors: VerificationError when the contracts' figures are not ours."""
        answer = self._ask("recompute")
        margin = self.found.explanation.margin
        ours = (margin.value, margin.spot_value, margin.initial, margin.maintenance, self._worst())
        self._show("Recomputed over all scenarios and charges", answer, ours, as_json=as_json)
        if answer != ours:
            raise VerificationError("The contracts' figures are not ours: one of the two is wrong.")

    def reprice(self, choices: Sequence[str], *, as_json: bool) -> None:
        """One index for each underlying. Errors: InputError for a choice that names none, ChainError with the contract's reason."""
        packed = self._choices(choices) if choices else self._worst()
        answer = self._ask("repriceScenario", packed)
        self._show("Repriced under " + self._words(packed), answer, None, as_json=as_json)

    def _ask(self, function: str, *more: bytes) -> tuple[Any, ...]:
        found = self.found
        portfolio = encode_portfolio(found.state.accounts[found.account].positions)
        header = found.epoch.header
        answer = self.venue.call(
            "MarginCourt", function, header.model_hash, portfolio, found.epoch.market_bytes, *more
        )
        return tuple(bytes(part) if isinstance(part, bytes) else part for part in answer)

    def _worst(self) -> bytes:
        return b"".join(bytes((scan.underlying, scan.worst)) for scan in self.found.explanation.margin.scans)

    def _choices(self, texts: Sequence[str]) -> bytes:
        ids = self.found.state.ids_by_symbol()
        chosen = {}
        for text in texts:
            symbol, _, index = text.partition("=")
            if symbol not in ids or not (index.isascii() and index.isdecimal() and int(index) < 256):
                raise InputError(
                    f"--index: {text!r:.60} is not accepted; allowed: SYMBOL=INDEX with a symbol of {', '.join(sorted(ids))} "
                    "and an index 0 to 255."
                )
            chosen[ids[symbol]] = int(index)
        return b"".join(bytes(pair) for pair in sorted(chosen.items()))

    def _model(self) -> Model:
        return self.found.state.model(self.found.epoch.header.model_hash)

    def _words(self, packed: bytes) -> str:
        symbols, model = self.found.state.symbols, self._model()
        pairs = zip(packed[::2], packed[1::2], strict=True)
        named = [
            f"{symbols[underlying]} {index} ({index_words(model.section(underlying), index)})"
            for underlying, index in pairs
        ]
        return ", ".join(named) or "nothing: no underlying is held"

    def _show(
        self, title: str, answer: tuple[Any, ...], ours: tuple[Any, ...] | None, *, as_json: bool
    ) -> None:
        header = self.found.epoch.header
        if as_json:
            emit(
                {
                    "format": "marginproof/court@1",
                    "account": self.found.account,
                    "round": header.round,
                    "figures": {name: e8(value) for name, value in zip(_FIGURES, answer, strict=False)},
                    "indices": "0x" + answer[4].hex(),
                    "agrees": None if ours is None else answer == ours,
                }
            )
            return
        console = out()
        console.print(
            f"Account {self.found.account} in epoch {header.round}, market of {moment(header.time)}. {title}.\n",
            soft_wrap=True,
        )
        columns = {"contracts": answer} if ours is None else {"contracts": answer, "ours": ours}
        rows = table("USD", "", *columns, numbers=tuple(columns))
        for place, name in enumerate(
            ("portfolio value", "of it spot collateral", "initial margin", "maintenance margin")
        ):
            rows.add_row(name, *(exact(figures[place]) for figures in columns.values()))
        console.print(rows)
        console.print(f"Decided by {self._words(answer[4])}.", soft_wrap=True)
