"""Fits a raw SVI smile to the quotes of one expiry.

Floats are fine here: the result is rounded to decimal parameters, and everything committed starts from those.
The errors reported are those of the rounded parameters.

Formula: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), vol = sqrt(w / tau), tau in years ACT/365.
Source: J. Gatheral and A. Jacquier, Arbitrage-free SVI volatility surfaces, Quantitative Finance 14 (2014),
equation 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ..documents.market_document import FitStatistics, SviSmile
from ..spec.errors import SpecError
from ..spec.limits import MAX_SVI_RHO
from ..spec.svi import Svi, require_valid_smile
from ..spec.units import SECONDS_PER_YEAR

Floats = NDArray[np.float64]

MIN_STRIKES: Final = 5
"""Five parameters need five strikes."""

_WAD: Final = 10**18
_KEPT: Final = 10**6
"""Parameters are kept to 12 decimals: multiples of this many WAD units."""
_LOWEST_VARIANCE: Final = 1e-9
_WING_WEIGHTS: Final = (0.05, 0.02, 5e-3, 1e-3, 3e-4, 1e-4)
"""Least weight of a quote against 1 at the money, tried in turn: the far wings hold the smile down as long as
that costs nothing where the value is.
"""
_GOOD_MEDIAN_WAD: Final = 75 * 10**14
"""Three quarters of a vol point: with this median error near the money, no smaller wing weight is tried."""


@dataclass(frozen=True, slots=True)
class SmileQuote:
    """One strike's volatility: both in plain units (USD, 0.5 = 50 %)."""

    strike: float
    vol: float


@dataclass(frozen=True, slots=True)
class SmileFit:
    """A fitted smile and its errors against the quotes."""

    svi: SviSmile
    statistics: FitStatistics


def fit_smile(quotes: Sequence[SmileQuote], forward: float, seconds: int, quote_count: int) -> SmileFit:
    """Fit one expiry; deterministic for given quotes.

    `forward` in USD, `seconds` from the snapshot to expiry, `quote_count` the rows that the expiry had in its
    source. Quotes are weighted by vega, with a floor for the wings; several starts, the best kept. Variance
    stays positive everywhere and the wings' slopes at most 2 (Lee's bound). ValueError when fewer than
    MIN_STRIKES strikes are given.
    """
    if len({quote.strike for quote in quotes}) < MIN_STRIKES:
        raise ValueError(f"{len(quotes)} usable strikes, at least {MIN_STRIKES} are needed")
    ordered = sorted(quotes, key=lambda quote: quote.strike)
    tau = seconds / SECONDS_PER_YEAR
    k = np.array([math.log(quote.strike / forward) for quote in ordered])
    vols = np.array([quote.vol for quote in ordered])
    fits: list[SmileFit] = []
    for wing_weight in _WING_WEIGHTS:
        svi = _rounded(_least_squares(k, vols, tau, wing_weight))
        fits.append(SmileFit(svi, _statistics(svi, k, vols, tau, quote_count)))
        if fits[-1].statistics.median_near_money_vol_wad <= _GOOD_MEDIAN_WAD:
            break
    return min(fits, key=lambda fit: fit.statistics.median_near_money_vol_wad)


def smile_vol(svi: SviSmile, strike: float, forward: float, seconds: int) -> float:
    """Volatility per year at a strike, as a float for display and fitting statistics."""
    k = np.array([math.log(strike / forward)])
    return float(np.sqrt(_variance(_floats(svi), k) / (seconds / SECONDS_PER_YEAR))[0])


def _least_squares(k: Floats, vols: Floats, tau: float, wing_weight: float) -> Floats:
    """(a, b, rho, m, sigma) with the least vega-weighted sum of squared vol errors over all starts."""
    weights = np.sqrt(np.maximum(_relative_vega(k, vols * math.sqrt(tau)), wing_weight))
    variance = _at_money_vol(k, vols) ** 2 * tau
    low, high = _bounds(variance)

    def residuals(x: Floats) -> Floats:
        return np.asarray(weights * (np.sqrt(_variance(_parameters(x), k) / tau) - vols))

    best, least = low, math.inf
    for start in _starts(variance, k):
        found = least_squares(
            residuals, np.clip(start, low, high), bounds=(low, high), x_scale="jac", max_nfev=100
        )
        if found.cost < least * (1 - 1e-9):
            best, least = np.asarray(found.x), float(found.cost)
    return _parameters(best)


def _at_money_vol(k: Floats, vols: Floats) -> float:
    """The quoted volatility at the forward, linear between the strikes beside it."""
    return float(np.interp(0.0, k, vols))


def _variance(parameters: Floats, k: Floats) -> Floats:
    a, b, rho, m, sigma = parameters
    return np.asarray(np.maximum(a + b * (rho * (k - m) + np.hypot(k - m, sigma)), 0.0))


def _parameters(x: Floats) -> Floats:
    """From the fitted unknowns (least variance, steeper wing's slope, rho, m, sigma) to (a, b, rho, m,
    sigma).

    In these unknowns a box keeps the variance positive and both wings below Lee's bound.
    """
    lowest, slope, rho, m, sigma = x
    b = slope / (1 + abs(rho))
    return np.array([lowest - b * sigma * math.sqrt(1 - rho * rho), b, rho, m, sigma])


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


def _rounded(parameters: Floats) -> SviSmile:
    """The parameters in WAD, kept to 12 decimals; `a` is raised by one step at a time should rounding make
    the variance negative.
    """
    a, b, rho, m, sigma = (round(float(value) * _WAD / _KEPT) * _KEPT for value in parameters)
    rho = max(-MAX_SVI_RHO, min(MAX_SVI_RHO, rho))
    for _ in range(100):
        try:
            require_valid_smile(Svi(a, b, rho, m, sigma))
        except SpecError as error:
            if error.name != "NegativeVariance":
                raise ValueError(f"the fitted smile is outside the allowed ranges: {error}") from None
            a += _KEPT
        else:
            return SviSmile(a_wad=a, b_wad=b, rho_wad=rho, m_wad=m, sigma_wad=sigma)
    raise ValueError("the fitted smile has a negative variance")


def _floats(svi: SviSmile) -> Floats:
    return np.array([svi.a_wad, svi.b_wad, svi.rho_wad, svi.m_wad, svi.sigma_wad], dtype=np.float64) / _WAD


def _statistics(svi: SviSmile, k: Floats, vols: Floats, tau: float, quote_count: int) -> FitStatistics:
    errors = np.abs(np.sqrt(_variance(_floats(svi), k) / tau) - vols)
    distance = np.abs(k)
    band = max(_at_money_vol(k, vols) * math.sqrt(tau), float(np.sort(distance)[2]))
    near = errors[distance <= band]
    return FitStatistics(
        quotes=quote_count,
        used=len(vols),
        near_money=len(near),
        median_near_money_vol_wad=_micro(float(np.median(near))),
        max_near_money_vol_wad=_micro(float(np.max(near))),
        rmse_vol_wad=_micro(float(np.sqrt(np.mean(errors**2)))),
    )


def _micro(vol: float) -> int:
    """WAD, rounded up to six decimals, so that a stated error is never smaller than the real one."""
    return math.ceil(vol * 10**6) * 10**12
