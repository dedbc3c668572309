"""Black-76 option values without discounting, exact to about one unit of E8.

Everything is priced on its out-of-the-money side, and the other side follows by parity in exact integers: so small time values
are never the difference of two large numbers, and call - put = forward - strike holds to the bit.
"""

from __future__ import annotations

from typing import Final

from .fixed_point import floor_div, mul_shift
from .gaussian import normal_cdf
from .logarithm import logarithm
from .units import E8

MAX_TOTAL_VOL: Final = 1 << 62
"""Total volatility is capped at 16 (Q58); there an option is worth its limit to within the error bound."""


def out_of_the_money(near: int, far: int, moneyness: int, total_vol: int) -> E8:
    """Value of the out-of-the-money option: near * N(a) - far * N(a - w), with a = w/2 - y/w.

    For a call near = forward, far = strike; for a put the reverse. y = |ln(forward/strike)| >= 0, w = total volatility
    (sigma * sqrt(tau)). b = a - w exactly, so that an error in a moves both terms together and cancels to first order.
    Scale: near and far E8; y and w Q58; result E8. Range: 0 < near <= far <= 2^54, 0 <= y < 2^63, 0 <= w <= 2^62.
    Limits: w = 0 gives 0, and so does any y/w so large that N(a) is 0. Rounding: y/w down, w/2 down, the result down; at least 0.
    Error: within 2 units of E8, floor included, for forwards 1e-2..1e6, strike/forward 1/100..100, w 1e-4..5.
    Source: F. Black, The pricing of commodity contracts, J. Financial Economics 3 (1976), 167-179.
    """
    if total_vol == 0:
        return E8(0)
    a = (total_vol >> 1) - floor_div(moneyness << 58, total_vol)
    b = a - total_vol
    return E8(max(0, (near * normal_cdf(a) - far * normal_cdf(b)) >> 60))


def moneyness(log_forward: int, log_strike: int) -> int:
    """|ln(forward) - ln(strike)| in Q58, from two Q64 logarithms of E8 prices. Rounding: down."""
    return mul_shift(abs(log_forward - log_strike), 1, 6)


def option_value(
    is_call: bool, forward: int, strike: int, log_forward: int, log_strike: int, total_vol: int
) -> E8:
    """Undiscounted value of a European option, E8.

    Formula: the out-of-the-money side by `out_of_the_money`; the in-the-money side adds its intrinsic value |forward - strike|
    (put-call parity). At the money (forward = strike) both sides are the out-of-the-money value.
    Scale: forward and strike E8, logarithms Q64 (of those same integers), total_vol Q58. Rounding: down. Total: defined for every
    listed option at every vol.
    """
    y = moneyness(log_forward, log_strike)
    value = out_of_the_money(min(forward, strike), max(forward, strike), y, total_vol)
    intrinsic = max(0, forward - strike if is_call else strike - forward)
    return E8(value + intrinsic)


def price(is_call: bool, forward: int, strike: int, total_vol: int) -> E8:
    """`option_value` with the logarithms taken here: the function to compare with a textbook."""
    return option_value(is_call, forward, strike, logarithm(forward), logarithm(strike), total_vol)
