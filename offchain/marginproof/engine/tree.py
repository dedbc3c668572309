"""The ordered tree over the leaves of an epoch, from arrays: the same roots and proofs as `spec.tree`.

Hashes are rows of an (n, 32) uint8 array. A tree can be computed in parts: `subtree_root` of each aligned run of 2^height leaves,
anywhere and in any order, then `merge`.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from ..spec.errors import SpecError, require_range
from ..spec.hashing import keccak
from ..spec.tree import MAX_DEPTH, depth, empty_subtrees
from .columns import hash_words, in_chunks, new_hashes, require_column, require_threads, require_whole
from .kernels.hashing import hash_pairs, hash_pairs_at

Hashes = NDArray[np.uint8]


def _row(node: bytes) -> Hashes:
    return np.frombuffer(node, dtype=np.uint8).reshape(1, 32)


def _word_row(node: bytes) -> NDArray[np.uint64]:
    return np.frombuffer(node, dtype=np.uint64)


class Tree:
    """All levels of a tree, in one array.

    `levels[0]` holds the leaf hashes (one empty leaf when there are none), `levels[-1]` the root; each is an (m, 32) uint8 array without
    the padding. Memory: 64 bytes a leaf. Treat the levels as read-only; `update` is the way to change leaves.
    """

    def __init__(self, leaves: Hashes, threads: int = 1) -> None:
        """Hash a tree over (n, 32) uint8 leaf hashes in order of account id.

        Errors: `BadColumn`, `TooManyLeaves(count)`, `OutOfRange(field, value, low, high)` for a number of threads.
        """
        require_threads(threads)
        require_column("leaves", leaves, np.uint8, (None, 32))
        self.count = len(leaves)
        self.depth = depth(self.count)
        self._empty = empty_subtrees(self.depth)
        self.levels = _levels(leaves if self.count else _row(self._empty[0]), self._empty, threads)

    def copy(self) -> Tree:
        """A tree of its own with the same hashes, to be updated."""
        made = copy(self)
        made.levels = [level.copy() for level in self.levels]
        return made

    @property
    def root(self) -> bytes:
        """The 32-byte root."""
        return bytes(self.levels[-1][0])

    def proof(self, index: int) -> list[bytes]:
        """The siblings from leaf `index` up to below the root. Error: `LeafOutOfRange(index, count)`."""
        if not 0 <= index < len(self.levels[0]):
            raise SpecError("LeafOutOfRange", index=index, count=len(self.levels[0]))
        siblings = self.proofs(np.array([index], dtype=np.int64))
        return [bytes(sibling) for sibling in siblings[0]]

    def proofs(self, indices: NDArray[np.int64]) -> Hashes:
        """The proofs of k leaves, a (k, depth, 32) uint8 array. Errors: `BadColumn`, `LeafOutOfRange(index, count)`."""
        self._require_indices(indices, len(self.levels[0]))
        siblings = np.empty((len(indices), self.depth, 32), dtype=np.uint8)
        for height, row in enumerate(self.levels[:-1]):
            sibling = (indices >> height) ^ 1
            missing = sibling >= len(row)
            siblings[:, height] = row[np.where(missing, 0, sibling)]
            siblings[missing, height] = _row(self._empty[height])
        return siblings

    def update(self, indices: NDArray[np.int64], leaves: Hashes, threads: int = 1) -> None:
        """Replace k leaf hashes, (k, 32) uint8, and recompute the nodes above them only.

        Errors, before anything changes: `BadColumn`, `LeafOutOfRange(index, count)`, `DuplicateLeaf(index)`, `OutOfRange` for threads.
        """
        require_threads(threads)
        self._require_indices(indices, self.count)
        require_column("leaves", leaves, np.uint8, (len(indices), 32))
        rows: NDArray[np.int64] = np.sort(indices)
        repeated = rows[1:][rows[1:] == rows[:-1]]
        if len(repeated):
            raise SpecError("DuplicateLeaf", index=int(repeated[0]))
        self.levels[0][indices] = leaves
        for height in range(self.depth):
            rows = rows >> 1
            rows = rows[np.flatnonzero(np.diff(rows, prepend=-1))]
            _rehash(self.levels[height], self._empty[height], self.levels[height + 1], rows, threads)

    @staticmethod
    def _require_indices(indices: NDArray[np.int64], count: int) -> None:
        require_column("indices", indices, np.int64, (None,))
        wrong = np.flatnonzero((indices < 0) | (indices >= count))
        if len(wrong):
            raise SpecError("LeafOutOfRange", index=int(indices[wrong[0]]), count=count)


def _levels(bottom: Hashes, empty: list[bytes], threads: int) -> list[Hashes]:
    """The levels from `bottom` up, as many as `empty` has; `empty[0]` is the empty subtree's root at the height of `bottom`."""
    sizes = [len(bottom)]
    while len(sizes) < len(empty):
        sizes.append(-(-sizes[-1] // 2))
    nodes = new_hashes(sum(sizes))
    levels = np.split(nodes, np.cumsum(sizes)[:-1])
    levels[0][:] = bottom
    for below, above, padding in zip(levels, levels[1:], empty, strict=False):
        _hash_level(below, padding, above, threads)
    return levels


def _hash_level(below: Hashes, padding: bytes, above: Hashes, threads: int) -> None:
    children, parents, empty = hash_words(below), hash_words(above), _word_row(padding)
    in_chunks(lambda start, stop: hash_pairs(children, empty, parents, start, stop), len(above), threads)


def _rehash(below: Hashes, padding: bytes, above: Hashes, rows: NDArray[np.int64], threads: int) -> None:
    children, parents, empty = hash_words(below), hash_words(above), _word_row(padding)
    in_chunks(
        lambda start, stop: hash_pairs_at(children, empty, parents, rows, start, stop), len(rows), threads
    )


def root(leaves: Hashes, threads: int = 1) -> bytes:
    """The root over (n, 32) uint8 leaf hashes in order of account id. Errors: `BadColumn`, `TooManyLeaves(count)`."""
    return Tree(leaves, threads).root


def subtree_root(leaves: Hashes, height: int, threads: int = 1) -> bytes:
    """The root of one aligned run of 2^height leaf places, of which the first n hold leaves and the rest are empty.

    Errors: `BadColumn`, `OutOfRange(field, value, low, high)` for a height outside 0 .. 40 or more leaves than places.
    """
    require_threads(threads)
    require_whole("height", height, 0, MAX_DEPTH)
    require_column("leaves", leaves, np.uint8, (None, 32))
    require_range("leaves", len(leaves), 0, 1 << height)
    tree = Tree(leaves, threads)
    node = tree.root
    for empty in empty_subtrees(height)[tree.depth : height]:
        node = keccak(node + empty)
    return node


def merge(subroots: Hashes, height: int, count: int, threads: int = 1) -> bytes:
    """The root of a tree of `count` leaves from the roots of its runs of 2^height leaves, in order, (k, 32) uint8.

    k is the least number of runs that hold `count` leaves (one when there are none). Errors: `BadColumn`, `TooManyLeaves(count)`,
    `OutOfRange(field, value, low, high)` for a height above the tree's depth.
    """
    require_threads(threads)
    require_whole("count", count, 0, 1 << MAX_DEPTH)
    require_whole("height", height, 0, depth(count))
    runs = max(1, -(-count >> height))
    require_column("subroots", subroots, np.uint8, (runs, 32))
    return bytes(_levels(subroots, empty_subtrees(depth(count))[height:], threads)[-1][0])
