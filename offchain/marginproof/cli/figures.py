"""How a margin came about, as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from marginproof.cli.console import table
from marginproof.cli.numbers import E16_DIGITS, E34_DIGITS, cents, e8, exact, wad
from marginproof.documents import format_decimal, format_instrument_name
from marginproof.engine.explain import Explanation, UnderlyingLines
from marginproof.engine.values import ValueTable
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Scenario


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
        return [
            {
                "instrument": format_instrument_name(line.instrument, self.symbols),
                "quantity": e8(line.quantity),
                "unitValue": e8(line.unit_value_e8),
                "worstUnitValue": e8(line.worst_unit_value_e8),
                "value": format_decimal(line.quantity * line.unit_value_e8, E16_DIGITS),
                "worstValue": format_decimal(line.quantity * line.worst_unit_value_e8, E16_DIGITS),
                "worstChange": format_decimal(line.worst_change_e16, E16_DIGITS),
                "unitValuesByScenario": [e8(value) for value in self.values(line.instrument)[1:]],
            }
            for line in self.explanation.positions
        ]

    def _underlying_json(self, lines: UnderlyingLines) -> dict[str, Any]:
        return {
            "symbol": self.symbol(lines.underlying),
            "spot": e8(self.market.underlying(lines.underlying).spot_e8),
            "worstScenario": lines.worst,
            "scan": format_decimal(lines.scan_e34, E34_DIGITS),
            "initialFactor": wad(lines.initial_factor_wad),
            "maintenanceFactor": wad(lines.maintenance_factor_wad),
            "scenarios": [
                {
                    "index": line.index,
                    "spot": wad(line.scenario.spot_wad),
                    "vol": line.scenario.kind.name.lower(),
                    "weight": wad(line.scenario.weight_wad),
                    "change": format_decimal(line.change_e34, E34_DIGITS),
                    "decides": line.decides,
                }
                for line in lines.scenarios
            ],
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
                exact(line.worst_unit_value_e8),
                cents(line.quantity * line.unit_value_e8, E16_DIGITS),
                cents(line.quantity * line.worst_unit_value_e8, E16_DIGITS),
                cents(line.worst_change_e16, E16_DIGITS),
            )
        console.print(rows)

    def _show_scenarios(self, console: Console, lines: UnderlyingLines) -> None:
        spot = self.market.underlying(lines.underlying).spot_e8
        numbers = ("#", "spot", "spot price", "weight", "weighted change")
        title = f"{self.symbol(lines.underlying)}: {len(lines.scenarios)} scenarios, spot {cents(spot)} (USD)"
        rows = table(
            title, "#", "spot", "spot price", "vol", "weight", "weighted change", "", numbers=numbers
        )
        for line in lines.scenarios:
            rows.add_row(
                str(line.index),
                f"x {wad(line.scenario.spot_wad)}",
                cents(spot * line.scenario.spot_wad // 10**18),
                line.scenario.kind.name.lower(),
                wad(line.scenario.weight_wad),
                cents(line.change_e34, E34_DIGITS),
                "<- decides" if line.decides else "",
                style="bold" if line.decides else None,
            )
        console.print(rows)

    def _show_requirement(self, console: Console) -> None:
        account = self.explanation
        for lines in account.underlyings:
            worst = lines.scenarios[lines.worst].scenario
            console.print(
                f"{self.symbol(lines.underlying)} scan: {cents(lines.scan_e34, E34_DIGITS)}, the loss in scenario {lines.worst} "
                f"({scenario_words(worst)}); it counts x {wad(lines.initial_factor_wad)} initial, "
                f"x {wad(lines.maintenance_factor_wad)} maintenance."
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


def scenario_words(scenario: Scenario) -> str:
    """A scenario in words, as "spot x 0.82, vol up, weight 1"."""
    vol = {"none": "unchanged"}.get(scenario.kind.name.lower(), scenario.kind.name.lower())
    return f"spot x {wad(scenario.spot_wad)}, vol {vol}, weight {wad(scenario.weight_wad)}"


def standing(account: Explanation) -> str:
    """Where the account stands, in one sentence."""
    if account.maintenance_excess_e8 < 0:
        return "Below maintenance margin: the account can be called and liquidated."
    if account.initial_excess_e8 < 0:
        return (
            "Below initial margin, above maintenance margin: it may keep what it holds, but only reduce risk."
        )
    return "Above initial margin: it may trade and withdraw within what is left."
