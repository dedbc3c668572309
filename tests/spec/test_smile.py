"""The smile: what is refused, its formula with every rounding written out, and a variance that rounds below zero."""

from __future__ import annotations

from fractions import Fraction
from math import floor, isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts.vector_families.models import WAD
from scripts.vector_families.samples import FLAT

from marginproof.spec.black76 import MAX_TOTAL_VOL
from marginproof.spec.errors import SpecError
from marginproof.spec.logarithm import logarithm
from marginproof.spec.svi import BinarySvi, Svi, prepare_smile, require_valid_smile, total_vol

smiles = st.builds(
    Svi,
    st.integers(0, 9 * WAD),
    st.integers(0, 2 * WAD),
    st.integers(-9999 * 10**14, 9999 * 10**14),
    st.integers(-4 * WAD, 4 * WAD),
    st.integers(10**12, 4 * WAD),
)


@given(smiles)
def test_parameters_are_floored_at_their_own_places(smile: Svi) -> None:
    places = {"a": 64, "b": 60, "rho": 60, "m": 58, "sigma": 58}
    wanted = {name: floor(Fraction(getattr(smile, name) * 2**bits, WAD)) for name, bits in places.items()}
    assert prepare_smile(smile) == BinarySvi(**wanted)


@given(smiles, st.integers(10**6, 10**14), st.integers(10**4, 10**16))
def test_total_vol_is_its_formula(smile: Svi, forward: int, strike: int) -> None:
    binary, logs = prepare_smile(smile), (logarithm(forward), logarithm(strike))
    distance = floor(Fraction(logs[1] - logs[0], 2**6)) - binary.m
    root = isqrt(distance**2 + binary.sigma**2)
    wing = floor(Fraction(binary.rho * distance, 2**60)) + root
    variance = binary.a + floor(Fraction(binary.b * wing, 2**54))
    assert total_vol(binary, *logs) == min(MAX_TOTAL_VOL, isqrt(max(0, variance) * 2**52))


def test_a_variance_that_rounds_below_zero_is_none() -> None:
    b = WAD // 3
    smile = Svi(-4 * b, b, 0, 0, 4 * WAD)
    require_valid_smile(smile)
    binary = prepare_smile(smile)
    assert binary.a + (binary.b * binary.sigma >> 54) < 0
    assert total_vol(binary, logarithm(10**10), logarithm(10**10)) == 0


@given(st.integers(10**6, 10**14), st.integers(10**4, 10**16))
def test_a_flat_smile_is_flat(forward: int, strike: int) -> None:
    vol = total_vol(prepare_smile(FLAT), logarithm(forward), logarithm(strike))
    assert abs(vol / 2**58 - 0.4) < 1e-15


def test_smile_refusals() -> None:
    require_valid_smile(Svi(0, 0, 0, 0, 10**12))
    with pytest.raises(SpecError, match=r"NegativeVariance\(minimumVariance=-1\)"):
        require_valid_smile(Svi(-1, 0, 0, 0, 10**12))
    with pytest.raises(SpecError, match="field=sigma"):
        require_valid_smile(Svi(0, 0, 0, 0, 10**12 - 1))


@given(
    st.integers(-(10**18), 9 * 10**18), st.integers(0, 2 * 10**18), st.integers(-9999 * 10**14, 9999 * 10**14)
)
def test_an_accepted_smile_has_a_variance_everywhere(a: int, b: int, rho: int) -> None:
    smile = Svi(a, b, rho, 0, 10**17)
    try:
        require_valid_smile(smile)
    except SpecError:
        return
    for strike in (10**4, 10**8, 10**12, 10**16):
        assert 0 <= total_vol(prepare_smile(smile), logarithm(10**10), logarithm(strike)) <= MAX_TOTAL_VOL
