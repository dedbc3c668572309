"""A venue whose powers are a timelock's: what the deployer keeps, what it lost, and how the venue is changed from then on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marginproof.errors import ChainError
from marginproof.market.crash import load_crash
from marginproof.protocol.connection import connect
from marginproof.protocol.deploy import deploy_protocol, deployable
from marginproof.protocol.deploy_config import (
    DEPLOY_FORMAT,
    DeployPlan,
    RolesPlan,
    TimelockPlan,
    UnderlyingPlan,
)
from marginproof.protocol.localchain import LocalChain
from marginproof.protocol.reverts import RevertDecoder
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.hashing import keccak

ADMIN_ROLE = bytes(32)
DELAY = 172_800
MANAGED = (
    "InstrumentRegistry",
    "ModelRegistry",
    "AttesterSet",
    "PriceGuard",
    "MarginVault",
    "EpochRegistry",
    "MarketBounds",
)


@pytest.fixture(scope="module")
def chain() -> Iterator[LocalChain]:
    with LocalChain("anvil", genesis_timestamp=load_crash()[0].time, accounts=8) as running:
        yield running


def deploy(chain: LocalChain, timelock: TimelockPlan | None, roles: RolesPlan | None = None) -> Venue:
    artifacts = deployable()
    web3 = connect(chain.url, chain.chain_id)
    sender = Sender(web3, chain.accounts[0], RevertDecoder(artifact.abi for artifact in artifacts.values()))
    plan = DeployPlan(
        format=DEPLOY_FORMAT,
        attesters=(chain.accounts[2].address,),
        threshold=1,
        timelock=timelock,
        roles=roles or RolesPlan(),
        underlyings=(UnderlyingPlan(symbol="BTC"),),
    )
    return Venue(web3, deploy_protocol(sender, artifacts, plan))


def holds(venue: Venue, contract: str, role: bytes, address: str) -> bool:
    return bool(venue.call(contract, "hasRole", role, address))


def test_timelock_holds_every_admin_role_and_the_deployer_none(chain: LocalChain) -> None:
    venue = deploy(chain, TimelockPlan())
    deployer, timelock = chain.accounts[0].address, venue.contract("Timelock").address
    for contract in MANAGED:
        assert holds(venue, contract, ADMIN_ROLE, timelock), contract
        assert not holds(venue, contract, ADMIN_ROLE, deployer), contract
    assert venue.call("Timelock", "getMinDelay") == DELAY
    for role, holder, other in (
        ("PROPOSER_ROLE", deployer, timelock),
        ("CANCELLER_ROLE", deployer, timelock),
        ("EXECUTOR_ROLE", "0x" + "00" * 20, deployer),
    ):
        assert holds(venue, "Timelock", keccak(role.encode()), holder)
        assert not holds(venue, "Timelock", keccak(role.encode()), other)
    assert holds(venue, "Timelock", ADMIN_ROLE, timelock)
    assert not holds(venue, "Timelock", ADMIN_ROLE, deployer)
    assert holds(venue, "InstrumentRegistry", keccak(b"LISTER_ROLE"), deployer)
    assert holds(venue, "MarginVault", keccak(b"PAUSER_ROLE"), deployer)
    assert holds(venue, "ModelRegistry", keccak(b"MODEL_ROLE"), timelock)
    assert not holds(venue, "ModelRegistry", keccak(b"MODEL_ROLE"), deployer)


def test_every_contract_with_roles_is_handed_over(chain: LocalChain) -> None:
    venue = deploy(chain, TimelockPlan())
    with_roles = {
        name
        for name, entry in venue.deployment.contracts.items()
        if any(item.get("name") == "hasRole" for item in entry.abi)
    }
    assert with_roles == {*MANAGED, "Timelock"}


def test_roles_go_to_whom_the_plan_names(chain: LocalChain) -> None:
    deployer, lister, modeller, pauser, proposer = (key.address for key in chain.accounts[:5])
    venue = deploy(
        chain,
        TimelockPlan(delay=60, proposers=(proposer,)),
        RolesPlan(lister=lister, model=modeller, pauser=pauser.lower()),
    )
    for contract, role, holder in (
        ("InstrumentRegistry", b"LISTER_ROLE", lister),
        ("ModelRegistry", b"MODEL_ROLE", modeller),
        ("MarginVault", b"PAUSER_ROLE", pauser),
        ("Timelock", b"PROPOSER_ROLE", proposer),
    ):
        assert holds(venue, contract, keccak(role), holder)
        assert not holds(venue, contract, keccak(role), deployer)


def test_without_timelock_the_deployer_stays_admin(chain: LocalChain) -> None:
    venue = deploy(chain, None)
    deployer = chain.accounts[0].address
    assert "Timelock" not in venue.deployment.contracts
    for contract in MANAGED:
        assert holds(venue, contract, ADMIN_ROLE, deployer)
    for contract, role in (("InstrumentRegistry", b"LISTER_ROLE"), ("ModelRegistry", b"MODEL_ROLE")):
        assert holds(venue, contract, keccak(role), deployer)


def test_change_is_announced_waits_and_is_carried_out_by_anyone(chain: LocalChain) -> None:
    venue = deploy(chain, TimelockPlan())
    proposer, anyone = venue.sender(chain.accounts[0]), venue.sender(chain.accounts[5])
    token = venue.deployment.tokens["settlement"].address
    vault = venue.contract("MarginVault")
    call = vault.encode_abi("setCap", [token, 5])
    announced = (vault.address, 0, call, bytes(32), bytes(32))
    with pytest.raises(ChainError, match="AccessControlUnauthorizedAccount"):
        venue.send(proposer, "MarginVault", "setCap", token, 5)
    with pytest.raises(ChainError, match="AccessControlUnauthorizedAccount"):
        venue.send(anyone, "Timelock", "schedule", *announced, DELAY)
    with pytest.raises(ChainError, match="TimelockInsufficientDelay"):
        venue.send(proposer, "Timelock", "schedule", *announced, DELAY - 1)
    venue.send(proposer, "Timelock", "schedule", *announced, DELAY)
    with pytest.raises(ChainError, match="TimelockUnexpectedOperationState"):
        venue.send(anyone, "Timelock", "execute", *announced)
    now = int(venue.web3.eth.get_block("latest")["timestamp"])
    chain.set_next_timestamp(now + DELAY + 1)
    chain.rpc("evm_mine")
    venue.send(anyone, "Timelock", "execute", *announced)
    assert venue.call("MarginVault", "capOf", token) == 5
