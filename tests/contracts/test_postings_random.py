"""Of a posting that is accepted, nothing can be changed: every field of the header, every bit of a signature and of the market, the order
and the number of signers. What is changed and signed anew is accepted if it is true, and only then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import astuple, fields, replace
from random import Random

import pytest

from evm.machine import ContractRefused
from marginproof.spec.typed_data import EpochHeader

from .spoiled import compact, flipped
from .world import ATTESTERS, CHAIN_ID, THRESHOLD, World, person

Posting = tuple[EpochHeader, bytes, bytes]


def parts(signatures: bytes) -> list[bytes]:
    return [signatures[at : at + 65] for at in range(0, len(signatures), 65)]


def one_bit(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def other_header(rng: Random, header: EpochHeader) -> EpochHeader:
    """One field changed by a bit."""
    field = rng.choice(fields(header)).name
    value = getattr(header, field)
    changed = one_bit(rng, value) if isinstance(value, bytes) else value ^ 1 << rng.randrange(16)
    return replace(header, **{field: changed})


def signature_faults(rng: Random, world: World, header: EpochHeader, good: bytes) -> Iterator[bytes]:
    """Signatures that are not the quorum's exact ones for this header."""
    each = parts(good)
    i = rng.randrange(THRESHOLD)
    shuffled = each[:]
    while shuffled == each:
        rng.shuffle(shuffled)
    yield one_bit(rng, good)
    yield b"".join(shuffled)
    yield b"".join(each[:i] + each[i + 1 :])
    yield b"".join(each[: i + 1] + each[i:])
    yield b"".join(each[:i] + [each[i - 1]] + each[i + 1 :])
    yield b"".join(each[:i] + [flipped(each[i])] + each[i + 1 :])
    yield b"".join(each[:i] + [compact(each[i])] + each[i + 1 :])
    yield b"".join(each[:i] + [each[i], flipped(each[i])] + each[i + 1 :])
    yield b"".join(each[:i] + [bytes(65)] + each[i + 1 :])
    yield good + rng.randbytes(rng.randrange(1, 130))
    yield good[: rng.randrange(len(good))]
    stranger = person(f"stranger {rng.random()}")
    mixed = sorted([*rng.sample(ATTESTERS, THRESHOLD - 1), stranger], key=lambda a: int(a.address, 16))
    yield world.signatures(header, mixed)
    yield world.signatures(header, chain_id=CHAIN_ID + 1 + rng.randrange(100))
    yield world.signatures(other_header(rng, header))


def refuses(world: World, header: EpochHeader, signatures: bytes, market: bytes) -> bool:
    newest = world.newest()
    before = b"" if newest is None else newest.market
    try:
        world.epochs.call("post", astuple(header), signatures, market, before)
    except ContractRefused:
        return True
    return False


@pytest.mark.parametrize("seed", range(6))
def test_nothing_of_a_posting_can_be_changed(seed: int) -> None:
    rng = Random(f"postings {seed}")
    world = World()
    for number in range(rng.randrange(1, 4)):
        world.open(person(f"owner {number}"), 1_000)
    for _ in range(rng.randrange(2)):
        world.post()
    world.advance(seconds=rng.randrange(12, 600))
    header = world.snapshot()
    signers = sorted(rng.sample(ATTESTERS, THRESHOLD), key=lambda a: int(a.address, 16))
    good, market = world.signatures(header, signers), world.market_bytes()
    assert not refuses(world, header, good, market)
    for _ in range(4):
        for signatures in signature_faults(rng, world, header, good):
            assert signatures == good or refuses(world, header, signatures, market)
    for _ in range(40):
        assert refuses(world, other_header(rng, header), good, market)
        assert refuses(world, header, good, one_bit(rng, market))
        assert refuses(world, header, good, market[: rng.randrange(len(market))])
        assert refuses(world, header, good, market + rng.randbytes(rng.randrange(1, 40)))
    world.submit(header, good)
    world.advance()
    assert refuses(world, header, good, market)


UNSIGNED: dict[str, Callable[[Random, EpochHeader], EpochHeader]] = {
    "round": lambda rng, h: replace(h, round=rng.choice((0, h.round - 1, h.round + 1_000, 2**64 - 1))),
    "time": lambda rng, h: replace(h, time=h.time + rng.choice((-1, 1, 10**6, -h.time))),
    "block": lambda rng, h: replace(h, block_number=h.block_number + rng.choice((-300, -1, 1, 2, 10**6))),
    "hash": lambda rng, h: replace(h, block_hash=rng.choice((bytes(32), rng.randbytes(32)))),
    "end": lambda rng, h: replace(h, valid_until=h.valid_until + rng.choice((-1, 1, 10**9))),
    "model": lambda rng, h: replace(h, model_hash=rng.choice((bytes(32), rng.randbytes(32)))),
    "market": lambda rng, h: replace(h, market_hash=rng.randbytes(32)),
}
"""Fields that the chain knows better than any quorum. Root and count of the leaves it does not."""


@pytest.mark.parametrize("field", UNSIGNED)
def test_no_quorum_can_sign_what_the_chain_knows_better(field: str) -> None:
    rng = Random(field)
    world = World()
    world.open(person("owner"), 1_000)
    world.post()
    world.advance()
    true = world.snapshot()
    for _ in range(20):
        header = UNSIGNED[field](rng, true)
        assert refuses(world, header, world.signatures(header), world.market_bytes())
    assert not refuses(world, true, world.signatures(true), world.market_bytes())
