"""Signatures that do not count are told apart: under another's name, or of somebody who may not sign now."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from marginproof.protocol.messages import Signed
from marginproof.protocol.quorum import _ask, _Request
from marginproof.protocol.signing import sign

SEPARATOR, STRUCT_HASH = b"\1" * 32, b"\2" * 32
ANN: LocalAccount = Account.from_key(b"\3" * 32)
BEN: LocalAccount = Account.from_key(b"\4" * 32)


@pytest.mark.parametrize(
    ("named", "members", "reason"),
    [
        (ANN, {ANN.address}, "signed"),
        (ANN, {BEN.address}, f"a signature by {ANN.address}, whose signatures do not count now"),
        (BEN, {ANN.address, BEN.address}, f"a signature by {ANN.address} under the name of {BEN.address}"),
    ],
)
def test_an_answer_is_judged(named: LocalAccount, members: set[str], reason: str) -> None:
    signature = sign(ANN, SEPARATOR, STRUCT_HASH)
    body = Signed(signer=named.address, signature="0x" + signature.hex()).model_dump_json()
    request = _Request("sign", b"", SEPARATOR, STRUCT_HASH, frozenset(members))

    async def ask() -> str:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, text=body))
        async with httpx.AsyncClient(transport=transport) as client:
            return (await _ask(client, "http://attester", request)).reason

    assert asyncio.run(ask()).startswith(reason)
