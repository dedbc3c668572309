"""Bounds of every intermediate, derived from `limits`.

Per cell and per position everything fits a signed 128-bit word; preparation and the last step of an account fit a signed 256-bit word.

| intermediate | bound | why |
|---|---|---|
| shocked price | 2^51 | MAX_SPOT x 16 = 1.6e15 |
| y = abs(ln(F'/K)), Q58 | 2^63 | F' >= 1e4 and <= 1.6e15, K in [1e4, 1e16]: y <= ln(1e12) = 27.7 < 32 |
| y << 58 | 2^121 | numerator of y/w |
| y/w, and so a and b, Q58 | 2^121 | w at least 1 unit; from 9 on only the sign matters |
| total vol x multiplier | 2^124 | both at most 16 in Q58 = 2^62 |
| price x probability | 2^114 | strike 1e16 < 2^54, probability 2^60 |
| polynomial step | 2^117 | coefficient below 2^61, offset below 2^55 |
| value of one unit | 2^54 | the greater of F' and K, plus MAX_FUNDING for a perpetual |
| quantity x value, 128 positions | 2^116 | 1e16 x 1.01e16 x 2 x 128 |
| loss x weight (E34) | 2^176 | x 1e18 |
| factor x scan, 8 underlyings | 2^243 | x 10e18, x 8 |

The next table is evaluated by the tests at its corners.
"""

from __future__ import annotations

from typing import Final

from .black76 import MAX_TOTAL_VOL
from .limits import (
    MAX_FACTOR,
    MAX_FUNDING,
    MAX_POSITIONS,
    MAX_QUANTITY,
    MAX_SPOT,
    MAX_SPOT_SHOCK,
    MAX_STRIKE,
    MAX_UNDERLYINGS,
    MAX_WEIGHT,
)
from .units import ONE_WAD

_PRICE = max(MAX_STRIKE, MAX_SPOT * MAX_SPOT_SHOCK // ONE_WAD)
_VALUE = _PRICE + MAX_FUNDING
_ACCOUNT = 2 * MAX_QUANTITY * _VALUE * MAX_POSITIONS

HOT_PATH: Final = {
    "shocked price": MAX_SPOT * MAX_SPOT_SHOCK // ONE_WAD,
    "numerator of y/w": ((1 << 63) - 1) << 58,
    "total vol x multiplier": MAX_TOTAL_VOL * MAX_TOTAL_VOL,
    "price x probability": _PRICE << 60,
    "polynomial step": (1 << 61) * (1 << 55),
    "account sum": _ACCOUNT,
}
"""Greatest magnitudes per cell and position: each below 2^127."""

WIDE: Final = {
    "loss x weight": _ACCOUNT * MAX_WEIGHT,
    "factor x scan": _ACCOUNT * MAX_WEIGHT * MAX_FACTOR * MAX_UNDERLYINGS,
}
"""Greatest magnitudes per account: each below 2^255."""
