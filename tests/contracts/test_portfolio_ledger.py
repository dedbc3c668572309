"""Accounts, signed trades, and who may write portfolios."""

from __future__ import annotations

from dataclasses import astuple, replace
from random import Random
from typing import Any

import pytest
from eth_utils.address import to_canonical_address

from evm.machine import ADMIN, STRANGER, Contract, refused
from marginproof.spec.hashing import keccak
from marginproof.spec.limits import MAX_POSITIONS
from marginproof.spec.market import encode_market
from marginproof.spec.typed_data import digest, domain_separator

from . import setting
from .refusals import UNAUTHORISED, refused_as
from .setting import (
    BTC,
    BTC_CALL,
    BTC_FUTURE,
    BTC_PERP,
    BTC_PUT,
    BTC_SPOT,
    E8,
    ETH_PERP,
    UNLISTED,
    WEEK,
    book,
)
from .ticket_acts import HOUSE, PRICE, ZERO, both, unchanged, with_traders
from .world import CHAIN_ID, World, person

MAX = 10**16


@pytest.fixture
def traders(world: World) -> World:
    """Alice is 0 and Bob 1, with a million dollars each, and an epoch."""
    return with_traders(world)


@pytest.fixture
def written() -> World:
    """The same, with an address of ours in place of the house, so that a test can write as the house would."""
    return with_traders(World(house=HOUSE))


# --- accounts ------------------------------------------------------------------------------------------------------


def test_accounts_count_from_zero_and_start_empty(world: World) -> None:
    for account, name in enumerate(("alice", "bob", "alice")):
        assert world.open(person(name)) == account
        assert world.event("AccountOpened") == {"account": account, "owner": person(name).address.lower()}
        assert world.ledger.call("ownerOf", account) == person(name).address.lower()
        assert world.ledger.call("portfolioHash", account) == keccak(b"")
    assert world.ledger.call("accountCount") == 3


def test_account_needs_an_owner(world: World) -> None:
    with refused("ZeroAddress"):
        world.ledger.transact("openAccount", ZERO)


@pytest.mark.parametrize("view", ["ownerOf", "portfolioHash", "frozen"])
def test_unknown_account(world: World, view: str) -> None:
    with refused("UnknownAccount", 0):
        world.ledger.call(view, 0)


# --- trades --------------------------------------------------------------------------------------------------------


def test_trade_moves_quantity_and_money(traders: World) -> None:
    sell, buy = both(traders)
    traders.settle(sell, buy)
    assert traders.event("TradeSettled") == {
        "buyer": 1,
        "seller": 0,
        "instrument": BTC_PERP,
        "quantity": E8,
        "price": PRICE,
        "buyerCash": 900_000 * E8,
        "sellerCash": 1_100_000 * E8,
    }
    assert traders.portfolios == [book({BTC_PERP: -E8}), book({BTC_PERP: E8})]
    assert traders.cash == [1_100_000 * E8, 900_000 * E8]
    assert traders.ledger.call("isNonceUsed", 0, sell.nonce)
    assert not traders.ledger.call("isNonceUsed", 1, sell.nonce)
    traders.check()


def test_anyone_may_submit_and_the_resting_order_may_buy(traders: World) -> None:
    buy, sell = traders.order(1, BTC_PERP, E8, PRICE), traders.order(0, BTC_PERP, -E8, PRICE - E8)
    traders.settle(buy, sell)
    assert traders.event("TradeSettled")["price"] == PRICE
    assert traders.event("TradeSettled")["quantity"] == E8
    assert traders.cash == [1_100_000 * E8, 900_000 * E8]


@pytest.mark.parametrize(
    ("quantity", "price", "paid", "received"),
    [
        (1, 1, 1, 0),
        (3, 33_333_333, 1, 0),
        (E8, 1, 1, 1),
        (1, E8, 1, 1),
        (1, -1, 0, -1),
        (3, -50_000_000, -1, -2),
    ],
)
def test_attack_19_buyer_pays_up_and_seller_receives_down(
    traders: World, quantity: int, price: int, paid: int, received: int
) -> None:
    before = list(traders.cash)
    traders.advance(60)
    funding = setting.market(traders.time, funding={BTC: setting.SPOTS[BTC] - price})
    traders.post(funding)
    traders.trade(1, 0, BTC_PERP, quantity, price)
    assert traders.cash == [before[0] + received, before[1] - paid]


def test_trade_that_closes_a_position_removes_it(traders: World) -> None:
    traders.trade(1, 0, BTC_PERP, E8, PRICE)
    traders.trade(0, 1, BTC_PERP, E8, PRICE)
    assert unchanged(traders)


def test_price_may_better_the_limit_and_not_pass_it(traders: World) -> None:
    for resting, limit, buys in ((PRICE, PRICE - 1, 1), (PRICE, PRICE + 1, -1)):
        a = traders.order(0, BTC_PERP, -buys * E8, resting)
        b = traders.order(1, BTC_PERP, buys * E8, limit)
        with refused("PriceOutsideLimit", resting, limit):
            traders.settle(a, b)
    assert unchanged(traders)


@pytest.mark.parametrize("price", [-MAX - 1, MAX + 1, 2**63 - 1, -(2**63)])
def test_price_out_of_range(traders: World, price: int) -> None:
    with refused("PriceOutOfRange", BTC_PERP, price):
        traders.settle(*both(traders, price))


def test_only_a_perpetual_may_cost_less_than_nothing(traders: World) -> None:
    for instrument in (BTC_SPOT, BTC_FUTURE, BTC_CALL):
        with refused("PriceOutOfRange", instrument, -1):
            traders.settle(*both(traders, -1, instrument=instrument))
    assert unchanged(traders)


@pytest.mark.parametrize("quantity", [MAX + 1, 2**63 - 1])
def test_attack_17_quantity_out_of_range(traders: World, quantity: int) -> None:
    with refused("QuantityOutOfRange", BTC_PERP, -quantity):
        traders.settle(*both(traders, quantity=quantity))
    least = -(2**63)
    with refused("OrdersDoNotMatch"):
        traders.settle(traders.order(0, BTC_PERP, least, PRICE), traders.order(1, BTC_PERP, least, PRICE))


def test_quantity_of_zero(traders: World) -> None:
    with refused("ZeroQuantity", BTC_PERP):
        traders.settle(*both(traders, quantity=0))


def test_orders_must_match(traders: World) -> None:
    sell, buy = both(traders)
    for other in (
        replace(buy, instrument=ETH_PERP),
        replace(buy, quantity=E8 - 1),
        replace(buy, quantity=-E8),
    ):
        with refused("OrdersDoNotMatch"):
            traders.settle(sell, other)
    assert unchanged(traders)


def test_account_does_not_trade_with_itself(traders: World) -> None:
    with refused("SelfTrade", 0):
        traders.settle(traders.order(0, BTC_PERP, -E8, PRICE), traders.order(0, BTC_PERP, E8, PRICE))


# --- orders --------------------------------------------------------------------------------------------------------


def test_order_digest_is_the_specifications(traders: World) -> None:
    order = traders.order(0, BTC_PERP, -E8, -PRICE, deadline=5)
    separator = domain_separator(CHAIN_ID, to_canonical_address(traders.ledger.address))
    assert traders.ledger.call("domainSeparator") == separator
    assert traders.ledger.call("digest", astuple(order)) == digest(separator, order.struct_hash())


def test_trade_replayed(traders: World) -> None:
    sell, buy = both(traders)
    traders.settle(sell, buy)
    with refused("OrderUsed", 0, sell.nonce):
        traders.settle(sell, buy)
    with refused("OrderUsed", 1, buy.nonce):
        traders.settle(traders.order(0, BTC_PERP, -E8, PRICE), buy)
    traders.check()


def test_trade_until_its_deadline(traders: World) -> None:
    expired = traders.order(0, BTC_PERP, -E8, PRICE, deadline=traders.time - 1)
    with refused("OrderExpired", traders.time - 1, traders.time):
        traders.settle(expired, traders.order(1, BTC_PERP, E8, PRICE))
    assert unchanged(traders)
    last_second = traders.order(0, BTC_PERP, -E8, PRICE, deadline=traders.time)
    traders.settle(last_second, traders.order(1, BTC_PERP, E8, PRICE))


def test_trade_signed_by_another(traders: World) -> None:
    sell, buy = both(traders)
    mallory, alice, bob = (person(name) for name in ("mallory", "alice", "bob"))
    with refused("WrongOrderSigner", 0, mallory.address.lower(), alice.address.lower()):
        traders.settle(sell, buy, traders.sign_order(sell, mallory))
    with refused("WrongOrderSigner", 1, alice.address.lower(), bob.address.lower()):
        traders.settle(sell, buy, None, traders.sign_order(buy, alice))
    assert unchanged(traders)


@pytest.mark.parametrize("broken", [b"", b"\x00" * 65, b"\x01" * 64], ids=["none", "zeros", "compact"])
def test_attack_2_malformed_order_signature(traders: World, broken: bytes) -> None:
    with refused("WrongOrderSigner", 0, ZERO, person("alice").address.lower()):
        traders.settle(*both(traders), broken)
    assert unchanged(traders)


@pytest.mark.parametrize(
    "change", [{"price": PRICE - 1}, {"quantity": -E8 + 1}, {"nonce": 77}, {"deadline": 2**64 - 2}]
)
def test_signature_holds_for_one_order_only(traders: World, change: dict[str, Any]) -> None:
    sell, buy = both(traders)
    altered = replace(sell, **change)
    with refused("WrongOrderSigner"):
        traders.settle(altered, replace(buy, quantity=-altered.quantity), traders.sign_order(sell))
    assert unchanged(traders)


def test_attack_4_order_of_another_chain(traders: World) -> None:
    sell, buy = both(traders)
    with refused("WrongOrderSigner"):
        traders.settle(sell, buy, traders.sign_order(sell, chain_id=CHAIN_ID + 1))
    assert unchanged(traders)


def test_cancelled_order_is_used(traders: World) -> None:
    sell, buy = both(traders)
    traders.do(traders.ledger, "cancel", 0, sell.nonce, by=person("alice").address)
    assert traders.event("OrderCancelled") == {"account": 0, "nonce": sell.nonce}
    with refused("OrderUsed", 0, sell.nonce):
        traders.settle(sell, buy)
    with refused("OrderUsed", 0, sell.nonce):
        traders.ledger.transact("cancel", 0, sell.nonce, caller=person("alice").address)


def test_only_the_owner_cancels(traders: World) -> None:
    with refused("NotOwner", 0, person("bob").address.lower()):
        traders.ledger.transact("cancel", 0, 1, caller=person("bob").address)
    with refused("UnknownAccount", 9):
        traders.ledger.transact("cancel", 9, 1)


# --- instruments ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instrument", [UNLISTED, 0, 3 << 26, 2**32 - 1])
def test_unknown_or_unlisted_instrument(traders: World, instrument: int) -> None:
    with refused("InstrumentNotListed", instrument):
        traders.settle(*both(traders, instrument=instrument))
    assert unchanged(traders)


def test_expired_instrument(traders: World) -> None:
    traders.machine.set_time(WEEK)
    with refused("InstrumentExpired", BTC_CALL, WEEK):
        traders.settle(*both(traders, E8, instrument=BTC_CALL))


def test_spot_cannot_be_sold_short(traders: World) -> None:
    with refused("SpotShort", 0, BTC_SPOT, -E8):
        traders.settle(*both(traders, instrument=BTC_SPOT))
    traders.deposit_spot(0, BTC, E8)
    with refused("SpotShort", 0, BTC_SPOT, -1):
        traders.settle(*both(traders, quantity=E8 + 1, instrument=BTC_SPOT))
    traders.settle(*both(traders, instrument=BTC_SPOT))
    assert traders.portfolios == [b"", book({BTC_SPOT: E8})]


# --- portfolios and market ------------------------------------------------------------------------------------------


WELL_FORMED = book({BTC_PERP: E8})


@pytest.mark.parametrize(
    "given",
    [
        WELL_FORMED,
        book({BTC_CALL: E8}) + WELL_FORMED,
        WELL_FORMED + WELL_FORMED,
        WELL_FORMED[:4] + bytes(8),
        WELL_FORMED[:11],
        b"".join(i.to_bytes(4, "big") + E8.to_bytes(8, "big") for i in range(1, MAX_POSITIONS + 2)),
    ],
    ids=["not held", "unsorted", "duplicate", "zero", "truncated", "oversized"],
)
@pytest.mark.parametrize("side", [0, 1])
def test_attack_12_portfolio_bytes_that_are_not_the_accounts(traders: World, given: bytes, side: int) -> None:
    sell, buy = both(traders)
    portfolios = [b"", b""]
    portfolios[side] = given
    signatures = (traders.sign_order(sell), traders.sign_order(buy))
    with refused("WrongPortfolio", side, keccak(given), keccak(b"")):
        traders.ledger.transact(
            "settle",
            astuple(sell),
            signatures[0],
            astuple(buy),
            signatures[1],
            *portfolios,
            traders.market_bytes(),
        )
    with refused("WrongPortfolio", side, keccak(given), keccak(b"")):
        traders.ledger.transact("settleExpired", side, given)
    assert unchanged(traders)


def test_market_must_be_the_newest(traders: World) -> None:
    old = traders.market
    traders.move(btc=101_000)
    new = traders.header
    traders.market = old
    assert old is not None
    assert new is not None
    with refused("WrongMarket"):
        traders.settle(*both(traders))
    traders.market = setting.market(traders.time)
    with refused("WrongMarket"):
        traders.settle(*both(traders))
    raw = encode_market(setting.market(traders.time)) + b"\0"
    sell, buy = both(traders)
    with refused("BadLength", len(raw)):
        traders.ledger.transact(
            "settle",
            astuple(sell),
            traders.sign_order(sell),
            astuple(buy),
            traders.sign_order(buy),
            b"",
            b"",
            raw,
        )
    assert unchanged(traders)


def test_epoch_must_be_in_force(world: World) -> None:
    world.open(person("alice"), 1_000_000)
    world.open(person("bob"), 1_000_000)
    world.advance()
    world.snapshot()
    with refused("NoEpoch"):
        world.settle(*both(world))
    header = world.post()
    world.machine.set_time(header.valid_until)
    with refused("EpochExpired"):
        world.settle(*both(world))
    assert unchanged(world)


def test_trade_into_more_positions_than_allowed(written: World) -> None:
    traders = written
    strikes = [(1_000 + i) * E8 for i in range(MAX_POSITIONS + 1)]
    first = traders.instruments.transact("addStrikes", BTC, strikes)
    ids = [BTC << 26 | 2 << 16 | (first + i) << 1 for i in range(MAX_POSITIONS + 1)]
    traders.instruments.transact("list", ids)
    held = book(dict.fromkeys(ids[:-1], 1))
    for account in (0, 1):
        traders.do(traders.ledger, "writePortfolio", account, b"", held, by=HOUSE)
    one_more = (traders.order(0, ids[-1], -1, 1), traders.order(1, ids[-1], 1, 1))
    with refused("TooManyPositions", MAX_POSITIONS + 1, MAX_POSITIONS):
        traders.ledger.transact(
            "settle",
            astuple(one_more[0]),
            traders.sign_order(one_more[0]),
            astuple(one_more[1]),
            traders.sign_order(one_more[1]),
            held,
            held,
            traders.market_bytes(),
        )


def test_nonces_are_kept_across_pages(traders: World) -> None:
    """Pages of 64 take turns in the word of an account's cash: used in any order, no nonce is lost or used twice, and no cash."""
    rng = Random(5)
    pages = (0, 1, 2, 2**58 - 1)
    used: set[int] = set()
    cash = list(traders.cash)
    for _ in range(120):
        nonce = rng.choice(pages) * 64 + rng.choice((0, 1, 31, 62, 63))
        if nonce in used:
            with refused("OrderUsed", 0, nonce):
                traders.ledger.transact("cancel", 0, nonce, caller=traders.owners[0].address)
        else:
            traders.do(traders.ledger, "cancel", 0, nonce, by=traders.owners[0].address)
            used.add(nonce)
        traders.deposit(0, 1)
        cash[0] += 100
    assert len(used) == 20
    for nonce in (page * 64 + bit for page in (*pages, 3, 2**57) for bit in range(64)):
        assert traders.ledger.call("isNonceUsed", 0, nonce) == (nonce in used)
        assert not traders.ledger.call("isNonceUsed", 1, nonce)
    assert traders.cash == cash
    traders.check()


def test_cash_has_96_bits(traders: World) -> None:
    whole = 2**95 - 1 - traders.cash[0]
    traders.give(traders.usd, person("alice").address, whole // 100 + 1)
    with refused_as("SafeCastOverflowedIntDowncast(uint8,int256)"):
        traders.vault.transact("depositCash", 0, whole // 100 + 1, caller=person("alice").address)
    traders.do(traders.vault, "depositCash", 0, whole // 100, by=person("alice").address)
    traders.check()


# --- who may write --------------------------------------------------------------------------------------------------


def unconnected(world: World) -> Contract:
    """Another vault, without a house."""
    terms = (world.epochs.address, world.court.address, 0, world.usd.address)
    return world.machine.deploy("MarginVault", ADMIN, world.instruments.address, *terms)


def test_only_the_house_writes(traders: World) -> None:
    for caller in (STRANGER, ADMIN, person("alice").address):
        with refused("NotConnected", caller.lower()):
            traders.ledger.transact("writePortfolio", 0, b"", WELL_FORMED, caller=caller)
        with refused("NotConnected", caller.lower()):
            traders.ledger.transact("setFrozen", 0, True, caller=caller)
    assert unchanged(traders)


def test_only_the_house_freezes(world: World) -> None:
    ledger = unconnected(world)
    ledger.transact("connect", HOUSE)
    ledger.transact("openAccount", STRANGER)
    with refused("NotConnected", STRANGER):
        ledger.transact("setFrozen", 0, True, caller=STRANGER)
    ledger.transact("setFrozen", 0, True, caller=HOUSE)
    assert ledger.call("frozen", 0)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (book({BTC_PUT: E8}) + WELL_FORMED, "PositionsNotSorted"),
        (WELL_FORMED + WELL_FORMED, "PositionsNotSorted"),
        (WELL_FORMED[:4] + bytes(8), "ZeroQuantity"),
        (WELL_FORMED[:4] + (MAX + 1).to_bytes(8, "big"), "QuantityOutOfRange"),
        (WELL_FORMED[:11], "BadPortfolioLength"),
        (
            b"".join(i.to_bytes(4, "big") + E8.to_bytes(8, "big") for i in range(1, MAX_POSITIONS + 2)),
            "TooManyPositions",
        ),
    ],
    ids=["unsorted", "duplicate", "zero", "too large", "truncated", "oversized"],
)
def test_attack_12_nothing_malformed_is_written_even_by_those_who_may(
    written: World, given: bytes, error: str
) -> None:
    with refused(error):
        written.ledger.transact("writePortfolio", 0, b"", given, caller=HOUSE)
    with refused("WrongPortfolio", 0, keccak(WELL_FORMED), keccak(b"")):
        written.ledger.transact("writePortfolio", 0, WELL_FORMED, b"", caller=HOUSE)
    assert unchanged(written)


def test_contracts_are_connected_once(world: World) -> None:
    with refused("AlreadyConnected"):
        world.ledger.transact("connect", STRANGER)
    ledger = unconnected(world)
    with refused_as(UNAUTHORISED):
        ledger.transact("connect", STRANGER, caller=STRANGER)
    with refused("ZeroAddress"):
        ledger.transact("connect", ZERO)
