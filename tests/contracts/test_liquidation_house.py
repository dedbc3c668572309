"""Margin calls and slices: attacks 26 to 28, and the accounts they must end well for."""

from __future__ import annotations

from typing import Any

import pytest

from evm.machine import Machine, refused
from marginproof.spec.hashing import keccak
from marginproof.spec.portfolio import decode_portfolio

from . import setting
from .setting import BTC, BTC_CALL, BTC_PERP, BTC_SPOT, DISCOUNT, DUST, E8, ETH_PERP, MAX_SLICE, WAD, book
from .world import World, person

SPOT = setting.SPOTS[BTC]
ALICE, BOB, CAROL = (person(name).address for name in ("alice", "bob", "carol"))
FUNDS = 2
"""Carol's account, which pays for slices."""


def traders(world: World, alice: int) -> World:
    """Alice is 0, Bob 1 with plenty, Carol's funds 2."""
    world.open(person("alice"), alice)
    world.open(person("bob"), 50_000_000)
    world.open(person("carol"), 5_000_000)
    world.post()
    return world


def long_perpetuals(world: World) -> World:
    """Alice is long five perpetuals on 100,000 dollars; at 85,000 her equity is 25,000 and 63,750 are required."""
    traders(world, 100_000)
    world.trade(0, 1, BTC_PERP, 5 * E8, SPOT)
    world.move(btc=85_000)
    return world


def short_strangle(world: World) -> World:
    """Alice is short calls and perpetuals of two underlyings, against coins, and the market rises."""
    traders(world, 60_000)
    world.deposit_spot(0, BTC, E8)
    world.trade(1, 0, BTC_CALL, 4 * E8 + 1, world.mark(BTC_CALL))
    world.trade(1, 0, BTC_PERP, E8 + 3, SPOT)
    world.trade(1, 0, ETH_PERP, 7, setting.SPOTS[setting.ETH])
    world.move(btc=128_000)
    return world


def call(world: World, account: int = 0, choices: bytes | None = None) -> None:
    picked = world.choices(account) if choices is None else choices
    world.do(world.house, "callMargin", account, world.portfolios[account], world.market_bytes(), picked)


def slice_(
    world: World, fraction: int = MAX_SLICE, cash_in: int = 10**6 * E8, by: str = CAROL, **change: Any
) -> int:
    """Liquidate a slice of account 0; returns the fresh account."""
    account, funds = change.get("account", 0), change.get("funds", FUNDS)
    fresh: int = world.do(
        world.house,
        "liquidate",
        account,
        funds,
        fraction,
        cash_in,
        change["portfolio"] if "portfolio" in change else world.portfolios[account],
        change["market"] if "market" in change else world.market_bytes(),
        change["choices"] if "choices" in change else world.choices(account),
        by=by,
    )
    world.owners.append(person("carol"))
    return fresh


def release(world: World) -> None:
    world.do(world.house, "release", 0, world.portfolios[0], world.market_bytes(), by=BOB)


def unhealthy(world: World) -> World:
    call(long_perpetuals(world))
    return world


# --- margin calls --------------------------------------------------------------------------------------------------


def test_unhealthy_account_is_called_by_anyone(world: World) -> None:
    long_perpetuals(world)
    call(world)
    assert world.event("MarginCalled") == {
        "account": 0,
        "equity": 25_000 * E8,
        "requirement": 63_750 * E8,
        "choices": world.choices(0),
    }
    assert world.frozen[0]
    world.check()
    with refused("AccountFrozen", 0):
        call(world)


def test_healthy_account_is_not_called_in_any_scenario(world: World) -> None:
    traders(world, 100_000)
    world.trade(0, 1, BTC_PERP, 5 * E8, SPOT)
    for scenario in range(5):
        with refused("AccountHealthy"):
            call(world, choices=bytes((BTC, scenario)))
    assert not world.frozen[0]


def test_equity_equal_to_the_requirement_is_healthy_and_one_unit_less_is_not(world: World) -> None:
    long_perpetuals(world)
    figures = world.figures(0)
    world.deposit(0, (figures.maintenance - world.equity(0)) // 100)
    assert world.equity(0) == figures.maintenance
    with refused("AccountHealthy", 0, figures.maintenance, figures.maintenance):
        call(world)
    world.move(btc=84_999)
    call(world)


def test_account_without_positions_is_healthy(world: World) -> None:
    traders(world, 0)
    with refused("AccountHealthy", 0, 0, 0):
        call(world)


def test_scenario_that_does_not_show_it_does_not_call(world: World) -> None:
    long_perpetuals(world)
    with refused("AccountHealthy", 0, 25_000 * E8, 0):
        call(world, choices=bytes((BTC, 0)))


@pytest.mark.parametrize(
    ("choices", "error"),
    [
        (b"", "WrongChoices"),
        (bytes((BTC,)), "WrongChoices"),
        (bytes((setting.ETH, 3)), "WrongChoices"),
        (bytes((BTC, 3, setting.ETH, 3)), "WrongChoices"),
        (bytes((BTC, 5)), "ScenarioOutOfRange"),
    ],
)
def test_choices_must_name_each_held_underlying(world: World, choices: bytes, error: str) -> None:
    long_perpetuals(world)
    with refused(error):
        call(world, choices=choices)
    call(world)
    with refused(error):
        slice_(world, choices=choices)


def test_calls_rest_on_the_true_portfolio_and_the_newest_market(world: World) -> None:
    unhealthy(world)
    stale = world.market_bytes()
    world.move(btc=86_000)
    market, choices = world.market_bytes(), world.choices(1)
    other, held = book({BTC_PERP: 6 * E8}), [keccak(portfolio) for portfolio in world.portfolios]
    with refused("WrongMarket"):
        world.house.transact("callMargin", 1, world.portfolios[1], stale, choices)
    with refused("WrongMarket"):
        slice_(world, market=stale)
    with refused("WrongMarket"):
        world.house.transact("release", 0, world.portfolios[0], stale)
    with refused("WrongPortfolio", 1, keccak(other), held[1]):
        world.house.transact("callMargin", 1, other, market, choices)
    with refused("WrongPortfolio", 0, keccak(other), held[0]):
        slice_(world, portfolio=other)
    with refused("WrongPortfolio", 0, keccak(other), held[0]):
        world.house.transact("release", 0, other, market)
    assert world.header is not None
    world.machine.set_time(world.header.valid_until)
    with refused("EpochExpired"):
        world.house.transact("callMargin", 1, world.portfolios[1], market, choices)
    with refused("EpochExpired"):
        slice_(world)
    with refused("EpochExpired"):
        release(world)


# --- who may liquidate, and how much -------------------------------------------------------------------------------


def test_liquidation_needs_a_call(world: World) -> None:
    long_perpetuals(world)
    with refused("NotCalled", 0):
        slice_(world)
    with refused("UnknownAccount", 99):
        slice_(world, account=99, portfolio=b"", choices=b"")


def test_attack_26_owner_does_not_liquidate_herself(world: World) -> None:
    unhealthy(world)
    world.open(person("alice"), 1_000_000)
    with refused("SelfLiquidation", 0):
        slice_(world, by=ALICE, funds=3)


def test_funding_account_is_an_own_empty_one(world: World) -> None:
    unhealthy(world)
    with refused("NotOwner", 1, CAROL.lower()):
        slice_(world, funds=1)
    with refused("PositionsOpen", 1):
        slice_(world, by=BOB, funds=1)
    world.check()


def test_frozen_account_funds_nothing(world: World) -> None:
    unhealthy(world)
    world.open(person("dave"), 100_000)
    world.trade(3, 1, BTC_PERP, 5 * E8, 85_000 * E8)
    world.move(btc=50_000)
    call(world, 3)
    slice_(world, WAD, account=3)
    assert world.portfolios[3] == b""
    assert world.frozen[3]
    with refused("AccountFrozen", 3):
        slice_(world, by=person("dave").address, funds=3)


@pytest.mark.parametrize("fraction", [MAX_SLICE + 1, WAD, WAD + 1, 2**256 - 1])
def test_slice_is_bounded(world: World, fraction: int) -> None:
    unhealthy(world)
    with refused("SliceTooLarge", fraction, MAX_SLICE):
        slice_(world, fraction)


def test_fraction_of_zero(world: World) -> None:
    unhealthy(world)
    with refused("ZeroFraction"):
        slice_(world, 0)


def test_dust_and_lost_accounts_go_at_once(world: World) -> None:
    traders(world, 100)
    world.trade(0, 1, BTC_PERP, E8 * 5 // 1_000, SPOT)
    world.move(btc=85_000)
    assert 0 < world.equity(0) < world.figures(0).maintenance < DUST
    call(world)
    with refused("SliceTooLarge", WAD + 1, WAD):
        slice_(world, WAD + 1)
    slice_(world, WAD)
    assert world.portfolios[0] == b""
    release(world)
    assert not world.frozen[0]


def test_insolvent_account_is_sold_whole_without_a_bonus(world: World) -> None:
    long_perpetuals(world)
    world.move(btc=70_000)
    debt = world.equity(0)
    assert debt < 0
    call(world)
    slice_(world, WAD)
    assert world.event("SliceSold")["bonus"] == 0
    assert world.cash[0] == debt
    with refused("StillUnhealthy", 0, debt, 0):
        release(world)
    world.check()


def test_attack_27_slice_too_small_to_move_anything_pays_nothing(world: World) -> None:
    unhealthy(world)
    with refused("EmptySlice", 0, WAD // (5 * E8) - 1):
        slice_(world, WAD // (5 * E8) - 1)
    slice_(world, WAD // (5 * E8) + 1)
    assert world.event("SliceSold")["bonus"] * 5 * E8 <= DISCOUNT * 63_750 * E8 // WAD


# --- what a slice does ---------------------------------------------------------------------------------------------


def test_slice_moves_to_a_fresh_account_for_its_value_less_the_bonus(world: World) -> None:
    unhealthy(world)
    before = list(world.cash)
    fresh = slice_(world, cash_in=100_000 * E8)
    value = 85_000 * E8 * 5 // 4
    bonus = 63_750 * E8 // 4 * 5 // 100
    assert world.event("SliceSold") == {
        "account": 0,
        "freshAccount": fresh,
        "liquidator": CAROL.lower(),
        "fraction": MAX_SLICE,
        "sliceValue": value,
        "bonus": bonus,
    }
    assert world.ledger.call("ownerOf", fresh) == CAROL.lower()
    assert world.portfolios[0] == book({BTC_PERP: E8 * 15 // 4})
    assert world.portfolios[fresh] == book({BTC_PERP: E8 * 5 // 4})
    assert world.cash[0] == before[0] + value - bonus
    assert world.cash[fresh] == 100_000 * E8
    assert world.cash[FUNDS] == before[FUNDS] - value + bonus - 100_000 * E8
    world.check()


def test_negative_slice_pays_the_funding_account(world: World) -> None:
    call(short_strangle(world))
    before = list(world.cash)
    fresh = slice_(world)
    sold = world.event("SliceSold")
    assert sold["sliceValue"] < 0
    price = sold["sliceValue"] - sold["bonus"]
    assert world.cash[0] == before[0] + price
    assert world.cash[FUNDS] == before[FUNDS] - price - world.cash[fresh]
    assert sum(world.cash) == sum(before)


@pytest.mark.parametrize("fraction", [1, 33, 10**9, 10**12, 10**17, MAX_SLICE // 3 + 1, MAX_SLICE])
@pytest.mark.parametrize("setup", [long_perpetuals, short_strangle])
def test_attack_28_health_never_falls(world: World, setup: Any, fraction: int) -> None:
    """Neither equity over requirement nor the gap between them, over all scenarios, by the specification."""
    call(setup(world))
    fraction = max(fraction, WAD // (4 * E8) + 1)
    figures, equity = world.figures(0), world.equity(0)
    slice_(world, fraction)
    after, equity_after = world.figures(0), world.equity(0)
    assert equity > 0
    assert equity_after * figures.maintenance >= equity * after.maintenance
    assert equity_after - after.maintenance >= equity - figures.maintenance
    assert equity - equity_after == world.event("SliceSold")["bonus"]
    sold = dict(decode_portfolio(world.portfolios[3]))
    rest = dict(decode_portfolio(world.portfolios[0]))
    whole = {key: sold.get(key, 0) + rest.get(key, 0) for key in sold | rest}
    assert set(rest) >= set(sold)
    assert world.figures_of(book(whole)) == figures


def test_tiny_positions_cannot_be_milked(world: World) -> None:
    """Of 7 units a quarter is 1: the requirement falls by less than the fraction, and so does the bonus."""
    traders(world, 1)
    world.trade(0, 1, BTC_PERP, 7, SPOT)
    world.post()
    spare = world.equity(0) - world.figures(0).initial
    world.do(world.vault, "withdraw", world.shown_withdrawal(0, spare // 100, ALICE), by=ALICE)
    dollars = (world.equity(0) - 3_000) // 7
    world.move(btc=100_000 - dollars)
    figures, equity = world.figures(0), world.equity(0)
    assert 0 < equity < figures.maintenance * DISCOUNT // WAD
    call(world)
    slice_(world, MAX_SLICE)
    after, equity_after = world.figures(0), world.equity(0)
    assert world.portfolios[0] == book({BTC_PERP: 6})
    assert equity_after * figures.maintenance >= equity * after.maintenance


def test_attack_27_splitting_does_not_raise_the_bonus() -> None:
    """A quarter at once, or in halves that leave the same: never more in pieces."""
    whole, pieces = World(), World()
    for world in (whole, pieces):
        unhealthy(world)
    slice_(whole, MAX_SLICE)
    at_once = whole.event("SliceSold")["bonus"]
    paid = 0
    kept = WAD
    for step in range(1, 6):
        target = WAD - MAX_SLICE * step // 5
        slice_(pieces, (kept - target) * WAD // kept, 100_000 * E8)
        paid += pieces.event("SliceSold")["bonus"]
        kept = target
    assert paid <= at_once
    assert len(decode_portfolio(pieces.portfolios[0])) == 1


def test_slice_that_carries_its_own_margin_needs_no_cash(world: World) -> None:
    unhealthy(world)
    fresh = slice_(world, cash_in=0)
    assert world.cash[fresh] == 0
    assert world.equity(fresh) > world.figures(fresh).initial


def test_fresh_account_below_initial_margin(world: World) -> None:
    call(short_strangle(world))
    with refused("BelowInitialMargin"):
        slice_(world, cash_in=E8)
    assert world.ledger.call("accountCount") == 3
    world.check()


def test_attack_24_fresh_account_in_cash_deficit() -> None:
    """A slice with coins has equity of its own; the cash it owes must come along."""
    world = World()
    traders(world, 1)
    world.deposit_spot(0, BTC, 20 * E8)
    world.trade(1, 0, BTC_PERP, 90 * E8, SPOT)
    world.move(btc=126_000)
    assert 0 < world.equity(0) < world.figures(0).maintenance
    call(world)
    figures = world.figures_of(book({BTC_SPOT: 5 * E8, BTC_PERP: -90 * E8 // 4}))
    need = max(-(figures.value - figures.spot_value), figures.initial - figures.value)
    world.deposit(FUNDS, 10**13)
    with refused("CashDeficit" if need == -(figures.value - figures.spot_value) else "BelowInitialMargin"):
        slice_(world, cash_in=need - 1)
    slice_(world, cash_in=need)


def test_funding_account_does_not_go_below_zero(world: World) -> None:
    unhealthy(world)
    price = 85_000 * E8 * 5 // 4 - 63_750 * E8 // 4 * 5 // 100
    most = world.cash[FUNDS] - price
    with refused("CashDeficit", FUNDS, 1):
        slice_(world, cash_in=most + 1)
    slice_(world, cash_in=most)
    assert world.cash[FUNDS] == 0


# --- the end of it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setup", [long_perpetuals, short_strangle])
def test_liquidation_ends_when_healthy_and_releases(world: World, setup: Any) -> None:
    call(setup(world))
    world.deposit(FUNDS, 10**14)
    for _ in range(40):
        if world.equity(0) >= world.figures(0).maintenance:
            break
        with refused("StillUnhealthy"):
            release(world)
        slice_(world)
    else:
        raise AssertionError("forty slices did not restore health")
    figures = world.figures(0)
    with refused("AccountHealthy", 0, world.equity(0), figures.maintenance):
        slice_(world)
    release(world)
    assert world.event("Released") == {"account": 0}
    assert world.portfolios[0]
    assert not world.frozen[0]
    world.check()


def test_deposit_restores_health(world: World) -> None:
    unhealthy(world)
    short = world.figures(0).maintenance - world.equity(0)
    world.deposit(0, short // 100 - 1)
    with refused("StillUnhealthy", 0, 63_750 * E8 - 100, 63_750 * E8):
        release(world)
    world.deposit(0, 1)
    with refused("AccountHealthy", 0, 63_750 * E8, 63_750 * E8):
        slice_(world)
    release(world)
    world.trade(1, 0, BTC_PERP, E8, 85_000 * E8)


def test_release_needs_a_call(world: World) -> None:
    long_perpetuals(world)
    with refused("NotCalled", 0):
        release(world)


def test_liquidation_is_deterministic() -> None:
    outcomes = []
    for _ in range(2):
        world = World()
        call(short_strangle(world))
        slice_(world, 123_456_789_012_345_678)
        outcomes.append((world.cash, world.portfolios, world.event("SliceSold")))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("parameters", "values"),
    [
        ((WAD + 1, MAX_SLICE, DUST), ("discount", WAD + 1, 0, WAD)),
        ((DISCOUNT, 0, DUST), ("maxSlice", 0, 1, WAD)),
        ((DISCOUNT, WAD + 1, DUST), ("maxSlice", WAD + 1, 1, WAD)),
        ((DISCOUNT, MAX_SLICE, 10**16 + 1), ("dust", 10**16 + 1, 0, 10**16)),
    ],
)
def test_parameters_out_of_range(parameters: tuple[int, int, int], values: tuple[str, int, int, int]) -> None:
    with refused("OutOfRange", *values):
        Machine().deploy("LiquidationHouse", *["0x" + "11" * 20] * 3, *parameters)
