"""The keeper's loop: whenever the source has a newer market than the last epoch, run a round."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from marginproof.errors import MarginproofError
from marginproof.keeper.collect import Answer, collect
from marginproof.keeper.post import post, publish_leaves
from marginproof.keeper.propose import ProposedEpoch, propose
from marginproof.market.sources import MarketFolder
from marginproof.protocol.compute import ComputeEpoch, epoch_of
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.replay import Replayer
from marginproof.protocol.transactions import Sender

log = logging.getLogger("marginproof.keeper")


@dataclass(frozen=True, slots=True)
class Round:
    """A posted round: the epoch, what each attester said, the gas of posting it and of publishing its leaves."""

    epoch: ProposedEpoch
    signatures: bytes
    answers: tuple[Answer, ...]
    gas: int
    publish_gas: int


class Keeper:
    """Proposes, collects, posts. Safe to stop at any point: what is on chain decides where the next start goes on."""

    def __init__(
        self,
        replayer: Replayer,
        sender: Sender,
        source: MarketFolder,
        attesters: Sequence[str],
        publish_up_to: int = 1_000,
        compute: ComputeEpoch = epoch_of,
    ) -> None:
        self.replayer = replayer
        self.venue = replayer.venue
        self.sender = sender
        self.source = source
        self.attesters = tuple(attesters)
        self.publish_up_to = publish_up_to
        self.compute = compute

    def chain_time(self) -> int:
        """The newest block's time, unix seconds."""
        eth = self.venue.web3.eth
        return int(
            read(lambda: eth.get_block("latest"), endpoint(self.venue.web3), "the newest block")["timestamp"]
        )

    def round(self, *, same_market: bool = False) -> Round | None:
        """Run one round with the newest market of the source; None when it is not newer than the last epoch's.

        `same_market` posts the same market again, with the portfolios as they are now.

        Errors: ChainError, InputError, QuorumNotReachedError; nothing is posted then.
        """
        document = self.source.newest(self.chain_time())
        last = self._last_time()
        if document.time < last or (document.time == last and not same_market):
            return None
        epoch = propose(self.replayer, document, self.compute)
        signatures, answers = collect(self.venue, epoch, self.attesters)
        receipt = post(self.venue, self.sender, epoch, signatures)
        published = 0
        if len(epoch.result.leaves) <= self.publish_up_to:
            published = sum(item["gasUsed"] for item in publish_leaves(self.venue, self.sender, epoch))
        return Round(epoch, signatures, tuple(answers), receipt["gasUsed"], published)

    def _last_time(self) -> int:
        if self.venue.call("EpochRegistry", "lastRound") == 0:
            return 0
        return int(self.venue.call("EpochRegistry", "latestHeader")[1])

    def run(self, interval: float, stop: Callable[[], bool], on_round: Callable[[Round], None]) -> None:
        """Run rounds until `stop` says so; a failed round is logged and tried again after `interval` seconds."""
        while not stop():
            try:
                done = self.round()
                if done is not None:
                    on_round(done)
            except MarginproofError as error:
                log.warning("%s", error)
            time.sleep(interval)
