"""The keeper: whenever the source has a newer market than the last epoch, it runs a round."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from marginproof.keeper.collect import collect, free_round
from marginproof.keeper.post import post, publish_leaves
from marginproof.keeper.propose import ProposedEpoch, propose
from marginproof.keeper.settle import settle_expired
from marginproof.market.sources import MarketFolder
from marginproof.protocol.compute import ComputeEpoch, epoch_of
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.quorum import Answer
from marginproof.protocol.replay import Replayer
from marginproof.protocol.transactions import Sender
from marginproof.spec.typed_data import Leaf

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
        self.finish_last_round()
        document = self.source.newest(self.chain_time())
        last = self._last_time()
        if document.time < last or (document.time == last and not same_market):
            return None
        number = free_round(self.venue.call("EpochRegistry", "lastRound"), self.attesters)
        epoch = propose(self.replayer, document, number, self.compute)
        signatures, answers = collect(self.venue, epoch, self.attesters)
        receipt = post(self.venue, self.sender, epoch, signatures, self.replayer.state_at())
        published = self._publish(epoch.header.round, epoch.result.leaves)
        return Round(epoch, signatures, tuple(answers), receipt["gasUsed"], published)

    def finish_last_round(self) -> None:
        """Publish what is missing of the last epoch's leaves: an earlier run may have ended between posting and publishing."""
        state = self.replayer.state_at()
        valid = state.valid_epochs()
        if not valid or valid[-1].header.leaf_count > self.publish_up_to:
            return
        last = valid[-1]
        published = state.published.get(last.header.round, {})
        if any(len(leaves) == last.header.leaf_count for leaves in published.values()):
            return
        result = self.compute(self.replayer.state_at(last.header.block_number), last.market)
        if result.root != last.header.leaf_root:
            log.warning(
                "epoch %d has another root than ours: its leaves are not published", last.header.round
            )
            return
        done = published.get(self.sender.address, {})
        self._publish(last.header.round, [leaf for leaf in result.leaves if leaf.account not in done])

    def settle_expired(self) -> int:
        """Turn every expired position that may be settled by others by now into cash; how many accounts that were."""
        return settle_expired(self.replayer.state_at(), self.venue, self.sender, self.chain_time())

    def _publish(self, number: int, leaves: Sequence[Leaf]) -> int:
        if len(leaves) > self.publish_up_to:
            return 0
        return sum(receipt["gasUsed"] for receipt in publish_leaves(self.venue, self.sender, number, leaves))

    def _last_time(self) -> int:
        if self.venue.call("EpochRegistry", "lastRound") == 0:
            return 0
        return int(self.venue.call("EpochRegistry", "latestHeader")[1])
