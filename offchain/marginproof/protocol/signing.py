"""Signing and recovering typed data. A signature is 65 bytes: r, s (low), v (27 or 28)."""

from __future__ import annotations

from eth_account import Account
from eth_account.messages import SignableMessage
from eth_account.signers.local import LocalAccount
from eth_keys.constants import SECPK1_N
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from hexbytes import HexBytes

SIGNATURE_BYTES = 65
HALF_ORDER = SECPK1_N // 2
"""The greatest s of a signature in its one accepted form."""


def _message(separator: bytes, struct_hash: bytes) -> SignableMessage:
    return SignableMessage(HexBytes(b"\x01"), HexBytes(separator), HexBytes(struct_hash))


def sign(signer: LocalAccount, separator: bytes, struct_hash: bytes) -> bytes:
    """The signature over keccak(0x1901 | separator | struct hash)."""
    return bytes(signer.sign_message(_message(separator, struct_hash)).signature)


def recover(signature: bytes, separator: bytes, struct_hash: bytes) -> str | None:
    """The checksum address that made a signature, or None for what the contracts would refuse: another length, a high s, another v."""
    if len(signature) != SIGNATURE_BYTES or signature[64] not in (27, 28):
        return None
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        return None
    try:
        return str(Account.recover_message(_message(separator, struct_hash), signature=signature))
    except (BadSignature, ValidationError, ValueError, TypeError):
        return None
