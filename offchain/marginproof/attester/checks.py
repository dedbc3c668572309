"""What an attester checks before it signs: the header against its own chain, the market against its own source, the root exactly."""

from __future__ import annotations

from dataclasses import dataclass, field

from eth_account.signers.local import LocalAccount

from marginproof.attester.signed_rounds import SignedRounds
from marginproof.attester.tolerance import Tolerance, VenueFacts, differences
from marginproof.documents import market_to_spec
from marginproof.errors import MarginproofError
from marginproof.market.sources import MarketFolder
from marginproof.protocol.compute import ComputeEpoch, epoch_of
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.messages import Proposal
from marginproof.protocol.replay import Replayer
from marginproof.protocol.settlement import guard_deviations
from marginproof.protocol.signing import sign
from marginproof.protocol.state import VenueState
from marginproof.spec.errors import SpecError
from marginproof.spec.market import MarketSnapshot, decode_market, market_hash
from marginproof.spec.typed_data import EpochHeader, digest

MAX_ROUND_GAP = 100
"""How far ahead of the last posted round an attester signs: rounds are few, and a signed one is used up."""
_NAMES_SHOWN = 3


class RefusedError(MarginproofError):
    """The attester does not sign this proposal, for the stated reason."""


@dataclass(slots=True)
class Attester:
    """One attester: its key, its connection, its source, its record of signed rounds."""

    signer: LocalAccount
    replayer: Replayer
    source: MarketFolder
    rounds: SignedRounds
    tolerance: Tolerance = field(default_factory=Tolerance)
    compute: ComputeEpoch = epoch_of

    def sign(self, proposal: Proposal) -> bytes:
        """Check a proposal and sign its header. Errors: RefusedError, EquivocationError, ChainError, InputError; each with its reason."""
        header = proposal.header.header()
        try:
            market = decode_market(bytes.fromhex(proposal.market[2:]))
        except SpecError as error:
            raise RefusedError(f"The market is malformed: {error}.") from error
        try:
            state = self._check_header(header, market)
            self._check_market(market, state)
            result = self.compute(state, market)
        except SpecError as error:
            raise RefusedError(f"The epoch cannot be computed: {error}.") from error
        if len(result.leaves) != header.leaf_count:
            raise RefusedError(
                f"The header counts {header.leaf_count} leaves, we count {len(result.leaves)}."
            )
        if result.root != header.leaf_root:
            raise RefusedError(f"The leaf root is 0x{header.leaf_root.hex()}, ours is 0x{result.root.hex()}.")
        separator = self.replayer.venue.domain("EpochRegistry")
        self.rounds.record(header.round, digest(separator, header.struct_hash()))
        return sign(self.signer, separator, header.struct_hash())

    def _check_header(self, header: EpochHeader, market: MarketSnapshot) -> VenueState:
        venue = self.replayer.venue
        url = endpoint(venue.web3)
        eth = venue.web3.eth
        if header.market_hash != market_hash(market):
            raise RefusedError("The header's market hash is not that of the market given.")
        if header.time != market.time:
            raise RefusedError(f"The header's time is {header.time}, the market's {market.time}.")
        head = read(lambda: eth.get_block("latest"), url, "the newest block")
        if header.time > head["timestamp"]:
            raise RefusedError(
                f"The header's time {header.time} is after the newest block's time {head['timestamp']}."
            )
        last = venue.call("EpochRegistry", "lastRound")
        if header.round <= last:
            raise RefusedError(f"Round {header.round} is not newer than the last posted round {last}.")
        if header.round > last + MAX_ROUND_GAP:
            raise RefusedError(
                f"Round {header.round} is more than {MAX_ROUND_GAP} after the last posted round {last}."
            )
        expected = min(header.time + venue.call("EpochRegistry", "maxAge"), market.next_expiry())
        if header.valid_until != expected:
            raise RefusedError(f"The header is valid until {header.valid_until}, it should be {expected}.")
        depth = venue.call("EpochRegistry", "minDepth")
        if header.block_number + depth > head["number"]:
            raise RefusedError(
                f"Block {header.block_number} is not {depth} deep yet: the head is {head['number']}."
            )
        block = read(lambda: eth.get_block(header.block_number), url, f"block {header.block_number}")
        if bytes(block["hash"]) != header.block_hash:
            raise RefusedError(
                f"Block {header.block_number} has hash 0x{bytes(block['hash']).hex()} on our chain."
            )
        state = self.replayer.state_at(header.block_number)
        if header.model_hash != state.current_model:
            raise RefusedError(
                f"The header's model is 0x{header.model_hash.hex()}, the venue's 0x{state.current_model.hex()}."
            )
        return state

    def _check_market(self, market: MarketSnapshot, state: VenueState) -> None:
        document = self.source.at(market.time)
        ids = state.ids_by_symbol()
        known = tuple(entry for entry in document.underlyings if entry.symbol in ids)
        own = market_to_spec(document.model_copy(update={"underlyings": known}), ids)
        facts = VenueFacts(state.settlements, guard_deviations(self.replayer.venue, list(state.symbols)))
        found = differences(market, own, self.tolerance, facts)
        if found:
            more = f" and {len(found) - _NAMES_SHOWN} more" if len(found) > _NAMES_SHOWN else ""
            raise RefusedError(f"The market is too far from ours: {'; '.join(found[:_NAMES_SHOWN])}{more}.")
