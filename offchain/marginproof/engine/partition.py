"""An epoch in parts: accounts divided into aligned runs, computed anywhere, in any order, and merged.

A part needs the instruments, market and model and its own accounts, and gives back figures and one hash; nothing passes between parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from marginproof.spec.fixed_point import ceil_div
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model
from marginproof.spec.tree import depth

from .columns import require_threads
from .epoch import account_ids, leaf_columns
from .instruments import InstrumentColumns
from .leaves import leaf_hashes, portfolio_hashes
from .netting import Margins, Portfolios, net
from .tree import merge, subtree_root
from .values import value

MIN_HEIGHT: Final = 12
"""Parts have at least 4,096 accounts."""


@dataclass(frozen=True, slots=True)
class PartTask:
    """What one part is computed from; plain data that can be sent anywhere. `first` is its first account, `height` of 2^height leaves."""

    first: int
    height: int
    portfolios: Portfolios
    instruments: InstrumentColumns
    market: MarketSnapshot
    model: Model
    threads: int = 1


@dataclass(frozen=True, slots=True)
class PartResult:
    """A part's figures, and the root of its subtree (32 bytes)."""

    first: int
    margins: Margins
    portfolio_hashes: NDArray[np.uint8]
    subroot: bytes


@dataclass(frozen=True, slots=True)
class MergedEpoch:
    """The whole of all parts, by account id."""

    root: bytes
    count: int
    margins: Margins
    portfolio_hashes: NDArray[np.uint8]


def part_height(accounts: int, parts: int) -> int:
    """The height of the subtrees that divide so many accounts into at most so many parts (but not into parts below 2^MIN_HEIGHT)."""
    return min(depth(accounts), max(MIN_HEIGHT, depth(ceil_div(max(accounts, 1), parts))))


def split(
    portfolios: Portfolios,
    instruments: InstrumentColumns,
    market: MarketSnapshot,
    model: Model,
    parts: int,
    threads: int = 1,
) -> list[PartTask]:
    """The tasks of an epoch, at most `parts` of them, in order of accounts. Error: `OutOfRange` for `threads`."""
    require_threads(threads)
    height = part_height(len(portfolios), parts)
    starts = range(0, max(len(portfolios), 1), 1 << height)
    return [
        PartTask(
            first,
            height,
            portfolios.slice(first, min(first + (1 << height), len(portfolios))),
            instruments,
            market,
            model,
            threads,
        )
        for first in starts
    ]


def compute_part(task: PartTask) -> PartResult:
    """One part. Errors: as `epoch.compute`."""
    require_threads(task.threads)
    held = task.portfolios
    margins = net(held, value(task.instruments, task.market, task.model), task.threads)
    hashes = portfolio_hashes(held.offsets, held.ids, held.quantities, task.threads)
    leaves = leaf_hashes(leaf_columns(account_ids(len(held), task.first), hashes, margins), task.threads)
    return PartResult(task.first, margins, hashes, subtree_root(leaves, task.height, task.threads))


def merge_parts(results: Iterable[PartResult], height: int, count: int) -> MergedEpoch:
    """Put parts together, given in any order: the same root and figures as `epoch.compute` gives for all accounts at once."""
    ordered = sorted(results, key=lambda part: part.first)
    subroots = np.frombuffer(b"".join(part.subroot for part in ordered), np.uint8).reshape(-1, 32)
    margins = Margins(
        np.concatenate([part.margins.money for part in ordered]),
        np.concatenate([part.margins.worst for part in ordered]),
        np.concatenate([part.margins.worst_lengths for part in ordered]),
    )
    hashes = np.concatenate([part.portfolio_hashes for part in ordered])
    return MergedEpoch(merge(subroots, height, count), count, margins, hashes)


def compute_in_parts(
    tasks: list[PartTask], count: int, run: Callable[[list[PartTask]], Iterable[PartResult]]
) -> MergedEpoch:
    """Compute an epoch of `count` accounts through whatever runs tasks: `run` gives the results, in any order."""
    return merge_parts(run(tasks), tasks[0].height, count)
