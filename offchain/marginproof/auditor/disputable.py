"""What an audit found that a contract can be shown: wrong leaves, a wrong count, wrong tickets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from marginproof.auditor.evidence import Evidence, Kind
from marginproof.engine.tree import Tree
from marginproof.protocol.state import PostedEpoch
from marginproof.spec.typed_data import Leaf


@dataclass(frozen=True, slots=True)
class WrongLeaf:
    """A posted leaf at an index of an epoch's tree, the siblings that prove it is there, what the account held, and what shows the lie."""

    epoch: PostedEpoch
    index: int
    posted: Leaf
    proof: tuple[bytes, ...]
    portfolio: bytes
    evidence: Evidence

    @property
    def kind(self) -> Kind:
        """What is disputed."""
        return self.evidence.kind

    @property
    def subject(self) -> bytes:
        """What a commitment names: the index."""
        return self.index.to_bytes(32, "big")

    @property
    def words(self) -> str:
        """For people."""
        return f"epoch {self.epoch.header.round}, account {self.index}"


@dataclass(frozen=True, slots=True)
class WrongCount:
    """An epoch with more or fewer leaves than there were accounts at its block."""

    epoch: PostedEpoch
    evidence: Evidence

    @property
    def kind(self) -> Kind:
        """What is disputed."""
        return Kind.COUNT

    @property
    def subject(self) -> bytes:
        """What a commitment names: nothing but the epoch."""
        return bytes(32)

    @property
    def words(self) -> str:
        """For people."""
        return f"epoch {self.epoch.header.round}, its count of leaves"


@dataclass(frozen=True, slots=True)
class WrongTicket:
    """A ticket that a trade used: the whole batch as signed, its digest, the ticket's place in it, and what shows the lie."""

    epoch: PostedEpoch
    leaves: tuple[bytes, ...]
    signatures: bytes
    digest: bytes
    place: int
    ticket: Leaf
    portfolio: bytes
    evidence: Evidence

    @property
    def kind(self) -> Kind:
        """What is disputed."""
        return Kind.TICKET

    @property
    def subject(self) -> bytes:
        """What a commitment names: the digest that the quorum signed."""
        return self.digest

    @property
    def words(self) -> str:
        """For people."""
        return f"a ticket of epoch {self.epoch.header.round} for account {self.ticket.account}"


Disputable = WrongLeaf | WrongCount | WrongTicket


def tree_of(leaves: dict[int, Leaf]) -> Tree:
    """The tree over posted leaves, one for each index from 0."""
    hashes = b"".join(leaves[index].struct_hash() for index in range(len(leaves)))
    return Tree(np.frombuffer(hashes, np.uint8).reshape(-1, 32).copy())
