"""How an account's margin came about: every figure between the positions and the requirement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marginproof.spec.add_ons import AddOn
from marginproof.spec.holdings import hold
from marginproof.spec.instruments import Instrument
from marginproof.spec.margin import (
    Margin,
    UnderlyingScan,
    ValueTable,
    discounted_sum,
    expiry_change,
    margin,
)
from marginproof.spec.model import Charge, ModelSection, Scenario
from marginproof.spec.scenario import require_live
from marginproof.spec.tenor import static_discounts


@dataclass(frozen=True, slots=True)
class PositionLine:
    """One position: quantity (E8), value of one unit now and in its underlying's worst scenario (E8), change there (E16).

    The last two are None where a charge decides: a charge is no one state of the market.
    """

    instrument: Instrument
    quantity: int
    unit_value_e8: int
    worst_unit_value_e8: int | None
    worst_change_e16: int | None

    @property
    def worst_value_e16(self) -> int | None:
        """Value of the whole position in the worst scenario, E16."""
        return None if self.worst_unit_value_e8 is None else self.quantity * self.worst_unit_value_e8


@dataclass(frozen=True, slots=True)
class ScenarioLine:
    """One scenario of one underlying: its change of value, weighted, exact (E34), and whether it decides."""

    index: int
    scenario: Scenario
    change_e34: int
    decides: bool


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One competing charge of one underlying: minus what it charges (E34), and whether it decides."""

    index: int
    charge: Charge
    change_e34: int
    decides: bool


@dataclass(frozen=True, slots=True)
class ExpiryLine:
    """The options of one live expiry in the worst scenario: their sum there (E16), the static discount that it takes (Q58), the
    discounted sum (E16), and the change of the whole expiry with its futures (E16; minus its size in a skew)."""

    expiry: int
    sum_e16: int
    discount_q58: int
    discounted_e16: int
    change_e16: int


@dataclass(frozen=True, slots=True)
class UnderlyingLines:
    """The scan of one underlying (E34), what competed in it, the two factors (WAD, the initial one with the peg's part) and the
    add-ons that make requirements of it. `expiries` is empty where a charge decides."""

    underlying: int
    section: ModelSection
    scenarios: tuple[ScenarioLine, ...]
    charges: tuple[ChargeLine, ...]
    expiries: tuple[ExpiryLine, ...]
    worst: int
    scan_e34: int
    initial_factor_wad: int
    maintenance_factor_wad: int
    add_ons: tuple[AddOn, ...]


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
    figures = margin(positions, values)
    worst = {scan.underlying: scan.worst for scan in figures.scans}
    lines = tuple(
        _position(instrument, quantity, worst[instrument.underlying], values)
        for instrument, quantity in positions
    )
    underlyings = tuple(
        _underlying(scan, [p for p in positions if p[0].underlying == scan.underlying], values)
        for scan in figures.scans
    )
    return Explanation(cash_e8, figures, lines, underlyings)


def _position(instrument: Instrument, quantity: int, worst: int, values: ValueTable) -> PositionLine:
    row = values(instrument)
    if worst >= len(values.model.section(instrument.underlying).scenarios):
        return PositionLine(instrument, quantity, row[0], None, None)
    there = row[1 + worst]
    return PositionLine(instrument, quantity, row[0], there, quantity * (there - row[0]))


def _underlying(
    scan: UnderlyingScan, positions: Sequence[tuple[Instrument, int]], values: ValueTable
) -> UnderlyingLines:
    section = values.model.section(scan.underlying)
    count = len(section.scenarios)
    scenarios = tuple(
        ScenarioLine(index, scenario, -loss, index == scan.worst)
        for index, (scenario, loss) in enumerate(zip(section.scenarios, scan.losses[:count], strict=True))
    )
    charges = tuple(
        ChargeLine(index, charge, -loss, index == scan.worst)
        for index, (charge, loss) in enumerate(
            zip(section.charges(), scan.losses[count:], strict=True), count
        )
    )
    return UnderlyingLines(
        scan.underlying,
        section,
        scenarios,
        charges,
        _expiries(scan.worst, section, positions, values) if scan.worst < count else (),
        scan.worst,
        scan.scan,
        scan.initial_factor,
        section.maintenance_factor,
        scan.add_ons,
    )


def _expiries(
    worst: int, section: ModelSection, positions: Sequence[tuple[Instrument, int]], values: ValueTable
) -> tuple[ExpiryLine, ...]:
    quotes = values.market.underlying(section.underlying)
    lines = []
    for expiry, holdings in hold(positions, quotes).expiries.items():
        rate = require_live(quotes, expiry).rate_wad
        discounts = static_discounts(section, rate, expiry - values.market.time)
        there = sum(quantity * values(i)[1 + worst] for i, quantity in holdings.options)
        change = expiry_change(holdings, values, 1 + worst, section.scenarios[worst].kind.is_skew, discounts)
        lines.append(
            ExpiryLine(
                expiry,
                there,
                discounts[0] if there >= 0 else discounts[1],
                discounted_sum(there, discounts),
                change,
            )
        )
    return tuple(lines)
