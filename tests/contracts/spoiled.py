"""Other encodings of a signature, which must not count as others' signatures."""

from __future__ import annotations

from typing import Final

GROUP_ORDER: Final = 2**256 - 0x14551231950B75FC4402DA1732FC9BEBF
"""Order of the curve: r, s and r, order - s are signatures of the same message by the same key."""


def flipped(signature: bytes) -> bytes:
    """The other signature of the same message by the same key."""
    s = GROUP_ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


def compact(signature: bytes) -> bytes:
    """EIP-2098: the recovery bit in the top of s."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return signature[:32] + s.to_bytes(32, "big")
