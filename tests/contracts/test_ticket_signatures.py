"""Trades on tickets: what tickets and orders must be, and what their signatures hold for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evm.machine import ADMIN, ContractRefused, refused
from marginproof.spec.hashing import keccak
from marginproof.spec.typed_data import Leaf, Tickets

from .setting import (
    BTC_CALL,
    BTC_PERP,
    E8,
    ETH_PERP,
    UNLISTED,
    WEEK,
    book,
)
from .ticket_acts import PRICE, both, true_leaves, unchanged, with_traders
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
    with refused("WrongLeafAccount", 2, side):
        traders.settle_attested(a, b, (leaves[0], leaves[1]))
    with refused("WrongLeafAccount", 1, 0):
        traders.settle_attested(a, b, (leaves[1], leaves[0]) if side == 0 else (traders.ticket(b), leaves[0]))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    "held", [b"", book({BTC_PERP: 1}), book({BTC_PERP: E8, ETH_PERP: 1})], ids=["before", "other", "more"]
)
def test_attack_12_ticket_for_another_portfolio(traders: World, side: int, held: bytes) -> None:
    """Well signed, for what the account holds now, or might: not for what this trade leads to."""
    a, b = both(traders)
    leaves = list(true_leaves(traders, a, b))
    result = leaves[side].portfolio_hash
    figures = traders.figures_of(held)
    leaves[side] = replace(
        leaves[side],
        portfolio_hash=keccak(held),
        portfolio_value=figures.value,
        initial_margin=figures.initial,
    )
    with refused("WrongTicket", side, keccak(held), result):
        traders.settle_attested(a, b, (leaves[0], leaves[1]))
    assert unchanged(traders)


def test_attack_12_portfolio_bytes_that_are_not_the_accounts(traders: World) -> None:
    a, b = both(traders)
    arguments = list(traders.attested_arguments(a, b))
    unsorted = book({BTC_CALL: E8}) + book({BTC_PERP: E8})
    doubled = book({BTC_PERP: E8}) * 2
    for given in (book({BTC_PERP: E8}), unsorted, doubled, b"\0", bytes(12)):
        for place in (4, 5):
            wrong = [*arguments[:place], given, *arguments[place + 1 :]]
            with refused("WrongPortfolio", place - 4, keccak(given), keccak(b"")):
                traders.ledger.transact("settleAttested", *wrong)
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
    hashes = [leaf.struct_hash() for leaf in leaves]
    for caller in (ADMIN, person("alice").address, person("bob").address):
        with refused("NotConnected", caller.lower()):
            traders.epochs.transact(
                "useTickets", hashes, traders.sign_tickets(*leaves), b"", 1, caller=caller
            )


def test_same_tickets_serve_while_they_are_true(traders: World) -> None:
    """Within an epoch a ticket says what a portfolio needs: there and back and there again is no replay, the orders are new."""
    first = both(traders)
    leaves = true_leaves(traders, *first)
    traders.settle_attested(*first, leaves)
    with refused("OrderUsed"):
        traders.settle_attested(*first, leaves)
    again = both(traders)
    with refused("WrongTicket"):
        traders.settle_attested(*again, leaves)
    traders.trade_attested(0, 1, BTC_PERP, E8, PRICE)
    traders.settle_attested(*again, leaves)
    traders.check()


@pytest.mark.parametrize("field", ["portfolio_value", "spot_value"])
@pytest.mark.parametrize("value", [2**255 - 1, -(2**255)])
def test_attack_17_figures_at_the_extremes_change_nothing(traders: World, field: str, value: int) -> None:
    """Even a quorum that signs nonsense cannot make the sums wrap around."""
    a, b = both(traders)
    leaf, other = true_leaves(traders, a, b)
    with pytest.raises(ContractRefused):
        traders.settle_attested(a, b, (replace(leaf, portfolio_value=value, spot_value=-value - 1), other))
    with pytest.raises(ContractRefused):
        traders.settle_attested(a, b, (replace(leaf, **{field: value}, initial_margin=2**256 - 1), other))
    assert unchanged(traders)


# --- orders: as in `settle` ----------------------------------------------------------------------------------------


def test_orders_are_signed_by_the_owners(traders: World) -> None:
    a, b = both(traders)
    arguments = list(traders.attested_arguments(a, b))
    mallory = person("mallory")
    for place, order in ((1, a), (3, b)):
        forged = list(arguments)
        forged[place] = traders.sign_order(order, mallory)
        owner = traders.owners[order.account].address.lower()
        with refused("WrongOrderSigner", order.account, mallory.address.lower(), owner):
            traders.ledger.transact("settleAttested", *forged)
    swapped = [*arguments[:1], arguments[3], arguments[2], arguments[1], *arguments[4:]]
    with refused("WrongOrderSigner"):
        traders.ledger.transact("settleAttested", *swapped)
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
    for other in (replace(b, instrument=ETH_PERP), replace(b, quantity=E8 - 1), replace(b, quantity=-E8)):
        with refused("OrdersDoNotMatch"):
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
    arguments = traders.attested_arguments(*both(traders))
    data = traders.ledger.encode("settleAttested", *arguments)
    traders.machine.raw(traders.ledger.address, data + b"\xff" * 77, keep=True)
    assert traders.vault.call("cash", 0) == 1_100_000 * E8
    with refused("OrderUsed"):
        traders.machine.raw(traders.ledger.address, data)


def test_attack_11_words_beyond_their_type(traders: World) -> None:
    """A bit above a field's type is no other way to write the same order: it is refused, not cut off."""
    data = traders.ledger.encode("settleAttested", *traders.attested_arguments(*both(traders)))
    words = [*range(6), *range(7, 13)]
    for word in words:
        dirty = bytearray(data)
        dirty[4 + 32 * word] ^= 0x80
        with pytest.raises(ContractRefused) as caught:
            traders.machine.raw(traders.ledger.address, bytes(dirty))
        assert caught.value.name == "empty"
    # The account of a leaf, 12 words after the heads.
    first_leaf = int.from_bytes(data[4 + 32 * 16 : 4 + 32 * 17], "big")
    dirty = bytearray(data)
    dirty[4 + first_leaf] ^= 0x80
    with pytest.raises(ContractRefused) as caught:
        traders.machine.raw(traders.ledger.address, bytes(dirty))
    assert caught.value.name == "empty"
    traders.machine.raw(traders.ledger.address, data)
