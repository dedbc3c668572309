"""Signed orders in files, `marginproof/order@1`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from marginproof.cli.chain import Chain, instrument_name
from marginproof.documents import Document, parse_document
from marginproof.documents.decimals import E8_DIGITS, ScaledDecimal
from marginproof.errors import InputError
from marginproof.protocol.orders import SignedOrder
from marginproof.protocol.state import VenueState
from marginproof.spec.limits import MAX_QUANTITY, MAX_TRADE_PRICE
from marginproof.spec.typed_data import Order

ORDER_FORMAT: Final = "marginproof/order@1"
_UINT64: Final = 2**64 - 1
_MAX_FILE_BYTES: Final = 64 * 1024

Address = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$")]


class OrderDocument(Document):
    """One signed order, for one ledger on one chain. The id is what is signed; the name is there for people."""

    format: Literal["marginproof/order@1"]
    chain_id: Annotated[int, Field(ge=1)]
    ledger: Address
    account: Annotated[int, Field(ge=0, le=_UINT64)]
    instrument: Annotated[str, Field(max_length=64)]
    instrument_id: Annotated[int, Field(ge=1, le=2**32 - 1)]
    quantity_e8: Annotated[
        int,
        Field(alias="quantity"),
        ScaledDecimal(E8_DIGITS, -MAX_QUANTITY, MAX_QUANTITY, "Buys above 0.", nonzero=True),
    ]
    price_e8: Annotated[
        int,
        Field(alias="price"),
        ScaledDecimal(E8_DIGITS, -MAX_TRADE_PRICE, MAX_TRADE_PRICE, "Limit per unit, USD."),
    ]
    nonce: Annotated[int, ScaledDecimal(0, 0, _UINT64, "Used once per account.")]
    deadline: Annotated[int, Field(ge=1, le=_UINT64, description="Unix seconds.")]
    signature: Annotated[str, StringConstraints(pattern=r"^0x[0-9a-f]{130}$")]

    def signed(self) -> SignedOrder:
        """The order and its signature as the contracts take them."""
        order = Order(
            self.account, self.instrument_id, self.quantity_e8, self.price_e8, self.nonce, self.deadline
        )
        return SignedOrder(order, bytes.fromhex(self.signature[2:]))


def order_document(chain: Chain, state: VenueState, signed: SignedOrder) -> OrderDocument:
    """The file for a signed order."""
    order = signed.order
    return OrderDocument(
        format=ORDER_FORMAT,
        chain_id=chain.venue.deployment.chain_id,
        ledger=chain.venue.contract("MarginVault").address,
        account=order.account,
        instrument=instrument_name(state, order.instrument),
        instrument_id=order.instrument,
        quantity_e8=order.quantity,
        price_e8=order.price,
        nonce=order.nonce,
        deadline=order.deadline,
        signature="0x" + signed.signature.hex(),
    )


def load_order(path: Path) -> OrderDocument:
    """Read and check an order file. Errors: InputError naming file, field, value and what is allowed."""
    try:
        data = path.read_bytes()[: _MAX_FILE_BYTES + 1]
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > _MAX_FILE_BYTES:
        raise InputError(f"{path}: more than {_MAX_FILE_BYTES} bytes, not an order")
    return parse_document(OrderDocument, text, str(path))


def require_venue(chain: Chain, state: VenueState, order: OrderDocument, path: Path) -> None:
    """Refuse an order for another chain or ledger, or whose id is not the instrument it names. Errors: InputError."""
    here = chain.venue.deployment.chain_id
    if order.chain_id != here:
        raise InputError(f"{path}: the order is for chain {order.chain_id}, this is chain {here}.")
    ledger = chain.venue.contract("MarginVault").address
    if order.ledger.lower() != ledger.lower():
        raise InputError(f"{path}: the order is for the ledger {order.ledger}, this venue's is {ledger}.")
    name = instrument_name(state, order.instrument_id)
    if order.instrument != name:
        raise InputError(
            f"{path}: instrumentId {order.instrument_id} is {name} here, the order calls it {order.instrument}."
        )
