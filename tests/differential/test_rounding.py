"""Books whose loss stands exactly at a unit of the requirement, or 1e-16 beyond: one unit lost in any floor before changes the margin.

A loss is exact to 1e-16 USD, a requirement to 1e-8: random books would show a wrong floor of a discount once in a hundred million.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import gcd
from random import Random
from typing import Final

import pytest

from marginproof.spec.instruments import InstrumentTable
from marginproof.spec.margin import margin
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model, Scenario, VolKind, neutral_section
from marginproof.spec.portfolio import Position
from marginproof.spec.scenario import shocked_price

from .campaigns import compare_accounts
from .draws import DAY, TIME, WAD, World, all_ids, underlying_market
from .engine import engine_rows
from .peers import PEERS, EngineValues

UNIT: Final = 10**8
"""1e-8 USD, as E16."""
PERPETUAL: Final = 1 << 26 | 1 << 16
WORLDS: Final = 8
BOOKS: Final = 12


def aligned_world(rng: Random) -> tuple[World, int]:
    """One scenario of weight 1 with static discounts, and what a perpetual's price changes in it (E8), which divides no power of ten."""
    kind = rng.choice((VolKind.NONE, VolKind.UP, VolKind.LINEAR_SKEW, VolKind.ABSOLUTE_SKEW))
    rules = neutral_section(
        1,
        (Scenario(rng.choice((85, 115)) * WAD // 100, kind, WAD),),
        vol_up=WAD // 2,
        linear_cap=WAD // 7,
        absolute_cap=WAD // 9,
        long_base=rng.randint(9 * WAD // 10, WAD),
        long_rate_add=WAD // 12,
        short_base=rng.randint(WAD, 11 * WAD // 10),
        short_rate_multiple=WAD // 2,
    )
    spot, change = 7 * 10**12, 0
    while gcd(change, 10) != 1:
        perpetual = rng.randint(spot - 10**10, spot + 10**10)
        change = shocked_price(perpetual, rules.scenarios[0].spot_wad) - perpetual
    part = replace(underlying_market(rng, 1, TIME, 1), spot_e8=spot, perpetual_e8=perpetual, settlements=())
    quotes = [
        replace(quote, expiry=TIME + days * DAY, forward_e8=spot, rate_wad=WAD // 11)
        for quote in part.expiries
        for days in (9, 90)
    ]
    table = InstrumentTable(
        {1: (TIME + 90 * DAY, TIME + 9 * DAY)}, {1: (spot, spot * 8 // 10, spot * 12 // 10)}
    )
    market = MarketSnapshot(TIME, UNIT, (replace(part, expiries=tuple(quotes)),))
    return World(market, Model((rules,)), table, all_ids(table)), change


def aligned_books(rng: Random, drawn: World, change: int) -> Iterator[tuple[Position, ...]]:
    """Options, and so many perpetuals that the loss is a whole number of units, or 1e-16 more; half of them long of options."""
    values = EngineValues(drawn, engine_rows(drawn))
    options = [number for number in drawn.ids if drawn.instrument_of[number].kind.is_option]
    for number in range(BOOKS):
        sign = 1 if number & 1 else -1
        ids = sorted(rng.sample(options, rng.randint(1, 5)))
        book = [Position(i, sign * rng.randint(1, 10**9)) for i in ids]
        loss = margin(drawn.held(tuple(book)), values).scans[0].losses[0] // WAD
        wanted = number >> 1 & 1
        size = (loss - wanted) * pow(change, -1, UNIT) % UNIT
        enough = (abs(loss) // (abs(change) * UNIT) + 2) * UNIT
        size += -enough if change > 0 else enough
        held = tuple(sorted([*book, Position(PERPETUAL, size)]))
        scan = margin(drawn.held(held), values).scans[0].losses[0]
        assert scan > 0
        assert scan // WAD % UNIT == wanted
        yield held


@pytest.mark.parametrize("peer", PEERS)
def test_losses_at_the_edge_of_a_unit(peer: str, rng: Random) -> None:
    worlds = []
    for _ in range(WORLDS):
        drawn, change = aligned_world(rng)
        worlds.append((drawn, list(aligned_books(rng, drawn, change))))
    for (drawn, books), figures in zip(worlds, PEERS[peer].figures(worlds), strict=True):
        compare_accounts(peer, drawn, books, figures)
