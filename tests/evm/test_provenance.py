"""What an account held after a block: specification and Solidity alike, true witnesses and crafted ones."""

from __future__ import annotations

from dataclasses import astuple, replace
from random import Random

import pytest

from marginproof.spec.hashing import keccak
from marginproof.spec.provenance import (
    EMPTY_PORTFOLIO,
    START,
    Change,
    History,
    fold,
    folded,
    held_after,
    witness,
)

from .agreement import assert_refused_alike
from .machine import Contract, Machine


@pytest.fixture(scope="module")
def harness() -> Contract:
    return Machine().deploy("CodecHarness")


def changes_of(rng: Random, count: int) -> list[Change]:
    """Changes at blocks that never decrease; several in one block come often, and a return to nothing."""
    block, found = 0, []
    for _ in range(count):
        block += rng.choice((0, 1, 1, 7)) if block else 5
        found.append(Change(block, rng.choice((EMPTY_PORTFOLIO, rng.randbytes(32)))))
    return found


def refused_alike(harness: Contract, name: str, word: bytes, history: History, block: int) -> None:
    assert_refused_alike(
        lambda: held_after(word, history, block),
        lambda: harness.call("heldAfter", word, astuple(history), block),
        name,
    )


@pytest.mark.parametrize("count", range(6))
def test_every_block_of_a_history(harness: Contract, count: int) -> None:
    rng = Random(count)
    for _ in range(5):
        changes = changes_of(rng, count)
        word = folded(changes)
        for block in range(30):
            held = EMPTY_PORTFOLIO
            for change in changes:
                if change.block_number <= block:
                    held = change.portfolio_hash
            history = witness(changes, block)
            assert held_after(word, history, block) == held
            assert harness.call("heldAfter", word, astuple(history), block) == held


def test_crafted_witnesses(harness: Contract) -> None:
    a, b, c = (Change(block, keccak(b"%d" % block)) for block in (5, 7, 9))
    word = folded((a, b, c))
    # Of another block: before the change, or after the next one.
    refused_alike(harness, "NotLastChange", word, witness((a, b, c), 7), 6)
    refused_alike(harness, "NotLastChange", word, witness((a, b, c), 7), 9)
    refused_alike(harness, "NotLastChange", word, witness((a, b, c), 4), 5)
    # The whole history passed off as the start, so that nothing seems to have changed.
    refused_alike(harness, "WrongHistory", word, History(word, 0, bytes(32), ()), 7)
    refused_alike(harness, "WrongHistory", word, History(folded((a,)), 0, bytes(32), (b, c)), 4)
    # A change left out, put in, moved or made up.
    true = witness((a, b, c), 7)
    refused_alike(harness, "WrongHistory", word, replace(true, later=()), 7)
    refused_alike(harness, "WrongHistory", word, replace(true, later=(c, c)), 7)
    refused_alike(harness, "WrongHistory", word, replace(true, before=START), 7)
    refused_alike(harness, "WrongHistory", word, replace(true, changed_at=6), 7)
    refused_alike(harness, "WrongHistory", word, replace(true, portfolio_hash=EMPTY_PORTFOLIO), 7)
    refused_alike(harness, "WrongHistory", word, replace(true, later=(replace(c, block_number=8),)), 7)
    refused_alike(harness, "WrongHistory", START, true, 7)
    # Two changes in one block: the first of them is not what was held afterwards.
    twice = (a, Change(5, b.portfolio_hash))
    first = History(START, 5, a.portfolio_hash, twice[1:])
    refused_alike(harness, "NotLastChange", fold(fold(START, a), twice[1]), first, 5)
