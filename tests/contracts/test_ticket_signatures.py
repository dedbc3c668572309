"""Trades on tickets: what tickets and orders must be, and what their signatures hold for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evm.machine import ADMIN, ContractRefused, refused
from marginproof.spec.hashing import keccak
from marginproof.spec.portfolio import Position
from marginproof.spec.shown import pack_trade
from marginproof.spec.typed_data import Leaf, Tickets

from .setting import (
    BTC,
    BTC_CALL,
    BTC_PERP,
    E8,
    ETH_PERP,
    UNLISTED,
    WEEK,
    book,
)
from .ticket_acts import (
    PRICE,
    ZERO,
    both,
    counts_of_side,
    end_of_side,
    true_leaves,
    unchanged,
    with_traders,
)
from .world import CHAIN_ID, World, person


@pytest.fixture
def traders(world: World) -> World:
    """Alice is 0 and Bob 1, with a million dollars each, and an epoch."""
    return with_traders(world)


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
                "useTickets", hashed, traders.sign_tickets(*leaves), bytes(32), BTC, 1, 1, caller=caller
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
