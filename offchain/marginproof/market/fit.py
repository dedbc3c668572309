"""Fits a raw SVI smile to the quotes of one expiry, without butterfly arbitrage where the quotes allow it.

Floats are fine here: the result is rounded to decimal parameters, and everything committed starts from those.
The errors reported are those of the rounded parameters.

Formula: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), vol = sqrt(w / tau), tau in years ACT/365.
Source: J. Gatheral and A. Jacquier, Arbitrage-free SVI volatility surfaces, Quantitative Finance 14 (2014),
equation 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..documents.market_document import FitStatistics, SviSmile
from ..spec.errors import SpecError
from ..spec.limits import MAX_SVI_RHO
from ..spec.svi import Svi, require_valid_smile
from ..spec.units import SECONDS_PER_YEAR
from .arbitrage import Range, has_butterfly
from .raw_svi import Floats, RawSvi
from .svi_least_squares import (
    MAX_EVALUATIONS,
    ExpiryQuotes,
    at_money_vol,
    least_squares_smile,
    penalised_smile,
)

MIN_STRIKES: Final = 5
"""Five parameters need five strikes."""

_WAD: Final = 10**18
_KEPT: Final = 10**6
"""Parameters are kept to 12 decimals: multiples of this many WAD units."""
_WING_WEIGHTS: Final = (0.05, 0.02, 5e-3, 1e-3, 3e-4, 1e-4)
"""Least weight of a quote against 1 at the money, tried in turn: the far wings hold the smile down as long as
that costs nothing where the value is.
"""
_GOOD_MEDIAN_WAD: Final = 75 * 10**14
"""Three quarters of a vol point: with this median error near the money, no smaller wing weight is tried."""
COARSE_MEDIAN_WAD: Final = 10**16
"""One vol point: a fit with a larger median error near the money is coarse. Arbitrage is not removed at this price."""
MISFIT_VOL: Final = 0.03
"""Three vol points: a quote near the money that the smile misses by more is named."""
_PENALTIES: Final = (1.0, 30.0)
"""Weights of a negative density, tried in turn until there is none."""


@dataclass(frozen=True, slots=True)
class SmileQuote:
    """One strike's volatility: both in plain units (USD, 0.5 = 50 %)."""

    strike: float
    vol: float


@dataclass(frozen=True, slots=True)
class Misfit:
    """A quote near the money that the smile misses by more than MISFIT_VOL. Plain units."""

    strike: float
    quoted_vol: float
    fitted_vol: float


class Butterflies(StrEnum):
    """What became of butterfly arbitrage in a fit."""

    NONE = "none"
    """The best fit is free of it."""
    REMOVED = "removed"
    """The best fit was not; a fit under that condition replaces it."""
    KEPT = "kept"
    """It stays, because a fit free of it would be coarse, or was not asked for."""


@dataclass(frozen=True, slots=True)
class SmileFit:
    """A fitted smile and its errors against the quotes.

    `other_median_vol_wad` is the median error near the money of the fit not taken: of the best fit with butterflies REMOVED, of the
    one free of them with butterflies KEPT; None when there is none. `quoted` is the range of ln(strike / forward) of the quotes;
    `converged` says whether any start of the least squares ended before its evaluations were used up.
    """

    svi: SviSmile
    statistics: FitStatistics
    quoted: Range
    converged: bool = True
    butterflies: Butterflies = Butterflies.NONE
    other_median_vol_wad: int | None = None
    misfits: tuple[Misfit, ...] = ()


def fit_smile(
    quotes: Sequence[SmileQuote],
    forward: float,
    seconds: int,
    quote_count: int,
    *,
    remove_butterflies: bool = True,
) -> SmileFit:
    """Fit one expiry; deterministic for given quotes.

    `forward` in USD, `seconds` from the snapshot to expiry, `quote_count` the rows that the expiry had in its
    source. Quotes are weighted by vega, with a floor for the wings; several starts, the best kept. Variance
    stays positive everywhere and the wings' slopes at most 2 (Lee's bound). When the best fit admits butterfly
    arbitrage (`marginproof.market.arbitrage`), it is fitted again with negative densities penalised; the result is
    taken if it has none and is not coarse, or no worse than the best. ValueError when fewer than MIN_STRIKES strikes
    are given, or no start of the least squares converges and the fit is coarse.
    """
    if len({quote.strike for quote in quotes}) < MIN_STRIKES:
        raise ValueError(f"{len(quotes)} usable strikes, at least {MIN_STRIKES} are needed")
    ordered = sorted(quotes, key=lambda quote: quote.strike)
    given = ExpiryQuotes(
        np.array([math.log(quote.strike / forward) for quote in ordered]),
        np.array([quote.vol for quote in ordered]),
        seconds / SECONDS_PER_YEAR,
        quote_count,
    )
    fit = _best(given)
    if not fit.converged and _median(fit) > COARSE_MEDIAN_WAD:
        raise ValueError(
            f"the least squares did not converge within {MAX_EVALUATIONS} evaluations from any start; median error near the "
            f"money {_median(fit) / 10**16:.1f} vol points, at most 1 is taken as it is"
        )
    if has_butterfly(RawSvi.of(fit.svi), given.range):
        fit = (
            _with_butterflies(fit, given)
            if remove_butterflies
            else replace(fit, butterflies=Butterflies.KEPT)
        )
    return replace(fit, misfits=_misfits(fit.svi, ordered, given))


def smile_vol(svi: SviSmile, strike: float, forward: float, seconds: int) -> float:
    """Volatility per year at a strike, as a float for display and fitting statistics."""
    k = np.array([math.log(strike / forward)])
    return float(np.sqrt(RawSvi.of(svi).variance(k) / (seconds / SECONDS_PER_YEAR))[0])


def _best(given: ExpiryQuotes) -> SmileFit:
    """The fit with the least median error near the money, over the wing weights that have to be tried."""
    fits: list[SmileFit] = []
    for wing_weight in _WING_WEIGHTS:
        smile, converged = least_squares_smile(given, wing_weight)
        fits.append(replace(_described(smile, given), converged=converged))
        if _median(fits[-1]) <= _GOOD_MEDIAN_WAD:
            break
    return min(fits, key=_median)


def _with_butterflies(best: SmileFit, given: ExpiryQuotes) -> SmileFit:
    """A fit free of butterfly arbitrage in place of the best, unless it would be too coarse."""
    clean: list[SmileFit] = []
    near = RawSvi.of(best.svi)
    for wing_weight in _WING_WEIGHTS:
        for penalty in _PENALTIES:
            fit = _described(penalised_smile(given, wing_weight, penalty, near), given)
            if not has_butterfly(RawSvi.of(fit.svi), given.range):
                clean.append(fit)
                break
        if clean and _median(clean[-1]) <= max(_GOOD_MEDIAN_WAD, _median(best)):
            break
    if not clean:
        return replace(best, butterflies=Butterflies.KEPT)
    free = min(clean, key=_median)
    if _median(free) > max(COARSE_MEDIAN_WAD, _median(best)):
        return replace(best, butterflies=Butterflies.KEPT, other_median_vol_wad=_median(free))
    return replace(free, butterflies=Butterflies.REMOVED, other_median_vol_wad=_median(best))


def _described(smile: RawSvi, given: ExpiryQuotes) -> SmileFit:
    """The rounded smile with its errors."""
    svi = _rounded(smile)
    return SmileFit(svi, _statistics(svi, given), given.range)


def _median(fit: SmileFit) -> int:
    return fit.statistics.median_near_money_vol_wad


def _rounded(smile: RawSvi) -> SviSmile:
    """The parameters in WAD, kept to 12 decimals; `a` is raised by one step at a time should rounding make
    the variance negative.
    """
    fields = (smile.a, smile.b, smile.rho, smile.m, smile.sigma)
    a, b, rho, m, sigma = (round(float(value) * _WAD / _KEPT) * _KEPT for value in fields)
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


def _fitted_vols(svi: SviSmile, given: ExpiryQuotes) -> Floats:
    return np.asarray(np.sqrt(RawSvi.of(svi).variance(given.k) / given.tau))


def _near_money(given: ExpiryQuotes) -> NDArray[np.bool_]:
    """Which quotes are within one standard deviation of the forward; at least the three nearest."""
    distance = np.abs(given.k)
    band = max(at_money_vol(given.k, given.vols) * math.sqrt(given.tau), float(np.sort(distance)[2]))
    return np.asarray(distance <= band)


def _statistics(svi: SviSmile, given: ExpiryQuotes) -> FitStatistics:
    errors = np.abs(_fitted_vols(svi, given) - given.vols)
    near = errors[_near_money(given)]
    return FitStatistics(
        quotes=given.count,
        used=len(errors),
        near_money=len(near),
        median_near_money_vol_wad=_micro(float(np.median(near))),
        max_near_money_vol_wad=_micro(float(np.max(near))),
        rmse_vol_wad=_micro(float(np.sqrt(np.mean(errors**2)))),
    )


def _misfits(svi: SviSmile, ordered: Sequence[SmileQuote], given: ExpiryQuotes) -> tuple[Misfit, ...]:
    near = _near_money(given)
    return tuple(
        Misfit(quote.strike, quote.vol, float(vol))
        for quote, vol, counts in zip(ordered, _fitted_vols(svi, given), near, strict=True)
        if counts and abs(float(vol) - quote.vol) > MISFIT_VOL
    )


def _micro(vol: float) -> int:
    """WAD, rounded up to six decimals, so that a stated error is never smaller than the real one."""
    return math.ceil(vol * 10**6) * 10**12
