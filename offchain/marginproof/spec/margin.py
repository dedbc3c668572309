"""From values to requirements: exact sums, one rounding at the end.

For every underlying u and scenario s of its model section:

    change(u, s) = weight(s) * sum over positions of quantity * (value in s - value now)      E34, exact
    loss(u, s)   = -change(u, s)
    worst(u)     = the lowest s with the greatest loss
    scan(u)      = max(0, loss(u, worst(u)))
    initial      = ceil(sum over u of initialFactor(u) * scan(u) / 10^44)                     E8
    maintenance  = ceil(sum over u of maintenanceFactor(u) * scan(u) / 10^44)                 E8
    value        = floor(sum of quantity * value now / 10^8)                                  E8
    spot value   = the same over spot collateral only

Because every requirement is a maximum, scaled, one scenario per underlying proves a requirement wrong in either direction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from .fixed_point import ceil_div, floor_div
from .instruments import Instrument, Kind
from .market import MarketSnapshot
from .model import Model
from .scenario import instrument_value
from .units import E8, E34

REQUIREMENT_SCALE: Final = 10**44
"""Factor (WAD) x scan (E34) is 10^52; a requirement is E8."""

ValueTable = Callable[[Instrument], Sequence[int]]
"""Values of an instrument, E8: index 0 now, index 1 + s in scenario s."""


@dataclass(frozen=True, slots=True)
class UnderlyingScan:
    """The scan of one underlying: every loss (E34), the index of the worst, and the scan (E34, at least 0)."""

    underlying: int
    losses: tuple[int, ...]
    worst: int
    scan: E34


@dataclass(frozen=True, slots=True)
class Margin:
    """An account's figures, E8: portfolio value and its spot part (down), requirements (up); and the scans behind them."""

    value: E8
    spot_value: E8
    initial: E8
    maintenance: E8
    scans: tuple[UnderlyingScan, ...]


def value_table(market: MarketSnapshot, model: Model) -> ValueTable:
    """Values by the specification, remembered per instrument."""
    known: dict[Instrument, tuple[int, ...]] = {}

    def values(instrument: Instrument) -> tuple[int, ...]:
        if instrument not in known:
            section = model.section(instrument.underlying)
            known[instrument] = tuple(
                instrument_value(instrument, market, section, scenario)
                for scenario in (None, *section.scenarios)
            )
        return known[instrument]

    return values


def scan_underlying(
    positions: Sequence[tuple[Instrument, int]], model: Model, values: ValueTable
) -> UnderlyingScan:
    """Scan the positions of one underlying (at least one; instrument and quantity in E8)."""
    section = model.section(positions[0][0].underlying)
    rows = [(quantity, values(instrument)) for instrument, quantity in positions]
    losses = tuple(
        -scenario.weight_wad * sum(quantity * (row[s + 1] - row[0]) for quantity, row in rows)
        for s, scenario in enumerate(section.scenarios)
    )
    worst = losses.index(max(losses))
    return UnderlyingScan(section.underlying, losses, worst, E34(max(0, losses[worst])))


def requirement(scans: Sequence[tuple[int, int]]) -> E8:
    """ceil(sum of factor (WAD) x scan (E34) / 10^44), E8."""
    return E8(ceil_div(sum(factor * scan for factor, scan in scans), REQUIREMENT_SCALE))


def margin(positions: Sequence[tuple[Instrument, int]], model: Model, values: ValueTable) -> Margin:
    """All figures of one portfolio. `positions` are distinct instruments with non-zero quantities (E8), in any order."""
    underlyings = sorted({instrument.underlying for instrument, _ in positions})
    scans = tuple(
        scan_underlying([p for p in positions if p[0].underlying == underlying], model, values)
        for underlying in underlyings
    )
    sections = [model.section(scan.underlying) for scan in scans]
    now = sum(quantity * values(instrument)[0] for instrument, quantity in positions)
    spot = sum(quantity * values(i)[0] for i, quantity in positions if i.kind == Kind.SPOT)
    return Margin(
        value=E8(floor_div(now, 10**8)),
        spot_value=E8(floor_div(spot, 10**8)),
        initial=requirement(
            [(s.initial_factor_wad, scan.scan) for s, scan in zip(sections, scans, strict=True)]
        ),
        maintenance=requirement(
            [(s.maintenance_factor_wad, scan.scan) for s, scan in zip(sections, scans, strict=True)]
        ),
        scans=scans,
    )
