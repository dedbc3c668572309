"""Scenarios and requirements: what must hold for every account, whatever the market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scripts.vector_families.samples import (
    DAY,
    E8,
    EXPIRIES,
    FLAT,
    MARKET,
    SECTION,
    SMALL,
    STRIKES,
    TIME,
    WAD,
    model_of,
)

from marginproof.spec.black76 import MAX_TOTAL_VOL
from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.logarithm import logarithm
from marginproof.spec.margin import Margin, margin, requirement, scan_underlying, value_table
from marginproof.spec.model import Scenario, VolKind
from marginproof.spec.scenario import (
    THIRTY_DAYS,
    Shock,
    instrument_value,
    prepare_expiry,
    prepare_shock,
    settled_value,
    shocked_price,
    shocked_vol,
    square_root_of_years,
    tenor_multiplier,
    vol_rule,
)
from marginproof.spec.svi import Svi, prepare_smile, require_valid_smile, total_vol
from marginproof.spec.units import ONE_Q58, ONE_Q64

MODEL = model_of(SMALL, SMALL)
VALUES = value_table(MARKET, MODEL)

Book = Sequence[tuple[Instrument, int]]
dated = st.sampled_from(EXPIRIES)
instruments = st.one_of(
    st.builds(Instrument, st.sampled_from((1, 2)), st.sampled_from((Kind.SPOT, Kind.PERPETUAL))),
    st.builds(Instrument, st.sampled_from((1, 2)), st.just(Kind.FUTURE), dated),
    st.builds(
        Instrument,
        st.sampled_from((1, 2)),
        st.sampled_from((Kind.CALL, Kind.PUT)),
        dated,
        st.sampled_from(STRIKES),
    ),
)
quantities = st.integers(-(10**12), 10**12).filter(bool)
books = st.dictionaries(instruments, quantities, max_size=8).map(lambda book: list(book.items()))


def figures(book: Book) -> Margin:
    return margin(book, MODEL, VALUES)


@given(books, st.randoms(use_true_random=False))
def test_order_of_positions_does_not_matter(book: list[tuple[Instrument, int]], shuffler: object) -> None:
    other = sorted(book, key=lambda position: (position[1], position[0]))
    assert figures(book) == figures(other)


@given(books)
def test_losses_are_exact_sums_and_the_worst_is_the_first_of_the_greatest(book: Book) -> None:
    found = figures(book)
    assert [scan.underlying for scan in found.scans] == sorted({i.underlying for i, _ in book})
    for scan in found.scans:
        rows = [(quantity, VALUES(i)) for i, quantity in book if i.underlying == scan.underlying]
        for s, scenario in enumerate(SMALL.scenarios):
            change = sum(quantity * (row[1 + s] - row[0]) for quantity, row in rows)
            assert scan.losses[s] == -change * scenario.weight_wad
        assert all(loss <= scan.losses[scan.worst] for loss in scan.losses)
        assert all(loss < scan.losses[scan.worst] for loss in scan.losses[: scan.worst])
        assert scan.scan == max(0, scan.losses[scan.worst])


@given(books)
def test_requirements_round_up_and_values_down(book: Book) -> None:
    found = figures(book)
    exact = sum(scan.scan for scan in found.scans)
    assert 0 <= found.initial * 10**44 - exact * SMALL.initial_factor_wad < 10**44
    assert 0 <= found.maintenance * 10**44 - exact * SMALL.maintenance_factor_wad < 10**44
    assert found.maintenance <= found.initial
    now = sum(quantity * VALUES(i)[0] for i, quantity in book)
    assert 0 <= now - found.value * E8 < E8
    spot = sum(quantity * VALUES(i)[0] for i, quantity in book if i.kind == Kind.SPOT)
    assert 0 <= spot - found.spot_value * E8 < E8


@given(books)
def test_underlyings_add_up(book: Book) -> None:
    parts = [figures([p for p in book if p[0].underlying == u]) for u in (1, 2)]
    whole = figures(book)
    assert whole.scans == parts[0].scans + parts[1].scans
    assert 0 <= sum(part.initial for part in parts) - whole.initial <= 1


@given(books, st.integers(2, 50))
def test_losses_scale_with_the_book(book: Book, factor: int) -> None:
    bigger = figures([(i, quantity * factor) for i, quantity in book])
    for scan, big in zip(figures(book).scans, bigger.scans, strict=True):
        assert big.losses == tuple(loss * factor for loss in scan.losses)
        assert big.worst == scan.worst


@given(books, books)
def test_the_scan_is_subadditive(a: Book, b: Book) -> None:
    held = dict(a)
    for instrument, quantity in b:
        held[instrument] = held.get(instrument, 0) + quantity
    together = {scan.underlying: scan.scan for scan in figures([p for p in held.items() if p[1]]).scans}
    apart = [{scan.underlying: scan.scan for scan in figures(book).scans} for book in (a, b)]
    for underlying, scan in together.items():
        assert scan <= sum(part.get(underlying, 0) for part in apart)


def test_an_empty_book_asks_nothing() -> None:
    assert figures([]) == Margin(0, 0, 0, 0, ())


def test_equal_losses_take_the_lowest_index() -> None:
    settled = Instrument(1, Kind.FUTURE, EXPIRIES[0])
    scan = scan_underlying([(settled, E8)], MODEL, VALUES)
    assert (set(scan.losses), scan.worst, scan.scan) == ({0}, 0, 0)


def test_requirement_rounds_a_sum_once() -> None:
    assert requirement([(WAD, 1), (WAD, 1)]) == 1
    assert requirement([(WAD, 10**26), (WAD, 10**26)]) == 2
    assert requirement([(WAD, 10**26 + 1)]) == 2
    assert requirement([]) == 0


@given(
    st.sampled_from(SMALL.scenarios),
    st.sampled_from([e for e in EXPIRIES if e > TIME]),
    st.sampled_from(STRIKES),
)
def test_parity_holds_in_every_scenario(scenario: Scenario, expiry: int, strike: int) -> None:
    call, put, future = (
        instrument_value(
            Instrument(1, kind, expiry, strike if kind.is_option else 0), MARKET, SMALL, scenario
        )
        for kind in (Kind.CALL, Kind.PUT, Kind.FUTURE)
    )
    assert call - put == future - strike


@given(st.integers(1, 10**16), st.integers(10**4, 10**16))
def test_settled_instruments_are_their_payoff(price: int, strike: int) -> None:
    call, put, future = (
        settled_value(Instrument(1, kind, 5, strike), price) for kind in (Kind.CALL, Kind.PUT, Kind.FUTURE)
    )
    assert (call, put, future) == (max(0, price - strike), max(0, strike - price), price)


def test_settled_instruments_do_not_move() -> None:
    for kind in (Kind.FUTURE, Kind.CALL, Kind.PUT):
        row = VALUES(Instrument(1, kind, EXPIRIES[1], STRIKES[5] if kind.is_option else 0))
        assert len(set(row)) == 1


def test_spot_and_perpetual() -> None:
    quotes = MARKET.underlying(1)
    scenario = Scenario(865 * 10**15, VolKind.NONE, WAD)
    moved = quotes.spot_e8 * 865 // 1000
    assert instrument_value(Instrument(1, Kind.SPOT), MARKET, SMALL, None) == quotes.spot_e8
    assert instrument_value(Instrument(1, Kind.SPOT), MARKET, SMALL, scenario) == moved
    assert (
        instrument_value(Instrument(1, Kind.PERPETUAL), MARKET, SMALL, scenario) == moved - quotes.funding_e8
    )


@given(st.integers(10**6, 10**14), st.integers(10**16, 16 * WAD))
def test_shocked_price_floors(price: int, spot: int) -> None:
    assert shocked_price(price, spot) == price * spot // WAD


@given(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1))
def test_the_tenor_multiplier_falls_with_time(a: int, b: int) -> None:
    low, high = sorted((a, b))
    assume((low <= THIRTY_DAYS) == (high <= THIRTY_DAYS))
    assert tenor_multiplier(SECTION, low) >= tenor_multiplier(SECTION, high) - 1


def test_the_tenor_multiplier_at_its_landmarks() -> None:
    assert tenor_multiplier(SECTION, THIRTY_DAYS) == ONE_Q64
    assert tenor_multiplier(SECTION, 1) == tenor_multiplier(SECTION, DAY) > ONE_Q64
    flat = replace(SECTION, power_short_wad=0, power_long_wad=0)
    assert {tenor_multiplier(flat, t) for t in (1, DAY, THIRTY_DAYS, 2**32 - 1)} == {ONE_Q64}
    assert tenor_multiplier(replace(SECTION, power_long_wad=WAD), 2 * THIRTY_DAYS) in (
        ONE_Q64 // 2 - 1,
        ONE_Q64 // 2,
    )


def test_vol_rules_at_thirty_days() -> None:
    assert vol_rule(SECTION, VolKind.NONE, THIRTY_DAYS) == (ONE_Q58, 0)
    up, floor = vol_rule(SECTION, VolKind.UP, THIRTY_DAYS)
    down, none = vol_rule(SECTION, VolKind.DOWN, THIRTY_DAYS)
    assert up == ONE_Q58 * 3 // 2
    assert 0 <= ONE_Q58 * 7 / 10 - down <= 256
    assert none == 0
    assert abs(floor / 2**58 - 0.4 * (30 / 365) ** 0.5) < 1e-12
    assert square_root_of_years(365 * DAY) == ONE_Q64


@given(st.integers(0, MAX_TOTAL_VOL), st.integers(0, MAX_TOTAL_VOL), st.integers(0, MAX_TOTAL_VOL))
def test_shocked_vol_is_floored_and_capped(vol: int, multiplier: int, floor: int) -> None:
    found = shocked_vol(vol, Shock(1, 0, multiplier, floor))
    assert found == min(MAX_TOTAL_VOL, max(floor, vol * multiplier >> 58))


def test_no_scenario_leaves_everything_as_it_stands() -> None:
    expiry = prepare_expiry(MARKET.underlying(1).expiries[3], TIME)
    assert prepare_shock(SECTION, expiry, None) == Shock(
        expiry.forward, logarithm(expiry.forward), ONE_Q58, 0
    )
    neutral = Scenario(WAD, VolKind.NONE, WAD)
    assert prepare_shock(SECTION, expiry, neutral) == prepare_shock(SECTION, expiry, None)


def test_what_the_market_lacks_is_named() -> None:
    with pytest.raises(SpecError, match=r"MissingExpiry\(expiry=12345\)"):
        instrument_value(Instrument(1, Kind.FUTURE, 12345), MARKET, SECTION, None)
    with pytest.raises(SpecError, match=r"MissingUnderlying\(underlying=9\)"):
        instrument_value(Instrument(9, Kind.SPOT), MARKET, SECTION, None)
    with pytest.raises(SpecError, match=r"MissingModelSection\(underlying=9\)"):
        margin([(Instrument(9, Kind.SPOT), 1)], MODEL, VALUES)


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
