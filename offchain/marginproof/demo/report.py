"""The report: one HTML file that needs nothing else, with every figure of a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from marginproof.demo import words
from marginproof.demo.books import IDLE, LIQUIDATOR, MARKET_MAKER
from marginproof.demo.digest import (
    FRESH,
    Health,
    History,
    Outcome,
    account_name,
    by_strategy,
    called_accounts,
    gas_lines,
    histories,
    in_debt,
    outcomes,
)
from marginproof.demo.panels import Card, account_card, health_chart, spot_chart, total_chart
from marginproof.demo.record import Record
from marginproof.files import write_text

_TEMPLATE: Final = "report.html.j2"
_BEHIND_THE_BOOKS: Final = (FRESH, MARKET_MAKER, LIQUIDATOR, IDLE)


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure at the top: its label, the figure, a line below, and the class that colours it."""

    label: str
    figure: str
    note: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class FundingLine:
    """Funding of one account: one amount per round (E8, 0 where none), and the total."""

    account: int
    amounts: tuple[int, ...]
    total: int


def write_report(record: Record, path: Path) -> None:
    """Write the report of a run to `path`, whole or not at all; parent folders are made as needed. Errors: OSError."""
    write_text(path, render(record))


def render(record: Record) -> str:
    """The report as HTML: styles and figures inline, no reference to anything outside the file."""
    accounts = [history for history in histories(record) if history.points]
    done = outcomes(record)
    rounds = sorted({entry.round for entry in record.funding})
    environment = Environment(
        loader=PackageLoader("marginproof.demo", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        usd=words.usd,
        signed_usd=words.signed_usd,
        percent=words.percent,
        moment=words.moment,
        short_moment=words.short_moment,
        short_address=words.short_address,
    )
    return environment.get_template(_TEMPLATE).render(
        record=record,
        words=words,
        headlines=headlines(record, accounts, done),
        symbols=list(dict.fromkeys(symbol for epoch in record.epochs for symbol in epoch.spots_e8)),
        spot_chart=spot_chart(record),
        total_chart=total_chart(record, accounts, MARKET_MAKER),
        health_chart=health_chart(record),
        groups=_groups(record, accounts),
        outcomes=done,
        debtors=in_debt(accounts),
        funding_rounds=rounds,
        funding=funding_lines(record, rounds),
        gas=gas_lines(record),
        name=partial(account_name, record),
    )


def _groups(record: Record, accounts: list[History]) -> dict[str, list[Card]]:
    """Cards by strategy: first those with a called account, last those who serve the others or hold nothing."""
    groups = by_strategy(accounts)

    def rank(strategy: str) -> int:
        if strategy in _BEHIND_THE_BOOKS:
            return 2 + _BEHIND_THE_BOOKS.index(strategy)
        return (
            0 if any(h.liquidated_rounds or h.worst_health == Health.SHORT for h in groups[strategy]) else 1
        )

    return {
        strategy: [account_card(history, record.epochs) for history in groups[strategy]]
        for strategy in sorted(groups, key=rank)
    }


def headlines(record: Record, accounts: list[History], done: list[Outcome]) -> list[Headline]:
    """The six figures that say most."""
    short = sum(history.worst_health == Health.SHORT for history in accounts)
    slices = sum(outcome.slices for outcome in done)
    refused = sum(not withdrawal.allowed for withdrawal in record.withdrawals)
    spent = sum(sum(gas) for gas in record.gas.values())
    count = sum(len(gas) for gas in record.gas.values())
    return [
        Headline(
            "Audit",
            "Passed" if record.audit_passed else "Failed",
            "every epoch rebuilt from the chain alone"
            if record.audit_passed
            else "what it found stands at the end",
            "good" if record.audit_passed else "short",
        ),
        Headline("Accounts", f"{len(accounts):,}", f"{words.counted(record.trades, 'trade')} settled"),
        Headline(
            "Epochs",
            f"{len(record.epochs) + len(record.unlisted_rounds):,}",
            f"{words.counted(refused, 'withdrawal')} refused for margin",
        ),
        Headline(
            "Accounts called",
            f"{called_accounts(record):,}",
            f"{words.counted(slices, 'slice')} sold; {short:,} below maintenance at a snapshot",
            "thin" if done else "",
        ),
        Headline(
            "Bad debt",
            words.usd(record.bad_debt_e8),
            "owed by accounts without equity",
            "short" if record.bad_debt_e8 else "good",
        ),
        Headline("Gas", f"{spent / 1e6:,.1f}M", f"in {words.counted(count, 'transaction')}"),
    ]


def funding_lines(record: Record, rounds: list[int]) -> list[FundingLine]:
    """Funding by account, one amount for each of `rounds`."""
    lines = []
    for account in sorted({entry.account for entry in record.funding}):
        own = [entry for entry in record.funding if entry.account == account]
        amounts = tuple(sum(entry.amount_e8 for entry in own if entry.round == round_) for round_ in rounds)
        lines.append(FundingLine(account, amounts, sum(amounts)))
    return lines
