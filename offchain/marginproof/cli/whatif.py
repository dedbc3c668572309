"""What a trade would do to an account, on the newest epoch's market."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console

from marginproof.cli import figures
from marginproof.cli.chain import (
    Chain,
    account_of,
    instrument_name,
    listed_id,
    margin_report,
    newest_values,
)
from marginproof.cli.console import table
from marginproof.cli.numbers import e8, exact, moment
from marginproof.engine.explain import Explanation
from marginproof.protocol.gate import Verdict, buyer_pays, judge, seller_receives
from marginproof.spec.portfolio import Position, apply_trade
from marginproof.spec.typed_data import EpochHeader


@dataclass(frozen=True, slots=True)
class WhatIf:
    """An account before and after a trade, the trade alone, and the gate's verdict."""

    account: int
    instrument: str
    quantity_e8: int
    price_e8: int
    header: EpochHeader
    live: bool
    frozen: bool
    before: Explanation
    after: Explanation
    alone: Explanation
    verdict: Verdict

    @classmethod
    def of(cls, chain: Chain, account: int, instrument: str, quantity_e8: int, price_e8: int) -> WhatIf:
        """Compute it. Errors: InputError for an unknown account or instrument, SpecError for a portfolio that cannot be."""
        state = chain.state()
        held = account_of(state, account)
        key = listed_id(state, instrument)
        header = state.newest_epoch().header
        values = newest_values(state)
        bought = quantity_e8 > 0
        cash = -buyer_pays(quantity_e8, price_e8) if bought else seller_receives(-quantity_e8, price_e8)
        before = margin_report(state, held.cash_e8, held.positions, values).explanation
        traded = apply_trade(held.positions, key, quantity_e8)
        after = margin_report(state, held.cash_e8 + cash, traded, values).explanation
        alone = margin_report(state, cash, (Position(key, quantity_e8),), values).explanation
        name = instrument_name(state, key)
        live = header.valid_until > chain.time()
        return cls(
            account,
            name,
            quantity_e8,
            price_e8,
            header,
            live,
            held.frozen,
            before,
            after,
            alone,
            judge(before, after),
        )

    @property
    def would_settle(self) -> bool:
        """Whether the contracts would let it pass now."""
        return self.verdict.passes and self.live and not self.frozen

    def json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "format": "marginproof/what-if@1",
            "account": self.account,
            "instrument": self.instrument,
            "quantity": e8(self.quantity_e8),
            "price": e8(self.price_e8),
            "epoch": self.header.round,
            "epochLive": self.live,
            "frozen": self.frozen,
            "before": figures.account_json(self.before),
            "after": figures.account_json(self.after),
            "tradeAlone": figures.account_json(self.alone),
            "initialMarginChange": e8(self.after.margin.initial - self.before.margin.initial),
            "maintenanceMarginChange": e8(self.after.margin.maintenance - self.before.margin.maintenance),
            "passesGate": self.verdict.passes,
            "reason": self.verdict.reason,
            "wouldSettle": self.would_settle,
        }

    def show(self, console: Console) -> None:
        """For people."""
        side = "buys" if self.quantity_e8 > 0 else "sells"
        console.print(
            f"Account {self.account} {side} {e8(abs(self.quantity_e8))} {self.instrument} at {exact(self.price_e8)} USD, on the market of "
            f"epoch {self.header.round}, {moment(self.header.time)}.\n",
            soft_wrap=True,
        )
        numbers = ("before", "after", "change", "trade alone")
        rows = table("Margin (USD)", "", *numbers, numbers=numbers)
        for name, pick in _FIGURES.items():
            before, after = pick(self.before), pick(self.after)
            rows.add_row(name, exact(before), exact(after), exact(after - before), exact(pick(self.alone)))
        console.print(rows)
        saved = self.alone.margin.initial - (self.after.margin.initial - self.before.margin.initial)
        console.print(
            f"The trade's own share of initial margin: {exact(self.after.margin.initial - self.before.margin.initial)} USD",
            end="",
        )
        console.print(
            f", {exact(saved)} less than alone: the rest of the book hedges it." if saved > 0 else "."
        )
        console.print(
            f"The margin gate says {'yes' if self.verdict.passes else 'no'}: {self.verdict.reason}."
        )
        if not self.live:
            console.print(
                f"But epoch {self.header.round} has expired: nothing settles until the next one is posted."
            )
        if self.frozen:
            console.print("But the account is frozen by a margin call.")


_FIGURES: Final[dict[str, Callable[[Explanation], int]]] = {
    "cash": lambda a: a.cash_e8,
    "portfolio value": lambda a: a.margin.value,
    "equity": lambda a: a.equity_e8,
    "initial margin": lambda a: a.margin.initial,
    "maintenance margin": lambda a: a.margin.maintenance,
    "equity - initial margin": lambda a: a.initial_excess_e8,
}
