"""Family tree, topic verify: claims with exactly one fault, in trees of several depths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from marginproof.spec import tree
from marginproof.spec.hashing import keccak

_COUNTS: Final = (1, 2, 3, 8, 33)


class Claim(NamedTuple):
    """A leaf claimed to stand at a place (its index) of a tree of a size (its count of leaves)."""

    leaf: bytes
    place: int
    size: int
    proof: list[bytes]
    root: bytes


def leaves(count: int) -> list[bytes]:
    """Distinct leaf hashes."""
    return [keccak(b"leaf %d" % i) for i in range(count)]


def folded(leaf: bytes, index: int, siblings: list[bytes]) -> bytes:
    """The root that a proof of any length leads to."""
    node = leaf
    for height, sibling in enumerate(siblings):
        node = keccak(sibling + node) if index >> height & 1 else keccak(node + sibling)
    return node


def far_claim() -> Claim:
    """The last leaf of the largest tree."""
    leaf, index = keccak(b"far leaf"), 2**tree.MAX_DEPTH - 1
    sides = [keccak(b"side %d" % i) for i in range(tree.MAX_DEPTH)]
    return Claim(leaf, index, 2**tree.MAX_DEPTH, sides, folded(leaf, index, sides))


def flipped(data: bytes) -> bytes:
    """The same hash but for its last bit."""
    return data[:-1] + bytes((data[-1] ^ 1,))


def _claim(count: int, index: int) -> Claim:
    row = leaves(count)
    levels = tree.tree_levels(row)
    return Claim(row[index], index, count, tree.proof(levels, index), levels[-1][0])


def _changed_hashes(good: Claim, heights: range) -> Iterator[tuple[str, Claim]]:
    yield "one bit of the leaf changed", good._replace(leaf=flipped(good.leaf))
    yield "one bit of the root changed", good._replace(root=flipped(good.root))
    for height in heights:
        siblings = [*good.proof]
        siblings[height] = flipped(siblings[height])
        yield f"one bit of sibling {height} changed", good._replace(proof=siblings)


def _wrong_turns(good: Claim, heights: range) -> Iterator[tuple[str, Claim]]:
    for height in heights:
        index = good.place ^ 1 << height
        if index < good.size:
            yield f"the other way at height {height}", good._replace(place=index)


def _wrong_lengths(good: Claim) -> Iterator[tuple[str, Claim]]:
    if good.proof:
        short = good.proof[:-1]
        name = "the top sibling left out, the root fitting"
        yield name, good._replace(proof=short, root=folded(good.leaf, good.place, short))
    long = [*good.proof, tree.EMPTY_LEAF]
    name = "a sibling added at the top, the root fitting"
    yield name, good._replace(proof=long, root=folded(good.leaf, good.place, long))


def _indices_outside(good: Claim) -> Iterator[tuple[str, Claim]]:
    index = good.place + 2 ** len(good.proof)
    yield "an index that leads the same way", good._replace(place=index)
    row = leaves(good.size)
    if good.size < 2 ** tree.depth(good.size):
        padded = tree.tree_levels([*row, tree.EMPTY_LEAF])
        proof = tree.proof(padded, good.size)
        name = "padding as the account after the last"
        yield name, good._replace(leaf=tree.EMPTY_LEAF, place=good.size, proof=proof)


def faulty_claims() -> Iterator[tuple[str, Claim]]:
    """Names and claims."""
    for count in _COUNTS:
        good = _claim(count, count // 2)
        heights = range(len(good.proof))
        for faults in (
            _changed_hashes(good, heights),
            _wrong_turns(good, heights),
            _wrong_lengths(good),
            _indices_outside(good),
        ):
            for name, claim in faults:
                yield f"{count} leaves: {name}", claim
    far = far_claim()
    some = range(0, tree.MAX_DEPTH, 13)
    for faults in (_changed_hashes(far, some), _wrong_turns(far, some)):
        for name, claim in faults:
            yield f"2^40 leaves: {name}", claim
    yield "2^40 leaves: the top sibling left out, the root fitting", next(_wrong_lengths(far))[1]
    yield "2^40 leaves: an index that leads the same way", far._replace(place=2**41 - 1)
    yield (
        "no leaves: padding as account 0",
        Claim(tree.EMPTY_LEAF, 0, 0, [], tree.root([])),
    )
