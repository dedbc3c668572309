"""Two traders, orders of theirs that meet, and where the parts of a shown trade are."""

from __future__ import annotations

from marginproof.spec.typed_data import Leaf, Order

from .setting import (
    BTC_PERP,
    E8,
)
from .world import World, person

PRICE = 100_000 * E8
HOUSE = "0x" + "40" * 20
ZERO = "0x" + "00" * 20


def with_traders(world: World) -> World:
    world.open(person("alice"), 1_000_000)
    world.open(person("bob"), 1_000_000)
    world.post()
    return world


def unchanged(world: World) -> bool:
    """Nobody trades, nobody pays."""
    world.check()
    return world.portfolios == [b"", b""] and world.cash == [10**6 * E8] * 2


def both(
    world: World, price: int = PRICE, quantity: int = E8, instrument: int = BTC_PERP
) -> tuple[Order, Order]:
    """Alice sells at a price, resting; Bob buys at that limit."""
    return world.order(0, instrument, -quantity, price), world.order(1, instrument, quantity, price)


def counts_of_side(shown: bytes, place: int) -> int:
    """Where the counts of a side are."""
    return (12 if place == 0 else end_of_side(shown, 0)) + 32 + 65


def end_of_side(shown: bytes, place: int) -> int:
    """Where a side of packed bytes ends, by its counts."""
    counts = counts_of_side(shown, place)
    return counts + 2 + 48 + 2 * shown[counts] + 12 * shown[counts + 1]


def true_leaves(world: World, a: Order, b: Order) -> tuple[Leaf, Leaf]:
    return world.ticket(a), world.ticket(b)
