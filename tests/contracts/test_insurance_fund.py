"""The fund pays what accounts without positions owe, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from evm.machine import ADMIN, STRANGER, Contract, refused

from . import setting
from .world import World, person

HOUSE = "0x" + "40" * 20
"""Moves cash between accounts as the liquidation house would."""
E8 = setting.E8
USD = 10**6
CENT_E8 = 10**6
RETURNS_NOTHING = 1


@dataclass
class Stage:
    """A rich account, one that owes, and a fund."""

    world: World
    fund: Contract
    rich: int
    poor: int

    def owe(self, amount_e8: int) -> None:
        """Let the poor account owe so much."""
        self.world.do(
            self.world.vault,
            "transferCash",
            self.poor,
            self.rich,
            amount_e8 + self.world.cash[self.poor],
            by=HOUSE,
        )

    def give(self, amount: int) -> None:
        self.world.usd.transact("mint", self.fund.address, amount)

    def held(self) -> int:
        balance: int = self.world.usd.call("balanceOf", self.fund.address)
        return balance


def staged(decimals: int | None = None) -> Stage:
    world = World(HOUSE, None if decimals is None else ("StrangeToken", decimals))
    rich, poor = world.open(person("rich")), world.open(person("poor"))
    unit = 10 ** (6 if decimals is None else decimals)
    world.deposit(rich, 1_000_000 * unit)
    fund = world.machine.deploy("InsuranceFund", world.vault.address)
    return Stage(world, fund, rich, poor)


@pytest.fixture
def stage() -> Stage:
    return staged()


def test_a_deficit_is_covered_whole(stage: Stage) -> None:
    stage.owe(70 * E8 + 1)
    stage.give(100 * USD)
    assert stage.world.do(stage.fund, "cover", stage.poor, by=STRANGER) == 70 * USD
    assert stage.world.event("DeficitCovered") == {"account": stage.poor, "amount": 70 * USD}
    # Never more than is missing: what is less than a unit of the token stays.
    assert stage.world.cash[stage.poor] == -1
    assert stage.held() == 30 * USD
    with refused("NothingToCover", stage.poor, 1):
        stage.fund.transact("cover", stage.poor)
    stage.world.check()


def test_a_fund_gives_what_it_has(stage: Stage) -> None:
    stage.owe(70 * E8)
    with refused("NothingToCover", stage.poor, 70 * E8):
        stage.fund.transact("cover", stage.poor)
    stage.give(30 * USD)
    stage.world.do(stage.fund, "cover", stage.poor)
    assert (stage.world.cash[stage.poor], stage.held()) == (-40 * E8, 0)
    stage.give(50 * USD)
    stage.world.do(stage.fund, "cover", stage.poor)
    assert (stage.world.cash[stage.poor], stage.held()) == (0, 10 * USD)
    with refused("NothingToCover", stage.poor, 0):
        stage.fund.transact("cover", stage.poor)
    with refused("NothingToCover", stage.rich, 0):
        stage.fund.transact("cover", stage.rich)


def test_an_account_with_positions_is_not_covered(stage: Stage) -> None:
    world = stage.world
    world.deposit_spot(stage.poor, setting.BTC, E8)
    stage.owe(10 * E8)
    stage.give(100 * USD)
    with refused("PositionsOpen", stage.poor):
        stage.fund.transact("cover", stage.poor)
    with refused("UnknownAccount", 99):
        stage.fund.transact("cover", 99)


def test_a_frozen_account_is_covered(stage: Stage) -> None:
    stage.world.do(stage.world.ledger, "setFrozen", stage.poor, True, by=HOUSE)
    stage.owe(10 * E8)
    stage.give(100 * USD)
    stage.world.do(stage.fund, "cover", stage.poor)
    assert stage.world.cash[stage.poor] == 0


@pytest.mark.parametrize(
    ("decimals", "owed", "paid"), [(2, 3 * CENT_E8 + 1, 3), (24, E8 + 1, 10**24 + 10**16)]
)
def test_tokens_of_other_decimals(decimals: int, owed: int, paid: int) -> None:
    stage = staged(decimals)
    stage.owe(owed)
    # Dust that no whole E8 is made of stays in the fund.
    stage.give(2 * paid + 7)
    stage.world.usd.transact("setHabit", RETURNS_NOTHING)
    assert stage.world.do(stage.fund, "cover", stage.poor) == paid
    assert stage.held() == paid + 7


def test_a_fund_with_dust_alone_gives_nothing() -> None:
    stage = staged(24)
    stage.owe(E8)
    stage.give(10**16 - 1)
    with refused("NothingToCover", stage.poor, E8):
        stage.fund.transact("cover", stage.poor)
    stage.give(2)
    assert stage.world.do(stage.fund, "cover", stage.poor) == 10**16
    assert stage.held() == 1


def test_nothing_is_left_to_the_vault(stage: Stage) -> None:
    stage.owe(10 * E8)
    stage.give(10 * USD)
    stage.world.do(stage.fund, "cover", stage.poor, by=ADMIN)
    allowance = stage.world.usd.call("allowance", stage.fund.address, stage.world.vault.address)
    assert (allowance, stage.held()) == (0, 0)
