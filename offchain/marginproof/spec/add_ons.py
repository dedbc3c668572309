"""Add-ons: what a requirement holds beside the scan. Each is a rate of a notional, exact, and never negative."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .holdings import ExpiryHoldings, Holdings
from .instruments import Instrument, Kind
from .market import UnderlyingMarket
from .model import ModelSection
from .units import ONE_WAD


@dataclass(frozen=True, slots=True)
class AddOn:
    """One add-on: its name, the notional it is taken of (E16), and what it adds to either requirement (10^52, initial the whole)."""

    name: str
    notional: int
    maintenance: int
    initial: int


def _rate(name: str, notional: int, maintenance_wad: int, initial_wad: int) -> AddOn:
    maintenance = notional * maintenance_wad * ONE_WAD
    return AddOn(name, notional, maintenance, maintenance + notional * initial_wad * ONE_WAD)


def gross(positions: Iterable[tuple[Instrument, int]]) -> int:
    """Sum of sizes, E8."""
    return sum(abs(quantity) for _, quantity in positions)


def naked_shorts(options: Iterable[tuple[Instrument, int]]) -> int:
    """Short options that no long one covers, E8: per strike (of each expiry), calls and puts together, what is net short."""
    net: Counter[tuple[int, int]] = Counter()
    for instrument, quantity in options:
        net[instrument.expiry, instrument.strike_e8] += quantity
    return sum(-quantity for quantity in net.values() if quantity < 0)


def confidence_add_on(section: ModelSection, confidence_wad: int, notional: int) -> int:
    """(1 - confidence) * confidenceRate * notional, 10^52, if the confidence is below the threshold; else 0."""
    if confidence_wad >= section.confidence_threshold:
        return 0
    return (ONE_WAD - confidence_wad) * section.confidence_rate * notional


def add_ons(held: Holdings, section: ModelSection, quotes: UnderlyingMarket) -> tuple[AddOn, ...]:
    """The add-ons of one underlying, notionals at the spot price; those of nothing held are left out.

    An expiry's confidence is the lesser of its own and the underlying's.
    """
    spot = quotes.spot_e8
    perpetuals = gross(p for p in held.undated if p[0].kind == Kind.PERPETUAL) * spot
    collateral = gross(p for p in held.undated if p[0].kind == Kind.SPOT) * spot
    rows = (
        _rate(
            "nakedShortOptions",
            naked_shorts(held.options()) * spot,
            section.naked_maintenance,
            section.naked_initial,
        ),
        _rate("perpetuals", perpetuals, section.perpetual_maintenance, section.perpetual_initial),
        _rate("futures", gross(held.futures()) * spot, section.future_maintenance, section.future_initial),
        _rate("collateralHaircut", collateral, section.haircut_maintenance, section.haircut_initial),
        _confidence(held, section, quotes, perpetuals + collateral),
    )
    return tuple(row for row in rows if row.initial)


def _confidence(held: Holdings, section: ModelSection, quotes: UnderlyingMarket, undated: int) -> AddOn:
    def notional(holdings: ExpiryHoldings) -> int:
        return (gross(holdings.options) + gross(holdings.futures)) * quotes.spot_e8

    parts = [(quotes.confidence_wad, undated)]
    parts += [
        (min(quotes.confidence_wad, quote.confidence_wad), notional(held.expiries[quote.expiry]))
        for quote in quotes.expiries
        if quote.expiry in held.expiries
    ]
    low = [(c, n) for c, n in parts if c < section.confidence_threshold]
    charged = sum(confidence_add_on(section, confidence, amount) for confidence, amount in low)
    return AddOn("confidence", sum(amount for _, amount in low), 0, charged)
