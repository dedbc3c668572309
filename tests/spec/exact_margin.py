"""A whole requirement at 50 digits: scenarios, static discounts, charges, add-ons, factors. No rounding anywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from mpmath import mp, mpf

from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.market import MarketSnapshot, UnderlyingMarket
from marginproof.spec.model import Model, ModelSection, Scenario, VolKind

from . import exact

NOW = Scenario(10**18, VolKind.NONE, 10**18)
Book = list[tuple[Instrument, int]]
Rows = list[tuple[Instrument, mpf]]
"""Instruments with quantities in units."""


class Requirement(NamedTuple):
    """An account's figures in USD."""

    value: mpf
    spot_value: mpf
    initial: mpf
    maintenance: mpf


@dataclass
class World:
    """A market and a model, with every value remembered."""

    market: MarketSnapshot
    model: Model
    values: dict[tuple[Instrument, Scenario], mpf] = field(default_factory=dict)
    deltas: dict[Instrument, mpf] = field(default_factory=dict)

    def value(self, instrument: Instrument, move: Scenario) -> mpf:
        """Value of one unit."""
        key = instrument, move
        if key not in self.values:
            section = self.model.section(instrument.underlying)
            self.values[key] = exact.value(instrument, self.market, section, move)
        return self.values[key]

    def delta(self, instrument: Instrument) -> mpf:
        """Delta of one unit."""
        if instrument not in self.deltas:
            self.deltas[instrument] = exact.delta(instrument, self.market)
        return self.deltas[instrument]

    def sum(self, rows: Rows, move: Scenario) -> mpf:
        """What positions are worth."""
        return mp.fsum(quantity * self.value(i, move) for i, quantity in rows)

    def requirement(self, book: Book) -> Requirement:
        """All figures of an account."""
        rows = [(instrument, quantity / exact.E8) for instrument, quantity in book]
        parts = [self._underlying(u, rows) for u in sorted({i.underlying for i, _ in rows})]
        return Requirement(
            self.sum(rows, NOW),
            self.sum([row for row in rows if row[0].kind == Kind.SPOT], NOW),
            mp.fsum(initial for initial, _ in parts),
            mp.fsum(maintenance for _, maintenance in parts),
        )

    def _underlying(self, underlying: int, rows: Rows) -> tuple[mpf, mpf]:
        quotes, section = self.market.underlying(underlying), self.model.section(underlying)
        held = [row for row in rows if row[0].underlying == underlying]
        moving = [row for row in held if not row[0].kind.is_dated or exact.live(quotes, row[0].expiry)]
        scan = max(
            mpf(0),
            *(self._loss(moving, quotes, section, move) for move in section.scenarios),
            self._basis(moving, section),
            self._delta(moving, quotes, section),
            _short_minimum(moving, quotes, section),
        )
        token = self.market.settlement_token_e8
        peg = exact.wad(section.peg_factor) * max(0, section.peg_threshold - token) / exact.E8
        initial, maintenance = _add_ons(moving, quotes, section)
        factor = exact.wad(section.initial_factor) + peg
        return factor * scan + initial, exact.wad(section.maintenance_factor) * scan + maintenance

    def _loss(self, rows: Rows, quotes: UnderlyingMarket, section: ModelSection, move: Scenario) -> mpf:
        change = mpf(0)
        for expiry, held in _by_expiry(rows).items():
            options = [row for row in held if row[0].kind.is_option]
            rest = [row for row in held if not row[0].kind.is_option]
            there = self.sum(options, move)
            quote = exact.live(quotes, expiry)
            if quote is not None:
                pair = exact.static_discounts(section, quote.rate_wad, expiry - self.market.time)
                there *= pair[0] if there >= 0 else pair[1]
            part = there - self.sum(options, NOW) + self.sum(rest, move) - self.sum(rest, NOW)
            change += -abs(part) if move.kind.is_skew and quote is not None else part
        return -change * exact.wad(move.weight_wad)

    def _basis(self, rows: Rows, section: ModelSection) -> mpf:
        charge = mpf(0)
        moves = [Scenario(spot, VolKind.NONE, 10**18) for spot in (section.basis_up, section.basis_down)]
        for expiry, held in _by_expiry([row for row in rows if row[0].kind.is_dated]).items():
            losses = [self.sum(held, NOW) - self.sum(held, move) for move in moves]
            charge += max(mpf(0), *losses) * exact.basis_factor(section, expiry - self.market.time)
        return charge

    def _delta(self, rows: Rows, quotes: UnderlyingMarket, section: ModelSection) -> mpf:
        deltas = [quantity * self.delta(i) for i, quantity in rows]
        long, short = mp.fsum(d for d in deltas if d > 0), -mp.fsum(d for d in deltas if d < 0)
        charge = exact.wad(section.delta_net) * abs(long - short)
        charge += exact.wad(section.delta_hedged) * min(long, short)
        return charge * quotes.spot_e8 / exact.E8


def _by_expiry(rows: Rows) -> dict[int, Rows]:
    groups: dict[int, Rows] = defaultdict(list)
    for row in rows:
        groups[row[0].expiry].append(row)
    return groups


def _short_minimum(rows: Rows, quotes: UnderlyingMarket, section: ModelSection) -> mpf:
    each = (
        section.short_minimum / exact.E8 + exact.wad(section.short_minimum_rate) * quotes.spot_e8 / exact.E8
    )
    return each * mp.fsum(max(mpf(0), -quantity) for i, quantity in rows if i.kind.is_option)


def _gross(rows: Rows, wanted: Callable[[Instrument], bool]) -> mpf:
    return mp.fsum(abs(quantity) for i, quantity in rows if wanted(i))


def _add_ons(rows: Rows, quotes: UnderlyingMarket, section: ModelSection) -> tuple[mpf, mpf]:
    """Initial and maintenance, USD."""
    spot = quotes.spot_e8 / exact.E8
    net: dict[tuple[int, int], mpf] = defaultdict(mpf)
    for i, quantity in rows:
        if i.kind.is_option:
            net[i.expiry, i.strike_e8] += quantity
    naked = mp.fsum(max(mpf(0), -quantity) for quantity in net.values())
    rated = (
        (naked, section.naked_maintenance, section.naked_initial),
        (
            _gross(rows, lambda i: i.kind == Kind.PERPETUAL),
            section.perpetual_maintenance,
            section.perpetual_initial,
        ),
        (_gross(rows, lambda i: i.kind == Kind.FUTURE), section.future_maintenance, section.future_initial),
        (_gross(rows, lambda i: i.kind == Kind.SPOT), section.haircut_maintenance, section.haircut_initial),
    )
    maintenance = mp.fsum(size * spot * exact.wad(rate) for size, rate, _ in rated)
    initial = mp.fsum(size * spot * exact.wad(rate) for size, _, rate in rated)
    for i, quantity in rows:
        quote = exact.live(quotes, i.expiry)
        confidence = min(quotes.confidence_wad, quote.confidence_wad) if quote else quotes.confidence_wad
        if confidence < section.confidence_threshold:
            shortfall = exact.wad(10**18 - confidence) * exact.wad(section.confidence_rate)
            initial += shortfall * abs(quantity) * spot
    return maintenance + initial, maintenance
