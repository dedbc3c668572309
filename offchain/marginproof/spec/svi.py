"""The smile: raw SVI, five integers per expiry, giving total variance at any strike.

Source: J. Gatheral, A parsimonious arbitrage-free implied volatility parameterization (2004); J. Gatheral and A. Jacquier,
Arbitrage-free SVI volatility surfaces, Quantitative Finance 14 (2014), equation 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from .black76 import MAX_TOTAL_VOL
from .errors import SpecError, require_range
from .fixed_point import mul_shift, square_root, wad_to_binary
from .limits import (
    MAX_SVI_A,
    MAX_SVI_B,
    MAX_SVI_M,
    MAX_SVI_RHO,
    MAX_SVI_SIGMA,
    MIN_SVI_A,
    MIN_SVI_B,
    MIN_SVI_SIGMA,
)
from .units import ONE_WAD, Q58


@dataclass(frozen=True, slots=True)
class Svi:
    """w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), total variance at k = ln(strike/forward). All five in WAD."""

    a: int
    b: int
    rho: int
    m: int
    sigma: int


@dataclass(frozen=True, slots=True)
class BinarySvi:
    """The same five parameters, each floored once per expiry: a in Q64, b and rho in Q60, m and sigma in Q58."""

    a: int
    b: int
    rho: int
    m: int
    sigma: int


def require_valid_smile(svi: Svi) -> None:
    """Refuse a smile out of range or with a negative minimum variance.

    The least total variance is a + b sigma sqrt(1 - rho^2); here in WAD with the root and the products floored.
    Errors: `OutOfRange(field, value, low, high)`, `NegativeVariance(minimumVariance)`.
    """
    require_range("a", svi.a, MIN_SVI_A, MAX_SVI_A)
    require_range("b", svi.b, MIN_SVI_B, MAX_SVI_B)
    require_range("rho", svi.rho, -MAX_SVI_RHO, MAX_SVI_RHO)
    require_range("m", svi.m, -MAX_SVI_M, MAX_SVI_M)
    require_range("sigma", svi.sigma, MIN_SVI_SIGMA, MAX_SVI_SIGMA)
    root = square_root(ONE_WAD * ONE_WAD - svi.rho * svi.rho)
    minimum = svi.a + svi.b * svi.sigma * root // (ONE_WAD * ONE_WAD)
    if minimum < 0:
        raise SpecError("NegativeVariance", minimumVariance=minimum)


def prepare_smile(svi: Svi) -> BinarySvi:
    """Convert the parameters to binary, each floored. No intermediate of `total_vol` then needs more than 128 bits."""
    return BinarySvi(
        wad_to_binary(svi.a, 64),
        wad_to_binary(svi.b, 60),
        wad_to_binary(svi.rho, 60),
        wad_to_binary(svi.m, 58),
        wad_to_binary(svi.sigma, 58),
    )


def total_vol(smile: BinarySvi, log_forward: int, log_strike: int) -> Q58:
    """Total volatility sqrt(w(k)) at a strike.

    Scale: logarithms Q64; result Q58. Range: 0 .. 16. Rounding: the log-moneyness, every product and both roots down; a variance that
    rounds below zero counts as 0, a total volatility above 16 as 16.
    Error: a few units of b x 2^-58 in variance, hence below 2^-47 in volatility at w = 1e-4 for b up to 0.1, and smaller above.
    """
    distance = mul_shift(log_strike - log_forward, 1, 6) - smile.m
    root = square_root(distance * distance + smile.sigma * smile.sigma)
    variance = smile.a + mul_shift(smile.b, mul_shift(smile.rho, distance, 60) + root, 54)
    return Q58(min(MAX_TOTAL_VOL, square_root(max(0, variance) << 52)))
