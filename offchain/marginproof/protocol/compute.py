"""The epoch of a venue's state: what keeper, attesters and auditor each compute for themselves."""

from __future__ import annotations

from collections.abc import Callable

from marginproof.engine.epoch import Epoch, compute_epoch
from marginproof.protocol.state import VenueState
from marginproof.spec.market import MarketSnapshot

ComputeEpoch = Callable[[VenueState, MarketSnapshot], Epoch]


def epoch_of(state: VenueState, market: MarketSnapshot) -> Epoch:
    """Margin every account of a state under its current model. Errors: the specification's."""
    return compute_epoch(
        [account.positions for account in state.accounts], state.table(), market, state.model()
    )
