"""The demonstration's venue on its local chain: deployment, accounts, deposits, trades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from eth_account.signers.local import LocalAccount

from marginproof.demo.books import LIQUIDATOR, Book, BookTrade, required_listing
from marginproof.demo.record import Record
from marginproof.protocol.connection import connect
from marginproof.protocol.deploy import COLLATERAL_DECIMALS, deploy_protocol, deployable, feed_update
from marginproof.protocol.deploy_config import DEPLOY_FORMAT, BondPlan, DeployPlan, PolicyPlan, UnderlyingPlan
from marginproof.protocol.localchain import LocalChain
from marginproof.protocol.orders import SignedOrder, sign_order
from marginproof.protocol.replay import Replayer
from marginproof.protocol.reverts import RevertDecoder
from marginproof.protocol.rungs import ATTESTED
from marginproof.protocol.state import VenueState
from marginproof.protocol.trades import Settlement
from marginproof.protocol.transactions import Sender
from marginproof.protocol.venue import Venue
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.portfolio import Position, apply_trade, encode_portfolio
from marginproof.spec.typed_data import Order

ATTESTERS = 5
STANDBY = 3
"""Attesters who join when others were slashed."""
THRESHOLD = 3
BOND_E8 = 10_000_000 * 10**8
JOIN_DELAY = 600
FEED_MAX_AGE = 6 * 3_600
OPERATOR_KEYS = 3 + ATTESTERS + STANDBY
TOKEN_UNIT_E8 = 100
"""One unit of the 6-decimal settlement token, E8."""
COLLATERAL_UNIT = 10 ** (COLLATERAL_DECIMALS - 8)
"""The least amount of a collateral token that E8 can express, in the token's units."""
ORDER_DEADLINE = 2**32 - 1
SLASHED = 3
"""The contract's number for an attester that was slashed."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Test keys by role, all from the well-known development mnemonic."""

    deployer: LocalAccount
    keeper: LocalAccount
    claimant: LocalAccount
    attesters: tuple[LocalAccount, ...]
    standby: tuple[LocalAccount, ...]
    holders: tuple[LocalAccount, ...]

    @classmethod
    def of(cls, chain: LocalChain) -> Keys:
        """Operators first, then one key per account."""
        keys = chain.accounts
        signers = tuple(keys[3:OPERATOR_KEYS])
        return cls(
            keys[0], keys[1], keys[2], signers[:ATTESTERS], signers[ATTESTERS:], tuple(keys[OPERATOR_KEYS:])
        )


def deploy_plan(
    books: Sequence[Book], symbols: dict[str, int], attesters: Sequence[LocalAccount]
) -> DeployPlan:
    """The demonstration's plan: test tokens and feeds, three of five attesters, what the books trade."""
    expiries, strikes = required_listing(books, symbols)
    return DeployPlan(
        format=DEPLOY_FORMAT,
        attesters=tuple(str(key.address) for key in attesters),
        threshold=THRESHOLD,
        bonds=BondPlan(bond_e8=BOND_E8, join_delay=JOIN_DELAY),
        policy=PolicyPlan(max_withdrawal_e8=BOND_E8 // 10, max_trade_e8=BOND_E8 // 50),
        underlyings=tuple(
            UnderlyingPlan(
                symbol=symbol, feed_max_age=FEED_MAX_AGE, expiries=expiries[symbol], strikes=strikes[symbol]
            )
            for symbol in symbols
        ),
    )


class World:
    """The demonstration's venue. Gas of every user action goes into the record.

    Accounts open in the order of the books, so that account i is book i's. The portfolios are tracked here; what the chain
    says of them is the auditor's business.
    """

    def __init__(
        self, chain: LocalChain, books: Sequence[Book], symbols: dict[str, int], record: Record, path: Path
    ) -> None:
        self.chain = chain
        self.books = tuple(books)
        self.symbols = symbols
        self.record = record
        self.path = path
        self.keys = Keys.of(chain)
        self.accounts = {book.name: index for index, book in enumerate(books)}
        self.portfolios: list[tuple[Position, ...]] = [() for _ in books]
        self._nonces = [0] * len(self.books)
        self._ids: dict[Instrument, int] = {}

    @cached_property
    def venue(self) -> Venue:
        """Deploy everything through the code that users deploy with, and write the deployment file."""
        web3 = connect(self.chain.url, self.chain.chain_id)
        artifacts = deployable()
        sender = Sender(
            web3, self.keys.deployer, RevertDecoder(artifact.abi for artifact in artifacts.values())
        )
        deployment = deploy_protocol(
            sender, artifacts, deploy_plan(self.books, self.symbols, self.keys.attesters)
        )
        deployment.save(self.path)
        return Venue(web3, deployment)

    @cached_property
    def deployer(self) -> Sender:
        """The admin, who also owns the test tokens and feeds."""
        return self.venue.sender(self.keys.deployer)

    def holder(self, account: int) -> Sender:
        """The sender of an account's owner; accounts opened after the books' are the liquidator's slices."""
        key = account if account < len(self.books) else self.accounts[LIQUIDATOR]
        return self.venue.sender(self.keys.holders[key])

    def instrument_id(self, instrument: Instrument) -> int:
        """The id under which the registry lists an instrument."""
        if not self._ids:
            state = Replayer(self.venue).state_at()
            table = state.table()
            self._ids = {table.resolve(number): number for number in state.listed}
        return self._ids[instrument]

    def quorum(self) -> list[LocalAccount]:
        """As many attesters as must sign, in the order of their signatures."""
        return sorted(self.keys.attesters, key=lambda key: int(key.address, 16))[:THRESHOLD]

    def set_feeds(self, spots_e8: dict[str, int], time: int) -> None:
        """Let the outside feeds say these prices (E8), as of `time`."""
        for symbol, spot in spots_e8.items():
            feed_update(self.venue, self.deployer, symbol, spot, time)

    def open_account(self, account: int) -> None:
        """Open one book's account, and deposit its cash and spot collateral."""
        book = self.books[account]
        sender = self.holder(account)
        receipt = self.venue.send(sender, "MarginVault", "openAccount", sender.address)
        self.record.add_gas("open account", receipt["gasUsed"])
        vault = self.venue.contract("MarginVault").address
        units = book.cash_e8 // TOKEN_UNIT_E8
        self.fund("settlement", sender, vault, units)
        receipt = self.venue.send(sender, "MarginVault", "depositCash", account, units)
        self.record.add_gas("deposit cash", receipt["gasUsed"])
        for symbol, quantity in book.spot.items():
            amount = quantity * COLLATERAL_UNIT
            self.fund(symbol, sender, vault, amount)
            portfolio = encode_portfolio(self.portfolios[account])
            receipt = self.venue.send(
                sender, "MarginVault", "depositSpot", account, self.symbols[symbol], amount, portfolio
            )
            self.record.add_gas("deposit spot", receipt["gasUsed"])
            spot = self.instrument_id(Instrument(self.symbols[symbol], Kind.SPOT))
            self.portfolios[account] = apply_trade(self.portfolios[account], spot, quantity)

    def fund(self, role: str, sender: Sender, vault: str, amount: int) -> None:
        """Test tokens for somebody, and leave for the vault (or another address) to take them."""
        token = self.venue.token(role)
        self.deployer.send(token.functions.mint(sender.address, amount), f"minting {role}")
        sender.send(token.functions.approve(vault, amount), f"approving {role}")

    def order(self, account: int, instrument: int, quantity_e8: int, price_e8: int) -> SignedOrder:
        """A signed order of an account's owner, with a fresh nonce."""
        self._nonces[account] += 1
        order = Order(account, instrument, quantity_e8, price_e8, self._nonces[account], ORDER_DEADLINE)
        return sign_order(self.venue, self.keys.holders[account], order)

    def trade(
        self, account: int, trade: BookTrade, price_e8: int, state: VenueState, attesters: Sequence[str] = ()
    ) -> None:
        """Settle one trade of a book with its maker, both orders signed: on tickets of these attesters, or recomputed in full.

        Errors: ChainError with the contract's reason.
        """
        maker = self.accounts[trade.maker]
        instrument = self.instrument_id(trade.instrument)
        resting = self.order(maker, instrument, -trade.quantity_e8, price_e8)
        taking = self.order(account, instrument, trade.quantity_e8, price_e8)
        holdings = (self.portfolios[maker], self.portfolios[account])
        settlement = Settlement(self.venue, state, (resting, taking), holdings)
        settled = settlement.settle(self.venue.sender(self.keys.keeper), attesters)
        action = "settle a trade on tickets" if settled.rung == ATTESTED else "settle a trade in full"
        self.record.add_gas(action, settled.receipt["gasUsed"])
        self.portfolios[maker] = apply_trade(self.portfolios[maker], instrument, -trade.quantity_e8)
        self.portfolios[account] = apply_trade(self.portfolios[account], instrument, trade.quantity_e8)
        self.record.trades += 1
        self.record.attested_trades += settled.rung == ATTESTED

    def admit_standby(self) -> None:
        """Let the standby attesters join when they are needed."""
        for key in self.keys.standby:
            self.venue.send(self.deployer, "AttesterSet", "admit", key.address)

    def make_whole(self) -> tuple[LocalAccount, ...]:
        """After a dispute: reduced bonds are topped up, and for slashed attesters the standby ones join. Returns who joined."""
        token = self.venue.token("settlement")
        bonds = self.venue.contract("AttesterSet").address
        whole = self.venue.call("AttesterSet", "bond")
        joined: list[LocalAccount] = []
        for key in self.keys.attesters:
            standing, _, bond, *_ = self.venue.call("AttesterSet", "statusOf", key.address)
            payer, attester, function, missing = key, key, "topUp", whole - bond
            if standing == SLASHED:
                payer = attester = self.keys.standby[len(joined)]
                function, missing = "join", whole
                joined.append(attester)
            if missing == 0:
                continue
            sender = self.venue.sender(payer)
            self.deployer.send(token.functions.mint(payer.address, missing), "minting a bond")
            sender.send(token.functions.approve(bonds, missing), "approving a bond")
            self.venue.send(sender, "AttesterSet", function, attester.address)
        return tuple(joined)
