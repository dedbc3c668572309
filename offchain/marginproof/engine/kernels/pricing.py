"""Black-76 over a strip: one strike of one expiry in every column, call and put together (`spec/black76.py`, `spec/svi.py`)."""

from __future__ import annotations

from math import sqrt
from typing import Any, Final

import numpy as np

from marginproof.spec.gaussian import CELL_BITS, CELLS, HALF_CELL
from marginproof.spec.gaussian_table import COEFFICIENTS

from .compile import kernel
from .wide import (
    add128,
    divide_word,
    join128,
    less128,
    low_signed,
    low_word,
    mul128,
    shl128,
    shr128,
    sub128,
    wide128,
)

TAIL: Final = np.array([row[::-1] for row in COEFFICIENTS], dtype=np.int64)
"""Coefficients of the upper tail, highest power first."""
DEGREE: Final = TAIL.shape[1]
MAX_VOL: Final = 1 << 62
ONE_Q60: Final = 1 << 60

# Columns of the per-expiry, per-move array.
FORWARD, FORWARD_DISCOUNTED, LOG_HIGH, LOG_LOW, MULTIPLIER, ADDED, FLOOR, SKEW, CAP, K_STAR = range(10)
MOVE_FIELDS: Final = 10
NO_SKEW, LINEAR, ABSOLUTE = range(3)

# Columns of the per-expiry array.
E_LOG_HIGH, E_LOG_LOW, A_HIGH, A_LOW, B, RHO, M, SIGMA, DISCOUNT = range(9)
EXPIRY_FIELDS: Final = 9

# Columns of the per-strike array: expiry, strike, its logarithm, total vol given instead of the smile's (or -1), rows of
# call and put (or -1).
S_EXPIRY, STRIKE, S_LOG_HIGH, S_LOG_LOW, GIVEN_VOL, CALL_ROW, PUT_ROW = range(7)
STRIKE_FIELDS: Final = 7

LOG_SPLIT: Final = 32
"""Logarithms (Q64, up to 70 bits) are held as high * 2^32 + low, so that differences shift exactly in 64 bits."""


@kernel(inline="always")
def upper_tail(x: Any) -> Any:
    """N(-x) in Q60 for x >= 0 in Q58."""
    cell = x >> CELL_BITS
    if cell >= CELLS:
        return 0
    u = x - (cell << CELL_BITS) - HALF_CELL
    total = TAIL[cell, 0]
    for k in range(1, DEGREE):
        total = TAIL[cell, k] + low_signed(shr128(mul128(total, u), 58))
    return max(0, total >> 2)


@kernel(inline="always")
def normal_cdf(x: Any) -> Any:
    """N(x) in Q60."""
    return upper_tail(-x) if x < 0 else ONE_Q60 - upper_tail(x)


@kernel
def square_root(value: Any) -> Any:
    """floor(sqrt(value)) of a non-negative i128 below 2^127: an estimate in floats, one step of Newton's, then exact steps of 1."""
    estimate = sqrt(float(low_word(shr128(value, 64))) * 18446744073709551616.0 + float(low_word(value)))
    if estimate < 1.0:
        return 0
    root = np.int64(min(estimate, 9.2e18))
    rest = sub128(value, mul128(root, root))
    # |rest| < 2^80 here, so its upper and lower part as floats lose nothing that the last steps do not repair.
    top = float(low_signed(shr128(rest, 32)))
    root += np.int64((top * 4294967296.0) / (2.0 * estimate))
    while less128(value, mul128(root, root)):
        root -= 1
    while not less128(value, mul128(root + 1, root + 1)):
        root += 1
    return int(root)


@kernel(inline="always")
def log_difference(high: Any, low: Any, from_high: Any, from_low: Any) -> Any:
    """floor((log - other log) / 2^6): a difference of split logarithms in Q58."""
    return ((high - from_high) << (LOG_SPLIT - 6)) + ((low - from_low) >> 6)


@kernel(inline="always")
def log_distance(high: Any, low: Any, from_high: Any, from_low: Any) -> Any:
    """floor(|log - other log| / 2^6), Q58."""
    dh, dl = high - from_high, low - from_low
    if dh < 0 or (dh == 0 and dl < 0):
        dh, dl = -dh, -dl
    # dl may still be of the other sign: the shift floors the whole, since 2^32 is a multiple of 2^6.
    return (dh << (LOG_SPLIT - 6)) + (dl >> 6)


@kernel
def total_vol(expiry: Any, log_high: Any, log_low: Any) -> Any:
    """Total volatility of the smile at a strike, Q58."""
    distance = log_difference(log_high, log_low, expiry[E_LOG_HIGH], expiry[E_LOG_LOW]) - expiry[M]
    root = square_root(add128(mul128(distance, distance), mul128(expiry[SIGMA], expiry[SIGMA])))
    factor = add128(shr128(mul128(expiry[RHO], distance), 60), root)
    variance = add128(join128(expiry[A_HIGH], expiry[A_LOW]), shr128(mul128(expiry[B], factor), 54))
    if less128(variance, 1):
        return 0
    return min(MAX_VOL, square_root(shl128(variance, 52)))


@kernel
def skew_multiplier(k: Any, cap: Any, k_star: Any) -> Any:
    """The multiplier of volatility under a skew, Q58."""
    product = mul128(k, cap)
    limit = shl128(wide128(k_star), 62)
    if not less128(product, limit):
        slope: Any = MAX_VOL
    elif not less128(sub128(0, product), limit):
        slope = -MAX_VOL
    elif less128(product, 0):
        size = sub128(k_star - 1, product)
        slope = -np.int64(divide_word(low_word(shr128(size, 64)), low_word(size), np.uint64(k_star)))
    else:
        slope = np.int64(divide_word(low_word(shr128(product, 64)), low_word(product), np.uint64(k_star)))
    tilt = min(cap, slope) if k >= 0 else max(-cap, slope)
    return max(0, min(MAX_VOL, (1 << 58) + tilt))


@kernel(inline="always")
def _scaled(vol: Any, multiplier: Any, move: Any) -> Any:
    """min(16, max(floor, 0, floor(vol * multiplier) + added)), Q58; the product may pass 2^63 before the cap."""
    moved = add128(shr128(mul128(vol, multiplier), 58), move[ADDED])
    if not less128(moved, MAX_VOL):
        return MAX_VOL
    return max(move[FLOOR], 0, low_signed(moved))


@kernel
def price_strip(  # noqa: C901 - one cell; calls with arrays cost more than their work
    strikes: Any, expiries: Any, moves: Any, move_counts: Any, values: Any, deltas: Any, start: Any, stop: Any
) -> None:
    """Fill the rows of calls and puts of strikes start .. stop: `values` (rows, columns) E8 and `deltas` (rows) Q60.

    strikes (n, 7), expiries (e, 9), moves (e, columns, 10), move_counts (e): int64, fields as named above.
    """
    for i in range(start, stop):
        strike_row = strikes[i]
        expiry_index = strike_row[S_EXPIRY]
        expiry = expiries[expiry_index]
        strike, discount = strike_row[STRIKE], expiry[DISCOUNT]
        log_high, log_low = strike_row[S_LOG_HIGH], strike_row[S_LOG_LOW]
        call_row, put_row = strike_row[CALL_ROW], strike_row[PUT_ROW]
        vol = strike_row[GIVEN_VOL] if strike_row[GIVEN_VOL] >= 0 else total_vol(expiry, log_high, log_low)
        strike_discounted = low_signed(shr128(mul128(strike, discount), 50))
        for column in range(move_counts[expiry_index]):
            move = moves[expiry_index, column]
            multiplier = move[MULTIPLIER]
            if move[SKEW] == LINEAR:
                k = log_difference(log_high, log_low, expiry[E_LOG_HIGH], expiry[E_LOG_LOW])
                multiplier = skew_multiplier(k, move[CAP], move[K_STAR])
            elif move[SKEW] == ABSOLUTE:
                k = log_distance(log_high, log_low, expiry[E_LOG_HIGH], expiry[E_LOG_LOW])
                multiplier = skew_multiplier(k, move[CAP], move[K_STAR])
            w = _scaled(vol, multiplier, move)
            forward = move[FORWARD]
            y = log_distance(move[LOG_HIGH], move[LOG_LOW], log_high, log_low)
            near, far = move[FORWARD_DISCOUNTED], strike_discounted
            if forward > strike:
                near, far = far, near
            near_probability, far_probability, value = 0, 0, 0
            if w == 0:
                if y == 0:
                    near_probability = far_probability = ONE_Q60 >> 1
            elif (y >> 6) < w:
                ratio = divide_word(np.uint64(y >> 6), np.uint64(y) << np.uint64(58), np.uint64(w))
                # y is below 32, so from y/w = 16 on w is at most 2 and a at most -15: both probabilities are 0.
                if ratio < np.uint64(1 << 62):
                    a = (w >> 1) - np.int64(ratio)
                    near_probability = normal_cdf(a)
                    far_probability = upper_tail(w - a)
                    exact = sub128(mul128(near, near_probability), mul128(far, far_probability))
                    value = max(0, low_signed(shr128(exact, 68)))
            intrinsic = low_signed(shr128(add128(mul128(abs(forward - strike), discount), 1 << 57), 58))
            if call_row >= 0:
                values[call_row, column] = value + intrinsic if forward > strike else value
            if put_row >= 0:
                values[put_row, column] = value + intrinsic if strike > forward else value
            if column == 0:
                probability = near_probability if forward <= strike else ONE_Q60 - far_probability
                call_delta = low_signed(shr128(mul128(probability, discount), 58))
                if call_row >= 0:
                    deltas[call_row] = call_delta
                if put_row >= 0:
                    deltas[put_row] = call_delta - (discount << 2)
