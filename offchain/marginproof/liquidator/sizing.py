"""How large a slice to take, and how much cash it must bring: plans in exact integers, rules as in docs/protocol.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marginproof.engine.explain import Explanation, explain
from marginproof.engine.values import ValueTable
from marginproof.spec.fixed_point import ceil_div
from marginproof.spec.instruments import InstrumentTable
from marginproof.spec.portfolio import Position
from marginproof.spec.units import ONE_WAD

_SPARE_FRACTION_PERCENT = 2
DEFAULT_BUFFER_PERCENT = 50
"""Cash above initial margin that a fresh account gets, so that the next move does not put the liquidator itself below maintenance."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The house's terms: discount and largest slice (WAD), and the requirement below which everything may go at once (E8)."""

    discount_wad: int
    max_slice_wad: int
    dust_e8: int


def split(positions: Sequence[Position], fraction_wad: int) -> list[Position]:
    """The slice: this fraction of every position, rounded towards zero; what rounds to nothing stays out."""
    parts = [
        (p.instrument, abs(p.quantity) * fraction_wad // ONE_WAD * (1 if p.quantity > 0 else -1))
        for p in positions
    ]
    return [Position(instrument, quantity) for instrument, quantity in parts if quantity]


def slice_fraction(account: Explanation, terms: Terms) -> int:
    """The fraction (WAD) that should restore health, with a little to spare, within the house's limit.

    From (E - f d R)/((1 - f) R) >= 1: f >= (R - E)/(R (1 - d)). An account without equity pays no bonus, so all of it may go.
    """
    required, equity = account.margin.maintenance, account.equity_e8
    if equity <= 0 or required < terms.dust_e8:
        return ONE_WAD
    needed = ceil_div((required - equity) * ONE_WAD * ONE_WAD, required * (ONE_WAD - terms.discount_wad))
    return min(terms.max_slice_wad, needed * (100 + _SPARE_FRACTION_PERCENT) // 100)


@dataclass(frozen=True, slots=True)
class SliceCost:
    """What a slice asks of the liquidator, E8: `cash_in` moves into the fresh account so that it passes the margin gate with a
    buffer; `total` is that and the price at most, before the bonus, which the funding account must hold.
    """

    cash_in: int
    total: int


def slice_cost(
    positions: Sequence[Position], table: InstrumentTable, values: ValueTable, buffer_percent: int
) -> SliceCost:
    """The cost of taking these positions. Their value may be negative: then the liquidated account pays for them."""
    figures = explain(0, [(table.resolve(p.instrument), p.quantity) for p in positions], values).margin
    wanted = max(figures.initial, figures.spot_value) * (100 + buffer_percent) // 100
    cash_in = max(0, wanted - figures.value)
    return SliceCost(cash_in, cash_in + figures.value + 1)
