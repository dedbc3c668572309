"""The arbitrage checks against densities and prices computed another way, known smiles, and exact edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from marginproof.documents import MarketDocument
from marginproof.documents.market_document import ExpiryEntry, SviSmile
from marginproof.market.arbitrage import (
    MAX_LOG_MONEYNESS,
    REACH,
    Finding,
    Violation,
    calendar_findings,
    check_range,
    counts,
    document_findings,
    durrleman,
    has_butterfly,
    smile_findings,
)
from marginproof.market.crash import load_crash
from marginproof.market.raw_svi import RawSvi

from .chains import DAY, TIME

FORWARD = 50_000.0
VOGT = RawSvi(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
"""The example of A. Vogt in Gatheral and Jacquier 2014, section 5.1: positive variance, negative density right of the money."""
PLAIN = RawSvi(0.01, 0.1, -0.2, 0.0, 0.2)


def entry(smile: RawSvi, days: int = 365, forward: float = FORWARD) -> ExpiryEntry:
    wad = {name: round(getattr(smile, name) * 10**12) * 10**6 for name in ("a", "b", "rho", "m", "sigma")}
    return ExpiryEntry(
        expiry=TIME + days * DAY,
        forward_e8=round(forward * 10**8),
        rate_wad=0,
        svi=SviSmile(**{f"{name}_wad": value for name, value in wad.items()}),
    )


def call(smile: RawSvi, k: float) -> float:
    """Black's call for a forward of 1, by the normal distribution of another library."""
    vol = math.sqrt(float(smile.variance(np.array([k]))[0]))
    d1 = -k / vol + vol / 2
    return float(norm.cdf(d1) - math.exp(k) * norm.cdf(d1 - vol))


@pytest.mark.parametrize("k", [-0.5, -0.1, 0.0, 0.3, 0.8, 1.0, 1.3])
def test_g_is_the_density_that_call_prices_imply(k: float) -> None:
    h, strike = 1e-3, math.exp(k)
    prices = [call(VOGT, math.log(strike + step * h)) for step in (-1, 0, 1)]
    density = (prices[0] - 2 * prices[1] + prices[2]) / h**2
    vol = math.sqrt(float(VOGT.variance(np.array([k]))[0]))
    d2 = -k / vol - vol / 2
    g = density * strike * vol * math.sqrt(2 * math.pi) * math.exp(d2 * d2 / 2)
    assert float(durrleman(VOGT, np.array([k]))[0]) == pytest.approx(g, rel=1e-2, abs=1e-3)


def test_slope_and_curvature_are_the_variance_s_derivatives() -> None:
    k, h = np.linspace(-1, 1, 21), 1e-5
    up, here, down = (VOGT.variance(k + step) for step in (h, 0, -h))
    np.testing.assert_allclose(VOGT.slope(k), (up - down) / (2 * h), atol=1e-8)
    np.testing.assert_allclose(VOGT.curvature(k), (up - 2 * here + down) / h**2, atol=1e-4)


def test_a_known_butterfly_is_found_where_it_is() -> None:
    (found,) = smile_findings("BTC", entry(VOGT))
    assert found.violation == Violation.BUTTERFLY
    assert math.log(found.strike / FORWARD) == pytest.approx(0.879, abs=0.01)
    assert found.excess == pytest.approx(-0.0329, abs=1e-3)
    assert found.deviations == pytest.approx(0.879 / VOGT.deviation, abs=0.1)
    k = np.linspace(0.643, 1.0561, 20_000)
    vol = np.sqrt(VOGT.variance(k))
    density = durrleman(VOGT, k) * norm.pdf(-k / vol - vol / 2) / vol
    assert found.amount == pytest.approx(-float(np.mean(density) * (k[-1] - k[0])), rel=0.02)
    assert "butterfly arbitrage, worst at strike 120," in found.words
    assert has_butterfly(VOGT)


def test_plain_smiles_have_nothing_to_report() -> None:
    assert smile_findings("BTC", entry(PLAIN)) == []
    assert not has_butterfly(PLAIN)
    flat = RawSvi(0.04, 0.0, 0.0, 0.0, 0.1)
    assert smile_findings("BTC", entry(flat)) == []
    assert calendar_findings("BTC", entry(flat), entry(flat, 400)) == []


def test_a_sharp_bottom_between_even_strikes_is_seen() -> None:
    """The density is positive in the corner and negative beside it, within less than the even strikes' distance."""
    sharp = RawSvi(0.0004, 0.4, 0.0, 0.01, 0.0002)
    (found,) = smile_findings("BTC", entry(sharp))
    assert abs(math.log(found.strike / FORWARD) - 0.01) < 10 * sharp.sigma


def test_quotes_widen_the_range_and_the_domain_ends_it() -> None:
    reach = REACH * PLAIN.deviation
    assert check_range(PLAIN) == (-reach, reach)
    assert check_range(PLAIN, (-0.1, 0.1)) == (-reach, reach)
    assert check_range(PLAIN, (-2.0, 3.0)) == (-2.0, 3.0)
    assert check_range(PLAIN, (-9.0, 9.0)) == (-MAX_LOG_MONEYNESS, MAX_LOG_MONEYNESS)
    corner_far_out = RawSvi(0.001, 0.1, 0.95, 1.0, 0.01)
    assert not has_butterfly(corner_far_out)
    assert has_butterfly(corner_far_out, (0.0, 2.5))


def test_wings_may_rise_by_two_and_no_more() -> None:
    def slopes(b: float) -> list[Finding]:
        found = smile_findings("BTC", entry(RawSvi(0.5, b, 0.6, 0.0, 1.0)))
        return [item for item in found if item.violation == Violation.WING_SLOPE]

    assert slopes(1.25) == []
    (found,) = slopes(1.26)
    assert found.amount == pytest.approx(2.016)
    assert "a wing rises by 2.016 " in found.words
    assert "at most 2" in found.words


def test_variance_has_to_be_above_zero() -> None:
    (found,) = smile_findings("BTC", entry(RawSvi(-0.02, 0.1, 0.0, 0.0, 0.2)))
    assert (found.violation, abs(found.amount) < 1e-15) == (Violation.VARIANCE, True)
    assert "free of arbitrage: above 0" in found.words
    (found,) = smile_findings("BTC", entry(RawSvi(0.0, 0.0, 0.0, 0.0, 0.2)))
    assert found.violation == Violation.VARIANCE
    assert smile_findings("BTC", entry(RawSvi(-0.02 + 1e-12, 0.1, 0.0, 0.0, 0.2))) == []
    assert not has_butterfly(RawSvi(0.0, 0.0, 0.0, 0.0, 0.2))


def test_expiries_that_cross_are_named_with_what_it_is_worth() -> None:
    near, later = RawSvi(0.04, 0.0, 0.0, 0.0, 0.1), RawSvi(0.035, 0.0, 0.0, 0.0, 0.1)
    (found,) = calendar_findings("BTC", entry(near, 30), entry(later, 60, 51_000.0))
    assert (found.violation, found.expiry, found.later_expiry) == (
        Violation.CALENDAR,
        TIME + 30 * DAY,
        TIME + 60 * DAY,
    )
    k = math.log(found.strike / FORWARD)
    assert 0 < k < 0.03
    assert found.excess == pytest.approx(0.005)
    assert found.amount == pytest.approx(51_000 * (call(near, k) - call(later, k)), rel=1e-9)
    assert found.amount > 51_000 * (call(near, 0.0) - call(later, 0.0))
    assert "crosses BTC-" in found.words
    assert calendar_findings("BTC", entry(later, 30), entry(near, 60)) == []
    assert calendar_findings("BTC", entry(near, 30), entry(near, 60)) == []


def test_a_crossing_in_one_wing_is_found_there_and_not_beyond_the_nearer_range() -> None:
    near, later = RawSvi(0.0, 0.05, -0.5, 0.0, 0.05), RawSvi(0.0, 0.05, 0.5, 0.0, 0.1)
    (found,) = calendar_findings("BTC", entry(near, 30), entry(later, 60))
    assert found.strike < FORWARD
    steep = RawSvi(0.0005, 0.01, 0.0, 0.0, 0.001)
    wide = RawSvi(0.005, 0.0, 0.0, 0.0, 0.1)
    assert calendar_findings("BTC", entry(steep, 2), entry(wide, 3)) == []
    (found,) = calendar_findings("BTC", entry(steep, 2), entry(wide, 3), (-0.1, 0.6))
    assert found.strike > FORWARD * math.exp(0.45)


def test_a_document_is_checked_in_order_of_time_each_neighbour_once() -> None:
    document = load_crash()[0]
    btc = document.underlyings[0]
    smiles = [RawSvi(level, 0.0, 0.0, 0.0, 0.1) for level in (0.04, 0.03, 0.05, 0.02)]
    expiries = tuple(entry(smile, days) for smile, days in zip(smiles, (10, 20, 30, 40), strict=True))
    made = document.model_copy(update={"underlyings": (btc.model_copy(update={"expiries": expiries[::-1]}),)})
    found = document_findings(made)
    assert [(item.expiry, item.later_expiry) for item in found] == [
        (TIME + 10 * DAY, TIME + 20 * DAY),
        (TIME + 30 * DAY, TIME + 40 * DAY),
    ]
    assert counts(found) == {"variance": 0, "butterfly": 0, "wing slope": 0, "calendar": 2}


def test_what_the_shipped_snapshots_hold() -> None:
    """Far from the money only: nearer than three standard deviations there is no arbitrage in them."""
    totals = [counts(document_findings(document)) for document in load_crash()]
    assert [(item["butterfly"], item["calendar"]) for item in totals] == SHIPPED
    assert all(item["variance"] == item["wing slope"] == 0 for item in totals)
    assert min(abs(item.deviations) for item in every_finding(load_crash())) > 3


SHIPPED = [(0, 5), (1, 6), (1, 10), (4, 10), (3, 11), (4, 9)]


def every_finding(documents: list[MarketDocument]) -> list[Finding]:
    return [finding for document in documents for finding in document_findings(document)]
