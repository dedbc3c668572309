"""Ranges, all inclusive. What lies outside is refused when listed, configured or posted.

Everything the arithmetic needs in order never to overflow 128 bits per position follows from these; see
`bounds.py` for the derivation.

| constant | value | meaning |
|---|---|---|
| MIN_SPOT, MAX_SPOT | 0.01 .. 1,000,000 USD | spot and forward, E8; cheaper assets are listed in multiples |
| MIN_STRIKE, MAX_STRIKE | 0.0001 .. 100,000,000 USD | strike, E8 |
| MAX_QUANTITY | 100,000,000 units | size of a position, E8 |
| MAX_POSITIONS | 128 | positions of one portfolio |
"""

from __future__ import annotations

from typing import Final

MIN_SPOT: Final = 10**6
MAX_SPOT: Final = 10**14
MIN_STRIKE: Final = 10**4
MAX_STRIKE: Final = 10**16
MAX_SETTLEMENT_PRICE: Final = 10**16
MIN_SETTLEMENT_PRICE: Final = 1
MAX_FUNDING: Final = 10**14
"""Cumulative funding of a perpetual, E8, either sign."""
MIN_CONFIDENCE: Final = 0
MAX_CONFIDENCE: Final = 10**18
MIN_SETTLEMENT_TOKEN: Final = 1
MAX_SETTLEMENT_TOKEN: Final = 10**9
"""Price of the settlement token, E8."""
MIN_RATE: Final = -9 * 10**18
MAX_RATE: Final = 2 * 10**18
"""Interest rate of an expiry, WAD, continuously compounded."""

MIN_SVI_A: Final = -4 * 10**18
MAX_SVI_A: Final = 9 * 10**18
MIN_SVI_B: Final = 0
MAX_SVI_B: Final = 2 * 10**18
MAX_SVI_RHO: Final = 9999 * 10**14
MAX_SVI_M: Final = 4 * 10**18
MIN_SVI_SIGMA: Final = 10**12
MAX_SVI_SIGMA: Final = 4 * 10**18

MAX_TIME: Final = 2**32 - 1
MAX_QUANTITY: Final = 10**16
MAX_TRADE_PRICE: Final = 10**16
MAX_POSITIONS: Final = 128

MAX_UNDERLYING_ID: Final = 63
MAX_EXPIRY_INDEX: Final = 1023
MAX_STRIKE_INDEX: Final = 32767

MAX_UNDERLYINGS: Final = 8
MAX_EXPIRIES: Final = 32
MAX_SETTLEMENTS: Final = 32

MAX_SCENARIOS: Final = 128
MIN_SPOT_SHOCK: Final = 10**16
MAX_SPOT_SHOCK: Final = 16 * 10**18
MAX_WEIGHT: Final = 9 * 10**18
MAX_VOL_ADD: Final = 4 * 10**18
"""Of a scenario that adds to volatility, WAD, either sign. The ranges of a model's other fields are in `model_fields.py`."""
