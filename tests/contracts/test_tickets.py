"""Trades on tickets: leaves for portfolios that do not exist yet, signed by the attesters for one epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from evm.machine import ADMIN, ContractRefused, refused
from marginproof.spec.hashing import keccak
from marginproof.spec.portfolio import Position, decode_portfolio
from marginproof.spec.shown import pack_trade
from marginproof.spec.typed_data import Leaf, Order, Tickets

from . import setting
from .setting import (
    BTC,
    BTC_CALL,
    BTC_PERP,
    BTC_PUT,
    BTC_SPOT,
    E8,
    ETH,
    ETH_PERP,
    ETH_PUT,
    UNLISTED,
    WEEK,
    book,
)
from .world import CHAIN_ID, World, person

PRICE = 100_000 * E8
HOUSE = "0x" + "40" * 20
ZERO = "0x" + "00" * 20


def with_traders(world: World) -> World:
    world.open(person("alice"), 1_000_000)
    world.open(person("bob"), 1_000_000)
    world.post()
    return world


@pytest.fixture
def traders(world: World) -> World:
    """Alice is 0 and Bob 1, with a million dollars each, and an epoch."""
    return with_traders(world)


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


# --- what a trade does ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resting_sells", [True, False])
def test_trade_moves_quantity_and_money(traders: World, resting_sells: bool) -> None:
    sell, buy = both(traders)
    traders.settle_attested(*((sell, buy) if resting_sells else (buy, sell)))
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
    for order in (sell, buy):
        assert traders.ledger.call("isNonceUsed", order.account, order.nonce)
    traders.check()


def test_both_ways_of_settling_lead_to_the_same() -> None:
    """The same random trades, on tickets in one world and recomputed in another."""
    rng = Random(7)
    worlds = [with_traders(World()) for _ in range(2)]
    for _ in range(12):
        instrument = rng.choice((BTC_PERP, BTC_CALL, BTC_PUT, ETH_PERP, ETH_PUT))
        buyer = rng.randrange(2)
        quantity = rng.choice((1, rng.randint(1, E8)))
        price = worlds[0].mark(instrument) * rng.randint(90, 110) // 100
        worlds[0].trade_attested(buyer, 1 - buyer, instrument, quantity, price)
        worlds[1].trade(buyer, 1 - buyer, instrument, quantity, price)
        assert worlds[0].portfolios == worlds[1].portfolios
        assert worlds[0].cash == worlds[1].cash
        worlds[0].check()


def test_attack_19_rounding_is_not_harvested_by_many_tiny_trades(traders: World) -> None:
    """Of every trade the buyer pays the exact price rounded up, the seller receives it rounded down: together they only lose."""
    rng = Random(19)
    traders.advance(60)
    traders.post(setting.market(traders.time, funding={BTC: setting.SPOTS[BTC]}))
    owed = [0, 0]
    for _ in range(25):
        buyer, quantity, price = rng.randrange(2), rng.randint(1, 3), rng.randint(-E8, E8)
        before = list(traders.cash)
        traders.trade_attested(buyer, 1 - buyer, BTC_PERP, quantity, price)
        owed[buyer] -= quantity * price
        owed[1 - buyer] += quantity * price
        changes = [now - then for now, then in zip(traders.cash, before, strict=True)]
        assert -1 <= sum(changes) <= 0
        for account in (0, 1):
            gained = (traders.cash[account] - 10**6 * E8) * E8
            assert gained <= owed[account]
    traders.check()


# --- margin --------------------------------------------------------------------------------------------------------


def test_trade_up_to_the_last_unit_of_initial_margin(world: World) -> None:
    world.open(person("alice"))
    world.open(person("bob"), 10**6)
    world.post()
    needed = world.figures_of(book({BTC_PERP: E8})).initial
    assert needed % 100 == 0
    world.deposit(0, needed // 100 - 1)
    for buyer in (0, 1):
        with refused("BelowInitialMargin", 0, needed - 100, needed):
            world.trade_attested(buyer, 1 - buyer, BTC_PERP, E8, PRICE)
    world.deposit(0, 1)
    with refused("BelowInitialMargin", 0, needed - 1, needed):
        world.trade_attested(0, 1, BTC_PERP, E8, PRICE + 1)
    world.trade_attested(0, 1, BTC_PERP, E8, PRICE)
    assert world.equity(0) == world.figures(0).initial


def test_bad_price_counts_as_a_loss(world: World) -> None:
    world.open(person("alice"), 100_000)
    world.open(person("bob"), 10**6)
    world.post()
    with refused("BelowInitialMargin"):
        world.trade_attested(0, 1, BTC_PERP, E8 // 999, 10**16)


def test_no_trade_is_let_through_for_reducing_risk(world: World) -> None:
    """Below initial margin a trade has to be recomputed: `settle` lets Alice close a part, tickets do not."""
    world.open(person("alice"), 100_000)
    world.open(person("bob"), 10**7)
    world.post()
    world.trade_attested(0, 1, BTC_PERP, 5 * E8, PRICE)
    world.move(btc=97_500)
    assert world.figures(0).maintenance <= world.equity(0) < world.figures(0).initial
    price = world.mark(BTC_PERP)
    with refused("BelowInitialMargin"):
        world.trade_attested(1, 0, BTC_PERP, 1, price)
    world.trade(1, 0, BTC_PERP, 1, price)


def test_attack_24_cash_deficit(traders: World) -> None:
    """Ten coins of collateral cover the margin of a call bought at twice its value, and do not pay for it."""
    traders.open(person("carol"))
    traders.deposit_spot(2, BTC, 10 * E8)
    traders.post()
    mark = traders.mark(BTC_CALL)
    with refused("CashDeficit", 2, mark):
        traders.trade_attested(2, 0, BTC_CALL, E8, 2 * mark)
    with refused("CashDeficit", 2, 1):
        traders.trade_attested(2, 0, BTC_CALL, E8, mark + 1)
    traders.trade_attested(2, 0, BTC_CALL, E8, mark)
    traders.check()


def test_spot_cannot_be_sold_short(traders: World) -> None:
    sell, buy = both(traders, instrument=BTC_SPOT)
    with refused("SpotShort", 0, BTC_SPOT, -E8):
        traders.settle_attested(sell, buy)
    traders.deposit_spot(0, BTC, E8)
    sell, buy = both(traders, quantity=E8 + 1, instrument=BTC_SPOT)
    for resting, other in ((sell, buy), (buy, sell)):
        with refused("SpotShort", 0, BTC_SPOT, -1):
            traders.settle_attested(resting, other)
    traders.settle_attested(*both(traders, instrument=BTC_SPOT))
    assert traders.portfolios == [b"", book({BTC_SPOT: E8})]


def test_frozen_accounts_do_not_trade() -> None:
    world = with_traders(World(house=HOUSE))
    for account in (0, 1):
        world.do(world.ledger, "setFrozen", account, True, by=HOUSE)
        with refused("AccountFrozen", account):
            world.settle_attested(*both(world))
        world.do(world.ledger, "setFrozen", account, False, by=HOUSE)
    assert unchanged(world)


# --- tickets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [0, 1])
def test_attack_10_ticket_of_another_account(traders: World, side: int) -> None:
    traders.open(person("carol"), 1)
    a, b = both(traders)
    leaves = list(true_leaves(traders, a, b))
    leaves[side] = replace(leaves[side], account=2)
    with refused("NotAttester"):
        traders.settle_attested(a, b, (leaves[0], leaves[1]))
    with refused("NotAttester"):
        traders.settle_attested(a, b, (leaves[1], leaves[0]) if side == 0 else (traders.ticket(b), leaves[0]))
    assert traders.portfolios[:2] == [b"", b""]


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    "held", [b"", book({BTC_PERP: 1}), book({BTC_PERP: E8, ETH_PERP: 1})], ids=["before", "other", "more"]
)
def test_attack_12_ticket_for_another_portfolio(traders: World, side: int, held: bytes) -> None:
    """Well signed, for what the account holds now, or might: not for what this trade leads to."""
    a, b = both(traders)
    leaves = list(true_leaves(traders, a, b))
    figures = traders.figures_of(held)
    leaves[side] = replace(
        leaves[side],
        portfolio_hash=keccak(held),
        portfolio_value=figures.value,
        initial_margin=figures.initial,
    )
    with refused("NotAttester"):
        traders.settle_attested(a, b, (leaves[0], leaves[1]))
    assert unchanged(traders)


def test_attack_12_portfolio_bytes_that_are_not_the_accounts(traders: World) -> None:
    a, b = both(traders)
    trade = traders.shown_trade(a, b)
    held = Position(BTC_PERP, E8)
    others = ((held,), (Position(BTC_CALL, E8), held), (held, held), (Position(0, 0),))
    for given in others:
        packed = b"".join(p.instrument.to_bytes(4, "big") + p.quantity.to_bytes(8, "big") for p in given)
        for place in (0, 1):
            sides = list(trade.sides)
            shown = pack_trade(trade)
            end = end_of_side(shown, place)
            assert sides[place].held == ()
            wrong = bytearray(shown[:end] + packed + shown[end:])
            wrong[counts_of_side(shown, place) + 1] = len(given)
            with refused("WrongPortfolio", place, keccak(packed), keccak(b"")):
                traders.ledger.transact("settleAttested", bytes(wrong))
    assert unchanged(traders)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    "change",
    [
        {"portfolio_value": 1},
        {"spot_value": -1},
        {"initial_margin": -1},
        {"maintenance_margin": -1},
        {"worst_scenarios": b""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_ticket_altered_after_signing(traders: World, side: int, change: dict[str, Any]) -> None:
    """By one unit, to the account's advantage."""
    a, b = both(traders)
    leaves = true_leaves(traders, a, b)
    signatures = traders.sign_tickets(*leaves)
    altered = list(leaves)
    ((name, value),) = change.items()
    now = value if isinstance(value, bytes) else getattr(altered[side], name) + value
    altered[side] = replace(altered[side], **{name: now})
    with refused("NotAttester"):
        traders.settle_attested(a, b, (altered[0], altered[1]), signatures)
    assert unchanged(traders)


def test_attack_10_tickets_of_another_epoch(traders: World) -> None:
    old = traders.header
    assert old is not None
    traders.move(btc=101_000)
    a, b = both(traders, 101_000 * E8)
    leaves = true_leaves(traders, a, b)
    with refused("NotAttester"):
        traders.settle_attested(a, b, leaves, traders.sign_tickets(*leaves, header=old))
    renumbered = replace(old, round=old.round + 1)
    with refused("NotAttester"):
        traders.settle_attested(a, b, leaves, traders.sign_tickets(*leaves, header=renumbered))
    traders.settle_attested(a, b, leaves)


def test_attack_4_tickets_of_another_chain(traders: World) -> None:
    a, b = both(traders)
    leaves = true_leaves(traders, a, b)
    assert traders.header is not None
    tickets = Tickets(
        traders.header.round, traders.header.struct_hash(), tuple(leaf.struct_hash() for leaf in leaves)
    )
    with refused("NotAttester"):
        traders.settle_attested(a, b, leaves, traders.attested(tickets.struct_hash(), chain_id=CHAIN_ID + 1))
    assert unchanged(traders)


def _of_header(world: World, leaves: tuple[Leaf, Leaf]) -> bytes:
    assert world.header is not None
    return world.attested(world.header.struct_hash())


def _of_root(world: World, leaves: tuple[Leaf, Leaf]) -> bytes:
    return world.attested(keccak(leaves[0].struct_hash() + leaves[1].struct_hash()))


FALSE_SIGNATURES: dict[str, Callable[[World, tuple[Leaf, Leaf]], bytes]] = {
    "of the header": _of_header,
    "of the root over both": _of_root,
    "of one leaf alone": lambda world, leaves: world.attested(leaves[0].struct_hash()),
    "of the first ticket only": lambda world, leaves: world.sign_tickets(leaves[0]),
    "of three tickets": lambda world, leaves: world.sign_tickets(*leaves, leaves[0]),
    "in the other order": lambda world, leaves: world.sign_tickets(leaves[1], leaves[0]),
}


@pytest.mark.parametrize("name", FALSE_SIGNATURES)
def test_signatures_of_something_else(traders: World, name: str) -> None:
    a, b = both(traders)
    leaves = true_leaves(traders, a, b)
    with refused("NotAttester"):
        traders.settle_attested(a, b, leaves, FALSE_SIGNATURES[name](traders, leaves))
    assert unchanged(traders)


def test_attack_3_quorum_of_tickets(traders: World) -> None:
    a, b = both(traders)
    leaves = true_leaves(traders, a, b)
    signatures = traders.sign_tickets(*leaves)
    one = 65
    for given, error in (
        (b"", "WrongSignatureCount"),
        (signatures[: 2 * one], "WrongSignatureCount"),
        (signatures + signatures[:one], "WrongSignatureCount"),
        (signatures[:one] * 3, "SignersNotIncreasing"),
        (signatures[one:] + signatures[:one], "SignersNotIncreasing"),
    ):
        with refused(error):
            traders.settle_attested(a, b, leaves, given)
    assert unchanged(traders)


def test_epoch_must_be_in_force(world: World) -> None:
    world.open(person("alice"), 1_000_000)
    world.open(person("bob"), 1_000_000)
    header = world.post()
    a, b = both(world)
    leaves = true_leaves(world, a, b)
    world.machine.set_time(header.valid_until)
    with refused("EpochExpired"):
        world.settle_attested(a, b, leaves)
    assert unchanged(world)


def test_tickets_are_the_ledgers_to_use(traders: World) -> None:
    a, b = both(traders)
    leaves = true_leaves(traders, a, b)
    hashed = keccak(b"".join(leaf.struct_hash() for leaf in leaves))
    for caller in (ADMIN, person("alice").address, person("bob").address):
        with refused("NotConnected", caller.lower()):
            traders.epochs.transact(
                "useTickets", hashed, traders.sign_tickets(*leaves), b"", BTC, 1, 1, caller=caller
            )


def test_same_tickets_serve_while_they_are_true(traders: World) -> None:
    """Within an epoch a ticket says what a portfolio needs: there and back and there again is no replay, the orders are new."""
    first = both(traders)
    leaves = true_leaves(traders, *first)
    traders.settle_attested(*first, leaves)
    with refused("OrderUsed"):
        traders.settle_attested(*first, leaves)
    again = both(traders)
    # Tickets for what the accounts hold already are none for what they would hold then.
    with refused("NotAttester"):
        traders.settle_attested(*again, leaves)
    traders.trade_attested(0, 1, BTC_PERP, E8, PRICE)
    traders.settle_attested(*again, leaves)
    traders.check()


def test_attack_17_figures_at_the_extremes_do_not_wrap_around(traders: World) -> None:
    """Even a quorum that signs nonsense: sums of the greatest and least figures there are stay what they are."""
    a, b = both(traders)
    leaf, other = true_leaves(traders, a, b)
    cash, low, high, most = 1_100_000 * E8, -(2**95), 2**95 - 1, 2**96 - 1

    def settle(value: int, spot: int, initial: int) -> None:
        figures = replace(leaf, portfolio_value=value, spot_value=spot, initial_margin=initial)
        traders.settle_attested(a, b, (figures, other))

    with refused("BelowInitialMargin", 0, cash + low, 0):
        settle(low, low, 0)
    for value in (low, 0, high):
        with refused("BelowInitialMargin", 0, cash + value, most):
            settle(value, low, most)
    with refused("CashDeficit", 0, high - cash):
        settle(0, high, 0)
    assert unchanged(traders)
    settle(high, high, high)
    traders.check()


# --- orders: as in `settle` ----------------------------------------------------------------------------------------


def test_orders_are_signed_by_the_owners(traders: World) -> None:
    a, b = both(traders)
    trade = traders.shown_trade(a, b)
    first, second = trade.sides
    mallory = person("mallory")
    for order, others in ((a, (None, second)), (b, (first, None))):
        forged = replace(first if order is a else second, signature=traders.sign_order(order, mallory))
        sides = (others[0] or forged, others[1] or forged)
        owner = traders.owners[order.account].address.lower()
        with refused("WrongOrderSigner", order.account, mallory.address.lower(), owner):
            traders.ledger.transact("settleAttested", pack_trade(replace(trade, sides=sides)))
    swapped = (replace(first, signature=second.signature), replace(second, signature=first.signature))
    with refused("WrongOrderSigner"):
        traders.ledger.transact("settleAttested", pack_trade(replace(trade, sides=swapped)))
    malformed = replace(first, signature=bytes(65))
    with refused("WrongOrderSigner", 0, ZERO, person("alice").address.lower()):
        traders.ledger.transact("settleAttested", pack_trade(replace(trade, sides=(malformed, second))))
    assert unchanged(traders)


def test_orders_used_cancelled_or_late(traders: World) -> None:
    a, b = both(traders)
    late = traders.order(0, BTC_PERP, -E8, PRICE, deadline=traders.time - 1)
    with refused("OrderExpired", traders.time - 1, traders.time):
        traders.settle_attested(late, b)
    traders.do(traders.ledger, "cancel", 1, b.nonce, by=person("bob").address)
    with refused("OrderUsed", 1, b.nonce):
        traders.settle_attested(a, b)
    assert unchanged(traders)
    traders.settle_attested(a, traders.order(1, BTC_PERP, E8, PRICE))
    with refused("OrderUsed", 0, a.nonce):
        traders.settle(a, traders.order(1, BTC_PERP, E8, PRICE))


def test_nonces_of_one_word_do_not_touch_each_other(traders: World) -> None:
    used = (0, 255, 256, 2**64 - 1)
    for nonce in used:
        orders = [replace(order, nonce=nonce) for order in both(traders, quantity=1, price=0)]
        traders.settle_attested(orders[0], orders[1])
    for account in (0, 1):
        assert all(traders.ledger.call("isNonceUsed", account, nonce) for nonce in used)
    for free in (1, 254, 257, 511, 2**64 - 2):
        assert not traders.ledger.call("isNonceUsed", 0, free)


def test_orders_must_match(traders: World) -> None:
    a, b = both(traders)
    # What both orders share is shown once: an order signed for anything else is signed by nobody known.
    for other in (replace(b, instrument=ETH_PERP), replace(b, quantity=E8 - 1), replace(b, quantity=-E8)):
        with refused("WrongOrderSigner"):
            traders.settle_attested(a, other)
    with refused("PriceOutsideLimit", PRICE, PRICE - 1):
        traders.settle_attested(a, replace(b, price=PRICE - 1))
    with refused("SelfTrade", 0):
        traders.settle_attested(a, replace(a, quantity=E8, nonce=77))
    assert unchanged(traders)


def test_only_what_is_listed_and_alive_is_traded(traders: World) -> None:
    a, b = both(traders)
    leaves = true_leaves(traders, a, b)
    for instrument in (UNLISTED, 0, 3 << 26, 2**32 - 1):
        with refused("InstrumentNotListed", instrument):
            traders.settle_attested(
                replace(a, instrument=instrument), replace(b, instrument=instrument), leaves
            )
    traders.machine.set_time(WEEK)
    with refused("InstrumentExpired", BTC_CALL, WEEK):
        traders.settle_attested(replace(a, instrument=BTC_CALL), replace(b, instrument=BTC_CALL), leaves)


# --- calldata: attack 11 -------------------------------------------------------------------------------------------


def test_attack_11_trailing_calldata_changes_nothing(traders: World) -> None:
    data = traders.ledger.encode("settleAttested", pack_trade(traders.shown_trade(*both(traders))))
    traders.machine.raw(traders.ledger.address, data + b"\xff" * 77, keep=True)
    assert traders.vault.call("cash", 0) == 1_100_000 * E8
    with refused("OrderUsed"):
        traders.machine.raw(traders.ledger.address, data)


def test_attack_11_trade_of_any_other_length(traders: World) -> None:
    """Cut anywhere, or with more at its end, it is refused: every byte belongs to something."""
    shown = pack_trade(traders.shown_trade(*both(traders)))
    ends = [end_of_side(shown, place) for place in (0, 1)]
    for length in range(ends[1]):
        with pytest.raises(ContractRefused) as caught:
            traders.ledger.transact("settleAttested", shown[:length])
        assert caught.value.name in {
            "TradeTooShort",
            "ZeroQuantity",
            "InstrumentNotListed",
            "QuantityOutOfRange",
            "PriceOutsideLimit",
            "WrongOrderSigner",
            "SelfTrade",
        }
    for length in (*range(ends[1], len(shown)), len(shown) + 1, len(shown) + 65):
        with pytest.raises(ContractRefused) as caught:
            traders.ledger.transact("settleAttested", (shown + bytes(65))[:length])
        assert caught.value.name in {"WrongSignatureLength", "WrongSignatureCount"}
    assert unchanged(traders)
    traders.ledger.transact("settleAttested", shown)


def test_attack_11_every_byte_of_a_trade_counts(traders: World) -> None:
    """With any bit turned over it is refused: nothing is cut off, and nothing is read twice."""
    shown = pack_trade(traders.shown_trade(*both(traders)))
    for at in range(len(shown)):
        dirty = bytearray(shown)
        dirty[at] ^= 0x80
        with pytest.raises(ContractRefused) as caught:
            traders.ledger.transact("settleAttested", bytes(dirty))
        assert caught.value.name not in {"empty", "Panic"}, at
    assert unchanged(traders)
    traders.ledger.transact("settleAttested", shown)


# --- what the epoch registry is asked ------------------------------------------------------------------------------


class Recorded:
    """A vault on a registry that notes what it is asked; Alice and Bob have plenty."""

    def __init__(self) -> None:
        self.world = World()
        deploy = self.world.machine.deploy
        self.recorder = deploy("TicketRecorder")
        pricing = (self.recorder.address, self.world.court.address)
        terms = (*pricing, 0, self.world.usd.address)
        self.world.vault = deploy("MarginVault", ADMIN, self.world.instruments.address, *terms)
        self.world.ledger = self.world.vault
        for name in ("alice", "bob"):
            self.world.open(person(name), 10**9)
        self.world.advance()
        self.world.snapshot()

    def trade(
        self, instrument: int, quantity: int, price: int, worst: tuple[bytes, bytes] = (b"", b"")
    ) -> tuple[Leaf, Leaf]:
        a = self.world.order(0, instrument, -quantity, price)
        b = self.world.order(1, instrument, quantity, price)
        leaves = tuple(
            replace(self.world.ticket(order), worst_scenarios=w)
            for order, w in zip((a, b), worst, strict=True)
        )
        self.world.settle_attested(a, b, (leaves[0], leaves[1]), b"signed")
        return leaves[0], leaves[1]


@pytest.mark.parametrize(
    ("instrument", "quantity", "price", "unit"),
    [
        (BTC_PERP, 2 * E8, PRICE, PRICE),
        (BTC_PERP, 2 * E8, 1, 1),
        (BTC_PERP, E8, -PRICE, PRICE),
        (BTC_PERP, -E8, -PRICE, PRICE),
        (BTC_CALL, E8, 1, 100_000 * E8),
        (BTC_PUT, E8, 0, 90_000 * E8),
        (ETH_PUT, -3 * E8, 1, setting.STRIKES[ETH][0]),
        (BTC_PERP, 3, 33_333_334, 33_333_334),
        (BTC_PERP, 3, 0, 0),
    ],
)
def test_what_the_size_of_a_trade_is_made_of(instrument: int, quantity: int, price: int, unit: int) -> None:
    """|quantity|, and the greater of |price| and strike; the registry adds its spot."""
    recorded = Recorded()
    leaves = recorded.trade(instrument, quantity, price)
    recorder = recorded.recorder
    assert recorder.call("underlying") == instrument >> 26
    assert (recorder.call("quantityE8"), recorder.call("unitE8")) == (abs(quantity), unit)
    assert recorder.call("signatures") == b"signed"
    assert recorder.call("leavesHash") == keccak(b"".join(leaf.struct_hash() for leaf in leaves))


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ("", "", ""),
        ("0105", "0107", "0105"),
        ("0105", "", "0105"),
        ("", "0107", "0107"),
        ("0105", "01070203", "01050203"),
        ("0203", "01070203", "02030107"),
        ("01050203", "0107", "01050203"),
        ("ff00", "ff010001", "ff000001"),
    ],
)
def test_every_underlying_of_both_sides_is_named_once(first: str, second: str, named: str) -> None:
    recorded = Recorded()
    recorded.trade(BTC_PERP, 1, 1, (bytes.fromhex(first), bytes.fromhex(second)))
    assert recorded.recorder.call("underlyings").hex() == named


def test_largest_portfolios_trade() -> None:
    """128 positions on both sides, the traded one last, first or new."""
    world = with_traders(World(house=HOUSE))
    strikes = [(1_000 + i) * E8 for i in range(129)]
    first = world.instruments.transact("addStrikes", ETH, strikes)
    ids = [ETH << 26 | 2 << 16 | (first + i) << 1 for i in range(129)]
    world.instruments.transact("list", ids)
    for account in (0, 1):
        full = book(dict.fromkeys(ids[:-1], (1, -1)[account]))
        world.do(world.ledger, "writePortfolio", account, b"", full, by=HOUSE)
    leaves = [Leaf(account, bytes(32), 0, 0, 0, 0, b"") for account in (0, 1)]

    def settle(instrument: int) -> None:
        a, b = world.order(0, instrument, -1, 1), world.order(1, instrument, 1, 1)
        given = [
            replace(
                leaf, portfolio_hash=keccak(world.traded(leaf.account, instrument, (-1, 1)[leaf.account]))
            )
            for leaf in leaves
        ]
        arguments = (given[0], given[1])
        world.settle_attested(a, b, arguments)

    for traded in (ids[0], ids[127]):
        settle(traded)
        assert len(decode_portfolio(world.portfolios[0])) == 127 - (traded == ids[127])
    for traded in (ids[127], ids[0]):
        settle(traded)
    a, b = world.order(0, ids[128], -1, 1), world.order(1, ids[128], 1, 1)
    full_leaves = (leaves[0], leaves[1])
    with refused("TooManyPositions", 129, 128):
        world.settle_attested(a, b, full_leaves)
    world.check()
