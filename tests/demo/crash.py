"""The demonstration's books taken through the six snapshots by the engine alone, without a chain and without liquidations."""

from __future__ import annotations

from dataclasses import dataclass, field

from marginproof.demo.books import Book, build_books
from marginproof.documents import market_symbols, market_to_spec, model_to_spec
from marginproof.engine.explain import Explanation, explain
from marginproof.engine.values import ValueTable
from marginproof.market.crash import load_crash
from marginproof.models import load_preset
from marginproof.protocol.gate import Verdict, buyer_pays, judge, seller_receives
from marginproof.spec.instruments import Instrument, Kind


@dataclass(slots=True)
class Holdings:
    """What one account has: cash (E8) and quantities (E8)."""

    cash: int
    positions: dict[Instrument, int] = field(default_factory=dict)

    def add(self, instrument: Instrument, quantity: int, cash: int) -> None:
        """Take a trade in."""
        after = self.positions.pop(instrument, 0) + quantity
        if after:
            self.positions[instrument] = after
        self.cash += cash


class Crash:
    """The books after their trades, and every account's figures at each snapshot. `verdicts` are the gate's, trade by trade."""

    def __init__(self) -> None:
        documents = load_crash()
        self.document = documents[0]
        self.symbols = market_symbols(documents[0])
        self.markets = [market_to_spec(document, self.symbols) for document in documents]
        self.model = model_to_spec(load_preset("options-33"), self.symbols)
        self.values = [ValueTable(market, self.model) for market in self.markets]
        self.books: list[Book] = build_books(documents[0])
        self.holdings = {
            book.name: Holdings(
                book.cash_e8,
                {Instrument(self.symbols[s], Kind.SPOT): units for s, units in book.spot.items()},
            )
            for book in self.books
        }
        self.verdicts: list[tuple[str, Instrument, Verdict]] = []
        self._trade()

    def figures(self, name: str, snapshot: int) -> Explanation:
        """One account at one snapshot, counted from 0."""
        held = self.holdings[name]
        return explain(held.cash, list(held.positions.items()), self.values[snapshot])

    def _trade(self) -> None:
        values = self.values[0]
        states = {name: self.figures(name, 0) for name in self.holdings}
        for book in self.books:
            for trade in book.trades:
                size, price = abs(trade.quantity_e8), values(trade.instrument)[0]
                for name, quantity in ((book.name, trade.quantity_e8), (trade.maker, -trade.quantity_e8)):
                    cash = -buyer_pays(size, price) if quantity > 0 else seller_receives(size, price)
                    self.holdings[name].add(trade.instrument, quantity, cash)
                    after = self.figures(name, 0)
                    self.verdicts.append((name, trade.instrument, judge(states[name], after)))
                    states[name] = after
