"""Black-76 and the normal distribution: symmetry, parity, limits, monotonicity."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from math import floor

from hypothesis import assume, given
from hypothesis import strategies as st

from marginproof.spec.black76 import (
    MAX_TOTAL_VOL,
    OptionPair,
    discounted,
    moneyness,
    option_pair,
    out_of_the_money,
    price,
)
from marginproof.spec.gaussian import CELL_BITS, CELLS, normal_cdf, upper_tail
from marginproof.spec.limits import MAX_SPOT, MAX_STRIKE, MIN_SPOT, MIN_STRIKE
from marginproof.spec.logarithm import logarithm
from marginproof.spec.units import ONE_Q58, ONE_Q60

arguments = st.integers(-(33 << 58), 33 << 58)
forwards = st.integers(MIN_SPOT.bit_length(), MAX_SPOT.bit_length()).flatmap(
    lambda bits: st.integers(max(MIN_SPOT, 1 << (bits - 1)), min(MAX_SPOT, (1 << bits) - 1))
)
strikes = st.integers(MIN_STRIKE.bit_length(), MAX_STRIKE.bit_length()).flatmap(
    lambda bits: st.integers(max(MIN_STRIKE, 1 << (bits - 1)), min(MAX_STRIKE, (1 << bits) - 1))
)
vols = st.integers(0, MAX_TOTAL_VOL)
usual_vols = st.integers(ONE_Q58 // 10_000, 5 * ONE_Q58)


discounts = st.one_of(st.just(ONE_Q58), st.integers(0, ONE_Q58))


def pair_of(forward: int, strike: int, vol: int, discount: int = ONE_Q58) -> OptionPair:
    return option_pair(forward, strike, logarithm(forward), logarithm(strike), vol, discount)


@given(arguments)
def test_the_two_tails_add_to_one_exactly(x: int) -> None:
    assume(x != 0)
    assert normal_cdf(x) + normal_cdf(-x) == ONE_Q60
    assert 0 <= normal_cdf(x) <= ONE_Q60


def test_the_middle_and_the_ends() -> None:
    assert abs(normal_cdf(0) - ONE_Q60 // 2) <= 4
    assert upper_tail(9 * ONE_Q58) == 0
    assert upper_tail(9 * ONE_Q58 - 1) <= 4
    assert normal_cdf(9 * ONE_Q58) == ONE_Q60


@given(arguments, st.integers(1 << 20, 1 << 58))
def test_probability_rises(x: int, step: int) -> None:
    assert normal_cdf(x + step) >= normal_cdf(x) - 8


def test_cells_join() -> None:
    for j in range(1, CELLS):
        edge = j << CELL_BITS
        assert abs(upper_tail(edge) - upper_tail(edge - 1)) <= 8


@given(forwards, strikes, vols, discounts)
def test_parity_is_exact(forward: int, strike: int, vol: int, discount: int) -> None:
    """call - put is the discounted difference to the nearest unit, halves away from the out-of-the-money side."""
    pair = pair_of(forward, strike, vol, discount)
    size = floor(Fraction(abs(forward - strike) * discount, 2**58) + Fraction(1, 2))
    assert pair.call - pair.put == (size if forward > strike else -size)


@given(forwards, strikes, vols)
def test_parity_without_discount(forward: int, strike: int, vol: int) -> None:
    pair = pair_of(forward, strike, vol)
    assert pair.call - pair.put == forward - strike


@given(forwards, strikes, vols, discounts)
def test_deltas_differ_by_the_discount_exactly(forward: int, strike: int, vol: int, discount: int) -> None:
    pair = pair_of(forward, strike, vol, discount)
    assert pair.call_delta - pair.put_delta == discount << 2
    assert 0 <= pair.call_delta <= discount << 2


@given(forwards, strikes, vols, discounts)
def test_values_stay_between_their_limits(forward: int, strike: int, vol: int, discount: int) -> None:
    pair = pair_of(forward, strike, vol, discount)
    intrinsic = (forward - strike) * discount + (1 << 57) >> 58
    assert max(0, intrinsic) <= pair.call <= (forward * discount >> 58) + 1
    assert max(0, -intrinsic - 1) <= pair.put <= (strike * discount >> 58) + 1


@given(st.integers(10**8, MAX_SPOT), st.integers(-15, 15), st.integers(ONE_Q58 // 50, 2 * ONE_Q58), discounts)
def test_delta_is_the_slope_of_the_value(forward: int, tenths: int, vol: int, discount: int) -> None:
    """Central difference over a thousandth of the forward, against the two deltas at its ends."""
    strike = forward * (20 + tenths) // 20
    step = forward // 1000
    low, high = (pair_of(forward + side * step, strike, vol, discount) for side in (-1, 1))
    rise = Fraction(high.call - low.call, 2 * step) * 2**60
    slack = Fraction(3, step) * 2**60
    assert low.call_delta - slack <= rise <= high.call_delta + slack


@given(forwards, strikes, usual_vols, st.integers(0, ONE_Q58))
def test_a_discount_scales_the_value(forward: int, strike: int, vol: int, discount: int) -> None:
    assume(forward // 100 <= strike <= forward * 100)
    whole, part = pair_of(forward, strike, vol), pair_of(forward, strike, vol, discount)
    for value, less in ((whole.call, part.call), (whole.put, part.put)):
        assert abs(less - Fraction(value * discount, 2**58)) <= 3


def test_without_volatility_the_delta_is_a_step_with_its_middle() -> None:
    for forward, wanted in ((10**8 - 1, 0), (10**8, 1 << 59), (10**8 + 1, 1 << 60)):
        assert pair_of(forward, 10**8, 0).call_delta == wanted
        assert pair_of(forward, 10**8, 0, ONE_Q58 // 2).call_delta == wanted // 2


@given(forwards, strikes, discounts)
def test_without_volatility_the_value_is_discounted_intrinsic(
    forward: int, strike: int, discount: int
) -> None:
    pair = pair_of(forward, strike, 0, discount)
    nearest = abs(forward - strike) * discount + (1 << 57) >> 58
    assert pair.call == (nearest if forward > strike else 0)
    assert pair.put == (nearest if strike > forward else 0)


@given(forwards, discounts)
def test_discounted_prices_floor(price_e8: int, discount: int) -> None:
    assert discounted(price_e8, discount) == floor(Fraction(price_e8 * discount * 2**8, 2**58))


@given(forwards, strikes)
def test_without_volatility_the_value_is_intrinsic(forward: int, strike: int) -> None:
    assert price(True, forward, strike, 0) == max(0, forward - strike)
    assert price(False, forward, strike, 0) == max(0, strike - forward)


@given(forwards, strikes)
def test_at_the_cap_a_call_is_nearly_the_forward(forward: int, strike: int) -> None:
    assume(forward // 100 <= strike <= forward * 100)
    assert forward - price(True, forward, strike, MAX_TOTAL_VOL) <= 2 + forward // 10**8


@given(forwards, strikes, usual_vols, usual_vols)
def test_value_rises_with_volatility(forward: int, strike: int, a: int, b: int) -> None:
    assume(forward // 100 <= strike <= forward * 100)
    low, high = sorted((a, b))
    assert price(True, forward, strike, low) <= price(True, forward, strike, high) + 2


@given(forwards, strikes, usual_vols, st.integers(0, 10**9))
def test_value_rises_with_the_forward_and_falls_with_the_strike(
    forward: int, strike: int, vol: int, step: int
) -> None:
    assume(forward // 50 <= strike <= forward * 50)
    assert price(True, forward, strike, vol) <= price(True, forward + step, strike, vol) + 2
    assert price(True, forward, strike + step, vol) <= price(True, forward, strike, vol) + 2
    assert price(False, forward, strike, vol) <= price(False, forward, strike + step, vol) + 2


@given(forwards, usual_vols)
def test_values_are_convex_in_the_strike(forward: int, vol: int) -> None:
    ladder = [forward // 2 + i * (forward // 10) for i in range(11)]
    values = [price(True, forward, strike, vol) for strike in ladder]
    slopes = [b - a for a, b in pairwise(values)]
    assert all(before <= after + 8 for before, after in pairwise(slopes))


@given(forwards, usual_vols)
def test_at_the_money_call_and_put_are_equal(forward: int, vol: int) -> None:
    assert price(True, forward, forward, vol) == price(False, forward, forward, vol) > 0 or forward < 10**10


@given(forwards, vols.filter(bool), discounts)
def test_at_the_money_the_delta_is_the_near_probability(forward: int, vol: int, discount: int) -> None:
    pair = pair_of(forward, forward, vol, discount)
    assert pair.call_delta == normal_cdf(vol >> 1) * discount >> 58
    assert normal_cdf(vol >> 1) >= (1 << 59) - 4


def test_limits_of_the_out_of_the_money_side() -> None:
    half, top = 1 << 59, 1 << 62
    assert out_of_the_money(top, top, 0, 0) == (0, half, half)
    assert out_of_the_money(top, top, 1, 0) == (0, 0, 0)
    assert out_of_the_money(top, top, 9 * ONE_Q58, ONE_Q58 - 1)[0] == 0
    assert out_of_the_money(top, top, 32_000_000, 1_000_000) == (0, 0, 0)
    assert out_of_the_money(top, top, 0, 1)[0] >= 0


def test_pricing_is_total() -> None:
    """Every corner of the domain has values in range: prices, volatilities and discounts at their ends and a unit inside."""
    vols = (0, 1, 2, 1 << 30, ONE_Q58, MAX_TOTAL_VOL - 1, MAX_TOTAL_VOL)
    ends = (10**4, MIN_SPOT, MAX_SPOT, 16 * MAX_SPOT)
    for forward, strike, vol in product(ends, (MIN_STRIKE, MIN_STRIKE + 1, MAX_STRIKE), vols):
        for discount in (0, 1, ONE_Q58 - 1, ONE_Q58):
            pair = pair_of(forward, strike, vol, discount)
            assert 0 <= min(pair.call, pair.put) <= max(pair.call, pair.put) <= max(forward, strike)


@given(forwards, strikes)
def test_moneyness_is_symmetric(forward: int, strike: int) -> None:
    a, b = logarithm(forward), logarithm(strike)
    assert moneyness(a, b) == moneyness(b, a) == abs(a - b) // 64


@given(forwards, strikes, vols, discounts)
def test_price_is_one_of_the_pair(forward: int, strike: int, vol: int, discount: int) -> None:
    pair = pair_of(forward, strike, vol, discount)
    assert price(True, forward, strike, vol, discount) == pair.call
    assert price(False, forward, strike, vol, discount) == pair.put
