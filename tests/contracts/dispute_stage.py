"""Disputes with everything around them: real court and attesters, a registry and a ledger set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from random import Random
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_typing import Hash32
from eth_utils.address import to_canonical_address

from evm.court import Court
from evm.draws import Value, World, book, ordinary, world
from evm.machine import Contract
from marginproof.auditor.evidence import Evidence, Kind, leaf_evidence
from marginproof.spec.hashing import keccak
from marginproof.spec.instruments import Instrument
from marginproof.spec.margin import Margin, SpecValues, margin, value_table
from marginproof.spec.market import encode_market, market_hash
from marginproof.spec.provenance import Change, folded, witness
from marginproof.spec.tree import proof, root, tree_levels
from marginproof.spec.typed_data import EpochHeader, Leaf, Tickets, digest, domain_separator, leaf_of

from .bonds import bonded_set
from .world import ATTESTERS, CHAIN_ID, THRESHOLD, person, sign

E8 = 10**8
MATERIALITY_E8 = 1_000 * E8
BOUNTY = 500 * 10**6
FUND = "0x" + "f0" * 20
CLAIMANT = person("claimant").address
BLOCK = 900
"""The block whose portfolios the epochs margin."""
ROUND = 7
FINAL_AT = 2
"""The machine's time is 1: expiries of any market can be registered."""
SALT = keccak(b"salt")
SIGNERS = ATTESTERS[:THRESHOLD]
NO_HEADER = (0, 0, 0, bytes(32), 0, bytes(32), bytes(32), bytes(32), 0)

Positions = list[tuple[Instrument, int]]


def block_hash(number: int) -> bytes:
    """What BLOCKHASH answers in the machine within 256 blocks."""
    return keccak(str(number).encode())


@dataclass
class Account:
    """What an account held at the block, its true figures, and how its portfolio changed."""

    positions: Positions
    portfolio: bytes
    figures: Margin
    changes: list[Change]


@dataclass
class Epoch:
    """A signed header with all its leaves."""

    header: EpochHeader
    signatures: bytes
    leaves: list[Leaf]
    levels: list[list[bytes]] = field(repr=False)

    def claim(self, fallback: tuple[Any, ...] = NO_HEADER, salt: bytes = SALT) -> tuple[Any, ...]:
        """What every dispute of it carries."""
        return (astuple(self.header), self.signatures, fallback, bytes(32), salt)

    def proof(self, index: int) -> list[bytes]:
        return proof(self.levels, index)


class DisputeStage:
    """Accounts in a drawn world, epochs of them true or not, and disputes."""

    def __init__(
        self,
        rng: Random,
        accounts: int = 3,
        value: Value = ordinary,
        most: int = 12,
        drawn: World | None = None,
    ) -> None:
        self.court = Court(underlyings=2)
        self.machine = self.court.machine
        self.drawn: World = world(rng, (1, 2), 9, value) if drawn is None else drawn
        self.model_hash = self.court.publish(self.drawn.model)
        self.values: SpecValues = value_table(self.drawn.market, self.drawn.model)
        self.market = encode_market(self.drawn.market)
        deploy = self.machine.deploy
        self.attesters = bonded_set(self.machine, [a.address for a in ATTESTERS], THRESHOLD)
        self.token = Contract(
            self.machine, deploy("TestToken", "", "", 6).artifact, self.attesters.call("bondToken")
        )
        self.stage = deploy("DisputeStage")
        self.disputes = deploy(
            "Disputes",
            *(c.address for c in (self.stage, self.stage, self.court.court, self.attesters)),
            (MATERIALITY_E8, BOUNTY),
        )
        self.attesters.transact("connect", self.disputes.address, FUND)
        self.stage.transact("connect", self.disputes.address)
        self.accounts: list[Account] = []
        for number in range(accounts):
            # The last account holds nothing.
            positions = book(rng, self.drawn, most) if number < accounts - 1 or accounts == 1 else []
            self.open(rng, positions)

    # --- accounts and epochs ---------------------------------------------------------------------------------------

    def open(self, rng: Random, positions: Positions) -> Account:
        """An account that held this at the block, and other things before and after."""
        portfolio = self.court.portfolio(positions)
        changes = [
            Change(block, rng.randbytes(32))
            for block in sorted(rng.sample(range(10, 800), rng.randint(0, 3)))
        ]
        if portfolio or changes:
            changes.append(Change(rng.choice((800, BLOCK - 1, BLOCK)), keccak(portfolio)))
        if rng.random() < 0.5:
            later = sorted(rng.sample(range(BLOCK + 1, 990), rng.randint(1, 3)))
            changes += [Change(block, rng.randbytes(32)) for block in later]
        account = Account(positions, portfolio, margin(positions, self.values), changes)
        self.accounts.append(account)
        self.stage.transact("open", rng.choice((1, 10, BLOCK)), folded(changes))
        return account

    def true_leaf(self, index: int) -> Leaf:
        account = self.accounts[index]
        return leaf_of(index, keccak(account.portfolio), account.figures)

    def true_leaves(self) -> list[Leaf]:
        return [self.true_leaf(index) for index in range(len(self.accounts))]

    def epoch(
        self,
        leaves: Sequence[Leaf] | None = None,
        signers: Sequence[LocalAccount] = SIGNERS,
        **changes: Any,
    ) -> Epoch:
        """An epoch over leaves (the true ones by default), signed; header fields may be changed."""
        given = self.true_leaves() if leaves is None else list(leaves)
        levels = tree_levels([leaf.struct_hash() for leaf in given])
        header = EpochHeader(
            round=ROUND,
            time=self.drawn.market.time,
            block_number=BLOCK,
            block_hash=block_hash(BLOCK),
            valid_until=FINAL_AT,
            model_hash=self.model_hash,
            market_hash=market_hash(self.drawn.market),
            leaf_root=root([leaf.struct_hash() for leaf in given]),
            leaf_count=len(given),
        )
        header = replace(header, **changes)
        return Epoch(header, self.sign(header.struct_hash(), signers), given, levels)

    def post(self, epoch: Epoch, final_at: int = FINAL_AT) -> Epoch:
        """Into the registry, unchecked."""
        self.stage.transact("post", astuple(epoch.header), epoch.signatures, final_at)
        return epoch

    def with_lie(self, index: int, **changes: Any) -> Epoch:
        """A posted epoch with one leaf changed."""
        leaves = self.true_leaves()
        leaves[index] = replace(leaves[index], **changes)
        return self.post(self.epoch(leaves))

    def sign(
        self, struct_hash: bytes, signers: Sequence[LocalAccount] = SIGNERS, chain_id: int = CHAIN_ID
    ) -> bytes:
        """Signatures of a struct hash in the registry's domain, in the signers' order."""
        separator = domain_separator(chain_id, to_canonical_address(self.stage.address))
        return b"".join(sign(signer, Hash32(digest(separator, struct_hash))) for signer in signers)

    # --- disputes --------------------------------------------------------------------------------------------------

    def next_block(self, time: int = 1) -> None:
        self.machine.set_time(time)

    def commitment(self, kind: Kind, subject: bytes, claimant: str, round_number: int = ROUND) -> bytes:
        return bytes(self.disputes.call("commitmentOf", claimant, int(kind), round_number, subject, SALT))

    def commit(
        self, kind: Kind, subject: int | bytes, claimant: str = CLAIMANT, round_number: int = ROUND
    ) -> None:
        """Commit, and let the next block come."""
        word = subject.to_bytes(32, "big") if isinstance(subject, int) else subject
        self.disputes.transact("commit", self.commitment(kind, word, claimant, round_number), caller=claimant)
        self.next_block()

    def witness(self, index: int, choices: bytes) -> tuple[bytes, bytes, bytes]:
        return (self.accounts[index].portfolio, self.market, choices)

    def arguments(self, epoch: Epoch, index: int, evidence: Evidence) -> tuple[str, tuple[Any, ...]]:
        """The call that the evidence asks for."""
        leaf = (astuple(epoch.leaves[index]), epoch.proof(index))
        if evidence.kind == Kind.IDENTITY:
            history = witness(self.accounts[index].changes, epoch.header.block_number)
            return "disputeIdentity", (epoch.claim(), index, *leaf, astuple(history))
        return "disputeLeaf", (epoch.claim(), *leaf, self.witness(index, evidence.choices))

    def evidence(self, epoch: Epoch, index: int) -> Evidence | None:
        """What the auditor finds."""
        account = self.accounts[index]
        held = [instrument.underlying for instrument, _ in account.positions]
        return leaf_evidence(
            index,
            epoch.leaves[index],
            keccak(account.portfolio),
            account.figures,
            self.drawn.model,
            held,
            MATERIALITY_E8,
        )

    def event(self, name: str) -> dict[str, Any]:
        """The values of the last call's only event of this name."""
        (found,) = [e.values for e in self.machine.events() if e.name == name]
        return dict(found)

    # --- tickets ---------------------------------------------------------------------------------------------------

    def tickets(self, epoch: Epoch, leaves: Sequence[Leaf]) -> Tickets:
        """Tickets for an epoch."""
        hashes = tuple(leaf.struct_hash() for leaf in leaves)
        return Tickets(epoch.header.round, epoch.header.struct_hash(), hashes)

    def ticket_digest(self, tickets: Tickets) -> bytes:
        separator = domain_separator(CHAIN_ID, to_canonical_address(self.stage.address))
        return digest(separator, tickets.struct_hash())

    def ticket_arguments(
        self,
        epoch: Epoch,
        tickets: Tickets,
        signatures: bytes,
        place: int,
        leaf: Leaf,
        witness_: tuple[bytes, bytes, bytes],
    ) -> tuple[Any, ...]:
        return (
            astuple(epoch.header),
            keccak(epoch.signatures),
            (list(tickets.leaves), signatures),
            place,
            astuple(leaf),
            witness_,
            SALT,
        )
