"""Family eip712, topic quorum: signatures with exactly one fault, at every position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import combinations
from typing import Any, Final

from eth_keys.datatypes import PrivateKey

from marginproof.spec import typed_data
from marginproof.spec.hashing import keccak

from .signing import ORDER, SIGNATURE_BYTES, pack, sign
from .typed import CHAIN_ID, CONTRACT, HEADER, LEAF

Signed = tuple[str, list[bytes], int]
"""Name, signatures, threshold."""
_TOP: Final = 2**256 - 1
_FIELD: Final = 2**256 - 2**32 - 977
_BEYOND: Final = next(
    x for x in range(ORDER + 1, ORDER + 100) if pow(x**3 + 7, (_FIELD - 1) // 2, _FIELD) == 1
)
"""The first x above the group order that some point of the curve has: what a missing check of r would let through."""


def whole_quorums(signatures: list[bytes]) -> Iterator[Signed]:
    """Every choice of members, at every threshold but those that the topic names one by one."""
    for size in (1, 3, 4):
        for chosen in combinations(range(len(signatures)), size):
            yield f"members {list(chosen)}", [signatures[i] for i in chosen], size


def _malformed(signature: bytes) -> Iterator[tuple[str, bytes]]:
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    for value in (0, 26, 29, 255):
        yield f"v of {value}", pack(r, s, value)
    yield "r of 0", pack(0, s, v)
    yield "r of the group order", pack(ORDER, s, v)
    yield "r above the group order, on a point of the curve", pack(_BEYOND, s, v)
    yield "r of 2^256 - 1", pack(_TOP, s, v)
    yield "r on no point of the curve", pack(5, s, v)
    yield "s of 0", pack(r, 0, v)
    yield "the least high s", pack(r, ORDER // 2 + 1, v)
    yield "s of 2^256 - 1", pack(r, _TOP, v)


def malformed(good: list[bytes]) -> Iterator[Signed]:
    """Every way to write a signature badly, once at each position of a quorum of three, by turns."""
    for number, (name, _) in enumerate(_malformed(good[0])):
        for position in {number % 3, (number + 1) % 3}:
            bad = dict(_malformed(good[position]))[name]
            signatures = [*good[:position], bad, *good[position + 1 :]]
            yield f"signature {position}: {name}", signatures, 3


def wrong_lengths(good: list[bytes]) -> Iterator[Signed]:
    """Cut and extended at the edges of fields and signatures."""
    data = b"".join(good)
    whole = len(data)
    for length in (1, 32, 64, 66, 97, 129, 131, 162, whole - 33):
        yield f"{length} bytes", [data[:length]], 3
    for count in (1, 2):
        yield f"{count} of three", good[:count], 3
    yield "a whole signature of zeros more", [*good, bytes(SIGNATURE_BYTES)], 3


def strangers(members: list[PrivateKey], foreigners: list[PrivateKey], digest: bytes) -> Iterator[Signed]:
    """One signer in each position who is no attester; addresses increase all the same. Keys in the order of addresses."""
    by_address = sorted([*members, *foreigners], key=lambda key: bytes(key.public_key.to_canonical_address()))
    for chosen in combinations(by_address, 3):
        outside = [key for key in chosen if key in foreigners]
        own = [key for key in chosen if key in members]
        if len(outside) == 1 and own in (members[:2], members[1:3], members[3:]):
            position = chosen.index(outside[0])
            name = f"a foreigner at {position} beside members {[members.index(key) for key in own]}"
            yield name, [sign(key, digest) for key in chosen], 3


def other_messages(key: PrivateKey, separator: bytes) -> Iterator[Signed]:
    """A member's good signature of something else. Its recovered signer is nobody."""
    for field in fields(HEADER):
        value = getattr(HEADER, field.name)
        changed = keccak(value) if isinstance(value, bytes) else value + 1
        change: dict[str, Any] = {field.name: changed}
        struct_hash = replace(HEADER, **change).struct_hash()
        yield f"a header with another {field.name}", [sign(key, typed_data.digest(separator, struct_hash))], 1
    struct_hash = HEADER.struct_hash()
    next_chain = typed_data.domain_separator(CHAIN_ID + 1, CONTRACT)
    for name, digest in (
        ("the header for the next chain", typed_data.digest(next_chain, struct_hash)),
        ("the struct hash itself", struct_hash),
        ("domain and struct hash swapped", typed_data.digest(struct_hash, separator)),
        ("the digest without its prefix", keccak(separator + struct_hash)),
        (
            "the digest as a personal message",
            keccak(b"\x19Ethereum Signed Message:\n32" + typed_data.digest(separator, struct_hash)),
        ),
        ("a leaf", typed_data.digest(separator, LEAF.struct_hash())),
    ):
        yield name, [sign(key, digest)], 1
