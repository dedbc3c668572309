"""Division, shifts, roots: the only roundings that committed arithmetic may use.

Signed `/` and `%` differ between languages (the EVM truncates, Python floors), so every division here says which way
it goes. The arithmetic shift `(a * b) >> n` floors in Python, on the EVM (SAR) and on CPUs alike.
"""

from __future__ import annotations

from math import isqrt

from .errors import SpecError
from .units import ONE_WAD, Q64


def floor_div(numerator: int, denominator: int) -> int:
    """floor(numerator / denominator), towards minus infinity. Scale: that of the quotient.

    Range: any numerator, denominator > 0. Error: `DivisionByZero`.
    """
    if denominator <= 0:
        raise SpecError("DivisionByZero", denominator=denominator)
    return numerator // denominator


def ceil_div(numerator: int, denominator: int) -> int:
    """ceil(numerator / denominator), towards plus infinity. Range and error as `floor_div`."""
    return -floor_div(-numerator, denominator)


def mul_shift(a: int, b: int, bits: int) -> int:
    """floor(a * b / 2^bits), for either sign: the one rounding step inside pricing."""
    return (a * b) >> bits


def square_root(value: int) -> int:
    """floor(sqrt(value)) of a non-negative integer. Scale: a value in Q(2n) gives a root in Qn."""
    if value < 0:
        raise SpecError("NegativeRoot", value=value)
    return isqrt(value)


def wad_to_binary(value_wad: int, bits: int) -> int:
    """floor(value * 2^bits / 10^18): a decimal parameter as binary fixed point. Error: less than one unit, downwards."""
    return floor_div(value_wad << bits, ONE_WAD)


def wad_to_q64(value_wad: int) -> Q64:
    """`wad_to_binary` at 64 bits."""
    return Q64(wad_to_binary(value_wad, 64))


def clamp(value: int, limit: int) -> int:
    """The value, but at most `limit` and at least -`limit` (limit >= 0)."""
    return max(-limit, min(limit, value))
