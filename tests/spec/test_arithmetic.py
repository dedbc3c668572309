"""Division, shifts, roots, logarithm and exponential: their definitions as properties."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.spec.errors import SpecError, require_range
from marginproof.spec.fixed_point import (
    ceil_div,
    clamp,
    floor_div,
    mul_shift,
    square_root,
    wad_to_binary,
    wad_to_q64,
)
from marginproof.spec.logarithm import MAX_EXP_ARGUMENT, bounded_exponential, exponential, logarithm, power
from marginproof.spec.units import ONE_Q64

wide = st.integers(-(1 << 250), 1 << 250)
positive = st.integers(1, 1 << 128)
prices = st.integers(1, (1 << 64) - 1)


@given(wide, positive)
def test_divisions_round_their_own_way(numerator: int, denominator: int) -> None:
    assert floor_div(numerator, denominator) == floor(Fraction(numerator, denominator))
    assert ceil_div(numerator, denominator) == ceil(Fraction(numerator, denominator))


@given(wide, st.integers(-(1 << 64), 0))
def test_divisions_refuse_what_is_not_positive(numerator: int, denominator: int) -> None:
    for function in (floor_div, ceil_div):
        with pytest.raises(SpecError, match="DivisionByZero") as refusal:
            function(numerator, denominator)
        assert refusal.value.args_by_name == {"denominator": denominator}


@given(wide, wide, st.integers(0, 128))
def test_shift_floors(a: int, b: int, bits: int) -> None:
    assert mul_shift(a, b, bits) == floor(Fraction(a * b, 2**bits))


@given(st.integers(0, 1 << 255))
def test_root_is_the_greatest_whose_square_fits(value: int) -> None:
    root = square_root(value)
    assert root * root <= value < (root + 1) ** 2


def test_root_of_a_negative_number_is_refused() -> None:
    with pytest.raises(SpecError, match=r"NegativeRoot\(value=-1\)"):
        square_root(-1)


@given(st.integers(-(10**20), 10**20), st.integers(0, 64))
def test_wad_conversion_floors(value: int, bits: int) -> None:
    assert wad_to_binary(value, bits) == floor(Fraction(value * 2**bits, 10**18))
    assert wad_to_q64(value) == wad_to_binary(value, 64)


@given(wide, positive)
def test_clamp(value: int, limit: int) -> None:
    assert clamp(value, limit) == sorted((-limit, value, limit))[1]


@given(prices, prices)
def test_logarithm_rises(a: int, b: int) -> None:
    low, high = sorted((a, b))
    assert logarithm(low) <= logarithm(high)


@given(st.integers(1, (1 << 63) - 1))
def test_logarithm_of_a_double_is_one_ln2_more(x: int) -> None:
    assert abs(logarithm(2 * x) - logarithm(x) - logarithm(2)) <= 1


def test_logarithm_of_one_is_zero() -> None:
    assert logarithm(1) == 0


@pytest.mark.parametrize("x", [0, -1, 1 << 64])
def test_logarithm_refuses(x: int) -> None:
    with pytest.raises(SpecError, match="OutOfRange") as refusal:
        logarithm(x)
    assert refusal.value.args_by_name == {"field": "logarithm", "value": x, "low": 1, "high": (1 << 64) - 1}


@given(st.integers(-MAX_EXP_ARGUMENT, MAX_EXP_ARGUMENT), st.integers(-MAX_EXP_ARGUMENT, MAX_EXP_ARGUMENT))
def test_exponential_rises(a: int, b: int) -> None:
    low, high = sorted((a, b))
    assert exponential(low) <= exponential(high) + 1


@given(st.integers(1, 1 << 40))
def test_exponential_undoes_logarithm(x: int) -> None:
    back = exponential(logarithm(x))
    assert abs(back - x * ONE_Q64) <= 1 + 4 * x


@pytest.mark.parametrize("x", [MAX_EXP_ARGUMENT + 1, -MAX_EXP_ARGUMENT - 1])
def test_exponential_refuses(x: int) -> None:
    with pytest.raises(SpecError, match="OutOfRange") as refusal:
        exponential(x)
    assert refusal.value.args_by_name["field"] == "exponential"


@given(wide)
def test_the_bounded_exponential_is_total(x: int) -> None:
    inside = max(-MAX_EXP_ARGUMENT, min(MAX_EXP_ARGUMENT, x))
    assert bounded_exponential(x) == exponential(inside) > 0


@given(wide, st.integers(-(1 << 70), 1 << 70))
def test_power_is_total(ratio_logarithm: int, exponent: int) -> None:
    assert power(ratio_logarithm, exponent) == bounded_exponential(
        floor(Fraction(ratio_logarithm * exponent, 2**64))
    )


@given(prices)
def test_power_of_zero_and_one(x: int) -> None:
    assert power(logarithm(x), 0) == ONE_Q64
    assert power(0, x) == ONE_Q64


def test_range_is_inclusive() -> None:
    require_range("thing", 3, 3, 5)
    require_range("thing", 5, 3, 5)
    for value in (2, 6):
        with pytest.raises(SpecError) as refusal:
            require_range("thing", value, 3, 5)
        assert str(refusal.value) == f"OutOfRange(field=thing, value={value}, low=3, high=5)"
