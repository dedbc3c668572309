"""Black-76 option values, exact to about one unit of E8, and deltas from the same pass.

Everything is priced on its out-of-the-money side, and the other side follows by parity in exact integers: so small time values
are never the difference of two large numbers, and call - put = discounted(forward - strike) holds to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .fixed_point import floor_div, mul_shift
from .gaussian import normal_cdf
from .logarithm import logarithm
from .units import E8, ONE_Q58, Q60

MAX_TOTAL_VOL: Final = 1 << 62
"""Total volatility is capped at 16 (Q58); there an option is worth its limit to within the error bound."""
PRICE_BITS: Final = 8
"""Discounted prices inside pricing carry so many binary places beyond E8."""


@dataclass(frozen=True, slots=True)
class OptionPair:
    """A call and the put of the same strike and expiry: values (E8) and discounted deltas (Q60; the put's is negative or 0)."""

    call: E8
    put: E8
    call_delta: Q60
    put_delta: Q60


def discounted(price_e8: int, discount: int) -> int:
    """price x discount factor (Q58), in E8 with PRICE_BITS more binary places. Rounding: down."""
    return mul_shift(price_e8, discount, 58 - PRICE_BITS)


def out_of_the_money(near: int, far: int, moneyness: int, total_vol: int) -> tuple[E8, Q60, Q60]:
    """Value of the out-of-the-money option, near * N(a) - far * N(b), and N(a), N(b), with a = w/2 - y/w and b = a - w.

    For a call near = forward, far = strike, both discounted; for a put the reverse. y = |ln(forward/strike)| >= 0, w = total volatility
    (sigma * sqrt(tau)). b = a - w exactly, so that an error in a moves both terms together and cancels to first order.
    Scale: near and far as `discounted` gives them; y and w Q58; value E8, probabilities Q60.
    Range: 0 <= near <= far <= 2^62, 0 <= y < 2^63, 0 <= w <= 2^62.
    Limits: w = 0 gives value 0, and probabilities 1/2 at the money, else 0; any y/w so large that N(a) is 0 gives value 0.
    Rounding: y/w down, w/2 down, the value down; at least 0.
    Error: within 2 units of E8, floor included, for forwards 1e-2..1e6, strike/forward 1/100..100, w 1e-4..5.
    Source: F. Black, The pricing of commodity contracts, J. Financial Economics 3 (1976), 167-179.
    """
    if total_vol == 0:
        half = Q60(0 if moneyness else 1 << 59)
        return E8(0), half, half
    a = (total_vol >> 1) - floor_div(moneyness << 58, total_vol)
    near_probability, far_probability = normal_cdf(a), normal_cdf(a - total_vol)
    value = (near * near_probability - far * far_probability) >> (60 + PRICE_BITS)
    return E8(max(0, value)), near_probability, far_probability


def moneyness(log_forward: int, log_strike: int) -> int:
    """|ln(forward) - ln(strike)| in Q58, from two Q64 logarithms of E8 prices. Rounding: down."""
    return mul_shift(abs(log_forward - log_strike), 1, 6)


def option_pair(
    forward: int, strike: int, log_forward: int, log_strike: int, total_vol: int, discount: int
) -> OptionPair:
    """Values and deltas of the European call and put.

    Formula: the out-of-the-money side by `out_of_the_money`; the in-the-money side adds |forward - strike| discounted to the nearest
    unit (put-call parity). At the money (forward = strike) both sides are the out-of-the-money value.
    Deltas: the call's is N(d1) times the discount factor, the put's that minus the discount factor.
    Scale: forward and strike E8, logarithms Q64 (of those same integers), total_vol and discount Q58. Rounding: values down on the
    out-of-the-money side, parity to the nearest (halves up); deltas down. Total: defined for every listed option at every vol.
    """
    near, far = min(forward, strike), max(forward, strike)
    value, near_probability, far_probability = out_of_the_money(
        discounted(near, discount), discounted(far, discount), moneyness(log_forward, log_strike), total_vol
    )
    intrinsic = (far - near) * discount + (1 << 57) >> 58
    call_probability = near_probability if forward <= strike else (1 << 60) - far_probability
    call_delta = mul_shift(call_probability, discount, 58)
    return OptionPair(
        call=E8(value + intrinsic if forward > strike else value),
        put=E8(value + intrinsic if strike > forward else value),
        call_delta=Q60(call_delta),
        put_delta=Q60(call_delta - (discount << 2)),
    )


def price(is_call: bool, forward: int, strike: int, total_vol: int, discount: int = ONE_Q58) -> E8:
    """The value alone, with the logarithms taken here: the function to compare with a textbook."""
    pair = option_pair(forward, strike, logarithm(forward), logarithm(strike), total_vol, discount)
    return pair.call if is_call else pair.put
