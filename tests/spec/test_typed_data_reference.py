"""EIP-712 hashes against eth_account's implementation, which knows nothing of ours but the field names and types."""

from __future__ import annotations

from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils import keccak, to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from marginproof.spec.margin import Margin, UnderlyingScan
from marginproof.spec.typed_data import (
    EpochHeader,
    Leaf,
    Order,
    Tickets,
    digest,
    domain_separator,
    leaf_of,
    word,
)
from marginproof.spec.units import E8, E34

TYPES = {
    "EpochHeader": (
        "uint64 round,uint64 time,uint64 blockNumber,bytes32 blockHash,uint64 validUntil,"
        "bytes32 modelHash,bytes32 marketHash,bytes32 leafRoot,uint64 leafCount"
    ),
    "Leaf": (
        "uint64 account,bytes32 portfolioHash,int256 portfolioValue,int256 spotValue,"
        "uint256 initialMargin,uint256 maintenanceMargin,bytes worstScenarios"
    ),
    "Order": "uint64 account,uint32 instrument,int64 quantity,int64 price,uint64 nonce,uint64 deadline",
    "Tickets": "uint64 round,bytes32 headerHash,bytes32[] leaves",
}

u64 = st.integers(0, 2**64 - 1)
u256 = st.integers(0, 2**256 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
i256 = st.integers(-(2**255), 2**255 - 1)
b32 = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20)

headers = st.builds(EpochHeader, u64, u64, u64, b32, u64, b32, b32, b32, u64)
leaves = st.builds(Leaf, u64, b32, i256, i256, u256, u256, st.binary(max_size=70))
orders = st.builds(Order, u64, st.integers(0, 2**32 - 1), i64, i64, u64, u64)
tickets = st.builds(Tickets, u64, b32, st.lists(b32, max_size=5).map(tuple))


def _reference(name: str, values: tuple[Any, ...], chain_id: int, contract: bytes) -> SignableMessage:
    fields = [dict(zip(("type", "name"), field.split(" "), strict=True)) for field in TYPES[name].split(",")]
    given = (list(value) if isinstance(value, tuple) else value for value in values)
    message = {field["name"]: value for field, value in zip(fields, given, strict=True)}
    domain = {
        "name": "marginproof",
        "version": "1",
        "chainId": chain_id,
        "verifyingContract": to_checksum_address(contract),
    }
    return encode_typed_data(domain, {name: fields}, message)


def _fields(item: EpochHeader | Leaf | Order | Tickets) -> tuple[Any, ...]:
    return tuple(getattr(item, name) for name in item.__slots__)


@given(st.one_of(headers, leaves, orders, tickets), st.integers(1, 2**63), addresses)
def test_hashes_equal_the_reference(
    item: EpochHeader | Leaf | Order | Tickets, chain_id: int, contract: bytes
) -> None:
    reference = _reference(type(item).__name__, _fields(item), chain_id, contract)
    separator = domain_separator(chain_id, contract)
    assert separator == reference.header
    assert item.struct_hash() == reference.body
    assert digest(separator, item.struct_hash()) == keccak(
        b"\x19" + reference.version + reference.header + reference.body
    )


@given(headers, st.integers(1, 2**256 - 1).map(lambda n: n % (2**255)).filter(bool))
def test_a_wallets_signature_recovers_from_our_digest(header: EpochHeader, seed: int) -> None:
    key = keccak(seed.to_bytes(32, "big"))
    contract = b"\x11" * 20
    signed = Account.sign_message(_reference("EpochHeader", _fields(header), 31337, contract), key)
    recovered = Account._recover_hash(
        digest(domain_separator(31337, contract), header.struct_hash()), signature=signed.signature
    )
    assert recovered == Account.from_key(key).address


@given(i256)
def test_words_are_twos_complement(value: int) -> None:
    assert int.from_bytes(word(value), "big", signed=True) == value


def test_leaf_of_takes_the_figures_as_they_are() -> None:
    scans = (
        UnderlyingScan(1, (5, 9, 9), 1, E34(9), 10**18, ()),
        UnderlyingScan(7, (0,), 0, E34(0), 10**18, ()),
    )
    margin = Margin(E8(-4), E8(3), E8(2), E8(1), scans)
    assert leaf_of(12, b"\x01" * 32, margin) == Leaf(12, b"\x01" * 32, -4, 3, 2, 1, bytes((1, 1, 7, 0)))
