"""Gas of posting an epoch at the size that a target is given for: two underlyings with twelve expiries each, three signatures."""

from __future__ import annotations

from dataclasses import replace

from web3.types import TxReceipt

from marginproof.demo.world import FEED_MAX_AGE, THRESHOLD, Keys
from marginproof.documents import MarketDocument
from marginproof.keeper.post import post
from marginproof.keeper.propose import propose
from marginproof.protocol.connection import connect
from marginproof.protocol.deploy import deploy_protocol, deployable, feed_update
from marginproof.protocol.deploy_config import DEPLOY_FORMAT, DeployPlan, UnderlyingPlan
from marginproof.protocol.localchain import LocalChain
from marginproof.protocol.replay import Replayer
from marginproof.protocol.reverts import RevertDecoder
from marginproof.protocol.signing import sign
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.hashing import keccak

ROW = "post epoch, 2 x 12 expiries, 3 of 5"
_STEP_SECONDS = 600
_MAX_AGE = 3_600
_ROUNDS = 4
"""Notes of four rounds share a word of storage: one posting in four opens a new one."""


class PostingGas:
    """A venue of its own that lists all expiries of two snapshots. The later is posted on the earlier, and again later on with other
    spots and another tree, so that everything that an epoch may change does change."""

    def __init__(self, chain: LocalChain, before: MarketDocument, after: MarketDocument) -> None:
        self.documents = (before, *(_moved(after, step) for step in range(_ROUNDS)))
        self.chain = chain
        self.keys = Keys.of(chain)
        web3 = connect(chain.url, chain.chain_id)
        artifacts = deployable()
        decoder = RevertDecoder(artifact.abi for artifact in artifacts.values())
        self.admin = Sender(web3, self.keys.deployer, decoder)
        self.venue = Venue(web3, deploy_protocol(self.admin, artifacts, self._plan()))

    def measure(self) -> dict[str, int]:
        """Gas by name: a posting after another one, and one that opens a word of notes, too."""
        receipts = [self._post(document) for document in self.documents]
        *_, usual, dearest = sorted(receipt["gasUsed"] for receipt in receipts[1:])
        return {ROW: usual, f"{ROW}, opening a word of notes": dearest}

    def _plan(self) -> DeployPlan:
        return DeployPlan(
            format=DEPLOY_FORMAT,
            attesters=tuple(str(key.address) for key in self.keys.attesters),
            threshold=THRESHOLD,
            epoch_max_age=_MAX_AGE,
            underlyings=tuple(
                UnderlyingPlan(
                    symbol=entry.symbol,
                    feed_max_age=FEED_MAX_AGE,
                    expiries=tuple(quote.expiry for quote in entry.expiries),
                )
                for entry in self.documents[0].underlyings
            ),
        )

    def _post(self, document: MarketDocument) -> TxReceipt:
        self.chain.set_next_timestamp(document.time)
        for entry in document.underlyings:
            feed_update(self.venue, self.admin, entry.symbol, entry.spot_e8, document.time)
        number = self.venue.call("EpochRegistry", "lastRound") + 1
        epoch = propose(Replayer(self.venue), document, number)
        # Nobody has an account here: the root is made up.
        header = replace(epoch.header, leaf_root=keccak(number.to_bytes(32)))
        domain = self.venue.domain("EpochRegistry")
        signers = sorted(self.keys.attesters, key=lambda key: int(key.address, 16))[:THRESHOLD]
        signatures = b"".join(sign(key, domain, header.struct_hash()) for key in signers)
        keeper = self.venue.sender(self.keys.keeper)
        return post(self.venue, keeper, replace(epoch, header=header), signatures)


def _moved(document: MarketDocument, step: int) -> MarketDocument:
    """The snapshot some minutes later, spots a little higher."""
    moved = tuple(
        entry.model_copy(update={"spot_e8": entry.spot_e8 + step * 10**6}) for entry in document.underlyings
    )
    return document.model_copy(update={"time": document.time + step * _STEP_SECONDS, "underlyings": moved})
