"""Whether smiles admit static arbitrage: variance at or below zero, butterflies, too steep wings, crossed expiries.

Floats, for analytics: nothing here refuses a smile, and nothing committed depends on it. A finding is a statement about the fitted
curve on the grid below; between the grid's points the curve is smooth.

Grid: 401 strikes evenly spaced in k = ln(strike / forward) over 8 standard deviations of the log price on either side of the forward
(`REACH`), widened to the strikes that were quoted where these are known, never beyond strikes of 1/100 and 100 times the forward;
and 81 strikes around the smile's bottom, within 10 sigma of m, where a sharp smile bends most. For two expiries the nearer one's
range counts: beyond it the nearer option is worth next to nothing.

Sources: J. Gatheral and A. Jacquier, Arbitrage-free SVI volatility surfaces, Quantitative Finance 14 (2014): definition 2.1 and
lemma 2.1 (calendar), lemma 2.2 (butterfly, after V. Durrleman). R. W. Lee, The moment formula for implied volatility at extreme
strikes, Mathematical Finance 14 (2004): the slope of total variance in |k| is at most 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.special import ndtr

from ..documents.instrument_names import format_expiry
from ..documents.market_document import ExpiryEntry, MarketDocument, UnderlyingEntry
from .raw_svi import Floats, RawSvi

REACH: Final = 8.0
"""Standard deviations on either side of the forward over which smiles are checked, as volatility at the money has them: by that of
the wings themselves, which is higher, about half as many.
"""
MAX_LOG_MONEYNESS: Final = math.log(100)
"""Strikes further from the forward than 100 times are outside the domain of pricing."""
MAX_WING_SLOPE: Final = 2.0
"""Lee's bound on the slope of total variance in |k|."""

_STEPS: Final = 401
_BOTTOM_STEPS: Final = 81
_BOTTOM_REACH: Final = 10.0
_LEAST_DENSITY: Final = -1e-6
"""Durrleman's g is of order 1; what lies between this and 0 is rounding."""
_LEAST_VARIANCE: Final = 1e-15
"""A least variance up to this is 0 but for rounding."""
_SLOPE_SLACK: Final = 1e-9
_VARIANCE_SLACK: Final = 1e-10
"""Parameters are kept to 12 decimals: crossings below this are rounding."""

Range = tuple[float, float]
"""Lowest and highest k = ln(strike / forward)."""


class Violation(StrEnum):
    """Which condition a smile, or a pair of expiries, fails."""

    VARIANCE = "variance"
    BUTTERFLY = "butterfly"
    WING_SLOPE = "wing slope"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class Finding:
    """One violated condition, at the strike where it is worst.

    `amount` is, for VARIANCE, the least total variance (0 or below); for BUTTERFLY, the probability that the implied distribution takes
    away where its density is negative (0.01 = 1 %); for WING_SLOPE, the slope of the steeper wing (above 2); for CALENDAR, by how
    much an option on the nearer expiry is dearer than one on `later_expiry` at the same k, USD per unit of the underlying. `excess` is
    Durrleman's g for BUTTERFLY (negative), the difference of total variance for CALENDAR, otherwise 0. `deviations` is the
    distance of `strike` (USD) from the forward in standard deviations; both are 0 for VARIANCE and WING_SLOPE.
    """

    violation: Violation
    underlying: str
    expiry: int
    amount: float
    strike: float = 0.0
    deviations: float = 0.0
    excess: float = 0.0
    later_expiry: int | None = None

    @property
    def words(self) -> str:
        """The finding as a sentence without a full stop."""
        name = f"{self.underlying}-{format_expiry(self.expiry)}"
        match self.violation:
            case Violation.VARIANCE:
                return f"{name}: the least total variance is {self.amount:.3g}; free of arbitrage: above 0"
            case Violation.WING_SLOPE:
                return f"{name}: a wing rises by {self.amount:.6g} in total variance per unit of ln(strike/forward); at most 2"
            case Violation.BUTTERFLY:
                return (
                    f"{name}: butterfly arbitrage, worst at strike {_figures(self.strike, 6)} ({self.deviations:+.1f} sd, g "
                    f"{self.excess:.3g}); the density is negative over {self.amount:.2g} of probability"
                )
            case Violation.CALENDAR:
                later = f"{self.underlying}-{format_expiry(self.later_expiry or 0)}"
                return (
                    f"{name} crosses {later}: calendar arbitrage, worst at strike {_figures(self.strike, 6)} "
                    f"({self.deviations:+.1f} sd), where the nearer option is dearer by {_figures(self.amount, 2)} USD a unit"
                )


def durrleman(smile: RawSvi, k: Floats) -> Floats:
    """Durrleman's g(k): proportional to the implied density, so that g below 0 is butterfly arbitrage.

    g = (1 - k w' / (2 w))^2 - w'^2 / 4 (1 / w + 1 / 4) + w'' / 2. The variance has to be positive at every k.
    """
    w, slope = smile.variance(k), smile.slope(k)
    return np.asarray((1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + smile.curvature(k) / 2)


def check_range(smile: RawSvi, quoted: Range | None = None) -> Range:
    """The range of k over which a smile is checked: REACH deviations, widened to what was quoted, inside the domain."""
    reach = REACH * smile.deviation
    low, high = quoted or (0.0, 0.0)
    return max(min(-reach, low), -MAX_LOG_MONEYNESS), min(max(reach, high), MAX_LOG_MONEYNESS)


def check_grid(smile: RawSvi, within: Range) -> Floats:
    """The strikes, as k in ascending order, at which a smile is checked."""
    even = np.linspace(*within, _STEPS)
    bottom = smile.m + smile.sigma * np.linspace(-_BOTTOM_REACH, _BOTTOM_REACH, _BOTTOM_STEPS)
    inside = bottom[(bottom > within[0]) & (bottom < within[1])]
    return np.asarray(np.unique(np.concatenate([even, inside])))


def smile_findings(symbol: str, entry: ExpiryEntry, quoted: Range | None = None) -> list[Finding]:
    """What one expiry's smile violates by itself; `quoted` is the range of k that was quoted, where known."""
    smile = RawSvi.of(entry.svi)
    if smile.least_variance <= _LEAST_VARIANCE:
        return [Finding(Violation.VARIANCE, symbol, entry.expiry, smile.least_variance)]
    found = []
    if smile.wing_slope > MAX_WING_SLOPE + _SLOPE_SLACK:
        found.append(Finding(Violation.WING_SLOPE, symbol, entry.expiry, smile.wing_slope))
    k = check_grid(smile, check_range(smile, quoted))
    g = durrleman(smile, k)
    worst = int(np.argmin(g))
    if g[worst] < _LEAST_DENSITY:
        found.append(
            Finding(
                Violation.BUTTERFLY,
                symbol,
                entry.expiry,
                _negative_probability(smile, k, g),
                strike=_strike(entry, k[worst]),
                deviations=float(k[worst]) / smile.deviation,
                excess=float(g[worst]),
            )
        )
    return found


def has_butterfly(smile: RawSvi, quoted: Range | None = None) -> bool:
    """Whether a smile admits butterfly arbitrage on the grid; False when its variance is not positive, which is worse."""
    if smile.least_variance <= _LEAST_VARIANCE:
        return False
    return bool(np.any(durrleman(smile, check_grid(smile, check_range(smile, quoted))) < _LEAST_DENSITY))


def calendar_findings(
    symbol: str, near: ExpiryEntry, later: ExpiryEntry, quoted: Range | None = None
) -> list[Finding]:
    """Where total variance falls from one expiry to a later one at equal k; `quoted` is what the nearer expiry quoted.

    The strike named is the nearer expiry's; the price is that of the option out of the money, undiscounted, at the later forward.
    """
    first, second = RawSvi.of(near.svi), RawSvi.of(later.svi)
    if first.deviation == 0:
        return []
    within = check_range(first, quoted)
    k = np.union1d(check_grid(first, within), check_grid(second, within))
    w1, w2 = first.variance(k), second.variance(k)
    if np.max(w1 - w2) <= _VARIANCE_SLACK:
        return []
    dearer = np.where(w1 - w2 > _VARIANCE_SLACK, _out_of_the_money(k, w1) - _out_of_the_money(k, w2), -1.0)
    worst = int(np.argmax(dearer))
    return [
        Finding(
            Violation.CALENDAR,
            symbol,
            near.expiry,
            float(dearer[worst]) * later.forward_e8 / 10**8,
            strike=_strike(near, k[worst]),
            deviations=float(k[worst]) / first.deviation,
            excess=float(w1[worst] - w2[worst]),
            later_expiry=later.expiry,
        )
    ]


def underlying_findings(entry: UnderlyingEntry, quoted: Mapping[int, Range] | None = None) -> list[Finding]:
    """All findings of one underlying: expiry by expiry in order of time, each followed by its crossing with the next."""
    ranges = quoted or {}
    expiries = sorted(entry.expiries, key=lambda item: item.expiry)
    crossings = {
        near.expiry: calendar_findings(entry.symbol, near, later, ranges.get(near.expiry))
        for near, later in pairwise(expiries)
    }
    found: list[Finding] = []
    for item in expiries:
        found += smile_findings(entry.symbol, item, ranges.get(item.expiry))
        found += crossings.get(item.expiry, [])
    return found


def document_findings(document: MarketDocument) -> list[Finding]:
    """All findings of a market document, underlying by underlying; empty when it is free of static arbitrage on the grid."""
    return [finding for entry in document.underlyings for finding in underlying_findings(entry)]


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each violation, those of none included."""
    known = list(findings)
    return {kind.value: sum(item.violation == kind for item in known) for kind in Violation}


def _negative_probability(smile: RawSvi, k: Floats, g: Floats) -> float:
    """Minus the integral of the implied density of ln(price / forward) where it is negative; trapezes over the grid."""
    total_vol = np.sqrt(smile.variance(k))
    d2 = -k / total_vol - total_vol / 2
    density = np.minimum(g * np.exp(-d2 * d2 / 2) / (total_vol * math.sqrt(2 * math.pi)), 0.0)
    return -float(np.sum((density[1:] + density[:-1]) / 2 * np.diff(k)))


def _out_of_the_money(k: Floats, variance: Floats) -> Floats:
    """Black's price of the option out of the money for a forward of 1, undiscounted. Prices of zero variance are 0."""
    total_vol = np.sqrt(np.maximum(variance, 1e-300))
    d1 = -k / total_vol + total_vol / 2
    side = np.where(k > 0, 1.0, -1.0)
    return np.asarray(side * (ndtr(side * d1) - np.exp(k) * ndtr(side * (d1 - total_vol))))


def _strike(entry: ExpiryEntry, k: float) -> float:
    return entry.forward_e8 / 10**8 * math.exp(k)


def _figures(value: float, digits: int) -> str:
    """A number for reading: so many significant digits, thousands separated."""
    return f"{float(f'{value:.{digits}g}'):,.10g}"
