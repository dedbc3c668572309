"""Disputes inside the EVM: the judgement by itself, and what the contract checks before it looks at commitments."""

from __future__ import annotations

from functools import cache
from typing import Any

from scripts.vector_families.case import hexadecimal, octets
from scripts.vector_families.signing import KEYS, address
from scripts.vector_families.typed import CONTRACT

from evm.machine import ADMIN, NOBODY, Contract, ContractRefused, Machine

from .onchain_accounts import Court, court_of
from .onchain_base import Given, codec_harness
from .onchain_epochs import moved_to, on_chain

SIGNERS = [hexadecimal(address(key)) for key in KEYS]
"""Who may have signed twins."""
_HARNESSES: dict[int, Contract] = {}


def _values(given: Given) -> tuple[Any, ...]:
    return tuple(octets(value) if value.startswith("0x") else int(value) for value in given.values())


def _judge_of(court: Court) -> Contract:
    if id(court) not in _HARNESSES:
        _HARNESSES[id(court)] = court.court.machine.deploy("JudgeHarness")
    return _HARNESSES[id(court)]


def judgement(given: Given) -> Given:
    court = court_of(given["registry"])
    court.publish(octets(given["model"]))
    model_hash, market_hash = octets(given["modelHash"]), octets(given["marketHash"])
    header = (7, 0, 0, bytes(32), 0, model_hash, market_hash, bytes(32), 0)
    witness = tuple(octets(given[name]) for name in ("portfolio", "market", "choices"))
    judge = _judge_of(court)
    difference = judge.call("judge", court.court.address, header, _values(given["leaf"]), witness)
    slashed = difference >= max(1, int(given["materialityE8"]))
    return {"differenceE8": difference, "penalty": "bonds" if slashed else "bounty"}


def history(given: Given) -> Given:
    later = [_values(change) for change in given["later"]]
    known = (octets(given["before"]), int(given["changedAt"]), octets(given["portfolioHash"]), later)
    word, block = octets(given["word"]), int(given["blockNumber"])
    return {"held": codec_harness().call("heldAfter", word, known, block)}


@cache
def _disputes(chain_id: int, contract: str) -> Contract:
    """Disputes over a registry at an address of a chain."""
    machine = on_chain(Machine(), chain_id)
    registry = moved_to(machine.deploy("DisputeStage"), contract)
    return machine.deploy("Disputes", registry.address, NOBODY, NOBODY, NOBODY, (0, 0))


def commitment(given: Given) -> Given:
    disputes = _disputes(31337, "0x" + CONTRACT.hex())
    return {"commitment": disputes.call("commitmentOf", *_arguments(given))}


def _arguments(given: Given) -> tuple[Any, ...]:
    return (
        given["claimant"],
        int(given["kind"]),
        int(given["round"]),
        octets(given["subject"]),
        octets(given["salt"]),
    )


def tickets(given: Given) -> Given:
    disputes = _disputes(int(given["chainId"]), given["contract"])
    fields = (int(given["round"]), octets(given["headerHash"]), [octets(leaf) for leaf in given["leaves"]])
    return {
        "structHash": codec_harness().call("hashTickets", *fields),
        "digest": disputes.call("ticketDigest", *fields),
    }


def equivocation(given: Given) -> Given:
    """Past the signatures, a claimant without a commitment is refused, under the signer's name."""
    disputes = _disputes(int(given["chainId"]), given["contract"])
    twins = (
        _values(given["first"]),
        octets(given["firstSignature"]),
        _values(given["second"]),
        octets(given["secondSignature"]),
        (0, 0, 0, bytes(32), 0, bytes(32), bytes(32), bytes(32), 0),
        bytes(32),
    )
    try:
        disputes.call("disputeEquivocation", twins, bytes(32))
    except ContractRefused as error:
        if error.name != "NotCommitted":
            raise
        missing = error.values[1]
    else:
        raise AssertionError("a claim without a commitment was accepted")
    made = [disputes.call("commitmentOf", ADMIN, 4, *_named(given, signer)) for signer in SIGNERS]
    return {"signer": SIGNERS[made.index(missing)]}


def _named(given: Given, signer: str) -> tuple[int, bytes, bytes]:
    return int(given["first"]["round"]), octets(signer).rjust(32, b"\0"), bytes(32)
