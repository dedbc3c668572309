"""A small venue on a real chain: a few of the demonstration's books, traded, with one epoch posted by real signatures."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from marginproof.attester.checks import Attester
from marginproof.attester.service import create_app
from marginproof.attester.signed_rounds import SignedRounds
from marginproof.demo.books import LIQUIDATOR
from marginproof.demo.gas import SYMBOLS, small_books
from marginproof.demo.operators import free_port, write_source
from marginproof.demo.record import Record
from marginproof.demo.world import OPERATOR_KEYS, World
from marginproof.documents import MarketDocument
from marginproof.engine.values import ValueTable
from marginproof.keeper.bot import Keeper, Round
from marginproof.keeper.propose import ProposedEpoch, propose
from marginproof.liquidator.bot import Liquidator
from marginproof.market.crash import load_crash
from marginproof.market.sources import MarketFolder
from marginproof.protocol.compute import ComputeEpoch, epoch_of
from marginproof.protocol.localchain import LocalChain
from marginproof.protocol.replay import Replayer
from marginproof.protocol.venue import Venue

KEPT = (
    "Covered call, BTC, 1",
    "Covered call, ETH, 2",
    "Over-levered long perpetual, ETH, 1",
    "Over-levered short gamma, ETH, 2",
)


@dataclass(slots=True)
class Stage:
    """The venue and everything needed to run its operators in this process."""

    chain: LocalChain
    world: World
    documents: list[MarketDocument]
    folder: Path

    @property
    def venue(self) -> Venue:
        return self.world.venue

    def source(self, name: str, drift_bps: int = 0) -> MarketFolder:
        folder = self.folder / name
        if not folder.exists():
            write_source(folder, self.documents, drift_bps)
        return MarketFolder(folder)

    def attester(self, index: int, compute: ComputeEpoch = epoch_of, drift_bps: int = 0) -> Attester:
        record = self.folder / f"rounds-{index}-{time.monotonic_ns()}.json"
        return Attester(
            self.world.keys.attesters[index],
            Replayer(Venue.open(self.chain.url, self.venue.deployment)),
            self.source(f"attester-{drift_bps}", drift_bps),
            SignedRounds(record),
            compute=compute,
        )

    def keeper(self, urls: list[str], compute: ComputeEpoch = epoch_of) -> Keeper:
        sender = self.venue.sender(self.world.keys.keeper)
        return Keeper(Replayer(self.venue), sender, self.source("keeper"), urls, compute=compute)

    def propose(self, snapshot: int) -> ProposedEpoch:
        number = self.venue.call("EpochRegistry", "lastRound") + 1
        return propose(Replayer(self.venue), self.documents[snapshot], number)

    def liquidator(self) -> Liquidator:
        account = self.world.accounts[LIQUIDATOR]
        return Liquidator(Replayer(self.venue), self.world.holder(account), account)

    def move_to(self, snapshot: int) -> None:
        document = self.documents[snapshot]
        self.chain.set_next_timestamp(document.time + 30)
        spots = {entry.symbol: entry.spot_e8 for entry in document.underlyings}
        self.world.set_feeds(spots, document.time)

    def trade_all(self, done: Round) -> None:
        values = ValueTable(done.epoch.market, done.epoch.state.model())
        state = Replayer(self.venue).state_at()
        for account, book in enumerate(self.world.books):
            for trade in book.trades:
                self.world.trade(account, trade, values(trade.instrument)[0], state)


@contextmanager
def served(attesters: list[Attester]) -> Iterator[list[str]]:
    """Serve attesters over local HTTP from threads of this process; their addresses."""
    servers = []
    threads = []
    urls = []
    for attester in attesters:
        port = free_port()
        config = uvicorn.Config(
            create_app(attester), host="127.0.0.1", port=port, log_level="error", access_log=False, ws="none"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        servers.append(server)
        threads.append(thread)
        urls.append(f"http://127.0.0.1:{port}")
    deadline = time.monotonic() + 20
    while not all(server.started for server in servers):
        assert time.monotonic() < deadline, "an attester did not start"
        time.sleep(0.01)
    try:
        yield urls
    finally:
        for server in servers:
            server.should_exit = True
        for thread in threads:
            thread.join(timeout=10)


@contextmanager
def small_venue(folder: Path) -> Iterator[Stage]:
    """Deploy, open, post the first epoch, trade, post again."""
    documents = load_crash()
    books = small_books(documents[0], KEPT)
    record = Record("anvil", 31337, "options-33", "test")
    start = documents[0].time - 3_600
    with LocalChain("anvil", genesis_timestamp=start, accounts=OPERATOR_KEYS + len(books)) as chain:
        world = World(chain, books, SYMBOLS, record, folder / "deployment.json")
        stage = Stage(chain, world, documents, folder)
        for account in range(len(books)):
            world.open_account(account)
        stage.move_to(0)
        with served([stage.attester(index) for index in range(3)]) as urls:
            keeper = stage.keeper(urls)
            first = keeper.round()
            assert first is not None
            stage.trade_all(first)
            assert keeper.round(same_market=True) is not None
        yield stage
