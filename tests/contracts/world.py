"""All contracts deployed and connected, traders with keys, and a view of every account rebuilt from events alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from functools import cache
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import Hash32
from eth_utils.address import to_canonical_address

from evm.machine import ADMIN, START, Contract, Machine
from marginproof.spec.hashing import keccak
from marginproof.spec.margin import Margin, ValueTable, margin, value_table
from marginproof.spec.market import MarketSnapshot, encode_market, market_hash
from marginproof.spec.model import Model, encode_model, model_hash
from marginproof.spec.portfolio import apply_trade, decode_portfolio
from marginproof.spec.provenance import Change, folded
from marginproof.spec.shown import ShownSide, ShownTrade, ShownWithdrawal, pack_trade, pack_withdrawal
from marginproof.spec.tree import proof, root, tree_levels
from marginproof.spec.typed_data import (
    EpochHeader,
    Leaf,
    Order,
    Tickets,
    digest,
    domain_separator,
    leaf_of,
)

from . import setting
from .bonds import bonded_set

CHAIN_ID = 31_337
FIRST_BLOCK = 1_000


@cache
def person(name: str) -> LocalAccount:
    """Somebody with a key, always the same for a name."""
    signer: LocalAccount = Account.from_key(keccak(name.encode()))
    return signer


def sign(signer: LocalAccount, message: bytes) -> bytes:
    """65 bytes r, s, v over a digest."""
    return bytes(signer.unsafe_sign_hash(Hash32(message)).signature)


ATTESTERS = sorted((person(f"attester {i}") for i in range(5)), key=lambda a: int(a.address, 16))
THRESHOLD = 3
NEVER = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Posted:
    """An epoch as posted."""

    header: EpochHeader
    signatures: bytes
    market: bytes


class World:
    """The deployment at the start: no accounts, no epoch."""

    def __init__(
        self,
        house: str | None = None,
        settlement: tuple[str, int] | None = None,
        users: tuple[str, str] | None = None,
        bond_value_e8: int = 10**7 * setting.E8,
    ) -> None:
        """`house`: an address to connect in place of the liquidation house, for tests that write as it would.
        `users`: addresses that the epochs know as vault and as disputes, in place of the real ones. `bond_value_e8`: what a bond counts
        for in the outflow's limit.
        `settlement`: contract and decimals of another settlement token.
        """
        self.machine = Machine(time=START, number=FIRST_BLOCK)
        self.time = START
        self.number = FIRST_BLOCK
        self.model: Model = setting.model()
        self.market: MarketSnapshot | None = None
        self.header: EpochHeader | None = None
        self.leaves: list[Leaf] = []
        self.posted: dict[int, Posted] = {}
        self._priced: tuple[MarketSnapshot, ValueTable] | None = None
        self.nonce = 0
        self.owners: list[LocalAccount] = []
        self.portfolios: list[bytes] = []
        self.cash: list[int] = []
        self.frozen: list[bool] = []
        self.opened_at: list[int] = []
        self.changes: list[list[Change]] = []
        self._deploy(house, settlement, users, bond_value_e8)

    def _deploy(
        self,
        house: str | None,
        settlement: tuple[str, int] | None,
        users: tuple[str, str] | None,
        bond_value_e8: int,
    ) -> None:
        deploy = self.machine.deploy
        self.usd = deploy(*settlement) if settlement else deploy("TestToken", "US dollar", "USD", 6)
        self.instruments = deploy("InstrumentRegistry", ADMIN)
        self.models = deploy("ModelRegistry", ADMIN)
        self.attesters = bonded_set(self.machine, [a.address for a in ATTESTERS], THRESHOLD, bond_value_e8)
        self.guard = deploy("PriceGuard", ADMIN)
        self.bounds = deploy("MarketBounds", ADMIN)
        # The court comes between.
        self.vault_address = users[0] if users else self.machine.later(2)
        self.epochs = deploy("EpochRegistry", *self.registry_arguments())
        self.court = deploy("MarginCourt", self.instruments.address, self.models.address, self.epochs.address)
        pricing = (self.epochs.address, self.court.address)
        terms = (*pricing, setting.SETTLE_DELAY, self.usd.address)
        self.vault = deploy("MarginVault", ADMIN, self.instruments.address, *terms)
        # The part of it that keeps accounts.
        self.ledger = self.vault
        self.house = deploy(
            "LiquidationHouse",
            *(self.vault.address, *pricing),
            setting.DISCOUNT,
            setting.MAX_SLICE,
            setting.DUST,
        )
        self.vault.transact("connect", house or self.house.address)
        self.fund = deploy("InsuranceFund", self.vault.address)
        judged = (self.epochs, self.vault, self.court, self.attesters)
        self.disputes = deploy("Disputes", *(c.address for c in judged), setting.DISPUTE_TERMS)
        self.attesters.transact("connect", self.disputes.address, self.fund.address)
        self.epochs.transact("connect", users[1] if users else self.disputes.address)
        self.tokens = {
            setting.BTC: deploy("TestToken", "Bitcoin", "BTC", 8),
            setting.ETH: deploy("TestToken", "Ether", "ETH", 18),
        }
        self.feeds = {underlying: deploy("TestFeed", 8) for underlying in self.tokens}
        for registry, role in ((self.instruments, b"LISTER_ROLE"), (self.models, b"MODEL_ROLE")):
            registry.transact("grantRole", keccak(role), ADMIN)
        for underlying, symbol in ((setting.BTC, "BTC"), (setting.ETH, "ETH")):
            self.instruments.transact("addUnderlying", symbol)
            for expiry in setting.EXPIRIES[underlying]:
                self.instruments.transact("addExpiry", underlying, expiry)
            self.instruments.transact("addStrikes", underlying, list(setting.STRIKES[underlying]))
            self.court.transact("syncInstruments", underlying)
            self.vault.transact("setCollateral", underlying, self.tokens[underlying].address)
            feed = self.feeds[underlying].address
            self.guard.transact("setFeed", underlying, feed, setting.FEED_AGE, setting.DEVIATION_BPS)
            self.bounds.transact("setLimits", underlying, setting.LIMITS)
        self.instruments.transact("list", list(setting.LISTED))
        self.models.transact("publish", encode_model(self.model))

    def registry_arguments(self, **changes: Any) -> tuple[Any, ...]:
        """Constructor arguments of an epoch registry over this world's parts; `changes` by name: models=address, max_age=60."""
        given = {
            "admin": ADMIN,
            "attester_set": self.attesters.address,
            "models": self.models.address,
            "instruments": self.instruments.address,
            "guard": self.guard.address,
            "bounds": self.bounds.address,
            "vault": self.vault_address,
            "max_age": setting.MAX_AGE,
            "min_depth": setting.MIN_DEPTH,
            "dispute_window": setting.DISPUTE_WINDOW,
            "policy": setting.POLICY,
        } | changes
        admin, *rest = given.values()
        return (admin, tuple(rest[:6]), *rest[6:])

    # --- time and transactions -------------------------------------------------------------------------------------

    def advance(self, seconds: int = 12, blocks: int = 4) -> None:
        """Let time pass and blocks be mined."""
        self.time += seconds
        for _ in range(blocks):
            self.machine.set_time(self.time)
        self.number += blocks

    def block_hash(self, number: int) -> bytes:
        """What BLOCKHASH answers here within 256 blocks."""
        return keccak(str(number).encode())

    def do(self, contract: Contract, name: str, *args: Any, by: str = ADMIN) -> Any:
        """A transaction; the view of accounts follows its events."""
        result = contract.transact(name, *args, caller=by)
        for event in self.machine.events():
            self._follow(event.name, event.values)
        return result

    def _follow(self, name: str, values: dict[str, Any]) -> None:
        match name:
            case "AccountOpened":
                self.portfolios.append(b"")
                self.cash.append(0)
                self.frozen.append(False)
                self.opened_at.append(self.machine.number)
                self.changes.append([])
            case "PortfolioChanged":
                self._hold(values["account"], values["portfolio"])
            case "CashChanged":
                self.cash[values["account"]] = values["cash"]
            case "CashWithdrawn":
                self.cash[values["account"]] = values["cash"]
            case "TradeSettled":
                for side, sign in (("buyer", 1), ("seller", -1)):
                    account, quantity = values[side], sign * values["quantity"]
                    self._hold(account, self.traded(account, values["instrument"], quantity))
                    self.cash[account] = values[f"{side}Cash"]
            case "FrozenChanged":
                self.frozen[values["account"]] = values["frozen"]
            case "EpochPosted":
                header = EpochHeader(*values["header"])
                self.posted[header.round] = Posted(header, values["signatures"], values["market"])
            case "EpochInvalidated":
                del self.posted[values["round"]]

    def _hold(self, account: int, portfolio: bytes) -> None:
        self.portfolios[account] = portfolio
        self.changes[account].append(Change(self.machine.number, keccak(portfolio)))

    def event(self, name: str) -> dict[str, Any]:
        """The values of the last transaction's only event of this name."""
        found: list[dict[str, Any]] = [event.values for event in self.machine.events() if event.name == name]
        assert len(found) == 1, f"{len(found)} events {name}"
        return found[0]

    # --- accounts --------------------------------------------------------------------------------------------------

    def open(self, owner: LocalAccount, usd: int = 0) -> int:
        """A new account with so many whole dollars."""
        account: int = self.do(self.ledger, "openAccount", owner.address, by=owner.address)
        self.owners.append(owner)
        if usd:
            self.deposit(account, usd * 10**6)
        return account

    def give(self, token: Contract, to: str, amount: int) -> None:
        """Tokens, and leave for the vault to take them."""
        token.transact("mint", to, amount)
        token.transact("approve", self.vault.address, amount, caller=to)

    def deposit(self, account: int, amount: int) -> None:
        """Settlement tokens, in units of 10^-6."""
        owner = self.owners[account].address
        self.give(self.usd, owner, amount)
        self.do(self.vault, "depositCash", account, amount, by=owner)

    def deposit_spot(self, account: int, underlying: int, quantity_e8: int) -> None:
        """Spot collateral, E8."""
        owner = self.owners[account].address
        decimals = {setting.BTC: 8, setting.ETH: 18}[underlying]
        amount = quantity_e8 * 10 ** (decimals - 8)
        self.give(self.tokens[underlying], owner, amount)
        self.do(self.vault, "depositSpot", account, underlying, amount, self.portfolios[account], by=owner)

    def figures(self, account: int) -> Margin:
        """The account's figures by the specification, on the newest market."""
        return self.figures_of(self.portfolios[account])

    def figures_of(self, portfolio: bytes) -> Margin:
        """The figures of portfolio bytes by the specification, on the newest market."""
        positions = [(setting.TABLE.resolve(p.instrument), p.quantity) for p in decode_portfolio(portfolio)]
        return margin(positions, self._values())

    def _values(self) -> ValueTable:
        """Values on the newest market, each computed once."""
        assert self.market is not None
        if self._priced is None or self._priced[0] is not self.market:
            self._priced = (self.market, value_table(self.market, self.model))
        return self._priced[1]

    def choices(self, account: int) -> bytes:
        """The worst scenarios by the specification: two bytes per held underlying."""
        return b"".join(bytes((scan.underlying, scan.worst)) for scan in self.figures(account).scans)

    def market_bytes(self) -> bytes:
        """The newest market."""
        assert self.market is not None
        return encode_market(self.market)

    # --- epochs ----------------------------------------------------------------------------------------------------

    def snapshot(self, market: MarketSnapshot | None = None) -> EpochHeader:
        """Compute an epoch of all accounts now: sets market and leaves, and the feeds to the market's spot; posts nothing."""
        self.market = setting.market(self.time) if market is None else market
        for quotes in self.market.underlyings:
            if quotes.underlying in self.feeds:
                self.feeds[quotes.underlying].transact("setAnswer", quotes.spot_e8, self.time)
        self.leaves = [
            leaf_of(account, keccak(portfolio), self.figures(account))
            for account, portfolio in enumerate(self.portfolios)
        ]
        block = self.number - setting.MIN_DEPTH
        return EpochHeader(
            round=self.epochs.call("lastRound") + 1,
            time=self.market.time,
            block_number=block,
            block_hash=self.block_hash(block),
            valid_until=min(self.market.time + setting.MAX_AGE, self.market.next_expiry()),
            model_hash=model_hash(self.model),
            market_hash=market_hash(self.market),
            leaf_root=root([leaf.struct_hash() for leaf in self.leaves]),
            leaf_count=len(self.leaves),
        )

    def signatures(
        self,
        header: EpochHeader,
        signers: Iterable[LocalAccount] = ATTESTERS[:THRESHOLD],
        chain_id: int = CHAIN_ID,
    ) -> bytes:
        """The signers' signatures, in their order."""
        return self.attested(header.struct_hash(), signers, chain_id)

    def attested(
        self,
        struct_hash: bytes,
        signers: Iterable[LocalAccount] = ATTESTERS[:THRESHOLD],
        chain_id: int = CHAIN_ID,
    ) -> bytes:
        """The signers' signatures of a header or of tickets, in their order."""
        separator = domain_separator(chain_id, to_canonical_address(self.epochs.address))
        message = digest(separator, struct_hash)
        return b"".join(sign(signer, message) for signer in signers)

    def newest(self) -> Posted | None:
        """The newest valid epoch, by events."""
        return self.posted[max(self.posted)] if self.posted else None

    def submit(
        self,
        header: EpochHeader,
        signatures: bytes | None = None,
        market: bytes | None = None,
        previous: bytes | None = None,
    ) -> None:
        """Post a header, by default well signed, with the newest market and that of the newest valid epoch."""
        newest = self.newest()
        known = b"" if newest is None else newest.market
        self.do(
            self.epochs,
            "post",
            astuple(header),
            self.signatures(header) if signatures is None else signatures,
            self.market_bytes() if market is None else market,
            known if previous is None else previous,
        )
        self.header = header

    def post(self, market: MarketSnapshot | None = None) -> EpochHeader:
        """A good epoch of all accounts, posted."""
        self.advance()
        if market is not None:
            market = replace(market, time=self.time)
        header = self.snapshot(market)
        self.submit(header)
        return header

    def move(self, **spots: int) -> EpochHeader:
        """A good epoch at other spots, in whole dollars: move(btc=90_000)."""
        self.advance()
        ids = {"btc": setting.BTC, "eth": setting.ETH}
        header = self.snapshot(setting.market(self.time, {ids[k]: v * setting.E8 for k, v in spots.items()}))
        self.submit(header)
        return header

    def leaf(self, account: int) -> tuple[Any, list[bytes]]:
        """The account's leaf of the newest epoch, and its proof."""
        levels = tree_levels([leaf.struct_hash() for leaf in self.leaves])
        return astuple(self.leaves[account]), proof(levels, account)

    # --- trades ----------------------------------------------------------------------------------------------------

    def order(self, account: int, instrument: int, quantity: int, price: int, deadline: int = NEVER) -> Order:
        """An order with a fresh nonce; quantity and price in E8."""
        self.nonce += 1
        return Order(account, instrument, quantity, price, self.nonce, deadline)

    def sign_order(self, order: Order, signer: LocalAccount | None = None, chain_id: int = CHAIN_ID) -> bytes:
        """Its signature, by the owner unless told otherwise."""
        separator = domain_separator(chain_id, to_canonical_address(self.ledger.address))
        return sign(signer or self.owners[order.account], digest(separator, order.struct_hash()))

    def settle(
        self, a: Order, b: Order, signature_a: bytes | None = None, signature_b: bytes | None = None
    ) -> None:
        """Settle two orders, `a` resting, by default well signed."""
        self.do(
            self.ledger,
            "settle",
            astuple(a),
            self.sign_order(a) if signature_a is None else signature_a,
            astuple(b),
            self.sign_order(b) if signature_b is None else signature_b,
            self.portfolios[a.account],
            self.portfolios[b.account],
            self.market_bytes(),
        )

    def trade(self, buyer: int, seller: int, instrument: int, quantity: int, price: int) -> None:
        """A trade at a price, E8."""
        self.settle(
            self.order(seller, instrument, -quantity, price), self.order(buyer, instrument, quantity, price)
        )

    # --- tickets ---------------------------------------------------------------------------------------------------

    def ticket(self, order: Order) -> Leaf:
        """The true leaf for what the order's account will hold, on the newest market."""
        after = self.traded(order.account, order.instrument, order.quantity)
        return leaf_of(order.account, keccak(after), self.figures_of(after))

    def sign_tickets(self, *leaves: Leaf, header: EpochHeader | None = None) -> bytes:
        """The quorum's signatures of leaves for an epoch, the newest by default."""
        epoch = header or self.header
        assert epoch is not None
        hashes = tuple(leaf.struct_hash() for leaf in leaves)
        return self.attested(Tickets(epoch.round, epoch.struct_hash(), hashes).struct_hash())

    def shown_withdrawal(
        self, account: int, amount: int, to: str, leaf: Leaf | None = None, proof: list[bytes] | None = None
    ) -> bytes:
        """What `withdraw` takes: by default the account's true leaf of the newest epoch."""
        given = replace(leaf or self.leaves[account], account=account)
        siblings = self.leaf(account)[1] if proof is None else proof
        return pack_withdrawal(ShownWithdrawal(given, tuple(siblings), amount, to_canonical_address(to)))

    def shown_trade(
        self, a: Order, b: Order, leaves: tuple[Leaf, Leaf] | None = None, signatures: bytes | None = None
    ) -> ShownTrade:
        """What `settleAttested` takes: two orders, `a` resting, by default on true leaves, everything well signed."""
        given = leaves or (self.ticket(a), self.ticket(b))
        first, second = (
            ShownSide(order, self.sign_order(order), decode_portfolio(self.portfolios[order.account]), leaf)
            for order, leaf in zip((a, b), given, strict=True)
        )
        return ShownTrade((first, second), self.sign_tickets(*given) if signatures is None else signatures)

    def settle_attested(
        self, a: Order, b: Order, leaves: tuple[Leaf, Leaf] | None = None, signatures: bytes | None = None
    ) -> None:
        """Settle two orders on tickets."""
        self.do(self.ledger, "settleAttested", pack_trade(self.shown_trade(a, b, leaves, signatures)))

    def trade_attested(self, buyer: int, seller: int, instrument: int, quantity: int, price: int) -> None:
        """A trade on tickets at a price, E8."""
        self.settle_attested(
            self.order(seller, instrument, -quantity, price), self.order(buyer, instrument, quantity, price)
        )

    def mark(self, instrument: int) -> int:
        """What one unit is worth on the newest market, E8."""
        return self._values()(setting.TABLE.resolve(instrument))[0]

    def traded(self, account: int, instrument: int, quantity: int) -> bytes:
        """The account's portfolio bytes after a trade, by the specification."""
        after = apply_trade(decode_portfolio(self.portfolios[account]), instrument, quantity)
        return setting.book(dict(after))

    def equity(self, account: int) -> int:
        """Cash and portfolio value on the newest market, E8."""
        return self.cash[account] + self.figures(account).value

    def check(self) -> None:
        """What was rebuilt from events is what the contracts hold."""
        for account, portfolio in enumerate(self.portfolios):
            assert self.ledger.call("portfolioHash", account) == keccak(portfolio)
            assert self.vault.call("cash", account) == self.cash[account]
            assert self.ledger.call("frozen", account) == self.frozen[account]
            held = (self.owners[account].address.lower(), self.frozen[account], keccak(portfolio))
            assert self.ledger.call("accountOf", account) == held
            past = (self.opened_at[account], folded(self.changes[account]))
            assert self.ledger.call("provenance", account) == past
