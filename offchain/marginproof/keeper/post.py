"""Posting a signed epoch, and publishing its leaves."""

from __future__ import annotations

from web3.types import TxReceipt

from marginproof.keeper.propose import ProposedEpoch
from marginproof.protocol.state import header_to_chain, leaf_to_chain
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue

LEAVES_PER_TRANSACTION = 100


def post(venue: Venue, sender: Sender, epoch: ProposedEpoch, signatures: bytes) -> TxReceipt:
    """Post header, signatures and market. Errors: ChainError with the contract's reason."""
    return venue.send(
        sender, "EpochRegistry", "post", header_to_chain(epoch.header), signatures, epoch.market_bytes
    )


def publish_leaves(venue: Venue, sender: Sender, epoch: ProposedEpoch) -> list[TxReceipt]:
    """Put all leaves of a posted epoch into the chain's logs, so that an auditor sees each posted figure."""
    leaves = [leaf_to_chain(leaf) for leaf in epoch.result.leaves]
    return [
        venue.send(
            sender,
            "EpochRegistry",
            "publishLeaves",
            epoch.header.round,
            leaves[start : start + LEAVES_PER_TRANSACTION],
        )
        for start in range(0, len(leaves), LEAVES_PER_TRANSACTION)
    ]
