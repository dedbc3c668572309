"""How far the integers are from the mathematics, measured at 50 digits. The table is printed and saved to build/accuracy.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from mpmath import mp, mpf

from marginproof.spec import black76, gaussian, logarithm, svi, tenor
from marginproof.spec.margin import Margin, margin, value_table
from marginproof.spec.svi import Svi
from marginproof.spec.units import ONE_Q58, ONE_Q60, ONE_Q64

from . import exact, worlds
from .exact_margin import Requirement, World

REPORT = Path(__file__).resolve().parents[2] / "build/accuracy.json"
FORWARDS = ((-2, 0), (0, 2), (2, 4), (4, 6))
VOLS = ((-4.0, -3.0), (-3.0, -2.0), (-2.0, -1.0), (-1.0, 0.0), (0.0, 0.7))
DRAWS_PER_REGION = 250
WORST_UNITS = 2


Case = tuple[bool, int, int, int, int]


@dataclass(frozen=True)
class Region:
    """Decades of the forward (USD) and of total volatility."""

    forward: tuple[int, int]
    vol: tuple[float, float]

    def name(self) -> str:
        return f"forward 1e{self.forward[0]}..1e{self.forward[1]}, vol 1e{self.vol[0]:g}..1e{self.vol[1]:g}"

    def draw(self, rng: Random) -> Case:
        """Call or put, forward and strike (E8), total volatility and discount factor (Q58): strikes over 1/100..100, every other one within
        4 deviations; every other discount 1."""
        forward = round(10 ** (8 + rng.uniform(*self.forward)))
        vol = 10 ** rng.uniform(*self.vol)
        distance = rng.choice((rng.uniform(-2, 2), vol * rng.uniform(-4, 4) / 2.302585))
        strike = round(forward * 10 ** max(-2.0, min(2.0, distance)))
        discount = rng.choice((ONE_Q58, rng.randint(ONE_Q58 // 10, ONE_Q58)))
        total_vol = min(round(vol * ONE_Q58), 5 * ONE_Q58)
        return bool(rng.getrandbits(1)), forward, max(strike, 10**4), total_vol, discount


REGIONS = [Region(forward, vol) for forward in FORWARDS for vol in VOLS]


def price_error(is_call: bool, forward: int, strike: int, vol: int, discount: int) -> mpf:
    """Specification less mathematics, units of E8."""
    wanted = exact.black76(is_call, mpf(forward), mpf(strike), mpf(vol) / ONE_Q58) * discount / ONE_Q58
    return black76.price(is_call, forward, strike, vol, discount) - wanted


def _corners(region: Region) -> Iterator[Case]:
    for exponent in region.forward:
        forward = 10 ** (8 + exponent)
        for log_vol in region.vol:
            vol = min(round(10**log_vol * ONE_Q58), 5 * ONE_Q58)
            for strike in (forward // 100, forward - 1, forward, forward + 1, forward * 100):
                for is_call, discount in product((True, False), (ONE_Q58, ONE_Q58 * 9 // 10)):
                    yield is_call, forward, max(strike, 10**4), vol, discount


def _lines(regions: dict[str, float]) -> Iterator[str]:
    yield "worst error of an option value, units of 1e-8 USD (forward down, total volatility across)"
    yield " " * 12 + "".join(f"1e{low:g}..1e{high:g}".rjust(14) for low, high in VOLS)
    for forward in FORWARDS:
        row = [regions[Region(forward, vol).name()] for vol in VOLS]
        yield f"1e{forward[0]}..1e{forward[1]}".ljust(12) + "".join(f"{value:14.3f}" for value in row)


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Collects the figures of this file; printed and saved when every region was measured."""
    figures: dict[str, Any] = {"unit": "1e-8 USD for prices", "worst allowed": WORST_UNITS, "regions": {}}
    yield figures
    if len(figures["regions"]) < len(REGIONS):
        return
    REPORT.parent.mkdir(exist_ok=True)
    others = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
    REPORT.write_text(json.dumps(others | figures, indent=2) + "\n", encoding="utf-8")
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("", *_lines(figures["regions"]), sep="\n")


@pytest.mark.parametrize("region", REGIONS, ids=Region.name)
def test_option_values_are_within_two_units(
    region: Region, rng: Random, scaled: float, table: dict[str, Any]
) -> None:
    draws = [region.draw(rng) for _ in range(int(DRAWS_PER_REGION * scaled))]
    errors = [(abs(price_error(*case)), case) for case in (*_corners(region), *draws)]
    worst, case = max(errors)
    table["regions"][region.name()] = round(float(worst), 4)
    assert worst <= WORST_UNITS, case


def test_normal_distribution(rng: Random, scaled: float, table: dict[str, Any]) -> None:
    worst = mpf(0)
    draws = [rng.randrange(-10 * ONE_Q58, 10 * ONE_Q58) for _ in range(int(3_000 * scaled))]
    edges = [j * ONE_Q58 // 4 + offset for j in range(-37, 38) for offset in (-1, 0, 1)]
    for x in (*draws, *edges):
        worst = max(worst, abs(gaussian.normal_cdf(x) - exact.cdf(mpf(x) / ONE_Q58) * ONE_Q60))
    table["N, units of 2^-60"] = round(float(worst), 4)
    assert worst <= 4


def test_logarithm(rng: Random, scaled: float, table: dict[str, Any]) -> None:
    worst = mpf(0)
    draws = [rng.getrandbits(rng.randint(1, 64)) | 1 for _ in range(int(2_000 * scaled))]
    for x in (1, 2, 3, (1 << 64) - 1, *(((8 + j) << 60) - 1 for j in range(1, 8)), *draws):
        difference = logarithm.logarithm(x) - mp.log(x) * ONE_Q64
        assert difference <= 0, x
        worst = max(worst, -difference)
    table["ln, units of 2^-64"] = round(float(worst), 4)
    assert worst <= 2


def test_exponential(rng: Random, scaled: float, table: dict[str, Any]) -> None:
    worst = mpf(0)
    top = logarithm.MAX_EXP_ARGUMENT
    for x in (0, 1, -1, top, -top, *(rng.randint(-top, top) for _ in range(int(2_000 * scaled)))):
        wanted = mp.exp(mpf(x) / ONE_Q64) * ONE_Q64
        allowed = 1 + wanted * mpf(2) ** -70
        worst = max(worst, abs(logarithm.exponential(x) - wanted) / allowed)
    table["exp, share of its bound"] = round(float(worst), 4)
    assert worst <= 1


def _smile(rng: Random) -> Svi:
    b = round(10 ** rng.uniform(15, 18.3))
    return Svi(
        rng.randint(10**12, 10**18),
        b,
        rng.randint(-9999 * 10**14, 9999 * 10**14),
        rng.randint(-(10**18), 10**18),
        round(10 ** rng.uniform(14, 18.6)),
    )


def test_total_vol(rng: Random, scaled: float, table: dict[str, Any]) -> None:
    """The logarithms' difference is floored to 2^-58, and every parameter at its own place: with distances up to 10 and slopes up to 4 a
    variance is within 32 units of 2^-58; a root adds a unit."""
    worst = mpf(0)
    for _ in range(int(1_000 * scaled)):
        smile = _smile(rng)
        svi.require_valid_smile(smile)
        forward = round(10 ** rng.uniform(6, 14))
        strike = max(10**4, round(forward * 10 ** rng.uniform(-2, 2)))
        found = svi.total_vol(
            svi.prepare_smile(smile), logarithm.logarithm(forward), logarithm.logarithm(strike)
        )
        wanted = exact.svi_vol(smile, mpf(forward), mpf(strike))
        allowed = 1 + 32 / (2 * wanted)
        worst = max(worst, abs(found - wanted * ONE_Q58) / allowed)
    table["total vol, share of its bound"] = round(float(worst), 4)
    assert worst <= 1


def test_discounts_and_tenor_rules(rng: Random, scaled: float, table: dict[str, Any]) -> None:
    """What is prepared per expiry, within units of its own scale: discounts and deltas' factors to 2^-56, multipliers to 2^-60 relative."""
    worst = mpf(0)
    for _ in range(int(60 * scaled)):
        section = worlds.section(rng)
        for seconds in worlds.SECONDS:
            rate = rng.randint(-(10**17), 10**18)
            checks = [(tenor.discount_factor(rate, seconds), exact.discount_factor(rate, seconds))]
            found, wanted = (m.static_discounts(section, rate, seconds) for m in (tenor, exact))
            checks += zip(found, wanted, strict=True)
            for is_absolute in (False, True):
                terms = (m.skew_terms(section, seconds, is_absolute) for m in (tenor, exact))
                checks += zip(*terms, strict=True)
            for integer, number in checks:
                worst = max(worst, abs(integer - number * ONE_Q58) / (4 * max(1, abs(number))))
            multiplier = exact.tenor_multiplier(section, seconds)
            error = abs(tenor.tenor_multiplier(section, seconds) - multiplier * ONE_Q64)
            worst = max(worst, error / (16 * max(1, multiplier)))
            factor = exact.basis_factor(section, seconds) * exact.WAD
            assert 0 <= factor - tenor.basis_factor(section, seconds) < 1
    table["discounts, skew terms and m, share of their bound"] = round(float(worst), 4)
    assert worst <= 1


def test_skew_multiplier(rng: Random, scaled: float, table: dict[str, Any]) -> None:
    worst = mpf(0)
    for _ in range(int(1_000 * scaled)):
        k, cap = rng.randint(-4 * ONE_Q58, 4 * ONE_Q58), rng.randint(-ONE_Q58, ONE_Q58)
        k_star = rng.randint(ONE_Q58 // 100, 4 * ONE_Q58)
        wanted = exact.skew_multiplier(*(mpf(value) / ONE_Q58 for value in (k, cap, k_star)))
        worst = max(worst, abs(tenor.skew_multiplier(k, cap, k_star) - min(mpf(16), wanted) * ONE_Q58))
    table["skew multiplier, units of 2^-58"] = round(float(worst), 4)
    assert worst <= 1


def test_deltas(rng: Random, scaled: float, table: dict[str, Any]) -> None:
    """Deltas as the market stands, against the derivative; over whole markets, kinds and expiries."""
    worst = mpf(0)
    for _ in range(int(4 * scaled)):
        market, model = worlds.market(rng), worlds.model(rng)
        values = value_table(market, model)
        for instrument in worlds.instruments(rng, market):
            error = values.delta(instrument) - exact.delta(instrument, market) * ONE_Q60
            worst = max(worst, abs(error) / ONE_Q60)
    table["delta"] = float(mp.nstr(worst, 4))
    assert worst <= mpf(10) ** -12


def _compare(found: Margin, wanted: Requirement, quantity: mpf) -> tuple[mpf, str]:
    """The worst figure's share of 4e-8 per unit held plus 2e-8."""
    allowed = mpf(4) / 10**8 * quantity + mpf(2) / 10**8
    pairs = (
        ("value", found.value, wanted.value),
        ("spot value", found.spot_value, wanted.spot_value),
        ("initial", found.initial, wanted.initial),
        ("maintenance", found.maintenance, wanted.maintenance),
    )
    return max((abs(integer / exact.E8 - number) / allowed, name) for name, integer, number in pairs)


def test_whole_accounts(rng: Random, scaled: float, table: dict[str, Any]) -> None:
    """Whole requirements under random models with everything on: within 4e-8 USD per unit held, plus 2e-8."""
    worst = worst_of_size = mpf(0)
    accounts = 0
    for _ in range(max(1, int(5 * scaled))):
        market, model = worlds.market(rng), worlds.model(rng)
        listed = worlds.instruments(rng, market)
        values, world = value_table(market, model), World(market, model)
        for _ in range(100):
            book = worlds.book(rng, listed)
            held = mp.fsum(abs(quantity) for _, quantity in book) / exact.E8
            share, name = _compare(margin(book, values), world.requirement(book), held)
            assert share <= 1, (name, market, model, book)
            worst, accounts = max(worst, share), accounts + 1
            if held >= 10:
                worst_of_size = max(worst_of_size, share)
    table["whole accounts"] = {
        "accounts": accounts,
        "worst share of 4e-8 USD per unit held + 2e-8": round(float(worst), 4),
        "the same of accounts of 10 units and more": round(float(worst_of_size), 4),
    }
