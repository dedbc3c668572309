"""Family tree: roots, proofs, and what a proof must not pass for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from marginproof.spec import tree
from marginproof.spec.hashing import keccak

from .case import Draft, Json, Topic, decimal, hexadecimal, octets
from .schema import BYTES32, NATURAL, array, record
from .tree_faults import far_claim, faulty_claims, leaves

_SIGNED_COUNT: Final = (
    "passes for that count, which is why the count is signed in the header and never the claimant's"
)
_COUNTS: Final = (0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33)


def _depth(given: Json) -> Json:
    return {"depth": decimal(tree.depth(int(given["count"])))}


def _depths() -> Iterator[Draft]:
    for exponent in (0, 1, 2, 3, 10, 20, 39, 40):
        for count in {2**exponent - 1, 2**exponent, 2**exponent + 1}:
            yield Draft(f"{count} leaves", {"count": decimal(count)}, ("corner",))
    for count in (2**41, 2**48, 2**63, 2**64 - 1):
        yield Draft(f"{count} leaves", {"count": decimal(count)}, ("corner",))


def _root(given: Json) -> Json:
    return {"root": hexadecimal(tree.root([octets(leaf) for leaf in given["leaves"]]))}


def _roots() -> Iterator[Draft]:
    for count in _COUNTS:
        yield Draft(f"{count} leaves", {"leaves": [hexadecimal(leaf) for leaf in leaves(count)]}, ("corner",))


def _proof(given: Json) -> Json:
    levels = tree.tree_levels([octets(leaf) for leaf in given["leaves"]])
    return {"proof": [hexadecimal(node) for node in tree.proof(levels, int(given["index"]))]}


def _proofs() -> Iterator[Draft]:
    for count in _COUNTS[1:]:
        for index in sorted({0, count // 2, count - 1}):
            given = {"leaves": [hexadecimal(leaf) for leaf in leaves(count)], "index": decimal(index)}
            yield Draft(f"leaf {index} of {count}", given, ("corner",))
    for count in (1, 3, 8, 9):
        for index in (count, count + 1, 2**40):
            given = {"leaves": [hexadecimal(leaf) for leaf in leaves(count)], "index": decimal(index)}
            yield Draft(f"leaf {index} of {count}", given, ("corner",), "not in the tree")
    for count in (2, 5, 16, 33):
        for index in (count, 2 ** tree.depth(count), 2**64 - 1):
            given = {"leaves": [hexadecimal(leaf) for leaf in leaves(count)], "index": decimal(index)}
            if index > count or count != 2 ** tree.depth(count):
                yield Draft(f"leaf {index} of {count}", given, ("corner",), "not in the tree")


def _verify(given: Json) -> Json:
    proof = [octets(node) for node in given["proof"]]
    root = octets(given["root"])
    tree.verify(octets(given["leaf"]), int(given["index"]), int(given["count"]), proof, root)
    return {"root": hexadecimal(root)}


def _claim(
    name: str,
    leaf: bytes,
    index: int,
    count: int,
    proof: list[bytes],
    root: bytes,
    flag: str,
    comment: str = "",
) -> Draft:
    given = {
        "leaf": hexadecimal(leaf),
        "index": decimal(index),
        "count": decimal(count),
        "proof": [hexadecimal(node) for node in proof],
        "root": hexadecimal(root),
    }
    return Draft(name, given, (flag,), comment)


def _claims() -> Iterator[Draft]:
    for count in (1, 2, 5, 8, 33):
        row = leaves(count)
        levels = tree.tree_levels(row)
        root = levels[-1][0]
        for index in sorted({0, count // 2, count - 1}):
            proof = tree.proof(levels, index)
            yield _claim(f"leaf {index} of {count}", row[index], index, count, proof, root, "usual")
    far = far_claim()
    yield _claim("the last of 2^40 leaves", *far, "corner")
    yield _claim("a count above 2^40", far.leaf, 7, 2**40 + 1, [*far.proof, far.leaf], far.root, "corner")
    yield from _forgeries()
    for name, claim in faulty_claims():
        yield _claim(name, *claim, "forgery")


def _forgeries() -> Iterator[Draft]:
    row = leaves(5)
    levels = tree.tree_levels(row)
    root = levels[-1][0]
    proof = tree.proof(levels, 2)
    yield _claim("another account's leaf", row[3], 2, 5, proof, root, "forgery")
    yield _claim("another account's index", row[2], 3, 5, proof, root, "forgery")
    yield _claim("another epoch's root", row[2], 2, 5, proof, tree.root(leaves(6)), "forgery")
    yield _claim("siblings in the wrong order", row[2], 2, 5, proof[::-1], root, "forgery")
    yield _claim("a changed sibling", row[2], 2, 5, [proof[0], keccak(proof[1]), proof[2]], root, "forgery")
    yield _claim("no proof", row[2], 2, 5, [], root, "forgery")
    yield _claim("the root as a leaf", root, 0, 5, [], root, "forgery")
    yield _claim("the root as the only leaf, with the right count", root, 0, 5, proof, root, "forgery")
    yield _claim("an inner node with the siblings above it", levels[1][1], 1, 5, proof[1:], root, "forgery")
    yield _claim(
        "an inner node, the count halved to fit",
        levels[1][1],
        1,
        3,
        proof[1:],
        root,
        "forgery",
        _SIGNED_COUNT,
    )
    yield _claim("an inner node with its own depth", levels[1][1], 2, 5, proof, root, "forgery")
    yield _claim("a sibling too many", row[2], 2, 5, [*proof, tree.EMPTY_LEAF], root, "forgery")
    yield _claim("a sibling too few", row[2], 2, 5, proof[:-1], root, "forgery")
    yield _claim(
        "a padding leaf as account 5",
        tree.EMPTY_LEAF,
        5,
        5,
        tree.proof(tree.tree_levels([*row, tree.EMPTY_LEAF]), 5),
        root,
        "forgery",
    )
    yield _claim("index equal to the count", row[4], 5, 5, proof, root, "forgery")
    yield _claim("index above 2^3", row[2], 10, 5, proof, root, "forgery")
    yield _claim("no leaves", row[0], 0, 0, [], root, "forgery")
    yield _claim("a smaller count", row[2], 2, 4, proof, root, "forgery")
    yield _claim("a larger count", row[2], 2, 9, proof, root, "forgery")


TOPICS: Final = (
    Topic(
        "tree",
        "depth",
        "Levels above the leaves.",
        _depth,
        _depths,
        record(count=NATURAL),
        record(depth=NATURAL),
    ),
    Topic(
        "tree",
        "root",
        "The root over leaf hashes.",
        _root,
        _roots,
        record(leaves=array(BYTES32)),
        record(root=BYTES32),
    ),
    Topic(
        "tree",
        "proof",
        "The siblings of a leaf, from the bottom.",
        _proof,
        _proofs,
        record(leaves=array(BYTES32), index=NATURAL),
        record(proof=array(BYTES32)),
    ),
    Topic(
        "tree",
        "verify",
        "Whether a proof shows a leaf at an index of a tree of `count` leaves.",
        _verify,
        _claims,
        record(leaf=BYTES32, index=NATURAL, count=NATURAL, proof=array(BYTES32), root=BYTES32),
        record(root=BYTES32),
    ),
)
