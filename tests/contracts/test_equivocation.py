"""Two headers of one round by one signer."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

from evm.machine import refused
from marginproof.auditor.evidence import Kind
from marginproof.spec.hashing import keccak
from marginproof.spec.typed_data import EpochHeader

from .bonds import BOND
from .dispute_acts import BONDED, SLASHED
from .dispute_stage import (
    ATTESTERS,
    BLOCK,
    CLAIMANT,
    NO_HEADER,
    ROUND,
    SALT,
    SIGNERS,
    DisputeStage,
    Epoch,
    block_hash,
)
from .spoiled import flipped
from .world import person


def twins(
    stage: DisputeStage,
    first: EpochHeader,
    second: EpochHeader,
    signers: tuple[Any, Any] = (SIGNERS[0], SIGNERS[0]),
    posted: Epoch | None = None,
) -> tuple[Any, ...]:
    shown = (NO_HEADER, bytes(32)) if posted is None else (astuple(posted.header), keccak(posted.signatures))
    return (
        astuple(first),
        stage.sign(first.struct_hash(), [signers[0]]),
        astuple(second),
        stage.sign(second.struct_hash(), [signers[1]]),
        *shown,
    )


def commit_to_signer(stage: DisputeStage, signer: Any) -> None:
    stage.commit(Kind.EQUIVOCATION, int(signer.address, 16))


def test_attack_7_two_headers_with_one_number(stage: DisputeStage) -> None:
    epoch = stage.post(stage.epoch())
    other = replace(epoch.header, block_number=BLOCK + 1, block_hash=block_hash(BLOCK + 1))
    signer = SIGNERS[0]
    commit_to_signer(stage, signer)
    stage.disputes.transact("disputeEquivocation", twins(stage, epoch.header, other), SALT, caller=CLAIMANT)
    assert stage.event("EquivocationProven") == {
        "round": ROUND,
        "claimant": CLAIMANT.lower(),
        "signer": signer.address.lower(),
        "paid": BOND // 2,
    }
    assert not [e for e in stage.machine.events() if e.name == "Invalidated"]
    standings = [stage.attesters.call("statusOf", a.address)[0] for a in ATTESTERS]
    assert standings == [SLASHED, *[BONDED] * 4]
    assert stage.stage.call("record", ROUND)[1] == 1
    commit_to_signer(stage, signer)
    with refused("AlreadyExpelled", signer.address.lower()):
        stage.disputes.transact(
            "disputeEquivocation", twins(stage, epoch.header, other), SALT, caller=CLAIMANT
        )


def test_what_is_no_equivocation(stage: DisputeStage) -> None:
    epoch = stage.post(stage.epoch())
    header, signer, nobody = epoch.header, SIGNERS[0], person("nobody")
    other = replace(header, market_hash=bytes(32))
    for who in (signer, nobody):
        commit_to_signer(stage, who)
    orphan = replace(other, block_hash=keccak(b"a block that was replaced"))
    forgotten = replace(other, block_number=BLOCK - 500, block_hash=block_hash(BLOCK - 500))
    future = replace(other, block_number=5_000, block_hash=bytes(32))

    def attempt(*arguments: Any, **options: Any) -> None:
        stage.disputes.call("disputeEquivocation", twins(stage, *arguments, **options), SALT, caller=CLAIMANT)

    with refused("SameHeader", header.struct_hash()):
        attempt(header, header)
    with refused("DifferentRounds", ROUND, ROUND + 1):
        attempt(header, replace(header, round=ROUND + 1))
    with refused("DifferentSigners", signer.address.lower(), SIGNERS[1].address.lower()):
        attempt(header, other, (signer, SIGNERS[1]))
    with refused("NotAccountable", nobody.address.lower()):
        attempt(header, other, (nobody, nobody))
    with refused("NotCommitted"):
        attempt(header, other, (SIGNERS[1], SIGNERS[1]))
    # An honest signer may sign again after a block was replaced.
    for pair in ((header, orphan), (orphan, header)):
        with refused("NotCanonical", BLOCK, orphan.block_hash, block_hash(BLOCK)):
            attempt(*pair)
    with refused("NotCanonical", BLOCK - 500, forgotten.block_hash, bytes(32)):
        attempt(header, forgotten)
    with refused("NotCanonical", 5_000, bytes(32), bytes(32)):
        attempt(header, future)
    two = list(twins(stage, header, other))
    for broken, error in (
        (two[1] + two[1], "WrongSignatureLength"),
        (two[1][:64], "WrongSignatureLength"),
        (b"", "WrongSignatureLength"),
        (flipped(two[1]), "BadSignature"),
    ):
        with refused(error):
            stage.disputes.call("disputeEquivocation", (two[0], broken, *two[2:]), SALT, caller=CLAIMANT)
    attempt(header, other)


def test_the_posted_header_vouches_for_its_block_once_the_chain_forgot(stage: DisputeStage) -> None:
    old, signer = BLOCK - 500, SIGNERS[0]
    epoch = stage.post(stage.epoch(block_number=old, block_hash=keccak(b"long ago")))
    other = replace(epoch.header, time=5)
    elsewhere = replace(other, block_number=old + 1)
    orphan = replace(other, block_hash=keccak(b"replaced"))
    commit_to_signer(stage, signer)
    with refused("NotCanonical", old, epoch.header.block_hash, bytes(32)):
        stage.disputes.call("disputeEquivocation", twins(stage, epoch.header, other), SALT, caller=CLAIMANT)
    for wrong in (elsewhere, orphan):
        with refused("NotCanonical"):
            given = twins(stage, epoch.header, wrong, posted=epoch)
            stage.disputes.call("disputeEquivocation", given, SALT, caller=CLAIMANT)
    made_up = stage.epoch(block_number=old, block_hash=keccak(b"replaced"))
    with refused("NotAsPosted"):
        given = twins(stage, orphan, made_up.header, posted=made_up)
        stage.disputes.call("disputeEquivocation", given, SALT, caller=CLAIMANT)
    stage.disputes.call(
        "disputeEquivocation", twins(stage, epoch.header, other, posted=epoch), SALT, caller=CLAIMANT
    )


def test_headers_of_another_chain_are_signed_by_somebody_else(stage: DisputeStage) -> None:
    """A signature under another domain recovers to an address that nobody answers for."""
    epoch = stage.post(stage.epoch())
    other = replace(epoch.header, time=5)
    given = list(twins(stage, epoch.header, other))
    given[1] = stage.sign(epoch.header.struct_hash(), SIGNERS[:1], chain_id=1)
    commit_to_signer(stage, SIGNERS[0])
    with refused("DifferentSigners"):
        stage.disputes.call("disputeEquivocation", tuple(given), SALT, caller=CLAIMANT)
