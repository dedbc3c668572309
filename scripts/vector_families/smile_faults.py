"""Family smile: what is refused. Every input has exactly one fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from math import isqrt
from typing import Final

from marginproof.spec import limits
from marginproof.spec.svi import Svi

from .models import WAD
from .samples import SMILE

RANGES: Final = {
    "a": (limits.MIN_SVI_A, limits.MAX_SVI_A),
    "b": (limits.MIN_SVI_B, limits.MAX_SVI_B),
    "rho": (-limits.MAX_SVI_RHO, limits.MAX_SVI_RHO),
    "m": (-limits.MAX_SVI_M, limits.MAX_SVI_M),
    "sigma": (limits.MIN_SVI_SIGMA, limits.MAX_SVI_SIGMA),
}
_HIGHEST: Final = 2**63 - 1


def variance_floor(b: int, rho: int, sigma: int) -> int:
    """What b, rho and sigma add to `a` at the lowest point of the smile, WAD."""
    return b * sigma * isqrt(WAD * WAD - rho * rho) // (WAD * WAD)


def base_of(field: str) -> Svi:
    """A valid smile whose least variance stays above zero however far `field` moves inside 64 bits (`a`: down to -8 WAD)."""
    if field == "a":
        return Svi(0, limits.MAX_SVI_B, 0, 0, limits.MAX_SVI_SIGMA)
    return replace(SMILE, a=limits.MAX_SVI_A)


def far_outside(field: str, outwards: int) -> int:
    """A value of `field` as far outside its range as one fault allows."""
    return -8 * WAD if field == "a" and outwards < 0 else outwards * _HIGHEST


def _outside(distances: tuple[int, ...]) -> Iterator[tuple[str, Svi]]:
    for field, bounds in RANGES.items():
        for bound, outwards in zip(bounds, (-1, 1), strict=True):
            for distance in distances:
                value = bound + outwards * distance
                yield f"{field} at {value}", replace(base_of(field), **{field: value})


def one_outside() -> Iterator[tuple[str, Svi]]:
    """Every parameter one unit below and one above its range."""
    return _outside((1,))


def further_outside() -> Iterator[tuple[str, Svi]]:
    """Every parameter outside its range by more than rounding could hide, and at the values formulas break at."""
    yield from _outside((1000, WAD))
    for field, value in (("rho", WAD), ("rho", -WAD), ("sigma", 0), ("sigma", -1), ("sigma", -SMILE.sigma)):
        yield f"{field} at {value}", replace(base_of(field), **{field: value})


def far_away() -> Iterator[tuple[str, Svi]]:
    """Every parameter as far outside as one fault allows."""
    for field in RANGES:
        for outwards in (-1, 1):
            value = far_outside(field, outwards)
            yield f"{field} at {value}", replace(base_of(field), **{field: value})


def negative_variances(rhos: tuple[int, ...]) -> Iterator[tuple[str, Svi]]:
    """Every parameter inside its range, the least variance one unit below zero; and far below it."""
    for b, sigma, rho in product((1, WAD // 2, 2 * WAD), (10**12, 150 * 10**15, 4 * WAD), rhos):
        floor = variance_floor(b, rho, sigma)
        if floor < -limits.MIN_SVI_A:
            name = f"least variance -1 with b {b}, rho {rho}, sigma {sigma}"
            yield name, Svi(-floor - 1, b, rho, 0, sigma)
    for m in (-limits.MAX_SVI_M, limits.MAX_SVI_M):
        yield f"the lowest a, m at {m}", Svi(limits.MIN_SVI_A, WAD, 0, m, WAD)
    yield "the lowest a without a wing", Svi(limits.MIN_SVI_A, 0, 0, 0, limits.MAX_SVI_SIGMA)
