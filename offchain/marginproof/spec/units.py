"""Scales. Integers carry everything that is committed; the scale is part of the type or of the name.

| name | one is | used for |
|---|---|---|
| E8   | 10^8   | prices, strikes, quantities, money |
| WAD  | 10^18  | volatilities, rates, shocks, weights, factors, smile parameters |
| Q58  | 2^58   | logarithms (within a signed 64-bit word), total volatilities and their ratios inside pricing |
| Q60  | 2^60   | probabilities |
| Q64  | 2^64   | preparation: once per expiry, strike or scenario |
| E16  | 10^16  | quantity (E8) x price (E8), summed without rounding |
| E34  | 10^34  | E16 x weight (WAD): losses, still without rounding |
"""

from __future__ import annotations

from typing import NewType

E8 = NewType("E8", int)
Wad = NewType("Wad", int)
Q58 = NewType("Q58", int)
Q60 = NewType("Q60", int)
Q64 = NewType("Q64", int)
E16 = NewType("E16", int)
E34 = NewType("E34", int)

ONE_E8 = E8(10**8)
ONE_WAD = Wad(10**18)
ONE_Q58 = Q58(1 << 58)
ONE_Q60 = Q60(1 << 60)
ONE_Q64 = Q64(1 << 64)

SECONDS_PER_DAY = 86_400
SECONDS_PER_YEAR = 365 * SECONDS_PER_DAY
"""Year fractions are ACT/365."""
