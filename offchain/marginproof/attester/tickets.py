"""Signing tickets: the attester computes the leaves of would-be portfolios itself and signs what it computed."""

from __future__ import annotations

from eth_account.signers.local import LocalAccount

from marginproof.attester.checks import RefusedError
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.messages import TicketRequest
from marginproof.protocol.replay import Replayer
from marginproof.protocol.signing import sign
from marginproof.protocol.tickets import ticket_leaves, tickets_of, wanted_of
from marginproof.spec.errors import SpecError


def sign_tickets(signer: LocalAccount, replayer: Replayer, request: TicketRequest) -> bytes:
    """The signature over the leaves of the portfolios asked for, on the newest valid epoch.

    Whether an account may come to hold such a portfolio is the contracts' business: a ticket says what it would need, nothing else.
    Errors: RefusedError, with its reason; ChainError.
    """
    venue = replayer.venue
    state = replayer.state_at()
    epoch = state.newest_epoch()
    if request.round != epoch.header.round:
        raise RefusedError(
            f"Tickets are asked for round {request.round}; the newest valid one is {epoch.header.round}."
        )
    head = read(lambda: venue.web3.eth.get_block("latest"), endpoint(venue.web3), "the newest block")
    if head["timestamp"] >= epoch.header.valid_until:
        raise RefusedError(f"Epoch {epoch.header.round} expired at {epoch.header.valid_until}.")
    try:
        leaves = ticket_leaves(state, epoch, wanted_of(request))
    except SpecError as error:
        raise RefusedError(f"The portfolios cannot be margined: {error}.") from error
    return sign(signer, venue.domain("EpochRegistry"), tickets_of(epoch, leaves).struct_hash())
