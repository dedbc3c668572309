"""Building a proposal: the market restricted to what the venue lists, the epoch over every account, the header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from marginproof.documents import MarketDocument, market_to_spec
from marginproof.engine.epoch import Epoch
from marginproof.errors import InputError, MarginproofError
from marginproof.protocol.compute import ComputeEpoch, epoch_of
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.messages import HeaderMessage, Proposal
from marginproof.protocol.replay import Replayer
from marginproof.protocol.settlement import guard_deviations, postable
from marginproof.protocol.state import VenueState
from marginproof.spec.errors import SpecError
from marginproof.spec.market import MarketSnapshot, Settlement, UnderlyingMarket, encode_market, market_hash
from marginproof.spec.typed_data import EpochHeader


@dataclass(frozen=True, slots=True)
class ProposedEpoch:
    """Everything about an epoch before it is signed."""

    header: EpochHeader
    market: MarketSnapshot
    market_bytes: bytes
    result: Epoch
    state: VenueState

    def message(self) -> Proposal:
        """What is sent to attesters."""
        return Proposal(header=HeaderMessage.of(self.header), market="0x" + self.market_bytes.hex())


def _held_expiries(state: VenueState) -> set[tuple[int, int]]:
    """(underlying, expiry) of every dated position that some account still holds."""
    table = state.table()
    held = {
        table.resolve(position.instrument) for account in state.accounts for position in account.positions
    }
    return {(instrument.underlying, instrument.expiry) for instrument in held if instrument.kind.is_dated}


def _restricted(
    section: UnderlyingMarket, state: VenueState, time: int, held: set[tuple[int, int]], deviation_bps: int
) -> UnderlyingMarket:
    listed = set(state.expiries[section.underlying])
    symbol = state.symbols[section.underlying]
    quoted = {quote.expiry for quote in section.expiries}
    missing = sorted(expiry for expiry in listed if expiry > time and expiry not in quoted)
    if missing:
        raise InputError(
            f"The market has no quote for {symbol}'s listed expiries {missing}.", "Fit or import them first."
        )
    recorded = {
        e: price for (underlying, e), price in state.settlements.items() if underlying == section.underlying
    }
    fresh = {
        s.expiry: postable(s.price_e8, section.spot_e8, deviation_bps)
        for s in section.settlements
        if s.expiry in listed and s.expiry not in recorded
    }
    prices = fresh | {e: price for e, price in recorded.items() if (section.underlying, e) in held}
    unsettled = sorted(expiry for expiry in listed if expiry <= time and expiry not in {*fresh, *recorded})
    if unsettled:
        raise InputError(f"The market has no settlement price for {symbol}'s expiries {unsettled}.")
    return replace(
        section,
        settlements=tuple(Settlement(expiry, prices[expiry]) for expiry in sorted(prices)),
        expiries=tuple(quote for quote in section.expiries if quote.expiry in listed),
    )


def venue_market(
    document: MarketDocument, state: VenueState, deviations_bps: Mapping[int, int]
) -> MarketSnapshot:
    """The snapshot to post: the document's, restricted to the venue's underlyings and expiries.

    `deviations_bps` is the price guard's, by underlying. A settlement price that the chain has recorded is repeated while
    somebody holds the expiry, and left out afterwards.
    Errors: InputError for anything listed but missing.
    """
    ids = state.ids_by_symbol()
    present = {entry.symbol for entry in document.underlyings}
    missing = sorted(set(ids) - present)
    if missing:
        raise InputError(f"The market has no underlying {', '.join(missing)}, which the venue lists.")
    known = tuple(entry for entry in document.underlyings if entry.symbol in ids)
    snapshot = market_to_spec(document.model_copy(update={"underlyings": known}), ids)
    held = _held_expiries(state)
    sections = tuple(
        _restricted(section, state, snapshot.time, held, deviations_bps[section.underlying])
        for section in snapshot.underlyings
    )
    return replace(snapshot, underlyings=sections)


def propose(
    replayer: Replayer, document: MarketDocument, number: int, compute: ComputeEpoch = epoch_of
) -> ProposedEpoch:
    """Compute the epoch of round `number` from a market document and the chain.

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
    try:
        market = venue_market(document, state, guard_deviations(venue, list(state.symbols)))
        result = compute(state, market)
        market_bytes = encode_market(market)
    except SpecError as error:
        raise InputError(f"The market of time {document.time} makes no epoch: {error}.") from error
    header = EpochHeader(
        round=number,
        time=market.time,
        block_number=block["number"],
        block_hash=bytes(block["hash"]),
        valid_until=min(market.time + max_age, market.next_expiry()),
        model_hash=state.current_model,
        market_hash=market_hash(market),
        leaf_root=result.root,
        leaf_count=len(result),
    )
    return ProposedEpoch(header, market, market_bytes, result, state)
