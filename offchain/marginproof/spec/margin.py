"""From values to requirements: exact sums, one rounding at the end.

For every underlying u, scenario s of its model section, and live expiry e:

    sum(e, s)    = sum over options of quantity * value in s                                    E16, exact
    change(e, s) = static discount(sum(e, s)) - sum(e, now) + change of the futures             E16, one floor in the discount
                   minus its absolute value if s is a skew
    loss(s)      = -weight(s) * (sum over e of change(e, s) + change of spot and perpetuals)    E34
    loss(charge) = the competing charges, as further indices                                    E34
    worst(u)     = the lowest index with the greatest loss
    scan(u)      = max(0, loss(worst(u)))
    initial      = ceil(sum over u of (initial factor * scan + initial add-ons) / 10^44)        E8
    maintenance  = the same with the maintenance factor and add-ons
    value        = floor(sum of quantity * value now / 10^8)                                    E8
    spot value   = the same over spot collateral only

A requirement is a maximum, scaled, plus terms that do not depend on s: one index per underlying proves it wrong in either direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from .add_ons import AddOn, add_ons
from .fixed_point import ceil_div, floor_div, mul_shift
from .holdings import ExpiryHoldings, Holdings, hold
from .instruments import Instrument, Kind
from .market import MarketSnapshot
from .model import Charge, Model, ModelSection, Scenario, VolKind
from .scenario import NOW, Vols, instrument_delta, instrument_value, require_live
from .tenor import basis_factor, static_discounts
from .units import E8, E34, ONE_WAD

REQUIREMENT_SCALE: Final = 10**44
"""Factor (WAD) x scan (E34) is 10^52, as are add-ons; a requirement is E8."""


def columns(section: ModelSection) -> tuple[Scenario, ...]:
    """The moves in which an underlying's instruments are valued: now, the scenarios, and, if there is a basis charge, its two."""
    moves = (NOW, *section.scenarios)
    if Charge.BASIS not in section.charges():
        return moves
    return (
        *moves,
        *(Scenario(spot, VolKind.NONE, ONE_WAD) for spot in (section.basis_up, section.basis_down)),
    )


class ValueTable(Protocol):
    """Values and deltas of instruments in one market under one model."""

    @property
    def market(self) -> MarketSnapshot:
        """The market."""

    @property
    def model(self) -> Model:
        """The model."""

    def __call__(self, instrument: Instrument) -> Sequence[int]:
        """Values of one unit, E8, one per column of its underlying's section (`columns`)."""

    def delta(self, instrument: Instrument) -> int:
        """Delta of one unit, Q60 (`instrument_delta`)."""


@dataclass(frozen=True, slots=True)
class UnderlyingScan:
    """The scan of one underlying: every loss (E34), scenarios first, then charges; the index of the worst; the scan (E34, at least 0); the
    initial factor with the peg's part (WAD); and the add-ons."""

    underlying: int
    losses: tuple[int, ...]
    worst: int
    scan: E34
    initial_factor: int
    add_ons: tuple[AddOn, ...]


@dataclass(frozen=True, slots=True)
class Margin:
    """An account's figures, E8: portfolio value and its spot part (down), requirements (up); and the scans behind them."""

    value: E8
    spot_value: E8
    initial: E8
    maintenance: E8
    scans: tuple[UnderlyingScan, ...]


class SpecValues:
    """Values by the specification, remembered per instrument. `vols` overrides the smile per strike: what-if runs only."""

    def __init__(self, market: MarketSnapshot, model: Model, vols: Vols | None = None) -> None:
        self.market = market
        self.model = model
        self.vols = vols or {}
        self._known: dict[Instrument, tuple[int, ...]] = {}

    def __call__(self, instrument: Instrument) -> tuple[int, ...]:
        """The row of one instrument."""
        if instrument not in self._known:
            section = self.model.section(instrument.underlying)
            self._known[instrument] = tuple(
                instrument_value(instrument, self.market, section, move, self.vols)
                for move in columns(section)
            )
        return self._known[instrument]

    def delta(self, instrument: Instrument) -> int:
        """Delta of one unit, Q60."""
        return instrument_delta(instrument, self.market, self.model.section(instrument.underlying), self.vols)


def value_table(market: MarketSnapshot, model: Model, vols: Vols | None = None) -> SpecValues:
    """Values by the specification."""
    return SpecValues(market, model, vols)


def _change(positions: Sequence[tuple[Instrument, int]], values: ValueTable, column: int) -> int:
    return sum(quantity * (values(i)[column] - values(i)[0]) for i, quantity in positions)


def discounted_sum(total: int, discounts: tuple[int, int]) -> int:
    """floor(sum * discount), E16: the first discount (Q58) for sums at or above zero, the second below."""
    return mul_shift(total, discounts[0] if total >= 0 else discounts[1], 58)


def expiry_change(
    holdings: ExpiryHoldings, values: ValueTable, column: int, is_skew: bool, discounts: tuple[int, int]
) -> int:
    """The change of one live expiry in a scenario, E16: options with the static discount on their sum there, futures without."""
    there = sum(quantity * values(i)[column] for i, quantity in holdings.options)
    now = sum(quantity * values(i)[0] for i, quantity in holdings.options)
    change = discounted_sum(there, discounts) - now + _change(holdings.futures, values, column)
    return -abs(change) if is_skew else change


def scenario_losses(held: Holdings, section: ModelSection, values: ValueTable) -> tuple[int, ...]:
    """The loss in every scenario, E34."""
    market = values.market
    quotes = market.underlying(section.underlying)
    discounts = {
        expiry: static_discounts(section, require_live(quotes, expiry).rate_wad, expiry - market.time)
        for expiry in held.expiries
    }
    return tuple(
        -scenario.weight_wad
        * (
            _change(held.undated, values, 1 + s)
            + sum(
                expiry_change(holdings, values, 1 + s, scenario.kind.is_skew, discounts[expiry])
                for expiry, holdings in held.expiries.items()
            )
        )
        for s, scenario in enumerate(section.scenarios)
    )


def basis_loss(held: Holdings, section: ModelSection, values: ValueTable) -> E34:
    """The basis charge: per live expiry the worse of the two forward moves (or none), times the expiry's factor, summed. E34.

    Volatility is unchanged and nothing is discounted statically; spot and perpetuals do not move.
    """
    up = 1 + len(section.scenarios)
    return E34(
        sum(
            -min(0, *(_change([*h.options, *h.futures], values, column) for column in (up, up + 1)))
            * basis_factor(section, expiry - values.market.time)
            for expiry, h in held.expiries.items()
        )
    )


def delta_loss(held: Holdings, section: ModelSection, values: ValueTable) -> E34:
    """The delta charge: (deltaNet * |net| + deltaHedged * min(long, short)) * spot, E34, one rounding, up.

    long and short are the sums of quantity * delta of either sign over everything live. Source: the scan-24 model.
    """
    deltas = [quantity * values.delta(i) for i, quantity in held.moving()]
    long, short = sum(d for d in deltas if d > 0), -sum(d for d in deltas if d < 0)
    weighted = section.delta_net * abs(long - short) + section.delta_hedged * min(long, short)
    return E34(ceil_div(weighted * values.market.underlying(section.underlying).spot_e8, 1 << 60))


def short_minimum_loss(held: Holdings, section: ModelSection, values: ValueTable) -> E34:
    """The least charge for short options: (shortMinimum + floor(shortMinimumRate * spot)) per unit short, instrument by instrument. E34.

    Source: the short option minimum of SPAN and the per-contract minimum of the options clearing rules.
    """
    spot = values.market.underlying(section.underlying).spot_e8
    minimum = section.short_minimum + floor_div(section.short_minimum_rate * spot, ONE_WAD)
    shorts = sum(-quantity for _, quantity in held.options() if quantity < 0)
    return E34(minimum * shorts * ONE_WAD)


CHARGES: Final = {
    Charge.BASIS: basis_loss,
    Charge.DELTA: delta_loss,
    Charge.SHORT_MINIMUM: short_minimum_loss,
}


def initial_factor(section: ModelSection, settlement_token_e8: int) -> int:
    """The initial factor, WAD: initialFactor + pegFactor * shortfall of the settlement token below pegThreshold, rounded up."""
    shortfall = max(0, section.peg_threshold - settlement_token_e8)
    return section.initial_factor + ceil_div(section.peg_factor * shortfall, 10**8)


def scan_underlying(positions: Sequence[tuple[Instrument, int]], values: ValueTable) -> UnderlyingScan:
    """Scan the positions of one underlying (at least one; instrument and quantity in E8)."""
    section = values.model.section(positions[0][0].underlying)
    quotes = values.market.underlying(section.underlying)
    held = hold(positions, quotes)
    losses = scenario_losses(held, section, values)
    losses += tuple(CHARGES[charge](held, section, values) for charge in section.charges())
    worst = losses.index(max(losses))
    return UnderlyingScan(
        section.underlying,
        losses,
        worst,
        E34(max(0, losses[worst])),
        initial_factor(section, values.market.settlement_token_e8),
        add_ons(held, section, quotes),
    )


def requirement(terms: Sequence[tuple[int, int, int]]) -> E8:
    """ceil(sum of (factor (WAD) x scan (E34) + add-ons (10^52)) / 10^44), E8."""
    return E8(ceil_div(sum(factor * scan + extra for factor, scan, extra in terms), REQUIREMENT_SCALE))


def margin(positions: Sequence[tuple[Instrument, int]], values: ValueTable) -> Margin:
    """All figures of one portfolio. `positions` are distinct instruments with non-zero quantities (E8), in any order."""
    underlyings = sorted({instrument.underlying for instrument, _ in positions})
    scans = tuple(
        scan_underlying([p for p in positions if p[0].underlying == underlying], values)
        for underlying in underlyings
    )
    now = sum(quantity * values(instrument)[0] for instrument, quantity in positions)
    spot = sum(quantity * values(i)[0] for i, quantity in positions if i.kind == Kind.SPOT)
    return Margin(
        value=E8(floor_div(now, 10**8)),
        spot_value=E8(floor_div(spot, 10**8)),
        initial=requirement([(s.initial_factor, s.scan, sum(a.initial for a in s.add_ons)) for s in scans]),
        maintenance=requirement(
            [
                (
                    values.model.section(s.underlying).maintenance_factor,
                    s.scan,
                    sum(a.maintenance for a in s.add_ons),
                )
                for s in scans
            ]
        ),
        scans=scans,
    )
