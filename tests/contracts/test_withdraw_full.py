"""The full rung: cash taken out on figures that the court recomputes, with no attester's word for them; and what pausing leaves open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evm.machine import ADMIN, STRANGER, refused
from marginproof.spec.abridged import abridge_market
from marginproof.spec.hashing import keccak
from marginproof.spec.tree import root

from . import setting
from .refusals import UNAUTHORISED, refused_as
from .setting import BTC, BTC_CALL, BTC_PERP, E8, book
from .world import World, person

ALICE, BOB = (person(name).address for name in ("alice", "bob"))
HOUSE = "0x" + "40" * 20
PAUSED = "EnforcedPause()"
MAX = 2**256 - 1


def positioned(world: World) -> World:
    """Alice is 0, Bob 1; Alice sold Bob ten calls at their value; an epoch with both leaves."""
    world.open(person("alice"), 1_000_000)
    world.open(person("bob"), 1_000_000)
    world.post()
    world.trade(1, 0, BTC_CALL, 10 * E8, world.mark(BTC_CALL))
    world.post()
    return world


@pytest.fixture
def traders(world: World) -> World:
    return positioned(world)


def withdraw(world: World, account: int, amount: int, by: str = ALICE, **changes: Any) -> None:
    given = {"portfolio": world.portfolios[account], "market": world.market_bytes()} | changes
    world.do(world.vault, "withdrawFull", account, amount, by, given["portfolio"], given["market"], by=by)


def on_leaf(world: World, account: int, amount: int, by: str = ALICE) -> None:
    world.do(world.vault, "withdraw", world.shown_withdrawal(account, amount, by), by=by)


def allowed_e8(world: World, account: int) -> int:
    figures, cash = world.figures(account), world.cash[account]
    return max(0, min(cash + figures.value - figures.initial, cash + figures.value - figures.spot_value))


# --- what may be withdrawn -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("account", [0, 1])
def test_up_to_the_last_unit_that_a_leaf_would_allow(traders: World, account: int) -> None:
    owner = (ALICE, BOB)[account]
    allowed = allowed_e8(traders, account)
    most = allowed // 100
    for way in (withdraw, on_leaf):
        with refused("WithdrawalAboveAllowed", (most + 1) * 100, allowed):
            way(traders, account, most + 1, owner)
    withdraw(traders, account, most, owner)
    assert traders.event("CashWithdrawn") == {"account": account, "cash": traders.cash[account]}
    paid = {"from": traders.vault.address.lower(), "to": owner.lower(), "value": most}
    assert traders.event("Transfer") == paid
    assert traders.usd.call("balanceOf", owner) == most
    assert traders.equity(account) >= traders.figures(account).initial
    with refused("WithdrawalAboveAllowed"):
        withdraw(traders, account, 1, owner)
    traders.check()


def test_portfolio_newer_than_the_epoch_needs_no_leaf(traders: World) -> None:
    traders.trade(1, 0, BTC_CALL, E8, traders.mark(BTC_CALL))
    with refused("WrongRoot"):
        on_leaf(traders, 0, 1)
    withdraw(traders, 0, allowed_e8(traders, 0) // 100)
    traders.check()


def test_account_younger_than_the_epoch(traders: World) -> None:
    traders.open(person("carol"), 100_000)
    carol = person("carol").address
    traders.trade(2, 0, BTC_PERP, E8, setting.SPOTS[BTC])
    withdraw(traders, 2, allowed_e8(traders, 2) // 100, carol)
    with refused("WithdrawalAboveAllowed"):
        withdraw(traders, 2, 1, carol)


def test_attack_23_unrealised_profit_leaves_only_above_margin(traders: World) -> None:
    """Bob's calls have gained: he takes what is above initial margin, and the fall that follows finds margin there."""
    traders.move(btc=120_000)
    most = allowed_e8(traders, 1) // 100
    with refused("WithdrawalAboveAllowed"):
        withdraw(traders, 1, most + 1, BOB)
    withdraw(traders, 1, most, BOB)
    assert traders.equity(1) - traders.figures(1).initial < 100
    traders.move(btc=110_000)
    assert traders.equity(1) >= 0


def test_attack_23_spot_collateral_does_not_turn_into_cash(traders: World) -> None:
    traders.deposit_spot(0, BTC, 20 * E8)
    traders.trade(1, 0, BTC_PERP, 10 * E8, setting.SPOTS[BTC])
    traders.move(btc=150_000)
    figures, cash = traders.figures(0), traders.cash[0]
    limit = max(0, cash + figures.value - figures.spot_value)
    assert limit < cash + figures.value - figures.initial
    with refused("WithdrawalAboveAllowed", (limit // 100 + 1) * 100, limit):
        withdraw(traders, 0, limit // 100 + 1)


def test_attack_24_cash_deficit_allows_nothing(traders: World) -> None:
    traders.open(person("carol"))
    carol = person("carol").address
    traders.deposit_spot(2, BTC, 50 * E8)
    traders.trade(2, 0, BTC_PERP, E8, setting.SPOTS[BTC])
    traders.move(btc=99_000)
    assert traders.cash[2] + traders.figures(2).value - traders.figures(2).spot_value < 0
    assert traders.equity(2) > traders.figures(2).initial
    with refused("WithdrawalAboveAllowed", 100, 0):
        withdraw(traders, 2, 1, carol)


def test_frozen_account_withdraws_nothing() -> None:
    world = positioned(World(house=HOUSE))
    world.do(world.ledger, "setFrozen", 0, True, by=HOUSE)
    with refused("AccountFrozen", 0):
        withdraw(world, 0, 1)
    world.do(world.ledger, "setFrozen", 0, False, by=HOUSE)
    withdraw(world, 0, 1)


# --- what is given -------------------------------------------------------------------------------------------------


def test_only_the_owner(traders: World) -> None:
    for caller in (BOB, ADMIN, STRANGER):
        with refused("NotOwner", 0, caller.lower()):
            withdraw(traders, 0, 1, caller)
    with refused("UnknownAccount", 9):
        traders.vault.transact("withdrawFull", 9, 1, ALICE, b"", b"", caller=ALICE)
    with refused("ZeroAmount"):
        withdraw(traders, 0, 0)


def test_attack_12_portfolio_bytes_that_are_not_the_accounts(traders: World) -> None:
    held = traders.portfolios[0]
    better = book({BTC_CALL: 10 * E8})
    for given in (b"", better, held + held, held[:11], held + b"\0", traders.portfolios[1]):
        with refused("WrongPortfolio", 0, keccak(given), keccak(held)):
            withdraw(traders, 0, 1, portfolio=given)


def test_market_must_be_the_newest(traders: World) -> None:
    old = traders.market_bytes()
    traders.move(btc=101_000)
    with refused("WrongMarket"):
        withdraw(traders, 0, 1, market=old)
    raw = traders.market_bytes() + b"\0"
    with refused("BadLength", len(raw)):
        withdraw(traders, 0, 1, market=raw)
    for given in (b"", raw[:-2]):
        with pytest.raises(Exception, match=r"WrongMarket|BadLength"):
            withdraw(traders, 0, 1, market=given)


def test_attack_11_a_market_that_leaves_quotes_out_is_not_the_newest(traders: World) -> None:
    assert traders.market is not None
    for needed in ({}, {part.underlying: set[int]() for part in traders.market.underlyings}):
        abridged = abridge_market(traders.market, needed)
        assert len(abridged) < len(traders.market_bytes())
        with refused("BadLength", len(abridged)):
            withdraw(traders, 0, 1, market=abridged)


def test_epoch_must_be_in_force(traders: World) -> None:
    assert traders.header is not None
    traders.machine.set_time(traders.header.valid_until)
    with refused("EpochExpired"):
        withdraw(traders, 0, 1)


# --- pausing -------------------------------------------------------------------------------------------------------


@pytest.fixture
def paused(traders: World) -> World:
    """Paused; Carol is 2 and has cash only, Dave 3 and has a coin."""
    traders.open(person("carol"), 5)
    traders.open(person("dave"), 5)
    traders.deposit_spot(3, BTC, E8)
    traders.post()
    traders.vault.transact("grantRole", keccak(b"PAUSER_ROLE"), STRANGER)
    traders.do(traders.vault, "pause", by=STRANGER)
    return traders


def test_pausing_stops_deposits_and_withdrawals_on_leaves(paused: World) -> None:
    paused.give(paused.usd, ALICE, 10)
    closed: tuple[Callable[[], object], ...] = (
        lambda: on_leaf(paused, 0, 1),
        lambda: paused.vault.transact("depositCash", 0, 1, caller=ALICE),
        lambda: paused.vault.transact("depositSpot", 0, BTC, 1, paused.portfolios[0], caller=ALICE),
    )
    for attempt in closed:
        with refused_as(PAUSED):
            attempt()
    paused.check()
    paused.do(paused.vault, "unpause", by=STRANGER)
    paused.do(paused.vault, "depositCash", 0, 1, by=ALICE)
    on_leaf(paused, 0, 1)


def test_pausing_never_keeps_anyone_from_leaving(paused: World) -> None:
    """Without positions, with them through the full rung, and with coins: none of it rests on a signature of the account's figures."""
    carol, dave = (person(name).address for name in ("carol", "dave"))
    paused.do(paused.vault, "withdrawUnencumbered", 2, 5 * 10**6, carol, by=carol)
    withdraw(paused, 0, allowed_e8(paused, 0) // 100)
    spot = (3, BTC, E8, dave, paused.portfolios[3], b"")
    paused.do(paused.vault, "withdrawSpot", *spot, by=dave)
    paused.do(paused.vault, "withdrawUnencumbered", 3, 5 * 10**6, dave, by=dave)
    assert paused.cash[2:] == [0, 0]
    assert paused.portfolios[3] == b""


def test_pausing_stops_neither_trades_nor_settlement(paused: World) -> None:
    paused.trade(1, 0, BTC_CALL, 1, 1)
    paused.trade_attested(1, 0, BTC_CALL, 1, 1)
    paused.check()


def test_only_the_pauser_pauses(traders: World) -> None:
    for name in ("pause", "unpause"):
        for caller in (ADMIN, STRANGER):
            with refused_as(UNAUTHORISED):
                traders.vault.transact(name, caller=caller)


# --- caps ----------------------------------------------------------------------------------------------------------


def test_cap_of_cash(world: World) -> None:
    token = world.usd.address.lower()
    world.open(person("alice"), 5)
    assert world.vault.call("capOf", token) == MAX
    world.do(world.vault, "setCap", token, 6 * 10**6)
    assert world.event("CapSet") == {"token": token, "cap": 6 * 10**6}
    assert world.vault.call("capOf", token) == 6 * 10**6
    world.give(world.usd, ALICE, 10**7)
    with refused("CapExceeded", token, 6 * 10**6 + 1, 6 * 10**6):
        world.vault.transact("depositCash", 0, 10**6 + 1, caller=ALICE)
    world.do(world.vault, "depositCash", 0, 10**6, by=ALICE)
    world.do(world.vault, "setCap", token, 0)
    with refused("CapExceeded", token, 6 * 10**6 + 1, 0):
        world.vault.transact("depositCash", 0, 1, caller=ALICE)
    world.do(world.vault, "withdrawUnencumbered", 0, 6 * 10**6, ALICE, by=ALICE)
    world.check()


def test_cap_of_a_coin(world: World) -> None:
    token = world.tokens[BTC].address
    world.open(person("alice"), 5)
    world.do(world.vault, "setCap", token, E8)
    world.deposit_spot(0, BTC, E8)
    world.give(world.tokens[BTC], ALICE, 1)
    with refused("CapExceeded", token.lower(), E8 + 1, E8):
        world.vault.transact("depositSpot", 0, BTC, 1, world.portfolios[0], caller=ALICE)
    world.do(world.vault, "withdrawSpot", 0, BTC, E8, ALICE, world.portfolios[0], b"", by=ALICE)
    world.deposit_spot(0, BTC, E8)


def test_only_the_admin_sets_caps(world: World) -> None:
    for caller in (STRANGER, ALICE):
        with refused_as(UNAUTHORISED):
            world.vault.transact("setCap", world.usd.address, 1, caller=caller)


def test_a_leaf_says_nothing_to_the_full_rung(traders: World) -> None:
    """A quorum that signed too much: the leaf pays, the full rung does not."""
    traders.advance()
    header = traders.snapshot()
    traders.leaves[0] = replace(traders.leaves[0], portfolio_value=0, initial_margin=0)
    lying = replace(header, leaf_root=root([leaf.struct_hash() for leaf in traders.leaves]))
    traders.submit(lying)
    true, told = allowed_e8(traders, 0), traders.cash[0]
    assert true < told
    with refused("WithdrawalAboveAllowed", true // 100 * 100 + 100, true):
        withdraw(traders, 0, true // 100 + 1)
    on_leaf(traders, 0, true // 100 + 1)
