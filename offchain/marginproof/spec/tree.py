"""The ordered tree over all leaves of an epoch.

Index = account id; the tree is full, of the least depth that holds `count` leaves, missing leaves being one constant; a parent is
keccak(left | right). Nobody can be omitted, doubled or moved: the direction at each level is a bit of the index, and
the count is in the header. A leaf hash is a hash of 8 words (typed data), an inner node of 2, so neither passes for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .errors import SpecError
from .hashing import keccak

EMPTY_LEAF: Final = keccak(b"marginproof.empty-leaf")
MAX_DEPTH: Final = 40


def depth(count: int) -> int:
    """Levels above the leaves: the least d with 2^d >= count (0 for 0 or 1 leaves). Error: `TooManyLeaves(count)` above 2^40."""
    levels = (count - 1).bit_length() if count > 1 else 0
    if levels > MAX_DEPTH:
        raise SpecError("TooManyLeaves", count=count)
    return levels


def empty_subtrees(levels: int) -> list[bytes]:
    """Roots of subtrees without leaves, from height 0 to `levels`."""
    roots = [EMPTY_LEAF]
    for _ in range(levels):
        roots.append(keccak(roots[-1] + roots[-1]))
    return roots


def tree_levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels from the leaf hashes up to the root, the padding left out."""
    empty = empty_subtrees(depth(len(leaves)))
    levels = [list(leaves) or [EMPTY_LEAF]]
    for height in range(depth(len(leaves))):
        row = levels[-1] + ([empty[height]] if len(levels[-1]) % 2 else [])
        levels.append([keccak(row[i] + row[i + 1]) for i in range(0, len(row), 2)])
    return levels


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, in order of account id. No leaves: the empty leaf."""
    return tree_levels(leaves)[-1][0]


def proof(levels: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """The siblings from leaf `index` up to below the root, given all levels. Error: `LeafOutOfRange(index, count)`."""
    if not 0 <= index < len(levels[0]):
        raise SpecError("LeafOutOfRange", index=index, count=len(levels[0]))
    empty = empty_subtrees(len(levels))
    siblings = []
    for height, row in enumerate(levels[:-1]):
        sibling = (index >> height) ^ 1
        siblings.append(row[sibling] if sibling < len(row) else empty[height])
    return siblings


def verify(leaf: bytes, index: int, count: int, siblings: Sequence[bytes], expected_root: bytes) -> None:
    """Check a proof. Errors: `LeafOutOfRange(index, count)`, `BadProofLength(length, depth)`, `WrongRoot(root, expected)`."""
    if not 0 <= index < count:
        raise SpecError("LeafOutOfRange", index=index, count=count)
    if len(siblings) != depth(count):
        raise SpecError("BadProofLength", length=len(siblings), depth=depth(count))
    node = leaf
    for height, sibling in enumerate(siblings):
        node = keccak(sibling + node) if index >> height & 1 else keccak(node + sibling)
    if node != expected_root:
        raise SpecError("WrongRoot", root="0x" + node.hex(), expected="0x" + expected_root.hex())
