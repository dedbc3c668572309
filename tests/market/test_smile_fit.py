"""The SVI fit recovers smiles, keeps inside the specification's ranges, and states its own errors truly."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random
from statistics import median
from typing import Any

import pytest

from marginproof.market import svi_least_squares
from marginproof.market.arbitrage import has_butterfly
from marginproof.market.fit import MIN_STRIKES, Butterflies, SmileFit, SmileQuote, fit_smile, smile_vol
from marginproof.market.raw_svi import RawSvi
from marginproof.spec.logarithm import logarithm
from marginproof.spec.svi import Svi, prepare_smile, require_valid_smile, total_vol

from .chains import DAY, smile, svi_vol

FORWARD = 65_000.0


def quotes(seconds: int, noise: float = 0.0, steps: int = 12) -> list[SmileQuote]:
    random = Random(11)
    width = 0.9 * math.sqrt(seconds / (365 * DAY))
    strikes = [round(FORWARD * math.exp(step / 4 * width)) for step in range(-steps, steps + 1)]
    return [
        SmileQuote(strike, svi_vol(smile(seconds), strike, FORWARD, seconds) + random.gauss(0, noise))
        for strike in strikes
    ]


def spec_smile(fit: SmileFit) -> Svi:
    return Svi(fit.svi.a_wad, fit.svi.b_wad, fit.svi.rho_wad, fit.svi.m_wad, fit.svi.sigma_wad)


@pytest.mark.parametrize("seconds", [3 * 3600, DAY, 30 * DAY, 300 * DAY])
def test_an_exact_smile_is_recovered(seconds: int) -> None:
    made = quotes(seconds)
    fit = fit_smile(made, FORWARD, seconds, 50)
    for quote in made:
        assert smile_vol(fit.svi, quote.strike, FORWARD, seconds) == pytest.approx(quote.vol, abs=1e-3)
    assert fit.statistics.median_near_money_vol_wad <= 10**15
    assert (fit.statistics.quotes, fit.statistics.used) == (50, 25)


@pytest.mark.parametrize("seconds", [DAY, 30 * DAY])
def test_noise_is_averaged_out(seconds: int) -> None:
    fit = fit_smile(quotes(seconds, noise=0.01), FORWARD, seconds, 50)
    for exact in quotes(seconds, steps=4):
        assert smile_vol(fit.svi, exact.strike, FORWARD, seconds) == pytest.approx(exact.vol, abs=0.01)


def test_the_stated_errors_are_those_of_the_rounded_parameters_near_the_money() -> None:
    seconds = 20 * DAY
    made = quotes(seconds, noise=0.01)
    fit = fit_smile(made, FORWARD, seconds, 50)
    at_money = next(quote.vol for quote in made if quote.strike == FORWARD)
    band = at_money * math.sqrt(seconds / (365 * DAY))
    errors = [
        abs(smile_vol(fit.svi, quote.strike, FORWARD, seconds) - quote.vol)
        for quote in made
        if abs(math.log(quote.strike / FORWARD)) <= band
    ]
    assert fit.statistics.near_money == len(errors)
    assert 0 <= fit.statistics.median_near_money_vol_wad / 10**18 - median(errors) <= 1e-6
    assert 0 <= fit.statistics.max_near_money_vol_wad / 10**18 - max(errors) <= 1e-6


def test_the_specification_reads_the_same_volatility() -> None:
    seconds = 8 * DAY
    fit = fit_smile(quotes(seconds), FORWARD, seconds, 50)
    svi = spec_smile(fit)
    require_valid_smile(svi)
    for strike in (50_000, 65_000, 80_000):
        w = total_vol(prepare_smile(svi), logarithm(int(FORWARD) * 10**8), logarithm(strike * 10**8)) / 2**58
        vol = w / math.sqrt(seconds / (365 * DAY))
        assert vol == pytest.approx(smile_vol(fit.svi, strike, FORWARD, seconds), abs=1e-9)


def test_hostile_quotes_give_a_valid_smile_or_are_refused() -> None:
    random = Random(3)
    refused = 0
    for _ in range(2):
        made = [
            SmileQuote(FORWARD * random.uniform(0.3, 3), random.uniform(0.01, 15))
            for _ in range(random.randint(5, 30))
        ]
        try:
            fit = fit_smile(made, FORWARD, random.choice((60, DAY, 700 * DAY)), 30)
        except ValueError:
            refused += 1
        else:
            require_valid_smile(spec_smile(fit))
    assert refused < 2


def test_a_coarse_fit_that_does_not_converge_is_refused_and_a_good_one_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solve = svi_least_squares.least_squares

    def exhausted(*arguments: Any, **options: Any) -> Any:
        found = solve(*arguments, **options)
        found.status = 0
        return found

    monkeypatch.setattr(svi_least_squares, "least_squares", exhausted)
    fit = fit_smile(quotes(20 * DAY), FORWARD, 20 * DAY, 50)
    assert not fit.converged
    with pytest.raises(
        ValueError, match=r"did not converge .*median error near the money [0-9.]+ vol points"
    ):
        fit_smile(quotes(20 * DAY, noise=0.2), FORWARD, 20 * DAY, 50)


VOGT = (-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
"""Negative density right of the money, from Gatheral and Jacquier 2014, section 5.1; one year."""


def vogt_quotes(k_from: float, k_to: float) -> list[SmileQuote]:
    step = (k_to - k_from) / 40
    strikes = [FORWARD * math.exp(k_from + step * i) for i in range(41)]
    return [SmileQuote(strike, svi_vol(VOGT, strike, FORWARD, 365 * DAY)) for strike in strikes]


def test_butterflies_are_removed_where_that_costs_little() -> None:
    made = vogt_quotes(-1.5, 1.5)
    plain = fit_smile(made, FORWARD, 365 * DAY, 82, remove_butterflies=False)
    assert plain.butterflies == Butterflies.KEPT
    assert has_butterfly(RawSvi.of(plain.svi), plain.quoted)
    fit = fit_smile(made, FORWARD, 365 * DAY, 82)
    assert fit.butterflies == Butterflies.REMOVED
    assert not has_butterfly(RawSvi.of(fit.svi), fit.quoted)
    assert fit.other_median_vol_wad == plain.statistics.median_near_money_vol_wad
    assert fit.statistics.median_near_money_vol_wad <= 10**16
    require_valid_smile(spec_smile(fit))


def test_butterflies_stay_where_quotes_near_the_money_demand_them() -> None:
    """A corner at the forward: within one deviation the quotes themselves have a negative density."""
    seconds = 30 * DAY
    strikes = [FORWARD * math.exp(0.005 * step) for step in range(-60, 61)]
    made = [SmileQuote(strike, 0.3 + 9 * abs(math.log(strike / FORWARD))) for strike in strikes]
    fit = fit_smile(made, FORWARD, seconds, 242)
    assert fit.butterflies == Butterflies.KEPT
    assert fit.other_median_vol_wad is not None
    assert fit.other_median_vol_wad > max(10**16, fit.statistics.median_near_money_vol_wad)
    assert fit == replace(
        fit_smile(made, FORWARD, seconds, 242, remove_butterflies=False),
        other_median_vol_wad=fit.other_median_vol_wad,
    )


def test_quotes_near_the_money_that_are_missed_are_listed() -> None:
    made = quotes(20 * DAY)
    assert fit_smile(made, FORWARD, 20 * DAY, 50).misfits == ()
    off = [SmileQuote(item.strike, item.vol + (0.1 if i in (0, 13) else 0)) for i, item in enumerate(made)]
    fit = fit_smile(off, FORWARD, 20 * DAY, 50)
    assert [(item.strike, item.quoted_vol) for item in fit.misfits] == [(off[13].strike, off[13].vol)]
    (missed,) = fit.misfits
    assert missed.fitted_vol == smile_vol(fit.svi, missed.strike, FORWARD, 20 * DAY)
    assert missed.quoted_vol - missed.fitted_vol > 0.03


def test_the_fit_is_deterministic_and_blind_to_order() -> None:
    made = quotes(5 * DAY, noise=0.02)
    assert fit_smile(made, FORWARD, 5 * DAY, 50) == fit_smile(made[::-1], FORWARD, 5 * DAY, 50)


def test_too_few_strikes_are_refused() -> None:
    made = quotes(DAY)[: MIN_STRIKES - 1]
    with pytest.raises(ValueError, match="4 usable strikes, at least 5 are needed"):
        fit_smile(made, FORWARD, DAY, 8)
    with pytest.raises(ValueError, match="at least 5 are needed"):
        fit_smile([made[0]] * 9, FORWARD, DAY, 8)
