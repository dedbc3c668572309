"""Building a proposal: the market restricted to what the venue lists, the epoch over every account, the header."""

from __future__ import annotations

from dataclasses import dataclass, replace

from marginproof.documents import MarketDocument, market_to_spec
from marginproof.engine.epoch import EpochResult
from marginproof.errors import InputError, MarginproofError
from marginproof.protocol.compute import ComputeEpoch, epoch_of
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.messages import HeaderMessage, Proposal
from marginproof.protocol.replay import Replayer
from marginproof.protocol.state import VenueState
from marginproof.spec.market import MarketSnapshot, Settlement, UnderlyingMarket, encode_market, market_hash
from marginproof.spec.typed_data import EpochHeader


@dataclass(frozen=True, slots=True)
class ProposedEpoch:
    """Everything about an epoch before it is signed."""

    header: EpochHeader
    market: MarketSnapshot
    market_bytes: bytes
    result: EpochResult
    state: VenueState

    def message(self) -> Proposal:
        """What is sent to attesters."""
        return Proposal(header=HeaderMessage.of(self.header), market="0x" + self.market_bytes.hex())


def _restricted(section: UnderlyingMarket, state: VenueState, time: int) -> UnderlyingMarket:
    listed = set(state.expiries[section.underlying])
    symbol = state.symbols[section.underlying]
    quoted = {quote.expiry for quote in section.expiries}
    missing = sorted(expiry for expiry in listed if expiry > time and expiry not in quoted)
    if missing:
        raise InputError(
            f"The market has no quote for {symbol}'s listed expiries {missing}.", "Fit or import them first."
        )
    prices = {s.expiry: s.price_e8 for s in section.settlements if s.expiry in listed}
    prices |= {
        e: price for (underlying, e), price in state.settlements.items() if underlying == section.underlying
    }
    unsettled = sorted(expiry for expiry in listed if expiry <= time and expiry not in prices)
    if unsettled:
        raise InputError(f"The market has no settlement price for {symbol}'s expiries {unsettled}.")
    return replace(
        section,
        settlements=tuple(Settlement(expiry, prices[expiry]) for expiry in sorted(prices)),
        expiries=tuple(quote for quote in section.expiries if quote.expiry in listed),
    )


def venue_market(document: MarketDocument, state: VenueState) -> MarketSnapshot:
    """The snapshot to post: the document's, restricted to the venue's underlyings and expiries.

    Settlement prices that the chain has recorded are repeated. Errors: InputError for anything listed but missing.
    """
    ids = state.ids_by_symbol()
    present = {entry.symbol for entry in document.underlyings}
    missing = sorted(set(ids) - present)
    if missing:
        raise InputError(f"The market has no underlying {', '.join(missing)}, which the venue lists.")
    known = tuple(entry for entry in document.underlyings if entry.symbol in ids)
    snapshot = market_to_spec(document.model_copy(update={"underlyings": known}), ids)
    return replace(
        snapshot,
        underlyings=tuple(_restricted(section, state, snapshot.time) for section in snapshot.underlyings),
    )


def propose(replayer: Replayer, document: MarketDocument, compute: ComputeEpoch = epoch_of) -> ProposedEpoch:
    """Compute the next epoch from a market document and the chain.

    Errors: ChainError when the node fails, InputError when the document does not fit the venue.
    """
    venue = replayer.venue
    eth = venue.web3.eth
    url = endpoint(venue.web3)
    head = read(lambda: eth.block_number, url, "the newest block")
    depth = venue.call("EpochRegistry", "minDepth")
    max_age = venue.call("EpochRegistry", "maxAge")
    if head - depth < venue.deployment.block:
        raise MarginproofError(f"Block {head} is too new for an epoch: blocks must be {depth} deep.")
    block = read(lambda: eth.get_block(head - depth), url, f"block {head - depth}")
    state = replayer.state_at(block["number"])
    market = venue_market(document, state)
    result = compute(state, market)
    header = EpochHeader(
        round=venue.call("EpochRegistry", "lastRound") + 1,
        time=market.time,
        block_number=block["number"],
        block_hash=bytes(block["hash"]),
        valid_until=min(market.time + max_age, market.next_expiry()),
        model_hash=state.current_model,
        market_hash=market_hash(market),
        leaf_root=result.root,
        leaf_count=len(result.leaves),
    )
    return ProposedEpoch(header, market, encode_market(market), result, state)
