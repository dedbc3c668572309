"""The campaigns at full size: `python -m differential`, from tests/, or `make fuzz`.

--campaign NAME   only this one (default: all); --batch N   only this batch, to repeat a failure; --processes N   default 2

SEED repeats a run, SCALE multiplies the counts (default 1: those of `campaigns.CAMPAIGNS`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor

from .campaigns import CAMPAIGNS, Campaign, Tally, gather, run_batch
from .seeding import scaled, seed


def in_processes(pool: ProcessPoolExecutor, name: str, ahead: int) -> Iterator[Tally]:
    """Every batch of a campaign, in order, `ahead` of them under way."""
    waiting: deque[Future[Tally]] = deque()
    number = 0
    try:
        while True:
            while len(waiting) < ahead:
                waiting.append(pool.submit(run_batch, name, seed(), number))
                number += 1
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def show(campaign: Campaign, total: Tally, seconds: float) -> None:
    """One line per campaign, and how often each class was met."""
    print(f"{campaign.name}: {total.compared:,} {campaign.what} equal, {seconds:.0f} s")
    rarest = sorted((total.met[name], name) for name in campaign.classes)
    print("  rarest: " + "; ".join(f"{name} {count:,}" for count, name in rarest[:4]), flush=True)


def run(name: str, batch: int | None, processes: int) -> None:
    """One campaign, or one batch of it. Error: `AssertionError` after a disagreement or without a class."""
    campaign, started = CAMPAIGNS[name], time.monotonic()
    if batch is not None:
        print(f"{name}, batch {batch}: {run_batch(name, seed(), batch).compared:,} {campaign.what} equal")
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        total = gather(campaign, scaled(campaign.count), in_processes(pool, name, 2 * processes))
    show(campaign, total, time.monotonic() - started)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments say; the exit code is 1 after a disagreement or without a class, 2 for a bad SEED or SCALE."""
    parser = argparse.ArgumentParser(prog="differential")
    parser.add_argument("--campaign", choices=CAMPAIGNS)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--processes", type=int, choices=range(1, 65), default=2, metavar="1..64")
    chosen = parser.parse_args(arguments)
    if chosen.batch is not None and chosen.campaign is None:
        parser.error("--batch needs --campaign")
    try:
        scaled(1)
        print(f"SEED={seed()}", flush=True)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for name in [chosen.campaign] if chosen.campaign else CAMPAIGNS:
        try:
            run(name, chosen.batch, chosen.processes)
        except AssertionError as error:
            print(f"{name}: FAILED with SEED={seed()}\n{error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
