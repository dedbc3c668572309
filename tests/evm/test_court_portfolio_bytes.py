"""Portfolio bytes: checked, changed and cut as the specification says, by the codec and by the court."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest

from marginproof.spec.errors import SpecError
from marginproof.spec.limits import MAX_POSITIONS, MAX_QUANTITY
from marginproof.spec.market import encode_market
from marginproof.spec.portfolio import (
    Position,
    apply_trade,
    decode_portfolio,
    encode_portfolio,
    portfolio_hash,
)

from .agreement import assert_refused_alike
from .court import Court
from .machine import Contract, Machine, refused
from .samples import MARKET, MODEL

UNIT = 10**8


def raw(*positions: tuple[int, int]) -> bytes:
    """Portfolio bytes without any check."""
    return b"".join(
        id_.to_bytes(4, "big") + (quantity % 2**64).to_bytes(8, "big") for id_, quantity in positions
    )


BAD = {
    "ragged by one": (raw((5, UNIT)) + b"\1", "BadPortfolioLength"),
    "ragged, short": (b"\1" * 11, "BadPortfolioLength"),
    "too many": (raw(*((i + 1, UNIT) for i in range(MAX_POSITIONS + 1))), "TooManyPositions"),
    "unsorted": (raw((7, UNIT), (5, UNIT)), "PositionsNotSorted"),
    "duplicate": (raw((7, UNIT), (7, UNIT)), "PositionsNotSorted"),
    "id zero": (raw((0, UNIT)), "PositionsNotSorted"),
    "zero": (raw((7, UNIT), (8, 0)), "ZeroQuantity"),
    "too long": (raw((7, MAX_QUANTITY + 1)), "QuantityOutOfRange"),
    "too short": (raw((7, -MAX_QUANTITY - 1)), "QuantityOutOfRange"),
    "least integer": (raw((7, -(2**63))), "QuantityOutOfRange"),
    "first fault wins": (raw((9, 0), (8, UNIT)), "ZeroQuantity"),
}


@pytest.fixture(scope="module")
def harness() -> Contract:
    return Machine().deploy("CodecHarness")


@pytest.fixture(scope="module")
def court() -> Court:
    return Court()


@pytest.mark.parametrize(("data", "name"), BAD.values(), ids=BAD.keys())
def test_bad_bytes(harness: Contract, court: Court, data: bytes, name: str) -> None:
    model, market = court.publish(MODEL), encode_market(MARKET)
    for call in (
        lambda: harness.call("checkPortfolio", data),
        lambda: court.court.call("recompute", model, data, market),
        lambda: court.court.call("repriceScenario", model, data, market, b""),
        lambda: court.court.call("losses", model, data, market, 1),
    ):
        assert_refused_alike(lambda: decode_portfolio(data), call, name)


def test_good_bytes(harness: Contract) -> None:
    full = [Position(i * 33_000_000 + 1, (-1) ** i * MAX_QUANTITY) for i in range(MAX_POSITIONS)]
    for positions in ([], [Position(2**32 - 1, 1)], [Position(1, -1)], full):
        assert harness.call("checkPortfolio", encode_portfolio(positions)) == portfolio_hash(positions)


def drawn(rng: Random, size: int) -> tuple[Position, ...]:
    ids = sorted(rng.sample(range(1, 3 * size + 5), size))
    return tuple(Position(id_, rng.choice((-1, 1)) * rng.randint(1, 5)) for id_ in ids)


def test_trades(harness: Contract) -> None:
    rng = Random(7)
    for size in (0, 1, 2, 5, MAX_POSITIONS) * 20:
        before = drawn(rng, size)
        id_, quantity = rng.randint(0, 3 * size + 6), rng.randint(-5, 5)
        data = encode_portfolio(before)
        try:
            expected = encode_portfolio(apply_trade(before, id_, quantity))
        except SpecError as error:
            with refused(error.name, *error.args_by_name.values()):
                harness.call("applyTrade", data, id_, quantity)
        else:
            assert harness.call("applyTrade", data, id_, quantity) == expected


def test_attack_18_trades_at_the_limits(harness: Contract) -> None:
    full = tuple(Position(2 * i + 1, 1) for i in range(MAX_POSITIONS))
    huge = (Position(5, MAX_QUANTITY), Position(6, -MAX_QUANTITY))
    cases = [
        (full, 2, 1, "TooManyPositions"),
        (huge, 5, 1, "QuantityOutOfRange"),
        (huge, 6, -1, "QuantityOutOfRange"),
        (huge, 7, MAX_QUANTITY + 1, "QuantityOutOfRange"),
        (huge, 0, 1, "PositionsNotSorted"),
    ]
    for before, id_, quantity, name in cases:
        data = encode_portfolio(before)
        assert_refused_alike(
            partial(apply_trade, before, id_, quantity),
            partial(harness.call, "applyTrade", data, id_, quantity),
            name,
        )
    assert harness.call("applyTrade", encode_portfolio(full), 1, -1) == encode_portfolio(full[1:])
    assert harness.call("applyTrade", encode_portfolio(huge), 5, -2 * MAX_QUANTITY) == raw(
        (5, -MAX_QUANTITY), (6, -MAX_QUANTITY)
    )


def test_slices(harness: Contract) -> None:
    rng = Random(11)
    for size in (0, 1, 3, 40, MAX_POSITIONS):
        for fraction in (0, 1, 10**17, 333 * 10**15, 10**18 - 1, 10**18):
            positions = [
                Position(i + 1, rng.choice((-1, 1)) * rng.randint(1, MAX_QUANTITY)) for i in range(size)
            ]
            positions[:2] = [Position(p.instrument, rng.choice((-2, 1))) for p in positions[:2]]
            cuts = [(1 if q > 0 else -1) * (abs(q) * fraction // 10**18) for _, q in positions]
            slice_ = [(p.instrument, cut) for p, cut in zip(positions, cuts, strict=True) if cut]
            rest = [
                (p.instrument, p.quantity - cut)
                for p, cut in zip(positions, cuts, strict=True)
                if p.quantity != cut
            ]
            assert harness.call("split", encode_portfolio(positions), fraction) == (raw(*slice_), raw(*rest))


def test_removals(harness: Contract) -> None:
    positions = [Position(i + 1, i + 1) for i in range(MAX_POSITIONS)]
    rng = Random(13)
    for mask in (0, 1, 1 << 127, 2**128 - 1, rng.getrandbits(128)):
        kept = [p for i, p in enumerate(positions) if not mask >> i & 1]
        assert harness.call("without", encode_portfolio(positions), mask) == raw(*kept)
