"""Collecting a quorum's signatures for an epoch, and choosing its round."""

from __future__ import annotations

from collections.abc import Sequence

from marginproof.keeper.propose import ProposedEpoch
from marginproof.protocol.quorum import Answer, ask_quorum, signed_rounds
from marginproof.protocol.venue import Venue


def collect(venue: Venue, epoch: ProposedEpoch, urls: Sequence[str]) -> tuple[bytes, list[Answer]]:
    """Exactly k signatures of the epoch's header in signer order, and what each attester said. Errors: QuorumNotReachedError."""
    body = epoch.message().model_dump_json().encode()
    return ask_quorum(venue, urls, "sign", body, epoch.header.struct_hash())


def free_round(last: int, urls: Sequence[str]) -> int:
    """The lowest round after the last posted one that no attester says it has signed.

    A round that was signed but never posted (the keeper ended in between, the post was refused) is left behind: an attester signs
    only one header for it.
    """
    signed = signed_rounds(urls)
    return next(number for number in range(last + 1, last + len(signed) + 2) if number not in signed)
