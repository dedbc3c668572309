"""What operators say to each other over HTTP, as JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from marginproof.spec.limits import MAX_POSITIONS
from marginproof.spec.typed_data import EpochHeader

MAX_TICKETS = 16
"""How many tickets may be signed together: two for a trade, some more for what comes."""

Bytes32 = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
HexBytes = Annotated[str, Field(pattern=r"^0x([0-9a-f]{2})*$", max_length=65_536)]
Uint64 = Annotated[int, Field(ge=0, le=2**64 - 1)]


class HeaderMessage(BaseModel):
    """An epoch header."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    round: Uint64
    time: Uint64
    block_number: Uint64
    block_hash: Bytes32
    valid_until: Uint64
    model_hash: Bytes32
    market_hash: Bytes32
    leaf_root: Bytes32
    leaf_count: Uint64

    @classmethod
    def of(cls, header: EpochHeader) -> HeaderMessage:
        """The message for a header."""
        return cls(
            round=header.round,
            time=header.time,
            block_number=header.block_number,
            block_hash="0x" + header.block_hash.hex(),
            valid_until=header.valid_until,
            model_hash="0x" + header.model_hash.hex(),
            market_hash="0x" + header.market_hash.hex(),
            leaf_root="0x" + header.leaf_root.hex(),
            leaf_count=header.leaf_count,
        )

    def header(self) -> EpochHeader:
        """The header behind the message."""
        return EpochHeader(
            self.round,
            self.time,
            self.block_number,
            bytes.fromhex(self.block_hash[2:]),
            self.valid_until,
            bytes.fromhex(self.model_hash[2:]),
            bytes.fromhex(self.market_hash[2:]),
            bytes.fromhex(self.leaf_root[2:]),
            self.leaf_count,
        )


class Proposal(BaseModel):
    """A keeper asks for a signature: header and market bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    header: HeaderMessage
    market: HexBytes


class Signed(BaseModel):
    """An attester's answer: its address and 65 signature bytes (r, s, v)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    signer: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
    signature: Annotated[str, Field(pattern=r"^0x[0-9a-f]{130}$")]


class TicketEntry(BaseModel):
    """A would-be portfolio: account and packed bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Uint64
    portfolio: Annotated[str, Field(pattern=r"^0x([0-9a-f]{24})*$", max_length=2 + 24 * MAX_POSITIONS)]


class TicketRequest(BaseModel):
    """A trader asks for tickets on the epoch of a round, signed together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    round: Uint64
    entries: Annotated[tuple[TicketEntry, ...], Field(min_length=1, max_length=MAX_TICKETS)]


class Refusal(BaseModel):
    """An attester's refusal: one sentence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    refused: str


class Health(BaseModel):
    """Who an attester is, which round it signed last (-1 for none), and which of the newest rounds it has signed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    signer: str
    chain_id: int
    last_round: int
    signed_rounds: Annotated[list[int], Field(max_length=1_000)]
