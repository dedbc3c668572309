"""`marginproof margin --add`: an account from files before and after trades, and the trades' own share of every figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console

from marginproof.cli import figures
from marginproof.cli.console import table
from marginproof.cli.file_account import FileAccount, Positions
from marginproof.cli.numbers import E34_DIGITS, E52_DIGITS, cents, e8, exact
from marginproof.cli.trade_arguments import Trade, read_trades
from marginproof.documents import (
    CHARGE_NAMES,
    format_decimal,
    format_instrument_name,
    index_words,
)
from marginproof.documents.portfolio_document import MAX_CASH
from marginproof.engine.explain import Explanation, UnderlyingLines, explain
from marginproof.errors import InputError
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.limits import MAX_POSITIONS, MAX_QUANTITY


@dataclass(frozen=True, slots=True)
class Added:
    """The account before, after each trade in turn, and the trades alone."""

    account: FileAccount
    trades: tuple[Trade, ...]
    steps: tuple[Explanation, ...]
    alone: Explanation

    @property
    def before(self) -> Explanation:
        """Without the trades."""
        return self.steps[0]

    @property
    def after(self) -> Explanation:
        """With all of them."""
        return self.steps[-1]

    def json(self) -> dict[str, Any]:
        """For programs: beside the account as it is, the trades, the account after them, and every figure's change."""
        return {
            "whatIf": {
                "trades": [self._trade_json(index) for index in range(len(self.trades))],
                "before": figures.account_json(self.before),
                "after": figures.account_json(self.after),
                "share": {name: e8(pick(self.after) - pick(self.before)) for name, pick in _FIGURES.items()},
                "tradesAlone": figures.account_json(self.alone),
                "underlyings": [self._underlying_json(underlying) for underlying in self._underlyings()],
            }
        }

    def _trade_json(self, index: int) -> dict[str, Any]:
        trade, before, after = self.trades[index], self.steps[index], self.steps[index + 1]
        return {
            "instrument": self._name(trade),
            "quantity": e8(trade.quantity),
            "price": e8(trade.price_e8),
            "priceIsValue": trade.at_value,
            "remark": trade.remark(self._name(trade)),
            "share": {name: e8(pick(after) - pick(before)) for name, pick in _FIGURES.items()},
        }

    def _underlyings(self) -> list[int]:
        return sorted({lines.underlying for one in (self.before, self.after) for lines in one.underlyings})

    def _underlying_json(self, underlying: int) -> dict[str, Any]:
        before, after = _lines(self.before, underlying), _lines(self.after, underlying)
        some = after or before
        if some is None:
            raise KeyError(underlying)
        old, new = _changes(before, some), _changes(after, some)
        return {
            "symbol": self.account.report().symbol(underlying),
            "scan": _share(_scan(before), _scan(after), E34_DIGITS),
            "worstBefore": None if before is None else index_words(before.section, before.worst),
            "worstAfter": None if after is None else index_words(after.section, after.worst),
            "scenarios": [
                {"index": line.index, **_share(old[line.index], new[line.index], E34_DIGITS)}
                for line in some.scenarios
            ],
            "charges": [
                {"charge": CHARGE_NAMES[line.charge], **_share(old[line.index], new[line.index], E34_DIGITS)}
                for line in some.charges
            ],
            "addOns": [
                {
                    "name": name,
                    "initial": _share(_add_on(before, name)[0], _add_on(after, name)[0], E52_DIGITS),
                    "maintenance": _share(_add_on(before, name)[1], _add_on(after, name)[1], E52_DIGITS),
                }
                for name in figures.ADD_ON_WORDS
                if any(any(_add_on(one, name)) for one in (before, after))
            ],
        }

    def _name(self, trade: Trade) -> str:
        return format_instrument_name(trade.instrument, self.account.symbols)

    def show(self, console: Console) -> None:
        """For people."""
        for trade in self.trades:
            side = "Buys" if trade.quantity > 0 else "Sells"
            at = f"{exact(trade.price_e8)} USD" + (", its value" if trade.at_value else "")
            console.print(f"{side} {e8(abs(trade.quantity))} {self._name(trade)} at {at}.", soft_wrap=True)
            remark = trade.remark(self._name(trade))
            if remark is not None:
                console.print(f"Remark: {remark}.", soft_wrap=True)
        numbers = ("before", "after", "trades' share", "trades alone")
        rows = table("Account (USD)", "", *numbers, numbers=numbers)
        for name, pick in _FIGURES.items():
            cells = (
                pick(self.before),
                pick(self.after),
                pick(self.after) - pick(self.before),
                pick(self.alone),
            )
            rows.add_row(_FIGURE_WORDS[name], *(exact(cell) for cell in cells))
        console.print(rows)
        if len(self.trades) > 1:
            self._show_each(console)
        self._show_scans(console)
        console.print(figures.standing(self.after))

    def _show_each(self, console: Console) -> None:
        numbers = ("initial margin", "maintenance margin", "equity")
        rows = table("Share of each trade, made in this order (USD)", "trade", *numbers, numbers=numbers)
        for index, trade in enumerate(self.trades):
            one, two = self.steps[index], self.steps[index + 1]
            rows.add_row(
                f"{e8(trade.quantity)} {self._name(trade)}",
                exact(two.margin.initial - one.margin.initial),
                exact(two.margin.maintenance - one.margin.maintenance),
                exact(two.equity_e8 - one.equity_e8),
            )
        console.print(rows)

    def _show_scans(self, console: Console) -> None:
        numbers = ("before", "after", "trades' share")
        rows = table("What it is made of (USD)", "", *numbers, "decides after", numbers=numbers)
        for underlying in self._underlyings():
            before, after = _lines(self.before, underlying), _lines(self.after, underlying)
            symbol = self.account.report().symbol(underlying)
            words = "" if after is None else index_words(after.section, after.worst)
            rows.add_row(f"{symbol} scan", *_cells(_scan(before), _scan(after), E34_DIGITS), words)
            for name, noun in figures.ADD_ON_WORDS.items():
                old, new = _add_on(before, name)[0], _add_on(after, name)[0]
                if old or new:
                    rows.add_row(f"{symbol} add-on, {noun}", *_cells(old, new, E52_DIGITS), "")
        console.print(rows)


_FIGURES: Final[dict[str, Callable[[Explanation], int]]] = {
    "cash": lambda a: a.cash_e8,
    "portfolioValue": lambda a: a.margin.value,
    "spotValue": lambda a: a.margin.spot_value,
    "equity": lambda a: a.equity_e8,
    "initialMargin": lambda a: a.margin.initial,
    "maintenanceMargin": lambda a: a.margin.maintenance,
    "initialExcess": lambda a: a.initial_excess_e8,
    "maintenanceExcess": lambda a: a.maintenance_excess_e8,
}
_FIGURE_WORDS: Final = {
    "cash": "cash",
    "portfolioValue": "portfolio value",
    "spotValue": "  of it spot collateral",
    "equity": "equity",
    "initialMargin": "initial margin",
    "maintenanceMargin": "maintenance margin",
    "initialExcess": "equity - initial margin",
    "maintenanceExcess": "equity - maintenance margin",
}


def added_trades(texts: Sequence[str], account: FileAccount) -> Added:
    """Read the trades and margin the account before, after each, and the trades alone. Errors: InputError."""
    trades = tuple(trade for text in texts for trade in read_trades(text, account))
    cash, positions = account.cash_e8, dict(account.positions)
    steps = [account.explanation()]
    for trade in trades:
        cash += trade.cash_e8
        _apply(positions, trade, account)
        if abs(cash) > MAX_CASH:
            raise InputError(f"--add: cash would be {e8(cash)}; allowed: at most {e8(MAX_CASH)} either way")
        steps.append(explain(cash, list(positions.items()), account.values))
    alone: dict[Instrument, int] = {}
    for trade in trades:
        alone[trade.instrument] = alone.get(trade.instrument, 0) + trade.quantity
    book: Positions = [(instrument, quantity) for instrument, quantity in alone.items() if quantity]
    return Added(account, trades, tuple(steps), explain(sum(t.cash_e8 for t in trades), book, account.values))


def _apply(positions: dict[Instrument, int], trade: Trade, account: FileAccount) -> None:
    name = format_instrument_name(trade.instrument, account.symbols)
    held = positions.get(trade.instrument, 0) + trade.quantity
    if abs(held) > MAX_QUANTITY:
        raise InputError(
            f"--add: {e8(held)} {name} would be held; allowed: at most {e8(MAX_QUANTITY)} either way"
        )
    if trade.instrument.kind == Kind.SPOT and held < 0:
        raise InputError(f"--add: {e8(held)} {name} would be held: spot collateral cannot be sold short")
    if held:
        positions[trade.instrument] = held
    else:
        positions.pop(trade.instrument)
    if len(positions) > MAX_POSITIONS:
        raise InputError(f"--add: {len(positions)} positions would be held; allowed: at most {MAX_POSITIONS}")


def _lines(one: Explanation, underlying: int) -> UnderlyingLines | None:
    return next((lines for lines in one.underlyings if lines.underlying == underlying), None)


def _scan(lines: UnderlyingLines | None) -> int:
    return 0 if lines is None else lines.scan_e34


def _changes(lines: UnderlyingLines | None, shape: UnderlyingLines) -> list[int]:
    """The change of value at every index, E34; all zero where nothing is held."""
    if lines is None:
        return [0] * (len(shape.scenarios) + len(shape.charges))
    return [line.change_e34 for line in lines.scenarios] + [line.change_e34 for line in lines.charges]


def _add_on(lines: UnderlyingLines | None, name: str) -> tuple[int, int]:
    found = [item for item in (lines.add_ons if lines else ()) if item.name == name]
    return sum(item.initial for item in found), sum(item.maintenance for item in found)


def _share(before: int, after: int, digits: int) -> dict[str, str]:
    return {
        "before": format_decimal(before, digits),
        "after": format_decimal(after, digits),
        "share": format_decimal(after - before, digits),
    }


def _cells(before: int, after: int, digits: int) -> tuple[str, str, str]:
    return cents(before, digits), cents(after, digits), cents(after - before, digits)
