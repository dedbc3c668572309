"""The standard normal distribution in Q60.

N is an entire function, so short Taylor polynomials around the middles of quarter-wide cells give it to the last bits without an
exponential or a division. Every coefficient is recomputable from one line:

    COEFFICIENTS[j][k] = round(2^62 * T^(k)(x_j) / k!),   T(x) = N(-x),  x_j = (j + 1/2)/4,  k = 0..12

(`gaussian_table.py`, made by `scripts/gaussian_table.py`, which checks itself at 60 digits.)
"""

from __future__ import annotations

from typing import Final

from .fixed_point import mul_shift
from .gaussian_table import COEFFICIENTS
from .units import ONE_Q60, Q60

CELL_BITS: Final = 56
"""A cell is 2^56 in Q58: one quarter."""
HALF_CELL: Final = 1 << (CELL_BITS - 1)
CELLS: Final = len(COEFFICIENTS)
"""36 cells reach x = 9, where N(-x) is below 2^-62."""


def upper_tail(x: int) -> Q60:
    """N(-x), the probability of a standard normal above x, for x >= 0.

    Formula: with j = floor(4x) and u = x - x_j, the sum of COEFFICIENTS[j][k] u^k by Horner's rule, floored at every step, then
    divided by four; at least 0; exactly 0 from x = 9 on.
    Scale: x in Q58, result in Q60. Rounding: down at each step. Error: within 4 units of Q60
    (degree-12 remainder at most 1.5, coefficient rounding and floors at most 1.5).
    """
    j = x >> CELL_BITS
    if j >= CELLS:
        return Q60(0)
    u = x - (j << CELL_BITS) - HALF_CELL
    coefficients = COEFFICIENTS[j]
    total = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = coefficient + mul_shift(total, u, 58)
    return Q60(max(0, total >> 2))


def normal_cdf(x: int) -> Q60:
    """N(x), for either sign. N(-x) = 1 - N(x) holds exactly, by definition: N(x) = 1 - upper_tail(x) for x >= 0.

    Scale: x in Q58, result in Q60, in [0, 2^60]. Error: as `upper_tail`.
    """
    return upper_tail(-x) if x < 0 else Q60(ONE_Q60 - upper_tail(x))
