"""What depends on an expiry's time and rate: year fractions, multipliers, discounts, the basis factor, the fixed part."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor, isqrt

from hypothesis import assume, given
from hypothesis import strategies as st
from scripts.vector_families.models import DISCOUNTS, EXTREME, FULL, LOWEST, SECTION, WAD

from marginproof.spec.limits import MAX_RATE, MAX_SPOT, MAX_TIME, MIN_RATE, MIN_SPOT
from marginproof.spec.model import neutral_section
from marginproof.spec.tenor import (
    MAX_DISCOUNT,
    THIRTY_DAYS,
    basis_factor,
    discount_factor,
    fixed_part,
    square_root_of_years,
    static_discounts,
    tenor_multiplier,
    years,
)
from marginproof.spec.units import ONE_Q58, ONE_Q64, SECONDS_PER_YEAR

DAY = 86_400
NEUTRAL = neutral_section(1, ())
times = st.integers(1, MAX_TIME)
rates = st.integers(MIN_RATE, MAX_RATE)


@given(times)
def test_year_fractions_floor(seconds: int) -> None:
    assert years(seconds) == floor(Fraction(seconds * 2**64, SECONDS_PER_YEAR))
    assert square_root_of_years(seconds) == isqrt(seconds * 2**128 // SECONDS_PER_YEAR)
    assert (years(SECONDS_PER_YEAR), square_root_of_years(SECONDS_PER_YEAR)) == (ONE_Q64, ONE_Q64)


@given(times, times)
def test_the_tenor_multiplier_falls_with_time(a: int, b: int) -> None:
    low, high = sorted((a, b))
    assume((low <= THIRTY_DAYS) == (high <= THIRTY_DAYS))
    assert tenor_multiplier(SECTION, low) >= tenor_multiplier(SECTION, high) - 1


def test_the_tenor_multiplier_at_its_landmarks() -> None:
    assert tenor_multiplier(SECTION, THIRTY_DAYS) == ONE_Q64
    assert tenor_multiplier(SECTION, 1) == tenor_multiplier(SECTION, DAY) > ONE_Q64
    flat = replace(SECTION, power_short=0, power_long=0)
    assert {tenor_multiplier(flat, t) for t in (1, DAY, THIRTY_DAYS, 2**32 - 1)} == {ONE_Q64}
    halved = tenor_multiplier(replace(SECTION, power_long=WAD), 2 * THIRTY_DAYS)
    assert halved in (ONE_Q64 // 2 - 1, ONE_Q64 // 2)
    assert tenor_multiplier(replace(SECTION, power_long=WAD, power_short=0), THIRTY_DAYS) == ONE_Q64
    late = replace(SECTION, floor_seconds=400 * DAY, power_short=WAD, power_long=0)
    assert [tenor_multiplier(late, t) < ONE_Q64 // 13 for t in (THIRTY_DAYS, THIRTY_DAYS + 1)] == [
        True,
        False,
    ]


@given(times)
def test_the_tenor_multiplier_is_total(seconds: int) -> None:
    for section in (EXTREME, LOWEST):
        assert tenor_multiplier(section, seconds) > 0


@given(rates, times)
def test_discount_factors_are_at_most_one(rate: int, seconds: int) -> None:
    factor = discount_factor(rate, seconds)
    assert 0 <= factor <= ONE_Q58
    if rate <= 0:
        assert factor == ONE_Q58


@given(rates, times, times)
def test_discount_factors_fall_with_time(rate: int, a: int, b: int) -> None:
    low, high = sorted((a, b))
    assert discount_factor(rate, low) >= discount_factor(rate, high) - 1


@given(rates, times)
def test_static_discounts_have_their_caps(rate: int, seconds: int) -> None:
    long, short = static_discounts(replace(NEUTRAL, **DISCOUNTS), rate, seconds)  # type: ignore[arg-type]
    assert 0 <= long <= ONE_Q58 * 95 // 100
    assert 0 < short <= MAX_DISCOUNT
    if rate <= 0:
        assert short == ONE_Q58
    assert static_discounts(NEUTRAL, rate, seconds) == (ONE_Q58, ONE_Q58)


@given(rates, times)
def test_the_short_discount_undoes_the_discount_at_most(rate: int, seconds: int) -> None:
    generous = replace(NEUTRAL, short_base=4 * WAD, short_rate_multiple=10 * WAD)
    _, short = static_discounts(generous, rate, seconds)
    factor = discount_factor(rate, seconds)
    assume(factor >= ONE_Q58 // 16 + 2)
    assert abs(short - Fraction(ONE_Q58**2, factor)) <= 600


def test_static_discounts_take_their_own_fields() -> None:
    """One year at 10%: each field moves its side and no other."""
    year = SECONDS_PER_YEAR
    usual = replace(NEUTRAL, short_base=WAD * 9 // 10)
    base = static_discounts(usual, WAD // 10, year)
    for field, side in (
        ("long_base", 0),
        ("long_rate_multiple", 0),
        ("long_rate_add", 0),
        ("short_base", 1),
        ("short_rate_multiple", 1),
        ("short_rate_add", 1),
    ):
        moved = replace(usual, **{field: getattr(usual, field) + WAD // 100})  # type: ignore[arg-type]
        after = static_discounts(moved, WAD // 10, year)
        assert after[side] != base[side], field
        assert after[1 - side] == base[1 - side], field


@given(times)
def test_the_basis_factor_is_linear(seconds: int) -> None:
    assert basis_factor(FULL, seconds) == WAD // 2 + 2 * WAD * seconds // SECONDS_PER_YEAR
    assert basis_factor(NEUTRAL, seconds) == 0


@given(st.integers(MIN_SPOT, MAX_SPOT), st.integers(0, DAY), st.integers(0, DAY))
def test_the_fixed_part_grows_to_the_whole_forward(forward: int, window: int, seconds: int) -> None:
    fixed = fixed_part(replace(NEUTRAL, averaging_seconds=window), forward, seconds)
    if seconds >= window:
        assert fixed == 0
    else:
        assert fixed == floor(Fraction(forward * (window - seconds), window))
    if window:
        assert fixed_part(replace(NEUTRAL, averaging_seconds=window), forward, 0) == forward
