"""What depends on an expiry's time alone, or on its rate: year fractions, the scaling of volatility moves, discounts, the basis factor."""

from __future__ import annotations

from typing import Final

from .black76 import MAX_TOTAL_VOL
from .fixed_point import clamp, floor_div, mul_shift, square_root, wad_to_q64
from .logarithm import bounded_exponential, logarithm, power
from .model import ModelSection
from .units import ONE_WAD, Q58, Q64, SECONDS_PER_DAY, SECONDS_PER_YEAR, Wad

THIRTY_DAYS: Final = 30 * SECONDS_PER_DAY
LOG_THIRTY_DAYS: Final = logarithm(THIRTY_DAYS)
MAX_DISCOUNT: Final = 1 << 62
"""Discounts above 16 (Q58) count as 16."""


def years(seconds: int) -> Q64:
    """tau = seconds / 365 days, Q64, rounded down."""
    return Q64((seconds << 64) // SECONDS_PER_YEAR)


def square_root_of_years(seconds: int) -> Q64:
    """sqrt(seconds / 365 days), Q64, rounded down."""
    return Q64(square_root((seconds << 128) // SECONDS_PER_YEAR))


def tenor_multiplier(section: ModelSection, seconds: int) -> Q64:
    """m = (30 days / max(t, floor))^p, p = powerShort for t up to 30 days, powerLong beyond. Q64, rounded down.

    Source: the published "DTE" scaling of the options-33 model (see the preset's source note).
    """
    exponent = section.power_short if seconds <= THIRTY_DAYS else section.power_long
    ratio_logarithm = LOG_THIRTY_DAYS - logarithm(max(seconds, section.floor_seconds))
    return power(ratio_logarithm, wad_to_q64(exponent))


def discount_factor(rate_wad: int, seconds: int) -> Q58:
    """df = exp(-r tau) with r = max(rate, 0): never above 1. Rounding: every step down."""
    return Q58(bounded_exponential(-_rate_time(rate_wad, seconds)) >> 6)


def static_discounts(section: ModelSection, rate_wad: int, seconds: int) -> tuple[Q58, Q58]:
    """What multiplies an expiry's scenario sum: (if the sum is positive or zero, if it is negative), Q58, at most 16.

    long: longBase * exp(-tau (r * longRateMultiple + longRateAdd)); short: min(1/df, shortBase * exp(tau (r * shortRateMultiple +
    shortRateAdd))), r = max(rate, 0), 1/df = exp(r tau). Rounding: every step down.
    Source: the published static discount of the options-31 model.
    """
    long_time = _rate_time(rate_wad, seconds, section.long_rate_multiple, section.long_rate_add)
    short_time = _rate_time(rate_wad, seconds, section.short_rate_multiple, section.short_rate_add)
    long = mul_shift(wad_to_q64(section.long_base), bounded_exponential(-long_time), 70)
    short = mul_shift(wad_to_q64(section.short_base), bounded_exponential(short_time), 70)
    growth = bounded_exponential(_rate_time(rate_wad, seconds)) >> 6
    return Q58(min(MAX_DISCOUNT, long)), Q58(min(MAX_DISCOUNT, growth, short))


def _rate_time(rate_wad: int, seconds: int, multiple_wad: int = ONE_WAD, add_wad: int = 0) -> int:
    rate = mul_shift(wad_to_q64(max(rate_wad, 0)), wad_to_q64(multiple_wad), 64) + wad_to_q64(add_wad)
    return mul_shift(rate, years(seconds), 64)


def basis_factor(section: ModelSection, seconds: int) -> Wad:
    """basisBase + basisPerYear * tau, WAD, the product rounded down."""
    return Wad(section.basis_base + section.basis_per_year * seconds // SECONDS_PER_YEAR)


def fixed_part(section: ModelSection, forward_e8: int, seconds: int) -> int:
    """The part of a forward that settlement averaging has fixed already, E8, rounded down.

    forward * (window - t) / window within the averaging window, else 0. Source: options-31's last half hour.
    """
    window = section.averaging_seconds
    return forward_e8 * (window - seconds) // window if seconds < window else 0


def skew_terms(section: ModelSection, seconds: int, is_absolute: bool) -> tuple[Q58, Q58]:
    """(cap, k*) of a skew at one expiry, Q58, |cap| and k* at most 16.

    cap = capSlope * sqrt(tau) + cap0; k* = max(kMin, sqrt(tau) * width * (skewVol + sqrt(tau) * skewVolSlope)).
    Rounding: every product down. Source: the published skew scenarios of the options-33 model.
    """
    root = square_root_of_years(seconds)
    cap0 = section.absolute_cap if is_absolute else section.linear_cap
    slope = section.absolute_cap_slope if is_absolute else section.linear_cap_slope
    cap = wad_to_q64(cap0) + mul_shift(wad_to_q64(slope), root, 64)
    vol = wad_to_q64(section.skew_vol) + mul_shift(wad_to_q64(section.skew_vol_slope), root, 64)
    width = mul_shift(mul_shift(root, wad_to_q64(section.skew_width), 64), vol, 64)
    k_star = max(wad_to_q64(section.skew_minimum), width)
    return Q58(clamp(cap >> 6, MAX_TOTAL_VOL)), Q58(min(MAX_TOTAL_VOL, k_star >> 6))


def skew_multiplier(k: int, cap: int, k_star: int) -> Q58:
    """max(0, 1 + t) with t = k * cap / k*, capped: for k >= 0 t = min(cap, ..), for k < 0 t = max(-cap, ..). Q58, at most 16.

    For cap >= 0 that is the clamp to [-cap, cap]; a negative cap follows the source's two branches.
    Range: |k| < 2^63, |cap| <= 2^62, 0 < k* <= 2^62, all Q58; the quotient counts as 16 beyond 16. Rounding: the quotient down.
    """
    product, limit = k * cap, k_star << 62
    slope = (
        MAX_TOTAL_VOL
        if product >= limit
        else -MAX_TOTAL_VOL
        if product <= -limit
        else floor_div(product, k_star)
    )
    tilt = min(cap, slope) if k >= 0 else max(-cap, slope)
    return Q58(max(0, min(MAX_TOTAL_VOL, (1 << 58) + tilt)))
