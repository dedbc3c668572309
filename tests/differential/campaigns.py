"""The campaigns: the engine against each peer, over drawn worlds, until counts and classes are reached.

A batch is drawn from seed, campaign and number alone, whichever process runs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from evm.machine import ContractRefused
from marginproof.spec.errors import SpecError

from . import coverage, draws, replay
from .draws import Shape, World
from .engine import Books, engine_figures, engine_rows, engine_values
from .peers import PEERS, RefusedError, spec_figures, spec_margins

UNDERLYING_IDS: Final = tuple(range(1, 64))
COURT_IDS: Final = tuple(range(1, 9))
WORLDS_PER_BATCH: Final = 6
BOOKS_PER_WORLD: Final = 30
PATIENCE: Final = 20
"""A campaign that has not met every class after so many times its count has failed."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A peer, what is compared with it (`cells` or `accounts`), and how many of it a full run compares at least."""

    peer: str
    what: str
    count: int

    @property
    def name(self) -> str:
        """Unique."""
        return f"{self.peer}-{self.what}"

    @property
    def classes(self) -> frozenset[str]:
        """The classes that a run must meet."""
        if self.what == "cells":
            return coverage.CELL_CLASSES
        return coverage.ACCOUNT_CLASSES | (coverage.SCAN_CLASSES if self.peer == "specification" else set())


CAMPAIGNS: Final = {
    campaign.name: campaign
    for campaign in (
        Campaign("specification", "cells", 2_000_000),
        Campaign("specification", "accounts", 20_000),
        Campaign("solidity", "cells", 5_000_000),
        Campaign("solidity", "accounts", 50_000),
        Campaign("checker", "cells", 1_000_000),
        Campaign("checker", "accounts", 10_000),
    )
}


class DisagreementError(AssertionError):
    """Two implementations differ: what, where, and a program that shows it."""


@dataclass(slots=True)
class Tally:
    """How many cells or accounts were compared, and how many of each class."""

    compared: int
    met: Counter[str]

    def add(self, other: Tally) -> None:
        """Count what another has compared, too."""
        self.compared += other.compared
        self.met.update(other.met)


def shape(rng: Random, ids: tuple[int, ...], strikes: tuple[int, ...]) -> Shape:
    """How large the next world is."""
    chosen = tuple(sorted(rng.sample(ids, rng.choice((1, 1, 2, 3)))))
    return Shape(chosen, rng.choice(draws.SCENARIO_COUNTS), rng.choice((1, 3, 3, 5)), rng.choice(strikes))


def run_batch(name: str, seed: int, number: int) -> Tally:
    """Draw and compare one batch. Error: `DisagreementError`."""
    campaign, rng = CAMPAIGNS[name], Random(f"{seed}:{name}:{number}")
    again = replay.Origin(name, seed, number)
    compare = _cells if campaign.what == "cells" else _accounts
    try:
        return compare(campaign, rng, again)
    except (ContractRefused, SpecError, RefusedError) as error:
        message = f"refused what every other may answer: {error!r}\n# the whole batch again: {again.command}"
        raise DisagreementError(message) from error


def _cells(campaign: Campaign, rng: Random, again: replay.Origin) -> Tally:
    worlds = [draws.world(rng, shape(rng, UNDERLYING_IDS, (1, 4, 6, 9))) for _ in range(WORLDS_PER_BATCH)]
    tally = Tally(0, Counter())
    for drawn, rows in zip(worlds, PEERS[campaign.peer].rows(worlds), strict=True):
        compare_cells(campaign.peer, drawn, rows, again)
        tally.add(Tally(coverage.option_cells(drawn), coverage.cells_met(drawn)))
    return tally


def compare_cells(
    peer: str, drawn: World, rows: list[tuple[int, ...]], again: replay.Origin | None = None
) -> None:
    """Compare the engine's rows with a peer's. Error: `DisagreementError`."""
    for number, ours, theirs in zip(drawn.ids, engine_rows(drawn), rows, strict=True):
        if ours != theirs:
            columns = [i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b]
            about = f"{drawn.instrument_of[number]}, columns {columns}\nengine {ours}\n{peer} {theirs}"
            raise DisagreementError(replay.program(peer, drawn, (number,), None, about, again))


def _accounts(campaign: Campaign, rng: Random, again: replay.Origin) -> Tally:
    worlds: list[tuple[World, Books]] = []
    for _ in range(WORLDS_PER_BATCH):
        drawn = draws.world(rng, shape(rng, COURT_IDS, (4, 8, 8, 16)))
        worlds.append((drawn, [draws.book(rng, drawn) for _ in range(BOOKS_PER_WORLD)]))
    tally = Tally(0, Counter())
    if campaign.peer == "specification":
        results = [spec_margins(drawn, books) for drawn, books in worlds]
        answers = [[spec_figures(result) for result in margins] for margins in results]
        for margins in results:
            tally.met.update(name for result in margins for name in coverage.scans_met(result))
    else:
        answers = PEERS[campaign.peer].figures(worlds)
    for (drawn, books), figures in zip(worlds, answers, strict=True):
        compare_accounts(campaign.peer, drawn, books, figures, again)
        met = (coverage.account_met(drawn, held, f[4]) for held, f in zip(books, figures, strict=True))
        tally.add(Tally(len(books), Counter(name for names in met for name in names)))
    return tally


def compare_accounts(
    peer: str,
    drawn: World,
    books: Books,
    figures: list[tuple[int, int, int, int, bytes]],
    again: replay.Origin | None = None,
) -> None:
    """Compare the engine's figures with a peer's. Error: `DisagreementError`."""
    for held, ours, theirs in zip(books, engine_figures(books, engine_values(drawn)), figures, strict=True):
        if ours != theirs:
            about = f"engine {ours}\n{peer} {theirs}"
            ids = tuple(p.instrument for p in held)
            raise DisagreementError(replay.program(peer, drawn, ids, held, about, again))


def gather(campaign: Campaign, wanted: int, tallies: Iterable[Tally]) -> Tally:
    """Add tallies until the count is reached and every class was met. Error: `AssertionError` when patience ends first."""
    total = Tally(0, Counter())
    for tally in tallies:
        total.add(tally)
        missing = campaign.classes - total.met.keys()
        if total.compared >= wanted and not missing:
            return total
        assert total.compared < PATIENCE * wanted, (
            f"{campaign.name}: {total.compared} compared without {sorted(missing)}"
        )
    raise AssertionError(f"{campaign.name}: the batches ended after {total.compared} of {wanted}")


def batches(name: str, seed: int) -> Iterator[Tally]:
    """Every batch of a campaign, one after the other, without end."""
    number = 0
    while True:
        yield run_batch(name, seed, number)
        number += 1
