"""Deploying a venue: the same code for users, for tests and for the demonstration."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from web3 import Web3
from web3.types import TxReceipt

from marginproof.documents import format_expiry, model_to_spec
from marginproof.errors import ChainError, InputError, MarginproofError
from marginproof.models import load_model
from marginproof.protocol.compiler import Artifact, load_artifacts
from marginproof.protocol.connection import endpoint, read
from marginproof.protocol.deploy_config import DeployPlan, UnderlyingPlan, check_plan
from marginproof.protocol.deployment import ContractEntry, Deployment
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.hashing import keccak
from marginproof.spec.instruments import FIRST_EXPIRY_INDEX, IdParts, instrument_id
from marginproof.spec.model import encode_model

IDS_PER_TRANSACTION = 400
SETTLEMENT_DECIMALS = 6
COLLATERAL_DECIMALS = 18
FEED_DECIMALS = 8


SOURCES = tuple(
    f"contracts/{name}.sol"
    for name in (
        "AttesterSet",
        "EpochRegistry",
        "InstrumentRegistry",
        "LiquidationHouse",
        "MarginCourt",
        "MarginVault",
        "ModelRegistry",
        "PortfolioLedger",
        "PriceGuard",
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

    def core(self, name: str, *arguments: Any) -> str:
        """Deploy one of the venue's own contracts; its address."""
        self.entries[name] = self.create(name, *arguments)
        return self.entries[name].address

    def send(self, name: str, function: str, *arguments: Any) -> TxReceipt:
        """Call a function of one of the venue's own contracts."""
        entry = self.entries[name]
        contract = self.sender.web3.eth.contract(
            address=Web3.to_checksum_address(entry.address), abi=entry.abi
        )
        return self.sender.send(contract.functions[function](*arguments), f"{name}.{function}")


def deploy_protocol(sender: Sender, artifacts: Mapping[str, Artifact], plan: DeployPlan) -> Deployment:
    """Deploy and configure a whole venue; the sender becomes its admin.

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
    attester_set = deployer.core("AttesterSet", admin, attesters, plan.threshold)
    guard = deployer.core("PriceGuard", admin)
    epochs = deployer.core(
        "EpochRegistry", attester_set, models, instruments, guard, plan.epoch_max_age, plan.epoch_min_depth
    )
    court = deployer.core("MarginCourt", instruments, models, epochs)
    ledger = deployer.core("PortfolioLedger", admin, instruments, epochs, court, plan.settle_delay)
    settlement_token = Web3.to_checksum_address(tokens["settlement"].address)
    vault = deployer.core("MarginVault", admin, ledger, epochs, court, settlement_token)
    terms = plan.liquidation
    house = deployer.core(
        "LiquidationHouse",
        ledger,
        vault,
        epochs,
        court,
        terms.discount_wad,
        terms.max_slice_wad,
        terms.dust_e8,
    )
    deployer.send("PortfolioLedger", "connect", vault, house)
    deployer.send("MarginVault", "connect", house)
    deployer.send("InstrumentRegistry", "grantRole", keccak(b"LISTER_ROLE"), admin)
    deployer.send("ModelRegistry", "grantRole", keccak(b"MODEL_ROLE"), admin)
    deployer.send("ModelRegistry", "publish", encode_model(model))
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
    return Deployment(
        chainId=sender.web3.eth.chain_id,
        block=deployer.first_block or 0,
        contracts=deployer.entries,
        tokens=tokens,
        feeds=feeds,
    )


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
    deployer.send(
        "PriceGuard",
        "setFeed",
        underlying,
        Web3.to_checksum_address(feed.address),
        plan.feed_max_age,
        plan.feed_max_deviation_bps,
    )
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
