"""Gas of every user action on a small venue, and the size of every contract: figures that are the same in every run.

Blocks come one second apart by the chain's own counting and all keys are fixed, so that hashes, signatures and calldata never vary.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from web3.types import TxReceipt

from marginproof.demo.books import IDLE, LIQUIDATOR, MARKET_MAKER, Book, build_books
from marginproof.demo.gas_attested import AttestedGas
from marginproof.demo.gas_dispute import DisputeGas
from marginproof.demo.gas_posting import PostingGas
from marginproof.demo.record import Record
from marginproof.demo.world import COLLATERAL_UNIT, OPERATOR_KEYS, World
from marginproof.documents import MarketDocument
from marginproof.engine.values import ValueTable
from marginproof.keeper.post import post, publish_leaves
from marginproof.keeper.propose import ProposedEpoch, propose
from marginproof.liquidator.bot import Liquidator
from marginproof.market.crash import load_crash
from marginproof.protocol.deploy import SOURCES, deployable
from marginproof.protocol.localchain import LocalChain
from marginproof.protocol.replay import Replayer
from marginproof.protocol.signing import sign
from marginproof.spec.portfolio import encode_portfolio
from marginproof.spec.shown import ShownWithdrawal, pack_withdrawal

SYMBOLS = {"BTC": 1, "ETH": 2}
_HOLDER = "Covered call, BTC, 1"
_EXPIRING = "Covered call, ETH, 2"
_LIQUIDATED = "Over-levered short gamma, ETH, 2"
_SETUP_SECONDS = 3_600
_WITHDRAWN_UNITS = 1_000_000

Gas = dict[str, int]


def small_books(first: MarketDocument, names: Sequence[str]) -> list[Book]:
    """The makers, the liquidator, the idle accounts and the named books."""
    roles = (MARKET_MAKER, LIQUIDATOR, IDLE)
    return [book for book in build_books(first, SYMBOLS) if book.strategy in roles or book.name in names]


def contract_sizes() -> dict[str, int]:
    """Deployed size in bytes of every contract of a venue."""
    artifacts = deployable()
    ours = {
        Path(source).stem for source in SOURCES if "/testing/" not in source and "/interfaces/" not in source
    }
    return {name: artifacts[name].runtime_size for name in sorted(ours)}


class _Measurement:
    """Runs the actions in order and notes the gas of each."""

    def __init__(self, chain: LocalChain, folder: Path) -> None:
        self.documents = load_crash()
        books = small_books(self.documents[0], (_HOLDER, _EXPIRING, _LIQUIDATED))
        self.record = Record("anvil", chain.chain_id, "options-33", "gas")
        self.world = World(chain, books, SYMBOLS, self.record, folder / "deployment.json")
        self.gas: Gas = {}

    def _note(self, action: str, receipt: TxReceipt) -> None:
        self.gas[action] = receipt["gasUsed"]

    def _send(self, action: str, account: int, contract: str, function: str, *arguments: object) -> None:
        venue = self.world.venue
        self._note(action, venue.send(self.world.holder(account), contract, function, *arguments))

    def run(self) -> Gas:
        """All actions; gas by name."""
        for account in range(len(self.world.books)):
            self.world.open_account(account)
        for action in ("open account", "deposit cash", "deposit spot"):
            self.gas[action] = max(self.record.gas[action])
        first = self._epoch(0, "post epoch, first")
        values = ValueTable(first.market, first.state.model())
        state = Replayer(self.world.venue).state_at()
        for account, book in enumerate(self.world.books):
            for trade in book.trades:
                self.world.trade(account, trade, values(trade.instrument)[0], state)
                self._note_trade(book, trade is book.trades[-1])
        second = self._epoch(0, "post epoch")
        self._withdrawals(second)
        self._epoch(1, "post epoch, with settlement prices")
        self._expiry()
        self._epoch(2, "post epoch, third snapshot")
        self._liquidation()
        self._attested()
        return self.gas

    def _note_trade(self, book: Book, last: bool) -> None:
        if last and book.strategy != MARKET_MAKER:
            self.gas[f"settle trade, {book.strategy.lower()}"] = self.record.gas["settle a trade in full"][-1]

    def _epoch(
        self,
        snapshot: int,
        action: str,
        change: Callable[[ProposedEpoch], ProposedEpoch] = lambda epoch: epoch,
    ) -> ProposedEpoch:
        document = self.documents[snapshot]
        self.world.chain.set_next_timestamp(max(document.time + 30, self._now() + 1))
        spots = {entry.symbol: entry.spot_e8 for entry in document.underlyings}
        self.world.set_feeds(spots, document.time)
        venue = self.world.venue
        epoch = change(propose(Replayer(venue), document, venue.call("EpochRegistry", "lastRound") + 1))
        domain = venue.domain("EpochRegistry")
        signatures = b"".join(
            sign(signer, domain, epoch.header.struct_hash()) for signer in self.world.quorum()
        )
        keeper = venue.sender(self.world.keys.keeper)
        self._note(action, post(venue, keeper, epoch, signatures))
        self.gas["publish leaves"] = sum(
            receipt["gasUsed"]
            for receipt in publish_leaves(venue, keeper, epoch.header.round, epoch.result.leaves)
        )
        return epoch

    def _attested(self) -> None:
        """On the newest snapshot, posted again and again: those postings are no rows."""
        rows = dict(self.gas)
        post = partial(self._epoch, 2, "post epoch")
        self.gas = rows | AttestedGas(self.world, post).measure()

    def _now(self) -> int:
        return int(self.world.venue.web3.eth.get_block("latest")["timestamp"])

    def _withdrawals(self, epoch: ProposedEpoch) -> None:
        account = self.world.accounts[_HOLDER]
        owner = self.world.holder(account).address
        leaf, proof = epoch.result.leaves[account], tuple(epoch.result.proof(account))
        shown = ShownWithdrawal(leaf, proof, _WITHDRAWN_UNITS, bytes.fromhex(owner[2:]))
        self._send(
            "withdraw on a leaf",
            account,
            "MarginVault",
            "withdraw",
            pack_withdrawal(shown),
        )
        portfolio = encode_portfolio(self.world.portfolios[account])
        spot = (account, 1, COLLATERAL_UNIT, owner, portfolio, epoch.market_bytes)
        self._send("withdraw spot", account, "MarginVault", "withdrawSpot", *spot)
        idle = next(i for i, book in enumerate(self.world.books) if book.strategy == IDLE)
        owner = self.world.holder(idle).address
        self._send(
            "withdraw without positions",
            idle,
            "MarginVault",
            "withdrawUnencumbered",
            idle,
            _WITHDRAWN_UNITS,
            owner,
        )
        self._send("cancel an order", idle, "MarginVault", "cancel", idle, 99)

    def _expiry(self) -> None:
        state = Replayer(self.world.venue).state_at()
        account = self.world.accounts[_EXPIRING]
        portfolio = encode_portfolio(state.accounts[account].positions)
        self._send("settle expired legs", account, "MarginVault", "settleExpired", account, portfolio)

    def _liquidation(self) -> None:
        account = self.world.accounts[LIQUIDATOR]
        bot = Liquidator(Replayer(self.world.venue), self.world.holder(account), account)
        for step in bot.sweep():
            self.gas[f"liquidation, {step.action}"] = step.gas


def measure_gas() -> dict[str, Gas]:
    """`{"actions": {name: gas}, "sizes": {contract: bytes}}`, measured on anvil with calldata included."""
    documents = load_crash()
    # The two quote the same twelve expiries of both underlyings.
    before, after = documents[3:5]
    with tempfile.TemporaryDirectory() as folder:
        with _chain(documents[0]) as chain:
            gas = _Measurement(chain, Path(folder)).run()
        with _chain(before) as chain:
            gas |= PostingGas(chain, before, after).measure()
        with _chain(documents[1]) as chain:
            gas |= DisputeGas(chain, Path(folder), documents[1], SYMBOLS).measure()
    return {"actions": dict(sorted(gas.items())), "sizes": contract_sizes()}


@contextmanager
def _chain(first: MarketDocument) -> Iterator[LocalChain]:
    """A chain of its own that starts before a snapshot and counts a second per block."""
    start = first.time - _SETUP_SECONDS
    with LocalChain("anvil", genesis_timestamp=start, accounts=OPERATOR_KEYS + 16) as chain:
        chain.rpc("anvil_setBlockTimestampInterval", 1)
        yield chain
