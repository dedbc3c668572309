"""Addresses of contracts before they are created, against another implementation of RLP."""

from __future__ import annotations

import pytest
import rlp
from eth_utils.address import to_canonical_address, to_checksum_address

from marginproof.protocol.creation import created_at
from marginproof.spec.hashing import keccak

CREATOR = "0x" + "a1" * 20


@pytest.mark.parametrize("nonce", [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**64 - 2])
def test_address_of_a_creation(nonce: int) -> None:
    encoded = rlp.encode([to_canonical_address(CREATOR), nonce])
    assert created_at(CREATOR, nonce) == to_checksum_address(keccak(encoded)[12:])
