"""Trades on tickets: leaves for portfolios that do not exist yet, signed by the attesters for one epoch."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from evm.machine import ADMIN, refused
from marginproof.spec.hashing import keccak
from marginproof.spec.portfolio import decode_portfolio
from marginproof.spec.typed_data import Leaf

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
    book,
)
from .ticket_acts import (
    HOUSE,
    PRICE,
    both,
    unchanged,
    with_traders,
)
from .world import World, person

EIGHT = bytes(b for underlying in range(1, 9) for b in (underlying, 255 - underlying))


@pytest.fixture
def traders(world: World) -> World:
    """Alice is 0 and Bob 1, with a million dollars each, and an epoch."""
    return with_traders(world)


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
        (EIGHT.hex(), EIGHT.hex(), EIGHT.hex()),
        ("", EIGHT.hex(), EIGHT.hex()),
        ("0105", EIGHT.hex(), "0105" + EIGHT.hex()[4:]),
        (EIGHT[:6].hex(), EIGHT[6:].hex(), EIGHT.hex()),
    ],
)
def test_every_underlying_of_both_sides_is_named_once(first: str, second: str, named: str) -> None:
    recorded = Recorded()
    recorded.trade(BTC_PERP, 1, 1, (bytes.fromhex(first), bytes.fromhex(second)))
    given = recorded.recorder.call("underlyings")
    pairs = bytes.fromhex(named)
    assert given[: len(pairs)] == pairs
    assert int.from_bytes(given[16:], "big") == len(pairs) // 2


@pytest.mark.parametrize(("first", "second"), [(9, 0), (0, 9), (8, 1), (5, 4), (16, 0), (17, 1), (255, 255)])
def test_of_too_many_underlyings_their_number_is_told(first: int, second: int) -> None:
    """The registry refuses them for it: no byte of their own may change it."""
    recorded = Recorded()
    recorded.trade(BTC_PERP, 1, 1, (b"\x01\xff" * first, b"\x02\xff" * second))
    assert int.from_bytes(recorded.recorder.call("underlyings")[16:], "big") == first + second


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
