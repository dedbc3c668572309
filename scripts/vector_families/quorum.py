"""Family eip712, topic quorum: the signatures of a header."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from marginproof.spec import typed_data
from marginproof.spec.hashing import keccak

from .case import Draft, Json, Topic, decimal, hexadecimal, octets
from .quorum_faults import malformed, other_messages, strangers, whole_quorums, wrong_lengths
from .schema import ADDRESS, BYTES, BYTES32, NATURAL, array, record
from .signing import KEYS, ORDER, SIGNATURE_BYTES, address, pack, quorum, sign
from .typed import (
    CHAIN_ID,
    CONTRACT,
    DOMAIN_FIELDS,
    HEADER,
    HEADER_SCHEMA,
    domain_json,
    header_json,
    header_of,
    separator_of,
)


def _quorum(given: Json) -> Json:
    digest = typed_data.digest(separator_of(given), header_of(given["header"]).struct_hash())
    attesters = [octets(attester) for attester in given["attesters"]]
    signers = quorum(digest, octets(given["signatures"]), attesters, int(given["threshold"]))
    return {"digest": hexadecimal(digest), "signers": [hexadecimal(signer) for signer in signers]}


def _quorums() -> Iterator[Draft]:
    members, foreigners = KEYS[:3] + KEYS[4:6], (KEYS[3], KEYS[6])
    separator = typed_data.domain_separator(CHAIN_ID, CONTRACT)
    digest = typed_data.digest(separator, HEADER.struct_hash())
    by_all = [sign(key, digest) for key in members]

    def draft(name: str, *signatures: bytes, threshold: int = 3) -> Draft:
        given = {
            **domain_json(),
            "header": header_json(HEADER),
            "attesters": [hexadecimal(address(key)) for key in members],
            "threshold": decimal(threshold),
            "signatures": hexadecimal(b"".join(signatures)),
        }
        return Draft(name, given, ("signatures",))

    a, b, c, d, e = by_all
    yield draft("the first three of five", a, b, c)
    yield draft("the last three of five", c, d, e)
    yield draft("every other", a, c, e)
    yield draft("all five of five", a, b, c, d, e, threshold=5)
    yield draft("one of one", d, threshold=1)
    yield draft("two of two", b, d, threshold=2)
    yield draft("none")
    yield draft("too few", a, b)
    yield draft("too many", a, b, c, d)
    yield draft("a byte short", a, b, c[:-1])
    yield draft("a byte long", a, b, c, b"\0")
    yield draft("half a signature", a[:32], threshold=1)
    yield draft("the same twice", a, a, b)
    yield draft("the same twice at the end", a, b, b)
    yield draft("unordered", b, a, c)
    yield draft("unordered at the end", a, c, b)
    for index, foreigner in ((1, foreigners[0]), (2, foreigners[1])):
        foreign = sign(foreigner, digest)
        yield draft(
            f"signature {index} by a foreigner", *([c, foreign, d] if index == 1 else [a, b, foreign])
        )
    for index, original in enumerate((a, b, c)):
        r, s, v = int.from_bytes(original[:32], "big"), int.from_bytes(original[32:64], "big"), original[64]
        high = pack(r, ORDER - s, 55 - v)
        yield draft(
            f"signature {index} with a high s", *[high if i == index else x for i, x in enumerate((a, b, c))]
        )
    r, s, v = int.from_bytes(a[:32], "big"), int.from_bytes(a[32:64], "big"), a[64]
    for name, changed in (
        ("v of 0 or 1", pack(r, s, v - 27)),
        ("v of 29", pack(r, s, 29)),
        ("r of 0", pack(0, s, v)),
        ("s of 0", pack(r, 0, v)),
        ("r of the group order", pack(ORDER, s, v)),
        ("s of the group order", pack(r, ORDER, v)),
        ("r on no point of the curve", pack(5, s, v)),
        ("all zero", bytes(SIGNATURE_BYTES)),
    ):
        yield draft(name, changed, threshold=1)
    for name, other in (
        ("a header of another round", replace(HEADER, round=8)),
        ("a header of another root", replace(HEADER, leaf_root=keccak(b"another root"))),
    ):
        yield draft(name, sign(members[0], typed_data.digest(separator, other.struct_hash())), threshold=1)
    for name, domain in (("another chain", (1, CONTRACT)), ("another contract", (CHAIN_ID, bytes(20)))):
        strange = typed_data.digest(typed_data.domain_separator(*domain), HEADER.struct_hash())
        yield draft(f"a header for {name}", sign(members[0], strange), threshold=1)
    for group in (
        whole_quorums(by_all),
        malformed([a, b, c]),
        wrong_lengths([a, b, c]),
        strangers(list(members), list(foreigners), digest),
        other_messages(members[0], separator),
    ):
        for name, signatures, threshold in group:
            yield draft(name, *signatures, threshold=threshold)
    for name, chosen in (
        ("the first two exchanged", (b, a, c, d)),
        ("the middle two exchanged", (a, c, b, d)),
        ("the last two exchanged", (a, b, d, c)),
        ("the first at the end", (b, c, d, a)),
        ("the first twice", (a, a, c, d)),
        ("the last twice", (a, b, d, d)),
    ):
        yield draft(f"four, {name}", *chosen, threshold=4)


TOPICS: Final = (
    Topic(
        "eip712",
        "quorum",
        "Signatures (r, s, v, 65 bytes each) of a header by a quorum of attesters, in the order of the signers' addresses.",
        _quorum,
        _quorums,
        record(
            **DOMAIN_FIELDS,
            header=HEADER_SCHEMA,
            attesters=array(ADDRESS),
            threshold=NATURAL,
            signatures=BYTES,
        ),
        record(digest=BYTES32, signers=array(ADDRESS)),
    ),
)
