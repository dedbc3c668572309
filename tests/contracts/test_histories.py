"""What the ledger keeps of every account's past proves what it held after any block, and nothing else."""

from __future__ import annotations

from dataclasses import astuple, replace
from itertools import pairwise
from random import Random

import pytest

from evm.machine import refused
from marginproof.spec.hashing import keccak
from marginproof.spec.provenance import Change, held_after, witness

from .setting import BTC, BTC_CALL, BTC_PERP, E8, book
from .test_money_conserved import History
from .world import World, person

HOUSE = "0x" + "40" * 20
SEEDS = range(4)


def held_at(changes: list[Change], block: int) -> bytes:
    """The last of the changes up to a block, or nothing."""
    return ([keccak(b"")] + [c.portfolio_hash for c in changes if c.block_number <= block])[-1]


def prove_every_block(world: World) -> None:
    """Every account at every block, to the library that disputes use."""
    harness = world.machine.deploy("CodecHarness")
    for account, changes in enumerate(world.changes):
        opened_at, word = world.ledger.call("provenance", account)
        assert opened_at == world.opened_at[account]
        blocks = {opened_at, world.machine.number, *(c.block_number + d for c in changes for d in (-1, 0, 1))}
        for block in blocks:
            history = witness(changes, block)
            held = held_at(changes, block)
            assert held_after(word, history, block) == held
            assert harness.call("heldAfter", word, astuple(history), block) == held


@pytest.mark.parametrize("seed", SEEDS)
def test_written_histories(seed: int) -> None:
    """Portfolios written in random blocks, several in one block, back to nothing and to what they were."""
    rng = Random(seed)
    world = World(house=HOUSE)
    for name in ("alice", "bob", "carol"):
        world.open(person(name))
        world.advance(12, rng.randint(0, 3))
    for _ in range(30):
        account = rng.randrange(3)
        after = rng.choice((b"", book({BTC_PERP: rng.randint(1, 3)}), book({BTC_CALL: 1, BTC_PERP: 2})))
        world.do(world.ledger, "writePortfolio", account, world.portfolios[account], after, by=HOUSE)
        world.advance(12, rng.choice((0, 0, 1, 5)))
    assert any(
        first.block_number == second.block_number
        for changes in world.changes
        for first, second in pairwise(changes)
    )
    world.check()
    prove_every_block(world)


def test_history_of_every_kind_of_change() -> None:
    """Deposits, trades on both rungs, withdrawals, slices and expiry: each is in the word."""
    history = History()
    steps = (
        ("deposit_spot", 0, BTC, E8),
        ("trade", 1, 0, BTC_CALL, 3 * E8, 100),
        ("trade_attested", 0, 1, BTC_PERP, 7 * E8 + 1, 100),
        ("withdraw_spot", 0, BTC, 1),
        ("move", 80, 3),
        ("call", 0),
        ("liquidate", 0, 10**17),
        ("wait", 4),
        ("wait", 4),
        ("settle", 0),
        ("settle", 4),
    )
    for step in steps:
        assert history.step(*step), step
    world = history.world
    assert [len(changes) for changes in world.changes[:2]] == [6, 2]
    world.check()
    prove_every_block(world)


def test_the_word_is_of_this_account_and_complete() -> None:
    world = World(house=HOUSE)
    harness = world.machine.deploy("CodecHarness")
    for name in ("alice", "bob"):
        world.open(person(name))
    for quantity in (1, 2):
        world.advance()
        world.do(world.ledger, "writePortfolio", 0, world.portfolios[0], book({BTC_PERP: quantity}), by=HOUSE)
    word = world.ledger.call("provenance", 0)[1]
    changes = world.changes[0]
    block = changes[0].block_number
    true = witness(changes, block)
    assert harness.call("heldAfter", word, astuple(true), block) == changes[0].portfolio_hash
    with refused("WrongHistory"):
        harness.call("heldAfter", world.ledger.call("provenance", 1)[1], astuple(true), block)
    with refused("WrongHistory"):
        harness.call("heldAfter", word, astuple(replace(true, later=())), block)
    with refused("NotLastChange"):
        harness.call("heldAfter", word, astuple(true), changes[1].block_number)
    assert world.ledger.call("provenance", 1)[1] == bytes(32)


def test_unknown_account_has_no_past(world: World) -> None:
    for view in ("provenance", "accountOf"):
        with refused("UnknownAccount", 0):
            world.ledger.call(view, 0)
