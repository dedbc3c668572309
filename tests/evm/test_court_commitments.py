"""The tree and the typed data: against the specification, and typed data against eth_account's own EIP-712 encoder."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

import pytest
from eth_account.messages import encode_typed_data

from marginproof.spec.hashing import keccak
from marginproof.spec.tree import EMPTY_LEAF, depth, proof, tree_levels, verify
from marginproof.spec.typed_data import (
    HEADER_TYPE,
    LEAF_TYPE,
    ORDER_TYPE,
    TICKETS_TYPE,
    EpochHeader,
    Leaf,
    Order,
    Tickets,
)

from .agreement import assert_refused_alike
from .machine import Contract, Machine


@pytest.fixture(scope="module")
def harness() -> Contract:
    return Machine().deploy("CodecHarness")


def leaves(count: int) -> list[bytes]:
    return [keccak(b"leaf %d" % i) for i in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 100])
def test_every_leaf_is_found(harness: Contract, count: int) -> None:
    levels = tree_levels(leaves(count))
    assert harness.call("treeDepth", count) == depth(count)
    for index, leaf in enumerate(leaves(count)):
        harness.call("verifyLeaf", leaf, index, count, proof(levels, index), levels[-1][0])


def test_depths(harness: Contract) -> None:
    for count in (0, 1, 2, 3, 4, 5, 2**20, 2**20 + 1, 2**40 - 1, 2**40):
        assert harness.call("treeDepth", count) == depth(count)
    for count in (2**40 + 1, 2**64 - 1):
        assert_refused_alike(
            partial(depth, count), partial(harness.call, "treeDepth", count), "TooManyLeaves"
        )


def refused_alike(harness: Contract, name: str, *parts: Any) -> None:
    assert_refused_alike(lambda: verify(*parts), lambda: harness.call("verifyLeaf", *parts), name)


def test_what_does_not_verify(harness: Contract) -> None:
    hashes = leaves(11)
    levels = tree_levels(hashes)
    root, siblings = levels[-1][0], proof(levels, 6)
    refused_alike(harness, "LeafOutOfRange", hashes[6], 11, 11, siblings, root)
    refused_alike(harness, "LeafOutOfRange", hashes[0], 0, 0, [], root)
    refused_alike(harness, "BadProofLength", hashes[6], 6, 11, siblings[:-1], root)
    refused_alike(harness, "BadProofLength", hashes[6], 6, 11, [*siblings, root], root)
    refused_alike(harness, "BadProofLength", levels[1][3], 3, 11, siblings[1:], root)
    refused_alike(harness, "WrongRoot", hashes[6], 7, 11, siblings, root)
    refused_alike(harness, "WrongRoot", hashes[5], 6, 11, siblings, root)
    refused_alike(harness, "WrongRoot", EMPTY_LEAF, 6, 11, siblings, root)
    refused_alike(harness, "WrongRoot", hashes[6], 6, 11, siblings[::-1], root)
    refused_alike(harness, "WrongRoot", hashes[6], 6, 11, siblings, bytes(32))


def third_party_hash(type_string: str, message: dict[str, Any]) -> bytes:
    """The struct hash by eth_account, from the type string's fields."""
    name, _, fields = type_string.rstrip(")").partition("(")
    members = [dict(zip(("type", "name"), field.split(" "), strict=True)) for field in fields.split(",")]
    domain = {"name": "any"}
    return bytes(encode_typed_data(domain, {name: members}, message).body)


def fields(type_string: str) -> list[str]:
    return [field.split(" ")[1] for field in type_string.rstrip(")").partition("(")[2].split(",")]


def drawn(rng: Random, kind: str) -> Any:
    """A value of an ABI type, an end of its range half of the time."""
    if kind.endswith("[]"):
        return [drawn(rng, kind.removesuffix("[]")) for _ in range(rng.randint(0, 4))]
    if kind.startswith("bytes"):
        return rng.randbytes(32 if kind == "bytes32" else rng.randint(0, 16))
    bits = int(kind.lstrip("uint"))
    low, high = (0, 2**bits - 1) if kind.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return rng.choice((low, high, rng.randint(low, high), rng.randint(low, high)))


CASES = {
    "header": ("hashHeader", HEADER_TYPE, EpochHeader),
    "leaf": ("hashLeaf", LEAF_TYPE, Leaf),
    "order": ("hashOrder", ORDER_TYPE, Order),
    "tickets": ("hashTickets", TICKETS_TYPE, Tickets),
}


@pytest.mark.parametrize(("call", "type_string", "struct"), CASES.values(), ids=CASES.keys())
def test_struct_hashes(harness: Contract, call: str, type_string: str, struct: Any) -> None:
    rng = Random(type_string)
    kinds = [field.split(" ")[0] for field in type_string.rstrip(")").partition("(")[2].split(",")]
    for _ in range(20):
        values = tuple(drawn(rng, kind) for kind in kinds)
        expected = third_party_hash(type_string, dict(zip(fields(type_string), values, strict=True)))
        # Structs of the interface are one argument, the parts of tickets three.
        assert harness.call(call, *(values if struct is Tickets else (values,))) == expected
        assert struct(*values).struct_hash() == expected
