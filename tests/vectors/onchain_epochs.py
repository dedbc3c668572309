"""Typed data and epochs inside the EVM: domains at the vectors' own addresses, signatures judged by the epoch registry."""

from __future__ import annotations

from typing import Any, Final

from eth_keys.datatypes import PrivateKey
from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env
from scripts.vector_families.case import hexadecimal, octets
from scripts.vector_families.epoch import COMMITTED_MODEL
from scripts.vector_families.samples import BITCOIN, TIME
from scripts.vector_families.signing import address, sign
from scripts.vector_families.typed import LEAF_SCHEMA

from contracts.bonds import bonded_set
from evm.machine import ADMIN, Contract, ContractRefused, Machine
from marginproof.spec import tree
from marginproof.spec.model import encode_model

from .onchain_accounts import court_of
from .onchain_arithmetic import root
from .onchain_base import Given, NotExpressibleError, codec_harness

LEAF_FIELDS: Final = tuple(LEAF_SCHEMA["properties"])


def on_chain(machine: Machine, chain_id: int) -> Machine:
    """The machine, as a fresh chain of another id."""
    block = BlockEnv(number=1_000, timestamp=machine.time, gas_limit=2**40)
    machine._evm = EVM(env=Env(cfg=CfgEnv(chain_id=chain_id), block=block), gas_limit=2**40, spec_id="CANCUN")
    machine._evm.set_balance(ADMIN, 10**30)
    return machine


def moved_to(contract: Contract, target: str) -> Contract:
    """The same contract, standing at another address."""
    evm = contract.machine._evm
    evm.insert_account_info(target, AccountInfo(code=evm.get_code(contract.address)))
    return Contract(contract.machine, contract.artifact, target)


def _at_domain(given: Given) -> Contract:
    chain_id = int(given["chainId"])
    if chain_id >= 2**64:
        raise NotExpressibleError("chains' ids are 64-bit in the EVM at hand")
    return moved_to(on_chain(Machine(), chain_id).deploy("VectorHarness"), given["contract"])


def _header(given: Given) -> tuple[Any, ...]:
    return tuple(octets(value) if value.startswith("0x") else int(value) for value in given.values())


def domain(given: Given) -> Given:
    return {"separator": _at_domain(given).call("domainSeparator")}


def _signed(given: Given, struct_hash: bytes) -> Given:
    return {"structHash": struct_hash, "digest": _at_domain(given).call("digest", struct_hash)}


def header(given: Given) -> Given:
    return _signed(given, codec_harness().call("hashHeader", _header(given["header"])))


def leaf(given: Given) -> Given:
    return {"structHash": codec_harness().call("hashLeaf", _header(given))}


def order(given: Given) -> Given:
    return _signed(given, codec_harness().call("hashOrder", _header(given["order"])))


WIDEST: Final = (0, 4 * 10**9, 10**6, *[2**32 - 1] * 2, -(2**31), *[2**31 - 1] * 10)
"""Market limits that the vectors' markets are never near."""


class Poster:
    """An epoch registry over one underlying whose feed agrees with the market, and nothing listed."""

    def __init__(
        self, attesters: list[str], threshold: int, chain_id: int = 31337, max_age: int = 3600
    ) -> None:
        self.machine = machine = on_chain(Machine(time=TIME + 1), chain_id)
        instruments = machine.deploy("InstrumentRegistry", ADMIN)
        instruments.transact("grantRole", instruments.call("LISTER_ROLE"), ADMIN)
        instruments.transact("addUnderlying", "ONE")
        self.models = machine.deploy("ModelRegistry", ADMIN)
        self.models.transact("grantRole", self.models.call("MODEL_ROLE"), ADMIN)
        guard = machine.deploy("PriceGuard", ADMIN)
        feed = machine.deploy("TestFeed", 8)
        feed.transact("setAnswer", BITCOIN.spot_e8, machine.time)
        guard.transact("setFeed", 1, feed.address, 3600, 100)
        members = bonded_set(machine, attesters, threshold)
        bounds = machine.deploy("MarketBounds", ADMIN)
        bounds.transact("setLimits", 1, WIDEST)
        parts = (members, self.models, instruments, guard, bounds)
        # No vault uses these epochs: any address does.
        addresses = (*(part.address for part in parts), "0x" + "11" * 20)
        self.epochs = machine.deploy("EpochRegistry", ADMIN, addresses, max_age, 1, 86_400, (0,) * 5)


def quorum(given: Given) -> Given:
    """The registry judges signatures first: past them, a header of invented blocks is refused for its block."""
    poster = Poster(given["attesters"], int(given["threshold"]), int(given["chainId"]))
    epochs = moved_to(poster.epochs, given["contract"])
    values = _header(given["header"])
    try:
        epochs.call("post", values, octets(given["signatures"]), b"", b"")
    except ContractRefused as error:
        if error.name != "BlockNotDeepEnough":
            raise
    else:
        raise AssertionError("an epoch of invented blocks was accepted")
    return {"digest": epochs.call("digest", values)}


SIGNER: Final = PrivateKey(b"\1" * 32)


def commitments(given: Given) -> Given:
    """Posted for real, with a block the chain at hand knows in place of the invented one."""
    poster = Poster([hexadecimal(address(SIGNER))], 1, max_age=int(given["maxAge"]))
    current = poster.models.transact("publish", encode_model(COMMITTED_MODEL))
    assert hexadecimal(current) == given["modelHash"]
    values = list(_header(given["header"]))
    number = 998
    values[2:4] = [number, bytes(poster.machine._evm.block_hash(number))]
    digest = poster.epochs.call("digest", tuple(values))
    poster.epochs.transact("post", tuple(values), sign(SIGNER, digest), octets(given["market"]), b"")
    posted = poster.epochs.call("latestHeader")
    return {
        "validUntil": posted[4],
        "structHash": codec_harness().call("hashHeader", _header(given["header"])),
    }


def market(given: Given) -> Given:
    market_hash, next_expiry = codec_harness().call("checkMarket", octets(given["bytes"]))
    return {"hash": market_hash, "nextExpiry": next_expiry}


def abridged(given: Given) -> Given:
    return {"hash": codec_harness().call("abridgedHash", octets(given["bytes"]))}


def epoch(given: Given) -> Given:
    """Leaves by the margin court; the root by every leaf's proof; the header's hash in the domain given."""
    court = court_of(given["registry"])
    leaves, hashes = [], []
    for account, portfolio in enumerate(octets(text) for text in given["portfolios"]):
        portfolio_hash = codec_harness().call("checkPortfolio", portfolio)
        figures = court.figures(octets(given["model"]), portfolio, octets(given["market"]))
        names = ("value", "spotValue", "initialMargin", "maintenanceMargin", "worstScenarios")
        values = (account, portfolio_hash, *(figures[name] for name in names))
        leaves.append(dict(zip(LEAF_FIELDS, values, strict=True)))
        hashes.append(codec_harness().call("hashLeaf", values))
    committed = codec_harness().call("checkMarket", octets(given["market"]))
    leaf_root = tree.root(hashes)
    if hashes:
        root({"leaves": [hexadecimal(value) for value in hashes]})
    time = int.from_bytes(octets(given["market"])[:8], "big")
    fields = {
        "round": int(given["round"]),
        "time": time,
        "blockNumber": int(given["blockNumber"]),
        "blockHash": octets(given["blockHash"]),
        "validUntil": min(time + int(given["maxAge"]), committed[1]),
        "modelHash": court.publish(octets(given["model"])),
        "marketHash": committed[0],
        "leafRoot": leaf_root,
        "leafCount": len(leaves),
    }
    struct_hash = codec_harness().call("hashHeader", tuple(fields.values()))
    return {
        "leaves": leaves,
        "leafHashes": hashes,
        "header": fields,
        "digest": _signed(given, struct_hash)["digest"],
    }
