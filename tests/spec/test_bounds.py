"""No intermediate can overflow: the table of bounds.py, and the corners it speaks of, evaluated."""

from __future__ import annotations

from itertools import product

import pytest
from scripts.vector_families.samples import (
    EXTREME,
    EXTREME_MARKET,
    MAX_STRIKE,
    MIN_STRIKE,
    REGISTRY,
    all_ids,
    model_of,
)

from marginproof.spec import black76, bounds, gaussian, limits
from marginproof.spec.fixed_point import floor_div
from marginproof.spec.gaussian_table import COEFFICIENTS
from marginproof.spec.logarithm import MAX_EXP_ARGUMENT, logarithm
from marginproof.spec.margin import margin, value_table
from marginproof.spec.model import VolKind
from marginproof.spec.scenario import LOG_THIRTY_DAYS, shocked_price, vol_rule
from marginproof.spec.units import ONE_WAD

LOWEST = limits.MIN_SPOT * limits.MIN_SPOT_SHOCK // ONE_WAD
HIGHEST = limits.MAX_SPOT * limits.MAX_SPOT_SHOCK // ONE_WAD
PRICES = (LOWEST, limits.MIN_SPOT, limits.MAX_SPOT, HIGHEST)
STRIKES = (limits.MIN_STRIKE, limits.MAX_STRIKE)


@pytest.mark.parametrize("name", bounds.HOT_PATH)
def test_hot_path_fits_128_bits(name: str) -> None:
    assert 0 < bounds.HOT_PATH[name] < 2**127


@pytest.mark.parametrize("name", bounds.WIDE)
def test_accounts_fit_256_bits(name: str) -> None:
    assert 0 < bounds.WIDE[name] < 2**255


def test_the_documented_powers_of_two_hold() -> None:
    documented = {
        "shocked price": 51,
        "numerator of y/w": 121,
        "total vol x multiplier": 124,
        "price x probability": 114,
        "account sum": 116,
    }
    for name, bits in documented.items():
        assert bounds.HOT_PATH[name] <= 2**bits, name
    assert bounds.WIDE["loss x weight"] <= 2**176
    assert bounds.WIDE["factor x scan"] <= 2**243


def test_the_table_is_what_its_reasons_say() -> None:
    account = 2 * 128 * 10**16 * (10**16 + 10**14)
    assert {
        "shocked price": 16 * 10**14,
        "numerator of y/w": (2**63 - 1) * 2**58,
        "total vol x multiplier": 2**124,
        "price x probability": 10**16 * 2**60,
        "polynomial step": 2**116,
        "account sum": account,
    } == bounds.HOT_PATH
    assert {"loss x weight": account * 10**18, "factor x scan": account * 10**18 * 10**19 * 8} == bounds.WIDE


def test_shocked_prices() -> None:
    corners = [
        shocked_price(price, shock)
        for price, shock in product(
            (limits.MIN_SPOT, limits.MAX_SPOT), (limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK)
        )
    ]
    assert (min(corners), max(corners)) == (LOWEST, HIGHEST)
    assert max(corners) == bounds.HOT_PATH["shocked price"]
    assert min(corners) >= 1
    assert max(*corners, *STRIKES) < 2**54


def test_moneyness_and_its_ratio() -> None:
    for forward, strike in product(PRICES, STRIKES):
        y = black76.moneyness(logarithm(forward), logarithm(strike))
        assert y < 28 << 58 < 2**63
        assert y << 58 <= bounds.HOT_PATH["numerator of y/w"]
        least = (y >> 5) + 1
        ratio = floor_div(y << 58, least)
        assert ratio < 2**63
        assert abs((least >> 1) - ratio - least) < 2**64


def test_polynomial_steps() -> None:
    half = gaussian.HALF_CELL
    for row in COEFFICIENTS:
        assert max(map(abs, row)) < 2**61
        total = 0
        for coefficient in reversed(row):
            product_size = abs(total) * half
            assert product_size <= bounds.HOT_PATH["polynomial step"]
            total = abs(coefficient) + (product_size >> 58) + 1


def test_price_times_probability() -> None:
    for price in (*PRICES, *STRIKES):
        assert price << 60 <= bounds.HOT_PATH["price x probability"]


def test_vol_rules_stay_below_their_cap() -> None:
    for kind, seconds in product(VolKind, (1, 86_400, 30 * 86_400, limits.MAX_TIME - 1)):
        multiplier, floor = vol_rule(EXTREME, kind, seconds)
        assert 0 <= multiplier <= black76.MAX_TOTAL_VOL
        assert 0 <= floor <= black76.MAX_TOTAL_VOL


def test_exponents_of_the_tenor_rule_are_in_range() -> None:
    for seconds in (limits.MIN_FLOOR_SECONDS, limits.MAX_TIME):
        assert abs(LOG_THIRTY_DAYS - logarithm(seconds)) < MAX_EXP_ARGUMENT


def test_option_values_at_the_corners() -> None:
    vols = (0, 1, 1 << 40, 1 << 58, black76.MAX_TOTAL_VOL)
    for forward, strike, vol, is_call in product(PRICES, STRIKES, vols, (True, False)):
        value = black76.price(is_call, forward, strike, vol)
        assert 0 <= value <= max(forward, strike) < 2**54


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_account_at_the_extreme_market(sign: int) -> None:
    model = model_of(EXTREME, EXTREME)
    ids = all_ids(1)[:64] + all_ids(2)[:64]
    positions = [(REGISTRY.resolve(id_), sign * limits.MAX_QUANTITY) for id_ in ids]
    values = value_table(EXTREME_MARKET, model)
    for instrument, quantity in positions:
        row = values(instrument)
        assert all(abs(quantity * (value - row[0])) < 2**127 for value in row)
    figures = margin(positions, model, values)
    for scan in figures.scans:
        assert all(abs(loss) <= bounds.WIDE["loss x weight"] for loss in scan.losses)
    assert figures.initial * 10**44 < bounds.WIDE["factor x scan"] < 2**255


def test_samples_reach_the_limits() -> None:
    assert (MIN_STRIKE, MAX_STRIKE) == STRIKES
    assert EXTREME.initial_factor_wad == limits.MAX_FACTOR
    assert max(s.spot_wad for s in EXTREME.scenarios) == limits.MAX_SPOT_SHOCK
    assert EXTREME_MARKET.underlying(1).spot_e8 == limits.MAX_SPOT
