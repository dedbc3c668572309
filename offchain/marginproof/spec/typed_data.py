"""EIP-712 typed data: what attesters and traders sign, and what a leaf hashes to.

Source: EIP-712, typed structured data hashing and signing. Every struct here is written as its type string and its fields, in order;
a digest is keccak(0x1901 | domain separator | struct hash).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .hashing import keccak
from .margin import Margin

DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
DOMAIN_NAME: Final = "marginproof"
DOMAIN_VERSION: Final = "1"
HEADER_TYPE: Final = (
    "EpochHeader(uint64 round,uint64 time,uint64 blockNumber,bytes32 blockHash,uint64 validUntil,"
    "bytes32 modelHash,bytes32 marketHash,bytes32 leafRoot,uint64 leafCount)"
)
LEAF_TYPE: Final = (
    "Leaf(uint64 account,bytes32 portfolioHash,int256 portfolioValue,int256 spotValue,"
    "uint256 initialMargin,uint256 maintenanceMargin,bytes worstScenarios)"
)
ORDER_TYPE: Final = (
    "Order(uint64 account,uint32 instrument,int64 quantity,int64 price,uint64 nonce,uint64 deadline)"
)
TICKETS_TYPE: Final = "Tickets(uint64 round,bytes32 headerHash,bytes32[] leaves)"


def word(value: int) -> bytes:
    """One 32-byte word: an integer, two's complement when negative."""
    return (value % (1 << 256)).to_bytes(32, "big")


def type_hash(type_string: str) -> bytes:
    """keccak of the type string."""
    return keccak(type_string.encode())


def domain_separator(chain_id: int, verifying_contract: bytes) -> bytes:
    """The domain of one contract (20 address bytes) on one chain."""
    return keccak(
        type_hash(DOMAIN_TYPE)
        + keccak(DOMAIN_NAME.encode())
        + keccak(DOMAIN_VERSION.encode())
        + word(chain_id)
        + verifying_contract.rjust(32, b"\0")
    )


def digest(separator: bytes, struct_hash: bytes) -> bytes:
    """What is signed: keccak(0x1901 | domain separator | struct hash)."""
    return keccak(b"\x19\x01" + separator + struct_hash)


@dataclass(frozen=True, slots=True)
class EpochHeader:
    """One signed epoch. Times in unix seconds; `blockNumber` and `blockHash` name the block whose portfolios it margins."""

    round: int
    time: int
    block_number: int
    block_hash: bytes
    valid_until: int
    model_hash: bytes
    market_hash: bytes
    leaf_root: bytes
    leaf_count: int

    def struct_hash(self) -> bytes:
        """The EIP-712 struct hash."""
        return keccak(
            type_hash(HEADER_TYPE)
            + word(self.round)
            + word(self.time)
            + word(self.block_number)
            + self.block_hash
            + word(self.valid_until)
            + self.model_hash
            + self.market_hash
            + self.leaf_root
            + word(self.leaf_count)
        )


@dataclass(frozen=True, slots=True)
class Leaf:
    """One account of one epoch, money in E8. `worst_scenarios` is two bytes per held underlying, in order: underlying, scenario."""

    account: int
    portfolio_hash: bytes
    portfolio_value: int
    spot_value: int
    initial_margin: int
    maintenance_margin: int
    worst_scenarios: bytes

    def struct_hash(self) -> bytes:
        """The EIP-712 struct hash: the leaf of the tree."""
        return keccak(
            type_hash(LEAF_TYPE)
            + word(self.account)
            + self.portfolio_hash
            + word(self.portfolio_value)
            + word(self.spot_value)
            + word(self.initial_margin)
            + word(self.maintenance_margin)
            + keccak(self.worst_scenarios)
        )


@dataclass(frozen=True, slots=True)
class Tickets:
    """Leaves (struct hashes) for portfolios that do not exist yet, bound to one epoch by its round and its header's struct hash."""

    round: int
    header_hash: bytes
    leaves: tuple[bytes, ...]

    def struct_hash(self) -> bytes:
        """The EIP-712 struct hash."""
        return keccak(
            type_hash(TICKETS_TYPE) + word(self.round) + self.header_hash + keccak(b"".join(self.leaves))
        )


@dataclass(frozen=True, slots=True)
class Order:
    """A trader's order: quantity > 0 buys, < 0 sells (E8); price is the limit per unit (E8, may be negative for a perpetual)."""

    account: int
    instrument: int
    quantity: int
    price: int
    nonce: int
    deadline: int

    def struct_hash(self) -> bytes:
        """The EIP-712 struct hash."""
        fields = (self.account, self.instrument, self.quantity, self.price, self.nonce, self.deadline)
        return keccak(type_hash(ORDER_TYPE) + b"".join(word(value) for value in fields))


def leaf_of(account: int, portfolio_hash: bytes, margin: Margin) -> Leaf:
    """The leaf that commits to an account's figures."""
    return Leaf(
        account=account,
        portfolio_hash=portfolio_hash,
        portfolio_value=margin.value,
        spot_value=margin.spot_value,
        initial_margin=margin.initial,
        maintenance_margin=margin.maintenance,
        worst_scenarios=b"".join(bytes((scan.underlying, scan.worst)) for scan in margin.scans),
    )
