"""One account at one epoch, from the chain: how its margin came about."""

from __future__ import annotations

from dataclasses import dataclass

from marginproof.engine.explain import Explanation, explain
from marginproof.engine.values import ValueTable
from marginproof.errors import InputError
from marginproof.protocol.replay import Replayer
from marginproof.protocol.state import PostedEpoch, VenueState
from marginproof.protocol.venue import Venue


@dataclass(frozen=True, slots=True)
class AccountAtEpoch:
    """The explanation of an account at an epoch, with the epoch and the venue's state at its block."""

    epoch: PostedEpoch
    state: VenueState
    account: int
    explanation: Explanation


def explain_account(venue: Venue, account: int, round_number: int | None = None) -> AccountAtEpoch:
    """Explain an account at a round (the newest valid one by default). Errors: InputError for an unknown round or account."""
    replayer = Replayer(venue)
    newest = replayer.state_at()
    if not newest.epochs:
        raise InputError("No epoch has been posted yet.")
    known = {epoch.header.round: epoch for epoch in newest.epochs}
    wanted = newest.newest_epoch().header.round if round_number is None else round_number
    if wanted not in known:
        raise InputError(f"There is no epoch {wanted}; posted rounds are {min(known)} to {max(known)}.")
    epoch = known[wanted]
    state = replayer.state_at(epoch.header.block_number)
    if not 0 <= account < len(state.accounts):
        raise InputError(
            f"There is no account {account} at epoch {wanted}; accounts are 0 to {len(state.accounts) - 1}."
        )
    held = state.accounts[account]
    table = state.table()
    positions = [(table.resolve(p.instrument), p.quantity) for p in held.positions]
    explanation = explain(
        held.cash_e8, positions, ValueTable(epoch.market, state.model(epoch.header.model_hash))
    )
    return AccountAtEpoch(epoch, state, account, explanation)
