"""What an account held after a block, proven from one word per account.

Starting from zero, every change of an account's portfolio is folded into its word: keccak(word | block number as u64 | portfolio hash).
A witness is the last change up to the block, the word before it, and all changes after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .errors import SpecError
from .hashing import keccak

START: Final = bytes(32)
EMPTY_PORTFOLIO: Final = keccak(b"")


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its block, and the hash of the whole new portfolio."""

    block_number: int
    portfolio_hash: bytes


@dataclass(frozen=True, slots=True)
class History:
    """A witness; `before`, `changed_at` and `portfolio_hash` are zero if nothing had changed by then."""

    before: bytes
    changed_at: int
    portfolio_hash: bytes
    later: tuple[Change, ...]


def fold(word: bytes, change: Change) -> bytes:
    """The word after a change."""
    return keccak(word + change.block_number.to_bytes(8, "big") + change.portfolio_hash)


def folded(changes: Sequence[Change], word: bytes = START) -> bytes:
    """The word after changes in order."""
    for change in changes:
        word = fold(word, change)
    return word


def witness(changes: Sequence[Change], block_number: int) -> History:
    """The witness to what an account held after a block, from all its changes in order."""
    past = [change for change in changes if change.block_number <= block_number]
    later = tuple(changes[len(past) :])
    if not past:
        return History(START, 0, bytes(32), later)
    return History(folded(past[:-1]), past[-1].block_number, past[-1].portfolio_hash, later)


def held_after(word: bytes, history: History, block_number: int) -> bytes:
    """The hash of what an account with this word held after a block.

    Errors: `WrongHistory(reached, expected)`, `NotLastChange(blockNumber, changedAt, nextAt)`.
    """
    held, reached = EMPTY_PORTFOLIO, START
    if history.changed_at:
        held = history.portfolio_hash
        reached = fold(history.before, Change(history.changed_at, held))
    reached = folded(history.later, reached)
    if reached != word:
        raise SpecError("WrongHistory", reached="0x" + reached.hex(), expected="0x" + word.hex())
    next_at = history.later[0].block_number if history.later else 0
    if history.changed_at > block_number or (history.later and next_at <= block_number):
        raise SpecError(
            "NotLastChange", blockNumber=block_number, changedAt=history.changed_at, nextAt=next_at
        )
    return held
