"""Natural logarithm and exponential, once per expiry, strike and scenario.

Both are textbook series in 96-bit fixed point after a range reduction that makes them converge fast; every constant can be
recomputed from its definition: LN2 = floor(2^96 ln 2), LN_EIGHTHS[j] = floor(2^96 ln(1 + j/8)),
ODD_RECIPROCALS[i] = floor(2^96 / (2i + 1)).
"""

from __future__ import annotations

from typing import Final

from .errors import require_range
from .fixed_point import clamp, floor_div, mul_shift
from .units import Q64

LN2: Final = 54916777467707473351141471128
LN_EIGHTHS: Final = (
    0,
    9331733490407339481906020321,
    17679253547532294036705525221,
    25230503962333098831887785676,
    32124255479057406416523745725,
    38465892130698103515515896908,
    44337330592095756615844442015,
    49803509026589700453229270947,
)
ODD_RECIPROCALS: Final = tuple((1 << 96) // (2 * i + 1) for i in range(8))

EXP_TERMS: Final = 20
MAX_EXP_ARGUMENT: Final = 40 << 64
"""Arguments of `exponential` lie in [-40, 40], Q64."""


def logarithm(x: int) -> Q64:
    """ln(x) of a positive integer.

    Formula: x = 2^n z with z in [1, 2); c = 1 + j/8 the largest eighth not above z; s = (z - c)/(z + c) < 1/17;
    ln x = n ln 2 + ln c + 2 (s + s^3/3 + ... + s^15/15).
    Scale: x is a bare integer (for an E8 price subtract two logarithms and the scale cancels); the result is Q64.
    Range: 1 <= x < 2^64. Rounding: down. Error: within 2 units of Q64 (truncated series 2^-73, eleven floors at 2^-96,
    one floor at 2^-64). Error name: `OutOfRange("logarithm")`.
    Source: the area-hyperbolic-tangent series, Abramowitz and Stegun 4.1.27.
    """
    require_range("logarithm", x, 1, (1 << 64) - 1)
    n = x.bit_length() - 1
    z = x << (63 - n)
    j = (z >> 60) & 7
    c = (8 + j) << 60
    s = floor_div((z - c) << 96, z + c)
    s_squared = mul_shift(s, s, 96)
    series = 0
    for reciprocal in reversed(ODD_RECIPROCALS):
        series = reciprocal + mul_shift(series, s_squared, 96)
    return Q64((n * LN2 + LN_EIGHTHS[j] + 2 * mul_shift(s, series, 96)) >> 32)


def exponential(x: int) -> Q64:
    """e^x.

    Formula: x = n ln 2 + r with 0 <= r < ln 2; e^r = 1 + r(1 + r/2(1 + r/3(... (1 + r/20)))); e^x = 2^n e^r.
    Scale: Q64 in, Q64 out. Range: |x| <= 40. Rounding: down at every step.
    Error: relative 2^-71 (truncated series) plus 2^-94 per step, and one floor at 2^-64. Error name: `OutOfRange("exponential")`.
    Source: the exponential series, Abramowitz and Stegun 4.2.1.
    """
    require_range("exponential", x, -MAX_EXP_ARGUMENT, MAX_EXP_ARGUMENT)
    scaled = x << 32
    n = floor_div(scaled, LN2)
    r = scaled - n * LN2
    one = 1 << 96
    series = one
    for k in range(EXP_TERMS, 0, -1):
        series = one + floor_div(mul_shift(series, r, 96), k)
    return Q64((series << n) >> 32 if n >= 0 else series >> (32 - n))


def bounded_exponential(x: int) -> Q64:
    """e^x with x first brought into [-40, 40], so that it is defined for every argument. Q64 in, Q64 out."""
    return exponential(clamp(x, MAX_EXP_ARGUMENT))


def power(ratio_logarithm: int, exponent_q64: int) -> Q64:
    """ratio^exponent = exp(exponent * ln ratio), Q64, for a ratio given by its logarithm (Q64) and an exponent in Q64.

    Rounding: the product is floored to Q64 before the exponential. Range: any; beyond e^40 and below e^-40 it stays there.
    """
    return bounded_exponential(mul_shift(ratio_logarithm, exponent_q64, 64))
