"""An epoch in parts is the whole epoch, bit for bit, however it is divided and in whatever order parts come back."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from engine.epochs import drawn, figures
from marginproof.engine import Portfolios, net, value
from marginproof.engine.executors import part_count
from marginproof.engine.partition import compute_in_parts, compute_part, merge_parts, part_height, split
from marginproof.spec.tree import root as spec_root

COUNTS = (0, 1, 4095, 4096, 4097, 20_000)


@pytest.mark.parametrize("count", COUNTS)
def test_parts_are_the_whole(count: int) -> None:
    inputs = drawn(count)
    whole = inputs.whole()
    for parts in range(1, 10):
        tasks = split(inputs.portfolios, inputs.instruments, inputs.market, inputs.model, parts)
        assert 1 <= len(tasks) <= parts
        assert len(tasks) == part_count(count, parts)
        assert sum(len(task.portfolios) for task in tasks) == count
        merged = compute_in_parts(tasks, count, lambda given: map(compute_part, given))
        assert merged.count == count
        assert merged.root == whole.root
        assert figures(merged) == figures(whole)


def test_small_epoch_by_the_specification() -> None:
    inputs = drawn(9)
    tasks = split(inputs.portfolios, inputs.instruments, inputs.market, inputs.model, 4)
    merged = compute_in_parts(tasks, 9, lambda given: map(compute_part, given))
    assert merged.root == spec_root([leaf.struct_hash() for leaf in inputs.whole().leaves])


def test_parts_in_any_order() -> None:
    inputs = drawn(20_000)
    whole = inputs.whole()
    results = [
        compute_part(t) for t in split(inputs.portfolios, inputs.instruments, inputs.market, inputs.model, 5)
    ]
    assert len(results) == 5
    for seed in range(4):
        Random(seed).shuffle(results)
        assert merge_parts(results, part_height(20_000, 5), 20_000).root == whole.root
        assert figures(merge_parts(results, part_height(20_000, 5), 20_000)) == figures(whole)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_change_no_bit(threads: int) -> None:
    inputs = drawn(20_000)
    whole = inputs.whole()
    for task in split(inputs.portfolios, inputs.instruments, inputs.market, inputs.model, 2, threads):
        assert task.threads == threads
        assert compute_part(task).subroot == compute_part(replace(task, threads=1)).subroot
    values = value(inputs.instruments, inputs.market, inputs.model, threads=threads)
    assert figures(whole)[1] == net(inputs.portfolios, values, threads).money.tobytes()


def test_order_of_accounts_changes_no_account() -> None:
    inputs = drawn(6_000)
    order = np.random.default_rng(2).permutation(6_000)
    p = inputs.portfolios
    sizes = np.diff(p.offsets)[order]
    places = np.concatenate([np.arange(p.offsets[a], p.offsets[a + 1]) for a in order])
    turned = Portfolios(np.concatenate(([0], np.cumsum(sizes))), p.ids[places], p.quantities[places])
    values = value(inputs.instruments, inputs.market, inputs.model)
    assert (net(turned, values, 2).money == net(p, values).money[order]).all()
    assert (net(turned, values, 2).worst == net(p, values).worst[order]).all()


@pytest.mark.parametrize(
    ("accounts", "parts", "height"),
    [(0, 3, 0), (1, 1, 0), (4096, 9, 12), (4097, 2, 12), (8192, 1, 13), (8193, 2, 13), (1 << 20, 3, 19)],
)
def test_height_of_parts(accounts: int, parts: int, height: int) -> None:
    assert part_height(accounts, parts) == height
