"""Signatures over vectors' digests, and the rule a quorum follows, by the reference library for Ethereum keys."""

from __future__ import annotations

from typing import Final

from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from marginproof.spec.errors import SpecError
from marginproof.spec.hashing import keccak

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNATURE_BYTES: Final = 65

KEYS: Final = sorted(
    (PrivateKey(keccak(b"marginproof vector key %d" % i)) for i in range(7)),
    key=lambda key: bytes(key.public_key.to_canonical_address()),
)
"""Private keys in the order of their addresses. Public knowledge: never fund them."""


def address(key: PrivateKey) -> bytes:
    """The key's address."""
    return bytes(key.public_key.to_canonical_address())


def pack(r: int, s: int, v: int) -> bytes:
    """The 65 bytes r, s, v."""
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((v,))


def sign(key: PrivateKey, digest: bytes) -> bytes:
    """A deterministic low-s signature of a digest."""
    signature = key.sign_msg_hash(digest)
    return pack(signature.r, signature.s, signature.v + 27)


def recover(digest: bytes, signature: bytes, index: int) -> bytes:
    """The signer's address. Error: `BadSignature(index)` for a malformed signature or one with a high s."""
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    bad = SpecError("BadSignature", index=index)
    if v not in (27, 28) or not 0 < r < ORDER or not 0 < s <= ORDER // 2:
        raise bad
    try:
        public_key = Signature(vrs=(v - 27, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError, ValueError):
        raise bad from None
    return bytes(public_key.to_canonical_address())


def quorum(digest: bytes, signatures: bytes, attesters: list[bytes], threshold: int) -> list[bytes]:
    """The signers of exactly `threshold` signatures, strictly increasing and all of them attesters."""
    if len(signatures) % SIGNATURE_BYTES:
        raise SpecError("WrongSignatureLength", length=len(signatures))
    count = len(signatures) // SIGNATURE_BYTES
    if count != threshold:
        raise SpecError("WrongSignatureCount", count=count, threshold=threshold)
    previous = bytes(20)
    signers = []
    for index in range(count):
        signer = recover(digest, signatures[index * SIGNATURE_BYTES : (index + 1) * SIGNATURE_BYTES], index)
        if signer <= previous:
            raise SpecError(
                "SignersNotIncreasing", previous="0x" + previous.hex(), signer="0x" + signer.hex()
            )
        if signer not in attesters:
            raise SpecError("NotAttester", signer="0x" + signer.hex())
        signers.append(signer)
        previous = signer
    return signers
