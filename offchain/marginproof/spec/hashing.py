"""keccak-256, the hash of the EVM (not SHA3-256: the padding differs)."""

from __future__ import annotations

from eth_hash.auto import keccak as _keccak


def keccak(data: bytes) -> bytes:
    """The 32-byte keccak-256 hash of the bytes."""
    return bytes(_keccak(data))
