"""The books trade within margin, and the crash does to them what the demonstration promises."""

from __future__ import annotations

import pytest

from marginproof.demo.book_table import OVER_LEVERED
from marginproof.demo.books import (
    LIQUIDATOR,
    MARKET_MAKER,
    MAX_MAKER_POSITIONS,
    MIN_CUSHION_PERCENT,
    build_books,
    required_listing,
)
from marginproof.engine.explain import Explanation
from marginproof.errors import InputError
from marginproof.protocol.gate import cash_without_spot
from marginproof.spec.instruments import Kind

from .crash import Crash

SNAPSHOTS = range(6)
TOKEN_UNIT_E8 = 100
BAD_DEBT = "Over-levered long perpetual, ETH, 1"


@pytest.fixture(scope="module")
def crash() -> Crash:
    return Crash()


@pytest.fixture(scope="module")
def figures(crash: Crash) -> dict[str, list[Explanation]]:
    return {name: [crash.figures(name, snapshot) for snapshot in SNAPSHOTS] for name in crash.holdings}


def first_call(states: list[Explanation]) -> int | None:
    return next((i for i, state in enumerate(states) if state.maintenance_excess_e8 < 0), None)


def test_about_fifty_accounts_with_names_and_whole_deposits(crash: Crash) -> None:
    names = [book.name for book in crash.books]
    assert 45 <= len(names) <= 60
    assert len(set(names)) == len(names)
    assert all(book.cash_e8 > 0 and book.cash_e8 % TOKEN_UNIT_E8 == 0 for book in crash.books)
    traders = [book for book in crash.books if book.trades]
    assert len({book.strategy for book in traders}) >= 14
    assert [book.cash_e8 > 0 for book in crash.books if book.strategy == LIQUIDATOR] == [True]


def test_same_market_gives_same_books(crash: Crash) -> None:
    assert build_books(crash.document) == crash.books


def test_ids_follow_the_given_symbols(crash: Crash) -> None:
    swapped = build_books(crash.document, {"BTC": 7, "ETH": 3})
    for book, other in zip(crash.books, swapped, strict=True):
        assert [{1: 7, 2: 3}[t.instrument.underlying] for t in book.trades] == [
            t.instrument.underlying for t in other.trades
        ]


def test_market_without_a_needed_expiry_is_refused(crash: Crash) -> None:
    bitcoin, ether = crash.document.underlyings
    fewer = bitcoin.model_copy(update={"expiries": bitcoin.expiries[:-5]})
    with pytest.raises(InputError, match="does not quote BTC for 27MAR26"):
        build_books(crash.document.model_copy(update={"underlyings": (fewer, ether)}))


def test_every_leg_passes_the_margin_gate_on_both_sides(crash: Crash) -> None:
    assert len(crash.verdicts) == 2 * sum(len(book.trades) for book in crash.books)
    assert [(name, instrument) for name, instrument, verdict in crash.verdicts if not verdict.passes] == []


def test_cushion_over_initial_margin_after_the_trades(figures: dict[str, list[Explanation]]) -> None:
    for name, states in figures.items():
        start = states[0]
        assert 100 * start.equity_e8 >= (100 + MIN_CUSHION_PERCENT) * start.margin.initial, name
        assert cash_without_spot(start) >= 0, name


def test_makers_take_the_other_side_of_everything(crash: Crash) -> None:
    makers = {book.name for book in crash.books if book.strategy == MARKET_MAKER}
    assert {trade.maker for book in crash.books for trade in book.trades} == makers
    for name in makers:
        assert 1 <= len(crash.holdings[name].positions) <= MAX_MAKER_POSITIONS


def test_listing_covers_the_trades_within_bounds(crash: Crash) -> None:
    listing = required_listing(crash.books, crash.symbols)
    names = {underlying: symbol for symbol, underlying in crash.symbols.items()}
    for book in crash.books:
        for instrument in (trade.instrument for trade in book.trades):
            symbol = names[instrument.underlying]
            if instrument.kind.is_dated:
                assert instrument.expiry in listing.expiries[symbol]
            if instrument.kind.is_option:
                assert instrument.strike_e8 in listing.strikes[symbol]
    assert all(len(expiries) <= 12 for expiries in listing.expiries.values())
    assert all(len(strikes) <= 60 for strikes in listing.strikes.values())
    assert all(list(values) == sorted(set(values)) for group in listing for values in group.values())


def test_every_listed_expiry_is_quoted_or_settled_in_every_snapshot(crash: Crash) -> None:
    for symbol, expiries in required_listing(crash.books, crash.symbols).expiries.items():
        for market in crash.markets:
            section = market.underlying(crash.symbols[symbol])
            known = {quote.expiry for quote in section.expiries} | {s.expiry for s in section.settlements}
            assert set(expiries) <= known


def test_some_legs_expire_before_the_second_snapshot_and_some_before_the_last(crash: Crash) -> None:
    ends = {instrument.expiry for held in crash.holdings.values() for instrument in held.positions}
    times = [market.time for market in crash.markets]
    assert any(times[0] < end <= times[1] for end in ends)
    assert any(times[4] < end <= times[5] for end in ends)
    assert any(end > times[5] for end in ends)


def test_perpetuals_pay_funding(crash: Crash) -> None:
    indices = [market.underlying(crash.symbols["BTC"]).funding_e8 for market in crash.markets]
    assert len(set(indices)) == len(indices)
    holders = [
        name
        for name, held in crash.holdings.items()
        if any(i.kind == Kind.PERPETUAL and i.underlying == crash.symbols["BTC"] for i in held.positions)
    ]
    assert len(holders) >= 5


def test_over_levered_books_fall_below_maintenance_and_nobody_else_does(
    crash: Crash, figures: dict[str, list[Explanation]]
) -> None:
    called = {name for name, states in figures.items() if first_call(states) is not None}
    assert called == {book.name for book in crash.books if book.strategy in OVER_LEVERED}
    assert 5 <= len(called) <= len(crash.books) // 4
    assert len({first_call(figures[name]) for name in called}) >= 3


def test_called_books_still_have_equity_except_the_one_that_leaves_bad_debt(
    figures: dict[str, list[Explanation]],
) -> None:
    for name, states in figures.items():
        call = first_call(states)
        if call is not None:
            assert (states[call].equity_e8 < 0) == (name == BAD_DEBT), name


def test_survivors_never_owe_cash(crash: Crash, figures: dict[str, list[Explanation]]) -> None:
    for book in crash.books:
        if book.strategy not in OVER_LEVERED:
            assert all(cash_without_spot(state) >= 0 for state in figures[book.name]), book.name
