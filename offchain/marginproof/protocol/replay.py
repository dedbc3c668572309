"""Rebuilding the venue's state from the chain's logs alone."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from eth_utils.abi import event_abi_to_log_topic
from web3._utils.events import get_event_data
from web3.exceptions import Web3Exception
from web3.types import LogReceipt

from marginproof.errors import ChainError
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.state import VenueState
from marginproof.protocol.venue import Venue

BLOCKS_PER_QUERY = 2_000


class Replayer:
    """Follows the venue's events. Asking for a later block reads only what is new; after a reorganisation it starts over."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self._addresses = [venue.contract(name).address for name in venue.deployment.contracts]
        self._events = {
            bytes(event_abi_to_log_topic(entry)): entry  # type: ignore[arg-type]
            for contract in venue.deployment.contracts.values()
            for entry in contract.abi
            if entry["type"] == "event"
        }
        self._reset()

    def _reset(self) -> None:
        self._state = VenueState()
        self._next_block = self.venue.deployment.block
        self._last_hash: bytes | None = None

    def state_at(self, block: int | None = None) -> VenueState:
        """The state after a block (the newest by default); the caller may keep and change it.

        Errors: ChainError when the node does not answer or does not have the block.
        """
        url = endpoint(self.venue.web3)
        eth = self.venue.web3.eth
        target = read(lambda: eth.block_number, url, "the newest block") if block is None else block
        known = self._next_block - 1
        if target < known or (self._last_hash is not None and self._hash(known) != self._last_hash):
            self._reset()
        if target >= self._next_block:
            self._advance(target)
        return deepcopy(self._state)

    def _advance(self, target: int) -> None:
        """Take in the events up to a block, all of them or none."""
        before = self._hash(target)
        state = deepcopy(self._state)
        for name, arguments, log in self._new_events(target):
            time = self._time(log["blockNumber"]) if name == "EpochPosted" else 0
            state.apply(name, arguments, "0x" + bytes(log["transactionHash"]).hex(), log["blockNumber"], time)
        if self._hash(target) != before:
            raise ChainError(f"Block {target} was replaced while its logs were read.", "Ask again.")
        self._state, self._next_block, self._last_hash = state, target + 1, before

    def _hash(self, block: int) -> bytes:
        eth = self.venue.web3.eth
        return bytes(read(lambda: eth.get_block(block), endpoint(self.venue.web3), f"block {block}")["hash"])

    def _time(self, block: int) -> int:
        eth = self.venue.web3.eth
        found = read(lambda: eth.get_block(block), endpoint(self.venue.web3), f"block {block}")
        return int(found["timestamp"])

    def _new_events(self, target: int) -> Iterator[tuple[str, dict[str, Any], LogReceipt]]:
        codec = self.venue.web3.codec
        url = endpoint(self.venue.web3)
        for start in range(self._next_block, target + 1, BLOCKS_PER_QUERY):
            end = min(target, start + BLOCKS_PER_QUERY - 1)
            logs = read(
                lambda start=start, end=end: self.venue.web3.eth.get_logs(  # type: ignore[misc]
                    {"address": self._addresses, "fromBlock": start, "toBlock": end}
                ),
                url,
                f"the logs of blocks {start} to {end}",
            )
            for log in sorted(logs, key=lambda item: (item["blockNumber"], item["logIndex"])):
                entry = self._events.get(bytes(log["topics"][0])) if log["topics"] else None
                if entry is None:
                    continue
                try:
                    data = get_event_data(codec, entry, log)
                except (Web3Exception, ValueError) as error:
                    raise ChainError(
                        f"A log of {entry['name']} in block {log['blockNumber']} cannot be decoded."
                    ) from error
                yield entry["name"], dict(data["args"]), log
