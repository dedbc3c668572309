"""Where a contract will be before it is created."""

from __future__ import annotations

from eth_utils.address import to_canonical_address, to_checksum_address

from marginproof.spec.hashing import keccak

_SHORT = 0x80


def created_at(creator: str, nonce: int) -> str:
    """The address of the contract that an account creates with a nonce: the hash of the RLP list of both."""
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    if nonce == 0 or nonce >= _SHORT:
        number = bytes((_SHORT + len(number),)) + number
    items = bytes((_SHORT + 20,)) + to_canonical_address(creator) + number
    return str(to_checksum_address(keccak(bytes((0xC0 + len(items),)) + items)[12:]))
