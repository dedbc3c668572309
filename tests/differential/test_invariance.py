"""Order, division and threads change no bit of what the engine computes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from marginproof.engine import columns as engine_columns
from marginproof.engine.epoch import account_ids, compute, gather, leaf_columns
from marginproof.engine.leaves import leaf_hashes
from marginproof.engine.netting import Portfolios, net, portfolio_columns
from marginproof.engine.tree import root
from marginproof.spec.instruments import InstrumentTable

from .draws import Shape, World, book, world
from .engine import Books, engine_figures, engine_rows, engine_values, figures_of

SHAPE = Shape((1, 4), scenarios=12, expiries=4, strikes=6)
ACCOUNTS = 200
THREADS = (1, 2, 3, 7)


@pytest.fixture
def drawn(rng: Random) -> World:
    return world(rng, SHAPE)


@pytest.fixture
def books(rng: Random, drawn: World) -> Books:
    return [book(rng, drawn) for _ in range(ACCOUNTS)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks so small that these few rows make many of them, whose borders fall inside everything."""
    monkeypatch.setattr(engine_columns, "MIN_CHUNK", 3)


@pytest.mark.parametrize("threads", THREADS)
def test_values_from_any_number_of_threads(drawn: World, threads: int) -> None:
    one, many = engine_values(drawn), engine_values(drawn, threads)
    for name in ("table", "delta", "row_info", "by_column", "main", "side"):
        assert np.array_equal(getattr(one, name), getattr(many, name)), name


def test_values_in_any_company(rng: Random, drawn: World) -> None:
    """An instrument's row is the same alone, among some others and among all."""
    rows = dict(zip(drawn.ids, engine_rows(drawn), strict=True))
    for size in (1, 1, 1, 2, 3, len(drawn.ids) // 2):
        ids = tuple(sorted(rng.sample(drawn.ids, size)))
        assert engine_rows(replace(drawn, ids=ids)) == [rows[number] for number in ids]


@pytest.mark.parametrize("threads", THREADS)
def test_figures_from_any_number_of_threads(drawn: World, books: Books, threads: int) -> None:
    values, portfolios = engine_values(drawn), portfolio_columns(books)
    one, many = net(portfolios, values), net(portfolios, values, threads)
    assert np.array_equal(one.money, many.money)
    assert np.array_equal(one.worst, many.worst)
    assert np.array_equal(one.worst_lengths, many.worst_lengths)


def test_figures_in_any_order_and_division(rng: Random, drawn: World, books: Books) -> None:
    values, portfolios = engine_values(drawn), portfolio_columns(books)
    figures = engine_figures(books, values)
    order = rng.sample(range(len(books)), len(books))
    shuffled = figures_of(net(gather(portfolios, np.array(order)), values))
    assert shuffled == [figures[account] for account in order]
    cuts = [0, *sorted(rng.sample(range(1, len(books)), 9)), len(books)]
    parts = [portfolios.slice(start, stop) for start, stop in pairwise(cuts)]
    assert [row for part in parts for row in figures_of(net(part, values))] == figures


def test_figures_do_not_depend_on_how_the_registry_numbers(rng: Random, drawn: World, books: Books) -> None:
    """Expiries and strikes listed in another order: other ids, another order of rows, the same figures."""

    def again(lists: dict[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
        return {u: tuple(rng.sample(listed, len(listed))) for u, listed in lists.items()}

    table = InstrumentTable(again(drawn.table.expiries), again(drawn.table.strikes))
    other = replace(drawn, table=table)
    number_of = {instrument: number for number, instrument in other.instrument_of.items()}
    moved = [
        tuple(sorted(p._replace(instrument=number_of[drawn.instrument_of[p.instrument]]) for p in held))
        for held in books
    ]
    assert moved != books
    assert engine_figures(moved, engine_values(other)) == engine_figures(books, engine_values(drawn))


@pytest.mark.parametrize("threads", THREADS)
def test_the_root_from_any_number_of_threads(drawn: World, books: Books, threads: int) -> None:
    values, portfolios = engine_values(drawn), portfolio_columns(books)
    assert compute(portfolios, values, threads).root == compute(portfolios, values).root


def test_the_root_from_rows_in_any_order(rng: Random, drawn: World, books: Books) -> None:
    """Accounts computed in another order, put back by account id, make the same tree."""
    values, portfolios = engine_values(drawn), portfolio_columns(books)
    order = np.array(rng.sample(range(len(books)), len(books)))
    epoch, shuffled = compute(portfolios, values), compute(gather(portfolios, order), values)
    mixed = leaf_columns(account_ids(len(books))[order], shuffled.portfolio_hashes, shuffled.margins)
    hashes = leaf_hashes(mixed)
    assert not np.array_equal(hashes, epoch.leaf_hashes)
    assert root(np.ascontiguousarray(hashes[np.argsort(order)])) == epoch.root


def test_empty_input() -> None:
    drawn = world(Random(1), SHAPE)
    nobody = Portfolios(np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.int64))
    assert figures_of(net(nobody, engine_values(drawn), 2)) == []
