"""Gas of a dispute at the size that its target is given for: a wrong leaf of an account that holds 100 options of distinct strikes over 12
expiries, in a market of two underlyings with 12 expiries each, among 2^20 leaves, everything deployed as a venue deploys it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from web3.types import TxReceipt

from marginproof.auditor.claims import claim_of
from marginproof.auditor.evidence import Kind as Dispute
from marginproof.demo.books import MARKET_MAKER, Book, BookTrade
from marginproof.demo.record import Record
from marginproof.demo.world import World
from marginproof.documents import MarketDocument
from marginproof.keeper.post import post
from marginproof.keeper.propose import ProposedEpoch, propose
from marginproof.protocol.localchain import LocalChain
from marginproof.protocol.replay import Replayer
from marginproof.protocol.signing import sign
from marginproof.protocol.state import leaf_to_chain
from marginproof.spec.hashing import keccak
from marginproof.spec.instruments import Instrument, Kind
from marginproof.spec.judgement import worst_choices
from marginproof.spec.portfolio import Position, encode_portfolio
from marginproof.spec.typed_data import Leaf

OPTIONS = 100
EXPIRIES = 12
DEPTH = 20
ROW = f"dispute, wrong leaf, {OPTIONS} options"
LIE_E8 = 1_000 * 10**8
"""Above materiality: bonds are slashed."""
_FIRST_STRIKE_USD, _STRIKE_STEP_USD = 35_000, 750
_CASH_E8 = 20_000_000 * 10**8
_LOT_E8 = 10**7
_SALT = keccak(b"salt")
_HOLDER, _OTHERS = range(2)


def _held(underlying: int, expiries: Sequence[int]) -> tuple[BookTrade, ...]:
    """Strikes even from about half to one and a half times spot, one after another in the next expiry; calls and puts, two of three short,
    so that a move of spot and volatility decides."""
    return tuple(
        BookTrade(
            Instrument(
                underlying,
                (Kind.CALL, Kind.PUT)[i % 2],
                expiries[i % EXPIRIES],
                (_FIRST_STRIKE_USD + _STRIKE_STEP_USD * i) * 10**8,
            ),
            (1 if i % 3 == 0 else -1) * (i % 17 + 1) * _LOT_E8,
            MARKET_MAKER,
        )
        for i in range(OPTIONS)
    )


def _books(document: MarketDocument, symbols: dict[str, int]) -> list[Book]:
    """The holder, and a book that makes the venue list every expiry of the other underlying. Nobody trades."""
    first, second = (
        (symbols[entry.symbol], [quote.expiry for quote in entry.expiries]) for entry in document.underlyings
    )
    futures = tuple(
        BookTrade(Instrument(second[0], Kind.FUTURE, expiry), _LOT_E8, MARKET_MAKER) for expiry in second[1]
    )
    return [
        Book("Options", "Options", _CASH_E8, {}, _held(*first)),
        Book("Futures", "Futures", _CASH_E8, {}, futures),
    ]


class DisputeGas:
    """A venue of two accounts on its own chain."""

    def __init__(
        self, chain: LocalChain, folder: Path, document: MarketDocument, symbols: dict[str, int]
    ) -> None:
        """`document` quotes both symbols at 12 expiries; its time is after the chain's."""
        self.document = document
        record = Record("anvil", chain.chain_id, "options-33", "gas")
        books = _books(document, symbols)
        self.world = World(chain, books, symbols, record, folder / "dispute.json")

    def measure(self) -> dict[str, int]:
        """Gas of the revealing transaction, by name."""
        for account in range(len(self.world.books)):
            self.world.open_account(account)
        self._hold()
        self.world.chain.set_next_timestamp(self.document.time + 30)
        self._post(self._propose())
        return {ROW: self._dispute()["gasUsed"]}

    def _hold(self) -> None:
        """Write the holder's book into the ledger as the liquidation house would: a hundred trades would take a minute."""
        world = self.world
        held = tuple(
            sorted(
                Position(world.instrument_id(t.instrument), t.quantity_e8)
                for t in world.books[_HOLDER].trades
            )
        )
        world.portfolios[_HOLDER] = held
        house = world.venue.contract("LiquidationHouse").address
        write = world.venue.contract("MarginVault").functions.writePortfolio(
            _HOLDER, b"", encode_portfolio(held)
        )
        world.chain.rpc("anvil_impersonateAccount", house)
        world.chain.rpc("anvil_setBalance", house, hex(10**18))
        write.transact({"from": house})
        world.chain.rpc("anvil_stopImpersonatingAccount", house)

    def _propose(self) -> ProposedEpoch:
        venue = self.world.venue
        spots = {entry.symbol: entry.spot_e8 for entry in self.document.underlyings}
        self.world.set_feeds(spots, self.document.time)
        return propose(Replayer(venue), self.document, venue.call("EpochRegistry", "lastRound") + 1)

    def _post(self, epoch: ProposedEpoch) -> None:
        venue = self.world.venue
        domain = venue.domain("EpochRegistry")
        signatures = b"".join(sign(key, domain, epoch.header.struct_hash()) for key in self.world.quorum())
        post(venue, venue.sender(self.world.keys.keeper), epoch, signatures)

    def _dispute(self) -> TxReceipt:
        """Proof that the holder's initial margin was posted too low, on an epoch that has a valid one before it."""
        venue = self.world.venue
        epoch = self._propose()
        true = epoch.result.leaves[_HOLDER]
        false = replace(true, initial_margin=true.initial_margin - LIE_E8)
        siblings = [keccak(b"sibling %d" % height) for height in range(DEPTH)]
        self._post(_among_many(epoch, false, siblings))
        state = Replayer(venue).state_at()
        sender = venue.sender(self.world.keys.claimant)
        subject = _HOLDER.to_bytes(32, "big")
        named = (sender.address, int(Dispute.LEAF), epoch.header.round, subject, _SALT)
        venue.send(sender, "Disputes", "commit", venue.call("Disputes", "commitmentOf", *named))
        sender.send_nothing()
        witness = (
            encode_portfolio(self.world.portfolios[_HOLDER]),
            epoch.market_bytes,
            worst_choices(epoch.result.margin(_HOLDER)),
        )
        claim = claim_of(state, state.newest_epoch(), _SALT)
        arguments = (claim, leaf_to_chain(false), siblings, witness)
        return venue.send(sender, "Disputes", "disputeLeaf", *arguments)


def _among_many(epoch: ProposedEpoch, leaf: Leaf, siblings: Sequence[bytes]) -> ProposedEpoch:
    """The epoch with this leaf in a tree whose other nodes are made up."""
    node = leaf.struct_hash()
    for height, sibling in enumerate(siblings):
        node = keccak(sibling + node if leaf.account >> height & 1 else node + sibling)
    return replace(epoch, header=replace(epoch.header, leaf_root=node, leaf_count=1 << len(siblings)))
