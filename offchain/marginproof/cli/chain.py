"""A venue as the commands use it: connected, replayed, with accounts and instruments by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from web3.logs import DISCARD
from web3.types import TxReceipt

from marginproof.cli.figures import MarginReport
from marginproof.cli.options import url
from marginproof.documents import format_instrument_name, parse_instrument_name
from marginproof.engine.explain import explain
from marginproof.engine.values import ValueTable
from marginproof.errors import ChainError, InputError
from marginproof.files import project_root
from marginproof.protocol.connection import connect, endpoint, read
from marginproof.protocol.deployment import Deployment, default_path, load_deployment
from marginproof.protocol.keys import load_signer
from marginproof.protocol.replay import Replayer
from marginproof.protocol.state import AccountState, PostedEpoch, VenueState
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.errors import SpecError
from marginproof.spec.instruments import (
    FIRST_EXPIRY_INDEX,
    PERPETUAL_INDEX,
    SPOT_INDEX,
    IdParts,
    Kind,
    instrument_id,
)
from marginproof.spec.portfolio import Position


@dataclass(frozen=True, slots=True)
class Chain:
    """One venue on one chain."""

    venue: Venue
    replayer: Replayer

    def state(self, block: int | None = None) -> VenueState:
        """The venue's state from its events, after a block (the newest by default). Errors: ChainError."""
        return self.replayer.state_at(block)

    def time(self) -> int:
        """The newest block's time, unix seconds."""
        web3 = self.venue.web3
        return int(
            read(lambda: web3.eth.get_block("latest"), endpoint(web3), "the newest block")["timestamp"]
        )

    def event(self, contract: str, name: str, receipt: TxReceipt) -> dict[str, Any]:
        """The arguments of the first event of this name in a receipt. Errors: ChainError when there is none."""
        found = self.venue.contract(contract).events[name]().process_receipt(receipt, errors=DISCARD)
        if not found:
            raise ChainError(
                f"The transaction 0x{bytes(receipt['transactionHash']).hex()} has no {name} event."
            )
        return dict(found[0]["args"])


def open_venue(rpc: str, deployment: Path | None) -> Chain:
    """Connect to a venue. Errors: InputError for the address or the deployment file, ChainError for the node.

    Without a deployment file the one of the node's chain id is taken, `deployments/<chain id>.json`.
    """
    address = url("--rpc", rpc)
    known = load_deployment(deployment or default_path(project_root(), _chain_id(address)))
    venue = Venue.open(address, known)
    _require_code(venue, known)
    return Chain(venue, Replayer(venue))


def open_signed(rpc: str, deployment: Path | None, keystore: Path | None) -> tuple[Chain, Sender]:
    """A venue and the user's key on it; a missing key is told before anything is asked of the node."""
    signer = load_signer(keystore)
    chain = open_venue(rpc, deployment)
    return chain, chain.venue.sender(signer)


def _chain_id(address: str) -> int:
    return int(connect(address).eth.chain_id)


def _require_code(venue: Venue, deployment: Deployment) -> None:
    missing = sorted(_REQUIRED - set(deployment.contracts))
    if missing:
        raise InputError(
            f"The deployment file names no {', '.join(missing)}.", "Deploy again, or name another file."
        )
    address = venue.contract("EpochRegistry").address
    code = read(lambda: venue.web3.eth.get_code(address), endpoint(venue.web3), "the code of EpochRegistry")
    if not code:
        raise ChainError(
            f"There is no contract at {address}, where the deployment file has EpochRegistry.",
            "The file belongs to a chain that is gone, or to another one: run `marginproof deploy --force` to replace it, or name "
            "the right file with --deployment.",
        )


_REQUIRED = {
    "InstrumentRegistry",
    "ModelRegistry",
    "AttesterSet",
    "EpochRegistry",
    "MarginCourt",
    "MarginVault",
    "LiquidationHouse",
}


def account_of(state: VenueState, account: int) -> AccountState:
    """An account's state. Errors: InputError giving the range."""
    if account >= len(state.accounts):
        known = f"0 to {len(state.accounts) - 1}" if state.accounts else "none, none was opened yet"
        raise InputError(f"There is no account {account}; allowed: {known}.")
    return state.accounts[account]


def find_epoch(state: VenueState, round_number: int | None) -> PostedEpoch:
    """The epoch of a round, the newest valid one for None. Errors: InputError giving the rounds."""
    newest = state.newest_epoch() if round_number is None or not state.epochs else state.epochs[-1]
    if round_number is None:
        return newest
    for epoch in state.epochs:
        if epoch.header.round == round_number:
            return epoch
    first = state.epochs[0].header.round
    raise InputError(f"There is no epoch {round_number}; posted rounds are {first} to {newest.header.round}.")


def newest_values(state: VenueState) -> ValueTable:
    """Values on the newest epoch's market and model. Errors: MarginproofError when none was posted."""
    epoch = state.newest_epoch()
    return ValueTable(epoch.market, state.model(epoch.header.model_hash))


def margin_report(
    state: VenueState, cash_e8: int, positions: Sequence[Position], values: ValueTable
) -> MarginReport:
    """Margin a book of the venue. Errors: SpecError for what the market or the registry does not know."""
    table = state.table()
    held = [(table.resolve(p.instrument), p.quantity) for p in positions]
    return MarginReport(explain(cash_e8, held, values), values, state.ids_by_symbol())


def instrument_name(state: VenueState, instrument: int) -> str:
    """The name of a registry id; the bare id for one that is not listed."""
    try:
        return format_instrument_name(state.table().resolve(instrument), state.ids_by_symbol())
    except (SpecError, InputError):
        return f"id {instrument}"


def registered_id(state: VenueState, text: str) -> tuple[int, bool]:
    """The registry's id for a name, and whether it is listed. Errors: InputError saying which part the registry lacks."""
    name = parse_instrument_name(text)
    instrument = name.instrument(state.ids_by_symbol())
    underlying, expiry_index, strike_index = instrument.underlying, SPOT_INDEX, 0
    if instrument.kind == Kind.PERPETUAL:
        expiry_index = PERPETUAL_INDEX
    elif instrument.kind.is_dated:
        expiries = state.expiries[underlying]
        if instrument.expiry not in expiries:
            raise InputError(f"{text}: {name.symbol} has no such expiry in the registry.", _LIST_HINT)
        expiry_index = FIRST_EXPIRY_INDEX + expiries.index(instrument.expiry)
    if instrument.kind.is_option:
        strikes = state.strikes[underlying]
        if instrument.strike_e8 not in strikes:
            raise InputError(f"{text}: {name.symbol} has no such strike in the registry.", _LIST_HINT)
        strike_index = 1 + strikes.index(instrument.strike_e8)
    key = instrument_id(IdParts(underlying, expiry_index, strike_index, instrument.kind == Kind.PUT))
    return key, key in state.listed


def listed_id(state: VenueState, text: str) -> int:
    """The id of a listed instrument by name. Errors: InputError."""
    key, listed = registered_id(state, text)
    if not listed:
        raise InputError(f"{text} is not listed.", _LIST_HINT)
    return key


_LIST_HINT = "`marginproof instrument list` shows what is listed; `instrument add` lists more."
