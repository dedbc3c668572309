"""Is a proposed market close enough to what this attester sees itself? Floats are fine here: nothing of it is committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt

from marginproof.protocol.settlement import confirmable
from marginproof.spec.market import ExpiryMarket, MarketSnapshot, UnderlyingMarket
from marginproof.spec.svi import Svi
from marginproof.spec.units import SECONDS_PER_YEAR

_WAD = 1e18
_PROBES = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Standard deviations from the money at which smiles are compared."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a proposal may be from the attester's own market.

    `price`: relative, for spot, forward, settlement price, the settlement token and, as a share of spot, cumulative funding.
    `confidence`: absolute. `vol_points`: absolute, in volatility (0.01 is one point), at 0, 1 and 2 standard deviations from the money.
    """

    price: float = 0.003
    vol_points: float = 0.02
    confidence: float = 0.05


def total_variance(svi: Svi, k: float) -> float:
    """Raw SVI in floats."""
    a, b, rho, m, sigma = (value / _WAD for value in (svi.a, svi.b, svi.rho, svi.m, svi.sigma))
    return a + b * (rho * (k - m) + sqrt((k - m) ** 2 + sigma**2))


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """What the chain says: recorded settlement prices (E8) by underlying and expiry, and the guard's deviations (basis points)."""

    settlements: Mapping[tuple[int, int], int]
    deviations_bps: Mapping[int, int]


def _may_be_spot(own_price: int, own_spot: int, deviation_bps: int) -> bool:
    """Whether spot may stand in for our settlement price: a keeper with slightly other prices might not be able to post ours."""
    return not confirmable(own_price, own_spot, deviation_bps // 2)


def _price_differs(name: str, proposed: int, own: int, tolerance: Tolerance) -> Iterator[str]:
    if abs(proposed - own) > tolerance.price * own:
        yield f"{name} is {proposed / 1e8:g}, ours is {own / 1e8:g} (allowed: {tolerance.price:.2%})"


def _smile_differs(
    name: str, proposed: ExpiryMarket, own: ExpiryMarket, time: int, allowed: float
) -> Iterator[str]:
    tau = (own.expiry - time) / SECONDS_PER_YEAR
    deviation = sqrt(max(total_variance(own.svi, 0.0), 1e-12))
    for probe in _PROBES:
        k = probe * deviation
        shift = log(own.forward_e8 / proposed.forward_e8)
        vols = [
            sqrt(max(total_variance(s, x), 0.0) / tau) for s, x in ((proposed.svi, k + shift), (own.svi, k))
        ]
        if abs(vols[0] - vols[1]) > allowed:
            yield (
                f"{name}: vol at {probe:+g} standard deviations is {vols[0]:.4f}, ours is {vols[1]:.4f} (allowed: {allowed:g})"
            )
            return


def _underlying_differs(
    proposed: UnderlyingMarket,
    own: UnderlyingMarket,
    time: int,
    tolerance: Tolerance,
    venue: VenueFacts,
) -> Iterator[str]:
    name = f"underlying {proposed.underlying}"
    yield from _price_differs(f"{name}: spot", proposed.spot_e8, own.spot_e8, tolerance)
    if abs(proposed.confidence_wad - own.confidence_wad) > tolerance.confidence * _WAD:
        yield f"{name}: confidence is {proposed.confidence_wad / _WAD:g}, ours is {own.confidence_wad / _WAD:g}"
    if abs(proposed.funding_e8 - own.funding_e8) > tolerance.price * own.spot_e8:
        yield f"{name}: funding is {proposed.funding_e8 / 1e8:g}, ours is {own.funding_e8 / 1e8:g}"
    own_prices = {s.expiry: s.price_e8 for s in own.settlements}
    for settlement in proposed.settlements:
        stored = venue.settlements.get((proposed.underlying, settlement.expiry))
        label = f"{name}: settlement of {settlement.expiry}"
        if stored is not None:
            if stored != settlement.price_e8:
                yield f"{label} is {settlement.price_e8 / 1e8:g}, the chain recorded {stored / 1e8:g}"
        elif settlement.expiry not in own_prices:
            yield f"{label}: we have no price"
        elif not _may_be_spot(
            own_prices[settlement.expiry], own.spot_e8, venue.deviations_bps[own.underlying]
        ) or list(_price_differs(label, settlement.price_e8, own.spot_e8, tolerance)):
            yield from _price_differs(label, settlement.price_e8, own_prices[settlement.expiry], tolerance)
    own_quotes = {quote.expiry: quote for quote in own.expiries}
    for quote in proposed.expiries:
        label = f"{name}: expiry {quote.expiry}"
        if quote.expiry not in own_quotes:
            yield f"{label}: we have no quote"
            continue
        mine = own_quotes[quote.expiry]
        yield from _price_differs(f"{label}: forward", quote.forward_e8, mine.forward_e8, tolerance)
        yield from _smile_differs(label, quote, mine, time, tolerance.vol_points)


def differences(
    proposed: MarketSnapshot,
    own: MarketSnapshot,
    tolerance: Tolerance,
    venue: VenueFacts,
) -> Sequence[str]:
    """Every way in which a proposed market is further from our own than allowed; empty when it is acceptable."""
    found = list(
        _price_differs("settlement token", proposed.settlement_token_e8, own.settlement_token_e8, tolerance)
    )
    sections = {section.underlying: section for section in own.underlyings}
    for section in proposed.underlyings:
        if section.underlying not in sections:
            found.append(f"underlying {section.underlying}: we have no market")
            continue
        found += _underlying_differs(section, sections[section.underlying], proposed.time, tolerance, venue)
    return found
