"""Trees from arrays: roots, proofs, parts and updates equal the specification's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from marginproof.engine import columns
from marginproof.engine.tree import Tree, merge, root, subtree_root
from marginproof.spec import tree as spec
from marginproof.spec.errors import SpecError

COUNTS = [0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100, 257]


def _leaves(count: int, seed: int = 7) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)


def _listed(leaves: NDArray[np.uint8]) -> list[bytes]:
    return [bytes(leaf) for leaf in leaves]


@pytest.mark.parametrize("count", COUNTS)
def test_levels_and_root(count: int) -> None:
    leaves = _leaves(count)
    tree = Tree(leaves)
    assert [_listed(level) for level in tree.levels] == spec.tree_levels(_listed(leaves))
    assert tree.root == root(leaves) == spec.root(_listed(leaves))
    assert (tree.count, tree.depth) == (count, spec.depth(count))


@pytest.mark.parametrize("count", COUNTS)
def test_proofs(count: int) -> None:
    leaves = _leaves(count)
    tree, levels = Tree(leaves), spec.tree_levels(_listed(leaves))
    indices = np.random.default_rng(count).permutation(count)
    siblings = tree.proofs(indices)
    assert siblings.shape == (count, tree.depth, 32)
    for place, index in enumerate(indices.tolist()):
        assert _listed(siblings[place]) == tree.proof(index) == spec.proof(levels, index)
        spec.verify(bytes(leaves[index]), index, count, tree.proof(index), tree.root)


@pytest.mark.parametrize("count", COUNTS)
def test_parts_merge_to_the_same_root(count: int) -> None:
    leaves = _leaves(count)
    for height in range(spec.depth(count) + 1):
        size = 1 << height
        runs = [subtree_root(leaves[low : low + size], height) for low in range(0, max(count, 1), size)]
        subroots = np.frombuffer(b"".join(runs), dtype=np.uint8).reshape(-1, 32)
        assert merge(subroots, height, count) == spec.root(_listed(leaves))


def test_an_empty_part() -> None:
    assert subtree_root(_leaves(0), 5) == spec.empty_subtrees(5)[5]


@pytest.mark.parametrize("count", [1, 2, 9, 33, 257])
def test_an_update_equals_a_new_tree(count: int) -> None:
    leaves = _leaves(count)
    tree = Tree(leaves)
    rng = np.random.default_rng(count)
    for changed in sorted({0, 1, count // 3, count}):
        indices = rng.permutation(count)[:changed]
        fresh = _leaves(changed, seed=changed + 1)
        tree.update(indices, fresh)
        leaves[indices] = fresh
        assert (np.concatenate(tree.levels) == np.concatenate(Tree(leaves).levels)).all()


def test_a_tree_keeps_its_own_leaves() -> None:
    leaves = _leaves(3)
    before = leaves.copy()
    Tree(leaves).update(np.array([1]), _leaves(1, seed=9))
    assert (leaves == before).all()


@pytest.mark.parametrize("count", [1000, 3001])
def test_threads_and_chunks_change_nothing(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    leaves, indices = _leaves(count), np.random.default_rng(1).permutation(count)[: count // 2]
    alone = Tree(leaves)
    alone.update(indices, leaves[::-1][: count // 2].copy())
    for chunk in (1, 64, 1000):
        monkeypatch.setattr(columns, "MIN_CHUNK", chunk)
        for threads in (1, 2, 5):
            tree = Tree(leaves, threads)
            assert tree.root == spec.root(_listed(leaves))
            tree.update(indices, leaves[::-1][: count // 2].copy(), threads)
            assert (np.concatenate(tree.levels) == np.concatenate(alone.levels)).all()


def test_read_only_and_oddly_placed_leaves() -> None:
    leaves = _leaves(9)
    expected = root(leaves)
    odd = np.empty(9 * 32 + 3, dtype=np.uint8)[3:].reshape(9, 32)
    odd[:] = leaves
    leaves.flags.writeable = False
    assert root(leaves) == root(odd) == expected


@pytest.mark.parametrize(
    ("leaves", "found"),
    [
        (np.zeros((2, 32), np.int8), "int8 array, shape (2, 32), contiguous"),
        (np.zeros((2, 31), np.uint8), "uint8 array, shape (2, 31), contiguous"),
        (np.zeros(32, np.uint8), "uint8 array, shape (32,), contiguous"),
        (np.zeros((4, 32), np.uint8)[::2], "uint8 array, shape (2, 32), not contiguous"),
        ([bytes(32)], "list"),
    ],
)
def test_leaves_that_are_no_hashes(leaves: Any, found: str) -> None:
    with pytest.raises(SpecError) as refused:
        Tree(leaves)
    assert refused.value.name == "BadColumn"
    wanted = "uint8 array, shape (any, 32), contiguous"
    assert refused.value.args_by_name == {"column": "leaves", "wanted": wanted, "found": found}


def _refusals() -> list[tuple[str, Any, str]]:
    tree = Tree(_leaves(5))
    two = _leaves(2)
    return [
        ("index above", lambda: tree.proof(5), "LeafOutOfRange(index=5, count=5)"),
        ("index below", lambda: tree.proof(-1), "LeafOutOfRange(index=-1, count=5)"),
        ("huge index", lambda: tree.proof(2**70), f"LeafOutOfRange(index={2**70}, count=5)"),
        ("one of many", lambda: tree.proofs(np.array([1, 7, 9])), "LeafOutOfRange(index=7, count=5)"),
        ("update", lambda: tree.update(np.array([1, -2]), two), "LeafOutOfRange(index=-2, count=5)"),
        ("twice", lambda: tree.update(np.array([3, 3]), two), "DuplicateLeaf(index=3)"),
        ("count", lambda: merge(two, 0, 2**40 + 1), f"OutOfRange(field=count, value={2**40 + 1}, low=0"),
        ("high", lambda: merge(two, 4, 5), "OutOfRange(field=height, value=4, low=0, high=3)"),
        (
            "few runs",
            lambda: merge(two, 1, 5),
            "BadColumn(column=subroots, wanted=uint8 array, shape (3, 32)",
        ),
        ("full run", lambda: subtree_root(_leaves(3), 1), "OutOfRange(field=leaves, value=3, low=0, high=2)"),
        ("tall", lambda: subtree_root(two, 41), "OutOfRange(field=height, value=41, low=0, high=40)"),
        ("threads", lambda: Tree(two, 0), "OutOfRange(field=threads, value=0, low=1, high=256)"),
    ]


@pytest.mark.parametrize(
    ("act", "message"), [case[1:] for case in _refusals()], ids=[c[0] for c in _refusals()]
)
def test_refusals(act: Any, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        act()
    assert str(refused.value).startswith(message)


def test_a_refused_update_changes_nothing() -> None:
    tree = Tree(_leaves(5))
    before = np.concatenate(tree.levels)
    for indices in ([0, 9], [0, 0]):
        with pytest.raises(SpecError):
            tree.update(np.array(indices), _leaves(2, seed=3))
    assert (np.concatenate(tree.levels) == before).all()
