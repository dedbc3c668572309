"""The venue's state as its events tell it: accounts, instruments, models, epochs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marginproof.errors import MarginproofError
from marginproof.protocol.members import Members
from marginproof.spec.hashing import keccak
from marginproof.spec.instruments import InstrumentTable
from marginproof.spec.market import MarketSnapshot, decode_market
from marginproof.spec.model import Model, decode_model
from marginproof.spec.portfolio import Position, apply_trade, decode_portfolio, encode_portfolio
from marginproof.spec.provenance import Change
from marginproof.spec.typed_data import EpochHeader, Leaf

Arguments = Mapping[str, Any]


@dataclass(slots=True)
class AccountState:
    """One account: owner address, positions, cash (E8, signed), frozen by a margin call or not."""

    owner: str
    positions: tuple[Position, ...] = ()
    cash_e8: int = 0
    frozen: bool = False
    changes: list[Change] = field(default_factory=list)
    """Every change of the portfolio, by block: what its history on chain is folded from."""

    def hold(self, positions: tuple[Position, ...], block: int) -> None:
        """Hold these positions from a block on."""
        self.positions = positions
        self.changes.append(Change(block, keccak(encode_portfolio(positions))))


@dataclass(frozen=True, slots=True)
class PostedEpoch:
    """An epoch as posted: header, packed signatures, market bytes, the transaction and block that carried it, and the attester
    set and threshold of that moment.
    """

    header: EpochHeader
    signatures: bytes
    market_bytes: bytes
    transaction: str
    block: int
    attesters: frozenset[str]
    threshold: int

    @property
    def market(self) -> MarketSnapshot:
        """The decoded market snapshot."""
        return decode_market(self.market_bytes)


@dataclass(slots=True)
class VenueState:
    """Everything that events say, up to a block."""

    accounts: list[AccountState] = field(default_factory=list)
    symbols: dict[int, str] = field(default_factory=dict)
    expiries: dict[int, list[int]] = field(default_factory=dict)
    strikes: dict[int, list[int]] = field(default_factory=dict)
    listed: set[int] = field(default_factory=set)
    models: dict[bytes, bytes] = field(default_factory=dict)
    current_model: bytes = b""
    epochs: list[PostedEpoch] = field(default_factory=list)
    """Every epoch in the order of posting, also those proven wrong."""
    settlements: dict[tuple[int, int], int] = field(default_factory=dict)
    members: Members = field(default_factory=Members)
    releases: list[tuple[str, int]] = field(default_factory=list)
    """Transaction and block of every payment of cash out of the vault: where leaves are shown."""
    tickets_used: list[tuple[int, bytes, str]] = field(default_factory=list)
    """Round, digest and transaction of tickets that a trade used."""
    invalid: set[int] = field(default_factory=set)
    """Rounds whose epoch was proven wrong."""
    invalid_tickets: set[bytes] = field(default_factory=set)
    """Digests of tickets that were proven wrong."""
    published: dict[int, dict[str, dict[int, Leaf]]] = field(default_factory=dict)
    """Leaves in the logs: round -> publisher -> account -> leaf."""

    def valid_epochs(self) -> list[PostedEpoch]:
        """The posted epochs that were not proven wrong, in order."""
        return [epoch for epoch in self.epochs if epoch.header.round not in self.invalid]

    def newest_epoch(self) -> PostedEpoch:
        """The newest valid epoch. Errors: MarginproofError when there is none."""
        valid = self.valid_epochs()
        if not valid:
            raise MarginproofError(
                "No epoch has been posted yet, so there is no market."
                if not self.epochs
                else "Every posted epoch was proven wrong, so there is no market.",
                "Run `marginproof keeper once`.",
            )
        return valid[-1]

    def table(self) -> InstrumentTable:
        """The registry's lists, for resolving ids."""
        return InstrumentTable(
            {u: tuple(values) for u, values in self.expiries.items()},
            {u: tuple(values) for u, values in self.strikes.items()},
            frozenset(self.listed),
        )

    def model(self, model_hash: bytes | None = None) -> Model:
        """A published model, the current one by default."""
        return decode_model(self.models[model_hash or self.current_model])

    def ids_by_symbol(self) -> dict[str, int]:
        """Symbol -> underlying id."""
        return {symbol: underlying for underlying, symbol in self.symbols.items()}

    def apply(self, event: str, arguments: Arguments, transaction: str, block: int, time: int = 0) -> None:
        """Take one event into account; events that change no state here are ignored. `time` is the block's, needed for epochs."""
        handler = _HANDLERS.get(event)
        if handler is not None:
            handler(self, arguments)
        elif event == "PortfolioChanged":
            self.accounts[arguments["account"]].hold(decode_portfolio(bytes(arguments["portfolio"])), block)
        elif event == "TradeSettled":
            self._trade(arguments, block)
        elif self.members.apply(event, arguments):
            return
        elif event == "CashWithdrawn":
            self.releases.append((transaction, block))
            _cash_changed(self, arguments)
        elif event == "TicketsUsed":
            self.tickets_used.append((arguments["round"], bytes(arguments["digest"]), transaction))
        elif event == "EpochPosted":
            self.epochs.append(
                PostedEpoch(
                    header_from_chain(arguments["header"]),
                    bytes(arguments["signatures"]),
                    bytes(arguments["market"]),
                    transaction,
                    block,
                    self.members.active_at(time),
                    self.members.threshold,
                )
            )

    def _trade(self, arguments: Arguments, block: int) -> None:
        """Both sides of a trade: a quantity more or less of one instrument, and their new cash."""
        for side, sign in (("buyer", 1), ("seller", -1)):
            account = self.accounts[arguments[side]]
            traded = apply_trade(account.positions, arguments["instrument"], sign * arguments["quantity"])
            account.hold(traded, block)
            account.cash_e8 = arguments[f"{side}Cash"]


def header_from_chain(fields: Mapping[str, Any]) -> EpochHeader:
    """The specification's header from an ABI-decoded struct."""
    return EpochHeader(
        round=fields["round"],
        time=fields["time"],
        block_number=fields["blockNumber"],
        block_hash=bytes(fields["blockHash"]),
        valid_until=fields["validUntil"],
        model_hash=bytes(fields["modelHash"]),
        market_hash=bytes(fields["marketHash"]),
        leaf_root=bytes(fields["leafRoot"]),
        leaf_count=fields["leafCount"],
    )


def leaf_from_chain(fields: Mapping[str, Any]) -> Leaf:
    """The specification's leaf from an ABI-decoded struct."""
    return Leaf(
        account=fields["account"],
        portfolio_hash=bytes(fields["portfolioHash"]),
        portfolio_value=fields["portfolioValue"],
        spot_value=fields["spotValue"],
        initial_margin=fields["initialMargin"],
        maintenance_margin=fields["maintenanceMargin"],
        worst_scenarios=bytes(fields["worstScenarios"]),
    )


LeafTuple = tuple[int, bytes, int, int, int, int, bytes]


def leaf_to_chain(leaf: Leaf) -> LeafTuple:
    """The leaf as the tuple the contracts take."""
    return (
        leaf.account,
        leaf.portfolio_hash,
        leaf.portfolio_value,
        leaf.spot_value,
        leaf.initial_margin,
        leaf.maintenance_margin,
        leaf.worst_scenarios,
    )


def header_to_chain(header: EpochHeader) -> tuple[int, int, int, bytes, int, bytes, bytes, bytes, int]:
    """The header as the tuple the contracts take."""
    return (
        header.round,
        header.time,
        header.block_number,
        header.block_hash,
        header.valid_until,
        header.model_hash,
        header.market_hash,
        header.leaf_root,
        header.leaf_count,
    )


def _account_opened(state: VenueState, arguments: Arguments) -> None:
    state.accounts.append(AccountState(arguments["owner"]))


def _cash_changed(state: VenueState, arguments: Arguments) -> None:
    state.accounts[arguments["account"]].cash_e8 = arguments["cash"]


def _frozen_changed(state: VenueState, arguments: Arguments) -> None:
    state.accounts[arguments["account"]].frozen = arguments["frozen"]


def _underlying_added(state: VenueState, arguments: Arguments) -> None:
    state.symbols[arguments["underlying"]] = arguments["symbol"]
    state.expiries[arguments["underlying"]] = []
    state.strikes[arguments["underlying"]] = []


def _expiry_added(state: VenueState, arguments: Arguments) -> None:
    state.expiries[arguments["underlying"]].append(arguments["expiry"])


def _strike_added(state: VenueState, arguments: Arguments) -> None:
    state.strikes[arguments["underlying"]].append(arguments["strike"])


def _instrument_listed(state: VenueState, arguments: Arguments) -> None:
    state.listed.add(arguments["id"])


def _model_published(state: VenueState, arguments: Arguments) -> None:
    state.current_model = bytes(arguments["hash"])
    state.models[state.current_model] = bytes(arguments["model"])


def _settlement_recorded(state: VenueState, arguments: Arguments) -> None:
    state.settlements[(arguments["underlying"], arguments["expiry"])] = arguments["price"]


def _epoch_invalidated(state: VenueState, arguments: Arguments) -> None:
    state.invalid.add(arguments["round"])


def _ticket_invalidated(state: VenueState, arguments: Arguments) -> None:
    state.invalid_tickets.add(bytes(arguments["digest"]))


def _leaves_published(state: VenueState, arguments: Arguments) -> None:
    leaves = [leaf_from_chain(fields) for fields in arguments["leaves"]]
    by_account = state.published.setdefault(arguments["round"], {}).setdefault(arguments["publisher"], {})
    by_account.update({leaf.account: leaf for leaf in leaves})


_HANDLERS: dict[str, Callable[[VenueState, Arguments], None]] = {
    "AccountOpened": _account_opened,
    "CashChanged": _cash_changed,
    "FrozenChanged": _frozen_changed,
    "UnderlyingAdded": _underlying_added,
    "ExpiryAdded": _expiry_added,
    "StrikeAdded": _strike_added,
    "InstrumentListed": _instrument_listed,
    "ModelPublished": _model_published,
    "SettlementRecorded": _settlement_recorded,
    "LeavesPublished": _leaves_published,
    "EpochInvalidated": _epoch_invalidated,
    "TicketInvalidated": _ticket_invalidated,
}
