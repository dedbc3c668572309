"""Family dispute: what claimants commit to, what signers of tickets sign, who signed two headers, and what an account held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from marginproof.spec import judgement, provenance, typed_data
from marginproof.spec.errors import SpecError
from marginproof.spec.hashing import keccak
from marginproof.spec.provenance import Change, History
from marginproof.spec.typed_data import Tickets

from .case import Draft, Json, Topic, decimal, hexadecimal, octets
from .schema import ADDRESS, BYTES, BYTES32, INTEGER, NATURAL, array, record
from .signing import KEYS, ORDER, SIGNATURE_BYTES, pack, recover, sign
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

_CHANGE: Final = record(blockNumber=NATURAL, portfolioHash=BYTES32)


def _change_json(change: Change) -> Json:
    return {"blockNumber": decimal(change.block_number), "portfolioHash": hexadecimal(change.portfolio_hash)}


def _history(given: Json) -> Json:
    later = tuple(Change(int(c["blockNumber"]), octets(c["portfolioHash"])) for c in given["later"])
    history = History(octets(given["before"]), int(given["changedAt"]), octets(given["portfolioHash"]), later)
    held = provenance.held_after(octets(given["word"]), history, int(given["blockNumber"]))
    return {"held": hexadecimal(held)}


def _histories() -> Iterator[Draft]:
    changes = [Change(block, keccak(b"%d" % block)) for block in (5, 5, 9, 20, 31)]

    def draft(name: str, made: list[Change], history: History, block: int) -> Draft:
        given = {
            "word": hexadecimal(provenance.folded(made)),
            "before": hexadecimal(history.before),
            "changedAt": decimal(history.changed_at),
            "portfolioHash": hexadecimal(history.portfolio_hash),
            "later": [_change_json(change) for change in history.later],
            "blockNumber": decimal(block),
        }
        return Draft(name, given, ("history",))

    for count in range(len(changes) + 1):
        for block in (4, 5, 20):
            made = changes[:count]
            yield draft(f"{count} changes, after block {block}", made, provenance.witness(made, block), block)
    for block in (5, 9, 20):
        true = provenance.witness(changes, block)
        for name, history in (
            ("a later change left out", replace(true, later=true.later[1:])),
            ("a later change put in", replace(true, later=(*true.later, changes[0]))),
            ("later changes exchanged", replace(true, later=true.later[::-1])),
            ("another portfolio", replace(true, portfolio_hash=keccak(b"another"))),
            ("another block", replace(true, changed_at=true.changed_at + 1)),
            ("another word before", replace(true, before=keccak(b"another"))),
            ("no changes at all", History(bytes(32), 0, bytes(32), ())),
        ):
            yield draft(f"{name}, after block {block}", changes, history, block)
        for other in (4, 31):
            yield draft(
                f"the witness of block {other} for {block}",
                changes,
                provenance.witness(changes, other),
                block,
            )


# --- commitments, tickets, twins ---------------------------------------------------------------------------------------


def _commitment(given: Json) -> Json:
    claimant, subject, salt = (octets(given[name]) for name in ("claimant", "subject", "salt"))
    made = judgement.commitment(claimant, int(given["kind"]), int(given["round"]), subject, salt)
    return {"commitment": hexadecimal(made)}


def _commitments() -> Iterator[Draft]:
    usual: dict[str, Any] = {
        "claimant": CONTRACT,
        "kind": 0,
        "round": 7,
        "subject": (3).to_bytes(32, "big"),
        "salt": keccak(b"salt"),
    }
    changes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("a usual claim", {}),
        ("another claimant", {"claimant": bytes(20)}),
        *((f"kind {kind}", {"kind": kind}) for kind in range(1, 5)),
        ("another round", {"round": 2**64 - 1}),
        ("another subject", {"subject": b"\xff" * 32}),
        ("no salt", {"salt": bytes(32)}),
    )
    for name, change in changes:
        values = usual | change
        given = {k: hexadecimal(v) if isinstance(v, bytes) else decimal(v) for k, v in values.items()}
        yield Draft(name, given, ("commitment",))


def _tickets(given: Json) -> Json:
    leaves = tuple(octets(leaf) for leaf in given["leaves"])
    struct_hash = Tickets(int(given["round"]), octets(given["headerHash"]), leaves).struct_hash()
    digest = typed_data.digest(separator_of(given), struct_hash)
    return {"structHash": hexadecimal(struct_hash), "digest": hexadecimal(digest)}


def _ticket_drafts() -> Iterator[Draft]:
    a, b = (hexadecimal(keccak(text)) for text in (b"leaf a", b"leaf b"))
    header = hexadecimal(HEADER.struct_hash())
    for name, leaves in (
        ("two leaves", [a, b]),
        ("in another order", [b, a]),
        ("one leaf", [a]),
        ("one leaf twice", [a, a]),
        ("none", []),
    ):
        given = {**domain_json(), "round": "7", "headerHash": header, "leaves": leaves}
        yield Draft(name, given, ("tickets",))
    for name, change in (
        ("another round", {"round": "18446744073709551615"}),
        ("another header", {"headerHash": hexadecimal(bytes(32))}),
        ("another chain", domain_json(1)),
        ("another contract", domain_json(contract=bytes(20))),
    ):
        yield Draft(
            name,
            {**domain_json(), "round": "7", "headerHash": header, "leaves": [a, b], **change},
            ("tickets",),
        )


def _twins(given: Json) -> Json:
    first, second = header_of(given["first"]), header_of(given["second"])
    if first.round != second.round:
        raise SpecError("DifferentRounds", first=first.round, second=second.round)
    hashes = first.struct_hash(), second.struct_hash()
    if hashes[0] == hashes[1]:
        raise SpecError("SameHeader", headerHash=hexadecimal(hashes[0]))
    signers = []
    for struct_hash, name in zip(hashes, ("firstSignature", "secondSignature"), strict=True):
        signature = octets(given[name])
        if len(signature) != SIGNATURE_BYTES:
            raise SpecError("WrongSignatureLength", length=len(signature))
        signers.append(
            hexadecimal(recover(typed_data.digest(separator_of(given), struct_hash), signature, 0))
        )
    if signers[0] != signers[1]:
        raise SpecError("DifferentSigners", first=signers[0], second=signers[1])
    return {"signer": signers[0]}


def _twin_drafts() -> Iterator[Draft]:
    separator = typed_data.domain_separator(CHAIN_ID, CONTRACT)
    other = replace(HEADER, leaf_root=keccak(b"another root"))
    one, two = KEYS[0], KEYS[1]

    def signed(header: typed_data.EpochHeader, key: Any = one, domain: bytes = separator) -> bytes:
        return sign(key, typed_data.digest(domain, header.struct_hash()))

    def draft(
        name: str,
        second: typed_data.EpochHeader = other,
        signatures: tuple[bytes, bytes] | None = None,
    ) -> Draft:
        both = signatures or (signed(HEADER), signed(second))
        given = {
            **domain_json(),
            "first": header_json(HEADER),
            "firstSignature": hexadecimal(both[0]),
            "second": header_json(second),
            "secondSignature": hexadecimal(both[1]),
        }
        return Draft(name, given, ("equivocation",))

    for field, value in (
        ("leaf_root", keccak(b"another root")),
        ("time", 5),
        ("block_number", 9),
        ("leaf_count", 51),
    ):
        yield draft(f"two headers that differ in {field}", replace(HEADER, **{field: value}))  # type: ignore[arg-type]
    yield draft("rounds apart", replace(HEADER, round=8))
    yield draft("one header twice", HEADER)
    good = signed(HEADER), signed(other)
    r, s, v = int.from_bytes(good[1][:32], "big"), int.from_bytes(good[1][32:64], "big"), good[1][64]
    for name, bad in (
        ("by another signer", signed(other, two)),
        ("a signature of the first header", good[0]),
        ("a byte short", good[1][:-1]),
        ("a byte long", good[1] + b"\0"),
        ("empty", b""),
        ("two signatures", good[1] * 2),
        ("a high s", pack(r, ORDER - s, 55 - v)),
        ("v of 0 or 1", pack(r, s, v - 27)),
        ("v of 29", pack(r, s, 29)),
        ("r of 0", pack(0, s, v)),
        ("s of 0", pack(r, 0, v)),
        ("s of the group order", pack(r, ORDER, v)),
        ("all zero", bytes(SIGNATURE_BYTES)),
        ("for another chain", signed(other, one, typed_data.domain_separator(1, CONTRACT))),
        ("for another contract", signed(other, one, typed_data.domain_separator(CHAIN_ID, bytes(20)))),
    ):
        yield draft(f"the second: {name}", signatures=(good[0], bad))
    yield draft("the first: a byte short", signatures=(good[0][:-1], good[1]))
    yield draft("the first: by another signer", signatures=(signed(HEADER, two), good[1]))


def _topic(name: str, comment: str, *parts: Any) -> Topic:
    return Topic("dispute", name, comment, *parts)


TOPICS: Final = (
    _topic(
        "history",
        "What an account held after a block, proven from its word.",
        _history,
        _histories,
        record(
            word=BYTES32,
            before=BYTES32,
            changedAt=NATURAL,
            portfolioHash=BYTES32,
            later=array(_CHANGE),
            blockNumber=NATURAL,
        ),
        record(held=BYTES32),
    ),
    _topic(
        "commitment",
        "What a claimant commits to.",
        _commitment,
        _commitments,
        record(claimant=ADDRESS, kind=INTEGER, round=NATURAL, subject=BYTES32, salt=BYTES32),
        record(commitment=BYTES32),
    ),
    _topic(
        "tickets",
        "Struct hash and digest of tickets.",
        _tickets,
        _ticket_drafts,
        record(**DOMAIN_FIELDS, round=NATURAL, headerHash=BYTES32, leaves=array(BYTES32)),
        record(structHash=BYTES32, digest=BYTES32),
    ),
    _topic(
        "equivocation",
        "Who signed two headers of one round.",
        _twins,
        _twin_drafts,
        record(
            **DOMAIN_FIELDS,
            first=HEADER_SCHEMA,
            firstSignature=BYTES,
            second=HEADER_SCHEMA,
            secondSignature=BYTES,
        ),
        record(signer=ADDRESS),
    ),
)
