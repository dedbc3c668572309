"""Accounts of a venue as tables and JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from marginproof.cli import figures
from marginproof.cli.chain import instrument_name, margin_report, newest_values
from marginproof.cli.console import table
from marginproof.cli.figures import MarginReport
from marginproof.cli.numbers import cents, e8, exact, moment
from marginproof.engine.explain import Explanation
from marginproof.protocol.state import VenueState
from marginproof.spec.margin import margin


@dataclass(slots=True)
class Overview:
    """All accounts, or one owner's; with margin figures on the newest epoch's market when asked for."""

    state: VenueState
    owner: str | None
    with_margin: bool
    ids: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = [i for i, held in enumerate(self.state.accounts) if self.owner in (None, held.owner)]

    def _margins(self) -> dict[int, Explanation]:
        if not self.with_margin or not self.ids:
            return {}
        values, instruments = newest_values(self.state), self.state.table()
        found = {}
        for i in self.ids:
            held = self.state.accounts[i]
            positions = [(instruments.resolve(p.instrument), p.quantity) for p in held.positions]
            found[i] = Explanation(held.cash_e8, margin(positions, values), (), ())
        return found

    def json(self) -> list[dict[str, Any]]:
        """One object per account."""
        margins = self._margins()
        return [
            {
                "account": i,
                "owner": self.state.accounts[i].owner,
                "cash": e8(self.state.accounts[i].cash_e8),
                "positions": len(self.state.accounts[i].positions),
                "frozen": self.state.accounts[i].frozen,
            }
            | ({"margin": figures.account_json(margins[i])} if i in margins else {})
            for i in self.ids
        ]

    def table(self) -> Table:
        """One row per account."""
        margins = self._margins()
        extra = ("equity", "initial", "maintenance") if self.with_margin else ()
        numbers = ("account", "cash", "positions", *extra)
        rows = table(
            "Accounts (USD)",
            "account",
            "owner",
            "cash",
            "positions",
            *extra,
            "",
            numbers=numbers,
        )
        for i in self.ids:
            held = self.state.accounts[i]
            cells = [str(i), held.owner, cents(held.cash_e8), str(len(held.positions))]
            remark = "frozen" if held.frozen else ""
            if i in margins:
                account = margins[i]
                cells += [
                    cents(account.equity_e8),
                    cents(account.margin.initial),
                    cents(account.margin.maintenance),
                ]
                if account.maintenance_excess_e8 < 0:
                    remark = (remark + " below maintenance").strip()
            rows.add_row(*cells, remark)
        return rows


def _report(state: VenueState, account: int) -> MarginReport | None:
    if not state.valid_epochs():
        return None
    held = state.accounts[account]
    return margin_report(state, held.cash_e8, held.positions, newest_values(state))


def account_json(state: VenueState, account: int) -> dict[str, Any]:
    """An account as it is now; `margin` is null before the first epoch."""
    held = state.accounts[account]
    report = _report(state, account)
    return {
        "account": account,
        "owner": held.owner,
        "cash": e8(held.cash_e8),
        "frozen": held.frozen,
        "positions": [
            {
                "id": p.instrument,
                "instrument": instrument_name(state, p.instrument),
                "quantity": e8(p.quantity),
            }
            for p in held.positions
        ],
        "epoch": state.newest_epoch().header.round if report else None,
        "margin": report.json() if report else None,
    }


def show_account(console: Console, state: VenueState, account: int, now: int) -> None:
    """Print an account for a person."""
    held = state.accounts[account]
    frozen = "; frozen by a margin call" if held.frozen else ""
    console.print(
        f"Account {account} of {held.owner}: cash {exact(held.cash_e8)} USD{frozen}.", soft_wrap=True
    )
    report = _report(state, account)
    if report is None:
        for p in held.positions:
            console.print(f"  {e8(p.quantity)} {instrument_name(state, p.instrument)}")
        console.print("No epoch has been posted yet, so there is no market to margin it on.")
        return
    header = state.newest_epoch().header
    expired = f" (expired {moment(header.valid_until)})" if header.valid_until <= now else ""
    console.print(f"On the market of epoch {header.round}, {moment(header.time)}{expired}:\n")
    report.show(console)
