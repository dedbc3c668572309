"""No intermediate can overflow: the table of bounds.py, its corners evaluated, and the intermediates of real computations below it."""

from __future__ import annotations

import re
from itertools import product
from random import Random

import pytest
from scripts.vector_families.models import EXTREME, LOWEST, model_of
from scripts.vector_families.samples import EXTREME_MARKET, FIRST_SECOND, REGISTRY, all_ids

from marginproof.spec import black76, bounds, gaussian, limits, margin, tenor
from marginproof.spec.add_ons import add_ons
from marginproof.spec.gaussian_table import COEFFICIENTS
from marginproof.spec.holdings import hold
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.logarithm import logarithm
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model, VolKind
from marginproof.spec.model_fields import FIELDS
from marginproof.spec.scenario import shocked_price, vol_rule
from marginproof.spec.svi import Svi, prepare_smile
from marginproof.spec.units import ONE_Q58, ONE_WAD

from .watched import watching

LOWEST_PRICE = limits.MIN_SPOT * limits.MIN_SPOT_SHOCK // ONE_WAD
HIGHEST_PRICE = limits.MAX_SPOT * limits.MAX_SPOT_SHOCK // ONE_WAD
PRICES = (LOWEST_PRICE, limits.MIN_SPOT, limits.MAX_SPOT, HIGHEST_PRICE)
STRIKES = (limits.MIN_STRIKE, limits.MAX_STRIKE)
TIMES = (1, 86_400, 30 * 86_400, 365 * 86_400, limits.MAX_TIME - 1)
HIGH = {field.name: field.high for field in FIELDS}


@pytest.mark.parametrize("name", bounds.HOT_PATH)
def test_hot_path_fits_128_bits(name: str) -> None:
    assert 0 < bounds.HOT_PATH[name] < 2**127


@pytest.mark.parametrize("name", bounds.WIDE)
def test_accounts_fit_256_bits(name: str) -> None:
    assert 0 < bounds.WIDE[name] < 2**255


def test_the_documented_powers_of_two_hold() -> None:
    rows = re.findall(r"^\| ([^|]+) \| 2\^(\d+) \|", bounds.__doc__ or "", re.MULTILINE)
    documented = {name: int(bits) for name, bits in rows}
    for name, text in {
        "shocked price": "shocked price",
        "numerator of y/w": "y << 58",
        "squared distance and sigma": "squared distance and sigma of the smile, Q116",
        "smile slope x its factor": "smile slope x its factor",
        "variance << 52": "variance << 52",
        "skew: k x cap": "skew: k x cap, and k* << 62",
        "total vol x multiplier": "total vol x multiplier",
        "price x probability": "price x probability",
        "polynomial step": "polynomial step",
        "account sum": "quantity x value, 128 positions",
        "discounted sum": "sum of an expiry with its static discount",
        "sum of deltas": "quantity x delta, 128 positions",
    }.items():
        assert bounds.HOT_PATH[name] <= 2 ** documented[text], name
    for name, text in {
        "loss": "loss (E34)",
        "delta charge": "delta charge before its shift",
        "factor x scan": "factor x scan",
        "add-ons": "add-ons (10^52)",
    }.items():
        assert bounds.WIDE[name] <= 2 ** documented[text], name


def test_the_table_is_what_its_reasons_say() -> None:
    account = 2 * 128 * 10**16 * (10**16 + 10**14)
    discounted = account + 16 * account
    distance, root = 271 * 2**58 // 10, 274 * 2**58 // 10
    assert {
        "shocked price": 16 * 10**14,
        "discounted price": 10**16 * 2**8,
        "numerator of y/w": (2**63 - 1) * 2**58,
        "squared distance and sigma": distance**2 + 2**120,
        "smile slope x its factor": 2**61 * (distance + root),
        "variance << 52": (9 * 2**64 + (2**61 * (distance + root) >> 54)) * 2**52,
        "skew: k x cap": (2**63 - 1) * 2**62,
        "total vol x multiplier": 2**124,
        "price x probability": 10**16 * 2**68,
        "polynomial step": 2**116,
        "account sum": account,
        "discounted sum": discounted,
        "sum of deltas": 128 * 10**16 * 2**60,
    } == bounds.HOT_PATH
    factor = 20 * 10**18 + 20 * 10**18 * (2**32 - 1) // 31_536_000
    loss = max(account * factor, discounted * 9 * 10**18)
    scaled = loss * (10 * 10**18 + 100 * 10**18)
    extra = 10**16 * 128 * 10**14 * 140 * 10**36
    assert {
        "loss": loss,
        "delta charge": 128 * 10**16 * 2**60 * 20 * 10**18 * 10**14,
        "factor x scan": scaled,
        "add-ons": extra,
        "requirement": scaled + extra,
    } == bounds.WIDE


def test_shocked_prices() -> None:
    corners = [
        shocked_price(price, shock)
        for price, shock in product(
            (limits.MIN_SPOT, limits.MAX_SPOT), (limits.MIN_SPOT_SHOCK, limits.MAX_SPOT_SHOCK)
        )
    ]
    assert (min(corners), max(corners)) == (LOWEST_PRICE, HIGHEST_PRICE)
    assert max(corners) == bounds.HOT_PATH["shocked price"]
    assert min(corners) >= 1
    assert max(*corners, *STRIKES) < 2**54


def test_distances_in_the_smile() -> None:
    """ln(K/F) at the unshocked forward, less m: at most 27.1; with sigma the root stays below 27.4."""
    for forward, strike in product((limits.MIN_SPOT, limits.MAX_SPOT), STRIKES):
        for m in (-limits.MAX_SVI_M, limits.MAX_SVI_M):
            smile = prepare_smile(Svi(0, 0, 0, m, limits.MAX_SVI_SIGMA))
            distance = ((logarithm(strike) - logarithm(forward)) >> 6) - smile.m
            assert distance**2 + smile.sigma**2 <= bounds.HOT_PATH["squared distance and sigma"]


def test_polynomial_steps() -> None:
    half = gaussian.HALF_CELL
    for row in COEFFICIENTS:
        assert max(map(abs, row)) < 2**61
        total = 0
        for coefficient in reversed(row):
            product_size = abs(total) * half
            assert product_size <= bounds.HOT_PATH["polynomial step"]
            total = abs(coefficient) + (product_size >> 58) + 1


@pytest.mark.parametrize("kind", [VolKind.UP, VolKind.DOWN, VolKind.ADD, VolKind.NONE])
def test_vol_rules_stay_below_their_cap(kind: VolKind) -> None:
    moves = [move for move in EXTREME.scenarios if move.kind == kind] or [margin.NOW]
    for section, move, seconds in product((EXTREME, LOWEST), moves, TIMES):
        multiplier, added, floor = vol_rule(section, move, seconds)
        assert 0 <= multiplier <= black76.MAX_TOTAL_VOL
        assert abs(added) <= black76.MAX_TOTAL_VOL
        assert 0 <= floor <= black76.MAX_TOTAL_VOL


def test_tenor_terms_stay_below_their_caps() -> None:
    for section, seconds, rate in product((EXTREME, LOWEST), TIMES, (limits.MIN_RATE, 0, limits.MAX_RATE)):
        assert 0 <= tenor.discount_factor(rate, seconds) <= ONE_Q58
        for discount in tenor.static_discounts(section, rate, seconds):
            assert 0 <= discount <= tenor.MAX_DISCOUNT
        assert tenor.basis_factor(section, seconds) * bounds.HOT_PATH["account sum"] <= bounds.WIDE["loss"]
        for is_absolute in (False, True):
            cap, k_star = tenor.skew_terms(section, seconds, is_absolute)
            assert abs(cap) <= 2**62
            assert 0 < k_star <= 2**62


def test_the_initial_factor_at_the_lowest_settlement_token() -> None:
    factor = margin.initial_factor(EXTREME, limits.MIN_SETTLEMENT_TOKEN)
    assert factor * bounds.WIDE["loss"] <= bounds.WIDE["factor x scan"]
    top = HIGH["initialFactor"] + HIGH["pegFactor"] * HIGH["pegThreshold"] // 10**8
    assert factor >= top - HIGH["pegFactor"] // 10**8


def test_option_values_at_the_corners() -> None:
    vols = (0, 1, 1 << 40, 1 << 58, black76.MAX_TOTAL_VOL)
    discounts = (0, 1, ONE_Q58 - 1, ONE_Q58)
    for forward, strike, vol, discount in product(PRICES, STRIKES, vols, discounts):
        logs = logarithm(forward), logarithm(strike)
        pair = black76.option_pair(forward, strike, *logs, vol, discount)
        for value in (pair.call, pair.put):
            assert 0 <= value <= max(forward, strike) < 2**54
        assert 0 <= pair.call_delta <= 2**60
        assert 0 <= -pair.put_delta <= 2**60


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_account_at_the_extreme_market(sign: int) -> None:
    model = model_of(EXTREME, EXTREME)
    ids = all_ids(1)[:64] + all_ids(2)[:64]
    positions = [(REGISTRY.resolve(id_), sign * limits.MAX_QUANTITY) for id_ in ids]
    values = margin.value_table(EXTREME_MARKET, model)
    rows = [(values(instrument), quantity) for instrument, quantity in positions]
    assert (
        sum(max(abs(quantity * value) for value in row) for row, quantity in rows)
        < bounds.HOT_PATH["account sum"]
    )
    assert (
        sum(abs(quantity * values.delta(i)) for i, quantity in positions) <= bounds.HOT_PATH["sum of deltas"]
    )
    figures = margin.margin(positions, values)
    for scan in figures.scans:
        assert all(abs(loss) <= bounds.WIDE["loss"] for loss in scan.losses)
        assert sum(row.initial for row in scan.add_ons) <= bounds.WIDE["add-ons"]
    assert figures.initial * 10**44 < bounds.WIDE["requirement"] < 2**255


def test_add_ons_of_the_largest_positions() -> None:
    """128 of the dearest kind: naked shorts whose expiry has no confidence."""
    quotes = EXTREME_MARKET.underlying(1)
    expiry = quotes.expiries[-1].expiry
    shorts = [(Instrument(1, Kind.CALL, expiry, 10**4 + i), -limits.MAX_QUANTITY) for i in range(128)]
    rows = add_ons(hold(shorts, quotes), EXTREME, quotes)
    assert {row.name for row in rows} == {"nakedShortOptions", "confidence"}
    assert bounds.WIDE["add-ons"] // 3 < sum(row.initial for row in rows) <= bounds.WIDE["add-ons"]


WATCHED = {
    "gaussian.mul_shift": "polynomial step",
    "svi.mul_shift": "smile slope x its factor",
    "svi.square_root": "squared distance and sigma",
    "black76.floor_div": "numerator of y/w",
    "black76.discounted": "discounted price",
    "scenario.skew_multiplier": "skew: k x cap",
    "scenario.shocked_vol": "total vol x multiplier",
    "margin.discounted_sum": "discounted sum",
}
"""The calls of the hot path and the bound of what is largest in them; of the smile's two radicands, the greater."""


def _value_all(model: Model, market: MarketSnapshot, held: list[Instrument]) -> None:
    values = margin.value_table(market, model)
    margin.margin([(instrument, limits.MAX_QUANTITY) for instrument in held], values)
    margin.margin([(instrument, -limits.MAX_QUANTITY) for instrument in held], values)


def test_intermediates_stay_below_the_table(rng: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """Corner and random markets priced whole, with every product, numerator and radicand of the hot path recorded."""
    seen = watching(monkeypatch, tuple(WATCHED))
    model = model_of(EXTREME, EXTREME)
    ids = all_ids(1)[:64] + all_ids(2)[:64]
    _value_all(model, EXTREME_MARKET, [REGISTRY.resolve(id_) for id_ in ids])
    far = [
        Instrument(1, kind, quote.expiry, strike)
        for quote in FIRST_SECOND.underlyings[0].expiries
        for kind in (Kind.CALL, Kind.PUT)
        for strike in (*STRIKES, rng.randint(*STRIKES))
    ]
    _value_all(model, FIRST_SECOND, far)
    for name, row in WATCHED.items():
        assert 0 < seen[name] <= bounds.HOT_PATH[row], name
        assert seen[name] < 2**127
