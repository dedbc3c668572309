"""Leaves and trades as users show them to the contracts: packed, and without what the contracts know themselves.

A shown leaf is 48 bytes of figures, 12 each, E8 (portfolio value and spot value, signed; initial and maintenance margin), and two bytes per
held underlying, the worst scenarios. Account and portfolio are those that it is shown for.

A shown withdrawal is the account (8 bytes), the amount in token units (16), the receiver (20), how many underlyings the leaf names (1), the
shown leaf, and the siblings from it up (32 each).

A shown trade is what both orders share, the instrument (4 bytes) and what the resting one buys (8, signed); the resting side; the other
side; the attesters' signatures of both leaves in this order, 65 bytes each. A side is its order's price (8, signed), account, nonce and
deadline (8 each); its owner's signature (65); how many underlyings its leaf names and how many positions its account holds before the trade
(1 each); its shown leaf; what its account holds before the trade. All numbers are big-endian.
"""

from __future__ import annotations

from dataclasses import dataclass

from marginproof.spec.errors import SpecError
from marginproof.spec.hashing import keccak
from marginproof.spec.portfolio import (
    POSITION_BYTES,
    Position,
    apply_trade,
    decode_portfolio,
    encode_portfolio,
)
from marginproof.spec.typed_data import Leaf, Order

FIGURE_BYTES = 12
FIGURES_BYTES = 4 * FIGURE_BYTES
PAIR_BYTES = 2
SIGNATURE_BYTES = 65
NODE_BYTES = 32
_AMOUNT_BYTES = 16
_ADDRESS_BYTES = 20
_ORDER_BYTES = 32
_HEAD_BYTES = 12
_SIDE_BYTES = _ORDER_BYTES + SIGNATURE_BYTES + 2 + FIGURES_BYTES


@dataclass(frozen=True, slots=True)
class ShownWithdrawal:
    """A withdrawal on a leaf: the leaf with its siblings from it up, the amount in token units, the receiver's 20 bytes."""

    leaf: Leaf
    siblings: tuple[bytes, ...]
    amount: int
    to: bytes


@dataclass(frozen=True, slots=True)
class ShownSide:
    """One side of a trade: its order and the owner's signature, what the account holds before, the leaf for what it holds after."""

    order: Order
    signature: bytes
    held: tuple[Position, ...]
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class ShownTrade:
    """A trade on tickets: the resting side, the other one, and the attesters' signatures."""

    sides: tuple[ShownSide, ShownSide]
    signatures: bytes


def pack_leaf(leaf: Leaf) -> bytes:
    """A leaf to be shown. Errors: OverflowError for a figure beyond 96 bits, which no true leaf has."""
    figures = (
        leaf.portfolio_value.to_bytes(FIGURE_BYTES, "big", signed=True),
        leaf.spot_value.to_bytes(FIGURE_BYTES, "big", signed=True),
        leaf.initial_margin.to_bytes(FIGURE_BYTES, "big"),
        leaf.maintenance_margin.to_bytes(FIGURE_BYTES, "big"),
    )
    return b"".join(figures) + leaf.worst_scenarios


def unpack_leaf(shown: bytes, account: int, portfolio_hash: bytes) -> Leaf:
    """The leaf that was shown, in at least 48 bytes, for an account with a portfolio."""
    fields = [shown[at : at + FIGURE_BYTES] for at in range(0, FIGURES_BYTES, FIGURE_BYTES)]
    return Leaf(
        account,
        portfolio_hash,
        int.from_bytes(fields[0], "big", signed=True),
        int.from_bytes(fields[1], "big", signed=True),
        int.from_bytes(fields[2], "big"),
        int.from_bytes(fields[3], "big"),
        shown[FIGURES_BYTES:],
    )


def pack_withdrawal(withdrawal: ShownWithdrawal) -> bytes:
    """A withdrawal to be shown; the leaf's account is its account. Errors: OverflowError."""
    leaf = withdrawal.leaf
    head = leaf.account.to_bytes(8, "big") + withdrawal.amount.to_bytes(_AMOUNT_BYTES, "big") + withdrawal.to
    count = len(leaf.worst_scenarios) // PAIR_BYTES
    return head + bytes((count,)) + pack_leaf(leaf) + b"".join(withdrawal.siblings)


def unpack_withdrawal(shown: bytes, portfolio_hash: bytes) -> ShownWithdrawal:
    """The withdrawal that was shown, its leaf for a portfolio. Errors: WrongLeafLength(length)."""
    start = 8 + _AMOUNT_BYTES + _ADDRESS_BYTES + 1
    end = start + FIGURES_BYTES + PAIR_BYTES * (shown[start - 1] if len(shown) >= start else 0)
    if len(shown) < end or (len(shown) - end) % NODE_BYTES:
        raise SpecError("WrongLeafLength", length=len(shown))
    account, amount = (int.from_bytes(part, "big") for part in (shown[:8], shown[8 : 8 + _AMOUNT_BYTES]))
    siblings = tuple(shown[at : at + NODE_BYTES] for at in range(end, len(shown), NODE_BYTES))
    leaf = unpack_leaf(shown[start:end], account, portfolio_hash)
    return ShownWithdrawal(leaf, siblings, amount, shown[8 + _AMOUNT_BYTES : start - 1])


def pack_trade(trade: ShownTrade) -> bytes:
    """A trade to be shown; of the leaves only what `pack_leaf` takes counts. Errors: OverflowError."""
    first = trade.sides[0].order
    head = first.instrument.to_bytes(4, "big") + first.quantity.to_bytes(8, "big", signed=True)
    return head + b"".join(_pack_side(side) for side in trade.sides) + trade.signatures


def unpack_trade(shown: bytes) -> ShownTrade:
    """The trade that was shown, its leaves for what the accounts hold after it.

    Errors: TradeTooShort(length, needed), and the specification's for portfolios that it refuses.
    """
    instrument = int.from_bytes(shown[:4], "big")
    quantity = int.from_bytes(shown[4:_HEAD_BYTES], "big", signed=True)
    first, end = _unpack_side(shown, _HEAD_BYTES, instrument, quantity)
    second, end = _unpack_side(shown, end, instrument, -quantity)
    return ShownTrade((first, second), shown[end:])


def _pack_side(side: ShownSide) -> bytes:
    order, leaf = side.order, pack_leaf(side.leaf)
    numbers = order.price.to_bytes(8, "big", signed=True)
    numbers += b"".join(number.to_bytes(8, "big") for number in (order.account, order.nonce, order.deadline))
    counts = bytes((len(side.leaf.worst_scenarios) // PAIR_BYTES, len(side.held)))
    return numbers + side.signature + counts + leaf + encode_portfolio(side.held)


def _unpack_side(shown: bytes, start: int, instrument: int, quantity: int) -> tuple[ShownSide, int]:
    """A side and where it ends."""
    counts = start + _ORDER_BYTES + SIGNATURE_BYTES
    leaf_start = counts + 2
    _require_length(shown, start + _SIDE_BYTES)
    book = start + _SIDE_BYTES + PAIR_BYTES * shown[counts]
    end = book + POSITION_BYTES * shown[counts + 1]
    _require_length(shown, end)
    price = int.from_bytes(shown[start : start + 8], "big", signed=True)
    account, nonce, deadline = (
        int.from_bytes(shown[at : at + 8], "big") for at in range(start + 8, start + _ORDER_BYTES, 8)
    )
    held = decode_portfolio(shown[book:end])
    after = encode_portfolio(apply_trade(held, instrument, quantity))
    side = ShownSide(
        Order(account, instrument, quantity, price, nonce, deadline),
        shown[start + _ORDER_BYTES : counts],
        held,
        unpack_leaf(shown[leaf_start:book], account, keccak(after)),
    )
    return side, end


def _require_length(shown: bytes, needed: int) -> None:
    if len(shown) < needed:
        raise SpecError("TradeTooShort", length=len(shown), needed=needed)
