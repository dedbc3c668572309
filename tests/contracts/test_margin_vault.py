"""Tokens in and out: attacks 8 to 12 on leaves, 21, 22 and 25 on tokens, 23 and 24 on what may be withdrawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evm.machine import ADMIN, STRANGER, Contract, ContractRefused, refused
from marginproof.spec.hashing import keccak
from marginproof.spec.tree import root, tree_levels
from marginproof.spec.typed_data import Leaf

from . import setting
from .refusals import FAILED_TRANSFER, NO_ROOM, REENTERED, UNAUTHORISED, UNAVAILABLE, refused_as
from .setting import BTC, BTC_CALL, BTC_PERP, BTC_SPOT, E8, ETH, ETH_SPOT, book
from .world import World, person

ALICE = person("alice").address
BOB = person("bob").address
CENT = E8 // 100


@pytest.fixture
def traders(world: World) -> World:
    """Alice is 0 and Bob 1, with a million dollars each, and an epoch."""
    world.open(person("alice"), 1_000_000)
    world.open(person("bob"), 1_000_000)
    world.post()
    return world


@pytest.fixture
def positioned(traders: World) -> World:
    """Alice sold Bob ten calls at their value; an epoch with both leaves."""
    traders.trade(1, 0, BTC_CALL, 10 * E8, traders.mark(BTC_CALL))
    traders.post()
    return traders


def withdraw(world: World, account: int, amount: int, by: str = ALICE, **changes: Any) -> None:
    """On the account's true leaf, unless changed."""
    leaf = replace(world.leaves[account], **changes)
    world.do(world.vault, "withdraw", world.shown_withdrawal(account, amount, by, leaf), by=by)


def show(world: World, account: int, proof: list[bytes], leaf: Leaf | None = None) -> None:
    """The account's owner shows Alice's leaf, or another, with these siblings, and asks for a unit."""
    owner = world.owners[account].address
    shown = world.shown_withdrawal(account, 1, owner, leaf or world.leaves[0], proof)
    world.vault.transact("withdraw", shown, caller=owner)


def allowed_e8(world: World, account: int) -> int:
    """What the protocol page allows."""
    figures, cash = world.figures(account), world.cash[account]
    return max(0, min(cash + figures.value - figures.initial, cash + figures.value - figures.spot_value))


# --- cash ----------------------------------------------------------------------------------------------------------


def test_deposit_credits_what_came_in(world: World) -> None:
    world.open(person("alice"))
    world.give(world.usd, STRANGER, 7)
    world.do(world.vault, "depositCash", 0, 7, by=STRANGER)
    token = world.usd.address.lower()
    assert world.event("Deposited") == {"account": 0, "token": token, "from": STRANGER, "amount": 7}
    assert world.event("CashChanged") == {"account": 0, "cash": 700}
    assert world.usd.call("balanceOf", world.vault.address) == 7
    world.check()


def test_bad_deposits(world: World) -> None:
    with refused("UnknownAccount", 0):
        world.vault.transact("depositCash", 0, 1)
    world.open(person("alice"))
    with refused("ZeroAmount"):
        world.vault.transact("depositCash", 0, 0, caller=ALICE)
    with refused_as("ERC20InsufficientAllowance(address,uint256,uint256)"):
        world.vault.transact("depositCash", 0, 1, caller=ALICE)


def test_account_without_positions_withdraws_all_without_an_epoch(world: World) -> None:
    world.open(person("alice"), 5)
    with refused("WithdrawalAboveAllowed", 5 * E8 + 100, 5 * E8):
        world.vault.transact("withdrawUnencumbered", 0, 5_000_001, ALICE, caller=ALICE)
    world.do(world.vault, "withdrawUnencumbered", 0, 5_000_000, BOB, by=ALICE)
    assert world.event("CashWithdrawn") == {"account": 0, "cash": 0}
    paid = {"from": world.vault.address.lower(), "to": BOB.lower(), "value": 5_000_000}
    assert world.event("Transfer") == paid
    assert world.usd.call("balanceOf", BOB) == 5_000_000
    assert world.cash == [0]


def test_positions_close_the_door_without_leaf(positioned: World) -> None:
    with refused("PositionsOpen", 0):
        positioned.vault.transact("withdrawUnencumbered", 0, 1, ALICE, caller=ALICE)


@pytest.mark.parametrize("account", [0, 1])
def test_withdrawal_up_to_the_last_unit_allowed(positioned: World, account: int) -> None:
    owner = (ALICE, BOB)[account]
    allowed = allowed_e8(positioned, account)
    assert 0 < allowed < positioned.cash[account] + 10**12
    most = allowed // 100
    with refused("WithdrawalAboveAllowed", (most + 1) * 100, allowed):
        withdraw(positioned, account, most + 1, owner)
    withdraw(positioned, account, most, owner)
    assert positioned.usd.call("balanceOf", owner) == most
    assert allowed_e8(positioned, account) == allowed - most * 100
    with refused("WithdrawalAboveAllowed"):
        withdraw(positioned, account, 1, owner)


def test_attack_23_spot_collateral_does_not_turn_into_cash(traders: World) -> None:
    """A gain on the short perpetual may leave; the value of coins that offset its loss may not."""
    traders.deposit_spot(0, BTC, 20 * E8)
    traders.trade(1, 0, BTC_PERP, 10 * E8, setting.SPOTS[BTC])
    traders.move(btc=150_000)
    figures, cash = traders.figures(0), traders.cash[0]
    assert cash + figures.value - figures.initial > cash + figures.value - figures.spot_value
    limit = cash + figures.value - figures.spot_value
    with refused("WithdrawalAboveAllowed", limit + 100, limit):
        withdraw(traders, 0, limit // 100 + 1)
    withdraw(traders, 0, limit // 100)


def test_nothing_is_allowed_below_margin(positioned: World) -> None:
    positioned.move(btc=200_000)
    assert positioned.equity(0) < positioned.figures(0).initial
    with refused("WithdrawalAboveAllowed", 100, 0):
        withdraw(positioned, 0, 1)


def test_zero_is_no_withdrawal(positioned: World) -> None:
    with refused("ZeroAmount"):
        withdraw(positioned, 0, 0)
    positioned.open(person("carol"))
    carol = person("carol").address
    with refused("ZeroAmount"):
        positioned.vault.transact("withdrawUnencumbered", 2, 0, carol, caller=carol)


def test_only_the_owner_withdraws(positioned: World) -> None:
    with refused("NotOwner", 0, BOB.lower()):
        withdraw(positioned, 0, 1, BOB)
    with refused("NotOwner", 0, ADMIN):
        positioned.vault.transact("withdrawUnencumbered", 0, 1, ADMIN)
    with refused("NotOwner", 0, BOB.lower()):
        positioned.vault.transact("withdrawSpot", 0, BTC, 1, BOB, b"", b"", caller=BOB)
    with refused("NotOwner", 0, BOB.lower()):
        positioned.vault.transact("depositSpot", 0, BTC, 1, b"", caller=BOB)


def test_expired_epoch_pays_nothing(positioned: World) -> None:
    assert positioned.header is not None
    positioned.machine.set_time(positioned.header.valid_until)
    with refused("EpochExpired"):
        withdraw(positioned, 0, 1)


# --- leaves --------------------------------------------------------------------------------------------------------


def test_attack_10_leaf_of_another_account(positioned: World) -> None:
    """The figures of Bob's leaf, with his siblings and with her own."""
    for proof in (positioned.leaf(1)[1], positioned.leaf(0)[1]):
        with refused("WrongRoot"):
            show(positioned, 0, proof, positioned.leaves[1])


@pytest.mark.parametrize(
    "change",
    [
        {"portfolio_value": 10**18},
        {"spot_value": -(10**18)},
        {"initial_margin": 0},
        {"maintenance_margin": 0},
        {"worst_scenarios": b""},
    ],
)
def test_altered_leaf(positioned: World, change: dict[str, Any]) -> None:
    with refused("WrongRoot"):
        withdraw(positioned, 0, 1, **change)


def test_attack_10_leaf_of_an_earlier_epoch(positioned: World) -> None:
    leaf, (_, proof) = positioned.leaves[0], positioned.leaf(0)
    positioned.move(btc=101_000)
    with refused("WrongRoot"):
        show(positioned, 0, proof, leaf)


def test_leaf_older_than_the_portfolio(positioned: World) -> None:
    positioned.trade(1, 0, BTC_CALL, 1, 1)
    now = keccak(positioned.portfolios[0])
    shown = replace(positioned.leaves[0], portfolio_hash=now).struct_hash()
    found = keccak(shown + positioned.leaf(0)[1][0])
    with refused("WrongRoot", found, root([leaf.struct_hash() for leaf in positioned.leaves])):
        withdraw(positioned, 0, 1)
    positioned.post()
    withdraw(positioned, 0, 1)


def test_leaf_survives_a_deposit(positioned: World) -> None:
    allowed = allowed_e8(positioned, 0)
    positioned.deposit(0, 10**6)
    withdraw(positioned, 0, (allowed + E8) // 100)


def test_account_younger_than_the_epoch_has_no_leaf(positioned: World) -> None:
    positioned.open(person("carol"), 10)
    _, proof = positioned.leaf(0)
    with refused("LeafOutOfRange", 2, 2):
        show(positioned, 2, proof)


def test_attack_8_inner_node_offered_as_leaf(positioned: World) -> None:
    """With four leaves, account 0 offers a proof one level short, as if a node over two leaves were its leaf."""
    positioned.open(person("carol"))
    positioned.open(person("dave"))
    positioned.post()
    levels = tree_levels([leaf.struct_hash() for leaf in positioned.leaves])
    _, proof = positioned.leaf(0)
    with refused("BadProofLength", 1, 2):
        show(positioned, 0, [levels[1][1]])
    with refused("BadProofLength", 3, 2):
        show(positioned, 0, [*proof, levels[1][1]])


def test_attack_9_empty_proof_suffices_only_for_the_only_leaf(world: World) -> None:
    world.open(person("alice"), 5)
    world.post()
    assert world.leaf(0)[1] == []
    for given in ([bytes(32)], [world.leaves[0].struct_hash()]):
        with refused("BadProofLength", 1, 0):
            show(world, 0, given)
    withdraw(world, 0, 5 * 10**6)


def test_attack_9_leaf_that_stands_in_two_places(positioned: World) -> None:
    """A tree in which Bob's place repeats Alice's leaf gives him nothing: a leaf is of its account."""
    positioned.advance()
    header = positioned.snapshot()
    leaf = positioned.leaves[0]
    hashes = [leaf.struct_hash()] * 2
    positioned.submit(replace(header, leaf_root=root(hashes)))
    with refused("WrongRoot"):
        show(positioned, 1, hashes[:1], leaf)
    with refused("WrongRoot"):
        withdraw(positioned, 1, 1, BOB)


def test_attack_11_trailing_calldata_changes_nothing(positioned: World) -> None:
    data = positioned.vault.encode("withdraw", positioned.shown_withdrawal(0, 10, BOB))
    before = positioned.cash[0]
    positioned.machine.raw(positioned.vault.address, data + bytes(31) + b"\x01", ALICE, keep=True)
    assert positioned.vault.call("cash", 0) == before - 1_000
    # Cut short, or with its place or length beyond what there is, it is no call at all.
    for broken in (data[:-32], data[:4] + b"\x01" + data[5:], data[:36] + b"\x01" + data[37:]):
        with pytest.raises(ContractRefused) as caught:
            positioned.machine.raw(positioned.vault.address, broken, ALICE)
        assert caught.value.name == "empty"


def test_attack_11_shown_leaf_of_any_other_length(positioned: World) -> None:
    """Cut anywhere, or with more at its end: less than a sibling is refused by its length, a sibling by the proof's."""
    shown = positioned.shown_withdrawal(0, 1, ALICE)
    assert len(shown) == 45 + 48 + 2 + 32
    for length in (0, 1, 8, 44, 45, 92, 93, 94, 96, len(shown) - 1):
        with refused("WrongLeafLength", length):
            positioned.vault.transact("withdraw", shown[:length], caller=ALICE)
    for more in (1, 2, 31):
        with refused("WrongLeafLength", len(shown) + more):
            positioned.vault.transact("withdraw", shown + bytes(more), caller=ALICE)
    with refused("BadProofLength", 2, 1):
        positioned.vault.transact("withdraw", shown + bytes(32), caller=ALICE)
    # A count of underlyings that takes the siblings for pairs, or a pair for siblings.
    for count in (0, 2, 17, 255):
        with pytest.raises(ContractRefused):
            positioned.vault.transact("withdraw", shown[:44] + bytes((count,)) + shown[45:], caller=ALICE)
    positioned.vault.transact("withdraw", shown, caller=ALICE)


def test_attack_11_worst_scenarios_are_part_of_the_leaf(positioned: World) -> None:
    """What the delta guard is asked about cannot be shortened, padded or exchanged."""
    worst = positioned.leaves[0].worst_scenarios
    for given in (b"", worst[:1] + b"\xff", worst + worst):
        with refused("WrongRoot"):
            withdraw(positioned, 0, 1, worst_scenarios=given)
    with refused("SpotUnknown", 0):
        withdraw(positioned, 0, 1, worst_scenarios=worst + b"\0\0")
    with refused("TooManyUnderlyings", 18):
        withdraw(positioned, 0, 1, worst_scenarios=worst * 9)


def test_leaves_are_the_vaults_to_use(positioned: World) -> None:
    for caller in (ADMIN, ALICE, STRANGER):
        with refused("NotConnected", caller.lower()):
            positioned.epochs.transact("releaseCash", 1, bytes(32), caller=caller)
        with refused("NotConnected", caller.lower()):
            positioned.epochs.transact("pauseLeaves", False, caller=caller)


def test_attack_9_empty_and_zero_proofs(positioned: World) -> None:
    with refused("BadProofLength", 0, 1):
        show(positioned, 0, [])
    with refused("WrongRoot"):
        show(positioned, 0, [bytes(32)])
    with refused("WrongRoot"):
        show(positioned, 0, positioned.leaf(0)[1], Leaf(0, bytes(32), 0, 0, 0, 0, b""))


# --- spot ----------------------------------------------------------------------------------------------------------


def test_spot_collateral_comes_in_and_goes_out(traders: World) -> None:
    traders.deposit_spot(0, ETH, 3 * E8)
    traders.deposit_spot(0, BTC, 2 * E8)
    assert traders.portfolios[0] == book({BTC_SPOT: 2 * E8, ETH_SPOT: 3 * E8})
    assert traders.tokens[ETH].call("balanceOf", traders.vault.address) == 3 * 10**18
    args = (0, ETH, 10**18, BOB, traders.portfolios[0], traders.market_bytes())
    traders.do(traders.vault, "withdrawSpot", *args, by=ALICE)
    assert traders.event("Withdrawn")["amount"] == 10**18
    assert traders.portfolios[0] == book({BTC_SPOT: 2 * E8, ETH_SPOT: 2 * E8})
    assert traders.tokens[ETH].call("balanceOf", BOB) == 10**18
    traders.check()


def test_last_spot_leaves_without_an_epoch_and_more_never(world: World) -> None:
    world.open(person("alice"))
    world.deposit_spot(0, BTC, E8)
    with refused("NoEpoch"):
        world.vault.transact("withdrawSpot", 0, BTC, E8 - 1, ALICE, world.portfolios[0], b"", caller=ALICE)
    world.do(world.vault, "withdrawSpot", 0, BTC, E8, ALICE, world.portfolios[0], b"", by=ALICE)
    assert world.portfolios == [b""]
    assert world.tokens[BTC].call("balanceOf", ALICE) == E8


def test_spot_beyond_what_is_held(traders: World) -> None:
    traders.deposit_spot(0, BTC, E8)
    market = traders.market_bytes()
    with refused("SpotShort", 0, BTC_SPOT, -1):
        traders.vault.transact(
            "withdrawSpot", 0, BTC, E8 + 1, ALICE, traders.portfolios[0], market, caller=ALICE
        )
    with refused("SpotShort", 0, ETH_SPOT, -1):
        traders.vault.transact(
            "withdrawSpot", 0, ETH, 10**10, ALICE, traders.portfolios[0], market, caller=ALICE
        )


def test_spot_that_margin_needs_stays(traders: World) -> None:
    """Short ten perpetuals against ten coins: without the coins the account cannot carry them."""
    traders.deposit_spot(0, BTC, 10 * E8)
    traders.trade(1, 0, BTC_PERP, 10 * E8, setting.SPOTS[BTC])
    traders.post()
    withdraw(traders, 0, allowed_e8(traders, 0) // 100)
    with refused("BelowInitialMargin"):
        traders.vault.transact(
            "withdrawSpot", 0, BTC, 9 * E8, ALICE, traders.portfolios[0], traders.market_bytes(), caller=ALICE
        )
    traders.check()


def test_unknown_collateral(traders: World) -> None:
    for name, more in (("depositSpot", (b"",)), ("withdrawSpot", (ALICE, b"", traders.market_bytes()))):
        with refused("NoCollateral", 3):
            traders.vault.transact(name, 0, 3, E8, *more, caller=ALICE)


def test_amount_finer_than_cash_and_quantities(traders: World) -> None:
    with refused("AmountNotRepresentable", 10**10 + 1, 10**10):
        traders.vault.transact("depositSpot", 0, ETH, 10**10 + 1, b"", caller=ALICE)
    with refused("ZeroAmount"):
        traders.vault.transact("depositSpot", 0, ETH, 0, b"", caller=ALICE)


def test_spot_quantity_beyond_the_greatest(traders: World) -> None:
    with refused("QuantityOutOfRange", BTC_SPOT, 10**16 + 1):
        traders.vault.transact("depositSpot", 0, BTC, 10**16 + 1, b"", caller=ALICE)


def test_attack_12_spot_with_portfolio_bytes_that_are_not_the_accounts(traders: World) -> None:
    held = book({BTC_SPOT: E8})
    traders.deposit_spot(0, BTC, E8)
    for given in (b"", held + held, held[:11], book({BTC_SPOT: 2 * E8})):
        with refused("WrongPortfolio", 0, keccak(given), keccak(held)):
            traders.vault.transact("depositSpot", 0, BTC, E8, given, caller=ALICE)
        with refused("WrongPortfolio", 0, keccak(given), keccak(held)):
            traders.vault.transact(
                "withdrawSpot", 0, BTC, E8, ALICE, given, traders.market_bytes(), caller=ALICE
            )


def test_collateral_is_set_once_by_the_admin(world: World) -> None:
    token = world.usd.address
    with refused("CollateralAlreadySet", BTC):
        world.vault.transact("setCollateral", BTC, token)
    with refused_as(UNAUTHORISED):
        world.vault.transact("setCollateral", 3, token, caller=STRANGER)
    world.do(world.vault, "setCollateral", 3, token)
    assert world.event("CollateralSet") == {"underlying": 3, "token": token.lower(), "decimals": 6}
    assert world.vault.call("collateral", 3) == token.lower()
    for nothing in (STRANGER, world.epochs.address):
        with refused("NotAToken", nothing.lower()):
            world.vault.transact("setCollateral", 4, nothing)
    finest = world.machine.deploy("TestToken", "Finest", "FIN", 37)
    with refused("TooManyDecimals", finest.address.lower(), 37):
        world.vault.transact("setCollateral", 4, finest.address)


# --- who may move cash ---------------------------------------------------------------------------------------------


def test_only_the_house_moves_cash(traders: World) -> None:
    for caller in (ADMIN, STRANGER, ALICE):
        with refused("NotConnected", caller.lower()):
            traders.vault.transact("transferCash", 1, 0, 1, caller=caller)
    traders.check()


def test_house_moves_cash_but_makes_none() -> None:
    house = "0x" + "40" * 20
    world = World(house=house)
    world.open(person("alice"), 3)
    world.open(person("bob"), 3)
    world.do(world.vault, "transferCash", 0, 1, E8, by=house)
    world.do(world.vault, "transferCash", 0, 1, -3 * E8, by=house)
    assert world.cash == [5 * E8, E8]
    world.check()


# --- strange tokens: attack 22 -------------------------------------------------------------------------------------

NONE, RETURNS_NOTHING, RETURNS_FALSE, TAKES_FEE, TAKES_FROM_SENDER, REVERTS, CALLS_BACK, BLOCKS, NO_ZERO = (
    range(9)
)
COIN = 3
"""An underlying whose collateral is a strange token."""


def strange(habit: int, decimals: int = 6) -> tuple[World, Contract]:
    """A world that settles in a strange token; Alice is 0 and holds 1,000 units that the vault may take."""
    world = World(settlement=("StrangeToken", decimals))
    world.open(person("alice"))
    world.give(world.usd, ALICE, 1_000 * 10**decimals)
    world.usd.transact("setHabit", habit)
    return world, world.usd


def with_coin(habit: int, decimals: int = 8) -> tuple[World, Contract]:
    """A world that takes a strange token as collateral; Alice is 0, holds 1,000 coins that the vault may take, and has a little cash."""
    world = World()
    coin = world.machine.deploy("StrangeToken", decimals)
    world.vault.transact("setCollateral", COIN, coin.address)
    world.open(person("alice"), 1)
    world.give(coin, ALICE, 1_000 * 10**decimals)
    coin.transact("setHabit", habit)
    return world, coin


def test_attack_22_token_without_return_value_works() -> None:
    world, token = strange(RETURNS_NOTHING)
    world.do(world.vault, "depositCash", 0, 10, by=ALICE)
    world.do(world.vault, "withdrawUnencumbered", 0, 4, BOB, by=ALICE)
    assert world.cash == [600]
    assert token.call("balanceOf", BOB) == 4


def test_attack_22_false_returning_token_is_refused() -> None:
    world, token = strange(RETURNS_FALSE)
    with refused_as(FAILED_TRANSFER):
        world.vault.transact("depositCash", 0, 10, caller=ALICE)
    token.transact("setHabit", NONE)
    world.do(world.vault, "depositCash", 0, 10, by=ALICE)
    token.transact("setHabit", RETURNS_FALSE)
    with refused_as(FAILED_TRANSFER):
        world.vault.transact("withdrawUnencumbered", 0, 10, ALICE, caller=ALICE)
    world.check()


def test_attack_22_fee_taking_token_is_refused() -> None:
    world, token = strange(TAKES_FEE)
    with refused("TransferShort", 1_000, 990):
        world.vault.transact("depositCash", 0, 1_000, caller=ALICE)
    token.transact("setHabit", NONE)
    world.do(world.vault, "depositCash", 0, 1_000, by=ALICE)
    token.transact("setHabit", TAKES_FROM_SENDER)
    with refused("TransferShort", 100, 101):
        world.vault.transact("withdrawUnencumbered", 0, 100, ALICE, caller=ALICE)
    with refused_as(NO_ROOM):
        world.vault.transact("withdrawUnencumbered", 0, 1_000, ALICE, caller=ALICE)
    world.check()
    assert token.call("balanceOf", world.vault.address) == 1_000


def test_attack_22_reverting_token_loses_nothing() -> None:
    world, token = strange(NONE)
    world.do(world.vault, "depositCash", 0, 10, by=ALICE)
    token.transact("setHabit", REVERTS)
    with refused_as(UNAVAILABLE):
        world.vault.transact("depositCash", 0, 10, caller=ALICE)
    with refused_as(UNAVAILABLE):
        world.vault.transact("withdrawUnencumbered", 0, 10, ALICE, caller=ALICE)
    world.check()
    assert world.cash == [1_000]


def test_attack_22_token_that_tells_no_balance_is_refused_by_name() -> None:
    world, token = strange(NONE)
    world.do(world.vault, "depositCash", 0, 10, by=ALICE)
    world.machine.empty(token)
    with refused_as(FAILED_TRANSFER):
        world.vault.transact("depositCash", 0, 10, caller=ALICE)
    with refused_as(FAILED_TRANSFER):
        world.vault.transact("withdrawUnencumbered", 0, 10, ALICE, caller=ALICE)
    assert world.vault.call("cash", 0) == 1_000


def test_attack_22_token_that_calls_back_finds_the_door_closed() -> None:
    world, token = strange(NONE)
    world.do(world.vault, "depositCash", 0, 10, by=ALICE)
    token.transact("setHabit", CALLS_BACK)
    for name, args in (
        ("depositCash", (0, 1)),
        ("withdrawUnencumbered", (0, 10, ALICE)),
        ("depositSpot", (0, BTC, 1, b"")),
        ("withdrawSpot", (0, BTC, 1, ALICE, b"", b"")),
        ("withdraw", (bytes(93),)),
        ("withdrawFull", (0, 1, ALICE, b"", b"")),
    ):
        token.transact("setCallBack", world.vault.address, world.vault.encode(name, *args))
        with refused_as(REENTERED):
            world.vault.transact("withdrawUnencumbered", 0, 5, ALICE, caller=ALICE)
        with refused_as(REENTERED):
            world.vault.transact("depositCash", 0, 5, caller=ALICE)
    world.check()


@pytest.mark.parametrize(
    ("decimals", "amount", "cash"), [(0, 3, 3 * E8), (8, 3, 3), (18, 3 * 10**10, 3), (24, 10**16, 1)]
)
def test_attack_22_decimals(decimals: int, amount: int, cash: int) -> None:
    world, token = strange(NONE, decimals)
    world.do(world.vault, "depositCash", 0, amount, by=ALICE)
    assert world.cash == [cash]
    if decimals > 8:
        with refused("AmountNotRepresentable", amount + 1, 10 ** (decimals - 8)):
            world.vault.transact("depositCash", 0, amount + 1, caller=ALICE)
        with refused("AmountNotRepresentable", amount - 1, 10 ** (decimals - 8)):
            world.vault.transact("withdrawUnencumbered", 0, amount - 1, ALICE, caller=ALICE)
    world.do(world.vault, "withdrawUnencumbered", 0, amount, BOB, by=ALICE)
    assert token.call("balanceOf", BOB) == amount


@pytest.mark.parametrize("habit", [NONE, RETURNS_NOTHING, NO_ZERO])
@pytest.mark.parametrize("decimals", [6, 24])
def test_attack_22_tokens_that_pay_in_full_are_good_collateral(habit: int, decimals: int) -> None:
    world, coin = with_coin(habit, decimals)
    amount = 3 * 10**decimals
    world.do(world.vault, "depositSpot", 0, COIN, amount, b"", by=ALICE)
    assert world.portfolios[0] == book({COIN << 26: 3 * E8})
    with refused("ZeroAmount"):
        world.vault.transact("withdrawSpot", 0, COIN, 0, BOB, world.portfolios[0], b"", caller=ALICE)
    world.do(world.vault, "withdrawSpot", 0, COIN, amount, BOB, world.portfolios[0], b"", by=ALICE)
    assert coin.call("balanceOf", BOB) == amount
    assert coin.call("balanceOf", world.vault.address) == 0


@pytest.mark.parametrize(
    ("habit", "pulled", "pushed"),
    [
        (RETURNS_FALSE, FAILED_TRANSFER, FAILED_TRANSFER),
        (TAKES_FEE, "TransferShort(uint256,uint256)", None),
        (TAKES_FROM_SENDER, None, "TransferShort(uint256,uint256)"),
        (REVERTS, UNAVAILABLE, UNAVAILABLE),
    ],
)
def test_attack_22_strange_collateral_is_refused_both_ways(
    habit: int, pulled: str | None, pushed: str | None
) -> None:
    world, coin = with_coin(habit)
    if pulled:
        with refused_as(pulled):
            world.vault.transact("depositSpot", 0, COIN, 1_000, b"", caller=ALICE)
    coin.transact("setHabit", NONE)
    world.do(world.vault, "depositSpot", 0, COIN, 1_000, b"", by=ALICE)
    # Room for a token that takes more than it was told to.
    coin.transact("mint", world.vault.address, 1)
    coin.transact("setHabit", habit)
    if pushed:
        with refused_as(pushed):
            world.vault.transact("withdrawSpot", 0, COIN, 1_000, BOB, world.portfolios[0], b"", caller=ALICE)
    world.check()
    assert coin.call("balanceOf", world.vault.address) == 1_001


def test_attack_22_collateral_that_calls_back_finds_the_door_closed() -> None:
    world, coin = with_coin(NONE)
    world.do(world.vault, "depositSpot", 0, COIN, 1_000, b"", by=ALICE)
    held = world.portfolios[0]
    coin.transact("setHabit", CALLS_BACK)
    for name, args in (
        ("withdrawUnencumbered", (0, 1, ALICE)),
        ("depositSpot", (0, COIN, 1, held)),
        ("withdrawSpot", (0, COIN, 1_000, ALICE, held, b"")),
        ("withdrawFull", (0, 1, ALICE, held, b"")),
    ):
        coin.transact("setCallBack", world.vault.address, world.vault.encode(name, *args))
        with refused_as(REENTERED):
            world.vault.transact("withdrawSpot", 0, COIN, 1_000, ALICE, held, b"", caller=ALICE)
        with refused_as(REENTERED):
            world.vault.transact("depositSpot", 0, COIN, 5, held, caller=ALICE)
    world.check()


def test_attack_22_blocklisted_owner_withdraws_to_someone_else() -> None:
    """The refusal is the token's and loses nothing; nobody else is held up."""
    world, token = strange(NONE)
    world.do(world.vault, "depositCash", 0, 10, by=ALICE)
    token.transact("setHabit", BLOCKS)
    token.transact("setBlocked", ALICE)
    with refused_as("Blocked(address)"):
        world.vault.transact("withdrawUnencumbered", 0, 10, ALICE, caller=ALICE)
    with refused_as("Blocked(address)"):
        world.vault.transact("depositCash", 0, 1, caller=ALICE)
    world.check()
    world.do(world.vault, "withdrawUnencumbered", 0, 10, BOB, by=ALICE)
    assert token.call("balanceOf", BOB) == 10


def test_attack_22_token_that_reverts_on_zero_is_never_asked_to_move_nothing() -> None:
    world, token = strange(NO_ZERO)
    for name, args in (("depositCash", (0, 0)), ("withdrawUnencumbered", (0, 0, ALICE))):
        with refused("ZeroAmount"):
            world.vault.transact(name, *args, caller=ALICE)
    world.do(world.vault, "depositCash", 0, 10, by=ALICE)
    world.do(world.vault, "withdrawUnencumbered", 0, 10, BOB, by=ALICE)
    assert token.call("balanceOf", BOB) == 10


@pytest.mark.parametrize("pays_in", [True, False])
def test_attack_25_a_reader_in_the_middle_of_a_transfer_never_sees_more_than_there_is(pays_in: bool) -> None:
    """Cash is credited after its tokens came and debited before they go."""
    world, token = strange(NONE)
    world.do(world.vault, "depositCash", 0, 100, by=ALICE)
    watcher = world.machine.deploy("BalanceWatcher")
    token.transact("setHabit", CALLS_BACK)
    token.transact("setCallBack", watcher.address, watcher.encode("look", world.vault.address, 0))
    if pays_in:
        world.do(world.vault, "depositCash", 0, 40, by=ALICE)
    else:
        world.do(world.vault, "withdrawUnencumbered", 0, 40, BOB, by=ALICE)
    assert watcher.call("looks") == 1
    assert watcher.call("cashSeen") == (100 if pays_in else 60) * 100
    assert watcher.call("cashSeen") <= watcher.call("heldSeen") * 100
    assert world.cash[0] == (140 if pays_in else 60) * 100


def test_attack_21_first_depositor_gains_nothing_on_the_next(world: World) -> None:
    """No shares: one unit, a fortune given away, and the next deposit is still credited to the unit."""
    world.open(person("alice"))
    world.open(person("bob"))
    world.deposit(0, 1)
    world.usd.transact("mint", world.vault.address, 10**15)
    world.deposit(1, 10**6)
    assert world.cash == [100, E8]
    for account, owner in enumerate((ALICE, BOB)):
        cash = world.cash[account]
        with refused("WithdrawalAboveAllowed", cash + 100, cash):
            world.vault.transact("withdrawUnencumbered", account, cash // 100 + 1, owner, caller=owner)
        world.do(world.vault, "withdrawUnencumbered", account, cash // 100, owner, by=owner)


def test_attack_21_donated_coins_credit_nobody(world: World) -> None:
    world.open(person("alice"))
    world.tokens[BTC].transact("mint", world.vault.address, 7 * E8)
    world.deposit_spot(0, BTC, E8)
    assert world.portfolios == [book({BTC_SPOT: E8})]


def test_attack_21_donation_credits_nobody(traders: World) -> None:
    traders.usd.transact("mint", traders.vault.address, 10**12)
    traders.check()
    traders.deposit(0, 1)
    assert traders.cash[0] == 1_000_000 * E8 + 100
