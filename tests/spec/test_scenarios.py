"""What a scenario does to forward, volatility and value: kinds, parity, settlement, skews that move nothing but volatility."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts.vector_families.models import FULL, SECTION, SMALL, WAD
from scripts.vector_families.samples import EXPIRIES, MARKET, STRIKES, TIME

from marginproof.spec.black76 import MAX_TOTAL_VOL
from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.logarithm import logarithm
from marginproof.spec.model import Scenario, VolKind
from marginproof.spec.scenario import (
    NOW,
    Shock,
    instrument_delta,
    instrument_value,
    override_vol,
    prepare_expiry,
    prepare_shock,
    settled_value,
    shocked_forward,
    shocked_price,
    shocked_vol,
    vol_rule,
)
from marginproof.spec.svi import total_vol
from marginproof.spec.tenor import THIRTY_DAYS, discount_factor, square_root_of_years
from marginproof.spec.units import ONE_Q58, SECONDS_PER_YEAR

LIVE = [expiry for expiry in EXPIRIES if expiry > TIME]
shocked_vols = st.integers(0, MAX_TOTAL_VOL)
EXPIRY = prepare_expiry(MARKET.underlying(1).expiries[3], TIME, FULL)


def values_at(scenario: Scenario, expiry: int, strike: int) -> tuple[int, int, int]:
    """Call, put and future."""
    kinds = ((Kind.CALL, strike), (Kind.PUT, strike), (Kind.FUTURE, 0))
    call, put, future = (
        instrument_value(Instrument(1, kind, expiry, k), MARKET, FULL, scenario) for kind, k in kinds
    )
    return call, put, future


@given(st.sampled_from((NOW, *FULL.scenarios)), st.sampled_from(LIVE), st.sampled_from(STRIKES))
def test_parity_holds_in_every_scenario(scenario: Scenario, expiry: int, strike: int) -> None:
    call, put, future = values_at(scenario, expiry, strike)
    rate = next(q.rate_wad for q in MARKET.underlying(1).expiries if q.expiry == expiry)
    discounted = abs(future - strike) * discount_factor(rate, expiry - TIME) + (1 << 57) >> 58
    assert call - put == (discounted if future > strike else -discounted)


@given(
    st.sampled_from(LIVE),
    st.sampled_from((VolKind.LINEAR_SKEW, VolKind.ABSOLUTE_SKEW)),
    st.integers(10**16, 16 * WAD),
)
def test_a_skew_leaves_the_forward(expiry: int, kind: VolKind, spot: int) -> None:
    skewed, plain = Scenario(spot, kind, WAD), Scenario(spot, VolKind.NONE, WAD)
    future = Instrument(1, Kind.FUTURE, expiry)
    assert instrument_value(future, MARKET, FULL, skewed) == instrument_value(future, MARKET, FULL, NOW)
    for undated in (Kind.SPOT, Kind.PERPETUAL):
        both = [instrument_value(Instrument(1, undated), MARKET, FULL, move) for move in (skewed, plain)]
        assert both[0] == both[1]


@given(st.integers(1, 10**16), st.integers(10**4, 10**16))
def test_settled_instruments_are_their_payoff(price: int, strike: int) -> None:
    call, put, future = (
        settled_value(Instrument(1, kind, 5, strike), price) for kind in (Kind.CALL, Kind.PUT, Kind.FUTURE)
    )
    assert (call, put, future) == (max(0, price - strike), max(0, strike - price), price)


def test_settled_instruments_do_not_move() -> None:
    for kind in (Kind.FUTURE, Kind.CALL, Kind.PUT):
        instrument = Instrument(1, kind, EXPIRIES[1], STRIKES[5] if kind.is_option else 0)
        row = {instrument_value(instrument, MARKET, FULL, move) for move in (NOW, *FULL.scenarios)}
        assert len(row) == 1
        assert instrument_delta(instrument, MARKET, FULL) == 0


def test_spot_and_perpetual_each_at_its_own_price() -> None:
    quotes = MARKET.underlying(1)
    scenario = Scenario(865 * 10**15, VolKind.NONE, WAD)
    spot, perpetual = Instrument(1, Kind.SPOT), Instrument(1, Kind.PERPETUAL)
    assert quotes.spot_e8 != quotes.perpetual_e8
    assert instrument_value(spot, MARKET, SMALL, NOW) == quotes.spot_e8
    assert instrument_value(spot, MARKET, SMALL, scenario) == quotes.spot_e8 * 865 // 1000
    assert instrument_value(perpetual, MARKET, SMALL, NOW) == quotes.perpetual_e8 - quotes.funding_e8
    moved = quotes.perpetual_e8 * 865 // 1000 - quotes.funding_e8
    assert instrument_value(perpetual, MARKET, SMALL, scenario) == moved
    for instrument in (spot, perpetual, Instrument(1, Kind.FUTURE, LIVE[0])):
        assert instrument_delta(instrument, MARKET, SMALL) == 1 << 60


@given(st.integers(10**6, 10**14), st.integers(10**16, 16 * WAD))
def test_shocked_price_floors(price: int, spot: int) -> None:
    assert shocked_price(price, spot) == price * spot // WAD


@given(st.integers(0, 2000), st.integers(10**16, 16 * WAD))
def test_only_the_open_part_of_a_forward_moves(seconds: int, spot: int) -> None:
    quote = replace(MARKET.underlying(1).expiries[0], expiry=TIME + max(1, seconds))
    expiry = prepare_expiry(quote, TIME, FULL)
    assert (expiry.fixed == 0) == (quote.expiry - TIME >= FULL.averaging_seconds)
    moved = shocked_forward(expiry, spot)
    assert moved == expiry.fixed + (quote.forward_e8 - expiry.fixed) * spot // WAD
    assert shocked_forward(expiry, WAD) == quote.forward_e8


def test_vol_rules_at_thirty_days() -> None:
    def rule(kind: VolKind, amount: int = 0) -> tuple[int, int, int]:
        return vol_rule(SECTION, Scenario(WAD, kind, WAD, amount), THIRTY_DAYS)

    assert rule(VolKind.NONE) == (ONE_Q58, 0, 0)
    up, nothing, floor = rule(VolKind.UP)
    assert (up, nothing) == (ONE_Q58 * 3 // 2, 0)
    assert abs(floor / 2**58 - 0.4 * (30 / 365) ** 0.5) < 1e-12
    down = rule(VolKind.DOWN)
    assert 0 <= Fraction(ONE_Q58 * 7, 10) - down[0] <= 256
    assert down[1:] == (0, 0)
    for amount in (WAD // 5, -WAD // 5):
        multiplier, added, least = rule(VolKind.ADD, amount)
        assert (multiplier, least) == (ONE_Q58, 0)
        assert abs(added / 2**58 - amount / WAD * (30 / 365) ** 0.5) < 1e-12


@given(shocked_vols, shocked_vols, st.integers(-MAX_TOTAL_VOL, MAX_TOTAL_VOL), shocked_vols)
def test_shocked_vol_is_floored_and_capped(vol: int, multiplier: int, added: int, floor: int) -> None:
    found = shocked_vol(vol, Shock(1, 0, multiplier, added, floor, None), multiplier)
    assert found == min(MAX_TOTAL_VOL, max(floor, 0, (vol * multiplier >> 58) + added))


def test_now_leaves_everything_as_it_stands() -> None:
    wanted = Shock(EXPIRY.forward, logarithm(EXPIRY.forward), ONE_Q58, 0, 0, None)
    assert prepare_shock(FULL, EXPIRY, NOW) == wanted


def test_a_volatility_per_strike_overrides_the_smile() -> None:
    """The strike named has the volatility given, its neighbours keep the smile's; the same arithmetic from there on."""
    expiry, strike = LIVE[3], STRIKES[7]
    quote = MARKET.underlying(1).expiries[3]
    smile = total_vol(EXPIRY.smile, EXPIRY.log_forward, logarithm(strike))
    call, other = (Instrument(1, Kind.CALL, expiry, k) for k in (strike, STRIKES[8]))
    vols = {call: 5 * WAD}
    prepared = prepare_expiry(quote, TIME, FULL, {strike: 5 * WAD})
    assert prepared.vol(strike, logarithm(strike)) == override_vol(5 * WAD, EXPIRY.seconds) != smile
    for kind in (Kind.CALL, Kind.PUT):
        there = replace(call, kind=kind)
        plain, moved = (instrument_value(there, MARKET, FULL, NOW, given) for given in (None, vols))
        assert moved > plain
    assert instrument_value(other, MARKET, FULL, NOW, vols) == instrument_value(other, MARKET, FULL, NOW)
    assert override_vol(WAD, SECONDS_PER_YEAR) == ONE_Q58
    assert override_vol(WAD, 1) == square_root_of_years(1) >> 6


def test_what_the_market_lacks_is_named() -> None:
    for function in (
        lambda i: instrument_value(i, MARKET, FULL, NOW),
        lambda i: instrument_delta(i, MARKET, FULL),
    ):
        for kind in (Kind.FUTURE, Kind.CALL):
            with pytest.raises(SpecError, match=r"MissingExpiry\(expiry=12345\)"):
                function(Instrument(1, kind, 12345, STRIKES[0] if kind.is_option else 0))
        with pytest.raises(SpecError, match=r"MissingUnderlying\(underlying=9\)"):
            function(Instrument(9, Kind.CALL, LIVE[0], STRIKES[0]))
