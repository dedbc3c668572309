"""How a margin came about, as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console

from marginproof.cli.console import table
from marginproof.cli.numbers import E16_DIGITS, E34_DIGITS, E52_DIGITS, cents, e8, exact, plural, q58, wad
from marginproof.documents import (
    CHARGE_NAMES,
    format_decimal,
    format_expiry,
    format_instrument_name,
    index_words,
    scenario_words,
)
from marginproof.documents.index_words import vol_words
from marginproof.engine.explain import Explanation, PositionLine, UnderlyingLines
from marginproof.spec.add_ons import AddOn
from marginproof.spec.margin import ValueTable
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Charge

__all__ = ["MarginReport", "account_json", "scenario_words", "standing"]

CHARGE_WORDS: Final = {
    Charge.BASIS: "basis",
    Charge.DELTA: "delta",
    Charge.SHORT_MINIMUM: "short option minimum",
}
ADD_ON_WORDS: Final = {
    "nakedShortOptions": "naked short options",
    "perpetuals": "perpetuals",
    "futures": "futures",
    "collateralHaircut": "collateral haircut",
    "confidence": "price confidence",
}


@dataclass(frozen=True, slots=True)
class MarginReport:
    """An explained account with what it was computed from; `symbols` maps symbol to underlying id."""

    explanation: Explanation
    values: ValueTable
    symbols: Mapping[str, int]

    @property
    def market(self) -> MarketSnapshot:
        """The market behind the values."""
        return self.values.market

    def symbol(self, underlying: int) -> str:
        """The symbol of an underlying id."""
        return next(
            (symbol for symbol, known in self.symbols.items() if known == underlying), f"#{underlying}"
        )

    def json(self) -> dict[str, Any]:
        """Every figure, exact: money with up to 8 decimals, changes of value with up to 16 or, weighted, 34."""
        account = self.explanation
        return {
            "time": self.market.time,
            "account": account_json(account),
            "positions": self._positions_json(),
            "underlyings": [self._underlying_json(lines) for lines in account.underlyings],
        }

    def _positions_json(self) -> list[dict[str, Any]]:
        return [self._position_json(line) for line in self.explanation.positions]

    def _position_json(self, line: PositionLine) -> dict[str, Any]:
        there = line.worst_unit_value_e8
        count = len(self.values.model.section(line.instrument.underlying).scenarios)
        row = self.values(line.instrument)
        found: dict[str, Any] = {
            "instrument": format_instrument_name(line.instrument, self.symbols),
            "quantity": e8(line.quantity),
            "unitValue": e8(line.unit_value_e8),
            "worstUnitValue": None if there is None else e8(there),
            "value": format_decimal(line.quantity * line.unit_value_e8, E16_DIGITS),
            "worstValue": _maybe_e16(line.worst_value_e16),
            "worstChange": _maybe_e16(line.worst_change_e16),
            "unitValuesByScenario": [e8(value) for value in row[1 : 1 + count]],
        }
        if len(row) > 1 + count:
            found["unitValuesByBasisMove"] = [e8(value) for value in row[1 + count :]]
        return found

    def _underlying_json(self, lines: UnderlyingLines) -> dict[str, Any]:
        return {
            "symbol": self.symbol(lines.underlying),
            "spot": e8(self.market.underlying(lines.underlying).spot_e8),
            "worstScenario": lines.worst,
            "worst": index_words(lines.section, lines.worst),
            "scan": format_decimal(lines.scan_e34, E34_DIGITS),
            "initialFactor": wad(lines.initial_factor_wad),
            "maintenanceFactor": wad(lines.maintenance_factor_wad),
            "scenarios": [
                {
                    "index": line.index,
                    "spot": wad(line.scenario.spot_wad),
                    "vol": line.scenario.kind.name.lower(),
                    "amount": wad(line.scenario.amount_wad),
                    "weight": wad(line.scenario.weight_wad),
                    "change": format_decimal(line.change_e34, E34_DIGITS),
                    "decides": line.decides,
                }
                for line in lines.scenarios
            ],
            "charges": [
                {
                    "index": line.index,
                    "charge": CHARGE_NAMES[line.charge],
                    "change": format_decimal(line.change_e34, E34_DIGITS),
                    "decides": line.decides,
                }
                for line in lines.charges
            ],
            "expiriesInWorst": [
                {
                    "expiry": line.expiry,
                    "optionValue": format_decimal(line.sum_e16, E16_DIGITS),
                    "staticDiscount": q58(line.discount_q58),
                    "discountedOptionValue": format_decimal(line.discounted_e16, E16_DIGITS),
                    "change": format_decimal(line.change_e16, E16_DIGITS),
                }
                for line in lines.expiries
            ],
            "addOns": [add_on_json(item) for item in lines.add_ons],
        }

    def show(self, console: Console) -> None:
        """Positions, then every scenario of every underlying, then the requirement and how it stands to equity."""
        self._show_positions(console)
        for lines in self.explanation.underlyings:
            self._show_scenarios(console, lines)
        self._show_requirement(console)

    def _show_positions(self, console: Console) -> None:
        if not self.explanation.positions:
            console.print("No positions: nothing can be lost, so nothing is required.\n")
            return
        numbers = ("quantity", "one unit now", "one unit then", "value now", "value then", "change")
        rows = table(
            "Positions, now and in the worst scenario of their underlying (USD)",
            "instrument",
            *numbers,
            numbers=numbers,
        )
        for line in self.explanation.positions:
            rows.add_row(
                format_instrument_name(line.instrument, self.symbols),
                e8(line.quantity),
                exact(line.unit_value_e8),
                _blank(line.worst_unit_value_e8, exact),
                cents(line.quantity * line.unit_value_e8, E16_DIGITS),
                _blank(line.worst_value_e16, lambda value: cents(value, E16_DIGITS)),
                _blank(line.worst_change_e16, lambda change: cents(change, E16_DIGITS)),
            )
        console.print(rows)

    def _show_scenarios(self, console: Console, lines: UnderlyingLines) -> None:
        spot = self.market.underlying(lines.underlying).spot_e8
        numbers = ("#", "spot", "spot price", "weight", "weighted change")
        charges = f", {plural(len(lines.charges), 'charge')}" if lines.charges else ""
        title = (
            f"{self.symbol(lines.underlying)}: {plural(len(lines.scenarios), 'scenario')}{charges}, "
            f"spot {cents(spot)} (USD)"
        )
        rows = table(
            title, "#", "spot", "spot price", "vol", "weight", "weighted change", "", numbers=numbers
        )
        for line in lines.scenarios:
            rows.add_row(
                str(line.index),
                f"x {wad(line.scenario.spot_wad)}",
                cents(spot * line.scenario.spot_wad // 10**18),
                vol_words(line.scenario).removeprefix("vol "),
                wad(line.scenario.weight_wad),
                cents(line.change_e34, E34_DIGITS),
                "<- decides" if line.decides else "",
                style="bold" if line.decides else None,
            )
        for charge in lines.charges:
            rows.add_row(
                str(charge.index),
                CHARGE_WORDS[charge.charge],
                "",
                "",
                "",
                cents(charge.change_e34, E34_DIGITS),
                "<- decides" if charge.decides else "",
                style="bold" if charge.decides else None,
            )
        console.print(rows)
        for expiry in lines.expiries:
            if expiry.discount_q58 != 1 << 58:
                console.print(
                    f"{format_expiry(expiry.expiry)} there: option value {cents(expiry.sum_e16, E16_DIGITS)}, of which "
                    f"{cents(expiry.discounted_e16, E16_DIGITS)} counts (static discount {q58(expiry.discount_q58, 6)})."
                )

    def _show_requirement(self, console: Console) -> None:
        account = self.explanation
        for lines in account.underlyings:
            kind = "scenario" if lines.worst < len(lines.scenarios) else "charge"
            console.print(
                f"{self.symbol(lines.underlying)} scan: {cents(lines.scan_e34, E34_DIGITS)}, the loss in {kind} {lines.worst} "
                f"({index_words(lines.section, lines.worst)}); it counts x {wad(lines.initial_factor_wad)} initial, "
                f"x {wad(lines.maintenance_factor_wad)} maintenance."
            )
            for item in lines.add_ons:
                console.print(
                    f"{self.symbol(lines.underlying)} add-on, {ADD_ON_WORDS[item.name]}: {cents(item.initial, E52_DIGITS)} initial, "
                    f"{cents(item.maintenance, E52_DIGITS)} maintenance, on {cents(item.notional, E16_DIGITS)}."
                )
        figures = table("Account (USD)", "", "exact", numbers=("exact",))
        for name, value in (
            ("cash", account.cash_e8),
            ("portfolio value", account.margin.value),
            ("  of it spot collateral", account.margin.spot_value),
            ("equity = cash + portfolio value", account.equity_e8),
            ("initial margin", account.margin.initial),
            ("maintenance margin", account.margin.maintenance),
            ("equity - initial margin", account.initial_excess_e8),
            ("equity - maintenance margin", account.maintenance_excess_e8),
        ):
            figures.add_row(name, exact(value))
        console.print(figures)
        console.print(standing(account))


def account_json(account: Explanation) -> dict[str, str]:
    """The account's own figures, exact decimals in USD."""
    return {
        "cash": e8(account.cash_e8),
        "portfolioValue": e8(account.margin.value),
        "spotValue": e8(account.margin.spot_value),
        "equity": e8(account.equity_e8),
        "initialMargin": e8(account.margin.initial),
        "maintenanceMargin": e8(account.margin.maintenance),
        "initialExcess": e8(account.initial_excess_e8),
        "maintenanceExcess": e8(account.maintenance_excess_e8),
    }


def add_on_json(item: AddOn) -> dict[str, str]:
    """An add-on, USD: the notional exact, the requirements with up to 52 decimals."""
    return {
        "name": item.name,
        "notional": format_decimal(item.notional, E16_DIGITS),
        "initial": format_decimal(item.initial, E52_DIGITS),
        "maintenance": format_decimal(item.maintenance, E52_DIGITS),
    }


def _maybe_e16(value: int | None) -> str | None:
    return None if value is None else format_decimal(value, E16_DIGITS)


def _blank(value: int | None, show: Callable[[int], str]) -> str:
    return "" if value is None else show(value)


def standing(account: Explanation) -> str:
    """Where the account stands, in one sentence."""
    if account.maintenance_excess_e8 < 0:
        return "Below maintenance margin: the account can be called and liquidated."
    if account.initial_excess_e8 < 0:
        return (
            "Below initial margin, above maintenance margin: it may keep what it holds, but only reduce risk."
        )
    return "Above initial margin: it may trade and withdraw within what is left."
