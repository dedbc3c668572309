"""Deploying a venue: the same code for users, for tests and for the demonstration."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from web3 import Web3
from web3.contract import Contract
from web3.types import TxReceipt

from marginproof.documents import E8_DIGITS, format_decimal, format_expiry, model_to_spec
from marginproof.errors import ChainError, InputError, MarginproofError
from marginproof.models import load_model
from marginproof.protocol.compiler import Artifact, load_artifacts
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.creation import created_at
from marginproof.protocol.deploy_config import DeployPlan, UnderlyingPlan, check_plan
from marginproof.protocol.deployment import ContractEntry, Deployment
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.hashing import keccak
from marginproof.spec.instruments import FIRST_EXPIRY_INDEX, IdParts, instrument_id
from marginproof.spec.model import encode_model
from marginproof.spec.units import ONE_E8

IDS_PER_TRANSACTION = 400
DEFAULT_ADMIN_ROLE = bytes(32)
SETTLEMENT_DECIMALS = 6
COLLATERAL_DECIMALS = 18
FEED_DECIMALS = 8
_VAULT_AFTER_EPOCHS = 2
"""The epochs come first, then the court, then the vault."""


SOURCES = tuple(
    f"contracts/{name}.sol"
    for name in (
        "AttesterSet",
        "Disputes",
        "EpochRegistry",
        "InstrumentRegistry",
        "InsuranceFund",
        "LiquidationHouse",
        "MarginCourt",
        "MarginVault",
        "MarketBounds",
        "ModelRegistry",
        "PriceGuard",
        "Timelock",
        "interfaces/IAggregatorV3",
        "testing/TestFeed",
        "testing/TestToken",
    )
)
"""What a deployment needs compiled: the venue, its outside interfaces, and the test token and feed."""


def deployable() -> dict[str, Artifact]:
    """Artifacts of `SOURCES`, compiled first where something changed. Errors: CompilerError, ToolMissingError."""
    return load_artifacts(sources=SOURCES)


def chain_time(web3: Web3) -> int:
    """The newest block's time, unix seconds. Errors: ChainError."""
    return int(read(lambda: web3.eth.get_block("latest"), endpoint(web3), "the newest block")["timestamp"])


def past_expiries(plan: DeployPlan, time: int) -> list[str]:
    """The plan's expiries that are not after this time (unix seconds), as BTC-27FEB26."""
    return [
        f"{underlying.symbol}-{format_expiry(expiry)}"
        for underlying in plan.underlyings
        for expiry in sorted(underlying.expiries)
        if expiry <= time
    ]


def require_future_expiries(plan: DeployPlan, time: int) -> None:
    """Refuse expiries that the chain's clock (unix seconds) has passed: the registry would. Errors: InputError naming them."""
    past = past_expiries(plan, time)
    if past:
        raise InputError(
            f"The plan's expiries {', '.join(past)} are not after the chain's time, "
            f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC; allowed: later ones.",
            "Nothing was sent. Take them out of the plan, or choose later ones.",
        )


class Deployer:
    """Creates contracts one after the other and remembers them."""

    def __init__(self, sender: Sender, artifacts: Mapping[str, Artifact]) -> None:
        self.sender = sender
        self.artifacts = artifacts
        self.entries: dict[str, ContractEntry] = {}
        self.first_block: int | None = None

    def create(self, name: str, *arguments: Any) -> ContractEntry:
        """Deploy a contract and return its address and ABI. Errors: ChainError."""
        artifact = self.artifacts[name]
        factory = self.sender.web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        receipt = self.sender.send(factory.constructor(*arguments), f"deploying {name}")
        address = receipt["contractAddress"]
        if address is None:
            raise ChainError(f"The node gave no address for the new {name}.")
        if self.first_block is None:
            self.first_block = receipt["blockNumber"]
        return ContractEntry(address=str(address), abi=artifact.abi)

    def later(self, contracts: int) -> str:
        """The address of the contract that the sender creates after so many others, if it sends nothing else. Errors: ChainError."""
        return created_at(self.sender.address, self.sender.next_nonce() + contracts)

    def core(self, name: str, *arguments: Any) -> str:
        """Deploy one of the venue's own contracts; its address."""
        self.entries[name] = self.create(name, *arguments)
        return self.entries[name].address

    def bound(self, name: str) -> Contract:
        """One of the venue's own contracts, to call."""
        entry = self.entries[name]
        return self.sender.web3.eth.contract(address=Web3.to_checksum_address(entry.address), abi=entry.abi)

    def send(self, name: str, function: str, *arguments: Any) -> TxReceipt:
        """Call a function of one of the venue's own contracts."""
        contract = self.bound(name)
        return self.sender.send(contract.functions[function](*arguments), f"{name}.{function}")

    def has_roles(self, name: str) -> bool:
        """Whether powers over one of the venue's own contracts are roles."""
        return any(entry.get("name") == "renounceRole" for entry in self.entries[name].abi)

    def hand(self, name: str, role: bytes, holder: str) -> None:
        """Give a role to a holder, and let go of it unless that is the sender itself."""
        admin = self.sender.address

        def holds(address: str) -> bool:
            call = self.bound(name).functions.hasRole(role, address)
            return bool(read(call.call, endpoint(self.sender.web3), f"{name}.hasRole"))

        if not holds(holder):
            self.send(name, "grantRole", role, holder)
        if holder != admin and holds(admin):
            self.send(name, "renounceRole", role, admin)


def deploy_protocol(sender: Sender, artifacts: Mapping[str, Artifact], plan: DeployPlan) -> Deployment:
    """Deploy and configure a whole venue. The sender is its admin, or was until it handed every power to the plan's timelock.

    Errors: InputError for a plan that does not hold together or whose expiries the chain's clock has passed, both before anything is
    sent; ChainError with the contract's reason. Nothing is written here: save the returned deployment.
    """
    check_plan(plan)
    require_future_expiries(plan, chain_time(sender.web3))
    symbols = {underlying.symbol: index for index, underlying in enumerate(plan.underlyings, 1)}
    model = model_to_spec(load_model(plan.model), symbols)
    deployer = Deployer(sender, artifacts)
    admin = sender.address
    tokens = {"settlement": _settlement_token(deployer, plan)}
    attesters = sorted((Web3.to_checksum_address(a) for a in plan.attesters), key=lambda a: int(a, 16))

    instruments = deployer.core("InstrumentRegistry", admin)
    models = deployer.core("ModelRegistry", admin)
    settlement_token = Web3.to_checksum_address(tokens["settlement"].address)
    bonds = Bonds.of(deployer, plan, tokens["settlement"])
    attester_set = deployer.core("AttesterSet", admin, settlement_token, *bonds.terms(plan), attesters)
    guard = deployer.core("PriceGuard", admin)
    bounds = deployer.core("MarketBounds", admin)
    epochs = deployer.core(
        "EpochRegistry",
        admin,
        (attester_set, models, instruments, guard, bounds, deployer.later(_VAULT_AFTER_EPOCHS)),
        plan.epoch_max_age,
        plan.epoch_min_depth,
        plan.dispute_window,
        plan.policy.values(),
    )
    court = deployer.core("MarginCourt", instruments, models, epochs)
    vault = deployer.core(
        "MarginVault", admin, instruments, epochs, court, plan.settle_delay, settlement_token
    )
    _require_wired(deployer, vault)
    terms = plan.liquidation
    house = deployer.core(
        "LiquidationHouse",
        vault,
        epochs,
        court,
        terms.discount_wad,
        terms.max_slice_wad,
        terms.dust_e8,
    )
    deployer.send("MarginVault", "connect", house)
    fund = deployer.core("InsuranceFund", vault)
    disputes = deployer.core("Disputes", epochs, vault, court, attester_set, bonds.dispute_terms(plan))
    deployer.send("EpochRegistry", "connect", disputes)
    deployer.send("AttesterSet", "connect", disputes, fund)
    deployer.send("InstrumentRegistry", "grantRole", keccak(b"LISTER_ROLE"), admin)
    deployer.send("ModelRegistry", "grantRole", keccak(b"MODEL_ROLE"), admin)
    deployer.send("ModelRegistry", "publish", encode_model(model))
    deployer.send("MarketBounds", "setTokenLimits", plan.settlement_token_bounds.values())
    feeds: dict[str, ContractEntry] = {}
    for underlying in plan.underlyings:
        tokens[underlying.symbol] = _collateral_token(deployer, underlying)
        feeds[underlying.symbol] = _feed(deployer, underlying)
        _list_underlying(
            deployer,
            underlying,
            symbols[underlying.symbol],
            tokens[underlying.symbol],
            feeds[underlying.symbol],
        )
    # After everything that is created: contracts keep the addresses they would have without.
    for listed in symbols.values():
        deployer.send("MarginCourt", "syncInstruments", listed)
    if plan.settlement_token is None:
        bonds.pay(deployer, tokens["settlement"], attesters)
    _hand_over(deployer, plan)
    return Deployment(
        chainId=sender.web3.eth.chain_id,
        block=deployer.first_block or 0,
        contracts=deployer.entries,
        tokens=tokens,
        feeds=feeds,
    )


def _require_wired(deployer: Deployer, vault: str) -> None:
    """Refuse a vault elsewhere than the epochs were told: another transaction of the sender came between. Errors: ChainError."""
    known = read(
        deployer.bound("EpochRegistry").functions.vault().call,
        endpoint(deployer.sender.web3),
        "EpochRegistry.vault",
    )
    if known != vault:
        raise ChainError(
            f"The vault is at {vault}, and the epochs expect it at {known}: the deploying key sent something else in between.",
            "Deploy again, with a key that nothing else uses.",
        )


@dataclass(frozen=True, slots=True)
class Bonds:
    """Bond and bounty in units of the settlement token."""

    bond: int
    bounty: int

    @classmethod
    def of(cls, deployer: Deployer, plan: DeployPlan, token: ContractEntry) -> Bonds:
        """From USD, which the settlement token counts. Errors: InputError for what its units cannot express, ChainError."""
        contract = deployer.sender.web3.eth.contract(
            address=Web3.to_checksum_address(token.address), abi=_erc20_abi(deployer)
        )
        decimals = int(
            read(
                contract.functions.decimals().call,
                endpoint(deployer.sender.web3),
                "the settlement token's decimals",
            )
        )

        def units(name: str, amount_e8: int) -> int:
            scaled = amount_e8 * int(10**decimals)
            if scaled % ONE_E8:
                raise InputError(
                    f"bonds.{name}: {format_decimal(amount_e8, E8_DIGITS)} has more decimals than the settlement token; "
                    f"allowed: at most {decimals}."
                )
            return scaled // ONE_E8

        return cls(units("bond", plan.bonds.bond_e8), units("bounty", plan.bonds.bounty_e8))

    def terms(self, plan: DeployPlan) -> tuple[int, int, int, tuple[int, int, int]]:
        """The attester set's bond, its value, the threshold and the delays. A bond opens when nothing its owner signed is open."""
        terms = plan.bonds
        open_for = plan.dispute_window + plan.epoch_max_age + terms.grace
        return self.bond, terms.bond_e8, plan.threshold, (terms.join_delay, terms.leave_delay, open_for)

    def dispute_terms(self, plan: DeployPlan) -> tuple[int, int]:
        """Materiality (E8) and bounty (token units)."""
        return plan.bonds.materiality_e8, self.bounty

    def pay(self, deployer: Deployer, token: ContractEntry, attesters: Sequence[str]) -> None:
        """Mint test tokens for the founders' bonds and pay them."""
        sender = deployer.sender
        contract = sender.web3.eth.contract(address=Web3.to_checksum_address(token.address), abi=token.abi)
        whole = self.bond * len(attesters)
        sender.send(contract.functions.mint(sender.address, whole), "minting bonds")
        spender = Web3.to_checksum_address(deployer.entries["AttesterSet"].address)
        sender.send(contract.functions.approve(spender, whole), "approving bonds")
        for attester in attesters:
            deployer.send("AttesterSet", "join", attester)


def _hand_over(deployer: Deployer, plan: DeployPlan) -> None:
    """Give the roles to those the plan names, and last of all the power to give roles to the timelock, if there is to be one."""
    admin, timelock = deployer.sender.address, None
    if plan.timelock is not None:
        proposers = [Web3.to_checksum_address(a) for a in plan.timelock.proposers or (admin,)]
        timelock = deployer.core("Timelock", plan.timelock.delay, proposers)
    for contract, role, holder in (
        ("InstrumentRegistry", keccak(b"LISTER_ROLE"), plan.roles.lister or admin),
        ("ModelRegistry", keccak(b"MODEL_ROLE"), plan.roles.model or timelock or admin),
        ("MarginVault", keccak(b"PAUSER_ROLE"), plan.roles.pauser or admin),
    ):
        deployer.hand(contract, role, Web3.to_checksum_address(holder))
    if timelock is None:
        return
    for name in list(deployer.entries):
        if name != "Timelock" and deployer.has_roles(name):
            deployer.hand(name, DEFAULT_ADMIN_ROLE, timelock)


def _settlement_token(deployer: Deployer, plan: DeployPlan) -> ContractEntry:
    if plan.settlement_token is None:
        return deployer.create("TestToken", "Test dollar", "tUSD", SETTLEMENT_DECIMALS)
    return ContractEntry(address=plan.settlement_token, abi=_erc20_abi(deployer))


def _collateral_token(deployer: Deployer, underlying: UnderlyingPlan) -> ContractEntry:
    if underlying.collateral is None:
        return deployer.create(
            "TestToken", f"Test {underlying.symbol}", f"t{underlying.symbol}", COLLATERAL_DECIMALS
        )
    return ContractEntry(address=underlying.collateral, abi=_erc20_abi(deployer))


def _erc20_abi(deployer: Deployer) -> list[dict[str, Any]]:
    """The ABI of any ERC-20: the test token's without its minting."""
    return [entry for entry in deployer.artifacts["TestToken"].abi if entry.get("name") != "mint"]


def _feed(deployer: Deployer, underlying: UnderlyingPlan) -> ContractEntry:
    if underlying.feed is None:
        return deployer.create("TestFeed", FEED_DECIMALS)
    return ContractEntry(address=underlying.feed, abi=deployer.artifacts["IAggregatorV3"].abi)


def _list_underlying(
    deployer: Deployer, plan: UnderlyingPlan, underlying: int, token: ContractEntry, feed: ContractEntry
) -> None:
    deployer.send("InstrumentRegistry", "addUnderlying", plan.symbol)
    deployer.send("MarginVault", "setCollateral", underlying, Web3.to_checksum_address(token.address))
    sources = [(Web3.to_checksum_address(feed.address), plan.feed_max_age)]
    sources += [(Web3.to_checksum_address(more.feed), more.max_age) for more in plan.more_feeds]
    deployer.send(
        "PriceGuard", "setFeeds", underlying, sources, plan.feeds_min_fresh, plan.feed_max_deviation_bps
    )
    deployer.send("MarketBounds", "setLimits", underlying, plan.bounds.values())
    for expiry in sorted(plan.expiries):
        deployer.send("InstrumentRegistry", "addExpiry", underlying, expiry)
    if plan.strikes:
        deployer.send("InstrumentRegistry", "addStrikes", underlying, sorted(plan.strikes))
    ids = dated_ids(underlying, range(len(plan.expiries)), range(len(plan.strikes)))
    for start in range(0, len(ids), IDS_PER_TRANSACTION):
        deployer.send("InstrumentRegistry", "list", ids[start : start + IDS_PER_TRANSACTION])


def dated_ids(underlying: int, expiries: Sequence[int], strikes: Sequence[int]) -> list[int]:
    """Ids of the future and of every call and put for these positions in the registry's lists (both counted from 0)."""
    return [
        instrument_id(IdParts(underlying, FIRST_EXPIRY_INDEX + expiry, strike, is_put))
        for expiry in expiries
        for strike, is_put in [(0, False), *((s + 1, p) for s in strikes for p in (False, True))]
    ]


def feed_update(venue: Venue, sender: Sender, symbol: str, price_e8: int, updated_at: int) -> TxReceipt:
    """Set a test feed's answer (E8) and its time (unix seconds); for development chains."""
    contract = venue.bind(venue.deployment.feeds[symbol])
    return sender.send(
        contract.functions.setAnswer(price_e8, updated_at), f"setting the test feed of {symbol}"
    )


def main() -> int:
    """Compile what a deployment needs, for the set-up; the exit code."""
    try:
        deployable()
    except MarginproofError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
