"""Portfolio bytes: 12 per position, a 32-bit id and a signed 64-bit quantity (E8), big-endian, strictly increasing ids.

One portfolio has exactly one encoding; on chain only its keccak-256 hash is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from .errors import SpecError
from .hashing import keccak
from .limits import MAX_POSITIONS, MAX_QUANTITY

POSITION_BYTES: Final = 12


class Position(NamedTuple):
    """An instrument id and a signed quantity in E8."""

    instrument: int
    quantity: int


def check_positions(positions: Sequence[Position]) -> None:
    """Refuse what has no encoding.

    Errors: `TooManyPositions(count, max)`, `PositionsNotSorted(previous, id)` (also for a duplicate), `ZeroQuantity(id)`,
    `QuantityOutOfRange(id, quantity)`.
    """
    if len(positions) > MAX_POSITIONS:
        raise SpecError("TooManyPositions", count=len(positions), max=MAX_POSITIONS)
    previous = 0
    for instrument, quantity in positions:
        if instrument <= previous:
            raise SpecError("PositionsNotSorted", previous=previous, id=instrument)
        if quantity == 0:
            raise SpecError("ZeroQuantity", id=instrument)
        if abs(quantity) > MAX_QUANTITY:
            raise SpecError("QuantityOutOfRange", id=instrument, quantity=quantity)
        previous = instrument


def encode_portfolio(positions: Sequence[Position]) -> bytes:
    """The packed bytes. Errors as `check_positions`."""
    check_positions(positions)
    return b"".join(
        position.instrument.to_bytes(4, "big") + position.quantity.to_bytes(8, "big", signed=True)
        for position in positions
    )


def decode_portfolio(data: bytes) -> tuple[Position, ...]:
    """The positions behind packed bytes.

    Errors: `BadPortfolioLength(length)` when not a multiple of 12, then as `check_positions`, in that order.
    """
    if len(data) % POSITION_BYTES:
        raise SpecError("BadPortfolioLength", length=len(data))
    positions = tuple(
        Position(
            int.from_bytes(data[i : i + 4], "big"), int.from_bytes(data[i + 4 : i + 12], "big", signed=True)
        )
        for i in range(0, len(data), POSITION_BYTES)
    )
    check_positions(positions)
    return positions


def portfolio_hash(positions: Sequence[Position]) -> bytes:
    """keccak-256 of the packed bytes; the empty portfolio's is the hash of no bytes."""
    return keccak(encode_portfolio(positions))


def apply_trade(positions: Sequence[Position], instrument: int, quantity: int) -> tuple[Position, ...]:
    """The portfolio after adding a signed quantity of one instrument; a position that becomes zero disappears."""
    book = dict(positions)
    book[instrument] = book.get(instrument, 0) + quantity
    if book[instrument] == 0:
        del book[instrument]
    after = tuple(Position(key, book[key]) for key in sorted(book))
    check_positions(after)
    return after
