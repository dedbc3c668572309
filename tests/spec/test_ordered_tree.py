"""The tree: every leaf has one place, its proof leads to the root, and nothing else does."""

from __future__ import annotations

import pytest
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from marginproof.spec import tree
from marginproof.spec.errors import SpecError

hashes = st.binary(min_size=32, max_size=32)
rows = st.lists(hashes, min_size=1, max_size=40)


def _full_root(leaves: list[bytes]) -> bytes:
    """The root from the definition: pad to a power of two, hash pairs."""
    size = 1
    while size < len(leaves):
        size *= 2
    row = leaves + [keccak(b"marginproof.empty-leaf")] * (size - len(leaves))
    while len(row) > 1:
        row = [keccak(row[i] + row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


@given(rows)
def test_the_root_is_that_of_the_full_tree(leaves: list[bytes]) -> None:
    assert tree.root(leaves) == _full_root(leaves)


def test_no_leaves() -> None:
    assert tree.root([]) == tree.EMPTY_LEAF == keccak(b"marginproof.empty-leaf")


@given(rows, st.data())
def test_every_proof_verifies_at_its_index_only(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    levels = tree.tree_levels(leaves)
    siblings = tree.proof(levels, index)
    root = levels[-1][0]
    assert len(siblings) == tree.depth(len(leaves))
    tree.verify(leaves[index], index, len(leaves), siblings, root)
    for other in range(len(leaves)):
        if other != index and leaves[other] != leaves[index]:
            with pytest.raises(SpecError, match="WrongRoot"):
                tree.verify(leaves[other], index, len(leaves), siblings, root)


@given(st.lists(hashes, min_size=2, max_size=33, unique=True), st.data())
def test_a_leaf_cannot_be_moved(leaves: list[bytes], data: st.DataObject) -> None:
    index, elsewhere = data.draw(
        st.lists(st.integers(0, len(leaves) - 1), min_size=2, max_size=2, unique=True)
    )
    levels = tree.tree_levels(leaves)
    with pytest.raises(SpecError, match="WrongRoot"):
        tree.verify(leaves[index], elsewhere, len(leaves), tree.proof(levels, index), levels[-1][0])


@given(rows, st.data())
def test_an_inner_node_is_no_leaf(leaves: list[bytes], data: st.DataObject) -> None:
    levels = tree.tree_levels(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    siblings = tree.proof(levels, index)
    for height in range(1, len(levels)):
        with pytest.raises(SpecError, match="BadProofLength"):
            tree.verify(
                levels[height][index >> height],
                index >> height,
                len(leaves),
                siblings[height:],
                levels[-1][0],
            )


@pytest.mark.parametrize(
    ("count", "depth"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (10**6, 20), (2**40, 40)]
)
def test_depth(count: int, depth: int) -> None:
    assert tree.depth(count) == depth


def test_depth_is_capped() -> None:
    with pytest.raises(SpecError, match="TooManyLeaves") as refusal:
        tree.depth(2**40 + 1)
    assert refusal.value.args_by_name == {"count": 2**40 + 1}


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_indices_outside_the_count_are_refused(index: int) -> None:
    leaves = [bytes([i]) * 32 for i in range(3)]
    levels = tree.tree_levels(leaves)
    with pytest.raises(SpecError, match="LeafOutOfRange"):
        tree.proof(levels, index)
    with pytest.raises(SpecError, match="LeafOutOfRange"):
        tree.verify(leaves[0], index, 3, tree.proof(levels, 0), levels[-1][0])


def test_empty_subtrees() -> None:
    roots = tree.empty_subtrees(3)
    assert len(roots) == 4
    assert roots[3] == keccak(roots[2] + roots[2])
