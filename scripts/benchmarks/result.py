"""One line of the report, and the way to time two things fairly on a machine that does other work."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

REPETITIONS = 5


@dataclass(frozen=True, slots=True)
class Result:
    """A measurement. `ratio` is ours / peer; `peer` and `ratio` are None without a peer.

    `target` is the condition in words, None when the figure is only reported; `ok` says whether it holds.
    """

    name: str
    unit: str
    ours: float
    peer_name: str | None
    peer: float | None
    ratio: float | None
    target: str | None
    ok: bool

    def as_json(self) -> dict[str, object]:
        """The fields, for build/bench.json."""
        return asdict(self)


def result(
    name: str,
    unit: str,
    ours: float,
    *,
    peer_name: str | None = None,
    peer: float | None = None,
    most: float | None = None,
    most_ratio: float | None = None,
) -> Result:
    """A result with targets: `most` for our own figure, `most_ratio` for ours / peer. A peer that was to be there and is not fails."""
    ratio = None if peer is None else ours / peer
    targets = []
    if most is not None:
        targets.append(f"ours <= {most:g}")
    if most_ratio is not None:
        targets.append(f"ratio <= {most_ratio:g}")
    ok = most is None or ours <= most
    ok = ok and (most_ratio is None or (ratio is not None and ratio <= most_ratio))
    return Result(
        name,
        unit,
        ours,
        peer_name,
        peer,
        ratio,
        " and ".join(targets) or None,
        ok and (peer_name is None or peer is not None),
    )


def seconds(work: Callable[[], object], *, one_core: bool = False) -> float:
    """How long one call takes; with `one_core` the time that this thread had a processor, for work that has no other thread."""
    clock = time.thread_time if one_core else time.perf_counter
    begin = clock()
    work()
    return clock() - begin


def interleaved(
    *works: Callable[[], object], repetitions: int = REPETITIONS, one_core: bool = False
) -> list[float]:
    """The median seconds of each work: all in turn, again and again, after one call of each that does not count.

    In turn, because another program that takes the processor for a while then slows all of them alike. `one_core` as in `seconds`.
    """
    for work in works:
        work()
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repetitions):
        for mine, work in zip(times, works, strict=True):
            mine.append(seconds(work, one_core=one_core))
    return [statistics.median(mine) for mine in times]
