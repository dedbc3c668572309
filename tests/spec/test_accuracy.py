"""How far the integers are from the mathematics, measured at 50 digits. The table is printed and saved to build/accuracy.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from mpmath import mp, mpf
from scripts.vector_families.samples import EXPIRIES, MARKET, SECTION, STRIKES, TIME

from marginproof.spec import black76, gaussian, logarithm, svi
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.margin import margin, value_table
from marginproof.spec.model import Model
from marginproof.spec.svi import Svi
from marginproof.spec.units import ONE_Q58, ONE_Q60, ONE_Q64

from . import exact

REPORT = Path(__file__).resolve().parents[2] / "build/accuracy.json"
FORWARDS = ((-2, 0), (0, 2), (2, 4), (4, 6))
VOLS = ((-4.0, -3.0), (-3.0, -2.0), (-2.0, -1.0), (-1.0, 0.0), (0.0, 0.7))
DRAWS_PER_REGION = 250
WORST_UNITS = 2


@dataclass(frozen=True)
class Region:
    """Decades of the forward (USD) and of total volatility."""

    forward: tuple[int, int]
    vol: tuple[float, float]

    def name(self) -> str:
        return f"forward 1e{self.forward[0]}..1e{self.forward[1]}, vol 1e{self.vol[0]:g}..1e{self.vol[1]:g}"

    def draw(self, rng: Random) -> tuple[bool, int, int, int]:
        """Call or put, forward and strike (E8), total volatility (Q58): strikes over 1/100..100, every other one within 4 deviations."""
        forward = round(10 ** (8 + rng.uniform(*self.forward)))
        vol = 10 ** rng.uniform(*self.vol)
        distance = rng.choice((rng.uniform(-2, 2), vol * rng.uniform(-4, 4) / 2.302585))
        strike = round(forward * 10 ** max(-2.0, min(2.0, distance)))
        return bool(rng.getrandbits(1)), forward, max(strike, 10**4), min(round(vol * ONE_Q58), 5 * ONE_Q58)


REGIONS = [Region(forward, vol) for forward in FORWARDS for vol in VOLS]


def price_error(is_call: bool, forward: int, strike: int, vol: int) -> mpf:
    """Specification less mathematics, units of E8."""
    wanted = exact.black76(is_call, mpf(forward), mpf(strike), mpf(vol) / ONE_Q58)
    return black76.price(is_call, forward, strike, vol) - wanted


def _corners(region: Region) -> Iterator[tuple[bool, int, int, int]]:
    for exponent in region.forward:
        forward = 10 ** (8 + exponent)
        for log_vol in region.vol:
            vol = min(round(10**log_vol * ONE_Q58), 5 * ONE_Q58)
            for strike in (forward // 100, forward - 1, forward, forward + 1, forward * 100):
                yield True, forward, max(strike, 10**4), vol
                yield False, forward, max(strike, 10**4), vol


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
    REPORT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
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
    """A variance is within 64 units of 2^-64 (its parameters' floors, times distances up to 10), a root adds a unit of 2^-58."""
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
        allowed = 1 + 64 * mpf(2) ** -6 / (2 * wanted)
        worst = max(worst, abs(found - wanted * ONE_Q58) / allowed)
    table["total vol, share of its bound"] = round(float(worst), 4)
    assert worst <= 1


def _book(rng: Random) -> list[tuple[Instrument, int]]:
    held: dict[Instrument, int] = {}
    for _ in range(rng.randint(1, 6)):
        underlying = rng.choice((1, 2))
        kind = rng.choice(list(Kind))
        expiry = rng.choice([e for e in EXPIRIES if e > TIME + 3600]) if kind.is_dated else 0
        strike = rng.choice(STRIKES[:12]) if kind.is_option else 0
        held[Instrument(underlying, kind, expiry, strike)] = rng.choice((-1, 1)) * rng.randint(1, 50 * 10**8)
    return list(held.items())


def test_whole_accounts(rng: Random, scaled: float, table: dict[str, Any]) -> None:
    """Requirements and values of small books: within 4e-8 per unit held, plus 2e-8."""
    model = Model(tuple(replace(SECTION, underlying=underlying) for underlying in (1, 2)))
    table_of_values = value_table(MARKET, model)
    known: dict[Instrument, list[mpf]] = {}
    worst = mpf(0)
    for _ in range(int(150 * scaled)):
        book = _book(rng)
        for instrument, _ in book:
            section = model.section(instrument.underlying)
            if instrument not in known:
                moves = (None, *section.scenarios)
                known[instrument] = [exact.value(instrument, MARKET, section, move) for move in moves]
        now = mp.fsum(quantity / exact.E8 * known[i][0] for i, quantity in book)
        scan = mpf(0)
        for underlying in {i.underlying for i, _ in book}:
            rows = [(quantity / exact.E8, known[i]) for i, quantity in book if i.underlying == underlying]
            scenarios = model.section(underlying).scenarios
            losses = [
                -s.weight_wad / exact.WAD * mp.fsum(q * (row[n] - row[0]) for q, row in rows)
                for n, s in enumerate(scenarios, start=1)
            ]
            scan += max(mpf(0), *losses)
        found = margin(book, model, table_of_values)
        allowed = mpf(4) / 10**8 * mp.fsum(abs(quantity) / exact.E8 for _, quantity in book) + mpf(2) / 10**8
        for integer, wanted in (
            (found.initial, scan),
            (found.maintenance, scan * mpf(8) / 10),
            (found.value, now),
        ):
            error = abs(integer / exact.E8 - wanted)
            assert error <= allowed, (book, integer, wanted)
            worst = max(worst, error / allowed)
    table["whole accounts, share of 4e-8 per unit + 2e-8"] = round(float(worst), 4)
