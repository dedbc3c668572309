"""Bounds of every intermediate, derived from `limits` and `model_fields`.

Per cell and per position everything fits a signed 128-bit word; preparation and the last step of an account fit a signed 256-bit word.

| intermediate | bound | why |
|---|---|---|
| shocked price | 2^51 | MAX_SPOT x 16 = 1.6e15 |
| discounted price, E8 with 8 more places | 2^62 | the greater of F' and K is at most 1e16 < 2^54; a discount factor is at most 1 |
| y = abs(ln(F'/K)), Q58 | 2^63 | F' >= 1e4 and <= 1.6e15, K in [1e4, 1e16]: y <= ln(1e12) = 27.7 < 32 |
| y << 58 | 2^121 | numerator of y/w |
| y/w, and so a and b, Q58 | 2^121 | w at least 1 unit; from 9 on only the sign matters |
| squared distance and sigma of the smile, Q116 | 2^126 | abs(ln(K/F)) <= 23.1, m <= 4, sigma <= 4 |
| smile slope x its factor | 2^126 | b <= 2 in Q60, factor at most 2 x 27.4 in Q58 |
| variance << 52 | 2^123 | a <= 9 plus b times 55, in Q64 |
| skew: k x cap, and k* << 62 | 2^125 | k as y, cap and k* at most 16 in Q58 |
| total vol x multiplier | 2^124 | both at most 16 in Q58 = 2^62 |
| price x probability | 2^122 | discounted price, probability 2^60 |
| polynomial step | 2^117 | coefficient below 2^61, offset below 2^55 |
| value of one unit | 2^54 | the greater of F' and K, plus MAX_FUNDING for a perpetual |
| quantity x value, 128 positions | 2^116 | 1e16 x 1.01e16 x 2 x 128 |
| sum of an expiry with its static discount | 2^120 | discounts are at most 16 |
| quantity x delta, 128 positions | 2^121 | 1e16 x 2^60 x 128 |
| loss (E34) | 2^188 | basis: the sum x (20 + 20 x 137 years) in WAD; scenario: the discounted sum x weight 9 |
| delta charge before its shift | 2^238 | 2^121 x rates of 20e18 x spot |
| factor x scan | 2^255 | factor at most 10 + 10 x 10, the positions of all underlyings together at most 128 |
| add-ons (10^52) | 2^244 | 1e16 x 128 x 1e14 x 1e18 x rates of 140e18 |

The next table is evaluated by the tests at its corners.
"""

from __future__ import annotations

from typing import Final

from .black76 import MAX_TOTAL_VOL, PRICE_BITS
from .limits import (
    MAX_FUNDING,
    MAX_POSITIONS,
    MAX_QUANTITY,
    MAX_SPOT,
    MAX_SPOT_SHOCK,
    MAX_STRIKE,
    MAX_TIME,
    MAX_WEIGHT,
)
from .model_fields import FIELDS
from .tenor import MAX_DISCOUNT
from .units import ONE_WAD, SECONDS_PER_YEAR

HIGH: Final = {field.name: field.high for field in FIELDS}
_PRICE = max(MAX_STRIKE, MAX_SPOT * MAX_SPOT_SHOCK // ONE_WAD)
_VALUE = _PRICE + MAX_FUNDING
_ACCOUNT = 2 * MAX_QUANTITY * _VALUE * MAX_POSITIONS
_DISCOUNTED = _ACCOUNT + (_ACCOUNT * MAX_DISCOUNT >> 58)
_DISTANCE = 271 * (1 << 58) // 10
_ROOT = 274 * (1 << 58) // 10
_BASIS_FACTOR = HIGH["basisBase"] + HIGH["basisPerYear"] * MAX_TIME // SECONDS_PER_YEAR
_LOSS = max(_ACCOUNT * _BASIS_FACTOR, _DISCOUNTED * MAX_WEIGHT)
_FACTOR = HIGH["initialFactor"] + HIGH["pegFactor"] * HIGH["pegThreshold"] // 10**8
_DELTAS = MAX_QUANTITY * MAX_POSITIONS << 60
_NOTIONAL = MAX_QUANTITY * MAX_POSITIONS * MAX_SPOT
_RATES = sum(
    HIGH[name]
    for name in ("nakedMaintenance", "nakedInitial", "perpetualMaintenance", "perpetualInitial")
    + ("futureMaintenance", "futureInitial", "confidenceRate")
)

HOT_PATH: Final = {
    "shocked price": MAX_SPOT * MAX_SPOT_SHOCK // ONE_WAD,
    "discounted price": _PRICE << PRICE_BITS,
    "numerator of y/w": ((1 << 63) - 1) << 58,
    "squared distance and sigma": _DISTANCE**2 + (4 << 58) ** 2,
    "smile slope x its factor": (2 << 60) * (_DISTANCE + _ROOT),
    "variance << 52": ((9 << 64) + ((2 << 60) * (_DISTANCE + _ROOT) >> 54)) << 52,
    "skew: k x cap": ((1 << 63) - 1) * MAX_TOTAL_VOL,
    "total vol x multiplier": MAX_TOTAL_VOL * MAX_TOTAL_VOL,
    "price x probability": _PRICE << (60 + PRICE_BITS),
    "polynomial step": (1 << 61) * (1 << 55),
    "account sum": _ACCOUNT,
    "discounted sum": _DISCOUNTED,
    "sum of deltas": _DELTAS,
}
"""Greatest magnitudes per cell and position: each below 2^127."""

WIDE: Final = {
    "loss": _LOSS,
    "delta charge": _DELTAS * (HIGH["deltaNet"] + HIGH["deltaHedged"]) * MAX_SPOT,
    "factor x scan": _LOSS * _FACTOR,
    "add-ons": _NOTIONAL * _RATES * ONE_WAD,
    "requirement": _LOSS * _FACTOR + _NOTIONAL * _RATES * ONE_WAD,
}
"""Greatest magnitudes per account: each below 2^255."""
