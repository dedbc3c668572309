"""A repricing's arguments as one byte string, which is what a transaction pays least for.

Model hash (32 bytes) | count of positions u8 | count of choices u8 | portfolio (portfolio.py) | choices | market (market.py), which may be
abridged (abridged.py) if it is the newest epoch's. A choice is two bytes, the underlying and the index of a scenario or charge.
"""

from __future__ import annotations

from dataclasses import dataclass

from .codec import Reader, unsigned
from .portfolio import POSITION_BYTES

_CHOICE_BYTES = 2


@dataclass(frozen=True, slots=True)
class Repricing:
    """What `MarginCourt.repriceCompact` is asked: a model's hash and the bytes of portfolio, choices and market."""

    model_hash: bytes
    portfolio: bytes
    choices: bytes
    market: bytes


def pack_repricing(asked: Repricing) -> bytes:
    """The argument of `repriceCompact`. Error: `OutOfRange("unsigned")` for more than 255 positions or choices."""
    return (
        asked.model_hash
        + unsigned(len(asked.portfolio) // POSITION_BYTES, 1)
        + unsigned(len(asked.choices) // _CHOICE_BYTES, 1)
        + asked.portfolio
        + asked.choices
        + asked.market
    )


def unpack_repricing(data: bytes) -> Repricing:
    """What was packed. Error: `BadLength(length)` where there is no room for what the counts say."""
    reader = Reader(data)
    model_hash, positions, choices = reader.take(32), reader.unsigned(1), reader.unsigned(1)
    portfolio, chosen = reader.take(positions * POSITION_BYTES), reader.take(choices * _CHOICE_BYTES)
    return Repricing(model_hash, portfolio, chosen, reader.take(len(data) - reader.offset))
