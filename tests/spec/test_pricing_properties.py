"""Black-76 and the normal distribution: symmetry, parity, limits, monotonicity."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from marginproof.spec.black76 import MAX_TOTAL_VOL, moneyness, option_value, out_of_the_money, price
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


@given(forwards, strikes, vols)
def test_parity_is_exact(forward: int, strike: int, vol: int) -> None:
    assert price(True, forward, strike, vol) - price(False, forward, strike, vol) == forward - strike


@given(forwards, strikes, vols)
def test_values_stay_between_their_limits(forward: int, strike: int, vol: int) -> None:
    call, put = price(True, forward, strike, vol), price(False, forward, strike, vol)
    assert max(0, forward - strike) <= call <= forward
    assert max(0, strike - forward) <= put <= strike


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


def test_the_cut_off_is_where_the_ratio_reaches_32() -> None:
    y = 32 * 1_000_000
    assert out_of_the_money(10**16, 10**16, y, 1_000_000) == 0
    assert out_of_the_money(10**16, 10**16, 0, 1) >= 0


@given(forwards, strikes)
def test_moneyness_is_symmetric(forward: int, strike: int) -> None:
    a, b = logarithm(forward), logarithm(strike)
    assert moneyness(a, b) == moneyness(b, a) == abs(a - b) // 64


@given(forwards, strikes, vols)
def test_price_is_option_value_with_its_logarithms(forward: int, strike: int, vol: int) -> None:
    logs = logarithm(forward), logarithm(strike)
    assert option_value(False, forward, strike, *logs, vol) == price(False, forward, strike, vol)
