"""Whole epochs: the specification's root and leaves, and the next epoch from the one before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.worlds import (
    EXPIRIES,
    SPOTS,
    world_instruments,
    world_market,
    world_model,
    world_portfolios,
)
from marginproof.engine.epoch import Epoch, advance, compute, compute_epoch, gather, recommit
from marginproof.engine.netting import Portfolios, portfolio_columns
from marginproof.engine.values import Values, value
from marginproof.spec.instruments import IdParts, InstrumentTable, instrument_id
from marginproof.spec.margin import margin, value_table
from marginproof.spec.portfolio import Position, portfolio_hash
from marginproof.spec.tree import root, verify
from marginproof.spec.typed_data import leaf_of
from marginproof.spec.units import ONE_WAD


@pytest.fixture(scope="module")
def values() -> Values:
    return value(world_instruments(), world_market(), world_model())


@pytest.fixture(scope="module")
def epoch(values: Values) -> Epoch:
    return compute(world_portfolios(values.instruments, 9_000), values, threads=2)


def test_an_epoch_from_the_registry_is_the_specifications() -> None:
    table = InstrumentTable({1: EXPIRIES, 2: EXPIRIES}, {k: (s // 2, s, s * 2) for k, s in SPOTS.items()})
    numbers = [
        instrument_id(IdParts(key, expiry, strike, put))
        for key in SPOTS
        for expiry in (2, 4)
        for strike in (1, 2, 3)
        for put in (False, True)
    ]
    books = [
        [Position(number, (-1) ** i * (i + 1) * 10**7) for i, number in enumerate(numbers[start::step])]
        for start, step in ((0, 1), (1, 2), (3, 5), (0, 30))
    ]
    books.append([])
    epoch = compute_epoch(books, table, world_market(), world_model())
    truth = value_table(world_market(), world_model())
    leaves = []
    for account, book in enumerate(books):
        figures = margin([(table.resolve(p.instrument), p.quantity) for p in book], truth)
        assert epoch.margin(account) == figures
        leaves.append(leaf_of(account, portfolio_hash(book), figures))
    assert list(epoch.leaves) == leaves
    assert [epoch.leaf(account) for account in range(len(epoch))] == leaves
    assert epoch.root == root([leaf.struct_hash() for leaf in leaves])
    verify(leaves[3].struct_hash(), 3, len(books), epoch.proof(3), epoch.root)


def test_the_root_is_the_same_from_any_number_of_threads(values: Values, epoch: Epoch) -> None:
    for threads in (1, 3):
        assert compute(epoch.portfolios, values, threads).root == epoch.root


def same(one: Epoch, other: Epoch) -> bool:
    return (
        one.root == other.root
        and bool((one.margins.money == other.margins.money).all())
        and bool((one.portfolio_hashes == other.portfolio_hashes).all())
        and bool((one.leaf_hashes == other.leaf_hashes).all())
    )


def changed(portfolios: Portfolios, accounts: list[int]) -> Portfolios:
    books = [portfolios.positions(a) for a in range(len(portfolios))]
    for account in accounts:
        books[account] = books[account][:-1] if books[account] else books[account - 1]
    return portfolio_columns(books)


def test_the_next_epoch_is_what_a_fresh_one_would_be(values: Values, epoch: Epoch) -> None:
    moved = value(values.instruments, world_market(ONE_WAD + 10**16), values.model)
    traded = changed(epoch.portfolios, [0, 17, 4_000, 8_999])
    for portfolios, now in ((epoch.portfolios, moved), (traded, values), (traded, moved)):
        after = advance(epoch, portfolios, now, threads=2)
        assert same(after, compute(portfolios, now))
        assert after.root != epoch.root
    assert same(advance(epoch, epoch.portfolios, values), epoch)


def test_accounts_that_join_or_leave_the_end_are_margined(values: Values, epoch: Epoch) -> None:
    more = world_portfolios(values.instruments, 9_100, seed=1)
    assert same(advance(epoch, more, values), compute(more, values))
    fewer = epoch.portfolios.slice(0, 8_191)
    assert same(advance(epoch, fewer, values), compute(fewer, values))


def test_advancing_leaves_the_epoch_before_as_it_was(values: Values) -> None:
    before = compute(world_portfolios(values.instruments, 50), values)
    root_before, money = before.root, before.margins.money.copy()
    advance(before, changed(before.portfolios, [3, 4]), values)
    assert before.root == root_before
    assert (before.margins.money == money).all()


def test_gathered_accounts_are_those_asked_for(epoch: Epoch) -> None:
    wanted = np.array([5, 0, 8_999, 5], np.int64)
    part = gather(epoch.portfolios, wanted)
    assert [part.positions(i) for i in range(4)] == [epoch.portfolios.positions(int(a)) for a in wanted]


def test_recommitting_the_same_leaves_changes_nothing_and_a_lie_changes_the_root(values: Values) -> None:
    true = compute(world_portfolios(values.instruments, 20), values)
    assert same(recommit(true, true.leaves), true)
    lie = replace(true.leaf(7), maintenance_margin=true.leaf(7).maintenance_margin + 1)
    false = recommit(true, [lie if leaf.account == 7 else leaf for leaf in true.leaves])
    assert false.root != true.root
    assert false.leaf(7) == lie
    assert false.leaf(8) == true.leaf(8)
