"""Skews: the tilt of volatility by log-moneyness, its cap on either side, and what a negative cap does."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st
from scripts.vector_families.models import EXTREME, FULL, LOWEST, WAD
from scripts.vector_families.samples import BITCOIN, TIME

from marginproof.spec.fixed_point import wad_to_binary
from marginproof.spec.limits import MAX_TIME
from marginproof.spec.logarithm import logarithm
from marginproof.spec.model import Scenario, VolKind
from marginproof.spec.scenario import prepare_expiry, prepare_shock, strike_multiplier
from marginproof.spec.tenor import skew_multiplier, skew_terms
from marginproof.spec.units import ONE_Q58, SECONDS_PER_YEAR

TOP = 1 << 62
k_values = st.integers(-(1 << 63) + 1, (1 << 63) - 1)
caps = st.integers(-TOP, TOP)
k_stars = st.integers(1, TOP)


@given(k_values, caps, k_stars)
def test_the_multiplier_is_its_definition(k: int, cap: int, k_star: int) -> None:
    slope = floor(Fraction(k * cap, k_star))
    tilt = min(cap, slope) if k >= 0 else max(-cap, slope)
    assert skew_multiplier(k, cap, k_star) == max(0, min(TOP, ONE_Q58 + tilt))


@given(k_values, st.integers(0, TOP), k_stars)
def test_a_positive_cap_clamps_both_sides(k: int, cap: int, k_star: int) -> None:
    slope = floor(Fraction(k * cap, k_star))
    assert skew_multiplier(k, cap, k_star) == max(0, min(TOP, ONE_Q58 + max(-cap, min(cap, slope))))


def test_a_negative_cap_follows_the_two_branches() -> None:
    """For k >= 0 the lesser of cap and slope, which is the steeper one beyond k*; for k < 0 the greater of -cap and slope."""
    cap, k_star = -(ONE_Q58 // 10), ONE_Q58 // 2
    assert skew_multiplier(0, cap, k_star) == ONE_Q58 + cap
    assert skew_multiplier(k_star // 2, cap, k_star) == ONE_Q58 + cap
    assert skew_multiplier(2 * k_star, cap, k_star) == ONE_Q58 + 2 * cap
    assert skew_multiplier(-k_star // 2, cap, k_star) == ONE_Q58 - cap
    assert skew_multiplier(-2 * k_star, cap, k_star) == ONE_Q58 - 2 * cap
    assert skew_multiplier(1000 * k_star, cap, k_star) == 0


@given(caps, k_stars)
def test_at_the_money_nothing_tilts_unless_the_cap_is_negative(cap: int, k_star: int) -> None:
    assert skew_multiplier(0, cap, k_star) == max(0, ONE_Q58 + min(0, cap))


@given(k_values, st.integers(0, TOP), k_stars)
def test_the_cap_is_reached_at_k_star(k: int, cap: int, k_star: int) -> None:
    if abs(k) >= k_star:
        beyond = cap if k > 0 else -cap
        assert skew_multiplier(k, cap, k_star) == max(0, min(TOP, ONE_Q58 + beyond))


@given(st.integers(1, MAX_TIME), st.booleans())
def test_terms_are_total(seconds: int, is_absolute: bool) -> None:
    for section in (FULL, EXTREME, LOWEST):
        cap, k_star = skew_terms(section, seconds, is_absolute)
        assert -TOP <= cap <= TOP
        assert 0 < k_star <= TOP


def test_terms_take_their_own_fields() -> None:
    year = SECONDS_PER_YEAR
    linear, absolute = (skew_terms(FULL, year, is_absolute) for is_absolute in (False, True))
    assert abs(linear[0] - wad_to_binary(WAD // 10, 58)) <= 1
    assert abs(absolute[0] - wad_to_binary(WAD * 8 // 100, 58)) <= 1
    assert linear[1] == absolute[1]
    assert abs(linear[1] - 2 * ONE_Q58) <= 8
    shared = ("skew_minimum", "skew_width", "skew_vol", "skew_vol_slope")
    for field in ("linear_cap", "linear_cap_slope", "absolute_cap", "absolute_cap_slope", *shared):
        moved = replace(FULL, **{field: getattr(FULL, field) + 3 * WAD})  # type: ignore[arg-type]
        changes = [
            skew_terms(moved, year, is_absolute) != before
            for is_absolute, before in ((False, linear), (True, absolute))
        ]
        assert changes == [not field.startswith("absolute"), not field.startswith("linear")], field


def test_k_star_is_never_below_its_minimum() -> None:
    """Where the skew's volatility would turn negative, the minimum holds."""
    falling = replace(FULL, skew_vol_slope=-20 * WAD)
    for seconds in (1, SECONDS_PER_YEAR, MAX_TIME):
        assert skew_terms(falling, seconds, False)[1] == wad_to_binary(FULL.skew_minimum, 64) >> 6


def test_a_skew_scenario_measures_from_the_unshocked_forward() -> None:
    expiry = prepare_expiry(BITCOIN.expiries[4], TIME, FULL)
    for kind in (VolKind.LINEAR_SKEW, VolKind.ABSOLUTE_SKEW):
        shock = prepare_shock(FULL, expiry, Scenario(WAD // 2, kind, WAD))
        assert (shock.forward, shock.log_forward) == (expiry.forward, expiry.log_forward)
        terms = skew_terms(FULL, expiry.seconds, kind == VolKind.ABSOLUTE_SKEW)
        for strike in (expiry.forward * 8 // 10, expiry.forward, expiry.forward * 12 // 10):
            k = (logarithm(strike) - expiry.log_forward) >> 6
            k = (abs(logarithm(strike) - expiry.log_forward) >> 6) if kind == VolKind.ABSOLUTE_SKEW else k
            found = strike_multiplier(shock, expiry.log_forward, logarithm(strike))
            assert found == skew_multiplier(k, *terms)
