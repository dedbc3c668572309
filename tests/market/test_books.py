"""Benchmark books: drawn by open interest, balanced, inside the limits, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median

import pytest

from marginproof.documents import InstrumentName, market_symbols
from marginproof.errors import InputError
from marginproof.market.books import LOT_E8, MAX_OPTIONS, Book, book_from_files, draw_book, open_interest
from marginproof.market.importing import Chain, fit_chain, load_chain
from marginproof.spec.instruments import Kind
from marginproof.spec.limits import MAX_POSITIONS

from .chains import DAY, TIME, Row, chain, write

ACCOUNTS = 400
SPOTS = {"BTC": 65_000.0, "ETH": 1900.0}


def rows_with_interest(symbol: str, interest: float) -> list[Row]:
    """A chain where calls have ten times the open interest of puts, and some rows none."""
    rows = chain(symbol, SPOTS[symbol])
    for index, row in enumerate(rows):
        share = 10 if row["option_type"] == "C" else 1
        row["open_interest"] = f"{interest * share:.4f}" if index % 6 else ("0" if index % 12 else "")
    return rows


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("chains")
    return [
        write(folder / "btc.csv", rows_with_interest("BTC", 2)),
        write(folder / "eth.csv", rows_with_interest("ETH", 20)),
    ]


@pytest.fixture(scope="module")
def book(chains: list[Path]) -> Book:
    return book_from_files(chains, ACCOUNTS, 7)[0]


def positions(book: Book) -> list[tuple[InstrumentName, int]]:
    return [position for account in book.accounts for position in account.positions]


def test_the_market_is_the_importer_s(chains: list[Path], book: Book) -> None:
    market, report = fit_chain(load_chain(chains))
    assert book.market == market
    assert book_from_files(chains, 1, 0)[1].findings == report.findings


def test_a_perpetual_s_price_is_taken_at_the_market_s_time(chains: list[Path]) -> None:
    prices = {TIME: {"BTC": 6_500_100_000_000}, TIME + 1: {"ETH": 190_100_000_000}}
    btc, eth = book_from_files(chains, 1, 0, prices)[0].market.underlyings
    assert (btc.perpetual_e8, eth.perpetual_e8) == (6_500_100_000_000, None)


def test_the_same_seed_draws_the_same_book_and_another_seed_another(chains: list[Path], book: Book) -> None:
    loaded = load_chain(chains)
    assert draw_book(loaded, book.market, ACCOUNTS, 7) == book
    assert draw_book(loaded, book.market, ACCOUNTS, 8).accounts != book.accounts


def test_the_draw_is_the_one_written_down(book: Book) -> None:
    """Fixed figures: a change of the drawing order changes every published table."""
    first = book.accounts[0]
    assert (len(positions(book)), first.cash_e8, [(str(name), q) for name, q in first.positions]) == FIRST


FIRST = (
    2679,
    12022418000000,
    [
        ("ETH-PERP", -5979000000),
        ("ETH-1770456577-2102-C", -3118000000),
        ("ETH-1771018177-1318-C", 1942000000),
        ("ETH-1770456577-1645-P", 5102000000),
    ],
)


def test_row_order_does_not_matter(tmp_path: Path, chains: list[Path], book: Book) -> None:
    turned = [
        write(tmp_path / f"{symbol}.csv", rows_with_interest(symbol, size)[::-1])
        for symbol, size in (("ETH", 20), ("BTC", 2))
    ]
    again, _ = book_from_files(turned, ACCOUNTS, 7)
    assert again.accounts == book.accounts


def test_every_account_holds_options_within_the_limits_in_order(book: Book) -> None:
    assert len(book.accounts) == ACCOUNTS
    for account in book.accounts:
        names = [name for name, _ in account.positions]
        assert names == sorted(set(names))
        assert 1 <= sum(name.kind.is_option for name in names) <= MAX_OPTIONS
        assert len(names) <= MAX_POSITIONS
        assert 1 <= len({name.symbol for name in names}) <= 2
        assert account.cash_e8 >= 0
        assert account.cash_e8 % 10**6 == 0
        assert all(quantity and quantity % LOT_E8 == 0 for _, quantity in account.positions)
    counts = [sum(name.kind.is_option for name, _ in account.positions) for account in book.accounts]
    assert min(counts) == 1
    assert max(counts) == MAX_OPTIONS
    assert sorted({len({name.symbol for name, _ in account.positions}) for account in book.accounts}) == [
        1,
        2,
    ]


def test_every_kind_is_there_and_only_listed_instruments(book: Book) -> None:
    kinds = Counter(name.kind for name, _ in positions(book))
    assert set(kinds) == set(Kind)
    listed = set(book.open_interest_e8)
    live = {(entry.symbol, item.expiry) for entry in book.market.underlyings for item in entry.expiries}
    symbols = market_symbols(book.market)
    for name, _ in positions(book):
        name.instrument(symbols)
        if name.kind.is_option:
            assert book.open_interest_e8[name] > 0
        if name.kind.is_dated:
            assert (name.symbol, name.expiry) in live
    assert book.instruments == tuple(sorted({name for name, _ in positions(book)}))
    assert listed >= {name for name in book.instruments if name.kind.is_option}


def test_options_are_drawn_in_proportion_to_open_interest(book: Book) -> None:
    kinds = Counter(name.kind for name, _ in positions(book))
    assert 4 < kinds[Kind.CALL] / kinds[Kind.PUT] < 13
    options = Counter(name.symbol for name, _ in positions(book) if name.kind.is_option)
    assert options["BTC"] > 2 * options["ETH"]


def test_longs_and_shorts_balance_per_instrument(book: Book) -> None:
    held: dict[InstrumentName, list[int]] = {}
    for name, quantity in positions(book):
        held.setdefault(name, []).append(quantity)
    for name, quantities in held.items():
        if name.kind == Kind.SPOT:
            assert min(quantities) > 0
        elif len(quantities) % 2 == 0:
            assert sum(quantities) == 0
        else:
            assert abs(sum(quantities)) in [abs(quantity) for quantity in quantities]
    shorts = sum(quantity < 0 for name, quantity in positions(book) if name.kind != Kind.SPOT)
    longs = sum(quantity > 0 for name, quantity in positions(book) if name.kind != Kind.SPOT)
    assert 0.9 < longs / shorts < 1.1


def test_sizes_are_log_normal_in_value(book: Book) -> None:
    values = sorted(abs(q) / 10**8 * SPOTS[name.symbol] for name, q in positions(book))
    assert 30_000 < median(values) < 50_000
    assert values[int(0.84 * len(values))] / median(values) == pytest.approx(3.7, rel=0.25)


def test_open_interest_is_read_exactly_and_blank_is_none(chains: list[Path], book: Book) -> None:
    loaded = load_chain(chains)
    assert open_interest(loaded, book.market) == book.open_interest_e8
    assert len(book.open_interest_e8) == 300
    assert set(book.open_interest_e8.values()) == {0, 2 * 10**8, 20 * 10**8, 200 * 10**8}
    short = book.market.model_copy(update={"underlyings": book.market.underlyings[1:]})
    assert {name.symbol for name in open_interest(loaded, short)} == {"ETH"}


def test_expiries_that_the_market_lacks_are_not_drawn(chains: list[Path], book: Book) -> None:
    btc = book.market.underlyings[0]
    less = book.market.model_copy(
        update={"underlyings": (btc.model_copy(update={"expiries": btc.expiries[1:]}),)}
    )
    drawn = draw_book(load_chain(chains), less, 50, 1)
    dates = {name.expiry for name, _ in positions(drawn) if name.kind.is_dated}
    assert dates == {TIME + 8 * DAY, TIME + 50 * DAY}
    assert {name.symbol for name, _ in positions(drawn)} == {"BTC"}


def test_out_of_range_figures_and_chains_without_interest_are_refused(
    tmp_path: Path, chains: list[Path], book: Book
) -> None:
    loaded: Chain = load_chain(chains)
    with pytest.raises(InputError, match="accounts: 0 is out of range; allowed: 1 to 10000000"):
        draw_book(loaded, book.market, 0, 1)
    with pytest.raises(InputError, match="seed: -1 is out of range; allowed: 0 to 18446744073709551615"):
        draw_book(loaded, book.market, 1, -1)
    none = [{**row, "open_interest": "0"} for row in chain("ETH", 1900.0)]
    path = write(tmp_path / "none.csv", none)
    with pytest.raises(InputError, match="ETH: no option on a fitted expiry has open interest"):
        book_from_files([chains[0], path], 5, 1)
