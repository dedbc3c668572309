"""Leaves, withdrawals and trades as they are shown: what is packed comes out again, and nothing shorter or longer does."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from marginproof.spec.errors import SpecError
from marginproof.spec.hashing import keccak
from marginproof.spec.portfolio import Position, apply_trade, encode_portfolio
from marginproof.spec.shown import (
    ShownSide,
    ShownTrade,
    ShownWithdrawal,
    pack_leaf,
    pack_trade,
    pack_withdrawal,
    unpack_trade,
    unpack_withdrawal,
)
from marginproof.spec.typed_data import Leaf, Order

LEAF = Leaf(7, bytes(range(32)), -5, 2**95 - 1, 3, 2**96 - 1, bytes((1, 30, 2, 4)))


def side(rng: Random, instrument: int, quantity: int) -> ShownSide:
    held = tuple(
        Position(number, rng.choice((-1, 1)) * rng.randint(1, 10**16))
        for number in sorted(rng.sample(range(1, 2**32), rng.choice((0, 1, 10, 127))))
    )
    account = rng.getrandbits(64)
    after = keccak(encode_portfolio(apply_trade(held, instrument, quantity)))
    worst = rng.randbytes(2 * rng.choice((0, 1, 8)))
    figures = (rng.getrandbits(96) - 2**95, rng.getrandbits(96) - 2**95, rng.getrandbits(96), 0)
    order = Order(
        account,
        instrument,
        quantity,
        rng.getrandbits(64) - 2**63,
        rng.getrandbits(64),
        rng.getrandbits(64),
    )
    return ShownSide(order, rng.randbytes(65), held, Leaf(account, after, *figures, worst))


def test_trades_come_out_as_they_went_in() -> None:
    rng = Random(3)
    for _ in range(30):
        instrument, quantity = rng.randrange(1, 2**32), rng.choice((-1, 1)) * rng.randint(1, 10**16)
        sides = (side(rng, instrument, quantity), side(rng, instrument, -quantity))
        trade = ShownTrade(sides, rng.randbytes(65 * rng.randint(0, 5)))
        assert unpack_trade(pack_trade(trade)) == trade


def test_a_trade_that_ends_within_a_side() -> None:
    rng = Random(4)
    trade = ShownTrade((side(rng, 9, 1), side(rng, 9, -1)), b"")
    shown = pack_trade(trade)
    for length in (0, 12, 158, len(shown) // 2, len(shown) - 1):
        with pytest.raises(SpecError) as caught:
            unpack_trade(shown[:length])
        assert caught.value.name == "TradeTooShort"


@pytest.mark.parametrize("depth", [0, 1, 20])
def test_withdrawals_come_out_as_they_went_in(depth: int) -> None:
    siblings = tuple(keccak(bytes((height,))) for height in range(depth))
    withdrawal = ShownWithdrawal(LEAF, siblings, 2**128 - 1, bytes(range(20)))
    shown = pack_withdrawal(withdrawal)
    assert unpack_withdrawal(shown, LEAF.portfolio_hash) == withdrawal
    for wrong in (b"", shown[:44], shown[:96], shown[:-1], shown + b"\0"):
        with pytest.raises(SpecError) as caught:
            unpack_withdrawal(wrong, LEAF.portfolio_hash)
        assert caught.value.name == "WrongLeafLength"


@pytest.mark.parametrize(
    "change", [{"portfolio_value": 2**95}, {"spot_value": -(2**95) - 1}, {"initial_margin": 2**96}]
)
def test_figures_beyond_what_a_true_leaf_has(change: dict[str, int]) -> None:
    with pytest.raises(OverflowError):
        pack_leaf(replace(LEAF, **change))
