"""Gas of what rests on attestations, at the sizes that targets are given for: a million accounts, ten positions on each side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from web3.types import TxReceipt

from marginproof.demo.books import IDLE, LIQUIDATOR
from marginproof.demo.world import World
from marginproof.keeper.propose import ProposedEpoch
from marginproof.protocol.deploy import dated_ids
from marginproof.protocol.orders import SignedOrder, order_to_chain, sign_order
from marginproof.protocol.signing import sign
from marginproof.spec.hashing import keccak
from marginproof.spec.instruments import Kind
from marginproof.spec.margin import margin, value_table
from marginproof.spec.portfolio import Position, apply_trade, encode_portfolio
from marginproof.spec.shown import ShownSide, ShownTrade, ShownWithdrawal, pack_trade, pack_withdrawal
from marginproof.spec.typed_data import Leaf, Order, Tickets, leaf_of

DEPTH = 20
POSITIONS = 10
_CASH_UNITS = 10**12
_QUANTITY_E8 = 10**6
_PAID_UNITS = 1_000_000
_DEADLINE = 2**64 - 1
_FIRST = 1

Post = Callable[[Callable[[ProposedEpoch], ProposedEpoch]], ProposedEpoch]
"""Posts an epoch of the newest snapshot after a change of what was computed; returns it as posted."""


def _unchanged(epoch: ProposedEpoch) -> ProposedEpoch:
    return epoch


class AttestedGas:
    """Two accounts of one owner, who trade with each other; and a leaf in a tree of 2^20."""

    def __init__(self, world: World, post: Post) -> None:
        self.world = world
        self.post = post
        self.owner = world.keys.holders[world.accounts[LIQUIDATOR]]
        self.sender = world.venue.sender(self.owner)
        self.accounts = [self._open() for _ in range(2)]
        self.held: list[tuple[Position, ...]] = [(), ()]
        self._nonce = 0

    def measure(self) -> dict[str, int]:
        """Gas by name."""
        self._list_strikes()
        epoch = self.post(_unchanged)
        instruments = self._instruments(epoch)
        if len(instruments) != POSITIONS:
            raise AssertionError(f"{len(instruments)} instruments, not {POSITIONS}")
        for instrument in instruments:
            self._settle(epoch, instrument)
        gas = {}
        # Of an option expiry and strike have to be looked up.
        for name, kinds in (("perpetual", {Kind.PERPETUAL}), ("option", {Kind.CALL, Kind.PUT})):
            epoch = self.post(_unchanged)
            table = epoch.state.table()
            chosen = next(i for i in instruments if table.resolve(i).kind in kinds)
            row = f"settle trade on tickets, {POSITIONS} positions each, {name}"
            gas[row] = self._settle_on_tickets(epoch, chosen)["gasUsed"]
        return gas | self._withdraw()

    def _open(self) -> int:
        venue, vault = self.world.venue, self.world.venue.contract("MarginVault").address
        account = int(venue.call("MarginVault", "accountCount"))
        venue.send(self.sender, "MarginVault", "openAccount", self.owner.address)
        self.world.fund("settlement", self.sender, vault, _CASH_UNITS)
        venue.send(self.sender, "MarginVault", "depositCash", account, _CASH_UNITS)
        return account

    def _list_strikes(self) -> None:
        """More options of the first underlying, so that there are enough instruments: the small venue lists only what its books hold."""
        venue = self.world.venue
        deployer = venue.sender(self.world.keys.deployer)
        spot = venue.call("EpochRegistry", "spotOf", _FIRST)
        strikes = [spot * (100 + percent) // 100 for percent in range(5, 5 * (POSITIONS // 2), 5)]
        venue.send(deployer, "InstrumentRegistry", "addStrikes", _FIRST, strikes)
        expiries = range(len(venue.call("InstrumentRegistry", "expiries", _FIRST)))
        count = len(venue.call("InstrumentRegistry", "strikes", _FIRST))
        ids = dated_ids(_FIRST, expiries, range(count - len(strikes), count))
        venue.send(deployer, "InstrumentRegistry", "list", ids)
        venue.send(deployer, "MarginCourt", "syncInstruments", _FIRST)

    def _instruments(self, epoch: ProposedEpoch) -> list[int]:
        """The perpetual and the first options and futures of the first underlying that are quoted."""
        table = epoch.state.table()
        quoted = {quote.expiry for quote in epoch.market.underlyings[0].expiries}
        first = epoch.market.underlyings[0].underlying

        def fits(number: int) -> bool:
            instrument = table.resolve(number)
            alive = instrument.kind == Kind.PERPETUAL or instrument.expiry in quoted
            return instrument.underlying == first and alive

        return [number for number in sorted(epoch.state.listed) if fits(number)][:POSITIONS]

    def _orders(self, epoch: ProposedEpoch, instrument: int) -> tuple[SignedOrder, SignedOrder]:
        table = value_table(epoch.market, epoch.state.model())
        price = table(epoch.state.table().resolve(instrument))[0]

        def order(account: int, quantity: int) -> SignedOrder:
            self._nonce += 1
            fields = Order(account, instrument, quantity, price, self._nonce, _DEADLINE)
            return sign_order(self.world.venue, self.owner, fields)

        return order(self.accounts[0], -_QUANTITY_E8), order(self.accounts[1], _QUANTITY_E8)

    def _trade(self, orders: tuple[SignedOrder, SignedOrder]) -> None:
        for side, signed in enumerate(orders):
            order = signed.order
            self.held[side] = apply_trade(self.held[side], order.instrument, order.quantity)

    def _settle(self, epoch: ProposedEpoch, instrument: int) -> None:
        orders = self._orders(epoch, instrument)
        a, b = orders
        held = (encode_portfolio(positions) for positions in self.held)
        signed = (order_to_chain(a.order), a.signature, order_to_chain(b.order), b.signature)
        arguments = (*signed, *held, epoch.market_bytes)
        self.world.venue.send(self.sender, "MarginVault", "settle", *arguments)
        self._trade(orders)

    def _settle_on_tickets(self, epoch: ProposedEpoch, instrument: int) -> TxReceipt:
        orders = self._orders(epoch, instrument)
        before = list(self.held)
        self._trade(orders)
        leaves = [self._leaf(epoch, *sides) for sides in zip(self.accounts, self.held, strict=True)]
        header = epoch.header
        tickets = Tickets(header.round, header.struct_hash(), tuple(leaf.struct_hash() for leaf in leaves))
        domain = self.world.venue.domain("EpochRegistry")
        signatures = b"".join(sign(key, domain, tickets.struct_hash()) for key in self.world.quorum())
        first, second = (
            ShownSide(signed.order, signed.signature, held, leaf)
            for signed, held, leaf in zip(orders, before, leaves, strict=True)
        )
        shown = pack_trade(ShownTrade((first, second), signatures))
        return self.world.venue.send(self.sender, "MarginVault", "settleAttested", shown)

    def _leaf(self, epoch: ProposedEpoch, account: int, held: tuple[Position, ...]) -> Leaf:
        table, values = epoch.state.table(), value_table(epoch.market, epoch.state.model())
        positions = [(table.resolve(p.instrument), p.quantity) for p in held]
        return leaf_of(account, keccak(encode_portfolio(held)), margin(positions, values))

    def _withdraw(self) -> dict[str, int]:
        """A withdrawal on a leaf among 2^20 (its siblings are made up), and a plain transfer of as much to the same receiver."""
        account = self.accounts[0]
        siblings = [keccak(b"sibling %d" % height) for height in range(DEPTH)]

        def among_many(epoch: ProposedEpoch) -> ProposedEpoch:
            node = epoch.result.leaves[account].struct_hash()
            for height, sibling in enumerate(siblings):
                node = keccak(sibling + node if account >> height & 1 else node + sibling)
            header = replace(epoch.header, leaf_root=node, leaf_count=1 << DEPTH)
            return replace(epoch, header=header)

        epoch = self.post(among_many)
        idle = next(i for i, book in enumerate(self.world.books) if book.strategy == IDLE)
        receiver = self.world.holder(idle)
        # Both have tokens before and after, so that no balance appears or disappears.
        for person in (receiver, self.sender):
            self.world.fund("settlement", person, self.owner.address, 2 * _PAID_UNITS)
        to = bytes.fromhex(receiver.address[2:])
        leaf = epoch.result.leaves[account]
        shown = pack_withdrawal(ShownWithdrawal(leaf, tuple(siblings), _PAID_UNITS, to))
        withdrawn = self.world.venue.send(
            self.sender,
            "MarginVault",
            "withdraw",
            shown,
        )
        token = self.world.venue.token("settlement")
        paid = self.sender.send(token.functions.transfer(receiver.address, _PAID_UNITS), "a plain transfer")
        return {
            "plain token transfer": paid["gasUsed"],
            "withdraw on a leaf, 2^20 accounts": withdrawn["gasUsed"],
        }
