"""Family eip712: domains, struct hashes, digests, and the signatures of a quorum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from marginproof.spec import typed_data
from marginproof.spec.hashing import keccak
from marginproof.spec.typed_data import EpochHeader, Leaf, Order

from .case import Draft, Json, Topic, decimal, hexadecimal, octets
from .schema import ADDRESS, BYTES, BYTES32, INTEGER, NATURAL, record

DOMAIN_FIELDS: Final = {"chainId": NATURAL, "contract": ADDRESS}
HEADER_SCHEMA: Final = record(
    round=NATURAL,
    time=NATURAL,
    blockNumber=NATURAL,
    blockHash=BYTES32,
    validUntil=NATURAL,
    modelHash=BYTES32,
    marketHash=BYTES32,
    leafRoot=BYTES32,
    leafCount=NATURAL,
)
LEAF_SCHEMA: Final = record(
    account=NATURAL,
    portfolioHash=BYTES32,
    portfolioValue=INTEGER,
    spotValue=INTEGER,
    initialMargin=NATURAL,
    maintenanceMargin=NATURAL,
    worstScenarios=BYTES,
)
_ORDER_FIELDS: Final = ("account", "instrument", "quantity", "price", "nonce", "deadline")
CONTRACT: Final = keccak(b"marginproof vector contract")[:20]
CHAIN_ID: Final = 31337
HEADER: Final = EpochHeader(
    round=7,
    time=1_770_000_000,
    block_number=1234,
    block_hash=keccak(b"block"),
    valid_until=1_770_003_600,
    model_hash=keccak(b"model"),
    market_hash=keccak(b"market"),
    leaf_root=keccak(b"root"),
    leaf_count=50,
)
LEAF: Final = Leaf(
    3, keccak(b"portfolio"), -12_345_678_901, 7_000_000_000, 500_000_000, 400_000_000, bytes((1, 24, 2, 0))
)


def header_json(header: EpochHeader) -> Json:
    """A header's fields."""
    return {
        "round": decimal(header.round),
        "time": decimal(header.time),
        "blockNumber": decimal(header.block_number),
        "blockHash": hexadecimal(header.block_hash),
        "validUntil": decimal(header.valid_until),
        "modelHash": hexadecimal(header.model_hash),
        "marketHash": hexadecimal(header.market_hash),
        "leafRoot": hexadecimal(header.leaf_root),
        "leafCount": decimal(header.leaf_count),
    }


def header_of(given: Json) -> EpochHeader:
    """The inverse of `header_json`."""
    return EpochHeader(
        round=int(given["round"]),
        time=int(given["time"]),
        block_number=int(given["blockNumber"]),
        block_hash=octets(given["blockHash"]),
        valid_until=int(given["validUntil"]),
        model_hash=octets(given["modelHash"]),
        market_hash=octets(given["marketHash"]),
        leaf_root=octets(given["leafRoot"]),
        leaf_count=int(given["leafCount"]),
    )


def leaf_json(leaf: Leaf) -> Json:
    """A leaf's fields."""
    return {
        "account": decimal(leaf.account),
        "portfolioHash": hexadecimal(leaf.portfolio_hash),
        "portfolioValue": decimal(leaf.portfolio_value),
        "spotValue": decimal(leaf.spot_value),
        "initialMargin": decimal(leaf.initial_margin),
        "maintenanceMargin": decimal(leaf.maintenance_margin),
        "worstScenarios": hexadecimal(leaf.worst_scenarios),
    }


def leaf_of_json(given: Json) -> Leaf:
    """The inverse of `leaf_json`."""
    return Leaf(
        account=int(given["account"]),
        portfolio_hash=octets(given["portfolioHash"]),
        portfolio_value=int(given["portfolioValue"]),
        spot_value=int(given["spotValue"]),
        initial_margin=int(given["initialMargin"]),
        maintenance_margin=int(given["maintenanceMargin"]),
        worst_scenarios=octets(given["worstScenarios"]),
    )


def separator_of(given: Json) -> bytes:
    """The domain separator of `{chainId, contract}`."""
    return typed_data.domain_separator(int(given["chainId"]), octets(given["contract"]))


def _signed(given: Json, struct_hash: bytes) -> Json:
    return {
        "structHash": hexadecimal(struct_hash),
        "digest": hexadecimal(typed_data.digest(separator_of(given), struct_hash)),
    }


def domain_json(chain_id: int = CHAIN_ID, contract: bytes = CONTRACT) -> Json:
    """A domain as the vectors write it."""
    return {"chainId": decimal(chain_id), "contract": hexadecimal(contract)}


def _domains() -> Iterator[Draft]:
    for chain_id in (1, 31337, 2**63, 2**256 - 1):
        for contract in (CONTRACT, bytes(20), b"\xff" * 20):
            yield Draft(f"chain {chain_id}", domain_json(chain_id, contract), ("corner",))


def _changed(**change: Any) -> EpochHeader:
    return replace(HEADER, **change)


def _headers() -> Iterator[Draft]:
    top, zero, ones = 2**64 - 1, bytes(32), b"\xff" * 32
    for name, header in (
        ("a usual header", HEADER),
        ("all zero", EpochHeader(0, 0, 0, zero, 0, zero, zero, zero, 0)),
        ("all at their top", EpochHeader(top, top, top, ones, top, ones, ones, ones, top)),
        *(
            (f"only {field} changed", _changed(**{field: 99}))
            for field in ("round", "time", "block_number", "valid_until", "leaf_count")
        ),
        *(
            (f"only {field} changed", _changed(**{field: ones}))
            for field in ("block_hash", "model_hash", "market_hash", "leaf_root")
        ),
    ):
        yield Draft(name, {**domain_json(), "header": header_json(header)}, ("corner",))
    yield Draft("another chain", {**domain_json(1), "header": header_json(HEADER)}, ("corner",))
    yield Draft(
        "another contract", {**domain_json(contract=bytes(20)), "header": header_json(HEADER)}, ("corner",)
    )


def _leaves() -> Iterator[Draft]:
    high = 2**255 - 1
    ones = b"\xff" * 32
    for name, leaf in (
        ("a usual leaf", LEAF),
        ("an empty account", Leaf(0, keccak(b""), 0, 0, 0, 0, b"")),
        ("figures at their top", Leaf(2**64 - 1, ones, high, high, 2**256 - 1, 2**256 - 1, bytes(range(16)))),
        ("figures at their bottom", Leaf(0, bytes(32), -high - 1, -high - 1, 0, 0, bytes(2))),
        ("minus one", replace(LEAF, portfolio_value=-1, spot_value=-1)),
        ("another account", replace(LEAF, account=4)),
        ("maintenance one lower", replace(LEAF, maintenance_margin=LEAF.maintenance_margin - 1)),
        ("another worst scenario", replace(LEAF, worst_scenarios=bytes((1, 25, 2, 0)))),
        ("31 bytes of choices", replace(LEAF, worst_scenarios=bytes(31))),
        ("33 bytes of choices", replace(LEAF, worst_scenarios=bytes(33))),
    ):
        yield Draft(name, leaf_json(leaf), ("corner",))


def _order(given: Json) -> Json:
    return _signed(given, Order(*(int(given["order"][name]) for name in _ORDER_FIELDS)).struct_hash())


def _orders() -> Iterator[Draft]:
    for name, fields in (
        ("buys", (3, 67_239_937, 10**8, 7_000_000_000_000, 1, 1_770_000_600)),
        ("sells", (3, 67_239_937, -(10**8), 7_000_000_000_000, 2, 1_770_000_600)),
        ("a negative price", (3, 67_174_400, 10**8, -1, 3, 1_770_000_600)),
        ("all zero", (0, 0, 0, 0, 0, 0)),
        ("at the top", (2**64 - 1, 2**32 - 1, 2**63 - 1, 2**63 - 1, 2**64 - 1, 2**64 - 1)),
        ("at the bottom", (0, 0, -(2**63), -(2**63), 0, 0)),
    ):
        order = {key: decimal(value) for key, value in zip(_ORDER_FIELDS, fields, strict=True)}
        yield Draft(name, {**domain_json(), "order": order}, ("corner",))


def _topic(name: str, comment: str, *parts: Json) -> Topic:
    return Topic("eip712", name, comment, *parts)


_DIGEST: Final = record(structHash=BYTES32, digest=BYTES32)

TOPICS: Final = (
    _topic(
        "domain",
        "Domain separators.",
        lambda given: {"separator": hexadecimal(separator_of(given))},
        _domains,
        record(**DOMAIN_FIELDS),
        record(separator=BYTES32),
    ),
    _topic(
        "header",
        "Struct hash and digest of an epoch header.",
        lambda given: _signed(given, header_of(given["header"]).struct_hash()),
        _headers,
        record(**DOMAIN_FIELDS, header=HEADER_SCHEMA),
        _DIGEST,
    ),
    _topic(
        "leaf",
        "Struct hash of a leaf: the leaf of the tree.",
        lambda given: {"structHash": hexadecimal(leaf_of_json(given).struct_hash())},
        _leaves,
        LEAF_SCHEMA,
        record(structHash=BYTES32),
    ),
    _topic(
        "order",
        "Struct hash and digest of an order.",
        _order,
        _orders,
        record(**DOMAIN_FIELDS, order=record(**dict.fromkeys(_ORDER_FIELDS, INTEGER))),
        _DIGEST,
    ),
)
