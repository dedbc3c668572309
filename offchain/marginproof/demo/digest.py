"""What a record says when read account by account: shared by the terminal's summary and the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median_low

from marginproof.demo.record import AccountFigures, BookEntry, EpochEntry, LiquidationEntry, Record
from marginproof.spec.units import ONE_WAD

FRESH = "Taken over in liquidations"
"""The strategy under which accounts that opened during the demonstration appear."""


class Health(Enum):
    """Where equity stands against the two requirements."""

    GOOD = "above initial margin"
    THIN = "between maintenance and initial margin"
    SHORT = "below maintenance margin"


def health(figures: AccountFigures) -> Health:
    """The state of one account at one epoch."""
    if figures.equity_e8 < figures.maintenance_e8:
        return Health.SHORT
    return Health.THIN if figures.equity_e8 < figures.initial_e8 else Health.GOOD


@dataclass(frozen=True, slots=True)
class Point:
    """One account at one epoch."""

    epoch: EpochEntry
    figures: AccountFigures


@dataclass(frozen=True, slots=True)
class History:
    """One account through all epochs in which it exists, and the rounds after which it was called, sliced or released."""

    book: BookEntry
    points: tuple[Point, ...]
    liquidated_rounds: frozenset[int]

    @property
    def tightest(self) -> Point | None:
        """The epoch of the lowest ratio of equity to maintenance margin, the earliest among equals.

        Without any requirement: the first epoch with positions. None for an account that never held any.
        """
        required = [point for point in self.points if point.figures.maintenance_e8 > 0]
        if required:
            return min(required, key=lambda point: point.figures.equity_e8 / point.figures.maintenance_e8)
        return next((point for point in self.points if point.figures.profile), None)

    @property
    def worst_health(self) -> Health:
        """The worst state over all epochs."""
        states = [health(point.figures) for point in self.points]
        return next((state for state in (Health.SHORT, Health.THIN) if state in states), Health.GOOD)


def account_name(record: Record, account: int) -> str:
    """Who holds an account; "Account 57" when it opened during the demonstration."""
    return next((book.name for book in record.books if book.account == account), f"Account {account}")


def histories(record: Record) -> list[History]:
    """Every account that appears in the books or in an epoch, in order of id."""
    known = {book.account: book for book in record.books}
    points: dict[int, list[Point]] = {account: [] for account in known}
    for epoch in record.epochs:
        for figures in epoch.accounts:
            points.setdefault(figures.account, []).append(Point(epoch, figures))
    rounds: dict[int, set[int]] = {}
    for step in record.liquidations:
        rounds.setdefault(step.account, set()).add(step.round)
    return [
        History(
            known.get(account, BookEntry(account, f"Account {account}", FRESH)),
            tuple(points[account]),
            frozenset(rounds.get(account, ())),
        )
        for account in sorted(points)
    ]


def by_strategy(accounts: Iterable[History]) -> dict[str, list[History]]:
    """Histories grouped by strategy, strategies in order of first appearance."""
    groups: dict[str, list[History]] = {}
    for history in accounts:
        groups.setdefault(history.book.strategy, []).append(history)
    return groups


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything done to one account after one epoch."""

    round: int
    account: int
    steps: tuple[LiquidationEntry, ...]

    @property
    def slices(self) -> int:
        """How many slices were sold."""
        return sum(step.action == "slice" for step in self.steps)

    @property
    def sold_wad(self) -> int:
        """The part of the positions that all slices together took (WAD)."""
        rest = int(ONE_WAD)
        for step in self.steps:
            rest = rest * (ONE_WAD - step.fraction_wad) // ONE_WAD
        return ONE_WAD - rest

    @property
    def words(self) -> str:
        """How it ended."""
        last = self.steps[-1]
        if last.action == "release":
            return "released"
        if last.equity_after_e8 < 0:
            return "sold off, bad debt"
        if last.equity_after_e8 < last.maintenance_after_e8:
            return "still called"
        return "sold off" if last.maintenance_after_e8 == 0 else "restored"


def outcomes(record: Record) -> list[Outcome]:
    """Liquidation steps gathered by epoch and account, in the order in which they began."""
    groups: dict[tuple[int, int], list[LiquidationEntry]] = {}
    for step in record.liquidations:
        groups.setdefault((step.round, step.account), []).append(step)
    return [Outcome(round_, account, tuple(steps)) for (round_, account), steps in groups.items()]


@dataclass(frozen=True, slots=True)
class GasLine:
    """Gas of one kind of transaction; the median of an even count is the lower middle one."""

    action: str
    count: int
    least: int
    median: int
    most: int


def gas_lines(record: Record) -> list[GasLine]:
    """One line per action, the dearest first by median."""
    lines = [
        GasLine(action, len(gas), min(gas), median_low(gas), max(gas))
        for action, gas in record.gas.items()
        if gas
    ]
    return sorted(lines, key=lambda line: (-line.median, line.action))


def called_accounts(record: Record) -> int:
    """How many different accounts were called."""
    return len({step.account for step in record.liquidations if step.action == "call"})


def in_debt(accounts: Sequence[History]) -> list[History]:
    """Accounts whose equity is below zero at some epoch."""
    return [history for history in accounts if any(point.figures.equity_e8 < 0 for point in history.points)]
