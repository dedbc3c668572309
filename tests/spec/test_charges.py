"""Competing charges and add-ons, each against its definition on small books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from scripts.vector_families.models import (
    ADD_ONS,
    BASIS,
    DELTA_CHARGE,
    E8,
    FULL,
    MILLI,
    SHORT_MINIMUM,
    WAD,
    model_of,
)
from scripts.vector_families.samples import BITCOIN, EXPIRIES, MARKET, STRIKES, TIME

from marginproof.spec.add_ons import AddOn, add_ons, gross, naked_shorts
from marginproof.spec.fixed_point import ceil_div
from marginproof.spec.holdings import hold
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.margin import CHARGES, Margin, SpecValues, margin, value_table
from marginproof.spec.market import UnderlyingMarket
from marginproof.spec.model import Charge, ModelSection, Scenario, VolKind, neutral_section

STILL = (Scenario(WAD, VolKind.NONE, WAD),)
SPOT, PERPETUAL = Instrument(1, Kind.SPOT), Instrument(1, Kind.PERPETUAL)
FAR = EXPIRIES[6]
FUTURE = Instrument(1, Kind.FUTURE, FAR)
CALL, PUT = (Instrument(1, kind, FAR, STRIKES[7]) for kind in (Kind.CALL, Kind.PUT))
DEAR = Instrument(1, Kind.CALL, FAR, STRIKES[9])
SOON = Instrument(1, Kind.CALL, EXPIRIES[4], STRIKES[7])
SETTLED = Instrument(1, Kind.CALL, EXPIRIES[0], STRIKES[7])
VALUES = value_table(MARKET, model_of(FULL))
LISTED = (SPOT, PERPETUAL, FUTURE, CALL, PUT, DEAR, SOON, SETTLED)

Book = Sequence[tuple[Instrument, int]]
books = st.dictionaries(
    st.sampled_from(LISTED), st.integers(-(10**12), 10**12).filter(bool), min_size=1, max_size=8
).map(lambda book: list(book.items()))


def section_with(**fields: Any) -> ModelSection:
    return neutral_section(1, STILL, **fields)


def figures(book: Book, section: ModelSection) -> Margin:
    return margin(book, value_table(MARKET, model_of(section)))


def loss_of(charge: Charge, book: Book, section: ModelSection = FULL, values: SpecValues = VALUES) -> int:
    return CHARGES[charge](hold(book, MARKET.underlying(1)), section, values)


@given(books)
def test_the_basis_charge_is_the_worse_move_of_each_expiry(book: Book) -> None:
    up = 1 + len(FULL.scenarios)
    wanted = 0
    for expiry in (EXPIRIES[4], FAR):
        held = [p for p in book if p[0].expiry == expiry]
        losses = [-sum(q * (VALUES(i)[c] - VALUES(i)[0]) for i, q in held) for c in (up, up + 1)]
        factor = FULL.basis_base + FULL.basis_per_year * (expiry - TIME) // (365 * 86_400)
        wanted += max(0, *losses) * factor
    assert loss_of(Charge.BASIS, book) == wanted >= 0


def test_the_basis_charge_of_a_future() -> None:
    """4.5% of the forward either way, times base + per year x tau."""
    section = section_with(**BASIS)
    forward = BITCOIN.expiries[4].forward_e8
    factor = WAD // 2 + 2 * WAD * 30 // 365
    for quantity, move in ((E8, forward - forward * 955 // 1000), (-E8, forward * 1045 // 1000 - forward)):
        scan = figures([(FUTURE, quantity)], section).scans[0]
        assert scan.losses == (0, E8 * move * factor)
        assert scan.worst == 1


def test_an_expiry_that_gains_both_ways_has_no_basis_charge_and_pays_for_no_other() -> None:
    """Far from the forward, where the straddle's gain by convexity is sure: its own charge is 0, not less."""
    straddle = [(CALL, E8), (PUT, E8)]
    section = replace(FULL, basis_up=2 * WAD, basis_down=WAD // 2)
    values = value_table(MARKET, model_of(section))
    up = 1 + len(section.scenarios)
    for column in (up, up + 1):
        assert sum(values(i)[column] - values(i)[0] for i, _ in straddle) > 0
    assert loss_of(Charge.BASIS, straddle, section, values) == 0
    alone = loss_of(Charge.BASIS, [(SOON, E8)], section, values)
    assert loss_of(Charge.BASIS, [*straddle, (SOON, E8)], section, values) == alone > 0


@given(books)
def test_the_delta_charge(book: Book) -> None:
    deltas = [q * VALUES.delta(i) for i, q in book]
    assert VALUES.delta(SETTLED) == 0
    long, short = sum(d for d in deltas if d > 0), sum(-d for d in deltas if d < 0)
    weighted = FULL.delta_net * abs(long - short) + FULL.delta_hedged * min(long, short)
    assert loss_of(Charge.DELTA, book) == ceil_div(weighted * BITCOIN.spot_e8, 2**60)


def test_the_delta_charge_of_a_hedged_perpetual() -> None:
    """5 per mille of what is left, 2 per mille of what is matched, at the spot price."""
    section = section_with(**DELTA_CHARGE)
    (scan,) = figures([(PERPETUAL, 3 * E8), (SPOT, -E8)], section).scans
    assert scan.losses[1] == (2 * 5 + 2) * MILLI * E8 * BITCOIN.spot_e8


@given(books)
def test_the_short_minimum_counts_every_live_short_option(book: Book) -> None:
    shorts = sum(-q for i, q in book if i.kind.is_option and i != SETTLED and q < 0)
    each = FULL.short_minimum + FULL.short_minimum_rate * BITCOIN.spot_e8 // WAD
    assert loss_of(Charge.SHORT_MINIMUM, book) == each * shorts * WAD


def test_charges_compete_with_scenarios_in_their_order() -> None:
    section = section_with(**BASIS, **DELTA_CHARGE, **SHORT_MINIMUM)
    for book, worst in (([(FUTURE, E8)], 1), ([(PERPETUAL, E8)], 2), ([(DEAR, -1), (FUTURE, 0 + 1)], None)):
        scan = figures(book, section).scans[0]
        assert len(scan.losses) == 4
        assert worst is None or scan.worst == worst
    options_only = figures([(CALL, -E8), (SOON, E8)], section_with(**SHORT_MINIMUM)).scans[0]
    assert options_only.worst == 1


def test_an_absent_charge_takes_no_index() -> None:
    section = section_with(**BASIS, **SHORT_MINIMUM)
    scan = figures([(DEAR, -E8)], section).scans[0]
    shorts = section.short_minimum + section.short_minimum_rate * BITCOIN.spot_e8 // WAD
    assert scan.losses[2] == shorts * E8 * WAD


def rows_of(book: Book, section: ModelSection, quotes: UnderlyingMarket = BITCOIN) -> dict[str, AddOn]:
    return {row.name: row for row in add_ons(hold(book, quotes), section, quotes)}


def test_naked_shorts_net_per_strike_and_expiry() -> None:
    assert naked_shorts([(CALL, -5), (PUT, 3)]) == 2
    assert naked_shorts([(CALL, -5), (PUT, 7)]) == 0
    assert naked_shorts([(CALL, -5), (DEAR, 5), (SOON, 5)]) == 5
    assert naked_shorts([(CALL, -5), (PUT, -5), (DEAR, -1)]) == 11
    assert naked_shorts([]) == 0
    assert gross([(CALL, -5), (PUT, 3)]) == 8


def test_each_add_on_takes_its_own_notional_and_rates() -> None:
    book = [(SPOT, -2 * E8), (PERPETUAL, 3 * E8), (FUTURE, -5 * E8), (CALL, -7 * E8), (PUT, E8)]
    for name, size, maintenance, initial in (
        ("nakedShortOptions", 6, "naked_maintenance", "naked_initial"),
        ("perpetuals", 3, "perpetual_maintenance", "perpetual_initial"),
        ("futures", 5, "future_maintenance", "future_initial"),
        ("collateralHaircut", 2, "haircut_maintenance", "haircut_initial"),
    ):
        notional = size * E8 * BITCOIN.spot_e8
        rates = ADD_ONS[maintenance], ADD_ONS[initial]
        for low, high in (rates, (0, rates[1]), (rates[0], 0)):
            rows = rows_of(book, section_with(**{maintenance: low, initial: high}))
            assert rows == {name: AddOn(name, notional, notional * low * WAD, notional * (low + high) * WAD)}
    assert rows_of(book, section_with()) == {}


def test_settled_instruments_have_no_add_ons() -> None:
    assert rows_of([(SETTLED, -E8)], FULL) == {}


def _with_confidence(underlying: int, expiry: int) -> UnderlyingMarket:
    quotes = tuple(replace(q, confidence_wad=expiry if q.expiry == FAR else WAD) for q in BITCOIN.expiries)
    return replace(BITCOIN, confidence_wad=underlying, expiries=quotes)


def test_the_confidence_add_on_takes_the_lesser_confidence() -> None:
    section = section_with(confidence_threshold=550 * MILLI, confidence_rate=2 * WAD)
    book = [(PERPETUAL, E8), (CALL, -2 * E8), (FUTURE, 3 * E8), (SOON, 4 * E8)]
    spot = BITCOIN.spot_e8
    for underlying, expiry, charged in (
        (WAD, WAD, 0),
        (550 * MILLI, 550 * MILLI, 0),
        (WAD, 549 * MILLI, 5 * 451),
        (549 * MILLI, WAD, 10 * 451),
        (500 * MILLI, 100 * MILLI, 5 * 500 + 5 * 900),
        (0, 0, 10 * 1000),
    ):
        rows = rows_of(book, section, _with_confidence(underlying, expiry))
        if not charged:
            assert rows == {}
            continue
        row = rows["confidence"]
        assert (row.maintenance, row.initial) == (0, charged * MILLI * 2 * WAD * E8 * spot)
        assert row.notional == (5 if underlying >= 550 * MILLI else 10) * E8 * spot


def test_add_ons_come_on_top_of_the_scaled_scan() -> None:
    section = replace(section_with(**ADD_ONS), initial_factor=3 * WAD, maintenance_factor=2 * WAD)
    section = replace(section, scenarios=(Scenario(WAD // 2, VolKind.NONE, WAD),))
    found = figures([(PERPETUAL, E8)], section)
    perpetual, spot = BITCOIN.perpetual_e8, BITCOIN.spot_e8
    move = perpetual - perpetual // 2
    assert found.maintenance == ceil_div(2 * move * 1000 + 15 * spot, 1000)
    assert found.initial == ceil_div(3 * move * 1000 + 20 * spot, 1000)
