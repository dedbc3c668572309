"""Requirements: what must hold for every account, whatever the market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts.vector_families.models import DISCOUNTS, E8, FULL, SMALL, WAD, model_of
from scripts.vector_families.samples import EXPIRIES, MARKET, STRIKES, TIME

from marginproof.spec.errors import SpecError
from marginproof.spec.holdings import hold
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.margin import (
    Margin,
    columns,
    discounted_sum,
    expiry_change,
    initial_factor,
    margin,
    requirement,
    scan_underlying,
    value_table,
)
from marginproof.spec.model import ModelSection, Scenario, VolKind
from marginproof.spec.scenario import NOW
from marginproof.spec.tenor import static_discounts
from marginproof.spec.units import ONE_Q58

VALUES = {
    name: value_table(MARKET, model_of(section, section))
    for name, section in (("small", SMALL), ("full", FULL))
}

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


def figures(book: Book, model: str = "full") -> Margin:
    return margin(book, VALUES[model])


@given(books)
def test_order_of_positions_does_not_matter(book: list[tuple[Instrument, int]]) -> None:
    for other in (sorted(book, key=lambda position: (position[1], position[0])), book[::-1]):
        assert figures(book) == figures(other)


@given(books)
def test_without_discounts_losses_are_exact_sums(book: Book) -> None:
    """A model of rules alone: minus the weighted sum of quantity times change of value, to the last digit."""
    values = VALUES["small"]
    for scan in figures(book, "small").scans:
        rows = [(quantity, values(i)) for i, quantity in book if i.underlying == scan.underlying]
        assert len(scan.losses) == len(SMALL.scenarios)
        for s, scenario in enumerate(SMALL.scenarios):
            change = sum(quantity * (row[1 + s] - row[0]) for quantity, row in rows)
            assert scan.losses[s] == -change * scenario.weight_wad


def _live(book: Book, underlying: int, expiry: int, is_option: bool) -> Book:
    return [
        p
        for p in book
        if p[0].underlying == underlying and p[0].expiry == expiry and p[0].kind.is_option == is_option
    ]


@given(books)
def test_scenario_losses_under_everything(book: Book) -> None:
    """Written out once more: per expiry, one floor after the discount of the sign of the sum; a skew counts minus the size."""
    values = VALUES["full"]
    for scan in figures(book).scans:
        quotes = MARKET.underlying(scan.underlying)
        for s, move in enumerate(FULL.scenarios):
            undated = [p for p in book if p[0].underlying == scan.underlying and not p[0].kind.is_dated]
            total = sum(q * (values(i)[1 + s] - values(i)[0]) for i, q in undated)
            for quote in quotes.expiries:
                options = _live(book, scan.underlying, quote.expiry, True)
                there, now = (sum(q * values(i)[c] for i, q in options) for c in (1 + s, 0))
                pair = static_discounts(FULL, quote.rate_wad, quote.expiry - TIME)
                change = (there * pair[0 if there >= 0 else 1] >> 58) - now
                futures = _live(book, scan.underlying, quote.expiry, False)
                change += sum(q * (values(i)[1 + s] - values(i)[0]) for i, q in futures)
                total += -abs(change) if move.kind.is_skew else change
            assert scan.losses[s] == -total * move.weight_wad


@given(books)
def test_the_worst_is_the_first_of_the_greatest(book: Book) -> None:
    found = figures(book)
    assert [scan.underlying for scan in found.scans] == sorted({i.underlying for i, _ in book})
    for scan in found.scans:
        assert len(scan.losses) == FULL.index_count()
        assert all(loss <= scan.losses[scan.worst] for loss in scan.losses)
        assert all(loss < scan.losses[scan.worst] for loss in scan.losses[: scan.worst])
        assert scan.scan == max(0, scan.losses[scan.worst])


@given(books)
def test_requirements_round_up_and_values_down(book: Book) -> None:
    found = figures(book)
    initial = sum(s.initial_factor * s.scan + sum(row.initial for row in s.add_ons) for s in found.scans)
    extra = sum(row.maintenance for s in found.scans for row in s.add_ons)
    maintenance = sum(s.scan for s in found.scans) * FULL.maintenance_factor + extra
    assert 0 <= found.initial * 10**44 - initial < 10**44
    assert 0 <= found.maintenance * 10**44 - maintenance < 10**44
    assert 0 <= found.maintenance <= found.initial
    now = sum(quantity * VALUES["full"](i)[0] for i, quantity in book)
    assert 0 <= now - found.value * E8 < E8
    spot = sum(quantity * VALUES["full"](i)[0] for i, quantity in book if i.kind == Kind.SPOT)
    assert 0 <= spot - found.spot_value * E8 < E8


@given(books)
def test_underlyings_add_up(book: Book) -> None:
    parts = [figures([p for p in book if p[0].underlying == u]) for u in (1, 2)]
    whole = figures(book)
    assert whole.scans == parts[0].scans + parts[1].scans
    assert 0 <= sum(part.initial for part in parts) - whole.initial <= 1


@given(books, st.integers(2, 50))
def test_losses_scale_with_the_book(book: Book, factor: int) -> None:
    """To the digit without discounts; with them by at most a unit (E16) of weight per expiry and side."""
    bigger = figures([(i, quantity * factor) for i, quantity in book], "small")
    for scan, big in zip(figures(book, "small").scans, bigger.scans, strict=True):
        assert big.losses == tuple(loss * factor for loss in scan.losses)
        assert big.worst == scan.worst
    bigger = figures([(i, quantity * factor) for i, quantity in book])
    for scan, big in zip(figures(book).scans, bigger.scans, strict=True):
        for small, large in zip(scan.losses, big.losses, strict=True):
            assert abs(large - small * factor) <= 20 * factor * 2 * WAD


@given(books, books)
def test_the_scan_is_subadditive_without_discounts(a: Book, b: Book) -> None:
    held = dict(a)
    for instrument, quantity in b:
        held[instrument] = held.get(instrument, 0) + quantity
    joined = figures([p for p in held.items() if p[1]], "small")
    apart = [{scan.underlying: scan.scan for scan in figures(book, "small").scans} for book in (a, b)]
    for scan in joined.scans:
        assert scan.scan <= sum(part.get(scan.underlying, 0) for part in apart)


def test_an_empty_book_asks_nothing() -> None:
    assert figures([]) == Margin(0, 0, 0, 0, ())


def test_equal_losses_take_the_lowest_index() -> None:
    settled = Instrument(1, Kind.FUTURE, EXPIRIES[0])
    for values in VALUES.values():
        scan = scan_underlying([(settled, E8)], values)
        assert (set(scan.losses), scan.worst, scan.scan, scan.add_ons) == ({0}, 0, 0, ())


def test_columns_are_now_the_scenarios_and_the_basis_moves() -> None:
    assert columns(SMALL) == (NOW, *SMALL.scenarios)
    moves = tuple(Scenario(spot, VolKind.NONE, WAD) for spot in (FULL.basis_up, FULL.basis_down))
    assert columns(FULL) == (NOW, *FULL.scenarios, *moves)


def test_requirement_rounds_a_sum_once() -> None:
    assert requirement([(WAD, 1, 0), (WAD, 1, 0)]) == 1
    assert requirement([(WAD, 10**26, 0), (WAD, 10**26, 0)]) == 2
    assert requirement([(WAD, 10**26, 1)]) == 2
    assert requirement([(0, 10**26, 10**44)]) == 1
    assert requirement([]) == 0


@given(st.integers(-(2**116), 2**116), st.integers(0, 2**62), st.integers(0, 2**62))
def test_the_sign_of_the_sum_picks_the_discount(total: int, long: int, short: int) -> None:
    found = discounted_sum(total, (long, short))
    assert found == total * (long if total >= 0 else short) >> 58
    assert discounted_sum(0, (long, short)) == 0


def test_a_static_discount_spares_futures() -> None:
    """Options of an expiry are discounted together; its futures are not, and a skew counts the size of both."""
    expiry = EXPIRIES[6]
    held = [(Instrument(1, Kind.CALL, expiry, STRIKES[7]), E8), (Instrument(1, Kind.FUTURE, expiry), -2 * E8)]
    section: ModelSection = replace(FULL, **DISCOUNTS)  # type: ignore[arg-type]
    values = VALUES["full"]
    (holdings,) = hold(held, MARKET.underlying(1)).expiries.values()
    half = (ONE_Q58 // 2, ONE_Q58)
    for column in (1, len(section.scenarios)):
        option, future = (values(i) for i, _ in held)
        change = (E8 * option[column] // 2) - E8 * option[0] - 2 * E8 * (future[column] - future[0])
        assert expiry_change(holdings, values, column, False, half) == change
        assert expiry_change(holdings, values, column, True, half) == -abs(change)


def test_the_peg_raises_the_initial_factor() -> None:
    section = replace(FULL, initial_factor=WAD, peg_threshold=98 * 10**6, peg_factor=2 * WAD)
    assert initial_factor(section, 98 * 10**6) == WAD
    assert initial_factor(section, 10**9) == WAD
    assert initial_factor(section, 97 * 10**6) == WAD + 2 * WAD // 100
    assert initial_factor(replace(section, peg_factor=1), 98 * 10**6 - 1) == WAD + 1


def test_a_missing_model_section_is_named() -> None:
    with pytest.raises(SpecError, match=r"MissingModelSection\(underlying=9\)"):
        margin([(Instrument(9, Kind.SPOT), 1)], VALUES["full"])
