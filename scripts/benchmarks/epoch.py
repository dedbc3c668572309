"""Whole epochs, the epochs after them, and starting the process."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace

import numpy as np

from marginproof.engine import Portfolios, value
from marginproof.engine.epoch import advance, compute

from . import child, world
from .result import REPETITIONS, Result, interleaved, result, seconds
from .sizes import FULL, Sizes

POSITIONS = 10
THREADS = 2
MOST_SECONDS = 4.0
MOST_GIGABYTES = 2.0
MOST_TRADED = 0.5


def bench_epoch(sizes: Sizes) -> list[Result]:
    """A whole epoch in a process of its own, two threads: value, net, requirement, leaves, root."""
    done = child.run("epoch", sizes.accounts, sizes.instruments, THREADS, REPETITIONS)
    name = f"epoch {sizes.accounts:,} accounts x {POSITIONS}, {sizes.instruments:,} instruments, {THREADS} threads"
    return [
        result(name, "s", done["seconds"], most=MOST_SECONDS),
        result(f"{name}: peak memory", "GB", done["peak"] / 1e9, most=MOST_GIGABYTES),
    ]


def bench_next(sizes: Sizes) -> list[Result]:
    """The next epoch against computing everything again, two threads."""
    columns = world.venue_columns(sizes.instruments)
    model = world.options_33()
    portfolios = world.spread_book(columns, sizes.accounts, POSITIONS).portfolios
    before = compute(portfolios, value(columns, world.market(), model), THREADS)
    traded = _trade(portfolios)
    moved = world.market(25)

    def fresh(book: Portfolios) -> object:
        return compute(book, value(columns, moved, model, threads=THREADS), THREADS)

    def follow(book: Portfolios) -> object:
        return advance(before, book, value(columns, moved, model, threads=THREADS), THREADS)

    cases = (
        ("market moved", lambda: follow(portfolios), lambda: fresh(portfolios), None),
        ("market moved, 1% traded", lambda: follow(traded), lambda: fresh(traded), None),
        (
            "1% traded, same market",
            lambda: advance(before, traded, before.values, THREADS),
            lambda: fresh(traded),
            MOST_TRADED if sizes.accounts >= FULL.accounts else None,
        ),
    )
    found = []
    for label, ours, peer, limit in cases:
        mine, full = interleaved(ours, peer)
        found.append(
            result(
                f"next epoch, {sizes.accounts:,} accounts, {label}",
                "s",
                mine,
                peer_name="computing everything again",
                peer=full,
                most_ratio=limit,
            )
        )
    return found


def _trade(portfolios: Portfolios) -> Portfolios:
    """The same book after every hundredth account has bought one lot of its first instrument."""
    quantities = portfolios.quantities.copy()
    first = portfolios.offsets[:-1:100]
    quantities[first] += np.where(quantities[first] == -1, 2, 1)
    return replace(portfolios, quantities=quantities)


def bench_start(sizes: Sizes) -> list[Result]:
    """Seconds from starting Python to the root of a small epoch, compiled code being on disk; and how many functions were compiled."""
    if not sizes.cold:
        return _starts(dict(os.environ), None)
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ) | {"NUMBA_CACHE_DIR": folder}
        cold = seconds(lambda: child.run("start", environment=environment))
        return _starts(environment, cold)


def _starts(environment: dict[str, str], cold: float | None) -> list[Result]:
    compiled = child.run("start", environment=environment)["compiled"]
    if cold is None:
        compiled = child.run("start", environment=environment)["compiled"]
    times = REPETITIONS if cold else 1
    (warm,) = interleaved(lambda: child.run("start", environment=environment), repetitions=times)
    name = "second start of the process"
    peer_name = None if cold is None else "first start, which compiles"
    return [
        result(name, "s", warm, peer_name=peer_name, peer=cold),
        result(f"{name}: functions compiled", "functions", compiled, most=0.0),
    ]
