"""Repricings as a transaction sends them: packed, the newest epoch's market abridged to what the account holds."""

from __future__ import annotations

from collections.abc import Sequence

from marginproof.protocol.state import PostedEpoch
from marginproof.protocol.venue import Venue
from marginproof.spec.abridged import abridge_market, needed_by
from marginproof.spec.instruments import InstrumentTable
from marginproof.spec.portfolio import Position, encode_portfolio
from marginproof.spec.repricing import Repricing, pack_repricing


def tight_repricing(
    venue: Venue,
    epoch: PostedEpoch,
    positions: Sequence[Position],
    table: InstrumentTable,
    choices: bytes,
) -> bytes:
    """The argument of `repriceCompact` for positions at an epoch. Error: ChainError.

    Only of the newest epoch's market does the court take a part: of another it checks, and so is given, all.
    """
    header = epoch.header
    market = epoch.market_bytes
    if bytes(venue.call("EpochRegistry", "latestMarketHash")) == header.market_hash:
        held = (table.resolve(position.instrument) for position in positions)
        market = abridge_market(epoch.market, needed_by(held))
    return pack_repricing(Repricing(header.model_hash, encode_portfolio(positions), choices, market))
