"""Where the parts of an epoch are computed: in threads of this process, or by Ray on many machines. The same bits from both.

Local parts run in threads, not processes: the kernels run without the interpreter lock, and threads share the columns that processes
would have to copy. Ray is an optional extra, imported only by `RayExecutor` (`ray_executor`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from marginproof.spec.fixed_point import ceil_div
from marginproof.spec.market import MarketSnapshot
from marginproof.spec.model import Model

from .columns import require_threads, require_whole
from .instruments import InstrumentColumns
from .netting import Portfolios, resolve
from .partition import MergedEpoch, PartResult, PartTask, compute_in_parts, compute_part, part_height, split

MAX_PARTS: Final = 1 << 20
_PACKAGE: Final = Path(__file__).resolve().parents[1]


class Executor(AbstractContextManager["Executor"], Protocol):
    """Something that computes parts. Use it in a `with` statement: what it started or joined is left at the end."""

    @property
    def name(self) -> str:
        """What it is called: local or ray."""

    @property
    def slots(self) -> int:
        """How many parts it computes at the same time: a good number of parts is at least this."""

    def part_threads(self, parts: int) -> int:
        """How many threads each of so many parts should use."""

    def run(self, tasks: Sequence[PartTask]) -> Iterator[PartResult]:
        """The results, each as soon as it is there, in any order.

        Errors: those of `compute_part`; of several parts that fail, always the first one's, whatever ended first.
        """


class LocalExecutor:
    """Parts in threads of this process, `threads` (1..256) in all. Error: `OutOfRange(field, value, low, high)`."""

    name: Final = "local"

    def __init__(self, threads: int = 1) -> None:
        require_threads(threads)
        self.slots = threads

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing outlives `run`."""

    def part_threads(self, parts: int) -> int:
        """The threads, divided among parts."""
        return max(1, self.slots // parts)

    def run(self, tasks: Sequence[PartTask]) -> Iterator[PartResult]:
        """As `Executor.run`. Parts not yet begun are given up when one fails or when the caller stops reading."""
        with ThreadPoolExecutor(min(self.slots, max(len(tasks), 1))) as pool:
            futures = [pool.submit(compute_part, task) for task in tasks]
            try:
                for future in as_completed(futures):
                    if future.exception() is not None:
                        break
                    yield future.result()
                # Parts begin in order, so every part before a failed one has begun and ends by itself.
                for future in futures:
                    future.result()
            finally:
                for future in futures:
                    future.cancel()


def part_count(accounts: int, parts: int) -> int:
    """How many parts so many accounts are divided into when at most `parts` are asked for."""
    return max(1, ceil_div(accounts, 1 << part_height(accounts, parts)))


def compute_with(
    executor: Executor,
    portfolios: Portfolios,
    instruments: InstrumentColumns,
    market: MarketSnapshot,
    model: Model,
    parts: int,
) -> MergedEpoch:
    """A whole epoch in at most `parts` parts (1..2^20): bit for bit what `epoch.compute` gives.

    Portfolios are checked before any part is computed; nothing is returned in part.
    Errors: `OutOfRange(field, value, low, high)`, those of `netting.resolve` and `epoch.compute`, and the executor's own.
    """
    require_whole("parts", parts, 1, MAX_PARTS)
    resolve(portfolios, instruments)
    threads = executor.part_threads(part_count(len(portfolios), parts))
    tasks = split(portfolios, instruments, market, model, parts, threads)
    return compute_in_parts(tasks, len(portfolios), executor.run)


@cache
def source_digest() -> str:
    """SHA-256 in hex of the sources that decide a result: machines compute one epoch together only when theirs are equal."""
    total = hashlib.sha256()
    for folder in ("spec", "engine"):
        for path in sorted((_PACKAGE / folder).rglob("*.py")):
            text = path.read_bytes()
            total.update(f"{path.relative_to(_PACKAGE).as_posix()}\0{len(text)}\0".encode() + text)
    return total.hexdigest()
