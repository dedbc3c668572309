"""Expired legs become cash, once, rounded down once."""

from __future__ import annotations

import pytest

from evm.machine import refused
from marginproof.spec.hashing import keccak

from . import setting
from .setting import BTC, BTC_CALL, BTC_FUTURE, BTC_LONG_CALL, BTC_PUT, E8, ETH_PUT, MONTH, WEEK, book
from .world import World, person

ALICE = person("alice").address
BOB = person("bob").address
PRICE = 101_000 * E8 + 7


def open_legs(world: World, quantity: int = 2 * E8) -> World:
    """Alice sold Bob every leg of the week, and one of the month."""
    world.open(person("alice"), 10_000_000)
    world.open(person("bob"), 10_000_000)
    world.post()
    for instrument in (BTC_FUTURE, BTC_CALL, BTC_PUT, BTC_LONG_CALL, ETH_PUT):
        world.trade(1, 0, instrument, quantity, world.mark(instrument))
    return world


def expire(world: World, price: int = PRICE, eth: int = 1_950 * E8) -> None:
    """The first epoch after the week's expiry, with BTC and ETH settled."""
    world.advance(WEEK + 60 - world.time)
    world.submit(
        world.snapshot(
            setting.market(
                world.time,
                {setting.ETH: 2_000 * E8},
                settled={(BTC, WEEK): price, (setting.ETH, WEEK): eth},
            )
        )
    )


@pytest.fixture
def expired(world: World) -> World:
    open_legs(world)
    expire(world)
    return world


def test_settled_legs_become_cash_and_the_others_stay(expired: World) -> None:
    before = list(expired.cash)
    equities = [expired.equity(0), expired.equity(1)]
    owed = 2 * (PRICE + (PRICE - 100_000 * E8) + 50 * E8)
    for account, owner, sign in ((0, ALICE, -1), (1, BOB, 1)):
        expired.do(expired.ledger, "settleExpired", account, expired.portfolios[account], by=owner)
        assert expired.event("ExpirySettled") == {"account": account, "cash": sign * owed}
        assert expired.portfolios[account] == book({BTC_LONG_CALL: sign * 2 * E8})
        assert expired.cash[account] == before[account] + sign * owed
    assert [expired.equity(0), expired.equity(1)] == equities
    expired.check()


def test_settlement_happens_once(expired: World) -> None:
    expired.do(expired.ledger, "settleExpired", 0, expired.portfolios[0], by=ALICE)
    with refused("NothingToSettle", 0):
        expired.ledger.transact("settleExpired", 0, expired.portfolios[0], caller=ALICE)


def test_others_wait_for_the_delay(expired: World) -> None:
    opens = expired.time + setting.SETTLE_DELAY
    with refused("SettlementNotOpen", 0, opens):
        expired.ledger.transact("settleExpired", 0, expired.portfolios[0], caller=BOB)
    expired.machine.set_time(opens - 1)
    with refused("SettlementNotOpen", 0, opens):
        expired.ledger.transact("settleExpired", 0, expired.portfolios[0], caller=BOB)
    expired.machine.set_time(opens)
    expired.do(expired.ledger, "settleExpired", 0, expired.portfolios[0], by=BOB)
    assert expired.portfolios[0] == book({BTC_LONG_CALL: -2 * E8})


def test_owner_and_stranger_settle_to_the_same_cash() -> None:
    outcomes = []
    for wait, owner in ((0, BOB), (setting.SETTLE_DELAY, ALICE)):
        world = open_legs(World())
        expire(world)
        world.machine.set_time(world.time + wait)
        world.do(world.ledger, "settleExpired", 1, world.portfolios[1], by=owner)
        outcomes.append((world.cash[1], world.portfolios[1]))
    assert outcomes[0] == outcomes[1]


def test_nothing_settles_before_its_price_is_recorded(world: World) -> None:
    open_legs(world)
    with refused("NothingToSettle", 0):
        world.ledger.transact("settleExpired", 0, world.portfolios[0], caller=ALICE)
    world.machine.set_time(WEEK + 1)
    with refused("NothingToSettle", 0):
        world.ledger.transact("settleExpired", 0, world.portfolios[0], caller=ALICE)


@pytest.mark.parametrize("fraction", [50_000_000, 30_000_000])
def test_attack_19_one_floor_of_the_exact_sum(world: World, fraction: int) -> None:
    """Two legs worth a fraction of a unit each: summed first, floored once, for either sign."""
    open_legs(world, quantity=3)
    expire(world, price=fraction + 100_000 * E8, eth=2_000 * E8)
    exact = 3 * (fraction + 100_000 * E8) + 3 * fraction
    before = list(world.cash)
    for account, owner, sign in ((0, ALICE, -1), (1, BOB, 1)):
        world.do(world.ledger, "settleExpired", account, world.portfolios[account], by=owner)
        assert world.cash[account] - before[account] == sign * exact // E8
    assert sum(world.cash) - sum(before) == -(exact % E8 != 0)


@pytest.mark.parametrize("eth", [2_000 * E8, 2_000 * E8 + 1])
def test_worthless_leg_disappears_for_nothing(world: World, eth: int) -> None:
    open_legs(world)
    for instrument in (BTC_FUTURE, BTC_CALL, BTC_PUT, BTC_LONG_CALL):
        world.trade(0, 1, instrument, 2 * E8, world.mark(instrument))
    expire(world, eth=eth)
    world.do(world.ledger, "settleExpired", 1, world.portfolios[1], by=BOB)
    assert world.event("ExpirySettled") == {"account": 1, "cash": 0}
    assert world.portfolios[1] == b""


def test_stranger_settles_what_is_open_and_leaves_what_is_not(world: World) -> None:
    open_legs(world)
    expire(world)
    world.advance(MONTH + 60 - world.time)
    world.submit(
        world.snapshot(
            setting.market(
                world.time,
                {setting.ETH: 2_000 * E8},
                settled={(BTC, WEEK): PRICE, (setting.ETH, WEEK): 1_950 * E8, (BTC, MONTH): 103_000 * E8},
            )
        )
    )
    world.do(world.ledger, "settleExpired", 0, world.portfolios[0], by=BOB)
    assert world.portfolios[0] == book({BTC_LONG_CALL: -2 * E8})
    with refused("SettlementNotOpen", 0, world.time + setting.SETTLE_DELAY):
        world.ledger.transact("settleExpired", 0, world.portfolios[0], caller=BOB)
    world.do(world.ledger, "settleExpired", 0, world.portfolios[0], by=ALICE)
    assert world.portfolios[0] == b""


def test_wrong_bytes_and_unknown_account(expired: World) -> None:
    with refused("WrongPortfolio", 0, keccak(b""), keccak(expired.portfolios[0])):
        expired.ledger.transact("settleExpired", 0, b"", caller=ALICE)
    with refused("UnknownAccount", 2):
        expired.ledger.transact("settleExpired", 2, b"", caller=ALICE)


def test_expired_leg_is_not_traded_but_margined_at_its_settlement(expired: World) -> None:
    with refused("InstrumentExpired", BTC_CALL, WEEK):
        expired.trade(0, 1, BTC_CALL, 2 * E8, 1_000 * E8)
    figures = expired.figures(1)
    court = expired.court.call(
        "recompute", expired.models.call("current"), expired.portfolios[1], expired.market_bytes()
    )
    assert court[:4] == (figures.value, figures.spot_value, figures.initial, figures.maintenance)
