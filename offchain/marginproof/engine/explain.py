"""How an account's margin came about: every figure between the positions and the requirement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marginproof.engine.values import ValueTable
from marginproof.spec.instruments import Instrument
from marginproof.spec.margin import Margin, margin
from marginproof.spec.model import Scenario


@dataclass(frozen=True, slots=True)
class PositionLine:
    """One position: quantity (E8), value of one unit now and in its underlying's worst scenario (E8), change there (E16)."""

    instrument: Instrument
    quantity: int
    unit_value_e8: int
    worst_unit_value_e8: int
    worst_change_e16: int


@dataclass(frozen=True, slots=True)
class ScenarioLine:
    """One scenario of one underlying: its change of value, weighted, exact (E34), and whether it decides."""

    index: int
    scenario: Scenario
    change_e34: int
    decides: bool


@dataclass(frozen=True, slots=True)
class UnderlyingLines:
    """The scan of one underlying (E34) and the two factors (WAD) that make requirements of it."""

    underlying: int
    scenarios: tuple[ScenarioLine, ...]
    worst: int
    scan_e34: int
    initial_factor_wad: int
    maintenance_factor_wad: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """An account's figures with everything behind them; cash and equity in E8."""

    cash_e8: int
    margin: Margin
    positions: tuple[PositionLine, ...]
    underlyings: tuple[UnderlyingLines, ...]

    @property
    def equity_e8(self) -> int:
        """Cash plus portfolio value."""
        return self.cash_e8 + self.margin.value

    @property
    def initial_excess_e8(self) -> int:
        """Equity less initial margin: what could still be used; negative when risk may only be reduced."""
        return self.equity_e8 - self.margin.initial

    @property
    def maintenance_excess_e8(self) -> int:
        """Equity less maintenance margin: negative when the account can be called."""
        return self.equity_e8 - self.margin.maintenance


def explain(cash_e8: int, positions: Sequence[tuple[Instrument, int]], values: ValueTable) -> Explanation:
    """Margin one portfolio and keep every step. Errors: the specification's."""
    model = values.model
    figures = margin(positions, model, values)
    worst = {scan.underlying: scan.worst for scan in figures.scans}
    lines = []
    for instrument, quantity in positions:
        row = values(instrument)
        there = row[1 + worst[instrument.underlying]]
        lines.append(PositionLine(instrument, quantity, row[0], there, quantity * (there - row[0])))
    underlyings = []
    for scan in figures.scans:
        section = model.section(scan.underlying)
        scenarios = tuple(
            ScenarioLine(index, scenario, -loss, index == scan.worst)
            for index, (scenario, loss) in enumerate(zip(section.scenarios, scan.losses, strict=True))
        )
        underlyings.append(
            UnderlyingLines(
                scan.underlying,
                scenarios,
                scan.worst,
                scan.scan,
                section.initial_factor_wad,
                section.maintenance_factor_wad,
            )
        )
    return Explanation(cash_e8, figures, tuple(lines), tuple(underlyings))
