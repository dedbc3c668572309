"""Orders: signing them, and the calldata that settles two of them."""

from __future__ import annotations

from dataclasses import dataclass

from eth_account.signers.local import LocalAccount

from marginproof.protocol.signing import sign
from marginproof.protocol.venue import Venue
from marginproof.spec.typed_data import Order

OrderTuple = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """An order and its owner's signature."""

    order: Order
    signature: bytes


def order_to_chain(order: Order) -> OrderTuple:
    """The order as the tuple the contracts take."""
    return (order.account, order.instrument, order.quantity, order.price, order.nonce, order.deadline)


def sign_order(venue: Venue, signer: LocalAccount, order: Order) -> SignedOrder:
    """Sign for this venue's ledger on this chain."""
    return SignedOrder(order, sign(signer, venue.domain("MarginVault"), order.struct_hash()))
