"""No trade escapes margin, and none that reduces risk is kept from an account in need."""

from __future__ import annotations

import pytest

from evm.machine import refused

from . import setting
from .setting import BTC, BTC_CALL, BTC_PERP, E8, ETH, book
from .world import World, person

SPOT = setting.SPOTS[BTC]


def two(world: World, alice: int, bob: int = 10_000_000) -> World:
    world.open(person("alice"), alice)
    world.open(person("bob"), bob)
    world.post()
    return world


def initial_of(world: World, positions: dict[int, int]) -> int:
    return world.figures_of(book(positions)).initial


def test_trade_up_to_the_last_unit_of_initial_margin(world: World) -> None:
    two(world, 0)
    needed = initial_of(world, {BTC_PERP: E8})
    assert needed % 100 == 0
    world.deposit(0, needed // 100 - 1)
    with refused("BelowInitialMargin", 0, needed - 100, needed):
        world.trade(0, 1, BTC_PERP, E8, SPOT)
    with refused("BelowInitialMargin", 0, needed - 100, needed):
        world.trade(1, 0, BTC_PERP, E8, SPOT)
    world.deposit(0, 1)
    world.trade(0, 1, BTC_PERP, E8, SPOT)
    assert world.equity(0) == world.figures(0).initial


def test_either_side_must_pass(world: World) -> None:
    two(world, 1_000_000, 1)
    for buyer, seller in ((0, 1), (1, 0)):
        with refused("BelowInitialMargin"):
            world.trade(buyer, seller, BTC_PERP, E8, SPOT)
    assert world.portfolios == [b"", b""]
    world.check()


def test_bad_price_counts_as_a_loss(world: World) -> None:
    two(world, 100_000)
    world.trade(0, 1, BTC_PERP, E8, SPOT)
    with refused("BelowInitialMargin"):
        world.trade(0, 1, BTC_PERP, E8 // 1_000, 10**16)


def below_initial(world: World) -> World:
    """Alice is long five perpetuals and below initial, above maintenance margin."""
    two(world, 100_000)
    world.trade(0, 1, BTC_PERP, 5 * E8, SPOT)
    world.move(btc=95_000)
    figures, equity = world.figures(0), world.equity(0)
    assert figures.maintenance < equity < figures.initial
    return world


def test_account_below_initial_margin_may_reduce(world: World) -> None:
    below_initial(world)
    world.trade(1, 0, BTC_PERP, E8, 95_000 * E8)
    assert world.portfolios[0] == book({BTC_PERP: 4 * E8})


def test_account_below_initial_margin_may_not_increase(world: World) -> None:
    below_initial(world)
    with refused("BelowInitialMargin"):
        world.trade(0, 1, BTC_PERP, 1, 95_000 * E8)
    with refused("BelowInitialMargin"):
        world.trade(0, 1, BTC_CALL, E8, world.mark(BTC_CALL))
    world.check()


def test_reduction_may_not_give_away_more_than_a_tenth_of_the_margin_it_frees(world: World) -> None:
    below_initial(world)
    tenth = E8 // 10
    freed = world.figures(0).initial - world.figures_of(book({BTC_PERP: 5 * E8 - tenth})).initial
    least = 95_000 * E8 - freed // 10 * 10
    with refused("BelowInitialMargin"):
        world.trade(1, 0, BTC_PERP, tenth, least - 1)
    world.trade(1, 0, BTC_PERP, tenth, least)


def test_attack_24_trade_into_a_cash_deficit(world: World) -> None:
    """Coins carry the margin of a call bought, but not its price."""
    two(world, 1)
    world.deposit_spot(0, BTC, 10 * E8)
    value = world.mark(BTC_CALL)
    world.trade(0, 1, BTC_CALL, E8, value)
    with refused("CashDeficit", 0, 999 * E8):
        world.trade(0, 1, BTC_CALL, E8, value + 1_000 * E8)


def test_account_in_cash_deficit_may_reduce_but_not_deepen_it(world: World) -> None:
    """Short perpetuals against coins: a rise leaves equity and takes the cash."""
    two(world, 1)
    world.deposit_spot(0, BTC, 4 * E8)
    world.trade(1, 0, BTC_PERP, 4 * E8, SPOT)
    world.move(btc=110_000)
    figures = world.figures(0)
    deficit = -(world.cash[0] + figures.value - figures.spot_value)
    assert deficit > 0
    assert world.equity(0) > figures.initial
    with refused("CashDeficit", 0, deficit + E8):
        world.trade(0, 1, BTC_PERP, E8, 110_001 * E8)
    with refused("CashDeficit", 0, deficit):
        world.trade(1, 0, BTC_PERP, 1, 110_000 * E8)


def test_deficit_and_margin_may_both_improve(world: World) -> None:
    two(world, 300_000)
    world.deposit_spot(0, BTC, E8)
    world.trade(1, 0, BTC_PERP, 8 * E8, SPOT)
    world.move(btc=150_000)
    figures = world.figures(0)
    assert world.cash[0] + figures.value - figures.spot_value < 0
    world.trade(0, 1, BTC_PERP, E8, 150_000 * E8)
    with refused("BelowInitialMargin"):
        world.trade(1, 0, BTC_PERP, E8, 150_000 * E8)
    figures = world.figures(0)
    deficit = figures.spot_value - figures.value - world.cash[0]
    with refused("CashDeficit", 0, deficit + 1):
        world.trade(0, 1, BTC_PERP, E8, 150_000 * E8 + 1)


def test_frozen_account_does_nothing_of_its_own(world: World) -> None:
    below_initial(world)
    world.move(btc=85_000)
    world.do(world.house, "callMargin", 0, world.portfolios[0], world.market_bytes(), world.choices(0))
    alice = person("alice").address
    with refused("AccountFrozen", 0):
        world.trade(1, 0, BTC_PERP, E8, 85_000 * E8)
    with refused("AccountFrozen", 0):
        world.trade(0, 1, BTC_PERP, E8, 85_000 * E8)
    for name, args in (
        ("withdraw", (world.shown_withdrawal(0, 1, alice),)),
        ("withdrawUnencumbered", (0, 1, alice)),
        ("withdrawSpot", (0, BTC, 1, alice, world.portfolios[0], world.market_bytes())),
        ("depositSpot", (0, ETH, 1, world.portfolios[0])),
    ):
        with refused("AccountFrozen", 0):
            world.vault.transact(name, *args, caller=alice)
    world.deposit(0, 1)


@pytest.mark.parametrize("instrument", [BTC_CALL, BTC_PERP])
def test_gate_follows_the_newest_market(world: World, instrument: int) -> None:
    two(world, 22_000)
    assert initial_of(world, {instrument: -E8}) < 22_000 * E8
    world.move(btc=150_000)
    assert initial_of(world, {instrument: -E8}) > 22_000 * E8
    with refused("BelowInitialMargin"):
        world.trade(1, 0, instrument, E8, world.mark(instrument))
