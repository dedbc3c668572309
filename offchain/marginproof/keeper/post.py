"""Posting a signed epoch, and publishing its leaves."""

from __future__ import annotations

from collections.abc import Sequence

from web3.types import TxReceipt

from marginproof.keeper.propose import ProposedEpoch
from marginproof.protocol.replay import Replayer
from marginproof.protocol.state import VenueState, header_to_chain, leaf_to_chain
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.typed_data import Leaf

LEAVES_PER_TRANSACTION = 100


def post(
    venue: Venue, sender: Sender, epoch: ProposedEpoch, signatures: bytes, state: VenueState | None = None
) -> TxReceipt:
    """Post header, signatures and market, with the market of the newest valid epoch, against which the contract bounds changes.

    `state` is the venue's at the newest block; None replays it. Errors: ChainError with the contract's reason.
    """
    valid = (Replayer(venue).state_at() if state is None else state).valid_epochs()
    return venue.send(
        sender,
        "EpochRegistry",
        "post",
        header_to_chain(epoch.header),
        signatures,
        epoch.market_bytes,
        valid[-1].market_bytes if valid else b"",
    )


def publish_leaves(venue: Venue, sender: Sender, number: int, leaves: Sequence[Leaf]) -> list[TxReceipt]:
    """Put leaves of the posted round `number` into the chain's logs, so that an auditor sees each posted figure."""
    rows = [leaf_to_chain(leaf) for leaf in leaves]
    return [
        venue.send(
            sender, "EpochRegistry", "publishLeaves", number, rows[start : start + LEAVES_PER_TRANSACTION]
        )
        for start in range(0, len(rows), LEAVES_PER_TRANSACTION)
    ]
