"""Least squares for a raw SVI smile: quotes in, five parameters out, with or without a penalty on negative densities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import least_squares

from .arbitrage import Range, check_range, durrleman
from .raw_svi import Floats, RawSvi

_LOWEST_VARIANCE: Final = 1e-9
MAX_EVALUATIONS: Final = 100
"""Of each start."""
_DENSITY_MARGIN: Final = 0.005
"""Durrleman's g is held above this at the penalised strikes, so that it stays above 0 between them."""
_PENALISED_STARTS: Final = 4
"""Every so many of the starts is taken for a fit with penalty."""
_PENALISED_STEPS: Final = 101
_PENALISED_BOTTOM: Final = np.linspace(-10.0, 10.0, 41)


@dataclass(frozen=True, slots=True)
class ExpiryQuotes:
    """The quotes of one expiry as arrays, in order of strike: k = ln(strike / forward), vols, years to expiry."""

    k: Floats
    vols: Floats
    tau: float
    count: int

    @property
    def range(self) -> Range:
        """Lowest and highest k."""
        return float(self.k[0]), float(self.k[-1])


def least_squares_smile(given: ExpiryQuotes, wing_weight: float) -> tuple[RawSvi, bool]:
    """The smile with the least vega-weighted sum of squared vol errors over all starts; whether any start converged.

    `wing_weight` is the least weight of a quote against 1 at the money.
    """
    variance = at_money_vol(given.k, given.vols) ** 2 * given.tau
    return _solved(given, wing_weight, 0.0, _starts(variance, given.k))


def penalised_smile(given: ExpiryQuotes, wing_weight: float, penalty: float, near: RawSvi) -> RawSvi:
    """The same with so many times the shortfall of Durrleman's g as a further error at each strike of a grid.

    Starts from the smile `near`, which has that shortfall, and from a few of the other starts.
    """
    variance = at_money_vol(given.k, given.vols) ** 2 * given.tau
    start = np.array([near.least_variance, near.wing_slope, near.rho, near.m, near.sigma])
    return _solved(given, wing_weight, penalty, [start, *_starts(variance, given.k)[::_PENALISED_STARTS]])[0]


def _solved(
    given: ExpiryQuotes, wing_weight: float, penalty: float, starts: list[Floats]
) -> tuple[RawSvi, bool]:
    k, vols, tau = given.k, given.vols, given.tau
    weights = np.sqrt(np.maximum(_relative_vega(k, vols * math.sqrt(tau)), wing_weight))
    variance = at_money_vol(k, vols) ** 2 * tau
    low, high = _bounds(variance)

    def residuals(x: Floats) -> Floats:
        smile = _smile(x)
        errors = np.asarray(weights * (np.sqrt(smile.variance(k) / tau) - vols))
        return np.concatenate([errors, penalty * _shortfall(smile, given.range)]) if penalty else errors

    best, least = low, math.inf
    converged = False
    for start in starts:
        found = least_squares(
            residuals,
            np.clip(start, low, high),
            bounds=(low, high),
            x_scale="jac",
            max_nfev=MAX_EVALUATIONS,
        )
        converged = converged or found.status > 0
        if found.cost < least * (1 - 1e-9):
            best, least = np.asarray(found.x), float(found.cost)
    return _smile(best), converged


def _shortfall(smile: RawSvi, quoted: Range) -> Floats:
    """How far Durrleman's g is below the margin at the penalised strikes, where it is."""
    within = check_range(smile, quoted)
    bottom = np.clip(smile.m + smile.sigma * _PENALISED_BOTTOM, *within)
    k = np.concatenate([np.linspace(*within, _PENALISED_STEPS), bottom])
    return np.asarray(np.maximum(_DENSITY_MARGIN - durrleman(smile, k), 0.0))


def at_money_vol(k: Floats, vols: Floats) -> float:
    """The quoted volatility at the forward, linear between the strikes beside it."""
    return float(np.interp(0.0, k, vols))


def _smile(x: Floats) -> RawSvi:
    """The smile of the fitted unknowns (least variance, steeper wing's slope, rho, m, sigma).

    In these unknowns a box keeps the variance positive and both wings below Lee's bound.
    """
    lowest, slope, rho, m, sigma = x
    b = slope / (1 + abs(rho))
    return RawSvi(lowest - b * sigma * math.sqrt(1 - rho * rho), b, rho, m, sigma)


def _bounds(variance: float) -> tuple[Floats, Floats]:
    return (
        np.array([min(_LOWEST_VARIANCE, variance / 2), 1e-9, -0.999, -2.0, 1e-4]),
        np.array([8.0, 2.0, 0.999, 2.0, 2.0]),
    )


def _starts(variance: float, k: Floats) -> list[Floats]:
    """Starting points: flat-bottomed and sharp, tilted either way, scaled to the variance at the money and
    the strikes' span.
    """
    width = max(math.sqrt(variance), 1e-3)
    span = float(k[-1] - k[0])
    return [
        np.array([variance * level, variance / width, rho, shift * width, sigma])
        for level in (0.3, 0.8)
        for rho in (-0.4, 0.2)
        for shift, sigma in ((0.0, width), (0.5, width / 3), (-0.5, span / 4))
    ]


def _relative_vega(k: Floats, total_vol: Floats) -> Floats:
    d1_squared = (-k / total_vol + total_vol / 2) ** 2
    return np.asarray(np.exp((float(np.min(d1_squared)) - d1_squared) / 2))
