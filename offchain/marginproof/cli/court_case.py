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
from marginproof.protocol.repricing import tight_repricing
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
        epoch = self.found.epoch
        portfolio = encode_portfolio(self.found.state.accounts[self.found.account].positions)
        answer = self._ask("recompute", epoch.header.model_hash, portfolio, epoch.market_bytes)
        margin = self.found.explanation.margin
        ours = (margin.value, margin.spot_value, margin.initial, margin.maintenance, self._worst())
        self._show("Recomputed over all scenarios and charges", answer, ours, None, as_json=as_json)
        if answer != ours:
            raise VerificationError("The contracts' figures are not ours: one of the two is wrong.")

    def reprice(self, choices: Sequence[str], *, as_json: bool) -> None:
        """One index for each underlying. Errors: InputError for a choice that names none, ChainError with the contract's reason."""
        chosen = self._choices(choices) if choices else self._worst()
        found = self.found
        positions = found.state.accounts[found.account].positions
        packed = tight_repricing(self.venue, found.epoch, positions, found.state.table(), chosen)
        answer = self._ask("repriceCompact", packed)
        title = "Repriced under " + self._words(chosen)
        self._show(title, answer, None, packed, as_json=as_json)

    def _ask(self, function: str, *arguments: bytes) -> tuple[Any, ...]:
        answer = self.venue.call("MarginCourt", function, *arguments)
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
        self,
        title: str,
        answer: tuple[Any, ...],
        ours: tuple[Any, ...] | None,
        packed: bytes | None,
        *,
        as_json: bool,
    ) -> None:
        header = self.found.epoch.header
        gas = None if packed is None else self.venue.gas("MarginCourt", "repriceCompact", packed)
        if as_json:
            sent = {} if packed is None else {"packed": "0x" + packed.hex(), "gas": gas}
            emit(
                {
                    "format": "marginproof/court@1",
                    "account": self.found.account,
                    "round": header.round,
                    "figures": {name: e8(value) for name, value in zip(_FIGURES, answer, strict=False)},
                    "indices": "0x" + answer[4].hex(),
                    "agrees": None if ours is None else answer == ours,
                    **sent,
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
        if packed is not None:
            console.print(
                f"As a transaction: {len(packed)} bytes for repriceCompact, about {gas} gas.", soft_wrap=True
            )
