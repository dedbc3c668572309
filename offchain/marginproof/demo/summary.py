"""The end of a run in the terminal: what happened, in tables a person understands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from marginproof.demo.digest import (
    Health,
    History,
    Outcome,
    account_name,
    by_strategy,
    gas_lines,
    health,
    histories,
    outcomes,
)
from marginproof.demo.record import Record
from marginproof.demo.words import NONE, counted, moment, percent, ratio, usd

_ARROW: Final = " \N{RIGHTWARDS ARROW} "


def summary_tables(record: Record) -> list[RenderableType]:
    """Accounts, epochs, liquidations with before and after, gas per action, bad debt and the audit's verdict, in that order."""
    accounts = [history for history in histories(record) if history.points]
    done = outcomes(record)
    tables: list[RenderableType] = [_accounts(accounts), _epochs(record)]
    if done:
        tables.append(_liquidations(record, done))
    return [*tables, _gas(record), _verdict(record, accounts, done)]


def _table(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    """An empty table: text columns, then columns of figures."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in left:
        table.add_column(name)
    for name in right:
        table.add_column(name, justify="right")
    return table


def _accounts(accounts: Sequence[History]) -> Table:
    columns = ("accounts", "equity, first epoch", "last epoch", "lowest equity / maintenance", "fell below")
    table = _table("Accounts by strategy", ("strategy",), columns)
    for strategy, group in by_strategy(accounts).items():
        first, last = (sum(h.points[end].figures.equity_e8 for h in group) for end in (0, -1))
        short = sum(h.worst_health == Health.SHORT for h in group)
        fell = f"[red]{short}[/]" if short else NONE
        table.add_row(escape(strategy), str(len(group)), usd(first), usd(last), _lowest(group), fell)
    return table


def _lowest(group: Sequence[History]) -> str:
    tightest = [history.tightest.figures for history in group if history.tightest is not None]
    required = [figures for figures in tightest if figures.maintenance_e8]
    if not required:
        return NONE
    lowest = min(required, key=lambda figures: figures.equity_e8 / figures.maintenance_e8)
    return ratio(lowest.equity_e8, lowest.maintenance_e8)


def _epochs(record: Record) -> Table:
    symbols = list(dict.fromkeys(symbol for epoch in record.epochs for symbol in epoch.spots_e8))
    figures = (*symbols, "accounts", "below maintenance", "signatures", "gas")
    table = _table("Epochs posted", ("round", "snapshot"), figures)
    for epoch in record.epochs:
        spots = [usd(epoch.spots_e8[symbol]) if symbol in epoch.spots_e8 else NONE for symbol in symbols]
        short = sum(health(figures) == Health.SHORT for figures in epoch.accounts)
        counts = (str(len(epoch.accounts)), str(short), str(len(epoch.signers)), f"{epoch.gas:,}")
        table.add_row(str(epoch.round), moment(epoch.time), *spots, *counts)
    return table


def _liquidations(record: Record, done: Sequence[Outcome]) -> Table:
    figures = ("slices", "sold", "equity", "maintenance margin", "equity / maintenance")
    table = _table("Liquidations, before and after", ("round", "account", "outcome"), figures)
    for outcome in done:
        before, after = outcome.steps[0], outcome.steps[-1]
        table.add_row(
            str(outcome.round),
            escape(account_name(record, outcome.account)),
            outcome.words,
            str(outcome.slices),
            percent(outcome.sold_wad),
            usd(before.equity_before_e8) + _ARROW + usd(after.equity_after_e8),
            usd(before.maintenance_before_e8) + _ARROW + usd(after.maintenance_after_e8),
            ratio(before.equity_before_e8, before.maintenance_before_e8)
            + _ARROW
            + ratio(after.equity_after_e8, after.maintenance_after_e8),
        )
    return table


def _gas(record: Record) -> Table:
    table = _table("Gas per action", ("action",), ("transactions", "least", "median", "most"))
    for line in gas_lines(record):
        figures = (line.count, line.least, line.median, line.most)
        table.add_row(escape(line.action), *(f"{figure:,}" for figure in figures))
    return table


def _verdict(record: Record, accounts: Sequence[History], done: Sequence[Outcome]) -> Panel:
    allowed = sum(withdrawal.allowed for withdrawal in record.withdrawals)
    refused = len(record.withdrawals) - allowed
    transactions = sum(len(gas) for gas in record.gas.values())
    called = len({outcome.account for outcome in done})
    debt = f"[red]{usd(record.bad_debt_e8)}[/]" if record.bad_debt_e8 else "none"
    verdict = "[bold green]passed[/]" if record.audit_passed else "[bold red]FAILED[/]"
    lines = [
        f"Accounts      {len(accounts):,}",
        f"Trades        {record.trades:,} settled, {record.attested_trades:,} of them on tickets; {len(record.trades_refused):,} refused",
        f"Epochs        {len(record.epochs) + len(record.unlisted_rounds):,}, {len(record.unlisted_rounds):,} of them before trading",
        f"Model         {escape(record.model)} on {escape(record.chain)}, chain id {record.chain_id}",
        f"Withdrawals   {allowed:,} allowed, {refused:,} refused",
        f"Expired legs  settled in {counted(len({s.account for s in record.settlements}), 'account')}",
        f"Liquidations  {counted(called, 'account')} called, {counted(sum(o.slices for o in done), 'slice')} sold",
        f"Bad debt      {debt}",
        f"Gas           {sum(sum(gas) for gas in record.gas.values()):,} in {counted(transactions, 'transaction')}",
        *(
            f"Dispute       epoch {item.round} invalid; {'bonds slashed' if item.slashed else 'bounty'}: {usd(item.paid_e8)} paid"
            for item in record.disputes
        ),
        f"Audit         {verdict}",
        *(f"              {escape(line)}" for line in record.audit_lines),
    ]
    style = "green" if record.audit_passed else "red"
    return Panel(
        "\n".join(lines), title=f"Summary after {record.seconds:.0f} s", border_style=style, expand=False
    )
