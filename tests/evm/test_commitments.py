"""Hashing written in assembly: what it commits to is what the specification says, whatever the bytes."""

from __future__ import annotations

from dataclasses import astuple
from random import Random

import pytest

from marginproof.spec.hashing import keccak
from marginproof.spec.shown import pack_leaf, unpack_leaf
from marginproof.spec.tree import MAX_DEPTH, depth, verify
from marginproof.spec.typed_data import Leaf, Order, Tickets

from .machine import Contract, ContractRefused, Machine, refused

SEED = 20260128


@pytest.fixture(scope="module")
def harness() -> Contract:
    return Machine().deploy("CodecHarness")


def climb(leaf: bytes, index: int, proof: list[bytes]) -> bytes:
    """The root that a proof leads to."""
    node = leaf
    for height, sibling in enumerate(proof):
        node = keccak(sibling + node if index >> height & 1 else node + sibling)
    return node


def test_proofs_of_every_depth(harness: Contract) -> None:
    rng = Random(SEED)
    for levels in range(MAX_DEPTH + 1):
        least = (1 << levels - 1) + 1 if levels else 1
        for count in {least, 1 << levels, rng.randint(least, 1 << levels)}:
            assert depth(count) == levels
            for index in {0, count - 1, rng.randrange(count)}:
                leaf, proof = rng.randbytes(32), [rng.randbytes(32) for _ in range(levels)]
                top = climb(leaf, index, proof)
                verify(leaf, index, count, proof, top)
                harness.call("verifyLeaf", leaf, index, count, proof, top)
                moved = index ^ (1 << rng.randrange(levels)) if levels else 0
                if moved != index and moved < count:
                    with refused("WrongRoot"):
                        harness.call("verifyLeaf", leaf, moved, count, proof, top)
                with refused("BadProofLength", levels + 1, levels):
                    harness.call("verifyLeaf", leaf, index, count, [*proof, bytes(32)], top)
                if levels:
                    with refused("BadProofLength", levels - 1, levels):
                        harness.call("verifyLeaf", leaf, index, count, proof[:-1], top)
                with refused("LeafOutOfRange", count, count):
                    harness.call("verifyLeaf", leaf, count, count, proof, top)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_of_a_proof_can_be_changed(harness: Contract, seed: int) -> None:
    """One bit of the leaf, a sibling, the index or the root, two siblings exchanged, one left out or put in: no longer the root."""
    rng = Random(f"proofs {seed}")
    for _ in range(12):
        levels = rng.randint(1, 20)
        count = rng.randint((1 << levels - 1) + 1, 1 << levels)
        index = rng.randrange(count)
        leaf, proof = rng.randbytes(32), [rng.randbytes(32) for _ in range(levels)]
        top = climb(leaf, index, proof)
        harness.call("verifyLeaf", leaf, index, count, proof, top)

        def bit(data: bytes, rng: Random = rng) -> bytes:
            return (int.from_bytes(data, "big") ^ 1 << rng.randrange(256)).to_bytes(32, "big")

        place, other = rng.randrange(levels), rng.randrange(levels)
        swapped = proof[:]
        swapped[place], swapped[other] = proof[other], proof[place]
        for changed in (
            (bit(leaf), index, count, proof, top),
            (leaf, index ^ 1 << rng.randrange(levels + 2), count, proof, top),
            (leaf, index, count * 2 + 1, proof, top),
            (leaf, index, count, [*proof[:place], bit(proof[place]), *proof[place + 1 :]], top),
            (leaf, index, count, swapped, bit(top) if place == other else top),
            (leaf, index, count, proof[:place] + proof[place + 1 :], top),
            (leaf, index, count, [*proof[:place], bytes(32), *proof[place:]], top),
            (leaf, index, count, proof, bit(top)),
        ):
            with pytest.raises(ContractRefused):
                harness.call("verifyLeaf", *changed)


@pytest.mark.parametrize("length", [0, 40, 41, 300])
def test_more_leaves_than_a_tree_can_hold(harness: Contract, length: int) -> None:
    count = 2**MAX_DEPTH + 1
    with refused("TooManyLeaves", count):
        harness.call("verifyLeaf", bytes(32), 0, count, [bytes(32)] * length, bytes(32))


def test_attack_8_a_leaf_of_64_bytes_is_no_inner_node(harness: Contract) -> None:
    """Two leaves hash to a root; their 64 bytes, offered as one leaf of a smaller tree, do not hash to it as a leaf does."""
    rng = Random(SEED)
    left, right = rng.randbytes(32), rng.randbytes(32)
    top = keccak(left + right)
    harness.call("verifyLeaf", left, 0, 2, [right], top)
    with refused("BadProofLength", 0, 1):
        harness.call("verifyLeaf", top, 0, 2, [], top)
    leaf = Leaf(int.from_bytes(left[:8], "big"), right, 0, 0, 0, 0, left + right)
    hashed = harness.call("hashLeaf", astuple(leaf))
    assert hashed != top
    with refused("WrongRoot", hashed, top):
        harness.call("verifyLeaf", hashed, 0, 1, [], top)


def random_leaf(rng: Random) -> Leaf:
    signed = lambda: rng.choice((0, 1, -1, 2**255 - 1, -(2**255), rng.getrandbits(80) - 2**79))  # noqa: E731
    unsigned = lambda: rng.choice((0, 1, 2**256 - 1, rng.getrandbits(80)))  # noqa: E731
    worst = rng.randbytes(rng.choice((0, 1, 2, 4, 31, 32, 33, 64, 255)))
    return Leaf(
        rng.choice((0, 2**64 - 1, rng.getrandbits(64))),
        rng.randbytes(32),
        signed(),
        signed(),
        unsigned(),
        unsigned(),
        worst,
    )


def test_leaves_and_orders_hash_as_specified(harness: Contract) -> None:
    rng = Random(SEED)
    for _ in range(60):
        leaf = random_leaf(rng)
        assert harness.call("hashLeaf", astuple(leaf)) == leaf.struct_hash()
        order = Order(
            rng.getrandbits(64),
            rng.getrandbits(32),
            rng.getrandbits(64) - 2**63,
            rng.getrandbits(64) - 2**63,
            rng.getrandbits(64),
            rng.getrandbits(64),
        )
        assert harness.call("hashOrder", astuple(order)) == order.struct_hash()


def test_a_shown_leaf_is_read_as_specified(harness: Contract) -> None:
    rng = Random(SEED)
    for _ in range(60):
        signed = [rng.choice((0, 1, -1, 2**95 - 1, -(2**95), rng.getrandbits(64) - 2**63)) for _ in range(2)]
        unsigned = [rng.choice((0, 1, 2**96 - 1, rng.getrandbits(64))) for _ in range(2)]
        worst = rng.randbytes(2 * rng.choice((0, 1, 2, 7, 16, 17, 127)))
        leaf = Leaf(rng.getrandbits(64), rng.randbytes(32), *signed, *unsigned, worst)
        shown = pack_leaf(leaf)
        read = harness.call("readShownLeaf", shown, leaf.account, leaf.portfolio_hash)
        assert read == (*signed, unsigned[0], leaf.struct_hash())
        assert unpack_leaf(shown, leaf.account, leaf.portfolio_hash) == leaf


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_tickets_hash_as_specified(harness: Contract, count: int) -> None:
    rng = Random(SEED)
    leaves = tuple(rng.randbytes(32) for _ in range(count))
    tickets = Tickets(2**64 - 1, rng.randbytes(32), leaves)
    assert harness.call("hashTickets", tickets.round, tickets.header_hash, leaves) == tickets.struct_hash()


def test_attack_11_no_two_batches_of_tickets_hash_alike(harness: Contract) -> None:
    """Leaves are words: their concatenation is cut in one way only, and order and number count."""
    rng = Random(SEED)
    a, b = rng.randbytes(32), rng.randbytes(32)
    batches: list[list[bytes]] = [[], [a], [b], [a, b], [b, a], [a, a], [a, b, b], [keccak(a + b)]]
    hashes = {harness.call("hashTickets", 1, bytes(32), batch) for batch in batches}
    assert len(hashes) == len(batches)


def test_attack_11_words_that_are_no_numbers_of_their_type(harness: Contract) -> None:
    """A reader of the field refuses them, so that no two encodings of one order or leaf count."""
    data = harness.encode("hashOrder", (1, 2, 3, 4, 5, 6))
    for word in range(6):
        dirty = bytearray(data)
        dirty[4 + 32 * word] = 1
        with pytest.raises(ContractRefused) as caught:
            harness.machine.raw(harness.address, bytes(dirty))
        assert caught.value.name == "empty"
