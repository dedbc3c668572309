"""Filing disputes: commit, wait for a later block, reveal."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from web3.logs import DISCARD
from web3.types import TxReceipt

from marginproof.auditor.disputable import Disputable, WrongCount, WrongLeaf, WrongTicket
from marginproof.auditor.evidence import ALL_SCENARIOS, Kind
from marginproof.auditor.findings import EpochAudit
from marginproof.errors import ChainError
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.replay import Replayer
from marginproof.protocol.state import PostedEpoch, VenueState, header_to_chain, leaf_to_chain
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.hashing import keccak
from marginproof.spec.provenance import witness
from marginproof.spec.typed_data import EpochHeader

NO_HEADER = EpochHeader(0, 0, 0, bytes(32), 0, bytes(32), bytes(32), bytes(32), 0)
OVERHEAD_GAS = 220_000
"""Of commitment and revelation together, beside the repricing: signatures, proof, penalties, the registry's change."""
_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Quote:
    """What a dispute would cost and bring: gas in all, roughly; whether bonds are slashed; the reward in units of the bond token."""

    gas: int
    is_material: bool
    reward: int


@dataclass(frozen=True, slots=True)
class Filed:
    """A dispute that succeeded: gas of both transactions, whether bonds were slashed, what was paid in units of the bond token."""

    item: Disputable
    gas: int
    slashed: bool
    paid: int
    transaction: str


def cases_of(audits: Iterable[EpochAudit]) -> list[Disputable]:
    """One dispute for each open epoch, the one that shows the greatest difference, and one for each open ticket."""
    chosen: list[Disputable] = []
    for audit in audits:
        of_epoch = [item for item in audit.disputable if not isinstance(item, WrongTicket)]
        if of_epoch and not audit.invalidated:
            chosen.append(max(of_epoch, key=lambda item: item.evidence.difference_e8))
        chosen += [item for item in audit.disputable if isinstance(item, WrongTicket)]
    return chosen


class Claimant:
    """Files disputes with one key."""

    def __init__(self, venue: Venue, sender: Sender | None) -> None:
        """`sender` None: quotes only."""
        self.venue = venue
        self.sender = sender

    def quote(self, item: Disputable) -> Quote:
        """Price a dispute without sending anything. Errors: ChainError."""
        materiality = self.venue.call("Disputes", "materialityE8")
        is_material = item.evidence.is_material(materiality)
        signers = len(item.epoch.signatures) // 65
        bonds = signers * self.venue.call("AttesterSet", "bond")
        bounty = self.venue.call("Disputes", "bounty") // signers * signers
        reward = bonds // 2 if is_material else bounty
        return Quote(OVERHEAD_GAS + item.evidence.repricings * self._repricing_gas(item), is_material, reward)

    def _repricing_gas(self, item: Disputable) -> int:
        if isinstance(item, WrongCount) or item.evidence.kind == Kind.IDENTITY:
            return 0
        given = (item.epoch.header.model_hash, item.portfolio, item.epoch.market_bytes)
        choices = item.evidence.choices
        try:
            if choices == ALL_SCENARIOS:
                return self.venue.gas("MarginCourt", "recompute", *given)
            return self.venue.gas("MarginCourt", "repriceScenario", *given, choices)
        except ChainError:
            # Malformed choices are refused before anything is priced.
            return 50_000

    def file(self, item: Disputable) -> Filed:
        """Commit, wait for a later block, reveal. Errors: ChainError with the contract's reason."""
        if self.sender is None:
            raise ChainError("A dispute needs a key that pays for it.")
        salt = secrets.token_bytes(32)
        commitment = self.venue.call(
            "Disputes",
            "commitmentOf",
            self.sender.address,
            int(item.kind),
            item.epoch.header.round,
            item.subject,
            salt,
        )
        committed = self.venue.send(self.sender, "Disputes", "commit", commitment)
        self._wait_beyond(committed["blockNumber"], self.sender)
        state = Replayer(self.venue).state_at()
        receipt = self.venue.send(self.sender, "Disputes", *self._arguments(item, state, salt))
        outcome = self._outcome(receipt)
        return Filed(
            item,
            committed["gasUsed"] + receipt["gasUsed"],
            bool(outcome["slashed"]),
            int(outcome["paid"]),
            "0x" + bytes(receipt["transactionHash"]).hex(),
        )

    def _wait_beyond(self, block: int, sender: Sender) -> None:
        """Until there is a later block; a chain that mines on demand is asked for one."""
        eth = self.venue.web3.eth
        url = endpoint(self.venue.web3)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while read(lambda: eth.block_number, url, "the newest block") <= block:
            if time.monotonic() >= deadline:
                sender.send_nothing()
                return
            time.sleep(_POLL_SECONDS)

    def _outcome(self, receipt: TxReceipt) -> dict[str, Any]:
        events = self.venue.contract("Disputes").events
        for name in ("EpochDisputed", "TicketDisputed"):
            found = events[name]().process_receipt(receipt, errors=DISCARD)
            if found:
                return dict(found[0]["args"])
        raise ChainError("The dispute was mined without an outcome.")

    def _arguments(self, item: Disputable, state: VenueState, salt: bytes) -> Sequence[Any]:
        """Function and arguments."""
        if isinstance(item, WrongTicket):
            return (
                "disputeTicket",
                header_to_chain(item.epoch.header),
                keccak(item.epoch.signatures),
                (list(item.leaves), item.signatures),
                item.place,
                leaf_to_chain(item.ticket),
                (item.portfolio, item.epoch.market_bytes, item.evidence.choices),
                salt,
            )
        claim = claim_of(state, item.epoch, salt)
        if isinstance(item, WrongCount):
            return "disputeCount", claim
        return self._leaf_arguments(item, state, claim)

    def _leaf_arguments(self, item: WrongLeaf, state: VenueState, claim: tuple[Any, ...]) -> Sequence[Any]:
        leaf, proof = leaf_to_chain(item.posted), list(item.proof)
        if item.evidence.kind == Kind.IDENTITY:
            known = witness(state.accounts[item.index].changes, item.epoch.header.block_number)
            later = [(change.block_number, change.portfolio_hash) for change in known.later]
            history = (known.before, known.changed_at, known.portfolio_hash, later)
            return "disputeIdentity", claim, item.index, leaf, proof, history
        case = (item.portfolio, item.epoch.market_bytes, item.evidence.choices)
        return "disputeLeaf", claim, leaf, proof, case


def claim_of(state: VenueState, epoch: PostedEpoch, salt: bytes) -> tuple[Any, ...]:
    """What every dispute of an epoch carries. The epoch to fall back to is the newest valid one before it."""
    before = [e for e in state.valid_epochs() if e.header.round < epoch.header.round]
    fallback = before[-1] if before else None
    return (
        header_to_chain(epoch.header),
        epoch.signatures,
        header_to_chain(fallback.header if fallback else NO_HEADER),
        keccak(fallback.signatures) if fallback else bytes(32),
        salt,
    )
