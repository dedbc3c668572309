"""The square roots of the hot path: exact for every argument, whatever the guess."""

from __future__ import annotations

from math import isqrt
from random import Random

import pytest

from .machine import Contract, Machine

COUNT = 2_000


@pytest.fixture(scope="module")
def harness() -> Contract:
    return Machine().deploy("RootHarness")


def magnitude(rng: Random, bits: int) -> int:
    """Even over magnitudes, or beside a power of two."""
    if rng.random() < 0.2:
        return max(0, min(2**bits - 1, 2 ** rng.randint(0, bits) + rng.randint(-2, 2)))
    return int(2 ** rng.uniform(0, bits)) % 2**bits


def test_from_any_guess(harness: Contract) -> None:
    """Guesses far off, near, the root itself and its neighbours, and of squares and what lies beside them."""
    rng = Random("near")
    values, guesses = [], []
    for _ in range(COUNT):
        value = magnitude(rng, 128)
        if rng.random() < 0.3:
            value = max(0, min(2**128 - 1, magnitude(rng, 64) ** 2 + rng.randint(-1, 1)))
        root = isqrt(value)
        near = max(0, int(root * rng.uniform(0.5, 2)) + rng.randint(-1, 1))
        values.append(value)
        guesses.append(rng.choice((near, near, 0, 1, max(0, root - 1), root, root + 1, magnitude(rng, 128))))
    assert list(harness.call("squareRootNear", values, guesses)) == [isqrt(value) for value in values]


def test_hypotenuse(harness: Contract) -> None:
    rng = Random("hypotenuse")
    pairs = [(rng.choice((-1, 1)) * magnitude(rng, 63), max(1, magnitude(rng, 63))) for _ in range(COUNT)]
    pairs += [
        (0, 1),
        (0, 2**63 - 1),
        (1, 1),
        (-1, 1),
        (2**63 - 1, 2**63 - 1),
        (1 - 2**63, 1),
        (1 - 2**63, 2**63 - 1),
    ]
    pairs += [
        (a * scale, b * scale) for a, b in ((3, 4), (-4, 3), (5, 12), (-8, 15)) for scale in (1, 10**9, 2**58)
    ]
    found = list(harness.call("hypotenuse", *zip(*pairs, strict=True)))
    assert found == [isqrt(a * a + b * b) for a, b in pairs]
